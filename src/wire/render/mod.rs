//! Objects, lists and errors as JSON.
//!
//! Bodies look as the API prints them: two spaces, `"key": value`, `id` and `object` first, then alphabetically; error
//! bodies end with a newline, others do not. Everything is written straight from the shapes into the caller's buffer;
//! there is no tree, except for clients of versions that a rewrite of answers serves.

mod json;
mod previous;
mod reject;
mod show;
#[cfg(test)]
mod tests;

use crate::request_log;
use crate::versions::{self, CHANGES, Chain};
use serde_json::Value;
use show::{Attached, Show};
use tollgate_domain::object::{Item, Object, ShowContext};
use tollgate_domain::{Profile, Reject};
use tollgate_resource::{Expand, Id, Kind, Shown, Version};

/// Attached objects from which on they are looked up in sorted order.
const SORTED_FROM: usize = 16;

static CHAIN: Chain = Chain::new(CHANGES);

/// How one answer is written.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// What showing depends on besides the object.
    pub show: ShowContext<'a>,
    /// The API version of the answer.
    pub version: Version,
    /// What is shown in place. For lists, the paths start with `data`.
    pub expand: &'a Expand,
    /// The objects that may be shown in place. One that is missing leaves its id.
    pub attached: &'a [Object],
    /// Whose events these are: they are written at the version the account had when they happened. `None` writes them at
    /// the version of the answer.
    pub account: Option<&'a Profile>,
}

/// A page of a search.
#[derive(Clone, Copy, Debug)]
pub struct FoundPage<'a> {
    /// Path of the search.
    pub url: &'a str,
    /// What was found, newest first.
    pub items: &'a [Item],
    /// Where the next page starts; `None` on the last.
    pub next_page: Option<&'a str>,
    /// How many objects match, if that was asked.
    pub total_count: Option<u64>,
}

impl Rendering<'_> {
    /// Writes one object.
    pub fn item(&self, item: &Item, out: &mut Vec<u8>) {
        let start = out.len();
        self.write(out, |show| self.write_item(show, item, self.expand, 0));
        let version = self.version_of(item);
        if CHAIN.rewrites_answers(version) {
            rewrite(out, start, |answer| take_back(answer, version));
        }
    }

    /// Writes a list object; `total` is printed when there is one.
    pub fn list(&self, url: &str, items: &[Item], has_more: bool, total: Option<u64>, out: &mut Vec<u8>) {
        let expand = self.expand.child("data").unwrap_or(Expand::NONE);
        let start = out.len();
        self.write(out, |show| {
            show.list(url, total, has_more, items.len(), 0, &mut |show, at, depth| {
                self.write_item(show, &items[at], expand, depth);
            });
        });
        self.take_page_back(items, out, start);
    }

    /// Writes an event as the second version of the API shows it; anything else as it is.
    pub fn thin_event(&self, item: &Item, out: &mut Vec<u8>) {
        self.item(&thin(item), out);
    }

    /// Writes a page of such events; `next` is the path of the next page, if there is one.
    pub fn thin_events(&self, items: &[Item], next: Option<&str>, out: &mut Vec<u8>) {
        self.write(out, |show| {
            show.page(next, items.len(), &mut |show, at, depth| {
                self.write_item(show, &thin(&items[at]), Expand::NONE, depth);
            });
        });
    }

    /// Writes a page of a search.
    pub fn found(&self, found: &FoundPage<'_>, out: &mut Vec<u8>) {
        let expand = self.expand.child("data").unwrap_or(Expand::NONE);
        let start = out.len();
        self.write(out, |show| {
            show.found(found, &mut |show, at, depth| {
                self.write_item(show, &found.items[at], expand, depth);
            });
        });
        self.take_page_back(found.items, out, start);
    }

    /// Writes an error body. `payment_intent` and `payment_method` are embedded when they are attached.
    ///
    /// `request` is the one that was refused, once it is known who asks; a replay is told the first one. It becomes
    /// `request_log_url`.
    pub fn reject(&self, reject: &Reject, request: Option<Id>, out: &mut Vec<u8>) {
        let shows = self.show.revision >= request_log::SINCE_REVISION;
        let log = request.filter(|_| shows);
        let log = log.map(|request| request_log::url(self.show.public_url, request));
        let start = out.len();
        self.write(out, |show| reject::write(reject, log.as_deref(), show));
        if CHAIN.rewrites_answers(self.version) {
            rewrite(out, start, |answer| CHAIN.rewrite_answer(self.version, answer));
        }
        out.push(b'\n');
    }

    fn write(&self, out: &mut Vec<u8>, with: impl FnOnce(&mut Show<'_>)) {
        let attached = Objects::new(self.attached, &self.show);
        with(&mut Show {
            out,
            version: self.version,
            revision: self.show.revision,
            attached: &attached,
            previous_whole: false,
        });
    }

    fn write_item(&self, show: &mut Show<'_>, item: &Item, expand: &Expand, depth: usize) {
        if !matches!(item, Item::Event(_)) {
            return item.with_shown(&self.show, |shown| show.node(shown, expand, depth));
        }
        let version = self.version_of(item);
        let context = ShowContext {
            version_name: versions::name(version),
            ..self.show
        };
        let of_answer = std::mem::replace(&mut show.version, version);
        show.previous_whole = CHAIN.rewrites_answers(version);
        item.with_shown(&context, |shown| show.node(shown, expand, depth));
        show.version = of_answer;
    }

    /// The version in which an item is written: that of the answer, but for events.
    fn version_of(&self, item: &Item) -> Version {
        match (item, self.account) {
            (Item::Event(event), Some(profile)) => profile.event_version(event.id.unix_ms()),
            _ => self.version,
        }
    }

    /// Takes a written page back to the version of the answer, and each of its items to its own.
    fn take_page_back(&self, items: &[Item], out: &mut Vec<u8>, start: usize) {
        let older = |item: &Item| CHAIN.rewrites_answers(self.version_of(item));
        if !CHAIN.rewrites_answers(self.version) && !items.iter().any(older) {
            return;
        }
        rewrite(out, start, |answer| {
            let places = vec![Value::Null; items.len()];
            let mut data = std::mem::replace(&mut answer["data"], Value::Array(places));
            CHAIN.rewrite_answer(self.version, answer);
            let written = data.as_array_mut().into_iter().flatten();
            written
                .zip(items)
                .for_each(|(written, item)| take_back(written, self.version_of(item)));
            answer["data"] = data;
        });
    }
}

