//! The state of one thread: what is due, what waits, what is under way. Nothing here waits or reads the clock itself.

use super::Plan;
use super::movements::Movements;
use super::pulse::Beat;
use super::recent::Recent;
use super::request::{Requests, Subject};
use super::samples::{self, Samples};
use super::task::{Later, Paid, Task};
use crate::flow::{Operation, Step};
use crate::merchants::Picker;
use crate::random::SplitMix64;
use crate::scenario::CardOutcome;
use hashbrown::HashMap;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most tasks of a thread that wait for a connection; with more the target rate is long out of reach.
const WAITING_MAX: usize = 250_000;
/// Most tasks of a thread that wait for their time: flows in a pause, and tries after a refusal.
const LATER_MAX: usize = 1_000_000;

/// The state.
pub(crate) struct Floor {
    pub(super) plan: Arc<Plan>,
    pub(super) requests: Requests,
    thread: usize,
    /// When the schedule starts, and when its measured part starts and the whole ends.
    pub(super) start: Instant,
    pub(super) window: Instant,
    pub(super) end: Instant,
    /// Draws flow, merchant and card of each arrival, and nothing else: the same seed sends the same, whatever comes of it.
    choices: SplitMix64,
    pub(super) random: SplitMix64,
    flows: Picker,
    cards: Picker,
    numbers: u64,
    pub(super) later: BinaryHeap<Later>,
    pub(super) waiting: VecDeque<Task>,
    pub(super) under_way: usize,
    /// When the dispatcher looks next.
    pub(super) wake: Instant,
    pub(super) stopped: bool,
    pub(super) recent: Recent,
    pub(super) replayable: Recent,
    /// Time that a request waits for a connection at most.
    patience: Option<Duration>,
    /// Checksums of first answers to requests that were sent twice at once, by number.
    pub(super) twins: HashMap<u64, u64>,
    pub(super) samples: Samples,
    pub(super) movements: Movements,
    pub(super) beat: Beat,
}

impl Floor {
    pub(super) fn new(plan: Arc<Plan>, thread: usize, start: Instant, known: &[Paid]) -> Floor {
        let scenario = &plan.scenario;
        let mut recent = Recent::default();
        let mut replayable = Recent::default();
        for paid in known {
            recent.push(*paid);
            replayable.push(*paid);
        }
        Floor {
            requests: Requests::new(&plan.target, plan.run),
            thread,
            start,
            window: start + Duration::from_secs_f64(scenario.warmup_s),
            end: start + Duration::from_secs_f64(plan.starts.seconds()),
            choices: SplitMix64(plan.chance() ^ crate::random::mix(0xc401ce + thread as u64)),
            random: SplitMix64(plan.chance() ^ crate::random::mix(0x10ad + thread as u64)),
            patience: scenario.client.patience_s.map(Duration::from_secs_f64),
            flows: Picker::new(scenario.flows.iter().map(|flow| flow.weight)),
            cards: Picker::new(scenario.cards.iter().map(|card| card.weight)),
            // The first numbers are those of the payments made before.
            numbers: 1 + plan.numbers_before / plan.threads as u64,
            later: BinaryHeap::new(),
            waiting: VecDeque::new(),
            under_way: 0,
            wake: start,
            stopped: false,
            recent,
            replayable,
            twins: HashMap::new(),
            samples: Samples::new(plan.starts.seconds()),
            movements: Movements::default(),
            beat: Beat::default(),
            plan,
        }
    }

    /// A new flow whose first step is due at `due`; `None` if it waits for its time first.
    pub(super) fn begin(&mut self, due: Instant) -> Option<Task> {
        let flow = self.flows.pick(&mut self.choices);
        let merchant = self.plan.merchants.pick(&mut self.choices);
        let card = self.cards.pick(&mut self.choices);
        let number = self.numbers * self.plan.threads as u64 + self.thread as u64;
        self.numbers += 1;
        let mut task = Task::new(flow as u16, merchant, number, card as u16, due);
        task.payment.merchant = merchant;
        self.enter_step(task, due)
    }

