//! `tollgate webhooks …`: how delivery of events does on a running server, and repairing it.

use crate::admin_client::{ServerFlags, address, ask};
use crate::cli_webhooks::{OneEndpoint, Outcome, Scope, WebhooksCommand};
use crate::exit::Failure;
use crate::output::{print_value, rows, table, word};
use serde_json::{Map, Value, json};
use tollgate_domain::time::{clock_of, date_of, day_of, day_start_s, read_date, read_moment, seconds_of};

/// Runs a command.
pub(crate) fn run(command: WebhooksCommand) -> Result<(), Failure> {
    match command {
        WebhooksCommand::List { limit, server } => list(limit, &server),
        WebhooksCommand::Show(one) => state(one, "", false),
        WebhooksCommand::Pause(one) => state(one, "/pause", true),
        WebhooksCommand::Resume(one) => state(one, "/resume", true),
        WebhooksCommand::Test(one) => test(one),
        WebhooksCommand::Attempts {
            endpoint,
            event,
            outcome,
            limit,
            after,
            server,
        } => {
            let outcome = outcome.map(|outcome| match outcome {
                Outcome::Succeeded => "succeeded".to_owned(),
                Outcome::Failed => "failed".to_owned(),
            });
            let query = query(
                limit,
                &[("event", event), ("outcome", outcome), ("starting_after", after)],
            )?;
            let answer = asked(&server.admin, &endpoint, &format!("/attempts?{query}"), None)?;
            print_value(server.json, &answer, |answer| {
                let lines: Vec<Value> = rows(answer, "data").iter().map(attempt_line).collect();
                let columns = ["time", "event", "attempt", "cause", "outcome", "ms", "address", "id"];
                more(answer, table(&lines, &columns))
            })
        }
        WebhooksCommand::Resend {
            endpoint,
            event,
            server,
        } => {
            let body = json!({ "event": event });
            let answer = asked(&server.admin, &endpoint, "/resend", Some(&body))?;
            print_value(server.json, &answer, |_| {
                let next = next_by_asking(&server, &endpoint);
                format!("{event} is to be sent to {endpoint} again\n{next}")
            })
        }
        WebhooksCommand::Recover {
            endpoint,
            since,
            until,
            types,
            scope,
            server,
        } => {
            let scope = match scope {
                Scope::Undelivered => "undelivered",
                Scope::Delivered => "delivered",
                Scope::All => "all",
            };
            let mut body = json!({ "since": seconds(&since)?, "types": types, "scope": scope });
            if let Some(until) = until {
                body["until"] = seconds(&until)?.into();
            }
            let answer = asked(&server.admin, &endpoint, "/recoveries", Some(&body))?;
            print_value(server.json, &answer, |answer| {
                format!(
                    "{}\nsee how far it is with: tollgate webhooks jobs {endpoint}\n{}",
                    jobs_table(std::slice::from_ref(answer)),
                    next_by_asking(&server, &endpoint)
                )
            })
        }
        WebhooksCommand::Jobs {
            endpoint,
            job,
            cancel,
            server,
        } => {
            let (path, body) = match (&job, cancel) {
                (None, _) => ("/recoveries".to_owned(), None),
                (Some(job), false) => (format!("/recoveries/{job}"), None),
                (Some(job), true) => (format!("/recoveries/{job}/cancel"), Some(json!({}))),
            };
            let answer = asked(&server.admin, &endpoint, &path, body.as_ref())?;
            print_value(server.json, &answer, |answer| match &answer["data"] {
                Value::Array(jobs) => jobs_table(jobs),
                _ => jobs_table(std::slice::from_ref(answer)),
            })
        }
        WebhooksCommand::DeadLetters {
            endpoint,
            limit,
            after,
            server,
        } => {
            let query = query(limit, &[("starting_after", after)])?;
            let answer = asked(&server.admin, &endpoint, &format!("/dead_letters?{query}"), None)?;
            print_value(server.json, &answer, |answer| {
                let lines: Vec<Value> = rows(answer, "data")
                    .iter()
                    .map(|letter| {
                        json!({
                            "event": letter["id"], "happened": time(&letter["created"]),
                            "given_up": day(&letter["given_up"]), "last_answer": letter["reason"],
                        })
                    })
                    .collect();
                more(answer, table(&lines, &["event", "happened", "given_up", "last_answer"]))
            })
        }
        WebhooksCommand::Replay {
            endpoint,
            events,
            since,
            until,
            server,
        } => {
            let mut body = Map::new();
            if !events.is_empty() {
                body.insert("events".to_owned(), json!(events));
            }
            for (name, given) in [("since", since), ("until", until)] {
                if let Some(given) = given {
                    body.insert(name.to_owned(), json!(seconds(&given)?));
                }
            }
            let answer = asked(
                &server.admin,
                &endpoint,
                "/dead_letters/replay",
                Some(&Value::Object(body)),
            )?;
            print_value(server.json, &answer, |answer| {
                let next = next_by_asking(&server, &endpoint);
                format!("{} events are to be sent to {endpoint} again\n{next}", answer["events"])
            })
        }
    }
}

