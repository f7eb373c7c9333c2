//! A process that owns the shard now and then: it claims, stands on the tail, appends, panics and claims again, as the store
//! does for the engine.

use super::SHARD;
use super::executor::ProcessId;
use super::network::{Connection, Network};
use crate::block::Header;
use crate::protocol::{Appended, Claimant, Owner, Protocol, Seat};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use tokio::sync::oneshot;
use tollgate_store::{Block, Epoch, StoreError};

/// Most blocks that an owner appends before it claims again or lets go.
const BLOCKS_MAX: u64 = 6;
/// Blocks that a new owner reads again; of those that were there before the simulation there are no more.
pub(super) const READ_AGAIN: u64 = 3;

/// What processes have in common.
pub(super) struct Shared {
    pub(super) network: Network,
    /// Nobody claims any more.
    pub(super) closing: AtomicBool,
    /// Newest block before the simulation began.
    pub(super) base: u64,
    pub(super) contents: AtomicU64,
}

/// A process.
pub(super) struct Process {
    shared: Arc<Shared>,
    id: ProcessId,
    claimant: Claimant,
    protocol: Arc<Protocol<Connection>>,
    seat: Seat,
    /// What its reads are answered from: epoch and newest block.
    memory: Memory,
}

type Memory = Arc<std::sync::Mutex<Option<(u64, u64)>>>;

impl Process {
    pub(super) async fn start(shared: &Arc<Shared>, id: ProcessId) -> Process {
        let connection = shared.network.connect(id);
        let claimant = Claimant::new(format!("node {id}"), "127.0.0.1:1".to_owned());
        Process {
            shared: Arc::clone(shared),
            id,
            claimant: claimant.expect("random bytes"),
            protocol: Arc::new(Protocol::prepare(connection).await.expect("the statements are right")),
            seat: Seat::default(),
            memory: Arc::default(),
        }
    }

    /// Lives until the simulation closes.
    pub(super) async fn live(self) {
        let executor = self.shared.network.executor.clone();
        let mut known = None;
        while !self.shared.closing.load(Relaxed) {
            executor.sleep(executor.draw(|random| random.long_time())).await;
            // It goes by the epoch that it had, by one that it has seen, or takes the shard from whoever has it.
            if known.is_none() && executor.draw(|random| random.chance(500)) {
                known = self.protocol.ownership(SHARD).await.ok().map(|now| now.epoch);
                executor.sleep(executor.draw(|random| random.long_time())).await;
            }
            known = match self.claim(known).await {
                Ok(owner) => {
                    self.append_some(owner).await;
                    Some(owner.epoch)
                }
                Err(_) => None,
            };
        }
    }

    /// Claims the shard, and stands on its tail. The steps are those of `takeover.rs`; their order is the seat's.
    pub(super) async fn claim(&self, after: Option<u64>) -> Result<Owner, StoreError> {
        let (epoch, segment) = self.protocol.claim(SHARD, &self.claimant, after).await?;
        self.shared.network.state().witness.claimed(self.id, epoch, after);
        let vacant = self.seat.vacate().await;
        let owner = vacant.stand(&self.protocol, SHARD, (epoch, segment)).await?;
        self.shared.network.state().witness.stands(&owner);
        self.read_from(owner.last_block.saturating_sub(READ_AGAIN), &owner)
            .await?;
        remember(&self.memory, Some(&owner));
        vacant.sit(owner);
        Ok(owner)
    }

    /// Reads the blocks from one up to the newest, and holds their chain against the owner's.
    pub(super) async fn read_from(&self, first: u64, owner: &Owner) -> Result<Vec<Block>, StoreError> {
        let (mut chain, mut blocks) = (None, Vec::new());
        for seq in first.max(1)..=owner.last_block {
            let protocol = &self.protocol;
            let (block, chained) = protocol
                .read(SHARD, seq)
                .await?
                .unwrap_or_else(|| panic!("block {seq} of {} is missing", owner.last_block));
            let follows = chain.is_none_or(|before| Header::of(&block).chain(before) == chained);
            assert!(follows, "block {seq} does not follow from the one before it");
            chain = Some(chained);
            blocks.push(block);
        }
        assert!(
            chain.is_none_or(|chain| chain == owner.chain),
            "the owner's chain is another"
        );
        Ok(blocks)
    }

