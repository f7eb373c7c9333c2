//! What a confirmation token shows.

use super::{Choice, ConfirmationToken};
use crate::address::AddressShown;
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::bank_account::{
    AcssDebitShown, AuBecsDebitShown, BacsDebitShown, BankShown, SepaDebitShown, UsBankAccountShown,
};
use crate::payments::card::HeldMethod;
use crate::payments::mandate::{Acceptance, AcceptanceType};
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_method::{
    AllowRedisplay, BillingDetailsShown, CardShown, Details, PaymentMethodType, no_billing_details,
};
use crate::payments::redirect_method::{
    EmptyShown, EpsShown, IdealShown, KlarnaShown, LinkShown, P24Shown, PaypalShown, RedirectsShown,
};
use crate::time::seconds_of;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Ref, Shown};

/// What a payer chose, in exchange for an id.
#[derive(Shown)]
#[shown(object = "confirmation_token")]
pub struct ConfirmationTokenShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// When it cannot be used any more, in seconds since the Unix epoch.
    pub expires_at: Option<Seconds>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// Consent to payments to come.
    pub mandate_data: Option<TokenMandateShown<'a>>,
    /// The payment intent it confirmed.
    pub payment_intent: Option<Ident>,
    /// Settings by type of payment method.
    pub payment_method_options: Option<&'a str>,
    /// What the payment method will be.
    pub payment_method_preview: PaymentMethodPreviewShown<'a>,
    /// Where the payer returns to after an action.
    pub return_url: Option<&'a str>,
    /// Whether the payment method is to be saved.
    pub setup_future_usage: Option<FutureUsage>,
    /// The setup intent it confirmed.
    pub setup_intent: Option<Ident>,
    /// Where goods are sent.
    pub shipping: Option<TokenShippingShown<'a>>,
    /// Whether actions of the payer are handled by an SDK in the browser.
    pub use_stripe_sdk: bool,
}

/// Consent to payments to come.
#[derive(Shown)]
pub struct TokenMandateShown<'a> {
    /// How the customer agreed.
    pub customer_acceptance: TokenAcceptanceShown<'a>,
}

/// How a customer agreed.
#[derive(Shown)]
pub struct TokenAcceptanceShown<'a> {
    /// What is known of an agreement online.
    pub online: Option<TokenOnlineShown<'a>>,
    /// Whether it was online or offline.
    #[shown(name = "type")]
    pub kind: AcceptanceType,
}

/// What is known of an agreement online.
#[derive(Shown)]
pub struct TokenOnlineShown<'a> {
    /// The customer's address in the network.
    pub ip_address: Option<&'a str>,
    /// The customer's browser.
    pub user_agent: Option<&'a str>,
}

/// What a payment method will be.
#[derive(Shown)]
pub struct PaymentMethodPreviewShown<'a> {
    /// A bank account in Canada.
    #[shown(omit)]
    pub acss_debit: Option<Box<AcssDebitShown<'a>>>,
    /// Whether it may be shown again in a checkout.
    pub allow_redisplay: AllowRedisplay,
    /// A bank account in Australia.
    #[shown(omit)]
    pub au_becs_debit: Option<Box<AuBecsDebitShown<'a>>>,
    /// A bank account in the United Kingdom.
    #[shown(omit)]
    pub bacs_debit: Option<Box<BacsDebitShown<'a>>>,
    /// Who is billed; null members were not given.
    pub billing_details: BillingDetailsShown<'a>,
    /// The card, if it is one.
    #[shown(omit)]
    pub card: Option<CardShown>,
    /// The customer it is saved to.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'a str>,
    /// A bank account in the single euro payments area.
    #[shown(omit)]
    pub sepa_debit: Option<Box<SepaDebitShown<'a>>>,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: PaymentMethodType,
    /// Affirm: paid later, in parts.
    #[shown(omit)]
    pub affirm: Option<EmptyShown>,
    /// Afterpay, or Clearpay: paid later, in parts.
    #[shown(omit)]
    pub afterpay_clearpay: Option<EmptyShown>,
    /// Alipay: a wallet.
    #[shown(omit)]
    pub alipay: Option<EmptyShown>,
    /// Amazon Pay: a wallet.
    #[shown(omit)]
    pub amazon_pay: Option<EmptyShown>,
    /// Bancontact: a bank in Belgium.
    #[shown(omit)]
    pub bancontact: Option<EmptyShown>,
    /// EPS: a bank in Austria.
    #[shown(omit)]
    pub eps: Option<EpsShown<'a>>,
    /// iDEAL: a bank in the Netherlands.
    #[shown(omit)]
    pub ideal: Option<IdealShown<'a>>,
    /// Klarna: paid later, or at once.
    #[shown(omit)]
    pub klarna: Option<KlarnaShown>,
    /// Link: details that the payer has saved.
    #[shown(omit)]
    pub link: Option<LinkShown<'a>>,
    /// Przelewy24: a bank in Poland.
    #[shown(omit)]
    pub p24: Option<P24Shown<'a>>,
    /// PayPal: a wallet.
    #[shown(omit)]
    pub paypal: Option<PaypalShown<'a>>,
    /// Revolut Pay: a wallet.
    #[shown(omit)]
    pub revolut_pay: Option<EmptyShown>,
    /// A bank account in the United States.
    #[shown(omit)]
    pub us_bank_account: Option<Box<UsBankAccountShown<'a>>>,
}

