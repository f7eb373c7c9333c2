//! What requests do to webhook endpoints. There are no events of them.

use super::params::{CreateWebhookEndpoint, RollWebhookSecret, UpdateWebhookEndpoint, Vetted};
use super::{
    Delivery, DeliveryParams, EndpointList, EndpointPage, EndpointSecret, EndpointState, EndpointUrl, SECRETS_MAX,
    WebhookEndpoint,
};
use crate::account::Account;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::reject::{Reject, codes};
use crate::webhooks::event_destination::EventPayload;
use crate::webhooks::event_names::ALL;
use std::sync::Arc;
use tollgate_resource::{Id, Metadata};

/// How long the older secrets of an endpoint go on being valid, where a request does not say, in seconds: a day.
const ROLL_DEFAULT_S: i64 = 24 * 60 * 60;

/// Makes an endpoint. Its answer shows its secret, and so does every replay of it; nothing else ever does.
pub(crate) fn create(case: &Case<'_>, asked: &CreateWebhookEndpoint, vetted: &Vetted) -> Result<Decision, Stop> {
    check_url(case, &asked.url, vetted, "url")?;
    if asked.connect == Some(true) {
        let message = "Connect is not available on this account: there are no connected accounts, so nothing would ever be sent. \
                       Leave `connect` out to be sent the account's own events.";
        return Err(Reject::invalid(None, message).with_param("connect").into());
    }
    let enabled_events = checked_events(asked.enabled_events.iter().map(|event| &*event.0))?;
    check_room(case)?;
    let mut metadata = Metadata::default();
    metadata::merge(&mut metadata, &asked.metadata)?;
    let delivery = delivery_of(&Delivery::DEFAULT, asked.delivery.as_ref())?;
    let mut draft = case.draft();
    let id = draft.born(&kinds::WEBHOOK_ENDPOINT);
    draft.put(Object::WebhookEndpoint(Arc::new(WebhookEndpoint {
        id,
        url: asked.url.clone(),
        enabled_events,
        api_version: asked.api_version.map(|given| given.0),
        connect: false,
        description: asked.description.clone().into_option(),
        metadata,
        state: EndpointState::Enabled,
        secrets: vec![EndpointSecret::draw(case)],
        delivery,
        fresh: true,
        failing_since_ms: None,
        destination: None,
        updated_ms: 0,
        asked: None,
    })));
    Ok(draft.decide(Reply::Object(&kinds::WEBHOOK_ENDPOINT, id)))
}

/// Changes an endpoint. One that is enabled again, or given another address, has not failed yet.
pub(crate) fn update(
    case: &Case<'_>,
    id: Id,
    asked: &UpdateWebhookEndpoint,
    vetted: &Vetted,
) -> Result<Decision, Stop> {
    let before = known(case, id)?;
    let mut endpoint = WebhookEndpoint::clone(before);
    if let Some(url) = &asked.url {
        check_url(case, url, vetted, "url")?;
        endpoint.send_to(url);
    }
    if let Some(events) = &asked.enabled_events {
        endpoint.enabled_events = checked_events(events.iter().map(|event| &*event.0))?;
    }
    asked.description.clone().apply_to(&mut endpoint.description);
    metadata::merge(&mut endpoint.metadata, &asked.metadata)?;
    if asked.delivery.is_some() {
        endpoint.delivery = delivery_of(before.delivery(), asked.delivery.as_ref())?;
    }
    if let Some(disabled) = asked.disabled {
        endpoint.switch(!disabled, case.inputs.now_ms);
    }
    Ok(put(case, endpoint))
}

/// Forgets an endpoint, and with it what was to be sent there.
pub(crate) fn delete(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    Ok(put(case, known(case, id)?.deleted()))
}

/// Draws another secret for an endpoint and shows it. The older ones go on being valid for a while, so that a receiver can
/// be told of the new one without missing anything.
pub(crate) fn roll_secret(case: &Case<'_>, id: Id, asked: &RollWebhookSecret) -> Result<Decision, Stop> {
    let before = known(case, id)?;
    let now_ms = case.inputs.now_ms;
    let grace_s = asked.expires_in.unwrap_or(ROLL_DEFAULT_S);
    let end_ms = now_ms + u64::try_from(grace_s).expect("the form bounds it") * 1_000;
    let older = before.secrets_at(now_ms).map(|secret| EndpointSecret {
        expires_ms: Some(secret.expires_ms.map_or(end_ms, |end| end.min(end_ms))),
        ..secret.clone()
    });
    let older: Vec<EndpointSecret> = older.filter(|secret| secret.is_valid(now_ms)).collect();
    if older.len() >= SECRETS_MAX {
        let message = format!(
            "This webhook endpoint has {SECRETS_MAX} secrets that are still valid, which is the most it can have. Wait until \
             one expires, or end them now with `expires_in=0`."
        );
        return Err(Reject::invalid(None, message).with_param("expires_in").begun().into());
    }
    let mut secrets = vec![EndpointSecret::draw(case)];
    secrets.extend(older);
    Ok(put(
        case,
        WebhookEndpoint {
            secrets,
            fresh: true,
            ..WebhookEndpoint::clone(before)
        },
    ))
}

