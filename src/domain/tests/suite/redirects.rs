//! Payments that the payer agrees to on a page of another company.

use crate::form::{command, command_at};
use crate::script::check;
use crate::shop::Shop;
use tollgate_domain::payments::payment_intent::RedirectOptions;
use tollgate_domain::{Object, Reply, kinds};
use tollgate_resource::Names;

#[test]
fn a_bank_page_is_agreed_to_and_the_payment_is_refunded() {
    check(
        "
        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=ideal payment_method_data[type]=ideal payment_method_data[ideal][bank]=ing confirm=true return_url=https://shop.example/back
        200 pi1
        · pi1 requires_action 2000 eur method=pm1
        · pm1 ideal
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        200 pi1
        · ch1 captured 2000 eur captured=2000
        · txn1 payment 2000 fee 88 net 1912 in 2 days for ch1
        · pm1 ideal used up
        · pi1 succeeded 2000 eur received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 1912

        > create_refund charge=@ch1 amount=500
        200 re1
        · re1 confirmed 500 eur of ch1
        · txn2 payment_refund -500 fee 0 net -500 in 2 days for re1
        · ch1 captured 2000 eur captured=2000 refunded=500
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{instant} -500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance eur available 0 pending 1412

        > act pi1 complete
        400 payment_intent_unexpected_state pi=pi1: This authentication is over: it was completed before, or the payment went on without it.
        ",
    );
}

#[test]
fn a_payer_who_does_not_agree_may_pay_otherwise() {
    check(
        "
        > create_payment_intent amount=5000 currency=usd payment_method_types[0]=affirm payment_method_types[1]=card payment_method_data[type]=affirm confirm=true return_url=https://shop.example/back
        200 pi1
        · pi1 requires_action 5000 usd method=pm1
        · pm1 affirm
        events payment_intent.created, payment_intent.requires_action

        > act pi1 fail
        200 pi1
        · pi1 requires_payment_method 5000 usd error=authentication
        events payment_intent.payment_failed

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        200 pi1
        · pm2 4242 used up
        · ch1 captured 5000 usd captured=5000
        · txn1 charge 5000 fee 175 net 4825 in 2 days for ch1
        · pi1 succeeded 5000 usd received=5000 method=pm2 charge=ch1
        · entry capture ch1: network_receivable{instant} 5000, merchant_balance -5000, merchant_balance 175, fee_revenue -175
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 4825
        ",
    );
}

#[test]
fn a_payment_that_was_agreed_to_can_be_held_where_its_type_can() {
    check(
        "
        > create_payment_intent amount=5000 currency=usd capture_method=manual payment_method_types[0]=klarna payment_method_data[type]=klarna confirm=true return_url=https://shop.example/back
        200 pi1
        · pi1 requires_action 5000 usd method=pm1
        · pm1 klarna
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        200 pi1
        · ch1 held 5000 usd
        · pm1 klarna used up
        · pi1 requires_capture 5000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1 amount_to_capture=3000
        200 pi1
        · txn1 payment 3000 fee 117 net 2883 in 2 days for ch1
        · ch1 captured 5000 usd captured=3000
        · pi1 succeeded 5000 usd received=3000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 3000, merchant_balance -3000, merchant_balance 117, fee_revenue -117
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 2883

        > create_payment_intent amount=5000 currency=eur capture_method=manual payment_method_types[0]=eps
        400 payment_intent_invalid_parameter param=capture_method (not begun): The payment method type `eps` does not support `capture_method=manual`.
        ",
    );
}

