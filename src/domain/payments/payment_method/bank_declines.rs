//! Why a bank does not let an account be debited.

use super::Decline;
use crate::reject::codes;

const fn bank(number: u16, code: &'static str, message: &'static str) -> Decline {
    Decline {
        number,
        code,
        decline_code: None,
        advice_code: None,
        network_advice_code: None,
        network_decline_code: None,
        param: None,
        message,
    }
}

/// The account is closed.
pub static ACCOUNT_CLOSED: Decline = bank(
    50,
    codes::ACCOUNT_CLOSED,
    "The customer's bank account has been closed.",
);
/// There is no such account.
pub static NO_ACCOUNT: Decline = bank(
    51,
    codes::NO_ACCOUNT,
    "The customer's bank account could not be located.",
);
/// Not enough money on the account.
pub static BANK_INSUFFICIENT_FUNDS: Decline = bank(
    52,
    codes::INSUFFICIENT_FUNDS,
    "The customer's account has insufficient funds to cover this payment.",
);
/// The holder did not agree to it.
pub static DEBIT_NOT_AUTHORIZED: Decline = bank(
    53,
    codes::DEBIT_NOT_AUTHORIZED,
    "The customer has notified their bank that this payment was unauthorized.",
);
/// The account is kept in another currency.
pub static INVALID_CURRENCY: Decline = bank(
    54,
    codes::INVALID_CURRENCY,
    "The bank was unable to process this payment because of its currency. The customer needs to provide another account.",
);
/// The payment was given up before the bank answered.
pub static DEBIT_WITHDRAWN: Decline = bank(
    59,
    codes::GENERIC_COULD_NOT_PROCESS,
    "The payment was canceled before the customer's bank processed it.",
);
/// The deposits that were to show whose account it is did not arrive.
pub static MICRODEPOSIT_FAILED: Decline = bank(
    60,
    codes::PAYMENT_METHOD_MICRODEPOSIT_FAILED,
    "Microdeposit transfers failed. Please check the account, institution and transit numbers provided.",
);
/// VerificationMethod was tried too often.
pub static MICRODEPOSIT_ATTEMPTS_EXCEEDED: Decline = bank(
    61,
    codes::PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_ATTEMPTS_EXCEEDED,
    "You have exceeded the number of allowed verification attempts.",
);
/// The time to verify is over.
pub static MICRODEPOSIT_TIMEOUT: Decline = bank(
    62,
    codes::PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_TIMEOUT,
    "Microdeposit verification timed out. The bank account was not verified in time.",
);
/// Nothing more is known.
pub static COULD_NOT_PROCESS: Decline = bank(
    55,
    codes::GENERIC_COULD_NOT_PROCESS,
    "The customer's bank could not process this payment.",
);
/// The bank wants its customer to be asked.
pub static REFER_TO_CUSTOMER: Decline = bank(
    56,
    codes::REFER_TO_CUSTOMER,
    "The customer's bank refused this payment. Ask the customer about it.",
);
/// More than one debit may take.
pub static CHARGE_EXCEEDS_SOURCE_LIMIT: Decline = bank(
    57,
    codes::CHARGE_EXCEEDS_SOURCE_LIMIT,
    "This payment exceeds the limit that applies to one debit.",
);
/// More than a week's debits may take.
pub static CHARGE_EXCEEDS_WEEKLY_LIMIT: Decline = bank(
    58,
    codes::CHARGE_EXCEEDS_WEEKLY_LIMIT,
    "This payment exceeds the limit that applies to the debits of one week.",
);
