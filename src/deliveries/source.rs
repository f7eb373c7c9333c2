//! What delivery reads: accounts with their endpoints, events, bodies, notes.

use super::joined::Joined;
use super::readers::Readers;
use crate::config::Webhooks;
use bytes::Bytes;
use quick_cache::sync::Cache;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use tollgate_actors::outbox::{Records, event_shown};
use tollgate_actors::readers::Profiles;
use tollgate_domain::account::Profile;
use tollgate_domain::object::{Item, ShowContext};
use tollgate_domain::webhooks::webhook_endpoint::BodyFormat;
use tollgate_domain::{AccountKey, SHAPE_REVISION, Secrets, kinds};
use tollgate_relay::{Usual, journal};
use tollgate_resource::{Expand, Version};
use tollgate_store::{Reads, StoreError};
use tollgate_webhooks::ports::{AccountView, Asked, Body, Event, SavedNote, Soon, Source};
use tollgate_wire::{Rendering, versions};

/// Memory for rendered bodies: those of events that several endpoints want, and of retries that come soon.
const BODIES_BYTES: u64 = 32 << 20;
/// About what a body takes with its names.
const BODY_BYTES: u64 = 3 << 10;

/// Most bodies of an endpoint that are rendered before they are asked for. With more, and many accounts that are behind, the
/// first would be given up before that.
const AHEAD_MAX: usize = 8;

/// How many endpoints have not taken an event: account, sequence of the event, its type.
pub(super) type Pending = Arc<dyn Fn(AccountKey, u64, tollgate_domain::events::EventType) -> u32 + Send + Sync>;

/// The journal behind the port of delivery.
pub(super) struct JournalSource {
    pub(super) readers: Readers,
    pub(super) parts: Arc<Parts>,
}

/// What answers are made of.
pub(super) struct Parts {
    pub(super) profiles: Arc<dyn Profiles>,
    pub(super) secrets: Secrets,
    pub(super) public_url: String,
    pub(super) pending: Pending,
    pub(super) joined: Arc<Joined>,
    pub(super) bodies: Bodies,
    pub(super) records: Arc<Records>,
    /// What holds where an endpoint says nothing of it.
    pub(super) usual: Arc<RwLock<Usual>>,
}

/// What holds for endpoints that say nothing of it, by the settings.
pub(super) fn usual(settings: &Webhooks) -> Usual {
    Usual {
        timeout_ms: settings.timeout.as_millis() as u32,
        schedule: settings.schedule.clone(),
    }
}

/// Bodies lately rendered, by account, event and version.
pub(super) struct Bodies(Cache<Asking, Body, Weight>);

/// Account, event, and the version that was asked for; `None` for the account's of the day.
type Asking = (u64, u64, Option<Version>);

#[derive(Clone)]
struct Weight;

impl quick_cache::Weighter<Asking, Body> for Weight {
    fn weight(&self, _: &Asking, body: &Body) -> u64 {
        body.bytes.len() as u64 + 128
    }
}

impl Bodies {
    pub(super) fn new() -> Bodies {
        Bodies(Cache::with_weighter(
            (BODIES_BYTES / BODY_BYTES) as usize,
            BODIES_BYTES,
            Weight,
        ))
    }
}

impl Parts {
    fn profile(&self, account: AccountKey) -> Result<Arc<Profile>, StoreError> {
        self.profiles.profile(account).ok_or_else(|| StoreError::Body {
            place: format!("account {:016x}", account.0),
            what: "the directory does not know it (yet)".into(),
        })
    }

    fn account(&self, reads: &dyn Reads, key: AccountKey) -> Result<AccountView, StoreError> {
        let profile = self.profile(key)?;
        let usual = self.usual.read().unwrap_or_else(PoisonError::into_inner).clone();
        tollgate_relay::account(reads, &profile, &self.secrets, &usual, &mut |endpoint, id| {
            self.joined.read(endpoint, id);
        })
    }

    fn body(
        &self,
        reads: &dyn Reads,
        account: AccountKey,
        seq: u64,
        version: &str,
    ) -> Result<Option<Body>, StoreError> {
        let format = format_of(version);
        let asking = asking(account.0, seq, format);
        if let Some(body) = self.bodies.0.get(&asking) {
            return Ok(Some(body));
        }
        let version = match format {
            BodyFormat::Snapshot(version) => version,
            BodyFormat::Thin => None,
        };
        let profile = self.profile(account)?;
        let Some(shown) = event_shown(&self.records, reads, &self.secrets, &profile, seq, version)? else {
            return Ok(None);
        };
        let mut item = shown.item;
        let Item::Event(event) = &mut item else {
            unreachable!("an event was looked for")
        };
        event.pending_webhooks = (self.pending)(account, seq, event.kind);
        let (id, happened_ms) = (event.id, event.id.unix_ms());
        let rendering = Rendering {
            show: ShowContext {
                secrets: &self.secrets,
                // An event stands as it was: the time of its object is its own.
                clock_ms: happened_ms,
                livemode: profile.livemode,
                account,
                revision: SHAPE_REVISION,
                version_name: versions::name(shown.version),
                public_url: &self.public_url,
            },
            version: shown.version,
            expand: Expand::NONE,
            attached: &shown.attached,
            account: None,
        };
        let mut bytes = Vec::with_capacity(BODY_BYTES as usize);
        match format {
            BodyFormat::Thin => rendering.thin_event(&item, &mut bytes),
            BodyFormat::Snapshot(_) => rendering.item(&item, &mut bytes),
        }
        let body = Body {
            event_id: id.text(&kinds::EVENT).into(),
            bytes: Bytes::from(bytes),
        };
        self.bodies.0.insert(asking, body.clone());
        Ok(Some(body))
    }
}

