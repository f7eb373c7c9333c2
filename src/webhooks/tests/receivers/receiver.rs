//! Receivers on loopback that follow a script, and deliveries to them.

use crate::made::{delivery, endpoint};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tollgate_webhooks::egress::{Egress, Gate, Policy, Resolver, Resolving, Settings, Tls};
use tollgate_webhooks::ports::{Answer, Failure, Outcome, Transport as _};

/// What a delivery may take where its receiver hangs.
pub(crate) const SHORT_MS: u32 = 700;
/// What it may take elsewhere: nothing waits for it.
pub(crate) const LONG_MS: u32 = 20_000;

/// A receiver: what it does on its n-th connection is its script's.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// Follows `script`, which is given each connection and its number from 0.
    pub(crate) async fn start<F, S>(script: S) -> Self
    where
        S: Fn(TcpStream, usize) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(script(stream, counted.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Self {
            address,
            connections,
            task,
        }
    }

    /// Answers each request with these bytes, on connections that it keeps.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start(move |mut stream, _| {
            let answer = Arc::clone(&answer);
            async move {
                while read_request(&mut stream).await.is_some() {
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?from=tollgate", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A request as it came.
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Reads one request; `None` when the connection ends before.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let head = read_head(stream).await?;
    let request = Request { head, body: Vec::new() };
    let length = request
        .header("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request { body, ..request })
}

/// Reads the head of one request.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Waits until the other side closes.
pub(crate) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 1_024];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// Writes, and never ends the connection.
pub(crate) async fn write_and_hang(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    until_closed(stream).await;
}

/// A resolver whose answers are given one after the other, the last one for ever.
pub(crate) struct Told(Mutex<VecDeque<Vec<IpAddr>>>);

impl Told {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let read = |answer: &&[&str]| answer.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(read).collect())))
    }
}

impl Resolver for Told {
    fn resolve<'a>(&'a self, _name: &'a str) -> Resolving<'a> {
        let mut answers = self.0.lock().expect("whole");
        let answer = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        Box::pin(std::future::ready(
            answer.ok_or_else(|| io::Error::other("no such name")),
        ))
    }
}

/// A policy that lets loopback through, as a developer's does.
pub(crate) fn loopback() -> Policy {
    Policy {
        loopback: true,
        ..Policy::default()
    }
}

/// What sends, by this policy and resolver, and believing these authorities.
pub(crate) fn egress_with(policy: Policy, resolver: Arc<dyn Resolver>, tls: Tls) -> Egress {
    Egress::new(Settings {
        gate: Arc::new(Gate::new(policy, resolver)),
        tls,
        proxy: None,
        connections_max: 1_000,
    })
}

/// What sends to receivers on loopback.
pub(crate) fn egress() -> Egress {
    egress_with(loopback(), Told::new(&[&["127.0.0.1"]]), Tls::new(None).expect("TLS"))
}

/// Sends one to a URL.
pub(crate) async fn send(egress: &Egress, url: &str, timeout_ms: u32) -> Outcome {
    egress.send(delivery(endpoint(url, timeout_ms))).await
}

/// In which way it failed, and what was said.
pub(crate) fn failed(outcome: &Outcome) -> (Failure, &str) {
    match &outcome.answer {
        Answer::Failed { failure, why } => (*failure, why),
        answer => panic!("{answer:?} is no failure"),
    }
}

/// Asserts that it failed in this way, with these words in what was said.
#[track_caller]
pub(crate) fn assert_failed(outcome: &Outcome, failure: Failure, words: &str) {
    let (in_which, why) = failed(outcome);
    assert_eq!(in_which, failure, "{why}");
    assert!(why.contains(words), "{why:?} does not say {words:?}");
}

/// Asserts that the receiver's answer had this status.
#[track_caller]
pub(crate) fn assert_status(outcome: &Outcome, wanted: u16) {
    let (Answer::Taken { status } | Answer::Refused { status, .. }) = &outcome.answer else {
        panic!("no answer: {:?}", outcome.answer)
    };
    assert_eq!(*status, wanted);
}
