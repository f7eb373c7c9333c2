//! What delivery needs of the rest, and what it says to it. Futures are made on a delivery thread and may be finished
//! elsewhere; none may wait for a delivery.

use crate::endpoint::{EndpointKey, EndpointView};
use crate::filter::Patterns;
use bytes::Bytes;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use tollgate_resource::Record;
pub use tollgate_resource::notes::Note;

/// A future in a box.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An answer of the journal.
pub type Asked<T> = BoxFuture<Result<T, SourceError>>;

/// Most events asked for at once.
pub const EVENTS_MAX: usize = 256;

/// Reads what the journal holds. Every answer is of what was durable when it was asked for, or later.
pub trait Source: Send + Sync {
    /// The account's endpoints and how far its sequence goes. Deleted endpoints are left out.
    fn account(&self, account: u64) -> Asked<AccountView>;

    /// Events of the account with a sequence number above `after`, in its order, at most `limit` (at most [`EVENTS_MAX`]).
    /// Fewer than `limit` means that there are no more. `soon`: for each endpoint that asks, which bodies of the first of them it
    /// wants next, so that they can be rendered with the answer.
    fn events_after(&self, account: u64, after: u64, limit: usize, soon: Vec<Soon>) -> Asked<Vec<Event>>;

    /// The events with these sequence numbers (at most [`EVENTS_MAX`]), in the same order; those that are not kept any more
    /// are left out.
    fn events(&self, account: u64, seqs: Vec<u64>) -> Asked<Vec<Event>>;

    /// The first sequence number of the account at or after this time; where the account's events end if there is none.
    fn first_since(&self, account: u64, since_ms: u64) -> Asked<u64>;

    /// An event's body at an API version, rendered once for all who ask soon. `None` when the event is not kept any more.
    fn body(&self, account: u64, seq: u64, api_version: Arc<str>) -> Asked<Option<Body>>;

    /// The shard's notes: the newest row and everything behind it, in order; everything where there is no row. Pages are left
    /// out.
    fn notes(&self, shard: u16) -> Asked<Vec<SavedNote>>;

    /// The page of notes that was written under this number.
    fn page(&self, shard: u16, number: u64) -> Asked<Bytes>;
}

/// Which bodies an endpoint wants next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Soon {
    /// Those of events with a greater sequence number,
    pub after: u64,
    /// of these types,
    pub filter: Patterns,
    /// at this API version.
    pub api_version: Arc<str>,
}

/// Why the journal gave no answer. The question is asked again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the journal gave no answer: {0}")]
pub struct SourceError(pub String);

/// An account that has had endpoints.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// Everything up to this sequence number is durable.
    pub upto: u64,
    /// Its endpoints.
    pub endpoints: Vec<EndpointView>,
}

/// What delivery has to know of an event before it sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its sequence number in the account.
    pub seq: u64,
    /// Its type, `payment_intent.succeeded`.
    pub kind: &'static str,
    /// When it happened, milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Which object it is about: any number that is the same for all events about one object of the account.
    pub object: u64,
    /// The how manieth event about that object it is, from 1, without a gap.
    pub nth: u64,
}

/// An event's body.
#[derive(Clone, Debug)]
pub struct Body {
    /// The event's public id, `evt_…`.
    pub event_id: Arc<str>,
    /// What is sent.
    pub bytes: Bytes,
}

/// A note as it is read back.
#[derive(Clone, Debug)]
pub enum SavedNote {
    /// What delivery wrote with [`Note::Row`]; only the first.
    Row(Bytes),
    /// What delivery wrote with [`Note::Progress`], or the shard itself: entries as `tollgate_resource::notes` frames them.
    Progress(Bytes),
}

/// Where lanes write what they have to know after a crash: the shard's own journal.
pub trait Notes: Send + Sync {
    /// Writes a note behind the one before. Never blocks. Dropped when the epoch is not the owner's any more; the notes of
    /// one epoch that are kept are always the first ones, without a gap.
    ///
    /// # Errors
    /// Gives the note back when the shard takes no more for now: it is handed in again later, before any other.
    fn write(&self, shard: u16, epoch: u64, note: Note) -> Result<(), Note>;

    /// How many notes of the shard were taken and are neither durable nor dropped.
    fn open(&self, shard: u16) -> usize;
}

/// Where attempts are logged, to be forgotten after a while.
pub trait Trail: Send + Sync {
    /// Logs an attempt. Never blocks; drops and counts what there is no room for.
    fn attempt(&self, attempt: Attempt);
}

/// An attempt that has an outcome.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The shard of the account.
    pub shard: u16,
    /// To which endpoint.
    pub endpoint: EndpointKey,
    /// The event's sequence number; 0 for a test that sent none.
    pub event_seq: u64,
    /// Its public id, [`Delivery::event_id`]; so that whoever reads the log need not look it up.
    pub event_id: Arc<str>,
    /// The how manieth of the schedule, from 1; those made by hand and probes have the number of the one that is still due.
    pub number: u8,
    /// Why it was made.
    pub cause: Cause,
    /// When it began, milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// What came of it.
    pub outcome: Outcome,
}

/// Why an attempt is made. Its numbers, and those of the two below, stand in the log of attempts and are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Record)]
pub enum Cause {
    /// It was due.
    #[record(1)]
    Schedule,
    /// To see whether an endpoint that failed is back.
    #[record(2)]
    Probe,
    /// Somebody asked for this event again.
    #[record(3)]
    Resend,
    /// Part of a job that recovers a range.
    #[record(4)]
    Recovery,
    /// A dead letter that is sent again.
    #[record(5)]
    Replay,
    /// A test.
    #[record(6)]
    Test,
}

