//! What the check of the money found, as the record keeps it.

use serde_json::{Value, json};

/// Most differences spelled out; all are counted.
const DIFFERENCES_SHOWN_MAX: usize = 20;

/// What the check found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reconciled {
    /// Merchants checked, of how many that had movements.
    pub(crate) merchants: (u64, u64),
    /// Movements checked, of how many acknowledged.
    pub(crate) movements: (u64, u64),
    /// Balance transactions read.
    pub(crate) transactions: u64,
    /// Payments and refunds found in their lists.
    pub(crate) listed: u64,
    /// Events found that say that money moved.
    pub(crate) events: u64,
    /// Requests without an answer that turn out to have moved money, and those that have not.
    pub(crate) unknown: (u64, u64),
    /// Net sum of the transactions that answers explain, each once, and gross of those that are missing; minor units.
    pub(crate) expected: i64,
    /// What the balances moved by.
    pub(crate) moved: i64,
    /// Differences found.
    pub(crate) difference_count: u64,
    /// The first of them in words.
    pub(crate) differences: Vec<String>,
    /// Seconds the check took.
    pub(crate) took_s: f64,
}

impl Reconciled {
    /// `moved - expected`, minor units.
    pub(crate) fn cents(&self) -> i64 {
        self.moved - self.expected
    }

    /// For the record.
    pub(crate) fn json(&self) -> Value {
        json!({
            "merchants_checked": self.merchants.0,
            "merchants": self.merchants.1,
            "movements_checked": self.movements.0,
            "movements": self.movements.1,
            "transactions": self.transactions,
            "listed": self.listed,
            "events": self.events,
            "unknown_moved": self.unknown.0,
            "unknown_not_moved": self.unknown.1,
            "expected": self.expected,
            "moved": self.moved,
            "difference": self.cents(),
            "difference_count": self.difference_count,
            "differences": self.differences,
            "took_s": self.took_s,
        })
    }

    /// Reads it back.
    pub(crate) fn read(value: &Value) -> Option<Reconciled> {
        let count = |name: &str| value[name].as_u64();
        let differences = value["differences"].as_array()?;
        Some(Reconciled {
            merchants: (count("merchants_checked")?, count("merchants")?),
            movements: (count("movements_checked")?, count("movements")?),
            transactions: count("transactions")?,
            listed: count("listed")?,
            events: count("events")?,
            unknown: (count("unknown_moved")?, count("unknown_not_moved")?),
            expected: value["expected"].as_i64()?,
            moved: value["moved"].as_i64()?,
            difference_count: count("difference_count")?,
            differences: differences
                .iter()
                .filter_map(|what| what.as_str().map(Into::into))
                .collect(),
            took_s: value["took_s"].as_f64()?,
        })
    }

    /// Adds what was found at other merchants.
    pub(crate) fn add(&mut self, other: &Reconciled) {
        let add = |mine: &mut (u64, u64), theirs: (u64, u64)| {
            *mine = (mine.0 + theirs.0, mine.1 + theirs.1);
        };
        add(&mut self.merchants, other.merchants);
        add(&mut self.movements, other.movements);
        add(&mut self.unknown, other.unknown);
        self.transactions += other.transactions;
        self.listed += other.listed;
        self.events += other.events;
        self.expected += other.expected;
        self.moved += other.moved;
        self.took_s = self.took_s.max(other.took_s);
        self.difference_count += other.difference_count;
        let room = DIFFERENCES_SHOWN_MAX.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.iter().take(room).cloned());
    }

    /// Counts a difference.
    pub(super) fn differs(&mut self, what: String) {
        self.difference_count += 1;
        if self.differences.len() < DIFFERENCES_SHOWN_MAX {
            self.differences.push(what);
        }
    }
}
