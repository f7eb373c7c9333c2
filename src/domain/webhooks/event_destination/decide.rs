//! What requests do to event destinations.

use super::{
    CreateEventDestination, Destination, DestinationList, DestinationPage, EventPayload, IncludedParts,
    UpdateEventDestination,
};
use crate::account::Account;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::reject::{Reject, codes};
use crate::webhooks::event_names::{self, ALL};
use crate::webhooks::webhook_endpoint::{
    EndpointSecret, EndpointState, Vetted, WebhookEndpoint, check_room, check_url, no_events,
};
use std::sync::Arc;
use tollgate_resource::{Id, Metadata};

/// How the types of thin events begin whose objects are of the first version of the API.
const OF_FIRST_VERSION: &str = "v1.";
/// The only account whose events can be asked for: as it is named now, and as older libraries name it.
const OWN_ACCOUNT: [&str; 2] = ["@self", "self"];

/// Makes a destination, which is an endpoint.
pub(crate) fn create(case: &Case<'_>, asked: &CreateEventDestination, vetted: &Vetted) -> Result<Decision, Stop> {
    let wrong = |param: &str, message: String| Stop::from(Reject::invalid(None, message).with_param(param));
    let kind = &*asked.kind;
    if kind != "webhook_endpoint" {
        let message =
            format!("Event destinations of the type {kind:?} are not served here, only those of `webhook_endpoint`.");
        return Err(wrong("type", message));
    }
    if let Some(from) = asked.events_from.iter().find(|from| !OWN_ACCOUNT.contains(&&***from)) {
        let message = format!(
            "Connect is not available on this account: there are no connected accounts, so nothing would ever be sent from \
             {from:?}. Leave `events_from` out, or say `@self`, to be sent the account's own events."
        );
        return Err(wrong("events_from", message));
    }
    let payload = asked.event_payload.expect("the form makes sure of required parameters");
    if payload == EventPayload::Thin && asked.snapshot_api_version.is_some() {
        let message = "Thin events are written in no version: leave `snapshot_api_version` out.".to_owned();
        return Err(wrong("snapshot_api_version", message));
    }
    let url = asked.url().ok_or_else(|| {
        let message = "Missing required param: webhook_endpoint[url].";
        Reject::invalid(Some(codes::PARAMETER_MISSING), message).with_param("webhook_endpoint[url]")
    })?;
    check_url(case, url, vetted, "webhook_endpoint[url]")?;
    let enabled_events = events_of(&asked.enabled_events, payload)?;
    check_room(case)?;
    let mut metadata = Metadata::default();
    metadata::merge(&mut metadata, &asked.metadata)?;
    let mut draft = case.draft();
    let id = draft.born_other(&kinds::WEBHOOK_ENDPOINT);
    draft.put(Object::WebhookEndpoint(Arc::new(WebhookEndpoint {
        id,
        url: url.into(),
        enabled_events,
        api_version: asked.snapshot_api_version.map(|given| given.0),
        connect: false,
        description: asked.description.clone().into_option(),
        metadata,
        state: EndpointState::Enabled,
        secrets: vec![EndpointSecret::draw(case)],
        delivery: None,
        fresh: true,
        failing_since_ms: None,
        destination: Some(Box::new(Destination {
            name: asked.name.clone(),
            payload,
        })),
        updated_ms: 0,
        asked: Some(super::params::included(&asked.include)),
    })));
    Ok(draft.decide(Reply::Object(&kinds::WEBHOOK_ENDPOINT, id)))
}

/// Changes a destination.
pub(crate) fn update(
    case: &Case<'_>,
    id: Id,
    asked: &UpdateEventDestination,
    vetted: &Vetted,
) -> Result<Decision, Stop> {
    let mut endpoint = WebhookEndpoint::clone(known(case.world.account, id)?);
    let payload = endpoint.payload();
    if let Some(url) = asked.url() {
        check_url(case, url, vetted, "webhook_endpoint[url]")?;
        endpoint.send_to(url);
    }
    if let Some(events) = &asked.enabled_events {
        endpoint.enabled_events = events_of(events, payload)?;
    }
    asked.description.clone().apply_to(&mut endpoint.description);
    metadata::merge(&mut endpoint.metadata, &asked.metadata)?;
    if let Some(name) = &asked.name {
        endpoint.destination = Some(Box::new(Destination {
            name: name.clone(),
            payload,
        }));
    }
    Ok(put(case, endpoint, super::params::included(&asked.include)))
}

