//! The record codec: numbered fields, so that data written today opens in years.
//!
//! A struct is a run of `key value` pairs with `key = number << 3 | wire`. A field at its absent value (0, false, empty,
//! `None`) is not written; `Some(0)` is. An unknown field is refused ([`RecordError::UnknownField`]), because a reader
//! that drops money facts it does not understand is worse than one that stops, unless the writer marked it skippable
//! ([`Wire::Skippable`]). Numbers are never reused; a golden file in the domain holds them.

/// How a field's value is laid out behind its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    /// LEB128; signed integers are zigzag-coded first.
    Varint = 0,
    /// A length and that many bytes.
    Bytes = 2,
    /// As `Bytes`, and a reader that does not know the number may pass over it.
    Skippable = 3,
    /// Sixteen bytes, little endian: an id or a 128-bit hash.
    Fixed16 = 4,
}

/// Why bytes are not a record of the expected shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// The bytes end inside a value.
    Truncated,
    /// A number does not fit its type.
    Overflow,
    /// Text is not UTF-8.
    Text,
    /// A field this release does not know and may not skip: the data was written by a newer release.
    UnknownField {
        /// The struct that was read.
        shape: &'static str,
        /// The unknown field's number.
        number: u32,
    },
    /// An enum value this release does not know.
    UnknownVariant {
        /// The enum that was read.
        shape: &'static str,
        /// The unknown variant's number.
        number: u32,
    },
    /// A field that has no absent value is missing.
    MissingField {
        /// The struct that was read.
        shape: &'static str,
        /// The missing field's number.
        number: u32,
    },
    /// A field that stands twice.
    RepeatedField {
        /// The struct that was read.
        shape: &'static str,
        /// The field's number.
        number: u32,
    },
    /// Bytes behind the end of a value.
    Trailing {
        /// The type that was read.
        shape: &'static str,
    },
    /// A known field with another layout.
    WrongWire {
        /// The struct that was read.
        shape: &'static str,
        /// The field's number.
        number: u32,
    },
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => write!(f, "the record ends inside a value"),
            Self::Overflow => write!(f, "a number in the record does not fit its type"),
            Self::Text => write!(f, "text in the record is not UTF-8"),
            Self::UnknownField { shape, number } => {
                write!(
                    f,
                    "{shape} has a field {number} that this release does not know; open the data with a newer release"
                )
            }
            Self::UnknownVariant { shape, number } => {
                write!(
                    f,
                    "{shape} has a variant {number} that this release does not know; open the data with a newer release"
                )
            }
            Self::MissingField { shape, number } => write!(f, "{shape} lacks its field {number}"),
            Self::RepeatedField { shape, number } => write!(f, "{shape} has its field {number} twice"),
            Self::Trailing { shape } => write!(f, "bytes follow the end of {shape}"),
            Self::WrongWire { shape, number } => write!(f, "{shape} field {number} has another layout than expected"),
        }
    }
}
impl std::error::Error for RecordError {}

/// A struct or enum with numbered fields; derive it.
///
/// ```text
/// #[derive(Record)]
/// struct Hold {
///     #[record(1)] amount: i64,
///     #[record(2)] charge: Option<Id>,
///     #[record(3, skippable)] note: Option<String>,
/// }
/// #[derive(Record)]
/// enum Status {
///     #[record(1)] RequiresCapture { #[record(1)] capturable: i64 },
///     #[record(2)] Succeeded,
///     #[record(3)] Moved(Arc<Hold>),             // one value without a number: the value alone
///     #[record(4)] Split(#[record(1)] Hold, #[record(2)] Hold),
/// }
/// #[derive(Record)]
/// struct AccountKey(u64);                        // the value itself
/// ```
/// An enum none of whose variants carries data is one varint; any other stands as variant number and content.
pub trait Record: Sized {
    /// The type's name, for errors and the golden file.
    const NAME: &'static str;
    /// Number and name of each field (of a struct) or variant (of an enum), for the golden file. A variant's own fields
    /// follow its name: `Capture { 1 of, 2 money }`.
    const FIELDS: &'static [(u32, &'static str)];

    /// Appends the fields, without a length.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads all of `input`.
    fn decode(input: Input<'_>) -> Result<Self, RecordError>;

    /// The fields as bytes of their own.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.encode(&mut out);
        out
    }
    /// Reads a record from exactly these bytes.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Self::decode(Input::new(bytes))
    }
}

