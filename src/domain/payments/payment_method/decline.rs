//! Why an issuer refuses a card.

/// One way a card is refused, with everything the API says about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Decline {
    /// Stable number in records and on the wire to networks; never reused.
    pub number: u16,
    /// `code` of the error and the charge's `failure_code`.
    pub code: &'static str,
    /// The issuer's own code; banks give none for debits.
    pub decline_code: Option<&'static str>,
    /// What the merchant should do.
    pub advice_code: Option<&'static str>,
    /// The card network's advice.
    pub network_advice_code: Option<&'static str>,
    /// The card network's code.
    pub network_decline_code: Option<&'static str>,
    /// The parameter the cardholder should correct.
    pub param: Option<&'static str>,
    /// What the cardholder may read.
    pub message: &'static str,
}

impl Decline {
    /// The decline with that number.
    pub fn by_number(number: u16) -> Option<&'static Decline> {
        declines::ALL.iter().copied().find(|decline| decline.number == number)
    }

    /// What the merchant reads on the failed charge (`outcome.seller_message`).
    pub fn seller_message(&self) -> String {
        match self.decline_code {
            Some(code) if *self != declines::GENERIC => format!("The bank returned the decline code `{code}`."),
            _ => "The bank did not return any further details with this decline.".into(),
        }
    }
}

/// The declines there are.
pub mod declines {
    use super::Decline;
    pub use crate::payments::payment_method::bank_declines::*;
    use crate::reject::codes;

