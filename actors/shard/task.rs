//! One thing to do for one account: a request, a network's answer, a timer.

use crate::request::{ReplyTo, Request};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::fmt::Write;
use std::hash::Hasher;
use std::sync::Arc;
use tollgate_domain::account::AccountKey;
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer, NetworkCall};
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Command, Secrets};

/// A request on its way through a shard.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Where the answer goes.
    pub to: ReplyTo,
    /// The request.
    pub request: Arc<Request>,
    /// Whether it holds its idempotency key (it was admitted and is decided again after a wait).
    pub(crate) holds_key: bool,
    /// Until when it waits for a key or a busy object, milliseconds; set when it first waits.
    pub(crate) deadline_ms: Option<u64>,
}

impl Ask {
    /// A request that has just arrived.
    pub fn new(to: ReplyTo, request: Arc<Request>) -> Self {
        Ask {
            to,
            request,
            holds_key: false,
            deadline_ms: None,
        }
    }

    pub(crate) fn account(&self) -> AccountKey {
        self.request.profile.key
    }
}

/// A call to a network, with the account its answer comes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallOut {
    /// The account that holds the attempt.
    pub account: AccountKey,
    /// The call.
    pub call: NetworkCall,
    /// Its deadline by the steady clock, milliseconds. The one in the call is shard time, which a wall clock that has
    /// stepped does not know.
    pub until_steady_ms: u64,
}

/// Something a shard does.
#[derive(Debug, Clone)]
pub(crate) enum Task {
    /// A request.
    Ask(Ask),
    /// A network answered.
    Resolve {
        account: AccountKey,
        attempt: AttemptId,
        answer: NetworkAnswer,
    },
    /// A timer has come due.
    Timer { account: AccountKey, due_ms: u64, seq: u64 },
    /// The engine itself wants something done.
    Command { account: AccountKey, command: Arc<Command> },
}

impl Task {
    pub(crate) fn account(&self) -> AccountKey {
        match self {
            Task::Ask(ask) => ask.account(),
            Task::Resolve { account, .. } | Task::Timer { account, .. } | Task::Command { account, .. } => *account,
        }
    }

    /// A number that names what is asked, for the supervisor's memory of crashes and its log. It is keyed, so that nobody
    /// can guess a command from it.
    pub(crate) fn digest(&self, secrets: &Secrets) -> u64 {
        let mut text = Digest(secrets.hasher(Purpose::RequestFingerprint));
        match self {
            Task::Ask(ask) => write!(text, "{:?} {:?}", ask.account(), ask.request.call),
            Task::Resolve {
                account,
                attempt,
                answer,
            } => write!(text, "{account:?} {attempt:?} {answer:?}"),
            Task::Timer { account, due_ms, seq } => write!(text, "{account:?} {due_ms} {seq}"),
            Task::Command { account, command } => write!(text, "{account:?} {command:?}"),
        }
        .expect("a hasher takes any text");
        text.0.finish128().as_u128() as u64
    }
}

struct Digest(SipHasher24);

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
