//! Webhooks: a sender for the small payments API, and runs that receive and check what it sends.

use crate::fake_api::{FakeApi, Fault};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

/// A registered endpoint.
#[derive(Clone)]
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) secret: String,
    address: String,
    path: String,
}

impl Hook {
    /// The `number`-th, of this form.
    pub(crate) fn new(number: usize, form: &str) -> Hook {
        let url = form.split('&').find_map(|pair| pair.strip_prefix("url=")).unwrap();
        let url = url.replace("%3A", ":").replace("%2F", "/");
        let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        Hook {
            id: format!("we_{number}"),
            secret: format!("whsec_{number}"),
            address: address.into(),
            path: format!("/{path}"),
        }
    }
}

/// A request on its way.
pub(crate) struct Delivery {
    address: String,
    bytes: Vec<u8>,
}

impl Delivery {
    /// Of an event, signed with the endpoint's secret or another.
    pub(crate) fn new(hook: &Hook, body: &str, nth: u64, signed: bool) -> Delivery {
        let secret = if signed { &*hook.secret } else { "whsec_other" };
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut mac = <Hmac<Sha256>>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{stamp}.{body}").as_bytes());
        let v1: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nstripe-signature: t={stamp},v1={v1}\r\nwebhook-resource-sequence: {nth}\r\n\
             content-length: {}\r\n\r\n",
            hook.path,
            hook.address,
            body.len()
        );
        Delivery {
            address: hook.address.clone(),
            bytes: [head.as_bytes(), body.as_bytes()].concat(),
        }
    }
}

/// Starts what sends, in the order in which it is told to; it ends with the test process.
pub(crate) fn start() -> SyncSender<Delivery> {
    let (sender, deliveries) = sync_channel::<Delivery>(100_000);
    std::thread::spawn(move || {
        let mut connections: HashMap<String, TcpStream> = HashMap::new();
        for delivery in deliveries {
            let connect = || TcpStream::connect(&delivery.address).unwrap();
            let stream = connections.entry(delivery.address.clone()).or_insert_with(connect);
            // The tool may have ended.
            if stream.write_all(&delivery.bytes).is_err() {
                return;
            }
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if !stream.read(&mut byte).is_ok_and(|count| count == 1) {
                    return;
                }
                answer.push(byte[0]);
            }
        }
    });
    sender
}

