//! Scenario tables of the books: what a flow posts, and what the merchant then has on each day.

use super::*;
use crate::inputs::Network;
use crate::kinds;
use crate::money::Money;
use tollgate_resource::{Id, Kind};

const TODAY: i32 = 20_773;
const PENDING_UNTIL: i32 = TODAY + 2;

fn id(kind: &'static Kind, seq: u64) -> Id {
    Id::new(kind, 1_794_830_400_000, seq, 7)
}

fn charge() -> Id {
    id(&kinds::CHARGE, 1)
}

fn refund() -> Id {
    id(&kinds::REFUND, 2)
}

fn transaction() -> Id {
    id(&kinds::BALANCE_TRANSACTION, 3)
}

fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::USD)
}

fn capture(amount: i64, fee: i64) -> Entry {
    let money = CaptureMoney {
        captured: usd(amount),
        fee,
        available_day: PENDING_UNTIL,
    };
    Entry::capture(charge(), transaction(), Network::Instant, money)
}

fn refunded(amount: i64, day: i32) -> Entry {
    Entry::refund(refund(), transaction(), usd(amount), day)
}

fn confirmed(amount: i64) -> Entry {
    Entry::refund_confirmed(refund(), Network::Instant, usd(amount))
}

fn failed(amount: i64, today: i32) -> Entry {
    Entry::refund_failed(refund(), transaction(), Network::Instant, usd(amount), today)
}

/// One line per posting, days as offsets from today: `Dr network_receivable{instant} 10000`.
fn written(entry: &Entry) -> Vec<String> {
    let line = |posting: &Posting| {
        let side = if posting.amount > 0 { "Dr" } else { "Cr" };
        let day = match posting.day {
            NO_DAY => String::new(),
            day => format!("[T+{}]", day - TODAY),
        };
        format!("{side} {}{day} {}", posting.account, posting.amount.abs())
    };
    entry.postings.iter().map(line).collect()
}

#[test]
fn postings_of_each_flow() {
    let check = |entry: Entry, expected: &[&str]| {
        assert!(entry.balanced());
        assert_eq!(entry.check(), Ok(()));
        assert_eq!(written(&entry), expected, "{:?}", entry.cause);
    };
    check(
        capture(10_000, 320),
        &[
            "Dr network_receivable{instant} 10000",
            "Cr merchant_balance[T+2] 10000",
            "Dr merchant_balance[T+2] 320",
            "Cr fee_revenue 320",
        ],
    );
    check(
        capture(10_000, 0),
        &["Dr network_receivable{instant} 10000", "Cr merchant_balance[T+2] 10000"],
    );
    check(
        refunded(4_000, refund_day(PENDING_UNTIL, TODAY)),
        &["Dr merchant_balance[T+2] 4000", "Cr refund_in_transit 4000"],
    );
    check(
        refunded(4_000, refund_day(PENDING_UNTIL, TODAY + 5)),
        &["Dr merchant_balance[T+5] 4000", "Cr refund_in_transit 4000"],
    );
    check(
        confirmed(4_000),
        &["Dr refund_in_transit 4000", "Cr network_receivable{instant} 4000"],
    );
    check(
        failed(4_000, TODAY),
        &["Dr network_receivable{instant} 4000", "Cr merchant_balance[T+0] 4000"],
    );
}

/// Applies entries, each on its day, and writes what the merchant has on some days: `T+0 available/pending`.
fn balances(entries: &[(i32, Entry)], days: &[i32]) -> Vec<String> {
    let mut books = Books::new();
    for (day, entry) in entries {
        books.apply(entry, TODAY + day);
        assert_eq!(books.imbalance(), None);
    }
    let line = |day: &i32| {
        let balance = books.merchant_balance(Currency::USD, TODAY + day);
        format!("T+{day} {}/{}", balance.available, balance.pending)
    };
    days.iter().map(line).collect()
}

#[test]
fn pending_money_becomes_available_by_date_alone() {
    let entries = [(0, capture(10_000, 320))];
    assert_eq!(
        balances(&entries, &[0, 1, 2, 400]),
        ["T+0 0/9680", "T+1 0/9680", "T+2 9680/0", "T+400 9680/0"]
    );
}

#[test]
fn a_refund_of_a_pending_charge_takes_pending_money() {
    let entries = [
        (0, capture(10_000, 320)),
        (1, refunded(4_000, refund_day(PENDING_UNTIL, TODAY + 1))),
    ];
    assert_eq!(balances(&entries, &[1, 2]), ["T+1 0/5680", "T+2 5680/0"]);
}

#[test]
fn a_refund_of_an_available_charge_takes_available_money_and_may_overdraw() {
    let entries = [
        (0, capture(10_000, 320)),
        (3, refunded(10_000, refund_day(PENDING_UNTIL, TODAY + 3))),
        (3, confirmed(10_000)),
    ];
    assert_eq!(balances(&entries, &[3, 9]), ["T+3 -320/0", "T+9 -320/0"]);
}

