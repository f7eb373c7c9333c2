//! Fills a data directory fast, and measures what it takes to open it and to read from it:
//!
//! ```text
//! cargo run --release -p tollgate-store-embedded --example fill -- write DIR PAYMENTS ACCOUNTS [PAYMENTS A SECOND]
//! cargo run --release -p tollgate-store-embedded --example fill -- read DIR [cold]
//! ```
//! `write` appends payments of about 600 bytes with their heads as the server writes them (seven things born, three
//! lists, a key), a refund for every tenth and a timer for every fiftieth, spread over 20 hours, half of them to one
//! account and the rest to the others; then it is gone without closing, as after `kill -9`. `read` opens the directory and
//! reads what the same numbers say must be there; `cold` first asks the system to forget the files.

use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Commit, From, Head, Journal, PageQuery, Reads, ShardId};
use tollgate_store_embedded::{Disk, Embedded, Options};

const SHARDS: u16 = 8;
const RECORDS: u64 = 512;
const BODY: usize = 520;
const START_MS: u64 = 1_790_000_000_000;
const HOURS_MS: u64 = 20 * 3_600_000;
const INTENT: u8 = 1;
const EVENT: u8 = 7;
const READS: u64 = 2_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<u64>().expect("a number");
    match arguments.first().map(String::as_str) {
        Some("write") if arguments.len() >= 4 => {
            let rate = if arguments.len() > 4 { number(4) } else { u64::MAX };
            write(Path::new(&arguments[1]), number(2), number(3), rate);
        }
        Some("read") => {
            let dir = Path::new(&arguments[1]);
            if arguments.get(2).is_some_and(|word| word == "cold") {
                forget(dir);
            }
            read(dir);
        }
        _ => report("fill write DIR PAYMENTS ACCOUNTS [RATE] | fill read DIR [cold]"),
    }
}

