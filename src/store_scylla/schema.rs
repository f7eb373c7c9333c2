//! The tables, and how they come into being. Applying is safe from many nodes at once: one of them holds the lock, which
//! `schema_lock.rs` explains.
//!
//! ```text
//! about      what the data says about itself: schema, shards, identity, secret   conditional writes only
//! shards     who owns a shard, by epoch, and its journal's newest segment        conditional writes only
//! journal    blocks of a shard, a partition a segment, fenced by a static column  conditional writes only
//! manifests  what a shard's index consists of, a row for each epoch that wrote it  conditional writes only
//! files      the numbers of the files of a shard's index                          plain writes
//! pieces     those files, a partition each, in pieces of 64 KiB                   plain writes
//! ```
//! Membership (schema 2): see `nodes.rs`. Uploaded files (schema 2): see `uploads.rs`. The vault (schema 2): see `vault.rs`.
//! The log of attempts (schema 3): see `trail.rs`.

/// The newest schema that this release makes and reads.
pub const SCHEMA: u32 = 3;

/// The tables, in the order they are made; a newer schema adds to them and changes none. `$` stands for the keyspace.
pub(crate) const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS $.about (name text PRIMARY KEY, value blob)",
    "CREATE TABLE IF NOT EXISTS $.shards (shard int PRIMARY KEY, epoch bigint, owner text, addr text, claim blob, segment bigint)",
    // Blocks are written once and read whole: nothing is gained by compressing small chunks of what is packed already.
    "CREATE TABLE IF NOT EXISTS $.journal (shard int, segment bigint, seq bigint, fence bigint STATIC, epoch bigint, block_id blob, now_ms bigint, n int, crc int, chain bigint, codec int, block blob, PRIMARY KEY ((shard, segment), seq))",
    "CREATE TABLE IF NOT EXISTS $.manifests (shard int, epoch bigint, fence bigint STATIC, version bigint STATIC, body blob, PRIMARY KEY (shard, epoch))",
    // Names come and go all the time, and one that a repair brings back is only removed again: traces of the removed ones
    // need not stay for the usual ten days, or a reader would have to pass over a hundred thousand of them.
    "CREATE TABLE IF NOT EXISTS $.files (shard int, file bigint, PRIMARY KEY (shard, file)) WITH gc_grace_seconds = 86400",
    "CREATE TABLE IF NOT EXISTS $.pieces (shard int, file bigint, at int, bytes blob, PRIMARY KEY ((shard, file), at)) WITH gc_grace_seconds = 86400",
    // Schema 2.
    "CREATE TABLE IF NOT EXISTS $.nodes (node text PRIMARY KEY, process blob, addr text, beat bigint, leaving boolean)",
    "CREATE TABLE IF NOT EXISTS $.handovers (shard int PRIMARY KEY, epoch bigint, heir blob, freed bigint)",
    "CREATE TABLE IF NOT EXISTS $.uploads (digest blob PRIMARY KEY, copy blob)",
    "CREATE TABLE IF NOT EXISTS $.pending_uploads (shard int, digest blob, copy blob, account bigint, bytes bigint, PRIMARY KEY (shard, digest, copy)) WITH gc_grace_seconds = 86400",
    "CREATE TABLE IF NOT EXISTS $.upload_pieces (digest blob, copy blob, at int, bytes blob, PRIMARY KEY ((digest, copy), at)) WITH gc_grace_seconds = 86400",
    "CREATE TABLE IF NOT EXISTS $.vault (name text PRIMARY KEY, value blob)",
    "CREATE TABLE IF NOT EXISTS $.vault_rewraps (bucket int, master_key bigint, sealed blob, data_key blob, PRIMARY KEY (bucket, master_key, sealed))",
    "CREATE TABLE IF NOT EXISTS $.vault_accesses (year int, at_ms bigint, mark blob, entry text, PRIMARY KEY (year, at_ms, mark))",
    // Schema 3. Rows of a day are written together and end together, so whole files of them go at once.
    "CREATE TABLE IF NOT EXISTS $.trail (subject bigint, day int, at_ms bigint, id bigint, second bigint, bytes blob, PRIMARY KEY ((subject, day), at_ms, id)) WITH CLUSTERING ORDER BY (at_ms DESC, id DESC) AND default_time_to_live = 2592000 AND gc_grace_seconds = 86400 AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 1}",
];

use crate::answer::{Answer, Condition};
use crate::failure::failed;
use crate::link::Link;
use crate::retry::{WRITE_TRIES, a_few_times};
use crate::schema_lock::SchemaLock;
use crate::server::Server;
use std::time::SystemTime;
use tollgate_store::StoreError;

