//! What is kept of an account's objects, and the way each may take: one line an object, in the order of their birth.

mod changes;
mod charges;
mod customers;
mod disputes;
mod intents;
mod kept;
mod refunds;
mod setups;

pub(crate) use changes::{Asker, Changes, Movement};
pub(crate) use kept::Stage;

use crate::lines::Lines;
use crate::part::{Part, payment_hash};
use crate::report::{Check, Checked, Finding, Report, ensure};
use hashbrown::HashMap;
use kept::{KeptCharge, KeptCustomer, KeptDispute, KeptIntent, KeptRefund, KeptTaxId, OpenAttempt};
use setups::{KeptSetup, KeptTry};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::payment_intent::StatusName;
use tollgate_domain::payments::refund::RefundStage;
use tollgate_domain::{Facts, Object, kinds};
use tollgate_resource::{Id, Kind};

/// Everything kept of an account's objects. Each list is sorted by sequence, because births are.
#[derive(Default)]
pub(crate) struct Objects {
    /// The account's key.
    account: u64,
    /// Attempts that are not settled, by the sequence of their object.
    open: HashMap<u64, OpenAttempt>,
    /// Number of the newest attempt of each charge that asked a remote network by itself.
    charge_attempts: HashMap<u64, u32>,
    intents: Lines<KeptIntent>,
    charges: Lines<KeptCharge>,
    refunds: Lines<KeptRefund>,
    disputes: Lines<KeptDispute>,
    setups: Lines<KeptSetup>,
    /// Tries of setup intents.
    tries: Lines<KeptTry>,
    customers: Lines<KeptCustomer>,
    /// Movements of customers' balances, with the sequence of the customer.
    movements: Lines<(Id, u64)>,
    tax_ids: Lines<KeptTaxId>,
    /// Payment methods, tokens and mandates; the check in an id tells of which kind it is.
    others: Lines<Id>,
}

/// An attempt that is not settled, and whose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    /// Sequence of the object.
    pub(crate) object: u64,
    pub(crate) attempt: u32,
    pub(crate) stage: Stage,
    pub(crate) money: Open,
}

/// Money that waits for a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) since_ms: u64,
}

impl Objects {
    /// Of the account with this key.
    pub(crate) fn new(account: u64) -> Self {
        Objects {
            account,
            ..Objects::default()
        }
    }

    /// Whether an object belongs to this part: with the payment intent that it is about, or for itself.
    pub(crate) fn is_in(&self, part: Part, object: &Object) -> bool {
        of_payment(object).is_some_and(|intent| part.holds(payment_hash(self.account, intent)))
    }

    /// Checks every step of those of the record's objects that belong to the part, and takes it.
    pub(crate) fn advance(&mut self, facts: &Facts, part: Part) -> Result<Changes, Finding> {
        let mut changes = Changes::default();
        let mine: Vec<&Object> = facts.objects.iter().filter(|object| self.is_in(part, object)).collect();
        for object in &mine {
            let born = object.id().seq() > facts.seq_before;
            if !born {
                self.check_known(object)?;
            }
            match object {
                Object::PaymentIntent(intent) => self.step_intent(intent, born, facts.now_ms, &mut changes)?,
                Object::Charge(charge) => self.step_charge(charge, born, facts.now_ms, &mut changes)?,
                Object::Refund(refund) => self.step_refund(refund, born, &mut changes)?,
                Object::Dispute(dispute) => self.step_dispute(dispute, born, &mut changes)?,
                Object::SetupIntent(intent) => self.step_setup(intent, born, facts.now_ms, &mut changes)?,
                Object::SetupAttempt(attempt) => self.step_try(attempt, born)?,
                Object::Customer(customer) => self.step_customer(customer, born)?,
                Object::CustomerBalanceTransaction(moved) => self.step_customer_movement(moved, born)?,
                Object::TaxId(tax_id) => self.step_tax_id(tax_id, born)?,
                Object::PaymentMethod(_)
                | Object::Source(_)
                | Object::Card(_)
                | Object::Token(_)
                | Object::Mandate(_)
                    if born =>
                {
                    self.others.push(object.id())
                }
                Object::PaymentMethod(_) | Object::Source(_) | Object::Card(_) => {}
                Object::Token(_) | Object::Mandate(_) | Object::BalanceTransaction(_) => {}
                Object::EphemeralKey(_)
                | Object::Review(_)
                | Object::EarlyFraudWarning(_)
                | Object::PaymentMethodConfiguration(_)
                | Object::PaymentMethodDomain(_)
                | Object::ApplePayDomain(_)
                | Object::WebhookEndpoint(_)
                | Object::File(_)
                | Object::FileLink(_)
                | Object::ConfirmationToken(_)
                    if born =>
                {
                    self.others.push(object.id())
                }
                Object::EphemeralKey(_)
                | Object::Review(_)
                | Object::EarlyFraudWarning(_)
                | Object::PaymentMethodConfiguration(_)
                | Object::PaymentMethodDomain(_)
                | Object::ApplePayDomain(_)
                | Object::WebhookEndpoint(_)
                | Object::File(_)
                | Object::FileLink(_)
                | Object::ConfirmationToken(_) => {}
            }
        }
        for object in &mine {
            match object {
                Object::Charge(charge) => self.join_charge(charge, facts, &changes)?,
                Object::Refund(refund) => self.join_refund(refund)?,
                Object::Dispute(dispute) => self.join_dispute(dispute)?,
                Object::SetupAttempt(attempt) => self.join_try(attempt, attempt.id.seq() > facts.seq_before)?,
                Object::Customer(customer) => self.join_customer(customer)?,
                Object::PaymentIntent(_)
                | Object::BalanceTransaction(_)
                | Object::SetupIntent(_)
                | Object::Mandate(_)
                | Object::CustomerBalanceTransaction(_)
                | Object::TaxId(_)
                | Object::PaymentMethod(_)
                | Object::Source(_)
                | Object::Card(_)
                | Object::Token(_) => {}
                Object::EphemeralKey(_)
                | Object::Review(_)
                | Object::EarlyFraudWarning(_)
                | Object::PaymentMethodConfiguration(_)
                | Object::PaymentMethodDomain(_)
                | Object::ApplePayDomain(_)
                | Object::WebhookEndpoint(_)
                | Object::File(_)
                | Object::FileLink(_)
                | Object::ConfirmationToken(_) => {}
            }
        }
        // After the charges: an intent's state must agree with the charge that the same record moved.
        for object in &mine {
            match object {
                Object::PaymentIntent(intent) => self.join_intent(intent)?,
                Object::SetupIntent(intent) => self.join_setup(intent)?,
                _ => {}
            }
        }
        Ok(changes)
    }

