//! What an audit says: whether the journal is clean, the first difference, counts and sums.

use crate::files::FilesStanding;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use tollgate_domain::books::LedgerAccount;
use tollgate_domain::money::Currency;

/// Version of the JSON report's layout.
const FORMAT: u32 = 1;

/// Everything that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A shard's blocks follow on each other without a gap, in epochs that never go back.
    BlockOrder,
    /// Time never goes back: of a shard, of an account, and never beyond the block's.
    Time,
    /// Accounts and keys of the directory follow on each other; every account has a profile, and one shard.
    Directory,
    /// An account's sequence has no gap, and counts exactly what is born.
    Sequence,
    /// Ids name the time, sequence and account of their record; what changes existed before.
    Ids,
    /// The envelope, which the index believes, says what the record's facts say.
    Envelope,
    /// Events are about objects of their kind in their record.
    Events,
    /// Each entry has at least two postings and sums to zero per currency.
    Entry,
    /// Ledger accounts equal their postings and keep their signs; the whole sums to zero.
    Books,
    /// Each movement of money is exactly one entry and, where it moves the merchant's balance, one balance transaction.
    Movement,
    /// The merchant's balance equals the sum of the balance transactions' nets.
    BalanceTransactions,
    /// Refunds never exceed their capture, nor captures their authorisation.
    Limits,
    /// Intents and charges move only along their state tables, and agree with each other.
    States,
    /// Each attempt at a network is recorded before its call, called once, and settled or pending.
    Attempts,
    /// One idempotency key has at most one outcome within its life.
    Idempotency,
    /// A row holds the state that its account's records lead to.
    Row,
    /// The bytes of each uploaded file are there, as long as its record says and with its SHA-256.
    File,
    /// The index, which reads believe until they reach the journal, holds what the journal's envelopes say. Compared by
    /// the store; see [`Report::index`].
    Index,
}

impl Check {
    /// Its word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Check::BlockOrder => "block_order",
            Check::Time => "time",
            Check::Directory => "directory",
            Check::Sequence => "sequence",
            Check::Ids => "ids",
            Check::Envelope => "envelope",
            Check::Events => "events",
            Check::Entry => "entry",
            Check::Books => "books",
            Check::Movement => "movement",
            Check::BalanceTransactions => "balance_transactions",
            Check::Limits => "limits",
            Check::States => "states",
            Check::Attempts => "attempts",
            Check::Idempotency => "idempotency",
            Check::Row => "row",
            Check::File => "file",
            Check::Index => "index",
        }
    }
}

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The check that found it.
    pub check: Check,
    /// What does not agree, with both sides.
    pub what: String,
    /// Where: file (or partition) and offset of the block; `end of the journal` for what only the whole shows.
    pub place: String,
    /// The shard; `None` at the end.
    pub shard: Option<u16>,
    /// The block's sequence in its shard; `None` at the end.
    pub block: Option<u64>,
    /// The record's number in its block, from 1; `None` for the block itself and at the end.
    pub record: Option<u32>,
    /// The account (`acct_…` and its mode), where it is about one.
    pub account: Option<String>,
    /// The command that the record is of: its request where it has one.
    pub command: Option<String>,
}

/// How the index stands to the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexStanding {
    /// There is none; a start builds it.
    Absent,
    /// A start would not use it, for this reason, and build it again.
    Unusable(String),
    /// It holds exactly what the journal says, up to where it reaches.
    Agrees {
        /// Records that it holds.
        records: u64,
    },
    /// A start would believe it, and it is wrong: the report's difference says where.
    Differs,
}

impl IndexStanding {
    /// Its word in reports.
    pub fn name(&self) -> &'static str {
        match self {
            IndexStanding::Absent => "absent",
            IndexStanding::Unusable(_) => "unusable",
            IndexStanding::Agrees { .. } => "agrees",
            IndexStanding::Differs => "differs",
        }
    }

    fn text(&self, of: u64) -> String {
        match self {
            IndexStanding::Absent => "none: the next start builds it from the journal".into(),
            IndexStanding::Unusable(why) => format!("not usable, the next start builds it from the journal: {why}"),
            IndexStanding::Agrees { records } => format!(
                "agrees with the journal: {records} records, {} newer ones are read at a start",
                of.saturating_sub(*records)
            ),
            IndexStanding::Differs => "differs from the journal".into(),
        }
    }

    fn json(&self) -> Value {
        let (mut records, mut why) = (None, None);
        match self {
            IndexStanding::Agrees { records: held } => records = Some(*held),
            IndexStanding::Unusable(reason) => why = Some(reason),
            IndexStanding::Absent | IndexStanding::Differs => {}
        }
        json!({"state": self.name(), "records": records, "why": why})
    }
}

