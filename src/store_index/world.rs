//! A journal in memory and the index of it, for tests.

use crate::compare::{Agreement, Journaled, VisitBlock, Walked, compare};
use crate::files::{Files, Unreadable};
use crate::filter::mix;
use crate::host::{Host, Threads};
use crate::manifest::{Checkpoint, DataId, Manifest};
use crate::memory_files::MemoryFiles;
use crate::opening::{Opened, Opening};
use crate::{Limits, StoredIndex};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};
use tollgate_store::index::{Index, Place};
use tollgate_store::reads::Fetch;
use tollgate_store::{Fetched, Head, KeyHash, ShardId, StoreError};

/// Noon of a day.
pub(crate) const NOON_MS: u64 = 1_795_521_600_000;
pub(crate) const SHARDS: u16 = 2;
pub(crate) const ID: DataId = [7; 16];
/// Room for little: a run for every 60 records, and three are joined to one.
pub(crate) const LITTLE: Limits = Limits {
    recent_records: 60,
    recent_bytes: u64::MAX,
    merged_runs: 3,
    generation_records: 200,
};
/// Records of a segment of the journal.
const SEGMENT: u64 = 40;

/// A place in the journal.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    /// Blocks before it.
    pub(crate) blocks: u64,
    /// Says which journal it is.
    pub(crate) chain: u64,
    /// Newest block of each shard.
    pub(crate) owners: BTreeMap<u16, u64>,
}

impl Checkpoint for Reached {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.blocks);
        put_varint(out, self.chain);
        put_varint(out, self.owners.len() as u64);
        for (&shard, &block) in &self.owners {
            put_varint(out, u64::from(shard));
            put_varint(out, block);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Reached, RecordError> {
        let (blocks, chain) = (input.take_varint()?, input.take_varint()?);
        let mut owners = BTreeMap::new();
        for _ in 0..input.take_varint()? {
            let shard = u16::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
            owners.insert(shard, input.take_varint()?);
        }
        Ok(Reached { blocks, chain, owners })
    }
}

/// A journal of blocks of one record.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    blocks: Vec<(Place, Head)>,
}

impl Journal {
    pub(crate) fn of(records: u64) -> Journal {
        let block = |nth| {
            let place = Place {
                segment: 1 + (nth / SEGMENT) as u32,
                offset: (nth % SEGMENT * 100) as u32,
                len: 60,
            };
            (place, head(nth))
        };
        Journal {
            blocks: (0..records).map(block).collect(),
        }
    }

    fn shard(nth: usize) -> ShardId {
        // Accounts are divided by the same number.
        ShardId(nth as u16 % SHARDS)
    }

    /// The place behind so many blocks.
    pub(crate) fn reached(&self, blocks: usize) -> Reached {
        let mut owners = BTreeMap::new();
        for nth in 0..blocks {
            *owners.entry(Journal::shard(nth).0).or_default() += 1;
        }
        Reached {
            blocks: blocks as u64,
            chain: mix(blocks as u64),
            owners,
        }
    }

    /// Publishes what the index does not hold yet.
    pub(crate) fn publish_into(&self, opened: &Opened<Reached>) {
        self.publish_up_to(self.blocks.len(), opened);
    }

    /// The same, and stops before a block.
    fn publish_up_to(&self, end: usize, opened: &Opened<Reached>) {
        let from = opened
            .known
            .as_ref()
            .map_or(0, |known| known.checkpoint.blocks as usize);
        for nth in from..end {
            let (shard, block) = (Journal::shard(nth), &self.blocks[nth..=nth]);
            opened.index.admit(shard, block).expect("the block fits");
            opened.index.publish(shard, block);
            opened.index.wait_for_room();
            opened.index.reached(|| self.reached(nth + 1));
        }
    }
}

impl Fetch for Journal {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        let found = self.blocks.iter().find(|(other, _)| *other == place);
        let (_, head) = found.expect("the index points to a record");
        Ok(Fetched {
            head: head.clone(),
            body: [].into(),
        })
    }

    fn name(&self, place: Place) -> String {
        format!("{}.segment offset {}", place.segment, place.offset)
    }
}

impl Journaled<Reached> for Journal {
    fn check(&self, reached: &Reached) -> Result<(), Unreadable> {
        let fits = reached.blocks <= self.blocks.len() as u64 && reached.chain == mix(reached.blocks);
        let why = || Unreadable::Damaged("the journal has another end".to_owned());
        if fits { Ok(()) } else { Err(why()) }
    }

    fn walk(&self, to: &Reached, visit: &mut VisitBlock<'_>) -> Result<Reached, StoreError> {
        for (nth, block) in self.blocks.iter().enumerate() {
            visit(&Walked {
                shard: Journal::shard(nth),
                seq: 1 + (nth / usize::from(SHARDS)) as u64,
                now_ms: block.1.now_ms,
                indexed: (nth as u64) < to.blocks,
                records: std::slice::from_ref(block),
            })?;
        }
        Ok(self.reached(to.blocks as usize))
    }