/// A value that can stand in a numbered field. Derived for every [`Record`].
///
/// `None` is written as nothing, so it cannot stand where its place alone would have to tell it:
///
/// ```compile_fail
/// use tollgate_resource::record::Field;
/// vec![Some(1u64), None].put(&mut Vec::new());
/// println!("{:?}", <Vec<Option<u64>> as Field>::WIRE);
/// ```
pub trait Field: Sized {
    /// The layout of the value.
    const WIRE: Wire;
    /// Whether a value may be written as nothing at all (`None`); such values cannot stand in an array.
    const OPTIONAL: bool = false;
    /// Whether the value is the one that is not written.
    fn is_absent(&self) -> bool;
    /// The value of a field that was not written, if it has one.
    fn absent() -> Option<Self>;
    /// Appends the value, with a length where the layout has one.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads the value.
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError>;
}

/// Bytes being read.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Input { bytes }
    }
    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }
    /// Takes `len` bytes.
    pub fn take_bytes(&mut self, len: usize) -> Result<&'a [u8], RecordError> {
        if len > self.bytes.len() {
            return Err(RecordError::Truncated);
        }
        let (head, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        Ok(head)
    }
    /// Takes a LEB128 number.
    pub fn take_varint(&mut self) -> Result<u64, RecordError> {
        let mut value = 0u64;
        for (at, &byte) in self.bytes.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if at == 9 && bits > 1 {
                return Err(RecordError::Overflow);
            }
            value |= bits << (7 * at);
            if byte < 0x80 {
                self.bytes = &self.bytes[at + 1..];
                return Ok(value);
            }
        }
        Err(if self.bytes.len() >= 10 {
            RecordError::Overflow
        } else {
            RecordError::Truncated
        })
    }
    /// Takes a length and that many bytes.
    pub fn take_slice(&mut self) -> Result<&'a [u8], RecordError> {
        let len = usize::try_from(self.take_varint()?).map_err(|_| RecordError::Overflow)?;
        self.take_bytes(len)
    }
    /// Takes a length and that many bytes of UTF-8.
    pub fn take_str(&mut self) -> Result<&'a str, RecordError> {
        std::str::from_utf8(self.take_slice()?).map_err(|_| RecordError::Text)
    }
    /// Takes a field key: number and layout.
    pub fn take_key(&mut self) -> Result<(u32, u8), RecordError> {
        let key = self.take_varint()?;
        Ok((
            u32::try_from(key >> 3).map_err(|_| RecordError::Overflow)?,
            (key & 7) as u8,
        ))
    }
}

/// Appends a LEB128 number.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field key.
#[inline]
pub fn put_key(out: &mut Vec<u8>, number: u32, wire: Wire) {
    put_varint(out, u64::from(number) << 3 | wire as u64);
}

/// Appends text with its length.
pub fn put_str(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends what `fill` writes, with its length in front (one move of the bytes when it exceeds 127).
pub fn delimited(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    fill(out);
    let len = out.len() - at - 1;
    if len < 0x80 {
        out[at] = len as u8;
        return;
    }
    // The length as a varint on the stack: this is the hot path of every record.
    let mut prefix = [0u8; 10];
    let mut rest = len as u64;
    let mut digits = 0;
    while rest >= 0x80 {
        prefix[digits] = rest as u8 | 0x80;
        rest >>= 7;
        digits += 1;
    }
    prefix[digits] = rest as u8;
    out.splice(at..=at, prefix[..=digits].iter().copied());
}

/// Takes a length and gives that many bytes as an input of their own.
pub fn take_delimited<'a>(input: &mut Input<'a>) -> Result<Input<'a>, RecordError> {
    Ok(Input::new(input.take_slice()?))
}

/// Writes a field unless it is absent; used by the derive.
#[inline]
pub fn put_field<T: Field>(value: &T, number: u32, out: &mut Vec<u8>) {
    if !value.is_absent() {
        put_key(out, number, T::WIRE);
        value.put(out);
    }
}

/// Writes a field that readers may pass over; used by the derive.
pub fn put_skippable<T: Field>(value: &T, number: u32, out: &mut Vec<u8>) {
    if value.is_absent() {
        return;
    }
    put_key(out, number, Wire::Skippable);
    if T::WIRE == Wire::Bytes {
        value.put(out);
    } else {
        // A reader that does not know the field needs its length.
        delimited(out, |out| value.put(out));
    }
}

