//! The store port over the cluster.

use crate::block::{heads, name};
use crate::failure::failed;
use crate::link::Link;
use crate::protocol::{Appended, Claimant, Owner, Protocol};
use crate::reader::{Blocks, CACHE_BYTES};
use crate::runtime::Runtime;
use crate::schema;
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollgate_store::index::{IDEMPOTENCY_HOURS, Index, SimpleIndex};
use tollgate_store::reads::View;
use tollgate_store::{
    AccountRef, Block, Claimed, Commit, Done, Epoch, Fetched, Journal, KeyHash, PageQuery, Reads, ShardId, StoreError,
};

/// Which of so many shards an account belongs to: whoever divides the accounts knows.
pub type ShardOf = Arc<dyn Fn(AccountRef, u16) -> ShardId + Send + Sync>;

/// The account of the directory's records.
const DIRECTORY_ACCOUNT: AccountRef = AccountRef(0);

/// How the store works.
pub struct Options {
    /// The cluster.
    pub settings: Settings,
    /// This node's stable name, and the address other nodes reach it by.
    pub node: String,
    /// See `node`.
    pub addr: String,
    /// The shard of an account.
    pub shard_of: ShardOf,
    /// Hours for which an idempotency key is found.
    pub idempotency_hours: u32,
    /// Bytes of blocks kept in memory.
    pub cache_bytes: u64,
}

impl Options {
    /// Options with the usual limits.
    pub fn new(settings: Settings, node: &str, addr: &str, shard_of: ShardOf) -> Options {
        Options {
            settings,
            node: node.to_owned(),
            addr: addr.to_owned(),
            shard_of,
            idempotency_hours: IDEMPOTENCY_HOURS,
            cache_bytes: CACHE_BYTES,
        }
    }
}

/// The journal of a cluster, as one node of Tollgate has it open. Dropping it stops its threads; a block whose outcome is
/// not known then is found out by the shard's next owner.
pub struct Cluster {
    about: schema::About,
    shared: Arc<Shared>,
    runtime: Runtime,
}

struct Shared {
    protocol: Arc<Protocol>,
    claimant: Claimant,
    shard_of: ShardOf,
    shards_of_data: u16,
    index: SimpleIndex,
    blocks: Blocks,
    shards: Mutex<BTreeMap<ShardId, Arc<Slot>>>,
}

/// A shard that was claimed here at some time.
struct Slot {
    /// Held while a block is appended, however long its outcome is unknown, and while a new owner reads the tail.
    owner: tokio::sync::Mutex<Standing>,
    /// Whether this process claimed it before.
    held: AtomicBool,
    /// The incarnation that has a block in flight.
    in_flight: Mutex<Option<Epoch>>,
}

/// Where a shard stands here.
#[derive(Default)]
struct Standing {
    /// The newest incarnation that this process was, unless it lost the shard.
    owner: Option<Owner>,
    /// Newest block that is in the index.
    indexed: u64,
}

impl Cluster {
    /// Connects to a cluster whose schema was applied.
    pub fn open(options: Options) -> Result<Arc<Cluster>, StoreError> {
        let runtime = Runtime::start()?;
        let settings = options.settings.clone();
        let (about, protocol) = runtime.wait(async move {
            let link = Arc::new(Link::connect(&settings).await?);
            let about = schema::check(&link).await?;
            Ok::<_, StoreError>((about, Arc::new(Protocol::prepare(link).await?)))
        })??;
        let blocks = Blocks::new(Arc::clone(&protocol), runtime.clone(), options.cache_bytes);
        let shared = Shared {
            protocol,
            claimant: Claimant::new(options.node, options.addr)?,
            shard_of: options.shard_of,
            shards_of_data: about.shards,
            index: SimpleIndex::new(options.idempotency_hours),
            blocks,
            shards: Mutex::default(),
        };
        Ok(Arc::new(Cluster {
            about,
            shared: Arc::new(shared),
            runtime,
        }))
    }

    /// Number of shards; never changes.
    pub fn shards(&self) -> u16 {
        self.about.shards
    }

    /// What the data says about itself.
    pub fn about(&self) -> &schema::About {
        &self.about
    }
}

