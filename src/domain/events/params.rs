//! Parameters and operations of events.

use super::shown::EventShown;
use crate::call::{Call, ListQuery, Read};
use crate::kinds::{self, EventId};
use tollgate_resource::operation::{Answers, Refused, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which events to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListEvents {
    /// Only events made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only events that every webhook has taken (`true`), or that one has not taken yet (`false`). Without a webhook there
    /// is nothing to take, so that every event counts as taken.
    pub delivery_success: Option<bool>,
    /// Only events newer than this one.
    pub ending_before: Option<EventId>,
    /// Most events of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only events about the object with this id.
    #[param(max_len = 255)]
    pub related_object: Option<Box<str>>,
    /// Only events older than this one.
    pub starting_after: Option<EventId>,
    /// Only events of this type; a trailing `*` stands for any rest. Not together with `types`.
    #[param(name = "type")]
    pub kind: Option<Box<str>>,
    /// Only events of one of these types.
    #[param(max_items = 20)]
    pub types: Vec<Box<str>>,
}

/// The operations on events.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &LIST];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_event",
    doc: "Retrieves an event.",
    method: Method::Get,
    path: "/v1/events/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(EventShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::EVENT,
            path.id(0, &kinds::EVENT)?,
            "id",
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_events",
    doc: "Lists events of the last 30 days, newest first.",
    method: Method::Get,
    path: "/v1/events",
    params: ListEvents::SHAPE,
    answers: Answers::Many(EventShown::SHAPE),
    parse: |_, form| {
        let asked: ListEvents = take(form)?;
        if asked.kind.is_some() && !asked.types.is_empty() {
            return Err(Refused::Malformed(
                "You may only specify one of these parameters: type, types.".into(),
            ));
        }
        let mut query = ListQuery::of(&kinds::EVENT, "/v1/events").created(asked.created).page(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        )?;
        query.types = asked.kind.into_iter().chain(asked.types).collect();
        query.about = asked.related_object;
        query.delivered = asked.delivery_success;
        Ok(Call::list(query))
    },
};
