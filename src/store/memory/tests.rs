use super::*;
use crate::conformance::{self, Script, Store, Subject};
use std::sync::mpsc::{Receiver, channel};

struct InMemory(Arc<Memory>);

impl Subject for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0) as Arc<dyn Store>
    }
    fn scan(&self) -> Box<dyn Scan> {
        Box::new(Copy(self.0.blocks()))
    }
    fn restart(self: Box<Self>) -> Box<dyn Subject> {
        Box::new(InMemory(self.0.crash()))
    }
}

struct Copy(Vec<Block>);

impl Scan for Copy {
    fn scan(&self, visit: &mut dyn FnMut(StoredBlock) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.iter().cloned().try_for_each(|block| {
            visit(StoredBlock {
                block,
                place: "copy".to_owned(),
            })
        })
    }
}

#[test]
fn memory_keeps_every_promise_of_a_store() {
    conformance::run(&|| Box::new(InMemory(Memory::new(Mode::Immediate))));
}

fn head(now_ms: u64, first_seq: u64) -> Head {
    Head {
        account: 1,
        now_ms,
        first_seq,
        born: [1].into_iter().collect(),
        ..Head::default()
    }
}

fn submit(memory: &Memory, block: Block) -> Receiver<Commit> {
    let (sender, receiver) = channel();
    memory.submit(block, Box::new(move |commit| sender.send(commit).unwrap_or_default()));
    receiver
}

fn held() -> (Arc<Memory>, Script) {
    let memory = Memory::new(Mode::Held);
    let store: Arc<dyn Store> = Arc::clone(&memory) as Arc<dyn Store>;
    let script = Script::claim(&store, 0);
    (memory, script)
}

#[test]
fn a_held_block_is_invisible_until_it_is_released() {
    let (memory, mut owner) = held();
    let answer = submit(&memory, owner.block(&[head(1, 1)]));
    assert!(answer.try_recv().is_err());
    assert!(memory.birth(AccountRef(1), 1).unwrap().is_none());
    assert_eq!(memory.waiting(), [(ShardId(0), 1)]);
    assert!(memory.release_next());
    assert_eq!(answer.try_recv(), Ok(Commit::Durable));
    assert!(memory.birth(AccountRef(1), 1).unwrap().is_some());
    assert!(!memory.release_next());
    assert_eq!(memory.pump(), 0);
}

#[test]
fn a_crash_loses_what_was_not_written() {
    let (memory, mut owner) = held();
    let answer = submit(&memory, owner.block(&[head(1, 1)]));
    let next = memory.crash();
    assert!(answer.try_recv().is_err(), "nobody is left to be told");
    assert!(next.blocks().is_empty());
    assert_eq!(next.claim(ShardId(0)).unwrap().epoch, Epoch(2));
    assert!(
        matches!(memory.claim(ShardId(0)), Err(StoreError::Stopped)),
        "the dead store stays dead"
    );
    assert_eq!(submit(&memory, owner.block(&[head(2, 1)])).recv(), Ok(Commit::Failed));
}

#[test]
fn a_written_block_survives_a_crash_before_its_answer() {
    let (memory, mut owner) = held();
    let answer = submit(&memory, owner.block(&[head(1, 1)]));
    assert!(memory.settle(ShardId(0), Fate::WrittenUnanswered));
    assert_eq!(memory.unanswered(), [(ShardId(0), 1)]);
    let next = memory.crash();
    assert!(answer.try_recv().is_err());
    assert_eq!(next.claim(ShardId(0)).unwrap().last_block, 1);
    assert!(next.birth(AccountRef(1), 1).unwrap().is_some());
}

#[test]
fn a_late_answer_arrives() {
    let (memory, mut owner) = held();
    let answer = submit(&memory, owner.block(&[head(1, 1)]));
    assert!(memory.settle(ShardId(0), Fate::WrittenUnanswered));
    assert!(answer.try_recv().is_err());
    assert!(memory.answer(ShardId(0)));
    assert_eq!(answer.try_recv(), Ok(Commit::Durable));
    assert!(!memory.answer(ShardId(0)));
}

#[test]
fn a_failed_block_is_written_only_if_the_driver_says_so() {
    for (fate, blocks) in [(Fate::Failed, 0), (Fate::WrittenButFailed, 1)] {
        let (memory, mut owner) = held();
        let answer = submit(&memory, owner.block(&[head(1, 1)]));
        assert!(memory.settle(ShardId(0), fate));
        assert_eq!(answer.try_recv(), Ok(Commit::Failed));
        assert_eq!(memory.claim(ShardId(0)).unwrap().last_block, blocks, "{fate:?}");
    }
}

#[test]
fn a_claim_refuses_what_the_older_owner_has_waiting() {
    let (memory, mut owner) = held();
    let answer = submit(&memory, owner.block(&[head(1, 1)]));
    assert_eq!(memory.claim(ShardId(0)).unwrap().last_block, 0);
    assert_eq!(answer.try_recv(), Ok(Commit::Fenced));
    assert!(memory.waiting().is_empty());
}

#[test]
#[should_panic(expected = "in flight")]
fn a_second_block_in_flight_panics() {
    let (memory, mut owner) = held();
    let block = owner.block(&[head(1, 1)]);
    let _first = submit(&memory, block.clone());
    let _second = submit(&memory, block);
}

#[test]
fn reads_fail_when_asked_to() {
    let memory = Memory::new(Mode::Immediate);
    let store: Arc<dyn Store> = Arc::clone(&memory) as Arc<dyn Store>;
    Script::claim(&store, 0).write(&[head(1, 1)]);
    memory.fail_reads(true);
    assert!(memory.birth(AccountRef(1), 1).is_err());
    memory.fail_reads(false);
    assert!(memory.birth(AccountRef(1), 1).is_ok());
}

#[test]
fn an_answer_may_submit_the_next_block() {
    let (memory, mut owner) = held();
    let first = owner.block(&[head(1, 1)]);
    let mut second = owner.block(&[head(2, 2)]);
    second.seq = 2;
    let again = Arc::clone(&memory);
    memory.submit(first, Box::new(move |_| again.submit(second, Box::new(|_| {}))));
    assert_eq!(memory.pump(), 1, "the next one waits for the next pump");
    assert_eq!(memory.pump(), 1);
    assert_eq!(memory.blocks().len(), 2);
}