    /// Makes the task's step due, which may be a pause; `None` if it waits for its time now, or cannot be done.
    pub(super) fn enter_step(&mut self, mut task: Task, mut due: Instant) -> Option<Task> {
        let plan = self.plan.clone();
        let steps = &plan.scenario.flows[usize::from(task.flow)].steps;
        let mut paused = false;
        let operation = loop {
            match steps.get(usize::from(task.step))? {
                Step::Send(operation) => break *operation,
                Step::Think { from_s, to_s } => {
                    due += Duration::from_secs_f64(from_s + (to_s - from_s) * self.random.unit());
                    task.step += 1;
                    paused = true;
                }
            }
        };
        if due >= self.end {
            return None;
        }
        (task.due, task.try_due, task.tries, task.uncertain) = (due, due, 0, false);
        task.replays = matches!(operation, Operation::Replay | Operation::Misuse);
        if task.payment.id.is_empty() && !self.find_subject(&mut task, operation) {
            self.count_due(operation, due);
            self.samples
                .error("nothing to read yet: raise payments_before".into(), 1);
            self.count_failed(operation, due);
            return None;
        }
        if paused {
            self.put_later(task);
            return None;
        }
        self.count_due(operation, due);
        if operation == Operation::Twice {
            self.put_twin(&task);
        }
        Some(task)
    }

    /// Draws a recent payment for a step that needs one; false if there is none.
    fn find_subject(&mut self, task: &mut Task, operation: Operation) -> bool {
        let found = match operation {
            Operation::Retrieve => self.recent.draw(&mut self.random),
            Operation::Charge | Operation::Replay | Operation::Misuse => self.replayable.draw(&mut self.random),
            _ => return true,
        };
        let Some(paid) = found else { return false };
        task.payment = paid;
        task.merchant = paid.merchant;
        if task.replays {
            (task.number, task.card) = (paid.number, paid.card);
        }
        true
    }

    /// Sends the same request a second time at the same moment, on another connection.
    fn put_twin(&mut self, task: &Task) {
        let mut twin = task.clone();
        twin.twin = true;
        self.put_later(twin);
    }

    pub(super) fn put_later(&mut self, task: Task) {
        if self.later.len() < LATER_MAX {
            self.later.push(Later(task));
            return;
        }
        self.samples
            .error("tool: more flows in a pause than it can hold".into(), 1);
        self.samples.lost_by_tool += 1;
        if task.tries > 0 {
            self.fail(&task);
        }
    }

    /// Whether a task is due before the dispatcher would look.
    pub(super) fn must_wake(&self) -> bool {
        self.later.peek().is_some_and(|later| later.0.try_due < self.wake)
    }

    /// Takes the next task out of those that wait for their time, if it has come.
    pub(super) fn come(&mut self, now: Instant) -> Option<Task> {
        let top = self.later.peek()?;
        if top.0.try_due > now {
            return None;
        }
        let task = self.later.pop()?.0;
        if task.tries == 0 {
            let operation = self.operation(&task);
            self.count_due(operation, task.due);
            if operation == Operation::Twice && !task.twin {
                self.put_twin(&task);
            }
        }
        Some(task)
    }

    /// Notes that the dispatcher took a task up now.
    pub(super) fn take_up(&mut self, task: &mut Task, now: Instant) {
        (task.taken, task.handed) = (now, now);
    }

