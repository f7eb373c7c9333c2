//! Files of the indexes, cut into pieces of one size: a file is one partition, written once and read by number of the
//! piece. What is read stays in memory, up to so many bytes for all shards together.

use crate::failure::failed;
use crate::link::{Failed, Link};
use crate::protocol::{number, signed};
use crate::retry::{READ_TRIES, WRITE_TRIES, a_few_times};
use crate::runtime::Runtime;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use scylla::statement::prepared::PreparedStatement;
use std::ops::Range;
use std::sync::Arc;
use tokio::task::JoinSet;
use tollgate_store::{ShardId, StoreError};
use tollgate_store_index::Unreadable;

/// Bytes of a piece; the last one of a file may have fewer. Part of the format.
pub(crate) const PIECE_BYTES: usize = 64 << 10;
/// Bytes of pieces kept in memory unless configured otherwise.
pub const INDEX_CACHE_BYTES: u64 = 64 << 20;
/// Most pieces that are asked for, or written, at once: a megabyte.
const AT_ONCE: usize = 16;
/// What a piece costs besides its bytes, about.
const PIECE_OVERHEAD: u64 = 128;

/// A file of a shard's index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FileId {
    pub(crate) shard: ShardId,
    pub(crate) number: u64,
}

/// The table of pieces, and the table that names the files there are.
pub(crate) struct Pieces {
    link: Arc<Link>,
    pub(crate) runtime: Runtime,
    cache: Cache<(FileId, u32), Arc<[u8]>, Bytes>,
    put: PreparedStatement,
    range: PreparedStatement,
    drop_all: PreparedStatement,
    name: PreparedStatement,
    names: PreparedStatement,
    forget: PreparedStatement,
}

/// Pieces weigh their bytes.
#[derive(Clone)]
struct Bytes;

impl Weighter<(FileId, u32), Arc<[u8]>> for Bytes {
    fn weight(&self, _: &(FileId, u32), piece: &Arc<[u8]>) -> u64 {
        piece.len() as u64 + PIECE_OVERHEAD
    }
}

impl Pieces {
    pub(crate) async fn prepare(link: Arc<Link>, runtime: Runtime, cache_bytes: u64) -> Result<Pieces, StoreError> {
        let items = usize::try_from(cache_bytes / PIECE_BYTES as u64).unwrap_or(usize::MAX);
        Ok(Pieces {
            put: link
                .plain("INSERT INTO $.pieces (shard, file, at, bytes) VALUES (?, ?, ?, ?)")
                .await?,
            range: link
                .plain("SELECT at, bytes FROM $.pieces WHERE shard = ? AND file = ? AND at >= ? AND at < ?")
                .await?,
            drop_all: link.plain("DELETE FROM $.pieces WHERE shard = ? AND file = ?").await?,
            name: link.plain("INSERT INTO $.files (shard, file) VALUES (?, ?)").await?,
            names: link.plain("SELECT file FROM $.files WHERE shard = ?").await?,
            forget: link.plain("DELETE FROM $.files WHERE shard = ? AND file = ?").await?,
            cache: Cache::with_weighter(items.max(16), cache_bytes, Bytes),
            link,
            runtime,
        })
    }

    /// Names the index of a shard, for messages.
    pub(crate) fn place(&self, shard: ShardId) -> String {
        format!("{}.pieces shard {}", self.link.settings.keyspace, shard.0)
    }

    /// Names its manifest.
    pub(crate) fn place_of_manifest(&self, shard: ShardId) -> String {
        format!("{}.manifests shard {}", self.link.settings.keyspace, shard.0)
    }

    /// Notes that there is a file, before its first piece.
    pub(crate) fn begin(self: &Arc<Self>, file: FileId) -> Result<(), StoreError> {
        self.write(move |pieces| async move {
            let at = (number(file.shard), signed(file.number));
            pieces.link.write(&pieces.name, at).await
        })
    }

    /// Writes pieces that follow each other, the first one with this number.
    pub(crate) fn put(self: &Arc<Self>, file: FileId, first: u32, bytes: &[u8]) -> Result<(), StoreError> {
        let mut first = first;
        for some in bytes.chunks(AT_ONCE * PIECE_BYTES) {
            let chunks: Vec<Arc<[u8]>> = some.chunks(PIECE_BYTES).map(Arc::from).collect();
            let count = chunks.len() as u32;
            let pieces = Arc::clone(self);
            self.runtime
                .wait(async move { pieces.put_some(file, first, chunks).await })??;
            first += count;
        }
        Ok(())
    }

