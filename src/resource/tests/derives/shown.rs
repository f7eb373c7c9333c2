//! Shapes and values of a derived `Shown`.

use crate::sample::{CHARGE, CardShown, REFUND, Reason, RefundShown};
use tollgate_resource::shown::{HasShape, Ident, LEAD_INDENT, Seconds};
use tollgate_resource::{FieldShape, Id, Metadata, Names, Ref, Shown, SubList, Value, ValueKind, Version};

static ITEMS: [Id; 2] = [Id::from_bits(4), Id::from_bits(5)];
static METADATA: std::sync::LazyLock<Metadata> = std::sync::LazyLock::new(Metadata::default);

pub(crate) fn refund(cause: Option<Box<RefundShown<'static>>>) -> RefundShown<'static> {
    RefundShown {
        reason: None,
        id: Ident {
            kind: &REFUND,
            id: Id::from_bits(1),
        },
        kind: Reason::Fraudulent,
        charge: Some(Ref {
            kind: &CHARGE,
            id: Id::from_bits(2),
        }),
        parent: Some(Ref {
            kind: &REFUND,
            id: Id::from_bits(3),
        }),
        description: None,
        amount: 5,
        metadata: &METADATA,
        items: SubList {
            kind: &REFUND,
            also: &[],
            ids: &ITEMS,
            has_more: false,
            total: 2,
            url: "/v1/r",
            of: None,
        },
        card: CardShown {
            last4: "4242",
            issuer: Some(Ref {
                kind: &CHARGE,
                id: Id::from_bits(6),
            }),
        },
        cards: vec![
            CardShown {
                last4: "0001",
                issuer: None,
            },
            CardShown {
                last4: "0002",
                issuer: Some(Ref {
                    kind: &CHARGE,
                    id: Id::from_bits(7),
                }),
            },
        ],
        created: Seconds(9),
        cause,
    }
}

fn field(name: &str) -> &'static FieldShape {
    RefundShown::SHAPE
        .fields
        .iter()
        .find(|field| field.name == name)
        .unwrap()
}

fn value<'a>(shown: &'a dyn Shown, name: &str) -> Value<'a> {
    let at = shown
        .shape()
        .fields
        .iter()
        .position(|field| field.name == name)
        .unwrap();
    shown.value(at)
}

#[test]
fn a_field_has_its_line_ready() {
    for field in RefundShown::SHAPE.fields {
        let line = format!("{}\"{}\": null", " ".repeat(LEAD_INDENT), field.name);
        assert_eq!(std::str::from_utf8(&field.lead).unwrap().trim_end(), line);
    }
}

#[test]
fn fields_stand_in_print_order() {
    let names: Vec<_> = RefundShown::SHAPE.fields.iter().map(|field| field.name).collect();
    assert_eq!(
        names,
        [
            "id",
            "object",
            "amount",
            "card",
            "cards",
            "cause",
            "charge",
            "created",
            "description",
            "items",
            "metadata",
            "parent",
            "reason",
            "type",
        ]
    );
    let card: Vec<_> = CardShown::SHAPE.fields.iter().map(|field| field.name).collect();
    assert_eq!(card, ["issuer", "last4"], "a nested hash has no object member");
}

#[test]
fn the_shape_says_what_the_declaration_says() {
    let shape = RefundShown::SHAPE;
    assert_eq!((shape.name, shape.object), ("Refund", Some("refund")));
    assert_eq!(shape.doc, "A refund, given back.\n\nSecond paragraph.");
    assert_eq!(field("reason").doc, "Why.");
    assert!(field("reason").nullable && !field("id").nullable && !field("description").nullable);
    assert!(field("description").omit && !field("reason").omit);
    assert!(field("charge").expand && !field("parent").expand);
    let amount = field("amount");
    assert_eq!(
        (amount.since, amount.until, amount.revision),
        (Version(20230816), Version(20250101), 2)
    );
    assert_eq!(
        (field("id").since, field("id").until, field("id").revision),
        (Version::ALWAYS, Version::NEVER, 1)
    );
    assert_eq!(field("items").included_until, Version(20221115));
    assert!(matches!(field("object").kind, ValueKind::Object("refund")));
    assert!(matches!(
        field("type").kind,
        ValueKind::Names(["duplicate", "requested_by_customer", "fraud.suspected"])
    ));
    assert!(matches!(field("card").kind, ValueKind::Node(shape) if shape.name == "Card"));
    assert!(matches!(field("cards").kind, ValueKind::List(ValueKind::Node(_))));
    assert!(matches!(field("cause").kind, ValueKind::Named("Refund")));
    assert!(matches!(field("created").kind, ValueKind::Timestamp));
    assert!(matches!(field("metadata").kind, ValueKind::Map));
}

#[test]
fn values_follow_the_shape() {
    let shown = refund(Some(Box::new(refund(None))));
    assert!(matches!(shown.value(0), Value::Ident(ident) if ident.id == Id::from_bits(1)));
    assert!(matches!(shown.value(1), Value::Str("refund")));
    assert!(matches!(value(&shown, "reason"), Value::Null));
    assert!(matches!(value(&shown, "description"), Value::Absent));
    assert!(matches!(value(&shown, "type"), Value::Str("fraud.suspected")));
    assert!(matches!(value(&shown, "created"), Value::Int(9)));
    let Value::List(cards) = value(&shown, "cards") else {
        panic!("an array")
    };
    assert_eq!(cards.len(), 2);
    let Value::Node(card) = cards.item(1) else {
        panic!("a hash")
    };
    assert!(matches!(card.value(1), Value::Str("0002")));
    let Value::Node(cause) = value(&shown, "cause") else {
        panic!("a hash")
    };
    assert!(matches!(value(cause, "cause"), Value::Absent));
}

#[test]
#[should_panic = "Refund has no field 14"]
fn an_index_outside_the_shape_is_a_fault() {
    refund(None).value(14);
}

#[test]
fn names_go_both_ways() {
    assert_eq!(Reason::NAMES, ["duplicate", "requested_by_customer", "fraud.suspected"]);
    for reason in Reason::ALL {
        assert_eq!(Reason::from_name(reason.name()), Some(*reason));
    }
    assert_eq!(Reason::from_name("Duplicate"), None);
}
