//! The currencies themselves: code, decimals, least charge and sign of each.

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
pub(super) enum Units {
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

pub(super) struct Row {
    pub(super) code: &'static str,
    pub(super) units: Units,
    /// Minor units; 0 where none is published.
    pub(super) minimum_charge: i64,
    /// In front of amounts in messages; empty for the code behind them.
    pub(super) symbol: &'static str,
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
pub(super) const TABLE: [Row; 151] = [
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
pub(super) const BY_CODE: [(u32, u8); TABLE.len()] = {
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
pub(super) const fn pack(code: &[u8]) -> Option<u32> {
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

pub(super) const fn same(left: &str, right: &str) -> bool {
    match (pack(left.as_bytes()), pack(right.as_bytes())) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}
