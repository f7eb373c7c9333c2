//! Crashes and a failing environment, against the real binary.
//!
//! `kills`: many clients, SIGKILL at random moments, and then everything the server holds is compared with what its
//! clients know. `failpoints` and `clocks`: the same at named points of the commit path, and under a wall clock that jumps,
//! which needs the build with faults (`--features faults`; that build runs those and not the others). Reading order: [`log`] (what clients know), [`clients`] (what they ask), [`audit`] (the comparison).

mod audit;
mod clients;
#[cfg(feature = "faults")]
mod clocks;
mod connection;
#[cfg(not(feature = "faults"))]
mod copies;
#[cfg(feature = "faults")]
mod failpoints;
#[cfg(not(feature = "faults"))]
mod flips;
#[cfg(not(feature = "faults"))]
mod kills;
#[cfg(not(feature = "faults"))]
mod limits;
mod log;
#[cfg(not(feature = "faults"))]
mod pauses;
mod random;
#[cfg(not(feature = "faults"))]
mod refusals;
#[cfg(not(feature = "faults"))]
mod release;
mod report;
mod settings;
#[cfg(not(feature = "faults"))]
mod stops;

#[path = "../harness/server.rs"]
mod server;
