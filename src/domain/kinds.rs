//! Every kind of object there is, with its stable number, and the parameter types that name one by id.

use tollgate_resource::id::OtherPrefix;
use tollgate_resource::params::{Bounds, first_id};
use tollgate_resource::{Id, Kind, ParamKind, ParamValue, Problem, Step};

/// A payment from intention to success.
pub static PAYMENT_INTENT: Kind = Kind {
    number: 1,
    prefix: "pi",
    object: "payment_intent",
    other: None,
};
/// One attempt to move money.
pub static CHARGE: Kind = Kind {
    number: 2,
    prefix: "ch",
    object: "charge",
    other: Some(OtherPrefix {
        number: 30,
        prefix: "py",
    }),
};
/// Money given back.
pub static REFUND: Kind = Kind {
    number: 3,
    prefix: "re",
    object: "refund",
    other: Some(OtherPrefix {
        number: 31,
        prefix: "pyr",
    }),
};
/// Somebody who pays.
pub static CUSTOMER: Kind = Kind {
    number: 4,
    prefix: "cus",
    object: "customer",
    other: None,
};
/// One movement of a merchant's balance.
pub static BALANCE_TRANSACTION: Kind = Kind {
    number: 5,
    prefix: "txn",
    object: "balance_transaction",
    other: None,
};
/// A card, without its number.
pub static PAYMENT_METHOD: Kind = Kind {
    number: 6,
    prefix: "pm",
    object: "payment_method",
    other: None,
};
/// Something that happened.
pub static EVENT: Kind = Kind {
    number: 7,
    prefix: "evt",
    object: "event",
    other: None,
};
/// One request; its ids come from entropy, not from the account's sequence, and are not stored as objects.
pub static REQUEST: Kind = Kind {
    number: 8,
    prefix: "req",
    object: "request",
    other: None,
};
/// A merchant; lives in the directory.
pub static ACCOUNT: Kind = Kind {
    number: 9,
    prefix: "acct",
    object: "account",
    other: None,
};
/// Which payment methods an account offers.
pub static PAYMENT_METHOD_CONFIGURATION: Kind = Kind {
    number: 10,
    prefix: "pmc",
    object: "payment_method_configuration",
    other: None,
};
/// A way to pay that is being made ready for later, whatever attempts that takes.
pub static SETUP_INTENT: Kind = Kind {
    number: 11,
    prefix: "seti",
    object: "setup_intent",
    other: None,
};
/// One attempt at a setup intent.
pub static SETUP_ATTEMPT: Kind = Kind {
    number: 12,
    prefix: "setatt",
    object: "setup_attempt",
    other: None,
};
/// A customer's permission to take money.
pub static MANDATE: Kind = Kind {
    number: 13,
    prefix: "mandate",
    object: "mandate",
    other: None,
};
/// Details of a card or bank account in exchange for an id that is used once.
pub static TOKEN: Kind = Kind {
    number: 14,
    prefix: "tok",
    object: "token",
    other: Some(OtherPrefix {
        number: 33,
        prefix: "btok",
    }),
};
/// A card or bank account that is saved to a customer, as older integrations see it.
pub static CARD: Kind = Kind {
    number: 16,
    prefix: "card",
    object: "card",
    other: Some(OtherPrefix {
        number: 32,
        prefix: "ba",
    }),
};
/// What a payer chose in a browser, in exchange for an id that is used once.
pub static CONFIRMATION_TOKEN: Kind = Kind {
    number: 17,
    prefix: "ctoken",
    object: "confirmation_token",
    other: None,
};
/// A cardholder's objection to a charge.
pub static DISPUTE: Kind = Kind {
    number: 18,
    prefix: "du",
    object: "dispute",
    other: None,
};
/// Bytes that were uploaded.
pub static FILE: Kind = Kind {
    number: 19,
    prefix: "file",
    object: "file",
    other: None,
};
/// An address under which a file can be read without a key.
pub static FILE_LINK: Kind = Kind {
    number: 20,
    prefix: "link",
    object: "file_link",
    other: None,
};
/// A key for one customer's own app.
pub static EPHEMERAL_KEY: Kind = Kind {
    number: 23,
    prefix: "ephkey",
    object: "ephemeral_key",
    other: None,
};
/// A payment that a person should look at.
pub static REVIEW: Kind = Kind {
    number: 24,
    prefix: "prv",
    object: "review",
    other: None,
};
/// An issuer's report of fraud.
pub static EARLY_FRAUD_WARNING: Kind = Kind {
    number: 25,
    prefix: "issfr",
    object: "radar.early_fraud_warning",
    other: None,
};
/// One thing that a payment intent pays for; it lives in the intent and is no stored object.
pub static AMOUNT_LINE_ITEM: Kind = Kind {
    number: 26,
    prefix: "uli",
    object: "payment_intent_amount_details_line_item",
    other: None,
};

