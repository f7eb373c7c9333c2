//! Disputes that test cards raise: opened with the payment, answered, won, lost, escalated, given up.

use crate::script::check;

#[test]
fn a_disputed_payment_takes_amount_and_fee_and_a_win_gives_the_amount_back() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDispute confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 0259 used up
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · du1 needs_response fraudulent 2000 usd of ch1
        · txn2 dispute -2000 fee 1500 net -3500 now for du1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        · entry dispute_opened du1: merchant_balance 2000, dispute_in_transit -2000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 2000, network_receivable{instant} -2000
        events payment_intent.created, charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn, payment_intent.succeeded
        balance usd available -3500 pending 1912

        > update_dispute @du1 evidence[uncategorized_text]=winning_evidence
        200 du1
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · du1 under_review fraudulent 2000 usd of ch1 evidence sent=1
        events charge.dispute.updated, charge.updated

        > create_refund charge=@ch1
        400 charge_disputed: Charge ch1 has been charged back; cannot issue a refund.

        > wait 5s
        timer of du1 at 3 s
        · txn3 dispute_reversal 2000 fee 0 net 2000 now for du1
        · du1 won fraudulent 2000 usd of ch1 evidence sent=1
        · entry dispute_won du1: network_receivable{instant} 2000, merchant_balance -2000
        events charge.dispute.funds_reinstated, charge.dispute.closed
        balance usd available -1500 pending 1912

        > update_dispute @du1 evidence[uncategorized_text]=winning_evidence
        400: This dispute is already closed

        > close_dispute @du1
        400: This dispute is already closed

        > create_refund charge=@ch1
        200 re1
        · re1 confirmed 2000 usd of ch1
        · txn4 refund -2000 fee 0 net -2000 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=2000 (all) disputed=du1
        · entry refund re1: merchant_balance 2000, refund_in_transit -2000
        · entry refund_confirmed re1: refund_in_transit 2000, network_receivable{instant} -2000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available -1500 pending -88

        ",
    );
}

#[test]
fn a_dispute_is_lost_by_losing_evidence_by_closing_and_by_silence() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDisputeProductNotReceived confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 2685 used up
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · du1 needs_response product_not_received 2000 usd of ch1
        · txn2 dispute -2000 fee 1500 net -3500 now for du1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        · entry dispute_opened du1: merchant_balance 2000, dispute_in_transit -2000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 2000, network_receivable{instant} -2000
        events payment_intent.created, charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn, payment_intent.succeeded
        balance usd available -3500 pending 1912

        > update_dispute @du1 submit=false evidence[product_description]=shoes metadata[case]=7
        200 du1
        · du1 needs_response product_not_received 2000 usd of ch1 evidence
        events charge.dispute.updated

        > update_dispute @du1 evidence[uncategorized_text]=losing_evidence
        200 du1
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · du1 under_review product_not_received 2000 usd of ch1 evidence sent=1
        events charge.dispute.updated, charge.updated

        > wait 5s
        timer of du1 at 3 s
        · du1 lost product_not_received 2000 usd of ch1 evidence sent=1
        events charge.dispute.closed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDispute confirm=true
        200 pi2
        · pi2 succeeded 2000 usd received=2000 method=pm2 charge=ch2
        · pm2 0259 used up
        · ch2 captured 2000 usd captured=2000 disputed=du2
        · txn3 charge 2000 fee 88 net 1912 in 2 days for ch2
        · du2 needs_response fraudulent 2000 usd of ch2
        · txn4 dispute -2000 fee 1500 net -3500 now for du2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        · entry dispute_opened du2: merchant_balance 2000, dispute_in_transit -2000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du2: dispute_in_transit 2000, network_receivable{instant} -2000
        events payment_intent.created, charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn, payment_intent.succeeded
        balance usd available -7000 pending 3824

        > close_dispute @du2
        200 du2
        · ch2 captured 2000 usd captured=2000 disputed=du2
        · du2 lost fraudulent 2000 usd of ch2
        events charge.dispute.closed, charge.updated

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDispute confirm=true
        200 pi3
        · pi3 succeeded 2000 usd received=2000 method=pm3 charge=ch3
        · pm3 0259 used up
        · ch3 captured 2000 usd captured=2000 disputed=du3
        · txn5 charge 2000 fee 88 net 1912 in 2 days for ch3
        · du3 needs_response fraudulent 2000 usd of ch3
        · txn6 dispute -2000 fee 1500 net -3500 now for du3
        · entry capture ch3: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        · entry dispute_opened du3: merchant_balance 2000, dispute_in_transit -2000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du3: dispute_in_transit 2000, network_receivable{instant} -2000
        events payment_intent.created, charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn, payment_intent.succeeded
        balance usd available -10500 pending 5736

        > wait 10d
        timer of du3 at 820800 s
        · du3 lost fraudulent 2000 usd of ch3
        events charge.dispute.closed
        balance usd available -4764 pending 0
        ",
    );
}

