//! Parameters of operations on payment intents.

use super::amount_details::AmountDetailsParams;
use super::card_options::PaymentOptionsParams;
use super::particulars::PaymentDetailsParams;
use super::{AllowRedirects, CancellationReason, CaptureMethod, ConfirmationMethod, FutureUsage};
use crate::address::ShippingParams;
use crate::kinds::{ConfirmationTokenId, CustomerId, MandateId, PaymentIntentId};
use crate::money::Currency;
use crate::payments::mandate::MandateDataParams;
use crate::payments::payment_method::{PaymentMethodData, PaymentMethodParam, PaymentRadarOptionsParams};
use tollgate_resource::params::{Bounds, Range, boolean, scalar};
use tollgate_resource::{MetadataUpdate, Names, ParamKind, ParamValue, Params, Problem, Step, Update};

/// What a new payment intent is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct CreatePaymentIntent {
    /// What is to be paid, in the currency's minor units.
    #[param(required)]
    pub amount: i64,
    /// Three-letter code of the currency.
    #[param(required)]
    pub currency: Option<Currency>,
    /// The types of payment methods that may be used: those of them that fit are offered. Instead of the other ways to
    /// say so.
    #[param(max_items = 120)]
    pub allowed_payment_method_types: Vec<Box<str>>,
    /// What the amount is made of.
    pub amount_details: Option<Box<AmountDetailsParams>>,
    /// What a platform takes; there are no platforms here.
    pub application_fee_amount: Option<ConnectParam>,
    /// Leaves to the account's configuration how it can be paid.
    pub automatic_payment_methods: Option<AutomaticPaymentMethodsParams>,
    /// When the money is captured.
    pub capture_method: Option<CaptureMethod>,
    /// Confirms it at once.
    pub confirm: Option<bool>,
    /// Who goes on after an action of the payer.
    pub confirmation_method: Option<ConfirmationMethod>,
    /// What the payer chose in a browser. Only with `confirm=true`.
    pub confirmation_token: Option<ConfirmationTokenId>,
    /// Who pays.
    pub customer: Option<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 1000)]
    pub description: Option<Box<str>>,
    /// Fails the payment instead of asking the payer for an action. Only with `confirm=true`.
    pub error_on_requires_action: Option<bool>,
    /// Types of payment method that may not be used.
    pub excluded_payment_method_types: Vec<Box<str>>,
    /// When the goods are delivered, in seconds since the Unix epoch. It changes nothing.
    pub fulfillment_date: Option<i64>,
    /// The mandate it is made under: its payment method pays. Only with `confirm=true`.
    pub mandate: Option<MandateId>,
    /// The payer's agreement to payments to come. Only with `confirm=true`.
    pub mandate_data: Update<MandateDataParams>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Whether the payer is absent. Only with `confirm=true`.
    pub off_session: Option<OffSession>,
    /// The connected account it is made for; there are none here.
    pub on_behalf_of: Option<ConnectParam>,
    /// The merchant's references for its customer and for the order.
    pub payment_details: Option<Box<PaymentDetailsParams>>,
    /// What they pay with.
    pub payment_method: Option<PaymentMethodParam>,
    /// The configuration that says how it can be paid: the account's only one.
    pub payment_method_configuration: Option<Box<str>>,
    /// What they pay with, made with this request.
    pub payment_method_data: Option<Box<PaymentMethodData>>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<Box<PaymentOptionsParams>>,
    /// The ways it can be paid, instead of those of the account's configuration.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
    /// What the fraud checks are given. What a test card risks stands in its row.
    pub radar_options: Option<Box<PaymentRadarOptionsParams>>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Option<Box<str>>,
    /// Where the payer returns to after an action. Only with `confirm=true`.
    pub return_url: Option<Box<str>>,
    /// Saves the payment method to the customer; the name of older integrations for `setup_future_usage`.
    pub save_payment_method: Option<bool>,
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
    /// The connected account the money goes to; there are none here.
    pub transfer_data: Option<Box<TransferDataParams>>,
    /// Groups payments and transfers.
    pub transfer_group: Option<Box<str>>,
    /// Whether actions of the payer are handled by an SDK in the browser, where this request confirms.
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
    /// The types of payment methods that may be used: those of them that fit are offered. Instead of the other ways to
    /// say so.
    #[param(max_items = 120)]
    pub allowed_payment_method_types: Vec<Box<str>>,
    /// What the amount is made of.
    pub amount_details: Update<AmountDetailsParams>,
    /// The amount the payer agreed to: another one is not confirmed.
    pub amount_to_confirm: Option<i64>,
    /// When the money is captured.
    pub capture_method: Option<CaptureMethod>,
    /// The intent's client secret, as a page in the payer's browser gives it.
    pub client_secret: Option<Box<str>>,
    /// What the payer chose in a browser.
    pub confirmation_token: Option<ConfirmationTokenId>,
    /// Fails the payment instead of asking the payer for an action.
    pub error_on_requires_action: Option<bool>,
    /// Types of payment method that may not be used.
    pub excluded_payment_method_types: Vec<Box<str>>,
    /// The mandate it is made under: its payment method pays.
    pub mandate: Option<MandateId>,
    /// The payer's agreement to payments to come.
    pub mandate_data: Update<MandateDataParams>,
    /// Whether the payer is absent.
    pub off_session: Option<OffSession>,
    /// The merchant's references for its customer and for the order.
    pub payment_details: Update<PaymentDetailsParams>,
    /// What they pay with.
    pub payment_method: Option<PaymentMethodParam>,
    /// What they pay with, made with this request.
    pub payment_method_data: Option<Box<PaymentMethodData>>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<Box<PaymentOptionsParams>>,
    /// The ways it can be paid, instead of those of the account's configuration.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
    /// What the fraud checks are given. What a test card risks stands in its row.
    pub radar_options: Option<Box<PaymentRadarOptionsParams>>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Update<Box<str>>,
    /// Where the payer returns to after an action.
    pub return_url: Option<Box<str>>,
    /// Saves the payment method to the customer; the name of older integrations for `setup_future_usage`.
    pub save_payment_method: Option<bool>,
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
    /// What the amount is made of.
    pub amount_details: Option<Box<AmountDetailsParams>>,
    /// How much, in minor units; all of it if not given. The rest is released.
    pub amount_to_capture: Option<i64>,
    /// What a platform takes; there are no platforms here.
    pub application_fee_amount: Option<ConnectParam>,
    /// Whether this is the last capture. `false` keeps the rest held, where the payment allows several captures.
    pub final_capture: Option<bool>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// The merchant's references for its customer and for the order.
    pub payment_details: Update<PaymentDetailsParams>,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix: Option<Box<str>>,
}

