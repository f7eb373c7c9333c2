//! What setting up does with every test card, and what a payment in its holder's absence says afterwards.

use crate::form::command;
use crate::shop::Shop;
use tollgate_domain::payments::authentication::{AuthenticationRule, CompletedAction};
use tollgate_domain::payments::payment_method::{Behaviour, TestCard};
use tollgate_domain::payments::setup_intent::StatusName;
use tollgate_domain::{Command, Object, Reply, kinds};
use tollgate_resource::Id;

/// Name behind `pm_card_`; what the setup says: `ok`, `challenge` (and then ok), or why not; what an off-session payment
/// says afterwards.
const CARDS: &str = "
    visa                                                   ok                 ok
    mastercard_prepaid                                     ok                 ok
    amex_threeDSecureNotSupported                          ok                 ok
    visa_chargeDeclined                                    generic_decline    -
    visa_chargeDeclinedInsufficientFunds                   insufficient_funds -
    visa_chargeDeclinedLostCard                            lost_card          -
    visa_chargeDeclinedStolenCard                          stolen_card        -
    visa_chargeDeclinedVelocityLimitExceeded               card_velocity_exceeded -
    chargeDeclinedExpiredCard                              expired_card       -
    chargeDeclinedIncorrectCvc                             incorrect_cvc      -
    chargeDeclinedProcessingError                          processing_error   -
    chargeCustomerFail                                     ok                 generic_decline
    cvcCheckFail                                           incorrect_cvc      -
    avsZipFail                                             ok                 ok
    avsFail                                                ok                 ok
    radarBlock                                             ok                 fraudulent
    createDispute                                          ok                 ok
    authenticationRequiredOnSetup                          challenge          ok
    authenticationRequired                                 challenge          authentication_required
    authenticationRequiredSetupForOffSession               challenge          ok
    authenticationRequiredChargeDeclinedInsufficientFunds  challenge          insufficient_funds
    threeDSecure2Required                                  challenge          authentication_required
    threeDSecureRequiredChargeDeclined                     challenge          authentication_required
    threeDSecureRequiredProcessingError                    generic_decline    -
    threeDSecureOptional                                   ok                 ok
    threeDSecureOptionalProcessingError                    ok                 ok
";

#[test]
fn every_card_is_set_up_or_says_why_not() {
    for row in CARDS.trim().lines() {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [name, setup, later] = columns[..] else {
            panic!("three columns: {row}")
        };
        let mut shop = Shop::open();
        let customer = made(
            &shop
                .ask(&Command::CreateCustomer(Box::default()))
                .expect("made")
                .decision
                .reply,
        );
        let (said, method) = set_up(&mut shop, name, customer);
        assert_eq!(said, setup, "{name}");
        let paid = method.map_or("-".into(), |method| pay_later(&mut shop, customer, method));
        assert_eq!(paid, later, "{name} afterwards");
        crate::audit::check(&shop);
    }
}

#[test]
fn every_good_card_is_set_up() {
    let good = TestCard::all().filter(|card| {
        let asks = matches!(card.authentication, AuthenticationRule::Required(..));
        card.behaviour == Behaviour::Succeed
            && !asks
            && card.name().is_some_and(|name| !name.starts_with("cvcCheckFail"))
    });
    let mut count = 0;
    for card in good {
        let name = card.name().expect("filtered above");
        let mut shop = Shop::open();
        let customer = made(
            &shop
                .ask(&Command::CreateCustomer(Box::default()))
                .expect("made")
                .decision
                .reply,
        );
        assert_eq!(set_up(&mut shop, name, customer).0, "ok", "{name}");
        count += 1;
    }
    assert!(count > 70, "only {count} cards were tried");
}

/// What the setup says, and the payment method if it is ready.
fn set_up(shop: &mut Shop, card: &str, customer: Id) -> (String, Option<Id>) {
    let (method, customer) = (format!("pm_card_{card}"), customer.text(&kinds::CUSTOMER));
    let pairs = [
        ("customer", customer.as_str()),
        ("payment_method", method.as_str()),
        ("confirm", "true"),
    ];
    let done = shop.ask(&command("create_setup_intent", &pairs)).expect("decided");
    let id = match &done.decision.reply {
        Reply::Object(_, id) => *id,
        Reply::Reject(reject) => {
            assert_eq!((reject.status, reject.began), (402, true), "{card}");
            assert_eq!((reject.charge, reject.payment_intent), (None, None), "{card}");
            assert!(
                reject.setup_intent.is_some() && reject.payment_method.is_some(),
                "{card}"
            );
            return (reject.decline_code.clone().expect("a decline"), None);
        }
        other => panic!("{card}: {other:?}"),
    };
    let (status, action, method) = state(shop, id);
    if status == StatusName::Succeeded {
        return ("ok".into(), method);
    }
    let done = Command::CompleteAction(CompletedAction {
        object: id,
        nonce: action.expect("an open action"),
        authenticated: true,
    });
    shop.ask(&done).expect("decided");
    let (status, _, method) = state(shop, id);
    assert_eq!(status, StatusName::Succeeded, "{card} after the challenge");
    ("challenge".into(), method)
}

fn pay_later(shop: &mut Shop, customer: Id, method: Id) -> String {
    let (customer, method) = (customer.text(&kinds::CUSTOMER), method.text(&kinds::PAYMENT_METHOD));
    let pairs = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("payment_method", method.as_str()),
        ("off_session", "true"),
        ("confirm", "true"),
    ];
    let done = shop.ask(&command("create_payment_intent", &pairs)).expect("decided");
    match &done.decision.reply {
        Reply::Object(..) => "ok".into(),
        Reply::Reject(reject) => reject.decline_code.clone().expect("a decline"),
        other => panic!("{other:?}"),
    }
}

fn state(shop: &Shop, id: Id) -> (StatusName, Option<u64>, Option<Id>) {
    let object = shop.get(&kinds::SETUP_INTENT, id);
    let action = object.action().map(|action| action.nonce);
    match object {
        Object::SetupIntent(intent) => (intent.status.name(), action, intent.payment_method),
        other => panic!("{} is no setup intent", other.kind().object),
    }
}

fn made(reply: &Reply) -> Id {
    match reply {
        Reply::Object(_, id) => *id,
        other => panic!("{other:?}"),
    }
}
