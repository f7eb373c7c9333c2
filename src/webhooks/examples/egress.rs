//! What sending costs: `cargo run --release -p tollgate-webhooks --example egress [SECONDS] [ENDPOINTS] [IN_FLIGHT]`.
//!
//! One thread signs deliveries of 1,500 bytes and sends them to receivers on loopback, each endpoint over connections of its
//! own; the receivers run on other threads. Prints deliveries per second, CPU of the sending thread per delivery, and how
//! many went over a connection of before; then CPU per delivery where every delivery needs a new connection: plain, with a
//! full TLS handshake, and with one that is resumed. Differs from production in that nothing is read or rendered, no
//! lane decides what is next, and the network takes no time.

#![expect(clippy::print_stdout, reason = "it prints its figures")]

use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::time::{ClockId, clock_gettime};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tollgate_webhooks::egress::{Egress, Gate, Policy, Settings, SystemResolver, Tls};
use tollgate_webhooks::ports::{Cause, Delivery, Transport as _};
use tollgate_webhooks::{ActiveSecret, EndpointKey, EndpointView, Ordering, Patterns, Schedule, Secret, Status};

const BODY: usize = 1_500;
/// Threads with a receiver each.
const RECEIVERS: usize = 3;
/// Deliveries at a time, and endpoints, where each needs a new connection. All receivers have one name, and sessions are kept
/// by name, eight at most: with more at a time some would find none.
const NEW: usize = 4;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CLOSING: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: usize| arguments.next().map_or(usual, |text| text.parse().expect("a number"));
    let (seconds, endpoints, in_flight) = (number(10), number(1_000), number(256));
    let seconds = Duration::from_secs(seconds as u64);

    let receivers: Vec<SocketAddr> = (0..RECEIVERS).map(|_| receiver(None, OK)).collect();
    let authority = Authority::new();
    let sent = run(&receivers, "http", endpoints, in_flight, seconds, &authority);
    println!(
        "warm: {:.0} deliveries/s, {:.1} us CPU each, {:.2} % over a connection of before",
        sent.per_s,
        sent.cpu_us,
        100.0 * sent.reused as f64 / sent.count as f64
    );
    let short = seconds.min(Duration::from_secs(3));
    let receivers: Vec<SocketAddr> = (0..RECEIVERS).map(|_| receiver(None, CLOSING)).collect();
    let plain = run(&receivers, "http", NEW, NEW, short, &authority);
    println!(
        "a new connection each: {:.0} deliveries/s, {:.1} us CPU each",
        plain.per_s, plain.cpu_us
    );
    let server = Arc::new(authority.server());
    let receivers: Vec<SocketAddr> = (0..RECEIVERS)
        .map(|_| receiver(Some(Arc::clone(&server)), CLOSING))
        .collect();
    let resumed = run(&receivers, "https", NEW, NEW, short, &authority);
    println!(
        "a new TLS connection each, resumed ({:.1} % of {}): {:.0} deliveries/s, {:.1} us CPU each, {:.1} us of it TLS",
        100.0 * resumed.resumed as f64 / (resumed.resumed + resumed.full) as f64,
        resumed.resumed + resumed.full,
        resumed.per_s,
        resumed.cpu_us,
        resumed.cpu_us - plain.cpu_us
    );
    // A server that gives out no sessions.
    let mut forgetful = (*server).clone();
    forgetful.send_tls13_tickets = 0;
    let forgetful = Arc::new(forgetful);
    let receivers: Vec<SocketAddr> = (0..RECEIVERS)
        .map(|_| receiver(Some(Arc::clone(&forgetful)), CLOSING))
        .collect();
    let full = run(&receivers, "https", NEW, NEW, short, &authority);
    println!(
        "a new TLS connection each, full ({:.1} % of {}): {:.0} deliveries/s, {:.1} us CPU each, {:.1} us of it TLS",
        100.0 * full.full as f64 / (full.resumed + full.full) as f64,
        full.resumed + full.full,
        full.per_s,
        full.cpu_us,
        full.cpu_us - plain.cpu_us
    );
}

struct Sent {
    count: u64,
    reused: u64,
    full: u64,
    resumed: u64,
    per_s: f64,
    cpu_us: f64,
}

