//! What delivery of webhooks is given: notes in the shard's journal, news of accounts with endpoints, events in order.

mod endpoints;
mod events;
mod noting;

use crate::engine::Network;
use crate::office::secrets;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::outbox::{Flushed, Moved, Noted, Outbox, notes_of};
use tollgate_actors::{Engine, EngineConfig};
use tollgate_domain::AccountKey;
use tollgate_domain::events::EventType;
use tollgate_resource::notes;
use tollgate_store::memory::Memory;
use tollgate_store::{Epoch, Reads, ShardId};

/// What an outbox heard.
#[derive(Debug, Clone, PartialEq)]
enum Heard {
    Moved(ShardId, Vec<Moved>),
    Adopted(ShardId, Epoch),
    Leaving(ShardId),
    Lost(ShardId),
}

/// Remembers what it hears. Whoever leaves is kept until [`Spy::flush`], if it is to be.
#[derive(Default)]
struct Spy {
    heard: Mutex<Vec<Heard>>,
    holds: AtomicBool,
    held: Mutex<Vec<Flushed>>,
    /// Events of which the endpoints that have not taken them are as many.
    pending: Mutex<BTreeMap<u64, u32>>,
}

impl Spy {
    fn hear(&self, heard: Heard) {
        self.heard.lock().expect("not poisoned").push(heard);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("not poisoned").clone()
    }

    /// The incarnation of a shard that was adopted last.
    fn epoch(&self, shard: ShardId) -> Epoch {
        let heard = self.heard();
        let mut epochs = heard.iter().filter_map(|heard| match heard {
            Heard::Adopted(of, epoch) if *of == shard => Some(*epoch),
            _ => None,
        });
        epochs.next_back().expect("it was adopted")
    }

    fn flush(&self) -> usize {
        let held = std::mem::take(&mut *self.held.lock().expect("not poisoned"));
        let count = held.len();
        held.into_iter().for_each(|done| done());
        count
    }
}

impl Outbox for Spy {
    fn moved(&self, shard: ShardId, moved: &[Moved]) {
        self.hear(Heard::Moved(shard, moved.to_vec()));
    }
    fn adopted(&self, shard: ShardId, epoch: Epoch) {
        self.hear(Heard::Adopted(shard, epoch));
    }
    fn leaving(&self, shard: ShardId, done: Flushed) {
        self.hear(Heard::Leaving(shard));
        match self.holds.load(Ordering::Relaxed) {
            true => self.held.lock().expect("not poisoned").push(done),
            false => done(),
        }
    }
    fn lost(&self, shard: ShardId) {
        self.hear(Heard::Lost(shard));
    }
    fn pending(&self, _: AccountKey, event_seq: u64, _: EventType) -> u32 {
        let pending = self.pending.lock().expect("not poisoned");
        pending.get(&event_seq).copied().unwrap_or_default()
    }
    fn watches(&self, _: AccountKey) -> bool {
        !self.pending.lock().expect("not poisoned").is_empty()
    }
}

fn start(store: &Arc<Memory>, spy: &Arc<Spy>) -> Engine {
    let mut config = EngineConfig::for_one_machine(2, 1);
    config.on_fatal = Arc::new(|why| panic!("{why}"));
    config.outbox = Arc::clone(spy) as Arc<_>;
    let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
    Engine::start(config, journal, reads, Arc::new(Network), secrets()).expect("the engine starts")
}

/// A note that says this about an account.
fn said(text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    notes::put(&mut body, 7, 1, text.as_bytes());
    body
}

/// What the notes of a shard say, rows in brackets.
fn read_notes(reads: &dyn Reads, shard: ShardId) -> Vec<String> {
    let mut read = Vec::new();
    notes_of(reads, shard, &mut |noted| {
        let (row, body) = match noted {
            Noted::Row(body) => (true, body),
            Noted::Progress(body) => (false, body),
        };
        for entry in notes::entries(&body) {
            let entry = entry.expect("a note reads back");
            let text = match entry.kind {
                notes::CHANGED => format!("changed {}", notes::changed(&entry).expect("a number")),
                _ => String::from_utf8_lossy(entry.bytes).into_owned(),
            };
            read.push(if row { format!("[{text}]") } else { text });
        }
        Ok(())
    })
    .expect("the store reads");
    read
}

/// Waits until everything noted of a shard is durable or dropped.
async fn written(engine: &Engine, shard: ShardId) {
    while engine.notes_open(shard) > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
