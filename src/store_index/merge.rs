//! The work that merges: eight runs of a level into one of the next, and the keys of an hour that is over into one
//! file, so that a read looks into few files however much there is. It streams: what it holds is a block of each input,
//! and the index of the output's blocks.

use super::Shared;
use super::block::{Merge, SectionWriter};
use super::entries::{AccountEntry, ChangeEntry};
use super::files::FileName;
use super::host::Next;
use super::keyfile::{self, KeyFile, KeyFileWriter};
use super::layers::Layers;
use super::manifest::{Checkpoint, FileEntry, Manifest};
use super::run::{self, AccountsWriter, ChangesWriter, Run, RunWriter, Written};
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tollgate_store::StoreError;
use tollgate_store::index::HOUR_MS;

/// How often the merger looks for work that comes with time, and tries again what failed.
const TICK: Duration = Duration::from_secs(5);

impl<C: Checkpoint> Shared<C> {
    /// One turn: one merge, if there is any to do.
    pub(super) fn merge_files(&self) -> Next {
        if self.writing.stopping.load(Relaxed) {
            return Next::Never;
        }
        match self.merge_something() {
            Ok(true) => Next::Now,
            Err(StoreError::Stopped) => Next::Never,
            Ok(false) | Err(_) => Next::In(TICK),
        }
    }

