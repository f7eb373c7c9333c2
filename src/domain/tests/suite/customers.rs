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
        list of payment_intent
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
        events customer.deleted

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
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

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
