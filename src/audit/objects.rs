//! What is kept of an account's objects, and the way each may take: one line an object, in the order of their birth.

use crate::lines::Lines;
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::books::EntryCause;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::payment_intent::{Attempt, PaymentIntent, Phase, Status, StatusName};
use tollgate_domain::payments::refund::{Refund, RefundState};
use tollgate_domain::{Facts, Network, Object, kinds};
use tollgate_resource::{Id, Kind, Names};

/// Everything kept of an account's objects. Each list is sorted by sequence, because births are.
#[derive(Default)]
pub(crate) struct Objects {
    intents: Lines<KeptIntent>,
    charges: Lines<KeptCharge>,
    refunds: Lines<KeptRefund>,
    /// Customers and payment methods: kind number and id.
    others: Lines<(u8, Id)>,
}

/// What is kept of a payment intent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptIntent {
    pub(crate) id: Id,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) status: StatusName,
    /// Number of the newest attempt at a remote network.
    pub(crate) attempts: u32,
    /// The attempt that is not settled.
    pub(crate) open: Option<OpenAttempt>,
    /// Sequence of the charge that holds or has moved money; 0 for none. There is never a second one.
    standing: u64,
}

/// An attempt that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenAttempt {
    pub(crate) number: u32,
    pub(crate) amount: i64,
    /// When it was opened, milliseconds.
    pub(crate) since_ms: u64,
    /// How far finding out has come: called (a request may still wait), inquired about, reversed.
    pub(crate) stage: Stage,
    /// Inquiries or reversals sent so far.
    pub(crate) tries: u32,
}

/// How far finding out what became of an attempt has come; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Calling,
    Inquiring,
    Reversing,
}

impl OpenAttempt {
    fn of(open: &Attempt, since_ms: u64) -> OpenAttempt {
        let (stage, tries) = match open.phase {
            Phase::Calling { .. } => (Stage::Calling, 0),
            Phase::Inquiring { tries, .. } => (Stage::Inquiring, tries),
            Phase::Reversing { tries, .. } => (Stage::Reversing, tries),
        };
        OpenAttempt {
            number: open.number,
            amount: open.amount,
            since_ms,
            stage,
            tries,
        }
    }

    /// Whether `self` may be the next version of `before`: unchanged, one more try, or the first of a later stage.
    fn may_follow(&self, before: &OpenAttempt) -> bool {
        let unchanged = (self.stage, self.tries) == (before.stage, before.tries);
        let again = self.stage == before.stage && Some(self.tries) == before.tries.checked_add(1);
        let further = self.stage > before.stage && self.tries == 1;
        self.amount == before.amount && (unchanged || again || further)
    }
}

#[derive(Clone, Copy, Debug)]
struct KeptCharge {
    id: Id,
    intent: u64,
    amount: i64,
    currency: Currency,
    network: Network,
    state: ChargeState,
    refunded: i64,
    refund_count: u32,
}

#[derive(Clone, Copy, Debug)]
struct KeptRefund {
    id: Id,
    charge: u64,
    amount: i64,
    currency: Currency,
    balance_transaction: Id,
    confirmed: bool,
}

/// Money that waits for a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) currency: Currency,
    pub(crate) amount: i64,
    pub(crate) since_ms: u64,
}

/// What a record did to objects.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) intents: Vec<IntentChange>,
    /// Movements of money that must each have an entry.
    pub(crate) movements: Vec<Movement>,
    pub(crate) charges_born: u64,
    pub(crate) refunds_born: u64,
}

/// A payment intent's step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IntentChange {
    pub(crate) before: Option<KeptIntent>,
    pub(crate) after: KeptIntent,
}

/// A movement of money that an object's step implies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Movement {
    pub(crate) cause: EntryCause,
    pub(crate) source: Id,
    pub(crate) source_kind: &'static Kind,
    pub(crate) balance_transaction: Option<Id>,
    /// Minor units, positive.
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) network: Network,
    /// The day bucket, where the object states it.
    pub(crate) day: Option<i32>,
}

impl IntentChange {
    /// Whether this step is the one that succeeded.
    pub(crate) fn has_succeeded(&self) -> bool {
        let succeeded = |intent: &KeptIntent| intent.status == StatusName::Succeeded;
        succeeded(&self.after) && !self.before.as_ref().is_some_and(succeeded)
    }
}

