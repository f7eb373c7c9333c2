//! Charges that are made by themselves, as integrations of years ago do.

use crate::script::check;

#[test]
fn a_token_is_charged_and_refunded() {
    check(
        "
        > create_charge amount=2000 currency=usd source=tok_visa description=shoes metadata[order]=7
        200 ch1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > create_refund charge=@ch1 amount=500
        200 re1
        · re1 confirmed 500 usd of ch1
        · txn2 refund -500 fee 0 net -500 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=500
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{instant} -500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending 1412

        > create_refund charge=@ch1 amount=1501
        400 param=amount: Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)

        > capture_charge @ch1
        400 charge_already_captured: Charge ch1 has already been captured.
        ",
    );
}

#[test]
fn a_decline_leaves_a_failed_charge_and_no_intent() {
    check(
        "
        > create_charge amount=2000 currency=usd source=tok_chargeDeclined
        402 card_declined decline=generic_decline charge=ch1: Your card was declined.
        · ch1 failed 2000 usd
        events charge.failed

        > capture_charge @ch1
        400: Charge ch1 has failed, so there is nothing to capture.

        > create_refund charge=@ch1
        400: Charge ch1 moved no money, so there is nothing to refund.

        > create_charge amount=2000 currency=usd source=tok_chargeDeclinedExpiredCard
        402 expired_card decline=expired_card param=exp_month charge=ch2: Your card has expired.
        · ch2 failed 2000 usd
        events charge.failed

        > create_charge amount=2000 currency=usd source=tok_radarBlock
        402 card_declined decline=fraudulent charge=ch3: Your card was declined.
        · ch3 failed 2000 usd risk=highest
        events charge.failed

        > create_charge amount=2000 currency=usd source=tok_authenticationRequired
        402 authentication_required decline=authentication_required charge=ch4: Your card was declined. This transaction requires authentication.
        · ch4 failed 2000 usd
        events charge.failed
        ",
    );
}

#[test]
fn a_hold_is_captured_in_part_or_released_or_expires() {
    check(
        "
        > create_charge amount=2000 currency=usd source=tok_visa capture=false
        200 ch1
        · ch1 held 2000 usd
        events charge.succeeded

        > capture_charge @ch1 amount=2001
        400 amount_too_large param=amount: The capture amount ($20.01) is greater than the amount that this charge holds ($20.00). Capture at most that.

        > capture_charge @ch1 amount=49
        400 amount_too_small: Amount must be at least $0.50 usd

        > capture_charge @ch1 amount=1500
        200 ch1
        · txn1 charge 1500 fee 74 net 1426 in 2 days for ch1
        · ch1 captured 2000 usd captured=1500
        · entry capture ch1: network_receivable{instant} 1500, merchant_balance -1500, merchant_balance 74, fee_revenue -74
        events charge.captured
        balance usd available 0 pending 1426

        > create_refund charge=@ch1 amount=1501
        400 param=amount: Refund amount ($15.01) is greater than charge amount ($15.00)

        > create_charge amount=700 currency=usd source=tok_visa capture=false
        200 ch2
        · ch2 held 700 usd
        events charge.succeeded

        > create_refund charge=@ch2 amount=100
        400 param=amount: You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less than the original amount.

        > create_refund charge=@ch2
        200 re1
        · re1 confirmed 700 usd of ch2
        · ch2 released 700 usd refunded=700 (all)
        events refund.created, charge.refunded

        > create_refund charge=@ch2
        400 charge_already_refunded: Charge ch2 has already been refunded.

        > capture_charge @ch2
        400 charge_already_refunded: Charge ch2 has already been refunded.

        > create_charge amount=900 currency=usd source=tok_visa capture=false
        200 ch3
        · ch3 held 900 usd
        events charge.succeeded

        > wait 8d
        timer of ch3 at 604800 s
        · re2 confirmed 900 usd of ch3
        · ch3 expired 900 usd refunded=900 (all)
        events charge.expired, refund.created
        balance usd available 1426 pending 0

        > capture_charge @ch3
        400 charge_expired_for_capture: Charge ch3 cannot be captured: its authorization has expired.
        ",
    );
}

#[test]
fn a_real_token_pays_once() {
    check(
        "
        > create_token card[number]=4242424242424242 card[exp_month]=12 card[exp_year]=2030 card[cvc]=123
        200 tok1
        · tok1

        > create_charge amount=2000 currency=usd source=@tok1
        200 ch1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · tok1 used
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > create_charge amount=2000 currency=usd source=@tok1
        400 token_already_used param=source: You cannot use a Stripe token more than once: tok1.

        > create_charge amount=700 currency=usd card[number]=4000000000000002 card[exp_month]=12 card[exp_year]=2030
        402 card_declined decline=generic_decline charge=ch2: Your card was declined.
        · ch2 failed 700 usd
        events charge.failed
        ",
    );
}

