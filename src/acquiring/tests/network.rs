//! What a caller of the simulated network sees, and what its book then says. Time is paused: nothing sleeps.

use tokio::time::Instant;
use tollgate_acquiring::{Faults, Kind, NetworkSettings, SimulatedNetwork, State, Totals, Violations};
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, CardMoney, NetworkAnswer, NetworkCall, Said};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::payment_method::{TestCard, declines};
use tollgate_resource::Id;

const DEADLINE_MS: u64 = 10_000;
const GENERIC: Said = Said::Declined { decline: 1 };

/// Settings without faults: 100 ms and up to 20 more.
fn settings() -> NetworkSettings {
    NetworkSettings {
        latency_ms: 100,
        jitter_ms: 20,
        deadline_ms: DEADLINE_MS,
        seed: 1,
        faults: Faults::default(),
    }
}

fn attempt(number: u32) -> AttemptId {
    AttemptId {
        object: Id::from_bits(0xabcd),
        number,
    }
}

fn money(amount: i64, card: &str) -> CardMoney {
    CardMoney {
        amount,
        currency: Currency::USD,
        test_card: TestCard::by_name(card).expect("a card of the table").number,
    }
}

/// Performs a call; gives what was said and how long that took, in milliseconds.
async fn ask(network: &SimulatedNetwork, number: u32, ask: Ask) -> (Said, u64) {
    let begun = Instant::now();
    let expected = match ask {
        Ask::Inquire => Asked::Inquiry,
        Ask::Reverse => Asked::Reversal,
        _ => Asked::Request,
    };
    let NetworkAnswer { to, said } = network
        .perform(NetworkCall {
            attempt: attempt(number),
            ask,
            deadline_ms: 0,
        })
        .await;
    assert_eq!(to, expected);
    (said, begun.elapsed().as_millis() as u64)
}

async fn said(network: &SimulatedNetwork, number: u32, asked: Ask) -> Said {
    ask(network, number, asked).await.0
}

fn purchase(amount: i64) -> Ask {
    Ask::Purchase(money(amount, "visa"))
}

fn authorise(amount: i64) -> Ask {
    Ask::Authorise(money(amount, "visa"))
}

fn capture(of: u32, amount: i64) -> Ask {
    Ask::Capture {
        of: attempt(of),
        money: money(amount, "visa"),
    }
}

fn refund(of: u32, amount: i64) -> Ask {
    Ask::Refund {
        of: attempt(of),
        money: money(amount, "visa"),
    }
}

/// Authorised, captured, reversed, refunded dollars.
fn usd(network: &SimulatedNetwork) -> [i128; 4] {
    let Totals {
        authorised,
        captured,
        reversed,
        refunded,
    } = network.book().totals.get("usd").copied().unwrap_or_default();
    [authorised, captured, reversed, refunded]
}

