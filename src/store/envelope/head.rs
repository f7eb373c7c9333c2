//! The head of a record: which fields it has, and their bytes.

use super::{EnvelopeError, KINDS_MAX};
use crate::Head;
use tollgate_resource::record::{Input, put_varint};

const ACCOUNT: u64 = 1 << 0;
const NOW: u64 = 1 << 1;
const FIRST_SEQ: u64 = 1 << 2;
const BORN: u64 = 1 << 3;
const KEY: u64 = 1 << 4;
const TAGS: u64 = 1 << 5;
const LISTS: u64 = 1 << 6;
const CHANGED: u64 = 1 << 7;
const TIMERS: u64 = 1 << 8;
const ROW: u64 = 1 << 9;
/// The fields that this release knows.
pub(super) const KNOWN: u64 = (1 << 10) - 1;

/// More tags than this are written as eight bytes, which is then shorter.
const TAG_POSITIONS_MAX: u32 = 7;

/// Appends an envelope.
pub(super) fn put_head(out: &mut Vec<u8>, head: &Head) {
    let bit = |present: bool, bit: u64| if present { bit } else { 0 };
    let mask = bit(head.account != 0, ACCOUNT)
        | bit(head.now_ms != 0, NOW)
        | bit(head.first_seq != 0, FIRST_SEQ)
        | bit(!head.born.is_empty(), BORN)
        | bit(head.key.is_some(), KEY)
        | bit(head.tags != 0, TAGS)
        | bit(!head.lists.is_empty(), LISTS)
        | bit(!head.changed.is_empty(), CHANGED)
        | bit(!head.timers.is_empty(), TIMERS)
        | bit(head.row, ROW);
    put_varint(out, mask);
    if mask & ACCOUNT != 0 {
        out.extend_from_slice(&head.account.to_le_bytes());
    }
    if mask & NOW != 0 {
        put_varint(out, head.now_ms);
    }
    if mask & FIRST_SEQ != 0 {
        put_varint(out, head.first_seq);
    }
    if mask & BORN != 0 {
        put_born(out, &head.born);
    }
    if let Some(key) = &head.key {
        out.extend_from_slice(key);
    }
    if mask & TAGS != 0 {
        put_tags(out, head.tags);
    }
    if mask & LISTS != 0 {
        put_lists(out, head);
    }
    if mask & CHANGED != 0 {
        put_varint(out, head.changed.len() as u64);
        for &seq in &head.changed {
            put_distance(out, head.first_seq, seq);
        }
    }
    if mask & TIMERS != 0 {
        put_varint(out, head.timers.len() as u64);
        for &(due_ms, seq) in &head.timers {
            put_distance(out, due_ms, head.now_ms);
            put_distance(out, head.first_seq, seq);
        }
    }
}

/// Reads an envelope.
pub(super) fn take_head(input: &mut Input<'_>) -> Result<Head, EnvelopeError> {
    let mask = input.take_varint()?;
    if mask & !KNOWN != 0 {
        return Err(EnvelopeError::UnknownField(mask));
    }
    let mut head = Head {
        row: mask & ROW != 0,
        ..Head::default()
    };
    if mask & ACCOUNT != 0 {
        head.account = take_u64(input)?;
    }
    if mask & NOW != 0 {
        head.now_ms = input.take_varint()?;
    }
    if mask & FIRST_SEQ != 0 {
        head.first_seq = input.take_varint()?;
    }
    if mask & BORN != 0 {
        take_born(input, &mut head)?;
    }
    if mask & KEY != 0 {
        head.key = Some(input.take_bytes(12)?.try_into().expect("twelve bytes were taken"));
    }
    if mask & TAGS != 0 {
        head.tags = take_tags(input)?;
    }
    if mask & LISTS != 0 {
        take_lists(input, &mut head)?;
    }
    if mask & CHANGED != 0 {
        for _ in 0..take_count(input)? {
            head.changed.push(take_distance(input, head.first_seq)?);
        }
    }
    if mask & TIMERS != 0 {
        for _ in 0..take_count(input)? {
            let due_ms = head.now_ms.wrapping_add(unzigzag(input.take_varint()?) as u64);
            head.timers.push((due_ms, take_distance(input, head.first_seq)?));
        }
    }
    Ok(head)
}

/// `count << 1 | wide`, then a byte each, or half a byte each when every kind is below 16.
fn put_born(out: &mut Vec<u8>, born: &[u8]) {
    assert!(born.iter().all(|&kind| kind < KINDS_MAX), "a kind number of 64 or more");
    let wide = born.iter().any(|&kind| kind >= 16);
    put_varint(out, (born.len() as u64) << 1 | u64::from(wide));
    if wide {
        out.extend_from_slice(born);
    } else {
        out.extend(
            born.chunks(2)
                .map(|pair| pair[0] | pair.get(1).copied().unwrap_or(0) << 4),
        );
    }
}

