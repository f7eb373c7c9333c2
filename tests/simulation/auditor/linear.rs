//! Linearizability of an account, checked with the journal as the witness.
//!
//! A history of requests and answers is linearizable if there is one order of all of them in which each takes effect at
//! one moment between its sending and its answer, and in which each answer is what a sequential account gives. In general
//! that order has to be searched for. Here it need not be: the journal *is* an order of everything that changed the
//! account, so it is enough to check that it is a right one, which takes time linear in the history:
//!
//! 1. *Writes.* Record `n` of an account is the effect of one request. It is appended after the request was sent (the
//!    auditor refuses a record of a request that nobody sent) and its answer leaves after the record is durable (the
//!    auditor refuses an answer whose record it has not seen). So the moment of the append lies between both, and if
//!    request A was answered before B was sent, A's record stands before B's. Each record is checked against the state
//!    the records before it made, so the answers are those of the sequential account.
//! 2. *Reads and refusals* change nothing. Such an answer is right if it is what the account gives after some record `p`
//!    with `from <= p <= to`: `from` is the newest record that anybody had been shown when the request was sent (or it would
//!    have gone back behind an answer that was there before), and `to` is the newest durable record when the answer
//!    left (or it would show what may still be lost). Reads are placed right behind record `p`.
//! 3. *Order of reads among each other.* An answer that shows record `p` raises `from` for everything sent afterwards, so
//!    the places chosen in 2 respect real time as well: if read A was answered before read B was sent, then `p(A) <=
//!    from(B) <= p(B)`.
//!
//! The bound `from` is the least `p` that explains an answer: a version of an object that stood from record 5 to 9 raises
//! `from` to 5 only. Choosing the least is no loss: a later place would only forbid more.
//!
//! The whole account is taken as the object, not each payment by itself: that is what a sequential shard promises.

use super::Auditor;
use super::model::{AccountModel, looked_at};
use tollgate_domain::Object;
use tollgate_resource::Id;

/// Records between which an answer must find its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Auditor {
    /// The window of a request that is answered now.
    pub(super) fn window(&self, slot: u32) -> Window {
        let asking = &self.asked[slot as usize];
        Window {
            from: asking.from,
            to: self.accounts[&asking.request.profile.key.0].record,
        }
    }
}

impl AccountModel {
    /// The least record of the window after which the account showed exactly this object.
    pub(super) fn place_of(&self, object: &Object, window: Window) -> Option<u64> {
        let versions = self.objects.get(&object.id().seq())?;
        let object = &looked_at(object);
        let first = versions
            .partition_point(|(record, _)| *record <= window.from)
            .saturating_sub(1);
        versions[first..]
            .iter()
            .take_while(|(record, _)| *record <= window.to)
            .find(|(_, version)| version == object)
            .map(|(record, _)| (*record).max(window.from))
    }

    /// The least record of the window after which `holds` is true; it is asked about the moments at which one of the
    /// objects changes.
    pub(super) fn place_where(&self, ids: &[Id], window: Window, holds: &dyn Fn(u64) -> bool) -> Option<u64> {
        let mut moments = vec![window.from];
        for id in ids {
            let versions = self.objects.get(&id.seq()).map_or(&[][..], Vec::as_slice);
            let first = versions.partition_point(|(record, _)| *record <= window.from);
            moments.extend(
                versions[first..]
                    .iter()
                    .map(|(record, _)| *record)
                    .take_while(|record| *record <= window.to),
            );
        }
        moments.sort_unstable();
        moments.into_iter().find(|moment| holds(*moment))
    }
}
