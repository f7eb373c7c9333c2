//! The derives, seen from a crate that declares a resource.

use std::sync::Arc;
use tollgate_resource::operation::{Answers, Endpoint, Method};
use tollgate_resource::params::{HasParams, ParamKind, Range};
use tollgate_resource::shown::{HasShape, Ident, Items, Seconds};
use tollgate_resource::{
    Id, Kind, Metadata, MetadataUpdate, Names, Params, Problem, Record, RecordError, Ref, Shape, Shown, Step, SubList,
    Update, Value, ValueKind, Version,
};

static REFUND: Kind = Kind {
    number: 3,
    prefix: "re",
    object: "refund",
};
static CHARGE: Kind = Kind {
    number: 2,
    prefix: "ch",
    object: "charge",
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
enum Reason {
    #[default]
    #[record(1)]
    Duplicate,
    #[record(2)]
    RequestedByCustomer,
    #[name = "fraud.suspected"]
    #[record(7)]
    Fraudulent,
}

#[derive(Clone, Debug, PartialEq, Eq, Record)]
struct Tracking {
    #[record(1)]
    carrier: Option<Box<str>>,
    #[record(2)]
    number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Record)]
struct AccountKey(u64);

#[derive(Clone, Debug, PartialEq, Record)]
enum Status {
    #[record(1)]
    Pending,
    #[record(2)]
    Failed {
        #[record(1)]
        reason: Reason,
        #[record(2)]
        at: Option<i64>,
    },
    #[record(3)]
    Sent(Arc<Tracking>),
    #[record(4)]
    Split(#[record(1)] i64, #[record(2)] i64),
    #[record(5)]
    Noted(Option<Box<str>>),
}

#[derive(Clone, Debug, PartialEq, Record)]
struct Kept {
    #[record(9)]
    status: Status,
    #[record(1)]
    id: Id,
    #[record(2)]
    amount: i64,
    #[record(3)]
    account: AccountKey,
    #[record(4)]
    tracking: Option<Tracking>,
    #[record(5)]
    metadata: Metadata,
    #[record(6, skippable)]
    note: Option<String>,
    #[record(7, skippable)]
    count: Option<u64>,
    #[record(8)]
    keys: Vec<AccountKey>,
    #[record(10)]
    reason: Option<Reason>,
    #[record(11)]
    country: [u8; 2],
    #[record(12)]
    version: Version,
    #[record(13)]
    origin: Tracking,
}

fn kept() -> Kept {
    Kept {
        status: Status::Pending,
        id: Id::from_bits(77),
        amount: -5,
        account: AccountKey(9),
        tracking: Some(Tracking {
            carrier: None,
            number: 0,
        }),
        metadata: Metadata::default(),
        note: Some("slow".into()),
        count: Some(0),
        keys: vec![AccountKey(0), AccountKey(300)],
        reason: Some(Reason::Fraudulent),
        country: *b"DE",
        version: Version::NEWEST,
        origin: Tracking {
            carrier: None,
            number: 0,
        },
    }
}

#[test]
fn a_record_reads_back() {
    for status in [
        Status::Pending,
        Status::Failed {
            reason: Reason::Duplicate,
            at: Some(0),
        },
        Status::Failed {
            reason: Reason::Duplicate,
            at: None,
        },
        Status::Sent(Arc::new(Tracking {
            carrier: Some("post".into()),
            number: 4,
        })),
        Status::Sent(Arc::new(Tracking {
            carrier: None,
            number: 0,
        })),
        Status::Split(0, i64::MIN),
        Status::Noted(None),
        Status::Noted(Some("".into())),
    ] {
        let kept = Kept { status, ..kept() };
        assert_eq!(Kept::from_bytes(&kept.to_bytes()), Ok(kept));
    }
}

/// A refund,
/// given back.
///
/// Second paragraph.
#[derive(Shown)]
#[shown(object = "refund")]
struct RefundShown<'a> {
    /// Why.
    reason: Option<Reason>,
    /// Unique identifier.
    id: Ident,
    #[shown(name = "type")]
    kind: Reason,
    /// The charge.
    #[shown(expand)]
    charge: Option<Ref>,
    #[shown(omit)]
    description: Option<&'a str>,
    #[shown(since = 20230816, until = 20250101, revision = 2)]
    amount: i64,
    metadata: &'a Metadata,
    #[shown(included_until = 20221115)]
    items: SubList<'a>,
    card: CardShown<'a>,
    cards: Vec<CardShown<'a>>,
    created: Seconds,
    #[shown(named = "Refund", omit)]
    cause: Option<Box<RefundShown<'a>>>,
}

/// A card.
#[derive(Shown)]
struct CardShown<'a> {
    last4: &'a str,
    brand: Option<&'a str>,
}

static SHAPE: &Shape = RefundShown::SHAPE;

#[derive(Clone, Debug, Default, PartialEq, Params)]
struct CardParams {
    #[param(required, max_len = 4)]
    number: Box<str>,
    #[param(min = 1, max = 12)]
    exp_month: Option<i64>,
}

/// What a refund is created from.
#[derive(Clone, Debug, Default, PartialEq, Params)]
struct CreateRefund {
    /// How much.
    #[param(required, min = 1)]
    amount: i64,
    #[param(max_len = 10)]
    description: Update<Box<str>>,
    #[param(max_items = 2, max_len = 3)]
    types: Vec<Box<str>>,
    #[param(name = "type", since = 20230816)]
    kind: Option<Reason>,
    metadata: MetadataUpdate,
    card: Option<CardParams>,
    cards: Option<Vec<CardParams>>,
    confirm: bool,
    created: Option<Range>,
    shipping: Update<CardParams>,
}

static CREATE: Endpoint<CreateRefund> = Endpoint {
    name: "create_refund",
    doc: "Creates a refund.",
    method: Method::Post,
    path: "/v1/refunds",
    params: CreateRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |_, form| tollgate_resource::operation::take(form),
};

#[test]
fn shown_fields_stand_in_print_order() {
    let names: Vec<_> = SHAPE.fields.iter().map(|field| field.name).collect();
    assert_eq!(names[..4], ["id", "object", "amount", "card"]);
    assert!(matches!(
        CREATE.params.fields[0].kind,
        ParamKind::Int { min: 1, max: i64::MAX }
    ));
    assert!(matches!(REFUND.number, 3));
}
