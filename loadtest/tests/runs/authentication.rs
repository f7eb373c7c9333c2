//! Cards whose holders authenticate a payment before it has an outcome.

use crate::fake_api::Fault;
use crate::open_loop::{Ran, SCENARIO, run};

/// Every kind of payment with cards that ask, beside others.
fn authenticated(fault: Fault, budget: &str) -> Ran {
    let asks = "[[card]]\nname = \"pm_card_threeDSecure2Required\"\nweight = 3\noutcome = \"authenticates\"\n[client]";
    let scenario = SCENARIO
        .replace("[client]", asks)
        .replace("[slo]", &format!("[slo]\nerrors_max = {budget}"));
    run(&scenario, fault, &["--threads", "2"])
}

#[test]
fn payments_are_authenticated_and_every_cent_of_them_is_found() {
    let ran = authenticated(Fault::None, "0.0");
    assert_eq!(ran.code, 0, "{}", ran.text);
    let operations = ran.record["operations"].as_object().unwrap();
    assert_eq!(operations.len(), 17, "{:?}", operations.keys().collect::<Vec<_>>());
    let counts = &operations["authenticate"];
    assert!(counts["good"].as_u64() >= Some(30), "{}", ran.text);
    assert_eq!((&counts["due"], counts["failed"].as_u64()), (&counts["good"], Some(0)));
    let money = &ran.record["money"];
    assert_eq!(
        (&money["difference"], &money["difference_count"]),
        (&0.into(), &0.into())
    );
    assert_eq!(money["movements_checked"], money["movements"]);
    let totals = &ran.record["totals"];
    let (due, planned) = (totals["due"].as_f64().unwrap(), totals["planned"].as_f64().unwrap());
    assert!(
        (due / planned - 1.0).abs() < 0.25,
        "{due} due of {planned}: {}",
        ran.text
    );
}

#[test]
fn payments_whose_answers_are_lost_are_authenticated_all_the_same() {
    let ran = authenticated(Fault::CloseAfterPaying, "0.0");
    assert_eq!(ran.code, 0, "{}", ran.text);
    assert_eq!(ran.record["money"]["difference_count"], 0);
}

#[test]
fn a_page_that_cannot_be_read_is_named_and_moves_no_money() {
    let ran = authenticated(Fault::LeavePageEmpty, "1.0");
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(ran.text.contains("authentication page has no form"), "{}", ran.text);
    assert_eq!(ran.record["money"]["difference_count"], 0, "{}", ran.text);
}

#[test]
fn an_authentication_without_a_payment_is_a_difference() {
    let ran = authenticated(Fault::ForgetAuthentications, "1.0");
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(
        ran.text.contains("authenticated, but the payment is requires_action"),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("was authenticated, but is not paid"), "{}", ran.text);
}

#[test]
fn a_payment_without_its_authentication_is_a_difference() {
    let ran = authenticated(Fault::PayUnauthenticated, "1.0");
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(ran.text.contains("which was never acknowledged"), "{}", ran.text);
}
