//! What delivery measures.

use crate::ports::Answer;
use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram};

/// Attempts, by what came of them.
pub const ATTEMPTS: &str = "tollgate_webhook_attempts_total";
/// Breakers that opened.
pub const OPENED: &str = "tollgate_webhook_breakers_opened_total";
/// Events that became dead letters.
pub const DEAD_LETTERS: &str = "tollgate_webhook_dead_letters_total";
/// Events that went out of their time before they were taken.
pub const EXPIRED: &str = "tollgate_webhook_events_expired_total";
/// Lanes.
pub const LANES: &str = "tollgate_webhook_lanes";
/// Events that wait for another attempt.
pub const RETRIES: &str = "tollgate_webhook_retries_pending";
/// Bytes of books.
pub const BOOK_BYTES: &str = "tollgate_webhook_book_bytes";
/// Bytes written as notes.
pub const NOTE_BYTES: &str = "tollgate_webhook_note_bytes_total";
/// Times that the lanes of a shard were held because their notes were not durable.
pub const HOLDS: &str = "tollgate_webhook_holds_total";
/// Deliveries that are out.
pub const IN_FLIGHT: &str = "tollgate_webhook_in_flight";
/// Lanes that wait for their turn.
pub const READY: &str = "tollgate_webhook_lanes_ready";
/// How far the endpoints are behind that are furthest behind, by their rank.
pub const WORST_BACKLOG: &str = "tollgate_webhook_worst_backlog";
/// The same in seconds.
pub const WORST_LAG: &str = "tollgate_webhook_worst_lag_seconds_now";
/// How many of their last attempts they took.
pub const WORST_TAKEN: &str = "tollgate_webhook_worst_taken_ratio";
/// How long their last attempts took.
pub const WORST_TOOK: &str = "tollgate_webhook_worst_attempt_seconds_now";
/// How old the oldest undelivered event on a healthy lane is.
pub const OLDEST: &str = "tollgate_webhook_oldest_seconds_now";
/// From an event to its first successful attempt.
pub const DELAY: &str = "tollgate_webhook_delay_seconds";

/// Connections to receivers that were made.
pub const CONNECTIONS: &str = "tollgate_webhook_connections_total";
/// Unused connections closed for want of room.
pub const SHED: &str = "tollgate_webhook_connections_shed_total";
/// TLS handshakes, by kind.
pub const HANDSHAKES: &str = "tollgate_webhook_handshakes_total";
/// Requests over a connection of before.
pub const REUSED: &str = "tollgate_webhook_requests_reused_total";
/// Requests sent again because a connection of before had died.
pub const RESENT: &str = "tollgate_webhook_requests_resent_total";

/// Every metric of this room with its description, for tests and documents.
pub const ALL: &[(&str, &str)] = &[
    (
        ATTEMPTS,
        "Attempts to deliver an event; `result` is taken, refused or failed.",
    ),
    (OPENED, "Breakers that opened: endpoints that are only probed now."),
    (DEAD_LETTERS, "Events whose last attempt failed."),
    (
        EXPIRED,
        "Events that were not kept any more before an endpoint took them.",
    ),
    (
        LANES,
        "Endpoints that are served, by thread; `state` is sending, open, probing, stopped or quarantined.",
    ),
    (RETRIES, "Events that wait for another attempt, by thread."),
    (BOOK_BYTES, "Memory that the books of all endpoints take, by thread."),
    (NOTE_BYTES, "Bytes that were written into journals as notes."),
    (
        HOLDS,
        "Times that nothing was sent to a shard's endpoints because what had come of attempts was not durable for 50 ms.",
    ),
    (IN_FLIGHT, "Deliveries that are out, by thread."),
    (
        READY,
        "Endpoints that wait for their turn to send, by thread; many for long: the thread, or its connections, do not keep up.",
    ),
    (
        OLDEST,
        "How long the oldest new event has been kept waiting by an endpoint that does well, by thread. Not of those that are \
         paused, disabled, open or probing, have asked for a pause or have a limit of their own; nor of events that wait for \
         another attempt.",
    ),
    (
        WORST_BACKLOG,
        "Events that are not sent yet, with other numbers of the account's sequence, or that wait for another attempt: of the \
         ten endpoints of a thread that are furthest behind, of those that are to be sent to. `rank` is 1 for the worst.",
    ),
    (
        WORST_LAG,
        "Age of the oldest event that is not sent yet, of the same endpoints.",
    ),
    (
        WORST_TAKEN,
        "Share of the last attempts, 64 at most, that the same endpoints took; NaN where there was none.",
    ),
    (
        WORST_TOOK,
        "How long the last attempts took at most, 64 at most, of the same endpoints: half of them (`quantile` 0.5), and 95 of a \
         hundred.",
    ),
    (CONNECTIONS, "Connections to receivers that were made."),
    (
        SHED,
        "Unused connections to receivers that were closed because there were as many as may be (webhooks.connections_max).",
    ),
    (
        HANDSHAKES,
        "TLS handshakes with receivers; `kind` is full, or resumed from a session of before.",
    ),
    (
        REUSED,
        "Requests that were answered over a connection of before; against the attempts, the share of reuse.",
    ),
    (
        RESENT,
        "Requests sent again over a new connection because one of before had died before anything came back.",
    ),
    (
        DELAY,
        "Time from an event until an endpoint took it at the first attempt.",
    ),
];

/// Describes all of them. Once a process, after the recorder is there.
pub fn describe() {
    for (name, what) in ALL {
        match *name {
            LANES | IN_FLIGHT | READY | RETRIES | BOOK_BYTES | OLDEST => describe_gauge!(*name, *what),
            WORST_BACKLOG | WORST_LAG | WORST_TAKEN | WORST_TOOK => describe_gauge!(*name, *what),
            DELAY => describe_histogram!(*name, Unit::Seconds, *what),
            _ => describe_counter!(*name, *what),
        }
    }
}

/// Counters that are looked up once.
pub(crate) struct Meters {
    taken: Counter,
    refused: Counter,
    failed: Counter,
    pub(crate) opened: Counter,
    pub(crate) died: Counter,
    pub(crate) expired: Counter,
    pub(crate) note_bytes: Counter,
    pub(crate) holds: Counter,
    pub(crate) delay: metrics::Histogram,
}

impl Meters {
    pub(crate) fn new() -> Meters {
        Meters {
            taken: counter!(ATTEMPTS, "result" => "taken"),
            refused: counter!(ATTEMPTS, "result" => "refused"),
            failed: counter!(ATTEMPTS, "result" => "failed"),
            opened: counter!(OPENED),
            died: counter!(DEAD_LETTERS),
            expired: counter!(EXPIRED),
            note_bytes: counter!(NOTE_BYTES),
            holds: counter!(HOLDS),
            delay: metrics::histogram!(DELAY),
        }
    }

    pub(crate) fn attempt(&self, answer: &Answer) {
        let counter = match answer {
            Answer::Taken { .. } => &self.taken,
            Answer::Refused { .. } => &self.refused,
            Answer::Failed { .. } => &self.failed,
        };
        counter.increment(1);
    }
}
