//! Ephemeral keys: for a customer that is there, ended once.

use crate::script::check;

#[test]
fn a_key_is_made_for_a_customer_and_ended_once() {
    check(
        "
        > create_customer name=Ada
        200 cus1
        · cus1 Ada -
        events customer.created

        > create_ephemeral_key customer=@cus1
        200 ephkey1
        · ephkey1 open

        > delete_ephemeral_key @ephkey1
        200 ephkey1
        · ephkey1 deleted

        > delete_ephemeral_key @ephkey1
        404 resource_missing param=key (not begun): No such ephemeral_key: 'ephkey1'
        ",
    );
}
