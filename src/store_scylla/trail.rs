//! The trail in a table: what may be forgotten, for every node, beside the journal and never in its way.
//!
//! ```text
//! trail      entries of a subject, a partition a day, newest first; each goes by itself after 30 days     plain writes
//! ```
//! Entries wait in a bounded queue of this process and are written by one task, those of a partition together in an unlogged
//! batch, a few batches at a time. What the cluster does not take, tried twice, is dropped and counted; a slow
//! cluster fills the queue, and what comes then is dropped too. Reads go back day by day and see what every node wrote.

use crate::link::{Failed, Link};
use crate::retry::{READ_TRIES, a_few_times};
use crate::runtime::Runtime;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tollgate_store::StoreError;
use tollgate_store::trail::{Counts, ENTRY_BYTES_MAX, Entry, Position, Query, Trail, newest_of};

/// Milliseconds of a partition.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Most entries that wait, and most bytes of them.
const WAITING_MAX: usize = 16_384;
const WAITING_BYTES_MAX: usize = 8 << 20;
/// How long entries gather, so that those of a partition meet.
const GATHER: Duration = Duration::from_millis(250);
/// Most entries that are gathered.
const GATHER_MAX: usize = 4_096;
/// Most entries of a batch, and most bytes: servers warn of larger ones.
const BATCH_MAX: usize = 32;
const BATCH_BYTES: usize = 4 << 10;
/// Most batches under way: what payments share the connections with.
const WRITES_AT_ONCE: usize = 16;
/// How often a batch is tried.
const TRIES: u32 = 2;
/// Most days that are read at once.
const DAYS_AT_ONCE: usize = 8;
/// Most pages of a day that one read asks for: a bound on what looking for one second key costs.
const PAGES_MAX: usize = 200;
/// What a failed statement is about.
const WHAT: &str = "the log of attempts";

/// The trail of a keyspace.
pub struct TableTrail {
    queue: mpsc::Sender<Order>,
    tables: Arc<Tables>,
    runtime: Runtime,
}

struct Tables {
    link: Arc<Link>,
    put: PreparedStatement,
    day: PreparedStatement,
    day_of_second: PreparedStatement,
    waiting_bytes: AtomicUsize,
    taken: AtomicU64,
    dropped_full: AtomicU64,
    dropped_failed: AtomicU64,
}

enum Order {
    Put(Entry),
    Flush(oneshot::Sender<()>),
}

impl TableTrail {
    pub(crate) async fn prepare(link: Arc<Link>, runtime: Runtime) -> Result<TableTrail, StoreError> {
        let columns = "SELECT second, at_ms, id, bytes FROM $.trail WHERE subject = ? AND day = ? AND (at_ms, id) >= (?, ?) \
                       AND (at_ms, id) < (?, ?)";
        let tables = Arc::new(Tables {
            put: link
                .plain("INSERT INTO $.trail (subject, day, at_ms, id, second, bytes) VALUES (?, ?, ?, ?, ?, ?)")
                .await?,
            day: link.plain(&format!("{columns} LIMIT ?")).await?,
            // Only within one partition, and only as far as the caller's span of time goes.
            day_of_second: link
                .plain(&format!("{columns} AND second = ? LIMIT ? ALLOW FILTERING"))
                .await?,
            link,
            waiting_bytes: AtomicUsize::new(0),
            taken: AtomicU64::new(0),
            dropped_full: AtomicU64::new(0),
            dropped_failed: AtomicU64::new(0),
        });
        let (queue, orders) = mpsc::channel(WAITING_MAX);
        // It ends when the last sender is gone.
        runtime.spawn(write(Arc::clone(&tables), orders));
        Ok(TableTrail { queue, tables, runtime })
    }
}

impl Trail for TableTrail {
    fn append(&self, entry: Entry) {
        assert!(
            entry.bytes.len() <= ENTRY_BYTES_MAX,
            "an entry of {} bytes",
            entry.bytes.len()
        );
        let (tables, weight) = (&self.tables, weight(&entry));
        let fits = tables.waiting_bytes.fetch_add(weight, Relaxed) + weight <= WAITING_BYTES_MAX;
        if fits && self.queue.try_send(Order::Put(entry)).is_ok() {
            tables.taken.fetch_add(1, Relaxed);
        } else {
            tables.waiting_bytes.fetch_sub(weight, Relaxed);
            tables.dropped_full.fetch_add(1, Relaxed);
        }
    }

