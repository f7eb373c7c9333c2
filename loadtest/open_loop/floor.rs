//! The state of one thread: what is due, what waits, what is under way. Nothing here waits or reads the clock itself.

use super::Plan;
use super::movements::{Movement, Movements};
use super::pulse::Beat;
use super::recent::Recent;
use super::request::{Requests, Subject};
use super::samples::{self, Samples};
use super::task::{Later, Paid, Task};
use crate::flow::{Operation, Step};
use crate::merchants::Picker;
use crate::random::SplitMix64;
use crate::request::amount_of;
use crate::scenario::CardOutcome;
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
    window: Instant,
    pub(super) end: Instant,
    /// Draws flow, merchant and card of each arrival, and nothing else: the same seed sends the same, whatever comes of it.
    choices: SplitMix64,
    random: SplitMix64,
    flows: Picker,
    cards: Picker,
    numbers: u64,
    pub(super) later: BinaryHeap<Later>,
    pub(super) waiting: VecDeque<Task>,
    pub(super) under_way: usize,
    /// When the dispatcher looks next.
    pub(super) wake: Instant,
    pub(super) stopped: bool,
    recent: Recent,
    replayable: Recent,
    pub(super) samples: Samples,
    pub(super) movements: Movements,
    pub(super) beat: Beat,
}

