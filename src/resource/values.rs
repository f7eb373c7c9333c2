//! How standard types stand in a numbered field.

use crate::id::Id;
use crate::record::{Field, Input, RecordError, Wire, delimited, put_str, put_varint, take_delimited};
use crate::version::Version;
use std::sync::Arc;

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Field for $type {
            const WIRE: Wire = Wire::Varint;
            fn is_absent(&self) -> bool { *self == 0 }
            fn absent() -> Option<Self> { Some(0) }
            fn put(&self, out: &mut Vec<u8>) { put_varint(out, u64::from(*self)); }
            fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
                Self::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64);

macro_rules! signed {
    ($($type:ty),*) => {$(
        impl Field for $type {
            const WIRE: Wire = Wire::Varint;
            fn is_absent(&self) -> bool { *self == 0 }
            fn absent() -> Option<Self> { Some(0) }
            fn put(&self, out: &mut Vec<u8>) { put_varint(out, zigzag(i64::from(*self))); }
            fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
                Self::try_from(unzigzag(input.take_varint()?)).map_err(|_| RecordError::Overflow)
            }
        }
    )*};
}
signed!(i32, i64);

impl Field for bool {
    const WIRE: Wire = Wire::Varint;
    fn is_absent(&self) -> bool {
        !*self
    }
    fn absent() -> Option<Self> {
        Some(false)
    }
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        match input.take_varint()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::Overflow),
        }
    }
}

impl Field for u128 {
    const WIRE: Wire = Wire::Fixed16;
    fn is_absent(&self) -> bool {
        *self == 0
    }
    fn absent() -> Option<Self> {
        Some(0)
    }
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let bytes = input.take_bytes(16)?;
        Ok(u128::from_le_bytes(bytes.try_into().expect("sixteen bytes were taken")))
    }
}

/// Exactly `N` bytes, always written.
impl<const N: usize> Field for [u8; N] {
    const WIRE: Wire = Wire::Bytes;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, N as u64);
        out.extend_from_slice(self);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        // Another length is another layout; there is no shape to name here.
        input.take_slice()?.try_into().map_err(|_| RecordError::Overflow)
    }
}

impl Field for Version {
    const WIRE: Wire = Wire::Varint;
    fn is_absent(&self) -> bool {
        self.0.is_absent()
    }
    fn absent() -> Option<Self> {
        Some(Self::ALWAYS)
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        u32::take(input).map(Self)
    }
}

impl Field for Id {
    const WIRE: Wire = Wire::Fixed16;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        self.bits().put(out);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        Ok(Id::from_bits(u128::take(input)?))
    }
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl Field for $type {
            const WIRE: Wire = Wire::Bytes;
            fn is_absent(&self) -> bool { self.is_empty() }
            fn absent() -> Option<Self> { Some(Self::default()) }
            fn put(&self, out: &mut Vec<u8>) { put_str(out, self); }
            fn take(input: &mut Input<'_>) -> Result<Self, RecordError> { Ok(input.take_str()?.into()) }
        }
    )*};
}
text!(String, Box<str>);

impl<T: Field> Field for Option<T> {
    const WIRE: Wire = {
        assert!(!T::OPTIONAL, "an option of an option cannot tell Some(None) from None");
        T::WIRE
    };
    const OPTIONAL: bool = true;
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn put(&self, out: &mut Vec<u8>) {
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        T::take(input).map(Some)
    }
}

impl<T: Field> Field for Box<T> {
    const WIRE: Wire = T::WIRE;
    const OPTIONAL: bool = T::OPTIONAL;
    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
    fn absent() -> Option<Self> {
        T::absent().map(Box::new)
    }
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        T::take(input).map(Box::new)
    }
}

impl<T: Field> Field for Arc<T> {
    const WIRE: Wire = T::WIRE;
    const OPTIONAL: bool = T::OPTIONAL;
    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
    fn absent() -> Option<Self> {
        T::absent().map(Arc::new)
    }
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        T::take(input).map(Arc::new)
    }
}

impl<T: Field> Field for Vec<T> {
    const WIRE: Wire = {
        assert!(!T::OPTIONAL, "None is written as nothing, so an array cannot hold it");
        Wire::Bytes
    };
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
    fn put(&self, out: &mut Vec<u8>) {
        delimited(out, |out| self.iter().for_each(|item| item.put(out)));
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let mut inner = take_delimited(input)?;
        let mut items = Vec::new();
        while !inner.is_empty() {
            items.push(T::take(&mut inner)?);
        }
        Ok(items)
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_at_their_bounds() {
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            value.put(&mut out);
            assert_eq!(i64::take(&mut Input::new(&out)), Ok(value));
        }
        assert_eq!(u8::take(&mut Input::new(&[0x80, 2])), Err(RecordError::Overflow), "256");
        assert_eq!(bool::take(&mut Input::new(&[2])), Err(RecordError::Overflow));
    }

    #[test]
    fn small_numbers_of_either_sign_take_one_byte() {
        for value in [0i64, 1, -1, 63, -64] {
            let mut out = Vec::new();
            value.put(&mut out);
            assert_eq!(out.len(), 1, "{value}");
        }
    }

    #[test]
    fn an_array_of_bytes_keeps_its_length() {
        let mut out = Vec::new();
        [1u8, 2, 3].put(&mut out);
        assert_eq!(<[u8; 3]>::take(&mut Input::new(&out)), Ok([1, 2, 3]));
        assert_eq!(<[u8; 4]>::take(&mut Input::new(&out)), Err(RecordError::Overflow));
    }
}