#[test]
fn types_take_their_currencies_and_amounts() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=bancontact
        400 payment_intent_invalid_parameter param=currency (not begun): The currency provided (usd) is invalid. Payments with bancontact support the following currencies: eur.

        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=affirm
        400 amount_too_small param=amount (not begun): Amount must be at least $35.00 usd to pay with affirm

        > create_payment_intent amount=500000 currency=usd payment_method_types[0]=afterpay_clearpay
        400 amount_too_large param=amount (not begun): Amount must be no more than $4,000.00 usd to pay with afterpay_clearpay

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=giropay
        400 param=payment_method_types (not begun): The payment method type \"giropay\" is invalid. Please ensure the provided type is activated for your account; this account accepts: acss_debit, affirm, afterpay_clearpay, alipay, amazon_pay, au_becs_debit, bacs_debit, bancontact, card, eps, ideal, klarna, link, p24, paypal, revolut_pay, sepa_debit, us_bank_account.

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=ideal setup_future_usage=off_session
        400 payment_intent_invalid_parameter param=setup_future_usage (not begun): The payment method type `ideal` does not support `setup_future_usage`.

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=card payment_method_data[type]=ideal confirm=true return_url=https://shop.example/back
        400 payment_intent_incompatible_payment_method param=payment_method (not begun): The PaymentMethod provided (ideal) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types to confirm this PaymentIntent: card.

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=ideal payment_method_data[type]=ideal confirm=true
        400 payment_intent_redirect_confirmation_without_return_url param=return_url: You must provide a `return_url` when confirming with a payment method of type `ideal`: the payer is sent to another page and back.

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=bancontact payment_method_data[type]=bancontact
        400 parameter_missing param=payment_method_data[billing_details][name] (not begun): Missing required param: payment_method_data[billing_details][name].

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=ideal payment_method_data[type]=ideal payment_method_data[eps][bank]=bks_bank_ag
        400 param=payment_method_data[eps] (not begun): You provided `eps`, but the type of the PaymentMethod is `ideal`. Provide the details of that type alone.
        ",
    );
}

#[test]
fn a_wallet_is_set_up_and_pays_later_without_the_payer() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_setup_intent customer=@cus1 payment_method_types[0]=paypal payment_method_data[type]=paypal confirm=true return_url=https://shop.example/back
        200 seti1
        · seti1 requires_action customer=cus1 method=pm1 attempt=setatt1
        · pm1 paypal
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > act seti1 complete
        200 seti1
        · cus1 Ada - holds=pm1
        · pm1 paypal of cus1
        · setatt1 succeeded pm1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1
        events payment_method.attached, setup_intent.succeeded

        > create_payment_intent amount=2000 currency=eur customer=@cus1 payment_method_types[0]=paypal payment_method=@pm1 off_session=true confirm=true return_url=https://shop.example/back
        200 pi1
        · pi1 succeeded 2000 eur received=2000 customer=cus1 method=pm1 charge=ch1
        · ch1 captured 2000 eur captured=2000
        · txn1 payment 2000 fee 88 net 1912 in 2 days for ch1
        · pm1 paypal of cus1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 1912

        > create_setup_intent payment_method_types[0]=eps
        400 param=payment_method_types (not begun): The payment method type \"eps\" cannot be set up for payments to come. Use it with a PaymentIntent.
        ",
    );
}

#[test]
fn saved_details_pay_where_the_payer_is() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=link payment_method_data[type]=link payment_method_data[billing_details][email]=ada@shop.example confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 link used up
        · ch1 captured 2000 usd captured=2000
        · txn1 payment 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912
        ",
    );
}

