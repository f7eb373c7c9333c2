//! What integrations of other people's rely on, beyond what the tables of test data say.

use crate::script::check;

#[test]
fn an_intent_that_names_nothing_is_paid_with_the_default_source() {
    check(
        "
        > create_customer source=tok_visa
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 4242 of cus1
        events customer.created, customer.source.created

        > create_payment_intent amount=1000 currency=usd customer=@cus1 confirm=true
        200 pi1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=card1 charge=ch1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · card1 4242 of cus1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941
        ",
    );
}

#[test]
fn a_customer_without_a_source_cannot_be_charged() {
    check(
        "
        > create_customer email=a@example.com
        200 cus1
        · cus1 - a@example.com
        events customer.created

        > create_payment_intent amount=1000 currency=usd customer=@cus1 confirm=true
        400 payment_intent_unexpected_state: You cannot confirm this PaymentIntent because it's missing a payment method. To confirm the PaymentIntent with cus1, specify a payment method attached to this customer along with the customer ID.

        > create_payment_intent amount=1000 currency=usd customer=@cus1
        200 pi1
        · pi1 requires_payment_method 1000 usd customer=cus1
        events payment_intent.created

        > confirm_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot confirm this PaymentIntent because it's missing a payment method. To confirm the PaymentIntent with cus1, specify a payment method attached to this customer along with the customer ID.
        ",
    );
}

#[test]
fn saving_a_payment_method_needs_one_and_a_customer() {
    check(
        "
        + create_customer email=a@example.com

        > create_payment_intent amount=1000 currency=usd customer=@cus1 save_payment_method=true
        400 param=save_payment_method (not begun): A payment method must be provided or already attached to the PaymentIntent when `save_payment_method=true`.

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_visa save_payment_method=true
        400 param=save_payment_method (not begun): A valid `customer` must be provided when `save_payment_method=true`.

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_visa save_payment_method=false
        200 pi1
        · pi1 requires_confirmation 1000 usd method=pm1
        · pm1 4242
        events payment_intent.created

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_visa customer=@cus1 save_payment_method=true confirm=true
        200 pi2
        · pi2 succeeded 1000 usd received=1000 customer=cus1 method=pm2 charge=ch1
        · pm2 4242 of cus1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · cus1 - a@example.com holds=pm2
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > confirm_payment_intent @pi1 save_payment_method=true
        400 param=save_payment_method (not begun): A valid `customer` must be provided when `save_payment_method=true`.
        ",
    );
}

#[test]
fn a_payment_that_may_not_wait_for_its_payer_says_why_it_failed() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_threeDSecure2Required error_on_requires_action=true confirm=true
        402 authentication_required decline=authentication_not_handled pi=pi1 pm=pm1: This payment required an authentication action to complete, but `error_on_requires_action` was set. When you're ready, you can upgrade your integration to handle actions at https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.
        · pi1 requires_payment_method 1000 usd error=31
        · pm1 3220
        events payment_intent.created, payment_intent.payment_failed

        > create_payment_intent amount=1000 currency=usd error_on_requires_action=false
        200 pi2
        · pi2 requires_payment_method 1000 usd
        events payment_intent.created

        > create_payment_intent amount=1000 currency=usd error_on_requires_action=true
        400 payment_intent_invalid_parameter param=error_on_requires_action (not begun): The parameter `error_on_requires_action` cannot be passed when creating a PaymentIntent unless `confirm` is set to true.
        ",
    );
}

