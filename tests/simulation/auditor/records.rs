//! One record: who caused it, whether it may follow, and exactly which entries and events it must have.

use super::Auditor;
use super::model::{AccountModel, Execution, captured, name};
use super::money::{Postings, available_day, day_of, fee, is_known, receivable};
use crate::plan::{CLOCK_ERROR_MS_MAX, HOUR_MS};
use tollgate_domain::acquirer::{Asked, AttemptId, Said};
use tollgate_domain::balance::balance_transaction::BalanceTransaction;
use tollgate_domain::facts::OutcomeResult;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::payment_intent::{Attempt, CaptureMethod, PaymentIntent, Phase, Status};
use tollgate_domain::payments::payment_method::{Behaviour, PaymentMethod, PaymentMethodParam, RemoteBehaviour};
use tollgate_domain::payments::refund::{Refund, RefundState};
use tollgate_domain::{Call, Command, Facts, Object};
use tollgate_resource::{Names, Update};

/// The name of a check and what it found.
pub(super) type Wrong = (&'static str, String);

/// What a record must have besides its objects.
#[derive(Debug, Default)]
struct Expected {
    events: Vec<&'static str>,
    entries: Vec<Postings>,
    /// (amount, fee) of balance transactions.
    movements: Vec<(i64, i64)>,
    /// Sequence numbers of the objects that may be in it.
    objects: Vec<u64>,
}

/// Whether the network said something that fits about an attempt.
type Told<'a> = dyn Fn(AttemptId, &dyn Fn(Asked, Said) -> bool) -> bool + 'a;

/// A record with what stood before it.
struct Case<'a> {
    model: &'a AccountModel,
    facts: &'a Facts,
    /// What was asked, if a request caused it.
    command: Option<&'a Command>,
    told: &'a Told<'a>,
}

