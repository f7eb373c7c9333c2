//! Mandates: what a customer's agreement becomes, at a setup or at a payment that saves the card.

use crate::script::check;

#[test]
fn an_agreement_becomes_a_mandate() {
    check(
        "
        > create_setup_intent payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=online mandate_data[customer_acceptance][online][ip_address]=127.0.0.1 mandate_data[customer_acceptance][online][user_agent]=test
        200 seti1
        · seti1 succeeded method=pm1 attempt=setatt1 mandate=mandate1
        · pm1 4242
        · setatt1 succeeded pm1
        · mandate1 multi_use of pm1
        events setup_intent.created, setup_intent.succeeded

        > retrieve_mandate @mandate1
        mandate1 multi_use of pm1

        > create_setup_intent payment_method=pm_card_visa confirm=true usage=on_session mandate_data[customer_acceptance][type]=offline
        200 seti2
        · seti2 succeeded method=pm2 attempt=setatt2
        · pm2 4242
        · setatt2 succeeded pm2
        events setup_intent.created, setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_visa confirm=true single_use[amount]=500 single_use[currency]=eur
        200 seti3
        · seti3 succeeded method=pm3 attempt=setatt3 mandate=mandate2
        · pm3 4242
        · setatt3 succeeded pm3
        · mandate2 single_use €5.00 of pm3
        events setup_intent.created, setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_authenticationRequired
        200 seti4
        · seti4 requires_confirmation method=pm4
        · pm4 3184
        events setup_intent.created

        > confirm_setup_intent @seti4 mandate_data[customer_acceptance][type]=offline
        200 seti4
        · setatt4 requires_action pm4
        · seti4 requires_action method=pm4 attempt=setatt4
        events setup_intent.requires_action

        > act seti4 complete
        200 seti4
        · mandate3 multi_use of pm4
        · pm4 3184
        · setatt4 succeeded pm4 authenticated
        · seti4 succeeded method=pm4 attempt=setatt4 mandate=mandate3
        events setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=online
        400 parameter_missing param=mandate_data[customer_acceptance][online][ip_address] (not begun): Missing required param: mandate_data[customer_acceptance][online][ip_address].

        > create_setup_intent payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=online mandate_data[customer_acceptance][online][infer_from_client]=true
        200 seti5
        · seti5 succeeded method=pm5 attempt=setatt5 mandate=mandate4
        · pm5 4242
        · setatt5 succeeded pm5
        · mandate4 multi_use of pm5
        events setup_intent.created, setup_intent.succeeded
        ",
    );
}

#[test]
fn a_payment_that_saves_the_card_makes_a_mandate() {
    check(
        "
        > create_customer name=Jenny
        200 cus1
        · cus1 Jenny -
        events customer.created

        > create_payment_intent amount=2000 currency=usd customer=@cus1 payment_method=pm_card_visa confirm=true setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 succeeded 2000 usd received=2000 customer=cus1 method=pm1 charge=ch1
        · pm1 4242 of cus1
        · ch1 captured 2000 usd mandate=mandate1 captured=2000
        · mandate1 multi_use of pm1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · cus1 Jenny - holds=pm1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > retrieve_mandate @mandate1
        mandate1 multi_use of pm1

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi2
        · pi2 succeeded 2000 usd received=2000 method=pm2 charge=ch2
        · pm2 4242 used up
        · ch2 captured 2000 usd captured=2000
        · txn2 charge 2000 fee 88 net 1912 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 3824

        > create_payment_intent amount=2000 currency=usd customer=@cus1 setup_future_usage=off_session
        200 pi3
        · pi3 requires_payment_method 2000 usd customer=cus1
        events payment_intent.created

        > confirm_payment_intent @pi3 payment_method=pm_card_authenticationRequired mandate_data[customer_acceptance][type]=offline
        200 pi3
        · pm3 3184
        · pi3 requires_action 2000 usd customer=cus1 method=pm3
        events payment_intent.requires_action

        > act pi3 fail
        200 pi3
        · pi3 requires_payment_method 2000 usd customer=cus1 error=authentication
        events payment_intent.payment_failed

        > confirm_payment_intent @pi3 payment_method=pm_card_visa
        200 pi3
        · pm4 4242 of cus1
        · ch3 captured 2000 usd captured=2000
        · txn3 charge 2000 fee 88 net 1912 in 2 days for ch3
        · cus1 Jenny - holds=pm1,pm4
        · pi3 succeeded 2000 usd received=2000 customer=cus1 method=pm4 charge=ch3
        · entry capture ch3: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 5736

        > create_payment_intent amount=2000 currency=usd customer=@cus1 setup_future_usage=off_session
        200 pi4
        · pi4 requires_payment_method 2000 usd customer=cus1
        events payment_intent.created

        > confirm_payment_intent @pi4 payment_method=pm_card_authenticationRequired mandate_data[customer_acceptance][type]=offline
        200 pi4
        · pm5 3184
        · pi4 requires_action 2000 usd customer=cus1 method=pm5
        events payment_intent.requires_action

        > act pi4 complete
        200 pi4
        · ch4 captured 2000 usd mandate=mandate2 captured=2000
        · mandate2 multi_use of pm5
        · txn4 charge 2000 fee 118 net 1882 in 2 days for ch4
        · cus1 Jenny - holds=pm1,pm4,pm5
        · pm5 3184 of cus1
        · pi4 succeeded 2000 usd received=2000 customer=cus1 method=pm5 charge=ch4
        · entry capture ch4: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 118, fee_revenue -118
        events payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 7618
        ",
    );
}

