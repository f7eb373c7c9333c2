//! Histories of single payments that are not made by card: debits, deposits, pages of other companies, bank accounts of
//! customers, and holds that are captured by their charge.

use tollgate_simulation::auditor::Seen;
use tollgate_simulation::plan::{Action, Fault, What, Wish};
use tollgate_simulation::{Plan, run};

/// Runs these steps, one after another at these milliseconds, in calm weather and with little memory.
#[track_caller]
fn history(steps: Vec<(u64, What)>) -> Seen {
    let mut plan = Plan::written(steps);
    plan.weather.objects_max = 0;
    match run(&plan) {
        Ok((counts, _)) => counts.seen,
        Err(failure) => panic!("{failure}"),
    }
}

fn ask(action: Action) -> What {
    What::Ask(Wish::of(action))
}

fn debit(account: &'static str, deposits: bool, customer: Option<usize>) -> What {
    ask(Action::Debit {
        amount: 5_000,
        account,
        deposits,
        customer,
        save: true,
    })
}

fn tell(amounts: [i64; 2]) -> What {
    ask(Action::TellDeposits { of: 0, amounts })
}

fn redirect(kind: &'static str, manual: bool) -> What {
    ask(Action::Redirect {
        amount: 5_000,
        kind,
        manual,
        customer: None,
        save: false,
    })
}

fn act(passes: bool) -> What {
    ask(Action::Authenticate {
        of: 0,
        passes,
        first: false,
    })
}

fn refund() -> What {
    ask(Action::Refund {
        of: 0,
        amount: Some(2_000),
    })
}

#[test]
fn every_scheme_is_debited_and_refunded() {
    for account in [
        "usBankAccount_success",
        "usBankAccount_accountClosed",
        "sepaDebit_successDelayed",
        "sepaDebit_failedDelayed",
        "acssDebit_success",
        "bacsDebit_successDelayed",
        "auBecsDebit_success",
    ] {
        let seen = history(vec![
            (1_000, debit(account, false, None)),
            (2_000, refund()),
            (250_000, refund()),
            (251_000, ask(Action::Cancel { of: 0 })),
        ]);
        assert_eq!(seen.debits, 1, "{account}");
    }
}

#[test]
fn a_silent_bank_is_given_up_and_a_blocked_account_is_never_asked() {
    let silent = history(vec![
        (1_000, debit("usBankAccount_processing", false, None)),
        (60_000, ask(Action::Cancel { of: 0 })),
        (61_000, ask(Action::Cancel { of: 0 })),
    ]);
    assert_eq!(silent.debits, 1);
    let blocked = history(vec![
        (1_000, debit("usBankAccount_riskLevelHighest", false, None)),
        (2_000, refund()),
    ]);
    assert_eq!(blocked.debits, 0);
}

#[test]
fn whose_payment_it_was_is_known_of_a_disputed_debit_too() {
    // The customer has gone from memory by the time the bank answers.
    for account in ["sepaDebit_disputed", "usBankAccount_dispute"] {
        let seen = history(vec![
            (1_000, ask(Action::CreateCustomer)),
            (2_000, ask(Action::UpdateCustomer { of: 0 })),
            (9_000, debit(account, false, Some(0))),
            (9_500, What::Fault(Fault::Kill { down_ms: 5_000 })),
        ]);
        assert_eq!((seen.debits, seen.disputes_over), (1, 1), "{account}");
    }
}

#[test]
fn deposits_are_told_right_after_wrong_ones() {
    let wrong = [1, 2];
    let seen = history(vec![
        (1_000, debit("usBankAccount_success", true, None)),
        (2_000, tell(wrong)),
        (3_000, tell(wrong)),
        (4_000, tell([45, 32])),
        (5_000, tell([45, 32])),
        (20_000, refund()),
    ]);
    assert_eq!((seen.deposits, seen.debits), (1, 1));
    for (told, deposits) in [([10, 11], 0), ([32, 45], 1)] {
        let seen = history(vec![
            (1_000, debit("acssDebit_failed", true, None)),
            (2_000, tell(told)),
            (9_000, tell(told)),
        ]);
        assert_eq!(seen.deposits, deposits);
    }
}

#[test]
fn deposits_can_be_told_wrong_only_so_often() {
    let mut steps = vec![(1_000, debit("usBankAccount_success", true, None))];
    steps.extend((0..11).map(|nth| (2_000 + 100 * nth, tell([1, 2]))));
    steps.push((9_000, tell([32, 45])));
    assert_eq!(history(steps).deposits, 0);
}

#[test]
fn deposits_that_never_arrive_are_waited_for_each_time() {
    let again = ask(Action::ConfirmDebit {
        of: 0,
        account: "usBankAccount_failMicrodeposits",
        deposits: true,
    });
    let seen = history(vec![
        (1_000, debit("usBankAccount_failMicrodeposits", true, None)),
        (2_500, again),
        (20_000, tell([32, 45])),
    ]);
    assert_eq!((seen.deposits, seen.debits), (0, 0));
}

#[test]
fn payers_agree_on_another_page_once() {
    for (kind, manual) in [("paypal", true), ("paypal", false), ("ideal", false)] {
        let seen = history(vec![
            (1_000, redirect(kind, manual)),
            (2_000, act(false)),
            (3_000, ask(Action::ConfirmRedirect { of: 0, kind })),
            (4_000, act(true)),
            (5_000, act(true)),
            (
                6_000,
                ask(Action::Capture {
                    of: 0,
                    amount: Some(3_000),
                }),
            ),
            (7_000, refund()),
        ]);
        assert_eq!((seen.actions, seen.redirects), (2, 1), "{kind}");
    }
}

#[test]
fn a_hold_is_captured_by_its_charge() {
    for card in ["visa", "tollgate_remote"] {
        let hold = ask(Action::Create {
            amount: 5_000,
            currency: "usd",
            card: Some(card),
            confirm: true,
            manual: true,
            customer: None,
            save: false,
        });
        let capture = |amount| ask(Action::CaptureByCharge { of: 0, amount });
        let seen = history(vec![
            (1_000, hold),
            (3_000, capture(Some(6_000))),
            (4_000, capture(Some(10))),
            (9_000, capture(None)),
            (10_000, refund()),
        ]);
        assert!(seen.captures_by_charge > 0, "{card}");
    }
}

#[test]
fn a_bank_account_of_a_customer_is_verified_and_charged() {
    let charge = || {
        ask(Action::ChargeBank {
            customer: 0,
            of: 1,
            amount: 5_000,
        })
    };
    let verify = |amounts| {
        ask(Action::VerifyBank {
            customer: 0,
            of: 1,
            amounts,
        })
    };
    let save = || {
        ask(Action::SaveBank {
            customer: 0,
            token: "us",
        })
    };
    let seen = history(vec![
        (1_000, ask(Action::CreateCustomer)),
        (2_000, save()),
        (3_000, save()),
        (4_000, charge()),
        (5_000, verify([1, 2])),
        (6_000, verify([32, 45])),
        (7_000, verify([32, 45])),
        (8_000, charge()),
        (9_000, ask(Action::RefundCharge { of: 7, amount: None })),
        (20_000, ask(Action::RefundCharge { of: 7, amount: None })),
    ]);
    assert_eq!((seen.banks_verified, seen.bank_charges), (1, 1));
}