#[test]
fn what_another_provider_of_3d_secure_found_is_believed() {
    check(
        "
        > create_payment_intent amount=1000 currency=eur payment_method=pm_card_authenticationRequired payment_method_options[card][three_d_secure][version]=2.1.0 payment_method_options[card][three_d_secure][cryptogram]=4BQwsg4yuKt0S1LI1nDZTcO9vUM= payment_method_options[card][three_d_secure][transaction_id]=d-1 payment_method_options[card][three_d_secure][electronic_commerce_indicator]=02 confirm=true
        200 pi1
        · pi1 succeeded 1000 eur received=1000 method=pm1 charge=ch1
        · pm1 3184 used up
        · ch1 captured 1000 eur captured=1000
        · txn1 charge 1000 fee 74 net 926 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 926

        > create_setup_intent payment_method=pm_card_authenticationRequired payment_method_options[card][three_d_secure][version]=2.2.0 payment_method_options[card][three_d_secure][cryptogram]=x payment_method_options[card][three_d_secure][transaction_id]=d-2 confirm=true
        200 seti1
        · seti1 succeeded method=pm2 attempt=setatt1
        · pm2 3184
        · setatt1 succeeded pm2 authenticated
        events setup_intent.created, setup_intent.succeeded

        > create_payment_intent amount=1000 currency=eur payment_method=pm_card_authenticationRequired payment_method_options[card][three_d_secure][version]=2.1.0 payment_method_options[card][three_d_secure][cryptogram]=x payment_method_options[card][three_d_secure][transaction_id]=d-1
        200 pi2
        · pi2 requires_confirmation 1000 eur method=pm3
        · pm3 3184
        events payment_intent.created

        > confirm_payment_intent @pi2 payment_method_options[card][three_d_secure]=
        200 pi2
        · pi2 requires_action 1000 eur method=pm3
        events payment_intent.requires_action
        ",
    );
}

#[test]
fn nobody_is_asked_for_orders_by_telephone() {
    check(
        "
        > create_payment_intent amount=1000 currency=gbp payment_method=pm_card_authenticationRequiredOnSetup confirm=true
        200 pi1
        · pi1 requires_action 1000 gbp method=pm1
        · pm1 3155
        events payment_intent.created, payment_intent.requires_action

        > create_payment_intent amount=1000 currency=gbp payment_method=pm_card_authenticationRequiredOnSetup payment_method_options[card][moto]=true confirm=true
        200 pi2
        · pi2 succeeded 1000 gbp received=1000 method=pm2 charge=ch1
        · pm2 3155 used up
        · ch1 captured 1000 gbp captured=1000
        · txn1 charge 1000 fee 74 net 926 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance gbp available 0 pending 926

        > create_payment_intent amount=1000 currency=gbp payment_method=pm_card_authenticationRequired payment_method_options[card][moto]=true confirm=true
        402 authentication_required decline=authentication_required charge=ch2 pi=pi3 pm=pm3: Your card was declined. This transaction requires authentication.
        · pi3 requires_payment_method 1000 gbp charge=ch2 error=30
        · pm3 3184
        · ch2 failed 1000 gbp
        events payment_intent.created, charge.failed, payment_intent.payment_failed
        ",
    );
}

#[test]
fn a_card_saved_elsewhere_pays_while_its_holder_is_away() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_authenticationRequiredOnSetup off_session=true confirm=true
        402 authentication_required decline=authentication_required charge=ch1 pi=pi1 pm=pm1: Your card was declined. This transaction requires authentication.
        · pi1 requires_payment_method 1000 usd charge=ch1 error=30
        · pm1 3155
        · ch1 failed 1000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_authenticationRequiredOnSetup off_session=true payment_method_options[card][mit_exemption][network_transaction_id]=1098510912210968 confirm=true
        200 pi2
        · pi2 succeeded 1000 usd received=1000 method=pm2 charge=ch2
        · pm2 3155 used up
        · ch2 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 74 net 926 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 926

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_authenticationRequiredOnSetup off_session=true payment_method_options[card][mit_exemption][claim_without_transaction_id]=true confirm=true
        200 pi3
        · pi3 succeeded 1000 usd received=1000 method=pm3 charge=ch3
        · pm3 3155 used up
        · ch3 captured 1000 usd captured=1000
        · txn2 charge 1000 fee 74 net 926 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1852

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_authenticationRequiredOnSetup off_session=true payment_method_options[card][mit_exemption][claim_without_transaction_id]=false confirm=true
        402 authentication_required decline=authentication_required charge=ch4 pi=pi4 pm=pm4: Your card was declined. This transaction requires authentication.
        · pi4 requires_payment_method 1000 usd charge=ch4 error=30
        · pm4 3155
        · ch4 failed 1000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_authenticationRequiredSetupForOffSession payment_method_options[card][stored_credential_transaction_type]=stored_off_session_unscheduled confirm=true
        200 pi5
        · pi5 succeeded 1000 usd received=1000 method=pm5 charge=ch5
        · pm5 0446 used up
        · ch5 captured 1000 usd captured=1000
        · txn3 charge 1000 fee 74 net 926 in 2 days for ch5
        · entry capture ch5: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 2778

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_authenticationRequiredSetupForOffSession payment_method_options[card][stored_credential_transaction_type]=setup_off_session_unscheduled confirm=true
        200 pi6
        · pi6 requires_action 1000 usd method=pm6
        · pm6 0446
        events payment_intent.created, payment_intent.requires_action
        ",
    );
}

