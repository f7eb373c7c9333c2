//! What an operator does while the server runs: moving shards under load, changing settings, asking what a file would
//! change.

use crate::server::{Server, tollgate};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const LANES: u64 = 3;
const SHARDS: u64 = 8;
/// Clients at once, and merchants of each. Which shard a merchant is on follows from the data's secret, so it takes this many
/// to reach every shard for certain: that 256 all miss one of eight has a chance of one in 10^14.
const CLIENTS: usize = 4;
const MERCHANTS: usize = 64;
/// Longest wait for a payment of each merchant.
const PAID_MAX: Duration = Duration::from_secs(120);
/// How often every shard is moved while they pay.
const ROUNDS: u64 = 6;

fn admin(server: &Server) -> String {
    format!("http://{}", server.admin)
}

/// Runs a command and reads its JSON; the code it must end with.
fn ask(arguments: &[&str], code: i32) -> Value {
    let output = tollgate(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", words(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", words(&output)))
}

fn words(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn every_shard_moves_under_load_and_no_request_fails() {
    let server = Server::with(&[], &[("TOLLGATE_ACTORS__LANES", "3")]);
    let url = admin(&server);
    let (over, paid) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut pauses_us = Vec::new();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, over, paid) = (&server, &over, &paid);
            scope.spawn(move || {
                let mut at = 0;
                while !over.load(Ordering::Relaxed) {
                    let key = format!("sk_test_move{client}x{}0123456789abcdef", at % MERCHANTS);
                    let form = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true";
                    let repeat = [("idempotency-key", format!("{client}/{at}"))];
                    let headers: Vec<(&str, &str)> =
                        repeat.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let first = server.send(&key, "POST", "/v1/payment_intents", form, &headers);
                    assert_eq!(first.status, 200, "{first:?}");
                    let again = server.send(&key, "POST", "/v1/payment_intents", form, &headers);
                    assert_eq!((again.status, &again.text), (200, &first.text), "one key, one answer");
                    let path = format!("/v1/payment_intents/{}", first.id());
                    assert_eq!(server.send(&key, "GET", &path, "", &[]).status, 200);
                    paid.fetch_add(1, Ordering::Relaxed);
                    at += 1;
                }
            });
        }
        // Also when something fails below: the scope waits for the clients.
        let _over = Over(&over);
        for round in 0..ROUNDS {
            for shard in 0..SHARDS {
                let to = (shard + round + 1) % LANES;
                let (shard, to) = (shard.to_string(), to.to_string());
                let moved = ask(&["shard", "move", &shard, "--to", &to, "--admin", &url, "--json"], 0);
                pauses_us.push(moved["pause_us"].as_u64().expect("it was elsewhere"));
            }
        }
        let deadline = Instant::now() + PAID_MAX;
        while paid.load(Ordering::Relaxed) < (2 * CLIENTS * MERCHANTS) as u64 {
            assert!(Instant::now() < deadline, "only {paid:?} payments");
            std::thread::sleep(Duration::from_millis(10));
        }
        let listed = ask(&["shard", "list", "--over", "200", "--admin", &url, "--json"], 0);
        for (at, shard) in listed["shards"].as_array().expect("shards").iter().enumerate() {
            assert_eq!(shard["lane"], (at as u64 + ROUNDS) % LANES, "{shard}");
            assert_eq!(shard["state"], "serving");
            assert!(shard["accounts"].as_u64() > Some(0), "every shard is used: {shard}");
        }
    });
    let hot = ask(&["shard", "hot", "--admin", &url, "--json"], 0);
    let hottest = &hot["accounts"][0];
    assert!(
        hottest["account"].as_str().is_some_and(|id| id.starts_with("acct_")),
        "{hot}"
    );
    assert!(hottest["requests"].as_u64() > Some(0), "{hot}");
    pauses_us.sort_unstable();
    let paid = paid.into_inner();
    assert!(paid > 0);
    let _ = writeln!(
        std::io::stderr(),
        "{paid} payments, {} moves; paused for {} us in the middle, {} us at most",
        pauses_us.len(),
        pauses_us[pauses_us.len() / 2],
        pauses_us[pauses_us.len() - 1]
    );
    let nowhere = tollgate(&["shard", "move", "0", "--to", "9", "--admin", &url]);
    assert_eq!(nowhere.status.code(), Some(1), "{}", words(&nowhere));
    assert!(words(&nowhere).contains("there is no lane 9"), "{}", words(&nowhere));
    server.verify();
}

