//! Who leads: taking the directory over, leaving it to another node, and starting again after what went wrong.

use super::actor::Actor;
use super::following::facts_of;
use std::sync::atomic::Ordering;
use tollgate_domain::directory::Directory;
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Epoch, Reads, ShardId, StoreError};

pub(super) enum Role {
    /// Decides; the next block is built here, of this incarnation.
    Leading(BlockBuilder),
    Following,
}

/// Why memory may hold what is not durable.
pub(super) enum Broken {
    /// Another node leads, or another incarnation of this one.
    Fenced,
    /// Something panicked.
    Panicked,
}

impl Actor {
    /// The incarnation that this leader is.
    fn epoch(&self) -> Option<Epoch> {
        match &self.role {
            Role::Leading(builder) => Some(builder.epoch()),
            Role::Following => None,
        }
    }

    /// Discards memory, which may hold what is not durable. After a panic, and where no other node is, the directory is
    /// taken over as a new incarnation; otherwise it follows from now on. False when it cannot be read.
    pub(super) fn restart(&mut self, broken: &Broken) -> bool {
        tracing::error!("directory discarded; it starts again from the journal");
        let was = self.epoch();
        self.set_role(Role::Following);
        (self.directory, self.last_block, self.shown) = (Directory::new(), 0, false);
        let alone = self.follows.is_none();
        if alone || matches!(broken, Broken::Panicked) {
            match self.lead_after(was) {
                Ok(()) => return true,
                Err(failure) => tracing::error!(%failure, "the directory could not be taken over again"),
            }
        }
        if alone {
            (self.on_fatal)("the directory of accounts and keys cannot be read again");
            return false;
        }
        self.lost("a block of the directory was refused, or it could not be taken over again");
        self.look()
    }

    /// Takes the directory over. When it returns, no block of an earlier leader can become durable any more, and
    /// everything that did is known here.
    pub(super) fn lead(&mut self, after: Option<Epoch>) -> Result<(), StoreError> {
        match self.role {
            Role::Leading(_) => Ok(()),
            Role::Following => self.lead_after(after),
        }
    }

    fn lead_after(&mut self, was: Option<Epoch>) -> Result<(), StoreError> {
        let claimed = match was {
            None => self.journal.claim(ShardId::DIRECTORY)?,
            // From another owner it is not taken back.
            Some(epoch) => self.journal.claim_after(ShardId::DIRECTORY, epoch)?,
        };
        match self.follows {
            Some(_) => self.catch_up(Some(claimed.last_block))?,
            None => {
                self.directory = replayed(&*self.reads)?;
                self.last_block = claimed.last_block;
                self.show();
            }
        }
        let builder = BlockBuilder::new(ShardId::DIRECTORY, claimed.epoch, claimed.last_now_ms);
        self.set_role(Role::Leading(builder));
        Ok(())
    }

    /// Leaves the directory to another node. What was decided here is durable, so it stands.
    pub(super) fn follow(&mut self) {
        assert!(self.follows.is_some(), "there is no other node that could lead");
        self.set_role(Role::Following);
    }

    pub(super) fn set_role(&mut self, role: Role) {
        if let (Some(epoch), Role::Following) = (self.epoch(), &role) {
            self.journal.release(ShardId::DIRECTORY, epoch);
        }
        let leads = matches!(role, Role::Leading(_));
        if leads != self.standing.leads.swap(leads, Ordering::SeqCst) && self.follows.is_some() {
            tracing::info!(
                leads,
                last_block = self.last_block,
                "the directory of accounts and keys"
            );
        }
        self.role = role;
    }

    pub(super) fn lost(&self, why: &str) {
        if let Some(follows) = &self.follows {
            (follows.on_lost)(why);
        }
    }
}

/// The directory as the journal tells that this process owns.
fn replayed(reads: &dyn Reads) -> Result<Directory, StoreError> {
    let mut directory = Directory::new();
    // Records of the directory belong to no account: their envelope says 0.
    reads.replay_account(AccountRef(0), &mut |fetched| {
        directory.apply(&facts_of(&fetched.body)?);
        Ok(())
    })?;
    Ok(directory)
}
