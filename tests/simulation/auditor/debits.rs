//! Records of bank debits: the deposits that come before, the mandate, the bank's word and what it moves. Written down a
//! second time, from what test accounts are documented to do.

use super::model::AccountModel;
use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::payments::authentication::Action;
use tollgate_domain::payments::bank_account::{BankOutcome, BankScheme, Ownership, TestAccount, VerificationMethod};
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::mandate::{Mandate, MandateScope, MandateStatus};
use tollgate_domain::payments::payment_intent::{PaymentIntent, PaymentOptionsParams, Status};
use tollgate_domain::payments::payment_method::declines;
use tollgate_domain::{Command, Object};

/// How long a test bank takes to answer, and to send deposits that fail, milliseconds.
pub(super) const BANK_MS: u64 = 3_000;
/// How long a test bank takes that answers late, milliseconds.
const LATE_BANK_MS: u64 = 180_000;
/// How often deposits may be told wrong.
pub(super) const TRIES_MAX: u32 = 10;

/// What was told of deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToldDeposits {
    Right,
    Wrong,
    Never,
}

impl AccountModel {
    /// Whether time alone will change an intent that waits for its bank.
    pub(super) fn waits_for_bank(&self, intent: &PaymentIntent) -> bool {
        match &intent.status {
            Status::Debiting { ends_ms } => ends_ms.is_some(),
            Status::RequiresAction { action } if action.deposits.is_some() => {
                self.account_of(intent).is_some_and(|account| !account.takes_deposits)
            }
            _ => false,
        }
    }

    /// The test account that an intent is being paid from.
    fn account_of(&self, intent: &PaymentIntent) -> Option<&'static TestAccount> {
        match self.object_at(intent.payment_method?, u64::MAX)? {
            Object::PaymentMethod(method) => method.instrument.bank().map(|bank| bank.facts()),
            _ => None,
        }
    }
}

