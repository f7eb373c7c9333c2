//! What a dispute shows.

use super::enhanced::{RequiredAction, required_actions};
use super::evidence::{Evidence, EvidenceShown};
use super::{Dispute, DisputeCause, DisputeState, DisputeStatus};
use crate::balance::balance_transaction::BalanceTransactionShown;
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::payment_method::CardBrand;
use crate::time::seconds_of;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Names, Ref, Shown};

/// A payment that the cardholder's bank takes back, or asks about.
#[derive(Shown)]
#[shown(object = "dispute")]
pub struct DisputeShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// What is disputed, in minor units.
    pub amount: i64,
    /// The movement that took the amount.
    #[shown(revision = 2)]
    pub balance_transaction: Option<Ident>,
    /// The movements of the balance it has made: what was taken, and what was given back.
    pub balance_transactions: Vec<BalanceTransactionShown<'a>>,
    /// The disputed charge.
    #[shown(expand)]
    pub charge: Ref,
    /// When it was opened, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Three-letter code of the currency.
    pub currency: Currency,
    /// Kinds of evidence of the network that may win it.
    pub enhanced_eligibility_types: Vec<EnhancedEligibilityType>,
    /// What the merchant says.
    pub evidence: EvidenceShown<'a>,
    /// How far the merchant's answer has come.
    pub evidence_details: EvidenceDetailsShown,
    /// Whether the charge can be refunded: while the bank only asks, or once it has given the amount back.
    pub is_charge_refundable: bool,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// The charge's intent.
    #[shown(expand)]
    pub payment_intent: Option<Ref>,
    /// How it came about, by type of payment method.
    #[shown(omit)]
    pub payment_method_details: Option<DisputeMethodShown>,
    /// Why.
    pub reason: &'a str,
    /// Where it stands.
    pub status: DisputeStatus,
}

/// A kind of evidence of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum EnhancedEligibilityType {
    /// Earlier payments that were not disputed.
    #[name = "visa_compelling_evidence_3"]
    VisaCompellingEvidence3,
    /// The network's rules were kept.
    VisaCompliance,
}

/// How far the merchant's answer has come.
#[derive(Shown)]
pub struct EvidenceDetailsShown {
    /// Until when evidence can be sent, in seconds since the Unix epoch.
    pub due_by: Option<Seconds>,
    /// How far evidence of the network's own kind has come.
    pub enhanced_eligibility: EnhancedEligibilityShown,
    /// Whether there is any.
    pub has_evidence: bool,
    /// Whether the last answer came after that, or none came.
    pub past_due: bool,
    /// How often evidence was sent to the bank.
    pub submission_count: i64,
}

/// How far evidence of the network's own kind has come.
#[derive(Shown)]
pub struct EnhancedEligibilityShown {
    /// Earlier payments that were not disputed.
    #[shown(omit)]
    pub visa_compelling_evidence_3: Option<CompellingEligibilityShown>,
    /// The network's rules.
    #[shown(omit)]
    pub visa_compliance: Option<ComplianceEligibilityShown>,
}

/// Whether earlier payments may win.
#[derive(Shown)]
pub struct CompellingEligibilityShown {
    /// What is missing.
    pub required_actions: Vec<RequiredAction>,
    /// Whether they may.
    pub status: &'static str,
}

/// Whether the merchant knows that losing costs a fee.
#[derive(Shown)]
pub struct ComplianceEligibilityShown {
    /// Whether they do.
    pub status: &'static str,
}

/// How a dispute came about.
#[derive(Shown)]
pub struct DisputeMethodShown {
    /// The card.
    pub card: DisputeCardShown,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: &'static str,
}

/// How a dispute of a card came about.
#[derive(Shown)]
pub struct DisputeCardShown {
    /// Brand of the card.
    pub brand: CardBrand,
    /// What the network calls it.
    pub case_type: CaseType,
    /// The network it came through.
    #[shown(revision = 2)]
    pub network: CardBrand,
    /// The network's own code of the reason.
    pub network_reason_code: Option<&'static str>,
}

/// What a network calls a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum CaseType {
    /// The money was taken.
    Chargeback,
    /// The money was taken for a breach of the network's rules.
    Compliance,
    /// The bank asks.
    Inquiry,
}

