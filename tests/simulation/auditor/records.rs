//! One record: who caused it, whether it may follow, and exactly which entries and events it must have.

use super::Auditor;
use super::model::{AccountModel, Execution, looked_at, name};
use super::money::{Postings, is_known};
use super::refusals::open_attempt;
use crate::plan::HOUR_MS;
use tollgate_domain::acquirer::{Asked, AttemptId, Said};
use tollgate_domain::balance::balance_transaction::BalanceTransaction;
use tollgate_domain::customers::customer::Customer;
use tollgate_domain::events::{EventFact, EventType};
use tollgate_domain::facts::OutcomeResult;
use tollgate_domain::payments::bank_account::Ownership;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::payment_intent::{PaymentIntent, Status};
use tollgate_domain::payments::payment_method::PaymentMethod;
use tollgate_domain::{Call, Command, Facts, Object};
use tollgate_resource::{Names, Update};

/// The name of a check and what it found.
pub(super) type Wrong = (&'static str, String);

/// What a record must have besides its objects.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) events: Vec<&'static str>,
    pub(super) entries: Vec<Postings>,
    /// (amount, fee) of balance transactions.
    pub(super) movements: Vec<(i64, i64)>,
    /// Sequence numbers of the objects that may be in it.
    pub(super) objects: Vec<u64>,
}

/// Whether the network said something that fits about an attempt.
type Told<'a> = dyn Fn(AttemptId, &dyn Fn(Asked, Said) -> bool) -> bool + 'a;

/// A record with what stood before it.
pub(super) struct Case<'a> {
    pub(super) model: &'a AccountModel,
    pub(super) facts: &'a Facts,
    /// What was asked, if a request caused it.
    pub(super) command: Option<&'a Command>,
    pub(super) told: &'a Told<'a>,
    /// The moment, simulated milliseconds, and by how much a shard's time may be off.
    pub(super) now_ms: u64,
    pub(super) slack_ms: u64,
}

pub(super) fn wrong<T>(check: &'static str, what: impl Into<String>) -> Result<T, Wrong> {
    Err((check, what.into()))
}

impl Auditor {
    /// Follows one record of an account.
    pub(super) fn record(&mut self, account: u64, facts: &Facts) -> Result<(), Wrong> {
        let Some(mut model) = self.accounts.remove(&account) else {
            return wrong(
                "nothing unexplained",
                format!("a record of account {account}, which is nobody"),
            );
        };
        let followed = self.follow(account, &mut model, facts);
        self.accounts.insert(account, model);
        followed
    }

    fn follow(&mut self, account: u64, model: &mut AccountModel, facts: &Facts) -> Result<(), Wrong> {
        if facts.seq_before != model.seq || facts.seq_after < facts.seq_before || facts.now_ms < model.record_ms {
            let after = (model.seq, model.record_ms);
            return wrong(
                "record order",
                format!("{:?} after {after:?}", (facts.seq_before, facts.now_ms)),
            );
        }
        let slot = match facts.request {
            None => None,
            Some(request) => match self.by_request.get(&(account, request)) {
                None => return wrong("nothing unexplained", format!("nobody sent {request:?}")),
                Some(slot) => Some(*slot),
            },
        };
        let asked = slot.map(|slot| std::sync::Arc::clone(&self.asked[slot as usize].request));
        let command = match asked.as_ref().map(|request| &request.call) {
            None => None,
            Some(Call::Write(command)) => Some(command),
            Some(call) => return wrong("nothing unexplained", format!("a read made a record: {call:?}")),
        };
        let told = |attempt: AttemptId, fits: &dyn Fn(Asked, Said) -> bool| {
            let heard = self.told.get(&(account, attempt));
            heard.is_some_and(|heard| heard.iter().any(|(to, said)| fits(*to, *said)))
        };
        let case = Case {
            model,
            facts,
            command,
            told: &told,
            now_ms: self.now_ms,
            slack_ms: self.slack_ms(),
        };
        let expected = case.expected()?;
        case.compare(&expected)?;
        if let Some(slot) = slot {
            let executed = &mut self.asked[slot as usize].executed;
            if executed.is_some() {
                return wrong("one request, one execution", format!("slot {slot}"));
            }
            *executed = Some(model.record + 1);
            let acted = matches!(command, Some(Command::CompleteAction(_))) && !facts.objects.is_empty();
            self.seen.actions += u64::from(acted);
            let of_intent = |object: &Object| matches!(object, Object::PaymentIntent(_));
            let by_charge = matches!(command, Some(Command::CaptureCharge(..))) && facts.objects.iter().any(of_intent);
            self.seen.captures_by_charge += u64::from(by_charge);
        }
        self.apply(account, model, facts);
        self.outcome(
            model,
            facts,
            asked
                .as_ref()
                .and_then(|request| request.claim.as_ref())
                .map(|(_, claim)| &*claim.key),
        )?;
        if let (Some(command), true) = (command, facts.objects.is_empty()) {
            return self.remembered_refusal(model, command, facts);
        }
        Ok(())
    }

