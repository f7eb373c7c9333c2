//! Bank debits: what every test account does, the mandate, the deposits, and what becomes of the money.

use crate::script::{check, events_of};
use tollgate_domain::payments::bank_account::{BankOutcome, BankScheme, TestAccount};
use tollgate_resource::Names;

const AGREED: &str = "mandate_data[customer_acceptance][type]=offline";

/// A payment that is debited with a named test account.
fn pay(name: &str, scheme: BankScheme) -> String {
    let currency = scheme.currencies()[0].code();
    format!(
        "create_payment_intent amount=2000 currency={currency} payment_method_types[0]={} payment_method=pm_{name} \
         confirm=true {AGREED}",
        scheme.kind().name()
    )
}

#[test]
fn every_named_test_account_ends_as_its_row_says() {
    let mut named = 0;
    for row in TestAccount::all() {
        let Some(name) = row.name() else { continue };
        named += 1;
        let events = events_of(&[&pay(name, row.scheme), "wait 4s", "wait 1h"]);
        let (pending, end): (&[&str], &[&str]) = match row.outcome {
            BankOutcome::Blocked => (&[], &["charge.failed", "payment_intent.payment_failed"]),
            BankOutcome::Unheard => (&["charge.pending", "payment_intent.processing"], &[]),
            BankOutcome::Pays => (
                &["charge.pending", "payment_intent.processing"],
                &["charge.succeeded", "payment_intent.succeeded"],
            ),
            BankOutcome::Disputed => (
                &["charge.pending", "payment_intent.processing"],
                &[
                    "charge.succeeded",
                    "charge.dispute.created",
                    "charge.dispute.funds_withdrawn",
                    "charge.dispute.closed",
                    "mandate.updated",
                    "payment_intent.succeeded",
                ],
            ),
            BankOutcome::Fails(decline) if decline.code == "debit_not_authorized" => (
                &["charge.pending", "payment_intent.processing"],
                &["charge.failed", "payment_intent.payment_failed", "mandate.updated"],
            ),
            BankOutcome::Fails(_) => (
                &["charge.pending", "payment_intent.processing"],
                &["charge.failed", "payment_intent.payment_failed"],
            ),
        };
        let wanted: Vec<_> = ["payment_intent.created"]
            .iter()
            .chain(pending)
            .chain(end)
            .copied()
            .collect();
        assert_eq!(events, wanted, "{name}");
    }
    assert!(named > 15, "only {named} rows have a name");
}

#[test]
fn a_debit_moves_no_money_until_the_bank_answers() {
    check(
        "
        > create_payment_intent amount=100000 currency=usd payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount_success confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 processing 100000 usd method=pm1 charge=ch1
        · pm1 us_bank_account 6789 verified used up
        · mandate1 single_use $1,000.00 of pm1
        · ch1 debiting 100000 usd mandate=mandate1
        events payment_intent.created, charge.pending, payment_intent.processing

        > create_refund charge=@ch1
        400: Charge ch1 is still pending. Refund it once it has succeeded.

        > wait 4s
        timer of pi1 at 3 s
        · txn1 payment 100000 fee 500 net 99500 now for ch1
        · ch1 captured 100000 usd mandate=mandate1 captured=100000
        · pi1 succeeded 100000 usd received=100000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 100000, merchant_balance -100000, merchant_balance 500, fee_revenue -500
        events charge.succeeded, payment_intent.succeeded
        balance usd available 99500 pending 0

        > create_refund charge=@ch1 amount=1000
        200 re1
        · re1 confirmed 1000 usd of ch1
        · txn2 payment_refund -1000 fee 0 net -1000 now for re1
        · ch1 captured 100000 usd mandate=mandate1 captured=100000 refunded=1000
        · entry refund re1: merchant_balance 1000, refund_in_transit -1000
        · entry refund_confirmed re1: refund_in_transit 1000, network_receivable{instant} -1000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 98500 pending 0
        ",
    );
}

#[test]
fn a_debit_that_fails_wants_another_payment_method() {
    check(
        "
        > create_customer
        200 cus1
        · cus1 - -
        events customer.created

        > create_payment_intent amount=2000 currency=usd customer=@cus1 payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount_debitNotAuthorized confirm=true setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 processing 2000 usd customer=cus1 method=pm1 charge=ch1
        · pm1 us_bank_account 3335 verified of cus1
        · mandate1 multi_use of pm1
        · ch1 debiting 2000 usd mandate=mandate1
        · cus1 - - holds=pm1
        events payment_intent.created, payment_method.attached, charge.pending, payment_intent.processing

        > wait 4s
        timer of pi1 at 3 s
        · mandate1 multi_use of pm1 inactive
        · pm1 us_bank_account 3335 verified of cus1
        · ch1 failed 2000 usd mandate=mandate1
        · pi1 requires_payment_method 2000 usd customer=cus1 charge=ch1 error=53
        events charge.failed, payment_intent.payment_failed, mandate.updated

        > confirm_payment_intent @pi1 payment_method=@pm1
        400 pi=pi1 (not begun): This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance from the customer and try again, providing acceptance data in the mandate_data parameter.
        ",
    );
}

