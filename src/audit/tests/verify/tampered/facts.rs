//! Facts that were broken, one way a case.

use super::expect;
use crate::journal::{Journal, START_MS};
use crate::{at, story};
use std::sync::Arc;
use tollgate_audit::Check;
use tollgate_domain::acquirer::{Ask, CardMoney};
use tollgate_domain::balance::balance_transaction::BalanceTransaction;
use tollgate_domain::books::{Entry, LedgerAccount};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::attempt::Phase;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::payment_intent::{CaptureMethod, PaymentIntent, Status};
use tollgate_domain::payments::refund::{Refund, RefundState};
use tollgate_domain::{Claim, Facts, Object, kinds};
use tollgate_resource::Id;

/// A name, the check that must find it, a word that must be in what is found, and the way to break it.
type Case = (&'static str, Check, &'static str, fn(&mut Journal));

#[test]
fn broken_facts_are_found() {
    let cases: [Case; 39] = [
        ("a record is lost", Check::Sequence, "the account is at", |journal| {
            journal.steps.remove(at::DECLINED);
        }),
        (
            "a sequence number is skipped",
            Check::Sequence,
            "the sequence goes from",
            |journal| {
                journal.facts(at::PAID).seq_after += 1;
            },
        ),
        ("births are out of order", Check::Sequence, "its place is", |journal| {
            journal.facts(at::PAID).objects.swap(0, 1);
        }),
        ("time goes back", Check::Time, "lies before the account's", |journal| {
            journal.facts(at::CAPTURED).now_ms = START_MS;
        }),
        ("an id of another time", Check::Ids, "says it was born at", |journal| {
            transaction(journal.facts(at::REFUNDED), |txn| {
                txn.id = Id::new(
                    &kinds::BALANCE_TRANSACTION,
                    1 + txn.id.unix_ms(),
                    txn.id.seq(),
                    txn.id.account_tag(),
                );
            });
        }),
        (
            "an id of another account",
            Check::Ids,
            "another account's tag",
            |journal| {
                transaction(journal.facts(at::REFUNDED), |txn| {
                    txn.id = Id::new(&kinds::BALANCE_TRANSACTION, txn.id.unix_ms(), txn.id.seq(), 1);
                });
            },
        ),
        (
            "an id of another kind",
            Check::Ids,
            "fails the check of its kind",
            |journal| {
                transaction(journal.facts(at::REFUNDED), |txn| {
                    txn.id = Id::new(&kinds::CHARGE, txn.id.unix_ms(), txn.id.seq(), txn.id.account_tag());
                });
            },
        ),
        ("a change of what never was", Check::Ids, "was never born", |journal| {
            charge(journal.facts(at::REFUNDED), |charge| {
                charge.id = Id::new(
                    &kinds::CHARGE,
                    1 + charge.id.unix_ms(),
                    charge.id.seq(),
                    charge.id.account_tag(),
                );
            });
        }),
        (
            "an event about nothing",
            Check::Events,
            "is not of its kind",
            |journal| {
                journal.facts(at::PAID).events[0].object = 99;
            },
        ),
        (
            "an event about another kind",
            Check::Events,
            "is not of its kind",
            |journal| {
                let facts = journal.facts(at::PAID);
                facts.events[0].object = (facts.events[0].object + 1) % facts.objects.len() as u16;
            },
        ),
        ("an entry that does not balance", Check::Entry, "sum to", |journal| {
            posting(journal.facts(at::PAID), LedgerAccount::FeeRevenue, |amount| {
                *amount -= 1
            });
        }),
        ("a posting of nothing", Check::Entry, "a posting is zero", |journal| {
            let postings = &mut journal.facts(at::PAID).entries[0].postings;
            postings.push(postings[0]);
            postings.last_mut().unwrap().amount = 0;
        }),
        (
            "income with the wrong sign",
            Check::Books,
            "fee_revenue at 320",
            |journal| {
                let facts = journal.facts(at::PAID);
                for posting in &mut facts.entries[0].postings[2..] {
                    posting.amount = -posting.amount;
                }
                transaction(facts, |txn| txn.fee = -txn.fee);
            },
        ),
        (
            "a capture without an entry",
            Check::Movement,
            "not exactly one entry",
            |journal| {
                journal.facts(at::CAPTURED).entries.clear();
            },
        ),
        (
            "a capture with two entries",
            Check::Movement,
            "not exactly one entry",
            |journal| {
                let facts = journal.facts(at::CAPTURED);
                facts.entries.push(facts.entries[0].clone());
            },
        ),
        (
            "an entry that nothing explains",
            Check::Movement,
            "no object of the record does",
            |journal| {
                let facts = journal.facts(at::DECLINED);
                let source = facts.objects[0].id();
                facts.entries.push(Entry::refund_confirmed(
                    source,
                    tollgate_domain::Network::Instant,
                    tollgate_domain::money::Money::new(5, Currency::USD),
                ));
            },
        ),
        (
            "an entry of another amount",
            Check::Movement,
            "posted to network_receivable",
            |journal| {
                posting(
                    journal.facts(at::PAID),
                    LedgerAccount::NetworkReceivable(tollgate_domain::Network::Instant),
                    |amount| {
                        *amount += 1;
                    },
                );
            },
        ),
        (
            "a transaction of another amount",
            Check::Movement,
            "moved are 10000",
            |journal| {
                transaction(journal.facts(at::PAID), |txn| txn.amount += 1);
            },
        ),
        (
            "a transaction of another source",
            Check::Movement,
            "of another object",
            |journal| {
                transaction(journal.facts(at::PAID), |txn| {
                    txn.source = Id::new(&kinds::CHARGE, START_MS, 77, txn.id.account_tag());
                });
            },
        ),
        (
            "a transaction of another fee",
            Check::BalanceTransactions,
            "less 321, posted are 9680",
            |journal| {
                transaction(journal.facts(at::PAID), |txn| txn.fee += 1);
            },
        ),
        (
            "money in another day's bucket",
            Check::Movement,
            "another day",
            |journal| {
                for posting in &mut journal.facts(at::PAID).entries[0].postings[1..3] {
                    posting.day += 1;
                }
            },
        ),
        (
            "a capture beyond the hold",
            Check::Limits,
            "captures 5001 of 5000",
            |journal| {
                charge(journal.facts(at::CAPTURED), |charge| {
                    if let ChargeState::Captured { amount, .. } = &mut charge.state {
                        *amount = 5_001;
                    }
                });
            },
        ),
        (
            "a refund beyond the capture",
            Check::Limits,
            "more than the 10000 captured",
            |journal| {
                let facts = journal.facts(at::REFUNDED_AGAIN);
                refund(facts, |refund| refund.amount = 6_001);
            },
        ),
        (
            "a charge that forgets a refund",
            Check::Limits,
            "its refunds come to 4000 by 1",
            |journal| {
                charge(journal.facts(at::REFUNDED), |charge| charge.refunded = 0);
            },
        ),
        (
            "an intent off its table",
            Check::States,
            "goes from requires_capture to requires_confirmation",
            |journal| {
                intent(journal.facts(at::CAPTURED), |intent| {
                    intent.status = Status::RequiresConfirmation { proof: None }
                });
            },
        ),
        (
            "a charge off its table",
            Check::States,
            "goes from Held to Failed",
            |journal| {
                charge(journal.facts(at::CAPTURED), |charge| {
                    charge.state = ChargeState::Failed { decline: 1 }
                });
            },
        ),
        (
            "an intent that succeeds without its charge",
            Check::States,
            "its charge is",
            |journal| {
                intent(journal.facts(at::CAPTURED), |intent| {
                    intent.status = Status::Succeeded { received: 2_999 }
                });
            },
        ),
        (
            "an attempt without its call",
            Check::Attempts,
            "opens with 0 calls",
            |journal| {
                let facts = journal.facts(at::REMOTE_BEGUN);
                facts.calls.clear();
                facts.outcome = None;
            },
        ),
        (
            "a hold that succeeded before its capture",
            Check::States,
            "is Succeeded, its charge is Some(Held)",
            |journal| {
                let status = Status::Succeeded { received: 5_000 };
                intent(journal.facts(at::HELD), |intent| intent.status = status);
            },
        ),
        (
            "a charge of another amount",
            Check::States,
            "than its intent",
            |journal| {
                charge(journal.facts(at::HELD_AGAIN), |charge| charge.amount += 1);
            },
        ),
        (
            "a hold kept after a cancellation",
            Check::States,
            "is Canceled, its charge is Some(Held)",
            |journal| {
                charge(journal.facts(at::CANCELED), |charge| charge.state = ChargeState::Held);
            },
        ),
        (
            "an attempt with two calls",
            Check::Attempts,
            "opens with 2 calls",
            |journal| {
                let facts = journal.facts(at::SILENT_BEGUN);
                facts.calls.push(facts.calls[0]);
            },
        ),
        (
            "an attempt that is sent again",
            Check::Attempts,
            "does not fit the attempt",
            |journal| {
                let money = CardMoney {
                    amount: 900,
                    currency: Currency::USD,
                    test_card: 1,
                };
                journal.facts(at::SILENT_DEADLINE).calls[0].ask = Ask::Purchase(money);
            },
        ),
        (
            "a call of a settled attempt",
            Check::Attempts,
            "that attempt is not open",
            |journal| {
                let call = journal.facts(at::SILENT_NOT_FOUND).calls[0];
                journal.facts(at::SILENT_REVERSED).calls.push(call);
            },
        ),
        (
            "an attempt that goes back",
            Check::Attempts,
            "goes from OpenAttempt",
            |journal| {
                let facts = journal.facts(at::SILENT_NOT_FOUND);
                intent(facts, |intent| {
                    if let Status::Processing { attempt } = &mut intent.status {
                        attempt.phase = Phase::Calling {
                            deadline_ms: attempt.due_ms(),
                        };
                    }
                });
            },
        ),
        (
            "an attempt that nothing wakes",
            Check::Attempts,
            "nothing wakes it",
            |journal| {
                journal.facts(at::PENDING).timers.clear();
            },
        ),
        (
            "a key with two outcomes",
            Check::Idempotency,
            "has a second outcome",
            |journal| {
                let first = journal.facts(at::PAID).outcome.as_ref().unwrap().claim.key.clone();
                claim(journal.facts(at::DECLINED)).key = first;
            },
        ),
        (
            "a key in flight that is claimed by another request",
            Check::Idempotency,
            "is claimed again",
            |journal| {
                claim(journal.facts(at::REMOTE_PAID)).fingerprint ^= 1;
            },
        ),
        (
            "a key that stays in flight",
            Check::Idempotency,
            "is in flight, but its attempt 1 is settled",
            |journal| {
                journal.facts(at::REMOTE_PAID).outcome = None;
            },
        ),
    ];
    for (name, check, word, tamper) in cases {
        let mut journal = story();
        tamper(&mut journal);
        expect(name, check, word, &journal, &journal.blocks());
    }
}

