//! Customers: made and changed.

use crate::script::check;

#[test]
fn a_customer_is_made_and_changed() {
    check(
        "
        > create_customer name=Ada email=ada@example.com metadata[tier]=gold
        200 cus1
        · cus1 Ada ada@example.com
        events customer.created

        > update_customer @cus1 name=Ada-Lovelace metadata[tier]=
        200 cus1
        · cus1 Ada-Lovelace ada@example.com
        events customer.updated

        > update_customer @cus1 name=Ada-Lovelace
        200 cus1

        > update_customer @cus1 email=
        200 cus1
        · cus1 Ada-Lovelace -
        events customer.updated

        > retrieve_customer @cus1
        cus1 Ada-Lovelace -
        ",
    );
}

#[test]
fn an_unknown_customer_is_refused() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_payment_intent amount=1000 currency=usd customer=@cus1
        200 pi1
        · pi1 requires_payment_method 1000 usd customer=cus1
        events payment_intent.created

        > list_payment_intents customer=@cus1
        list of payment_intent: pi1
        ",
    );
}

#[test]
fn a_deleted_customer_is_a_stub_that_nothing_can_name() {
    check(
        "
        > create_customer name=Ada payment_method=pm_card_visa invoice_settings[default_payment_method]=pm_card_visa
        200 cus1
        · cus1 Ada - holds=pm1 invoices=pm1
        · pm1 4242 of cus1
        events customer.created, payment_method.attached

        > delete_customer @cus1
        200 cus1
        · pm1 4242 used up
        · cus1 Ada - holds=pm1 invoices=pm1 (deleted)
        events payment_method.detached, customer.deleted

        > retrieve_customer @cus1
        cus1 Ada - holds=pm1 invoices=pm1 (deleted)

        > delete_customer @cus1
        404 resource_missing param=id (not begun): No such customer: 'cus1'

        > update_customer @cus1 name=Bea
        404 resource_missing param=id (not begun): No such customer: 'cus1'

        > create_payment_intent amount=1000 currency=usd customer=@cus1
        400 resource_missing param=customer (not begun): No such customer: 'cus1'

        > create_payment_intent amount=1000 currency=usd payment_method=@pm1 confirm=true
        400: The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.
        ",
    );
}

#[test]
fn a_card_that_its_issuer_declines_is_not_saved_with_a_customer() {
    check(
        "
        > create_customer name=Ada payment_method=pm_card_visa_chargeDeclined
        402 card_declined decline=generic_decline param=: Your card was declined.
        ",
    );
}

#[test]
fn invoices_are_charged_only_to_what_the_customer_holds() {
    check(
        "
        + create_customer name=Ada

        > create_customer name=Bea payment_method=pm_card_mastercard
        200 cus2
        · cus2 Bea - holds=pm1
        · pm1 4444 of cus2
        events customer.created, payment_method.attached

        > update_customer @cus1 invoice_settings[default_payment_method]=@pm1
        400 resource_missing param=invoice_settings[default_payment_method] (not begun): The customer does not have a payment method with the ID pm1. The payment method must be attached to the customer.

        > update_customer @cus2 invoice_settings[default_payment_method]=@pm1 invoice_settings[footer]=Thanks
        200 cus2
        · cus2 Bea - holds=pm1 invoices=pm1
        events customer.updated

        > update_customer @cus2 invoice_settings[default_payment_method]=
        200 cus2
        · cus2 Bea - holds=pm1
        events customer.updated
        ",
    );
}

#[test]
fn an_email_address_must_look_like_one() {
    check(
        "
        > create_customer email=ada
        400 email_invalid param=email (not begun): Invalid email address: ada
        ",
    );
}