    fn apply(&mut self, account: u64, model: &mut AccountModel, facts: &Facts) {
        model.record += 1;
        model.seq = facts.seq_after;
        model.record_ms = facts.now_ms;
        for object in &facts.objects {
            let versions = model.objects.entry(object.id().seq()).or_default();
            versions.push((model.record, looked_at(object)));
            if let Object::BalanceTransaction(transaction) = object {
                let net = i128::from(transaction.amount) - i128::from(transaction.fee);
                *model.nets.entry(transaction.currency.number()).or_default() += net;
            }
        }
        for object in &facts.objects {
            if let Object::PaymentIntent(intent) = object
                && matches!(intent.status, Status::RequiresCapture { .. })
            {
                model.held.entry(intent.id.seq()).or_insert(self.now_ms);
            }
        }
        for object in &facts.objects {
            if let Object::PaymentIntent(intent) = object
                && let Some(action) = intent.action()
                && model
                    .parked
                    .get(&intent.id.seq())
                    .is_none_or(|(nonce, _)| *nonce != action.nonce)
            {
                model.parked.insert(intent.id.seq(), (action.nonce, facts.now_ms));
            }
        }
        for entry in &facts.entries {
            model.ledger.post(&Postings::of(entry));
        }
        if !facts.entries.is_empty() {
            model.keep_ledger();
        }
        model
            .events
            .extend(facts.all_events().map(|event| (event.id.seq(), event.kind.name())));
        let expired = |event: &&tollgate_domain::events::EventFact| event.kind.name() == "charge.expired";
        self.seen.expired += facts.events.iter().filter(expired).count() as u64;
        for object in &facts.objects {
            let before = model.object_at(object.id(), model.record - 1);
            let settled = before.is_some_and(|before| open_attempt(before).is_some()) && open_attempt(object).is_none();
            self.seen.remote_charges += u64::from(settled && matches!(object, Object::Charge(_)));
            self.seen.remote_setups += u64::from(settled && matches!(object, Object::SetupIntent(_)));
            self.count_other_methods(before, object);
            if let Object::Dispute(dispute) = object {
                self.seen.disputes += u64::from(dispute.id.seq() > facts.seq_before);
                self.seen.disputes_over += u64::from(dispute.state.is_closed());
                self.seen.unanswered += u64::from(facts.request.is_none() && dispute.submissions == 0);
            }
        }
        self.deliveries.record(account, facts, self.now_ms);
        let told = |kind| facts.events.iter().filter(|event| event.kind == kind).count() as u64;
        self.seen.failing += told(EventType::WebhookEndpointFailing);
        self.seen.given_up += told(EventType::WebhookEndpointDisabled);
        for call in &facts.calls {
            *self.callable.entry((account, call.attempt)).or_default() += 1;
        }
    }

    /// Counts what became of payments that are not made by card.
    fn count_other_methods(&mut self, before: Option<&Object>, after: &Object) {
        let seen = &mut self.seen;
        match (before, after) {
            (Some(Object::PaymentIntent(before)), Object::PaymentIntent(after)) => {
                let asked = |intent: &PaymentIntent| matches!(intent.status, Status::Debiting { .. });
                let parked = before.action().is_some_and(|action| action.deposits.is_some());
                seen.debits += u64::from(asked(before) && !asked(after));
                seen.deposits += u64::from(parked && asked(after));
            }
            (Some(Object::Charge(before)), Object::Charge(after)) if before.payment_intent.is_none() => {
                seen.bank_charges +=
                    u64::from(before.state == ChargeState::Debiting && after.state != ChargeState::Debiting);
            }
            (None, Object::Charge(after)) => seen.redirects += u64::from(after.instrument.redirect().is_some()),
            (Some(Object::Card(before)), Object::Card(after)) => {
                let verified = |method: &PaymentMethod| {
                    method
                        .instrument
                        .bank()
                        .is_some_and(|bank| bank.ownership == Ownership::Verified)
                };
                seen.banks_verified += u64::from(!verified(before) && verified(after));
            }
            _ => {}
        }
    }

