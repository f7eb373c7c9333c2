//! A card as older integrations see it: flat, with its address, brand names in capitals.

use super::number::{CardNumber, Cvc};
use super::params::CardNetworksParams;
use super::wallet::{SeenCard, TokenizationMethod, WalletShown};
use crate::country::Country;
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::payment_method::{
    AllowRedisplay, Card, CardBrand, CheckResult, Details, Funding, Instrument, Last4, NO_METADATA, PaymentMethod,
    RegulatedStatus,
};
use crate::secrets::Secrets;
use tollgate_resource::shown::Ident;
use tollgate_resource::{Id, Metadata, MetadataUpdate, Names, Params, Record, Ref, Shown, Update};

/// What is paid with, and what was said besides, as tokens keep it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct HeldMethod {
    /// What money is taken from.
    #[record(1)]
    pub instrument: Instrument,
    /// What became of the check of its security code; `None` if none was given.
    #[record(2)]
    pub cvc_check: Option<CheckResult>,
    /// Name, address and so on.
    #[record(3)]
    pub details: Option<Box<Details>>,
}

/// A card as `card[…]` or `source[…]` of older operations gives it.
#[derive(Params, Default, Clone, Debug)]
pub struct FlatCardParams {
    /// City or town.
    pub address_city: Update<Box<str>>,
    /// Two-letter country code.
    pub address_country: Update<Box<str>>,
    /// Street, or post office box.
    pub address_line1: Update<Box<str>>,
    /// Apartment or building.
    pub address_line2: Update<Box<str>>,
    /// State, county or province.
    pub address_state: Update<Box<str>>,
    /// Postal code.
    pub address_zip: Update<Box<str>>,
    /// What a wallet proves with a payment. It is believed, and not kept.
    pub cryptogram: Update<Box<str>>,
    /// Three-letter code of the currency of a debit card that is paid out to. It changes nothing.
    pub currency: Option<Currency>,
    /// Security code. It is checked with the next payment and never stored.
    pub cvc: Option<Cvc>,
    /// The network's number of how a wallet proved it. It changes nothing.
    pub eci: Update<Box<str>>,
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<i64>,
    /// Year of expiry, of two or four digits.
    pub exp_year: Option<i64>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Full name.
    pub name: Update<Box<str>>,
    /// Which network is to take it.
    pub networks: Option<CardNetworksParams>,
    /// The number, without separators.
    pub number: Option<CardNumber>,
    /// Always `card`.
    pub object: Option<CardWord>,
    /// The wallet the card came out of.
    pub tokenization_method: Option<TokenizationMethod>,
}

/// The only object whose details are taken in place of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum CardWord {
    /// A card.
    Card,
}

/// A card of a token or customer.
#[derive(Shown)]
#[shown(object = "card")]
pub struct HeldCardShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// City or town.
    pub address_city: Option<&'a str>,
    /// Country.
    pub address_country: Option<&'a str>,
    /// Street, or post office box.
    pub address_line1: Option<&'a str>,
    /// Check of the street by the issuer; null if none was given.
    pub address_line1_check: Option<CheckResult>,
    /// Apartment or building.
    pub address_line2: Option<&'a str>,
    /// State, county or province.
    pub address_state: Option<&'a str>,
    /// Postal code.
    pub address_zip: Option<&'a str>,
    /// Check of the postal code by the issuer; null if none was given.
    pub address_zip_check: Option<CheckResult>,
    /// Whether it may be shown again in a checkout.
    pub allow_redisplay: AllowRedisplay,
    /// Brand, in the words of older integrations.
    pub brand: &'static str,
    /// Country of the issuer.
    pub country: Country,
    /// The customer it is saved to.
    #[shown(expand, omit)]
    pub customer: Option<Ref>,
    /// Check of the security code; null if none was given.
    pub cvc_check: Option<CheckResult>,
    /// Last four digits of the number in a wallet.
    pub dynamic_last4: Option<Last4>,
    /// Month of expiry, 1 to 12.
    pub exp_month: i64,
    /// Year of expiry, four digits.
    pub exp_year: i64,
    /// The same for every card with this number.
    pub fingerprint: String,
    /// How the card is funded.
    pub funding: Funding,
    /// The last four digits.
    pub last4: Last4,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// Full name.
    pub name: Option<&'a str>,
    /// Which network is to take it.
    pub networks: HeldCardNetworksShown,
    /// Whether the issuer's fees are capped by regulation.
    pub regulated_status: RegulatedStatus,
    /// How it was made a token of, by wallets.
    pub tokenization_method: Option<TokenizationMethod>,
    /// The wallet it came out of.
    pub wallet: Option<WalletShown>,
}

/// Which network is to take a card.
#[derive(Shown)]
pub struct HeldCardNetworksShown {
    /// The one the cardholder prefers.
    pub preferred: Option<CardBrand>,
}

impl<'a> HeldCardShown<'a> {
    /// What `held` shows under the id `id` of a card, if it is one.
    pub fn of(held: &'a HeldMethod, id: Id, customer: Option<Id>, secrets: &Secrets) -> Option<HeldCardShown<'a>> {
        let card = *held.instrument.card()?;
        let parts = (card, held.cvc_check, held.details.as_deref());
        Some(Self::of_parts(parts, id, customer, secrets))
    }

    /// What the card of a customer shows.
    ///
    /// # Panics
    /// When it is no card: nothing else is kept under the id of one.
    pub fn of_saved(method: &'a PaymentMethod, context: &ShowContext<'_>) -> HeldCardShown<'a> {
        let card = *method.instrument.card().expect("a card is kept under the id of a card");
        let parts = (card, method.cvc_check, method.details.as_deref());
        Self::of_parts(parts, method.id, method.customer, context.secrets)
    }

    fn of_parts(
        (card, cvc_check, details): (Card, Option<CheckResult>, Option<&'a Details>),
        id: Id,
        customer: Option<Id>,
        secrets: &Secrets,
    ) -> HeldCardShown<'a> {
        let facts = card.facts();
        let seen = SeenCard::of(&card, details);
        let billing = details.map(|details| &details.billing);
        let address = billing.map(|billing| &billing.address);
        HeldCardShown {
            id: Ident { kind: &kinds::CARD, id },
            address_city: address.and_then(|address| address.city.as_deref()),
            address_country: address.and_then(|address| address.country.as_deref()),
            address_line1: address.and_then(|address| address.line1.as_deref()),
            address_line1_check: details.and_then(|details| details.address_line1_check),
            address_line2: address.and_then(|address| address.line2.as_deref()),
            address_state: address.and_then(|address| address.state.as_deref()),
            address_zip: address.and_then(|address| address.postal_code.as_deref()),
            address_zip_check: details.and_then(|details| details.address_postal_code_check),
            allow_redisplay: details.map_or(AllowRedisplay::Unspecified, |details| details.allow_redisplay),
            brand: facts.brand.older_name(),
            country: facts.country,
            customer: customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            cvc_check,
            dynamic_last4: seen.dynamic_last4,
            exp_month: i64::from(card.exp_month),
            exp_year: i64::from(card.exp_year),
            fingerprint: card.fingerprint(secrets, id.account_tag()),
            funding: facts.funding,
            last4: seen.last4,
            metadata: details.map_or(&NO_METADATA, |details| &details.metadata),
            name: billing.and_then(|billing| billing.name.as_deref()),
            networks: HeldCardNetworksShown {
                preferred: details.and_then(|details| details.preferred_network),
            },
            regulated_status: RegulatedStatus::Unregulated,
            tokenization_method: seen.tokenization_method(),
            wallet: None,
        }
    }
}
