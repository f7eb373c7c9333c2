//! Payments whose cardholder must prove who they are.

use crate::script::check;

#[test]
fn a_challenge_is_completed_and_the_payment_goes_on() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true return_url=https://shop.example/back
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 3220
        events payment_intent.created, payment_intent.requires_action

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because it has a status of requires_action. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.

        > act pi1 complete
        200 pi1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 118 net 1882 in 2 days for ch1
        · pm1 3220 used up
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 118, fee_revenue -118
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1882

        > act pi1 complete
        400 payment_intent_unexpected_state pi=pi1: This authentication is over: it was completed before, or the payment went on without it.
        ",
    );
}

#[test]
fn a_failed_challenge_wants_another_payment_method() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequired confirm=true
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 3184
        events payment_intent.created, payment_intent.requires_action

        > act pi1 fail
        200 pi1
        · pi1 requires_payment_method 2000 usd error=authentication
        events payment_intent.payment_failed

        > confirm_payment_intent @pi1 payment_method=@pm1
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        events payment_intent.requires_action

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        200 pi1
        · pm2 4242 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pi1 succeeded 2000 usd received=2000 method=pm2 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912
        ",
    );
}

#[test]
fn a_parked_payment_can_be_given_up() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequired confirm=true

        > cancel_payment_intent @pi1
        200 pi1
        · pi1 canceled 2000 usd method=pm1
        events payment_intent.canceled

        > act pi1 complete
        400 payment_intent_unexpected_state pi=pi1: This authentication is over: it was completed before, or the payment went on without it.
        ",
    );
}

#[test]
fn the_merchant_goes_on_itself_with_manual_confirmation() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true confirmation_method=manual capture_method=manual
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 3220
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        200 pi1
        · pi1 requires_confirmation 2000 usd method=pm1

        > confirm_payment_intent @pi1
        200 pi1
        · ch1 held 2000 usd
        · pm1 3220 used up
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated
        ",
    );
}

#[test]
fn without_the_payer_a_card_refuses_with_a_charge_or_without() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequired confirm=true off_session=true
        402 authentication_required decline=authentication_required charge=ch1 pi=pi1 pm=pm1: Your card was declined. This transaction requires authentication.
        · pi1 requires_payment_method 2000 usd charge=ch1 error=30
        · pm1 3184
        · ch1 failed 2000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true off_session=recurring
        402 authentication_required decline=authentication_required pi=pi2 pm=pm2: Your card was declined. This transaction requires authentication.
        · pi2 requires_payment_method 2000 usd error=30
        · pm2 3220
        events payment_intent.created, payment_intent.payment_failed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequiredChargeDeclinedInsufficientFunds confirm=true off_session=one_off
        402 card_declined decline=insufficient_funds charge=ch2 pi=pi3 pm=pm3: Your card has insufficient funds.
        · pi3 requires_payment_method 2000 usd charge=ch2 error=2
        · pm3 3178
        · ch2 failed 2000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecureRequiredProcessingError confirm=true
        402 card_declined decline=generic_decline charge=ch3 pi=pi4 pm=pm4: Your card was declined.
        · pi4 requires_payment_method 2000 usd charge=ch3 error=1
        · pm4 1280
        · ch3 failed 2000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true error_on_requires_action=true
        402 authentication_required decline=authentication_not_handled pi=pi5 pm=pm5: This payment required an authentication action to complete, but `error_on_requires_action` was set. When you're ready, you can upgrade your integration to handle actions at https://stripe.com/docs/payments/payment-intents/upgrade-to-handle-actions.
        · pi5 requires_payment_method 2000 usd error=31
        · pm5 3220
        events payment_intent.created, payment_intent.payment_failed
        ",
    );
}

#[test]
fn a_completed_challenge_does_not_mean_that_the_bank_agrees() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecureRequiredChargeDeclined confirm=true
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 1629
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        402 card_declined decline=generic_decline charge=ch1 pi=pi1 pm=pm1: Your card was declined.
        · ch1 failed 2000 usd
        · pm1 1629
        · pi1 requires_payment_method 2000 usd charge=ch1 error=1
        events charge.failed, payment_intent.payment_failed
        ",
    );
}

#[test]
fn a_card_saved_with_proof_pays_without_its_holder() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_payment_intent amount=1000 currency=usd customer=@cus1 setup_future_usage=off_session payment_method=pm_card_authenticationRequiredOnSetup confirm=true
        200 pi1
        · pi1 requires_action 1000 usd customer=cus1 method=pm1
        · pm1 3155
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        200 pi1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 74 net 926 in 2 days for ch1
        · cus1 Ada - holds=pm1
        · pm1 3155 of cus1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_method.attached, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 926

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@pm1 confirm=true off_session=true
        200 pi2
        · pi2 succeeded 1000 usd received=1000 customer=cus1 method=pm1 charge=ch2
        · ch2 captured 1000 usd captured=1000
        · txn2 charge 1000 fee 74 net 926 in 2 days for ch2
        · pm1 3155 of cus1
        · entry capture ch2: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 74, fee_revenue -74
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1852
        ",
    );
}

#[test]
fn a_method_that_pays_elsewhere_meanwhile_cannot_pay_here() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequired confirm=true

        > create_payment_intent amount=500 currency=usd payment_method=@pm1 confirm=true
        200 pi2
        · pi2 requires_action 500 usd method=pm1
        events payment_intent.created, payment_intent.requires_action

        > act pi2 complete
        200 pi2
        · ch1 captured 500 usd captured=500
        · txn1 charge 500 fee 52 net 448 in 2 days for ch1
        · pm1 3184 used up
        · pi2 succeeded 500 usd received=500 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 500, merchant_balance -500, merchant_balance 52, fee_revenue -52
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 448

        > act pi1 complete
        200 pi1
        · pi1 requires_payment_method 2000 usd error=authentication
        events payment_intent.payment_failed
        ",
    );
}

#[test]
fn a_remote_network_is_asked_after_the_challenge() {
    check(
        "
        > network remote
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 3220
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        waits for pi1/1
        · pm1 3220 used up
        · pi1 processing 2000 usd method=pm1
        · call purchase pi1/1 2000

        > answer pi1/1 request approved
        settles pi1/1 of key-2: 200 pi1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 118 net 1882 in 2 days for ch1
        · pm1 3220 used up
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 118, fee_revenue -118
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1882
        ",
    );
}