    fn read(&self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        let (tables, query) = (Arc::clone(&self.tables), query.bounded());
        if query.limit == 0 || query.from >= query.before {
            return Ok(Vec::new());
        }
        self.runtime.wait(async move { tables.read(query).await })?
    }

    fn flush(&self) {
        let queue = self.queue.clone();
        // An error says that the threads are gone, and with them what waited.
        let _ = self.runtime.wait(async move {
            let (sender, done) = oneshot::channel();
            if queue.send(Order::Flush(sender)).await.is_ok() {
                let _ = done.await;
            }
        });
    }

    fn counts(&self) -> Counts {
        Counts {
            taken: self.tables.taken.load(Relaxed),
            dropped_full: self.tables.dropped_full.load(Relaxed),
            dropped_failed: self.tables.dropped_failed.load(Relaxed),
            bytes: 0,
        }
    }
}

/// Writes what is ordered until nobody can order any more.
async fn write(tables: Arc<Tables>, mut orders: mpsc::Receiver<Order>) {
    let permits = Arc::new(Semaphore::new(WRITES_AT_ONCE));
    let mut gathered = Vec::new();
    while orders.recv_many(&mut gathered, GATHER_MAX).await > 0 {
        let flushes = gathered.iter().any(|order| matches!(order, Order::Flush(_)));
        if !flushes && gathered.len() < GATHER_MAX {
            tokio::time::sleep(GATHER).await;
            while gathered.len() < GATHER_MAX
                && let Ok(order) = orders.try_recv()
            {
                gathered.push(order);
            }
        }
        let (mut flushes, mut partitions) = (Vec::new(), HashMap::<(u64, u64), Vec<Entry>>::new());
        for order in gathered.drain(..) {
            match order {
                Order::Put(entry) => {
                    let partition = (entry.subject, entry.at.at_ms / DAY_MS);
                    partitions.entry(partition).or_default().push(entry);
                }
                Order::Flush(sender) => flushes.push(sender),
            }
        }
        for batch in partitions.into_values().flat_map(batches) {
            let permit = Arc::clone(&permits).acquire_owned().await;
            let permit = permit.expect("nobody closes it");
            let tables = Arc::clone(&tables);
            tokio::spawn(async move {
                tables.put(batch).await;
                drop(permit);
            });
        }
        if !flushes.is_empty() {
            let all = permits.acquire_many(WRITES_AT_ONCE as u32).await;
            drop(all.expect("nobody closes it"));
            // Who has stopped waiting does not mind.
            for flush in flushes {
                let _ = flush.send(());
            }
        }
    }
}

/// Divides the entries of a partition into what is sent together.
fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let weight = weight(&entry);
        match batches
            .last_mut()
            .filter(|last| last.len() < BATCH_MAX && bytes + weight <= BATCH_BYTES)
        {
            Some(last) => last.push(entry),
            None => {
                bytes = 0;
                batches.push(vec![entry]);
            }
        }
        bytes += weight;
    }
    batches
}

/// What an entry takes, about.
fn weight(entry: &Entry) -> usize {
    entry.bytes.len() + 64
}

/// Columns of a row to be written.
type Values = (i64, i32, i64, i64, i64, Vec<u8>);

impl Tables {
    async fn put(&self, entries: Vec<Entry>) {
        let (count, weight) = (entries.len() as u64, entries.iter().map(weight).sum());
        let values: Vec<Values> = entries
            .into_iter()
            .map(|entry| {
                let Position { at_ms, id } = entry.at;
                (
                    entry.subject as i64,
                    day(at_ms),
                    at_ms as i64,
                    ordered(id),
                    entry.second as i64,
                    entry.bytes,
                )
            })
            .collect();
        let written = match &values[..] {
            [one] => a_few_times(TRIES, WHAT, || self.link.write(&self.put, one)).await,
            several => {
                let statements = several.iter().map(|_| self.put.clone().into()).collect();
                let mut batch = Batch::new_with_statements(BatchType::Unlogged, statements);
                batch.set_is_idempotent(true);
                a_few_times(TRIES, WHAT, || async {
                    let sent = self.link.session.batch(&batch, several).await;
                    sent.map(drop).map_err(Failed::Statement)
                })
                .await
            }
        };
        self.waiting_bytes.fetch_sub(weight, Relaxed);
        if let Err(error) = written {
            let before = self.dropped_failed.fetch_add(count, Relaxed);
            tracing::debug!(%error, before, "entries of the log of attempts are dropped");
        }
    }

