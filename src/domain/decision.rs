//! The way a command takes through the domain: `decide` reads a world and says what happens; it changes nothing.

use crate::account::Account;
use crate::acquirer::AttemptId;
use crate::call::{Command, Read};
use crate::facts::{Claim, Facts};
use crate::inputs::Inputs;
use crate::object::{Item, Object};
use crate::reject::Reject;
use tollgate_resource::{Id, Kind};

/// What a decision may look at.
pub struct World<'a> {
    /// The account's own state: books, settings, sequence.
    pub account: &'a Account,
    /// Its objects, as far as they are in memory.
    pub objects: &'a dyn Objects,
}

/// Objects by id.
pub trait Objects {
    /// Looks an object up. Absence is certain (`Absent`) only after the store was asked.
    fn find(&self, kind: &'static Kind, id: Id) -> Lookup<'_>;
}

/// What is known about an id.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// Here it is, at its newest version (durable or not).
    Found(&'a Object),
    /// There is none.
    Absent,
    /// It may be in the store: load it and decide again.
    NotLoaded,
}

/// A decision that could not be made, or refuses.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// Load this object, then decide again.
    Load(&'static Kind, Id),
    /// This object waits for its network: park the command and decide again when it changes (bounded; then 429
    /// `lock_timeout`).
    Busy(Id),
    /// Refused; nothing changes (a decline is no `Stop`: it changes things).
    Reject(Box<Reject>),
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What changes. Empty facts (no object, entry, event) need no block unless an outcome is to be remembered.
    pub facts: Facts,
    /// What the asker hears.
    pub reply: Reply,
    /// A request, other than the asker, that this decides: the one whose attempt was resolved.
    pub settles: Option<Settled>,
}

/// What the asker of a command hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// 200 with this object, which is among the facts' objects or in the world.
    Object(&'static Kind, Id),
    /// An error, although things changed (a decline).
    Reject(Box<Reject>),
    /// Nothing yet: a later decision with `settles.attempt` equal to this answers.
    Await(AttemptId),
    /// Nobody asked (timer, network).
    Nobody,
}

/// The end of a request that waited for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The attempt it waited for.
    pub attempt: AttemptId,
    /// The claim of its idempotency key, if it had one.
    pub claim: Option<Claim>,
    /// What it hears.
    pub reply: Reply,
}

/// Decides a command. `claim` is the idempotency claim of the request, for attempts to carry.
pub fn decide(world: &World<'_>, command: &Command, claim: Option<&Claim>, inputs: &Inputs<'_>) -> Result<Decision, Stop> {
    let _ = (world, command, claim, inputs);
    unimplemented!("contract only: replaced by the domain room")
}

/// Answers a read of one object or value.
pub fn read(world: &World<'_>, read: Read, now_ms: u64) -> Result<Item, Stop> {
    let _ = (world, read, now_ms);
    unimplemented!("contract only: replaced by the domain room")
}
