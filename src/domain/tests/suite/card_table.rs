//! Every test card at every place that takes one: a payment, saving, a setup, and the older charge.

use crate::form::command;
use crate::shop::{Done, Shop};
use tollgate_domain::payments::payment_intent::Status;
use tollgate_domain::payments::payment_method::{PaymentMethodParam, Saving, TestCard};
use tollgate_domain::payments::setup_intent;
use tollgate_domain::{Command, Object, Reply, Stop};

/// Cards that do not simply pay. Name, then what comes of a confirmed payment, of saving to a customer, of a confirmed
/// setup and of a charge by token. `ok` is success, `action` waits for the cardholder, anything else the decline code.
const SPECIAL: &str = "
    visa_chargeDeclined                                   generic_decline         generic_decline         generic_decline         generic_decline
    visa_chargeDeclinedInsufficientFunds                  insufficient_funds      insufficient_funds      insufficient_funds      insufficient_funds
    visa_chargeDeclinedLostCard                           lost_card               lost_card               lost_card               lost_card
    visa_chargeDeclinedStolenCard                         stolen_card             stolen_card             stolen_card             stolen_card
    visa_chargeDeclinedVelocityLimitExceeded              card_velocity_exceeded  card_velocity_exceeded  card_velocity_exceeded  card_velocity_exceeded
    chargeDeclinedExpiredCard                             expired_card            expired_card            expired_card            expired_card
    chargeDeclinedIncorrectCvc                            incorrect_cvc           incorrect_cvc           incorrect_cvc           incorrect_cvc
    chargeDeclinedProcessingError                         processing_error        processing_error        processing_error        processing_error
    chargeCustomerFail                                    generic_decline         ok                      ok                      generic_decline
    visa_chargeDeclinedFraudulent                         fraudulent              fraudulent              fraudulent              fraudulent
    visa_chargeCustomerFailLostCard                       lost_card               ok                      ok                      lost_card
    visa_chargeCustomerFailStolenCard                     stolen_card             ok                      ok                      stolen_card
    visa_debit_chargeDeclinedInsufficientFunds            insufficient_funds      insufficient_funds      insufficient_funds      insufficient_funds
    radarBlock                                            fraudulent              ok                      ok                      fraudulent
    riskLevelHighest                                      fraudulent              ok                      ok                      fraudulent
    cvcCheckFail                                          incorrect_cvc           incorrect_cvc           incorrect_cvc           incorrect_cvc
    cvcCheckFailElevatedRisk                              incorrect_cvc           incorrect_cvc           incorrect_cvc           incorrect_cvc
    authenticationRequiredOnSetup                         action                  ok                      action                  authentication_required
    authenticationRequired                                action                  ok                      action                  authentication_required
    authenticationRequiredSetupForOffSession              action                  ok                      action                  ok
    authenticationRequiredChargeDeclinedInsufficientFunds action                  ok                      action                  insufficient_funds
    threeDSecure2Required                                 action                  ok                      action                  authentication_required
    threeDSecureRequired                                  action                  ok                      action                  authentication_required
    threeDSecureRequiredChargeDeclined                    action                  ok                      action                  authentication_required
    threeDSecureRequiredProcessingError                   generic_decline         ok                      generic_decline         authentication_required
";

#[test]
fn every_card_does_what_the_table_says_at_every_place() {
    let special: Vec<Vec<&str>> = SPECIAL
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|row: &Vec<&str>| !row.is_empty())
        .collect();
    let mut wrong = Vec::new();
    // Cards of our own wait for the remote network; its suite plays them.
    for card in TestCard::all().filter(|card| card.number < 900) {
        let Some(name) = card.name() else {
            assert_eq!(pay_by_number(card), "ok", "{}", card.number);
            continue;
        };
        let told = [
            pay(&[("payment_method", &format!("pm_card_{name}"))]),
            save(card),
            set_up(name),
            charge(name),
        ];
        let row = special.iter().find(|row| row[0] == name);
        let wanted = row.map_or(["ok"; 4].to_vec(), |row| row[1..].to_vec());
        if told.iter().ne(&wanted) {
            wrong.push(format!("{name:<56} {}", told.join(" ")));
        }
    }
    for row in &special {
        assert!(TestCard::by_name(row[0]).is_some(), "{} is no card", row[0]);
    }
    assert!(wrong.is_empty(), "differ:\n{}", wrong.join("\n"));
}

fn pay(with: &[(&str, &str)]) -> String {
    let mut pairs = vec![("amount", "2000"), ("currency", "usd"), ("confirm", "true")];
    pairs.extend_from_slice(with);
    let mut shop = Shop::open();
    let done = shop.ask(&command("create_payment_intent", &pairs));
    crate::audit::check(&shop);
    outcome(done)
}

fn pay_by_number(card: &TestCard) -> String {
    pay(&[
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][number]", card.digits),
        ("payment_method_data[card][exp_month]", "12"),
        ("payment_method_data[card][exp_year]", "2040"),
    ])
}

fn save(card: &'static TestCard) -> String {
    let mut shop = Shop::open();
    let made = shop.ask(&command("create_customer", &[])).expect("made");
    let customer = made.decision.facts.objects[0].id();
    outcome(shop.ask(&Command::AttachPaymentMethod(
        PaymentMethodParam::card(card),
        Some(customer),
        Saving::Asked,
    )))
}

fn set_up(name: &str) -> String {
    let method = format!("pm_card_{name}");
    let mut shop = Shop::open();
    let pairs = [("payment_method", method.as_str()), ("confirm", "true")];
    outcome(shop.ask(&command("create_setup_intent", &pairs)))
}

fn charge(name: &str) -> String {
    let token = format!("tok_{name}");
    let pairs = [("amount", "2000"), ("currency", "usd"), ("source", token.as_str())];
    let mut shop = Shop::open();
    let done = shop.ask(&command("create_charge", &pairs));
    crate::audit::check(&shop);
    outcome(done)
}

fn outcome(done: Result<Done, Stop>) -> String {
    let reject = match done {
        Ok(done) => match done.decision.reply {
            Reply::Object(kind, id) => {
                return match done.decision.facts.object(kind, id) {
                    Some(Object::PaymentIntent(intent)) if matches!(intent.status, Status::RequiresAction { .. }) => {
                        "action".into()
                    }
                    Some(Object::SetupIntent(intent))
                        if matches!(intent.status, setup_intent::Status::RequiresAction { .. }) =>
                    {
                        "action".into()
                    }
                    _ => "ok".into(),
                };
            }
            Reply::Reject(reject) => reject,
            other => panic!("{other:?}"),
        },
        Err(Stop::Reject(reject)) => reject,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(reject.status, 402, "{}", reject.message);
    reject.decline_code.expect("a decline says why")
}
