//! Payment intents: changed, raised, paid with data of the request.

use crate::form::command;
use crate::script::check;
use crate::shop::Shop;
use tollgate_domain::payments::payment_intent::PaymentIntent;
use tollgate_domain::payments::payment_method::PaymentMethodType;
use tollgate_domain::{Command, Object, Reply, Stop, kinds};

#[test]
fn what_decides_the_payment_changes_until_it_is_paid() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd
        200 pi1
        · pi1 requires_payment_method 2000 usd
        events payment_intent.created

        > update_payment_intent @pi1 amount=2500 payment_method=pm_card_visa description=book
        200 pi1
        · pm1 4242
        · pi1 requires_confirmation 2500 usd method=pm1

        > update_payment_intent @pi1 currency=eur amount=49
        400 amount_too_small param=amount (not begun): Amount must be at least €0.50 eur

        > update_payment_intent @pi1 currency=jpy amount=500
        200 pi1
        · pi1 requires_confirmation 500 jpy method=pm1

        > update_payment_intent @pi1 amount=1000 currency=usd
        200 pi1
        · pi1 requires_confirmation 1000 usd method=pm1

        > confirm_payment_intent @pi1
        200 pi1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · pm1 4242 used up
        · pi1 succeeded 1000 usd received=1000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > update_payment_intent @pi1 amount=1100
        400 payment_intent_unexpected_state param=amount pi=pi1: This PaymentIntent's amount could not be updated because it has a status of succeeded. You may only update the amount of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.

        > update_payment_intent @pi1 payment_method=pm_card_visa
        400 payment_intent_unexpected_state param=payment_method pi=pi1: This PaymentIntent's payment_method could not be updated because it has a status of succeeded. You may only update the payment_method of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.

        > update_payment_intent @pi1 description=sold metadata[order]=7
        200 pi1
        · pi1 succeeded 1000 usd received=1000 method=pm1 charge=ch1
        ",
    );
}

#[test]
fn another_amount_asks_the_payer_again() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequired confirm=true
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 3184
        events payment_intent.created, payment_intent.requires_action

        > update_payment_intent @pi1 description=book
        200 pi1
        · pi1 requires_action 2000 usd method=pm1

        > update_payment_intent @pi1 amount=2500
        200 pi1
        · pi1 requires_confirmation 2500 usd method=pm1

        > confirm_payment_intent @pi1
        200 pi1
        · pi1 requires_action 2500 usd method=pm1
        events payment_intent.requires_action

        > update_payment_intent @pi1 payment_method=pm_card_visa
        200 pi1
        · pm2 4242
        · pi1 requires_confirmation 2500 usd method=pm2
        ",
    );
}

#[test]
fn a_hold_is_raised_if_that_was_asked_for() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true capture_method=manual
        200 pi1
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 held 2000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > increment_authorization_payment_intent @pi1 amount=3000
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent's authorization cannot be incremented. Ask for it when the PaymentIntent is confirmed, with `payment_method_options[card][request_incremental_authorization]=if_available`.

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true payment_method_options[card][capture_method]=manual payment_method_options[card][request_incremental_authorization]=if_available
        200 pi2
        · pi2 requires_capture 2000 usd method=pm2 charge=ch2
        · pm2 4242 used up
        · ch2 held 2000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > increment_authorization_payment_intent @pi2 amount=2000
        400 param=amount pi=pi2: The amount ($20.00) must be greater than the amount that is authorized now ($20.00).

        > increment_authorization_payment_intent @pi2 amount=3000
        200 pi2
        · ch2 held 3000 usd
        · pi2 requires_capture 3000 usd method=pm2 charge=ch2
        events payment_intent.amount_capturable_updated

        > capture_payment_intent @pi2
        200 pi2
        · txn1 charge 3000 fee 117 net 2883 in 2 days for ch2
        · ch2 captured 3000 usd captured=3000
        · pi2 succeeded 3000 usd received=3000 method=pm2 charge=ch2
        · entry capture ch2: network_receivable{instant} 3000, merchant_balance -3000, merchant_balance 117, fee_revenue -117
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 2883

        > increment_authorization_payment_intent @pi2 amount=4000
        400 payment_intent_unexpected_state pi=pi2: This PaymentIntent's authorization could not be incremented because it has a status of succeeded. Only a PaymentIntent with a status of requires_capture may be incremented.
        ",
    );
}

