//! Books and their changes as bytes. An entry is the endpoint's number and then parts, each with a tag; the parts of a whole
//! book are the changes that lead from nothing to it, so there is one way to read both. Tags are never reused; what is
//! inside a part never changes, a new need gets a new tag.

use super::{Book, Change, Death, Head, Health, JobState, Only, Place, Reason, RecoverJob, Run};
use crate::seqs::Seqs;
use std::collections::{BTreeMap, BTreeSet};
use tollgate_resource::record::{Input, RecordError, put_str, put_varint};

const PROGRESS: u64 = 1;
const RUN: u64 = 2;
const BEHIND: u64 = 3;
const DEAD: u64 = 4;
const HEAD: u64 = 5;
const NO_HEAD: u64 = 6;
const JOB: u64 = 7;
const FORGET: u64 = 8;
const HEALTH: u64 = 9;
const REVIVE: u64 = 10;
const BURY: u64 = 11;

/// Numbers of one part of a set, at most: so that a large book can be cut into pieces.
const PART_LEN_MAX: usize = 16 * 1024;

/// Writes what has changed since the last note: whether the cursor or what is on its way did, `log` in the order in which it
/// happened, `book` as it is now.
pub fn put_changes(out: &mut Vec<u8>, log: &[Change], moved: bool, book: &Book) {
    if moved {
        put_progress(out, book);
    }
    // What moves whole sets parts what was before from what came after.
    let pieces = log.split_inclusive(|change| matches!(change, Change::Revive { .. } | Change::Bury(_)));
    pieces.for_each(|piece| put_piece(out, piece));
}

/// Hands out everything, in pieces of a bounded size; the first one may begin anew.
pub fn put_whole(book: &Book, piece: &mut dyn FnMut(&[u8])) {
    let mut out = Vec::new();
    put_progress(&mut out, book);
    put_health(&mut out, book.health);
    for job in book.jobs.values() {
        put_job(&mut out, job);
    }
    let mut hand_out = |out: &mut Vec<u8>, last: bool| {
        if out.len() >= PART_LEN_MAX || (last && !out.is_empty()) {
            piece(out);
            out.clear();
        }
    };
    let none = Seqs::default();
    let mut put_all = |out: &mut Vec<u8>, place: Place, seqs: &Seqs| {
        let mut numbers = seqs.iter();
        loop {
            let part: Seqs = numbers.by_ref().take(PART_LEN_MAX).collect();
            if part.is_empty() {
                return;
            }
            put_sets(out, place, &part, &none);
            hand_out(out, false);
        }
    };
    for (run, seqs) in &book.runs {
        put_all(&mut out, Place::Run(*run), seqs);
    }
    for (object, blocked) in &book.blocked {
        put_head(&mut out, *object, Some(blocked.head));
        put_all(&mut out, Place::Behind(*object), &blocked.behind);
    }
    for (death, seqs) in &book.dead {
        put_all(&mut out, Place::Dead(*death), seqs);
    }
    hand_out(&mut out, true);
}

