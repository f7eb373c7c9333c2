//! Writing to a store under test, and remembering what was written.

use super::Store;
use crate::envelope::{BlockBuilder, records};
use crate::{AccountRef, Block, Claimed, Commit, Epoch, Fetched, From, Head, Journal, PageQuery, ShardId, StoreError};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// The longest a commit may take in a test.
const COMMIT_WAIT_MAX: Duration = Duration::from_secs(30);

/// Submits a block and waits for what becomes of it.
pub fn wait(store: &dyn Store, block: Block) -> Commit {
    let (sender, receiver) = mpsc::sync_channel(1);
    store.submit(
        block,
        Box::new(move |commit| sender.send(commit).expect("the test waits")),
    );
    receiver.recv_timeout(COMMIT_WAIT_MAX).expect("a block is answered")
}

/// The heads of a block's records.
pub fn heads_of(block: &Block) -> Vec<Head> {
    let all: Result<Vec<_>, _> = records(&block.bytes, block.count).collect();
    all.expect("the block reads back")
        .into_iter()
        .map(|record| record.head)
        .collect()
}

/// The owner of one shard.
pub struct Script {
    store: Arc<dyn Store>,
    shard: ShardId,
    builder: BlockBuilder,
    next_block: u64,
}

impl Script {
    /// Claims the shard.
    pub fn claim(store: &Arc<dyn Store>, shard: u16) -> Script {
        let shard = ShardId(shard);
        let claimed: Claimed = store.claim(shard).expect("a claim succeeds");
        let builder = BlockBuilder::new(shard, claimed.epoch, claimed.last_now_ms);
        Script {
            store: Arc::clone(store),
            shard,
            builder,
            next_block: claimed.last_block + 1,
        }
    }

    /// The incarnation it writes as.
    pub fn epoch(&self) -> Epoch {
        self.builder.epoch()
    }

    /// The block that these records make, as the next of the shard, without submitting it.
    pub fn block(&mut self, heads: &[Head]) -> Block {
        for head in heads {
            self.builder.push(head, &body_of(head)).expect("a small block");
        }
        self.builder.seal(self.next_block)
    }

    /// Writes one durable block of these records.
    pub fn write(&mut self, heads: &[Head]) {
        let block = self.block(heads);
        assert_eq!(
            wait(&*self.store, block),
            Commit::Durable,
            "block {} of {:?}",
            self.next_block,
            self.shard
        );
        self.next_block += 1;
    }
}

/// A body that tells its head, so that a mix-up shows.
pub(super) fn body_of(head: &Head) -> Vec<u8> {
    format!("{}/{}/{}", head.account, head.first_seq, head.now_ms).into_bytes()
}

/// The head that was fetched, after a look at its body.
pub(super) fn head_of(fetched: Result<Option<Fetched>, StoreError>) -> Option<Head> {
    let fetched = fetched.expect("the read succeeds")?;
    assert_eq!(
        &fetched.body[..],
        body_of(&fetched.head),
        "the body belongs to another record"
    );
    Some(fetched.head)
}

/// A page without filters.
pub(super) fn query(account: u64, kind: u8, from: From, limit: usize) -> PageQuery<'static> {
    PageQuery {
        account: AccountRef(account),
        kind,
        from,
        limit,
        parents: &[],
        born_ms: (0, u64::MAX),
        tags: 0,
    }
}

/// A page whose caller accepts everything.
pub(super) fn page(store: &dyn Store, query: &PageQuery<'_>) -> Vec<u64> {
    store.page(query, &mut |_, _| true).expect("the page can be read")
}

/// A record of `account` that gives birth to these kinds.
pub(super) fn births(account: u64, now_ms: u64, first_seq: u64, born: &[u8]) -> Head {
    Head {
        account,
        now_ms,
        first_seq,
        born: born.into(),
        ..Head::default()
    }
}

/// The shard's number of the journal of accounts and keys.
pub(super) const DIRECTORY: u16 = ShardId::DIRECTORY.0;

/// Lets a journal be claimed when only its answer matters.
pub(super) fn claimed(store: &dyn Journal, shard: u16) -> Claimed {
    store.claim(ShardId(shard)).expect("a claim succeeds")
}
