//! A merchant's double-entry books: every cent has two places.
//!
//! Signs: a debit is positive, a credit negative, so an entry balances when its postings sum to zero per currency. What
//! the merchant is owed is a credit; [`Books::merchant_balance`] turns the sign, so that owed money reads positive.
//!
//! Money of the merchant stands in day buckets: every posting to `merchant_balance` names the day from which it is
//! available. Pending and available are computed from the date that is asked about; nothing has to run at midnight.

mod entry;
mod fees;
mod ledger_account;

pub use entry::{CaptureMoney, Entry, EntryCause, EntryProblem, Posting, refund_day};
pub use fees::{Fee, debit_fee, dispute_fee, fee};
pub use ledger_account::{LedgerAccount, NormalSide};

use crate::money::Currency;
use tollgate_breaks::broken;
use tollgate_resource::{Record, RecordError};

/// The balances of one account's books. Deterministic: the same entries give the same bytes.
///
/// Size is currencies × (ledger accounts + open days): buckets of past days are folded into one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Sorted by currency, account, day; no line is zero.
    lines: Vec<Line>,
    /// The day up to which buckets are folded.
    today: i32,
}

/// What a merchant has in one currency at one moment, in minor units; positive means owed to the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MerchantBalance {
    /// The currency.
    pub currency: Currency,
    /// Available now.
    pub available: i64,
    /// Available later.
    pub pending: i64,
}

/// The bucket of money whose day has come, and of ledger accounts without days.
pub const NO_DAY: i32 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    currency: Currency,
    account: LedgerAccount,
    day: i32,
    /// Debits minus credits.
    amount: i128,
}

impl Line {
    fn key(&self) -> (Currency, LedgerAccount, i32) {
        (self.currency, self.account, self.day)
    }
}

impl Books {
    /// Empty books.
    pub fn new() -> Books {
        Books::default()
    }

    /// Posts an entry on day `today`, and folds the buckets whose day has come.
    ///
    /// # Panics
    /// When the entry is malformed or breaks a balance rule. That is a broken invariant, not a refusal: decisions refuse
    /// before; the shard that holds these books stops.
    pub fn apply(&mut self, entry: &Entry, today: i32) {
        if let Err(problem) = entry.check() {
            panic!("entry {entry:?} may not be posted: {problem}");
        }
        self.advance(today);
        for posting in entry.postings.iter().skip(usize::from(broken!(ForgetPosting))) {
            self.post(posting);
        }
        for posting in &entry.postings {
            let total = self.balance(posting.account, posting.currency);
            let allowed = posting.account.normal_side().allows(total);
            assert!(
                allowed,
                "entry {entry:?} leaves {:?} at {total} {}",
                posting.account, posting.currency
            );
        }
    }

    /// Folds the buckets whose day has come by `today` into one. Changes no balance; keeps the books small.
    ///
    /// # Panics
    /// When `today` is before a day that was given earlier.
    pub fn advance(&mut self, today: i32) {
        assert!(today >= self.today, "the books' day goes back");
        if today == self.today {
            return;
        }
        self.today = today;
        let passed = |line: &Line| line.day != NO_DAY && line.day <= today;
        let (folding, kept): (Vec<Line>, Vec<Line>) = self.lines.drain(..).partition(passed);
        self.lines = kept;
        folding
            .into_iter()
            .for_each(|line| self.add(Line { day: NO_DAY, ..line }));
    }

    /// Debits minus credits of a ledger account over all days.
    pub fn balance(&self, account: LedgerAccount, currency: Currency) -> i128 {
        let start = self
            .lines
            .partition_point(|line| (line.currency, line.account) < (currency, account));
        let of_account = |line: &&Line| (line.currency, line.account) == (currency, account);
        self.lines[start..]
            .iter()
            .take_while(of_account)
            .map(|line| line.amount)
            .sum()
    }

