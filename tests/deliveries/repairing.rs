//! Seeing what was delivered and repairing it: as a merchant, over the API, and as a support engineer, on the command line.

use crate::checks::all_signed;
use crate::receiver::{Delivery, Receiver};
use crate::server::{self, Server};
use crate::{events, register, register_signed, until_all_taken};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// What a merchant's server answers, and can be told.
pub(crate) struct Mood(Arc<AtomicU16>);

impl Mood {
    pub(crate) fn set(&self, status: u16) {
        self.0.store(status, Ordering::Relaxed);
    }
}

/// A receiver that answers whatever its mood is.
pub(crate) fn moody(status: u16) -> (Receiver, Mood) {
    let mood = Arc::new(AtomicU16::new(status));
    let answers = Arc::clone(&mood);
    (
        Receiver::answering(move |_, _| answers.load(Ordering::Relaxed)),
        Mood(mood),
    )
}

/// Runs `tollgate webhooks …` against the server's operator API; its JSON.
pub(crate) fn operate(server: &Server, arguments: &[&str]) -> Value {
    let (code, out, err) = run(server, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
}

pub(crate) fn run(server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
    let admin = format!("http://{}", server.admin);
    let done = server::tollgate(&[&["webhooks"], arguments, &["--admin", &admin]].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// Asks until this is so of the answer.
pub(crate) fn until(what: &str, ask: impl Fn() -> Value, so: impl Fn(&Value) -> bool) -> Value {
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
    let (endpoint, secret) = register_signed(&server, &receiver.url("/hooks"), "");
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    let paused = server.post(&format!("{path}/pause"), "");
    assert_eq!(paused.json()["state"], "paused", "{paused:?}");
    // Whatever is sent all the same is refused, and comes again.
    mood.set(500);
    assert_eq!(server.get(&path).json()["status"], "disabled");
    server.pay(1_000);
    let all = events(&server, "");
    assert_eq!(
        server.get(&format!("/v1/events/{}", all[0])).json()["pending_webhooks"],
        1
    );
    assert_eq!(receiver.count(), 0, "nothing is sent");
    mood.set(200);
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
    let came = receiver.came("/hooks");
    assert_eq!(came.len(), all.len() + 1);
    all_signed(&came, &secret);
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

#[test]
fn what_is_asked_again_under_the_same_key_is_done_once() {
    let mut server = Server::with(&[], &[]);
    let receiver = Receiver::start();
    let endpoint = register(&server, &receiver.url("/hooks"), "");
    server.pay(1_000);
    until_all_taken(&server);
    let all = events(&server, "");
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    let under = |server: &Server, key: &str, path: &str, form: &str| {
        server.send(server::KEY, "POST", path, form, &[("idempotency-key", key)])
    };
    let replayed = |answer: &server::Answer| answer.header("idempotent-replayed").map(str::to_owned);
    // A test and one event again: the receiver hears each once.
    let test = under(&server, "test", &format!("{path}/test"), "");
    assert_eq!((test.status, replayed(&test)), (200, None), "{test:?}");
    let again = under(&server, "test", &format!("{path}/test"), "");
    assert_eq!((&again.text, replayed(&again)), (&test.text, Some("true".to_owned())));
    let retry = format!("/v1/events/{}/retry", all[0]);
    let came = |receiver: &Receiver| receiver.came("/hooks").iter().filter(|it| it.event == all[0]).count();
    for _ in 0..2 {
        let resent = under(&server, "again", &retry, "");
        assert_eq!((resent.status, resent.id()), (200, all[0].clone()), "{resent:?}");
    }
    receiver.until("/hooks", "it comes again", |_| came(&receiver) == 2);
    // A pause that is asked for again after its end is the one of before.
    let pause = |server: &Server| under(server, "pause", &format!("{path}/pause"), "").json()["state"].clone();
    assert_eq!(pause(&server), "paused");
    assert_eq!(
        under(&server, "resume", &format!("{path}/resume"), "").json()["state"],
        "sending"
    );
    assert_eq!(pause(&server), "paused");
    let state = |server: &Server| server.get(&format!("{path}/delivery")).json()["state"].clone();
    assert_eq!(state(&server), "sending");
    // A job is the same whatever happens in between, and its key is of no use for anything else.
    let jobs_path = format!("{path}/recoveries");
    let recover = |server: &Server| under(server, "afternoon", &jobs_path, "since=1600000000&scope=all");
    let begun = recover(&server);
    assert_eq!((begun.status, replayed(&begun)), (200, None), "{begun:?}");
    let same = recover(&server);
    assert_eq!((&same.text, replayed(&same)), (&begun.text, Some("true".to_owned())));
    for (path, form) in [(&*jobs_path, "since=1600000001"), ("/v1/customers", "name=Ada")] {
        let other = under(&server, "afternoon", path, form);
        assert_eq!(
            (other.status, &other.json()["error"]["type"]),
            (400, &Value::from("idempotency_error")),
            "{other:?}"
        );
    }
    let jobs = |server: &Server| server.get(&jobs_path).json();
    until(
        "the job ends",
        || jobs(&server),
        |jobs| data(jobs)[0]["status"] == "completed",
    );
    until_all_taken(&server);
    receiver.until("/hooks", "it comes again", |_| came(&receiver) == 3);
    server.kill_and_restart();
    let after = recover(&server);
    assert_eq!((after.status, after.id()), (200, begun.id()), "{after:?}");
    assert_eq!(replayed(&after), Some("true".to_owned()));
    assert_eq!(data(&jobs(&server)).len(), 1, "{}", jobs(&server));
    // Another key is another request.
    let another = under(&server, "evening", &jobs_path, "since=1600000000&scope=all");
    assert!(another.id() != begun.id(), "{another:?}");
    server.verify();
}

#[test]
fn settings_change_while_it_delivers() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("tollgate.toml");
    let write = |text: &str| std::fs::write(&file, format!("[webhooks]\n{text}")).expect("the file is written");
    write("endpoints_max = 1\nretry_delays_s = [\"3600\"]\n");
    let server = Server::with(&["--config", file.to_str().expect("UTF-8")], &[]);
    // Each event is refused when it comes first.
    let receiver = Receiver::answering(|_, before| if before == 0 { 500 } else { 200 });
    register(&server, &receiver.url("/hooks"), "");
    server.pay(1_000);
    let before = events(&server, "").len();
    receiver.until("/hooks", "each is refused", |came| came.len() == before);
    let form = format!("url={}&enabled_events[]=*", receiver.url("/other"));
    assert_eq!(server.post("/v1/webhook_endpoints", &form).status, 400);
    write("endpoints_max = 2\nretry_delays_s = [\"1\"]\ntimeout_ms = 9000\nlog_successes_per_s = 7\n");
    let admin = format!("http://{}", server.admin);
    let reload = || server::tollgate(&["config", "reload", "--admin", &admin, "--json"]);
    let told = reload();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let changed = told["changes"].as_array().expect("changes");
    assert_eq!(changed.len(), 4, "{told}");
    // Lanes hear of it in a moment; what had failed before goes on waiting as it was set down.
    let again = (0..20).any(|_| {
        server.pay(2_000);
        std::thread::sleep(Duration::from_millis(1_500));
        taken(&receiver.came("/hooks")).len() >= before
    });
    assert!(again, "{:?}", receiver.came("/hooks"));
    let first = &events(&server, "")[..before];
    assert!(
        taken(&receiver.came("/hooks"))
            .iter()
            .all(|event| !first.iter().any(|one| one == event))
    );
    assert_eq!(server.post("/v1/webhook_endpoints", &form).status, 200);
    server.verify();
}
