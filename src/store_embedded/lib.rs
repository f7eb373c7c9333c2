//! The embedded store: the journal in local files, one committer thread, and an index that is kept beside it.
//!
//! ```text
//! DIR/meta                       text: format, shards, when created; written last when the data is created
//! DIR/secret                     32 random bytes in hexadecimal, mode 0600
//! DIR/lock                       held by the process that writes; its process id
//! DIR/journal/00000001.segment   frames of all shards, interleaved (see `frame.rs` and `segment.rs` for the bytes)
//! DIR/files/                     bytes of uploaded files, by their digest (see `file_area.rs`)
//! DIR/trail/                     what may be forgotten: attempts of deliveries (see `trail.rs`)
//! DIR/index/                     pointers into the journal; may be deleted, and is built again (see the room store_index)
//! ```
//! What always holds: a block is answered `Durable` only after `fdatasync` has returned for every byte of it; after an
//! error of a write or a sync nothing more is written, ever, by this process; a bad byte that a crash cannot explain
//! makes opening fail with the file and the offset; reads check what they read.

mod checkpoint;
mod committer;
mod disk;
#[cfg(feature = "faults")]
pub mod faults;
mod file_area;
mod files;
mod frame;
mod index;
mod index_files;
mod meta;
mod preparer;
mod reader;
mod rebuild;
mod scanner;
mod segment;
mod trail;
mod walk;

pub use committer::{Group, OnFatal, OnGroup};
pub use disk::{Disk, LocalDisk};
pub use file_area::{FileArea, Pending};
pub use files::Lock;
pub use meta::{FORMAT, Meta, SHARDS_MAX, Secret};
pub use preparer::OnSpace;
pub use scanner::Scanner;
pub use segment::{SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
pub use tollgate_store_index::{Agreement, Disagreement, Limits};
pub use trail::{FileTrail, OnTrouble, TRAIL_BYTES, TRAIL_RESERVE_BYTES, TRAIL_SEGMENT_BYTES, TrailOptions};

use checkpoint::Mark;
use committer::{Committer, Item, Queue};
use frame::Codec;
use index::{DiskIndex, INDEX};
use index_files::IndexDir;
use preparer::Preparer;
use reader::Reader;
use segment::Segment;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use tollgate_breaks::broken;
use tollgate_store::index::{IDEMPOTENCY_HOURS, Index};
use tollgate_store::reads::View;
use tollgate_store::{
    AccountRef, Block, Claimed, Done, Fetched, Journal, KeyHash, PageQuery, Reads, ShardId, StoreError,
};
use tollgate_store_index::{Host, Opening, Threads, Unreadable};

/// Size of a segment unless configured otherwise: about 100,000 payments.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// How the store works.
pub struct Options {
    /// Size of new segments, bytes, [`SEGMENT_BYTES_MIN`] to [`SEGMENT_BYTES_MAX`]. A block that fits none gets one of
    /// its own size.
    pub segment_bytes: u64,
    /// Whether groups are synced before they are answered. Off only where losing them does not matter.
    pub fsync: bool,
    /// Hours for which an idempotency key is found.
    pub idempotency_hours: u32,
    /// Called once, on the committer's thread, when the store can no longer write.
    pub on_fatal: OnFatal,
    /// Called for each group of blocks, on the committer's thread, after it was answered: for metrics.
    pub on_group: OnGroup,
    /// Called when the store has no room for its next segment and will stop when the present one is full; and when it
    /// has room again.
    pub on_space: OnSpace,
    /// When the index moves from memory to disk.
    pub index: Limits,
    /// The disk; tests bring one with faults.
    pub disk: Arc<dyn Disk>,
    /// The secret of the data that is carried here, where it is created; drawn without one.
    pub secret: Option<[u8; 32]>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: SEGMENT_BYTES,
            fsync: true,
            idempotency_hours: IDEMPOTENCY_HOURS,
            on_fatal: Box::new(|_| {}),
            on_group: Box::new(|_| {}),
            on_space: Box::new(|_| {}),
            index: Limits::default(),
            disk: Arc::new(LocalDisk),
            secret: None,
        }
    }
}

/// What opening found, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Segments there are.
    pub segments: u32,
    /// Bytes of them that were read; the index knew the others.
    pub bytes: u64,
    /// Blocks in the journal.
    pub blocks: u64,
    /// Records in the journal.
    pub records: u64,
    /// Of these, records that were put into the index now.
    pub walked: u64,
    /// Why the index that was there could not be used and was built again, if so.
    pub index_rebuilt: Option<String>,
    /// How long it took.
    pub elapsed: Duration,
    /// Time of the newest block, milliseconds since the Unix epoch; 0 if there is none.
    pub newest_ms: u64,
    /// Where a torn tail, the trace of a crash, was cut off, and what was wrong with it.
    pub torn: Option<String>,
}

/// A data directory, open for writing. Dropping it writes what was handed in and closes it.
pub struct Embedded {
    meta: Meta,
    secret: Secret,
    opened: Opened,
    queue: Arc<Queue>,
    index: Arc<DiskIndex>,
    reader: Reader,
    warning: Arc<Mutex<Option<StoreError>>>,
    committer: Option<JoinHandle<()>>,
    preparer: Option<JoinHandle<()>>,
    _lock: Arc<Lock>,
}