    async fn append_some(&self, mut owner: Owner) {
        let executor = self.shared.network.executor.clone();
        for _ in 0..executor.draw(|random| random.below(BLOCKS_MAX)) {
            if executor.draw(|random| random.chance(300)) {
                executor.sleep(executor.draw(|random| random.long_time())).await;
            }
            if executor.draw(|random| random.chance(400)) {
                self.read();
            }
            let ended = self.submit(owner.epoch, owner.last_block + 1, owner.last_now_ms + 1);
            // The shard panics and is built again while its block is under way.
            if executor.draw(|random| random.chance(150)) {
                return;
            }
            if ended.await != Ok(Appended::Durable) {
                return;
            }
            owner.last_block += 1;
            owner.last_now_ms += 1;
        }
    }

    /// Somebody reads, sooner or later: answered from memory, and let go once a look that begins then finds the shard here. As
    /// `barrier.rs` does it.
    fn read(&self) {
        let (shared, protocol, memory) = (
            Arc::clone(&self.shared),
            Arc::clone(&self.protocol),
            Arc::clone(&self.memory),
        );
        let executor = self.shared.network.executor.clone();
        self.shared.network.executor.spawn(self.id, async move {
            executor.sleep(executor.draw(|random| random.long_time())).await;
            let acknowledged = shared.network.state().witness.acknowledged();
            let answer = *memory.lock().expect("no task panics with it");
            if let Some((epoch, newest)) = answer
                && let Ok(true) = protocol.is_owner(SHARD, epoch).await
            {
                shared.network.state().witness.answered(epoch, newest, acknowledged);
            }
        });
    }

    /// Appends a block in a task of its own, as `store.rs` does it. What became of it is there once it is known.
    pub(super) fn submit(&self, epoch: u64, seq: u64, now_ms: u64) -> oneshot::Receiver<Appended> {
        let content = self.shared.contents.fetch_add(1, Relaxed);
        let block = Block {
            shard: SHARD,
            epoch: Epoch(epoch),
            seq,
            now_ms,
            count: 1,
            bytes: content.to_le_bytes().to_vec(),
        };
        let (tell, ended) = oneshot::channel();
        let (seat, protocol) = (self.seat.clone(), Arc::clone(&self.protocol));
        let (shared, id, memory) = (Arc::clone(&self.shared), self.id, Arc::clone(&self.memory));
        shared.network.state().witness.begins(id, epoch, seq, content);
        let executor = self.shared.network.executor.clone();
        self.shared.network.executor.spawn(id, async move {
            // Its thread may be busy: by then a newer incarnation may sit there.
            if executor.draw(|random| random.chance(100)) {
                executor.sleep(executor.draw(|random| random.long_time())).await;
            }
            let told = match seat.turn(&block).await {
                None => Appended::Fenced,
                Some(mut turn) => {
                    let appended = turn.append(&protocol, &block).await;
                    let told = appended.expect("no statement is refused for good");
                    let durable = told == Appended::Durable;
                    remember(&memory, durable.then(|| turn.owner()));
                    if durable {
                        turn.keep();
                    }
                    told
                }
            };
            let mut state = shared.network.state();
            let state = &mut *state;
            state.witness.told(&state.tables, i64::from(SHARD.0), content, told);
            // Nobody waits for it where the shard has panicked.
            let _ = tell.send(told);
        });
        ended
    }
}

fn remember(memory: &Memory, owner: Option<&Owner>) {
    *memory.lock().expect("no task panics with it") = owner.map(|owner| (owner.epoch, owner.last_block));
}
