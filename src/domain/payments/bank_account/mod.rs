//! Bank accounts that are debited. What is kept of one says who keeps it and how it ends, and never its number.

mod deposits;
mod entry;
mod number;
mod older;
mod params;
mod shown;
mod test_accounts;
mod test_tokens;

pub(crate) use deposits::DEPOSITS_FAIL_MS;
pub(crate) use deposits::Verified;
pub use deposits::{DEPOSIT_TRIES_MAX, Deposits, MicrodepositType, VerifyDepositsShown};
pub use number::{ACCOUNT_LEN_MAX, AccountNumber};
pub use older::{BankAccountShown, BankAccountStatus, DeletedBankAccountShown};
pub use params::{
    AcssDebitParams, AuBecsDebitParams, BacsDebitParams, BankAccountParams, SepaDebitParams, UpdateUsBankAccountParams,
    UsBankAccountParams,
};
pub(crate) use shown::BankShown;
pub use shown::{
    AcssDebitShown, AuBecsDebitShown, BacsDebitShown, BankNetwork, BankNetworksShown, BankStatusShown, BlockedShown,
    SepaDebitShown, SepaGeneratedFromShown, UsBankAccountShown,
};
pub use test_accounts::{BankOutcome, TestAccount};
pub use test_tokens::TestBankToken;

use crate::country::Country;
use crate::money::Currency;
use crate::payments::payment_method::{Last4, PaymentMethodType, UnlistedNumber, fingerprint_of, fingerprint_text};
use crate::secrets::Secrets;
use tollgate_resource::{Id, Names, Record};

/// A bank account, as payment methods, charges and tokens keep it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct BankAccount {
    /// Number of the test account in the table, or of the row that stands for other numbers of the scheme.
    #[record(1)]
    pub test_account: u16,
    /// How it is debited.
    #[record(2)]
    pub scheme: BankScheme,
    /// The bank: routing number, sort code, BSB, bank code of an IBAN, or institution number.
    #[record(3)]
    pub bank: Box<str>,
    /// The branch: of an IBAN, if it names one, or transit number.
    #[record(4)]
    pub branch: Option<Box<str>>,
    /// What is known of the number; `None` where it is the first of its row.
    #[record(5)]
    pub number: Option<UnlistedNumber>,
    /// Where it is kept.
    #[record(6)]
    pub country: Country,
    /// Who holds it, if that was said.
    #[record(7)]
    pub holder: Option<HolderType>,
    /// What kind of account it is, if that was said.
    #[record(8)]
    pub account_type: Option<AccountType>,
    /// Whether its holder has shown that it is theirs.
    #[record(9)]
    pub ownership: Ownership,
    /// What only the older API says.
    #[record(10)]
    pub older: Option<Box<OlderData>>,
    /// The permission under which it is debited.
    #[record(11)]
    pub mandate: Option<Id>,
}

/// What only the older API says of a bank account.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct OlderData {
    /// Name of the holder.
    #[record(1)]
    pub holder_name: Option<Box<str>>,
    /// In which currency it is debited.
    #[record(2)]
    pub currency: Currency,
    /// How often the holder told wrong amounts of deposits.
    #[record(3)]
    pub tries: u32,
}

/// How a bank account is debited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum BankScheme {
    /// In Canada.
    #[record(1)]
    AcssDebit,
    /// In Australia.
    #[record(2)]
    AuBecsDebit,
    /// In the United Kingdom.
    #[record(3)]
    BacsDebit,
    /// In the single euro payments area.
    #[record(4)]
    SepaDebit,
    /// In the United States.
    #[record(5)]
    UsBankAccount,
}

/// How the ownership of an account is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum VerificationMethod {
    /// At once where that can be, else by deposits.
    #[record(1)]
    Automatic,
    /// At once.
    #[record(2)]
    Instant,
    /// By deposits.
    #[record(3)]
    Microdeposits,
    /// Not at all.
    #[record(4)]
    Skip,
}

/// Who holds an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum HolderType {
    /// A company.
    #[record(1)]
    Company,
    /// A person.
    #[record(2)]
    Individual,
}

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum AccountType {
    /// For daily use.
    #[record(1)]
    Checking,
    /// For savings.
    #[record(2)]
    Savings,
}

