//! Deliveries: what was tried to bring events to endpoints, what came of it, and what may be asked about that. None of it is
//! an object of an account; whoever delivers knows it. The public API has nothing like most of it.

mod params;
mod shown;

pub use params::{
    AttemptList, CreateWebhookRecovery, ENDPOINTS, LetterList, ListEndpointAttempts, ListEventAttempts,
    ListWebhookDeadLetters, ReplayWebhookDeadLetters, RetryEvent,
};
pub use shown::{
    WebhookAttemptErrorShown, WebhookAttemptShown, WebhookDeadLetterShown, WebhookDeliveryShown, WebhookRecoveryShown,
    WebhookReplayShown,
};

use crate::call::Read;
use crate::events::ThinEventShown;
use crate::kinds;
use crate::object::ShowContext;
use crate::webhooks::webhook_endpoint::DisabledReason;
use tollgate_resource::{Id, Kind, Names, Shown};

/// What is asked of whoever delivers, about an object of the account, which must exist.
#[derive(Clone, Debug)]
pub struct DeliveryCall {
    /// The kind of that object: an endpoint, or an event.
    pub kind: &'static Kind,
    /// Its id.
    pub id: Id,
    /// The name of its segment in the path.
    pub param: &'static str,
    /// What is asked.
    pub asked: DeliveryAsked,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum DeliveryAsked {
    /// The attempts of the endpoint or of the event.
    Attempts(AttemptList),
    /// That the event is sent again: to this endpoint, or to each that wants it.
    Resend(Option<Id>),
    /// How delivery to the endpoint goes.
    State,
    /// That nothing is sent to the endpoint until it is resumed.
    Pause,
    /// That what waits is sent, and that a receiver that failed is tried at once.
    Resume,
    /// An attempt with an event that is made for it.
    Test,
    /// An attempt with the event that the second version of the API has for it.
    Ping,
    /// That events of a range are sent again.
    Recover(Box<CreateWebhookRecovery>),
    /// One of those jobs.
    Recovery(Id),
    /// The jobs that are kept.
    Recoveries,
    /// That a job ends.
    CancelRecovery(Id),
    /// The events that were given up.
    DeadLetters(LetterList),
    /// That events that were given up are sent again.
    Replay(Box<ReplayWebhookDeadLetters>),
}

/// What whoever delivers answers with.
#[derive(Clone, Debug)]
pub enum Delivered {
    /// An attempt.
    Attempt(WebhookAttempt),
    /// A job that sends a range again.
    Recovery(WebhookRecovery),
    /// How delivery to an endpoint goes.
    State(WebhookDelivery),
    /// An event that was given up.
    Letter(WebhookDeadLetter),
    /// How many events are sent again.
    Replayed(u64),
    /// The event that was made to see whether a destination is reached.
    Ping(Ping),
}

/// An event that is made to see whether an event destination is reached. It stands in no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Its id; also says when it was made.
    pub event: Id,
    /// The destination.
    pub destination: Id,
}

impl DeliveryCall {
    /// A look at the object that it is about.
    pub fn about(&self) -> Read {
        match *self.kind == kinds::WEBHOOK_ENDPOINT {
            true => Read::AnyWebhookEndpoint(self.kind, self.id, self.param),
            false => Read::Object(self.kind, self.id, self.param),
        }
    }
}

/// An attempt to bring an event to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAttempt {
    /// Its id; also says when it began.
    pub id: Id,
    /// The endpoint.
    pub endpoint: Id,
    /// The event; `None` for a test.
    pub event: Option<Id>,
    /// The how manieth of the schedule, from 1.
    pub number: u8,
    /// Why it was made.
    pub cause: AttemptCause,
    /// How long it took, milliseconds.
    pub took_ms: u32,
    /// What came of it.
    pub result: AttemptResult,
    /// The IP address it went to, when it got so far.
    pub address: Option<Box<str>>,
    /// Whether a connection of an earlier delivery was used.
    pub reused: bool,
    /// The beginning of the answer's body.
    pub excerpt: Box<str>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// It was taken, with this status.
    Succeeded(u16),
    /// It was refused, with this status.
    Refused(u16),
    /// There is no answer: where it went wrong, and what exactly.
    Failed(AttemptFailure, Box<str>),
}

impl AttemptResult {
    /// Whether it was taken.
    pub fn outcome(&self) -> AttemptOutcome {
        match self {
            AttemptResult::Succeeded(_) => AttemptOutcome::Succeeded,
            AttemptResult::Refused(_) | AttemptResult::Failed(..) => AttemptOutcome::Failed,
        }
    }
}

/// What came of an attempt, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum AttemptOutcome {
    /// The receiver answered with a status of 200 to 299.
    Succeeded,
    /// It answered with another status, or not at all.
    Failed,
}

