//! What has arrived for a shard, on its lane or ahead of it on the lane it moves to.

use crate::metrics::SAMPLE_EVERY;
use crate::passage::Notice;
use crate::shard::{Ask, Control, Inbox};
use std::collections::VecDeque;
use std::time::Instant;
use tollgate_domain::account::AccountKey;
use tollgate_store::Epoch;

/// What has arrived for a shard and was not taken by a turn.
#[derive(Debug, Default)]
pub(crate) struct Post {
    pub(crate) inbox: Inbox,
    /// The newest incarnation that a block was refused of.
    pub(crate) fenced: Option<Epoch>,
    /// Its coming and going; one of each sort at most.
    pub(crate) passing: Vec<Notice>,
    /// When the requests in the inbox were sent, and how many at a time, oldest first.
    sent: VecDeque<(Instant, usize)>,
    /// Requests since an account was last seen.
    since_seen: usize,
    /// Accounts of one in [`SAMPLE_EVERY`] requests since the last turn.
    pub(crate) seen: Vec<AccountKey>,
}

impl Post {
    /// A request, sent then.
    pub(crate) fn ask(&mut self, sent: Instant, ask: Ask) {
        self.since_seen += 1;
        if self.since_seen >= SAMPLE_EVERY {
            self.since_seen = 0;
            self.seen.push(ask.account());
        }
        self.inbox.work.push_back(ask);
        match self.sent.back_mut() {
            Some((at, count)) if *at == sent => *count += 1,
            _ => self.sent.push_back((sent, 1)),
        }
    }

    /// A notice.
    pub(crate) fn notice(&mut self, control: Control) {
        self.inbox.control.push_back(control);
    }

    /// A block of that incarnation was refused.
    pub(crate) fn fenced(&mut self, epoch: Epoch) {
        self.fenced = self.fenced.max(Some(epoch));
    }

    /// Puts what arrived elsewhere behind what is here.
    pub(crate) fn append(&mut self, mut later: Post) {
        self.inbox.work.append(&mut later.inbox.work);
        self.inbox.control.append(&mut later.inbox.control);
        self.sent.append(&mut later.sent);
        self.seen.append(&mut later.seen);
        self.passing.append(&mut later.passing);
        self.fenced = self.fenced.max(later.fenced);
    }

    /// Whether there is nothing to hear.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0 && self.passing.is_empty() && self.fenced.is_none()
    }

    /// Requests and notices.
    pub(crate) fn len(&self) -> usize {
        self.inbox.work.len() + self.inbox.control.len()
    }

    /// Takes every request that waits.
    pub(crate) fn take_work(&mut self) -> impl Iterator<Item = Ask> {
        self.sent.clear();
        self.inbox.work.drain(..)
    }

    /// The oldest `count` requests were taken: tells when each lot of them was sent.
    pub(crate) fn taken(&mut self, mut count: usize, mut tell: impl FnMut(Instant, usize)) {
        while count > 0 {
            let (sent, waiting) = self.sent.front_mut().expect("every request in the inbox was sent");
            let lot = count.min(*waiting);
            tell(*sent, lot);
            count -= lot;
            *waiting -= lot;
            if *waiting == 0 {
                self.sent.pop_front();
            }
        }
    }
}
