//! What the engine gives to delivery of webhooks, and what it takes from it.
//!
//! Delivery is somebody else's work, on threads of its own. The engine tells it what became durable of accounts that have an
//! endpoint and which shards are here ([`Outbox`]), writes down what it wants remembered ([`Note`]: into the shard's own
//! journal, under the account that [`AccountRef::notes_of`] says), and lets it read ([`notes_of`], [`page_of`],
//! [`events_after`], [`account_of`]).
//!
//! An account without endpoints costs a look at an empty list for each of its records.

mod notes;
mod reading;
mod records;

pub use notes::{NOTES_OPEN_MAX, OpenNote, OpenNotes};
pub(crate) use notes::{Unheard, head_of, problem};
pub use reading::{
    EVENTS_AFTER_MAX, EventShown, Happened, Noted, account_of, event_shown, events, events_after, first_since,
    notes_of, page_of,
};
pub use records::{RECORD_BYTES_KEPT_MAX, RECORDS_KEPT_MAX, Records};

use crate::engine::Engine;
use crate::router::shard_of;
use crate::shard::Control;
use tollgate_domain::account::AccountKey;
use tollgate_domain::events::EventType;
use tollgate_domain::{Account, Command, Facts, Object};
pub use tollgate_resource::notes::{Note, PAGE_EPOCH_BITS};
use tollgate_store::{Epoch, ShardId};

/// Called when delivery has nothing more to write about a shard that leaves.
pub type Flushed = Box<dyn FnOnce() + Send>;

/// Whoever delivers webhooks. All of it is called on threads that others wait for: none of it may block, but for
/// [`Outbox::settle`].
pub trait Outbox: Send + Sync {
    /// These accounts have new events that are durable, or endpoints that changed. Called on the committer's thread, in the
    /// order of the shard's blocks; an account may be named more than once.
    fn moved(&self, shard: ShardId, moved: &[Moved]);

    /// The shard serves here from now on, as this incarnation: at a start, when it comes from elsewhere, and after a panic.
    fn adopted(&self, shard: ShardId, epoch: Epoch);

    /// The shard is to go elsewhere. Once `done` is called, or after a while, it does; what was noted before that goes with it.
    fn leaving(&self, shard: ShardId, done: Flushed);

    /// The shard is not here any more, or not until it is adopted again: nothing that is noted will be kept.
    fn lost(&self, shard: ShardId);

    /// How many endpoints of the account have not taken this event yet.
    fn pending(&self, account: AccountKey, event_seq: u64, kind: EventType) -> u32;

    /// Whether the account has an endpoint at all.
    fn watches(&self, account: AccountKey) -> bool;

    /// Waits for a moment where what the two above say of the account is not so yet: right after its shard came, or an endpoint
    /// of it was made. Called on reader threads, once before they show events.
    fn settle(&self, account: AccountKey) {
        let _ = account;
    }
}

/// Nobody delivers webhooks: every event counts as taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOutbox;

impl Outbox for NoOutbox {
    fn moved(&self, _: ShardId, _: &[Moved]) {}
    fn adopted(&self, _: ShardId, _: Epoch) {}
    fn leaving(&self, _: ShardId, done: Flushed) {
        done();
    }
    fn lost(&self, _: ShardId) {}
    fn pending(&self, _: AccountKey, _: u64, _: EventType) -> u32 {
        0
    }
    fn watches(&self, _: AccountKey) -> bool {
        false
    }
}

/// An account that has an endpoint, and something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The account.
    pub account: AccountKey,
    /// Every event up to this sequence number is durable.
    pub upto: u64,
    /// Where an endpoint was made, changed or deleted: the number of that change, which rises with each one of the shard's
    /// incarnation.
    pub change: Option<u64>,
}

impl Engine {
    /// Writes down what delivery wants remembered, behind everything that it had written down before. Waits for nothing; a
    /// note that was made for an incarnation that is over is dropped, and so are all that follow it. Nothing needs to wait
    /// for it either: what is noted of successes may be lost with the end of the journal, and is then sent again. Whether it is
    /// durable, [`Engine::notes_open`] says.
    ///
    /// # Errors
    /// Gives the note back when [`NOTES_OPEN_MAX`] notes of the shard are not durable yet. Those that would follow it must not be
    /// handed in before it.
    pub fn note(&self, shard: ShardId, epoch: Epoch, note: Note) -> Result<(), Note> {
        let Some(open) = self.shared.notes.open(shard) else {
            return Err(note);
        };
        let note = Box::new(note);
        self.shared.router.control(shard, Control::Note { epoch, note, open });
        Ok(())
    }

    /// Notes of a shard that were handed in and are neither durable nor dropped.
    pub fn notes_open(&self, shard: ShardId) -> usize {
        self.shared.notes.of(shard)
    }

    /// Has something done about an account that nobody waits for, as a timer does. It is lost with the shard's memory: whoever
    /// wants it looks again whether it was done. That bounds how many there may be.
    pub fn command(&self, account: AccountKey, command: Command) {
        let router = &self.shared.router;
        let command = Box::new(command);
        router.control(
            shard_of(account, router.shards()),
            Control::Command { account, command },
        );
    }
}

/// Whether the account has an endpoint.
pub(crate) fn has_endpoints(account: &Account) -> bool {
    !account.endpoints().is_empty()
}

/// The highest sequence number of an endpoint that the record makes, changes or deletes.
pub(crate) fn endpoint_changed(facts: &Facts) -> Option<u64> {
    let endpoints = facts.objects.iter().filter_map(|object| match object {
        Object::WebhookEndpoint(endpoint) => Some(endpoint.id.seq()),
        _ => None,
    });
    endpoints.max()
}