#[test]
fn each_type_is_held_and_saved_as_its_own_settings_say() {
    check(
        "
        > create_customer
        200 cus1
        · cus1 - -
        events customer.created

        > create_payment_intent amount=5000 currency=eur customer=@cus1 payment_method_types[0]=klarna payment_method_types[1]=card payment_method_data[type]=klarna payment_method_options[klarna][capture_method]=manual payment_method_options[klarna][setup_future_usage]=off_session confirm=true return_url=https://shop.example/back
        200 pi1
        · pi1 requires_action 5000 eur customer=cus1 method=pm1
        · pm1 klarna
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        200 pi1
        · ch1 held 5000 eur
        · cus1 - - holds=pm1
        · pm1 klarna of cus1
        · pi1 requires_capture 5000 eur customer=cus1 method=pm1 charge=ch1
        events payment_method.attached, charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1 amount_to_capture=4000
        200 pi1
        · txn1 payment 4000 fee 146 net 3854 in 2 days for ch1
        · ch1 captured 5000 eur captured=4000
        · pi1 succeeded 5000 eur received=4000 customer=cus1 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 4000, merchant_balance -4000, merchant_balance 146, fee_revenue -146
        events charge.captured, payment_intent.succeeded
        balance eur available 0 pending 3854

        > create_payment_intent amount=5000 currency=eur payment_method_types[0]=paypal payment_method_types[1]=card payment_method_data[type]=paypal payment_method_options[card][capture_method]=manual confirm=true return_url=https://shop.example/back
        200 pi2
        · pi2 requires_action 5000 eur method=pm2
        · pm2 paypal
        events payment_intent.created, payment_intent.requires_action

        > act pi2 complete
        200 pi2
        · ch2 captured 5000 eur captured=5000
        · txn2 payment 5000 fee 175 net 4825 in 2 days for ch2
        · pm2 paypal used up
        · pi2 succeeded 5000 eur received=5000 method=pm2 charge=ch2
        · entry capture ch2: network_receivable{instant} 5000, merchant_balance -5000, merchant_balance 175, fee_revenue -175
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 8679

        > create_payment_intent amount=5000 currency=eur setup_future_usage=off_session customer=@cus1 payment_method_types[0]=paypal payment_method_data[type]=paypal payment_method_options[paypal][setup_future_usage]=none confirm=true return_url=https://shop.example/back
        200 pi3
        · pi3 requires_action 5000 eur customer=cus1 method=pm3
        · pm3 paypal
        events payment_intent.created, payment_intent.requires_action

        > act pi3 complete
        200 pi3
        · ch3 captured 5000 eur captured=5000
        · txn3 payment 5000 fee 175 net 4825 in 2 days for ch3
        · pm3 paypal used up
        · pi3 succeeded 5000 eur received=5000 customer=cus1 method=pm3 charge=ch3
        · entry capture ch3: network_receivable{instant} 5000, merchant_balance -5000, merchant_balance 175, fee_revenue -175
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 13504

        > create_payment_intent amount=5000 currency=eur customer=@cus1 payment_method_types[0]=ideal payment_method_data[type]=ideal payment_method_options[ideal][setup_future_usage]=off_session confirm=true return_url=https://shop.example/back
        400 payment_intent_invalid_parameter param=setup_future_usage (not begun): The payment method type `ideal` does not support `setup_future_usage`.
        ",
    );
}

#[test]
fn settings_of_types_are_kept_and_shown() {
    let options = [
        ("payment_method_options[affirm][preferred_locale]", "fr-CA"),
        ("payment_method_options[afterpay_clearpay][reference]", "order-7"),
        ("payment_method_options[bancontact][preferred_language]", "nl"),
        ("payment_method_options[eps][setup_future_usage]", "none"),
        ("payment_method_options[klarna][capture_method]", "manual"),
        ("payment_method_options[klarna][preferred_locale]", "de-AT"),
        ("payment_method_options[paypal][reference]", "o-7"),
        ("payment_method_options[p24][tos_shown_and_accepted]", "true"),
    ];
    let mut shop = Shop::open();
    let amount = [("amount", "5000"), ("currency", "eur")];
    let pairs: Vec<_> = options.into_iter().chain(amount).collect();
    let made = shop.ask(&command("create_payment_intent", &pairs)).expect("made");
    let Reply::Object(_, id) = made.decision.reply else {
        panic!("an intent")
    };
    let kept = |shop: &Shop| {
        let Object::PaymentIntent(intent) = shop.get(&kinds::PAYMENT_INTENT, id) else {
            panic!("an intent")
        };
        let all = &intent.particulars.as_deref().expect("kept").redirects;
        let told = |options: &RedirectOptions| {
            format!(
                "{} manual={} {:?} {:?} {:?}",
                options.kind.name(),
                options.manual_capture,
                options.setup_future_usage.map(|usage| usage.name()),
                options.locale.as_deref(),
                options.reference.as_deref()
            )
        };
        all.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(
        kept(&shop),
        [
            "affirm manual=false None Some(\"fr-CA\") None",
            "afterpay_clearpay manual=false None None Some(\"order-7\")",
            "bancontact manual=false None Some(\"nl\") None",
            "eps manual=false Some(\"none\") None None",
            "klarna manual=true None Some(\"de-AT\") None",
            "paypal manual=false None None Some(\"o-7\")",
        ]
    );
    let changed = [
        ("payment_method_options[klarna][capture_method]", ""),
        ("payment_method_options[klarna][preferred_locale]", "en-AT"),
        ("payment_method_options[afterpay_clearpay][reference]", ""),
    ];
    shop.ask(&command_at("update_payment_intent", id, &changed))
        .expect("changed");
    assert_eq!(
        kept(&shop),
        [
            "affirm manual=false None Some(\"fr-CA\") None",
            "bancontact manual=false None Some(\"nl\") None",
            "eps manual=false Some(\"none\") None None",
            "klarna manual=false None Some(\"en-AT\") None",
            "paypal manual=false None None Some(\"o-7\")",
        ]
    );
}
