//! Payment methods: made of a card, saved to a customer, changed, taken away.

use crate::form::command;
use crate::script::check;
use crate::shop::Shop;
use tollgate_domain::{Command, Stop};

#[test]
fn a_card_is_saved_changed_and_taken_away() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_payment_method type=card card[number]=4242424242424242 card[exp_month]=8 card[exp_year]=2030 card[cvc]=314
        200 pm1
        · pm1 4242

        > attach_payment_method @pm1 customer=@cus1
        200 pm1
        · pm1 4242 of cus1
        · cus1 Ada - holds=pm1
        events payment_method.attached

        > attach_payment_method @pm1 customer=@cus1
        200 pm1

        > update_payment_method @pm1 billing_details[name]=Ada card[exp_year]=31
        200 pm1
        · pm1 4242 of cus1
        events payment_method.updated

        > update_payment_method @pm1 billing_details[name]=Ada
        200 pm1

        > detach_payment_method @pm1
        200 pm1
        · pm1 4242 used up
        · cus1 Ada -
        events payment_method.detached

        > detach_payment_method @pm1
        400: The payment method you provided is not attached to a customer so detachment is impossible.

        > attach_payment_method @pm1 customer=@cus1
        400: This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.

        > create_payment_intent amount=1000 currency=usd payment_method=@pm1
        400: The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.
        ",
    );
}

#[test]
fn a_payment_method_has_one_customer() {
    check(
        "
        + create_customer name=Ada

        > create_customer name=Bob
        200 cus2
        · cus2 Bob -
        events customer.created

        > attach_payment_method pm_card_visa customer=@cus1
        200 pm1
        · pm1 4242 of cus1
        · cus1 Ada - holds=pm1
        events payment_method.attached

        > attach_payment_method @pm1 customer=@cus2
        400: The payment method you provided has already been attached to a customer.

        > attach_payment_method @pm1
        400 parameter_missing (not begun): Must provide customer or customer_account.

        > retrieve_customer_payment_method @cus1 @pm1
        pm1 4242 of cus1

        > retrieve_payment_method pm_card_mastercard
        200 pm2
        · pm2 4444

        > update_payment_method @pm2 metadata[a]=1
        400: You must save this PaymentMethod to a customer before you can update it.
        ",
    );
}

#[test]
fn a_wrong_card_says_what_is_wrong() {
    let refused = |pairs: &[(&str, &str)]| {
        let mut all = vec![("type", "card")];
        all.extend_from_slice(pairs);
        let mut shop = Shop::open();
        match shop.ask(&command("create_payment_method", &all)) {
            Err(Stop::Reject(reject)) => format!(
                "{} {} {}",
                reject.status,
                reject.code.as_deref().unwrap_or("-"),
                reject.param.as_deref().unwrap_or("-")
            ),
            Ok(_) => "made".into(),
            Err(other) => panic!("{other:?}"),
        }
    };
    let card = |number, month, year, cvc| {
        refused(&[
            ("card[number]", number),
            ("card[exp_month]", month),
            ("card[exp_year]", year),
            ("card[cvc]", cvc),
        ])
    };
    assert_eq!(card("4242424242424242", "1", "2030", "123"), "made");
    assert_eq!(
        card("4111 1111 1111 1111", "1", "30", "123"),
        "made",
        "any number of a brand"
    );
    assert_eq!(
        card("4242424242424241", "1", "2030", "123"),
        "402 incorrect_number number"
    );
    assert_eq!(card("visa", "1", "2030", "123"), "402 invalid_number number");
    assert_eq!(
        card("4242424242424242", "13", "2030", "123"),
        "402 invalid_expiry_month exp_month"
    );
    assert_eq!(
        card("4242424242424242", "1", "2020", "123"),
        "402 invalid_expiry_year exp_year"
    );
    assert_eq!(card("4242424242424242", "1", "2030", "12"), "402 invalid_cvc cvc");
    assert_eq!(
        refused(&[("card[exp_month]", "1")]),
        "400 parameter_missing card[number]"
    );
    assert_eq!(refused(&[]), "400 parameter_missing card");
    assert_eq!(refused(&[("card[token]", "tok_visa")]), "made");
}

