//! Reads across the layers: what is in memory, then the runs on disk, newest first. A snapshot of the layers never
//! changes but for the newest one, which only grows; so a read that began before a layer moved to disk still finds it.

use super::entries::{MemberEntry, TimerEntry};
use super::keyfile::{self, KeyFile};
use super::layer::Layer;
use super::run::Run;
use std::sync::Arc;
use tollgate_store::index::{Candidates, Index, Place, STEP_MAX, Step};
use tollgate_store::{AccountRef, KeyHash, PageQuery, ShardId, StoreError};

/// Members asked of each layer at once.
const MEMBERS_MIN: usize = 32;

/// All layers at one moment.
#[derive(Clone)]
pub(super) struct Layers {
    /// What is published into.
    pub(super) active: Arc<Layer>,
    /// What is being written to disk.
    pub(super) frozen: Option<Arc<Layer>>,
    /// Oldest first; each goes on where the one before ends.
    pub(super) runs: Vec<Arc<Run>>,
    /// Oldest first.
    pub(super) keys: Vec<Arc<KeyFile>>,
}

impl Layers {
    /// The layers in memory, newest first.
    pub(super) fn memory(&self) -> impl Iterator<Item = &Layer> {
        [Some(&self.active), self.frozen.as_ref()]
            .into_iter()
            .flatten()
            .map(|layer| &**layer)
    }

    fn runs_newest_first(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().rev().map(|run| &**run)
    }

    pub(super) fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Place>, StoreError> {
        for layer in self.memory() {
            if let Some(place) = layer.recent.newest(account, seq)? {
                return Ok(Some(place));
            }
        }
        for run in self.runs_newest_first() {
            if let Some(place) = run.changed(account, seq)? {
                return Ok(Some(place));
            }
            if let Some(birth) = run.birth(account, seq)? {
                return Ok(Some(birth.place));
            }
        }
        Ok(None)
    }

    /// The birth of `seq`: where, and the record's tags.
    pub(super) fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<(Place, u64)>, StoreError> {
        let recent = self
            .memory()
            .find_map(|layer| layer.recent.birth_with_tags(account, seq));
        if recent.is_some() {
            return Ok(recent);
        }
        for run in self.runs_newest_first() {
            if let Some(birth) = run.birth(account, seq)? {
                return Ok(Some((birth.place, birth.tags)));
            }
        }
        Ok(None)
    }

    /// Whether the key may have been published in this hour or later. Memory only.
    pub(super) fn key_may_exist(&self, account: AccountRef, key: &KeyHash, since: u64, span: u64) -> bool {
        if self
            .memory()
            .any(|layer| layer.recent.key_since(account, key, since).is_some())
        {
            return true;
        }
        let probe = keyfile::probe(account.0, key);
        let mut files = self.keys.iter().rev();
        files.any(|file| file.entry.hour + span > since && file.may_hold(&probe))
    }

