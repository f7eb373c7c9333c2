//! Parameters and operations of refunds.

use super::RefundReason;
use super::shown::RefundShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ChargeId, PaymentIntentId, RefundId};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Id, MetadataUpdate, Method, ParamKind, ParamValue, Params, Problem, Step};

/// What is to be given back.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateRefund {
    /// How much, in minor units; everything that is left if not given.
    pub amount: Option<i64>,
    /// The charge. Either this or `payment_intent`.
    pub charge: Option<RefundedCharge>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// The intent whose charge is meant. Either this or `charge`.
    pub payment_intent: Option<PaymentIntentId>,
    /// Why.
    pub reason: Option<RefundReason>,
}

/// Which refunds to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListRefunds {
    /// Only refunds of this charge.
    pub charge: Option<ChargeId>,
    /// Only refunds made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only refunds newer than this one.
    pub ending_before: Option<RefundId>,
    /// Most refunds of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only refunds of this payment intent.
    pub payment_intent: Option<PaymentIntentId>,
    /// Only refunds older than this one.
    pub starting_after: Option<RefundId>,
}

/// The charge to refund. One that cannot exist is refused like one that does not: as if it stood in the path (404).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundedCharge {
    /// The id of a charge, of this account or not.
    Id(Id),
    /// No charge's id.
    Unknown(Box<str>),
}

impl ParamValue for RefundedCharge {
    const KIND: ParamKind = ParamKind::Id(&kinds::CHARGE);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Ok(kinds::CHARGE
            .parse(text)
            .map_or_else(|| RefundedCharge::Unknown(text.into()), RefundedCharge::Id))
    }
}

/// The operations on refunds.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_refund",
    doc: "Gives captured money back, wholly or in part.",
    method: Method::Post,
    path: "/v1/refunds",
    params: CreateRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateRefund(Box::new(take(form)?)))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_refund",
    doc: "Retrieves a refund.",
    method: Method::Get,
    path: "/v1/refunds/{refund}",
    params: NoParams::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::REFUND,
            path.id(0, &kinds::REFUND)?,
            "refund",
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_refunds",
    doc: "Lists refunds, newest first.",
    method: Method::Get,
    path: "/v1/refunds",
    params: ListRefunds::SHAPE,
    answers: Answers::Many(RefundShown::SHAPE),
    parse: |_, form| {
        let asked: ListRefunds = take(form)?;
        ListQuery::of(&kinds::REFUND, "/v1/refunds")
            .created(asked.created)
            .under(&kinds::CHARGE, asked.charge.map(|id| id.0))
            .under(&kinds::PAYMENT_INTENT, asked.payment_intent.map(|id| id.0))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::List)
    },
};
