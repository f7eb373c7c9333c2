//! Comparisons of sound and of tampered indexes. An index is tampered with by writing one of its files anew, with sound
//! checksums, as a fault in the code that writes it would.

use super::super::entries::{AccountEntry, ChangeEntry, KeyEntry, MemberEntry, RecordEntry, TimerEntry};
use super::super::file::Writing;
use super::super::keyfile::KeyFileWriter;
use super::super::run::{AccountsWriter, ChangesWriter, RunWriter, Written};
use super::*;
use crate::block::{Cursor, Entry, SectionWriter};
use crate::world::{ID, World};
use std::sync::atomic::AtomicBool;

impl World {
    fn writing(&self) -> Writing {
        Writing {
            files: self.port(),
            stopping: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Writes the first run anew.
    fn rewrite_run(&self, change: impl FnOnce(&mut Entries)) {
        let mut manifest = self.manifest();
        let view: View<crate::world::Reached> =
            View::open(&*self.port(), &ID).expect("it opens").expect("there is one");
        let run = &view.runs[0];
        let mut entries = Entries {
            timeline: all(run.timeline.start()),
            lists: all(run.lists.start()),
            changes: all(run.changes.start()),
            timers: all(run.timers.start()),
            accounts: all(run.accounts.start()),
        };
        change(&mut entries);
        let writing = self.writing();
        let mut run = RunWriter::create(&writing, manifest.next_id).expect("it is created");
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
        let view: View<crate::world::Reached> =
            View::open(&*self.port(), &ID).expect("it opens").expect("there is one");
        let mut keys = all(view.keys[0].keys.start());
        change(&mut keys);
        keys.sort_by_key(|entry| (entry.hash, entry.account));
        let writing = self.writing();
        let most = keys.len() as u64;
        let mut file = KeyFileWriter::create(&writing, manifest.next_id, most).expect("it is created");
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

fn all<E: Entry>(mut cursor: Cursor<'_, E>) -> Vec<E> {
    std::iter::from_fn(|| cursor.forth().expect("the run reads")).collect()
}

fn section<E: Entry>(run: &mut RunWriter<'_>, entries: Vec<E>) -> crate::block::Blocks<E> {
    let mut section = SectionWriter::new();
    let put = entries.into_iter().map(|entry| section.push(&mut run.file, entry));
    put.collect::<Result<(), _>>().expect("written");
    section.finish(&mut run.file).expect("written")
}

#[test]
fn a_sound_index_agrees_and_is_left_alone() {
    let world = World::new();
    let before = world.files.with(|state| state.manifest.clone());
    let Agreement::Agrees { records } = world.compare() else {
        panic!("{:?}", world.compare());
    };
    assert_eq!(records, world.manifest().records);
    assert_eq!(world.files.with(|state| state.manifest.clone()), before);
}

#[test]
fn an_index_that_a_start_would_not_use_is_no_difference() {
    let world = World::new();
    let sound = world.files.with(|state| state.manifest.clone());
    world.files.with(|state| {
        state.manifest.as_mut().expect("there is one").pop();
    });
    assert!(matches!(world.compare(), Agreement::Unusable(why) if why.contains("checksum")));
    world.files.with(|state| state.manifest.clone_from(&sound));
    let mut another = world.manifest();
    another.checkpoint.chain ^= 1;
    world.write(&another);
    assert!(matches!(world.compare(), Agreement::Unusable(why) if why.contains("another end")));
    world.files.with(|state| state.manifest.clone_from(&sound));
    let run = crate::run::name(world.manifest().runs[0].id);
    world.files.with(|state| state.files.remove(&run));
    assert!(matches!(world.compare(), Agreement::Unusable(_)));
    assert!(world.read().is_some(), "whoever looks changes nothing");
    world.files.with(|state| state.manifest = None);
    assert_eq!(world.compare(), Agreement::Absent);
    world.files.with(|state| state.unavailable = true);
    assert!(compare(&*world.port(), &ID, &world.journal).is_err(), "nobody knows");
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
    let newest = another.checkpoint.owners.get_mut(&1).expect("the shard has an owner");
    *newest -= 1;
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
    let run = crate::run::name(world.manifest().runs[0].id);
    world.files.with(|state| {
        let bytes = state.files.get_mut(&run).expect("the run is there");
        Arc::make_mut(bytes)[100] ^= 1;
    });
    expect(&world, "a flipped bit", "checksum", false);
    assert!(world.read().is_some(), "whoever looks changes nothing");
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
