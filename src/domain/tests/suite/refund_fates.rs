//! What becomes of refunds: pending ones, ones that come back, changes of pairs, and the forms below a charge.

use crate::script::check;

#[test]
fn a_pending_refund_succeeds_later() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_pendingRefund confirm=true
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 7726 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_refund charge=@ch1 amount=500
        200 re1
        · re1 pending 500 usd of ch1
        · txn2 refund -500 fee 0 net -500 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=500
        · entry refund re1: merchant_balance 500, refund_in_transit -500
        events refund.created, charge.refunded
        balance usd available 0 pending 1412

        > wait 5s
        timer of re1 at 3 s
        · re1 confirmed 500 usd of ch1
        · entry refund_confirmed re1: refund_in_transit 500, network_receivable{instant} -500
        events refund.updated, charge.refund.updated

        > cancel_refund @re1
        400: Canceling this refund is unsupported.
        ",
    );
}

#[test]
fn a_refund_that_comes_back_can_be_made_again() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_refundFail confirm=true description=shoes
        200 pi1
        · pi1 succeeded 2000 usd received=2000 method=pm1 charge=ch1
        · pm1 5126 used up
        · ch1 captured 2000 usd captured=2000
        · txn1 charge 2000 fee 88 net 1912 in 2 days for ch1
        · entry capture ch1: network_receivable{instant} 2000, merchant_balance -2000, merchant_balance 88, fee_revenue -88
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 1912

        > create_refund charge=@ch1
        200 re1
        · re1 confirmed 2000 usd of ch1
        · txn2 refund -2000 fee 0 net -2000 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=2000 (all)
        · entry refund re1: merchant_balance 2000, refund_in_transit -2000
        · entry refund_confirmed re1: refund_in_transit 2000, network_receivable{instant} -2000
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending -88

        > wait 10s
        timer of re1 at 3 s
        · txn3 refund_failure 2000 fee 0 net 2000 now for re1
        · ch1 captured 2000 usd captured=2000
        · re1 failed 2000 usd of ch1
        · entry refund_failed re1: network_receivable{instant} 2000, merchant_balance -2000
        events refund.failed, refund.updated, charge.refund.updated
        balance usd available 2000 pending -88

        > create_refund charge=@ch1 amount=2001
        400 param=amount: Refund amount ($20.01) is greater than charge amount ($20.00)

        > create_refund charge=@ch1 amount=300
        200 re2
        · re2 confirmed 300 usd of ch1
        · txn4 refund -300 fee 0 net -300 in 2 days for re2
        · ch1 captured 2000 usd captured=2000 refunded=300
        · entry refund re2: merchant_balance 300, refund_in_transit -300
        · entry refund_confirmed re2: refund_in_transit 300, network_receivable{instant} -300
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 2000 pending -388
        ",
    );
}

#[test]
fn pairs_of_a_refund_change_and_nothing_else_does() {
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

        > create_refund charge=@ch1 amount=100 metadata[order]=7 instructions_email=a@b.example reverse_transfer=false
        200 re1
        · re1 confirmed 100 usd of ch1
        · txn2 refund -100 fee 0 net -100 in 2 days for re1
        · ch1 captured 2000 usd captured=2000 refunded=100
        · entry refund re1: merchant_balance 100, refund_in_transit -100
        · entry refund_confirmed re1: refund_in_transit 100, network_receivable{instant} -100
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending 1812

        > update_refund @re1 metadata[order]=8
        200 re1
        · re1 confirmed 100 usd of ch1
        events refund.updated, charge.refund.updated

        > update_refund @re1 metadata[order]=8
        200 re1

        > create_payment_intent amount=700 currency=usd payment_method=pm_card_visa confirm=true
        200 pi2
        · pi2 succeeded 700 usd received=700 method=pm2 charge=ch2
        · pm2 4242 used up
        · ch2 captured 700 usd captured=700
        · txn3 charge 700 fee 50 net 650 in 2 days for ch2
        · entry capture ch2: network_receivable{instant} 700, merchant_balance -700, merchant_balance 50, fee_revenue -50
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 2462

        > update_charge_refund @ch1 @re1 metadata[order]=
        200 re1
        · re1 confirmed 100 usd of ch1
        events refund.updated, charge.refund.updated

        > update_charge_refund @ch2 @re1 metadata[order]=9
        404 resource_missing param=refund (not begun): No such refund: 're1'

        > retrieve_charge_refund @ch1 @re1
        re1 confirmed 100 usd of ch1

        > retrieve_charge_refund @ch2 @re1
        404 resource_missing param=refund (not begun): No such refund: 're1'

        > list_charge_refunds @ch1
        list of refund: re1

        > create_charge_refund @ch2 amount=100 payment_intent=@pi1
        400 param=payment_intent (not begun): The `payment_intent` given is not the one that the charge of the path was made for.

        > create_charge_refund @ch2 amount=100 payment_intent=@pi2
        200 re2
        · re2 confirmed 100 usd of ch2
        · txn4 refund -100 fee 0 net -100 in 2 days for re2
        · ch2 captured 700 usd captured=700 refunded=100
        · entry refund re2: merchant_balance 100, refund_in_transit -100
        · entry refund_confirmed re2: refund_in_transit 100, network_receivable{instant} -100
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending 2362

        > refund_charge @ch2
        200 ch2
        · re3 confirmed 600 usd of ch2
        · txn5 refund -600 fee 0 net -600 in 2 days for re3
        · ch2 captured 700 usd captured=700 refunded=700 (all)
        · entry refund re3: merchant_balance 600, refund_in_transit -600
        · entry refund_confirmed re3: refund_in_transit 600, network_receivable{instant} -600
        events refund.created, charge.refunded, refund.updated, charge.refund.updated
        balance usd available 0 pending 1762

        > refund_charge @ch2
        400 charge_already_refunded: Charge ch2 has already been refunded.
        ",
    );
}

#[test]
fn what_belongs_to_cash_balances_and_connected_accounts_is_refused_by_name() {
    check(
        "
        + create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true

        > create_refund charge=@ch1 reverse_transfer=true
        400 param=reverse_transfer (not begun): This charge has no transfer that could be reversed: it was not made for a connected account.

        > create_refund charge=@ch1 refund_application_fee=true
        400 param=refund_application_fee (not begun): This charge has no application fee that could be refunded: it was not made for a connected account.

        > create_refund origin=customer_balance currency=usd
        400 param=origin (not begun): The parameter `origin` belongs to refunds of a customer's cash balance, which this account does not have. To refund a payment, name its `charge` or `payment_intent`.

        > create_refund charge=@ch1 instructions_email=nobody
        400 email_invalid param=instructions_email (not begun): Invalid email address: nobody
        ",
    );
}
