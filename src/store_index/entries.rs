//! What the sections hold, and how each entry is written as its difference from the one before.

use super::block::Entry;
use smallvec::SmallVec;
use tollgate_resource::RecordError;
use tollgate_resource::record::{Input, put_varint};
use tollgate_store::index::{AccountEnd, Place};
use tollgate_store::{KeyHash, ShardId};

/// A record of an account: the timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct RecordEntry {
    pub(super) account: u64,
    pub(super) number: u64,
    pub(super) first_seq: u64,
    pub(super) now_ms: u64,
    pub(super) tags: u64,
    pub(super) place: Place,
    pub(super) born: SmallVec<[u8; 12]>,
}

/// Where a record stands: number, sequence and time rise together within an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct RecordKey {
    pub(super) account: u64,
    pub(super) number: u64,
    pub(super) first_seq: u64,
    pub(super) now_ms: u64,
}

/// What is known of a block unread.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct RecordNote {
    /// Which kinds and tags occur, so that a list passes over it.
    pub(super) kinds: u64,
    pub(super) tags: u64,
    /// The account it ends with, and the first sequence number of that account here: an account of many records begins
    /// in the block before the first that is all its own.
    pub(super) last: Option<(u64, u64)>,
}

const SAME_ACCOUNT: u8 = 1;
const SAME_SHAPE: u8 = 2;
const SAME_SEGMENT: u8 = 4;

impl Entry for RecordEntry {
    type Key = RecordKey;
    type Note = RecordNote;

    fn key(&self) -> RecordKey {
        RecordKey {
            account: self.account,
            number: self.number,
            first_seq: self.first_seq,
            now_ms: self.now_ms,
        }
    }

    fn note(&self, note: &mut RecordNote) {
        if note.last.is_none_or(|(account, _)| account != self.account) {
            note.last = Some((self.account, self.first_seq));
        }
        note.kinds |= self.born.iter().fold(0, |mask, kind| mask | 1 << kind);
        note.tags |= self.tags;
    }

    fn put(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        let flag = |same: bool, flag: u8| if same { flag } else { 0 };
        let same_account = previous.is_some_and(|previous| previous.account == self.account);
        let same_shape = previous.is_some_and(|other| other.tags == self.tags && other.born == self.born);
        let same_segment = previous.is_some_and(|previous| previous.place.segment == self.place.segment);
        out.push(flag(same_account, SAME_ACCOUNT) | flag(same_shape, SAME_SHAPE) | flag(same_segment, SAME_SEGMENT));
        let (seq, now_ms) = previous.map_or((0, 0), |previous| (previous.first_seq, previous.now_ms));
        if same_account {
            put_varint(out, self.first_seq - seq);
        } else {
            out.extend_from_slice(&self.account.to_le_bytes());
            put_varint(out, self.number);
            put_varint(out, self.first_seq);
        }
        put_distance(out, now_ms, self.now_ms);
        if !same_segment {
            put_varint(out, u64::from(self.place.segment));
        }
        put_varint(out, u64::from(self.place.offset));
        put_varint(out, u64::from(self.place.len));
        if !same_shape {
            out.extend_from_slice(&self.tags.to_le_bytes());
            put_varint(out, self.born.len() as u64);
            out.extend_from_slice(&self.born);
        }
    }

