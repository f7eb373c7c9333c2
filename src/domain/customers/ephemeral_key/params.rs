//! Parameters and operations of ephemeral keys.

use super::shown::EphemeralKeyShown;
use crate::call::{Call, Command};
use crate::kinds::{self, CustomerId};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Whom a key is for.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateEphemeralKey {
    /// The customer whose payment methods it opens.
    #[param(required)]
    pub customer: Option<CustomerId>,
}

/// The operations on ephemeral keys.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &DELETE];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_ephemeral_key",
    doc: "Makes a key with which an app can look after one customer's payment methods for an hour. The request must name a \
          version in the header `Stripe-Version`: that of the app.",
    method: Method::Post,
    path: "/v1/ephemeral_keys",
    params: CreateEphemeralKey::SHAPE,
    answers: Answers::One(EphemeralKeyShown::SHAPE),
    parse: |_, form| {
        let asked: CreateEphemeralKey = take(form)?;
        let customer = asked.customer.expect("the form demands it").0;
        Ok(Call::Write(Command::CreateEphemeralKey(customer)))
    },
};

static DELETE: Endpoint<Call> = Endpoint {
    name: "delete_ephemeral_key",
    doc: "Ends an ephemeral key before its hour is over.",
    method: Method::Delete,
    path: "/v1/ephemeral_keys/{key}",
    params: NoParams::SHAPE,
    answers: Answers::One(EphemeralKeyShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let key = path.id(0, &kinds::EPHEMERAL_KEY)?;
        Ok(Call::Write(Command::DeleteEphemeralKey(key)))
    },
};
