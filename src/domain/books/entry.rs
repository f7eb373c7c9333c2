//! Entries: balanced sets of postings, each derived from its cause.

use super::{LedgerAccount, NO_DAY};
use crate::inputs::Network;
use crate::money::{Currency, Money};
use tollgate_breaks::broken;
use tollgate_resource::{Id, Names, Record};

/// A balanced, immutable change of the books. A correction is another entry.
///
/// Its identity is its cause: there is one entry of a cause for one object.
#[derive(Clone, Debug, PartialEq, Eq, Record)]
pub struct Entry {
    /// Why it was made.
    #[record(1)]
    pub cause: EntryCause,
    /// The charge, refund or dispute it was made for.
    #[record(2)]
    pub source: Id,
    /// The balance transaction that shows it; given if and only if it moves the merchant's balance.
    #[record(3)]
    pub balance_transaction: Option<Id>,
    /// Its lines, in the order of the flow's description.
    #[record(4)]
    pub postings: Vec<Posting>,
}

/// Why an entry was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Names, Record)]
pub enum EntryCause {
    /// A charge was captured, wholly or in part.
    #[record(1)]
    Capture,
    /// A refund took its amount from the merchant.
    #[record(2)]
    Refund,
    /// A network confirmed a refund.
    #[record(3)]
    RefundConfirmed,
    /// A confirmed refund came back.
    #[record(4)]
    RefundFailed,
    /// A dispute took its amount and its fee from the merchant.
    #[record(5)]
    DisputeOpened,
    /// A network debited a dispute.
    #[record(6)]
    DisputeDebited,
    /// A dispute was won: the network gave the amount back.
    #[record(7)]
    DisputeWon,
}

/// One debit or credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Posting {
    /// Where.
    #[record(1)]
    pub account: LedgerAccount,
    /// In which currency.
    #[record(2)]
    pub currency: Currency,
    /// From which day it counts as available (days since 1970-01-01); 0 for accounts without days.
    #[record(3)]
    pub day: i32,
    /// Minor units: a debit is positive, a credit negative.
    #[record(4)]
    pub amount: i64,
}

/// Why an entry may not be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// It has fewer than two postings.
    TooFewPostings,
    /// A posting of nothing.
    ZeroPosting,
    /// The postings of this currency do not sum to zero.
    Unbalanced {
        /// The currency.
        currency: Currency,
        /// Debits minus credits.
        sum: i128,
    },
    /// A posting to the merchant's balance without a day, or a day on another account.
    Day,
    /// It moves the merchant's balance without a balance transaction, or names one without moving it.
    BalanceTransaction,
}

impl std::fmt::Display for EntryProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EntryProblem::TooFewPostings => write!(f, "it has fewer than two postings"),
            EntryProblem::ZeroPosting => write!(f, "a posting is zero"),
            EntryProblem::Unbalanced { currency, sum } => write!(f, "its postings in {currency} sum to {sum}"),
            EntryProblem::Day => write!(f, "a day is missing on merchant_balance or given elsewhere"),
            EntryProblem::BalanceTransaction => {
                write!(
                    f,
                    "an entry names a balance transaction if and only if it moves merchant_balance"
                )
            }
        }
    }
}
impl std::error::Error for EntryProblem {}

/// What a capture moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureMoney {
    /// The amount captured.
    pub captured: Money,
    /// Our fee, in minor units of the same currency.
    pub fee: i64,
    /// The day from which it is available.
    pub available_day: i32,
}

