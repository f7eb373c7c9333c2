//! Decided facts: everything one command changed, as it stands in the journal. Replay applies them, `decide` never runs
//! twice, so amounts, fees, dates and ids are all in here.

use crate::acquirer::{AttemptId, NetworkCall};
use crate::books::Entry;
use crate::events::{Event, EventFact, EventType, EventVersion};
use crate::kinds;
use crate::object::Object;
use crate::reject::Reject;
use smallvec::SmallVec;
use std::sync::Arc;
use tollgate_resource::{Id, Kind, Record};

/// What one command changed.
///
/// Objects born here take the account's sequence numbers `first_seq ..`, in order: first each born object, then each
/// event. Changed objects keep their id.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Facts {
    /// When it was decided, milliseconds since the Unix epoch.
    #[record(1)]
    pub now_ms: u64,
    /// The account's sequence before this command; what it makes gets the numbers after it.
    #[record(2)]
    pub seq_before: u64,
    /// New versions of objects, born or changed, in a fixed order.
    #[record(3)]
    pub objects: Vec<Object>,
    /// Ledger entries.
    #[record(4)]
    pub entries: Vec<Entry>,
    /// Events, in the order they happened.
    #[record(5)]
    pub events: Vec<EventFact>,
    /// The request that caused it; `None` for timers and acquirers' answers.
    #[record(6)]
    pub request: Option<Id>,
    /// What its idempotency key remembers.
    #[record(7)]
    pub outcome: Option<Outcome>,
    /// Calls to a network, to be made once this is durable.
    #[record(8)]
    pub calls: Vec<NetworkCall>,
    /// Timers: at `at_ms`, `TimerDue(object)` is commanded.
    #[record(9)]
    pub timers: Vec<Timer>,
    /// The account's sequence after this command.
    #[record(10)]
    pub seq_after: u64,
    /// For each older object of the record, in their order: how many events about it had happened before. Nothing stands here
    /// where that was none for all of them, nor in records of releases that did not count; what is born here has had none.
    #[record(11)]
    pub events_before: Vec<u32>,
}

