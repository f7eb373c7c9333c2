//! What deliveries cost without any I/O, in two numbers: memory for pending retries, and CPU for one delivery.
//!
//! ```text
//! cargo run --release -p tollgate-webhooks --example lanes
//! ```
//! Retries: 30,000 deliveries a second of which one in a hundred fails for good, so that 300 events a second go through all
//! pauses of the usual schedule and 28.7 million wait; spread over so many endpoints. An account's numbers rise by about four
//! for each event. Memory is that of the process. Deliveries: a hall with 1,000 endpoints whose receivers take everything at
//! once, at 30,000 a second of virtual time, with notes written and thrown away; reading, rendering, signing and sending are
//! not in it.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use tollgate_webhooks::book::{Book, Change, Place, Run};
use tollgate_webhooks::hall::{Answered, Ended, Hall, HallPorts, HallSettings, Message, Read, Todo, What};
use tollgate_webhooks::ports::{
    AccountView, Alarm, Alert, Answer, Attempt, BoxFuture, Delivery, Event, Note, Notes, Outcome, Trail, Transport,
};
use tollgate_webhooks::{
    EndpointKey, EndpointView, Moved, Ordering, Patterns, Registry, Schedule, Sent, SentResult, Status,
};

/// Failures a second that go through all attempts.
const FAILURES_PER_S: u64 = 300;
/// Pauses after each attempt, seconds.
const PAUSES_S: [u64; 4] = [300, 1_800, 7_200, 86_400];
const NOW_S: u64 = 1_800_000_000;
/// Numbers of an account for each event that fails: one in a hundred, about four numbers for each.
const GAP: u64 = 400;

#[allow(clippy::print_stdout, reason = "it is what the example is for")]
fn main() {
    for lanes in [1_000, 10_000] {
        let before = resident_bytes();
        let books: Vec<Book> = (0..lanes).map(|lane| failing(lanes, lane)).collect();
        let (held, retries) = (
            resident_bytes() - before,
            books.iter().map(Book::waiting_len).sum::<u64>(),
        );
        let runs: usize = books.iter().map(|book| book.runs().len()).sum();
        println!(
            "{retries} pending retries of {lanes} endpoints in {runs} runs: {:.1} MB ({:.2} bytes each)",
            held as f64 / 1e6,
            held as f64 / retries as f64
        );
    }
    let (deliveries, seconds, noted) = deliver(1_000, 2_000_000);
    println!(
        "{deliveries} deliveries to 1000 endpoints: {:.2} us each; {:.1} bytes of notes each",
        seconds * 1e6 / deliveries as f64,
        noted as f64 / deliveries as f64
    );
}

/// The book of one of so many endpoints, each of which has its part of the failures.
fn failing(lanes: u64, lane: u64) -> Book {
    let mut book = Book::new(0);
    let total: u64 = PAUSES_S.iter().sum();
    let failures = total * FAILURES_PER_S / lanes;
    let mut seq = 0;
    for at in 0..failures {
        seq += 1 + scatter(lane << 32 | at) % (2 * GAP);
        // How long ago it first failed says in which pause it is.
        let mut age_s = total - at * total / failures;
        let mut tried = 1;
        for pause in PAUSES_S {
            if age_s <= pause {
                break;
            }
            age_s -= pause;
            tried += 1;
        }
        let pause = PAUSES_S[tried.min(4) - 1];
        let part = pause / 8;
        let jitter = scatter(seq ^ lane) % (pause * 275 / 1_000);
        let due_s = (NOW_S - age_s.min(pause) + pause * 8 / 10 + jitter).div_ceil(part) * part;
        let run = Run {
            due_s: due_s as u32,
            tried: tried as u8,
        };
        book.apply(&Change::Add(Place::Run(run), seq));
    }
    book
}

