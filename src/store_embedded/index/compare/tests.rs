//! Comparisons of sound and of tampered indexes. An index is tampered with by writing one of its files anew, with sound
//! checksums, as a fault in the code that writes it would.

use super::super::Limits;
use super::super::entries::{AccountEntry, ChangeEntry, KeyEntry, MemberEntry, RecordEntry, TimerEntry};
use super::super::file::Writing;
use super::super::keyfile::KeyFileWriter;
use super::super::run::{AccountsWriter, ChangesWriter, RunWriter, Written};
use super::*;
use crate::index::block::{Cursor, Entry, SectionWriter};
use crate::{Embedded, LocalDisk, Options};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{Head, Journal, KeyHash, ShardId};

/// Noon of a day.
const NOON_MS: u64 = 1_795_521_600_000;
const SHARDS: u16 = 2;

/// A data directory whose index holds most of its records in several runs.
struct World {
    dir: tempfile::TempDir,
    meta: Meta,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let options = |index| Options {
            segment_bytes: 16 * 1024,
            fsync: false,
            index,
            ..Options::default()
        };
        let store = Embedded::create_or_open(dir.path(), SHARDS, options(Limits::default())).expect("the store opens");
        let mut owners: Vec<(BlockBuilder, u64)> = (0..SHARDS)
            .map(|shard| {
                let claimed = store.claim(ShardId(shard)).expect("a claim succeeds");
                (BlockBuilder::new(ShardId(shard), claimed.epoch, 0), 0)
            })
            .collect();
        for nth in 0..700 {
            let shard = nth as u16 % SHARDS;
            let (builder, last) = &mut owners[usize::from(shard)];
            builder.push(&head(nth), b"body").expect("a small block");
            *last += 1;
            let (sender, receiver) = mpsc::sync_channel(1);
            let done = Box::new(move |commit| sender.send(commit).expect("the test waits"));
            store.submit(builder.seal(*last), done);
            receiver.recv().expect("the block is answered");
        }
        let meta = store.meta().clone();
        drop(store);
        // Opened with room for little, it writes a run for every 60 records that it walks, and joins three to one.
        let little = Limits {
            recent_records: 60,
            merged_runs: 3,
            generation_records: 200,
            ..Limits::default()
        };
        let store = Embedded::open(dir.path(), options(little)).expect("the store opens");
        let started = Instant::now();
        let written = || Manifest::read(&dir.path().join(INDEX), &meta.id).ok().flatten();
        while written().is_none_or(|manifest| manifest.records < 500) {
            assert!(started.elapsed() < Duration::from_secs(120), "the index is not written");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(store);
        let world = World { dir, meta };
        assert!(world.manifest().runs.len() > 1);
        world
    }

    /// Another one with the same files.
    fn copy(&self) -> World {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["journal", INDEX] {
            std::fs::create_dir(dir.path().join(name)).expect("it is made");
            for entry in std::fs::read_dir(self.dir.path().join(name)).expect("it reads") {
                let entry = entry.expect("it reads");
                std::fs::copy(entry.path(), dir.path().join(name).join(entry.file_name())).expect("it is copied");
            }
        }
        World {
            dir,
            meta: self.meta.clone(),
        }
    }

    fn index(&self) -> std::path::PathBuf {
        self.dir.path().join(INDEX)
    }

    fn compare(&self) -> Agreement {
        compare(self.dir.path(), &self.meta).expect("the journal is sound")
    }

    fn manifest(&self) -> Manifest {
        let manifest = Manifest::read(&self.index(), &self.meta.id).expect("it reads");
        manifest.expect("there is one")
    }

    fn write(&self, manifest: &Manifest) {
        manifest
            .write(&self.index(), &self.meta.id, false)
            .expect("the manifest is written");
    }