    async fn put_some(self: &Arc<Self>, file: FileId, first: u32, chunks: Vec<Arc<[u8]>>) -> Result<(), StoreError> {
        let mut all = JoinSet::new();
        for (at, bytes) in (first..).zip(chunks) {
            let pieces = Arc::clone(self);
            all.spawn(async move {
                a_few_times(WRITE_TRIES, "a file of the index", || {
                    let values = (number(file.shard), signed(file.number), at as i32, &bytes[..]);
                    pieces.link.write(&pieces.put, values)
                })
                .await?;
                // What was just written is what is read most.
                pieces.cache.insert((file, at), bytes);
                Ok(())
            });
        }
        while let Some(put) = all.join_next().await {
            put.map_err(|error| failed("a file of the index", &error))??;
        }
        Ok(())
    }

    /// Reads all of `bytes` from an offset.
    pub(crate) fn read(self: &Arc<Self>, file: FileId, bytes: &mut [u8], offset: u64) -> Result<(), Unreadable> {
        let size = PIECE_BYTES as u64;
        let (mut offset, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let at = piece_number(offset / size)?;
            let last = piece_number((offset + rest.len() as u64 - 1) / size)?;
            let piece = match self.cache.get(&(file, at)) {
                Some(piece) => piece,
                None => self.fetch(file, at..last.saturating_add(1).min(at + AT_ONCE as u32))?,
            };
            let from = (offset % size) as usize;
            let len = rest.len().min(PIECE_BYTES - from);
            let found = piece.get(from..from + len);
            let found = found.ok_or_else(|| Unreadable::Damaged(format!("piece {at} is too short")))?;
            let (now, later) = rest.split_at_mut(len);
            now.copy_from_slice(found);
            (offset, rest) = (offset + len as u64, later);
        }
        Ok(())
    }

    /// Brings pieces into memory and returns the first.
    fn fetch(self: &Arc<Self>, file: FileId, range: Range<u32>) -> Result<Arc<[u8]>, Unreadable> {
        let (pieces, wanted) = (Arc::clone(self), range.clone());
        let rows = self.runtime.wait(async move {
            a_few_times(READ_TRIES, "a file of the index", || {
                let key = (number(file.shard), signed(file.number));
                let values = (key.0, key.1, wanted.start as i32, wanted.end as i32);
                pieces.link.run(&pieces.range, values)
            })
            .await
        });
        let rows = rows.and_then(|rows| rows).map_err(Unreadable::Unavailable)?;
        let mut first = None;
        for row in rows.each() {
            let at = row.unsigned("at").and_then(|at| u32::try_from(at).ok());
            let (Some(at), Some(bytes)) = (at, row.bytes("bytes")) else {
                continue;
            };
            let piece: Arc<[u8]> = bytes.into();
            if at == range.start {
                first = Some(Arc::clone(&piece));
            }
            self.cache.insert((file, at), piece);
        }
        first.ok_or_else(|| Unreadable::Damaged(format!("piece {} is missing", range.start)))
    }

    /// Every file of a shard's index that there is a trace of.
    pub(crate) fn files(self: &Arc<Self>, shard: ShardId) -> Result<Vec<u64>, StoreError> {
        let pieces = Arc::clone(self);
        let rows = self.runtime.wait(async move {
            let run = || pieces.link.run(&pieces.names, (number(shard),));
            a_few_times(WRITE_TRIES, "the files of an index", run).await
        })??;
        Ok(rows.each().filter_map(|row| row.unsigned("file")).collect())
    }

    /// Removes a file, its name last.
    pub(crate) fn remove(self: &Arc<Self>, file: FileId) -> Result<(), StoreError> {
        self.write(move |pieces| async move {
            let at = (number(file.shard), signed(file.number));
            pieces.link.write(&pieces.drop_all, at).await?;
            pieces.link.write(&pieces.forget, at).await
        })
    }

    fn write<F>(self: &Arc<Self>, run: impl Fn(Arc<Pieces>) -> F + Send + Sync + 'static) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), Failed>> + Send,
    {
        let pieces = Arc::clone(self);
        self.runtime
            .wait(async move { a_few_times(WRITE_TRIES, "a file of the index", || run(Arc::clone(&pieces))).await })?
    }
}

fn piece_number(at: u64) -> Result<u32, Unreadable> {
    // The column has 31 bits: no file gets there.
    let number = i32::try_from(at).map_err(|_| Unreadable::Damaged("no file is that long".to_owned()))?;
    Ok(number as u32)
}
