//! The currencies the API takes, in one table.

mod table;

pub use table::UNKNOWN_CURRENCY;

use self::table::{BY_CODE, Row, TABLE, Units, pack, same};
use super::digits_grouped;
use std::fmt;
use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::record::{Field, Input, RecordError, Wire, put_varint};
use tollgate_resource::{ParamKind, ParamValue, Problem, ShownValue, Step, Value, ValueKind};

/// A currency of the table. Holds its stable number, which records carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

impl Currency {
    /// US dollar.
    pub const USD: Currency = Currency::known("usd");
    /// Euro.
    pub const EUR: Currency = Currency::known("eur");
    /// Yen: no minor unit.
    pub const JPY: Currency = Currency::known("jpy");
    /// Kuwaiti dinar: three decimals.
    pub const KWD: Currency = Currency::known("kwd");

    /// The currency with that code, upper or lower case.
    pub fn from_code(code: &str) -> Option<Currency> {
        let packed = pack(code.as_bytes())?;
        BY_CODE
            .binary_search_by_key(&packed, |entry| entry.0)
            .ok()
            .map(|at| Currency(BY_CODE[at].1))
    }

    /// The currency with that record number.
    pub fn from_number(number: u8) -> Option<Currency> {
        (number >= 1 && usize::from(number) <= TABLE.len()).then_some(Currency(number))
    }

    /// Its stable number in records, from 1.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Lower-case code, as the API prints it.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Decimals of the minor unit the API counts in: 0, 2 or 3. ISK and UGX have no decimals in life, but are sent in
    /// hundredths that must be whole (API reference, "Special cases").
    pub fn exponent(self) -> u32 {
        match self.row().units {
            Units::Zero => 0,
            Units::Two | Units::Whole => 2,
            Units::Three => 3,
        }
    }

    /// Amounts of a charge must be a multiple of this many minor units: 10 with three decimals, 100 for ISK and UGX.
    pub fn step(self) -> i64 {
        match self.row().units {
            Units::Zero | Units::Two => 1,
            Units::Three => 10,
            Units::Whole => 100,
        }
    }

    /// Smallest amount of a charge, in minor units. Where no minimum is published it is the smallest step.
    pub fn minimum_charge(self) -> i64 {
        self.row().minimum_charge.max(self.step())
    }

    /// An amount as messages print it: `$1,234.50`, `¥50`, `12.00 sek`.
    pub fn format(self, amount: i64) -> String {
        let row = self.row();
        let exponent = self.exponent();
        let magnitude = amount.unsigned_abs();
        let unit = 10u64.pow(exponent);
        let sign = if amount < 0 { "-" } else { "" };
        let mut text = format!("{sign}{}{}", row.symbol, digits_grouped(magnitude / unit));
        if exponent > 0 {
            text.push_str(&format!(".{:0width$}", magnitude % unit, width = exponent as usize));
        }
        if row.symbol.is_empty() {
            text.push(' ');
            text.push_str(row.code);
        }
        text
    }

    /// An amount with its code, as the message about a minimum prints it: `$0.50 usd`, `15.00 czk`.
    pub fn format_with_code(self, amount: i64) -> String {
        let mut text = self.format(amount);
        if !self.row().symbol.is_empty() {
            text.push(' ');
            text.push_str(self.code());
        }
        text
    }

    /// Every currency, in the order the message about an unknown one lists them.
    pub fn all() -> impl ExactSizeIterator<Item = Currency> {
        (1..=TABLE.len() as u8).map(Currency)
    }

    pub(crate) const fn known(code: &str) -> Currency {
        let mut at = 0;
        while at < TABLE.len() {
            if same(TABLE[at].code, code) {
                return Currency(at as u8 + 1);
            }
            at += 1;
        }
        panic!("no such currency in the table")
    }

    fn row(self) -> &'static Row {
        &TABLE[usize::from(self.0) - 1]
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Field for Currency {
    const WIRE: Wire = Wire::Varint;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.0));
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let number = u32::take(input)?;
        u8::try_from(number)
            .ok()
            .and_then(Currency::from_number)
            .ok_or(RecordError::UnknownVariant {
                shape: "Currency",
                number,
            })
    }
}

