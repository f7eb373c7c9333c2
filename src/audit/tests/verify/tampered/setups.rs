//! Setups that were broken, one way a case.

use super::expect;
use crate::audit;
use crate::journal::Journal;
use std::sync::Arc;
use tollgate_audit::Check;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestCard};
use tollgate_domain::payments::setup_attempt::{AttemptState, SetupAttempt};
use tollgate_domain::payments::setup_intent::{ConfirmSetupIntent, CreateSetupIntent, SetupIntent, Status};
use tollgate_domain::{Command, Facts, Object, kinds};
use tollgate_resource::Id;

/// Where each record of [`story`] stands.
mod at {
    pub(super) const PARKED: usize = 0;
    pub(super) const COMPLETED: usize = 1;
    pub(super) const DECLINED: usize = 2;
    pub(super) const RETRIED: usize = 3;
    pub(super) const PARKED_AGAIN: usize = 4;
    pub(super) const CANCELED: usize = 5;
}

/// A setup that its holder completed, one that was declined first, one that was given up.
fn story() -> Journal {
    let mut journal = Journal::new();
    let parked = set_up(&mut journal, "authenticationRequired");
    let Object::SetupIntent(intent) = &journal.facts(at::PARKED).objects[0] else {
        panic!("the intent is born first")
    };
    let nonce = intent.open_action().expect("its holder must act").nonce;
    let done = CompletedAction {
        object: parked,
        nonce,
        authenticated: true,
    };
    journal.pass(5).ask(Command::CompleteAction(done), None);
    let declined = set_up(journal.pass(5), "visa_chargeDeclined");
    let again = ConfirmSetupIntent {
        payment_method: Some(fresh("visa")),
        ..ConfirmSetupIntent::default()
    };
    journal
        .pass(5)
        .ask(Command::ConfirmSetupIntent(declined, Box::new(again)), Some("again"));
    let given_up = set_up(journal.pass(5), "authenticationRequired");
    journal.ask(Command::CancelSetupIntent(given_up, Box::default()), None);
    journal
}

#[test]
fn setups_as_they_should_be_are_clean() {
    let journal = story();
    assert_eq!(journal.steps.len(), at::CANCELED + 1);
    assert_eq!(audit(&journal, &journal.blocks()).difference, None);
}

#[test]
fn broken_setups_are_found() {
    type Case = (&'static str, Check, &'static str, fn(&mut Journal));
    let cases: [Case; 8] = [
        (
            "a setup is born canceled",
            Check::States,
            "goes from nothing to canceled",
            |journal| {
                intent(journal.facts(at::PARKED_AGAIN), |intent| {
                    intent.status = Status::Canceled { reason: None };
                });
            },
        ),
        (
            "a setup that ended goes on",
            Check::States,
            "goes from succeeded to canceled",
            |journal| {
                // What was done to the last intent is done to the one that has succeeded.
                let id = journal.facts(at::PARKED).objects[0].id();
                let attempt = of_kind(journal.facts(at::COMPLETED), &kinds::SETUP_ATTEMPT);
                let facts = journal.facts(at::CANCELED);
                intent(facts, |intent| {
                    intent.id = id;
                    intent.latest_attempt = Some(attempt);
                });
                facts.objects.retain(|object| *object.kind() == kinds::SETUP_INTENT);
                facts.events[0].object = 0;
            },
        ),
        (
            "a setup succeeds while its try waits",
            Check::States,
            "its newest try is",
            |journal| {
                intent(journal.facts(at::PARKED), |intent| intent.status = Status::Succeeded);
            },
        ),
        (
            "a setup waits though its try has ended",
            Check::States,
            "its newest try is",
            |journal| {
                intent(journal.facts(at::RETRIED), |intent| {
                    intent.status = Status::RequiresPaymentMethod;
                });
            },
        ),
        (
            "tries are miscounted",
            Check::Attempts,
            "had 0 tries and now has 5",
            |journal| {
                intent(journal.facts(at::DECLINED), |intent| intent.attempts = 5);
            },
        ),
        (
            "a try is not counted",
            Check::Attempts,
            "counts 0 tries, but 1 were born",
            |journal| {
                intent(journal.facts(at::DECLINED), |intent| intent.attempts = 0);
            },
        ),
        (
            "a try of no intent",
            Check::Ids,
            "belongs to no setup intent",
            |journal| {
                let id = of_kind(journal.facts(at::DECLINED), &kinds::PAYMENT_METHOD);
                attempt(journal.facts(at::DECLINED), |attempt| attempt.setup_intent = id);
            },
        ),
        (
            "a try is born abandoned",
            Check::States,
            "goes from nothing to abandoned",
            |journal| {
                attempt(journal.facts(at::RETRIED), |attempt| {
                    attempt.state = AttemptState::Abandoned
                });
            },
        ),
    ];
    for (name, check, word, tamper) in cases {
        let mut journal = story();
        tamper(&mut journal);
        expect(name, check, word, &journal, &journal.blocks());
    }
}

fn set_up(journal: &mut Journal, card: &str) -> Id {
    let asked = CreateSetupIntent {
        confirm: Some(true),
        payment_method: Some(fresh(card)),
        ..CreateSetupIntent::default()
    };
    journal.ask(Command::CreateSetupIntent(Box::new(asked)), None);
    journal.last_born(&kinds::SETUP_INTENT)
}

fn fresh(card: &str) -> PaymentMethodParam {
    PaymentMethodParam::card(TestCard::by_name(card).expect("a card of the table"))
}

fn of_kind(facts: &Facts, kind: &tollgate_resource::Kind) -> Id {
    let found = facts.objects.iter().find(|object| *object.kind() == *kind);
    found.expect("the record has one").id()
}

fn intent(facts: &mut Facts, change: impl FnOnce(&mut SetupIntent)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::SetupIntent(intent) => Some(intent),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has a setup intent")));
}

fn attempt(facts: &mut Facts, change: impl FnOnce(&mut SetupAttempt)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::SetupAttempt(attempt) => Some(attempt),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has a try")));
}
