//! A journal in the making: commands decided by the domain, recorded as the shard records them, and open to tampering.

use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_domain::account::{Account, Profile, ProfileTerms};
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer};
use tollgate_domain::country::Country;
use tollgate_domain::directory::{DirectoryFact, DirectoryFacts};
use tollgate_domain::inputs::RequestInfo;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::payment_intent::{CaptureMethod, CapturePaymentIntent, CreatePaymentIntent};
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestCard};
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{
    Claim, Command, Decision, Facts, Inputs, Lookup, Network, Object, Outcome, OutcomeResult, SHAPE_REVISION, Secrets,
    decide, decision, kinds,
};
use tollgate_resource::{Id, Kind, Record, Version};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{Block, Epoch, Head, KeyHash, Scan, ShardId, StoreError, StoredBlock};

/// A Tuesday noon.
pub(crate) const START_MS: u64 = 1_795_521_600_000;
pub(crate) const SHARD: ShardId = ShardId(3);
const RECORDS_PER_BLOCK: usize = 2;
const DEADLINE_MS: u64 = 10_000;

/// One record before it is encoded.
#[derive(Clone)]
pub(crate) enum Step {
    Facts(Box<Facts>),
    Row(Vec<u8>),
}

/// The journal.
#[derive(Clone)]
pub(crate) struct Journal {
    pub(crate) secrets: Secrets,
    pub(crate) directory: DirectoryFacts,
    pub(crate) steps: Vec<Step>,
    pub(crate) now_ms: u64,
    account: Account,
    objects: BTreeMap<u64, Object>,
    requests: u64,
}

