//! `docs/coverage.md`: for every parameter and field that the public API names, whether it is served. Written from the
//! declarations and from `docs/spec_names.txt`, and compared with them.

use crate::versions_page::compare;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tollgate_domain::api::{BALANCE_SHAPE, ENDPOINTS};
use tollgate_domain::{api, kinds};
use tollgate_resource::{ParamKind, ParamsShape, Shape, ValueKind, Version};

const NAMES: &str = include_str!("../../../../docs/spec_names.txt");

const HEAD: &str = "\
# What of the public API is served

Every operation, parameter and field that the public API names for these resources (at 2026-05-27.dahlia, in
[spec_names.txt](spec_names.txt)), held against what is declared here. What is not served is refused by its name: an
operation with 404 `Unrecognized request URL`, a parameter with 400 `Received unknown parameter`. Names in parentheses
stand inside the one before. Types of payment methods other than cards are named and not entered.

This page is written by `TOLLGATE_DOCS=write cargo test -p tollgate-wire --test suite coverage`; the same test compares it.
";

/// Names with what stands inside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tree(BTreeMap<String, Tree>);

impl Tree {
    /// Reads `a b(c d(e)) f`.
    fn read(text: &str) -> Tree {
        let mut open = vec![(String::new(), Tree::default())];
        let mut word = String::new();
        for letter in text.chars().chain([' ']) {
            match letter {
                '(' => open.push((std::mem::take(&mut word), Tree::default())),
                ' ' | ')' => {
                    if !word.is_empty() {
                        let (_, inside) = open.last_mut().expect("the root is never closed");
                        inside.0.insert(std::mem::take(&mut word), Tree::default());
                    }
                    if letter == ')' {
                        let (name, tree) = open.pop().expect("parentheses match");
                        open.last_mut()
                            .expect("the root is never closed")
                            .1
                            .0
                            .insert(name, tree);
                    }
                }
                letter => word.push(letter),
            }
        }
        assert_eq!(open.len(), 1, "parentheses match in {text}");
        open.pop().expect("the root").1
    }

    fn text(&self) -> String {
        let names = self.0.iter().map(|(name, inside)| match inside.0.is_empty() {
            true => name.clone(),
            false => format!("{name}({})", inside.text()),
        });
        names.collect::<Vec<_>>().join(" ")
    }

    /// What is here and in `other`, as deep as both go.
    fn both(&self, other: &Tree) -> Tree {
        let pairs = self
            .0
            .iter()
            .filter_map(|(name, inside)| Some((name, inside, other.0.get(name)?)));
        Tree(
            pairs
                .map(|(name, inside, theirs)| (name.clone(), inside.both(theirs)))
                .collect(),
        )
    }

    /// What is here and not in `other`. Inside of `leaves` (those that `other` has, but does not enter) nothing counts.
    fn without(&self, other: &Tree, enter_leaves: bool) -> Tree {
        let left = self.0.iter().filter_map(|(name, inside)| match other.0.get(name) {
            None => Some((name.clone(), Tree::default())),
            Some(theirs) if theirs.0.is_empty() && !enter_leaves => None,
            Some(theirs) => {
                let rest = inside.without(theirs, enter_leaves);
                (!rest.0.is_empty()).then(|| (name.clone(), rest))
            }
        });
        Tree(left.collect())
    }

    /// Hashes of `self` that `other` shows without entering them.
    fn closed(&self, other: &Tree) -> Tree {
        let closed = self.0.iter().filter_map(|(name, inside)| {
            let theirs = other.0.get(name)?;
            if theirs.0.is_empty() {
                return (!inside.0.is_empty()).then(|| (name.clone(), Tree::default()));
            }
            let rest = inside.closed(theirs);
            (!rest.0.is_empty()).then(|| (name.clone(), rest))
        });
        Tree(closed.collect())
    }

    fn add(&mut self, name: &str) -> &mut Tree {
        self.0.entry(name.to_owned()).or_default()
    }
}

fn params(shape: &ParamsShape, into: &mut Tree) {
    for field in shape.fields {
        param(&field.kind, into.add(field.name));
    }
}

fn param(kind: &ParamKind, into: &mut Tree) {
    match kind {
        ParamKind::Node(shape) => params(shape, into),
        ParamKind::List { of, .. } => param(of, into),
        _ => {}
    }
}

fn fields(shape: &Shape, into: &mut Tree) {
    for field in shape.fields {
        value(&field.kind, into.add(field.name));
    }
}

fn value(kind: &ValueKind, into: &mut Tree) {
    match kind {
        ValueKind::Node(shape) if shape.object.is_none() => fields(shape, into),
        ValueKind::List(of) => value(of, into),
        _ => {}
    }
}

/// The references and included lists of a shape that expand, in its hashes too.
fn expandable(shape: &Shape, into: &mut Tree) {
    for field in shape.fields.iter().filter(|field| field.until > Version::NEWEST) {
        let mut kind = &field.kind;
        while let ValueKind::List(of) = kind {
            kind = of;
        }
        match kind {
            ValueKind::Ref if field.expand => {
                into.add(field.name);
            }
            ValueKind::SubList => {
                into.add(field.name);
            }
            ValueKind::Node(inner) if inner.object.is_some() && field.expand => {
                into.add(field.name);
            }
            ValueKind::Node(inner) if inner.object.is_none() => {
                let mut inside = Tree::default();
                expandable(inner, &mut inside);
                if !inside.0.is_empty() {
                    *into.add(field.name) = inside;
                }
            }
            _ => {}
        }
    }
}