impl Objects {
    /// Whether the object was born earlier.
    pub(crate) fn knows(&self, kind: &'static Kind, id: Id) -> bool {
        if *kind == kinds::PAYMENT_INTENT {
            return self.intent(id.seq()).is_some_and(|intent| intent.id == id);
        }
        if *kind == kinds::CHARGE {
            return find(&self.charges, id.seq(), |charge| charge.id).is_some_and(|at| self.charges[at].id == id);
        }
        if *kind == kinds::REFUND {
            return find(&self.refunds, id.seq(), |refund| refund.id).is_some_and(|at| self.refunds[at].id == id);
        }
        // A balance transaction never changes, so none is kept.
        find(&self.others, id.seq(), |other| other.1).is_some_and(|at| self.others[at] == (kind.number, id))
    }

    /// The payment intent with this sequence.
    pub(crate) fn intent(&self, seq: u64) -> Option<&KeptIntent> {
        find(&self.intents, seq, |intent| intent.id).map(|at| &self.intents[at])
    }

    /// Checks every step of the record's objects and takes it.
    pub(crate) fn advance(&mut self, facts: &Facts) -> Result<Changes, Finding> {
        let mut changes = Changes::default();
        for object in &facts.objects {
            let born = object.id().seq() > facts.seq_before;
            match object {
                Object::PaymentIntent(intent) => self.step_intent(intent, born, facts.now_ms, &mut changes)?,
                Object::Charge(charge) => self.step_charge(charge, born, &mut changes)?,
                Object::Refund(refund) => self.step_refund(refund, born, &mut changes)?,
                Object::Customer(_) | Object::PaymentMethod(_) if born => {
                    self.others.push((object.kind().number, object.id()));
                }
                Object::Customer(_) | Object::PaymentMethod(_) | Object::BalanceTransaction(_) => {}
            }
        }
        for object in &facts.objects {
            match object {
                Object::Charge(charge) => self.join_charge(charge, facts, &changes)?,
                Object::Refund(refund) => self.join_refund(refund)?,
                Object::PaymentIntent(_)
                | Object::Customer(_)
                | Object::BalanceTransaction(_)
                | Object::PaymentMethod(_) => {}
            }
        }
        // After the charges: an intent's state must agree with the charge that the same record moved.
        for object in &facts.objects {
            if let Object::PaymentIntent(intent) = object {
                self.join_intent(intent)?;
            }
        }
        Ok(changes)
    }

    /// Refunds that no network has confirmed.
    pub(crate) fn refunds_in_transit(&self) -> Vec<Open> {
        let open = |refund: &KeptRefund| Open {
            currency: refund.currency,
            amount: refund.amount,
            since_ms: refund.id.unix_ms(),
        };
        self.refunds
            .iter()
            .filter(|refund| !refund.confirmed)
            .map(open)
            .collect()
    }

    /// Attempts that are not settled.
    pub(crate) fn open_attempts(&self) -> impl Iterator<Item = Open> {
        self.intents.iter().filter_map(|intent| {
            let open = intent.open?;
            Some(Open {
                currency: intent.currency,
                amount: open.amount,
                since_ms: open.since_ms,
            })
        })
    }

