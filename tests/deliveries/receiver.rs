//! A merchant's server: takes deliveries on a port of its own and remembers what came.
// Two suites include this file, and neither uses all of it.
#![allow(dead_code)]

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// A delivery as it came.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// `evt_…`.
    pub(crate) event: String,
    /// Id of the object that it is about.
    pub(crate) object: String,
    /// `Webhook-Sequence`.
    pub(crate) sequence: u64,
    /// `Webhook-Resource-Sequence`.
    pub(crate) number: u64,
    /// What was answered.
    pub(crate) status: u16,
}

/// What is answered to a delivery.
pub(crate) type Answers = dyn Fn(&Delivery, usize) -> u16 + Send + Sync;

/// What came, by path, in order.
#[derive(Default)]
struct Taken {
    came: BTreeMap<String, Vec<Delivery>>,
    /// How often each event came to a path.
    times: HashMap<(String, String), usize>,
    signed: usize,
}

/// The server.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    taken: Arc<Mutex<Taken>>,
    ends: Arc<AtomicBool>,
}

impl Receiver {
    /// One that answers 200 to everything.
    pub(crate) fn start() -> Receiver {
        Receiver::answering(|_, _| 200)
    }

    /// One that answers as `answers` says, which is told the delivery and how often the event has come to that path before.
    pub(crate) fn answering(answers: impl Fn(&Delivery, usize) -> u16 + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (taken, ends): (Arc<Mutex<Taken>>, Arc<AtomicBool>) = Default::default();
        let answers: Arc<Answers> = Arc::new(answers);
        std::thread::spawn({
            let (taken, ends) = (Arc::clone(&taken), Arc::clone(&ends));
            move || {
                for stream in listener.incoming() {
                    if ends.load(Ordering::Relaxed) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let (taken, answers) = (Arc::clone(&taken), Arc::clone(&answers));
                    std::thread::spawn(move || serve(stream, &taken, &*answers));
                }
            }
        });
        Receiver { port, taken, ends }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What came to a path, in the order in which it came.
    pub(crate) fn came(&self, path: &str) -> Vec<Delivery> {
        lock(&self.taken).came.get(path).cloned().unwrap_or_default()
    }

    /// How many deliveries came to all paths.
    pub(crate) fn count(&self) -> usize {
        lock(&self.taken).came.values().map(Vec::len).sum()
    }

    /// How many of them were signed.
    pub(crate) fn signed(&self) -> usize {
        lock(&self.taken).signed
    }

    /// Waits until this is so of what came to a path.
    pub(crate) fn until(&self, path: &str, what: &str, so: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let came = self.came(path);
            if so(&came) {
                return came;
            }
            assert!(Instant::now() < deadline, "{what}: {} came to {path}", came.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().expect("no receiver's thread panics with it")
}

/// Answers the requests of a connection until it ends.
fn serve(stream: TcpStream, taken: &Mutex<Taken>, answers: &Answers) {
    let Ok(mut writes) = stream.try_clone() else { return };
    let mut reads = BufReader::new(stream);
    while let Some((path, headers, body)) = request(&mut reads) {
        let event: Value = serde_json::from_slice(&body).expect("a body is JSON");
        let number = |name: &str| headers.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        let mut delivery = Delivery {
            event: event["id"].as_str().expect("an event's id").to_owned(),
            object: event["data"]["object"]["id"].as_str().unwrap_or_default().to_owned(),
            sequence: number("webhook-sequence"),
            number: number("webhook-resource-sequence"),
            status: 0,
        };
        let mut all = lock(taken);
        let times = all.times.entry((path.clone(), delivery.event.clone())).or_default();
        let before = std::mem::replace(times, *times + 1);
        delivery.status = answers(&delivery, before);
        let status = delivery.status;
        all.signed += usize::from(
            headers
                .get("stripe-signature")
                .is_some_and(|text| text.contains(",v1=")),
        );
        all.came.entry(path).or_default().push(delivery);
        drop(all);
        let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok");
        if writes.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Path, headers by lower-case name, body.
type Request = (String, HashMap<String, String>, Vec<u8>);

fn request(reads: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    if reads.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reads.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reads.read_exact(&mut body).ok()?;
    Some((path, headers, body))
}
