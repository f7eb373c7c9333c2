//! Histories of single disputes: answered, given up, refunded, escalated, and left to time.

use tollgate_simulation::plan::{Action, Fault, HOUR_MS, What, Wish};
use tollgate_simulation::{Counts, Plan, run};

/// Milliseconds after which nobody can answer any more a dispute that was opened at the start.
const OVERDUE_MS: u64 = 11 * 24 * HOUR_MS;

/// Runs these steps, one after another at these milliseconds, in calm weather.
#[track_caller]
fn history(steps: Vec<(u64, What)>) -> Counts {
    match run(&Plan::written(steps)) {
        Ok((counts, _)) => counts,
        Err(failure) => panic!("{failure}"),
    }
}

fn ask(action: Action) -> What {
    What::Ask(Wish {
        expands: true,
        ..Wish::of(action)
    })
}

fn pay(card: &'static str, manual: bool) -> What {
    ask(Action::Create {
        amount: 5_000,
        currency: "usd",
        card: Some(card),
        confirm: true,
        manual,
        customer: None,
        save: false,
    })
}

fn answer(evidence: &'static str, submit: bool) -> What {
    ask(Action::AnswerDispute {
        of: 0,
        evidence,
        submit,
    })
}

fn refund(amount: Option<i64>) -> What {
    ask(Action::Refund { of: 0, amount })
}

/// Opened, over, and over because nobody answered.
fn disputes(counts: &Counts) -> (u64, u64, u64) {
    let seen = counts.seen;
    (seen.disputes, seen.disputes_over, seen.unanswered)
}

#[test]
fn evidence_decides() {
    for evidence in ["winning_evidence", "losing_evidence"] {
        let counts = history(vec![
            (1_000, pay("createDispute", false)),
            (2_000, answer(evidence, true)),
            (2_500, answer("Somebody signed for it.", true)),
            (9_000, refund(None)),
            (9_500, ask(Action::CloseDispute { of: 0 })),
        ]);
        assert_eq!(disputes(&counts), (1, 1, 0), "{evidence}");
    }
}

#[test]
fn a_hold_is_disputed_once_it_is_captured() {
    let capture = Action::Capture {
        of: 0,
        amount: Some(2_000),
    };
    let counts = history(vec![
        (1_000, pay("createDisputeProductNotReceived", true)),
        (1_500, ask(Action::CloseDispute { of: 0 })),
        (2_000, ask(capture)),
        (3_000, ask(Action::CloseDispute { of: 0 })),
    ]);
    assert_eq!(disputes(&counts), (1, 1, 0));
}

#[test]
fn a_charge_without_an_intent_is_disputed_too() {
    let charge = Action::Charge {
        amount: 5_000,
        card: "createDispute",
        capture: true,
    };
    let counts = history(vec![
        (1_000, ask(charge)),
        (2_000, ask(Action::RefundCharge { of: 0, amount: None })),
        (3_000, answer("winning_evidence", true)),
    ]);
    assert_eq!(disputes(&counts), (1, 1, 0));
}

#[test]
fn what_nobody_answers_ends_by_itself() {
    for card in ["createDispute", "createDisputeInquiry"] {
        let counts = history(vec![(1_000, pay(card, false)), (OVERDUE_MS, pay("visa", false))]);
        assert_eq!(disputes(&counts), (1, 1, 1), "{card}");
    }
}

#[test]
fn evidence_that_was_kept_is_sent_when_time_is_up() {
    for (card, evidence) in [
        ("createDispute", "winning_evidence"),
        ("createDispute", "losing_evidence"),
        ("createDisputeInquiry", "winning_evidence"),
    ] {
        let counts = history(vec![
            (1_000, pay(card, false)),
            (2_000, answer("Somebody signed for it.", false)),
            (3_000, answer(evidence, false)),
            (OVERDUE_MS, pay("visa", false)),
        ]);
        assert_eq!(disputes(&counts), (1, 1, 0), "{card} {evidence}");
    }
}

#[test]
fn an_inquiry_escalates_about_what_was_not_refunded() {
    let counts = history(vec![
        (1_000, pay("createDisputeInquiry", false)),
        (2_000, refund(Some(2_000))),
        (3_000, answer("escalate_inquiry_evidence", true)),
        (9_000, refund(None)),
        (10_000, answer("winning_evidence", true)),
        (20_000, refund(None)),
    ]);
    assert_eq!(disputes(&counts), (1, 1, 0));
}

#[test]
fn an_inquiry_ends_when_everything_was_refunded() {
    let counts = history(vec![
        (1_000, pay("createDisputeInquiry", false)),
        (2_000, answer("escalate_inquiry_evidence", true)),
        (2_500, refund(None)),
    ]);
    assert_eq!(disputes(&counts), (1, 1, 0));
}

#[test]
fn a_leap_of_the_clock_ends_no_dispute() {
    let leap = What::Fault(Fault::Clock {
        by_ms: 27 * 24 * HOUR_MS as i64,
        ms: 1_700,
    });
    let counts = history(vec![
        (1_000, pay("createDispute", false)),
        (5_000, leap),
        (5_500, pay("visa", false)),
    ]);
    assert_eq!(disputes(&counts), (1, 0, 0));
}