/// A domain of the web on which pages offer wallets.
pub static PAYMENT_METHOD_DOMAIN: Kind = Kind {
    number: 27,
    prefix: "pmd",
    object: "payment_method_domain",
    other: None,
};
/// A domain of the web that is registered for Apple Pay, as older integrations do it.
pub static APPLE_PAY_DOMAIN: Kind = Kind {
    number: 28,
    prefix: "apwc",
    object: "apple_pay_domain",
    other: None,
};

/// The number under which somebody is known to a tax office.
pub static TAX_ID: Kind = Kind {
    number: 21,
    prefix: "txi",
    object: "tax_id",
    other: None,
};
/// One movement of a customer's balance.
pub static CUSTOMER_BALANCE_TRANSACTION: Kind = Kind {
    number: 22,
    prefix: "cbtxn",
    object: "customer_balance_transaction",
    other: None,
};

/// A way to pay of the older API that comes before payment methods: here, a card.
pub static SOURCE: Kind = Kind {
    number: 15,
    prefix: "src",
    object: "source",
    other: None,
};

/// An address that events are sent to. Its other prefix is that of endpoints made as event destinations.
pub static WEBHOOK_ENDPOINT: Kind = Kind {
    number: 29,
    prefix: "we",
    object: "webhook_endpoint",
    other: Some(OtherPrefix {
        number: 34,
        prefix: "ed",
    }),
};

/// A webhook endpoint as the second version of the API calls it: the same objects and ids by another word.
pub static EVENT_DESTINATION: Kind = Kind {
    object: "v2.core.event_destination",
    ..WEBHOOK_ENDPOINT
};

/// An attempt to bring an event to an endpoint. Not stored as an object; its id stands for its place in a log.
pub static WEBHOOK_ATTEMPT: Kind = Kind {
    number: 35,
    prefix: "whatt",
    object: "webhook_attempt",
    other: None,
};
/// A job that sends events again. Not stored as an object; its id holds its number.
pub static WEBHOOK_RECOVERY: Kind = Kind {
    number: 36,
    prefix: "whrec",
    object: "webhook_recovery",
    other: None,
};

/// All kinds; a test holds that numbers and prefixes are unique.
pub static ALL: [&Kind; 31] = [
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
    &AMOUNT_LINE_ITEM,
    &PAYMENT_METHOD_DOMAIN,
    &APPLE_PAY_DOMAIN,
    &WEBHOOK_ENDPOINT,
    &WEBHOOK_ATTEMPT,
    &WEBHOOK_RECOVERY,
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

/// What an endpoint is called that was made with this id, or is asked for by it: an event destination, if it begins so.
pub fn of_endpoint(id: &str) -> &'static Kind {
    let other = WEBHOOK_ENDPOINT.other.map(|other| other.prefix);
    match id.split_once('_') {
        Some((prefix, _)) if other == Some(prefix) => &EVENT_DESTINATION,
        _ => &WEBHOOK_ENDPOINT,
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
    /// A token's id as a parameter.
    TokenId of TOKEN;
    /// A confirmation token's id as a parameter.
    ConfirmationTokenId of CONFIRMATION_TOKEN;
    /// A mandate's id as a parameter.
    MandateId of MANDATE;
    /// The id of a configuration of payment methods as a parameter.
    PaymentMethodConfigurationId of PAYMENT_METHOD_CONFIGURATION;
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
    /// The id of a registered domain as a parameter.
    PaymentMethodDomainId of PAYMENT_METHOD_DOMAIN;
    /// The id of a domain of Apple Pay as a parameter.
    ApplePayDomainId of APPLE_PAY_DOMAIN;
    /// The id of what a payment intent pays for as a parameter.
    AmountLineItemId of AMOUNT_LINE_ITEM;
    /// A tax id's id as a parameter.
    TaxIdId of TAX_ID;
    /// The id of a movement of a customer's balance as a parameter.
    CustomerBalanceTransactionId of CUSTOMER_BALANCE_TRANSACTION;
    /// The id of a webhook endpoint as a parameter.
    WebhookEndpointId of WEBHOOK_ENDPOINT;
    /// The id of an event destination as a parameter.
    EventDestinationId of EVENT_DESTINATION;
    /// The id of an attempt as a parameter.
    WebhookAttemptId of WEBHOOK_ATTEMPT;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_prefixes_are_unique() {
        let others = ALL.iter().filter_map(|kind| kind.other);
        let all: Vec<_> = ALL
            .iter()
            .map(|kind| (kind.number, kind.prefix))
            .chain(others.map(|other| (other.number, other.prefix)))
            .collect();
        for (at, (number, prefix)) in all.iter().enumerate() {
            assert!(*number < 64, "{prefix} does not fit a mask");
            for (other_number, other_prefix) in &all[at + 1..] {
                assert_ne!(number, other_number);
                assert_ne!(prefix, other_prefix);
            }
        }
    }
}