/// Sends for so long, so many at a time; each of the tasks goes round endpoints of its own.
fn run(
    receivers: &[SocketAddr],
    scheme: &str,
    endpoints: usize,
    in_flight: usize,
    seconds: Duration,
    authority: &Authority,
) -> Sent {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let body = Bytes::from(vec![b'x'; BODY]);
    runtime.block_on(async {
        let policy = Policy {
            loopback: true,
            ..Policy::default()
        };
        let egress = Egress::new(Settings {
            gate: Arc::new(Gate::new(policy, Arc::new(SystemResolver::new()))),
            tls: Tls::new(Some(&authority.file)).expect("TLS"),
            proxy: None,
            connections_max: 16_384,
        });
        let (begun, cpu) = (Instant::now(), cpu_us());
        let tasks = (0..in_flight).map(|task| {
            let own: Vec<Arc<EndpointView>> = (task..endpoints)
                .step_by(in_flight)
                .map(|seq| {
                    Arc::new(endpoint(
                        seq,
                        &format!("{scheme}://{}/{seq}", receivers[seq % receivers.len()]),
                    ))
                })
                .collect();
            let (egress, body) = (egress.clone(), body.clone());
            tokio::spawn(async move {
                let mut count = 0_u64;
                for endpoint in own.iter().cycle() {
                    if begun.elapsed() >= seconds {
                        break;
                    }
                    let outcome = egress.send(delivery(endpoint, &body)).await;
                    assert!(outcome.answer.is_taken(), "{:?}", outcome.answer);
                    count += 1;
                }
                count
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut count = 0;
        for task in tasks {
            count += task.await.expect("no panic");
        }
        let (took, cpu) = (begun.elapsed(), cpu_us() - cpu);
        let counters = egress.counters();
        Sent {
            count,
            reused: counters.reused.get(),
            full: counters.handshakes_full.get(),
            resumed: counters.handshakes_resumed.get(),
            per_s: count as f64 / took.as_secs_f64(),
            cpu_us: cpu / count as f64,
        }
    })
}

/// CPU time of this thread, microseconds.
fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn endpoint(seq: usize, url: &str) -> EndpointView {
    EndpointView {
        key: EndpointKey {
            account: 1,
            seq: seq as u64,
        },
        id: "we_1".into(),
        revision: 1,
        livemode: false,
        url: url.into(),
        filter: Patterns::all(),
        api_version: "2026-01-01".into(),
        status: Status::Enabled,
        secrets: vec![ActiveSecret {
            secret: Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
            until_s: None,
        }],
        ordering: Ordering::default(),
        timeout_ms: 10_000,
        rate_per_s: None,
        schedule: Schedule::default(),
        standard_headers: false,
    }
}

fn delivery(endpoint: &Arc<EndpointView>, body: &Bytes) -> Delivery {
    Delivery {
        endpoint: Arc::clone(endpoint),
        event_id: "evt_1".into(),
        event_seq: 1,
        nth: 1,
        body: body.clone(),
        attempt: 1,
        cause: Cause::Schedule,
    }
}

/// Who certifies the receivers.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
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

    /// A receiver with a P-256 key.
    fn server(&self) -> ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = certificate.signed_by(&key, &self.issuer).expect("signed");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate")
    }
}

/// A receiver on a thread of its own that gives this answer to each request, until the process ends.
fn receiver(tls: Option<Arc<ServerConfig>>, answer: &'static [u8]) -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            listener.set_nonblocking(true).expect("set");
            let listener = TcpListener::from_std(listener).expect("a listener");
            let acceptor = tls.map(TlsAcceptor::from);
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, answer).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, answer).await;
                            }
                        }
                    }
                });
            }
        });
    });
    address
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &'static [u8]) {
    let mut buffer = vec![0; 16 * 1_024];
    loop {
        let mut filled = 0;
        loop {
            match stream.read(&mut buffer[filled..]).await {
                Ok(read) if read > 0 => filled += read,
                _ => return,
            }
            // The head ends where the body begins, and the body's length is known.
            let head = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n");
            if head.is_some_and(|head| filled >= head + 4 + BODY) {
                break;
            }
        }
        if stream.write_all(answer).await.is_err() {
            return;
        }
        if answer == CLOSING {
            let _ = stream.shutdown().await;
            return;
        }
    }
}
