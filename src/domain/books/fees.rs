//! What processing costs: a percentage of the amount and a fixed part, from a table.
//!
//! There is no exchange yet: a charge settles in the currency it was made in, so both parts are in that currency.

use crate::country::Country;
use crate::money::{Currency, Money, share};
use crate::payments::bank_account::BankScheme;

/// A fee, in minor units of the charge's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// The whole fee.
    pub amount: i64,
    /// The percentage in it, in hundredths of a percent; for reports.
    pub basis_points: u32,
    /// The fixed part in it.
    pub fixed: i64,
}

/// The fee of a charge that was captured with `captured`, on a card issued in `card_country`, for an account in
/// `account_country`. The percentage is rounded half up.
///
/// # Panics
/// On a negative amount.
pub fn fee(account_country: Country, captured: Money, card_country: Country) -> Fee {
    let rate = rate(account_country);
    let foreign = if card_country == account_country {
        0
    } else {
        rate.foreign_card_basis_points
    };
    let basis_points = rate.basis_points + foreign;
    let fixed = fixed_part(captured.currency);
    let amount = share(captured.amount, basis_points)
        .checked_add(fixed)
        .expect("a fee fits 64 bits");
    Fee {
        amount,
        basis_points,
        fixed,
    }
}

/// The fee of a bank debit of `captured`. The percentage is rounded half up, and what is above the cap is not asked.
///
/// # Panics
/// On a negative amount.
pub fn debit_fee(scheme: BankScheme, captured: Money) -> Fee {
    let (basis_points, fixed, cap) = match scheme {
        BankScheme::AcssDebit => (100, 40, 500),
        BankScheme::AuBecsDebit => (100, 30, 350),
        BankScheme::BacsDebit => (100, 0, 200),
        BankScheme::SepaDebit => (0, 35, 35),
        BankScheme::UsBankAccount => (80, 0, 500),
    };
    let amount = share(captured.amount, basis_points)
        .checked_add(fixed)
        .expect("a fee fits 64 bits")
        .min(cap);
    Fee {
        amount,
        basis_points,
        fixed,
    }
}

struct Rate {
    /// `None` for every other country.
    account_country: Option<Country>,
    basis_points: u32,
    /// On top for a card issued in another country than the account's.
    foreign_card_basis_points: u32,
}

/// Rates by the account's country; the first that fits. Test mode prices every country as the US is: 2.9 %, and 1.5 %
/// more for a foreign card.
const RATES: [Rate; 2] = [
    Rate {
        account_country: Some(Country::US),
        basis_points: 290,
        foreign_card_basis_points: 150,
    },
    Rate {
        account_country: None,
        basis_points: 290,
        foreign_card_basis_points: 150,
    },
];

fn rate(account_country: Country) -> &'static Rate {
    let fits = |rate: &&Rate| rate.account_country.is_none_or(|country| country == account_country);
    RATES.iter().find(fits).expect("the last rate fits every country")
}

/// The fixed part: 30 minor units of a currency with hundredths; elsewhere a round amount of about the same worth in
/// the largest currency of that kind (30 yen, 0.100 dinar).
fn fixed_part(currency: Currency) -> i64 {
    match currency.exponent() {
        3 => 100,
        _ => 30,
    }
}

/// The fee of a dispute that takes money, in minor units of the currency the charge settled in.
///
/// Some currencies have a price of their own; elsewhere it is 1,500 minor units, and 5,000 of currencies with
/// thousandths.
pub fn dispute_fee(currency: Currency) -> i64 {
    let own = DISPUTE_FEES.iter().find(|(code, _)| *code == currency.code());
    match (own, currency.exponent()) {
        (Some((_, fee)), _) => *fee,
        (None, 3) => 5_000,
        (None, _) => 1_500,
    }
}

/// Fees of a dispute by settlement currency, in minor units. Prices differ by country, and change; these are fixed here
/// so that test data stays what it is.
const DISPUTE_FEES: [(&str, i64); 20] = [
    ("usd", 1_500),
    ("aud", 2_500),
    ("brl", 5_500),
    ("cad", 1_500),
    ("chf", 2_000),
    ("czk", 50_000),
    ("dkk", 15_000),
    ("eur", 2_000),
    ("gbp", 2_000),
    ("hkd", 8_500),
    ("huf", 800_000),
    ("inr", 100_000),
    ("jpy", 1_300),
    ("mxn", 30_000),
    ("myr", 6_000),
    ("nok", 20_000),
    ("nzd", 2_500),
    ("pln", 9_000),
    ("sek", 20_000),
    ("sgd", 1_500),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dispute_costs_about_the_same_in_every_currency() {
        let fee = |code| dispute_fee(Currency::from_code(code).expect("a code of the table"));
        assert_eq!(
            ["usd", "eur", "gbp", "jpy", "kwd", "krw"].map(fee),
            [1_500, 2_000, 2_000, 1_300, 5_000, 1_500]
        );
        for (code, fee) in DISPUTE_FEES {
            let currency = Currency::from_code(code).expect("a code of the table");
            assert!(fee > 0 && fee % currency.step() == 0, "{code}");
        }
    }

    #[test]
    fn fees_by_amount_currency_and_card() {
        // amount, currency, card -> fee
        let cases = [
            (2_500, "usd", "US", 103),
            (1_000, "usd", "US", 59),
            (10_000, "usd", "US", 320),
            (50, "usd", "US", 31),
            (99_999_999, "usd", "US", 2_900_030),
            (2_500, "usd", "DE", 140),
            (1_356, "cad", "US", 69),
            (1_000, "jpy", "US", 59),
            (1_000, "jpy", "JP", 74),
            (10_000, "kwd", "US", 390),
            (0, "usd", "US", 30),
        ];
        for (amount, code, card, expected) in cases {
            let currency = Currency::from_code(code).expect("a code of the table");
            let fee = fee(Country::US, Money::new(amount, currency), Country::known(card));
            assert_eq!(fee.amount, expected, "{amount} {code} with a card from {card}");
        }
    }

    #[test]
    fn a_card_of_the_accounts_own_country_is_not_foreign() {
        let germany = Country::known("DE");
        let captured = Money::new(10_000, Currency::EUR);
        assert_eq!(
            fee(germany, captured, germany),
            Fee {
                amount: 320,
                basis_points: 290,
                fixed: 30
            }
        );
        assert_eq!(
            fee(germany, captured, Country::US),
            Fee {
                amount: 470,
                basis_points: 440,
                fixed: 30
            }
        );
    }
}
