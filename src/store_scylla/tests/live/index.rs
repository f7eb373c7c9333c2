//! The index in the cluster: takeovers with it, and what becomes of it when its files are missing, damaged or removed.

use crate::raw::{Raw, blob};
use crate::{applied, one_shard, options, restless};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tollgate_store::conformance::{Script, Store, wait};
use tollgate_store::{AccountRef, Commit, Head, Reads, ShardId};
use tollgate_store_scylla::{Agreement, Cluster, Limits, Options, Scanner, Settings, Taken};

const ACCOUNT: AccountRef = AccountRef(1);
/// Noon of a day.
const NOON_MS: u64 = 1_795_521_600_000;

fn birth(number: u64) -> Head {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&number.to_le_bytes());
    Head {
        account: ACCOUNT.0,
        now_ms: NOON_MS + number,
        first_seq: number,
        born: [1].as_slice().into(),
        key: Some(key),
        ..Head::default()
    }
}

fn open(node: &str, settings: &Settings, adapt: impl Fn(Options) -> Options) -> Arc<Cluster> {
    Cluster::open(adapt(options(node, settings, &one_shard()))).expect("the store opens")
}

fn store(cluster: &Arc<Cluster>) -> Arc<dyn Store> {
    Arc::clone(cluster) as _
}

fn taken(cluster: &Cluster) -> Taken {
    cluster.taken(ShardId(0)).expect("the shard is here")
}

/// Every one of so many records is found, by number and by key.
fn assert_complete(cluster: &Cluster, records: u64) {
    for number in 1..=records {
        let head = birth(number);
        let found = cluster.birth(ACCOUNT, number).expect("the index reads");
        assert_eq!(found.expect("it is found").head.now_ms, head.now_ms);
        let key = head.key.expect("it has one");
        assert!(cluster.key_may_exist(ACCOUNT, &key), "key of {number}");
        let found = cluster.by_key(ACCOUNT, &key).expect("the index reads");
        assert_eq!(found.expect("it is found").head.first_seq, number);
    }
    assert!(cluster.birth(ACCOUNT, records + 1).expect("the index reads").is_none());
}

