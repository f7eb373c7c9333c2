//! Parameters and operations of deliveries.

use super::shown::{
    WebhookAttemptShown, WebhookDeadLetterShown, WebhookDeliveryShown, WebhookRecoveryShown, WebhookReplayShown,
};
use super::{AttemptOutcome, DeliveryAsked, DeliveryCall, RecoveryScope};
use crate::call::{Call, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use crate::events::{EventShown, ThinEventShown};
use crate::kinds::{self, EventId, WebhookAttemptId, WebhookEndpointId};
use crate::webhooks::event_names;
use tollgate_resource::operation::{Answers, PathArgs, Refused, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Id, Method, Params};

/// Which attempts of an endpoint to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListEndpointAttempts {
    /// Only attempts made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only attempts to bring this event.
    pub event: Option<EventId>,
    /// Most attempts of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only attempts with this outcome.
    pub outcome: Option<AttemptOutcome>,
    /// Only attempts older than this one.
    pub starting_after: Option<WebhookAttemptId>,
}

/// Which attempts of an event to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListEventAttempts {
    /// Most attempts of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only attempts with this outcome.
    pub outcome: Option<AttemptOutcome>,
    /// Only attempts older than this one.
    pub starting_after: Option<WebhookAttemptId>,
    /// Only attempts to bring it to this endpoint.
    pub webhook_endpoint: Option<WebhookEndpointId>,
}

/// Where an event is sent again.
#[derive(Params, Default, Clone, Debug)]
pub struct RetryEvent {
    /// Taken as the official command line tool sends it; changes nothing.
    pub for_stripecli: Option<bool>,
    /// Only there; to each endpoint that wants it if not given.
    pub webhook_endpoint: Option<WebhookEndpointId>,
}

/// Which events are sent again.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateWebhookRecovery {
    /// Which events of the range: `undelivered`, those that the endpoint has not taken, if not given; `delivered`, those that
    /// it has; or `all`.
    pub scope: Option<RecoveryScope>,
    /// Events that happened at or after this, in seconds since the Unix epoch.
    #[param(required, min = 0)]
    pub since: i64,
    /// Only events of these types; all that the endpoint wants if not given.
    #[param(max_items = 20, max_len = 100)]
    pub types: Vec<Box<str>>,
    /// Events that happened before this, in seconds since the Unix epoch; up to now if not given.
    #[param(min = 0)]
    pub until: Option<i64>,
}

/// Which dead letters to list, oldest first.
#[derive(Params, Default, Clone, Debug)]
pub struct ListWebhookDeadLetters {
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only events newer than this one.
    pub starting_after: Option<EventId>,
}

/// Which events that were given up are sent again.
#[derive(Params, Default, Clone, Debug)]
pub struct ReplayWebhookDeadLetters {
    /// These; without them, all that were given up on the days from `since` to `until`.
    #[param(max_items = 100)]
    pub events: Vec<EventId>,
    /// The first day on which they were given up, as any time of it in seconds since the Unix epoch (UTC); all days if not given.
    #[param(min = 0)]
    pub since: Option<i64>,
    /// The last day on which they were given up.
    #[param(min = 0)]
    pub until: Option<i64>,
}

/// Which attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptList {
    /// Only of this event.
    pub event: Option<EventId>,
    /// Only to this endpoint.
    pub endpoint: Option<WebhookEndpointId>,
    /// Only with this outcome.
    pub outcome: Option<AttemptOutcome>,
    /// Only of this time, seconds.
    pub created: Range,
    /// Only older than this one.
    pub after: Option<WebhookAttemptId>,
    /// Most of a page.
    pub limit: usize,
}

/// Which dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterList {
    /// Only newer than this event.
    pub after: Option<EventId>,
    /// Most of a page.
    pub limit: usize,
}

/// The operations on deliveries.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &LIST_OF_ENDPOINT,
    &LIST_OF_EVENT,
    &RETRY_EVENT,
    &STATE,
    &PAUSE,
    &RESUME,
    &TEST,
    &PING,
    &RECOVER,
    &RECOVERIES,
    &RECOVERY,
    &CANCEL_RECOVERY,
    &DEAD_LETTERS,
    &REPLAY,
];

const JOBS_PATH: &str = "/v1/webhook_endpoints/{webhook_endpoint}/recoveries";
const LETTERS_PATH: &str = "/v1/webhook_endpoints/{webhook_endpoint}/dead_letters";

