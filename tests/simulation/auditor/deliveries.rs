//! Deliveries: which ones may be made, and which ones must have been by the end.
//!
//! Followed are the records of endpoints and events, every delivery as it leaves, and every word that a hall hears of one. A
//! delivery is of a durable event to an endpoint that wants it, is younger than it is not, and is not switched off. Events
//! about one object go one after the other, for the first time in their order, as long as nothing failed at the endpoint;
//! always where its order is strict. What was heard to be taken is not sent again, unless whoever heard it was gone before
//! that can have been noted. What is said to be pending is what was not heard to be taken. In the end everything that an
//! endpoint wants has come.

use super::records::{Expected, Wrong, wrong};
use super::{Auditor, Failure};
use std::collections::BTreeMap;
use tollgate_domain::webhooks::webhook_endpoint::{DisabledReason, EndpointReport, EndpointState, WebhookEndpoint};
use tollgate_domain::{Command, Facts, Object};
use tollgate_resource::{Id, Names};
use tollgate_webhooks::ports::Cause;
use tollgate_webhooks::{EndpointKey, Sending};

/// What is heard of a delivery is noted within 50 ms; a block that waits for another one, both as slow as blocks can be here,
/// makes that durable, milliseconds.
const NOTED_MS: u64 = 20_000;
/// Whoever delivers knows within so long that an endpoint was switched off, milliseconds: it reads the account again, also
/// where the journal cannot be read for a while.
const SWITCHED_MS: u64 = 60_000;

/// Deliveries of a run.
#[derive(Default)]
pub(super) struct Deliveries {
    endpoints: BTreeMap<EndpointKey, Endpoint>,
    /// By account and sequence number.
    events: BTreeMap<(u64, u64), Told>,
    /// How many events there were about each object of an account.
    counts: BTreeMap<(u64, u64), u64>,
    /// Deliveries that are out and will be heard of, by number.
    flights: BTreeMap<u64, Flight>,
    numbers: u64,
    /// When what an account's shard knew of deliveries was lost, simulated milliseconds.
    losses: BTreeMap<u64, Vec<u64>>,
}

/// An endpoint, as its records and its receiver tell.
struct Endpoint {
    patterns: Vec<Box<str>>,
    strict: bool,
    /// Since when it is switched off, simulated milliseconds.
    off_since_ms: Option<u64>,
    deleted: bool,
    /// Whether anything failed on the way to it.
    hurt: bool,
    /// Events that were tried, by object: the newest one's number.
    tried: BTreeMap<u64, u64>,
    /// How often each event came.
    came: BTreeMap<u64, u32>,
    /// When it was heard first that an event was taken, simulated milliseconds.
    heard: BTreeMap<u64, u64>,
}

/// An event.
struct Told {
    kind: &'static str,
    object: u64,
    /// Its number among those of its object.
    nth: u64,
}

/// A delivery that is out.
struct Flight {
    key: EndpointKey,
    seq: u64,
    object: u64,
    in_turn: bool,
    taken: bool,
}

impl Endpoint {
    fn wants(&self, kind: &str) -> bool {
        self.patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            // What only Tollgate has is sent to who names it.
            Some("") => !kind.starts_with("webhook_endpoint."),
            Some(start) => kind.starts_with(start),
            None => **pattern == *kind,
        })
    }
}

impl Deliveries {
    /// Follows what a record says of endpoints and events.
    pub(super) fn record(&mut self, account: u64, facts: &Facts, now_ms: u64) {
        for object in &facts.objects {
            if let Object::WebhookEndpoint(endpoint) = object {
                self.endpoint(account, endpoint, now_ms);
            }
        }
        for event in facts.all_events() {
            let object = event.object.id().seq();
            let nth = self.counts.entry((account, object)).or_default();
            *nth += 1;
            let told = Told {
                kind: event.kind.name(),
                object,
                nth: *nth,
            };
            self.events.insert((account, event.id.seq()), told);
        }
    }

