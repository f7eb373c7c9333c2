//! Records of disputes: opened by a capture, answered or given up by the merchant, decided by the bank or by time.

use super::Auditor;
use super::model::{AccountModel, captured, name};
use super::money::{Postings, day_of, dispute_fee, receivable};
use super::records::{Case, Expected, Wrong, wrong};
use crate::merchants::START_MS;
use tollgate_domain::balance::balance_transaction::BalanceTransaction;
use tollgate_domain::payments::bank_account::BankOutcome;
use tollgate_domain::payments::charge::Charge;
use tollgate_domain::payments::dispute::{Dispute, DisputeState, Evidence, PendingVerdict, UpdateDispute, Verdict};
use tollgate_domain::payments::payment_method::Instrument;
use tollgate_domain::{Command, Object};
use tollgate_resource::Id;

/// Days a merchant has to answer, the day of the dispute not counted; the answer is due at the end of the last.
const ANSWER_DAYS: i32 = 9;
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// How long a bank looks at evidence, milliseconds.
const REVIEW_MS: u64 = 3_000;

impl AccountModel {
    /// A dispute as it stood after record `at`.
    pub(super) fn dispute_at(&self, id: Id, at: u64) -> Option<&Dispute> {
        match self.object_at(id, at)? {
            Object::Dispute(dispute) => Some(dispute),
            _ => None,
        }
    }

    /// What a refund can take of a charge after record `at`: nothing once a dispute has taken its money, unless it was won
    /// and gave back at least what is left.
    pub(super) fn refundable(&self, charge: &Charge, at: u64) -> i64 {
        let dispute = charge.dispute().and_then(|id| self.dispute_at(id, at));
        let left = captured(charge) - charge.refunded;
        match dispute {
            Some(dispute) if dispute.state == DisputeState::Won && dispute.amount >= left => left,
            Some(dispute) if !dispute.state.is_inquiry() => 0,
            _ => left,
        }
    }
}

impl Auditor {
    /// What must hold of disputes at the end: every withdrawal was debited, each fee is kept, no payment is taken back for
    /// more than it was, and what nobody answered in time is over.
    pub(super) fn disputes_agree(&self, model: &AccountModel) -> Result<(), String> {
        for currency in model.ledger.currencies() {
            let transit = model.ledger.total(currency, "dispute_in_transit");
            if transit != 0 {
                return Err(format!("{transit} of disputes is in transit"));
            }
            let mut kept = 0;
            for dispute in model.newest().filter_map(as_dispute) {
                if dispute.currency.number() == currency && !dispute.state.is_inquiry() {
                    kept += i128::from(dispute_fee(dispute.currency.code()));
                }
            }
            let earned = -model.ledger.total(currency, "dispute_fee_revenue");
            if earned != kept {
                return Err(format!("{earned} earned by disputes instead of {kept}"));
            }
        }
        for object in model.newest() {
            let Some(dispute) = as_dispute(object) else { continue };
            let Some(charge) = model.charge_at(dispute.charge, u64::MAX) else {
                return Err(format!("{dispute:?} is about no charge"));
            };
            let taken = match dispute.state {
                DisputeState::NeedsResponse | DisputeState::UnderReview { .. } | DisputeState::Lost => dispute.amount,
                _ => 0,
            };
            if taken + charge.refunded > captured(charge) {
                return Err(format!(
                    "{} and refunds take more than there is of {charge:?}",
                    name(object)
                ));
            }
            let late = START_MS + self.now_ms > due_ms(dispute) + self.slack_ms();
            if late && dispute.state.needs_response() {
                return Err(format!("{} should have ended: {dispute:?}", name(object)));
            }
        }
        Ok(())
    }
}