/// A call about the endpoint of the path, of whichever version of the API.
fn of_endpoint(path: &PathArgs<'_>, asked: DeliveryAsked) -> Result<Call, Refused> {
    let kind = kinds::of_endpoint(path.segments[0].1);
    Ok(Call::Delivery(Box::new(DeliveryCall {
        kind,
        id: path.id(0, kind)?,
        param: "webhook_endpoint",
        asked,
    })))
}

/// A call about a recovery of the endpoint of the path.
fn of_recovery(path: &PathArgs<'_>, asked: fn(Id) -> DeliveryAsked) -> Result<Call, Refused> {
    // The first id that is wrong is the one that is told.
    path.id(0, kinds::of_endpoint(path.segments[0].1))?;
    of_endpoint(path, asked(path.id(1, &kinds::WEBHOOK_RECOVERY)?))
}

/// A call about the event of the path.
fn of_event(path: &PathArgs<'_>, asked: DeliveryAsked) -> Result<Call, Refused> {
    Ok(Call::Delivery(Box::new(DeliveryCall {
        kind: &kinds::EVENT,
        id: path.id(0, &kinds::EVENT)?,
        param: "id",
        asked,
    })))
}

fn page(limit: Option<i64>) -> usize {
    limit.unwrap_or(PAGE_LIMIT_DEFAULT).clamp(1, PAGE_LIMIT_MAX) as usize
}

static LIST_OF_ENDPOINT: Endpoint<Call> = Endpoint {
    name: "list_webhook_endpoint_attempts",
    doc: "Lists the attempts to bring events to an endpoint, newest first. The public API has nothing like it.",
    method: Method::Get,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/attempts",
    params: ListEndpointAttempts::SHAPE,
    answers: Answers::Many(WebhookAttemptShown::SHAPE),
    parse: |path, form| {
        let asked: ListEndpointAttempts = take(form)?;
        let list = AttemptList {
            event: asked.event,
            endpoint: None,
            outcome: asked.outcome,
            created: asked.created.unwrap_or(Range::ALL),
            after: asked.starting_after,
            limit: page(asked.limit),
        };
        of_endpoint(path, DeliveryAsked::Attempts(list))
    },
};

static LIST_OF_EVENT: Endpoint<Call> = Endpoint {
    name: "list_event_attempts",
    doc: "Lists the attempts to bring an event to endpoints, newest first. The public API has nothing like it.",
    method: Method::Get,
    path: "/v1/events/{id}/attempts",
    params: ListEventAttempts::SHAPE,
    answers: Answers::Many(WebhookAttemptShown::SHAPE),
    parse: |path, form| {
        let asked: ListEventAttempts = take(form)?;
        let list = AttemptList {
            event: Some(EventId(path.id(0, &kinds::EVENT)?)),
            endpoint: asked.webhook_endpoint,
            outcome: asked.outcome,
            created: Range::ALL,
            after: asked.starting_after,
            limit: page(asked.limit),
        };
        of_event(path, DeliveryAsked::Attempts(list))
    },
};

static RETRY_EVENT: Endpoint<Call> = Endpoint {
    name: "retry_event",
    doc: "Sends an event again, as the official command line tool's `events resend` asks for it: to one endpoint, or to each \
          that wants it, whether it has taken it or not. Answers with the event.",
    method: Method::Post,
    path: "/v1/events/{id}/retry",
    params: RetryEvent::SHAPE,
    answers: Answers::One(EventShown::SHAPE),
    parse: |path, form| {
        let asked: RetryEvent = take(form)?;
        of_event(path, DeliveryAsked::Resend(asked.webhook_endpoint.map(|id| id.0)))
    },
};

static STATE: Endpoint<Call> = Endpoint {
    name: "retrieve_webhook_delivery",
    doc: "Retrieves how delivery to an endpoint goes. The public API has nothing like it.",
    method: Method::Get,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/delivery",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookDeliveryShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_endpoint(path, DeliveryAsked::State)
    },
};

static PAUSE: Endpoint<Call> = Endpoint {
    name: "pause_webhook_endpoint",
    doc: "Pauses an endpoint: nothing is sent there until it is resumed, and what happens meanwhile waits, for 30 days. The \
          public API has nothing like it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/pause",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookDeliveryShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_endpoint(path, DeliveryAsked::Pause)
    },
};

static RESUME: Endpoint<Call> = Endpoint {
    name: "resume_webhook_endpoint",
    doc: "Resumes a paused endpoint, and tries one that failed too often at once. What waited is sent. The public API has \
          nothing like it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/resume",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookDeliveryShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_endpoint(path, DeliveryAsked::Resume)
    },
};

