//! The way of a card number into the house: checked, recognised, and gone. What is left is a [`Card`].

use super::number::{CardNumber, Cvc, NumberProblem};
use super::sealed::SealedNumber;
use crate::decision::{Case, Stop};
use crate::payments::payment_method::{Card, TestCard, UnlistedNumber};
use crate::reject::{ErrorType, Reject, codes};
use crate::time::{date_of, day_of};

/// Most years that a card may still be good for.
const YEARS_AHEAD_MAX: i64 = 50;

/// The details of a card, as far as they were given.
#[derive(Clone, Copy, Debug, Default)]
pub struct CardDetails<'a> {
    /// The number.
    pub number: Option<&'a CardNumber>,
    /// Month of expiry.
    pub exp_month: Option<i64>,
    /// Year of expiry, of two or four digits.
    pub exp_year: Option<i64>,
    /// The security code.
    pub cvc: Option<&'a Cvc>,
}

/// A card that was entered by its number.
#[derive(Clone, Debug, PartialEq)]
pub struct EnteredCard {
    /// What is kept of it.
    pub card: Card,
    /// Whether a security code came with it, to be checked by the issuer.
    pub cvc_given: bool,
    /// The number under lock; `None` only where there is no vault.
    pub sealed: Option<Box<SealedNumber>>,
}

impl CardDetails<'_> {
    /// Checks the details: number, then month and year of expiry, then security code. `path` is the hash they stand in,
    /// e.g. `card` or `payment_method_data[card]`, for messages about what is missing.
    ///
    /// # Errors
    /// 400 for what is missing; 402 `card_error` for what is wrong. No message repeats a number or code.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<EnteredCard, Stop> {
        let missing = |field: &str| {
            let param = format!("{path}[{field}]");
            Reject::invalid(
                Some(codes::PARAMETER_MISSING),
                format!("Missing required param: {param}."),
            )
            .with_param(param)
        };
        let number = self.number.ok_or_else(|| missing("number"))?;
        let exp_month = self.exp_month.ok_or_else(|| missing("exp_month"))?;
        let exp_year = self.exp_year.ok_or_else(|| missing("exp_year"))?;
        let brand = number.brand().map_err(|problem| match problem {
            NumberProblem::NotDigits => wrong(codes::INVALID_NUMBER, "Your card number is invalid.", "number"),
            NumberProblem::Incorrect => wrong(codes::INCORRECT_NUMBER, "Your card number is incorrect.", "number"),
        })?;
        let (exp_month, exp_year) = check_expiry(exp_month, exp_year, case.inputs.now_ms)?;
        if self.cvc.is_some_and(|cvc| !cvc.fits(brand)) {
            return Err(wrong_cvc().into());
        }
        let (row, unlisted) = match TestCard::by_digits(number.expose()) {
            Some(_) if case.world.account.profile.livemode => {
                let message = "Your card was declined. Your request was in live mode, but used a known test card.";
                let mut reject = wrong(codes::CARD_DECLINED, message, "");
                reject.param = None;
                reject.decline_code = Some("live_mode_test_card".to_owned());
                return Err(reject.into());
            }
            Some(row) => (row, None),
            None => {
                let unlisted = UnlistedNumber::of(number, case.inputs.secrets, case.world.account.tag());
                (
                    TestCard::unlisted(brand, case.world.account.profile.livemode),
                    Some(unlisted),
                )
            }
        };
        Ok(EnteredCard {
            card: Card {
                test_card: row.number,
                exp_month,
                exp_year,
                unlisted,
            },
            cvc_given: self.cvc.is_some(),
            sealed: seal(number, case),
        })
    }
}

/// The number under lock. This is the only way a number takes into what is stored.
fn seal(number: &CardNumber, case: &Case<'_>) -> Option<Box<SealedNumber>> {
    let account = case.world.account;
    let [first, second] = case.inputs.entropy;
    let unique = [first, second, account.seq, case.inputs.now_ms];
    let sealed = case.inputs.secrets.seal(number, account.profile.key, unique);
    sealed.map(Box::new)
}

/// A month and year of expiry that have not passed; a year of two digits is one of this century.
///
/// # Errors
/// 402 `invalid_expiry_month` or `invalid_expiry_year`.
pub(crate) fn check_expiry(month: i64, year: i64, now_ms: u64) -> Result<(u8, u16), Stop> {
    let today = date_of(day_of(now_ms));
    let (this_year, this_month) = (i64::from(today.year), i64::from(today.month));
    let year = if (0..100).contains(&year) { year + 2_000 } else { year };
    let month_is_wrong = || {
        wrong(
            codes::INVALID_EXPIRY_MONTH,
            "Your card's expiration month is invalid.",
            "exp_month",
        )
    };
    if !(1..=12).contains(&month) {
        return Err(month_is_wrong().into());
    }
    if year < this_year || year > this_year + YEARS_AHEAD_MAX {
        let message = "Your card's expiration year is invalid.";
        return Err(wrong(codes::INVALID_EXPIRY_YEAR, message, "exp_year").into());
    }
    if year == this_year && month < this_month {
        return Err(month_is_wrong().into());
    }
    Ok((month as u8, year as u16))
}

/// The refusal of a security code that has not the right number of digits.
pub(crate) fn wrong_cvc() -> Reject {
    wrong(codes::INVALID_CVC, "Your card's security code is invalid.", "cvc")
}

/// A detail of a card that is wrong: 402, and the execution had begun.
fn wrong(code: &'static str, message: &str, param: &str) -> Reject {
    let mut reject = Reject::invalid(Some(code), message).with_param(param).begun();
    reject.status = 402;
    reject.kind = ErrorType::CardError;
    reject
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-16T12:00:00Z.
    const NOW_MS: u64 = 1_794_830_400_000;

    #[test]
    fn a_card_is_good_until_the_end_of_its_month() {
        let code = |month, year| match check_expiry(month, year, NOW_MS) {
            Ok((month, year)) => format!("{month}/{year}"),
            Err(Stop::Reject(reject)) => reject.code.clone().expect("has a code"),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(code(11, 2026), "11/2026");
        assert_eq!(code(1, 27), "1/2027");
        assert_eq!(code(10, 2026), "invalid_expiry_month");
        assert_eq!(code(13, 2030), "invalid_expiry_month");
        assert_eq!(code(0, 2030), "invalid_expiry_month");
        assert_eq!(code(12, 2025), "invalid_expiry_year");
        assert_eq!(code(12, 2099), "invalid_expiry_year");
        assert_eq!(code(12, -1), "invalid_expiry_year");
    }
}
