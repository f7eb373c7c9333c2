//! What can be asked of an account: writes, reads of one object, lists. One closed set per way through the engine.

mod list;

pub use list::{
    Cursor, EVENTS_SHOWN_MS, FILTERED_MAX, Filter, ListQuery, NO_EVENT_TAG, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX,
    in_milliseconds,
};

use crate::acquirer::{AttemptId, NetworkAnswer};
use crate::customers::customer::{CreateCustomer, UpdateCustomer};
use crate::customers::customer_balance_transaction::{
    CreateCustomerBalanceTransaction, UpdateCustomerBalanceTransaction,
};
use crate::customers::source::{
    CreateCustomerSource, CreateSource, UpdateCustomerSource, UpdateSource, VerifyCustomerSource,
};
use crate::customers::tax_id::CreateTaxId;
use crate::files::file::CreateFile;
use crate::files::file_link::{CreateFileLink, UpdateFileLink};
use crate::paging::Paging;
use crate::payments::authentication::CompletedAction;
use crate::payments::charge::{CaptureCharge, CreateCharge, UpdateCharge};
use crate::payments::confirmation_token::{CreateConfirmationToken, CreatePageConfirmationToken};
use crate::payments::dispute::UpdateDispute;
use crate::payments::payment_domain::{CreateApplePayDomain, CreatePaymentMethodDomain, UpdatePaymentMethodDomain};
use crate::payments::payment_intent::{
    ApplyCustomerBalance, CancelPaymentIntent, CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent,
    IncrementAuthorization, UpdatePaymentIntent,
};
use crate::payments::payment_method::{PaymentMethodData, PaymentMethodParam, Saving, TestMethod, UpdatePaymentMethod};
use crate::payments::payment_method_configuration::{
    ConfigurationList, CreatePaymentMethodConfiguration, UpdatePaymentMethodConfiguration,
};
use crate::payments::refund::{CreateChargeRefund, CreateRefund, UpdateRefund};
use crate::payments::setup_intent::{
    CancelSetupIntent, ConfirmSetupIntent, CreateSetupIntent, UpdateSetupIntent, VerifyMicrodeposits,
};
use crate::payments::token::CreateToken;
use crate::search::SearchQuery;
use crate::webhooks::deliveries::DeliveryCall;
use crate::webhooks::event_destination::{
    CreateEventDestination, DestinationList, IncludedParts, UpdateEventDestination,
};
use crate::webhooks::webhook_endpoint::{
    CreateWebhookEndpoint, EndpointList, EndpointReport, RollWebhookSecret, UpdateWebhookEndpoint, Vetted,
};
use tollgate_resource::{Id, Kind};

/// A parsed API request.
#[derive(Debug, Clone)]
pub enum Call {
    /// A change; goes through the shard and one durable block.
    Write(Command),
    /// One object or value; goes through the shard.
    Read(Read),
    /// A page of objects; read beside the shard at its durable sequence.
    List(Box<ListQuery>),
    /// A page of a search; read beside the shard, too.
    Search(Box<SearchQuery>),
    /// Something that whoever delivers events knows or does. The edge asks the engine for the object it is about and then
    /// whoever delivers; the engine never sees it.
    Delivery(Box<DeliveryCall>),
}

impl Call {
    /// A page of objects. The query stands behind a pointer: it is larger than everything else that is asked for, and every
    /// request would be copied with room for it.
    pub fn list(query: ListQuery) -> Call {
        Call::List(Box::new(query))
    }
}

