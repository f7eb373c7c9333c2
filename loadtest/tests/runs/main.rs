//! Whole runs of the binary against a small payments API that can be told to misbehave.

mod authentication;
mod beside;
mod fake_api;
mod open_loop;
mod parts;
mod webhooks;

use fake_api::{FakeApi, Fault};
use serde_json::Value;
use std::process::{Command, Output};

fn load(url: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollgate-load"))
        .args([
            "run",
            arguments[0],
            "--url",
            url,
            "--key",
            "sk_test_load",
            "--warmup",
            "0",
        ])
        .args(&arguments[1..])
        .output()
        .expect("the tool starts")
}

/// Runs 400 payments with replays and the check of the money; gives exit code, text and JSON.
fn payments(fault: Fault) -> (i32, String, Value) {
    let api = FakeApi::start(fault);
    let directory = std::env::temp_dir().join(format!("tollgate-load-{}-{fault:?}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let json = directory.join("report.json");
    let output = load(
        &api.url,
        &[
            "payments",
            "--connections",
            "8",
            "--requests",
            "400",
            "--retry-share",
            "0.2",
            "--verify",
            "--json",
            json.to_str().unwrap(),
        ],
    );
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let report = std::fs::read(&json)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null);
    std::fs::remove_dir_all(&directory).unwrap();
    (output.status.code().expect("the tool exits by itself"), text, report)
}

#[test]
fn a_good_run_is_green_and_every_cent_is_found() {
    let (code, text, report) = payments(Fault::None);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("verdict     good"), "{text}");
    assert_eq!(report["good"], true);
    assert_eq!(report["operations"]["payments"]["in_window"], 400);
    assert_eq!(report["money"]["acknowledged"], 400);
    assert_eq!(report["money"]["listed"], 400);
    assert_eq!(report["money"]["difference"], 0);
    let replays = report["operations"]["replays"]["in_window"].as_u64().unwrap();
    assert!((30..=140).contains(&replays), "{replays} replays of 400 at 20 %");
}

#[test]
fn each_fault_turns_the_run_red_and_is_named() {
    let cases = [
        (
            Fault::LoseAPayment,
            "was acknowledged, but is not listed (GET by id gives 404)",
        ),
        (Fault::ChargeTwice, "has a second balance transaction"),
        (Fault::MoveBalanceWrongly, "1 minor units too much"),
        (Fault::ForgetTransaction, "has no balance transaction"),
        (Fault::ReplayDiffers, "replays differ from their first answer"),
        (Fault::Decline, "402 card_declined"),
        (Fault::WrongAmount, "was acknowledged with amount"),
    ];
    for (fault, expected) in cases {
        let (code, text, report) = payments(fault);
        assert_eq!(code, 1, "{fault:?}: {text}");
        assert!(text.contains(expected), "{fault:?}: {text}");
        assert!(text.contains("verdict     not good: "), "{fault:?}: {text}");
        assert_eq!(report["good"], false, "{fault:?}");
    }
}

#[test]
fn a_broken_connection_is_retried_with_the_same_key_and_pays_once() {
    let (code, text, report) = payments(Fault::CloseAfterPaying);
    assert_eq!(code, 1, "a transport error is never green: {text}");
    assert!(
        text.contains("transport: connection closed before the answer was complete"),
        "{text}"
    );
    assert_eq!(report["unanswered"], 0, "{text}");
    assert_eq!(report["money"]["acknowledged"], 400, "{text}");
    assert_eq!(report["money"]["difference_count"], 0, "{text}");
}

#[test]
fn payments_that_wait_for_their_network_are_waited_for() {
    let (code, text, report) = payments(Fault::SettleLater);
    assert_eq!(code, 1, "processing is not what was asked for: {text}");
    assert!(text.contains("4 x 200 with status processing"), "{text}");
    assert_eq!(report["money"]["difference_count"], 0, "{text}");
    assert_eq!(report["money"]["transactions"], 400, "{text}");
}

#[test]
fn chunked_and_compact_answers_are_understood() {
    let (code, text, _) = payments(Fault::ChunkedCompact);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn reads_and_mixed_run_against_known_payments() {
    for scenario in ["reads", "mixed"] {
        let api = FakeApi::start(Fault::None);
        let output = load(
            &api.url,
            &[
                scenario,
                "--connections",
                "4",
                "--requests",
                "500",
                "--verify",
                "--threads",
                "2",
            ],
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("\nreads "), "{text}");
        assert_eq!(text.contains("\npayments "), scenario == "mixed", "{text}");
    }
}

#[test]
fn a_run_by_time_ends_in_time() {
    let api = FakeApi::start(Fault::None);
    let begun = std::time::Instant::now();
    let pid = std::process::id().to_string();
    let output = load(
        &api.url,
        &[
            "payments",
            "--connections",
            "2",
            "--duration",
            "0.5",
            "--server-pid",
            &pid,
        ],
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(begun.elapsed().as_secs_f64() < 5.0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("window 0.50 s") && text.contains("\nserver cpu "),
        "{text}"
    );
}

#[test]
fn a_key_that_is_refused_is_told_before_the_load() {
    let api = FakeApi::start(Fault::RefuseKeys);
    for scenario in ["payments", "reads", "payments-open"] {
        let output = load_of(&api.url, scenario);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains("cannot be read before the run"), "{text}");
        assert!(text.contains("401") && text.contains("Invalid API Key"), "{text}");
    }
}

/// A run with nothing but a key.
fn load_of(url: &str, scenario: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollgate-load"))
        .args(["run", scenario, "--url", url, "--key", "sk_test_load"])
        .output()
        .expect("the tool starts")
}

#[test]
fn wrong_use_and_a_missing_server_have_their_own_codes() {
    let cases: [(&str, &[&str], i32, &str); 6] = [
        ("https://127.0.0.1:1", &["payments"], 2, "plain HTTP"),
        (
            "http://127.0.0.1:1",
            &["payments", "--retry-share", "2"],
            2,
            "from 0 to 1",
        ),
        ("http://127.0.0.1:1", &["paymnts"], 2, "did you mean \"payments\"?"),
        (
            "http://127.0.0.1:1",
            &["payments", "--threads", "8", "--connections", "4"],
            2,
            "each thread needs a connection",
        ),
        (
            "http://127.0.0.1:1",
            &["payments", "--webhooks", "2"],
            2,
            "--webhooks is for open loops",
        ),
        ("http://127.0.0.1:1", &["payments"], 3, "is the server running?"),
    ];
    for (url, arguments, code, expected) in cases {
        let output = load(url, arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}
