//! Shards that come and go.

use super::errands::Errand;
use super::noting::Noting;
use super::{Hall, Message};
use crate::Moved;
use crate::book::Book;
use crate::endpoint::EndpointKey;
use crate::lane::Lane;
use crate::notes;
use crate::ports::SavedNote;
use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use tollgate_resource::notes::PAGE_EPOCH_BITS;

/// A shard that leaves waits so long for what is out, milliseconds; the rest is sent again by its next owner.
const LEAVE_MAX_MS: u64 = 2_000;

/// Bits of a page's number below the second in which the shard came.
const PAGES_A_SECOND_BITS: u32 = 8;

/// A shard that is served here.
pub(super) struct Shard {
    pub(super) epoch: u64,
    pub(super) phase: Phase,
    /// Books of endpoints whose accounts have not been read yet.
    pub(super) books: HashMap<EndpointKey, Book>,
    pub(super) noting: Noting,
    /// Bytes of notes since the newest row, and bytes of that.
    pub(super) since_row: usize,
    pub(super) row_bytes: usize,
    pub(super) next_page: u64,
    /// The highest number of a change of endpoints that was heard.
    pub(super) heard: u64,
    /// Whether its lanes may look at new events.
    pub(super) roomy: bool,
    /// When it is looked at again what its books take.
    pub(super) look_at: u64,
}

/// Where a shard stands.
pub(super) enum Phase {
    /// Its notes are being read.
    Loading(Loading),
    /// Its lanes are at work.
    Serving,
    /// It leaves as soon as nothing is out, or then.
    Leaving {
        until_ms: u64,
        done: Box<dyn FnOnce() + Send>,
    },
}

/// Notes on their way.
#[derive(Default)]
pub(super) struct Loading {
    read: notes::Read,
    /// Pages that are still to be read, the next one last.
    pages: Vec<u64>,
    /// What comes behind the pages.
    bodies: Vec<Bytes>,
}

impl Shard {
    fn new(epoch: u64, now_ms: u64) -> Shard {
        Shard {
            epoch,
            phase: Phase::Loading(Loading::default()),
            books: HashMap::new(),
            noting: Noting::default(),
            since_row: 0,
            row_bytes: 0,
            // Above every page of this epoch, also of a hall before this one: far fewer are written in a second.
            next_page: epoch << PAGE_EPOCH_BITS | (now_ms / 1_000) << PAGES_A_SECOND_BITS,
            heard: 0,
            roomy: true,
            look_at: 0,
        }
    }

    pub(super) fn is_loading(&self) -> bool {
        matches!(self.phase, Phase::Loading(_))
    }

    pub(super) fn wakes_at(&self) -> Option<u64> {
        let leaves = match self.phase {
            Phase::Leaving { until_ms, .. } => Some(until_ms),
            Phase::Loading(_) | Phase::Serving => None,
        };
        self.noting.wakes_at().into_iter().chain(leaves).min()
    }
}

impl Hall {
    pub(super) fn epoch_of(&self, shard: u16) -> Option<u64> {
        self.shards.get(&shard).map(|it| it.epoch)
    }

    pub(super) fn is_loading(&self, shard: u16, epoch: u64) -> bool {
        self.shards
            .get(&shard)
            .is_some_and(|it| it.epoch == epoch && it.is_loading())
    }

    pub(super) fn adopt(&mut self, shard: u16, epoch: u64) {
        // It can have been lost without a word: what is known of it is that of an older owner.
        self.lose(shard);
        self.shards.insert(shard, Shard::new(epoch, self.now_ms));
        self.errands.push(Errand::Notes { shard, epoch });
    }

    pub(super) fn lose(&mut self, shard: u16) {
        let Some(lost) = self.shards.remove(&shard) else { return };
        let accounts: Vec<u64> = self
            .accounts
            .iter()
            .filter(|(_, it)| it.shard == shard)
            .map(|(key, _)| *key)
            .collect();
        for account in accounts {
            self.drop_account(account);
        }
        if let Phase::Leaving { done, .. } = lost.phase {
            done();
        }
    }

    pub(super) fn leave(&mut self, shard: u16, done: Box<dyn FnOnce() + Send>) {
        let until_ms = self.now_ms + LEAVE_MAX_MS;
        let now_ms = self.now_ms;
        let lanes: Vec<_> = self.lanes_of(shard).map(|(_, lane)| lane).collect();
        for lane in lanes {
            self.floor.tell(now_ms, lane, Lane::stop_serving);
        }
        match self.shards.get_mut(&shard) {
            Some(it) if !it.is_loading() => it.phase = Phase::Leaving { until_ms, done },
            // Nothing was sent, so nothing has to be noted.
            _ => {
                self.lose(shard);
                done();
            }
        }
    }

