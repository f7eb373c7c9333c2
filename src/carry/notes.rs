//! Notes of webhook delivery on their way to a store with other shards. What they say stays delivery's own: entries are
//! taken apart by the accounts they are about, and keep their order.

use std::collections::BTreeMap;
use tollgate_resource::RecordError;
use tollgate_resource::notes::{self, PAGE_EPOCH_BITS};
use tollgate_store::{AccountRef, Head, ShardId};

/// Where a note of a shard of the target is cut, in bytes.
const BODY_BYTES: usize = 128 << 10;
/// Entries of this account are about no account, but about the pages of a row: there are none where they arrive.
const OF_PAGES: u64 = 0;

/// The notes of all shards of the source, from the newest row of each on.
#[derive(Default)]
pub(crate) struct Cursors {
    shards: BTreeMap<ShardId, Newest>,
    newest_ms: u64,
}

/// What is noted of one shard.
#[derive(Default)]
struct Newest {
    /// Parts of the row that comes next, and the epoch that wrote them.
    pages: (u64, Vec<u8>),
    /// The newest row and everything behind it.
    entries: Vec<u8>,
}

impl Cursors {
    /// Takes a note of the source. Those of a shard come in their order.
    ///
    /// # Errors
    /// When it is not framed as notes are.
    pub(crate) fn take(&mut self, shard: ShardId, head: &Head, body: &[u8]) -> Result<(), RecordError> {
        self.newest_ms = self.newest_ms.max(head.now_ms);
        notes::entries(body).try_for_each(|entry| entry.map(drop))?;
        let newest = self.shards.entry(shard).or_default();
        if !head.born.is_empty() {
            let epoch = head.first_seq >> PAGE_EPOCH_BITS;
            // Pages of an earlier epoch are of a row that was never written.
            if newest.pages.0 != epoch {
                newest.pages = (epoch, Vec::new());
            }
            newest.pages.1.extend_from_slice(body);
            return Ok(());
        }
        if head.row {
            newest.entries = std::mem::take(&mut newest.pages.1);
        }
        newest.entries.extend_from_slice(body);
        Ok(())
    }

    /// Notes for the shards of the target that say the same about each account.
    pub(crate) fn divided(&self, shard_of: impl Fn(AccountRef) -> ShardId) -> Vec<(ShardId, Head, Vec<u8>)> {
        let mut bodies: BTreeMap<ShardId, Vec<Vec<u8>>> = BTreeMap::new();
        let entries = self.shards.values().flat_map(|newest| notes::entries(&newest.entries));
        for entry in entries.map(|entry| entry.expect("each was looked at when it was taken")) {
            if entry.account == OF_PAGES {
                continue;
            }
            let bodies = bodies.entry(shard_of(AccountRef(entry.account))).or_default();
            if bodies.last().is_none_or(|body| body.len() >= BODY_BYTES) {
                bodies.push(Vec::new());
            }
            let body = bodies.last_mut().expect("one was just made where there was none");
            notes::put(body, entry.account, entry.kind, entry.bytes);
        }
        let of_shard = |(shard, bodies): (ShardId, Vec<Vec<u8>>)| {
            let head = Head {
                account: AccountRef::notes_of(shard).0,
                now_ms: self.newest_ms,
                ..Head::default()
            };
            bodies.into_iter().map(move |body| (shard, head.clone(), body))
        };
        bodies.into_iter().flat_map(of_shard).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_store::NOTES_PAGE;

    /// Entries as they were said: about which account, what.
    fn body(entries: &[(u64, &str)]) -> Vec<u8> {
        let mut body = Vec::new();
        for (account, text) in entries {
            notes::put(&mut body, *account, 1, text.as_bytes());
        }
        body
    }

    fn page(epoch: u64, number: u64) -> Head {
        Head {
            first_seq: epoch << PAGE_EPOCH_BITS | number,
            born: [NOTES_PAGE].into_iter().collect(),
            ..Head::default()
        }
    }

    fn note(row: bool, now_ms: u64) -> Head {
        Head {
            row,
            now_ms,
            ..Head::default()
        }
    }

    #[test]
    fn what_is_noted_of_an_account_comes_to_its_shard_in_order_from_the_newest_row_on() {
        let mut cursors = Cursors::default();
        let mut take = |shard, head: Head, entries: &[(u64, &str)]| {
            cursors
                .take(ShardId(shard), &head, &body(entries))
                .expect("it is framed");
        };
        take(0, note(false, 1), &[(3, "before"), (4, "before")]);
        take(0, page(1, 7), &[(3, "of a row that never came")]);
        take(0, page(2, 1), &[(3, "page")]);
        take(0, page(2, 2), &[(3, "more")]);
        take(0, note(true, 5), &[(OF_PAGES, "where the pages are"), (4, "row")]);
        take(5, note(false, 9), &[(7, "alone")]);
        take(0, note(false, 6), &[(4, "after"), (3, "after")]);
        take(0, page(2, 3), &[(3, "of a row that never came")]);
        let divided = cursors.divided(|account| ShardId((account.0 % 2) as u16));
        let read = divided.iter().flat_map(|(shard, head, body)| {
            assert_eq!((head.account, head.now_ms), (AccountRef::notes_of(*shard).0, 9));
            notes::entries(body).map(|entry| {
                let entry = entry.expect("it was just written");
                (
                    shard.0,
                    entry.account,
                    String::from_utf8_lossy(entry.bytes).into_owned(),
                )
            })
        });
        let read: Vec<(u16, u64, String)> = read.collect();
        let expected = [
            (0, 4, "row"),
            (0, 4, "after"),
            (1, 3, "page"),
            (1, 3, "more"),
            (1, 3, "after"),
            (1, 7, "alone"),
        ];
        assert_eq!(
            read,
            expected.map(|(shard, account, text)| (shard, account, text.to_owned()))
        );
        assert!(cursors.take(ShardId(0), &note(false, 1), b"no entries").is_err());
    }
}
