//! One process at a time makes tables.
//!
//! Each node of Cassandra looks for itself whether a table is there already. Two that are asked for the same one at the same
//! moment make two, under one name; when they hear of each other one of these goes, with whatever was written to it. So
//! whoever makes tables holds a lock, and waits until all nodes have heard of what the holder before made.
//!
//! The lock is a row. Its own table cannot be made twice, because its identity follows from the name of the keyspace. The
//! holder counts on in the row; who waits takes it from a holder that has not for [`SILENT_MAX`] of the waiter's own steady
//! clock, and one that was silent for so long notices before its next statement. ScyllaDB agrees on a schema before it
//! changes it and needs none of this; there the lock does no harm.

use crate::answer::{Condition, Fields};
use crate::failure::{failed, is_permanent};
use crate::link::{Failed, Link};
use crate::protocol::{Mark, mark};
use crate::retry::{WRITE_TRIES, a_few_times};
use crate::server::Server;
use scylla::statement::prepared::PreparedStatement;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::time::{Duration, Instant};
use tollgate_store::StoreError;

/// The only row.
const NAME: &str = "tables";
/// How often its holder counts on.
const BEAT: Duration = Duration::from_secs(1);
/// How long the count stands still before the lock is taken away.
const SILENT_MAX: Duration = Duration::from_secs(15);
/// How often it is looked at by whoever waits, and up to so much later: those who wait together do not come together.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOK_LATER_MAX_MS: u64 = 200;
/// How long it is waited for: each of the others needs a moment, or its silence.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// The count of whoever takes it.
const FIRST_BEAT: i64 = 1;

/// What fails.
const WHAT: &str = "the lock of whoever makes tables";

/// The right to make tables.
pub(crate) struct SchemaLock<'a> {
    link: &'a Link,
    mark: Mark,
    beat: i64,
    /// When the row said last that this process has it.
    counted: Instant,
    count: PreparedStatement,
}

impl<'a> SchemaLock<'a> {
    /// Takes the lock when it is free. The keyspace is there.
    ///
    /// # Errors
    /// When others have it for very long, or the cluster does not do what it is asked.
    pub(crate) async fn take(link: &'a Link, server: &Server) -> Result<SchemaLock<'a>, StoreError> {
        link.change_schema(&table(&link.settings.keyspace, server)).await?;
        let count = link
            .conditional("UPDATE $.schema_lock SET beat = ? WHERE name = ? IF holder = ?")
            .await?;
        let mark = mark()?;
        wait(link, &mark).await?;
        let mut lock = SchemaLock {
            link,
            mark,
            beat: FIRST_BEAT,
            counted: Instant::now(),
            count,
        };
        // What the last holder made is known everywhere, or it would be made once more.
        lock.holding(link.agree_on_schema()).await?;
        Ok(lock)
    }

    /// Does something as the holder, and counts on meanwhile.
    ///
    /// # Errors
    /// When another process has the lock now, and those of the work.
    pub(crate) async fn holding<T>(
        &mut self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.counted.elapsed() >= BEAT {
            self.count_on().await?;
        }
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(BEAT, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.count_on().await?,
            }
        }
    }