/// Tells the clients that it is over when it goes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A settings file of a test.
struct File {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn new(text: &str) -> File {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("settings.toml");
        let file = File {
            _directory: directory,
            path,
        };
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.path, text).expect("the file is written");
    }

    fn text(&self) -> &str {
        utf8(&self.path)
    }
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Changes as `name: from -> to`, with an exclamation mark for what needs a restart.
fn changes(told: &Value) -> Vec<String> {
    let changes = told["changes"]
        .as_array()
        .unwrap_or_else(|| panic!("no changes in {told}"));
    let line = |change: &Value| {
        let mark = if change["needs_restart"] == true { "!" } else { "" };
        format!(
            "{}: {} -> {}{mark}",
            change["name"].as_str().expect("a name"),
            change["from"],
            change["to"]
        )
    };
    changes.iter().map(line).collect()
}

fn setting(url: &str, name: &str) -> Value {
    let answer = ureq::get(&format!("{url}/admin/config")).call().expect("an answer");
    let shown: Value = answer.into_body().read_json().expect("JSON");
    let all = shown["settings"].as_array().expect("settings").clone();
    let found = all.into_iter().find(|setting| setting["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {shown}"))["value"].clone()
}

#[test]
fn settings_change_while_the_server_runs_and_a_wrong_file_changes_nothing() {
    let file = File::new("[actors]\nlanes = 1\n");
    let server = Server::with(&["--config", file.text()], &[]);
    let url = admin(&server);
    let reload = |code| ask(&["config", "reload", "--admin", &url, "--json"], code);
    assert!(changes(&reload(0)).is_empty());

    file.write(
        "[actors]\nlanes = 3\npermits_per_shard = 5000\n[limits]\naccount_requests_per_s = 1\naccount_burst = 2\n",
    );
    let expected = [
        "actors.lanes: 1 -> 3",
        "actors.permits_per_shard: 4096 -> 5000",
        "limits.account_burst: 1000000 -> 2",
        "limits.account_requests_per_s: 1000000 -> 1",
    ];
    let told = ask(&["config", "check", file.text(), "--admin", &url, "--json"], 0);
    assert_eq!(changes(&told), expected);
    assert_eq!(setting(&url, "actors.lanes"), 1, "asking changes nothing");
    assert_eq!(changes(&reload(0)), expected);
    assert_eq!(setting(&url, "actors.lanes"), 3);
    let listed = ask(&["shard", "list", "--over", "10", "--admin", &url, "--json"], 0);
    assert_eq!(listed["lanes"].as_array().map(Vec::len), Some(3));
    // However slow this machine is, it asks more often than once a second.
    let refused = (0..100).any(|_| server.get("/v1/balance").status == 429);
    assert!(refused, "the new limit holds");

    // A signal does the same as the command.
    file.write("[actors]\nlanes = 2\n[log]\nlevel = \"debug\"\n");
    server.signal("HUP");
    let changed = (0..3_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        setting(&url, "actors.lanes") == 2
    });
    assert!(changed, "{}", server.log());
    assert_eq!(server.get("/v1/balance").status, 200, "the old limit is gone");
    assert!(
        server.log().contains("operator request"),
        "lines of the new level: {}",
        server.log()
    );

    // What cannot change is named and left.
    let data = "[actors]\nlanes = 2\n[log]\nlevel = \"info\"\n[store]\nsegment_mb = 8\n";
    file.write(data);
    let told = reload(1);
    let expected = ["log.level: \"debug\" -> \"info\"", "store.segment_mb: 64 -> 8!"];
    assert_eq!(changes(&told), expected);
    assert_eq!(setting(&url, "store.segment_mb"), 64);
    let left = "setting needs a restart and was left as it is";
    assert!(server.log().contains(left), "{}", server.log());

    // A file with anything wrong in it changes nothing.
    for (text, why) in [
        ("[actors]\nlanes = 4\nlane = 4\n", "there is no setting actors.lane"),
        (
            "[actors]\nlanes = 4\nblock_records = 0\n",
            "actors.block_records = 0: must be from 1",
        ),
        ("[actors]\nlanes = 4\n[log]\nlevel = \"a=b=c\"\n", "log.level = a=b=c"),
        (
            "[actors]\nlanes = 12\n[store]\nshards = 16\n",
            "as long as the server runs",
        ),
        ("[actors\n", "is not valid TOML"),
    ] {
        file.write(text);
        for command in [
            &["config", "reload", "--admin", &url][..],
            &["config", "check", "--admin", &url],
        ] {
            let refused = tollgate(command);
            assert_eq!(refused.status.code(), Some(2), "{text}: {}", words(&refused));
            assert!(words(&refused).contains(why), "{text}: {}", words(&refused));
        }
        assert_eq!(setting(&url, "actors.lanes"), 2, "{text}");
    }
    assert_eq!(server.get("/v1/balance").status, 200);
    server.verify();
}

