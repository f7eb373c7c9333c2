//! What a review shows.

use super::{Review, ReviewEnd};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Names, Ref, Shown};

/// A payment that a person should look at.
#[derive(Shown)]
#[shown(object = "review")]
pub struct ReviewShown {
    /// Unique identifier.
    pub id: Ident,
    /// Postal code of the card's address, if it was given.
    pub billing_zip: Option<&'static str>,
    /// The charge.
    #[shown(expand)]
    pub charge: Option<Ref>,
    /// Why it was closed; null while it is open.
    pub closed_reason: Option<ReviewEnd>,
    /// When it was opened, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Address of the payer on the internet.
    pub ip_address: Option<&'static str>,
    /// Where that address is.
    pub ip_address_location: Option<&'static str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// Whether nobody has decided yet.
    pub open: bool,
    /// Why it was opened.
    pub opened_reason: &'static str,
    /// The charge's intent.
    #[shown(expand)]
    pub payment_intent: Option<Ref>,
    /// Why it is open, or was closed.
    pub reason: &'static str,
    /// What is known of the payer's session.
    pub session: Option<&'static str>,
}

impl ReviewShown {
    /// What `review` shows.
    pub fn of(review: &Review, context: &ShowContext<'_>) -> Self {
        ReviewShown {
            id: Ident {
                kind: &kinds::REVIEW,
                id: review.id,
            },
            billing_zip: None,
            charge: Some(Ref {
                kind: &kinds::CHARGE,
                id: review.charge,
            }),
            closed_reason: review.closed,
            created: Seconds(review.id.created()),
            ip_address: None,
            ip_address_location: None,
            livemode: context.livemode,
            open: review.closed.is_none(),
            opened_reason: "rule",
            payment_intent: review.payment_intent.map(|id| Ref {
                kind: &kinds::PAYMENT_INTENT,
                id,
            }),
            reason: review.closed.map_or("rule", Names::name),
            session: None,
        }
    }
}
