//! The history a run is made of: requests and faults with their times, all drawn from the seed before the run begins. A
//! shorter history is the same one with steps left out, so a failure can be shortened and still replays.
//!
//! Each seed also draws its own weather (how dense, how many shards, how bad the network): runs that all have a bit of
//! everything find less than runs that lack some things and have others in excess.

use tollgate_actors::entropy::Entropy;
use tollgate_domain::payments::payment_intent::HOLD_MS;

/// Milliseconds of an hour.
pub const HOUR_MS: u64 = 3_600_000;
/// No process starts while the wall clock errs by more than this, milliseconds.
pub const CLOCK_ERROR_MS_MAX: u64 = 4 * HOUR_MS;
/// The wall clock never errs by more than this, milliseconds.
const CLOCK_LEAP_MS_MAX: u64 = 30 * 24 * HOUR_MS;
/// Most steps of one history.
const STEPS_MAX: usize = 200_000;
/// Most bursts of requests of one history: longer ones are sparser.
const BURSTS_MAX: u64 = 400;
/// How many of the newest payments of an account steps usually refer to.
const RECENT: usize = 6;

/// Everything a run follows from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How long faults last, simulated milliseconds; then the weather clears and everything must come to its end.
    pub length_ms: u64,
    /// What the seed drew for the whole run.
    pub weather: Weather,
    /// Steps in order of time.
    pub steps: Vec<Step>,
}

/// What holds for a whole run.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Shards of the process.
    pub shards: u16,
    /// Merchants.
    pub accounts: usize,
    /// Objects a shard keeps in memory.
    pub objects_max: usize,
    /// Keys a shard keeps in memory.
    pub keys_max: usize,
    /// Accounts a shard keeps in memory.
    pub accounts_max: usize,
    /// Records between rows.
    pub row_every: u32,
    /// Share of network messages that are lost, of a thousand.
    pub lost: u64,
    /// Share of network messages that are late by seconds, of a thousand.
    pub late: u64,
    /// Share of network answers that come twice, of a thousand.
    pub twice: u64,
    /// Usual longest time of a commit, milliseconds.
    pub commit_ms: u64,
    /// Usual longest time of a load, milliseconds.
    pub load_ms: u64,
}

/// One thing that is made to happen.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number in the whole history; stays when others are left out.
    pub number: usize,
    /// When, simulated milliseconds since the start.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// A request or a fault.
#[derive(Clone, Debug)]
pub enum What {
    /// A client asks.
    Ask(Wish),
    /// A client sends the request of an earlier step once more, with its key.
    Again {
        /// The step.
        of: usize,
    },
    /// A client uses the key of an earlier step for something else.
    OtherBody {
        /// The step.
        of: usize,
    },
    /// Something goes wrong.
    Fault(Fault),
}

/// What a client asks for and how it behaves.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The merchant.
    pub account: usize,
    /// The operation.
    pub action: Action,
    /// Whether it carries an idempotency key.
    pub keyed: bool,
    /// How long the client waits for an answer, milliseconds.
    pub patience_ms: u64,
    /// Whether the client hangs up before its first answer arrives.
    pub hangs_up: bool,
    /// Whether the answer shows referenced objects in place.
    pub expands: bool,
}

