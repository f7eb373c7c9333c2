//! Reads that a hall has others do: so many at once, and again after a moment where the journal gave no answer.

use super::{Hall, Named, Ticket, Todo, What};
use crate::endpoint::EndpointKey;
use crate::lane::Ask;
use crate::ports::{AccountView, Event, SavedNote, Soon, SourceError};
use bytes::Bytes;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Reads that are out at once. What waits is bounded by the lanes, each of which has three at most.
const OUT_MAX: usize = 256;
/// How long a shard or an account waits after the journal gave no answer, milliseconds.
const AGAIN_MS: u64 = 500;

/// What is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// The notes of a shard.
    Notes {
        /// Which.
        shard: u16,
    },
    /// A page of them.
    Page {
        /// Which shard.
        shard: u16,
        /// Which page.
        number: u64,
    },
    /// An account and its endpoints.
    Account {
        /// Which.
        account: u64,
    },
    /// Events behind a number.
    EventsAfter {
        /// Of which account.
        account: u64,
        /// The number.
        after: u64,
        /// Most of them.
        limit: usize,
        /// Whose bodies will be asked for at once.
        soon: Vec<Soon>,
    },
    /// These events.
    Events {
        /// Of which account.
        account: u64,
        /// Which.
        seqs: Vec<u64>,
    },
    /// The first number since a time.
    FirstSince {
        /// Of which account.
        account: u64,
        /// The time, milliseconds since the Unix epoch.
        since_ms: u64,
    },
}

/// What was read.
#[derive(Clone, Debug)]
pub enum Answered {
    /// Notes.
    Notes(Result<Vec<SavedNote>, SourceError>),
    /// A page.
    Page(Result<Bytes, SourceError>),
    /// An account.
    Account(Result<AccountView, SourceError>),
    /// Events, after a number or those that were named.
    Events(Result<Vec<Event>, SourceError>),
    /// A number.
    FirstSince(Result<u64, SourceError>),
}

/// Why something is read.
#[derive(Debug)]
pub(super) enum Errand {
    /// A shard came.
    Notes { shard: u16, epoch: u64 },
    /// The same.
    Page { shard: u16, epoch: u64, number: u64 },
    /// An account has endpoints, or others.
    Account { account: u64, shard: u16, epoch: u64 },
    /// A lane wants it.
    Lane(EndpointKey, Ask),
    /// A command wants it.
    Command(Box<super::commands::Pending>),
}

#[derive(Default)]
pub(super) struct Errands {
    waiting: VecDeque<Errand>,
    later: VecDeque<(u64, Errand)>,
    out: HashMap<u64, Out>,
    numbers: u64,
}

/// A read that is out.
struct Out {
    errand: Errand,
    /// Lanes of other endpoints of the account that want the same.
    others: Vec<(EndpointKey, Ask)>,
}

impl Errands {
    pub(super) fn of_lane(&mut self, key: EndpointKey, ask: Ask) {
        self.waiting.push_back(Errand::Lane(key, ask));
    }

    pub(super) fn push(&mut self, errand: Errand) {
        self.waiting.push_back(errand);
    }

    pub(super) fn again(&mut self, now_ms: u64, errand: Errand) {
        self.later.push_back((now_ms + AGAIN_MS, errand));
    }

    pub(super) fn start(&mut self, now_ms: u64, out: &mut Vec<Todo>) {
        while self.later.front().is_some_and(|(at, _)| *at <= now_ms) {
            let (_, errand) = self.later.pop_front().expect("there is one in front");
            self.waiting.push_back(errand);
        }
        while self.out.len() < OUT_MAX {
            let Some(errand) = self.waiting.pop_front() else { break };
            self.numbers += 1;
            // All lanes of an account hear at once that there is something new, and ask one after another.
            let mut others = Vec::new();
            let same = |next: &mut Errand| errand.looks_for().is_some_and(|it| next.looks_for() == Some(it));
            while let Some(Errand::Lane(key, ask)) = self.waiting.pop_front_if(same) {
                others.push((key, ask));
            }
            let mut read = errand.read();
            if let Read::EventsAfter { soon, .. } = &mut read {
                soon.extend(others.iter().filter_map(|(_, ask)| ask.soon()).cloned());
            }
            let what = What::Read(read);
            self.out.insert(self.numbers, Out { errand, others });
            let ticket = Ticket(Named::Read(self.numbers));
            out.push(Todo { ticket, what });
        }
    }

    pub(super) fn wakes_at(&self) -> Option<u64> {
        self.later.front().map(|(at, _)| *at)
    }

    fn take(&mut self, number: u64) -> Option<Out> {
        self.out.remove(&number)
    }
}

impl Errand {
    /// Account, number and most of them, where it is a lane that looks for what is new behind that number: one read answers all
    /// who look for the same.
    fn looks_for(&self) -> Option<(u64, u64, usize)> {
        match self {
            Errand::Lane(key, Ask::Fetch { after, limit, .. }) => Some((key.account, *after, *limit)),
            _ => None,
        }
    }

