//! Refunds: whole, partial, too much, of what cannot be refunded.

use crate::script::check;

#[test]
fn a_refund_takes_the_money_from_the_charges_day() {
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

        > create_refund charge=@ch1 reason=requested_by_customer
        200 re1
        · re1 confirmed 2000 usd of ch1
        · txn2 refund -2000 fee 0 net -2000 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=2000 (all)
        · entry refund re1: merchant_balance 2000, refund_in_transit -2000
        · entry refund_confirmed re1: refund_in_transit 2000, network_receivable{instant} -2000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending -88

        > create_refund charge=@ch1
        400 charge_already_refunded: Charge ch1 has already been refunded.

        > wait 2d
        balance usd available -88 pending 0
        ",
    );
}

#[test]
fn a_refund_of_available_money_is_taken_today() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true

        > wait 3d
        balance usd available 1912 pending 0

        > create_refund payment_intent=@pi1 amount=500
        200 re1
        · re1 confirmed 500 usd of ch1
        · txn2 refund -500 fee 0 net -500 now for re1
        · ch1 captured 2000 usd captured=2000 refunded=500
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{instant} -500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 1412 pending 0
        ",
    );
}

#[test]
fn partial_refunds_go_on_until_nothing_is_left() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true

        > create_refund payment_intent=@pi1 amount=2001
        400 param=amount: Refund amount ($20.01) is greater than charge amount ($20.00)

        > create_refund payment_intent=@pi1 amount=500
        200 re1
        · re1 confirmed 500 usd of ch1
        · txn2 refund -500 fee 0 net -500 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=500
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{instant} -500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending 1412

        > create_refund payment_intent=@pi1 amount=1501
        400 param=amount: Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)

        > create_refund payment_intent=@pi1 amount=0
        400 parameter_invalid_integer param=amount (not begun): Invalid positive integer

        > create_refund payment_intent=@pi1
        200 re2
        · re2 confirmed 1500 usd of ch1
        · txn3 refund -1500 fee 0 net -1500 in 2 days for re2
        · ch1 captured 2000 usd captured=2000 refunded=2000 (all)
        · entry refund re2: merchant_balance 1500, refund_in_transit -1500
        · entry refund_confirmed re2: refund_in_transit 1500, network_receivable{instant} -1500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending -88

        > create_refund payment_intent=@pi1 amount=1
        400 charge_already_refunded: Charge ch1 has already been refunded.
        ",
    );
}

#[test]
fn a_refund_needs_one_charge() {
    check(
        "
        > create_refund amount=100
        400 (not begun): One of the following params should be provided for this request: payment_intent or charge.

        > create_refund charge=ch_nope
        404 resource_missing param=id (not begun): No such charge: 'ch_nope'

        > create_payment_intent amount=2000 currency=usd
        200 pi1
        · pi1 requires_payment_method 2000 usd
        events payment_intent.created

        > create_refund payment_intent=@pi1
        400 pi=pi1: This PaymentIntent (pi1) does not have a successful charge to refund.

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa_chargeDeclined confirm=true
        402 card_declined decline=generic_decline charge=ch1 pi=pi2 pm=pm1: Your card was declined.
        · pi2 requires_payment_method 2000 usd charge=ch1 error=1
        · pm1 0002
        · ch1 failed 2000 usd
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_refund payment_intent=@pi2
        400 pi=pi2: This PaymentIntent (pi2) does not have a successful charge to refund.

        > create_refund charge=@ch1
        400: Charge ch1 moved no money, so there is nothing to refund.

        > create_refund charge=@ch1 payment_intent=@pi1
        400 (not begun): Only one of the following params should be provided for this request: payment_intent or charge.
        ",
    );
}

#[test]
fn amounts_of_three_decimals_end_in_zero() {
    check(
        "
        > create_payment_intent amount=20000 currency=kwd payment_method=pm_card_visa confirm=true
        200 pi1
        · pi1 succeeded 20000 kwd received=20000 method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 captured 20000 kwd captured=20000
        · txn1 charge 20000 fee 680 net 19320 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 20000, merchant_balance -20000, merchant_balance 680, fee_revenue -680
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance kwd available 0 pending 19320

        > create_refund charge=@ch1 amount=1234
        400 invalid_charge_amount param=amount (not begun): Invalid amount: an amount in kwd must be a multiple of 10.

        > create_refund charge=@ch1 amount=1230
        200 re1
        · re1 confirmed 1230 kwd of ch1
        · txn2 refund -1230 fee 0 net -1230 in 2 days for re1
        · ch1 captured 20000 kwd captured=20000 refunded=1230
        · entry refund re1: merchant_balance 1230, refund_in_transit -1230
        · entry refund_confirmed re1: refund_in_transit 1230, network_receivable{instant} -1230
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance kwd available 0 pending 18090
        ",
    );
}
