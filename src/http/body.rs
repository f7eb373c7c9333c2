//! Reading a request's body: bounded by bytes for each request, by memory for all of them, and by time (the connection's
//! watch ends it).

use crate::head::Head;
use crate::watch::{Phase, Watch};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;

/// Where a request's body comes from.
pub(crate) enum Incoming<'p> {
    /// It was read along with the head, or there is none.
    InHead,
    /// It comes in pieces.
    InPieces(&'p mut Payload),
}

/// A body that was read. It may hold card numbers, so it cannot be printed.
pub(crate) enum Body {
    /// It lies where the head does.
    InHead,
    /// It was read after the head.
    Apart(Bytes),
}

impl Body {
    /// Its bytes; `head` is that of the same request.
    pub(crate) fn of<'a>(&'a self, head: &'a Head) -> &'a [u8] {
        match self {
            Body::InHead => head.body(),
            Body::Apart(bytes) => bytes,
        }
    }

    /// The same body, for another look.
    pub(crate) fn again(&self) -> Body {
        match self {
            Body::InHead => Body::InHead,
            Body::Apart(bytes) => Body::Apart(bytes.clone()),
        }
    }

    /// Its bytes for whoever keeps parts of them.
    pub(crate) fn shared(self, head: &Head) -> Bytes {
        match self {
            Body::InHead => Bytes::copy_from_slice(head.body()),
            Body::Apart(bytes) => bytes,
        }
    }
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyProblem {
    /// It is longer than allowed.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// The client went away or broke the framing; nobody hears an answer, but one is made.
    Broken,
    /// Too many bodies are arriving in pieces.
    NoMemory,
}

/// A worker's memory for bodies that arrive in pieces.
pub(crate) struct BodyMemory {
    used: Cell<usize>,
    max: usize,
}

impl BodyMemory {
    /// At most `max` bytes.
    pub(crate) fn new(max: usize) -> BodyMemory {
        BodyMemory {
            used: Cell::new(0),
            max,
        }
    }

    fn take(&self, bytes: usize) -> Option<Held<'_>> {
        let used = self.used.get().checked_add(bytes).filter(|used| *used <= self.max)?;
        self.used.set(used);
        Some(Held { memory: self, bytes })
    }
}

/// A part of the memory, given back when dropped.
struct Held<'a> {
    memory: &'a BodyMemory,
    bytes: usize,
}

impl Held<'_> {
    fn grow(&mut self, bytes: usize) -> Option<()> {
        std::mem::forget(self.memory.take(bytes)?);
        self.bytes += bytes;
        Some(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.memory.used.set(self.memory.used.get() - self.bytes);
    }
}

/// Reads a body of at most `max` bytes; `length` is what the request announced, if it did.
pub(crate) async fn read_body(
    incoming: &mut Incoming<'_>,
    length: Option<u64>,
    max: usize,
    memory: &BodyMemory,
    watch: &Watch,
) -> Result<Body, BodyProblem> {
    let payload = match incoming {
        // One that is longer than allowed is not: it is smaller than the smallest limit.
        Incoming::InHead => return Ok(Body::InHead),
        Incoming::InPieces(Payload::None) => return Ok(Body::Apart(Bytes::new())),
        Incoming::InPieces(payload) => &mut **payload,
    };
    if length.is_some_and(|length| length > max as u64) {
        return Err(BodyProblem::TooLarge);
    }
    watch.reads_body();
    let read = collect(payload, length, max, memory).await;
    let timed_out = watch.expired() == Some(Phase::Body);
    watch.has_read_body(read.is_ok());
    let read = read.map(Body::Apart);
    read.map_err(|problem| if timed_out { BodyProblem::TooSlow } else { problem })
}

async fn collect(
    payload: &mut Payload,
    length: Option<u64>,
    max: usize,
    memory: &BodyMemory,
) -> Result<Bytes, BodyProblem> {
    let Some(first) = next(payload).await else {
        return whole(Bytes::new(), length);
    };
    let first = first.map_err(problem_of)?;
    if first.len() > max {
        return Err(BodyProblem::TooLarge);
    }
    // Nearly always the body is one piece that lies in the connection's read buffer: no copy.
    if length == Some(first.len() as u64) {
        return Ok(first);
    }
    let Some(second) = next(payload).await else {
        return whole(first, length);
    };
    let mut pending = Some(second);
    let mut held = memory.take(first.len()).ok_or(BodyProblem::NoMemory)?;
    let mut body = BytesMut::from(&first[..]);
    drop(first);
    while let Some(piece) = pending.take() {
        let piece = piece.map_err(problem_of)?;
        if body.len() + piece.len() > max {
            return Err(BodyProblem::TooLarge);
        }
        held.grow(piece.len()).ok_or(BodyProblem::NoMemory)?;
        body.extend_from_slice(&piece);
        if length == Some(body.len() as u64) {
            break;
        }
        pending = next(payload).await;
    }
    whole(body.freeze(), length)
}

/// A body that ended before its announced length is not one.
fn whole(body: Bytes, length: Option<u64>) -> Result<Bytes, BodyProblem> {
    match length {
        Some(length) if length != body.len() as u64 => Err(BodyProblem::Broken),
        _ => Ok(body),
    }
}

fn problem_of(error: PayloadError) -> BodyProblem {
    match error {
        PayloadError::Overflow => BodyProblem::TooLarge,
        _ => BodyProblem::Broken,
    }
}

async fn next(payload: &mut Payload) -> Option<Result<Bytes, PayloadError>> {
    poll_fn(|cx| Pin::new(&mut *payload).poll_next(cx)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_given_back() {
        let memory = BodyMemory::new(10);
        let mut held = memory.take(6).expect("room");
        assert!(memory.take(5).is_none());
        assert!(held.grow(4).is_some() && held.grow(1).is_none());
        drop(held);
        assert_eq!(memory.used.get(), 0);
    }
}
