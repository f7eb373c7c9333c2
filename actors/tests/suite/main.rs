//! The shard under a driver that decides time, order and faults; lanes, supervisor and directory with the real runtime.

mod adoption;
mod barrier;
mod directory;
mod driver;
mod engine;
mod following;
mod handover;
mod keys;
mod leaving;
mod lists;
mod moves;
mod network;
mod office;
mod outbox;
mod searches;
mod shard;
mod storm;
mod supervision;
