//! What delivery answers, in the words of the domain and of the operator API.

use serde_json::{Value, json};
use tollgate_actors::Shown;
use tollgate_domain::object::ShowContext;
use tollgate_domain::webhooks::deliveries::{
    Delivered, DeliveryState, Ping, RecentWebhookAttempts, RecoveryScope, RecoveryStatus, WebhookDelivery,
    WebhookRecovery,
};
use tollgate_domain::webhooks::webhook_endpoint::DisabledReason;
use tollgate_domain::{Item, Profile, Reject, SHAPE_REVISION, Secrets, kinds};
use tollgate_resource::{Expand, Id, Names};
use tollgate_webhooks::book::{JobState, Only, RecoverJob};
use tollgate_webhooks::hall::{LaneState, LaneStatus, Refused};
use tollgate_webhooks::ports::Body;
use tollgate_webhooks::{Halt, SwitchedOff};
use tollgate_wire::{Rendering, errors, versions};

pub(super) fn item(delivered: Delivered) -> Item {
    Item::Delivered(Box::new(delivered))
}

pub(super) fn one(delivered: Delivered) -> Shown {
    Shown::One(item(delivered))
}

pub(super) fn page(endpoint: Id, what: &str, items: impl Iterator<Item = Delivered>, has_more: bool) -> Shown {
    let endpoint = endpoint.text(&kinds::WEBHOOK_ENDPOINT);
    Shown::Page {
        url: format!("/v1/webhook_endpoints/{endpoint}/{what}").into(),
        items: items.map(item).collect(),
        has_more,
        total_count: None,
    }
}

/// A refusal of the dispatcher, about an object.
pub(super) fn told(refused: Refused, about: Id) -> Reject {
    match refused {
        Refused::NoEvent => Reject::no_such(&kinds::EVENT, about, "id"),
        Refused::NoJob => Reject::no_such(&kinds::WEBHOOK_RECOVERY, about, "recovery"),
        Refused::TooMany => Reject {
            status: 429,
            ..Reject::invalid(
                None,
                "Too much of this waits already; try again when some of it is done.",
            )
        },
        // The account has it, so its lane is about to come, or was just deleted.
        Refused::NoEndpoint | Refused::Unread => errors::unavailable(),
    }
}

/// A parameter names an endpoint that the account does not have.
pub(super) fn no_such_endpoint(id: Id) -> Reject {
    let called = kinds::of_endpoint(&id.text(&kinds::WEBHOOK_ENDPOINT));
    Reject::no_such_param(called, id, "webhook_endpoint")
}

pub(super) fn job_id(job: &RecoverJob, endpoint: Id) -> Id {
    Id::new(&kinds::WEBHOOK_RECOVERY, job.began_ms, job.id, endpoint.seq() as u32)
}

pub(super) fn recovery(job: RecoverJob, endpoint: Id) -> WebhookRecovery {
    WebhookRecovery {
        id: job_id(&job, endpoint),
        endpoint,
        since_ms: job.since_ms,
        until_ms: job.until_ms,
        types: job.types,
        scope: match job.only {
            Only::Undelivered => RecoveryScope::Undelivered,
            Only::Delivered => RecoveryScope::Delivered,
            Only::All => RecoveryScope::All,
        },
        status: match job.state {
            JobState::Running => RecoveryStatus::Running,
            JobState::Done => RecoveryStatus::Completed,
            JobState::Canceled => RecoveryStatus::Canceled,
        },
        remaining: match job.state {
            JobState::Running => job.last.saturating_sub(job.done),
            JobState::Done | JobState::Canceled => 0,
        },
        sent: job.sent,
        succeeded: job.taken,
    }
}