#[test]
fn a_payment_is_made_under_a_mandate() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_payment_intent amount=1000 currency=usd customer=@cus1 setup_future_usage=off_session payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch1
        · pm1 4242 of cus1
        · ch1 captured 1000 usd mandate=mandate1 captured=1000
        · mandate1 multi_use of pm1
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · cus1 Ada - holds=pm1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > create_payment_intent amount=500 currency=usd customer=@cus1 confirm=true off_session=true mandate=@mandate1
        200 pi2
        · pi2 succeeded 500 usd received=500 customer=cus1 method=pm1 charge=ch2
        · ch2 captured 500 usd mandate=mandate1 captured=500
        · txn2 charge 500 fee 45 net 455 in 2 days for ch2
        · pm1 4242 of cus1
        · entry capture ch2: network_receivable{instant} 500, merchant_balance -500, merchant_balance 45, fee_revenue -45
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1396

        > create_payment_intent amount=500 currency=usd customer=@cus1 confirm=true mandate=@mandate1 payment_method=pm_card_visa
        400 param=mandate (not begun): The mandate was given for another payment method. Leave `payment_method` out, or name the payment method of the mandate.

        > create_payment_intent amount=500 currency=usd mandate=@mandate1
        400 payment_intent_invalid_parameter param=mandate (not begun): The parameter `mandate` cannot be passed when creating a PaymentIntent unless `confirm` is set to true.
        ",
    );
}

#[test]
fn mandates_of_a_card_end_when_it_is_detached_or_its_customer_deleted() {
    check(
        "
        + create_customer name=Ada

        > create_payment_intent amount=1000 currency=usd customer=@cus1 setup_future_usage=off_session payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch1
        · pm1 4242 of cus1
        · ch1 captured 1000 usd mandate=mandate1 captured=1000
        · mandate1 multi_use of pm1
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · cus1 Ada - holds=pm1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > create_setup_intent customer=@cus1 payment_method=@pm1 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1 mandate=mandate2
        · setatt1 succeeded pm1
        · mandate2 multi_use of pm1
        · pm1 4242 of cus1
        events setup_intent.created, setup_intent.succeeded

        > detach_payment_method @pm1
        200 pm1
        · mandate1 multi_use of pm1 inactive
        · mandate2 multi_use of pm1 inactive
        · pm1 4242 used up
        · cus1 Ada -
        events mandate.updated, mandate.updated, payment_method.detached

        > create_setup_intent customer=@cus1 payment_method=pm_card_visa confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti2
        · seti2 succeeded customer=cus1 method=pm2 attempt=setatt2 mandate=mandate3
        · pm2 4242 of cus1
        · setatt2 succeeded pm2
        · mandate3 multi_use of pm2
        · cus1 Ada - holds=pm2
        events setup_intent.created, payment_method.attached, setup_intent.succeeded

        > delete_customer @cus1
        200 cus1
        · mandate3 multi_use of pm2 inactive
        · pm2 4242 used up
        · cus1 Ada - holds=pm2 (deleted)
        events mandate.updated, payment_method.detached, customer.deleted
        ",
    );
}