    /// What a key remembers of the record.
    fn outcome(&mut self, model: &mut AccountModel, facts: &Facts, key: Option<&str>) -> Result<(), Wrong> {
        let Some(outcome) = &facts.outcome else {
            return match key {
                Some(key) if !facts.objects.is_empty() => {
                    wrong("keys remember", format!("{key} was executed and forgot it"))
                }
                _ => Ok(()),
            };
        };
        for object in &outcome.attached {
            if model.object_at(object.id(), model.record) != Some(object) {
                return wrong(
                    "keys remember",
                    format!("{} is attached at another version", name(object)),
                );
            }
        }
        let claim = &outcome.claim;
        let done = !matches!(outcome.result, OutcomeResult::InFlight { .. });
        let record = model.record;
        let executions = &mut model.keys.entry(claim.key.to_string()).or_default().executions;
        let settled = || done.then(|| (record, outcome.clone()));
        if facts.request.is_none() {
            let waiting = executions.last_mut().filter(|execution| execution.outcome.is_none());
            return match waiting {
                Some(execution) if execution.request == claim.request && done => {
                    execution.outcome = settled();
                    execution.objects.clone_from(&facts.objects);
                    Ok(())
                }
                _ => wrong(
                    "one key, one execution",
                    format!("{} was settled but not in flight", claim.key),
                ),
            };
        }
        if facts.request != Some(claim.request) || key != Some(&*claim.key) {
            return wrong("keys remember", format!("{claim:?} is not the claim of the request"));
        }
        if let Some(before) = executions.last() {
            let expires_ms = (before.at_ms + 24 * HOUR_MS).saturating_sub(self.slack_ms());
            if before.outcome.is_none() || self.now_ms < expires_ms {
                let when = (before.at_ms, self.now_ms);
                return wrong(
                    "one key, one execution",
                    format!("{} was executed twice, at {when:?}", claim.key),
                );
            }
        }
        executions.push(Execution {
            request: claim.request,
            at_ms: self.now_ms,
            outcome: settled(),
            objects: facts.objects.clone(),
            said: None,
        });
        Ok(())
    }

    /// A refusal that a key remembers was right when it was given.
    fn remembered_refusal(&self, model: &AccountModel, command: &Command, facts: &Facts) -> Result<(), Wrong> {
        match facts.outcome.as_ref().map(|outcome| &outcome.result) {
            Some(OutcomeResult::Rejected { reject }) if model.refuses(command, model.record) && reject.began => Ok(()),
            Some(OutcomeResult::Object { id, .. }) if model.changes_nothing(command, *id) => Ok(()),
            other => wrong(
                "refusals",
                format!("{command:?} could have been carried out, but {other:?}"),
            ),
        }
    }
}