/// Money that waits for a network, of one currency and one range of ages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgeLine {
    /// How many.
    pub count: u64,
    /// Their sum, in minor units.
    pub amount: i128,
}

/// Names of the ranges of ages, each up to its bound.
pub const AGES: [&str; 4] = ["under_1_minute", "under_1_hour", "under_1_day", "over_1_day"];
const AGE_BOUNDS_MS: [u64; 3] = [60_000, 3_600_000, 86_400_000];

/// What is not cleared, by currency code and age; ages are counted to the newest record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uncleared {
    lines: BTreeMap<&'static str, [AgeLine; 4]>,
    /// Age of the oldest, in milliseconds; `None` if there is none.
    pub oldest_ms: Option<u64>,
}

impl Uncleared {
    /// Adds one of this age.
    pub(crate) fn add(&mut self, currency: Currency, amount: i64, age_ms: u64) {
        let at = AGE_BOUNDS_MS
            .iter()
            .position(|bound| age_ms < *bound)
            .unwrap_or(AGE_BOUNDS_MS.len());
        let line = &mut self.lines.entry(currency.code()).or_default()[at];
        line.count += 1;
        line.amount += i128::from(amount);
        self.oldest_ms = self.oldest_ms.max(Some(age_ms));
    }

    /// By currency code, one line for each of [`AGES`].
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, &[AgeLine; 4])> {
        self.lines.iter().map(|(code, lines)| (*code, lines))
    }

    /// How many in all.
    pub fn count(&self) -> u64 {
        self.lines.values().flatten().map(|line| line.count).sum()
    }

    fn json(&self) -> Value {
        let line = |line: &AgeLine| json!({"count": line.count, "amount": whole(line.amount)});
        let by_age = |lines: &[AgeLine; 4]| -> Value {
            AGES.iter()
                .zip(lines)
                .map(|(age, counted)| (age.to_string(), line(counted)))
                .collect::<Map<_, _>>()
                .into()
        };
        let by_currency: Map<String, Value> = self
            .lines
            .iter()
            .map(|(code, lines)| (code.to_string(), by_age(lines)))
            .collect();
        json!({"count": self.count(), "oldest_ms": self.oldest_ms, "by_currency": by_currency})
    }

    fn text(&self, name: &str, out: &mut Vec<String>) {
        if self.count() == 0 {
            out.push(format!("{name:<20} none"));
        }
        for (code, lines) in &self.lines {
            let ages = AGES.iter().zip(lines).filter(|(_, line)| line.count > 0);
            let ages: Vec<String> = ages
                .map(|(age, line)| format!("{} ({}) {}", line.count, line.amount, age.replace('_', " ")))
                .collect();
            out.push(format!("{name:<20} {code}: {}", ages.join(", ")));
        }
    }
}

/// The result of an audit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The first difference; `None` for a clean journal.
    pub difference: Option<Difference>,
    /// How often the journal was read; 0 for not at all.
    pub passes: u64,
    /// Blocks read.
    pub blocks: u64,
    /// Records read, the directory's included.
    pub records: u64,
    /// Records that hold an account's whole state.
    pub rows: u64,
    /// Accounts and modes of the directory.
    pub accounts: u64,
    /// Accounts and modes with records of their own.
    pub accounts_used: u64,
    /// Payment intents.
    pub payment_intents: u64,
    /// Those that succeeded.
    pub payments: u64,
    /// Charges, failed ones included.
    pub charges: u64,
    /// Refunds.
    pub refunds: u64,
    /// Balance transactions.
    pub balance_transactions: u64,
    /// Ledger entries.
    pub entries: u64,
    /// Events.
    pub events: u64,
    /// Outcomes of idempotency keys.
    pub outcomes: u64,
    /// Balances of the ledger, debits minus credits in minor units, by currency code and ledger account, over all
    /// accounts.
    pub ledger: BTreeMap<&'static str, BTreeMap<&'static str, i128>>,
    /// Attempts at networks that are not settled.
    pub attempts: Uncleared,
    /// Refunds that no network has confirmed.
    pub refunds_in_transit: Uncleared,
    /// Time of the newest record, milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// What was found of uploaded files; `None` if their bytes were not looked at to the end.
    pub files: Option<FilesStanding>,
    /// How the index stands to the journal; `None` if it was not compared.
    pub index: Option<IndexStanding>,
}

