//! What operators and owners want of an endpoint's deliveries.

use super::errands::Errand;
use super::{Answered, Hall, LaneStatus, Named, Read, Ticket, Todo, What};
use crate::book::{Change, DAY_MS, Only, Place, Reason, RecoverJob, Run};
use crate::endpoint::EndpointKey;
use crate::lane::Lane;
use crate::ports::{Body, Cause, Delivery, Outcome};
use std::sync::Arc;

/// Tests that may be out at once.
const TESTS_MAX: usize = 16;
/// Dead letters that one list gives.
pub(crate) const LETTERS_MAX: usize = 1_000;

/// Takes an answer, once.
pub type Reply<T> = Box<dyn FnOnce(Result<T, Refused>) + Send>;

/// Why a command is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such endpoint here.
    #[error("no endpoint of this number is served here")]
    NoEndpoint,
    /// There is no such event.
    #[error("there is no such event, or it is not kept any more")]
    NoEvent,
    /// There is no such job.
    #[error("there is no such job")]
    NoJob,
    /// Too much waits.
    #[error("too much of this waits already; try again when some of it is done")]
    TooMany,
    /// The journal gave no answer.
    #[error("the journal gave no answer; try again")]
    Unread,
}

/// What came of a test.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The outcome.
    pub outcome: Outcome,
}

/// Something that is wanted of an endpoint.
pub enum Command {
    /// Send an event again, whether it was taken or not.
    Resend {
        /// To which.
        endpoint: EndpointKey,
        /// Which event.
        seq: u64,
        /// Answered when it is about to go.
        reply: Reply<()>,
    },
    /// Begin a job that sends a range of events again.
    Recover {
        /// To which.
        endpoint: EndpointKey,
        /// Events that happened at or after this, milliseconds since the Unix epoch.
        since_ms: u64,
        /// Events that happened before this.
        until_ms: u64,
        /// Only these types; every type it wants if there are none.
        types: Vec<Box<str>>,
        /// Only some of them.
        only: Only,
        /// When it was asked for, milliseconds since the Unix epoch. A job that agrees with one of those that are remembered
        /// in this too is that one.
        began_ms: u64,
        /// The job.
        reply: Reply<RecoverJob>,
    },
    /// Stop a job.
    Cancel {
        /// Of which endpoint.
        endpoint: EndpointKey,
        /// Which job.
        job: u64,
        /// The job.
        reply: Reply<RecoverJob>,
    },
    /// List jobs, the newest first.
    Jobs {
        /// Of which endpoint.
        endpoint: EndpointKey,
        /// The jobs.
        reply: Reply<Vec<RecoverJob>>,
    },
    /// List dead letters, by number.
    DeadLetters {
        /// Of which endpoint.
        endpoint: EndpointKey,
        /// Those with a greater number.
        after: u64,
        /// Most of them.
        limit: usize,
        /// The letters.
        reply: Reply<Vec<DeadLetter>>,
    },
    /// Send dead letters again: those of these days, or these.
    Replay {
        /// Of which endpoint.
        endpoint: EndpointKey,
        /// Which.
        letters: Letters,
        /// How many.
        reply: Reply<u64>,
    },
    /// Send something that is no event.
    Test {
        /// To which.
        endpoint: EndpointKey,
        /// What.
        body: Body,
        /// What came of it.
        reply: Reply<Tested>,
    },
    /// Try at once what was stopped: a breaker that is open, a lane that was quarantined.
    Resume {
        /// To which.
        endpoint: EndpointKey,
        /// Answered when it was done.
        reply: Reply<()>,
    },
    /// Tell how a lane does.
    Status {
        /// Of which endpoint.
        endpoint: EndpointKey,
        /// How it does.
        reply: Reply<LaneStatus>,
    },
    /// Read every account and its endpoints again: what endpoints are sent by where they say nothing has changed.
    LookAgain,
    /// Tell how those lanes do that are most behind.
    Lanes {
        /// How many.
        limit: usize,
        /// How they do, the worst first.
        reply: Reply<Vec<LaneStatus>>,
    },
}

