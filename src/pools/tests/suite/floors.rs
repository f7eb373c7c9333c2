//! Lanes on a floor, without a clock and without threads.

use std::collections::BTreeMap;
use tollgate_pools::{Floor, Lane, LaneId, Limits, STRIKES_WINDOW_MS, Started, Ticket, Verdict};

/// A lane with so much to do, from a time on.
struct Counted {
    group: u64,
    left: u32,
    from_ms: u64,
    slow: bool,
    heard: Vec<u32>,
    /// Panics when asked for this one.
    panics_at: Option<u32>,
}

impl Counted {
    fn new(group: u64, left: u32) -> Counted {
        Counted {
            group,
            left,
            from_ms: 0,
            slow: false,
            heard: Vec::new(),
            panics_at: None,
        }
    }
}

impl Lane for Counted {
    type Job = u32;
    type Done = u32;

    fn next(&mut self, now_ms: u64) -> Option<u32> {
        if self.left == 0 || now_ms < self.from_ms {
            return None;
        }
        assert_ne!(self.panics_at, Some(self.left), "asked for the wrong one");
        self.left -= 1;
        Some(self.left)
    }

    fn done(&mut self, _: u64, done: u32) {
        self.heard.push(done);
    }

    fn wakes_at(&self) -> Option<u64> {
        (self.left > 0).then_some(self.from_ms)
    }

    fn group(&self) -> u64 {
        self.group
    }

    fn is_slow(&self) -> bool {
        self.slow
    }
}

const LIMITS: Limits = Limits {
    total: 100,
    group: 100,
    slow: 10,
};

fn turn(floor: &mut Floor<Counted>, now_ms: u64) -> Vec<Started<u32>> {
    let mut started = Vec::new();
    while floor.turn(now_ms, 512, &mut started) {}
    started
}

fn by_lane(started: &[Started<u32>]) -> BTreeMap<LaneId, usize> {
    let mut lanes = BTreeMap::new();
    for it in started {
        *lanes.entry(it.ticket.lane()).or_default() += 1;
    }
    lanes
}

#[test]
fn groups_take_turns_and_so_do_the_lanes_of_a_group() {
    let mut floor = Floor::new(LIMITS);
    // Nine lanes of one group, one of another: each group has half of what there is.
    let many: Vec<LaneId> = (0..9).map(|_| floor.add(Counted::new(1, 1_000))).collect();
    let one = floor.add(Counted::new(2, 1_000));
    let lanes = by_lane(&turn(&mut floor, 0));
    assert!((48..=52).contains(&lanes[&one]), "{lanes:?}");
    assert!(many.iter().all(|lane| (5..=6).contains(&lanes[lane])), "{lanes:?}");
}

#[test]
fn a_group_has_its_share_of_slots_and_gets_more_when_one_is_given_back() {
    let limits = Limits { group: 25, ..LIMITS };
    let mut floor = Floor::new(limits);
    floor.add(Counted::new(1, 1_000));
    let mut out = turn(&mut floor, 0);
    assert_eq!((out.len(), floor.slots().of(1)), (25, 25));
    assert!(turn(&mut floor, 0).is_empty());
    let first = out.remove(0);
    floor.done(0, first.ticket, first.job);
    assert_eq!(turn(&mut floor, 0).len(), 1);
    // The other groups have what is left.
    for group in 2..8 {
        floor.add(Counted::new(group, 1_000));
    }
    assert_eq!(turn(&mut floor, 0).len(), 75);
    assert_eq!(floor.slots().taken(), 100);
}

#[test]
fn slow_lanes_share_a_class_and_wait_for_it() {
    let mut floor = Floor::new(LIMITS);
    let slow: Vec<LaneId> = (0..5)
        .map(|group| {
            floor.add(Counted {
                slow: true,
                ..Counted::new(group, 1_000)
            })
        })
        .collect();
    let quick = floor.add(Counted::new(9, 20));
    let mut out = turn(&mut floor, 0);
    let lanes = by_lane(&out);
    assert_eq!(lanes[&quick], 20, "what is slow is not in the way");
    assert_eq!(slow.iter().filter_map(|lane| lanes.get(lane)).sum::<usize>(), 10);
    // Each slot that comes back goes to one that waited.
    let mut seen = BTreeMap::new();
    for _ in 0..100 {
        let at = out
            .iter()
            .position(|it| it.ticket.lane() != quick)
            .expect("a slow one is out");
        let it = out.remove(at);
        floor.done(0, it.ticket, it.job);
        let more = turn(&mut floor, 0);
        assert_eq!((more.len(), floor.slots().slow()), (1, 10));
        *seen.entry(more[0].ticket.lane()).or_insert(0) += 1;
        out.extend(more);
    }
    assert!(
        slow.iter().all(|lane| seen.get(lane).is_some_and(|times| *times >= 10)),
        "{seen:?}"
    );
    // A lane that is taken away while it waits is in nobody's way.
    slow[..4].iter().for_each(|lane| drop(floor.remove(*lane)));
    out.into_iter().for_each(|it| floor.done(0, it.ticket, it.job));
    let lanes = by_lane(&turn(&mut floor, 0));
    assert_eq!(lanes.into_iter().collect::<Vec<_>>(), [(slow[4], 10)]);
}