    pub(super) fn by_key(
        &self,
        account: AccountRef,
        key: &KeyHash,
        since: u64,
        span: u64,
    ) -> Result<Option<Place>, StoreError> {
        let recent = self
            .memory()
            .find_map(|layer| layer.recent.key_since(account, key, since));
        if recent.is_some() {
            return Ok(recent);
        }
        let probe = keyfile::probe(account.0, key);
        for file in self.keys.iter().rev() {
            if file.entry.hour + span > since
                && file.may_hold(&probe)
                && let Some(place) = file.find(account, key)?
            {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    pub(super) fn records(&self, account: AccountRef, from: u64, max: usize) -> Result<Vec<Place>, StoreError> {
        for layer in self.memory() {
            let first = layer.recent.first_number(account);
            if first.is_some_and(|first| first <= from) {
                return layer.recent.records(account, from, max);
            }
        }
        for run in self.runs_newest_first() {
            let places = run.records(account, from, max)?;
            if !places.is_empty() {
                return Ok(places);
            }
        }
        Ok(Vec::new())
    }

    pub(super) fn candidates(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        if step.max == 0 || step.low >= step.high {
            return Ok(Candidates::default());
        }
        if query.parents.is_empty() {
            self.of_kind(query, step)
        } else {
            self.children(query, step)
        }
    }

    /// The layers of an account follow each other, so a list is theirs one after another.
    fn of_kind(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        let (memory, disk) = (self.memory().count(), self.runs.len());
        let mut all = Candidates::default();
        for nth in 0..memory + disk {
            let nth = if step.upward { memory + disk - 1 - nth } else { nth };
            let rest = Step {
                max: step.max - all.found.len(),
                ..step
            };
            let part = match nth.checked_sub(memory) {
                None => self
                    .memory()
                    .nth(nth)
                    .expect("it was counted")
                    .recent
                    .candidates(query, rest)?,
                Some(nth) => self.runs[disk - 1 - nth].candidates(query, rest)?,
            };
            all.found.extend(part.found);
            all.resume = part.resume;
            // A layer that ended early, or gave all that was wanted with its very last, says where to go on.
            if all.resume.is_some() {
                break;
            }
            if all.found.len() == step.max {
                all.resume = all
                    .found
                    .last()
                    .map(|&(seq, _)| if step.upward { seq + 1 } else { seq });
                break;
            }
        }
        Ok(all)
    }

    /// A child may be put into a list after its birth, so every layer may hold members anywhere in the list.
    fn children(&self, query: &PageQuery<'_>, step: Step) -> Result<Candidates, StoreError> {
        let (account, kind) = (query.account, query.kind);
        let Some(step) = self.in_time(query, step)? else {
            return Ok(Candidates::default());
        };
        // The youngest parent has the fewest children as a rule (an intent against its customer): walk its list and
        // look each child up in the others.
        let driver = query.parents.iter().copied().max().expect("there are parents");
        let wanted = Step {
            max: step.max.clamp(MEMBERS_MIN, STEP_MAX),
            ..step
        };
        let mut members: Vec<u64> = Vec::new();
        // As far as all layers have told everything.
        let mut edge: Option<u64> = None;
        let mut gather = |part: Vec<u64>| {
            if part.len() == wanted.max {
                let last = part.last().copied();
                edge = match (edge, last) {
                    (Some(edge), Some(last)) if step.upward => Some(edge.min(last)),
                    (Some(edge), Some(last)) => Some(edge.max(last)),
                    (edge, last) => edge.or(last),
                };
            }
            members.extend(part);
        };
        for layer in self.memory() {
            gather(layer.recent.members(account, driver, kind, wanted));
        }
        for run in self.runs_newest_first() {
            gather(run.members(account, driver, kind, wanted)?);
        }
        members.sort_unstable();
        members.dedup();
        if !step.upward {
            members.reverse();
        }
        let mut found = Vec::new();
        for child in members {
            let beyond = edge.is_some_and(|edge| if step.upward { child > edge } else { child < edge });
            if beyond {
                break;
            }
            if found.len() == step.max {
                let resume = Some(if step.upward { child } else { child + 1 });
                return Ok(Candidates { found, resume });
            }
            let others = query.parents.iter().filter(|&&parent| parent != driver);
            let mut in_all = true;
            for &parent in others {
                in_all = in_all && self.is_member(account, parent, kind, child)?;
            }
            if in_all
                && let Some((place, tags)) = self.birth(account, child)?
                && (query.tags == 0 || tags & query.tags != 0)
            {
                found.push((child, place));
            }
        }
        let resume = edge.map(|edge| if step.upward { edge + 1 } else { edge });
        Ok(Candidates { found, resume })
    }

    fn is_member(&self, account: AccountRef, parent: u64, kind: u8, child: u64) -> Result<bool, StoreError> {
        if self
            .memory()
            .any(|layer| layer.recent.is_member(account, parent, kind, child))
        {
            return Ok(true);
        }
        let member = MemberEntry {
            account: account.0,
            parent,
            kind,
            child,
        };
        for run in self.runs_newest_first() {
            if run.is_member(member)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The step within what was born in the query's time; `None` if nothing can be.
    fn in_time(&self, query: &PageQuery<'_>, step: Step) -> Result<Option<Step>, StoreError> {
        let (from_ms, to_ms) = query.born_ms;
        let mut step = step;
        if from_ms > 0 {
            step.low = step.low.max(self.seq_from_ms(query.account, from_ms)?);
        }
        if let Some(after) = to_ms.checked_add(1) {
            step.high = step.high.min(self.seq_from_ms(query.account, after)?);
        }
        Ok((step.low < step.high).then_some(step))
    }

    /// The lowest sequence number that was born, or will be, at `ms` or later.
    fn seq_from_ms(&self, account: AccountRef, ms: u64) -> Result<u64, StoreError> {
        for layer in self.memory() {
            // 0: all of this layer's are that young, so the layer before may have some as well.
            if let Some(seq @ 1..) = layer.recent.seq_from_ms(account, ms) {
                return Ok(seq);
            }
        }
        for run in self.runs_newest_first() {
            if let Some(seq @ 1..) = run.seq_from_ms(account, ms)? {
                return Ok(seq);
            }
        }
        Ok(0)
    }

    /// At most `max` timers of the shard from `from` on and before `before`, soonest first.
    pub(super) fn timers(
        &self,
        shard: ShardId,
        from: (u64, u64, u64),
        before: (u64, u64, u64),
        max: usize,
    ) -> Result<Vec<TimerEntry>, StoreError> {
        let entry = |(due_ms, account, seq)| TimerEntry {
            shard,
            due_ms,
            account,
            seq,
        };
        let (from, before) = (entry(from), entry(before));
        if from >= before {
            return Ok(Vec::new());
        }
        // The soonest of all are among the soonest of each.
        let mut all: Vec<TimerEntry> = Vec::new();
        for layer in self.memory() {
            all.extend(layer.timers().range(from..before).take(max));
        }
        for run in &self.runs {
            if run.timers.len() == 0 {
                continue;
            }
            let mut cursor = run.timers.seek(|key| *key < from)?;
            let mut taken = 0;
            while taken < max
                && let Some(timer) = cursor.forth()?
                && timer < before
            {
                all.push(timer);
                taken += 1;
            }
        }
        all.sort_unstable();
        all.dedup();
        all.truncate(max);
        Ok(all)
    }
}