impl Entry {
    /// A capture, whole or partial: the network owes us the amount, we owe it to the merchant less the fee.
    ///
    /// `Dr network_receivable / Cr merchant_balance[day]` amount; `Dr merchant_balance[day] / Cr fee_revenue` fee.
    pub fn capture(charge: Id, balance_transaction: Id, network: Network, money: CaptureMoney) -> Entry {
        let CaptureMoney {
            captured,
            fee,
            available_day: day,
        } = money;
        let Money { amount, currency } = captured;
        // Both of the amount, and both of the fee.
        let mut postings = Vec::with_capacity(4);
        postings.push(Posting::on(
            LedgerAccount::NetworkReceivable(network),
            currency,
            NO_DAY,
            amount,
        ));
        postings.push(Posting::on(LedgerAccount::MerchantBalance, currency, day, -amount));
        if fee != 0 {
            postings.push(Posting::on(LedgerAccount::MerchantBalance, currency, day, fee));
            if !broken!(DropPosting) {
                postings.push(Posting::on(LedgerAccount::FeeRevenue, currency, NO_DAY, -fee));
            }
        }
        Entry {
            cause: EntryCause::Capture,
            source: charge,
            balance_transaction: Some(balance_transaction),
            postings,
        }
    }

    /// A refund: taken from the merchant, on its way to the cardholder. `day` is the charge's day while that is pending,
    /// else today ([`refund_day`]).
    ///
    /// `Dr merchant_balance[day] / Cr refund_in_transit`.
    pub fn refund(refund: Id, balance_transaction: Id, refunded: Money, day: i32) -> Entry {
        let Money { amount, currency } = refunded;
        Entry {
            cause: EntryCause::Refund,
            source: refund,
            balance_transaction: Some(balance_transaction),
            postings: vec![
                Posting::on(LedgerAccount::MerchantBalance, currency, day, amount),
                Posting::on(LedgerAccount::RefundInTransit, currency, NO_DAY, -amount),
            ],
        }
    }

    /// The network confirmed a refund: `Dr refund_in_transit / Cr network_receivable`.
    pub fn refund_confirmed(refund: Id, network: Network, refunded: Money) -> Entry {
        let Money { amount, currency } = refunded;
        Entry {
            cause: EntryCause::RefundConfirmed,
            source: refund,
            balance_transaction: None,
            postings: vec![
                Posting::on(LedgerAccount::RefundInTransit, currency, NO_DAY, amount),
                Posting::on(LedgerAccount::NetworkReceivable(network), currency, NO_DAY, -amount),
            ],
        }
    }

    /// A confirmed refund came back: `Dr network_receivable / Cr merchant_balance[today]`.
    pub fn refund_failed(refund: Id, balance_transaction: Id, network: Network, refunded: Money, today: i32) -> Entry {
        let Money { amount, currency } = refunded;
        Entry {
            cause: EntryCause::RefundFailed,
            source: refund,
            balance_transaction: Some(balance_transaction),
            postings: vec![
                Posting::on(LedgerAccount::NetworkReceivable(network), currency, NO_DAY, amount),
                Posting::on(LedgerAccount::MerchantBalance, currency, today, -amount),
            ],
        }
    }

    /// A dispute that takes money: its amount is on its way to the cardholder, its fee is ours.
    ///
    /// `Dr merchant_balance[day] / Cr dispute_in_transit` amount; `Dr merchant_balance[day] / Cr dispute_fee_revenue` fee.
    pub fn dispute_opened(dispute: Id, balance_transaction: Id, disputed: Money, fee: i64, day: i32) -> Entry {
        let Money { amount, currency } = disputed;
        let mut postings = vec![
            Posting::on(LedgerAccount::MerchantBalance, currency, day, amount),
            Posting::on(LedgerAccount::DisputeInTransit, currency, NO_DAY, -amount),
        ];
        if fee != 0 {
            postings.push(Posting::on(LedgerAccount::MerchantBalance, currency, day, fee));
            postings.push(Posting::on(LedgerAccount::DisputeFeeRevenue, currency, NO_DAY, -fee));
        }
        Entry {
            cause: EntryCause::DisputeOpened,
            source: dispute,
            balance_transaction: Some(balance_transaction),
            postings,
        }
    }

