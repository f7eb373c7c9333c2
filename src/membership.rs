//! Membership of a cluster, wired: the tables are the store's, what serves shards is the engine.

use crate::exit::{Exit, Failure};
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tollgate_actors::{Engine, OnLost, PassageError, ShardState};
use tollgate_cluster::{
    Adopted, Asked, Beaten, BoxFuture, Census, End, Holder, Me, Membership, NodeRow, Pace, Place, Ports, Process,
    Registry, ShardRow, Standing, View,
};
use tollgate_http::ClusterPage;
use tollgate_store::{Epoch, ShardId, StoreError};
use tollgate_store_scylla::{Beat, Cluster, Nodes, ProcessMark};

/// The membership that shards are lost from, once there is one: the engine that tells starts first.
#[derive(Clone, Default)]
pub(crate) struct Losses(Arc<OnceLock<Membership>>);

impl Losses {
    /// What the engine calls.
    pub(crate) fn hook(&self) -> OnLost {
        let losses = self.clone();
        Arc::new(move |shard, _why| {
            if let Some(membership) = losses.0.get() {
                membership.lost(shard);
            }
        })
    }
}

/// Joins the cluster.
pub(crate) fn join(store: &Arc<Cluster>, engine: &Engine, pace: Pace, losses: &Losses) -> Result<Membership, Failure> {
    let nodes = store.nodes().clone();
    let me = Me {
        node: nodes.node().into(),
        process: process(nodes.process()),
    };
    let name = nodes.node().to_owned();
    let ports = Ports {
        registry: Arc::new(Tables(nodes)),
        holder: Arc::new(Shards {
            engine: engine.clone(),
            store: Arc::clone(store),
        }),
        on_end: Box::new(move |end| ended(&name, end)),
    };
    let membership = Membership::start(me, store.shards(), pace, ports)
        .map_err(|error| Failure::environment(format!("a thread cannot be started: {error}")))?;
    tollgate_cluster::metrics::describe();
    let _ = losses.0.set(membership.clone());
    Ok(membership)
}

/// A process whose name is another's serves nothing, and would be asked for nothing: it ends, and says why.
fn ended(name: &str, end: &End) {
    let why = match end {
        End::Left => return tracing::info!("left the cluster"),
        End::NameTaken { addr } => format!(
            "node.id = {name:?}: another process with this name is alive, at {addr}; give each node a name of its own"
        ),
        End::Replaced => format!(
            "node.id = {name:?}: another process took this name while this one was silent for longer than \
             node.suspect_ms; it has its shards"
        ),
    };
    tracing::error!(%why, "this node is no member of the cluster; the process ends");
    let _ = writeln!(std::io::stderr(), "tollgate: {why}");
    std::process::exit(Exit::Environment as i32);
}

fn process(mark: ProcessMark) -> Process {
    Process(u64::from_be_bytes(mark))
}

fn mark(process: Process) -> ProcessMark {
    process.0.to_be_bytes()
}

/// The store's tables behind the port of the membership.
struct Tables(Nodes);

impl Registry for Tables {
    fn register(&self, over: Option<(Process, u64)>, beat: u64) -> Asked<bool> {
        let (nodes, over) = (self.0.clone(), over.map(|(silent, at)| (mark(silent), at)));
        Box::pin(async move { nodes.register(over, beat).await })
    }

    fn beat(&self, beat: u64, leaving: bool) -> Asked<Beaten> {
        let nodes = self.0.clone();
        Box::pin(async move {
            nodes.beat(beat, leaving).await.map(|beat| match beat {
                Beat::Kept => Beaten::Kept,
                Beat::Gone => Beaten::Gone,
                Beat::Replaced => Beaten::Replaced,
            })
        })
    }

    fn look(&self) -> Asked<View> {
        let nodes = self.0.clone();
        Box::pin(async move {
            let (owners, nodes) = nodes.look().await?;
            Ok(View {
                shards: owners.into_iter().map(shard_row).collect(),
                nodes: nodes.into_iter().filter_map(node_row).collect(),
            })
        })
    }

    fn offer(&self, shard: ShardId, epoch: u64, heir: Process) -> Asked<bool> {
        let nodes = self.0.clone();
        Box::pin(async move { nodes.offer(shard, epoch, mark(heir)).await })
    }

    fn free(&self, shard: ShardId, epoch: u64) -> Asked<bool> {
        let nodes = self.0.clone();
        Box::pin(async move { nodes.free(shard, epoch).await })
    }

    fn is_freed(&self, shard: ShardId, epoch: u64) -> Asked<Option<bool>> {
        let nodes = self.0.clone();
        Box::pin(async move { nodes.is_freed(shard, epoch).await })
    }

    fn remove(&self, node: Arc<str>, process: Process, beat: u64) -> Asked<()> {
        let nodes = self.0.clone();
        Box::pin(async move { nodes.remove(&node, mark(process), beat).await })
    }

    fn depart(&self) -> Asked<()> {
        let nodes = self.0.clone();
        Box::pin(async move { nodes.depart().await })
    }
}

fn shard_row(row: tollgate_store_scylla::OwnerRow) -> ShardRow {
    ShardRow {
        shard: row.shard,
        epoch: row.epoch,
        owner: row.process.map(process),
        heir: row.heir.map(process),
        freed: row.freed,
    }
}

