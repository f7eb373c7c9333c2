//! Supervised pools of workers, for whatever has many things to do outside, each at its own pace: webhooks, and later mail and
//! settlement. Knows nothing of what is done.
//!
//! - A [`Lane`] is a plain struct: everything that is to be done for one receiver, in its order. It hears, is asked for its
//!   next job when there is room for one, and hears what came of it. Time is an input.
//! - A [`Floor`] is where the lanes of one thread stand: whose turn it is (deficit round robin over groups, then over the
//!   lanes of a group), how many jobs may be out at once (in all, of one group, of slow lanes), and when a lane wants to
//!   wake. A lane that panics is taken off the floor; its owner puts a new one there, made from what was saved, unless it
//!   fell too often: then it stays away until somebody says otherwise.
//! - A [`Pool`] runs one [`Worker`] on each of a few threads, usually one that owns a floor: with a bounded mailbox, a task for
//!   each job, and a stop that waits for what is out.
//!
//! Reading order: [`slots`](Slots), [`strikes`](Strikes), [`floor`](Floor), [`pool`](Pool).

mod dues;
mod floor;
pub mod metrics;
mod pool;
mod slots;
mod strikes;

pub use floor::{Fallen, Floor, Lane, LaneId, Started, Ticket, Verdict};
pub use pool::{Clock, Ended, Job, Pool, PoolSettings, Worker};
pub use slots::{Limits, NoSlot, Slots};
pub use strikes::{STRIKES_MAX, STRIKES_WINDOW_MS, Strikes};
