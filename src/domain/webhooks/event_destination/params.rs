//! Parameters and operations of event destinations. Their bodies are JSON; the edge reads them as forms.

use super::shown::{DeletedEventDestinationShown, EventDestinationShown, EventDestinationsShown};
use super::{DestinationList, EventPayload, IncludedParts, PAGE_DEFAULT, PAGE_MAX};
use crate::call::{Call, Command, Read};
use crate::kinds::{self, EventDestinationId};
use crate::webhooks::webhook_endpoint::{EventsVersion, Vetted};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, MetadataUpdate, Method, Names, Params, Update};

/// Where events are to be sent.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateEventDestination {
    /// What it is for.
    pub description: Update<Box<str>>,
    /// Which events are sent: of snapshots their names, of thin events their names behind `v1.`; or `*` for all.
    #[param(required, max_items = 300)]
    pub enabled_events: Vec<Box<str>>,
    /// What is sent of them.
    #[param(required)]
    pub event_payload: Option<EventPayload>,
    /// Whose events: `@self`, the account's own; older libraries say `self`.
    #[param(max_items = 4)]
    pub events_from: Vec<Box<str>>,
    /// What the answer shows besides.
    #[param(max_items = 2)]
    pub include: Vec<IncludedPart>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Its name.
    #[param(required)]
    pub name: Box<str>,
    /// The version that snapshots are written in, instead of the account's own.
    pub snapshot_api_version: Option<EventsVersion>,
    /// Its type: `webhook_endpoint`.
    #[param(required, name = "type")]
    pub kind: Box<str>,
    /// Its address.
    pub webhook_endpoint: Option<DestinationAddressParams>,
}

/// What changes about a destination.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateEventDestination {
    /// What it is for.
    pub description: Update<Box<str>>,
    /// Which events are sent.
    #[param(max_items = 300)]
    pub enabled_events: Option<Vec<Box<str>>>,
    /// What the answer shows besides.
    #[param(max_items = 2)]
    pub include: Vec<IncludedPart>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Its address.
    pub webhook_endpoint: Option<DestinationAddressParams>,
}

/// The address of a destination.
#[derive(Params, Default, Clone, Debug)]
pub struct DestinationAddressParams {
    /// Where events are sent: https, in test mode also http, of a host that is publicly accessible.
    pub url: Option<Box<str>>,
}

impl CreateEventDestination {
    /// The address that events are to be sent to.
    pub fn url(&self) -> Option<&str> {
        self.webhook_endpoint.as_ref()?.url.as_deref()
    }
}

impl UpdateEventDestination {
    /// The address that events are to be sent to from now on.
    pub fn url(&self) -> Option<&str> {
        self.webhook_endpoint.as_ref()?.url.as_deref()
    }
}

/// What a look at a destination shows besides.
#[derive(Params, Default, Clone, Debug)]
pub struct RetrieveEventDestination {
    /// What the answer shows besides.
    #[param(max_items = 2)]
    pub include: Vec<IncludedPart>,
}

/// Which destinations to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListEventDestinations {
    /// What the answer shows of each besides.
    #[param(max_items = 2)]
    pub include: Vec<IncludedPart>,
    /// Most destinations of the page: 1 to 100, 20 if not given.
    pub limit: Option<i64>,
    /// The page: what stands in `next_page_url` of the one before.
    pub page: Option<EventDestinationId>,
}

/// Something that answers show only when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum IncludedPart {
    /// The secret, in the answer of the request that makes the destination.
    #[name = "webhook_endpoint.signing_secret"]
    SigningSecret,
    /// The address.
    #[name = "webhook_endpoint.url"]
    Url,
}

/// What a list of parts asks for.
pub(super) fn included(parts: &[IncludedPart]) -> IncludedParts {
    IncludedParts {
        url: parts.contains(&IncludedPart::Url),
        signing_secret: parts.contains(&IncludedPart::SigningSecret),
    }
}

/// The operations on event destinations.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &DELETE, &LIST, &ENABLE, &DISABLE];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_event_destination",
    doc: "Makes a webhook endpoint as an event destination.",
    method: Method::Post,
    path: "/v2/core/event_destinations",
    params: CreateEventDestination::SHAPE,
    answers: Answers::One(EventDestinationShown::SHAPE),
    parse: |_, form| {
        let asked = take_boxed(form)?;
        Ok(Call::Write(Command::CreateEventDestination(asked, Vetted::Unseen)))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_event_destination",
    doc: "Retrieves an event destination.",
    method: Method::Get,
    path: "/v2/core/event_destinations/{id}",
    params: RetrieveEventDestination::SHAPE,
    answers: Answers::One(EventDestinationShown::SHAPE),
    parse: |path, form| {
        let asked: RetrieveEventDestination = take(form)?;
        let id = path.id(0, &kinds::EVENT_DESTINATION)?;
        Ok(Call::Read(Read::EventDestination(id, included(&asked.include))))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_event_destination",
    doc: "Changes an event destination.",
    method: Method::Post,
    path: "/v2/core/event_destinations/{id}",
    params: UpdateEventDestination::SHAPE,
    answers: Answers::One(EventDestinationShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::EVENT_DESTINATION)?;
        let asked = take_boxed(form)?;
        Ok(Call::Write(Command::UpdateEventDestination(id, asked, Vetted::Unseen)))
    },
};

static DELETE: Endpoint<Call> = Endpoint {
    name: "delete_event_destination",
    doc: "Deletes an event destination.",
    method: Method::Delete,
    path: "/v2/core/event_destinations/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedEventDestinationShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::EVENT_DESTINATION)?;
        Ok(Call::Write(Command::DeleteEventDestination(id)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_event_destinations",
    doc: "Lists event destinations, newest first.",
    method: Method::Get,
    path: "/v2/core/event_destinations",
    params: ListEventDestinations::SHAPE,
    answers: Answers::One(EventDestinationsShown::SHAPE),
    parse: |_, form| {
        let asked: ListEventDestinations = take(form)?;
        let limit = asked.limit.unwrap_or(PAGE_DEFAULT as i64).clamp(1, PAGE_MAX as i64);
        Ok(Call::Read(Read::EventDestinations(DestinationList {
            limit: limit as usize,
            after: asked.page.map(|id| id.0),
            included: included(&asked.include),
        })))
    },
};

static ENABLE: Endpoint<Call> = Endpoint {
    name: "enable_event_destination",
    doc: "Has events sent to a destination again.",
    method: Method::Post,
    path: "/v2/core/event_destinations/{id}/enable",
    params: NoParams::SHAPE,
    answers: Answers::One(EventDestinationShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::EVENT_DESTINATION)?;
        Ok(Call::Write(Command::SwitchEventDestination(id, true)))
    },
};

static DISABLE: Endpoint<Call> = Endpoint {
    name: "disable_event_destination",
    doc: "Has no events sent to a destination for now. What happens meanwhile is kept for 30 days.",
    method: Method::Post,
    path: "/v2/core/event_destinations/{id}/disable",
    params: NoParams::SHAPE,
    answers: Answers::One(EventDestinationShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::EVENT_DESTINATION)?;
        Ok(Call::Write(Command::SwitchEventDestination(id, false)))
    },
};
