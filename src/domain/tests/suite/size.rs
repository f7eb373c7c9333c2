//! What a payment costs in the journal.

use crate::form::command;
use crate::shop::Shop;
use tollgate_resource::Record;

/// Most bytes of the record of a confirmed payment, with four objects, one entry, three events and the outcome of its
/// idempotency key. Whoever raises it says why in the commit: it is what 20 million payments a day are made of.
const PAYMENT_BYTES_MAX: usize = 560;

#[test]
fn a_payment_fits_its_budget() {
    let mut shop = Shop::open();
    let asked = command(
        "create_payment_intent",
        &[
            ("amount", "2000"),
            ("currency", "usd"),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
        ],
    );
    let mut facts = shop.ask(&asked).expect("paid").decision.facts;
    let whole = facts.to_bytes().len();
    facts.outcome = None;
    let without = facts.to_bytes().len();
    assert!(
        whole <= PAYMENT_BYTES_MAX,
        "{whole} bytes, {without} of them without the outcome"
    );
}