/// Whether the operation at a path answers with events as the second version of the API shows them.
pub fn shows_thin_events(path: &str) -> bool {
    path.starts_with("/v2/core/events")
}

/// An event as the second version of the API shows it; anything else as it is.
fn thin(item: &Item) -> Item {
    match item {
        Item::Event(event) => Item::ThinEvent(event.clone()),
        other => other.clone(),
    }
}

/// Takes a written object back to a version.
fn take_back(answer: &mut Value, version: Version) {
    if !CHAIN.rewrites_answers(version) {
        return;
    }
    CHAIN.rewrite_answer(version, answer);
    if answer["object"] == "event" {
        previous::only_what_changed(&mut answer["data"], version);
    }
}

/// Changes what was written from `start` on.
fn rewrite(out: &mut Vec<u8>, start: usize, with: impl FnOnce(&mut Value)) {
    let mut answer = serde_json::from_slice(&out[start..]).expect("what was written is JSON");
    with(&mut answer);
    out.truncate(start);
    serde_json::to_writer_pretty(out, &answer).expect("a tree is written to memory");
}

/// Attached objects, found by id.
struct Objects<'a> {
    objects: &'a [Object],
    context: &'a ShowContext<'a>,
    /// Places in `objects` by id, when there are many.
    sorted: Vec<(Id, u32)>,
}

impl<'a> Objects<'a> {
    fn new(objects: &'a [Object], context: &'a ShowContext<'a>) -> Self {
        let mut sorted = Vec::new();
        if objects.len() >= SORTED_FROM {
            sorted.extend(objects.iter().enumerate().map(|(at, object)| (object.id(), at as u32)));
            sorted.sort_unstable();
        }
        Objects {
            objects,
            context,
            sorted,
        }
    }

    fn find(&self, kind: &'static Kind, id: Id) -> Option<&'a Object> {
        if self.sorted.is_empty() {
            return self
                .objects
                .iter()
                .find(|object| object.id() == id && object.kind() == kind);
        }
        let from = self.sorted.partition_point(|(known, _)| *known < id);
        let same = self.sorted[from..].iter().take_while(|(known, _)| *known == id);
        same.map(|(_, at)| &self.objects[*at as usize])
            .find(|object| object.kind() == kind)
    }
}

impl Attached for Objects<'_> {
    fn show(&self, kind: &'static Kind, id: Id, with: &mut dyn FnMut(&dyn Shown)) -> bool {
        match self.find(kind, id) {
            Some(object) => {
                object.with_shown(self.context, |shown| with(shown));
                true
            }
            None => false,
        }
    }
}
