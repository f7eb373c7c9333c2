//! Raw sockets against a listener with a dispatch that only echoes: what the HTTP layer, the stream and the watch do to
//! broken, slow and greedy clients.

use super::*;
use crate::answer::{Answer, Content, LONG_LINE_PAGE, raw};
use crate::body::{BodyMemory, read_body};
use crate::head::Known;
use std::io::{Read, Write};
use std::net::TcpStream as Client;
use std::time::Instant;

const PATIENCE: Duration = Duration::from_secs(20);

struct Echoes {
    memory: BodyMemory,
}

impl Dispatch for Echoes {
    async fn dispatch(&self, head: Head, mut incoming: Incoming<'_>, watch: &Watch) -> (Answer, Option<Echo>) {
        let length = head.text(Known::ContentLength).and_then(|value| value.parse().ok());
        let text = match head.path() {
            "/large" => "x".repeat(32 << 20),
            "/unread" => "unread".to_owned(),
            path => match read_body(&mut incoming, length, 1 << 20, &self.memory, watch).await {
                Ok(body) => format!("{path} {}", body.of(&head).len()),
                Err(problem) => format!("{problem:?}"),
            },
        };
        (Answer::new(200, Content::Text, text), None)
    }

    fn substitutes(&self) -> Substitutes {
        Substitutes {
            malformed: raw("400 Bad Request", Content::Json, b"{\"malformed\"}"),
            slow: raw("408 Request Timeout", Content::Json, b"{\"slow\"}"),
            long_line: raw("414 URI Too Long", Content::Html, LONG_LINE_PAGE.as_bytes()),
            large_head: raw("431 Request Header Fields Too Large", Content::Json, b"{\"large\"}"),
            broken: raw("500 Internal Server Error", Content::Json, b"{\"broken\"}"),
            line_bytes_max: 40 << 10,
        }
    }
}

/// A listener on a free port, stopped when dropped.
struct Listening {
    address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Listening {
    fn start() -> Listening {
        Listening::with(Bounds {
            header_timeout: Duration::from_millis(500),
            body_timeout: Duration::from_millis(500),
            write_timeout: Duration::from_millis(500),
            keep_alive: Duration::from_secs(2),
            ..Bounds::default()
        })
    }

    fn with(bounds: Bounds) -> Listening {
        Listening::read_by(First::Plain, bounds, Duration::from_secs(1))
    }

    fn read_by(first: First, bounds: Bounds, stop_timeout: Duration) -> Listening {
        let (say, hear) = std::sync::mpsc::sync_channel(1);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
                let make = || Echoes {
                    memory: BodyMemory::new(4 << 20),
                };
                let running = start_with(first, listener, 1, &bounds, stop_timeout, make).expect("a listener");
                say.send(running.address()).expect("somebody hears");
                let _ = stopped.await;
                running.stop().await;
            });
        });
        let address = hear.recv_timeout(PATIENCE).expect("an address");
        Listening {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn connect(&self) -> Client {
        let client = Client::connect(self.address).expect("a connection");
        client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        client.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        client
    }

    /// Sends bytes and reads until the server closes.
    fn exchange(&self, bytes: &[u8]) -> String {
        let mut client = self.connect();
        let _ = client.write_all(bytes);
        read_to_end(client)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn read_to_end(mut client: Client) -> String {
    let mut answer = Vec::new();
    if let Err(error) = client.read_to_end(&mut answer) {
        assert_ne!(
            error.kind(),
            std::io::ErrorKind::WouldBlock,
            "the server waits for ever"
        );
    }
    String::from_utf8(answer).expect("UTF-8")
}

/// Reads one answer of a connection that stays open.
fn read_answer(client: &mut Client) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).expect("a head");
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).expect("UTF-8");
    let length = head
        .to_lowercase()
        .split_once("content-length: ")
        .expect("a length")
        .1
        .to_owned();
    let length: usize = length.lines().next().expect("a line").parse().expect("a number");
    let mut body = vec![0; length];
    client.read_exact(&mut body).expect("a body");
    head + std::str::from_utf8(&body).expect("UTF-8")
}

