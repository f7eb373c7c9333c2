//! Notes of webhook delivery on their way to a store with other shards.

use std::collections::BTreeMap;
use tollgate_resource::notes;
use tollgate_store::{AccountRef, Head, ShardId};

/// Where a note of a shard of the target is cut, in bytes.
const BODY_BYTES: usize = 1 << 20;

/// What the shards themselves noted: which accounts have endpoints.
#[derive(Default)]
pub(crate) struct Changed {
    accounts: BTreeMap<u64, u64>,
    newest_ms: u64,
}

impl Changed {
    /// Takes a note of the source.
    pub(crate) fn take(&mut self, head: &Head, body: &[u8]) -> Result<(), String> {
        self.newest_ms = self.newest_ms.max(head.now_ms);
        if !head.born.is_empty() {
            return Ok(());
        }
        for entry in notes::entries(body) {
            let entry = entry.map_err(|error| error.to_string())?;
            // Whoever is named has an endpoint, or has had one.
            let known = self.accounts.entry(entry.account).or_default();
            if entry.kind == notes::CHANGED {
                let seq = notes::changed(&entry).map_err(|error| error.to_string())?;
                *known = seq.max(*known);
            }
        }
        Ok(())
    }

    /// A note for each shard of the target whose accounts were named.
    pub(crate) fn divided(&self, shard_of: impl Fn(AccountRef) -> ShardId) -> Vec<(ShardId, Head, Vec<u8>)> {
        let mut bodies: BTreeMap<ShardId, Vec<Vec<u8>>> = BTreeMap::new();
        for (account, seq) in &self.accounts {
            let bodies = bodies.entry(shard_of(AccountRef(*account))).or_default();
            if bodies.last().is_none_or(|body| body.len() >= BODY_BYTES) {
                bodies.push(Vec::new());
            }
            let body = bodies.last_mut().expect("one was just made where there was none");
            notes::put_changed(body, *account, *seq);
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

    #[test]
    fn accounts_with_endpoints_are_named_in_the_shards_they_come_to() {
        let mut changed = Changed::default();
        let mut body = Vec::new();
        notes::put_changed(&mut body, 3, 40);
        notes::put(&mut body, 4, 1, b"delivery's own");
        notes::put_changed(&mut body, 5, 7);
        notes::put_changed(&mut body, 3, 20);
        let head = |now_ms| Head {
            now_ms,
            ..Head::default()
        };
        changed.take(&head(9), &body).expect("it reads");
        let page = Head {
            born: [tollgate_store::NOTES_PAGE].into_iter().collect(),
            ..head(11)
        };
        changed.take(&page, b"no entries").expect("pages are not looked into");
        assert!(changed.take(&head(1), b"no entries").is_err());
        let divided = changed.divided(|account| ShardId((account.0 % 2) as u16));
        let read = divided.iter().flat_map(|(shard, head, body)| {
            assert_eq!((head.account, head.now_ms), (AccountRef::notes_of(*shard).0, 11));
            notes::entries(body).map(|entry| {
                let entry = entry.expect("it was just written");
                (shard.0, entry.account, notes::changed(&entry).expect("a number"))
            })
        });
        let read: Vec<(u16, u64, u64)> = read.collect();
        assert_eq!(read, [(0, 4, 0), (1, 3, 40), (1, 5, 7)]);
    }
}