/// An operation. `of` is the step whose answer named the object.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Action {
    CreateCustomer,
    UpdateCustomer {
        of: usize,
    },
    Create {
        amount: i64,
        currency: &'static str,
        card: Option<&'static str>,
        confirm: bool,
        manual: bool,
        customer: Option<usize>,
        save: bool,
    },
    Confirm {
        of: usize,
        card: &'static str,
    },
    Capture {
        of: usize,
        amount: Option<i64>,
    },
    Cancel {
        of: usize,
    },
    Refund {
        of: usize,
        amount: Option<i64>,
    },
    SetUp {
        card: Option<&'static str>,
        confirm: bool,
        customer: Option<usize>,
    },
    ConfirmSetup {
        of: usize,
        card: &'static str,
    },
    CancelSetup {
        of: usize,
    },
    Charge {
        amount: i64,
        card: &'static str,
        capture: bool,
    },
    CaptureCharge {
        of: usize,
        amount: Option<i64>,
    },
    RefundCharge {
        of: usize,
        amount: Option<i64>,
    },
    Get {
        of: usize,
    },
    Balance,
    List {
        kind: Listed,
        limit: usize,
    },
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Listed {
    PaymentIntents,
    Charges,
    Refunds,
    Events,
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The process is killed, and started again after a while.
    Kill {
        /// How long it is down, milliseconds.
        down_ms: u64,
    },
    /// The shard panics when it next asks the store for this.
    Panic {
        /// The shard.
        shard: u16,
        /// Where.
        place: Place,
    },
    /// Another owner takes the shard's next epoch and does nothing with it.
    Claim {
        /// The shard.
        shard: u16,
    },
    /// The shard is dropped where it is and started as a new incarnation.
    Move {
        /// The shard.
        shard: u16,
    },
    /// What becomes of the shard's next block.
    Commit {
        /// The shard.
        shard: u16,
        /// What.
        ill: Ill,
    },
    /// Commits take this much longer for a while.
    Stall {
        /// How much, milliseconds.
        ms: u64,
    },
    /// Reads that need the journal fail for a while.
    Unreadable {
        /// How long, milliseconds.
        ms: u64,
    },
    /// The wall clock steps, and steps back later.
    Clock {
        /// By how much, milliseconds.
        by_ms: i64,
        /// For how long, milliseconds.
        ms: u64,
    },
    /// No message to or from the network arrives for a while.
    Outage {
        /// How long, milliseconds.
        ms: u64,
    },
}

/// Where a shard panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// While it admits a key.
    Keys,
    /// While it looks for timers.
    TimersDue,
    /// While it forgets timers, right after a commit.
    TimersDone,
}

/// What becomes of a block that has no luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ill {
    /// Not written; its owner is told.
    Failed,
    /// Written; its owner is told that it failed.
    WrittenButFailed,
    /// Written; the answer comes seconds later.
    Late,
    /// Written; the process is killed before the answer.
    WrittenThenKilled,
    /// The process is killed before it is written.
    KilledBefore,
}

/// Makes the history of one seed.
struct Author {
    dice: Entropy,
    steps: Vec<(u64, What)>,
    weather: Weather,
    /// Steps that make intents, by account, with whether they make a hold and their amount.
    intents: Vec<Vec<(usize, bool, i64)>>,
    customers: Vec<Vec<usize>>,
    /// Steps that make setup intents, by account.
    setups: Vec<Vec<usize>>,
    /// Steps that charged without an intent, with the amount, by account.
    charges: Vec<Vec<(usize, i64)>>,
    /// Steps with a key.
    keyed: Vec<usize>,
}

impl Plan {
    /// How long a history is unless somebody says otherwise, hours: short ones are dense, long ones see keys expire and
    /// holds end.
    pub fn hours_of(seed: u64) -> u64 {
        [8, 40, 200][(seed % 3) as usize]
    }

    /// The history of `seed`, `hours` long.
    pub fn of(seed: u64, hours: u64) -> Plan {
        let mut dice = Entropy::new(seed);
        let length_ms = hours.max(1) * HOUR_MS;
        let weather = Weather::of(&mut dice);
        let accounts = weather.accounts;
        let mut author = Author {
            dice,
            steps: Vec::new(),
            weather,
            intents: vec![Vec::new(); accounts],
            customers: vec![Vec::new(); accounts],
            setups: vec![Vec::new(); accounts],
            charges: vec![Vec::new(); accounts],
            keyed: Vec::new(),
        };
        author.write(length_ms);
        let Author { steps, weather, .. } = author;
        let mut steps: Vec<Step> = steps
            .into_iter()
            .enumerate()
            .map(|(number, (at_ms, what))| Step { number, at_ms, what })
            .filter(|step| step.at_ms < length_ms)
            .collect();
        steps.sort_by_key(|step| (step.at_ms, step.number));
        Plan {
            seed,
            length_ms,
            weather,
            steps,
        }
    }

