//! Those who pay.

pub mod customer;
