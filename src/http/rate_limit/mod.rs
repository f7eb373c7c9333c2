//! The rate limits, in front of everything that costs, so that a refused request leaves no trace. Four layers, from the
//! outside in: the whole node, the account (its tier), the class of the operation, and a surge that makes requests dearer
//! while the node has no room. A layer that refuses gives back what the layers above it gave.

mod bucket;
mod class;
mod surge;
#[cfg(test)]
mod tests;

use bucket::Bucket;
pub(crate) use bucket::Left;
pub use class::{CLASSES, Class, ClassLimit};
use dashmap::DashMap;
use hashbrown::HashMap;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use surge::{NO_SURGE, Surge};
use tollgate_resource::Names;

/// How many requests may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, at least 1.
    pub per_second: u32,
    /// Requests at once after a pause, at least 1.
    pub burst: u32,
}

/// What an account may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Tokens.
    pub rate: Rate,
    /// The tier it comes from. Accounts in one are told what they have left, and a surge counts for them; those without
    /// one are measured, not sold to.
    pub tier: Option<Box<str>>,
}

/// Most accounts whose buckets are kept. Beyond it, full ones are dropped: a full bucket is the same as none.
const BUCKETS_MAX: usize = 100_000;
/// Tokens of the node that a worker takes at once, so that workers do not meet at one number with every request.
const NODE_BATCH_MAX: u64 = 64;
/// The part of the node's burst that a worker's batch may be: what lies with a worker is not with the others.
const NODE_BATCH_SHARE: u64 = 64;
/// How long a client should stay away in a surge.
const SURGE_WAIT: Duration = Duration::from_secs(60);

/// How many requests may be made by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of all accounts together; no bound without.
    pub node: Option<Rate>,
    /// Of every account (in each mode) that has none of its own.
    pub common: Allowance,
    /// Of an account in one mode, by its key.
    pub own: HashMap<u64, Allowance>,
    /// Of the classes of operations, in their order.
    pub classes: [ClassLimit; CLASSES],
    /// How many times as dear a request may get in a surge, at least 1; 1 for no surge.
    pub surge_max: u32,
}

impl From<Rate> for Rates {
    fn from(rate: Rate) -> Rates {
        Rates {
            node: None,
            common: Allowance { rate, tier: None },
            own: HashMap::new(),
            classes: [ClassLimit::PLAIN; CLASSES],
            surge_max: 1,
        }
    }
}

/// A request that was let in: what its account has left, if it is told.
pub(crate) type Taken = Option<Left>;

/// A request that is beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    /// The layer that refused.
    pub(crate) layer: Layer,
    /// How long until it would not.
    pub(crate) wait: Duration,
    /// What its account, or its class, has left.
    pub(crate) left: Taken,
}

/// The layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub(crate) enum Layer {
    /// The whole node.
    Node,
    /// The account.
    Account,
    /// The class of the operation.
    Class,
    /// A surge: without it, the account's tokens would have been enough.
    Surge,
}

/// Every bucket.
#[derive(Debug)]
pub struct RateLimiter {
    began: Instant,
    rates: RwLock<Rates>,
    /// Rises when the rates change: buckets of before are no longer used.
    generation: AtomicU64,
    node: RwLock<Option<Arc<Bucket>>>,
    accounts: DashMap<u64, Arc<Buckets>>,
    surge: Surge,
}

/// The buckets of one account.
#[derive(Debug)]
struct Buckets {
    own: Bucket,
    tiered: bool,
    classes: [Option<Bucket>; CLASSES],
}

impl Buckets {
    fn is_full(&self, now_ns: u64) -> bool {
        self.own.is_full(now_ns) && self.classes.iter().flatten().all(|bucket| bucket.is_full(now_ns))
    }
}

impl RateLimiter {
    /// Gives accounts these rates.
    pub fn new(rates: impl Into<Rates>) -> Arc<RateLimiter> {
        let rates = checked(rates.into());
        Arc::new(RateLimiter {
            began: Instant::now(),
            generation: AtomicU64::new(0),
            node: RwLock::new(rates.node.map(Bucket::of).map(Arc::new)),
            accounts: DashMap::new(),
            surge: Surge::new(rates.surge_max * NO_SURGE),
            rates: RwLock::new(rates),
        })
    }

