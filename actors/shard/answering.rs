//! From what was decided to what is answered: the item, and every object that is shown in place with it. The first
//! answer and a replay go the same way, so they show the same.

use crate::request::{Request, Response, Shown};
use crate::settings::ATTACHED_MAX;
use std::sync::OnceLock;
use tollgate_domain::facts::OutcomeResult;
use tollgate_domain::object::{Item, ShowContext};
use tollgate_domain::{AccountKey, Facts, Lookup, Object, Outcome, Reject, Secrets, api, kinds};
use tollgate_resource::expand::references;
use tollgate_resource::{Expand, Id, Kind, Shape, ValueKind, Version};

/// What an answer says, and what it shows in place.
#[derive(Debug)]
pub(crate) struct Told {
    /// What was asked for, or why not.
    pub(crate) result: Result<Item, Box<Reject>>,
    /// Objects shown in place.
    pub(crate) attached: Vec<Object>,
}

/// An object the answer shows is not in memory: load it, then decide again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing(pub(crate) &'static Kind, pub(crate) Id);

/// How an answer is going to be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Showing<'a> {
    pub(crate) version: Version,
    pub(crate) expand: &'a Expand,
    pub(crate) secrets: &'a Secrets,
    pub(crate) clock_ms: u64,
    pub(crate) livemode: bool,
}

/// What became of looking for an object to show.
#[derive(Debug)]
pub(crate) enum Sought {
    /// Here it is.
    Found(Object),
    /// There is none: a reference to it stays an id.
    Absent,
    /// It is not in memory.
    NotLoaded,
}

impl From<Lookup<'_>> for Sought {
    fn from(lookup: Lookup<'_>) -> Self {
        match lookup {
            Lookup::Found(object) => Sought::Found(object.clone()),
            Lookup::Absent => Sought::Absent,
            Lookup::NotLoaded => Sought::NotLoaded,
        }
    }
}

/// Finds objects for an answer.
pub(crate) type Find<'a> = dyn FnMut(&'static Kind, Id) -> Sought + 'a;

impl Showing<'_> {
    /// An answer that shows `item`.
    pub(crate) fn item(&self, item: Item, find: &mut Find<'_>) -> Result<Told, Missing> {
        let mut attached = Vec::new();
        self.attach(&item, find, &mut attached)?;
        Ok(Told {
            result: Ok(item),
            attached,
        })
    }

    /// An answer that refuses, with the objects the error embeds. Expansion does not reach into errors.
    pub(crate) fn reject(&self, reject: Box<Reject>, find: &mut Find<'_>) -> Result<Told, Missing> {
        let plain = Showing {
            expand: Expand::NONE,
            ..*self
        };
        let mut attached = Vec::new();
        let embedded = [
            (&kinds::PAYMENT_INTENT, reject.payment_intent),
            (&kinds::PAYMENT_METHOD, reject.payment_method),
            (&kinds::SETUP_INTENT, reject.setup_intent),
        ];
        for (kind, id) in embedded {
            let Some(id) = id else { continue };
            if let Some(object) = take(find, &attached, kind, id)? {
                attached.push(object.clone());
                plain.attach(&Item::Object(object), find, &mut attached)?;
            }
        }
        Ok(Told {
            result: Err(reject),
            attached,
        })
    }

    /// Adds what is shown in place inside `item`, level by level, each object once.
    pub(crate) fn attach(&self, item: &Item, find: &mut Find<'_>, attached: &mut Vec<Object>) -> Result<(), Missing> {
        if self.expand.is_empty() && self.version >= always_refer_since() {
            return Ok(());
        }
        let context = ShowContext {
            secrets: self.secrets,
            clock_ms: self.clock_ms,
            livemode: self.livemode,
            // References depend neither on the version's name nor on addresses of pages; the first release made fewest.
            account: AccountKey::NOBODY,
            revision: 1,
            version_name: "",
            public_url: "",
        };
        let mut wanted: Vec<(&'static Kind, Id, &Expand)> = Vec::new();
        item.with_shown(&context, |shown| {
            references(shown, self.expand, self.version, &mut |kind, id, below| {
                wanted.push((kind, id, below))
            });
        });
        let mut at = 0;
        while at < wanted.len() && at < ATTACHED_MAX {
            let (kind, id, below) = wanted[at];
            at += 1;
            let known = attached
                .iter()
                .find(|object| object.id() == id && object.kind() == kind)
                .cloned();
            let object = match known {
                Some(object) => object,
                None => {
                    let Some(object) = take(find, attached, kind, id)? else {
                        continue;
                    };
                    attached.push(object.clone());
                    object
                }
            };
            object.with_shown(&context, |shown| {
                references(shown, below, self.version, &mut |kind, id, below| {
                    wanted.push((kind, id, below))
                });
            });
        }
        Ok(())
    }
}

