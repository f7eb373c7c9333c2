//! Object ids: 128 bits that sort by time, written as a prefix and 22 base-62 digits.
//!
//! From the top: 42 bits of milliseconds since 2020-01-01 UTC, 38 bits of the account's sequence, a 32-bit account tag
//! and a 16-bit check over the rest and the kind. An id therefore names the generation it lives in and its record
//! without a lookup, and says nothing about the number of shards. The check catches typing errors; it is no secret.

use std::fmt;

/// A kind of object: its stable number in records, its id prefix and its public name.
#[derive(Debug)]
pub struct Kind {
    /// Stable number; written to the journal, never reused. Below 64, so that a set of kinds is a `u64` mask.
    pub number: u8,
    /// Id prefix without the underscore, e.g. `pi`.
    pub prefix: &'static str,
    /// The `object` member, e.g. `payment_intent`; also the word in `No such payment_intent: '…'`.
    pub object: &'static str,
    /// Another prefix that ids of some objects of this kind have, such as charges that are not of cards. Lists, records
    /// and references know no difference: only the id itself does.
    pub other: Option<OtherPrefix>,
}

/// Another prefix of ids of a kind.
#[derive(Clone, Copy, Debug)]
pub struct OtherPrefix {
    /// Stable number, of the same row as those of kinds; no kind has it.
    pub number: u8,
    /// The prefix without the underscore, e.g. `py`.
    pub prefix: &'static str,
}

impl Kind {
    /// The bit of this kind in a mask of kinds.
    pub const fn bit(&self) -> u64 {
        1 << self.number
    }

    /// Reads an id of this kind; `None` when the prefix, the digits or the check are wrong.
    pub fn parse(&self, text: &str) -> Option<Id> {
        let after = |prefix: &str| text.strip_prefix(prefix)?.strip_prefix('_');
        let (digits, number) = match (after(self.prefix), self.other) {
            (Some(digits), _) => (digits, self.number),
            (None, Some(other)) => (after(other.prefix)?, other.number),
            (None, None) => return None,
        };
        let id = Id::from_digits(digits)?;
        (id.check() == Id::check_of(id.0 >> CHECK_BITS, number)).then_some(id)
    }

    /// The prefix that an id of this kind is written with.
    pub fn prefix_of(&self, id: Id) -> &'static str {
        match self.other {
            Some(other) if id.is_other(self) => other.prefix,
            _ => self.prefix,
        }
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Kind {}

/// The 128 bits of an object id, without the prefix. Orders by time, then by the account's sequence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(u128);

/// Milliseconds from the Unix epoch to 2020-01-01T00:00:00Z, where id time starts.
pub const ID_EPOCH_MS: u64 = 1_577_836_800_000;
/// Base-62 digits of an id; 62^22 > 2^128.
pub const ID_DIGITS: usize = 22;
/// The largest account sequence an id can carry (2^38 - 1: 274 thousand million objects per account and mode).
pub const SEQ_MAX: u64 = (1 << SEQ_BITS) - 1;

const SEQ_BITS: u32 = 38;
const TAG_BITS: u32 = 32;
const CHECK_BITS: u32 = 16;
/// What ten digits count to: below 2^60.
const GROUP: u128 = 62u128.pow(10);
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What two digits count to, as they are written.
static PAIRS: [[u8; 2]; 62 * 62] = {
    let mut pairs = [[0; 2]; 62 * 62];
    let mut pair = 0;
    while pair < pairs.len() {
        pairs[pair] = [DIGITS[pair / 62], DIGITS[pair % 62]];
        pair += 1;
    }
    pairs
};

impl Id {
    /// Builds the id of the object with sequence `seq` of the account with tag `tag`, born at `unix_ms`.
    ///
    /// Times before 2020 count as 2020 (a clock that wrong is an alarm elsewhere, not a panic here).
    pub fn new(kind: &Kind, unix_ms: u64, seq: u64, tag: u32) -> Self {
        Id::numbered(kind.number, unix_ms, seq, tag)
    }

    /// The same with the other prefix of the kind.
    ///
    /// # Panics
    /// When the kind has none.
    pub fn new_other(kind: &Kind, unix_ms: u64, seq: u64, tag: u32) -> Self {
        let other = kind.other.expect("the kind has another prefix");
        Id::numbered(other.number, unix_ms, seq, tag)
    }

