//! Making a new keyspace the home of other data: it takes over that data's secret, and serves nobody until everything is there.
//!
//! A row of `about` says that an import is under way, or has ended. It is put on the condition that there was none, before
//! anything else, and no process serves the keyspace while it is under way. A process that opened the keyspace before notices
//! at its first claim that the data is another's now.

use crate::answer::Condition;
use crate::link::Link;
use crate::retry::{WRITE_TRIES, a_few_times};
use crate::runtime::Runtime;
use crate::schema::{self, DATA, get};
use crate::settings::Settings;
use std::sync::Arc;
use tollgate_store::{ShardId, StoreError};

/// Why data cannot be imported into a keyspace.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The keyspace holds something, or another import was begun there: another one is needed.
    #[error("keyspace {keyspace}: {what}")]
    Refused {
        /// The keyspace.
        keyspace: String,
        /// What is wrong with it, and what to do.
        what: &'static str,
    },
    /// The cluster does not do what it is asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The name of the row.
const IMPORT: &str = "import";
const RUNNING: &[u8] = b"running";
const ENDED: &[u8] = b"ended";

/// Begins an import of data with this secret into a keyspace that has a schema and nothing else.
///
/// # Errors
/// [`ImportError::Refused`] when the keyspace was ever used, or an import into it was begun; otherwise it cannot be written.
pub fn begin_import(settings: &Settings, secret: [u8; 32]) -> Result<(), ImportError> {
    on_link(settings, move |link| async move {
        let keyspace = &link.settings.keyspace;
        let about = schema::check(&link).await?;
        is_unused(&link, about.shards).await?;
        let put = link
            .conditional("INSERT INTO $.about (name, value) VALUES (?, ?) IF NOT EXISTS")
            .await?;
        let begun = link.run(&put, (IMPORT, RUNNING)).await;
        let begun =
            begun.map_err(|error| error.told("whether the import was begun is not known; use another keyspace"))?;
        if let Condition::Refused(_) = begun.condition()? {
            return Err(refused(
                keyspace,
                "an import into it was begun before; import into a new keyspace",
            ));
        }
        // Whoever claims from here on does so in spite of the row.
        is_unused(&link, about.shards).await?;
        let mut data = get(&link, DATA).await?.unwrap_or_default();
        let before = data.clone();
        let at = data.len() - secret.len();
        data[at..].copy_from_slice(&secret);
        let replace = link
            .conditional("UPDATE $.about SET value = ? WHERE name = ? IF value = ?")
            .await?;
        let what = "the secret of the data";
        let values = (&data[..], DATA, &before[..]);
        let replaced = a_few_times(WRITE_TRIES, what, || link.run(&replace, values)).await?;
        match replaced.condition()? {
            Condition::Applied => Ok(()),
            // An earlier try whose answer was lost.
            Condition::Refused(found) if found.bytes("value") == Some(&data[..]) => Ok(()),
            Condition::Refused(_) => Err(refused(
                keyspace,
                "its data was changed meanwhile; import into a new keyspace",
            )),
        }
    })
}

/// Everything is there: the keyspace may be served.
///
/// # Errors
/// When no import is under way, or it cannot be written: then it is to be tried again.
pub fn finish_import(settings: &Settings) -> Result<(), ImportError> {
    on_link(settings, |link| async move {
        let end = link
            .conditional("UPDATE $.about SET value = ? WHERE name = ? IF value = ?")
            .await?;
        let values = (ENDED, IMPORT, RUNNING);
        let ended = a_few_times(WRITE_TRIES, "the end of the import", || link.run(&end, values)).await?;
        match ended.condition()? {
            Condition::Applied => Ok(()),
            Condition::Refused(found) if found.bytes("value") == Some(ENDED) => Ok(()),
            Condition::Refused(_) => Err(refused(&link.settings.keyspace, "no import into it is under way")),
        }
    })
}

/// Refuses a keyspace whose import has not ended.
pub(crate) async fn is_over(link: &Link) -> Result<(), StoreError> {
    match get(link, IMPORT).await?.as_deref() {
        Some(RUNNING) => Err(StoreError::Io {
            place: format!("keyspace {}", link.settings.keyspace),
            what:
                "an import into it did not end; drop it, make it again with `tollgate schema apply`, and import again"
                    .to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Refuses a keyspace in which a shard was ever owned.
async fn is_unused(link: &Link, shards: u16) -> Result<(), ImportError> {
    let read = link.serial("SELECT epoch FROM $.shards WHERE shard = ?").await?;
    for shard in (0..shards).map(ShardId).chain([ShardId::DIRECTORY]) {
        let values = (crate::protocol::number(shard),);
        let row = a_few_times(WRITE_TRIES, "the owner of a shard", || link.run(&read, values)).await?;
        if row.first().and_then(|row| row.unsigned("epoch")).unwrap_or(0) > 0 {
            return Err(refused(
                &link.settings.keyspace,
                "it was served before, and import needs a new one, which takes over the secret of the data that is imported",
            ));
        }
    }
    Ok(())
}

fn refused(keyspace: &str, what: &'static str) -> ImportError {
    ImportError::Refused {
        keyspace: keyspace.to_owned(),
        what,
    }
}

fn on_link<F>(settings: &Settings, work: impl FnOnce(Arc<Link>) -> F + Send + 'static) -> Result<(), ImportError>
where
    F: Future<Output = Result<(), ImportError>> + Send,
{
    let runtime = Runtime::start()?;
    let settings = settings.clone();
    runtime.wait(async move { work(Arc::new(Link::connect(&settings).await?)).await })?
}