static TEST: Endpoint<Call> = Endpoint {
    name: "test_webhook_endpoint",
    doc: "Sends an event to an endpoint that is made for it and stands in no list, and answers with the attempt. The public \
          API has nothing like it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/test",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookAttemptShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_endpoint(path, DeliveryAsked::Test)
    },
};

static PING: Endpoint<Call> = Endpoint {
    name: "ping_event_destination",
    doc: "Sends an event destination an event that is made for it and stands in no list, and answers with that event.",
    method: Method::Post,
    path: "/v2/core/event_destinations/{id}/ping",
    params: NoParams::SHAPE,
    answers: Answers::One(ThinEventShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let kind = &kinds::EVENT_DESTINATION;
        Ok(Call::Delivery(Box::new(DeliveryCall {
            kind,
            id: path.id(0, kind)?,
            param: "id",
            asked: DeliveryAsked::Ping,
        })))
    },
};

static RECOVER: Endpoint<Call> = Endpoint {
    name: "create_webhook_recovery",
    doc: "Sends the events of a range of time to an endpoint again, oldest first, beside what it is sent anyway. The job \
          goes on through restarts, and says how far it is. The public API has nothing like it.",
    method: Method::Post,
    path: JOBS_PATH,
    params: CreateWebhookRecovery::SHAPE,
    answers: Answers::One(WebhookRecoveryShown::SHAPE),
    parse: |path, form| {
        let asked: CreateWebhookRecovery = take(form)?;
        if asked.until.is_some_and(|until| until <= asked.since) {
            return Err(Refused::Malformed(
                "`until` must be later than `since`: nothing happened between them.".into(),
            ));
        }
        // One that nobody can want would end as a job that has done its work and sent nothing.
        if let Some(unknown) = asked.types.iter().find(|name| !event_names::is_known(name)) {
            return Err(Refused::Malformed(format!(
                "`types`: there is no event type {unknown}, and no group of them; an example is `payment_intent.succeeded`, or \
                 `charge.*`."
            )));
        }
        of_endpoint(path, DeliveryAsked::Recover(Box::new(asked)))
    },
};

static RECOVERIES: Endpoint<Call> = Endpoint {
    name: "list_webhook_recoveries",
    doc: "Lists the recoveries of an endpoint that are kept, newest first. The public API has nothing like it.",
    method: Method::Get,
    path: JOBS_PATH,
    params: NoParams::SHAPE,
    answers: Answers::Many(WebhookRecoveryShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_endpoint(path, DeliveryAsked::Recoveries)
    },
};

static RECOVERY: Endpoint<Call> = Endpoint {
    name: "retrieve_webhook_recovery",
    doc: "Retrieves a recovery of an endpoint. The public API has nothing like it.",
    method: Method::Get,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/recoveries/{recovery}",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookRecoveryShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_recovery(path, DeliveryAsked::Recovery)
    },
};

static CANCEL_RECOVERY: Endpoint<Call> = Endpoint {
    name: "cancel_webhook_recovery",
    doc: "Ends a recovery of an endpoint; what it has sent stays sent. The public API has nothing like it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/recoveries/{recovery}/cancel",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookRecoveryShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        of_recovery(path, DeliveryAsked::CancelRecovery)
    },
};

static DEAD_LETTERS: Endpoint<Call> = Endpoint {
    name: "list_webhook_dead_letters",
    doc: "Lists the events that were given up on the way to an endpoint, in the order in which they happened. The public API \
          has nothing like it.",
    method: Method::Get,
    path: LETTERS_PATH,
    params: ListWebhookDeadLetters::SHAPE,
    answers: Answers::Many(WebhookDeadLetterShown::SHAPE),
    parse: |path, form| {
        let asked: ListWebhookDeadLetters = take(form)?;
        let list = LetterList {
            after: asked.starting_after,
            limit: page(asked.limit),
        };
        of_endpoint(path, DeliveryAsked::DeadLetters(list))
    },
};

static REPLAY: Endpoint<Call> = Endpoint {
    name: "replay_webhook_dead_letters",
    doc: "Sends events again that were given up, with all attempts of the schedule before them. The public API has nothing \
          like it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/dead_letters/replay",
    params: ReplayWebhookDeadLetters::SHAPE,
    answers: Answers::One(WebhookReplayShown::SHAPE),
    parse: |path, form| {
        let asked: ReplayWebhookDeadLetters = take(form)?;
        of_endpoint(path, DeliveryAsked::Replay(Box::new(asked)))
    },
};