    fn numbered(number: u8, unix_ms: u64, seq: u64, tag: u32) -> Self {
        assert!(seq <= SEQ_MAX, "account sequence exceeds 38 bits");
        let ms = u128::from(unix_ms.saturating_sub(ID_EPOCH_MS) & ((1 << 42) - 1));
        let body = (ms << (SEQ_BITS + TAG_BITS)) | (u128::from(seq) << TAG_BITS) | u128::from(tag);
        Id((body << CHECK_BITS) | u128::from(Self::check_of(body, number)))
    }

    /// Milliseconds since the Unix epoch at which the object was born.
    pub fn unix_ms(self) -> u64 {
        (self.0 >> (SEQ_BITS + TAG_BITS + CHECK_BITS)) as u64 + ID_EPOCH_MS
    }

    /// `created`: seconds since the Unix epoch.
    pub fn created(self) -> i64 {
        (self.unix_ms() / 1000) as i64
    }

    /// The account's sequence number of the object.
    pub fn seq(self) -> u64 {
        (self.0 >> (TAG_BITS + CHECK_BITS)) as u64 & SEQ_MAX
    }

    /// The tag of the account the object belongs to.
    pub fn account_tag(self) -> u32 {
        (self.0 >> CHECK_BITS) as u32
    }

    /// Whether the id was made for `kind`.
    pub fn is(self, kind: &Kind) -> bool {
        self.check() == Self::check_of(self.0 >> CHECK_BITS, kind.number) || self.is_other(kind)
    }

    /// Whether the id was made for `kind`, with its other prefix.
    pub fn is_other(self, kind: &Kind) -> bool {
        let number = kind.other.map(|other| other.number);
        number.is_some_and(|number| self.check() == Self::check_of(self.0 >> CHECK_BITS, number))
    }

    /// The raw bits, for records and maps.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// An id from raw bits that a record holds.
    pub const fn from_bits(bits: u128) -> Self {
        Id(bits)
    }

    /// Appends `prefix_digits` to `out`.
    pub fn write(self, kind: &Kind, out: &mut Vec<u8>) {
        out.extend_from_slice(kind.prefix_of(self).as_bytes());
        out.push(b'_');
        out.extend_from_slice(&self.digits());
    }

    /// The id as text, e.g. `pi_0S4…`.
    pub fn text(self, kind: &Kind) -> String {
        let mut out = Vec::with_capacity(kind.prefix.len() + 1 + ID_DIGITS);
        self.write(kind, &mut out);
        String::from_utf8(out).expect("prefix and digits are ASCII")
    }

    /// The 22 base-62 digits, most significant first.
    pub fn digits(self) -> [u8; ID_DIGITS] {
        // Three 64-bit groups, and two divisions of 128-bit numbers instead of 44.
        let rest = self.0 / GROUP;
        let high = rest / GROUP;
        let mut digits = [0; ID_DIGITS];
        let (first, others) = digits.split_at_mut(2);
        let (second, third) = others.split_at_mut(10);
        write_digits(high as u64, first);
        write_digits(rest.wrapping_sub(high.wrapping_mul(GROUP)) as u64, second);
        write_digits(self.0.wrapping_sub(rest.wrapping_mul(GROUP)) as u64, third);
        digits
    }

    fn from_digits(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != ID_DIGITS {
            return None;
        }
        let group = |digits: &[u8]| {
            digits.iter().try_fold(0u64, |value, &byte| {
                let digit = match byte {
                    b'0'..=b'9' => byte - b'0',
                    b'A'..=b'Z' => byte - b'A' + 10,
                    b'a'..=b'z' => byte - b'a' + 36,
                    _ => return None,
                };
                // Ten digits fit 60 bits.
                Some(value * 62 + u64::from(digit))
            })
        };
        let (high, middle, low) = (group(&bytes[..2])?, group(&bytes[2..12])?, group(&bytes[12..])?);
        let value = u128::from(high).checked_mul(GROUP)?.checked_add(u128::from(middle))?;
        Some(Id(value.checked_mul(GROUP)?.checked_add(u128::from(low))?))
    }

