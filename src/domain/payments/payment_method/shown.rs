//! What a payment method shows.

use super::{
    AllowRedisplay, BillingDetailsShown, Card, CardBrand, CheckResult, Details, Funding, Last4, PaymentMethod,
    PaymentMethodType, no_billing_details,
};
use crate::country::Country;
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::bank_account::{
    AcssDebitShown, AuBecsDebitShown, BacsDebitShown, BankShown, SepaDebitShown, UsBankAccountShown,
};
use crate::payments::card::{SeenCard, WalletShown};
use crate::payments::redirect_method::{
    EmptyShown, EpsShown, IdealShown, KlarnaShown, LinkShown, P24Shown, PaypalShown, RedirectsShown,
};
use crate::secrets::Secrets;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Names, Ref, Shown};

/// A way to pay.
#[derive(Shown)]
#[shown(object = "payment_method")]
pub struct PaymentMethodShown<'a> {
    /// Unique identifier.
    pub id: Ident,
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
    /// When it was made.
    pub created: Seconds,
    /// The customer it is saved to.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'a str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// What the fraud checks were given; empty when nothing was.
    #[shown(revision = 2)]
    pub radar_options: RadarSessionShown<'a>,
    /// A bank account in the single euro payments area.
    #[shown(omit)]
    pub sepa_debit: Option<Box<SepaDebitShown<'a>>>,
    /// The token by which it was shared with this account.
    #[shown(revision = 2)]
    pub shared_payment_granted_token: Option<&'a str>,
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

/// What the fraud checks were given.
#[derive(Shown)]
pub struct RadarSessionShown<'a> {
    /// The session of the payer's browser.
    #[shown(omit)]
    pub session: Option<&'a str>,
}

/// A card, as a payment method shows it.
#[derive(Shown)]
pub struct CardShown {
    /// Brand of the card.
    pub brand: CardBrand,
    /// Checks by the issuer.
    pub checks: CardChecksShown,
    /// Country of the issuer.
    pub country: Country,
    /// The brand, in the words for display.
    pub display_brand: &'static str,
    /// Month of expiry, 1 to 12.
    pub exp_month: i64,
    /// Year of expiry, four digits.
    pub exp_year: i64,
    /// The same for every payment method with this card number.
    pub fingerprint: String,
    /// How the card is funded.
    pub funding: Funding,
    /// The charge it was made from; null because cards of terminals are not taken yet.
    pub generated_from: Option<&'static str>,
    /// The last four digits.
    pub last4: Last4,
    /// Networks the card can be routed over.
    pub networks: CardNetworksShown,
    /// Whether the issuer's fees are capped by regulation.
    pub regulated_status: RegulatedStatus,
    /// Whether 3D Secure can be used.
    pub three_d_secure_usage: ThreeDSecureUsageShown,
    /// The wallet it came out of.
    pub wallet: Option<WalletShown>,
}

/// Checks by the issuer.
#[derive(Shown)]
pub struct CardChecksShown {
    /// Of the first address line; null if none was given.
    pub address_line1_check: Option<CheckResult>,
    /// Of the postal code; null if none was given.
    pub address_postal_code_check: Option<CheckResult>,
    /// Of the security code.
    pub cvc_check: Option<CheckResult>,
}

/// Networks a card can be routed over.
#[derive(Shown)]
pub struct CardNetworksShown {
    /// All of them.
    pub available: Vec<CardBrand>,
    /// The one the cardholder prefers.
    pub preferred: Option<CardBrand>,
}

/// Whether an issuer's fees are capped by regulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum RegulatedStatus {
    /// They are.
    Regulated,
    /// They are not.
    Unregulated,
}

/// Whether 3D Secure can be used with a card.
#[derive(Shown)]
pub struct ThreeDSecureUsageShown {
    /// Whether the card supports it.
    pub supported: bool,
}

/// No pairs, for payment methods that say nothing of them.
pub(crate) static NO_METADATA: Metadata = Metadata::EMPTY;

impl CardChecksShown {
    /// What the issuer said to the details of a payment method.
    pub fn of(cvc_check: Option<CheckResult>, details: Option<&Details>) -> CardChecksShown {
        CardChecksShown {
            address_line1_check: details.and_then(|details| details.address_line1_check),
            address_postal_code_check: details.and_then(|details| details.address_postal_code_check),
            cvc_check,
        }
    }
}

impl CardShown {
    /// What the card of `method` shows, if it is one.
    pub fn of(method: &PaymentMethod, secrets: &Secrets) -> Option<CardShown> {
        let card = *method.instrument.card()?;
        let details = method.details.as_deref();
        let shown = CardShown::of_parts(card, method.cvc_check, details, secrets, method.id.account_tag());
        Some(shown)
    }

    /// What a card shows, with what was said besides, within the account of `account_tag`.
    pub(crate) fn of_parts(
        card: Card,
        cvc_check: Option<CheckResult>,
        details: Option<&Details>,
        secrets: &Secrets,
        account_tag: u32,
    ) -> CardShown {
        let facts = card.facts();
        let seen = SeenCard::of(&card, details);
        CardShown {
            brand: facts.brand,
            checks: CardChecksShown::of(cvc_check, details),
            country: facts.country,
            display_brand: facts.brand.display_name(),
            exp_month: i64::from(card.exp_month),
            exp_year: i64::from(card.exp_year),
            fingerprint: card.fingerprint(secrets, account_tag),
            funding: facts.funding,
            generated_from: None,
            last4: seen.last4,
            networks: CardNetworksShown {
                available: facts.networks().collect(),
                preferred: details.and_then(|details| details.preferred_network),
            },
            regulated_status: RegulatedStatus::Unregulated,
            three_d_secure_usage: ThreeDSecureUsageShown {
                supported: facts.three_d_secure(),
            },
            wallet: seen.wallet_shown(),
        }
    }
}

impl<'a> PaymentMethodShown<'a> {
    /// What `method` shows.
    pub fn of(method: &'a PaymentMethod, context: &ShowContext<'_>) -> PaymentMethodShown<'a> {
        let details = method.details.as_deref();
        let redirect = RedirectsShown::of(&method.instrument, method.billing());
        let bank = BankShown::of(&method.instrument, context, method.id.account_tag());
        PaymentMethodShown {
            id: Ident {
                kind: &kinds::PAYMENT_METHOD,
                id: method.id,
            },
            acss_debit: bank.acss_debit,
            allow_redisplay: details.map(|details| details.allow_redisplay).unwrap_or_default(),
            au_becs_debit: bank.au_becs_debit,
            bacs_debit: bank.bacs_debit,
            billing_details: method
                .billing()
                .map_or_else(no_billing_details, BillingDetailsShown::from),
            card: CardShown::of(method, context.secrets),
            created: Seconds(method.id.created()),
            customer: method.customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            customer_account: None,
            livemode: context.livemode,
            metadata: details.map_or(&NO_METADATA, |details| &details.metadata),
            radar_options: RadarSessionShown {
                session: details.and_then(|details| details.radar_session.as_deref()),
            },
            sepa_debit: bank.sepa_debit,
            shared_payment_granted_token: None,
            kind: method.instrument.kind(),
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
