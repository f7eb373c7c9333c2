//! The objects an account holds, at one version each.

use crate::account::{AccountKey, Profile};
use crate::accounts::AccountShown;
use crate::balance::Balance;
use crate::balance::balance_transaction::{BalanceTransaction, BalanceTransactionShown};
use crate::customers::customer::{Customer, CustomerShown, DeletedCustomerShown};
use crate::customers::customer_balance_transaction::{CustomerBalanceTransaction, CustomerBalanceTransactionShown};
use crate::customers::ephemeral_key::{EphemeralKey, EphemeralKeyShown};
use crate::customers::source::{DeletedCardShown, SourceShown};
use crate::customers::tax_id::{DeletedTaxIdShown, TaxId, TaxIdShown};
use crate::events::{Event, EventDataShown, EventShown, ThinEventShown};
use crate::files::file::{File, FileContents, FileShown};
use crate::files::file_link::{FileLink, FileLinkShown};
use crate::kinds;
use crate::marks::Mark;
use crate::payments::authentication::Action;
use crate::payments::bank_account::{BankAccountShown, DeletedBankAccountShown};
use crate::payments::card::HeldCardShown;
use crate::payments::charge::Charge;
use crate::payments::confirmation_token::{ConfirmationToken, ConfirmationTokenShown};
use crate::payments::dispute::{Dispute, DisputeShown};
use crate::payments::mandate::{Mandate, MandateShown};
use crate::payments::payment_domain::{
    ApplePayDomainShown, DeletedApplePayDomainShown, PaymentMethodDomainShown, RegisteredDomain,
};
use crate::payments::payment_intent::{LineItemPage, LineItemsShown, PaymentIntent};
use crate::payments::payment_method::{PaymentMethod, PaymentMethodShown};
use crate::payments::payment_method_configuration::{
    ConfigurationPage, ConfigurationsShown, PaymentMethodConfiguration, PaymentMethodConfigurationShown,
};
use crate::payments::redirect_method::EmptyShown;
use crate::payments::refund::{REFERENCE_AFTER_MS, Refund, RefundShown};
use crate::payments::setup_attempt::{SetupAttempt, SetupAttemptShown};
use crate::payments::setup_intent::{SetupIntent, SetupIntentShown};
use crate::payments::token::{Token, TokenShown};
use crate::radar::early_fraud_warning::{EarlyFraudWarning, EarlyFraudWarningShown};
use crate::radar::review::{Review, ReviewShown};
use crate::secrets::Secrets;
use crate::webhooks::deliveries::Delivered;
use crate::webhooks::event_destination::{
    DeletedEventDestinationShown, DestinationPage, EventDestinationShown, EventDestinationsShown,
};
use crate::webhooks::webhook_endpoint::{
    DeletedWebhookEndpointShown, EndpointPage, WebhookEndpoint, WebhookEndpointShown, WebhookEndpointsShown,
};
use std::sync::Arc;
use tollgate_resource::{Id, Kind, Record, Shown};

/// One object at one version. Cheap to clone; immutable.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum Object {
    /// A payment intent.
    #[record(1)]
    PaymentIntent(Arc<PaymentIntent>),
    /// A charge.
    #[record(2)]
    Charge(Arc<Charge>),
    /// A refund.
    #[record(3)]
    Refund(Arc<Refund>),
    /// A customer.
    #[record(4)]
    Customer(Arc<Customer>),
    /// A balance transaction.
    #[record(5)]
    BalanceTransaction(Arc<BalanceTransaction>),
    /// A payment method.
    #[record(6)]
    PaymentMethod(Arc<PaymentMethod>),
    /// A setup intent.
    #[record(11)]
    SetupIntent(Arc<SetupIntent>),
    /// A setup attempt.
    #[record(12)]
    SetupAttempt(Arc<SetupAttempt>),
    /// A mandate.
    #[record(13)]
    Mandate(Arc<Mandate>),
    /// A token.
    #[record(14)]
    Token(Arc<Token>),
    /// A source: what pays is kept as a payment method is.
    #[record(15)]
    Source(Arc<PaymentMethod>),
    /// A card or bank account of a customer, as the older API saves it: kept as a payment method is.
    #[record(16)]
    Card(Arc<PaymentMethod>),
    /// A confirmation token.
    #[record(17)]
    ConfirmationToken(Arc<ConfirmationToken>),
    /// A dispute.
    #[record(18)]
    Dispute(Arc<Dispute>),
    /// A tax id.
    #[record(21)]
    TaxId(Arc<TaxId>),
    /// A movement of a customer's balance.
    #[record(22)]
    CustomerBalanceTransaction(Arc<CustomerBalanceTransaction>),
    /// An ephemeral key.
    #[record(23)]
    EphemeralKey(Arc<EphemeralKey>),
    /// A file.
    #[record(19)]
    File(Arc<File>),
    /// A file link.
    #[record(20)]
    FileLink(Arc<FileLink>),
    /// A review.
    #[record(24)]
    Review(Arc<Review>),
    /// A configuration of payment methods.
    #[record(10)]
    PaymentMethodConfiguration(Arc<PaymentMethodConfiguration>),
    /// An early fraud warning.
    #[record(25)]
    EarlyFraudWarning(Arc<EarlyFraudWarning>),
    /// A registered domain.
    #[record(27)]
    PaymentMethodDomain(Arc<RegisteredDomain>),
    /// A domain of Apple Pay.
    #[record(28)]
    ApplePayDomain(Arc<RegisteredDomain>),
    /// A webhook endpoint.
    #[record(29)]
    WebhookEndpoint(Arc<WebhookEndpoint>),
}