    fn endpoint(&mut self, account: u64, endpoint: &WebhookEndpoint, now_ms: u64) {
        let key = EndpointKey {
            account,
            seq: endpoint.id.seq(),
        };
        let known = self.endpoints.entry(key).or_insert_with(|| Endpoint {
            patterns: endpoint.enabled_events.clone(),
            strict: endpoint.delivery.is_some(),
            off_since_ms: None,
            deleted: false,
            hurt: false,
            tried: BTreeMap::new(),
            came: BTreeMap::new(),
            heard: BTreeMap::new(),
        });
        known.deleted = endpoint.is_deleted();
        known.off_since_ms = match endpoint.state {
            EndpointState::Enabled => None,
            EndpointState::Disabled { .. } | EndpointState::Deleted => known.off_since_ms.or(Some(now_ms)),
        };
    }

    /// Whether what was heard then may have been forgotten since.
    fn may_be_forgotten(&self, account: u64, heard_ms: u64) -> bool {
        let losses = self.losses.get(&account).map_or(&[][..], Vec::as_slice);
        let since = losses.partition_point(|at| *at < heard_ms);
        losses.get(since).is_some_and(|at| *at <= heard_ms + NOTED_MS)
    }

    /// Events that an endpoint is to have.
    fn wanted<'a>(&'a self, key: EndpointKey, endpoint: &'a Endpoint) -> impl Iterator<Item = (u64, &'a Told)> {
        let after = (key.account, key.seq + 1)..=(key.account, u64::MAX);
        let events = self.events.range(after).map(|((_, seq), told)| (*seq, told));
        events.filter(|(_, told)| endpoint.wants(told.kind))
    }

    fn ahead(&mut self, flight: Flight) -> u64 {
        self.numbers += 1;
        self.flights.insert(self.numbers, flight);
        self.numbers
    }
}

impl Auditor {
    /// A delivery leaves. `known`: whether its body was found; `taken`: whether the receiver takes it; `heard`: whether it says so.
    /// Gives its number.
    ///
    /// # Errors
    /// One that may not be made.
    pub fn delivery(&mut self, sending: &Sending, known: bool, taken: bool, heard: bool) -> Result<u64, Failure> {
        self.may_deliver(sending, known)
            .map_err(|(check, what)| self.fail(check, what))?;
        let (key, seq, object) = (sending.endpoint.key, sending.event.seq, sending.event.object);
        let by_itself = matches!(sending.cause, Cause::Schedule | Cause::Probe);
        let all = &mut self.deliveries;
        let endpoint = all.endpoints.get_mut(&key).expect("just looked at");
        let newest = endpoint.tried.entry(object).or_default();
        *newest = sending.event.nth.max(*newest);
        endpoint.hurt |= !heard;
        self.seen.again += u64::from(by_itself && endpoint.heard.contains_key(&seq));
        *endpoint.came.entry(seq).or_default() += u32::from(taken);
        Ok(all.ahead(Flight {
            key,
            seq,
            object,
            in_turn: sending.cause != Cause::Resend,
            taken: heard,
        }))
    }

    /// A delivery could not be made, because its event could not be read. Gives its number.
    pub fn unread(&mut self, sending: &Sending) -> u64 {
        self.deliveries.ahead(Flight {
            key: sending.endpoint.key,
            seq: sending.event.seq,
            object: sending.event.object,
            in_turn: false,
            taken: false,
        })
    }

