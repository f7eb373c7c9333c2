//! The domain as its callers see it: commands in, facts out. Scenarios are text; a property test drives random commands
//! against a network with a book of its own.

mod audit;
mod authentication;
mod card_table;
mod cards;
mod charges;
mod customer_properties;
mod customers;
mod disputes;
mod ephemeral_keys;
mod event_orders;
mod events;
mod form;
mod holds;
mod integrations;
mod intents;
mod mandates;
mod network;
mod payment_methods;
mod properties;
mod radar;
mod refund_fates;
mod refunds;
mod remote;
mod remote_charges;
mod remote_setups;
mod script;
mod sealed;
mod setup_cards;
mod setup_properties;
mod setup_refusals;
mod setups;
mod shop;
mod size;
mod updates;
mod wordings;