impl Case<'_> {
    fn expected(&self) -> Result<Expected, Wrong> {
        let refund = self.facts.objects.iter().find_map(|object| match object {
            Object::Refund(refund) => Some(refund),
            _ => None,
        });
        if let Some(refund) = refund {
            return match refund.balance_transaction {
                Some(_) => self.refund(refund),
                None => self.release(refund),
            };
        }
        let dispute = self.facts.objects.iter().find_map(|object| match object {
            Object::Dispute(dispute) => Some((self.model.dispute_at(dispute.id, u64::MAX)?, &**dispute)),
            _ => None,
        });
        if let Some((before, after)) = dispute {
            return self.dispute(before, after);
        }
        let alone = self.facts.objects.iter().find_map(|object| match object {
            Object::Charge(charge) if charge.payment_intent.is_none() => Some(charge),
            _ => None,
        });
        if let Some(charge) = alone {
            return self.charge(charge);
        }
        let setup = self.facts.objects.iter().find_map(|object| match object {
            Object::SetupIntent(intent) => Some(intent),
            _ => None,
        });
        if let Some(setup) = setup {
            return self.setup(setup);
        }
        let intent = self.facts.objects.iter().find_map(|object| match object {
            Object::PaymentIntent(intent) => Some(intent),
            _ => None,
        });
        if let Some(intent) = intent {
            return self.intent(intent);
        }
        let endpoint = self.facts.objects.iter().find_map(|object| match object {
            Object::WebhookEndpoint(endpoint) => Some(endpoint),
            _ => None,
        });
        if let Some(endpoint) = endpoint {
            return self.endpoint(endpoint);
        }
        if let Some(Command::SaveSource(..) | Command::VerifySource(..)) = self.command {
            return self.source();
        }
        for object in &self.facts.objects {
            if let Object::Customer(customer) = object {
                let is_new = self.model.object_at(customer.id, u64::MAX).is_none();
                let named = match self.command {
                    Some(Command::CreateCustomer(_)) => is_new,
                    Some(Command::UpdateCustomer(id, asked)) => {
                        *id == customer.id && asked.name == customer.name.clone().map_or(Update::Clear, Update::Set)
                    }
                    _ => false,
                };
                if !named {
                    return wrong("nothing unexplained", format!("{customer:?} by {:?}", self.command));
                }
                return Ok(Expected {
                    events: vec![if is_new { "customer.created" } else { "customer.updated" }],
                    objects: vec![customer.id.seq()],
                    ..Expected::default()
                });
            }
        }
        Ok(Expected::default())
    }

    fn compare(&self, expected: &Expected) -> Result<(), Wrong> {
        let facts = self.facts;
        let events: Vec<&str> = facts.events.iter().map(|event| event.kind.name()).collect();
        if events != expected.events {
            return wrong("events", format!("{events:?} instead of {:?}", expected.events));
        }
        for (at, event) in facts.all_events().enumerate() {
            if event.id.seq() != facts.first_event_seq() + at as u64 {
                return wrong("events", "their numbers have a gap");
            }
        }
        let entries: Vec<Postings> = facts.entries.iter().map(Postings::of).collect();
        let strange = facts
            .entries
            .iter()
            .flat_map(|entry| &entry.postings)
            .any(|posting| !is_known(posting.account));
        if entries != expected.entries || strange {
            return wrong("entries", format!("{entries:?} instead of {:?}", expected.entries));
        }
        let movements: Vec<&BalanceTransaction> = facts
            .objects
            .iter()
            .filter_map(|object| match object {
                Object::BalanceTransaction(transaction) => Some(&**transaction),
                _ => None,
            })
            .collect();
        let amounts: Vec<(i64, i64)> = movements.iter().map(|moved| (moved.amount, moved.fee)).collect();
        if amounts != expected.movements {
            return wrong(
                "entries",
                format!("movements {amounts:?} instead of {:?}", expected.movements),
            );
        }
        for object in &facts.objects {
            let known = expected.objects.contains(&object.id().seq())
                || matches!(object, Object::BalanceTransaction(_) | Object::PaymentMethod(_))
                || matches!(object, Object::Customer(customer) if self.is_saved_to(customer));
            if !known {
                return wrong(
                    "nothing unexplained",
                    format!("{} is in a record it has no part in", name(object)),
                );
            }
        }
        Ok(())
    }

    /// Whether the record saves its payment method to this customer, who holds it from then on.
    fn is_saved_to(&self, customer: &Customer) -> bool {
        let attached = |event: &EventFact| event.kind == EventType::PaymentMethodAttached;
        let method = self.method().filter(|method| method.customer == Some(customer.id));
        self.facts.events.iter().any(attached)
            && method.is_some_and(|method| customer.more().methods.contains(&method.id))
    }

    pub(super) fn object_charge(&self, id: tollgate_resource::Id) -> Option<&Charge> {
        self.facts.objects.iter().find_map(|object| match object {
            Object::Charge(charge) if charge.id == id => Some(&**charge),
            _ => None,
        })
    }

    pub(super) fn method(&self) -> Option<&PaymentMethod> {
        self.facts.objects.iter().find_map(|object| match object {
            Object::PaymentMethod(method) => Some(&**method),
            _ => None,
        })
    }
}
