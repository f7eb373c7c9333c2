//! What must hold of everything an account holds, whatever was commanded.

use crate::shop::{Shop, Store};
use std::collections::{BTreeMap, BTreeSet};
use tollgate_domain::books::LedgerAccount;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::dispute::DisputeStatus;
use tollgate_domain::payments::payment_intent::{Status, StatusName};
use tollgate_domain::payments::refund::RefundState;
use tollgate_domain::payments::setup_attempt::AttemptStatus;
use tollgate_domain::payments::setup_intent::StatusName as SetupStatus;
use tollgate_domain::time::day_of;
use tollgate_domain::{Account, Object, kinds};
use tollgate_resource::{Id, Record};

/// Checks the invariants that the domain can see.
pub(crate) fn check(shop: &Shop) {
    books_balance(shop);
    refunds_stay_within_captures(shop);
    disputes_take_what_they_say(shop);
    intents_agree_with_charges(shop);
    single_use_methods_pay_once(shop);
    states_move_along_the_tables(shop);
    customers_agree_with_what_they_hold(shop);
    replay_gives_the_same_state(shop);
}

fn books_balance(shop: &Shop) {
    let books = &shop.account.books;
    assert_eq!(
        books.imbalance(),
        None,
        "assets and expenses equal liabilities and income"
    );
    let mut nets: BTreeMap<_, i128> = BTreeMap::new();
    for object in shop.objects.0.values() {
        if let Object::BalanceTransaction(txn) = object {
            *nets.entry(txn.currency).or_default() += i128::from(txn.net());
        }
    }
    for (currency, net) in nets {
        let balance = books.merchant_balance(currency, day_of(shop.now_ms));
        assert_eq!(
            i128::from(balance.available) + i128::from(balance.pending),
            net,
            "nets sum to the balance"
        );
    }
    let mut transit: BTreeMap<_, i128> = BTreeMap::new();
    for object in shop.objects.0.values() {
        if let Object::Refund(refund) = object
            && refund.is_in_transit()
        {
            *transit.entry(refund.currency).or_default() -= i128::from(refund.amount);
        }
    }
    for (currency, _, _) in books.totals() {
        assert_eq!(
            books.balance(LedgerAccount::DisputeInTransit, currency),
            0,
            "a network debits a dispute when it tells of it"
        );
        let in_transit = books.balance(LedgerAccount::RefundInTransit, currency);
        assert_eq!(
            in_transit,
            transit.get(&currency).copied().unwrap_or(0),
            "open refunds are in transit"
        );
    }
    let sources: Vec<(_, Id, _)> = shop
        .records
        .iter()
        .flat_map(|facts| &facts.entries)
        .map(|entry| (entry.cause, entry.source, entry.balance_transaction))
        .collect();
    let distinct: BTreeSet<_> = sources.iter().collect();
    assert_eq!(
        sources.len(),
        distinct.len(),
        "a cause makes one entry for an object and a movement"
    );
}

fn customers_agree_with_what_they_hold(shop: &Shop) {
    let objects = || shop.objects.0.values();
    for customer in objects().filter_map(|object| match object {
        Object::Customer(customer) => Some(customer),
        _ => None,
    }) {
        let more = customer.more();
        let moved: i64 = objects()
            .map(|object| match object {
                Object::CustomerBalanceTransaction(txn) if txn.customer == customer.id => txn.amount,
                _ => 0,
            })
            .sum();
        assert_eq!(more.balance, moved, "a balance is the sum of its transactions");
        let mut held: BTreeSet<Id> = BTreeSet::new();
        let mut tax_ids: BTreeSet<Id> = BTreeSet::new();
        for object in objects() {
            match object {
                Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method)
                    if method.customer == Some(customer.id) && !object.is_deleted() =>
                {
                    held.insert(method.id);
                }
                Object::TaxId(tax_id) if tax_id.customer == Some(customer.id) && !tax_id.deleted => {
                    tax_ids.insert(tax_id.id);
                }
                _ => {}
            }
        }
        if customer.deleted {
            assert!(
                held.is_empty() && tax_ids.is_empty(),
                "nothing belongs to a deleted customer"
            );
        } else {
            let known: BTreeSet<Id> = more.methods.iter().chain(&more.sources).copied().collect();
            assert_eq!(held, known, "a customer knows its payment methods, cards and sources");
            let default = more.default_source.is_none_or(|id| more.sources.contains(&id));
            assert!(default, "a customer is charged by what it holds");
            assert_eq!(
                tax_ids,
                more.tax_ids.iter().copied().collect(),
                "a customer knows its tax ids"
            );
        }
    }
}

