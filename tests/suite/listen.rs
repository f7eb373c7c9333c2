//! `tollgate listen`: what a developer sees, and what the developer's program is sent.

use crate::checks::all_signed;
use crate::receiver::{Delivery, Receiver as Program};
use crate::server::{KEY, PATIENCE, Server, binary, tollgate};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A developer's program: answers each request with the next of these statuses, the last one for ever.
fn program(statuses: &'static [u16]) -> Program {
    let next = AtomicUsize::new(0);
    Program::answering(move |_, _| {
        let at = next.fetch_add(1, Ordering::Relaxed);
        statuses[at.min(statuses.len() - 1)]
    })
}

/// A running `tollgate listen`, and what it printed so far.
struct Listening {
    child: Child,
    lines: Receiver<String>,
    secret: String,
}

impl Listening {
    /// Starts it, and waits until it is ready.
    fn start(arguments: &[&str]) -> Listening {
        let mut child = Command::new(binary())
            .arg("listen")
            .args(arguments)
            .args(["--api-key", KEY])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, lines) = sync_channel(1_000);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let mut listening = Listening {
            child,
            lines,
            secret: String::new(),
        };
        listening.until("Ready. ");
        let line = listening.until("signing secret is ");
        let secret = line.split_whitespace().find(|word| word.starts_with("whsec_"));
        secret.expect("a secret").clone_into(&mut listening.secret);
        listening
    }

    /// The next line that has these words; those before it are passed over.
    fn until(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|error| panic!("no line says {words:?}: {error}"));
            if line.contains(words) {
                return line;
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All events of the account, oldest first.
fn events(server: &Server) -> Vec<Value> {
    let mut list = server.get("/v1/events?limit=100").json();
    let mut data = match list["data"].take() {
        Value::Array(data) => data,
        other => panic!("no list: {other}"),
    };
    data.reverse();
    data
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().expect("a type")
}

/// Waits until as many events were sent to a path as these, and asserts that it was these, each once, in this order.
#[track_caller]
fn assert_sent(program: &Program, path: &str, events: &[Value]) -> Vec<Delivery> {
    let sent = program.until(path, "every event", |sent| sent.len() >= events.len());
    let ids: Vec<&str> = events
        .iter()
        .map(|event| event["id"].as_str().expect("an id"))
        .collect();
    let came: Vec<&str> = sent.iter().map(|delivery| &*delivery.event).collect();
    assert_eq!(came, ids);
    sent
}

#[test]
fn events_from_now_on_are_forwarded_signed_and_in_order() {
    let server = Server::start();
    server.pay(1_000);
    let before = events(&server).len();
    let program = program(&[200, 500, 302, 200]);
    let to = format!("127.0.0.1:{}/hook", program.port);
    let listening = Listening::start(&["--forward-to", &to, "--url", &format!("http://{}", server.api)]);
    server.pay(2_000);
    server.pay(3_000);
    let after = events(&server).split_off(before);
    assert!(after.len() >= 6, "{after:?}");
    // Nothing of before.
    let sent = assert_sent(&program, "/hook", &after);
    all_signed(&sent, &listening.secret);
    let lines: Vec<String> = (0..4).map(|_| listening.until("-->")).collect();
    for ((line, event), status) in lines.iter().zip(&after).zip([200, 500, 302, 200]) {
        assert!(
            line.contains(kind(event)) && line.contains(&format!("[{status}] POST http://{to}")),
            "{line}"
        );
    }
}

#[test]
fn only_the_events_that_are_asked_for_are_forwarded() {
    let server = Server::start();
    let program = program(&[200]);
    let url = format!("http://{}", server.api);
    let listening = Listening::start(&[
        "--forward-to",
        &format!("127.0.0.1:{}", program.port),
        "--url",
        &url,
        "--events",
        "charge.*,payment_intent.succeeded",
    ]);
    server.pay(1_000);
    server.pay(2_000);
    let wanted = |event: &Value| kind(event).starts_with("charge.") || kind(event) == "payment_intent.succeeded";
    let wanted: Vec<Value> = events(&server).into_iter().filter(wanted).collect();
    assert!(wanted.len() >= 4, "{wanted:?}");
    assert_sent(&program, "/", &wanted);
    drop(listening);
}

#[test]
fn a_program_that_is_not_there_is_told_and_missed_nothing_else() {
    let server = Server::start();
    let gone = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("an address");
    let url = format!("http://{}", server.api);
    let listening = Listening::start(&["--forward-to", &gone.port().to_string(), "--url", &url]);
    server.pay(1_000);
    let missed = events(&server).len();
    for _ in 0..missed {
        let line = listening.until("-->");
        assert!(
            line.contains("[failed]") && line.contains("connection refused"),
            "{line}"
        );
        assert!(line.contains(&format!("http://localhost:{}", gone.port())), "{line}");
    }
    // Now it is there.
    let program = Program::at(&gone.to_string(), |_, _| 200);
    server.pay(2_000);
    assert_sent(&program, "/", &events(&server)[missed..]);
}

/// Carries bytes until either side ends, and ends the other then.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    for stream in [&from, &to] {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}

/// What stands before the server, so that it has one address for all its lives.
fn relay(server: &Server) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let behind = Arc::new(Mutex::new(server.api.clone()));
    let to = Arc::clone(&behind);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let here = stream.expect("a connection");
            let Ok(there) = TcpStream::connect(&*to.lock().expect("whole")) else {
                continue;
            };
            let (back, answer) = (here.try_clone().expect("cloned"), there.try_clone().expect("cloned"));
            std::thread::spawn(move || carry(answer, back));
            std::thread::spawn(move || carry(here, there));
        }
    });
    (address, behind)
}