#[tokio::test(start_paused = true)]
async fn each_card_of_our_own_behaves_as_its_name_says() {
    // card, answer, least and most milliseconds, what an inquiry then says
    let late_ms = DEADLINE_MS + DEADLINE_MS / 4;
    let cases = [
        ("tollgate_remote", Said::Approved, 100, 120, Said::Approved),
        ("tollgate_remoteDecline", GENERIC, 100, 120, GENERIC),
        (
            "tollgate_remoteSilent",
            Said::Silence,
            DEADLINE_MS,
            DEADLINE_MS,
            Said::NotFound,
        ),
        (
            "tollgate_remoteLostAnswer",
            Said::Silence,
            DEADLINE_MS,
            DEADLINE_MS,
            Said::Approved,
        ),
        (
            "tollgate_remoteLate",
            Said::Approved,
            late_ms,
            late_ms + 1,
            Said::Approved,
        ),
        (
            "tollgate_remoteSlow",
            Said::Approved,
            DEADLINE_MS / 2,
            DEADLINE_MS / 2,
            Said::Approved,
        ),
        ("visa", Said::Approved, 100, 120, Said::Approved),
    ];
    for (card, expected, least_ms, most_ms, inquired) in cases {
        let network = SimulatedNetwork::new(settings());
        let (said, took_ms) = ask(&network, 1, Ask::Purchase(money(1000, card))).await;
        assert_eq!(said, expected, "{card}");
        assert!((least_ms..=most_ms).contains(&took_ms), "{card} took {took_ms} ms");
        assert_eq!(ask(&network, 1, Ask::Inquire).await.0, inquired, "{card}");
        assert!(network.violations().none());
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuers_decline_keeps_its_reason() {
    let network = SimulatedNetwork::new(settings());
    let expected = Said::Declined {
        decline: declines::INSUFFICIENT_FUNDS.number,
    };
    let asked = Ask::Authorise(money(1000, "visa_chargeDeclinedInsufficientFunds"));
    assert_eq!(said(&network, 1, asked).await, expected);
    assert_eq!(said(&network, 1, Ask::Inquire).await, expected);
    assert_eq!(usd(&network), [0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_captured_and_refunded_once() {
    let network = SimulatedNetwork::new(settings());
    assert_eq!(said(&network, 1, authorise(1000)).await, Said::Approved);
    assert_eq!(usd(&network), [1000, 0, 0, 0]);
    assert_eq!(said(&network, 2, capture(1, 700)).await, Said::Approved);
    assert_eq!(usd(&network), [1000, 700, 0, 0]);
    for _ in 0..3 {
        assert_eq!(
            said(&network, 3, refund(2, 200)).await,
            Said::Approved,
            "an advice may be repeated"
        );
    }
    assert_eq!(said(&network, 4, refund(2, 500)).await, Said::Approved);
    assert_eq!(usd(&network), [1000, 700, 0, 700]);
    assert!(network.violations().none());
    let line = network.attempt(attempt(2)).unwrap();
    assert_eq!(
        (line.kind, line.of, line.state, line.refunded),
        (Kind::Capture, Some(attempt(1)), State::Approved, 700)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_authorised_twice() {
    let network = SimulatedNetwork::new(settings());
    assert_eq!(said(&network, 1, purchase(1000)).await, Said::Approved);
    assert_eq!(said(&network, 1, purchase(1000)).await, GENERIC);
    assert_eq!(said(&network, 1, authorise(1000)).await, GENERIC);
    assert_eq!(
        said(&network, 1, Ask::Inquire).await,
        Said::Approved,
        "the first stands"
    );
    assert_eq!(usd(&network), [1000, 1000, 0, 0]);
    assert_eq!(
        network.violations(),
        Violations {
            repeated: 2,
            ..Violations::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_one_is_authorised() {
    let network = SimulatedNetwork::new(settings());
    let (one, two) = tokio::join!(said(&network, 1, purchase(1000)), said(&network, 1, purchase(1000)));
    assert!([one, two].contains(&Said::Approved) && [one, two].contains(&GENERIC));
    assert_eq!(usd(&network), [1000, 1000, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn limits_of_captures_and_refunds_hold() {
    let cases: [(&str, &[Ask], Ask, Violations); 6] = [
        (
            "more captured than held",
            &[authorise(1000), capture(1, 600)],
            capture(1, 401),
            exceeded(),
        ),
        (
            "capture in another currency",
            &[authorise(1000)],
            in_euro(capture(1, 600)),
            exceeded(),
        ),
        (
            "more refunded than captured",
            &[purchase(1000), refund(1, 600)],
            refund(1, 401),
            exceeded(),
        ),
        ("capture of nothing", &[authorise(1000)], capture(1, 0), exceeded()),
        (
            "capture of a declined hold",
            &[Ask::Authorise(money(1000, "visa_chargeDeclined"))],
            capture(1, 1),
            Violations {
                not_standing: 1,
                ..Violations::default()
            },
        ),
        (
            "a refund that changes",
            &[purchase(1000), refund(1, 600)],
            Ask::Refund {
                of: attempt(1),
                money: money(1, "visa"),
            },
            Violations {
                changed: 1,
                ..Violations::default()
            },
        ),
    ];
    for (name, before, asked, violations) in cases {
        let network = SimulatedNetwork::new(settings());
        for (at, step) in before.iter().enumerate() {
            said(&network, at as u32 + 1, *step).await;
        }
        let sums = usd(&network);
        let number = if violations.changed > 0 {
            before.len()
        } else {
            before.len() + 1
        };
        assert_eq!(said(&network, number as u32, asked).await, GENERIC, "{name}");
        assert_eq!(usd(&network), sums, "{name}");
        assert_eq!(network.violations(), violations, "{name}");
    }
}

fn exceeded() -> Violations {
    Violations {
        exceeded: 1,
        ..Violations::default()
    }
}

fn in_euro(asked: Ask) -> Ask {
    match asked {
        Ask::Capture { of, money } => Ask::Capture {
            of,
            money: CardMoney {
                currency: Currency::EUR,
                ..money
            },
        },
        other => other,
    }
}

#[tokio::test(start_paused = true)]
async fn a_reversal_undoes_whatever_was_done_and_is_always_acknowledged() {
    // what was done, what is reversed, sums after
    let cases: [(&[Ask], u32, [i128; 4]); 5] = [
        (&[purchase(1000)], 1, [1000, 0, 1000, 0]),
        (&[authorise(1000)], 1, [1000, 0, 1000, 0]),
        (&[authorise(1000), capture(1, 700)], 2, [1000, 0, 0, 0]),
        (&[purchase(1000), refund(1, 300)], 2, [1000, 1000, 0, 0]),
        (&[purchase(1000)], 9, [1000, 1000, 0, 0]),
    ];
    for (done, reversed, sums) in cases {
        let network = SimulatedNetwork::new(settings());
        for (at, step) in done.iter().enumerate() {
            assert_eq!(said(&network, at as u32 + 1, *step).await, Said::Approved);
        }
        for _ in 0..2 {
            assert_eq!(
                said(&network, reversed, Ask::Reverse).await,
                Said::Acknowledged,
                "{done:?}"
            );
            assert_eq!(usd(&network), sums, "{done:?}");
        }
        assert_eq!(said(&network, reversed, Ask::Inquire).await, Said::NotFound, "{done:?}");
        assert!(network.violations().none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reversed_capture_leaves_the_hold_to_be_captured_again() {
    let network = SimulatedNetwork::new(settings());
    said(&network, 1, authorise(1000)).await;
    said(&network, 2, capture(1, 1000)).await;
    said(&network, 2, Ask::Reverse).await;
    assert_eq!(said(&network, 3, capture(1, 1000)).await, Said::Approved);
    assert_eq!(usd(&network), [1000, 1000, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_after_its_reversal_is_declined() {
    let network = SimulatedNetwork::new(settings());
    assert_eq!(said(&network, 1, Ask::Inquire).await, Said::NotFound);
    assert_eq!(said(&network, 1, Ask::Reverse).await, Said::Acknowledged);
    assert_eq!(said(&network, 1, purchase(1000)).await, GENERIC);
    assert_eq!(usd(&network), [0, 0, 0, 0]);
    assert_eq!(network.book().arrived_after_reversal, 1);
    assert!(
        network.violations().none(),
        "a late request is the network's doing, not the caller's"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_late_call_and_its_reversal_nothing_remains() {
    let faults = Faults {
        late_ppm: 500_000,
        ..Faults::default()
    };
    let (mut approved, mut declined) = (0, 0);
    for seed in 0..64 {
        let network = SimulatedNetwork::new(NetworkSettings {
            seed,
            faults,
            ..settings()
        });
        let call = NetworkCall {
            attempt: attempt(1),
            ask: purchase(500),
            deadline_ms: 0,
        };
        let request = tokio::spawn(network.perform(call));
        tokio::time::sleep(std::time::Duration::from_millis(DEADLINE_MS)).await;
        while said(&network, 1, Ask::Reverse).await != Said::Acknowledged {}
        // Approved: it arrived before the reversal, and was undone. Declined: it arrived after it.
        match request.await.unwrap().said {
            Said::Approved => approved += 1,
            Said::Declined { .. } => declined += 1,
            other => panic!("late is not {other:?}"),
        }
        assert_eq!(usd(&network)[1], 0, "seed {seed}");
        assert!(network.violations().none());
    }
    assert!(
        approved > 5 && declined > 5,
        "requests and answers are late: {approved} and {declined}"
    );
}

#[tokio::test(start_paused = true)]
async fn lost_calls_are_silent_and_only_lost_answers_leave_a_trace() {
    for (faults, traced) in [
        (
            Faults {
                lost_request_ppm: 1_000_000,
                ..Faults::default()
            },
            false,
        ),
        (
            Faults {
                lost_answer_ppm: 1_000_000,
                ..Faults::default()
            },
            true,
        ),
    ] {
        let network = SimulatedNetwork::new(NetworkSettings { faults, ..settings() });
        assert_eq!(ask(&network, 1, purchase(1000)).await, (Said::Silence, DEADLINE_MS));
        assert_eq!(network.attempt(attempt(1)).is_some(), traced);
        assert_eq!(
            said(&network, 1, Ask::Inquire).await,
            Said::Silence,
            "inquiries get lost as well"
        );
        assert_eq!(said(&network, 1, Ask::Reverse).await, Said::Silence);
        let reversed = network
            .attempt(attempt(1))
            .is_some_and(|line| line.state == State::Reversed);
        assert_eq!(reversed, traced, "what arrived was carried out");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_lost_repeating_until_answered_ends_and_the_book_agrees() {
    let faults = Faults {
        declined_ppm: 100_000,
        lost_request_ppm: 200_000,
        lost_answer_ppm: 200_000,
        late_ppm: 100_000,
    };
    let network = SimulatedNetwork::new(NetworkSettings { faults, ..settings() });
    let (mut approved, mut refunded) = (0i128, 0i128);
    for number in 1..=200 {
        // As a processor does: ask once, then inquire, then reverse what is not known.
        let mut outcome = said(&network, number, purchase(1000)).await;
        while outcome == Said::Silence {
            outcome = said(&network, number, Ask::Inquire).await;
        }
        if outcome == Said::NotFound {
            while said(&network, number, Ask::Reverse).await != Said::Acknowledged {}
            continue;
        }
        if outcome == Said::Approved {
            approved += 1000;
            let refund_number = 1_000 + number;
            // The network's chance declines authorisations, never advices.
            while said(&network, refund_number, refund(number, 400)).await != Said::Approved {}
            refunded += 400;
        }
    }
    let book = network.book();
    let totals = book.totals["usd"];
    assert_eq!((totals.captured, totals.refunded), (approved, refunded));
    assert!(book.violations.none(), "{:?}", book.violations);
    assert!(approved > 50_000 && refunded > 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_book_has_forgotten_is_carried_out_and_counted() {
    let network = SimulatedNetwork::new(settings());
    assert_eq!(said(&network, 5, capture(1, 1000)).await, Said::Approved);
    assert_eq!(said(&network, 6, refund(5, 400)).await, Said::Approved);
    assert_eq!(said(&network, 7, refund(2, 10)).await, Said::Approved);
    assert_eq!(
        network.violations(),
        Violations {
            unknown_origin: 2,
            ..Violations::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_lost_on_its_way() {
    let network = SimulatedNetwork::new(settings());
    let call = NetworkCall {
        attempt: attempt(1),
        ask: purchase(1000),
        deadline_ms: 0,
    };
    let dropped = tokio::time::timeout(std::time::Duration::from_millis(10), network.perform(call)).await;
    assert!(dropped.is_err());
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(network.attempt(attempt(1)), None);
}

#[test]
#[should_panic(expected = "must be less than the deadline")]
fn settings_that_always_miss_the_deadline_are_refused() {
    SimulatedNetwork::new(NetworkSettings {
        latency_ms: 9_990,
        ..settings()
    });
}
