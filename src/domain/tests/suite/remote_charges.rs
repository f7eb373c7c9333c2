//! Charges without an intent over a remote network: the attempt is recorded before the call, and every unknown outcome is
//! found out.

use crate::script::check;

#[test]
fn a_charge_waits_for_the_network() {
    check(
        "
        > network remote

        > create_charge amount=2000 currency=usd source=tok_visa description=order
        waits for ch1/1
        · ch1 pending 2000 usd
        · call purchase ch1/1 2000

        > update_charge @ch1 description=changed
        ch1 is busy

        > answer ch1/1 request approved
        settles ch1/1 of key-1: 200 ch1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ch1 captured 2000 usd captured=2000
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > create_refund charge=@ch1 amount=500
        200 re1
        · re1 in transit 500 usd of ch1
        · txn2 refund -500 fee 0 net -500 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=500
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        · call refund re1/1 of ch1/1 500
        events refund.created, charge.refunded
        balance usd available 0 pending 1412

        > answer re1/1 request acknowledged
        · re1 confirmed 500 usd of ch1
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{remote} -500
        events refund.updated, charge.refund.updated

        > answer ch1/1 request approved

        > wait 60s
        ",
    );
}

#[test]
fn a_declined_charge_answers_the_waiting_request() {
    check(
        "
        > network remote

        > create_token card[number]=4242424242424242 card[exp_month]=12 card[exp_year]=2030 card[cvc]=123
        200 tok1
        · tok1

        > create_charge amount=2000 currency=usd source=@tok1
        waits for ch1/1
        · ch1 pending 2000 usd
        · tok1 used
        · call purchase ch1/1 2000

        > answer ch1/1 request declined 2
        settles ch1/1 of key-2: 402 card_declined decline=insufficient_funds charge=ch1: Your card has insufficient funds.
        · ch1 failed 2000 usd
        events charge.failed

        > wait 60s
        ",
    );
}

#[test]
fn a_charge_whose_answer_is_lost_is_pending_until_it_is_found_out() {
    check(
        "
        > create_charge amount=2000 currency=usd source=tok_tollgate_remoteLostAnswer
        waits for ch1/1
        · ch1 pending 2000 usd
        · call purchase ch1/1 2000

        > wait 3s
        timer of ch1 at 3 s
        settles ch1/1 of key-1: 200 ch1
        · ch1 pending 2000 usd
        · call inquire ch1/1
        events charge.pending

        > capture_charge @ch1
        400: Charge ch1 cannot be captured because it is pending. What became of it is being found out; retrieve the charge to see it.

        > create_refund charge=@ch1
        400: Charge ch1 cannot be refunded because it is pending. What became of it is being found out; retrieve the charge to see it.

        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > update_charge @ch1 customer=@cus1
        200 ch1
        · ch1 pending 2000 usd
        events charge.updated

        > answer ch1/1 inquiry silence

        > wait 1s
        timer of ch1 at 4 s
        · ch1 pending 2000 usd
        · call inquire ch1/1

        > answer ch1/1 inquiry approved
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ch1 captured 2000 usd captured=2000
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > answer ch1/1 request approved
        ",
    );
}

#[test]
fn a_charge_the_network_does_not_know_is_reversed_until_acknowledged() {
    check(
        "
        > create_payment_method type=card card[token]=tok_tollgate_remoteSilent
        200 pm1
        · pm1 0034

        > create_charge amount=2000 currency=usd source=@pm1
        waits for ch1/1
        · ch1 pending 2000 usd
        · pm1 0034 used up
        · call purchase ch1/1 2000

        > wait 3s
        timer of ch1 at 3 s
        settles ch1/1 of key-2: 200 ch1
        · ch1 pending 2000 usd
        · call inquire ch1/1
        events charge.pending

        > answer ch1/1 inquiry not_found
        · ch1 pending 2000 usd
        · call reverse ch1/1

        > answer ch1/1 request approved

        > wait 3s
        timer of ch1 at 4 s
        · ch1 pending 2000 usd
        · call reverse ch1/1
        timer of ch1 at 6 s
        · ch1 pending 2000 usd
        · call reverse ch1/1

        > answer ch1/1 reversal acknowledged
        · pm1 0034
        · ch1 failed 2000 usd
        events charge.failed

        > answer ch1/1 reversal acknowledged

        > create_charge amount=2000 currency=usd source=@pm1
        waits for ch2/1
        · ch2 pending 2000 usd
        · pm1 0034 used up
        · call purchase ch2/1 2000
        ",
    );
}

