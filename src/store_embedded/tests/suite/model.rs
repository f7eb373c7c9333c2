//! The journal's records in the simple index: what every store must answer.

use std::collections::{BTreeMap, BTreeSet};
use tollgate_store::envelope::{read_record, records};
use tollgate_store::index::{Index, Place, SimpleIndex};
use tollgate_store::reads::{Fetch, View};
use tollgate_store::{AccountRef, Block, Fetched, From, Head, KeyHash, PageQuery, Reads, ShardId, StoreError};

/// Kinds that the tests use.
pub(crate) const KINDS: u8 = 6;

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
    pub(crate) fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
}

/// Makes heads of every shape, in an order that a journal admits.
#[derive(Clone)]
pub(crate) struct Heads {
    /// Next sequence number of each account.
    next_seq: BTreeMap<u64, u64>,
    now_ms: u64,
    /// Milliseconds that pass between two records, at most.
    pub(crate) pace_ms: u64,
    keys: u64,
}

impl Heads {
    pub(crate) fn new() -> Heads {
        Heads {
            next_seq: BTreeMap::new(),
            now_ms: 1_790_000_000_000,
            pace_ms: 60_000,
            keys: 0,
        }
    }

    pub(crate) fn next(&mut self, random: &mut Random, account: u64) -> Head {
        self.now_ms += random.below(self.pace_ms);
        let next_seq = self.next_seq.entry(account).or_insert(1);
        // Now and then a number is left out.
        let first_seq = *next_seq + if random.chance(20) { random.below(3) } else { 0 };
        let born = if random.chance(8) { 0 } else { 1 + random.below(5) };
        // What was born before; the first record of an account has nothing older to name.
        let before = *next_seq;
        let older = |random: &mut Random| 1 + random.below(before.max(2) - 1);
        let mut head = Head {
            account,
            now_ms: self.now_ms,
            first_seq,
            born: (0..born).map(|_| random.below(u64::from(KINDS)) as u8).collect(),
            tags: if random.chance(3) { 0 } else { 1 << random.below(4) },
            row: born == 0 && random.chance(3),
            ..Head::default()
        };
        if before > 1 && random.chance(2) {
            head.changed.push(older(random));
        }
        for _ in 0..random.below(3) {
            let child = if born > 0 && !random.chance(4) {
                first_seq + random.below(born)
            } else {
                older(random)
            };
            // A few parents with long lists, and many with short ones.
            let parent = if random.chance(2) {
                1 + random.below(2)
            } else {
                older(random)
            };
            let kind = child
                .checked_sub(first_seq)
                .and_then(|nth| head.born.get(nth as usize).copied())
                .unwrap_or(random.below(u64::from(KINDS)) as u8);
            head.lists.push((parent, kind, child));
        }
        if !random.chance(3) {
            // Some keys get a newer outcome.
            let new = self.keys == 0 || !random.chance(4);
            self.keys += u64::from(new);
            let number = if new { self.keys } else { 1 + random.below(self.keys) };
            head.key = Some(key(number));
        }
        if random.chance(4) {
            let due_ms = self.now_ms + random.below(6 * 3_600_000);
            head.timers.push((due_ms, older(random)));
        }
        if born > 0 {
            *next_seq = first_seq + born;
        }
        head
    }
}

/// Key number `number`.
pub(crate) fn key(number: u64) -> KeyHash {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    key
}

/// What a store with these blocks must answer.
pub(crate) struct Model {
    blocks: Vec<Block>,
    index: SimpleIndex,
    /// Every head, by account.
    heads: BTreeMap<(ShardId, u64), Vec<Head>>,
    timers: BTreeSet<(ShardId, u64, u64, u64)>,
    keys: BTreeSet<(u64, KeyHash)>,
}

impl Model {
    pub(crate) fn new(blocks: &[Block]) -> Model {
        let mut model = Model {
            blocks: Vec::new(),
            index: SimpleIndex::new(24),
            heads: BTreeMap::new(),
            timers: BTreeSet::new(),
            keys: BTreeSet::new(),
        };
        blocks.iter().for_each(|block| model.push(block.clone()));
        model
    }

