//! 2023-08-16: a payment intent or setup intent that names no payment method types takes those the account has turned on. Before, it took
//! cards.

use super::{Change, Request, RequestChange};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20230816),
    doc: "A payment intent or setup intent without `payment_method_types` uses `automatic_payment_methods`; before, it \
          took `card`.",
    requests: &[
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents",
            rewrite,
            example: (
                "amount=2000&currency=usd",
                "amount=2000&currency=usd&payment_method_types[0]=card",
            ),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/setup_intents",
            rewrite,
            example: ("customer=cus_1", "customer=cus_1&payment_method_types[0]=card"),
        },
    ],
    answers: &[],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    if !request.gives("payment_method_types") && !request.gives("automatic_payment_methods") {
        request.add("payment_method_types[0]", "card");
    }
}
