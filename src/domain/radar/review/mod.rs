//! A review: a payment that a person should look at. Opened by the account's rule, closed by approval or by a refund.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{approve, close_refunded, open};
pub use params::{ENDPOINTS, ListReviews};
pub use shown::ReviewShown;

use tollgate_resource::{Id, Names, Record};

/// A review at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Review {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The charge.
    #[record(2)]
    pub charge: Id,
    /// The charge's intent, if it has one.
    #[record(3)]
    pub payment_intent: Option<Id>,
    /// Why it was closed; `None` while it is open.
    #[record(4)]
    pub closed: Option<ReviewEnd>,
}

/// Why a review was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ReviewEnd {
    /// Somebody looked and found nothing.
    #[record(1)]
    Approved,
    /// The payment was refunded.
    #[record(2)]
    Refunded,
}