    /// What the merchant has in each currency of the books on day `today`, in currency order. Exact for any day from
    /// the newest entry's on.
    pub fn merchant_balances(&self, today: i32) -> Vec<MerchantBalance> {
        let mut out: Vec<MerchantBalance> = Vec::new();
        for line in &self.lines {
            if out.last().is_none_or(|last| last.currency != line.currency) {
                out.push(MerchantBalance {
                    currency: line.currency,
                    available: 0,
                    pending: 0,
                });
            }
            if line.account != LedgerAccount::MerchantBalance {
                continue;
            }
            let owed = i64::try_from(-line.amount).expect("a merchant's balance fits 64 bits");
            let balance = out.last_mut().expect("pushed above");
            let place = if line.day <= today {
                &mut balance.available
            } else {
                &mut balance.pending
            };
            *place = place.checked_add(owed).expect("a merchant's balance fits 64 bits");
        }
        out
    }

    /// What the merchant has in one currency on day `today`.
    pub fn merchant_balance(&self, currency: Currency, today: i32) -> MerchantBalance {
        let none = MerchantBalance {
            currency,
            available: 0,
            pending: 0,
        };
        self.merchant_balances(today)
            .into_iter()
            .find(|balance| balance.currency == currency)
            .unwrap_or(none)
    }

    /// Every balance that is not zero, summed over days, in currency and account order; for audit.
    pub fn totals(&self) -> Vec<(Currency, LedgerAccount, i128)> {
        let mut out: Vec<(Currency, LedgerAccount, i128)> = Vec::new();
        for line in &self.lines {
            match out.last_mut() {
                Some((currency, account, total)) if (*currency, *account) == (line.currency, line.account) => {
                    *total += line.amount;
                }
                _ => out.push((line.currency, line.account, line.amount)),
            }
        }
        out.retain(|(_, _, total)| *total != 0);
        out
    }

    /// The first currency whose balances do not sum to zero, with the sum; `None` for sound books.
    pub fn imbalance(&self) -> Option<(Currency, i128)> {
        let mut at = 0;
        while at < self.lines.len() {
            let currency = self.lines[at].currency;
            let end = at
                + self.lines[at..]
                    .iter()
                    .take_while(|line| line.currency == currency)
                    .count();
            let sum: i128 = self.lines[at..end].iter().map(|line| line.amount).sum();
            if sum != 0 {
                return Some((currency, sum));
            }
            at = end;
        }
        None
    }

    /// The lines for an account row.
    pub(crate) fn to_rows(&self) -> Vec<LineRow> {
        let row = |line: &Line| LineRow {
            account: line.account,
            currency: line.currency,
            day: line.day,
            amount: line.amount as u128,
        };
        self.lines.iter().map(row).collect()
    }

    /// Books from the lines of an account row that was written on day `today`.
    pub(crate) fn from_rows(rows: &[LineRow], today: i32) -> Result<Books, RecordError> {
        let line = |row: &LineRow| Line {
            account: row.account,
            currency: row.currency,
            day: row.day,
            amount: row.amount as i128,
        };
        let lines: Vec<Line> = rows.iter().map(line).collect();
        let sorted = lines.windows(2).all(|pair| pair[0].key() < pair[1].key());
        if !sorted || lines.iter().any(|line| line.amount == 0) {
            return Err(RecordError::Overflow);
        }
        Ok(Books { lines, today })
    }

    fn post(&mut self, posting: &Posting) {
        let day = if posting.day <= self.today { NO_DAY } else { posting.day };
        self.add(Line {
            currency: posting.currency,
            account: posting.account,
            day,
            amount: i128::from(posting.amount),
        });
    }

    fn add(&mut self, line: Line) {
        match self.lines.binary_search_by_key(&line.key(), Line::key) {
            Ok(at) => {
                self.lines[at].amount += line.amount;
                if self.lines[at].amount == 0 {
                    self.lines.remove(at);
                }
            }
            Err(at) => self.lines.insert(at, line),
        }
    }
}

/// One balance in an account row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub(crate) struct LineRow {
    #[record(1)]
    account: LedgerAccount,
    #[record(2)]
    currency: Currency,
    #[record(3)]
    day: i32,
    /// Two's complement of a signed 128-bit amount.
    #[record(4)]
    amount: u128,
}

#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