    async fn read(self: Arc<Self>, query: Query) -> Result<Vec<Entry>, StoreError> {
        // An end that is the beginning of a day leaves that day out.
        let last = if query.before.id == 0 {
            query.before.at_ms.saturating_sub(1)
        } else {
            query.before.at_ms
        };
        let days: Vec<i32> = (day(query.from.at_ms)..=day(last)).rev().collect();
        let mut found = Vec::new();
        for some in days.chunks(DAYS_AT_ONCE) {
            let mut under_way = JoinSet::new();
            for &day in some {
                let tables = Arc::clone(&self);
                under_way.spawn(async move { tables.read_day(&query, day).await });
            }
            while let Some(read) = under_way.join_next().await {
                found.extend(read.map_err(|error| crate::failure::failed(WHAT, &error))??);
            }
            if found.len() >= query.limit {
                break;
            }
        }
        Ok(newest_of(found, query.limit))
    }

    async fn read_day(&self, query: &Query, day: i32) -> Result<Vec<Entry>, StoreError> {
        let (subject, limit) = (query.subject as i64, query.limit as i32);
        let (from, before) = (bound(query.from), bound(query.before));
        let (mut found, mut at) = (Vec::new(), PagingState::start());
        for _ in 0..PAGES_MAX {
            let span = (subject, day, from.0, from.1, before.0, before.1);
            let (page, next) = match query.second {
                None => {
                    let values = (span.0, span.1, span.2, span.3, span.4, span.5, limit);
                    a_few_times(READ_TRIES, WHAT, || self.link.page(&self.day, values, at.clone())).await?
                }
                Some(second) => {
                    let values = (span.0, span.1, span.2, span.3, span.4, span.5, second as i64, limit);
                    a_few_times(READ_TRIES, WHAT, || {
                        self.link.page(&self.day_of_second, values, at.clone())
                    })
                    .await?
                }
            };
            found.extend(page.each().filter_map(|row| {
                Some(Entry {
                    subject: query.subject,
                    second: row.number("second")? as u64,
                    at: Position {
                        at_ms: row.unsigned("at_ms")?,
                        id: ordered_back(row.number("id")?),
                    },
                    // A driver may give bytes that are empty as none.
                    bytes: row.bytes("bytes").unwrap_or_default().to_vec(),
                })
            }));
            match next {
                PagingStateResponse::HasMorePages { state } if found.len() < query.limit => at = state,
                _ => break,
            }
        }
        Ok(found)
    }
}

fn day(at_ms: u64) -> i32 {
    i32::try_from(at_ms / DAY_MS).unwrap_or(i32::MAX)
}

fn bound(at: Position) -> (i64, i64) {
    (i64::try_from(at.at_ms).unwrap_or(i64::MAX), ordered(at.id))
}

/// A number as a column orders it: signed, so the upper half comes behind the lower one.
fn ordered(id: u64) -> i64 {
    (id ^ 1 << 63) as i64
}

fn ordered_back(id: i64) -> u64 {
    id as u64 ^ 1 << 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order_as_columns() {
        let ids = [0, 1, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX];
        assert!(ids.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert!(ids.iter().all(|&id| ordered_back(ordered(id)) == id));
    }

    #[test]
    fn batches_are_bounded_by_number_and_by_bytes() {
        let entry = |bytes| Entry {
            subject: 1,
            second: 0,
            at: Position::default(),
            bytes: vec![0; bytes],
        };
        let sizes = |entries: Vec<Entry>| batches(entries).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![entry(0); 70]), [32, 32, 6]);
        assert_eq!(
            sizes(vec![entry(1_500), entry(1_500), entry(1_500), entry(8_192), entry(1)]),
            [2, 1, 1, 1]
        );
        assert_eq!(sizes(Vec::new()), [0; 0]);
    }
}
