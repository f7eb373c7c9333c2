//! Receivers that should prove who they are.

use crate::authority::{Authority, serving};
use crate::made::{delivery, endpoint};
use crate::receiver::{
    LONG_MS, Receiver, SHORT_MS, Told, assert_failed, assert_status, egress_with, loopback, read_request, send,
    until_closed, write_and_hang,
};
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tollgate_webhooks::egress::{Egress, Tls};
use tollgate_webhooks::ports::{Failure, Transport as _};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CLOSING: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/// What believes this authority.
fn believing(authority: &Authority) -> Egress {
    egress_with(
        loopback(),
        Told::new(&[&["127.0.0.1"]]),
        Tls::new(Some(&authority.file)).expect("TLS"),
    )
}

/// A receiver that speaks TLS and gives this answer to each request.
async fn encrypted(config: ServerConfig, answer: &'static [u8]) -> Receiver {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Receiver::start(move |stream: TcpStream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            while read_request(&mut stream).await.is_some() {
                if stream.write_all(answer).await.is_err() {
                    return;
                }
                if answer == CLOSING {
                    let _ = stream.shutdown().await;
                    return;
                }
            }
        }
    })
    .await
}

fn url(receiver: &Receiver) -> String {
    format!("https://receiver.test:{}/hook", receiver.address.port())
}

#[tokio::test]
async fn a_receiver_of_the_operators_authority_is_believed() {
    let authority = Authority::new();
    let receiver = encrypted(authority.server("receiver.test", 2100), OK).await;
    let egress = believing(&authority);
    for reused in [false, true, true] {
        let outcome = send(&egress, &url(&receiver), LONG_MS).await;
        assert_status(&outcome, 200);
        assert_eq!((&outcome.excerpt[..], outcome.reused), (&b"ok"[..], reused));
    }
    assert_eq!(receiver.connections(), 1);
    // By address too, where the certificate is for the address.
    let by_address = encrypted(authority.server("127.0.0.1", 2100), OK).await;
    let outcome = send(
        &believing(&authority),
        &by_address.url().replace("http:", "https:"),
        LONG_MS,
    )
    .await;
    assert_status(&outcome, 200);
}

/// A server that shows the authority's own certificate, as one does whose certificate is signed by itself.
fn itself(authority: &Authority) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(&authority.file).expect("a certificate");
    serving(certificate, authority.issuer.key())
}

#[tokio::test]
async fn a_receiver_that_proves_nothing_gets_nothing() {
    let authority = Authority::new();
    let stranger = Authority::new();
    for (server, words) in [
        (stranger.server("receiver.test", 2100), "not from a known authority"),
        (authority.server("receiver.test", 2020), "has expired"),
        (authority.server("receiver.test", 2200), "not valid yet"),
        (authority.server("other.test", 2100), "for another name"),
        (authority.server("127.0.0.1", 2100), "for another name"),
        (itself(&authority), "signed by itself"),
        (itself(&stranger), "signed by itself"),
    ] {
        let receiver = encrypted(server, OK).await;
        let egress = believing(&authority);
        let outcome = send(&egress, &url(&receiver), LONG_MS).await;
        assert_failed(&outcome, Failure::Tls, words);
        assert_eq!(egress.open(), 0);
    }
}