    fn take(input: &mut Input<'_>, previous: Option<&Self>) -> Result<Self, RecordError> {
        let flags = input.take_bytes(1)?[0];
        let before = |flag: u8| match previous {
            _ if flags & flag == 0 => Ok(None),
            None => Err(RecordError::Truncated),
            some => Ok(some),
        };
        let last_ms = previous.map_or(0, |previous| previous.now_ms);
        let (account, number, first_seq) = match before(SAME_ACCOUNT)? {
            Some(previous) => {
                let first_seq = previous.first_seq.checked_add(input.take_varint()?);
                let number = previous.number.checked_add(1);
                (
                    previous.account,
                    number.ok_or(RecordError::Overflow)?,
                    first_seq.ok_or(RecordError::Overflow)?,
                )
            }
            None => (take_u64(input)?, input.take_varint()?, input.take_varint()?),
        };
        let now_ms = take_distance(input, last_ms)?;
        let segment = match before(SAME_SEGMENT)? {
            Some(previous) => previous.place.segment,
            None => take_u32(input)?,
        };
        let place = Place {
            segment,
            offset: take_u32(input)?,
            len: take_u32(input)?,
        };
        let (tags, born) = match before(SAME_SHAPE)? {
            Some(previous) => (previous.tags, previous.born.clone()),
            None => {
                let tags = take_u64(input)?;
                let count = usize::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
                (tags, SmallVec::from_slice(input.take_bytes(count)?))
            }
        };
        Ok(RecordEntry {
            account,
            number,
            first_seq,
            now_ms,
            tags,
            place,
            born,
        })
    }

    fn put_key(key: &RecordKey, out: &mut Vec<u8>) {
        out.extend_from_slice(&key.account.to_le_bytes());
        put_varint(out, key.number);
        put_varint(out, key.first_seq);
        put_varint(out, key.now_ms);
    }

    fn take_key(input: &mut Input<'_>) -> Result<RecordKey, RecordError> {
        Ok(RecordKey {
            account: take_u64(input)?,
            number: input.take_varint()?,
            first_seq: input.take_varint()?,
            now_ms: input.take_varint()?,
        })
    }

    fn put_note(note: &RecordNote, out: &mut Vec<u8>) {
        out.extend_from_slice(&note.kinds.to_le_bytes());
        out.extend_from_slice(&note.tags.to_le_bytes());
        let (account, from) = note.last.expect("a block has entries");
        out.extend_from_slice(&account.to_le_bytes());
        put_varint(out, from);
    }

    fn take_note(input: &mut Input<'_>) -> Result<RecordNote, RecordError> {
        Ok(RecordNote {
            kinds: take_u64(input)?,
            tags: take_u64(input)?,
            last: Some((take_u64(input)?, input.take_varint()?)),
        })
    }
}

/// A child in the list of a parent.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct MemberEntry {
    pub(super) account: u64,
    pub(super) parent: u64,
    pub(super) kind: u8,
    pub(super) child: u64,
}

const SAME_LIST: u8 = 2;

impl Entry for MemberEntry {
    type Key = MemberEntry;
    /// The last entry of the block, so that a list that is not there is not looked for.
    type Note = MemberEntry;

    fn key(&self) -> MemberEntry {
        *self
    }

    fn put(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        let same_account = previous.filter(|previous| previous.account == self.account);
        let same_list = same_account.filter(|previous| (previous.parent, previous.kind) == (self.parent, self.kind));
        if let Some(previous) = same_list {
            out.push(SAME_ACCOUNT | SAME_LIST);
            put_varint(out, self.child - previous.child);
            return;
        }
        match same_account {
            Some(previous) => {
                out.push(SAME_ACCOUNT);
                put_varint(out, self.parent - previous.parent);
            }
            None => {
                out.push(0);
                out.extend_from_slice(&self.account.to_le_bytes());
                put_varint(out, self.parent);
            }
        }
        out.push(self.kind);
        put_distance(out, self.parent, self.child);
    }

    fn take(input: &mut Input<'_>, previous: Option<&Self>) -> Result<Self, RecordError> {
        let flags = input.take_bytes(1)?[0];
        let add = |value: u64, distance: u64| value.checked_add(distance).ok_or(RecordError::Overflow);
        let before = if flags & SAME_ACCOUNT == 0 {
            None
        } else {
            Some(previous.ok_or(RecordError::Truncated)?)
        };
        let (account, parent) = match before {
            Some(previous) if flags & SAME_LIST != 0 => {
                let child = add(previous.child, input.take_varint()?)?;
                return Ok(MemberEntry { child, ..*previous });
            }
            Some(previous) => (previous.account, add(previous.parent, input.take_varint()?)?),
            None => (take_u64(input)?, input.take_varint()?),
        };
        Ok(MemberEntry {
            account,
            parent,
            kind: input.take_bytes(1)?[0],
            child: take_distance(input, parent)?,
        })
    }

