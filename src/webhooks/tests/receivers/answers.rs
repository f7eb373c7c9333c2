//! What receivers answer, or do instead.

use crate::made::{delivery, endpoint};
use crate::receiver::{
    LONG_MS, Receiver, SHORT_MS, assert_failed, assert_status, egress, read_head, read_request, send, until_closed,
    write_and_hang,
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tollgate_webhooks::egress::EXCERPT_MAX;
use tollgate_webhooks::ports::{Answer, Failure, Transport as _};

#[tokio::test]
async fn a_delivery_is_one_signed_post() {
    let (seen, mut requests) = mpsc::channel(1);
    let receiver = Receiver::start(move |mut stream: TcpStream, _| {
        let seen = seen.clone();
        async move {
            let request = read_request(&mut stream).await.expect("a request");
            seen.send(request).await.expect("still asked for");
            write_and_hang(&mut stream, b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone").await;
        }
    })
    .await;
    let mut endpoint = endpoint(&receiver.url(), LONG_MS);
    endpoint.standard_headers = true;
    let outcome = egress().send(delivery(endpoint)).await;
    assert_eq!(outcome.answer, Answer::Taken { status: 201 });
    assert_eq!(outcome.excerpt, "done");
    assert_eq!(outcome.peer, Some(receiver.address.ip()));
    let request = requests.recv().await.expect("a request");
    assert!(
        request.head.starts_with("POST /hook?from=tollgate HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    assert_eq!(request.header("host"), Some(&*receiver.address.to_string()));
    assert_eq!(request.header("webhook-sequence"), Some("41"));
    assert_eq!(request.header("webhook-resource-sequence"), Some("3"));
    assert_eq!(request.header("webhook-id"), Some("evt_1"));
    assert_eq!(request.body, br#"{"id":"evt_1","object":"event"}"#);
    let signed = request.header("stripe-signature").expect("a signature");
    let (t, v1) = signed
        .strip_prefix("t=")
        .and_then(|rest| rest.split_once(",v1="))
        .expect("both parts");
    assert_eq!(request.header("webhook-timestamp"), Some(t));
    let mut mac = <Hmac<Sha256>>::new_from_slice(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
    mac.update(format!("{t}.").as_bytes());
    mac.update(&request.body);
    let expected: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(v1, expected);
}

#[tokio::test]
async fn only_2xx_is_taken() {
    let egress = egress();
    for (answer, status, taken) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, true),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, true),
        ("HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n", 299, true),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            200,
            true,
        ),
        ("HTTP/1.1 300 Choices\r\nContent-Length: 0\r\n\r\n", 300, false),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", 304, false),
        ("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", 400, false),
        ("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, false),
        ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, false),
        ("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 999, false),
    ] {
        let receiver = Receiver::answering(answer).await;
        let mut endpoint = endpoint(&receiver.url(), LONG_MS);
        endpoint.key.seq = u64::from(status);
        let outcome = egress.send(delivery(endpoint)).await;
        assert_status(&outcome, status);
        assert_eq!(outcome.answer.is_taken(), taken, "{status}");
        assert_eq!(outcome.answer.is_gone(), status == 410, "{status}");
    }
}

#[tokio::test]
async fn when_to_come_back_is_told() {
    for (said, asked) in [
        ("120", Some(120_000)),
        ("Thu, 01 Jan 1970 00:00:10 GMT", Some(0)),
        ("later", None),
    ] {
        let receiver = Receiver::answering(format!(
            "HTTP/1.1 429 Slow\r\nRetry-After: {said}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
        let outcome = send(&egress(), &receiver.url(), LONG_MS).await;
        let expected = Answer::Refused {
            status: 429,
            retry_after_ms: asked,
        };
        assert_eq!(outcome.answer, expected, "{said}");
    }
}

#[tokio::test]
async fn redirects_are_failures_and_lead_nowhere() {
    let elsewhere = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for status in [301_u16, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
            elsewhere.url()
        );
        let receiver = Receiver::answering(answer).await;
        let outcome = send(&egress(), &receiver.url(), LONG_MS).await;
        assert_status(&outcome, status);
        assert!(!outcome.answer.is_taken());
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// What a receiver sends before it hangs, and at which stage the time is over.
#[tokio::test]
async fn a_hanging_receiver_costs_its_timeout() {
    for (sent, stage) in [
        ("", "before an answer came"),
        ("HTTP/1.1 200 OK\r\nContent-", "before an answer came"),
        ("HTTP/1.1 100 Continue\r\n\r\n", "before an answer came"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            "before the answer's body",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            "before the answer's body",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "before the answer's body",
        ),
        ("HTTP/1.0 200 OK\r\n\r\nhalf", "before the answer's body"),
    ] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_request(&mut stream).await;
            write_and_hang(&mut stream, sent.as_bytes()).await;
        })
        .await;
        let egress = egress();
        let outcome = send(&egress, &receiver.url(), SHORT_MS).await;
        assert_failed(&outcome, Failure::Timeout, stage);
        assert_eq!(receiver.connections(), 1, "nothing is sent again by itself");
        assert_eq!(egress.open(), 0, "a connection that hangs is closed");
    }
}

#[tokio::test]
async fn a_receiver_that_never_reads_costs_its_timeout() {
    let receiver = Receiver::start(|stream: TcpStream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let mut delivery = delivery(endpoint(&receiver.url(), SHORT_MS));
    // More than the system takes on its way.
    delivery.body = Bytes::from(vec![b'x'; 32 << 20]);
    let outcome = egress().send(delivery).await;
    assert_failed(&outcome, Failure::Timeout, "before an answer came");
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_lengthen_the_timeout() {
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(head.as_bytes()).await;
            let drip = if head.is_empty() {
                b"HTTP/1.1 200 OKOKOKOKOK".as_slice()
            } else {
                b"dripdripdrip"
            };
            for byte in drip.iter().cycle() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                if stream.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        })
        .await;
        let outcome = send(&egress(), &receiver.url(), SHORT_MS).await;
        assert_failed(&outcome, Failure::Timeout, "before");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_and_its_connection_closed() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
    ] {
        let (closed, mut was_closed) = mpsc::channel(1);
        let receiver = Receiver::start(move |mut stream: TcpStream, _| {
            let closed = closed.clone();
            async move {
                let _ = read_request(&mut stream).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
                let _ = closed.send(()).await;
            }
        })
        .await;
        let egress = egress();
        let outcome = send(&egress, &receiver.url(), LONG_MS).await;
        assert_eq!(outcome.answer, Answer::Taken { status: 200 });
        assert_eq!(outcome.excerpt.len(), EXCERPT_MAX);
        was_closed.recv().await.expect("the connection is closed");
        assert_eq!(egress.open(), 0);
    }
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let receiver = Receiver::start(|mut stream: TcpStream, _| async move {
        let _ = read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream
            .write_all(b"X-More: and more and more and more\r\n")
            .await
            .is_ok()
        {}
    })
    .await;
    let outcome = send(&egress(), &receiver.url(), LONG_MS).await;
    assert_failed(&outcome, Failure::Malformed, "too large");
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for (sent, words) in [
        (&b"SSH-2.0-OpenSSH_9.9\r\n"[..], "not HTTP/1"),
        (
            b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
            "not HTTP/1",
        ),
        (b"HTTP/1.1 two hundred\r\n\r\n", "not HTTP/1"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "not HTTP/1",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "not HTTP/1"),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "not HTTP/1"),
        // What a server that speaks HTTP/2 only begins with: its settings.
        (
            b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64",
            "not HTTP/1",
        ),
    ] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_request(&mut stream).await;
            write_and_hang(&mut stream, sent).await;
        })
        .await;
        let outcome = send(&egress(), &receiver.url(), LONG_MS).await;
        assert_failed(&outcome, Failure::Malformed, words);
    }
}

