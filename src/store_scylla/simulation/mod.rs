//! The protocol under everything that can happen to it: several processes own one shard in turn, over tables in memory,
//! while statements are late, lost, doubled or answered with errors, and processes are paused, killed and started again. Time
//! is virtual, and everything follows from a seed. The code is the real one, with the text of its statements.
//!
//! What is held against it stands in [`witness`]. Breaks that it sees: `tests/breaks`.
//!
//! ```text
//! TOLLGATE_SCHEDULES=100000 cargo test -p tollgate-store-scylla --lib simulation
//! TOLLGATE_SEED=17 cargo test -p tollgate-store-scylla --lib simulation        one schedule alone
//! ```

mod executor;
mod network;
mod node;
mod random;
mod statement;
mod tables;
mod witness;

use crate::block::SEGMENT_BLOCKS;
use crate::protocol::Appended;
use crate::schema::TABLES;
use executor::{Executor, ProcessId};
use network::Network;
use node::{Process, READ_AGAIN, Shared};
use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tables::Tables;
use tokio::sync::oneshot;
use tollgate_store::ShardId;
use witness::{Counts, content};

/// The shard that all of them want.
const SHARD: ShardId = ShardId(3);
/// Schedules of an ordinary run.
const SCHEDULES: u64 = 2_000;
/// Virtual time in which things happen to a schedule.
const LASTS: Duration = Duration::from_secs(120);
/// Most processes that live at once.
const NODES_MAX: u64 = 3;
/// Journals that schedules begin with have so many blocks less than a segment takes, or none.
const BEFORE_THE_END: u64 = 5;

/// Whoever disturbs the others.
const DIRECTOR: ProcessId = 0;
/// Reads everything at the end.
const AUDITOR: ProcessId = u64::MAX;

#[test]
fn whatever_happens_the_journal_is_one_chain_and_its_owners_are_told_the_truth() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    if let Some(seed) = number("TOLLGATE_SEED") {
        return schedule(seed)
            .map(drop)
            .unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
    let all = schedules(number("TOLLGATE_SCHEDULES").unwrap_or(SCHEDULES));
    let enough = |count: u64| count >= 100;
    assert!(
        [all.durable, all.fenced, all.claims, all.rolled_over, all.reads]
            .into_iter()
            .all(enough),
        "too little happened: {all:?}"
    );
}

#[test]
fn a_schedule_follows_from_its_seed() {
    let once: Vec<_> = (0..5).map(schedule).collect();
    let again: Vec<_> = (0..5).map(schedule).collect();
    assert_eq!(once, again);
}

/// Runs so many schedules on all processors; the first that finds something ends it.
fn schedules(wanted: u64) -> Counts {
    let (next, all) = (AtomicU64::new(0), Mutex::new((Counts::default(), BTreeMap::new())));
    let run = || {
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= wanted {
                return;
            }
            let outcome = schedule(seed);
            let mut all = all.lock().expect("no thread panics with it");
            match outcome {
                Ok(counts) => all.0.add(counts),
                Err(what) => {
                    all.1.insert(seed, what);
                    next.store(wanted, Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
    let (counts, wrong) = all.into_inner().expect("no thread panics with it");
    // Seeds are given out in order, so that the lowest is always the same.
    if let Some((seed, what)) = wrong.first_key_value() {
        panic!("seed {seed}: {what}");
    }
    counts
}

/// Runs one schedule; says what was wrong with it, if something was.
fn schedule(seed: u64) -> Result<Counts, String> {
    let run = catch_unwind(AssertUnwindSafe(|| try_schedule(seed)));
    run.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap_or(&"a panic")).to_owned()))
    })
}

fn try_schedule(seed: u64) -> Result<Counts, String> {
    let mut random = Random::new(seed);
    let base = random.pick(&journals()[..]);
    let mut tables = journal(base);
    tables.fixed_shape = random.chance(500);
    let faults = random.pick(&[0, 20, 100, 300, 600]);
    let nodes = 1 + random.below(NODES_MAX);
    let executor = Executor::new(random);
    let network = Network::new(executor.clone(), tables, base, faults);
    let shared = Arc::new(Shared {
        network: network.clone(),
        closing: AtomicBool::new(false),
        base,
        contents: AtomicU64::new(1_000_000),
    });
    let killed = Arc::new(Mutex::new(BTreeSet::new()));
    executor.spawn(DIRECTOR, direct(Arc::clone(&shared), nodes, Arc::clone(&killed)));
    executor.run().map_err(|_| "it never ends".to_owned())?;
    {
        let mut state = network.state();
        state.witness.at_rest(&killed.lock().expect("no task panics with it"));
        if let Some(what) = state.witness.violation() {
            return Err(what.to_owned());
        }
    }
    // Whoever is next finds all of it, and goes on.
    let (tell, mut found) = oneshot::channel();
    let auditing = audit(Arc::clone(&shared));
    executor.spawn(AUDITOR, async move {
        tell.send(auditing.await).expect("somebody waits for it")
    });
    executor.run().map_err(|_| "the next owner never gets it".to_owned())?;
    let found = found.try_recv().map_err(|_| "the next owner waits for ever")?;
    let state = network.state();
    if let Some(what) = state.witness.violation() {
        return Err(what.to_owned());
    }
    let written: Vec<_> = state.witness.journal().collect();
    if found != written {
        return Err(format!("the journal reads {found:?} and was written as {written:?}"));
    }
    Ok(state.witness.counts)
}