    /// Lets shards go that are waited for.
    pub(super) fn watch_leaving(&mut self) {
        let leaving = |(shard, it): (&u16, &super::Shard)| match it.phase {
            Phase::Leaving { until_ms, .. } => Some((*shard, until_ms)),
            Phase::Loading(_) | Phase::Serving => None,
        };
        let leaving: Vec<(u16, u64)> = self.shards.iter().filter_map(leaving).collect();
        for (shard, until_ms) in leaving {
            let lanes = self.lanes_of(shard).filter_map(|(_, lane)| self.floor.lane(lane));
            let out: usize = lanes.map(Lane::in_flight).sum();
            let late = self.now_ms >= until_ms;
            if out > 0 && !late {
                continue;
            }
            self.flush(shard);
            let all = self.shards.get(&shard).is_none_or(|it| it.noting.is_handed_in());
            if all || late {
                self.lose(shard);
            }
        }
    }

    /// The journal of an account went on.
    pub(super) fn moved(&mut self, shard: u16, moved: Moved) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        if let Some(change) = moved.change {
            here.heard = here.heard.max(change);
        }
        let (loading, epoch) = (here.is_loading(), here.epoch);
        let known = self.accounts.contains_key(&moved.account);
        if !known && moved.change.is_none() {
            // Without endpoints, or to be read with its shard.
            return;
        }
        let account = self.account(moved.account, shard);
        account.upto = account.upto.max(moved.upto);
        let keys = account.endpoints.clone();
        let upto = account.upto;
        if moved.change.is_some() && !loading {
            self.read_account(moved.account, shard, epoch);
        }
        let now_ms = self.now_ms;
        for key in keys {
            if let Some(&lane) = self.places.get(&key) {
                self.floor.tell(now_ms, lane, |lane| lane.journal_at(now_ms, upto));
            }
        }
    }

    pub(super) fn notes_read(&mut self, shard: u16, epoch: u64, saved: Vec<SavedNote>) {
        if !self.is_loading(shard, epoch) {
            return;
        }
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        let mut loading = Loading::default();
        for note in saved {
            match note {
                SavedNote::Row(body) => {
                    match notes::pages_of(&body) {
                        Ok(pages) => loading.pages = pages,
                        Err(why) => return self.cannot_read(shard, epoch, &why),
                    }
                    here.row_bytes = body.len();
                    loading.bodies.push(body);
                }
                SavedNote::Progress(body) => {
                    here.since_row += body.len();
                    loading.bodies.push(body);
                }
            }
        }
        loading.pages.reverse();
        here.phase = Phase::Loading(loading);
        self.go_on_loading(shard, epoch);
    }

    pub(super) fn page_read(&mut self, shard: u16, epoch: u64, page: &Bytes) {
        if !self.is_loading(shard, epoch) {
            return;
        }
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        here.row_bytes += page.len();
        if let Phase::Loading(loading) = &mut here.phase {
            loading.pages.pop();
            if let Err(why) = loading.read.take(page) {
                return self.cannot_read(shard, epoch, &why);
            }
        }
        self.go_on_loading(shard, epoch);
    }

    /// Reads the next page, or, behind the last, everything else; then the accounts.
    fn go_on_loading(&mut self, shard: u16, epoch: u64) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        let Phase::Loading(loading) = &mut here.phase else {
            return;
        };
        if let Some(&number) = loading.pages.last() {
            return self.errands.push(Errand::Page { shard, epoch, number });
        }
        let mut loading = std::mem::take(loading);
        for body in &loading.bodies {
            if let Err(why) = loading.read.take(body) {
                return self.cannot_read(shard, epoch, &why);
            }
        }
        here.books = loading.read.books;
        here.phase = Phase::Serving;
        let known = self
            .accounts
            .iter()
            .filter(|(_, it)| it.shard == shard)
            .map(|(key, _)| *key);
        let accounts: HashSet<u64> = loading.read.accounts.into_iter().chain(known).collect();
        self.registry.came(shard, epoch, accounts.iter().copied());
        for account in accounts {
            self.account(account, shard);
            self.read_account(account, shard, epoch);
        }
    }

    /// Nothing is delivered for a shard whose notes are not understood: what was settled is not known.
    fn cannot_read(&mut self, shard: u16, epoch: u64, why: &notes::NoteError) {
        tracing::error!(shard, %why, "nothing is delivered for the endpoints of this shard");
        // What was read may have been damaged on its way; it is tried again.
        if let Some(here) = self.shards.get_mut(&shard) {
            here.phase = Phase::Loading(Loading::default());
            here.since_row = 0;
        }
        let now_ms = self.now_ms;
        self.errands.again(now_ms, Errand::Notes { shard, epoch });
    }
}

impl Message {
    /// The shard it is about, if it is about one.
    pub fn shard(&self) -> Option<u16> {
        match self {
            Message::Adopted { shard, .. }
            | Message::Leaving { shard, .. }
            | Message::Lost { shard }
            | Message::Moved { shard, .. } => Some(*shard),
            Message::Command(_) => None,
        }
    }
}
