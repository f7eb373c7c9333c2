//! What delivery reads, from the journal, as the server reads it.

use super::World;
use super::deliveries::Post;
use crate::merchants::secrets;
use std::sync::Arc;
use tollgate_domain::account::Profile;
use tollgate_relay::{Usual, journal};
use tollgate_store::StoreError;
use tollgate_webhooks::Schedule;
use tollgate_webhooks::hall::{Answered, Read};
use tollgate_webhooks::ports::{AccountView, SourceError};

/// Seconds from each failed attempt to the next: fewer than usual, so that a run sees events given up.
const RETRIES_S: [u32; 4] = [5, 60, 600, 3_600];
/// How long an attempt may take, milliseconds.
const TIMEOUT_MS: u32 = 10_000;

impl World<'_> {
    /// What a hall wants to know.
    pub(super) fn read_for_post(&mut self, read: Read) -> Answered {
        fn told<T>(found: Result<T, StoreError>) -> Result<T, SourceError> {
            // A store that is absent is asked again; one that holds what nobody can have written is a finding.
            if let Err(error @ StoreError::Body { .. }) = &found {
                panic!("what delivery reads is not what was written: {error}");
            }
            found.map_err(|error| SourceError(error.to_string()))
        }
        // They go with the process that read them, as in the server.
        let records = self.post.as_ref().map(Post::records).unwrap_or_default();
        let reads = &*self.store;
        match read {
            Read::Notes { shard } => Answered::Notes(told(journal::notes(reads, shard))),
            Read::Page { shard, number } => Answered::Page(told(journal::page(reads, shard, number))),
            Read::Account { account } => Answered::Account(told(self.endpoints_of(account))),
            Read::EventsAfter {
                account, after, limit, ..
            } => Answered::Events(told(journal::events_after(&records, reads, account, after, limit))),
            Read::Events { account, seqs } => Answered::Events(told(journal::events(&records, reads, account, &seqs))),
            Read::FirstSince { account, since_ms } => {
                let profile = self.profile_of(account);
                Answered::FirstSince(told(journal::first_since(reads, &profile, since_ms)))
            }
        }
    }

    fn endpoints_of(&mut self, account: u64) -> Result<AccountView, StoreError> {
        let profile = self.profile_of(account);
        let usual = Usual {
            timeout_ms: TIMEOUT_MS,
            schedule: Schedule::new(&RETRIES_S).expect("a schedule"),
        };
        let post = &mut self.post;
        tollgate_relay::account(&*self.store, &profile, &secrets(), &usual, &mut |endpoint, id| {
            if let Some(post) = post {
                post.knows(endpoint, id);
            }
        })
    }

    fn profile_of(&self, account: u64) -> Arc<Profile> {
        let profile = self.merchants.iter().find(|profile| profile.key.0 == account);
        Arc::clone(profile.expect("an account of the run"))
    }
}
