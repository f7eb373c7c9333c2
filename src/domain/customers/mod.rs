//! Those who pay.

pub mod customer;
pub mod customer_balance_transaction;
pub mod ephemeral_key;
pub mod source;
pub mod tax_id;
