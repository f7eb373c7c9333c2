//! The threads of many indexes.

use crate::host::{Host, Next, Role, Threads, Worker};
use crate::world::await_that;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SOON: Duration = Duration::ZERO;
const NEVER: Duration = Duration::from_secs(100_000);

/// Counts its turns, and looks that it has one of each role at a time.
#[derive(Default)]
struct Counting {
    turns: [AtomicU64; 2],
    running: [AtomicBool; 2],
    panic_at: u64,
    panicked: AtomicBool,
    /// What each turn takes.
    takes: Duration,
    /// When it wants the next one; never again when empty.
    next: Mutex<Option<Next>>,
}

impl Counting {
    fn turns(&self, role: Role) -> u64 {
        self.turns[role as usize].load(SeqCst)
    }
}

impl Worker for Counting {
    fn turn(&self, role: Role) -> Next {
        let running = &self.running[role as usize];
        assert!(!running.swap(true, SeqCst), "two turns at once");
        let turn = 1 + self.turns[role as usize].fetch_add(1, SeqCst);
        std::thread::sleep(self.takes);
        running.store(false, SeqCst);
        assert!(
            role != Role::Write || turn != self.panic_at,
            "the turn that was asked to panic"
        );
        self.next.lock().expect("no turn panics in here").unwrap_or(Next::Never)
    }

    fn panicked(&self) {
        self.panicked.store(true, SeqCst);
    }
}

fn counting(next: Next) -> Counting {
    Counting {
        next: Mutex::new(Some(next)),
        ..Counting::default()
    }
}

#[test]
fn each_has_its_turns_and_one_of_a_kind_at_a_time() {
    let threads = Threads { writing: 3, merging: 2 };
    let host = Host::start(threads).expect("threads start");
    let members: Vec<_> = (0..20).map(|_| (host.seat(), Arc::new(counting(Next::Now)))).collect();
    for (seat, member) in &members {
        seat.enter(Arc::clone(member) as _, [SOON, SOON]);
    }
    let all = |least| {
        let each = |member: &Counting| member.turns(Role::Write) >= least && member.turns(Role::Merge) >= least;
        members.iter().all(|(_, member)| each(member))
    };
    await_that(|| all(50));
    assert!(members.iter().all(|(_, member)| !member.panicked.load(SeqCst)));
    host.join();
}

#[test]
fn who_is_woken_has_a_turn_even_if_it_has_one_now() {
    let host = Host::start(Threads::default()).expect("threads start");
    let seat = host.seat();
    let member = Arc::new(Counting {
        takes: Duration::from_millis(30),
        ..counting(Next::In(NEVER))
    });
    seat.enter(Arc::clone(&member) as _, [NEVER, NEVER]);
    seat.wake(Role::Write);
    await_that(|| member.turns(Role::Write) == 1);
    // It runs still, or waits again: either way there is one more turn.
    seat.wake(Role::Write);
    await_that(|| member.turns(Role::Write) == 2);
    assert_eq!(member.turns(Role::Merge), 0);
}

#[test]
fn a_panic_ends_one_kind_of_work_of_one_member() {
    let host = Host::start(Threads::default()).expect("threads start");
    let bad = Arc::new(Counting {
        panic_at: 2,
        ..counting(Next::Now)
    });
    let good = Arc::new(counting(Next::Now));
    let seats = [host.seat(), host.seat()];
    seats[0].enter(Arc::clone(&bad) as _, [SOON, SOON]);
    seats[1].enter(Arc::clone(&good) as _, [SOON, SOON]);
    await_that(|| bad.panicked.load(SeqCst));
    let merged = bad.turns(Role::Merge);
    await_that(|| good.turns(Role::Write) > 100 && bad.turns(Role::Merge) > merged + 10);
    seats[0].wake(Role::Write);
    let written = good.turns(Role::Write);
    await_that(|| good.turns(Role::Write) > written + 10);
    assert_eq!(bad.turns(Role::Write), 2);
}

#[test]
fn who_leaves_is_freed_and_has_no_further_turn() {
    let host = Host::start(Threads::default()).expect("threads start");
    let seat = host.seat();
    let member = Arc::new(counting(Next::Now));
    let held = Arc::downgrade(&member);
    seat.enter(member, [SOON, SOON]);
    await_that(|| held.upgrade().is_some_and(|member| member.turns(Role::Write) > 3));
    seat.leave();
    await_that(|| held.upgrade().is_none());
    // Nobody is there to be woken any more.
    seat.wake(Role::Merge);
    drop(host);
    seat.wake(Role::Merge);
}
