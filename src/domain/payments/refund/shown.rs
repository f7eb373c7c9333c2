//! What a refund shows.

use super::{Refund, RefundReason, RefundStatus};
use crate::kinds;
use crate::money::Currency;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Metadata, Ref, Shown};

/// Captured money given back.
#[derive(Shown)]
#[shown(object = "refund")]
pub struct RefundShown<'a> {
    /// Unique identifier of the refund.
    pub id: Ident,
    /// What is given back, in the currency's minor units.
    pub amount: i64,
    /// The movement of the balance.
    #[shown(expand)]
    pub balance_transaction: Option<Ref>,
    /// The charge.
    #[shown(expand)]
    pub charge: Option<Ref>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Three-letter code of the currency.
    pub currency: Currency,
    /// Where the money goes.
    pub destination_details: DestinationDetailsShown,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// The charge's intent.
    #[shown(expand)]
    pub payment_intent: Option<Ref>,
    /// Why the money is given back.
    pub reason: Option<RefundReason>,
    /// Number of the receipt.
    pub receipt_number: Option<&'a str>,
    /// The reversal of the transfer the charge came from.
    #[shown(expand)]
    pub source_transfer_reversal: Option<Ref>,
    /// Where it stands.
    pub status: RefundStatus,
    /// The reversal of the transfer the charge made.
    #[shown(expand)]
    pub transfer_reversal: Option<Ref>,
}

/// Where the money of a refund goes.
#[derive(Shown)]
pub struct DestinationDetailsShown {
    /// To the card.
    pub card: DestinationCardShown,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: &'static str,
}

/// The card the money of a refund goes to.
#[derive(Shown)]
pub struct DestinationCardShown {
    /// Number by which banks find the refund.
    #[shown(omit)]
    pub reference: Option<String>,
    /// Whether that number is known yet.
    pub reference_status: &'static str,
    /// What number it is.
    pub reference_type: &'static str,
    /// How the money goes back.
    #[shown(name = "type")]
    pub kind: &'static str,
}

impl<'a> RefundShown<'a> {
    /// What `refund` shows.
    pub fn of(refund: &'a Refund) -> Self {
        let known = refund.is_confirmed();
        RefundShown {
            id: Ident {
                kind: &kinds::REFUND,
                id: refund.id,
            },
            amount: refund.amount,
            balance_transaction: refund.balance_transaction.map(|id| Ref {
                kind: &kinds::BALANCE_TRANSACTION,
                id,
            }),
            charge: Some(Ref {
                kind: &kinds::CHARGE,
                id: refund.charge,
            }),
            created: Seconds(refund.id.created()),
            currency: refund.currency,
            destination_details: DestinationDetailsShown {
                card: DestinationCardShown {
                    reference: known.then(|| acquirer_reference(refund.id)),
                    reference_status: if known { "available" } else { "pending" },
                    reference_type: "acquirer_reference_number",
                    kind: "refund",
                },
                kind: "card",
            },
            metadata: &refund.metadata,
            payment_intent: refund.payment_intent.map(|id| Ref {
                kind: &kinds::PAYMENT_INTENT,
                id,
            }),
            reason: refund.reason,
            receipt_number: None,
            source_transfer_reversal: None,
            status: RefundStatus::Succeeded,
            transfer_reversal: None,
        }
    }
}

/// Twenty-three digits that follow from the refund's id, as an acquirer would give.
fn acquirer_reference(refund: Id) -> String {
    format!("7{:022}", refund.bits() % 10_000_000_000_000_000_000_000)
}
