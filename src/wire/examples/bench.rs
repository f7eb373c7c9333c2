//! What reading a request and writing an answer cost: `cargo run --release -p tollgate-wire --example bench`.
//!
//! An argument picks the figures whose name contains it. One thread, everything warm, microseconds per call as the best
//! of ten rounds. It differs from production in that the caches hold nothing else.
#![expect(clippy::print_stdout, reason = "it prints its figures")]

#[allow(dead_code, reason = "the suite uses all of it")]
#[path = "../tests/suite/shop.rs"]
mod shop;

use shop::Shop;
use std::hint::black_box;
use std::time::Instant;
use tollgate_domain::kinds;
use tollgate_domain::object::{Item, Object};
use tollgate_resource::{Expand, Version};

const ROUNDS: usize = 10;
const CALLS: usize = 20_000;

const SIX: &str =
    "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&metadata[order]=6735&expand[0]=latest_charge";
const TWENTY_FIVE: &str = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&capture_method=manual\
    &description=Blue+shirt+and+trousers&receipt_email=jenny%40example.com&statement_descriptor_suffix=ORDER\
    &payment_method_types%5B0%5D=card&shipping%5Bname%5D=Jenny+Rosen&shipping%5Bphone%5D=%2B15555555555\
    &shipping%5Baddress%5D%5Bline1%5D=510+Townsend+St&shipping%5Baddress%5D%5Bcity%5D=San+Francisco\
    &shipping%5Baddress%5D%5Bstate%5D=CA&shipping%5Baddress%5D%5Bpostal_code%5D=98140\
    &shipping%5Baddress%5D%5Bcountry%5D=US&metadata%5Border_id%5D=6735&metadata%5Bcart%5D=a81&metadata%5Bclerk%5D=7\
    &metadata%5Bshelf%5D=12&metadata%5Bsource%5D=web&transfer_group=ORDER_6735&off_session=false\
    &expand%5B0%5D=latest_charge&expand%5B1%5D=payment_method";

fn main() {
    let mut shop = Shop::open();
    let intent = shop.send(
        "POST",
        "/v1/payment_intents",
        "amount=2000&currency=usd&payment_method=pm_card_visa\
        &confirm=true&description=Blue+shirt&metadata[order]=6735&automatic_payment_methods[enabled]=true\
        &automatic_payment_methods[allow_redirects]=never",
    );
    assert_eq!(intent.0, 200, "{}", intent.1);

    for (name, method, path, form) in [
        ("parse 6 pairs", "POST", "/v1/payment_intents", SIX),
        ("parse 25 pairs, escaped", "POST", "/v1/payment_intents", TWENTY_FIVE),
        ("parse a list query", "GET", "/v1/charges", "limit=10"),
    ] {
        let edge = &shop.edge;
        measure(name, form.len(), || {
            let matched = edge.route(method, path).expect("a declared path");
            let parsed = edge.parse(&matched, form.as_bytes(), Version::NEWEST, &shop.secrets);
            black_box(parsed.map_err(|reject| reject.message).expect("a good form"));
        });
    }

    let find = |kind| {
        shop.objects
            .0
            .iter()
            .find(|object: &&Object| object.kind() == kind)
            .expect("it was made")
            .clone()
    };
    let intent = Item::Object(find(&kinds::PAYMENT_INTENT));
    let charge = Item::Object(find(&kinds::CHARGE));
    let mut latest = Expand::default();
    latest.add(&["latest_charge"]);
    let old = Version(20200827);
    for (name, item, version, expand) in [
        ("render a payment intent", &intent, Version::NEWEST, Expand::NONE),
        ("render it with its charge", &intent, Version::NEWEST, &latest),
        ("render it at 2020-08-27", &intent, old, Expand::NONE),
        ("render a charge", &charge, Version::NEWEST, Expand::NONE),
    ] {
        let mut out = Vec::with_capacity(16 * 1024);
        let rendering = shop.rendering(version, expand);
        rendering.item(item, &mut out);
        let len = out.len();
        measure(name, len, || {
            out.clear();
            rendering.item(black_box(item), &mut out);
        });
    }
}

fn measure(name: &str, bytes: usize, mut call: impl FnMut()) {
    if std::env::args().nth(1).is_some_and(|only| !name.contains(&only)) {
        return;
    }
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        (0..CALLS).for_each(|_| call());
        best = best.min(started.elapsed().as_secs_f64() * 1e6 / CALLS as f64);
    }
    println!("{name:28} {bytes:6} bytes {best:8.2} us");
}
