//! What an outcome means to a lane: the event is settled, waits for another attempt or dies; the lane goes on, slower, or
//! stops.

use super::breaker::Turned;
use super::{Failed, Flight, Halt, LATELY_MS, Lane, Origin, Sent, SentResult, UNREAD_PAUSE_MS, Work};
use crate::book::{Change, DAY_MS, Death, Head, Health, Place, Reason, Run};
use crate::endpoint::Ordering;
use crate::ports::{Alert, Answer, Attempt, Outcome};
use std::sync::Arc;
use tollgate_breaks::broken;

/// `Retry-After` is believed up to an hour, milliseconds.
const RETRY_AFTER_MAX_MS: u64 = 60 * 60 * 1_000;
/// Failing for so long is told to the owner, milliseconds.
pub(crate) const FAILING_MS: u64 = DAY_MS;
/// Failing for so long disables the endpoint, milliseconds.
pub(crate) const DEAD_MS: u64 = 5 * DAY_MS;
/// Fewer failures than this are no state of an endpoint, however long ago the first one was.
pub(super) const FAILURES_MIN: u32 = 10;
/// Due times of one schedule's pause are counted in this part of it, so that a lane has a few dozen runs.
const PAUSE_PARTS: u64 = 8;
/// Failures that are remembered, to be hurried when it turns out that nothing is taken.
const LATELY_MAX: usize = 128;

impl Lane {
    /// Hears what came of a delivery.
    pub(super) fn hear(&mut self, now_ms: u64, sent: Sent) {
        let Some(flight) = self.flights.remove(&sent.token) else {
            return;
        };
        let object = flight.work.event.object;
        let holds = flight.work.origin != Origin::Resend;
        match sent.result {
            SentResult::Tried { event_id, outcome } => self.tried(now_ms, flight, event_id, outcome),
            SentResult::NotKept => {
                self.common.meters.expired.increment(1);
                self.unprobed(now_ms, &flight);
                self.settle(&flight.work, false);
            }
            SentResult::NoBody(why) => {
                tracing::warn!(endpoint = %self.view.id, why, "the body of an event cannot be had");
                self.not_before_ms = self.not_before_ms.max(now_ms + UNREAD_PAUSE_MS);
                self.unprobed(now_ms, &flight);
                if holds && self.takes() {
                    // It was not tried. It keeps its object, so that nothing which waits for that goes before it.
                    self.freed.push_front(flight.work);
                    return;
                }
                self.put_back(&flight.work);
            }
        }
        if holds {
            self.release(object);
        }
        self.clean_walk();
    }

    fn tried(&mut self, now_ms: u64, flight: Flight, event_id: Arc<str>, outcome: Outcome) {
        let taken = outcome.answer.is_taken();
        self.aimd.outcome(taken, outcome.answer.is_overload(), outcome.took_ms);
        self.recent.tried(taken, outcome.took_ms);
        self.common.meters.attempt(&outcome.answer);
        let turned = self.breaker.outcome(now_ms, taken, flight.probe);
        if taken {
            let since_ms = now_ms.saturating_sub(LATELY_MS);
            while self.lately.front().is_some_and(|it| it.at_ms < since_ms) {
                self.lately.pop_front();
            }
            let health = self.book().health();
            if turned == Turned::Closed || health.failures >= FAILURES_MIN {
                self.well_since_ms = now_ms;
            }
            if health != Health::default() {
                if health.told {
                    self.common.ports.alarm.raise(self.shard, self.key(), Alert::Recovered);
                }
                self.change(Change::Health(Health::default()));
            }
            if flight.work.origin == Origin::Fresh {
                let took_ms = now_ms.saturating_sub(flight.work.event.created_ms);
                self.common.meters.delay.record(took_ms as f64 / 1_000.0);
            }
            self.settle(&flight.work, true);
        } else {
            self.failed(now_ms, &flight, &outcome.answer, turned);
        }
        self.common.ports.trail.attempt(Attempt {
            shard: self.shard,
            endpoint: self.key(),
            event_seq: flight.work.event.seq,
            event_id,
            number: flight.work.origin.tried().saturating_add(1),
            cause: flight.cause,
            began_ms: flight.began_ms,
            outcome,
        });
    }

