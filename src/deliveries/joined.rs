//! The engine behind the ports through which delivery writes: notes, and what is to be told about an endpoint.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tollgate_actors::Engine;
use tollgate_actors::outbox::Note;
use tollgate_domain::webhooks::webhook_endpoint::{DisabledReason, EndpointReport};
use tollgate_domain::{AccountKey, Command};
use tollgate_resource::Id;
use tollgate_store::{Epoch, ShardId};
use tollgate_webhooks::EndpointKey;
use tollgate_webhooks::ports::{self, Alarm, Alert, Notes};

/// The engine, from its start until delivery has stopped: each of the two holds the other.
#[derive(Default)]
pub(super) struct Joined {
    engine: RwLock<Option<Engine>>,
    /// Shards whose journal takes no note at the moment, with the incarnation that was told so. What would have been noted
    /// since is found out again from what is durable.
    stuck: Mutex<BTreeMap<ShardId, Epoch>>,
    /// Ids of the endpoints that were read, which delivery knows by number.
    ids: Mutex<HashMap<EndpointKey, Id>>,
}

impl Joined {
    pub(super) fn join(&self, engine: &Engine) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Some(engine.clone());
    }

    pub(super) fn part(&self) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn engine(&self) -> Option<Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers an endpoint's id.
    pub(super) fn read(&self, endpoint: EndpointKey, id: Id) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(endpoint, id);
    }

    /// Whether this process serves a shard.
    pub(super) fn is_here(&self, shard: ShardId) -> bool {
        let state = self.engine().and_then(|engine| engine.shard_state(shard));
        state.is_some_and(|state| state.is_here())
    }

    /// Has the domain decide something about an account.
    pub(super) fn command(&self, account: AccountKey, command: Command) {
        if let Some(engine) = self.engine() {
            engine.command(account, command);
        }
    }

    fn id_of(&self, endpoint: EndpointKey) -> Option<Id> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.get(&endpoint).copied()
    }

    fn stuck(&self) -> MutexGuard<'_, BTreeMap<ShardId, Epoch>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another incarnation of the shard, or none, follows: what the one before could not note does not matter any more.
    pub(super) fn settled(&self, shard: ShardId) {
        self.stuck().remove(&shard);
    }

    /// Shards that could not take notes, and can again: nothing of theirs is on its way any more.
    pub(super) fn freed(&self) -> Vec<(ShardId, Epoch)> {
        let mut stuck = self.stuck();
        if stuck.is_empty() {
            return Vec::new();
        }
        let Some(engine) = self.engine() else { return Vec::new() };
        let freed: Vec<(ShardId, Epoch)> = stuck
            .iter()
            .filter(|(shard, _)| engine.notes_open(**shard) == 0)
            .map(|(shard, epoch)| (*shard, *epoch))
            .collect();
        stuck.retain(|shard, epoch| !freed.contains(&(*shard, *epoch)));
        freed
    }
}

/// The port of notes. `on_stuck` is told of shards that take none for now.
pub(super) struct JournalNotes {
    pub(super) joined: Arc<Joined>,
    pub(super) on_stuck: Box<dyn Fn(ShardId) + Send + Sync>,
}

impl Notes for JournalNotes {
    fn write(&self, shard: u16, epoch: u64, note: ports::Note) {
        let (shard, epoch) = (ShardId(shard), Epoch(epoch));
        let Some(engine) = self.joined.engine() else { return };
        // What follows a note that was not written may build on it.
        if self.joined.stuck().get(&shard) == Some(&epoch) {
            return;
        }
        let note = match note {
            ports::Note::Progress(body) => Note::Progress(body),
            ports::Note::Page { number, body } => Note::Page { number, body },
            ports::Note::Row { body, heard } => Note::Row { body, heard },
        };
        if engine.note(shard, epoch, note).is_err() {
            tracing::warn!(
                shard = shard.0,
                "the store does not keep up with notes of deliveries; those of this shard wait for it"
            );
            self.joined.stuck().insert(shard, epoch);
            (self.on_stuck)(shard);
        }
    }
}

/// The port of alarms: what became of an endpoint is the domain's to decide.
pub(super) struct DomainAlarm(pub(super) Arc<Joined>);

impl Alarm for DomainAlarm {
    fn raise(&self, _: u16, endpoint: EndpointKey, alert: Alert) {
        let Some(engine) = self.0.engine() else { return };
        // Whoever raises it has read the endpoint.
        let Some(id) = self.0.id_of(endpoint) else { return };
        let report = match alert {
            Alert::Failing { since_ms } => EndpointReport::Failing { since_ms },
            Alert::Recovered => EndpointReport::Recovered,
            Alert::Dead { .. } => EndpointReport::Disable(DisabledReason::Failing),
            Alert::Gone => EndpointReport::Disable(DisabledReason::Gone),
            // For the operator: it is in the log and among the metrics, and nothing of the merchant's doing.
            Alert::Quarantined => return,
        };
        engine.command(AccountKey(endpoint.account), Command::ReportWebhookEndpoint(id, report));
    }
}
