//! What bounds a client: bytes, time, connections.

use std::time::Duration;

/// Bounds of requests and connections; the root's settings give the values.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Most open connections over all workers; more wait in the backlog, and in a crowd idle ones make room.
    pub connections_max: usize,
    /// Largest request body, bytes.
    pub body_bytes_max: usize,
    /// Memory of one worker for bodies that arrive in pieces, bytes.
    pub body_bytes_in_flight_max: usize,
    /// Longest request target (path and query), bytes.
    pub line_bytes_max: usize,
    /// Time for a request's head, from its first byte on; and for the first byte of a connection.
    pub header_timeout: Duration,
    /// Time for a request's body.
    pub body_timeout: Duration,
    /// Time an answer may lie unread.
    pub write_timeout: Duration,
    /// Time an idle connection is kept.
    pub keep_alive: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            connections_max: 16384,
            body_bytes_max: 1 << 20,
            body_bytes_in_flight_max: 64 << 20,
            line_bytes_max: 16 << 10,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
        }
    }
}