#[test]
fn a_card_is_asked_for_proof_when_the_request_wants_it() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecureOptional confirm=true payment_method_options[card][request_three_d_secure]=any
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 3055
        events payment_intent.created, payment_intent.requires_action

        > apply_customer_balance_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent cannot be paid from a customer's cash balance: that takes the payment method type `customer_balance`, which this PaymentIntent does not accept. It accepts: card.

        > confirm_payment_intent @pi1 amount_to_confirm=1999
        400 param=amount_to_confirm pi=pi1: The amount to confirm (1999) does not match the amount of the PaymentIntent (2000).
        ",
    );
}

fn made(shop: &mut Shop, pairs: &[(&str, &str)]) -> PaymentIntent {
    let pairs = [&[("amount", "2000"), ("currency", "usd")], pairs].concat();
    let done = shop.ask(&command("create_payment_intent", &pairs)).expect("made");
    let Reply::Object(_, id) = done.decision.reply else {
        panic!("it is made")
    };
    kept(shop, id)
}

fn kept(shop: &Shop, id: tollgate_resource::Id) -> PaymentIntent {
    match shop.get(&kinds::PAYMENT_INTENT, id) {
        Object::PaymentIntent(intent) => (**intent).clone(),
        other => panic!("{other:?}"),
    }
}

fn update(shop: &mut Shop, intent: &PaymentIntent, pairs: &[(&str, &str)]) -> Result<PaymentIntent, Stop> {
    let Command::UpdatePaymentIntent(_, asked) = crate::form::command_at("update_payment_intent", intent.id, pairs)
    else {
        panic!("it is an update")
    };
    shop.ask(&Command::UpdatePaymentIntent(intent.id, asked))?;
    Ok(kept(shop, intent.id))
}

#[test]
fn an_empty_string_takes_away() {
    let mut shop = Shop::open();
    let intent = made(
        &mut shop,
        &[
            ("description", "book"),
            ("receipt_email", "ada@example.com"),
            ("setup_future_usage", "off_session"),
            ("metadata[order]", "7"),
            ("payment_details[order_reference]", "o-7"),
            ("amount_details[tax][total_tax_amount]", "120"),
            ("payment_method_options[card][setup_future_usage]", "none"),
            ("payment_method_options[card][network]", "visa"),
        ],
    );
    assert_eq!(
        intent.saves_for(PaymentMethodType::Card),
        None,
        "the card's own setting goes before the intent's"
    );
    let particulars = intent.particulars.as_ref().expect("kept");
    assert_eq!(
        particulars.amount_details.as_ref().and_then(|details| details.tax),
        Some(120)
    );
    let changed = update(
        &mut shop,
        &intent,
        &[
            ("description", ""),
            ("receipt_email", ""),
            ("setup_future_usage", ""),
            ("metadata[order]", ""),
            ("payment_details", ""),
            ("amount_details", ""),
            ("payment_method_options[card]", ""),
        ],
    )
    .expect("changed");
    assert_eq!((changed.description, changed.receipt_email), (None, None));
    assert_eq!((changed.setup_future_usage, changed.metadata.len()), (None, 0));
    assert_eq!(changed.particulars, None, "nothing is left of what few intents say");
}

#[test]
fn a_payment_method_is_made_with_the_payment() {
    let mut shop = Shop::open();
    let data = [
        ("payment_method_data[type]", "card"),
        ("payment_method_data[card][token]", "tok_mastercard"),
        ("confirm", "true"),
    ];
    let intent = made(&mut shop, &data);
    assert_eq!(intent.amount_received(), 2_000);
    let Object::PaymentMethod(method) = shop.get(&kinds::PAYMENT_METHOD, intent.payment_method.expect("paid with"))
    else {
        panic!("a payment method")
    };
    assert_eq!(method.instrument.card().expect("a card").last4().text(), "4444");
    let both = [("payment_method", "pm_card_visa"), data[0], data[1]];
    let pairs = [&[("amount", "2000"), ("currency", "usd")], &both[..]].concat();
    let Err(Stop::Reject(reject)) = shop.ask(&command("create_payment_intent", &pairs)) else {
        panic!("one of both")
    };
    assert!(
        reject
            .message
            .starts_with("You may only specify one of these parameters")
    );
}