#[test]
fn what_a_declined_card_says_when_it_is_saved() {
    let mut shop = Shop::open();
    let made = shop.ask(&command("create_customer", &[("name", "Ada")])).expect("made");
    let customer = made.decision.facts.objects[0].id();
    let mut attach = |name: &str| {
        let card = tollgate_domain::payments::payment_method::TestCard::by_name(name).expect("a name of the table");
        let named = tollgate_domain::payments::payment_method::PaymentMethodParam::card(card);
        match shop.ask(&Command::AttachPaymentMethod(
            named,
            Some(customer),
            tollgate_domain::payments::payment_method::Saving::Asked,
        )) {
            Ok(_) => "saved".to_owned(),
            Err(Stop::Reject(reject)) => {
                assert_eq!((reject.charge, reject.payment_intent), (None, None));
                let code = reject.decline_code.expect("says why");
                format!("{} {code} {:?}", reject.status, reject.param.expect("has one"))
            }
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(attach("visa"), "saved");
    assert_eq!(attach("chargeCustomerFail"), "saved");
    assert_eq!(attach("radarBlock"), "saved");
    assert_eq!(attach("visa_chargeDeclined"), "402 generic_decline \"\"");
    assert_eq!(attach("chargeDeclinedExpiredCard"), "402 expired_card \"exp_month\"");
    assert_eq!(attach("cvcCheckFail"), "402 incorrect_cvc \"cvc\"");
}

#[test]
fn a_token_is_used_once_within_a_quarter_of_an_hour() {
    check(
        "
        > create_token card[number]=5555555555554444 card[exp_month]=8 card[exp_year]=2030 card[cvc]=314 card[address_zip]=94103
        200 tok1
        · tok1

        > create_payment_method type=card card[token]=@tok1
        200 pm1
        · pm1 4444
        · tok1 used

        > create_payment_method type=card card[token]=@tok1
        400 token_already_used param=card[token]: You cannot use a Stripe token more than once: tok1.

        > create_token card[number]=5555555555554444 card[exp_month]=8 card[exp_year]=2030
        200 tok2
        · tok2

        > wait 900s
        > create_payment_method type=card card[token]=@tok2
        400 resource_missing param=card[token] (not begun): No such token: 'tok2'

        > create_token cvc_update[cvc]=314
        200 tok3
        · tok3

        > create_payment_method type=card card[token]=@tok3
        400 param=card[token] (not begun): The token tok3 stands for a security code, not for a card.

        > create_payment_method type=card card[token]=tok_visa
        200 pm2
        · pm2 4242

        > create_payment_method type=card card[token]=tok_visa
        200 pm3
        · pm3 4242

        > create_token cvc_update[cvc]=1
        402 invalid_cvc param=cvc: Your card's security code is invalid.
        ",
    );
}

#[test]
fn a_security_code_that_is_entered_again_is_checked_with_the_payment() {
    check(
        "
        + create_customer name=Ada

        > create_payment_method type=card card[number]=4000000000000127 card[exp_month]=8 card[exp_year]=2030
        200 pm1
        · pm1 0127

        > attach_payment_method @pm1 customer=@cus1
        200 pm1
        · pm1 0127 of cus1
        · cus1 Ada - holds=pm1
        events payment_method.attached

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@pm1 confirm=true
        200 pi1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · pm1 0127 of cus1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > create_token cvc_update[cvc]=314
        200 tok1
        · tok1

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@pm1 payment_method_options[card][cvc_token]=@tok1
        400 payment_intent_invalid_parameter param=payment_method_options[card][cvc_token] (not begun): The parameter `payment_method_options[card][cvc_token]` can only be passed when the PaymentIntent is confirmed.

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@pm1
        200 pi2
        · pi2 requires_confirmation 1000 usd customer=cus1 method=pm1
        events payment_intent.created

        > update_payment_intent @pi2 payment_method_options[card][cvc_token]=@tok1
        400 payment_intent_invalid_parameter param=payment_method_options[card][cvc_token] (not begun): The parameter `payment_method_options[card][cvc_token]` can only be passed when the PaymentIntent is confirmed.

        > confirm_payment_intent @pi2 payment_method_options[card][cvc_token]=@tok1
        402 incorrect_cvc decline=incorrect_cvc param=cvc charge=ch2 pi=pi2 pm=pm1: Your card's security code is incorrect.
        · ch2 failed 1000 usd
        · tok1 used
        · pm1 0127 of cus1
        · pi2 requires_payment_method 1000 usd customer=cus1 charge=ch2 error=7
        events charge.failed, payment_intent.payment_failed

        > confirm_payment_intent @pi2 payment_method_options[card][cvc_token]=@tok1
        400 token_already_used param=payment_method_options[card][cvc_token]: You cannot use a Stripe token more than once: tok1.

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@pm1 confirm=true
        200 pi3
        · pi3 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch3
        · ch3 captured 1000 usd captured=1000
        · txn2 charge 1000 fee 59 net 941 in 2 days for ch3
        · pm1 0127 of cus1
        · entry capture ch3: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1882

        > create_token card[number]=4242424242424242 card[exp_month]=8 card[exp_year]=2030
        200 tok2
        · tok2

        > confirm_payment_intent @pi2 payment_method=pm_card_visa payment_method_options[card][cvc_token]=@tok2
        400 param=payment_method_options[card][cvc_token] (not begun): The token tok2 stands for a card, not for a security code.

        > create_token cvc_update[cvc]=314
        200 tok3
        · tok3

        > confirm_payment_intent @pi2 payment_method=pm_card_visa payment_method_options[card][cvc_token]=@tok3
        200 pi2
        · pm2 4242 used up
        · ch4 captured 1000 usd captured=1000
        · txn3 charge 1000 fee 59 net 941 in 2 days for ch4
        · tok3 used
        · pi2 succeeded 1000 usd received=1000 customer=cus1 method=pm2 charge=ch4
        · entry capture ch4: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 2823

        > create_token cvc_update[cvc]=314
        200 tok4
        · tok4

        > wait 900s

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_visa confirm=true payment_method_options[card][cvc_token]=@tok4
        400 resource_missing param=payment_method_options[card][cvc_token] (not begun): No such token: 'tok4'
        ",
    );
}
