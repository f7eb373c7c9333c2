//! What the edge counts: requests by operation and class of status, and how long they took.

use crate::rate_limit::Layer;
use hashbrown::HashMap;
use metrics::{Counter, Histogram, Unit};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};
use tollgate_actors::metrics::{REFUSALS, SAMPLE_EVERY};
use tollgate_resource::Names;

/// Requests answered, by operation and class of status (`2xx`).
pub const REQUESTS_TOTAL: &str = "tollgate_http_requests_total";
/// Seconds from the first look at a request to its answer, by operation.
pub const REQUEST_SECONDS: &str = "tollgate_http_request_seconds";
/// Connections given up to make room for others, because nearly all that are allowed were open.
pub(crate) const CONNECTIONS_CROWDED_OUT: &str = "tollgate_http_connections_crowded_out_total";

/// Connections that the HTTP layer reads, because one of their requests was not plain.
pub(crate) const CONNECTIONS_NOT_PLAIN: &str = "tollgate_http_connections_not_plain_total";

/// Requests refused by the rate limits, by the layer that refused: node, account, class, surge.
pub(crate) const LIMITED: &str = "tollgate_http_limited_total";

/// Requests of shards that another node has, by what became of them: answered, here, nowhere, full, unknown.
pub(crate) const FORWARDED: &str = "tollgate_node_forwarded_total";
/// Seconds that such a request took, from the moment it was known to be another node's.
pub(crate) const FORWARD_SECONDS: &str = "tollgate_node_forward_seconds";
/// Such requests under way at other nodes; each has a connection.
pub(crate) const FORWARDING: &str = "tollgate_node_forwarding";
/// Such requests that wait for a shard no node has.
pub(crate) const SHARD_WAITERS: &str = "tollgate_node_shard_waiters";

/// What became of a request of another node's shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// Another node answered.
    Answered,
    /// The shard came here meanwhile.
    Here,
    /// No node had it.
    Nowhere,
    /// Too many were under way.
    Full,
    /// It was sent and not answered.
    Unknown,
}

/// Describes the metrics of requests between nodes; they appear only where there are other nodes.
pub(crate) fn describe_nodes() {
    metrics::describe_counter!(FORWARDED, "Requests of shards that another node has, by outcome.");
    metrics::describe_histogram!(
        FORWARD_SECONDS,
        Unit::Seconds,
        "Time of a request at other nodes, with its waits."
    );
    metrics::describe_gauge!(FORWARDING, "Requests under way at other nodes.");
    metrics::describe_gauge!(SHARD_WAITERS, "Requests that wait for a shard no node has.");
}

/// Counts a request of another node's shard.
pub(crate) fn forwarded(outcome: Forward, took: Duration) {
    let outcome = match outcome {
        Forward::Answered => "answered",
        Forward::Here => "here",
        Forward::Nowhere => "nowhere",
        Forward::Full => "full",
        Forward::Unknown => "unknown",
    };
    metrics::counter!(FORWARDED, "outcome" => outcome).increment(1);
    metrics::histogram!(FORWARD_SECONDS).record(took.as_secs_f64());
}

/// Describes the metrics of this room; call once, after the recorder is installed.
pub fn describe() {
    metrics::describe_counter!(REQUESTS_TOTAL, "Requests answered, by operation and class of status.");
    metrics::describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "Time from the first look at a request to its answer, by operation."
    );
    metrics::describe_counter!(
        LIMITED,
        "Requests refused by the rate limits, by the layer that refused."
    );
    metrics::describe_counter!(
        CONNECTIONS_NOT_PLAIN,
        "Connections with a request that is not plain (chunks, expectations, large bodies, HTTP/1.0, HEAD, what is no HTTP): \
         from it on the general HTTP layer reads them, at more cost."
    );
    metrics::describe_counter!(
        CONNECTIONS_CROWDED_OUT,
        "Connections that had waited long for their clients, given up because nearly all that are allowed were open."
    );
}

/// Counts a connection that the HTTP layer goes on with.
pub(crate) fn not_plain() {
    metrics::counter!(CONNECTIONS_NOT_PLAIN).increment(1);
}

/// Counts connections that made room for others.
pub(crate) fn crowded_out(count: u64) {
    metrics::counter!(CONNECTIONS_CROWDED_OUT).increment(count);
}

/// A stage of requests, measured at one in [`SAMPLE_EVERY`]: looking at a clock twice for each would cost more than some
/// stages do.
pub(crate) struct Stage {
    seconds: Histogram,
    since: Cell<usize>,
}

impl Stage {
    /// A stage of [`STAGE_SECONDS`](tollgate_actors::metrics::STAGE_SECONDS).
    pub(crate) fn new(name: &'static str) -> Stage {
        Stage {
            seconds: tollgate_actors::metrics::stage(name),
            since: Cell::new(0),
        }
    }

    /// Runs the stage of one request.
    pub(crate) fn measure<T>(&self, stage: impl FnOnce() -> T) -> T {
        let since = self.since.get() + 1;
        if since < SAMPLE_EVERY {
            self.since.set(since);
            return stage();
        }
        self.since.set(0);
        let began = Instant::now();
        let result = stage();
        self.seconds.record(began.elapsed());
        result
    }
}

/// Counts a request that is beyond a limit.
pub(crate) fn limited(layer: Layer) {
    metrics::counter!(LIMITED, "layer" => layer.name()).increment(1);
}

/// Counts a refusal. Refusals are rare or cheap, so the handle is looked up each time.
pub(crate) fn refused(layer: &'static str) {
    metrics::counter!(REFUSALS, "layer" => layer).increment(1);
}

/// A worker's handles; registering one costs a lock, using it does not. Bounded by the operations there are, because a
/// request that names none counts under `none`.
#[derive(Default)]
pub(crate) struct Telemetry {
    operations: RefCell<HashMap<*const u8, Handles>>,
}

struct Handles {
    name: &'static str,
    seconds: Histogram,
    /// By hundreds of the status.
    classes: [Option<Counter>; 6],
}

impl Telemetry {
    /// Counts an answer.
    pub(crate) fn answered(&self, operation: Option<&'static str>, status: u16, took: Duration) {
        let name = operation.unwrap_or("none");
        let mut operations = self.operations.borrow_mut();
        let handles = operations.entry(name.as_ptr()).or_insert_with(|| Handles {
            name,
            seconds: metrics::histogram!(REQUEST_SECONDS, "operation" => name),
            classes: Default::default(),
        });
        handles.seconds.record(took.as_secs_f64());
        let class = usize::from(status / 100).min(5);
        let counter = handles.classes[class].get_or_insert_with(|| {
            const CLASSES: [&str; 6] = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"];
            metrics::counter!(REQUESTS_TOTAL, "operation" => handles.name, "status" => CLASSES[class])
        });
        counter.increment(1);
    }
}
