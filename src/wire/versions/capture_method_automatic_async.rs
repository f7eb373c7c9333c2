//! 2024-04-10: a payment intent that names no capture method is captured asynchronously. Before, its balance transaction
//! was there at once.

use super::{Change, Request, RequestChange};
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20240410),
    doc: "`capture_method` of a payment intent is `automatic_async` when it is not given; before, `automatic`.",
    requests: &[RequestChange {
        method: Method::Post,
        path: "/v1/payment_intents",
        rewrite,
        example: (
            "amount=2000&currency=usd",
            "amount=2000&currency=usd&capture_method=automatic",
        ),
    }],
    answers: &[],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    if !request.gives("capture_method") {
        request.add("capture_method", "automatic");
    }
}
