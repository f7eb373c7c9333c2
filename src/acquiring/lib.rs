//! Networks behind the acquirer port. There is one, simulated: it takes its time, declines, loses requests and answers,
//! and answers late, as its settings, its seed and the test cards say. It keeps a book of its own, so that a test can
//! compare what the network did with what the merchant's books say.
//!
//! [`network`] is the network itself; [`book`] what it remembers and its rules; [`journey`] decides what happens to one
//! call on its way. All waiting is tokio time, so a test that pauses time never sleeps; chance depends only on the seed
//! and the call, never on the order in which calls run.

pub mod book;
pub mod journey;
pub mod network;

pub use book::{AttemptLine, Kind, Snapshot, State, Totals, Violations};
pub use journey::Faults;
pub use network::{NetworkSettings, SimulatedNetwork};