/// Changes a book as the parts say.
///
/// # Errors
/// When the bytes are not what this release or an older one writes.
pub fn take_into(book: &mut Book, input: &mut Input<'_>) -> Result<(), RecordError> {
    while !input.rest().is_empty() {
        match input.take_varint()? {
            PROGRESS => {
                book.cursor = input.take_varint()?;
                let back: Seqs = Seqs::take(input)?;
                // Written as distances below the cursor: near it, so short.
                book.open = back.iter().map(|back| book.cursor.saturating_sub(back)).collect();
                book.open.reverse();
            }
            RUN => {
                let due_s = take_u32(input)?;
                let tried = take_u8(input)?;
                take_sets(book, Place::Run(Run { due_s, tried }), input)?;
            }
            BEHIND => {
                let object = take_u64(input)?;
                take_sets(book, Place::Behind(object), input)?;
            }
            DEAD => {
                let day = take_u32(input)?;
                let reason = match input.take_varint()? {
                    0 => Reason::Refused,
                    1 => Reason::Unanswered,
                    _ => return Err(unknown("Reason")),
                };
                take_sets(book, Place::Dead(Death { day, reason }), input)?;
            }
            HEAD => {
                let object = take_u64(input)?;
                let head = Head {
                    seq: input.take_varint()?,
                    tried: take_u8(input)?,
                    due_s: take_u32(input)?,
                };
                book.apply(&Change::Head(object, Some(head)));
            }
            NO_HEAD => {
                let object = take_u64(input)?;
                book.apply(&Change::Head(object, None));
            }
            JOB => {
                let job = take_job(input)?;
                book.apply(&Change::Job(job));
            }
            FORGET => {
                let id = input.take_varint()?;
                book.apply(&Change::Forget(id));
            }
            HEALTH => {
                let health = Health {
                    failing_since_ms: input.take_varint()?,
                    failures: take_u32(input)?,
                    told: input.take_varint()? != 0,
                };
                book.apply(&Change::Health(health));
            }
            REVIVE => {
                let (from, to) = (take_u32(input)?, take_u32(input)?);
                book.apply(&Change::Revive { from, to });
            }
            BURY => {
                let before = take_u32(input)?;
                book.apply(&Change::Bury(before));
            }
            _ => return Err(unknown("Book")),
        }
    }
    Ok(())
}

/// Changes with at most one that moves sets, the last: what happened to an event last is what counts.
fn put_piece(out: &mut Vec<u8>, piece: &[Change]) {
    let mut places: BTreeMap<Place, BTreeMap<u64, bool>> = BTreeMap::new();
    let mut heads: BTreeMap<u64, Option<Head>> = BTreeMap::new();
    let mut gone: BTreeSet<u64> = BTreeSet::new();
    let (mut jobs, mut health) = (BTreeMap::new(), None);
    for change in piece {
        match change {
            Change::Cursor(_) | Change::Add(Place::Open, _) | Change::Remove(Place::Open, _) => {}
            Change::Add(place, seq) => {
                places.entry(*place).or_default().insert(*seq, true);
            }
            Change::Remove(place, seq) => {
                places.entry(*place).or_default().insert(*seq, false);
            }
            Change::Head(object, head) => {
                if head.is_none() {
                    // What was behind it went before, event by event.
                    places.remove(&Place::Behind(*object));
                    gone.insert(*object);
                }
                heads.insert(*object, *head);
            }
            Change::Job(job) => {
                jobs.insert(job.id, Some(job));
            }
            Change::Forget(id) => {
                jobs.insert(*id, None);
            }
            Change::Health(now) => health = Some(*now),
            Change::Revive { .. } | Change::Bury(_) => {}
        }
    }
    // An object that was freed and is blocked again begins anew.
    for object in gone {
        put_head(out, object, None);
    }
    for (object, head) in heads.into_iter().filter(|(_, head)| head.is_some()) {
        put_head(out, object, head);
    }
    for (place, seqs) in places {
        let of = |wanted| {
            seqs.iter()
                .filter(move |(_, there)| **there == wanted)
                .map(|(seq, _)| *seq)
        };
        put_sets(out, place, &of(true).collect(), &of(false).collect());
    }
    for (id, job) in jobs {
        match job {
            Some(job) => put_job(out, job),
            None => {
                put_varint(out, FORGET);
                put_varint(out, id);
            }
        }
    }
    if let Some(health) = health {
        put_health(out, health);
    }
    match piece.last() {
        Some(Change::Revive { from, to }) => {
            put_varint(out, REVIVE);
            put_varint(out, u64::from(*from));
            put_varint(out, u64::from(*to));
        }
        Some(Change::Bury(before)) => {
            put_varint(out, BURY);
            put_varint(out, u64::from(*before));
        }
        _ => {}
    }
}

fn put_progress(out: &mut Vec<u8>, book: &Book) {
    put_varint(out, PROGRESS);
    put_varint(out, book.cursor);
    let back: Seqs = book.open.iter().rev().map(|seq| book.cursor - seq).collect();
    back.put(out);
}