fn node_row(row: tollgate_store_scylla::NodeRow) -> Option<NodeRow> {
    let addr = row.addr.parse::<SocketAddr>();
    let addr = addr.inspect_err(|_| tracing::warn!(node = row.node, addr = row.addr, "a node's address is no address"));
    Some(NodeRow {
        node: row.node.into(),
        process: process(row.process),
        addr: addr.ok()?,
        beat: row.beat,
        leaving: row.leaving,
    })
}

/// The engine behind the port of the membership.
struct Shards {
    engine: Engine,
    store: Arc<Cluster>,
}

impl Holder for Shards {
    fn adopt(&self, shard: ShardId, after: u64) -> Asked<Adopted> {
        let (engine, store) = (self.engine.clone(), Arc::clone(&self.store));
        Box::pin(async move {
            let (epoch, warm_up) = if shard == ShardId::DIRECTORY {
                engine.directory().lead_after(Epoch(after)).await?;
                (store.epoch_here(shard).ok_or(StoreError::Stopped)?, Duration::ZERO)
            } else {
                let adopted = engine.adopt_after(shard, Epoch(after)).await;
                let adopted = match adopted {
                    Ok(adopted) => adopted,
                    Err(error) => return Err(not_adopted(&engine, shard, error).await),
                };
                (adopted.epoch.0, adopted.took.saturating_sub(adopted.claiming))
            };
            let taken = store.taken(shard);
            let part = |of: fn(&tollgate_store_scylla::Taken) -> Duration| taken.as_ref().map_or(Duration::ZERO, of);
            Ok(Adopted {
                epoch,
                claim: part(|taken| taken.claim),
                fence: part(|taken| taken.fence),
                tail: part(|taken| taken.tail),
                warm_up: warm_up + part(|taken| taken.warm_up),
            })
        })
    }

    fn release(&self, shard: ShardId, patience: Duration) -> BoxFuture<()> {
        let engine = self.engine.clone();
        Box::pin(async move {
            if shard == ShardId::DIRECTORY {
                return engine.directory().follow().await;
            }
            match engine.release(shard, patience).await {
                // It is elsewhere already, or on its way there.
                Ok(_) | Err(PassageError::State { .. }) => {}
                Err(error) => tracing::warn!(shard = shard.0, %error, "a shard could not be released"),
            }
        })
    }
}

/// A shard that the engine has although the membership thinks otherwise is given up, so that it can come again.
async fn not_adopted(engine: &Engine, shard: ShardId, error: PassageError) -> StoreError {
    if let PassageError::State {
        state: ShardState::Serving | ShardState::Failed,
        ..
    } = error
    {
        let _ = engine.release(shard, Duration::ZERO).await;
    }
    match error {
        PassageError::Store(error) => error,
        other => StoreError::Io {
            place: format!("shard {}", shard.0),
            what: other.to_string(),
        },
    }
}

/// What the operator's listener shows of the cluster.
pub(crate) fn page(membership: Membership) -> ClusterPage {
    let shows = membership.clone();
    ClusterPage {
        readiness: Box::new(move || {
            let (ready, census) = (membership.is_ready(), membership.census());
            let here = census.shards.iter().filter(|shard| shard.place == Place::Here).count();
            let nowhere = census
                .shards
                .iter()
                .filter(|shard| shard.place == Place::Nowhere)
                .count();
            let status = match census.standing {
                _ if ready => "ready",
                Standing::In { .. } if nowhere > 0 => "not ready: a shard is served nowhere yet",
                Standing::In { .. } => "not ready: the cluster's tables cannot be read",
                Standing::Outside | Standing::Joining => "not ready: joining the cluster",
                Standing::HandingOver | Standing::Leaving | Standing::Ended => "not ready: leaving the cluster",
            };
            (ready, json!({ "status": status, "shards": here }))
        }),
        shown: Box::new(move || shown(&shows.census())),
    }
}

/// What `tollgate cluster status` shows.
fn shown(census: &Census) -> Value {
    let ms = |time: Duration| time.as_millis() as u64;
    let nodes: Vec<Value> = census
        .nodes
        .iter()
        .map(|node| {
            json!({
                "node": &*node.node,
                "address": node.addr.to_string(),
                "state": node.state,
                "here": node.here,
                "shards": node.shards,
                "silent_ms": ms(node.silent),
                "alive_s": node.alive.as_secs(),
                "process": format!("{:016x}", node.process.0),
            })
        })
        .collect();
    let shards: Vec<Value> = census
        .shards
        .iter()
        .map(|shard| {
            let name = match shard.shard {
                ShardId::DIRECTORY => json!("directory"),
                ShardId(number) => json!(number),
            };
            json!({
                "shard": name,
                "epoch": shard.epoch,
                "node": shard.node.as_deref(),
                "state": shard.state,
                "here": shard.place == Place::Here,
            })
        })
        .collect();
    json!({
        "standing": standing(census.standing),
        "looked_ms_ago": census.blind_for.map(ms),
        "nodes": nodes,
        "shards": shards,
    })
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Outside | Standing::Joining => "joining",
        Standing::In { .. } => "member",
        Standing::HandingOver | Standing::Leaving => "leaving",
        Standing::Ended => "left",
    }
}
