//! Events as the second version of the public API shows them: what happened to which object, and where that is found. Their
//! type is that of the event behind `v1.`; their id is that of the event.

use super::Event;
use crate::api;
use crate::call::{Call, ListQuery, Read};
use crate::kinds::{self, EventId};
use crate::object::{Object, ShowContext};
use crate::time::{read_moment, rfc3339};
use std::sync::LazyLock;
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, scalar};
use tollgate_resource::shown::{HasShape, Ident};
use tollgate_resource::{Endpoint, Id, Method, Names, ParamKind, ParamValue, Params, Problem, Shown, Step};

/// Something that happened to an object, and where that object is found.
#[derive(Shown)]
#[shown(object = "v2.core.event")]
pub struct ThinEventShown<'a> {
    /// Unique identifier of the event.
    pub id: Ident,
    /// When it happened.
    pub created: String,
    /// Whether the account is in live mode.
    pub livemode: bool,
    /// What caused it; null when nobody asked.
    pub reason: Option<ThinReasonShown<'a>>,
    /// The object it is about.
    pub related_object: RelatedObjectShown,
    /// The event that shows the object as it was, where there is one.
    #[shown(omit)]
    pub snapshot_event: Option<Ident>,
    /// What happened, e.g. `v1.charge.succeeded`.
    #[shown(name = "type")]
    pub kind: String,
}

/// A page of events.
#[derive(Shown)]
pub struct ThinEventsShown<'a> {
    /// The events, newest first.
    pub data: Vec<ThinEventShown<'a>>,
    /// Path of the next page; null on the last.
    pub next_page_url: Option<&'a str>,
    /// Path of the page before; always null: pages are walked one way.
    pub previous_page_url: Option<&'a str>,
}

/// What caused an event.
#[derive(Shown)]
pub struct ThinReasonShown<'a> {
    /// The request that did.
    pub request: ThinRequestShown<'a>,
    /// Always `request`.
    #[shown(name = "type")]
    pub kind: &'static str,
}

/// A request that caused an event.
#[derive(Shown)]
pub struct ThinRequestShown<'a> {
    /// Its id.
    pub id: Ident,
    /// The idempotency key it carried.
    pub idempotency_key: Option<&'a str>,
}

/// The object that an event is about.
#[derive(Shown)]
pub struct RelatedObjectShown {
    /// Its identifier.
    pub id: Ident,
    /// What it is.
    #[shown(name = "type")]
    pub kind: &'static str,
    /// Path at which it is read.
    pub url: String,
}

/// Which events to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListThinEvents {
    /// Only events that happened in this range of times.
    pub created: Option<MomentRange>,
    /// Most events of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only events about the object with this id.
    #[param(max_len = 255)]
    pub object_id: Option<Box<str>>,
    /// The page: what stands in `next_page_url` of the one before.
    pub page: Option<EventId>,
    /// Only events of one of these types.
    #[param(max_items = 20)]
    pub types: Vec<Box<str>>,
}

/// A range of times, each like `2026-11-16T12:00:00.000Z`.
#[derive(Params, Default, Clone, Debug)]
pub struct MomentRange {
    /// Later than this.
    pub gt: Option<Moment>,
    /// At this time or later.
    pub gte: Option<Moment>,
    /// Earlier than this.
    pub lt: Option<Moment>,
    /// At this time or earlier.
    pub lte: Option<Moment>,
}

impl MomentRange {
    /// In milliseconds since the Unix epoch.
    fn in_ms(&self) -> Range {
        let least = [self.gt.map(|after| after.0 + 1), self.gte.map(|from| from.0)];
        let most = [self.lt.map(|before| before.0 - 1), self.lte.map(|until| until.0)];
        Range {
            min: least.into_iter().flatten().max().unwrap_or(i64::MIN),
            max: most.into_iter().flatten().min().unwrap_or(i64::MAX),
        }
    }
}

/// A moment of RFC 3339, in milliseconds since the Unix epoch; 0 to some thousands of years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(i64);

impl ParamValue for Moment {
    const KIND: ParamKind = ParamKind::Word("time");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let read = read_moment(text).and_then(|ms| i64::try_from(ms).ok());
        read.map(Moment).ok_or(Problem::Custom {
            code: None,
            message: "Invalid time: {}. Write it like 2026-11-16T12:00:00Z.",
        })
    }
}

