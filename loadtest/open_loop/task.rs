//! A flow under way: where it is, what it is about, when its next request is due.

use super::authentication::Authentication;
use std::time::Instant;

/// Longest id kept, in bytes; this API's are below 32.
const ID_LEN_MAX: usize = 47;

/// An object's id, held in place: a task costs no allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id {
    len: u8,
    bytes: [u8; ID_LEN_MAX],
}

impl Default for Id {
    fn default() -> Self {
        Id {
            len: 0,
            bytes: [0; ID_LEN_MAX],
        }
    }
}

impl std::fmt::Debug for Id {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), out)
    }
}

impl Id {
    /// `None` if the text is too long for an id, or holds what no id holds.
    pub(crate) fn new(text: &str) -> Option<Id> {
        let sound = text.len() <= ID_LEN_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        sound.then(|| {
            let mut id = Id {
                len: text.len() as u8,
                ..Id::default()
            };
            id.bytes[..text.len()].copy_from_slice(text.as_bytes());
            id
        })
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Its text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("ids are ASCII")
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A payment that was answered, as far as later requests need it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paid {
    /// Whose it is.
    pub(crate) merchant: u32,
    /// The payment intent.
    pub(crate) id: Id,
    /// Its charge; empty if it has none.
    pub(crate) charge: Id,
    /// Its number, which gives amount and idempotency key.
    pub(crate) number: u64,
    /// The step that made it.
    pub(crate) step: u8,
    /// The card that paid.
    pub(crate) card: u16,
    /// Checksum of the answer's body; 0 if it was not made by one `pay`.
    pub(crate) body: u64,
}

/// A flow under way.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Index of the flow.
    pub(crate) flow: u16,
    /// Index of the step that is due.
    pub(crate) step: u8,
    /// Who calls.
    pub(crate) merchant: u32,
    /// Index of the card.
    pub(crate) card: u16,
    /// Number of this flow in the run; part of its keys, and gives the amount.
    pub(crate) number: u64,
    /// The payment it is about.
    pub(crate) payment: Paid,
    /// When the step was due first; latency counts from here, over all tries.
    pub(crate) due: Instant,
    /// When this try is due.
    pub(crate) try_due: Instant,
    /// When the dispatcher took it up.
    pub(crate) taken: Instant,
    /// When a connection got it.
    pub(crate) handed: Instant,
    /// Tries so far.
    pub(crate) tries: u8,
    /// Whether an earlier try may have been carried out without our knowing.
    pub(crate) uncertain: bool,
    /// Whether it is sent under another request's key.
    pub(crate) replays: bool,
    /// Whether it is the second of two that are sent at once. The flow goes on with whichever is answered first.
    pub(crate) twin: bool,
    /// Where the authentication is that the card of its step asks for; the step is over with it.
    pub(crate) authentication: Option<Box<Authentication>>,
}

impl Task {
    /// A flow at its start.
    pub(crate) fn new(flow: u16, merchant: u32, number: u64, card: u16, due: Instant) -> Task {
        Task {
            flow,
            step: 0,
            merchant,
            card,
            number,
            payment: Paid::default(),
            due,
            try_due: due,
            taken: due,
            handed: due,
            tries: 0,
            uncertain: false,
            replays: false,
            twin: false,
            authentication: None,
        }
    }

    /// The step that its idempotency key names.
    pub(crate) fn key_step(&self) -> u8 {
        if self.replays { self.payment.step } else { self.step }
    }
}

/// A task that waits for its time; the earliest is the greatest, for a max-heap.
pub(crate) struct Later(pub(crate) Task);

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Later {}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other
            .0
            .try_due
            .cmp(&self.0.try_due)
            .then_with(|| other.0.number.cmp(&self.0.number))
    }
}
