//! Faults between driver and server, by a proxy that speaks their protocol: whatever happens to the one append under test,
//! its owner is told the truth about it, and the journal holds the block at most once.

use crate::{applied, one_shard, open_as};
use scylla::errors::{DbError, WriteType};
use scylla::statement::Consistency;
use scylla_proxy::{
    Condition, Node, Proxy, Reaction, RequestOpcode, RequestReaction, RequestRule, ResponseFrame, ResponseOpcode,
    ResponseReaction, ResponseRule, RunningProxy, ShardAwareness,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::conformance::{Script, Store, wait};
use tollgate_store::{AccountRef, Commit, Head, Scan};
use tollgate_store_scylla::{Scanner, Settings};

/// How long the driver waits for an answer here.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longer than that.
const TOO_LATE: Duration = Duration::from_millis(2_500);

/// What is done to the append under test.
enum Fault {
    Request(RequestReaction),
    Answer(ResponseReaction),
}

#[test]
fn an_append_is_answered_with_the_truth_whatever_becomes_of_its_frames() {
    let cases: Vec<(&str, Fault)> = vec![
        (
            "the answer of an applied append is lost",
            Fault::Answer(ResponseReaction::drop_frame()),
        ),
        (
            "the answer comes too late",
            Fault::Answer(ResponseReaction::delay(TOO_LATE)),
        ),
        (
            "the connection breaks before the answer",
            Fault::Answer(ResponseReaction::drop_connection()),
        ),
        ("the append is lost", Fault::Request(RequestReaction::drop_frame())),
        (
            "the append arrives too late",
            Fault::Request(RequestReaction::delay(TOO_LATE)),
        ),
        (
            "the connection breaks before the append",
            Fault::Request(RequestReaction::drop_connection()),
        ),
        (
            "a write timeout without an append",
            Fault::Request(forged(write_timeout())),
        ),
        (
            "a write timeout of an applied append",
            Fault::Answer(turned_into(write_timeout())),
        ),
        (
            "too few replicas for the serial phase",
            Fault::Request(forged(unavailable(Consistency::LocalSerial))),
        ),
        (
            "too few replicas, said of an applied append",
            Fault::Answer(turned_into(unavailable(Consistency::LocalQuorum))),
        ),
        ("an overloaded server", Fault::Request(forged(DbError::Overloaded))),
        (
            "a server error of an applied append",
            Fault::Answer(turned_into(DbError::ServerError)),
        ),
    ];
    let (proxied, settings) = (Proxied::new(), applied());
    let mut last = 0;
    for (what, fault) in cases {
        let store: Arc<dyn Store> = open_as("a", &proxied.through(&settings), &one_shard());
        let mut owner = Script::claim(&store, 0);
        owner.write(&[birth(last + 1)]);
        let block = owner.block(&[birth(last + 2)]);
        proxied.inject(fault);
        assert_eq!(wait(&*store, block), Commit::Durable, "{what}");
        proxied.heal();
        let read = store.birth(AccountRef(1), last + 2).unwrap().unwrap();
        assert_eq!(read.head.now_ms, now(last + 2), "{what}");
        drop((owner, store));
        if what.contains("late") {
            std::thread::sleep(TOO_LATE - PATIENCE);
        }
        // Whoever is next stands on exactly these, also after a frame that was late.
        let next: Arc<dyn Store> = open_as("b", &settings, &one_shard());
        Script::claim(&next, 0).write(&[birth(last + 3)]);
        last += 3;
        assert_eq!(blocks(&settings), (1..=last).collect::<Vec<_>>(), "{what}");
    }
}

#[test]
fn an_append_that_arrives_after_a_takeover_is_refused() {
    let proxied = Proxied::new();
    let settings = applied();
    let old: Arc<dyn Store> = open_as("a", &proxied.through(&settings), &one_shard());
    let mut owner = Script::claim(&old, 0);
    owner.write(&[birth(1)]);
    let late = owner.block(&[birth(2)]);
    proxied.inject(Fault::Request(RequestReaction::delay(TOO_LATE)));
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| wait(&*old, late));
        // While it is on its way, another node takes over and writes a block in the same place.
        let new: Arc<dyn Store> = open_as("b", &settings, &one_shard());
        let mut next = Script::claim(&new, 0);
        next.write(&[birth(2)]);
        let told = told.join().unwrap();
        std::thread::sleep(TOO_LATE);
        next.write(&[birth(3)]);
        told
    });
    assert_eq!(told, Commit::Fenced);
    assert_eq!(blocks(&settings), [1, 2, 3]);
}

/// The cell was empty when it was looked at, the append landed then, and another node took over before the fence was read.
#[test]
fn an_append_that_landed_before_a_takeover_is_durable_for_its_owner_too() {
    let (proxied, settings) = (Proxied::new(), applied());
    let old: Arc<dyn Store> = open_as("a", &proxied.through(&settings), &one_shard());
    let mut owner = Script::claim(&old, 0);
    owner.write(&[birth(1)]);
    let late = owner.block(&[birth(2)]);
    let serial = || {
        Condition::RequestOpcode(RequestOpcode::Execute)
            .and(Condition::RequestConsistency(
                Consistency::LocalSerial,
                Default::default(),
            ))
            .and(Condition::TrueForLimitedTimes(1))
    };
    let (landing, reading) = (Duration::from_millis(1_300), Duration::from_millis(900));
    let rules = vec![
        RequestRule(append(), RequestReaction::delay(landing)),
        RequestRule(serial(), RequestReaction::noop()),
        RequestRule(serial(), RequestReaction::delay(reading)),
    ];
    proxied.rules(rules, Vec::new());
    let told = std::thread::scope(|scope| {
        let told = scope.spawn(|| wait(&*old, late));
        let new: Arc<dyn Store> = open_as("b", &settings, &one_shard());
        while blocks(&settings) != [1, 2] {
            assert!(!told.is_finished(), "it was answered before it landed");
        }
        Script::claim(&new, 0).write(&[birth(3)]);
        told.join().unwrap()
    });
    assert_eq!(told, Commit::Durable);
    assert_eq!(blocks(&settings), [1, 2, 3]);
}

