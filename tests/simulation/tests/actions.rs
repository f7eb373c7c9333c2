//! Histories of single parked payments and setups: their payers act, fail to, act twice, and act too late.

use tollgate_simulation::plan::{Action, What, Wish};
use tollgate_simulation::{Plan, run};

/// Runs these actions, a second apart, in calm weather; how many actions of payers ended something.
#[track_caller]
fn acted(actions: Vec<Action>) -> u64 {
    let steps = actions.into_iter().enumerate().map(|(number, action)| {
        let wish = Wish {
            keyed: number % 2 == 0,
            ..Wish::of(action)
        };
        (1_000 * number as u64, What::Ask(wish))
    });
    match run(&Plan::written(steps.collect())) {
        Ok((counts, _)) => counts.seen.actions,
        Err(failure) => panic!("{failure}"),
    }
}

fn pay(card: &'static str, manual: bool) -> Action {
    Action::Create {
        amount: 5_000,
        currency: "usd",
        card: Some(card),
        confirm: true,
        manual,
        customer: None,
        save: false,
    }
}

fn authenticate(passes: bool) -> Action {
    Action::Authenticate {
        of: 0,
        passes,
        first: false,
    }
}

#[test]
fn a_parked_payment_goes_on_once() {
    for card in ["threeDSecure2Required", "threeDSecureRequiredChargeDeclined"] {
        for manual in [false, true] {
            let seen = acted(vec![
                pay(card, manual),
                authenticate(true),
                authenticate(true),
                authenticate(false),
                Action::Capture { of: 0, amount: None },
            ]);
            assert_eq!(seen, 1, "{card}");
        }
    }
}

#[test]
fn who_fails_may_try_again_with_another_card() {
    let seen = acted(vec![
        pay("authenticationRequired", false),
        authenticate(false),
        authenticate(true),
        Action::Confirm {
            of: 0,
            card: "authenticationRequired",
        },
        authenticate(true),
    ]);
    assert_eq!(seen, 2);
}

#[test]
fn the_page_of_an_earlier_action_ends_nothing() {
    let park = Action::Confirm {
        of: 0,
        card: "authenticationRequired",
    };
    let early = Action::Authenticate {
        of: 0,
        passes: true,
        first: true,
    };
    let seen = acted(vec![
        pay("authenticationRequired", false),
        park,
        early,
        authenticate(true),
    ]);
    assert_eq!(seen, 1);
}

#[test]
fn nobody_acts_on_what_went_on_without_them() {
    let seen = acted(vec![
        pay("authenticationRequired", false),
        Action::Cancel { of: 0 },
        authenticate(true),
    ]);
    assert_eq!(seen, 0);
}

#[test]
fn a_setup_waits_for_its_cardholder() {
    for passes in [true, false] {
        let seen = acted(vec![
            Action::SetUp {
                card: Some("authenticationRequired"),
                confirm: true,
                customer: None,
            },
            authenticate(passes),
            authenticate(true),
        ]);
        assert_eq!(seen, 1);
    }
}
