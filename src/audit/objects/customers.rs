//! The way of a customer: the balance is the sum of its transactions, and a deleted customer never changes again.

use super::kept::{KeptCustomer, KeptTaxId};
use super::{Objects, find, put};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::customers::customer::Customer;
use tollgate_domain::customers::customer_balance_transaction::CustomerBalanceTransaction;
use tollgate_domain::customers::tax_id::TaxId;
use tollgate_domain::kinds;

impl Objects {
    /// Checks a customer's step against its version before, and takes it.
    pub(super) fn step_customer(&mut self, customer: &Customer, born: bool) -> Checked {
        let name = || customer.id.text(&kinds::CUSTOMER);
        let at = find(&self.customers, customer.id.seq(), |kept| kept.id);
        let before = if born { None } else { at.map(|at| self.customers[at]) };
        ensure(Check::States, before.is_none_or(|before| !before.deleted), || {
            format!("{} changes after it was deleted", name())
        })?;
        let after = KeptCustomer {
            id: customer.id,
            // Movements of the same record are added when they come; `join_customer` compares.
            moved: before.map_or(0, |before| before.moved),
            deleted: customer.deleted,
        };
        put(&mut self.customers, at.filter(|_| !born), after);
        Ok(())
    }

    /// A movement of a customer's balance: it never changes, and ends where the one before it ended and it moved to.
    pub(super) fn step_customer_movement(&mut self, moved: &CustomerBalanceTransaction, born: bool) -> Checked {
        let name = || moved.id.text(&kinds::CUSTOMER_BALANCE_TRANSACTION);
        let at = find(&self.customers, moved.customer.seq(), |kept| kept.id).ok_or_else(|| Finding {
            check: Check::Ids,
            what: format!("{} is of a customer that does not exist", name()),
        })?;
        if !born {
            return Ok(());
        }
        self.movements.push((moved.id, moved.customer.seq()));
        let customer = &mut self.customers[at];
        customer.moved = customer.moved.saturating_add(moved.amount);
        let ends = customer.moved;
        ensure(Check::Limits, moved.ending_balance == ends, || {
            format!("{} ends at {}, its customer at {ends}", name(), moved.ending_balance)
        })
    }

    /// A customer against the movements of its balance.
    pub(super) fn join_customer(&self, customer: &Customer) -> Checked {
        let kept = find(&self.customers, customer.id.seq(), |kept| kept.id).map(|at| self.customers[at]);
        let moved = kept.map_or(0, |kept| kept.moved);
        let balance = customer.more().balance;
        ensure(Check::Limits, balance == moved, || {
            let name = customer.id.text(&kinds::CUSTOMER);
            format!("{name} has a balance of {balance}, its transactions sum to {moved}")
        })
    }

    /// Checks a tax id's step against its version before, and takes it.
    pub(super) fn step_tax_id(&mut self, tax_id: &TaxId, born: bool) -> Checked {
        let name = || tax_id.id.text(&kinds::TAX_ID);
        let at = find(&self.tax_ids, tax_id.id.seq(), |kept| kept.id);
        if let (Some(at), false) = (at, born) {
            let before = self.tax_ids[at];
            let follows = !before.deleted && before.verification.may_become(tax_id.verification);
            ensure(Check::States, follows, || format!("{} changes after its end", name()))?;
        }
        let line = KeptTaxId {
            id: tax_id.id,
            owner: tax_id.customer.unwrap_or(tax_id.id).seq(),
            verification: tax_id.verification,
            deleted: tax_id.deleted,
        };
        put(&mut self.tax_ids, at.filter(|_| !born), line);
        Ok(())
    }
}
