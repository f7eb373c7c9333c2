//! What a payment intent shows.

use super::{
    AffirmOptionsShown, AfterpayOptionsShown, AllowRedirects, AmountDetailsShown, BancontactOptionsShown,
    CancellationReason, CaptureMethod, CardOptionsShown, ConfirmationMethod, DebitOptionsShown, FutureUsage,
    KlarnaOptionsShown, LastError, PaymentDetailsShown, PaymentIntent, PaypalOptionsShown, RedirectOptionsShown,
    Status, StatusName, VerifiedOptionsShown,
};
use crate::address::ShippingShown;
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::authentication::NextActionShown;
use crate::payments::bank_account::BankScheme;
use crate::payments::payment_method::{Decline, PaymentMethodShown, PaymentMethodType};
use crate::payments::payment_method_configuration::PaymentMethodConfiguration;
use crate::reject::{ErrorType, codes, doc_url};
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Metadata, Names, Ref, Shown, SubList};

/// A payment from intention to success, whatever attempts that takes.
#[derive(Shown)]
#[shown(object = "payment_intent")]
pub struct PaymentIntentShown<'a> {
    /// Unique identifier of the intent.
    pub id: Ident,
    /// The only types of payment method that may be used, where that was restricted.
    pub allowed_payment_method_types: Option<Vec<&'a str>>,
    /// What is to be paid, in the currency's minor units.
    pub amount: i64,
    /// What is held and can be captured, in minor units.
    pub amount_capturable: i64,
    /// What the amount is made of.
    pub amount_details: AmountDetailsShown<'a>,
    /// What was captured, in minor units.
    pub amount_received: i64,
    /// The Connect application that made it.
    #[shown(expand)]
    pub application: Option<Ref>,
    /// What the platform takes, in minor units.
    pub application_fee_amount: Option<i64>,
    /// Whether the account's configuration says how it can be paid; null if the request listed the types.
    pub automatic_payment_methods: Option<AutomaticPaymentMethodsShown>,
    /// When it was given up, in seconds since the Unix epoch.
    pub canceled_at: Option<Seconds>,
    /// Why it was given up.
    pub cancellation_reason: Option<CancellationReason>,
    /// When the money is captured.
    pub capture_method: CaptureMethod,
    /// Its charges, newest first.
    #[shown(until = 20221115, included_until = 20221115)]
    pub charges: SubList<'a>,
    /// Lets a page in the payer's browser finish this payment. Treat it as a secret.
    pub client_secret: Option<String>,
    /// Who goes on after an action of the payer.
    pub confirmation_method: ConfirmationMethod,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Three-letter code of the currency.
    pub currency: Currency,
    /// Who pays.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that pays.
    pub customer_account: Option<&'a str>,
    /// Free text for the merchant.
    pub description: Option<&'a str>,
    /// Types of payment method that may not be used.
    pub excluded_payment_method_types: Option<Vec<&'a str>>,
    /// The invoice it pays.
    #[shown(expand, until = 20250331)]
    pub invoice: Option<Ref>,
    /// Why the last attempt failed; null when none did, or one succeeded since.
    pub last_payment_error: Option<LastPaymentErrorShown<'a>>,
    /// The newest charge.
    #[shown(expand)]
    pub latest_charge: Option<Ref>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// Whether the processor is the seller.
    pub managed_payments: ManagedPaymentsShown,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// What the payer must do before it can go on.
    pub next_action: Option<NextActionShown<'a>>,
    /// The connected account on whose behalf it is made.
    #[shown(expand)]
    pub on_behalf_of: Option<Ref>,
    /// The merchant's references for its customer and for the order.
    #[shown(omit, revision = 2)]
    pub payment_details: Option<PaymentDetailsShown<'a>>,
    /// What the payer pays with.
    #[shown(expand)]
    pub payment_method: Option<Ref>,
    /// The configuration that says how it can be paid.
    pub payment_method_configuration_details: Option<ConfigurationShown>,
    /// Settings by type of payment method.
    pub payment_method_options: PaymentMethodOptionsShown<'a>,
    /// The types of payment method it can be paid with.
    pub payment_method_types: Vec<&'static str>,
    /// The record of the payment it belongs to.
    pub payment_record: Option<&'a str>,
    /// What is known while it is processing.
    pub processing: Option<&'a str>,
    /// Where the receipt goes.
    pub receipt_email: Option<&'a str>,
    /// Its review by a person.
    #[shown(expand)]
    pub review: Option<Ref>,
    /// Whether the payment method is saved to the customer.
    pub setup_future_usage: Option<FutureUsage>,
    /// A granted token it was paid with.
    pub shared_payment_granted_token: Option<&'a str>,
    /// Where goods are sent.
    pub shipping: Option<ShippingShown<'a>>,
    /// The source of older integrations.
    pub source: Option<&'a str>,
    /// What the cardholder reads, in place of the account's own.
    pub statement_descriptor: Option<&'a str>,
    /// What the cardholder reads behind the account's prefix.
    pub statement_descriptor_suffix: Option<&'a str>,
    /// Where it stands.
    pub status: StatusName,
    /// The connected account the money goes to.
    pub transfer_data: Option<&'a str>,
    /// Groups payments and transfers.
    pub transfer_group: Option<&'a str>,
}

