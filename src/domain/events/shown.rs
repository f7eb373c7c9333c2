//! What an event shows.

use super::{Event, EventType};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{HasShape, Ident, Seconds, lead};
use tollgate_resource::{FieldShape, Shape, Shown, ShownValue, Value, ValueKind, Version};

/// Something that happened to an object, with the object as it was right then.
#[derive(Shown)]
#[shown(object = "event")]
pub struct EventShown<'a> {
    /// Unique identifier of the event.
    pub id: Ident,
    /// The API version in which `data` is written.
    pub api_version: &'a str,
    /// When it happened, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The object, and what changed about it.
    pub data: EventDataShown<'a>,
    /// Whether the account is in live mode.
    pub livemode: bool,
    /// Webhooks that have yet to be delivered.
    pub pending_webhooks: i64,
    /// The request that caused it.
    pub request: EventRequestShown<'a>,
    /// What happened, e.g. `charge.succeeded`.
    #[shown(name = "type")]
    pub kind: EventType,
}

/// The request that caused an event; both members are null when nobody asked.
#[derive(Shown)]
pub struct EventRequestShown<'a> {
    /// Id of the request.
    pub id: Option<Ident>,
    /// The idempotency key the request carried.
    pub idempotency_key: Option<&'a str>,
}

/// The object of an event. Written by hand, because the object may be of any kind.
pub struct EventDataShown<'a> {
    /// The object at the event's version.
    pub object: &'a dyn Shown,
    /// The object before the event.
    pub previous: Option<&'a dyn Shown>,
}

impl<'a> EventShown<'a> {
    /// What `event` shows, given its object's and that object's previous version's shown forms.
    pub fn of(event: &'a Event, data: EventDataShown<'a>, context: &ShowContext<'a>) -> Self {
        EventShown {
            id: Ident {
                kind: &kinds::EVENT,
                id: event.id,
            },
            api_version: context.version_name,
            created: Seconds(event.id.created()),
            data,
            livemode: context.livemode,
            pending_webhooks: i64::from(event.pending_webhooks),
            request: EventRequestShown {
                id: event.request.map(|id| Ident {
                    kind: &kinds::REQUEST,
                    id,
                }),
                idempotency_key: event.idempotency_key.as_deref(),
            },
            kind: event.kind,
        }
    }
}

const DATA_OBJECT: usize = 0;

impl HasShape for EventDataShown<'_> {
    const SHAPE: &'static Shape = &Shape {
        name: "EventData",
        doc: "The object an event is about.",
        object: None,
        fields: &[
            any("object", "The object as it was when the event happened.", false),
            any(
                "previous_attributes",
                "For updates: the members that changed, at their values before.",
                true,
            ),
        ],
    };
}

impl Shown for EventDataShown<'_> {
    fn shape(&self) -> &'static Shape {
        Self::SHAPE
    }
    fn value(&self, index: usize) -> Value<'_> {
        match (index, self.previous) {
            (DATA_OBJECT, _) => Value::Node(self.object),
            (_, Some(old)) => Value::Previous { old, new: self.object },
            (_, None) => Value::Absent,
        }
    }
}

impl ShownValue for EventDataShown<'_> {
    const KIND: ValueKind = ValueKind::Node(Self::SHAPE);
    fn shown(&self) -> Value<'_> {
        Value::Node(self)
    }
}

const fn any(name: &'static str, doc: &'static str, omit: bool) -> FieldShape {
    FieldShape {
        name,
        lead: lead(name),
        doc,
        kind: ValueKind::Any,
        nullable: false,
        omit,
        expand: false,
        since: Version::ALWAYS,
        until: Version::NEVER,
        included_until: Version::ALWAYS,
        revision: 1,
    }
}
