//! `expand[]`: which paths may be expanded, read from the shapes.
//!
//! A shape does not say what kind of object a reference leads to; the name does: `latest_charge` and `charge` lead to a
//! charge, `refunds` holds refunds. A name that tells nothing (`source`) may lead to any object.

use crate::versions::TOTAL_COUNT_UNTIL;
use crate::wording::invalid;
use hashbrown::HashMap;
use smallvec::SmallVec;
use tollgate_domain::Reject;
use tollgate_resource::operation::Answers;
use tollgate_resource::shown::{FieldShape, Shape, ValueKind};
use tollgate_resource::{Expand, Version};

/// Most segments of a path; `data` of a list counts.
pub const EXPAND_DEPTH_MAX: usize = 4;

/// Names behind which objects of several kinds may stand, although one kind has the name itself: a balance transaction's
/// `source` is a charge or a refund, a customer's `default_source` may be a card.
pub(crate) const OF_SEVERAL_KINDS: &[&str] = &[
    "source",
    "default_source",
    "sources",
    "destination",
    "external_accounts",
];

/// References that the public API has and that lead nowhere here, because what they would lead to is not served. Clients
/// that always expand them are answered, without them.
const LEAD_NOWHERE: &[(&str, &[&[&str]])] = &[
    (
        "charge",
        &[&["outcome", "rule"], &["transfer"], &["transfer_data", "destination"]],
    ),
    ("payment_intent", &[&["transfer_data", "destination"]]),
    ("customer", &[&["discount"], &["subscriptions"], &["test_clock"]]),
    ("payment_method", &[&["card", "generated_from", "setup_attempt"]]),
    (
        "customer_balance_transaction",
        &[&["checkout_session"], &["credit_note"], &["invoice"]],
    ),
];

/// Every object that can be shown, by its `object` name.
#[derive(Debug, Default)]
pub struct Shapes {
    by_object: HashMap<&'static str, &'static Shape>,
}

