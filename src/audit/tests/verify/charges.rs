//! Charges that are made by themselves, and refunds that wait or come back: clean as they are, found when broken.

use crate::audit;
use crate::journal::Journal;
use std::sync::Arc;
use tollgate_audit::Check;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{CaptureCharge, Charge, ChargeSource, ChargeState, CreateCharge};
use tollgate_domain::payments::payment_intent::HOLD_MS;
use tollgate_domain::payments::payment_method::TestCard;
use tollgate_domain::payments::refund::{CreateChargeRefund, Refund, UpdateRefund};
use tollgate_domain::{Command, Facts, Object, kinds};
use tollgate_resource::Id;

const SOON_MS: u64 = 5_000;

/// Where each record of [`story`] stands.
mod at {
    pub(super) const PAID: usize = 0;
    pub(super) const REFUNDED: usize = 1;
    pub(super) const CAPTURED: usize = 4;
    pub(super) const RELEASED: usize = 6;
    pub(super) const EXPIRED: usize = 8;
    pub(super) const PENDING: usize = 10;
    pub(super) const CHANGED: usize = 11;
    pub(super) const ARRIVED: usize = 12;
    pub(super) const FAILED: usize = 15;
}

fn charge(journal: &mut Journal, amount: i64, card: &str, capture: bool) -> Id {
    let card = TestCard::by_name(card).expect("a card of the table");
    let asked = CreateCharge {
        amount,
        currency: Some(Currency::USD),
        capture: Some(capture),
        source: Some(ChargeSource::Token(TokenParam::Magic(card))),
        ..CreateCharge::default()
    };
    journal.ask(Command::CreateCharge(Box::new(asked)), None);
    journal.last_born(&kinds::CHARGE)
}

fn refund(journal: &mut Journal, charge: Id, amount: Option<i64>) -> Id {
    let asked = CreateChargeRefund {
        amount,
        ..CreateChargeRefund::default()
    };
    journal.ask(Command::CreateChargeRefund(charge, Box::new(asked)), None);
    journal.last_born(&kinds::REFUND)
}

fn story() -> Journal {
    let mut journal = Journal::new();
    let paid = charge(&mut journal, 10_000, "visa", true);
    refund(&mut journal, paid, Some(4_000));
    charge(&mut journal, 2_000, "visa_chargeDeclined", true);
    let held = charge(&mut journal, 5_000, "visa", false);
    let asked = CaptureCharge {
        amount: Some(3_000),
        ..CaptureCharge::default()
    };
    journal
        .pass(SOON_MS)
        .ask(Command::CaptureCharge(held, Box::new(asked)), None);
    let released = charge(&mut journal, 700, "visa", false);
    refund(&mut journal, released, None);
    let expired = charge(&mut journal, 900, "visa", false);
    journal.pass(HOLD_MS).engine(Command::TimerDue(expired));
    let waits = charge(&mut journal, 800, "pendingRefund", true);
    let pending = refund(&mut journal, waits, Some(300));
    let mut asked = UpdateRefund::default();
    asked.metadata.pairs = vec![("order".into(), "7".into())];
    journal.ask(Command::UpdateRefund(None, pending, Box::new(asked)), None);
    journal.pass(SOON_MS).engine(Command::TimerDue(pending));
    let fails = charge(&mut journal, 600, "refundFail", true);
    let failing = refund(&mut journal, fails, None);
    journal.pass(SOON_MS).engine(Command::TimerDue(failing));
    refund(&mut journal, fails, None);
    journal.row();
    journal
}

#[test]
fn charges_made_by_themselves_are_clean_and_added_up() {
    let journal = story();
    let report = audit(&journal, &journal.blocks());
    assert_eq!(report.difference, None);
    assert_eq!((report.payment_intents, report.charges, report.refunds), (0, 7, 6));
    assert_eq!(report.refunds_in_transit.count(), 0);
}

/// A name, the check that must find it, a word that must be in what is found, and the way to break it.
type Case = (&'static str, Check, &'static str, fn(&mut Journal));

#[test]
fn broken_charges_are_found() {
    let cases: [Case; 9] = [
        (
            "a charge without its movement",
            Check::Movement,
            "not exactly one entry",
            |journal| {
                journal.facts(at::PAID).entries.clear();
            },
        ),
        (
            "a refund of more than was captured",
            Check::Limits,
            "more than the 10000 captured",
            |journal| {
                refund_of(journal.facts(at::REFUNDED), |refund| refund.amount = 10_001);
            },
        ),
        (
            "a capture of more than was held",
            Check::Limits,
            "captures 5001 of 5000",
            |journal| {
                charge_of(journal.facts(at::CAPTURED), |charge| {
                    if let ChargeState::Captured { amount, .. } = &mut charge.state {
                        *amount = 5_001;
                    }
                });
            },
        ),
        (
            "half a hold is released",
            Check::Limits,
            "does not release the whole",
            |journal| {
                refund_of(journal.facts(at::RELEASED), |refund| refund.amount = 350);
            },
        ),
        (
            "an expired hold is captured",
            Check::States,
            "goes from Held",
            |journal| {
                charge_of(journal.facts(at::EXPIRED), |charge| {
                    charge.state = ChargeState::Failed { decline: 1 };
                });
            },
        ),
        (
            "nothing wakes a pending refund",
            Check::Attempts,
            "nothing wakes it",
            |journal| {
                journal.facts(at::PENDING).timers.clear();
            },
        ),
        (
            "a changed refund is not woken",
            Check::Attempts,
            "nothing wakes it",
            |journal| {
                journal.facts(at::CHANGED).timers.clear();
            },
        ),
        (
            "a refund arrives without its entry",
            Check::Movement,
            "not exactly one entry",
            |journal| {
                journal.facts(at::ARRIVED).entries.clear();
            },
        ),
        (
            "a refund that came back still counts",
            Check::Limits,
            "its refunds come to 0",
            |journal| {
                charge_of(journal.facts(at::FAILED), |charge| charge.refunded = 600);
            },
        ),
    ];
    for (name, check, word, tamper) in cases {
        let mut journal = story();
        tamper(&mut journal);
        let difference = audit(&journal, &journal.blocks())
            .difference
            .unwrap_or_else(|| panic!("{name}: not found"));
        assert!(
            difference.check == check && difference.what.contains(word),
            "{name}: {difference}"
        );
    }
}

fn charge_of(facts: &mut Facts, change: impl FnOnce(&mut Charge)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::Charge(charge) => Some(Arc::make_mut(charge)),
        _ => None,
    });
    change(found.expect("a charge of the record"));
}

fn refund_of(facts: &mut Facts, change: impl FnOnce(&mut Refund)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::Refund(refund) => Some(Arc::make_mut(refund)),
        _ => None,
    });
    change(found.expect("a refund of the record"));
}
