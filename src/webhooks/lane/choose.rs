//! What a lane sends next.
//!
//! First what somebody asked for by hand, then what has waited for its object, then what was on its way when something
//! stopped (all of it, before anything newer), then retries and new events in turns, and jobs beside them.

use super::{
    Ask, BLOCKED_MAX, FETCH_BELOW, FETCH_MAX, Fetching, Flight, LOAD_MAX, Lane, Origin, Sending, UNREAD_PAUSE_MS,
    WAITING_MAX, Work,
};
use crate::book::{Change, Head, KEPT_DAYS, Place, Run};
use crate::endpoint::Ordering;
use crate::lane::breaker::State;
use crate::ports::{Cause, Event, Soon};
use tollgate_breaks::broken;

/// Events are kept for so long, milliseconds.
const KEPT_MS: u64 = KEPT_DAYS as u64 * crate::book::DAY_MS;

impl tollgate_pools::Lane for Lane {
    type Job = Sending;
    type Done = super::Sent;

    fn next(&mut self, now_ms: u64) -> Option<Sending> {
        self.now_ms = now_ms;
        if !self.takes() || now_ms < self.not_before_ms {
            return None;
        }
        let out = self.flights.len();
        if let Some(allowed) = self.breaker.allows(now_ms)
            && out >= allowed as usize
        {
            return None;
        }
        if !self.aimd.allows(out as u32) || self.limiter.as_mut().is_some_and(|it| it.free_at(now_ms) > now_ms) {
            return None;
        }
        if self.is_held() {
            return None;
        }
        // Ends because each piece of work that does not go is put aside, and only so many are in hand.
        loop {
            let (work, owns) = self.choose(now_ms)?;
            if let Some(work) = self.gate(work, owns) {
                return Some(self.launch(now_ms, work));
            }
        }
    }

    fn done(&mut self, now_ms: u64, sent: super::Sent) {
        self.now_ms = now_ms;
        self.hear(now_ms, sent);
    }

    fn wakes_at(&self) -> Option<u64> {
        if !self.takes() {
            return None;
        }
        if self.not_before_ms > self.now_ms {
            return Some(self.not_before_ms);
        }
        // A time that has come is no time to wake: what is missing then is something to send.
        if let State::Open { until_ms, .. } = self.breaker.state()
            && until_ms > self.now_ms
        {
            return Some(until_ms);
        }
        let limited = self
            .limiter
            .map(|mut it| it.free_at(self.now_ms))
            .filter(|at| *at > self.now_ms);
        limited.or_else(|| self.next_due_ms())
    }

    fn group(&self) -> u64 {
        self.view.key.account
    }

    fn is_slow(&self) -> bool {
        self.recent.is_slow()
    }
}

impl Lane {
    /// The next piece of work, and whether its object is its already.
    fn choose(&mut self, now_ms: u64) -> Option<(Work, bool)> {
        self.fetch();
        if let Some(work) = self.resends.pop_front() {
            return Some((work, false));
        }
        if let Some(work) = self.freed.pop_front() {
            return Some((work, true));
        }
        let urgent = self.has_urgent();
        if urgent && self.loaded.is_empty() {
            self.load(now_ms);
            return None;
        }
        if self.loaded.is_empty() && self.has_due(now_ms) {
            self.load(now_ms);
        }
        self.turns = self.turns.wrapping_add(1);
        let retry_first = urgent || self.turns.is_multiple_of(2);
        let work = match retry_first {
            true => self.loaded.pop_front().or_else(|| self.fresh(now_ms)),
            false => self.fresh(now_ms).or_else(|| self.loaded.pop_front()),
        };
        let work = work.or_else(|| self.next_of_job(now_ms));
        work.map(|work| (work, false))
    }

    /// Lets work through, or puts it aside behind what it has to wait for.
    fn gate(&mut self, work: Work, owns: bool) -> Option<Work> {
        let object = work.event.object;
        let strict = self.view.ordering == Ordering::Strict;
        let by_hand = matches!(work.origin, Origin::Resend | Origin::Job(_));
        if self.view.ordering == Ordering::None || work.origin == Origin::Resend {
            // What waited for its object under another order frees it.
            if owns {
                self.release(object);
            }
            return Some(work);
        }
        if !owns
            && let Some(waiting) = self.keys.get_mut(&object)
            && !broken!(CrowdObject)
        {
            waiting.push_back(work);
            self.waiting += 1;
            return None;
        }
        if strict && !by_hand && !matches!(work.origin, Origin::Head(_)) && self.book().blocked().contains_key(&object)
        {
            self.put_behind(&work);
            if owns {
                self.release(object);
            }
            return None;
        }
        self.keys.entry(object).or_default();
        Some(work)
    }