impl Case<'_> {
    /// A confirmation with a bank account.
    pub(super) fn debited_or_parked(
        &self,
        expected: &mut Expected,
        after: &PaymentIntent,
        account: &'static TestAccount,
        deposits: bool,
    ) -> Result<(), Wrong> {
        let verifies = matches!(account.scheme, BankScheme::UsBankAccount | BankScheme::AcssDebit);
        if !(deposits && verifies) {
            return self.debited(expected, after, account);
        }
        let untried = after.charge_count == self.charges_before(after) && after.payment_method.is_some();
        let waits = match &after.status {
            Status::RequiresAction { action } => action.deposits.is_some_and(|deposits| deposits.tries == 0),
            _ => false,
        };
        let unused = self
            .method()
            .is_some_and(|method| !method.used_up && method.customer.is_none());
        if !untried || !waits || !unused {
            return wrong("debits", format!("deposits were asked for, but {after:?}"));
        }
        expected.events.push("payment_intent.requires_action");
        Ok(())
    }

    /// What is told of the deposits that an intent waits for; `None` when something else happened to it.
    pub(super) fn told_deposits(&self, action: &Action) -> Option<ToldDeposits> {
        let deposits = action.deposits?;
        match self.command {
            Some(Command::VerifyPaymentMicrodeposits(_, asked)) => {
                let mut amounts = asked.amounts.clone();
                amounts.sort_unstable();
                Some(match amounts[..] {
                    [32, 45] => ToldDeposits::Right,
                    [10, 11] | [40, 41] => ToldDeposits::Never,
                    _ if deposits.tries + 1 >= TRIES_MAX => ToldDeposits::Never,
                    _ => ToldDeposits::Wrong,
                })
            }
            None => Some(ToldDeposits::Never),
            _ => None,
        }
    }

    /// The deposits that an intent waits for were told, or did not arrive.
    pub(super) fn deposits_told(
        &self,
        expected: &mut Expected,
        before: &PaymentIntent,
        after: &PaymentIntent,
        told: ToldDeposits,
    ) -> Result<(), Wrong> {
        let Some(account) = self.model.account_of(before) else {
            return wrong("debits", format!("{before:?} waits for deposits on nothing"));
        };
        if self.command.is_none() {
            let sent_ms = self.model.since_ms(before);
            if account.takes_deposits || self.facts.now_ms < sent_ms + BANK_MS {
                return wrong(
                    "debits",
                    format!("deposits of {sent_ms} on {account:?} failed by themselves"),
                );
            }
        }
        let untried = after.charge_count == before.charge_count;
        match (told, before.action(), after.action()) {
            (ToldDeposits::Right, ..) => self.debited(expected, after, account),
            (ToldDeposits::Wrong, Some(was), Some(is))
                if untried
                    && was.nonce == is.nonce
                    && was.deposits.map(|deposits| deposits.tries + 1)
                        == is.deposits.map(|deposits| deposits.tries) =>
            {
                Ok(())
            }
            (ToldDeposits::Never, _, None)
                if untried
                    && matches!(after.status, Status::RequiresPaymentMethod)
                    && after.payment_method.is_none()
                    && self.ownership() == Some(Ownership::Failed) =>
            {
                expected.events.push("payment_intent.payment_failed");
                Ok(())
            }
            (told, ..) => wrong("debits", format!("{told:?} led {before:?} to {after:?}")),
        }
    }

    /// The bank was asked; no money has moved yet.
    fn debited(
        &self,
        expected: &mut Expected,
        after: &PaymentIntent,
        account: &'static TestAccount,
    ) -> Result<(), Wrong> {
        if account.outcome == BankOutcome::Blocked {
            return self.failed(expected, after, Some(declines::FRAUDULENT.number));
        }
        let wait_ms = if account.late { LATE_BANK_MS } else { BANK_MS };
        let ends_ms = (account.outcome != BankOutcome::Unheard).then_some(self.facts.now_ms + wait_ms);
        let charge = after.latest_charge().and_then(|id| self.object_charge(id));
        let (Some(charge), Some(method)) = (charge, self.method()) else {
            return wrong("debits", format!("{after:?} without its charge or its account"));
        };
        let fits = after.status == Status::Debiting { ends_ms }
            && charge.id.seq() > self.facts.seq_before
            && (charge.state, charge.amount, charge.payment_method) == (ChargeState::Debiting, after.amount, method.id)
            && method.used_up == method.customer.is_none()
            && self.ownership() == Some(Ownership::Verified);
        if !fits {
            return wrong("debits", format!("{account:?} made {after:?}, {charge:?}, {method:?}"));
        }
        let scope = match after.setup_future_usage {
            Some(_) => MandateScope::MultiUse,
            None => MandateScope::SingleUse { money: after.money() },
        };
        match self.mandate() {
            Some(mandate)
                if (mandate.payment_method, mandate.scope) == (method.id, scope)
                    && mandate.status() == MandateStatus::Active =>
            {
                expected.objects.push(mandate.id.seq());
            }
            other => return wrong("mandates", format!("{after:?} is debited under {other:?}")),
        }
        expected.objects.push(charge.id.seq());
        if self.saves_method() {
            expected.events.push("payment_method.attached");
        }
        expected.events.extend(["charge.pending", "payment_intent.processing"]);
        Ok(())
    }

    /// A payment that a bank was asked for: answered, or given up.
    pub(super) fn debiting(
        &self,
        expected: &mut Expected,
        before: &PaymentIntent,
        after: &PaymentIntent,
        ends_ms: Option<u64>,
    ) -> Result<(), Wrong> {
        let charge = before.latest_charge().and_then(|id| self.object_charge(id));
        let (Some(charge), Some(account)) = (charge, self.model.account_of(before)) else {
            return wrong("debits", format!("{before:?} goes on without its charge"));
        };
        expected.objects.push(charge.id.seq());
        if self.command.is_some() {
            self.by_cancel(after)?;
            expected.events.extend(["payment_intent.canceled", "charge.failed"]);
            let given_up = matches!(after.status, Status::Canceled { release: None, .. });
            let withdrawn = ChargeState::Failed {
                decline: declines::DEBIT_WITHDRAWN.number,
            };
            return match given_up && charge.state == withdrawn {
                true => Ok(()),
                false => wrong("debits", format!("given up, but {after:?} and {charge:?}")),
            };
        }
        if ends_ms.is_none_or(|ends_ms| self.facts.now_ms < ends_ms) {
            return wrong("debits", format!("the bank of {before:?} said nothing yet"));
        }
        match (account.outcome, &after.status, charge.state) {
            (BankOutcome::Fails(decline), Status::RequiresPaymentMethod, ChargeState::Failed { decline: number })
                if decline.number == number && after.payment_method.is_none() =>
            {
                expected
                    .events
                    .extend(["charge.failed", "payment_intent.payment_failed"]);
                if *decline == declines::DEBIT_NOT_AUTHORIZED {
                    self.revoked(expected)?;
                }
                Ok(())
            }
            (
                BankOutcome::Pays | BankOutcome::Disputed,
                Status::Succeeded { received },
                ChargeState::Captured { amount, .. },
            ) if (*received, amount) == (after.amount, after.amount) => {
                expected.events.push("charge.succeeded");
                self.capture(expected, charge)?;
                if account.outcome == BankOutcome::Disputed {
                    self.revoked(expected)?;
                }
                expected.events.push("payment_intent.succeeded");
                Ok(())
            }
            (outcome, status, state) => wrong("debits", format!("{outcome:?} led to {status:?} and {state:?}")),
        }
    }

    /// Who did not agree to a debit has taken back the permission for others.
    fn revoked(&self, expected: &mut Expected) -> Result<(), Wrong> {
        match self.mandate() {
            Some(mandate) if mandate.status() == MandateStatus::Inactive => {
                expected.objects.push(mandate.id.seq());
                expected.events.push("mandate.updated");
                Ok(())
            }
            other => wrong("mandates", format!("it was withdrawn, but {other:?}")),
        }
    }

    fn mandate(&self) -> Option<&Mandate> {
        self.facts.objects.iter().find_map(|object| match object {
            Object::Mandate(mandate) => Some(&**mandate),
            _ => None,
        })
    }

    /// Whether the holder of the record's bank account has shown that it is theirs.
    fn ownership(&self) -> Option<Ownership> {
        Some(self.method()?.instrument.bank()?.ownership)
    }
}

/// Whether a request wants deposits on a bank account.
pub(super) fn asks_for_deposits(options: Option<&PaymentOptionsParams>) -> bool {
    let us = options.and_then(|options| options.us_bank_account.as_ref()?.verification_method);
    let acss = options.and_then(|options| options.acss_debit.as_ref()?.verification_method);
    [us, acss].contains(&Some(VerificationMethod::Microdeposits))
}
