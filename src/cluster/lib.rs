//! Which node serves which shard. Safety is not decided here: epochs and fences of the store see to it that a shard has one
//! owner (`tollgate-store-scylla`). What is decided here is who *tries* to own what, and when; a wrong guess costs a moment
//! of service, never a payment.
//!
//! [`Member`] is a plain struct: what a node hears comes in as events, what it wants done goes out as actions. Each node
//! reads the same two tables and works out the same shares, and acts only for itself:
//!
//! - It says that it lives by counting on in its row. Whoever sees a counter unchanged for some time of its own steady clock
//!   takes the shards of that node, spread over all; time in which the observer itself was paused or blind does not count.
//! - A shard of a living node changes hands only by its owner's will: it names an heir in the shard's row, lets the shard
//!   go when the heir had time to look, and says so; the heir, which watches the row, claims it at once.
//! - Every claim is on the condition that the epoch is the one that was looked at. A node whose shards were taken
//!   takes part again with what it is given, and never takes them back.
//!
//! [`Map`] says where each shard is served, for whoever sends a request on. [`Membership`] is the loop that does what the
//! member wants, against two ports: the tables ([`Registry`]) and the engine ([`Holder`]).
//!
//! Reading order: [`view`](View), `peers`, `shares`, [`member`](Member), `mine`, `plan`, [`ports`](Registry), `run`.

mod census;
mod event;
mod map;
mod member;
pub mod metrics;
mod mine;
mod peers;
mod plan;
mod ports;
mod run;
mod settings;
mod shares;
mod view;

pub use census::{Census, NodeCensus, ShardCensus};
pub use event::{Action, Beaten, End, Event, NotAdopted, Why};
pub use map::{Map, Peer, Place};
pub use member::{Me, Member, Standing};
pub use ports::{Adopted, Asked, BoxFuture, Holder, Registry};
pub use run::{Membership, Ports};
pub use settings::Pace;
pub use view::{NodeRow, Process, ShardRow, View};
