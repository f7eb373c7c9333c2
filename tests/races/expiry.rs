//! A hold's end against those who still want it: capture, cancel and the timer of seven days, on the real shard, whose time
//! passes when the test says so. Over sockets nobody can wait a week, and a server whose clock leaps rests its timers.
//!
//! Every run draws the moments from its seed: requests in the last and first milliseconds, blocks that become durable
//! later, an open capture whose network is silent, a kill. Its history must be linearizable by the same checker, and in
//! the end the hold has exactly one outcome, with the money to match.

use crate::account::World;
use crate::checker::Span;
use crate::driver::Driver;
use crate::history::{Answer, Call, Card, Code, Op, Shown, Status};
use crate::office::{Desk, cancel, capture, hold, merchant, object};
use crate::random::Random;
use crate::rounds::{judge, rounds};
use std::collections::BTreeSet;
use tollgate_actors::settings::ShardSettings;
use tollgate_actors::{Response, Shown as Page};
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, NetworkAnswer, Said};
use tollgate_domain::kinds;
use tollgate_domain::object::{Item, Object};
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::payment_intent::{CancellationReason, PaymentIntent, Status as Stored};
use tollgate_resource::Id;
use tollgate_store::memory::Fate;

/// How long a hold lasts, by the API: seven days.
const HOLD_MS: u64 = 7 * 24 * 3_600_000;
/// How long before its end the race begins, in milliseconds.
const BEFORE_MS: u64 = 400;
/// Requests of a race.
const REQUESTS: u64 = 8;
/// Runs.
const RUNS: u64 = 300;
const AMOUNT: i64 = 5_000;

#[test]
fn capture_cancel_and_the_end_of_a_hold_have_one_winner() {
    for card in [Card::Visa, Card::Remote] {
        let mut won = [0; 3];
        for seed in 0..rounds(RUNS) {
            won[race(seed, card) as usize] += 1;
        }
        assert!(
            won.iter().all(|wins| *wins > 10),
            "captures, cancellations and ends of {card:?}: {won:?}"
        );
    }
}

/// Who won.
enum Winner {
    Capture,
    Cancel,
    Timer,
}

struct Run {
    driver: Driver,
    desk: Desk,
    random: Random,
    /// What the network did.
    done: BTreeSet<AttemptId>,
    /// Answers on their way: when they arrive, by the steady clock.
    on_their_way: Vec<(u64, AttemptId, NetworkAnswer)>,
    /// What was asked: its number with the driver, and its place in the history.
    open: Vec<(u32, usize)>,
    ops: Vec<Op>,
    /// Counts everything that happens, as the history's clock.
    moment: u64,
}

fn race(seed: u64, card: Card) -> Winner {
    let mut run = Run {
        driver: Driver::new(ShardSettings::default()),
        desk: Desk::of(merchant(1)),
        random: Random::new(seed),
        done: BTreeSet::new(),
        on_their_way: Vec::new(),
        open: Vec::new(),
        ops: Vec::new(),
        moment: 0,
    };
    let intent = run.held(card);
    let begun_ms = run.driver.now.unix_ms;
    run.driver.pass(HOLD_MS - BEFORE_MS);
    run.driver.run();
    for _ in 0..REQUESTS {
        run.wish(intent);
        for _ in 0..run.random.below(4) {
            run.something();
        }
        let ms = run.random.below(2 * BEFORE_MS / REQUESTS * 2);
        run.driver.pass(ms);
    }
    run.end();
    let name = format!("seed {seed}, {card:?}");
    let world = World {
        holds_expire: true,
        ..World::default()
    };
    judge(&name, world, &run.ops);
    let ended = run.look(intent);
    run.outcome(&name, &ended, begun_ms)
}

impl Run {
    /// A hold, and its place in the history.
    fn held(&mut self, card: Card) -> Id {
        let name = if card == Card::Visa { "visa" } else { "tollgate_remote" };
        let request = self.desk.write(hold(AMOUNT, name));
        let call = Call::Create {
            slot: 0,
            amount: AMOUNT,
            manual: true,
            card: Some(card),
        };
        self.ask(request, call);
        for _ in 0..100 {
            self.driver.run();
            self.call_out(true);
            self.arrive(u64::MAX);
            self.hear();
            if self.open.is_empty() {
                let mut all = self
                    .driver
                    .facts(self.desk.profile.key)
                    .into_iter()
                    .flat_map(|facts| facts.objects);
                let intent = all.find_map(|object| match object {
                    Object::PaymentIntent(intent) => Some(intent.id),
                    _ => None,
                });
                return intent.expect("the hold is recorded");
            }
        }
        panic!("the hold is not answered")
    }

