//! The clients' side of a run: one session for each step that asks, with its tries, its patience and what it learnt.

use crate::merchants::Body;
use tollgate_actors::request::Answer;
use tollgate_actors::{Response, Shown};
use tollgate_domain::{Item, kinds};
use tollgate_resource::{Id, Kind};

/// Tries of a session while faults last; when they have stopped it goes on until it is answered.
pub const TRIES_MAX: u32 = 8;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waits for an answer, or to send again.
    Open,
    /// Has its answer.
    Answered,
    /// Without a key, and without an answer: nobody knows what became of it.
    GivenUp,
}

/// One intention of a client.
#[derive(Debug)]
pub struct Session {
    /// The merchant.
    pub account: usize,
    /// What is sent, each time.
    pub body: Body,
    /// Its idempotency key.
    pub key: Option<String>,
    /// How long it waits for an answer, milliseconds.
    pub patience_ms: u64,
    /// Whether it is going to hang up on its next answer.
    pub hangs_up: bool,
    /// Requests sent.
    pub tries: u32,
    /// The newest request.
    pub slot: u32,
    /// Whether its next try stands in the queue.
    pub queued: bool,
    /// Where it stands.
    pub stage: Stage,
    /// The object its answer showed.
    pub learnt: Option<(&'static Kind, Id)>,
}

impl Session {
    /// One that has sent nothing yet.
    pub fn new(account: usize, body: Body, key: Option<String>, patience_ms: u64) -> Session {
        Session {
            account,
            body,
            key,
            patience_ms,
            hangs_up: false,
            tries: 0,
            slot: 0,
            queued: false,
            stage: Stage::Open,
            learnt: None,
        }
    }
}

/// What an answer means to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Settled, with the object if there is one.
    Final(Option<(&'static Kind, Id)>),
    /// To be tried again.
    Later,
}

/// Reads an answer as a client does.
pub fn hear(answer: &Answer) -> Hears {
    match answer {
        Err(_) => Hears::Later,
        Ok(response) => match &response.result {
            Ok(Shown::One(Item::Object(object))) => Hears::Final(Some((object.kind(), object.id()))),
            Ok(_) => Hears::Final(None),
            Err(reject) if matches!(reject.status, 409 | 429) => Hears::Later,
            Err(reject) if reject.status == 500 && !response.began => Hears::Later,
            Err(_) => Hears::Final(failed_intent(response)),
        },
    }
}

/// A decline names the intent it was made for.
fn failed_intent(response: &Response) -> Option<(&'static Kind, Id)> {
    let reject = response.result.as_ref().err()?;
    let payment = reject.payment_intent.map(|id| (&kinds::PAYMENT_INTENT, id));
    payment.or(reject.setup_intent.map(|id| (&kinds::SETUP_INTENT, id)))
}
