//! An account's endpoints as delivery sees them: with their secrets open, and with what the node's settings decide.

use std::sync::Arc;
use tollgate_actors::outbox::account_of;
use tollgate_domain::account::Profile;
use tollgate_domain::events::EventType;
use tollgate_domain::webhooks::webhook_endpoint::{DeliveryOrder, DisabledReason, EndpointState, WebhookEndpoint};
use tollgate_domain::{Secrets, kinds};
use tollgate_resource::{Id, Names};
use tollgate_store::{Reads, StoreError};
use tollgate_webhooks::ports::AccountView;
use tollgate_webhooks::{
    ActiveSecret, EndpointKey, EndpointView, Ordering, Patterns, Schedule, Secret, Status, SwitchedOff,
};

/// What holds for endpoints that say nothing of it.
#[derive(Clone, Debug)]
pub struct Usual {
    /// Milliseconds for one attempt.
    pub timeout_ms: u32,
    /// When a failed delivery is tried again.
    pub schedule: Schedule,
}

/// An account and its endpoints; `visit` hears the id of each, by which the domain knows what delivery knows by number. May
/// wait for the disk.
///
/// # Errors
/// When the store cannot be read, or an endpoint's secret does not open.
pub fn account(
    reads: &dyn Reads,
    profile: &Arc<Profile>,
    secrets: &Secrets,
    usual: &Usual,
    visit: &mut dyn FnMut(EndpointKey, Id),
) -> Result<AccountView, StoreError> {
    let account = account_of(reads, profile)?;
    let mut endpoints = Vec::with_capacity(account.endpoints().len());
    // Those for connected accounts are sent nothing of the account's own.
    for endpoint in account.endpoints().iter().filter(|endpoint| !endpoint.connect) {
        let view = endpoint_view(endpoint, profile, account.seq, secrets, usual)?;
        visit(view.key, endpoint.id);
        endpoints.push(view);
    }
    Ok(AccountView {
        upto: account.seq,
        endpoints,
    })
}

/// What delivery has to know of an endpoint. `revision` rises with every change of the account.
fn endpoint_view(
    endpoint: &WebhookEndpoint,
    profile: &Profile,
    revision: u64,
    secrets: &Secrets,
    usual: &Usual,
) -> Result<EndpointView, StoreError> {
    let delivery = endpoint.delivery();
    let unfit = |what: String| StoreError::Body {
        place: endpoint.id.text(&kinds::WEBHOOK_ENDPOINT),
        what,
    };
    // Names, not patterns: what a pattern means is the domain's to say.
    let wanted = EventType::ALL.iter().filter(|event| endpoint.wants(**event));
    let filter = Patterns::new(wanted.map(|event| event.name())).map_err(|error| unfit(error.to_string()))?;
    let schedule = match delivery.retry_delays_s.as_slice() {
        [] => usual.schedule.clone(),
        delays => Schedule::new(delays).map_err(|error| unfit(error.to_string()))?,
    };
    let mut active = Vec::with_capacity(endpoint.secrets.len());
    for kept in &endpoint.secrets {
        let Some(sealed) = &kept.sealed else { continue };
        let secret = secrets
            .open_webhook_secret(sealed)
            .map_err(|why| unfit(format!("its secret does not open: {why}")))?;
        active.push(ActiveSecret {
            secret: Secret::new(secret.text().to_string()),
            until_s: kept.expires_ms.map(|end| (end / 1_000) as i64),
        });
    }
    Ok(EndpointView {
        key: EndpointKey {
            account: profile.key.0,
            seq: endpoint.id.seq(),
        },
        id: endpoint.id.text(&kinds::WEBHOOK_ENDPOINT).into(),
        revision,
        livemode: profile.livemode,
        url: Arc::from(&*endpoint.url),
        filter,
        api_version: endpoint.body_format().text().into(),
        status: match endpoint.state {
            EndpointState::Enabled => Status::Enabled,
            EndpointState::Disabled { reason, .. } => match reason {
                DisabledReason::Paused => Status::Paused,
                DisabledReason::User => Status::Disabled(SwitchedOff::Owner),
                DisabledReason::Failing => Status::Disabled(SwitchedOff::Failing),
                DisabledReason::Gone => Status::Disabled(SwitchedOff::Gone),
            },
            EndpointState::Deleted => Status::Disabled(SwitchedOff::Owner),
        },
        secrets: active,
        ordering: match delivery.order {
            None | Some(DeliveryOrder::FifoWhileHealthy) => Ordering::FifoWhileHealthy,
            Some(DeliveryOrder::Strict) => Ordering::Strict,
            Some(DeliveryOrder::None) => Ordering::None,
        },
        timeout_ms: delivery.timeout_ms.unwrap_or(usual.timeout_ms),
        rate_per_s: delivery.rate_per_second,
        schedule,
        standard_headers: delivery.standard_headers,
    })
}
