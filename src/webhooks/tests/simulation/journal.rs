//! The shards' journals, as far as delivery sees them: notes that are durable, and a tail that a crash may cut.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use tollgate_resource::notes::put_changed;
use tollgate_webhooks::ports::{Note, SavedNote};

/// A shard.
#[derive(Default)]
pub(crate) struct Shard {
    pub(crate) epoch: u64,
    /// The process that serves it.
    pub(crate) owner: Option<usize>,
    durable: Vec<Note>,
    /// When each is durable, and what says to its writer that it is not.
    tail: VecDeque<(u64, Note, Option<Arc<()>>)>,
    /// Changes of endpoints of this epoch: number, account, endpoint.
    changes: Vec<(u64, u64, u64)>,
}

impl Shard {
    /// A note of an owner. Dropped when that is not the owner any more.
    pub(crate) fn write(&mut self, epoch: u64, note: Note, durable_at: u64, open: Arc<()>) {
        if epoch != self.epoch {
            return;
        }
        let heard = match &note {
            Note::Row { heard, .. } => Some(*heard),
            Note::Page { number, .. } => {
                assert_eq!(number >> 40, epoch, "a page of another epoch");
                None
            }
            Note::Progress(_) => None,
        };
        let at = self.tail.back().map_or(durable_at, |(at, ..)| durable_at.max(*at));
        self.tail.push_back((at, note, Some(open)));
        if let Some(heard) = heard {
            let later: Vec<_> = self
                .changes
                .iter()
                .filter(|(number, ..)| *number > heard)
                .copied()
                .collect();
            for (_, account, endpoint) in later {
                self.tail.push_back((at, changed(account, endpoint), None));
            }
        }
    }

    /// An endpoint changed: durable, with everything before it. The number of the change.
    pub(crate) fn changed(&mut self, account: u64, endpoint: u64) -> u64 {
        let number = self.changes.len() as u64 + 1;
        self.changes.push((number, account, endpoint));
        self.tail.push_back((0, changed(account, endpoint), None));
        self.keep(u64::MAX);
        number
    }

    /// What is durable by now.
    pub(crate) fn keep(&mut self, now_ms: u64) {
        while self.tail.front().is_some_and(|(at, ..)| *at <= now_ms) {
            let (_, note, _) = self.tail.pop_front().expect("there is one in front");
            self.durable.push(note);
        }
    }

    /// The next owner's epoch begins; of the tail so many are kept, as if they had become durable just in time.
    pub(crate) fn take_over(&mut self, kept: usize) -> u64 {
        let kept = kept.min(self.tail.len());
        self.durable.extend(self.tail.drain(..kept).map(|(_, note, _)| note));
        self.tail.clear();
        self.changes.clear();
        self.owner = None;
        self.epoch += 1;
        self.epoch
    }

    pub(crate) fn tail_len(&self) -> usize {
        self.tail.len()
    }

    /// The newest row and everything behind it.
    pub(crate) fn notes(&self) -> Vec<SavedNote> {
        let from = self
            .durable
            .iter()
            .rposition(|note| matches!(note, Note::Row { .. }))
            .unwrap_or(0);
        let notes = self.durable[from..].iter().filter_map(|note| match note {
            Note::Row { body, .. } => Some(SavedNote::Row(Bytes::copy_from_slice(body))),
            Note::Progress(body) => Some(SavedNote::Progress(Bytes::copy_from_slice(body))),
            Note::Page { .. } => None,
        });
        notes.collect()
    }

    pub(crate) fn page(&self, wanted: u64) -> Bytes {
        let page = self.durable.iter().find_map(|note| match note {
            Note::Page { number, body } if *number == wanted => Some(body),
            _ => None,
        });
        Bytes::copy_from_slice(page.expect("a row names pages that come before it"))
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.durable
            .iter()
            .filter(|note| matches!(note, Note::Row { .. }))
            .count()
    }
}

fn changed(account: u64, endpoint: u64) -> Note {
    let mut body = Vec::new();
    put_changed(&mut body, account, endpoint);
    Note::Progress(body)
}
