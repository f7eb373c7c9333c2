//! Parameters and operations of webhook endpoints.

use super::shown::{DeletedWebhookEndpointShown, WebhookEndpointShown};
use super::{DeliveryParams, EndpointList};
use crate::call::{Call, Command, Read};
use crate::events::EventType;
use crate::kinds::{self, WebhookEndpointId};
use crate::paging::Paging;
use crate::version_names;
use crate::webhooks::event_names;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{Bounds, HasParams, NoParams, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{
    Endpoint, MetadataUpdate, Method, Names, ParamKind, ParamValue, Params, Problem, Step, Update, Version,
};

/// Where events are to be sent.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateWebhookEndpoint {
    /// The version that events are written in, instead of the account's own.
    pub api_version: Option<EventsVersion>,
    /// Whether it is for events of connected accounts instead of the account's own: there are none, so only `false` is taken.
    pub connect: Option<bool>,
    /// How events are sent. The public API has nothing like it.
    pub delivery: Option<DeliveryParams>,
    /// What it is for.
    pub description: Update<Box<str>>,
    /// Which events are sent: their names, or `*` for all but those that only Tollgate has. The start of names and `*`, such
    /// as `charge.*`, is taken too.
    #[param(required, max_items = 300)]
    pub enabled_events: Vec<EnabledEvent>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// The address they are sent to: https, in test mode also http, of a host that is publicly accessible.
    #[param(required)]
    pub url: Box<str>,
}

/// What changes about an endpoint.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateWebhookEndpoint {
    /// How events are sent. The public API has nothing like it.
    pub delivery: Option<DeliveryParams>,
    /// What it is for.
    pub description: Update<Box<str>>,
    /// Whether nothing is sent for now. What happens meanwhile is kept for 30 days.
    pub disabled: Option<bool>,
    /// Which events are sent.
    #[param(max_items = 300)]
    pub enabled_events: Option<Vec<EnabledEvent>>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// The address they are sent to.
    pub url: Option<Box<str>>,
}

/// How the secret of an endpoint is rolled.
#[derive(Params, Default, Clone, Debug)]
pub struct RollWebhookSecret {
    /// For how many seconds the secrets so far go on being valid: 0 to 604800, which are seven days; a day if not given.
    #[param(min = 0, max = 604_800)]
    pub expires_in: Option<i64>,
}

/// Which endpoints to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListWebhookEndpoints {
    /// Only endpoints newer than this one.
    pub ending_before: Option<WebhookEndpointId>,
    /// Most endpoints of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only endpoints older than this one.
    pub starting_after: Option<WebhookEndpointId>,
}

/// What is known of the host of an address. Names are resolved at the edge, before the command is decided; what it finds is
/// told only after the idempotency key had its say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Vetted {
    /// Nobody looked: there is no edge.
    #[default]
    Unseen,
    /// Webhooks may be sent there.
    Fit,
    /// They may not; says why, behind `Invalid URL: `.
    Unfit(Box<str>),
}

/// A version that events are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsVersion(pub Version);

impl ParamValue for EventsVersion {
    const KIND: ParamKind = ParamKind::Names(version_names::NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let version = version_names::parse(text);
        version.map(EventsVersion).ok_or(Problem::Names(version_names::NAMES))
    }
}

/// One of the events that are sent: a name, `*`, or the start of names and `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnabledEvent(pub Box<str>);

impl ParamValue for EnabledEvent {
    const KIND: ParamKind = ParamKind::Names(event_names::NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        if event_names::is_known(text) {
            return Ok(EnabledEvent(text.into()));
        }
        Err(Problem::Names(event_names::NAMES))
    }
}

impl EventType {
    /// Whether only Tollgate has it: then `*` does not ask for it.
    pub fn is_own(self) -> bool {
        event_names::OWN.contains(&self.name())
    }
}

/// The operations on webhook endpoints.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &DELETE, &LIST, &ROLL_SECRET];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_webhook_endpoint",
    doc: "Makes an address that events are sent to. The answer shows the secret that they are signed with, once.",
    method: Method::Post,
    path: "/v1/webhook_endpoints",
    params: CreateWebhookEndpoint::SHAPE,
    answers: Answers::One(WebhookEndpointShown::SHAPE),
    parse: |_, form| {
        let asked = take_boxed(form)?;
        Ok(Call::Write(Command::CreateWebhookEndpoint(asked, Vetted::Unseen)))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_webhook_endpoint",
    doc: "Retrieves a webhook endpoint.",
    method: Method::Get,
    path: "/v1/webhook_endpoints/{webhook_endpoint}",
    params: NoParams::SHAPE,
    answers: Answers::One(WebhookEndpointShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let kind = &kinds::WEBHOOK_ENDPOINT;
        Ok(Call::Read(Read::Object(kind, path.id(0, kind)?, "webhook_endpoint")))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_webhook_endpoint",
    doc: "Changes a webhook endpoint, or enables or disables it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}",
    params: UpdateWebhookEndpoint::SHAPE,
    answers: Answers::One(WebhookEndpointShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::WEBHOOK_ENDPOINT)?;
        let asked = take_boxed(form)?;
        Ok(Call::Write(Command::UpdateWebhookEndpoint(id, asked, Vetted::Unseen)))
    },
};

static DELETE: Endpoint<Call> = Endpoint {
    name: "delete_webhook_endpoint",
    doc: "Deletes a webhook endpoint, and what was yet to be sent there.",
    method: Method::Delete,
    path: "/v1/webhook_endpoints/{webhook_endpoint}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedWebhookEndpointShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::WEBHOOK_ENDPOINT)?;
        Ok(Call::Write(Command::DeleteWebhookEndpoint(id)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_webhook_endpoints",
    doc: "Lists webhook endpoints, newest first.",
    method: Method::Get,
    path: "/v1/webhook_endpoints",
    params: ListWebhookEndpoints::SHAPE,
    answers: Answers::Many(WebhookEndpointShown::SHAPE),
    parse: |_, form| {
        let asked: ListWebhookEndpoints = take(form)?;
        let paging = Paging::of(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        );
        Ok(Call::Read(Read::WebhookEndpoints(EndpointList { paging })))
    },
};

static ROLL_SECRET: Endpoint<Call> = Endpoint {
    name: "roll_webhook_endpoint_secret",
    doc: "Draws another secret for a webhook endpoint and shows it, once. The ones before go on being valid for a while. The \
          public API has nothing like it.",
    method: Method::Post,
    path: "/v1/webhook_endpoints/{webhook_endpoint}/roll_secret",
    params: RollWebhookSecret::SHAPE,
    answers: Answers::One(WebhookEndpointShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::WEBHOOK_ENDPOINT)?;
        Ok(Call::Write(Command::RollWebhookSecret(id, take(form)?)))
    },
};