    fn failed(&mut self, now_ms: u64, flight: &Flight, answer: &Answer, turned: Turned) {
        if let Answer::Refused {
            retry_after_ms: Some(after_ms),
            ..
        } = answer
        {
            let until = now_ms + (*after_ms).min(RETRY_AFTER_MAX_MS);
            self.not_before_ms = self.not_before_ms.max(until);
            self.asked_until_ms = self.asked_until_ms.max(until);
        }
        let parked = !self.breaker.is_closed();
        match flight.work.origin {
            // Its own schedule, if it has one, goes on.
            Origin::Resend => {}
            Origin::Job(_) => self.job_failed(now_ms, &flight.work),
            // What was tried only to see whether it is taken has lost none of its attempts.
            _ if flight.probe || answer.is_gone() => self.put_back(&flight.work),
            origin => {
                let tried = origin.tried().saturating_add(1);
                match self.due_s(now_ms, tried, parked) {
                    Some(due_s) => self.wait(&flight.work, tried, due_s),
                    None => self.die(now_ms, &flight.work, answer),
                }
            }
        }
        // Not before the event has its place: what is not out and has none yet would get one here.
        if turned == Turned::Opened {
            self.common.meters.opened.increment(1);
            self.park();
        }
        self.ail(now_ms);
        if answer.is_gone() && self.halt.is_none() {
            self.stop(Halt::Gone, Alert::Gone);
        }
    }

    /// When the attempt after so many is due, seconds since the Unix epoch; `None` if there is none. At once, as soon as
    /// anything is taken, where the whole endpoint does not take anything.
    fn due_s(&mut self, now_ms: u64, tried: u8, parked: bool) -> Option<u32> {
        let pause = self.view.schedule.pause_ms(tried - 1)?;
        if parked {
            return Some(0);
        }
        let part = (pause / PAUSE_PARTS).max(1_000);
        let (low, high) = (pause / 10 * 8, (pause / 10 * 12).saturating_sub(part));
        let due = now_ms + self.entropy.between(low, high.max(low));
        let due = due.max(self.not_before_ms).div_ceil(part) * part;
        Some(u32::try_from(due.div_ceil(1_000)).unwrap_or(u32::MAX))
    }

    /// Lets an event wait for its next attempt.
    fn wait(&mut self, work: &Work, tried: u8, due_s: u32) {
        let (seq, object) = (work.event.seq, work.event.object);
        let strict = self.view.ordering == Ordering::Strict;
        let place = match strict {
            true => Place::Behind(object),
            false => Place::Run(Run { due_s, tried }),
        };
        if strict {
            self.set_head(object, Some(Head { seq, tried, due_s }));
        } else if !broken!(DropRetry) {
            self.change(Change::Add(place, seq));
        }
        match work.origin {
            Origin::Fresh => self.change(Change::Remove(Place::Open, seq)),
            Origin::Retry(run) => self.change(Change::Remove(Place::Run(run), seq)),
            // Where the order was another one when it was sent, nothing blocks an object any more.
            Origin::Head(_) | Origin::Job(_) | Origin::Resend => {}
        }
        self.in_hand.remove(&seq);
        if due_s != 0 {
            if self.lately.len() == LATELY_MAX {
                self.lately.pop_front();
            }
            self.lately.push_back(Failed {
                at_ms: self.now_ms,
                seq,
                object,
                place,
            });
        }
    }

    /// The last attempt has failed.
    fn die(&mut self, now_ms: u64, work: &Work, answer: &Answer) {
        let reason = match answer {
            Answer::Failed { .. } => Reason::Unanswered,
            Answer::Refused { .. } | Answer::Taken { .. } => Reason::Refused,
        };
        let day = (now_ms / DAY_MS) as u32;
        self.change(Change::Add(Place::Dead(Death { day, reason }), work.event.seq));
        self.settle(work, false);
        self.common.meters.died.increment(1);
    }

    /// An event is done with: taken, dead or forgotten.
    fn settle(&mut self, work: &Work, taken: bool) {
        let seq = work.event.seq;
        match work.origin {
            Origin::Fresh => {
                self.change(Change::Remove(Place::Open, seq));
            }
            origin @ (Origin::Retry(_) | Origin::Head(_)) => self.settle_retry(seq, origin, Some(work.event.object)),
            Origin::Job(_) | Origin::Resend => {
                // What is in hand beside it is about to have its own outcome.
                if taken && !self.in_hand.contains(&seq) {
                    self.forget_failed(seq);
                }
                if let Origin::Job(job) = work.origin {
                    self.job_ended(job, seq, taken);
                }
            }
        }
    }

