//! What the operator should know before it becomes an error: each is a line in the log and a gauge to alert on. The
//! server goes on.

use std::sync::Weak;
use std::time::Duration;
use tollgate_actors::clock;
use tollgate_actors::settings::CLOCK_STEP_MAX_MS;
use tollgate_store::StoreError;

/// 1 while there is no room for the next journal file.
const SPACE_SHORT: &str = "tollgate_store_space_short";
/// 1 while the index on disk is damaged or cannot be written.
const INDEX_UNSOUND: &str = "tollgate_store_index_unsound";
/// How far the data was ahead of the machine's clock when the process started.
const DATA_AHEAD_SECONDS: &str = "tollgate_data_ahead_seconds";

/// How often the index is asked whether something is wrong with it.
const INDEX_WATCH: Duration = Duration::from_secs(1);

/// Describes the gauges and sets them to their usual values.
pub(crate) fn describe() {
    metrics::describe_gauge!(
        SPACE_SHORT,
        "1 while there is no room for the next journal file: the server stops when the present one is full."
    );
    metrics::describe_gauge!(
        INDEX_UNSOUND,
        "1 while the index on disk is damaged (the next start builds it again) or cannot be written."
    );
    metrics::describe_gauge!(
        DATA_AHEAD_SECONDS,
        "By how much the newest block was ahead of this machine's clock when the process started."
    );
    for gauge in [SPACE_SHORT, INDEX_UNSOUND, DATA_AHEAD_SECONDS] {
        metrics::gauge!(gauge).set(0.0);
    }
}

/// The store has no room for its next journal file, or has it again.
pub(crate) fn space(warning: Option<&StoreError>) {
    metrics::gauge!(SPACE_SHORT).set(f64::from(u8::from(warning.is_some())));
    match warning {
        Some(why) => {
            tracing::warn!(%why, "no room for the next journal file; the server will stop when the present one is full");
        }
        None => tracing::info!("there is room for the next journal file again"),
    }
}

/// The log of attempts cannot be written, or can again. Deliveries go on.
pub(crate) fn trail(warning: Option<&StoreError>) {
    match warning {
        Some(why) => tracing::warn!(%why, "attempts to deliver are not logged for now; deliveries go on"),
        None => tracing::info!("attempts to deliver are logged again"),
    }
}

/// Tells when something is wrong with the index on disk, until the store is closed.
pub(crate) async fn watch_index<S>(store: Weak<S>, warning: fn(&S) -> Option<StoreError>) {
    let mut clock = tokio::time::interval(INDEX_WATCH);
    let mut known = None;
    loop {
        clock.tick().await;
        let Some(store) = store.upgrade() else { return };
        let warning = warning(&store);
        metrics::gauge!(INDEX_UNSOUND).set(f64::from(u8::from(warning.is_some())));
        match (&warning, &known) {
            (Some(why), None) => tracing::warn!(
                %why,
                "the index is damaged or cannot be written; the journal is not touched by this, and the index is built \
                 again from it if need be"
            ),
            (None, Some(_)) => tracing::info!("the index is sound and can be written again"),
            _ => {}
        }
        known = warning;
    }
}

/// Tells when the newest block is from the future: then this machine's clock is behind, or that of an earlier process
/// was ahead.
pub(crate) fn newest_block(newest_ms: u64) {
    let ahead_ms = newest_ms.saturating_sub(clock::unix_ms());
    if ahead_ms > CLOCK_STEP_MAX_MS {
        metrics::gauge!(DATA_AHEAD_SECONDS).set(ahead_ms as f64 / 1000.0);
        tracing::error!(
            ahead_s = ahead_ms / 1000,
            "the newest block is from the future: this clock is behind, or that of an earlier process was ahead; time \
             goes on at half the pace until the clock is there"
        );
    }
}