/// Account number `nth` of a shard; the first gets half of the payments.
fn account(shard: u16, nth: u64) -> u64 {
    ((u64::from(shard) << 40) + nth + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The key of the payment whose intent has this number.
fn key(account: u64, seq: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&(account ^ seq).wrapping_mul(0xd6e8_feb8_6659_fd93).to_le_bytes());
    key
}

fn write(dir: &Path, payments: u64, accounts: u64, rate: u64) {
    let watch = Arc::new(Watch::default());
    let options = Options {
        disk: Arc::clone(&watch) as Arc<dyn Disk>,
        ..Options::default()
    };
    let store = Embedded::create_or_open(dir, SHARDS, options).expect("the directory opens");
    let (started, cpu) = (Instant::now(), cpu_us());
    let each = Share {
        payments: payments / u64::from(SHARDS),
        accounts: accounts / u64::from(SHARDS),
        rate: rate / u64::from(SHARDS),
    };
    std::thread::scope(|scope| {
        for shard in 0..SHARDS {
            let (store, watch) = (&store, &watch);
            scope.spawn(move || produce(store, watch, shard, each));
        }
    });
    let (elapsed, cpu) = (started.elapsed(), cpu_us() - cpu);
    report(&format!(
        "{payments} payments in {elapsed:.1?}: {:.0}/s, {:.2} us CPU each, RSS {} MB",
        payments as f64 / elapsed.as_secs_f64(),
        cpu as f64 / payments as f64,
        rss_mb("VmRSS"),
    ));
    let mut published = std::mem::take(&mut *watch.published.lock().expect("no thread panicked"));
    published.sort_unstable();
    let at = |part: f64| published[((published.len() - 1) as f64 * part) as usize];
    report(&format!(
        "from sync to answer (publishing a group): p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    ));
    threads(payments);
    // As after a kill: nothing is closed.
    std::process::exit(0);
}

/// What one shard does.
#[derive(Clone, Copy)]
struct Share {
    payments: u64,
    accounts: u64,
    /// Payments a second.
    rate: u64,
}

fn produce(store: &Embedded, watch: &Arc<Watch>, shard: u16, each: Share) {
    let Share {
        payments,
        accounts,
        rate,
    } = each;
    let started = Instant::now();
    let claimed = store.claim(ShardId(shard)).expect("the claim succeeds");
    let mut builder = BlockBuilder::new(ShardId(shard), claimed.epoch, claimed.last_now_ms);
    let mut block = claimed.last_block;
    let mut next_seq = vec![1u64; accounts.max(1) as usize];
    let mut random = u64::from(shard) + 1;
    let mut body = vec![0x5a; BODY];
    let (sender, receiver) = mpsc::sync_channel(1);
    let mut written = 0;
    while written < payments {
        for _ in 0..RECORDS.min(payments - written) {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let nth = if random >> 63 == 0 {
                0
            } else {
                (random >> 20) % accounts.max(1)
            };
            let (account, seq) = (account(shard, nth), next_seq[nth as usize]);
            let now_ms = START_MS + HOURS_MS / payments.max(1) * written;
            body[..8].copy_from_slice(&random.to_le_bytes());
            let mut head = Head {
                account,
                now_ms,
                first_seq: seq,
                born: smallvec::smallvec![INTENT, 2, 5, EVENT, EVENT, EVENT, EVENT],
                lists: smallvec::smallvec![(seq, 2, seq + 1), (seq + 1, 5, seq + 2)],
                tags: 0b111,
                key: Some(key(account, seq)),
                ..Head::default()
            };
            if written % 50 == 0 {
                head.timers.push((now_ms + 7 * 86_400_000, seq));
            }
            builder.push(&head, &body).expect("the block has room");
            next_seq[nth as usize] += 7;
            if written % 10 == 0 {
                let refund = Head {
                    account,
                    now_ms,
                    first_seq: seq + 7,
                    born: smallvec::smallvec![3, 5, EVENT, EVENT],
                    changed: smallvec::smallvec![seq, seq + 1],
                    lists: smallvec::smallvec![(seq + 1, 3, seq + 7)],
                    tags: 0b1000,
                    key: Some(key(account, seq + 7)),
                    ..Head::default()
                };
                builder.push(&refund, &body[..300]).expect("the block has room");
                next_seq[nth as usize] += 4;
            }
            written += 1;
            // Blocks take 256 KiB.
            if builder.bytes_len() > 200 * 1024 {
                break;
            }
        }
        let due = Duration::from_secs_f64(written as f64 / rate as f64);
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        block += 1;
        let sender = sender.clone();
        let watch = Arc::clone(watch);
        let done = Box::new(move |commit| {
            watch.answered();
            sender.send(commit).expect("it is awaited");
        });
        store.submit(builder.seal(block), done);
        assert_eq!(receiver.recv(), Ok(Commit::Durable));
    }
}

fn read(dir: &Path) {
    let before = rss_mb("VmRSS");
    let started = Instant::now();
    let store = Embedded::open(dir, Options::default()).expect("the directory opens");
    let elapsed = started.elapsed();
    let opened = store.opened();
    report(&format!(
        "opened in {elapsed:.2?}: {} records, {} of them walked, {} MB read, index {:?}; RSS {} MB (before {before})",
        opened.records,
        opened.walked,
        opened.bytes >> 20,
        opened.index_rebuilt,
        rss_mb("VmRSS"),
    ));
    let big = AccountRef(account(0, 0));
    let last = store
        .page(&query(big, INTENT, From::Newest, 1), &mut |_, _| true)
        .expect("a page")[0];
    let mut random = 7u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        1 + (random >> 20) % last
    };
    for round in ["first", "again"] {
        let mut latencies = |what: &str, reads: u64, read: &mut dyn FnMut(u64)| {
            let mut took: Vec<Duration> = (0..reads)
                .map(|_| {
                    let seq = next();
                    let started = Instant::now();
                    read(seq);
                    started.elapsed()
                })
                .collect();
            took.sort_unstable();
            let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
            report(&format!(
                "{round}: {what}: p50 {:?}, p99 {:?}, max {:?}",
                at(0.5),
                at(0.99),
                at(1.0)
            ));
        };
        latencies("get any object of the big account", READS, &mut |seq| {
            assert!(store.newest(big, seq).expect("it reads").is_some());
        });
        latencies("get of a small account", READS, &mut |seq| {
            let small = AccountRef(account((seq % u64::from(SHARDS)) as u16, 1 + seq % 97));
            store.newest(small, 1).expect("it reads");
        });
        latencies("absent key", READS, &mut |seq| {
            assert!(store.by_key(big, &key(1, seq)).expect("it reads").is_none());
        });
        latencies("key_may_exist of an absent key", READS, &mut |seq| {
            std::hint::black_box(store.key_may_exist(big, &key(2, seq)));
        });
        latencies("10 newest intents", READS, &mut |_| {
            let page = query(big, INTENT, From::Newest, 10);
            assert_eq!(store.page(&page, &mut |_, _| true).expect("it reads").len(), 11);
        });
        latencies("10 intents from anywhere", READS, &mut |seq| {
            let page = query(big, INTENT, From::Below(seq), 10);
            store.page(&page, &mut |_, _| true).expect("it reads");
        });
        latencies("10 intents of an hour", READS, &mut |seq| {
            let from = START_MS + seq % HOURS_MS;
            let born_ms = (from, from + 3_600_000);
            let page = PageQuery {
                born_ms,
                ..query(big, INTENT, From::Newest, 10)
            };
            store.page(&page, &mut |_, _| true).expect("it reads");
        });
        latencies("the charges of an intent", READS, &mut |seq| {
            let parents = [seq];
            let page = PageQuery {
                parents: &parents,
                ..query(big, 2, From::Newest, 10)
            };
            store.page(&page, &mut |_, _| true).expect("it reads");
        });
        latencies("a kind that never occurs", 20, &mut |_| {
            let page = query(big, 40, From::Newest, 10);
            assert!(store.page(&page, &mut |_, _| true).expect("it reads").is_empty());
        });
    }
    report(&format!("RSS {} MB, at most {} MB", rss_mb("VmRSS"), rss_mb("VmHWM")));
}

fn query(account: AccountRef, kind: u8, from: From, limit: usize) -> PageQuery<'static> {
    PageQuery {
        account,
        kind,
        from,
        limit,
        parents: &[],
        born_ms: (0, u64::MAX),
        tags: 0,
    }
}

/// The local disk, with a watch on what the committer does between a sync and the answers.
#[derive(Default)]
struct Watch {
    synced: Mutex<Option<Instant>>,
    published: Mutex<Vec<Duration>>,
}

impl Watch {
    fn answered(&self) {
        let synced = *self.synced.lock().expect("no thread panicked");
        let took = synced.expect("nothing is answered unsynced").elapsed();
        self.published.lock().expect("no thread panicked").push(took);
    }
}

impl Disk for Watch {
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()?;
        if std::thread::current().name() == Some("tollgate-commit") {
            *self.synced.lock().expect("no thread panicked") = Some(Instant::now());
        }
        Ok(())
    }
}

