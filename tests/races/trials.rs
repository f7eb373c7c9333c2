//! The checker on histories written by hand: wrong ones are refused, right ones with requests at once are accepted.

use crate::account::World;
use crate::checker::{Span, Verdict, check};
use crate::history::{Answer, Call, Card, ChargeShown, Code, Op, Shown, Status};
use crate::model::Histories;
use crate::shorten::shortened;

/// A request that was asked and answered at these times.
fn op(asked: u64, answered: u64, call: Call, answer: Answer) -> Op {
    Op {
        number: asked as u32,
        client: 1,
        call,
        key: None,
        answer: Some(answer),
        replayed: false,
        span: Span {
            asked,
            answered: Some(answered),
        },
    }
}

/// A request that nobody heard an answer to.
fn unheard(asked: u64, call: Call) -> Op {
    let mut op = op(asked, asked, call, Answer::LockTimeout);
    (op.answer, op.span.answered) = (None, None);
    op
}

fn keyed(key: u16, mut op: Op) -> Op {
    op.key = Some(key);
    op
}

fn replayed(key: u16, mut op: Op) -> Op {
    op.replayed = true;
    op.key = Some(key);
    op
}

const NEW: Call = Call::Create {
    slot: 0,
    amount: 1_000,
    manual: true,
    card: Some(Card::Visa),
};
const CAPTURE: Call = Call::Capture { slot: 0, amount: None };
const CANCEL: Call = Call::Cancel { slot: 0 };
const GET: Call = Call::Get { slot: 0 };
const REFUNDS: Call = Call::Refunds { slot: 0 };

fn part(amount: i64) -> Call {
    Call::Capture {
        slot: 0,
        amount: Some(amount),
    }
}

fn refund(amount: i64) -> Call {
    Call::Refund {
        slot: 0,
        amount: Some(amount),
    }
}

fn shown(status: Status, capturable: i64, received: i64) -> Answer {
    Answer::Intent(Shown {
        status,
        capturable,
        received,
        charge: true,
        error: false,
    })
}

fn held() -> Answer {
    shown(Status::RequiresCapture, 1_000, 0)
}

fn paid(received: i64) -> Answer {
    shown(Status::Succeeded, 0, received)
}

fn canceled() -> Answer {
    shown(Status::Canceled, 0, 0)
}

fn wrong_state() -> Answer {
    Answer::Refused(Some(Code::UnexpectedState))
}

fn verdict(ops: &[Op]) -> Verdict {
    check(&Histories::of(World::default(), ops))
}

#[track_caller]
fn accepted(ops: &[Op]) {
    let verdict = verdict(ops);
    assert!(verdict.is_linearizable(), "{verdict:?}");
}

#[track_caller]
fn refused(ops: &[Op]) {
    let verdict = verdict(ops);
    assert!(matches!(verdict, Verdict::Impossible { .. }), "{verdict:?}");
    let short = shortened(World::default(), ops);
    assert!(
        short.len() <= ops.len() && !self::verdict(&short).is_linearizable(),
        "{short:?}"
    );
}

#[test]
fn one_after_another_is_accepted() {
    accepted(&[
        op(0, 1, NEW, held()),
        op(2, 3, GET, held()),
        op(4, 5, part(700), paid(700)),
        op(6, 7, refund(200), Answer::Refund(200)),
        op(8, 9, refund(500), Answer::Refund(500)),
        op(10, 11, refund(1), Answer::Refused(Some(Code::AlreadyRefunded))),
        op(12, 13, REFUNDS, Answer::Refunds(vec![500, 200])),
        // 700 less 2.9 % and 30 cents, less both refunds.
        op(14, 15, Call::Balance, Answer::Balance(-50)),
    ]);
}

#[test]
fn a_stale_read_after_an_acknowledged_write_is_refused() {
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, CAPTURE, paid(1_000)),
        op(4, 5, GET, held()),
    ]);
    // Asked before the answer to the write: it may have been earlier.
    accepted(&[
        op(0, 1, NEW, held()),
        op(2, 5, CAPTURE, paid(1_000)),
        op(4, 6, GET, held()),
    ]);
}

#[test]
fn a_stale_list_is_refused() {
    let charge = Answer::Charge(ChargeShown {
        paid: true,
        captured: false,
        amount_captured: 0,
        amount_refunded: 0,
        refunded: false,
    });
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, CAPTURE, paid(1_000)),
        op(4, 5, Call::Charge { slot: 0, at: 0 }, charge),
    ]);
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, Call::Intents, Answer::Intents(Vec::new())),
    ]);
    accepted(&[
        op(0, 3, NEW, held()),
        op(2, 3, Call::Intents, Answer::Intents(Vec::new())),
    ]);
}

