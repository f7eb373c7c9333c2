//! Open data: the store, and the keys of what is in it.

use crate::config::{Config, Kind};
use crate::exit::Failure;
use crate::kept::{Kept, end_of_store};
use crate::place::Place;
use crate::vault_command;
use std::sync::Arc;
use tollgate_actors::DirectoryHandle;
use tollgate_actors::clock::unix_ms;
use tollgate_domain::Secrets;

/// Open data: a directory, and with a cluster the keyspace.
pub(crate) struct Data {
    /// Its store.
    pub store: Kept,
    /// Keys of its keyed hashes.
    pub secrets: Secrets,
}

impl Data {
    /// Opens the data the settings name, or creates it.
    pub(crate) fn open(config: &Config) -> Result<Data, Failure> {
        Data::open_as(config, "")
    }

    /// The same, for a node that others reach at this address.
    pub(crate) fn open_as(config: &Config, addr: &str) -> Result<Data, Failure> {
        let settings = &config.store;
        // Before anything of it is touched.
        vault_command::refuse_lost_keys(&Place::of(settings))?;
        let store = match settings.kind {
            Kind::Embedded => Kept::embedded(settings)?,
            Kind::Cql => Kept::cluster(settings, &config.node, addr)?,
        };
        let vault = store.vault(settings, unix_ms())?;
        let secrets = Secrets::new(store.secret()).with_vault(vault);
        Ok(Data { store, secrets })
    }

    /// The accounts and keys of the data, without shards: for commands that work offline.
    pub(crate) fn directory(&self) -> Result<DirectoryHandle, Failure> {
        let config = tollgate_actors::directory::DirectoryConfig {
            dev: false,
            on_fatal: Arc::new(end_of_store),
            follows: None,
        };
        DirectoryHandle::start(config, &self.secrets, self.store.journal(), self.store.reads())
            .map_err(Failure::environment)
    }
}
