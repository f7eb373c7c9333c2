//! Faults between driver and server, by a proxy that speaks their protocol: whatever happens to the one append under test,
//! its owner is told the truth about it, and the journal holds the block at most once.

use crate::proxied::{Cutter, PATIENCE, Proxied};
use crate::{applied, one_shard, open_as};
use scylla::errors::{DbError, WriteType};
use scylla::statement::Consistency;
use scylla_proxy::{
    Condition, Reaction, RequestFrame, RequestOpcode, RequestReaction, RequestRule, ResponseFrame, ResponseOpcode,
    ResponseReaction, ResponseRule,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tollgate_store::conformance::{Script, Store, wait};
use tollgate_store::{AccountRef, Commit, Head, Scan};
use tollgate_store_scylla::{Scanner, Settings};

/// Longer than that.
const TOO_LATE: Duration = Duration::from_millis(2_500);

/// How long no read works.
const NO_READS: Duration = Duration::from_secs(10);
/// The first bytes of the times below, as they stand in a record.
const MARKER: &[u8] = b"/7700000";

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
        ("a server that forgot the statement", Fault::Request(unprepared())),
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
        let mut injected = inject(&proxied, fault);
        assert_eq!(wait(&*store, block), Commit::Durable, "{what}");
        proxied.heal();
        assert!(injected.happened(), "it never happened that {what}");
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
    let mut injected = inject(&proxied, Fault::Request(RequestReaction::delay(TOO_LATE)));
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
    assert!(injected.happened(), "the append was not late");
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
    let reads = Condition::RequestOpcode(RequestOpcode::Execute)
        .and(Condition::RequestConsistency(
            Consistency::LocalSerial,
            Default::default(),
        ))
        .and(Condition::TrueForLimitedTimes(5));
    proxied.rules(
        vec![RequestRule(reads, forged(read_timeout()))],
        vec![ResponseRule(answer_of_append(), ResponseReaction::drop_frame())],
    );
    assert_eq!(wait(&*store, block), Commit::Durable);
    assert_eq!(blocks(&settings), [1]);
}

#[test]
fn an_append_whose_frame_is_cut_in_the_middle_is_sent_again() {
    let (cutter, settings) = (Cutter::of(MARKER), applied());
    let store: Arc<dyn Store> = open_as("a", &cutter.through(&settings), &one_shard());
    let mut owner = Script::claim(&store, 0);
    owner.write(&[birth(1)]);
    let block = owner.block(&[birth(2)]);
    cutter.arm();
    assert_eq!(wait(&*store, block), Commit::Durable);
    assert!(!cutter.is_armed(), "the frame was never sent");
    assert_eq!(blocks(&settings), [1, 2]);
}

/// The answer of an append is lost, and for ten seconds nothing can be found out about it.
#[test]
fn an_append_is_answered_only_once_reads_work_again() {
    let (proxied, settings) = (Proxied::new(), applied());
    let store: Arc<dyn Store> = open_as("a", &proxied.through(&settings), &one_shard());
    let block = Script::claim(&store, 0).block(&[birth(1)]);
    let reads = Condition::RequestOpcode(RequestOpcode::Execute).and(Condition::RequestConsistency(
        Consistency::LocalSerial,
        Default::default(),
    ));
    let every = vec![RequestRule(reads, forged(read_timeout()))];
    let lost = vec![ResponseRule(answer_of_append(), ResponseReaction::drop_frame())];
    proxied.rules(every, lost);
    std::thread::scope(|scope| {
        let told = scope.spawn(|| wait(&*store, block));
        std::thread::sleep(NO_READS);
        assert!(!told.is_finished(), "it was answered although nobody knew");
        // The block is there all the time.
        assert_eq!(blocks(&settings), [1]);
        proxied.heal();
        assert_eq!(told.join().unwrap(), Commit::Durable);
    });
    Script::claim(&store, 0).write(&[birth(2)]);
    assert_eq!(blocks(&settings), [1, 2]);
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

fn read_timeout() -> DbError {
    DbError::ReadTimeout {
        consistency: Consistency::LocalSerial,
        received: 0,
        required: 1,
        data_present: false,
    }
}

/// The server knows no statement of this name; the driver prepares it again and goes on.
fn unprepared() -> RequestReaction {
    RequestReaction::forge_response(Arc::new(|request: RequestFrame| {
        let (len, rest) = request.body.split_at(2);
        let name = &rest[..usize::from(u16::from_be_bytes(len.try_into().expect("two bytes")))];
        let error = DbError::Unprepared {
            statement_id: name.to_vec().into(),
        };
        ResponseFrame::forged_error(request.params, error, None).expect("a short message")
    }))
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
        .and(Condition::BodyContainsCaseSensitive(MARKER.into()))
        .and(Condition::TrueForLimitedTimes(1))
}

/// The first answer that says whether a conditional write was applied.
fn answer_of_append() -> Condition {
    Condition::ResponseOpcode(ResponseOpcode::Result)
        .and(Condition::BodyContainsCaseSensitive(b"[applied]".as_slice().into()))
        .and(Condition::TrueForLimitedTimes(1))
}

/// A fault that was asked for, and what the proxy says of it.
enum Injected {
    Request(UnboundedReceiver<(RequestFrame, Option<u16>)>),
    Answer(UnboundedReceiver<(ResponseFrame, Option<u16>)>),
}

impl Injected {
    /// Whether a frame met it.
    fn happened(&mut self) -> bool {
        match self {
            Injected::Request(met) => met.try_recv().is_ok(),
            Injected::Answer(met) => met.try_recv().is_ok(),
        }
    }
}

fn inject(proxied: &Proxied, fault: Fault) -> Injected {
    match fault {
        Fault::Request(reaction) => {
            let (meets, met) = unbounded_channel();
            let reaction = reaction.with_feedback_when_performed(meets);
            proxied.rules(vec![RequestRule(append(), reaction)], Vec::new());
            Injected::Request(met)
        }
        Fault::Answer(reaction) => {
            let (meets, met) = unbounded_channel();
            let reaction = reaction.with_feedback_when_performed(meets);
            proxied.rules(Vec::new(), vec![ResponseRule(answer_of_append(), reaction)]);
            Injected::Answer(met)
        }
    }
}
