//! Too much, too fast, too long.

use crate::edge::{Edge, KEY, PATIENCE, PAYMENT, Setup};
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use tollgate_http::{Allowance, Bounds, Class, ClassLimit, Rate, Rates};

#[test]
fn an_account_over_its_rate_is_told_and_nothing_is_stored() {
    let edge = Edge::with(Setup {
        rate: Rate {
            per_second: 1,
            burst: 3,
        }
        .into(),
        ..Setup::default()
    });
    let pay = |key: &str| edge.keyed("POST", "/v1/payment_intents", &[("idempotency-key", key)], PAYMENT);
    let statuses: Vec<u16> = (0..3).map(|at| pay(&format!("k{at}")).status).collect();
    assert_eq!(statuses, [200, 200, 200]);
    let limited = pay("k3");
    assert_eq!(
        (limited.status, limited.json()["error"]["code"].as_str()),
        (429, Some("rate_limit"))
    );
    assert_eq!(limited.header("stripe-rate-limited-reason"), Some("global-rate"));
    assert_eq!(limited.header("stripe-should-retry"), Some("true"));
    let wait: u64 = limited
        .header("retry-after")
        .expect("how long")
        .parse()
        .expect("seconds");
    assert!((1..=2).contains(&wait));
    let other = edge.send(
        "GET",
        "/v1/balance",
        &[("authorization", "Bearer sk_test_other0123456789abcdefghi")],
        "",
    );
    assert_eq!(other.status, 200, "an account does not use up another's rate");
    std::thread::sleep(Duration::from_secs(wait));
    let later = pay("k3");
    assert_eq!((later.status, later.header("idempotent-replayed")), (200, None));
}

#[test]
fn an_account_in_a_tier_is_told_what_it_has_left_and_which_layer_refused() {
    let rate = |per_second, burst| Rate { per_second, burst };
    let mut rates = Rates::from(rate(1, 1));
    rates.common = Allowance {
        rate: rate(1, 1_000),
        tier: Some("starter".into()),
    };
    // So dear that none comes back while the test runs.
    rates.classes[Class::Write as usize] = ClassLimit {
        cost: 300,
        rate: Some(rate(1, 600)),
    };
    let edge = Edge::with(Setup {
        rate: rates,
        ..Setup::default()
    });
    let number = |answer: &crate::edge::Answer, name| -> u32 {
        let text = answer.header(name).unwrap_or_else(|| panic!("no {name}: {answer:?}"));
        text.parse().expect("a number")
    };
    let told = |answer: &crate::edge::Answer| {
        (
            number(answer, "ratelimit-limit"),
            number(answer, "ratelimit-remaining") / 200,
        )
    };
    let pay = || edge.keyed("POST", "/v1/payment_intents", &[], PAYMENT);
    assert_eq!((pay().status, told(&pay())), (200, (1_000, 2)));
    let refused = pay();
    assert_eq!((refused.status, told(&refused)), (429, (600, 0)), "{refused:?}");
    assert_eq!(refused.header("stripe-rate-limited-reason"), Some("endpoint-rate"));
    assert!(number(&refused, "retry-after") > 100 && number(&refused, "ratelimit-reset") > 100);
    let read = edge.keyed("GET", "/v1/balance", &[], "");
    assert_eq!(read.status, 200);
    let left = number(&read, "ratelimit-remaining");
    assert!(
        (399..700).contains(&left),
        "what the class refused was given back: {left}"
    );
    let shown = edge.operate("GET", "/admin/limits", &[], "").json();
    assert_eq!(shown["accounts"]["tier"], "starter");
    assert_eq!(shown["classes"][3]["cost"], 300);
    let writes = shown["classes"][3]["endpoints"].as_array().expect("endpoints");
    assert!(writes.contains(&"POST /v1/payment_intents".into()), "{writes:?}");
}

#[test]
fn without_a_permit_a_request_is_refused_at_once() {
    let edge = Edge::with(Setup {
        permits: 1,
        mode: tollgate_store::memory::Mode::Held,
        ..Setup::default()
    });
    std::thread::scope(|scope| {
        let pay = || edge.keyed("POST", "/v1/payment_intents", &[], PAYMENT);
        let first = scope.spawn(pay);
        while !edge.store.release_next() {
            std::thread::yield_now();
        }
        while edge.store.waiting().is_empty() {
            std::thread::yield_now();
        }
        let refused = pay();
        assert_eq!(
            (refused.status, refused.header("retry-after")),
            (429, Some("1")),
            "{refused:?}"
        );
        assert_eq!(refused.header("stripe-should-retry"), Some("true"));
        assert_eq!(refused.header("stripe-rate-limited-reason"), Some("global-concurrency"));
        edge.store.pump();
        assert_eq!(first.join().expect("an answer").status, 200);
    });
}