/// Anything an answer can show.
#[derive(Clone, Debug)]
pub enum Item {
    /// An object.
    Object(Object),
    /// An event with the object it is about.
    Event(Box<Event>),
    /// The balance of an account.
    Balance(Arc<Balance>),
    /// The account itself.
    Account(Arc<Profile>),
    /// A page of its configurations of payment methods.
    Configurations(Arc<ConfigurationPage>),
    /// A page of what a payment intent pays for.
    LineItems(Arc<LineItemPage>),
    /// Something that whoever delivers events knows.
    Delivered(Box<Delivered>),
    /// Nothing: whoever delivers events has yet to answer.
    Handed,
    /// A page of its webhook endpoints.
    WebhookEndpoints(Arc<EndpointPage>),
    /// A page of its event destinations.
    EventDestinations(Arc<DestinationPage>),
    /// An event as the second version of the API shows it.
    ThinEvent(Box<Event>),
}

/// What showing an object depends on besides the object.
#[derive(Clone, Copy, Debug)]
pub struct ShowContext<'a> {
    /// Keys for client secrets.
    pub secrets: &'a Secrets,
    /// The clock of the answer, milliseconds; decides pending or available.
    pub clock_ms: u64,
    /// Whether the account is in live mode.
    pub livemode: bool,
    /// The account, which addresses that need no key name.
    pub account: AccountKey,
    /// The shape revision of the answer: what later releases added is not in replays.
    pub revision: u16,
    /// Public name of the API version the answer is written in, e.g. `2026-10-28.endive`.
    pub version_name: &'a str,
    /// Where clients reach this server, without a slash at the end, for the addresses that answers show.
    pub public_url: &'a str,
}

impl Object {
    /// What is paid with, as the kind of object that its id names.
    pub fn of_method(method: impl Into<Arc<PaymentMethod>>) -> Object {
        let method = method.into();
        match kinds::of_method(method.id) {
            kind if *kind == kinds::CARD => Object::Card(method),
            kind if *kind == kinds::SOURCE => Object::Source(method),
            _ => Object::PaymentMethod(method),
        }
    }

