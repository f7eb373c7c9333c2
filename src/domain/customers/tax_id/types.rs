//! The types of tax ids: one table.

use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::record::{Field, Input, RecordError, Wire};
use tollgate_resource::shown::{ShownValue, Value, ValueKind};
use tollgate_resource::{ParamKind, ParamValue, Problem, Step};

/// A type of tax id, by its stable number in records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxIdType(u8);

/// What is known about a type.
struct Row {
    number: u8,
    name: &'static str,
    /// Two-letter code; empty where the value itself names the country.
    country: &'static str,
    format: Format,
    /// Whether there is a register in which such numbers are looked up.
    verifiable: bool,
}

/// What a value of a type looks like, without the blanks, dots, dashes and slashes that people write.
enum Format {
    /// Not checked.
    Any,
    /// One of these: `9` is a digit, `A` a letter, `X` either, everything else itself.
    One(&'static [&'static str]),
    /// By the member state that the first two letters name.
    European,
}

const fn row(number: u8, name: &'static str, country: &'static str, format: Format, verifiable: bool) -> Row {
    Row {
        number,
        name,
        country,
        format,
        verifiable,
    }
}

impl TaxIdType {
    /// The type with that name.
    pub fn from_name(name: &str) -> Option<TaxIdType> {
        TYPES
            .iter()
            .find(|row| row.name == name)
            .map(|row| TaxIdType(row.number))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether there is a register in which such numbers are looked up.
    pub fn is_verifiable(self) -> bool {
        self.row().verifiable
    }

    /// The country of a value of this type, if the type or the value names one.
    pub fn country(self, value: &str) -> Option<&str> {
        let Row { country, format, .. } = self.row();
        match format {
            Format::European => {
                let state = value.get(..2)?;
                european(state).map(|(_, country, _)| *country)
            }
            _ => Some(*country).filter(|country| !country.is_empty()),
        }
    }

    /// Whether a value may be one of this type.
    pub fn takes(self, value: &str) -> bool {
        let plain: String = value
            .chars()
            .filter(|letter| !" .-/".contains(*letter))
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        match &self.row().format {
            Format::Any => !plain.is_empty() && value.chars().count() <= VALUE_LEN_MAX,
            Format::One(patterns) => patterns.iter().any(|pattern| fits(pattern, &plain)),
            Format::European => plain
                .get(..2)
                .and_then(european)
                .is_some_and(|(_, _, patterns)| patterns.iter().any(|pattern| fits(pattern, &plain[2..]))),
        }
    }

    fn row(self) -> &'static Row {
        &TYPES[usize::from(self.0) - 1]
    }
}

/// Longest value of a type whose format is not checked, in characters.
const VALUE_LEN_MAX: usize = 40;

fn fits(pattern: &str, value: &str) -> bool {
    pattern.len() == value.len()
        && pattern.bytes().zip(value.bytes()).all(|(wanted, given)| match wanted {
            b'9' => given.is_ascii_digit(),
            b'A' => given.is_ascii_uppercase(),
            b'X' => given.is_ascii_uppercase() || given.is_ascii_digit(),
            literal => literal == given,
        })
}

fn european(state: &str) -> Option<&'static (&'static str, &'static str, &'static [&'static str])> {
    MEMBER_STATES.iter().find(|(prefix, ..)| *prefix == state)
}

/// Prefix, country and formats of the value-added tax numbers of the European Union. Greece is `EL` in them, and Northern
/// Ireland counts in.
static MEMBER_STATES: &[(&str, &str, &[&str])] = &[
    ("AT", "AT", &["U99999999"]),
    ("BE", "BE", &["9999999999"]),
    ("BG", "BG", &["999999999", "9999999999"]),
    ("CY", "CY", &["99999999A"]),
    ("CZ", "CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", "DE", &["999999999"]),
    ("DK", "DK", &["99999999"]),
    ("EE", "EE", &["999999999"]),
    ("EL", "GR", &["999999999"]),
    ("ES", "ES", &["X9999999X"]),
    ("FI", "FI", &["99999999"]),
    ("FR", "FR", &["XX999999999"]),
    ("HR", "HR", &["99999999999"]),
    ("HU", "HU", &["99999999"]),
    ("IE", "IE", &["9999999A", "9999999AA", "9X99999A"]),
    ("IT", "IT", &["99999999999"]),
    ("LT", "LT", &["999999999", "999999999999"]),
    ("LU", "LU", &["99999999"]),
    ("LV", "LV", &["99999999999"]),
    ("MT", "MT", &["99999999"]),
    ("NL", "NL", &["999999999B99"]),
    ("PL", "PL", &["9999999999"]),
    ("PT", "PT", &["999999999"]),
    (
        "RO",
        "RO",
        &[
            "99",
            "999",
            "9999",
            "99999",
            "999999",
            "9999999",
            "99999999",
            "999999999",
            "9999999999",
        ],
    ),
    ("SE", "SE", &["999999999999"]),
    ("SI", "SI", &["99999999"]),
    ("SK", "SK", &["9999999999"]),
    ("XI", "GB", &["999999999", "999999999999", "GD999", "HA999"]),
];