    /// Refunds that no network has confirmed.
    pub(crate) fn refunds_in_transit(&self) -> impl Iterator<Item = Open> {
        let in_transit = |stage| matches!(stage, RefundStage::InTransit | RefundStage::Pending);
        let waiting = self.refunds.iter().filter(move |refund| in_transit(refund.stage));
        waiting.map(|refund| Open {
            currency: refund.currency,
            amount: refund.amount,
            since_ms: refund.id.unix_ms(),
        })
    }

    /// Attempts that are not settled.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Pending> {
        self.open.iter().map(|(&seq, open)| Pending {
            object: seq,
            attempt: open.number,
            stage: open.stage,
            money: Open {
                currency: open.currency,
                amount: open.amount,
                since_ms: open.since_ms,
            },
        })
    }

    /// Adds to the report how many there are.
    pub(crate) fn count(&self, report: &mut Report) {
        report.payment_intents += self.intents.len() as u64;
        let succeeded = |intent: &&KeptIntent| intent.status == StatusName::Succeeded;
        report.payments += self.intents.iter().filter(succeeded).count() as u64;
        report.charges += self.charges.len() as u64;
        report.refunds += self.refunds.len() as u64;
    }

    /// Forgets what does not belong to the part.
    pub(crate) fn keep_only(&mut self, part: Part) {
        let account = self.account;
        let holds = |intent| part.holds(payment_hash(account, intent));
        self.open.retain(|&object, _| holds(object));
        self.charge_attempts.retain(|&charge, _| holds(charge));
        self.intents.retain(|intent| holds(intent.id.seq()));
        self.charges.retain(|charge| holds(charge.payment));
        self.refunds.retain(|refund| holds(refund.payment));
        self.disputes.retain(|dispute| holds(dispute.payment));
        self.setups.retain(|setup| holds(setup.id.seq()));
        self.tries.retain(|attempt| holds(attempt.intent));
        self.customers.retain(|customer| holds(customer.id.seq()));
        self.movements.retain(|(_, customer)| holds(*customer));
        self.tax_ids.retain(|tax_id| holds(tax_id.owner));
        self.others.retain(|id| holds(id.seq()));
    }

    /// Bytes of the lines kept.
    pub(crate) fn bytes(&self) -> usize {
        self.intents.bytes()
            + self.charges.bytes()
            + self.refunds.bytes()
            + self.disputes.bytes()
            + self.setups.bytes()
            + self.tries.bytes()
            + self.customers.bytes()
            + self.movements.bytes()
            + self.tax_ids.bytes()
            + self.others.bytes()
            + self.open.len() * size_of::<(u64, OpenAttempt)>()
            + self.charge_attempts.len() * size_of::<(u64, u32)>()
    }

    /// A changed object was born in an earlier record.
    fn check_known(&self, object: &Object) -> Checked {
        let (kind, id): (&'static Kind, Id) = (object.kind(), object.id());
        let known = match object {
            // It is there from the beginning.
            Object::PaymentMethodConfiguration(configuration) if configuration.is_default() => Some(id),
            Object::PaymentIntent(_) => find(&self.intents, id.seq(), |kept| kept.id).map(|at| self.intents[at].id),
            Object::Charge(_) => find(&self.charges, id.seq(), |kept| kept.id).map(|at| self.charges[at].id),
            Object::Refund(_) => find(&self.refunds, id.seq(), |kept| kept.id).map(|at| self.refunds[at].id),
            Object::Dispute(_) => find(&self.disputes, id.seq(), |kept| kept.id).map(|at| self.disputes[at].id),
            Object::SetupIntent(_) => find(&self.setups, id.seq(), |kept| kept.id).map(|at| self.setups[at].id),
            Object::SetupAttempt(_) => find(&self.tries, id.seq(), |kept| kept.id).map(|at| self.tries[at].id),
            Object::Customer(_) => find(&self.customers, id.seq(), |kept| kept.id).map(|at| self.customers[at].id),
            Object::CustomerBalanceTransaction(_) => {
                find(&self.movements, id.seq(), |kept| kept.0).map(|at| self.movements[at].0)
            }
            Object::TaxId(_) => find(&self.tax_ids, id.seq(), |kept| kept.id).map(|at| self.tax_ids[at].id),
            Object::PaymentMethod(_) | Object::Source(_) | Object::Card(_) | Object::Token(_) | Object::Mandate(_) => {
                find(&self.others, id.seq(), |kept| *kept).map(|at| self.others[at])
            }
            Object::EphemeralKey(_)
            | Object::Review(_)
            | Object::EarlyFraudWarning(_)
            | Object::PaymentMethodConfiguration(_)
            | Object::PaymentMethodDomain(_)
            | Object::ApplePayDomain(_)
            | Object::WebhookEndpoint(_)
            | Object::File(_)
            | Object::FileLink(_)
            | Object::ConfirmationToken(_) => find(&self.others, id.seq(), |kept| *kept).map(|at| self.others[at]),
            Object::BalanceTransaction(_) => None,
        };
        ensure(Check::Ids, known == Some(id), || {
            format!("{} changes, but was never born", id.text(kind))
        })
    }
}