#[test]
fn a_restart_of_the_server_loses_and_repeats_nothing() {
    let mut server = Server::start();
    let (address, behind) = relay(&server);
    let program = program(&[200]);
    let to = format!("127.0.0.1:{}", program.port);
    let listening = Listening::start(&["--forward-to", &to, "--url", &format!("http://{address}")]);
    server.pay(1_000);
    assert_sent(&program, "/", &events(&server));
    server.kill();
    listening.until("does not answer");
    server.start_again();
    server.pay(2_000);
    server.api.clone_into(&mut behind.lock().expect("whole"));
    listening.until("answers again");
    assert_sent(&program, "/", &events(&server));
}

#[test]
fn a_server_with_other_data_is_listened_to_from_now_on() {
    let (first, second) = (Server::start(), Server::start());
    first.pay(1_000);
    second.pay(1_000);
    let (address, behind) = relay(&first);
    let listening = Listening::start(&["--url", &format!("http://{address}")]);
    drop(first);
    second.api.clone_into(&mut behind.lock().expect("whole"));
    listening.until("other data");
    second.pay(2_000);
    listening.until("payment_intent.succeeded");
}

#[test]
fn the_secret_is_the_same_each_time_and_printed_alone() {
    let server = Server::start();
    let printed = tollgate(&["listen", "--print-secret", "--api-key", KEY]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let url = format!("http://{}", server.api);
    let listening = Listening::start(&["--url", &url]);
    assert_eq!(printed, format!("{}\n", listening.secret));
    let other = tollgate(&["listen", "--print-secret", "--api-key", "sk_test_another"]);
    assert_ne!(String::from_utf8(other.stdout).expect("text"), printed);
}

#[test]
fn what_cannot_be_listened_to_is_told() {
    let server = Server::start();
    let url = format!("http://{}", server.api);
    let gone = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("an address");
    let gone = format!("http://{gone}");
    let key = ["--api-key", KEY];
    for (arguments, code, words) in [
        (&["--url", &*url][..], 2, "STRIPE_API_KEY"),
        (&["--url", &*url, "--api-key", "nonsense"], 1, "Invalid API Key"),
        (&["--url", &*gone, key[0], key[1]], 3, "is the server running"),
        (&["--url", "https://localhost", key[0], key[1]], 2, "http://HOST:PORT"),
        (&["--url", &*url, key[0], key[1], "--events", "pay*ment"], 2, "--events"),
        (
            &["--url", &*url, key[0], key[1], "--events", "*,charge.suceeded"],
            2,
            "no event type \"charge.suceeded\"",
        ),
        (
            &["--url", &*url, key[0], key[1], "--forward-to", "ftp://x"],
            2,
            "--forward-to",
        ),
        (
            &["--url", &*url, key[0], key[1], "--forward-to", "http://a:b@x/"],
            2,
            "user name",
        ),
    ] {
        let ended = Command::new(binary())
            .arg("listen")
            .args(arguments)
            .env_remove("STRIPE_API_KEY")
            .output()
            .expect("the binary runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("nonsense"), "a key is not printed: {said}");
    }
}
