//! The directory's own thread. Where it leads it decides changes one after the other, makes them durable in the directory's
//! journal, and only then publishes and answers them; what several threads ask at the same time shares a block. Where
//! another node leads it follows that journal.
//!
//! A leader looks behind its own last block, too: one that was stopped for a while learns there that another node has
//! taken the directory over.

use super::keys::KeyHasher;
use super::looks::Looks;
use super::registry::Registry;
use super::wish::{DirectoryError, Granted, Wish};
use super::{Follows, OnFatal};
use crate::clock::MachineClock;
use crate::settings::{
    DIRECTORY_BATCH_MAX, DIRECTORY_LOOK_BLOCKS_MAX, DIRECTORY_LOOK_EVERY, DIRECTORY_LOOKS_APART, KEY_USES_EVERY,
};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Instant;
use tokio::sync::oneshot;
use tollgate_domain::directory::{Directory, DirectoryFact, DirectoryFacts, KeyUse};
use tollgate_resource::Record;
use tollgate_store::envelope::{BlockBuilder, records};
use tollgate_store::{AccountRef, Block, Commit, Epoch, Head, Journal, Reads, ShardId, StoreError};

/// What the thread is asked.
pub(super) enum Order {
    /// To change something, or to tell.
    Wish(Asked),
    /// To look at the journal: somebody waits.
    Look,
    /// Which uses of keys are news to the journal.
    Uses(oneshot::Sender<Vec<KeyUse>>),
    /// To lead from now on.
    Lead(Option<Epoch>, oneshot::Sender<Result<(), StoreError>>),
    /// To follow from now on.
    Follow(oneshot::Sender<()>),
}

/// A wish, and who has it.
pub(super) struct Asked {
    pub(super) wish: Wish,
    pub(super) reply: oneshot::Sender<Result<Granted, Declined>>,
}

/// Why a wish was not granted.
#[derive(Debug)]
pub(super) enum Declined {
    Error(DirectoryError),
    /// Another node leads. Nothing was done.
    NotLeading(Box<Wish>),
}

/// What the thread shares with its handles.
pub(super) struct Standing {
    pub(super) leads: AtomicBool,
    pub(super) looks: Looks,
}

/// Where a directory works.
pub(super) struct Ports {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) reads: Arc<dyn Reads>,
    pub(super) registry: Arc<Registry>,
    pub(super) hasher: KeyHasher,
    pub(super) standing: Arc<Standing>,
    pub(super) on_fatal: OnFatal,
    /// None where no other node is.
    pub(super) follows: Option<Follows>,
}

/// The thread's state.
pub(super) struct Actor {
    /// Durable, except while a block is being written.
    pub(super) directory: Directory,
    pub(super) registry: Arc<Registry>,
    pub(super) hasher: KeyHasher,
    role: Role,
    /// The newest block that the directory holds.
    last_block: u64,
    /// Whether the registry has all of the directory. Until it has, nothing is published: on the way there a revoked key
    /// is good for a moment.
    shown: bool,
    journal: Arc<dyn Journal>,
    reads: Arc<dyn Reads>,
    standing: Arc<Standing>,
    on_fatal: OnFatal,
    follows: Option<Follows>,
    /// Whether the last look failed: said once.
    blind: bool,
    clock: MachineClock,
}

enum Role {
    /// Decides; the next block is built here, of this incarnation.
    Leading(BlockBuilder),
    Following,
}

/// Why memory may hold what is not durable.
enum Broken {
    /// Another node leads, or another incarnation of this one.
    Fenced,
    /// Something panicked.
    Panicked,
}

impl Actor {
    /// Takes the directory over and reads it; where other nodes are, reads it and follows.
    pub(super) fn start(ports: Ports) -> Result<Actor, StoreError> {
        let mut actor = Actor {
            directory: Directory::new(),
            registry: ports.registry,
            hasher: ports.hasher,
            role: Role::Following,
            last_block: 0,
            shown: false,
            journal: ports.journal,
            reads: ports.reads,
            standing: ports.standing,
            on_fatal: ports.on_fatal,
            follows: ports.follows,
            blind: false,
            clock: MachineClock::start(),
        };
        match actor.follows {
            Some(_) => actor.catch_up(None)?,
            None => actor.lead(None)?,
        }
        Ok(actor)
    }

