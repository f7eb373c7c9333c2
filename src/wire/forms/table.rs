//! A parameter shape compiled for lookup: from bracket path to declared parameter, one hash per segment.

use hashbrown::HashTable;
use tollgate_resource::Version;
use tollgate_resource::params::{ParamField, ParamKind, ParamsShape};

/// Most steps of a path: the name and seven brackets. A path's steps pack into 8 x 16 bits of a `u128`, so paths
/// compare as numbers.
pub const DEPTH_MAX: usize = 8;
/// Most `expand` paths of one request.
pub const EXPAND_MAX: usize = 100;

/// Index of a node in its table; the root is 0.
pub(super) type NodeId = u16;
pub(super) const ROOT: NodeId = 0;

const EXPAND_ITEM: ParamKind = ParamKind::Str { max_len: 500 };
const EXPAND: ParamKind = ParamKind::List {
    of: &EXPAND_ITEM,
    max_items: EXPAND_MAX,
};
const KEYED: ParamKind = ParamKind::Str { max_len: 5_000 };

/// Everything an operation accepts, and `expand`.
#[derive(Debug)]
pub struct Table {
    shape: &'static ParamsShape,
    nodes: Vec<Node>,
    named: HashTable<NodeId>,
}

/// One place a path can reach.
#[derive(Debug)]
pub(super) struct Node {
    pub parent: NodeId,
    pub step: NodeStep,
    /// Public name; empty for items and free keys.
    pub name: &'static str,
    /// What stands here; `None` at the root.
    pub kind: Option<&'static ParamKind>,
    /// Steps from the root.
    pub depth: u8,
    /// Whether an empty string unsets it.
    pub clearable: bool,
    pub since: Version,
    pub until: Version,
    /// For a hash: the node of its first field; the others follow it.
    pub fields: NodeId,
    /// For a hash: its required fields.
    pub required: Box<[u16]>,
    /// Whether the path to here goes through an array, so that the name as sent may not be canonical.
    pub in_array: bool,
    /// For an array, the node of its items; for metadata, the node of its values.
    pub inner: Option<NodeId>,
}

/// How a node is reached from its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeStep {
    Root,
    Field(u16),
    Item,
    /// A free key, or one of a fixed set (then `order` puts them in declaration order).
    Key {
        order: u16,
    },
}

impl Node {
    /// Whether any text may stand here (metadata), as against one of a fixed set of names.
    pub(super) fn is_free_key(&self) -> bool {
        matches!(self.step, NodeStep::Key { .. }) && self.name.is_empty()
    }
}

impl Table {
    /// Compiles a shape.
    ///
    /// # Panics
    /// If the shape nests deeper than [`DEPTH_MAX`] or declares `expand`, which every operation takes.
    pub fn new(shape: &'static ParamsShape) -> Table {
        let mut table = Table {
            shape,
            nodes: Vec::new(),
            named: HashTable::new(),
        };
        table.nodes.push(node(ROOT, NodeStep::Root, "", None, 0));
        assert!(
            shape.fields.iter().all(|field| field.name != "expand"),
            "{} declares expand",
            shape.name
        );
        table.add_fields(ROOT, shape.fields, true);
        table
    }

