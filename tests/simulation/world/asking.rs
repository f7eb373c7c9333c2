//! Clients at work: they send, wait, hang up, lose patience, and send again with the same key.

use super::{Happening, START_MS, World};
use crate::auditor::Failure;
use crate::bodies::{Learnt, body_of};
use crate::clients::{Hears, Session, Stage, TRIES_MAX, hear};
use crate::merchants::Body;
use crate::plan::{Action, Wish};
use std::sync::Arc;
use tollgate_actors::request::{Answer, Delivery, ReplyTo};
use tollgate_actors::shard::Ask;
use tollgate_domain::{AccountKey, Call, kinds};
use tollgate_resource::{Id, Kind};

/// A client of a merchant, who hears of answers and of events.
struct Client<'a> {
    world: &'a World<'a>,
    merchant: AccountKey,
}

/// Somebody who has learnt nothing.
struct Newcomer;

impl Learnt for Client<'_> {
    fn object(&self, of: usize) -> Option<(&'static Kind, Id)> {
        self.world.sessions.get(&of)?.learnt
    }
    fn dispute(&self, payment: Id) -> Option<Id> {
        self.world.auditor.dispute_of(self.merchant, payment)
    }
    fn action(&self, intent: Id, first: bool) -> Option<u64> {
        self.world.auditor.action_of(self.merchant, intent, first)
    }
    fn charge(&self, intent: Id) -> Option<Id> {
        self.world.auditor.charge_of(self.merchant, intent)
    }
}

impl Learnt for Newcomer {
    fn object(&self, _: usize) -> Option<(&'static Kind, Id)> {
        None
    }
    fn dispute(&self, _: Id) -> Option<Id> {
        None
    }
    fn action(&self, _: Id, _: bool) -> Option<u64> {
        None
    }
    fn charge(&self, _: Id) -> Option<Id> {
        None
    }
}