    /// Writes the first run anew.
    fn rewrite_run(&self, change: impl FnOnce(&mut Entries)) {
        let mut manifest = self.manifest();
        let view = View::open(&self.index(), &self.meta)
            .expect("it opens")
            .expect("there is one");
        let run = &view.runs[0];
        let mut entries = Entries {
            timeline: all(run.timeline.start()),
            lists: all(run.lists.start()),
            changes: all(run.changes.start()),
            timers: all(run.timers.start()),
            accounts: all(run.accounts.start()),
        };
        change(&mut entries);
        let writing = writing();
        let mut run = RunWriter::create(&writing, &self.index(), manifest.next_id).expect("it is created");
        let most = entries.timeline.len() as u64 * 4;
        let timeline = section(&mut run, entries.timeline);
        let lists = section(&mut run, entries.lists);
        let mut changes = ChangesWriter::new(most);
        let put = entries
            .changes
            .into_iter()
            .map(|entry| changes.push(&mut run.file, entry));
        put.collect::<Result<(), _>>().expect("written");
        let (changes, changed) = changes.finish(&mut run.file).expect("written");
        let timers = section(&mut run, entries.timers);
        let mut accounts = AccountsWriter::new(most);
        let put = entries
            .accounts
            .into_iter()
            .map(|entry| accounts.push(&mut run.file, entry));
        put.collect::<Result<(), _>>().expect("written");
        let (accounts, present) = accounts.finish(&mut run.file).expect("written");
        let written = Written {
            timeline,
            lists,
            changes,
            timers,
            accounts,
            changed,
            present,
        };
        let health = Arc::new(Health::of_an_onlooker());
        let run = run
            .finish(manifest.runs[0].level, written, &health)
            .expect("it is finished");
        manifest.next_id += 1;
        manifest.runs[0] = run.entry;
        self.write(&manifest);
    }

    /// Writes the first file of keys anew.
    fn rewrite_keys(&self, change: impl FnOnce(&mut Vec<KeyEntry>)) {
        let mut manifest = self.manifest();
        let view = View::open(&self.index(), &self.meta)
            .expect("it opens")
            .expect("there is one");
        let mut keys = all(view.keys[0].keys.start());
        change(&mut keys);
        keys.sort_by_key(|entry| (entry.hash, entry.account));
        let writing = writing();
        let most = keys.len() as u64;
        let mut file = KeyFileWriter::create(&writing, &self.index(), manifest.next_id, most).expect("it is created");
        keys.into_iter().for_each(|entry| file.push(entry).expect("written"));
        let entry = manifest.keys[0];
        let health = Arc::new(Health::of_an_onlooker());
        let file = file
            .finish(manifest.next_id, entry.level, entry.hour, &health)
            .expect("it is finished");
        manifest.next_id += 1;
        manifest.keys[0] = file.entry;
        self.write(&manifest);
    }
}

/// All entries of a run.
struct Entries {
    timeline: Vec<RecordEntry>,
    lists: Vec<MemberEntry>,
    changes: Vec<ChangeEntry>,
    timers: Vec<TimerEntry>,
    accounts: Vec<AccountEntry>,
}

/// The nth record: of each ten of an account, one is a row, one changes what the one before bore, one claims a key that
/// the next one settles.
fn head(nth: u64) -> Head {
    let account = 1 + nth % 4;
    let own = nth / 4;
    let (round, step) = (own / 10, own % 10);
    // Eight of ten bear two things.
    let first_seq = 1 + round * 16 + step.min(8) * 2;
    let now_ms = NOON_MS + nth * 1_000;
    let bears = step < 8;
    let key: Option<KeyHash> = match step {
        8 => None,
        // The same key twice: in flight, then settled.
        1 | 2 => Some(hash(account, round * 10 + 1)),
        _ => Some(hash(account, round * 10 + step)),
    };
    Head {
        account,
        now_ms,
        first_seq,
        born: if bears {
            [1, 2].into_iter().collect()
        } else {
            Default::default()
        },
        changed: match step {
            // The first payment of the round, twice.
            4 | 6 => [1 + round * 16].into_iter().collect(),
            9 => [first_seq - 2].into_iter().collect(),
            _ => Default::default(),
        },
        lists: if bears {
            [(first_seq, 2, first_seq + 1)].into_iter().collect()
        } else {
            Default::default()
        },
        tags: 1 << step,
        key,
        timers: match step {
            // Far beyond every window, so none of them is handled.
            3 => [(NOON_MS + 7 * 86_400_000, first_seq)].into_iter().collect(),
            _ => Default::default(),
        },
        row: step == 8,
    }
}

