//! Notes: what has changed of a shard's endpoints, every fifty milliseconds, and now and then everything.

use super::Hall;
use super::shards::{Phase, Shard};
use crate::book::{Change, DAY_MS, KEPT_DAYS};
use crate::endpoint::EndpointKey;
use crate::lane::Lane;
use crate::notes::{RowWriter, put_gone, put_progress};
use crate::ports::Note;
use tollgate_breaks::broken;
use tollgate_pools::LaneId;

/// What has changed is written down within so many milliseconds: what was taken in them comes again after a crash.
pub(crate) const FLUSH_MS: u64 = 50;
/// How often it is looked at what the books of a shard take, milliseconds.
const LOOK_MS: u64 = 1_000;

impl Shard {
    pub(super) fn is_dirty(&mut self, now_ms: u64, key: EndpointKey) {
        self.dirty.push(key);
        self.flush_soon(now_ms);
    }

    pub(super) fn flush_soon(&mut self, now_ms: u64) {
        self.flush_at.get_or_insert(now_ms + FLUSH_MS);
    }
}

impl Hall {
    pub(super) fn flush_due(&mut self) {
        let now_ms = self.now_ms;
        let soon = self.stopping;
        let due = |(shard, it): (&u16, &Shard)| {
            let due = it.flush_at.is_some_and(|at| at <= now_ms) || (soon && !it.is_noted());
            (due && !it.is_loading()).then_some(*shard)
        };
        let due: Vec<u16> = self.shards.iter().filter_map(due).collect();
        for shard in due {
            if self.common.ports.notes.has_room(shard) {
                self.flush(shard);
            } else if let Some(here) = self.shards.get_mut(&shard) {
                // What has changed waits in the lanes.
                here.flush_at = Some(now_ms + FLUSH_MS);
            }
        }
    }

    /// Writes down what has changed.
    pub(super) fn flush(&mut self, shard: u16) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        here.flush_at = None;
        let (dirty, gone) = (std::mem::take(&mut here.dirty), std::mem::take(&mut here.gone));
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
    }

    fn write(&mut self, shard: u16, body: Vec<u8>) {
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        here.since_row += body.len();
        self.common.meters.note_bytes.increment(body.len() as u64);
        self.common.ports.notes.write(shard, here.epoch, Note::Progress(body));
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
        let (epoch, heard) = (here.epoch, here.heard);
        self.common.meters.note_bytes.increment(here.row_bytes as u64);
        let notes = &self.common.ports.notes;
        for (number, body) in pages {
            notes.write(shard, epoch, Note::Page { number, body });
        }
        notes.write(shard, epoch, Note::Row { body: row, heard });
    }

    /// Lets the lanes of a shard look at new events, or not, by what the failed ones take; forgets dead letters that are too old.
    fn make_room(&mut self, shard: u16) {
        let now_ms = self.now_ms;
        let Some(here) = self.shards.get_mut(&shard).filter(|it| it.look_at <= now_ms) else {
            return;
        };
        here.look_at = now_ms + LOOK_MS;
        let lanes: Vec<LaneId> = self.lanes_of(shard).map(|(_, lane)| lane).collect();
        let oldest = ((now_ms / DAY_MS) as u32).saturating_sub(KEPT_DAYS);
        let mut bytes = 0;
        for lane in &lanes {
            let Some(lane) = self.floor.lane_mut(*lane) else {
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
            bytes += lane.book().bytes();
        }
        let roomy = bytes <= self.settings.failed_bytes_max;
        let Some(here) = self.shards.get_mut(&shard) else {
            return;
        };
        if std::mem::replace(&mut here.roomy, roomy) == roomy {
            return;
        }
        tracing::warn!(
            shard,
            bytes,
            roomy,
            "failed events of a shard's endpoints fill their memory, or do not any more"
        );
        for lane in lanes {
            self.floor.tell(now_ms, lane, |lane| lane.room(roomy));
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
