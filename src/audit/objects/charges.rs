//! The way of a charge.

use super::changes::{Changes, Movement};
use super::kept::KeptCharge;
use super::{Objects, find, put};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::books::EntryCause;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::{Facts, kinds};

impl Objects {
    /// Checks a charge's step against its version before, and takes it.
    pub(super) fn step_charge(&mut self, charge: &Charge, born: bool, now_ms: u64, changes: &mut Changes) -> Checked {
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
            // A hold may be raised; nothing else about the amount of a charge changes.
            let raised = charge.state == ChargeState::Held && charge.amount > before.amount;
            let same = (charge.currency, of_payment(charge), charge.network)
                == (before.currency, before.payment, before.network);
            ensure(
                Check::States,
                same && (raised || charge.amount == before.amount),
                || format!("{} changes its amount, currency, intent or network", name()),
            )?;
        } else {
            ensure(Check::Limits, charge.refunded == 0 && charge.refund_count == 0, || {
                format!("{} is born with refunds", name())
            })?;
        }
        if let ChargeState::Captured {
            amount,
            balance_transaction,
            available_day,
        }
        | ChargeState::PartlyCaptured {
            amount,
            balance_transaction,
            available_day,
        } = charge.state
        {
            // Of a hold that is captured in parts, this part; nothing where only the rest was released.
            let part = amount - before.as_ref().map_or(0, KeptCharge::captured);
            ensure(Check::Limits, 0 < amount && amount <= charge.amount, || {
                format!("{} captures {amount} of {} authorised", name(), charge.amount)
            })?;
            if part != 0 {
                changes.movements.push(Movement {
                    cause: EntryCause::Capture,
                    source: charge.id,
                    source_kind: &kinds::CHARGE,
                    balance_transaction: Some(balance_transaction),
                    amount: part,
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
            payment: of_payment(charge),
            amount: charge.amount,
            currency: charge.currency,
            network: charge.network,
            state: charge.state,
            // Grows with the refunds that are born in this record, and must then be what the charge says.
            refunded: before.map_or(0, |before| before.refunded),
            refund_count: before.map_or(0, |before| before.refund_count),
        };
        put(&mut self.charges, at, after);
        let open = charge.open_attempt();
        let agrees = match charge.state {
            ChargeState::Pending { .. } => open.is_some(),
            ChargeState::Held | ChargeState::Released | ChargeState::Expired => true,
            ChargeState::Debiting
            | ChargeState::Failed { .. }
            | ChargeState::Captured { .. }
            | ChargeState::PartlyCaptured { .. } => open.is_none(),
        };
        ensure(Check::Attempts, agrees, || {
            format!("{} is {:?}, its attempt is {open:?}", name(), charge.state)
        })?;
        let Some(remote) = charge.remote.as_deref() else {
            return Ok(());
        };
        if charge.payment_intent.is_some() {
            return ensure(Check::Attempts, false, || {
                format!("{} has attempts, which are its intent's", name())
            });
        }
        let known = self.charge_attempts.insert(charge.id.seq(), remote.made);
        let tries = (known.unwrap_or(0), remote.made);
        ensure(Check::Attempts, tries.0 <= tries.1, || {
            format!("{} had {} attempts and now has {}", name(), tries.0, tries.1)
        })?;
        let money = (open, charge.currency);
        self.step_attempt((charge.id, &kinds::CHARGE), tries, money, now_ms, changes)
    }

    /// A charge against its intent and its refunds.
    pub(super) fn join_charge(&mut self, charge: &Charge, facts: &Facts, changes: &Changes) -> Checked {
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
        let Some(payment_intent) = charge.payment_intent else {
            return Ok(());
        };
        let Some(at) = find(&self.intents, payment_intent.seq(), |kept| kept.id)
            .filter(|at| self.intents[*at].id == payment_intent)
        else {
            let what = format!("{} is of a payment intent that does not exist", name());
            return Err(Finding {
                check: Check::Ids,
                what,
            });
        };
        let intent = &mut self.intents[at];
        let stands = !matches!(charge.state, ChargeState::Failed { .. });
        // After a failed charge the intent may have been changed.
        let born_failed = !stands && charge.id.seq() > facts.seq_before;
        ensure(
            Check::States,
            !(stands || born_failed) || (charge.amount, charge.currency) == (intent.amount, intent.currency),
            || format!("{} is of another amount or currency than its intent", name()),
        )?;
        if !stands && intent.standing == charge.id.seq() {
            // A bank has refused the debit that was pending, or it was given up.
            intent.standing = 0;
        }
        if stands && charge.id.seq() > facts.seq_before {
            ensure(Check::Movement, intent.standing == 0, || {
                let intent = intent.id.text(&kinds::PAYMENT_INTENT);
                format!("{} is a second charge that stands, of {intent}", name())
            })?;
            intent.standing = charge.id.seq();
        }
        // A charge moves only together with its intent; refunds alone move a charge by itself.
        let moved = changes.movements.iter().any(|movement| movement.source == charge.id);
        let with_intent = changes.intents.iter().any(|change| change.after.id == payment_intent);
        ensure(Check::States, !moved || with_intent, || {
            format!("{} moves without its intent", name())
        })
    }
}

/// The sequence of what a charge belongs to: its intent, or itself.
fn of_payment(charge: &Charge) -> u64 {
    charge.payment_intent.unwrap_or(charge.id).seq()
}
