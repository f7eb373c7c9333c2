//! The files of a shard's index, in the cluster's tables. Numbers of files carry the epoch that wrote them, so that two
//! owners never write the same file; what is no longer named is removed late, when nobody can be reading it any more.

use crate::manifests::{Manifests, Rows};
use crate::pieces::{FileId, PIECE_BYTES, Pieces};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tollgate_store::{ShardId, StoreError};
use tollgate_store_index::{FileName, Files, Sink, Source, Unreadable};

/// Bits of a file's number that count within an epoch.
const COUNTER_BITS: u32 = 32;
/// Numbers that an index may use up before it is built again within its epoch.
const NUMBERS: u64 = 1 << 24;

/// How often an index may be built again within an epoch.
pub(crate) const REBUILDS_MAX: u64 = 255;

/// The first number of a file of an epoch's index: of the one it took over, or of one that it built anew.
pub(crate) fn first_file(epoch: u64, built: u64) -> u64 {
    assert!(
        built <= REBUILDS_MAX && epoch < 1 << (i64::BITS - 1 - COUNTER_BITS),
        "no shard has that many owners"
    );
    epoch << COUNTER_BITS | (1 + built * NUMBERS)
}

/// Most files removed in one go: who waits for a run to be written waits for them, too.
const REMOVED_AT_ONCE: usize = 16;

/// Told when the index turns out to be damaged.
pub(crate) type OnDamage = Box<dyn Fn() + Send + Sync>;

/// The files of one index.
pub(crate) struct ShardFiles {
    pieces: Arc<Pieces>,
    manifests: Arc<Manifests>,
    shard: ShardId,
    epoch: u64,
    remove_after: Duration,
    on_damage: OnDamage,
    state: Mutex<State>,
}

struct State {
    rows: Rows,
    /// Files that are not named any more, and since when.
    doomed: Vec<(Instant, u64)>,
    /// An index that was there before may still be read.
    held: bool,
}

impl ShardFiles {
    /// For the owner of this epoch, with the manifests that it found.
    pub(crate) fn new(
        tables: (&Arc<Pieces>, &Arc<Manifests>),
        (shard, epoch): (ShardId, u64),
        rows: Rows,
        remove_after: Duration,
        on_damage: OnDamage,
    ) -> Arc<ShardFiles> {
        Arc::new(ShardFiles {
            pieces: Arc::clone(tables.0),
            manifests: Arc::clone(tables.1),
            shard,
            epoch,
            remove_after,
            on_damage,
            state: Mutex::new(State {
                rows,
                doomed: Vec::new(),
                held: true,
            }),
        })
    }

    /// Nobody begins to read the index that was there before: its files may go, after a while.
    pub(crate) fn release(&self) {
        let mut state = self.state();
        state.held = false;
        let now = Instant::now();
        state.doomed.iter_mut().for_each(|(since, _)| *since = now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, name: FileName) -> FileId {
        FileId {
            shard: self.shard,
            number: name.id,
        }
    }

    /// Removes the manifests of these epochs and older ones.
    fn remove_manifests(&self, up_to: u64) -> Result<(), StoreError> {
        let (manifests, shard, epoch) = (Arc::clone(&self.manifests), self.shard, self.epoch);
        let mut rows = self.state().rows.clone();
        let (rows, removed) = self.pieces.runtime.wait(async move {
            let removed = manifests.remove(shard, epoch, &mut rows, up_to).await;
            (rows, removed)
        })?;
        self.state().rows = rows;
        removed
    }
}

impl Files for ShardFiles {
    fn place(&self) -> String {
        self.pieces.place(self.shard)
    }

    fn place_of(&self, name: FileName) -> String {
        format!("{} file {name}", self.place())
    }

    fn place_of_manifest(&self) -> String {
        self.pieces.place_of_manifest(self.shard)
    }

    fn manifest(&self) -> Result<Option<Vec<u8>>, Unreadable> {
        Ok(self.state().rows.newest.take())
    }