impl Embedded {
    /// Opens the data in `dir`, or creates it with this number of shards when there is none. The shards of existing
    /// data stay as they are: see [`Embedded::meta`].
    pub fn create_or_open(dir: &Path, shards: u16, options: Options) -> Result<Arc<Embedded>, StoreError> {
        // An empty path would silently mean the working directory.
        if dir.as_os_str().is_empty() {
            let what = "the name of the data directory is empty".to_owned();
            return Err(StoreError::Io {
                place: "--data".to_owned(),
                what,
            });
        }
        files::create_dir(dir)?;
        let lock = Lock::take(dir)?;
        if !meta::exists(dir)? {
            create(dir, shards, &options)?;
        }
        open(dir, lock, options)
    }

    /// Whether `dir` holds data, or what is left of some: a damaged directory is one, too.
    pub fn is_data(dir: &Path) -> bool {
        dir.is_dir() && (meta::exists(dir).unwrap_or(true) || segment::journal_dir(dir).is_dir())
    }

    /// Opens the data in `dir`.
    pub fn open(dir: &Path, options: Options) -> Result<Arc<Embedded>, StoreError> {
        open(dir, Embedded::hold(dir)?, options)
    }

    /// Opens the data in `dir` and builds its index again from the journal.
    pub fn open_with_new_index(dir: &Path, options: Options) -> Result<Arc<Embedded>, StoreError> {
        let lock = Embedded::hold(dir)?;
        // What a later release has written is not touched.
        meta::read(dir)?;
        let index = dir.join(INDEX);
        match std::fs::remove_dir_all(&index) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(files::io_error(&index, "remove", &error));
            }
            _ => {}
        }
        open(dir, lock, options)
    }

    /// Takes the right to write to the data in `dir` without opening it: while it is held, no server has the data.
    pub fn hold(dir: &Path) -> Result<Lock, StoreError> {
        if !meta::exists(dir)? {
            let what = "there is no data here; create it first, or choose another --data directory".to_owned();
            return Err(StoreError::Io {
                place: dir.display().to_string(),
                what,
            });
        }
        Lock::take(dir)
    }

    /// The blocks of a directory, read-only and without the lock: of a copy, or of one in use.
    pub fn scanner(dir: &Path) -> Result<Scanner, StoreError> {
        Scanner::open(dir)
    }

    /// Whether others than its owner may read the secret of the data in `dir`, which is made with mode 0600.
    ///
    /// # Errors
    /// When there is no secret, or it cannot be looked at.
    pub fn secret_is_exposed(dir: &Path) -> Result<bool, StoreError> {
        meta::secret_is_exposed(dir)
    }

    /// What the data says about itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The secret of the data.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What opening found.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Why no further segment is ready, if so: as a rule the disk is full, and the store will stop when the present
    /// segment is.
    pub fn space_warning(&self) -> Option<StoreError> {
        self.warning.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is wrong with the index, if something is: it is damaged, and what is sound of it serves until the next start
    /// builds it again; or it cannot be written, and stays in memory until it can.
    pub fn index_warning(&self) -> Option<StoreError> {
        self.index.warning()
    }

    fn view(&self) -> View<'_> {
        View {
            index: &**self.index,
            journal: &self.reader,
        }
    }
}

fn create(dir: &Path, shards: u16, options: &Options) -> Result<(), StoreError> {
    let journal = segment::journal_dir(dir);
    files::create_dir(&journal)?;
    // Creation was interrupted before, or `meta` was lost; only the first may be done again.
    if let [first, rest @ ..] = &segment::list(dir)?[..] {
        let path = segment::path(dir, *first);
        let bytes = std::fs::read(&path).map_err(|error| files::io_error(&path, "read", &error))?;
        if !rest.is_empty() || bytes.iter().skip(segment::SEGMENT_HEADER).any(|&byte| byte != 0) {
            let what = "the directory holds a journal, but its meta file is missing".to_owned();
            return Err(StoreError::Corrupt {
                place: dir.join("meta").display().to_string(),
                what,
            });
        }
        segment::remove(dir, *first)?;
    }
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (meta, _) = meta::create(dir, shards, since.as_millis() as u64, options.secret)?;
    Segment::create(dir, &*options.disk, &meta.id, 1, segment_bytes(options)?)?;
    meta::complete(dir, &meta)
}

fn segment_bytes(options: &Options) -> Result<u64, StoreError> {
    let bytes = options.segment_bytes;
    if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&bytes) {
        let what = format!("{bytes} is not between {SEGMENT_BYTES_MIN} and {SEGMENT_BYTES_MAX}");
        return Err(StoreError::Io {
            place: "the size of a segment".to_owned(),
            what,
        });
    }
    // Frames are aligned, and so is the end.
    Ok(bytes.next_multiple_of(frame::ALIGN as u64))
}

