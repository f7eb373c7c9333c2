//! Floors with lanes that count, fail and hang; pools of threads that run them.

mod floors;
mod pools;