    /// Changes the rates, if these are others. Every bucket starts full again: what an old one says was counted at another
    /// rate.
    pub fn set(&self, rates: impl Into<Rates>) {
        let rates = checked(rates.into());
        let mut held = self.rates.write().unwrap_or_else(PoisonError::into_inner);
        if *held == rates {
            return;
        }
        self.surge.set_max(rates.surge_max * NO_SURGE);
        *self.node.write().unwrap_or_else(PoisonError::into_inner) = rates.node.map(Bucket::of).map(Arc::new);
        *held = rates;
        self.accounts.clear();
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The limits and what holds now, for an operator.
    pub fn shown(&self) -> Value {
        let now_ns = self.now_ns(Instant::now());
        let rate = |rate: Rate| json!({ "requests_per_s": rate.per_second, "burst": rate.burst });
        let held = self.rates.read().unwrap_or_else(PoisonError::into_inner);
        let node = self.node.read().unwrap_or_else(PoisonError::into_inner);
        let endpoints = |class: Class| -> Vec<String> {
            let of_class = tollgate_domain::api::ENDPOINTS
                .iter()
                .filter(|endpoint| Class::of(endpoint) == class);
            of_class
                .map(|endpoint| format!("{} {}", endpoint.method.name(), endpoint.path))
                .collect()
        };
        let classes: Vec<Value> = Class::ALL
            .iter()
            .zip(&held.classes)
            .map(|(&class, limit)| {
                json!({
                    "class": class.name(),
                    "cost": limit.cost,
                    "rate": limit.rate.map(rate),
                    "endpoints": endpoints(class),
                })
            })
            .collect();
        json!({
            "node": node.as_ref().map(|bucket| {
                json!({ "rate": rate(bucket.rate()), "remaining": bucket.left(now_ns).remaining })
            }),
            "accounts": {
                "tier": held.common.tier,
                "rate": rate(held.common.rate),
                "with_their_own": held.own.len() / 2,
            },
            "classes": classes,
            "surge": {
                "multiplier_percent": self.surge.multiplier(now_ns),
                "multiplier_percent_max": held.surge_max * NO_SURGE,
            },
        })
    }

    /// The node had no room for a request: a surge may begin.
    pub(crate) fn overloaded(&self) {
        self.surge.overloaded();
    }

    fn buckets(&self, account: u64) -> Arc<Buckets> {
        if let Some(buckets) = self.accounts.get(&account) {
            return Arc::clone(&buckets);
        }
        if self.accounts.len() >= BUCKETS_MAX {
            let now = self.now_ns(Instant::now());
            // A bucket that a worker still holds stays, so that two never count for one account.
            self.accounts
                .retain(|_, buckets| Arc::strong_count(buckets) > 1 || !buckets.is_full(now));
        }
        // Held until the bucket stands, so that a change of the rates clears it too.
        let rates = self.rates.read().unwrap_or_else(PoisonError::into_inner);
        let allowance = rates.own.get(&account).unwrap_or(&rates.common);
        let fresh = || {
            Arc::new(Buckets {
                own: Bucket::of(allowance.rate),
                tiered: allowance.tier.is_some(),
                classes: rates.classes.map(|limit| limit.rate.map(Bucket::of)),
            })
        };
        Arc::clone(&self.accounts.entry(account).or_insert_with(fresh))
    }

    fn now_ns(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX)
    }
}

fn checked(rates: Rates) -> Rates {
    let all = rates
        .own
        .values()
        .chain([&rates.common])
        .map(|allowance| allowance.rate)
        .chain(rates.node)
        .chain(rates.classes.iter().filter_map(|limit| limit.rate));
    assert!(
        { all }.all(|rate| rate.per_second > 0 && rate.burst > 0),
        "a rate of zero would refuse everything for ever"
    );
    assert!(rates.classes.iter().all(|limit| limit.cost > 0) && rates.surge_max > 0);
    rates
}

