//! What the network remembers: every attempt it has seen and what it did. Its rules are those of a card network that can
//! be trusted: nothing is authorised twice, no more captured than held, no more refunded than captured.

use std::collections::{BTreeMap, HashMap, VecDeque};
use tollgate_domain::acquirer::{Ask, AttemptId, CardMoney, Said};
use tollgate_domain::money::Currency;

/// Attempts remembered; beyond that the oldest are forgotten (about 150 bytes each).
pub const ATTEMPTS_MAX: usize = 2_000_000;

/// What an attempt asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A hold.
    Authorise,
    /// A hold captured at once.
    Purchase,
    /// A capture of what another attempt holds.
    Capture,
    /// A refund of what another attempt captured.
    Refund,
    /// A card said to be good, with nothing held.
    Verify,
    /// Nothing yet: a reversal came first.
    Unknown,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Carried out.
    Approved,
    /// Refused; the number of the decline.
    Declined(u16),
    /// Undone, or reversed before it came; never to be carried out any more.
    Reversed,
}

/// One attempt in the book. Amounts in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLine {
    /// What it asked for.
    pub kind: Kind,
    /// Its amount and currency; `None` while only a reversal has come.
    pub money: Option<(i64, Currency)>,
    /// The attempt it captures or refunds.
    pub of: Option<AttemptId>,
    /// What became of it.
    pub state: State,
    /// How much of this hold or purchase is captured.
    pub captured: i64,
    /// How much of what is captured was given back.
    pub refunded: i64,
}

/// Sums of a currency, in minor units: what the network owes its merchants is `captured - refunded`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Ever held, purchases included.
    pub authorised: i128,
    /// Captured and not reversed.
    pub captured: i128,
    /// Authorised and undone by reversals.
    pub reversed: i128,
    /// Given back.
    pub refunded: i128,
}

/// How often callers broke a rule of the network. A correct caller leaves all but the last at zero, whatever is lost or
/// late; the last grows when a process restarts, because the book lives in memory, and when the oldest are forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// An authorise, purchase or capture was sent a second time.
    pub repeated: u64,
    /// A repeated refund named another amount or attempt than the first time.
    pub changed: u64,
    /// More was captured than held, or refunded than captured, or in another currency.
    pub exceeded: u64,
    /// A capture or refund of an attempt that was declined or reversed.
    pub not_standing: u64,
    /// A capture or refund of an attempt the book does not know. It is carried out.
    pub unknown_origin: u64,
}

impl Violations {
    /// Whether every rule was kept, by callers whose network has not forgotten anything.
    pub fn none(&self) -> bool {
        *self == Violations::default()
    }
}

/// A copy of the book at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every attempt remembered.
    pub attempts: BTreeMap<AttemptId, AttemptLine>,
    /// Sums by currency code.
    pub totals: BTreeMap<&'static str, Totals>,
    /// Rules broken by callers.
    pub violations: Violations,
    /// Requests of attempts that were reversed before they came; each was declined, as it must be.
    pub arrived_after_reversal: u64,
}

/// The book.
#[derive(Default)]
pub(crate) struct Book {
    attempts: HashMap<AttemptId, Entry>,
    age: VecDeque<AttemptId>,
    totals: BTreeMap<&'static str, Totals>,
    violations: Violations,
    arrived_after_reversal: u64,
}

#[derive(Default)]
struct Entry {
    line: Option<AttemptLine>,
    /// Calls begun so far of each question: request, inquiry, reversal.
    tries: [u32; 3],
}

impl Book {
    /// Counts a call that is beginning; gives its number among those of this attempt and question, from 1.
    pub(crate) fn begin(&mut self, attempt: AttemptId, ask: &Ask) -> u32 {
        let question = match ask {
            Ask::Authorise(_) | Ask::Purchase(_) | Ask::Capture { .. } | Ask::Refund { .. } | Ask::Verify { .. } => 0,
            Ask::Inquire => 1,
            Ask::Reverse => 2,
        };
        let tries = &mut self.entry(attempt).tries[question];
        *tries = tries.saturating_add(1);
        *tries
    }

