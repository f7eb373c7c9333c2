//! Payments on a remote network: answers, silence, inquiries, reversals.

use crate::script::check;

#[test]
fn an_approval_settles_the_waiting_request() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_tollgate_remote confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 0018 used up
        · call purchase pi1/1 2000
        events payment_intent.created

        > retrieve_payment_intent @pi1
        pi1 processing 2000 usd method=pm1

        > confirm_payment_intent @pi1
        pi1 is busy

        > create_refund payment_intent=@pi1
        pi1 is busy

        > answer pi1/1 request approved
        settles pi1/1 of key-1: 200 pi1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pm1 0018 used up
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > answer pi1/1 request approved

        > wait 60s
        ",
    );
}

#[test]
fn a_decline_settles_the_waiting_request() {
    check(
        "
        > network remote

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 4242 used up
        · call purchase pi1/1 2000
        events payment_intent.created

        > answer pi1/1 request declined 2
        settles pi1/1 of key-1: 402 card_declined decline=insufficient_funds charge=ch1 pi=pi1 pm=pm1: Your card has insufficient funds.
        · ch1 failed 2000 usd
        · pm1 4242
        · pi1 requires_payment_method 2000 usd charge=ch1 error=2
        events charge.failed, payment_intent.payment_failed

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        waits for pi1/2
        · pm2 4242 used up
        · pi1 processing 2000 usd method=pm2 charge=ch1 error=2
        · call purchase pi1/2 2000

        > answer pi1/1 request approved

        > answer pi1/2 request approved
        settles pi1/2 of key-2: 200 pi1
        · ch2 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch2
        · pm2 4242 used up
        · pi1 succeeded 2000 usd received=2000 method=pm2 charge=ch2
        · entry capture ch2: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912
        ",
    );
}

#[test]
fn a_lost_answer_is_found_by_inquiry() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_tollgate_remoteLostAnswer confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 0042 used up
        · call purchase pi1/1 2000
        events payment_intent.created

        > answer pi1/1 request silence

        > wait 3s
        timer of pi1 at 3 s
        settles pi1/1 of key-1: 200 pi1
        · pi1 processing 2000 usd method=pm1
        · call inquire pi1/1
        events payment_intent.processing

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because it has a status of processing. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because it has a status of processing. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, expired.

        > confirm_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot confirm this PaymentIntent because it has a status of processing. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.

        > answer pi1/1 inquiry silence

        > wait 1s
        timer of pi1 at 4 s
        · pi1 processing 2000 usd method=pm1
        · call inquire pi1/1

        > answer pi1/1 inquiry approved
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pm1 0042 used up
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > answer pi1/1 request approved
        ",
    );
}

#[test]
fn a_late_answer_counts_while_inquiring() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_tollgate_remoteLate confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 0059 used up
        · call purchase pi1/1 2000
        events payment_intent.created

        > wait 3s
        timer of pi1 at 3 s
        settles pi1/1 of key-1: 200 pi1
        · pi1 processing 2000 usd method=pm1
        · call inquire pi1/1
        events payment_intent.processing

        > answer pi1/1 request approved
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · pm1 0059 used up
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > answer pi1/1 inquiry approved
        ",
    );
}

#[test]
fn an_unknown_attempt_is_reversed_until_acknowledged() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_tollgate_remoteSilent confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 0034 used up
        · call purchase pi1/1 2000
        events payment_intent.created

        > wait 3s
        timer of pi1 at 3 s
        settles pi1/1 of key-1: 200 pi1
        · pi1 processing 2000 usd method=pm1
        · call inquire pi1/1
        events payment_intent.processing

        > answer pi1/1 inquiry not_found
        · pi1 processing 2000 usd method=pm1
        · call reverse pi1/1

        > answer pi1/1 request approved

        > wait 3s
        timer of pi1 at 4 s
        · pi1 processing 2000 usd method=pm1
        · call reverse pi1/1
        timer of pi1 at 6 s
        · pi1 processing 2000 usd method=pm1
        · call reverse pi1/1

        > answer pi1/1 inquiry approved

        > answer pi1/1 reversal acknowledged
        · ch1 failed 2000 usd
        · pm1 0034
        · pi1 requires_payment_method 2000 usd charge=ch1 error=8
        events charge.failed, payment_intent.payment_failed

        > answer pi1/1 reversal acknowledged

        > confirm_payment_intent @pi1 payment_method=pm_card_visa
        200 pi1
        · pm2 4242 used up
        · ch2 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch2
        · pi1 succeeded 2000 usd received=2000 method=pm2 charge=ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912
        
        ",
    );
}

