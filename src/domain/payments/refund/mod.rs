//! A refund: captured money given back. It takes the money from the merchant at once; a network confirms it, at once or
//! later, and until then the money is in transit.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{create, resolve, timer_due};
pub use params::{CreateRefund, ENDPOINTS, ListRefunds};
pub use shown::RefundShown;

use crate::acquirer::AttemptId;
use crate::inputs::Network;
use crate::money::{Currency, Money};
use tollgate_resource::{Id, Metadata, Names, Record};

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
}

/// Whether a network has confirmed a refund. To the merchant it has succeeded in both states.
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
}

/// The public names of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum RefundStatus {
    /// The money is on its way back, or back.
    Succeeded,
}

/// Why money is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum RefundReason {
    /// It was charged twice.
    #[record(1)]
    Duplicate,
    /// The charge was fraud.
    #[record(2)]
    Fraudulent,
    /// The payer asked.
    #[record(3)]
    RequestedByCustomer,
}

impl Refund {
    /// What is given back.
    pub fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// Whether the network has confirmed it.
    pub fn is_confirmed(&self) -> bool {
        self.state == RefundState::Confirmed
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
            in_transit => in_transit,
        };
        Refund { state, ..self.clone() }
    }
}