    /// A card or source as a payment method, which shows it in newer words under the same id; others stay what they are.
    pub fn into_payment_method(self) -> Object {
        match self {
            Object::Card(method) | Object::Source(method) => Object::PaymentMethod(method),
            other => other,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> &'static Kind {
        match self {
            Object::PaymentIntent(_) => &kinds::PAYMENT_INTENT,
            Object::Charge(_) => &kinds::CHARGE,
            Object::Refund(_) => &kinds::REFUND,
            Object::Customer(_) => &kinds::CUSTOMER,
            Object::BalanceTransaction(_) => &kinds::BALANCE_TRANSACTION,
            Object::PaymentMethod(_) => &kinds::PAYMENT_METHOD,
            Object::Source(_) => &kinds::SOURCE,
            Object::Card(_) => &kinds::CARD,
            Object::SetupIntent(_) => &kinds::SETUP_INTENT,
            Object::SetupAttempt(_) => &kinds::SETUP_ATTEMPT,
            Object::Mandate(_) => &kinds::MANDATE,
            Object::Token(_) => &kinds::TOKEN,
            Object::ConfirmationToken(_) => &kinds::CONFIRMATION_TOKEN,
            Object::Dispute(_) => &kinds::DISPUTE,
            Object::EphemeralKey(_) => &kinds::EPHEMERAL_KEY,
            Object::File(_) => &kinds::FILE,
            Object::FileLink(_) => &kinds::FILE_LINK,
            Object::Review(_) => &kinds::REVIEW,
            Object::EarlyFraudWarning(_) => &kinds::EARLY_FRAUD_WARNING,
            Object::PaymentMethodConfiguration(_) => &kinds::PAYMENT_METHOD_CONFIGURATION,
            Object::PaymentMethodDomain(_) => &kinds::PAYMENT_METHOD_DOMAIN,
            Object::ApplePayDomain(_) => &kinds::APPLE_PAY_DOMAIN,
            Object::TaxId(_) => &kinds::TAX_ID,
            Object::CustomerBalanceTransaction(_) => &kinds::CUSTOMER_BALANCE_TRANSACTION,
            Object::WebhookEndpoint(_) => &kinds::WEBHOOK_ENDPOINT,
        }
    }

    /// Its id.
    pub fn id(&self) -> Id {
        match self {
            Object::PaymentIntent(intent) => intent.id,
            Object::Charge(charge) => charge.id,
            Object::Refund(refund) => refund.id,
            Object::Customer(customer) => customer.id,
            Object::BalanceTransaction(transaction) => transaction.id,
            Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method) => method.id,
            Object::SetupIntent(intent) => intent.id,
            Object::SetupAttempt(attempt) => attempt.id,
            Object::Mandate(mandate) => mandate.id,
            Object::TaxId(tax_id) => tax_id.id,
            Object::CustomerBalanceTransaction(transaction) => transaction.id,
            Object::Token(token) => token.id,
            Object::ConfirmationToken(token) => token.id,
            Object::Dispute(dispute) => dispute.id,
            Object::EphemeralKey(key) => key.id,
            Object::File(file) => file.id,
            Object::FileLink(link) => link.id,
            Object::Review(review) => review.id,
            Object::EarlyFraudWarning(warning) => warning.id,
            Object::PaymentMethodConfiguration(configuration) => configuration.id,
            Object::PaymentMethodDomain(domain) | Object::ApplePayDomain(domain) => domain.id,
            Object::WebhookEndpoint(endpoint) => endpoint.id,
        }
    }

    /// Whether it was deleted.
    pub fn is_deleted(&self) -> bool {
        match self {
            Object::Customer(customer) => customer.deleted,
            Object::TaxId(tax_id) => tax_id.deleted,
            Object::ApplePayDomain(domain) => domain.deleted,
            Object::WebhookEndpoint(endpoint) => endpoint.is_deleted(),
            // A card of a customer is never used up but by being deleted.
            Object::Card(card) => card.used_up,
            _ => false,
        }
    }