/// The operations on events of the second version.
pub const THIN_ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &LIST];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_thin_event",
    doc: "Retrieves an event as the second version of the API shows it.",
    method: Method::Get,
    path: "/v2/core/events/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(ThinEventShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::EVENT)?;
        Ok(Call::Read(Read::Object(&kinds::EVENT, id, "id")))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_thin_events",
    doc: "Lists events of the last 30 days as the second version of the API shows them, newest first.",
    method: Method::Get,
    path: "/v2/core/events",
    params: ListThinEvents::SHAPE,
    answers: Answers::One(ThinEventsShown::SHAPE),
    parse: |_, form| {
        let asked: ListThinEvents = take(form)?;
        let after = asked.page.map(|id| id.0);
        let mut query = ListQuery::of(&kinds::EVENT, "/v2/core/events").page(asked.limit, after, None)?;
        // A type of which there are none stays as it is, and finds none.
        let named = asked.types.iter();
        query.types = named
            .map(|name| name.strip_prefix("v1.").unwrap_or(name).into())
            .collect();
        query.about = asked.object_id;
        query.created_ms = asked.created.map_or(Range::ALL, |range| range.in_ms());
        Ok(Call::list(query))
    },
};

impl<'a> ThinEventShown<'a> {
    /// What `event` shows.
    pub fn of(event: &'a Event, context: &ShowContext<'_>) -> Self {
        let id = Ident {
            kind: &kinds::EVENT,
            id: event.id,
        };
        let request = event.request.map(|id| ThinRequestShown {
            id: Ident {
                kind: &kinds::REQUEST,
                id,
            },
            idempotency_key: event.idempotency_key.as_deref(),
        });
        ThinEventShown {
            id,
            created: rfc3339(event.id.unix_ms()),
            livemode: context.livemode,
            reason: request.map(|request| ThinReasonShown {
                request,
                kind: "request",
            }),
            related_object: RelatedObjectShown {
                id: Ident {
                    kind: event.object.kind(),
                    id: event.object.id(),
                },
                kind: event.object.kind().object,
                url: path_of(&event.object),
            },
            snapshot_event: Some(id),
            kind: format!("v1.{}", event.kind.name()),
        }
    }
}

impl ThinEventShown<'_> {
    /// The event that is made for an event destination to see whether it is reached.
    pub fn ping(event: Id, destination: Id, context: &ShowContext<'_>) -> Self {
        let (kind, id) = (&kinds::WEBHOOK_ENDPOINT, destination);
        ThinEventShown {
            id: Ident {
                kind: &kinds::EVENT,
                id: event,
            },
            created: rfc3339(event.unix_ms()),
            livemode: context.livemode,
            reason: None,
            related_object: RelatedObjectShown {
                id: Ident { kind, id },
                kind: "v2.core.event_destination",
                url: format!("/v2/core/event_destinations/{}", id.text(kind)),
            },
            snapshot_event: None,
            kind: "v2.core.event_destination.ping".to_owned(),
        }
    }
}

/// The path at which an object is read: that of the operation which answers with one, filled with its id and, below another
/// one, with that.
fn path_of(object: &Object) -> String {
    let kind = object.kind();
    let own = object.id().text(kind);
    let Some(mut path) = PATHS[usize::from(kind.number)] else {
        return format!("/v1/{}s/{own}", kind.object);
    };
    let mut ids: Vec<String> = vec![own];
    object.parents(&mut |parent| ids.push(text_of(parent)));
    // The object stands last in its path, what it belongs to before it.
    let mut out = String::new();
    let mut left = path.matches('{').count();
    while let Some((before, rest)) = path.split_once('{') {
        left -= 1;
        out.push_str(before);
        out.push_str(ids.get(left).map_or("", |id| id));
        path = rest.split_once('}').map_or("", |(_, rest)| rest);
    }
    out + path
}

/// By the number of a kind, the shortest path of an operation that answers with one object of it. Found once: every thin event
/// that is sent says one.
static PATHS: LazyLock<[Option<&'static str>; KINDS_MAX]> = LazyLock::new(|| {
    let mut paths = [None; KINDS_MAX];
    for kind in kinds::ALL {
        let reads = |endpoint: &&&Endpoint<Call>| {
            let shows = |shape: &tollgate_resource::Shape| shape.object == Some(kind.object);
            let answers = matches!(endpoint.answers, Answers::One(shape) if shows(shape));
            answers && endpoint.method == Method::Get && endpoint.path.ends_with('}')
        };
        let variables = |endpoint: &&&Endpoint<Call>| endpoint.path.matches('{').count();
        let found = api::ENDPOINTS.iter().filter(reads).min_by_key(variables);
        paths[usize::from(kind.number)] = found.map(|endpoint| endpoint.path);
    }
    paths
});
/// Numbers of kinds lie below this.
const KINDS_MAX: usize = u64::BITS as usize;

/// An id with the prefix of its kind.
fn text_of(id: Id) -> String {
    let kind = kinds::ALL.iter().find(|kind| id.is(kind));
    kind.map_or_else(String::new, |kind| id.text(kind))
}
