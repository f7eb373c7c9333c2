//! Movements of money: each step of an object that moves money has exactly one entry, each entry that moves the
//! merchant's balance exactly one balance transaction, and nothing else has either.

use crate::objects::{Changes, Movement};
use crate::report::{Check, Checked, Finding, ensure};
use tollgate_domain::balance::balance_transaction::{BalanceTransaction, BalanceTransactionType};
use tollgate_domain::books::{Entry, EntryCause, LedgerAccount};
use tollgate_domain::{Facts, Object, kinds};
use tollgate_resource::Id;

/// The balance transactions of a record.
pub(crate) fn transactions(facts: &Facts) -> impl Iterator<Item = &BalanceTransaction> {
    facts.objects.iter().filter_map(|object| match object {
        Object::BalanceTransaction(transaction) => Some(&**transaction),
        _ => None,
    })
}

/// Holds a record's entries and balance transactions against what those of its objects did that are `mine`; what is
/// of no object of the record is held against nothing, and found.
pub(crate) fn check(facts: &Facts, changes: &Changes, mine: &dyn Fn(&Object) -> bool) -> Checked {
    for movement in &changes.movements {
        let name = || movement.source.text(movement.source_kind);
        let mut entries = facts
            .entries
            .iter()
            .filter(|entry| (entry.cause, entry.source) == (movement.cause, movement.source));
        let (Some(entry), None) = (entries.next(), entries.next()) else {
            let count = facts
                .entries
                .iter()
                .filter(|entry| entry.source == movement.source)
                .count();
            let what = format!(
                "{:?} of {}: not exactly one entry ({count} of this source)",
                movement.cause,
                name()
            );
            return Err(Finding {
                check: Check::Movement,
                what,
            });
        };
        check_entry(entry, movement, facts)?;
    }
    let is_others = |source: Id| {
        let mut sources = facts.objects.iter().filter(|object| object.id() == source);
        sources.next().is_some_and(|object| !mine(object))
    };
    for entry in facts.entries.iter().filter(|entry| !is_others(entry.source)) {
        let explained = changes
            .movements
            .iter()
            .any(|movement| (entry.cause, entry.source) == (movement.cause, movement.source));
        ensure(Check::Movement, explained, || {
            format!(
                "an entry of {:?} moves money, but no object of the record does",
                entry.cause
            )
        })?;
    }
    for transaction in transactions(facts).filter(|transaction| !is_others(transaction.source)) {
        let name = || transaction.id.text(&kinds::BALANCE_TRANSACTION);
        ensure(Check::Movement, transaction.id.seq() > facts.seq_before, || {
            format!("{} changes, which no balance transaction does", name())
        })?;
        let entries = facts
            .entries
            .iter()
            .filter(|entry| entry.balance_transaction == Some(transaction.id))
            .count();
        ensure(Check::Movement, entries == 1, || {
            format!("{} belongs to {entries} entries", name())
        })?;
    }
    Ok(())
}

