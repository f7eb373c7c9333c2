//! Webhook endpoints: addresses that an account's events are sent to.
//!
//! An account's endpoints are part of its state ([`Account::endpoints`](crate::Account::endpoints)): there are few, every
//! delivery asks for them, and lists need no index. An endpoint is sent the events whose sequence number is greater than
//! its own.

mod decide;
mod delivery;
mod params;
mod report;
mod secret;
mod shown;
mod url;

pub(crate) use decide::{check_room, check_url, create, delete, list, no_events, retrieve, roll_secret, update};
pub use delivery::{Delivery, DeliveryOrder, DeliveryParams, RETRIES_MAX, RETRY_TIME_MAX_S};
pub use params::{
    CreateWebhookEndpoint, ENDPOINTS, EnabledEvent, EventsVersion, ListWebhookEndpoints, RollWebhookSecret,
    UpdateWebhookEndpoint, Vetted,
};
pub use report::EndpointReport;
pub(crate) use report::report;
pub use secret::{EndpointSecret, SEALED_SECRET_TAG, SECRET_LEN, SECRET_START, SealedSecret, WebhookSecret};
pub use shown::{
    DeletedWebhookEndpointShown, DeliveryShown, EndpointStatus, StatusDetailsShown, WebhookEndpointShown,
    WebhookEndpointsShown,
};
pub use url::{EndpointUrl, URL_LEN_MAX, UrlProblem};

use super::event_destination::{Destination, EventPayload, IncludedParts};
use super::event_names::ALL;
use crate::events::EventType;
use crate::object::ShowContext;
use crate::paging::Paging;
use crate::version_names;
use std::sync::Arc;
use tollgate_resource::{Id, Metadata, Names, Record, Version};

/// Most endpoints that an account may be allowed to have in one mode (`webhooks.endpoints_max`): all are in its state.
pub const ENDPOINTS_MAX: usize = 100;
/// Endpoints that an account may have in one mode where nothing else is set.
pub const ENDPOINTS_DEFAULT: usize = 16;
/// Most secrets of an endpoint that are valid at once.
pub const SECRETS_MAX: usize = 5;

/// An endpoint at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct WebhookEndpoint {
    /// Its id; also says when it was made, and after which event it begins.
    #[record(1)]
    pub id: Id,
    /// Where events are sent.
    #[record(2)]
    pub url: Box<str>,
    /// Which: names of events, `*` for all public ones, or the start of names and `*`. At least one.
    #[record(3)]
    pub enabled_events: Vec<Box<str>>,
    /// The version that events are written in; `None` for the account's at the time of the event.
    #[record(4)]
    pub api_version: Option<Version>,
    /// Whether it is for events of connected accounts instead of the account's own: not those that are made now, because there
    /// are no such accounts.
    #[record(5)]
    pub connect: bool,
    /// What it is for, in the merchant's words.
    #[record(6)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs.
    #[record(7)]
    pub metadata: Metadata,
    /// Whether events are sent.
    #[record(8)]
    pub state: EndpointState,
    /// What deliveries are signed with, newest first: at least one, at most [`SECRETS_MAX`].
    #[record(9)]
    pub secrets: Vec<EndpointSecret>,
    /// How events are sent, where the merchant has said so.
    #[record(10)]
    pub delivery: Option<Box<Delivery>>,
    /// Whether this version answers the request that drew its newest secret, and so shows it. Never so in the account's
    /// state.
    #[record(11)]
    pub fresh: bool,
    /// Since when deliveries have failed without a success in between, where that was reported; milliseconds since the Unix
    /// epoch.
    #[record(12)]
    pub failing_since_ms: Option<u64>,
    /// What it is besides, where it was made or named as an event destination.
    #[record(13)]
    pub destination: Option<Box<Destination>>,
    /// When it was changed last as an event destination, milliseconds since the Unix epoch; 0 for never.
    #[record(14)]
    pub updated_ms: u64,
    /// Set where this version answers a request about an event destination: what it shows besides. Never so in the account's
    /// state.
    #[record(15)]
    pub asked: Option<IncludedParts>,
}

/// How the body of a delivery is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyFormat {
    /// The event with its object, at that version; without one at the account's own, as of the time of the event.
    Snapshot(Option<Version>),
    /// The event, and where its object is found.
    Thin,
}

impl BodyFormat {
    /// As text: the name of the version, nothing for the account's own, or `thin`.
    pub fn text(self) -> &'static str {
        match self {
            BodyFormat::Snapshot(Some(version)) => version_names::name(version),
            BodyFormat::Snapshot(None) => "",
            BodyFormat::Thin => "thin",
        }
    }

    /// What [`BodyFormat::text`] wrote; `None` for any other text.
    pub fn read(text: &str) -> Option<BodyFormat> {
        match text {
            "" => Some(BodyFormat::Snapshot(None)),
            "thin" => Some(BodyFormat::Thin),
            name => version_names::parse(name).map(|version| BodyFormat::Snapshot(Some(version))),
        }
    }
}