fn put_sets(out: &mut Vec<u8>, place: Place, here: &Seqs, gone: &Seqs) {
    match place {
        Place::Open => unreachable!("written as progress"),
        Place::Run(run) => {
            put_varint(out, RUN);
            put_varint(out, u64::from(run.due_s));
            put_varint(out, u64::from(run.tried));
        }
        Place::Behind(object) => {
            put_varint(out, BEHIND);
            out.extend_from_slice(&object.to_le_bytes());
        }
        Place::Dead(death) => {
            put_varint(out, DEAD);
            put_varint(out, u64::from(death.day));
            put_varint(
                out,
                match death.reason {
                    Reason::Refused => 0,
                    Reason::Unanswered => 1,
                },
            );
        }
    }
    here.put(out);
    gone.put(out);
}

fn take_sets(book: &mut Book, place: Place, input: &mut Input<'_>) -> Result<(), RecordError> {
    let here = Seqs::take(input)?;
    let gone = Seqs::take(input)?;
    match place {
        Place::Run(run) if !here.is_empty() => book.runs.entry(run).or_default().merge(&here),
        Place::Dead(death) if !here.is_empty() => book.dead.entry(death).or_default().merge(&here),
        _ => here.iter().for_each(|seq| book.add(place, seq)),
    }
    gone.iter().for_each(|seq| book.remove(place, seq));
    Ok(())
}

fn put_head(out: &mut Vec<u8>, object: u64, head: Option<Head>) {
    put_varint(out, if head.is_some() { HEAD } else { NO_HEAD });
    out.extend_from_slice(&object.to_le_bytes());
    if let Some(head) = head {
        put_varint(out, head.seq);
        put_varint(out, u64::from(head.tried));
        put_varint(out, u64::from(head.due_s));
    }
}

fn put_health(out: &mut Vec<u8>, health: Health) {
    put_varint(out, HEALTH);
    put_varint(out, health.failing_since_ms);
    put_varint(out, u64::from(health.failures));
    put_varint(out, u64::from(health.told));
}

fn put_job(out: &mut Vec<u8>, job: &RecoverJob) {
    put_varint(out, JOB);
    for number in [
        job.id,
        job.since_ms,
        job.until_ms,
        job.done,
        job.last,
        job.sent,
        job.taken,
        job.began_ms,
    ] {
        put_varint(out, number);
    }
    let only = match job.only {
        Only::All => 0,
        Only::Undelivered => 1,
        Only::Delivered => 2,
    };
    let state = match job.state {
        JobState::Running => 0,
        JobState::Done => 1,
        JobState::Canceled => 2,
    };
    put_varint(out, only);
    put_varint(out, state);
    put_varint(out, job.types.len() as u64);
    job.types.iter().for_each(|kind| put_str(out, kind));
}

fn take_job(input: &mut Input<'_>) -> Result<RecoverJob, RecordError> {
    let mut numbers = [0; 8];
    for number in &mut numbers {
        *number = input.take_varint()?;
    }
    let [id, since_ms, until_ms, done, last, sent, taken, began_ms] = numbers;
    let only = match input.take_varint()? {
        0 => Only::All,
        1 => Only::Undelivered,
        2 => Only::Delivered,
        _ => return Err(unknown("Only")),
    };
    let state = match input.take_varint()? {
        0 => JobState::Running,
        1 => JobState::Done,
        2 => JobState::Canceled,
        _ => return Err(unknown("JobState")),
    };
    let mut types = Vec::new();
    for _ in 0..input.take_varint()? {
        types.push(input.take_str()?.into());
    }
    Ok(RecoverJob {
        id,
        since_ms,
        until_ms,
        types,
        only,
        done,
        last,
        sent,
        taken,
        began_ms,
        state,
    })
}

fn take_u64(input: &mut Input<'_>) -> Result<u64, RecordError> {
    let bytes = input.take_bytes(8)?.try_into().expect("eight bytes were taken");
    Ok(u64::from_le_bytes(bytes))
}

fn take_u32(input: &mut Input<'_>) -> Result<u32, RecordError> {
    u32::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)
}

fn take_u8(input: &mut Input<'_>) -> Result<u8, RecordError> {
    u8::try_from(input.take_varint()?).map_err(|_| RecordError::Overflow)
}

