//! The history a run is made of: requests and faults with their times, all drawn from the seed before the run begins. A
//! shorter history is the same one with steps left out, so a failure can be shortened and still replays.
//!
//! Each seed also draws its own weather (how dense, how many shards, how bad the network): runs that all have a bit of
//! everything find less than runs that lack some things and have others in excess.

mod action;
mod author;
mod endpoints;
mod fault;
mod other_methods;

use crate::receivers::Mood;
pub use action::{Action, Listed, Wish};
use author::Author;
pub use fault::{Fault, Ill, Place};
use tollgate_actors::entropy::Entropy;

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// No process starts while the wall clock errs by more than this, milliseconds.
pub const CLOCK_ERROR_MS_MAX: u64 = 4 * HOUR_MS;
/// The wall clock never errs by more than this, milliseconds.
const CLOCK_LEAP_MS_MAX: u64 = 30 * 24 * HOUR_MS;
/// Most steps of one history.
const STEPS_MAX: usize = 200_000;
/// Most bursts of requests of one history: longer ones are sparser.
const BURSTS_MAX: u64 = 400;
/// How many of the newest payments of an account steps usually refer to.
const RECENT: usize = 6;

/// Everything a run follows from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How long faults last, simulated milliseconds; then the weather clears and everything must come to its end.
    pub length_ms: u64,
    /// What the seed drew for the whole run.
    pub weather: Weather,
    /// Steps in order of time.
    pub steps: Vec<Step>,
}

/// What holds for a whole run.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Shards of the process.
    pub shards: u16,
    /// Merchants.
    pub accounts: usize,
    /// Objects a shard keeps in memory.
    pub objects_max: usize,
    /// Keys a shard keeps in memory.
    pub keys_max: usize,
    /// Accounts a shard keeps in memory.
    pub accounts_max: usize,
    /// Records between rows.
    pub row_every: u32,
    /// Share of network messages that are lost, of a thousand.
    pub lost: u64,
    /// Share of network messages that are late by seconds, of a thousand.
    pub late: u64,
    /// Share of network answers that come twice, of a thousand.
    pub twice: u64,
    /// Usual longest time of a commit, milliseconds.
    pub commit_ms: u64,
    /// Usual longest time of a load, milliseconds.
    pub load_ms: u64,
}

/// One thing that is made to happen.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number in the whole history; stays when others are left out.
    pub number: usize,
    /// When, simulated milliseconds since the start.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// A request or a fault.
#[derive(Clone, Debug)]
pub enum What {
    /// A client asks.
    Ask(Wish),
    /// A client sends the request of an earlier step once more, with its key.
    Again {
        /// The step.
        of: usize,
    },
    /// A client uses the key of an earlier step for something else.
    OtherBody {
        /// The step.
        of: usize,
    },
    /// From now on a receiver does otherwise.
    Receiver {
        /// The step that made its endpoint.
        of: usize,
        /// What it does.
        mood: Mood,
    },
    /// Something goes wrong.
    Fault(Fault),
}

impl Plan {
    /// How long a history is unless somebody says otherwise, hours: short ones are dense, long ones see keys expire,
    /// holds end and the time to answer disputes run out.
    pub fn hours_of(seed: u64) -> u64 {
        [8, 40, 300][(seed % 3) as usize]
    }

    /// The history of `seed`, `hours` long.
    pub fn of(seed: u64, hours: u64) -> Plan {
        let mut dice = Entropy::new(seed);
        let length_ms = hours.max(1) * HOUR_MS;
        let weather = Weather::of(&mut dice);
        let mut author = Author::new(dice, weather);
        author.write(length_ms);
        author.write_endpoints(seed, length_ms);
        let Author { steps, weather, .. } = author;
        let mut steps: Vec<Step> = steps
            .into_iter()
            .enumerate()
            .map(|(number, (at_ms, what))| Step { number, at_ms, what })
            .filter(|step| step.at_ms < length_ms)
            .collect();
        steps.sort_by_key(|step| (step.at_ms, step.number));
        Plan {
            seed,
            length_ms,
            weather,
            steps,
        }
    }

    /// A history of these steps, one after another at these milliseconds, in calm weather, with one merchant on one shard.
    pub fn written(steps: Vec<(u64, What)>) -> Plan {
        let mut plan = Plan::of(1, 1);
        plan.weather.shards = 1;
        plan.weather.accounts = 1;
        (plan.weather.lost, plan.weather.late, plan.weather.twice) = (0, 0, 0);
        plan.length_ms = steps.last().map_or(0, |(at_ms, _)| at_ms + 60_000);
        plan.steps = steps
            .into_iter()
            .enumerate()
            .map(|(number, (at_ms, what))| Step { number, at_ms, what })
            .collect();
        plan
    }

    /// The same history with only the steps of these numbers.
    pub fn only(&self, keep: &[usize]) -> Plan {
        let keep: std::collections::BTreeSet<usize> = keep.iter().copied().collect();
        let mut plan = self.clone();
        plan.steps.retain(|step| keep.contains(&step.number));
        plan
    }
}

impl Weather {
    /// The shard of an account.
    pub(crate) fn shard_of(&self, account: u64) -> u16 {
        (account % u64::from(self.shards)) as u16
    }

    fn of(dice: &mut Entropy) -> Weather {
        let sometimes = |dice: &mut Entropy, most: u64| if dice.below(3) == 0 { 0 } else { dice.below(most) };
        Weather {
            shards: 1 + dice.below(3) as u16,
            accounts: 1 + dice.below(6) as usize,
            objects_max: [8, 16, 64, 4_096][dice.below(4) as usize],
            keys_max: [2, 8, 1_024][dice.below(3) as usize],
            accounts_max: [1, 2, 64][dice.below(3) as usize],
            row_every: [2, 7, 50, 1_000][dice.below(4) as usize],
            lost: sometimes(dice, 300),
            late: sometimes(dice, 300),
            twice: sometimes(dice, 200),
            commit_ms: [1, 3, 40][dice.below(3) as usize],
            load_ms: [1, 5, 200][dice.below(3) as usize],
        }
    }
}