impl Journal {
    /// A journal with one account, in the United States, and nothing of it yet.
    pub(crate) fn new() -> Journal {
        let id = Id::new(&kinds::ACCOUNT, START_MS, 1, 0xacc0);
        let terms = ProfileTerms {
            country: Country::US,
            default_currency: Currency::USD,
            created_ms: START_MS,
            api_version: Version::NEWEST,
            statement_descriptor: None,
        };
        let profile = Arc::new(Profile::new(id, false, &terms));
        let facts = vec![DirectoryFact::AccountCreated(Arc::clone(&profile))];
        Journal {
            secrets: Secrets::new([7; 32]),
            directory: DirectoryFacts {
                now_ms: START_MS,
                facts,
            },
            steps: Vec::new(),
            now_ms: START_MS,
            account: Account::new(profile),
            objects: BTreeMap::new(),
            requests: 0,
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: u64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    /// A confirmed payment with a card; gives the intent.
    pub(crate) fn pay(&mut self, amount: i64, card: &str, capture: CaptureMethod, key: &str) -> Id {
        let card = TestCard::by_name(card).expect("a card of the table");
        let asked = CreatePaymentIntent {
            amount,
            currency: Some(Currency::USD),
            confirm: Some(true),
            capture_method: Some(capture),
            payment_method: Some(PaymentMethodParam::card(card)),
            ..CreatePaymentIntent::default()
        };
        self.ask(Command::CreatePaymentIntent(Box::new(asked)), Some(key));
        self.last_born(&kinds::PAYMENT_INTENT)
    }

    /// Captures part of a hold.
    pub(crate) fn capture(&mut self, intent: Id, amount: i64, key: &str) {
        let asked = CapturePaymentIntent {
            amount_to_capture: Some(amount),
            ..CapturePaymentIntent::default()
        };
        self.ask(Command::CapturePaymentIntent(intent, Box::new(asked)), Some(key));
    }

    /// A request that must be decided; with a key, its outcome is remembered as the shard does.
    pub(crate) fn ask(&mut self, command: Command, key: Option<&str>) {
        self.requests += 1;
        let request = Id::new(&kinds::REQUEST, self.now_ms, self.requests, 0);
        let claim = key.map(|key| {
            Arc::new(Claim {
                key: key.into(),
                fingerprint: u128::from(self.requests),
                endpoint: 1,
                path: "/v1/payment_intents".into(),
                request,
                version: Version::NEWEST.0,
                expand: Vec::new(),
                created_ms: self.now_ms,
            })
        });
        let info = RequestInfo {
            id: request,
            idempotency_key: key,
            version: Version::NEWEST,
        };
        let Decision {
            mut facts,
            reply,
            settles,
        } = self.decide(&command, claim.as_ref(), Some(info));
        assert!(settles.is_none());
        facts.outcome = claim.map(|claim| outcome(claim, &reply, facts.now_ms));
        self.record(facts);
    }

    /// A command of the engine itself.
    pub(crate) fn engine(&mut self, command: Command) {
        let Decision { mut facts, settles, .. } = self.decide(&command, None, None);
        if let Some(settled) = settles {
            facts.outcome = settled.claim.map(|claim| outcome(claim, &settled.reply, facts.now_ms));
        }
        assert!(!facts.is_empty(), "{command:?} does nothing");
        self.record(facts);
    }

    /// A network's answer.
    pub(crate) fn answer(&mut self, object: Id, number: u32, answer: NetworkAnswer) {
        self.engine(Command::ResolveAttempt(AttemptId { object, number }, answer));
    }

    /// Records the account's whole state.
    pub(crate) fn row(&mut self) {
        self.steps.push(Step::Row(self.account.to_row()));
    }

    /// The newest object of a kind.
    pub(crate) fn last_born(&self, kind: &'static Kind) -> Id {
        let mut newest = self.objects.values().rev();
        newest.find(|object| object.kind() == kind).expect("one was born").id()
    }

    /// The facts of the `at`-th record, to tamper with.
    pub(crate) fn facts(&mut self, at: usize) -> &mut Facts {
        match &mut self.steps[at] {
            Step::Facts(facts) => facts,
            Step::Row(_) => panic!("record {at} is a row"),
        }
    }

    /// The blocks: the directory's, then the account's, two records each; `tamper` sees every envelope.
    pub(crate) fn blocks_with(&self, tamper: impl Fn(usize, &mut Head)) -> Blocks {
        let mut blocks = vec![self.directory_block()];
        let mut builder = BlockBuilder::new(SHARD, Epoch(1), 0);
        let mut now_ms = 0;
        for (at, step) in self.steps.iter().enumerate() {
            let (mut head, body) = match step {
                Step::Facts(facts) => {
                    now_ms = facts.now_ms;
                    (self.head(facts), facts.to_bytes())
                }
                Step::Row(bytes) => {
                    let first_seq = self.steps[..at].iter().rev().find_map(|step| match step {
                        Step::Facts(facts) => Some(facts.seq_after + 1),
                        Step::Row(_) => None,
                    });
                    let first_seq = first_seq.unwrap_or(1);
                    let head = Head {
                        account: self.account.profile.key.0,
                        now_ms,
                        first_seq,
                        row: true,
                        ..Head::default()
                    };
                    (head, bytes.clone())
                }
            };
            tamper(at, &mut head);
            builder.push(&head, &body).expect("the block has room");
            if builder.len() == RECORDS_PER_BLOCK || at + 1 == self.steps.len() {
                blocks.push(builder.seal(blocks.len() as u64));
            }
        }
        Blocks(blocks)
    }

    /// The blocks, with envelopes that fit the facts.
    pub(crate) fn blocks(&self) -> Blocks {
        self.blocks_with(|_, _| {})
    }

    fn directory_block(&self) -> Block {
        let mut builder = BlockBuilder::new(ShardId::DIRECTORY, Epoch(1), 0);
        let head = Head {
            now_ms: self.directory.now_ms,
            ..Head::default()
        };
        builder
            .push(&head, &self.directory.to_bytes())
            .expect("the block has room");
        builder.seal(1)
    }

    fn head(&self, facts: &Facts) -> Head {
        let index = facts.index();
        Head {
            account: self.account.profile.key.0,
            now_ms: facts.now_ms,
            first_seq: index.first_seq,
            born: index.born,
            changed: index.changed,
            lists: index.lists,
            tags: index.tags,
            key: facts.outcome.as_ref().map(|outcome| self.key_hash(&outcome.claim.key)),
            timers: index.timers,
            row: false,
        }
    }

    fn key_hash(&self, key: &str) -> KeyHash {
        self.secrets.hash(Purpose::IdempotencyKey, key.as_bytes()).to_le_bytes()[..12]
            .try_into()
            .expect("12 of 16")
    }

    fn decide(&self, command: &Command, claim: Option<&Arc<Claim>>, request: Option<RequestInfo<'_>>) -> Decision {
        let inputs = Inputs {
            now_ms: self.now_ms,
            request,
            network: Network::Instant,
            attempt_deadline_ms: DEADLINE_MS,
            webhook_endpoints_max: 16,
            secrets: &self.secrets,
            entropy: [1, 2],
        };
        let world = decision::World {
            account: &self.account,
            objects: self,
        };
        decide(&world, command, claim, &inputs).unwrap_or_else(|stop| panic!("{command:?}: {stop:?}"))
    }

    fn record(&mut self, facts: Facts) {
        self.account.apply(&facts);
        for object in &facts.objects {
            self.objects.insert(object.id().seq(), object.clone());
        }
        self.steps.push(Step::Facts(Box::new(facts)));
    }
}

impl decision::Objects for Journal {
    fn find(&self, kind: &'static Kind, id: Id) -> Lookup<'_> {
        match self.objects.get(&id.seq()) {
            Some(object) if object.kind() == kind && object.id() == id => Lookup::Found(object),
            _ => Lookup::Absent,
        }
    }
}

fn outcome(claim: Arc<Claim>, reply: &decision::Reply, clock_ms: u64) -> Outcome {
    let result = match reply {
        decision::Reply::Object(kind, id) => OutcomeResult::Object {
            kind: kind.number,
            id: *id,
        },
        decision::Reply::Reject(reject) => OutcomeResult::Rejected { reject: reject.clone() },
        decision::Reply::Await(attempt) => OutcomeResult::InFlight { attempt: *attempt },
        decision::Reply::Handed => OutcomeResult::Handed,
        decision::Reply::Nobody => panic!("a request hears something"),
    };
    Outcome {
        claim,
        result,
        revision: SHAPE_REVISION,
        attached: Vec::new(),
        clock_ms,
    }
}

/// Blocks to be scanned.
#[derive(Clone)]
pub(crate) struct Blocks(pub(crate) Vec<Block>);

impl Scan for Blocks {
    fn scan(&self, visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for (at, block) in self.0.iter().enumerate() {
            visit(StoredBlock {
                block: block.clone(),
                place: format!("memory block {at} offset 0"),
            })?;
        }
        Ok(())
    }
}