/// By number, without gaps. Numbers stand in records: a row is added at the end, never moved.
static TYPES: [Row; 116] = [
    row(1, "ad_nrt", "AD", Format::Any, false),
    row(2, "ae_trn", "AE", Format::One(&["999999999999999"]), false),
    row(3, "al_tin", "AL", Format::Any, false),
    row(4, "am_tin", "AM", Format::Any, false),
    row(5, "ao_tin", "AO", Format::Any, false),
    row(6, "ar_cuit", "AR", Format::Any, false),
    row(7, "au_abn", "AU", Format::One(&["99999999999"]), true),
    row(8, "au_arn", "AU", Format::One(&["999999999999"]), false),
    row(9, "aw_tin", "AW", Format::Any, false),
    row(10, "az_tin", "AZ", Format::Any, false),
    row(11, "ba_tin", "BA", Format::Any, false),
    row(12, "bb_tin", "BB", Format::Any, false),
    row(13, "bd_bin", "BD", Format::Any, false),
    row(14, "bf_ifu", "BF", Format::Any, false),
    row(15, "bg_uic", "BG", Format::Any, false),
    row(16, "bh_vat", "BH", Format::Any, false),
    row(17, "bj_ifu", "BJ", Format::Any, false),
    row(18, "bo_tin", "BO", Format::Any, false),
    row(19, "br_cnpj", "BR", Format::One(&["99999999999999"]), false),
    row(20, "br_cpf", "BR", Format::One(&["99999999999"]), false),
    row(21, "bs_tin", "BS", Format::Any, false),
    row(22, "by_tin", "BY", Format::Any, false),
    row(23, "ca_bn", "CA", Format::One(&["999999999"]), false),
    row(24, "ca_gst_hst", "CA", Format::One(&["999999999RT9999"]), false),
    row(25, "ca_pst_bc", "CA", Format::One(&["PST99999999"]), false),
    row(26, "ca_pst_mb", "CA", Format::One(&["9999999"]), false),
    row(27, "ca_pst_sk", "CA", Format::One(&["9999999"]), false),
    row(28, "ca_qst", "CA", Format::One(&["9999999999TQ9999"]), false),
    row(29, "cd_nif", "CD", Format::Any, false),
    row(
        30,
        "ch_uid",
        "CH",
        Format::One(&["CHE999999999", "CHE999999999HR"]),
        false,
    ),
    row(
        31,
        "ch_vat",
        "CH",
        Format::One(&["CHE999999999", "CHE999999999MWST", "CHE999999999TVA", "CHE999999999IVA"]),
        false,
    ),
    row(32, "cl_tin", "CL", Format::One(&["9999999X", "99999999X"]), false),
    row(33, "cm_niu", "CM", Format::Any, false),
    row(34, "cn_tin", "CN", Format::Any, false),
    row(35, "co_nit", "CO", Format::Any, false),
    row(36, "cr_tin", "CR", Format::Any, false),
    row(37, "cv_nif", "CV", Format::Any, false),
    row(38, "de_stn", "DE", Format::Any, false),
    row(39, "do_rcn", "DO", Format::Any, false),
    row(40, "ec_ruc", "EC", Format::Any, false),
    row(41, "eg_tin", "EG", Format::Any, false),
    row(42, "es_cif", "ES", Format::One(&["A9999999X"]), false),
    row(43, "et_tin", "ET", Format::Any, false),
    row(44, "eu_oss_vat", "", Format::One(&["EU999999999"]), false),
    row(45, "eu_vat", "", Format::European, true),
    row(46, "fo_vat", "FO", Format::Any, false),
    row(
        47,
        "gb_vat",
        "GB",
        Format::One(&["GB999999999", "GB999999999999", "GBGD999", "GBHA999", "XI999999999"]),
        true,
    ),
    row(48, "ge_vat", "GE", Format::One(&["999999999"]), false),
    row(49, "gi_tin", "GI", Format::Any, false),
    row(50, "gn_nif", "GN", Format::Any, false),
    row(51, "hk_br", "HK", Format::One(&["99999999"]), false),
    row(52, "hr_oib", "HR", Format::One(&["99999999999"]), false),
    row(53, "hu_tin", "HU", Format::Any, false),
    row(54, "id_npwp", "ID", Format::Any, false),
    row(55, "il_vat", "IL", Format::One(&["999999999"]), false),
    row(56, "in_gst", "IN", Format::One(&["99AAAAA9999A9AX"]), false),
    row(57, "is_vat", "IS", Format::One(&["99999", "999999"]), false),
    row(58, "it_cf", "IT", Format::Any, false),
    row(59, "jp_cn", "JP", Format::One(&["9999999999999"]), false),
    row(60, "jp_rn", "JP", Format::One(&["99999"]), false),
    row(61, "jp_trn", "JP", Format::One(&["T9999999999999"]), false),
    row(62, "ke_pin", "KE", Format::Any, false),
    row(63, "kg_tin", "KG", Format::Any, false),
    row(64, "kh_tin", "KH", Format::Any, false),
    row(65, "kr_brn", "KR", Format::One(&["9999999999"]), false),
    row(66, "kz_bin", "KZ", Format::Any, false),
    row(67, "la_tin", "LA", Format::Any, false),
    row(68, "li_uid", "LI", Format::One(&["CHE999999999"]), false),
    row(69, "li_vat", "LI", Format::Any, false),
    row(70, "lk_vat", "LK", Format::Any, false),
    row(71, "ma_vat", "MA", Format::Any, false),
    row(72, "md_vat", "MD", Format::Any, false),
    row(73, "me_pib", "ME", Format::Any, false),
    row(74, "mk_vat", "MK", Format::Any, false),
    row(75, "mr_nif", "MR", Format::Any, false),
    row(76, "mx_rfc", "MX", Format::Any, false),
    row(77, "my_frp", "MY", Format::One(&["99999999"]), false),
    row(78, "my_itn", "MY", Format::Any, false),
    row(79, "my_sst", "MY", Format::Any, false),
    row(80, "ng_tin", "NG", Format::Any, false),
    row(81, "no_vat", "NO", Format::One(&["999999999MVA"]), false),
    row(82, "no_voec", "NO", Format::Any, false),
    row(83, "np_pan", "NP", Format::Any, false),
    row(84, "nz_gst", "NZ", Format::One(&["999999999", "99999999"]), false),
    row(85, "om_vat", "OM", Format::Any, false),
    row(86, "pe_ruc", "PE", Format::One(&["99999999999"]), false),
    row(87, "ph_tin", "PH", Format::Any, false),
    row(88, "pl_nip", "PL", Format::One(&["9999999999"]), false),
    row(89, "py_ruc", "PY", Format::Any, false),
    row(90, "ro_tin", "RO", Format::Any, false),
    row(91, "rs_pib", "RS", Format::Any, false),
    row(92, "ru_inn", "RU", Format::One(&["9999999999", "999999999999"]), false),
    row(93, "ru_kpp", "RU", Format::One(&["999999999"]), false),
    row(94, "sa_vat", "SA", Format::One(&["999999999999999"]), false),
    row(
        95,
        "sg_gst",
        "SG",
        Format::One(&[
            "M99999999X",
            "MR99999999",
            "MB99999999",
            "MX99999999",
            "M99999999",
            "999999999A",
            "9999999999A",
        ]),
        false,
    ),
    row(96, "sg_uen", "SG", Format::Any, false),
    row(97, "si_tin", "SI", Format::Any, false),
    row(98, "sn_ninea", "SN", Format::Any, false),
    row(99, "sr_fin", "SR", Format::Any, false),
    row(100, "sv_nit", "SV", Format::Any, false),
    row(101, "th_vat", "TH", Format::One(&["9999999999999"]), false),
    row(102, "tj_tin", "TJ", Format::Any, false),
    row(103, "tr_tin", "TR", Format::Any, false),
    row(104, "tw_vat", "TW", Format::One(&["99999999"]), false),
    row(105, "tz_vat", "TZ", Format::Any, false),
    row(
        106,
        "ua_vat",
        "UA",
        Format::One(&["999999999999", "999999999", "9999999999"]),
        false,
    ),
    row(107, "ug_tin", "UG", Format::Any, false),
    row(108, "us_ein", "US", Format::One(&["999999999"]), false),
    row(109, "uy_ruc", "UY", Format::Any, false),
    row(110, "uz_tin", "UZ", Format::Any, false),
    row(111, "uz_vat", "UZ", Format::Any, false),
    row(112, "ve_rif", "VE", Format::Any, false),
    row(113, "vn_tin", "VN", Format::Any, false),
    row(114, "za_vat", "ZA", Format::One(&["4999999999"]), false),
    row(115, "zm_tin", "ZM", Format::Any, false),
    row(116, "zw_tin", "ZW", Format::Any, false),
];

