//! The way of one task: find its account, let the domain decide, record, answer.

use super::account_actor::{AccountActor, AccountSlot};
use super::answering::{Missing, Showing, Sought, Told, expand_of, respond};
use super::loading::{Load, Wanted};
use super::task::{Ask, Task};
use super::{Outputs, Shard};
use crate::entropy::Entropy;
use crate::refusals;
use crate::request::{Answer, Delivery, ReplyTo, Response, key_hash};
use std::collections::VecDeque;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::account::AccountKey;
use tollgate_domain::decision::{Objects, Settled};
use tollgate_domain::events::EventType;
use tollgate_domain::facts::OutcomeResult;
use tollgate_domain::inputs::RequestInfo;
use tollgate_domain::object::Item;
use tollgate_domain::{
    Call, Claim, Command, Decision, Facts, Inputs, Outcome, Read, Reject, Reply, SHAPE_REVISION, Stop, decide, read,
};
use tollgate_resource::{Id, Kind, Version};

impl Shard {
    /// Does one thing, or parks it beside what it needs.
    pub(super) fn run(&mut self, task: Task, entropy: &mut Entropy, out: &mut Outputs) {
        if !self.quarantine.is_empty() && self.quarantine.contains(&task.digest(&self.secrets)) {
            return self.set_aside(task, out);
        }
        let key = task.account();
        match self.accounts.get_mut(&key.0) {
            Some(AccountSlot::Ready(actor)) => {
                actor.touched = true;
                if let Task::Ask(ask) = &task {
                    actor.account.refresh(&ask.request.profile);
                }
            }
            Some(AccountSlot::Loading(waiting)) => return waiting.push_back(task),
            None => {
                let profile = match &task {
                    Task::Ask(ask) => Some(Arc::clone(&ask.request.profile)),
                    Task::Resolve { .. } | Task::Timer { .. } | Task::Command { .. } => None,
                };
                out.loads.push(Load {
                    account: key,
                    wanted: Wanted::Account(profile),
                });
                self.accounts
                    .insert(key.0, AccountSlot::Loading(VecDeque::from([task])));
                return;
            }
        }
        match task {
            Task::Ask(ask) => match ask.request.call {
                Call::Write(_) => self.write(ask, entropy, out),
                Call::Read(what) => self.read(ask, what, out),
                Call::List(_) | Call::Search(_) => {
                    panic!("a list came to a shard; the router sends lists to reader threads")
                }
                Call::Delivery(_) => panic!("what is asked of whoever delivers came to a shard; the edge answers it"),
            },
            Task::Resolve { attempt, answer, .. } => {
                self.meters.network_answers.increment(1);
                self.engine(task, &Command::ResolveAttempt(attempt, answer), entropy, out);
            }
            Task::Timer { account, due_ms, seq } => self.timer(account, due_ms, seq, entropy, out),
            Task::Command { ref command, .. } => {
                let command = Arc::clone(command);
                self.engine(task, &command, entropy, out);
            }
        }
    }

    /// A command of the engine itself: a network's answer or a timer. Nobody asked, but it may settle what somebody
    /// asked. False when it had to be parked: it comes again.
    pub(super) fn engine(&mut self, task: Task, command: &Command, entropy: &mut Entropy, out: &mut Outputs) -> bool {
        let account = task.account();
        let (now_ms, decided) = self.decide(account, command, None, None, entropy);
        let missing = match decided {
            Err(Stop::Load(_, id)) => id,
            Err(Stop::Busy(id)) => {
                self.wait_for_change(account, id, task, out);
                return false;
            }
            Err(Stop::Reject(_)) => {
                // Too late or about nothing: the domain says so by refusing, and there is nobody to tell.
                self.meters.stale_commands.increment(1);
                return true;
            }
            Ok(decision) => {
                assert!(
                    decision.reply == Reply::Nobody,
                    "a command of the engine has no asker of its own"
                );
                match self.settle(account, now_ms, decision, out) {
                    Ok(()) => return true,
                    Err(Missing(_, id)) => id,
                }
            }
        };
        self.wait_for_object(account, missing.seq(), task, out);
        false
    }

    /// The account, which must be in memory.
    pub(super) fn actor(&self, account: AccountKey) -> &AccountActor {
        match self.accounts.get(&account.0) {
            Some(AccountSlot::Ready(actor)) => actor,
            _ => panic!("the account of a running task is in memory"),
        }
    }

