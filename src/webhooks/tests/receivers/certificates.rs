//! Receivers that should prove who they are.

use crate::receiver::{
    LONG_MS, Receiver, SHORT_MS, Told, assert_failed, assert_status, delivery, egress_with, endpoint, loopback,
    read_request, send, until_closed, write_and_hang,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tollgate_webhooks::egress::{Egress, Tls};
use tollgate_webhooks::ports::{Failure, Transport as _};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CLOSING: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/// An authority whose certificate lies in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    _dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        // By its name it is found among those that are believed.
        let name = format!("authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, certificate.pem()).expect("written");
        Self {
            issuer: Issuer::new(params, key),
            file,
            _dir: dir,
        }
    }

    /// A server of this name, whose certificate ends with this year, and begins in 2001 or with the year before.
    fn server(&self, name: &str, until: i32) -> ServerConfig {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(if until > 2150 { until - 1 } else { 2001 }, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate")
    }

    /// What believes this authority.
    fn egress(&self) -> Egress {
        egress_with(
            loopback(),
            Told::new(&[&["127.0.0.1"]]),
            Tls::new(Some(&self.file)).expect("TLS"),
        )
    }
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
    let egress = authority.egress();
    for reused in [false, true, true] {
        let outcome = send(&egress, &url(&receiver), LONG_MS).await;
        assert_status(&outcome, 200);
        assert_eq!((&outcome.excerpt[..], outcome.reused), (&b"ok"[..], reused));
    }
    assert_eq!(receiver.connections(), 1);
    // By address too, where the certificate is for the address.
    let by_address = encrypted(authority.server("127.0.0.1", 2100), OK).await;
    let outcome = send(
        &authority.egress(),
        &by_address.url().replace("http:", "https:"),
        LONG_MS,
    )
    .await;
    assert_status(&outcome, 200);
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
    ] {
        let receiver = encrypted(server, OK).await;
        let egress = authority.egress();
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
        let outcome = send(&Authority::new().egress(), &url(&receiver), LONG_MS).await;
        assert_failed(&outcome, Failure::Tls, words);
    }
    let closing = Receiver::start(|_: TcpStream, _| async {}).await;
    let outcome = send(&Authority::new().egress(), &url(&closing), LONG_MS).await;
    assert_failed(&outcome, Failure::Tls, "");
    let hanging = Receiver::start(|mut stream: TcpStream, _| async move { until_closed(&mut stream).await }).await;
    let outcome = send(&Authority::new().egress(), &url(&hanging), SHORT_MS).await;
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
    let outcome = send(&authority.egress(), &url(&receiver), LONG_MS).await;
    assert_failed(&outcome, Failure::Tls, "client certificate");
}

#[tokio::test]
async fn sessions_are_resumed() {
    let authority = Authority::new();
    let receiver = encrypted(authority.server("receiver.test", 2100), CLOSING).await;
    let egress = authority.egress();
    for _ in 0..5 {
        assert_status(&send(&egress, &url(&receiver), LONG_MS).await, 200);
    }
    let counters = egress.counters();
    assert_eq!(
        (counters.handshakes_full.get(), counters.handshakes_resumed.get()),
        (1, 4)
    );
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
    assert_status(&send(&authority.egress(), &url(&receiver), LONG_MS).await, 200);
}

#[tokio::test]
async fn live_mode_sends_nothing_in_clear() {
    let receiver = Receiver::answering(OK).await;
    let mut view = endpoint(&receiver.url(), LONG_MS);
    view.livemode = true;
    let outcome = Authority::new().egress().send(delivery(view)).await;
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
