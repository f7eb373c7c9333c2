//! A merchant whose whole account is in memory: requests go through the edge and the domain, answers are rendered.

use std::sync::Arc;
use tollgate_domain::account::{Account, Profile, ProfileTerms};
use tollgate_domain::call::{Call, Command, ListQuery, Read};
use tollgate_domain::country::Country;
use tollgate_domain::decision::{Lookup, Objects, Reply, Stop, World, decide, read};
use tollgate_domain::events::Event;
use tollgate_domain::inputs::{Inputs, Network, RequestInfo};
use tollgate_domain::money::Currency;
use tollgate_domain::object::{Item, Object, ShowContext};
use tollgate_domain::{Reject, SearchQuery, Secrets, api, kinds};
use tollgate_resource::{Expand, Id, Kind, Version};
use tollgate_wire::{Edge, FoundPage, Rendering, versions};

/// When everything happens: 2026-11-20T12:00:00Z.
pub(crate) const NOW_MS: u64 = 1_795_176_000_000;

/// The merchant.
pub(crate) struct Shop {
    pub(crate) edge: Edge,
    pub(crate) secrets: Secrets,
    pub(crate) account: Account,
    pub(crate) objects: Newest,
    pub(crate) events: Vec<Event>,
    requests: u64,
}

/// Every object at its newest version, oldest first.
#[derive(Default)]
pub(crate) struct Newest(pub(crate) Vec<Object>);

impl Objects for Newest {
    fn find(&self, kind: &'static Kind, id: Id) -> Lookup<'_> {
        let found = self.0.iter().find(|object| object.id() == id && object.kind() == kind);
        found.map_or(Lookup::Absent, Lookup::Found)
    }
}

impl Shop {
    /// Opens an account in test mode.
    pub(crate) fn open() -> Shop {
        let terms = ProfileTerms {
            country: Country::known("US"),
            default_currency: Currency::USD,
            created_ms: NOW_MS,
            api_version: versions::DEFAULT,
            statement_descriptor: Some("SHOP".into()),
        };
        let profile = Profile::new(Id::new(&kinds::ACCOUNT, NOW_MS, 1, 0), false, &terms);
        Shop {
            edge: Edge::new(api::ENDPOINTS),
            secrets: Secrets::new([5; 32]),
            account: Account::new(Arc::new(profile)),
            objects: Newest::default(),
            events: Vec::new(),
            requests: 0,
        }
    }

    /// Sends a request at the newest version; answers with status and body.
    pub(crate) fn send(&mut self, method: &str, path: &str, form: &str) -> (u16, String) {
        self.send_at(versions::DEFAULT, method, path, form)
    }

    /// Sends a request at a version.
    pub(crate) fn send_at(&mut self, version: Version, method: &str, path: &str, form: &str) -> (u16, String) {
        self.send_bytes(version, method, path, form.as_bytes())
    }

    /// Sends a request whose form may be anything.
    pub(crate) fn send_bytes(&mut self, version: Version, method: &str, path: &str, form: &[u8]) -> (u16, String) {
        self.requests += 1;
        let Some(matched) = self.edge.route(method, path) else {
            return self.refuse(&tollgate_wire::errors::unrecognized_url(method, path), version);
        };
        let parsed = match self.edge.parse(&matched, form, version, &self.secrets) {
            Ok(parsed) => parsed,
            Err(reject) => return self.refuse(&reject, version),
        };
        let answer = match &parsed.call {
            Call::Write(command) => self.decide(command, version),
            Call::Read(Read::Object(kind, id, param)) if **kind == kinds::EVENT => {
                let event = self.events.iter().find(|event| event.id == *id).cloned();
                event
                    .map(|event| Item::Event(Box::new(event)))
                    .ok_or_else(|| Box::new(Reject::no_such(kind, *id, param)))
            }
            Call::Read(asked) => stopped(read(&self.world(), *asked, NOW_MS)),
            Call::Delivery(asked) => Err(Box::new(Reject::no_such(asked.kind, asked.id, asked.param))),
            Call::Search(search) => {
                let items: Vec<Item> = self.search(search);
                let mut out = Vec::new();
                let found = FoundPage {
                    url: search.searched.url,
                    items: &items,
                    next_page: None,
                    total_count: None,
                };
                self.rendering(version, &parsed.expand).found(&found, &mut out);
                return (200, text(out));
            }
            Call::List(query) => {
                let mut out = Vec::new();
                let items = self.page(query);
                let rendering = self.rendering(version, &parsed.expand);
                match tollgate_wire::shows_thin_events(path) {
                    true => rendering.thin_events(&items, None, &mut out),
                    false => rendering.list(&query.shown_url(), &items, false, None, &mut out),
                }
                return (200, text(out));
            }
        };
        match answer {
            Err(reject) => self.refuse(&reject, version),
            Ok(item) => {
                let mut out = Vec::new();
                let rendering = self.rendering(version, &parsed.expand);
                match tollgate_wire::shows_thin_events(path) {
                    true => rendering.thin_event(&item, &mut out),
                    false => rendering.item(&item, &mut out),
                }
                (200, text(out))
            }
        }
    }