#[test]
fn two_successful_captures_are_refused() {
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 9, part(300), paid(300)),
        op(2, 9, part(400), paid(400)),
    ]);
    accepted(&[
        op(0, 1, NEW, held()),
        op(2, 9, part(300), wrong_state()),
        op(2, 9, part(400), paid(400)),
    ]);
}

#[test]
fn a_capture_and_a_cancellation_that_both_win_are_refused() {
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 9, CAPTURE, paid(1_000)),
        op(2, 9, CANCEL, canceled()),
    ]);
    accepted(&[
        op(0, 1, NEW, held()),
        op(2, 9, CAPTURE, wrong_state()),
        op(2, 9, CANCEL, canceled()),
    ]);
    // Both lose, and nobody else was there.
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 9, CAPTURE, wrong_state()),
        op(2, 9, CANCEL, wrong_state()),
    ]);
}

#[test]
fn refunds_above_the_capture_are_refused() {
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, part(700), paid(700)),
        op(4, 9, refund(400), Answer::Refund(400)),
        op(4, 9, refund(400), Answer::Refund(400)),
    ]);
    accepted(&[
        op(0, 1, NEW, held()),
        op(2, 3, part(700), paid(700)),
        op(4, 9, refund(400), Answer::Refund(400)),
        op(4, 9, refund(400), Answer::Refused(None)),
    ]);
}

#[test]
fn a_lost_update_is_refused() {
    let write = |field, value| Call::Update { field, value };
    refused(&[
        op(0, 9, write(0, 1), Answer::Customer([1, 0, 0])),
        op(0, 9, write(1, 2), Answer::Customer([0, 2, 0])),
        op(10, 11, Call::Customer, Answer::Customer([0, 2, 0])),
    ]);
    accepted(&[
        op(0, 9, write(0, 1), Answer::Customer([1, 2, 0])),
        op(0, 9, write(1, 2), Answer::Customer([0, 2, 0])),
        op(10, 11, Call::Customer, Answer::Customer([1, 2, 0])),
    ]);
    // The same value again: no request may be taken for one that changes nothing.
    accepted(&[
        op(0, 1, write(0, 5), Answer::Customer([5, 0, 0])),
        op(2, 9, write(0, 5), Answer::Customer([5, 0, 0])),
        op(2, 9, write(0, 6), Answer::Customer([6, 0, 0])),
        op(10, 11, Call::Customer, Answer::Customer([5, 0, 0])),
    ]);
}

#[test]
fn a_read_that_goes_back_in_time_is_refused() {
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 9, CAPTURE, paid(1_000)),
        op(3, 4, GET, paid(1_000)),
        op(5, 6, GET, held()),
    ]);
    accepted(&[
        op(0, 1, NEW, held()),
        op(2, 9, CAPTURE, paid(1_000)),
        op(3, 4, GET, held()),
        op(5, 6, GET, paid(1_000)),
    ]);
}

#[test]
fn what_nobody_heard_may_have_happened_at_any_time_or_not() {
    for later in [held(), paid(1_000)] {
        accepted(&[
            op(0, 1, NEW, held()),
            unheard(2, CAPTURE),
            op(8, 9, GET, held()),
            op(10, 11, GET, later),
        ]);
    }
    refused(&[
        op(0, 1, NEW, held()),
        unheard(2, CAPTURE),
        op(4, 5, GET, paid(1_000)),
        op(6, 7, GET, held()),
    ]);
    // Only once.
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, CAPTURE, paid(1_000)),
        unheard(4, refund(10)),
        op(8, 9, REFUNDS, Answer::Refunds(vec![10, 10])),
    ]);
    // Not before it was asked.
    refused(&[op(0, 1, NEW, held()), op(2, 3, GET, paid(1_000)), unheard(4, CAPTURE)]);
}

#[test]
fn a_key_acts_once_and_repeats_its_answer() {
    accepted(&[
        op(0, 1, NEW, held()),
        keyed(1, op(2, 9, CAPTURE, paid(1_000))),
        replayed(1, op(3, 8, CAPTURE, paid(1_000))),
        op(10, 11, refund(1_000), Answer::Refund(1_000)),
        replayed(1, op(12, 13, CAPTURE, paid(1_000))),
    ]);
    // Carried out twice.
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, CAPTURE, paid(1_000)),
        keyed(1, op(4, 5, refund(100), Answer::Refund(100))),
        keyed(1, op(6, 7, refund(100), Answer::Refund(100))),
    ]);
    // A replay of nothing.
    refused(&[op(0, 1, NEW, held()), replayed(1, op(2, 3, CAPTURE, paid(1_000)))]);
    // The retry of what nobody heard: carried out then, or now; the charge is one.
    for again in [replayed as fn(u16, Op) -> Op, keyed] {
        accepted(&[
            op(0, 1, NEW, held()),
            op(2, 3, CAPTURE, paid(1_000)),
            keyed(1, unheard(4, refund(100))),
            again(1, op(6, 7, refund(100), Answer::Refund(100))),
            op(8, 9, REFUNDS, Answer::Refunds(vec![100])),
        ]);
    }
    refused(&[
        op(0, 1, NEW, held()),
        op(2, 3, CAPTURE, paid(1_000)),
        keyed(1, unheard(4, refund(100))),
        keyed(1, op(6, 7, refund(100), Answer::Refund(100))),
        op(8, 9, REFUNDS, Answer::Refunds(vec![100, 100])),
    ]);
}

