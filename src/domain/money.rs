//! Amounts: whole minor units with their currency, checked arithmetic, no floats.

mod currency;

pub use currency::{Currency, UNKNOWN_CURRENCY};
use tollgate_breaks::broken;
use tollgate_resource::Record;

/// Largest amount of one charge: eight digits of minor units.
pub const AMOUNT_MAX: i64 = 99_999_999;

/// Hundredths of a percent in a whole.
const BASIS_POINTS: i128 = 10_000;

/// An amount of a currency, in its minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Record)]
pub struct Money {
    /// Minor units: cents of a dollar, yen, fils of a dinar.
    #[record(1)]
    pub amount: i64,
    /// Their currency.
    #[record(2)]
    pub currency: Currency,
}

/// Why two amounts have no sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoneyError {
    /// The result does not fit 64 bits.
    Overflow,
    /// The amounts are of different currencies.
    CurrencyMismatch,
}

impl Money {
    /// `amount` minor units of `currency`.
    pub const fn new(amount: i64, currency: Currency) -> Money {
        Money { amount, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.with(other, i64::checked_add)
    }

    /// The difference of two amounts of one currency.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    fn with(self, other: Money, combine: fn(i64, i64) -> Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = combine(self.amount, other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Money {
            amount,
            currency: self.currency,
        })
    }
}

impl std::fmt::Display for Money {
    /// As messages print it: `$1,234.50`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.currency.format(self.amount))
    }
}

impl std::fmt::Display for MoneyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MoneyError::Overflow => "the amount does not fit 64 bits",
            MoneyError::CurrencyMismatch => "amounts of different currencies have no sum",
        })
    }
}
impl std::error::Error for MoneyError {}

/// Why an amount cannot be charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AmountProblem {
    /// Below zero.
    Negative,
    /// Nothing.
    Zero,
    /// Below the currency's minimum.
    TooSmall,
    /// Above [`AMOUNT_MAX`].
    TooLarge,
    /// Not a multiple of the currency's step ([`Currency::step`]).
    Step,
}

/// Whether `money` can be charged; problems in the order they are reported.
pub fn check_charge_amount(money: Money) -> Result<(), AmountProblem> {
    let Money { amount, currency } = money;
    if amount < 0 {
        return Err(AmountProblem::Negative);
    }
    if amount == 0 {
        return Err(AmountProblem::Zero);
    }
    if amount > AMOUNT_MAX {
        return Err(AmountProblem::TooLarge);
    }
    if amount < currency.minimum_charge() {
        return Err(AmountProblem::TooSmall);
    }
    if amount % currency.step() != 0 {
        return Err(AmountProblem::Step);
    }
    Ok(())
}

/// `basis_points` hundredths of a percent of a non-negative `amount`, rounded half up to whole minor units.
///
/// # Panics
/// On a negative amount, and on a share that does not fit 64 bits (more than 100 % of an absurd amount).
pub fn share(amount: i64, basis_points: u32) -> i64 {
    assert!(amount >= 0, "a share of a negative amount has no rounding rule");
    let scaled = i128::from(amount) * i128::from(basis_points);
    let up = if broken!(RoundFeeUp) {
        BASIS_POINTS - 1
    } else {
        BASIS_POINTS / 2
    };
    i64::try_from((scaled + up) / BASIS_POINTS).expect("a share of at most 100 % fits")
}

/// Whole units with a comma between thousands.
fn digits_grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_half_up() {
        // 2.9 %: 2500 -> 72.5, 50 -> 1.45, 1034 -> 29.986, 17 -> 0.493, 18 -> 0.522
        for (amount, fee) in [
            (0, 0),
            (2500, 73),
            (50, 1),
            (1034, 30),
            (17, 0),
            (18, 1),
            (99_999_999, 2_900_000),
        ] {
            assert_eq!(share(amount, 290), fee, "2.9 % of {amount}");
        }
        assert_eq!(share(i64::MAX, 10_000), i64::MAX);
    }

    #[test]
    fn sums_are_checked() {
        let usd = |amount| Money::new(amount, Currency::USD);
        assert_eq!(usd(1).checked_add(usd(2)), Ok(usd(3)));
        assert_eq!(usd(1).checked_sub(usd(2)), Ok(usd(-1)));
        assert_eq!(usd(i64::MAX).checked_add(usd(1)), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MIN).checked_sub(usd(1)), Err(MoneyError::Overflow));
        assert_eq!(
            usd(1).checked_add(Money::new(1, Currency::EUR)),
            Err(MoneyError::CurrencyMismatch)
        );
    }

    #[test]
    fn what_can_be_charged() {
        let check = |amount, code| {
            check_charge_amount(Money::new(
                amount,
                Currency::from_code(code).expect("a code of the table"),
            ))
        };
        let cases = [
            (-1, "usd", Err(AmountProblem::Negative)),
            (0, "usd", Err(AmountProblem::Zero)),
            (49, "usd", Err(AmountProblem::TooSmall)),
            (50, "usd", Ok(())),
            (99_999_999, "usd", Ok(())),
            (100_000_000, "usd", Err(AmountProblem::TooLarge)),
            (i64::MAX, "usd", Err(AmountProblem::TooLarge)),
            (5, "kwd", Err(AmountProblem::TooSmall)),
            (1_234, "kwd", Err(AmountProblem::Step)),
            (1_230, "kwd", Ok(())),
            (5_050, "isk", Err(AmountProblem::Step)),
            (5_000, "ugx", Ok(())),
            (1, "uyu", Ok(())),
        ];
        for (amount, code, expected) in cases {
            assert_eq!(check(amount, code), expected, "{amount} {code}");
        }
    }
}