/// The names, for documents and messages.
static NAMES: [&str; TYPES.len()] = {
    let mut names = [""; TYPES.len()];
    let mut at = 0;
    while at < TYPES.len() {
        assert!(TYPES[at].number as usize == at + 1, "types stand by number");
        names[at] = TYPES[at].name;
        at += 1;
    }
    names
};

impl ParamValue for TaxIdType {
    const KIND: ParamKind = ParamKind::Names(&NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        TaxIdType::from_name(text).ok_or(Problem::Names(&NAMES))
    }
}

impl ShownValue for TaxIdType {
    const KIND: ValueKind = ValueKind::Names(&NAMES);
    fn shown(&self) -> Value<'_> {
        Value::Str(self.name())
    }
}

impl Field for TaxIdType {
    const WIRE: Wire = Wire::Varint;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let number = u8::take(input)?;
        let known = (1..=TYPES.len()).contains(&usize::from(number));
        known.then_some(TaxIdType(number)).ok_or(RecordError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_to_the_format_of_their_type() {
        let takes = |name: &str, value: &str| TaxIdType::from_name(name).expect("a type of the table").takes(value);
        for (name, value) in [
            ("eu_vat", "DE123456789"),
            ("eu_vat", "ie 1234567 fa"),
            ("eu_vat", "NL123456789B12"),
            ("gb_vat", "GB123456789"),
            ("au_abn", "12 345 678 901"),
            ("us_ein", "12-3456789"),
            ("br_cnpj", "01.234.456/5432-10"),
            ("ch_vat", "CHE-123.456.789 MWST"),
            ("no_vat", "123456789MVA"),
            ("ke_pin", "P000111111A"),
        ] {
            assert!(takes(name, value), "{name} {value}");
        }
        for (name, value) in [
            ("eu_vat", "DE12345678"),
            ("eu_vat", "US123456789"),
            ("eu_vat", "é"),
            ("gb_vat", "123"),
            ("us_ein", "12-345678A"),
            ("ke_pin", "- -"),
        ] {
            assert!(!takes(name, value), "{name} {value}");
        }
    }

    #[test]
    fn a_tax_id_names_its_country() {
        let country = |name: &str, value| TaxIdType::from_name(name).expect("a type of the table").country(value);
        assert_eq!(country("us_ein", "12-3456789"), Some("US"));
        assert_eq!(country("eu_vat", "EL123456789"), Some("GR"));
        assert_eq!(country("eu_vat", "000000000"), None);
        assert_eq!(country("eu_oss_vat", "EU123456789"), None);
    }

    #[test]
    fn numbers_of_types_read_back() {
        for (number, row) in (1u8..).zip(&TYPES) {
            assert_eq!(TaxIdType::from_name(row.name), Some(TaxIdType(number)));
            let mut out = Vec::new();
            TaxIdType(number).put(&mut out);
            assert_eq!(TaxIdType::take(&mut Input::new(&out)), Ok(TaxIdType(number)));
        }
    }
}
