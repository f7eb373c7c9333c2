//! The edge over real sockets, on an engine whose store is in memory. One binary, so that it links once.

/// Whether every edge is a node that owns nothing.
const BEHIND: bool = false;

mod actions;
mod authentication;
#[allow(dead_code, reason = "the suite behind uses more of it")]
mod edge;
mod ephemeral_keys;
mod files;
mod headers;
mod keys;
mod limits;
#[allow(dead_code, reason = "the suite behind uses more of it")]
mod node;
mod operators;
mod page_tokens;
mod receipts;
mod request_logs;
mod requests;
mod webhook_endpoints;
