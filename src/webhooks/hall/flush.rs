//! What is written down: what has changed of a shard's endpoints, and now and then everything.

use super::Hall;
use super::shards::Phase;
use crate::book::{Change, DAY_MS, KEPT_DAYS};
use crate::endpoint::EndpointKey;
use crate::lane::Lane;
use crate::notes::{RowWriter, put_gone, put_progress};
use crate::ports::Note;
use std::rc::Rc;
use tollgate_breaks::broken;
use tollgate_pools::LaneId;

/// How often it is looked at what the books of a shard take, milliseconds.
const LOOK_MS: u64 = 1_000;
/// The same where endpoints stand back and nothing changes: letters get too old, by days.
const LOOK_FULL_MS: u64 = 60 * 60 * 1_000;

impl Hall {
    /// Before lanes have their turns: writes down what is due, and holds the lanes of shards whose notes do not keep up.
    pub(super) fn see_to_notes(&mut self) {
        let now_ms = self.now_ms;
        let common = Rc::clone(&self.common);
        let (mut due, mut freed) = (Vec::new(), Vec::new());
        for (shard, here) in self.shards.iter_mut().filter(|(_, here)| !here.is_loading()) {
            let (epoch, noting) = (here.epoch, &mut here.noting);
            if noting.look(now_ms, &*common.ports.notes, *shard, epoch) {
                due.push(*shard);
            }
            match noting.keep_up(now_ms) {
                Some(true) => common.meters.holds.increment(1),
                Some(false) => freed.append(&mut noting.freed()),
                None => {}
            }
        }
        due.into_iter().for_each(|shard| self.flush(shard));
        for lane in freed.iter().filter_map(|key| self.places.get(key)) {
            self.floor.tell(now_ms, *lane, Lane::go_on);
        }
    }

    /// Writes down what has changed.
    pub(super) fn flush(&mut self, shard: u16) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        let (dirty, gone) = here.noting.take();
        let mut body = Vec::new();
        for key in dirty {
            let log = |lane: &mut Lane| {
                let changed = lane.take_log();
                put_progress(&mut body, key, &changed, &lane.book());
            };
            self.with_lane(key, log);
            if body.len() >= self.settings.note_bytes {
                self.write(shard, std::mem::take(&mut body));
            }
        }
        for key in gone {
            put_gone(&mut body, key);
        }
        if !body.is_empty() {
            self.write(shard, body);
        }
        self.make_room(shard);
        let Some(here) = self.shards.get(&shard) else { return };
        if here.since_row > here.row_bytes.max(self.settings.row_after_bytes) && matches!(here.phase, Phase::Serving) {
            self.write_row(shard);
        }
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        here.noting.hand_in(&*self.common.ports.notes, shard, here.epoch);
    }

    fn write(&mut self, shard: u16, body: Vec<u8>) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        here.since_row += body.len();
        self.common.meters.note_bytes.increment(body.len() as u64);
        here.noting.put(Note::Progress(body));
    }

    /// Writes down everything, so that what was written before need not be read any more.
    fn write_row(&mut self, shard: u16) {
        let mut row = RowWriter::new(self.settings.note_bytes);
        for (account, _) in self.accounts.iter().filter(|(_, it)| it.shard == shard) {
            row.account(*account);
        }
        let placed = self.lanes_of(shard).filter_map(|(_, lane)| self.floor.lane(lane));
        let quarantined = self
            .quarantined
            .values()
            .map(|(lane, _)| lane)
            .filter(|lane| lane.shard == shard);
        for lane in placed.chain(quarantined) {
            if !broken!(LeaveOutOfRow) || lane.book().runs().is_empty() {
                row.book(lane.key(), &lane.book());
            }
        }
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        for (key, book) in &here.books {
            row.book(*key, book);
        }
        let (pages, row) = row.finish(here.next_page);
        here.next_page += pages.len() as u64;
        here.row_bytes = row.len() + pages.iter().map(|(_, page)| page.len()).sum::<usize>();
        here.since_row = 0;
        self.common.meters.note_bytes.increment(here.row_bytes as u64);
        for (number, body) in pages {
            here.noting.put(Note::Page { number, body });
        }
        let heard = here.heard;
        here.noting.put(Note::Row { body: row, heard });
    }

    /// Lets the lanes of a shard look at new events, or not, by what the failed ones take; forgets dead letters that are too old.
    /// Where they take too much, those stand back that have more than an even share of half of it: the others are not to blame,
    /// and go on until they have that much, so that all together never take more than half as much again.
    fn make_room(&mut self, shard: u16) {
        let now_ms = self.now_ms;
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        if here.look_at > now_ms {
            // This flush took the place of the one that was to look again.
            if !here.roomy {
                here.noting.flush_by(here.look_at);
            }
            return;
        }
        here.look_at = now_ms + LOOK_MS;
        let lanes: Vec<LaneId> = self.lanes_of(shard).map(|(_, lane)| lane).collect();
        let oldest = ((now_ms / DAY_MS) as u32).saturating_sub(KEPT_DAYS);
        let mut books = Vec::with_capacity(lanes.len());
        for id in lanes {
            let Some(lane) = self.floor.lane_mut(id) else {
                continue;
            };
            if lane
                .book()
                .dead()
                .first_key_value()
                .is_some_and(|(death, _)| death.day < oldest)
            {
                lane.change(Change::Bury(oldest));
            }
            let bytes = lane.book().bytes();
            books.push((id, bytes));
        }
        let most = self.settings.failed_bytes_max;
        let bytes: usize = books.iter().map(|(_, bytes)| bytes).sum();
        let roomy = bytes <= most;
        let share = most / (2 * books.len().max(1));
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        if std::mem::replace(&mut here.roomy, roomy) != roomy {
            tracing::warn!(
                shard,
                bytes,
                roomy,
                "failed events of a shard's endpoints fill their memory, or do not any more"
            );
        } else if roomy {
            return;
        }
        if !roomy {
            // Whoever stands back changes nothing that would have it looked at again.
            here.noting.flush_by(now_ms + LOOK_FULL_MS);
        }
        for (lane, bytes) in books {
            let room = roomy || bytes <= share;
            if self.floor.lane(lane).is_some_and(|lane| lane.has_room() != room) {
                self.floor.tell(now_ms, lane, |lane| lane.room(room));
            }
        }
    }

    /// Lets a lane do something that is no turn of it.
    pub(super) fn with_lane<T>(&mut self, key: EndpointKey, does: impl FnOnce(&mut Lane) -> T) -> Option<T> {
        if let Some((lane, _)) = self.quarantined.get_mut(&key) {
            return Some(does(lane));
        }
        let lane = *self.places.get(&key)?;
        self.floor.lane_mut(lane).map(does)
    }
}