fn unknown(shape: &'static str) -> RecordError {
    RecordError::Trailing { shape }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A change that a lane could make of this book, from four numbers.
    fn change(book: &Book, (what, which, seq, number): (u8, u8, u64, u32)) -> Change {
        let run = Run {
            due_s: number % 5 * 60,
            tried: which % 3,
        };
        let death = Death {
            day: 20_000 + number % 4,
            reason: if which.is_multiple_of(2) {
                Reason::Refused
            } else {
                Reason::Unanswered
            },
        };
        let object = u64::from(which % 4);
        let head = Head {
            seq,
            tried: which % 3,
            due_s: number,
        };
        let behind = book.blocked().contains_key(&object);
        match what {
            0 => Change::Cursor(book.cursor() + seq % 50),
            1 if seq <= book.cursor() => Change::Add(Place::Open, seq),
            2 => Change::Remove(Place::Open, seq),
            3 | 4 => Change::Add(Place::Run(run), seq),
            5 => Change::Remove(Place::Run(run), seq),
            6 => Change::Head(object, Some(head)),
            7 => Change::Head(object, None),
            8 | 9 if behind => Change::Add(Place::Behind(object), seq),
            10 if behind => Change::Remove(Place::Behind(object), seq),
            11 => Change::Remove(Place::Dead(death), seq),
            12 => Change::Revive {
                from: 20_000,
                to: 20_000 + number % 4,
            },
            13 => Change::Bury(20_000 + number % 3),
            14 => Change::Health(Health {
                failing_since_ms: seq,
                failures: number,
                told: which.is_multiple_of(2),
            }),
            15 => Change::Forget(object),
            16 => Change::Job(RecoverJob {
                id: object,
                since_ms: seq,
                until_ms: seq + 1,
                types: vec!["charge.refunded".into()],
                only: Only::Delivered,
                done: seq,
                last: seq + u64::from(number),
                sent: 3,
                taken: 2,
                began_ms: 1,
                state: JobState::Canceled,
            }),
            _ => Change::Add(Place::Dead(death), seq),
        }
    }

    proptest! {
        #[test]
        fn notes_lead_to_the_book_they_were_written_of(
            steps in proptest::collection::vec((0_u8..19, any::<u8>(), 0_u64..400, any::<u32>()), 1..300),
            flush_in in 1_usize..40,
        ) {
            let (mut book, mut read) = (Book::new(100), Book::new(100));
            let (mut log, mut moved) = (Vec::new(), false);
            for (at, step) in steps.iter().enumerate() {
                let change = change(&book, *step);
                book.apply(&change);
                match change {
                    Change::Cursor(_) | Change::Add(Place::Open, _) | Change::Remove(Place::Open, _) => moved = true,
                    change => log.push(change),
                }
                if at % flush_in == 0 || at + 1 == steps.len() {
                    let mut bytes = Vec::new();
                    put_changes(&mut bytes, &std::mem::take(&mut log), std::mem::take(&mut moved), &book);
                    take_into(&mut read, &mut Input::new(&bytes)).expect("it was just written");
                    prop_assert_eq!(&read, &book);
                }
            }
            let mut whole = Book::new(0);
            put_whole(&book, &mut |piece| take_into(&mut whole, &mut Input::new(piece)).expect("it was just written"));
            prop_assert_eq!(&whole, &book);
        }
    }

    #[test]
    fn a_large_book_is_handed_out_in_pieces() {
        let mut book = Book::new(5_000_000);
        for seq in 0..200_000 {
            book.apply(&Change::Add(Place::Run(Run { due_s: 60, tried: 1 }), seq * 20));
        }
        let (mut whole, mut largest, mut pieces) = (Book::new(0), 0, 0);
        put_whole(&book, &mut |piece| {
            (largest, pieces) = (largest.max(piece.len()), pieces + 1);
            take_into(&mut whole, &mut Input::new(piece)).expect("it was just written");
        });
        assert!(
            whole == book && pieces > 5 && largest < 4 * PART_LEN_MAX,
            "{pieces} pieces, at most {largest} bytes"
        );
    }
}
