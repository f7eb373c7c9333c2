//! Connections that are used again, and receivers that close them.

use crate::made::{delivery, endpoint};
use crate::receiver::{
    LONG_MS, Receiver, Told, assert_failed, assert_status, egress, egress_with, loopback, read_request, send,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tollgate_webhooks::egress::{AGE_MAX, CONNECTIONS_MAX, Egress, Gate, Settings, Tls};
use tollgate_webhooks::ports::{Failure, Transport as _};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn resent(egress: &Egress) -> u64 {
    egress.counters().resent.get()
}

/// Lets so much time pass at once, with what is due in it done.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::sleep(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn one_connection_serves_deliveries_one_after_the_other() {
    for answer in [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let receiver = Receiver::answering(answer).await;
        let egress = egress();
        for nth in 0..20 {
            let outcome = send(&egress, &receiver.url(), LONG_MS).await;
            assert_eq!(outcome.reused, nth > 0, "{nth} {:?}", outcome.answer);
        }
        assert_eq!((receiver.connections(), egress.open()), (1, 1));
        assert_eq!(egress.counters().reused.get(), 19);
    }
}

#[tokio::test]
async fn a_receiver_that_closes_each_time_gets_a_connection_each_time() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"[..],
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
    ] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(answer).await;
        })
        .await;
        let egress = egress();
        for nth in 1..=3 {
            let outcome = send(&egress, &receiver.url(), LONG_MS).await;
            assert_status(&outcome, 200);
            assert_eq!(outcome.excerpt, "ok");
            assert_eq!((receiver.connections(), egress.open(), resent(&egress)), (nth, 0, 0));
        }
    }
}

/// The worst moment: the receiver has decided to close, and the request is already on its way.
#[tokio::test]
async fn a_connection_that_dies_under_its_next_request_is_replaced_once() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let receiver = Receiver::start(move |mut stream: TcpStream, nth| {
        let seen = Arc::clone(&counted);
        async move {
            while read_request(&mut stream).await.is_some() {
                // The second request of the first connection gets no answer.
                if seen.fetch_add(1, Ordering::SeqCst) == 1 && nth == 0 {
                    return;
                }
                let _ = stream.write_all(OK).await;
            }
        }
    })
    .await;
    let egress = egress();
    assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
    let outcome = send(&egress, &receiver.url(), LONG_MS).await;
    assert_status(&outcome, 200);
    assert!(!outcome.reused, "the answer came over the new one");
    assert_eq!(
        (receiver.connections(), seen.load(Ordering::SeqCst), resent(&egress)),
        (2, 3, 1)
    );
}

#[tokio::test]
async fn a_receiver_that_only_ever_dies_is_not_asked_for_ever() {
    let receiver = Receiver::start(|mut stream: TcpStream, nth| async move {
        let _ = read_request(&mut stream).await;
        if nth == 0 {
            let _ = stream.write_all(OK).await;
            let _ = read_request(&mut stream).await;
        }
    })
    .await;
    let egress = egress();
    assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
    let outcome = send(&egress, &receiver.url(), LONG_MS).await;
    assert_failed(&outcome, Failure::Closed, "");
    assert_eq!((receiver.connections(), resent(&egress)), (2, 1));
}

/// Once a byte has come back the receiver has seen the request: whether it is sent again is for the schedule to say.
#[tokio::test]
async fn a_connection_that_dies_within_an_answer_is_not_replaced() {
    for part in ["H", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(OK).await;
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(part.as_bytes()).await;
        })
        .await;
        let egress = egress();
        assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
        assert_failed(
            &send(&egress, &receiver.url(), LONG_MS).await,
            Failure::Closed,
            "not complete",
        );
        assert_eq!((receiver.connections(), resent(&egress)), (1, 0));
    }
}

/// What a receiver says behind an answer that nobody asked for ends the connection, and is no answer to the next request.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_not_believed() {
    let receiver = Receiver::start(|mut stream: TcpStream, nth| async move {
        let _ = read_request(&mut stream).await;
        let answer = if nth == 0 {
            [OK, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"].concat()
        } else {
            OK.to_vec()
        };
        let _ = stream.write_all(&answer).await;
        let _ = read_request(&mut stream).await;
    })
    .await;
    let egress = egress();
    assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
    let outcome = send(&egress, &receiver.url(), LONG_MS).await;
    assert_status(&outcome, 200);
    assert_eq!(outcome.excerpt, "ok");
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_speaks_while_it_is_unused_is_closed() {
    let (speak, _) = tokio::sync::broadcast::channel::<()>(1);
    let speaking = speak.clone();
    let receiver = Receiver::start(move |mut stream: TcpStream, _| {
        let mut speak = speaking.subscribe();
        async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(OK).await;
            let _ = speak.recv().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            let _ = read_request(&mut stream).await;
        }
    })
    .await;
    let egress = egress();
    assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
    assert_eq!(egress.open(), 1);
    speak.send(()).expect("somebody listens");
    pass(Duration::from_secs(3)).await;
    assert_eq!(egress.open(), 0);
}

