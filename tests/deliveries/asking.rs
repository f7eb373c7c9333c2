//! What an operator hears who asks something wrong, or something that cannot be done now.

use crate::receiver::Receiver;
use crate::repairing::{moody, operate, run, until};
use crate::server::{Server, tollgate};
use crate::{events, register};
use serde_json::Value;

#[test]
fn what_is_asked_wrongly_is_refused_in_words_that_help() {
    let server = Server::with(&[], &[]);
    let endpoint = register(&server, &Receiver::start().url("/hooks"), "");
    let job = |more: &[&'static str]| [&["recover", &*endpoint], more].concat();
    for (arguments, code, words) in [
        (vec!["attempts", &endpoint, "--limit", "0"], 2, "1..=100"),
        (vec!["attempts", &endpoint, "--limit", "101"], 2, "1..=100"),
        (vec!["dead-letters", &endpoint, "--limit", "101"], 2, "1..=100"),
        (vec!["show", "we_nope"], 1, "looks like we_"),
        (vec!["resend", &endpoint, "evt_nope"], 1, "No such event: 'evt_nope'"),
        (job(&["--since", "2199-01-01"]), 1, "in the future"),
        (
            job(&["--since", "2020-01-01", "--type", "payment_intent.suceeded"]),
            1,
            "no event type payment_intent.suceeded",
        ),
    ] {
        let (ended, out, err) = run(&server, &arguments);
        assert!(
            ended == Some(code) && err.contains(words),
            "{arguments:?}: {ended:?} {out}{err}"
        );
    }
    let none = server
        .get(&format!("/v1/webhook_endpoints/{endpoint}/recoveries"))
        .json();
    assert_eq!(none["data"].as_array().map(Vec::len), Some(0), "{none}");
    // What happened this second is no future, and groups and all are types.
    for types in ["charge.*", "*"] {
        let now = server.pay(1_000)["created"].to_string();
        operate(&server, &["recover", &endpoint, "--since", &now, "--type", types]);
    }
    let api = format!("http://{}", server.api);
    let ended = tollgate(&["webhooks", "show", &endpoint, "--admin", &api]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.code() == Some(2) && said.contains("admin address"),
        "{said}"
    );
    server.verify();
}

#[test]
fn an_endpoint_that_is_sent_nothing_now_says_what_to_do() {
    let server = Server::with(&[], &[]);
    let (receiver, mood) = moody(200);
    let endpoint = register(&server, &receiver.url("/hooks"), "");
    server.pay(1_000);
    let event = &events(&server, "")[0];
    let says = |arguments: &[&str], words: &str| {
        let (code, out, err) = run(&server, arguments);
        assert!(code == Some(0) && out.contains(words), "{arguments:?}: {out}{err}");
    };
    let resume = format!("tollgate webhooks resume {endpoint}");
    says(&["pause", &endpoint], &resume);
    says(&["resend", &endpoint, event], &resume);
    says(&["recover", &endpoint, "--since", "2020-01-01"], &resume);
    says(&["replay", &endpoint, "--since", "2020-01-01"], &resume);
    server.post(&format!("/v1/webhook_endpoints/{endpoint}"), "disabled=true");
    for command in ["resume", "pause", "show"] {
        says(&[command, &endpoint], "disabled=false");
    }
    mood.set(500);
    server.post(&format!("/v1/webhook_endpoints/{endpoint}"), "disabled=false");
    // Ten failures in a row open its breaker.
    for _ in 0..4 {
        server.pay(1_000);
    }
    let show = || Value::from(run(&server, &["show", &endpoint]).1);
    let open = until("it is left alone", show, |text| {
        text.as_str()
            .is_some_and(|text| text.contains("tried only now and then"))
    });
    let open = open.as_str().unwrap_or_default();
    assert!(open.contains("--outcome failed") && open.contains(&resume), "{open}");
    server.verify();
}
