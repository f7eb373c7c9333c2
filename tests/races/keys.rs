//! One idempotency key from 500 connections at once: one charge, and everyone hears the same bytes or is told that the
//! key is in use.

use crate::random::{Random, seed};
use crate::server::{Answer, KEY, Server};
use crate::wire::{Ended, Manners, Socket, bytes};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Duration;

/// Connections at once.
const CONNECTIONS: usize = 500;
/// Memory of the stack of a client's thread, in bytes: there are many of them.
const STACK_BYTES: usize = 256 * 1024;

const PAYMENT: &str = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
const REMOTE_PAYMENT: &str = "amount=1000&currency=usd&payment_method=pm_card_tollgate_remote&confirm=true";

/// A network that is slow, but far from the deadline, also on a busy machine.
const SLOW: &[(&str, &str)] = &[("TOLLGATE_ACQUIRER__LATENCY_MS", "500")];
/// A deadline that is over before a test is: after a kill nobody answers what was under way.
const SOON_OVER: &[(&str, &str)] = &[
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "200"),
    ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "1500"),
];

/// What one of the clients does.
#[derive(Clone, Copy)]
struct Part<'a> {
    form: &'a str,
    pause: Duration,
    manners: Manners,
}

impl<'a> Part<'a> {
    fn plain(form: &'a str) -> Part<'a> {
        Part {
            form,
            pause: Duration::ZERO,
            manners: Manners::Waits,
        }
    }
}

/// Sends a request with one key from all connections, which are open before the first byte is sent; their answers, `None`
/// where nobody heard one.
fn all_at_once<'a>(server: &Server, key: &str, part: impl Fn(usize) -> Part<'a> + Sync) -> Vec<Option<Answer>> {
    all_at_once_while(server, key, part, || {})
}

/// The same, and `meanwhile` from the moment at which they start.
fn all_at_once_while<'a>(
    server: &Server,
    key: &str,
    part: impl Fn(usize) -> Part<'a> + Sync,
    meanwhile: impl FnOnce(),
) -> Vec<Option<Answer>> {
    let start = Barrier::new(CONNECTIONS + 1);
    let client = |at: usize| {
        let part = part(at);
        let request = bytes(KEY, "POST", "/v1/payment_intents", part.form, Some(key));
        let mut socket = Socket::default();
        socket.open(&server.api);
        start.wait();
        std::thread::sleep(part.pause);
        match socket.exchange(&server.api, &request, part.manners) {
            Ended::Answered(answer) => Some(answer),
            Ended::Unsent | Ended::Unheard => None,
        }
    };
    std::thread::scope(|scope| {
        let client = &client;
        let spawn = |at| {
            let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, move || client(at)).expect("a thread")
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(spawn).collect();
        start.wait();
        meanwhile();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().expect("a client");
        threads.into_iter().map(join).collect()
    })
}

/// Every answer is the payment, the same bytes for all, or says that the key is in use; the bytes.
#[track_caller]
fn one_text<'a>(answers: impl Iterator<Item = &'a Answer>) -> Option<String> {
    let mut texts = BTreeSet::new();
    for answer in answers {
        match answer.status {
            200 => drop(texts.insert(answer.text.clone())),
            409 => assert_eq!(answer.json()["error"]["code"], "idempotency_key_in_use", "{answer:?}"),
            _ => panic!("neither the payment nor that the key is in use: {answer:?}"),
        }
    }
    assert!(texts.len() <= 1, "different answers under one key: {texts:?}");
    texts.pop_first()
}

fn list(server: &Server, of: &str) -> Vec<serde_json::Value> {
    let json = server.get(&format!("/v1/{of}?limit=100")).json();
    json["data"].as_array().cloned().expect("a list")
}

#[track_caller]
fn charged_once(server: &Server) {
    for of in ["payment_intents", "charges", "balance_transactions"] {
        assert_eq!(list(server, of).len(), 1, "{of}");
    }
    assert_eq!(list(server, "charges")[0]["amount_captured"], 1_000);
}