/// How the account's configuration is used.
#[derive(Shown)]
pub struct AutomaticPaymentMethodsShown {
    /// Whether ways to pay that lead to other pages are welcome.
    pub allow_redirects: AllowRedirects,
    /// Whether the configuration is used.
    pub enabled: bool,
}

/// Whether the processor is the seller.
#[derive(Shown)]
pub struct ManagedPaymentsShown {
    /// Whether it is.
    pub enabled: bool,
}

/// The configuration that says how an intent can be paid.
#[derive(Shown)]
pub struct ConfigurationShown {
    /// Unique identifier of the configuration.
    pub id: Ident,
    /// The configuration it was made from.
    pub parent: Option<&'static str>,
}

/// Settings by type of payment method.
#[derive(Shown)]
pub struct PaymentMethodOptionsShown<'a> {
    /// Settings of debits in Canada.
    #[shown(omit)]
    pub acss_debit: Option<VerifiedOptionsShown<'a>>,
    /// Settings of Affirm.
    #[shown(omit, revision = 4)]
    pub affirm: Option<AffirmOptionsShown<'a>>,
    /// Settings of Afterpay.
    #[shown(omit, revision = 4)]
    pub afterpay_clearpay: Option<AfterpayOptionsShown<'a>>,
    /// Settings of Alipay.
    #[shown(omit, revision = 4)]
    pub alipay: Option<RedirectOptionsShown>,
    /// Settings of Amazon Pay.
    #[shown(omit, revision = 4)]
    pub amazon_pay: Option<RedirectOptionsShown>,
    /// Settings of debits in Australia.
    #[shown(omit)]
    pub au_becs_debit: Option<DebitOptionsShown<'a>>,
    /// Settings of debits in the United Kingdom.
    #[shown(omit)]
    pub bacs_debit: Option<DebitOptionsShown<'a>>,
    /// Settings of Bancontact.
    #[shown(omit, revision = 4)]
    pub bancontact: Option<BancontactOptionsShown<'a>>,
    /// Settings of cards.
    #[shown(omit)]
    pub card: Option<CardOptionsShown<'a>>,
    /// Settings of EPS.
    #[shown(omit, revision = 4)]
    pub eps: Option<RedirectOptionsShown>,
    /// Settings of iDEAL.
    #[shown(omit, revision = 4)]
    pub ideal: Option<RedirectOptionsShown>,
    /// Settings of Klarna.
    #[shown(omit, revision = 4)]
    pub klarna: Option<KlarnaOptionsShown<'a>>,
    /// Settings of Link.
    #[shown(omit, revision = 4)]
    pub link: Option<RedirectOptionsShown>,
    /// Settings of Przelewy24.
    #[shown(omit, revision = 4)]
    pub p24: Option<RedirectOptionsShown>,
    /// Settings of PayPal.
    #[shown(omit, revision = 4)]
    pub paypal: Option<PaypalOptionsShown<'a>>,
    /// Settings of Revolut Pay.
    #[shown(omit, revision = 4)]
    pub revolut_pay: Option<RedirectOptionsShown>,
    /// Settings of debits in the single euro payments area.
    #[shown(omit)]
    pub sepa_debit: Option<DebitOptionsShown<'a>>,
    /// Settings of debits in the United States.
    #[shown(omit)]
    pub us_bank_account: Option<VerifiedOptionsShown<'a>>,
}

