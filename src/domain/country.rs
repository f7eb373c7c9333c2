//! Countries as two letters.

use std::fmt;
use tollgate_resource::record::{Field, Input, RecordError, Wire, put_varint};
use tollgate_resource::{ShownValue, Value, ValueKind};

/// A country: two upper-case letters of ISO 3166.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The United States.
    pub const US: Country = Country::known("US");

    /// The country with that code, upper or lower case. Whether such a country exists is not checked.
    pub const fn from_code(code: &str) -> Option<Country> {
        match code.as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Some(Country([first.to_ascii_uppercase(), second.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The country with a code that the program itself states.
    ///
    /// # Panics
    /// When `code` is not two letters; in constants that stops the build.
    pub const fn known(code: &str) -> Country {
        match Country::from_code(code) {
            Some(country) => country,
            None => panic!("a country code is two letters"),
        }
    }

    /// Upper-case code, as the API prints it.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Field for Country {
    const WIRE: Wire = Wire::Varint;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        let [first, second] = self.0.map(|letter| u64::from(letter - b'A'));
        put_varint(out, first * 26 + second);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let number = u32::take(input)?;
        if number >= 26 * 26 {
            return Err(RecordError::UnknownVariant {
                shape: "Country",
                number,
            });
        }
        Ok(Country([b'A' + (number / 26) as u8, b'A' + (number % 26) as u8]))
    }
}

impl ShownValue for Country {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_from_text_and_records() {
        for code in ["AA", "US", "ZZ"] {
            let country = Country::from_code(&code.to_lowercase()).expect("two letters");
            assert_eq!(country.code(), code);
            let mut out = Vec::new();
            country.put(&mut out);
            assert_eq!(Country::take(&mut Input::new(&out)), Ok(country));
        }
        for text in ["", "U", "USA", "U1", "\u{fc}"] {
            assert_eq!(Country::from_code(text), None, "{text}");
        }
        let mut beyond = Vec::new();
        put_varint(&mut beyond, 26 * 26);
        let unknown = RecordError::UnknownVariant {
            shape: "Country",
            number: 26 * 26,
        };
        assert_eq!(Country::take(&mut Input::new(&beyond)), Err(unknown));
    }
}
