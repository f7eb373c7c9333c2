//! `tollgate webhooks …`: how delivery of events does on a running server, and repairing it.

use crate::admin_client::{address, ask};
use crate::cli_webhooks::{OneEndpoint, Outcome, Scope, WebhookServer, WebhooksCommand};
use crate::exit::Failure;
use crate::output::{print_value, rows, table, word};
use crate::shards::Asked;
use serde_json::{Map, Value, json};
use tollgate_domain::time::{clock_of, date_of, day_of, day_start_s};

/// Runs a command.
pub(crate) fn run(command: WebhooksCommand) -> Result<(), Failure> {
    match command {
        WebhooksCommand::List { limit, server } => list(limit, &server.into()),
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
                format!("{event} is on its way to {endpoint} again\n")
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
            let until = until.map(|until| seconds(&until)).transpose()?;
            let body = json!({ "since": seconds(&since)?, "until": until, "types": types, "scope": scope });
            let answer = asked(&server.admin, &endpoint, "/recoveries", Some(&body))?;
            print_value(server.json, &answer, |answer| {
                format!(
                    "{}\nsee how far it is with: tollgate webhooks jobs {endpoint}\n",
                    jobs_table(std::slice::from_ref(answer))
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
                format!("{} events are on their way to {endpoint} again\n", answer["events"])
            })
        }
    }
}

impl From<WebhookServer> for Asked {
    fn from(server: WebhookServer) -> Asked {
        Asked {
            admin: server.admin,
            json: server.json,
        }
    }
}

fn list(limit: usize, server: &Asked) -> Result<(), Failure> {
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
            "why",
        ];
        table(rows(listed, "lanes"), &columns)
    })
}

fn state(one: OneEndpoint, path: &str, posts: bool) -> Result<(), Failure> {
    let OneEndpoint { endpoint, server } = one;
    let body = posts.then(|| json!({}));
    let answer = asked(&server.admin, &endpoint, path, body.as_ref())?;
    print_value(server.json, &answer, |answer| {
        let lines = [
            ("state", answer["state"].clone()),
            ("in flight", answer["in_flight"].clone()),
            ("not looked at yet", answer["behind"].clone()),
            ("oldest event on its way", time(&answer["oldest"])),
            ("waiting for another attempt", answer["waiting"].clone()),
            ("given up", answer["dead_letters"].clone()),
            ("nothing was taken since", time(&answer["failing_since"])),
        ];
        let lines = lines.map(|(name, value)| json!({ "": name, "value": value }));
        format!("{endpoint}\n{}", table(&lines, &["", "value"]))
    })
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
    if !plain(endpoint) || !endpoint.starts_with("we_") {
        return Err(Failure::wrong_use(format!(
            "{endpoint} is no id of a webhook endpoint; it begins with we_, and `tollgate webhooks list` shows some"
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
                "scope": job["scope"], "remaining": job["remaining"], "sent": job["sent"], "succeeded": job["succeeded"],
            })
        })
        .collect();
    let columns = [
        "recovery",
        "status",
        "since",
        "until",
        "scope",
        "remaining",
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
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let clock: Vec<&str> = clock.strip_suffix('Z').unwrap_or(clock).split(':').collect();
    let two = |text: &str, max: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|value| digits && *value < max)
    };
    let seconds = match clock[..] {
        [hour, minute] => two(hour, 24)
            .zip(two(minute, 60))
            .map(|(hour, minute)| hour * 3_600 + minute * 60),
        [hour, minute, second] => two(hour, 24)
            .zip(two(minute, 60))
            .zip(two(second, 60))
            .map(|((hour, minute), second)| hour * 3_600 + minute * 60 + second),
        _ => None,
    };
    let (day, seconds) = day_named(date).zip(seconds).ok_or_else(wrong)?;
    Ok(day_start_s(day) + seconds)
}

/// The day with that date, from 1970 to 2199.
fn day_named(date: &str) -> Option<i32> {
    let year: i32 = date.get(..4)?.parse().ok().filter(|year| (1970..2200).contains(year))?;
    // Within a year there are few to look at.
    let first = (year - 1970) * 365;
    (first..first + 430).find(|day| date_of(*day).to_string() == date)
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