    /// Puts an event behind the one that blocks its object.
    fn put_behind(&mut self, work: &Work) {
        let (seq, object) = (work.event.seq, work.event.object);
        let before = match work.origin {
            Origin::Fresh => Place::Open,
            Origin::Retry(run) => Place::Run(run),
            Origin::Head(_) | Origin::Job(_) | Origin::Resend => return,
        };
        let head = self.book().blocked().get(&object).map(|it| it.head);
        match head {
            // An older one than the one that is tried: it goes first.
            Some(head) if seq < head.seq && !self.in_hand.contains(&head.seq) => {
                let tried = work.origin.tried();
                self.set_head(object, Some(Head { seq, tried, due_s: 0 }));
                self.change(Change::Add(Place::Behind(object), head.seq));
            }
            _ => self.change(Change::Add(Place::Behind(object), seq)),
        }
        self.change(Change::Remove(before, seq));
        self.in_hand.remove(&seq);
    }

    fn launch(&mut self, now_ms: u64, work: Work) -> Sending {
        let probe = self.breaker.sent();
        let cause = match work.origin {
            Origin::Job(_) => Cause::Recovery,
            Origin::Resend => Cause::Resend,
            _ if probe => Cause::Probe,
            Origin::Fresh | Origin::Retry(_) | Origin::Head(_) => Cause::Schedule,
        };
        if let Some(limiter) = &mut self.limiter {
            limiter.take();
        }
        self.tokens += 1;
        let sending = Sending {
            token: self.tokens,
            endpoint: std::sync::Arc::clone(&self.view),
            event: work.event.clone(),
            attempt: work.origin.tried().saturating_add(1),
            cause,
        };
        let flight = Flight {
            work,
            cause,
            began_ms: now_ms,
            probe,
        };
        self.flights.insert(self.tokens, flight);
        sending
    }

    /// The object is free: whoever waited for it is next.
    pub(super) fn release(&mut self, object: u64) {
        let Some(waiting) = self.keys.get_mut(&object) else {
            return;
        };
        match waiting.pop_front() {
            Some(work) => {
                self.waiting -= 1;
                self.freed.push_back(work);
            }
            None => {
                self.keys.remove(&object);
            }
        }
    }

    /// The next new event; the cursor goes by it.
    fn fresh(&mut self, now_ms: u64) -> Option<Work> {
        if self.waiting >= WAITING_MAX {
            return None;
        }
        let mut passed = false;
        loop {
            let Some(event) = self.queue.pop_front() else {
                if passed {
                    // All of it was too old, and nothing else would have more fetched.
                    self.fetch();
                }
                return None;
            };
            let expired = event.created_ms + KEPT_MS < now_ms;
            passed |= expired;
            if !expired {
                self.change(Change::Add(Place::Open, event.seq));
            } else {
                self.common.meters.expired.increment(1);
            }
            self.follow();
            if !expired {
                let origin = Origin::Fresh;
                return Some(Work { event, origin });
            }
        }
    }

    /// The cursor follows what was taken from the queue.
    fn follow(&mut self) {
        let cursor = self.queue.front().map_or(self.fetched, |event| event.seq - 1);
        if self.book().cursor() != cursor {
            self.change(Change::Cursor(cursor));
        }
    }

    /// Asks for more new events when there are few.
    fn fetch(&mut self) {
        let crowded = self.book().blocked().len() >= BLOCKED_MAX;
        if self.fetching.is_some() || self.fetched >= self.upto || self.queue.len() >= FETCH_BELOW {
            return;
        }
        if !self.roomy || crowded {
            return;
        }
        self.fetching = Some(Fetching {
            upto: self.upto,
            asked_ms: self.now_ms,
        });
        let soon = self.queue.is_empty().then(|| Soon {
            after: self.view.key.seq,
            filter: self.view.filter.clone(),
            api_version: std::sync::Arc::clone(&self.view.api_version),
        });
        self.ask(Ask::Fetch {
            after: self.fetched,
            limit: FETCH_MAX,
            soon,
        });
    }

    /// New events have come, or could not be read.
    pub(crate) fn fetched(&mut self, now_ms: u64, after: u64, events: Option<Vec<Event>>) {
        let Some(Fetching { upto, asked_ms }) = self.fetching.filter(|_| after == self.fetched) else {
            return;
        };
        self.fetching = None;
        let Some(events) = events else {
            return self.leave_journal(now_ms);
        };
        let last = events.last().map(|event| (event.seq, event.created_ms));
        (self.fetched, self.unread_since_ms) = match last {
            // There may be more, and they are newer.
            Some(last) if events.len() >= FETCH_MAX => last,
            // What there is beyond was not there when this was asked for.
            last => (upto.max(last.map_or(after, |(seq, _)| seq)), asked_ms),
        };
        let (filter, own) = (self.view.filter.clone(), self.view.key.seq);
        let wanted = events
            .into_iter()
            .filter(|event| event.seq > own && filter.want(event.kind));
        self.queue.extend(wanted);
        self.follow();
    }

