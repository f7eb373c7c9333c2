//! Parameters and operations of early fraud warnings.

use super::shown::EarlyFraudWarningShown;
use crate::call::{Call, ListQuery, Read};
use crate::kinds::{self, ChargeId, EarlyFraudWarningId, PaymentIntentId};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which early fraud warnings to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListEarlyFraudWarnings {
    /// Only those of this charge.
    pub charge: Option<ChargeId>,
    /// Only those made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only those newer than this one.
    pub ending_before: Option<EarlyFraudWarningId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only those of this payment intent.
    pub payment_intent: Option<PaymentIntentId>,
    /// Only those older than this one.
    pub starting_after: Option<EarlyFraudWarningId>,
}

/// The operations on early fraud warnings.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &LIST];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_early_fraud_warning",
    doc: "Retrieves an early fraud warning.",
    method: Method::Get,
    path: "/v1/radar/early_fraud_warnings/{early_fraud_warning}",
    params: NoParams::SHAPE,
    answers: Answers::One(EarlyFraudWarningShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::EARLY_FRAUD_WARNING,
            path.id(0, &kinds::EARLY_FRAUD_WARNING)?,
            "early_fraud_warning",
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_early_fraud_warnings",
    doc: "Lists early fraud warnings, newest first.",
    method: Method::Get,
    path: "/v1/radar/early_fraud_warnings",
    params: ListEarlyFraudWarnings::SHAPE,
    answers: Answers::Many(EarlyFraudWarningShown::SHAPE),
    parse: |_, form| {
        let asked: ListEarlyFraudWarnings = take(form)?;
        ListQuery::of(&kinds::EARLY_FRAUD_WARNING, "/v1/radar/early_fraud_warnings")
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