    /// The same history with only the steps of these numbers.
    pub fn only(&self, keep: &[usize]) -> Plan {
        let keep: std::collections::BTreeSet<usize> = keep.iter().copied().collect();
        let mut plan = self.clone();
        plan.steps.retain(|step| keep.contains(&step.number));
        plan
    }
}

impl Weather {
    fn of(dice: &mut Entropy) -> Weather {
        let sometimes = |dice: &mut Entropy, most: u64| if dice.below(3) == 0 { 0 } else { dice.below(most) };
        Weather {
            shards: 1 + dice.below(3) as u16,
            accounts: 1 + dice.below(6) as usize,
            objects_max: [8, 16, 64, 4_096][dice.below(4) as usize],
            keys_max: [2, 8, 1_024][dice.below(3) as usize],
            accounts_max: [1, 2, 64][dice.below(3) as usize],
            row_every: [2, 7, 50, 1_000][dice.below(4) as usize],
            lost: sometimes(dice, 300),
            late: sometimes(dice, 300),
            twice: sometimes(dice, 200),
            commit_ms: [1, 3, 40][dice.below(3) as usize],
            load_ms: [1, 5, 200][dice.below(3) as usize],
        }
    }
}

impl Author {
    fn write(&mut self, length_ms: u64) {
        let gap_ms = ([2, 6, 20][self.dice.below(3) as usize] * 60_000).max(length_ms / BURSTS_MAX);
        let faults = [0, 30, 120][self.dice.below(3) as usize];
        let mut at_ms = self.dice.below(10_000);
        while at_ms < length_ms && self.steps.len() < STEPS_MAX {
            self.burst(at_ms, faults);
            at_ms += 1 + self.dice.below(2 * gap_ms);
        }
    }

    /// Requests close together, as they are where things go wrong.
    fn burst(&mut self, start_ms: u64, faults: u64) {
        let spread_ms = [1, 50, 2_000, 20_000][self.dice.below(4) as usize];
        let account = self.dice.below(self.weather.accounts as u64) as usize;
        let mut at_ms = start_ms;
        for _ in 0..2 + self.dice.below(24) {
            at_ms += self.dice.below(spread_ms.max(8) / 4);
            if self.dice.below(1_000) < faults {
                let fault = self.fault();
                self.steps.push((at_ms, What::Fault(fault)));
            }
            let account = if self.dice.below(4) > 0 {
                account
            } else {
                self.dice.below(self.weather.accounts as u64) as usize
            };
            match self.dice.below(20) {
                0..3 if !self.keyed.is_empty() => self.repeat(at_ms),
                _ => self.wish(at_ms, account),
            }
        }
    }

    /// The key of an earlier step again: now, or about when it expires.
    fn repeat(&mut self, at_ms: u64) {
        let recent = self.keyed.len().min(12) as u64;
        let of = self.keyed[self.keyed.len() - 1 - self.dice.below(recent) as usize];
        let at_ms = match self.dice.below(8) {
            0 => self.steps[of].0 + 16 * HOUR_MS + self.dice.below(16 * HOUR_MS),
            _ => at_ms.max(self.steps[of].0),
        };
        let what = match self.dice.below(5) {
            0 => What::OtherBody { of },
            _ => What::Again { of },
        };
        self.steps.push((at_ms, what));
    }

