//! Crashes and a failing environment, against the real binary.
//!
//! `kills`: many clients, SIGKILL at random moments, and then everything the server holds is compared with what its
//! clients know. Reading order: [`log`] (what clients know), [`clients`] (what they ask), [`audit`] (the comparison).

mod audit;
mod clients;
mod connection;
mod kills;
mod log;
mod random;
mod report;
mod stops;

#[path = "../harness/server.rs"]
mod server;
