//! What the vault keeps, for every node: master keys, data keys wrapped anew, accesses.
//!
//! ```text
//! vault           the master keys, one value                               conditional writes only
//! vault_rewraps   data keys under newer master keys, by sealed number      plain writes, the same from whoever writes
//! vault_accesses  who did what, a partition a year                         plain writes, each once
//! ```
//! Keys are replaced only on the condition that they are what was read, so of several nodes that start at once one draws.

use crate::answer::Condition;
use crate::failure::{failed, is_permanent};
use crate::link::{Failed, Link};
use crate::protocol::{Claimant, Protocol, signed};
use crate::retry::{WRITE_TRIES, a_few_times};
use crate::runtime::Runtime;
use crate::schema;
use crate::settings::Settings;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;
use std::sync::Arc;
use tokio::task::JoinSet;
use tollgate_store::{ShardId, StoreError};

/// The name under which the master keys stand.
const KEYS: &str = "keys";
/// Partitions of the data keys.
const BUCKETS: u8 = 64;
/// Most data keys that are written at once.
const AT_ONCE: usize = 32;
/// What a failed statement is about.
const WHAT: &str = "the vault";
/// Milliseconds of a year of partitions: they need not begin with the calendar's.
const YEAR_MS: u64 = 365 * 24 * 3_600_000;

/// A data key under a newer master key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRewrap {
    /// Name of the sealed number.
    pub sealed: [u8; 16],
    /// Number of the master key.
    pub master_key: u32,
    /// The data key, wrapped.
    pub data_key: Vec<u8>,
}

/// What the vault keeps in a keyspace.
#[derive(Clone)]
pub struct VaultTables(Arc<Tables>);

struct Tables {
    link: Arc<Link>,
    runtime: Runtime,
    keys: PreparedStatement,
    make_keys: PreparedStatement,
    replace_keys: PreparedStatement,
    add: PreparedStatement,
    bucket: PreparedStatement,
    drop_older: PreparedStatement,
    record: PreparedStatement,
    years: PreparedStatement,
    year: PreparedStatement,
}

impl VaultTables {
    /// Connects to the cluster, for commands of operators.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or holds no data of this release's schema.
    pub fn connect(settings: &Settings) -> Result<VaultTables, StoreError> {
        let runtime = Runtime::start()?;
        let (settings, speaking) = (settings.clone(), runtime.clone());
        runtime.wait(async move {
            let link = Arc::new(Link::connect(&settings).await?);
            schema::check(&link).await?;
            VaultTables::prepare(link, speaking).await
        })?
    }

    pub(crate) async fn prepare(link: Arc<Link>, runtime: Runtime) -> Result<VaultTables, StoreError> {
        let l = &*link;
        Ok(VaultTables(Arc::new(Tables {
            keys: l.serial("SELECT value FROM $.vault WHERE name = ?").await?,
            make_keys: l
                .conditional("INSERT INTO $.vault (name, value) VALUES (?, ?) IF NOT EXISTS")
                .await?,
            replace_keys: l
                .conditional("UPDATE $.vault SET value = ? WHERE name = ? IF value = ?")
                .await?,
            add: l
                .plain("INSERT INTO $.vault_rewraps (bucket, master_key, sealed, data_key) VALUES (?, ?, ?, ?)")
                .await?,
            bucket: l
                .plain("SELECT master_key, sealed, data_key FROM $.vault_rewraps WHERE bucket = ?")
                .await?,
            drop_older: l
                .plain("DELETE FROM $.vault_rewraps WHERE bucket = ? AND master_key < ?")
                .await?,
            record: l
                .plain("INSERT INTO $.vault_accesses (year, at_ms, mark, entry) VALUES (?, ?, ?, ?)")
                .await?,
            years: l.plain("SELECT DISTINCT year FROM $.vault_accesses").await?,
            year: l.plain("SELECT entry FROM $.vault_accesses WHERE year = ?").await?,
            link,
            runtime,
        })))
    }

    /// Where the keys stand, for messages.
    pub fn place(&self) -> String {
        format!("{}.vault", self.0.link.settings.keyspace)
    }

