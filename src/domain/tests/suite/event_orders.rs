//! The order of events of each flow, as one table: what is asked, and every type of event that came of it so far.

use crate::script::events_of;

/// A flow's name, its commands, and the events it makes, in order. Commands are those of the scenarios.
const FLOWS: &[(&str, &[&str], &str)] = &[
    (
        "created and confirmed",
        &["create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true"],
        "payment_intent.created charge.succeeded payment_intent.succeeded",
    ),
    (
        "confirmed later",
        &[
            "create_payment_intent amount=2000 currency=usd",
            "update_payment_intent @pi1 amount=2100",
            "confirm_payment_intent @pi1 payment_method=pm_card_visa",
        ],
        "payment_intent.created charge.succeeded payment_intent.succeeded",
    ),
    (
        "saved to its customer",
        &[
            "create_customer name=Ada",
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true customer=@cus1 \
             setup_future_usage=off_session",
        ],
        "customer.created payment_intent.created payment_method.attached charge.succeeded payment_intent.succeeded",
    ),
    (
        "declined",
        &["create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa_chargeDeclined confirm=true"],
        "payment_intent.created charge.failed payment_intent.payment_failed",
    ),
    (
        "declined without the payer",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_authenticationRequired confirm=true \
           off_session=true",
        ],
        "payment_intent.created charge.failed payment_intent.payment_failed",
    ),
    (
        "refused without the payer, unasked",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true \
           off_session=true",
        ],
        "payment_intent.created payment_intent.payment_failed",
    ),
    (
        "authenticated",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true",
            "act pi1 complete",
        ],
        "payment_intent.created payment_intent.requires_action charge.succeeded payment_intent.succeeded",
    ),
    (
        "authenticated and then declined",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecureRequiredChargeDeclined \
             confirm=true",
            "act pi1 complete",
        ],
        "payment_intent.created payment_intent.requires_action charge.failed payment_intent.payment_failed",
    ),
    (
        "not authenticated",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_threeDSecure2Required confirm=true",
            "act pi1 fail",
        ],
        "payment_intent.created payment_intent.requires_action payment_intent.payment_failed",
    ),
    (
        "held and captured",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true \
             capture_method=manual",
            "capture_payment_intent @pi1",
        ],
        "payment_intent.created charge.succeeded payment_intent.amount_capturable_updated charge.captured \
         payment_intent.succeeded",
    ),
    (
        "held and given up",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true \
             capture_method=manual",
            "cancel_payment_intent @pi1",
        ],
        "payment_intent.created charge.succeeded payment_intent.amount_capturable_updated payment_intent.canceled \
         charge.refunded",
    ),
    (
        "held and expired",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true \
             capture_method=manual",
            "wait 8d",
        ],
        "payment_intent.created charge.succeeded payment_intent.amount_capturable_updated charge.expired \
         payment_intent.canceled",
    ),
    (
        "refunded",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_visa confirm=true",
            "create_refund payment_intent=@pi1",
        ],
        "payment_intent.created charge.succeeded payment_intent.succeeded refund.created charge.refunded \
         refund.updated charge.refund.updated",
    ),
    (
        "refunded, and it comes back",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_refundFail confirm=true",
            "create_refund payment_intent=@pi1",
            "wait 10s",
        ],
        "payment_intent.created charge.succeeded payment_intent.succeeded refund.created charge.refunded \
         refund.updated charge.refund.updated refund.failed refund.updated charge.refund.updated",
    ),
    (
        "refunded, pending first",
        &[
            "create_payment_intent amount=2000 currency=usd payment_method=pm_card_pendingRefund confirm=true",
            "create_refund payment_intent=@pi1",
            "wait 10s",
        ],
        "payment_intent.created charge.succeeded payment_intent.succeeded refund.created charge.refunded \
         refund.updated charge.refund.updated",
    ),
    (
        "charged without an intent, and changed",
        &[
            "create_charge amount=2000 currency=usd source=tok_visa",
            "update_charge @ch1 description=shoes",
        ],
        "charge.succeeded charge.updated",
    ),
    (
        "declined without an intent",
        &["create_charge amount=2000 currency=usd source=tok_chargeDeclined"],
        "charge.failed",
    ),
    (
        "held without an intent and captured",
        &[
            "create_charge amount=2000 currency=usd source=tok_visa capture=false",
            "capture_charge @ch1",
        ],
        "charge.succeeded charge.captured",
    ),
    (
        "held without an intent and released",
        &[
            "create_charge amount=2000 currency=usd source=tok_visa capture=false",
            "create_refund charge=@ch1",
        ],
        "charge.succeeded refund.created charge.refunded",
    ),
    (
        "held without an intent and expired",
        &[
            "create_charge amount=2000 currency=usd source=tok_visa capture=false",
            "wait 8d",
        ],
        "charge.succeeded charge.expired refund.created",
    ),
    (
        "charged without an intent and disputed",
        &["create_charge amount=2000 currency=usd source=tok_createDispute"],
        "charge.succeeded charge.dispute.created charge.dispute.funds_withdrawn",
    ),
    (
        "disputed",
        &["create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDispute confirm=true"],
        "payment_intent.created charge.succeeded charge.dispute.created charge.dispute.funds_withdrawn \
         payment_intent.succeeded",
    ),
    (
        "inquired about",
        &["create_payment_intent amount=2000 currency=usd payment_method=pm_card_createDisputeInquiry confirm=true"],
        "payment_intent.created charge.succeeded charge.dispute.created payment_intent.succeeded",
    ),
];

#[test]
fn every_flow_makes_its_events_in_order() {
    for (flow, commands, events) in FLOWS {
        let wanted: Vec<&str> = events.split_whitespace().collect();
        assert_eq!(events_of(commands), wanted, "{flow}");
    }
}
