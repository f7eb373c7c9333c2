//! Numbers of bank accounts as requests give them. They cannot be printed, are zeroed when dropped, and stand in nothing
//! that is stored.

use std::fmt;
use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::{ParamKind, ParamValue, Problem, Step};
use zeroize::Zeroize;

/// Most letters and digits of an account number; an IBAN has as many.
pub const ACCOUNT_LEN_MAX: usize = 34;

/// An account number or IBAN as given, or the fact that what was given is none.
#[derive(Clone)]
pub struct AccountNumber {
    letters: [u8; ACCOUNT_LEN_MAX],
    /// Letters in use; 0 if the text was no account number at all.
    len: u8,
}

impl AccountNumber {
    /// Reads a number as people type it: blanks and hyphens do not count, letters are made capitals.
    pub fn read(text: &str) -> AccountNumber {
        let mut number = AccountNumber {
            letters: [0; ACCOUNT_LEN_MAX],
            len: 0,
        };
        let mut len = 0;
        for byte in text.bytes().filter(|byte| !b" -".contains(byte)) {
            if !byte.is_ascii_alphanumeric() || len == ACCOUNT_LEN_MAX {
                number.zeroize();
                return number;
            }
            number.letters[len] = byte.to_ascii_uppercase();
            len += 1;
        }
        number.len = len as u8;
        number
    }

    /// The letters and digits. Whoever asks must neither keep nor print them.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.letters[..usize::from(self.len)]).expect("letters are ASCII")
    }

    /// Whether it is made of digits alone, and of that many.
    pub(super) fn is_digits(&self, lengths: std::ops::RangeInclusive<usize>) -> bool {
        lengths.contains(&usize::from(self.len)) && self.expose().bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Whether it is an IBAN: country, check digits, and a remainder of one.
    pub(super) fn is_iban(&self) -> bool {
        let text = self.expose().as_bytes();
        if text.len() < 15 || !text[..2].iter().all(u8::is_ascii_alphabetic) {
            return false;
        }
        let rest = text[4..].iter().chain(&text[..4]).try_fold(0u32, |rest, byte| {
            let value = char::from(*byte).to_digit(36)?;
            let shift = if value > 9 { 100 } else { 10 };
            Some((rest * shift + value) % 97)
        });
        text[2..4].iter().all(u8::is_ascii_digit) && rest == Some(1)
    }
}

impl Zeroize for AccountNumber {
    fn zeroize(&mut self) {
        self.letters.zeroize();
        self.len.zeroize();
    }
}

impl Drop for AccountNumber {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountNumber(..)")
    }
}

impl ParamValue for AccountNumber {
    const KIND: ParamKind = ParamKind::Secret("bank_account_number");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Ok(AccountNumber::read(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::bank_account::{BankScheme, TestAccount};

    #[test]
    fn an_iban_has_a_remainder_of_one() {
        assert!(AccountNumber::read("de89 3704 0044 0532 0130 00").is_iban());
        for text in [
            "DE89370400440532013001",
            "DE8937040044",
            "1289370400440532013000",
            "DE8937040044053201300!",
        ] {
            assert!(!AccountNumber::read(text).is_iban(), "{text}");
        }
    }

    #[test]
    fn every_test_iban_is_one() {
        for row in TestAccount::all().filter(|row| row.scheme == BankScheme::SepaDebit) {
            for iban in row.accounts {
                assert!(AccountNumber::read(iban).is_iban(), "{iban}");
            }
        }
    }

    #[test]
    fn a_number_cannot_be_printed() {
        assert_eq!(
            format!("{:?}", AccountNumber::read("000123456789")),
            "AccountNumber(..)"
        );
    }
}
