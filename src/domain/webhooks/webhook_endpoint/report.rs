//! What whoever delivers reports of an endpoint. No request asks for it.

use super::{DisabledReason, EndpointState, WebhookEndpoint};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::events::EventType;
use crate::object::Object;
use std::sync::Arc;
use tollgate_resource::Id;

/// Something that became of an endpoint. A report that says nothing new changes nothing, so it may be made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointReport {
    /// Nothing was delivered for long; raises `webhook_endpoint.failing`, once until it recovers.
    Failing {
        /// Since when, milliseconds since the Unix epoch.
        since_ms: u64,
    },
    /// Something was delivered again.
    Recovered,
    /// Nothing is to be sent there any more; raises `webhook_endpoint.disabled`.
    Disable(DisabledReason),
    /// What was paused goes on.
    Resume,
}

/// Notes a report. One about an endpoint that the account has no longer is too late and changes nothing.
pub(crate) fn report(case: &Case<'_>, id: Id, report: EndpointReport) -> Result<Decision, Stop> {
    let Some(before) = case.world.account.endpoint(id) else {
        return Ok(case.nothing());
    };
    let mut endpoint = WebhookEndpoint::clone(before);
    let raised = match (report, before.state) {
        (EndpointReport::Failing { since_ms }, EndpointState::Enabled) if before.failing_since_ms.is_none() => {
            endpoint.failing_since_ms = Some(since_ms);
            Some(EventType::WebhookEndpointFailing)
        }
        (EndpointReport::Recovered, _) if before.failing_since_ms.is_some() => {
            endpoint.failing_since_ms = None;
            None
        }
        (EndpointReport::Disable(reason), EndpointState::Enabled) => {
            endpoint.state = EndpointState::Disabled {
                reason,
                since_ms: case.inputs.now_ms,
            };
            match reason {
                DisabledReason::Failing | DisabledReason::Gone => Some(EventType::WebhookEndpointDisabled),
                DisabledReason::Paused | DisabledReason::User => None,
            }
        }
        (
            EndpointReport::Resume,
            EndpointState::Disabled {
                reason: DisabledReason::Paused,
                ..
            },
        ) => {
            endpoint.state = EndpointState::Enabled;
            None
        }
        _ => return Ok(case.nothing()),
    };
    let mut draft = case.draft();
    draft.put(Object::WebhookEndpoint(Arc::new(endpoint)));
    if let Some(event) = raised {
        draft.event(event, id);
    }
    Ok(draft.decide(Reply::Nobody))
}
