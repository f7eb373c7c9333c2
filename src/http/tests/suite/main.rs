//! The edge over real sockets, on an engine whose store is in memory. One binary, so that it links once.

mod actions;
mod authentication;
mod edge;
mod ephemeral_keys;
mod files;
mod headers;
mod keys;
mod limits;
mod operators;
mod receipts;
mod requests;