/// Enables or disables a destination. One that is so already stays as it is.
pub(crate) fn switch(case: &Case<'_>, id: Id, enabled: bool) -> Result<Decision, Stop> {
    let mut endpoint = WebhookEndpoint::clone(known(case.world.account, id)?);
    endpoint.switch(enabled, case.inputs.now_ms);
    Ok(put(case, endpoint, IncludedParts::default()))
}

/// Forgets a destination.
pub(crate) fn delete(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let endpoint = known(case.world.account, id)?.deleted();
    Ok(put(case, endpoint, IncludedParts::default()))
}

/// A destination as a look at it shows it.
pub(crate) fn retrieve(account: &Account, id: Id, included: IncludedParts) -> Result<Arc<WebhookEndpoint>, Stop> {
    known(account, id).map(|endpoint| shown_with(endpoint, included))
}

/// A page of an account's destinations, newest first.
pub(crate) fn list(account: &Account, asked: DestinationList) -> Result<DestinationPage, Stop> {
    let older = |endpoint: &&Arc<WebhookEndpoint>| asked.after.is_none_or(|after| endpoint.id < after);
    let mut found = account.endpoints().iter().rev().filter(older);
    let page = found.by_ref().take(asked.limit);
    let destinations = page.map(|endpoint| shown_with(endpoint, asked.included)).collect();
    Ok(DestinationPage {
        destinations,
        has_more: found.next().is_some(),
        asked,
    })
}

fn known(account: &Account, id: Id) -> Result<&Arc<WebhookEndpoint>, Stop> {
    let found = account.endpoint(id);
    Ok(found.ok_or_else(|| Reject::no_such(&kinds::EVENT_DESTINATION, id, "id"))?)
}

fn shown_with(endpoint: &WebhookEndpoint, included: IncludedParts) -> Arc<WebhookEndpoint> {
    Arc::new(WebhookEndpoint {
        asked: Some(included),
        ..endpoint.clone()
    })
}

/// The decision that a destination becomes this.
fn put(case: &Case<'_>, endpoint: WebhookEndpoint, included: IncludedParts) -> Decision {
    let id = endpoint.id;
    let mut draft = case.draft();
    draft.put(Object::WebhookEndpoint(Arc::new(WebhookEndpoint {
        updated_ms: case.inputs.now_ms,
        asked: Some(included),
        ..endpoint
    })));
    draft.decide(Reply::Object(&kinds::WEBHOOK_ENDPOINT, id))
}

/// What was asked for, each once, in the names of events of the first version.
fn events_of(asked: &[Box<str>], payload: EventPayload) -> Result<Vec<Box<str>>, Stop> {
    let is_thin = |given: &str| given.strip_prefix(OF_FIRST_VERSION).is_some_and(event_names::is_known);
    let mut events: Vec<Box<str>> = Vec::new();
    for (at, given) in asked.iter().enumerate() {
        let event = match payload {
            EventPayload::Snapshot => Some(&**given),
            EventPayload::Thin if **given == *ALL => Some(ALL),
            EventPayload::Thin => given.strip_prefix(OF_FIRST_VERSION),
        };
        let Some(event) = event.filter(|event| event_names::is_known(event)) else {
            let hint = match payload {
                EventPayload::Thin if event_names::is_known(given) => {
                    format!("; thin events have names of their own, this one is {OF_FIRST_VERSION}{given}")
                }
                EventPayload::Snapshot if is_thin(given) => {
                    "; it is one of thin events, and snapshots have names without `v1.`".to_owned()
                }
                EventPayload::Thin | EventPayload::Snapshot => String::new(),
            };
            let message = format!("Invalid enabled_events[{at}]: there is no such event type: {given}{hint}");
            return Err(Reject::invalid(None, message)
                .with_param(format!("enabled_events[{at}]"))
                .into());
        };
        if !events.iter().any(|known| **known == *event) {
            events.push(event.into());
        }
    }
    if events.is_empty() {
        return Err(no_events());
    }
    Ok(events)
}
