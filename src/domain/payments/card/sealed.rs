//! A card number under lock. The domain keeps it and cannot open it; the vault can.

use crate::account::AccountKey;
use crate::object::Object;
use crate::payments::confirmation_token::Choice;
use crate::payments::payment_method::Details;
use crate::payments::token::TokenContent;
use std::fmt;
use tollgate_resource::Record;

/// Bytes of a card number before it is sealed: how many digits, the digits, zeros up to here, so that nothing tells how
/// long the number is.
pub const SEALED_PLAIN_LEN: usize = 20;
/// Bytes that authenticated encryption adds.
pub const SEALED_TAG_LEN: usize = 16;

/// A sealed card number: encrypted under a key of its own, which is encrypted under a master key.
#[derive(Clone, PartialEq, Eq, Record)]
pub struct SealedNumber {
    /// Names it for ever, through copies and rotations; says nothing about the number.
    #[record(1)]
    pub token: [u8; 16],
    /// The account it belongs to; it opens for no other.
    #[record(2)]
    pub account: AccountKey,
    /// Number of the master key that wraps the data key.
    #[record(3)]
    pub master_key: u32,
    /// The data key, wrapped.
    #[record(4)]
    pub data_key: [u8; 32 + SEALED_TAG_LEN],
    /// The number, sealed under the data key.
    #[record(5)]
    pub number: [u8; SEALED_PLAIN_LEN + SEALED_TAG_LEN],
}

/// Seals card numbers; the vault does. A keyed function of what it is given, so a decision stays one of its inputs.
pub trait SealCards: Send + Sync {
    /// Seals `digits` for an account. `unique` is different for each call: entropy, the account's sequence, the time.
    fn seal(&self, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber;
}

impl fmt::Debug for SealedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedNumber(master key {})", self.master_key)
    }
}

/// Calls `visit` with every card number that is kept under lock in an object. A new kind of object must say here whether it
/// keeps one of its own: what is not named is lost with the next rotation of master keys. (Copies, such as the payment
/// method in the last error of an intent, are found by the token of their original.)
pub fn each_sealed(object: &Object, visit: &mut dyn FnMut(&SealedNumber)) {
    let details: Option<&Details> = match object {
        Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method) => method.details.as_deref(),
        Object::Token(token) => match &token.content {
            TokenContent::Card(held) => held.details.as_deref(),
            TokenContent::CvcUpdate | TokenContent::BankAccount(_) => None,
        },
        Object::ConfirmationToken(token) => match &token.choice {
            Choice::Card(held) => held.details.as_deref(),
            Choice::Stored(method) => method.details.as_deref(),
        },
        Object::PaymentIntent(_)
        | Object::Charge(_)
        | Object::Refund(_)
        | Object::Customer(_)
        | Object::BalanceTransaction(_)
        | Object::SetupIntent(_)
        | Object::SetupAttempt(_)
        | Object::Mandate(_)
        | Object::Dispute(_)
        | Object::TaxId(_)
        | Object::CustomerBalanceTransaction(_)
        | Object::EphemeralKey(_)
        | Object::Review(_)
        | Object::EarlyFraudWarning(_)
        | Object::PaymentMethodConfiguration(_)
        | Object::PaymentMethodDomain(_)
        | Object::ApplePayDomain(_)
        | Object::File(_)
        | Object::FileLink(_) => None,
    };
    details
        .and_then(|details| details.sealed.as_deref())
        .into_iter()
        .for_each(visit);
}
