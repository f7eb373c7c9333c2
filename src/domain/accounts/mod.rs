//! The account that a key belongs to, as the API shows it. Kept in the directory; read here from the account's state.

mod shown;

pub use shown::AccountShown;

use crate::call::{Call, Read};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method};

/// The operations on the account itself.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE_OWN];

static RETRIEVE_OWN: Endpoint<Call> = Endpoint {
    name: "retrieve_own_account",
    doc: "Retrieves the account that the key belongs to.",
    method: Method::Get,
    path: "/v1/account",
    params: NoParams::SHAPE,
    answers: Answers::One(AccountShown::SHAPE),
    parse: |_, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Account))
    },
};