fn refunds_stay_within_captures(shop: &Shop) {
    let mut refunded: BTreeMap<Id, (i64, u32)> = BTreeMap::new();
    for object in shop.objects.0.values() {
        if let Object::Refund(refund) = object {
            let sum = refunded.entry(refund.charge).or_default();
            sum.0 += refund.given_back();
            sum.1 += 1;
        }
    }
    for object in shop.objects.0.values() {
        if let Object::Charge(charge) = object {
            let (sum, count) = refunded.get(&charge.id).copied().unwrap_or_default();
            assert_eq!(
                (charge.refunded, charge.refund_count),
                (sum, count),
                "a charge knows its refunds"
            );
            assert!(sum <= charge.amount_captured(), "refunds never exceed the capture");
            assert!(
                charge.amount_captured() <= charge.amount,
                "captures never exceed the authorisation"
            );
        }
    }
}

fn disputes_take_what_they_say(shop: &Shop) {
    let mut taken: BTreeMap<Id, i64> = BTreeMap::new();
    for object in shop.objects.0.values() {
        let Object::Dispute(dispute) = object else { continue };
        let moved: Vec<i64> = dispute.movements.iter().map(|movement| movement.amount).collect();
        let wanted = match dispute.state.status() {
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Lost => vec![-dispute.amount],
            DisputeStatus::Won => vec![-dispute.amount, dispute.amount],
            _ => vec![],
        };
        assert_eq!(moved, wanted, "a dispute has moved what its state says");
        for movement in &dispute.movements {
            assert_eq!(
                shop.get(&kinds::BALANCE_TRANSACTION, movement.id),
                &Object::BalanceTransaction(movement.clone()),
                "a dispute shows its movements as they are"
            );
        }
        let sum: i64 = moved.iter().sum();
        *taken.entry(dispute.charge).or_default() -= sum;
    }
    for (charge, taken) in taken {
        let Object::Charge(charge) = shop.get(&kinds::CHARGE, charge) else {
            unreachable!("a dispute is of a charge")
        };
        assert!(charge.dispute().is_some());
        assert!(
            taken + charge.refunded <= charge.amount_captured(),
            "refunds and disputes never exceed the capture"
        );
    }
}

fn intents_agree_with_charges(shop: &Shop) {
    for object in shop.objects.0.values() {
        let Object::PaymentIntent(intent) = object else {
            continue;
        };
        let charges: Vec<_> = shop
            .objects
            .0
            .values()
            .filter_map(|object| match object {
                Object::Charge(charge) if charge.payment_intent == Some(intent.id) => Some(charge),
                _ => None,
            })
            .collect();
        assert_eq!(
            charges.len(),
            intent.charge_count as usize,
            "an intent knows its charges"
        );
        let good: Vec<_> = charges
            .iter()
            .filter(|charge| !matches!(charge.state, ChargeState::Failed { .. }))
            .collect();
        assert!(good.len() <= 1, "an intent is paid at most once");
        match &intent.status {
            Status::Succeeded { received } => assert_eq!(good[0].amount_captured(), *received),
            Status::RequiresCapture { received: 0, .. } => assert_eq!(good[0].state, ChargeState::Held),
            Status::RequiresCapture { received, .. } => {
                assert!(matches!(good[0].state, ChargeState::PartlyCaptured { amount, .. } if amount == *received));
            }
            Status::Canceled { .. } => {
                assert!(
                    good.iter()
                        .all(|charge| matches!(charge.state, ChargeState::Released | ChargeState::Expired))
                );
            }
            Status::Debiting { .. } => assert_eq!(good[0].state, ChargeState::Debiting),
            _ => assert!(good.is_empty()),
        }
    }
}