#[test]
fn a_wrong_client_secret_confirms_nothing() {
    let mut shop = Shop::open();
    let intent = made(&mut shop, &[("payment_method", "pm_card_visa")]);
    let secret = shop.secrets.client_secret(&kinds::PAYMENT_INTENT, intent.id);
    let confirm = |secret: &str| {
        let pairs = [("client_secret", secret)];
        crate::form::command_at("confirm_payment_intent", intent.id, &pairs)
    };
    let Err(Stop::Reject(reject)) = shop.ask(&confirm("pi_1_secret_2")) else {
        panic!("it is wrong")
    };
    assert_eq!(reject.param.as_deref(), Some("client_secret"));
    shop.ask(&confirm(&secret)).expect("it is right");
    assert_eq!(kept(&shop, intent.id).amount_received(), 2_000);
}

#[test]
fn a_confirmation_token_confirms_once() {
    check(
        "
        > create_confirmation_token payment_method=pm_card_visa return_url=https://shop.example/back
        200 ctoken1
        · ctoken1

        > create_payment_intent amount=2000 currency=usd confirm=true confirmation_token=@ctoken1
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ctoken1 used by pi1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_payment_intent amount=2000 currency=usd
        200 pi2
        · pi2 requires_payment_method 2000 usd
        events payment_intent.created

        > confirm_payment_intent @pi2 confirmation_token=@ctoken1
        400 confirmation_token_unusable param=confirmation_token: The ConfirmationToken ctoken1 has already been used. Please make a new one.

        > verify_microdeposits_payment_intent @pi2 descriptor_code=SM11AA
        400 payment_intent_unexpected_state pi=pi2: You cannot verify microdeposits of this PaymentIntent because it does not wait for any. Only payment methods of bank accounts are verified with microdeposits.
        ",
    );
}

#[test]
fn a_change_forgets_why_the_last_try_failed() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa_chargeDeclined confirm=true
        402 card_declined decline=generic_decline charge=ch1 pi=pi1 pm=pm1: Your card was declined.
        · pi1 requires_payment_method 2000 usd charge=ch1 error=1
        · pm1 0002
        · ch1 failed 2000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > update_payment_intent @pi1 metadata[tried]=once
        200 pi1
        · pi1 requires_payment_method 2000 usd charge=ch1
        ",
    );
}

#[test]
fn what_a_page_makes_a_token_of_confirms_with_its_agreement() {
    check(
        "
        > create_page_confirmation_token payment_method_data[type]=card payment_method_data[card][token]=tok_visa return_url=nowhere
        400 url_invalid param=return_url (not begun): Not a valid URL

        > create_page_confirmation_token payment_method_data[type]=card payment_method_data[card][token]=tok_visa mandate_data[customer_acceptance][type]=online
        400 parameter_missing param=mandate_data[customer_acceptance][online][ip_address] (not begun): Missing required param: mandate_data[customer_acceptance][online][ip_address].

        > create_page_confirmation_token payment_method_data[type]=card payment_method_data[card][token]=tok_visa setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline use_stripe_sdk=true
        200 ctoken1
        · ctoken1

        > create_setup_intent confirmation_token=@ctoken1 confirm=true
        200 seti1
        · seti1 succeeded method=pm1 attempt=setatt1 mandate=mandate1
        · pm1 4242
        · setatt1 succeeded pm1
        · mandate1 multi_use of pm1
        · ctoken1 used by seti1
        events setup_intent.created, setup_intent.succeeded

        > create_page_confirmation_token payment_method_data[type]=card payment_method_data[card][token]=tok_visa setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline
        200 ctoken2
        · ctoken2

        > create_payment_intent amount=2000 currency=usd confirmation_token=@ctoken2 confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm2 charge=ch1
        · pm2 4242 used up
        · ch1 captured 2000 usd mandate=mandate2 captured=2000
        · mandate2 multi_use of pm2
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ctoken2 used by pi1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_page_confirmation_token payment_method_data[type]=card payment_method_data[card][token]=tok_visa setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline
        200 ctoken3
        · ctoken3

        > create_payment_intent amount=2000 currency=usd
        200 pi2
        · pi2 requires_payment_method 2000 usd
        events payment_intent.created

        > confirm_payment_intent @pi2 confirmation_token=@ctoken3
        200 pi2
        · pm3 4242 used up
        · ch2 captured 2000 usd mandate=mandate3 captured=2000
        · mandate3 multi_use of pm3
        · txn2 charge 2000 fee 88 net 1912 in 2 days for ch2
        · ctoken3 used by pi2
        · pi2 succeeded 2000 usd received=2000 method=pm3 charge=ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 3824
        ",
    );
}
