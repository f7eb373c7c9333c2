//! What a lane has in hand: events with where they came from, and what it asks of others.

use crate::book::Run;
use crate::endpoint::EndpointView;
use crate::ports::{Cause, Event, Outcome, Soon};
use std::sync::Arc;

/// An event that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) event: Event,
    pub(crate) origin: Origin,
}

/// Where a piece of work came from, and so where it goes when it fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// It is new.
    Fresh,
    /// It failed before, or was on its way when something stopped.
    Retry(Run),
    /// It failed before and blocks its object; attempts made.
    Head(u8),
    /// A job wants it.
    Job(u64),
    /// Somebody wants it again.
    Resend,
}

impl Origin {
    /// Attempts made.
    pub(crate) fn tried(self) -> u8 {
        match self {
            Origin::Retry(run) => run.tried,
            Origin::Head(tried) => tried,
            Origin::Fresh | Origin::Job(_) | Origin::Resend => 0,
        }
    }
}

/// A delivery that is to be made.
#[derive(Debug)]
pub struct Sending {
    /// Names it within its lane.
    pub token: u64,
    /// Where to.
    pub endpoint: Arc<EndpointView>,
    /// What.
    pub event: Event,
    /// The how manieth attempt, from 1.
    pub attempt: u8,
    /// Why.
    pub cause: Cause,
}

/// What came of a delivery.
#[derive(Debug)]
pub struct Sent {
    /// Its token.
    pub token: u64,
    /// What it was.
    pub result: SentResult,
}

/// See [`Sent`].
#[derive(Debug)]
pub enum SentResult {
    /// It was tried.
    Tried {
        /// The event's public id.
        event_id: Arc<str>,
        /// What came of it.
        outcome: Outcome,
    },
    /// The event is not kept any more.
    NotKept,
    /// Its body could not be had; why.
    NoBody(String),
}

/// What a lane wants to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// New events behind this number.
    Fetch {
        after: u64,
        limit: usize,
        /// Where nothing is in hand that goes before them.
        soon: Option<Soon>,
    },
    /// Events that are due.
    Load { seqs: Vec<u64> },
    /// Events of a job behind this number.
    Walk { job: u64, after: u64, limit: usize },
}

impl Ask {
    /// Whose bodies will be asked for at once.
    pub(crate) fn soon(&self) -> Option<&Soon> {
        match self {
            Ask::Fetch { soon, .. } => soon.as_ref(),
            Ask::Load { .. } | Ask::Walk { .. } => None,
        }
    }
}

/// A delivery that is out.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) work: Work,
    pub(crate) cause: Cause,
    pub(crate) began_ms: u64,
    pub(crate) probe: bool,
}
