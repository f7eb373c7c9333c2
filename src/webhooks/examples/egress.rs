//! What sending costs: `cargo run --release -p tollgate-webhooks --example egress [SECONDS] [ENDPOINTS] [IN_FLIGHT]`.
//!
//! One thread signs deliveries of 1,500 bytes and sends them to receivers on loopback, each endpoint over connections of its
//! own; the receivers run on other threads. Prints deliveries per second, CPU of the sending thread per delivery, and how
//! many went over a connection of before; then CPU per delivery where every delivery needs a new connection: plain, with a
//! full TLS handshake, and with one that is resumed. Differs from production in that nothing is read or rendered, no
//! lane decides what is next, and the network takes no time.

#![expect(clippy::print_stdout, reason = "it prints its figures")]

#[path = "../tests/receivers/authority.rs"]
mod authority;
#[path = "../tests/receivers/made.rs"]
mod made;

use authority::Authority;
use bytes::Bytes;
use made::{delivery, endpoint};
use rustix::time::{ClockId, clock_gettime};
use rustls::ServerConfig;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tollgate_webhooks::EndpointView;
use tollgate_webhooks::egress::{Egress, Gate, Policy, Settings, SystemResolver, Tls};
use tollgate_webhooks::ports::{Delivery, Transport as _};

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
    let server = authority.server("127.0.0.1", 2100);
    // The same, but it gives out no sessions.
    let mut forgetful = server.clone();
    forgetful.send_tls13_tickets = 0;
    for (kind, server) in [("resumed", server), ("full", forgetful)] {
        let server = Arc::new(server);
        let receivers: Vec<SocketAddr> = (0..RECEIVERS)
            .map(|_| receiver(Some(Arc::clone(&server)), CLOSING))
            .collect();
        let sent = run(&receivers, "https", NEW, NEW, short, &authority);
        let of_kind = if kind == "full" { sent.full } else { sent.resumed };
        println!(
            "a new TLS connection each, {kind} ({:.1} % of {}): {:.0} deliveries/s, {:.1} us CPU each, {:.1} us of it TLS",
            100.0 * of_kind as f64 / (sent.resumed + sent.full) as f64,
            sent.resumed + sent.full,
            sent.per_s,
            sent.cpu_us,
            sent.cpu_us - plain.cpu_us
        );
    }
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
                    let mut own = endpoint(
                        &format!("{scheme}://{}/{seq}", receivers[seq % receivers.len()]),
                        10_000,
                    );
                    own.key.seq = seq as u64;
                    Arc::new(own)
                })
                .collect();
            let (egress, body) = (egress.clone(), body.clone());
            tokio::spawn(async move {
                let mut count = 0_u64;
                for endpoint in own.iter().cycle() {
                    if begun.elapsed() >= seconds {
                        break;
                    }
                    let body = body.clone();
                    let delivery = Delivery {
                        body,
                        ..delivery(Arc::clone(endpoint))
                    };
                    let outcome = egress.send(delivery).await;
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
