//! Bytes of uploaded files, for every node: each under its digest, in pieces, written once and never changed.
//!
//! ```text
//! uploads          which copy of some bytes is kept, by their SHA-256       conditional writes only
//! pending_uploads  copies whose record may not be durable yet, by shard     plain writes
//! upload_pieces    the copies, a partition each, in pieces of 64 KiB        plain writes
//! ```
//! A copy is named by the process that wrote it and the request that brought it, so nobody else ever writes or removes it
//! by mistake. It is noted as pending before its first piece is written, and durable before the record that names it is
//! written. When that record is durable the copy is kept, unless another one of the same bytes is kept already; when there
//! will never be a record it is removed. Both follow from the journal alone, so whoever decides, and however often, comes to the
//! same: what another process left pending is decided by whoever owns the account's shard, because then no record of that
//! process can become durable any more.

use crate::answer::Condition;
use crate::failure::failed;
use crate::link::Link;
use crate::protocol::number;
use crate::retry::{READ_TRIES, WRITE_TRIES, a_few_times};
use crate::runtime::Runtime;
use crate::store::ShardOf;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use std::io::{self, Read};
use std::sync::Arc;
use tokio::task::JoinSet;
use tollgate_store::{AccountRef, ShardId, StoreError};

/// Bytes of a piece; the last one may have fewer. Part of the format.
const PIECE_BYTES: usize = 64 << 10;
/// Most pieces, or shards, that are asked for at once.
const AT_ONCE: usize = 16;
/// Most pieces of a copy: four times what an upload may have.
const PIECES_MAX: i32 = 1 << 10;
/// Most copies of a shard that are looked at in one go; more than can be under way at once.
const PENDING_MAX: i32 = 4096;
/// What a failed statement is about.
const WHAT: &str = "the bytes of an uploaded file";

/// The bytes of uploaded files in a keyspace.
#[derive(Clone)]
pub struct Uploads(Arc<Tables>);

struct Tables {
    link: Arc<Link>,
    runtime: Runtime,
    process: [u8; 8],
    shards: u16,
    shard_of: ShardOf,
    note: PreparedStatement,
    noted: PreparedStatement,
    unnote: PreparedStatement,
    put: PreparedStatement,
    range: PreparedStatement,
    drop_copy: PreparedStatement,
    keep: PreparedStatement,
    kept: PreparedStatement,
    all: PreparedStatement,
}

/// A copy whose record may not be durable yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingUpload {
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// The account they belong to.
    pub account: AccountRef,
    /// The request that brought them.
    pub request: u128,
    /// The process that wrote them, if it is another one than this.
    pub by: Option<[u8; 8]>,
}

/// The name of a copy of some bytes: process and request.
type Copy24 = [u8; 24];

impl Uploads {
    pub(crate) async fn prepare(
        link: Arc<Link>,
        runtime: Runtime,
        process: [u8; 8],
        (shards, shard_of): (u16, ShardOf),
    ) -> Result<Uploads, StoreError> {
        let l = &*link;
        Ok(Uploads(Arc::new(Tables {
            note: l
                .plain("INSERT INTO $.pending_uploads (shard, digest, copy, account, bytes) VALUES (?, ?, ?, ?, ?)")
                .await?,
            noted: l
                .plain("SELECT digest, copy, account, bytes FROM $.pending_uploads WHERE shard = ? LIMIT ?")
                .await?,
            unnote: l
                .plain("DELETE FROM $.pending_uploads WHERE shard = ? AND digest = ? AND copy = ?")
                .await?,
            put: l
                .plain("INSERT INTO $.upload_pieces (digest, copy, at, bytes) VALUES (?, ?, ?, ?)")
                .await?,
            range: l
                .plain("SELECT at, bytes FROM $.upload_pieces WHERE digest = ? AND copy = ? AND at >= ? AND at < ?")
                .await?,
            drop_copy: l
                .plain("DELETE FROM $.upload_pieces WHERE digest = ? AND copy = ?")
                .await?,
            keep: l
                .conditional("INSERT INTO $.uploads (digest, copy) VALUES (?, ?) IF NOT EXISTS")
                .await?,
            kept: l.serial("SELECT copy FROM $.uploads WHERE digest = ?").await?,
            all: l.plain("SELECT digest FROM $.uploads").await?,
            link,
            runtime,
            process,
            shards,
            shard_of,
        })))
    }

