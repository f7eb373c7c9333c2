//! Records of setups: what each request makes of a setup intent and its tries, written down a second time.

use super::intents::declines;
use super::model::AccountModel;
use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::payments::attempt::Attempt;
use tollgate_domain::payments::authentication::AuthenticationRule;
use tollgate_domain::payments::payment_method::{Behaviour, PaymentMethodParam, TestMethod};
use tollgate_domain::payments::setup_attempt::{AttemptStatus, SetupAttempt};
use tollgate_domain::payments::setup_intent::{SetupIntent, StatusName};
use tollgate_domain::{Command, Object};
use tollgate_resource::{Id, Names};

/// How a try ends.
enum End {
    Ready,
    Refused,
    Waits,
    Asks,
}

impl AccountModel {
    /// A setup intent as it stood after record `at`.
    pub(super) fn setup_at(&self, id: Id, at: u64) -> Option<&SetupIntent> {
        match self.object_at(id, at)? {
            Object::SetupIntent(intent) => Some(intent),
            _ => None,
        }
    }

    /// Whether a setup intent has come to its end after record `at`, or is none.
    pub(super) fn setup_is_over(&self, id: Id, at: u64) -> bool {
        let status = self.setup_at(id, at).map(|intent| intent.status.name());
        matches!(status, None | Some(StatusName::Succeeded | StatusName::Canceled))
    }

    /// Whether a setup intent can be neither confirmed nor cancelled after record `at`.
    pub(super) fn setup_is_closed(&self, id: Id, at: u64) -> bool {
        let status = self.setup_at(id, at).map(|intent| intent.status.name());
        self.setup_is_over(id, at) || status == Some(StatusName::Processing)
    }
}

