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
