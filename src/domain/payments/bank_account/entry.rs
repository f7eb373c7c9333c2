//! Bank accounts on their way in: after these checks only what is kept is left of the number.

use super::number::AccountNumber;
use super::params::{
    AcssDebitParams, AuBecsDebitParams, BacsDebitParams, BankAccountParams, SepaDebitParams, UsBankAccountParams,
};
use super::{AccountType, BankAccount, BankScheme, HolderType, OlderData, Ownership, TestAccount};
use crate::country::Country;
use crate::decision::{Case, Stop};
use crate::money::Currency;
use crate::payments::payment_method::{Last4, UnlistedNumber, fingerprint_of};
use crate::reject::{Reject, codes};

/// A bank account as it was given, with the parameters that gave its parts.
struct Entered<'a> {
    scheme: BankScheme,
    bank: String,
    branch: Option<String>,
    account: &'a AccountNumber,
    country: Country,
}

impl UsBankAccountParams {
    /// The account, if it can be one. `path` is the parameter it stands in.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
        let account = given(self.account_number.as_ref(), path, "account_number")?;
        let bank = given(self.routing_number.as_deref(), path, "routing_number")?;
        let mut entered = of_us(account, bank, path, case)?;
        entered.holder = self.account_holder_type.or(entered.holder);
        entered.account_type = self.account_type.or(entered.account_type);
        Ok(entered)
    }
}

impl BankAccountParams {
    /// The account, if it can be debited. `path` is the parameter it stands in.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
        let country = Some(&*self.country).filter(|country| !country.is_empty());
        if given(country, path, "country")? != "US" {
            let message = "Only bank accounts in the United States (US) can be saved to customers.";
            let reject = Reject::invalid(None, message);
            return Err(reject.with_param(format!("{path}[country]")).into());
        }
        let currency = self.currency.unwrap_or(Currency::USD);
        if currency != Currency::USD {
            let message = "Bank accounts in the United States are debited in usd.";
            let reject = Reject::invalid(None, message);
            return Err(reject.with_param(format!("{path}[currency]")).into());
        }
        let account = given(self.account_number.as_ref(), path, "account_number")?;
        let bank = given(self.routing_number.as_deref(), path, "routing_number")?;
        let mut entered = of_us(account, bank, path, case)?;
        entered.holder = self.account_holder_type;
        entered.account_type = self.account_type;
        entered.older = Some(Box::new(OlderData {
            holder_name: self.account_holder_name.clone(),
            currency,
            tries: 0,
        }));
        Ok(entered)
    }
}

/// A bank account in the United States by its numbers.
pub(super) fn of_us(account: &AccountNumber, bank: &str, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
    let digits: String = bank.chars().filter(|letter| !" -".contains(*letter)).collect();
    if !is_routing_number(&digits) {
        let message = "Invalid routing number. It must have nine digits that fit together.";
        return Err(wrong(codes::ROUTING_NUMBER_INVALID, message, path, "routing_number"));
    }
    if !account.is_digits(4..=17) {
        let message = "Invalid account number. It must have 4 to 17 digits.";
        return Err(wrong(codes::ACCOUNT_NUMBER_INVALID, message, path, "account_number"));
    }
    let entered = Entered {
        scheme: BankScheme::UsBankAccount,
        bank: digits,
        branch: None,
        account,
        country: Country::US,
    };
    let mut kept = entered.kept(case);
    kept.holder = Some(HolderType::Individual);
    kept.account_type = Some(AccountType::Checking);
    Ok(kept)
}

impl SepaDebitParams {
    /// The account, if the IBAN is one. `path` is the parameter it stands in.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
        let account = given(self.iban.as_ref(), path, "iban")?;
        if !account.is_iban() {
            let message = "The IBAN you provided is invalid.";
            return Err(wrong(codes::INVALID_BANK_ACCOUNT_IBAN, message, path, "iban"));
        }
        let text = account.expose();
        let (bank, branch) = parts_of(text);
        let entered = Entered {
            scheme: BankScheme::SepaDebit,
            bank: text.get(bank).unwrap_or_default().into(),
            branch: branch.and_then(|branch| text.get(branch)).map(Into::into),
            account,
            country: Country::from_code(&text[..2]).expect("an IBAN starts with two letters"),
        };
        Ok(entered.kept(case))
    }
}

impl AcssDebitParams {
    /// The account, if it can be one. `path` is the parameter it stands in.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
        let account = given(self.account_number.as_ref(), path, "account_number")?;
        fits(&self.institution_number, 3, path, "institution_number")?;
        fits(&self.transit_number, 5, path, "transit_number")?;
        number_fits(account, 7..=12, path)?;
        let entered = Entered {
            scheme: BankScheme::AcssDebit,
            bank: self.institution_number.to_string(),
            branch: Some(self.transit_number.to_string()),
            account,
            country: BankScheme::AcssDebit.country(),
        };
        Ok(entered.kept(case))
    }
}

