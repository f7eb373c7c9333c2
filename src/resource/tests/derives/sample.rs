//! A resource as the domain declares them, using every option of the derives.

use std::sync::Arc;
use tollgate_resource::operation::{Answers, Endpoint, Method};
use tollgate_resource::params::{HasParams, Range};
use tollgate_resource::shown::{HasShape, Ident, Seconds};
use tollgate_resource::{
    Id, Kind, Metadata, MetadataUpdate, Names, Params, Record, Ref, Shown, SubList, Update, Version,
};

pub(crate) static REFUND: Kind = Kind {
    number: 3,
    prefix: "re",
    object: "refund",
    other: None,
};
pub(crate) static CHARGE: Kind = Kind {
    number: 2,
    prefix: "ch",
    object: "charge",
    other: None,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub(crate) enum Reason {
    #[default]
    #[record(1)]
    Duplicate,
    #[record(2)]
    RequestedByCustomer,
    #[name = "fraud.suspected"]
    #[record(7)]
    Fraudulent,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Record)]
pub(crate) struct Tracking {
    #[record(1)]
    pub(crate) carrier: Option<Box<str>>,
    #[record(2)]
    pub(crate) number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Record)]
pub(crate) struct AccountKey(pub(crate) u64);

#[derive(Clone, Debug, PartialEq, Record)]
pub(crate) enum Status {
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

/// A field of every layout; numbers and declaration order differ on purpose.
#[derive(Clone, Debug, PartialEq, Record)]
pub(crate) struct Kept {
    #[record(9)]
    pub(crate) status: Status,
    #[record(1)]
    pub(crate) id: Id,
    #[record(2)]
    pub(crate) amount: i64,
    #[record(3)]
    pub(crate) account: AccountKey,
    #[record(4)]
    pub(crate) tracking: Option<Tracking>,
    #[record(5)]
    pub(crate) metadata: Metadata,
    #[record(6, skippable)]
    pub(crate) note: Option<String>,
    #[record(7, skippable)]
    pub(crate) count: Option<u64>,
    #[record(8)]
    pub(crate) keys: Vec<AccountKey>,
    #[record(10)]
    pub(crate) reason: Option<Reason>,
    #[record(11)]
    pub(crate) country: [u8; 2],
    #[record(12)]
    pub(crate) version: Version,
    #[record(13)]
    pub(crate) origin: Tracking,
    #[record(14)]
    pub(crate) hash: u128,
    #[record(15)]
    pub(crate) livemode: bool,
    #[record(16)]
    pub(crate) statuses: Vec<Status>,
    #[record(2000)]
    pub(crate) r#type: Option<Box<str>>,
}

impl Kept {
    pub(crate) fn sample() -> Kept {
        Kept {
            status: Status::Pending,
            id: Id::from_bits(77),
            amount: -5,
            account: AccountKey(9),
            tracking: Some(Tracking::default()),
            metadata: Metadata::default(),
            note: Some("slow".into()),
            count: Some(0),
            keys: vec![AccountKey(0), AccountKey(300)],
            reason: Some(Reason::Fraudulent),
            country: *b"DE",
            version: Version::NEWEST,
            origin: Tracking::default(),
            hash: 1 << 100,
            livemode: false,
            statuses: vec![Status::Split(0, -1), Status::Pending],
            r#type: None,
        }
    }
}

/// A refund,
/// given back.
///
/// Second paragraph.
#[derive(Shown)]
#[shown(object = "refund")]
pub(crate) struct RefundShown<'a> {
    /// Why.
    pub(crate) reason: Option<Reason>,
    /// Unique identifier.
    pub(crate) id: Ident,
    #[shown(name = "type")]
    pub(crate) kind: Reason,
    /// The charge.
    #[shown(expand)]
    pub(crate) charge: Option<Ref>,
    /// Refunded with it; not expandable.
    pub(crate) parent: Option<Ref>,
    #[shown(omit)]
    pub(crate) description: Option<&'a str>,
    #[shown(since = 20230816, until = 20250101, revision = 2)]
    pub(crate) amount: i64,
    pub(crate) metadata: &'a Metadata,
    #[shown(included_until = 20221115)]
    pub(crate) items: SubList<'a>,
    pub(crate) card: CardShown<'a>,
    pub(crate) cards: Vec<CardShown<'a>>,
    pub(crate) created: Seconds,
    #[shown(named = "Refund", omit)]
    pub(crate) cause: Option<Box<RefundShown<'a>>>,
}

/// A card.
#[derive(Clone, Copy, Shown)]
pub(crate) struct CardShown<'a> {
    pub(crate) last4: &'a str,
    #[shown(expand)]
    pub(crate) issuer: Option<Ref>,
}

#[derive(Clone, Debug, Default, PartialEq, Params)]
pub(crate) struct CardParams {
    #[param(required, max_len = 4)]
    pub(crate) number: Box<str>,
    #[param(min = 1, max = 12)]
    pub(crate) exp_month: Option<i64>,
}

/// What a refund is created from.
#[derive(Clone, Debug, Default, PartialEq, Params)]
pub(crate) struct CreateRefund {
    /// How much.
    #[param(required, min = 1)]
    pub(crate) amount: i64,
    #[param(max_len = 10)]
    pub(crate) description: Update<Box<str>>,
    #[param(max_items = 2, max_len = 3)]
    pub(crate) types: Vec<Box<str>>,
    #[param(name = "type", since = 20230816)]
    pub(crate) kind: Option<Reason>,
    pub(crate) metadata: MetadataUpdate,
    pub(crate) card: Option<CardParams>,
    pub(crate) cards: Option<Vec<CardParams>>,
    pub(crate) confirm: bool,
    pub(crate) created: Option<Range>,
    pub(crate) shipping: Update<CardParams>,
}

pub(crate) static CREATE: Endpoint<CreateRefund> = Endpoint {
    name: "create_refund",
    doc: "Creates a refund.",
    method: Method::Post,
    path: "/v1/refunds",
    params: CreateRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |_, form| tollgate_resource::operation::take(form),
};
