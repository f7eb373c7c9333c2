//! A dispute: a cardholder's bank takes a payment back, or asks about it first (an inquiry). In test mode the cards of
//! [`Aftermath`](crate::payments::payment_method::Aftermath) raise them; evidence in certain words decides them.

mod decide;
mod enhanced;
mod evidence;
mod follow;
mod params;
mod shown;

pub(crate) use decide::{close, none_of, of_charge, timer_due, update};
pub use enhanced::{
    DisputedTransaction, EnhancedEvidence, MerchandiseOrServices, PriorTransaction, TransactionAddress,
};
pub use evidence::{EVIDENCE_CHARS_MAX, Evidence, EvidenceParams};
pub(crate) use follow::{after_capture, after_refund, gave_back, load_payer};
pub use params::{ENDPOINTS, ListDisputes, UpdateDispute};
pub use shown::DisputeShown;

use crate::balance::balance_transaction::BalanceTransaction;
use crate::inputs::Network;
use crate::money::{Currency, Money};
use crate::payments::payment_method::CardBrand;
use crate::time::{DAY_S, day_of, day_start_s};
use std::sync::Arc;
use tollgate_resource::{Id, Metadata, Names, Record};

/// Days a merchant has to answer; the answer is due at the end of the last.
pub const ANSWER_DAYS: i32 = 9;
/// How long the bank of a test card looks at evidence, in milliseconds.
pub const REVIEW_MS: u64 = 3_000;

/// A dispute at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Dispute {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The disputed charge.
    #[record(2)]
    pub charge: Id,
    /// The charge's intent, if it has one.
    #[record(3)]
    pub payment_intent: Option<Id>,
    /// What is disputed, in minor units.
    #[record(4)]
    pub amount: i64,
    /// The currency, the charge's.
    #[record(5)]
    pub currency: Currency,
    /// The network it came through, the charge's.
    #[record(6)]
    pub network: Network,
    /// Brand of the card.
    #[record(7)]
    pub brand: CardBrand,
    /// Why.
    #[record(8)]
    pub cause: DisputeCause,
    /// Where it stands.
    #[record(9)]
    pub state: DisputeState,
    /// Until when it can be answered, seconds since the Unix epoch: the last second of a day.
    #[record(10)]
    pub due_by_s: i64,
    /// How often evidence was sent to the bank.
    #[record(11)]
    pub submissions: u32,
    /// What the merchant says.
    #[record(12)]
    pub evidence: Option<Box<Evidence>>,
    /// The merchant's pairs.
    #[record(13)]
    pub metadata: Metadata,
    /// The movements of the merchant's balance it has made, oldest first: none for an inquiry, one when the amount was
    /// taken, two when it was given back. Copies, because answers show them whole.
    #[record(14)]
    pub movements: Vec<Arc<BalanceTransaction>>,
    /// Whether the evidence is only what was known when it was opened: the merchant has not said anything.
    #[record(15)]
    pub prefilled: bool,
}

/// Why a payment is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum DisputeCause {
    /// The cardholder did not make it.
    #[record(1)]
    Fraud,
    /// Nothing arrived.
    #[record(2)]
    ProductNotReceived,
    /// The cardholder says they did not make it; earlier payments may disprove that (Visa compelling evidence 3.0).
    #[record(3)]
    FraudWithHistory,
    /// It breaks the network's rules.
    #[record(4)]
    Compliance,
    /// The payer did not agree to the debit of their bank account.
    #[record(5)]
    Unauthorized,
}

/// The states, each with what only it knows. The first three are those of an inquiry, which has moved no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum DisputeState {
    /// The bank asks.
    #[record(1)]
    WarningNeedsResponse,
    /// The bank looks at the answer.
    #[record(2)]
    WarningUnderReview {
        /// What the bank will say; `None` while that is not known.
        #[record(1)]
        verdict: Option<PendingVerdict>,
    },
    /// The bank is content.
    #[record(3)]
    WarningClosed,
    /// The money was taken; evidence may bring it back.
    #[record(4)]
    NeedsResponse,
    /// The bank looks at the evidence.
    #[record(5)]
    UnderReview {
        /// What the bank will say; `None` while that is not known.
        #[record(1)]
        verdict: Option<PendingVerdict>,
    },
    /// The money came back.
    #[record(6)]
    Won,
    /// The money is gone.
    #[record(7)]
    Lost,
}

/// What the bank of a test card is going to say, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct PendingVerdict {
    /// When, milliseconds since the Unix epoch.
    #[record(1)]
    pub at_ms: u64,
    /// What.
    #[record(2)]
    pub verdict: Verdict,
}

/// What a bank says to evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum Verdict {
    /// It convinces.
    #[record(1)]
    Won,
    /// It does not.
    #[record(2)]
    Lost,
    /// It does not, and the inquiry becomes a chargeback.
    #[record(3)]
    Escalated,
}

/// The public names of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum DisputeStatus {
    /// [`DisputeState::Lost`].
    Lost,
    /// [`DisputeState::NeedsResponse`].
    NeedsResponse,
    /// Settled with the network before it became a dispute. No test card leads here.
    Prevented,
    /// [`DisputeState::UnderReview`].
    UnderReview,
    /// [`DisputeState::WarningClosed`].
    WarningClosed,
    /// [`DisputeState::WarningNeedsResponse`].
    WarningNeedsResponse,
    /// [`DisputeState::WarningUnderReview`].
    WarningUnderReview,
    /// [`DisputeState::Won`].
    Won,
}