    fn read(&self) -> Read {
        match self {
            Errand::Notes { shard, .. } => Read::Notes { shard: *shard },
            Errand::Page { shard, number, .. } => Read::Page {
                shard: *shard,
                number: *number,
            },
            Errand::Account { account, .. } => Read::Account { account: *account },
            Errand::Lane(key, ask @ (Ask::Fetch { after, limit, .. } | Ask::Walk { after, limit, .. })) => {
                Read::EventsAfter {
                    account: key.account,
                    after: *after,
                    limit: *limit,
                    soon: ask.soon().into_iter().cloned().collect(),
                }
            }
            Errand::Lane(key, Ask::Load { seqs }) => Read::Events {
                account: key.account,
                seqs: seqs.clone(),
            },
            Errand::Command(pending) => pending.read(),
        }
    }
}

impl Hall {
    /// A read has ended; `None` when it panicked.
    pub(super) fn answered(&mut self, number: u64, answered: Option<Answered>) {
        let Some(Out { errand, others }) = self.errands.take(number) else {
            return;
        };
        let now_ms = self.now_ms;
        match errand {
            Errand::Notes { shard, epoch } => match answered {
                Some(Answered::Notes(Ok(notes))) => self.notes_read(shard, epoch, notes),
                _ if self.is_loading(shard, epoch) => self.errands.again(now_ms, Errand::Notes { shard, epoch }),
                _ => {}
            },
            Errand::Page { shard, epoch, number } => match answered {
                Some(Answered::Page(Ok(page))) => self.page_read(shard, epoch, &page),
                _ if self.is_loading(shard, epoch) => {
                    self.errands.again(now_ms, Errand::Page { shard, epoch, number });
                }
                _ => {}
            },
            Errand::Account { account, shard, epoch } => match answered {
                Some(Answered::Account(Ok(view))) => self.account_read(account, shard, epoch, view),
                _ if self.epoch_of(shard) == Some(epoch) => {
                    self.errands.again(now_ms, Errand::Account { account, shard, epoch });
                }
                _ => {}
            },
            Errand::Lane(key, ask) => {
                let events = match answered {
                    Some(Answered::Events(Ok(events))) => Some(events),
                    _ => None,
                };
                for (key, ask) in others {
                    self.read_for_lane(key, ask, events.clone());
                }
                self.read_for_lane(key, ask, events);
            }
            Errand::Command(pending) => self.resolve(*pending, answered),
        }
    }

    fn read_for_lane(&mut self, key: EndpointKey, ask: Ask, events: Option<Vec<Event>>) {
        let Some(&lane) = self.places.get(&key) else { return };
        let now_ms = self.now_ms;
        self.floor.tell(now_ms, lane, |lane| match ask {
            Ask::Fetch { after, .. } => lane.fetched(now_ms, after, events),
            Ask::Load { seqs } => lane.loaded(now_ms, &seqs, events),
            Ask::Walk { job, after, .. } => lane.walked(now_ms, job, after, events),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Patterns;

    #[test]
    fn lanes_of_an_account_that_look_for_the_same_share_one_read() {
        let mut errands = Errands::default();
        for (account, seq, after) in [(1, 1, 9), (1, 2, 9), (1, 3, 9), (2, 1, 9), (1, 4, 9), (1, 5, 8)] {
            let soon = Soon {
                after: seq,
                filter: Patterns::all(),
                api_version: format!("version {seq}").into(),
            };
            let soon = Some(soon).filter(|_| seq != 2);
            let ask = Ask::Fetch {
                after,
                limit: 128,
                soon,
            };
            errands.of_lane(EndpointKey { account, seq }, ask);
        }
        for seq in [6, 7] {
            errands.of_lane(EndpointKey { account: 1, seq }, Ask::Load { seqs: vec![3] });
        }
        let mut begun = Vec::new();
        errands.start(0, &mut begun);
        let soon = |soon: &[Soon]| soon.iter().map(|it| it.after).collect::<Vec<_>>();
        let read = |todo: &Todo| match &todo.what {
            What::Read(Read::EventsAfter {
                account,
                after,
                limit: 128,
                soon: of,
            }) => (*account, *after, soon(of)),
            What::Read(Read::Events { account, seqs }) => (*account, 0, seqs.clone()),
            other => panic!("{other:?}"),
        };
        let expected = [
            (1, 9, vec![1, 3]),
            (2, 9, vec![1]),
            (1, 9, vec![4]),
            (1, 8, vec![5]),
            (1, 0, vec![3]),
            (1, 0, vec![3]),
        ];
        assert_eq!(begun.iter().map(read).collect::<Vec<_>>(), expected);
        let told = errands.take(1).expect("it is out").others;
        let told: Vec<u64> = told.iter().map(|(key, _)| key.seq).collect();
        assert_eq!(told, [2, 3]);
        assert!(errands.take(2).is_some_and(|it| it.others.is_empty()));
    }
}
