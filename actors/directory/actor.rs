//! The directory's own thread. Where it leads it decides changes one after the other, makes them durable in the directory's
//! journal, and only then publishes and answers them; what several threads ask at the same time shares a block. Where
//! another node leads it follows that journal.

use super::keys::KeyHasher;
use super::leading::{Broken, Role};
use super::looks::Looks;
use super::registry::Registry;
use super::wish::{DirectoryError, Granted, Wish};
use super::{Follows, OnFatal};
use crate::clock::MachineClock;
use crate::settings::{DIRECTORY_BATCH_MAX, DIRECTORY_LOOK_EVERY, DIRECTORY_LOOKS_APART, KEY_USES_EVERY};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::time::Instant;
use tokio::sync::oneshot;
use tollgate_domain::directory::{Directory, DirectoryFact, DirectoryFacts, KeyUse};
use tollgate_resource::Record;
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{Commit, Epoch, Head, Journal, Reads, StoreError};

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
    pub(super) role: Role,
    /// The newest block that the directory holds.
    pub(super) last_block: u64,
    /// Whether the registry has all of the directory. Until it has, nothing is published: on the way there a revoked key
    /// is good for a moment.
    pub(super) shown: bool,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) reads: Arc<dyn Reads>,
    pub(super) standing: Arc<Standing>,
    pub(super) on_fatal: OnFatal,
    pub(super) follows: Option<Follows>,
    /// Whether the last look failed: said once.
    pub(super) blind: bool,
    clock: MachineClock,
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
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
