//! Who is behind, and how attempts went: on the command line, over the API and as metrics.

use crate::receiver::Receiver;
use crate::repairing::{operate, run, until};
use crate::server::Server;
use crate::{events, register};
use serde_json::Value;
use std::time::Duration;

/// The series of a metric, each with its labels and value.
fn series(text: &str, name: &str) -> Vec<(String, f64)> {
    let of = text
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
    of.map(|line| {
        let (labels, value) = line.split_once("} ").expect("labels and a value");
        (labels.to_owned(), value.parse().expect("a number"))
    })
    .collect()
}

#[test]
fn who_is_furthest_behind_comes_first_with_what_its_attempts_came_to() {
    let server = Server::with(&[], &[]);
    let receiver = Receiver::answering(|_, _| {
        std::thread::sleep(Duration::from_millis(40));
        200
    });
    let refuses = Receiver::answering(|_, _| 500);
    let well = register(&server, &receiver.url("/well?token=secret"), "");
    let behind = register(&server, &refuses.url("/behind?token=secret"), "");
    (0..10).for_each(|at| drop(server.pay(1_000 + at)));
    let all = events(&server, "").len();
    let path = |endpoint: &str| format!("/v1/webhook_endpoints/{endpoint}/delivery");
    let shown = until(
        "everything comes",
        || server.get(&path(&well)).json(),
        |shown| shown["recent_attempts"]["attempts"] == all && shown["behind"] == 0,
    );
    let recent = &shown["recent_attempts"];
    assert_eq!((&recent["succeeded"], &shown["lag"]), (&Value::from(all), &Value::Null));
    for name in ["duration_p50_ms", "duration_p95_ms"] {
        assert!(recent[name].as_u64().is_some_and(|ms| ms >= 39), "{name}: {shown}");
    }
    // The other's breaker is open, and what happens now is not even tried.
    until(
        "it is left alone",
        || server.get(&path(&behind)).json(),
        |shown| shown["state"] == "open",
    );
    server.pay(900);
    let shown = until(
        "it falls behind",
        || server.get(&path(&behind)).json(),
        |shown| shown["lag"].as_u64().is_some_and(|lag| lag >= 1),
    );
    assert!(shown["behind"].as_u64() > Some(0), "{shown}");
    assert_eq!(shown["recent_attempts"]["succeeded"], 0, "{shown}");
    let listed = operate(&server, &["list"]);
    let lanes = listed["lanes"].as_array().expect("lanes");
    assert_eq!(lanes[0]["endpoint"], *behind, "{listed}");
    assert!(lanes[0]["oldest_s"].as_u64() >= Some(1), "{listed}");
    assert!(lanes[1]["p50_ms"].as_u64() >= Some(39), "{listed}");
    let (code, text, _) = run(&server, &["list"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((code, lines.len()), (Some(0), 3), "{text}");
    assert!(lines[1].contains("0% of ") && lines[2].contains("100% of "), "{text}");
    let (code, text, _) = run(&server, &["show", &well]);
    assert!(code == Some(0) && text.contains("100% of "), "{text}");
    // Ten series whatever there is, by rank and without a name or an address.
    let metrics = || {
        let answer = ureq::get(&format!("http://{}/metrics", server.admin)).call();
        let answer = answer.expect("an answer").into_body();
        Value::from({ answer }.read_to_string().expect("text"))
    };
    let text = until("gauges are set", metrics, |text| {
        let text = text.as_str().expect("text");
        series(text, "tollgate_webhook_worst_lag_seconds_now")
            .iter()
            .any(|(labels, lag)| labels == r#"thread="0",rank="1""# && *lag > 0.0)
    });
    let text = text.as_str().expect("text");
    let backlogs = series(text, "tollgate_webhook_worst_backlog");
    assert_eq!(backlogs.len(), 10, "{backlogs:?}");
    assert!(
        backlogs.iter().filter(|(_, backlog)| *backlog > 0.0).count() == 1,
        "{backlogs:?}"
    );
    // Of ranks that nobody has there is nothing to say.
    for (name, least, most) in [("taken_ratio", 0.0, 0.0), ("attempt_seconds_now", 0.0, 10.0)] {
        for (labels, value) in series(text, &format!("tollgate_webhook_worst_{name}")) {
            let right = match labels.contains(r#"rank="1""#) {
                true => (least..=most).contains(&value),
                false => value.is_nan(),
            };
            assert!(right, "{name} of {labels} is {value}");
        }
    }
    let oldest = series(text, "tollgate_webhook_oldest_seconds_now");
    assert_eq!(oldest, [(r#"thread="0""#.to_owned(), 0.0)]);
    assert!(!text.contains("token") && !text.contains("we_") && !text.contains("/behind"));
    server.verify();
}

#[test]
fn why_an_endpoint_is_disabled_is_said_before_and_after_a_restart() {
    let mut server = Server::with(&[], &[]);
    let receiver = Receiver::answering(|_, _| 410);
    let gone = register(&server, &receiver.url("/gone"), "");
    let unwanted = register(&server, &receiver.url("/unwanted"), "");
    let off = server.post(&format!("/v1/webhook_endpoints/{unwanted}"), "disabled=true");
    assert_eq!(off.status, 200, "{off:?}");
    server.pay(1_000);
    for _ in 0..2 {
        let state = |listed: &Value, endpoint: &str| {
            let mut lanes = listed["lanes"].as_array().into_iter().flatten();
            let lane = lanes.find(|lane| lane["endpoint"] == *endpoint);
            lane.map(|lane| (lane["state"].clone(), lane["why"].clone()))
        };
        until(
            "both are listed as disabled",
            || operate(&server, &["list"]),
            |listed| {
                state(listed, &gone) == Some(("disabled".into(), "gone".into()))
                    && state(listed, &unwanted) == Some(("disabled".into(), "user".into()))
            },
        );
        for (endpoint, reason, words) in [
            (&gone, "gone", "it answered 410"),
            (&unwanted, "user", "its owner disabled it"),
        ] {
            let shown = server.get(&format!("/v1/webhook_endpoints/{endpoint}/delivery")).json();
            assert_eq!(shown["disabled_reason"], *reason, "{shown}");
            for asked in [&["list"][..], &["show", endpoint]] {
                let (code, text, _) = run(&server, asked);
                assert!(code == Some(0) && text.contains(words), "{asked:?}: {text}");
            }
        }
        server.kill_and_restart();
    }
    server.verify();
}
