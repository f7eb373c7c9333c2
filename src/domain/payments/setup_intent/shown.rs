//! What a setup intent shows.

use super::options::SetupOptionsShown;
use super::{FlowDirection, SetupCancellationReason, SetupError, SetupFailure, SetupIntent, Status, StatusName};
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::authentication::NextActionShown;
use crate::payments::payment_intent::{
    AutomaticPaymentMethodsShown, ConfigurationShown, FutureUsage, ManagedPaymentsShown,
};
use crate::payments::payment_method::{Decline, PaymentMethodShown};
use crate::reject::{ErrorType, codes, doc_url};
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Metadata, Names, Ref, Shown};

/// A way to pay that is made ready for payments to come.
#[derive(Shown)]
#[shown(object = "setup_intent")]
pub struct SetupIntentShown<'a> {
    /// Unique identifier of the intent.
    pub id: Ident,
    /// The only types of payment method that may be used, where that was restricted.
    #[shown(revision = 2)]
    pub allowed_payment_method_types: Option<Vec<&'a str>>,
    /// The Connect application that made it.
    #[shown(expand)]
    pub application: Option<Ref>,
    /// Whether the payment method is saved to the merchant's own account.
    #[shown(omit)]
    pub attach_to_self: Option<bool>,
    /// Whether the account's configuration says what can be set up; null if the request listed the types.
    pub automatic_payment_methods: Option<AutomaticPaymentMethodsShown>,
    /// Why it was given up.
    pub cancellation_reason: Option<SetupCancellationReason>,
    /// Lets a page in the customer's browser finish this setup. Treat it as a secret.
    pub client_secret: Option<String>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Whom the payment method is saved to.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'a str>,
    /// Free text for the merchant.
    pub description: Option<&'a str>,
    /// Types of payment method that may not be used.
    pub excluded_payment_method_types: Option<&'a Vec<String>>,
    /// Which ways money will move.
    pub flow_directions: Option<&'a Vec<FlowDirection>>,
    /// Why the last try failed; null when none did, or one succeeded since.
    pub last_setup_error: Option<SetupErrorShown<'a>>,
    /// The newest try.
    #[shown(expand)]
    pub latest_attempt: Option<Ref>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// Whether the processor is the seller.
    pub managed_payments: ManagedPaymentsShown,
    /// The permission for many payments that it led to.
    #[shown(expand)]
    pub mandate: Option<Ref>,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// What the cardholder must do before it can go on.
    pub next_action: Option<NextActionShown<'a>>,
    /// The connected account on whose behalf it is made.
    #[shown(expand)]
    pub on_behalf_of: Option<Ref>,
    /// What is set up.
    #[shown(expand)]
    pub payment_method: Option<Ref>,
    /// The configuration that says what can be set up.
    pub payment_method_configuration_details: Option<ConfigurationShown>,
    /// Settings by type of payment method.
    pub payment_method_options: SetupOptionsShown<'a>,
    /// The types of payment method that can be set up.
    pub payment_method_types: Vec<&'static str>,
    /// The permission for one payment that it led to.
    #[shown(expand)]
    pub single_use_mandate: Option<Ref>,
    /// Where it stands.
    pub status: StatusName,
    /// How the payment method will be used.
    pub usage: FutureUsage,
}

/// Why a try to set something up failed.
#[derive(Shown)]
pub struct SetupErrorShown<'a> {
    /// What the merchant may do next.
    #[shown(omit)]
    pub advice_code: Option<&'a str>,
    /// Stable code of the error.
    pub code: &'a str,
    /// The bank's reason.
    #[shown(omit)]
    pub decline_code: Option<&'a str>,
    /// Where the code is explained.
    pub doc_url: String,
    /// What the customer can be told.
    pub message: &'a str,
    /// What the network advises.
    #[shown(omit)]
    pub network_advice_code: Option<&'a str>,
    /// The network's own code of the reason.
    #[shown(omit)]
    pub network_decline_code: Option<&'a str>,
    /// The detail of the card it is about.
    #[shown(omit)]
    pub param: Option<&'a str>,
    /// The payment method, as it was then.
    pub payment_method: PaymentMethodShown<'a>,
    /// Its type.
    pub payment_method_type: &'a str,
    /// Type of the error.
    #[shown(name = "type")]
    pub kind: ErrorType,
}

