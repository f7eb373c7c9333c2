//! What is kept under lock: card numbers, and the secrets of webhook endpoints. The domain keeps them and asks for a secret
//! where it is shown; a vault seals and opens.

use crate::account::AccountKey;
use crate::object::Object;
use crate::payments::card::SealedNumber;
use crate::payments::confirmation_token::Choice;
use crate::payments::payment_method::Details;
use crate::payments::token::TokenContent;
use crate::webhooks::webhook_endpoint::{SealedSecret, WebhookSecret};

/// Bytes that authenticated encryption adds.
pub const SEALED_TAG_LEN: usize = 16;

/// Seals and opens; the vault does. Sealing is a keyed function of what it is given, so a decision stays one of its inputs:
/// `unique` is different for each call (entropy, the account's sequence, the time).
pub trait Sealing: Send + Sync {
    /// Seals the digits of a card number for an account.
    fn seal_number(&self, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber;

    /// Seals the secret of a webhook endpoint for an account.
    fn seal_secret(&self, secret: &WebhookSecret, account: AccountKey, unique: [u64; 4]) -> SealedSecret;

    /// Opens the secret of a webhook endpoint. May read a file or a table, the first time after a rotation of master keys.
    ///
    /// # Errors
    /// It does not open; says why, and nothing of the secret.
    fn open_secret(&self, sealed: &SealedSecret) -> Result<WebhookSecret, Box<str>>;
}

/// How the data key of something sealed is wrapped: all of it but what is sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Wrapping {
    /// Names what is sealed for ever, through copies and rotations.
    pub token: [u8; 16],
    /// The account it belongs to.
    pub account: AccountKey,
    /// Number of the master key that wraps the data key.
    pub master_key: u32,
    /// The data key, wrapped.
    pub data_key: [u8; 32 + SEALED_TAG_LEN],
}

/// Something that an object keeps under lock.
#[derive(Clone, Copy, Debug)]
pub enum Sealed<'a> {
    /// A card number.
    Number(&'a SealedNumber),
    /// A secret of a webhook endpoint.
    Secret(&'a SealedSecret),
}

impl Sealed<'_> {
    /// How its data key is wrapped.
    pub fn wrapping(self) -> Wrapping {
        match self {
            Sealed::Number(number) => number.wrapping(),
            Sealed::Secret(secret) => secret.wrapping(),
        }
    }
}

impl std::fmt::Debug for Wrapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wrapping(master key {})", self.master_key)
    }
}

/// Calls `visit` with everything that is kept under lock in an object. A new kind of object must say here whether it
/// keeps something of its own: what is not named is lost with the next rotation of master keys. (Copies, such as the
/// payment method in the last error of an intent, are found by the token of their original.)
pub fn each_sealed(object: &Object, visit: &mut dyn FnMut(Sealed<'_>)) {
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
        Object::WebhookEndpoint(endpoint) => {
            let sealed = endpoint.secrets.iter().filter_map(|secret| secret.sealed.as_deref());
            return sealed.map(Sealed::Secret).for_each(visit);
        }
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
    let number = details.and_then(|details| details.sealed.as_deref());
    number.into_iter().map(Sealed::Number).for_each(visit);
}
