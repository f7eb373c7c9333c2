//! The store port over the cluster.

use crate::barrier::Looks;
use crate::block::{heads, name};
use crate::failure::failed;
use crate::import;
use crate::index::{LIMITS, Reached};
use crate::link::Link;
use crate::manifests::Manifests;
use crate::nodes::Nodes;
use crate::pieces::{INDEX_CACHE_BYTES, Pieces};
use crate::protocol::{Appended, Claimant, Protocol, Turn};
use crate::reader::{Blocks, CACHE_BYTES};
use crate::runtime::Runtime;
use crate::schema;
use crate::settings::Settings;
use crate::shard::{IndexState, Slot, Taken};
use crate::tail::Tails;
use crate::takeover::rebuild_damaged;
use crate::trail::TableTrail;
use crate::uploads::Uploads;
use crate::vault::VaultTables;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;
use tollgate_store::index::{IDEMPOTENCY_HOURS, Index};
use tollgate_store::reads::View;
use tollgate_store::{
    AccountRef, Barrier, Block, Claimed, Commit, Done, Epoch, Fetched, Journal, KeyHash, PageQuery, Reads, ShardId,
    StoreError,
};
use tollgate_store_index::{Host, Limits, Threads};

/// Threads that write and merge the indexes of all shards.
const THREADS: Threads = Threads { writing: 2, merging: 1 };
/// How long a file of an index stays that is not needed any more: longer than any read that began before takes.
const REMOVE_FILES_AFTER: Duration = Duration::from_secs(600);

/// Which of so many shards an account belongs to: whoever divides the accounts knows.
pub type ShardOf = Arc<dyn Fn(AccountRef, u16) -> ShardId + Send + Sync>;

/// Done by whoever has taken over a shard and does not serve it yet.
pub type BeforeServing = Box<dyn Fn() -> Result<(), StoreError> + Send + Sync>;

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
    /// Bytes of the indexes' files kept in memory, of all shards together.
    pub index_cache_bytes: u64,
    /// When a shard's index moves from memory to files.
    pub index: Limits,
    /// How long a file of an index stays that is not needed any more.
    pub remove_files_after: Duration,
    /// Whether the data that an import brings is to be written: until that has ended, nobody else opens the keyspace.
    pub importing: bool,
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
            index_cache_bytes: INDEX_CACHE_BYTES,
            index: LIMITS,
            remove_files_after: REMOVE_FILES_AFTER,
            importing: false,
        }
    }
}

/// The journal of a cluster, as one node of Tollgate has it open. Dropping it stops its threads; a block whose outcome is
/// not known then is found out by the shard's next owner.
pub struct Cluster {
    about: schema::About,
    uploads: Uploads,
    vault: VaultTables,
    nodes: Nodes,
    trail: Arc<TableTrail>,
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) protocol: Arc<Protocol>,
    pub(crate) tails: Tails,
    pub(crate) pieces: Arc<Pieces>,
    pub(crate) manifests: Arc<Manifests>,
    pub(crate) claimant: Claimant,
    pub(crate) runtime: Runtime,
    /// Works on the indexes of all shards.
    pub(crate) host: Host,
    /// The data's name.
    pub(crate) id: [u8; 16],
    /// Its secret, which has to be the one with which everything in memory was made.
    pub(crate) secret: [u8; 32],
    pub(crate) idempotency_hours: u32,
    pub(crate) index_limits: Limits,
    pub(crate) remove_files_after: Duration,
    /// Takes shards whose index is damaged.
    pub(crate) damaged: mpsc::SyncSender<ShardId>,
    pub(crate) closing: AtomicBool,
    pub(crate) before_serving: OnceLock<BeforeServing>,
    shard_of: ShardOf,
    blocks: Blocks,
    /// Every shard; the last one is the directory's.
    slots: Box<[Slot]>,
}