    /// Somebody asks for something.
    fn wish(&mut self, intent: Id) {
        let part = 1 + self.random.below(AMOUNT as u64) as i64;
        let (request, call) = match self.random.below(10) {
            0..3 => {
                let amount = self.random.percent(50).then_some(part);
                let call = Call::Capture { slot: 0, amount };
                (self.desk.write(capture(intent, amount)), call)
            }
            3..5 => (self.desk.write(cancel(intent)), Call::Cancel { slot: 0 }),
            5..7 => (self.desk.balance(), Call::Balance),
            _ => (self.desk.get(&kinds::PAYMENT_INTENT, intent), Call::Get { slot: 0 }),
        };
        self.ask(request, call);
    }

    fn ask(&mut self, request: tollgate_actors::Request, call: Call) {
        self.moment += 1;
        let asked = self.driver.ask(request);
        self.open.push((asked, self.ops.len()));
        self.ops.push(Op {
            number: asked,
            client: 1,
            call,
            key: None,
            answer: None,
            replayed: false,
            span: Span {
                asked: self.moment,
                answered: None,
            },
        });
    }

    /// A turn, a read, a block that is durable, an answer of the network; sometimes the process is killed.
    fn something(&mut self) {
        match self.random.below(40) {
            0 => {
                let settings = ShardSettings::default();
                let driver = std::mem::replace(&mut self.driver, Driver::new(settings));
                self.driver = driver.kill();
                self.on_their_way.clear();
                // Nobody hears of what was open.
                self.open.clear();
            }
            1..8 => drop(self.driver.settle(Fate::Durable)),
            8..14 => drop(self.driver.load_next()),
            14..20 => self.arrive(self.driver.now.steady_ms),
            _ => self.driver.turn(),
        }
        self.call_out(false);
        self.hear();
    }

    /// The network takes what was called. Unless it is `prompt`, some of its answers take longer than anyone waits.
    fn call_out(&mut self, prompt: bool) {
        for out in std::mem::take(&mut self.driver.calls) {
            let attempt = out.call.attempt;
            let slow = !prompt && self.random.percent(30);
            let lost = !prompt && self.random.percent(10);
            let (to, said) = match out.call.ask {
                Ask::Authorise(_)
                | Ask::Purchase(_)
                | Ask::Capture { .. }
                | Ask::Refund { .. }
                | Ask::Verify { .. } => {
                    if lost {
                        continue;
                    }
                    self.done.insert(attempt);
                    (Asked::Request, Said::Approved)
                }
                Ask::Inquire if self.done.contains(&attempt) => (Asked::Inquiry, Said::Approved),
                Ask::Inquire => (Asked::Inquiry, Said::NotFound),
                Ask::Reverse => {
                    self.done.remove(&attempt);
                    (Asked::Reversal, Said::Acknowledged)
                }
            };
            let takes_ms = if slow { 30_000 } else { self.random.below(80) };
            let at_ms = self.driver.now.steady_ms + takes_ms;
            self.on_their_way.push((at_ms, attempt, NetworkAnswer { to, said }));
        }
    }

