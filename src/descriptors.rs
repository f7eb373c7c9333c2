//! Open files: as many as the system lets us have, and never so many connections that none are left for the store, which
//! would have to stop when it cannot open its next file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no connections: of the journal and its index, wake-ups of threads, listeners.
const RESERVED: u64 = 512;
/// Under a limit so low that this much cannot be reserved, connections get this part of it.
const LEAST_PART: u64 = 3;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connections {
    /// Of clients.
    pub clients: usize,
    /// To receivers of webhooks.
    pub receivers: usize,
}

/// Raises the process's limit of open files as far as needed and allowed, and gives the most connections that fit under it:
/// those asked for, or fewer. So many `others` are from and to other nodes; where not all fit, half of the room is theirs at most.
pub(crate) fn connections(asked: Connections, others: usize) -> Connections {
    let limit = raised((asked.clients + asked.receivers + others) as u64 + RESERVED);
    let room = room(limit);
    let fit = shared(asked, room.saturating_sub(others as u64).max(room / 2));
    if fit != asked {
        tracing::warn!(
            clients = fit.clients,
            receivers = fit.receivers,
            limit,
            "api.connections_max and webhooks.connections_max do not fit under the limit of open files; raise that (ulimit -n, LimitNOFILE=)"
        );
    }
    fit
}

/// Shares out the room there is: each side has half of it at least, and what the other one does not need.
fn shared(asked: Connections, room: u64) -> Connections {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let clients = asked
        .clients
        .min((room / 2).max(room.saturating_sub(asked.receivers)).max(1));
    Connections {
        clients,
        receivers: asked.receivers.min(room.saturating_sub(clients)).max(1),
    }
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
    fn clients_and_receivers_share_what_there_is() {
        for (asked, room, fit) in [
            ((16_384, 16_384), 40_000, (16_384, 16_384)),
            ((16_384, 16_384), 20_000, (10_000, 10_000)),
            ((1_000, 16_384), 8_192, (1_000, 7_192)),
            ((16_384, 100), 8_192, (8_092, 100)),
            ((16_384, 16_384), 21, (10, 11)),
            ((1, 64), 1, (1, 1)),
        ] {
            let of = |(clients, receivers)| Connections { clients, receivers };
            assert_eq!(shared(of(asked), room), of(fit), "{asked:?} in {room}");
        }
    }

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
