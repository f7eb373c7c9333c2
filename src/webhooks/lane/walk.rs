//! Jobs that send a range of events again: one at a time, in order, with a fifth of the lane.

use super::{Ask, FETCH_MAX, Lane, Origin, Work};
use crate::book::{Change, JOBS_MAX, JobState, Only, RecoverJob};
use crate::ports::Event;
use std::collections::{BTreeSet, VecDeque};

/// A job has this part of what the lane may have out, and at least one.
const LANE_PART: u32 = 5;

/// The job that runs.
#[derive(Debug)]
pub(super) struct Walk {
    job: u64,
    /// Events up to here were looked at.
    scanned: u64,
    asked: bool,
    events: VecDeque<Event>,
    /// Events that are out or wait for their object.
    out: BTreeSet<u64>,
    /// Those of them that were sent since the job was written down, and those that were taken.
    sent: u64,
    taken: u64,
}

impl Walk {
    fn of(job: &RecoverJob) -> Walk {
        Walk {
            job: job.id,
            scanned: job.done,
            asked: false,
            events: VecDeque::new(),
            out: BTreeSet::new(),
            sent: 0,
            taken: 0,
        }
    }

    /// Everything up to here is done with.
    fn done(&self) -> u64 {
        let first = self
            .out
            .first()
            .copied()
            .into_iter()
            .chain(self.events.front().map(|event| event.seq))
            .min();
        first.map_or(self.scanned, |first| first - 1)
    }

    /// Forgets what has not been sent: it is read again.
    pub(super) fn put_back(&mut self) {
        self.scanned = self.done();
        self.events.clear();
        self.out.clear();
        self.asked = false;
    }
}

impl Lane {
    /// Begins a job, unless it is one that is remembered. `None` when too many are remembered, none of which has ended.
    pub(crate) fn begin_job(&mut self, wanted: RecoverJob) -> Option<RecoverJob> {
        if let Some(known) = self.book().jobs().values().find(|job| job.is_asked_as(&wanted)) {
            return Some(known.clone());
        }
        let (id, oldest_ended, len) = {
            let book = self.book();
            let ended = book
                .jobs()
                .values()
                .find(|job| job.state != JobState::Running)
                .map(|job| job.id);
            let last = book.jobs().last_key_value().map_or(0, |(id, _)| *id);
            (last + 1, ended, book.jobs().len())
        };
        if len >= JOBS_MAX {
            self.change(Change::Forget(oldest_ended?));
        }
        let last = self.book().cursor();
        let job = RecoverJob {
            id,
            last,
            sent: 0,
            taken: 0,
            state: JobState::Running,
            ..wanted
        };
        self.change(Change::Job(job.clone()));
        Some(job)
    }

    /// Stops a job. `None` when there is none of this number.
    pub(crate) fn cancel_job(&mut self, id: u64) -> Option<RecoverJob> {
        let job = self.book().jobs().get(&id).cloned()?;
        if job.state != JobState::Running {
            return Some(job);
        }
        let state = JobState::Canceled;
        let job = RecoverJob { state, ..job };
        self.change(Change::Job(job.clone()));
        if self.walk.as_ref().is_some_and(|walk| walk.job == id) {
            self.walk = None;
        }
        Some(job)
    }

    /// The next event of a job, if the jobs' part of the lane is not used up.
    pub(super) fn next_of_job(&mut self, now_ms: u64) -> Option<Work> {
        if self.walk.is_none() {
            let job = self
                .book()
                .jobs()
                .values()
                .find(|job| job.state == JobState::Running)
                .map(Walk::of);
            self.walk = job;
        }
        let out = self.walk.as_ref()?.out.len();
        if out as u32 >= (self.aimd.limit() / LANE_PART).max(1) || self.waiting >= super::WAITING_MAX {
            return None;
        }
        loop {
            let walk = self.walk.as_mut()?;
            let Some(event) = walk.events.pop_front() else { break };
            let only = self.book().jobs().get(&self.walk.as_ref()?.job).map(|job| job.only)?;
            if !self.is_of(only, event.seq) {
                continue;
            }
            let walk = self.walk.as_mut()?;
            walk.out.insert(event.seq);
            walk.sent += 1;
            let origin = Origin::Job(walk.job);
            return Some(Work { event, origin });
        }
        self.clean_walk();
        let walk = self.walk.as_mut()?;
        let (job, after) = (walk.job, walk.scanned);
        let ready = !walk.asked && walk.events.is_empty();
        let last = self.book().jobs().get(&job)?.last;
        if ready && after < last && now_ms >= self.not_before_ms {
            self.walk.as_mut()?.asked = true;
            let limit = FETCH_MAX;
            self.ask(Ask::Walk { job, after, limit });
        }
        None
    }

