//! Decided facts: everything one command changed, as it stands in the journal. Replay applies them, `decide` never runs
//! twice, so amounts, fees, dates and ids are all in here.

use crate::acquirer::{AttemptId, NetworkCall};
use crate::books::Entry;
use crate::events::EventFact;
use crate::object::Object;
use crate::reject::Reject;
use tollgate_resource::{Id, Record};

/// What one command changed.
///
/// Objects born here take the account's sequence numbers `first_seq ..`, in order: first each born object, then each
/// event. Changed objects keep their id.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Facts {
    /// When it was decided, milliseconds since the Unix epoch.
    #[record(1)]
    pub now_ms: u64,
    /// The account's sequence before this command; what it makes gets the numbers after it.
    #[record(2)]
    pub seq_before: u64,
    /// New versions of objects, born or changed, in a fixed order.
    #[record(3)]
    pub objects: Vec<Object>,
    /// Ledger entries.
    #[record(4)]
    pub entries: Vec<Entry>,
    /// Events, in the order they happened.
    #[record(5)]
    pub events: Vec<EventFact>,
    /// The request that caused it; `None` for timers and acquirers' answers.
    #[record(6)]
    pub request: Option<Id>,
    /// What its idempotency key remembers.
    #[record(7)]
    pub outcome: Option<Outcome>,
    /// Calls to a network, to be made once this is durable.
    #[record(8)]
    pub calls: Vec<NetworkCall>,
    /// Timers: at `at_ms`, `TimerDue(object)` is commanded.
    #[record(9)]
    pub timers: Vec<Timer>,
    /// The account's sequence after this command.
    #[record(10)]
    pub seq_after: u64,
}

/// A timer an object set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Timer {
    /// When it is due, milliseconds since the Unix epoch.
    #[record(1)]
    pub at_ms: u64,
    /// The object it wakes.
    #[record(2)]
    pub object: Id,
}

/// What is needed to answer the retry of a request: the claim of an idempotency key. The edge makes it, the domain
/// carries it (an attempt that waits for its network holds the claim of the request it will answer).
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Claim {
    /// The key as sent, at most 255 characters.
    #[record(1)]
    pub key: Box<str>,
    /// Keyed hash of method, path and decoded parameters; its top 8 bits are the version of the scheme.
    #[record(2)]
    pub fingerprint: u128,
    /// Keyed hash of method and path alone, to tell "other endpoint" from "other parameters".
    #[record(3)]
    pub endpoint: u64,
    /// Path of the first request, for the message about another endpoint.
    #[record(4)]
    pub path: Box<str>,
    /// The first request's id.
    #[record(5)]
    pub request: Id,
    /// API version of the answer, `yyyymmdd`.
    #[record(6)]
    pub version: u32,
    /// Dotted expand paths of the answer.
    #[record(7)]
    pub expand: Vec<String>,
    /// When the key was first seen, milliseconds since the Unix epoch; it expires 24 h later.
    #[record(8)]
    pub created_ms: u64,
}

/// What a key remembers.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Outcome {
    /// The claim of the key.
    #[record(1)]
    pub claim: Claim,
    /// What became of the request.
    #[record(2)]
    pub result: OutcomeResult,
    /// Shape revision the answer is rendered at, so that later fields do not appear in a replay.
    #[record(3)]
    pub revision: u16,
    /// Objects the answer shows that are not among the record's own: copies at the version shown.
    #[record(4)]
    pub attached: Vec<Object>,
    /// The clock the answer was rendered at, milliseconds (a balance transaction's status depends on it).
    #[record(5)]
    pub clock_ms: u64,
}

/// What became of a request with a key.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum OutcomeResult {
    /// Not decided yet: the attempt was recorded and its network called. A retry waits, then gets 409.
    #[record(1)]
    InFlight {
        /// The attempt that will decide it.
        #[record(1)]
        attempt: AttemptId,
    },
    /// 200 with this object.
    #[record(2)]
    Object {
        /// Number of the object's kind.
        #[record(1)]
        kind: u8,
        /// The object.
        #[record(2)]
        id: Id,
    },
    /// Refused, with everything the error body says.
    #[record(3)]
    Rejected {
        /// The refusal.
        #[record(1)]
        reject: Box<Reject>,
    },
}