    /// The account, which must be in memory.
    pub(super) fn actor_mut(&mut self, account: AccountKey) -> &mut AccountActor {
        match self.accounts.get_mut(&account.0) {
            Some(AccountSlot::Ready(actor)) => actor,
            _ => panic!("the account of a running task is in memory"),
        }
    }

    /// Answers about the account as it is in memory: at once if all of it is durable, else with its newest block.
    pub(super) fn answer(&mut self, account: AccountKey, to: ReplyTo, response: Box<Response>, out: &mut Outputs) {
        let block = self.actor(account).last_block;
        self.answer_after(block, to, Ok(response), out);
    }

    /// Answers once `block` is durable.
    pub(super) fn answer_after(&mut self, block: u64, to: ReplyTo, answer: Answer, out: &mut Outputs) {
        out.replies.extend(self.gate.reply(block, Delivery { to, answer }));
    }

    /// A refusal by the engine itself, which depends on nothing undurable; though on whose the shard is.
    pub(super) fn refuse(&mut self, ask: &Ask, reject: Reject, out: &mut Outputs) {
        let told = Told {
            result: Err(Box::new(reject)),
            attached: Vec::new(),
        };
        let response = respond(&ask.request, told, self.clock.now_ms(), SHAPE_REVISION);
        self.answer_after(0, ask.to, Ok(response), out);
    }

    fn write(&mut self, ask: Ask, entropy: &mut Entropy, out: &mut Outputs) {
        let ask = if ask.request.claim.is_some() && !ask.holds_key {
            match self.admit_key(ask, out) {
                Some(ask) => ask,
                None => return,
            }
        } else {
            ask
        };
        let request = Arc::clone(&ask.request);
        let Call::Write(command) = &request.call else {
            panic!("only writes are decided")
        };
        let account = ask.account();
        let claim = request.claim.as_ref().map(|(_, claim)| claim);
        let info = RequestInfo {
            id: request.request,
            idempotency_key: claim.map(|claim| &*claim.key),
            version: request.version,
        };
        let (now_ms, decided) = self.decide(account, command, claim, Some(info), entropy);
        let decision = match decided {
            Err(Stop::Load(_, id)) => return self.wait_for_object(account, id.seq(), Task::Ask(ask), out),
            Err(Stop::Busy(id)) => return self.wait_for_change(account, id, Task::Ask(ask), out),
            Err(Stop::Reject(reject)) => {
                let seq = self.actor(account).account.seq;
                let facts = Facts {
                    now_ms,
                    seq_before: seq,
                    seq_after: seq,
                    request: Some(request.request),
                    ..Facts::default()
                };
                Decision {
                    facts,
                    reply: Reply::Reject(reject),
                    settles: None,
                }
            }
            Ok(decision) => decision,
        };
        if let Err((Missing(_, id), ask)) = self.conclude(ask, now_ms, decision, out) {
            self.wait_for_object(account, id.seq(), Task::Ask(ask), out);
        }
    }

    fn read(&mut self, ask: Ask, what: Read, out: &mut Outputs) {
        let account = ask.account();
        let request = Arc::clone(&ask.request);
        let now_ms = self.clock.now_ms();
        let actor = self.actor(account);
        let holdings = actor.holdings(now_ms);
        let showing = self.showing(request.version, &request.expand, actor, now_ms);
        let mut find = |kind, id| Sought::from(holdings.find(kind, id));
        let told = match read(&actor.world(&holdings), what, now_ms) {
            Ok(item) => showing
                .item(item, &mut find)
                .map_err(|Missing(kind, id)| Stop::Load(kind, id)),
            Err(Stop::Reject(reject)) => showing
                .reject(reject, &mut find)
                .map_err(|Missing(kind, id)| Stop::Load(kind, id)),
            Err(stop) => Err(stop),
        };
        match told {
            Ok(told) => {
                let response = respond(&request, told, now_ms, SHAPE_REVISION);
                if broken!(ReadUndurable) {
                    return self.answer_after(0, ask.to, Ok(response), out);
                }
                self.answer(account, ask.to, response, out);
            }
            Err(Stop::Load(_, id)) => self.wait_for_object(account, id.seq(), Task::Ask(ask), out),
            Err(Stop::Busy(id)) => self.wait_for_change(account, id, Task::Ask(ask), out),
            Err(Stop::Reject(_)) => unreachable!("refusals were told above"),
        }
    }

