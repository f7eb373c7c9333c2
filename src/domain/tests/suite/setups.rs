//! Setup intents: made, confirmed, acted upon, refused; what they leave on payment methods, and the mandates they lead to.

use crate::script::check;

#[test]
fn a_card_is_set_up_and_saved_to_its_customer() {
    check(
        "
        > create_customer name=Jenny
        200 cus1
        · cus1 Jenny -
        events customer.created

        > create_setup_intent customer=@cus1 payment_method=pm_card_visa confirm=true
        200 seti1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1
        · pm1 4242 of cus1
        · setatt1 succeeded pm1
        · cus1 Jenny - holds=pm1
        events setup_intent.created, payment_method.attached, setup_intent.succeeded

        > retrieve_setup_intent @seti1
        seti1 succeeded customer=cus1 method=pm1 attempt=setatt1

        > create_payment_intent amount=2000 currency=usd customer=@cus1 payment_method=@pm1 off_session=true confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 customer=cus1 method=pm1 charge=ch1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pm1 4242 of cus1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > confirm_setup_intent @seti1
        400 setup_intent_unexpected_state seti=seti1: You cannot confirm this SetupIntent because it has already succeeded.

        > cancel_setup_intent @seti1
        400 setup_intent_unexpected_state seti=seti1: You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or `requires_action`.

        > update_setup_intent @seti1 description=saved metadata[order]=1
        200 seti1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1

        > update_setup_intent @seti1 payment_method=pm_card_visa
        400 setup_intent_unexpected_state seti=seti1: You cannot update this SetupIntent because it has already succeeded.
        ",
    );
}

#[test]
fn a_setup_goes_through_its_states_one_by_one() {
    check(
        "
        > create_setup_intent usage=on_session
        200 seti1
        · seti1 requires_payment_method
        events setup_intent.created

        > confirm_setup_intent @seti1
        400 setup_intent_unexpected_state seti=seti1: You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.

        > update_setup_intent @seti1 payment_method=pm_card_mastercard
        200 seti1
        · pm1 4444
        · seti1 requires_confirmation method=pm1

        > update_setup_intent @seti1 payment_method=
        200 seti1
        · seti1 requires_payment_method

        > update_setup_intent @seti1 payment_method=pm_card_mastercard
        200 seti1
        · pm2 4444
        · seti1 requires_confirmation method=pm2

        > confirm_setup_intent @seti1
        200 seti1
        · setatt1 succeeded pm2
        · pm2 4444
        · seti1 succeeded method=pm2 attempt=setatt1
        events setup_intent.succeeded

        > list_setup_attempts setup_intent=@seti1
        list of setup_attempt: setatt1
        ",
    );
}

#[test]
fn a_declined_card_is_not_set_up() {
    check(
        "
        > create_setup_intent payment_method=pm_card_visa_chargeDeclined confirm=true
        402 card_declined decline=generic_decline pm=pm1 seti=seti1: Your card was declined.
        · seti1 requires_payment_method attempt=setatt1 error=1
        · pm1 0002
        · setatt1 failed pm1
        events setup_intent.created, setup_intent.setup_failed

        > confirm_setup_intent @seti1 payment_method=pm_card_chargeCustomerFail
        200 seti1
        · pm2 0341
        · setatt2 succeeded pm2
        · seti1 succeeded method=pm2 attempt=setatt2
        events setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_tollgate_remoteDecline confirm=true
        waits for seti2/1
        · seti2 processing method=pm3 attempt=setatt3
        · pm3 0026 used up
        · setatt3 processing pm3
        · call verify seti2/1 with code
        events setup_intent.created

        > create_setup_intent payment_method=pm_card_tollgate_remote confirm=true
        waits for seti3/1
        · seti3 processing method=pm4 attempt=setatt4
        · pm4 0018 used up
        · setatt4 processing pm4
        · call verify seti3/1 with code
        events setup_intent.created
        ",
    );
}

#[test]
fn the_cardholder_acts_before_the_card_is_ready() {
    check(
        "
        + create_customer name=Jenny

        > create_setup_intent customer=@cus1 payment_method=pm_card_authenticationRequiredOnSetup confirm=true return_url=https://example.com/back
        200 seti1
        · seti1 requires_action customer=cus1 method=pm1 attempt=setatt1
        · pm1 3155
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > act seti1 complete
        200 seti1
        · cus1 Jenny - holds=pm1
        · pm1 3155 of cus1
        · setatt1 succeeded pm1 authenticated
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1
        events payment_method.attached, setup_intent.succeeded

        > act seti1 complete
        400 setup_intent_unexpected_state seti=seti1: This authentication is over: it was completed before, or the setup went on without it.

        > create_payment_intent amount=2000 currency=usd customer=@cus1 payment_method=@pm1 off_session=true confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 customer=cus1 method=pm1 charge=ch1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 118 net 1882 in 2 days for ch1
        · pm1 3155 of cus1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 118, fee_revenue -118
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1882
        ",
    );
}