    /// Does one merge if there is any to do.
    fn merge_something(&self) -> Result<bool, StoreError> {
        if self.health.is_condemned() {
            return Ok(false);
        }
        let layers = self.layers();
        if let Some(range) = self.mergeable_runs(&layers) {
            self.merge_runs(&layers.runs[range])?;
            return Ok(true);
        }
        if let Some(files) = self.mergeable_keys(&layers) {
            self.merge_keys(&files)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The oldest runs of one level that are enough to be merged.
    fn mergeable_runs(&self, layers: &Layers) -> Option<Range<usize>> {
        let runs = &layers.runs;
        let count = self.limits.merged_runs;
        let windows = runs.windows(count).enumerate();
        let mut same_level = windows.filter(|(_, runs)| runs.iter().all(|run| run.entry.level == runs[0].entry.level));
        let small = |runs: &[Arc<Run>]| {
            let records: u64 = runs.iter().map(|run| run.timeline.len()).sum();
            records <= self.limits.generation_records
        };
        let found = same_level.find(|(_, runs)| small(runs));
        found.map(|(at, _)| at..at + count)
    }

    /// Files of one generation that are enough to be merged, or that are all of a generation that is over. They follow
    /// each other in age: others of their generation are older or younger than all of them.
    fn mergeable_keys(&self, layers: &Layers) -> Option<Vec<Arc<KeyFile>>> {
        let mut hours: Vec<u64> = layers.keys.iter().map(|file| file.entry.hour).collect();
        hours.sort_unstable();
        hours.dedup();
        let newest = self.newest_ms.load(Relaxed) / HOUR_MS;
        for hour in hours {
            let of_hour = layers.keys.iter().filter(|file| file.entry.hour == hour);
            let files: Vec<Arc<KeyFile>> = of_hour.cloned().collect();
            // The hour after it may still be in memory, with some of its last keys.
            let over = hour + self.span < newest;
            if over && files.len() > 1 {
                return Some(files);
            }
            let mut windows = files.windows(self.limits.merged_runs);
            let same_level = windows.find(|files| files.iter().all(|file| file.entry.level == files[0].entry.level));
            if let Some(files) = same_level {
                return Some(files.to_vec());
            }
        }
        None
    }

    fn merge_runs(&self, runs: &[Arc<Run>]) -> Result<(), StoreError> {
        let id = self.next_id();
        let level = 1 + runs.iter().map(|run| run.entry.level).max().expect("there are runs");
        let merged = self.removing_failed(run::name(id), || self.write_merged(id, level, runs))?;
        let entry = merged.entry;
        self.install(
            run::name(id),
            |manifest| replace(&mut manifest.runs, runs.iter().map(|run| run.entry), entry),
            |layers| {
                let at = layers.runs.iter().position(|run| run.entry.id == runs[0].entry.id);
                let at = at.expect("only this thread takes runs away");
                layers.runs.splice(at..at + runs.len(), [Arc::new(merged)]);
            },
            runs.iter().map(|run| run::name(run.entry.id)),
        )
    }

    fn write_merged(&self, id: u64, level: u32, runs: &[Arc<Run>]) -> Result<Run, StoreError> {
        let mut run = RunWriter::create(&self.writing, id)?;
        let mut timeline = SectionWriter::new();
        let mut input = Merge::new(runs.iter().map(|run| run.timeline.start()).collect())?;
        while let Some(entry) = input.next()? {
            timeline.push(&mut run.file, entry)?;
        }
        let timeline = timeline.finish(&mut run.file)?;
        let mut lists = SectionWriter::new();
        let mut input = Merge::new(runs.iter().map(|run| run.lists.start()).collect())?;
        let mut last = None;
        while let Some(entry) = input.next()? {
            if last.replace(entry) != Some(entry) {
                lists.push(&mut run.file, entry)?;
            }
        }
        let lists = lists.finish(&mut run.file)?;
        let mut changes = ChangesWriter::new(runs.iter().map(|run| run.changes.len()).sum());
        let mut input = Merge::new(runs.iter().map(|run| run.changes.start()).collect())?;
        let mut pending: Option<ChangeEntry> = None;
        while let Some(entry) = input.next()? {
            // Of equal keys the newest comes last, and counts.
            if let Some(before) = pending.replace(entry)
                && (before.account, before.seq) != (entry.account, entry.seq)
            {
                changes.push(&mut run.file, before)?;
            }
        }
        pending.map_or(Ok(()), |last| changes.push(&mut run.file, last))?;
        let (changes, changed) = changes.finish(&mut run.file)?;
        // Timers before the floors in the manifest are never asked for again.
        let floors = self
            .manifest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .timer_floors
            .clone();
        let mut timers = SectionWriter::new();
        let mut input = Merge::new(runs.iter().map(|run| run.timers.start()).collect())?;
        let mut last = None;
        while let Some(entry) = input.next()? {
            let handled = floors.get(&entry.shard).is_some_and(|&floor| entry.due_ms < floor);
            if !handled && last.replace(entry) != Some(entry) {
                timers.push(&mut run.file, entry)?;
            }
        }
        let timers = timers.finish(&mut run.file)?;
        let mut accounts = AccountsWriter::new(runs.iter().map(|run| run.accounts.len()).sum());
        let mut input = Merge::new(runs.iter().map(|run| run.accounts.start()).collect())?;
        let mut pending: Option<AccountEntry> = None;
        while let Some(entry) = input.next()? {
            if let Some(before) = pending.replace(entry)
                && before.account != entry.account
            {
                accounts.push(&mut run.file, before)?;
            }
        }
        pending.map_or(Ok(()), |last| accounts.push(&mut run.file, last))?;
        let (accounts, present) = accounts.finish(&mut run.file)?;
        let written = Written {
            timeline,
            lists,
            changes,
            timers,
            accounts,
            changed,
            present,
        };
        run.finish(level, written, &self.health)
    }

    fn merge_keys(&self, files: &[Arc<KeyFile>]) -> Result<(), StoreError> {
        let id = self.next_id();
        let level = 1 + files
            .iter()
            .map(|file| file.entry.level)
            .max()
            .expect("there are files");
        let merged = self.removing_failed(keyfile::name(id), || {
            let most = files.iter().map(|file| file.keys.len()).sum();
            let mut writer = KeyFileWriter::create(&self.writing, id, most)?;
            let mut input = Merge::new(files.iter().map(|file| file.keys.start()).collect())?;
            while let Some(entry) = input.next()? {
                writer.push(entry)?;
            }
            writer.finish(id, level, files[0].entry.hour, &self.health)
        })?;
        let is_input = |id: u64| files.iter().any(|file| file.entry.id == id);
        let entry = merged.entry;
        self.install(
            keyfile::name(id),
            |manifest| replace(&mut manifest.keys, files.iter().map(|file| file.entry), entry),
            |layers| {
                // Other hours' files may stand between them; only the order within a generation means anything.
                let at = layers.keys.iter().position(|file| is_input(file.entry.id));
                layers.keys.retain(|file| !is_input(file.entry.id));
                layers.keys.insert(at.expect("the manifest had them"), Arc::new(merged));
            },
            files.iter().map(|file| keyfile::name(file.entry.id)),
        )
    }

    /// Writes the changed manifest, changes the layers likewise, and removes the files that went. If the inputs are no
    /// longer there (their keys have expired meanwhile), only what was merged is removed.
    fn install(
        &self,
        merged: FileName,
        change: impl FnOnce(&mut Manifest<C>) -> bool,
        exchange: impl FnOnce(&mut Layers),
        inputs: impl Iterator<Item = FileName>,
    ) -> Result<(), StoreError> {
        let files = &*self.writing.files;
        files.settle()?;
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = manifest.clone();
        if !change(&mut next) {
            // One that stays is removed at the next start, like the inputs below.
            files.remove(merged);
            return Ok(());
        }
        self.health.unless_condemned(|| next.write(files, &self.id))?;
        *manifest = next;
        let frozen = self.frozen();
        self.replace_layers(|now| {
            let mut next = Layers::clone(now);
            exchange(&mut next);
            next
        });
        drop(frozen);
        drop(manifest);
        for name in inputs {
            files.remove(name);
        }
        Ok(())
    }
}

/// Puts `merged` in the place of `inputs`; false if they are no longer there.
fn replace(files: &mut Vec<FileEntry>, inputs: impl Iterator<Item = FileEntry>, merged: FileEntry) -> bool {
    let ids: Vec<u64> = inputs.map(|file| file.id).collect();
    let at = files.iter().position(|file| ids.contains(&file.id));
    files.retain(|file| !ids.contains(&file.id));
    if let Some(at) = at {
        files.insert(at, merged);
    }
    at.is_some()
}