    /// Makes bytes durable, as pending.
    ///
    /// # Errors
    /// When they cannot be written; what was written of them is removed by whoever decides.
    pub fn keep(&self, pending: &PendingUpload, bytes: &[u8]) -> Result<(), StoreError> {
        let (tables, pending) = (Arc::clone(&self.0), *pending);
        let chunks: Vec<Vec<u8>> = bytes.chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect();
        let bytes = bytes.len() as i64;
        self.0.runtime.wait(async move {
            let (shard, copy) = (tables.shard(pending.account), tables.copy(&pending));
            let values = (shard, &pending.digest[..], &copy[..], pending.account.0 as i64, bytes);
            a_few_times(WRITE_TRIES, WHAT, || tables.link.write(&tables.note, values)).await?;
            let mut under_way = JoinSet::new();
            for (at, bytes) in (0i32..).zip(chunks) {
                if under_way.len() == AT_ONCE {
                    ended(under_way.join_next().await)?;
                }
                let tables = Arc::clone(&tables);
                under_way.spawn(async move {
                    let values = (&pending.digest[..], &copy[..], at, &bytes[..]);
                    a_few_times(WRITE_TRIES, WHAT, || tables.link.write(&tables.put, values)).await
                });
            }
            while !under_way.is_empty() {
                ended(under_way.join_next().await)?;
            }
            Ok(())
        })?
    }

    /// The record of pending bytes is durable: they stay. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When it cannot be written; they are still read, and it is tried again later.
    pub fn settle(&self, pending: &PendingUpload) -> Result<(), StoreError> {
        let (tables, pending) = (Arc::clone(&self.0), *pending);
        self.0.runtime.wait(async move {
            let (digest, copy) = (&pending.digest[..], tables.copy(&pending));
            // Who is first is kept. One that is sent again finds itself.
            let kept = || tables.link.run(&tables.keep, (digest, &copy[..]));
            let kept = a_few_times(WRITE_TRIES, WHAT, kept).await?.condition()?;
            if let Condition::Refused(found) = kept
                && found.bytes("copy") != Some(&copy[..])
            {
                tables.drop_copy(digest, &copy).await?;
            }
            tables.unnote(&pending).await
        })?
    }

    /// No record names pending bytes, nor will one.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn forget(&self, pending: &PendingUpload) -> Result<(), StoreError> {
        let (tables, pending) = (Arc::clone(&self.0), *pending);
        self.0.runtime.wait(async move {
            let (digest, copy) = (&pending.digest[..], tables.copy(&pending));
            // A copy that is kept was decided about before, and only its note is left.
            if tables.kept(digest).await?.as_deref() != Some(&copy[..]) {
                tables.drop_copy(digest, &copy).await?;
            }
            tables.unnote(&pending).await
        })?
    }

    /// What other processes left pending.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn pending(&self) -> Result<Vec<PendingUpload>, StoreError> {
        let tables = Arc::clone(&self.0);
        let noted = self.0.runtime.wait(async move { tables.noted().await })??;
        let others = noted.into_iter().filter(|noted| noted.copy[..8] != self.0.process);
        Ok(others.map(|noted| noted.pending()).collect())
    }

    /// The bytes with that digest, kept or pending; `None` if there are none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut reader) = self.open(digest)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|error| failed(WHAT, &error))?;
        Ok(Some(bytes))
    }

    /// The bytes with that digest, to be read in pieces; `None` if there are none.
    ///
    /// # Errors
    /// When it cannot be looked up.
    pub fn open(&self, digest: &[u8; 32]) -> Result<Option<UploadReader>, StoreError> {
        let (tables, wanted) = (Arc::clone(&self.0), *digest);
        let copy = self.0.runtime.wait(async move {
            if let Some(kept) = tables.kept(&wanted).await? {
                return Ok(Some(kept));
            }
            for noted in tables.noted().await? {
                if noted.digest == wanted && tables.size(&wanted, &noted.copy).await? == noted.bytes {
                    return Ok(Some(noted.copy.to_vec()));
                }
            }
            // It may have been settled between the two looks.
            tables.kept(&wanted).await
        });
        let copy: Option<Vec<u8>> = copy??;
        Ok(copy.map(|copy| UploadReader {
            uploads: self.clone(),
            digest: *digest,
            copy,
            next: 0,
            rest: io::Cursor::new(Vec::new()),
        }))
    }

    /// Where the bytes with that digest are, for messages.
    pub fn place(&self, digest: &[u8; 32]) -> String {
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}.upload_pieces {digest}", self.0.link.settings.keyspace)
    }

    /// Visits all bytes that are kept: their digest, `None` for what is no digest.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn each_kept(&self, visit: &mut dyn FnMut(Option<[u8; 32]>)) -> Result<(), StoreError> {
        let mut from = PagingState::start();
        loop {
            let (tables, at) = (Arc::clone(&self.0), from);
            let (page, next) = self.0.runtime.wait(async move {
                a_few_times(WRITE_TRIES, WHAT, || tables.link.page(&tables.all, (), at.clone())).await
            })??;
            for row in page.each() {
                visit(row.bytes("digest").and_then(|digest| digest.try_into().ok()));
            }
            match next {
                PagingStateResponse::HasMorePages { state } => from = state,
                PagingStateResponse::NoMorePages => return Ok(()),
            }
        }
    }
}

/// A row of `pending_uploads`.
struct Noted {
    digest: [u8; 32],
    copy: Copy24,
    account: u64,
    bytes: u64,
}