#[test]
fn an_inquiry_moves_no_money_until_it_is_escalated() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDisputeInquiry confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 1976 used up
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · du1 warning_needs_response fraudulent 2000 usd of ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, charge.dispute.created, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_refund charge=@ch1 amount=500
        200 re1
        · re1 confirmed 500 usd of ch1
        · txn2 refund -500 fee 0 net -500 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=500 disputed=du1
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{instant} -500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending 1412

        > update_dispute @du1 evidence[uncategorized_text]=escalate_inquiry_evidence
        200 du1
        · ch1 captured 2000 usd captured=2000 refunded=500 disputed=du1
        · du1 warning_under_review fraudulent 2000 usd of ch1 evidence sent=1
        events charge.dispute.updated, charge.updated

        > wait 5s
        timer of du1 at 3 s
        · txn3 dispute -1500 fee 1500 net -3000 now for du1
        · ch1 captured 2000 usd captured=2000 refunded=500 disputed=du1
        · du1 needs_response fraudulent 1500 usd of ch1 evidence sent=1
        · entry dispute_opened du1: merchant_balance 1500, dispute_in_transit -1500, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 1500, network_receivable{instant} -1500
        events charge.dispute.updated, charge.dispute.funds_withdrawn
        balance usd available -3000 pending 1412

        > create_refund charge=@ch1 amount=500
        400 charge_disputed: Charge ch1 has been charged back; cannot issue a refund.

        > update_dispute @du1 evidence[uncategorized_text]=winning_evidence
        200 du1
        · ch1 captured 2000 usd captured=2000 refunded=500 disputed=du1
        · du1 under_review fraudulent 1500 usd of ch1 evidence sent=2
        events charge.dispute.updated, charge.updated

        > wait 5s
        timer of du1 at 8 s
        · txn4 dispute_reversal 1500 fee 0 net 1500 now for du1
        · du1 won fraudulent 1500 usd of ch1 evidence sent=2
        · entry dispute_won du1: network_receivable{instant} 1500, merchant_balance -1500
        events charge.dispute.funds_reinstated, charge.dispute.closed
        balance usd available -1500 pending 1412
        ",
    );
}

#[test]
fn an_inquiry_ends_with_a_good_answer_or_a_whole_refund() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDisputeInquiry confirm=true

        > update_dispute @du1 evidence[uncategorized_text]=winning_evidence
        200 du1
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · du1 warning_under_review fraudulent 2000 usd of ch1 evidence sent=1
        events charge.dispute.updated, charge.updated

        > wait 5s
        timer of du1 at 3 s
        · du1 warning_closed fraudulent 2000 usd of ch1 evidence sent=1
        events charge.dispute.closed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDisputeInquiry confirm=true
        200 pi2
        · pi2 succeeded 2000 usd received=2000 method=pm2 charge=ch2
        · pm2 1976 used up
        · ch2 captured 2000 usd captured=2000 disputed=du2
        · txn2 charge 2000 fee 88 net 1912 in 2 days for ch2
        · du2 warning_needs_response fraudulent 2000 usd of ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, charge.dispute.created, payment_intent.succeeded
        balance usd available 0 pending 3824

        > create_refund charge=@ch2
        200 re1
        · re1 confirmed 2000 usd of ch2
        · txn3 refund -2000 fee 0 net -2000 in 2 days for re1
        · du2 warning_closed fraudulent 2000 usd of ch2
        · ch2 captured 2000 usd captured=2000 refunded=2000 (all) disputed=du2
        · entry refund re1: merchant_balance 2000, refund_in_transit -2000
        · entry refund_confirmed re1: refund_in_transit 2000, network_receivable{instant} -2000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated, charge.dispute.closed
        balance usd available 0 pending 1824

        > close_dispute @du2
        400: This dispute is already closed

        ",
    );
}

