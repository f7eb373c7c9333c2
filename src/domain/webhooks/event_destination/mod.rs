//! Event destinations: webhook endpoints as the second version of the public API sees them. They are the same endpoints, kept and
//! delivered to in the same way; one that was made here may ask for thin events, which name what changed and do not show it, and is
//! then no endpoint of the first version.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{create, delete, list, retrieve, switch, update};
pub use params::{
    CreateEventDestination, ENDPOINTS, IncludedPart, ListEventDestinations, RetrieveEventDestination,
    UpdateEventDestination,
};
pub use shown::{DeletedEventDestinationShown, EventDestinationShown, EventDestinationsShown};

use crate::webhooks::webhook_endpoint::WebhookEndpoint;
use std::sync::Arc;
use tollgate_resource::{Id, Names, Record};

/// Most destinations of a page, and how many it has where nothing is said.
pub const PAGE_MAX: usize = 100;
/// See [`PAGE_MAX`].
pub const PAGE_DEFAULT: usize = 20;

/// What an endpoint is besides, that was made as an event destination.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Destination {
    /// Its name.
    #[record(1)]
    pub name: Box<str>,
    /// What is sent.
    #[record(2)]
    pub payload: EventPayload,
}

/// What is sent of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum EventPayload {
    /// The event with its object as it was.
    #[record(1)]
    Snapshot,
    /// The event, and where its object is found.
    #[record(2)]
    Thin,
}

/// Which parts of a destination an answer shows that it does not show by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Record)]
pub struct IncludedParts {
    /// The address.
    #[record(1)]
    pub url: bool,
    /// The secret, where it was just drawn.
    #[record(2)]
    pub signing_secret: bool,
}

/// Which destinations are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DestinationList {
    /// Most of them: 1 to [`PAGE_MAX`].
    pub limit: usize,
    /// The last one of the page before.
    pub after: Option<Id>,
    /// What is shown of each besides.
    pub included: IncludedParts,
}

/// A page of an account's destinations.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationPage {
    /// The destinations, newest first, each as it is to be shown.
    pub destinations: Vec<Arc<WebhookEndpoint>>,
    /// Whether there are more.
    pub has_more: bool,
    /// What was asked for.
    pub asked: DestinationList,
}