/// What an outcome remembers, from its record alone.
pub(crate) fn retell(facts: &Facts, outcome: &Outcome, showing: &Showing<'_>) -> Told {
    let mut find = |kind: &'static Kind, id: Id| {
        let copies = || {
            outcome
                .attached
                .iter()
                // An id is of one object, which may be kept in the words it was shown in.
                .find(|object| object.id() == id)
        };
        facts
            .object(kind, id)
            .or_else(copies)
            .cloned()
            .map_or(Sought::Absent, Sought::Found)
    };
    let told = match &outcome.result {
        OutcomeResult::Object { kind, id } => {
            let kind = kinds::by_number(*kind).expect("an outcome names a known kind");
            let Sought::Found(object) = find(kind, *id) else {
                panic!("the record of an outcome lacks the object it shows");
            };
            showing.item(Item::Object(object), &mut find)
        }
        OutcomeResult::Rejected { reject } => showing.reject(reject.clone(), &mut find),
        OutcomeResult::Handed => showing.item(Item::Handed, &mut find),
        OutcomeResult::InFlight { .. } => panic!("an outcome in flight has no answer yet"),
    };
    told.expect("a record is never half in memory")
}

/// The answer to `request`.
pub(crate) fn respond(request: &Request, told: Told, clock_ms: u64, revision: u16) -> Box<Response> {
    let began = told.result.as_ref().map_or_else(|reject| reject.began, |_| true);
    Box::new(Response {
        result: told.result.map(Shown::One),
        attached: told.attached,
        version: request.version,
        revision,
        expand: request.expand.clone(),
        clock_ms,
        replayed: None,
        began,
    })
}

/// The answer of a remembered outcome, as it was given the first time.
pub(crate) fn replay(facts: &Facts, outcome: &Outcome, secrets: &Secrets, livemode: bool) -> Box<Response> {
    let expand = expand_of(&outcome.claim.expand);
    let version = Version(outcome.claim.version);
    let showing = Showing {
        version,
        expand: &expand,
        secrets,
        clock_ms: outcome.clock_ms,
        livemode,
    };
    let told = retell(facts, outcome, &showing);
    Box::new(Response {
        result: told.result.map(Shown::One),
        attached: told.attached,
        version,
        revision: outcome.revision,
        expand,
        clock_ms: outcome.clock_ms,
        replayed: Some(outcome.claim.request),
        began: true,
    })
}

/// The tree of dotted paths.
pub(crate) fn expand_of(paths: &[String]) -> Expand {
    let mut expand = Expand::default();
    for path in paths {
        expand.add(&path.split('.').collect::<Vec<_>>());
    }
    expand
}

fn take(find: &mut Find<'_>, attached: &[Object], kind: &'static Kind, id: Id) -> Result<Option<Object>, Missing> {
    if let Some(object) = attached
        .iter()
        .find(|object| object.id() == id && object.kind() == kind)
    {
        return Ok(Some(object.clone()));
    }
    // What is paid with may be a card or source of the older API: it is shown as a payment method.
    let of_method = *kind == kinds::PAYMENT_METHOD;
    let stored = if of_method { kinds::of_method(id) } else { kind };
    match find(stored, id) {
        Sought::Found(object) if of_method => Ok(Some(object.into_payment_method())),
        Sought::Found(object) => Ok(Some(object)),
        Sought::Absent => Ok(None),
        Sought::NotLoaded => Err(Missing(kind, id)),
    }
}

/// The first version at which no list is included without being asked for: from there on an answer without `expand`
/// shows nothing in place, and need not be walked.
fn always_refer_since() -> Version {
    static SINCE: OnceLock<Version> = OnceLock::new();
    *SINCE.get_or_init(|| {
        let stored = kinds::ALL
            .iter()
            .filter(|kind| ![&kinds::EVENT, &kinds::REQUEST].contains(kind));
        stored
            .filter_map(|kind| api::shape_of(kind))
            .map(included_until)
            .max()
            .unwrap_or(Version::ALWAYS)
    })
}

fn included_until(shape: &'static Shape) -> Version {
    let of_field = |field: &tollgate_resource::FieldShape| match field.kind {
        ValueKind::SubList => field.included_until,
        ValueKind::Node(shape) => included_until(shape),
        _ => Version::ALWAYS,
    };
    shape.fields.iter().map(of_field).max().unwrap_or(Version::ALWAYS)
}
