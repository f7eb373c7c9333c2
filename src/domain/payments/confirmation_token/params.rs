//! Parameters and operations of confirmation tokens.

use super::shown::ConfirmationTokenShown;
use crate::address::ShippingParams;
use crate::call::{Call, Command, Read};
use crate::kinds;
use crate::payments::mandate::MandateDataParams;
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_method::{PaymentMethodData, PaymentMethodParam};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// What a payer chose.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateConfirmationToken {
    /// A payment method that is stored, or the name of a test card.
    pub payment_method: Option<PaymentMethodParam>,
    /// A payment method that is entered.
    pub payment_method_data: Option<PaymentMethodData>,
    /// Where the payer returns to after an action.
    pub return_url: Option<Box<str>>,
    /// Whether the payment method is to be saved.
    pub setup_future_usage: Option<FutureUsage>,
    /// Where goods are sent.
    pub shipping: Option<ShippingParams>,
}

/// What a payer chose on a page or in an app. A stored payment method is not named here: whoever has the key of a page would
/// read in the answer whose it is.
#[derive(Params, Default, Clone, Debug)]
pub struct CreatePageConfirmationToken {
    /// Consent to payments to come; it counts when the token confirms.
    pub mandate_data: Option<MandateDataParams>,
    /// A payment method that is entered.
    #[param(required)]
    pub payment_method_data: Option<PaymentMethodData>,
    /// Where the payer returns to after an action.
    pub return_url: Option<Box<str>>,
    /// Whether the payment method is to be saved.
    pub setup_future_usage: Option<FutureUsage>,
    /// Where goods are sent.
    pub shipping: Option<ShippingParams>,
    /// Said by a page's library of itself; it changes nothing.
    pub use_stripe_sdk: Option<bool>,
}

/// The operations on confirmation tokens.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &CREATE, &CREATE_ON_PAGE];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_confirmation_token",
    doc: "Retrieves a confirmation token.",
    method: Method::Get,
    path: "/v1/confirmation_tokens/{confirmation_token}",
    params: NoParams::SHAPE,
    answers: Answers::One(ConfirmationTokenShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::CONFIRMATION_TOKEN,
            path.id(0, &kinds::CONFIRMATION_TOKEN)?,
            "confirmation_token",
        )))
    },
};

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_confirmation_token",
    doc: "Makes a confirmation token as a browser would. In test mode only.",
    method: Method::Post,
    path: "/v1/test_helpers/confirmation_tokens",
    params: CreateConfirmationToken::SHAPE,
    answers: Answers::One(ConfirmationTokenShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateConfirmationToken(take_boxed(form)?))),
};

static CREATE_ON_PAGE: Endpoint<Call> = Endpoint {
    name: "create_page_confirmation_token",
    doc: "Makes a confirmation token of what a payer chose on a page or in an app, which calls this with its publishable key.",
    method: Method::Post,
    path: "/v1/confirmation_tokens",
    params: CreatePageConfirmationToken::SHAPE,
    answers: Answers::One(ConfirmationTokenShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreatePageConfirmationToken(take_boxed(form)?))),
};