    /// Events of a job have come, or could not be read.
    pub(crate) fn walked(&mut self, now_ms: u64, id: u64, after: u64, events: Option<Vec<Event>>) {
        let Some(walk) = &mut self.walk else { return };
        if walk.job != id || walk.scanned != after || !walk.asked {
            return;
        }
        walk.asked = false;
        let Some(events) = events else {
            return self.leave_journal(now_ms);
        };
        let Some(job) = self.book().jobs().get(&id).cloned() else {
            return;
        };
        let end = match events.len() {
            FETCH_MAX.. => events.last().map_or(job.last, |event| event.seq.min(job.last)),
            _ => job.last,
        };
        let (filter, own) = (self.view.filter.clone(), self.view.key.seq);
        let of_types = |kind: &str| match job.types.is_empty() {
            true => filter.want(kind),
            false => job.types.iter().any(|wanted| **wanted == *kind),
        };
        let wanted = events.into_iter().filter(|event| {
            let in_time = (job.since_ms..job.until_ms).contains(&event.created_ms);
            event.seq > own && event.seq <= job.last && in_time && of_types(event.kind)
        });
        if let Some(walk) = &mut self.walk {
            walk.events.extend(wanted);
            walk.scanned = end.max(after);
        }
        self.clean_walk();
    }

    /// Whether a job sends the event: not one that is about to go by itself.
    fn is_of(&self, only: Only, seq: u64) -> bool {
        let book = self.book();
        if seq > book.cursor() || book.open().binary_search(&seq).is_ok() || self.in_hand.contains(&seq) {
            return false;
        }
        match only {
            Only::All => true,
            Only::Undelivered => book.is_pending(seq),
            Only::Delivered => !book.is_pending(seq),
        }
    }

    /// An event of a job has its outcome.
    pub(super) fn job_ended(&mut self, job: u64, seq: u64, taken: bool) {
        let Some(walk) = self.walk.as_mut().filter(|walk| walk.job == job) else {
            return;
        };
        if walk.out.remove(&seq) {
            walk.taken += u64::from(taken);
        }
    }

    /// An event of a job was not tried: it is read again.
    pub(super) fn job_again(&mut self, job: u64, event: Event) {
        if let Some(walk) = self.walk.as_mut().filter(|walk| walk.job == job)
            && walk.out.remove(&event.seq)
        {
            walk.sent -= 1;
            walk.events.push_front(event);
        }
    }

    /// Writes down how far the job has come, and that it has ended.
    pub(super) fn clean_walk(&mut self) {
        let Some(id) = self.walk.as_ref().map(|walk| walk.job) else {
            return;
        };
        let job = self
            .book()
            .jobs()
            .get(&id)
            .cloned()
            .filter(|job| job.state == JobState::Running);
        let (Some(mut job), Some(walk)) = (job, &mut self.walk) else {
            self.walk = None;
            return;
        };
        let before = job.clone();
        job.done = walk.done();
        job.sent += std::mem::take(&mut walk.sent);
        job.taken += std::mem::take(&mut walk.taken);
        if job.done >= job.last && walk.out.is_empty() && walk.events.is_empty() {
            job.state = JobState::Done;
            self.walk = None;
        }
        if job != before {
            self.change(Change::Job(job));
        }
    }
}