/// Where goods are sent.
#[derive(Shown)]
pub struct TokenShippingShown<'a> {
    /// Where to.
    pub address: AddressShown<'a>,
    /// Who receives them.
    pub name: Option<&'a str>,
    /// Their telephone number.
    pub phone: Option<&'a str>,
}

impl<'a> ConfirmationTokenShown<'a> {
    /// What `token` shows.
    pub fn of(token: &'a ConfirmationToken, context: &ShowContext<'_>) -> ConfirmationTokenShown<'a> {
        let ident = |kind, id| Ident { kind, id };
        let used_by = |kind| token.used_by.filter(|id| id.is(kind)).map(|id| ident(kind, id));
        ConfirmationTokenShown {
            id: ident(&kinds::CONFIRMATION_TOKEN, token.id),
            created: Seconds(token.id.created()),
            expires_at: Some(Seconds(seconds_of(token.expires_ms()))),
            livemode: context.livemode,
            mandate_data: token.agreement.as_deref().map(TokenMandateShown::of),
            payment_intent: used_by(&kinds::PAYMENT_INTENT),
            payment_method_options: None,
            payment_method_preview: PaymentMethodPreviewShown::of(token, context),
            return_url: token.return_url.as_deref(),
            setup_future_usage: token.setup_future_usage,
            setup_intent: used_by(&kinds::SETUP_INTENT),
            shipping: token.shipping.as_deref().map(|shipping| TokenShippingShown {
                address: AddressShown::from(&shipping.address),
                name: shipping.name.as_deref(),
                phone: shipping.phone.as_deref(),
            }),
            use_stripe_sdk: true,
        }
    }
}

impl<'a> TokenMandateShown<'a> {
    fn of(agreement: &'a Acceptance) -> TokenMandateShown<'a> {
        let (kind, online) = match agreement {
            Acceptance::Offline { .. } => (AcceptanceType::Offline, None),
            Acceptance::Online {
                ip_address, user_agent, ..
            } => (
                AcceptanceType::Online,
                Some(TokenOnlineShown {
                    ip_address: ip_address.as_deref(),
                    user_agent: user_agent.as_deref(),
                }),
            ),
        };
        TokenMandateShown {
            customer_acceptance: TokenAcceptanceShown { online, kind },
        }
    }
}

impl<'a> PaymentMethodPreviewShown<'a> {
    fn of(token: &'a ConfirmationToken, context: &ShowContext<'_>) -> PaymentMethodPreviewShown<'a> {
        let (instrument, cvc_check, details, customer): (_, _, Option<&Details>, _) = match &token.choice {
            Choice::Card(held) => {
                let HeldMethod {
                    instrument,
                    cvc_check,
                    details,
                } = &**held;
                (instrument, *cvc_check, details.as_deref(), None)
            }
            Choice::Stored(method) => (
                &method.instrument,
                method.cvc_check,
                method.details.as_deref(),
                method.customer,
            ),
        };
        let redirect = RedirectsShown::of(instrument, details.map(|details| &details.billing));
        let bank = BankShown::of(instrument, context, token.id.account_tag());
        PaymentMethodPreviewShown {
            acss_debit: bank.acss_debit,
            allow_redisplay: details.map(|details| details.allow_redisplay).unwrap_or_default(),
            au_becs_debit: bank.au_becs_debit,
            bacs_debit: bank.bacs_debit,
            billing_details: details.map_or_else(no_billing_details, |details| {
                BillingDetailsShown::from(&details.billing)
            }),
            card: instrument
                .card()
                .map(|card| CardShown::of_parts(*card, cvc_check, details, context.secrets, token.id.account_tag())),
            customer: customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            customer_account: None,
            sepa_debit: bank.sepa_debit,
            kind: instrument.kind(),
            affirm: redirect.affirm,
            afterpay_clearpay: redirect.afterpay_clearpay,
            alipay: redirect.alipay,
            amazon_pay: redirect.amazon_pay,
            bancontact: redirect.bancontact,
            eps: redirect.eps,
            ideal: redirect.ideal,
            klarna: redirect.klarna,
            link: redirect.link,
            p24: redirect.p24,
            paypal: redirect.paypal,
            revolut_pay: redirect.revolut_pay,
            us_bank_account: bank.us_bank_account,
        }
    }
}