    /// Lets a task wait for a connection.
    pub(super) fn wait(&mut self, task: Task) {
        self.samples.waited += 1;
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(task);
            return;
        }
        self.samples
            .error("tool: more requests waited for a connection than it can hold".into(), 1);
        self.fail(&task);
    }

    /// The task that has waited longest for a connection. Those whose clients have lost patience meanwhile fail.
    pub(super) fn next_waiting(&mut self, now: Instant) -> Option<Task> {
        self.lose_patience(now);
        self.waiting.pop_front()
    }

    /// Fails the tasks that have waited longer for a connection than their clients would.
    pub(super) fn lose_patience(&mut self, now: Instant) {
        let Some(patience) = self.patience else { return };
        // In the order in which they began to wait.
        while self
            .waiting
            .front()
            .is_some_and(|task| now.saturating_duration_since(task.taken) > patience)
        {
            let task = self.waiting.pop_front().expect("it was just seen");
            self.samples
                .error("client: gave up waiting for a free connection".into(), 1);
            self.fail(&task);
        }
    }

    /// Ends the schedule early: nothing new is sent, what may have moved money already is still asked for.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        let waiting = self.waiting.len();
        self.waiting.retain(|task| task.uncertain);
        self.samples.cut += (waiting - self.waiting.len()) as u64;
        let later = std::mem::take(&mut self.later);
        self.later = later.into_iter().filter(|later| later.0.uncertain).collect();
    }

    /// Writes the request of a task into `out` and counts it as sent now.
    pub(super) fn send(&mut self, task: &mut Task, out: &mut Vec<u8>, now: Instant) {
        let operation = self.operation(task);
        let plan = self.plan.clone();
        let card = &plan.scenario.cards[usize::from(task.card)];
        let subject = Subject {
            key: plan.merchants.key(task.merchant),
            card: &card.name,
            returns: card.outcome == CardOutcome::Authenticates,
        };
        self.requests.write(out, task, operation, &subject);
        task.tries += 1;
        // The tool's own share of the delay: until the dispatcher saw it, and from a connection's turn to the socket.
        let lag = task.taken.saturating_duration_since(task.try_due) + now.saturating_duration_since(task.handed);
        self.samples.sent += 1;
        self.samples.bytes.0 += out.len() as u64;
        let since = task.try_due.saturating_duration_since(self.start);
        let lag_us = lag.as_micros() as u64;
        let row = self.samples.row(since);
        row.lag_max_us = row.lag_max_us.max(lag_us);
        if task.try_due >= self.window {
            samples::record(&mut self.samples.lag_us, lag);
        }
        self.beat.sent += 1;
        self.beat.lag_max_us = self.beat.lag_max_us.max(lag_us);
    }

    /// What the task's next request is.
    pub(super) fn operation(&self, task: &Task) -> Operation {
        match task.authentication {
            None => self.step_operation(task),
            Some(_) => Operation::Authenticate,
        }
    }

    /// What its step is.
    pub(super) fn step_operation(&self, task: &Task) -> Operation {
        match self.plan.scenario.flows[usize::from(task.flow)].steps[usize::from(task.step)] {
            Step::Send(operation) => operation,
            Step::Think { .. } => unreachable!("a task rests at requests only"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchants::Part;
    use crate::open_loop::answers::Answered;
    use crate::request::amount_of;
    use crate::scenario::Scenario;
    use crate::target::Target;

    fn floor() -> Floor {
        let text = "name = \"s\"\n[[rate.phase]]\nrate = 100\nseconds = 10\n[[flow]]\nname = \"f\"\n\
                    steps = [\"pay\", \"think 1\", \"retrieve\"]\n[client]\ntries_max = 2\n";
        let scenario = Scenario::parse(text).unwrap();
        let target = Target::parse("http://127.0.0.1:1").unwrap();
        let plan = Plan {
            run: 1,
            numbers_before: 0,
            ..Plan::new(scenario, target, None, Part::WHOLE, 1)
        };
        Floor::new(Arc::new(plan), 0, Instant::now(), &[])
    }

    const MS: Duration = Duration::from_millis(1);
    const PAID: &[u8] = b"{\n  \"id\": \"pi_1\",\n  \"latest_charge\": \"ch_1\",\n  \"status\": \"succeeded\"\n}";

    fn answer(status: u16, body: &[u8]) -> Answered<'_> {
        Answered {
            status,
            head: b"",
            body,
            retry_after_s: None,
        }
    }

    #[test]
    fn lag_is_what_the_tool_adds_and_waiting_for_a_connection_is_not() {
        let mut floor = floor();
        let due = floor.start + 100 * MS;
        let mut task = floor.begin(due).unwrap();
        // Seen 7 ms late, then 50 ms without a free connection, then 2 ms from its turn to the socket.
        floor.take_up(&mut task, due + 7 * MS);
        task.handed = due + 57 * MS;
        floor.send(&mut task, &mut Vec::new(), due + 59 * MS);
        assert_eq!(floor.samples.lag_us.max() / 1_000, 9);
        assert_eq!(floor.samples.rows[0].lag_max_us, 9_000);
        assert!(
            floor
                .answered(task, &answer(200, PAID), due + 59 * MS, due + 60 * MS)
                .is_none()
        );
        let pay = floor.samples.of(Operation::Pay);
        assert_eq!(
            (pay.due, pay.good, pay.latency_us.max() / 1_000),
            (1, 1, 60),
            "latency counts from the due time"
        );
    }

    #[test]
    fn a_step_after_a_pause_is_due_from_the_answer_on() {
        let mut floor = floor();
        let due = floor.start;
        let mut task = floor.begin(due).unwrap();
        floor.send(&mut task, &mut Vec::new(), due);
        let answered = due + 40 * MS;
        assert!(floor.answered(task, &answer(200, PAID), due, answered).is_none());
        assert!(floor.come(answered + 999 * MS).is_none());
        let next = floor.come(answered + 1_000 * MS).unwrap();
        assert_eq!((next.due, next.payment.id.as_str()), (answered + 1_000 * MS, "pi_1"));
    }

    #[test]
    fn a_refused_request_keeps_its_due_time_and_fails_when_no_try_is_left() {
        let mut floor = floor();
        let due = floor.start;
        let mut task = floor.begin(due).unwrap();
        floor.send(&mut task, &mut Vec::new(), due);
        assert!(floor.answered(task, &answer(429, b"{}"), due, due + MS).is_none());
        let mut again = floor.come(due + 1_000 * MS).unwrap();
        assert_eq!((again.due, again.tries), (due, 1));
        floor.send(&mut again, &mut Vec::new(), due + 1_000 * MS);
        assert!(
            floor
                .answered(again, &answer(503, b"{}"), due, due + 1_001 * MS)
                .is_none()
        );
        assert_eq!(
            (
                floor.samples.of(Operation::Pay).due,
                floor.samples.of(Operation::Pay).failed
            ),
            (1, 1)
        );
        assert!(floor.movements.unknown.is_empty(), "a refusal moves nothing");
    }

    #[test]
    fn silence_leaves_it_open_whether_money_moved() {
        let mut floor = floor();
        let due = floor.start;
        let mut task = floor.begin(due).unwrap();
        for _ in 0..2 {
            floor.send(&mut task, &mut Vec::new(), due);
            let _ = floor.broke(task.clone(), &crate::connection::TransportError::Timeout, due);
            if let Some(again) = floor.come(due + 1_000 * MS) {
                task = again;
            }
        }
        assert_eq!(floor.movements.unknown.len(), 1);
        assert_eq!(floor.movements.unknown[0].amount, amount_of(task.number));
    }

    #[test]
    fn a_stop_drops_what_waits_but_not_what_may_have_moved_money() {
        let mut floor = floor();
        for uncertain in [true, false] {
            let mut task = floor.begin(floor.start).unwrap();
            task.uncertain = uncertain;
            floor.wait(task);
        }
        floor.stop();
        assert_eq!((floor.waiting.len(), floor.samples.cut), (1, 1));
        assert!(floor.waiting[0].uncertain);
    }
}