/// What became of a try.
pub(super) struct Answered<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
    pub(super) retry_after_s: Option<u32>,
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
            choices: SplitMix64(plan.seed ^ crate::random::mix(0xc401ce + thread as u64)),
            random: SplitMix64(plan.seed ^ crate::random::mix(0x10ad + thread as u64)),
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
    fn enter_step(&mut self, mut task: Task, mut due: Instant) -> Option<Task> {
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
        (task.due, task.try_due, task.tries, task.uncertain, task.replays) = (due, due, 0, false, false);
        task.replays = operation == Operation::Replay;
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
        Some(task)
    }

    /// Draws a recent payment for a step that needs one; false if there is none.
    fn find_subject(&mut self, task: &mut Task, operation: Operation) -> bool {
        let found = match operation {
            Operation::Retrieve => self.recent.draw(&mut self.random),
            Operation::Charge | Operation::Replay => self.replayable.draw(&mut self.random),
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

    fn put_later(&mut self, task: Task) {
        if self.later.len() < LATER_MAX {
            self.later.push(Later(task));
        } else {
            self.samples
                .error("tool: more flows in a pause than it can hold".into(), 1);
            self.samples.cut += 1;
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
            self.count_due(self.operation(&task), task.due);
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
        self.count_failed(self.operation(&task), task.due);
    }

    /// Ends the schedule early: nothing new is sent, what may have moved money already is still asked for.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.samples.cut += self.waiting.len() as u64;
        self.waiting.clear();
        let later = std::mem::take(&mut self.later);
        self.later = later.into_iter().filter(|later| later.0.uncertain).collect();
    }

    /// Writes the request of a task into `out` and counts it as sent now.
    pub(super) fn send(&mut self, task: &mut Task, out: &mut Vec<u8>, now: Instant) {
        let operation = self.operation(task);
        let plan = self.plan.clone();
        let subject = Subject {
            key: plan.merchants.key(task.merchant),
            card: &plan.scenario.cards[usize::from(task.card)].name,
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

    fn operation(&self, task: &Task) -> Operation {
        match self.plan.scenario.flows[usize::from(task.flow)].steps[usize::from(task.step)] {
            Step::Send(operation) => operation,
            Step::Think { .. } => unreachable!("a task rests at requests only"),
        }
    }

    /// Takes a try without an answer; gives the task back if a next step is due at once.
    pub(super) fn broke(
        &mut self,
        task: Task,
        error: &crate::connection::TransportError,
        now: Instant,
    ) -> Option<Task> {
        self.beat.refused += 1;
        self.samples.row(now.saturating_duration_since(self.start)).refused += 1;
        self.again(task, format!("transport: {error}"), None, now, true)
    }

    /// Takes an answer; gives the task back if a next step is due at once.
    pub(super) fn answered(
        &mut self,
        mut task: Task,
        answer: &Answered<'_>,
        sent: Instant,
        now: Instant,
    ) -> Option<Task> {
        self.samples.bytes.1 += answer.body.len() as u64;
        let operation = self.operation(&task);
        let outcome = self.plan.scenario.cards[usize::from(task.card)].outcome;
        match answer.status {
            200 => match self.read_answer(&mut task, operation, outcome, answer.body) {
                Ok(goes_on) => {
                    self.count_good(operation, task.due, now, false);
                    self.next_step(task, now, goes_on)
                }
                Err(kind) => {
                    self.samples.error(kind, 1);
                    self.count_failed(operation, task.due);
                    None
                }
            },
            402 if outcome == CardOutcome::Declined && operation.asks_card() => {
                self.count_good(operation, task.due, now, true);
                None
            }
            409 | 429 | 500.. => {
                if answer.status == 429 || answer.status == 503 {
                    samples::record(&mut self.samples.refusal_us, now.saturating_duration_since(sent));
                }
                self.beat.refused += 1;
                self.samples.row(now.saturating_duration_since(self.start)).refused += 1;
                let kind = format!("{} {}", answer.status, crate::body::error_code(answer.body));
                // 409 (the same key is under way) and 5xx do not say what became of the request.
                let uncertain = answer.status != 429 && answer.status != 503;
                self.again(task, kind, answer.retry_after_s, now, uncertain)
            }
            status => {
                self.samples
                    .error(format!("{status} {}", crate::body::error_code(answer.body)), 1);
                self.count_failed(operation, task.due);
                None
            }
        }
    }

    /// Reads a 200: whether it says what it should, and whether the flow goes on.
    fn read_answer(
        &mut self,
        task: &mut Task,
        operation: Operation,
        outcome: CardOutcome,
        body: &[u8],
    ) -> Result<bool, String> {
        use crate::body::Payment;
        use crate::open_loop::task::Id;
        let missing = || format!("200 without what {} answers", operation.name());
        let id_of = |text: &str| Id::new(text).ok_or_else(|| "200 with an id that is none".to_string());
        let expected = match (operation, outcome) {
            (Operation::Pay | Operation::Confirm, CardOutcome::Succeeds) => "succeeded",
            (Operation::Authorize, CardOutcome::Succeeds) => "requires_capture",
            (Operation::Pay | Operation::Confirm | Operation::Authorize, CardOutcome::Processing) => "processing",
            (Operation::Pay | Operation::Confirm | Operation::Authorize, CardOutcome::Declined) => "declined",
            (Operation::Create, _) => "requires_confirmation",
            (Operation::Capture, _) => "succeeded",
            (Operation::Cancel, _) => "canceled",
            (Operation::Replay, _) => {
                if body_checksum(body) == task.payment.body {
                    return Ok(true);
                }
                self.samples.replay_differences += 1;
                return Err("200 with other bytes than the first answer".into());
            }
            (Operation::Refund, _) => {
                let refund = Payment::read_object(body).ok_or_else(missing)?;
                self.moved(task, id_of(&refund.id)?, -amount_of(task.payment.number));
                return if refund.status == "succeeded" {
                    Ok(true)
                } else {
                    Err(format!("200 with refund status {}", refund.status))
                };
            }
            (Operation::Retrieve, _) => {
                let payment = Payment::read(body).ok_or_else(missing)?;
                let same = payment.id.as_bytes() == task.payment.id.as_bytes();
                return same.then_some(true).ok_or_else(|| "200 with another payment".into());
            }
            (Operation::Charge | Operation::List | Operation::Customer | Operation::Balance | Operation::Events, _) => {
                return if body.first() == Some(&b'{') {
                    Ok(true)
                } else {
                    Err(missing())
                };
            }
        };
        let payment = Payment::read(body).ok_or_else(missing)?;
        let charge = id_of(payment.charge.as_deref().unwrap_or_default())?;
        let id = id_of(&payment.id)?;
        if !task.payment.id.is_empty() && task.payment.id != id {
            return Err("200 with another payment".into());
        }
        let whole = operation == Operation::Pay && payment.status == "succeeded";
        task.payment = Paid {
            merchant: task.merchant,
            id,
            charge,
            number: task.number,
            step: task.step,
            card: task.card,
            body: if whole { body_checksum(body) } else { 0 },
        };
        match &*payment.status {
            "succeeded" => self.moved(task, charge, amount_of(task.number)),
            "processing" => self.movements.open.push(Movement {
                merchant: task.merchant,
                source: id,
                amount: amount_of(task.number),
            }),
            _ => {}
        }
        if payment.status != expected {
            return Err(format!("200 with status {}, not {expected}", payment.status));
        }
        if operation.asks_card() {
            self.recent.push(task.payment);
            if whole {
                self.replayable.push(task.payment);
            }
        }
        Ok(outcome != CardOutcome::Processing || !operation.asks_card())
    }

    fn moved(&mut self, task: &Task, source: super::task::Id, amount: i64) {
        self.movements.done(Movement {
            merchant: task.merchant,
            source,
            amount,
        });
    }

    fn next_step(&mut self, mut task: Task, now: Instant, goes_on: bool) -> Option<Task> {
        if !goes_on || self.stopped {
            return None;
        }
        task.step += 1;
        let mut task = self.enter_step(task, now)?;
        self.take_up(&mut task, now);
        Some(task)
    }

    /// Lets a task try again later, or counts it as failed when it has no try left.
    fn again(
        &mut self,
        mut task: Task,
        kind: String,
        retry_after_s: Option<u32>,
        now: Instant,
        uncertain: bool,
    ) -> Option<Task> {
        /// Longest wait that a server may ask for, in seconds.
        const RETRY_AFTER_S_MAX: u32 = 60;
        /// Most doublings of the pause.
        const DOUBLINGS_MAX: u32 = 6;
        self.samples.error(kind, 1);
        task.uncertain |= uncertain;
        let client = &self.plan.scenario.client;
        if u32::from(task.tries) < client.tries_max && (!self.stopped || task.uncertain) {
            let doublings = u32::from(task.tries - 1).min(DOUBLINGS_MAX);
            let pause = client.backoff_s * f64::from(1u32 << doublings) * (0.5 + 0.5 * self.random.unit());
            let asked = f64::from(retry_after_s.unwrap_or(0).min(RETRY_AFTER_S_MAX));
            task.try_due = now + Duration::from_secs_f64(pause.max(asked));
            self.put_later(task);
            return None;
        }
        let operation = self.operation(&task);
        self.count_failed(operation, task.due);
        if task.uncertain {
            let amount = match operation {
                Operation::Pay | Operation::Confirm | Operation::Capture => amount_of(task.number),
                Operation::Refund => -amount_of(task.payment.number),
                _ => return None,
            };
            self.movements.unknown.push(Movement {
                merchant: task.merchant,
                source: super::task::Id::default(),
                amount,
            });
        }
        None
    }

    fn count_due(&mut self, operation: Operation, due: Instant) {
        self.beat.due += 1;
        self.samples.row(due.saturating_duration_since(self.start)).due += 1;
        if due >= self.window {
            self.samples.of_mut(operation).due += 1;
        }
    }

    fn count_good(&mut self, operation: Operation, due: Instant, now: Instant, declined: bool) {
        let latency = now.saturating_duration_since(due);
        self.beat.good += 1;
        samples::record(&mut self.beat.latency_us, latency);
        let row = self.samples.row(due.saturating_duration_since(self.start));
        row.good += 1;
        samples::record(&mut row.latency_us, latency);
        self.samples.row(now.saturating_duration_since(self.start)).answered += 1;
        if due >= self.window {
            let counts = self.samples.of_mut(operation);
            counts.good += 1;
            counts.declined += u64::from(declined);
            samples::record(&mut counts.latency_us, latency);
        }
    }

    fn count_failed(&mut self, operation: Operation, due: Instant) {
        self.beat.failed += 1;
        self.samples.row(due.saturating_duration_since(self.start)).failed += 1;
        if due >= self.window {
            self.samples.of_mut(operation).failed += 1;
        }
    }
}

/// A checksum that is never 0; its length is part of it.
pub(crate) fn body_checksum(body: &[u8]) -> u64 {
    u64::from(crc32c::crc32c(body)) << 32 | (body.len() as u64 & 0xffff_ffff) | 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchants::Merchants;
    use crate::scenario::Scenario;
    use crate::target::Target;

    fn floor() -> Floor {
        let text = "name = \"s\"\n[[rate.phase]]\nrate = 100\nseconds = 10\n[[flow]]\nname = \"f\"\n\
                    steps = [\"pay\", \"think 1\", \"retrieve\"]\n[client]\ntries_max = 2\n";
        let scenario = Scenario::parse(text).unwrap();
        let plan = Plan {
            target: Target::parse("http://127.0.0.1:1").unwrap(),
            merchants: Merchants::new(&scenario.merchants, None),
            run: 1,
            seed: 1,
            threads: 1,
            starts: scenario.rate.clone(),
            numbers_before: 0,
            server_pid: None,
            scenario,
        };
        Floor::new(Arc::new(plan), 0, Instant::now(), &[])
    }

    const MS: Duration = Duration::from_millis(1);
    const PAID: &[u8] = b"{\n  \"id\": \"pi_1\",\n  \"latest_charge\": \"ch_1\",\n  \"status\": \"succeeded\"\n}";

    fn answer(status: u16, body: &[u8]) -> Answered<'_> {
        Answered {
            status,
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
}