impl BacsDebitParams {
    /// The account, if it can be one. `path` is the parameter it stands in.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
        let account = given(self.account_number.as_ref(), path, "account_number")?;
        let sort_code = given(self.sort_code.as_deref(), path, "sort_code")?;
        let bank: String = sort_code.chars().filter(|letter| !" -".contains(*letter)).collect();
        fits(&bank, 6, path, "sort_code")?;
        number_fits(account, 8..=8, path)?;
        if account.expose() == "00044444" {
            let message = "The account number is invalid.";
            return Err(wrong(codes::ACCOUNT_NUMBER_INVALID, message, path, "account_number"));
        }
        let entered = Entered {
            scheme: BankScheme::BacsDebit,
            bank,
            branch: None,
            account,
            country: BankScheme::BacsDebit.country(),
        };
        Ok(entered.kept(case))
    }
}

impl AuBecsDebitParams {
    /// The account, if it can be one. `path` is the parameter it stands in.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<BankAccount, Stop> {
        let account = given(self.account_number.as_ref(), path, "account_number")?;
        let bank: String = self
            .bsb_number
            .chars()
            .filter(|letter| !" -".contains(*letter))
            .collect();
        fits(&bank, 6, path, "bsb_number")?;
        number_fits(account, 5..=9, path)?;
        let entered = Entered {
            scheme: BankScheme::AuBecsDebit,
            bank,
            branch: None,
            account,
            country: BankScheme::AuBecsDebit.country(),
        };
        Ok(entered.kept(case))
    }
}

impl Entered<'_> {
    /// What is kept of it.
    fn kept(self, case: &Case<'_>) -> BankAccount {
        let number = self.account.expose();
        let mut kept = BankAccount {
            test_account: TestAccount::by_account(self.scheme, number).number,
            scheme: self.scheme,
            bank: self.bank.into(),
            branch: self.branch.map(Into::into),
            number: None,
            country: self.country,
            holder: None,
            account_type: None,
            ownership: if self.scheme.verifies_deposits() {
                Ownership::Unverified
            } else {
                Ownership::Verified
            },
            older: None,
            mandate: None,
        };
        let print = fingerprint_of(&kept.text(number), case.inputs.secrets, case.world.account.tag());
        kept.number = Some(UnlistedNumber::of_print(Last4::of(number), print));
        kept
    }
}

/// Where bank and branch stand in an IBAN, by its country.
fn parts_of(iban: &str) -> (std::ops::Range<usize>, Option<std::ops::Range<usize>>) {
    match &iban[..2] {
        "DE" => (4..12, None),
        "AT" => (4..9, None),
        "BE" | "LU" => (4..7, None),
        "FI" => (4..10, None),
        "FR" | "MC" => (4..9, Some(9..14)),
        "IT" | "SM" => (5..10, Some(10..15)),
        "ES" | "PT" => (4..8, Some(8..12)),
        "GB" | "IE" => (4..8, Some(8..14)),
        _ => (4..8, None),
    }
}

/// Whether nine digits are the routing number of a bank: their weighted sum is a multiple of ten.
fn is_routing_number(digits: &str) -> bool {
    let weighted = digits.bytes().zip([3, 7, 1].into_iter().cycle());
    let sum: u32 = weighted
        .map(|(byte, weight)| u32::from(byte.wrapping_sub(b'0')) * weight)
        .sum();
    digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) && sum.is_multiple_of(10)
}

fn fits(digits: &str, len: usize, path: &str, name: &str) -> Result<(), Stop> {
    if digits.len() == len && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let message = format!("Invalid {}. It must have {len} digits.", name.replace('_', " "));
    Err(wrong(codes::ROUTING_NUMBER_INVALID, &message, path, name))
}

fn number_fits(account: &AccountNumber, lengths: std::ops::RangeInclusive<usize>, path: &str) -> Result<(), Stop> {
    if account.is_digits(lengths) {
        return Ok(());
    }
    let message = "The account number has not the right number of digits.";
    Err(wrong(codes::ACCOUNT_NUMBER_INVALID, message, path, "account_number"))
}

fn given<'a, T: ?Sized>(value: Option<&'a T>, path: &str, name: &str) -> Result<&'a T, Stop> {
    value.ok_or_else(|| {
        let param = format!("{path}[{name}]");
        let message = format!("Missing required param: {param}.");
        Reject::invalid(Some(codes::PARAMETER_MISSING), message)
            .with_param(param)
            .into()
    })
}

fn wrong(code: &'static str, message: &str, path: &str, name: &str) -> Stop {
    Reject::invalid(Some(code), message)
        .with_param(format!("{path}[{name}]"))
        .into()
}
