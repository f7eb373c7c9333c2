//! The table of test cards. Published numbers and names; a few rows are of our own.
//!
//! Rows are sorted by number. A number stands in records: rows are added, never changed to another card or removed.

mod aftermath;
mod authenticated;
mod countries;
mod declined;
mod own;
mod paying;
mod watched;

use super::CheckResult;
use super::decline::Decline;
use super::test_card::{
    Aftermath, Behaviour, CardBrand, CardRisk, DisputedAs, Funding, IssuerChecks, RefundBehaviour, RemoteBehaviour,
    TestCard,
};
use crate::country::Country;
use crate::payments::authentication::{Absence, AuthenticationRule, Lookup};

/// The parts of the table, by number.
pub(super) const TABLES: [&[TestCard]; 8] = [
    &paying::PAYING,
    &countries::COUNTRIES,
    &declined::DECLINED,
    &aftermath::AFTERMATH,
    &watched::WATCHED,
    &authenticated::AUTHENTICATED,
    &aftermath::REFUNDED,
    &own::OWN,
];

/// Rows for card numbers outside the table; behind all parts of it.
pub(super) const UNLISTED: &[TestCard] = &paying::UNLISTED;

const fn card(
    number: u16,
    names: &'static [&'static str],
    digits: &'static str,
    brand: CardBrand,
    funding: Funding,
    country: &'static str,
) -> TestCard {
    TestCard {
        number,
        names,
        digits,
        brand,
        co_brand: None,
        funding,
        country: Country::known(country),
        behaviour: Behaviour::Succeed,
        available_at_once: false,
        authentication: AuthenticationRule::Attempted,
        attaches: false,
        aftermath: Aftermath::Quiet,
        risk: CardRisk::Normal,
        checks: IssuerChecks::PASS,
        refund: RefundBehaviour::Succeed,
    }
}

impl TestCard {
    const fn declined(self, decline: &'static Decline) -> TestCard {
        TestCard {
            behaviour: Behaviour::Decline(decline),
            ..self
        }
    }

    const fn remote(self, behaviour: RemoteBehaviour) -> TestCard {
        TestCard {
            behaviour: Behaviour::Remote(behaviour),
            ..self
        }
    }

    const fn available_at_once(self) -> TestCard {
        TestCard {
            available_at_once: true,
            ..self
        }
    }

    const fn without_three_d_secure(self) -> TestCard {
        TestCard {
            authentication: AuthenticationRule::Unsupported,
            ..self
        }
    }

    const fn co_branded(self, brand: CardBrand) -> TestCard {
        TestCard {
            co_brand: Some(brand),
            ..self
        }
    }

    const fn attaches(self) -> TestCard {
        TestCard { attaches: true, ..self }
    }

    const fn disputed(self, how: DisputedAs) -> TestCard {
        TestCard {
            aftermath: Aftermath::Disputes(how),
            ..self
        }
    }

    const fn reported(self) -> TestCard {
        TestCard {
            aftermath: Aftermath::ReportsFraud,
            ..self
        }
    }

    const fn risky(self, risk: CardRisk) -> TestCard {
        TestCard { risk, ..self }
    }

    const fn checked(self, cvc: CheckResult, address_line1: CheckResult, postal_code: CheckResult) -> TestCard {
        TestCard {
            checks: IssuerChecks {
                cvc,
                address_line1,
                postal_code,
            },
            ..self
        }
    }

    const fn refunded(self, refund: RefundBehaviour) -> TestCard {
        TestCard { refund, ..self }
    }

    const fn authenticated(self, lookup: Lookup, absence: Absence) -> TestCard {
        TestCard {
            authentication: AuthenticationRule::Required(lookup, absence),
            ..self
        }
    }

    const fn authenticated_when_asked(self, lookup: Lookup) -> TestCard {
        TestCard {
            authentication: AuthenticationRule::Optional(lookup),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_no_name_or_card_number_stands_twice() {
        let numbers: Vec<u16> = TestCard::all().chain(UNLISTED).map(|card| card.number).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next));
        for card in TestCard::all().chain(UNLISTED) {
            assert_eq!(TestCard::by_number(card.number), Some(card));
        }
        let mut digits: Vec<_> = TestCard::all().map(|card| card.digits).collect();
        let mut names: Vec<_> = TestCard::all().flat_map(|card| card.names).collect();
        let counts = (digits.len(), names.len());
        digits.sort_unstable();
        digits.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((digits.len(), names.len()), counts);
    }

    #[test]
    fn cards_that_integrations_rely_on() {
        let shown = |name: &str| {
            let card = TestCard::by_name(name).expect("a name of the table");
            let network = card
                .networks()
                .map(CardBrand::display_name)
                .collect::<Vec<_>>()
                .join("+");
            format!(
                "{network} {:?} {} {}",
                card.funding,
                card.country,
                &card.digits[card.digits.len() - 4..]
            )
        };
        assert_eq!(shown("visa"), "visa Credit US 4242");
        assert_eq!(shown("mastercard_prepaid"), "mastercard Prepaid US 5100");
        assert_eq!(shown("amex"), "american_express Credit US 8431");
        assert_eq!(shown("discover"), "discover Credit US 9424");
        assert_eq!(shown("de"), "visa Credit DE 0016");
        assert_eq!(shown("visa_cartesBancaires"), "cartes_bancaires+visa Credit FR 1001");
    }

    #[test]
    fn declined_cards_and_what_the_api_says() {
        let declines: Vec<_> = declined::DECLINED
            .iter()
            .map(|card| match card.behaviour {
                Behaviour::Decline(decline) => format!(
                    "{} {} {}",
                    card.names[0],
                    decline.code,
                    decline.decline_code.unwrap_or("-")
                ),
                other => panic!("{}: {other:?}", card.names[0]),
            })
            .collect();
        let expected = [
            "visa_chargeDeclined card_declined generic_decline",
            "visa_chargeDeclinedInsufficientFunds card_declined insufficient_funds",
            "visa_chargeDeclinedLostCard card_declined lost_card",
            "visa_chargeDeclinedStolenCard card_declined stolen_card",
            "visa_chargeDeclinedVelocityLimitExceeded card_declined card_velocity_exceeded",
            "chargeDeclinedExpiredCard expired_card expired_card",
            "chargeDeclinedIncorrectCvc incorrect_cvc incorrect_cvc",
            "chargeDeclinedProcessingError processing_error processing_error",
            "chargeCustomerFail card_declined generic_decline",
            "visa_chargeDeclinedFraudulent card_declined fraudulent",
            "visa_chargeCustomerFailLostCard card_declined lost_card",
            "visa_chargeCustomerFailStolenCard card_declined stolen_card",
            "visa_debit_chargeDeclinedInsufficientFunds card_declined insufficient_funds",
        ];
        assert_eq!(declines, expected);
    }

    #[test]
    fn cards_that_pay_later_can_be_saved_first() {
        let attaches = |name: &str| {
            let card = TestCard::by_name(name).expect("a name of the table");
            card.declines_attach().is_none()
        };
        for name in [
            "visa",
            "chargeCustomerFail",
            "visa_chargeCustomerFailLostCard",
            "authenticationRequiredChargeDeclinedInsufficientFunds",
            "threeDSecureRequiredChargeDeclined",
            "radarBlock",
        ] {
            assert!(attaches(name), "{name}");
        }
        for name in [
            "visa_chargeDeclined",
            "chargeDeclinedExpiredCard",
            "chargeDeclinedProcessingError",
        ] {
            assert!(!attaches(name), "{name}");
        }
    }
}