/// What is said of a cardholder who did not prove who they are.
pub(super) const UNAUTHENTICATED: &str = "The provided PaymentMethod has failed authentication. You can provide \
    payment_method_data or a new PaymentMethod to attempt to fulfill this SetupIntent again.";

impl<'a> SetupIntentShown<'a> {
    /// What `intent` shows.
    pub fn of(intent: &'a SetupIntent, context: &ShowContext<'a>) -> Self {
        let kind = &kinds::SETUP_INTENT;
        let cancellation_reason = match intent.status {
            Status::Canceled { reason } => reason,
            _ => None,
        };
        let reference = |kind, id: Option<Id>| id.map(|id| Ref { kind, id });
        let extras = intent.extras.as_deref();
        let automatic = intent.automatic_payment_methods;
        SetupIntentShown {
            id: Ident { kind, id: intent.id },
            allowed_payment_method_types: extras
                .map(|extras| &extras.allowed_types)
                .filter(|types| !types.is_empty())
                .map(|types| types.iter().map(|word| &**word).collect()),
            application: None,
            attach_to_self: extras.and_then(|extras| extras.attach_to_self),
            automatic_payment_methods: automatic.map(|allow_redirects| AutomaticPaymentMethodsShown {
                allow_redirects,
                enabled: true,
            }),
            cancellation_reason,
            client_secret: Some(context.secrets.client_secret(kind, intent.id)),
            created: Seconds(intent.id.created()),
            customer: reference(&kinds::CUSTOMER, intent.customer),
            customer_account: None,
            description: intent.description.as_deref(),
            excluded_payment_method_types: extras
                .map(|extras| &extras.excluded_types)
                .filter(|types| !types.is_empty()),
            flow_directions: extras
                .map(|extras| &extras.flow_directions)
                .filter(|directions| !directions.is_empty()),
            last_setup_error: intent
                .last_error
                .as_deref()
                .map(|error| SetupErrorShown::of(error, context)),
            latest_attempt: reference(&kinds::SETUP_ATTEMPT, intent.latest_attempt),
            livemode: context.livemode,
            managed_payments: ManagedPaymentsShown { enabled: false },
            mandate: reference(&kinds::MANDATE, intent.mandate),
            metadata: &intent.metadata,
            next_action: intent
                .open_action()
                .map(|action| NextActionShown::of(action, kind, intent.id, context)),
            on_behalf_of: None,
            payment_method: reference(&kinds::PAYMENT_METHOD, intent.payment_method),
            payment_method_configuration_details: automatic
                .map(|_| ConfigurationShown::of(intent.id, intent.configuration())),
            payment_method_options: SetupOptionsShown::of(intent),
            payment_method_types: intent.accepted().into_iter().map(Names::name).collect(),
            single_use_mandate: reference(&kinds::MANDATE, intent.single_use_mandate),
            status: intent.status.name(),
            usage: intent.usage,
        }
    }
}

impl<'a> SetupErrorShown<'a> {
    /// What `error` shows.
    pub fn of(error: &'a SetupError, context: &ShowContext<'a>) -> Self {
        let payment_method = PaymentMethodShown::of(&error.payment_method, context);
        match error.failure {
            SetupFailure::Declined { decline } => {
                let decline = Decline::by_number(decline).expect("numbers of declines are never withdrawn");
                SetupErrorShown {
                    advice_code: decline.advice_code,
                    code: decline.code,
                    decline_code: decline.decline_code,
                    doc_url: doc_url(decline.code),
                    message: decline.message,
                    network_advice_code: decline.network_advice_code,
                    network_decline_code: decline.network_decline_code,
                    param: decline.param,
                    payment_method,
                    payment_method_type: error.payment_method.instrument.kind().name(),
                    kind: ErrorType::CardError,
                }
            }
            SetupFailure::Unauthenticated => SetupErrorShown {
                advice_code: None,
                code: codes::SETUP_INTENT_AUTHENTICATION_FAILURE,
                decline_code: None,
                doc_url: doc_url(codes::SETUP_INTENT_AUTHENTICATION_FAILURE),
                message: UNAUTHENTICATED,
                network_advice_code: None,
                network_decline_code: None,
                param: None,
                payment_method,
                payment_method_type: error.payment_method.instrument.kind().name(),
                kind: ErrorType::InvalidRequestError,
            },
        }
    }
}