/// Which dead letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Letters {
    /// Those that died between these times, milliseconds since the Unix epoch, by whole days.
    Between {
        /// From the day of this time on.
        since_ms: u64,
        /// Up to the day of this one.
        until_ms: u64,
    },
    /// These events.
    These(Vec<u64>),
}

/// An event that was given up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeadLetter {
    /// The event.
    pub seq: u64,
    /// The beginning of the day on which it was, milliseconds since the Unix epoch.
    pub day_ms: u64,
    /// Why.
    pub reason: Reason,
}

/// A command that waits for a read.
pub(super) enum Pending {
    Resend(EndpointKey, u64, Reply<()>),
    Recover(EndpointKey, RecoverJob, Reply<RecoverJob>),
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Pending::Resend(key, ..) | Pending::Recover(key, ..)) = self;
        f.debug_tuple("Pending").field(key).finish_non_exhaustive()
    }
}

impl Pending {
    pub(super) fn read(&self) -> Read {
        match self {
            Pending::Resend(key, seq, _) => Read::Events {
                account: key.account,
                seqs: vec![*seq],
            },
            Pending::Recover(key, job, _) => Read::FirstSince {
                account: key.account,
                since_ms: job.since_ms,
            },
        }
    }
}

/// A test that is out, or about to be.
pub(super) struct Test {
    pub(super) delivery: Option<Delivery>,
    reply: Reply<Tested>,
}

impl Hall {
    pub(super) fn command(&mut self, command: Command) {
        let now_ms = self.now_ms;
        match command {
            Command::Resend { endpoint, seq, reply } => {
                self.errands
                    .push(Errand::Command(Box::new(Pending::Resend(endpoint, seq, reply))));
            }
            Command::Recover {
                endpoint,
                since_ms,
                until_ms,
                types,
                only,
                began_ms,
                reply,
            } => {
                let job = RecoverJob {
                    id: 0,
                    since_ms,
                    until_ms,
                    types,
                    only,
                    done: 0,
                    last: 0,
                    sent: 0,
                    taken: 0,
                    began_ms,
                    state: crate::book::JobState::Running,
                };
                self.errands
                    .push(Errand::Command(Box::new(Pending::Recover(endpoint, job, reply))));
            }
            Command::Cancel { endpoint, job, reply } => {
                let job = self.tell_lane(endpoint, |lane| lane.cancel_job(job).ok_or(Refused::NoJob));
                reply(job.and_then(|job| job));
            }
            Command::Jobs { endpoint, reply } => {
                let jobs = |lane: &mut Lane| lane.book().jobs().values().rev().cloned().collect();
                reply(self.with_lane(endpoint, jobs).ok_or(Refused::NoEndpoint));
            }
            Command::DeadLetters {
                endpoint,
                after,
                limit,
                reply,
            } => {
                let letters = |lane: &mut Lane| dead_letters(lane, after, limit.min(LETTERS_MAX));
                reply(self.with_lane(endpoint, letters).ok_or(Refused::NoEndpoint));
            }
            Command::Replay {
                endpoint,
                letters,
                reply,
            } => reply(self.tell_lane(endpoint, |lane| replay(lane, &letters))),
            Command::Test { endpoint, body, reply } => self.test(endpoint, body, reply),
            Command::Resume { endpoint, reply } => {
                if let Some((lane, _)) = self.quarantined.remove(&endpoint) {
                    self.place(endpoint, Lane::instead_of(lane));
                }
                reply(self.tell_lane(endpoint, |lane| lane.resume(now_ms)));
            }
            Command::Status { endpoint, reply } => reply(self.status(endpoint).ok_or(Refused::NoEndpoint)),
            Command::LookAgain => self.look_again(),
            Command::Lanes { limit, reply } => reply(Ok(self.worst(limit))),
        }
    }