/// What the data says about itself; fixed when it is created. Its secret does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct About {
    /// Number of shards; never changes.
    pub shards: u16,
    /// When the data was created, milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// A random name of the data.
    pub id: [u8; 16],
    /// Ids, client secrets and hashes of keys are made with it.
    pub secret: [u8; 32],
}

impl std::fmt::Debug for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("About")
            .field("shards", &self.shards)
            .field("created_ms", &self.created_ms)
            .finish_non_exhaustive()
    }
}

/// The name under which everything that is fixed stands, in one value, so that it is there whole or not at all.
pub(crate) const DATA: &str = "data";
/// The name of the schema's number.
const SCHEMA_NAME: &str = "schema";
/// Bytes of [`About`]: number of shards, time, name, secret.
const DATA_BYTES: usize = 2 + 8 + 16 + 32;
/// Most shards; the number above belongs to the directory's journal.
const SHARDS_MAX: u16 = 4096;

/// What applying the schema did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything was there.
    Unchanged,
    /// The keyspace was made, or brought to this release's schema.
    Applied,
}

/// Makes the keyspace and its tables where they are missing, and fixes the number of shards when the data is new. Safe to
/// run from many nodes at the same time, and to run again.
///
/// # Errors
/// When the cluster refuses, or holds a schema newer than this release's.
pub(crate) async fn apply(link: &Link, shards: u16) -> Result<(Outcome, About), StoreError> {
    assert!(
        (1..=SHARDS_MAX).contains(&shards),
        "1 to {SHARDS_MAX} shards, not {shards}"
    );
    let settings = &link.settings;
    enough_nodes(link, settings.replication_factor, "store.cql.replication_factor")?;
    let replication = format!(
        "{{'class': 'NetworkTopologyStrategy', '{}': {}}}",
        settings.local_datacenter, settings.replication_factor
    );
    let server = Server::of(link).await?;
    let options = server.keyspace_options();
    let keyspace =
        format!("CREATE KEYSPACE IF NOT EXISTS $ WITH replication = {replication} AND durable_writes = true{options}");
    // Made twice it is the same one: a keyspace is its name.
    link.change_schema(&keyspace).await?;
    server.check_keyspace(link).await?;
    let mut lock = SchemaLock::take(link, &server).await?;
    let made = make(link, &mut lock, shards).await;
    lock.free().await;
    Ok((made?, check(link).await?))
}

/// Makes what is missing in the keyspace.
async fn make(link: &Link, lock: &mut SchemaLock<'_>, shards: u16) -> Result<Outcome, StoreError> {
    for table in TABLES {
        lock.holding(link.change_schema(table)).await?;
    }
    if let Some(found) = schema_of(link).await? {
        return migrate(link, found).await;
    }
    let mut random = [0; 48];
    getrandom::fill(&mut random).map_err(|error| failed("the system gives no random bytes", &error))?;
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let mut data = Vec::with_capacity(DATA_BYTES);
    data.extend_from_slice(&shards.to_le_bytes());
    data.extend_from_slice(&(since.as_millis() as u64).to_le_bytes());
    data.extend_from_slice(&random);
    // Whoever is first decides; the others read what it wrote.
    put_first(link, DATA, &data).await?;
    put_first(link, SCHEMA_NAME, &SCHEMA.to_le_bytes()).await?;
    Ok(Outcome::Applied)
}

/// Brings data of an older schema, whose tables are all there by now, to this release's. Whoever else does so at the same
/// time, or has a newer release, is not disturbed.
async fn migrate(link: &Link, found: u32) -> Result<Outcome, StoreError> {
    if found >= SCHEMA {
        return Ok(Outcome::Unchanged);
    }
    let raise = link
        .conditional("UPDATE $.about SET value = ? WHERE name = ? IF value = ?")
        .await?;
    let values = (&SCHEMA.to_le_bytes()[..], SCHEMA_NAME, &found.to_le_bytes()[..]);
    let raised = link.run(&raise, values).await;
    let raised = raised.map_err(|error| error.told("the schema cannot be raised; apply it again"))?;
    match raised.condition()? {
        Condition::Applied => Ok(Outcome::Applied),
        Condition::Refused(_) => Ok(Outcome::Unchanged),
    }
}

async fn schema_of(link: &Link) -> Result<Option<u32>, StoreError> {
    let schema = get(link, SCHEMA_NAME).await?;
    Ok(schema.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes))
}