#[test]
fn a_hold_is_disputed_when_it_is_captured() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDispute confirm=true capture_method=manual
        200 pi1
        · pi1 requires_capture 2000 usd method=pm1 charge=ch1
        · pm1 0259 used up
        · ch1 held 2000 usd
        events payment_intent.created, charge.succeeded, payment_intent.amount_capturable_updated

        > capture_payment_intent @pi1 amount_to_capture=1500
        200 pi1
        · txn1 charge 1500 fee 74 net 1426 in 2 days for ch1
        · du1 needs_response fraudulent 1500 usd of ch1
        · txn2 dispute -1500 fee 1500 net -3000 now for du1
        · ch1 captured 2000 usd captured=1500 disputed=du1
        · pi1 succeeded 2000 usd received=1500 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 1500, merchant_balance -1500, merchant_balance 74, fee_revenue -74
        · entry dispute_opened du1: merchant_balance 1500, dispute_in_transit -1500, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 1500, network_receivable{instant} -1500
        events charge.captured, charge.dispute.created, charge.dispute.funds_withdrawn, payment_intent.succeeded
        balance usd available -3000 pending 1426

        ",
    );
}

#[test]
fn several_disputes_share_a_payment() {
    check(
        "
        > create_payment_intent amount=2001 currency=usd payment_method=pm_card_createMultipleDisputes confirm=true
        200 pi1
        · pi1 succeeded 2001 usd received=2001 method=pm1 charge=ch1
        · pm1 0079 used up
        · ch1 captured 2001 usd captured=2001 disputed=du2
        · txn1 charge 2001 fee 88 net 1913 in 2 days for ch1
        · du1 needs_response fraudulent 1001 usd of ch1
        · txn2 dispute -1001 fee 1500 net -2501 now for du1
        · du2 needs_response fraudulent 1000 usd of ch1
        · txn3 dispute -1000 fee 1500 net -2500 now for du2
        · entry capture ch1: network_receivable{instant} 2001, merchant_balance -2001, merchant_balance 88, fee_revenue -88
        · entry dispute_opened du1: merchant_balance 1001, dispute_in_transit -1001, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 1001, network_receivable{instant} -1001
        · entry dispute_opened du2: merchant_balance 1000, dispute_in_transit -1000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du2: dispute_in_transit 1000, network_receivable{instant} -1000
        events payment_intent.created, charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn, charge.dispute.created, charge.dispute.funds_withdrawn, payment_intent.succeeded
        balance usd available -5001 pending 1913

        ",
    );
}

#[test]
fn evidence_that_is_kept_is_sent_when_time_is_over() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDispute confirm=true

        > update_dispute @du1 submit=false evidence[uncategorized_text]=winning_evidence
        200 du1
        · du1 needs_response fraudulent 2000 usd of ch1 evidence
        events charge.dispute.updated

        > wait 11d
        timer of du1 at 820800 s
        · du1 under_review fraudulent 2000 usd of ch1 evidence sent=1
        events charge.dispute.updated
        balance usd available -1588 pending 0
        timer of du1 at 820803 s
        · txn3 dispute_reversal 2000 fee 0 net 2000 now for du1
        · du1 won fraudulent 2000 usd of ch1 evidence sent=1
        · entry dispute_won du1: network_receivable{instant} 2000, merchant_balance -2000
        events charge.dispute.funds_reinstated, charge.dispute.closed
        balance usd available 412 pending 0

        ",
    );
}

#[test]
fn a_dispute_is_answered_by_way_of_its_charge() {
    check(
        "
        > create_charge amount=2000 currency=usd source=tok_createDispute
        200 ch1
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · du1 needs_response fraudulent 2000 usd of ch1
        · txn2 dispute -2000 fee 1500 net -3500 now for du1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        · entry dispute_opened du1: merchant_balance 2000, dispute_in_transit -2000, merchant_balance 1500, dispute_fee_revenue -1500
        · entry dispute_debited du1: dispute_in_transit 2000, network_receivable{instant} -2000
        events charge.succeeded, charge.dispute.created, charge.dispute.funds_withdrawn
        balance usd available -3500 pending 1912

        > retrieve_charge_dispute @ch1
        du1 needs_response fraudulent 2000 usd of ch1

        > update_charge_dispute @ch1 submit=false evidence[uncategorized_text]=winning_evidence
        200 du1
        · du1 needs_response fraudulent 2000 usd of ch1 evidence
        events charge.dispute.updated

        > close_charge_dispute @ch1
        200 du1
        · ch1 captured 2000 usd captured=2000 disputed=du1
        · du1 lost fraudulent 2000 usd of ch1 evidence
        events charge.dispute.closed, charge.updated

        > create_charge amount=2000 currency=usd source=tok_visa
        200 ch2
        · ch2 captured 2000 usd captured=2000
        · txn3 charge 2000 fee 88 net 1912 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events charge.succeeded
        balance usd available -3500 pending 3824

        > retrieve_charge_dispute @ch2
        404 (not begun): No dispute for charge: ch2

        > close_charge_dispute @ch2
        404 (not begun): No dispute for charge: ch2
        ",
    );
}
