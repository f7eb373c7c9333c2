//! Records that were read lately, decoded.
//!
//! Several want a record within moments: every endpoint of its account that looks for what is next, and each of its events when
//! its body is written. What is durable never changes, whoever serves its shard and in whichever epoch, so nothing that stands
//! here can be out of date and nobody has to say that a shard came or went. It has to be dropped with the store it was read from.

use crate::listing::decode;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollgate_domain::Facts;
use tollgate_domain::account::AccountKey;
use tollgate_store::{AccountRef, Reads, StoreError};

/// Most records that are kept: more than are read between the first and the last who wants one, which is milliseconds.
pub const RECORDS_KEPT_MAX: usize = 1_024;
/// Most bytes of the journal that they take there together. Decoded, a record takes several times as much.
pub const RECORD_BYTES_KEPT_MAX: usize = 1 << 20;

/// See the module. Shared by whoever reads.
#[derive(Debug, Default)]
pub struct Records {
    kept: Mutex<Kept>,
    decoded: AtomicU64,
}

/// An account, and the last sequence number of one of its records.
type Ending = (AccountKey, u64);

#[derive(Debug, Default)]
struct Kept {
    /// Each with its bytes in the journal.
    records: BTreeMap<Ending, (Arc<Facts>, usize)>,
    /// The same, the one that came first in front: it goes first.
    order: VecDeque<Ending>,
    bytes: usize,
}

impl Records {
    /// The record in which this sequence number was born, if there is one that is durable. May wait for the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn with(
        &self,
        reads: &dyn Reads,
        account: AccountKey,
        seq: u64,
    ) -> Result<Option<Arc<Facts>>, StoreError> {
        if let Some(facts) = self.kept().find(account, seq) {
            return Ok(Some(facts));
        }
        let Some(fetched) = reads.birth(AccountRef(account.0), seq)? else {
            return Ok(None);
        };
        let facts = Arc::new(decode(&fetched)?);
        self.decoded.fetch_add(1, Relaxed);
        self.kept().keep((account, facts.seq_after), &facts, fetched.body.len());
        Ok(Some(facts))
    }

    /// How many records were decoded so far.
    pub fn decoded(&self) -> u64 {
        self.decoded.load(Relaxed)
    }

    /// How many are kept, and the bytes that they take in the journal.
    pub fn held(&self) -> (usize, usize) {
        let kept = self.kept();
        (kept.order.len(), kept.bytes)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&self, account: AccountKey, seq: u64) -> Option<Arc<Facts>> {
        let (_, (facts, _)) = self.records.range((account, seq)..=(account, u64::MAX)).next()?;
        (facts.seq_before < seq).then(|| Arc::clone(facts))
    }

    fn keep(&mut self, ending: Ending, facts: &Arc<Facts>, bytes: usize) {
        // Another thread may have read the same one meanwhile.
        if bytes > RECORD_BYTES_KEPT_MAX || self.records.contains_key(&ending) {
            return;
        }
        self.records.insert(ending, (Arc::clone(facts), bytes));
        self.order.push_back(ending);
        self.bytes += bytes;
        while self.order.len() > RECORDS_KEPT_MAX || self.bytes > RECORD_BYTES_KEPT_MAX {
            let first = self.order.pop_front().expect("what takes bytes is in order");
            let (_, bytes) = self.records.remove(&first).expect("what is in order is kept");
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(seq_before: u64, seq_after: u64) -> Arc<Facts> {
        Arc::new(Facts {
            seq_before,
            seq_after,
            ..Facts::default()
        })
    }

    #[test]
    fn a_record_is_found_by_what_was_born_in_it_and_by_nothing_else() {
        let mut kept = Kept::default();
        let (one, other) = (AccountKey(1), AccountKey(2));
        kept.keep((one, 7), &facts(3, 7), 100);
        kept.keep((one, 12), &facts(9, 12), 100);
        kept.keep((other, 20), &facts(0, 20), 100);
        let found = |account, seq| kept.find(account, seq).map(|facts| facts.seq_after);
        let of_one: Vec<u64> = (0..30).filter(|seq| found(one, *seq).is_some()).collect();
        assert_eq!(of_one, [4, 5, 6, 7, 10, 11, 12]);
        assert_eq!((found(one, 7), found(one, 10)), (Some(7), Some(12)));
        assert_eq!(
            (found(other, 1), found(other, 20), found(other, 21)),
            (Some(20), Some(20), None)
        );
        assert_eq!(found(AccountKey(0), 5), None);
    }

    #[test]
    fn records_and_their_bytes_are_bounded_and_the_first_to_come_go_first() {
        let mut kept = Kept::default();
        let account = AccountKey(1);
        let keep = |kept: &mut Kept, nth: u64, bytes: usize| {
            kept.keep((account, 2 * nth + 2), &facts(2 * nth, 2 * nth + 2), bytes);
            assert_eq!(kept.records.len(), kept.order.len());
            assert_eq!(kept.records.values().map(|(_, bytes)| bytes).sum::<usize>(), kept.bytes);
        };
        let many = 3 * RECORDS_KEPT_MAX as u64;
        (0..many).for_each(|nth| keep(&mut kept, nth, 10));
        assert_eq!(
            (kept.order.len(), kept.bytes),
            (RECORDS_KEPT_MAX, 10 * RECORDS_KEPT_MAX)
        );
        let oldest = many - RECORDS_KEPT_MAX as u64;
        assert!(kept.find(account, 2 * oldest).is_none() && kept.find(account, 2 * oldest + 1).is_some());
        // Once more is not twice.
        keep(&mut kept, many - 1, 10);
        assert_eq!(
            (kept.order.len(), kept.bytes),
            (RECORDS_KEPT_MAX, 10 * RECORDS_KEPT_MAX)
        );
        // A large one takes the place of many, one that is too large none.
        keep(&mut kept, many, RECORD_BYTES_KEPT_MAX - 20);
        assert_eq!((kept.order.len(), kept.bytes), (3, RECORD_BYTES_KEPT_MAX));
        keep(&mut kept, many + 1, RECORD_BYTES_KEPT_MAX + 1);
        assert_eq!((kept.order.len(), kept.bytes), (3, RECORD_BYTES_KEPT_MAX));
    }
}