/// Reads the value of a known field into its slot; used by the derive.
///
/// Not inlined: a record calls it once per field, and the calls cost less than the copies take to compile.
#[inline(never)]
pub fn take_field<T: Field>(
    slot: &mut Option<T>,
    input: &mut Input<'_>,
    shape: &'static str,
    number: u32,
    wire: u8,
) -> Result<(), RecordError> {
    if slot.is_some() {
        return Err(RecordError::RepeatedField { shape, number });
    }
    // Skippable is the writer's word to others; who knows the field reads it either way, so a field may become skippable.
    *slot = Some(
        if wire == T::WIRE as u8 || (T::WIRE == Wire::Bytes && wire == Wire::Skippable as u8) {
            T::take(input)?
        } else if wire == Wire::Skippable as u8 {
            take_value(take_delimited(input)?, shape)?
        } else {
            return Err(RecordError::WrongWire { shape, number });
        },
    );
    Ok(())
}

/// Gives a slot that no field filled its absent value; used by the derive.
#[inline]
pub fn complete<T: Field>(slot: &mut Option<T>, shape: &'static str, number: u32) -> Result<(), RecordError> {
    if slot.is_none() {
        *slot = T::absent();
    }
    if slot.is_some() {
        Ok(())
    } else {
        Err(RecordError::MissingField { shape, number })
    }
}

/// The value of a completed slot; used by the derive.
#[inline]
pub fn taken<T>(slot: Option<T>) -> T {
    slot.expect("a slot is complete before it is taken")
}

/// Reads to the end a record without known fields; used by the derive.
pub fn no_fields(mut input: Input<'_>, shape: &'static str) -> Result<(), RecordError> {
    while !input.is_empty() {
        let (number, wire) = input.take_key()?;
        skip_unknown(&mut input, shape, number, wire)?;
    }
    Ok(())
}

/// Writes a value that stands alone, without a key: nothing if it is absent; used by the derive.
#[inline]
pub fn put_value<T: Field>(value: &T, out: &mut Vec<u8>) {
    if !value.is_absent() {
        value.put(out);
    }
}

/// Reads all of `input` as one value without a key; used by the derive.
pub fn take_value<T: Field>(mut input: Input<'_>, shape: &'static str) -> Result<T, RecordError> {
    if input.is_empty() {
        return T::absent().ok_or(RecordError::Truncated);
    }
    let value = T::take(&mut input)?;
    if input.is_empty() {
        Ok(value)
    } else {
        Err(RecordError::Trailing { shape })
    }
}

/// Writes a record with its length in front; used by the derive.
#[inline]
pub fn put_record<T: Record>(value: &T, out: &mut Vec<u8>) {
    delimited(out, |out| value.encode(out));
}

/// Reads a record with its length in front; used by the derive.
#[inline]
pub fn take_record<T: Record>(input: &mut Input<'_>) -> Result<T, RecordError> {
    T::decode(take_delimited(input)?)
}

/// Writes the number of an enum's variant; used by the derive.
#[inline]
pub fn put_variant(out: &mut Vec<u8>, number: u32) {
    put_varint(out, u64::from(number));
}

/// Reads the number of an enum's variant; used by the derive.
#[inline]
pub fn take_variant(input: &mut Input<'_>) -> Result<u32, RecordError> {
    u32::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)
}

/// Passes over a field nobody knows, if it is marked skippable; used by the derive.
pub fn skip_unknown(input: &mut Input<'_>, shape: &'static str, number: u32, wire: u8) -> Result<(), RecordError> {
    if wire == Wire::Skippable as u8 {
        input.take_slice()?;
        return Ok(());
    }
    Err(RecordError::UnknownField { shape, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_end_is_refused() {
        assert_eq!(Input::new(&[0xff; 11]).take_varint(), Err(RecordError::Overflow));
        assert_eq!(Input::new(&[0xff; 3]).take_varint(), Err(RecordError::Truncated));
        assert_eq!(Input::new(&[]).take_varint(), Err(RecordError::Truncated));
    }

    #[test]
    fn a_value_of_any_size_gets_its_length_in_front() {
        for len in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000] {
            let mut out = vec![9];
            delimited(&mut out, |out| out.extend(std::iter::repeat_n(7, len)));
            let mut input = Input::new(&out[1..]);
            assert_eq!(input.take_slice().unwrap(), vec![7; len]);
            assert!(input.is_empty() && out[0] == 9);
        }
    }
}
