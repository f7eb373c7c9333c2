//! When a connection is given up, and which one makes room.

use super::*;
use std::future::Future;

fn patrol() -> Rc<Patrol> {
    let bounds = Bounds {
        header_timeout: TICK * 2,
        body_timeout: TICK * 4,
        write_timeout: TICK * 3,
        keep_alive: TICK * 10,
        ..Bounds::default()
    };
    Patrol::new(&bounds, 16)
}

fn after(patrol: &Patrol, ticks: usize) {
    (0..ticks).for_each(|_| patrol.walk());
}

#[test]
fn every_phase_but_the_engine_s_expires() {
    let patrol = patrol();
    let [new, head, body, busy, idle] = [(); 5].map(|()| Watch::new(&patrol));
    head.has_read(b"G");
    body.reads_body();
    busy.begins(false);
    idle.answered();
    after(&patrol, 3);
    assert_eq!((new.expired(), head.expired()), (Some(Phase::New), Some(Phase::Head)));
    assert_eq!(body.expired(), None);
    after(&patrol, 2);
    assert_eq!(body.expired(), Some(Phase::Body));
    assert_eq!(idle.expired(), None);
    after(&patrol, 100);
    assert_eq!((busy.expired(), idle.expired()), (None, Some(Phase::Idle)));
}

#[test]
fn in_a_crowd_those_make_room_that_have_waited_longest_for_their_clients() {
    let bounds = Bounds::default();
    let patrol = Patrol::new(&bounds, 16);
    let expired = |watches: &[Rc<Watch>]| watches.iter().filter(|watch| watch.expired().is_some()).count();
    let open = |count: usize| -> Vec<Rc<Watch>> { (0..count).map(|_| Watch::new(&patrol)).collect() };
    let busy = open(2);
    busy.iter().for_each(|watch| watch.begins(false));
    let silent = open(6);
    after(&patrol, 2);
    let slow = open(6);
    slow.iter().for_each(|watch| watch.has_read(b"P"));
    after(&patrol, 5);
    assert_eq!(expired(&silent) + expired(&slow), 0, "fourteen of sixteen are no crowd");
    let fresh = open(8);
    after(&patrol, 1);
    assert_eq!((expired(&silent), expired(&slow), expired(&fresh)), (6, 2, 0));
    let more = open(20);
    after(&patrol, 1);
    assert_eq!(
        (expired(&slow), expired(&fresh), expired(&more)),
        (6, 0, 0),
        "what is in use stays"
    );
    assert_eq!(expired(&busy), 0, "whoever waits for an answer gets it");
}

#[test]
fn in_a_crowd_a_connection_that_was_used_stays_while_others_dawdle() {
    let patrol = Patrol::new(&Bounds::default(), 16);
    let expired = |watches: &[Rc<Watch>]| watches.iter().filter(|watch| watch.expired().is_some()).count();
    let open = |count: usize| -> Vec<Rc<Watch>> { (0..count).map(|_| Watch::new(&patrol)).collect() };
    let (idle, uploads) = (open(4), open(4));
    idle.iter().for_each(|watch| watch.answered());
    uploads.iter().for_each(|watch| watch.reads_body());
    after(&patrol, 8);
    let slow = open(6);
    slow.iter().for_each(|watch| watch.has_read(b"P"));
    after(&patrol, 5);
    let fresh = open(6);
    after(&patrol, 1);
    assert_eq!((expired(&slow), expired(&idle), expired(&uploads)), (6, 0, 0));
    let more = open(4);
    after(&patrol, 1);
    let others = expired(&idle) + expired(&uploads);
    assert_eq!(
        (others, expired(&fresh), expired(&more)),
        (4, 0, 0),
        "then those that waited longest"
    );
}

#[test]
fn bytes_that_trickle_do_not_prolong_a_head() {
    let patrol = patrol();
    let watch = Watch::new(&patrol);
    watch.answered();
    for _ in 0..3 {
        watch.has_read(b"G");
        after(&patrol, 1);
    }
    assert_eq!(watch.expired(), Some(Phase::Head));
}

#[test]
fn a_peer_that_takes_nothing_expires() {
    let patrol = patrol();
    let watch = Watch::new(&patrol);
    watch.begins(false);
    watch.is_stuck();
    after(&patrol, 2);
    watch.has_written();
    watch.is_stuck();
    after(&patrol, 3);
    assert_eq!(watch.expired(), None);
    after(&patrol, 1);
    assert!(watch.expired().is_some());
}

#[test]
fn a_stop_wakes_whoever_waits_for_its_peer() {
    struct Woken(std::sync::atomic::AtomicBool);
    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let patrol = patrol();
    let watch = Watch::new(&patrol);
    let woken = std::sync::Arc::new(Woken(false.into()));
    let waker = Waker::from(std::sync::Arc::clone(&woken));
    let mut context = std::task::Context::from_waker(&waker);
    let mut stopped = std::pin::pin!(Rc::clone(&patrol).stopped());
    assert!(stopped.as_mut().poll(&mut context).is_pending());
    watch.park(&waker);
    patrol.stop();
    assert!(woken.0.load(std::sync::atomic::Ordering::Relaxed));
    assert!(stopped.as_mut().poll(&mut context).is_ready());
}

#[test]
fn closed_connections_are_forgotten() {
    let patrol = patrol();
    drop(Watch::new(&patrol));
    after(&patrol, 1);
    assert!(patrol.connections.borrow().is_empty());
}

#[test]
fn first_line_is_measured_over_pieces() {
    let patrol = patrol();
    let watch = Watch::new(&patrol);
    watch.has_read(b"GET /a");
    watch.has_read(b"bc HTTP/1.1\r\nhost: x\r\n");
    assert!(watch.line_exceeds(16) && !watch.line_exceeds(17 + 1));
    let watch = Watch::new(&patrol);
    watch.has_read(b"GET /abc");
    watch.reads_again();
    watch.has_read(b"GET /abc");
    assert!(
        watch.line_exceeds(7) && !watch.line_exceeds(8),
        "what is read again counts once"
    );
}