/// A worker's view of the buckets: those it uses, at hand without touching a shared map.
pub(crate) struct LocalRateLimiter {
    shared: Arc<RateLimiter>,
    /// The generation of what is at hand.
    generation: u64,
    costs: [u64; CLASSES],
    node: Option<Arc<Bucket>>,
    /// Tokens of the node that this worker has taken and not used, in hundredths.
    node_tokens: u64,
    known: HashMap<u64, Arc<Buckets>>,
}

impl LocalRateLimiter {
    /// A view of `shared`.
    pub(crate) fn new(shared: Arc<RateLimiter>) -> LocalRateLimiter {
        let mut local = LocalRateLimiter {
            generation: u64::MAX,
            shared,
            costs: [0; CLASSES],
            node: None,
            node_tokens: 0,
            known: HashMap::new(),
        };
        local.refresh();
        local
    }

    /// Takes the tokens of a request of this class: from the node, the account, and the class.
    pub(crate) fn take(&mut self, account: u64, class: Class, now: Instant) -> Result<Taken, Limited> {
        if self.shared.generation.load(Ordering::Acquire) != self.generation {
            self.refresh();
        }
        let now_ns = self.shared.now_ns(now);
        let cost = self.costs[class as usize];
        if self.node.is_some() {
            self.take_of_node(cost, now_ns)?;
        }
        let buckets = match self.known.get(&account) {
            Some(buckets) => buckets,
            None => {
                if self.known.len() >= BUCKETS_MAX {
                    self.known.clear();
                }
                let buckets = self.shared.buckets(account);
                self.known.entry(account).insert(buckets).into_mut()
            }
        };
        let taken = take_of_account(&self.shared.surge, buckets, class, cost, now_ns);
        if taken.is_err() && self.node.is_some() {
            self.node_tokens += cost;
        }
        taken
    }

    fn refresh(&mut self) {
        self.generation = self.shared.generation.load(Ordering::Acquire);
        let rates = self.shared.rates.read().unwrap_or_else(PoisonError::into_inner);
        self.costs = rates.classes.map(|limit| u64::from(limit.cost) * 100);
        self.node = self.shared.node.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.node_tokens = 0;
        self.known.clear();
    }

    fn take_of_node(&mut self, cost: u64, now_ns: u64) -> Result<(), Limited> {
        let node = self.node.as_ref().expect("looked at by the caller");
        if self.node_tokens < cost {
            let batch = (u64::from(node.rate().burst) / NODE_BATCH_SHARE).clamp(1, NODE_BATCH_MAX) * 100;
            let batch = batch.max(cost);
            let fetched = match node.take(batch, now_ns) {
                Ok(()) => Ok(batch),
                Err(_) => node.take(cost, now_ns).map(|()| cost),
            };
            match fetched {
                Ok(tokens) => self.node_tokens += tokens,
                Err(wait_ns) => {
                    return Err(Limited {
                        layer: Layer::Node,
                        wait: Duration::from_nanos(wait_ns),
                        left: None,
                    });
                }
            }
        }
        self.node_tokens -= cost;
        Ok(())
    }
}

/// Takes the tokens of a request from the buckets of its account.
fn take_of_account(surge: &Surge, buckets: &Buckets, class: Class, cost: u64, now_ns: u64) -> Result<Taken, Limited> {
    let own = &buckets.own;
    let multiplier = if buckets.tiered {
        surge.multiplier(now_ns)
    } else {
        NO_SURGE
    };
    let dear = cost * u64::from(multiplier) / u64::from(NO_SURGE);
    let told = || buckets.tiered.then(|| own.left(now_ns));
    if let Err(wait_ns) = own.take(dear, now_ns) {
        let surging = multiplier > NO_SURGE && own.could_take(cost, now_ns);
        let (layer, wait) = if surging {
            (Layer::Surge, SURGE_WAIT)
        } else {
            (Layer::Account, Duration::from_nanos(wait_ns))
        };
        return Err(Limited {
            layer,
            wait,
            left: Some(own.left(now_ns)),
        });
    }
    if let Some(bucket) = &buckets.classes[class as usize]
        && let Err(wait_ns) = bucket.take(cost, now_ns)
    {
        own.give_back(dear);
        return Err(Limited {
            layer: Layer::Class,
            wait: Duration::from_nanos(wait_ns),
            left: Some(bucket.left(now_ns)),
        });
    }
    Ok(told())
}
