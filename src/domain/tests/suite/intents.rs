//! Payment intents that need no network of their own.

use crate::script::check;

#[test]
fn a_payment_moves_money_in_one_record() {
    check(
        "
        > create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true
        ",
    );
}