fn wrong<T>(check: &'static str, what: impl Into<String>) -> Result<T, Wrong> {
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
        };
        let expected = case.expected()?;
        case.compare(&expected)?;
        if let Some(slot) = slot {
            let executed = &mut self.asked[slot as usize].executed;
            if executed.is_some() {
                return wrong("one request, one execution", format!("slot {slot}"));
            }
            *executed = Some(model.record + 1);
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
            versions.push((model.record, object.clone()));
            if let Object::BalanceTransaction(transaction) = object {
                let net = i128::from(transaction.amount) - i128::from(transaction.fee);
                *model.nets.entry(transaction.currency.number()).or_default() += net;
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
        for call in &facts.calls {
            *self.callable.entry((account, call.attempt)).or_default() += 1;
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
            let expires_ms = before.at_ms + 24 * HOUR_MS - 2 * CLOCK_ERROR_MS_MAX;
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
            return self.refund(refund);
        }
        for object in &self.facts.objects {
            match object {
                Object::PaymentIntent(intent) => return self.intent(intent),
                Object::Customer(customer) => {
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
                _ => {}
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
                || matches!(object, Object::BalanceTransaction(_) | Object::PaymentMethod(_));
            if !known {
                return wrong(
                    "nothing unexplained",
                    format!("{} is in a record it has no part in", name(object)),
                );
            }
        }
        Ok(())
    }

    fn refund(&self, after: &Refund) -> Result<Expected, Wrong> {
        let before = self.model.refund_at(after.id, u64::MAX);
        let currency = after.currency.number();
        let confirmed = Postings::default()
            .add(currency, "refund_in_transit", 0, after.amount)
            .add(currency, receivable(after.network), 0, -after.amount);
        let is_confirmed = after.state == RefundState::Confirmed;
        let Some(before) = before else {
            let Some(Command::CreateRefund(asked)) = self.command else {
                return wrong("nothing unexplained", format!("a refund by {:?}", self.command));
            };
            let Some(charge) = self.model.charge_at(after.charge, u64::MAX) else {
                return wrong("refunds", format!("{after:?} is of no charge"));
            };
            let left = captured(charge) - charge.refunded;
            let amount = asked.amount.unwrap_or(left);
            let of_intent = asked.payment_intent.map(|intent| intent.0) == Some(after.payment_intent);
            if after.amount != amount || amount <= 0 || amount > left || !of_intent || charge.currency != after.currency
            {
                return wrong(
                    "refunds",
                    format!("{after:?} when {left} was left and {:?} asked", asked.amount),
                );
            }
            let ChargeState::Captured { available_day, .. } = charge.state else {
                return wrong("refunds", format!("of a charge in state {:?}", charge.state));
            };
            match self.object_charge(after.charge) {
                Some(now) if now.refunded == charge.refunded + amount && now.state == charge.state => {}
                other => return wrong("refunds", format!("the charge became {other:?}")),
            }
            if is_confirmed == charge.captured_by.is_some() {
                return wrong("refunds", format!("{:?} at once", after.state));
            }
            let day = available_day.max(day_of(self.facts.now_ms));
            let taken = Postings::default().add(currency, "merchant_balance", day, amount).add(
                currency,
                "refund_in_transit",
                0,
                -amount,
            );
            let mut expected = Expected {
                events: vec!["refund.created", "charge.refunded"],
                entries: vec![taken],
                movements: vec![(-amount, 0)],
                objects: vec![after.id.seq(), after.charge.seq()],
            };
            if is_confirmed {
                expected.events.extend(["refund.updated", "charge.refund.updated"]);
                expected.entries.push(confirmed);
            }
            return Ok(expected);
        };
        let same = (before.amount, before.charge, before.currency) == (after.amount, after.charge, after.currency);
        if before.state == RefundState::Confirmed || !same || self.command.is_some() {
            return wrong("state tables", format!("{before:?} to {after:?}"));
        }
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        if is_confirmed {
            if !(self.told)(after.attempt(), &|to, said| {
                to == Asked::Request && matches!(said, Said::Approved | Said::Acknowledged)
            }) {
                return wrong("nothing unexplained", "a refund was confirmed by nobody");
            }
            expected.events = vec!["refund.updated", "charge.refund.updated"];
            expected.entries = vec![confirmed];
        }
        Ok(expected)
    }

    fn object_charge(&self, id: tollgate_resource::Id) -> Option<&Charge> {
        self.facts.objects.iter().find_map(|object| match object {
            Object::Charge(charge) if charge.id == id => Some(&**charge),
            _ => None,
        })
    }

    fn method(&self) -> Option<&PaymentMethod> {
        self.facts.objects.iter().find_map(|object| match object {
            Object::PaymentMethod(method) => Some(&**method),
            _ => None,
        })
    }

    /// What is expected of a record about a payment intent.
    fn intent(&self, after: &PaymentIntent) -> Result<Expected, Wrong> {
        let before = self.model.intent_at(after.id, u64::MAX);
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        let same = before.is_none_or(|before| {
            (before.amount, before.currency, before.customer, before.id)
                == (after.amount, after.currency, after.customer, after.id)
        });
        let table = || {
            wrong(
                "state tables",
                format!("{:?} to {:?}", before.map(|intent| &intent.status), after.status),
            )
        };
        if !same {
            return table();
        }
        match before {
            None => {
                expected.events.push("payment_intent.created");
                let Some(Command::CreatePaymentIntent(asked)) = self.command else {
                    return wrong("nothing unexplained", format!("an intent by {:?}", self.command));
                };
                let manual = asked.capture_method == Some(CaptureMethod::Manual);
                if asked.amount != after.amount
                    || asked.currency != Some(after.currency)
                    || manual != (after.capture_method == CaptureMethod::Manual)
                    || asked.customer.map(|customer| customer.0) != after.customer
                {
                    return wrong("requests", format!("{asked:?} made {after:?}"));
                }
                self.paid(&mut expected, after, asked.payment_method, asked.confirm == Some(true))?;
            }
            Some(before) => match (&before.status, &after.status) {
                (
                    Status::RequiresPaymentMethod | Status::RequiresConfirmation,
                    Status::Canceled { release: None, .. },
                ) => {
                    self.by_cancel(after)?;
                    expected.events.push("payment_intent.canceled");
                }
                (Status::RequiresPaymentMethod | Status::RequiresConfirmation, _) => {
                    let Some(Command::ConfirmPaymentIntent(id, asked)) = self.command else {
                        return wrong("nothing unexplained", format!("confirmed by {:?}", self.command));
                    };
                    if *id != after.id {
                        return wrong("requests", "another intent was confirmed");
                    }
                    self.paid(&mut expected, after, asked.payment_method, true)?;
                }
                (Status::Processing { attempt }, _) => self.processing(&mut expected, after, attempt)?,
                (Status::RequiresCapture { .. }, _) => self.held(&mut expected, before, after)?,
                (
                    Status::Canceled {
                        release: Some(open), ..
                    },
                    Status::Canceled { release, .. },
                ) => {
                    self.goes_on(after, open, release.as_deref())?;
                }
                _ => return table(),
            },
        }
        Ok(expected)
    }

    fn by_cancel(&self, after: &PaymentIntent) -> Result<(), Wrong> {
        match self.command {
            Some(Command::CancelPaymentIntent(id, _)) if *id == after.id => Ok(()),
            other => wrong("nothing unexplained", format!("cancelled by {other:?}")),
        }
    }

    /// An intent that was made or confirmed.
    fn paid(
        &self,
        expected: &mut Expected,
        after: &PaymentIntent,
        param: Option<PaymentMethodParam>,
        confirm: bool,
    ) -> Result<(), Wrong> {
        if !confirm {
            let untouched = after.charge_count == 0
                && match after.status {
                    Status::RequiresPaymentMethod => param.is_none(),
                    Status::RequiresConfirmation => param.is_some(),
                    _ => false,
                };
            return if untouched {
                Ok(())
            } else {
                wrong("state tables", format!("unconfirmed, but {:?}", after.status))
            };
        }
        let card = match (param, self.method()) {
            (Some(PaymentMethodParam::Fresh(card)), _) => card,
            (_, Some(method)) => method.card.facts(),
            _ => return wrong("requests", "paid with nothing"),
        };
        match (card.behaviour, &after.status) {
            (Behaviour::Succeed, Status::Succeeded { .. } | Status::RequiresCapture { capture: None, .. }) => {
                self.approved(expected, after)
            }
            (Behaviour::Decline(decline), Status::RequiresPaymentMethod) => {
                self.failed(expected, after, Some(decline.number))
            }
            (Behaviour::Remote(_), Status::Processing { attempt }) => {
                let calling = matches!(attempt.phase, Phase::Calling { .. });
                let calls: Vec<_> = self.facts.calls.iter().map(|call| call.attempt).collect();
                if !calling || calls != [attempt.id(after.id)] || attempt.amount != after.amount {
                    return wrong("attempts", format!("{attempt:?} with calls {calls:?}"));
                }
                Ok(())
            }
            (behaviour, status) => wrong("requests", format!("{behaviour:?} led to {status:?}")),
        }
    }

    /// The card was charged or money is held.
    fn approved(&self, expected: &mut Expected, after: &PaymentIntent) -> Result<(), Wrong> {
        let Some(charge) = after.latest_charge().and_then(|id| self.object_charge(id)) else {
            return wrong("state tables", "paid without a charge");
        };
        if charge.id.seq() <= self.facts.seq_before || charge.amount != after.amount || charge.refunded != 0 {
            return wrong("state tables", format!("paid with {charge:?}"));
        }
        expected.objects.push(charge.id.seq());
        let was_attached = |method: &PaymentMethod| match self.model.object_at(method.id, u64::MAX) {
            Some(Object::PaymentMethod(before)) => before.customer.is_some(),
            _ => false,
        };
        if self
            .method()
            .is_some_and(|method| method.customer.is_some() && !was_attached(method))
        {
            expected.events.push("payment_method.attached");
        }
        expected.events.push("charge.succeeded");
        let manual = after.capture_method == CaptureMethod::Manual;
        match (&after.status, charge.state) {
            (Status::Succeeded { received }, ChargeState::Captured { amount, .. })
                if !manual && *received == amount && amount == after.amount =>
            {
                expected.events.push("payment_intent.succeeded");
                self.capture(expected, charge)
            }
            (Status::RequiresCapture { capture: None, .. }, ChargeState::Held) if manual => {
                expected.events.push("payment_intent.amount_capturable_updated");
                Ok(())
            }
            other => wrong("state tables", format!("{other:?}")),
        }
    }

    /// The entry and movement of a charge that is captured here.
    fn capture(&self, expected: &mut Expected, charge: &Charge) -> Result<(), Wrong> {
        let ChargeState::Captured {
            amount,
            available_day: day,
            ..
        } = charge.state
        else {
            return wrong("state tables", format!("captured, but {:?}", charge.state));
        };
        let card = charge.card.test_card;
        let fee = fee(&self.model.profile, card, amount, charge.currency.exponent());
        if day != available_day(card, self.facts.now_ms) {
            return wrong("entries", format!("available on day {day}"));
        }
        let currency = charge.currency.number();
        expected.entries.push(
            Postings::default()
                .add(currency, receivable(charge.network), 0, amount)
                .add(currency, "merchant_balance", day, fee - amount)
                .add(currency, "fee_revenue", 0, -fee),
        );
        expected.movements.push((amount, fee));
        Ok(())
    }

    fn failed(&self, expected: &mut Expected, after: &PaymentIntent, decline: Option<u16>) -> Result<(), Wrong> {
        let Some(charge) = after.latest_charge().and_then(|id| self.object_charge(id)) else {
            return wrong("state tables", "declined without a charge");
        };
        let fits = matches!(charge.state, ChargeState::Failed { decline: number } if decline.is_none_or(|known| known == number));
        if charge.id.seq() <= self.facts.seq_before || !fits || after.payment_method.is_some() {
            return wrong("state tables", format!("declined with {charge:?}"));
        }
        expected.objects.push(charge.id.seq());
        expected
            .events
            .extend(["charge.failed", "payment_intent.payment_failed"]);
        Ok(())
    }

    /// A payment whose attempt was open.
    fn processing(&self, expected: &mut Expected, after: &PaymentIntent, open: &Attempt) -> Result<(), Wrong> {
        match &after.status {
            Status::Processing { attempt } => {
                if matches!(open.phase, Phase::Calling { .. }) {
                    expected.events.push("payment_intent.processing");
                }
                self.goes_on(after, open, Some(attempt))
            }
            Status::Succeeded { .. } | Status::RequiresCapture { capture: None, .. } => {
                self.heard_approval(after, open)?;
                self.approved(expected, after)
            }
            Status::RequiresPaymentMethod => {
                self.heard_end(after, open)?;
                self.failed(expected, after, None)
            }
            status => wrong("state tables", format!("processing to {status:?}")),
        }
    }

    /// A hold: captured, about to be, cancelled or expired.
    fn held(&self, expected: &mut Expected, before: &PaymentIntent, after: &PaymentIntent) -> Result<(), Wrong> {
        let Status::RequiresCapture {
            capture_before_ms,
            capture: open,
        } = &before.status
        else {
            return wrong("state tables", "not a hold");
        };
        let charge_before = before.latest_charge().and_then(|id| self.model.charge_at(id, u64::MAX));
        let Some(charge_before) = charge_before.filter(|charge| charge.state == ChargeState::Held) else {
            return wrong("state tables", "a hold without a held charge");
        };
        let remote = charge_before.authorised_by.is_some();
        let charge = self.object_charge(charge_before.id);
        match (open, &after.status) {
            (
                None,
                Status::RequiresCapture {
                    capture: Some(begun), ..
                },
            ) => {
                let amount = self.capture_amount(after)?;
                if !remote || begun.amount != amount || !matches!(begun.phase, Phase::Calling { .. }) {
                    return wrong("attempts", format!("{begun:?} for {amount}"));
                }
                Ok(())
            }
            (
                Some(open),
                Status::RequiresCapture {
                    capture: Some(next), ..
                },
            ) => self.goes_on(after, open, Some(next)),
            (Some(open), Status::RequiresCapture { capture: None, .. }) => self.heard_end(after, open),
            (_, Status::Succeeded { received }) => {
                let amount = match open {
                    None => self.capture_amount(after)?,
                    Some(open) => {
                        self.heard_approval(after, open)?;
                        open.amount
                    }
                };
                let Some(charge) = charge.filter(|charge| captured(charge) == amount) else {
                    return wrong("state tables", format!("captured with {charge:?}"));
                };
                if *received != amount || amount > before.amount || remote == open.is_none() {
                    return wrong("state tables", format!("{received} received of {amount}"));
                }
                expected.objects.push(charge.id.seq());
                expected.events.extend(["charge.captured", "payment_intent.succeeded"]);
                self.capture(expected, charge)
            }
            (None, Status::Canceled { release, .. }) if release.is_some() == remote => {
                expected.objects.push(charge_before.id.seq());
                let state = charge.map(|charge| charge.state);
                if self.command.is_some() {
                    self.by_cancel(after)?;
                    expected.events.extend(["payment_intent.canceled", "charge.refunded"]);
                    return match state {
                        Some(ChargeState::Released) => Ok(()),
                        other => wrong("state tables", format!("cancelled with {other:?}")),
                    };
                }
                expected.events.extend(["charge.expired", "payment_intent.canceled"]);
                match state {
                    Some(ChargeState::Expired) if self.facts.now_ms >= *capture_before_ms => Ok(()),
                    other => wrong(
                        "state tables",
                        format!("expired with {other:?} before {capture_before_ms}"),
                    ),
                }
            }
            (open, status) => wrong("state tables", format!("a hold with {open:?} to {status:?}")),
        }
    }

    fn capture_amount(&self, after: &PaymentIntent) -> Result<i64, Wrong> {
        match self.command {
            Some(Command::CapturePaymentIntent(id, asked)) if *id == after.id => {
                Ok(asked.amount_to_capture.unwrap_or(after.amount))
            }
            other => wrong("nothing unexplained", format!("captured by {other:?}")),
        }
    }

    /// An attempt that stays open, or a release that ends.
    fn goes_on(&self, after: &PaymentIntent, open: &Attempt, next: Option<&Attempt>) -> Result<(), Wrong> {
        if self.command.is_some() {
            return wrong(
                "nothing unexplained",
                format!("{:?} moved an open attempt", self.command),
            );
        }
        let Some(next) = next else {
            return self.heard_end(after, open);
        };
        let order = |phase: &Phase| match phase {
            Phase::Calling { .. } => 0,
            Phase::Inquiring { .. } => 1,
            Phase::Reversing { .. } => 2,
        };
        let (was, is) = (order(&open.phase), order(&next.phase));
        let not_found = |to, said| to == Asked::Inquiry && said == Said::NotFound;
        let may_reverse = was == 2 || (self.told)(open.id(after.id), &not_found);
        if open.number != next.number || open.amount != next.amount || is < was || is == 0 || (is == 2 && !may_reverse)
        {
            return wrong("attempts", format!("{open:?} to {next:?}"));
        }
        Ok(())
    }

    fn heard_approval(&self, after: &PaymentIntent, open: &Attempt) -> Result<(), Wrong> {
        let yes = |to, said| to != Asked::Reversal && said == Said::Approved;
        let reversing = matches!(open.phase, Phase::Reversing { .. });
        if reversing || !(self.told)(open.id(after.id), &yes) || self.command.is_some() {
            return wrong("attempts", format!("{open:?} was approved by nobody"));
        }
        Ok(())
    }

    /// A refusal, or the acknowledgement of a reversal.
    fn heard_end(&self, after: &PaymentIntent, open: &Attempt) -> Result<(), Wrong> {
        let reversing = matches!(open.phase, Phase::Reversing { .. });
        let no = |to, said| match reversing {
            true => to == Asked::Reversal && said == Said::Acknowledged,
            false => to != Asked::Reversal && matches!(said, Said::Declined { .. }),
        };
        if !(self.told)(open.id(after.id), &no) || self.command.is_some() {
            return wrong("attempts", format!("{open:?} was ended by nobody"));
        }
        Ok(())
    }
}

/// A card whose issuer is asked, and declines.
pub(super) fn declines(behaviour: Behaviour) -> bool {
    matches!(
        behaviour,
        Behaviour::Decline(_) | Behaviour::Remote(RemoteBehaviour::Decline)
    )
}
