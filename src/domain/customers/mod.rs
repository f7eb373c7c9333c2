//! Those who pay.

pub mod customer;
pub mod customer_balance_transaction;
pub mod tax_id;
