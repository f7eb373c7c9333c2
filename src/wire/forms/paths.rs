//! From names to places: every pair's bracket path is matched against the compiled parameters once, and turned into a
//! number that sorts as the parameters are declared.

use super::pairs::Pairs;
use super::table::{DEPTH_MAX, NodeId, NodeStep, ROOT, Table};
use smallvec::SmallVec;
use tollgate_resource::operation::Refused;
use tollgate_resource::params::{ParamKind, Problem};
use tollgate_resource::{Step, Version};

/// What the parameters call a card number.
const CARD_NUMBER: &str = "card_number";
/// Most unknown parameters that an error names.
pub const UNKNOWN_MAX: usize = 20;

/// A pair that reached a declared parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    /// The path's steps, 16 bits each from the top: field number + 1, item number + 1, or key number + 1; 0 where the
    /// path has ended. Numbers of free keys are all 1: they keep their order of appearance.
    pub order: u128,
    /// Which pair.
    pub pair: u16,
    /// The place it reached.
    pub node: NodeId,
    /// The free key, if one is on the path.
    pub key: (u32, u32),
    /// What is wrong with the path itself.
    pub fault: Option<Fault>,
}

/// What can be wrong with a path that leads to a declared parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An array is given names instead of numbers.
    Array,
    /// A free key is empty.
    Object,
    /// A hash or array is given where one value belongs; the place is where its brackets start.
    Scalar { rest: (u32, u32) },
}

impl Placed {
    /// A place at the root.
    pub(super) const NOWHERE: Placed = Placed {
        order: 0,
        pair: 0,
        node: ROOT,
        key: (0, 0),
        fault: None,
    };
}

impl Fault {
    /// What is said about it where `kind` is wanted.
    pub(super) fn problem(self, kind: Option<&ParamKind>) -> Problem {
        match (self, kind) {
            (Fault::Array, _) => Problem::Array,
            (Fault::Object, _) => Problem::Object,
            (Fault::Scalar { .. }, Some(ParamKind::Int { .. })) => Problem::Integer,
            (Fault::Scalar { .. }, Some(ParamKind::Bool)) => Problem::Boolean,
            (Fault::Scalar { .. }, _) => Problem::Scalar,
        }
    }
}

/// Reused memory of [`place`].
#[derive(Debug, Default)]
pub(super) struct Places {
    pub placed: Vec<Placed>,
    arrays: Vec<Array>,
    labels: Vec<Label>,
    seen: Vec<Seen>,
    /// Whether a secret parameter is among the pairs.
    pub secret: bool,
    /// Whether one of them is a card number.
    pub card_number: bool,
}

/// An array that a path went through.
#[derive(Debug)]
struct Array {
    /// The order code up to the array, which names it.
    prefix: u128,
    /// Items so far.
    count: u16,
    /// The item that `[]` adds to, if it is still open.
    open: Option<u16>,
}

/// An item that was named by a number.
#[derive(Debug)]
struct Label {
    array: u16,
    text: (u32, u32),
    item: u16,
}

/// A path behind `[]`: when it comes again, it starts another item.
#[derive(Debug)]
struct Seen {
    array: u16,
    item: u16,
    rest: (u32, u32),
}

impl Places {
    pub(super) fn clear(&mut self) {
        self.placed.clear();
        self.arrays.clear();
        self.labels.clear();
        self.seen.clear();
        self.secret = false;
        self.card_number = false;
    }

    /// Finds every pair's place and sorts the pairs in declaration order.
    ///
    /// # Errors
    /// `Refused::Unknown` with the names that lead nowhere, `Refused::Malformed` for paths that are too deep.
    pub(super) fn find(&mut self, table: &Table, pairs: &Pairs, version: Version) -> Result<(), Refused> {
        self.clear();
        let mut unknown: Vec<String> = Vec::new();
        for pair in 0..pairs.len() {
            match self.place(table, pairs, pair, version)? {
                Found::Placed(placed) => {
                    if let Some(ParamKind::Secret(word)) = table.node(placed.node).kind {
                        self.secret = true;
                        self.card_number |= *word == CARD_NUMBER;
                    }
                    self.placed.push(placed);
                }
                Found::Unknown { len } => {
                    let name = &pairs.key(pair)[..len];
                    if unknown.len() < UNKNOWN_MAX && !unknown.iter().any(|known| known == name) {
                        unknown.push(name.into());
                    }
                }
            }
        }
        if !unknown.is_empty() {
            return Err(Refused::Unknown(unknown));
        }
        if !self.placed.is_sorted_by_key(|placed| placed.order) {
            self.placed.sort_unstable_by_key(|placed| (placed.order, placed.pair));
        }
        Ok(())
    }