const SCENARIO: &str = "
name = \"hooks\"
[slo]
webhook_p99_ms = 600000
[verify]
webhook_wait_s = 2
[[rate.phase]]
rate = 200
seconds = 2
[[flow]]
name = \"pay\"
steps = [\"pay\", \"refund\"]
";

/// Runs the scenario with two endpoints for its merchant; gives exit code, text and record.
fn run(fault: Fault, more: &[&str]) -> (i32, String, Value) {
    let api = FakeApi::start(fault);
    let directory = tempfile(&format!("{fault:?}"));
    let (scenario, json) = (directory.join("hooks.toml"), directory.join("report.json"));
    std::fs::write(&scenario, SCENARIO).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate-load"))
        .args([
            "run",
            scenario.to_str().unwrap(),
            "--url",
            &api.url,
            "--key",
            "sk_test_load",
        ])
        .args([
            "--no-verify",
            "--webhooks",
            "2",
            "--threads",
            "2",
            "--json",
            json.to_str().unwrap(),
        ])
        .args(more)
        .output()
        .expect("the tool starts");
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let record = std::fs::read(&json)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    std::fs::remove_dir_all(&directory).unwrap();
    (
        output.status.code().expect("the tool exits by itself"),
        text,
        record.unwrap_or(Value::Null),
    )
}

fn tempfile(name: &str) -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("tollgate-load-hooks-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

fn missed(record: &Value) -> Vec<String> {
    let checks = record["verdict"]["checks"].as_array().expect("checks");
    let missed = checks.iter().filter(|check| check["met"] == false);
    missed
        .map(|check| check["name"].as_str().unwrap().to_string())
        .collect()
}

#[test]
fn everything_that_is_owed_and_comes_is_good() {
    let (code, text, record) = run(Fault::None, &[]);
    assert_eq!((code, missed(&record)), (0, vec![]), "{text}");
    let found = &record["webhooks"];
    assert_eq!(found["endpoints"], 2);
    assert!(found["owed"].as_u64().unwrap() > 400, "{found}");
    assert_eq!(found["received"], found["owed"]);
    assert!(found["latency_us"]["max"].as_u64().unwrap() > 0, "payments are timed");
    assert!(text.contains("owed came to 2 endpoints"), "{text}");
}

#[test]
fn what_is_wrong_with_one_webhook_of_a_hundred_is_found() {
    for (fault, name) in [
        (Fault::SignWrongly, "webhooks without a good signature"),
        (Fault::SendYoungerFirst, "webhooks behind a younger one"),
        (Fault::SendUnlisted, "webhooks that no list explains"),
        (Fault::SendAllTwice, "webhooks sent again"),
    ] {
        let (code, text, record) = run(fault, &[]);
        assert_eq!(code, 1, "{fault:?} {text}");
        assert!(missed(&record).iter().any(|missed| missed == name), "{fault:?} {text}");
    }
}

/// What may happen: a server that crashed sends again what it does not know the fate of.
#[test]
fn a_few_that_come_twice_are_counted_and_good() {
    let (code, text, record) = run(Fault::SendTwice, &[]);
    assert_eq!((code, missed(&record)), (0, vec![]), "{text}");
    assert!(record["webhooks"]["again"].as_u64().unwrap() > 0, "{text}");
}

#[test]
fn a_webhook_that_never_comes_is_missed() {
    let (code, text, record) = run(Fault::LoseAWebhook, &[]);
    assert_eq!(
        (code, missed(&record)),
        (1, vec!["webhooks owed that never came".to_string()]),
        "{text}"
    );
    assert!(record["webhooks"]["missing"].as_u64().unwrap() > 0, "{text}");
}

/// What was measured is not thrown away because something is left behind.
#[test]
fn a_report_is_made_although_endpoints_cannot_be_removed() {
    let (code, text, record) = run(Fault::KeepEndpoints, &[]);
    assert_eq!((code, missed(&record)), (0, vec![]), "{text}");
    assert!(text.contains("note: webhook endpoints cannot be removed"), "{text}");
    assert!(text.contains("the next run with --webhooks removes them"), "{text}");
}

/// Parts have webhooks of their own, and are one report together.
#[test]
fn reports_with_webhooks_are_merged() {
    let api = FakeApi::start(Fault::None);
    let directory = tempfile("merged");
    let scenario = directory.join("hooks.toml");
    std::fs::write(&scenario, format!("{SCENARIO}\n[merchants]\ncount = 2\n")).unwrap();
    let (mut parts, mut owed) = (Vec::new(), 0);
    for part in ["1/2", "2/2"] {
        let json = directory.join(format!("{}.json", &part[..1]));
        let output = Command::new(env!("CARGO_BIN_EXE_tollgate-load"))
            .args([
                "run",
                scenario.to_str().unwrap(),
                "--url",
                &api.url,
                "--no-verify",
                "--webhooks",
                "1",
                "--part",
                part,
            ])
            .args(["--json", json.to_str().unwrap()])
            .output()
            .expect("the tool starts");
        let record: Value =
            serde_json::from_slice(&std::fs::read(&json).unwrap_or_else(|_| panic!("{output:?}"))).unwrap();
        owed += record["webhooks"]["owed"].as_u64().unwrap();
        parts.push((json, record));
    }
    // One after the other, as if they had run beside each other.
    let start = parts[0].1["schedule"]["started_unix_s"].clone();
    parts[1].1["schedule"]["started_unix_s"] = start;
    std::fs::write(&parts[1].0, parts[1].1.to_string()).unwrap();
    let merged = directory.join("merged.json");
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate-load"))
        .args([
            "merge",
            parts[0].0.to_str().unwrap(),
            parts[1].0.to_str().unwrap(),
            "--json",
            merged.to_str().unwrap(),
        ])
        .output()
        .expect("the tool starts");
    let record: Value =
        serde_json::from_slice(&std::fs::read(&merged).unwrap_or_else(|_| panic!("{output:?}"))).unwrap();
    assert_eq!(record["webhooks"]["endpoints"], 2);
    assert_eq!(record["webhooks"]["owed"].as_u64(), Some(owed));
    std::fs::remove_dir_all(&directory).unwrap();
}