#[test]
fn rules_of_risk_can_be_skipped_for_a_payment() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_radarBlock confirm=true
        402 card_declined decline=fraudulent charge=ch1 pi=pi1 pm=pm1: Your card was declined.
        · pi1 requires_payment_method 1000 usd charge=ch1 error=9
        · pm1 0019
        · ch1 failed 1000 usd risk=highest
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_radarBlock radar_options[skip_rules][0]=all confirm=true
        200 pi2
        · pi2 succeeded 1000 usd received=1000 method=pm2 charge=ch2
        · pm2 0019 used up
        · ch2 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > create_charge amount=1000 currency=usd source=tok_radarBlock radar_options[skip_rules][0]=all
        200 ch3
        · ch3 captured 1000 usd captured=1000
        · txn2 charge 1000 fee 59 net 941 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events charge.succeeded
        balance usd available 0 pending 1882
        ",
    );
}

#[test]
fn a_card_is_saved_without_asking_its_issuer() {
    check(
        "
        + create_customer email=a@example.com

        > attach_payment_method pm_card_chargeDeclined customer=@cus1
        402 card_declined decline=generic_decline param=: Your card was declined.

        > attach_payment_method pm_card_chargeDeclined customer=@cus1 validate=false
        200 pm1
        · pm1 0002 of cus1
        · cus1 - a@example.com holds=pm1
        events payment_method.attached

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@pm1 confirm=true
        402 card_declined decline=generic_decline charge=ch1 pi=pi1 pm=pm1: Your card was declined.
        · pi1 requires_payment_method 1000 usd customer=cus1 charge=ch1 error=1
        · ch1 failed 1000 usd
        · pm1 0002 of cus1
        events payment_intent.created, charge.failed, payment_intent.payment_failed
        ",
    );
}

#[test]
fn what_old_libraries_say_besides_changes_nothing() {
    check(
        "
        > create_charge amount=100 currency=usd card=tok_visa external_id=1 payment_user_agent=Stripe/v1 recurring=true ip=127.0.0.1 user_agent=x referrer=https://example.com
        200 ch1
        · ch1 captured 100 usd captured=100
        · txn1 charge 100 fee 33 net 67 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 100, merchant_balance -100, merchant_balance 33, fee_revenue -33
        events charge.succeeded
        balance usd available 0 pending 67

        > create_payment_intent amount=100 currency=usd fulfillment_date=1636756194
        200 pi1
        · pi1 requires_payment_method 100 usd
        events payment_intent.created

        > update_payment_intent @pi1 fulfillment_date=1636756194
        200 pi1
        · pi1 requires_payment_method 100 usd
        ",
    );
}

#[test]
fn cards_that_are_no_test_cards_are_declined_when_they_are_used() {
    check(
        "
        > create_payment_method type=card card[number]=4024007134364842 card[exp_month]=12 card[exp_year]=2040
        200 pm1
        · pm1 4842

        > create_payment_intent amount=100 currency=usd payment_method=@pm1 confirm=true
        402 card_declined decline=test_mode_live_card charge=ch1 pi=pi1 pm=pm1: Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.
        · pi1 requires_payment_method 100 usd charge=ch1 error=32
        · ch1 failed 100 usd
        · pm1 4842
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_customer email=a@example.com
        200 cus1
        · cus1 - a@example.com
        events customer.created

        > attach_payment_method @pm1 customer=@cus1
        402 card_declined decline=test_mode_live_card param=: Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.

        > create_charge amount=100 currency=usd source[object]=card source[number]=4024007134364842 source[exp_month]=12 source[exp_year]=2040
        402 card_declined decline=test_mode_live_card charge=ch2: Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: https://stripe.com/docs/testing.
        · ch2 failed 100 usd
        events charge.failed

        > create_charge amount=100 currency=usd source[object]=card source[number]=4111111111111111 source[exp_month]=12 source[exp_year]=2040 source[address_line2]= source[name]= source[currency]=usd
        200 ch3
        · ch3 captured 100 usd captured=100
        · txn1 charge 100 fee 33 net 67 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 100, merchant_balance -100, merchant_balance 33, fee_revenue -33
        events charge.succeeded
        balance usd available 0 pending 67

        > create_charge amount=100 currency=usd card[number]=-1 card[exp_month]=12 card[exp_year]=2040
        402 invalid_number param=number: Your card number is invalid.
        ",
    );
}

