//! What the declared operations reach: the shapes, by name, and the operations by resource. The documents read it.

use crate::expand::OF_SEVERAL_KINDS;
use std::collections::BTreeMap;
use tollgate_domain::api::shape_of;
use tollgate_domain::kinds;
use tollgate_resource::{Endpoint, ParamKind, ParamsShape, Shape, ValueKind};

/// Everything the documents describe, in a stable order.
pub(crate) struct Catalogue<'e, C: 'static> {
    /// Operations by resource, both in order of declaration.
    pub(crate) resources: Vec<(&'e str, Vec<&'e Endpoint<C>>)>,
    /// Shown shapes by name.
    pub(crate) shapes: BTreeMap<&'static str, &'static Shape>,
    /// Shapes of nested parameters by name; an operation's own parameters stand with the operation.
    pub(crate) params: BTreeMap<&'static str, &'static ParamsShape>,
}

impl<'e, C> Catalogue<'e, C> {
    /// Walks `endpoints`, and `objects` that only an expansion leads to. Panics when two different shapes have one name: a fault in the declarations.
    pub(crate) fn new(endpoints: &[&'e Endpoint<C>], objects: &[&'static Shape]) -> Self {
        let mut catalogue = Catalogue {
            resources: Vec::new(),
            shapes: BTreeMap::new(),
            params: BTreeMap::new(),
        };
        for endpoint in endpoints {
            let resource = resource(endpoint.path);
            match catalogue.resources.iter_mut().find(|(name, _)| *name == resource) {
                Some((_, operations)) => operations.push(endpoint),
                None => catalogue.resources.push((resource, vec![endpoint])),
            }
            catalogue.add_shape(endpoint.answers.shape());
            endpoint
                .params
                .fields
                .iter()
                .for_each(|field| catalogue.add_param(&field.kind));
        }
        objects.iter().for_each(|shape| catalogue.add_shape(shape));
        for name in catalogue.params.keys() {
            assert!(
                !catalogue.shapes.contains_key(name),
                "{name} names what is sent and what is shown"
            );
        }
        catalogue
    }

    /// The object that may stand where the reference `field` is expanded: the one that the field is named after
    /// (`customer`, `latest_charge`). `None` when the name tells nothing (`source` may be of several kinds).
    pub(crate) fn referable(&self, field: &str) -> Option<&'static Shape> {
        if OF_SEVERAL_KINDS.contains(&field) {
            return None;
        }
        let is_named_after = |object: &str| {
            field
                .strip_suffix(object)
                .is_some_and(|before| before.is_empty() || before.ends_with('_'))
        };
        self.shapes
            .values()
            .copied()
            .find(|shape| shape.object.is_some_and(is_named_after) && !is_stub(shape))
    }

    /// What is left to see of an object when it was deleted, if it is not shown as it was.
    pub(crate) fn stub_of(&self, shape: &Shape) -> Option<&'static Shape> {
        let mut stubs = self.shapes.values().copied().filter(|other| is_stub(other));
        stubs.find(|other| other.object == shape.object && !is_stub(shape))
    }

    fn add_shape(&mut self, shape: &'static Shape) {
        if let Some(known) = self.shapes.insert(shape.name, shape) {
            // A constant may stand at several addresses, so shapes are compared by content.
            let same = std::ptr::eq(known, shape) || format!("{known:?}") == format!("{shape:?}");
            assert!(same, "two different shapes are named {}", shape.name);
            return;
        }
        shape.fields.iter().for_each(|field| self.add_value(&field.kind));
    }

    fn add_value(&mut self, kind: &ValueKind) {
        match kind {
            ValueKind::Node(shape) => self.add_shape(shape),
            ValueKind::List(of) => self.add_value(of),
            _ => {}
        }
    }

    fn add_param(&mut self, kind: &ParamKind) {
        match kind {
            ParamKind::Node(shape) => {
                if let Some(known) = self.params.insert(shape.name, shape) {
                    let same = std::ptr::eq(known, *shape) || format!("{known:?}") == format!("{shape:?}");
                    assert!(same, "two different parameter shapes are named {}", shape.name);
                    return;
                }
                shape.fields.iter().for_each(|field| self.add_param(&field.kind));
            }
            ParamKind::List { of, .. } => self.add_param(of),
            _ => {}
        }
    }
}

/// Whether a shape is what a deletion leaves.
fn is_stub(shape: &Shape) -> bool {
    shape.object.is_some() && shape.fields.iter().any(|field| field.name == "deleted")
}

/// Every kind of object that the API can show in place of a reference.
pub(crate) fn expandable_objects() -> Vec<&'static Shape> {
    kinds::ALL.iter().filter_map(|kind| shape_of(kind)).collect()
}

/// The resource a path belongs to: the segment behind the generation, `payment_intents` of `/v1/payment_intents/{intent}`.
fn resource(path: &str) -> &str {
    path.split('/').nth(2).unwrap_or(path)
}

/// The names of a path's variable segments, in order.
pub(crate) fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// `payment_intents` as `Payment intents`.
pub(crate) fn title(resource: &str) -> String {
    let words = resource.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A version number as a date: `2023-08-16`.
pub(crate) fn date(version: tollgate_resource::Version) -> String {
    let number = version.0;
    format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100)
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::{OTHER_PARCEL, SEND, catalogue};

    #[test]
    #[should_panic = "two different shapes are named Parcel"]
    fn two_shapes_of_one_name_are_a_fault() {
        Catalogue::new(&[&SEND], &[&OTHER_PARCEL]);
    }

    #[test]
    fn operations_stand_by_resource_in_order_of_declaration() {
        let catalogue = catalogue();
        let (resource, operations) = &catalogue.resources[0];
        assert_eq!((*resource, catalogue.resources.len()), ("parcels", 1));
        assert_eq!(
            operations.iter().map(|endpoint| endpoint.name).collect::<Vec<_>>(),
            ["send_parcel", "list_parcels", "retrieve_parcel"]
        );
    }

    #[test]
    fn a_reference_leads_to_the_object_it_is_named_after() {
        let catalogue = catalogue();
        let name = |field| catalogue.referable(field).map(|shape| shape.name);
        assert_eq!(name("courier"), Some("Courier"));
        assert_eq!(name("latest_parcel"), Some("Parcel"));
        assert_eq!(name("subparcel"), None, "another word that ends alike");
        assert_eq!(name("source"), None);
    }
}