    /// How answers of this account are written; every object is at hand.
    pub(crate) fn rendering<'a>(&'a self, version: Version, expand: &'a Expand) -> Rendering<'a> {
        let version_name = versions::name(version);
        let show = ShowContext {
            secrets: &self.secrets,
            clock_ms: NOW_MS,
            livemode: false,
            account: self.account.profile.key,
            revision: tollgate_domain::SHAPE_REVISION,
            version_name,
            public_url: "https://tollgate.test",
        };
        Rendering {
            show,
            version,
            expand,
            attached: &self.objects.0,
            account: Some(&self.account.profile),
        }
    }

    fn decide(&mut self, command: &Command, version: Version) -> Result<Item, Box<Reject>> {
        let id = Id::new(&kinds::REQUEST, NOW_MS, self.requests, 0);
        let inputs = Inputs {
            now_ms: NOW_MS,
            request: Some(RequestInfo {
                id,
                idempotency_key: None,
                version,
            }),
            network: Network::Instant,
            attempt_deadline_ms: 1_000,
            webhook_endpoints_max: 16,
            secrets: &self.secrets,
            entropy: [1, 2],
        };
        let mut decision = stopped(decide(&self.world(), command, None, &inputs))?;
        decision.facts.request = Some(id);
        self.account.apply(&decision.facts);
        for object in &decision.facts.objects {
            match self.objects.0.iter_mut().find(|known| known.id() == object.id()) {
                Some(known) => *known = object.clone(),
                None => self.objects.0.push(object.clone()),
            }
        }
        self.events.extend(decision.facts.all_events());
        match decision.reply {
            Reply::Object(kind, id) => match self.objects.find(kind, id) {
                Lookup::Found(object) => Ok(Item::Object(object.clone())),
                _ => panic!("the answer shows an object that is not there"),
            },
            Reply::Reject(reject) => Err(reject),
            other => panic!("no test here calls a network: {other:?}"),
        }
    }

    fn page(&self, query: &ListQuery) -> Vec<Item> {
        if *query.kind == kinds::EVENT {
            let events = self.events.iter().rev().filter(|event| query.admits(event.kind));
            return events
                .take(query.limit)
                .map(|event| Item::Event(Box::new(event.clone())))
                .collect();
        }
        let rendering = self.rendering(Version::NEWEST, Expand::NONE);
        let listed = |object: &&Object| object.kind() == query.kind || query.also.contains(&object.kind());
        let objects = self
            .objects
            .0
            .iter()
            .rev()
            .filter(listed)
            .map(
                |object| match *query.kind == kinds::PAYMENT_METHOD && !object.is_deleted() {
                    true => object.clone().into_payment_method(),
                    false => object.clone(),
                },
            )
            .filter(|object| query.belongs(object))
            .filter(|object| object.with_shown(&rendering.show, |shown| query.admits_shown(shown)));
        objects.take(query.limit).map(Item::Object).collect()
    }

    fn search(&self, search: &SearchQuery) -> Vec<Item> {
        let rendering = self.rendering(Version::NEWEST, Expand::NONE);
        let kind = search.searched.kind;
        let of_kind = self.objects.0.iter().rev().filter(|object| object.kind() == kind);
        let found = of_kind.filter(|object| object.with_shown(&rendering.show, |shown| search.query.matches(shown)));
        found.take(search.limit).cloned().map(Item::Object).collect()
    }

    fn world(&self) -> World<'_> {
        World {
            account: &self.account,
            objects: &self.objects,
        }
    }

    fn refuse(&self, reject: &Reject, version: Version) -> (u16, String) {
        let mut out = Vec::new();
        self.rendering(version, Expand::NONE).reject(reject, None, &mut out);
        (reject.status, text(out))
    }
}

fn stopped<T>(result: Result<T, Stop>) -> Result<T, Box<Reject>> {
    result.map_err(|stop| match stop {
        Stop::Reject(reject) => reject,
        other => panic!("everything is in memory and no network is slow: {other:?}"),
    })
}

fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).expect("bodies are text")
}
