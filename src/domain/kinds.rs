//! Every kind of object there is, with its stable number, and the parameter types that name one by id.

use tollgate_resource::params::{Bounds, first_id};
use tollgate_resource::{Id, Kind, ParamKind, ParamValue, Problem, Step};

/// A payment from intention to success.
pub static PAYMENT_INTENT: Kind = Kind {
    number: 1,
    prefix: "pi",
    object: "payment_intent",
};
/// One attempt to move money.
pub static CHARGE: Kind = Kind {
    number: 2,
    prefix: "ch",
    object: "charge",
};
/// Money given back.
pub static REFUND: Kind = Kind {
    number: 3,
    prefix: "re",
    object: "refund",
};
/// Somebody who pays.
pub static CUSTOMER: Kind = Kind {
    number: 4,
    prefix: "cus",
    object: "customer",
};
/// One movement of a merchant's balance.
pub static BALANCE_TRANSACTION: Kind = Kind {
    number: 5,
    prefix: "txn",
    object: "balance_transaction",
};
/// A card, without its number.
pub static PAYMENT_METHOD: Kind = Kind {
    number: 6,
    prefix: "pm",
    object: "payment_method",
};
/// Something that happened.
pub static EVENT: Kind = Kind {
    number: 7,
    prefix: "evt",
    object: "event",
};
/// One request; its ids come from entropy, not from the account's sequence, and are not stored as objects.
pub static REQUEST: Kind = Kind {
    number: 8,
    prefix: "req",
    object: "request",
};
/// A merchant; lives in the directory.
pub static ACCOUNT: Kind = Kind {
    number: 9,
    prefix: "acct",
    object: "account",
};
/// Which payment methods an account offers. There is one fixed configuration per account (cards); it is named in
/// payment intents and not stored.
pub static PAYMENT_METHOD_CONFIGURATION: Kind = Kind {
    number: 10,
    prefix: "pmc",
    object: "payment_method_configuration",
};
/// A way to pay that is being made ready for later, whatever attempts that takes.
pub static SETUP_INTENT: Kind = Kind {
    number: 11,
    prefix: "seti",
    object: "setup_intent",
};
/// One attempt at a setup intent.
pub static SETUP_ATTEMPT: Kind = Kind {
    number: 12,
    prefix: "setatt",
    object: "setup_attempt",
};
/// A customer's permission to take money.
pub static MANDATE: Kind = Kind {
    number: 13,
    prefix: "mandate",
    object: "mandate",
};
/// Card details in exchange for an id that is used once.
pub static TOKEN: Kind = Kind {
    number: 14,
    prefix: "tok",
    object: "token",
};
/// A card that is saved to a customer, as older integrations see it.
pub static CARD: Kind = Kind {
    number: 16,
    prefix: "card",
    object: "card",
};
/// What a payer chose in a browser, in exchange for an id that is used once.
pub static CONFIRMATION_TOKEN: Kind = Kind {
    number: 17,
    prefix: "ctoken",
    object: "confirmation_token",
};
/// A cardholder's objection to a charge.
pub static DISPUTE: Kind = Kind {
    number: 18,
    prefix: "du",
    object: "dispute",
};
/// Bytes that were uploaded.
pub static FILE: Kind = Kind {
    number: 19,
    prefix: "file",
    object: "file",
};
/// An address under which a file can be read without a key.
pub static FILE_LINK: Kind = Kind {
    number: 20,
    prefix: "link",
    object: "file_link",
};
/// A key for one customer's own app.
pub static EPHEMERAL_KEY: Kind = Kind {
    number: 23,
    prefix: "ephkey",
    object: "ephemeral_key",
};
/// A payment that a person should look at.
pub static REVIEW: Kind = Kind {
    number: 24,
    prefix: "prv",
    object: "review",
};
/// An issuer's report of fraud.
pub static EARLY_FRAUD_WARNING: Kind = Kind {
    number: 25,
    prefix: "issfr",
    object: "radar.early_fraud_warning",
};

/// The number under which somebody is known to a tax office.
pub static TAX_ID: Kind = Kind {
    number: 21,
    prefix: "txi",
    object: "tax_id",
};
/// One movement of a customer's balance.
pub static CUSTOMER_BALANCE_TRANSACTION: Kind = Kind {
    number: 22,
    prefix: "cbtxn",
    object: "customer_balance_transaction",
};

