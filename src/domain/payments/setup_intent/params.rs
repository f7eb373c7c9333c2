//! Parameters and operations of setup intents.

use super::options::PaymentMethodOptionsParams;
use super::shown::SetupIntentShown;
use super::{FlowDirection, SetupCancellationReason};
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ConfirmationTokenId, CustomerId, PaymentMethodId, SetupIntentId};
use crate::marks::Mark;
use crate::money::Currency;
use crate::payments::mandate::MandateDataParams;
use crate::payments::payment_intent::{AutomaticPaymentMethodsParams, FutureUsage};
use crate::payments::payment_method::{PaymentMethodData, PaymentMethodParam};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{Bounds, HasParams, Range, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{
    Endpoint, MetadataUpdate, Method, Names, ParamKind, ParamValue, Params, Problem, Step, Update,
};

/// What a new setup intent is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateSetupIntent {
    /// The types of payment methods that may be used: those of them that fit are offered. Instead of the other ways to
    /// say so.
    #[param(max_items = 120)]
    pub allowed_payment_method_types: Vec<Box<str>>,
    /// Whether the payment method is saved to the merchant's own account. Only `false`: cards are not.
    pub attach_to_self: Option<bool>,
    /// Leaves to the account's configuration what can be set up.
    pub automatic_payment_methods: Option<AutomaticPaymentMethodsParams>,
    /// Confirms it at once.
    pub confirm: Option<bool>,
    /// What the customer chose in a browser. Only with `confirm=true`.
    pub confirmation_token: Option<ConfirmationTokenId>,
    /// Whom the payment method is saved to.
    pub customer: Option<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 1000)]
    pub description: Option<Box<str>>,
    /// Types of payment method that may not be used.
    #[param(max_items = 60)]
    pub excluded_payment_method_types: Vec<Box<str>>,
    /// Which ways money will move.
    #[param(max_items = 2)]
    pub flow_directions: Vec<FlowDirection>,
    /// The customer's agreement to a mandate. Only with `confirm=true`.
    pub mandate_data: Update<MandateDataParams>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Whether the customer is away. A setup asks its cardholder all the same.
    pub off_session: Option<bool>,
    /// What is set up.
    pub payment_method: Option<PaymentMethodParam>,
    /// The configuration of payment methods: the account's own.
    #[param(max_len = 100)]
    pub payment_method_configuration: Option<Box<str>>,
    /// What is set up, made with this request.
    pub payment_method_data: Option<Box<PaymentMethodData>>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<PaymentMethodOptionsParams>,
    /// What can be set up, instead of what the account's configuration says.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
    /// Where the cardholder returns to after an action. Only with `confirm=true`.
    pub return_url: Option<Box<str>>,
    /// The one payment it is for: its mandate allows that and no more.
    pub single_use: Option<SingleUseParams>,
    /// How the payment method will be used.
    pub usage: Option<FutureUsage>,
    /// Whether actions of the cardholder are handled by an SDK in the browser, where this request confirms.
    pub use_stripe_sdk: Option<bool>,
}

/// One payment.
#[derive(Params, Default, Clone, Debug)]
pub struct SingleUseParams {
    /// How much, in minor units.
    #[param(required, min = 1)]
    pub amount: i64,
    /// Three-letter code of the currency.
    #[param(required)]
    pub currency: Option<Currency>,
}

/// What changes about a setup intent. What is not given stays.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateSetupIntent {
    /// The types of payment methods that may be used: those of them that fit are offered. Instead of the other ways to
    /// say so; an empty list takes them back.
    #[param(max_items = 120)]
    pub allowed_payment_method_types: Option<Vec<Box<str>>>,
    /// Whether the payment method is saved to the merchant's own account. Only `false`: cards are not.
    pub attach_to_self: Option<bool>,
    /// Whom the payment method is saved to.
    pub customer: Update<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 1000)]
    pub description: Update<Box<str>>,
    /// Types of payment method that may not be used.
    #[param(max_items = 60)]
    pub excluded_payment_method_types: Option<Vec<Box<str>>>,
    /// Which ways money will move.
    #[param(max_items = 2)]
    pub flow_directions: Option<Vec<FlowDirection>>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// What is set up. An empty string takes it away.
    pub payment_method: Update<PaymentMethodParam>,
    /// The configuration of payment methods: the account's own.
    #[param(max_len = 100)]
    pub payment_method_configuration: Option<Box<str>>,
    /// What is set up, made with this request.
    pub payment_method_data: Option<Box<PaymentMethodData>>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<PaymentMethodOptionsParams>,
    /// What can be set up, instead of what the account's configuration says.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
}

/// What a confirmation may say.
#[derive(Params, Default, Clone, Debug)]
pub struct ConfirmSetupIntent {
    /// The types of payment methods that may be used: those of them that fit are offered. Instead of the other ways to
    /// say so.
    #[param(max_items = 120)]
    pub allowed_payment_method_types: Vec<Box<str>>,
    /// The intent's client secret, when a page in the customer's browser asks.
    pub client_secret: Option<Box<str>>,
    /// What the customer chose in a browser.
    pub confirmation_token: Option<ConfirmationTokenId>,
    /// The customer's agreement to a mandate.
    pub mandate_data: Update<MandateDataParams>,
    /// What is set up.
    pub payment_method: Option<PaymentMethodParam>,
    /// What is set up, made with this request.
    pub payment_method_data: Option<Box<PaymentMethodData>>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<PaymentMethodOptionsParams>,
    /// Where the cardholder returns to after an action.
    pub return_url: Option<Box<str>>,
    /// Whether actions of the cardholder are handled by an SDK in the browser.
    pub use_stripe_sdk: Option<bool>,
}