#[test]
fn a_hold_of_a_charge_is_captured_over_the_network() {
    check(
        "
        > network remote

        > create_charge amount=2000 currency=usd source=tok_visa capture=false
        waits for ch1/1
        · ch1 pending 2000 usd
        · call authorise ch1/1 2000

        > answer ch1/1 request approved
        settles ch1/1 of key-1: 200 ch1
        · ch1 held 2000 usd
        events charge.succeeded

        > capture_charge @ch1 amount=1500
        waits for ch1/2
        · ch1 held 2000 usd
        · call capture ch1/2 of ch1/1 1500

        > capture_charge @ch1
        ch1 is busy

        > create_refund charge=@ch1
        ch1 is busy

        > wait 3s
        timer of ch1 at 3 s
        settles ch1/2 of key-2: 200 ch1
        · ch1 held 2000 usd
        · call inquire ch1/2

        > capture_charge @ch1
        400: Charge ch1 cannot be captured because the outcome of an earlier capture is not known yet. It is being found out; retrieve the charge to see it.

        > create_refund charge=@ch1
        400: Charge ch1 cannot be refunded because the outcome of its capture is not known yet. It is being found out; retrieve the charge to see it.

        > answer ch1/2 inquiry not_found
        · ch1 held 2000 usd
        · call reverse ch1/2

        > answer ch1/2 reversal acknowledged
        · ch1 held 2000 usd

        > capture_charge @ch1 amount=1500
        waits for ch1/3
        · ch1 held 2000 usd
        · call capture ch1/3 of ch1/1 1500

        > answer ch1/3 request declined 1
        settles ch1/3 of key-7: 402 card_declined decline=generic_decline charge=ch1: Your card was declined.
        · ch1 held 2000 usd

        > capture_charge @ch1 amount=1500
        waits for ch1/4
        · ch1 held 2000 usd
        · call capture ch1/4 of ch1/1 1500

        > answer ch1/4 request approved
        settles ch1/4 of key-8: 200 ch1
        · txn1 charge 1500 fee 74 net 1426 in 2 days for ch1
        · ch1 captured 2000 usd captured=1500
        · entry capture ch1: network_receivable{remote} 1500, merchant_balance -1500, merchant_balance 74, fee_revenue -74
        events charge.captured
        balance usd available 0 pending 1426

        > create_refund charge=@ch1
        200 re1
        · re1 in transit 1500 usd of ch1
        · txn2 refund -1500 fee 0 net -1500 in 2 days for re1
        · ch1 captured 2000 usd captured=1500 refunded=1500 (all)
        · entry refund re1: merchant_balance 1500, refund_in_transit -1500
        · call refund re1/1 of ch1/4 1500
        events refund.created, charge.refunded
        balance usd available 0 pending -74

        > answer re1/1 request acknowledged
        · re1 confirmed 1500 usd of ch1
        · entry refund_confirmed re1: refund_in_transit 1500, network_receivable{remote} -1500
        events refund.updated, charge.refund.updated
        ",
    );
}