#[test]
fn a_refund_that_is_said_to_be_confirmed_is_missed_in_transit() {
    let mut journal = story();
    // Facts that agree with themselves, but not with the entry that would confirm it.
    let facts = journal.facts(at::REMOTE_REFUNDED);
    refund(facts, |refund| refund.state = RefundState::Confirmed);
    facts.calls.clear();
    facts.timers.clear();
    expect(
        "confirmed without an entry",
        Check::Movement,
        "RefundConfirmed of re_",
        &journal,
        &journal.blocks(),
    );
}

#[test]
fn a_second_charge_that_stands_is_found() {
    // Two payments are made to look like two charges of the first one's intent.
    let mut journal = Journal::new();
    journal.pay(1_000, "visa", CaptureMethod::Automatic, "one");
    journal.pay(1_000, "visa", CaptureMethod::Automatic, "two");
    let first = journal
        .facts(0)
        .objects
        .iter()
        .find(|object| object.kind() == &kinds::PAYMENT_INTENT)
        .unwrap()
        .id();
    charge(journal.facts(1), |charge| charge.payment_intent = Some(first));
    expect(
        "charged twice",
        Check::Movement,
        "is a second charge that stands",
        &journal,
        &journal.blocks(),
    );
}

fn transaction(facts: &mut Facts, change: impl FnOnce(&mut BalanceTransaction)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::BalanceTransaction(transaction) => Some(transaction),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has a balance transaction")));
}

fn claim(facts: &mut Facts) -> &mut Claim {
    Arc::make_mut(&mut facts.outcome.as_mut().unwrap().claim)
}

fn charge(facts: &mut Facts, change: impl FnOnce(&mut Charge)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::Charge(charge) => Some(charge),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has a charge")));
}

fn intent(facts: &mut Facts, change: impl FnOnce(&mut PaymentIntent)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::PaymentIntent(intent) => Some(intent),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has an intent")));
}

fn refund(facts: &mut Facts, change: impl FnOnce(&mut Refund)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::Refund(refund) => Some(refund),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has a refund")));
}

fn posting(facts: &mut Facts, account: LedgerAccount, change: impl FnOnce(&mut i64)) {
    let postings = &mut facts.entries[0].postings;
    let found = postings.iter_mut().find(|posting| posting.account == account);
    change(&mut found.expect("the entry posts there").amount);
}
