//! The trail in a table: the suite of promises, what another node reads, and what an unreachable cluster costs.

use crate::raw::Raw;
use crate::{applied, one_shard, open_as};
use std::sync::Arc;
use tollgate_store::StoreError;
use tollgate_store::trail::{Counts, Entry, Position, Query, Trail, conformance};
use tollgate_store_scylla::Cluster;

/// The trail of a store.
struct Of(Arc<Cluster>);

impl Trail for Of {
    fn append(&self, entry: Entry) {
        self.0.trail().append(entry);
    }

    fn read(&self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        self.0.trail().read(query)
    }

    fn flush(&self) {
        self.0.trail().flush();
    }

    fn counts(&self) -> Counts {
        self.0.trail().counts()
    }
}

#[test]
fn the_trail_in_a_table_keeps_every_promise() {
    let settings = applied();
    conformance::run(&|| {
        // One keyspace for all: making one takes seconds, and an empty table is as good as a new one.
        Raw::open(&settings).run("TRUNCATE $.trail", ());
        Box::new(Of(open_as("a", &settings, &one_shard())))
    });
}

#[test]
fn another_node_reads_what_one_wrote_and_each_entry_ends_by_itself() {
    let settings = applied();
    let (a, b) = (
        open_as("a", &settings, &one_shard()),
        open_as("b", &settings, &one_shard()),
    );
    let at_ms = 1_790_000_000_000;
    for id in 0..100 {
        a.trail().append(Entry {
            subject: 7,
            second: id / 2,
            at: Position { at_ms: at_ms + id, id },
            bytes: vec![1; 300],
        });
    }
    a.trail().flush();
    let read = b.trail().read(&Query::newest(7, at_ms + 1_000, 3)).unwrap();
    assert_eq!(read.iter().map(|entry| entry.at.id).collect::<Vec<_>>(), [99, 98, 97]);
    assert_eq!(
        b.trail().read(&Query::newest(7, at_ms + 1_000, 9).of(4)).unwrap().len(),
        2
    );
    let raw = Raw::open(&settings);
    let rows = raw.run("SELECT ttl(bytes) FROM $.trail LIMIT 1", ());
    let ttl = rows[0].columns[0]
        .as_ref()
        .and_then(|value| value.as_int())
        .expect("it ends");
    assert!((2_591_000..=2_592_000).contains(&ttl), "{ttl} seconds");
}