    /// The place of one pair.
    fn place(&mut self, table: &Table, pairs: &Pairs, pair: usize, version: Version) -> Result<Found, Refused> {
        let name = pairs.key(pair);
        let start = pairs.key_start(pair);
        let place = |from: usize, to: usize| (start + from as u32, start + to as u32);
        if name.len() > 2 * DEPTH_MAX && name.bytes().filter(|byte| *byte == b'[').count() >= DEPTH_MAX {
            return Err(Refused::Malformed(format!(
                "A parameter is nested deeper than {DEPTH_MAX} levels."
            )));
        }
        let mut segments = Segments::new(name);

        let mut placed = Placed {
            pair: pair as u16,
            ..Placed::NOWHERE
        };
        for depth in 0.. {
            let (from, to) = (segments.from, segments.to);
            let segment = &name[from..to];
            let at = placed.node;
            let node = table.node(at);
            let (next, code) = match node.kind {
                None | Some(ParamKind::Node(_) | ParamKind::Range) => {
                    let Some(next) = table.child(at, segment, version) else {
                        return Ok(segments.unknown());
                    };
                    let code = match table.node(next).step {
                        NodeStep::Field(index) => index + 1,
                        NodeStep::Key { order } => order + 1,
                        NodeStep::Root | NodeStep::Item => unreachable!("a named child is a field or a key"),
                    };
                    (next, code)
                }
                Some(ParamKind::List { max_items, .. }) => {
                    if !segment.bytes().all(|byte| byte.is_ascii_digit()) {
                        placed.fault = Some(Fault::Array);
                        break;
                    }
                    let rest = (start + to as u32, start + name.len() as u32);
                    let item = self.item(
                        pairs,
                        placed.order,
                        *max_items,
                        place(from, to),
                        rest,
                        segments.is_last(),
                    );
                    (node.inner.expect("an array has items"), item + 1)
                }
                Some(ParamKind::Metadata) => {
                    if segment.is_empty() {
                        placed.fault = Some(Fault::Object);
                        break;
                    }
                    placed.key = place(from, to);
                    (node.inner.expect("metadata has values"), 1)
                }
                Some(_) => {
                    // The bracket before the segment belongs to what is wrong.
                    placed.fault = Some(Fault::Scalar {
                        rest: place(from - 1, name.len()),
                    });
                    break;
                }
            };
            placed.order |= u128::from(code) << shift(depth);
            placed.node = next;
            if segments.is_last() {
                break;
            }
            if !segments.advance() {
                return Ok(Found::Unknown { len: name.len() });
            }
        }
        Ok(Found::Placed(placed))
    }

    /// The number of an item: in order of appearance, from 0. Items over the bound share the number of the bound, which
    /// the parameter refuses.
    fn item(
        &mut self,
        pairs: &Pairs,
        prefix: u128,
        max_items: usize,
        label: (u32, u32),
        rest: (u32, u32),
        last: bool,
    ) -> u16 {
        let array = match self.arrays.iter().rposition(|array| array.prefix == prefix) {
            Some(array) => array,
            None => {
                self.arrays.push(Array {
                    prefix,
                    count: 0,
                    open: None,
                });
                self.arrays.len() - 1
            }
        };
        let named = label.0 != label.1;
        if named {
            let text = pairs.at(label);
            let known = self
                .labels
                .iter()
                .rfind(|known| known.array as usize == array && pairs.at(known.text) == text);
            if let Some(known) = known {
                return known.item;
            }
        } else if let (false, Some(open)) = (last, self.arrays[array].open) {
            // `a[][x]=1&a[][y]=2` is one item until x comes again; an array inside (`a[][z][]`) never starts another.
            let text = pairs.at(rest);
            let again = |seen: &Seen| seen.array as usize == array && seen.item == open && pairs.at(seen.rest) == text;
            if text.ends_with("[]") || !self.seen.iter().any(again) {
                self.seen.push(Seen {
                    array: array as u16,
                    item: open,
                    rest,
                });
                return open;
            }
        }
        let state = &mut self.arrays[array];
        let item = state.count;
        if usize::from(item) >= max_items {
            return item;
        }
        state.count += 1;
        if named {
            self.labels.push(Label {
                array: array as u16,
                text: label,
                item,
            });
        } else if !last {
            state.open = Some(item);
            self.seen.push(Seen {
                array: array as u16,
                item,
                rest,
            });
        }
        item
    }
}

