//! Where data is, as the commands that work without a server are told.

use crate::config::{Config, Kind, Store};
use crate::exit::Failure;
use crate::vault_keyspace::Keyspace;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use tollgate_store::{Scan, StoreError};
use tollgate_store_embedded::Embedded;
use tollgate_store_scylla::{Scanner, Settings, VaultTables};
use tollgate_vault::{Folder, Keep};

/// Names the data of a command.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PlaceFlags {
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Settings file that names the data, a cluster's keyspace perhaps.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl PlaceFlags {
    /// Settings of the store that is named; a data directory is one whatever the settings say.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        let mut store = Config::load(self.config.as_deref(), &[])?.store;
        if let Some(data) = &self.data {
            store.use_directory(data);
        }
        Ok(store)
    }

    /// Where the data is that is named.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        Place::of(&self.store()?).there()
    }
}

/// Where the data is.
pub(crate) enum Place {
    /// A data directory.
    Directory(PathBuf),
    /// A keyspace.
    Cluster(Settings),
}

impl Place {
    /// The data that the settings name.
    pub(crate) fn of(store: &Store) -> Place {
        match store.kind {
            Kind::Embedded => Place::Directory(store.data.clone()),
            Kind::Cql => Place::Cluster(store.cql.settings.clone()),
        }
    }

    /// Refuses a directory without data. Of a keyspace it is known when it is asked.
    pub(crate) fn there(self) -> Result<Place, Failure> {
        match &self {
            Place::Directory(data) if !Embedded::is_data(data) => Err(Failure::wrong_use(format!(
                "there is no data directory {}; name one with --data",
                data.display()
            ))),
            _ => Ok(self),
        }
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Place::Directory(data) => data.display().to_string(),
            Place::Cluster(settings) => format!("keyspace {}", settings.keyspace),
        }
    }

    /// What its vault keeps.
    pub(crate) fn vault(&self) -> Result<(Arc<dyn Keep>, Option<VaultTables>), Failure> {
        Ok(match self {
            Place::Directory(data) => (Arc::new(Folder::of(data)), None),
            Place::Cluster(settings) => {
                let tables = VaultTables::connect(settings).map_err(Failure::environment)?;
                (Arc::new(Keyspace(tables.clone())), Some(tables))
            }
        })
    }

    /// Every block of its journal.
    pub(crate) fn scanner(&self) -> Result<Box<dyn Scan>, StoreError> {
        Ok(match self {
            Place::Directory(data) => Box::new(Embedded::scanner(data)?),
            Place::Cluster(settings) => Box::new(Scanner::open(settings)?),
        })
    }
}