    fn arrive(&mut self, until_ms: u64) {
        let all = std::mem::take(&mut self.on_their_way);
        let (now, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at_ms, ..)| *at_ms <= until_ms);
        self.on_their_way = later;
        for (_, attempt, answer) in now {
            self.driver.network_says(self.desk.profile.key, attempt, answer);
        }
    }

    /// Writes down what was answered since.
    fn hear(&mut self) {
        self.moment += 1;
        let (moment, ops, driver) = (self.moment, &mut self.ops, &self.driver);
        self.open.retain(|&(asked, at)| {
            let Some(answer) = driver.answers.get(&asked) else {
                return true;
            };
            let Ok(response) = answer else {
                panic!("request {asked} was refused unheard: {answer:?}");
            };
            ops[at].answer = Some(said(response));
            ops[at].span.answered = Some(moment);
            false
        });
    }

    /// Lets everything come to its end: a minute is longer than any answer, and than the pause between two inquiries.
    fn end(&mut self) {
        for _ in 0..240 {
            self.driver.pass(250);
            self.driver.run();
            self.call_out(false);
            self.arrive(self.driver.now.steady_ms);
            self.driver.run();
            self.hear();
        }
        assert!(self.open.is_empty(), "unanswered: {:?}", self.open);
    }

    fn look(&mut self, id: Id) -> PaymentIntent {
        let request = self.desk.get(&kinds::PAYMENT_INTENT, id);
        let response = self.driver.call(request);
        match object(&response) {
            Object::PaymentIntent(intent) => PaymentIntent::clone(intent),
            other => panic!("an intent was asked for, not {other:?}"),
        }
    }

    fn charge(&mut self, id: Id) -> Charge {
        let request = self.desk.get(&kinds::CHARGE, id);
        let response = self.driver.call(request);
        match object(&response) {
            Object::Charge(charge) => Charge::clone(charge),
            other => panic!("a charge was asked for, not {other:?}"),
        }
    }

    /// Who won, if everything agrees on it: the intent, its charge, the money, and every record.
    fn outcome(mut self, name: &str, intent: &PaymentIntent, begun_ms: u64) -> Winner {
        let charge = self.charge(intent.latest_charge().expect("a hold has a charge"));
        let entries: usize = self
            .driver
            .facts(self.desk.profile.key)
            .iter()
            .map(|facts| facts.entries.len())
            .sum();
        let request = self.desk.balance();
        let response = self.driver.call(request);
        let Answer::Balance(balance) = said(&response) else {
            panic!("a balance was asked for, not {response:?}")
        };
        let expected = |captured: i64| captured - (captured * 29 + 500) / 1_000 - 30;
        match (&intent.status, charge.state) {
            (Stored::Succeeded { received }, ChargeState::Captured { amount, .. }) => {
                assert_eq!((*received, entries, balance), (amount, 1, expected(amount)), "{name}");
                Winner::Capture
            }
            (Stored::Canceled { at_ms, reason, .. }, state) => {
                assert_eq!((entries, balance), (0, 0), "{name}: money moved without a capture");
                let by_timer = *reason == Some(CancellationReason::Automatic);
                assert_eq!(
                    state,
                    if by_timer {
                        ChargeState::Expired
                    } else {
                        ChargeState::Released
                    },
                    "{name}"
                );
                assert!(
                    !by_timer || *at_ms >= begun_ms + HOLD_MS,
                    "{name}: the hold ended early"
                );
                if by_timer { Winner::Timer } else { Winner::Cancel }
            }
            other => panic!("{name}: a hold ended as {other:?}"),
        }
    }
}

/// An answer in the words of the history.
fn said(response: &Response) -> Answer {
    match &response.result {
        Ok(Page::One(Item::Object(Object::PaymentIntent(intent)))) => Answer::Intent(shown(intent)),
        Ok(Page::One(Item::Balance(balance))) => {
            let of = |it: &tollgate_domain::books::MerchantBalance| it.available + it.pending;
            Answer::Balance(balance.currencies.iter().map(of).sum())
        }
        Err(reject) if reject.code.as_deref() == Some("payment_intent_unexpected_state") => {
            Answer::Refused(Some(Code::UnexpectedState))
        }
        Err(reject) if reject.code.as_deref() == Some("lock_timeout") => Answer::LockTimeout,
        other => panic!("nothing of the race is answered like this: {other:?}"),
    }
}

fn shown(intent: &PaymentIntent) -> Shown {
    Shown {
        status: match intent.status {
            Stored::RequiresPaymentMethod => Status::RequiresPaymentMethod,
            Stored::RequiresConfirmation { .. } => Status::RequiresConfirmation,
            Stored::RequiresAction { .. } => unreachable!("no card of these trials asks its holder"),
            Stored::Processing { .. } | Stored::Debiting { .. } => Status::Processing,
            Stored::RequiresCapture { .. } => Status::RequiresCapture,
            Stored::Succeeded { .. } => Status::Succeeded,
            Stored::Canceled { .. } => Status::Canceled,
        },
        capturable: intent.amount_capturable(),
        received: intent.amount_received(),
        charge: intent.latest_charge().is_some(),
        error: intent.last_error.is_some(),
    }
}