#[test]
fn a_lane_is_asked_again_when_it_is_due() {
    let mut floor = Floor::new(LIMITS);
    let lane = floor.add(Counted {
        from_ms: 5_000,
        ..Counted::new(1, 3)
    });
    assert!(turn(&mut floor, 0).is_empty());
    assert_eq!(floor.wakes_at(), Some(5_000));
    assert!(turn(&mut floor, 4_999).is_empty());
    assert_eq!(turn(&mut floor, 5_000).len(), 3);
    assert_eq!(floor.wakes_at(), None);
    floor.tell(6_000, lane, |lane| lane.left = 2);
    assert_eq!(turn(&mut floor, 6_000).len(), 2);
}

#[test]
fn a_lane_that_panics_leaves_the_others_alone_and_the_third_time_stays_away() {
    let mut floor = Floor::new(LIMITS);
    let good = floor.add(Counted::new(1, 10));
    let broken = || Counted {
        panics_at: Some(2),
        ..Counted::new(1, 4)
    };
    let bad = floor.add(broken());
    let mut verdicts = Vec::new();
    for round in 0..3 {
        let started = turn(&mut floor, round);
        assert!(started.iter().filter(|it| it.ticket.lane() == bad).count() <= 2);
        let fallen = floor.fallen();
        assert_eq!(fallen.len(), 1);
        assert_eq!((fallen[0].lane, fallen[0].remains.left), (bad, 2));
        assert!(fallen[0].message.contains("asked for the wrong one"));
        verdicts.push(fallen[0].verdict);
        // What is still out of the one that fell is not told to the next.
        floor.put_back(bad, broken());
        for it in started {
            floor.done(round, it.ticket, it.job);
        }
        assert!(floor.lane(bad).is_some_and(|lane| lane.heard.is_empty()));
    }
    assert_eq!(verdicts, [Verdict::Restart, Verdict::Restart, Verdict::Quarantine]);
    assert_eq!(floor.lane(good).map(|lane| lane.heard.len()), Some(10));
    assert_eq!(floor.slots().taken(), 0);
    // Falls that lie far apart are borne.
    let mut floor = Floor::new(LIMITS);
    let bad = floor.add(broken());
    for round in 0..6 {
        turn(&mut floor, round * (STRIKES_WINDOW_MS + 1));
        assert_eq!(floor.fallen()[0].verdict, Verdict::Restart);
        floor.put_back(bad, broken());
    }
}

#[test]
fn a_job_that_panics_takes_its_lane_along() {
    let mut floor = Floor::new(LIMITS);
    let lane = floor.add(Counted::new(1, 2));
    let tickets: Vec<Ticket> = turn(&mut floor, 0).into_iter().map(|it| it.ticket).collect();
    for ticket in tickets {
        floor.job_panicked(0, ticket, "the receiver is odd");
    }
    let fallen = floor.fallen();
    assert_eq!(fallen.len(), 1, "the second job was that of a lane that is gone");
    assert_eq!((fallen[0].lane, &*fallen[0].message), (lane, "the receiver is odd"));
    assert_eq!(floor.slots().taken(), 0);
    // So does hearing something.
    floor.put_back(lane, Counted::new(1, 0));
    assert_eq!(floor.tell(0, lane, |_| panic!("it cannot hear that")), None::<()>);
    assert_eq!(floor.fallen()[0].message, "it cannot hear that");
}

#[test]
fn a_slot_that_one_slow_lane_does_not_want_goes_to_the_next() {
    let mut floor = Floor::new(Limits { slow: 1, ..LIMITS });
    let slow = |group, left| Counted {
        slow: true,
        ..Counted::new(group, left)
    };
    floor.add(slow(1, 1));
    floor.add(slow(2, 0));
    let last = floor.add(slow(3, 1));
    let mut out = turn(&mut floor, 0);
    assert_eq!(out.len(), 1);
    let first = out.remove(0);
    floor.done(0, first.ticket, first.job);
    let next = turn(&mut floor, 0);
    assert_eq!(next.iter().map(|it| it.ticket.lane()).collect::<Vec<_>>(), [last]);
}
