//! Search: a query in a small language, checked against the fields of its resource, and asked of one object at a time.
//!
//! A query is read once ([`Query::parse`]) and then evaluated on what an object shows, so that it knows no stored form.
//! What is searched is up to whoever has the objects: readers walk an account's newest first, a bounded number for a page.

mod fields;
mod grammar;
mod matching;
mod page;
mod params;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use fields::{CHARGES, CUSTOMERS, Field, FieldKind, PAYMENT_INTENTS, Searched};
pub use grammar::{CLAUSES_MAX, Clause, Join, Operand, Operator, Query, SUBSTRING_MIN, Subject};
pub use page::{PageToken, SearchQuery};
pub use params::{ENDPOINTS, SearchParams};

/// Objects after which a page of a search ends, if it has found something: at some ten microseconds each, a tenth of a
/// second of a reader thread. The page says where to go on.
pub const SEARCHED_MAX: usize = 10_000;
/// Objects after which a page ends even empty. More, because a client that pages by itself may take an empty page for the
/// last one.
pub const SEARCHED_EMPTY_MAX: usize = 100_000;
/// Most objects that are counted for `total_count`, from the newest on, of a search or (older versions) of a list.
pub const COUNTED_MAX: usize = 10_000;
