//! Manual capture: holds, partial captures, releases, expiry.

use crate::script::check;

#[test]
fn a_hold_is_captured() {
    check(
        "
        > create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 requires_capture 5000 usd method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 held 5000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1
        200 pi1
        · txn1 charge 5000 fee 175 net 4825 in 2 days for ch1
        · ch1 captured 5000 usd captured=5000
        · pi1 succeeded 5000 usd received=5000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 5000, merchant_balance -5000, merchant_balance 175, fee_revenue -175
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 4825

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized amount has been released.

        > wait 8d
        balance usd available 4825 pending 0
        ",
    );
}

#[test]
fn a_partial_capture_releases_the_rest() {
    check(
        "
        + create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa confirm=true

        > capture_payment_intent @pi1 amount_to_capture=5001
        400 amount_too_large pi=pi1: The payment could not be captured because the requested capture amount is greater than the amount you can capture for this charge. Contact us via https://support.stripe.com/contact/ for help.

        > capture_payment_intent @pi1 amount_to_capture=0
        400 parameter_invalid_integer param=amount pi=pi1 (not begun): This value must be greater than or equal to 1.

        > capture_payment_intent @pi1 amount_to_capture=-1
        400 param=amount_to_capture pi=pi1 (not begun): Invalid non-negative integer

        > capture_payment_intent @pi1 amount_to_capture=3000 final_capture=false
        400 param=final_capture pi=pi1: Capturing a PaymentIntent more than once is not available for this payment. Leave `final_capture` out, or set it to `true`: what is not captured is released. To capture in parts, ask for it when the PaymentIntent is confirmed, with `payment_method_options[card][request_multicapture]=if_available`.

        > capture_payment_intent @pi1 amount_to_capture=3000 final_capture=true
        200 pi1
        · txn1 charge 3000 fee 117 net 2883 in 2 days for ch1
        · ch1 captured 5000 usd captured=3000
        · pi1 succeeded 5000 usd received=3000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 3000, merchant_balance -3000, merchant_balance 117, fee_revenue -117
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 2883

        > capture_payment_intent @pi1 amount_to_capture=2000
        400 payment_intent_unexpected_state pi=pi1: The remaining amount on this PaymentIntent could not be captured because the remainder of the authorized amount has been released.

        > create_refund charge=@ch1 amount=3001
        400 param=amount: Refund amount ($30.01) is greater than charge amount ($30.00)

        > create_refund charge=@ch1
        200 re1
        · re1 confirmed 3000 usd of ch1
        · txn2 refund -3000 fee 0 net -3000 in 2 days for re1
        · ch1 captured 5000 usd captured=3000 refunded=3000 (all)
        · entry refund re1: merchant_balance 3000, refund_in_transit -3000
        · entry refund_confirmed re1: refund_in_transit 3000, network_receivable{instant} -3000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending -117
        ",
    );
}

#[test]
fn a_cancelled_hold_counts_as_refunded() {
    check(
        "
        + create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa confirm=true

        > create_refund charge=@ch1
        400: This uncaptured Charge was created by a PaymentIntent (pi1). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method

        > create_refund payment_intent=@pi1
        400: This uncaptured Charge was created by a PaymentIntent (pi1). You must cancel the PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method

        > cancel_payment_intent @pi1 cancellation_reason=abandoned
        200 pi1
        · ch1 released 5000 usd refunded=5000 (all)
        · pi1 canceled 5000 usd method=pm1 charge=ch1 reason=abandoned
        events payment_intent.canceled, charge.refunded

        > create_refund charge=@ch1
        400 charge_already_refunded: Charge ch1 has already been refunded.

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because it has a status of canceled. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.
        ",
    );
}

#[test]
fn a_hold_expires_after_seven_days() {
    check(
        "
        + create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa confirm=true

        > wait 167h

        > wait 1h
        timer of pi1 at 604800 s
        · ch1 expired 5000 usd refunded=5000 (all)
        · pi1 canceled 5000 usd method=pm1 charge=ch1 reason=automatic
        events charge.expired, payment_intent.canceled

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because it has a status of canceled. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.
        ",
    );
}

