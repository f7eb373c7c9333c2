//! `docs/access.md`: which key may call which operation. Written from the declarations, and compared with them.

use crate::versions_page::compare;
use std::fmt::Write;
use tollgate_domain::access::{Browser, OfCustomer, access_of, of_customer};
use tollgate_domain::api::ENDPOINTS;

const HEAD: &str = "\
# Who may call what

A secret key (`sk_`) may call every operation. A restricted key (`rk_`) needs the permission of the operation; writing
implies reading, and `tollgate account keys create --restricted --allow` takes it in either spelling
(`charges:read`, `rak_charge_read`). A publishable key (`pk_`), which stands in pages, may call what is marked: as it is, or
with the client secret of the object in the path. An ephemeral key (`ek_`) is for one customer: the one in the path, the one
that the parameter `customer` names, or the one whose payment method is in the path. Its requests are answered at the
version that they name in `Stripe-Version`, and where they name none at the version with which the key was made.

When a key was last used, to the minute, is kept in memory and written down every ten minutes, for a key that is used all
the time once an hour. After a restart `last_used` is what was written: up to 70 minutes too early, or missing.

This page is written by `TOLLGATE_DOCS=write cargo test -p tollgate-wire --test suite access`; the same test compares it.

| operation | restricted key | publishable key | ephemeral key |
|---|---|---|---|
";

#[test]
fn the_page_of_access_is_what_is_declared() {
    let mut page = HEAD.to_owned();
    let mut lines: Vec<(&str, &str)> = Vec::new();
    let mut sorted: Vec<_> = ENDPOINTS.to_vec();
    sorted.sort_by_key(|endpoint| (endpoint.path, endpoint.method.name()));
    for endpoint in sorted {
        let access = access_of(endpoint);
        let browser = match access.browser {
            Browser::Refused => "",
            Browser::Allowed => "yes",
            Browser::WithClientSecret(_) => "with its client secret",
        };
        let customer = match of_customer(endpoint) {
            OfCustomer::Refused => "",
            OfCustomer::InPath => "of its customer",
            OfCustomer::Itself => "its customer, with few parameters",
            OfCustomer::AsParameter => "`customer` is its own",
            OfCustomer::OfPaymentMethod => "the payment method is its customer's",
        };
        let (method, path) = (endpoint.method.name(), endpoint.path);
        writeln!(
            page,
            "| `{method} {path}` | `{}` | {browser} | {customer} |",
            access.permission
        )
        .expect("text");
        lines.push((method, path));
    }
    assert_eq!(lines.len(), ENDPOINTS.len());
    compare("docs/access.md", &page);
}