fn await_that(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "{what}: it does not happen"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A keyspace in which node `a` has written so many records, and its index most of them to files.
fn written(records: u64) -> (Settings, Raw, Arc<Cluster>) {
    let settings = applied();
    let raw = Raw::open(&settings);
    let a = open("a", &settings, restless(20));
    let mut owner = Script::claim(&store(&a), 0);
    for number in 1..=records {
        owner.write(&[birth(number)]);
    }
    // Each run, and each merge of three, is one write of the manifest.
    let writes = || {
        let rows = raw.run("SELECT version FROM $.manifests WHERE shard = 0", ());
        rows.first().map_or(0, |row| match &row.columns[0] {
            Some(scylla::value::CqlValue::BigInt(writes)) => *writes,
            other => panic!("{other:?}"),
        })
    };
    await_that("the index is written", || writes() >= 4);
    (settings, raw, a)
}

#[test]
fn whoever_takes_over_reads_only_the_tail() {
    let (settings, raw, a) = written(300);
    drop(a);
    let b = open("b", &settings, restless(20));
    let mut owner = Script::claim(&store(&b), 0);
    let found = taken(&b);
    assert_eq!((found.blocks, found.index_rebuilt), (300, None));
    assert!(found.read <= 240, "{} blocks of 300 were read", found.read);
    assert_complete(&b, 300);
    // It goes on where the other stopped.
    for number in 301..=400 {
        owner.write(&[birth(number)]);
    }
    assert_complete(&b, 400);
    await_that("the second owner's manifest replaces the first one's", || {
        raw.numbers("SELECT epoch FROM $.manifests WHERE shard = 0") == [2]
    });
    drop(b);
    let c = open("c", &settings, |options| options);
    Script::claim(&store(&c), 0);
    let found = taken(&c);
    assert_eq!((found.blocks, found.index_rebuilt), (400, None));
    assert!(found.read < 400 - (300 - 240), "{} blocks of 400 were read", found.read);
    assert_complete(&c, 400);
}

#[test]
fn an_index_that_is_missing_or_damaged_at_a_takeover_is_built_again() {
    let (settings, raw, a) = written(200);
    drop(a);
    // Of all files: some may be left over, and mean nothing.
    let files = |raw: &Raw| raw.numbers("SELECT file FROM $.files WHERE shard = 0");
    let remove = |raw: &Raw| {
        for file in files(raw) {
            raw.run("DELETE FROM $.pieces WHERE shard = 0 AND file = ?", (file,));
        }
    };
    let damage_tail = |raw: &Raw| {
        for file in files(raw) {
            change_piece(raw, file, |bytes| *bytes.last_mut().expect("there are bytes") ^= 1);
        }
    };
    let damage_manifest = |raw: &Raw| {
        let rows = raw.run("SELECT epoch, body, fence FROM $.manifests WHERE shard = 0", ());
        for row in rows.iter().filter(|row| row.columns[1].is_some()) {
            let mut body = blob(row, 1);
            body[20] ^= 1;
            let text = "UPDATE $.manifests SET body = ? WHERE shard = 0 AND epoch = ? IF fence = ?";
            raw.run(text, (body, &row.columns[0], &row.columns[2]));
        }
    };
    type Damage<'a> = &'a dyn Fn(&Raw);
    let cases: [(&str, &str, Damage<'_>); 3] = [
        ("a file is missing", "is missing", &remove),
        ("a tail is damaged", "checksum of the tail", &damage_tail),
        ("the manifest is damaged", "checksum", &damage_manifest),
    ];
    for (name, word, damage) in cases {
        damage(&raw);
        let b = open("b", &settings, restless(20));
        Script::claim(&store(&b), 0);
        let found = taken(&b);
        let why = found.index_rebuilt.unwrap_or_default();
        assert!(why.contains(word), "{name}: {why}");
        assert_eq!(found.read, 200, "{name}");
        assert_complete(&b, 200);
        // And the next one finds a sound one.
        drop(b);
        let c = open("c", &settings, restless(20));
        Script::claim(&store(&c), 0);
        let found = taken(&c);
        assert_eq!(found.index_rebuilt, None, "{name}");
        assert!(found.read < 200, "{name}: {} blocks were read", found.read);
        assert_complete(&c, 200);
    }
}

/// Writes a file's only piece anew.
fn change_piece(raw: &Raw, file: i64, change: impl FnOnce(&mut Vec<u8>)) {
    let rows = raw.run("SELECT bytes FROM $.pieces WHERE shard = 0 AND file = ?", (file,));
    assert!(rows.len() < 2, "a small file");
    // It was begun only, or is about to be removed.
    let Some(row) = rows.first() else { return };
    let mut bytes = blob(row, 0);
    change(&mut bytes);
    let text = "INSERT INTO $.pieces (shard, file, at, bytes) VALUES (0, ?, 0, ?)";
    raw.run(text, (file, bytes));
}

#[test]
fn damage_that_is_met_while_it_serves_is_mended() {
    let (settings, raw, a) = written(200);
    drop(a);
    for file in raw.numbers("SELECT file FROM $.files WHERE shard = 0") {
        // In the first block of entries, which nobody reads at a takeover.
        change_piece(&raw, file, |bytes| bytes[10] ^= 1);
    }
    // A node without any of it in memory.
    let b = open("b", &settings, |options| options);
    let mut owner = Script::claim(&store(&b), 0);
    assert_eq!(taken(&b).index_rebuilt, None);
    let failed = (1..=200).filter(|&number| b.birth(ACCOUNT, number).is_err()).count();
    assert!(failed > 0, "damage is served");
    // It appends and answers meanwhile.
    for number in 201..=220 {
        owner.write(&[birth(number)]);
    }
    await_that("the index is built again", || {
        taken(&b).index_rebuilt.is_some() && b.index_warning().is_none()
    });
    assert_complete(&b, 220);
    for number in 221..=230 {
        owner.write(&[birth(number)]);
    }
    assert_complete(&b, 230);
    drop(b);
    let c = open("c", &settings, restless(20));
    Script::claim(&store(&c), 0);
    assert_eq!(taken(&c).index_rebuilt, None, "what was damaged is not taken again");
    assert_complete(&c, 230);
}

#[test]
fn owners_that_were_overtaken_never_harm_the_index_of_the_next() {
    let settings = applied();
    // Every node writes and merges all the time, and none of them ends what it is at when another takes over.
    let mut nodes = Vec::new();
    let mut written = 0;
    let mut stale: Option<(Arc<dyn Store>, Script)> = None;
    for round in 0..10 {
        nodes.push(open(&format!("node{round}"), &settings, restless(4)));
        let node = &nodes[round];
        let mut owner = Script::claim(&store(node), 0);
        let found = taken(node);
        assert_eq!(found.index_rebuilt, None, "round {round}");
        assert_eq!(found.blocks, written, "round {round}");
        assert_complete(node, written);
        if let Some((before, mut script)) = stale.take() {
            let late = script.block(&[birth(written + 1)]);
            assert_eq!(wait(&*before, late), Commit::Fenced);
        }
        for _ in 0..40 {
            written += 1;
            owner.write(&[birth(written)]);
        }
        stale = Some((store(node), owner));
    }
    let last = open("last", &settings, |options| options);
    Script::claim(&store(&last), 0);
    let found = taken(&last);
    assert_eq!(found.index_rebuilt, None);
    assert!(found.read < written / 2, "{} blocks of {written} were read", found.read);
    assert_complete(&last, written);
}

#[test]
fn files_that_nothing_names_are_removed() {
    let (settings, raw, a) = written(400);
    let files = || {
        let mut named = raw.numbers("SELECT file FROM $.files WHERE shard = 0");
        let mut pieces = raw.numbers("SELECT file FROM $.pieces");
        named.sort_unstable();
        pieces.sort_unstable();
        pieces.dedup();
        (named, pieces)
    };
    // Twenty runs and as many files of keys, merged three to one: without removals more than fifty.
    await_that("merged files go", || {
        let (named, pieces) = files();
        named == pieces && named.len() <= 12
    });
    assert_complete(&a, 400);
    drop(a);
    // What a node left behind that ended in the middle of a file.
    raw.run("INSERT INTO $.files (shard, file) VALUES (0, 4294968295)", ());
    raw.run(
        "INSERT INTO $.pieces (shard, file, at, bytes) VALUES (0, 4294968295, 0, 0x00)",
        (),
    );
    let b = open("b", &settings, |options| Options {
        // No run of its own comes into it.
        index: Limits {
            recent_records: 100_000,
            ..options.index
        },
        remove_files_after: Duration::ZERO,
        ..options
    });
    Script::claim(&store(&b), 0);
    await_that("what was left over goes", || {
        let (named, pieces) = files();
        named == pieces && !named.contains(&4_294_968_295)
    });
    assert_complete(&b, 400);
}

/// What an audit says of the index, which owns nothing.
fn audited(settings: &Settings) -> Agreement {
    Scanner::open(settings).expect("it opens").index().expect("it reads")
}

#[test]
fn an_audit_agrees_with_a_sound_index_and_names_what_is_wrong_in_another() {
    let (settings, raw, a) = written(300);
    let Agreement::Agrees { records } = audited(&settings) else {
        panic!("{:?}", audited(&settings));
    };
    assert!((60..=300).contains(&records), "{records} of 300 records");
    drop(a);
    let rows = raw.run(
        "SELECT file, at, bytes FROM $.pieces WHERE shard = 0 AND file = ? ALLOW FILTERING",
        {
            let files = raw.numbers("SELECT file FROM $.files WHERE shard = 0");
            (*files.last().expect("there are files"),)
        },
    );
    let mut bytes = blob(&rows[0], 2);
    bytes[20] ^= 1;
    let (file, at) = (&rows[0].columns[0], &rows[0].columns[1]);
    raw.run(
        "UPDATE $.pieces SET bytes = ? WHERE shard = 0 AND file = ? AND at = ?",
        (bytes, file.clone(), at.clone()),
    );
    let found = audited(&settings);
    let named = match &found {
        Agreement::Differs(found) => found.place.contains(".pieces shard 0 file") || found.what.contains("shard 0"),
        Agreement::Unusable(why) => why.contains("shard 0"),
        Agreement::Absent | Agreement::Agrees { .. } => false,
    };
    assert!(named, "{found:?}");
}

#[test]
fn an_index_is_built_again_on_request_while_it_serves() {
    let (settings, raw, a) = written(300);
    let before = raw.numbers("SELECT file FROM $.files WHERE shard = 0");
    let state = || {
        a.indexes()
            .into_iter()
            .find(|state| state.shard == ShardId(0))
            .expect("it is served")
    };
    assert_eq!((state().built, state().rebuilding), (0, false));
    assert!(a.rebuild_index(ShardId(0)));
    assert!(!a.rebuild_index(ShardId(1)), "it is not here");
    await_that("the index is built again", || !state().rebuilding);
    assert_eq!((state().built, state().blocks), (1, 300));
    assert_complete(&a, 300);
    await_that("the older files go", || {
        let now = raw.numbers("SELECT file FROM $.files WHERE shard = 0");
        !now.is_empty() && before.iter().all(|file| !now.contains(file))
    });
    let Agreement::Agrees { .. } = audited(&settings) else {
        panic!("{:?}", audited(&settings));
    };
    drop(a);
    let b = open("b", &settings, restless(20));
    Script::claim(&store(&b), 0);
    assert_eq!(taken(&b).index_rebuilt, None);
    assert!(taken(&b).read < 300, "its manifest was not the new one");
    assert_complete(&b, 300);
}