fn list(limit: usize, server: &ServerFlags) -> Result<(), Failure> {
    let url = address(server.admin.as_deref())?;
    let listed = ask(&url, &format!("/admin/webhooks?limit={limit}"), None)?;
    print_value(server.json, &listed, |listed| {
        let columns = [
            "endpoint",
            "shard",
            "state",
            "in_flight",
            "limit",
            "behind",
            "oldest_s",
            "waiting",
            "dead",
            "failing_s",
            "success",
            "p50_ms",
            "p95_ms",
            "why",
        ];
        let mut lines = rows(listed, "lanes").to_vec();
        for line in &mut lines {
            let success = success(&line["succeeded"], &line["attempts"]);
            line["success"] = success;
            if let Some(why) = why_disabled(&line["why"]) {
                line["why"] = why.into();
            }
        }
        table(&lines, &columns)
    })
}

fn state(one: OneEndpoint, path: &str, posts: bool) -> Result<(), Failure> {
    let OneEndpoint { endpoint, server } = one;
    let body = posts.then(|| json!({}));
    let answer = asked(&server.admin, &endpoint, path, body.as_ref())?;
    print_value(server.json, &answer, |answer| {
        let recent = &answer["recent_attempts"];
        let lines = [
            ("state", answer["state"].clone()),
            ("disabled because", why_disabled(&answer["disabled_reason"]).into()),
            ("in flight", answer["in_flight"].clone()),
            ("not looked at yet", answer["behind"].clone()),
            ("oldest event not tried yet", time(&answer["oldest"])),
            ("seconds since then", answer["lag"].clone()),
            ("waiting for another attempt", answer["waiting"].clone()),
            ("given up", answer["dead_letters"].clone()),
            ("nothing was taken since", time(&answer["failing_since"])),
            (
                "last attempts taken",
                success(&recent["succeeded"], &recent["attempts"]),
            ),
            ("half of them took up to (ms)", recent["duration_p50_ms"].clone()),
            ("95 % took up to (ms)", recent["duration_p95_ms"].clone()),
        ];
        let lines = lines.map(|(name, value)| json!({ "": name, "value": value }));
        let next = next(&endpoint, word(answer, "state"));
        format!("{endpoint}\n{}{next}", table(&lines, &["", "value"]))
    })
}

/// Why an endpoint is disabled, for people.
fn why_disabled(reason: &Value) -> Option<&'static str> {
    match reason.as_str()? {
        "user" => Some("its owner disabled it"),
        "failing" => Some("it took nothing for days"),
        "gone" => Some("it answered 410: gone for good"),
        _ => None,
    }
}