#[test]
fn a_key_with_another_body_is_told_so() {
    accepted(&[
        op(0, 1, NEW, held()),
        keyed(1, op(2, 3, CAPTURE, paid(1_000))),
        keyed(1, op(4, 5, refund(100), Answer::KeyMisused)),
    ]);
    // The first answer for a different body.
    refused(&[
        op(0, 1, NEW, held()),
        keyed(1, op(2, 3, CAPTURE, paid(1_000))),
        replayed(1, op(4, 5, part(10), paid(1_000))),
    ]);
    // Told so without a reason, or told that it is in use when it is not.
    for answer in [Answer::KeyMisused, Answer::KeyInUse] {
        refused(&[op(0, 1, NEW, held()), keyed(1, op(4, 5, refund(100), answer))]);
    }
    accepted(&[
        op(0, 1, NEW, held()),
        keyed(1, op(2, 9, CAPTURE, paid(1_000))),
        keyed(1, op(3, 4, CAPTURE, Answer::KeyInUse)),
    ]);
}

/// A hold over the network, and what it shows meanwhile.
fn remote(card: Card) -> Call {
    Call::Create {
        slot: 0,
        amount: 1_000,
        manual: false,
        card: Some(card),
    }
}

fn processing() -> Answer {
    Answer::Intent(Shown {
        status: Status::Processing,
        capturable: 0,
        received: 0,
        charge: false,
        error: false,
    })
}

#[test]
fn a_payment_over_the_network_has_a_beginning_and_an_end() {
    accepted(&[
        op(0, 9, remote(Card::Slow), paid(1_000)),
        op(1, 2, GET, processing()),
        op(3, 4, CANCEL, Answer::LockTimeout),
        op(5, 6, GET, processing()),
        op(7, 8, GET, paid(1_000)),
    ]);
    refused(&[
        op(0, 9, remote(Card::Slow), paid(1_000)),
        op(1, 2, GET, paid(1_000)),
        op(3, 4, GET, processing()),
    ]);
    // Answered, and still going on.
    refused(&[op(0, 1, remote(Card::Slow), paid(1_000)), op(3, 4, GET, processing())]);
    // Nobody holds it.
    refused(&[
        op(0, 1, remote(Card::Slow), paid(1_000)),
        op(3, 4, CANCEL, Answer::LockTimeout),
    ]);
}

#[test]
fn an_unknown_outcome_is_found_out_once() {
    let no = |answer: Answer| match answer {
        Answer::Intent(shown) => Answer::Intent(Shown {
            status: Status::RequiresPaymentMethod,
            charge: true,
            error: true,
            ..shown
        }),
        other => other,
    };
    for end in [paid(1_000), no(processing())] {
        accepted(&[
            keyed(1, op(0, 1, remote(Card::LostAnswer), processing())),
            op(2, 3, GET, processing()),
            op(4, 5, CANCEL, wrong_state()),
            op(6, 7, GET, end.clone()),
            replayed(1, op(8, 9, remote(Card::LostAnswer), processing())),
            op(10, 11, GET, end),
        ]);
    }
    refused(&[
        op(0, 1, remote(Card::LostAnswer), processing()),
        op(2, 3, GET, paid(1_000)),
        op(4, 5, GET, no(processing())),
    ]);
    // What never reached the network is not paid, and a declined card neither.
    for card in [Card::Silent, Card::RemoteDecline] {
        refused(&[op(0, 1, remote(card), processing()), op(2, 3, GET, paid(1_000))]);
    }
}

#[test]
fn the_shortest_part_names_what_contradicts() {
    let mut ops = vec![op(0, 1, NEW, held())];
    for at in 1..20 {
        ops.push(op(at * 10, at * 10 + 15, GET, held()));
    }
    ops.push(op(300, 301, CAPTURE, paid(1_000)));
    for at in 40..60 {
        ops.push(op(
            at * 10,
            at * 10 + 15,
            GET,
            if at == 50 { held() } else { paid(1_000) },
        ));
    }
    let short = shortened(World::default(), &ops);
    let calls: Vec<&Call> = short.iter().map(|op| &op.call).collect();
    assert_eq!(calls, [&NEW, &CAPTURE, &GET], "{short:?}");
    assert_eq!(short[2].span.asked, 500);
}
