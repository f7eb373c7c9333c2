//! Shards and everything that moves around them: account and key actors, the output gate, lanes, admission permits,
//! supervision, the directory, timers, reader threads and the pool that calls networks.
//!
//! [`shard::Shard`] is a plain struct: `turn(now, entropy, inbox, outputs)`, without awaits, locks or I/O, so the
//! simulation and the tests drive the code that serves. [`lane::Lane`] is the thin actix actor that feeds shards on a
//! thread of its own. Money, decisions and records are domain's; bytes on disk are store's; this room joins the two.
//!
//! What is deliberately absent: no request future lives in a shard (a request is a plain value with a return address of
//! three numbers), nothing is answered before the block it depends on is durable, and no queue is unbounded (permits
//! bound what is inside, see [`permits`]).
//!
//! Reading order: [`request`], [`settings`], [`shard`], [`supervisor`], `host`, `passage`, `claims`, [`lane`], [`router`],
//! [`client`], [`engine`], `adoption`, `tuning`, [`readers`], [`pool`], [`outbox`], [`directory`].

mod adoption;
mod census;
mod claims;
pub mod client;
pub mod clock;
pub mod directory;
pub mod engine;
pub mod entropy;
pub mod fixed_hash;
mod host;
mod hot;
pub mod lane;
pub mod listing;
pub mod metrics;
pub mod outbox;
mod passage;
pub mod performer;
pub mod permits;
pub mod pool;
mod post;
pub mod readers;
pub mod refusals;
pub mod request;
pub mod router;
mod searching;
pub mod settings;
pub mod shard;
pub mod supervisor;
mod tuning;
pub mod workers;

pub use adoption::{Adopted, PassageError, Released};
pub use census::{HostCensus, HotCensus};
pub use claims::OnLost;
pub use client::{Client, Waiting};
pub use directory::{AuthRefusal, Authenticated, DirectoryHandle};
pub use engine::{Engine, EngineError};
pub use hot::{HOT_ACCOUNTS_MAX, HotAccount};
pub use performer::Performer;
pub use request::{Refusal, Request, Response, Shown, key_hash};
pub use router::{MoveError, Moved, ShardState};
pub use settings::{Begin, EngineConfig, ShardSettings};
pub use tollgate_store::ShardId;
pub use tuning::{EngineStatus, LanesError, ShardStatus};