#[test]
fn what_is_no_http_is_answered_in_words_and_closed() {
    let server = Listening::start();
    let long_line = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000));
    // Longer than what is read at once, and shorter than a line may be: what is read again must not count twice.
    let lengthy_line = format!("GET /{} HTTP/9.9\r\nhost: x\r\n\r\n", "a".repeat(30_000));
    let endless_line = format!("GET /{}", "a".repeat(200_000));
    let large_head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(200_000));
    let many_headers = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    let cases: &[(&str, &str, &str)] = &[
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "{\"malformed\"}"),
        (
            "GET / HTTP/9.9\r\nhost: x\r\n\r\n",
            "400 Bad Request",
            "{\"malformed\"}",
        ),
        ("\0\u{1}\u{2}\r\n\r\n", "400 Bad Request", "{\"malformed\"}"),
        (
            "GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
            "400 Bad Request",
            "{\"malformed\"}",
        ),
        (
            "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
            "400 Bad Request",
            "{\"malformed\"}",
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
            "400 Bad Request",
            "{\"malformed\"}",
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            "400",
            "{\"malformed\"}",
        ),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "400",
            "malformed",
        ),
        (&many_headers, "431 Request Header Fields Too Large", "{\"large\"}"),
        (&large_head, "431 Request Header Fields Too Large", "{\"large\"}"),
        (&lengthy_line, "400 Bad Request", "{\"malformed\"}"),
        (&long_line, "414 URI Too Long", "<center>"),
        (&endless_line, "414 URI Too Long", "<center>"),
    ];
    for (request, status, body) in cases {
        let answer = server.exchange(request.as_bytes());
        let shown = &request[..request.len().min(80)];
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{shown}: {answer}");
        assert!(
            answer.contains(body) && answer.contains("connection: close"),
            "{shown}: {answer}"
        );
    }
}

#[test]
fn an_answer_before_a_malformed_request_is_left_whole() {
    let server = Listening::start();
    let answer = server.exchange(b"GET /first HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n");
    assert!(answer.contains("/first 0HTTP/1.1 400 Bad Request"), "{answer}");
}

#[test]
fn half_a_head_is_given_up_on_the_first_and_on_later_requests() {
    let server = Listening::start();
    let begun = Instant::now();
    let answer = server.exchange(b"GET / HTTP/1.1\r\nhos");
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.ends_with("{\"slow\"}"),
        "{answer}"
    );
    let mut client = server.connect();
    client
        .write_all(b"GET /one HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    assert!(read_answer(&mut client).ends_with("/one 0"));
    client.write_all(b"GET /two HTTP/1.1\r\nhos").expect("written");
    assert!(read_to_end(client).starts_with("HTTP/1.1 408"));
    assert!(begun.elapsed() < 2 * PATIENCE);
}

#[test]
fn who_never_says_a_word_is_told_none() {
    let server = Listening::start();
    assert_eq!(read_to_end(server.connect()), "");
}

#[test]
fn clients_that_hold_connections_keep_nobody_out() {
    let server = Listening::with(Bounds {
        connections_max: 32,
        // Long enough that nobody gets in because others expired.
        header_timeout: 30 * PATIENCE,
        ..Bounds::default()
    });
    let mut held: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    for client in &mut held {
        let _ = client.write_all(b"GET / HTTP/1.1\r\nhos");
    }
    let mut client = server.connect();
    client
        .write_all(b"GET /one HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    assert!(read_answer(&mut client).ends_with("/one 0"), "within its patience");
}

#[test]
fn a_head_that_trickles_is_given_up_too() {
    let server = Listening::start();
    let mut client = server.connect();
    let begun = Instant::now();
    while client.write_all(b"G").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
        assert!(begun.elapsed() < PATIENCE, "each byte buys time");
    }
}