    /// Whether something is to go before anything newer that is not in hand yet, or is in hand and not on its way.
    fn has_urgent(&self) -> bool {
        let book = self.book();
        let mut urgent = book.runs().range(
            ..=Run {
                due_s: 0,
                tried: u8::MAX,
            },
        );
        let left = urgent.any(|(_, seqs)| {
            seqs.len() as usize > self.in_hand.len() || seqs.iter().any(|seq| !self.in_hand.contains(&seq))
        });
        drop(book);
        let is_urgent = |origin: Origin| matches!(origin, Origin::Retry(run) if run.due_s == 0);
        // What is being read is in hand, and would be overtaken if it did not count.
        let loading = self.loading.iter().flatten().any(|(_, origin)| is_urgent(*origin));
        left || loading || self.loaded.iter().any(|work| is_urgent(work.origin))
    }

    fn has_due(&self, now_ms: u64) -> bool {
        let now_s = (now_ms / 1_000) as u32;
        let runs = self
            .book()
            .runs()
            .first_key_value()
            .is_some_and(|(run, _)| run.due_s <= now_s);
        runs || self.heads_due.first().is_some_and(|(due_s, _)| *due_s <= now_s)
    }

    /// When something that waits is due that was not before.
    fn next_due_ms(&self) -> Option<u64> {
        let now_s = (self.now_ms / 1_000) as u32;
        let book = self.book();
        let later = Run {
            due_s: now_s + 1,
            tried: 0,
        };
        let run = book.runs().range(later..).next().map(|(run, _)| run.due_s);
        let head = self.heads_due.range((now_s + 1, 0)..).next().map(|(due_s, _)| *due_s);
        let next = run.into_iter().chain(head).min();
        next.map(|due_s| u64::from(due_s) * 1_000)
    }

    /// Asks for events that are due and not in hand: those that are urgent in their order, then heads, then the rest by when
    /// they are due.
    fn load(&mut self, now_ms: u64) {
        if self.loading.is_some() || self.in_hand.len() >= LOAD_MAX {
            return;
        }
        let now_s = (now_ms / 1_000) as u32;
        let max = LOAD_MAX - self.in_hand.len();
        let mut wanted: Vec<(u64, Origin)> = Vec::new();
        {
            let book = self.book();
            let in_hand = &self.in_hand;
            let of = |run: Run, seqs: &crate::seqs::Seqs| -> Vec<(u64, Origin)> {
                let free = seqs.iter().filter(|seq| !in_hand.contains(seq));
                free.take(max).map(|seq| (seq, Origin::Retry(run))).collect()
            };
            let last = Run {
                due_s: 0,
                tried: u8::MAX,
            };
            for (run, seqs) in book.runs().range(..=last) {
                wanted.extend(of(*run, seqs));
            }
            wanted.sort_unstable_by_key(|(seq, _)| *seq);
            if wanted.is_empty() {
                for (due_s, object) in &self.heads_due {
                    if *due_s > now_s || wanted.len() >= max {
                        break;
                    }
                    let head = book.blocked()[object].head;
                    if !in_hand.contains(&head.seq) {
                        wanted.push((head.seq, Origin::Head(head.tried)));
                    }
                }
                let now = Run {
                    due_s: now_s,
                    tried: u8::MAX,
                };
                for (run, seqs) in book.runs().range(..=now) {
                    if wanted.len() >= max {
                        break;
                    }
                    wanted.extend(of(*run, seqs));
                }
            }
        }
        wanted.truncate(max);
        if wanted.is_empty() {
            return;
        }
        self.in_hand.extend(wanted.iter().map(|(seq, _)| *seq));
        let seqs = wanted.iter().map(|(seq, _)| *seq).collect();
        self.loading = Some(wanted);
        self.ask(Ask::Load { seqs });
    }

    /// Events that are due have come, or could not be read. Those that are not kept any more are settled.
    pub(crate) fn loaded(&mut self, now_ms: u64, seqs: &[u64], events: Option<Vec<Event>>) {
        let meant = self
            .loading
            .as_ref()
            .is_some_and(|asked| asked.iter().map(|(seq, _)| seq).eq(seqs));
        let Some(asked) = self.loading.take_if(|_| meant) else {
            return;
        };
        let Some(events) = events else {
            for (seq, _) in asked {
                self.in_hand.remove(&seq);
            }
            return self.leave_journal(now_ms);
        };
        let mut events = events.into_iter().peekable();
        for (seq, origin) in asked {
            match events.next_if(|event| event.seq == seq) {
                Some(event) if event.created_ms + KEPT_MS >= now_ms => self.loaded.push_back(Work { event, origin }),
                _ => {
                    self.common.meters.expired.increment(1);
                    self.settle_retry(seq, origin, None);
                }
            }
        }
    }

    pub(super) fn leave_journal(&mut self, now_ms: u64) {
        self.not_before_ms = self.not_before_ms.max(now_ms + UNREAD_PAUSE_MS);
    }
}
