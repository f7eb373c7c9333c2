//! What webhook endpoints show.

use super::{DeliveryOrder, DisabledReason, EndpointPage, EndpointState, WebhookEndpoint};
use crate::kinds;
use crate::object::ShowContext;
use crate::time::seconds_of;
use crate::version_names;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Names, Shown};

/// An address that an account's events are sent to.
#[derive(Shown)]
#[shown(object = "webhook_endpoint")]
pub struct WebhookEndpointShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// The version that events are written in; null for the account's own.
    pub api_version: Option<&'static str>,
    /// The Connect application it belongs to; there are none.
    pub application: Option<&'static str>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// How events are sent, where something was said about it. The public API has nothing like it.
    #[shown(omit)]
    pub delivery: Option<DeliveryShown>,
    /// What it is for.
    pub description: Option<&'a str>,
    /// Which events are sent.
    pub enabled_events: Vec<&'a str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// What deliveries are signed with. It is shown when it is drawn, and never again.
    #[shown(omit)]
    pub secret: Option<String>,
    /// Whether events are sent.
    pub status: EndpointStatus,
    /// Why it was disabled, where the merchant did not do it by `disabled`, or since when deliveries fail. The public API has
    /// nothing like it.
    #[shown(omit)]
    pub status_details: Option<StatusDetailsShown>,
    /// Where they are sent.
    pub url: &'a str,
}

/// Whether events are sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum EndpointStatus {
    /// They are.
    Enabled,
    /// They are not; they wait for 30 days.
    Disabled,
}

/// What became of an endpoint.
#[derive(Shown)]
pub struct StatusDetailsShown {
    /// Why it was disabled; null while it is enabled.
    pub disabled_reason: Option<DisabledReason>,
    /// When it was disabled, in seconds since the Unix epoch; null while it is enabled.
    pub disabled_since: Option<Seconds>,
    /// Since when deliveries have failed, in seconds since the Unix epoch; null while they do not, or not for long.
    pub failing_since: Option<Seconds>,
}

/// How events are sent to an endpoint.
#[derive(Shown)]
pub struct DeliveryShown {
    /// What may overtake what.
    pub order: DeliveryOrder,
    /// Most attempts a second; null for no limit.
    pub rate_per_second: Option<i64>,
    /// Seconds from each failed attempt to the next; null for the usual ones.
    pub retry_delays: Option<Vec<i64>>,
    /// Whether the headers of the Standard Webhooks convention are sent besides.
    pub standard_headers: bool,
    /// How long an attempt may take, in milliseconds; null for the usual time.
    pub timeout_ms: Option<i64>,
}

/// What is left to see of an endpoint that was deleted.
#[derive(Shown)]
#[shown(object = "webhook_endpoint")]
pub struct DeletedWebhookEndpointShown {
    /// Unique identifier the endpoint had.
    pub id: Ident,
    /// Always true.
    pub deleted: bool,
}

/// A list of endpoints.
#[derive(Shown)]
#[shown(object = "list")]
pub struct WebhookEndpointsShown<'a> {
    /// The endpoints, newest first.
    pub data: Vec<WebhookEndpointShown<'a>>,
    /// Whether there are more.
    pub has_more: bool,
    /// Path of the list.
    pub url: &'a str,
}

impl<'a> WebhookEndpointShown<'a> {
    /// What `endpoint` shows. A fresh one shows its newest secret; where that does not open, it is left out.
    pub fn of(endpoint: &'a WebhookEndpoint, context: &ShowContext<'_>) -> Self {
        WebhookEndpointShown {
            id: ident(endpoint),
            api_version: endpoint.api_version.map(version_names::name),
            application: None,
            created: Seconds(endpoint.id.created()),
            delivery: endpoint.delivery.as_ref().map(|_| DeliveryShown::of(endpoint)),
            description: endpoint.description.as_deref(),
            enabled_events: endpoint.enabled_events.iter().map(|event| &**event).collect(),
            livemode: context.livemode,
            metadata: &endpoint.metadata,
            secret: endpoint.fresh_secret(context),
            status: match endpoint.state {
                EndpointState::Enabled => EndpointStatus::Enabled,
                EndpointState::Disabled { .. } | EndpointState::Deleted => EndpointStatus::Disabled,
            },
            status_details: StatusDetailsShown::of(endpoint),
            url: &endpoint.url,
        }
    }
}

impl StatusDetailsShown {
    fn of(endpoint: &WebhookEndpoint) -> Option<StatusDetailsShown> {
        let disabled = match endpoint.state {
            EndpointState::Disabled { reason, since_ms } if reason != DisabledReason::User => Some((reason, since_ms)),
            _ => None,
        };
        if disabled.is_none() && endpoint.failing_since_ms.is_none() {
            return None;
        }
        Some(StatusDetailsShown {
            disabled_reason: disabled.map(|(reason, _)| reason),
            disabled_since: disabled.map(|(_, since_ms)| Seconds(seconds_of(since_ms))),
            failing_since: endpoint.failing_since_ms.map(|ms| Seconds(seconds_of(ms))),
        })
    }
}

impl DeliveryShown {
    fn of(endpoint: &WebhookEndpoint) -> DeliveryShown {
        let delivery = endpoint.delivery();
        let delays = || delivery.retry_delays_s.iter().map(|delay| i64::from(*delay)).collect();
        DeliveryShown {
            order: delivery.order.unwrap_or_default(),
            rate_per_second: delivery.rate_per_second.map(i64::from),
            retry_delays: (!delivery.retry_delays_s.is_empty()).then(delays),
            standard_headers: delivery.standard_headers,
            timeout_ms: delivery.timeout_ms.map(i64::from),
        }
    }
}

impl DeletedWebhookEndpointShown {
    /// What is left of `endpoint`.
    pub fn of(endpoint: &WebhookEndpoint) -> Self {
        DeletedWebhookEndpointShown {
            id: ident(endpoint),
            deleted: true,
        }
    }
}

impl<'a> WebhookEndpointsShown<'a> {
    /// What `page` shows.
    pub fn of(page: &'a EndpointPage, context: &ShowContext<'_>) -> Self {
        let shown = page
            .endpoints
            .iter()
            .map(|endpoint| WebhookEndpointShown::of(endpoint, context));
        WebhookEndpointsShown {
            data: shown.collect(),
            has_more: page.has_more,
            url: "/v1/webhook_endpoints",
        }
    }
}

fn ident(endpoint: &WebhookEndpoint) -> Ident {
    Ident {
        kind: &kinds::WEBHOOK_ENDPOINT,
        id: endpoint.id,
    }
}