/// How an intent is shown to whoever knows its secret.
#[derive(Params, Default, Clone, Debug)]
pub struct RetrievePaymentIntent {
    /// The intent's client secret. A publishable key must give it; a secret key need not, and it says nothing then.
    pub client_secret: Option<Box<str>>,
}

/// What may change of an intent that is not being paid.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdatePaymentIntent {
    /// The types of payment methods that may be used: those of them that fit are offered. Instead of the other ways to
    /// say so; an empty list takes them back.
    #[param(max_items = 120)]
    pub allowed_payment_method_types: Option<Vec<Box<str>>>,
    /// What is to be paid, in the currency's minor units.
    pub amount: Option<i64>,
    /// What the amount is made of.
    pub amount_details: Update<AmountDetailsParams>,
    /// What a platform takes; there are no platforms here.
    pub application_fee_amount: Option<ConnectParam>,
    /// When the money is captured.
    pub capture_method: Option<CaptureMethod>,
    /// Three-letter code of the currency.
    pub currency: Option<Currency>,
    /// Who pays.
    pub customer: Option<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 1000)]
    pub description: Update<Box<str>>,
    /// Types of payment method that may not be used.
    pub excluded_payment_method_types: Vec<Box<str>>,
    /// When the goods are delivered, in seconds since the Unix epoch. It changes nothing.
    pub fulfillment_date: Option<i64>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// The merchant's references for its customer and for the order.
    pub payment_details: Update<PaymentDetailsParams>,
    /// What they pay with.
    pub payment_method: Option<PaymentMethodParam>,
    /// The configuration that says how it can be paid: the account's only one.
    pub payment_method_configuration: Option<Box<str>>,
    /// What they pay with, made with this request.
    pub payment_method_data: Option<Box<PaymentMethodData>>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<Box<PaymentOptionsParams>>,
    /// The ways it can be paid, instead of those of the account's configuration.
    #[param(max_items = 20)]
    pub payment_method_types: Vec<Box<str>>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Update<Box<str>>,
    /// Saves the payment method to the customer; the name of older integrations for `setup_future_usage`.
    pub save_payment_method: Option<bool>,
    /// Saves the payment method to the customer for payments to come.
    pub setup_future_usage: Update<FutureUsage>,
    /// Where goods are sent.
    pub shipping: Update<ShippingParams>,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Update<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix: Update<Box<str>>,
    /// The connected account the money goes to; there are none here.
    pub transfer_data: Option<Box<TransferDataParams>>,
    /// Groups payments and transfers.
    pub transfer_group: Update<Box<str>>,
}

/// What is held from now on.
#[derive(Params, Default, Clone, Debug)]
pub struct IncrementAuthorization {
    /// What is to be held in all: more than now, in minor units.
    #[param(required)]
    pub amount: i64,
    /// What the amount is made of.
    pub amount_details: Option<Box<AmountDetailsParams>>,
    /// What a platform takes; there are no platforms here.
    pub application_fee_amount: Option<ConnectParam>,
    /// Free text for the merchant.
    #[param(max_len = 1000)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// The merchant's references for its customer and for the order.
    pub payment_details: Option<Box<PaymentDetailsParams>>,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Option<Box<str>>,
    /// The connected account the money goes to; there are none here.
    pub transfer_data: Option<Box<TransferDataParams>>,
}

/// What is paid from a customer's cash balance.
#[derive(Params, Default, Clone, Debug)]
pub struct ApplyCustomerBalance {
    /// How much of it, in minor units; all that is needed if not given.
    pub amount: Option<i64>,
    /// Three-letter code of the currency.
    pub currency: Option<Currency>,
}

/// The connected account that money goes to, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct TransferDataParams {
    /// How much of it, in minor units.
    pub amount: Option<ConnectParam>,
    /// Free text.
    pub description: Option<ConnectParam>,
    /// The account.
    pub destination: Option<ConnectParam>,
}

/// A parameter of platforms with connected accounts, which are not served: whatever it says is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectParam {}

impl ParamValue for ConnectParam {
    const KIND: ParamKind = ParamKind::Word("connect");
    fn first(_: &[Step<'_>], _: &str, _: &Bounds) -> Result<Self, Problem> {
        Err(Problem::Custom {
            code: None,
            message: "Connect is not available on this account: payments for connected accounts cannot be made. Leave \
                      this parameter out.",
        })
    }
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
