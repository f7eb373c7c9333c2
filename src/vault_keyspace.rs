//! The vault of a keyspace: the vault's port joined with its tables.

use std::io;
use tollgate_store::StoreError;
use tollgate_store_scylla::{KeptRewrap, VaultTables};
use tollgate_vault::{Access, Keep, Rewrap, Token, VaultError, Zeroizing};

/// What the vault keeps in a keyspace.
pub(crate) struct Keyspace(pub(crate) VaultTables);

impl Keyspace {
    fn failed(&self, error: &dyn std::fmt::Display) -> VaultError {
        VaultError::Io {
            path: self.0.place().into(),
            source: io::Error::other(error.to_string()),
        }
    }

    fn damaged(&self, what: &str) -> VaultError {
        VaultError::Damaged {
            path: self.0.place().into(),
            what: what.to_owned(),
        }
    }
}

impl Keep for Keyspace {
    fn place(&self) -> String {
        self.0.place()
    }

    fn keys(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let keys = self.0.keys().map_err(|error| self.failed(&error))?;
        Ok(keys.map(Zeroizing::new))
    }

    fn replace_keys(&self, before: Option<&[u8]>, after: &[u8]) -> Result<bool, VaultError> {
        self.0.replace_keys(before, after).map_err(|error| self.failed(&error))
    }

    fn was_used(&self) -> Result<bool, VaultError> {
        self.0.was_used().map_err(|error| self.failed(&error))
    }

    fn rewraps(&self, visit: &mut dyn FnMut(Token, Rewrap) -> Result<(), VaultError>) -> Result<(), VaultError> {
        let mut ended = None;
        let read = self.0.rewraps(&mut |kept| {
            let visited = match kept.data_key[..].try_into() {
                Ok(data_key) => visit(
                    kept.sealed,
                    Rewrap {
                        master_key: kept.master_key,
                        data_key,
                    },
                ),
                Err(_) => Err(self.damaged("a data key has another length")),
            };
            visited.map_err(|error| {
                ended = Some(error);
                StoreError::Stopped
            })
        });
        match ended {
            Some(error) => Err(error),
            None => read.map_err(|error| self.failed(&error)),
        }
    }

    fn add_rewraps(&self, some: &[(Token, Rewrap)]) -> Result<(), VaultError> {
        let kept = some.iter().map(|(token, rewrap)| KeptRewrap {
            sealed: *token,
            master_key: rewrap.master_key,
            data_key: rewrap.data_key.to_vec(),
        });
        self.0.add_rewraps(kept.collect()).map_err(|error| self.failed(&error))
    }

    fn drop_rewraps_before(&self, master_key: u32) -> Result<(), VaultError> {
        self.0
            .drop_rewraps_before(master_key)
            .map_err(|error| self.failed(&error))
    }

    fn record(&self, access: &Access) -> Result<(), VaultError> {
        self.0
            .record(access.at_ms, &access.line())
            .map_err(|error| self.failed(&error))
    }

    fn accesses(&self) -> Result<Vec<Access>, VaultError> {
        let lines = self.0.accesses().map_err(|error| self.failed(&error))?;
        let accesses = lines.iter().map(|line| Access::of_line(line.as_bytes()));
        accesses
            .map(|access| access.ok_or_else(|| self.damaged("an access does not read as it should")))
            .collect()
    }
}
