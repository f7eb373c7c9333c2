//! What is shown of deliveries.

use super::{
    AttemptCause, AttemptFailure, AttemptOutcome, AttemptResult, DeliveryState, LetterReason, RecoveryScope,
    RecoveryStatus, WebhookAttempt, WebhookDeadLetter, WebhookDelivery, WebhookRecovery,
};
use crate::kinds;
use crate::object::ShowContext;
use crate::time::seconds_of;
use crate::webhooks::webhook_endpoint::DisabledReason;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Ref, Shown};

/// An attempt to bring an event to an endpoint. Kept for 30 days: each that failed, and of those that succeeded as many as the
/// server's settings say.
#[derive(Shown)]
#[shown(object = "webhook_attempt")]
pub struct WebhookAttemptShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// The IP address it went to, when it got so far.
    pub address: Option<&'a str>,
    /// Number of the attempt in the endpoint's schedule, from 1. One that was asked for has the number of the one that is
    /// still due.
    pub attempt: i64,
    /// Why it was made.
    pub cause: AttemptCause,
    /// Whether a connection of an earlier delivery was used.
    pub connection_reused: bool,
    /// When it began, in seconds since the Unix epoch.
    pub created: Seconds,
    /// How long it took, in milliseconds, with the answer's body.
    pub duration_ms: i64,
    /// Why there is no answer, if there is none.
    pub error: Option<WebhookAttemptErrorShown<'a>>,
    /// The event that was sent; null for a test.
    pub event: Option<Ref>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// What came of it.
    pub outcome: AttemptOutcome,
    /// The beginning of the answer's body, at most 2 kB.
    pub response_excerpt: &'a str,
    /// The answer's HTTP status, if there was an answer.
    pub status: Option<i64>,
    /// The endpoint.
    pub webhook_endpoint: Ref,
}

/// Why there is no answer.
#[derive(Shown)]
pub struct WebhookAttemptErrorShown<'a> {
    /// What exactly went wrong, for people.
    pub message: &'a str,
    /// Where it went wrong.
    #[shown(name = "type")]
    pub kind: AttemptFailure,
}

/// A job that sends the events of a range of time to an endpoint again, beside what it is sent anyway.
#[derive(Shown)]
#[shown(object = "webhook_recovery")]
pub struct WebhookRecoveryShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// When it was begun, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// Events and objects of the range that are yet to be looked at.
    pub remaining: i64,
    /// Which events of the range.
    pub scope: RecoveryScope,
    /// Events that were sent so far.
    pub sent: i64,
    /// The range begins here, in seconds since the Unix epoch.
    pub since: Seconds,
    /// Where the job stands.
    pub status: RecoveryStatus,
    /// Events that were sent and taken so far.
    pub succeeded: i64,
    /// Only events of these types; all that the endpoint wants if there are none.
    pub types: Vec<&'a str>,
    /// The range ends before this, in seconds since the Unix epoch.
    pub until: Seconds,
    /// The endpoint.
    pub webhook_endpoint: Ref,
}

/// An event that was given up, after as many attempts as the endpoint's schedule has.
#[derive(Shown)]
#[shown(object = "webhook_dead_letter")]
pub struct WebhookDeadLetterShown {
    /// Identifier of the event.
    pub id: Ident,
    /// When it happened, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The day on which it was given up, as its beginning in seconds since the Unix epoch (UTC).
    pub given_up: Seconds,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// How its last attempt ended.
    pub reason: LetterReason,
    /// The endpoint.
    pub webhook_endpoint: Ref,
}

/// How many events that were given up are sent again.
#[derive(Shown)]
#[shown(object = "webhook_replay")]
pub struct WebhookReplayShown {
    /// How many.
    pub events: i64,
}

/// How delivery to an endpoint goes.
#[derive(Shown)]
#[shown(object = "webhook_delivery")]
pub struct WebhookDeliveryShown {
    /// Events and objects of the account that were not looked at yet.
    pub behind: i64,
    /// Events that were given up and can be replayed.
    pub dead_letters: i64,
    /// Why the endpoint is disabled, or about to be; null while it is not.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when nothing was taken, in seconds since the Unix epoch; null while the receiver does well.
    pub failing_since: Option<Seconds>,
    /// Deliveries that are under way.
    pub in_flight: i64,
    /// For how many seconds the oldest event has waited that was not tried yet; null when there is none.
    pub lag: Option<i64>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// When that event happened, in seconds since the Unix epoch. Of one that the server has not read yet it is only known that it
    /// is no younger than the server's look at the endpoint.
    pub oldest: Option<Seconds>,
    /// What the last attempts came to, 64 at most, since the server looks after the endpoint; null when there was none.
    pub recent_attempts: Option<WebhookRecentAttemptsShown>,
    /// What is being done.
    pub state: DeliveryState,
    /// Events that wait for another attempt.
    pub waiting: i64,
    /// The endpoint.
    pub webhook_endpoint: Ref,
}

