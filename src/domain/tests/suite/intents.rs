//! Payment intents: made, confirmed, refused.

use crate::script::check;

#[test]
fn a_payment_moves_money_in_one_record() {
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

        > retrieve_payment_intent @pi1
        pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1

        > wait 2d
        balance usd available 1912 pending 0
        ",
    );
}

#[test]
fn an_intent_is_confirmed_later() {
    check(
        "
        > create_payment_intent amount=1099 currency=usd
        200 pi1
        · pi1 requires_payment_method 1099 usd
        events payment_intent.created

        > confirm_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.

        > confirm_payment_intent @pi1 payment_method=pm_card_mastercard
        200 pi1
        · pm1 4444 used up
        · ch1 captured 1099 usd captured=1099
        · txn1 charge 1099 fee 62 net 1037 in 2 days for ch1
        · pi1 succeeded 1099 usd received=1099 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 1099, merchant_balance -1099, merchant_balance 62, fee_revenue -62
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1037

        > confirm_payment_intent @pi1 payment_method=pm_card_mastercard
        400 payment_intent_unexpected_state pi=pi1: You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired, processing.

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because it has a status of succeeded. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.
        ",
    );
}

#[test]
fn a_payment_method_given_at_first_is_used_later() {
    check(
        "
        > create_payment_intent amount=1000 currency=eur payment_method=pm_card_de
        200 pi1
        · pi1 requires_confirmation 1000 eur method=pm1
        · pm1 0016
        events payment_intent.created

        > confirm_payment_intent @pi1
        200 pi1
        · ch1 captured 1000 eur captured=1000
        · txn1 charge 1000 fee 74 net 926 in 2 days for ch1
        · pm1 0016 used up
        · pi1 succeeded 1000 eur received=1000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 926
        ",
    );
}

#[test]
fn a_payment_method_pays_once_without_a_customer() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 1000 usd received=1000 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > create_payment_intent amount=1000 currency=usd payment_method=@pm1 confirm=true
        400: The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.

        > create_payment_intent amount=1000 currency=usd payment_method=@pm1
        400: The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.
        ",
    );
}

#[test]
fn a_saved_payment_method_pays_again_for_its_customer_only() {
    check(
        "
        > create_customer name=Ada email=ada@example.com
        200 cus1
        · cus1 Ada ada@example.com
        events customer.created

        > create_customer name=Bob
        200 cus2
        · cus2 Bob -
        events customer.created

        > create_payment_intent amount=1000 currency=usd customer=@cus1 setup_future_usage=off_session payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch1
        · pm1 4242 of cus1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · cus1 Ada ada@example.com holds=pm1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > create_payment_intent amount=500 currency=usd customer=@cus1 payment_method=@pm1 confirm=true off_session=true
        200 pi2
        · pi2 succeeded 500 usd received=500 customer=cus1 method=pm1 charge=ch2
        · ch2 captured 500 usd captured=500
        · txn2 charge 500 fee 45 net 455 in 2 days for ch2
        · pm1 4242 of cus1
        · entry capture ch2: network_receivable{instant} 500, merchant_balance -500, merchant_balance 45, fee_revenue -45
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1396

        > create_payment_intent amount=500 currency=usd customer=@cus2 payment_method=@pm1 confirm=true
        400 param=payment_method (not begun): The PaymentMethod pm1 does not belong to the Customer you supplied cus2. Please use this PaymentMethod with the Customer that it belongs to instead.

        > create_payment_intent amount=500 currency=usd payment_method=@pm1 confirm=true
        400 parameter_missing param=source (not begun): The `payment_method` parameter supplied pm1 belongs to the Customer cus1. Please include the Customer in the `customer` parameter on the PaymentIntent.
        ",
    );
}

#[test]
fn an_intent_is_given_up() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd
        200 pi1
        · pi1 requires_payment_method 1000 usd
        events payment_intent.created

        > cancel_payment_intent @pi1 cancellation_reason=requested_by_customer
        200 pi1
        · pi1 canceled 1000 usd reason=requested_by_customer
        events payment_intent.canceled

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because it has a status of canceled. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired, processing.

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        400 payment_intent_unexpected_state pi=pi1: You cannot confirm this PaymentIntent because it has a status of canceled. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.
        ",
    );
}