impl Source for JournalSource {
    fn account(&self, account: u64) -> Asked<AccountView> {
        let parts = Arc::clone(&self.parts);
        self.readers.ask(move |reads| parts.account(reads, AccountKey(account)))
    }

    fn events_after(&self, account: u64, after: u64, limit: usize, soon: Vec<Soon>) -> Asked<Vec<Event>> {
        let parts = Arc::clone(&self.parts);
        self.readers.ask(move |reads| {
            let events = journal::events_after(&parts.records, reads, account, after, limit)?;
            for (seq, version) in ahead(&events, &soon) {
                // Whoever asks for it is told what does not come of it.
                let rendered = || parts.body(reads, AccountKey(account), seq, version);
                if !matches!(catch_unwind(AssertUnwindSafe(rendered)), Ok(Ok(Some(_)))) {
                    break;
                }
            }
            Ok(events)
        })
    }

    fn events(&self, account: u64, seqs: Vec<u64>) -> Asked<Vec<Event>> {
        let parts = Arc::clone(&self.parts);
        self.readers
            .ask(move |reads| journal::events(&parts.records, reads, account, &seqs))
    }

    fn first_since(&self, account: u64, since_ms: u64) -> Asked<u64> {
        let parts = Arc::clone(&self.parts);
        self.readers
            .ask(move |reads| journal::first_since(reads, &parts.profile(AccountKey(account))?, since_ms))
    }

    fn body(&self, account: u64, seq: u64, api_version: Arc<str>) -> Asked<Option<Body>> {
        // What another endpoint wanted a moment ago is there without a reader.
        let asking = asking(account, seq, format_of(&api_version));
        if let Some(body) = self.parts.bodies.0.get(&asking) {
            return Box::pin(std::future::ready(Ok(Some(body))));
        }
        let parts = Arc::clone(&self.parts);
        self.readers
            .ask(move |reads| parts.body(reads, AccountKey(account), seq, &api_version))
    }

    fn notes(&self, shard: u16) -> Asked<Vec<SavedNote>> {
        self.readers.ask(move |reads| journal::notes(reads, shard))
    }

    fn page(&self, shard: u16, number: u64) -> Asked<Bytes> {
        self.readers.ask(move |reads| journal::page(reads, shard, number))
    }
}

/// What is rendered with the answer to endpoints that ask for what is next, while its records are at hand: then nobody has to
/// wait for a reader once more.
fn ahead<'a>(events: &'a [Event], soon: &'a [Soon]) -> impl Iterator<Item = (u64, &'a str)> {
    soon.iter().flat_map(move |soon| {
        let wanted = events
            .iter()
            .filter(|event| event.seq > soon.after && soon.filter.want(event.kind));
        wanted.take(AHEAD_MAX).map(|event| (event.seq, &*soon.api_version))
    })
}

/// Without a version, an event is written at the account's version of its day.
fn format_of(version: &str) -> BodyFormat {
    BodyFormat::read(version).unwrap_or(BodyFormat::Snapshot(None))
}

fn asking(account: u64, seq: u64, format: BodyFormat) -> Asking {
    // Thin events are written in no version.
    let kept_as = match format {
        BodyFormat::Snapshot(version) => version,
        BodyFormat::Thin => Some(Version::ALWAYS),
    };
    (account, seq, kept_as)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_webhooks::Patterns;

    #[test]
    fn the_first_bodies_that_each_endpoint_wants_are_rendered_ahead_and_no_more() {
        let event = |seq: u64| Event {
            seq,
            kind: ["charge.succeeded", "payment_intent.created"][(seq % 2) as usize],
            created_ms: 0,
            object: 1,
            nth: seq,
        };
        let soon = |after: u64, pattern: &str, version: &str| Soon {
            after,
            filter: Patterns::new([pattern]).expect("a pattern"),
            api_version: version.into(),
        };
        let events: Vec<Event> = (1..=40).map(event).collect();
        let both = [soon(0, "charge.*", "one"), soon(35, "*", "other")];
        let seqs_at = |version| {
            let of = ahead(&events, &both).filter(move |(_, at)| *at == version);
            of.map(|(seq, _)| seq).collect::<Vec<u64>>()
        };
        assert_eq!(
            seqs_at("one"),
            (1..=AHEAD_MAX as u64).map(|nth| 2 * nth).collect::<Vec<_>>()
        );
        assert_eq!(seqs_at("other"), [36, 37, 38, 39, 40]);
        assert_eq!(ahead(&events, &[]).count(), 0);
    }
}