impl Facts {
    /// Whether nothing happened: no object, entry, event, call or timer.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && self.entries.is_empty()
            && self.events.is_empty()
            && self.calls.is_empty()
            && self.timers.is_empty()
    }

    /// Leaves only what a retry hears, once everything else is recorded: it would lie in memory for as long as the key is
    /// remembered, and nobody would look at it.
    pub fn leave_answer(&mut self) {
        self.entries = Vec::new();
        self.events = Vec::new();
        self.events_before = Vec::new();
        self.calls = Vec::new();
        self.timers = Vec::new();
    }

    /// The object at its version in this record.
    pub fn object(&self, kind: &'static Kind, id: Id) -> Option<&Object> {
        self.objects
            .iter()
            .find(|object| object.kind() == kind && object.id() == id)
    }

    /// The objects that were born here, in sequence order.
    pub fn born(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| object.id().seq() > self.seq_before)
    }

    /// The sequence number of the first event; the others follow.
    pub fn first_event_seq(&self) -> u64 {
        self.seq_after + 1 - self.events.len() as u64
    }

    /// What the event with sequence number `seq` is called, what happened and to which object, if it happened here.
    pub fn event_head(&self, seq: u64) -> Option<(Id, EventType, &Object)> {
        let at = usize::try_from(seq.checked_sub(self.first_event_seq())?).ok()?;
        let fact = self.events.get(at)?;
        let object = &self.objects[usize::from(fact.object)];
        let id = Id::new(&kinds::EVENT, self.now_ms, seq, object.id().account_tag());
        Some((id, fact.kind, object))
    }

    /// The event with sequence number `seq`, if it happened here.
    pub fn event(&self, seq: u64) -> Option<Event> {
        let (id, kind, object) = self.event_head(seq)?;
        let fact = &self.events[(seq - self.first_event_seq()) as usize];
        let claim = self.outcome.as_ref().map(|outcome| &outcome.claim);
        let (shown, previous) = match fact.version {
            EventVersion::Final => (object.clone(), fact.previous.as_deref().cloned()),
            EventVersion::Created => (object.as_created(), None),
            EventVersion::Undeleted => (object.as_undeleted(), None),
            EventVersion::FinalAfterCreated => (object.clone(), Some(object.as_created())),
        };
        Some(Event {
            id,
            kind,
            object: shown,
            previous,
            request: self.request.or(claim.map(|claim| claim.request)),
            idempotency_key: claim.map(|claim| claim.key.clone()),
            pending_webhooks: 0,
        })
    }

    /// How many events about the object at that place of the record had happened before it.
    fn events_before_of(&self, at: usize) -> u32 {
        if self.events_before.is_empty() || self.objects[at].id().seq() > self.seq_before {
            return 0;
        }
        let older = |object: &&Object| object.id().seq() <= self.seq_before;
        let nth = self.objects[..at].iter().filter(older).count();
        self.events_before.get(nth).copied().unwrap_or_default()
    }

    /// How many events about the object at that place of the record have happened after it.
    pub fn events_of(&self, at: usize) -> u32 {
        let here = self.events.iter().filter(|event| usize::from(event.object) == at);
        self.events_before_of(at) + here.count() as u32
    }

    /// The number of the event with sequence number `seq` among all events about its object, without a gap from 1 on.
    pub fn event_number(&self, seq: u64) -> Option<u32> {
        let nth = usize::try_from(seq.checked_sub(self.first_event_seq())?).ok()?;
        let object = self.events.get(nth)?.object;
        let until = self.events[..=nth].iter().filter(|event| event.object == object);
        Some(self.events_before_of(usize::from(object)) + until.count() as u32)
    }

    /// Says of each older object how many events about it had happened before this record.
    pub fn count_events(&mut self, mut before: impl FnMut(&Object) -> u32) {
        let older = self
            .objects
            .iter()
            .filter(|object| object.id().seq() <= self.seq_before);
        let counts: SmallVec<[u32; 4]> = older.map(&mut before).collect();
        if counts.iter().any(|count| *count > 0) {
            self.events_before = counts.to_vec();
        }
    }

    /// What an older object was before, where an event of the record says so.
    fn previous_of(&self, at: usize) -> Option<&Object> {
        let mut events = self.events.iter().filter(|event| usize::from(event.object) == at);
        events.find_map(|event| event.previous.as_deref())
    }

    /// Every event, in the order they happened.
    pub fn all_events(&self) -> impl Iterator<Item = Event> + '_ {
        (self.first_event_seq()..=self.seq_after).filter_map(|seq| self.event(seq))
    }

    /// What an index needs to know of this record.
    pub fn index(&self) -> IndexEntries {
        let mut entries = IndexEntries {
            first_seq: self.seq_before + 1,
            tags: self.events.iter().fold(0, |tags, event| tags | event.kind.tag()),
            timers: self
                .timers
                .iter()
                .map(|timer| (timer.at_ms, timer.object.seq()))
                .collect(),
            ..IndexEntries::default()
        };
        for (at, object) in self.objects.iter().enumerate() {
            let (kind, seq) = (object.kind().number, object.id().seq());
            // The default configuration of payment methods was never born: it is in the account's state alone.
            if seq == 0 {
                continue;
            }
            let born = seq > self.seq_before;
            if born {
                entries.born.push(kind);
            } else {
                entries.changed.push(seq);
            }
            // An older object joins lists when it is attached.
            if born
                || object.joins_lists()
                || self
                    .events
                    .iter()
                    .any(|event| usize::from(event.object) == at && event.kind.joins_lists())
            {
                object.parents(&mut |parent| entries.lists.push((parent.seq(), kind, seq)));
            } else if let Some(before) = self.previous_of(at) {
                // So does one that is given a parent that it did not have.
                object.parents(&mut |parent| {
                    let mut had = false;
                    before.parents(&mut |of| had |= of == parent);
                    if !had {
                        entries.lists.push((parent.seq(), kind, seq));
                    }
                });
            }
            object.marks(&mut |mark| entries.lists.push((mark.number(), kind, seq)));
        }
        entries.born.extend(self.events.iter().map(|_| kinds::EVENT.number));
        entries
    }
}

