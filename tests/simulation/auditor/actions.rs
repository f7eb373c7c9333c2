//! Actions of payers: what follows when somebody whose bank wants to know who they are proves it, or fails to.

use super::debits::ToldDeposits;
use super::model::AccountModel;
use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::Object;
use tollgate_domain::payments::authentication::{CompletedAction, ThreeDSecureResult};
use tollgate_domain::payments::payment_intent::{PaymentIntent, Status};
use tollgate_domain::payments::payment_method::{Behaviour, TestCard};
use tollgate_domain::payments::setup_attempt::AttemptStatus;
use tollgate_domain::payments::setup_intent::{SetupIntent, StatusName};
use tollgate_resource::Id;

impl AccountModel {
    /// The number of the action that an intent or setup intent waits for after record `at`.
    pub(super) fn action_at(&self, id: Id, at: u64) -> Option<u64> {
        self.object_at(id, at).and_then(action)
    }

    /// The number of the first or the newest action that it waited for at any time.
    pub(super) fn action_of(&self, id: Id, first: bool) -> Option<u64> {
        let mut actions = self
            .objects
            .get(&id.seq())?
            .iter()
            .filter_map(|(_, object)| action(object));
        if first { actions.next() } else { actions.next_back() }
    }
}

impl Case<'_> {
    /// A parked payment goes on, or wants another payment method.
    pub(super) fn acted(
        &self,
        expected: &mut Expected,
        before: &PaymentIntent,
        after: &PaymentIntent,
        done: CompletedAction,
    ) -> Result<(), Wrong> {
        self.is_open(after.id, done)?;
        let method = before.payment_method.and_then(|id| self.model.object_at(id, u64::MAX));
        let Some(Object::PaymentMethod(method)) = method else {
            return wrong("requests", format!("{before:?} was parked with nothing"));
        };
        if method.instrument.bank().is_some() {
            let told = if done.authenticated {
                ToldDeposits::Right
            } else {
                ToldDeposits::Never
            };
            return self.deposits_told(expected, before, after, told);
        }
        if !done.authenticated {
            let untried = after.charge_count == before.charge_count && after.payment_method.is_none();
            if !untried || !matches!(after.status, Status::RequiresPaymentMethod) {
                return wrong("state tables", format!("nobody proved anything, but {after:?}"));
            }
            expected.events.push("payment_intent.payment_failed");
            return Ok(());
        }
        if method.instrument.redirect().is_some() {
            return self.approved(expected, after);
        }
        match (
            behaviour(method.instrument.test_card().expect("only cards are asked").number),
            &after.status,
        ) {
            (Behaviour::Succeed, Status::Succeeded { .. } | Status::RequiresCapture { capture: None, .. }) => {
                self.approved(expected, after)?;
            }
            (Behaviour::Decline(decline), Status::RequiresPaymentMethod) => {
                self.failed(expected, after, Some(decline.number))?;
            }
            (behaviour, status) => return wrong("requests", format!("{behaviour:?} led to {status:?}")),
        }
        let charge = after.latest_charge().and_then(|id| self.object_charge(id));
        match charge {
            Some(charge)
                if charge.three_d_secure == Some(ThreeDSecureResult::Authenticated)
                    && charge.payment_method == method.id =>
            {
                Ok(())
            }
            other => wrong("requests", format!("authenticated, but charged {other:?}")),
        }
    }

    /// A setup that waited for its cardholder goes on, or fails.
    pub(super) fn setup_acted(
        &self,
        before: &SetupIntent,
        after: &SetupIntent,
        done: CompletedAction,
    ) -> Result<Expected, Wrong> {
        self.is_open(after.id, done)?;
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        let (status, state) = if done.authenticated {
            if after.customer.is_some() {
                expected.events.push("payment_method.attached");
            }
            expected.events.push("setup_intent.succeeded");
            (StatusName::Succeeded, AttemptStatus::Succeeded)
        } else {
            expected.events.push("setup_intent.setup_failed");
            (StatusName::RequiresPaymentMethod, AttemptStatus::Failed)
        };
        let Some(attempt) = after.latest_attempt.and_then(|id| self.attempt(id)) else {
            return wrong("setups", format!("{after:?} without its try"));
        };
        let proof = done.authenticated.then_some(ThreeDSecureResult::Authenticated);
        let same = (before.latest_attempt, before.attempts, before.customer)
            == (after.latest_attempt, after.attempts, after.customer);
        let fits = same
            && attempt.setup_intent == after.id
            && (after.status.name(), attempt.state.name()) == (status, state)
            && attempt.three_d_secure == proof
            && after.payment_method.is_some() == done.authenticated;
        if !fits {
            return wrong("setups", format!("{done:?} made {after:?} and {attempt:?}"));
        }
        if done.authenticated && self.method().map(|method| method.customer) != Some(after.customer) {
            return wrong("setups", format!("{:?} is not whom it was set up for", self.method()));
        }
        expected.objects.push(attempt.id.seq());
        Ok(expected)
    }

    /// Only the action that is waited for can be completed.
    fn is_open(&self, id: Id, done: CompletedAction) -> Result<(), Wrong> {
        if done.object == id && self.model.action_at(id, u64::MAX) == Some(done.nonce) {
            return Ok(());
        }
        wrong("requests", format!("{done:?} ended what nobody waited for"))
    }
}

fn action(object: &Object) -> Option<u64> {
    match object {
        Object::PaymentIntent(intent) => intent.action().map(|action| action.nonce),
        Object::SetupIntent(intent) => intent.open_action().map(|action| action.nonce),
        _ => None,
    }
}

fn behaviour(card: u16) -> Behaviour {
    TestCard::by_number(card).expect("a card of the table").behaviour
}
