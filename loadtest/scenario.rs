//! A scenario: what is sent, by whom, when, and what must come of it. Read from TOML, checked before anything is sent.

mod built_in;
mod file;
mod place;
mod profile;

pub(crate) use built_in::{BUILT_IN, text_of};
pub(crate) use profile::inlined;

use crate::flow::Flow;
use crate::open_loop::authentication;
use crate::schedule::{Arrivals, Shape};

/// A checked scenario.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scenario {
    /// Its name in reports.
    pub(crate) name: String,
    /// One line: what it is for.
    pub(crate) about: String,
    /// What clients do.
    pub(crate) flows: Vec<Flow>,
    /// API requests per second over time, retries not counted.
    pub(crate) rate: Shape,
    /// How arrivals lie around the rate.
    pub(crate) arrivals: Arrivals,
    /// Seconds at the start that are sent and verified, but not measured.
    pub(crate) warmup_s: f64,
    /// Who calls.
    pub(crate) merchants: Merchants,
    /// Cards that pay.
    pub(crate) cards: Vec<Card>,
    /// What a client does about refusals and silence.
    pub(crate) client: Client,
    /// Connections that only take up room.
    pub(crate) slow_clients: SlowClients,
    /// What must come of it.
    pub(crate) slo: Slo,
    /// How the money is verified.
    pub(crate) verify: Verify,
    /// The file it was read from.
    pub(crate) text: String,
}

/// Who calls: accounts of a server that opens one for each test key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Merchants {
    /// How many.
    pub(crate) count: u32,
    /// Exponent of the zipf distribution of their shares; 0 is equal shares.
    pub(crate) zipf: f64,
    /// Share of the first merchant, beside what zipf gives it; 0 for none.
    pub(crate) hot_share: f64,
    /// Text that their keys begin with; the merchant's number follows.
    pub(crate) key_prefix: String,
    /// Payments made before the schedule starts, so that there is something to read.
    pub(crate) payments_before: u32,
}

/// What a card is expected to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardOutcome {
    /// The payment succeeds.
    Succeeds,
    /// The answer is 402: a decline is a good answer to a card that is to be declined.
    Declined,
    /// The network is silent: the payment is `processing` and settles later.
    Processing,
    /// The payment is `requires_action`: the card's holder authenticates it, and it succeeds.
    Authenticates,
}

/// A test card with its share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    /// The payment method's name.
    pub(crate) name: String,
    /// Share relative to the other cards.
    pub(crate) weight: f64,
    /// What is expected.
    pub(crate) outcome: CardOutcome,
}

/// What a client does about refusals and silence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Client {
    /// Most connections, over all threads.
    pub(crate) connections_max: u32,
    /// Connections that are open when the schedule starts; more are opened as they are needed.
    pub(crate) connections_min: u32,
    /// Time an answer may take, seconds.
    pub(crate) timeout_s: f64,
    /// Time a request waits for a free connection before its client gives up, seconds; `None` for no end.
    pub(crate) patience_s: Option<f64>,
    /// Times a request is sent at most: once, and again after 429, 409 in progress, 5xx or a broken connection.
    pub(crate) tries_max: u32,
    /// Pause before the second try, seconds; it doubles with each further one and is drawn from half to whole.
    pub(crate) backoff_s: f64,
}

/// Connections beside the load that send their request a byte at a time, and come back when they are turned out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SlowClients {
    /// How many; 0 for none.
    pub(crate) count: u32,
    /// Seconds between two bytes of one.
    pub(crate) byte_every_s: f64,
    /// Most connections opened in a second, over all of them.
    pub(crate) opened_per_s: f64,
}

/// What must come of a part of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Period {
    /// Its name in the verdict.
    pub(crate) name: String,
    /// Seconds since the start of the schedule, from...
    pub(crate) from_s: f64,
    /// ...to.
    pub(crate) to_s: f64,
    /// Most for the 99th percentile of the latency, milliseconds.
    pub(crate) p99_ms: Option<f64>,
    /// Least share of requests due in it that get a good answer.
    pub(crate) goodput_min: Option<f64>,
    /// Least number of good answers that come in a second of it; scaled with the rates.
    pub(crate) good_per_s_min: Option<f64>,
}

