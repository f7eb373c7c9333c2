//! Marks: lists that the index keeps of objects with a certain value, beside the lists of what belongs to a parent.
//!
//! A list by a value that few objects have would otherwise look at every object of its kind. A mark costs some ten bytes
//! of the record's envelope and an entry of the index for each version, so nothing that a plain payment makes bears one.

use crate::files::file::FilePurpose;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use tollgate_resource::{Id, Names};

/// A value by which the index finds an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark<'a> {
    /// A customer's email address.
    Email(&'a str),
    /// The group of transfers that a charge names.
    TransferGroup(&'a str),
    /// What a setup intent sets up.
    SetUp(Id),
    /// That a setup intent saves to the merchant's own account, or does not, where it was said.
    AttachToSelf(bool),
    /// What a file is for.
    Purpose(FilePurpose),
    /// That a file link has an end.
    Ends,
    /// That a tax id is the account's own.
    OwnTaxId,
}

impl<'a> Mark<'a> {
    /// What it is a mark of. Stored through [`Mark::number`], so never changed.
    pub fn of(self) -> &'static str {
        match self {
            Mark::Email(_) => "email",
            Mark::TransferGroup(_) => "transfer_group",
            Mark::SetUp(_) => "set_up",
            Mark::AttachToSelf(_) => "attach_to_self",
            Mark::Purpose(_) => "purpose",
            Mark::Ends => "ends",
            Mark::OwnTaxId => "own_tax_id",
        }
    }

    /// The list's number: a hash, above all sequence numbers, which stands for a parent. Stored, so never changed. Two
    /// marks may share one, so objects are looked at too.
    pub fn number(self) -> u64 {
        // Not keyed: an index is built again from the journal alone.
        let mut hasher = SipHasher24::new_with_keys(0x6c69_7374_5f6d_6172, 1);
        // The first kind of mark says nothing of its kind.
        if !matches!(self, Mark::Email(_)) {
            hasher.write(self.of().as_bytes());
            hasher.write(&[0]);
        }
        match self {
            Mark::Email(value) | Mark::TransferGroup(value) => hasher.write(value.as_bytes()),
            Mark::SetUp(id) => hasher.write(&id.seq().to_le_bytes()),
            Mark::AttachToSelf(said) => hasher.write(&[u8::from(said)]),
            Mark::Purpose(purpose) => hasher.write(purpose.name().as_bytes()),
            Mark::Ends | Mark::OwnTaxId => {}
        }
        MARKS_FROM | (hasher.finish() & (MARKS_FROM - 1))
    }
}

/// Marks lie at and above this number, sequence numbers below.
pub const MARKS_FROM: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;

    /// What was stored stays where it is: a list would lose what was filed under another number.
    #[test]
    fn numbers_of_marks_never_change() {
        let numbers = [
            Mark::Email("jenny@example.com"),
            Mark::TransferGroup("ORDER-1"),
            Mark::AttachToSelf(true),
            Mark::Purpose(FilePurpose::DisputeEvidence),
            Mark::Ends,
            Mark::OwnTaxId,
        ]
        .map(Mark::number);
        assert_eq!(
            numbers,
            [
                5_781_588_835_954_038_558,
                6_714_472_261_314_815_151,
                7_120_950_855_630_444_934,
                8_796_943_798_283_102_891,
                8_561_991_031_672_122_101,
                9_175_445_801_480_413_062,
            ]
        );
    }
}
