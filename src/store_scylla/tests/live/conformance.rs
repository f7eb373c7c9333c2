//! The suite that every backend passes, on a live cluster.

use crate::{SHARDS, applied, options, restless};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tollgate_store::conformance::{self, Store, Subject, heads_of};
use tollgate_store::{
    AccountRef, Block, Claimed, Done, Fetched, Journal, KeyHash, PageQuery, Reads, Scan, ShardId, StoreError,
};
use tollgate_store_scylla::{Cluster, Options, Scanner, Settings, ShardOf};

fn run(adapt: Adapt) {
    conformance::run(&|| {
        let (settings, shards) = (applied(), Shards::default());
        let store = shards.of(&settings, &adapt);
        claim_all(&store);
        Box::new(Live {
            store,
            settings,
            shards,
            adapt: Arc::clone(&adapt),
        })
    });
}

#[test]
fn the_cluster_store_keeps_every_promise() {
    run(Arc::new(|options| options));
}

#[test]
fn the_cluster_store_keeps_every_promise_while_its_index_moves_to_files() {
    run(Arc::new(restless(7)));
}

/// Options for the stores of a run.
type Adapt = Arc<dyn Fn(Options) -> Options + Send + Sync>;

/// A node of a cluster answers for what it owns.
fn claim_all(store: &Learning) {
    for shard in (0..SHARDS).map(ShardId).chain([ShardId::DIRECTORY]) {
        store.claim(shard).expect("the shard is claimed");
    }
}

/// The suite writes its accounts to shards of its choice: an account's is the one that it was last written to.
#[derive(Clone, Default)]
struct Shards(Arc<Mutex<BTreeMap<u64, ShardId>>>);

impl Shards {
    fn of(&self, settings: &Settings, adapt: &Adapt) -> Arc<Learning> {
        let known = Arc::clone(&self.0);
        let shard_of: ShardOf = Arc::new(move |account, _| {
            let known = known.lock().expect("no test panics in here");
            known.get(&account.0).copied().unwrap_or(ShardId(0))
        });
        Arc::new(Learning {
            cluster: Cluster::open(adapt(options("a", settings, &shard_of))).expect("the store opens"),
            shards: self.clone(),
        })
    }
}

struct Live {
    settings: Settings,
    shards: Shards,
    store: Arc<Learning>,
    adapt: Adapt,
}

impl Subject for Live {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as _
    }

    fn scan(&self) -> Box<dyn Scan> {
        Box::new(Scanner::open(&self.settings).expect("the journal can be read"))
    }

    fn restart(self: Box<Self>) -> Box<dyn Subject> {
        let Live {
            settings,
            shards,
            store,
            adapt,
        } = *self;
        drop(store);
        let store = shards.of(&settings, &adapt);
        claim_all(&store);
        Box::new(Live {
            settings,
            shards,
            store,
            adapt,
        })
    }
}

/// Notes where accounts are written.
struct Learning {
    cluster: Arc<Cluster>,
    shards: Shards,
}

impl Journal for Learning {
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        self.cluster.claim(shard)
    }

    fn submit(&self, block: Block, done: Done) {
        let heads = heads_of(&block);
        let mut known = self.shards.0.lock().expect("no test panics in here");
        for head in heads {
            known.entry(head.account).or_insert(block.shard);
        }
        drop(known);
        self.cluster.submit(block, done);
    }
}

impl Reads for Learning {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.cluster.newest(account, seq)
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.cluster.birth(account, seq)
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.cluster.key_may_exist(account, key)
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.cluster.by_key(account, key)
    }

    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.cluster.page(query, accept)
    }

    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.cluster.replay_account(account, visit)
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.cluster.timers_due(shard, until_ms, limit)
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.cluster.timers_done(shard, timers);
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        self.cluster.accounts(shard)
    }
}