impl ShownValue for Currency {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Str(self.code())
    }
}

impl ParamValue for Currency {
    const KIND: ParamKind = ParamKind::Word("currency");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Currency::from_code(text).ok_or(Problem::Custom {
            code: None,
            message: UNKNOWN_CURRENCY,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_and_reads_back_in_any_case() {
        let mut codes: Vec<_> = Currency::all().map(Currency::code).collect();
        for currency in Currency::all() {
            assert_eq!(Currency::from_code(currency.code()), Some(currency));
            assert_eq!(Currency::from_code(&currency.code().to_uppercase()), Some(currency));
            assert_eq!(Currency::from_number(currency.number()), Some(currency));
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 151, "as many as the API prints");
    }

    #[test]
    fn the_message_lists_the_table_in_order() {
        let codes: Vec<_> = Currency::all().map(Currency::code).collect();
        let expected = format!(
            "Invalid currency: {{}}. Stripe currently supports these currencies: {}",
            codes.join(", ")
        );
        assert_eq!(UNKNOWN_CURRENCY, expected);
    }

    #[test]
    fn text_that_is_no_code_is_refused_with_the_list() {
        for text in ["", "xxx", "us", "usdx", "dollars", "us$", "\u{fc}sd"] {
            let refused = Currency::first(&[], text, &Bounds::DEFAULT);
            assert_eq!(
                refused,
                Err(Problem::Custom {
                    code: None,
                    message: UNKNOWN_CURRENCY
                }),
                "{text}"
            );
        }
        assert_eq!(Currency::first(&[], "UsD", &Bounds::DEFAULT), Ok(Currency::USD));
        assert_eq!(
            Currency::first(&[Step::Key("a")], "usd", &Bounds::DEFAULT),
            Err(Problem::Scalar)
        );
    }

    #[test]
    fn records_carry_the_number_and_refuse_an_unknown_one() {
        let mut out = Vec::new();
        Currency::EUR.put(&mut out);
        assert_eq!(out, [Currency::EUR.number()]);
        assert_eq!(Currency::take(&mut Input::new(&out)), Ok(Currency::EUR));
        for number in [0u64, 152, 300] {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            let expected = RecordError::UnknownVariant {
                shape: "Currency",
                number: number as u32,
            };
            assert_eq!(Currency::take(&mut Input::new(&out)), Err(expected));
        }
    }

    #[test]
    fn numbers_of_old_records_stay() {
        // Written to journals: a change here would turn old money into another currency.
        let numbers = ["usd", "aed", "eur", "gbp", "jpy", "zmw", "mro"].map(|code| known(code).number());
        assert_eq!(numbers, [1, 2, 41, 44, 62, 141, 151]);
    }

    #[test]
    fn decimals_steps_and_minimums() {
        let facts = ["usd", "jpy", "kwd", "isk", "ugx", "gbp", "huf", "uyu"]
            .map(known)
            .map(|currency| (currency.exponent(), currency.step(), currency.minimum_charge()));
        let expected = [
            (2, 1, 50),
            (0, 1, 50),
            (3, 10, 10),
            (2, 100, 100),
            (2, 100, 100),
            (2, 1, 30),
            (2, 1, 17_500),
            (2, 1, 1),
        ];
        assert_eq!(facts, expected);
    }

    #[test]
    fn amounts_in_messages() {
        let cases = [
            ("usd", 50, "$0.50"),
            ("usd", 99_999_999, "$999,999.99"),
            ("usd", -123_456, "-$1,234.56"),
            ("jpy", 1_000_000, "¥1,000,000"),
            ("kwd", 1_230, "1.230 kwd"),
            ("sek", 300, "3.00 sek"),
        ];
        for (code, amount, text) in cases {
            assert_eq!(known(code).format(amount), text);
        }
        assert_eq!(Currency::USD.format_with_code(50), "$0.50 usd");
        assert_eq!(known("czk").format_with_code(1500), "15.00 czk");
    }

    fn known(code: &str) -> Currency {
        Currency::from_code(code).expect("a code of the table")
    }
}
