//! The states of a charge, and which may follow which.

use tollgate_resource::{Id, Names, Record};

/// The states, each with what only it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum ChargeState {
    /// Refused.
    #[record(1)]
    Failed {
        /// Number of the decline in the table.
        #[record(1)]
        decline: u16,
    },
    /// Authorised, not captured.
    #[record(2)]
    Held,
    /// Captured, wholly or in part; what was not captured is released.
    #[record(3)]
    Captured {
        /// How much, in minor units.
        #[record(1)]
        amount: i64,
        /// The movement of the merchant's balance.
        #[record(2)]
        balance_transaction: Id,
        /// The day bucket it moved (days since 1970-01-01); a refund before that day is taken from it.
        #[record(3)]
        available_day: i32,
    },
    /// The hold was released by a cancellation.
    #[record(4)]
    Released,
    /// The hold was not captured in time.
    #[record(5)]
    Expired,
    /// Captured in part; the rest is still held.
    #[record(6)]
    PartlyCaptured {
        /// How much so far, in minor units.
        #[record(1)]
        amount: i64,
        /// The newest movement of the merchant's balance; the list of movements by their source has them all.
        #[record(2)]
        balance_transaction: Id,
        /// The day bucket it moved (days since 1970-01-01).
        #[record(3)]
        available_day: i32,
    },
    /// A remote network was asked, and what it made of the charge is not known yet.
    #[record(7)]
    Pending {
        /// Whether the money is captured with the network's yes.
        #[record(1)]
        captures: bool,
    },
    /// A bank was asked for the money of an account and has not answered.
    #[record(8)]
    Debiting,
}

/// The public names of the states of the attempt itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum ChargeStatus {
    /// Refused.
    Failed,
    /// Not decided yet.
    Pending,
    /// Authorised, and perhaps captured.
    Succeeded,
}

impl ChargeState {
    /// Whether the table allows `self` after `before`; `None` is before the charge exists.
    ///
    /// A charge is born failed, held or captured, or pending, which leads to one of these; a hold goes on to captured
    /// (perhaps in parts), released or expired. The debit of a bank account leads to captured or failed.
    pub fn may_follow(&self, before: Option<&ChargeState>) -> bool {
        use ChargeState::*;
        match (before, self) {
            (None, Failed { .. } | Held | Captured { .. } | Pending { .. } | Debiting) => true,
            (Some(Pending { .. }), Failed { .. } | Held | Captured { .. }) => true,
            (Some(Debiting), Captured { .. } | Failed { .. }) => true,
            (Some(Held), Held | PartlyCaptured { .. } | Captured { .. } | Released | Expired) => true,
            (Some(PartlyCaptured { amount: before, .. }), PartlyCaptured { amount, .. } | Captured { amount, .. }) => {
                before <= amount
            }
            (Some(before), _) => before == self,
            (None, _) => false,
        }
    }

    /// A capture after which the rest is still held.
    ///
    /// # Panics
    /// On any other state: decisions hold nothing else open.
    pub(crate) fn unfinished(self) -> ChargeState {
        match self {
            ChargeState::Captured {
                amount,
                balance_transaction,
                available_day,
            } => ChargeState::PartlyCaptured {
                amount,
                balance_transaction,
                available_day,
            },
            other => panic!("{other:?} is no capture"),
        }
    }

    /// A charge captured in part, when nothing more will be captured.
    ///
    /// # Panics
    /// On any other state: decisions complete nothing else.
    pub(crate) fn completed(self) -> ChargeState {
        match self {
            ChargeState::PartlyCaptured {
                amount,
                balance_transaction,
                available_day,
            } => ChargeState::Captured {
                amount,
                balance_transaction,
                available_day,
            },
            other => panic!("{other:?} is not captured in part"),
        }
    }
}