    /// The network took a dispute's amount from us: `Dr dispute_in_transit / Cr network_receivable`.
    pub fn dispute_debited(dispute: Id, network: Network, disputed: Money) -> Entry {
        let Money { amount, currency } = disputed;
        Entry {
            cause: EntryCause::DisputeDebited,
            source: dispute,
            balance_transaction: None,
            postings: vec![
                Posting::on(LedgerAccount::DisputeInTransit, currency, NO_DAY, amount),
                Posting::on(LedgerAccount::NetworkReceivable(network), currency, NO_DAY, -amount),
            ],
        }
    }

    /// A dispute was won; the fee is kept unless the account's settings return it.
    ///
    /// `Dr network_receivable / Cr merchant_balance[today]` amount; `Dr dispute_fee_revenue / Cr merchant_balance[today]`
    /// what is returned of the fee.
    pub fn dispute_won(
        dispute: Id,
        balance_transaction: Id,
        network: Network,
        disputed: Money,
        fee_returned: i64,
        today: i32,
    ) -> Entry {
        let Money { amount, currency } = disputed;
        let mut postings = vec![
            Posting::on(LedgerAccount::NetworkReceivable(network), currency, NO_DAY, amount),
            Posting::on(LedgerAccount::MerchantBalance, currency, today, -amount),
        ];
        if fee_returned != 0 {
            postings.push(Posting::on(
                LedgerAccount::DisputeFeeRevenue,
                currency,
                NO_DAY,
                fee_returned,
            ));
            postings.push(Posting::on(
                LedgerAccount::MerchantBalance,
                currency,
                today,
                -fee_returned,
            ));
        }
        Entry {
            cause: EntryCause::DisputeWon,
            source: dispute,
            balance_transaction: Some(balance_transaction),
            postings,
        }
    }

    /// Whether its postings sum to zero in every currency.
    pub fn balanced(&self) -> bool {
        self.imbalance().is_none()
    }

    /// Everything that must hold of an entry by itself.
    pub fn check(&self) -> Result<(), EntryProblem> {
        if self.postings.len() < 2 {
            return Err(EntryProblem::TooFewPostings);
        }
        if self.postings.iter().any(|posting| posting.amount == 0) {
            return Err(EntryProblem::ZeroPosting);
        }
        if self
            .postings
            .iter()
            .any(|posting| posting.account.has_days() != (posting.day != NO_DAY))
        {
            return Err(EntryProblem::Day);
        }
        if let Some((currency, sum)) = self.imbalance() {
            return Err(EntryProblem::Unbalanced { currency, sum });
        }
        let moves = self
            .postings
            .iter()
            .any(|posting| posting.account == LedgerAccount::MerchantBalance);
        if moves != self.balance_transaction.is_some() {
            return Err(EntryProblem::BalanceTransaction);
        }
        Ok(())
    }

    /// What it adds to the merchant's balance, in minor units of `currency`; the net of its balance transaction.
    pub fn merchant_net(&self, currency: Currency) -> i128 {
        let of_merchant =
            |posting: &&Posting| posting.account == LedgerAccount::MerchantBalance && posting.currency == currency;
        self.postings
            .iter()
            .filter(of_merchant)
            .map(|posting| -i128::from(posting.amount))
            .sum()
    }

    fn imbalance(&self) -> Option<(Currency, i128)> {
        let sum_of = |currency| -> i128 {
            let same = |posting: &&Posting| posting.currency == currency;
            self.postings
                .iter()
                .filter(same)
                .map(|posting| i128::from(posting.amount))
                .sum()
        };
        let sums = self
            .postings
            .iter()
            .map(|posting| (posting.currency, sum_of(posting.currency)));
        sums.into_iter().find(|(_, sum)| *sum != 0)
    }
}

impl Posting {
    fn on(account: LedgerAccount, currency: Currency, day: i32, amount: i64) -> Posting {
        Posting {
            account,
            currency,
            day,
            amount,
        }
    }
}

/// The day a refund made on `today` is taken from: its charge's day while that has not come, else today.
pub fn refund_day(charge_available_day: i32, today: i32) -> i32 {
    charge_available_day.max(today)
}
