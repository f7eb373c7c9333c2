//! The suite of the edge once more, on a node that owns nothing: every request goes to the node that owns everything. And what
//! is only seen between nodes.

/// Whether every edge is a node that owns nothing.
const BEHIND: bool = true;

#[path = "../suite/actions.rs"]
mod actions;
#[path = "../suite/authentication.rs"]
mod authentication;
#[allow(dead_code, reason = "the suite beside uses more of it")]
#[path = "../suite/edge.rs"]
mod edge;
#[path = "../suite/ephemeral_keys.rs"]
mod ephemeral_keys;
#[path = "../suite/files.rs"]
mod files;
mod gate;
#[path = "../suite/headers.rs"]
mod headers;
#[allow(dead_code, reason = "the suite beside uses more of it")]
#[path = "../suite/keys.rs"]
mod keys;
mod moves;
#[path = "../suite/node.rs"]
mod node;
#[path = "../suite/operators.rs"]
mod operators;
#[path = "../suite/receipts.rs"]
mod receipts;
#[path = "../suite/requests.rs"]
mod requests;
mod routes;