    fn decide(
        &self,
        account: AccountKey,
        command: &Command,
        claim: Option<&Arc<Claim>>,
        request: Option<RequestInfo<'_>>,
        entropy: &mut Entropy,
    ) -> (u64, Result<Decision, Stop>) {
        let actor = self.actor(account);
        let now_ms = self.clock.now_ms().max(actor.account.last_now_ms);
        let inputs = Inputs {
            now_ms,
            request,
            network: self.settings.network,
            attempt_deadline_ms: self.settings.attempt_deadline_ms,
            webhook_endpoints_max: self.settings.webhook_endpoints_max,
            secrets: &self.secrets,
            entropy: [entropy.word(), entropy.word()],
        };
        let holdings = actor.holdings(now_ms);
        (now_ms, decide(&actor.world(&holdings), command, claim, &inputs))
    }

    /// Records what a request decided and answers it. Gives the request back when the answer shows an object that is not
    /// in memory: nothing has changed then, and it is decided again once the object is here.
    fn conclude(&mut self, ask: Ask, now_ms: u64, decision: Decision, out: &mut Outputs) -> Result<(), (Missing, Ask)> {
        let Decision {
            mut facts,
            reply,
            settles,
        } = decision;
        assert!(settles.is_none(), "a request decides only itself");
        let account = ask.account();
        let request = Arc::clone(&ask.request);
        let actor = self.actor(account);
        let showing = self.showing(request.version, &request.expand, actor, now_ms);
        let told = match uncounted(actor, &facts).and_then(|()| tell(actor, &facts, reply, &showing)) {
            Ok(told) => told,
            Err(missing) => return Err((missing, ask)),
        };
        let key = request.claim.as_ref().map(|(hash, _)| *hash);
        if let Some((_, claim)) = &request.claim {
            facts.outcome = match &told {
                Hears::Told(told) if !began(told) => None,
                Hears::Told(told) => Some(outcome(claim, told, &facts, now_ms)),
                Hears::Later(_) if broken!(ForgetClaimOfAttempt) => None,
                Hears::Later(attempt) => Some(Outcome {
                    claim: Arc::clone(claim),
                    result: OutcomeResult::InFlight { attempt: *attempt },
                    revision: SHAPE_REVISION,
                    attached: Vec::new(),
                    clock_ms: now_ms,
                }),
            };
        }
        let recorded = self.record(account, facts, key);
        match told {
            Hears::Later(attempt) => {
                assert!(
                    recorded.is_some(),
                    "an attempt is recorded before its network is called"
                );
                self.meters.attempts.increment(1);
                let before = self.actor_mut(account).attempts.insert(attempt, ask);
                assert!(before.is_none(), "an attempt has one asker");
            }
            Hears::Told(told) => {
                let response = respond(&request, told, now_ms, SHAPE_REVISION);
                self.answer(account, ask.to, response, out);
                if let Some(hash) = key {
                    match recorded {
                        Some((facts, block)) if facts.outcome.is_some() => {
                            self.key_done((account.0, hash), facts, block, out);
                        }
                        _ => self.key_forgotten((account.0, hash)),
                    }
                }
            }
        }
        Ok(())
    }

    /// Records what a command of the engine decided, and answers the request it settles, if any.
    fn settle(
        &mut self,
        account: AccountKey,
        now_ms: u64,
        decision: Decision,
        out: &mut Outputs,
    ) -> Result<(), Missing> {
        let Decision { mut facts, settles, .. } = decision;
        let actor = self.actor(account);
        uncounted(actor, &facts)?;
        let Some(Settled { attempt, claim, reply }) = settles else {
            self.record(account, facts, None);
            return Ok(());
        };
        let asker = actor.attempts.get(&attempt).map(|ask| Arc::clone(&ask.request));
        // After a restart nobody waits, but the key still remembers what a retry hears.
        let (version, expand) = match (&asker, &claim) {
            (Some(request), _) => (request.version, request.expand.clone()),
            (None, Some(claim)) => (Version(claim.version), expand_of(&claim.expand)),
            (None, None) => {
                self.record(account, facts, None);
                return Ok(());
            }
        };
        let showing = self.showing(version, &expand, actor, now_ms);
        let Hears::Told(told) = tell(actor, &facts, reply, &showing)? else {
            panic!("what is settled does not wait again");
        };
        facts.outcome = claim.as_ref().map(|claim| outcome(claim, &told, &facts, now_ms));
        let key = claim.map(|claim| key_hash(&self.secrets, &claim.key));
        let recorded = self.record(account, facts, key);
        if let Some(ask) = self.actor_mut(account).attempts.remove(&attempt) {
            let response = respond(&ask.request, told, now_ms, SHAPE_REVISION);
            self.answer(account, ask.to, response, out);
        }
        if let (Some(hash), Some((facts, block))) = (key, recorded) {
            self.key_done((account.0, hash), facts, block, out);
        }
        Ok(())
    }