    fn check(self) -> u16 {
        self.0 as u16
    }

    fn check_of(body: u128, kind: u8) -> u16 {
        // The finaliser of a 64-bit mixing hash (Stafford's variant 13, as in SplitMix64) over both halves.
        let mut x = (body as u64) ^ ((body >> 64) as u64).rotate_left(29);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The kind is added after mixing, times an odd number: two kinds never give one body the same check, so a real
        // id is of exactly one kind. (Mixed in, one id in 65,536 would pass for an id of some other kind.)
        ((x ^ (x >> 31)) as u16).wrapping_add(u16::from(kind).wrapping_mul(0x9e37))
    }
}

/// Writes the low base-62 digits of `value`, the most significant one first, one to each place.
pub fn write_digits(mut value: u64, places: &mut [u8]) {
    // Two at a time: each division waits for the one before it.
    let mut pairs = places.rchunks_exact_mut(2);
    for pair in pairs.by_ref() {
        pair.copy_from_slice(&PAIRS[(value % 3_844) as usize]);
        value /= 3_844;
    }
    if let [odd] = pairs.into_remainder() {
        *odd = DIGITS[(value % 62) as usize];
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id(seq {} at {} ms)", self.seq(), self.unix_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PI: Kind = Kind {
        number: 1,
        prefix: "pi",
        object: "payment_intent",
        other: None,
    };
    const CH: Kind = Kind {
        number: 2,
        prefix: "ch",
        object: "charge",
        other: None,
    };

    #[test]
    fn id_reads_back_and_names_its_parts() {
        let id = Id::new(&PI, 1_795_000_000_123, 77, 0xdead_beef);
        let text = id.text(&PI);
        assert_eq!(text.len(), 3 + ID_DIGITS);
        assert_eq!(PI.parse(&text), Some(id));
        assert_eq!(
            (id.unix_ms(), id.seq(), id.account_tag()),
            (1_795_000_000_123, 77, 0xdead_beef)
        );
    }

    #[test]
    fn id_of_another_kind_or_with_a_typing_error_is_refused() {
        let id = Id::new(&PI, 1_795_000_000_123, 77, 5);
        assert_eq!(
            CH.parse(&format!("ch_{}", std::str::from_utf8(&id.digits()).unwrap())),
            None
        );
        let mut text = id.text(&PI);
        text.pop();
        assert_eq!(PI.parse(&text), None);
        assert_eq!(PI.parse("pi_ZZZZZZZZZZZZZZZZZZZZZZ"), None);
        assert_eq!(PI.parse("pi_zzzzzzzzzzzzzzzzzzzzzz"), None, "larger than 128 bits");
    }

    #[test]
    fn an_id_is_of_exactly_one_kind() {
        for seq in 0..70_000 {
            let id = Id::new(&PI, 1_795_000_000_123, seq, 5);
            assert!(id.is(&PI) && !id.is(&CH));
        }
    }

    #[test]
    fn an_id_with_the_other_prefix_is_of_the_kind_all_the_same() {
        const CHARGE: Kind = Kind {
            other: Some(OtherPrefix {
                number: 3,
                prefix: "py",
            }),
            ..CH
        };
        let (card, bank) = (Id::new(&CHARGE, 1, 7, 5), Id::new_other(&CHARGE, 1, 7, 5));
        assert!(card.is(&CHARGE) && bank.is(&CHARGE) && bank.is_other(&CHARGE) && !card.is_other(&CHARGE));
        assert!(bank.text(&CHARGE).starts_with("py_") && card.text(&CHARGE).starts_with("ch_"));
        for id in [card, bank] {
            assert_eq!(CHARGE.parse(&id.text(&CHARGE)), Some(id));
        }
        let swapped = bank.text(&CHARGE).replace("py_", "ch_");
        assert_eq!(CHARGE.parse(&swapped), None);
    }

    #[test]
    fn text_sorts_as_time_and_sequence_do() {
        let early = Id::new(&PI, 1_795_000_000_000, 9, 1).text(&PI);
        let later = Id::new(&PI, 1_795_000_000_000, 10, 1).text(&PI);
        let latest = Id::new(&PI, 1_795_000_000_001, 11, 1).text(&PI);
        assert!(early < later && later < latest);
    }
}
