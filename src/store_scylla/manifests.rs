//! The manifests of the indexes: a row for each epoch that wrote one, all rows of a shard under a fence of their own. The
//! owner of a new epoch raises it before it reads them; from then on no older owner replaces or removes one. So a file that
//! a manifest no longer names can be removed by whoever replaced that manifest: no other will ever be taken that names it.

use crate::answer::Condition;
use crate::failure::{failed, is_permanent};
use crate::link::{Failed, Link};
use crate::protocol::{number, signed};
use crate::retry::{WRITE_TRIES, a_few_times};
use scylla::statement::prepared::PreparedStatement;
use std::collections::BTreeSet;
use std::sync::Arc;
use tollgate_store::{ShardId, StoreError};

/// The table of manifests.
pub(crate) struct Manifests {
    link: Arc<Link>,
    fence_raise: PreparedStatement,
    fence_make: PreparedStatement,
    rows: PreparedStatement,
    replace: PreparedStatement,
    drop_one: PreparedStatement,
}

/// What the owner of a shard knows of its rows.
#[derive(Clone, Default, Debug)]
pub(crate) struct Rows {
    /// Counts the writes: one that comes late is refused.
    version: u64,
    /// Epochs that have one.
    epochs: BTreeSet<u64>,
    /// The newest, as it was found.
    pub(crate) newest: Option<Vec<u8>>,
    /// A newer owner has the shard: nothing is written any more.
    pub(crate) fenced: bool,
}

impl Manifests {
    pub(crate) async fn prepare(link: Arc<Link>) -> Result<Manifests, StoreError> {
        Ok(Manifests {
            fence_raise: link
                .conditional("UPDATE $.manifests SET fence = ? WHERE shard = ? IF fence < ?")
                .await?,
            fence_make: link
                .conditional("INSERT INTO $.manifests (shard, fence, version) VALUES (?, ?, 0) IF NOT EXISTS")
                .await?,
            rows: link
                .serial("SELECT epoch, fence, version, body FROM $.manifests WHERE shard = ?")
                .await?,
            replace: link
                .conditional(
                    "UPDATE $.manifests SET body = ?, version = ? WHERE shard = ? AND epoch = ? IF fence = ? AND version = ?",
                )
                .await?,
            drop_one: link
                .conditional("DELETE FROM $.manifests WHERE shard = ? AND epoch = ? IF fence = ?")
                .await?,
            link,
        })
    }

    /// Raises the fence to this epoch, then reads what there is.
    pub(crate) async fn take(&self, shard: ShardId, epoch: u64) -> Result<Rows, StoreError> {
        let what = "the manifests of an index";
        let mut rows = Rows {
            fenced: !a_few_times(WRITE_TRIES, what, || self.raise_fence(shard, epoch)).await?,
            ..Rows::default()
        };
        let found = a_few_times(WRITE_TRIES, what, || self.link.run(&self.rows, (number(shard),))).await?;
        for row in found.each() {
            rows.version = row.unsigned("version").unwrap_or(rows.version);
            // Rows come in the order of their epochs; one without is the fence alone.
            if let Some(of) = row.unsigned("epoch")
                && let Some(body) = row.bytes("body")
            {
                rows.epochs.insert(of);
                rows.newest = Some(body.to_vec());
            }
        }
        Ok(rows)
    }

    /// The newest manifest, for those who own nothing.
    pub(crate) async fn newest(&self, shard: ShardId) -> Result<Option<Vec<u8>>, StoreError> {
        let what = "the manifests of an index";
        let found = a_few_times(WRITE_TRIES, what, || self.link.run(&self.rows, (number(shard),))).await?;
        let bodies = found.each().filter_map(|row| {
            row.unsigned("epoch")?;
            row.bytes("body").map(<[u8]>::to_vec)
        });
        // Rows come in the order of their epochs.
        Ok(bodies.last())
    }

    /// False when a newer epoch has it.
    async fn raise_fence(&self, shard: ShardId, epoch: u64) -> Result<bool, Failed> {
        loop {
            let (shard, fence) = (number(shard), signed(epoch));
            let raised = self.link.run(&self.fence_raise, (fence, shard, fence)).await?;
            let found = match raised.condition().map_err(Failed::Answer)? {
                Condition::Applied => return Ok(true),
                Condition::Refused(found) => found.unsigned("fence"),
            };
            match found {
                Some(fence) if fence >= epoch => return Ok(fence == epoch),
                // Somebody raised it between; the next try tells.
                Some(_) => {}
                None => {
                    let made = self.link.run(&self.fence_make, (shard, fence)).await?;
                    if matches!(made.condition().map_err(Failed::Answer)?, Condition::Applied) {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Writes the manifest of this epoch.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when a newer owner has the shard. After another error it may be written or not; the next one
    /// finds out.
    pub(crate) async fn replace(
        &self,
        shard: ShardId,
        epoch: u64,
        rows: &mut Rows,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let (key, fence) = (number(shard), signed(epoch));
        for _ in 0..WRITE_TRIES {
            if rows.fenced {
                return Err(StoreError::Stopped);
            }
            let (next, now) = (signed(rows.version + 1), signed(rows.version));
            let values = (body, next, key, fence, fence, now);
            match self.link.run(&self.replace, values).await {
                Ok(answer) => match answer.condition()? {
                    Condition::Applied => {
                        rows.version += 1;
                        rows.epochs.insert(epoch);
                        return Ok(());
                    }
                    Condition::Refused(found) => {
                        rows.fenced = found.unsigned("fence") != Some(epoch);
                        // An earlier write whose answer was lost. What it wrote is written over.
                        rows.version = found.unsigned("version").unwrap_or(rows.version);
                    }
                },
                Err(Failed::Statement(error)) if !is_permanent(&error) => {
                    tracing::debug!(shard = shard.0, %error, "a manifest is written again");
                }
                Err(error) => return Err(error.told("a manifest of an index")),
            }
        }
        if rows.fenced {
            return Err(StoreError::Stopped);
        }
        Err(failed("a manifest of an index", &"the cluster does not take it"))
    }

    /// Removes the rows of these epochs and older ones, oldest first, so that no older one is taken for the newest.
    pub(crate) async fn remove(
        &self,
        shard: ShardId,
        epoch: u64,
        rows: &mut Rows,
        up_to: u64,
    ) -> Result<(), StoreError> {
        while let Some(&oldest) = rows.epochs.range(..=up_to).next()
            && !rows.fenced
        {
            let values = (number(shard), signed(oldest), signed(epoch));
            let what = "an old manifest of an index";
            let removed = a_few_times(WRITE_TRIES, what, || self.link.run(&self.drop_one, values)).await?;
            match removed.condition()? {
                Condition::Applied => {
                    rows.epochs.remove(&oldest);
                }
                Condition::Refused(found) => {
                    rows.fenced = found.unsigned("fence").is_some_and(|fence| fence != epoch);
                    // Gone already: an earlier try whose answer was lost.
                    rows.epochs.remove(&oldest);
                }
            }
        }
        Ok(())
    }
}
