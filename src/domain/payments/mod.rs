//! Payments: an intent, its charges, their refunds, and what is paid with.

pub mod attempt;
pub mod authentication;
pub mod bank_account;
pub mod card;
pub mod charge;
pub mod confirmation_token;
pub mod dispute;
pub mod mandate;
pub mod payment_domain;
pub mod payment_intent;
pub mod payment_method;
pub mod payment_method_configuration;
pub mod redirect_method;
pub mod refund;
pub mod setup_attempt;
pub mod setup_intent;
pub mod token;