    pub(crate) fn push(&mut self, block: Block) {
        let segment = self.blocks.len() as u32;
        let all: Vec<(Place, Head)> = records(&block.bytes, block.count)
            .map(|record| {
                let record = record.expect("the block reads");
                let place = Place {
                    segment,
                    offset: record.offset,
                    len: record.len,
                };
                (place, record.head)
            })
            .collect();
        self.index.admit(block.shard, &all).expect("the block is in order");
        self.index.publish(block.shard, &all);
        for (_, head) in all {
            self.keys.extend(head.key.map(|key| (head.account, key)));
            let timers = head
                .timers
                .iter()
                .map(|&(due_ms, seq)| (block.shard, due_ms, head.account, seq));
            self.timers.extend(timers);
            self.heads.entry((block.shard, head.account)).or_default().push(head);
        }
        self.blocks.push(block);
    }

    /// A timer was done in the store.
    pub(crate) fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.index.timers_done(shard, timers);
    }

    /// Compares the answers of the store: all of them where there are few, and a choice of the others. A store that has
    /// restarted may have forgotten which timers are done. Errors are counted if `errors` allows any; a wrong answer
    /// never is.
    pub(crate) fn compare(&self, store: &dyn Reads, random: &mut Random, restarted: bool, errors: &mut Option<u64>) {
        let mut same = |what: &dyn Fn() -> String, mine: Result<Seen, StoreError>, theirs: Result<Seen, StoreError>| {
            let mine = mine.expect("the model reads");
            match (theirs, errors.as_mut()) {
                (Ok(theirs), _) => assert_eq!(theirs, mine, "{}", what()),
                (Err(_), Some(errors)) => *errors += 1,
                (Err(error), None) => panic!("{}: {error}", what()),
            }
        };
        let view = View {
            index: &self.index,
            journal: self,
        };
        let accounts: Vec<(ShardId, u64)> = self.heads.keys().copied().collect();
        for &(_, number) in &accounts {
            let account = AccountRef(number);
            let next = self
                .heads
                .iter()
                .find(|((_, other), _)| *other == number)
                .map_or(1, |(_, heads)| {
                    heads
                        .iter()
                        .map(|head| head.first_seq + head.born.len() as u64)
                        .max()
                        .unwrap_or(1)
                });
            let seqs: Vec<u64> = (0..25).map(|_| random.below(next + 2)).collect();
            for seq in seqs {
                let what = |what: &str| format!("{what} of {seq} of account {number}");
                same(
                    &|| what("newest"),
                    one(view.newest(account, seq)),
                    one(store.newest(account, seq)),
                );
                same(
                    &|| what("birth"),
                    one(view.birth(account, seq)),
                    one(store.birth(account, seq)),
                );
            }
            for _ in 0..12 {
                let parents: Vec<u64> = (0..random.below(3).saturating_sub(random.below(2)))
                    .map(|_| {
                        let few = random.chance(2);
                        1 + random.below(if few { 2 } else { next })
                    })
                    .collect();
                let from = match random.below(3) {
                    0 => From::Newest,
                    1 => From::Below(random.below(next + 2)),
                    _ => From::Above(random.below(next + 2)),
                };
                let heads = &self
                    .heads
                    .iter()
                    .find(|((_, other), _)| *other == number)
                    .expect("it is known")
                    .1;
                let mut time = |else_ms: u64| {
                    let head = &heads[random.below(heads.len() as u64) as usize];
                    if random.chance(2) { else_ms } else { head.now_ms }
                };
                let born_ms = (time(0), time(u64::MAX));
                let query = PageQuery {
                    account,
                    kind: random.below(u64::from(KINDS) + 1) as u8,
                    from,
                    limit: 1 + random.below(12) as usize,
                    parents: &parents,
                    born_ms,
                    tags: if random.chance(2) { 0 } else { 1 << random.below(5) },
                };
                let accept = &mut |seq: u64, record: &Fetched| !(seq ^ record.head.now_ms).is_multiple_of(3);
                let mine = view.page(&query, accept).map(Seen::Page);
                same(
                    &|| format!("{query:?}"),
                    mine,
                    store.page(&query, accept).map(Seen::Page),
                );
            }
            let mine = replayed(|visit| view.replay_account(account, visit));
            let theirs = replayed(|visit| store.replay_account(account, visit));
            same(&|| format!("replay of account {number}"), mine, theirs);
        }
        let some = 1 + self.keys.len() as u64 / 100;
        let chosen = self.keys.iter().copied().filter(|_| random.chance(some));
        let mut keys: Vec<(u64, KeyHash)> = chosen.collect();
        keys.extend((0..20).map(|nth| (accounts.first().map_or(1, |account| account.1), key(1_000_000 + nth))));
        for (number, key) in keys {
            let account = AccountRef(number);
            let what = || format!("key {key:02x?} of account {number}");
            let found = one(view.by_key(account, &key));
            let may = store.key_may_exist(account, &key);
            assert!(
                may || matches!(found, Ok(Seen::Records(ref none)) if none.is_empty()),
                "{}",
                what()
            );
            same(&what, found, one(store.by_key(account, &key)));
        }
        let shards: BTreeSet<ShardId> = accounts.iter().map(|&(shard, _)| shard).collect();
        for shard in shards {
            assert_eq!(store.accounts(shard), self.index.accounts(shard));
            if errors.is_none() {
                self.compare_timers(store, random, restarted, shard);
            }
        }
    }

    fn compare_timers(&self, store: &dyn Reads, random: &mut Random, restarted: bool, shard: ShardId) {
        let first = self.timers.first().map_or(0, |timer| timer.1);
        let some = first + random.below(24 * 3_600_000);
        for until_ms in [0, first, some, u64::MAX] {
            let limit = 1 + random.below(40) as usize;
            let mine = self.index.timers_due(shard, until_ms, usize::MAX);
            if !restarted {
                let some = &mine[..mine.len().min(limit)];
                assert_eq!(
                    store.timers_due(shard, until_ms, limit),
                    some,
                    "timers of {shard:?} until {until_ms}"
                );
                continue;
            }
            let theirs = store.timers_due(shard, until_ms, usize::MAX);
            assert!(theirs.is_sorted());
            let known = |timer: &(u64, AccountRef, u64)| self.timers.contains(&(shard, timer.0, timer.1.0, timer.2));
            assert!(theirs.iter().all(|timer| timer.0 <= until_ms && known(timer)));
            let missing = mine.iter().find(|timer| theirs.binary_search(timer).is_err());
            assert_eq!(missing, None, "a timer of {shard:?} is lost");
        }
    }
}