/// Refuses more replicas than nodes: conditional writes would go through and quorums never.
fn enough_nodes(link: &Link, replicas: u16, what: &str) -> Result<(), StoreError> {
    let place = "the cluster".to_owned();
    let nodes = link.nodes().map_err(|what| StoreError::Io {
        place: place.clone(),
        what,
    })?;
    if usize::from(replicas) <= nodes {
        return Ok(());
    }
    let datacenter = &link.settings.local_datacenter;
    let what = format!(
        "{what} = {replicas}, but the datacenter {datacenter} has {nodes} node{}; add nodes, or have fewer replicas",
        if nodes == 1 { "" } else { "s" }
    );
    Err(StoreError::Io { place, what })
}

/// Looks at what the operator may have overlooked: too few nodes for the keyspace's replicas is an error, a commit log that
/// is synced now and then a warning, because then an acknowledged block can be lost with the power.
async fn look(link: &Link) -> Result<(), StoreError> {
    Server::of(link).await?.check_keyspace(link).await?;
    let text = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let statement = link.plain(text).await?;
    let row = link.run(&statement, (&link.settings.keyspace,)).await;
    let row = row
        .map_err(|error| error.told("the keyspace cannot be looked at"))?
        .first();
    let replicas = row
        .as_ref()
        .and_then(|row| row.entry("replication", &link.settings.local_datacenter));
    if let Some(replicas) = replicas.and_then(|text| text.parse().ok()) {
        let what = format!("the replication of keyspace {}", link.settings.keyspace);
        enough_nodes(link, replicas, &what)?;
        if replicas < 3 {
            tracing::warn!(
                replicas,
                "with fewer than three replicas the loss of a node's disk loses acknowledged payments"
            );
        }
    }
    // Only Cassandra from 4.0 on shows its settings; ScyllaDB syncs conditional writes always.
    let sync = "SELECT value FROM system_views.settings WHERE name = 'commitlog_sync'";
    if let Ok(result) = link.session.query_unpaged(sync, ()).await
        && let Some(row) = Answer::of(result)?.first()
        && row.text("value") == Some("periodic")
    {
        tracing::warn!(
            "the cluster has commitlog_sync: periodic, so a power failure can lose acknowledged payments; set it to batch or \
             group on every node"
        );
    }
    Ok(())
}

async fn put_first(link: &Link, name: &str, value: &[u8]) -> Result<(), StoreError> {
    let insert = link
        .conditional("INSERT INTO $.about (name, value) VALUES (?, ?) IF NOT EXISTS")
        .await?;
    let put = link.run(&insert, (name, value)).await;
    let put = put.map_err(|error| error.told("the schema cannot be applied"))?;
    match put.condition()? {
        Condition::Applied | Condition::Refused(_) => Ok(()),
    }
}

pub(crate) async fn get(link: &Link, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let read = link.serial("SELECT value FROM $.about WHERE name = ?").await?;
    let what = "what the data says about itself cannot be read";
    let row = a_few_times(WRITE_TRIES, what, || link.run(&read, (name,))).await?;
    Ok(row.first().and_then(|row| row.bytes("value").map(<[u8]>::to_vec)))
}

/// Reads what the data says about itself, and makes sure that this release understands the rest.
pub(crate) async fn check(link: &Link) -> Result<About, StoreError> {
    let keyspace = link.settings.keyspace.clone();
    let unusable = |what: &str| StoreError::Io {
        place: format!("keyspace {keyspace}"),
        what: what.to_owned(),
    };
    match schema_of(link).await? {
        None => return Err(unusable("there is no data here; make it with `tollgate schema apply`")),
        Some(found) if found > SCHEMA => {
            return Err(StoreError::NewerFormat {
                place: format!("keyspace {keyspace}"),
                found,
                known: SCHEMA,
            });
        }
        Some(found) if found < SCHEMA => {
            let what = format!(
                "it has schema {found}, this release needs {SCHEMA}; bring it there with `tollgate schema apply`, while nodes \
                 of the older release go on"
            );
            return Err(unusable(&what));
        }
        Some(_) => {}
    }
    look(link).await?;
    data(link).await
}

/// What the data says about itself, as it stands now.
pub(crate) async fn data(link: &Link) -> Result<About, StoreError> {
    let data = get(link, DATA).await?.filter(|data| data.len() == DATA_BYTES);
    let data = data.ok_or_else(|| StoreError::Io {
        place: format!("keyspace {}", link.settings.keyspace),
        what: "what the data says about itself is damaged".to_owned(),
    })?;
    let (shards, rest) = data.split_at(2);
    let (created, rest) = rest.split_at(8);
    let (id, secret) = rest.split_at(16);
    Ok(About {
        shards: u16::from_le_bytes(shards.try_into().expect("two bytes")),
        created_ms: u64::from_le_bytes(created.try_into().expect("eight bytes")),
        id: id.try_into().expect("sixteen bytes"),
        secret: secret.try_into().expect("32 bytes"),
    })
}