    fn segment_name(&self, segment: u32) -> String {
        format!("{segment}.segment")
    }
}

/// A journal, the files of its index, and who works on it.
pub(crate) struct World {
    pub(crate) journal: Journal,
    pub(crate) files: Arc<MemoryFiles>,
    pub(crate) host: Host,
}

impl World {
    /// One whose index holds most of its 700 records, in several runs.
    pub(crate) fn new() -> World {
        let world = World {
            journal: Journal::of(700),
            files: Arc::default(),
            host: Host::start(Threads::default()).expect("threads start"),
        };
        let opened = world.open();
        // However far the writer gets, what is left fills a layer, so that whoever goes on writes.
        let left = 2 * LITTLE.recent_records as usize;
        world.journal.publish_up_to(world.journal.blocks.len() - left, &opened);
        await_that(|| world.read().is_some_and(|manifest| manifest.records >= 500));
        drop(opened);
        let World { journal, files, host } = world;
        // Nobody writes any more.
        host.join();
        let host = Host::start(Threads::default()).expect("threads start");
        let world = World { journal, files, host };
        assert!(world.manifest().runs.len() > 1);
        world
    }

    /// Another one with the same files.
    pub(crate) fn copy(&self) -> World {
        World {
            journal: self.journal.clone(),
            files: self.files.copy(),
            host: Host::start(Threads::default()).expect("threads start"),
        }
    }

    pub(crate) fn port(&self) -> Arc<dyn Files> {
        Arc::new(Arc::clone(&self.files))
    }

    pub(crate) fn try_open(&self) -> Result<Opened<Reached>, StoreError> {
        let opening = Opening {
            files: self.port(),
            host: &self.host,
            id: ID,
            shards: usize::from(SHARDS),
            first_file: 1,
            idempotency_hours: 24,
            limits: LITTLE,
        };
        opening.open(|reached| self.journal.check(reached))
    }

    pub(crate) fn open(&self) -> Opened<Reached> {
        self.try_open().expect("the index opens")
    }

    pub(crate) fn compare(&self) -> Agreement {
        compare(&*self.port(), &ID, &self.journal).expect("the journal is sound")
    }

    pub(crate) fn read(&self) -> Option<Manifest<Reached>> {
        Manifest::read(&*self.port(), &ID).expect("it reads")
    }

    pub(crate) fn manifest(&self) -> Manifest<Reached> {
        self.read().expect("there is a manifest")
    }

    pub(crate) fn write(&self, manifest: &Manifest<Reached>) {
        manifest.write(&*self.port(), &ID).expect("the manifest is written");
    }

    /// Makes sure that an index finds every record of the journal that it should.
    pub(crate) fn assert_complete(&self, index: &StoredIndex<Reached>) {
        for (place, head) in &self.journal.blocks {
            if head.born.is_empty() {
                continue;
            }
            let account = tollgate_store::AccountRef(head.account);
            let birth = index.birth(account, head.first_seq).expect("the index reads");
            assert_eq!(birth, Some(*place), "birth of {} of {}", head.first_seq, head.account);
        }
    }
}

/// Waits for something that a thread does.
pub(crate) fn await_that(done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(120), "it does not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The nth record: of each ten of an account, one is a row, one changes what the one before bore, one claims a key that
/// the next one settles.
pub(crate) fn head(nth: u64) -> Head {
    let account = 1 + nth % 4;
    let own = nth / 4;
    let (round, step) = (own / 10, own % 10);
    // Eight of ten bear two things.
    let first_seq = 1 + round * 16 + step.min(8) * 2;
    let now_ms = NOON_MS + nth * 1_000;
    let bears = step < 8;
    let key: Option<KeyHash> = match step {
        8 => None,
        // The same key twice: in flight, then settled.
        1 | 2 => Some(hash(account, round * 10 + 1)),
        _ => Some(hash(account, round * 10 + step)),
    };
    Head {
        account,
        now_ms,
        first_seq,
        born: if bears {
            [1, 2].into_iter().collect()
        } else {
            Default::default()
        },
        changed: match step {
            // The first payment of the round, twice.
            4 | 6 => [1 + round * 16].into_iter().collect(),
            9 => [first_seq - 2].into_iter().collect(),
            _ => Default::default(),
        },
        lists: if bears {
            [(first_seq, 2, first_seq + 1)].into_iter().collect()
        } else {
            Default::default()
        },
        tags: 1 << step,
        key,
        timers: match step {
            // Far beyond every window, so none of them is handled.
            3 => [(NOON_MS + 7 * 86_400_000, first_seq)].into_iter().collect(),
            _ => Default::default(),
        },
        row: step == 8,
    }
}

fn hash(account: u64, number: u64) -> KeyHash {
    let mut hash = [0; 12];
    hash[..8].copy_from_slice(&mix(account << 32 | number).to_le_bytes());
    hash
}