    fn put_key(key: &MemberEntry, out: &mut Vec<u8>) {
        key.put(None, out);
    }

    fn take_key(input: &mut Input<'_>) -> Result<MemberEntry, RecordError> {
        MemberEntry::take(input, None)
    }

    fn note(&self, note: &mut MemberEntry) {
        *note = *self;
    }

    fn put_note(note: &MemberEntry, out: &mut Vec<u8>) {
        note.put(None, out);
    }

    fn take_note(input: &mut Input<'_>) -> Result<MemberEntry, RecordError> {
        MemberEntry::take(input, None)
    }
}

/// An object changed after its birth, and the record with its newest version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ChangeEntry {
    pub(super) account: u64,
    pub(super) seq: u64,
    pub(super) place: Place,
}

impl Entry for ChangeEntry {
    type Key = (u64, u64);
    type Note = ();

    fn key(&self) -> (u64, u64) {
        (self.account, self.seq)
    }

    fn put(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        match previous.filter(|previous| previous.account == self.account) {
            Some(previous) => {
                out.push(SAME_ACCOUNT);
                put_varint(out, self.seq - previous.seq);
            }
            None => {
                out.push(0);
                Self::put_key(&self.key(), out);
            }
        }
        put_place(out, self.place);
    }

    fn take(input: &mut Input<'_>, previous: Option<&Self>) -> Result<Self, RecordError> {
        let (account, seq) = if input.take_bytes(1)?[0] & SAME_ACCOUNT == 0 {
            Self::take_key(input)?
        } else {
            let previous = previous.ok_or(RecordError::Truncated)?;
            let seq = previous.seq.checked_add(input.take_varint()?);
            (previous.account, seq.ok_or(RecordError::Overflow)?)
        };
        let place = take_place(input)?;
        Ok(ChangeEntry { account, seq, place })
    }

    fn put_key(key: &(u64, u64), out: &mut Vec<u8>) {
        out.extend_from_slice(&key.0.to_le_bytes());
        put_varint(out, key.1);
    }

    fn take_key(input: &mut Input<'_>) -> Result<(u64, u64), RecordError> {
        Ok((take_u64(input)?, input.take_varint()?))
    }
}

/// A timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TimerEntry {
    pub(super) shard: ShardId,
    pub(super) due_ms: u64,
    pub(super) account: u64,
    pub(super) seq: u64,
}

impl Entry for TimerEntry {
    type Key = TimerEntry;
    type Note = ();

    fn key(&self) -> TimerEntry {
        *self
    }

    fn put(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.shard.0));
        put_distance(out, previous.map_or(0, |previous| previous.due_ms), self.due_ms);
        out.extend_from_slice(&self.account.to_le_bytes());
        put_varint(out, self.seq);
    }

    fn take(input: &mut Input<'_>, previous: Option<&Self>) -> Result<Self, RecordError> {
        let shard = u16::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
        Ok(TimerEntry {
            shard: ShardId(shard),
            due_ms: take_distance(input, previous.map_or(0, |previous| previous.due_ms))?,
            account: take_u64(input)?,
            seq: input.take_varint()?,
        })
    }

    fn put_key(key: &TimerEntry, out: &mut Vec<u8>) {
        key.put(None, out);
    }

    fn take_key(input: &mut Input<'_>) -> Result<TimerEntry, RecordError> {
        TimerEntry::take(input, None)
    }
}