    /// Serves until every handle is dropped, or until the store has failed.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        let mut uses_due = Instant::now() + KEY_USES_EVERY;
        let mut look_due = self.follows.as_ref().map(|_| Instant::now() + DIRECTORY_LOOK_EVERY);
        // What came after a batch and is no wish.
        let mut put_back = None;
        loop {
            let now = Instant::now();
            if now >= uses_due {
                uses_due = now + KEY_USES_EVERY;
                if !self.guarded(Actor::write_uses) {
                    return;
                }
            }
            if look_due.is_some_and(|due| now >= due) {
                look_due = Some(now + DIRECTORY_LOOK_EVERY);
                if !self.look() {
                    return;
                }
            }
            let next = match put_back.take() {
                Some(order) => Ok(order),
                None => orders.recv_deadline(look_due.map_or(uses_due, |due| due.min(uses_due))),
            };
            let first = match next {
                Ok(Order::Wish(asked)) => asked,
                Ok(Order::Look) => {
                    // Those who ask while it rests are served by the same look.
                    std::thread::sleep(DIRECTORY_LOOKS_APART);
                    look_due = Some(Instant::now() + DIRECTORY_LOOK_EVERY);
                    if !self.look() {
                        return;
                    }
                    continue;
                }
                // Whoever asked the following may have gone; what was done stays.
                Ok(Order::Uses(reply)) => {
                    drop(reply.send(self.news_of_uses()));
                    continue;
                }
                Ok(Order::Lead(after, reply)) => {
                    drop(reply.send(self.lead(after)));
                    continue;
                }
                Ok(Order::Follow(reply)) => {
                    // What is known of uses here goes with the directory; the next owner may start without it.
                    if !self.guarded(Actor::write_uses) {
                        return;
                    }
                    self.follow();
                    let _ = reply.send(());
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut batch = vec![first];
            for order in orders.try_iter().take(DIRECTORY_BATCH_MAX - 1) {
                match order {
                    Order::Wish(asked) => batch.push(asked),
                    other => {
                        put_back = Some(other);
                        break;
                    }
                }
            }
            if !self.guarded(|actor| actor.batch(batch)) {
                return;
            }
        }
    }

    /// Runs a step that writes, and mends what it may have left behind. False when that cannot be.
    fn guarded(&mut self, step: impl FnOnce(&mut Actor) -> Result<(), Broken>) -> bool {
        let done = catch_unwind(AssertUnwindSafe(|| step(self)));
        match done.unwrap_or(Err(Broken::Panicked)) {
            Ok(()) => true,
            Err(broken) => self.restart(&broken),
        }
    }

    /// Decides, writes, publishes, answers. Orders dropped by a panic are answered by the drop of their `reply`.
    fn batch(&mut self, batch: Vec<Asked>) -> Result<(), Broken> {
        let leads = matches!(self.role, Role::Leading(_));
        let mut decided = Vec::with_capacity(batch.len());
        let mut changes = Vec::new();
        for Asked { wish, reply } in batch {
            if !leads && !matches!(wish, Wish::List) {
                decided.push((reply, Err(Declined::NotLeading(Box::new(wish)))));
                continue;
            }
            if !self.shown {
                decided.push((reply, Err(Declined::Error(DirectoryError::Unavailable))));
                continue;
            }
            let now_ms = self.clock.now().unix_ms.max(self.directory.last_now_ms());
            let answer = self.decide(wish, now_ms).and_then(|(facts, granted)| {
                if !facts.facts.is_empty() {
                    self.directory.check(&facts)?;
                    self.take(&facts);
                    changes.push(facts);
                }
                Ok(granted)
            });
            decided.push((reply, answer.map_err(Declined::Error)));
        }
        let written = match changes.is_empty() {
            true => Ok(()),
            false => self.write(),
        };
        if written.is_ok() {
            changes.iter().for_each(|facts| self.registry.publish(facts));
        }
        for (reply, answer) in decided {
            let answer = match written {
                Ok(()) => answer,
                Err(_) => Err(Declined::Error(DirectoryError::Unavailable)),
            };
            // Whoever asked may have gone; the change stands.
            drop(reply.send(answer));
        }
        written
    }

    /// Writes down which keys were used, as far as that is news and this node leads.
    fn write_uses(&mut self) -> Result<(), Broken> {
        let uses = match self.role {
            Role::Leading(_) => self.news_of_uses(),
            Role::Following => Vec::new(),
        };
        if uses.is_empty() {
            return Ok(());
        }
        let now_ms = self.clock.now().unix_ms.max(self.directory.last_now_ms());
        let facts = DirectoryFacts {
            now_ms,
            facts: vec![DirectoryFact::KeysUsed(uses)],
        };
        self.take(&facts);
        self.write()
    }

    /// Applies facts that are allowed and puts them into the next block.
    fn take(&mut self, facts: &DirectoryFacts) {
        self.directory.apply(facts);
        let head = Head {
            now_ms: facts.now_ms,
            ..Head::default()
        };
        self.builder()
            .push(&head, &facts.to_bytes())
            .expect("a batch of orders is far below a block");
    }

    /// The incarnation that this leader is.
    fn epoch(&self) -> Option<Epoch> {
        match &self.role {
            Role::Leading(builder) => Some(builder.epoch()),
            Role::Following => None,
        }
    }

    fn builder(&mut self) -> &mut BlockBuilder {
        match &mut self.role {
            Role::Leading(builder) => builder,
            Role::Following => unreachable!("only a leader writes"),
        }
    }

    fn write(&mut self) -> Result<(), Broken> {
        let seq = self.last_block + 1;
        let block = self.builder().seal(seq);
        let (done, heard) = sync_channel(1);
        self.journal.submit(
            block,
            Box::new(move |commit| {
                // One answer fits; the thread that waits for it is this one.
                let _ = done.try_send(commit);
            }),
        );
        match heard.recv() {
            Ok(Commit::Durable) => {
                self.last_block = seq;
                Ok(())
            }
            Ok(Commit::Fenced) => Err(Broken::Fenced),
            Ok(Commit::Failed) | Err(_) => {
                (self.on_fatal)("the store can no longer write");
                Err(Broken::Fenced)
            }
        }
    }

    /// Discards memory, which may hold what is not durable. After a panic, and where no other node is, the directory is
    /// taken over as a new incarnation; otherwise it follows from now on. False when it cannot be read.
    fn restart(&mut self, broken: &Broken) -> bool {
        tracing::error!("directory discarded; it starts again from the journal");
        let was = self.epoch();
        self.set_role(Role::Following);
        (self.directory, self.last_block, self.shown) = (Directory::new(), 0, false);
        let alone = self.follows.is_none();
        if alone || matches!(broken, Broken::Panicked) {
            match self.lead_after(was) {
                Ok(()) => return true,
                Err(failure) => tracing::error!(%failure, "the directory could not be taken over again"),
            }
        }
        if alone {
            (self.on_fatal)("the directory of accounts and keys cannot be read again");
            return false;
        }
        self.lost("a block of the directory was refused, or it could not be taken over again");
        self.look()
    }

    /// Takes the directory over. When it returns, no block of an earlier leader can become durable any more, and
    /// everything that did is known here.
    fn lead(&mut self, after: Option<Epoch>) -> Result<(), StoreError> {
        match self.role {
            Role::Leading(_) => Ok(()),
            Role::Following => self.lead_after(after),
        }
    }

    fn lead_after(&mut self, was: Option<Epoch>) -> Result<(), StoreError> {
        let claimed = match was {
            None => self.journal.claim(ShardId::DIRECTORY)?,
            // From another owner it is not taken back.
            Some(epoch) => self.journal.claim_after(ShardId::DIRECTORY, epoch)?,
        };
        match self.follows {
            Some(_) => self.catch_up(Some(claimed.last_block))?,
            None => {
                self.directory = replayed(&*self.reads)?;
                self.last_block = claimed.last_block;
                self.show();
            }
        }
        let builder = BlockBuilder::new(ShardId::DIRECTORY, claimed.epoch, claimed.last_now_ms);
        self.set_role(Role::Leading(builder));
        Ok(())
    }

    /// Leaves the directory to another node. What was decided here is durable, so it stands.
    fn follow(&mut self) {
        assert!(self.follows.is_some(), "there is no other node that could lead");
        self.set_role(Role::Following);
    }

    fn set_role(&mut self, role: Role) {
        if let (Some(epoch), Role::Following) = (self.epoch(), &role) {
            self.journal.release(ShardId::DIRECTORY, epoch);
        }
        let leads = matches!(role, Role::Leading(_));
        if leads != self.standing.leads.swap(leads, Ordering::SeqCst) && self.follows.is_some() {
            tracing::info!(
                leads,
                last_block = self.last_block,
                "the directory of accounts and keys"
            );
        }
        self.role = role;
    }

    fn lost(&self, why: &str) {
        if let Some(follows) = &self.follows {
            (follows.on_lost)(why);
        }
    }

    /// Reads what other nodes have written, and tells who waits for it. False when what they wrote cannot be understood:
    /// a node that misses the revocation of a key must not go on.
    fn look(&mut self) -> bool {
        let covers = self.standing.looks.begin();
        let found = catch_unwind(AssertUnwindSafe(|| self.catch_up(None)));
        let found = found.unwrap_or_else(|_| {
            Err(StoreError::Body {
                place: "the directory".into(),
                what: "a record of another node cannot be applied".into(),
            })
        });
        self.standing.looks.end(covers, found.is_ok());
        let blind = found.is_err();
        match found {
            Ok(()) => {}
            Err(StoreError::Io { .. } | StoreError::Stopped) => {
                if let Err(failure) = &found
                    && !self.blind
                {
                    tracing::warn!(%failure, "the directory's journal cannot be read; changes of other nodes are not seen");
                }
            }
            Err(failure) => {
                (self.on_fatal)(&failure.to_string());
                return false;
            }
        }
        self.blind = blind;
        true
    }

    /// Reads the journal on: to its end, or to the block that a claim names as the last.
    fn catch_up(&mut self, last: Option<u64>) -> Result<(), StoreError> {
        let Some(follows) = self.follows.clone() else {
            return Ok(());
        };
        loop {
            let blocks = follows
                .tail
                .blocks_after(ShardId::DIRECTORY, self.last_block, DIRECTORY_LOOK_BLOCKS_MAX)?;
            if blocks.is_empty() {
                break;
            }
            if matches!(self.role, Role::Leading(_)) {
                // Nothing of ours is under way, so memory holds exactly what is durable.
                self.set_role(Role::Following);
                self.lost("another node writes the directory's journal");
            }
            blocks.iter().try_for_each(|block| self.take_block(block))?;
        }
        if let Some(last) = last
            && self.last_block != last
        {
            return Err(StoreError::Corrupt {
                place: "the directory's journal".into(),
                what: format!("it ends at block {}, and its owner was told {last}", self.last_block),
            });
        }
        if !self.shown {
            self.show();
        }
        Ok(())
    }

    fn take_block(&mut self, block: &Block) -> Result<(), StoreError> {
        let place = || format!("block {} of the directory", block.seq);
        if block.seq != self.last_block + 1 {
            return Err(StoreError::Corrupt {
                place: place(),
                what: format!("it follows on block {}", self.last_block),
            });
        }
        for record in records(&block.bytes, block.count) {
            let record = record.map_err(|error| error.at(place()))?;
            let facts = facts_of(record.body)?;
            self.directory.apply(&facts);
            if self.shown {
                self.registry.publish(&facts);
            }
        }
        self.last_block = block.seq;
        Ok(())
    }

    fn show(&mut self) {
        self.registry.publish_all(&self.directory);
        self.shown = true;
    }
}

/// The directory as the journal tells that this process owns.
fn replayed(reads: &dyn Reads) -> Result<Directory, StoreError> {
    let mut directory = Directory::new();
    // Records of the directory belong to no account: their envelope says 0.
    reads.replay_account(AccountRef(0), &mut |fetched| {
        directory.apply(&facts_of(&fetched.body)?);
        Ok(())
    })?;
    Ok(directory)
}

fn facts_of(body: &[u8]) -> Result<DirectoryFacts, StoreError> {
    DirectoryFacts::from_bytes(body).map_err(|error| StoreError::Body {
        place: "the directory".into(),
        what: error.to_string(),
    })
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