/// The shapes a path can be in: one, unless a name did not tell.
type Candidates = SmallVec<[&'static Shape; 8]>;

impl Shapes {
    /// Knows these shapes; those without an `object` member are no objects and are passed over.
    pub fn new(shapes: impl IntoIterator<Item = &'static Shape>) -> Shapes {
        let mut by_object = HashMap::new();
        for shape in shapes {
            if let Some(object) = shape.object {
                // A deleted object's stub has the same name, and comes later.
                by_object.entry(object).or_insert(shape);
            }
        }
        Shapes { by_object }
    }

    /// Reads the paths of a request into a tree. Lists are expanded below `data`, and the tree keeps that segment.
    ///
    /// # Errors
    /// A 400 in the API's words for a path that is too deep, does not exist, or cannot be expanded.
    pub fn expand(&self, paths: &[&str], answers: Answers, version: Version) -> Result<Expand, Box<Reject>> {
        let mut expand = Expand::default();
        for path in paths {
            let segments: SmallVec<[&str; EXPAND_DEPTH_MAX]> = path.split('.').take(EXPAND_DEPTH_MAX + 1).collect();
            self.check(path, &segments, answers, version).map_err(Box::new)?;
            expand.add(&segments);
        }
        Ok(expand)
    }

    #[expect(clippy::result_large_err, reason = "boxed by its only caller")]
    fn check(&self, path: &str, segments: &[&str], answers: Answers, version: Version) -> Result<(), Reject> {
        if segments.len() > EXPAND_DEPTH_MAX {
            return Err(Reject {
                code: Some("property_expansion_max_depth".into()),
                ..invalid(
                    400,
                    format!("You cannot expand more than {EXPAND_DEPTH_MAX} levels of a property. Property: {path}"),
                )
            });
        }
        match answers {
            Answers::One(shape) | Answers::Contents(shape) => {
                self.walk(path, segments, Candidates::from_slice(&[shape]), version)
            }
            Answers::Found(_) if segments == ["total_count"] => Ok(()),
            Answers::Many(_) if segments == ["total_count"] && version < TOTAL_COUNT_UNTIL => Ok(()),
            Answers::Many(shape) | Answers::Found(shape) => {
                let inside = Candidates::from_slice(&[shape]);
                match segments {
                    ["data", rest @ ..] if !rest.is_empty() => self.walk(path, rest, inside, version),
                    ["total_count"] => Err(invalid(400, "This property cannot be included (total_count)".into())),
                    _ if self.walk(path, segments, inside, version).is_ok() => Err(invalid(
                        400,
                        format!(
                            "This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' \
                             instead."
                        ),
                    )),
                    _ => Err(cannot_be_expanded(path)),
                }
            }
        }
    }

    #[expect(clippy::result_large_err, reason = "boxed by its only caller")]
    fn walk(
        &self,
        path: &str,
        mut segments: &[&str],
        mut candidates: Candidates,
        version: Version,
    ) -> Result<(), Reject> {
        while let Some((segment, rest)) = segments.split_first() {
            if candidates.iter().any(|shape| leads_nowhere(shape, segments)) {
                return Ok(());
            }
            let found: SmallVec<[&'static FieldShape; 8]> = candidates
                .iter()
                .filter_map(|shape| field(shape, segment, version))
                .collect();
            if found.is_empty() {
                return Err(invalid(
                    400,
                    format!("This property cannot be expanded because it doesn't exist: {path}."),
                ));
            }
            segments = rest;
            candidates = Candidates::new();
            for field in found {
                match item(&field.kind) {
                    ValueKind::Ref if field.expand => candidates.extend(self.led_to(field.name)),
                    ValueKind::SubList => match rest {
                        [] => return Ok(()),
                        ["data", below @ ..] => {
                            segments = below;
                            candidates.extend(self.in_list(field.name));
                        }
                        _ => {}
                    },
                    ValueKind::Node(_) if rest.is_empty() && field.expand => return Ok(()),
                    ValueKind::Node(shape) if !rest.is_empty() => candidates.push(shape),
                    _ => {}
                }
            }
            if candidates.is_empty() {
                return Err(cannot_be_expanded(path));
            }
        }
        Ok(())
    }

    /// The objects that a list of that name may hold.
    fn in_list(&self, name: &str) -> Candidates {
        if OF_SEVERAL_KINDS.contains(&name) {
            return self.led_to(name);
        }
        self.led_to(name.strip_suffix('s').unwrap_or(name))
    }

    /// The objects that a reference of that name may lead to.
    fn led_to(&self, name: &str) -> Candidates {
        if OF_SEVERAL_KINDS.contains(&name) {
            return self.by_object.values().copied().collect();
        }
        let told = |object: &str| name == object || name.strip_suffix(object).is_some_and(|rest| rest.ends_with('_'));
        // The longest name that fits: `failure_balance_transaction` is no `transaction`.
        let best = self
            .by_object
            .keys()
            .filter(|object| told(object))
            .max_by_key(|object| object.len());
        match best {
            Some(object) => Candidates::from_slice(&[self.by_object[object]]),
            None => self.by_object.values().copied().collect(),
        }
    }
}

/// Whether the path, seen from an object, is one of [`LEAD_NOWHERE`] or goes on from one.
fn leads_nowhere(shape: &Shape, path: &[&str]) -> bool {
    let of_object = LEAD_NOWHERE.iter().filter(|(object, _)| shape.object == Some(object));
    of_object
        .flat_map(|(_, paths)| *paths)
        .any(|known| path.starts_with(known))
}

fn field(shape: &'static Shape, name: &str, version: Version) -> Option<&'static FieldShape> {
    shape
        .fields
        .iter()
        .find(|field| field.name == name && field.since <= version && version < field.until)
}

/// What stands in the end in a field of that kind: arrays are passed through.
fn item(kind: &'static ValueKind) -> &'static ValueKind {
    match kind {
        ValueKind::List(of) => item(of),
        other => other,
    }
}

fn cannot_be_expanded(path: &str) -> Reject {
    invalid(400, format!("This property cannot be expanded ({path})."))
}