/// What keeps events from an endpoint in this state, and what to do about it; nothing where nothing does.
fn next(endpoint: &str, state: &str) -> String {
    match state {
        "paused" => format!("\nnothing is sent while it is paused: tollgate webhooks resume {endpoint}\n"),
        "disabled" | "gone" | "dead" => {
            "\nnothing is sent while it is disabled: its owner enables it (disabled=false), and it goes \
                                         on where it stopped\n"
                .to_owned()
        }
        "open" | "probing" => format!(
            "\nit failed too often and is tried only now and then\nwhy: tollgate webhooks attempts {endpoint} --outcome failed\n\
             to try it at once: tollgate webhooks resume {endpoint}\n"
        ),
        "quarantined" => format!(
            "\na fault of the server's keeps events from it, see its log; to try again: tollgate webhooks resume {endpoint}\n"
        ),
        _ => String::new(),
    }
}

/// [`next`] of an endpoint that was just asked to be sent something; nothing where that cannot be told.
fn next_by_asking(server: &ServerFlags, endpoint: &str) -> String {
    let state = asked(&server.admin, endpoint, "", None);
    state.map_or_else(|_| String::new(), |state| next(endpoint, word(&state, "state")))
}

fn test(one: OneEndpoint) -> Result<(), Failure> {
    let OneEndpoint { endpoint, server } = one;
    let answer = asked(&server.admin, &endpoint, "/test", Some(&json!({})))?;
    let line = attempt_line(&answer);
    print_value(server.json, &answer, |answer| {
        let table = table(std::slice::from_ref(&line), &["time", "outcome", "ms", "address", "id"]);
        match answer["response_excerpt"].as_str() {
            Some(excerpt) if !excerpt.is_empty() => format!("{table}\nthe receiver said: {excerpt}\n"),
            _ => table,
        }
    })?;
    match word(&answer, "outcome") {
        "succeeded" => Ok(()),
        _ => Err(Failure::not_so(format!(
            "{endpoint} did not take the test: {}",
            word(&line, "outcome")
        ))),
    }
}

/// Asks about an endpoint.
fn asked(admin: &Option<String>, endpoint: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain(endpoint) || !["we_", "ed_"].iter().any(|prefix| endpoint.starts_with(prefix)) {
        return Err(Failure::wrong_use(format!(
            "{endpoint} is no id of a webhook endpoint; it begins with we_ or ed_, and `tollgate webhooks list` shows some"
        )));
    }
    let url = address(admin.as_deref())?;
    ask(&url, &format!("/admin/webhooks/{endpoint}{path}"), body)
}

/// A query of a page.
fn query(limit: u8, given: &[(&str, Option<String>)]) -> Result<String, Failure> {
    let mut query = format!("limit={limit}");
    for (name, value) in given {
        let Some(value) = value else { continue };
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Failure::wrong_use(format!("{value} is no id")));
        }
        query.push_str(&format!("&{name}={value}"));
    }
    Ok(query)
}

/// An attempt in a line: its status or what went wrong.
fn attempt_line(attempt: &Value) -> Value {
    let outcome = match (&attempt["status"], &attempt["error"]) {
        (Value::Number(status), _) => status.to_string(),
        (_, error) => format!("{}: {}", word(error, "type"), word(error, "message")),
    };
    json!({
        "time": time(&attempt["created"]), "event": attempt["event"], "attempt": attempt["attempt"],
        "cause": attempt["cause"], "outcome": outcome, "ms": attempt["duration_ms"], "address": attempt["address"],
        "id": attempt["id"],
    })
}

fn jobs_table(jobs: &[Value]) -> String {
    let lines: Vec<Value> = jobs
        .iter()
        .map(|job| {
            json!({
                "recovery": job["id"], "status": job["status"], "since": time(&job["since"]), "until": time(&job["until"]),
                "scope": job["scope"], "to_look_at": job["remaining"], "sent": job["sent"], "succeeded": job["succeeded"],
            })
        })
        .collect();
    let columns = [
        "recovery",
        "status",
        "since",
        "until",
        "scope",
        "to_look_at",
        "sent",
        "succeeded",
    ];
    table(&lines, &columns)
}

