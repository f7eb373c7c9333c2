//! `tollgate export` and `tollgate import`: everything a store holds, carried to another.

use crate::config::{Kind, Store};
use crate::exit::Failure;
use crate::output::print;
use crate::place::Place;
use crate::uploads::{SharedUploads, Uploads};
use crate::vault_keyspace::Keyspace;
use std::path::Path;
use std::sync::Arc;
use tollgate_actors::router::shard_of;
use tollgate_carry::{CarryError, Into, Opened, Source, Sums};
use tollgate_domain::AccountKey;
use tollgate_http::{FileBytes, PendingBytes};
use tollgate_resource::Id;
use tollgate_store::{AccountRef, Journal, Scan, ShardId, StoreError};
use tollgate_store_embedded::{Embedded, FileArea, Options};
use tollgate_store_scylla::{Cluster, ImportError, Scanner, Settings, ShardOf, begin_import, finish_import};
use tollgate_vault::{Folder, Keep};

/// Writes everything of a store whose servers are stopped to a file.
pub(crate) fn export(data: &Place, file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Err(Failure::wrong_use(format!(
            "{} is there already; name a new file",
            file.display()
        )));
    }
    let (vault, _) = data.vault()?;
    let sums = match data {
        Place::Directory(data) => {
            // Held until the end: no server writes to it.
            let _held = Embedded::hold(data).map_err(Failure::environment)?;
            let scanner = Embedded::scanner(data).map_err(Failure::environment)?;
            let secret = *scanner.secret().map_err(Failure::environment)?.bytes();
            let uploads = FileArea::existing(data);
            write(secret, &scanner, &|digest| uploads.read(digest), &vault, file)
        }
        Place::Cluster(settings) => {
            let scanner = Scanner::open(settings).map_err(Failure::environment)?;
            let (secret, uploads) = (scanner.about().secret, scanner.uploads().clone());
            write(secret, &scanner, &|digest| uploads.read(digest), &vault, file)
        }
    };
    told("exported", &sums.map_err(failure)?)
}

fn write(
    secret: [u8; 32],
    journal: &dyn Scan,
    files: &tollgate_carry::ReadFile<'_>,
    vault: &Arc<dyn Keep>,
    file: &Path,
) -> Result<Sums, CarryError> {
    let source = Source {
        secret,
        journal,
        files,
        vault,
    };
    tollgate_carry::export(&source, file)
}

/// Reads a file into a new store, and compares the sums.
pub(crate) fn import(file: &Path, store: &Store) -> Result<(), Failure> {
    // All of it is read once before anything is touched.
    let opened = tollgate_carry::open(file).map_err(failure)?;
    let sums = match store.kind {
        Kind::Embedded => into_directory(&opened, store),
        Kind::Cql => into_cluster(&opened, &store.cql.settings, store.idempotency_hours),
    };
    told("imported, and the sums agree:", &sums.map_err(failure)?)
}

fn into_directory(opened: &Opened, store: &Store) -> Result<Sums, CarryError> {
    let data = &store.data;
    let refused = |what: String| Err(CarryError::Refused(what));
    if data.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return refused(format!(
            "{} holds something already; import needs a directory that is new",
            data.display()
        ));
    }
    // It gets its name when everything is there.
    let unfinished = data.with_extension("importing");
    if unfinished.exists() {
        return refused(format!(
            "an import into {} did not end; remove that directory, and import again",
            unfinished.display()
        ));
    }
    let options = Options {
        segment_bytes: store.segment_bytes,
        idempotency_hours: store.idempotency_hours,
        secret: Some(opened.secret),
        ..Options::default()
    };
    let target = Embedded::create_or_open(&unfinished, store.shards, options)?;
    let uploads = Uploads(FileArea::open(&unfinished)?);
    let vault: Arc<dyn Keep> = Arc::new(Folder::of(&unfinished));
    fill(opened, &*target, store.shards, &uploads, &vault)?;
    drop(target);
    let sums = opened.compare(&Embedded::scanner(&unfinished)?)?;
    let io = |source| CarryError::Io {
        place: data.display().to_string(),
        source,
    };
    match std::fs::remove_dir(data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    std::fs::rename(&unfinished, data).map_err(io)?;
    let parent = data.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::File::open(parent)
        .and_then(|parent| parent.sync_all())
        .map_err(io)?;
    Ok(sums)
}

fn into_cluster(opened: &Opened, settings: &Settings, idempotency_hours: u32) -> Result<Sums, CarryError> {
    begin_import(settings, opened.secret).map_err(not_imported)?;
    let divided: ShardOf = Arc::new(|account, shards| shard_of(AccountKey(account.0), shards));
    let target = Cluster::open(tollgate_store_scylla::Options {
        importing: true,
        idempotency_hours,
        ..tollgate_store_scylla::Options::new(settings.clone(), "import", "", divided)
    })?;
    let uploads = SharedUploads(target.uploads().clone());
    let vault: Arc<dyn Keep> = Arc::new(Keyspace(target.vault().clone()));
    fill(opened, &*target, target.shards(), &uploads, &vault)?;
    drop(target);
    let sums = opened.compare(&Scanner::open_imported(settings)?)?;
    finish_import(settings).map_err(not_imported)?;
    Ok(sums)
}

fn not_imported(error: ImportError) -> CarryError {
    match error {
        ImportError::Refused { .. } => CarryError::Refused(error.to_string()),
        ImportError::Store(error) => CarryError::Store(error),
    }
}

fn fill(
    opened: &Opened,
    journal: &dyn Journal,
    shards: u16,
    uploads: &dyn FileBytes,
    vault: &Arc<dyn Keep>,
) -> Result<(), CarryError> {
    let mut number = 0;
    let mut keep = |digest: &[u8; 32], bytes: &[u8]| {
        number += 1;
        let pending = PendingBytes {
            digest: *digest,
            account: AccountKey(0),
            request: Id::from_bits(number),
            by: None,
        };
        let kept = uploads.keep(&pending, bytes).and_then(|()| uploads.settle(&pending));
        kept.map_err(|source| CarryError::Io {
            place: "an uploaded file".to_owned(),
            source,
        })
    };
    let divide = |account: AccountRef, shards| -> ShardId { shard_of(AccountKey(account.0), shards) };
    opened.import(&mut Into {
        journal,
        shards,
        shard_of: &divide,
        files: &mut keep,
        vault,
    })
}

fn told(what: &str, sums: &Sums) -> Result<(), Failure> {
    print(&format!(
        "{what} {} accounts, {} objects, {} records, {} uploaded files\n",
        sums.accounts(),
        sums.objects(),
        sums.records(),
        sums.files()
    ))
}

fn failure(error: CarryError) -> Failure {
    match error {
        CarryError::Differs(_) => Failure::not_so(error),
        CarryError::Refused(_) | CarryError::Damaged { .. } | CarryError::Newer(_) => Failure::wrong_use(error),
        CarryError::Store(StoreError::NewerFormat { .. }) => Failure::wrong_use(error),
        CarryError::Store(_) | CarryError::Vault(_) | CarryError::Io { .. } => Failure::environment(error),
    }
}
