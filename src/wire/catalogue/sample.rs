//! Declarations that use every option, for the tests of the documents.

use crate::catalogue::Catalogue;
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::{HasShape, Ident, Seconds, lead};
use tollgate_resource::{
    Endpoint, FieldShape, Metadata, MetadataUpdate, Method, Names, Params, Ref, Shape, Shown, SubList, Update,
    ValueKind, Version,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
enum Size {
    Small,
    VeryLarge,
}

/// A parcel & its <contents>.
#[derive(Shown)]
#[shown(object = "parcel")]
struct ParcelShown<'a> {
    /// Unique identifier.
    id: Ident,
    /// Who carries it.
    #[shown(expand)]
    courier: Option<Ref>,
    /// Where it comes from.
    #[shown(expand)]
    source: Option<Ref>,
    /// Its `size`.
    size: Option<Size>,
    #[shown(omit)]
    note: Option<&'a str>,
    #[shown(since = 20230816)]
    weight: i64,
    #[shown(until = 20221115, name = "legacy_weight")]
    stones: bool,
    #[shown(included_until = 20221115)]
    stops: SubList<'a>,
    metadata: Metadata,
    created: Seconds,
    address: AddressShown<'a>,
    addresses: Vec<AddressShown<'a>>,
    #[shown(named = "Parcel", omit)]
    inside: Option<Box<ParcelShown<'a>>>,
}

/// Where somebody lives.
#[derive(Shown)]
struct AddressShown<'a> {
    /// First line.
    line1: Option<&'a str>,
}

/// Who carries parcels.
#[derive(Shown)]
#[shown(object = "courier")]
struct CourierShown {
    /// Unique identifier.
    id: Ident,
}

#[derive(Default, Params)]
struct AddressParams {
    /// First line.
    #[param(required, max_len = 60)]
    line1: Box<str>,
}

#[derive(Default, Params)]
struct SendParcel {
    /// Grams.
    #[param(required, min = 1, max = 30000)]
    weight: i64,
    /// How big.
    size: Option<Size>,
    note: Update<Box<str>>,
    address: Option<AddressParams>,
    #[param(max_items = 3)]
    addresses: Vec<AddressParams>,
    metadata: MetadataUpdate,
    #[param(until = 20221115, required)]
    stones: bool,
}

#[derive(Default, Params)]
struct ListParcels {
    created: Option<Range>,
    #[param(min = 1, max = 100)]
    limit: Option<i64>,
}

pub(crate) static SEND: Endpoint<()> = Endpoint {
    name: "send_parcel",
    doc: "Sends a parcel.",
    method: Method::Post,
    path: "/v1/parcels",
    params: SendParcel::SHAPE,
    answers: Answers::One(ParcelShown::SHAPE),
    parse: |_, form| take::<SendParcel>(form).map(|_| ()),
};
static LIST: Endpoint<()> = Endpoint {
    name: "list_parcels",
    doc: "Lists parcels.",
    method: Method::Get,
    path: "/v1/parcels",
    params: ListParcels::SHAPE,
    answers: Answers::Many(ParcelShown::SHAPE),
    parse: |_, form| take::<ListParcels>(form).map(|_| ()),
};
static RETRIEVE: Endpoint<()> = Endpoint {
    name: "retrieve_parcel",
    doc: "Retrieves a parcel.",
    method: Method::Get,
    path: "/v1/parcels/{parcel}",
    params: NoParams::SHAPE,
    answers: Answers::One(ParcelShown::SHAPE),
    parse: |_, form| take::<NoParams>(form).map(|_| ()),
};

/// The sample API; couriers are reached by expansion only.
pub(crate) fn catalogue() -> Catalogue<'static, ()> {
    Catalogue::new(&[&SEND, &LIST, &RETRIEVE], &[CourierShown::SHAPE])
}

/// Another shape that is also called `Parcel`.
pub(crate) static OTHER_PARCEL: Shape = Shape {
    name: "Parcel",
    doc: "",
    object: None,
    fields: &[FieldShape {
        name: "id",
        lead: lead("id"),
        doc: "",
        kind: ValueKind::Str,
        nullable: false,
        omit: false,
        expand: false,
        since: Version::ALWAYS,
        until: Version::NEVER,
        included_until: Version::ALWAYS,
        revision: 1,
    }],
};
