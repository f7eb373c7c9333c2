//! What runs beside the load: clients that only take up room; and the tool against a server that does nothing.

use crate::fake_api::{FakeApi, Fault};
use crate::open_loop::{directory, tool};
use serde_json::Value;

const SCENARIO: &str = r#"
name = "crowded"
[[rate.phase]]
rate = 200
seconds = 2
[[flow]]
name = "payment"
steps = ["pay"]
[merchants]
payments_before = 0
[slow_clients]
count = 40
byte_every_s = 0.1
opened_per_s = 400
[client]
connections_min = 8
patience_s = 60
[slo]
lag_p99_ms = 60000
[[slo.period]]
name = "second half"
from_s = 1
to_s = 2
p99_ms = 60000
good_per_s_min = 1
"#;

#[test]
fn slow_clients_are_held_beside_the_load_and_move_no_money() {
    let api = FakeApi::start(Fault::None);
    let directory = directory();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_string();
    let (file, json, html) = (path("s.toml"), path("r.json"), path("r.html"));
    std::fs::write(&file, SCENARIO).unwrap();
    let (code, text) = tool(&[
        "run", &file, "--url", &api.url, "--quiet", "--json", &json, "--html", &html,
    ]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("slow        40 clients of 40 asked for, 40 held at most"),
        "{text}"
    );
    let record: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(record["slow_clients"]["opened"], 40, "nobody turned them out: {text}");
    assert_eq!(record["money"]["difference_count"], 0);
    assert!(record["totals"]["connections"].as_u64() >= Some(8));
    let checks = record["verdict"]["checks"].to_string();
    assert!(checks.contains("second half: latency p99"), "{checks}");
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("<h2>Slow clients</h2>"));

    // The load of that run again, as a recorded profile.
    let (code, rates) = tool(&["profile", &json]);
    assert_eq!(code, 0, "{rates}");
    std::fs::write(path("rates.csv"), rates).unwrap();
    let again = SCENARIO
        .replace("rate = 200\nseconds = 2", "shape = \"profile\"\nfile = \"rates.csv\"")
        .replace("count = 40", "count = 0");
    std::fs::write(&file, again).unwrap();
    let (code, text) = tool(&["run", &file, "--url", &api.url, "--quiet", "--json", &json]);
    assert_eq!(code, 0, "{text}");
    let replayed: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let due = record["totals"]["due"].as_f64().unwrap();
    assert_eq!(replayed["totals"]["planned"].as_f64().unwrap().round(), due);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn ids_of_one_run_are_read_by_another() {
    let api = FakeApi::start(Fault::None);
    let directory = directory();
    let ids = directory.join("ids").to_str().unwrap().to_string();
    let run = |arguments: &[&str]| {
        let mut all = vec!["run"];
        all.extend(arguments);
        all.extend([
            "--url",
            &api.url,
            "--key",
            "sk_test_x",
            "--warmup",
            "0",
            "--connections",
            "2",
        ]);
        tool(&all)
    };
    let (code, text) = run(&["payments", "--requests", "1000", "--spread", "2", "--ids-out", &ids]);
    assert_eq!(code, 0, "{text}");
    assert!(std::fs::read_to_string(&ids).unwrap().lines().count() >= 2);
    let (code, text) = run(&["reads", "--requests", "300", "--spread", "2", "--ids", &ids]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("\nreads       300 in the window") && !text.contains("\npayments"),
        "{text}"
    );
    let (code, text) = run(&["reads", "--requests", "300", "--ids", &ids]);
    assert!(code == 2 && text.contains("account 1 is beyond --spread 1"), "{text}");
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_table_wants_a_server_and_measures_it_knows() {
    let (code, text) = tool(&["table", "--server", "/no/such/binary"]);
    assert!(
        code == 2 && text.contains("name the server's binary with --server"),
        "{text}"
    );
    let (code, text) = tool(&["table", "--only", "paymnts"]);
    assert!(code == 2 && text.contains("did you mean \"payments\"?"), "{text}");
}