impl Case<'_> {
    /// What is expected of the dispute that a card raises when its charge is captured here.
    pub(super) fn opened(&self, expected: &mut Expected, charge: &Charge) -> Result<(), Wrong> {
        let Some(state) = raised_by(&charge.instrument) else {
            return match charge.dispute() {
                None => Ok(()),
                Some(_) => wrong("disputes", format!("{charge:?} is disputed by nobody")),
            };
        };
        let dispute = charge.dispute().and_then(|id| {
            let mut here = self.facts.objects.iter().filter_map(as_dispute);
            here.find(|dispute| dispute.id == id)
        });
        let Some(dispute) = dispute else {
            return wrong("disputes", format!("{charge:?} is not disputed"));
        };
        let of_charge = (
            dispute.charge,
            dispute.payment_intent,
            dispute.network,
            dispute.currency,
        ) == (charge.id, charge.payment_intent, charge.network, charge.currency);
        let fits = dispute.id.seq() > self.facts.seq_before
            && of_charge
            && dispute.amount == captured(charge)
            && dispute.state == state
            && dispute.due_by_s == self.answer_due_s()
            && dispute.submissions == 0
            && dispute.evidence.as_deref() == self.known_of(charge).as_ref()
            && dispute.prefilled == dispute.evidence.is_some();
        if !fits {
            return wrong("disputes", format!("{charge:?} raised {dispute:?}"));
        }
        expected.objects.push(dispute.id.seq());
        expected.events.push("charge.dispute.created");
        self.concerned(charge, dispute)?;
        if state.is_inquiry() {
            return self.moved(dispute, &[]);
        }
        self.withdrawn(expected, dispute)?;
        if state.is_closed() {
            expected.events.push("charge.dispute.closed");
        }
        Ok(())
    }

    /// What a dispute of this charge opens with; `None` where nothing is known of who paid, and for what.
    fn known_of(&self, charge: &Charge) -> Option<Evidence> {
        let customer = match charge.customer.and_then(|id| self.model.object_at(id, u64::MAX)) {
            Some(Object::Customer(customer)) => Some(customer),
            _ => None,
        };
        let known = Evidence {
            customer_email_address: customer.and_then(|customer| customer.email.clone()),
            customer_name: customer.and_then(|customer| customer.name.clone()),
            product_description: charge.description.clone(),
            ..Evidence::default()
        };
        (known != Evidence::default()).then_some(known)
    }

    /// What is expected when a refund leaves nothing of a charge that a bank asks about: it asks no more.
    pub(super) fn asks_no_more(&self, expected: &mut Expected, charge: &Charge, amount: i64) -> Result<(), Wrong> {
        let dispute = charge.dispute().and_then(|id| self.model.dispute_at(id, u64::MAX));
        let Some(before) = dispute.filter(|dispute| !dispute.state.is_closed()) else {
            return Ok(());
        };
        if charge.refunded + amount < captured(charge) {
            return Ok(());
        }
        let now = self
            .facts
            .objects
            .iter()
            .filter_map(as_dispute)
            .find(|dispute| dispute.id == before.id);
        let closed = Dispute {
            state: DisputeState::WarningClosed,
            ..before.clone()
        };
        if now != Some(&closed) {
            return wrong(
                "disputes",
                format!("everything was refunded, but the inquiry became {now:?}"),
            );
        }
        expected.objects.push(before.id.seq());
        expected.events.push("charge.dispute.closed");
        Ok(())
    }

    /// What is expected of a record about a dispute that was there before.
    pub(super) fn dispute(&self, before: &Dispute, after: &Dispute) -> Result<Expected, Wrong> {
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        match self.command {
            Some(Command::UpdateDispute(id, asked)) if *id == after.id => {
                let next = self.answered(before, asked);
                let sent = asked.submit != Some(false);
                expected.events.push("charge.dispute.updated");
                self.became(before, after, next)?;
                if sent {
                    self.charge_follows(&mut expected, after)?;
                }
            }
            Some(Command::CloseDispute(id)) if *id == after.id => {
                let state = self.given_up(before);
                expected.events.push("charge.dispute.closed");
                self.became(before, after, state.map(|state| with_state(before, state)))?;
                self.charge_follows(&mut expected, after)?;
            }
            Some(other) => return wrong("nothing unexplained", format!("a dispute by {other:?}")),
            None => self.by_time(&mut expected, before, after)?,
        }
        Ok(expected)
    }

    /// The dispute once evidence has come; `None` if it may not come.
    fn answered(&self, before: &Dispute, asked: &UpdateDispute) -> Option<Dispute> {
        let text = asked.evidence.as_ref()?.uncategorized_text.clone().into_option()?;
        let mut next = before.clone();
        next.evidence.get_or_insert_default().uncategorized_text = Some(text);
        next.prefilled = false;
        if asked.submit == Some(false) {
            return before.state.needs_response().then_some(next);
        }
        self.submitted(next)
    }

    /// The dispute once its evidence is with the bank; `None` if the bank does not want any.
    fn submitted(&self, mut dispute: Dispute) -> Option<Dispute> {
        let text = dispute.evidence.as_deref()?.uncategorized_text.as_deref()?;
        let asks = dispute.state == DisputeState::WarningNeedsResponse;
        let verdict = match text {
            "winning_evidence" => Some(Verdict::Won),
            "losing_evidence" => Some(Verdict::Lost),
            "escalate_inquiry_evidence" if asks => Some(Verdict::Escalated),
            _ => None,
        };
        let verdict = verdict.map(|verdict| PendingVerdict {
            at_ms: self.facts.now_ms + REVIEW_MS,
            verdict,
        });
        dispute.state = match dispute.state {
            DisputeState::WarningNeedsResponse => DisputeState::WarningUnderReview { verdict },
            DisputeState::NeedsResponse => DisputeState::UnderReview { verdict },
            _ => return None,
        };
        dispute.submissions += 1;
        Some(dispute)
    }

    /// How a dispute ends that the merchant does not answer; `None` if it does not.
    fn given_up(&self, before: &Dispute) -> Option<DisputeState> {
        match before.state {
            DisputeState::WarningNeedsResponse => Some(DisputeState::WarningClosed),
            DisputeState::NeedsResponse => Some(DisputeState::Lost),
            _ => None,
        }
    }

    /// The bank has decided, or nobody answered in time.
    fn by_time(&self, expected: &mut Expected, before: &Dispute, after: &Dispute) -> Result<(), Wrong> {
        match before.state {
            DisputeState::UnderReview { verdict: Some(pending) }
            | DisputeState::WarningUnderReview { verdict: Some(pending) } => {
                if self.facts.now_ms < pending.at_ms {
                    return wrong("disputes", format!("decided before {pending:?}"));
                }
                self.decided(expected, before, after, pending.verdict)
            }
            DisputeState::NeedsResponse | DisputeState::WarningNeedsResponse => {
                let early = START_MS + self.now_ms + self.slack_ms < due_ms(before);
                if early || self.facts.now_ms < due_ms(before) {
                    return wrong("time to answer", format!("{before:?} ended at {}", self.facts.now_ms));
                }
                if before.has_evidence() {
                    expected.events.push("charge.dispute.updated");
                    return self.became(before, after, self.submitted(before.clone()));
                }
                expected.events.push("charge.dispute.closed");
                let state = self.given_up(before);
                self.became(before, after, state.map(|state| with_state(before, state)))
            }
            _ => wrong("state tables", format!("{before:?} to {after:?}")),
        }
    }

    fn decided(
        &self,
        expected: &mut Expected,
        before: &Dispute,
        after: &Dispute,
        verdict: Verdict,
    ) -> Result<(), Wrong> {
        let next = match (before.state.is_inquiry(), verdict) {
            (true, Verdict::Escalated) => return self.escalated(expected, before, after),
            (true, _) => DisputeState::WarningClosed,
            (false, Verdict::Won) => DisputeState::Won,
            (false, _) => DisputeState::Lost,
        };
        if next != DisputeState::Won {
            expected.events.push("charge.dispute.closed");
            return self.became(before, after, Some(with_state(before, next)));
        }
        let currency = after.currency.number();
        let back = Postings::default()
            .add(currency, receivable(after.network), 0, after.amount)
            .add(currency, "merchant_balance", day_of(self.facts.now_ms), -after.amount);
        expected.entries.push(back);
        expected.movements.push((after.amount, 0));
        expected
            .events
            .extend(["charge.dispute.funds_reinstated", "charge.dispute.closed"]);
        let taken = (-before.amount, dispute_fee(before.currency.code()));
        self.moved(after, &[taken, (after.amount, 0)])?;
        self.same_but_movements(before, after, with_state(before, next))
    }

    /// The inquiry became a chargeback about what was not refunded.
    fn escalated(&self, expected: &mut Expected, before: &Dispute, after: &Dispute) -> Result<(), Wrong> {
        let Some(charge) = self.model.charge_at(before.charge, u64::MAX) else {
            return wrong("disputes", format!("{before:?} is about no charge"));
        };
        let next = Dispute {
            amount: captured(charge) - charge.refunded,
            state: DisputeState::NeedsResponse,
            due_by_s: self.answer_due_s(),
            ..before.clone()
        };
        if next.amount <= 0 {
            return wrong("disputes", format!("nothing is left of {charge:?}"));
        }
        expected.events.push("charge.dispute.updated");
        match self.object_charge(before.charge) {
            Some(now) if (now.state, now.refunded) == (charge.state, charge.refunded) => {
                self.concerned(now, after)?;
            }
            other => return wrong("disputes", format!("the charge became {other:?}")),
        }
        expected.objects.push(before.charge.seq());
        self.same_but_movements(before, after, next)?;
        self.withdrawn(expected, after)
    }

    /// The money of a dispute: its amount and our fee from the merchant, and the amount from us.
    fn withdrawn(&self, expected: &mut Expected, dispute: &Dispute) -> Result<(), Wrong> {
        let (currency, amount) = (dispute.currency.number(), dispute.amount);
        let fee = dispute_fee(dispute.currency.code());
        let taken = Postings::default()
            .add(currency, "merchant_balance", day_of(self.facts.now_ms), amount + fee)
            .add(currency, "dispute_in_transit", 0, -amount)
            .add(currency, "dispute_fee_revenue", 0, -fee);
        let debited = Postings::default().add(currency, "dispute_in_transit", 0, amount).add(
            currency,
            receivable(dispute.network),
            0,
            -amount,
        );
        expected.entries.extend([taken, debited]);
        expected.movements.push((-amount, fee));
        expected.events.push("charge.dispute.funds_withdrawn");
        self.moved(dispute, &[(-amount, fee)])
    }

    /// The dispute shows exactly these movements, the newest of which was made here.
    fn moved(&self, dispute: &Dispute, amounts: &[(i64, i64)]) -> Result<(), Wrong> {
        let shown: Vec<_> = dispute
            .movements
            .iter()
            .map(|moved| (moved.amount, moved.fee))
            .collect();
        let made = dispute.movements.last().is_none_or(|newest| {
            let is_it = |moved: &BalanceTransaction| *moved == **newest && moved.source == dispute.id;
            let mut objects = self.facts.objects.iter();
            objects.any(|object| matches!(object, Object::BalanceTransaction(moved) if is_it(moved)))
        });
        if shown == amounts && made {
            return Ok(());
        }
        wrong(
            "disputes",
            format!("{dispute:?} moved {shown:?} instead of {amounts:?}"),
        )
    }

    /// The charge knows its dispute, and whether that took its money.
    fn concerned(&self, charge: &Charge, dispute: &Dispute) -> Result<(), Wrong> {
        let known = (charge.dispute(), charge.is_charged_back());
        if known == (Some(dispute.id), !dispute.state.is_inquiry()) {
            return Ok(());
        }
        wrong("disputes", format!("{charge:?} does not know {dispute:?}"))
    }

    /// The charge comes with its dispute, unchanged.
    fn charge_follows(&self, expected: &mut Expected, dispute: &Dispute) -> Result<(), Wrong> {
        let before = self.model.charge_at(dispute.charge, u64::MAX);
        match self.object_charge(dispute.charge) {
            Some(charge) if Some(charge) == before => {}
            other => return wrong("disputes", format!("the charge became {other:?}")),
        }
        expected.objects.push(dispute.charge.seq());
        expected.events.push("charge.updated");
        Ok(())
    }

    /// The dispute is what it must have become, and moved no money.
    fn became(&self, before: &Dispute, after: &Dispute, next: Option<Dispute>) -> Result<(), Wrong> {
        match next {
            Some(next) if next == *after => Ok(()),
            _ => wrong("state tables", format!("{before:?} to {after:?} by {:?}", self.command)),
        }
    }

    fn same_but_movements(&self, before: &Dispute, after: &Dispute, mut next: Dispute) -> Result<(), Wrong> {
        next.movements.clone_from(&after.movements);
        self.became(before, after, Some(next))
    }

    /// Until when a dispute that is opened here can be answered.
    fn answer_due_s(&self) -> i64 {
        i64::from(day_of(self.facts.now_ms) + ANSWER_DAYS + 1) * DAY_S - 1
    }
}

fn as_dispute(object: &Object) -> Option<&Dispute> {
    match object {
        Object::Dispute(dispute) => Some(dispute),
        _ => None,
    }
}

fn with_state(before: &Dispute, state: DisputeState) -> Dispute {
    Dispute {
        state,
        ..before.clone()
    }
}

/// When the time to answer is over, milliseconds since the Unix epoch.
fn due_ms(dispute: &Dispute) -> u64 {
    u64::try_from(dispute.due_by_s).expect("a moment after 1970") * 1_000 + 1_000
}

/// The first state of the dispute that a card or a bank account raises, if it does. Nothing can be said against the holder of
/// an account, so theirs is over at once.
fn raised_by(instrument: &Instrument) -> Option<DisputeState> {
    if let Some(bank) = instrument.bank() {
        return (bank.facts().outcome == BankOutcome::Disputed).then_some(DisputeState::Lost);
    }
    match instrument.test_card()?.names[0] {
        "createDispute" | "createDisputeProductNotReceived" => Some(DisputeState::NeedsResponse),
        "createDisputeInquiry" => Some(DisputeState::WarningNeedsResponse),
        _ => None,
    }
}