#[test]
fn a_remote_hold_is_captured_and_refunded() {
    check(
        "
        > network remote

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa capture_method=manual confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 4242 used up
        · call authorise pi1/1 2000
        events payment_intent.created

        > answer pi1/1 request approved
        settles pi1/1 of key-1: 200 pi1
        · ch1 held 2000 usd
        · pm1 4242 used up
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1 amount_to_capture=1500
        waits for pi1/2
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call capture pi1/2 of pi1/1 1500

        > capture_payment_intent @pi1
        pi1 is busy

        > create_refund charge=@ch1
        pi1 is busy

        > answer pi1/2 request approved
        settles pi1/2 of key-2: 200 pi1
        · txn1 charge 1500 fee 74 net 1426 in 2 days for ch1
        · ch1 captured 2000 usd captured=1500
        · pi1 succeeded 2000 usd received=1500 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{remote} 1500, merchant_balance -1500, merchant_balance 74, fee_revenue -74
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 1426

        > create_refund charge=@ch1 amount=700
        200 re1
        · re1 in transit 700 usd of ch1
        · txn2 refund -700 fee 0 net -700 in 2 days for re1
        · ch1 captured 2000 usd captured=1500 refunded=700
        · entry refund re1: merchant_balance 700, refund_in_transit -700
        · call refund re1/1 of pi1/2 700
        events refund.created, charge.refunded
        balance usd available 0 pending 726

        > wait 1s
        timer of re1 at 1 s
        · re1 in transit 700 usd of ch1
        · call refund re1/1 of pi1/2 700

        > answer re1/1 request silence

        > answer re1/1 request acknowledged
        · re1 confirmed 700 usd of ch1
        · entry refund_confirmed re1: refund_in_transit 700, network_receivable{remote} -700
        events refund.updated, charge.refund.updated

        > answer re1/1 request acknowledged

        > wait 60s
        ",
    );
}

#[test]
fn a_capture_without_answer_leaves_the_hold() {
    check(
        "
        > network remote

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa capture_method=manual confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 4242 used up
        · call authorise pi1/1 2000
        events payment_intent.created

        > answer pi1/1 request approved
        settles pi1/1 of key-1: 200 pi1
        · ch1 held 2000 usd
        · pm1 4242 used up
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1
        waits for pi1/2
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call capture pi1/2 of pi1/1 2000

        > wait 3s
        timer of pi1 at 3 s
        settles pi1/2 of key-2: 200 pi1
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call inquire pi1/2

        > capture_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: This PaymentIntent could not be captured because the outcome of an earlier capture is not known yet. It is being found out; retrieve the PaymentIntent to see it.

        > cancel_payment_intent @pi1
        400 payment_intent_unexpected_state pi=pi1: You cannot cancel this PaymentIntent because the outcome of its capture is not known yet. It is being found out; retrieve the PaymentIntent to see it.

        > answer pi1/2 inquiry not_found
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call reverse pi1/2

        > answer pi1/2 request approved

        > answer pi1/2 reversal acknowledged
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1

        > capture_payment_intent @pi1
        waits for pi1/3
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call capture pi1/3 of pi1/1 2000

        > answer pi1/3 request declined 1
        settles pi1/3 of key-5: 402 card_declined decline=generic_decline pi=pi1: Your card was declined.
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1

        > cancel_payment_intent @pi1
        200 pi1
        · ch1 released 2000 usd refunded=2000 (all)
        · pi1 canceled 2000 usd method=pm1 charge=ch1
        · call reverse pi1/1
        events payment_intent.canceled, charge.refunded

        > answer pi1/1 reversal silence

        > wait 1s
        timer of pi1 at 4 s
        · pi1 canceled 2000 usd method=pm1 charge=ch1
        · call reverse pi1/1

        > answer pi1/1 reversal acknowledged
        · pi1 canceled 2000 usd method=pm1 charge=ch1

        > wait 8d
        ",
    );
}

#[test]
fn a_remote_hold_that_expires_is_reversed() {
    check(
        "
        > network remote

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa capture_method=manual confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 4242 used up
        · call authorise pi1/1 2000
        events payment_intent.created

        > answer pi1/1 request approved
        settles pi1/1 of key-1: 200 pi1
        · ch1 held 2000 usd
        · pm1 4242 used up
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated

        > wait 7d
        timer of pi1 at 604800 s
        · ch1 expired 2000 usd refunded=2000 (all)
        · pi1 canceled 2000 usd method=pm1 charge=ch1 reason=automatic
        · call reverse pi1/1
        events charge.expired, payment_intent.canceled

        > answer pi1/1 reversal acknowledged
        · pi1 canceled 2000 usd method=pm1 charge=ch1 reason=automatic
        ",
    );
}

#[test]
fn a_hold_that_ends_while_its_capture_is_open_expires_afterwards() {
    check(
        "
        > network remote

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa capture_method=manual confirm=true
        waits for pi1/1
        · pi1 processing 2000 usd method=pm1
        · pm1 4242 used up
        · call authorise pi1/1 2000
        events payment_intent.created

        > answer pi1/1 request approved
        settles pi1/1 of key-1: 200 pi1
        · ch1 held 2000 usd
        · pm1 4242 used up
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        events charge.succeeded, payment_intent.amount_capturable_updated

        > wait 604795s

        > capture_payment_intent @pi1
        waits for pi1/2
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call capture pi1/2 of pi1/1 2000

        > wait 3s
        timer of pi1 at 604798 s
        settles pi1/2 of key-2: 200 pi1
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call inquire pi1/2

        > answer pi1/2 inquiry not_found
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call reverse pi1/2

        > wait 4s
        timer of pi1 at 604799 s
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call reverse pi1/2
        timer of pi1 at 604801 s
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call reverse pi1/2

        > answer pi1/2 reversal acknowledged
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1

        > wait 1s
        timer of pi1 at 604802 s
        · ch1 expired 2000 usd refunded=2000 (all)
        · pi1 canceled 2000 usd method=pm1 charge=ch1 reason=automatic
        · call reverse pi1/1
        events charge.expired, payment_intent.canceled
        timer of pi1 at 604803 s
        · pi1 canceled 2000 usd method=pm1 charge=ch1 reason=automatic
        · call reverse pi1/1

        > answer pi1/1 reversal acknowledged
        · pi1 canceled 2000 usd method=pm1 charge=ch1 reason=automatic
        ",
    );
}