/// An endpoint as a look at it shows it. One that is sent thin events is an event destination only.
pub(crate) fn retrieve(account: &Account, id: Id, param: &str) -> Result<Arc<WebhookEndpoint>, Stop> {
    let found = account.endpoint(id).filter(|found| is_of_first_version(found));
    Ok(Arc::clone(
        found.ok_or_else(|| Reject::no_such(&kinds::WEBHOOK_ENDPOINT, id, param))?,
    ))
}

/// A page of an account's endpoints, newest first.
pub(crate) fn list(account: &Account, asked: EndpointList) -> Result<EndpointPage, Stop> {
    let all = account
        .endpoints()
        .iter()
        .rev()
        .filter(|found| is_of_first_version(found));
    let all: Vec<Arc<WebhookEndpoint>> = all.cloned().collect();
    let (endpoints, has_more) = asked
        .paging
        .cut(all, &kinds::WEBHOOK_ENDPOINT, |endpoint| endpoint.id)?;
    Ok(EndpointPage { endpoints, has_more })
}

/// The endpoint, if the account has it.
pub(super) fn known<'a>(case: &Case<'a>, id: Id) -> Result<&'a WebhookEndpoint, Stop> {
    let found = case
        .world
        .account
        .endpoint(id)
        .filter(|found| is_of_first_version(found));
    let found = found.map(|found| &**found);
    Ok(found.ok_or_else(|| Reject::no_such(&kinds::WEBHOOK_ENDPOINT, id, "webhook_endpoint"))?)
}

fn is_of_first_version(endpoint: &WebhookEndpoint) -> bool {
    endpoint.payload() == EventPayload::Snapshot
}

/// Refuses one endpoint more than an account may have.
pub(crate) fn check_room(case: &Case<'_>) -> Result<(), Stop> {
    let (account, max) = (case.world.account, case.inputs.webhook_endpoints_max);
    if account.endpoints().len() < max {
        return Ok(());
    }
    let mode = if account.profile.livemode { "live" } else { "test" };
    let message = format!("You have reached the maximum of {max} {mode} webhook endpoints.");
    Err(Reject::invalid(None, message).begun().into())
}

/// The decision that an endpoint becomes this.
fn put(case: &Case<'_>, endpoint: WebhookEndpoint) -> Decision {
    let id = endpoint.id;
    let mut draft = case.draft();
    draft.put(Object::WebhookEndpoint(Arc::new(endpoint)));
    draft.decide(Reply::Object(&kinds::WEBHOOK_ENDPOINT, id))
}

/// Refuses an address that cannot be sent to.
pub(crate) fn check_url(case: &Case<'_>, url: &str, vetted: &Vetted, param: &'static str) -> Result<(), Stop> {
    let refused = |why: &str| {
        let message = format!("Invalid URL: {why}");
        Stop::from(Reject::invalid(Some(codes::URL_INVALID), message).with_param(param))
    };
    let parsed = EndpointUrl::parse(url).map_err(|problem| refused(problem.text()))?;
    if case.world.account.profile.livemode && !parsed.https {
        return Err(refused("In live mode, webhooks are sent over https only."));
    }
    match vetted {
        Vetted::Fit | Vetted::Unseen => Ok(()),
        Vetted::Unfit(why) => Err(refused(why)),
    }
}

/// What was asked for, each once.
fn checked_events<'a>(asked: impl Iterator<Item = &'a str>) -> Result<Vec<Box<str>>, Stop> {
    let mut events: Vec<Box<str>> = Vec::new();
    for event in asked {
        if !events.iter().any(|known| **known == *event) {
            events.push(event.into());
        }
    }
    if events.is_empty() {
        return Err(no_events());
    }
    Ok(events)
}

/// An endpoint is asked for that would be sent nothing. A list without members comes as a parameter that is there.
pub(crate) fn no_events() -> Stop {
    let message = format!("Missing required param: enabled_events. Name the events to be sent, or `{ALL}` for all.");
    Reject::invalid(Some(codes::PARAMETER_MISSING), message)
        .with_param("enabled_events")
        .into()
}

/// How events are to be sent, if that was ever said.
fn delivery_of(before: &Delivery, asked: Option<&DeliveryParams>) -> Result<Option<Box<Delivery>>, Stop> {
    let delivery = match asked {
        Some(asked) => before.changed(asked)?,
        None => before.clone(),
    };
    Ok((delivery != Delivery::DEFAULT).then(|| Box::new(delivery)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_once_each_in_the_order_they_were_named() {
        let events = checked_events(["charge.failed", "*", "charge.failed"].into_iter()).expect("fit");
        assert_eq!(
            events.iter().map(|event| &**event).collect::<Vec<_>>(),
            ["charge.failed", "*"]
        );
        assert!(checked_events(std::iter::empty()).is_err());
    }
}
