//! Records of bank accounts that customers have by the older API: saved, verified, and charged without an intent.

use super::debits::{BANK_MS, TRIES_MAX};
use super::model::AccountModel;
use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::customers::source::{CreateCustomerSource, NamedSource};
use tollgate_domain::payments::bank_account::{BankAccount, BankOutcome, Ownership};
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{Charge, ChargeState, CreateCharge};
use tollgate_domain::payments::payment_method::PaymentMethod;
use tollgate_domain::{Command, Object, kinds};
use tollgate_resource::Id;

impl AccountModel {
    /// A customer's bank account as it stood after record `at`.
    pub(super) fn bank_at(&self, id: Id, at: u64) -> Option<&BankAccount> {
        saved_bank(self.object_at(id, at)?)?.instrument.bank()
    }

    /// Whether a customer has the bank account already that a request wants to save, after record `at`.
    pub(super) fn has_bank(&self, customer: Id, asked: &CreateCustomerSource, at: u64) -> bool {
        let (Some(Object::Customer(customer)), Some(NamedSource::Token(TokenParam::MagicBank(token)))) =
            (self.object_at(customer, at), &asked.source)
        else {
            return false;
        };
        let sources = customer.more().sources.iter();
        sources
            .filter_map(|id| self.bank_at(*id, at))
            .any(|bank| bank.test_account == token.account)
    }

    /// Whether a bank was asked for a charge without an intent, and will answer.
    pub(super) fn is_asked_alone(&self, charge: &Charge) -> bool {
        let answers = |bank: &BankAccount| bank.facts().outcome != BankOutcome::Unheard;
        charge.state == ChargeState::Debiting
            && charge.payment_intent.is_none()
            && charge.instrument.bank().is_some_and(answers)
    }
}

impl Case<'_> {
    /// What is expected of a record that saves or verifies a bank account.
    pub(super) fn source(&self) -> Result<Expected, Wrong> {
        let Some(after) = self.facts.objects.iter().find_map(saved_bank) else {
            // A refusal that a key remembers.
            return Ok(Expected::default());
        };
        let Some(bank) = after.instrument.bank() else {
            return wrong("sources", format!("{after:?} is no bank account"));
        };
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        match self.command {
            Some(Command::SaveSource(customer, asked)) => {
                let Some(NamedSource::Token(TokenParam::MagicBank(token))) = &asked.source else {
                    return wrong("requests", format!("{asked:?} is in no plan"));
                };
                let named = if token.is_verified {
                    Ownership::Verified
                } else {
                    Ownership::Unverified
                };
                let is_new = after.id.seq() > self.facts.seq_before && after.id.is_other(&kinds::CARD);
                if !is_new
                    || after.customer != Some(*customer)
                    || (bank.test_account, bank.ownership) != (token.account, named)
                {
                    return wrong("sources", format!("{asked:?} saved {after:?}"));
                }
                self.kept_by(&mut expected, *customer, after.id)?;
            }
            Some(Command::VerifySource(_, id, asked)) if *id == after.id => {
                let Some(before) = self.model.bank_at(*id, u64::MAX) else {
                    return wrong("sources", format!("{after:?} was never saved"));
                };
                let tries = |bank: &BankAccount| bank.older.as_ref().map_or(0, |older| older.tries);
                let mut amounts = asked.amounts.clone();
                amounts.sort_unstable();
                let right = amounts == [32, 45] && before.facts().takes_deposits;
                let (ownership, told) = match right {
                    true => (Ownership::Verified, tries(before)),
                    false if tries(before) + 1 >= TRIES_MAX => (Ownership::Failed, TRIES_MAX),
                    false => (Ownership::Unverified, tries(before) + 1),
                };
                let open = before.ownership == Ownership::Unverified;
                if !open || (bank.ownership, tries(bank)) != (ownership, told) {
                    return wrong("sources", format!("{amounts:?} made {bank:?} of {before:?}"));
                }
                if ownership != Ownership::Unverified {
                    expected.events.push("customer.source.updated");
                }
            }
            other => return wrong("nothing unexplained", format!("a bank account by {other:?}")),
        }
        Ok(expected)
    }

    /// The customer has the new bank account, and pays with it if there was nothing else.
    fn kept_by(&self, expected: &mut Expected, customer: Id, bank: Id) -> Result<(), Wrong> {
        let now = self.facts.objects.iter().find_map(|object| match object {
            Object::Customer(known) if known.id == customer => Some(known),
            _ => None,
        });
        let (Some(now), Some(Object::Customer(before))) = (now, self.model.object_at(customer, u64::MAX)) else {
            return wrong("sources", format!("{bank:?} was saved to nobody"));
        };
        let kept = [&[bank][..], &before.more().sources].concat();
        let default = before.more().default_source.or(Some(bank));
        if now.more().sources != kept || now.more().default_source != default {
            return wrong("sources", format!("{before:?} became {now:?}"));
        }
        expected.objects.push(customer.seq());
        expected.events.push("customer.source.created");
        if before.more().default_source.is_none() {
            expected.events.push("customer.updated");
        }
        Ok(())
    }

    /// A verified bank account is asked without an intent.
    pub(super) fn bank_charged(
        &self,
        expected: &mut Expected,
        after: &Charge,
        asked: &CreateCharge,
        source: Id,
    ) -> Result<(), Wrong> {
        let verified = |bank: &BankAccount| bank.ownership == Ownership::Verified;
        let fits = self.model.bank_at(source, u64::MAX).is_some_and(verified)
            && after.id.is_other(&kinds::CHARGE)
            && (after.amount, Some(after.currency)) == (asked.amount, asked.currency)
            && (after.payment_method, after.customer) == (source, asked.customer.map(|customer| customer.0))
            && after.state == ChargeState::Debiting;
        if !fits {
            return wrong("debits", format!("{asked:?} made {after:?}"));
        }
        expected.events.push("charge.pending");
        Ok(())
    }

    /// The bank has answered.
    pub(super) fn bank_answered(&self, expected: &mut Expected, before: &Charge, after: &Charge) -> Result<(), Wrong> {
        let early = self.facts.now_ms < before.id.unix_ms() + BANK_MS;
        let outcome = before.instrument.bank().map(|bank| bank.facts().outcome);
        match (outcome, after.state) {
            (Some(BankOutcome::Fails(decline)), ChargeState::Failed { decline: number })
                if self.command.is_none() && !early && decline.number == number =>
            {
                expected.events.push("charge.failed");
                Ok(())
            }
            (Some(BankOutcome::Pays), ChargeState::Captured { amount, .. })
                if self.command.is_none() && !early && amount == before.amount =>
            {
                expected.events.push("charge.succeeded");
                self.capture(expected, after)
            }
            _ => wrong("debits", format!("{before:?} to {after:?} by {:?}", self.command)),
        }
    }
}

/// A payment method that stands among the cards of a customer.
fn saved_bank(object: &Object) -> Option<&PaymentMethod> {
    match object {
        Object::Card(method) => Some(method),
        _ => None,
    }
}
