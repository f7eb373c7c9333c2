//! What a record did to objects, for the checks of what must go with it.

use super::kept::{KeptIntent, OpenAttempt};
use tollgate_domain::Network;
use tollgate_domain::books::EntryCause;
use tollgate_domain::money::Currency;
use tollgate_resource::{Id, Kind};

/// What a record did to objects.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) intents: Vec<IntentChange>,
    /// Objects that may ask a remote network.
    pub(crate) askers: Vec<Asker>,
    /// Movements of money that must each have an entry.
    pub(crate) movements: Vec<Movement>,
}

/// A step of an object that may ask a remote network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) id: Id,
    pub(crate) kind: &'static Kind,
    /// Number of its newest attempt before the step, and after it.
    pub(crate) attempts: (u32, u32),
    /// The attempt that is not settled after it.
    pub(crate) open: Option<OpenAttempt>,
}

/// A payment intent's step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IntentChange {
    pub(crate) after: KeptIntent,
}

/// A movement of money that an object's step implies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Movement {
    pub(crate) cause: EntryCause,
    pub(crate) source: Id,
    pub(crate) source_kind: &'static Kind,
    pub(crate) balance_transaction: Option<Id>,
    /// Minor units, positive.
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) network: Network,
    /// The day bucket, where the object states it.
    pub(crate) day: Option<i32>,
}