#[tokio::test]
async fn what_goes_wrong_in_a_handshake_is_told() {
    // Alerts as they stand on the wire: handshake_failure, protocol_version, unrecognized_name.
    for (sent, words) in [
        (&[21, 3, 3, 0, 2, 2, 40][..], "no cipher with us"),
        (&[21, 3, 3, 0, 2, 2, 70], "neither TLS 1.2 nor 1.3"),
        (&[21, 3, 3, 0, 2, 2, 112], "does not know this host name"),
        (&[21, 3, 3, 0, 2, 2, 80], "InternalError"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"),
    ] {
        let receiver = Receiver::start(move |mut stream: TcpStream, _| async move {
            write_and_hang(&mut stream, sent).await;
        })
        .await;
        let outcome = send(&believing(&Authority::new()), &url(&receiver), LONG_MS).await;
        assert_failed(&outcome, Failure::Tls, words);
    }
    let closing = Receiver::start(|_: TcpStream, _| async {}).await;
    let outcome = send(&believing(&Authority::new()), &url(&closing), LONG_MS).await;
    assert_failed(&outcome, Failure::Tls, "");
    let hanging = Receiver::start(|mut stream: TcpStream, _| async move { until_closed(&mut stream).await }).await;
    let outcome = send(&believing(&Authority::new()), &url(&hanging), SHORT_MS).await;
    assert_failed(&outcome, Failure::Timeout, "TLS handshake");
}

/// In TLS 1.3 such a receiver says so only after the handshake, in place of an answer.
#[tokio::test]
async fn a_receiver_that_wants_a_client_certificate_is_told_apart() {
    let authority = Authority::new();
    let mut roots = rustls::RootCertStore::empty();
    let ca = rustls::pki_types::pem::PemObject::from_pem_file(&authority.file).expect("a certificate");
    roots.add(ca).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let plain = authority.server("receiver.test", 2100);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_cert_resolver(Arc::clone(&plain.cert_resolver));
    let receiver = encrypted(config, OK).await;
    let outcome = send(&believing(&authority), &url(&receiver), LONG_MS).await;
    assert_failed(&outcome, Failure::Tls, "client certificate");
}

#[tokio::test]
async fn sessions_are_resumed() {
    let authority = Authority::new();
    let receiver = encrypted(authority.server("receiver.test", 2100), CLOSING).await;
    let egress = believing(&authority);
    for _ in 0..5 {
        assert_status(&send(&egress, &url(&receiver), LONG_MS).await, 200);
    }
    let counters = egress.counters();
    assert_eq!(
        (counters.handshakes_full.get(), counters.handshakes_resumed.get()),
        (1, 4)
    );
}

/// Otherwise a receiver has to take it for cut off.
#[tokio::test]
async fn a_connection_that_is_given_up_says_so() {
    let authority = Authority::new();
    let acceptor = TlsAcceptor::from(Arc::new(authority.server("receiver.test", 2100)));
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let receiver = Receiver::start(move |stream: TcpStream, _| {
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        async move {
            let mut stream = acceptor.accept(stream).await.expect("a handshake");
            let _ = read_request(&mut stream).await;
            stream.write_all(OK).await.expect("written");
            let _ = tell
                .send(stream.read_u8().await.map_err(|error| error.to_string()))
                .await;
        }
    })
    .await;
    let egress = believing(&authority);
    let view = endpoint(&url(&receiver), LONG_MS);
    assert_status(&egress.send(delivery(view.clone())).await, 200);
    egress.forget(view.key);
    let ended = told.recv().await.expect("it ends").expect_err("no byte comes");
    assert!(!ended.contains("close_notify"), "{ended}");
}

#[tokio::test]
async fn tls_1_2_is_spoken_too() {
    let authority = Authority::new();
    let mut config = authority.server("receiver.test", 2100);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&config.cert_resolver));
    let receiver = encrypted(config, OK).await;
    assert_status(&send(&believing(&authority), &url(&receiver), LONG_MS).await, 200);
}

#[tokio::test]
async fn live_mode_sends_nothing_in_clear() {
    let receiver = Receiver::answering(OK).await;
    let mut view = endpoint(&receiver.url(), LONG_MS);
    view.livemode = true;
    let outcome = believing(&Authority::new()).send(delivery(view)).await;
    assert_failed(&outcome, Failure::Blocked, "https://");
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_developer_may_believe_anyone() {
    let receiver = encrypted(Authority::new().server("other.test", 2020), OK).await;
    let egress = egress_with(
        loopback(),
        Told::new(&[&["127.0.0.1"]]),
        Tls::unverified().expect("TLS"),
    );
    assert_status(&send(&egress, &url(&receiver), LONG_MS).await, 200);
}

#[test]
fn a_file_that_holds_no_authorities_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ca.pem");
    let told = || Tls::new(Some(&file)).err().unwrap_or_default();
    assert!(told().contains("ca.pem"), "{}", told());
    std::fs::write(&file, "no certificate").expect("written");
    assert!(told().contains("no certificate in it"), "{}", told());
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("written");
    assert!(!told().is_empty());
}
