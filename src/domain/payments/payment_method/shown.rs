//! What a payment method shows.

use super::{Card, CardBrand, CheckResult, Funding, PaymentMethod};
use crate::address::AddressShown;
use crate::country::Country;
use crate::kinds;
use crate::object::ShowContext;
use crate::secrets::Secrets;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Names, Ref, Shown};

/// A way to pay.
#[derive(Shown)]
#[shown(object = "payment_method")]
pub struct PaymentMethodShown {
    /// Unique identifier.
    pub id: Ident,
    /// Whether it may be shown again in a checkout.
    pub allow_redisplay: AllowRedisplay,
    /// Who is billed; null members were not given.
    pub billing_details: BillingDetailsShown<'static>,
    /// The card.
    pub card: CardShown,
    /// When it was made.
    pub created: Seconds,
    /// The customer it is saved to.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'static str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: Metadata,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: PaymentMethodType,
}

/// Whether a payment method may be shown again in a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum AllowRedisplay {
    /// Always.
    Always,
    /// Only where it was saved.
    Limited,
    /// Nothing was said.
    Unspecified,
}

/// Types of payment methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum PaymentMethodType {
    /// A card.
    Card,
}

/// Who is billed.
#[derive(Shown)]
pub struct BillingDetailsShown<'a> {
    /// Postal address.
    pub address: AddressShown<'a>,
    /// Email address.
    pub email: Option<&'a str>,
    /// Full name.
    pub name: Option<&'a str>,
    /// Telephone number.
    pub phone: Option<&'a str>,
    /// Tax number.
    pub tax_id: Option<&'a str>,
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
    pub last4: &'static str,
    /// Networks the card can be routed over.
    pub networks: CardNetworksShown,
    /// Whether the issuer's fees are capped by regulation.
    pub regulated_status: RegulatedStatus,
    /// Whether 3D Secure can be used.
    pub three_d_secure_usage: ThreeDSecureUsageShown,
    /// The wallet it came from; null because wallets are not taken yet.
    pub wallet: Option<&'static str>,
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

/// Billing details of which nothing is known.
pub fn no_billing_details() -> BillingDetailsShown<'static> {
    let address = AddressShown {
        city: None,
        country: None,
        line1: None,
        line2: None,
        postal_code: None,
        state: None,
    };
    BillingDetailsShown {
        address,
        email: None,
        name: None,
        phone: None,
        tax_id: None,
    }
}

impl CardChecksShown {
    /// Checks of a card without an address.
    pub fn of(cvc_check: CheckResult) -> CardChecksShown {
        CardChecksShown {
            address_line1_check: None,
            address_postal_code_check: None,
            cvc_check: Some(cvc_check),
        }
    }
}

impl CardShown {
    /// What a card shows within the account that `account_tag` belongs to.
    pub fn of(card: Card, cvc_check: CheckResult, secrets: &Secrets, account_tag: u32) -> CardShown {
        let facts = card.facts();
        CardShown {
            brand: facts.brand,
            checks: CardChecksShown::of(cvc_check),
            country: facts.country,
            display_brand: facts.brand.display_name(),
            exp_month: i64::from(card.exp_month),
            exp_year: i64::from(card.exp_year),
            fingerprint: card.fingerprint(secrets, account_tag),
            funding: facts.funding,
            generated_from: None,
            last4: facts.last4(),
            networks: CardNetworksShown {
                available: facts.networks().collect(),
                preferred: None,
            },
            regulated_status: RegulatedStatus::Unregulated,
            three_d_secure_usage: ThreeDSecureUsageShown {
                supported: facts.three_d_secure(),
            },
            wallet: None,
        }
    }
}

impl PaymentMethodShown {
    /// What `method` shows.
    pub fn of(method: &PaymentMethod, context: &ShowContext<'_>) -> PaymentMethodShown {
        let PaymentMethod {
            id,
            card,
            cvc_check,
            customer,
            used_up: _,
            prepared: _,
        } = method;
        PaymentMethodShown {
            id: Ident {
                kind: &kinds::PAYMENT_METHOD,
                id: *id,
            },
            allow_redisplay: AllowRedisplay::Unspecified,
            billing_details: no_billing_details(),
            card: CardShown::of(*card, *cvc_check, context.secrets, id.account_tag()),
            created: Seconds(id.created()),
            customer: customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            customer_account: None,
            livemode: context.livemode,
            metadata: Metadata::default(),
            kind: PaymentMethodType::Card,
        }
    }
}
