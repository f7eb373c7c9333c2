//! The account that a key belongs to, as the API shows it. Kept in the directory; read here from the account's state.

mod parts;
mod shown;

pub use shown::AccountShown;

use crate::call::{Call, Read};
use crate::kinds;
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method};

/// The operations on the account itself.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE_OWN, &RETRIEVE];

/// Path of the account by its id. Only the key's own account answers there; the edge, which knows the key, refuses every
/// other id before it is a call.
pub const BY_ID: &str = "/v1/accounts/{account}";

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

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_account",
    doc: "Retrieves an account, which must be the one that the key belongs to.",
    method: Method::Get,
    path: BY_ID,
    params: NoParams::SHAPE,
    answers: Answers::One(AccountShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::ACCOUNT)?;
        Ok(Call::Read(Read::Object(&kinds::ACCOUNT, id, "account")))
    },
};
