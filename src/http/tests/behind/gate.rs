//! The listener for other nodes, and whoever finds it.

use crate::edge::{Answer, Edge, KEY, PAYMENT, exchange, request};
use crate::node::SEED;
use std::net::SocketAddr;
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Secrets, kinds};
use tollgate_resource::Id;

fn ask(to: SocketAddr, said: Option<&str>, body: &str) -> Answer {
    let bearer = format!("Bearer {KEY}");
    let mut headers = vec![("authorization", &bearer[..])];
    headers.extend(said.map(|said| ("tollgate-node", said)));
    exchange(to, &request("POST", "/v1/payment_intents", &headers, body))
}

fn secret() -> String {
    let secrets = Secrets::new(SEED);
    let half = |which: &[u8]| secrets.hash(Purpose::Node, which);
    format!("{:032x}{:032x}", half(b"first half"), half(b"second half"))
}

fn id() -> String {
    Id::new(&kinds::REQUEST, 1_800_000_000_000, 7, 9)
        .text(&kinds::REQUEST)
        .to_string()
}

/// Payments that the account has.
fn payments(edge: &Edge) -> usize {
    let listed = edge.keyed("GET", "/v1/payment_intents?limit=100", &[], "").json();
    listed["data"].as_array().expect("a list").len()
}

#[test]
fn nothing_is_answered_without_the_secret_of_the_data() {
    let edge = Edge::start();
    assert_eq!(payments(&edge), 0, "the sandbox is open");
    let owner = edge.nodes[1].listens.expect("it listens");
    let (right, id) = (secret(), id());
    let wrong = right.replace('0', "1").replace('a', "b");
    let said = |secret: &str| format!("{secret} request {id} 5000 -");
    for (stranger, status) in [
        (None, 403),
        (Some(String::new()), 403),
        (Some(said("")), 403),
        (Some(said(&wrong)), 403),
        (Some(said(&right[..63])), 403),
        (Some(format!("{right}0 request {id} 5000 -")), 403),
        (Some(right.clone()), 400),
        (Some(format!("{right} request")), 400),
        (Some(format!("{right} anything {id} 5000 -")), 400),
        (Some(format!("{right} request {id} soon -")), 400),
        (Some(format!("{right} directory {id} 5000 -")), 400),
    ] {
        let answer = ask(owner, stranger.as_deref(), PAYMENT);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.text, "\n", "it says nothing");
    }
    assert_eq!(payments(&edge), 0);
    let answer = ask(owner, Some(&said(&right)), PAYMENT);
    assert_eq!(
        (answer.status, answer.header("request-id")),
        (200, Some(&id[..])),
        "{answer:?}"
    );
    assert_eq!(payments(&edge), 1);
}

#[test]
fn what_is_too_large_is_not_read() {
    let edge = Edge::start();
    let owner = edge.nodes[1].listens.expect("it listens");
    let (right, id) = (secret(), id());
    let large = "x".repeat(300 << 10);
    let answer = ask(owner, Some(&format!("{right} directory {id} 5000 -")), &large);
    assert_eq!(answer.status, 400, "{answer:?}");
    let larger = "x".repeat(9 << 20);
    let answer = ask(owner, Some(&format!("{right} request {id} 5000 -")), &larger);
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn a_request_goes_one_hop() {
    let edge = Edge::start();
    assert_eq!(payments(&edge), 0, "the sandbox is open");
    let guest = edge.nodes[0].listens.expect("it listens");
    let answer = ask(guest, Some(&format!("{} request {} 5000 -", secret(), id())), PAYMENT);
    assert_eq!(
        (answer.status, answer.header("tollgate-elsewhere")),
        (503, Some("true")),
        "{answer:?}"
    );
    assert_eq!(payments(&edge), 0, "it was not sent on to the owner");
}

#[test]
fn what_a_client_says_of_nodes_means_nothing() {
    let edge = Edge::start();
    let said = format!("{} request {} 5000 -", secret(), id());
    let answer = edge.keyed("POST", "/v1/payment_intents", &[("tollgate-node", &said)], PAYMENT);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(answer.header("request-id"), Some(&id()[..]));
    assert_eq!(answer.header("tollgate-elsewhere"), None);
}