    fn may_deliver(&self, sending: &Sending, known: bool) -> Result<(), Wrong> {
        let (key, event) = (sending.endpoint.key, &sending.event);
        let what = format!("event {} to {key:?} ({:?})", event.seq, sending.cause);
        let all = &self.deliveries;
        let Some(endpoint) = all.endpoints.get(&key) else {
            return wrong("deliveries", format!("{what}: there is no such endpoint"));
        };
        let Some(told) = all.events.get(&(key.account, event.seq)).filter(|_| known) else {
            return wrong("deliveries", format!("{what}: there is no such event"));
        };
        if (told.kind, told.object, told.nth) != (event.kind, event.object, event.nth) {
            let own = (told.kind, told.object, told.nth);
            return wrong("deliveries", format!("{what}: {event:?} is {own:?}"));
        }
        if event.seq <= key.seq || !endpoint.wants(told.kind) {
            return wrong("deliveries", format!("{what}: it does not want {}", told.kind));
        }
        if let Some(since_ms) = endpoint
            .off_since_ms
            .filter(|since_ms| since_ms + SWITCHED_MS < self.now_ms)
        {
            return wrong("deliveries", format!("{what}: it is switched off since {since_ms} ms"));
        }
        let beside = |flight: &&Flight| flight.in_turn && flight.key == key && flight.object == event.object;
        if let Some(beside) = all.flights.values().find(beside) {
            return wrong(
                "order of deliveries",
                format!("{what}: event {} about the same object is out", beside.seq),
            );
        }
        let newest = endpoint.tried.get(&event.object).copied().unwrap_or_default();
        let first = !endpoint.came.contains_key(&event.seq);
        if first && event.nth <= newest && (endpoint.strict || !endpoint.hurt) {
            return wrong(
                "order of deliveries",
                format!("{what}: its object's number {newest} went before {}", event.nth),
            );
        }
        let by_itself = matches!(sending.cause, Cause::Schedule | Cause::Probe);
        if let Some(heard_ms) = endpoint.heard.get(&event.seq)
            && by_itself
            && !all.may_be_forgotten(key.account, *heard_ms)
        {
            return wrong(
                "deliveries",
                format!("{what}: it was taken at {heard_ms} ms, and nothing was lost since"),
            );
        }
        Ok(())
    }

    /// A hall hears what came of a delivery. Gives its account and event.
    pub fn landed(&mut self, flight: u64) -> Option<(u64, u64)> {
        let all = &mut self.deliveries;
        let flight = all.flights.remove(&flight)?;
        self.seen.delivered += u64::from(flight.taken);
        self.seen.refused += u64::from(!flight.taken);
        if flight.taken
            && let Some(endpoint) = all.endpoints.get_mut(&flight.key)
        {
            endpoint.heard.entry(flight.seq).or_insert(self.now_ms);
        }
        Some((flight.key.account, flight.seq))
    }

    /// What was known of deliveries for these accounts and not noted is lost; nobody hears of those that are out.
    pub fn lost(&mut self, of: impl Fn(u64) -> bool) {
        for account in self.accounts.keys().filter(|account| of(**account)) {
            self.deliveries.losses.entry(*account).or_default().push(self.now_ms);
        }
        self.rests(of);
    }

    /// Nothing is delivered for these accounts for now, and nobody hears of deliveries that are out.
    pub fn rests(&mut self, of: impl Fn(u64) -> bool) {
        self.deliveries.flights.retain(|_, flight| !of(flight.key.account));
    }

    /// Whoever delivers reports of an endpoint.
    pub fn reported(&mut self, endpoint: EndpointKey, report: EndpointReport) {
        let model = self.accounts.get_mut(&endpoint.account).expect("an account of the run");
        model.reports.entry(endpoint.seq).or_default().push(report);
    }

