//! `tollgate schema apply`: makes the keyspace of a cluster.

use crate::config::{Kind, Store};
use crate::exit::Failure;
use crate::output::print;
use tollgate_store_scylla::{Outcome, apply_schema};

/// Makes the keyspace that the settings name, and its tables, and prints what was done.
pub(crate) fn apply(settings: &Store) -> Result<(), Failure> {
    if settings.kind != Kind::Cql {
        let why = "store.kind is \"embedded\", which needs no schema; set it to \"cql\" (TOLLGATE_STORE__KIND=cql)";
        return Err(Failure::wrong_use(why));
    }
    let cql = &settings.cql.settings;
    let (outcome, about) = apply_schema(cql, settings.shards).map_err(Failure::environment)?;
    let what = match outcome {
        Outcome::Applied => "made",
        Outcome::Unchanged => "is there already",
    };
    print(&format!(
        "keyspace {} {what}, with {} shards\n",
        cql.keyspace, about.shards
    ))
}
