//! What older integrations pay with: cards (`card_…`) and bank accounts (`ba_…`) of a customer, and sources (`src_…`), of
//! which only cards are offered. All are kept as payment methods are, so that whatever takes a payment method takes them too.

mod customer_endpoints;
mod decide;
mod endpoints;
mod params;
mod saved;
mod shown;
mod verify;

pub use customer_endpoints::CUSTOMER_ENDPOINTS;
pub(crate) use decide::{create, update};
pub use endpoints::ENDPOINTS;
pub use params::{
    CardObject, CreateCustomerSource, CreateSource, ListCustomerCards, ListCustomerSources, NamedSource,
    RetrieveSource, SavedSourceId, SourceDetailsParams, SourceFlow, SourceOwnerParams, SourceRedirectParams,
    SourceTypeParam, SourceWord, UpdateCustomerSource, UpdateSource, VerifyCustomerSource,
};
pub(crate) use saved::{add, change, remove, save, take};
pub use shown::{DeletedCardShown, SourceCardShown, SourceOwnerShown, SourceShown};
pub(crate) use verify::verify;

use crate::kinds;
use crate::money::Currency;
use tollgate_resource::{Kind, Names, Record};

/// What stands among the cards of a customer besides cards.
pub static BESIDES_CARDS: [&Kind; 1] = [&kinds::SOURCE];

/// What only a source has.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SourceData {
    /// How often it may be charged.
    #[record(1)]
    pub usage: SourceUsage,
    /// The amount it was made for, in minor units, if it said one.
    #[record(2)]
    pub amount: Option<i64>,
    /// The currency of that amount.
    #[record(3)]
    pub currency: Option<Currency>,
    /// What cardholders are to read.
    #[record(4)]
    pub statement_descriptor: Option<Box<str>>,
}

/// How often a source may be charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum SourceUsage {
    /// As often as one likes, once it is saved to a customer.
    #[default]
    #[record(1)]
    Reusable,
    /// Once.
    #[record(2)]
    SingleUse,
}