#[tokio::test]
async fn an_unused_connection_is_kept_as_long_as_the_receiver_says() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=11\r\nContent-Length: 0\r\n\r\n").await;
    let egress = egress();
    for (unused_s, connections) in [(0, 1), (9, 1), (11, 2), (9, 2)] {
        pass(Duration::from_secs(unused_s)).await;
        assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
        assert_eq!(receiver.connections(), connections, "after {unused_s} s");
    }
    pass(Duration::from_secs(12)).await;
    assert_eq!(egress.open(), 0, "closed without anybody asking");
}

#[tokio::test]
async fn what_a_receiver_closes_early_is_not_kept_as_long_again() {
    let (close, _) = tokio::sync::broadcast::channel::<()>(1);
    let closing = close.clone();
    let receiver = Receiver::start(move |mut stream: TcpStream, _| {
        let mut close = closing.subscribe();
        async move {
            loop {
                tokio::select! {
                    request = read_request(&mut stream) => if request.is_none() { return },
                    _ = close.recv() => return,
                }
                let _ = stream.write_all(OK).await;
            }
        }
    })
    .await;
    let egress = egress();
    assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
    pass(Duration::from_secs(8)).await;
    assert_eq!(egress.open(), 1);
    close.send(()).expect("somebody listens");
    while egress.open() > 0 {
        tokio::task::yield_now().await;
    }
    assert_status(&send(&egress, &receiver.url(), LONG_MS).await, 200);
    // Three quarters of eight seconds are six.
    pass(Duration::from_secs(5)).await;
    assert_eq!(egress.open(), 1);
    pass(Duration::from_secs(3)).await;
    assert_eq!(egress.open(), 0);
    assert_eq!(resent(&egress), 0);
}

#[tokio::test]
async fn an_old_connection_is_replaced_and_its_name_resolved_anew() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=600\r\nContent-Length: 0\r\n\r\n").await;
    let told = Told::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let egress = egress_with(loopback(), told, Tls::new(None).expect("TLS"));
    let url = format!("http://receiver.test:{}/", receiver.address.port());
    let steps = AGE_MAX.as_secs() / 50;
    for _ in 0..steps {
        assert_status(&send(&egress, &url, LONG_MS).await, 200);
        pass(Duration::from_secs(50)).await;
    }
    assert_eq!(receiver.connections(), 1);
    pass(Duration::from_secs(1)).await;
    assert_failed(&send(&egress, &url, LONG_MS).await, Failure::Blocked, "private network");
}

#[tokio::test]
async fn an_endpoint_has_so_many_connections_at_most() {
    let (release, _) = tokio::sync::broadcast::channel::<()>(1);
    let released = release.clone();
    let receiver = Receiver::start(move |mut stream: TcpStream, _| {
        let mut release = released.subscribe();
        async move {
            let _ = read_request(&mut stream).await;
            let _ = release.recv().await;
            let _ = stream.write_all(OK).await;
            let _ = read_request(&mut stream).await;
        }
    })
    .await;
    let egress = egress();
    let most = CONNECTIONS_MAX as usize;
    let begun: Vec<_> = (0..most)
        .map(|_| tokio::spawn(egress.send(delivery(endpoint(&receiver.url(), LONG_MS)))))
        .collect();
    while receiver.connections() < most {
        tokio::task::yield_now().await;
    }
    let outcome = send(&egress, &receiver.url(), LONG_MS).await;
    assert_failed(&outcome, Failure::Internal, "too many connections");
    // Another endpoint has its own.
    let other = Receiver::answering(OK).await;
    let mut view = endpoint(&other.url(), LONG_MS);
    view.key.seq += 1;
    assert_status(&egress.send(delivery(view)).await, 200);
    while release.receiver_count() < most {
        tokio::task::yield_now().await;
    }
    release.send(()).expect("they wait");
    for sent in begun {
        assert_status(&sent.await.expect("no panic"), 200);
    }
    assert_eq!(receiver.connections(), most);
}

#[tokio::test]
async fn unused_connections_give_way_when_there_are_too_many_of_all() {
    let egress = Egress::new(Settings {
        gate: Arc::new(Gate::new(loopback(), Told::new(&[]))),
        tls: Tls::new(None).expect("TLS"),
        proxy: None,
        connections_max: 8,
    });
    let receiver = Receiver::answering(OK).await;
    for seq in 0..40 {
        let mut view = endpoint(&receiver.url(), LONG_MS);
        view.key.seq = seq;
        assert_status(&egress.send(delivery(view)).await, 200);
        assert!(egress.open() <= 8);
    }
    assert_eq!(receiver.connections(), 40);
    assert_eq!(egress.counters().shed.get(), 40 - 8);
}

#[tokio::test]
async fn a_changed_endpoint_begins_with_new_connections() {
    let (first, second) = (Receiver::answering(OK).await, Receiver::answering(OK).await);
    let egress = egress();
    let mut view = endpoint(&first.url(), LONG_MS);
    assert_status(&egress.send(delivery(view.clone())).await, 200);
    view.revision += 1;
    view.url = second.url().into();
    assert_status(&egress.send(delivery(view.clone())).await, 200);
    assert_eq!((first.connections(), second.connections(), egress.open()), (1, 1, 1));
    egress.forget(view.key);
    assert_eq!(egress.open(), 0);
}
