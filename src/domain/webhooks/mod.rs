//! Webhooks: where events are sent, what is sent there, and how it is signed. What sends them is another room.

pub mod deliveries;
pub mod event_destination;
pub mod event_names;
pub mod webhook_endpoint;
