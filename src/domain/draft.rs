//! Facts in the making: hands out ids, keeps objects and events in the order the journal wants them.

use crate::acquirer::NetworkCall;
use crate::books::Entry;
use crate::decision::{Decision, Reply, Settled};
use crate::events::{EventFact, EventType, EventVersion};
use crate::facts::{Facts, Timer};
use crate::object::Object;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Kind};

/// Facts that a decision is gathering.
#[derive(Debug)]
pub(crate) struct Draft {
    facts: Facts,
    tag: u32,
    /// One place for each id handed out, filled by [`Draft::put`].
    born: Vec<Option<Object>>,
    changed: Vec<Object>,
    /// Each with the id of its object.
    events: Vec<(Id, EventFact)>,
}

impl Draft {
    /// Nothing yet, after everything up to `seq_before`.
    pub(crate) fn new(now_ms: u64, seq_before: u64, tag: u32, request: Option<Id>) -> Draft {
        Draft {
            facts: Facts {
                now_ms,
                seq_before,
                seq_after: seq_before,
                request,
                ..Facts::default()
            },
            tag,
            born: Vec::new(),
            changed: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The clock of the decision, milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        self.facts.now_ms
    }

    /// The id of a new object, which must then be [`put`](Draft::put).
    pub(crate) fn born(&mut self, kind: &Kind) -> Id {
        self.born.push(None);
        Id::new(kind, self.facts.now_ms, self.newest(), self.tag)
    }

    /// The same with the other prefix of the kind.
    pub(crate) fn born_other(&mut self, kind: &Kind) -> Id {
        self.born.push(None);
        Id::new_other(kind, self.facts.now_ms, self.newest(), self.tag)
    }

    fn newest(&self) -> u64 {
        self.facts.seq_before + self.born.len() as u64
    }

    /// Adds an object at its new version; the last version put is the one that counts.
    pub(crate) fn put(&mut self, object: Object) {
        let id = object.id();
        if id.seq() > self.facts.seq_before {
            self.born[(id.seq() - self.facts.seq_before - 1) as usize] = Some(object);
            return;
        }
        match self.changed.iter_mut().find(|known| known.id() == id) {
            Some(known) => *known = object,
            None => self.changed.push(object),
        }
    }

    /// Adds an event that shows its object as it stands after the command.
    pub(crate) fn event(&mut self, kind: EventType, subject: Id) {
        self.push_event(kind, subject, EventVersion::Final, None);
    }

    /// Adds an event that shows its object as it was made, although the command went on with it.
    pub(crate) fn created_event(&mut self, kind: EventType, subject: Id) {
        self.push_event(kind, subject, EventVersion::Created, None);
    }

    /// Adds an event of the deletion of an object, which it shows as it was before.
    pub(crate) fn deleted_event(&mut self, kind: EventType, subject: Id) {
        self.push_event(kind, subject, EventVersion::Undeleted, None);
    }

    /// Adds an event of the first change of an object: before, it was as it was made.
    pub(crate) fn first_update_event(&mut self, kind: EventType, subject: Id) {
        self.push_event(kind, subject, EventVersion::FinalAfterCreated, None);
    }

    /// Adds an event of a change, with the object as it was before.
    pub(crate) fn update_event(&mut self, kind: EventType, subject: Id, previous: Object) {
        self.push_event(kind, subject, EventVersion::Final, Some(Box::new(previous)));
    }

    /// Adds a ledger entry.
    pub(crate) fn entry(&mut self, entry: Entry) {
        self.facts.entries.push(entry);
    }

    /// Adds a call to a network.
    pub(crate) fn call(&mut self, call: NetworkCall) {
        self.facts.calls.push(call);
    }

    /// Wakes `object` at `at_ms`.
    pub(crate) fn timer(&mut self, at_ms: u64, object: Id) {
        self.facts.timers.push(Timer { at_ms, object });
    }

    /// The decision that this happens and the asker hears `reply`.
    pub(crate) fn decide(self, reply: Reply) -> Decision {
        Decision {
            facts: self.finish(),
            reply,
            settles: None,
        }
    }

    /// The decision that this happens and answers a request other than the asker, if one still waits.
    pub(crate) fn settle(self, settles: Option<Settled>) -> Decision {
        Decision {
            facts: self.finish(),
            reply: Reply::Nobody,
            settles,
        }
    }

    fn push_event(&mut self, kind: EventType, subject: Id, version: EventVersion, previous: Option<Box<Object>>) {
        self.events.push((
            subject,
            EventFact {
                kind,
                object: 0,
                version,
                previous,
            },
        ));
    }

    fn finish(mut self) -> Facts {
        if broken!(SkipEvent) {
            self.events.pop();
        }
        if broken!(ReorderEvents) {
            self.events.reverse();
        }
        let born = self.born.len();
        let objects = self.born.into_iter();
        // In the memory of `born`: what is chained to it would be copied along with it.
        self.facts.objects = objects
            .map(|object| object.expect("every id handed out is put"))
            .collect();
        self.facts.objects.append(&mut self.changed);
        self.facts.events.reserve_exact(self.events.len());
        for (subject, mut fact) in self.events {
            let at = self.facts.objects.iter().position(|object| object.id() == subject);
            let at = at.expect("an event is about an object of its record");
            assert!(
                fact.kind.is_about(self.facts.objects[at].kind()),
                "an event is about an object of its kind"
            );
            fact.object = u16::try_from(at).expect("a command makes fewer than 65,536 objects");
            self.facts.events.push(fact);
        }
        self.facts.seq_after = self.facts.seq_before + (born + self.facts.events.len()) as u64;
        self.facts
    }
}