/// A change that is asked for. The last three come from the engine itself, never from a request.
#[derive(Debug, Clone)]
pub enum Command {
    /// `POST /v1/payment_intents`.
    CreatePaymentIntent(Box<CreatePaymentIntent>),
    /// `POST /v1/payment_intents/{intent}`.
    UpdatePaymentIntent(Id, Box<UpdatePaymentIntent>),
    /// `POST /v1/payment_intents/{intent}/confirm`.
    ConfirmPaymentIntent(Id, Box<ConfirmPaymentIntent>),
    /// The same with a publishable key, which a page in the payer's browser has.
    ConfirmInBrowser(Id, Box<ConfirmPaymentIntent>),
    /// `POST /v1/payment_intents/{intent}/capture`.
    CapturePaymentIntent(Id, Box<CapturePaymentIntent>),
    /// `POST /v1/payment_intents/{intent}/increment_authorization`.
    IncrementAuthorization(Id, Box<IncrementAuthorization>),
    /// `POST /v1/payment_intents/{intent}/apply_customer_balance`.
    ApplyCustomerBalance(Id, Box<ApplyCustomerBalance>),
    /// `POST /v1/payment_intents/{intent}/verify_microdeposits`.
    VerifyPaymentMicrodeposits(Id, Box<VerifyMicrodeposits>),
    /// `POST /v1/payment_intents/{intent}/cancel`.
    CancelPaymentIntent(Id, Box<CancelPaymentIntent>),
    /// `POST /v1/charges`.
    CreateCharge(Box<CreateCharge>),
    /// `POST /v1/charges/{id}`.
    UpdateCharge(Id, Box<UpdateCharge>),
    /// `POST /v1/charges/{id}/capture`.
    CaptureCharge(Id, Box<CaptureCharge>),
    /// `POST /v1/refunds`.
    CreateRefund(Box<CreateRefund>),
    /// `POST /v1/refunds/{refund}`, or below its charge.
    UpdateRefund(Option<Id>, Id, Box<UpdateRefund>),
    /// `POST /v1/refunds/{refund}/cancel`.
    CancelRefund(Id),
    /// `POST /v1/charges/{id}/refunds`.
    CreateChargeRefund(Id, Box<CreateChargeRefund>),
    /// `POST /v1/charges/{id}/refund`: answers with the charge.
    RefundCharge(Id, Box<CreateChargeRefund>),
    /// `POST /v1/customers`.
    CreateCustomer(Box<CreateCustomer>),
    /// `POST /v1/customers/{customer}`.
    UpdateCustomer(Id, Box<UpdateCustomer>),
    /// `POST /v1/setup_intents`.
    CreateSetupIntent(Box<CreateSetupIntent>),
    /// `POST /v1/setup_intents/{intent}`.
    UpdateSetupIntent(Id, Box<UpdateSetupIntent>),
    /// `POST /v1/setup_intents/{intent}/confirm`.
    ConfirmSetupIntent(Id, Box<ConfirmSetupIntent>),
    /// `POST /v1/setup_intents/{intent}/cancel`.
    CancelSetupIntent(Id, Box<CancelSetupIntent>),
    /// `POST /v1/setup_intents/{intent}/verify_microdeposits`.
    VerifySetupIntent(Id, Box<VerifyMicrodeposits>),
    /// `DELETE /v1/customers/{customer}`.
    DeleteCustomer(Id),
    /// `POST /v1/customers/{customer}/balance_transactions`.
    CreateCustomerBalanceTransaction(Id, Box<CreateCustomerBalanceTransaction>),
    /// `POST /v1/customers/{customer}/balance_transactions/{transaction}`.
    UpdateCustomerBalanceTransaction(Id, Id, Box<UpdateCustomerBalanceTransaction>),
    /// `POST /v1/customers/{customer}/sources`.
    SaveSource(Id, Box<CreateCustomerSource>),
    /// `POST /v1/customers/{customer}/sources/{id}`.
    ChangeSource(Id, Id, Box<UpdateCustomerSource>),
    /// `DELETE /v1/customers/{customer}/sources/{id}`.
    RemoveSource(Id, Id),
    /// `POST /v1/customers/{customer}/sources/{id}/verify`.
    VerifySource(Id, Id, Box<VerifyCustomerSource>),
    /// `POST /v1/sources`.
    CreateSource(Box<CreateSource>),
    /// `POST /v1/sources/{source}`.
    UpdateSource(Id, Box<UpdateSource>),
    /// `POST /v1/customers/{customer}/tax_ids`, or `POST /v1/tax_ids`.
    CreateTaxId(Option<Id>, Box<CreateTaxId>),
    /// `DELETE /v1/customers/{customer}/tax_ids/{id}`, or `DELETE /v1/tax_ids/{id}`.
    DeleteTaxId(Option<Id>, Id),
    /// The payer has done, or failed to do, what a parked intent waits for; the page of the action asks.
    CompleteAction(CompletedAction),
    /// `POST /v1/payment_methods`.
    CreatePaymentMethod(Box<PaymentMethodData>),
    /// `GET /v1/payment_methods/pm_card_…`: the name of a test card makes a payment method.
    DrawPaymentMethod(TestMethod),
    /// `POST /v1/payment_methods/{payment_method}`.
    UpdatePaymentMethod(PaymentMethodParam, Box<UpdatePaymentMethod>),
    /// `POST /v1/payment_methods/{payment_method}/attach`, to this customer.
    AttachPaymentMethod(PaymentMethodParam, Option<Id>, Saving),
    /// `POST /v1/payment_methods/{payment_method}/detach`.
    DetachPaymentMethod(PaymentMethodParam),
    /// `POST /v1/ephemeral_keys`, for this customer.
    CreateEphemeralKey(Id),
    /// `DELETE /v1/ephemeral_keys/{key}`.
    DeleteEphemeralKey(Id),
    /// `POST /v1/tokens`.
    CreateToken(Box<CreateToken>),
    /// `POST /v1/test_helpers/confirmation_tokens`.
    CreateConfirmationToken(Box<CreateConfirmationToken>),
    /// `POST /v1/confirmation_tokens`.
    CreatePageConfirmationToken(Box<CreatePageConfirmationToken>),
    /// `POST /v1/disputes/{dispute}`.
    UpdateDispute(Id, Box<UpdateDispute>),
    /// `POST /v1/charges/{id}/dispute`.
    UpdateDisputeOfCharge(Id, Box<UpdateDispute>),
    /// `POST /v1/charges/{id}/dispute/close`.
    CloseDisputeOfCharge(Id),
    /// `POST /v1/disputes/{dispute}/close`.
    CloseDispute(Id),
    /// `POST /v1/reviews/{review}/approve`.
    ApproveReview(Id),
    /// `POST /v1/files`.
    CreateFile(Box<CreateFile>),
    /// `POST /v1/file_links`.
    CreateFileLink(Box<CreateFileLink>),
    /// `POST /v1/file_links/{link}`.
    UpdateFileLink(Id, Box<UpdateFileLink>),
    /// `POST /v1/payment_method_configurations`.
    CreatePaymentMethodConfiguration(Box<CreatePaymentMethodConfiguration>),
    /// `POST /v1/payment_method_configurations/{configuration}`.
    UpdatePaymentMethodConfiguration(Id, Box<UpdatePaymentMethodConfiguration>),
    /// `POST /v1/payment_method_domains`.
    CreatePaymentMethodDomain(Box<CreatePaymentMethodDomain>),
    /// `POST /v1/payment_method_domains/{payment_method_domain}`, and the same with `/validate`.
    UpdatePaymentMethodDomain(Id, UpdatePaymentMethodDomain),
    /// `POST /v1/apple_pay/domains`.
    CreateApplePayDomain(Box<CreateApplePayDomain>),
    /// `DELETE /v1/apple_pay/domains/{domain}`.
    DeleteApplePayDomain(Id),
    /// `POST /v1/webhook_endpoints`, with what the edge found of the address.
    CreateWebhookEndpoint(Box<CreateWebhookEndpoint>, Vetted),
    /// `POST /v1/webhook_endpoints/{webhook_endpoint}`, with what the edge found of the address.
    UpdateWebhookEndpoint(Id, Box<UpdateWebhookEndpoint>, Vetted),
    /// `DELETE /v1/webhook_endpoints/{webhook_endpoint}`.
    DeleteWebhookEndpoint(Id),
    /// `POST /v1/webhook_endpoints/{webhook_endpoint}/roll_secret`.
    RollWebhookSecret(Id, RollWebhookSecret),
    /// `POST /v2/core/event_destinations`, with what the edge found of the address.
    CreateEventDestination(Box<CreateEventDestination>, Vetted),
    /// `POST /v2/core/event_destinations/{id}`, with what the edge found of the address.
    UpdateEventDestination(Id, Box<UpdateEventDestination>, Vetted),
    /// `DELETE /v2/core/event_destinations/{id}`.
    DeleteEventDestination(Id),
    /// `POST /v2/core/event_destinations/{id}/enable` (true) and `/disable`.
    SwitchEventDestination(Id, bool),
    /// Something became of a webhook endpoint; whoever delivers says so.
    ReportWebhookEndpoint(Id, EndpointReport),
    /// Something is asked of whoever delivers events, under a key. It changes nothing of the account: all that is kept is that
    /// the key was used, for what, and by which request.
    AskDeliveries,
    /// A network answered a call of an attempt.
    ResolveAttempt(AttemptId, NetworkAnswer),
    /// A timer that an earlier record of this object set has come due; ignored when stale.
    TimerDue(Id),
}

