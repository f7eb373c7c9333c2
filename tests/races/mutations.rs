//! The checker on random histories: those that a sequential account makes are accepted however their requests overlap, and
//! after a change of any kind the checker says what trying every order says.

use crate::account::World;
use crate::checker::{Model, Span, Verdict, check};
use crate::history::{Answer, Call, Card, FIELDS, Op};
use crate::model::Histories;
use crate::random::Random;
use crate::shorten::shortened;

/// Histories of each kind.
const HISTORIES: u64 = 400;

#[test]
fn what_a_sequential_account_does_is_accepted_however_it_overlaps() {
    for seed in 0..HISTORIES {
        let ops = good(&mut Random::new(seed), 40, 8);
        let verdict = check(&Histories::of(World::default(), &ops));
        assert!(verdict.is_linearizable(), "seed {seed}: {verdict:?}\n{ops:#?}");
    }
}

#[test]
fn the_checker_agrees_with_trying_every_order() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..HISTORIES * 4 {
        let mut random = Random::new(seed);
        let mut ops = good(&mut random, 6, 4);
        for _ in 0..random.below(3) {
            mutate(&mut ops, &mut random);
        }
        let verdict = check(&Histories::of(World::default(), &ops));
        let model = Histories::plain(World::default(), &ops);
        let expected = some_order(&model, &vec![false; ops.len()], &model.start());
        assert_eq!(
            verdict.is_linearizable(),
            expected,
            "seed {seed}: {verdict:?}\n{ops:#?}"
        );
        *(if expected { &mut right } else { &mut wrong }) += 1;
    }
    // Both kinds in number, or little was compared.
    assert!(right > 200 && wrong > 200, "{right} right, {wrong} wrong");
}

#[test]
fn a_shortened_history_fails_like_the_whole() {
    let mut failed = 0;
    for seed in 0..HISTORIES {
        let mut random = Random::new(seed);
        let mut ops = good(&mut random, 14, 4);
        mutate(&mut ops, &mut random);
        if !matches!(
            check(&Histories::of(World::default(), &ops)),
            Verdict::Impossible { .. }
        ) {
            continue;
        }
        failed += 1;
        let short = shortened(World::default(), &ops);
        let verdict = check(&Histories::of(World::default(), &short));
        assert!(matches!(verdict, Verdict::Impossible { .. }), "seed {seed}: {short:#?}");
        // Every request of it is one of the whole, at most with its answer forgotten.
        for op in &short {
            let whole = ops.iter().find(|whole| whole.number == op.number).expect("a part");
            assert!(
                op == whole || (op.answer.is_none() && op.call == whole.call),
                "seed {seed}: {op}"
            );
        }
    }
    assert!(failed > 100, "only {failed} changes were found out");
}

/// Whether any order is right: all of them, one step after another, without memory and without taking anything first.
fn some_order(model: &Histories, ended: &[bool], state: &<Histories as Model>::State) -> bool {
    let open = |op: usize| !ended[op] && model.span(op).answered.is_some();
    if !(0..model.len()).any(open) {
        return true;
    }
    let after = |op: usize| {
        let mut ended = ended.to_vec();
        ended[op] = true;
        ended
    };
    let may_stand_next = |op: usize| {
        let before = |other: usize| open(other) && model.span(other).answered.expect("open") < model.span(op).asked;
        !ended[op] && !(0..model.len()).any(before)
    };
    let by_request = (0..model.len()).filter(|op| may_stand_next(*op)).any(|op| {
        model.steps(state, op).iter().any(|(next, ends)| {
            let ended = if *ends { after(op) } else { ended.to_vec() };
            some_order(model, &ended, next)
        })
    });
    by_request
        || model.spontaneous(state).iter().any(|(next, op)| {
            let ended = op.map_or_else(|| ended.to_vec(), after);
            some_order(model, &ended, next)
        })
}

