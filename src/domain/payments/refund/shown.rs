//! What a refund shows.

use super::{REFERENCE_AFTER_MS, Refund, RefundFailure, RefundReason, RefundState, RefundStatus};
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::payment_method::PaymentMethodType;
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
    /// The charge's customer.
    #[shown(expand, revision = 2)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    #[shown(revision = 2)]
    pub customer_account: Option<&'a str>,
    /// Where the money goes; left out where nothing is known of it.
    #[shown(omit)]
    pub destination_details: Option<DestinationDetailsShown>,
    /// The movement that gave the money back to the merchant, if the refund failed.
    #[shown(omit, expand)]
    pub failure_balance_transaction: Option<Ref>,
    /// Why it failed.
    #[shown(omit)]
    pub failure_reason: Option<RefundFailure>,
    /// Where instructions go for ways to pay that cannot give money back by themselves.
    #[shown(omit)]
    pub instructions_email: Option<&'a str>,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// The charge's intent.
    #[shown(expand)]
    pub payment_intent: Option<Ref>,
    /// Id of what the charge was paid with.
    #[shown(revision = 2)]
    pub payment_method: Option<Ident>,
    /// Why it is not with the cardholder yet.
    #[shown(omit)]
    pub pending_reason: Option<&'static str>,
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
    #[shown(omit)]
    pub card: Option<DestinationCardShown>,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: &'static str,
    /// To an account in the United States.
    #[shown(omit)]
    pub us_bank_transfer: Option<DestinationTransferShown>,
}

/// The bank account the money of a refund goes to.
#[derive(Shown)]
pub struct DestinationTransferShown {
    /// Number by which banks find the refund.
    pub reference: Option<String>,
    /// Whether that number is known yet.
    pub reference_status: Option<&'static str>,
}

/// The card the money of a refund goes to.
#[derive(Shown)]
pub struct DestinationCardShown {
    /// Number by which banks find the refund.
    #[shown(omit)]
    pub reference: Option<String>,
    /// Whether that number is known yet.
    #[shown(omit)]
    pub reference_status: Option<&'static str>,
    /// What number it is.
    #[shown(omit)]
    pub reference_type: Option<&'static str>,
    /// How the money goes back.
    #[shown(name = "type")]
    pub kind: &'static str,
}

impl<'a> RefundShown<'a> {
    /// What `refund` shows.
    pub fn of(refund: &'a Refund, context: &ShowContext<'_>) -> Self {
        let failure = match refund.state {
            RefundState::Failed {
                balance_transaction,
                reason,
            } => Some((balance_transaction, reason)),
            _ => None,
        };
        let pending = refund.status() == RefundStatus::Pending;
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
            customer: refund.customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            customer_account: None,
            destination_details: DestinationDetailsShown::of(refund, context.clock_ms),
            failure_balance_transaction: failure.map(|(id, _)| Ref {
                kind: &kinds::BALANCE_TRANSACTION,
                id,
            }),
            failure_reason: failure.map(|(_, reason)| reason),
            instructions_email: refund.instructions_email.as_deref(),
            metadata: &refund.metadata,
            payment_intent: refund.payment_intent.map(|id| Ref {
                kind: &kinds::PAYMENT_INTENT,
                id,
            }),
            payment_method: refund.payment_method.map(|id| Ident {
                kind: kinds::of_method(id),
                id,
            }),
            pending_reason: pending.then_some("processing"),
            reason: refund.reason,
            receipt_number: None,
            source_transfer_reversal: None,
            status: refund.status(),
            transfer_reversal: None,
        }
    }
}

impl DestinationDetailsShown {
    fn of(refund: &Refund, clock_ms: u64) -> Option<DestinationDetailsShown> {
        if !refund.id.is_other(&kinds::REFUND) {
            return Some(DestinationDetailsShown {
                card: Some(DestinationCardShown::of(refund, clock_ms)),
                kind: "card",
                us_bank_transfer: None,
            });
        }
        (refund.paid_with == Some(PaymentMethodType::UsBankAccount)).then(|| DestinationDetailsShown {
            card: None,
            kind: "us_bank_transfer",
            us_bank_transfer: Some(DestinationTransferShown {
                reference: Some(format!("091000{:09}", refund.id.bits() % 1_000_000_000)),
                reference_status: Some("available"),
            }),
        })
    }
}

impl DestinationCardShown {
    fn of(refund: &Refund, clock_ms: u64) -> DestinationCardShown {
        if refund.balance_transaction.is_none() {
            // A hold that is released was never presented, so there is nothing to refer to.
            return DestinationCardShown {
                reference: None,
                reference_status: None,
                reference_type: None,
                kind: "reversal",
            };
        }
        // Refunds of before their payment method was kept showed it at once, and are still answered with so.
        let told = refund.payment_method.is_none() || clock_ms >= refund.id.unix_ms() + REFERENCE_AFTER_MS;
        let known = !refund.is_in_transit() && told;
        DestinationCardShown {
            reference: known.then(|| acquirer_reference(refund.id)),
            reference_status: Some(if known { "available" } else { "pending" }),
            reference_type: Some("acquirer_reference_number"),
            kind: match refund.status() {
                RefundStatus::Pending => "pending",
                RefundStatus::Failed | RefundStatus::Succeeded => "refund",
            },
        }
    }
}

/// Twenty-three digits that follow from the refund's id, as an acquirer would give.
fn acquirer_reference(refund: Id) -> String {
    format!("7{:022}", refund.bits() % 10_000_000_000_000_000_000_000)
}
