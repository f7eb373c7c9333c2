//! Every kind of object there is, with its stable number.

use tollgate_resource::Kind;

/// A payment from intention to success.
pub static PAYMENT_INTENT: Kind = Kind { number: 1, prefix: "pi", object: "payment_intent" };
/// One attempt to move money.
pub static CHARGE: Kind = Kind { number: 2, prefix: "ch", object: "charge" };
/// Money given back.
pub static REFUND: Kind = Kind { number: 3, prefix: "re", object: "refund" };
/// Somebody who pays.
pub static CUSTOMER: Kind = Kind { number: 4, prefix: "cus", object: "customer" };
/// One movement of a merchant's balance.
pub static BALANCE_TRANSACTION: Kind = Kind { number: 5, prefix: "txn", object: "balance_transaction" };
/// A card, without its number.
pub static PAYMENT_METHOD: Kind = Kind { number: 6, prefix: "pm", object: "payment_method" };
/// Something that happened.
pub static EVENT: Kind = Kind { number: 7, prefix: "evt", object: "event" };
/// One request; its ids come from entropy, not from the account's sequence, and are not stored as objects.
pub static REQUEST: Kind = Kind { number: 8, prefix: "req", object: "request" };
/// A merchant; lives in the directory.
pub static ACCOUNT: Kind = Kind { number: 9, prefix: "acct", object: "account" };

/// All kinds; a test holds that numbers and prefixes are unique.
pub static ALL: [&Kind; 9] = [
    &PAYMENT_INTENT,
    &CHARGE,
    &REFUND,
    &CUSTOMER,
    &BALANCE_TRANSACTION,
    &PAYMENT_METHOD,
    &EVENT,
    &REQUEST,
    &ACCOUNT,
];

/// The kind with that number.
pub fn by_number(number: u8) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.number == number)
}
