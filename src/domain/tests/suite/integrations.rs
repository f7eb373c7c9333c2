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
        > create_customer email=a@example.com
        200 cus1
        · cus1 - a@example.com
        events customer.created

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
