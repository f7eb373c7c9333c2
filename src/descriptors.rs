//! Open files: as many as the system lets us have, and never so many connections that none are left for the store, which
//! would have to stop when it cannot open its next file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no connections: of the journal and its index, wake-ups of threads, listeners.
const RESERVED: u64 = 512;
/// Under a limit so low that this much cannot be reserved, connections get this part of it.
const LEAST_PART: u64 = 3;

/// Raises the process's limit of open files as far as needed and allowed, and gives the most connections of clients that fit
/// under it: `asked`, or fewer. So many `others` are connections to receivers of webhooks, and
/// from and to other nodes; where not all fit, they have half.
pub(crate) fn connections(asked: usize, others: usize) -> usize {
    let limit = raised(asked as u64 + others as u64 + RESERVED);
    let room = room(limit);
    let room = room.saturating_sub(others as u64).max(room / 2);
    let fits = usize::try_from(room).unwrap_or(usize::MAX).min(asked);
    if fits < asked {
        tracing::warn!(
            connections = fits,
            asked,
            limit,
            "api.connections_max does not fit under the limit of open files; raise that (ulimit -n, LimitNOFILE=)"
        );
    }
    fits
}

/// How many connections fit under a limit.
fn room(limit: u64) -> u64 {
    limit.saturating_sub(RESERVED).max(limit / LEAST_PART)
}

/// The limit after raising it.
fn raised(needed: u64) -> u64 {
    let now = getrlimit(Resource::Nofile);
    let current = now.current.unwrap_or(u64::MAX);
    if current >= needed {
        return current;
    }
    let wanted = needed.min(now.maximum.unwrap_or(u64::MAX));
    let changed = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(wanted),
            maximum: now.maximum,
        },
    );
    changed.map_or(current, |()| wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_store() {
        for (limit, fits) in [
            (64, 21),
            (96, 32),
            (600, 200),
            (1024, 512),
            (8704, 8192),
            (u64::MAX, u64::MAX - 512),
        ] {
            assert_eq!(room(limit), fits, "limit {limit}");
        }
    }
}
