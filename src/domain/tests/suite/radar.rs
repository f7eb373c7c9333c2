//! Payments that look risky: blocked, let through, reviewed, reported.

use crate::script::check;

#[test]
fn a_payment_of_the_highest_risk_is_blocked_before_the_bank_is_asked() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_radarBlock confirm=true
        402 card_declined decline=fraudulent charge=ch1 pi=pi1 pm=pm1: Your card was declined.
        · pi1 requires_payment_method 2000 usd charge=ch1 error=9
        · pm1 0019
        · ch1 failed 2000 usd risk=highest
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > settings block_highest_risk=false

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_radarBlock confirm=true
        402 card_declined decline=fraudulent charge=ch2 pi=pi2 pm=pm2: Your card was declined.
        · pi2 requires_payment_method 2000 usd charge=ch2 error=9
        · pm2 0019
        · ch2 failed 2000 usd risk=highest
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_riskLevelHighest confirm=true
        200 pi3
        · pi3 succeeded 2000 usd received=2000 method=pm3 charge=ch3
        · pm3 4954 used up
        · ch3 captured 2000 usd captured=2000 risk=highest
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > settings block_highest_risk=true

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_riskLevelHighest confirm=true
        402 card_declined decline=fraudulent charge=ch4 pi=pi4 pm=pm4: Your card was declined.
        · pi4 requires_payment_method 2000 usd charge=ch4 error=9
        · pm4 4954
        · ch4 failed 2000 usd risk=highest
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        ",
    );
}

#[test]
fn elevated_risk_is_reviewed_only_if_the_account_asks_for_it() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_riskLevelElevated confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 9235 used up
        · ch1 captured 2000 usd captured=2000 risk=elevated
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > settings review_elevated_risk=true

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_riskLevelElevated confirm=true
        200 pi2
        · pi2 succeeded 2000 usd received=2000 method=pm2 charge=ch2 review=prv1
        · pm2 9235 used up
        · ch2 captured 2000 usd captured=2000 risk=elevated
        · prv1 open of ch2
        · txn2 charge 2000 fee 88 net 1912 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, review.opened, payment_intent.succeeded
        balance usd available 0 pending 3824

        > approve_review @prv1
        200 prv1
        · prv1 approved of ch2
        events review.closed

        > approve_review @prv1
        400: This review is already closed and cannot be approved.

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_riskLevelElevated confirm=true
        200 pi3
        · pi3 succeeded 2000 usd received=2000 method=pm3 charge=ch3 review=prv2
        · pm3 9235 used up
        · ch3 captured 2000 usd captured=2000 risk=elevated
        · prv2 open of ch3
        · txn3 charge 2000 fee 88 net 1912 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, review.opened, payment_intent.succeeded
        balance usd available 0 pending 5736

        > create_refund charge=@ch3
        200 re1
        · re1 confirmed 2000 usd of ch3
        · txn4 refund -2000 fee 0 net -2000 in 2 days for re1
        · prv2 refunded of ch3
        · ch3 captured 2000 usd captured=2000 refunded=2000 (all) risk=elevated
        · entry refund re1: merchant_balance 2000, refund_in_transit -2000
        · entry refund_confirmed re1: refund_in_transit 2000, network_receivable{instant} -2000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated, review.closed
        balance usd available 0 pending 3736

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_cvcCheckFailElevatedRisk confirm=true
        402 incorrect_cvc decline=incorrect_cvc param=cvc charge=ch4 pi=pi4 pm=pm4: Your card's security code is incorrect.
        · pi4 requires_payment_method 2000 usd charge=ch4 error=7
        · pm4 7872
        · ch4 failed 2000 usd risk=elevated
        events payment_intent.created, charge.failed, payment_intent.payment_failed
        ",
    );
}

#[test]
fn a_wrong_security_code_is_blocked_unless_the_account_lets_it_through() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_cvcCheckFail confirm=true
        402 incorrect_cvc decline=incorrect_cvc param=cvc charge=ch1 pi=pi1 pm=pm1: Your card's security code is incorrect.
        · pi1 requires_payment_method 2000 usd charge=ch1 error=7
        · pm1 0101
        · ch1 failed 2000 usd risk=normal
        events payment_intent.created, charge.failed, payment_intent.payment_failed

        > settings block_cvc_fail=false

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_cvcCheckFail confirm=true
        200 pi2
        · pi2 succeeded 2000 usd received=2000 method=pm2 charge=ch2
        · pm2 0101 used up
        · ch2 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_avsFail confirm=true
        200 pi3
        · pi3 succeeded 2000 usd received=2000 method=pm3 charge=ch3
        · pm3 0010 used up
        · ch3 captured 2000 usd captured=2000
        · txn2 charge 2000 fee 88 net 1912 in 2 days for ch3
        · entry capture ch3: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 3824
        ",
    );
}

#[test]
fn a_report_of_fraud_asks_for_a_refund() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_createIssuerFraudRecord confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 5423 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · issfr1 actionable of ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, radar.early_fraud_warning.created, payment_intent.succeeded
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

        > create_refund charge=@ch1
        200 re2
        · re2 confirmed 1500 usd of ch1
        · txn3 refund -1500 fee 0 net -1500 in 2 days for re2
        · issfr1 settled of ch1
        · ch1 captured 2000 usd captured=2000 refunded=2000 (all)
        · entry refund re2: merchant_balance 1500, refund_in_transit -1500
        · entry refund_confirmed re2: refund_in_transit 1500, network_receivable{instant} -1500
        events refund.created, charge.refunded, refund.updated, charge.refund.updated, radar.early_fraud_warning.updated
        balance usd available 0 pending -88

        > retrieve_early_fraud_warning @issfr1
        issfr1 settled of ch1

        ",
    );
}

#[test]
fn the_fee_of_a_dispute_is_returned_where_the_account_has_that_policy() {
    check(
        "
        > settings dispute_fee=returned

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

        > wait 5s
        timer of du1 at 3 s
        · txn3 dispute_reversal 2000 fee -1500 net 3500 now for du1
        · du1 won fraudulent 2000 usd of ch1 evidence sent=1
        · entry dispute_won du1: network_receivable{instant} 2000, merchant_balance -2000, dispute_fee_revenue 1500, merchant_balance -1500
        events charge.dispute.funds_reinstated, charge.dispute.closed
        balance usd available 0 pending 1912

        ",
    );
}
