//! Deliveries and reads on their way, with what comes of them.

use super::deliveries::Doing;
use super::{Happening, World};
use crate::auditor::Failure;
use crate::bodies::endpoints::step_of;
use crate::merchants::secrets;
use crate::receivers::Mood;
use tollgate_actors::entropy::Entropy;
use tollgate_actors::outbox::event_shown;
use tollgate_webhooks::hall::{Read, Todo, What};
use tollgate_webhooks::{Sending, Sent, SentResult};

/// Longest time from a delivery's turn until it is at the receiver, milliseconds.
const WAY_MS_MAX: u64 = 20;

impl World<'_> {
    /// Begins what a hall wants done.
    pub(super) fn begin_delivery(&mut self, todo: Todo) -> Result<(), Failure> {
        let mut chance = self.chance_of(&identity(&todo.what));
        let (doing, wait_ms) = match todo.what {
            What::Send(sending) => {
                let way_ms = chance.below(WAY_MS_MAX);
                let (sent, took_ms, flight) = self.send_event(&sending, &mut chance)?;
                (Doing::Send(sent, flight), way_ms + took_ms)
            }
            What::Read(read) => {
                let wait_ms = chance.below(self.plan.weather.load_ms + 1);
                (Doing::Read(read), wait_ms)
            }
            What::Test(_) => unreachable!("nobody tests an endpoint here"),
        };
        let happening = Happening::Delivered(self.process, todo.ticket, Box::new(doing));
        self.push_undrawn(self.now_ms + wait_ms, chance.word(), happening);
        Ok(())
    }

    /// What comes of a delivery, and after how long.
    fn send_event(&mut self, sending: &Sending, chance: &mut Entropy) -> Result<(Sent, u64, u64), Failure> {
        let endpoint = &sending.endpoint;
        let account = endpoint.key.account;
        self.counts.deliveries += 1;
        self.trace
            .number(8, account ^ endpoint.key.seq << 48 ^ sending.event.seq << 16);
        let token = sending.token;
        // Bodies are read one in so many: each costs as much as the rest of a delivery.
        let shown = match chance.below(8) {
            0 => {
                let profile = self.merchants.iter().find(|profile| profile.key.0 == account);
                let profile = profile.expect("an account of the run");
                let post = self.post.as_ref().expect("a hall sends, so there is one");
                let shown = event_shown(
                    &post.records(),
                    &*self.store,
                    &secrets(),
                    profile,
                    sending.event.seq,
                    None,
                );
                shown.map(|shown| shown.is_some())
            }
            _ => Ok(true),
        };
        let known = match shown {
            Ok(known) => known,
            Err(why) => {
                let flight = self.auditor.unread(sending);
                let result = SentResult::NoBody(why.to_string());
                return Ok((Sent { token, result }, 0, flight));
            }
        };
        let step = step_of(&endpoint.url).expect("an address of the run");
        let mood = self.moods.get(&step).copied().unwrap_or(Mood::Good(15));
        let (outcome, taken) = mood.answer(self.now_ms, sending.event.object, endpoint.timeout_ms);
        let heard = outcome.answer.is_taken();
        let flight = self.auditor.delivery(sending, known, taken, heard)?;
        let took_ms = u64::from(outcome.took_ms);
        let result = SentResult::Tried {
            event_id: "evt_simulated".into(),
            outcome,
        };
        Ok((Sent { token, result }, took_ms, flight))
    }

    /// Numbers that follow from the run, the moment and what is done.
    fn chance_of(&self, identity: &Identity) -> Entropy {
        let (a, b, c, d) = *identity;
        let words = [self.plan.seed, self.now_ms, a.into(), b, c, d];
        let hash = words.into_iter().fold(0, |hash: u64, word| {
            (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        Entropy::new(hash)
    }
}

/// What tells things apart that a hall wants done at one moment.
pub(super) type Identity = (u8, u64, u64, u64);

/// See [`Identity`].
pub(super) fn identity(what: &What) -> Identity {
    match what {
        What::Send(sending) => (
            0,
            sending.endpoint.key.account,
            sending.endpoint.key.seq,
            sending.event.seq,
        ),
        What::Test(delivery) => (1, delivery.endpoint.key.account, delivery.endpoint.key.seq, 0),
        What::Read(Read::Notes { shard }) => (2, u64::from(*shard), 0, 0),
        What::Read(Read::Page { shard, number }) => (3, u64::from(*shard), *number, 0),
        What::Read(Read::Account { account }) => (4, *account, 0, 0),
        What::Read(Read::EventsAfter {
            account, after, limit, ..
        }) => (5, *account, *after, *limit as u64),
        What::Read(Read::Events { account, seqs }) => (
            6,
            *account,
            seqs.first().copied().unwrap_or_default(),
            seqs.len() as u64,
        ),
        What::Read(Read::FirstSince { account, since_ms }) => (7, *account, *since_ms, 0),
    }
}
