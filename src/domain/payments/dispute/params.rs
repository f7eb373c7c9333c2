//! Parameters and operations of disputes.

use super::evidence::EvidenceParams;
use super::shown::DisputeShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ChargeId, DisputeId, PaymentIntentId};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, MetadataUpdate, Method, Params};

/// What the merchant says to a dispute.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateDispute {
    /// Evidence; parts that are not sent stay as they are.
    pub evidence: Option<EvidenceParams>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Whether the evidence goes to the bank at once; otherwise it is kept until it does. If evidence is sent it does,
    /// unless this says `false`.
    pub submit: Option<bool>,
}

/// Which disputes to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListDisputes {
    /// Only disputes of this charge.
    pub charge: Option<ChargeId>,
    /// Only disputes made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only disputes newer than this one.
    pub ending_before: Option<DisputeId>,
    /// Most disputes of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only disputes of this payment intent.
    pub payment_intent: Option<PaymentIntentId>,
    /// Only disputes older than this one.
    pub starting_after: Option<DisputeId>,
}

/// The operations on disputes.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &RETRIEVE,
    &UPDATE,
    &CLOSE,
    &LIST,
    &RETRIEVE_OF_CHARGE,
    &UPDATE_OF_CHARGE,
    &CLOSE_OF_CHARGE,
];

static RETRIEVE_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "retrieve_charge_dispute",
    doc: "Retrieves the newest dispute of a charge.",
    method: Method::Get,
    path: "/v1/charges/{charge}/dispute",
    params: NoParams::SHAPE,
    answers: Answers::One(DisputeShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::DisputeOf(path.id(0, &kinds::CHARGE)?)))
    },
};

static UPDATE_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "update_charge_dispute",
    doc: "Answers the newest dispute of a charge with evidence.",
    method: Method::Post,
    path: "/v1/charges/{charge}/dispute",
    params: UpdateDispute::SHAPE,
    answers: Answers::One(DisputeShown::SHAPE),
    parse: |path, form| {
        let charge = path.id(0, &kinds::CHARGE)?;
        Ok(Call::Write(Command::UpdateDisputeOfCharge(charge, take_boxed(form)?)))
    },
};

static CLOSE_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "close_charge_dispute",
    doc: "Gives the newest dispute of a charge up: it is lost.",
    method: Method::Post,
    path: "/v1/charges/{charge}/dispute/close",
    params: NoParams::SHAPE,
    answers: Answers::One(DisputeShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::CloseDisputeOfCharge(path.id(0, &kinds::CHARGE)?)))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_dispute",
    doc: "Retrieves a dispute.",
    method: Method::Get,
    path: "/v1/disputes/{dispute}",
    params: NoParams::SHAPE,
    answers: Answers::One(DisputeShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::DISPUTE,
            path.id(0, &kinds::DISPUTE)?,
            "dispute",
        )))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_dispute",
    doc: "Answers a dispute with evidence.",
    method: Method::Post,
    path: "/v1/disputes/{dispute}",
    params: UpdateDispute::SHAPE,
    answers: Answers::One(DisputeShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::DISPUTE)?;
        Ok(Call::Write(Command::UpdateDispute(id, take_boxed(form)?)))
    },
};

static CLOSE: Endpoint<Call> = Endpoint {
    name: "close_dispute",
    doc: "Gives a dispute up: it is lost.",
    method: Method::Post,
    path: "/v1/disputes/{dispute}/close",
    params: NoParams::SHAPE,
    answers: Answers::One(DisputeShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::CloseDispute(path.id(0, &kinds::DISPUTE)?)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_disputes",
    doc: "Lists disputes, newest first.",
    method: Method::Get,
    path: "/v1/disputes",
    params: ListDisputes::SHAPE,
    answers: Answers::Many(DisputeShown::SHAPE),
    parse: |_, form| {
        let asked: ListDisputes = take(form)?;
        ListQuery::of(&kinds::DISPUTE, "/v1/disputes")
            .created(asked.created)
            .under(&kinds::CHARGE, asked.charge.map(|id| id.0))
            .under(&kinds::PAYMENT_INTENT, asked.payment_intent.map(|id| id.0))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