impl Shared {
    fn slots(&self) -> MutexGuard<'_, BTreeMap<ShardId, Arc<Slot>>> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, shard: ShardId) -> Arc<Slot> {
        let mut slots = self.slots();
        let slot = slots.entry(shard).or_insert_with(|| {
            Arc::new(Slot {
                owner: tokio::sync::Mutex::default(),
                held: AtomicBool::new(false),
                in_flight: Mutex::default(),
            })
        });
        Arc::clone(slot)
    }

    /// Claim, fence, tail, in this order.
    async fn take_over(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        let slot = self.slot(shard);
        let held = slot.held.load(Relaxed);
        let (epoch, segment) = self.protocol.claim(shard, &self.claimant, held).await?;
        slot.held.store(true, Relaxed);
        // A block of an older incarnation of this process ends now: it is durable already, or refused by the fence.
        let mut standing = slot.owner.lock().await;
        standing.owner = None;
        let owner = self.protocol.stand(shard, epoch, segment).await?;
        for seq in standing.indexed + 1..=owner.last_block {
            let read = self.protocol.read(shard, seq).await?;
            let keyspace = &self.protocol.link.settings.keyspace;
            let corrupt = |what: String| StoreError::Corrupt {
                place: name(keyspace, shard, seq),
                what,
            };
            let (block, _) = read.ok_or_else(|| corrupt("a block of the journal is missing".to_owned()))?;
            let heads = heads(&block, &name(keyspace, shard, seq))?;
            self.index.admit(shard, &heads).map_err(corrupt)?;
            self.index.publish(shard, &heads);
            standing.indexed = seq;
        }
        standing.owner = Some(owner);
        Ok(Claimed {
            epoch: Epoch(epoch),
            last_block: owner.last_block,
            last_now_ms: owner.last_now_ms,
        })
    }

    async fn append(&self, block: Block) -> Commit {
        let slot = self.slot(block.shard);
        let mut standing = slot.owner.lock().await;
        let Some(mut owner) = standing.owner else {
            return Commit::Fenced;
        };
        if owner.epoch != block.epoch.0 || owner.last_block + 1 != block.seq {
            return Commit::Fenced;
        }
        match self.try_append(&mut owner, block).await {
            Ok(Commit::Durable) => {
                standing.indexed = owner.last_block;
                standing.owner = Some(owner);
                Commit::Durable
            }
            Ok(commit) => {
                standing.owner = None;
                commit
            }
            Err(error) => {
                tracing::error!(shard = owner.shard.0, %error, "a block cannot be written");
                standing.owner = None;
                Commit::Failed
            }
        }
    }

    async fn try_append(&self, owner: &mut Owner, block: Block) -> Result<Commit, StoreError> {
        let place = name(&self.protocol.link.settings.keyspace, block.shard, block.seq);
        let heads = heads(&block, &place)?;
        // A journal that holds such a record could not be opened.
        self.index
            .admit(block.shard, &heads)
            .map_err(|what| failed(&place, &what))?;
        let shard = block.shard;
        let block = Arc::new(block);
        if self.protocol.append(owner, &block).await? == Appended::Fenced {
            return Ok(Commit::Fenced);
        }
        self.blocks.keep(block);
        self.index.publish(shard, &heads);
        Ok(Commit::Durable)
    }

    /// Reads of the shard that the account belongs to.
    fn read<T>(
        &self,
        account: AccountRef,
        read: impl FnOnce(View<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let shard = match account {
            DIRECTORY_ACCOUNT => ShardId::DIRECTORY,
            account => (self.shard_of)(account, self.shards_of_data),
        };
        let journal = self.blocks.of(shard);
        read(View {
            index: &self.index,
            journal: &journal,
        })
    }
}

impl Cluster {
    fn assert_shard(&self, shard: ShardId) {
        let known = shard.0 < self.about.shards || shard == ShardId::DIRECTORY;
        assert!(known, "shard {} of {}", shard.0, self.about.shards);
    }
}

impl Journal for Cluster {
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        self.assert_shard(shard);
        let shared = Arc::clone(&self.shared);
        self.runtime.wait(async move { shared.take_over(shard).await })?
    }

    fn submit(&self, block: Block, done: Done) {
        self.assert_shard(block.shard);
        let slot = self.shared.slot(block.shard);
        {
            let mut in_flight = slot.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = *in_flight == Some(block.epoch);
            assert!(!taken, "shard {} has a block in flight already", block.shard.0);
            *in_flight = Some(block.epoch);
        }
        let shared = Arc::clone(&self.shared);
        self.runtime.spawn(async move {
            let epoch = block.epoch;
            let commit = shared.append(block).await;
            {
                let mut in_flight = slot.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
                // An older incarnation's block may end while a newer one's is under way.
                if *in_flight == Some(epoch) {
                    *in_flight = None;
                }
            }
            done(commit);
        });
    }
}

impl Reads for Cluster {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.shared.read(account, |view| view.newest(account, seq))
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.shared.read(account, |view| view.birth(account, seq))
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.shared.index.key_may_exist(account, key)
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.shared.read(account, |view| view.by_key(account, key))
    }

    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.shared.read(query.account, |view| view.page(query, accept))
    }

    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.shared.read(account, |view| view.replay_account(account, visit))
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.shared.index.timers_due(shard, until_ms, limit)
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.shared.index.timers_done(shard, timers);
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        self.shared.index.accounts(shard)
    }
}