#[test]
fn a_file_is_checked_against_the_defaults_when_no_server_runs() {
    let file = File::new("[actors]\nlanes = 2\n");
    let nowhere = "http://127.0.0.1:9";
    let unreachable = tollgate(&["config", "check", file.text(), "--admin", nowhere]);
    assert_eq!(unreachable.status.code(), Some(3), "{}", words(&unreachable));
    let check = |code| {
        // Port 9 is nobody's: no server that happens to run on this machine is asked.
        let output = std::process::Command::new(crate::server::binary())
            .args(["config", "check", file.text(), "--json"])
            .env("TOLLGATE_ADMIN__LISTEN", "127.0.0.1:9")
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(code), "{}", words(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or(Value::Null)
    };
    let told = check(0);
    assert_eq!(changes(&told), ["actors.lanes: 1 -> 2"]);
    assert_eq!(
        told["against"],
        "the built-in settings and the environment, as no server runs"
    );
    file.write("[store]\nshards = 16\n");
    assert_eq!(changes(&check(1)), ["store.shards: 8 -> 16!"]);
    file.write("[actors]\nlanes = 0\n");
    assert_eq!(check(2), Value::Null);
}

#[test]
fn every_metric_is_explained_and_every_stage_measured() {
    let server = Server::start();
    // One in sixteen requests is measured.
    for at in 0..40 {
        server.pay(1_000 + at);
    }
    server.post(
        "/v1/payment_intents",
        "amount=700&currency=eur&payment_method=pm_card_tollgate_remote&confirm=true",
    );
    assert_eq!(server.post("/v1/payment_intents", "amount=x").status, 400);
    assert_eq!(server.send("sk_wrong", "GET", "/v1/balance", "", &[]).status, 401);
    let missing = server.get("/v1/payment_intents/pi_nothing");
    assert_eq!(missing.status, 404);
    let read = || {
        let answer = ureq::get(&format!("{}/metrics", admin(&server)))
            .call()
            .expect("an answer");
        answer.into_body().read_to_string().expect("text")
    };
    let text = read();
    let mut named = 0;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().expect("a name");
            assert!(name.starts_with("tollgate_") || name.starts_with("process_"), "{name}");
            assert!(text.contains(&format!("# HELP {name} ")), "{name} is not explained");
            assert!(!rest.ends_with(" summary"), "{name} has no buckets");
            named += 1;
        }
    }
    assert!(named > 20, "{text}");
    for stage in ["parse", "mailbox", "service", "fill", "sync", "publish", "render"] {
        let count = format!("tollgate_stage_seconds_count{{stage=\"{stage}\"}} ");
        let line = text.lines().find(|line| line.starts_with(&count));
        assert!(
            line.is_some_and(|line| !line.ends_with(" 0")),
            "{stage} was not measured: {line:?}"
        );
    }
    // A bad amount and an id that is none; a key that is none.
    for (layer, count) in [("parameters", 2), ("authentication", 1)] {
        let line = format!("tollgate_refusals_total{{layer=\"{layer}\"}} {count}\n");
        assert!(text.contains(&line), "no {line} in {text}");
    }
    let told = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let text = read();
        text.contains("tollgate_money_in_flight{currency=\"eur\"}") || text.contains("tollgate_outbox_oldest_seconds")
    });
    assert!(told, "the outbox is looked at");
    assert!(
        !text.contains("acct_") && !text.contains(crate::server::KEY),
        "no account and no key in a metric"
    );
}
