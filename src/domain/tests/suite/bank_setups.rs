//! Bank accounts that are set up for payments to come, and the page of deposits.

use crate::script::check;

#[test]
fn an_account_is_set_up_by_deposits_and_pays() {
    check(
        "
        > create_customer
        200 cus1
        · cus1 - -
        events customer.created

        > create_setup_intent customer=@cus1 payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti1
        · seti1 requires_action customer=cus1 method=pm1 attempt=setatt1
        · pm1 us_bank_account 6789 unverified
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > verify_setup_intent_microdeposits @seti1 amounts[0]=1 amounts[1]=2
        400 payment_method_microdeposit_verification_amounts_mismatch param=amounts seti=seti1: The amounts provided do not match the amounts that were sent to the bank account. You have 9 verification attempts remaining.
        · seti1 requires_action customer=cus1 method=pm1 attempt=setatt1

        > verify_setup_intent_microdeposits @seti1 descriptor_code=SM11AA
        200 seti1
        · mandate1 multi_use of pm1
        · cus1 - - holds=pm1
        · pm1 us_bank_account 6789 verified of cus1
        · setatt1 succeeded pm1
        · seti1 succeeded customer=cus1 method=pm1 attempt=setatt1 mandate=mandate1
        events payment_method.attached, setup_intent.succeeded

        > create_payment_intent amount=2000 currency=usd customer=@cus1 payment_method_types[0]=us_bank_account payment_method=@pm1 off_session=true confirm=true
        200 pi1
        · pi1 processing 2000 usd customer=cus1 method=pm1 charge=ch1
        · ch1 debiting 2000 usd mandate=mandate1
        · pm1 us_bank_account 6789 verified of cus1
        events payment_intent.created, charge.pending, payment_intent.processing

        > wait 4s
        timer of pi1 at 3 s
        · txn1 payment 2000 fee 16 net 1984 now for ch1
        · ch1 captured 2000 usd mandate=mandate1 captured=2000
        · pi1 succeeded 2000 usd received=2000 customer=cus1 method=pm1 charge=ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 16, fee_revenue -16
        events charge.succeeded, payment_intent.succeeded
        balance usd available 1984 pending 0
        ",
    );
}

#[test]
fn a_setup_whose_deposits_fail_wants_another_account() {
    check(
        "
        > create_setup_intent payment_method_types[0]=us_bank_account payment_method=pm_usBankAccount_success confirm=true
        400 (not begun): This SetupIntent requires a mandate, but no existing mandate was found. Collect mandate acceptance from the customer and try again, providing acceptance data in the mandate_data parameter.

        > create_setup_intent payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti1
        · seti1 requires_action method=pm1 attempt=setatt1
        · pm1 us_bank_account 6789 unverified
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > verify_setup_intent_microdeposits @seti1 amounts[0]=40 amounts[1]=41
        400 payment_method_microdeposit_verification_timeout seti=seti1: Microdeposit verification timed out. The bank account was not verified in time.
        · pm1 us_bank_account 6789 failed
        · setatt1 failed pm1
        · seti1 requires_payment_method attempt=setatt1 error=62
        events setup_intent.setup_failed

        > create_setup_intent payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000666666661 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti2
        · seti2 requires_action method=pm2 attempt=setatt2
        · pm2 us_bank_account 6661 unverified
        · setatt2 requires_action pm2
        events setup_intent.created, setup_intent.requires_action

        > wait 4s
        timer of seti2 at 3 s
        · pm2 us_bank_account 6661 failed
        · setatt2 failed pm2
        · seti2 requires_payment_method attempt=setatt2 error=60
        events setup_intent.setup_failed

        > create_setup_intent payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline payment_method_options[us_bank_account][verification_method]=skip
        200 seti3
        · seti3 succeeded method=pm3 attempt=setatt3 mandate=mandate1
        · pm3 us_bank_account 6789 verified
        · setatt3 succeeded pm3
        · mandate1 multi_use of pm3
        events setup_intent.created, setup_intent.succeeded
        ",
    );
}

#[test]
fn the_page_of_deposits_shows_whose_account_it_is_too() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 pi1
        · pi1 requires_action 2000 usd method=pm1
        · pm1 us_bank_account 6789 unverified
        events payment_intent.created, payment_intent.requires_action

        > act pi1 complete
        200 pi1
        · mandate1 single_use $20.00 of pm1
        · ch1 debiting 2000 usd mandate=mandate1
        · pm1 us_bank_account 6789 verified used up
        · pi1 processing 2000 usd method=pm1 charge=ch1
        events charge.pending, payment_intent.processing

        > create_setup_intent payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti1
        · seti1 requires_action method=pm2 attempt=setatt1
        · pm2 us_bank_account 6789 unverified
        · setatt1 requires_action pm2
        events setup_intent.created, setup_intent.requires_action

        > act seti1 complete
        200 seti1
        · mandate2 multi_use of pm2
        · pm2 us_bank_account 6789 verified
        · setatt1 succeeded pm2
        · seti1 succeeded method=pm2 attempt=setatt1 mandate=mandate2
        events setup_intent.succeeded

        > create_setup_intent payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000123456789 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti2
        · seti2 requires_action method=pm3 attempt=setatt2
        · pm3 us_bank_account 6789 unverified
        · setatt2 requires_action pm3
        events setup_intent.created, setup_intent.requires_action

        > act seti2 fail
        200 seti2
        · pm3 us_bank_account 6789 failed
        · setatt2 failed pm3
        · seti2 requires_payment_method attempt=setatt2 error=60
        events setup_intent.setup_failed
        ",
    );
}

#[test]
fn deposits_fail_when_the_newest_ones_do() {
    check(
        "
        > create_setup_intent payment_method_types[0]=us_bank_account payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000666666661 payment_method_data[us_bank_account][routing_number]=110000000 confirm=true mandate_data[customer_acceptance][type]=offline
        200 seti1
        · seti1 requires_action method=pm1 attempt=setatt1
        · pm1 us_bank_account 6661 unverified
        · setatt1 requires_action pm1
        events setup_intent.created, setup_intent.requires_action

        > wait 2s

        > confirm_setup_intent @seti1 payment_method_data[type]=us_bank_account payment_method_data[billing_details][name]=Jenny payment_method_data[us_bank_account][account_number]=000666666661 payment_method_data[us_bank_account][routing_number]=110000000 mandate_data[customer_acceptance][type]=offline
        200 seti1
        · pm2 us_bank_account 6661 unverified
        · setatt2 requires_action pm2
        · setatt1 abandoned pm1
        · seti1 requires_action method=pm2 attempt=setatt2
        events setup_intent.requires_action

        > wait 2s

        > wait 2s
        timer of seti1 at 5 s
        · pm2 us_bank_account 6661 failed
        · setatt2 failed pm2
        · seti1 requires_payment_method attempt=setatt2 error=60
        events setup_intent.setup_failed
        ",
    );
}