#[test]
fn what_gateways_say_about_a_payer_is_taken() {
    check(
        "
        > create_payment_intent amount=100 currency=usd payment_method_data[type]=card payment_method_data[card][token]=tok_visa payment_method_data[ip]=127.0.0.1 payment_method_data[user_agent]=x confirm=true
        200 pi1
        · pi1 succeeded 100 usd received=100 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 100 usd captured=100
        · txn1 charge 100 fee 33 net 67 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 100, merchant_balance -100, merchant_balance 33, fee_revenue -33
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 67

        > create_setup_intent payment_method=pm_card_authenticationRequired off_session=true confirm=true
        200 seti1
        · seti1 requires_action method=pm2 attempt=setatt1
        · pm2 3184
        · setatt1 requires_action pm2
        events setup_intent.created, setup_intent.requires_action

        > create_payment_intent amount=100 currency=usd payment_method=pm_card_authenticationRequiredOnSetup off_session=true payment_method_options[card][network_transaction_id]=1 confirm=true
        200 pi2
        · pi2 succeeded 100 usd received=100 method=pm3 charge=ch2
        · pm3 3155 used up
        · ch2 captured 100 usd captured=100
        · txn2 charge 100 fee 34 net 66 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 100, merchant_balance -100, merchant_balance 34, fee_revenue -34
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 133
        ",
    );
}

#[test]
fn a_card_below_a_customer_is_kept_without_asking_its_issuer() {
    check(
        "
        > create_customer source=tok_chargeDeclined
        402 card_declined decline=generic_decline param=: Your card was declined.

        > create_customer source=tok_chargeDeclined validate=false
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 0002 of cus1
        events customer.created, customer.source.created

        > create_customer_source @cus1 source=tok_chargeDeclined validate=false
        200 card2
        · card2 0002 of cus1
        · cus1 - - sources=card2,card1 default=card1
        events customer.source.created

        > update_customer @cus1 source=tok_visa validate=true
        200 cus1
        · card3 4242 of cus1
        · card1 0002 of cus1 used up
        · cus1 - - sources=card3,card2 default=card3
        events customer.source.created, customer.source.deleted, customer.updated
        ",
    );
}

#[test]
fn a_refusal_to_cancel_is_worded_as_at_its_version() {
    check(
        "
        > version 20221115

        > create_payment_intent amount=100 currency=usd payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 100 usd received=100 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 100 usd captured=100
        · txn1 charge 100 fee 33 net 67 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 100, merchant_balance -100, merchant_balance 33, fee_revenue -33
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 67

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.

        > version 20260826

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired, processing.
        ",
    );
}

#[test]
fn a_card_of_a_wallet_comes_with_its_proof() {
    check(
        "
        > create_token card[number]=4242424242424242 card[exp_month]=12 card[exp_year]=2040 card[tokenization_method]=apple_pay
        400 param=card[cryptogram] (not begun): Cards using 'tokenization_method=apple_pay' require the 'cryptogram' field to be set.

        > create_token card[number]=4242424242424242 card[exp_month]=12 card[exp_year]=2040 card[tokenization_method]=apple_pay card[cryptogram]= card[eci]=
        400 param=card[cryptogram] (not begun): Cards using 'tokenization_method=apple_pay' require the 'cryptogram' field to be set.

        > create_token card[number]=4242424242424242 card[exp_month]=12 card[exp_year]=2040 card[tokenization_method]=android_pay card[cryptogram]=x card[eci]=05
        200 tok1
        · tok1

        > create_charge amount=100 currency=usd source=@tok1
        200 ch1
        · ch1 captured 100 usd captured=100
        · txn1 charge 100 fee 33 net 67 in 2 days for ch1
        · tok1 used
        · entry capture ch1: network_receivable{instant} 100, merchant_balance -100, merchant_balance 33, fee_revenue -33
        events charge.succeeded
        balance usd available 0 pending 67
        ",
    );
}
