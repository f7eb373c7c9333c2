//! Which node serves which shard. Safety is not decided here: epochs and fences of the store see to it that a shard has one
//! owner (`tollgate-store-scylla`). What is decided here is who *tries* to own what, and when; a wrong guess costs a moment
//! of service, never a payment.
//!
//! [`Map`] says where each shard is served, for whoever sends a request on.

mod map;

pub use map::{Map, Peer, Place};
