//! The way of a dispute.

use super::changes::{Changes, Movement};
use super::kept::KeptDispute;
use super::{Objects, find, put};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::books::EntryCause;
use tollgate_domain::kinds;
use tollgate_domain::payments::dispute::{Dispute, DisputeState};

impl Objects {
    /// Checks a dispute's step against its version before, and takes it.
    pub(super) fn step_dispute(&mut self, dispute: &Dispute, born: bool, changes: &mut Changes) -> Checked {
        let name = || dispute.id.text(&kinds::DISPUTE);
        let at = find(&self.disputes, dispute.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.disputes[at]) };
        let status = dispute.state.status();
        ensure(
            Check::States,
            status.may_follow(before.map(|before| before.status)),
            || {
                format!(
                    "{} goes from {:?} to {status:?}",
                    name(),
                    before.map(|before| before.status)
                )
            },
        )?;
        ensure(Check::Limits, dispute.amount > 0, || {
            format!("{} is about {}", name(), dispute.amount)
        })?;
        let moved = before.map_or(0, |before| usize::from(before.moved));
        if let Some(before) = before {
            let same = (dispute.currency, dispute.charge.seq(), dispute.network)
                == (before.currency, before.charge, before.network);
            ensure(Check::States, same, || {
                format!("{} changes its currency, charge or network", name())
            })?;
            // An inquiry that becomes a chargeback leaves out what was refunded meanwhile.
            let amount = dispute.amount == before.amount || (moved == 0 && dispute.amount < before.amount);
            ensure(Check::States, amount, || format!("{} changes its amount", name()))?;
        }
        let wanted = match dispute.state {
            state if state.is_inquiry() => 0,
            DisputeState::Won => 2,
            _ => 1,
        };
        ensure(Check::Movement, dispute.movements.len() == wanted, || {
            format!(
                "{} has moved money {} times, not {wanted}",
                name(),
                dispute.movements.len()
            )
        })?;
        for (at, transaction) in dispute.movements.iter().enumerate().skip(moved) {
            let mut movement = Movement {
                cause: EntryCause::DisputeOpened,
                source: dispute.id,
                source_kind: &kinds::DISPUTE,
                balance_transaction: Some(transaction.id),
                amount: dispute.amount,
                currency: dispute.currency,
                network: dispute.network,
                day: Some(transaction.available_day()),
            };
            if at == 0 {
                changes.movements.push(movement);
                movement.cause = EntryCause::DisputeDebited;
                movement.balance_transaction = None;
                movement.day = None;
            } else {
                movement.cause = EntryCause::DisputeWon;
            }
            changes.movements.push(movement);
        }
        let after = KeptDispute {
            id: dispute.id,
            charge: dispute.charge.seq(),
            payment: dispute.payment_intent.unwrap_or(dispute.charge).seq(),
            amount: dispute.amount,
            currency: dispute.currency,
            network: dispute.network,
            status,
            moved: wanted as u8,
        };
        put(&mut self.disputes, at, after);
        Ok(())
    }

    /// A dispute against its charge: nothing is taken that was refunded or disputed already.
    pub(super) fn join_dispute(&self, dispute: &Dispute) -> Checked {
        let name = || dispute.id.text(&kinds::DISPUTE);
        let payment = dispute.payment_intent.unwrap_or(dispute.charge).seq();
        let charge = find(&self.charges, dispute.charge.seq(), |kept| kept.id)
            .map(|at| &self.charges[at])
            .filter(|charge| charge.id == dispute.charge && charge.payment == payment)
            .ok_or_else(|| Finding {
                check: Check::Ids,
                what: format!("{} is of a charge that does not exist, or of another payment", name()),
            })?;
        ensure(
            Check::Limits,
            (charge.currency, charge.network) == (dispute.currency, dispute.network),
            || format!("{} goes another way than its charge: currency or network", name()),
        )?;
        let taken = self.taken_from(dispute);
        let captured = charge.captured();
        ensure(Check::Limits, taken + charge.refunded <= captured, || {
            format!(
                "{}: disputes of {taken} and refunds of {} are more than the {captured} captured",
                name(),
                charge.refunded
            )
        })
    }

    /// What the disputes of a dispute's charge have taken and not given back. They are born together, so they stand side
    /// by side.
    fn taken_from(&self, dispute: &Dispute) -> i64 {
        let charge = dispute.charge.seq();
        let at = find(&self.disputes, dispute.id.seq(), |kept| kept.id).expect("its step was taken");
        let before = (0..at).rev().map(|at| self.disputes[at]);
        let after = (at..self.disputes.len()).map(|at| self.disputes[at]);
        let of_charge = |kept: &KeptDispute| kept.charge == charge;
        let siblings = before.take_while(of_charge).chain(after.take_while(of_charge));
        siblings.filter(|kept| kept.moved == 1).map(|kept| kept.amount).sum()
    }
}