fn check_entry(entry: &Entry, movement: &Movement, facts: &Facts) -> Checked {
    let Movement {
        cause,
        amount,
        currency,
        network,
        ..
    } = *movement;
    let name = || movement.source.text(movement.source_kind);
    ensure(
        Check::Movement,
        entry.balance_transaction == movement.balance_transaction,
        || {
            format!(
                "{cause:?} of {}: entry and object name different balance transactions",
                name()
            )
        },
    )?;
    // What the entry puts on the account that faces the network or the cardholder must be the object's amount.
    let receivable = LedgerAccount::NetworkReceivable(network);
    let expected: &[(LedgerAccount, i64)] = match cause {
        EntryCause::Capture => &[(receivable, amount)],
        EntryCause::Refund => &[(LedgerAccount::RefundInTransit, -amount)],
        EntryCause::RefundConfirmed => &[(LedgerAccount::RefundInTransit, amount), (receivable, -amount)],
        EntryCause::RefundFailed => &[(receivable, amount)],
        EntryCause::DisputeOpened => &[(LedgerAccount::DisputeInTransit, -amount)],
        EntryCause::DisputeDebited => &[(LedgerAccount::DisputeInTransit, amount), (receivable, -amount)],
        EntryCause::DisputeWon => &[(receivable, amount)],
    };
    for (account, amount) in expected {
        let posted: i128 = entry
            .postings
            .iter()
            .filter(|posting| (posting.account, posting.currency) == (*account, currency))
            .map(|posting| i128::from(posting.amount))
            .sum();
        ensure(Check::Movement, posted == i128::from(*amount), || {
            format!(
                "{cause:?} of {}: {posted} posted to {account}, not {amount} {}",
                name(),
                currency.code()
            )
        })?;
    }
    let other_currency = entry.postings.iter().find(|posting| posting.currency != currency);
    ensure(Check::Movement, other_currency.is_none(), || {
        format!("{cause:?} of {}: a posting is not in {}", name(), currency.code())
    })?;
    if let Some(day) = movement.day {
        let days = entry
            .postings
            .iter()
            .filter(|posting| posting.account == LedgerAccount::MerchantBalance);
        ensure(Check::Movement, days.clone().all(|posting| posting.day == day), || {
            format!(
                "{cause:?} of {}: posted to another day than the object says, {day}",
                name()
            )
        })?;
    }
    let Some(id) = movement.balance_transaction else {
        return Ok(());
    };
    let Some(transaction) = transactions(facts).find(|transaction| transaction.id == id) else {
        let what = format!("{cause:?} of {}: its balance transaction is not in the record", name());
        return Err(Finding {
            check: Check::Movement,
            what,
        });
    };
    check_transaction(transaction, entry, movement)
}

fn check_transaction(transaction: &BalanceTransaction, entry: &Entry, movement: &Movement) -> Checked {
    let Movement {
        cause,
        amount,
        currency,
        ..
    } = *movement;
    let name = || transaction.id.text(&kinds::BALANCE_TRANSACTION);
    // What is not of a card says so in its id.
    let other = movement.source.is_other(movement.source_kind);
    let (kind, amount) = match cause {
        EntryCause::Capture if other => (BalanceTransactionType::Payment, amount),
        EntryCause::Capture => (BalanceTransactionType::Charge, amount),
        EntryCause::Refund if other => (BalanceTransactionType::PaymentRefund, -amount),
        EntryCause::Refund => (BalanceTransactionType::Refund, -amount),
        EntryCause::RefundFailed => (BalanceTransactionType::RefundFailure, amount),
        EntryCause::DisputeOpened => (BalanceTransactionType::Dispute, -amount),
        EntryCause::DisputeWon => (BalanceTransactionType::DisputeReversal, amount),
        EntryCause::RefundConfirmed | EntryCause::DisputeDebited => {
            let what = format!("{} belongs to a confirmation, which moves no balance", name());
            return Err(Finding {
                check: Check::Movement,
                what,
            });
        }
    };
    ensure(
        Check::Movement,
        (transaction.kind, transaction.source) == (kind, movement.source),
        || {
            format!(
                "{} is a {:?} of another object than its entry",
                name(),
                transaction.kind
            )
        },
    )?;
    ensure(
        Check::Movement,
        (transaction.amount, transaction.currency) == (amount, currency),
        || {
            format!(
                "{} says {} {}, moved are {amount}",
                name(),
                transaction.amount,
                transaction.currency.code()
            )
        },
    )?;
    let net = transaction.amount.checked_sub(transaction.fee).map(i128::from);
    let posted = entry.merchant_net(currency);
    ensure(Check::BalanceTransactions, net == Some(posted), || {
        format!(
            "{} nets {} less {}, posted are {posted}",
            name(),
            transaction.amount,
            transaction.fee
        )
    })
}