    /// Called by one thread at a time: whoever changes the index holds its manifest.
    fn replace_manifest(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let (manifests, shard, epoch) = (Arc::clone(&self.manifests), self.shard, self.epoch);
        let (mut rows, body) = (self.state().rows.clone(), bytes.to_vec());
        let (rows, replaced) = self.pieces.runtime.wait(async move {
            let replaced = manifests.replace(shard, epoch, &mut rows, &body).await;
            (rows, replaced)
        })?;
        self.state().rows = rows;
        replaced?;
        // Those of older epochs mean nothing beside it; one that stays is removed next time.
        let _ = self.remove_manifests(epoch - 1);
        Ok(())
    }

    /// The manifest goes when the index is built again, at once. Should this process end before, the next owner finds the
    /// damage again.
    fn remove_manifest(&self) {
        (self.on_damage)();
    }

    fn create(&self, name: FileName) -> Result<Box<dyn Sink>, StoreError> {
        if self.state().rows.fenced {
            return Err(StoreError::Stopped);
        }
        let file = self.id(name);
        self.pieces.begin(file)?;
        Ok(Box::new(Growing {
            pieces: Arc::clone(&self.pieces),
            file,
            next: 0,
            rest: Vec::new(),
        }))
    }

    /// Every piece was durable before it was answered.
    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn open(&self, name: FileName, bytes: u64) -> Result<(Arc<dyn Source>, u64), Unreadable> {
        let file = self.id(name);
        let pieces = Arc::clone(&self.pieces);
        // A piece that is missing is noticed when it is read; the last ones, with the tail, are read now.
        Ok((Arc::new(Finished { pieces, file }), bytes))
    }

    fn remove(&self, name: FileName) {
        self.state().doomed.push((Instant::now(), name.id));
    }

    fn keep_only(&self, names: Option<&[FileName]>) -> Result<(), StoreError> {
        if names.is_none() {
            self.remove_manifests(u64::MAX)?;
        }
        let names = names.unwrap_or_default();
        let mut files = self.pieces.files(self.shard)?;
        files.retain(|&file| names.iter().all(|name| name.id != file));
        let now = Instant::now();
        self.state().doomed.extend(files.into_iter().map(|file| (now, file)));
        Ok(())
    }

    fn tidy(&self) {
        let due: Vec<u64> = {
            let mut state = self.state();
            if state.held || state.rows.fenced {
                return;
            }
            let is_due = |&mut (since, _): &mut (Instant, u64)| since.elapsed() >= self.remove_after;
            let due = state.doomed.extract_if(.., is_due).take(REMOVED_AT_ONCE);
            due.map(|(_, file)| file).collect()
        };
        for number in due {
            let shard = self.shard;
            if let Err(error) = self.pieces.remove(FileId { shard, number }) {
                tracing::debug!(shard = shard.0, number, %error, "a file of the index stays for now");
                self.state().doomed.push((Instant::now(), number));
            }
        }
    }
}

/// A file being written.
struct Growing {
    pieces: Arc<Pieces>,
    file: FileId,
    /// Number of the next piece.
    next: u32,
    /// What fills no piece yet.
    rest: Vec<u8>,
}

impl Sink for Growing {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() - self.rest.len() % PIECE_BYTES;
        self.pieces.put(self.file, self.next, &self.rest[..whole])?;
        self.next += (whole / PIECE_BYTES) as u32;
        self.rest.drain(..whole);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Source>, StoreError> {
        self.pieces.put(self.file, self.next, &self.rest)?;
        let Growing { pieces, file, .. } = *self;
        Ok(Arc::new(Finished { pieces, file }))
    }
}

/// A file being read.
pub(crate) struct Finished {
    pieces: Arc<Pieces>,
    file: FileId,
}

impl Finished {
    pub(crate) fn new(pieces: Arc<Pieces>, file: FileId) -> Finished {
        Finished { pieces, file }
    }
}

impl Source for Finished {
    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<(), Unreadable> {
        self.pieces.read(self.file, bytes, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_two_owners_never_have_the_same_number() {
        let last_of_first = first_file(1, REBUILDS_MAX) + NUMBERS - 2;
        assert!(first_file(1, 0) < first_file(1, 1) && last_of_first < first_file(2, 0));
        assert!(i64::try_from(first_file((1 << 31) - 1, REBUILDS_MAX)).is_ok());
    }
}