fn single_use_methods_pay_once(shop: &Shop) {
    let mut paid = BTreeSet::new();
    for object in shop.objects.0.values() {
        let Object::Charge(charge) = object else { continue };
        if matches!(charge.state, ChargeState::Failed { .. }) {
            continue;
        }
        if !charge.payment_method.is(&kinds::PAYMENT_METHOD) {
            // A card of the older API; its token is spent instead.
            continue;
        }
        let Object::PaymentMethod(method) = shop.get(&kinds::PAYMENT_METHOD, charge.payment_method) else {
            unreachable!("a payment method was stored")
        };
        assert!(
            method.customer.is_some() || method.used_up,
            "a payment uses its method up"
        );
        assert!(
            method.customer.is_some() || paid.insert(method.id),
            "a single-use method pays once"
        );
    }
}

fn states_move_along_the_tables(shop: &Shop) {
    let mut intents: BTreeMap<Id, StatusName> = BTreeMap::new();
    let mut charges: BTreeMap<Id, ChargeState> = BTreeMap::new();
    let mut setups: BTreeMap<Id, SetupStatus> = BTreeMap::new();
    let mut tries: BTreeMap<Id, AttemptStatus> = BTreeMap::new();
    let mut disputes: BTreeMap<Id, DisputeStatus> = BTreeMap::new();
    let mut refunds: BTreeMap<Id, RefundState> = BTreeMap::new();
    for object in shop.records.iter().flat_map(|facts| &facts.objects) {
        match object {
            Object::PaymentIntent(intent) => {
                let before = intents.get(&intent.id).copied();
                let next = intent.status.name();
                assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
                intents.insert(intent.id, next);
            }
            Object::SetupIntent(intent) => {
                let next = intent.status.name();
                let before = setups.insert(intent.id, next);
                assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
            }
            Object::SetupAttempt(attempt) => {
                let next = attempt.state.name();
                let before = tries.insert(attempt.id, next);
                assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
            }
            Object::Charge(charge) => {
                assert!(
                    charge.state.may_follow(charges.get(&charge.id)),
                    "{:?} does not follow",
                    charge.state
                );
                charges.insert(charge.id, charge.state);
            }
            Object::Dispute(dispute) => {
                let before = disputes.get(&dispute.id).copied();
                let next = dispute.state.status();
                assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
                disputes.insert(dispute.id, next);
            }
            Object::Refund(refund) => {
                let before = refunds.insert(refund.id, refund.state);
                assert!(
                    refund.state.may_follow(before.as_ref()),
                    "{:?} does not follow",
                    refund.state
                );
            }
            _ => {}
        }
    }
}

fn replay_gives_the_same_state(shop: &Shop) {
    let mut account = Account::new(shop.account.profile.clone());
    let mut objects = Store::default();
    let cut = shop.records.len() / 2;
    for (at, facts) in shop.records.iter().enumerate() {
        let facts = tollgate_domain::Facts::from_bytes(&facts.to_bytes()).expect("facts read back");
        account.apply(&facts);
        for object in facts.objects {
            objects.0.insert((object.kind().number, object.id()), object);
        }
        if at == cut {
            account = Account::from_row(account.profile.clone(), &account.to_row()).expect("a row reads back");
        }
    }
    assert_eq!(
        account, shop.account,
        "replay gives the same account, from a row or from the start"
    );
    assert_eq!(objects, shop.objects, "replay gives the same objects");
}