impl<'a> DisputeShown<'a> {
    /// Builds what `dispute` shows and passes it on.
    pub fn with<R>(dispute: &Dispute, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        let none = Evidence::default();
        let evidence = dispute.evidence.as_deref().unwrap_or(&none);
        with(&DisputeShown::of(dispute, evidence, context))
    }

    fn of(dispute: &'a Dispute, evidence: &'a Evidence, context: &ShowContext<'a>) -> Self {
        let inquiry = dispute.state.is_inquiry();
        let eligible = dispute.eligibility();
        let eligible_for = |kind| eligible == Some(kind);
        let enhanced = evidence.enhanced.as_deref();
        DisputeShown {
            id: Ident {
                kind: &kinds::DISPUTE,
                id: dispute.id,
            },
            amount: dispute.amount,
            balance_transaction: dispute.movements.first().map(|movement| Ident {
                kind: &kinds::BALANCE_TRANSACTION,
                id: movement.id,
            }),
            balance_transactions: dispute
                .movements
                .iter()
                .map(|movement| BalanceTransactionShown::of(movement, context))
                .collect(),
            charge: Ref {
                kind: &kinds::CHARGE,
                id: dispute.charge,
            },
            created: Seconds(dispute.id.created()),
            currency: dispute.currency,
            enhanced_eligibility_types: eligible.into_iter().collect(),
            evidence: EvidenceShown::of(evidence),
            evidence_details: EvidenceDetailsShown {
                due_by: Some(Seconds(dispute.due_by_s)),
                enhanced_eligibility: EnhancedEligibilityShown {
                    visa_compelling_evidence_3: eligible_for(EnhancedEligibilityType::VisaCompellingEvidence3)
                        .then(|| CompellingEligibilityShown::of(required_actions(enhanced))),
                    visa_compliance: eligible_for(EnhancedEligibilityType::VisaCompliance).then(|| {
                        let acknowledged = enhanced.and_then(|enhanced| enhanced.fee_acknowledged) == Some(true);
                        ComplianceEligibilityShown {
                            status: if acknowledged {
                                "fee_acknowledged"
                            } else {
                                "requires_fee_acknowledgement"
                            },
                        }
                    }),
                },
                has_evidence: dispute.has_evidence(),
                past_due: dispute.submissions == 0 && seconds_of(context.clock_ms) > dispute.due_by_s,
                submission_count: i64::from(dispute.submissions),
            },
            is_charge_refundable: inquiry && !dispute.state.is_closed() || dispute.state == DisputeState::Won,
            livemode: context.livemode,
            metadata: &dispute.metadata,
            payment_intent: dispute.payment_intent.map(|id| Ref {
                kind: &kinds::PAYMENT_INTENT,
                id,
            }),
            payment_method_details: (dispute.cause != DisputeCause::Unauthorized).then(|| DisputeMethodShown {
                card: DisputeCardShown {
                    brand: dispute.brand,
                    case_type: match dispute.cause {
                        _ if inquiry => CaseType::Inquiry,
                        DisputeCause::Compliance => CaseType::Compliance,
                        _ => CaseType::Chargeback,
                    },
                    network: dispute.brand,
                    network_reason_code: Some(match inquiry {
                        true => dispute.cause.inquiry_reason_code(),
                        false => dispute.cause.network_reason_code(),
                    }),
                },
                kind: "card",
            }),
            reason: dispute.cause.reason(),
            status: dispute.state.status(),
        }
    }
}

impl CompellingEligibilityShown {
    fn of(required_actions: Vec<RequiredAction>) -> Self {
        let status = if required_actions.is_empty() {
            "qualified"
        } else {
            "requires_action"
        };
        CompellingEligibilityShown {
            required_actions,
            status,
        }
    }
}

impl Dispute {
    /// The kind of evidence of the network that may win it.
    fn eligibility(&self) -> Option<EnhancedEligibilityType> {
        match self.cause {
            DisputeCause::FraudWithHistory => Some(EnhancedEligibilityType::VisaCompellingEvidence3),
            DisputeCause::Compliance => Some(EnhancedEligibilityType::VisaCompliance),
            DisputeCause::Fraud | DisputeCause::ProductNotReceived | DisputeCause::Unauthorized => None,
        }
    }
}
