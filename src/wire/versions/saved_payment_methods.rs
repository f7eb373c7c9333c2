//! 2020-08-27: a payment intent takes no `save_payment_method` and no `source` any more; `setup_future_usage` and
//! `payment_method` say the same.

use super::{Change, Request, RequestChange};
use tollgate_resource::params::boolean;
use tollgate_resource::{Method, Version};

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20200827),
    doc: "A payment intent takes `setup_future_usage` and `payment_method` instead of `save_payment_method` and `source`.",
    requests: &[
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents",
            rewrite,
            example: (
                "amount=2000&source=tok_visa&save_payment_method=true",
                "amount=2000&setup_future_usage=off_session&payment_method_data[type]=card&\
                 payment_method_data[card][token]=tok_visa",
            ),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents/{intent}",
            rewrite,
            example: ("source=card_1", "payment_method=card_1"),
        },
        RequestChange {
            method: Method::Post,
            path: "/v1/payment_intents/{intent}/confirm",
            rewrite,
            example: ("source=src_1&save_payment_method=false", "payment_method=src_1"),
        },
    ],
    answers: &[],
    windows: &[],
};

fn rewrite(request: &mut Request<'_>) {
    match request.value("save_payment_method").and_then(boolean) {
        Some(true) if !request.gives("setup_future_usage") && request.takes("setup_future_usage") => {
            request.remove("save_payment_method");
            request.add("setup_future_usage", "off_session");
        }
        Some(false) => request.remove("save_payment_method"),
        // Anything else is refused by its name.
        _ => {}
    }
    let Some(source) = request.value("source").map(str::to_owned) else {
        return;
    };
    if request.gives("payment_method") || request.gives("payment_method_data") {
        return;
    }
    if !source.starts_with("tok_") {
        request.rename("source", "payment_method");
    } else if request.takes("payment_method_data") {
        request.remove("source");
        request.add("payment_method_data[type]", "card");
        request.add("payment_method_data[card][token]", &source);
    }
}