impl Report {
    /// Whether everything agrees.
    pub fn clean(&self) -> bool {
        self.difference.is_none()
    }

    /// Adds a ledger account's balance.
    pub(crate) fn add_balance(&mut self, currency: Currency, account: LedgerAccount, amount: i128) {
        *self
            .ledger
            .entry(currency.code())
            .or_default()
            .entry(account.name())
            .or_default() += amount;
    }

    /// The report in lines for people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "{:<20} {} in {} blocks, {} rows among them",
                "records", self.records, self.blocks, self.rows
            ),
            format!(
                "{:<20} {}, {} of them used",
                "accounts", self.accounts, self.accounts_used
            ),
            format!(
                "{:<20} {} of {} payment intents succeeded",
                "payments", self.payments, self.payment_intents
            ),
            format!("{:<20} {}", "charges", self.charges),
            format!("{:<20} {}", "refunds", self.refunds),
            format!(
                "{:<20} {}, {} balance transactions",
                "entries", self.entries, self.balance_transactions
            ),
            format!(
                "{:<20} {}, {} idempotency outcomes",
                "events", self.events, self.outcomes
            ),
        ];
        for (code, accounts) in &self.ledger {
            let sums: Vec<String> = accounts
                .iter()
                .map(|(name, amount)| format!("{name} {amount}"))
                .collect();
            lines.push(format!("{:<20} {code}: {}", "ledger (Dr - Cr)", sums.join(", ")));
        }
        self.attempts.text("attempts pending", &mut lines);
        self.refunds_in_transit.text("refunds in transit", &mut lines);
        if let Some(files) = &self.files {
            lines.push(format!("{:<20} {}", "files", files.text()));
        }
        if let Some(index) = &self.index {
            lines.push(format!("{:<20} {}", "index", index.text(self.records)));
        }
        lines.push(match &self.difference {
            None => "clean: everything agrees".into(),
            Some(difference) => format!("DIFFERENCE: {difference}"),
        });
        let mut out = String::new();
        for line in lines {
            writeln!(out, "{line}").expect("a String takes everything");
        }
        out
    }

    /// The report for machines. Amounts in minor units; ledger balances are debits minus credits.
    pub fn json(&self) -> Value {
        let ledger: Map<String, Value> = self
            .ledger
            .iter()
            .map(|(code, accounts)| {
                let sums: Map<String, Value> = accounts
                    .iter()
                    .map(|(name, amount)| (name.to_string(), whole(*amount)))
                    .collect();
                (code.to_string(), sums.into())
            })
            .collect();
        json!({
            "format": FORMAT,
            "clean": self.clean(),
            "difference": self.difference.as_ref().map(|difference| json!({
                "check": difference.check.name(),
                "what": difference.what,
                "place": difference.place,
                "shard": difference.shard,
                "block": difference.block,
                "record": difference.record,
                "account": difference.account,
                "command": difference.command,
            })),
            "files": self.files.as_ref().map(FilesStanding::json),
            "index": self.index.as_ref().map(IndexStanding::json),
            "passes": self.passes,
            "blocks": self.blocks,
            "records": self.records,
            "rows": self.rows,
            "accounts": self.accounts,
            "accounts_used": self.accounts_used,
            "payment_intents": self.payment_intents,
            "payments": self.payments,
            "charges": self.charges,
            "refunds": self.refunds,
            "balance_transactions": self.balance_transactions,
            "entries": self.entries,
            "events": self.events,
            "outcomes": self.outcomes,
            "ledger": ledger,
            "attempts_pending": self.attempts.json(),
            "refunds_in_transit": self.refunds_in_transit.json(),
            "now_ms": self.now_ms,
        })
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; at {}", self.check.name(), self.what, self.place)?;
        if let (Some(shard), Some(block)) = (self.shard, self.block) {
            write!(f, ", shard {shard}, block {block}")?;
        }
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        if let Some(account) = &self.account {
            write!(f, ", account {account}")?;
        }
        if let Some(command) = &self.command {
            write!(f, ", command: {command}")?;
        }
        Ok(())
    }
}

/// A number that JSON readers keep exact: text where it exceeds 64 bits.
fn whole(amount: i128) -> Value {
    i64::try_from(amount).map_or_else(|_| amount.to_string().into(), Value::from)
}

/// What a check found; where it is, is added further out.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) what: String,
}

/// The result of one check.
pub(crate) type Checked = Result<(), Finding>;

/// Finds fault unless `holds`.
pub(crate) fn ensure(check: Check, holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds {
        Ok(())
    } else {
        Err(Finding { check, what: what() })
    }
}
