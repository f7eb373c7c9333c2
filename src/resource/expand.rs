//! Which references of an answer are expanded in place.

use crate::id::{Id, Kind};
use crate::shown::{Shown, Value};
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
/// included lists. `found` is told the subtree to go on with in the referenced object.
pub fn references<'a>(
    shown: &dyn Shown,
    expand: &'a Expand,
    version: Version,
    found: &mut dyn FnMut(&'static Kind, Id, &'a Expand),
) {
    let fields = shown.shape().fields;
    for (index, field) in fields.iter().enumerate() {
        if version < field.since || version >= field.until {
            continue;
        }
        let child = expand.child(field.name);
        match shown.value(index) {
            Value::Ref(to) => {
                if let (true, Some(below)) = (field.expand, child) {
                    found(to.kind, to.id, below);
                }
            }
            Value::SubList(list) if version < field.included_until || child.is_some() => {
                let below = child.and_then(|child| child.child("data")).unwrap_or(Expand::NONE);
                list.ids.iter().for_each(|id| found(list.kind, *id, below));
            }
            Value::Node(node) => {
                if let Some(below) = child {
                    references(node, below, version, found);
                }
            }
            _ => {}
        }
    }
}