    /// An event that waited is done with.
    pub(super) fn settle_retry(&mut self, seq: u64, origin: Origin, object: Option<u64>) {
        self.in_hand.remove(&seq);
        match origin {
            Origin::Retry(run) => self.change(Change::Remove(Place::Run(run), seq)),
            Origin::Head(_) => {
                let object = object.or_else(|| self.book().blocks(seq));
                match object.filter(|object| self.book().blocked().get(object).is_some_and(|it| it.head.seq == seq)) {
                    Some(object) => self.advance(object),
                    None => self.forget_failed(seq),
                }
            }
            Origin::Fresh | Origin::Job(_) | Origin::Resend => {}
        }
    }

    /// Takes an event out of wherever it waits.
    fn forget_failed(&mut self, seq: u64) {
        let blocks = self.book().blocks(seq);
        if let Some(object) = blocks {
            return self.advance(object);
        }
        let place = self.book().failed_at(seq);
        if let Some(place) = place {
            self.change(Change::Remove(place, seq));
        }
    }

    /// What blocked an object does not any more: the next behind it is tried, at once.
    fn advance(&mut self, object: u64) {
        let next = self.book().blocked().get(&object).and_then(|it| it.behind.first());
        let head = next.map(|seq| Head {
            seq,
            tried: 0,
            due_s: 0,
        });
        self.set_head(object, head);
        if let Some(next) = next {
            self.change(Change::Remove(Place::Behind(object), next));
        }
    }

    /// An event that had no attempt goes first when anything is taken again.
    fn put_back(&mut self, work: &Work) {
        let seq = work.event.seq;
        self.in_hand.remove(&seq);
        match work.origin {
            Origin::Fresh => {
                self.change(Change::Add(Place::Run(Run { due_s: 0, tried: 0 }), seq));
                self.change(Change::Remove(Place::Open, seq));
            }
            Origin::Retry(run) => self.hurry(seq, Place::Run(run), work.event.object),
            Origin::Head(_) => self.hurry(seq, Place::Behind(work.event.object), work.event.object),
            Origin::Job(job) => self.job_again(job, work.event.clone()),
            Origin::Resend => {
                let _ = self.resend(work.event.clone());
            }
        }
    }

    fn unprobed(&mut self, now_ms: u64, flight: &Flight) {
        if flight.probe {
            self.breaker.probe_lost(now_ms);
        }
    }

    /// An event of a job failed: if the endpoint had taken it before, it waits for another attempt as a new one would.
    fn job_failed(&mut self, now_ms: u64, work: &Work) {
        let Origin::Job(job) = work.origin else { return };
        let seq = work.event.seq;
        if !self.book().is_pending(seq)
            && let Some(due_s) = self.due_s(now_ms, 1, !self.breaker.is_closed())
        {
            self.change(Change::Add(Place::Run(Run { due_s, tried: 1 }), seq));
        }
        self.job_ended(job, seq, false);
    }

    /// One more failure: at some time its owner is told, and later it is disabled.
    fn ail(&mut self, now_ms: u64) {
        let mut health = self.book().health();
        if health.failures == 0 {
            health.failing_since_ms = now_ms;
        }
        health.failures = health.failures.saturating_add(1);
        let since_ms = health.failing_since_ms;
        let long = now_ms.saturating_sub(since_ms);
        let certain = health.failures >= FAILURES_MIN;
        if certain && long >= FAILING_MS && !health.told {
            health.told = true;
            self.common
                .ports
                .alarm
                .raise(self.shard, self.key(), Alert::Failing { since_ms });
        }
        self.change(Change::Health(health));
        if certain && long >= DEAD_MS && self.halt.is_none() {
            self.stop(Halt::Dead, Alert::Dead { since_ms });
        }
    }

    /// Stops until the endpoint changes.
    fn stop(&mut self, halt: Halt, alert: Alert) {
        self.halt = Some(halt);
        self.park();
        self.common.ports.alarm.raise(self.shard, self.key(), alert);
        self.common.ports.transport.forget(self.key());
    }
}