impl Cause {
    /// Its word in logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Schedule => "schedule",
            Cause::Probe => "probe",
            Cause::Resend => "resend",
            Cause::Recovery => "recovery",
            Cause::Replay => "replay",
            Cause::Test => "test",
        }
    }
}

/// What is to be told about an endpoint to its account: written by the domain, as an event or a change of the endpoint.
pub trait Alarm: Send + Sync {
    /// Raises it. Never blocks. May come twice for the same state of an endpoint.
    fn raise(&self, shard: u16, endpoint: EndpointKey, alert: Alert);
}

/// What happened to an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alert {
    /// Nothing was taken for a day, and something was refused.
    Failing {
        /// Since when, milliseconds since the Unix epoch.
        since_ms: u64,
    },
    /// Something was taken again, after its owner was told that it fails.
    Recovered,
    /// Nothing was taken for days: it is to be disabled.
    Dead {
        /// Since when, milliseconds since the Unix epoch.
        since_ms: u64,
    },
    /// It answered that it is gone for good (410): it is to be disabled.
    Gone,
    /// Delivery to it made the dispatcher panic several times and was stopped, until its operator resumes it.
    Quarantined,
}

/// Sends one delivery.
pub trait Transport: Send + Sync {
    /// Makes one attempt, within the endpoint's timeout. A dropped future is an attempt that nobody wants to hear of.
    fn send(&self, delivery: Delivery) -> BoxFuture<Outcome>;

    /// Nothing more is sent to the endpoint for now: its idle connections may be closed.
    fn forget(&self, endpoint: EndpointKey);
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where to.
    pub endpoint: Arc<EndpointView>,
    /// The event's public id.
    pub event_id: Arc<str>,
    /// The event's sequence number in the account: `Webhook-Sequence`.
    pub event_seq: u64,
    /// Its number among the events about its object: `Webhook-Resource-Sequence`.
    pub nth: u64,
    /// What is sent, as it is.
    pub body: Bytes,
    /// The how manieth attempt of the schedule, from 1.
    pub attempt: u8,
    /// Why it is sent.
    pub cause: Cause,
}

/// What came of an attempt.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The receiver's answer, or why there is none.
    pub answer: Answer,
    /// How long it took, milliseconds.
    pub took_ms: u32,
    /// Whether a connection of before was used.
    pub reused: bool,
    /// Where it went, when it got so far.
    pub peer: Option<IpAddr>,
    /// The beginning of the answer's body, bounded.
    pub excerpt: Bytes,
}

impl Outcome {
    /// An outcome that says nothing but its answer.
    pub fn of(answer: Answer, took_ms: u32) -> Outcome {
        Outcome {
            answer,
            took_ms,
            reused: false,
            peer: None,
            excerpt: Bytes::new(),
        }
    }
}

/// A receiver's answer, or why there is none.
#[derive(Clone, PartialEq, Eq, Debug, Record)]
pub enum Answer {
    /// 2xx: it was taken.
    #[record(1)]
    Taken {
        /// The status.
        #[record(1)]
        status: u16,
    },
    /// Any other status.
    #[record(2)]
    Refused {
        /// The status.
        #[record(1)]
        status: u16,
        /// What `Retry-After` said, as milliseconds from now.
        #[record(2)]
        retry_after_ms: Option<u64>,
    },
    /// No answer.
    #[record(3)]
    Failed {
        /// In which way.
        #[record(1)]
        failure: Failure,
        /// What exactly, in one line without anything secret.
        #[record(2)]
        why: Box<str>,
    },
}

/// The status of an endpoint that is gone for good.
const GONE: u16 = 410;
/// Statuses that say that there was too much.
const OVERLOADED: [u16; 4] = [429, 502, 503, 504];

impl Answer {
    /// Whether the event was taken.
    pub fn is_taken(&self) -> bool {
        matches!(self, Answer::Taken { .. })
    }

    /// Whether the endpoint is gone for good.
    pub fn is_gone(&self) -> bool {
        matches!(self, Answer::Refused { status: GONE, .. })
    }

    /// Whether fewer at a time might do better.
    pub fn is_overload(&self) -> bool {
        match self {
            Answer::Taken { .. } => false,
            Answer::Refused { status, .. } => OVERLOADED.contains(status),
            Answer::Failed { failure, .. } => matches!(failure, Failure::Timeout | Failure::Connect),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Record)]
pub enum Failure {
    /// The name has no address.
    #[record(1)]
    Resolve,
    /// The address may not be reached from here.
    #[record(2)]
    Blocked,
    /// No connection was made.
    #[record(3)]
    Connect,
    /// TLS failed: a certificate, or nothing in common.
    #[record(4)]
    Tls,
    /// It took too long.
    #[record(5)]
    Timeout,
    /// The connection ended before the answer did.
    #[record(6)]
    Closed,
    /// The answer is not HTTP, or larger than is read.
    #[record(7)]
    Malformed,
    /// It could not be tried: the fault is here.
    #[record(8)]
    Internal,
}

impl Failure {
    /// Its word in logs, metrics and the trail.
    pub fn word(self) -> &'static str {
        match self {
            Failure::Resolve => "resolve",
            Failure::Blocked => "blocked",
            Failure::Connect => "connect",
            Failure::Tls => "tls",
            Failure::Timeout => "timeout",
            Failure::Closed => "closed",
            Failure::Malformed => "malformed",
            Failure::Internal => "internal",
        }
    }
}