/// What must come of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slo {
    /// Most for the median latency, milliseconds.
    pub(crate) p50_ms: Option<f64>,
    /// Most for the 99th percentile.
    pub(crate) p99_ms: Option<f64>,
    /// Most for the 99.9th percentile.
    pub(crate) p99_9_ms: Option<f64>,
    /// Error budget: share of due requests that may fail after all tries.
    pub(crate) errors_max: f64,
    /// Least share of due requests that get a good answer.
    pub(crate) goodput_min: f64,
    /// Least share of the planned requests that must fall due: flows that fail early ask for less than was planned.
    pub(crate) offered_min: f64,
    /// Most for the 99th percentile of the time to a refusal, milliseconds; each must then say when to come back.
    pub(crate) refusal_p99_ms: Option<f64>,
    /// Most for the 99th percentile of the way from a payment's request to the webhook that says it is paid, milliseconds.
    pub(crate) webhook_p99_ms: Option<f64>,
    /// The tool's own lag, 99th percentile, beyond which a run is not valid.
    pub(crate) lag_p99_ms: f64,
    /// Differences in the money that are allowed.
    pub(crate) discrepancies_max: u64,
    /// Whether a run ends when nothing good can come of it any more.
    pub(crate) stop_early: bool,
    /// What must come of parts of the run.
    pub(crate) periods: Vec<Period>,
}

/// How the money is verified.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verify {
    /// Whether it is.
    pub(crate) money: bool,
    /// Movements (payments and refunds) up to which every merchant is verified; beyond, merchants are drawn.
    pub(crate) movements_max: u64,
    /// Seconds without any webhook after which those that are still owed are given up.
    pub(crate) webhook_wait_s: f64,
}

impl Scenario {
    /// Reads a scenario. The error names the place and says what to write.
    pub(crate) fn parse(text: &str) -> Result<Scenario, String> {
        file::read(text)
    }

    /// The same with all rates times `rates` and all lengths times `time`. Pauses inside flows stay as they are.
    pub(crate) fn scaled(mut self, rates: f64, time: f64) -> Scenario {
        self.rate = self.rate.scaled(rates, time);
        self.warmup_s *= time;
        for period in &mut self.slo.periods {
            period.from_s *= time;
            period.to_s *= time;
            period.good_per_s_min = period.good_per_s_min.map(|rate| rate * rates);
        }
        self
    }

    /// Share of cards that say no, or leave a payment open: both end a flow.
    pub(crate) fn ending_share(&self) -> f64 {
        let whole: f64 = self.cards.iter().map(|card| card.weight).sum();
        let ends = |card: &&Card| matches!(card.outcome, CardOutcome::Declined | CardOutcome::Processing);
        self.cards.iter().filter(ends).map(|card| card.weight).sum::<f64>() / whole
    }

    /// Requests that authentications add to a payment on average.
    fn authenticating(&self) -> f64 {
        let whole: f64 = self.cards.iter().map(|card| card.weight).sum();
        let asks = |card: &&Card| card.outcome == CardOutcome::Authenticates;
        let share = self.cards.iter().filter(asks).map(|card| card.weight).sum::<f64>() / whole;
        share * authentication::REQUESTS
    }

    /// Requests one start of a flow comes to on average.
    pub(crate) fn requests_per_start(&self) -> f64 {
        let (ending, authenticating) = (self.ending_share(), self.authenticating());
        self.mean(|flow| flow.requests_per_start(ending, authenticating))
    }

    /// Share of requests that ask a card.
    pub(crate) fn payment_share(&self) -> f64 {
        let ending = self.ending_share();
        self.mean(|flow| flow.payments_per_start(ending)) / self.requests_per_start()
    }

    fn mean(&self, of: impl Fn(&Flow) -> f64) -> f64 {
        let whole: f64 = self.flows.iter().map(|flow| flow.weight).sum();
        self.flows.iter().map(|flow| flow.weight * of(flow)).sum::<f64>() / whole
    }
}