#[test]
fn one_key_from_500_connections_charges_once() {
    let server = Server::start();
    let answers = all_at_once(&server, "one", |_| Part::plain(PAYMENT));
    assert!(answers.iter().all(Option::is_some), "a connection was dropped");
    let text = one_text(answers.iter().flatten()).expect("somebody is told");
    let first = |answer: &&Answer| answer.status == 200 && answer.header("idempotent-replayed").is_none();
    assert_eq!(
        answers.iter().flatten().filter(first).count(),
        1,
        "one is the first, all others repeat"
    );
    charged_once(&server);
    let again = server.send(
        KEY,
        "POST",
        "/v1/payment_intents",
        PAYMENT,
        &[("idempotency-key", "one")],
    );
    assert_eq!(again.text, text);
    server.verify();
}

#[test]
fn one_key_from_500_connections_waits_for_a_slow_network() {
    let server = Server::with(&[], SLOW);
    let answers = all_at_once(&server, "slow", |_| Part::plain(REMOTE_PAYMENT));
    assert!(answers.iter().all(Option::is_some), "a connection was dropped");
    let text = one_text(answers.iter().flatten()).expect("somebody is told");
    let again = server.send(
        KEY,
        "POST",
        "/v1/payment_intents",
        REMOTE_PAYMENT,
        &[("idempotency-key", "slow")],
    );
    assert_eq!(again.text, text);
    assert_eq!(list(&server, "charges").len(), 1);
    server.verify();
}

#[test]
fn pauses_and_hang_ups_do_not_charge_twice() {
    let server = Server::with(&[], SLOW);
    for (key, form) in [("instant", PAYMENT), ("remote", REMOTE_PAYMENT)] {
        let before = list(&server, "charges").len();
        let answers = all_at_once(&server, key, |at| Part {
            form,
            pause: Duration::from_millis(at as u64 % 7 * 3),
            manners: match at % 5 {
                0 => Manners::HangsUp,
                1 => Manners::HangsUpMidway(20 + at as u64 % 79),
                _ => Manners::Waits,
            },
        });
        let heard = answers.iter().flatten().count();
        assert!(heard >= CONNECTIONS * 3 / 5, "{heard} who waited were answered");
        one_text(answers.iter().flatten()).expect("somebody is told");
        assert_eq!(list(&server, "charges").len(), before + 1, "{key}");
    }
    server.verify();
}

#[test]
fn nobody_waits_and_yet_it_is_done_at_most_once() {
    let server = Server::start();
    let answers = all_at_once(&server, "gone", |_| Part {
        manners: Manners::HangsUp,
        ..Part::plain(PAYMENT)
    });
    assert!(answers.iter().all(Option::is_none));
    let told = server.send(
        KEY,
        "POST",
        "/v1/payment_intents",
        PAYMENT,
        &[("idempotency-key", "gone")],
    );
    assert_eq!(told.status, 200, "{told:?}");
    charged_once(&server);
    server.verify();
}

#[test]
fn one_body_wins_a_key_and_the_others_are_told() {
    for (settings, card) in [(&[][..], "pm_card_visa"), (SLOW, "pm_card_tollgate_remote")] {
        let server = Server::with(&[], settings);
        let forms: Vec<String> = (0..10)
            .map(|at| format!("amount={}&currency=usd&payment_method={card}&confirm=true", 1_000 + at))
            .collect();
        let answers = all_at_once(&server, "bodies", |at| Part::plain(&forms[at % forms.len()]));
        assert!(answers.iter().all(Option::is_some), "a connection was dropped");
        // Which body won: the one that was paid.
        let charges = list(&server, "charges");
        assert_eq!(charges.len(), 1, "{charges:?}");
        let winner = charges[0]["amount"].as_i64().expect("an amount") - 1_000;
        let mut same = Vec::new();
        for (at, answer) in answers.iter().flatten().enumerate() {
            if (at % forms.len()) as i64 == winner {
                same.push(answer);
                continue;
            }
            let told = (
                answer.status,
                answer.json()["error"]["type"].as_str().map(str::to_owned),
            );
            // Before the key's first request was read back, whoever comes waits for it whatever it says.
            let in_use = answer.status == 409 && answer.json()["error"]["code"] == "idempotency_key_in_use";
            assert!(
                in_use || told == (400, Some("idempotency_error".to_owned())),
                "{answer:?}"
            );
        }
        one_text(same.into_iter()).expect("the winner is told");
        server.verify();
    }
}