#[tokio::test]
async fn a_connection_that_ends_in_an_answer_is_no_answer() {
    for sent in [
        "",
        "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(sent.as_bytes()).await;
        })
        .await;
        let outcome = send(&egress(), &receiver.url(), LONG_MS).await;
        assert_failed(&outcome, Failure::Closed, "not complete");
        assert_eq!(receiver.connections(), 1, "a new connection is not tried twice");
    }
}

#[tokio::test]
async fn a_reset_is_told() {
    let receiver = Receiver::start(|stream: TcpStream, _| async move {
        let _ = stream.readable().await;
        stream.set_zero_linger().expect("set");
    })
    .await;
    let outcome = send(&egress(), &receiver.url(), LONG_MS).await;
    assert_failed(&outcome, Failure::Closed, "reset");
}

#[tokio::test]
async fn nobody_there_is_told() {
    let gone = Receiver::answering("").await;
    let url = gone.url();
    drop(gone);
    // The port is free once the listener's task is gone.
    tokio::task::yield_now().await;
    let outcome = send(&egress(), &url, LONG_MS).await;
    assert_failed(&outcome, Failure::Connect, "refused");
    assert!(outcome.answer.is_overload());
}

#[tokio::test]
async fn an_answer_before_the_request_is_read_counts() {
    let receiver = Receiver::start(|mut stream: TcpStream, _| async move {
        let _ = read_head(&mut stream).await;
        let _ = stream
            .write_all(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n")
            .await;
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let mut delivery = delivery(endpoint(&receiver.url(), LONG_MS));
    delivery.body = Bytes::from(vec![b'x'; 32 << 20]);
    let egress = egress();
    let outcome = egress.send(delivery).await;
    assert_status(&outcome, 413);
    assert_eq!(egress.open(), 0, "its connection is not used again");
}

#[tokio::test]
async fn an_excerpt_is_bounded_and_printable() {
    let body = format!("\x1b[2J{}", "y".repeat(5_000));
    let receiver = Receiver::answering(format!(
        "HTTP/1.1 500 Oh\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    let egress = egress();
    let outcome = send(&egress, &receiver.url(), LONG_MS).await;
    let text = std::str::from_utf8(&outcome.excerpt).expect("text");
    assert!(
        text.len() <= EXCERPT_MAX && text.starts_with("\u{fffd}[2Jyyy"),
        "{text}"
    );
    assert_eq!(
        egress.open(),
        1,
        "a body within the bound is read to its end, so the connection is kept"
    );
}

#[tokio::test]
async fn a_dropped_delivery_closes_its_connection() {
    let (closed, mut was_closed) = mpsc::channel(1);
    let receiver = Receiver::start(move |mut stream: TcpStream, _| {
        let closed = closed.clone();
        async move {
            let _ = read_request(&mut stream).await;
            let _ = closed.send("began").await;
            until_closed(&mut stream).await;
            let _ = closed.send("ended").await;
        }
    })
    .await;
    let egress = Arc::new(egress());
    let sent = tokio::spawn(egress.send(delivery(endpoint(&receiver.url(), LONG_MS))));
    assert_eq!(was_closed.recv().await, Some("began"));
    sent.abort();
    assert_eq!(was_closed.recv().await, Some("ended"));
    assert_eq!(egress.open(), 0);
}
