//! Whether a node of a cluster is at work, for a command that would take from it what it serves.

use std::time::{Duration, Instant};
use tollgate_store::StoreError;
use tollgate_store_scylla::{NodeRow, Nodes};

/// How often the tables are read meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A node that says that it lives while it is watched, if there is one. A row may be left of a node that died, so it takes
/// `suspect` to be sure that there is none; of nodes that left there is no row. Whoever starts in the next moment is not seen.
///
/// # Errors
/// When the tables cannot be read.
pub(crate) async fn living(nodes: &Nodes, suspect: Duration) -> Result<Option<NodeRow>, StoreError> {
    let (_, first) = nodes.look().await?;
    let until = Instant::now() + suspect;
    let mut now = first.clone();
    loop {
        if let Some(alive) = now.iter().find(|row| has_moved(&first, row)) {
            return Ok(Some(alive.clone()));
        }
        if now.is_empty() || Instant::now() >= until {
            return Ok(None);
        }
        actix_rt::time::sleep(LOOK_EVERY).await;
        (_, now) = nodes.look().await?;
    }
}

/// Whether a node has counted on since the first look, or joined.
fn has_moved(first: &[NodeRow], row: &NodeRow) -> bool {
    !first
        .iter()
        .any(|before| (&before.node, before.process, before.beat) == (&row.node, row.process, row.beat))
}
