//! Seeing what was delivered and repairing it: as a merchant, over the API, and as a support engineer, on the command line.

use crate::receiver::{Delivery, Receiver};
use crate::server::{self, Server};
use crate::{events, register, until_all_taken};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// What a merchant's server answers, and can be told.
struct Mood(Arc<AtomicU16>);

impl Mood {
    fn set(&self, status: u16) {
        self.0.store(status, Ordering::Relaxed);
    }
}

/// A receiver that answers whatever its mood is.
fn moody(status: u16) -> (Receiver, Mood) {
    let mood = Arc::new(AtomicU16::new(status));
    let answers = Arc::clone(&mood);
    (
        Receiver::answering(move |_, _| answers.load(Ordering::Relaxed)),
        Mood(mood),
    )
}

/// Runs `tollgate webhooks …` against the server's operator API; its JSON.
fn operate(server: &Server, arguments: &[&str]) -> Value {
    let (code, out, err) = run(server, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
}

fn run(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    let admin = format!("http://{}", server.admin);
    let done = server::tollgate(&[&["webhooks"], arguments, &["--admin", &admin]].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// Asks until this is so of the answer.
fn until(what: &str, ask: impl Fn() -> Value, so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let answer = ask();
        if so(&answer) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: {}", ask());
}

fn data(list: &Value) -> &Vec<Value> {
    list["data"].as_array().unwrap_or_else(|| panic!("no list: {list}"))
}

fn taken(came: &[Delivery]) -> Vec<&str> {
    let taken = came.iter().filter(|delivery| delivery.status == 200);
    taken.map(|delivery| &*delivery.event).collect()
}

#[test]
fn attempts_are_seen_by_endpoint_and_by_event_and_outlive_a_restart() {
    let mut server = Server::with(&[], &[("TOLLGATE_WEBHOOKS__RETRY_DELAYS_S", "1")]);
    let receiver = Receiver::answering(|delivery, before| {
        if delivery.sequence % 2 == 0 && before == 0 {
            503
        } else {
            200
        }
    });
    let endpoint = register(&server, &receiver.url("/hooks"), "");
    let form = format!("url={}&enabled_events[]=charge.refunded", receiver.url("/quiet"));
    let quiet = server.post("/v1/webhook_endpoints", &form).id();
    server.pay(1_000);
    let all = events(&server, "");
    receiver.until("/hooks", "all is taken", |came| taken(came).len() == all.len());
    until_all_taken(&server);
    let refused = receiver.came("/hooks").iter().filter(|it| it.status == 503).count();
    assert!(refused > 0, "nothing was refused: {:?}", receiver.came("/hooks"));
    let path = format!("/v1/webhook_endpoints/{endpoint}/attempts");
    let attempts = || server.get(&format!("{path}?limit=100")).json();
    let listed = until("every attempt is logged", attempts, |list| {
        data(list).len() == all.len() + refused
    });
    for attempt in data(&listed) {
        assert_eq!(attempt["object"], "webhook_attempt");
        assert_eq!(attempt["webhook_endpoint"], *endpoint);
        assert_eq!(attempt["address"], "127.0.0.1");
        assert_eq!(attempt["response_excerpt"], "ok");
        assert_eq!(attempt["cause"], "schedule");
        let expected = if attempt["outcome"] == "failed" { 503 } else { 200 };
        assert_eq!(attempt["status"], expected, "{attempt}");
        assert!(all.iter().any(|event| attempt["event"] == **event), "{attempt}");
    }
    let failed = server.get(&format!("{path}?outcome=failed&limit=100")).json();
    assert_eq!(data(&failed).len(), refused);
    // By event: the one that was refused first has two attempts, the newest first.
    let event = data(&failed)[0]["event"].as_str().expect("an event").to_owned();
    let of_event = server.get(&format!("/v1/events/{event}/attempts")).json();
    let statuses: Vec<&Value> = data(&of_event).iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [200, 503]);
    assert_eq!(data(&of_event)[0]["attempt"], 2);
    // Pages.
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = server.get(&format!("{path}?limit=2{after}")).json();
        paged.extend(data(&page).clone());
        if page["has_more"] == false {
            break;
        }
        after = format!(
            "&starting_after={}",
            paged[paged.len() - 1]["id"].as_str().expect("an id")
        );
    }
    assert_eq!(&paged, data(&listed));
    // Other endpoints, and other accounts, see nothing of it.
    let other = server.get(&format!("/v1/webhook_endpoints/{quiet}/attempts")).json();
    assert_eq!(data(&other).len(), 0);
    let stranger = server.send("sk_test_stranger0123456789abcd", "GET", &path, "", &[]);
    assert_eq!(stranger.status, 404, "{stranger:?}");
    // The operator sees the same, and so does who comes after a restart.
    let seen = operate(&server, &["attempts", &endpoint, "--limit", "100"]);
    assert_eq!(data(&seen), data(&listed));
    let (code, text, _) = run(&server, &["attempts", &endpoint, "--outcome", "failed"]);
    assert!(
        code == Some(0) && text.contains(&event) && text.contains("503"),
        "{text}"
    );
    assert_eq!(server.stop(), Some(0));
    server.start_again();
    let after = server.get(&format!("{path}?limit=100")).json();
    assert_eq!(data(&after), data(&listed));
    server.verify();
}

#[test]
fn an_afternoon_is_replayed() {
    let server = Server::with(&[], &[("TOLLGATE_WEBHOOKS__RETRY_DELAYS_S", "1")]);
    let (receiver, mood) = moody(200);
    let endpoint = register(&server, &receiver.url("/hooks"), "");
    server.pay(1_000);
    until_all_taken(&server);
    let before = events(&server, "");
    // The afternoon: the merchant's server refuses everything, until each event was tried twice and given up.
    mood.set(500);
    let noon = before.len();
    server.pay(2_000);
    let all = events(&server, "");
    let lost: Vec<&str> = all[noon..].iter().map(|event| &**event).collect();
    let letters = || operate(&server, &["dead-letters", &endpoint, "--limit", "100"]);
    // Few enough that its breaker stays closed: with that open, failures use up no attempts.
    let given_up = until("everything is given up", letters, |letters| {
        data(letters).len() == lost.len()
    });
    let ids: Vec<&str> = data(&given_up)
        .iter()
        .map(|it| it["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, lost, "in the order in which they happened");
    assert!(
        data(&given_up).iter().all(|letter| letter["reason"] == "refused"),
        "{given_up}"
    );
    let shown = server.get(&format!("/v1/events/{}", lost[0])).json();
    assert_eq!(shown["pending_webhooks"], 1, "what was given up was not taken");
    // The evening: it works again.
    mood.set(200);
    operate(&server, &["resume", &endpoint]);
    let since = shown["created"].as_i64().expect("a time").to_string();
    let job = operate(&server, &["recover", &endpoint, "--since", &since]);
    let id = job["id"].as_str().expect("an id");
    let jobs = || operate(&server, &["jobs", &endpoint, id]);
    let done = until("the job ends", jobs, |job| job["status"] == "completed");
    assert_eq!(done["remaining"], 0, "{done}");
    until_all_taken(&server);
    let done = until("each was taken", jobs, |job| job["succeeded"] == lost.len());
    assert_eq!(done["sent"], lost.len(), "{done}");
    let came = receiver.came("/hooks");
    let again = &taken(&came)[before.len()..];
    assert_eq!(
        again.iter().collect::<BTreeSet<_>>(),
        lost.iter().collect::<BTreeSet<_>>()
    );
    assert_eq!(again.len(), lost.len(), "each once");
    assert_eq!(data(&letters()).len(), 0);
    let (code, text, _) = run(&server, &["jobs", &endpoint]);
    assert!(code == Some(0) && text.contains("completed"), "{text}");
    server.verify();
}

#[test]
fn dead_letters_are_replayed_and_single_events_resent() {
    let server = Server::with(&[], &[("TOLLGATE_WEBHOOKS__RETRY_DELAYS_S", "1")]);
    let (receiver, mood) = moody(500);
    let endpoint = register(&server, &receiver.url("/hooks"), "");
    server.pay(1_000);
    let all = events(&server, "");
    let path = format!("/v1/webhook_endpoints/{endpoint}/dead_letters");
    let letters = || server.get(&path).json();
    until("everything is given up", letters, |letters| {
        data(letters).len() == all.len()
    });
    mood.set(200);
    let one = server.post(&format!("{path}/replay"), &format!("events[]={}", all[0]));
    assert_eq!(one.json()["events"], 1, "{one:?}");
    let first = |came: &[Delivery]| taken(came) == [&*all[0]];
    receiver.until("/hooks", "the one comes", first);
    assert_eq!(data(&letters()).len(), all.len() - 1);
    let rest = operate(&server, &["replay", &endpoint, "--since", "2020-01-01"]);
    assert_eq!(rest["events"], all.len() - 1, "{rest}");
    until_all_taken(&server);
    assert_eq!(data(&letters()).len(), 0);
    // As the official command line tool resends: the answer is the event.
    let form = format!("webhook_endpoint={endpoint}&for_stripecli=false");
    let resent = server.post(&format!("/v1/events/{}/retry", all[1]), &form);
    assert_eq!(
        (resent.status, &resent.json()["id"]),
        (200, &Value::from(&*all[1])),
        "{resent:?}"
    );
    let twice = |came: &[Delivery]| taken(came).iter().filter(|event| **event == all[1]).count() == 2;
    receiver.until("/hooks", "it comes again", twice);
    operate(&server, &["resend", &endpoint, &all[2]]);
    let twice = |came: &[Delivery]| taken(came).iter().filter(|event| **event == all[2]).count() == 2;
    receiver.until("/hooks", "it comes again", twice);
    let nobody = server.post(&format!("/v1/events/{}/retry", all[1]), "webhook_endpoint=we_nobody");
    assert_eq!(nobody.status, 400, "{nobody:?}");
    server.verify();
}

#[test]
fn a_pause_keeps_what_happens_and_a_test_tells_what_comes_of_it() {
    let server = Server::with(&[], &[]);
    let (receiver, mood) = moody(200);
    let endpoint = register(&server, &receiver.url("/hooks"), "");
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    let paused = server.post(&format!("{path}/pause"), "");
    assert_eq!(paused.json()["state"], "paused", "{paused:?}");
    assert_eq!(server.get(&path).json()["status"], "disabled");
    server.pay(1_000);
    let all = events(&server, "");
    assert_eq!(
        server.get(&format!("/v1/events/{}", all[0])).json()["pending_webhooks"],
        1
    );
    assert_eq!(receiver.count(), 0, "nothing is sent");
    let resumed = operate(&server, &["resume", &endpoint]);
    assert_eq!(resumed["state"], "sending", "{resumed}");
    receiver.until("/hooks", "what waited comes", |came| came.len() == all.len());
    until_all_taken(&server);
    // A test is signed and sent like an event, and is none.
    let test = server.post(&format!("{path}/test"), "");
    assert_eq!(
        (test.status, &test.json()["outcome"]),
        (200, &Value::from("succeeded")),
        "{test:?}"
    );
    assert_eq!(test.json()["event"], Value::Null, "{test:?}");
    assert_eq!(receiver.signed(), receiver.count());
    assert_eq!(receiver.count(), all.len() + 1);
    assert_eq!(events(&server, ""), all);
    mood.set(418);
    let (code, out, err) = run(&server, &["test", &endpoint]);
    assert!(
        code == Some(1) && out.contains("418") && err.contains("did not take the test"),
        "{out}{err}"
    );
    let attempts = server.get(&format!("{path}/attempts?limit=2")).json();
    let seen: Vec<(&Value, &Value)> = data(&attempts).iter().map(|it| (&it["cause"], &it["status"])).collect();
    assert_eq!(
        seen,
        [
            (&Value::from("test"), &Value::from(418)),
            (&Value::from("test"), &Value::from(200))
        ]
    );
    // The operator sees who is behind, and hears clear words about what there is not.
    let lanes = operate(&server, &["list"]);
    assert!(
        lanes["lanes"]
            .as_array()
            .is_some_and(|lanes| lanes.iter().any(|lane| lane["endpoint"] == *endpoint)),
        "{lanes}"
    );
    let (code, text, _) = run(&server, &["show", &endpoint]);
    assert!(code == Some(0) && text.contains("sending"), "{text}");
    let deleted = register(&server, &receiver.url("/gone"), "");
    server.send(
        server::KEY,
        "DELETE",
        &format!("/v1/webhook_endpoints/{deleted}"),
        "",
        &[],
    );
    let (code, _, err) = run(&server, &["show", &deleted]);
    assert!(code == Some(1) && err.contains("No such webhook endpoint"), "{err}");
    let (code, _, err) = run(&server, &["recover", &endpoint, "--since", "yesterday"]);
    assert!(code == Some(2) && err.contains("2026-11-21T13:00:00Z"), "{err}");
    server.verify();
}
