//! A refund: captured money given back. It takes the money from the merchant at once; a network confirms it, at once or
//! later, and until then the money is in transit. A hold that is refunded is released, which moves no money.

mod decide;
mod params;
mod settle;
mod shown;
mod update;

pub(crate) use decide::{create, create_for_charge, released};
pub use params::{
    CreateChargeRefund, CreateRefund, ENDPOINTS, ListChargeRefunds, ListRefunds, RefundOrigin, RequestedRefundReason,
    UpdateRefund,
};
pub(crate) use settle::{resolve, timer_due};
pub use shown::RefundShown;
pub(crate) use update::{cancel, update};

use crate::acquirer::AttemptId;
use crate::inputs::Network;
use crate::money::{Currency, Money};
use crate::payments::payment_method::PaymentMethodType;
use tollgate_resource::{Id, Metadata, Names, Record};

/// How long a refund of the card for pending refunds is pending, in milliseconds.
pub const PENDING_MS: u64 = 3_000;
/// After how long the number by which banks find a refund is shown, in milliseconds. Networks tell it a moment later.
pub const REFERENCE_AFTER_MS: u64 = 1_000;
/// After how long a refund of the card for failing refunds comes back, in milliseconds.
pub const FAILS_AFTER_MS: u64 = 3_000;

/// A refund at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Refund {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What is given back, in minor units.
    #[record(2)]
    pub amount: i64,
    /// The currency, the charge's.
    #[record(3)]
    pub currency: Currency,
    /// The charge.
    #[record(4)]
    pub charge: Id,
    /// The charge's intent, if it has one.
    #[record(5)]
    pub payment_intent: Option<Id>,
    /// The movement of the merchant's balance; `None` if it released a hold, which moves nothing.
    #[record(6)]
    pub balance_transaction: Option<Id>,
    /// Why, if that was said.
    #[record(7)]
    pub reason: Option<RefundReason>,
    /// The merchant's pairs.
    #[record(8)]
    pub metadata: Metadata,
    /// The network it goes through, the charge's.
    #[record(9)]
    pub network: Network,
    /// Whether the network has confirmed it.
    #[record(10)]
    pub state: RefundState,
    /// Where instructions go for ways to pay that cannot give money back by themselves.
    #[record(11)]
    pub instructions_email: Option<Box<str>>,
    /// The charge's customer, if it has one.
    #[record(12)]
    pub customer: Option<Id>,
    /// What the charge was paid with; unknown of refunds that were made before this was kept.
    #[record(13)]
    pub payment_method: Option<Id>,
    /// The type of payment method the money goes back to, if it is no card.
    #[record(14)]
    pub paid_with: Option<PaymentMethodType>,
}

/// Whether a network has confirmed a refund. To the merchant it has succeeded in the first two states, except that the
/// card for pending refunds is pending in transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum RefundState {
    /// Confirmed; its reference at the network is known.
    #[record(1)]
    Confirmed,
    /// The network is advised again and again until it acknowledges.
    #[record(2)]
    InTransit {
        /// The attempt that captured the money.
        #[record(1)]
        of: AttemptId,
        /// Number of the test card, for the advice.
        #[record(2)]
        test_card: u16,
        /// Advices sent so far.
        #[record(3)]
        tries: u32,
        /// When the next one is sent, milliseconds since the Unix epoch.
        #[record(4)]
        next_ms: u64,
    },
    /// The bank takes its time; no network has to be advised.
    #[record(3)]
    Pending {
        /// When the bank confirms it, milliseconds since the Unix epoch.
        #[record(1)]
        until_ms: u64,
    },
    /// It came back after it had been confirmed: the merchant has the money again.
    #[record(4)]
    Failed {
        /// The movement that gave it back.
        #[record(1)]
        balance_transaction: Id,
        /// Why.
        #[record(2)]
        reason: RefundFailure,
    },
}

/// The public names of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum RefundStatus {
    /// It came back.
    Failed,
    /// The bank has not confirmed it yet.
    Pending,
    /// The money is on its way back, or back.
    Succeeded,
}

/// Why money is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum RefundReason {
    /// It was charged twice.
    #[record(1)]
    Duplicate,
    /// A hold was not captured in time. Only the engine gives this reason.
    #[record(4)]
    ExpiredUncapturedCharge,
    /// The charge was fraud.
    #[record(2)]
    Fraudulent,
    /// The payer asked.
    #[record(3)]
    RequestedByCustomer,
}

/// Why a refund came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum RefundFailure {
    /// The card is no longer good.
    #[record(1)]
    ExpiredOrCanceledCard,
}

/// A state without what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStage {
    /// [`RefundState::Confirmed`].
    Confirmed,
    /// [`RefundState::InTransit`].
    InTransit,
    /// [`RefundState::Pending`].
    Pending,
    /// [`RefundState::Failed`].
    Failed,
}

