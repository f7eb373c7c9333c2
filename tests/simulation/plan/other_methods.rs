//! Payments that are not made by card, as histories draw them: bank debits, pages of other companies, bank accounts of
//! customers.

use super::Action;
use super::author::Author;

/// A test account whose bank never answers: its debits end only when they are given up.
const SILENT: &str = "usBankAccount_processing";
/// Names of test accounts, by scheme: an intent is debited by one scheme only.
const ACCOUNTS: [&[&str]; 5] = [
    &[
        "usBankAccount_success",
        "usBankAccount_accountClosed",
        "usBankAccount_debitNotAuthorized",
        "usBankAccount_dispute",
        "usBankAccount_failMicrodeposits",
        SILENT,
        SILENT,
        "usBankAccount_riskLevelHighest",
    ],
    &[
        "sepaDebit_success",
        "sepaDebit_successDelayed",
        "sepaDebit_failed",
        "sepaDebit_failedDelayed",
        "sepaDebit_disputed",
    ],
    &[
        "acssDebit_success",
        "acssDebit_successDelayed",
        "acssDebit_failed",
        "acssDebit_failedDelayed",
    ],
    &["bacsDebit_success", "bacsDebit_successDelayed"],
    &["auBecsDebit_success"],
];
/// Ways to pay on another company's page that may be held and saved, in euros; the last sends nobody anywhere.
const WALLETS: [&str; 5] = ["amazon_pay", "klarna", "paypal", "revolut_pay", "link"];
/// Those that pay once, and at once.
const ONCE: [&str; 3] = ["alipay", "eps", "ideal"];
/// What holders of bank accounts tell: what was sent, in either order, something else, and what ends it at once.
const DEPOSITS: [[i64; 2]; 6] = [[32, 45], [45, 32], [32, 45], [1, 2], [10, 11], [40, 41]];

/// A step that makes a debit.
#[derive(Clone, Copy, Debug)]
struct KnownDebit {
    step: usize,
    /// The accounts of its scheme.
    names: &'static [&'static str],
    amount: i64,
    silent: bool,
}

/// What the author remembers of them, for one account.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherMethods {
    /// Steps that make debits.
    debits: Vec<KnownDebit>,
    /// Steps that make payments on another page, with the way to pay and their amounts.
    redirects: Vec<(usize, &'static str, i64)>,
    /// Steps that save a bank account, with the customer's.
    banks: Vec<(usize, usize)>,
}

impl Author {
    /// A new debit, or something that is done to one of the newest.
    pub(super) fn debit(&mut self, number: usize, account: usize, customer: Option<usize>) -> Action {
        let known = &self.others[account].debits;
        let recent = known.iter().rev().take(4).copied().collect::<Vec<_>>();
        if recent.is_empty() || self.dice.below(3) == 0 {
            let names = ACCOUNTS[self.dice.below(ACCOUNTS.len() as u64) as usize];
            let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
            let name = self.one_of(names);
            self.others[account].debits.push(KnownDebit {
                step: number,
                names,
                amount,
                silent: name == SILENT,
            });
            return Action::Debit {
                amount,
                account: name,
                deposits: self.dice.below(2) == 0,
                customer: customer.filter(|_| self.dice.below(2) == 0),
                save: self.dice.below(2) == 0,
            };
        }
        let KnownDebit {
            step: of,
            names,
            amount,
            silent,
        } = recent[self.dice.below(recent.len() as u64) as usize];
        if silent && self.dice.below(2) == 0 {
            return Action::Cancel { of };
        }
        match self.dice.below(11) {
            0..2 => Action::ConfirmDebit {
                of,
                account: self.one_of(names),
                deposits: self.dice.below(3) == 0,
            },
            2..5 => Action::TellDeposits {
                of,
                amounts: DEPOSITS[self.dice.below(DEPOSITS.len() as u64) as usize],
            },
            5 => Action::Authenticate {
                of,
                passes: self.dice.below(3) > 0,
                first: self.dice.below(4) == 0,
            },
            6 => Action::Cancel { of },
            7 => Action::Get { of },
            8 => Action::CloseDispute { of },
            _ => Action::Refund {
                of,
                amount: self.part(amount),
            },
        }
    }

    /// A new payment on another company's page, or something that is done to one of the newest.
    pub(super) fn redirect(&mut self, number: usize, account: usize, customer: Option<usize>) -> Action {
        let known = &self.others[account].redirects;
        let recent = known.iter().rev().take(4).copied().collect::<Vec<_>>();
        if recent.is_empty() || self.dice.below(3) == 0 {
            let lasting = self.dice.below(2) == 0;
            let kind = self.one_of(if lasting { &WALLETS } else { &ONCE });
            let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
            self.others[account].redirects.push((number, kind, amount));
            return Action::Redirect {
                amount,
                kind,
                manual: lasting && self.dice.below(2) == 0,
                customer: customer.filter(|_| self.dice.below(2) == 0),
                save: lasting && self.dice.below(2) == 0,
            };
        }
        let (of, kind, amount) = recent[self.dice.below(recent.len() as u64) as usize];
        match self.dice.below(10) {
            0..4 => Action::Authenticate {
                of,
                passes: self.dice.below(4) > 0,
                first: self.dice.below(6) == 0,
            },
            4 => Action::ConfirmRedirect { of, kind },
            5 => Action::Cancel { of },
            6 => Action::Capture {
                of,
                amount: self.part(amount),
            },
            7 => Action::CaptureByCharge {
                of,
                amount: self.part(amount),
            },
            8 => Action::Get { of },
            _ => Action::Refund {
                of,
                amount: self.part(amount),
            },
        }
    }

    /// A bank account of a customer: saved, verified, charged.
    pub(super) fn bank(&mut self, number: usize, account: usize, customer: usize) -> Action {
        const TOKENS: [&str; 6] = [
            "us",
            "us",
            "us_verified",
            "us_verified_noAccount",
            "us_verified_insufficientFunds",
            "us_verified_debitNotAuthorized",
        ];
        let known = &self.others[account].banks;
        let reach = known.len().min(4) as u64;
        if reach == 0 || self.dice.below(4) == 0 {
            self.others[account].banks.push((number, customer));
            return Action::SaveBank {
                customer,
                token: self.one_of(&TOKENS),
            };
        }
        let (of, customer) = known[known.len() - 1 - self.dice.below(reach) as usize];
        match self.dice.below(5) {
            0..2 => Action::VerifyBank {
                customer,
                of,
                amounts: DEPOSITS[self.dice.below(4) as usize],
            },
            2 => Action::Get { of },
            _ => {
                let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
                self.charges[account].push((number, amount));
                Action::ChargeBank { customer, of, amount }
            }
        }
    }

    fn one_of(&mut self, names: &'static [&'static str]) -> &'static str {
        names[self.dice.below(names.len() as u64) as usize]
    }
}
