//! How a lane puts back what it has in hand: when its breaker opens, its endpoint changes, or it begins anew.

use super::Lane;
use crate::book::{Blocked, Change, Head, Place, Run};
use crate::endpoint::Ordering;
use hashbrown::HashSet;

impl Lane {
    /// Puts back everything in hand that is not out: what is new is fetched again when it is wanted, and what was about to go
    /// goes first then, in its order.
    pub(super) fn park(&mut self) {
        self.drop_queue();
        let out: HashSet<u64> = self.flights.values().map(|flight| flight.work.event.seq).collect();
        let again: Vec<u64> = self
            .book()
            .open()
            .iter()
            .filter(|seq| !out.contains(*seq))
            .copied()
            .collect();
        let first = Run { due_s: 0, tried: 0 };
        for seq in again {
            self.change(Change::Add(Place::Run(first), seq));
            self.change(Change::Remove(Place::Open, seq));
        }
        // They failed because nothing was taken, not for themselves. What is out again has its own outcome.
        for it in std::mem::take(&mut self.lately) {
            if !out.contains(&it.seq) {
                self.hurry(it.seq, it.place, it.object);
            }
        }
        self.loaded.clear();
        self.loading = None;
        self.freed.clear();
        self.waiting = 0;
        let busy: HashSet<u64> = self.flights.values().map(|flight| flight.work.event.object).collect();
        self.keys.retain(|object, waiting| {
            waiting.clear();
            busy.contains(object)
        });
        self.in_hand.retain(|seq| out.contains(seq));
        if let Some(walk) = &mut self.walk {
            walk.put_back();
        }
    }

    /// What waits for its time goes as soon as anything is taken.
    pub(super) fn hurry(&mut self, seq: u64, place: Place, object: u64) {
        match place {
            Place::Run(run) if run.due_s != 0 && self.book().runs().get(&run).is_some_and(|it| it.contains(seq)) => {
                self.change(Change::Add(Place::Run(Run { due_s: 0, ..run }), seq));
                self.change(Change::Remove(place, seq));
            }
            Place::Behind(_) => {
                let head = self.book().blocked().get(&object).map(|it| it.head);
                if let Some(head) = head.filter(|head| head.seq == seq) {
                    self.set_head(object, Some(Head { due_s: 0, ..head }));
                }
            }
            _ => {}
        }
    }

    pub(super) fn set_head(&mut self, object: u64, head: Option<Head>) {
        let before = self.book().blocked().get(&object).map(|it| it.head.due_s);
        if let Some(before) = before {
            self.heads_due.remove(&(before, object));
        }
        if let Some(head) = head {
            self.heads_due.insert((head.due_s, object));
        }
        self.change(Change::Head(object, head));
    }

    pub(super) fn drop_queue(&mut self) {
        if let Some(first) = self.queue.front() {
            self.unread_since_ms = first.created_ms;
        }
        self.queue.clear();
        self.fetching = None;
        let cursor = self.book().cursor();
        self.fetched = cursor;
    }

    /// Where objects are not kept in strict order any more, what waited behind others goes first.
    pub(super) fn keep_ordering(&mut self) {
        if self.view.ordering == Ordering::Strict {
            return;
        }
        let blocked: Vec<(u64, Blocked)> = {
            let book = self.book();
            book.blocked()
                .iter()
                .map(|(object, it)| (*object, it.clone()))
                .collect()
        };
        for (object, it) in blocked {
            let run = Run {
                due_s: it.head.due_s,
                tried: it.head.tried,
            };
            for seq in it.behind.iter() {
                self.change(Change::Add(Place::Run(Run { due_s: 0, tried: 0 }), seq));
            }
            self.change(Change::Add(Place::Run(run), it.head.seq));
            self.set_head(object, None);
        }
    }
}