/// A history whose order is known: each request takes effect at a moment of its own, and its times lie around that, at
/// most so many at once. Answers come from the model itself, one request after another.
fn good(random: &mut Random, len: u32, at_once: u64) -> Vec<Op> {
    const BETWEEN: u64 = 100;
    let mut ops: Vec<Op> = Vec::new();
    let mut keys = 0;
    for number in 0..len {
        let call = call(random, number);
        let moment = u64::from(number + 1) * BETWEEN * 2;
        let key = (!call.is_read() && random.percent(40)).then(|| {
            if keys > 0 && random.percent(30) {
                random.below(keys) as u16
            } else {
                keys += 1;
                (keys - 1) as u16
            }
        });
        let mut op = Op {
            number,
            client: 1,
            call,
            key,
            answer: None,
            replayed: false,
            span: Span {
                asked: moment,
                answered: Some(moment),
            },
        };
        if let Some((answer, replayed)) = answer_to(&ops, &op) {
            (op.answer, op.replayed) = (Some(answer), replayed);
            ops.push(op);
        }
    }
    for op in &mut ops {
        let around = |random: &mut Random| random.below(at_once * BETWEEN);
        let moment = op.span.asked;
        op.span = Span {
            asked: moment.saturating_sub(around(random)),
            answered: Some(moment + around(random)),
        };
        // Somebody did not wait for the answer.
        if random.percent(8) && !op.call.is_read() {
            (op.answer, op.replayed, op.span.answered) = (None, false, None);
        }
    }
    ops
}

/// What the account answers after these requests; found by asking the checker which answer is right.
fn answer_to(before: &[Op], op: &Op) -> Option<(Answer, bool)> {
    let mut ops = before.to_vec();
    ops.push(op.clone());
    let at = ops.len() - 1;
    candidates(before, op).into_iter().find(|(answer, replayed)| {
        (ops[at].answer, ops[at].replayed) = (Some(answer.clone()), *replayed);
        check(&Histories::of(World::default(), &ops)).is_linearizable()
    })
}

fn candidates(before: &[Op], op: &Op) -> Vec<(Answer, bool)> {
    let mut all: Vec<(Answer, bool)> = Histories::answers(World::default(), before, op)
        .into_iter()
        .map(|answer| (answer, false))
        .collect();
    if let Some(first) = before.iter().find(|first| op.key.is_some() && first.key == op.key) {
        all.extend(first.answer.clone().map(|answer| (answer, true)));
        all.push((Answer::KeyMisused, false));
    }
    all
}

fn call(random: &mut Random, number: u32) -> Call {
    let slot = random.below(2) as u8;
    let amount = random.percent(70).then(|| 1 + random.below(1_200) as i64);
    match random.below(if number < 2 { 2 } else { 16 }) {
        0 | 1 => Call::Create {
            slot: (number % 2) as u8,
            amount: 1_000,
            manual: true,
            card: random.percent(70).then_some(Card::Visa),
        },
        2 => Call::Confirm {
            slot,
            card: *random.one(&[Card::Visa, Card::Declined]),
        },
        3..6 => Call::Capture { slot, amount },
        6 => Call::Cancel { slot },
        7..10 => Call::Refund { slot, amount },
        10 | 11 => Call::Update {
            field: random.below(FIELDS as u64) as u8,
            value: 1 + random.below(3) as u32,
        },
        12 => Call::Get { slot },
        13 => Call::Refunds { slot },
        14 => Call::Customer,
        _ => Call::Balance,
    }
}

/// Changes one thing: an answer for another one of the history, its time, or what it says of itself.
fn mutate(ops: &mut [Op], random: &mut Random) {
    if ops.is_empty() {
        return;
    }
    let at = random.below(ops.len() as u64) as usize;
    let other = ops[random.below(ops.len() as u64) as usize].answer.clone();
    let op = &mut ops[at];
    match random.below(6) {
        0 => op.replayed = !op.replayed && op.key.is_some(),
        1 => {
            // Earlier or later than it was.
            let by = random.below(2_000);
            let earlier = random.percent(50);
            let moved = |time: u64| if earlier { time.saturating_sub(by) } else { time + by };
            op.span = Span {
                asked: moved(op.span.asked),
                answered: op.span.answered.map(moved),
            };
        }
        2 => match &mut op.answer {
            Some(Answer::Refund(amount) | Answer::Balance(amount)) => *amount += 1,
            Some(Answer::Intent(shown)) => shown.received += 1,
            Some(Answer::Refunds(amounts)) => amounts.push(1),
            Some(Answer::Customer(fields)) => fields[0] += 1,
            _ => {}
        },
        _ => {
            if op.answer.is_some() && other.is_some() {
                op.answer = other;
            }
        }
    }
}
