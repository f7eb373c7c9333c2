//! Where the lanes of one thread stand, and whose turn it is.

use crate::dues::Dues;
use crate::slots::{Limits, NoSlot, Slots};
use crate::strikes::Strikes;
use hashbrown::HashMap;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Jobs that a group may start before the next one's turn.
const QUANTUM: u32 = 8;
/// Lanes asked in one turn, so that their thread hears what has come meanwhile.
const ASKED_MAX: usize = 2_048;

/// Everything that is to be done for one receiver.
pub trait Lane {
    /// What it does outside, in a slot.
    type Job;
    /// What comes of a job.
    type Done;

    /// Its next job, if there is one now. Asked when there is room for it, after anything was heard or done and when it is due.
    fn next(&mut self, now_ms: u64) -> Option<Self::Job>;

    /// Hears what came of a job.
    fn done(&mut self, now_ms: u64, done: Self::Done);

    /// When [`Lane::next`] may have something although nothing was heard.
    fn wakes_at(&self) -> Option<u64>;

    /// Whose it is: lanes of a group share its turns and slots.
    fn group(&self) -> u64;

    /// Whether its jobs take long: slow lanes share a class of slots.
    fn is_slow(&self) -> bool;
}

/// A lane's place on its floor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LaneId(u32);

/// A slot that a job has. Goes back to the floor with what came of the job.
#[derive(Debug)]
pub struct Ticket {
    lane: LaneId,
    incarnation: u64,
    group: u64,
    slow: bool,
}

impl Ticket {
    /// Whose job it is.
    pub fn lane(&self) -> LaneId {
        self.lane
    }
}

/// A job that is to be started now.
#[derive(Debug)]
pub struct Started<J> {
    /// Its slot.
    pub ticket: Ticket,
    /// The job.
    pub job: J,
}

/// A lane that panicked and is off the floor.
#[derive(Debug)]
pub struct Fallen<L> {
    /// Where it stood: [`Floor::put_back`] wants it.
    pub lane: LaneId,
    /// What is left of it. Nothing in it can be trusted but what its own code saves elsewhere.
    pub remains: L,
    /// What it said.
    pub message: String,
    /// What is to become of it.
    pub verdict: Verdict,
}

/// What is to become of a lane that fell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A new one, from what was saved.
    Restart,
    /// It fell too often: nothing, until somebody says otherwise.
    Quarantine,
}

/// The lanes of one thread.
pub struct Floor<L: Lane> {
    places: Vec<Place<L>>,
    free: Vec<u32>,
    /// Counts lanes that ever stood here, so that what comes of an earlier one's job is not told to a later one.
    incarnations: u64,
    /// Groups with lanes that may have a job, in the order of their turns.
    ring: VecDeque<u64>,
    groups: HashMap<u64, Group>,
    /// Slow lanes that wait for a slot of their class.
    slow_waiting: VecDeque<u32>,
    dues: Dues,
    slots: Slots,
    fallen: Vec<Fallen<L>>,
}

struct Place<L> {
    lane: Option<L>,
    incarnation: u64,
    /// Whether it stands in the queue of its group, or among the slow ones that wait.
    queued: bool,
    /// Whether the lane was removed while it stood in a queue: the place is free when the queue has come by it.
    retired: bool,
    strikes: Strikes,
}

#[derive(Default)]
struct Group {
    ready: VecDeque<u32>,
    deficit: u32,
    in_ring: bool,
}

impl<L: Lane> Floor<L> {
    /// An empty floor.
    pub fn new(limits: Limits) -> Floor<L> {
        Floor {
            places: Vec::new(),
            free: Vec::new(),
            incarnations: 0,
            ring: VecDeque::new(),
            groups: HashMap::new(),
            slow_waiting: VecDeque::new(),
            dues: Dues::default(),
            slots: Slots::new(limits),
            fallen: Vec::new(),
        }
    }