    fn wish(&mut self, at_ms: u64, account: usize) {
        let number = self.steps.len();
        let action = self.action(number, account);
        let writes = !matches!(action, Action::Get { .. } | Action::Balance | Action::List { .. });
        let keyed = writes && self.dice.below(5) > 0;
        if keyed {
            self.keyed.push(number);
        }
        let mut at_ms = at_ms;
        if let Action::Capture { of, .. } = action
            && self.dice.below(6) == 0
        {
            // About when the hold ends.
            at_ms = self.steps[of].0 + HOLD_MS - 1_500 + self.dice.below(3_000);
        }
        let wish = Wish {
            account,
            action,
            keyed,
            patience_ms: [300, 3_000, 12_000, 30_000][self.dice.below(4) as usize],
            hangs_up: self.dice.below(12) == 0,
            expands: self.dice.below(4) == 0,
        };
        self.steps.push((at_ms, What::Ask(wish)));
    }

    fn action(&mut self, number: usize, account: usize) -> Action {
        let intent = self.intent(account);
        let customer = self.recent_customer(account);
        match (self.dice.below(38), intent) {
            (0, _) => {
                self.customers[account].push(number);
                Action::CreateCustomer
            }
            (1, _) if customer.is_some() => Action::UpdateCustomer {
                of: customer.expect("just seen"),
            },
            (2, _) => Action::Balance,
            (3, _) => Action::List {
                kind: [Listed::PaymentIntents, Listed::Charges, Listed::Refunds, Listed::Events]
                    [self.dice.below(4) as usize],
                limit: 1 + self.dice.below(20) as usize,
            },
            (4..8, Some((of, ..))) => Action::Get { of },
            (8..11, Some((of, ..))) => Action::Confirm { of, card: self.card() },
            (11..15, Some((of, _, amount))) => Action::Capture {
                of,
                amount: self.part(amount),
            },
            (15..18, Some((of, ..))) => Action::Cancel { of },
            (18..22, Some((of, _, amount))) => Action::Refund {
                of,
                amount: self.part(amount),
            },
            (30..34, _) => self.set_up(number, account, customer),
            (34..38, _) => self.charge(number, account),
            _ => self.create(number, account, customer),
        }
    }

