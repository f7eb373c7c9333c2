//! The currencies the API takes, in one table.

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

    const fn known(code: &str) -> Currency {
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

/// The message about a code that is not in the table; `{}` stands for the given text.
pub const UNKNOWN_CURRENCY: &str = "Invalid currency: {}. Stripe currently supports these currencies: usd, aed, afn, all, amd, ang, aoa, ars, \
     aud, awg, azn, bam, bbd, bdt, bgn, bhd, bif, bmd, bnd, bob, brl, bsd, bwp, byn, bzd, cad, cdf, chf, clp, \
     cny, cop, crc, cve, czk, djf, dkk, dop, dzd, egp, etb, eur, fjd, fkp, gbp, gel, gip, gmd, gnf, gtq, gyd, \
     hkd, hnl, hrk, htg, huf, idr, ils, inr, isk, jmd, jod, jpy, kes, kgs, khr, kmf, krw, kwd, kyd, kzt, lak, \
     lbp, lkr, lrd, lsl, mad, mdl, mga, mkd, mmk, mnt, mop, mur, mvr, mwk, mxn, myr, mzn, nad, ngn, nio, nok, \
     npr, nzd, omr, pab, pen, pgk, php, pkr, pln, pyg, qar, ron, rsd, rub, rwf, sar, sbd, scr, sek, sgd, shp, \
     sle, sos, srd, std, szl, thb, tjs, tnd, top, try, ttd, twd, tzs, uah, ugx, uyu, uzs, vnd, vuv, wst, xaf, \
     xcd, xcg, xof, xpf, yer, zar, zmw, usdc, btn, ghs, eek, lvl, svc, vef, ltl, sll, mro";

/// How amounts of a currency are counted.
#[derive(Clone, Copy)]
enum Units {
    /// No minor unit.
    Zero,
    /// Hundredths.
    Two,
    /// Thousandths, the last digit 0.
    Three,
    /// Sent in hundredths, the last two digits 00.
    Whole,
}
use Units::{Three, Two, Whole, Zero};

struct Row {
    code: &'static str,
    units: Units,
    /// Minor units; 0 where none is published.
    minimum_charge: i64,
    /// In front of amounts in messages; empty for the code behind them.
    symbol: &'static str,
}

const fn row(code: &'static str, units: Units, minimum_charge: i64, symbol: &'static str) -> Row {
    Row {
        code,
        units,
        minimum_charge,
        symbol,
    }
}

/// The table. A currency's record number is its place, from 1: rows are only ever added at the end.
const TABLE: [Row; 151] = [
    row("usd", Two, 50, "$"),
    row("aed", Two, 200, ""),
    row("afn", Two, 0, ""),
    row("all", Two, 0, ""),
    row("amd", Two, 0, ""),
    row("ang", Two, 0, ""),
    row("aoa", Two, 0, ""),
    row("ars", Two, 0, ""),
    row("aud", Two, 50, "$"),
    row("awg", Two, 0, ""),
    row("azn", Two, 0, ""),
    row("bam", Two, 0, ""),
    row("bbd", Two, 0, ""),
    row("bdt", Two, 0, ""),
    row("bgn", Two, 100, ""),
    row("bhd", Three, 0, ""),
    row("bif", Zero, 0, ""),
    row("bmd", Two, 0, ""),
    row("bnd", Two, 0, ""),
    row("bob", Two, 0, ""),
    row("brl", Two, 50, "R$"),
    row("bsd", Two, 0, ""),
    row("bwp", Two, 0, ""),
    row("byn", Two, 0, ""),
    row("bzd", Two, 0, ""),
    row("cad", Two, 50, "$"),
    row("cdf", Two, 0, ""),
    row("chf", Two, 50, ""),
    row("clp", Zero, 0, ""),
    row("cny", Two, 0, "¥"),
    row("cop", Two, 0, ""),
    row("crc", Two, 0, ""),
    row("cve", Two, 0, ""),
    row("czk", Two, 1500, ""),
    row("djf", Zero, 0, ""),
    row("dkk", Two, 250, ""),
    row("dop", Two, 0, ""),
    row("dzd", Two, 0, ""),
    row("egp", Two, 0, ""),
    row("etb", Two, 0, ""),
    row("eur", Two, 50, "€"),
    row("fjd", Two, 0, ""),
    row("fkp", Two, 0, ""),
    row("gbp", Two, 30, "£"),
    row("gel", Two, 0, ""),
    row("gip", Two, 0, ""),
    row("gmd", Two, 0, ""),
    row("gnf", Zero, 0, ""),
    row("gtq", Two, 0, ""),
    row("gyd", Two, 0, ""),
    row("hkd", Two, 400, "$"),
    row("hnl", Two, 0, ""),
    row("hrk", Two, 0, ""),
    row("htg", Two, 0, ""),
    row("huf", Two, 17500, ""),
    row("idr", Two, 0, ""),
    row("ils", Two, 0, ""),
    row("inr", Two, 50, "₹"),
    row("isk", Whole, 0, ""),
    row("jmd", Two, 0, ""),
    row("jod", Three, 0, ""),
    row("jpy", Zero, 50, "¥"),
    row("kes", Two, 0, ""),
    row("kgs", Two, 0, ""),
    row("khr", Two, 0, ""),
    row("kmf", Zero, 0, ""),
    row("krw", Zero, 0, "₩"),
    row("kwd", Three, 0, ""),
    row("kyd", Two, 0, ""),
    row("kzt", Two, 0, ""),
    row("lak", Two, 0, ""),
    row("lbp", Two, 0, ""),
    row("lkr", Two, 0, ""),
    row("lrd", Two, 0, ""),
    row("lsl", Two, 0, ""),
    row("mad", Two, 0, ""),
    row("mdl", Two, 0, ""),
    row("mga", Zero, 0, ""),
    row("mkd", Two, 0, ""),
    row("mmk", Two, 0, ""),
    row("mnt", Two, 0, ""),
    row("mop", Two, 0, ""),
    row("mur", Two, 0, ""),
    row("mvr", Two, 0, ""),
    row("mwk", Two, 0, ""),
    row("mxn", Two, 1000, "$"),
    row("myr", Two, 200, ""),
    row("mzn", Two, 0, ""),
    row("nad", Two, 0, ""),
    row("ngn", Two, 0, ""),
    row("nio", Two, 0, ""),
    row("nok", Two, 300, ""),
    row("npr", Two, 0, ""),
    row("nzd", Two, 50, "$"),
    row("omr", Three, 0, ""),
    row("pab", Two, 0, ""),
    row("pen", Two, 0, ""),
    row("pgk", Two, 0, ""),
    row("php", Two, 0, ""),
    row("pkr", Two, 0, ""),
    row("pln", Two, 200, ""),
    row("pyg", Zero, 0, ""),
    row("qar", Two, 0, ""),
    row("ron", Two, 200, ""),
    row("rsd", Two, 0, ""),
    row("rub", Two, 0, ""),
    row("rwf", Zero, 0, ""),
    row("sar", Two, 0, ""),
    row("sbd", Two, 0, ""),
    row("scr", Two, 0, ""),
    row("sek", Two, 300, ""),
    row("sgd", Two, 50, "$"),
    row("shp", Two, 0, ""),
    row("sle", Two, 0, ""),
    row("sos", Two, 0, ""),
    row("srd", Two, 0, ""),
    row("std", Two, 0, ""),
    row("szl", Two, 0, ""),
    row("thb", Two, 1000, ""),
    row("tjs", Two, 0, ""),
    row("tnd", Three, 0, ""),
    row("top", Two, 0, ""),
    row("try", Two, 0, ""),
    row("ttd", Two, 0, ""),
    row("twd", Two, 0, ""),
    row("tzs", Two, 0, ""),
    row("uah", Two, 0, ""),
    row("ugx", Whole, 0, ""),
    row("uyu", Two, 0, ""),
    row("uzs", Two, 0, ""),
    row("vnd", Zero, 0, ""),
    row("vuv", Zero, 0, ""),
    row("wst", Two, 0, ""),
    row("xaf", Zero, 0, ""),
    row("xcd", Two, 0, ""),
    row("xcg", Two, 0, ""),
    row("xof", Zero, 0, ""),
    row("xpf", Zero, 0, ""),
    row("yer", Two, 0, ""),
    row("zar", Two, 0, ""),
    row("zmw", Two, 0, ""),
    row("usdc", Two, 0, ""),
    row("btn", Two, 0, ""),
    row("ghs", Two, 0, ""),
    row("eek", Two, 0, ""),
    row("lvl", Two, 0, ""),
    row("svc", Two, 0, ""),
    row("vef", Two, 0, ""),
    row("ltl", Two, 0, ""),
    row("sll", Two, 0, ""),
    row("mro", Two, 0, ""),
];

/// Codes as numbers, sorted, with the record number: found without comparing text.
const BY_CODE: [(u32, u8); TABLE.len()] = {
    let mut sorted = [(0, 0); TABLE.len()];
    let mut at = 0;
    while at < TABLE.len() {
        let Some(packed) = pack(TABLE[at].code.as_bytes()) else {
            panic!("a code is three or four letters")
        };
        let mut to = at;
        while to > 0 && sorted[to - 1].0 > packed {
            sorted[to] = sorted[to - 1];
            to -= 1;
        }
        sorted[to] = (packed, at as u8 + 1);
        at += 1;
    }
    sorted
};

/// Three or four ASCII letters, lowered, as one number.
const fn pack(code: &[u8]) -> Option<u32> {
    if code.len() != 3 && code.len() != 4 {
        return None;
    }
    let mut packed = 0;
    let mut at = 0;
    while at < code.len() {
        if !code[at].is_ascii_alphabetic() {
            return None;
        }
        packed = packed << 8 | code[at].to_ascii_lowercase() as u32;
        at += 1;
    }
    Some(packed)
}

const fn same(left: &str, right: &str) -> bool {
    match (pack(left.as_bytes()), pack(right.as_bytes())) {
        (Some(left), Some(right)) => left == right,
        _ => false,
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
