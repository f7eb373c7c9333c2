//! Shards, accounts, keys, router, permits, supervisor, directory, timers, worker pools.