#[test]
fn a_declined_hold_is_no_hold() {
    check(
        "
        > create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa_chargeDeclined confirm=true
        402 card_declined decline=generic_decline charge=ch1 pi=pi1 pm=pm1: Your card was declined.
        · pi1 requires_payment_method 5000 usd charge=ch1 error=1
        · pm1 0002
        · ch1 failed 5000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because it has a status of requires_payment_method. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.
        ",
    );
}

#[test]
fn capture_method_can_change_at_confirmation() {
    check(
        "
        > create_payment_intent amount=5000 currency=usd payment_method=pm_card_visa
        200 pi1
        · pi1 requires_confirmation 5000 usd method=pm1
        · pm1 4242
        events payment_intent.created

        > confirm_payment_intent @pi1 capture_method=manual
        200 pi1
        · ch1 held 5000 usd
        · pm1 4242 used up
        · pi1 requires_capture 5000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated
        ",
    );
}

#[test]
fn a_hold_is_captured_in_parts_if_that_was_asked_for() {
    check(
        "
        > create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa confirm=true payment_method_options[card][request_multicapture]=if_available
        200 pi1
        · pi1 requires_capture 5000 usd method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 held 5000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1 amount_to_capture=2000 final_capture=false
        200 pi1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ch1 partlycaptured 5000 usd captured=2000
        · pi1 requires_capture 5000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.captured, payment_intent.amount_capturable_updated
        balance usd available 0 pending 1912

        > capture_payment_intent @pi1 amount_to_capture=3001
        400 amount_too_large pi=pi1: The payment could not be captured because the requested capture amount is greater than the amount you can capture for this charge. Contact us via https://support.stripe.com/contact/ for help.

        > create_refund payment_intent=@pi1
        400: Charge ch1 is still being captured and cannot be refunded yet. Capture or release the rest of the held amount first, with `final_capture=true`.

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because part of it was captured. To release the rest, capture it with `amount_to_capture=0` and `final_capture=true`.

        > capture_payment_intent @pi1 amount_to_capture=1000 final_capture=false
        200 pi1
        · txn2 charge 1000 fee 59 net 941 in 2 days for ch1
        · ch1 partlycaptured 5000 usd captured=3000
        · pi1 requires_capture 5000 usd received=3000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events charge.captured, payment_intent.amount_capturable_updated
        balance usd available 0 pending 2853

        > capture_payment_intent @pi1 amount_to_capture=0
        200 pi1
        · ch1 captured 5000 usd captured=3000
        · pi1 succeeded 5000 usd received=3000 method=pm1 charge=ch1
        events payment_intent.succeeded

        > create_refund payment_intent=@pi1
        200 re1
        · re1 confirmed 3000 usd of ch1
        · txn3 refund -3000 fee 0 net -3000 in 2 days for re1
        · ch1 captured 5000 usd captured=3000 refunded=3000 (all)
        · entry refund re1: merchant_balance 3000, refund_in_transit -3000
        · entry refund_confirmed re1: refund_in_transit 3000, network_receivable{instant} -3000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending -147
        ",
    );
}

#[test]
fn what_was_captured_of_a_hold_stays_when_it_ends() {
    check(
        "
        + create_payment_intent amount=5000 currency=usd capture_method=manual payment_method=pm_card_visa confirm=true payment_method_options[card][request_multicapture]=if_available

        > capture_payment_intent @pi1 amount_to_capture=2000 final_capture=false
        200 pi1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ch1 partlycaptured 5000 usd captured=2000
        · pi1 requires_capture 5000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.captured, payment_intent.amount_capturable_updated
        balance usd available 0 pending 1912

        > wait 7d
        timer of pi1 at 604800 s
        · ch1 captured 5000 usd captured=2000
        · pi1 succeeded 5000 usd received=2000 method=pm1 charge=ch1
        events payment_intent.succeeded
        balance usd available 1912 pending 0
        ",
    );
}