/// How far the code of a step is shifted.
pub(super) fn shift(depth: usize) -> usize {
    assert!(depth < DEPTH_MAX, "a path has at most eight steps");
    112 - 16 * depth
}

/// The code of a step; 0 behind the last.
pub(super) fn code(order: u128, depth: usize) -> u16 {
    if depth >= DEPTH_MAX {
        0
    } else {
        (order >> shift(depth)) as u16
    }
}

/// The steps of a path, as [`Params::set`](tollgate_resource::Params::set) takes them.
pub(super) fn steps<'p>(table: &Table, pairs: &'p Pairs, placed: &Placed) -> SmallVec<[Step<'p>; DEPTH_MAX]> {
    let node = table.node(placed.node);
    if let (1, NodeStep::Field(index)) = (node.depth, node.step) {
        return smallvec::smallvec![Step::Field(index)];
    }
    let depth = usize::from(node.depth);
    let mut steps: SmallVec<[Step<'p>; DEPTH_MAX]> = SmallVec::from_elem(Step::Item(0), depth);
    let mut at = placed.node;
    for depth in (0..depth).rev() {
        let node = table.node(at);
        steps[depth] = match node.step {
            NodeStep::Field(index) => Step::Field(index),
            NodeStep::Item => Step::Item(u32::from(code(placed.order, depth)) - 1),
            NodeStep::Key { .. } if node.is_free_key() => Step::Key(pairs.at(placed.key)),
            NodeStep::Key { .. } => Step::Key(node.name),
            NodeStep::Root => unreachable!("the root is at depth 0"),
        };
        at = node.parent;
    }
    steps
}

/// Appends the canonical bracket path of a place: items by their dense numbers.
pub(super) fn write_path(table: &Table, pairs: &Pairs, placed: &Placed, node: NodeId, out: &mut Vec<u8>) {
    let at = table.node(node);
    if node == ROOT {
        return;
    }
    write_path(table, pairs, placed, at.parent, out);
    let depth = usize::from(at.depth) - 1;
    if depth == 0 {
        out.extend_from_slice(at.name.as_bytes());
        return;
    }
    out.push(b'[');
    match at.step {
        NodeStep::Item => {
            out.extend_from_slice(itoa::Buffer::new().format(code(placed.order, depth) - 1).as_bytes());
        }
        _ if at.is_free_key() => out.extend_from_slice(pairs.at(placed.key).as_bytes()),
        _ => out.extend_from_slice(at.name.as_bytes()),
    }
    out.push(b']');
}

/// Where a path leads.
enum Found {
    /// To a declared parameter.
    Placed(Placed),
    /// Nowhere; that long is the name up to the first segment that is not known, which is what an error names.
    Unknown { len: usize },
}

/// A walk through `a[b][c]`, one segment at a time.
struct Segments<'n> {
    name: &'n [u8],
    /// Where the present segment starts.
    from: usize,
    /// Where it ends: at its closing bracket, or for the first at the next opening one.
    to: usize,
}

impl<'n> Segments<'n> {
    fn new(name: &'n str) -> Self {
        let mut segments = Segments {
            name: name.as_bytes(),
            from: 0,
            to: 0,
        };
        segments.to = segments.bracket();
        segments
    }

    fn is_last(&self) -> bool {
        self.end() == self.name.len()
    }

    /// That the present segment is not known: what stands behind it is not named, unless it is no name at all, as that of
    /// a JSON array in place of a form.
    fn unknown(&self) -> Found {
        let no_name = self.to == 0 || (self.from == 0 && self.name.get(self.to) == Some(&b']'));
        let len = if no_name { self.name.len() } else { self.end() };
        Found::Unknown { len }
    }

    /// Goes to the next segment; `false` if what comes is no bracketed segment.
    fn advance(&mut self) -> bool {
        let end = self.end();
        if self.name[end] != b'[' {
            return false;
        }
        self.from = end + 1;
        self.to = self.bracket();
        self.name.get(self.to) == Some(&b']')
    }

    /// Behind the present segment and its bracket.
    fn end(&self) -> usize {
        self.to + usize::from(self.from > 0)
    }

    /// The next bracket of either kind, or the end.
    fn bracket(&self) -> usize {
        let rest = &self.name[self.from..];
        self.from
            + rest
                .iter()
                .position(|byte| matches!(byte, b'[' | b']'))
                .unwrap_or(rest.len())
    }
}
