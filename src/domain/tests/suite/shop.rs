//! One account with everything it holds in memory, and the checks that hold after every command.

use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_domain::account::{Profile, ProfileTerms};
use tollgate_domain::acquirer::NetworkCall;
use tollgate_domain::country::Country;
use tollgate_domain::decision::{Lookup, Objects};
use tollgate_domain::events::{Event, EventType};
use tollgate_domain::inputs::RequestInfo;
use tollgate_domain::money::Currency;
use tollgate_domain::{
    Account, Claim, Command, Decision, Facts, Inputs, Item, Network, Object, Outcome, OutcomeResult, Reply, Secrets,
    ShowContext, Stop, World, decide, kinds,
};
use tollgate_resource::{Id, Kind, Record, Version};

/// 2026-11-16T12:00:00Z, a Monday.
pub(crate) const START_MS: u64 = 1_794_830_400_000;
pub(crate) const DEADLINE_MS: u64 = 3_000;

pub(crate) struct Shop {
    pub(crate) account: Account,
    pub(crate) objects: Store,
    pub(crate) records: Vec<Facts>,
    pub(crate) timers: Vec<(u64, Id)>,
    pub(crate) now_ms: u64,
    pub(crate) network: Network,
    pub(crate) version: Version,
    pub(crate) secrets: Secrets,
    requests: u64,
}

#[derive(Default, Clone, PartialEq, Debug)]
pub(crate) struct Store(pub(crate) BTreeMap<(u8, Id), Object>);

impl Objects for Store {
    fn find(&self, kind: &'static Kind, id: Id) -> Lookup<'_> {
        self.0.get(&(kind.number, id)).map_or(Lookup::Absent, Lookup::Found)
    }
}

/// What became of a command.
pub(crate) struct Done {
    pub(crate) decision: Decision,
    pub(crate) events: Vec<Event>,
    pub(crate) calls: Vec<NetworkCall>,
}

impl Shop {
    pub(crate) fn open() -> Shop {
        let id = Id::new(&kinds::ACCOUNT, START_MS, 1, 7);
        let terms = ProfileTerms {
            country: Country::US,
            default_currency: Currency::USD,
            created_ms: START_MS,
            api_version: Version::NEWEST,
            statement_descriptor: Some("ROCKET RIDES".into()),
        };
        Shop {
            account: Account::new(Arc::new(Profile::new(id, false, &terms))),
            objects: Store::default(),
            records: Vec::new(),
            timers: Vec::new(),
            now_ms: START_MS,
            network: Network::Instant,
            version: Version::NEWEST,
            secrets: Secrets::new([7; 32]),
            requests: 0,
        }
    }

    /// Decides and applies a command of a request with an idempotency key.
    pub(crate) fn ask(&mut self, command: &Command) -> Result<Done, Stop> {
        self.requests += 1;
        let request = Id::new(&kinds::REQUEST, self.now_ms, self.requests, 0);
        let claim = Arc::new(Claim {
            key: format!("key-{}", self.requests).into(),
            fingerprint: u128::from(self.requests),
            endpoint: 1,
            path: "/v1/test".into(),
            request,
            version: self.version.0,
            expand: Vec::new(),
            created_ms: self.now_ms,
        });
        self.run(command, Some(&claim))
    }

    /// Decides and applies a command that nobody asked for.
    pub(crate) fn tell(&mut self, command: &Command) -> Result<Done, Stop> {
        self.run(command, None)
    }

    /// Timers that are due, oldest first; they are forgotten.
    pub(crate) fn due(&mut self) -> Vec<Id> {
        self.timers.sort();
        let due = self.timers.partition_point(|(at_ms, _)| *at_ms <= self.now_ms);
        self.timers.drain(..due).map(|(_, object)| object).collect()
    }

    pub(crate) fn get(&self, kind: &'static Kind, id: Id) -> &Object {
        self.objects.0.get(&(kind.number, id)).expect("an object that was made")
    }