/// A path whose variable segments have no names.
fn bare(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The shape of an object by its name, `deleted_` for what a deletion leaves.
fn shape(object: &str) -> Option<&'static Shape> {
    if object == "balance" {
        return Some(BALANCE_SHAPE);
    }
    let answered = || ENDPOINTS.iter().map(|endpoint| endpoint.answers.shape());
    if let Some(name) = object.strip_prefix("deleted_") {
        let is_stub = |shape: &&Shape| shape.fields.iter().any(|field| field.name == "deleted");
        return answered().find(|shape| shape.object == Some(name) && is_stub(shape));
    }
    let kind = kinds::ALL.iter().find(|kind| kind.object == object);
    let of_kind = kind.and_then(|kind| api::shape_of(kind));
    of_kind.or_else(|| answered().find(|shape| shape.object == Some(object)))
}

fn line(page: &mut String, what: &str, names: &Tree) {
    if !names.0.is_empty() {
        writeln!(page, "- {what}: {}", names.text()).expect("text");
    }
}

#[test]
fn the_page_of_coverage_is_what_is_declared() {
    let mut page = HEAD.to_owned();
    let (mut operations, mut objects, mut expansions) = (String::new(), String::new(), String::new());
    let mut seen = BTreeSet::new();
    for entry in NAMES.lines().filter(|line| !line.starts_with('#')) {
        let (title, names) = entry.split_once(':').expect("a title and its names");
        let spec = Tree::read(names.trim());
        let (first, rest) = title.split_once(' ').expect("a method and a path, or an object");
        if first == "expand" {
            let mut ours = Tree::default();
            if let Some(shape) = shape(rest) {
                expandable(shape, &mut ours);
            }
            let (both, none) = (spec.both(&ours), spec.without(&ours, true));
            if !spec.0.is_empty() || !ours.0.is_empty() {
                writeln!(expansions, "\n### {rest}\n").expect("text");
            }
            line(&mut expansions, "Expands", &both);
            line(&mut expansions, "Does not expand here", &none);
            line(&mut expansions, "Expands besides", &ours.without(&spec, true));
            continue;
        }
        if first == "object" {
            writeln!(objects, "\n### {rest}\n").expect("text");
            let Some(shape) = shape(rest) else {
                objects.push_str("- Not shown anywhere\n");
                continue;
            };
            let mut ours = Tree::default();
            fields(shape, &mut ours);
            line(&mut objects, "Shown", &spec.both(&ours));
            line(
                &mut objects,
                "Shown, but only as null or a word, never with what the public API has inside",
                &spec.closed(&ours),
            );
            line(&mut objects, "Not shown", &spec.without(&ours, false));
            line(&mut objects, "Shown besides", &ours.without(&spec, false));
            continue;
        }
        writeln!(operations, "\n### {title}\n").expect("text");
        let of_path = |endpoint: &&&tollgate_resource::Endpoint<_>| {
            endpoint.method.name() == first && bare(endpoint.path) == bare(rest)
        };
        let Some(endpoint) = ENDPOINTS.iter().find(of_path) else {
            operations.push_str("- Not offered\n");
            continue;
        };
        seen.insert(endpoint.name);
        let mut ours = Tree::default();
        params(endpoint.params, &mut ours);
        line(&mut operations, "Served", &spec.both(&ours));
        line(&mut operations, "Refused by name", &spec.without(&ours, true));
        line(&mut operations, "Taken besides", &ours.without(&spec, true));
        if spec.0.is_empty() && ours.0.is_empty() {
            operations.push_str("- Served; it has no parameters\n");
        }
    }
    page.push_str("\n## Operations\n");
    page.push_str(&operations);
    page.push_str("\n## Objects\n");
    page.push_str(&objects);
    page.push_str("\n## Expansion\n");
    page.push_str(&expansions);
    page.push_str("\n## Operations that the public API of these resources does not name\n\n");
    for endpoint in ENDPOINTS.iter().filter(|endpoint| !seen.contains(endpoint.name)) {
        writeln!(page, "- {} {}", endpoint.method.name(), endpoint.path).expect("text");
    }
    compare("docs/coverage.md", &page);
}

#[test]
fn names_are_read_and_compared_as_trees() {
    let tree = Tree::read("a b(c d(e f)) g(h)");
    assert_eq!(Tree::read(&tree.text()), tree);
    let other = Tree::read("a b(d(e)) g i");
    assert_eq!(tree.both(&other).text(), "a b(d(e)) g");
    assert_eq!(tree.without(&other, true).text(), "b(c d(f)) g(h)");
    assert_eq!(tree.without(&other, false).text(), "b(c d(f))");
    assert_eq!(tree.closed(&other).text(), "g");
    assert_eq!(other.without(&tree, true).text(), "i");
}