#[test]
fn a_debit_can_be_given_up_while_the_bank_is_silent() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount_processing confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 processing 2000 usd method=pm1 charge=ch1
        · pm1 us_bank_account 0009 verified used up
        · mandate1 single_use $20.00 of pm1
        · ch1 debiting 2000 usd mandate=mandate1
        events payment_intent.created, charge.pending, payment_intent.processing

        > wait 1h

        > cancel_payment_intent @pi1
        200 pi1
        · ch1 failed 2000 usd mandate=mandate1
        · pi1 canceled 2000 usd method=pm1 charge=ch1
        events payment_intent.canceled, charge.failed
        ",
    );
}

#[test]
fn deposits_show_whose_account_it_is() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 us_bank_account 6789 unverified
        events payment_intent.created, payment_intent.requires_action

        > verify_microdeposits_payment_intent @pi1 amounts[0]=1 amounts[1]=2
        400 payment_method_microdeposit_verification_amounts_mismatch param=amounts pi=pi1: The amounts provided do not match the amounts that were sent to the bank account. You have 9 verification attempts remaining.
        · pi1 requires_action 2000 usd method=pm1

        > verify_microdeposits_payment_intent @pi1 amounts[0]=1
        400 payment_method_microdeposit_verification_amounts_invalid param=amounts (not begun): You must provide exactly two microdeposit amounts.

        > verify_microdeposits_payment_intent @pi1 descriptor_code=SM00XX
        400 payment_method_microdeposit_verification_descriptor_code_mismatch param=descriptor_code pi=pi1: The verification code provided does not match the one sent to the bank account. You have 8 verification attempts remaining.
        · pi1 requires_action 2000 usd method=pm1

        > verify_microdeposits_payment_intent @pi1 amounts[0]=45 amounts[1]=32
        200 pi1
        · mandate1 single_use $20.00 of pm1
        · ch1 debiting 2000 usd mandate=mandate1
        · pm1 us_bank_account 6789 verified used up
        · pi1 processing 2000 usd method=pm1 charge=ch1
        events charge.pending, payment_intent.processing

        > wait 4s
        timer of pi1 at 3 s
        · txn1 payment 2000 fee 16 net 1984 now for ch1
        · ch1 captured 2000 usd mandate=mandate1 captured=2000
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 16, fee_revenue -16
        events charge.succeeded, payment_intent.succeeded
        balance usd available 1984 pending 0
        ",
    );
}

#[test]
fn deposits_that_are_never_told_right_end_the_payment() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline

        > verify_microdeposits_payment_intent @pi1 amounts[0]=10 amounts[1]=11
        400 payment_method_microdeposit_verification_attempts_exceeded pi=pi1: You have exceeded the number of allowed verification attempts.
        · pm1 us_bank_account 6789 failed
        · pi1 requires_payment_method 2000 usd error=61
        events payment_intent.payment_failed

        > confirm_payment_intent @pi1 payment_method=@pm1 mandate_data[customer_acceptance][type]=offline
        400 payment_method_microdeposit_failed param=payment_method: This bank account cannot be verified any more. Use another one.

        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000666666661 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi2
        · pi2 requires_action 2000 usd method=pm2
        · pm2 us_bank_account 6661 unverified
        events payment_intent.created, payment_intent.requires_action

        > wait 4s
        timer of pi2 at 3 s
        · pm2 us_bank_account 6661 failed
        · pi2 requires_payment_method 2000 usd error=60
        events payment_intent.payment_failed
        ",
    );
}

#[test]
fn what_a_bank_account_cannot_pay_is_refused() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount_success confirm=true
        400 (not begun): This PaymentIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance from the customer and try again, providing acceptance data in the mandate_data parameter.

        > create_payment_intent amount=2000 currency=eur payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount_success confirm=true mandate_data[customer_acceptance][type]=offline
        400 payment_intent_invalid_parameter param=currency (not begun): The currency provided (eur) is invalid. Payments with us_bank_account support the following currencies: usd.

        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account capture_method=manual payment_method=pm_usBankAccount_success confirm=true mandate_data[customer_acceptance][type]=offline
        400 payment_intent_invalid_parameter param=capture_method (not begun): The payment method type `us_bank_account` does not support `capture_method=manual`.

        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=card payment_method=pm_usBankAccount_success
        400 payment_intent_incompatible_payment_method param=payment_method (not begun): The PaymentMethod provided (us_bank_account) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types to confirm this PaymentIntent: card.

        > create_payment_method type=us_bank_account us_bank_account[account_number]=000123456789 us_bank_account[routing_number]=110000000
        400 parameter_missing param=billing_details[name] (not begun): Missing required param: billing_details[name].

        > create_payment_method type=us_bank_account billing_details[name]=Jenny us_bank_account[account_number]=000123456789 us_bank_account[routing_number]=110000001
        400 routing_number_invalid param=us_bank_account[routing_number] (not begun): Invalid routing number. It must have nine digits that fit together.

        > create_payment_method type=sepa_debit sepa_debit[iban]=DE89370400440532013001
        400 invalid_bank_account_iban param=sepa_debit[iban] (not begun): The IBAN you provided is invalid.

        > create_payment_method type=sepa_debit
        400 parameter_missing param=sepa_debit (not begun): Missing required param: sepa_debit.
        ",
    );
}