#[test]
fn amounts_that_cannot_be_charged_are_refused() {
    check(
        "
        > create_payment_intent amount=49 currency=usd
        400 amount_too_small param=amount (not begun): Amount must be at least $0.50 usd

        > create_payment_intent amount=100000000 currency=usd
        400 amount_too_large param=amount (not begun): Amount must be no more than $999,999.99

        > create_payment_intent amount=-5 currency=usd
        400 parameter_invalid_integer param=amount (not begun): Invalid non-negative integer

        > create_payment_intent amount=1234 currency=kwd
        400 invalid_charge_amount param=amount (not begun): Invalid amount: an amount in kwd must be a multiple of 10.

        > create_payment_intent amount=49 currency=jpy
        400 amount_too_small param=amount (not begun): Amount must be at least ¥50 jpy

        > version 20200827

        > create_payment_intent amount=0 currency=usd
        400 parameter_invalid_integer param=amount (not begun): This value must be greater than or equal to 1.
        ",
    );
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd off_session=true
        400 payment_intent_invalid_parameter param=off_session (not begun): The parameter `off_session` cannot be passed when creating a PaymentIntent unless `confirm` is set to true.

        > create_payment_intent amount=1000 currency=usd return_url=https://example.com
        400 payment_intent_invalid_parameter param=return_url (not begun): The parameter `return_url` cannot be passed when creating a PaymentIntent unless `confirm` is set to true.

        > create_payment_intent amount=1000 currency=usd confirm=true payment_method=pm_card_visa return_url=example.com
        400 url_invalid param=return_url (not begun): Not a valid URL

        > create_payment_intent amount=1000 currency=usd confirm=true
        400 payment_intent_unexpected_state: You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.

        > create_payment_intent amount=1000 currency=usd payment_method_types[0]=giropay
        400 param=payment_method_types (not begun): The payment method type \"giropay\" is invalid. Please ensure the provided type is activated for your account; this account accepts: acss_debit, affirm, afterpay_clearpay, alipay, amazon_pay, au_becs_debit, bacs_debit, bancontact, card, eps, ideal, klarna, link, p24, paypal, revolut_pay, sepa_debit, us_bank_account.

        > create_payment_intent amount=1000 currency=usd payment_method_types[0]=card automatic_payment_methods[enabled]=true
        400 (not begun): You may only specify one of these parameters: automatic_payment_methods, payment_method_types.

        > create_payment_intent amount=1000 currency=usd receipt_email=nobody
        400 email_invalid param=receipt_email (not begun): Invalid email address: nobody

        > create_payment_intent amount=1000 currency=usd statement_descriptor=12345
        400 param=statement_descriptor (not begun): The statement descriptor must contain at least one letter.

        > create_payment_intent amount=1000 currency=usd statement_descriptor_suffix=<b>
        400 param=statement_descriptor_suffix (not begun): The statement descriptor may only contain Latin letters, digits and signs other than `<`, `>`, `'`, `\"`, `\\` and `*`.
        ",
    );
}

#[test]
fn the_newest_sdks_confirm_without_a_return_url() {
    check(
        "
        > create_payment_intent amount=1000 currency=usd automatic_payment_methods[enabled]=true payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 1000 usd received=1000 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941
        ",
    );
}

#[test]
fn money_of_some_cards_is_available_at_once() {
    check(
        "
        > create_payment_intent amount=10000 currency=usd payment_method=pm_card_bypassPending confirm=true
        200 pi1
        · pi1 succeeded 10000 usd received=10000 method=pm1 charge=ch1
        · pm1 0077 used up
        · ch1 captured 10000 usd captured=10000
        · txn1 charge 10000 fee 320 net 9680 now for ch1
        · entry capture ch1: network_receivable{instant} 10000, merchant_balance -10000, merchant_balance 320, fee_revenue -320
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 9680 pending 0
        ",
    );
}