#[test]
fn the_balance_of_a_customer_is_the_sum_of_its_transactions() {
    check(
        "
        > create_customer name=Ada balance=-500
        200 cus1
        · cus1 Ada - balance=-500
        · cbtxn1 initial -500 usd to -500 of cus1
        events customer.created

        > create_customer_balance_transaction @cus1 amount=200 currency=usd description=goodwill
        200 cbtxn2
        · cbtxn2 adjustment 200 usd to -300 of cus1
        · cus1 Ada - balance=-300
        events customer.updated

        > create_customer_balance_transaction @cus1 amount=200 currency=eur
        400 param=currency (not begun): You cannot combine currencies on a single customer. This customer has a balance with currency usd.

        > create_customer_balance_transaction @cus1 amount=-999999999999 currency=usd
        400 amount_too_large param=amount (not begun): This amount would take the customer's balance beyond what a balance can be.

        > update_customer @cus1 balance=0
        200 cus1
        · cbtxn3 adjustment 300 usd to 0 of cus1
        · cus1 Ada -
        events customer.updated

        > update_customer @cus1 balance=0
        200 cus1

        > update_customer_balance_transaction @cus1 @cbtxn2 description=apology
        200 cbtxn2
        · cbtxn2 adjustment 200 usd to -300 of cus1

        > create_customer name=Bea
        200 cus2
        · cus2 Bea -
        events customer.created

        > retrieve_customer_balance_transaction @cus2 @cbtxn2
        404 resource_missing param=transaction (not begun): No such customer_balance_transaction: 'cbtxn2'

        > update_customer_balance_transaction @cus2 @cbtxn2 description=stolen
        404 resource_missing param=transaction (not begun): No such customer_balance_transaction: 'cbtxn2'

        > retrieve_customer_balance_transaction @cus1 @cbtxn2
        cbtxn2 adjustment 200 usd to -300 of cus1
        ",
    );
}

#[test]
fn tax_ids_are_looked_up_and_deleted() {
    check(
        "
        > create_customer name=Ada tax_id_data[0][type]=eu_vat tax_id_data[0][value]=000000000
        200 cus1
        · cus1 Ada - tax_ids=txi1
        · txi1 eu_vat 000000000 pending
        events customer.created, customer.tax_id.created

        > create_customer_tax_id @cus1 type=us_ein value=12-3456789
        200 txi2
        · txi2 us_ein 12-3456789 unavailable
        · cus1 Ada - tax_ids=txi2,txi1
        events customer.tax_id.created

        > create_customer_tax_id @cus1 type=us_ein value=12
        400 tax_id_invalid param=value (not begun): Invalid value for us_ein.

        > create_tax_id type=gb_vat value=111111111 owner[type]=customer owner[customer]=@cus1
        200 txi3
        · txi3 gb_vat 111111111 pending
        · cus1 Ada - tax_ids=txi3,txi2,txi1
        events customer.tax_id.created

        > create_tax_id type=au_abn value=222222222
        200 txi4
        · txi4 au_abn 222222222 pending

        > wait 5s
        timer of txi1 at 2 s
        · txi1 eu_vat 000000000 verified
        events customer.tax_id.updated
        timer of txi3 at 2 s
        · txi3 gb_vat 111111111 unverified
        events customer.tax_id.updated

        > retrieve_tax_id @txi4
        txi4 au_abn 222222222 pending

        > delete_customer_tax_id @cus1 @txi4
        404 resource_missing param=id (not begun): No such tax_id: 'txi4'

        > delete_customer_tax_id @cus1 @txi2
        200 txi2
        · txi2 us_ein 12-3456789 unavailable (deleted)
        · cus1 Ada - tax_ids=txi3,txi1
        events customer.tax_id.deleted

        > retrieve_customer_tax_id @cus1 @txi2
        404 resource_missing param=id (not begun): No such tax_id: 'txi2'

        > delete_tax_id @txi4
        200 txi4
        · txi4 au_abn 222222222 pending (deleted)

        > delete_customer @cus1
        200 cus1
        · txi3 gb_vat 111111111 unverified (deleted)
        · txi1 eu_vat 000000000 verified (deleted)
        · cus1 Ada - tax_ids=txi3,txi1 (deleted)
        events customer.deleted

        > create_customer_tax_id @cus1 type=us_ein value=12-3456789
        404 resource_missing param=customer (not begun): No such customer: 'cus1'
        ",
    );
}

