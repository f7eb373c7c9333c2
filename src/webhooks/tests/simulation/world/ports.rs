//! What halls of a world say to the rest, kept until the world looks at it.

use super::PANIC;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tollgate_webhooks::EndpointKey;
use tollgate_webhooks::ports::{Alarm, Alert, Attempt, BoxFuture, Delivery, Note, Notes, Outcome, Trail, Transport};

/// Notes of a shard that are taken before they are durable: few, so that some have to wait.
const NOTES_OPEN_MAX: usize = 3;

/// What a process hands out in the middle of a turn.
#[derive(Default)]
pub(crate) struct Heard {
    pub(super) notes: Vec<(u16, u64, Note, Arc<()>)>,
    /// Held by each note of a shard that is neither durable nor dropped.
    open: BTreeMap<u16, Arc<()>>,
    pub(super) alerts: Vec<(u16, EndpointKey, Alert)>,
    /// The next attempt of this endpoint that is logged panics.
    pub(crate) panics: Option<EndpointKey>,
    pub(super) panicked: Vec<EndpointKey>,
    pub(super) left: Vec<u16>,
}

#[derive(Clone, Default)]
pub(crate) struct Ports(Arc<Mutex<Heard>>);

impl Ports {
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Notes for Ports {
    fn write(&self, shard: u16, epoch: u64, note: Note) -> Result<(), Note> {
        if self.open(shard) >= NOTES_OPEN_MAX {
            return Err(note);
        }
        let mut heard = self.heard();
        let open = Arc::clone(heard.open.entry(shard).or_default());
        heard.notes.push((shard, epoch, note, open));
        Ok(())
    }

    fn open(&self, shard: u16) -> usize {
        let heard = self.heard();
        heard.open.get(&shard).map_or(0, |open| Arc::strong_count(open) - 1)
    }
}

impl Trail for Ports {
    fn attempt(&self, attempt: Attempt) {
        let mut heard = self.heard();
        if let Some(key) = heard.panics.take_if(|key| *key == attempt.endpoint) {
            heard.panicked.push(key);
            drop(heard);
            panic!("{PANIC}");
        }
    }
}

impl Alarm for Ports {
    fn raise(&self, shard: u16, endpoint: EndpointKey, alert: Alert) {
        self.heard().alerts.push((shard, endpoint, alert));
    }
}

impl Transport for Ports {
    fn send(&self, _: Delivery) -> BoxFuture<Outcome> {
        unreachable!("deliveries are made by the world")
    }

    fn forget(&self, _: EndpointKey) {}
}
