//! Answers that wait until it is known that the shard is still here. One look at the store is under way at a time; whoever
//! comes meanwhile waits for the next, because a look counts only for those that came before it began. An append that
//! begins after they came is as good as a look, once it is durable.

use crate::request::Delivery;

/// Answers that wait for the barrier.
#[derive(Debug, Default)]
pub(crate) struct Ward {
    /// Oldest first; bounded by admission permits.
    waiting: Vec<Waiting>,
    /// How many of them came before the look began that is under way.
    asked: usize,
    /// Whether a look is under way.
    looking: bool,
}

#[derive(Debug)]
struct Waiting {
    /// The block that must be durable as well.
    block: u64,
    /// The first block whose append begins after the answer was made.
    next: u64,
    delivery: Delivery,
}

impl Ward {
    /// Lets an answer wait.
    pub(crate) fn wait(&mut self, block: u64, next: u64, delivery: Delivery) {
        let last = self.waiting.last().map_or(0, |last| last.next);
        assert!(block <= next && last <= next, "blocks are appended in their order");
        self.waiting.push(Waiting { block, next, delivery });
    }

    /// Whether a look has to begin now, and then for everyone who waits: for those that wait for no block up to `newest`,
    /// which are or will be appended anyway.
    pub(crate) fn begins(&mut self, newest: u64) -> bool {
        let new = &self.waiting[self.asked..];
        let begins = !self.looking && new.last().is_some_and(|last| last.next > newest);
        if begins {
            self.looking = true;
            self.asked = self.waiting.len();
        }
        begins
    }

    /// The look has ended: those it counts for, with the block they still need.
    pub(crate) fn ends(&mut self) -> Vec<(u64, Delivery)> {
        self.looking = false;
        let asked = self.waiting.drain(..std::mem::take(&mut self.asked));
        asked.map(|waiting| (waiting.block, waiting.delivery)).collect()
    }

    /// A block became durable: those that need no look any more.
    pub(crate) fn appended(&mut self, seq: u64) -> Vec<Delivery> {
        // What came later waits for a later block.
        let count = self.waiting.iter().take_while(|waiting| waiting.next <= seq).count();
        self.asked -= count.min(self.asked);
        self.waiting.drain(..count).map(|waiting| waiting.delivery).collect()
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes everyone.
    pub(crate) fn take(&mut self) -> Vec<Delivery> {
        self.asked = 0;
        self.waiting.drain(..).map(|waiting| waiting.delivery).collect()
    }
}