/// Starts processes, and pauses, kills and restarts them; then lets everything end.
async fn direct(shared: Arc<Shared>, nodes: u64, killed: Arc<Mutex<BTreeSet<ProcessId>>>) {
    let executor = shared.network.executor.clone();
    let start = |id: ProcessId| {
        let shared = Arc::clone(&shared);
        executor.spawn(id, async move { Process::start(&shared, id).await.live().await });
    };
    let mut living: Vec<ProcessId> = (1..=nodes).collect();
    living.iter().for_each(|id| start(*id));
    let mut next = nodes + 1;
    while executor.now() < LASTS {
        executor.sleep(executor.draw(|random| random.time(LASTS / 10))).await;
        let at = executor.draw(|random| random.below(nodes)) as usize;
        let process = living[at];
        match executor.draw(|random| random.below(5)) {
            0 | 1 => {
                executor.pause(process);
                let executor = executor.clone();
                let time = executor.draw(|random| random.long_time());
                executor.clone().after(time, move || executor.go_on(process));
            }
            2 => {
                executor.kill(process);
                killed.lock().expect("no task panics with it").insert(process);
                living[at] = next;
                start(next);
                next += 1;
            }
            3 => {
                let until = executor.now() + executor.draw(|random| random.long_time()).min(LASTS / 3);
                shared.network.state().down_until = until;
            }
            _ => {}
        }
    }
    shared.closing.store(true, Relaxed);
    let mut state = shared.network.state();
    (state.faults_per_mille, state.down_until) = (0, Duration::ZERO);
}

/// Takes the shard over when nobody else wants it, appends a block, and reads everything: number and content of each block.
async fn audit(shared: Arc<Shared>) -> Vec<(u64, u64)> {
    let process = Process::start(&shared, AUDITOR).await;
    let owner = process.claim(None).await.expect("nobody is in the way");
    let ended = process.submit(owner.epoch, owner.last_block + 1, owner.last_now_ms + 1);
    assert_eq!(ended.await, Ok(Appended::Durable), "the only owner's block");
    let owner = process.claim(Some(owner.epoch)).await.expect("it is its own");
    let blocks = process
        .read_from(shared.base, &owner)
        .await
        .expect("all of it can be read");
    let ours = blocks.iter().filter(|block| block.seq > shared.base);
    ours.map(|block| (block.seq, content(&block.bytes))).collect()
}

/// How many blocks the journals have that schedules begin with.
fn journals() -> Vec<u64> {
    let nearly = SEGMENT_BLOCKS - BEFORE_THE_END..=SEGMENT_BLOCKS;
    std::iter::once(0).chain(nearly).collect()
}

/// Tables with a journal of so many blocks, written by the protocol itself.
fn journal(blocks: u64) -> Tables {
    static MADE: OnceLock<Vec<(u64, Tables)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let executor = Executor::new(Random::new(0));
        // The protocol knows no others.
        let ours = ["$.shards (", "$.journal ("];
        let schema = TABLES.iter().filter(|text| ours.iter().any(|name| text.contains(name)));
        let tables = Tables::new(schema);
        let network = Network::new(executor.clone(), tables, 0, 0);
        let shared = Arc::new(Shared {
            network: network.clone(),
            closing: AtomicBool::new(false),
            base: 0,
            contents: AtomicU64::new(1),
        });
        let mut all = Vec::new();
        for wanted in journals() {
            let shared = Arc::clone(&shared);
            executor.spawn(AUDITOR, write_up_to(shared, wanted));
            executor.run().expect("it ends");
            let mut tables = network.state().tables.clone();
            tables.keep_last("journal", READ_AGAIN as usize + 1);
            all.push((wanted, tables));
        }
        all
    });
    let of = made.iter().find(|(wanted, _)| *wanted == blocks);
    of.expect("it was made").1.clone()
}

async fn write_up_to(shared: Arc<Shared>, blocks: u64) {
    if blocks == 0 {
        return;
    }
    let process = Process::start(&shared, AUDITOR).await;
    let owner = process.claim(None).await.expect("nobody is in the way");
    for seq in owner.last_block + 1..=blocks {
        let ended = process.submit(owner.epoch, seq, seq);
        assert_eq!(ended.await, Ok(Appended::Durable));
    }
}
