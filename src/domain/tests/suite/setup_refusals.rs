//! What a setup intent takes to be set up, and what it does not take.

use crate::script::check;

#[test]
fn what_does_not_fit_is_refused() {
    check(
        "
        > create_setup_intent confirm=true
        400 setup_intent_unexpected_state: You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.

        > create_setup_intent mandate_data=
        400 setup_intent_invalid_parameter param=mandate_data (not begun): The parameter `mandate_data` cannot be passed when creating a SetupIntent unless `confirm` is set to true.

        > create_setup_intent return_url=https://example.com
        400 setup_intent_invalid_parameter param=return_url (not begun): The parameter `return_url` cannot be passed when creating a SetupIntent unless `confirm` is set to true.

        > create_setup_intent attach_to_self=true
        400 param=attach_to_self (not begun): You cannot attach a payment method of type `card` to your own account. Leave `attach_to_self` out, or set it to `false`.

        > create_setup_intent payment_method_types[0]=giropay
        400 param=payment_method_types (not begun): The payment method type \"giropay\" is invalid. Please ensure the provided type is activated for your account; this account accepts: acss_debit, affirm, afterpay_clearpay, alipay, amazon_pay, au_becs_debit, bacs_debit, bancontact, card, eps, ideal, klarna, link, p24, paypal, revolut_pay, sepa_debit, us_bank_account.

        > create_setup_intent excluded_payment_method_types[0]=card
        400 param=excluded_payment_method_types (not begun): You cannot exclude every payment method type of this account; it accepts: card.

        > create_setup_intent payment_method=pm_card_visa payment_method_data[type]=card
        400 (not begun): You may only specify one of these parameters: confirmation_token, payment_method, payment_method_data.

        > create_setup_intent payment_method_configuration=pmc_nope
        400 resource_missing param=payment_method_configuration (not begun): No such payment_method_configuration: 'pmc_nope'

        > create_customer name=Jenny
        200 cus1
        · cus1 Jenny -
        events customer.created

        > create_customer name=John
        200 cus2
        · cus2 John -
        events customer.created

        > create_setup_intent customer=@cus1 payment_method=pm_card_visa confirm=true
        200 seti1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1
        · pm1 4242 of cus1
        · setatt1 succeeded pm1
        · cus1 Jenny - holds=pm1
        events setup_intent.created, payment_method.attached, setup_intent.succeeded

        > create_setup_intent customer=@cus2 payment_method=@pm1
        400 param=payment_method (not begun): The PaymentMethod pm1 does not belong to the Customer you supplied cus2. Please use this PaymentMethod with the Customer that it belongs to instead.

        > create_setup_intent payment_method=@pm1
        400 param=payment_method (not begun): The payment method supplied (pm1) belongs to the Customer cus1. Please include the Customer in the `customer` parameter on the SetupIntent.

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm2 charge=ch1
        · pm2 4242 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_setup_intent payment_method=@pm2
        400: The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.

        > confirm_setup_intent @seti1 client_secret=seti_wrong
        400 setup_intent_invalid_parameter param=client_secret (not begun): The client_secret provided does not match the client_secret associated with this SetupIntent.

        > verify_setup_intent_microdeposits @seti1 amounts[0]=32 amounts[1]=45
        400 setup_intent_unexpected_state seti=seti1: You cannot verify microdeposits of this SetupIntent because it does not wait for any. Only payment methods of bank accounts are verified with microdeposits.

        > verify_setup_intent_microdeposits @seti1
        400 (not begun): You must provide either `amounts` or `descriptor_code`, and not both.
        ",
    );
}

#[test]
fn a_confirmation_token_sets_up_once() {
    check(
        "
        > create_confirmation_token payment_method=pm_card_visa
        200 ctoken1
        · ctoken1

        > create_setup_intent confirmation_token=@ctoken1
        400 setup_intent_invalid_parameter param=confirmation_token (not begun): The parameter `confirmation_token` cannot be passed when creating a SetupIntent unless `confirm` is set to true.

        > create_setup_intent confirmation_token=@ctoken1 payment_method=pm_card_visa confirm=true
        400 (not begun): You may only specify one of these parameters: confirmation_token, payment_method, payment_method_data.

        > create_setup_intent confirmation_token=@ctoken1 confirm=true
        200 seti1
        · seti1 succeeded method=pm1 attempt=setatt1
        · pm1 4242
        · setatt1 succeeded pm1
        · ctoken1 used by seti1
        events setup_intent.created, setup_intent.succeeded

        > create_setup_intent
        200 seti2
        · seti2 requires_payment_method
        events setup_intent.created

        > confirm_setup_intent @seti2 confirmation_token=@ctoken1
        400 confirmation_token_unusable param=confirmation_token: The ConfirmationToken ctoken1 has already been used. Please make a new one.

        > create_confirmation_token payment_method=pm_card_authenticationRequired return_url=https://example.com/back
        200 ctoken2
        · ctoken2

        > confirm_setup_intent @seti2 confirmation_token=@ctoken2
        200 seti2
        · pm2 3184
        · setatt2 requires_action pm2
        · ctoken2 used by seti2
        · seti2 requires_action method=pm2 attempt=setatt2
        events setup_intent.requires_action
        ",
    );
}
