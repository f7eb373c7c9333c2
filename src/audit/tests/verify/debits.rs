//! Bank debits: clean as they are, found when broken.

use crate::audit;
use crate::journal::Journal;
use std::sync::Arc;
use tollgate_audit::Check;
use tollgate_domain::customers::customer::CreateCustomer;
use tollgate_domain::customers::source::NamedSource;
use tollgate_domain::kinds::CustomerId;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::bank_account::{TestAccount, TestBankToken};
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{Charge, ChargeState, CreateCharge};
use tollgate_domain::payments::mandate::{CustomerAcceptanceParams, MandateDataParams};
use tollgate_domain::payments::payment_intent::{CreatePaymentIntent, DEBIT_MS};
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestMethod};
use tollgate_domain::payments::refund::CreateChargeRefund;
use tollgate_domain::{Command, Facts, Object, kinds};
use tollgate_resource::{Id, Names, Update};

/// Where each record of [`story`] stands.
mod at {
    pub(super) const PENDING: usize = 0;
    pub(super) const PAID: usize = 1;
    pub(super) const REFUNDED: usize = 2;
    pub(super) const FAILED: usize = 4;
    pub(super) const CANCELED: usize = 6;
    pub(super) const CHARGED: usize = 11;
}

fn debit(journal: &mut Journal, amount: i64, name: &'static str) -> Id {
    let account = TestAccount::by_name(name).expect("an account of the table");
    let acceptance = CustomerAcceptanceParams {
        kind: Names::from_name("offline"),
        ..CustomerAcceptanceParams::default()
    };
    let asked = CreatePaymentIntent {
        amount,
        currency: Some(Currency::USD),
        confirm: Some(true),
        mandate_data: Update::Set(MandateDataParams {
            customer_acceptance: Some(acceptance),
        }),
        payment_method_types: vec!["us_bank_account".into()],
        payment_method: Some(PaymentMethodParam::Fresh(TestMethod::Bank(account, name))),
        ..CreatePaymentIntent::default()
    };
    journal.ask(Command::CreatePaymentIntent(Box::new(asked)), None);
    journal.last_born(&kinds::PAYMENT_INTENT)
}

/// A charge without an intent of a bank account that a customer has.
fn charge_saved(journal: &mut Journal, amount: i64, name: &str) -> Id {
    let token = TestBankToken::by_name(name).expect("a token of the table");
    let asked = CreateCustomer {
        source: Some(NamedSource::Token(TokenParam::MagicBank(token))),
        ..CreateCustomer::default()
    };
    journal.ask(Command::CreateCustomer(Box::new(asked)), None);
    let asked = CreateCharge {
        amount,
        currency: Some(Currency::USD),
        customer: Some(CustomerId(journal.last_born(&kinds::CUSTOMER))),
        ..CreateCharge::default()
    };
    journal.ask(Command::CreateCharge(Box::new(asked)), None);
    journal.last_born(&kinds::CHARGE)
}

fn story() -> Journal {
    let mut journal = Journal::new();
    let paid = debit(&mut journal, 10_000, "usBankAccount_success");
    let charge = journal.last_born(&kinds::CHARGE);
    journal.pass(DEBIT_MS).engine(Command::TimerDue(paid));
    let asked = CreateChargeRefund {
        amount: Some(4_000),
        ..CreateChargeRefund::default()
    };
    journal.ask(Command::CreateChargeRefund(charge, Box::new(asked)), None);
    let failing = debit(&mut journal, 2_000, "usBankAccount_debitNotAuthorized");
    journal.pass(DEBIT_MS).engine(Command::TimerDue(failing));
    let silent = debit(&mut journal, 3_000, "usBankAccount_processing");
    let cancel = Command::CancelPaymentIntent(silent, Box::default());
    journal.pass(DEBIT_MS).ask(cancel, None);
    let disputed = debit(&mut journal, 5_000, "usBankAccount_dispute");
    journal.pass(DEBIT_MS).engine(Command::TimerDue(disputed));
    let saved = charge_saved(&mut journal, 7_000, "us_verified");
    journal.pass(DEBIT_MS).engine(Command::TimerDue(saved));
    let closed = charge_saved(&mut journal, 7_000, "us_verified_accountClosed");
    journal.pass(DEBIT_MS).engine(Command::TimerDue(closed));
    journal.row();
    journal
}

fn charge(facts: &mut Facts, change: impl FnOnce(&mut Charge)) {
    let found = facts.objects.iter_mut().find_map(|object| match object {
        Object::Charge(charge) => Some(charge),
        _ => None,
    });
    change(Arc::make_mut(found.expect("the record has a charge")));
}

#[test]
fn bank_debits_are_clean_and_added_up() {
    let journal = story();
    let report = audit(&journal, &journal.blocks());
    assert_eq!(report.difference, None);
    assert_eq!((report.payment_intents, report.charges, report.refunds), (4, 6, 1));
}

/// A name, the check that must find it, and the way to break it.
type Case = (&'static str, Check, fn(&mut Journal));

#[test]
fn broken_bank_debits_are_found() {
    let cases: [Case; 6] = [
        (
            "a debit that is paid before the bank answers",
            Check::States,
            |journal| {
                charge(journal.facts(at::PENDING), |charge| charge.state = ChargeState::Held);
            },
        ),
        (
            "a debit that is paid without its movement",
            Check::Movement,
            |journal| {
                journal.facts(at::PAID).entries.clear();
            },
        ),
        ("a charge without its movement", Check::Movement, |journal| {
            journal.facts(at::CHARGED).entries.clear();
        }),
        ("a refund without its movement", Check::Movement, |journal| {
            journal.facts(at::REFUNDED).entries.clear();
        }),
        ("a debit that failed and stays pending", Check::States, |journal| {
            charge(journal.facts(at::FAILED), |charge| charge.state = ChargeState::Debiting);
        }),
        (
            "a debit that was given up and stays pending",
            Check::States,
            |journal| {
                charge(journal.facts(at::CANCELED), |charge| {
                    charge.state = ChargeState::Debiting
                });
            },
        ),
    ];
    for (name, check, broken) in cases {
        let mut journal = story();
        broken(&mut journal);
        let difference = audit(&journal, &journal.blocks()).difference;
        let found = difference.unwrap_or_else(|| panic!("{name}: nothing is found"));
        assert_eq!(found.check, check, "{name}: {found}");
    }
}