impl Case<'_> {
    /// What is expected of a record about a setup intent.
    pub(super) fn setup(&self, after: &SetupIntent) -> Result<Expected, Wrong> {
        let before = self.model.setup_at(after.id, u64::MAX);
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        if before.is_some() && self.model.setup_is_over(after.id, u64::MAX) {
            return wrong("state tables", format!("{before:?} to {after:?}"));
        }
        let tries = before.map_or(0, |before| before.attempts);
        if let Some((before, open)) = before.and_then(|before| Some((before, before.open_attempt()?))) {
            self.setup_asked(&mut expected, before, after, open)?;
            return Ok(expected);
        }
        let card = match (before, self.command) {
            (None, Some(Command::CreateSetupIntent(asked))) => {
                expected.events.push("setup_intent.created");
                if asked.customer.map(|customer| customer.0) != after.customer {
                    return wrong("requests", format!("{asked:?} made {after:?}"));
                }
                match (asked.payment_method, asked.confirm) {
                    (Some(card), Some(true)) => card,
                    (card, _) => {
                        let status = match card {
                            Some(_) => StatusName::RequiresConfirmation,
                            None => StatusName::RequiresPaymentMethod,
                        };
                        return self.untried(expected, after, status, tries);
                    }
                }
            }
            (Some(before), Some(Command::ConfirmSetupIntent(id, asked))) if *id == before.id => {
                self.abandoned(before, &mut expected)?;
                let kept = before.customer == after.customer;
                match asked.payment_method {
                    Some(card) if kept => card,
                    _ => return wrong("requests", format!("{asked:?} made {after:?}")),
                }
            }
            (Some(before), Some(Command::CancelSetupIntent(id, _))) if *id == before.id => {
                self.abandoned(before, &mut expected)?;
                expected.events.push("setup_intent.canceled");
                return self.untried(expected, after, StatusName::Canceled, tries);
            }
            (Some(before), Some(Command::CompleteAction(done))) => return self.setup_acted(before, after, *done),
            (_, command) => return wrong("nothing unexplained", format!("a setup by {command:?}")),
        };
        let PaymentMethodParam::Fresh(TestMethod::Card(card)) = card else {
            return wrong("requests", format!("nobody sets up {card:?}"));
        };
        let (status, state) = match end_of(card) {
            End::Ready => {
                if after.customer.is_some() {
                    expected.events.push("payment_method.attached");
                }
                expected.events.push("setup_intent.succeeded");
                (StatusName::Succeeded, AttemptStatus::Succeeded)
            }
            End::Refused => {
                expected.events.push("setup_intent.setup_failed");
                (StatusName::RequiresPaymentMethod, AttemptStatus::Failed)
            }
            End::Waits => {
                expected.events.push("setup_intent.requires_action");
                (StatusName::RequiresAction, AttemptStatus::RequiresAction)
            }
            End::Asks => {
                let Some(open) = after.open_attempt() else {
                    return wrong("attempts", format!("{after:?} asked nobody"));
                };
                self.begins(after.id, open, 0)?;
                (StatusName::Processing, AttemptStatus::Processing)
            }
        };
        let Some(attempt) = after.latest_attempt.and_then(|id| self.attempt(id)) else {
            return wrong("setups", format!("{after:?} without its try"));
        };
        let method = self.method().map(|method| {
            (
                method.instrument.test_card().expect("the plan sets cards up").number,
                method.customer,
            )
        });
        let saved = after.customer.filter(|_| status == StatusName::Succeeded);
        let fits = attempt.setup_intent == after.id
            && (after.status.name(), attempt.state.name()) == (status, state)
            && after.attempts == tries + 1
            && method == Some((card.number, saved))
            && after.payment_method.is_some() != (state == AttemptStatus::Failed);
        if !fits {
            return wrong("setups", format!("{} made {after:?} and {attempt:?}", card.names[0]));
        }
        expected.objects.push(attempt.id.seq());
        Ok(expected)
    }

    /// A setup whose network was asked.
    fn setup_asked(
        &self,
        expected: &mut Expected,
        before: &SetupIntent,
        after: &SetupIntent,
        open: &Attempt,
    ) -> Result<(), Wrong> {
        if let Some(next) = after.open_attempt() {
            return self.goes_on(after.id, open, Some(next));
        }
        let state = match after.status.name() {
            StatusName::Succeeded => {
                self.heard_approval(after.id, open)?;
                if after.customer.is_some() {
                    expected.events.push("payment_method.attached");
                }
                expected.events.push("setup_intent.succeeded");
                AttemptStatus::Succeeded
            }
            StatusName::RequiresPaymentMethod => {
                self.heard_end(after.id, open)?;
                expected.events.push("setup_intent.setup_failed");
                AttemptStatus::Failed
            }
            other => return wrong("state tables", format!("a setup goes from {open:?} to {other:?}")),
        };
        let Some(tried) = after.latest_attempt.and_then(|id| self.attempt(id)) else {
            return wrong("setups", format!("{after:?} without its try"));
        };
        let saved = after.customer.filter(|_| state == AttemptStatus::Succeeded);
        let method = self.method().map(|method| (method.customer, method.used_up));
        let same = (before.latest_attempt, before.attempts, before.customer)
            == (after.latest_attempt, after.attempts, after.customer);
        if !same || tried.state.name() != state || method != Some((saved, false)) {
            return wrong("setups", format!("{open:?} made {after:?}, {tried:?} and {method:?}"));
        }
        expected.objects.push(tried.id.seq());
        Ok(())
    }

    /// Nothing was tried.
    fn untried(
        &self,
        expected: Expected,
        after: &SetupIntent,
        status: StatusName,
        tries: u32,
    ) -> Result<Expected, Wrong> {
        if after.status.name() == status && after.attempts == tries {
            return Ok(expected);
        }
        wrong("setups", format!("{after:?} instead of {}", status.name()))
    }

    /// A try that waited for its cardholder ends with the next one, and with the intent.
    fn abandoned(&self, before: &SetupIntent, expected: &mut Expected) -> Result<(), Wrong> {
        if before.status.name() != StatusName::RequiresAction {
            return Ok(());
        }
        let attempt = before.latest_attempt.and_then(|id| self.attempt(id));
        match attempt {
            Some(attempt) if attempt.state.name() == AttemptStatus::Abandoned => {
                expected.objects.push(attempt.id.seq());
                Ok(())
            }
            other => wrong("setups", format!("the try of {before:?} became {other:?}")),
        }
    }

    pub(super) fn attempt(&self, id: Id) -> Option<&SetupAttempt> {
        self.facts.objects.iter().find_map(|object| match object {
            Object::SetupAttempt(attempt) if attempt.id == id => Some(&**attempt),
            _ => None,
        })
    }
}

fn end_of(card: &tollgate_domain::payments::payment_method::TestCard) -> End {
    if matches!(card.authentication, AuthenticationRule::Required(..)) {
        End::Waits
    } else if matches!(card.behaviour, Behaviour::Remote(_)) {
        End::Asks
    } else if declines(card.behaviour) {
        End::Refused
    } else {
        End::Ready
    }
}