    /// Puts a lane on the floor. It is asked for a job in the next turn.
    pub fn add(&mut self, lane: L) -> LaneId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                lane: None,
                incarnation: 0,
                queued: false,
                retired: false,
                strikes: Strikes::default(),
            });
            (self.places.len() - 1) as u32
        });
        self.places[index as usize].strikes = Strikes::default();
        self.put_back(LaneId(index), lane);
        LaneId(index)
    }

    /// Puts a new lane in the place of one that fell.
    ///
    /// # Panics
    /// When one stands there.
    pub fn put_back(&mut self, id: LaneId, lane: L) {
        self.incarnations += 1;
        let place = &mut self.places[id.0 as usize];
        assert!(place.lane.is_none(), "a lane stands there");
        place.lane = Some(lane);
        place.incarnation = self.incarnations;
        self.enqueue(id.0);
    }

    /// Takes a lane off the floor for good; its place may be another's next. What its jobs still say is not heard.
    pub fn remove(&mut self, id: LaneId) -> Option<L> {
        let place = &mut self.places[id.0 as usize];
        place.incarnation = 0;
        let lane = place.lane.take();
        self.dues.set(id.0, None);
        match place.queued {
            true => place.retired = true,
            false => self.free.push(id.0),
        }
        lane
    }

    /// The lane, to look at.
    pub fn lane(&self, id: LaneId) -> Option<&L> {
        self.places.get(id.0 as usize)?.lane.as_ref()
    }

    /// The lane, for something that gives it nothing to do. A panic in there is the caller's.
    pub fn lane_mut(&mut self, id: LaneId) -> Option<&mut L> {
        self.places.get_mut(id.0 as usize)?.lane.as_mut()
    }

    /// Lets the lane hear something. It is asked for a job in the next turn. `None` when it is not there, or fell over it.
    pub fn tell<T>(&mut self, now_ms: u64, id: LaneId, hear: impl FnOnce(&mut L) -> T) -> Option<T> {
        let lane = self.places.get_mut(id.0 as usize)?.lane.as_mut()?;
        match catch_unwind(AssertUnwindSafe(|| hear(lane))) {
            Ok(heard) => {
                self.enqueue(id.0);
                Some(heard)
            }
            Err(panic) => {
                self.fell(now_ms, id.0, &*panic);
                None
            }
        }
    }

    /// Takes back the slot of a job, and lets its lane hear what came of it, if it still stands there.
    pub fn done(&mut self, now_ms: u64, ticket: Ticket, done: L::Done) {
        self.give_back(&ticket);
        if self.stands(&ticket) {
            self.tell(now_ms, ticket.lane, |lane| lane.done(now_ms, done));
        }
    }

    /// Takes back the slot of a job that panicked; its lane falls with it.
    pub fn job_panicked(&mut self, now_ms: u64, ticket: Ticket, message: &str) {
        self.give_back(&ticket);
        if self.stands(&ticket) {
            self.fell(now_ms, ticket.lane.0, &message.to_owned());
        }
    }

    /// Gives lanes their turns, as far as there are slots: appends the jobs that are to be started, some `starts_max` (the last
    /// group's turn is not cut short). True when it stopped only for having done much, and wants another turn soon.
    pub fn turn(&mut self, now_ms: u64, starts_max: usize, out: &mut Vec<Started<L::Job>>) -> bool {
        while let Some(lane) = self.dues.pop(now_ms) {
            self.enqueue(lane);
        }
        let mut asked = 0;
        let until = out.len().saturating_add(starts_max);
        loop {
            let Some(&group) = self.ring.front() else {
                // A slot that was free for one slow lane, and that it did not want, is the next one's.
                if self.slots.has_slow() && self.wake_slow() {
                    continue;
                }
                return false;
            };
            if asked >= ASKED_MAX || out.len() >= until {
                return true;
            }
            match self.serve(now_ms, group, &mut asked, out) {
                Served::Enough => self.ring.rotate_left(1),
                Served::Nothing => self.leave_ring(group, true),
                Served::NoSlotOfGroup => self.leave_ring(group, false),
                Served::NoSlot => return false,
            }
        }
    }

    /// When a turn is wanted although nothing was heard.
    pub fn wakes_at(&mut self) -> Option<u64> {
        self.dues.next_ms()
    }

    /// Lanes that fell since this was asked last.
    pub fn fallen(&mut self) -> Vec<Fallen<L>> {
        std::mem::take(&mut self.fallen)
    }

    /// The slots of this floor.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// How many groups have a lane that may have a job.
    pub fn groups_ready(&self) -> usize {
        self.ring.len()
    }

    /// The lanes of so many places from this one on, each with whether it waits for its turn: so that whoever wants to see all
    /// of them can do so in parts. `None` when there are no places any more.
    pub fn lanes_from(&self, first: usize, most: usize) -> Option<impl Iterator<Item = (&L, bool)>> {
        let places = self.places.get(first..).filter(|places| !places.is_empty())?;
        let places = places.iter().take(most);
        Some(places.filter_map(|place| Some((place.lane.as_ref()?, place.queued))))
    }

    /// One turn of a group.
    fn serve(&mut self, now_ms: u64, group: u64, asked: &mut usize, out: &mut Vec<Started<L::Job>>) -> Served {
        let known = self.groups.get_mut(&group).expect("a group of the ring is known");
        if known.deficit == 0 {
            known.deficit = QUANTUM;
        }
        loop {
            let known = self.groups.get_mut(&group).expect("a group of the ring is known");
            if known.deficit == 0 {
                return if known.ready.is_empty() {
                    Served::Nothing
                } else {
                    Served::Enough
                };
            }
            let Some(&index) = known.ready.front() else {
                return Served::Nothing;
            };
            if self.places[index as usize].lane.is_none() {
                known.ready.pop_front();
                self.dequeued(index);
                continue;
            }
            let place = &mut self.places[index as usize];
            let lane = place.lane.as_mut().expect("a lane stands there");
            let slow = lane.is_slow();
            match self.slots.free(group, slow) {
                Ok(()) => {}
                Err(NoSlot::Total) => return Served::NoSlot,
                Err(NoSlot::Group) => return Served::NoSlotOfGroup,
                Err(NoSlot::Slow) => {
                    known.ready.pop_front();
                    self.slow_waiting.push_back(index);
                    continue;
                }
            }
            *asked += 1;
            known.ready.pop_front();
            place.queued = false;
            match catch_unwind(AssertUnwindSafe(|| (lane.next(now_ms), lane.wakes_at()))) {
                Ok((Some(job), _)) => {
                    known.deficit -= 1;
                    // Behind the others of its group: they take turns too.
                    known.ready.push_back(index);
                    place.queued = true;
                    self.slots.take(group, slow).expect("a slot was free a moment ago");
                    let ticket = Ticket {
                        lane: LaneId(index),
                        incarnation: place.incarnation,
                        group,
                        slow,
                    };
                    out.push(Started { ticket, job });
                }
                Ok((None, wakes_at)) => self.dues.set(index, wakes_at),
                Err(panic) => self.fell(now_ms, index, &*panic),
            }
            if *asked >= ASKED_MAX {
                return Served::Enough;
            }
        }
    }

    fn enqueue(&mut self, index: u32) {
        let place = &mut self.places[index as usize];
        let Some(lane) = &place.lane else { return };
        if place.queued {
            return;
        }
        place.queued = true;
        let group = lane.group();
        let known = self.groups.entry(group).or_default();
        known.ready.push_back(index);
        if !known.in_ring {
            known.in_ring = true;
            self.ring.push_back(group);
        }
    }

    /// Takes the group in front out of the ring; one that has nothing to do is forgotten.
    fn leave_ring(&mut self, group: u64, forget: bool) {
        let left = self.ring.pop_front();
        debug_assert_eq!(left, Some(group), "the group in front was served");
        if forget {
            self.groups.remove(&group);
        } else if let Some(known) = self.groups.get_mut(&group) {
            known.in_ring = false;
        }
    }

    fn give_back(&mut self, ticket: &Ticket) {
        self.slots.give_back(ticket.group, ticket.slow);
        if let Some(known) = self.groups.get_mut(&ticket.group)
            && !known.in_ring
            && !known.ready.is_empty()
        {
            known.in_ring = true;
            self.ring.push_back(ticket.group);
        }
        if ticket.slow {
            self.wake_slow();
        }
    }

    /// Lets the next slow lane that waits have its turn. False when none does.
    fn wake_slow(&mut self) -> bool {
        while let Some(index) = self.slow_waiting.pop_front() {
            self.dequeued(index);
            if self.places[index as usize].lane.is_some() {
                self.enqueue(index);
                return true;
            }
        }
        false
    }

    /// The place was taken out of a queue.
    fn dequeued(&mut self, index: u32) {
        let place = &mut self.places[index as usize];
        place.queued = false;
        if std::mem::take(&mut place.retired) {
            self.free.push(index);
        }
    }

    fn stands(&self, ticket: &Ticket) -> bool {
        self.places[ticket.lane.0 as usize].incarnation == ticket.incarnation
    }

    fn fell(&mut self, now_ms: u64, index: u32, panic: &(dyn Any + Send)) {
        let place = &mut self.places[index as usize];
        let Some(remains) = place.lane.take() else { return };
        place.incarnation = 0;
        let quarantine = place.strikes.strike(now_ms);
        self.dues.set(index, None);
        self.fallen.push(Fallen {
            lane: LaneId(index),
            remains,
            message: message(panic),
            verdict: if quarantine {
                Verdict::Quarantine
            } else {
                Verdict::Restart
            },
        });
    }
}

enum Served {
    /// It had its share and wants more.
    Enough,
    /// Nothing is left to do.
    Nothing,
    /// It has as many slots as a group may have.
    NoSlotOfGroup,
    /// There are no slots at all.
    NoSlot,
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&'static str>().copied());
    text.unwrap_or("no message").to_owned()
}