#[test]
fn a_sepa_debit_is_taken_under_a_mandate_again_and_again() {
    check(
        "
        + create_customer

        > create_payment_method type=sepa_debit sepa_debit[iban]=DE89370400440532013000 billing_details[name]=Jenny billing_details[email]=jenny@example.com
        200 pm1
        · pm1 sepa_debit 3000 verified

        > create_payment_intent amount=2000 currency=eur customer=@cus1 payment_method_types[0]=sepa_debit payment_method=@pm1 confirm=true setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 processing 2000 eur customer=cus1 method=pm1 charge=ch1
        · mandate1 multi_use of pm1
        · ch1 debiting 2000 eur mandate=mandate1
        · cus1 - - holds=pm1
        · pm1 sepa_debit 3000 verified of cus1
        events payment_intent.created, payment_method.attached, charge.pending, payment_intent.processing

        > wait 4s
        timer of pi1 at 3 s
        · txn1 payment 2000 fee 35 net 1965 in 2 days for ch1
        · ch1 captured 2000 eur mandate=mandate1 captured=2000
        · pi1 succeeded 2000 eur received=2000 customer=cus1 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 35, fee_revenue -35
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 1965

        > create_payment_intent amount=3000 currency=eur customer=@cus1 payment_method_types[0]=sepa_debit payment_method=@pm1 confirm=true off_session=true
        200 pi2
        · pi2 processing 3000 eur customer=cus1 method=pm1 charge=ch2
        · ch2 debiting 3000 eur mandate=mandate1
        · pm1 sepa_debit 3000 verified of cus1
        events payment_intent.created, charge.pending, payment_intent.processing

        > wait 4s
        timer of pi2 at 7 s
        · txn2 payment 3000 fee 35 net 2965 in 2 days for ch2
        · ch2 captured 3000 eur mandate=mandate1 captured=3000
        · pi2 succeeded 3000 eur received=3000 customer=cus1 method=pm1 charge=ch2
        · entry capture ch2: network_receivable{instant} 3000, merchant_balance -3000, merchant_balance 35, fee_revenue -35
        events charge.succeeded, payment_intent.succeeded
        balance eur available 0 pending 4930
        ",
    );
}

#[test]
fn a_detached_account_has_no_mandate_any_more() {
    check(
        "
        + create_customer

        > create_payment_intent amount=2000 currency=usd customer=@cus1 payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount confirm=true setup_future_usage=off_session mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 processing 2000 usd customer=cus1 method=pm1 charge=ch1
        · pm1 us_bank_account 6789 verified of cus1
        · mandate1 multi_use of pm1
        · ch1 debiting 2000 usd mandate=mandate1
        · cus1 - - holds=pm1
        events payment_intent.created, payment_method.attached, charge.pending, payment_intent.processing

        > wait 4s
        timer of pi1 at 3 s
        · txn1 payment 2000 fee 16 net 1984 now for ch1
        · ch1 captured 2000 usd mandate=mandate1 captured=2000
        · pi1 succeeded 2000 usd received=2000 customer=cus1 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 16, fee_revenue -16
        events charge.succeeded, payment_intent.succeeded
        balance usd available 1984 pending 0

        > detach_payment_method @pm1
        200 pm1
        · mandate1 multi_use of pm1 inactive
        · pm1 us_bank_account 6789 verified used up
        · cus1 - -
        events mandate.updated, payment_method.detached
        ",
    );
}

#[test]
fn deposits_fail_when_the_newest_ones_do() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000666666661 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 us_bank_account 6661 unverified
        events payment_intent.created, payment_intent.requires_action

        > wait 2s

        > confirm_payment_intent @pi1 payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000666666661 payment_method_data[us_bank_account][routing_number]=110000000 mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pm2 us_bank_account 6661 unverified
        · pi1 requires_action 2000 usd method=pm2
        events payment_intent.requires_action

        > wait 2s

        > wait 2s
        timer of pi1 at 5 s
        · pm2 us_bank_account 6661 failed
        · pi1 requires_payment_method 2000 usd error=60
        events payment_intent.payment_failed
        ",
    );
}
