//! A keyspace that becomes the home of other data.

use crate::raw::Raw;
use crate::{applied, one_shard, open_as, options};
use tollgate_store::conformance::Script;
use tollgate_store::{Journal, ShardId};
use tollgate_store_scylla::{Cluster, Options, Scanner, Settings, begin_import, finish_import};

const SECRET: [u8; 32] = [7; 32];

fn told<T>(result: Result<T, impl std::fmt::Display>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn opening(settings: &Settings) -> String {
    told(Cluster::open(options("a", settings, &one_shard())))
}

#[test]
fn nobody_serves_a_keyspace_until_its_import_has_ended() {
    let settings = applied();
    // It has read the other secret, and claims nothing yet.
    let early = open_as("early", &settings, &one_shard());
    begin_import(&settings, SECRET).unwrap();
    for why in [opening(&settings), told(Scanner::open(&settings))] {
        assert!(why.contains("did not end") && why.contains("import again"), "{why}");
    }
    let why = told(begin_import(&settings, SECRET));
    assert!(why.contains("begun before"), "{why}");
    let importer = Cluster::open(Options {
        importing: true,
        ..options("import", &settings, &one_shard())
    });
    assert_eq!(importer.unwrap().about().secret, SECRET);
    let why = told(early.claim(ShardId(0)));
    assert!(why.contains("other data was imported"), "{why}");
    finish_import(&settings).unwrap();
    finish_import(&settings).expect("twice changes nothing");
    assert_eq!(opening(&settings), "");
    let why = told(begin_import(&settings, SECRET));
    assert!(why.contains("new keyspace") || why.contains("new one"), "{why}");
}

#[test]
fn a_keyspace_that_was_served_is_left_as_it_is() {
    let settings = applied();
    let a = open_as("a", &settings, &one_shard());
    let secret = a.about().secret;
    Script::claim(&(a as _), 0);
    let why = told(begin_import(&settings, SECRET));
    assert!(why.contains("it was served before"), "{why}");
    assert_eq!(opening(&settings), "");
    assert_eq!(Scanner::open(&settings).unwrap().about().secret, secret);
    assert_eq!(
        Raw::open(&settings)
            .run("SELECT name FROM $.about WHERE name = 'import'", ())
            .len(),
        0
    );
}
