//! Parameters and operations of tokens.

use super::shown::TokenShown;
use crate::call::{Call, Command, Read};
use crate::kinds;
use crate::payments::bank_account::BankAccountParams;
use crate::payments::card::{Cvc, FlatCardParams};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// What a token is to stand for.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateToken {
    /// A bank account.
    pub bank_account: Option<BankAccountParams>,
    /// A card.
    pub card: Option<FlatCardParams>,
    /// The security code of a card that is saved.
    pub cvc_update: Option<CvcUpdateParams>,
}

/// The security code of a card that is saved.
#[derive(Params, Default, Clone, Debug)]
pub struct CvcUpdateParams {
    /// The code. It is never stored.
    #[param(required)]
    pub cvc: Option<Cvc>,
}

/// The operations on tokens.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_token",
    doc: "Makes a token of the details of a card or bank account. It can be used once, within 15 minutes.",
    method: Method::Post,
    path: "/v1/tokens",
    params: CreateToken::SHAPE,
    answers: Answers::One(TokenShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateToken(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_token",
    doc: "Retrieves a token.",
    method: Method::Get,
    path: "/v1/tokens/{token}",
    params: NoParams::SHAPE,
    answers: Answers::One(TokenShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::TOKEN,
            path.id(0, &kinds::TOKEN)?,
            "token",
        )))
    },
};