/// A way to pay of the older API that comes before payment methods: here, a card.
pub static SOURCE: Kind = Kind {
    number: 15,
    prefix: "src",
    object: "source",
};

/// All kinds; a test holds that numbers and prefixes are unique.
pub static ALL: [&Kind; 25] = [
    &PAYMENT_INTENT,
    &CHARGE,
    &REFUND,
    &CUSTOMER,
    &BALANCE_TRANSACTION,
    &PAYMENT_METHOD,
    &EVENT,
    &REQUEST,
    &ACCOUNT,
    &PAYMENT_METHOD_CONFIGURATION,
    &SETUP_INTENT,
    &SETUP_ATTEMPT,
    &MANDATE,
    &TOKEN,
    &SOURCE,
    &CARD,
    &CONFIRMATION_TOKEN,
    &DISPUTE,
    &FILE,
    &FILE_LINK,
    &TAX_ID,
    &CUSTOMER_BALANCE_TRANSACTION,
    &EPHEMERAL_KEY,
    &REVIEW,
    &EARLY_FRAUD_WARNING,
];

/// The kind with that number.
pub fn by_number(number: u8) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.number == number)
}

/// The kind of what is paid with: the check in an id tells a payment method from a card of the older API and a source.
pub fn of_method(id: Id) -> &'static Kind {
    if id.is(&PAYMENT_METHOD) {
        &PAYMENT_METHOD
    } else if id.is(&SOURCE) {
        &SOURCE
    } else {
        &CARD
    }
}

/// What stands among payment methods besides them: cards and sources of the older API.
pub static OLDER_METHODS: [&Kind; 2] = [&CARD, &SOURCE];

/// The id of anything that is paid with, as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyMethodId(pub Id);

impl ParamValue for AnyMethodId {
    const KIND: ParamKind = ParamKind::Id(&PAYMENT_METHOD);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        let older = OLDER_METHODS.iter().find_map(|kind| kind.parse(text));
        older
            .map_or_else(|| first_id(&PAYMENT_METHOD, path, text), Ok)
            .map(AnyMethodId)
    }
}

/// Declares parameter types whose text must be an id of a kind.
macro_rules! id_params {
    ($($(#[$doc:meta])* $name:ident of $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub Id);

        impl ParamValue for $name {
            const KIND: ParamKind = ParamKind::Id(&$kind);
            fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
                first_id(&$kind, path, text).map($name)
            }
        }
    )*};
}

id_params! {
    /// A payment intent's id as a parameter.
    PaymentIntentId of PAYMENT_INTENT;
    /// A charge's id as a parameter.
    ChargeId of CHARGE;
    /// A refund's id as a parameter.
    RefundId of REFUND;
    /// A customer's id as a parameter.
    CustomerId of CUSTOMER;
    /// A balance transaction's id as a parameter.
    BalanceTransactionId of BALANCE_TRANSACTION;
    /// A payment method's id as a parameter.
    PaymentMethodId of PAYMENT_METHOD;
    /// A confirmation token's id as a parameter.
    ConfirmationTokenId of CONFIRMATION_TOKEN;
    /// A mandate's id as a parameter.
    MandateId of MANDATE;
    /// An event's id as a parameter.
    EventId of EVENT;
    /// A setup intent's id as a parameter.
    SetupIntentId of SETUP_INTENT;
    /// A setup attempt's id as a parameter.
    SetupAttemptId of SETUP_ATTEMPT;
    /// A dispute's id as a parameter.
    DisputeId of DISPUTE;
    /// A file's id as a parameter.
    FileId of FILE;
    /// A file link's id as a parameter.
    FileLinkId of FILE_LINK;
    /// A review's id as a parameter.
    ReviewId of REVIEW;
    /// An early fraud warning's id as a parameter.
    EarlyFraudWarningId of EARLY_FRAUD_WARNING;
    /// A tax id's id as a parameter.
    TaxIdId of TAX_ID;
    /// The id of a movement of a customer's balance as a parameter.
    CustomerBalanceTransactionId of CUSTOMER_BALANCE_TRANSACTION;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_prefixes_are_unique() {
        for (at, kind) in ALL.iter().enumerate() {
            assert!(kind.number < 64, "{} does not fit a mask", kind.object);
            for other in &ALL[at + 1..] {
                assert_ne!(kind.number, other.number);
                assert_ne!(kind.prefix, other.prefix);
            }
        }
    }
}
