//! Bank accounts of the older API: tokens of them, and what a customer has of them among cards and sources.

use crate::script::check;
use tollgate_domain::payments::bank_account::DEPOSIT_TRIES_MAX;

#[test]
fn a_bank_account_is_saved_by_token_or_by_its_numbers() {
    check(
        "
        > create_customer
        200 cus1
        · cus1 - -
        events customer.created

        > create_token bank_account[country]=US bank_account[currency]=usd bank_account[account_holder_name]=Jenny bank_account[account_holder_type]=individual bank_account[routing_number]=110000000 bank_account[account_number]=000123456789
        200 tok1
        · tok1

        > create_customer_source @cus1 source=@tok1
        200 card1
        · card1 us_bank_account 6789 unverified of cus1
        · tok1 used
        · cus1 - - sources=card1 default=card1
        events customer.source.created, customer.updated

        > create_customer_source @cus1 source=@tok1
        400 token_already_used param=source: You cannot use a Stripe token more than once: tok1.

        > create_customer_source @cus1 source=btok_us_verified
        400 bank_account_exists param=source: A bank account with that routing number and account number already exists for this customer.

        > create_customer_source @cus1 source[object]=bank_account source[country]=US source[currency]=usd source[routing_number]=110000000 source[account_number]=000222222227 source[metadata][k]=v
        200 card2
        · card2 us_bank_account 2227 unverified of cus1
        · cus1 - - sources=card2,card1 default=card1
        events customer.source.created

        > create_customer_bank_account @cus1 bank_account=btok_us_verified_noAccount
        200 card3
        · card3 us_bank_account 1116 verified of cus1
        · cus1 - - sources=card3,card2,card1 default=card1
        events customer.source.created
        ",
    );
}

#[test]
fn what_is_no_bank_account_is_refused() {
    check(
        "
        > create_token bank_account[country]=US bank_account[routing_number]=110000001 bank_account[account_number]=000123456789
        400 routing_number_invalid param=bank_account[routing_number] (not begun): Invalid routing number. It must have nine digits that fit together.

        > create_token bank_account[country]=US bank_account[routing_number]=110000000 bank_account[account_number]=1
        400 account_number_invalid param=bank_account[account_number] (not begun): Invalid account number. It must have 4 to 17 digits.

        > create_token bank_account[country]=DE bank_account[account_number]=DE89370400440532013000
        400 param=bank_account[country] (not begun): Only bank accounts in the United States (US) can be saved to customers.

        > create_token bank_account[country]=US bank_account[currency]=eur bank_account[routing_number]=110000000 bank_account[account_number]=000123456789
        400 param=bank_account[currency] (not begun): Bank accounts in the United States are debited in usd.

        > create_customer
        200 cus1
        · cus1 - -
        events customer.created

        > create_customer_source @cus1 source[object]=bank_account source[country]=US source[account_number]=000123456789
        400 parameter_missing param=source[routing_number] (not begun): Missing required param: source[routing_number].

        > create_source type=card token=btok_us
        400 param=token (not begun): The token btok_us stands for a bank account, not for a card.

        > create_payment_method type=card card[token]=btok_us_verified
        400 param=card[token] (not begun): The token btok_us_verified stands for a bank account, not for a card.

        > create_charge amount=2000 currency=usd source=btok_us_verified
        400 param=source (not begun): The token btok_us_verified stands for a bank account, not for a card.
        ",
    );
}

#[test]
fn two_deposits_show_whose_account_it_is() {
    check(
        "
        > create_customer source=btok_us
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 us_bank_account 6789 unverified of cus1
        events customer.created, customer.source.created

        > verify_customer_source @cus1 @card1 amounts[0]=32
        400 param=amounts (not begun): You must provide exactly two amounts.

        > verify_customer_source @cus1 @card1 amounts[0]=32 amounts[1]=44
        402 bank_account_verification_failed: The amounts provided do not match the amounts that were sent to the bank account.
        · card1 us_bank_account 6789 unverified of cus1

        > verify_customer_bank_account @cus1 @card1 amounts[0]=45 amounts[1]=32
        200 card1
        · card1 us_bank_account 6789 verified of cus1
        events customer.source.updated

        > verify_customer_source @cus1 @card1 amounts[0]=32 amounts[1]=45
        400: This bank account has already been verified.

        > update_customer_source @cus1 @card1 account_holder_name=Ada account_holder_type=company metadata[k]=v
        200 card1
        · card1 us_bank_account 6789 verified of cus1
        events customer.source.updated

        > update_customer_source @cus1 @card1 exp_month=3
        400 param=exp_month (not begun): Only cards expire. This is a bank account.

        > create_customer_source @cus1 source=tok_visa
        200 card2
        · card2 4242 of cus1
        · cus1 - - sources=card2,card1 default=card1
        events customer.source.created

        > verify_customer_source @cus1 @card2 amounts[0]=32 amounts[1]=45
        400 param=id (not begun): Only bank accounts are verified. This is a card.

        > update_customer_source @cus1 @card2 account_holder_name=Ada
        400 param=account_holder_name (not begun): Only bank accounts have holders of their own. This is a card.

        > update_customer @cus1 default_source=@card2
        200 cus1
        · cus1 - - sources=card2,card1 default=card2
        events customer.updated

        > delete_customer_source @cus1 @card1
        200 card1
        · card1 us_bank_account 6789 verified of cus1 used up
        · cus1 - - sources=card2 default=card2
        events customer.source.deleted

        > retrieve_customer_source @cus1 @card1
        404 resource_missing param=id (not begun): No such source: 'card1'

        > create_customer_source @cus1 source=btok_us
        200 card3
        · card3 us_bank_account 6789 unverified of cus1
        · cus1 - - sources=card3,card2 default=card2
        events customer.source.created
        ",
    );
}

