//! The edge with the domain behind it: forms of the real operations in, answers out, no socket and no store.

mod access;
mod answers;
mod coverage;
mod declared;
mod documents;
mod errors;
mod fuzz;
mod schema;
mod setups;
mod shop;
mod versions;
mod versions_page;