/// Where an account stands after the records of the file and all before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AccountEntry {
    pub(super) account: u64,
    pub(super) end: AccountEnd,
}

impl Entry for AccountEntry {
    type Key = u64;
    type Note = ();

    fn key(&self) -> u64 {
        self.account
    }

    fn put(&self, previous: Option<&Self>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.account.to_le_bytes());
        put_varint(out, u64::from(self.end.shard.0));
        put_varint(out, self.end.next_seq);
        put_distance(
            out,
            previous.map_or(0, |previous| previous.end.last_ms),
            self.end.last_ms,
        );
        put_varint(out, self.end.records);
        put_varint(out, self.end.newest_row.map_or(0, |number| number + 1));
    }

    fn take(input: &mut Input<'_>, previous: Option<&Self>) -> Result<Self, RecordError> {
        let account = take_u64(input)?;
        let shard = u16::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)?;
        Ok(AccountEntry {
            account,
            end: AccountEnd {
                shard: ShardId(shard),
                next_seq: input.take_varint()?,
                last_ms: take_distance(input, previous.map_or(0, |previous| previous.end.last_ms))?,
                records: input.take_varint()?,
                newest_row: input.take_varint()?.checked_sub(1),
            },
        })
    }

    fn put_key(key: &u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&key.to_le_bytes());
    }

    fn take_key(input: &mut Input<'_>) -> Result<u64, RecordError> {
        take_u64(input)
    }
}

/// An idempotency key and the record with its newest outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct KeyEntry {
    pub(super) hash: KeyHash,
    pub(super) account: u64,
    pub(super) place: Place,
}

impl Entry for KeyEntry {
    type Key = (KeyHash, u64);
    type Note = ();

    fn key(&self) -> (KeyHash, u64) {
        (self.hash, self.account)
    }

    fn put(&self, _: Option<&Self>, out: &mut Vec<u8>) {
        Self::put_key(&self.key(), out);
        put_place(out, self.place);
    }

    fn take(input: &mut Input<'_>, _: Option<&Self>) -> Result<Self, RecordError> {
        let (hash, account) = Self::take_key(input)?;
        let place = take_place(input)?;
        Ok(KeyEntry { hash, account, place })
    }

    fn put_key(key: &(KeyHash, u64), out: &mut Vec<u8>) {
        out.extend_from_slice(&key.0);
        out.extend_from_slice(&key.1.to_le_bytes());
    }

    fn take_key(input: &mut Input<'_>) -> Result<(KeyHash, u64), RecordError> {
        let hash = input.take_bytes(12)?.try_into().expect("twelve bytes were taken");
        Ok((hash, take_u64(input)?))
    }
}

fn put_place(out: &mut Vec<u8>, place: Place) {
    put_varint(out, u64::from(place.segment));
    put_varint(out, u64::from(place.offset));
    put_varint(out, u64::from(place.len));
}

fn take_place(input: &mut Input<'_>) -> Result<Place, RecordError> {
    Ok(Place {
        segment: take_u32(input)?,
        offset: take_u32(input)?,
        len: take_u32(input)?,
    })
}

/// `to - from`, signed.
pub(super) fn put_distance(out: &mut Vec<u8>, from: u64, to: u64) {
    let distance = to.wrapping_sub(from) as i64;
    put_varint(out, ((distance << 1) ^ (distance >> 63)) as u64);
}

pub(super) fn take_distance(input: &mut Input<'_>, from: u64) -> Result<u64, RecordError> {
    let value = input.take_varint()?;
    let distance = (value >> 1) as i64 ^ -((value & 1) as i64);
    Ok(from.wrapping_add(distance as u64))
}

pub(super) fn take_u64(input: &mut Input<'_>) -> Result<u64, RecordError> {
    let bytes = input.take_bytes(8)?;
    Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
}

pub(super) fn take_u32(input: &mut Input<'_>) -> Result<u32, RecordError> {
    u32::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)
}
