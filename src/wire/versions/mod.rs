//! API versions: which there are, and how an old one differs from the newest, which is all the rest of the code speaks.
//!
//! A difference is a [`Change`] in a file of its own, with the version that brought it. What a client of an older version
//! sends is brought up to date change by change, oldest first, before it is decoded; what it is answered is taken back
//! change by change, newest first. Most differences of answers are fields that come or go: those are `since`, `until`
//! and `included_until` in the shapes and cost one comparison; a change only names them ([`Window`]). A rewrite of the
//! written answer is for what windows cannot say, and only clients of versions before it pay for it.

mod capture_method_automatic_async;
mod capture_releases_without_refund;
mod change;
mod customer_account_balance;
mod customer_tax_ids;
mod known;
mod latest_charge;
mod payment_intent_sources;
mod payment_methods_from_dashboard;
mod payments_without_invoice;
mod saved_payment_methods;
#[cfg(test)]
mod tests;
mod three_d_secure_result;

pub use change::{AnswerChange, Chain, Change, Presence, Request, RequestChange, Window};
pub use known::{DEFAULT, KNOWN, OLDEST, asked, name, parse};

/// Every change, oldest first.
pub const CHANGES: &[&Change] = &[
    &payment_intent_sources::CHANGE,
    &customer_account_balance::CHANGE,
    &saved_payment_methods::CHANGE,
    &customer_tax_ids::CHANGE,
    &three_d_secure_result::CHANGE,
    &latest_charge::CHANGE,
    &payment_methods_from_dashboard::CHANGE,
    &capture_method_automatic_async::CHANGE,
    &payments_without_invoice::CHANGE,
    &capture_releases_without_refund::CHANGE,
];
