//! Parameters and operations of charges.

use super::shown::ChargeShown;
use crate::call::{Call, ListQuery, Read};
use crate::kinds::{self, ChargeId, CustomerId, PaymentIntentId};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which charges to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCharges {
    /// Only charges made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only charges of this customer.
    pub customer: Option<CustomerId>,
    /// Only charges newer than this one.
    pub ending_before: Option<ChargeId>,
    /// Most charges of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only charges of this payment intent.
    pub payment_intent: Option<PaymentIntentId>,
    /// Only charges older than this one.
    pub starting_after: Option<ChargeId>,
    /// Only charges of this group.
    pub transfer_group: Option<Box<str>>,
}

/// The operations on charges.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &LIST];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_charge",
    doc: "Retrieves a charge.",
    method: Method::Get,
    path: "/v1/charges/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(ChargeShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::CHARGE,
            path.id(0, &kinds::CHARGE)?,
            "id",
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_charges",
    doc: "Lists charges, newest first.",
    method: Method::Get,
    path: "/v1/charges",
    params: ListCharges::SHAPE,
    answers: Answers::Many(ChargeShown::SHAPE),
    parse: |_, form| {
        let asked: ListCharges = take(form)?;
        ListQuery::of(&kinds::CHARGE, "/v1/charges")
            .created(asked.created)
            .under(&kinds::CUSTOMER, asked.customer.map(|id| id.0))
            .under(&kinds::PAYMENT_INTENT, asked.payment_intent.map(|id| id.0))
            .filtered("transfer_group", asked.transfer_group)
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::List)
    },
};