    /// Calls `parent` with every object whose list of this kind holds it (filters of the list operations).
    pub fn parents(&self, parent: &mut dyn FnMut(Id)) {
        match self {
            Object::PaymentIntent(intent) => intent.customer.into_iter().for_each(parent),
            Object::Charge(charge) => {
                charge.payment_intent.into_iter().for_each(&mut *parent);
                charge.customer.into_iter().for_each(parent);
            }
            Object::Refund(refund) => {
                parent(refund.charge);
                refund.payment_intent.into_iter().for_each(parent);
            }
            Object::BalanceTransaction(transaction) => parent(transaction.source),
            Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method) => {
                method.customer.into_iter().for_each(parent)
            }
            Object::Dispute(dispute) => {
                parent(dispute.charge);
                dispute.payment_intent.into_iter().for_each(parent);
            }
            Object::SetupIntent(intent) => intent.customer.into_iter().for_each(parent),
            Object::SetupAttempt(attempt) => parent(attempt.setup_intent),
            Object::EphemeralKey(key) => parent(key.customer),
            Object::Customer(_) | Object::Token(_) | Object::Mandate(_) => {}
            Object::EarlyFraudWarning(warning) => {
                parent(warning.charge);
                warning.payment_intent.into_iter().for_each(parent);
            }
            Object::FileLink(link) => parent(link.file),
            Object::Review(_) | Object::ConfirmationToken(_) | Object::File(_) => {}
            Object::PaymentMethodConfiguration(_) | Object::PaymentMethodDomain(_) | Object::ApplePayDomain(_) => {}
            Object::WebhookEndpoint(_) => {}
            Object::TaxId(tax_id) => tax_id.customer.into_iter().for_each(parent),
            Object::CustomerBalanceTransaction(transaction) => parent(transaction.customer),
        }
    }

    /// Calls `mark` with every value, besides its parents, by which the index finds it.
    pub fn marks<'a>(&'a self, mark: &mut dyn FnMut(Mark<'a>)) {
        match self {
            Object::Customer(customer) => customer.email.iter().for_each(|email| mark(Mark::Email(email))),
            Object::Charge(charge) => {
                if let Some(group) = &charge.transfer_group {
                    mark(Mark::TransferGroup(group));
                }
            }
            Object::SetupIntent(intent) => {
                intent.payment_method.into_iter().for_each(|id| mark(Mark::SetUp(id)));
                let said = intent.extras.as_deref().and_then(|extras| extras.attach_to_self);
                said.into_iter().for_each(|said| mark(Mark::AttachToSelf(said)));
            }
            Object::File(file) => mark(Mark::Purpose(file.purpose)),
            Object::FileLink(link) if link.expires_s.is_some() => mark(Mark::Ends),
            Object::TaxId(tax_id) if tax_id.customer.is_none() => mark(Mark::OwnTaxId),
            _ => {}
        }
    }

    /// Whether this version comes onto a list that the ones before were not on, and no event tells of it.
    pub fn joins_lists(&self) -> bool {
        matches!(self, Object::SetupIntent(intent) if intent.joined)
    }

    /// The bytes it stands for, for kinds that stand for bytes.
    pub fn contents(&self) -> Option<&FileContents> {
        match self {
            Object::File(file) => Some(&file.contents),
            _ => None,
        }
    }

    /// What the payer must do before it goes on, for kinds that wait for payers.
    pub fn action(&self) -> Option<&Action> {
        match self {
            Object::PaymentIntent(intent) => intent.action(),
            Object::SetupIntent(intent) => intent.open_action(),
            _ => None,
        }
    }

    /// Whether what was tried with it last came to nothing, for kinds that try things.
    pub fn last_try_failed(&self) -> bool {
        match self {
            Object::PaymentIntent(intent) => intent.last_error.is_some(),
            Object::SetupIntent(intent) => intent.last_error.is_some(),
            _ => false,
        }
    }

    /// The object as it was when it was made, given that it has changed at most within the command that made it. This is
    /// how a `*.created` event shows an object that the same command brought further.
    pub fn as_created(&self) -> Object {
        match self {
            Object::PaymentIntent(intent) => Object::PaymentIntent(Arc::new(intent.as_created())),
            Object::Refund(refund) => Object::Refund(Arc::new(refund.as_created())),
            Object::SetupIntent(intent) => Object::SetupIntent(Arc::new(intent.as_created())),
            other => other.clone(),
        }
    }

    /// The object as it was before the command that deleted it. This is how a `*.deleted` event shows it.
    pub fn as_undeleted(&self) -> Object {
        match self {
            Object::Customer(customer) => Object::Customer(Arc::new(customer.as_undeleted())),
            Object::TaxId(tax_id) => Object::TaxId(Arc::new(tax_id.as_undeleted())),
            Object::Card(card) => Object::Card(Arc::new(PaymentMethod {
                used_up: false,
                ..PaymentMethod::clone(card)
            })),
            other => other.clone(),
        }
    }

    /// Builds what is shown and passes it on (the shown struct borrows from the stored one).
    pub fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        match self {
            Object::PaymentIntent(intent) => intent.with_shown(context, with),
            Object::Charge(charge) => charge.with_shown(context, with),
            Object::Refund(refund) => with(&RefundShown::of(refund, context)),
            Object::Customer(customer) if customer.deleted => with(&DeletedCustomerShown::of(customer)),
            Object::Customer(customer) => with(&CustomerShown::of(customer, context)),
            Object::BalanceTransaction(transaction) => with(&BalanceTransactionShown::of(transaction, context)),
            Object::PaymentMethod(method) => with(&PaymentMethodShown::of(method, context)),
            Object::Source(source) => with(&SourceShown::of(source, context)),
            Object::Card(card) => match card.instrument.bank() {
                None if card.used_up => with(&DeletedCardShown::of(card.id)),
                None => with(&HeldCardShown::of_saved(card, context)),
                Some(_) if card.used_up => with(&DeletedBankAccountShown::of(card.id)),
                Some(bank) => with(&BankAccountShown::of_saved(bank, card, context)),
            },
            Object::SetupIntent(intent) => with(&SetupIntentShown::of(intent, context)),
            Object::SetupAttempt(attempt) => with(&SetupAttemptShown::of(attempt, context)),
            Object::Mandate(mandate) => with(&MandateShown::of(mandate, context)),
            Object::EphemeralKey(key) => with(&EphemeralKeyShown::of(key, context)),
            Object::Token(token) => with(&TokenShown::of(token, context)),
            Object::ConfirmationToken(token) => with(&ConfirmationTokenShown::of(token, context)),
            Object::Dispute(dispute) => DisputeShown::with(dispute, context, with),
            Object::File(file) => with(&FileShown::of(file, context)),
            Object::FileLink(link) => with(&FileLinkShown::of(link, context)),
            Object::Review(review) => with(&ReviewShown::of(review, context)),
            Object::EarlyFraudWarning(warning) => with(&EarlyFraudWarningShown::of(warning, context)),
            Object::PaymentMethodConfiguration(configuration) => {
                with(&PaymentMethodConfigurationShown::of(configuration, context))
            }
            Object::PaymentMethodDomain(domain) => with(&PaymentMethodDomainShown::of(domain, context)),
            Object::ApplePayDomain(domain) if domain.deleted => with(&DeletedApplePayDomainShown::of(domain)),
            Object::ApplePayDomain(domain) => with(&ApplePayDomainShown::of(domain, context)),
            Object::WebhookEndpoint(endpoint) if endpoint.asked.is_some() && endpoint.is_deleted() => {
                with(&DeletedEventDestinationShown::of(endpoint))
            }
            Object::WebhookEndpoint(endpoint) if endpoint.is_deleted() => {
                with(&DeletedWebhookEndpointShown::of(endpoint))
            }
            Object::WebhookEndpoint(endpoint) => match endpoint.asked {
                Some(included) => with(&EventDestinationShown::of(endpoint, included, context)),
                None => with(&WebhookEndpointShown::of(endpoint, context)),
            },
            Object::TaxId(tax_id) if tax_id.deleted => with(&DeletedTaxIdShown::of(tax_id)),
            Object::TaxId(tax_id) => with(&TaxIdShown::of(tax_id, context)),
            Object::CustomerBalanceTransaction(transaction) => {
                with(&CustomerBalanceTransactionShown::of(transaction, context))
            }
        }
    }
}

