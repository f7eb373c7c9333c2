//! One difference between a version and the one before, and the chain of them.

use crate::forms::{Pairs, Table};
use serde_json::{Map, Value};
use tollgate_resource::{Method, Version};

/// One difference. Its examples are executed as its test.
#[derive(Debug)]
pub struct Change {
    /// The first version with the new behaviour.
    pub since: Version,
    /// What changed, in one line for the reference page.
    pub doc: &'static str,
    /// What it does to requests of older versions.
    pub requests: &'static [RequestChange],
    /// What it does to answers for older versions that windows cannot say.
    pub answers: &'static [AnswerChange],
    /// The shown fields whose windows carry it.
    pub windows: &'static [Window],
}

/// Brings the form of an older client up to date.
#[derive(Debug)]
pub struct RequestChange {
    /// The operation it concerns.
    pub method: Method,
    /// Its path as declared.
    pub path: &'static str,
    /// Changes the form.
    pub rewrite: fn(&mut Request<'_>),
    /// A form before and after.
    pub example: (&'static str, &'static str),
}

/// Takes an answer back to how an older client knows it.
#[derive(Debug)]
pub struct AnswerChange {
    /// The objects it concerns, wherever in the answer they stand, by their `object` member.
    pub object: &'static str,
    /// Changes one of them.
    pub rewrite: fn(&mut Map<String, Value>),
    /// An object as the newer version shows it, and as the older one does.
    pub example: (&'static str, &'static str),
}

/// A shown field that came or went with a change.
#[derive(Debug)]
pub struct Window {
    /// The object it is a member of.
    pub object: &'static str,
    /// Its name.
    pub field: &'static str,
    /// How the older version shows it.
    pub before: Presence,
    /// How the newer version shows it.
    pub after: Presence,
}

/// How a version shows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Always.
    Shown,
    /// Only when it is expanded.
    Expanded,
    /// Never.
    Gone,
}

/// A form that a change rewrites.
pub struct Request<'a> {
    pairs: &'a mut Pairs,
    table: &'a Table,
    version: Version,
}

impl Request<'_> {
    /// Whether the form gives the parameter or anything below it.
    pub fn gives(&self, name: &str) -> bool {
        let below = |key: &str| {
            key.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        self.pairs.iter().any(|(key, _)| below(key))
    }

    /// The value given for exactly that name; the last, if there are several.
    pub fn value(&self, name: &str) -> Option<&str> {
        (0..self.pairs.len())
            .rev()
            .find(|at| self.pairs.key(*at) == name)
            .map(|at| self.pairs.value(at))
    }

    /// Whether the operation takes a parameter of that name.
    pub fn takes(&self, name: &str) -> bool {
        self.table.takes(name, self.version)
    }

    /// Calls a parameter, and everything below it, by another name.
    pub fn rename(&mut self, name: &str, other: &str) {
        let below: Vec<(String, String)> = self
            .pairs
            .iter()
            .filter_map(|(key, value)| {
                let rest = key.strip_prefix(name)?;
                (rest.is_empty() || rest.starts_with('[')).then(|| (format!("{other}{rest}"), value.to_owned()))
            })
            .collect();
        self.remove(name);
        below.iter().for_each(|(key, value)| self.pairs.push(key, value));
    }

    /// Adds a parameter that a later change may bring up to date.
    pub fn put(&mut self, name: &str, value: &str) {
        self.pairs.push(name, value);
    }

    /// Adds a parameter, if the operation takes it.
    pub fn add(&mut self, name: &str, value: &str) {
        let top = name.split('[').next().unwrap_or(name);
        if self.table.takes(top, self.version) {
            self.pairs.push(name, value);
        }
    }

    /// Removes a parameter and everything below it.
    pub fn remove(&mut self, name: &str) {
        self.pairs.remove(|key| {
            key.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        });
    }
}

/// Changes in the order of their versions.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    changes: &'static [&'static Change],
    /// The newest version that rewrites a request: only older clients go through the chain.
    requests_since: Version,
    /// The newest version that rewrites an answer.
    answers_since: Version,
}

impl Chain {
    /// A chain of these changes, oldest first.
    pub const fn new(changes: &'static [&'static Change]) -> Chain {
        let (mut requests_since, mut answers_since) = (Version::ALWAYS, Version::ALWAYS);
        let mut at = 0;
        while at < changes.len() {
            assert!(
                at == 0 || changes[at - 1].since.0 <= changes[at].since.0,
                "changes stand oldest first"
            );
            if !changes[at].requests.is_empty() {
                requests_since = changes[at].since;
            }
            if !changes[at].answers.is_empty() {
                answers_since = changes[at].since;
            }
            at += 1;
        }
        Chain {
            changes,
            requests_since,
            answers_since,
        }
    }

    /// Brings a request of `version` up to date.
    pub fn rewrite_request(&self, version: Version, method: Method, path: &str, table: &Table, pairs: &mut Pairs) {
        if version >= self.requests_since {
            return;
        }
        for change in self.changes.iter().filter(|change| version < change.since) {
            let concerned = change
                .requests
                .iter()
                .filter(|one| one.method == method && one.path == path);
            for request in concerned {
                (request.rewrite)(&mut Request { pairs, table, version });
            }
        }
    }

    /// Whether answers for `version` go through [`Chain::rewrite_answer`].
    pub fn rewrites_answers(&self, version: Version) -> bool {
        version < self.answers_since
    }

    /// Takes a written answer back to `version`.
    pub fn rewrite_answer(&self, version: Version, answer: &mut Value) {
        for change in self.changes.iter().rev().filter(|change| version < change.since) {
            change.answers.iter().for_each(|change| rewrite_below(answer, change));
        }
    }
}

/// Inner objects first, so that a rewrite sees its members as the older version has them.
fn rewrite_below(value: &mut Value, change: &AnswerChange) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_below(item, change)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| rewrite_below(member, change));
            if members.get("object").and_then(Value::as_str) == Some(change.object) {
                (change.rewrite)(members);
                sort(members);
            }
        }
        _ => {}
    }
}

/// Calls a member by another name.
pub(super) fn rename(members: &mut Map<String, Value>, name: &str, other: &str) {
    if let Some(value) = members.remove(name) {
        members.insert(other.into(), value);
    }
}

/// Puts the members of an object in print order again: `id`, `object`, then alphabetically.
fn sort(members: &mut Map<String, Value>) {
    let rank = |name: &str| match name {
        "id" => 0,
        "object" => 1,
        _ => 2,
    };
    let mut sorted: Vec<(String, Value)> = std::mem::take(members).into_iter().collect();
    sorted.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    members.extend(sorted);
}