/// Delivers so many events; CPU seconds of the hall, and bytes of notes.
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn deliver(endpoints: u64, wanted: u64) -> (u64, f64, u64) {
    let sink = Arc::new(Sink::default());
    let ports = HallPorts {
        notes: Arc::clone(&sink) as Arc<dyn Notes>,
        trail: Arc::clone(&sink) as Arc<dyn Trail>,
        alarm: Arc::clone(&sink) as Arc<dyn Alarm>,
        transport: Arc::clone(&sink) as Arc<dyn Transport>,
    };
    let mut hall = Hall::new(
        HallSettings::new(16_384, 64 << 20, 1),
        ports,
        Arc::new(Registry::default()),
    );
    let mut now_ms = NOW_S * 1_000;
    hall.hear(now_ms, Message::Adopted { shard: 0, epoch: 1 });
    for account in 1..=endpoints {
        let change = Some(account);
        let moved = Moved {
            account,
            upto: 1,
            change,
        };
        hall.hear(now_ms, Message::Moved { shard: 0, moved });
    }
    let (mut delivered, mut upto, mut account) = (0, vec![1_u64; endpoints as usize + 1], 0_u64);
    let mut out: Vec<Todo> = Vec::new();
    settle(&mut hall, now_ms, &mut out, &upto, &mut delivered);
    delivered = 0;
    let start = Instant::now();
    while delivered < wanted {
        now_ms += 1;
        // Thirty events a millisecond, of accounts in turn; each takes four numbers.
        for _ in 0..30 {
            account = account % endpoints + 1;
            upto[account as usize] += 4;
            let upto = upto[account as usize];
            let moved = Moved {
                account,
                upto,
                change: None,
            };
            hall.hear(now_ms, Message::Moved { shard: 0, moved });
        }
        settle(&mut hall, now_ms, &mut out, &upto, &mut delivered);
    }
    (delivered, start.elapsed().as_secs_f64(), sink.noted.load(Relaxed))
}

/// Does what the hall wants done until there is nothing more.
fn settle(hall: &mut Hall, now_ms: u64, out: &mut Vec<Todo>, upto: &[u64], delivered: &mut u64) {
    loop {
        let again = hall.turn(now_ms, 128, out);
        if out.is_empty() && !again {
            return;
        }
        for todo in out.drain(..) {
            let ended = match todo.what {
                What::Send(sending) => {
                    *delivered += 1;
                    let outcome = Outcome::of(Answer::Taken { status: 200 }, 1);
                    let event_id = Arc::clone(&sending.endpoint.id);
                    let result = SentResult::Tried { event_id, outcome };
                    Ended::Sent(Sent {
                        token: sending.token,
                        result,
                    })
                }
                What::Test(_) => Ended::Panicked("nobody tests here".to_owned()),
                What::Read(read) => Ended::Read(answer(read, now_ms, upto)),
            };
            hall.ended(now_ms, todo.ticket, ended);
        }
    }
}

fn answer(read: Read, now_ms: u64, upto: &[u64]) -> Answered {
    match read {
        Read::Notes { .. } => Answered::Notes(Ok(Vec::new())),
        Read::Page { .. } => Answered::Page(Ok(Bytes::new())),
        Read::Account { account } => Answered::Account(Ok(AccountView {
            upto: 1,
            endpoints: vec![endpoint(account)],
        })),
        Read::EventsAfter {
            account, after, limit, ..
        } => {
            let last = upto[account as usize];
            let seqs = (after + 1..=last).filter(|seq| seq % 4 == 1).take(limit);
            Answered::Events(Ok(seqs.map(|seq| event(seq, now_ms)).collect()))
        }
        Read::Events { seqs, .. } => Answered::Events(Ok(seqs.into_iter().map(|seq| event(seq, now_ms)).collect())),
        Read::FirstSince { .. } => Answered::FirstSince(Ok(0)),
    }
}

fn event(seq: u64, now_ms: u64) -> Event {
    Event {
        seq,
        kind: "payment_intent.succeeded",
        created_ms: now_ms,
        object: seq,
        nth: 1,
    }
}

fn endpoint(account: u64) -> EndpointView {
    EndpointView {
        key: EndpointKey { account, seq: 1 },
        id: format!("we_{account}").into(),
        revision: 1,
        livemode: false,
        url: "http://receiver.invalid/".into(),
        filter: Patterns::new(["payment_intent.*", "charge.refunded"]).expect("patterns"),
        api_version: "2026-01-01".into(),
        status: Status::Enabled,
        secrets: Vec::new(),
        ordering: Ordering::FifoWhileHealthy,
        timeout_ms: 10_000,
        rate_per_s: None,
        schedule: Schedule::default(),
        standard_headers: false,
    }
}

/// Counts notes and forgets everything.
#[derive(Default)]
struct Sink {
    noted: AtomicU64,
}

impl Notes for Sink {
    fn write(&self, _: u16, _: u64, note: Note) -> Result<(), Note> {
        let (Note::Progress(body) | Note::Page { body, .. } | Note::Row { body, .. }) = note;
        self.noted.fetch_add(body.len() as u64, Relaxed);
        Ok(())
    }

    fn open(&self, _: u16) -> usize {
        0
    }
}

impl Trail for Sink {
    fn attempt(&self, _: Attempt) {}
}

impl Alarm for Sink {
    fn raise(&self, _: u16, _: EndpointKey, _: Alert) {}
}

impl Transport for Sink {
    fn send(&self, _: Delivery) -> BoxFuture<Outcome> {
        unreachable!("deliveries end in the loop above")
    }

    fn forget(&self, _: EndpointKey) {}
}

fn scatter(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Memory of this process.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or_default();
    pages * 4_096
}
