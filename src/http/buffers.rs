//! Memory for what a worker reads and writes, used again: what served the last request is still in the processor's
//! caches for the next one, on whichever connection that comes. A connection that waits for its client holds none.

use std::cell::RefCell;
use std::rc::Rc;

/// Most bytes of a request that is read here, head and body together; a longer one is the HTTP layer's.
pub(crate) const REQUEST_BYTES_MAX: usize = 16 << 10;
/// Buffers of either kind that a worker keeps for the next request; more go back to the allocator.
const SPARE_MAX: usize = 64;
/// A buffer for answers that grew beyond this goes back to the allocator, too.
const ANSWER_BYTES_KEPT_MAX: usize = 64 << 10;
/// Room of a fresh buffer for answers: head and body of one object.
const ANSWER_BYTES: usize = 8 << 10;

/// The spare buffers of a worker.
#[derive(Default)]
pub(crate) struct Buffers {
    requests: RefCell<Vec<Box<[u8]>>>,
    answers: RefCell<Vec<Vec<u8>>>,
}

/// A buffer for a request. What it holds may be a secret, so it cannot be printed.
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
    home: Option<Rc<Buffers>>,
}

impl Buffers {
    /// An empty buffer of [`REQUEST_BYTES_MAX`], which comes back here when it is dropped.
    pub(crate) fn request(self: &Rc<Self>) -> Buffer {
        let spare = self.requests.borrow_mut().pop();
        Buffer {
            bytes: spare.unwrap_or_else(|| vec![0; REQUEST_BYTES_MAX].into_boxed_slice()),
            filled: 0,
            home: Some(Rc::clone(self)),
        }
    }

    /// An empty buffer for an answer.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let spare = self.answers.borrow_mut().pop();
        spare.unwrap_or_else(|| Vec::with_capacity(ANSWER_BYTES))
    }

    /// Takes back a buffer for answers.
    pub(crate) fn has_sent(&self, mut answer: Vec<u8>) {
        let mut spare = self.answers.borrow_mut();
        if spare.len() < SPARE_MAX && answer.capacity() <= ANSWER_BYTES_KEPT_MAX {
            answer.clear();
            spare.push(answer);
        }
    }
}

impl Buffer {
    /// A buffer that holds just these bytes, and belongs to no worker.
    pub(crate) fn of(bytes: Vec<u8>) -> Buffer {
        Buffer {
            filled: bytes.len(),
            bytes: bytes.into_boxed_slice(),
            home: None,
        }
    }

    /// What was read.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Where more can be read to; empty when it is full.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// So many bytes were read into the room.
    pub(crate) fn has_read(&mut self, count: usize) {
        assert!(
            count <= self.bytes.len() - self.filled,
            "more was read than there is room"
        );
        self.filled += count;
    }

    /// Copies as much as there is room for, which must be all of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.room()[..bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            let mut spare = home.requests.borrow_mut();
            if spare.len() < SPARE_MAX {
                spare.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_and_no_more_are_kept_than_allowed() {
        let buffers = Rc::new(Buffers::default());
        let mut first = buffers.request();
        first.push(b"GET");
        let at = first.filled().as_ptr();
        drop(first);
        let again = buffers.request();
        assert!(
            again.filled().is_empty(),
            "what the last request sent is not read as the next one's"
        );
        assert_eq!(again.filled().as_ptr(), at);
        let many: Vec<Buffer> = (0..2 * SPARE_MAX).map(|_| buffers.request()).collect();
        drop(many);
        assert_eq!(buffers.requests.borrow().len(), SPARE_MAX);
        for _ in 0..2 * SPARE_MAX {
            buffers.has_sent(Vec::with_capacity(1));
        }
        assert_eq!(buffers.answers.borrow().len(), SPARE_MAX);
        buffers.answers.borrow_mut().clear();
        buffers.has_sent(Vec::with_capacity(ANSWER_BYTES_KEPT_MAX + 1));
        assert!(buffers.answers.borrow().is_empty());
    }
}