    fn step_intent(&mut self, intent: &PaymentIntent, born: bool, now_ms: u64, changes: &mut Changes) -> Checked {
        let name = || intent.id.text(&kinds::PAYMENT_INTENT);
        let at = find(&self.intents, intent.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.intents[at]) };
        let status = intent.status.name();
        ensure(
            Check::States,
            status.may_follow(before.map(|before| before.status)),
            || {
                let from = before.map_or("nothing", |before| before.status.name());
                format!("{} goes from {from} to {}", name(), status.name())
            },
        )?;
        if let Some(before) = before {
            ensure(
                Check::States,
                (intent.amount, intent.currency) == (before.amount, before.currency),
                || format!("{} changes its amount or currency", name()),
            )?;
            ensure(Check::Attempts, intent.attempts >= before.attempts, || {
                format!(
                    "{} had {} attempts and now has {}",
                    name(),
                    before.attempts,
                    intent.attempts
                )
            })?;
        }
        let known = before.and_then(|before| before.open);
        let open = intent.open_attempt().map(|open| {
            let known = known.filter(|known| known.number == open.number);
            OpenAttempt::of(open, known.map_or(now_ms, |known| known.since_ms))
        });
        if let (Some(open), Some(known)) = (open, known) {
            let follows = if open.number == known.number {
                open.may_follow(&known)
            } else {
                false
            };
            ensure(Check::Attempts, follows, || {
                format!("attempt {} of {} goes from {known:?} to {open:?}", known.number, name())
            })?;
        }
        let after = KeptIntent {
            id: intent.id,
            amount: intent.amount,
            currency: intent.currency,
            status,
            attempts: intent.attempts,
            open,
            standing: before.map_or(0, |before| before.standing),
        };
        put(&mut self.intents, at, after);
        changes.intents.push(IntentChange { before, after });
        Ok(())
    }

    fn step_charge(&mut self, charge: &Charge, born: bool, changes: &mut Changes) -> Checked {
        let name = || charge.id.text(&kinds::CHARGE);
        let at = find(&self.charges, charge.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.charges[at]) };
        ensure(
            Check::States,
            charge.state.may_follow(before.as_ref().map(|before| &before.state)),
            || {
                format!(
                    "{} goes from {} to {:?}",
                    name(),
                    before.map_or("nothing".into(), |before| format!("{:?}", before.state)),
                    charge.state
                )
            },
        )?;
        if let Some(before) = before {
            let same = (
                charge.amount,
                charge.currency,
                charge.payment_intent.seq(),
                charge.network,
            ) == (before.amount, before.currency, before.intent, before.network);
            ensure(Check::States, same, || {
                format!("{} changes its amount, currency, intent or network", name())
            })?;
        } else {
            changes.charges_born += 1;
            ensure(Check::Limits, charge.refunded == 0 && charge.refund_count == 0, || {
                format!("{} is born with refunds", name())
            })?;
        }
        if let ChargeState::Captured {
            amount,
            balance_transaction,
            available_day,
        } = charge.state
        {
            ensure(Check::Limits, 0 < amount && amount <= charge.amount, || {
                format!("{} captures {amount} of {} authorised", name(), charge.amount)
            })?;
            if before.is_none_or(|before| before.state != charge.state) {
                changes.movements.push(Movement {
                    cause: EntryCause::Capture,
                    source: charge.id,
                    source_kind: &kinds::CHARGE,
                    balance_transaction: Some(balance_transaction),
                    amount,
                    currency: charge.currency,
                    network: charge.network,
                    day: Some(available_day),
                });
            }
        }
        ensure(
            Check::Limits,
            (0..=charge.amount_captured()).contains(&charge.refunded),
            || {
                format!(
                    "{} gave back {} of {} captured",
                    name(),
                    charge.refunded,
                    charge.amount_captured()
                )
            },
        )?;
        let after = KeptCharge {
            id: charge.id,
            intent: charge.payment_intent.seq(),
            amount: charge.amount,
            currency: charge.currency,
            network: charge.network,
            state: charge.state,
            // Grows with the refunds that are born in this record, and must then be what the charge says.
            refunded: before.map_or(0, |before| before.refunded),
            refund_count: before.map_or(0, |before| before.refund_count),
        };
        put(&mut self.charges, at, after);
        Ok(())
    }

    fn step_refund(&mut self, refund: &Refund, born: bool, changes: &mut Changes) -> Checked {
        let name = || refund.id.text(&kinds::REFUND);
        let at = find(&self.refunds, refund.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.refunds[at]) };
        ensure(Check::Limits, refund.amount > 0, || {
            format!("{} gives back {}", name(), refund.amount)
        })?;
        let mut movement = Movement {
            cause: EntryCause::Refund,
            source: refund.id,
            source_kind: &kinds::REFUND,
            balance_transaction: Some(refund.balance_transaction),
            amount: refund.amount,
            currency: refund.currency,
            network: refund.network,
            day: None,
        };
        if let Some(before) = before {
            let same = (
                refund.amount,
                refund.currency,
                refund.charge.seq(),
                refund.balance_transaction,
            ) == (
                before.amount,
                before.currency,
                before.charge,
                before.balance_transaction,
            );
            ensure(Check::States, same, || {
                format!("{} changes its amount, charge or transaction", name())
            })?;
            ensure(Check::States, refund.is_confirmed() || !before.confirmed, || {
                format!("{} was confirmed and is in transit again", name())
            })?;
        } else {
            changes.refunds_born += 1;
            changes.movements.push(movement);
        }
        if refund.is_confirmed() && before.is_none_or(|before| !before.confirmed) {
            movement.cause = EntryCause::RefundConfirmed;
            movement.balance_transaction = None;
            changes.movements.push(movement);
        }
        let after = KeptRefund {
            id: refund.id,
            charge: refund.charge.seq(),
            amount: refund.amount,
            currency: refund.currency,
            balance_transaction: refund.balance_transaction,
            confirmed: matches!(refund.state, RefundState::Confirmed),
        };
        put(&mut self.refunds, at, after);
        if before.is_none() {
            self.take_from_charge(refund)?;
        }
        Ok(())
    }

    /// A refund is born: its charge must exist and have that much left.
    fn take_from_charge(&mut self, refund: &Refund) -> Checked {
        let name = || refund.id.text(&kinds::REFUND);
        let at = find(&self.charges, refund.charge.seq(), |kept| kept.id)
            .filter(|at| self.charges[*at].id == refund.charge)
            .ok_or_else(|| Finding {
                check: Check::Ids,
                what: format!("{} is of a charge that does not exist", name()),
            })?;
        let charge = &mut self.charges[at];
        ensure(
            Check::Limits,
            charge.currency == refund.currency && charge.network == refund.network,
            || format!("{} goes another way than its charge: currency or network", name()),
        )?;
        let captured = match charge.state {
            ChargeState::Captured { amount, .. } => amount,
            _ => 0,
        };
        let refunded = charge.refunded.saturating_add(refund.amount);
        ensure(Check::Limits, refunded <= captured, || {
            format!(
                "{} makes refunds of {refunded}, more than the {captured} captured",
                name()
            )
        })?;
        charge.refunded = refunded;
        charge.refund_count += 1;
        Ok(())
    }

    /// A charge against its intent and its refunds.
    fn join_charge(&mut self, charge: &Charge, facts: &Facts, changes: &Changes) -> Checked {
        let name = || charge.id.text(&kinds::CHARGE);
        let at = find(&self.charges, charge.id.seq(), |kept| kept.id).expect("its step was taken");
        let kept = self.charges[at];
        let agrees = (kept.refunded, kept.refund_count) == (charge.refunded, charge.refund_count);
        ensure(Check::Limits, agrees, || {
            format!(
                "{} says {} given back by {} refunds, its refunds come to {} by {}",
                name(),
                charge.refunded,
                charge.refund_count,
                kept.refunded,
                kept.refund_count
            )
        })?;
        let Some(at) = find(&self.intents, charge.payment_intent.seq(), |kept| kept.id)
            .filter(|at| self.intents[*at].id == charge.payment_intent)
        else {
            let what = format!("{} is of a payment intent that does not exist", name());
            return Err(Finding {
                check: Check::Ids,
                what,
            });
        };
        let intent = &mut self.intents[at];
        ensure(
            Check::States,
            (charge.amount, charge.currency) == (intent.amount, intent.currency),
            || format!("{} is of another amount or currency than its intent", name()),
        )?;
        let stands = !matches!(charge.state, ChargeState::Failed { .. });
        if stands && charge.id.seq() > facts.seq_before {
            ensure(Check::Movement, intent.standing == 0, || {
                let intent = intent.id.text(&kinds::PAYMENT_INTENT);
                format!("{} is a second charge that stands, of {intent}", name())
            })?;
            intent.standing = charge.id.seq();
        }
        // A charge moves only together with its intent; refunds alone move a charge by itself.
        let moved = changes.movements.iter().any(|movement| movement.source == charge.id);
        let with_intent = changes
            .intents
            .iter()
            .any(|change| change.after.id == charge.payment_intent);
        ensure(Check::States, !moved || with_intent, || {
            format!("{} moves without its intent", name())
        })
    }

    fn join_refund(&self, refund: &Refund) -> Checked {
        let name = || refund.id.text(&kinds::REFUND);
        let at = find(&self.charges, refund.charge.seq(), |kept| kept.id).expect("checked when it was born");
        ensure(
            Check::Ids,
            self.charges[at].intent == refund.payment_intent.seq(),
            || format!("{} names another intent than its charge", name()),
        )
    }

    /// An intent's state against the charge that stands.
    fn join_intent(&self, intent: &PaymentIntent) -> Checked {
        let name = || intent.id.text(&kinds::PAYMENT_INTENT);
        let at = find(&self.intents, intent.id.seq(), |kept| kept.id).expect("its step was taken");
        let standing = self.intents[at].standing;
        let charge = find(&self.charges, standing, |kept| kept.id).map(|at| &self.charges[at]);
        let state = charge.map(|charge| charge.state);
        let agrees = match (&intent.status, state) {
            (Status::Succeeded { received }, Some(ChargeState::Captured { amount, .. })) => *received == amount,
            (Status::Succeeded { .. }, _) => false,
            (Status::RequiresCapture { .. }, state) => state == Some(ChargeState::Held),
            (Status::Canceled { .. }, state) => {
                matches!(state, None | Some(ChargeState::Released | ChargeState::Expired))
            }
            (Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::Processing { .. }, state) => {
                state.is_none()
            }
        };
        ensure(Check::States, agrees, || {
            format!("{} is {:?}, its charge is {state:?}", name(), intent.status.name())
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_what_the_head_of_the_crate_says() {
        let sizes = [
            size_of::<KeptIntent>(),
            size_of::<KeptCharge>(),
            size_of::<KeptRefund>(),
            size_of::<(u8, Id)>(),
        ];
        assert_eq!(sizes, [80, 80, 64, 32]);
    }
}
