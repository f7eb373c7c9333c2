//! API versions: which there are, and how an old one differs from the newest, which is all the rest of the code speaks.
//!
//! A difference is a [`Change`] in a file of its own, with the version that brought it. What a client of an older version
//! sends is brought up to date change by change, oldest first, before it is decoded; what it is answered is taken back
//! change by change, newest first. Most differences of answers are fields that come or go: those are `since`, `until`
//! and `included_until` in the shapes and cost one comparison; a change only names them ([`Window`]). A rewrite of the
//! written answer is for what windows cannot say, and only clients of versions before it pay for it.

mod account_enabled;
mod account_payouts_enabled;
mod account_settings;
mod capture_method_automatic_async;
mod capture_releases_without_refund;
mod card_brand;
mod card_checks;
mod change;
mod customer_account_balance;
mod customer_default_currency;
mod customer_tax_ids;
mod customer_tax_ids_instead_of_info;
mod customer_tax_info;
mod dispute_balance_transactions;
mod dispute_by_id;
mod dispute_evidence;
mod event_request;
mod file_mimetype;
mod file_uploads;
mod latest_charge;
mod list_count;
mod payment_intent_sources;
mod payment_methods_from_dashboard;
mod payments_without_invoice;
mod refunds_as_list;
mod review_canceled;
mod saved_payment_methods;
mod sourced_transfers;
mod sources_instead_of_cards;
mod statement_description;
#[cfg(test)]
mod tests;
mod three_d_secure_result;
mod unchanged;
mod written;

use change::rename;
pub use change::{AnswerChange, Chain, Change, Presence, Request, RequestChange, Window};
pub use tollgate_domain::version_names::{DEFAULT, KNOWN, OLDEST, asked, name, parse};
pub use unchanged::UNCHANGED;
pub use written::WRITTEN;
pub(crate) use written::{DIFFERENCES_SINCE, TOTAL_COUNT_UNTIL};

/// Every change, oldest first.
pub const CHANGES: &[&Change] = &[
    &list_count::CHANGE,
    &card_brand::CHANGE,
    &refunds_as_list::CHANGE,
    &dispute_balance_transactions::CHANGE,
    &account_enabled::CHANGE,
    &dispute_evidence::CHANGE,
    &statement_description::CHANGE,
    &card_checks::CHANGE,
    &file_mimetype::CHANGE,
    &sources_instead_of_cards::CHANGE,
    &sourced_transfers::CHANGE,
    &dispute_by_id::CHANGE,
    &account_payouts_enabled::CHANGE,
    &event_request::CHANGE,
    &customer_tax_info::CHANGE,
    &file_uploads::CHANGE,
    &payment_intent_sources::CHANGE,
    &account_settings::CHANGE,
    &customer_account_balance::CHANGE,
    &customer_tax_ids_instead_of_info::CHANGE,
    &saved_payment_methods::CHANGE,
    &customer_tax_ids::CHANGE,
    &three_d_secure_result::CHANGE,
    &customer_default_currency::CHANGE,
    &latest_charge::CHANGE,
    &payment_methods_from_dashboard::CHANGE,
    &capture_method_automatic_async::CHANGE,
    &payments_without_invoice::CHANGE,
    &capture_releases_without_refund::CHANGE,
    &review_canceled::CHANGE,
];
