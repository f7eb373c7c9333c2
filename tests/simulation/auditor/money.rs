//! Money, a second time: fees, days and books, written from the design and not from the domain's code.

use std::collections::BTreeMap;
use tollgate_domain::books::{Entry, LedgerAccount};
use tollgate_domain::payments::bank_account::BankScheme;
use tollgate_domain::payments::payment_method::Instrument;
use tollgate_domain::{Network, Profile};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// A ledger line: currency, account, day.
type Line = (u8, &'static str, i32);

/// Balances of an account's ledger by line; debits are positive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger(BTreeMap<Line, i128>);

/// The postings an entry must have, as a sum by line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Postings(BTreeMap<Line, i128>);

/// What we charge for a capture. Of a card: 2.9 % and a fixed part, 1.5 % more for a card of another country; half a unit
/// rounds up. Another company's page costs what a card of the merchant's own country does, and a bank account what its
/// scheme asks.
pub(super) fn fee(profile: &Profile, instrument: &Instrument, amount: i64, exponent: u32) -> i64 {
    let rate: i128 = match instrument {
        Instrument::Card(card) if card.facts().country != profile.country => 440,
        Instrument::Card(_) | Instrument::Redirect(_) => 290,
        Instrument::Bank(bank) => return debit_fee(bank.scheme, amount),
    };
    let fixed = if exponent == 3 { 100 } else { 30 };
    part_of(amount, rate) + fixed
}

/// What a debit costs: a share of it and a fixed part, never more than the scheme's most.
fn debit_fee(scheme: BankScheme, amount: i64) -> i64 {
    match scheme {
        BankScheme::UsBankAccount => part_of(amount, 80).min(500),
        BankScheme::SepaDebit => 35,
        BankScheme::AcssDebit => (part_of(amount, 100) + 40).min(500),
        BankScheme::BacsDebit => part_of(amount, 100).min(200),
        BankScheme::AuBecsDebit => (part_of(amount, 100) + 30).min(350),
    }
}

/// So many ten-thousandths of an amount; half a unit rounds up.
fn part_of(amount: i64, rate: i128) -> i64 {
    let share = (i128::from(amount) * rate + 5_000) / 10_000;
    i64::try_from(share).expect("a fee is small")
}

/// What we charge for a dispute that takes money.
pub(super) fn dispute_fee(currency: &str) -> i64 {
    match currency {
        "usd" => 1_500,
        "eur" => 2_000,
        "jpy" => 1_300,
        "kwd" => 5_000,
        "gbp" => 2_000,
        "aud" => 2_500,
        "cad" => 1_500,
        other => panic!("no plan pays in {other}"),
    }
}

/// The day a moment lies in.
pub(super) fn day_of(unix_ms: u64) -> i32 {
    (unix_ms / DAY_MS) as i32
}

/// From which day a capture's money is there: two days later, not counting Saturdays and Sundays; at once from some cards
/// and from banks in the United States.
pub(super) fn available_day(instrument: &Instrument, now_ms: u64) -> i32 {
    let today = day_of(now_ms);
    let at_once = match instrument {
        Instrument::Card(card) => card.facts().available_at_once,
        Instrument::Bank(bank) => bank.scheme == BankScheme::UsBankAccount,
        Instrument::Redirect(_) => false,
    };
    if at_once {
        return today;
    }
    // 1970-01-01 was a Thursday: day 2 a Saturday.
    let is_weekend = |day: i32| matches!(day.rem_euclid(7), 2 | 3);
    let mut day = today;
    let mut left = 2;
    while left > 0 {
        day += 1;
        if !is_weekend(day) {
            left -= 1;
        }
    }
    day
}

/// The name of a network's receivable.
pub(super) fn receivable(network: Network) -> &'static str {
    match network {
        Network::Instant => "network_receivable{instant}",
        Network::Remote => "network_receivable{remote}",
    }
}

impl Postings {
    /// Adds a line; credits are negative.
    pub(super) fn add(mut self, currency: u8, account: &'static str, day: i32, amount: i64) -> Postings {
        *self.0.entry((currency, account, day)).or_default() += i128::from(amount);
        self
    }

    /// The postings of an entry.
    pub(super) fn of(entry: &Entry) -> Postings {
        let mut all = Postings::default();
        for posting in &entry.postings {
            all = all.add(
                posting.currency.number(),
                posting.account.name(),
                posting.day,
                posting.amount,
            );
        }
        all
    }
}

impl Ledger {
    /// Posts.
    pub(super) fn post(&mut self, postings: &Postings) {
        for (line, amount) in &postings.0 {
            *self.0.entry(*line).or_default() += amount;
        }
    }

    /// A currency whose lines do not sum to zero.
    pub(super) fn imbalance(&self) -> Option<u8> {
        let mut sums: BTreeMap<u8, i128> = BTreeMap::new();
        for ((currency, ..), amount) in &self.0 {
            *sums.entry(*currency).or_default() += amount;
        }
        sums.into_iter()
            .find(|(_, sum)| *sum != 0)
            .map(|(currency, _)| currency)
    }

    /// The total of an account in a currency over all days.
    pub(super) fn total(&self, currency: u8, account: &str) -> i128 {
        let of_account = |((in_currency, name, _), amount): (&Line, &i128)| {
            (*in_currency == currency && *name == account).then_some(*amount)
        };
        self.0.iter().filter_map(of_account).sum()
    }

    /// Every currency that ever moved.
    pub(super) fn currencies(&self) -> Vec<u8> {
        let mut all: Vec<u8> = self.0.keys().map(|(currency, ..)| *currency).collect();
        all.dedup();
        all
    }

    /// What the merchant has in a currency on a day: (available, pending).
    pub(super) fn merchant(&self, currency: u8, today: i32) -> (i128, i128) {
        let mut both = (0, 0);
        for ((in_currency, name, day), amount) in &self.0 {
            if *in_currency == currency && *name == "merchant_balance" {
                if *day <= today {
                    both.0 -= amount;
                } else {
                    both.1 -= amount;
                }
            }
        }
        both
    }

    /// Totals that are not zero, by currency and account.
    pub(super) fn totals(&self) -> BTreeMap<(u8, &'static str), i128> {
        let mut totals: BTreeMap<(u8, &'static str), i128> = BTreeMap::new();
        for ((currency, name, _), amount) in &self.0 {
            *totals.entry((*currency, name)).or_default() += amount;
        }
        totals.retain(|_, total| *total != 0);
        totals
    }
}

/// The names the domain gives to its ledger accounts must be the ones used here.
pub(super) fn is_known(account: LedgerAccount) -> bool {
    const NAMES: [&str; 5] = [
        "merchant_balance",
        "refund_in_transit",
        "fee_revenue",
        "dispute_in_transit",
        "dispute_fee_revenue",
    ];
    NAMES.contains(&account.name()) || account.name().starts_with("network_receivable{")
}