#[test]
fn a_refund_that_comes_back_is_available_at_once() {
    let entries = [
        (0, capture(10_000, 320)),
        (0, refunded(10_000, PENDING_UNTIL)),
        (0, confirmed(10_000)),
        (1, failed(10_000, TODAY + 1)),
    ];
    assert_eq!(balances(&entries, &[1, 2]), ["T+1 10000/-320", "T+2 9680/0"]);
}

#[test]
fn totals_of_a_charge_refunded_in_part() {
    let mut books = Books::new();
    books.apply(&capture(10_000, 320), TODAY);
    books.apply(&refunded(4_000, PENDING_UNTIL), TODAY);
    let totals = |books: &Books| -> Vec<String> {
        books
            .totals()
            .iter()
            .map(|(currency, account, total)| format!("{account} {total} {currency}"))
            .collect()
    };
    assert_eq!(
        totals(&books),
        [
            "merchant_balance -5680 usd",
            "refund_in_transit -4000 usd",
            "network_receivable{instant} 10000 usd",
            "fee_revenue -320 usd",
        ]
    );
    books.apply(&confirmed(4_000), TODAY);
    assert_eq!(
        totals(&books),
        [
            "merchant_balance -5680 usd",
            "network_receivable{instant} 6000 usd",
            "fee_revenue -320 usd"
        ],
        "nothing stays in transit"
    );
}

#[test]
fn currencies_do_not_mix() {
    let mut books = Books::new();
    let yen = CaptureMoney {
        captured: Money::new(5_000, Currency::JPY),
        fee: 175,
        available_day: PENDING_UNTIL,
    };
    books.apply(&capture(10_000, 320), TODAY);
    books.apply(&Entry::capture(charge(), transaction(), Network::Remote, yen), TODAY);
    let on = |currency| books.merchant_balance(currency, TODAY).pending;
    assert_eq!(
        (on(Currency::USD), on(Currency::JPY), on(Currency::EUR)),
        (9_680, 4_825, 0)
    );
    assert_eq!(books.merchant_balances(TODAY).len(), 2);
}

#[test]
fn past_buckets_are_one() {
    let mut books = Books::new();
    for day in 0..100 {
        let money = CaptureMoney {
            captured: usd(1_000),
            fee: 59,
            available_day: TODAY + day + 2,
        };
        books.apply(
            &Entry::capture(charge(), transaction(), Network::Instant, money),
            TODAY + day,
        );
    }
    // Receivable, fee, and the merchant's past, tomorrow and the day after.
    assert_eq!(books.lines.len(), 5);
    assert_eq!(books.merchant_balance(Currency::USD, TODAY + 99).pending, 2 * 941);
}

#[test]
fn malformed_entries_are_named() {
    let with = |change: fn(&mut Entry)| {
        let mut entry = capture(10_000, 320);
        change(&mut entry);
        entry.check()
    };
    assert_eq!(
        with(|entry| entry.postings.truncate(1)),
        Err(EntryProblem::TooFewPostings)
    );
    assert_eq!(
        with(|entry| entry.postings[0].amount = 0),
        Err(EntryProblem::ZeroPosting)
    );
    assert_eq!(with(|entry| entry.postings[1].day = NO_DAY), Err(EntryProblem::Day));
    assert_eq!(with(|entry| entry.postings[0].day = TODAY), Err(EntryProblem::Day));
    let one_more = Err(EntryProblem::Unbalanced {
        currency: Currency::USD,
        sum: 1,
    });
    assert_eq!(with(|entry| entry.postings[0].amount += 1), one_more);
    let split = Err(EntryProblem::Unbalanced {
        currency: Currency::EUR,
        sum: 10_000,
    });
    assert_eq!(with(|entry| entry.postings[0].currency = Currency::EUR), split);
    assert_eq!(
        with(|entry| entry.balance_transaction = None),
        Err(EntryProblem::BalanceTransaction)
    );
    let mut quiet = confirmed(1);
    quiet.balance_transaction = Some(transaction());
    assert_eq!(quiet.check(), Err(EntryProblem::BalanceTransaction));
}

#[test]
#[should_panic(expected = "its postings in usd sum to 1")]
fn an_unbalanced_entry_stops_the_books() {
    let mut entry = capture(10_000, 320);
    entry.postings[0].amount += 1;
    Books::new().apply(&entry, TODAY);
}

#[test]
#[should_panic(expected = "leaves RefundInTransit at 4000 usd")]
fn confirming_a_refund_that_was_never_made_stops_the_books() {
    Books::new().apply(&confirmed(4_000), TODAY);
}

#[test]
#[should_panic(expected = "day goes back")]
fn days_do_not_go_back() {
    let mut books = Books::new();
    books.advance(TODAY);
    books.advance(TODAY - 1);
}

#[test]
fn an_entry_reads_back_from_a_record() {
    for entry in [capture(10_000, 320), refunded(1, TODAY), confirmed(1), failed(1, TODAY)] {
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), Ok(entry));
    }
}
