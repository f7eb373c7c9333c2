//! Configurations of payment methods, and what intents accept by them.

use crate::script::check;

#[test]
fn an_account_has_a_default_configuration_of_cards_and_makes_others() {
    check(
        "
        > create_payment_method_configuration name=Cards
        200 pmc1
        · pmc1 \"Cards\" card

        > create_payment_intent amount=2000 currency=usd payment_method_configuration=@pmc1
        200 pi1
        · pi1 requires_payment_method 2000 usd
        events payment_intent.created

        > update_payment_method_configuration @pmc1 active=false
        200 pmc1
        · pmc1 \"Cards\" inactive card

        > create_payment_intent amount=2000 currency=usd payment_method_configuration=@pmc1
        400 param=payment_method_configuration (not begun): The payment method configuration 'pmc1' is not active. Activate it, or name another one.

        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=ideal
        400 payment_intent_invalid_parameter param=currency (not begun): The currency provided (usd) is invalid. Payments with ideal support the following currencies: eur.
        ",
    );
}

#[test]
fn with_redirects_on_a_way_back_must_be_given() {
    check(
        "
        > create_payment_method_configuration name=Europe ideal[display_preference][preference]=on klarna[display_preference][preference]=on
        200 pmc1
        · pmc1 \"Europe\" card, ideal, klarna

        > create_payment_intent amount=2000 currency=eur payment_method_configuration=@pmc1
        200 pi1
        · pi1 requires_payment_method 2000 eur
        events payment_intent.created

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        400 pi=pi1: This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.

        > create_payment_intent amount=2000 currency=eur payment_method_configuration=@pmc1 payment_method=pm_card_visa confirm=true
        400: This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.

        > confirm_payment_intent @pi1 payment_method=pm_card_visa return_url=https://shop.example/back
        200 pi1
        · pm1 4242 used up
        · ch1 captured 2000 eur captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pi1 succeeded 2000 eur received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 1912

        > create_payment_intent amount=2000 currency=jpy payment_method_configuration=@pmc1 payment_method=pm_card_visa confirm=true
        200 pi2
        · pi2 succeeded 2000 jpy received=2000 method=pm2 charge=ch2
        · pm2 4242 used up
        · ch2 captured 2000 jpy captured=2000
        · txn2 charge 2000 fee 88 net 1912 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 1912; jpy available 0 pending 1912

        > create_payment_intent amount=2000 currency=eur payment_method_configuration=@pmc1 automatic_payment_methods[enabled]=true automatic_payment_methods[allow_redirects]=never payment_method=pm_card_visa confirm=true
        200 pi3
        · pi3 succeeded 2000 eur received=2000 method=pm3 charge=ch3
        · pm3 4242 used up
        · ch3 captured 2000 eur captured=2000
        · txn3 charge 2000 fee 88 net 1912 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 3824; jpy available 0 pending 1912

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=card payment_method_types[1]=ideal payment_method=pm_card_visa confirm=true
        200 pi4
        · pi4 succeeded 2000 eur received=2000 method=pm4 charge=ch4
        · pm4 4242 used up
        · ch4 captured 2000 eur captured=2000
        · txn4 charge 2000 fee 88 net 1912 in 2 days for ch4
        · entry capture ch4: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 5736; jpy available 0 pending 1912

        > create_setup_intent payment_method_configuration=@pmc1 payment_method=pm_card_visa confirm=true
        400: This SetupIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.
        ",
    );
}
