//! Refusals: which commands a sequential account turns down, given what stands in the journal.

use super::model::AccountModel;
use tollgate_domain::payments::attempt::{Attempt, Phase};
use tollgate_domain::payments::bank_account::Ownership;
use tollgate_domain::payments::charge::{ChargeSource, ChargeState};
use tollgate_domain::payments::payment_intent::Status;
use tollgate_domain::{Command, Object};
use tollgate_resource::Id;

impl AccountModel {
    /// Whether a sequential account refuses the command after record `at`.
    pub(super) fn refuses(&self, command: &Command, at: u64) -> bool {
        if self.is_calling(command, at) {
            // Whoever comes meanwhile waits.
            return false;
        }
        let status = |id: Id| self.intent_at(id, at).map(|intent| &intent.status);
        match command {
            Command::ConfirmPaymentIntent(id, _) => !matches!(
                status(*id),
                Some(
                    Status::RequiresPaymentMethod | Status::RequiresConfirmation { .. } | Status::RequiresAction { .. }
                )
            ),
            Command::CapturePaymentIntent(id, asked) => match self.intent_at(*id, at) {
                Some(intent) if matches!(intent.status, Status::RequiresCapture { capture: None, .. }) => {
                    asked.amount_to_capture.is_some_and(|amount| amount > intent.amount)
                }
                _ => true,
            },
            Command::CancelPaymentIntent(id, _) => !matches!(
                status(*id),
                Some(
                    Status::RequiresPaymentMethod
                        | Status::RequiresConfirmation { .. }
                        | Status::RequiresAction { .. }
                        | Status::RequiresCapture { capture: None, .. }
                        | Status::Debiting { .. }
                )
            ),
            Command::VerifyPaymentMicrodeposits(id, _) => self
                .intent_at(*id, at)
                .and_then(|intent| intent.action())
                .is_none_or(|action| action.deposits.is_none()),
            Command::SaveSource(customer, asked) => self.has_bank(*customer, asked, at),
            Command::VerifySource(_, id, _) => self
                .bank_at(*id, at)
                .is_none_or(|bank| bank.ownership != Ownership::Unverified),
            Command::CreateCharge(asked) => match asked.source {
                Some(ChargeSource::Saved(_, id)) => self
                    .bank_at(id, at)
                    .is_none_or(|bank| bank.ownership != Ownership::Verified),
                _ => false,
            },
            Command::ConfirmSetupIntent(id, _) | Command::CancelSetupIntent(id, _) => self.setup_is_closed(*id, at),
            Command::CaptureCharge(id, asked) => !self.charge_at(*id, at).is_some_and(|charge| {
                let intent = charge.payment_intent.and_then(|id| self.intent_at(id, at));
                let free = charge.state == ChargeState::Held
                    && charge.open_attempt().is_none()
                    && intent.is_none_or(|intent| intent.open_attempt().is_none());
                let least = if intent.is_some() {
                    1
                } else {
                    charge.currency.minimum_charge()
                };
                let fits = least..=charge.amount;
                free && asked.amount.is_none_or(|amount| fits.contains(&amount))
            }),
            Command::CreateChargeRefund(id, asked) => match self.charge_at(*id, at) {
                Some(charge) if charge.state == ChargeState::Held && charge.open_attempt().is_none() => {
                    asked.amount.is_some_and(|amount| amount != charge.amount)
                }
                charge => {
                    let left = charge.map_or(0, |charge| self.refundable(charge, at));
                    left == 0 || asked.amount.is_some_and(|amount| amount > left)
                }
            },
            Command::CompleteAction(done) => self.action_at(done.object, at) != Some(done.nonce),
            Command::UpdateDispute(id, _) | Command::CloseDispute(id) => !self
                .dispute_at(*id, at)
                .is_some_and(|dispute| dispute.state.needs_response()),
            Command::CreateRefund(asked) => {
                let intent = asked.payment_intent.and_then(|intent| self.intent_at(intent.0, at));
                let charge = intent
                    .and_then(|intent| intent.latest_charge())
                    .and_then(|charge| self.charge_at(charge, at));
                let left = charge.map_or(0, |charge| self.refundable(charge, at));
                left == 0 || asked.amount.is_some_and(|amount| amount > left)
            }
            Command::UpdateWebhookEndpoint(id, ..) | Command::DeleteWebhookEndpoint(id) => {
                matches!(self.object_at(*id, at), Some(Object::WebhookEndpoint(endpoint)) if endpoint.is_deleted())
            }
            _ => false,
        }
    }