#[test]
fn a_restart_in_the_midst_changes_nothing_for_a_key() {
    let seed = seed();
    let mut random = Random::new(seed);
    for (settings, form) in [(&[][..], PAYMENT), (SOON_OVER, REMOTE_PAYMENT)] {
        let mut server = Server::with(&[], settings);
        let pause = Duration::from_micros(random.below(40_000));
        let pauses = |at: usize| Part {
            pause: Duration::from_micros(at as u64 * 150),
            ..Part::plain(form)
        };
        let before = all_at_once_while(&server, "cut", pauses, || {
            std::thread::sleep(pause);
            server.signal("KILL");
        });
        server.wait();
        server.start_again();
        let after = all_at_once(&server, "cut", |_| Part::plain(form));
        assert!(
            after.iter().all(Option::is_some),
            "TOLLGATE_SEED={seed}: a connection was dropped"
        );
        let known = one_text(before.iter().flatten().chain(after.iter().flatten()));
        let told = crate::refunds::patiently(|| {
            server.send(KEY, "POST", "/v1/payment_intents", form, &[("idempotency-key", "cut")])
        });
        assert_eq!(told.status, 200, "TOLLGATE_SEED={seed}: {told:?}");
        assert_eq!(
            known.unwrap_or_else(|| told.text.clone()),
            told.text,
            "TOLLGATE_SEED={seed}"
        );
        assert_eq!(list(&server, "payment_intents").len(), 1, "TOLLGATE_SEED={seed}");
        server.verify();
    }
}

#[test]
fn keys_that_count_upwards_and_are_used_again_never_mix() {
    // Clients number their keys and are restarted with an old count: each number is used again, with the same or another
    // request.
    let server = Server::start();
    let form = |amount: usize| format!("amount={amount}&currency=usd&payment_method=pm_card_visa&confirm=true");
    const KEYS: usize = 25;
    const USES: usize = 8;
    let ask = |at: usize| {
        let (key, body) = (at % KEYS, at / KEYS % 2);
        let form = form(1_000 + 2 * key + body);
        let key = format!("count-{key}");
        let answer = server.send(KEY, "POST", "/v1/payment_intents", &form, &[("idempotency-key", &key)]);
        (at % KEYS, body, answer)
    };
    let answers = crate::refunds::together(20, KEYS * USES, ask);
    for key in 0..KEYS {
        let of = |body: usize| {
            let mine = answers.iter().filter(move |(k, b, _)| (*k, *b) == (key, body));
            mine.map(|(.., answer)| answer).collect::<Vec<_>>()
        };
        let won = of(0).iter().all(|answer| answer.status == 200);
        let (winners, losers) = if won { (of(0), of(1)) } else { (of(1), of(0)) };
        assert_eq!((winners.len(), losers.len()), (USES / 2, USES / 2));
        one_text(winners.iter().copied()).expect("the winner is told");
        let paid = if won { 1_000 + 2 * key } else { 1_001 + 2 * key };
        assert!(winners.iter().all(|answer| answer.json()["amount_received"] == paid));
        for answer in losers {
            assert_eq!(
                (answer.status, answer.json()["error"]["type"].as_str()),
                (400, Some("idempotency_error"))
            );
        }
    }
    assert_eq!(list(&server, "charges").len(), KEYS);
    server.verify();
}