impl Item {
    /// Builds what is shown and passes it on (the shown struct borrows from the stored one).
    pub fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        match self {
            Item::Object(object) => object.with_shown(context, with),
            Item::Balance(balance) => balance.with_shown(context, with),
            Item::Account(profile) => with(&AccountShown::of(profile)),
            Item::Configurations(page) => with(&ConfigurationsShown::of(page, context)),
            Item::WebhookEndpoints(page) => with(&WebhookEndpointsShown::of(page, context)),
            Item::EventDestinations(page) => with(&EventDestinationsShown::of(page, context)),
            Item::ThinEvent(event) => with(&ThinEventShown::of(event, context)),
            Item::LineItems(page) => with(&LineItemsShown::of(page)),
            Item::Delivered(delivered) => delivered.with_shown(context, with),
            Item::Handed => with(&EmptyShown {}),
            Item::Event(event) => {
                // Objects stand as they stood then; what networks tell a moment later is what such an event is about.
                let then = ShowContext {
                    clock_ms: event.id.unix_ms() + REFERENCE_AFTER_MS,
                    ..*context
                };
                event.object.with_shown(&then, |object| match &event.previous {
                    None => with(&EventShown::of(
                        event,
                        EventDataShown { object, previous: None },
                        context,
                    )),
                    Some(previous) => previous.with_shown(&then, |previous| {
                        with(&EventShown::of(
                            event,
                            EventDataShown {
                                object,
                                previous: Some(previous),
                            },
                            context,
                        ))
                    }),
                })
            }
        }
    }
}
