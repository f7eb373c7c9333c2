//! Races against the real binary: many clients on one object or one key, and a checker that decides from their recorded
//! histories whether what they were told is possible at all.
//!
//! Reading order: [`history`] (what is recorded), [`checker`] (what is asked of it, and why the answer is right),
//! [`account`] and [`model`] (the sequential account), [`rounds`] (the races), [`keys`] and [`refunds`] (races whose outcome is counted),
//! [`expiry`] (a hold's timer, where the clock is ours). [`trials`] and [`mutations`] test the checker itself.
//! `TOLLGATE_RACES=20` runs each race twenty times as long, `TOLLGATE_SEED` repeats a run's choices.

mod account;
mod checker;
mod clients;
mod expiry;
mod history;
mod keys;
mod model;
mod mutations;
mod refunds;
mod rounds;
mod shorten;
mod trials;
mod wire;

#[allow(dead_code, reason = "the shard's own suite uses more of it")]
#[path = "../../actors/tests/suite/driver.rs"]
mod driver;
#[allow(dead_code, reason = "the shard's own suite uses more of it")]
#[path = "../../actors/tests/suite/office.rs"]
mod office;
#[path = "../harness/random.rs"]
mod random;
#[path = "../harness/server.rs"]
mod server;
