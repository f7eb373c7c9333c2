//! What balances and balance transactions show, by date.

use super::balance_transaction::{
    BalanceTransaction, BalanceTransactionShown, BalanceTransactionStatus, BalanceTransactionType, available_on,
    refund_description,
};
use super::*;
use crate::account::{Profile, ProfileTerms};
use crate::books::{CaptureMoney, Entry};
use crate::country::Country;
use crate::inputs::Network;
use crate::kinds;
use crate::money::{Currency, Money};
use crate::secrets::Secrets;
use crate::time::{DAY_MS, available_day, day_start_s, seconds_of};
use std::sync::Arc;
use tollgate_resource::{Id, Record, Version};

/// 2026-11-16T12:00:00Z, a Monday.
const NOW_MS: u64 = 1_794_830_400_000;

fn account(default_currency: Currency) -> Account {
    let terms = ProfileTerms {
        country: Country::US,
        default_currency,
        created_ms: NOW_MS,
        api_version: Version::NEWEST,
        statement_descriptor: None,
    };
    Account::new(Arc::new(Profile::new(
        Id::new(&kinds::ACCOUNT, NOW_MS, 1, 5),
        false,
        &terms,
    )))
}

fn capture(account: &mut Account, amount: i64, fee: i64, currency: Currency) {
    let money = CaptureMoney {
        captured: Money::new(amount, currency),
        fee,
        available_day: available_day(NOW_MS),
    };
    let charge = Id::new(&kinds::CHARGE, NOW_MS, 1, 5);
    let transaction = Id::new(&kinds::BALANCE_TRANSACTION, NOW_MS, 2, 5);
    let entry = Entry::capture(charge, transaction, Network::Instant, money);
    account.books.apply(&entry, day_of(NOW_MS));
}

/// `usd 0/2397` per currency: available and pending.
fn written(account: &Account, now_ms: u64) -> Vec<String> {
    let balance = Balance::of(account, now_ms);
    let line = |it: &MerchantBalance| format!("{} {}/{}", it.currency, it.available, it.pending);
    balance.currencies.iter().map(line).collect()
}

#[test]
fn an_empty_balance_shows_the_default_currency() {
    assert_eq!(written(&account(Currency::EUR), NOW_MS), ["eur 0/0"]);
}

#[test]
fn the_default_currency_comes_first_then_the_others() {
    let mut account = account(Currency::EUR);
    capture(&mut account, 5_000, 175, Currency::JPY);
    capture(&mut account, 2_500, 103, Currency::USD);
    assert_eq!(written(&account, NOW_MS), ["eur 0/0", "usd 0/2397", "jpy 0/4825"]);
    assert_eq!(
        written(&account, NOW_MS + 2 * DAY_MS),
        ["eur 0/0", "usd 2397/0", "jpy 4825/0"]
    );
}

#[test]
fn a_balance_turns_available_at_midnight_utc() {
    let mut account = account(Currency::USD);
    capture(&mut account, 2_500, 103, Currency::USD);
    let midnight_ms = day_start_s(available_day(NOW_MS)) as u64 * 1000;
    assert_eq!(written(&account, midnight_ms - 1), ["usd 0/2397"]);
    assert_eq!(written(&account, midnight_ms), ["usd 2397/0"]);
}

fn transaction(kind: BalanceTransactionType, amount: i64, fee: i64) -> BalanceTransaction {
    BalanceTransaction {
        id: Id::new(&kinds::BALANCE_TRANSACTION, NOW_MS, 2, 5),
        kind,
        source: Id::new(kind.source_kind(), NOW_MS, 1, 5),
        amount,
        fee,
        currency: Currency::USD,
        available_on: available_on(available_day(NOW_MS), NOW_MS),
        description: None,
    }
}

#[test]
fn a_transaction_is_pending_until_its_day() {
    let transaction = transaction(BalanceTransactionType::Charge, 2_500, 103);
    let secrets = Secrets::new([1; 32]);
    let status = |clock_ms| {
        let context = ShowContext {
            secrets: &secrets,
            clock_ms,
            livemode: false,
            account: crate::AccountKey::NOBODY,
            revision: crate::SHAPE_REVISION,
            version_name: "2026-10-28.endive",
            public_url: "",
        };
        BalanceTransactionShown::of(&transaction, &context).status
    };
    let midnight_ms = day_start_s(transaction.available_day()) as u64 * 1000;
    assert_eq!(status(NOW_MS), BalanceTransactionStatus::Pending);
    assert_eq!(status(midnight_ms - 1), BalanceTransactionStatus::Pending);
    assert_eq!(status(midnight_ms), BalanceTransactionStatus::Available);
}

#[test]
fn net_is_amount_less_fee_and_a_free_movement_lists_no_fee() {
    let secrets = Secrets::new([1; 32]);
    let context = ShowContext {
        secrets: &secrets,
        clock_ms: NOW_MS,
        livemode: false,
        account: crate::AccountKey::NOBODY,
        revision: crate::SHAPE_REVISION,
        version_name: "2026-10-28.endive",
        public_url: "",
    };
    let fees = |transaction: &BalanceTransaction| {
        let shown = BalanceTransactionShown::of(transaction, &context);
        (
            shown.net,
            shown.fee_details.iter().map(|detail| detail.amount).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        fees(&transaction(BalanceTransactionType::Charge, 2_500, 103)),
        (2_397, vec![103])
    );
    assert_eq!(
        fees(&transaction(BalanceTransactionType::Refund, -2_500, 0)),
        (-2_500, vec![])
    );
}

#[test]
fn money_of_today_is_available_from_this_second() {
    let today = day_of(NOW_MS);
    assert_eq!(available_on(today, NOW_MS), seconds_of(NOW_MS));
    assert_eq!(available_on(today - 3, NOW_MS), seconds_of(NOW_MS));
    assert_eq!(available_on(today + 1, NOW_MS), day_start_s(today + 1));
}

#[test]
fn refunds_quote_the_charges_description() {
    assert_eq!(&*refund_description(None), "REFUND FOR CHARGE");
    assert_eq!(&*refund_description(Some("two books")), "REFUND FOR CHARGE (two books)");
}

#[test]
fn a_transaction_reads_back_from_a_record() {
    let transaction = transaction(BalanceTransactionType::RefundFailure, 2_500, 0);
    assert_eq!(BalanceTransaction::from_bytes(&transaction.to_bytes()), Ok(transaction));
}