fn hash(account: u64, number: u64) -> KeyHash {
    let mut hash = [0; 12];
    hash[..8].copy_from_slice(&super::super::filter::mix(account << 32 | number).to_le_bytes());
    hash
}

fn writing() -> Writing {
    Writing {
        disk: Arc::new(LocalDisk),
        fsync: false,
        stopping: Arc::new(AtomicBool::new(false)),
    }
}

fn all<E: Entry>(mut cursor: Cursor<'_, E>) -> Vec<E> {
    std::iter::from_fn(|| cursor.forth().expect("the run reads")).collect()
}

fn section<E: Entry>(run: &mut RunWriter<'_>, entries: Vec<E>) -> crate::index::block::Blocks<E> {
    let mut section = SectionWriter::new();
    let put = entries.into_iter().map(|entry| section.push(&mut run.file, entry));
    put.collect::<Result<(), _>>().expect("written");
    section.finish(&mut run.file).expect("written")
}

#[test]
fn a_sound_index_agrees_and_is_left_alone() {
    let world = World::new();
    let before = std::fs::read(world.index().join(manifest::NAME)).expect("it reads");
    let Agreement::Agrees { records } = world.compare() else {
        panic!("{:?}", world.compare());
    };
    assert_eq!(records, world.manifest().records);
    assert_eq!(
        std::fs::read(world.index().join(manifest::NAME)).expect("it reads"),
        before
    );
}

#[test]
fn an_index_that_a_start_would_not_use_is_no_difference() {
    let world = World::new();
    let manifest = world.index().join(manifest::NAME);
    let sound = std::fs::read(&manifest).expect("it reads");
    std::fs::write(&manifest, &sound[..sound.len() - 1]).expect("it is cut");
    assert!(matches!(world.compare(), Agreement::Unusable(why) if why.contains("checksum")));
    std::fs::write(&manifest, &sound).expect("it is written");
    let mut another = world.manifest();
    another.position.chain ^= 1;
    world.write(&another);
    assert!(matches!(world.compare(), Agreement::Unusable(why) if why.contains("another end")));
    std::fs::write(&manifest, &sound).expect("it is written");
    let run = super::super::run::path(&world.index(), world.manifest().runs[0].id);
    std::fs::remove_file(&run).expect("it is removed");
    assert!(matches!(world.compare(), Agreement::Unusable(_)));
    assert!(manifest.exists(), "whoever looks changes nothing");
    std::fs::remove_dir_all(world.index()).expect("it is removed");
    assert_eq!(world.compare(), Agreement::Absent);
}

/// A name, a word of what is found, whether a record is named, and the way to break it.
type Case = (&'static str, &'static str, bool, fn(&mut Entries));