#[test]
fn a_hold_that_is_refunded_or_expires_is_reversed() {
    check(
        "
        > network remote

        > create_charge amount=2000 currency=usd source=tok_visa capture=false
        waits for ch1/1
        · ch1 pending 2000 usd
        · call authorise ch1/1 2000

        > answer ch1/1 request approved
        settles ch1/1 of key-1: 200 ch1
        · ch1 held 2000 usd
        events charge.succeeded

        > create_refund charge=@ch1
        200 re1
        · re1 confirmed 2000 usd of ch1
        · ch1 released 2000 usd refunded=2000 (all)
        · call reverse ch1/1
        events refund.created, charge.refunded

        > wait 1s
        timer of ch1 at 1 s
        · ch1 released 2000 usd refunded=2000 (all)
        · call reverse ch1/1

        > answer ch1/1 reversal acknowledged
        · ch1 released 2000 usd refunded=2000 (all)

        > create_charge amount=3000 currency=usd source=tok_visa capture=false
        waits for ch2/1
        · ch2 pending 3000 usd
        · call authorise ch2/1 3000

        > answer ch2/1 request approved
        settles ch2/1 of key-3: 200 ch2
        · ch2 held 3000 usd
        events charge.succeeded

        > wait 7d
        timer of ch2 at 604801 s
        · re2 confirmed 3000 usd of ch2
        · ch2 expired 3000 usd refunded=3000 (all)
        · call reverse ch2/1
        events charge.expired, refund.created

        > answer ch2/1 reversal acknowledged
        · ch2 expired 3000 usd refunded=3000 (all)

        > wait 8d
        ",
    );
}

#[test]
fn a_hold_of_an_intent_is_captured_through_its_charge() {
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

        > capture_charge @ch1 amount=1500
        waits for pi1/2
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · call capture pi1/2 of pi1/1 1500

        > answer pi1/2 request approved
        settles pi1/2 of key-2: 200 ch1
        · txn1 charge 1500 fee 74 net 1426 in 2 days for ch1
        · ch1 captured 2000 usd captured=1500
        · pi1 succeeded 2000 usd received=1500 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{remote} 1500, merchant_balance -1500, merchant_balance 74, fee_revenue -74
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 1426

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa capture_method=manual confirm=true
        waits for pi2/1
        · pi2 processing 2000 usd method=pm2
        · pm2 4242 used up
        · call authorise pi2/1 2000
        events payment_intent.created

        > answer pi2/1 request approved
        settles pi2/1 of key-3: 200 pi2
        · ch2 held 2000 usd
        · pm2 4242 used up
        · pi2 requires_capture 2000 usd method=pm2 charge=ch2
        events charge.succeeded, payment_intent.amount_capturable_updated

        > capture_charge @ch2
        waits for pi2/2
        · pi2 requires_capture 2000 usd method=pm2 charge=ch2
        · call capture pi2/2 of pi2/1 2000

        > wait 3s
        timer of pi2 at 3 s
        settles pi2/2 of key-4: 200 ch2
        · pi2 requires_capture 2000 usd method=pm2 charge=ch2
        · call inquire pi2/2
        ",
    );
}

#[test]
fn a_card_that_is_deleted_while_it_is_used_stays_deleted() {
    check(
        "
        > network remote

        > create_customer source=tok_visa
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 4242 of cus1
        events customer.created, customer.source.created

        > create_charge amount=2000 currency=usd customer=@cus1
        waits for ch1/1
        · ch1 pending 2000 usd
        · card1 4242 of cus1
        · call purchase ch1/1 2000

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@card1 confirm=true
        waits for pi1/1
        · pi1 processing 1000 usd customer=cus1 method=card1
        · card1 4242 of cus1
        · call purchase pi1/1 1000
        events payment_intent.created

        > delete_customer_source @cus1 @card1
        200 card1
        · card1 4242 of cus1 used up
        · cus1 - -
        events customer.source.deleted, customer.updated

        > answer ch1/1 request approved
        settles ch1/1 of key-2: 200 ch1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ch1 captured 2000 usd captured=2000
        · entry capture ch1: network_receivable{remote} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > answer pi1/1 request declined 1
        settles pi1/1 of key-3: 402 card_declined decline=generic_decline charge=ch2 pi=pi1 pm=card1: Your card was declined.
        · ch2 failed 1000 usd
        · pi1 requires_payment_method 1000 usd customer=cus1 charge=ch2 error=1
        events charge.failed, payment_intent.payment_failed

        > retrieve_payment_method @card1
        404 resource_missing param=payment_method (not begun): No such source: 'card1'
        ",
    );
}
