//! Open loops against the small payments API. No case asserts a time.

use crate::fake_api::{FakeApi, Fault};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// All kinds of requests, on the one account that the small API has.
pub(crate) const SCENARIO: &str = r#"
name = "small"
about = "a bit of everything"
[[rate.phase]]
shape = "ramp"
from = 300
to = 600
seconds = 2
[[flow]]
name = "one call"
weight = 6
steps = ["pay", "replay", "retrieve", "charge"]
[[flow]]
name = "two calls"
steps = ["create", "think 0.01-0.05", "confirm", "think 0.01", "refund"]
[[flow]]
name = "later"
steps = ["authorize", "retrieve", "capture"]
[[flow]]
name = "never"
steps = ["create", "cancel"]
[[flow]]
name = "looks"
steps = ["list", "balance", "events", "customer"]
[[flow]]
name = "presses twice"
steps = ["pay twice", "retrieve"]
[[flow]]
name = "uses a key again"
steps = ["misuse key"]
[[flow]]
name = "polls"
weight = 3
steps = ["retrieve"]
[merchants]
payments_before = 20
[[card]]
name = "pm_card_visa"
weight = 9
[[card]]
name = "pm_card_chargeDeclined"
outcome = "declined"
[client]
connections_max = 64
backoff_s = 0.01
[slo]
goodput_min = 1.0
# Machines that run tests are busy with other tests.
lag_p99_ms = 60000
"#;

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) text: String,
    pub(crate) record: Value,
    page: String,
}

