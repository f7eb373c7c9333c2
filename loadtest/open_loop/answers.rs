//! What becomes of a try: its answer is read and counted, and the flow goes on, tries again, or ends.

use super::floor::Floor;
use super::movements::Movement;
use super::samples;
use super::task::{Id, Paid, Task};
use crate::body::Payment;
use crate::connection::TransportError;
use crate::flow::Operation;
use crate::request::amount_of;
use crate::scenario::CardOutcome;
use std::time::{Duration, Instant};

/// An answer.
pub(super) struct Answered<'a> {
    pub(super) status: u16,
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
    pub(super) retry_after_s: Option<u32>,
}

impl Floor {
    /// Takes a try without an answer; gives the task back if a next step is due at once.
    pub(super) fn broke(&mut self, task: Task, error: &TransportError, now: Instant) -> Option<Task> {
        self.count_refused(now);
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
            status if operation == Operation::Authenticate && !matches!(status, 409 | 429 | 500..) => {
                self.authentication_answered(task, answer, now)
            }
            200 => match self.read_answer(&mut task, operation, outcome, answer.body) {
                Ok(goes_on) if goes_on && outcome == CardOutcome::Authenticates && operation.asks_card() => {
                    match self.send_to_page(&task, answer.body, now) {
                        Ok(next) => {
                            self.count_good(operation, task.due, now, false);
                            next
                        }
                        Err(kind) => {
                            self.not_good(kind);
                            self.count_failed(operation, task.due);
                            None
                        }
                    }
                }
                Ok(goes_on) => {
                    self.count_good(operation, task.due, now, false);
                    self.note_paid(&task, operation, outcome, sent);
                    self.next_step(task, now, goes_on)
                }
                Err(kind) => {
                    self.not_good(kind);
                    self.count_failed(operation, task.due);
                    None
                }
            },
            402 if outcome == CardOutcome::Declined && operation.asks_card() => {
                self.count_good(operation, task.due, now, true);
                None
            }
            400 if operation == Operation::Misuse && crate::body::is_misuse(answer.body) => {
                self.count_good(operation, task.due, now, false);
                self.next_step(task, now, true)
            }
            409 | 429 | 500.. => {
                if answer.status == 429 || answer.status == 503 {
                    samples::record(&mut self.samples.refusal_us, now.saturating_duration_since(sent));
                    self.samples.refusals_without_time += u64::from(answer.retry_after_s.is_none());
                }
                self.count_refused(now);
                let kind = format!("{} {}", answer.status, crate::body::error_code(answer.body));
                // 409 (the same key is under way) and 5xx do not say what became of the request.
                let uncertain = answer.status != 429 && answer.status != 503;
                self.again(task, kind, answer.retry_after_s, now, uncertain)
            }
            status => {
                self.not_good(format!("{status} {}", crate::body::error_code(answer.body)));
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
        let missing = || format!("200 without what {} answers", operation.name());
        let id_of = |text: &str| Id::new(text).ok_or_else(|| "200 with an id that is none".to_string());
        let expected = match (operation, outcome) {
            (Operation::Pay | Operation::Twice | Operation::Confirm, CardOutcome::Succeeds) => "succeeded",
            (Operation::Authorize, CardOutcome::Succeeds) => "requires_capture",
            (asks, CardOutcome::Processing) if asks.asks_card() => "processing",
            (asks, CardOutcome::Declined) if asks.asks_card() => "declined",
            (asks, CardOutcome::Authenticates) if asks.asks_card() => "requires_action",
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
            (Operation::Authenticate, _) => unreachable!("its answers are read elsewhere"),
            (Operation::Misuse, _) => {
                self.samples.replay_differences += 1;
                return Err("200 to another request under the key of a first one".into());
            }
            (Operation::Retrieve, _) => {
                let id = Payment::id(body).ok_or_else(missing)?;
                let same = id.as_bytes() == task.payment.id.as_bytes();
                return same.then_some(true).ok_or_else(|| "200 with another payment".into());
            }
            (Operation::Charge | Operation::List | Operation::Customer | Operation::Balance | Operation::Events, _) => {
                return if body.first() == Some(&b'{') {
                    Ok(true)
                } else {
                    Err(missing())
                };
            }
            (Operation::Pay | Operation::Twice | Operation::Confirm | Operation::Authorize, _) => {
                unreachable!("every outcome of a card was looked at")
            }
        };
        let payment = Payment::read(body).ok_or_else(missing)?;
        let charge = id_of(payment.charge.as_deref().unwrap_or_default())?;
        let id = id_of(&payment.id)?;
        if !task.payment.id.is_empty() && task.payment.id != id {
            return Err("200 with another payment".into());
        }
        if operation == Operation::Twice && !self.first_of_twins(task.number, body)? {
            return Ok(false);
        }
        let at_once = matches!(operation, Operation::Pay | Operation::Twice);
        let asks = payment.status == "requires_action";
        let whole = at_once && (asks || payment.status == "succeeded");
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
        // One that is still to be authenticated has no outcome yet.
        if operation.asks_card() && !asks {
            self.recent.push(task.payment);
            if whole {
                self.replayable.push(task.payment);
            }
        }
        Ok(outcome != CardOutcome::Processing || !operation.asks_card())
    }

    /// Keeps when a payment was asked for, to time the webhook that says that it is paid.
    fn note_paid(&mut self, task: &Task, operation: Operation, outcome: CardOutcome, sent: Instant) {
        let pays = match operation {
            Operation::Capture => true,
            Operation::Pay | Operation::Twice | Operation::Confirm => outcome == CardOutcome::Succeeds,
            _ => false,
        };
        // Every payment has a movement, and their number is bounded.
        if pays && self.plan.webhooks > 0 && self.movements.paid.len() < self.movements.done.len() {
            self.movements
                .paid
                .push((crate::sink::name(task.payment.id.as_str()), sent));
        }
    }

    pub(super) fn moved(&mut self, task: &Task, source: Id, amount: i64) {
        self.movements.done(Movement {
            merchant: task.merchant,
            source,
            amount,
        });
    }

    pub(super) fn next_step(&mut self, mut task: Task, now: Instant, goes_on: bool) -> Option<Task> {
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
        self.not_good(kind);
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
        self.fail(&task);
        None
    }

    /// Counts a request that has no try left.
    pub(super) fn fail(&mut self, task: &Task) {
        let operation = self.operation(task);
        self.count_failed(operation, task.due);
        if let Some(stage) = &task.authentication {
            self.lost_authentication(task, stage);
            return;
        }
        let outcome = self.plan.scenario.cards[usize::from(task.card)].outcome;
        // A card that asks first moves nothing by being asked.
        if !task.uncertain || (operation.asks_card() && outcome == CardOutcome::Authenticates) {
            return;
        }
        let amount = match operation {
            Operation::Pay | Operation::Twice | Operation::Confirm | Operation::Capture => amount_of(task.number),
            Operation::Refund => -amount_of(task.payment.number),
            _ => return,
        };
        self.movements.unknown.push(Movement {
            merchant: task.merchant,
            source: Id::default(),
            amount,
        });
    }

    /// Whether this is the first of two answers to one key; the second must have the same bytes.
    fn first_of_twins(&mut self, number: u64, body: &[u8]) -> Result<bool, String> {
        /// Most pairs of which one answer is still out; more than can be under way.
        const PAIRS_MAX: usize = 1_000_000;
        let Some(first) = self.twins.remove(&number) else {
            if self.twins.len() < PAIRS_MAX {
                self.twins.insert(number, body_checksum(body));
            }
            return Ok(true);
        };
        if first == body_checksum(body) {
            return Ok(false);
        }
        self.samples.replay_differences += 1;
        Err("200 with other bytes than the answer to the same key".into())
    }

    pub(super) fn not_good(&mut self, kind: String) {
        self.beat.error(&kind);
        self.samples.error(kind, 1);
    }

    fn count_refused(&mut self, now: Instant) {
        self.beat.refused += 1;
        self.samples.row(now.saturating_duration_since(self.start)).refused += 1;
    }

    pub(super) fn count_due(&mut self, operation: Operation, due: Instant) {
        self.beat.due += 1;
        self.samples.row(due.saturating_duration_since(self.start)).due += 1;
        if due >= self.window {
            self.samples.of_mut(operation).due += 1;
        }
    }

    pub(super) fn count_good(&mut self, operation: Operation, due: Instant, now: Instant, declined: bool) {
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

    pub(super) fn count_failed(&mut self, operation: Operation, due: Instant) {
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