    async fn count_on(&mut self) -> Result<(), StoreError> {
        self.beat += 1;
        let values = (self.beat, NAME, &self.mark[..]);
        match a_few_times(WRITE_TRIES, WHAT, || self.link.run(&self.count, values)).await {
            Ok(counted) => match counted.condition()? {
                Condition::Applied => {
                    self.counted = Instant::now();
                    Ok(())
                }
                Condition::Refused(_) => Err(failed(
                    WHAT,
                    &"this process was silent for so long that another one goes on; apply the schema again",
                )),
            },
            // Nobody takes it away as early as that.
            Err(_) if self.counted.elapsed() < SILENT_MAX / 2 => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets the next one make tables. Where that cannot be written, it waits until this holder has been silent for long.
    pub(crate) async fn free(self) {
        let freed = async {
            let free = self
                .link
                .conditional("DELETE FROM $.schema_lock WHERE name = ? IF holder = ?")
                .await?;
            let values = (NAME, &self.mark[..]);
            a_few_times(WRITE_TRIES, WHAT, || self.link.run(&free, values)).await
        };
        if let Err(error) = freed.await {
            tracing::warn!(%error, "the next one who applies the schema has to wait for a while");
        }
    }
}

/// Waits until the row names this process. Only reads while others have it: many conditional writes of one row at the same
/// time time out, the holder's as well.
async fn wait(link: &Link, mark: &Mark) -> Result<(), StoreError> {
    let look = link
        .plain("SELECT holder, beat FROM $.schema_lock WHERE name = ?")
        .await?;
    let make = "INSERT INTO $.schema_lock (name, holder, beat) VALUES (?, ?, ?) IF NOT EXISTS";
    let make = link.conditional(make).await?;
    let replace = "UPDATE $.schema_lock SET holder = ?, beat = ? WHERE name = ? IF holder = ? AND beat = ?";
    let replace = link.conditional(replace).await?;
    let until = Instant::now() + WAIT_MAX;
    let mut seen: Option<(Holder, Instant)> = None;
    loop {
        let row = a_few_times(WRITE_TRIES, WHAT, || link.run(&look, (NAME,)))
            .await?
            .first();
        let now = row.as_ref().and_then(Holder::of);
        let written = match (&now, &seen) {
            (Some(now), _) if now.mark == mark => return Ok(()),
            (None, _) => Some(link.run(&make, (NAME, &mark[..], FIRST_BEAT)).await),
            (Some(now), Some((before, since))) if before == now => match since.elapsed() >= SILENT_MAX {
                true => {
                    tracing::warn!("whoever made tables has been silent for long; this process goes on with it");
                    let values = (&mark[..], FIRST_BEAT, NAME, &now.mark[..], now.beat);
                    Some(link.run(&replace, values).await)
                }
                false => None,
            },
            (Some(_), _) => {
                seen = now.map(|now| (now, Instant::now()));
                None
            }
        };
        match written {
            Some(Ok(answer)) => match answer.condition()? {
                Condition::Applied => return Ok(()),
                Condition::Refused(_) => seen = None,
            },
            // The next look says whether it was written.
            Some(Err(Failed::Statement(error))) if !is_permanent(&error) => {
                tracing::debug!(%error, "{WHAT}: looked at again");
            }
            Some(Err(error)) => return Err(error.told(WHAT)),
            None => {}
        }
        if Instant::now() >= until {
            return Err(failed(
                WHAT,
                &"other processes have it all the time; apply the schema again",
            ));
        }
        let later = Duration::from_millis(getrandom::u64().unwrap_or(0) % LOOK_LATER_MAX_MS);
        tokio::time::sleep(LOOK_EVERY + later).await;
    }
}

/// What the row says.
#[derive(PartialEq, Eq)]
struct Holder {
    mark: Vec<u8>,
    beat: i64,
}

impl Holder {
    fn of(row: &Fields) -> Option<Holder> {
        Some(Holder {
            mark: row.bytes("holder")?.to_vec(),
            beat: row.number("beat")?,
        })
    }
}

/// The lock's table.
fn table(keyspace: &str, server: &Server) -> String {
    let text = "CREATE TABLE IF NOT EXISTS $.schema_lock (name text PRIMARY KEY, holder blob, beat bigint)";
    match server {
        Server::Cassandra => format!("{text} WITH id = {}", identity(keyspace)),
        Server::Scylla(_) => text.to_owned(),
    }
}

/// The identity of the lock's table in a keyspace, which no other table has.
fn identity(keyspace: &str) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(b"tollgate schema lock of ");
    hasher.write(keyspace.as_bytes());
    // The marks of a UUID that is a hash.
    let bits = hasher.finish128().as_u128() & !(0xF << 76 | 0x3 << 62) | (0x8 << 76 | 0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_of_the_lock_follows_from_the_keyspace_alone() {
        assert_eq!(identity("tollgate"), identity("tollgate"));
        assert_ne!(identity("tollgate"), identity("tollgate2"));
        let shape: Vec<usize> = identity("tollgate").split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12]);
        let text = table("tollgate", &Server::Cassandra);
        assert!(text.ends_with(&format!("WITH id = {}", identity("tollgate"))), "{text}");
    }
}
