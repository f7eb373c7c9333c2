//! The engine behind the ports through which delivery writes: notes, and what is to be told about an endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tollgate_actors::Engine;
use tollgate_domain::{AccountKey, Command};
use tollgate_relay::told::report_of;
use tollgate_resource::Id;
use tollgate_store::{Epoch, ShardId};
use tollgate_webhooks::EndpointKey;
use tollgate_webhooks::ports::{Alarm, Alert, Note, Notes};

/// The engine, from its start until delivery has stopped: each of the two holds the other.
#[derive(Default)]
pub(super) struct Joined {
    engine: RwLock<Option<Engine>>,
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
}

/// The port of notes.
pub(super) struct JournalNotes(pub(super) Arc<Joined>);

impl Notes for JournalNotes {
    fn write(&self, shard: u16, epoch: u64, note: Note) -> Result<(), Note> {
        // Without an engine no shard is here, and nothing is kept.
        let Some(engine) = self.0.engine() else { return Ok(()) };
        engine.note(ShardId(shard), Epoch(epoch), note)
    }

    fn open(&self, shard: u16) -> usize {
        self.0.engine().map_or(0, |engine| engine.notes_open(ShardId(shard)))
    }
}

/// The port of alarms: what became of an endpoint is the domain's to decide.
pub(super) struct DomainAlarm(pub(super) Arc<Joined>);

impl Alarm for DomainAlarm {
    fn raise(&self, _: u16, endpoint: EndpointKey, alert: Alert) {
        let Some(engine) = self.0.engine() else { return };
        // Whoever raises it has read the endpoint.
        let Some(id) = self.0.id_of(endpoint) else { return };
        let Some(report) = report_of(alert) else { return };
        engine.command(AccountKey(endpoint.account), Command::ReportWebhookEndpoint(id, report));
    }
}
