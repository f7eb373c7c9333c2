use super::*;

/// 1994-11-06 08:49:37.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
}

/// Reads bytes that come in pieces of this length; at the end the connection ends.
fn read(bytes: &[u8], pieces: usize) -> Result<Option<Received>, Wrong> {
    let mut reading = Reading::default();
    let mut pieces = bytes.chunks(pieces);
    for piece in &mut pieces {
        if let Some(received) = reading.take(piece, now)? {
            let over = pieces.next().is_some();
            // What comes later is seen on the connection.
            return Ok(Some(Received {
                lasting: received.lasting && !over,
                ..received
            }));
        }
    }
    Ok(reading.end())
}

/// However it is cut, an answer is the same.
#[track_caller]
fn reads(text: &str) -> Result<Option<Received>, Wrong> {
    let whole = read(text.as_bytes(), usize::MAX);
    for pieces in 1..text.len().min(200) {
        assert_eq!(read(text.as_bytes(), pieces), whole, "{text:?} in pieces of {pieces}");
    }
    whole
}

#[test]
fn a_body_ends_where_its_head_says() {
    for (text, excerpt, lasting) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", true),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "ok", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok",
            "ok",
            true,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true),
        ("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "", true),
        ("HTTP/1.1 304 No\r\n\r\n", "", true),
        // More than was said is nobody's answer.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
            "ok",
            false,
        ),
        ("HTTP/1.1 204 No\r\n\r\nbody", "", false),
        ("HTTP/1.1 200 OK\r\n\r\nok", "ok", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", "ok", false),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "ok",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n0000A ;x=\"y\"\r\n0123456789\r\n1;\r\n!\r\n000\r\nX: y\r\n\r\n",
            "0123456789!",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
            "ok",
            false,
        ),
        // Two lengths: the chunks count, and nothing else is believed.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "ok",
            false,
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "ok",
            true,
        ),
    ] {
        let received = reads(text).expect(text).expect(text);
        assert_eq!(
            (&received.excerpt[..], received.lasting),
            (excerpt.as_bytes(), lasting),
            "{text:?}"
        );
    }
}

#[test]
fn what_ends_too_soon_is_no_answer() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
    ] {
        assert_eq!(reads(text), Ok(None), "{text:?}");
    }
}

#[test]
fn what_is_no_answer_is_told() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for text in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &format!("{CHUNKED}\r\n"),
        &format!("{CHUNKED}g\r\n"),
        &format!("{CHUNKED};x\r\n"),
        &format!("{CHUNKED}-1\r\n"),
        &format!("{CHUNKED}2\nok\n0\n\n"),
        &format!("{CHUNKED}2\r\nokay\r\n"),
        &format!("{CHUNKED}2\r\nok\n0\r\n\r\n"),
        &format!("{CHUNKED}1000000000000000\r\n"),
        &format!("{CHUNKED}0\r\n\rx"),
    ] {
        assert_eq!(reads(text), Err(Wrong::NotHttp), "{text:?}");
    }
}

#[test]
fn heads_and_what_stands_between_chunks_are_bounded() {
    let long = "x".repeat(HEAD_MAX);
    for text in [
        format!("HTTP/1.1 200 OK\r\nX: {long}\r\n"),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1)),
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(HEAD_MAX / 20),
    ] {
        for pieces in [1, 3, 1_000, usize::MAX] {
            let wrong = read(text.as_bytes(), pieces);
            assert_eq!(wrong, Err(Wrong::HeadTooLarge), "{} bytes in {pieces}", text.len());
        }
    }
    for body in [
        format!("1;{long}\r\nx\r\n"),
        format!("0\r\nX: {long}\r\n\r\n"),
        "1\r\nx\r\n".repeat(HEAD_MAX / 5),
    ] {
        let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        for pieces in [1, 3, 1_000, usize::MAX] {
            let received = read(text.as_bytes(), pieces).expect("an answer").expect("an answer");
            assert!(!received.lasting, "{} bytes in {pieces}", text.len());
        }
    }
}

#[test]
fn a_body_is_read_so_far_and_no_further() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ] {
        let text = head.to_owned() + &"x".repeat(BODY_READ_MAX + 1);
        for pieces in [1_000, usize::MAX] {
            let received = read(text.as_bytes(), pieces).expect("an answer").expect("an answer");
            assert_eq!(
                (received.excerpt.len(), received.lasting),
                (EXCERPT_MAX, false),
                "{head:?}"
            );
        }
    }
}

#[test]
fn connections_last_as_version_and_header_say() {
    for (version, header, lasting) in [
        ("1.1", "X: y", true),
        ("1.1", "Connection: Close", false),
        ("1.1", "Connection: x, close", false),
        ("1.0", "X: y", false),
        ("1.0", "Connection: Keep-Alive", true),
    ] {
        let text = format!("HTTP/{version} 200 OK\r\n{header}\r\nContent-Length: 0\r\n\r\n");
        let received = reads(&text).expect("an answer").expect("an answer");
        assert_eq!(received.lasting, lasting, "{text:?}");
    }
    assert_eq!(kept_idle(b"max=3, timeout=5"), Some(Duration::from_secs(5)));
    assert_eq!(kept_idle(b"max=3"), None);
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    for (value, seconds) in [
        ("120", Some(120)),
        ("0", Some(0)),
        (" 7 ", Some(7)),
        ("99999999999", Some(604_800)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
        ("Sun, 06 Nov 1994 08:40:37 GMT", Some(0)),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ] {
        let text = format!("HTTP/1.1 429 Slow\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        let received = reads(&text).expect("an answer").expect("an answer");
        assert_eq!(received.retry_after, seconds.map(Duration::from_secs), "{value}");
    }
}

#[test]
fn an_excerpt_shows_only_what_can_be_shown() {
    for (bytes, shown) in [
        (&b"all good\r\n\tyes"[..], "all good\n\tyes"),
        (b"\x1b[31mred\0", "\u{fffd}[31mred\u{fffd}"),
        (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ("a\u{202e}b".as_bytes(), "a\u{fffd}b"),
    ] {
        assert_eq!(printable(bytes), shown);
    }
    let long = printable(&[0xff; EXCERPT_MAX]);
    assert!(long.len() <= EXCERPT_MAX && long.len() > EXCERPT_MAX - 3);
}
