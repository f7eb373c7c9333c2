//! Connections whose requests are plain, and such that become others: the same is heard as where the HTTP layer reads all.

use super::*;
use crate::buffers::REQUEST_BYTES_MAX;
use std::net::Shutdown;

/// What a connection heard, without what differs by moment and place: dates, and the order of headers.
fn told(heard: &str) -> Vec<Vec<&str>> {
    let answers = heard.split("HTTP/1.").skip(1);
    let sorted = answers.map(|answer| {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, "cut off"));
        let mut lines: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with("date: ")).collect();
        lines[1..].sort_unstable();
        lines.push(body);
        lines
    });
    sorted.collect()
}

/// Sends pieces, reads so many answers, sends more pieces, ends the sending side, and reads until the server closes.
fn heard(server: &Listening, first: &[Vec<u8>], answers: usize, last: &[Vec<u8>]) -> String {
    let mut client = server.connect();
    client.set_nodelay(true).expect("no delay");
    let send = |mut client: &Client, pieces: &[Vec<u8>]| {
        for piece in pieces {
            let _ = client.write_all(piece);
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    send(&client, first);
    let mut heard: String = (0..answers).map(|_| read_answer(&mut client)).collect();
    send(&client, last);
    let _ = client.shutdown(Shutdown::Write);
    heard += &read_to_end(client);
    heard
}

/// The bytes of these requests in one to four pieces.
fn pieces(requests: &[&str], state: &mut u64) -> Vec<Vec<u8>> {
    let bytes = requests.concat().into_bytes();
    let mut pieces = Vec::new();
    let mut rest = &bytes[..];
    for _ in 0..below(state, 4) {
        let (piece, after) = rest.split_at(below(state, rest.len().max(1)));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces.push(rest.to_vec());
    pieces
}

/// A whole number below `bound` that follows from `state`.
fn below(state: &mut u64, bound: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    ((*state >> 33) as usize) % bound
}

#[test]
fn the_same_is_heard_whoever_reads() {
    let bounds = Bounds {
        keep_alive: Duration::from_secs(2),
        ..Bounds::default()
    };
    let plain = Listening::read_by(First::Plain, bounds.clone(), Duration::from_secs(1));
    let layer = Listening::read_by(First::Layer, bounds, Duration::from_secs(1));
    let large = format!(
        "POST /l HTTP/1.1\r\nhost: x\r\ncontent-length: 20000\r\n\r\n{}",
        "x".repeat(20_000)
    );
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(20_000));
    // Each is answered, and the connection stays.
    let kept: &[&str] = &[
        "GET /one HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /two?a=b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        "POST /three HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc",
        "POST /empty HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
        "POST /none HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /with HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab",
        "DELETE /four HTTP/1.1\r\nhost: x\r\n\r\n",
        "\r\nGET /after HTTP/1.1\r\nhost: x\r\n\r\n",
        "POST /chunks HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ];
    let last: &[&str] = &[
        "HEAD /head HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "PUT /put HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /old HTTP/1.0\r\n\r\n",
        "GET /kept HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "GET /upgraded HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        "GET http://elsewhere/whole HTTP/1.1\r\nhost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /bad HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        "GET /folded HTTP/1.1\r\nhost: x\r\n  y\r\n\r\n",
        "POST /both HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /twice HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc",
        "POST /chunk HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nx\r\nabc\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nno host: x\r\n\r\n",
        "nonsense\r\n\r\n",
        "POST /short HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\nabc",
        "GET /half HTTP/1.1\r\nhos",
        &large,
        &long,
    ];
    let mut state = 7;
    let mut answers = 0;
    for round in 0..120 {
        // Rows of requests without waiting. What ends the connection comes by itself: the HTTP layer reads ahead, and then
        // lets what a later request says of the connection hold for the answers before it.
        let row: Vec<&str> = (0..below(&mut state, 5))
            .map(|_| kept[below(&mut state, kept.len())])
            .collect();
        let end = last[round % last.len()];
        let (first, then) = (pieces(&row, &mut state), pieces(&[end], &mut state));
        let (ours, theirs) = (
            heard(&plain, &first, row.len(), &then),
            heard(&layer, &first, row.len(), &then),
        );
        assert_eq!(told(&ours), told(&theirs), "{row:?}, then {end:?}");
        answers += told(&ours).len();
    }
    assert!(answers > 120, "only {answers} answers were compared");
}

#[test]
fn lines_that_end_in_a_line_feed_alone_are_refused() {
    let server = Listening::start();
    let answer = server.exchange(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\nhost: x\n\n");
    assert!(answer.contains("/a 0HTTP/1.1 400 Bad Request"), "{answer}");
    assert!(
        answer.contains("connection: close") && answer.ends_with("{\"malformed\"}"),
        "{answer}"
    );
}

#[test]
fn a_request_fills_the_buffer_to_its_last_byte_and_a_longer_one_is_read_too() {
    let server = Listening::start();
    let mut client = server.connect();
    for over in [0, 1, 5_000] {
        let head = |body: usize| format!("POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: {body:05}\r\n\r\n");
        let body = REQUEST_BYTES_MAX - head(0).len() + over;
        let text = head(body) + &"x".repeat(body);
        for piece in text.as_bytes().chunks(7_000) {
            client.write_all(piece).expect("written");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(read_answer(&mut client).ends_with(&format!("/b {body}")));
    }
}

#[test]
fn a_request_that_comes_byte_by_byte_is_read() {
    let server = Listening::start();
    let mut client = server.connect();
    client.set_nodelay(true).expect("no delay");
    for byte in b"POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc" {
        client.write_all(&[*byte]).expect("written");
    }
    assert!(read_answer(&mut client).ends_with("/slow 3"));
    client
        .write_all(b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    assert!(read_answer(&mut client).ends_with("/next 0"));
}

#[test]
fn a_client_that_has_ended_its_side_is_answered() {
    let server = Listening::start();
    let mut client = server.connect();
    client
        .write_all(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    client.shutdown(Shutdown::Write).expect("half closed");
    assert!(read_to_end(client).ends_with("/a 0"));
}

#[test]
fn large_answers_reach_slow_readers_whole() {
    let server = Listening::with(Bounds::default());
    let mut client = server.connect();
    client
        .write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("written");
    std::thread::sleep(Duration::from_millis(300));
    let large = read_answer(&mut client);
    assert!(large.len() > 32 << 20 && large.ends_with("xxx"));
    assert!(read_answer(&mut client).ends_with("/next 0"));
}

#[test]
fn a_stop_closes_connections_that_wait_for_their_clients() {
    // Longer than anybody waits here: they are closed by the stop, not by its end.
    let server = Listening::read_by(First::Plain, Bounds::default(), 3 * PATIENCE);
    let idle = {
        let mut client = server.connect();
        client
            .write_all(b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
            .expect("written");
        assert!(read_answer(&mut client).ends_with("/a 0"));
        client
    };
    let mut begun = server.connect();
    begun.write_all(b"GET /a HTTP/1.1\r\nhos").expect("written");
    let stopping = std::thread::spawn(move || drop(server));
    assert_eq!(read_to_end(idle), "");
    assert_eq!(read_to_end(begun), "");
    stopping.join().expect("stopped");
}
