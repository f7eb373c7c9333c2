//! A mandate: a customer's permission to take money with a payment method, once or again and again.
//!
//! A setup intent makes one when the customer's agreement came with its confirmation. [`grant`] is how anything else does.

mod acceptance;
mod params;
mod shown;

pub use acceptance::{Acceptance, CustomerAcceptanceParams, MandateDataParams, OnlineParams};
pub use params::ENDPOINTS;
pub use shown::MandateShown;

use crate::draft::Draft;
use crate::kinds;
use crate::money::Money;
use crate::object::Object;
use std::sync::Arc;
use tollgate_resource::{Id, Names, Record};

/// A mandate.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Mandate {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What money may be taken with.
    #[record(2)]
    pub payment_method: Id,
    /// How the customer agreed.
    #[record(3)]
    pub acceptance: Acceptance,
    /// How often money may be taken.
    #[record(4)]
    pub scope: MandateScope,
}

/// How often money may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum MandateScope {
    /// Again and again.
    #[record(1)]
    MultiUse,
    /// Once.
    #[record(2)]
    SingleUse {
        /// How much.
        #[record(1)]
        money: Money,
    },
}

/// Whether money may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum MandateStatus {
    /// It may.
    Active,
    /// Not any more.
    Inactive,
    /// Not yet.
    Pending,
}

/// Makes a mandate and puts it into the draft.
pub(crate) fn grant(draft: &mut Draft, payment_method: Id, acceptance: Acceptance, scope: MandateScope) -> Id {
    let id = draft.born(&kinds::MANDATE);
    draft.put(Object::Mandate(Arc::new(Mandate {
        id,
        payment_method,
        acceptance,
        scope,
    })));
    id
}