    /// A new setup, or something that is done to one of the newest.
    fn set_up(&mut self, number: usize, account: usize, customer: Option<usize>) -> Action {
        const CARDS: [&str; 6] = [
            "visa",
            "visa_chargeDeclined",
            "authenticationRequired",
            "authenticationRequired",
            "tollgate_remote",
            "tollgate_remoteDecline",
        ];
        let card = CARDS[self.dice.below(CARDS.len() as u64) as usize];
        let known = &self.setups[account];
        let reach = known.len().min(3) as u64;
        let of = (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach) as usize]);
        match (self.dice.below(6), of) {
            (0..2, Some(of)) => Action::ConfirmSetup { of, card },
            (2, Some(of)) => Action::CancelSetup { of },
            (3, Some(of)) => Action::Get { of },
            _ => {
                self.setups[account].push(number);
                let confirm = self.dice.below(3) > 0;
                Action::SetUp {
                    card: (confirm || self.dice.below(2) == 0).then_some(card),
                    confirm,
                    customer: customer.filter(|_| self.dice.below(2) == 0),
                }
            }
        }
    }

    /// A new charge without an intent, or something that is done to one of the newest.
    fn charge(&mut self, number: usize, account: usize) -> Action {
        const CARDS: [&str; 5] = ["visa", "de", "visa_chargeDeclined", "pendingRefund", "refundFail"];
        let known = &self.charges[account];
        let reach = known.len().min(4) as u64;
        let of = (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach) as usize]);
        match (self.dice.below(6), of) {
            (0..2, Some((of, amount))) => Action::CaptureCharge {
                of,
                amount: self.part(amount),
            },
            (2..4, Some((of, amount))) => Action::RefundCharge {
                of,
                amount: self.part(amount),
            },
            _ => {
                let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
                self.charges[account].push((number, amount));
                Action::Charge {
                    amount,
                    card: CARDS[self.dice.below(CARDS.len() as u64) as usize],
                    capture: self.dice.below(2) == 0,
                }
            }
        }
    }

    fn create(&mut self, number: usize, account: usize, customer: Option<usize>) -> Action {
        let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
        let confirm = self.dice.below(5) > 0;
        let manual = self.dice.below(3) == 0;
        self.intents[account].push((number, manual, amount));
        Action::Create {
            amount,
            currency: ["usd", "usd", "usd", "eur", "jpy", "kwd"][self.dice.below(6) as usize],
            card: (confirm || self.dice.below(2) == 0).then(|| self.card()),
            confirm,
            manual,
            customer: customer.filter(|_| self.dice.below(3) == 0),
            save: self.dice.below(3) == 0,
        }
    }

    fn card(&mut self) -> &'static str {
        const CARDS: [&str; 13] = [
            "visa",
            "authenticationRequired",
            "visa",
            "pendingRefund",
            "refundFail",
            "de",
            "bypassPending",
            "visa_chargeDeclined",
            "visa_chargeDeclinedInsufficientFunds",
            "tollgate_remote",
            "tollgate_remote",
            "tollgate_remote",
            "tollgate_remoteDecline",
        ];
        CARDS[self.dice.below(CARDS.len() as u64) as usize]
    }

    fn part(&mut self, amount: i64) -> Option<i64> {
        // Whole tens, which every currency has.
        let part = (amount / 40) * 10 * (1 + self.dice.below(4) as i64);
        (self.dice.below(2) == 0 && part > 0).then_some(part.min(amount))
    }

    fn intent(&mut self, account: usize) -> Option<(usize, bool, i64)> {
        let known = &self.intents[account];
        let reach = match self.dice.below(10) {
            0 => known.len(),
            1..4 => known.len().min(1),
            _ => known.len().min(RECENT),
        };
        (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach as u64) as usize])
    }

    fn recent_customer(&mut self, account: usize) -> Option<usize> {
        let known = &self.customers[account];
        let reach = known.len().min(RECENT) as u64;
        (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach) as usize])
    }

    fn fault(&mut self) -> Fault {
        let shard = self.dice.below(u64::from(self.weather.shards)) as u16;
        match self.dice.below(16) {
            0..2 => Fault::Kill {
                down_ms: self.dice.below(20_000),
            },
            2..5 => Fault::Panic {
                shard,
                place: [Place::Keys, Place::TimersDue, Place::TimersDone][self.dice.below(3) as usize],
            },
            5..7 => Fault::Claim { shard },
            7 => Fault::Move { shard },
            8..12 => Fault::Commit {
                shard,
                ill: [
                    Ill::Failed,
                    Ill::WrittenButFailed,
                    Ill::Late,
                    Ill::WrittenThenKilled,
                    Ill::KilledBefore,
                ][self.dice.below(5) as usize],
            },
            12 => Fault::Stall {
                ms: self.dice.below(4_000),
            },
            13 => Fault::Unreadable {
                ms: self.dice.below(5_000),
            },
            14 => self.clock_fault(),
            _ => Fault::Outage {
                ms: self.dice.below(120_000),
            },
        }
    }

    /// A small step, one of hours, or (for a short while) one of weeks, either way.
    fn clock_fault(&mut self) -> Fault {
        let (most_ms, ms_max) = match self.dice.below(3) {
            0 => (CLOCK_ERROR_MS_MAX / 30, HOUR_MS),
            1 => (CLOCK_ERROR_MS_MAX, HOUR_MS),
            _ => (CLOCK_LEAP_MS_MAX, 60_000),
        };
        let by_ms = self.dice.below(most_ms) as i64;
        Fault::Clock {
            by_ms: if self.dice.below(2) == 0 { by_ms } else { -by_ms },
            ms: self.dice.below(ms_max),
        }
    }
}