#[test]
fn a_full_node_refuses_before_it_reads_the_form() {
    let edge = Edge::with(Setup {
        permits_per_node: 1,
        mode: tollgate_store::memory::Mode::Held,
        ..Setup::default()
    });
    std::thread::scope(|scope| {
        let wrong = || edge.keyed("POST", "/v1/payment_intents", &[], "amount=x");
        let first = scope.spawn(|| edge.keyed("POST", "/v1/payment_intents", &[], PAYMENT));
        while !edge.store.release_next() {
            std::thread::yield_now();
        }
        while edge.store.waiting().is_empty() {
            std::thread::yield_now();
        }
        let refused = wrong();
        let told = (refused.status, refused.header("retry-after"));
        assert_eq!(told, (429, Some("1")), "{refused:?}");
        assert_eq!(refused.header("stripe-rate-limited-reason"), Some("global-concurrency"));
        edge.store.pump();
        assert_eq!(first.join().expect("an answer").status, 200);
        assert_eq!(wrong().status, 400, "with room, the form is read");
    });
}

#[test]
fn bodies_are_bounded_whether_announced_or_not() {
    let edge = Edge::with(Setup {
        bounds: Bounds {
            body_bytes_max: 4096,
            ..Bounds::default()
        },
        ..Setup::default()
    });
    let head =
        format!("POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n");
    let answer = |rest: &[u8]| {
        let mut stream = edge.connect();
        let _ = stream.write_all(&[head.as_bytes(), rest].concat());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        crate::edge::Answer::parse(&answer)
    };
    let fits = format!("content-length: 4096\r\n\r\ndescription={}", "a".repeat(4084));
    assert_eq!(answer(fits.as_bytes()).status, 200);
    assert_eq!(answer(b"content-length: 4097\r\n\r\n").status, 413);
    assert_eq!(answer(b"content-length: 18446744073709551615\r\n\r\n").status, 413);
    assert_eq!(answer(b"content-length: 99999999999999999999999\r\n\r\n").status, 400);
    let chunk = format!("400\r\n{}\r\n", "a".repeat(1024));
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(5));
    assert_eq!(answer(chunked.as_bytes()).status, 413);
}

#[test]
fn half_a_body_gets_408_and_does_nothing() {
    let bounds = Bounds {
        body_timeout: Duration::from_millis(300),
        ..Bounds::default()
    };
    let edge = Edge::with(Setup {
        bounds,
        ..Setup::default()
    });
    let mut stream = edge.connect();
    let head =
        format!("POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: 20\r\n\r\n");
    stream.write_all((head + "name=Jen").as_bytes()).expect("written");
    let begun = Instant::now();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("closed by the server");
    let answer = crate::edge::Answer::parse(&answer);
    assert_eq!(
        (answer.status, answer.header("connection")),
        (408, Some("close")),
        "{answer:?}"
    );
    assert!(begun.elapsed() < PATIENCE);
    assert_eq!(
        edge.keyed("GET", "/v1/customers", &[], "").json()["data"],
        serde_json::json!([])
    );
}

#[test]
fn a_long_request_line_gets_the_page_of_a_proxy() {
    let edge = Edge::start();
    for length in [17 << 10, 80 << 10] {
        let answer = edge.keyed(
            "GET",
            &format!("/v1/charges?starting_after={}", "a".repeat(length)),
            &[],
            "",
        );
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (414, Some("text/html; charset=utf-8"))
        );
        assert!(answer.text.contains("414 Request-URI Too Large"));
    }
    let fits = edge.keyed(
        "GET",
        &format!("/v1/charges?starting_after={}", "a".repeat(16_000)),
        &[],
        "",
    );
    assert_eq!(fits.status, 400, "{fits:?}");
}

#[test]
fn bodies_in_pieces_share_a_bounded_memory() {
    let bounds = Bounds {
        body_bytes_max: 1 << 20,
        body_bytes_in_flight_max: 1 << 20,
        ..Bounds::default()
    };
    let edge = Edge::with(Setup {
        bounds,
        ..Setup::default()
    });
    edge.keyed("GET", "/v1/balance", &[], "");
    let head = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: 1000000\r\n\r\n"
    );
    let (say, hear) = std::sync::mpsc::channel();
    for _ in 0..2 {
        let mut stream = edge.connect();
        let (head, say) = (head.clone(), say.clone());
        std::thread::spawn(move || {
            stream.write_all(head.as_bytes()).expect("written");
            // Whichever exceeds the memory is refused while it may still send; the other waits for the rest of its body.
            let _ = stream.write_all(&[b'a'; 700_000]);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let _ = say.send(answer);
        });
    }
    let answer = hear.recv_timeout(PATIENCE).expect("one of the two is refused");
    let answer = crate::edge::Answer::parse(&answer);
    assert_eq!(
        (answer.status, answer.header("stripe-should-retry")),
        (429, Some("true")),
        "{answer:?}"
    );
    assert_eq!(edge.keyed("GET", "/v1/balance", &[], "").status, 200);
}