#[test]
fn a_cardholder_who_proves_nothing_leaves_the_setup_open() {
    check(
        "
        > create_setup_intent payment_method=pm_card_authenticationRequired confirm=true
        200 seti1
        · seti1 requires_action method=pm1 attempt=setatt1
        · pm1 3184
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > act seti1 fail
        200 seti1
        · pm1 3184
        · setatt1 failed pm1
        · seti1 requires_payment_method attempt=setatt1 error=unauthenticated
        events setup_intent.setup_failed

        > confirm_setup_intent @seti1 payment_method=pm_card_visa
        200 seti1
        · pm2 4242
        · setatt2 succeeded pm2
        · seti1 succeeded method=pm2 attempt=setatt2
        events setup_intent.succeeded
        ",
    );
}

#[test]
fn an_open_action_ends_with_the_next_try_or_the_intent() {
    check(
        "
        + create_setup_intent payment_method=pm_card_authenticationRequired confirm=true

        > confirm_setup_intent @seti1
        200 seti1
        · setatt2 requires_action pm1
        · setatt1 abandoned pm1
        · seti1 requires_action method=pm1 attempt=setatt2
        events setup_intent.requires_action

        > update_setup_intent @seti1 payment_method=pm_card_authenticationRequired
        200 seti1
        · pm2 3184
        · setatt2 abandoned pm1
        · seti1 requires_confirmation method=pm2 attempt=setatt2

        > confirm_setup_intent @seti1
        200 seti1
        · setatt3 requires_action pm2
        · seti1 requires_action method=pm2 attempt=setatt3
        events setup_intent.requires_action

        > cancel_setup_intent @seti1 cancellation_reason=abandoned
        200 seti1
        · setatt3 abandoned pm2
        · seti1 canceled method=pm2 attempt=setatt3 reason=abandoned
        events setup_intent.canceled

        > act seti1 complete
        400 setup_intent_unexpected_state seti=seti1: This authentication is over: it was completed before, or the setup went on without it.

        > cancel_setup_intent @seti1
        400 setup_intent_unexpected_state seti=seti1: You cannot cancel this SetupIntent because it is already canceled.

        > confirm_setup_intent @seti1 payment_method=pm_card_visa
        400 setup_intent_unexpected_state seti=seti1: You cannot confirm this SetupIntent because it has been canceled.
        ",
    );
}

#[test]
fn three_d_secure_is_tried_where_it_is_asked_for() {
    check(
        "
        > create_setup_intent payment_method=pm_card_visa confirm=true payment_method_options[card][request_three_d_secure]=any
        200 seti1
        · seti1 succeeded method=pm1 attempt=setatt1
        · pm1 4242
        · setatt1 succeeded pm1 attempt_acknowledged
        events setup_intent.created, setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_threeDSecureOptional confirm=true payment_method_options[card][request_three_d_secure]=any
        200 seti2
        · seti2 requires_action method=pm2 attempt=setatt2
        · pm2 3055
        · setatt2 requires_action pm2
        events setup_intent.created, setup_intent.requires_action

        > create_setup_intent payment_method=pm_card_threeDSecureOptional confirm=true
        200 seti3
        · seti3 succeeded method=pm3 attempt=setatt3
        · pm3 3055
        · setatt3 succeeded pm3
        events setup_intent.created, setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_amex_threeDSecureNotSupported payment_method_options[card][request_three_d_secure]=challenge
        200 seti4
        · seti4 requires_confirmation method=pm4
        · pm4 0005
        events setup_intent.created

        > confirm_setup_intent @seti4
        200 seti4
        · setatt4 succeeded pm4 not_supported
        · pm4 0005
        · seti4 succeeded method=pm4 attempt=setatt4
        events setup_intent.succeeded

        > create_setup_intent payment_method=pm_card_threeDSecureRequiredProcessingError confirm=true
        402 card_declined decline=generic_decline pm=pm5 seti=seti5: Your card was declined.
        · seti5 requires_payment_method attempt=setatt5 error=1
        · pm5 1280
        · setatt5 failed pm5
        events setup_intent.created, setup_intent.setup_failed

        > create_setup_intent payment_method=pm_card_authenticationRequiredChargeDeclinedInsufficientFunds confirm=true
        200 seti6
        · seti6 requires_action method=pm6 attempt=setatt6
        · pm6 3178
        · setatt6 requires_action pm6
        events setup_intent.created, setup_intent.requires_action

        > act seti6 complete
        200 seti6
        · pm6 3178
        · setatt6 succeeded pm6 authenticated
        · seti6 succeeded method=pm6 attempt=setatt6
        events setup_intent.succeeded
        ",
    );
}