/// Why an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum AttemptCause {
    /// It was due.
    Schedule,
    /// To see whether a receiver that failed is back.
    Probe,
    /// Somebody asked for this event again.
    Resend,
    /// It is part of a recovery.
    Recovery,
    /// The event had been given up and was asked for again.
    Replay,
    /// It is a test.
    Test,
}

/// Where an attempt went wrong that has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum AttemptFailure {
    /// The host's name has no address.
    Resolve,
    /// The address may not be reached from here.
    Blocked,
    /// No connection was made.
    Connect,
    /// There was no TLS: a certificate that does not fit, or nothing in common.
    Tls,
    /// It took too long.
    Timeout,
    /// The connection ended before the answer did.
    Closed,
    /// The answer is not HTTP, or too large.
    Malformed,
    /// It could not be tried: the fault is on this side.
    Internal,
}

/// A job that sends events of a range again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRecovery {
    /// Its id; also says when it began.
    pub id: Id,
    /// The endpoint.
    pub endpoint: Id,
    /// Events that happened at or after this, milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// Events that happened before this.
    pub until_ms: u64,
    /// Only these types; every type that the endpoint wants if there are none.
    pub types: Vec<Box<str>>,
    /// Which of them.
    pub scope: RecoveryScope,
    /// Where it stands.
    pub status: RecoveryStatus,
    /// Numbers of the account's sequence that are yet to be looked at.
    pub remaining: u64,
    /// Events that were sent.
    pub sent: u64,
    /// Of those, events that were taken.
    pub succeeded: u64,
}

/// Which events of a range are sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names)]
pub enum RecoveryScope {
    /// Those that the endpoint has not taken.
    #[default]
    Undelivered,
    /// Those that it has taken before.
    Delivered,
    /// All.
    All,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum RecoveryStatus {
    /// It goes on.
    Running,
    /// It has come to its end.
    Completed,
    /// Somebody stopped it.
    Canceled,
}

/// An event that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookDeadLetter {
    /// The event.
    pub event: Id,
    /// The endpoint.
    pub endpoint: Id,
    /// The beginning of the day on which it was given up, milliseconds since the Unix epoch.
    pub day_ms: u64,
    /// Why.
    pub reason: LetterReason,
}

/// Why an event was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum LetterReason {
    /// Its last attempt was refused by an answer.
    Refused,
    /// Its last attempt had no answer.
    Unanswered,
}

/// How delivery to an endpoint goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// The endpoint.
    pub endpoint: Id,
    /// What is being done.
    pub state: DeliveryState,
    /// Why it is disabled, or about to be.
    pub disabled: Option<DisabledReason>,
    /// Deliveries that are out.
    pub in_flight: u64,
    /// Events that wait for another attempt.
    pub waiting: u64,
    /// Events that were given up.
    pub dead: u64,
    /// Numbers of the account's sequence that were not looked at yet.
    pub behind: u64,
    /// When the oldest event happened that was not tried yet, milliseconds since the Unix epoch.
    pub oldest_ms: Option<u64>,
    /// How long ago that is, milliseconds.
    pub lag_ms: Option<u64>,
    /// What the last attempts came to, if there were any.
    pub recent: Option<RecentWebhookAttempts>,
    /// Since when nothing was taken, milliseconds since the Unix epoch.
    pub failing_since_ms: Option<u64>,
}

/// What an endpoint's last attempts came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecentWebhookAttempts {
    /// How many there are.
    pub attempts: u32,
    /// How many of them were taken.
    pub succeeded: u32,
    /// Half of them took no longer, milliseconds.
    pub p50_ms: u32,
    /// 95 of a hundred took no longer, milliseconds.
    pub p95_ms: u32,
}

/// What is being done for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum DeliveryState {
    /// Events are sent as they happen.
    Sending,
    /// The receiver failed too often: nothing is sent for a while.
    Open,
    /// The receiver failed too often, and it is tried whether it is back.
    Probing,
    /// The merchant, or an operator, wants nothing to be sent for now.
    Paused,
    /// The endpoint is disabled.
    Disabled,
    /// The receiver said that it is gone for good.
    Gone,
    /// Nothing was taken for days; the endpoint is about to be disabled.
    Dead,
    /// Delivery to it was stopped after a fault on this side, until somebody resumes it.
    Quarantined,
}

impl Delivered {
    /// Builds what is shown and passes it on.
    pub(crate) fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        match self {
            Delivered::Attempt(attempt) => with(&WebhookAttemptShown::of(attempt, context)),
            Delivered::Recovery(recovery) => with(&WebhookRecoveryShown::of(recovery, context)),
            Delivered::State(state) => with(&WebhookDeliveryShown::of(state, context)),
            Delivered::Letter(letter) => with(&WebhookDeadLetterShown::of(letter, context)),
            Delivered::Replayed(count) => with(&WebhookReplayShown::of(*count)),
            Delivered::Ping(ping) => with(&ThinEventShown::ping(ping.event, ping.destination, context)),
        }
    }
}
