//! The walk in declaration order that fills typed parameters.

use super::Decoded;
use super::paths::{Fault, Placed, code, steps, write_path};
use super::table::{NodeId, ROOT, Table};
use crate::wording::echo;
use std::ops::Range;
use tollgate_resource::Version;
use tollgate_resource::operation::{Form, Refused};
use tollgate_resource::params::{ParamKind, Params, Problem};

/// A placed form on its way into parameters.
pub struct Filling<'a> {
    table: &'a Table,
    decoded: &'a Decoded,
    version: Version,
    filled: bool,
}

impl<'a> Filling<'a> {
    /// Reads what [`Decoded::place`] has placed.
    pub fn new(table: &'a Table, decoded: &'a Decoded, version: Version) -> Self {
        Filling {
            table,
            decoded,
            version,
            filled: false,
        }
    }

    /// Whether [`Form::fill`] was called, or there was nothing to fill.
    pub fn is_complete(&self) -> bool {
        self.filled || self.table.shape().fields.is_empty()
    }

    /// The text of one parameter that is no hash or array, if it is given.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let field = self.table.shape().fields.iter().position(|field| field.name == name)?;
        let placed = &self.decoded.places.placed;
        let found = placed
            .iter()
            .rev()
            .find(|placed| usize::from(code(placed.order, 0)) == field + 1)?;
        Some(self.decoded.pairs.value(found.pair.into()))
    }

    /// The names of the parameters that are given, without what stands in brackets; each at least once.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let fields = self.table.shape().fields;
        let placed = self.decoded.places.placed[..self.expand_start()].iter();
        placed.map(|placed| fields[usize::from(code(placed.order, 0)) - 1].name)
    }

    /// The texts of `expand`, in order.
    ///
    /// # Errors
    /// `Refused::Param` if `expand` is no array of texts.
    pub fn expand(&self) -> Result<Vec<&'a str>, Refused> {
        let from = self.expand_start();
        let placed = &self.decoded.places.placed[from..];
        let mut texts = Vec::with_capacity(placed.len());
        for (at, pair) in placed.iter().enumerate() {
            if placed.get(at + 1).is_some_and(|next| next.order == pair.order) {
                continue;
            }
            let text = self.decoded.pairs.value(pair.pair.into());
            let whole = self.table.node(pair.node).depth == 1;
            match (pair.fault, whole) {
                (Some(fault), _) => return Err(self.refuse_path(pair, fault)),
                (None, true) if text.is_empty() => {}
                (None, true) => return Err(self.refuse(pair, Problem::Array)),
                (None, false) if text.is_empty() => return Err(self.refuse(pair, Problem::Empty)),
                (None, false) if texts.len() == super::EXPAND_MAX => {
                    return Err(self.refuse(pair, Problem::TooMany { max: super::EXPAND_MAX }));
                }
                (None, false) => texts.push(text),
            }
        }
        Ok(texts)
    }

    /// Where the pairs of `expand` start; they sort behind all others.
    fn expand_start(&self) -> usize {
        let expand = self.table.expand_field() + 1;
        self.decoded
            .places
            .placed
            .partition_point(|placed| code(placed.order, 0) < expand)
    }

    /// Walks the fields of a hash: given ones in declaration order, and the missing ones at their place.
    fn hash(
        &self,
        params: &mut dyn Params,
        node: NodeId,
        depth: usize,
        mut pairs: Range<usize>,
    ) -> Result<(), Refused> {
        let near = self.first(&pairs).copied().unwrap_or(Placed::NOWHERE);
        let first = self.table.node(node).fields;
        let mut required = self.table.node(node).required.iter().copied().peekable();
        while let Some(placed) = self.first(&pairs) {
            let field = code(placed.order, depth) - 1;
            while let Some(missing) = required.next_if(|required| *required < field) {
                self.missing(&near, first + missing)?;
            }
            required.next_if_eq(&field);
            let group = self.group(&pairs, depth);
            pairs.start = group.end;
            self.value(params, first + field, depth + 1, group)?;
        }
        match required.find(|missing| self.exists(first + missing)) {
            Some(missing) => self.missing(&near, first + missing),
            None => Ok(()),
        }
    }

    /// Hands over everything at and below one parameter.
    fn value(
        &self,
        params: &mut dyn Params,
        node: NodeId,
        depth: usize,
        mut pairs: Range<usize>,
    ) -> Result<(), Refused> {
        if self.first(&pairs).is_some_and(|placed| code(placed.order, depth) == 0) {
            // Given as a whole; given twice, the last counts.
            let whole = self.group(&pairs, depth);
            pairs.start = whole.end;
            self.set(params, whole.end - 1)?;
        }
        if pairs.is_empty() {
            return Ok(());
        }
        let table_node = self.table.node(node);
        match table_node.kind {
            Some(ParamKind::Node(_)) => self.hash(params, node, depth, pairs),
            Some(ParamKind::Metadata) => pairs.into_iter().try_for_each(|at| self.set(params, at)),
            _ => {
                while !pairs.is_empty() {
                    let group = self.group(&pairs, depth);
                    pairs.start = group.end;
                    let inner = table_node
                        .inner
                        .unwrap_or_else(|| self.decoded.places.placed[group.start].node);
                    self.value(params, inner, depth + 1, group)?;
                }
                Ok(())
            }
        }
    }

    fn set(&self, params: &mut dyn Params, at: usize) -> Result<(), Refused> {
        let placed = &self.decoded.places.placed[at];
        if let Some(fault) = placed.fault {
            return Err(self.refuse_path(placed, fault));
        }
        let text = self.decoded.pairs.value(placed.pair.into());
        let node = self.table.node(placed.node);
        if text.is_empty() && !node.clearable && !node.is_free_key() {
            return Err(self.refuse(placed, Problem::Empty));
        }
        let steps = steps(self.table, &self.decoded.pairs, placed);
        params.set(&steps, text).map_err(|problem| self.refuse(placed, problem))
    }

    fn refuse_path(&self, placed: &Placed, fault: Fault) -> Refused {
        self.refuse(placed, fault.problem(self.table.node(placed.node).kind))
    }

    fn refuse(&self, placed: &Placed, problem: Problem) -> Refused {
        let pairs = &self.decoded.pairs;
        let param = self.path(placed, placed.node);
        let value = pairs.value(placed.pair.into());
        let secret = matches!(self.table.node(placed.node).kind, Some(ParamKind::Secret(_)));
        let text = match placed.fault {
            _ if secret => String::new(),
            Some(Fault::Scalar { rest }) => {
                let inside = pairs.at(rest).trim_start_matches('[');
                let key = &inside[..inside.find(']').unwrap_or(inside.len())];
                format!("{{{key:?}=>{:?}}}", echo(value))
            }
            _ => echo(value).into_owned(),
        };
        Refused::Param { param, problem, text }
    }

    /// Refuses a required parameter that is not given, if the version has it. `near` is on a path beside it.
    fn missing(&self, near: &Placed, node: NodeId) -> Result<(), Refused> {
        if !self.exists(node) {
            return Ok(());
        }
        let param = self.path(near, node);
        Err(Refused::Param {
            param,
            problem: Problem::Missing,
            text: String::new(),
        })
    }

    /// The canonical bracket path of `node`, with the item numbers and keys of `placed`.
    fn path(&self, placed: &Placed, node: NodeId) -> String {
        let mut path = Vec::new();
        write_path(self.table, &self.decoded.pairs, placed, node, &mut path);
        String::from_utf8(path).expect("names and keys are text")
    }

    fn exists(&self, node: NodeId) -> bool {
        let node = self.table.node(node);
        node.since <= self.version && self.version < node.until
    }

    fn first(&self, pairs: &Range<usize>) -> Option<&'a Placed> {
        self.decoded.places.placed[pairs.clone()].first()
    }

    /// The pairs at the start of the range that share their code at `depth`.
    fn group(&self, pairs: &Range<usize>, depth: usize) -> Range<usize> {
        let placed = &self.decoded.places.placed;
        let first = code(placed[pairs.start].order, depth);
        let len = placed[pairs.clone()]
            .iter()
            .take_while(|placed| code(placed.order, depth) == first)
            .count();
        pairs.start..pairs.start + len
    }
}

impl Form for Filling<'_> {
    fn fill(&mut self, params: &mut dyn Params) -> Result<(), Refused> {
        let (given, declared) = (params.shape(), self.table.shape());
        assert!(
            given.name == declared.name && given.fields.len() == declared.fields.len(),
            "the operation declares {} and reads {}",
            declared.name,
            given.name
        );
        self.filled = true;
        self.hash(params, ROOT, 0, 0..self.expand_start())
    }
}