/// An answer, in a form that can be compared.
#[derive(PartialEq, Debug)]
enum Seen {
    Records(Vec<(Head, Vec<u8>)>),
    Page(Vec<u64>),
}

type Visit<'a> = &'a mut dyn FnMut(&Fetched) -> Result<(), StoreError>;

fn replayed(replay: impl FnOnce(Visit<'_>) -> Result<(), StoreError>) -> Result<Seen, StoreError> {
    let mut seen = Vec::new();
    replay(&mut |record| {
        seen.push((record.head.clone(), record.body.to_vec()));
        Ok(())
    })?;
    Ok(Seen::Records(seen))
}

fn one(fetched: Result<Option<Fetched>, StoreError>) -> Result<Seen, StoreError> {
    let record = fetched?.map(|record| (record.head, record.body.to_vec()));
    Ok(Seen::Records(record.into_iter().collect()))
}

impl Fetch for Model {
    fn fetch(&self, place: Place) -> Result<Fetched, StoreError> {
        let block = &self.blocks[place.segment as usize];
        let bytes = &block.bytes[place.offset as usize..][..place.len as usize];
        let (head, body) = read_record(bytes).map_err(|error| error.at(self.name(place)))?;
        let body = body.into();
        Ok(Fetched { head, body })
    }
    fn name(&self, place: Place) -> String {
        format!("block {} offset {}", place.segment, place.offset)
    }
}
