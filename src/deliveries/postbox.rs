//! What shards tell, handed on to the dispatcher as long as there is one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tollgate_actors::outbox::{Flushed, Moved, Outbox};
use tollgate_actors::router::shard_of;
use tollgate_domain::AccountKey;
use tollgate_domain::events::EventType;
use tollgate_relay::told::moved_as;
use tollgate_resource::Names;
use tollgate_store::{Epoch, ShardId};
use tollgate_webhooks::hall::{Command, LaneStatus, Reply};
use tollgate_webhooks::{Dispatcher, Registry};

/// How long a reader waits for the endpoints of an account to be known: as a rule that takes a few milliseconds. Others wait for
/// the thread.
const SETTLE_MAX: Duration = Duration::from_millis(50);
/// How often it looks.
const SETTLE_LOOK: Duration = Duration::from_millis(1);

/// The port of the shards.
pub(super) struct Postbox {
    /// Shards of the data.
    shards: u16,
    /// Who has not taken what; read by whoever shows events.
    registry: OnceLock<Arc<Registry>>,
    state: Mutex<State>,
}

/// Where the dispatcher is.
enum State {
    /// It is yet to begin; these shards are here already.
    Coming(BTreeMap<ShardId, Epoch>),
    Running(Dispatcher),
    /// Nobody delivers any more.
    Ended,
}

impl Postbox {
    pub(super) fn new(shards: u16) -> Postbox {
        Postbox {
            shards,
            registry: OnceLock::new(),
            state: Mutex::new(State::Coming(BTreeMap::new())),
        }
    }

    /// From now on it delivers.
    pub(super) fn begin(&self, dispatcher: Dispatcher) {
        let mut state = self.state();
        let State::Coming(here) = &mut *state else {
            unreachable!("delivery begins once")
        };
        let here = std::mem::take(here);
        // What happened to the accounts of these shards before is durable, and is read.
        here.iter()
            .for_each(|(shard, epoch)| dispatcher.adopted(shard.0, epoch.0));
        let first = self.registry.set(Arc::clone(dispatcher.registry()));
        assert!(first.is_ok(), "delivery begins once");
        *state = State::Running(dispatcher);
    }

    /// Comes to an end, and waits for it.
    pub(super) fn end(&self, patience: Duration) {
        let state = std::mem::replace(&mut *self.state(), State::Ended);
        if let State::Running(dispatcher) = state {
            dispatcher.stop(patience);
        }
    }

    /// Hands a command about an endpoint of this shard to the dispatcher. False when it has no room, or does not run.
    pub(super) fn command(&self, shard: u16, command: Command) -> bool {
        match &*self.state() {
            State::Running(dispatcher) => dispatcher.command(shard, command).is_ok(),
            State::Coming(_) | State::Ended => false,
        }
    }

    /// Asks every thread for the lanes that are most behind; nobody answers where nobody delivers.
    pub(super) fn lanes(&self, limit: usize, reply: impl Fn() -> Reply<Vec<LaneStatus>>) {
        if let State::Running(dispatcher) = &*self.state() {
            dispatcher.lanes(limit, reply);
        }
    }

    /// Has every account and its endpoints read again. False when a thread has no room to hear it, or none runs.
    pub(super) fn look_again(&self) -> bool {
        match &*self.state() {
            State::Running(dispatcher) => dispatcher.look_again(),
            State::Coming(_) | State::Ended => false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox for Postbox {
    fn moved(&self, shard: ShardId, moved: &[Moved]) {
        if let State::Running(dispatcher) = &*self.state() {
            let moved = moved.iter().map(moved_as);
            dispatcher.moved(shard.0, &moved.collect::<Vec<_>>());
        }
    }

    fn adopted(&self, shard: ShardId, epoch: Epoch) {
        match &mut *self.state() {
            State::Coming(here) => drop(here.insert(shard, epoch)),
            State::Running(dispatcher) => dispatcher.adopted(shard.0, epoch.0),
            State::Ended => {}
        }
    }

    fn leaving(&self, shard: ShardId, done: Flushed) {
        match &mut *self.state() {
            State::Running(dispatcher) => return dispatcher.leaving(shard.0, done),
            State::Coming(here) => drop(here.remove(&shard)),
            State::Ended => {}
        }
        done();
    }

    fn lost(&self, shard: ShardId) {
        match &mut *self.state() {
            State::Coming(here) => drop(here.remove(&shard)),
            State::Running(dispatcher) => dispatcher.lost(shard.0),
            State::Ended => {}
        }
    }

    fn pending(&self, account: AccountKey, event_seq: u64, kind: EventType) -> u32 {
        let registry = self.registry.get();
        registry.map_or(0, |registry| registry.pending(account.0, event_seq, kind.name()))
    }

    fn settle(&self, account: AccountKey) {
        let Some(registry) = self.registry.get() else { return };
        let shard = shard_of(account, self.shards);
        let end = Instant::now() + SETTLE_MAX;
        while !registry.is_settled(shard.0, account.0) && Instant::now() < end {
            std::thread::sleep(SETTLE_LOOK);
        }
    }

    fn watches(&self, account: AccountKey) -> bool {
        self.registry.get().is_some_and(|registry| registry.watches(account.0))
    }
}