    /// A call arrives at the network. `decline` is what the issuer says to an authorisation or verification, if not yes.
    pub(crate) fn arrive(&mut self, attempt: AttemptId, ask: &Ask, decline: Option<u16>, refusal: u16) -> Said {
        match ask {
            Ask::Authorise(money) => self.authorise(attempt, Kind::Authorise, money, decline, refusal),
            Ask::Purchase(money) => self.authorise(attempt, Kind::Purchase, money, decline, refusal),
            Ask::Capture { of, money } => self.capture(attempt, *of, money, refusal),
            Ask::Refund { of, money } => self.refund(attempt, *of, money, refusal),
            Ask::Verify { money, .. } => self.authorise(attempt, Kind::Verify, money, decline, refusal),
            Ask::Inquire => self.inquire(attempt),
            Ask::Reverse => self.reverse(attempt),
        }
    }

    /// A copy.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            attempts: self
                .attempts
                .iter()
                .filter_map(|(id, entry)| Some((*id, entry.line?)))
                .collect(),
            totals: self.totals.clone(),
            violations: self.violations,
            arrived_after_reversal: self.arrived_after_reversal,
        }
    }

    /// One attempt.
    pub(crate) fn line(&self, attempt: AttemptId) -> Option<AttemptLine> {
        self.attempts.get(&attempt)?.line
    }

    /// Rules broken by callers.
    pub(crate) fn violations(&self) -> Violations {
        self.violations
    }

    fn authorise(
        &mut self,
        attempt: AttemptId,
        kind: Kind,
        money: &CardMoney,
        decline: Option<u16>,
        refusal: u16,
    ) -> Said {
        if let Some(said) = self.seen_before(attempt, refusal) {
            return said;
        }
        let captured = if kind == Kind::Purchase && decline.is_none() {
            money.amount
        } else {
            0
        };
        let state = decline.map_or(State::Approved, State::Declined);
        self.write(
            attempt,
            AttemptLine {
                captured,
                ..line(kind, money, None, state)
            },
        );
        if decline.is_none() {
            let totals = self.totals_of(money.currency);
            totals.authorised += i128::from(money.amount);
            totals.captured += i128::from(captured);
        }
        said(state)
    }

    fn capture(&mut self, attempt: AttemptId, of: AttemptId, money: &CardMoney, refusal: u16) -> Said {
        if let Some(said) = self.seen_before(attempt, refusal) {
            return said;
        }
        let held = self.line(of);
        let state = match held {
            None => {
                self.violations.unknown_origin += 1;
                State::Approved
            }
            Some(held) => self.judge(&held, money, held.amount() - held.captured, refusal),
        };
        if state == State::Approved {
            self.change(of, |line| line.captured += money.amount);
            self.totals_of(money.currency).captured += i128::from(money.amount);
        }
        self.write(attempt, line(Kind::Capture, money, Some(of), state));
        said(state)
    }

    fn refund(&mut self, attempt: AttemptId, of: AttemptId, money: &CardMoney, refusal: u16) -> Said {
        if let Some(known) = self.line(attempt) {
            // An advice is repeated until it is answered; it says the same thing each time or is refused.
            if (known.kind, known.of, known.money) == (Kind::Refund, Some(of), Some((money.amount, money.currency))) {
                return said(known.state);
            }
            if known.kind != Kind::Unknown {
                self.violations.changed += 1;
            }
            return Said::Declined { decline: refusal };
        }
        let captured = self.line(of);
        let state = match captured {
            None => {
                self.violations.unknown_origin += 1;
                State::Approved
            }
            Some(captured) => self.judge(
                &captured,
                money,
                captured.captured_in_all() - captured.refunded,
                refusal,
            ),
        };
        if state == State::Approved {
            self.change(of, |line| line.refunded += money.amount);
            self.totals_of(money.currency).refunded += i128::from(money.amount);
        }
        self.write(attempt, line(Kind::Refund, money, Some(of), state));
        said(state)
    }

    fn inquire(&self, attempt: AttemptId) -> Said {
        self.line(attempt).map_or(Said::NotFound, |line| match line.state {
            State::Approved => Said::Approved,
            State::Declined(decline) => Said::Declined { decline },
            // What was undone is as if it had never been; the caller that asks is told to reverse, which is acknowledged.
            State::Reversed => Said::NotFound,
        })
    }

    fn reverse(&mut self, attempt: AttemptId) -> Said {
        let known = self.line(attempt);
        let tombstone = AttemptLine {
            kind: Kind::Unknown,
            money: None,
            of: None,
            state: State::Reversed,
            captured: 0,
            refunded: 0,
        };
        if let Some(AttemptLine {
            state: State::Approved,
            money: Some((amount, currency)),
            ..
        }) = known
        {
            let line = known.expect("it was just matched");
            match line.kind {
                Kind::Authorise | Kind::Purchase => {
                    let totals = self.totals_of(currency);
                    totals.captured -= i128::from(line.captured);
                    totals.reversed += i128::from(amount);
                }
                Kind::Capture => {
                    self.totals_of(currency).captured -= i128::from(amount);
                    if let Some(of) = line.of {
                        self.change(of, |held| held.captured -= amount);
                    }
                }
                Kind::Refund => {
                    self.totals_of(currency).refunded -= i128::from(amount);
                    if let Some(of) = line.of {
                        self.change(of, |captured| captured.refunded -= amount);
                    }
                }
                Kind::Verify | Kind::Unknown => {}
            }
        }
        self.write(
            attempt,
            AttemptLine {
                state: State::Reversed,
                captured: 0,
                ..known.unwrap_or(tombstone)
            },
        );
        Said::Acknowledged
    }

    /// What a request hears that may only come once: nothing if this is the first time.
    fn seen_before(&mut self, attempt: AttemptId, refusal: u16) -> Option<Said> {
        let known = self.line(attempt)?;
        if known.kind == Kind::Unknown {
            self.arrived_after_reversal += 1;
        } else {
            self.violations.repeated += 1;
        }
        Some(Said::Declined { decline: refusal })
    }

    /// Whether `money` may be taken out of `rest` of a standing line.
    fn judge(&mut self, from: &AttemptLine, money: &CardMoney, rest: i64, refusal: u16) -> State {
        if from.state != State::Approved {
            self.violations.not_standing += 1;
            return State::Declined(refusal);
        }
        let same_currency = from.money.is_some_and(|(_, currency)| currency == money.currency);
        if !same_currency || money.amount <= 0 || money.amount > rest {
            self.violations.exceeded += 1;
            return State::Declined(refusal);
        }
        State::Approved
    }

    fn write(&mut self, attempt: AttemptId, line: AttemptLine) {
        self.entry(attempt).line = Some(line);
    }

    fn change(&mut self, attempt: AttemptId, change: impl FnOnce(&mut AttemptLine)) {
        if let Some(line) = self.attempts.get_mut(&attempt).and_then(|entry| entry.line.as_mut()) {
            change(line);
        }
    }

    fn totals_of(&mut self, currency: Currency) -> &mut Totals {
        self.totals.entry(currency.code()).or_default()
    }

    fn entry(&mut self, attempt: AttemptId) -> &mut Entry {
        if !self.attempts.contains_key(&attempt) {
            if self.age.len() >= ATTEMPTS_MAX
                && let Some(oldest) = self.age.pop_front()
            {
                self.attempts.remove(&oldest);
            }
            self.age.push_back(attempt);
        }
        self.attempts.entry(attempt).or_default()
    }
}

impl AttemptLine {
    fn amount(&self) -> i64 {
        self.money.map_or(0, |(amount, _)| amount)
    }

    /// What can be refunded through this line: a purchase's or hold's captures, or a capture's own amount.
    fn captured_in_all(&self) -> i64 {
        if self.kind == Kind::Capture {
            self.amount()
        } else {
            self.captured
        }
    }
}

fn line(kind: Kind, money: &CardMoney, of: Option<AttemptId>, state: State) -> AttemptLine {
    AttemptLine {
        kind,
        money: Some((money.amount, money.currency)),
        of,
        state,
        captured: 0,
        refunded: 0,
    }
}

fn said(state: State) -> Said {
    match state {
        State::Approved => Said::Approved,
        State::Declined(decline) => Said::Declined { decline },
        State::Reversed => Said::NotFound,
    }
}