    /// The master keys, as the vault wrote them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn keys(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = Arc::clone(&self.0);
        self.0.runtime.wait(async move {
            let row = a_few_times(WRITE_TRIES, WHAT, || tables.link.run(&tables.keys, (KEYS,))).await?;
            Ok(row.first().and_then(|row| row.bytes("value").map(<[u8]>::to_vec)))
        })?
    }

    /// Puts keys in the place of those that were read; false where others were faster.
    ///
    /// # Errors
    /// When it cannot be found out whether they were written.
    pub fn replace_keys(&self, before: Option<&[u8]>, after: &[u8]) -> Result<bool, StoreError> {
        let (tables, before, after) = (Arc::clone(&self.0), before.map(<[u8]>::to_vec), after.to_vec());
        self.0.runtime.wait(async move {
            let mut told = None;
            for _ in 0..WRITE_TRIES {
                let put = match &before {
                    None => tables.link.run(&tables.make_keys, (KEYS, &after[..])).await,
                    Some(before) => {
                        let values = (&after[..], KEYS, &before[..]);
                        tables.link.run(&tables.replace_keys, values).await
                    }
                };
                match put {
                    Ok(answer) => {
                        return Ok(match answer.condition()? {
                            Condition::Applied => true,
                            // An earlier try whose answer was lost: keys are random, so nobody else wrote the same.
                            Condition::Refused(found) => found.bytes("value") == Some(&after[..]),
                        });
                    }
                    Err(Failed::Statement(error)) if !is_permanent(&error) => {
                        tracing::warn!(%error, "the master keys are written again");
                        told = Some(error);
                    }
                    Err(error) => return Err(error.told(WHAT)),
                }
            }
            let error = told.map(|error| error.to_string()).unwrap_or_default();
            Err(failed(WHAT, &error))
        })?
    }

    /// Whether there is anything but master keys.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn was_used(&self) -> Result<bool, StoreError> {
        let mut used = !self.years()?.is_empty();
        self.rewraps(&mut |_| {
            used = true;
            Err(StoreError::Stopped)
        })
        .or_else(|error| if used { Ok(()) } else { Err(error) })?;
        Ok(used)
    }

    /// Visits every data key that was wrapped anew.
    ///
    /// # Errors
    /// When they cannot be read, or the visitor's.
    pub fn rewraps(&self, visit: &mut dyn FnMut(KeptRewrap) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for bucket in 0..BUCKETS {
            self.each(|tables| &tables.bucket, (i32::from(bucket),), &mut |row| {
                let kept = || {
                    Some(KeptRewrap {
                        sealed: row.bytes("sealed")?.try_into().ok()?,
                        master_key: row.unsigned("master_key")?.try_into().ok()?,
                        data_key: row.bytes("data_key")?.to_vec(),
                    })
                };
                let kept = kept().ok_or_else(|| failed(WHAT, &"a data key does not read as it should"))?;
                visit(kept)
            })?;
        }
        Ok(())
    }

    /// Adds data keys that were wrapped anew.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add_rewraps(&self, some: Vec<KeptRewrap>) -> Result<(), StoreError> {
        let tables = Arc::clone(&self.0);
        self.0.runtime.wait(async move {
            let mut under_way: JoinSet<Result<(), StoreError>> = JoinSet::new();
            for one in some {
                if under_way.len() == AT_ONCE
                    && let Some(added) = under_way.join_next().await
                {
                    added.map_err(|error| failed(WHAT, &error))??;
                }
                let tables = Arc::clone(&tables);
                under_way.spawn(async move {
                    let bucket = i32::from(one.sealed[0] % BUCKETS);
                    let values = (bucket, i64::from(one.master_key), &one.sealed[..], &one.data_key[..]);
                    a_few_times(WRITE_TRIES, WHAT, || tables.link.write(&tables.add, values)).await
                });
            }
            while let Some(added) = under_way.join_next().await {
                added.map_err(|error| failed(WHAT, &error))??;
            }
            Ok(())
        })?
    }

    /// Removes data keys under master keys older than this one.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn drop_rewraps_before(&self, master_key: u32) -> Result<(), StoreError> {
        let tables = Arc::clone(&self.0);
        self.0.runtime.wait(async move {
            for bucket in 0..BUCKETS {
                let values = (i32::from(bucket), i64::from(master_key));
                a_few_times(WRITE_TRIES, WHAT, || tables.link.write(&tables.drop_older, values)).await?;
            }
            Ok(())
        })?
    }

    /// Writes an access down: a line, and when.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&self, at_ms: u64, entry: &str) -> Result<(), StoreError> {
        let mut mark = [0; 16];
        getrandom::fill(&mut mark).map_err(|error| failed("the system gives no random bytes", &error))?;
        let (tables, entry) = (Arc::clone(&self.0), entry.to_owned());
        self.0.runtime.wait(async move {
            let year = i32::try_from(at_ms / YEAR_MS).unwrap_or(i32::MAX);
            let values = (year, signed(at_ms), &mark[..], &entry[..]);
            a_few_times(WRITE_TRIES, WHAT, || tables.link.write(&tables.record, values)).await
        })?
    }

    /// Every access, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn accesses(&self) -> Result<Vec<String>, StoreError> {
        let mut all = Vec::new();
        for year in self.years()? {
            self.each(|tables| &tables.year, (year,), &mut |row| {
                all.extend(row.text("entry").map(str::to_owned));
                Ok(())
            })?;
        }
        Ok(all)
    }

    fn years(&self) -> Result<Vec<i32>, StoreError> {
        let mut years = Vec::new();
        self.each(|tables| &tables.years, (), &mut |row| {
            years.extend(row.number("year").and_then(|year| i32::try_from(year).ok()));
            Ok(())
        })?;
        years.sort_unstable();
        Ok(years)
    }

    /// Visits the rows of a read, page by page.
    fn each(
        &self,
        statement: fn(&Tables) -> &PreparedStatement,
        values: impl SerializeRow + Clone + Send + Sync + 'static,
        visit: &mut dyn FnMut(crate::answer::Fields) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut from = PagingState::start();
        loop {
            let (tables, at, values) = (Arc::clone(&self.0), from, values.clone());
            let (page, next) = self.0.runtime.wait(async move {
                let read = || tables.link.page(statement(&tables), values.clone(), at.clone());
                a_few_times(WRITE_TRIES, WHAT, read).await
            })??;
            page.each().try_for_each(&mut *visit)?;
            match next {
                PagingStateResponse::HasMorePages { state } => from = state,
                PagingStateResponse::NoMorePages => return Ok(()),
            }
        }
    }

    /// Takes every shard from whoever owns it, for nobody: from when this returns, no block that was begun before becomes
    /// durable, and whoever takes a shard over reads the master keys first. Nodes take the shards back by themselves.
    ///
    /// # Errors
    /// When a shard cannot be claimed; those before it are.
    pub fn fence_every_shard(&self) -> Result<(), StoreError> {
        let tables = Arc::clone(&self.0);
        self.0.runtime.wait(async move {
            let about = schema::check(&tables.link).await?;
            let protocol = Protocol::prepare(Arc::clone(&tables.link)).await?;
            // Without a name: it serves nothing.
            let nobody = Claimant::new(String::new(), String::new())?;
            for shard in 0..about.shards {
                protocol.claim(ShardId(shard), &nobody, None).await?;
            }
            Ok(())
        })?
    }
}