fn take_born(input: &mut Input<'_>, head: &mut Head) -> Result<(), EnvelopeError> {
    let code = input.take_varint()?;
    let count = usize::try_from(code >> 1).map_err(|_| EnvelopeError::Truncated)?;
    if code & 1 != 0 {
        let kinds = input.take_bytes(count)?;
        if kinds.iter().any(|&kind| kind >= KINDS_MAX) {
            return Err(EnvelopeError::Invalid("kind"));
        }
        head.born.extend_from_slice(kinds);
    } else {
        for &pair in input.take_bytes(count.div_ceil(2))? {
            head.born.push(pair & 15);
            if head.born.len() < count {
                head.born.push(pair >> 4);
            } else if pair >> 4 != 0 {
                return Err(EnvelopeError::Invalid("kind"));
            }
        }
    }
    // Everything later may add to sequence numbers without looking.
    if head.first_seq.checked_add(head.born.len() as u64).is_none() {
        return Err(EnvelopeError::Invalid("sequence"));
    }
    Ok(())
}

fn put_tags(out: &mut Vec<u8>, tags: u64) {
    if tags.count_ones() > TAG_POSITIONS_MAX {
        out.push(TAG_POSITIONS_MAX as u8 + 1);
        out.extend_from_slice(&tags.to_le_bytes());
        return;
    }
    out.push(tags.count_ones() as u8);
    let mut left = tags;
    while left != 0 {
        out.push(left.trailing_zeros() as u8);
        left &= left - 1;
    }
}

fn take_tags(input: &mut Input<'_>) -> Result<u64, EnvelopeError> {
    let count = u32::from(input.take_bytes(1)?[0]);
    if count == TAG_POSITIONS_MAX + 1 {
        return take_u64(input);
    }
    if count > TAG_POSITIONS_MAX {
        return Err(EnvelopeError::Invalid("tag count"));
    }
    let mut tags = 0;
    for &position in input.take_bytes(count as usize)? {
        tags |= 1u64
            .checked_shl(u32::from(position))
            .ok_or(EnvelopeError::Invalid("tag"))?;
    }
    Ok(tags)
}

/// `count << 1 | kinds follow`, then for each the child's and the parent's distance from `first_seq`, and the child's
/// kind unless every child is one of those born here, whose kind is known.
fn put_lists(out: &mut Vec<u8>, head: &Head) {
    let kinds_follow = head
        .lists
        .iter()
        .any(|&(_, kind, child)| born_kind(head, child) != Some(kind));
    put_varint(out, (head.lists.len() as u64) << 1 | u64::from(kinds_follow));
    for &(parent, kind, child) in &head.lists {
        assert!(kind < KINDS_MAX, "a kind number of 64 or more");
        put_distance(out, head.first_seq, child);
        put_distance(out, head.first_seq, parent);
        if kinds_follow {
            out.push(kind);
        }
    }
}

fn take_lists(input: &mut Input<'_>, head: &mut Head) -> Result<(), EnvelopeError> {
    let code = input.take_varint()?;
    if code >> 1 > input.rest().len() as u64 {
        return Err(EnvelopeError::Truncated);
    }
    for _ in 0..code >> 1 {
        let child = take_distance(input, head.first_seq)?;
        let parent = take_distance(input, head.first_seq)?;
        let kind = if code & 1 != 0 {
            Some(input.take_bytes(1)?[0])
        } else {
            born_kind(head, child)
        };
        let kind = kind
            .filter(|&kind| kind < KINDS_MAX)
            .ok_or(EnvelopeError::Invalid("list"))?;
        head.lists.push((parent, kind, child));
    }
    Ok(())
}

fn born_kind(head: &Head, seq: u64) -> Option<u8> {
    let at = usize::try_from(seq.checked_sub(head.first_seq)?).ok()?;
    head.born.get(at).copied()
}

fn take_count(input: &mut Input<'_>) -> Result<u64, EnvelopeError> {
    let count = input.take_varint()?;
    // Each item takes at least a byte, so a hostile count cannot make the reader loop.
    if count > input.rest().len() as u64 {
        return Err(EnvelopeError::Truncated);
    }
    Ok(count)
}

fn take_u64(input: &mut Input<'_>) -> Result<u64, EnvelopeError> {
    Ok(u64::from_le_bytes(
        input.take_bytes(8)?.try_into().expect("eight bytes were taken"),
    ))
}

/// `from - value`, signed: most values are a little smaller than `from`.
fn put_distance(out: &mut Vec<u8>, from: u64, value: u64) {
    put_varint(out, zigzag(from.wrapping_sub(value) as i64));
}

fn take_distance(input: &mut Input<'_>, from: u64) -> Result<u64, EnvelopeError> {
    Ok(from.wrapping_sub(unzigzag(input.take_varint()?) as u64))
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