    /// No reason given.
    pub static GENERIC: Decline = Decline {
        number: 1,
        code: codes::CARD_DECLINED,
        decline_code: Some("generic_decline"),
        advice_code: Some("try_again_later"),
        network_advice_code: None,
        network_decline_code: Some("01"),
        param: None,
        message: "Your card was declined.",
    };
    /// Not enough money on the account.
    pub static INSUFFICIENT_FUNDS: Decline = Decline {
        number: 2,
        code: codes::CARD_DECLINED,
        decline_code: Some("insufficient_funds"),
        advice_code: Some("try_again_later"),
        network_advice_code: Some("02"),
        network_decline_code: Some("51"),
        param: None,
        message: "Your card has insufficient funds.",
    };
    /// Reported lost.
    pub static LOST_CARD: Decline = Decline {
        number: 3,
        code: codes::CARD_DECLINED,
        decline_code: Some("lost_card"),
        advice_code: Some("do_not_try_again"),
        network_advice_code: Some("01"),
        network_decline_code: Some("41"),
        param: None,
        message: "Your card was declined.",
    };
    /// Reported stolen.
    pub static STOLEN_CARD: Decline = Decline {
        number: 4,
        code: codes::CARD_DECLINED,
        decline_code: Some("stolen_card"),
        advice_code: Some("do_not_try_again"),
        network_advice_code: Some("01"),
        network_decline_code: Some("43"),
        param: None,
        message: "Your card was declined.",
    };
    /// Too many payments, or too much.
    pub static CARD_VELOCITY_EXCEEDED: Decline = Decline {
        number: 5,
        code: codes::CARD_DECLINED,
        decline_code: Some("card_velocity_exceeded"),
        advice_code: Some("try_again_later"),
        network_advice_code: Some("02"),
        network_decline_code: Some("61"),
        param: None,
        message: "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    };
    /// The date has passed.
    pub static EXPIRED_CARD: Decline = Decline {
        number: 6,
        code: codes::EXPIRED_CARD,
        decline_code: Some("expired_card"),
        advice_code: Some("confirm_card_data"),
        network_advice_code: Some("03"),
        network_decline_code: Some("54"),
        param: Some("exp_month"),
        message: "Your card has expired.",
    };
    /// The security code is wrong.
    pub static INCORRECT_CVC: Decline = Decline {
        number: 7,
        code: codes::INCORRECT_CVC,
        decline_code: Some("incorrect_cvc"),
        advice_code: Some("confirm_card_data"),
        network_advice_code: Some("03"),
        network_decline_code: Some("N7"),
        param: Some("cvc"),
        message: "Your card's security code is incorrect.",
    };
    /// Something went wrong at the issuer, or between it and us.
    pub static PROCESSING_ERROR: Decline = Decline {
        number: 8,
        code: codes::PROCESSING_ERROR,
        decline_code: Some("processing_error"),
        advice_code: Some("try_again_later"),
        network_advice_code: None,
        network_decline_code: Some("06"),
        param: None,
        message: "An error occurred while processing your card. Try again in a little bit.",
    };
    /// Looks like fraud.
    pub static FRAUDULENT: Decline = Decline {
        number: 9,
        code: codes::CARD_DECLINED,
        decline_code: Some("fraudulent"),
        advice_code: Some("do_not_try_again"),
        network_advice_code: None,
        network_decline_code: None,
        param: None,
        message: "Your card was declined.",
    };
    /// The postal code is wrong, and the account does not take such payments.
    pub static INCORRECT_ZIP: Decline = Decline {
        number: 10,
        code: codes::INCORRECT_ZIP,
        decline_code: Some("incorrect_zip"),
        advice_code: Some("confirm_card_data"),
        network_advice_code: None,
        network_decline_code: None,
        param: Some("address_zip"),
        message: "Your card's zip code failed validation.",
    };
    /// The cardholder would have to prove who they are, and is not there.
    pub static AUTHENTICATION_REQUIRED: Decline = Decline {
        number: 30,
        code: codes::AUTHENTICATION_REQUIRED,
        decline_code: Some("authentication_required"),
        advice_code: None,
        network_advice_code: None,
        network_decline_code: None,
        param: None,
        message: "Your card was declined. This transaction requires authentication.",
    };
    /// The cardholder would have to prove who they are, and the request does not want to wait for that.
    pub static AUTHENTICATION_NOT_HANDLED: Decline = Decline {
        number: 31,
        code: codes::AUTHENTICATION_REQUIRED,
        decline_code: Some("authentication_not_handled"),
        advice_code: None,
        network_advice_code: None,
        network_decline_code: None,
        param: None,
        message: "This payment required an authentication action to complete, but `error_on_requires_action` was set. \
                  When you're ready, you can upgrade your integration to handle actions at \
                  https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.",
    };
    /// No test card, in test mode.
    pub static TEST_MODE_LIVE_CARD: Decline = Decline {
        number: 32,
        code: codes::CARD_DECLINED,
        decline_code: Some("test_mode_live_card"),
        advice_code: None,
        network_advice_code: None,
        network_decline_code: None,
        param: None,
        message: "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of \
                  valid test cards, visit: https://stripe.com/docs/testing.",
    };

    /// All of them.
    pub static ALL: [&Decline; 26] = [
        &GENERIC,
        &INSUFFICIENT_FUNDS,
        &LOST_CARD,
        &STOLEN_CARD,
        &CARD_VELOCITY_EXCEEDED,
        &EXPIRED_CARD,
        &INCORRECT_CVC,
        &PROCESSING_ERROR,
        &FRAUDULENT,
        &INCORRECT_ZIP,
        &AUTHENTICATION_REQUIRED,
        &AUTHENTICATION_NOT_HANDLED,
        &TEST_MODE_LIVE_CARD,
        &ACCOUNT_CLOSED,
        &NO_ACCOUNT,
        &BANK_INSUFFICIENT_FUNDS,
        &DEBIT_NOT_AUTHORIZED,
        &INVALID_CURRENCY,
        &COULD_NOT_PROCESS,
        &REFER_TO_CUSTOMER,
        &CHARGE_EXCEEDS_SOURCE_LIMIT,
        &CHARGE_EXCEEDS_WEEKLY_LIMIT,
        &DEBIT_WITHDRAWN,
        &MICRODEPOSIT_FAILED,
        &MICRODEPOSIT_ATTEMPTS_EXCEEDED,
        &MICRODEPOSIT_TIMEOUT,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_read_back() {
        for decline in declines::ALL {
            assert_eq!(Decline::by_number(decline.number), Some(decline));
        }
        assert_eq!(Decline::by_number(0), None);
    }

    #[test]
    fn the_seller_learns_the_banks_code_if_there_is_one() {
        let generic = "The bank did not return any further details with this decline.";
        assert_eq!(declines::GENERIC.seller_message(), generic);
        assert_eq!(
            declines::LOST_CARD.seller_message(),
            "The bank returned the decline code `lost_card`."
        );
    }
}
