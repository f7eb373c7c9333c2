//! Which references of an answer are expanded in place.

use crate::id::{Id, Kind};
use crate::shown::{FieldShape, Shown, Value, ValueKind};
use crate::version::Version;

/// A tree of field names to expand. Wire builds it from `expand[]`; shard and readers walk it to attach objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expand {
    children: Vec<(Box<str>, Expand)>,
}

impl Expand {
    /// Expands nothing.
    pub const NONE: &'static Expand = &Expand { children: Vec::new() };

    /// Whether nothing is expanded below here.
    pub fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// The subtree below `field`, if it is to be expanded.
    pub fn child(&self, field: &str) -> Option<&Expand> {
        self.children
            .iter()
            .find(|(name, _)| &**name == field)
            .map(|(_, child)| child)
    }

    /// Adds a path of field names; ancestors on it expand too.
    pub fn add(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let at = match self.children.iter().position(|(name, _)| &**name == *first) {
            Some(at) => at,
            None => {
                self.children.push(((*first).into(), Expand::default()));
                self.children.len() - 1
            }
        };
        self.children[at].1.add(rest);
    }

    /// Every path of the tree, dotted, parents before children.
    pub fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect(&self, prefix: &str, out: &mut Vec<String>) {
        for (name, child) in &self.children {
            let path = if prefix.is_empty() {
                name.to_string()
            } else {
                format!("{prefix}.{name}")
            };
            out.push(path.clone());
            child.collect(&path, out);
        }
    }
}

/// Calls `found` for every reference of `shown` that is shown in place at `version`: expanded ones, and members of
/// included lists, also those in nested hashes and arrays. `found` is told the subtree to go on with in the referenced
/// object.
pub fn references<'a>(
    shown: &dyn Shown,
    expand: &'a Expand,
    version: Version,
    found: &mut dyn FnMut(&'static Kind, Id, &'a Expand),
) {
    for (index, field) in shown.shape().fields.iter().enumerate() {
        if version < field.since || version >= field.until || !may_refer(&field.kind) {
            continue;
        }
        value_references(&shown.value(index), field, expand.child(field.name), version, found);
    }
}

fn value_references<'a>(
    value: &Value<'_>,
    field: &FieldShape,
    child: Option<&'a Expand>,
    version: Version,
    found: &mut dyn FnMut(&'static Kind, Id, &'a Expand),
) {
    match value {
        Value::Ref(to) => {
            let included = (version < field.included_until).then_some(Expand::NONE);
            if let (true, Some(below)) = (field.expand, child.or(included)) {
                found(to.kind, to.id, below);
            }
        }
        Value::SubList(list) if version < field.included_until || child.is_some() => {
            let below = child.and_then(|child| child.child("data")).unwrap_or(Expand::NONE);
            list.ids.iter().for_each(|id| found(list.kind_of(*id), *id, below));
        }
        Value::Node(node) => references(*node, child.unwrap_or(Expand::NONE), version, found),
        Value::List(items) => {
            (0..items.len()).for_each(|at| value_references(&items.item(at), field, child, version, found));
        }
        _ => {}
    }
}

/// Whether values of this kind can lead to another object; the others are not even asked for.
fn may_refer(kind: &ValueKind) -> bool {
    match kind {
        ValueKind::Ref | ValueKind::SubList | ValueKind::Node(_) | ValueKind::Named(_) | ValueKind::Any => true,
        ValueKind::List(of) => may_refer(of),
        ValueKind::Bool
        | ValueKind::Int
        | ValueKind::Timestamp
        | ValueKind::Str
        | ValueKind::Names(_)
        | ValueKind::Object(_)
        | ValueKind::Map => false,
    }
}