#[test]
fn reads_that_fail_for_a_while_hold_an_append_up_and_decide_nothing() {
    let proxied = Proxied::new();
    let settings = applied();
    let store: Arc<dyn Store> = open_as("a", &proxied.through(&settings), &one_shard());
    let mut owner = Script::claim(&store, 0);
    let block = owner.block(&[birth(1)]);
    // The answer is lost, and of the reads that should find out the first five fail.
    let read_timeout = DbError::ReadTimeout {
        consistency: Consistency::LocalSerial,
        received: 0,
        required: 1,
        data_present: false,
    };
    let reads = Condition::RequestOpcode(RequestOpcode::Execute)
        .and(Condition::RequestConsistency(
            Consistency::LocalSerial,
            Default::default(),
        ))
        .and(Condition::TrueForLimitedTimes(5));
    proxied.rules(
        vec![RequestRule(reads, forged(read_timeout))],
        vec![ResponseRule(answer_of_append(), ResponseReaction::drop_frame())],
    );
    assert_eq!(wait(&*store, block), Commit::Durable);
    assert_eq!(blocks(&settings), [1]);
}

/// A time that stands in no other frame, so that the proxy can tell the append under test.
fn now(number: u64) -> u64 {
    770_000_000 + number
}

fn birth(number: u64) -> Head {
    Head {
        account: 1,
        now_ms: now(number),
        first_seq: number,
        born: [1].as_slice().into(),
        ..Head::default()
    }
}

/// Sequence numbers of the journal's blocks.
fn blocks(settings: &Settings) -> Vec<u64> {
    let mut seen = Vec::new();
    let scanner = Scanner::open(settings).unwrap();
    scanner
        .scan(&mut |stored| {
            seen.push(stored.block.seq);
            Ok(())
        })
        .unwrap();
    seen
}

fn write_timeout() -> DbError {
    DbError::WriteTimeout {
        consistency: Consistency::LocalSerial,
        received: 0,
        required: 1,
        write_type: WriteType::Cas,
    }
}

fn unavailable(consistency: Consistency) -> DbError {
    DbError::Unavailable {
        consistency,
        required: 2,
        alive: 1,
    }
}

fn forged(error: DbError) -> RequestReaction {
    RequestReaction::forge_with_error(error)
}

fn turned_into(error: DbError) -> ResponseReaction {
    ResponseReaction::transform_frame(Arc::new(move |frame: ResponseFrame| {
        ResponseFrame::forged_error(frame.params, error.clone(), None).expect("a short message")
    }))
}

/// The first frame that carries a record of the suite's.
fn append() -> Condition {
    Condition::RequestOpcode(RequestOpcode::Execute)
        .and(Condition::BodyContainsCaseSensitive(b"/7700000".as_slice().into()))
        .and(Condition::TrueForLimitedTimes(1))
}

/// The first answer that says whether a conditional write was applied.
fn answer_of_append() -> Condition {
    Condition::ResponseOpcode(ResponseOpcode::Result)
        .and(Condition::BodyContainsCaseSensitive(b"[applied]".as_slice().into()))
        .and(Condition::TrueForLimitedTimes(1))
}

/// A proxy before the cluster's first node.
struct Proxied {
    runtime: tokio::runtime::Runtime,
    proxy: std::sync::Mutex<Option<RunningProxy>>,
    address: SocketAddr,
}

impl Proxied {
    fn new() -> Proxied {
        let points = std::env::var("TOLLGATE_CQL").expect("TOLLGATE_CQL names no cluster; use `tests/run cql`");
        let real: SocketAddr = points.split(',').next().unwrap().parse().expect("an address");
        // At the node's own address, because the driver asks the node for that and brings only the port.
        let free = std::net::TcpListener::bind((real.ip(), 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let node = Node::new(real, address, ShardAwareness::Unaware, None, None);
        let proxy = runtime.block_on(Proxy::new([node]).run()).expect("the proxy starts");
        Proxied {
            runtime,
            proxy: std::sync::Mutex::new(Some(proxy)),
            address,
        }
    }

    fn through(&self, settings: &Settings) -> Settings {
        Settings {
            contact_points: vec![self.address.to_string()],
            timeout: PATIENCE,
            connections_per_node: 1,
            ..settings.clone()
        }
    }

    fn inject(&self, fault: Fault) {
        match fault {
            Fault::Request(reaction) => self.rules(vec![RequestRule(append(), reaction)], Vec::new()),
            Fault::Answer(reaction) => self.rules(Vec::new(), vec![ResponseRule(answer_of_append(), reaction)]),
        }
    }

    fn heal(&self) {
        self.rules(Vec::new(), Vec::new());
    }

    fn rules(&self, requests: Vec<RequestRule>, answers: Vec<ResponseRule>) {
        let mut proxy = self.proxy.lock().expect("no test panics in here");
        let node = &mut proxy.as_mut().expect("it runs").running_nodes[0];
        node.change_request_rules(Some(requests));
        node.change_response_rules(Some(answers));
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        let proxy = self.proxy.lock().ok().and_then(|mut proxy| proxy.take());
        if let Some(proxy) = proxy {
            // An error here is a connection that a test had cut.
            let _ = self.runtime.block_on(proxy.finish());
        }
    }
}