    /// The shape it was compiled from.
    pub fn shape(&self) -> &'static ParamsShape {
        self.shape
    }

    /// The number of declared parameters at the top, which is also the order of `expand`, behind all of them.
    pub(super) fn expand_field(&self) -> u16 {
        self.shape.fields.len() as u16
    }

    pub(super) fn node(&self, at: NodeId) -> &Node {
        &self.nodes[at as usize]
    }

    /// The child of a hash with that name, if `version` has it.
    pub(super) fn child(&self, parent: NodeId, name: &str, version: Version) -> Option<NodeId> {
        let same = |at: &NodeId| {
            let node = self.node(*at);
            node.parent == parent && node.name == name && node.since <= version && version < node.until
        };
        self.named.find(hash(parent, name.as_bytes()), same).copied()
    }

    /// Whether the operation takes a parameter of that name at the top.
    pub fn takes(&self, name: &str, version: Version) -> bool {
        self.child(ROOT, name, version).is_some()
    }

    fn add_fields(&mut self, parent: NodeId, fields: &'static [ParamField], with_expand: bool) {
        let depth = self.node(parent).depth + 1;
        let first = self.nodes.len() as NodeId;
        self.nodes[parent as usize].fields = first;
        self.nodes[parent as usize].required = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.required)
            .map(|(at, _)| at as u16)
            .collect();
        for (at, field) in fields.iter().enumerate() {
            let mut child = node(parent, NodeStep::Field(at as u16), field.name, Some(&field.kind), depth);
            child.clearable = field.clearable;
            child.since = field.since;
            child.until = field.until;
            self.push(child);
        }
        if with_expand {
            self.push(node(
                parent,
                NodeStep::Field(fields.len() as u16),
                "expand",
                Some(&EXPAND),
                depth,
            ));
        }
        for at in 0..fields.len() + usize::from(with_expand) {
            self.add_inner(first + at as NodeId);
        }
    }

    /// Adds what lies inside a value.
    fn add_inner(&mut self, at: NodeId) {
        let depth = self.node(at).depth + 1;
        assert!(
            usize::from(depth) <= DEPTH_MAX + 1,
            "{} nests deeper than {DEPTH_MAX}",
            self.shape.name
        );
        match self.node(at).kind {
            Some(ParamKind::Node(shape)) => {
                self.add_fields(at, shape.fields, false);
            }
            Some(ParamKind::List { of, max_items }) => {
                assert!(
                    *max_items < usize::from(u16::MAX) - 1,
                    "an array of {max_items} items has no order code"
                );
                let inner = self.push(node(at, NodeStep::Item, "", Some(of), depth));
                self.nodes[at as usize].inner = Some(inner);
                self.add_inner(inner);
            }
            Some(ParamKind::Metadata) => {
                let inner = self.push(node(at, NodeStep::Key { order: 0 }, "", Some(&KEYED), depth));
                self.nodes[at as usize].inner = Some(inner);
            }
            Some(ParamKind::Range) => {
                for (order, name) in ["gt", "gte", "lt", "lte"].into_iter().enumerate() {
                    self.push(node(
                        at,
                        NodeStep::Key { order: order as u16 },
                        name,
                        Some(&KEYED),
                        depth,
                    ));
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, mut node: Node) -> NodeId {
        assert!(
            usize::from(node.depth) <= DEPTH_MAX,
            "{} nests deeper than {DEPTH_MAX}",
            self.shape.name
        );
        node.in_array = node.step == NodeStep::Item || (node.depth > 1 && self.node(node.parent).in_array);
        let at = NodeId::try_from(self.nodes.len()).expect("an operation has fewer than 65,536 parameters");
        if !node.name.is_empty() {
            let key = hash(node.parent, node.name.as_bytes());
            self.nodes.push(node);
            let nodes = &self.nodes;
            self.named.insert_unique(key, at, |at| {
                let node = &nodes[*at as usize];
                hash(node.parent, node.name.as_bytes())
            });
        } else {
            self.nodes.push(node);
        }
        at
    }
}

fn node(parent: NodeId, step: NodeStep, name: &'static str, kind: Option<&'static ParamKind>, depth: u8) -> Node {
    Node {
        parent,
        step,
        name,
        kind,
        depth,
        clearable: false,
        since: Version::ALWAYS,
        until: Version::NEVER,
        fields: ROOT,
        required: Box::default(),
        in_array: false,
        inner: None,
    }
}

/// Hash of a name below a node. The table is fixed when it is compiled, so requests cannot make it collide.
fn hash(parent: NodeId, name: &[u8]) -> u64 {
    const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut value = u64::from(parent) ^ ((name.len() as u64) << 16);
    let mut mix = |word: u64| value = (value.rotate_left(5) ^ word).wrapping_mul(MIX);
    let mut words = name.chunks_exact(8);
    for word in words.by_ref() {
        mix(u64::from_le_bytes(word.try_into().expect("eight bytes")));
    }
    mix(words
        .remainder()
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte)));
    value ^ (value >> 29)
}
