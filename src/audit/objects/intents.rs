//! The way of a payment intent.

use super::changes::{Asker, Changes, IntentChange};
use super::kept::{KeptIntent, OpenAttempt};
use super::{Objects, find, put};
use crate::report::{Check, Checked, ensure};
use tollgate_domain::kinds;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::attempt::Attempt;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::payment_intent::{PaymentIntent, Status, StatusName};
use tollgate_resource::{Id, Kind, Names};

impl Objects {
    /// Checks an intent's step against its version before, and takes it.
    pub(super) fn step_intent(
        &mut self,
        intent: &PaymentIntent,
        born: bool,
        now_ms: u64,
        changes: &mut Changes,
    ) -> Checked {
        let name = || intent.id.text(&kinds::PAYMENT_INTENT);
        let at = find(&self.intents, intent.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.intents[at]) };
        let status = intent.status.name();
        ensure(
            Check::States,
            status.may_follow(before.map(|before| before.status)),
            || {
                let from = before.map_or("nothing", |before| before.status.name());
                format!("{} goes from {from} to {}", name(), status.name())
            },
        )?;
        if let Some(before) = before {
            let same = (intent.amount, intent.currency) == (before.amount, before.currency);
            let may_change = match before.status {
                StatusName::RequiresPaymentMethod | StatusName::RequiresConfirmation | StatusName::RequiresAction => {
                    true
                }
                // A hold may be raised.
                StatusName::RequiresCapture => intent.currency == before.currency && intent.amount > before.amount,
                StatusName::Processing | StatusName::Succeeded | StatusName::Canceled => false,
            };
            ensure(Check::States, same || may_change, || {
                format!("{} changes its amount or currency", name())
            })?;
            ensure(Check::Attempts, intent.attempts >= before.attempts, || {
                format!(
                    "{} had {} attempts and now has {}",
                    name(),
                    before.attempts,
                    intent.attempts
                )
            })?;
        }
        let after = KeptIntent {
            id: intent.id,
            amount: intent.amount,
            currency: intent.currency,
            status,
            attempts: intent.attempts,
            standing: before.map_or(0, |before| before.standing),
        };
        put(&mut self.intents, at, after);
        changes.intents.push(IntentChange { after });
        let tries = (before.map_or(0, |before| before.attempts), intent.attempts);
        let money = (intent.open_attempt(), intent.currency);
        self.step_attempt((intent.id, &kinds::PAYMENT_INTENT), tries, money, now_ms, changes)
    }

    /// Checks the step of the attempt of an object that asks a remote network, and takes it. `tries` are the numbers of
    /// its newest attempt before the step and after it.
    pub(super) fn step_attempt(
        &mut self,
        (id, kind): (Id, &'static Kind),
        tries: (u32, u32),
        (open, currency): (Option<&Attempt>, Currency),
        now_ms: u64,
        changes: &mut Changes,
    ) -> Checked {
        let known = self.open.get(&id.seq()).copied();
        let open = open.map(|open| {
            let known = known.filter(|known| known.number == open.number);
            OpenAttempt::of(open, currency, known.map_or(now_ms, |known| known.since_ms))
        });
        if let (Some(open), Some(known)) = (open, known) {
            let follows = open.number == known.number && open.may_follow(&known);
            ensure(Check::Attempts, follows, || {
                let name = id.text(kind);
                format!("attempt {} of {name} goes from {known:?} to {open:?}", known.number)
            })?;
        }
        match open {
            Some(open) => self.open.insert(id.seq(), open),
            None => self.open.remove(&id.seq()),
        };
        changes.askers.push(Asker {
            id,
            kind,
            attempts: tries,
            open,
        });
        Ok(())
    }

    /// An intent's state against the charge that stands.
    pub(super) fn join_intent(&self, intent: &PaymentIntent) -> Checked {
        let name = || intent.id.text(&kinds::PAYMENT_INTENT);
        let at = find(&self.intents, intent.id.seq(), |kept| kept.id).expect("its step was taken");
        let standing = self.intents[at].standing;
        let charge = find(&self.charges, standing, |kept| kept.id).map(|at| &self.charges[at]);
        let state = charge.map(|charge| charge.state);
        let agrees = match (&intent.status, state) {
            (Status::Succeeded { received }, Some(ChargeState::Captured { amount, .. })) => *received == amount,
            (Status::Succeeded { .. }, _) => false,
            (Status::RequiresCapture { received, .. }, Some(ChargeState::PartlyCaptured { amount, .. })) => {
                *received == amount
            }
            (Status::RequiresCapture { received, .. }, state) => *received == 0 && state == Some(ChargeState::Held),
            (Status::Canceled { .. }, state) => {
                matches!(state, None | Some(ChargeState::Released | ChargeState::Expired))
            }
            (
                Status::RequiresPaymentMethod
                | Status::RequiresConfirmation { .. }
                | Status::RequiresAction { .. }
                | Status::Processing { .. },
                state,
            ) => state.is_none(),
            (Status::Debiting { .. }, state) => state == Some(ChargeState::Debiting),
        };
        ensure(Check::States, agrees, || {
            format!("{} is {:?}, its charge is {state:?}", name(), intent.status.name())
        })
    }
}
