//! Types of payment methods that a request allows.

use crate::script::check;

#[test]
fn of_the_types_that_are_allowed_those_are_offered_that_fit() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=ideal allowed_payment_method_types[1]=us_bank_account allowed_payment_method_types[2]=wero payment_method=pm_card_visa
        400 payment_intent_incompatible_payment_method param=payment_method (not begun): The PaymentMethod provided (card) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types to confirm this PaymentIntent: us_bank_account.

        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=ideal allowed_payment_method_types[1]=card
        200 pi1
        · pi1 requires_payment_method 2000 usd
        events payment_intent.created

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        200 pi1
        · pm1 4242 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=ideal
        400 param=allowed_payment_method_types (not begun): No valid payment method types: none of `allowed_payment_method_types` is offered on this account and fits the other parameters, such as the currency, the amount and how the payment method is used.

        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=wero
        400 param=allowed_payment_method_types (not begun): No valid payment method types: none of `allowed_payment_method_types` is offered on this account and fits the other parameters, such as the currency, the amount and how the payment method is used.

        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=cart
        400 param=allowed_payment_method_types (not begun): The payment method type \"cart\" is invalid.
        ",
    );
}

#[test]
fn types_are_allowed_instead_of_being_said_otherwise() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=card automatic_payment_methods[enabled]=true
        400 (not begun): You may only specify one of these parameters: allowed_payment_method_types, automatic_payment_methods.

        > create_payment_intent amount=2000 currency=usd allowed_payment_method_types[0]=card payment_method_types[0]=card
        400 (not begun): You may only specify one of these parameters: allowed_payment_method_types, payment_method_types.

        > create_setup_intent allowed_payment_method_types[0]=card excluded_payment_method_types[0]=ideal
        400 (not begun): You may only specify one of these parameters: allowed_payment_method_types, excluded_payment_method_types.

        > create_payment_intent amount=2000 currency=usd
        200 pi1
        · pi1 requires_payment_method 2000 usd
        events payment_intent.created

        > update_payment_intent @pi1 allowed_payment_method_types[0]=card payment_method_configuration=pmc_1
        400 (not begun): You may only specify one of these parameters: allowed_payment_method_types, payment_method_configuration.

        > update_payment_intent @pi1 allowed_payment_method_types[0]=us_bank_account
        200 pi1
        · pi1 requires_payment_method 2000 usd

        > update_payment_intent @pi1 payment_method=pm_card_visa
        400 payment_intent_incompatible_payment_method param=payment_method (not begun): The PaymentMethod provided (card) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types to confirm this PaymentIntent: us_bank_account.

        > update_payment_intent @pi1 allowed_payment_method_types=
        200 pi1
        · pi1 requires_payment_method 2000 usd

        > confirm_payment_intent @pi1 payment_method=pm_card_visa allowed_payment_method_types[0]=us_bank_account
        400 payment_intent_incompatible_payment_method param=payment_method (not begun): The PaymentMethod provided (card) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types to confirm this PaymentIntent: us_bank_account.

        > confirm_payment_intent @pi1 payment_method=pm_card_visa allowed_payment_method_types[0]=card payment_method_types[0]=card
        400 (not begun): You may only specify one of these parameters: allowed_payment_method_types, payment_method_types.

        > confirm_payment_intent @pi1 payment_method=pm_card_visa allowed_payment_method_types[0]=card return_url=https://example.com
        200 pi1
        · pm1 4242 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > update_payment_intent @pi1 allowed_payment_method_types[0]=card
        400 payment_intent_unexpected_state param=allowed_payment_method_types pi=pi1: This PaymentIntent's allowed_payment_method_types could not be updated because it has a status of succeeded. You may only update the allowed_payment_method_types of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.
        ",
    );
}

#[test]
fn a_setup_offers_those_that_can_be_saved() {
    check(
        "
        > create_setup_intent allowed_payment_method_types[0]=p24
        400 param=allowed_payment_method_types (not begun): No valid payment method types: none of `allowed_payment_method_types` is offered on this account and fits the other parameters, such as the currency, the amount and how the payment method is used.

        > create_setup_intent allowed_payment_method_types[0]=p24 allowed_payment_method_types[1]=us_bank_account
        200 seti1
        · seti1 requires_payment_method
        events setup_intent.created

        > confirm_setup_intent @seti1 payment_method=pm_card_visa
        400 param=payment_method (not begun): The PaymentMethod provided (card) is not allowed for this SetupIntent. Please attach a PaymentMethod of one of the following types to confirm this SetupIntent: us_bank_account.

        > confirm_setup_intent @seti1 payment_method=pm_card_visa allowed_payment_method_types[0]=card
        200 seti1
        · pm1 4242
        · setatt1 succeeded pm1
        · seti1 succeeded method=pm1 attempt=setatt1
        events setup_intent.succeeded

        > create_setup_intent payment_method_types[0]=card
        200 seti2
        · seti2 requires_payment_method
        events setup_intent.created

        > update_setup_intent @seti2 allowed_payment_method_types[0]=sepa_debit
        200 seti2
        · seti2 requires_payment_method

        > update_setup_intent @seti2 payment_method=pm_card_visa
        400 param=payment_method (not begun): The PaymentMethod provided (card) is not allowed for this SetupIntent. Please attach a PaymentMethod of one of the following types to confirm this SetupIntent: sepa_debit.

        > update_setup_intent @seti2 allowed_payment_method_types= payment_method=pm_card_visa
        200 seti2
        · pm2 4242
        · seti2 requires_confirmation method=pm2
        ",
    );
}