    pub(crate) fn with_context<R>(&self, with: impl FnOnce(&ShowContext<'_>) -> R) -> R {
        with(&ShowContext {
            secrets: &self.secrets,
            clock_ms: self.now_ms,
            livemode: false,
            account: self.account.profile.key,
            revision: tollgate_domain::SHAPE_REVISION,
            version_name: "2026-10-28.endive",
            public_url: "https://tollgate.test",
        })
    }

    fn run(&mut self, command: &Command, claim: Option<&Arc<Claim>>) -> Result<Done, Stop> {
        let request = claim.map(|claim| RequestInfo {
            id: claim.request,
            idempotency_key: Some(&claim.key),
            version: self.version,
        });
        let inputs = Inputs {
            now_ms: self.now_ms,
            request,
            network: self.network,
            attempt_deadline_ms: DEADLINE_MS,
            webhook_endpoints_max: 16,
            secrets: &self.secrets,
            entropy: [1, 2],
        };
        let world = World {
            account: &self.account,
            objects: &self.objects,
        };
        let mut decision = decide(&world, command, claim, &inputs)?;
        decision.facts.outcome = outcome(&decision, claim);
        self.apply(&decision);
        let events = decision.facts.all_events().collect();
        let calls = decision.facts.calls.clone();
        Ok(Done {
            decision,
            events,
            calls,
        })
    }

    fn apply(&mut self, decision: &Decision) {
        let facts = &decision.facts;
        assert_eq!(&Facts::from_bytes(&facts.to_bytes()).expect("facts read back"), facts);
        check_sequence(facts);
        for event in facts.all_events() {
            self.with_context(|context| Item::Event(Box::new(event)).with_shown(context, |_| ()));
        }
        self.account.apply(facts);
        for object in &facts.objects {
            self.with_context(|context| object.with_shown(context, |_| ()));
            self.objects
                .0
                .insert((object.kind().number, object.id()), object.clone());
        }
        self.timers
            .extend(facts.timers.iter().map(|timer| (timer.at_ms, timer.object)));
        self.records.push(facts.clone());
    }
}

/// The outcome as the shard adds it.
fn outcome(decision: &Decision, claim: Option<&Arc<Claim>>) -> Option<Outcome> {
    let (claim, reply) = match &decision.settles {
        Some(settled) => (settled.claim.clone()?, &settled.reply),
        None => (claim?.clone(), &decision.reply),
    };
    let result = match reply {
        Reply::Object(kind, id) => OutcomeResult::Object {
            kind: kind.number,
            id: *id,
        },
        Reply::Reject(reject) => OutcomeResult::Rejected { reject: reject.clone() },
        Reply::Await(attempt) => OutcomeResult::InFlight { attempt: *attempt },
        Reply::Handed => OutcomeResult::Handed,
        Reply::Nobody => return None,
    };
    Some(Outcome {
        claim,
        result,
        revision: 1,
        attached: Vec::new(),
        clock_ms: decision.facts.now_ms,
    })
}

fn check_sequence(facts: &Facts) {
    let mut next = facts.seq_before + 1;
    for object in facts.born() {
        assert_eq!(object.id().seq(), next, "born objects take the numbers in order");
        assert!(object.id().is(object.kind()), "an id is made for its kind");
        next += 1;
    }
    assert_eq!(facts.first_event_seq(), next);
    assert_eq!(facts.seq_after, next - 1 + facts.events.len() as u64);
    let index = facts.index();
    assert_eq!(index.born.len() as u64, facts.seq_after - facts.seq_before);
    assert_eq!(index.first_seq, facts.seq_before + 1);
    for event in facts.all_events() {
        assert!(index.tags & event.kind.tag() != 0);
    }
    for object in facts.born() {
        if let Object::BalanceTransaction(transaction) = object {
            let found_with = EventType::tags(transaction.kind.public().born_with());
            assert!(index.tags & found_with != 0, "lists by type find {transaction:?}");
        }
    }
}