pub(crate) fn directory() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("tollgate-load-open-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

pub(crate) fn tool(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate-load"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().expect("the tool exits by itself"), text)
}

pub(crate) fn run(scenario: &str, fault: Fault, more: &[&str]) -> Ran {
    let api = FakeApi::start(fault);
    let directory = directory();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_string();
    std::fs::write(path("s.toml"), scenario).unwrap();
    let (file, json, html) = (path("s.toml"), path("r.json"), path("r.html"));
    let mut arguments = vec![
        "run", &file, "--url", &api.url, "--quiet", "--json", &json, "--html", &html,
    ];
    arguments.extend(more);
    let (code, text) = tool(&arguments);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap_or_default();
    let ran = Ran {
        code,
        record: serde_json::from_str(&read("r.json")).unwrap_or(Value::Null),
        page: read("r.html"),
        text,
    };
    std::fs::remove_dir_all(&directory).unwrap();
    ran
}

#[test]
fn a_good_run_is_green_and_every_operation_is_counted() {
    let ran = run(SCENARIO, Fault::None, &["--threads", "2"]);
    assert_eq!(ran.code, 0, "{}", ran.text);
    assert!(ran.text.contains("verdict     good: "), "{}", ran.text);
    let (record, totals) = (&ran.record, &ran.record["totals"]);
    assert_eq!(
        (totals["due"].as_u64(), totals["failed"].as_u64()),
        (totals["good"].as_u64(), Some(0))
    );
    let operations = record["operations"].as_object().unwrap();
    assert_eq!(operations.len(), 16, "{:?}", operations.keys().collect::<Vec<_>>());
    let sum: u64 = operations.values().map(|counts| counts["good"].as_u64().unwrap()).sum();
    assert_eq!(Some(sum), totals["good"].as_u64());
    let drawn: u64 = record["histogram_us"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step[1].as_u64().unwrap())
        .sum();
    assert_eq!(drawn, sum, "the histogram holds every good answer");
    assert!(operations["pay"]["declined"].as_u64().unwrap() > 0);
    assert_eq!(record["money"]["difference"], 0);
    assert_eq!(record["money"]["movements_checked"], record["money"]["movements"]);
    assert_eq!(record["samples"]["at_s"].as_array().unwrap().len(), 2);
}

#[test]
fn the_same_seed_makes_the_same_schedule() {
    let due = |seed| run(SCENARIO, Fault::None, &["--seed", seed]).record["operations"]["list"]["due"].clone();
    assert_eq!(due("5"), due("5"));
}

#[test]
fn each_fault_turns_the_verdict_red_and_is_named() {
    let cases = [
        (Fault::ChargeTwice, "has a second balance transaction"),
        (Fault::MoveBalanceWrongly, "the balance moved by"),
        (Fault::ForgetTransaction, "but has no balance transaction"),
        (Fault::ReplayDiffers, "replays that differ"),
        (Fault::RefundWrongly, "that was acknowledged"),
        (Fault::LoseAPayment, "but has no entry in its list"),
        (Fault::ForgetEvent, "but has no event"),
        (
            Fault::TakeMisusedKeys,
            "200 to another request under the key of a first one",
        ),
        (Fault::Decline, "402 card_declined"),
    ];
    // Enough payments for those that go wrong; failures are allowed, so that the whole schedule is run.
    let scenario = SCENARIO
        .replace("[slo]", "[slo]\nerrors_max = 1.0")
        .replace("goodput_min = 1.0", "goodput_min = 0.999");
    let of_payments = scenario
        .replace("weight = 6", "weight = 600")
        .replace("\"pay\", \"replay\", \"retrieve\", \"charge\"", "\"pay\", \"replay\"");
    for (fault, expected) in cases {
        let ran = run(
            if matches!(fault, Fault::RefundWrongly | Fault::TakeMisusedKeys) {
                &scenario
            } else {
                &of_payments
            },
            fault,
            &[],
        );
        assert_eq!(ran.code, 1, "{fault:?}: {}", ran.text);
        assert!(ran.text.contains(expected), "{fault:?}: {}", ran.text);
        assert!(ran.text.contains("verdict     not good: "), "{fault:?}: {}", ran.text);
    }
}

#[test]
fn the_error_budget_stops_a_run_early() {
    let ran = run(&SCENARIO.replace("seconds = 2", "seconds = 20"), Fault::Decline, &[]);
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(
        ran.text.contains("the error budget of the whole run is gone"),
        "{}",
        ran.text
    );
    assert!(ran.record["schedule"]["ran_s"].as_f64() < Some(20.0), "{}", ran.text);
    assert_eq!(
        ran.record["money"]["difference"], 0,
        "what was sent is checked all the same"
    );
}

#[test]
fn refusals_are_tried_again_and_cost_nothing_but_time() {
    let ran = run(SCENARIO, Fault::RefuseOnce, &[]);
    assert_eq!(ran.code, 0, "{}", ran.text);
    assert!(
        ran.record["totals"]["errors"]["429 rate_limit"].as_u64() > Some(0),
        "{}",
        ran.text
    );
    assert!(ran.record["totals"]["refusals"].as_u64() > Some(0));
}

#[test]
fn a_payment_whose_answer_is_lost_is_asked_for_again_and_made_once() {
    let ran = run(SCENARIO, Fault::CloseAfterPaying, &[]);
    assert_eq!(ran.code, 0, "{}", ran.text);
    let lost = &ran.record["totals"]["errors"]["transport: connection closed before the answer was complete"];
    assert!(lost.as_u64() > Some(0), "{}", ran.text);
    assert_eq!(ran.record["money"]["difference_count"], 0);
}

#[test]
fn a_lost_answer_without_another_try_is_told_apart_from_a_missing_cent() {
    let scenario = SCENARIO
        .replace("backoff_s", "tries_max = 1\nbackoff_s")
        .replace("[slo]", "[slo]\nerrors_max = 1.0");
    let ran = run(&scenario, Fault::CloseAfterPaying, &[]);
    assert_eq!(ran.code, 1, "goodput is missed: {}", ran.text);
    assert!(ran.record["money"]["unknown_moved"].as_u64() > Some(0), "{}", ran.text);
    assert_eq!(ran.record["money"]["difference_count"], 0, "{}", ran.text);
}

#[test]
fn a_server_too_slow_for_the_rate_ends_the_run_and_its_queue_counts_as_latency() {
    // One answer in 20 ms at most, against 300 requests/s: nearly all of the latency is waiting for a connection.
    let ran = run(
        &SCENARIO.replace("seconds = 2", "seconds = 40"),
        Fault::Slow,
        &["--connections", "1"],
    );
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(
        ran.text.contains("stopped early: the target rate cannot be reached"),
        "{}",
        ran.text
    );
    let totals = &ran.record["totals"];
    assert!(totals["waited_for_connection"].as_u64() > Some(100), "{}", ran.text);
    assert!(totals["cut"].as_u64() > Some(0), "{}", ran.text);
    assert!(
        ran.page
            .contains("requests were due, but not sent any more when the run was stopped"),
        "what was cut off is on the page"
    );
    assert_eq!(totals["latency_all_us"]["p99"], Value::Null, "{}", ran.text);
    let service_us = 20_000;
    assert!(
        totals["latency_us"]["p99"].as_u64() > Some(10 * service_us),
        "{}",
        ran.text
    );
}

#[test]
fn a_run_whose_schedule_was_not_kept_is_not_valid() {
    // No tool is that punctual.
    let ran = run(
        &SCENARIO.replace("lag_p99_ms = 60000", "lag_p99_ms = 0.001"),
        Fault::None,
        &[],
    );
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(
        ran.text
            .contains("verdict     not valid: the tool could not keep its schedule"),
        "{}",
        ran.text
    );
    assert_eq!(
        (&ran.record["verdict"]["valid"], &ran.record["verdict"]["good"]),
        (&false.into(), &false.into())
    );
}

#[test]
fn the_page_is_whole_and_needs_nothing_from_elsewhere() {
    let ran = run(SCENARIO, Fault::None, &[]);
    for part in [
        "<h1>small</h1>",
        "class=\"verdict good\"",
        "Latency over time",
        "Latency by percentile",
        "Money",
        "Environment",
    ] {
        assert!(ran.page.contains(part), "{part}");
    }
    assert!(ran.page.matches("<svg").count() >= 5);
    for outside in [
        "http://", "https://", "<script", "@import", "<link", "<img", "NaN", "inf,",
    ] {
        assert!(!ran.page.contains(outside), "{outside} in the page");
    }
}

#[test]
fn a_run_compares_with_itself() {
    let ran = run(SCENARIO, Fault::None, &[]);
    let directory = directory();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_string();
    std::fs::write(path("a.json"), ran.record.to_string()).unwrap();
    let (code, text) = tool(&["compare", &path("a.json"), &path("a.json"), "--html", &path("c.html")]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("comparison  the runs are too short to tell them apart"),
        "{text}"
    );
    assert!(
        std::fs::read_to_string(path("c.html"))
            .unwrap()
            .contains("<h1>Comparison</h1>")
    );
    let (code, _) = tool(&["page", &path("a.json"), &path("again.html")]);
    assert_eq!(code, 0);
    assert_eq!(
        std::fs::read_to_string(path("again.html")).unwrap(),
        ran.page,
        "a record gives its page again"
    );
    std::fs::write(path("no.json"), "{}").unwrap();
    assert_eq!(tool(&["compare", &path("a.json"), &path("no.json")]).0, 2);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_knee_of_a_fast_server_is_the_highest_rate_tried() {
    let api = FakeApi::start(Fault::None);
    let directory = directory();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_string();
    std::fs::write(path("s.toml"), SCENARIO).unwrap();
    let (file, json, html) = (path("s.toml"), path("k.json"), path("k.html"));
    let (code, text) = tool(&[
        "knee", &file, "--url", &api.url, "--quiet", "--from", "50", "--to", "100", "--hold", "1", "--json", &json,
        "--html", &html,
    ]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("knee        at least 100 requests/s"), "{text}");
    let curve: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(
        (curve["probes"].as_array().unwrap().len(), &curve["knee_per_second"]),
        (2, &100.0.into())
    );
    assert!(std::fs::read_to_string(&html).unwrap().contains("Latency by rate"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn scenarios_are_listed_shown_and_refused_with_the_nearest() {
    let (code, text) = tool(&["list"]);
    assert!(
        code == 0 && text.contains("black-friday") && text.contains("payments"),
        "{text}"
    );
    let (code, text) = tool(&["show", "black-friday"]);
    assert!(
        code == 0 && text.starts_with("# The peak minute of a Black Friday"),
        "{text}"
    );
    let (code, text) = tool(&["show", "black-fridy"]);
    assert!(code == 2 && text.contains("did you mean \"black-friday\"?"), "{text}");
    let ran = run(&SCENARIO.replace("goodput_min", "godput_min"), Fault::None, &[]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.text
            .contains("[slo]: unknown key \"godput_min\"; did you mean \"goodput_min\"?"),
        "{}",
        ran.text
    );
}
