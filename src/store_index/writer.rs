//! The work that writes frozen layers, moves the timers' windows ahead and drops expired keys.

use super::Shared;
use super::entries::KeyEntry;
use super::files::FileName;
use super::host::{Next, Role};
use super::keyfile::{self, KeyFile, KeyFileWriter};
use super::layer::Layer;
use super::layers::Layers;
use super::manifest::Checkpoint;
use super::run::{self, Run};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tollgate_breaks::broken;
use tollgate_store::StoreError;

/// How often windows are moved and expired keys dropped, and what failed is tried again.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// How often a layer that a reader still holds is looked at again before it is freed.
const RELEASE_TICK: Duration = Duration::from_millis(2);

impl<C: Checkpoint> Shared<C> {
    /// One turn: writes a frozen layer if there is one, moves the windows ahead and drops expired keys.
    pub(super) fn write_layers(&self) -> Next {
        if self.writing.stopping.load(Relaxed) {
            return Next::Never;
        }
        let mark = self.frozen().clone();
        if let Some(mark) = mark {
            let outcome = self.write_frozen(&mark);
            let stopped = matches!(outcome, Err(StoreError::Stopped));
            self.health.wrote(outcome);
            // Whoever waits for room must hear of a failure, too, and has looked at the health under this lock.
            drop(self.frozen());
            self.changed.notify_all();
            if stopped {
                return Next::Never;
            }
        }
        // Both are tried again at the next tick; damage has been noted where it was seen.
        let timers = |shard, from, before, max| self.layers().timers(shard, from, before, max);
        let _ = self.windows.advance(&timers);
        let _ = self.drop_expired_keys();
        self.writing.files.tidy();
        Next::In(TICK)
    }

    /// Writes the frozen layer as a run and as keys, and lets it go.
    fn write_frozen(&self, mark: &C) -> Result<(), StoreError> {
        let layer = self.layers().frozen.clone().expect("a mark belongs to a frozen layer");
        if broken!(ForgetFrozenLayer) {
            self.replace_layers(|now| Layers {
                frozen: None,
                ..now.clone()
            });
        }
        let id = self.next_id();
        let run = self.removing_failed(run::name(id), || Run::write(&self.writing, id, &layer, &self.health))?;
        let keys = self.write_keys(&layer)?;
        self.writing.files.settle()?;
        layer.recent.with_all(|accounts| {
            for &(account, index) in accounts {
                self.ends.set(account, index.end());
            }
        });
        {
            let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
            let mut next = manifest.clone();
            next.checkpoint.clone_from(mark);
            next.blocks += layer.blocks();
            next.records += layer.records();
            next.newest_ms = self.newest_ms.load(Relaxed);
            // Before the layer can grow no more, every timer of it was put into its window or lies beyond it.
            next.timer_floors = self.windows.floors();
            next.runs.push(run.entry);
            next.keys.extend(keys.iter().map(|file| file.entry));
            self.health
                .unless_condemned(|| next.write(&*self.writing.files, &self.id))?;
            *manifest = next;
            let mut frozen = self.frozen();
            self.replace_layers(|now| {
                let mut next = Layers::clone(now);
                next.frozen = None;
                next.runs.push(Arc::new(run));
                next.keys.extend(keys.into_iter().map(Arc::new));
                next
            });
            *frozen = None;
        }
        self.changed.notify_all();
        self.seat.wake(Role::Merge);
        release(layer);
        Ok(())
    }

    /// Writes the layer's keys, a file for each generation that has not expired.
    fn write_keys(&self, layer: &Layer) -> Result<Vec<KeyFile>, StoreError> {
        let oldest = self.oldest_hour();
        let mut generations: BTreeMap<u64, Vec<(u64, KeyEntry)>> = BTreeMap::new();
        layer.recent.for_each_key(&mut |hour, account, hash, place| {
            if hour >= oldest {
                let account = account.0;
                let entry = KeyEntry { hash, account, place };
                generations
                    .entry(hour / self.span * self.span)
                    .or_default()
                    .push((hour, entry));
            }
        });
        let mut files = Vec::new();
        for (generation, mut keys) in generations {
            // Of the same key in several hours of a generation the newest hour comes last, and counts.
            keys.sort_unstable_by_key(|(hour, entry)| (entry.hash, entry.account, *hour));
            let id = self.next_id();
            files.push(self.removing_failed(keyfile::name(id), || {
                let mut writer = KeyFileWriter::create(&self.writing, id, keys.len() as u64)?;
                keys.iter().try_for_each(|&(_, entry)| writer.push(entry))?;
                writer.finish(id, 0, generation, &self.health)
            })?);
        }
        Ok(files)
    }

    /// The id of a new file. One that is not used in the end leaves a gap.
    pub(super) fn next_id(&self) -> u64 {
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        manifest.next_id += 1;
        manifest.next_id - 1
    }

    /// Writes a file, or leaves none.
    pub(super) fn removing_failed<T>(
        &self,
        name: FileName,
        write: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        write().inspect_err(|_| {
            // What is left lying is removed at the next start, because no manifest names it.
            self.writing.files.remove(name);
        })
    }

    /// Drops the files of generations that have expired.
    fn drop_expired_keys(&self) -> Result<(), StoreError> {
        let oldest = self.oldest_hour();
        let expired = |hour: u64| hour + self.span <= oldest;
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        if !manifest.keys.iter().any(|file| expired(file.hour)) {
            return Ok(());
        }
        let mut next = manifest.clone();
        next.keys.retain(|file| !expired(file.hour));
        self.health
            .unless_condemned(|| next.write(&*self.writing.files, &self.id))?;
        let before = std::mem::replace(&mut *manifest, next);
        // Under the lock of the manifest, like every change of the layers on disk, and of the frozen layer, like freezing.
        let frozen = self.frozen();
        self.replace_layers(|now| {
            let mut next = Layers::clone(now);
            next.keys.retain(|file| !expired(file.entry.hour));
            next
        });
        drop(frozen);
        drop(manifest);
        for file in before.keys.iter().filter(|file| expired(file.hour)) {
            // One that stays is removed at the next start.
            self.writing.files.remove(keyfile::name(file.id));
        }
        Ok(())
    }
}

/// Frees a layer that was taken out, which takes long, on this thread and no reader's: waits until the last reader that
/// still holds it is done.
fn release<T>(mut held: Arc<T>) {
    loop {
        match Arc::try_unwrap(held) {
            Ok(last) => return drop(last),
            Err(still) => held = still,
        }
        std::thread::sleep(RELEASE_TICK);
    }
}
