//! The way of a setup intent and its tries.

use super::changes::Changes;
use super::{Objects, find, put};
use crate::report::{Check, Checked, ensure};
use tollgate_domain::kinds;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::setup_attempt::{AttemptStatus, SetupAttempt};
use tollgate_domain::payments::setup_intent::{SetupIntent, StatusName};
use tollgate_resource::{Id, Names};

/// What is kept of a setup intent.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptSetup {
    pub(super) id: Id,
    pub(super) status: StatusName,
    /// How many tries there were.
    pub(super) attempts: u32,
    /// How many of them were born.
    pub(super) born: u32,
}

/// What is kept of a try.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptTry {
    pub(super) id: Id,
    pub(super) intent: u64,
    pub(super) state: AttemptStatus,
}

impl Objects {
    /// Checks a setup intent's step against its version before, and takes it.
    pub(super) fn step_setup(
        &mut self,
        intent: &SetupIntent,
        born: bool,
        now_ms: u64,
        changes: &mut Changes,
    ) -> Checked {
        let name = || intent.id.text(&kinds::SETUP_INTENT);
        let at = find(&self.setups, intent.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.setups[at]) };
        let status = intent.status.name();
        ensure(
            Check::States,
            status.may_follow(before.map(|before| before.status)),
            || {
                let from = before.map_or("nothing", |before| before.status.name());
                format!("{} goes from {from} to {}", name(), status.name())
            },
        )?;
        let tries = before.map_or(0, |before| before.attempts);
        ensure(
            Check::Attempts,
            intent.attempts == tries || intent.attempts == tries + 1,
            || format!("{} had {tries} tries and now has {}", name(), intent.attempts),
        )?;
        let after = KeptSetup {
            id: intent.id,
            status,
            attempts: intent.attempts,
            born: before.map_or(0, |before| before.born),
        };
        put(&mut self.setups, at, after);
        let open = intent.open_attempt();
        ensure(
            Check::Attempts,
            open.is_none_or(|open| open.number == intent.attempts),
            || format!("{} asks with {open:?}, which is not its newest try", name()),
        )?;
        // What is asked holds nothing; its currency says nothing.
        let money = (open, Currency::USD);
        let tries = (tries, intent.attempts);
        self.step_attempt((intent.id, &kinds::SETUP_INTENT), tries, money, now_ms, changes)
    }

    /// Checks a try's step against its version before, and takes it.
    pub(super) fn step_try(&mut self, attempt: &SetupAttempt, born: bool) -> Checked {
        let name = || attempt.id.text(&kinds::SETUP_ATTEMPT);
        let at = find(&self.tries, attempt.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.tries[at]) };
        let state = attempt.state.name();
        ensure(
            Check::States,
            state.may_follow(before.map(|before| before.state)),
            || {
                let from = before.map_or("nothing", |before| before.state.name());
                format!("{} goes from {from} to {}", name(), state.name())
            },
        )?;
        let intent = attempt.setup_intent.seq();
        ensure(
            Check::States,
            before.is_none_or(|before| before.intent == intent),
            || format!("{} changes its setup intent", name()),
        )?;
        let after = KeptTry {
            id: attempt.id,
            intent,
            state,
        };
        put(&mut self.tries, at, after);
        Ok(())
    }

    /// A try belongs to a setup intent, which counts it.
    pub(super) fn join_try(&mut self, attempt: &SetupAttempt, born: bool) -> Checked {
        let name = || attempt.id.text(&kinds::SETUP_ATTEMPT);
        let at = find(&self.setups, attempt.setup_intent.seq(), |kept| kept.id);
        let known = at.filter(|at| self.setups[*at].id == attempt.setup_intent);
        ensure(Check::Ids, known.is_some(), || {
            format!("{} belongs to no setup intent", name())
        })?;
        if born && let Some(at) = known {
            self.setups[at].born += 1;
        }
        Ok(())
    }

    /// A setup intent's state against its newest try.
    pub(super) fn join_setup(&self, intent: &SetupIntent) -> Checked {
        let name = || intent.id.text(&kinds::SETUP_INTENT);
        let at = find(&self.setups, intent.id.seq(), |kept| kept.id).expect("its step was taken");
        let kept = self.setups[at];
        ensure(Check::Attempts, kept.born == kept.attempts, || {
            format!("{} counts {} tries, but {} were born", name(), kept.attempts, kept.born)
        })?;
        let latest = intent
            .latest_attempt
            .and_then(|id| find(&self.tries, id.seq(), |kept| kept.id));
        let state = latest.map(|at| self.tries[at].state);
        let agrees = match kept.status {
            StatusName::Succeeded => state == Some(AttemptStatus::Succeeded),
            StatusName::RequiresAction => state == Some(AttemptStatus::RequiresAction),
            StatusName::Processing => state == Some(AttemptStatus::Processing),
            StatusName::RequiresPaymentMethod | StatusName::RequiresConfirmation | StatusName::Canceled => {
                matches!(state, None | Some(AttemptStatus::Failed | AttemptStatus::Abandoned))
            }
        };
        ensure(Check::States, agrees, || {
            format!("{} is {}, its newest try is {state:?}", name(), kept.status.name())
        })
    }
}
