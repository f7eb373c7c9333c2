//! The way of a refund.

use super::changes::{Changes, Movement};
use super::kept::KeptRefund;
use super::{Objects, find, put};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::books::EntryCause;
use tollgate_domain::kinds;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::refund::{Refund, RefundState};

impl Objects {
    /// Checks a refund's step against its version before, and takes it.
    pub(super) fn step_refund(&mut self, refund: &Refund, born: bool, changes: &mut Changes) -> Checked {
        let name = || refund.id.text(&kinds::REFUND);
        let at = find(&self.refunds, refund.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.refunds[at]) };
        ensure(Check::Limits, refund.amount > 0, || {
            format!("{} gives back {}", name(), refund.amount)
        })?;
        let stage = refund.state.stage();
        let movement = Movement {
            cause: EntryCause::Refund,
            source: refund.id,
            source_kind: &kinds::REFUND,
            balance_transaction: refund.balance_transaction,
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
                transaction_of(refund),
            ) == (
                before.amount,
                before.currency,
                before.charge,
                before.balance_transaction,
            );
            ensure(Check::States, same, || {
                format!("{} changes its amount, charge or transaction", name())
            })?;
        } else if refund.balance_transaction.is_some() {
            changes.movements.push(movement);
        }
        ensure(
            Check::States,
            stage.may_follow(before.map(|before| before.stage)),
            || {
                let from = before.map_or("nothing".into(), |before| format!("{:?}", before.stage));
                format!("{} goes from {from} to {stage:?}", name())
            },
        )?;
        let moved = before.is_none_or(|before| before.stage != stage) && refund.balance_transaction.is_some();
        match refund.state {
            RefundState::Confirmed if moved => changes.movements.push(Movement {
                cause: EntryCause::RefundConfirmed,
                balance_transaction: None,
                ..movement
            }),
            RefundState::Failed {
                balance_transaction, ..
            } if moved => changes.movements.push(Movement {
                cause: EntryCause::RefundFailed,
                balance_transaction: Some(balance_transaction),
                ..movement
            }),
            _ => {}
        }
        let after = KeptRefund {
            id: refund.id,
            charge: refund.charge.seq(),
            payment: refund.payment_intent.unwrap_or(refund.charge).seq(),
            amount: refund.amount,
            currency: refund.currency,
            balance_transaction: transaction_of(refund),
            stage,
        };
        put(&mut self.refunds, at, after);
        if before.is_none() {
            self.take_from_charge(refund)?;
        }
        if refund.has_failed() && before.is_some_and(|before| before.stage != stage) {
            self.give_back_to_charge(refund)?;
        }
        Ok(())
    }

    /// A refund came back: its charge can give that much back once more.
    fn give_back_to_charge(&mut self, refund: &Refund) -> Checked {
        let at = find(&self.charges, refund.charge.seq(), |kept| kept.id).expect("it had a charge when it was born");
        let left = self.charges[at]
            .refunded
            .checked_sub(refund.amount)
            .filter(|left| *left >= 0);
        ensure(Check::Limits, left.is_some(), || {
            format!(
                "{} comes back, but that much was not given back",
                refund.id.text(&kinds::REFUND)
            )
        })?;
        self.charges[at].refunded = left.unwrap_or_default();
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
        let refunded = charge.refunded.saturating_add(refund.given_back());
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

    /// A refund against its charge.
    pub(super) fn join_refund(&self, refund: &Refund) -> Checked {
        let name = || refund.id.text(&kinds::REFUND);
        let charge = find(&self.charges, refund.charge.seq(), |kept| kept.id).map(|at| &self.charges[at]);
        ensure(
            Check::Ids,
            charge.is_some_and(|charge| charge.payment == refund.payment_intent.unwrap_or(refund.charge).seq()),
            || format!("{} names another intent than its charge", name()),
        )?;
        let released = charge.is_some_and(|charge| {
            matches!(charge.state, ChargeState::Released | ChargeState::Expired) && charge.amount == refund.amount
        });
        ensure(Check::Limits, released != refund.balance_transaction.is_some(), || {
            format!("{} moves no money, but does not release the whole of a hold", name())
        })
    }
}

/// The sequence of a refund's balance transaction; 0 for none.
fn transaction_of(refund: &Refund) -> u64 {
    refund.balance_transaction.map_or(0, |id| id.seq())
}