/// A read of one object or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// The object with that id.
    Object(&'static Kind, Id, &'static str),
    /// An object that belongs to another, by both ids: `parent` holds it in one of its lists.
    Child {
        /// The other's id.
        parent: Id,
        /// The object's kind.
        kind: &'static Kind,
        /// The object's id.
        id: Id,
        /// Name of the object's segment.
        param: &'static str,
    },
    /// The newest dispute of a charge.
    DisputeOf(Id),
    /// `GET /v1/balance`.
    Balance,
    /// `GET /v1/account`.
    Account,
    /// `GET /v1/payment_intents/{intent}/amount_details_line_items`.
    LineItems {
        /// The intent.
        intent: Id,
        /// The page.
        paging: Paging,
    },
    /// `GET /v1/payment_method_configurations`.
    Configurations(ConfigurationList),
    /// `GET /v1/webhook_endpoints`.
    WebhookEndpoints(EndpointList),
    /// A webhook endpoint, whichever version of the API it was made with, that something is asked about of whoever delivers;
    /// the kind is what it is called.
    AnyWebhookEndpoint(&'static Kind, Id, &'static str),
    /// `GET /v2/core/event_destinations/{id}`.
    EventDestination(Id, IncludedParts),
    /// `GET /v2/core/event_destinations`.
    EventDestinations(DestinationList),
    /// An object below another one of the path; a 404 if either does not exist, was deleted, or has nothing to do with the
    /// other.
    Below {
        /// The other: its kind, its id and the name of its segment.
        parent: (&'static Kind, Id, &'static str),
        /// The object's kind.
        kind: &'static Kind,
        /// Its id.
        id: Id,
        /// The name of its segment.
        param: &'static str,
    },
    /// A payment method, if it is the customer's.
    PaymentMethodOf {
        /// The customer.
        customer: Id,
        /// The payment method.
        method: Id,
    },
}