impl Cluster {
    /// Connects to a cluster whose schema was applied.
    pub fn open(options: Options) -> Result<Arc<Cluster>, StoreError> {
        let runtime = Runtime::start()?;
        let (settings, cache_bytes) = (options.settings.clone(), options.index_cache_bytes);
        let importing = options.importing;
        let claimant = Claimant::new(options.node, options.addr)?;
        let (speaking, process, shard_of) = (runtime.clone(), claimant.process, Arc::clone(&options.shard_of));
        let me = claimant.clone();
        let (about, protocol, tails, pieces, manifests, uploads, vault, trail, nodes) =
            runtime.wait(async move {
                let link = Arc::new(Link::connect(&settings).await?);
                let about = schema::check(&link).await?;
                if !importing {
                    import::is_over(&link).await?;
                }
                let pieces = Pieces::prepare(Arc::clone(&link), speaking.clone(), cache_bytes).await?;
                let manifests = Manifests::prepare(Arc::clone(&link)).await?;
                let divided = (about.shards, shard_of);
                let uploads = Uploads::prepare(Arc::clone(&link), speaking.clone(), process, divided).await?;
                let vault = VaultTables::prepare(Arc::clone(&link), speaking.clone()).await?;
                let trail = TableTrail::prepare(Arc::clone(&link), speaking.clone()).await?;
                let nodes = Nodes::prepare(Arc::clone(&link), speaking, me).await?;
                let tails = Tails::prepare(&link).await?;
                let protocol = Protocol::prepare(link).await?;
                Ok::<_, StoreError>((about, protocol, tails, pieces, manifests, uploads, vault, trail, nodes))
            })??;
        let no_thread = |error: std::io::Error| failed("a thread cannot be started", &error);
        let protocol = Arc::new(protocol);
        let blocks = Blocks::new(Arc::clone(&protocol), runtime.clone(), options.cache_bytes);
        let slots = usize::from(about.shards) + 1;
        // Each shard may be damaged, and an operator may ask for each.
        let (damaged, to_rebuild) = mpsc::sync_channel(2 * slots);
        let shared = Arc::new(Shared {
            protocol,
            tails,
            pieces: Arc::new(pieces),
            manifests: Arc::new(manifests),
            claimant,
            runtime,
            host: Host::start(THREADS).map_err(no_thread)?,
            id: about.id,
            secret: about.secret,
            idempotency_hours: options.idempotency_hours,
            index_limits: options.index,
            remove_files_after: options.remove_files_after,
            damaged,
            closing: AtomicBool::new(false),
            before_serving: OnceLock::new(),
            shard_of: options.shard_of,
            blocks,
            slots: (0..slots).map(|_| Slot::default()).collect(),
        });
        let weak = Arc::downgrade(&shared);
        // It ends when the last sender is gone, which `shared` and what it serves have.
        let rebuilder = std::thread::Builder::new().name("tollgate-rebuild".to_owned());
        rebuilder
            .spawn(move || rebuild_damaged(&weak, &to_rebuild))
            .map_err(no_thread)?;
        Ok(Arc::new(Cluster {
            about,
            uploads,
            vault,
            nodes,
            trail: Arc::new(trail),
            shared,
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

    /// The bytes of uploaded files.
    pub fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// What the vault keeps.
    pub fn vault(&self) -> &VaultTables {
        &self.vault
    }

    /// Sets what is done for every shard that is taken over, after the claim and before it serves; only the first time
    /// counts. The shard is not taken where it fails.
    pub fn before_serving(&self, work: BeforeServing) {
        let _ = self.shared.before_serving.set(work);
    }

    /// What may be forgotten, of all nodes.
    pub fn trail(&self) -> &Arc<TableTrail> {
        &self.trail
    }

    /// The tables of the membership.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// What taking the shard over was like, while it is here.
    pub fn taken(&self, shard: ShardId) -> Option<Taken> {
        let serving = self.shared.slot(shard).serving();
        serving.map(|serving| serving.taken.clone())
    }

    /// The indexes of the shards that are served here.
    pub fn indexes(&self) -> Vec<IndexState> {
        let numbers = (0..self.about.shards).map(ShardId).chain([ShardId::DIRECTORY]);
        let served = numbers.filter_map(|shard| {
            let slot = self.shared.slot(shard);
            let serving = slot.serving()?;
            Some(IndexState {
                shard,
                blocks: serving.indexed.load(Relaxed),
                built: serving.built,
                rebuilding: slot.rebuild_wanted.load(Relaxed),
            })
        });
        served.collect()
    }

    /// Has the index of a shard built again from the journal, while the one that is there serves. [`Cluster::indexes`] tells
    /// when it is done. False when the shard is not served here.
    pub fn rebuild_index(&self, shard: ShardId) -> bool {
        let slot = self.shared.slot(shard);
        if slot.serving().is_none() {
            return false;
        }
        if !slot.rebuild_wanted.swap(true, Relaxed) {
            let _ = self.shared.damaged.try_send(shard);
        }
        true
    }

    /// The epoch in which this process has a shard, if it has it.
    pub fn epoch_here(&self, shard: ShardId) -> Option<u64> {
        self.shared.slot(shard).serving().map(|serving| serving.epoch)
    }

    /// What is wrong with an index, if something is: it is damaged and being built again, or cannot be written and stays
    /// in memory until it can.
    pub fn index_warning(&self) -> Option<StoreError> {
        let serving = self.shared.slots.iter().filter_map(Slot::serving);
        serving.filter_map(|serving| serving.index.warning()).next()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.shared.closing.store(true, Relaxed);
    }
}

impl Shared {
    pub(crate) fn slot(&self, shard: ShardId) -> &Slot {
        let last = self.slots.len() - 1;
        let known = usize::from(shard.0) < last || shard == ShardId::DIRECTORY;
        assert!(known, "shard {} of {last}", shard.0);
        &self.slots[usize::from(shard.0).min(last)]
    }

    fn shard_of(&self, account: AccountRef) -> ShardId {
        let shards = self.slots.len() - 1;
        match account {
            DIRECTORY_ACCOUNT => ShardId::DIRECTORY,
            account => (self.shard_of)(account, shards as u16),
        }
    }

    pub(crate) fn keyspace(&self) -> &str {
        &self.protocol.link.settings.keyspace
    }

    async fn append(&self, block: Block) -> Commit {
        let slot = self.slot(block.shard);
        let Some(mut turn) = slot.seat.turn(&block).await else {
            return Commit::Fenced;
        };
        let shard = block.shard.0;
        let commit = match self.try_append(&mut turn, slot, block).await {
            Ok(commit) => commit,
            Err(error) => {
                tracing::error!(shard, %error, "a block cannot be written");
                Commit::Failed
            }
        };
        match commit {
            Commit::Durable => turn.keep(),
            Commit::Fenced | Commit::Failed => slot.serve(None),
        }
        commit
    }

    async fn try_append(&self, turn: &mut Turn, slot: &Slot, block: Block) -> Result<Commit, StoreError> {
        let Some(serving) = slot.serving() else {
            return Ok(Commit::Fenced);
        };
        let place = name(self.keyspace(), block.shard, block.seq);
        let heads = heads(&block, &place)?;
        if let Some((_, head)) = heads
            .iter()
            .find(|(_, head)| self.shard_of(AccountRef(head.account)) != block.shard)
        {
            let what = format!("account {:#018x} belongs to another shard", head.account);
            return Err(failed(&place, &what));
        }
        // A journal that holds such a record could not be opened.
        serving
            .index
            .admit(block.shard, &heads)
            .map_err(|what| failed(&place, &what))?;
        let shard = block.shard;
        let block = Arc::new(block);
        if turn.append(&self.protocol, &block).await? == Appended::Fenced {
            return Ok(Commit::Fenced);
        }
        self.blocks.keep(block);
        serving.index.publish(shard, &heads);
        let reached = Reached {
            block: turn.owner().last_block,
            chain: turn.owner().chain,
        };
        serving.indexed.store(reached.block, Relaxed);
        serving.index.reached(|| reached);
        Ok(Commit::Durable)
    }

    /// Reads of the shard that the account belongs to. Only its owner answers.
    fn read<T>(
        &self,
        account: AccountRef,
        read: impl FnOnce(View<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let shard = self.shard_of(account);
        let serving = self
            .slot(shard)
            .serving()
            .ok_or(StoreError::NotHere { shard: shard.0 })?;
        let journal = self.blocks.of(shard);
        read(View {
            index: &serving.index,
            journal: &journal,
        })
    }
}

impl Journal for Cluster {
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        self.shared.take_over(shard, None)
    }

    fn claim_after(&self, shard: ShardId, epoch: Epoch) -> Result<Claimed, StoreError> {
        self.shared.take_over(shard, Some(epoch))
    }

    fn release(&self, shard: ShardId, epoch: Epoch) {
        self.shared.give_up(shard, epoch);
    }

    fn barrier(&self) -> Option<Arc<dyn Barrier>> {
        Some(Arc::new(Looks(Arc::clone(&self.shared))))
    }

    fn submit(&self, block: Block, done: Done) {
        {
            let mut in_flight = self.shared.slot(block.shard).in_flight();
            let taken = *in_flight == Some(block.epoch);
            assert!(!taken, "shard {} has a block in flight already", block.shard.0);
            *in_flight = Some(block.epoch);
        }
        let shared = Arc::clone(&self.shared);
        self.shared.runtime.spawn(async move {
            let (shard, epoch) = (block.shard, block.epoch);
            let commit = shared.append(block).await;
            {
                let mut in_flight = shared.slot(shard).in_flight();
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
        let serving = self.shared.slot(self.shared.shard_of(account)).serving();
        // Where it is not known, whoever looks is told so.
        serving.is_none_or(|serving| serving.index.key_may_exist(account, key))
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
        let serving = self.shared.slot(shard).serving();
        serving.map_or_else(Vec::new, |serving| serving.index.timers_due(shard, until_ms, limit))
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        if let Some(serving) = self.shared.slot(shard).serving() {
            serving.index.timers_done(shard, timers);
        }
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        let serving = self.shared.slot(shard).serving();
        serving.map_or_else(Vec::new, |serving| serving.index.accounts(shard))
    }
}