    /// An event's type.
    pub fn event_kind(&self, account: u64, seq: u64) -> Option<&'static str> {
        self.deliveries.events.get(&(account, seq)).map(|told| told.kind)
    }

    /// These endpoints are said not to have taken an event.
    ///
    /// # Errors
    /// Where that is not so.
    pub fn pending(&self, account: u64, seq: u64, said: &[EndpointKey]) -> Result<(), Failure> {
        let all = &self.deliveries;
        let kind = self.event_kind(account, seq).unwrap_or_default();
        let of = EndpointKey { account, seq: 0 }..EndpointKey { account, seq };
        for (key, endpoint) in all.endpoints.range(of) {
            let is = said.contains(key);
            let heard_ms = endpoint.heard.get(&seq).copied();
            let fits = match heard_ms {
                _ if endpoint.deleted => true,
                _ if !endpoint.wants(kind) => !is,
                None => is,
                Some(heard_ms) => !is || all.may_be_forgotten(account, heard_ms),
            };
            if !fits {
                let what = format!("event {seq} ({kind}) at {key:?}: pending is {is}, taken at {heard_ms:?}");
                return Err(self.fail("pending webhooks", what));
            }
        }
        Ok(())
    }

    /// Endpoints that are not deleted, and whether they are switched off.
    pub fn endpoints(&self) -> Vec<(EndpointKey, bool)> {
        let known = self
            .deliveries
            .endpoints
            .iter()
            .filter(|(_, endpoint)| !endpoint.deleted);
        known
            .map(|(key, endpoint)| (*key, endpoint.off_since_ms.is_some()))
            .collect()
    }

    /// The id of an endpoint.
    pub fn endpoint_id(&self, key: EndpointKey) -> Option<Id> {
        let versions = self.accounts.get(&key.account)?.objects.get(&key.seq)?;
        versions.last().map(|(_, object)| object.id())
    }

    /// An event that an endpoint wants and has not had.
    pub fn undelivered(&self) -> Option<String> {
        let all = &self.deliveries;
        let present = all.endpoints.iter().filter(|(_, endpoint)| !endpoint.deleted);
        present.into_iter().find_map(|(key, endpoint)| {
            let missing = all
                .wanted(*key, endpoint)
                .find(|(seq, _)| !endpoint.heard.contains_key(seq));
            missing.map(|(seq, told)| format!("event {seq} ({}) never came to {key:?}", told.kind))
        })
    }

    /// Every event that an endpoint wants, with its account.
    pub fn wanted_events(&self) -> Vec<(u64, u64)> {
        let all = &self.deliveries;
        let present = all.endpoints.iter().filter(|(_, endpoint)| !endpoint.deleted);
        present
            .flat_map(|(key, endpoint)| all.wanted(*key, endpoint).map(|(seq, _)| (key.account, seq)))
            .collect()
    }
}

impl super::records::Case<'_> {
    /// A record of an endpoint: somebody asked for it, or whoever delivers reported it.
    pub(super) fn endpoint(&self, after: &WebhookEndpoint) -> Result<Expected, Wrong> {
        let before = match self.model.object_at(after.id, u64::MAX) {
            Some(Object::WebhookEndpoint(before)) => Some(&**before),
            _ => None,
        };
        let events = match (self.command, before) {
            (Some(Command::CreateWebhookEndpoint(asked, _)), None) => {
                let fits = asked.url == after.url && after.state == EndpointState::Enabled;
                fits.then(Vec::new)
            }
            (Some(Command::UpdateWebhookEndpoint(id, asked, _)), Some(before)) if *id == after.id => {
                let is_off = matches!(after.state, EndpointState::Disabled { .. });
                let fits = asked.disabled == Some(is_off) && !before.is_deleted() && !after.is_deleted();
                fits.then(Vec::new)
            }
            (Some(Command::DeleteWebhookEndpoint(id)), Some(before)) if *id == after.id => {
                (after.is_deleted() && !before.is_deleted()).then(Vec::new)
            }
            (None, Some(before)) => self.reported(before, after),
            _ => None,
        };
        let Some(events) = events else {
            return wrong(
                "nothing unexplained",
                format!("{after:?} by {:?}, after {before:?}", self.command),
            );
        };
        Ok(Expected {
            events,
            objects: vec![after.id.seq()],
            ..Expected::default()
        })
    }

    /// The events of a report that makes this of an endpoint; `None` if nobody made one.
    fn reported(&self, before: &WebhookEndpoint, after: &WebhookEndpoint) -> Option<Vec<&'static str>> {
        let reports = self.model.reports.get(&after.id.seq()).map_or(&[][..], Vec::as_slice);
        let (report, events) = match (before.failing_since_ms, after.failing_since_ms, after.state) {
            _ if before.state != after.state => {
                let EndpointState::Disabled { reason, .. } = after.state else {
                    return None;
                };
                let loud = matches!(reason, DisabledReason::Failing | DisabledReason::Gone);
                (
                    EndpointReport::Disable(reason),
                    loud.then_some("webhook_endpoint.disabled"),
                )
            }
            (None, Some(since_ms), _) => (EndpointReport::Failing { since_ms }, Some("webhook_endpoint.failing")),
            (Some(_), None, _) => (EndpointReport::Recovered, None),
            _ => return None,
        };
        reports.contains(&report).then(|| events.into_iter().collect())
    }
}
