//! What event destinations show.

use super::{DestinationPage, EventPayload, IncludedParts};
use crate::kinds;
use crate::object::ShowContext;
use crate::time::rfc3339;
use crate::version_names;
use crate::webhooks::event_names::ALL;
use crate::webhooks::webhook_endpoint::{DisabledReason, EndpointState, EndpointStatus, WebhookEndpoint};
use tollgate_resource::shown::Ident;
use tollgate_resource::{Metadata, Shown};

/// Path of the list.
const PATH: &str = "/v2/core/event_destinations";
/// What a destination is called that was made without a name.
const UNNAMED: &str = "Webhook endpoint";

/// A webhook endpoint as an event destination.
#[derive(Shown)]
#[shown(object = "v2.core.event_destination")]
pub struct EventDestinationShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// When it was made.
    pub created: String,
    /// What it is for.
    pub description: &'a str,
    /// Which events are sent.
    pub enabled_events: Vec<String>,
    /// What is sent of them.
    pub event_payload: EventPayload,
    /// Whose events.
    pub events_from: Vec<&'static str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// Its name.
    pub name: &'a str,
    /// The version that snapshots are written in; null for the account's own, and of thin events.
    pub snapshot_api_version: Option<&'static str>,
    /// Whether events are sent.
    pub status: EndpointStatus,
    /// Why not; null while they are.
    pub status_details: Option<DestinationStatusShown>,
    /// Its type.
    #[shown(name = "type")]
    pub kind: &'static str,
    /// When it was changed last.
    pub updated: String,
    /// Its address, as far as it was asked for.
    pub webhook_endpoint: DestinationAddressShown<'a>,
}

/// Why nothing is sent to a destination.
#[derive(Shown)]
pub struct DestinationStatusShown {
    /// What is known of that.
    pub disabled: DestinationDisabledShown,
}

/// Why a destination is disabled.
#[derive(Shown)]
pub struct DestinationDisabledShown {
    /// The reason; `paused`, `failing` and `gone` are Tollgate's own.
    pub reason: DisabledReason,
}

/// The address of a destination. The public API shows null for what was not asked for.
#[derive(Shown)]
pub struct DestinationAddressShown<'a> {
    /// The secret; null but where it was just drawn and asked for.
    pub signing_secret: Option<String>,
    /// The address; null where it was not asked for.
    pub url: Option<&'a str>,
}

/// What is left to see of a destination that was deleted.
#[derive(Shown)]
#[shown(object = "v2.core.event_destination")]
pub struct DeletedEventDestinationShown {
    /// Unique identifier the destination had.
    pub id: Ident,
}

/// A page of destinations.
#[derive(Shown)]
pub struct EventDestinationsShown<'a> {
    /// The destinations, newest first.
    pub data: Vec<EventDestinationShown<'a>>,
    /// Path of the next page; null on the last.
    pub next_page_url: Option<String>,
    /// Path of the page before; always null: pages are walked one way.
    pub previous_page_url: Option<&'static str>,
}

impl<'a> EventDestinationShown<'a> {
    /// What `endpoint` shows as a destination, with these parts.
    pub fn of(endpoint: &'a WebhookEndpoint, included: IncludedParts, context: &ShowContext<'_>) -> Self {
        let payload = endpoint.payload();
        let name_of = |event: &str| match payload {
            EventPayload::Thin if event != ALL => format!("v1.{event}"),
            _ => event.to_owned(),
        };
        let disabled = match endpoint.state {
            EndpointState::Disabled { reason, .. } => Some(reason),
            EndpointState::Enabled | EndpointState::Deleted => None,
        };
        EventDestinationShown {
            id: ident(endpoint),
            created: rfc3339(endpoint.id.unix_ms()),
            description: endpoint.description.as_deref().unwrap_or_default(),
            enabled_events: endpoint.enabled_events.iter().map(|event| name_of(event)).collect(),
            event_payload: payload,
            events_from: vec![if endpoint.connect { "@accounts" } else { "@self" }],
            livemode: context.livemode,
            metadata: &endpoint.metadata,
            name: endpoint
                .destination
                .as_deref()
                .map_or(UNNAMED, |destination| &*destination.name),
            snapshot_api_version: endpoint.api_version.map(version_names::name),
            status: match endpoint.state {
                EndpointState::Enabled => EndpointStatus::Enabled,
                EndpointState::Disabled { .. } | EndpointState::Deleted => EndpointStatus::Disabled,
            },
            status_details: disabled.map(|reason| DestinationStatusShown {
                disabled: DestinationDisabledShown { reason },
            }),
            kind: "webhook_endpoint",
            updated: rfc3339(endpoint.updated_ms.max(endpoint.id.unix_ms())),
            webhook_endpoint: DestinationAddressShown {
                signing_secret: endpoint.fresh_secret(context).filter(|_| included.signing_secret),
                url: included.url.then_some(&*endpoint.url),
            },
        }
    }
}

impl DeletedEventDestinationShown {
    /// What is left of `endpoint`.
    pub fn of(endpoint: &WebhookEndpoint) -> Self {
        DeletedEventDestinationShown { id: ident(endpoint) }
    }
}

impl<'a> EventDestinationsShown<'a> {
    /// What `page` shows.
    pub fn of(page: &'a DestinationPage, context: &ShowContext<'_>) -> Self {
        let included = page.asked.included;
        let shown = page
            .destinations
            .iter()
            .map(|endpoint| EventDestinationShown::of(endpoint, included, context));
        let next = page.destinations.last().filter(|_| page.has_more).map(|last| {
            let include = if included.url {
                "&include[0]=webhook_endpoint.url"
            } else {
                ""
            };
            let last = last.id.text(&kinds::WEBHOOK_ENDPOINT);
            format!("{PATH}?limit={}&page={last}{include}", page.asked.limit)
        });
        EventDestinationsShown {
            data: shown.collect(),
            next_page_url: next,
            previous_page_url: None,
        }
    }
}

fn ident(endpoint: &WebhookEndpoint) -> Ident {
    Ident {
        kind: &kinds::WEBHOOK_ENDPOINT,
        id: endpoint.id,
    }
}