/// How a setup intent is looked at.
#[derive(Params, Default, Clone, Debug)]
pub struct RetrieveSetupIntent {
    /// The intent's client secret, when a page in the customer's browser asks; a server needs none.
    pub client_secret: Option<Box<str>>,
}

/// How a setup intent is given up.
#[derive(Params, Default, Clone, Debug)]
pub struct CancelSetupIntent {
    /// Why.
    pub cancellation_reason: Option<SetupReason>,
}

/// Amounts that arrived on a bank account. They show whose it is.
#[derive(Params, Default, Clone, Debug)]
pub struct VerifyMicrodeposits {
    /// Two amounts, in minor units.
    #[param(max_items = 2)]
    pub amounts: Vec<i64>,
    /// The intent's client secret, when a page in the customer's browser asks.
    pub client_secret: Option<Box<str>>,
    /// The code in the text of the deposit.
    pub descriptor_code: Option<Box<str>>,
}

/// Which setup intents to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListSetupIntents {
    /// Only intents whose payment method is, or is not, saved to the merchant's own account.
    pub attach_to_self: Option<bool>,
    /// Only intents made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only intents of this customer.
    pub customer: Option<CustomerId>,
    /// Only intents newer than this one.
    pub ending_before: Option<SetupIntentId>,
    /// Most intents of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only intents with this payment method.
    pub payment_method: Option<PaymentMethodId>,
    /// Only intents older than this one.
    pub starting_after: Option<SetupIntentId>,
}

/// A reason that a request may give, in the order messages list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupReason(pub SetupCancellationReason);

impl ParamValue for SetupReason {
    const KIND: ParamKind = ParamKind::Names(SetupCancellationReason::NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let known = SetupCancellationReason::from_name(text).map(SetupReason);
        known.ok_or(Problem::Names(SetupCancellationReason::NAMES))
    }
}

/// The operations on setup intents.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &CONFIRM, &CANCEL, &VERIFY, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_setup_intent",
    doc: "Creates a setup intent, and confirms it if asked.",
    method: Method::Post,
    path: "/v1/setup_intents",
    params: CreateSetupIntent::SHAPE,
    answers: Answers::One(SetupIntentShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateSetupIntent(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_setup_intent",
    doc: "Retrieves a setup intent.",
    method: Method::Get,
    path: "/v1/setup_intents/{intent}",
    params: RetrieveSetupIntent::SHAPE,
    answers: Answers::One(SetupIntentShown::SHAPE),
    parse: |path, form| {
        take::<RetrieveSetupIntent>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::SETUP_INTENT,
            path.id(0, &kinds::SETUP_INTENT)?,
            "intent",
        )))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_setup_intent",
    doc: "Changes a setup intent. What is not given stays as it is.",
    method: Method::Post,
    path: "/v1/setup_intents/{intent}",
    params: UpdateSetupIntent::SHAPE,
    answers: Answers::One(SetupIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::UpdateSetupIntent(
            path.id(0, &kinds::SETUP_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CONFIRM: Endpoint<Call> = Endpoint {
    name: "confirm_setup_intent",
    doc: "Confirms a setup intent: the customer agrees, and the payment method is tried.",
    method: Method::Post,
    path: "/v1/setup_intents/{intent}/confirm",
    params: ConfirmSetupIntent::SHAPE,
    answers: Answers::One(SetupIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::ConfirmSetupIntent(
            path.id(0, &kinds::SETUP_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CANCEL: Endpoint<Call> = Endpoint {
    name: "cancel_setup_intent",
    doc: "Gives a setup intent up.",
    method: Method::Post,
    path: "/v1/setup_intents/{intent}/cancel",
    params: CancelSetupIntent::SHAPE,
    answers: Answers::One(SetupIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::CancelSetupIntent(
            path.id(0, &kinds::SETUP_INTENT)?,
            Box::new(asked),
        )))
    },
};

static VERIFY: Endpoint<Call> = Endpoint {
    name: "verify_setup_intent_microdeposits",
    doc: "Verifies a bank account by amounts that arrived on it, or by the code in the text of one.",
    method: Method::Post,
    path: "/v1/setup_intents/{intent}/verify_microdeposits",
    params: VerifyMicrodeposits::SHAPE,
    answers: Answers::One(SetupIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::VerifySetupIntent(
            path.id(0, &kinds::SETUP_INTENT)?,
            Box::new(asked),
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_setup_intents",
    doc: "Lists setup intents, newest first.",
    method: Method::Get,
    path: "/v1/setup_intents",
    params: ListSetupIntents::SHAPE,
    answers: Answers::Many(SetupIntentShown::SHAPE),
    parse: |_, form| {
        let asked: ListSetupIntents = take(form)?;
        ListQuery::of(&kinds::SETUP_INTENT, "/v1/setup_intents")
            .created(asked.created)
            .under(&kinds::CUSTOMER, asked.customer.map(|id| id.0))
            .filtered("customer", asked.customer.map(|id| id.0.text(&kinds::CUSTOMER)))
            .marked(asked.payment_method.map(|id| Mark::SetUp(id.0)))
            .marked(asked.attach_to_self.map(Mark::AttachToSelf))
            .filtered(
                "payment_method",
                asked.payment_method.map(|id| id.0.text(&kinds::PAYMENT_METHOD)),
            )
            .filtered("attach_to_self", asked.attach_to_self.map(|asked| asked.to_string()))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
