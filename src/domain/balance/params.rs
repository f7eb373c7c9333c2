//! The operation on the balance.

use super::shown::BalanceShown;
use crate::call::{Call, Read};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method};

/// The operations on the balance.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_balance",
    doc: "Retrieves the balance of the account.",
    method: Method::Get,
    path: "/v1/balance",
    params: NoParams::SHAPE,
    answers: Answers::One(BalanceShown::SHAPE),
    parse: |_, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Balance))
    },
};
