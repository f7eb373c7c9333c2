//! One interpreter for every shown struct.

use super::json::{self, Lines, NULL};
use super::{FoundPage, previous};
use tollgate_domain::kinds;
use tollgate_resource::shown::{FieldShape, SubList, ValueKind};
use tollgate_resource::{Expand, Id, Kind, Shown, Value, Version};

/// Objects that can be shown in place.
pub(super) trait Attached {
    /// Shows the object, or says that it is not here.
    fn show(&self, kind: &'static Kind, id: Id, with: &mut dyn FnMut(&dyn Shown)) -> bool;
}

/// Writes shown structs at a version.
pub(super) struct Show<'a> {
    pub out: &'a mut Vec<u8>,
    pub version: Version,
    pub revision: u16,
    pub attached: &'a dyn Attached,
    /// Whether `previous_attributes` are written as the whole object of before, because what changed is told apart only
    /// after both were taken back to an older version.
    pub previous_whole: bool,
}

impl Show<'_> {
    /// Writes a hash whose opening brace stands at `depth`.
    pub(super) fn node(&mut self, shown: &dyn Shown, expand: &Expand, depth: usize) {
        let lines = Lines::at(depth + 1);
        let mut before = b'{';
        for (index, field) in shown.shape().fields.iter().enumerate() {
            if !self.has(field) {
                continue;
            }
            let value = shown.value(index);
            // Most members are null, or have nothing inside that could be expanded.
            match &value {
                Value::Absent => continue,
                Value::Null => lines.null(self.out, before, field),
                Value::Bool(value) => {
                    lines.field(self.out, before, field);
                    json::bool(self.out, *value);
                }
                Value::Int(value) => {
                    lines.field(self.out, before, field);
                    json::int(self.out, *value);
                }
                Value::Str(text) => {
                    lines.field(self.out, before, field);
                    json::string(self.out, text);
                }
                Value::Ident(ident) => {
                    lines.field(self.out, before, field);
                    self.id(ident.kind, ident.id);
                }
                _ => {
                    let child = expand.child(field.name);
                    match value {
                        Value::SubList(_) if !self.includes(field) && child.is_none() => continue,
                        // A hash that may be expanded is shown only then.
                        Value::Node(_) if field.expand && child.is_none() => continue,
                        _ => {}
                    }
                    lines.field(self.out, before, field);
                    // What older versions show in place of its id is shown with nothing expanded inside.
                    let child = child.filter(|_| field.expand || !refers(&field.kind));
                    let included = matches!(value, Value::Ref(_)) && self.includes(field);
                    self.value(&value, child.or(included.then_some(Expand::NONE)), depth + 1);
                }
            }
            before = b',';
        }
        self.close(before == b'{', depth);
    }

    /// Writes a value; `expand` is the subtree if it is to be shown in place.
    pub(super) fn value(&mut self, value: &Value<'_>, expand: Option<&Expand>, depth: usize) {
        match *value {
            Value::Absent | Value::Null => self.out.extend_from_slice(NULL),
            Value::Bool(value) => json::bool(self.out, value),
            Value::Int(value) => json::int(self.out, value),
            Value::Str(text) => json::string(self.out, text),
            Value::Text(ref text) => json::string(self.out, text),
            Value::Ident(ident) => self.id(ident.kind, ident.id),
            Value::Ref(to) => match expand {
                Some(below) => self.object(to.kind, to.id, below, depth),
                None => self.id(to.kind, to.id),
            },
            Value::Node(node) => self.node(node, expand.unwrap_or(Expand::NONE), depth),
            Value::List(items) => {
                if items.is_empty() {
                    return self.out.extend_from_slice(b"[]");
                }
                for at in 0..items.len() {
                    json::line(self.out, if at == 0 { b'[' } else { b',' }, depth + 1);
                    self.value(&items.item(at), expand, depth + 1);
                }
                json::close(self.out, b']', depth);
            }
            Value::Map(map) => {
                let mut first = true;
                for (name, text) in map.iter() {
                    self.map_key(first, name, depth);
                    first = false;
                    json::string(self.out, text);
                }
                self.close(first, depth);
            }
            Value::SubList(ref list) => {
                let below = expand.and_then(|expand| expand.child("data")).unwrap_or(Expand::NONE);
                self.sub_list(list, below, depth);
            }
            Value::Previous { old, .. } if self.previous_whole => self.node(old, Expand::NONE, depth),
            Value::Previous { old, new } => previous::write(self, old, new, depth),
        }
    }

    /// Writes a list object; `item` writes the member at an index, at a depth.
    pub(super) fn list(
        &mut self,
        url: &str,
        total: Option<u64>,
        has_more: bool,
        len: usize,
        depth: usize,
        item: &mut dyn FnMut(&mut Show<'_>, usize, usize),
    ) {
        self.member(true, "object", depth);
        self.out.extend_from_slice(b"\"list\"");
        self.member(false, "data", depth);
        self.items(len, depth + 1, item);
        self.member(false, "has_more", depth);
        json::bool(self.out, has_more);
        if let Some(total) = total {
            self.member(false, "total_count", depth);
            json::int(self.out, i64::try_from(total).unwrap_or(i64::MAX));
        }
        self.member(false, "url", depth);
        json::string(self.out, url);
        self.close(false, depth);
    }

    /// Writes a page of the second version of the API; `item` writes the object at an index, at a depth.
    pub(super) fn page(&mut self, next: Option<&str>, len: usize, item: &mut dyn FnMut(&mut Show<'_>, usize, usize)) {
        self.member(true, "data", 0);
        self.items(len, 1, item);
        self.member(false, "next_page_url", 0);
        match next {
            Some(next) => json::string(self.out, next),
            None => self.out.extend_from_slice(NULL),
        }
        self.member(false, "previous_page_url", 0);
        self.out.extend_from_slice(NULL);
        self.close(false, 0);
    }

    /// Writes a page of a search; `item` writes the object at an index, at a depth.
    pub(super) fn found(&mut self, found: &FoundPage<'_>, item: &mut dyn FnMut(&mut Show<'_>, usize, usize)) {
        self.member(true, "object", 0);
        self.out.extend_from_slice(b"\"search_result\"");
        self.member(false, "data", 0);
        self.items(found.items.len(), 1, item);
        self.member(false, "has_more", 0);
        json::bool(self.out, found.next_page.is_some());
        self.member(false, "next_page", 0);
        match found.next_page {
            Some(page) => json::string(self.out, page),
            None => self.out.extend_from_slice(NULL),
        }
        if let Some(total) = found.total_count {
            self.member(false, "total_count", 0);
            json::int(self.out, i64::try_from(total).unwrap_or(i64::MAX));
        }
        self.member(false, "url", 0);
        json::string(self.out, found.url);
        self.close(false, 0);
    }

    /// Writes an array of objects.
    pub(super) fn items(&mut self, len: usize, depth: usize, item: &mut dyn FnMut(&mut Show<'_>, usize, usize)) {
        if len == 0 {
            self.out.extend_from_slice(b"[]");
            return;
        }
        for at in 0..len {
            json::line(self.out, if at == 0 { b'[' } else { b',' }, depth + 1);
            item(self, at, depth + 1);
        }
        json::close(self.out, b']', depth);
    }

    /// Writes an attached object in place, or its id.
    pub(super) fn object(&mut self, kind: &'static Kind, id: Id, expand: &Expand, depth: usize) {
        let attached = self.attached;
        if !attached.show(kind, id, &mut |shown| self.node(shown, expand, depth)) {
            self.id(kind, id);
        }
    }

    /// Whether the answer has the field at all.
    #[inline]
    pub(super) fn has(&self, field: &FieldShape) -> bool {
        self.version >= field.since && self.version < field.until && self.revision >= field.revision
    }

    /// Whether a list of included objects, or an object, is shown without being expanded.
    pub(super) fn includes(&self, field: &FieldShape) -> bool {
        self.version < field.included_until
    }

    /// Starts a member of the hash that stands at `depth`, and the hash with its first.
    #[inline]
    pub(super) fn member(&mut self, first: bool, name: &str, depth: usize) {
        json::member(self.out, if first { b'{' } else { b',' }, depth + 1, name);
    }

    /// As [`Show::member`], for a name that may need escaping.
    pub(super) fn map_key(&mut self, first: bool, name: &str, depth: usize) {
        json::line(self.out, if first { b'{' } else { b',' }, depth + 1);
        json::string(self.out, name);
        self.out.extend_from_slice(b": ");
    }

    /// Ends a hash that stands at `depth`; one without members was not started.
    pub(super) fn close(&mut self, empty: bool, depth: usize) {
        if empty {
            self.out.extend_from_slice(b"{}");
        } else {
            json::close(self.out, b'}', depth);
        }
    }

    fn sub_list(&mut self, list: &SubList<'_>, expand: &Expand, depth: usize) {
        self.list(
            &list.whole_url(),
            Some(list.total),
            list.has_more,
            list.ids.len(),
            depth,
            &mut |show, at, depth| {
                show.object(list.kind_of(list.ids[at]), list.ids[at], expand, depth);
            },
        );
    }

    fn id(&mut self, kind: &'static Kind, id: Id) {
        // What is paid with may be a card or source of the older API, and is called by its own id.
        let kind = if *kind == kinds::PAYMENT_METHOD {
            kinds::of_method(id)
        } else {
            kind
        };
        self.out.push(b'"');
        id.write(kind, self.out);
        self.out.push(b'"');
    }
}

/// Whether values of this kind are references, which are expanded only where the declaration allows it.
fn refers(kind: &ValueKind) -> bool {
    match kind {
        ValueKind::Ref => true,
        ValueKind::List(of) => refers(of),
        _ => false,
    }
}