/// The sequence of the payment intent that an object belongs to; of a charge without one and its refunds, the charge's; of
/// anything else, its own. `None` for a balance transaction: it never changes, so none is kept.
fn of_payment(object: &Object) -> Option<u64> {
    match object {
        Object::PaymentIntent(intent) => Some(intent.id.seq()),
        Object::Charge(charge) => Some(charge.payment_intent.unwrap_or(charge.id).seq()),
        Object::Refund(refund) => Some(refund.payment_intent.unwrap_or(refund.charge).seq()),
        Object::Dispute(dispute) => Some(dispute.payment_intent.unwrap_or(dispute.charge).seq()),
        Object::SetupAttempt(attempt) => Some(attempt.setup_intent.seq()),
        // With their customer.
        Object::CustomerBalanceTransaction(moved) => Some(moved.customer.seq()),
        Object::TaxId(tax_id) => Some(tax_id.customer.unwrap_or(tax_id.id).seq()),
        Object::Customer(_)
        | Object::PaymentMethod(_)
        | Object::Source(_)
        | Object::Card(_)
        | Object::Token(_)
        | Object::SetupIntent(_)
        | Object::Mandate(_) => Some(object.id().seq()),
        Object::EphemeralKey(_)
        | Object::Review(_)
        | Object::EarlyFraudWarning(_)
        | Object::PaymentMethodConfiguration(_)
        | Object::PaymentMethodDomain(_)
        | Object::ApplePayDomain(_)
        | Object::WebhookEndpoint(_)
        | Object::File(_)
        | Object::FileLink(_)
        | Object::ConfirmationToken(_) => Some(object.id().seq()),
        Object::BalanceTransaction(_) => None,
    }
}

/// Whether a record can hold nothing of the part, as far as its envelope tells: it bears one payment and changes nothing.
pub(crate) fn is_elsewhere(head: &tollgate_store::Head, part: Part) -> bool {
    let mut intent = None;
    for (seq, &kind) in (head.first_seq..).zip(&head.born) {
        let mine = if kind == kinds::PAYMENT_INTENT.number {
            if intent.replace(seq).is_some() {
                return false;
            }
            true
        } else if kind == kinds::CHARGE.number {
            // An intent is born before its charge, and is the first list that it is in.
            let mut parents = head.lists.iter().filter(|(_, child, at)| (*child, *at) == (kind, seq));
            intent.is_some() && parents.next().map(|(parent, ..)| *parent) == intent
        } else if kind == kinds::CUSTOMER.number || kind == kinds::PAYMENT_METHOD.number {
            if part.holds(payment_hash(head.account, seq)) {
                return false;
            }
            true
        } else {
            kind == kinds::BALANCE_TRANSACTION.number || kind == kinds::EVENT.number
        };
        if !mine {
            return false;
        }
    }
    head.changed.is_empty() && !intent.is_some_and(|intent| part.holds(payment_hash(head.account, intent)))
}

/// The place of the line with this sequence.
fn find<T>(lines: &Lines<T>, seq: u64, id: impl Fn(&T) -> Id) -> Option<usize> {
    lines.find(|line| id(line).seq().cmp(&seq))
}

fn put<T>(lines: &mut Lines<T>, at: Option<usize>, line: T) {
    match at {
        Some(at) => lines[at] = line,
        None => lines.push(line),
    }
}
