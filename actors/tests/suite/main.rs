//! The shard under a driver that decides time, order and faults; lanes, supervisor and directory with the real runtime.

mod driver;
mod office;
mod shard;