/// What an index needs to know of a record, as plain data; actors puts it into the store's envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexEntries {
    /// Sequence number of the first thing born here; the others follow without a gap.
    pub first_seq: u64,
    /// Kind number of each thing born, in sequence order: objects, then events.
    pub born: SmallVec<[u8; 12]>,
    /// Sequence numbers of older objects that have a new version here.
    pub changed: SmallVec<[u64; 4]>,
    /// Membership in lists: (parent's sequence, child's kind number, child's sequence).
    pub lists: SmallVec<[(u64, u8, u64); 4]>,
    /// One bit per type of event that happened ([`EventType::tag`](crate::events::EventType::tag)).
    pub tags: u64,
    /// Timers set: (due at, milliseconds; sequence of the object).
    pub timers: SmallVec<[(u64, u64); 2]>,
}

/// A timer an object set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Timer {
    /// When it is due, milliseconds since the Unix epoch.
    #[record(1)]
    pub at_ms: u64,
    /// The object it wakes.
    #[record(2)]
    pub object: Id,
}

/// What is needed to answer the retry of a request: the claim of an idempotency key. The edge makes it, the domain
/// carries it (an attempt that waits for its network holds the claim of the request it will answer).
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Claim {
    /// The key as sent, at most 255 characters.
    #[record(1)]
    pub key: Box<str>,
    /// Keyed hash of method, path and decoded parameters; its top 8 bits are the version of the scheme.
    #[record(2)]
    pub fingerprint: u128,
    /// Keyed hash of method and path alone, to tell "other endpoint" from "other parameters".
    #[record(3)]
    pub endpoint: u64,
    /// Path of the first request, for the message about another endpoint.
    #[record(4)]
    pub path: Box<str>,
    /// The first request's id.
    #[record(5)]
    pub request: Id,
    /// API version of the answer, `yyyymmdd`.
    #[record(6)]
    pub version: u32,
    /// Dotted expand paths of the answer.
    #[record(7)]
    pub expand: Vec<String>,
    /// When the key was first seen, milliseconds since the Unix epoch; it expires 24 h later.
    #[record(8)]
    pub created_ms: u64,
}

/// What a key remembers.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Outcome {
    /// The claim of the key.
    #[record(1)]
    pub claim: Arc<Claim>,
    /// What became of the request.
    #[record(2)]
    pub result: OutcomeResult,
    /// Shape revision the answer is rendered at, so that later fields do not appear in a replay.
    #[record(3)]
    pub revision: u16,
    /// Objects the answer shows that are not among the record's own: copies at the version shown.
    #[record(4)]
    pub attached: Vec<Object>,
    /// The clock the answer was rendered at, milliseconds (a balance transaction's status depends on it).
    #[record(5)]
    pub clock_ms: u64,
}

/// What became of a request with a key.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum OutcomeResult {
    /// Not decided yet: the attempt was recorded and its network called. A retry waits, then gets 409.
    #[record(1)]
    InFlight {
        /// The attempt that will decide it.
        #[record(1)]
        attempt: AttemptId,
    },
    /// 200 with this object.
    #[record(2)]
    Object {
        /// Number of the object's kind.
        #[record(1)]
        kind: u8,
        /// The object.
        #[record(2)]
        id: Id,
    },
    /// Refused, with everything the error body says.
    #[record(3)]
    Rejected {
        /// The refusal.
        #[record(1)]
        reject: Box<Reject>,
    },
    /// Handed to whoever delivers events, by the request of the claim. A retry is handed on in that request's name, so that
    /// they know what they have done.
    #[record(4)]
    Handed,
}
