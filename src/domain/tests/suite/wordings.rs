//! Refusals that integrations compare word by word, and what is told with them.

use crate::script::check;

#[test]
fn a_confirmation_without_a_method_asks_for_one_of_the_customers() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_payment_intent amount=800 currency=usd customer=@cus1
        200 pi1
        · pi1 requires_payment_method 800 usd customer=cus1
        events payment_intent.created

        > confirm_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot confirm this PaymentIntent because it's missing a payment method. To confirm the PaymentIntent with cus1, specify a payment method attached to this customer along with the customer ID.
        ",
    );
}

#[test]
fn whose_a_payment_method_is_is_said_with_the_intent() {
    check(
        "
        + create_customer name=Ada

        > create_customer name=Ben
        200 cus2
        · cus2 Ben -
        events customer.created

        > attach_payment_method pm_card_visa customer=@cus1
        200 pm1
        · pm1 4242 of cus1
        · cus1 Ada - holds=pm1
        events payment_method.attached

        > create_payment_intent amount=1500 currency=usd
        200 pi1
        · pi1 requires_payment_method 1500 usd
        events payment_intent.created

        > confirm_payment_intent @pi1 payment_method=@pm1
        400 parameter_missing param=source pi=pi1 (not begun): The `payment_method` parameter supplied pm1 belongs to the Customer cus1. Please include the Customer in the `customer` parameter on the PaymentIntent.

        > create_payment_intent amount=1500 currency=usd customer=@cus2
        200 pi2
        · pi2 requires_payment_method 1500 usd customer=cus2
        events payment_intent.created

        > confirm_payment_intent @pi2 payment_method=@pm1
        400 param=payment_method pi=pi2 (not begun): The PaymentMethod pm1 does not belong to the Customer you supplied cus2. Please use this PaymentMethod with the Customer that it belongs to instead.

        > create_setup_intent payment_method=@pm1
        400 param=payment_method (not begun): The payment method supplied (pm1) belongs to the Customer cus1. Please include the Customer in the `customer` parameter on the SetupIntent.

        > create_setup_intent description=x
        200 seti1
        · seti1 requires_payment_method
        events setup_intent.created

        > update_setup_intent @seti1 payment_method=@pm1
        400 param=payment_method seti=seti1 (not begun): The payment method supplied (pm1) belongs to the Customer cus1. Please include the Customer in the `customer` parameter on the SetupIntent.

        > confirm_setup_intent @seti1 payment_method=@pm1
        400 param=payment_method seti=seti1 (not begun): The payment method supplied (pm1) belongs to the Customer cus1. Please include the Customer in the `customer` parameter on the SetupIntent.
        ",
    );
}

#[test]
fn what_an_intent_says_is_not_changed_on_its_charge() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > update_charge @ch1 transfer_group=order
        400: This Charge was created by a PaymentIntent (pi1). You must update the `transfer_group` on the PaymentIntent instead of updating the Charge directly. See https://stripe.com/docs/api#update_payment_intent
        ",
    );
}