#[test]
fn what_is_paid_with_must_be_named_and_be_the_customers() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_charge amount=2000 currency=usd
        400 parameter_missing (not begun): Must provide source or customer.

        > create_charge amount=2000 currency=usd customer=@cus1
        402 missing param=card: This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or Source to this Customer and then try this request again, or use Payment Intents and Payment Methods instead.

        > create_charge amount=2000 currency=usd customer=@cus1 source=tok_visa
        402 missing param=source: Customer cus1 does not have a linked source with ID tok_visa.

        > create_charge amount=2000 currency=usd source=tok_nope
        400 resource_missing param=source (not begun): No such token: 'tok_nope'

        > create_charge amount=20 currency=usd source=tok_visa
        400 amount_too_small param=amount (not begun): Amount must be at least $0.50 usd
        ",
    );
}

#[test]
fn a_charge_is_changed() {
    check(
        "
        + create_customer name=Ada

        > create_customer name=Bob
        200 cus2
        · cus2 Bob -
        events customer.created

        > create_charge amount=2000 currency=usd source=tok_visa
        200 ch1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > update_charge @ch1 description=boots metadata[order]=8 receipt_email=a@b.example fraud_details[user_report]=safe customer=@cus1 transfer_group=g
        200 ch1
        · ch1 captured 2000 usd captured=2000
        events charge.updated

        > update_charge @ch1 description=boots metadata[order]=8
        200 ch1

        > update_charge @ch1 customer=@cus2
        400 param=customer: This charge has a customer already, and that cannot be changed.

        > update_charge @ch1 transfer_group=h
        400 param=transfer_group: This charge has a `transfer_group` already, and that cannot be changed.
        ",
    );
}

#[test]
fn the_hold_of_an_intent_is_captured_with_its_intent() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true capture_method=manual
        200 pi1
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 held 2000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > capture_charge @ch1 amount=500
        200 ch1
        · txn1 charge 500 fee 45 net 455 in 2 days for ch1
        · ch1 captured 2000 usd captured=500
        · pi1 succeeded 2000 usd received=500 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 500, merchant_balance -500, merchant_balance 45, fee_revenue -45
        events charge.captured, payment_intent.succeeded
        balance usd available 0 pending 455

        > capture_charge @ch1
        400 charge_already_captured: Charge ch1 has already been captured.
        ",
    );
}

#[test]
fn a_source_is_charged_once_and_a_customers_card_again_and_again() {
    check(
        "
        > create_source type=card token=tok_visa
        200 src1
        · src1 4242
        events source.chargeable

        > create_charge amount=2000 currency=usd source=@src1
        200 ch1
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · src1 4242 used up
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available 0 pending 1912

        > create_charge amount=2000 currency=usd source=@src1
        400 param=source: The source src1 was consumed. It may be charged once, unless it is saved to a customer.

        > create_customer source=tok_mastercard
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 4444 of cus1
        events customer.created, customer.source.created

        > create_charge amount=700 currency=usd customer=@cus1
        200 ch2
        · ch2 captured 700 usd captured=700
        · txn2 charge 700 fee 50 net 650 in 2 days for ch2
        · card1 4444 of cus1
        · entry capture ch2: network_receivable{instant} 700, merchant_balance -700, merchant_balance 50, fee_revenue -50
        events charge.succeeded
        balance usd available 0 pending 2562

        > create_charge amount=700 currency=usd customer=@cus1 source=@card1 capture=false
        200 ch3
        · ch3 held 700 usd
        · card1 4444 of cus1
        events charge.succeeded

        > create_charge amount=700 currency=usd source=@card1
        400 resource_missing param=source (not begun): No such token: 'card1'

        > create_charge amount=700 currency=usd customer=@cus1 source=@src1
        402 missing param=source: Customer cus1 does not have a linked source with ID src1.
        ",
    );
}

#[test]
fn an_amount_below_zero_has_words_of_its_own() {
    check(
        "
        > create_charge amount=-99 currency=usd source=tok_visa
        400 parameter_invalid_integer param=amount (not begun): Invalid positive integer

        > create_token
        400 (not begun): You must supply either a card, customer, or bank account to create a token: exactly one of the parameters bank_account, card, cvc_update. (Customers of other accounts cannot be named.)
        ",
    );
}
