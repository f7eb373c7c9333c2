//! Answers: which ones a request may hear, given what was asked and what stands in the journal.

use super::intents::declines;
use super::linear::Window;
use super::model::AccountModel;
use super::money::day_of;
use super::refusals::subject;
use super::{Auditor, Failure};
use std::sync::Arc;
use tollgate_actors::request::Answer;
use tollgate_actors::{Request, Response, Shown};
use tollgate_domain::facts::OutcomeResult;
use tollgate_domain::payments::bank_account::BankOutcome;
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::ChargeSource;
use tollgate_domain::payments::payment_intent::Status;
use tollgate_domain::payments::payment_method::{Behaviour, PaymentMethodParam, TestMethod};
use tollgate_domain::{Call, Command, ErrorType, Item, Object, Read, Reject};

impl Auditor {
    /// An answer leaves.
    ///
    /// # Errors
    /// One that may not.
    pub fn released(&mut self, slot: u32, answer: &Answer) -> Result<(), Failure> {
        let asking = &mut self.asked[slot as usize];
        if std::mem::replace(&mut asking.answered, true) {
            return Err(self.fail("one answer", format!("request {slot} was answered twice")));
        }
        let request = Arc::clone(&asking.request);
        self.count(answer);
        // A refusal by the engine says nothing about what happened.
        let Ok(response) = answer else { return Ok(()) };
        let window = self.window(slot);
        let shown = match &request.call {
            Call::Read(read) => self.read(&request, *read, response, window),
            Call::List(_) => self.page(&request, response, window),
            Call::Search(_) => Err("no merchant of this world searches".into()),
            Call::Delivery(_) => Err("no merchant of this world asks about deliveries".into()),
            Call::Write(command) => self.write(slot, &request, command, response, window),
        };
        let shown =
            shown.map_err(|what| self.fail("answers", format!("request {slot}, {:?}: {what}", request.call)))?;
        let model = self
            .accounts
            .get_mut(&request.profile.key.0)
            .expect("an account of the run");
        model.shown = model.shown.max(shown);
        Ok(())
    }

    fn count(&mut self, answer: &Answer) {
        let seen = &mut self.seen;
        let Ok(response) = answer else {
            seen.lost += 1;
            return;
        };
        seen.replays += u64::from(response.replayed.is_some());
        match &response.result {
            Ok(Shown::Page { .. }) => seen.pages += 1,
            Ok(Shown::One(Item::Object(Object::PaymentIntent(intent)))) => {
                seen.in_doubt += u64::from(matches!(intent.status, Status::Processing { .. }));
            }
            Ok(_) => {}
            Err(reject) => match (reject.status, reject.kind) {
                (409, _) => seen.keys_in_use += 1,
                (429, _) => seen.lock_timeouts += 1,
                (400, ErrorType::IdempotencyError) => seen.mismatches += 1,
                _ => {}
            },
        }
    }

    /// The record a read's answer shows.
    fn read(&self, request: &Request, read: Read, response: &Response, window: Window) -> Result<u64, String> {
        let model = &self.accounts[&request.profile.key.0];
        if response.replayed.is_some() {
            return Err("a read was replayed".into());
        }
        match (&response.result, read) {
            (Ok(Shown::One(Item::Object(object))), Read::Object(kind, id, _)) => {
                if object.id() != id || object.kind() != kind {
                    return Err(format!("it shows {object:?}"));
                }
                let attached = self.attached(model, response, window)?;
                let place = model.place_of(object, window);
                place
                    .map(|place| place.max(attached))
                    .ok_or_else(|| format!("{object:?} was not current in {window:?}"))
            }
            (Ok(Shown::One(Item::Balance(balance))), Read::Balance) => {
                let today = day_of(response.clock_ms);
                let first = model
                    .ledgers
                    .partition_point(|(record, _)| *record <= window.from)
                    .saturating_sub(1);
                let fits = model.ledgers[first..].iter().find(|(record, ledger)| {
                    *record <= window.to
                        && balance.currencies.iter().all(|line| {
                            let have = (i128::from(line.available), i128::from(line.pending));
                            ledger.merchant(line.currency.number(), today) == have
                        })
                });
                fits.map(|(record, _)| (*record).max(window.from))
                    .ok_or_else(|| format!("{balance:?} on day {today} fits no moment of {window:?}"))
            }
            (Err(reject), _) if is_unreadable(reject) => Ok(window.from),
            (other, _) => Err(format!("{other:?}")),
        }
    }

    fn attached(&self, model: &AccountModel, response: &Response, window: Window) -> Result<u64, String> {
        let mut shown = window.from;
        for object in &response.attached {
            let place = model.place_of(object, window);
            shown = shown.max(place.ok_or_else(|| format!("attached {object:?} was not current in {window:?}"))?);
        }
        Ok(shown)
    }