/// Which state may follow which; a state may also stay as it is. `None` is before the dispute exists.
pub const DISPUTE_TABLE: &[(Option<DisputeStatus>, &[DisputeStatus])] = {
    use DisputeStatus::*;
    &[
        (None, &[WarningNeedsResponse, NeedsResponse, Lost]),
        (
            Some(WarningNeedsResponse),
            &[WarningNeedsResponse, WarningUnderReview, WarningClosed],
        ),
        (
            Some(WarningUnderReview),
            &[WarningUnderReview, WarningClosed, NeedsResponse],
        ),
        (Some(WarningClosed), &[WarningClosed]),
        (Some(NeedsResponse), &[NeedsResponse, UnderReview, Lost]),
        (Some(UnderReview), &[UnderReview, Won, Lost]),
        (Some(Won), &[Won]),
        (Some(Lost), &[Lost]),
        (Some(Prevented), &[Prevented]),
    ]
};

impl DisputeStatus {
    /// Whether the table allows this state after `before`.
    pub fn may_follow(self, before: Option<DisputeStatus>) -> bool {
        DISPUTE_TABLE
            .iter()
            .any(|(from, to)| *from == before && to.contains(&self))
    }
}

impl DisputeState {
    /// The public name.
    pub fn status(&self) -> DisputeStatus {
        match self {
            DisputeState::WarningNeedsResponse => DisputeStatus::WarningNeedsResponse,
            DisputeState::WarningUnderReview { .. } => DisputeStatus::WarningUnderReview,
            DisputeState::WarningClosed => DisputeStatus::WarningClosed,
            DisputeState::NeedsResponse => DisputeStatus::NeedsResponse,
            DisputeState::UnderReview { .. } => DisputeStatus::UnderReview,
            DisputeState::Won => DisputeStatus::Won,
            DisputeState::Lost => DisputeStatus::Lost,
        }
    }

    /// Whether it is an inquiry, which has moved no money.
    pub fn is_inquiry(&self) -> bool {
        matches!(
            self,
            DisputeState::WarningNeedsResponse | DisputeState::WarningUnderReview { .. } | DisputeState::WarningClosed
        )
    }

    /// Whether nothing can change any more.
    pub fn is_closed(&self) -> bool {
        matches!(
            self,
            DisputeState::WarningClosed | DisputeState::Won | DisputeState::Lost
        )
    }

    /// Whether the merchant is asked.
    pub fn needs_response(&self) -> bool {
        matches!(self, DisputeState::WarningNeedsResponse | DisputeState::NeedsResponse)
    }
}

impl DisputeCause {
    /// The public reason.
    pub fn reason(self) -> &'static str {
        match self {
            DisputeCause::Fraud | DisputeCause::FraudWithHistory => "fraudulent",
            DisputeCause::ProductNotReceived => "product_not_received",
            DisputeCause::Compliance => "noncompliant",
            DisputeCause::Unauthorized => "debit_not_authorized",
        }
    }

    /// The code of the card's network for it; the cards that raise disputes are Visa's.
    pub fn network_reason_code(self) -> &'static str {
        match self {
            DisputeCause::Fraud | DisputeCause::FraudWithHistory => "10.4",
            DisputeCause::ProductNotReceived => "13.1",
            DisputeCause::Compliance => "C98",
            DisputeCause::Unauthorized => "R10",
        }
    }
}

impl DisputeCause {
    /// The code of the network while its bank only asks: the group of the reason.
    pub fn inquiry_reason_code(self) -> &'static str {
        let code = self.network_reason_code();
        code.split_once('.').map_or(code, |(group, _)| group)
    }
}

impl Dispute {
    /// What is disputed.
    pub fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// Whether the merchant has said anything.
    pub fn has_evidence(&self) -> bool {
        self.evidence.is_some() && !self.prefilled
    }

    /// When the time to answer is over, milliseconds since the Unix epoch: the end of the last second.
    pub fn due_ms(&self) -> u64 {
        (u64::try_from(self.due_by_s).expect("a moment after 1970") + 1) * 1_000
    }
}

/// Until when a dispute that is opened at `now_ms` can be answered, seconds since the Unix epoch.
pub fn answer_due_s(now_ms: u64) -> i64 {
    day_start_s(day_of(now_ms) + ANSWER_DAYS) + DAY_S - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_lead_nowhere() {
        use DisputeStatus::*;
        for end in [WarningClosed, Won, Lost, Prevented] {
            for next in DisputeStatus::ALL {
                assert_eq!(next.may_follow(Some(end)), *next == end, "{next:?} after {end:?}");
            }
        }
    }

    #[test]
    fn answers_are_due_at_the_end_of_a_day() {
        // 2026-11-16T12:00:00Z and 2026-11-25T23:59:59Z.
        assert_eq!(answer_due_s(1_794_830_400_000), 1_795_651_199);
        assert_eq!((1_795_651_199 + 1) % DAY_S, 0);
    }
}