    fn showing<'a>(
        &'a self,
        version: Version,
        expand: &'a tollgate_resource::Expand,
        actor: &AccountActor,
        clock_ms: u64,
    ) -> Showing<'a> {
        let livemode = actor.account.profile.livemode;
        Showing {
            version,
            expand,
            secrets: &self.secrets,
            clock_ms,
            livemode,
        }
    }

    fn set_aside(&mut self, task: Task, out: &mut Outputs) {
        self.meters.quarantined.increment(1);
        if let Task::Ask(ask) = task {
            self.refuse(&ask, refusals::quarantined(), out);
            self.release_key(&ask);
        }
    }
}

/// What an asker hears.
enum Hears {
    /// This.
    Told(Told),
    /// Nothing until the attempt is settled.
    Later(tollgate_domain::acquirer::AttemptId),
}

/// An older object of the record that is not in memory, since the account's own state held what was decided about it: how
/// many events about it have happened is not known then.
fn uncounted(actor: &AccountActor, facts: &Facts) -> Result<(), Missing> {
    let older = facts.objects.iter().filter(|object| {
        let seq = object.id().seq();
        seq > 0 && seq <= facts.seq_before && !actor.objects.contains_key(&seq)
    });
    let mut about = older.filter(|object| EventType::are_about(object.kind()));
    match about.next() {
        Some(object) => Err(Missing(object.kind(), object.id())),
        None => Ok(()),
    }
}

fn tell(actor: &AccountActor, facts: &Facts, reply: Reply, showing: &Showing<'_>) -> Result<Hears, Missing> {
    let holdings = actor.holdings(showing.clock_ms);
    // What the record holds comes first: it is newer, and it is where a replay looks first.
    let mut find = |kind: &'static Kind, id: Id| match facts.object(kind, id) {
        Some(object) => Sought::Found(object.clone()),
        None => holdings.find(kind, id).into(),
    };
    match reply {
        Reply::Object(kind, id) => match find(kind, id) {
            Sought::Found(object) => showing.item(Item::Object(object), &mut find).map(Hears::Told),
            Sought::NotLoaded => Err(Missing(kind, id)),
            Sought::Absent => panic!("a decision answers with an object that does not exist"),
        },
        Reply::Reject(reject) => showing.reject(reject, &mut find).map(Hears::Told),
        Reply::Await(attempt) => Ok(Hears::Later(attempt)),
        Reply::Handed => showing.item(Item::Handed, &mut find).map(Hears::Told),
        Reply::Nobody => panic!("a request is always answered"),
    }
}

fn began(told: &Told) -> bool {
    told.result.as_ref().map_or_else(|reject| reject.began, |_| true)
}

/// What a key remembers of an answer: copies only of what its own record does not hold.
fn outcome(claim: &Arc<Claim>, told: &Told, facts: &Facts, now_ms: u64) -> Outcome {
    let own = |object: &&tollgate_domain::Object| facts.object(object.kind(), object.id()).is_none();
    let mut attached: Vec<_> = told.attached.iter().filter(own).cloned().collect();
    let result = match &told.result {
        Ok(Item::Object(object)) => {
            attached.extend(Some(object).filter(own).cloned());
            OutcomeResult::Object {
                kind: object.kind().number,
                id: object.id(),
            }
        }
        Ok(Item::Handed) => OutcomeResult::Handed,
        Ok(_) => panic!("a command is answered with an object"),
        Err(reject) => OutcomeResult::Rejected { reject: reject.clone() },
    };
    Outcome {
        claim: Arc::clone(claim),
        result,
        revision: SHAPE_REVISION,
        attached,
        clock_ms: now_ms,
    }
}
