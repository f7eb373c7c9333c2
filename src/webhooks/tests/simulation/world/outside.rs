//! What halls of a world want done: deliveries and reads, begun now and ended later.

use super::{Action, SECOND, World};
use tollgate_webhooks::hall::{Answered, Ended, Read, Todo, What};
use tollgate_webhooks::ports::{AccountView, Outcome, SourceError};
use tollgate_webhooks::{Sending, Sent, SentResult};

impl World {
    pub(super) fn begin(&mut self, process: usize, todo: Todo) {
        let life = self.processes[process].life;
        let (ended, after, flight) = match todo.what {
            What::Send(sending) => self.send(process, &sending),
            What::Test(_) => (
                Ended::Tested(Outcome::of(tollgate_webhooks::ports::Answer::Taken { status: 200 }, 1)),
                1,
                None,
            ),
            What::Read(read) => (Ended::Read(self.read(read)), self.chance.of(0..8), None),
        };
        self.at(
            after,
            Action::Ended(process, life, todo.ticket, Box::new(ended), flight),
        );
    }

    fn send(&mut self, process: usize, sending: &Sending) -> (Ended, u64, Option<u64>) {
        let key = sending.endpoint.key;
        let token = sending.token;
        if self.unread_in > 0 && self.chance.once_in(self.unread_in) {
            let result = SentResult::NoBody("simulated".into());
            return (Ended::Sent(Sent { token, result }), self.chance.of(0..8), None);
        }
        let (second, lately) = self.lately.entry(key).or_default();
        if *second != self.now / SECOND {
            (*second, *lately) = (self.now / SECOND, 0);
        }
        *lately += 1;
        let receiver = self.receivers[&key];
        let (outcome, taken) = receiver.answer(self.now, &sending.event, *lately - 1, sending.endpoint.timeout_ms);
        let acknowledged = outcome.answer.is_taken();
        let owner = (
            process,
            self.processes[process].life,
            self.shards[usize::from(self.accounts[&key.account].shard)].epoch,
        );
        let flight = self.auditor.sent(self.now, owner, sending, taken, acknowledged);
        let after = u64::from(outcome.took_ms);
        let result = SentResult::Tried {
            event_id: "evt_simulated".into(),
            outcome,
        };
        (Ended::Sent(Sent { token, result }), after, Some(flight))
    }

    fn read(&mut self, read: Read) -> Answered {
        let unread = self.unread_in > 0 && self.chance.once_in(self.unread_in);
        let error = || SourceError("simulated".into());
        let now = self.now;
        self.shards.iter_mut().for_each(|shard| shard.keep(now));
        match read {
            Read::Notes { .. } if unread => Answered::Notes(Err(error())),
            Read::Notes { shard } => Answered::Notes(Ok(self.shards[usize::from(shard)].notes())),
            Read::Page { .. } if unread => Answered::Page(Err(error())),
            Read::Page { shard, number } => Answered::Page(Ok(self.shards[usize::from(shard)].page(number))),
            Read::Account { .. } if unread => Answered::Account(Err(error())),
            Read::Account { account } => {
                let known = &self.accounts[&account];
                Answered::Account(Ok(AccountView {
                    upto: known.seq,
                    endpoints: known.endpoints.values().cloned().collect(),
                }))
            }
            Read::EventsAfter { .. } | Read::Events { .. } if unread => Answered::Events(Err(error())),
            Read::EventsAfter {
                account, after, limit, ..
            } => {
                let events = self.accounts[&account].events.range(after + 1..).take(limit);
                Answered::Events(Ok(events.map(|(_, event)| event.clone()).collect()))
            }
            Read::Events { account, seqs } => {
                let events = &self.accounts[&account].events;
                Answered::Events(Ok(seqs.iter().filter_map(|seq| events.get(seq).cloned()).collect()))
            }
            Read::FirstSince { account, since_ms } => {
                let known = &self.accounts[&account];
                let first = known.events.values().find(|event| event.created_ms >= since_ms);
                Answered::FirstSince(Ok(first.map_or(known.seq, |event| event.seq)))
            }
        }
    }
}