impl Noted {
    fn pending(&self) -> PendingUpload {
        PendingUpload {
            digest: self.digest,
            account: AccountRef(self.account),
            request: u128::from_le_bytes(self.copy[8..].try_into().expect("sixteen of 24 bytes")),
            by: Some(self.copy[..8].try_into().expect("eight of 24 bytes")),
        }
    }
}

impl Tables {
    fn shard(&self, account: AccountRef) -> i32 {
        number((self.shard_of)(account, self.shards))
    }

    fn copy(&self, pending: &PendingUpload) -> Copy24 {
        let mut copy = [0; 24];
        copy[..8].copy_from_slice(&pending.by.unwrap_or(self.process));
        copy[8..].copy_from_slice(&pending.request.to_le_bytes());
        copy
    }

    async fn kept(&self, digest: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = a_few_times(READ_TRIES, WHAT, || self.link.run(&self.kept, (digest,))).await?;
        Ok(row.first().and_then(|row| row.bytes("copy").map(<[u8]>::to_vec)))
    }

    async fn drop_copy(&self, digest: &[u8], copy: &Copy24) -> Result<(), StoreError> {
        let values = (digest, &copy[..]);
        a_few_times(WRITE_TRIES, WHAT, || self.link.write(&self.drop_copy, values)).await
    }

    /// The last step: what is not noted is not looked at again.
    async fn unnote(&self, pending: &PendingUpload) -> Result<(), StoreError> {
        let copy = self.copy(pending);
        let values = (self.shard(pending.account), &pending.digest[..], &copy[..]);
        a_few_times(WRITE_TRIES, WHAT, || self.link.write(&self.unnote, values)).await
    }

    /// Every pending copy of every shard.
    async fn noted(self: &Arc<Self>) -> Result<Vec<Noted>, StoreError> {
        let (mut found, mut under_way) = (Vec::new(), JoinSet::new());
        for shard in 0..self.shards {
            if under_way.len() == AT_ONCE {
                found.extend(ended(under_way.join_next().await)?.into_iter().flatten());
            }
            let tables = Arc::clone(self);
            under_way.spawn(async move {
                let values = (number(ShardId(shard)), PENDING_MAX);
                let rows = a_few_times(WRITE_TRIES, WHAT, || tables.link.run(&tables.noted, values)).await?;
                let noted = rows.each().filter_map(|row| {
                    Some(Noted {
                        digest: row.bytes("digest")?.try_into().ok()?,
                        copy: row.bytes("copy")?.try_into().ok()?,
                        account: row.number("account")? as u64,
                        bytes: row.unsigned("bytes")?,
                    })
                });
                Ok(noted.collect::<Vec<_>>())
            });
        }
        while !under_way.is_empty() {
            found.extend(ended(under_way.join_next().await)?.into_iter().flatten());
        }
        Ok(found)
    }

    /// Some pieces from a number on, in order, up to the first that is missing.
    async fn pieces(&self, digest: &[u8], copy: &[u8], from: i32) -> Result<Vec<Vec<u8>>, StoreError> {
        let values = (digest, copy, from, from + AT_ONCE as i32);
        let rows = a_few_times(WRITE_TRIES, WHAT, || self.link.run(&self.range, values)).await?;
        let rows = rows.each().zip(i64::from(from)..);
        let there = rows.take_while(|(row, at)| row.number("at") == Some(*at));
        Ok(there
            .filter_map(|(row, _)| row.bytes("bytes").map(<[u8]>::to_vec))
            .collect())
    }

    async fn size(&self, digest: &[u8], copy: &[u8]) -> Result<u64, StoreError> {
        let (mut size, mut from) = (0, 0);
        while from < PIECES_MAX {
            let pieces = self.pieces(digest, copy, from).await?;
            size += pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
            if pieces.len() < AT_ONCE {
                break;
            }
            from += AT_ONCE as i32;
        }
        Ok(size)
    }
}

/// What a task came to.
fn ended<T>(task: Option<Result<Result<T, StoreError>, tokio::task::JoinError>>) -> Result<Option<T>, StoreError> {
    let Some(task) = task else { return Ok(None) };
    Ok(Some(task.map_err(|error| failed(WHAT, &error))??))
}

/// Reads a copy, a megabyte at a time.
pub struct UploadReader {
    uploads: Uploads,
    digest: [u8; 32],
    copy: Vec<u8>,
    /// Number of the next piece.
    next: i32,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for UploadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.position() == self.rest.get_ref().len() as u64 && self.next < PIECES_MAX {
            let (tables, digest, copy, from) = (Arc::clone(&self.uploads.0), self.digest, self.copy.clone(), self.next);
            let runtime = &self.uploads.0.runtime;
            let pieces = runtime.wait(async move { tables.pieces(&digest, &copy, from).await });
            let pieces = pieces
                .and_then(|pieces| pieces)
                .map_err(|error| io::Error::other(error.to_string()))?;
            self.next = if pieces.len() < AT_ONCE {
                PIECES_MAX
            } else {
                self.next + AT_ONCE as i32
            };
            self.rest = io::Cursor::new(pieces.concat());
        }
        self.rest.read(buffer)
    }
}
