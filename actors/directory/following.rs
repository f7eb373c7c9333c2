//! Following the directory's journal, which another node writes.
//!
//! A leader looks behind its own last block, too: one that was stopped for a while learns there that another node has
//! taken the directory over.

use super::actor::Actor;
use super::leading::Role;
use crate::settings::DIRECTORY_LOOK_BLOCKS_MAX;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tollgate_domain::directory::DirectoryFacts;
use tollgate_resource::Record;
use tollgate_store::envelope::records;
use tollgate_store::{Block, ShardId, StoreError};

impl Actor {
    /// Reads what other nodes have written, and tells who waits for it. False when what they wrote cannot be understood:
    /// a node that misses the revocation of a key must not go on.
    pub(super) fn look(&mut self) -> bool {
        let covers = self.standing.looks.begin();
        let found = catch_unwind(AssertUnwindSafe(|| self.catch_up(None)));
        let found = found.unwrap_or_else(|_| {
            Err(StoreError::Body {
                place: "the directory".into(),
                what: "a record of another node cannot be applied".into(),
            })
        });
        self.standing.looks.end(covers, found.is_ok());
        let blind = found.is_err();
        match found {
            Ok(()) => {}
            Err(StoreError::Io { .. } | StoreError::Stopped) => {
                if let Err(failure) = &found
                    && !self.blind
                {
                    tracing::warn!(%failure, "the directory's journal cannot be read; changes of other nodes are not seen");
                }
            }
            Err(failure) => {
                (self.on_fatal)(&failure.to_string());
                return false;
            }
        }
        self.blind = blind;
        true
    }

    /// Reads the journal on: to its end, or to the block that a claim names as the last.
    pub(super) fn catch_up(&mut self, last: Option<u64>) -> Result<(), StoreError> {
        let Some(follows) = self.follows.clone() else {
            return Ok(());
        };
        loop {
            let blocks = follows
                .tail
                .blocks_after(ShardId::DIRECTORY, self.last_block, DIRECTORY_LOOK_BLOCKS_MAX)?;
            if blocks.is_empty() {
                break;
            }
            if matches!(self.role, Role::Leading(_)) {
                // Nothing of ours is under way, so memory holds exactly what is durable.
                self.set_role(Role::Following);
                self.lost("another node writes the directory's journal");
            }
            blocks.iter().try_for_each(|block| self.take_block(block))?;
        }
        if let Some(last) = last
            && self.last_block != last
        {
            return Err(StoreError::Corrupt {
                place: "the directory's journal".into(),
                what: format!("it ends at block {}, and its owner was told {last}", self.last_block),
            });
        }
        if !self.shown {
            self.show();
        }
        Ok(())
    }

    fn take_block(&mut self, block: &Block) -> Result<(), StoreError> {
        let place = || format!("block {} of the directory", block.seq);
        if block.seq != self.last_block + 1 {
            return Err(StoreError::Corrupt {
                place: place(),
                what: format!("it follows on block {}", self.last_block),
            });
        }
        for record in records(&block.bytes, block.count) {
            let record = record.map_err(|error| error.at(place()))?;
            let facts = facts_of(record.body)?;
            self.directory.apply(&facts);
            if self.shown {
                self.registry.publish(&facts);
            }
        }
        self.last_block = block.seq;
        Ok(())
    }

    pub(super) fn show(&mut self) {
        self.registry.publish_all(&self.directory);
        self.shown = true;
    }
}

pub(super) fn facts_of(body: &[u8]) -> Result<DirectoryFacts, StoreError> {
    DirectoryFacts::from_bytes(body).map_err(|error| StoreError::Body {
        place: "the directory".into(),
        what: error.to_string(),
    })
}