    /// What a command waited for has been read.
    pub(super) fn resolve(&mut self, pending: Pending, answered: Option<Answered>) {
        match (pending, answered) {
            (Pending::Resend(endpoint, _, reply), Some(Answered::Events(Ok(events)))) => {
                let resent = match events.into_iter().next() {
                    Some(event) => self
                        .tell_lane(endpoint, |lane| lane.resend(event))
                        .and_then(|took| if took { Ok(()) } else { Err(Refused::TooMany) }),
                    None => Err(Refused::NoEvent),
                };
                reply(resent);
            }
            (Pending::Recover(endpoint, job, reply), Some(Answered::FirstSince(Ok(first)))) => {
                let done = first.saturating_sub(1).max(endpoint.seq);
                let job = RecoverJob { done, ..job };
                let begun = self.tell_lane(endpoint, |lane| lane.begin_job(job));
                reply(begun.and_then(|job| job.ok_or(Refused::TooMany)));
            }
            (Pending::Resend(_, _, reply), _) => reply(Err(Refused::Unread)),
            (Pending::Recover(_, _, reply), _) => reply(Err(Refused::Unread)),
        }
    }

    fn tell_lane<T>(&mut self, key: EndpointKey, hear: impl FnOnce(&mut Lane) -> T) -> Result<T, Refused> {
        let lane = *self.places.get(&key).ok_or(Refused::NoEndpoint)?;
        let now_ms = self.now_ms;
        self.floor.tell(now_ms, lane, hear).ok_or(Refused::NoEndpoint)
    }

    fn test(&mut self, endpoint: EndpointKey, body: Body, reply: Reply<Tested>) {
        if self.tests.len() >= TESTS_MAX {
            return reply(Err(Refused::TooMany));
        }
        let Some(view) = self.with_lane(endpoint, |lane| Arc::clone(&lane.view)) else {
            return reply(Err(Refused::NoEndpoint));
        };
        let delivery = Delivery {
            endpoint: view,
            event_id: body.event_id,
            event_seq: 0,
            nth: 0,
            body: body.bytes,
            attempt: 1,
            cause: Cause::Test,
        };
        let number = self.entropy.next();
        let delivery = Some(delivery);
        self.tests.insert(number, Test { delivery, reply });
    }

    /// Tests that are about to go.
    pub(super) fn start_tests(&mut self, out: &mut Vec<Todo>) {
        for (number, test) in &mut self.tests {
            if let Some(delivery) = test.delivery.take() {
                let ticket = Ticket(Named::Test(*number));
                let what = What::Test(Box::new(delivery));
                out.push(Todo { ticket, what });
            }
        }
    }

    pub(super) fn tested(&mut self, number: u64, outcome: Option<Outcome>) {
        if let Some(test) = self.tests.remove(&number) {
            (test.reply)(outcome.map(|outcome| Tested { outcome }).ok_or(Refused::Unread));
        }
    }
}

fn dead_letters(lane: &mut Lane, after: u64, limit: usize) -> Vec<DeadLetter> {
    let book = lane.book();
    let mut letters: Vec<DeadLetter> = Vec::new();
    for (death, seqs) in book.dead() {
        letters.extend(seqs.above(after).take(limit).map(|seq| DeadLetter {
            seq,
            day_ms: u64::from(death.day) * DAY_MS,
            reason: death.reason,
        }));
    }
    letters.sort_unstable();
    letters.truncate(limit);
    letters
}

/// Makes dead letters events that are to be sent as soon as anything is taken; how many.
fn replay(lane: &mut Lane, letters: &Letters) -> u64 {
    match letters {
        Letters::Between { since_ms, until_ms } => {
            let (from, to) = ((since_ms / DAY_MS) as u32, (until_ms / DAY_MS) as u32);
            let before = lane.book().dead_len();
            lane.change(Change::Revive { from, to });
            before - lane.book().dead_len()
        }
        Letters::These(seqs) => {
            let mut revived = 0;
            for seq in seqs.iter().take(LETTERS_MAX) {
                let place = lane.book().failed_at(*seq);
                if let Some(dead @ Place::Dead(_)) = place {
                    lane.change(Change::Add(Place::Run(Run { due_s: 0, tried: 0 }), *seq));
                    lane.change(Change::Remove(dead, *seq));
                    revived += 1;
                }
            }
            revived
        }
    }
}