/// What the last attempts to deliver to an endpoint came to.
#[derive(Shown)]
pub struct WebhookRecentAttemptsShown {
    /// How many there are.
    pub attempts: i64,
    /// Half of them took no longer than this, in milliseconds, right to a thirty-second part.
    pub duration_p50_ms: i64,
    /// 95 of a hundred took no longer than this, in milliseconds.
    pub duration_p95_ms: i64,
    /// How many of them were taken.
    pub succeeded: i64,
}

impl<'a> WebhookAttemptShown<'a> {
    /// What `attempt` shows.
    pub fn of(attempt: &'a WebhookAttempt, context: &ShowContext<'_>) -> Self {
        let (status, error) = match &attempt.result {
            AttemptResult::Succeeded(status) | AttemptResult::Refused(status) => (Some(i64::from(*status)), None),
            AttemptResult::Failed(kind, message) => (None, Some(WebhookAttemptErrorShown { message, kind: *kind })),
        };
        WebhookAttemptShown {
            id: Ident {
                kind: &kinds::WEBHOOK_ATTEMPT,
                id: attempt.id,
            },
            address: attempt.address.as_deref(),
            attempt: i64::from(attempt.number),
            cause: attempt.cause,
            connection_reused: attempt.reused,
            created: Seconds(attempt.id.created()),
            duration_ms: i64::from(attempt.took_ms),
            error,
            event: attempt.event.map(|id| Ref {
                kind: &kinds::EVENT,
                id,
            }),
            livemode: context.livemode,
            outcome: attempt.result.outcome(),
            response_excerpt: &attempt.excerpt,
            status,
            webhook_endpoint: endpoint(attempt.endpoint),
        }
    }
}

impl<'a> WebhookRecoveryShown<'a> {
    /// What `recovery` shows.
    pub fn of(recovery: &'a WebhookRecovery, context: &ShowContext<'_>) -> Self {
        WebhookRecoveryShown {
            id: Ident {
                kind: &kinds::WEBHOOK_RECOVERY,
                id: recovery.id,
            },
            created: Seconds(recovery.id.created()),
            livemode: context.livemode,
            remaining: number(recovery.remaining),
            scope: recovery.scope,
            sent: number(recovery.sent),
            since: Seconds(seconds_of(recovery.since_ms)),
            status: recovery.status,
            succeeded: number(recovery.succeeded),
            types: recovery.types.iter().map(|kind| &**kind).collect(),
            until: Seconds(seconds_of(recovery.until_ms)),
            webhook_endpoint: endpoint(recovery.endpoint),
        }
    }
}

impl WebhookDeadLetterShown {
    /// What `letter` shows.
    pub fn of(letter: &WebhookDeadLetter, context: &ShowContext<'_>) -> Self {
        WebhookDeadLetterShown {
            id: Ident {
                kind: &kinds::EVENT,
                id: letter.event,
            },
            created: Seconds(letter.event.created()),
            given_up: Seconds(seconds_of(letter.day_ms)),
            livemode: context.livemode,
            reason: letter.reason,
            webhook_endpoint: endpoint(letter.endpoint),
        }
    }
}

impl WebhookReplayShown {
    /// So many.
    pub fn of(count: u64) -> Self {
        WebhookReplayShown { events: number(count) }
    }
}

impl WebhookDeliveryShown {
    /// What `state` shows.
    pub fn of(state: &WebhookDelivery, context: &ShowContext<'_>) -> Self {
        let seconds = |ms: u64| Seconds(seconds_of(ms));
        WebhookDeliveryShown {
            behind: number(state.behind),
            dead_letters: number(state.dead),
            disabled_reason: state.disabled,
            failing_since: state.failing_since_ms.map(seconds),
            in_flight: number(state.in_flight),
            lag: state.lag_ms.map(|ms| number(ms / 1_000)),
            livemode: context.livemode,
            oldest: state.oldest_ms.map(seconds),
            recent_attempts: state.recent.map(|recent| WebhookRecentAttemptsShown {
                attempts: i64::from(recent.attempts),
                duration_p50_ms: i64::from(recent.p50_ms),
                duration_p95_ms: i64::from(recent.p95_ms),
                succeeded: i64::from(recent.succeeded),
            }),
            state: state.state,
            waiting: number(state.waiting),
            webhook_endpoint: endpoint(state.endpoint),
        }
    }
}

fn endpoint(id: Id) -> Ref {
    Ref {
        kind: &kinds::WEBHOOK_ENDPOINT,
        id,
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
