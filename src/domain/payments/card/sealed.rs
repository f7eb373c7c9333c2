//! A card number under lock. The domain keeps it and cannot open it; the vault can.

use crate::account::AccountKey;
use crate::sealing::{SEALED_TAG_LEN, Wrapping};
use std::fmt;
use tollgate_resource::Record;

/// Bytes of a card number before it is sealed: how many digits, the digits, zeros up to here, so that nothing tells how
/// long the number is.
pub const SEALED_PLAIN_LEN: usize = 20;

/// A sealed card number: encrypted under a key of its own, which is encrypted under a master key.
#[derive(Clone, PartialEq, Eq, Record)]
pub struct SealedNumber {
    /// Names it for ever, through copies and rotations; says nothing about the number.
    #[record(1)]
    pub token: [u8; 16],
    /// The account it belongs to; it opens for no other.
    #[record(2)]
    pub account: AccountKey,
    /// Number of the master key that wraps the data key.
    #[record(3)]
    pub master_key: u32,
    /// The data key, wrapped.
    #[record(4)]
    pub data_key: [u8; 32 + SEALED_TAG_LEN],
    /// The number, sealed under the data key.
    #[record(5)]
    pub number: [u8; SEALED_PLAIN_LEN + SEALED_TAG_LEN],
}

impl SealedNumber {
    /// How its data key is wrapped.
    pub fn wrapping(&self) -> Wrapping {
        Wrapping {
            token: self.token,
            account: self.account,
            master_key: self.master_key,
            data_key: self.data_key,
        }
    }
}

impl fmt::Debug for SealedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedNumber(master key {})", self.master_key)
    }
}