    /// A page holds what was there, newest first.
    fn page(&self, request: &Request, response: &Response, window: Window) -> Result<u64, String> {
        let Call::List(query) = &request.call else {
            return Err("not a list".into());
        };
        let model = &self.accounts[&request.profile.key.0];
        let items = match &response.result {
            Ok(Shown::Page { items, .. }) => items,
            Err(reject) if is_unreadable(reject) => return Ok(window.from),
            other => return Err(format!("{other:?}")),
        };
        let mut seqs = Vec::new();
        for item in items {
            match item {
                Item::Object(object) => {
                    if object.kind() != query.kind || model.place_of(object, window).is_none() {
                        return Err(format!("{object:?} was not current in {window:?}"));
                    }
                    seqs.push(object.id().seq());
                }
                Item::Event(event) => {
                    let known = model.events.binary_search_by_key(&event.id.seq(), |(seq, _)| *seq);
                    let name = known.ok().map(|at| model.events[at].1);
                    if name != Some(tollgate_resource::Names::name(event.kind)) {
                        return Err(format!("{event:?} never happened"));
                    }
                    seqs.push(event.id.seq());
                }
                Item::Account(_) => return Err("an account on a list".to_owned()),
                Item::Configurations(_)
                | Item::LineItems(_)
                | Item::WebhookEndpoints(_)
                | Item::EventDestinations(_)
                | Item::ThinEvent(_) => {
                    return Err("a list on a list".to_owned());
                }
                Item::Balance(_) => return Err("a balance on a list".into()),
                Item::Delivered(_) | Item::Handed => return Err("something of deliveries on a list".into()),
            }
        }
        if seqs.windows(2).any(|pair| pair[0] <= pair[1]) {
            return Err(format!("out of order: {seqs:?}"));
        }
        // The newest that everybody could know of must be there, without a gap.
        let least = seqs.last().copied().unwrap_or(0);
        let full = seqs.len() >= query.limit;
        let expected: Vec<u64> = if *query.kind == tollgate_domain::kinds::EVENT {
            model.events.iter().map(|(seq, _)| *seq).collect()
        } else {
            let of_kind = |versions: &&Vec<(u64, Object)>| {
                let (record, object) = &versions[0];
                object.kind() == query.kind && *record <= window.from
            };
            model
                .objects
                .values()
                .filter(of_kind)
                .map(|versions| versions[0].1.id().seq())
                .collect()
        };
        let known_seq = self.seq_at(model, window.from);
        let gap = expected
            .into_iter()
            .find(|seq| *seq <= known_seq && (*seq > least || !full) && !seqs.contains(seq));
        match gap {
            Some(seq) => Err(format!("{seq} is missing from {seqs:?}")),
            None => Ok(window.from),
        }
    }

    /// The newest sequence number that a version of record `at` or before has.
    fn seq_at(&self, model: &AccountModel, at: u64) -> u64 {
        let born = |versions: &Vec<(u64, Object)>| (versions[0].0 <= at).then(|| versions[0].1.id().seq());
        model.objects.values().rev().find_map(born).unwrap_or(0)
    }

    fn write(
        &mut self,
        slot: u32,
        request: &Request,
        command: &Command,
        response: &Response,
        window: Window,
    ) -> Result<u64, String> {
        let account = request.profile.key.0;
        if let Err(reject) = &response.result
            && let Some(verdict) = self.not_begun(slot, request, command, reject, window)
        {
            return verdict.map(|()| window.from);
        }
        let key = request.claim.as_ref().map(|(_, claim)| claim.key.to_string());
        let Some(key) = key else {
            if response.replayed.is_some() {
                return Err("a replay without a key".into());
            }
            return self.unkeyed(slot, command, response, window);
        };
        let model = self.accounts.get_mut(&account).expect("an account of the run");
        let known = model
            .keys
            .get_mut(&key)
            .map_or(&mut [][..], |key| &mut key.executions[..]);
        let told = known.iter_mut().rev().find(|execution| {
            let outcome = execution.outcome.as_ref();
            outcome.is_some_and(|(_, outcome)| outcome.clock_ms == response.clock_ms)
        });
        let Some(execution) = told else {
            return Err(format!(
                "acknowledged before it was durable, or never recorded: {response:?}"
            ));
        };
        let (record, outcome) = execution.outcome.as_ref().expect("just looked at");
        if response.replayed.is_some_and(|first| first != execution.request) {
            return Err("a replay of something else".into());
        }
        let same = request.claim.as_ref().is_some_and(|(_, claim)| {
            (claim.fingerprint, claim.endpoint) == (outcome.claim.fingerprint, outcome.claim.endpoint)
        });
        if !same {
            return Err("it was answered with what another request had asked under its key".into());
        }
        let own = |object: &Object| execution.objects.contains(object) || outcome.attached.contains(object);
        let fits = match (&outcome.result, &response.result) {
            (OutcomeResult::Object { kind, id }, Ok(Shown::One(Item::Object(object)))) => {
                object.kind().number == *kind && object.id() == *id && own(object)
            }
            (OutcomeResult::Rejected { reject }, Err(told)) => reject == told,
            _ => false,
        };
        if !fits || !response.attached.iter().all(own) {
            return Err(format!("{response:?} is not what the key remembers: {outcome:?}"));
        }
        let text = whole(response);
        let said = execution.said.get_or_insert_with(|| text.clone());
        if *said != text {
            return Err(format!("the key said before: {said}\nand says now: {text}"));
        }
        Ok(*record)
    }

