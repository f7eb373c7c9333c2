//! Two engines over one keyspace that hand shards back and forth while clients pay: every request is answered properly,
//! nothing is lost and nothing is done twice.

#[path = "../../actors/tests/suite/office.rs"]
#[allow(dead_code, reason = "another suite uses the rest of it")]
mod office;

use office::{Desk, customer, merchant, object, pay, rendered, secrets, short};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tollgate_actors::performer::BoxFuture;
use tollgate_actors::router::shard_of;
use tollgate_actors::{Begin, Client, Engine, EngineConfig, Performer, Refusal, Request, Response};
use tollgate_domain::account::AccountKey;
use tollgate_domain::acquirer::{Asked, NetworkAnswer, NetworkCall, Said};
use tollgate_domain::object::Object;
use tollgate_domain::{Facts, kinds};
use tollgate_resource::{Id, Record};
use tollgate_store::{Scan, ShardId, envelope};
use tollgate_store_scylla::{Cluster, Options, Scanner, Settings, apply_schema};

const SHARDS: u16 = 2;
const ACCOUNTS: u32 = 4;
/// Rounds of each client, and payments sent together in one.
const ROUNDS: u64 = 6;
const TOGETHER: u64 = 10;
/// How long whoever is inside is served when a shard leaves, and how long a client tries.
const PATIENCE: Duration = Duration::from_secs(60);

struct Approves;

impl Performer for Approves {
    fn perform(&self, _: NetworkCall) -> BoxFuture<'static, NetworkAnswer> {
        let (to, said) = (Asked::Request, Said::Approved);
        Box::pin(std::future::ready(NetworkAnswer { to, said }))
    }
}

/// Two engines, and which of them has each shard.
struct Pair {
    engines: [Engine; 2],
    stores: [Arc<Cluster>; 2],
    clients: [Client; 2],
    owner: [Cell<usize>; SHARDS as usize],
    went_on: Cell<usize>,
}

impl Pair {
    fn start(settings: &Settings) -> Rc<Pair> {
        let stores = ["a", "b"].map(|node| {
            let of = Arc::new(|account: tollgate_store::AccountRef, shards| shard_of(AccountKey(account.0), shards));
            Cluster::open(Options::new(settings.clone(), node, "127.0.0.1:1", of)).expect("the store opens")
        });
        let engines = [&stores[0], &stores[1]].map(|store| {
            let mut config = EngineConfig::for_one_machine(SHARDS, 1);
            config.begin = Begin::Nothing;
            config.on_fatal = Arc::new(|why| panic!("{why}"));
            config.on_lost = Arc::new(|shard, why| panic!("shard {} was lost: {why}", shard.0));
            let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
            Engine::start(config, journal, reads, Arc::new(Approves), secrets()).expect("the engine starts")
        });
        let clients = [engines[0].client(), engines[1].client()];
        Rc::new(Pair {
            engines,
            stores,
            clients,
            owner: Default::default(),
            went_on: Cell::default(),
        })
    }