#[test]
fn a_run_that_says_something_else_is_found_with_its_record() {
    let as_it_is = "does not hold this record as it is";
    let cases: [Case; 15] = [
        ("a record elsewhere", as_it_is, true, |run| {
            run.timeline[7].place.offset += 8
        }),
        ("a record of another length", as_it_is, true, |run| {
            run.timeline[7].place.len += 1
        }),
        ("other tags", as_it_is, true, |run| run.timeline[7].tags ^= 1),
        ("another time", as_it_is, true, |run| run.timeline[7].now_ms += 1),
        ("another kind", as_it_is, true, |run| run.timeline[7].born[0] = 3),
        ("a record is lost", as_it_is, true, |run| {
            run.timeline.remove(7);
        }),
        ("a member is lost", "in a list", true, |run| {
            run.lists.remove(7);
        }),
        ("a member too many", "members of a list", false, |run| {
            let mut member = run.lists[7];
            member.child += 1;
            run.lists.insert(8, member);
        }),
        ("a change is lost", "changed an object", true, |run| {
            run.changes.remove(1);
        }),
        ("an older version", "changed an object", true, |run| {
            let older = run
                .timeline
                .iter()
                .find(|entry| entry.account == run.changes[1].account);
            run.changes[1].place = older.expect("the account has records").place;
        }),
        ("a change too many", "something of this segment", false, |run| {
            let mut change = run.changes[1];
            change.seq += 1;
            run.changes.insert(2, change);
        }),
        ("a timer is lost", "lacks a timer", true, |run| {
            run.timers.remove(1);
        }),
        ("a timer too many", "a timer that the journal", false, |run| {
            let mut timer = run.timers[1];
            timer.due_ms += 1;
            run.timers.push(timer);
            run.timers.sort();
        }),
        ("a timer at another time", "lacks a timer", true, |run| {
            run.timers[0].due_ms -= 1;
        }),
        ("a list of another", "in a list", true, |run| {
            let next = run.lists[8].parent;
            run.lists[7].parent = next;
            run.lists.sort();
        }),
    ];
    let sound = World::new();
    for (name, word, names_record, tamper) in cases {
        let world = sound.copy();
        world.rewrite_run(tamper);
        expect(&world, name, word, names_record);
    }
}

#[test]
fn keys_that_say_something_else_are_found_with_their_record() {
    let by_key = "by its idempotency key";
    type KeyCase = (&'static str, &'static str, bool, fn(&mut Vec<KeyEntry>));
    let cases: [KeyCase; 4] = [
        ("a key is lost", by_key, true, |keys| {
            keys.remove(3);
        }),
        ("a key of another record", by_key, true, |keys| {
            keys[3].place = keys.iter().map(|entry| entry.place).min().expect("there are keys");
        }),
        ("a key of another account", by_key, true, |keys| keys[3].account += 1),
        ("a key too many", "something of this segment", false, |keys| {
            let mut key = keys[3];
            key.hash[11] ^= 1;
            keys.push(key);
        }),
    ];
    let sound = World::new();
    for (name, word, names_record, tamper) in cases {
        let world = sound.copy();
        world.rewrite_keys(tamper);
        expect(&world, name, word, names_record);
    }
}

#[test]
fn what_the_manifest_counts_is_counted() {
    let world = World::new();
    let sound = world.manifest();
    let mut another = sound.clone();
    another.records += 1;
    world.write(&another);
    expect(&world, "a record too many", "it counts", false);
    let mut another = sound.clone();
    let owner = another.owners.get_mut(&ShardId(1)).expect("the shard has an owner");
    owner.last_block -= 1;
    world.write(&another);
    expect(&world, "an owner of another block", "it counts", false);
}

#[test]
fn an_account_that_has_come_to_another_end_is_found() {
    let world = World::new();
    // The newest run counts.
    let mut manifest = world.manifest();
    manifest.runs.reverse();
    world.write(&manifest);
    world.rewrite_run(|run| run.accounts[0].end.next_seq += 1);
    let mut manifest = world.manifest();
    manifest.runs.reverse();
    world.write(&manifest);
    expect(
        &world,
        "an account's end",
        "how far account 0x0000000000000001 has come",
        false,
    );
}

#[test]
fn a_file_that_does_not_read_is_a_difference_and_stays() {
    let world = World::new();
    let path = super::super::run::path(&world.index(), world.manifest().runs[0].id);
    let mut bytes = std::fs::read(&path).expect("it reads");
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).expect("it is written");
    expect(&world, "a flipped bit", "checksum", false);
    assert!(
        world.index().join(manifest::NAME).exists(),
        "whoever looks changes nothing"
    );
}

fn expect(world: &World, name: &str, word: &str, names_record: bool) {
    match world.compare() {
        Agreement::Differs(found) => {
            assert!(found.what.contains(word), "{name}: {found:?}");
            assert_eq!(found.block.is_some(), names_record, "{name}: {found:?}");
            let of_journal = found.place.contains(".segment offset ");
            assert!(of_journal == names_record, "{name}: {found:?}");
        }
        other => panic!("{name}: {other:?}"),
    }
}
