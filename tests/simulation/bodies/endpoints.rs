//! What merchants ask about their webhook endpoints.

use super::Learnt;
use crate::plan::Action;
use tollgate_domain::call::Command;
use tollgate_domain::kinds;
use tollgate_domain::webhooks::webhook_endpoint::{
    CreateWebhookEndpoint, DeliveryOrder, DeliveryParams, EnabledEvent, UpdateWebhookEndpoint, Vetted,
};
use tollgate_resource::{Id, Update};

/// The address of the receiver that belongs to the endpoint of a step.
pub(crate) fn url(step: usize) -> String {
    format!("http://receiver.example/{step}")
}

/// The step of an address.
pub(crate) fn step_of(url: &str) -> Option<usize> {
    url.rsplit('/').next()?.parse().ok()
}

/// The command of an action about endpoints; `None` for others, and when its client never learnt what it refers to.
pub(super) fn command_of(number: usize, action: &Action, learnt: &dyn Learnt) -> Option<Command> {
    let endpoint = |of: usize| {
        let (kind, id) = learnt.object(of)?;
        (kind == &kinds::WEBHOOK_ENDPOINT).then_some(id)
    };
    Some(match action {
        Action::CreateEndpoint { events, strict } => {
            let delivery = DeliveryParams {
                order: Some(DeliveryOrder::Strict),
                ..DeliveryParams::default()
            };
            let asked = CreateWebhookEndpoint {
                url: url(number).into(),
                enabled_events: events.iter().map(|event| EnabledEvent((*event).into())).collect(),
                delivery: strict.then_some(delivery),
                ..CreateWebhookEndpoint::default()
            };
            Command::CreateWebhookEndpoint(Box::new(asked), Vetted::Fit)
        }
        Action::SwitchEndpoint { of, disabled } => switch(endpoint(*of)?, *disabled, number),
        Action::DeleteEndpoint { of } => Command::DeleteWebhookEndpoint(endpoint(*of)?),
        _ => return None,
    })
}

/// An endpoint is disabled, or enabled again. The number makes a change of it in any case.
pub(crate) fn switch(endpoint: Id, disabled: bool, number: usize) -> Command {
    let asked = UpdateWebhookEndpoint {
        disabled: Some(disabled),
        description: Update::Set(format!("Change {number}").into()),
        ..UpdateWebhookEndpoint::default()
    };
    Command::UpdateWebhookEndpoint(endpoint, Box::new(asked), Vetted::Fit)
}
