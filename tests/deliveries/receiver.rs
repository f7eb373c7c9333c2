//! A merchant's server: takes deliveries on a port of its own and remembers what came.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What may have been taken and not be noted yet.
const PROGRESS: Duration = Duration::from_millis(50);

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
    /// `Stripe-Signature`.
    pub(crate) signature: Arc<str>,
    /// What it says, as it came.
    pub(crate) body: Arc<str>,
    /// What was answered.
    pub(crate) status: u16,
    /// When it came.
    pub(crate) at: Instant,
}

/// What is answered to a delivery.
pub(crate) type Answers = dyn Fn(&Delivery, usize) -> u16 + Send + Sync;

/// What came, by path, in order.
#[derive(Default)]
struct Taken {
    came: BTreeMap<String, Vec<Delivery>>,
    /// How often each event came to a path.
    times: HashMap<(String, String), usize>,
    /// Connections now, and most at once since [`Receiver::may_come_again`] was asked last.
    connections: usize,
    connections_max: usize,
    /// How much had come when that was asked last, by path.
    told: BTreeMap<String, usize>,
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
        Receiver::at("127.0.0.1:0", answers)
    }

    /// One that listens there.
    pub(crate) fn at(address: &str, answers: impl Fn(&Delivery, usize) -> u16 + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind(address).expect("a free port");
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
                    {
                        let mut taken = lock(&taken);
                        taken.connections += 1;
                        taken.connections_max = taken.connections_max.max(taken.connections);
                    }
                    std::thread::spawn(move || {
                        serve(stream, &taken, &*answers);
                        lock(&taken).connections -= 1;
                    });
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

    /// How many of those that came since this was asked last may come again when whoever sent them is killed now: what was
    /// out, and 50 ms of progress. Each connection has one of them out; progress is that of the quickest 50 ms of each path.
    pub(crate) fn may_come_again(&self) -> usize {
        let mut taken = lock(&self.taken);
        let Taken { came, told, .. } = &mut *taken;
        let mut progress = 0;
        for (path, came) in came.iter() {
            let told = told.entry(path.clone()).or_default();
            let mut times: Vec<Instant> = came[*told..].iter().map(|delivery| delivery.at).collect();
            *told = came.len();
            times.sort_unstable();
            let within = |from: usize| times.partition_point(|at| *at < times[from] + PROGRESS) - from;
            progress += (0..times.len()).map(within).max().unwrap_or_default();
        }
        // Out when the first of it was taken, and out when nothing more was sent.
        let out = 2 * taken.connections_max;
        taken.connections_max = taken.connections;
        progress + out
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
            signature: headers.get("stripe-signature").map_or("", String::as_str).into(),
            body: String::from_utf8(body).expect("JSON is UTF-8").into(),
            status: 0,
            at: Instant::now(),
        };
        let before = {
            let mut all = lock(taken);
            let times = all.times.entry((path.clone(), delivery.event.clone())).or_default();
            std::mem::replace(times, *times + 1)
        };
        // Nobody waits for one that takes its time.
        delivery.status = answers(&delivery, before);
        let status = delivery.status;
        lock(taken).came.entry(path).or_default().push(delivery);
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
