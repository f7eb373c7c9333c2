//! Several generators that share one scenario, and their reports made one. No case asserts a time.

use crate::fake_api::{FakeApi, Fault};
use crate::open_loop::{directory, tool};
use serde_json::Value;
use std::path::Path;

/// The small API has one account for all keys, so nothing but counts can be checked here.
const SCENARIO: &str = r#"
name = "shared"
[[rate.phase]]
rate = 300
seconds = 2
[[flow]]
name = "payment"
steps = ["pay"]
[[flow]]
name = "poll"
weight = 3
steps = ["retrieve"]
[merchants]
count = 30
zipf = 1.0
payments_before = 30
[client]
connections_max = 60
[slo]
p99_ms = 60000
lag_p99_ms = 60000
[verify]
money = false
"#;

/// Runs every part at the same time; gives the reports' paths.
fn parts(directory: &Path, url: &str, more: &[&str]) -> Vec<String> {
    let path = |name: String| directory.join(name).to_str().unwrap().to_string();
    let scenario = path("s.toml".into());
    std::fs::write(&scenario, SCENARIO).unwrap();
    let run = |part: u32| {
        let (json, of) = (path(format!("{part}.json")), format!("{part}/3"));
        let mut arguments = vec![
            "run", &scenario, "--url", url, "--quiet", "--part", &of, "--json", &json,
        ];
        arguments.extend(more);
        let (code, text) = tool(&arguments);
        assert_eq!(code, 0, "{text}");
        json
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (1..=3).map(|part| scope.spawn(move || run(part))).collect();
        running.into_iter().map(|part| part.join().unwrap()).collect()
    })
}

fn read(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn parts_of_a_scenario_merge_to_the_whole() {
    let api = FakeApi::start(Fault::None);
    let directory = directory();
    // Far enough ahead for three tools to be ready on a busy machine.
    let start = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 15;
    let start = start.to_string();
    let reports = parts(&directory, &api.url, &["--start-at", &start]);
    let (json, html) = (directory.join("m.json"), directory.join("m.html"));
    let (json, html) = (json.to_str().unwrap(), html.to_str().unwrap());
    let (code, text) = tool(&[
        "merge",
        &reports[2],
        &reports[0],
        &reports[1],
        "--json",
        json,
        "--html",
        html,
    ]);
    assert_eq!(code, 0, "{text}");
    let merged = read(json);
    let records: Vec<Value> = reports.iter().map(|path| read(path)).collect();
    let sum = |path: &str| {
        let of = |record: &Value| record.pointer(path).and_then(Value::as_u64).unwrap();
        records.iter().map(of).sum::<u64>()
    };
    for path in [
        "/totals/due",
        "/totals/good",
        "/totals/tries",
        "/operations/pay/good",
        "/operations/retrieve/due",
        "/totals/connections",
    ] {
        assert_eq!(merged.pointer(path).and_then(Value::as_u64), Some(sum(path)), "{path}");
    }
    // Every bucket of every part, and nothing else.
    let mut buckets = std::collections::BTreeMap::new();
    for record in &records {
        for pair in record["histogram_us"].as_array().unwrap() {
            *buckets.entry(pair[0].as_u64().unwrap()).or_insert(0) += pair[1].as_u64().unwrap();
        }
    }
    let merged_buckets = merged["histogram_us"].as_array().unwrap().iter();
    let merged_buckets: std::collections::BTreeMap<u64, u64> = merged_buckets
        .map(|pair| (pair[0].as_u64().unwrap(), pair[1].as_u64().unwrap()))
        .collect();
    assert_eq!(merged_buckets, buckets);
    let due = |record: &Value| -> Vec<f64> {
        let column = record["samples"]["due_per_second"].as_array().unwrap();
        column.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    for (at, together) in due(&merged).into_iter().enumerate() {
        let apart: f64 = records.iter().map(|record| due(record)[at]).sum();
        assert_eq!(together, apart, "second {at}");
    }
    // The schedule of the whole, not three times it.
    let planned: f64 = records
        .iter()
        .map(|record| record["totals"]["planned"].as_f64().unwrap())
        .sum();
    assert!((planned - 600.0).abs() < 1e-6, "{planned}");
    assert_eq!(merged["totals"]["planned"], 600.0);
    assert_eq!(merged["generators"].as_array().unwrap().len(), 3);
    assert_eq!(merged["money"], Value::Null);
    assert!(std::fs::read_to_string(html).unwrap().contains("<h2>Generators</h2>"));

    let (code, text) = tool(&["merge", &reports[0], &reports[2]]);
    assert!(code == 2 && text.contains("part 2/3 is missing"), "{text}");
    let (code, text) = tool(&["merge", &reports[0], &reports[1], &reports[2], &reports[1]]);
    assert!(code == 2 && text.contains("part 2/3 is given twice"), "{text}");
    let mut late = records[1].clone();
    let started = late["schedule"]["started_unix_s"].as_f64().unwrap();
    late["schedule"]["started_unix_s"] = (started + 60.0).into();
    std::fs::write(&reports[1], late.to_string()).unwrap();
    let (code, text) = tool(&["merge", &reports[0], &reports[1], &reports[2]]);
    assert!(code == 2 && text.contains("start parts with --start-at"), "{text}");
    let mut bad = records[1].clone();
    bad["verdict"]["valid"] = false.into();
    std::fs::write(&reports[1], bad.to_string()).unwrap();
    let (code, text) = tool(&["merge", &reports[0], &reports[1], &reports[2]]);
    assert!(code == 1 && text.contains("not valid: part 2 is not valid"), "{text}");
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn parts_that_make_no_sense_are_refused() {
    let cases: [(&[&str], &str); 4] = [
        (&["--part", "4/3"], "write K/N"),
        (
            &["--part", "1/2", "--key", "sk_test_x"],
            "1 merchants are not enough for 2 parts",
        ),
        (&["--scale", "2", "--rate", "5"], "cannot be used with"),
        (&["--verify"], "--verify is for closed loops"),
    ];
    for (more, expected) in cases {
        let mut arguments = vec!["run", "checkout", "--url", "http://127.0.0.1:1"];
        arguments.extend(more);
        let (code, text) = tool(&arguments);
        assert!(code == 2 && text.contains(expected), "{more:?}: {text}");
    }
}