impl World<'_> {
    pub(super) fn begin(&mut self, step: usize, wish: &Wish) -> Result<(), Failure> {
        let client = Client {
            world: self,
            merchant: self.merchants[wish.account].key,
        };
        let Some(body) = body_of(step, &wish.action, wish.expands, &client) else {
            return Ok(());
        };
        let session = Session {
            hangs_up: wish.hangs_up,
            ..Session::new(
                wish.account,
                body,
                wish.keyed.then(|| format!("key {step}")),
                wish.patience_ms,
            )
        };
        self.open(step, session)
    }

    pub(super) fn again(&mut self, step: usize, of: usize) -> Result<(), Failure> {
        let Some(first) = self.sessions.get(&of) else {
            return Ok(());
        };
        let session = Session::new(first.account, first.body.clone(), first.key.clone(), 10_000);
        self.open(step, session)
    }

    pub(super) fn other_body(&mut self, step: usize, of: usize) -> Result<(), Failure> {
        let Some(first) = self.sessions.get(&of) else {
            return Ok(());
        };
        let action = Action::Create {
            amount: 10_010 + 10 * (step as i64 % 1_000),
            currency: "usd",
            card: Some("visa"),
            confirm: true,
            manual: false,
            customer: None,
            save: false,
        };
        let body = body_of(step, &action, false, &Newcomer).expect("it refers to nothing");
        let session = Session::new(first.account, body, first.key.clone(), 10_000);
        self.open(step, session)
    }

    /// A session begins with its first request.
    pub(super) fn open(&mut self, at: usize, session: Session) -> Result<(), Failure> {
        self.sessions.insert(at, session);
        self.send(at)
    }

    pub(super) fn send(&mut self, at: usize) -> Result<(), Failure> {
        self.sessions.get_mut(&at).expect("a session of the run").queued = false;
        if !self.up {
            self.retry(at);
            return Ok(());
        }
        let slot = self.slots.len() as u32;
        let unix_ms = self.unix_ms();
        let session = self.sessions.get_mut(&at).expect("a session of the run");
        if session.stage != Stage::Open {
            return Ok(());
        }
        session.tries += 1;
        session.slot = slot;
        let profile = &self.merchants[session.account];
        let request = session
            .body
            .request(profile, u64::from(slot) + 1, session.key.as_deref(), unix_ms);
        let request = Arc::new(request);
        let (account, patience_ms) = (profile.key, session.patience_ms);
        self.slots.push(at);
        self.counts.requests += 1;
        self.auditor.sent(slot, Arc::clone(&request));
        self.trace.number(4, u64::from(slot));
        self.push_in(patience_ms, Happening::Impatient(at, slot));
        if beside(&request.call) {
            let delay = self.below(self.plan.weather.load_ms + 1);
            self.push_in(delay, Happening::Beside(slot, request, self.process));
            return Ok(());
        }
        let shard = self.shard_of(account);
        let to = ReplyTo {
            worker: 0,
            slot,
            generation: 0,
        };
        let host = &mut self.hosts[usize::from(shard)];
        host.inbox.work.push_back(Ask::new(to, request));
        host.inside.insert(slot);
        host.tick_ms = 0;
        self.wake(shard, 0);
        Ok(())
    }

    /// Nothing came of the newest try.
    pub(super) fn retry(&mut self, at: usize) {
        let calm = self.calm;
        let session = self.sessions.get_mut(&at).expect("a session of the run");
        if session.stage != Stage::Open {
            return;
        }
        let reads = !matches!(session.body.call, Call::Write(_));
        if session.key.is_none() && !reads && session.tries > 0 {
            session.stage = Stage::GivenUp;
            return;
        }
        // Whatever still comes for the older try is not heard.
        session.slot = u32::MAX;
        if session.tries >= TRIES_MAX && !calm {
            // It waits for better weather.
            return;
        }
        session.queued = true;
        // Patience grows with every try.
        let most = 3_000 * u64::from(session.tries.clamp(1, 20));
        let delay = 100 + self.below(most);
        self.push_in(delay, Happening::Send(at));
    }

    pub(super) fn deliver(&mut self, deliveries: Vec<Delivery>) -> Result<(), Failure> {
        for Delivery { to, answer } in deliveries {
            self.answered(to.slot, &answer)?;
        }
        Ok(())
    }

    pub(super) fn answered(&mut self, slot: u32, answer: &Answer) -> Result<(), Failure> {
        self.hosts.iter_mut().for_each(|host| {
            host.inside.remove(&slot);
        });
        self.counts.answers += 1;
        self.trace.number(5, u64::from(slot) << 1 | u64::from(answer.is_ok()));
        self.auditor.released(slot, answer)?;
        let at = self.slots[slot as usize];
        let session = self.sessions.get_mut(&at).expect("a session of the run");
        if session.slot != slot || session.stage != Stage::Open {
            return Ok(());
        }
        if std::mem::take(&mut session.hangs_up) {
            self.retry(at);
            return Ok(());
        }
        match hear(answer) {
            Hears::Final(learnt) => {
                session.stage = Stage::Answered;
                session.learnt = learnt;
            }
            Hears::Later => self.retry(at),
        }
        Ok(())
    }

    /// The process went away: every connection breaks.
    pub(super) fn hang_up_all(&mut self, slots: impl IntoIterator<Item = u32>) {
        for slot in slots {
            let at = self.slots[slot as usize];
            if self.sessions[&at].slot == slot {
                self.retry(at);
            }
        }
    }

    pub(super) fn unix_ms(&self) -> u64 {
        (START_MS + self.now_ms)
            .checked_add_signed(self.off_ms)
            .expect("the clock errs by hours")
    }
}

/// Whether reader threads answer it without the shard.
fn beside(call: &Call) -> bool {
    match call {
        Call::List(_) | Call::Search(_) => true,
        Call::Read(tollgate_domain::Read::Object(kind, ..)) => **kind == kinds::EVENT,
        _ => false,
    }
}

/// A body that asks for one object.
pub(super) fn get(kind: &'static Kind, id: Id) -> Body {
    Body::new(Call::Read(tollgate_domain::Read::Object(kind, id, "id")), &[])
}
