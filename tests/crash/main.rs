//! Crashes and a failing environment, against the real binary.
//!
//! `kills`: many clients, SIGKILL at random moments, and then everything the server holds is compared with what its
//! clients know. `failpoints` and `clocks`: the same at named points of the commit path, and under a wall clock that jumps,
//! which needs the build with faults (`--features faults`; that build runs those and not the others). Reading order: [`log`] (what clients know), [`clients`] (what they ask), [`audit`] (the comparison).

#[cfg(feature = "faults")]
mod clocks;
#[cfg(not(feature = "faults"))]
mod copies;
#[cfg(not(feature = "faults"))]
mod endpoints;
#[cfg(feature = "faults")]
mod failpoints;
#[cfg(not(feature = "faults"))]
mod flips;
#[cfg(not(feature = "faults"))]
mod kills;
#[cfg(not(feature = "faults"))]
mod limits;
#[cfg(not(feature = "faults"))]
mod pauses;
#[cfg(not(feature = "faults"))]
mod refusals;
#[cfg(not(feature = "faults"))]
mod release;
mod report;
mod settings;
#[cfg(not(feature = "faults"))]
mod stops;

#[cfg(not(feature = "faults"))]
#[path = "../deliveries/checks.rs"]
mod checks;
#[cfg(not(feature = "faults"))]
#[path = "../deliveries/receiver.rs"]
mod receiver;

#[path = "../harness/audit.rs"]
mod audit;
#[path = "../harness/clients.rs"]
mod clients;
#[path = "../harness/connection.rs"]
mod connection;
#[path = "../harness/log.rs"]
mod log;
#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/server.rs"]
mod server;
