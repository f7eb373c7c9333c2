//! Opening an index, and what becomes of it when its files fail.

use crate::files::FileName;
use crate::host::{Host, Threads};
use crate::world::{Journal, World, await_that};
use crate::{FileKind, Opening};
use std::sync::Arc;
use tollgate_store::StoreError;

#[test]
fn what_was_written_is_known_at_the_next_start() {
    let world = World::new();
    let opened = world.open();
    let known = opened.known.as_ref().expect("there is an index").records;
    assert_eq!(known, world.manifest().records);
    assert!(known >= 500 && opened.refused.is_none());
    world.journal.publish_into(&opened);
    world.assert_complete(&opened.index);
}

#[test]
fn what_does_not_check_out_is_built_again() {
    let sound = World::new();
    let run = crate::run::name(sound.manifest().runs[0].id);
    let tail_at = sound.manifest().runs[0].tail_at as usize;
    type Damage = fn(&mut Vec<u8>, usize);
    let cases: [(&str, &str, Damage); 3] = [
        ("a tail", "checksum of the tail", |bytes, tail_at| bytes[tail_at] ^= 1),
        ("a length", "bytes instead of", |bytes, _| bytes.truncate(100)),
        ("a beginning", "does not begin like", |bytes, _| bytes[0] ^= 1),
    ];
    for (name, word, damage) in cases {
        let world = sound.copy();
        world.files.with(|state| {
            let bytes = state.files.get_mut(&run).expect("the run is there");
            damage(Arc::make_mut(bytes), tail_at);
        });
        let opened = world.open();
        let refused = opened.refused.as_deref().unwrap_or_default();
        assert!(refused.contains(word), "{name}: {refused}");
        assert!(opened.known.is_none(), "{name}");
        assert!(
            world.files.with(|state| state.files.is_empty()),
            "{name}: nothing of it is left"
        );
        world.journal.publish_into(&opened);
        world.assert_complete(&opened.index);
    }
}

#[test]
fn files_that_cannot_be_reached_are_not_held_against_the_index() {
    let world = World::new();
    world.files.with(|state| state.unavailable = true);
    assert!(matches!(world.try_open(), Err(StoreError::Io { .. })));
    world.files.with(|state| state.unavailable = false);
    let opened = world.open();
    assert!(opened.known.is_some(), "nothing was thrown away");
    let before = world.manifest().records;
    // Nor while it serves.
    world.files.with(|state| state.unavailable = true);
    world.journal.publish_into(&opened);
    await_that(|| opened.index.warning().is_some());
    world.files.with(|state| state.unavailable = false);
    await_that(|| opened.index.warning().is_none() && world.manifest().records > before);
    world.assert_complete(&opened.index);
}

#[test]
fn an_index_with_another_owner_is_not_written_any_more() {
    let world = World::new();
    let opened = world.open();
    let before = world.manifest();
    world.files.with(|state| state.fenced = true);
    world.journal.publish_into(&opened);
    await_that(|| opened.index.warning().is_some());
    assert_eq!(world.manifest(), before);
    // It answers on, from memory.
    world.assert_complete(&opened.index);
    // A merge that was under way still leaves its file. After that nothing is tried again, or files would go on coming.
    let files = || world.files.with(|state| state.files.len());
    await_that(|| {
        let before = files();
        std::thread::sleep(2 * crate::writer::TICK);
        files() == before
    });
}

#[test]
fn many_indexes_share_two_threads() {
    let host = Host::start(Threads::default()).expect("threads start");
    let worlds: Vec<World> = (0..6)
        .map(|nth| World {
            journal: Journal::of(200 + 50 * nth),
            files: Arc::default(),
            host: Host::start(Threads::default()).expect("threads start"),
        })
        .collect();
    std::thread::scope(|scope| {
        for world in &worlds {
            let host = &host;
            scope.spawn(move || {
                let opening = Opening {
                    files: world.port(),
                    host,
                    id: crate::world::ID,
                    shards: 2,
                    first_file: 1 << 32,
                    idempotency_hours: 24,
                    limits: crate::world::LITTLE,
                };
                let opened = opening.open(|_| Ok(())).expect("the index opens");
                world.journal.publish_into(&opened);
                await_that(|| world.read().is_some_and(|manifest| manifest.records >= 180));
                world.assert_complete(&opened.index);
            });
        }
    });
    host.join();
    for world in &worlds {
        assert!(matches!(world.compare(), crate::Agreement::Agrees { records } if records >= 180));
        let names: Vec<FileName> = world.files.with(|state| state.files.keys().copied().collect());
        assert!(names.iter().any(|name| name.kind == FileKind::Run));
        assert!(names.iter().all(|name| name.id >= 1 << 32), "{names:?}");
    }
}
