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

use crate::versions::{CHANGES, Chain};
use show::{Attached, Show};
use tollgate_domain::Reject;
use tollgate_domain::object::{Item, Object, ShowContext};
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
    /// The shape revision of the answer: fields of later releases are left out of replays.
    pub revision: u16,
    /// What is shown in place. For lists, the paths start with `data`.
    pub expand: &'a Expand,
    /// The objects that may be shown in place. One that is missing leaves its id.
    pub attached: &'a [Object],
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
        self.write(out, |show| {
            item.with_shown(&self.show, |shown| show.node(shown, self.expand, 0));
        });
    }

    /// Writes a list object; `total` is printed when there is one.
    pub fn list(&self, url: &str, items: &[Item], has_more: bool, total: Option<u64>, out: &mut Vec<u8>) {
        let expand = self.expand.child("data").unwrap_or(Expand::NONE);
        self.write(out, |show| {
            show.list(url, total, has_more, items.len(), 0, &mut |show, at, depth| {
                items[at].with_shown(&self.show, |shown| show.node(shown, expand, depth));
            });
        });
    }

    /// Writes a page of a search.
    pub fn found(&self, found: &FoundPage<'_>, out: &mut Vec<u8>) {
        let expand = self.expand.child("data").unwrap_or(Expand::NONE);
        self.write(out, |show| {
            show.found(found, &mut |show, at, depth| {
                found.items[at].with_shown(&self.show, |shown| show.node(shown, expand, depth));
            });
        });
    }

    /// Writes an error body. `payment_intent` and `payment_method` are embedded when they are attached.
    ///
    /// `request_id` is the request's, once it is known who asks. It is not shown yet: `request_log_url` is left out until
    /// there is a page it could lead to.
    pub fn reject(&self, reject: &Reject, request_id: Option<Id>, out: &mut Vec<u8>) {
        let _ = request_id;
        self.write(out, |show| reject::write(reject, show));
        out.push(b'\n');
    }

    fn write(&self, out: &mut Vec<u8>, with: impl FnOnce(&mut Show<'_>)) {
        let attached = Objects::new(self.attached, &self.show);
        let start = out.len();
        with(&mut Show {
            out,
            version: self.version,
            revision: self.revision,
            attached: &attached,
        });
        if CHAIN.rewrites_answers(self.version) {
            let mut answer = serde_json::from_slice(&out[start..]).expect("what was written is JSON");
            CHAIN.rewrite_answer(self.version, &mut answer);
            out.truncate(start);
            serde_json::to_writer_pretty(out, &answer).expect("a tree is written to memory");
        }
    }
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