    fn unkeyed(&self, slot: u32, command: &Command, response: &Response, window: Window) -> Result<u64, String> {
        let asking = &self.asked[slot as usize];
        let model = &self.accounts[&asking.request.profile.key.0];
        match &response.result {
            Ok(Shown::One(Item::Object(object))) => {
                if asking.executed.is_none() {
                    return Err(format!("acknowledged before it was durable: {object:?}"));
                }
                let attached = self.attached(model, response, window)?;
                let place = model.place_of(object, window);
                place
                    .map(|place| place.max(attached))
                    .ok_or_else(|| format!("{object:?} was not current in {window:?}"))
            }
            Err(_) if let Some(record) = asking.executed => Ok(record),
            // A bank account that failed before is refused as a decline is.
            Err(reject) if reject.status == 402 && !matches!(command, Command::VerifySource(..)) => {
                Err("a decline without a record".into())
            }
            Err(reject) => {
                let ids = model.ids_of(command, window.to);
                let place = model.place_where(&ids, window, &|at| model.refuses(command, at));
                place.ok_or_else(|| format!("refused without a reason in {window:?}: {}", reject.message))
            }
            other => Err(format!("{other:?}")),
        }
    }

    /// Answers that say nothing began; `None` for all others.
    fn not_begun(
        &self,
        slot: u32,
        request: &Request,
        command: &Command,
        reject: &Reject,
        window: Window,
    ) -> Option<Result<(), String>> {
        let model = &self.accounts[&request.profile.key.0];
        let sent = |different: bool| {
            let Some((_, claim)) = &request.claim else { return false };
            let uses = model.uses.get(&*claim.key).map_or(&[][..], Vec::as_slice);
            let others = uses.iter().filter(|(other, _)| *other != slot);
            others
                .into_iter()
                .any(|(_, known)| !different || *known != claim.fingerprint)
        };
        match (reject.status, reject.kind) {
            (500, ErrorType::ApiError) => Some(Ok(())),
            (409, _) => Some(if sent(false) {
                Ok(())
            } else {
                Err("a key in use that nobody else used".into())
            }),
            (400, ErrorType::IdempotencyError) => Some(if sent(true) {
                Ok(())
            } else {
                Err("a mismatch with nothing".into())
            }),
            // What made it wait need not be durable: to be told to come again says nothing about the object.
            (429, _) => Some(subject(command).map(|_| ()).ok_or_else(|| "busy with nothing".into())),
            // An endpoint that was deleted is not there any more.
            (404, _) => {
                let ids = model.ids_of(command, window.to);
                let place = model.place_where(&ids, window, &|at| model.refuses(command, at));
                Some(
                    place
                        .map(|_| ())
                        .ok_or_else(|| format!("not found in {window:?}: {reject:?}")),
                )
            }
            (402, _) if !may_decline(command) => Some(Err(format!("declined: {reject:?}"))),
            _ if reject.began => None,
            _ => Some(Err(format!("refused without a reason: {reject:?}"))),
        }
    }
}

/// Whether the command's card, or the network, can say no.
fn may_decline(command: &Command) -> bool {
    let method = match command {
        Command::CreatePaymentIntent(asked) => asked.payment_method,
        Command::ConfirmPaymentIntent(_, asked) => asked.payment_method,
        Command::CreateSetupIntent(asked) => asked.payment_method,
        Command::ConfirmSetupIntent(_, asked) => asked.payment_method,
        Command::CapturePaymentIntent(..)
        | Command::CaptureCharge(..)
        | Command::CompleteAction(_)
        | Command::VerifyPaymentMicrodeposits(..)
        | Command::VerifySource(..) => return true,
        Command::CreateCharge(asked) => {
            return match &asked.source {
                Some(ChargeSource::Token(TokenParam::Magic(card))) => {
                    declines(card.behaviour) || matches!(card.behaviour, Behaviour::Remote(_))
                }
                _ => true,
            };
        }
        _ => return false,
    };
    match method {
        Some(PaymentMethodParam::Fresh(TestMethod::Card(card))) => {
            declines(card.behaviour) || matches!(card.behaviour, Behaviour::Remote(_))
        }
        Some(PaymentMethodParam::Fresh(TestMethod::Bank(account, _))) => account.outcome == BankOutcome::Blocked,
        _ => true,
    }
}

fn is_unreadable(reject: &Reject) -> bool {
    reject.status == 500 && !reject.began
}

/// Everything of an answer that is rendered, except whether it is a replay.
fn whole(response: &Response) -> String {
    let Response {
        result,
        attached,
        version,
        revision,
        expand,
        clock_ms,
        replayed: _,
        began,
    } = response;
    format!("{result:?} {attached:?} {version:?} {revision} {expand:?} {clock_ms} {began}")
}