pub(super) fn delivery(status: &LaneStatus, endpoint: Id, now_ms: u64) -> WebhookDelivery {
    WebhookDelivery {
        endpoint,
        state: match &status.state {
            LaneState::Sending => DeliveryState::Sending,
            LaneState::Broken(_) if status.state.word() == "open" => DeliveryState::Open,
            LaneState::Broken(_) => DeliveryState::Probing,
            LaneState::Paused => DeliveryState::Paused,
            LaneState::Disabled(_) => DeliveryState::Disabled,
            LaneState::Halted(_) if status.state.word() == "gone" => DeliveryState::Gone,
            LaneState::Halted(_) => DeliveryState::Dead,
            LaneState::Quarantined(_) => DeliveryState::Quarantined,
        },
        disabled: disabled_of(&status.state),
        in_flight: status.in_flight as u64,
        waiting: status.waiting,
        dead: status.dead,
        behind: status.upto.saturating_sub(status.low),
        oldest_ms: status.oldest_ms,
        lag_ms: status.oldest_ms.map(|oldest| now_ms.saturating_sub(oldest)),
        recent: status.recent.map(|recent| RecentWebhookAttempts {
            attempts: recent.attempts,
            succeeded: recent.taken,
            p50_ms: recent.p50_ms,
            p95_ms: recent.p95_ms,
        }),
        failing_since_ms: status.failing_since_ms,
    }
}

/// Why an endpoint is disabled, or about to be.
fn disabled_of(state: &LaneState) -> Option<DisabledReason> {
    match state {
        LaneState::Disabled(SwitchedOff::Owner) => Some(DisabledReason::User),
        LaneState::Disabled(SwitchedOff::Failing) | LaneState::Halted(Halt::Dead) => Some(DisabledReason::Failing),
        LaneState::Disabled(SwitchedOff::Gone) | LaneState::Halted(Halt::Gone) => Some(DisabledReason::Gone),
        LaneState::Sending | LaneState::Broken(_) | LaneState::Paused | LaneState::Quarantined(_) => None,
    }
}

/// A lane as an operator sees it.
pub(super) fn of_lane(lane: &LaneStatus, now_ms: u64) -> Value {
    let seconds_ago = |ms: Option<u64>| ms.map(|ms| now_ms.saturating_sub(ms) / 1_000);
    let why = match &lane.state {
        LaneState::Quarantined(why) => Some(why.as_str()),
        state => disabled_of(state).map(|reason| reason.name()),
    };
    let recent = lane.recent;
    json!({
        "endpoint": &*lane.id, "shard": lane.shard, "state": lane.state.word(), "why": why, "in_flight": lane.in_flight,
        "limit": lane.limit, "behind": lane.upto.saturating_sub(lane.low), "oldest_s": seconds_ago(lane.oldest_ms),
        "waiting": lane.waiting, "dead": lane.dead, "failing_s": seconds_ago(lane.failing_since_ms),
        "attempts": recent.map(|it| it.attempts), "succeeded": recent.map(|it| it.taken),
        "p50_ms": recent.map(|it| it.p50_ms), "p95_ms": recent.map(|it| it.p95_ms),
    })
}

/// An event that is made for a test: it stands in no list, and is signed and sent like any other.
pub(super) fn test_event(profile: &Profile, endpoint: Id, now_ms: u64) -> Body {
    // Its number is that of no event, so nobody can ask for it.
    let event_id = Id::new(&kinds::EVENT, now_ms, 0, profile.key.tag()).text(&kinds::EVENT);
    let api_version = profile.event_version(now_ms);
    let body = json!({
        "id": event_id, "object": "event", "api_version": versions::name(api_version), "created": now_ms / 1_000,
        "data": { "object": {
            "id": endpoint.text(&kinds::WEBHOOK_ENDPOINT), "object": "webhook_endpoint", "livemode": profile.livemode,
        } },
        "livemode": profile.livemode, "pending_webhooks": 0, "request": { "id": null, "idempotency_key": null },
        "type": "webhook_endpoint.test",
    });
    Body {
        event_id: event_id.into(),
        bytes: body.to_string().into(),
    }
}

/// The body of a ping, as the answer shows it.
pub(super) fn ping_event(profile: &Profile, ping: Ping, secrets: &Secrets) -> Body {
    let rendering = Rendering {
        show: ShowContext {
            secrets,
            clock_ms: ping.event.unix_ms(),
            livemode: profile.livemode,
            account: profile.key,
            revision: SHAPE_REVISION,
            version_name: versions::name(versions::DEFAULT),
            public_url: "",
        },
        version: versions::DEFAULT,
        expand: Expand::NONE,
        attached: &[],
        account: None,
    };
    let mut bytes = Vec::new();
    rendering.item(&item(Delivered::Ping(ping)), &mut bytes);
    Body {
        event_id: ping.event.text(&kinds::EVENT).into(),
        bytes: bytes.into(),
    }
}
