//! How fast the store appends: `cargo run --release -p tollgate-store-embedded --example append [SECONDS] [DIR]`.
//!
//! Eight shards hand in blocks of 64 records of 600 bytes, each block as soon as the last one is durable. Prints payments
//! per second, CPU per payment (all threads, building the records included) and the p50 of `fdatasync`, then how long it
//! takes to open what was written. Differs from production in that records come ready-made and nobody reads.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{Commit, Head, Journal, ShardId};
use tollgate_store_embedded::{Disk, Embedded, Options};

const SHARDS: u16 = 8;
const RECORDS: usize = 64;
const BODY: usize = 550;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(5, |text| text.parse().expect("seconds"));
    let dir = arguments.next().map(std::path::PathBuf::from);
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let dir = dir.unwrap_or_else(|| temporary.path().join("data"));

    let disk = Arc::new(Timed::default());
    let options = Options {
        disk: Arc::clone(&disk) as Arc<dyn Disk>,
        ..Options::default()
    };
    let store = Embedded::create_or_open(&dir, SHARDS, options).expect("the directory opens");
    let (stop, payments) = (AtomicBool::new(false), AtomicU64::new(0));
    let (started, cpu) = (Instant::now(), cpu_us());
    std::thread::scope(|scope| {
        for shard in 0..SHARDS {
            let (store, stop, payments) = (&store, &stop, &payments);
            scope.spawn(move || produce(store, shard, stop, payments));
        }
        std::thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Relaxed);
    });
    let (elapsed, cpu) = (started.elapsed(), cpu_us() - cpu);
    let payments = payments.load(Relaxed);
    let mut syncs = std::mem::take(&mut *disk.syncs.lock().expect("no thread panicked"));
    syncs.sort_unstable();
    report(&format!("{:.0} payments/s", payments as f64 / elapsed.as_secs_f64()));
    report(&format!("{:.2} us CPU a payment", cpu as f64 / payments as f64));
    let groups = syncs.len();
    report(&format!(
        "fdatasync p50 {:?}, p99 {:?}, {groups} groups",
        syncs[groups / 2],
        syncs[groups * 99 / 100]
    ));
    drop(store);

    let store = Embedded::open(&dir, Options::default()).expect("the directory opens again");
    let opened = store.opened();
    let rate = opened.bytes as f64 / 1e6 / opened.elapsed.as_secs_f64();
    report(&format!(
        "opened {} records, {} MB in {:?}: {rate:.0} MB/s",
        opened.records,
        opened.bytes >> 20,
        opened.elapsed
    ));
}

fn produce(store: &Embedded, shard: u16, stop: &AtomicBool, payments: &AtomicU64) {
    let claimed = store.claim(ShardId(shard)).expect("the claim succeeds");
    let mut builder = BlockBuilder::new(ShardId(shard), claimed.epoch, claimed.last_now_ms);
    let mut block_seq = claimed.last_block;
    // A hundred merchants a shard, each with its own sequence.
    let accounts = 100;
    let mut next_seq = vec![1 + block_seq * 1_000_000; accounts];
    let mut random = u64::from(shard) + 1;
    let mut body = vec![0; BODY];
    let mut now_ms = claimed.last_now_ms.max(1_790_000_000_000);
    let (sender, receiver) = mpsc::sync_channel(1);
    while !stop.load(Relaxed) {
        now_ms += 1;
        for _ in 0..RECORDS {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let which = (random >> 33) as usize % accounts;
            let seq = next_seq[which];
            next_seq[which] += 7;
            let mut key = [0; 12];
            key[..8].copy_from_slice(&random.to_le_bytes());
            body[..8].copy_from_slice(&random.to_le_bytes());
            let head = Head {
                account: ((u64::from(shard) << 32) | (which as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15),
                now_ms,
                first_seq: seq,
                born: smallvec::smallvec![1, 2, 5, 7, 7, 7, 7],
                lists: smallvec::smallvec![(seq, 2, seq + 1)],
                tags: 0b111,
                key: Some(key),
                ..Head::default()
            };
            builder.push(&head, &body).expect("the block has room");
        }
        block_seq += 1;
        let sender = sender.clone();
        store.submit(
            builder.seal(block_seq),
            Box::new(move |commit| sender.send(commit).expect("it is awaited")),
        );
        assert_eq!(receiver.recv(), Ok(Commit::Durable));
        payments.fetch_add(RECORDS as u64, Relaxed);
    }
}

/// The local disk, with a watch.
#[derive(Default)]
struct Timed {
    syncs: Mutex<Vec<Duration>>,
}

impl Disk for Timed {
    fn sync(&self, file: &File) -> io::Result<()> {
        let started = Instant::now();
        let result = file.sync_data();
        self.syncs.lock().expect("no thread panicked").push(started.elapsed());
        result
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

fn report(line: &str) {
    use std::io::Write;
    writeln!(io::stdout(), "{line}").expect("stdout takes a line");
}