#[test]
fn half_a_body_is_told_to_the_handler_and_the_connection_closed() {
    let server = Listening::start();
    let answer = server.exchange(b"POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("TooSlow"),
        "{answer}"
    );
    let mut client = server.connect();
    client
        .write_all(b"POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
        .expect("written");
    client.shutdown(std::net::Shutdown::Write).expect("half closed");
    assert!(read_to_end(client).ends_with("Broken"));
}

#[test]
fn bodies_arrive_whole_in_one_piece_in_many_and_in_chunks() {
    let server = Listening::start();
    let mut client = server.connect();
    client
        .write_all(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc")
        .expect("written");
    assert!(read_answer(&mut client).ends_with("/a 3"));
    client
        .write_all(b"POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabc")
        .expect("written");
    std::thread::sleep(Duration::from_millis(20));
    client.write_all(b"def").expect("written");
    assert!(read_answer(&mut client).ends_with("/b 6"));
    let chunked = b"POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    client.write_all(chunked).expect("written");
    assert!(read_answer(&mut client).ends_with("/c 5"));
    let big = vec![b'x'; 1 << 20];
    client
        .write_all(b"POST /d HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n")
        .expect("written");
    client.write_all(&big).expect("written");
    assert!(read_answer(&mut client).ends_with("/d 1048576"));
    client
        .write_all(b"POST /e HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n")
        .expect("written");
    assert!(read_answer(&mut client).ends_with("TooLarge"));
}

#[test]
fn requests_in_a_row_are_answered_in_a_row() {
    let server = Listening::start();
    let mut client = server.connect();
    for at in 0..40 {
        client
            .write_all(format!("GET /{at} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
            .expect("written");
    }
    for at in 0..40 {
        assert!(read_answer(&mut client).ends_with(&format!("/{at} 0")));
    }
}

#[test]
fn an_early_answer_reaches_a_client_that_is_still_sending() {
    let server = Listening::start();
    let mut client = server.connect();
    client
        .write_all(b"POST /unread HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
        .expect("written");
    let _ = client.write_all(&vec![b'x'; 500_000]);
    let answer = read_to_end(client);
    assert!(
        answer.ends_with("unread") && answer.contains("connection: close"),
        "{answer}"
    );
}

#[test]
fn an_endless_chunked_body_that_nobody_reads_ends() {
    let server = Listening::start();
    let mut client = server.connect();
    client
        .write_all(b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .expect("written");
    let begun = Instant::now();
    while client.write_all(b"4\r\naaaa\r\n").is_ok() {
        std::thread::sleep(Duration::from_millis(20));
        assert!(begun.elapsed() < PATIENCE, "drained for ever");
    }
}

#[test]
fn an_answer_that_nobody_takes_is_given_up() {
    let server = Listening::start();
    let mut client = server.connect();
    client
        .write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    std::thread::sleep(Duration::from_secs(2));
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    assert!(
        answer.len() < 32 << 20,
        "the server kept the answer for a client that did not read"
    );
}

#[test]
fn idle_connections_are_closed() {
    let server = Listening::start();
    let mut client = server.connect();
    client
        .write_all(b"GET /one HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    assert!(read_answer(&mut client).ends_with("/one 0"));
    assert_eq!(read_to_end(client), "");
}

#[test]
fn head_has_no_body_and_100_continue_is_given() {
    let server = Listening::start();
    let answer = server.exchange(b"HEAD /abc HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(
        answer.contains("content-length: 6\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    let mut client = server.connect();
    client
        .write_all(b"POST /e HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        .expect("written");
    let mut told = [0; 25];
    client.read_exact(&mut told).expect("an interim answer");
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").expect("written");
    assert!(read_answer(&mut client).ends_with("/e 3"));
}

#[path = "connection_tests.rs"]
mod connections;
