//! The auditor: a model of its own, fed with everything that can be seen from outside the shards (what was sent, what
//! became durable, what was answered, what left for the network and what the network said), in the order it happened.
//!
//! At each step: every block follows its predecessor and every record its account ([`model`]); objects move only along
//! the state tables, which are written down here a second time, and every ledger entry and event is exactly the one that
//! follows ([`records`], [`money`]); every record is explained by a request, a timer or a network's word; one key, one
//! execution, and one answer however often it is asked for ([`answers`]); every answer is one that a sequential account
//! could have given between the request and the answer ([`linear`]). At the end ([`ending`]): everything open has come to
//! its end, nothing is in transit, the acquirer's book is ours, and replay from the start, from rows and the live state
//! are the same. Webhooks, all the time and at the end: [`deliveries`].
//!
//! It uses the domain's vocabulary to read records, and none of its decisions. It draws no randomness.

mod actions;
mod answers;
mod attempts;
mod charges;
mod debits;
mod deliveries;
mod disputes;
mod ending;
mod intents;
mod linear;
mod model;
mod money;
mod records;
mod redirects;
mod refunds;
mod refusals;
mod seen;
mod setups;
mod sources;

use deliveries::Deliveries;
use model::AccountModel;
pub use seen::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use tollgate_actors::Request;
use tollgate_actors::settings::CLOCK_STEP_MAX_MS;
use tollgate_actors::shard::CallOut;
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, NetworkAnswer, Said};
use tollgate_domain::{AccountKey, Facts, Object, Profile};
use tollgate_resource::{Id, Record};
use tollgate_store::{AccountRef, Block, envelope};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which check found it.
    pub check: &'static str,
    /// What it found.
    pub what: String,
    /// When, simulated milliseconds.
    pub at_ms: u64,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at_ms / 1_000;
        write!(
            f,
            "{} at {}:{:02}:{:02}.{:03}: {}",
            self.check,
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            self.at_ms % 1_000,
            self.what
        )
    }
}

/// A request as the auditor saw it leave.
struct Asking {
    request: Arc<Request>,
    /// What anybody had been shown of the account when it was sent: record number.
    from: u64,
    /// Whether it was answered.
    answered: bool,
    /// The record that executed it.
    executed: Option<u64>,
}

/// See the module.
pub struct Auditor {
    seen: Seen,
    now_ms: u64,
    accounts: BTreeMap<u64, AccountModel>,
    asked: Vec<Asking>,
    by_request: BTreeMap<(u64, Id), u32>,
    /// Newest block of each shard: epoch, sequence, time.
    shards: BTreeMap<u16, (u64, u64, u64)>,
    /// Attempts that were recorded and not called yet.
    callable: BTreeMap<(u64, AttemptId), u32>,
    /// Requests to the network that left.
    called: BTreeSet<(u64, AttemptId)>,
    deliveries: Deliveries,
    /// What the network said and somebody heard.
    told: BTreeMap<(u64, AttemptId), Vec<(Asked, Said)>>,
    blocks: Vec<Block>,
    /// The worst clock that a process or a moved shard was started by, milliseconds off. Whoever starts it trusts it;
    /// steps of the clock afterwards must not matter.
    trusted_ms: u64,
}

impl Auditor {
    /// An auditor of these merchants.
    pub fn new(merchants: &[Arc<Profile>]) -> Auditor {
        let accounts = merchants
            .iter()
            .map(|profile| (profile.key.0, AccountModel::new(Arc::clone(profile))))
            .collect();
        Auditor {
            seen: Seen::default(),
            now_ms: 0,
            accounts,
            asked: Vec::new(),
            by_request: BTreeMap::new(),
            shards: BTreeMap::new(),
            callable: BTreeMap::new(),
            called: BTreeSet::new(),
            deliveries: Deliveries::default(),
            told: BTreeMap::new(),
            blocks: Vec::new(),
            trusted_ms: 0,
        }
    }