/// Asks the system to drop what it holds of the files.
fn forget(dir: &Path) {
    for entry in std::fs::read_dir(dir).expect("the directory is read") {
        let path: PathBuf = entry.expect("the entry is read").path();
        if path.is_dir() {
            forget(&path);
        } else {
            let file = File::open(&path).expect("the file opens");
            let len = NonZeroU64::new(file.metadata().expect("it has a length").len());
            fadvise(&file, 0, len, Advice::DontNeed).expect("the system takes advice");
        }
    }
}

/// CPU time of this process, microseconds, from `/proc/self/stat` (ticks of 10 ms).
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc is there");
    let after = stat.rsplit_once(')').expect("the name is in parentheses").1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
    (ticks(11) + ticks(12)) * 10_000
}

/// Tells what each thread of the store has used, per payment.
fn threads(payments: u64) {
    for entry in std::fs::read_dir("/proc/self/task").expect("/proc is there") {
        let stat = entry.expect("a thread").path().join("stat");
        let stat = std::fs::read_to_string(stat).expect("the thread lives");
        let (name, after) = stat.rsplit_once(')').expect("the name is in parentheses");
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
        if name.contains("tollgate") {
            let us = (ticks(11) + ticks(12)) * 10_000;
            let name = name.rsplit_once('(').expect("the name is in parentheses").1;
            report(&format!("{name}: {:.2} us CPU a payment", us as f64 / payments as f64));
        }
    }
}

fn rss_mb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is there");
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .expect("the field is there");
    let kilobytes = line.split_whitespace().nth(1).expect("a number");
    kilobytes.parse::<u64>().expect("a number") / 1024
}

fn report(line: &str) {
    writeln!(io::stdout(), "{line}").expect("stdout takes a line");
}
