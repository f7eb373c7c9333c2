//! The accounts that ask most, in a fixed amount of memory: a space-saving sketch.

use tollgate_domain::account::AccountKey;

/// Accounts a shard's sketch holds. Whoever makes more than one in so many of its requests is among them.
pub const HOT_ACCOUNTS_MAX: usize = 32;

/// Sightings after which all counts are halved, so that the newest requests weigh most.
const SIGHTINGS_MAX: u64 = 8_192;

/// The sketch of one shard.
#[derive(Debug, Default)]
pub(crate) struct HotAccounts {
    /// Account, count, and by how much the count may be too high.
    known: Vec<(AccountKey, u64, u64)>,
    sightings: u64,
}

/// An account that asks much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotAccount {
    /// The account.
    pub account: AccountKey,
    /// Sightings, at most; one in [`SAMPLE_EVERY`](crate::metrics::SAMPLE_EVERY) requests is one.
    pub count: u64,
    /// By how much `count` may be too high.
    pub error: u64,
}

impl HotAccounts {
    /// The account was seen to ask.
    pub(crate) fn saw(&mut self, account: AccountKey) {
        self.sightings += 1;
        if let Some((_, count, _)) = self.known.iter_mut().find(|(known, ..)| *known == account) {
            *count += 1;
        } else if self.known.len() < HOT_ACCOUNTS_MAX {
            self.known.push((account, 1, 0));
        } else {
            // Takes the place of the least known, whose sightings might all have been its own.
            let least = self.known.iter_mut().min_by_key(|(_, count, _)| *count);
            let least = least.expect("the sketch is full");
            *least = (account, least.1 + 1, least.1);
        }
        if self.sightings >= SIGHTINGS_MAX {
            self.sightings /= 2;
            self.known.iter_mut().for_each(|(_, count, error)| {
                *count /= 2;
                *error /= 2;
            });
            self.known.retain(|(_, count, _)| *count > 0);
        }
    }

    /// Sightings of all accounts together.
    pub(crate) fn sightings(&self) -> u64 {
        self.sightings
    }

    /// Who is known, in no order.
    pub(crate) fn known(&self) -> Vec<HotAccount> {
        let known = self.known.iter();
        known
            .map(|&(account, count, error)| HotAccount { account, count, error })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;

    #[test]
    fn who_asks_much_is_found_among_many_and_counted_within_the_error() {
        let (mut hot, mut dice) = (HotAccounts::default(), Entropy::new(3));
        let mut seen = [0u64; 3];
        for _ in 0..6_000 {
            let account = match dice.below(100) {
                0..30 => 1,
                30..40 => 2,
                _ => 1_000 + dice.below(100_000),
            };
            if account <= 2 {
                seen[account as usize] += 1;
            }
            hot.saw(AccountKey(account));
        }
        let mut known = hot.known();
        assert!(known.len() <= HOT_ACCOUNTS_MAX);
        known.sort_by_key(|hot| std::cmp::Reverse(hot.count));
        for (place, account) in [1u64, 2].into_iter().enumerate() {
            let found = known[place];
            let truth = seen[account as usize];
            assert_eq!(found.account, AccountKey(account));
            assert!(
                found.count - found.error <= truth && truth <= found.count,
                "{found:?}, {truth}"
            );
        }
    }

    #[test]
    fn old_sightings_fade() {
        let mut hot = HotAccounts::default();
        (0..5_000).for_each(|_| hot.saw(AccountKey(1)));
        (0..40_000).for_each(|_| hot.saw(AccountKey(2)));
        assert!(hot.sightings() < SIGHTINGS_MAX);
        let old = hot.known().into_iter().find(|hot| hot.account == AccountKey(1));
        assert!(old.is_none_or(|old| old.count < 200), "{old:?}");
    }
}