    /// A failure, now.
    pub fn fail(&self, check: &'static str, what: String) -> Failure {
        Failure {
            check,
            what,
            at_ms: self.now_ms,
        }
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Time passes.
    pub fn tick(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// A process or a moved shard starts, by a clock that is off by so much.
    pub fn started(&mut self, off_ms: u64) {
        self.trusted_ms = self.trusted_ms.max(off_ms);
    }

    /// By how much two readings of a shard's time may be off: what it was started by, and the steps it tolerates.
    fn slack_ms(&self) -> u64 {
        2 * (self.trusted_ms + CLOCK_STEP_MAX_MS) + 60_000
    }

    /// A request is sent. Slots are numbered from 0 without a gap.
    pub fn sent(&mut self, slot: u32, request: Arc<Request>) {
        assert_eq!(slot as usize, self.asked.len(), "slots have no gap");
        let account = request.profile.key.0;
        self.by_request.insert((account, request.request), slot);
        let model = self.accounts.get_mut(&account).expect("an account of the run");
        if let Some((_, claim)) = &request.claim {
            let uses = model.uses.entry(claim.key.to_string()).or_default();
            uses.push((slot, claim.fingerprint));
        }
        let from = model.shown;
        self.asked.push(Asking {
            request,
            from,
            answered: false,
            executed: None,
        });
    }

    /// A block was written.
    ///
    /// # Errors
    /// What must not be in it.
    pub fn durable(&mut self, block: &Block) -> Result<(), Failure> {
        let before = self.shards.get(&block.shard.0).copied().unwrap_or_default();
        let now = (block.epoch.0, block.seq, block.now_ms);
        if now.0 < before.0 || now.1 != before.1 + 1 || now.2 < before.2 {
            return Err(self.fail("block order", format!("{now:?} after {before:?}")));
        }
        self.shards.insert(block.shard.0, now);
        self.blocks.push(block.clone());
        for record in envelope::records(&block.bytes, block.count) {
            let record = record.map_err(|error| self.fail("record", format!("{error:?}")))?;
            if record.head.row || AccountRef(record.head.account).notes().is_some() {
                continue;
            }
            let facts = Facts::from_bytes(record.body)
                .map_err(|error| self.fail("record", format!("does not read back: {error}")))?;
            self.record(record.head.account, &facts)
                .map_err(|(check, what)| self.fail(check, what))?;
        }
        Ok(())
    }

    /// A call leaves for the network.
    ///
    /// # Errors
    /// One whose attempt is not durable, or that is sent a second time.
    pub fn called(&mut self, call: &CallOut) -> Result<(), Failure> {
        let key = (call.account.0, call.call.attempt);
        match self.callable.get_mut(&key) {
            Some(left) if *left > 0 => *left -= 1,
            _ => {
                return Err(self.fail("call without record", format!("{call:?}")));
            }
        }
        let once = matches!(
            call.call.ask,
            Ask::Authorise(_) | Ask::Purchase(_) | Ask::Capture { .. } | Ask::Verify { .. }
        );
        if once && !self.called.insert(key) {
            return Err(self.fail("attempt sent twice", format!("{call:?}")));
        }
        Ok(())
    }

    /// The network's word reaches the account's shard.
    pub fn told(&mut self, account: AccountKey, attempt: AttemptId, answer: NetworkAnswer) {
        self.told
            .entry((account.0, attempt))
            .or_default()
            .push((answer.to, answer.said));
    }

    /// Every object of an account at its newest version; not those of which only a stub is shown.
    pub fn newest(&self, account: AccountKey) -> Vec<Object> {
        let there = |object: &&Object| !matches!(object, Object::WebhookEndpoint(endpoint) if endpoint.is_deleted());
        self.accounts[&account.0].newest().filter(there).cloned().collect()
    }

    /// The newest dispute about a payment, an intent or a charge.
    pub fn dispute_of(&self, account: AccountKey, payment: Id) -> Option<Id> {
        let model = &self.accounts[&account.0];
        let charge = match model.intent_at(payment, u64::MAX) {
            Some(intent) => intent.latest_charge()?,
            None => payment,
        };
        model.charge_at(charge, u64::MAX)?.dispute()
    }

    /// The newest charge of an intent.
    pub fn charge_of(&self, account: AccountKey, intent: Id) -> Option<Id> {
        self.accounts[&account.0].intent_at(intent, u64::MAX)?.latest_charge()
    }

    /// The number of the first or the newest action that an intent or setup intent waited for; it may be over.
    pub fn action_of(&self, account: AccountKey, intent: Id, first: bool) -> Option<u64> {
        self.accounts[&account.0].action_of(intent, first)
    }

    /// What has not come to its end yet, if anything.
    pub fn open(&self) -> Option<String> {
        self.accounts.values().find_map(AccountModel::open)
    }
}