#[test]
fn cards_are_saved_to_a_customer_as_in_2019() {
    check(
        "
        > create_customer email=ada@example.com source=tok_visa
        200 cus1
        · cus1 - ada@example.com sources=card1 default=card1
        · card1 4242 of cus1
        events customer.created, customer.source.created

        > create_customer_source @cus1 source=tok_mastercard
        200 card2
        · card2 4444 of cus1
        · cus1 - ada@example.com sources=card2,card1 default=card1
        events customer.source.created

        > create_customer_source @cus1 source=tok_visa_chargeDeclined
        402 card_declined decline=generic_decline param=: Your card was declined.

        > update_customer @cus1 default_source=@card2
        200 cus1
        · cus1 - ada@example.com sources=card2,card1 default=card2
        events customer.updated

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@card2 confirm=true
        200 pi1
        · pi1 succeeded 1000 usd received=1000 customer=cus1 method=card2 charge=ch1
        · ch1 captured 1000 usd captured=1000
        · txn1 charge 1000 fee 59 net 941 in 2 days for ch1
        · card2 4444 of cus1
        · entry capture ch1: network_receivable{instant} 1000, merchant_balance -1000, merchant_balance 59, fee_revenue -59
        events payment_intent.created, charge.succeeded, payment_intent.succeeded
        balance usd available 0 pending 941

        > update_customer_source @cus1 @card1 name=Ada exp_year=2031
        200 card1
        · card1 4242 of cus1
        events customer.source.updated

        > update_customer_source @cus1 @card1 name=Ada
        200 card1

        > delete_customer_source @cus1 @card2
        200 card2
        · card2 4444 of cus1 used up
        · cus1 - ada@example.com sources=card1 default=card1
        events customer.source.deleted, customer.updated

        > retrieve_customer_source @cus1 @card2
        404 resource_missing param=id (not begun): No such source: 'card2'

        > create_payment_intent amount=1000 currency=usd customer=@cus1 payment_method=@card2 confirm=true
        400 resource_missing param=payment_method (not begun): No such PaymentMethod: 'card2'

        > update_customer @cus1 default_source=@card2
        400 resource_missing param=default_source (not begun): No such source: 'card2'

        > update_customer @cus1 source=tok_amex
        200 cus1
        · card3 8431 of cus1
        · card1 4242 of cus1 used up
        · cus1 - ada@example.com sources=card3 default=card3
        events customer.source.created, customer.source.deleted, customer.updated

        > delete_customer @cus1
        200 cus1
        · card3 8431 of cus1 used up
        · cus1 - ada@example.com sources=card3 default=card3 (deleted)
        events customer.source.deleted, customer.deleted
        ",
    );
}

#[test]
fn a_source_is_made_saved_and_taken_away() {
    check(
        "
        + create_customer name=Ada

        > create_source type=card token=tok_visa owner[name]=Ada usage=reusable
        200 src1
        · src1 4242
        events source.chargeable

        > create_customer_source @cus1 source=@src1
        200 src1
        · src1 4242 of cus1
        · cus1 Ada - sources=src1 default=src1
        events customer.source.created, customer.updated

        > update_source @src1 metadata[a]=b
        200 src1
        · src1 4242 of cus1
        events customer.source.updated

        > create_charge amount=500 currency=usd customer=@cus1
        200 ch1
        · ch1 captured 500 usd captured=500
        · txn1 charge 500 fee 45 net 455 in 2 days for ch1
        · src1 4242 of cus1
        · entry capture ch1: network_receivable{instant} 500, merchant_balance -500, merchant_balance 45, fee_revenue -45
        events charge.succeeded
        balance usd available 0 pending 455

        > delete_customer_source @cus1 @src1
        200 src1
        · src1 4242 used up
        · cus1 Ada -
        events customer.source.deleted, customer.updated

        > retrieve_source @src1
        src1 4242 used up
        ",
    );
}
