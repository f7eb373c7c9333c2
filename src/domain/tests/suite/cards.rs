//! Every plain decline, and what it says.

use crate::form::command;
use crate::shop::Shop;
use tollgate_domain::payments::authentication::AuthenticationRule;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::payment_method::{Behaviour, CardRisk, CheckResult, TestCard};
use tollgate_domain::{ErrorType, Object, Reply, kinds};

/// Name behind `pm_card_`, code, decline code, advice code, network advice code, network decline code, param.
const DECLINES: &str = "
    visa_chargeDeclined                      card_declined     generic_decline         try_again_later   -   01  -
    visa_chargeDeclinedInsufficientFunds     card_declined     insufficient_funds      try_again_later   02  51  -
    visa_chargeDeclinedLostCard              card_declined     lost_card               do_not_try_again  01  41  -
    visa_chargeDeclinedStolenCard            card_declined     stolen_card             do_not_try_again  01  43  -
    visa_chargeDeclinedVelocityLimitExceeded card_declined     card_velocity_exceeded  try_again_later   02  61  -
    chargeDeclinedExpiredCard                expired_card      expired_card            confirm_card_data 03  54  exp_month
    chargeDeclinedIncorrectCvc               incorrect_cvc     incorrect_cvc           confirm_card_data 03  N7  cvc
    chargeDeclinedProcessingError            processing_error  processing_error        try_again_later   -   06  -
    chargeCustomerFail                       card_declined     generic_decline         try_again_later   -   01  -
    chargeDeclined                           card_declined     generic_decline         try_again_later   -   01  -
";

#[test]
fn every_declined_card_says_why() {
    for row in DECLINES.trim().lines() {
        let columns: Vec<&str> = row.split_whitespace().collect();
        let [name, code, decline_code, advice, network_advice, network_decline, param] = columns[..] else {
            panic!("seven columns: {row}")
        };
        let mut shop = Shop::open();
        let done = shop.ask(&confirm(name)).expect("a decline changes things");
        let Reply::Reject(reject) = &done.decision.reply else {
            panic!("{name} is declined")
        };
        let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        assert_eq!(
            (reject.status, reject.kind, reject.began),
            (402, ErrorType::CardError, true)
        );
        assert_eq!(
            [
                told(&reject.code),
                told(&reject.decline_code),
                told(&reject.advice_code),
                told(&reject.network_advice_code),
                told(&reject.network_decline_code),
                told(&reject.param),
            ],
            [code, decline_code, advice, network_advice, network_decline, param],
            "{name}"
        );
        failed_charge_is_kept(&shop, &done.decision.facts, reject);
        let events: Vec<&str> = done
            .events
            .iter()
            .map(|event| tollgate_resource::Names::name(event.kind))
            .collect();
        assert_eq!(
            events,
            [
                "payment_intent.created",
                "charge.failed",
                "payment_intent.payment_failed"
            ]
        );
        assert!(done.decision.facts.entries.is_empty(), "no money moves");
        crate::audit::check(&shop);
    }
}

#[test]
fn every_good_card_pays() {
    for name in TestCard::all()
        .filter(|card| card.behaviour == Behaviour::Succeed)
        .filter(|card| !matches!(card.authentication, AuthenticationRule::Required(..)))
        .filter(|card| {
            !matches!(card.risk, CardRisk::Highest | CardRisk::Blocked) && card.checks.cvc != CheckResult::Fail
        })
        .filter_map(TestCard::name)
    {
        let mut shop = Shop::open();
        let done = shop.ask(&confirm(name)).expect("paid");
        assert!(matches!(done.decision.reply, Reply::Object(..)), "{name}");
        crate::audit::check(&shop);
    }
}

fn failed_charge_is_kept(shop: &Shop, facts: &tollgate_domain::Facts, reject: &tollgate_domain::Reject) {
    let charge = reject.charge.expect("the failed charge is named");
    let Some(Object::Charge(charge)) = facts.object(&kinds::CHARGE, charge) else {
        panic!("it is stored")
    };
    assert!(matches!(charge.state, ChargeState::Failed { .. }));
    let intent = reject.payment_intent.expect("the intent is embedded");
    let Some(Object::PaymentIntent(intent)) = facts.object(&kinds::PAYMENT_INTENT, intent) else {
        panic!("it is stored")
    };
    assert_eq!((intent.payment_method, intent.latest_charge()), (None, Some(charge.id)));
    let error = intent.last_error.as_ref().expect("it says why");
    assert_eq!((error.charge, error.payment_method.customer), (Some(charge.id), None));
    assert_eq!(reject.payment_method, Some(error.payment_method.id));
    assert!(matches!(
        shop.get(&kinds::PAYMENT_METHOD, error.payment_method.id),
        Object::PaymentMethod(_)
    ));
}

fn confirm(card: &str) -> tollgate_domain::Command {
    let method = format!("pm_card_{card}");
    let pairs = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method", method.as_str()),
        ("confirm", "true"),
    ];
    command("create_payment_intent", &pairs)
}
