//! Making the keyspace, alone and by many at once.

use crate::raw::Raw;
use crate::{SHARDS, settings};
use tollgate_store_scylla::{Outcome, SCHEMA, Settings, apply_schema};

#[test]
fn applying_again_changes_nothing() {
    let settings = settings();
    let (first, about) = apply_schema(&settings, SHARDS).unwrap();
    // The number of shards was fixed by the first.
    let (again, same) = apply_schema(&settings, SHARDS * 2).unwrap();
    assert_eq!((first, again), (Outcome::Applied, Outcome::Unchanged));
    assert_eq!(about, same);
    assert_eq!(same.shards, SHARDS);
}

#[test]
fn many_may_apply_at_once() {
    let settings = settings();
    let all = std::thread::scope(|scope| {
        let each: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| apply_schema(&settings, SHARDS)))
            .collect();
        each.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    let first = all[0].as_ref().expect("applied").1.clone();
    for one in all {
        assert_eq!(one.expect("applied").1, first, "two of them made data of their own");
    }
}

#[test]
fn a_lock_that_a_dead_process_left_and_a_keyspace_that_was_dropped_hold_nobody_up() {
    let settings = settings();
    let (_, first) = apply_schema(&settings, SHARDS).unwrap();
    let raw = Raw::open(&settings);
    let free = || raw.run("SELECT name FROM $.schema_lock", ()).is_empty();
    assert!(free(), "whoever is done lets the next one in");
    let dead = "INSERT INTO $.schema_lock (name, holder, beat) VALUES ('tables', 0x0707, 3) IF NOT EXISTS";
    raw.run(dead, ());
    raw.run("DROP TABLE $.uploads", ());
    let (_, again) = apply_schema(&settings, SHARDS).unwrap();
    assert_eq!(again, first);
    raw.run("SELECT digest FROM $.uploads", ());
    assert!(free());
    raw.run("DROP KEYSPACE $", ());
    let (outcome, other) = apply_schema(&settings, SHARDS).unwrap();
    assert_eq!(outcome, Outcome::Applied);
    assert_ne!(other, first, "it is other data");
}

#[test]
fn wrong_settings_are_named() {
    let told = |settings: &Settings| apply_schema(settings, SHARDS).unwrap_err().to_string();
    let wrong = told(&Settings {
        local_datacenter: "nowhere".to_owned(),
        ..settings()
    });
    assert!(
        wrong.contains("local_datacenter = \"nowhere\"") && wrong.contains("datacenter1"),
        "{wrong}"
    );
    let wrong = told(&Settings {
        replication_factor: 9,
        ..settings()
    });
    assert!(
        wrong.contains("replication_factor = 9") && wrong.contains("fewer replicas"),
        "{wrong}"
    );
    let wrong = told(&Settings {
        keyspace: "Toll-gate".to_owned(),
        ..settings()
    });
    assert!(wrong.contains("store.cql.keyspace"), "{wrong}");
    let wrong = told(&Settings {
        contact_points: vec!["127.0.0.1:1".to_owned()],
        ..settings()
    });
    assert!(wrong.contains("contact_points = 127.0.0.1:1"), "{wrong}");
}

#[test]
fn data_that_was_not_made_is_missed_by_name() {
    let settings = settings();
    let options = tollgate_store_scylla::Options::new(settings, "a", "127.0.0.1:1", crate::one_shard());
    let Err(error) = tollgate_store_scylla::Cluster::open(options) else {
        panic!("a store opened that was never made");
    };
    assert!(error.to_string().contains("tollgate schema apply"), "{error}");
}

#[test]
fn data_of_an_older_schema_is_brought_to_this_one_and_not_served_before() {
    let settings = settings();
    let (_, about) = apply_schema(&settings, SHARDS).unwrap();
    let raw = Raw::open(&settings);
    let set = |schema: u32| {
        let values = (&schema.to_le_bytes()[..],);
        raw.run("UPDATE $.about SET value = ? WHERE name = 'schema' IF EXISTS", values);
    };
    let open = || {
        let options = tollgate_store_scylla::Options::new(settings.clone(), "a", "127.0.0.1:1", crate::one_shard());
        tollgate_store_scylla::Cluster::open(options)
            .err()
            .map(|error| error.to_string())
    };
    for (older, table) in [(1, "uploads"), (2, "trail")] {
        raw.run(&format!("DROP TABLE $.{table}"), ());
        set(older);
        let told = open().expect("it is too old");
        assert!(
            told.contains(&format!("schema {older}")) && told.contains("tollgate schema apply"),
            "{told}"
        );
        assert_eq!(
            apply_schema(&settings, SHARDS).unwrap(),
            (Outcome::Applied, about.clone())
        );
        assert_eq!(open(), None);
        assert_eq!(
            apply_schema(&settings, SHARDS).unwrap(),
            (Outcome::Unchanged, about.clone())
        );
    }
    set(SCHEMA + 1);
    let told = open().expect("it is too new");
    assert!(
        told.contains("newer") || told.contains(&(SCHEMA + 1).to_string()),
        "{told}"
    );
    assert!(apply_schema(&settings, SHARDS).is_err(), "it is left as it is");
}
