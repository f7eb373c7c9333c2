//! The way out through an operator's proxy.

use crate::receiver::{
    LONG_MS, Receiver, SHORT_MS, Told, assert_failed, assert_status, loopback, read_head, send, until_closed,
    write_and_hang,
};
use std::sync::{Arc, Mutex};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tollgate_webhooks::egress::{Egress, Gate, Settings, Tls};
use tollgate_webhooks::ports::Failure;

/// What goes through this proxy; names lead to loopback.
fn through(proxy: &Receiver) -> Egress {
    Egress::new(Settings {
        gate: Arc::new(Gate::new(loopback(), Told::new(&[&["127.0.0.1"]]))),
        tls: Tls::new(None).expect("TLS"),
        proxy: Some(proxy.address.to_string().into()),
        connections_max: 10,
    })
}

#[tokio::test]
async fn a_delivery_goes_through_the_proxy_to_the_address_that_was_vetted() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    let proxy = Receiver::start(move |mut stream: TcpStream, _| {
        let heads = Arc::clone(&heads);
        async move {
            let head = read_head(&mut stream).await.expect("a head");
            let to = head.split(' ').nth(1).expect("an address").to_owned();
            heads.lock().expect("whole").push(head);
            let mut there = TcpStream::connect(to).await.expect("the receiver");
            stream
                .write_all(b"HTTP/1.1 200 Connected\r\nVia: here\r\n\r\n")
                .await
                .expect("written");
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
        }
    })
    .await;
    let egress = through(&proxy);
    let url = format!("http://receiver.test:{}/hook", receiver.address.port());
    for reused in [false, true] {
        let outcome = send(&egress, &url, LONG_MS).await;
        assert_status(&outcome, 200);
        assert_eq!((&outcome.excerpt[..], outcome.reused), (&b"ok"[..], reused));
    }
    let asked = asked.lock().expect("whole");
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", receiver.address)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_a_proxy_says_instead_is_told() {
    for (said, words) in [
        (&b"HTTP/1.1 403 Forbidden\r\n\r\n"[..], "refused with status 403"),
        (b"SSH-2.0-OpenSSH\r\n\r\n\r\n", "did not answer in HTTP/1"),
        (b"HTTP/1.1\r\n\r\n", "did not answer in HTTP/1"),
        (b"", "closed the connection"),
    ] {
        let proxy = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_head(&mut stream).await;
            let _ = stream.write_all(said).await;
        })
        .await;
        let outcome = send(&through(&proxy), "http://receiver.test:4000/", LONG_MS).await;
        assert_failed(&outcome, Failure::Connect, words);
    }
    let endless = Receiver::start(|mut stream: TcpStream, _| async move {
        while stream.write_all(b"HTTP/1.1 200 and so on and on").await.is_ok() {}
    })
    .await;
    let outcome = send(&through(&endless), "http://receiver.test:4000/", LONG_MS).await;
    assert_failed(&outcome, Failure::Connect, "too large");
    let hanging = Receiver::start(|mut stream: TcpStream, _| async move { until_closed(&mut stream).await }).await;
    let outcome = send(&through(&hanging), "http://receiver.test:4000/", SHORT_MS).await;
    assert_failed(&outcome, Failure::Timeout, "while a connection was being made");
}

/// What must not be delivered to is not asked for.
#[tokio::test]
async fn a_proxy_is_not_asked_for_what_is_refused() {
    let proxy = Receiver::start(|mut stream: TcpStream, _| async move {
        write_and_hang(&mut stream, b"HTTP/1.1 200 Connected\r\n\r\n").await;
    })
    .await;
    let outcome = send(&through(&proxy), "http://10.0.0.1:4000/", LONG_MS).await;
    assert_failed(&outcome, Failure::Blocked, "private network");
    assert_eq!(proxy.connections(), 0);
}