    /// Whether a request about the command's object waits for its network after record `at`.
    fn is_calling(&self, command: &Command, at: u64) -> bool {
        let object = subject(command).and_then(|id| self.object_at(id, at));
        let intent = match (command, object) {
            // What is held is held by the intent; what has failed is nobody's any more.
            (Command::CaptureCharge(..), Some(Object::Charge(charge))) if charge.state == ChargeState::Held => {
                charge.payment_intent
            }
            _ => None,
        };
        let intent = intent.and_then(|id| self.object_at(id, at));
        let open = object.and_then(open_attempt).or_else(|| intent.and_then(open_attempt));
        open.is_some_and(|attempt| matches!(attempt.phase, Phase::Calling { .. }))
    }

    /// Whether an update asks for what is so already.
    pub(super) fn changes_nothing(&self, command: &Command, id: Id) -> bool {
        match (command, self.object_at(id, u64::MAX)) {
            (Command::UpdateCustomer(asked_id, asked), Some(Object::Customer(customer))) => {
                let name = asked.name.clone().into_option();
                *asked_id == id && name.is_some() && name == customer.name
            }
            (Command::UpdateWebhookEndpoint(asked_id, asked, _), Some(Object::WebhookEndpoint(endpoint))) => {
                *asked_id == id && asked.description.clone().into_option() == endpoint.description
            }
            _ => false,
        }
    }

    /// The objects a refusal of the command depends on.
    pub(super) fn ids_of(&self, command: &Command, at: u64) -> Vec<Id> {
        if let Command::CreateCharge(asked) = command
            && let Some(ChargeSource::Saved(_, id)) = asked.source
        {
            return vec![id];
        }
        let Some(id) = subject(command) else { return Vec::new() };
        if let Some(intent) = self.charge_at(id, at).and_then(|charge| charge.payment_intent) {
            return vec![id, intent];
        }
        let charges = self.intent_at(id, at).map_or(&[][..], |intent| &intent.charges);
        [id].into_iter().chain(charges.iter().copied()).collect()
    }
}

/// The attempt at the remote network that an object has open.
pub(super) fn open_attempt(object: &Object) -> Option<&Attempt> {
    match object {
        Object::PaymentIntent(intent) => intent.open_attempt(),
        Object::Charge(charge) => charge.open_attempt(),
        Object::SetupIntent(intent) => intent.open_attempt(),
        _ => None,
    }
}

/// The object a command is about, if it is about one.
pub(super) fn subject(command: &Command) -> Option<Id> {
    match command {
        Command::CompleteAction(done) => Some(done.object),
        Command::ConfirmPaymentIntent(id, _)
        | Command::CapturePaymentIntent(id, _)
        | Command::CancelPaymentIntent(id, _)
        | Command::ConfirmSetupIntent(id, _)
        | Command::CancelSetupIntent(id, _)
        | Command::VerifyPaymentMicrodeposits(id, _)
        | Command::SaveSource(id, _)
        | Command::VerifySource(_, id, _)
        | Command::UpdateDispute(id, _)
        | Command::CloseDispute(id)
        | Command::UpdateWebhookEndpoint(id, ..)
        | Command::DeleteWebhookEndpoint(id) => Some(*id),
        Command::CaptureCharge(id, _) | Command::CreateChargeRefund(id, _) => Some(*id),
        Command::CreateRefund(asked) => asked.payment_intent.map(|intent| intent.0),
        _ => None,
    }
}