/// Why the last attempt to pay failed.
#[derive(Shown)]
pub struct LastPaymentErrorShown<'a> {
    /// What the merchant may do next.
    #[shown(omit)]
    pub advice_code: Option<&'a str>,
    /// The failed charge; left out if the bank was not asked.
    #[shown(omit)]
    pub charge: Option<Ident>,
    /// Stable code of the error.
    pub code: &'a str,
    /// The bank's reason; left out when it is not the bank's.
    #[shown(omit)]
    pub decline_code: Option<&'a str>,
    /// Where the code is explained.
    pub doc_url: String,
    /// What the payer can be told.
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

impl PaymentIntent {
    /// Builds what is shown and passes it on.
    pub fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        with(&PaymentIntentShown::of(self, context))
    }
}

impl<'a> PaymentIntentShown<'a> {
    /// What `intent` shows.
    pub fn of(intent: &'a PaymentIntent, context: &ShowContext<'a>) -> Self {
        let (canceled_at, cancellation_reason) = match intent.status {
            Status::Canceled { at_ms, reason, .. } => (Some(Seconds(crate::time::seconds_of(at_ms))), reason),
            _ => (None, None),
        };
        let automatic = intent.automatic_payment_methods;
        let particulars = intent.particulars.as_deref();
        let (types, bank) = (intent.types(), intent.bank_options());
        let id = Ident {
            kind: &kinds::PAYMENT_INTENT,
            id: intent.id,
        };
        PaymentIntentShown {
            id,
            allowed_payment_method_types: particulars
                .map(|all| &all.allowed_types)
                .filter(|types| !types.is_empty())
                .map(|types| types.iter().map(|word| &**word).collect()),
            amount: intent.amount,
            amount_capturable: intent.amount_capturable(),
            amount_details: AmountDetailsShown::of(intent.id, intent.amount_details()),
            amount_received: intent.amount_received(),
            application: None,
            application_fee_amount: None,
            automatic_payment_methods: automatic.map(|allow_redirects| AutomaticPaymentMethodsShown {
                allow_redirects,
                enabled: true,
            }),
            canceled_at,
            cancellation_reason,
            capture_method: intent.capture_method,
            charges: SubList {
                kind: &kinds::CHARGE,
                also: &[],
                ids: &intent.charges,
                has_more: intent.charge_count as usize > intent.charges.len(),
                total: u64::from(intent.charge_count),
                url: "/v1/charges?payment_intent=",
                of: Some(id),
            },
            client_secret: Some(context.secrets.client_secret(&kinds::PAYMENT_INTENT, intent.id)),
            confirmation_method: intent.confirmation_method,
            created: Seconds(intent.id.created()),
            currency: intent.currency,
            customer: intent.customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            customer_account: None,
            description: intent.description.as_deref(),
            excluded_payment_method_types: particulars
                .map(|all| &all.excluded_types)
                .filter(|types| !types.is_empty())
                .map(|types| types.iter().map(|word| &**word).collect()),
            invoice: None,
            last_payment_error: intent
                .last_error
                .as_deref()
                .map(|error| LastPaymentErrorShown::of(error, context)),
            latest_charge: intent.latest_charge().map(|id| Ref {
                kind: &kinds::CHARGE,
                id,
            }),
            livemode: context.livemode,
            managed_payments: ManagedPaymentsShown { enabled: false },
            metadata: &intent.metadata,
            next_action: intent
                .action()
                .map(|action| NextActionShown::of(action, &kinds::PAYMENT_INTENT, intent.id, context)),
            on_behalf_of: None,
            payment_details: particulars
                .and_then(|all| all.payment_details.as_ref())
                .map(PaymentDetailsShown::from),
            payment_method: intent.payment_method.map(|id| Ref {
                kind: &kinds::PAYMENT_METHOD,
                id,
            }),
            payment_method_configuration_details: automatic
                .map(|_| ConfigurationShown::of(intent.id, intent.configuration())),
            payment_method_options: PaymentMethodOptionsShown {
                acss_debit: VerifiedOptionsShown::of(types, BankScheme::AcssDebit, bank),
                affirm: intent.shown_affirm(),
                afterpay_clearpay: intent.shown_afterpay(),
                alipay: intent.shown_redirect(PaymentMethodType::Alipay),
                amazon_pay: intent.shown_redirect(PaymentMethodType::AmazonPay),
                au_becs_debit: DebitOptionsShown::of(types, BankScheme::AuBecsDebit, bank),
                bacs_debit: DebitOptionsShown::of(types, BankScheme::BacsDebit, bank),
                bancontact: intent.shown_bancontact(),
                card: types
                    .contains(&PaymentMethodType::Card)
                    .then(|| CardOptionsShown::of(intent.card_options())),
                eps: intent.shown_redirect(PaymentMethodType::Eps),
                ideal: intent.shown_redirect(PaymentMethodType::Ideal),
                klarna: intent.shown_klarna(),
                link: intent.shown_redirect(PaymentMethodType::Link),
                p24: intent.shown_redirect(PaymentMethodType::P24),
                paypal: intent.shown_paypal(),
                revolut_pay: intent.shown_redirect(PaymentMethodType::RevolutPay),
                sepa_debit: DebitOptionsShown::of(types, BankScheme::SepaDebit, bank),
                us_bank_account: VerifiedOptionsShown::of(types, BankScheme::UsBankAccount, bank),
            },
            payment_method_types: intent.accepted_names(),
            payment_record: None,
            processing: None,
            receipt_email: intent.receipt_email.as_deref(),
            review: particulars.and_then(|all| all.review).map(|id| Ref {
                kind: &kinds::REVIEW,
                id,
            }),
            setup_future_usage: intent.setup_future_usage,
            shared_payment_granted_token: None,
            shipping: intent.shipping.as_deref().map(ShippingShown::from),
            source: None,
            statement_descriptor: intent.statement_descriptor.as_deref(),
            statement_descriptor_suffix: intent.statement_descriptor_suffix.as_deref(),
            status: intent.status.name(),
            transfer_data: None,
            transfer_group: intent.transfer_group.as_deref(),
        }
    }
}