/// Whether the holder of an account has shown that it is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum Ownership {
    /// Not yet; deposits may show it.
    #[record(1)]
    Unverified,
    /// They have, or the scheme does not ask.
    #[record(2)]
    Verified,
    /// They tried and failed, or the deposits did not arrive.
    #[record(3)]
    Failed,
}

impl BankScheme {
    /// Its type of payment method.
    pub fn kind(self) -> PaymentMethodType {
        match self {
            BankScheme::AcssDebit => PaymentMethodType::AcssDebit,
            BankScheme::AuBecsDebit => PaymentMethodType::AuBecsDebit,
            BankScheme::BacsDebit => PaymentMethodType::BacsDebit,
            BankScheme::SepaDebit => PaymentMethodType::SepaDebit,
            BankScheme::UsBankAccount => PaymentMethodType::UsBankAccount,
        }
    }

    /// Where its accounts are kept, unless their numbers say it.
    pub fn country(self) -> Country {
        match self {
            BankScheme::AcssDebit => const { Country::known("CA") },
            BankScheme::AuBecsDebit => const { Country::known("AU") },
            BankScheme::BacsDebit => const { Country::known("GB") },
            BankScheme::SepaDebit => const { Country::known("DE") },
            BankScheme::UsBankAccount => Country::US,
        }
    }

    /// The bank of its test accounts.
    pub fn test_bank(self) -> &'static str {
        match self {
            BankScheme::AcssDebit => "000",
            BankScheme::AuBecsDebit => "000000",
            BankScheme::BacsDebit => "108800",
            BankScheme::SepaDebit => "37040044",
            BankScheme::UsBankAccount => "110000000",
        }
    }

    /// The branch of its test accounts, where the scheme has branches.
    fn test_branch(self) -> Option<&'static str> {
        (self == BankScheme::AcssDebit).then_some("11000")
    }

    /// Whether deposits show that an account is its holder's before it is debited.
    pub fn verifies_deposits(self) -> bool {
        matches!(self, BankScheme::AcssDebit | BankScheme::UsBankAccount)
    }

    /// The currencies it debits.
    pub fn currencies(self) -> &'static [Currency] {
        match self {
            BankScheme::AcssDebit => const { &[Currency::known("cad"), Currency::USD] },
            BankScheme::AuBecsDebit => const { &[Currency::known("aud")] },
            BankScheme::BacsDebit => const { &[Currency::known("gbp")] },
            BankScheme::SepaDebit => &[Currency::EUR],
            BankScheme::UsBankAccount => &[Currency::USD],
        }
    }
}

impl BankAccount {
    /// A test account as a name stands for it: its holder has shown that it is theirs.
    pub fn of_test_account(account: &TestAccount) -> BankAccount {
        BankAccount {
            test_account: account.number,
            scheme: account.scheme,
            bank: account.scheme.test_bank().into(),
            branch: account.scheme.test_branch().map(Into::into),
            number: None,
            country: account.scheme.country(),
            holder: (account.scheme == BankScheme::UsBankAccount).then_some(HolderType::Individual),
            account_type: (account.scheme == BankScheme::UsBankAccount).then_some(AccountType::Checking),
            ownership: Ownership::Verified,
            older: None,
            mandate: None,
        }
    }

    /// What the table says about it.
    ///
    /// # Panics
    /// When no test account has the number: records are only written with numbers of the table, and rows stay in it.
    pub fn facts(&self) -> &'static TestAccount {
        TestAccount::by_number(self.test_account).expect("a test account's number stays in the table for ever")
    }

    /// The last four digits.
    pub fn last4(&self) -> Last4 {
        match &self.number {
            Some(number) => number.last4(),
            None => Last4::of(self.facts().first()),
        }
    }

    /// Its fingerprint within an account: the same bank and number give the same text, and it says nothing about them.
    pub fn fingerprint(&self, secrets: &Secrets, account_tag: u32) -> String {
        fingerprint_text(match &self.number {
            Some(number) => number.fingerprint(),
            None => fingerprint_of(&self.text(self.facts().first()), secrets, account_tag),
        })
    }

    /// What a fingerprint is made of.
    fn text(&self, number: &str) -> String {
        let branch = self.branch.as_deref().unwrap_or_default();
        format!("{}:{}:{branch}:{number}", self.scheme.name(), self.bank)
    }
}