impl RefundStage {
    /// Whether the table allows `self` after `before`; `None` is before the refund exists.
    ///
    /// A refund is born confirmed, pending or in transit; both lead to confirmed, and a confirmed one may come back.
    pub fn may_follow(self, before: Option<RefundStage>) -> bool {
        use RefundStage::*;
        match (before, self) {
            (None, Confirmed | InTransit | Pending) => true,
            (Some(InTransit | Pending), Confirmed) => true,
            (Some(Confirmed), Failed) => true,
            (Some(before), _) => before == self,
            (None, Failed) => false,
        }
    }
}

impl RefundState {
    /// The state without what it knows.
    pub fn stage(&self) -> RefundStage {
        match self {
            RefundState::Confirmed => RefundStage::Confirmed,
            RefundState::InTransit { .. } => RefundStage::InTransit,
            RefundState::Pending { .. } => RefundStage::Pending,
            RefundState::Failed { .. } => RefundStage::Failed,
        }
    }

    /// Whether `self` may come after `before`: the table allows it, and what a state knows stays, except that advices are
    /// repeated.
    pub fn may_follow(&self, before: Option<&RefundState>) -> bool {
        let same = match (before, self) {
            (Some(RefundState::InTransit { of, .. }), RefundState::InTransit { of: again, .. }) => of == again,
            (Some(before), _) if before.stage() == self.stage() => before == self,
            _ => true,
        };
        same && self.stage().may_follow(before.map(RefundState::stage))
    }
}

impl Refund {
    /// What is given back.
    pub fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// Whether the network has confirmed it, and it has not come back.
    pub fn is_confirmed(&self) -> bool {
        self.state == RefundState::Confirmed
    }

    /// Whether the money has left the merchant and is not known to be with the cardholder.
    pub fn is_in_transit(&self) -> bool {
        matches!(self.state, RefundState::InTransit { .. } | RefundState::Pending { .. })
    }

    /// Whether the merchant has the money again.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, RefundState::Failed { .. })
    }

    /// What the charge counts as given back by it, in minor units: nothing if it came back or only released a hold.
    pub fn given_back(&self) -> i64 {
        if self.has_failed() || self.balance_transaction.is_none() {
            0
        } else {
            self.amount
        }
    }

    /// The public state.
    pub fn status(&self) -> RefundStatus {
        match self.state {
            RefundState::Pending { .. } => RefundStatus::Pending,
            RefundState::Failed { .. } => RefundStatus::Failed,
            RefundState::Confirmed | RefundState::InTransit { .. } => RefundStatus::Succeeded,
        }
    }

    /// The attempt of its advices.
    pub fn attempt(&self) -> AttemptId {
        AttemptId {
            object: self.id,
            number: 1,
        }
    }

    /// The refund as it was made, if it was confirmed in the same command: without a reference.
    pub fn as_created(&self) -> Refund {
        let state = match self.state {
            RefundState::Confirmed => RefundState::InTransit {
                of: self.attempt(),
                test_card: 0,
                tries: 0,
                next_ms: 0,
            },
            other => other,
        };
        Refund { state, ..self.clone() }
    }
}

impl RefundReason {
    /// The reasons a request may give, in the order messages list them.
    pub const REQUESTABLE: [RefundReason; 3] = [
        RefundReason::Duplicate,
        RefundReason::Fraudulent,
        RefundReason::RequestedByCustomer,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds;

    #[test]
    fn a_refund_moves_along_its_table() {
        let id = |kind| Id::new(kind, 1_794_830_400_000, 1, 7);
        let of = |number| AttemptId {
            object: id(&kinds::PAYMENT_INTENT),
            number,
        };
        let transit = |number, tries| RefundState::InTransit {
            of: of(number),
            test_card: 1,
            tries,
            next_ms: 5,
        };
        let pending = RefundState::Pending { until_ms: 9 };
        let failed = RefundState::Failed {
            balance_transaction: id(&kinds::BALANCE_TRANSACTION),
            reason: RefundFailure::ExpiredOrCanceledCard,
        };
        let all = [RefundState::Confirmed, transit(1, 1), transit(1, 2), pending, failed];
        let may = |before: Option<RefundState>| all.map(|next| next.may_follow(before.as_ref()));
        assert_eq!(may(None), [true, true, true, true, false]);
        assert_eq!(may(Some(RefundState::Confirmed)), [true, false, false, false, true]);
        assert_eq!(may(Some(transit(1, 1))), [true, true, true, false, false]);
        assert_eq!(may(Some(transit(2, 1))), [true, false, false, false, false]);
        assert_eq!(may(Some(pending)), [true, false, false, true, false]);
        assert_eq!(may(Some(failed)), [false, false, false, false, true]);
    }
}