/// Whether events are sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum EndpointState {
    /// They are.
    #[record(1)]
    Enabled,
    /// They are not, and wait.
    #[record(2)]
    Disabled {
        /// Why.
        #[record(1)]
        reason: DisabledReason,
        /// Since when, milliseconds since the Unix epoch.
        #[record(2)]
        since_ms: u64,
    },
    /// It was deleted.
    #[record(3)]
    Deleted,
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum DisabledReason {
    /// The merchant disabled it.
    #[record(1)]
    User,
    /// The merchant, or an operator, paused it.
    #[record(2)]
    Paused,
    /// No delivery has succeeded for days.
    #[record(3)]
    Failing,
    /// It answered 410: it is gone for good.
    #[record(4)]
    Gone,
}

/// Which endpoints are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointList {
    /// The page.
    pub paging: Paging,
}

/// A page of an account's endpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointPage {
    /// The endpoints, newest first.
    pub endpoints: Vec<Arc<WebhookEndpoint>>,
    /// Whether there are more.
    pub has_more: bool,
}

impl WebhookEndpoint {
    /// Whether events of that type are sent to it.
    pub fn wants(&self, event: EventType) -> bool {
        self.enabled_events.iter().any(|pattern| match &**pattern {
            ALL => !event.is_own(),
            pattern => event.matches(pattern),
        })
    }

    /// Whether it was deleted.
    pub fn is_deleted(&self) -> bool {
        self.state == EndpointState::Deleted
    }

    /// Has its events sent to another address, or to the same. Another one has not failed yet.
    pub(in crate::webhooks) fn send_to(&mut self, url: &str) {
        if *url != *self.url {
            self.failing_since_ms = None;
            self.url = url.into();
        }
    }

    /// Does what the merchant says of whether events are sent. One that is enabled again has not failed yet; one that was
    /// disabled for another reason stays so for the merchant's.
    pub(in crate::webhooks) fn switch(&mut self, enabled: bool, now_ms: u64) {
        let reason = DisabledReason::User;
        match (enabled, self.state) {
            (true, EndpointState::Disabled { .. }) => {
                self.state = EndpointState::Enabled;
                self.failing_since_ms = None;
            }
            (false, EndpointState::Disabled { reason: known, .. }) if known == reason => {}
            (false, _) => {
                let since_ms = now_ms;
                self.state = EndpointState::Disabled { reason, since_ms };
            }
            (true, _) => {}
        }
    }

    /// What is left of it when it is deleted.
    pub(in crate::webhooks) fn deleted(&self) -> WebhookEndpoint {
        WebhookEndpoint {
            state: EndpointState::Deleted,
            secrets: Vec::new(),
            ..self.clone()
        }
    }

    /// The same as it is kept in the account's state: without a secret to show.
    pub(crate) fn kept(self: &Arc<WebhookEndpoint>) -> Arc<WebhookEndpoint> {
        if !self.fresh && self.asked.is_none() {
            return Arc::clone(self);
        }
        Arc::new(WebhookEndpoint {
            fresh: false,
            asked: None,
            ..WebhookEndpoint::clone(self)
        })
    }

    /// What is sent to it of events.
    pub fn payload(&self) -> EventPayload {
        let destination = self.destination.as_deref();
        destination.map_or(EventPayload::Snapshot, |destination| destination.payload)
    }

    /// How the bodies of deliveries to it are written.
    pub fn body_format(&self) -> BodyFormat {
        match self.payload() {
            EventPayload::Snapshot => BodyFormat::Snapshot(self.api_version),
            EventPayload::Thin => BodyFormat::Thin,
        }
    }

    /// Its newest secret, where this version is to show it and it opens.
    pub(in crate::webhooks) fn fresh_secret(&self, context: &ShowContext<'_>) -> Option<String> {
        let newest = self.secrets.first().filter(|_| self.fresh)?;
        let opened = context.secrets.open_webhook_secret(newest.sealed.as_deref()?).ok()?;
        Some(String::clone(&opened.text()))
    }

    /// How events are sent to it.
    pub fn delivery(&self) -> &Delivery {
        static DEFAULT: Delivery = Delivery::DEFAULT;
        self.delivery.as_deref().unwrap_or(&DEFAULT)
    }

    /// The secrets that are valid at `now_ms`, newest first.
    pub fn secrets_at(&self, now_ms: u64) -> impl Iterator<Item = &EndpointSecret> {
        self.secrets.iter().filter(move |secret| secret.is_valid(now_ms))
    }
}
