//! What delivery reads, from the journal, as the server reads it.

use super::World;
use crate::merchants::secrets;
use bytes::Bytes;
use std::sync::Arc;
use tollgate_actors::outbox::{Happened, Noted, account_of, events, events_after, first_since, notes_of, page_of};
use tollgate_domain::account::Profile;
use tollgate_domain::events::EventType;
use tollgate_domain::webhooks::webhook_endpoint::{DeliveryOrder, DisabledReason, EndpointState, WebhookEndpoint};
use tollgate_domain::{AccountKey, kinds};
use tollgate_resource::Names;
use tollgate_store::{ShardId, StoreError};
use tollgate_webhooks::hall::{Answered, Read};
use tollgate_webhooks::ports::{AccountView, Event, SavedNote, SourceError};
use tollgate_webhooks::{ActiveSecret, EndpointKey, EndpointView, Ordering, Patterns, Schedule, Secret, Status};

/// Seconds from each failed attempt to the next: fewer than usual, so that a run sees events given up.
const RETRIES_S: [u32; 4] = [5, 60, 600, 3_600];
/// How long an attempt may take, milliseconds.
const TIMEOUT_MS: u32 = 10_000;

impl World<'_> {
    /// What a hall wants to know.
    pub(super) fn read_for_post(&mut self, read: Read) -> Answered {
        fn told<T>(found: Result<T, StoreError>) -> Result<T, SourceError> {
            found.map_err(|error| SourceError(error.to_string()))
        }
        let reads = &*self.store;
        let all = |happened: Vec<Happened>| happened.iter().map(event).collect();
        match read {
            Read::Notes { shard } => {
                let mut notes = Vec::new();
                let read = notes_of(reads, ShardId(shard), &mut |noted| {
                    notes.push(match noted {
                        Noted::Row(body) => SavedNote::Row(Bytes::copy_from_slice(&body)),
                        Noted::Progress(body) => SavedNote::Progress(Bytes::copy_from_slice(&body)),
                    });
                    Ok(())
                });
                Answered::Notes(told(read.map(|()| notes)))
            }
            Read::Page { shard, number } => {
                let page = page_of(reads, ShardId(shard), number);
                let page = page.map(|page| page.expect("a row names pages that come before it"));
                Answered::Page(told(page.map(|page| Bytes::copy_from_slice(&page))))
            }
            Read::Account { account } => Answered::Account(told(self.endpoints_of(account))),
            Read::EventsAfter { account, after, limit } => {
                Answered::Events(told(events_after(reads, AccountKey(account), after, limit).map(all)))
            }
            Read::Events { account, seqs } => {
                Answered::Events(told(events(reads, AccountKey(account), &seqs).map(all)))
            }
            Read::FirstSince { account, since_ms } => {
                let first = first_since(reads, AccountKey(account), since_ms);
                Answered::FirstSince(told(first.map(|first| first.unwrap_or(u64::MAX))))
            }
        }
    }

    fn endpoints_of(&mut self, account: u64) -> Result<AccountView, StoreError> {
        let profile = self.merchants.iter().find(|profile| profile.key.0 == account);
        let profile = Arc::clone(profile.expect("an account of the run"));
        let read = account_of(&*self.store, &profile)?;
        let mut endpoints = Vec::new();
        for endpoint in read.endpoints() {
            let view = view(endpoint, &profile, read.seq);
            if let Some(post) = &mut self.post {
                post.knows(view.key, endpoint.id);
            }
            endpoints.push(view);
        }
        Ok(AccountView {
            upto: read.seq,
            endpoints,
        })
    }
}

fn event(happened: &Happened) -> Event {
    Event {
        seq: happened.seq,
        kind: happened.event.kind.name(),
        created_ms: happened.event.id.unix_ms(),
        object: happened.event.object.id().seq(),
        nth: u64::from(happened.number),
    }
}

/// An endpoint as delivery sees it.
fn view(endpoint: &WebhookEndpoint, profile: &Profile, revision: u64) -> EndpointView {
    let wanted = EventType::ALL.iter().filter(|event| endpoint.wants(**event));
    let open = |sealed: &_| {
        secrets()
            .open_webhook_secret(sealed)
            .expect("a secret of the run opens")
    };
    let active = endpoint
        .secrets
        .iter()
        .filter_map(|kept| kept.sealed.as_ref())
        .map(|sealed| ActiveSecret {
            secret: Secret::new(open(sealed).text().to_string()),
            until_s: None,
        });
    EndpointView {
        key: EndpointKey {
            account: profile.key.0,
            seq: endpoint.id.seq(),
        },
        id: endpoint.id.text(&kinds::WEBHOOK_ENDPOINT).into(),
        revision,
        livemode: profile.livemode,
        url: Arc::from(&*endpoint.url),
        filter: Patterns::new(wanted.map(|event| event.name())).expect("names of events"),
        api_version: endpoint.body_format().text().into(),
        status: match endpoint.state {
            EndpointState::Enabled => Status::Enabled,
            EndpointState::Disabled {
                reason: DisabledReason::Paused,
                ..
            } => Status::Paused,
            EndpointState::Disabled { .. } | EndpointState::Deleted => Status::Disabled,
        },
        secrets: active.collect(),
        ordering: match endpoint.delivery().order {
            None | Some(DeliveryOrder::FifoWhileHealthy) => Ordering::FifoWhileHealthy,
            Some(DeliveryOrder::Strict) => Ordering::Strict,
            Some(DeliveryOrder::None) => Ordering::None,
        },
        timeout_ms: TIMEOUT_MS,
        rate_per_s: None,
        schedule: Schedule::new(&RETRIES_S).expect("a schedule"),
        standard_headers: false,
    }
}