/// A page, with a hint where it is not the last.
fn more(answer: &Value, table: String) -> String {
    let last = rows(answer, "data").last().map(|last| word(last, "id"));
    match (answer["has_more"].as_bool(), last) {
        (Some(true), Some(last)) => format!("{table}\nthere are more: --after {last}\n"),
        _ => table,
    }
}

/// A moment as people read it, UTC; null stays null.
fn time(seconds: &Value) -> Value {
    let ms = seconds.as_u64().map(|seconds| seconds.saturating_mul(1_000));
    ms.map_or(Value::Null, |ms| {
        json!(format!("{}T{}Z", date_of(day_of(ms)), clock_of(ms)))
    })
}

/// How many of the last attempts were taken: `95% of 64`.
fn success(succeeded: &Value, attempts: &Value) -> Value {
    match (succeeded.as_u64(), attempts.as_u64()) {
        (Some(succeeded), Some(attempts @ 1..)) => json!(format!("{}% of {attempts}", succeeded * 100 / attempts)),
        _ => Value::Null,
    }
}

fn day(seconds: &Value) -> Value {
    let ms = seconds.as_u64().map(|seconds| seconds.saturating_mul(1_000));
    ms.map_or(Value::Null, |ms| json!(date_of(day_of(ms)).to_string()))
}

/// Reads a moment: seconds since the Unix epoch, a date, or a date with a time of day, UTC.
fn seconds(text: &str) -> Result<i64, Failure> {
    let wrong = || {
        Failure::wrong_use(format!(
            "{text} is no time; write it like 2026-11-21T13:00:00Z (UTC), 2026-11-21, or as seconds since the Unix epoch"
        ))
    };
    if let Ok(seconds) = text.parse::<i64>() {
        return if seconds >= 0 { Ok(seconds) } else { Err(wrong()) };
    }
    let moment = match text.len() {
        // A date alone is its first moment.
        10 => read_date(text).map(day_start_s),
        _ => read_moment(text).map(seconds_of),
    };
    moment.filter(|seconds| *seconds >= 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::time::DAY_S;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("0", 0),
            ("1790000000", 1_790_000_000),
            ("1970-01-01", 0),
            ("1970-01-02T00:00:01Z", DAY_S + 1),
            ("2026-11-21T13:05:09Z", 1_795_266_309),
            ("2026-11-21 13:05", 1_795_266_300),
            ("2024-02-29", 1_709_164_800),
            ("2199-12-31T23:59:59Z", 7_258_118_399),
        ] {
            assert_eq!(seconds(text).expect(text), expected, "{text}");
        }
        for wrong in [
            "",
            "yesterday",
            "-5",
            "2026-13-01",
            "2026-02-30",
            "2026-11-21T24:00",
            "2026-11-21T1:00",
            "2026-11-21T13",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(time(&json!(1_795_266_309)), "2026-11-21T13:05:09Z");
        assert_eq!(time(&Value::Null), Value::Null);
    }

    #[test]
    fn an_endpoint_is_known_by_its_id_and_nothing_else_reaches_a_path() {
        for wrong in ["acct_1", "we_../keys", "we_1?x", ""] {
            let refused = asked(&Some("http://127.0.0.1:1".to_owned()), wrong, "", None);
            assert!(
                refused.is_err_and(|why| why.message.contains("is no id of a webhook endpoint")),
                "{wrong}"
            );
        }
        assert!(query(5, &[("event", Some("evt_1&limit=9".to_owned()))]).is_err());
        assert_eq!(
            query(5, &[("event", Some("evt_1".to_owned())), ("outcome", None)])
                .ok()
                .as_deref(),
            Some("limit=5&event=evt_1")
        );
    }
}