fn open(dir: &Path, lock: Lock, options: Options) -> Result<Arc<Embedded>, StoreError> {
    let started = Instant::now();
    let lock = Arc::new(lock);
    let segment_bytes = segment_bytes(&options)?;
    let meta = meta::read(dir)?;
    let secret = meta::read_secret(dir, &meta)?;
    segment::remove_half_made(dir)?;
    let no_thread = |error: std::io::Error| files::io_error(dir, "start a thread for", &error);
    let host = Host::start(Threads::default()).map_err(no_thread)?;
    let opening = Opening {
        files: Arc::new(IndexDir::create_or_open(
            &dir.join(INDEX),
            Arc::clone(&options.disk),
            options.fsync,
        )?),
        host: &host,
        id: meta.id.0,
        shards: usize::from(meta.shards) + 1,
        first_file: 1,
        idempotency_hours: options.idempotency_hours,
        limits: options.index,
    };
    let fits = |mark: &Mark| walk::check_position(dir, &meta.id, &mark.position).map_err(Unreadable::Damaged);
    let found = opening.open(fits)?;
    let (known, index_rebuilt) = (found.known, found.refused);
    let index = Arc::new(DiskIndex::new(found.index, host));
    let rebuilt = rebuild::rebuild(dir, &meta, &index, known.as_ref())?;
    let end = rebuilt.end;
    let segment = Segment::open(dir, end.segment)?;
    let torn = match &end.torn {
        None => None,
        Some(what) => {
            if !broken!(KeepTornTail) {
                segment.cut(&*options.disk, u64::from(end.offset))?;
            }
            Some(format!(
                "{} offset {}: {what}; cut off",
                segment.path.display(),
                end.offset
            ))
        }
    };
    let existing = preparer::remove_surplus(dir, end.segment, end.last_segment)?;
    let opened = Opened {
        segments: end.last_segment,
        bytes: end.bytes,
        blocks: rebuilt.blocks,
        records: rebuilt.records,
        walked: rebuilt.walked,
        newest_ms: rebuilt
            .owners
            .values()
            .map(|owner| owner.last_now_ms)
            .max()
            .unwrap_or(0),
        index_rebuilt,
        elapsed: started.elapsed(),
        torn,
    };
    let warning = Arc::new(Mutex::new(None));
    let preparer = Preparer {
        dir: dir.to_owned(),
        id: meta.id,
        disk: Arc::clone(&options.disk),
        segment_bytes,
        next: end.segment + 1,
        existing,
        warning: Arc::clone(&warning),
        on_space: options.on_space,
    };
    let (segments, preparer) = preparer.start().map_err(no_thread)?;
    let queue = Arc::new(Queue::default());
    let committer = Committer {
        queue: Arc::clone(&queue),
        disk: options.disk,
        index: Arc::clone(&index),
        codec: Codec::new(&meta.id),
        owners: rebuilt.owners,
        segments,
        segment,
        offset: u64::from(end.offset),
        last_frame: end.last_frame,
        chain: end.chain,
        fsync: options.fsync,
        on_fatal: options.on_fatal,
        on_group: options.on_group,
        syncing: Duration::ZERO,
        group: Vec::new(),
        _lock: Arc::clone(&lock),
    };
    let committer = Some(committer.start().map_err(no_thread)?);
    let (preparer, reader) = (Some(preparer), Reader::new(dir.to_owned()));
    Ok(Arc::new(Embedded {
        meta,
        secret,
        opened,
        queue,
        index,
        reader,
        warning,
        committer,
        preparer,
        _lock: lock,
    }))
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue.stop();
        // The committer holds the preparer's channel, so the second ends after the first. An answer that drops the last
        // owner runs on the committer's own thread, which cannot wait for itself.
        for thread in [self.committer.take(), self.preparer.take()].into_iter().flatten() {
            if thread.thread().id() == std::thread::current().id() {
                return;
            }
            // Panics of the committer were reported through `on_fatal`.
            let _ = thread.join();
        }
    }
}

impl Journal for Embedded {
    fn claim(&self, shard: ShardId) -> Result<Claimed, StoreError> {
        self.assert_shard(shard);
        let (sender, answer) = crossbeam_channel::bounded(1);
        self.queue.push(Item::Claim(shard, sender));
        answer.recv().map_err(|_| StoreError::Stopped)?
    }

    fn submit(&self, block: Block, done: Done) {
        self.assert_shard(block.shard);
        self.queue.push(Item::Block(block, done));
    }
}

impl Embedded {
    fn assert_shard(&self, shard: ShardId) {
        let known = shard.0 < self.meta.shards || shard == ShardId::DIRECTORY;
        assert!(known, "shard {} of {}", shard.0, self.meta.shards);
    }
}

impl Reads for Embedded {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.view().newest(account, seq)
    }

    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.view().birth(account, seq)
    }

    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        self.index.key_may_exist(account, key)
    }

    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.view().by_key(account, key)
    }

    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.view().page(query, accept)
    }

    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.view().replay_account(account, visit)
    }

    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.index.timers_due(shard, until_ms, limit)
    }

    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.index.timers_done(shard, timers);
    }

    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        self.index.accounts(shard)
    }
}
