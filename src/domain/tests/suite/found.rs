//! Lists by a value find what looking at every object would find.

use crate::script::check;

#[test]
fn setup_intents_are_found_by_what_they_set_up() {
    check(
        "
        + create_payment_method type=card card[token]=tok_visa
        + create_setup_intent payment_method=@pm1
        + create_setup_intent
        + confirm_setup_intent @seti2 payment_method=pm_card_mastercard

        > list_setup_intents payment_method=@pm1
        list of setup_intent: seti1

        > list_setup_intents payment_method=@pm2
        list of setup_intent: seti2

        + update_setup_intent @seti1 payment_method=@pm2

        > list_setup_intents payment_method=@pm1
        list of setup_intent: none

        > list_setup_intents attach_to_self=true
        list of setup_intent: none
        ",
    );
}

#[test]
fn charges_are_found_by_their_group() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true transfer_group=ORDER
        + create_charge amount=1000 currency=usd source=tok_visa

        > list_charges transfer_group=ORDER
        list of charge: ch1

        + update_charge @ch2 transfer_group=ORDER

        > list_charges transfer_group=ORDER
        list of charge: ch2, ch1

        > list_charges transfer_group=OTHER
        list of charge: none
        ",
    );
}

#[test]
fn movements_of_the_balance_are_found_by_their_type() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true capture_method=manual
        200 pi1
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · pm1 4242 used up
        · ch1 held 2000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1
        200 pi1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · ch1 captured 2000 usd captured=2000
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.captured, payment_intent.succeeded
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

        > create_charge amount=1000 currency=usd source=tok_createDispute
        200 ch2
        · ch2 captured 1000 usd captured=1000 disputed=du1
        · txn3 charge 1000 fee 59 net 941 in 2 days for ch2
        · du1 needs_response fraudulent 1000 usd of ch2
        · txn4 dispute -1000 fee 1500 net -2500 now for du1
        · entry capture ch2: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        · entry dispute_opened du1: merchant_balance 1000, dispute_in_transit -1000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 1000, network_receivable{instant} -1000
        events charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn
        balance usd available -2500 pending 2353

        > update_dispute @du1 evidence[uncategorized_text]=winning_evidence
        200 du1
        · ch2 captured 1000 usd captured=1000 disputed=du1
        · du1 under_review fraudulent 1000 usd of ch2 evidence sent=1
        events charge.dispute.updated, charge.updated

        > wait 60s
        timer of du1 at 3 s
        · txn5 dispute_reversal 1000 fee 0 net 1000 now for du1
        · du1 won fraudulent 1000 usd of ch2 evidence sent=1
        · entry dispute_won du1: network_receivable{instant} 1000, merchant_balance -1000
        events charge.dispute.funds_reinstated, charge.dispute.closed
        balance usd available -1500 pending 2353

        > create_payment_intent amount=3000 currency=usd payment_method=pm_card_refundFail confirm=true
        200 pi2
        · pi2 succeeded 3000 usd received=3000 method=pm2 charge=ch3
        · pm2 5126 used up
        · ch3 captured 3000 usd captured=3000
        · txn6 charge 3000 fee 117 net 2883 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 3000, merchant_balance -3000, merchant_balance 117, fee_revenue -117
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available -1500 pending 5236

        > create_refund charge=@ch3
        200 re2
        · re2 confirmed 3000 usd of ch3
        · txn7 refund -3000 fee 0 net -3000 in 2 days for re2
        · ch3 captured 3000 usd captured=3000 refunded=3000 (all)
        · entry refund re2: merchant_balance 3000, refund_in_transit -3000
        · entry refund_confirmed re2: refund_in_transit 3000, network_receivable{instant} -3000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available -1500 pending 2236

        > wait 60s
        timer of re2 at 63 s
        · txn8 refund_failure 3000 fee 0 net 3000 now for re2
        · ch3 captured 3000 usd captured=3000
        · re2 failed 3000 usd of ch3
        · entry refund_failed re2: network_receivable{instant} 3000, merchant_balance -3000
        events refund.failed, refund.updated, charge.refund.updated
        balance usd available 1500 pending 2236

        > create_payment_intent amount=4000 currency=usd payment_method=pm_usBankAccount_success payment_method_types[0]=us_bank_account confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi3
        · pi3 processing 4000 usd method=pm3 charge=ch4
        · pm3 us_bank_account 6789 verified used up
        · mandate1 single_use $40.00 of pm3
        · ch4 debiting 4000 usd mandate=mandate1
        events payment_intent.created, charge.pending, payment_intent.processing

        > wait 60s
        timer of pi3 at 123 s
        · txn9 payment 4000 fee 32 net 3968 now for ch4
        · ch4 captured 4000 usd mandate=mandate1 captured=4000
        · pi3 succeeded 4000 usd received=4000 method=pm3 charge=ch4
        · entry capture ch4: network_receivable{instant} 4000, merchant_balance -4000, merchant_balance 32, fee_revenue -32
        events charge.succeeded, payment_intent.succeeded
        balance usd available 5468 pending 2236

        > create_refund charge=@ch4
        200 re3
        · re3 confirmed 4000 usd of ch4
        · txn10 payment_refund -4000 fee 0 net -4000 now for re3
        · ch4 captured 4000 usd mandate=mandate1 captured=4000 refunded=4000 (all)
        · entry refund re3: merchant_balance 4000, refund_in_transit -4000
        · entry refund_confirmed re3: refund_in_transit 4000, network_receivable{instant} -4000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 1468 pending 2236

        > list_balance_transactions type=charge
        list of balance_transaction: txn6, txn3, txn1

        > list_balance_transactions type=refund
        list of balance_transaction: txn7, txn2

        > list_balance_transactions type=adjustment
        list of balance_transaction: txn5, txn4

        > list_balance_transactions type=refund_failure
        list of balance_transaction: txn8

        > list_balance_transactions type=payment
        list of balance_transaction: txn9

        > list_balance_transactions type=payment_refund
        list of balance_transaction: txn10

        > list_balance_transactions type=payout
        list of balance_transaction: none
        ",
    );
}

#[test]
fn tax_ids_of_the_account_are_found_among_those_of_customers() {
    check(
        "
        + create_customer
        + create_tax_id type=eu_vat value=DE123456789
        + create_customer_tax_id @cus1 type=eu_vat value=DE123456788

        > list_tax_ids
        list of tax_id: txi1

        > list_tax_ids owner[type]=customer owner[customer]=@cus1
        list of tax_id: txi2
        ",
    );
}
