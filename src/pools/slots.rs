//! How many jobs may be out at once.

use hashbrown::HashMap;

/// Most jobs that may be out at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// In all.
    pub total: usize,
    /// Of one group.
    pub group: usize,
    /// Of all slow lanes together.
    pub slow: usize,
}

impl Limits {
    /// A group gets a quarter of all, and so do slow lanes together: what hangs never takes the rest.
    pub fn quarters(total: usize) -> Limits {
        Limits {
            total,
            group: (total / 4).max(1),
            slow: (total / 4).max(1),
        }
    }
}

/// Which limit is in the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoSlot {
    /// Everything is taken.
    Total,
    /// The group has its share.
    Group,
    /// Slow lanes have theirs.
    Slow,
}

/// Slots for jobs.
#[derive(Debug)]
pub struct Slots {
    limits: Limits,
    taken: usize,
    slow: usize,
    groups: HashMap<u64, usize>,
}

impl Slots {
    /// All of them free.
    ///
    /// # Panics
    /// When a limit is 0 or larger than the total: nothing would ever run, or the limit would be none.
    pub fn new(limits: Limits) -> Slots {
        assert!(
            limits.total > 0 && (1..=limits.total).contains(&limits.group) && (1..=limits.total).contains(&limits.slow),
            "limits of jobs are between 1 and the total: {limits:?}"
        );
        Slots {
            limits,
            taken: 0,
            slow: 0,
            groups: HashMap::new(),
        }
    }

    /// Takes one for a job of this group.
    ///
    /// # Errors
    /// Which limit is in the way.
    pub fn take(&mut self, group: u64, slow: bool) -> Result<(), NoSlot> {
        self.free(group, slow)?;
        *self.groups.entry(group).or_default() += 1;
        self.taken += 1;
        self.slow += usize::from(slow);
        Ok(())
    }

    /// Whether one could be taken.
    ///
    /// # Errors
    /// Which limit is in the way.
    pub fn free(&self, group: u64, slow: bool) -> Result<(), NoSlot> {
        if self.taken >= self.limits.total {
            return Err(NoSlot::Total);
        }
        if self.of(group) >= self.limits.group {
            return Err(NoSlot::Group);
        }
        if slow && self.slow >= self.limits.slow {
            return Err(NoSlot::Slow);
        }
        Ok(())
    }

    /// Gives one back, which was taken as this.
    ///
    /// # Panics
    /// When none was.
    pub fn give_back(&mut self, group: u64, slow: bool) {
        let of = self.groups.get_mut(&group).expect("a slot of a group was taken before");
        *of -= 1;
        if *of == 0 {
            self.groups.remove(&group);
        }
        self.taken -= 1;
        if slow {
            self.slow = self.slow.checked_sub(1).expect("a slow slot was taken before");
        }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// How many slow lanes have.
    pub fn slow(&self) -> usize {
        self.slow
    }

    /// Whether slow lanes may have one more.
    pub fn has_slow(&self) -> bool {
        self.taken < self.limits.total && self.slow < self.limits.slow
    }

    /// How many a group has.
    pub fn of(&self, group: u64) -> usize {
        self.groups.get(&group).copied().unwrap_or_default()
    }
}
