//! Parameters and operations of payment intents.

use super::shown::PaymentIntentShown;
use super::{AllowRedirects, CancellationReason, CaptureMethod, ConfirmationMethod, FutureUsage};
use crate::address::ShippingParams;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, CustomerId, PaymentIntentId};
use crate::money::Currency;
use crate::payments::payment_method::PaymentMethodParam;
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, boolean, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{
    Endpoint, MetadataUpdate, Method, Names, ParamKind, ParamValue, Params, Problem, Step, Update,
};

/// What a new payment intent is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct CreatePaymentIntent {
    /// What is to be paid, in the currency's minor units.
    #[param(required)]
    pub amount: i64,
    /// Three-letter code of the currency.
    #[param(required)]
    pub currency: Option<Currency>,
    /// Leaves to the account's configuration how it can be paid.
    pub automatic_payment_methods: Option<AutomaticPaymentMethodsParams>,
    /// When the money is captured.
    pub capture_method: Option<CaptureMethod>,
    /// Confirms it at once.
    pub confirm: Option<bool>,
    /// Who goes on after an action of the payer.
    pub confirmation_method: Option<ConfirmationMethod>,
    /// Who pays.
    pub customer: Option<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 1000)]
    pub description: Option<Box<str>>,
    /// Fails the payment instead of asking the payer for an action. Only with `confirm=true`.
    pub error_on_requires_action: Option<bool>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Whether the payer is absent. Only with `confirm=true`.
    pub off_session: Option<OffSession>,
    /// What they pay with.
    pub payment_method: Option<PaymentMethodParam>,
    /// The ways it can be paid, instead of those of the account's configuration.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Option<Box<str>>,
    /// Where the payer returns to after an action. Only with `confirm=true`.
    pub return_url: Option<Box<str>>,
    /// Saves the payment method to the customer for payments to come.
    pub setup_future_usage: Option<FutureUsage>,
    /// Where goods are sent.
    pub shipping: Option<ShippingParams>,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix: Option<Box<str>>,
    /// Groups payments and transfers.
    pub transfer_group: Option<Box<str>>,
    /// Whether actions of the payer are handled by an SDK in the browser. Only with `confirm=true`.
    pub use_stripe_sdk: Option<bool>,
}

/// How the account's configuration is used.
#[derive(Params, Default, Clone, Debug)]
pub struct AutomaticPaymentMethodsParams {
    /// Whether ways to pay that lead to other pages are welcome.
    pub allow_redirects: Option<AllowRedirects>,
    /// Whether the configuration is used.
    #[param(required)]
    pub enabled: bool,
}

/// What a confirmation may change.
#[derive(Params, Default, Clone, Debug)]
pub struct ConfirmPaymentIntent {
    /// When the money is captured.
    pub capture_method: Option<CaptureMethod>,
    /// Fails the payment instead of asking the payer for an action.
    pub error_on_requires_action: Option<bool>,
    /// Whether the payer is absent.
    pub off_session: Option<OffSession>,
    /// What they pay with.
    pub payment_method: Option<PaymentMethodParam>,
    /// The ways it can be paid, instead of those of the account's configuration.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Update<Box<str>>,
    /// Where the payer returns to after an action.
    pub return_url: Option<Box<str>>,
    /// Saves the payment method to the customer for payments to come.
    pub setup_future_usage: Update<FutureUsage>,
    /// Where goods are sent.
    pub shipping: Update<ShippingParams>,
    /// Whether actions of the payer are handled by an SDK in the browser.
    pub use_stripe_sdk: Option<bool>,
}

/// What of a hold is captured.
#[derive(Params, Default, Clone, Debug)]
pub struct CapturePaymentIntent {
    /// How much, in minor units; all of it if not given. The rest is released.
    pub amount_to_capture: Option<i64>,
    /// Whether this is the last capture. Only `true`: a hold is captured once.
    pub final_capture: Option<bool>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix: Option<Box<str>>,
}

/// How an intent is given up.
#[derive(Params, Default, Clone, Debug)]
pub struct CancelPaymentIntent {
    /// Why.
    pub cancellation_reason: Option<RequestedReason>,
}

/// Which payment intents to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListPaymentIntents {
    /// Only intents made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only intents of this customer.
    pub customer: Option<CustomerId>,
    /// Only intents newer than this one.
    pub ending_before: Option<PaymentIntentId>,
    /// Most intents of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only intents older than this one.
    pub starting_after: Option<PaymentIntentId>,
}

/// Whether the payer is absent: a boolean, or the reason why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffSession(pub bool);

impl ParamValue for OffSession {
    const KIND: ParamKind = ParamKind::Names(&["true", "false", "one_off", "recurring"]);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        match text {
            "one_off" | "recurring" => Ok(OffSession(true)),
            _ => boolean(text).map(OffSession).ok_or(Problem::Boolean),
        }
    }
}

/// A reason that a request may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedReason(pub CancellationReason);

impl RequestedReason {
    const NAMES: &'static [&'static str] = &["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
}

impl ParamValue for RequestedReason {
    const KIND: ParamKind = ParamKind::Names(Self::NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let known = CancellationReason::REQUESTABLE
            .into_iter()
            .find(|reason| reason.name() == text);
        known.map(RequestedReason).ok_or(Problem::Names(Self::NAMES))
    }
}

/// The operations on payment intents.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &CONFIRM, &CAPTURE, &CANCEL, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_payment_intent",
    doc: "Creates a payment intent, and confirms it if asked.",
    method: Method::Post,
    path: "/v1/payment_intents",
    params: CreatePaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreatePaymentIntent(Box::new(take(form)?)))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_payment_intent",
    doc: "Retrieves a payment intent.",
    method: Method::Get,
    path: "/v1/payment_intents/{intent}",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::PAYMENT_INTENT,
            path.id(0, &kinds::PAYMENT_INTENT)?,
            "intent",
        )))
    },
};

static CONFIRM: Endpoint<Call> = Endpoint {
    name: "confirm_payment_intent",
    doc: "Confirms a payment intent: the payer agrees, and the payment is attempted.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/confirm",
    params: ConfirmPaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::ConfirmPaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CAPTURE: Endpoint<Call> = Endpoint {
    name: "capture_payment_intent",
    doc: "Captures a hold, wholly or in part; the rest is released.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/capture",
    params: CapturePaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::CapturePaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CANCEL: Endpoint<Call> = Endpoint {
    name: "cancel_payment_intent",
    doc: "Gives a payment intent up. A hold is released.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/cancel",
    params: CancelPaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::CancelPaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_payment_intents",
    doc: "Lists payment intents, newest first.",
    method: Method::Get,
    path: "/v1/payment_intents",
    params: ListPaymentIntents::SHAPE,
    answers: Answers::Many(PaymentIntentShown::SHAPE),
    parse: |_, form| {
        let asked: ListPaymentIntents = take(form)?;
        ListQuery::of(&kinds::PAYMENT_INTENT, "/v1/payment_intents")
            .created(asked.created)
            .under(&kinds::CUSTOMER, asked.customer.map(|id| id.0))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::List)
    },
};