#[test]
fn an_account_without_deposits_is_never_verified() {
    check(
        "
        > create_customer source[object]=bank_account source[country]=US source[routing_number]=110000000 source[account_number]=000666666661
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 us_bank_account 6661 unverified of cus1
        events customer.created, customer.source.created

        > verify_customer_source @cus1 @card1 amounts[0]=32 amounts[1]=45
        402 bank_account_verification_failed: The amounts provided do not match the amounts that were sent to the bank account.
        · card1 us_bank_account 6661 failed of cus1
        events customer.source.updated

        > verify_customer_source @cus1 @card1 amounts[0]=32 amounts[1]=45
        402 bank_account_verification_failed: This bank account cannot be verified any more, because its verification has failed.
        ",
    );
}

#[test]
fn tries_to_verify_a_bank_account_are_counted() {
    let wrong = |state: &str| {
        format!(
            "
            > verify_customer_source @cus1 @card1 amounts[0]=1 amounts[1]=2
            402 bank_account_verification_failed: The amounts provided do not match the amounts that were sent to the bank account.
            · card1 us_bank_account 6789 {state} of cus1
            "
        )
    };
    let before = wrong("unverified").repeat(DEPOSIT_TRIES_MAX as usize - 1);
    let last = wrong("failed");
    check(&format!(
        "
        > create_customer source=btok_us
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 us_bank_account 6789 unverified of cus1
        events customer.created, customer.source.created
        {before}{last}
        events customer.source.updated

        > verify_customer_source @cus1 @card1 amounts[0]=32 amounts[1]=45
        402 bank_account_verification_failed: This bank account cannot be verified any more, because its verification has failed.
        "
    ));
}

#[test]
fn a_verified_account_is_charged_without_an_intent() {
    check(
        "
        > create_customer source=btok_us_verified
        200 cus1
        · cus1 - - sources=card1 default=card1
        · card1 us_bank_account 6789 verified of cus1
        events customer.created, customer.source.created

        > create_charge amount=100000 currency=usd customer=@cus1
        200 ch1
        · ch1 debiting 100000 usd
        events charge.pending

        > create_refund charge=@ch1
        400: Charge ch1 is still pending. Refund it once it has succeeded.

        > wait 4s
        timer of ch1 at 3 s
        · txn1 payment 100000 fee 500 net 99500 now for ch1
        · ch1 captured 100000 usd captured=100000
        · entry capture ch1: network_receivable{instant} 100000, merchant_balance -100000, merchant_balance 500, fee_revenue -500
        events charge.succeeded
        balance usd available 99500 pending 0

        > create_refund charge=@ch1 amount=1000
        200 re1
        · re1 confirmed 1000 usd of ch1
        · txn2 payment_refund -1000 fee 0 net -1000 now for re1
        · ch1 captured 100000 usd captured=100000 refunded=1000
        · entry refund re1: merchant_balance 1000, refund_in_transit -1000
        · entry refund_confirmed re1: refund_in_transit 1000, network_receivable{instant} -1000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 98500 pending 0

        > create_charge amount=2000 currency=eur customer=@cus1
        400 param=currency (not begun): Bank accounts in the United States are debited in usd.

        > create_charge amount=2000 currency=usd customer=@cus1 capture=false
        400 param=capture (not begun): A bank account cannot be charged with `capture` `false`: nothing is held on it.

        > create_customer_source @cus1 source=btok_us_verified_noAccount
        200 card2
        · card2 us_bank_account 1116 verified of cus1
        · cus1 - - sources=card2,card1 default=card1
        events customer.source.created

        > create_charge amount=2000 currency=usd customer=@cus1 source=@card2
        200 ch2
        · ch2 debiting 2000 usd
        events charge.pending

        > wait 4s
        timer of ch2 at 7 s
        · ch2 failed 2000 usd
        events charge.failed

        > create_customer source=btok_us
        200 cus2
        · cus2 - - sources=card3 default=card3
        · card3 us_bank_account 6789 unverified of cus2
        events customer.created, customer.source.created

        > create_charge amount=2000 currency=usd customer=@cus2
        400 bank_account_unverified: The customer's bank account must be verified in order to create an ACH payment.
        ",
    );
}