impl ConfigurationShown {
    /// The configuration of the intent with that id: the one it names, or the account's default one.
    pub(crate) fn of(intent: Id, named: Option<Id>) -> ConfigurationShown {
        ConfigurationShown {
            id: Ident {
                kind: &kinds::PAYMENT_METHOD_CONFIGURATION,
                id: named.unwrap_or_else(|| PaymentMethodConfiguration::default_id(intent.account_tag())),
            },
            parent: None,
        }
    }
}

impl<'a> LastPaymentErrorShown<'a> {
    fn of(error: &'a LastError, context: &ShowContext<'a>) -> Self {
        let decline = error
            .decline
            .map(|number| Decline::by_number(number).expect("numbers of declines are never withdrawn"));
        let code = decline.map_or(codes::PAYMENT_INTENT_AUTHENTICATION_FAILURE, |decline| decline.code);
        LastPaymentErrorShown {
            advice_code: decline.and_then(|decline| decline.advice_code),
            charge: error.charge.map(|id| Ident {
                kind: &kinds::CHARGE,
                id,
            }),
            code,
            decline_code: decline.and_then(|decline| decline.decline_code),
            doc_url: doc_url(code),
            message: decline.map_or(AUTHENTICATION_FAILURE, |decline| decline.message),
            network_advice_code: decline.and_then(|decline| decline.network_advice_code),
            network_decline_code: decline.and_then(|decline| decline.network_decline_code),
            param: decline.and_then(|decline| decline.param),
            payment_method: PaymentMethodShown::of(&error.payment_method, context),
            payment_method_type: error.payment_method.instrument.kind().name(),
            kind: if decline.is_some() {
                ErrorType::CardError
            } else {
                ErrorType::InvalidRequestError
            },
        }
    }
}

/// What is said when the payer failed to prove who they are.
const AUTHENTICATION_FAILURE: &str = "The provided PaymentMethod has failed authentication. You can provide \
    payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.";