    /// The answer to a request, which is sent to wherever its shard is said to be, until it is there.
    async fn answered(&self, request: Request) -> Box<Response> {
        let shard = shard_of(request.profile.key, SHARDS);
        let tried = async {
            loop {
                let owner = self.owner[usize::from(shard.0)].get();
                match self.clients[owner].call(request.clone()).await {
                    Ok(response) => return Box::new(response),
                    Err(refusal) => assert_eq!(refusal, Refusal::Elsewhere(shard), "in a planned move"),
                }
                self.went_on.set(self.went_on.get() + 1);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, tried)
            .await
            .expect("the shard comes to be somewhere")
    }

    async fn give(&self, shard: ShardId, to: usize) {
        let released = self.engines[1 - to]
            .release(shard, PATIENCE)
            .await
            .expect("it is there");
        assert!(!released.lost);
        assert_eq!(self.stores[1 - to].taken(shard), None, "the store has forgotten it");
        let adopted = self.engines[to].adopt(shard).await.expect("it is free");
        assert_eq!(
            self.stores[to].taken(shard).expect("it is here").blocks,
            adopted.last_block
        );
        self.owner[usize::from(shard.0)].set(to);
    }
}

/// Pays in rounds, sends some twice, makes customers without a key, and reads what it was told.
async fn shop(pair: Rc<Pair>, number: u32) -> BTreeMap<String, Id> {
    let mut desk = Desk::of(merchant(number));
    let mut keys = BTreeMap::new();
    let send = |request: Request| {
        let pair = Rc::clone(&pair);
        actix_rt::spawn(async move { pair.answered(request).await })
    };
    for round in 0..ROUNDS {
        let mut waiting = Vec::new();
        for at in 0..TOGETHER {
            let key = format!("{number}/{round}/{at}");
            let mut pays = || desk.keyed_now(&key, pay(1_000 + at as i64, "visa"));
            let (first, twin) = (send(pays()), (at % 3 == 0).then(|| send(pays())));
            waiting.push((key, first, twin));
        }
        send(desk.write(customer())).await.expect("no panic");
        for (key, first, twin) in waiting {
            let answer = first.await.expect("no panic");
            assert_eq!(short(&Ok(answer.clone())), "200 succeeded", "{key}");
            if let Some(twin) = twin {
                assert_eq!(rendered(&twin.await.expect("no panic")), rendered(&answer), "{key}");
            }
            keys.insert(key, object(&answer).id());
        }
        for id in keys.values().rev().step_by(3) {
            let read = send(desk.get(&kinds::PAYMENT_INTENT, *id)).await.expect("no panic");
            assert_eq!(object(&read).id(), *id);
        }
    }
    keys
}

#[test]
fn shards_go_back_and_forth_under_load_and_nobody_notices() {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let points = std::env::var("TOLLGATE_CQL").expect("TOLLGATE_CQL names no cluster; use `tests/run cql`");
    let settings = Settings {
        contact_points: points.split(',').map(str::to_owned).collect(),
        keyspace: format!(
            "handed_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        ),
        local_datacenter: "datacenter1".to_owned(),
        replication_factor: 1,
        login: None,
        tls: None,
        connections_per_node: 2,
        timeout: Duration::from_secs(10),
    };
    apply_schema(&settings, SHARDS).expect("the schema applies");
    let learnt = actix_rt::System::new().block_on(async {
        let pair = Pair::start(&settings);
        for shard in (0..SHARDS).map(ShardId) {
            pair.engines[0].adopt(shard).await.expect("it is free");
        }
        let learnt: Rc<RefCell<BTreeMap<u32, BTreeMap<String, Id>>>> = Rc::default();
        let clients: Vec<_> = (1..=ACCOUNTS)
            .map(|number| {
                let (pair, learnt) = (Rc::clone(&pair), Rc::clone(&learnt));
                actix_rt::spawn(async move {
                    let keys = shop(pair, number).await;
                    learnt.borrow_mut().insert(number, keys);
                })
            })
            .collect();
        let mut moves = 0u16;
        while !clients.iter().all(|client| client.is_finished()) {
            let shard = ShardId(moves % SHARDS);
            let to = 1 - pair.owner[usize::from(shard.0)].get();
            pair.give(shard, to).await;
            moves += 1;
        }
        for client in clients {
            client.await.expect("a client does not panic");
        }
        assert!(moves > 2 && pair.went_on.get() > 0, "{moves} moves");
        for engine in &pair.engines {
            assert!(engine.stop(PATIENCE).await, "everybody was answered");
        }
        learnt.take()
    });
    assert_eq!(learnt.len(), ACCOUNTS as usize);
    let (executed, customers) = scanned(&settings);
    for (number, keys) in &learnt {
        let account = merchant(*number).key.0;
        for (key, id) in keys {
            assert_eq!(
                executed.get(&(account, key.clone())),
                Some(&BTreeSet::from([*id])),
                "{key}"
            );
        }
        assert_eq!(
            customers.get(&account),
            Some(&ROUNDS),
            "each without a key was made once"
        );
    }
}

/// The payments that each key of an account made.
type Executed = BTreeMap<(u64, String), BTreeSet<Id>>;

/// What the journal says of keys, and how many customers an account has.
fn scanned(settings: &Settings) -> (Executed, BTreeMap<u64, u64>) {
    let (mut executed, mut customers) = (Executed::new(), BTreeMap::new());
    let scanner = Scanner::open(settings).expect("the journal opens");
    let scanned = scanner.scan(&mut |stored| {
        for record in envelope::records(&stored.block.bytes, stored.block.count) {
            let record = record.expect("a durable record reads back");
            if record.head.row || stored.block.shard == ShardId::DIRECTORY {
                continue;
            }
            let facts = Facts::from_bytes(record.body).expect("facts read back");
            for object in facts.born() {
                match (object, &facts.outcome) {
                    (Object::PaymentIntent(_), Some(outcome)) => {
                        let key = (record.head.account, outcome.claim.key.to_string());
                        executed.entry(key).or_default().insert(object.id());
                    }
                    (Object::Customer(_), _) => *customers.entry(record.head.account).or_default() += 1,
                    _ => {}
                }
            }
        }
        Ok(())
    });
    scanned.expect("the journal is sound");
    (executed, customers)
}
