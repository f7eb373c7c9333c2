//! Confirmation tokens: what a payer chose in a browser, in exchange for an id that confirms one payment or setup.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{ChosenMethod, create, create_on_page, of_param};
pub use params::{CreateConfirmationToken, CreatePageConfirmationToken, ENDPOINTS};
pub use shown::ConfirmationTokenShown;

use crate::address::Shipping;
use crate::payments::card::HeldMethod;
use crate::payments::mandate::Acceptance;
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_method::PaymentMethod;
use std::sync::Arc;
use tollgate_resource::{Id, Record};

/// How long a confirmation token can be used, in milliseconds: 12 hours.
pub const CONFIRMATION_TOKEN_LIFE_MS: u64 = 12 * 60 * 60 * 1000;

/// A confirmation token at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ConfirmationToken {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What is paid with.
    #[record(2)]
    pub choice: Choice,
    /// Where the payer returns to after an action.
    #[record(3)]
    pub return_url: Option<Box<str>>,
    /// Whether the payment method is to be saved.
    #[record(4)]
    pub setup_future_usage: Option<FutureUsage>,
    /// Where goods are sent.
    #[record(5)]
    pub shipping: Option<Box<Shipping>>,
    /// The payment intent or setup intent that it confirmed.
    #[record(6)]
    pub used_by: Option<Id>,
    /// The payer's agreement to payments to come.
    #[record(7)]
    pub agreement: Option<Box<Acceptance>>,
}

/// What the payer chose.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum Choice {
    /// What was entered.
    #[record(1)]
    Card(#[record(1)] Box<HeldMethod>),
    /// A payment method that is stored, as it was then.
    #[record(2)]
    Stored(#[record(1)] Arc<PaymentMethod>),
}

impl ConfirmationToken {
    /// When it cannot be used any more, milliseconds since the Unix epoch.
    pub fn expires_ms(&self) -> u64 {
        self.id.unix_ms() + CONFIRMATION_TOKEN_LIFE_MS
    }
}
