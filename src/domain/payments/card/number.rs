//! Card numbers and security codes as requests give them. Neither can be printed, both are zeroed when dropped, and
//! neither stands in anything that is stored.

use crate::payments::payment_method::CardBrand;
use std::fmt;
use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::{ParamKind, ParamValue, Problem, Step};
use zeroize::Zeroize;

/// Most digits of a card number.
pub const NUMBER_LEN_MAX: usize = 19;
/// Fewest digits of a card number.
pub const NUMBER_LEN_MIN: usize = 12;
/// Most digits of a security code.
pub const CVC_LEN_MAX: usize = 4;

/// A card number as given, or the fact that what was given is none.
///
/// Not `Copy`, so that its bytes do not spread; equality is not offered, because nothing may compare by it.
#[derive(Clone, Default)]
pub struct CardNumber {
    digits: [u8; NUMBER_LEN_MAX],
    /// Digits in use; 0 if the text was no card number at all.
    len: u8,
}

/// A security code as given, or the fact that what was given is none.
#[derive(Clone, Default)]
pub struct Cvc {
    digits: [u8; CVC_LEN_MAX],
    /// Digits in use; 0 if the text was no security code at all.
    len: u8,
}

/// What is wrong with a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberProblem {
    /// Not made of digits.
    NotDigits,
    /// The check digit, the length or the range of numbers is wrong.
    Incorrect,
}

impl CardNumber {
    /// Reads a number as people type it: blanks and hyphens between the digits do not count.
    pub fn read(text: &str) -> CardNumber {
        let mut number = CardNumber::default();
        if text.starts_with('-') {
            return number;
        }
        let mut len = 0;
        for byte in text.bytes().filter(|byte| !b" -".contains(byte)) {
            if !byte.is_ascii_digit() || len == NUMBER_LEN_MAX {
                number.zeroize();
                return number;
            }
            number.digits[len] = byte;
            len += 1;
        }
        number.len = len as u8;
        number
    }

    /// The digits. Whoever asks must neither keep nor print them.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.digits[..usize::from(self.len)]).expect("digits are ASCII")
    }

    /// The brand whose numbers it is one of.
    ///
    /// # Errors
    /// It is no card number.
    pub fn brand(&self) -> Result<CardBrand, NumberProblem> {
        let digits = self.expose();
        if digits.is_empty() {
            return Err(NumberProblem::NotDigits);
        }
        if digits.len() < NUMBER_LEN_MIN || !passes_luhn(digits) {
            return Err(NumberProblem::Incorrect);
        }
        brand_of(digits).ok_or(NumberProblem::Incorrect)
    }

    /// The last four digits.
    ///
    /// # Panics
    /// When there are fewer than four; [`CardNumber::brand`] tells before.
    pub fn last4(&self) -> [u8; 4] {
        let digits = self.expose().as_bytes();
        digits[digits.len() - 4..].try_into().expect("four digits")
    }
}

impl Cvc {
    /// Reads a code.
    pub fn read(text: &str) -> Cvc {
        let mut cvc = Cvc::default();
        let text = text.trim().as_bytes();
        if (3..=CVC_LEN_MAX).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) {
            cvc.digits[..text.len()].copy_from_slice(text);
            cvc.len = text.len() as u8;
        }
        cvc
    }

    /// Whether cards of that brand have codes of this length: four digits for American Express, three for others. A code
    /// of three is accepted everywhere, as the API does.
    pub fn fits(&self, brand: CardBrand) -> bool {
        self.len == 3 || (self.len == 4 && brand == CardBrand::Amex)
    }
}

impl Zeroize for CardNumber {
    fn zeroize(&mut self) {
        self.digits.zeroize();
        self.len.zeroize();
    }
}
impl Drop for CardNumber {
    fn drop(&mut self) {
        self.zeroize();
    }
}
impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(..)")
    }
}
impl ParamValue for CardNumber {
    const KIND: ParamKind = ParamKind::Secret("card_number");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Ok(CardNumber::read(text))
    }
}

impl Zeroize for Cvc {
    fn zeroize(&mut self) {
        self.digits.zeroize();
        self.len.zeroize();
    }
}
impl Drop for Cvc {
    fn drop(&mut self) {
        self.zeroize();
    }
}
impl fmt::Debug for Cvc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cvc(..)")
    }
}
impl ParamValue for Cvc {
    const KIND: ParamKind = ParamKind::Secret("card_security_code");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Ok(Cvc::read(text))
    }
}

/// Whether the last digit is the check digit of the others.
pub fn passes_luhn(digits: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| (at, u32::from(byte - b'0')))
        .map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit })
        .sum();
    sum.is_multiple_of(10)
}

/// The brand by published ranges of numbers and their lengths.
fn brand_of(digits: &str) -> Option<CardBrand> {
    let first = |len: usize| digits[..len].parse::<u32>().expect("digits");
    let len = digits.len();
    let brand = match (first(2), first(4)) {
        (34 | 37, _) if len == 15 => CardBrand::Amex,
        (40..=49, _) if matches!(len, 13 | 16 | 19) => CardBrand::Visa,
        (51..=55, _) | (_, 2221..=2720) if len == 16 => CardBrand::Mastercard,
        (36 | 38 | 39, _) | (_, 3000..=3059 | 3095) if (14..=19).contains(&len) => CardBrand::Diners,
        (_, 3528..=3589) if len >= 16 => CardBrand::Jcb,
        (65, _) | (_, 6011 | 6440..=6499) if len >= 16 => CardBrand::Discover,
        (62 | 81, _) if len >= 16 => CardBrand::Unionpay,
        // Carnet, a network of Mexico that the API calls unknown.
        (_, 5062 | 5063) if len == 16 => CardBrand::Unknown,
        _ => return None,
    };
    Some(brand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::payment_method::TestCard;

    #[test]
    fn brands_follow_from_ranges_for_every_test_card() {
        for card in TestCard::all() {
            assert_eq!(CardNumber::read(card.digits).brand(), Ok(card.brand), "{}", card.number);
        }
    }

    #[test]
    fn what_is_no_number_says_how() {
        let brand = |text: &str| CardNumber::read(text).brand();
        assert_eq!(brand("4242 4242-4242 4242"), Ok(CardBrand::Visa));
        assert_eq!(brand("4242424242424241"), Err(NumberProblem::Incorrect));
        assert_eq!(brand("4242"), Err(NumberProblem::Incorrect));
        assert_eq!(brand("0000000000000000"), Err(NumberProblem::Incorrect));
        for text in ["", "visa", "4242x", "42424242424242424242"] {
            assert_eq!(brand(text), Err(NumberProblem::NotDigits), "{text}");
        }
    }

    #[test]
    fn codes_have_three_digits_or_four_on_american_express() {
        let fits = |text: &str, brand| Cvc::read(text).fits(brand);
        assert!(fits("123", CardBrand::Visa) && fits("123", CardBrand::Amex) && fits("1234", CardBrand::Amex));
        for text in ["", "12", "1234", "12345", "abc"] {
            assert!(!fits(text, CardBrand::Visa), "{text}");
        }
    }

    #[test]
    fn neither_prints() {
        let text = format!("{:?} {:?}", CardNumber::read("4242424242424242"), Cvc::read("917"));
        assert_eq!(text, "CardNumber(..) Cvc(..)");
    }
}
