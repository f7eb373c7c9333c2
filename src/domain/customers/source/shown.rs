//! What sources show, and the stub of a deleted card.

use super::{SourceFlow, SourceUsage};
use crate::address::{Address, AddressShown};
use crate::country::Country;
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::card::{SeenCard, TokenizationMethod};
use crate::payments::payment_method::{CheckResult, Funding, Last4, NO_METADATA, PaymentMethod};
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Metadata, Names, Shown};

/// A way to pay of the older API.
#[derive(Shown)]
#[shown(object = "source")]
pub struct SourceShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// Whether it may be shown again in a checkout.
    pub allow_redisplay: &'static str,
    /// The amount it is for, in minor units.
    pub amount: Option<i64>,
    /// The card.
    pub card: SourceCardShown<'a>,
    /// Secret by which a page in the payer's browser may retrieve it.
    pub client_secret: String,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The currency of the amount.
    pub currency: Option<Currency>,
    /// The customer it is saved to.
    #[shown(omit)]
    pub customer: Option<Ident>,
    /// How the payer agrees.
    pub flow: SourceFlow,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// Who owns it.
    pub owner: SourceOwnerShown<'a>,
    /// What cardholders are to read.
    pub statement_descriptor: Option<&'a str>,
    /// Whether it can be charged.
    pub status: SourceStatus,
    /// Its type.
    #[shown(name = "type")]
    pub kind: &'static str,
    /// How often it may be charged.
    pub usage: SourceUsage,
}

/// Whether a source can be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum SourceStatus {
    /// It can.
    Chargeable,
    /// It was charged, or taken from its customer.
    Consumed,
}

/// The card of a source.
#[derive(Shown)]
pub struct SourceCardShown<'a> {
    /// Check of the street by the issuer; null if none was given.
    pub address_line1_check: Option<CheckResult>,
    /// Check of the postal code by the issuer; null if none was given.
    pub address_zip_check: Option<CheckResult>,
    /// Brand, in the words of older integrations.
    pub brand: &'static str,
    /// Country of the issuer.
    pub country: Country,
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
    /// Full name.
    pub name: Option<&'a str>,
    /// Whether 3D Secure is wanted.
    pub three_d_secure: &'static str,
    /// How it was made a token of, by wallets.
    pub tokenization_method: Option<TokenizationMethod>,
}

/// Who owns a source.
#[derive(Shown)]
pub struct SourceOwnerShown<'a> {
    /// Postal address.
    pub address: Option<AddressShown<'a>>,
    /// Email address.
    pub email: Option<&'a str>,
    /// Full name.
    pub name: Option<&'a str>,
    /// Telephone number.
    pub phone: Option<&'a str>,
    /// Address that was verified; for cards there is none.
    pub verified_address: Option<&'a str>,
    /// Email address that was verified.
    pub verified_email: Option<&'a str>,
    /// Name that was verified.
    pub verified_name: Option<&'a str>,
    /// Telephone number that was verified.
    pub verified_phone: Option<&'a str>,
}

/// What is left to see of a card that was deleted.
#[derive(Shown)]
#[shown(object = "card")]
pub struct DeletedCardShown {
    /// Unique identifier the card had.
    pub id: Ident,
    /// Its currency; null because cards here are charged only.
    pub currency: Option<&'static str>,
    /// Always true.
    pub deleted: bool,
}

impl DeletedCardShown {
    /// What is left of the card with that id.
    pub fn of(id: Id) -> Self {
        DeletedCardShown {
            id: Ident { kind: &kinds::CARD, id },
            currency: None,
            deleted: true,
        }
    }
}

impl<'a> SourceShown<'a> {
    /// What `source` shows.
    pub fn of(source: &'a PaymentMethod, context: &ShowContext<'_>) -> Self {
        let data = source.source.as_deref();
        let details = source.details.as_deref();
        let billing = details.map(|details| &details.billing);
        let card = source.instrument.card().expect("sources are made of cards");
        let facts = card.facts();
        let seen = SeenCard::of(card, details);
        let address = billing.map(|billing| &billing.address);
        let name = billing.and_then(|billing| billing.name.as_deref());
        SourceShown {
            id: Ident {
                kind: &kinds::SOURCE,
                id: source.id,
            },
            allow_redisplay: details.map_or("unspecified", |details| details.allow_redisplay.name()),
            amount: data.and_then(|data| data.amount),
            card: SourceCardShown {
                address_line1_check: details.and_then(|details| details.address_line1_check),
                address_zip_check: details.and_then(|details| details.address_postal_code_check),
                brand: facts.brand.older_name(),
                country: facts.country,
                cvc_check: source.cvc_check,
                dynamic_last4: seen.dynamic_last4,
                exp_month: i64::from(card.exp_month),
                exp_year: i64::from(card.exp_year),
                fingerprint: card.fingerprint(context.secrets, source.id.account_tag()),
                funding: facts.funding,
                last4: seen.last4,
                name,
                three_d_secure: "optional",
                tokenization_method: seen.tokenization_method(),
            },
            client_secret: context.secrets.client_secret(&kinds::SOURCE, source.id),
            created: Seconds(source.id.created()),
            currency: data.and_then(|data| data.currency),
            customer: source.customer.map(|id| Ident {
                kind: &kinds::CUSTOMER,
                id,
            }),
            flow: SourceFlow::None,
            livemode: context.livemode,
            metadata: details.map_or(&NO_METADATA, |details| &details.metadata),
            owner: SourceOwnerShown {
                address: address
                    .filter(|address| **address != Address::default())
                    .map(AddressShown::from),
                email: billing.and_then(|billing| billing.email.as_deref()),
                name,
                phone: billing.and_then(|billing| billing.phone.as_deref()),
                verified_address: None,
                verified_email: None,
                verified_name: None,
                verified_phone: None,
            },
            statement_descriptor: data.and_then(|data| data.statement_descriptor.as_deref()),
            status: if source.used_up {
                SourceStatus::Consumed
            } else {
                SourceStatus::Chargeable
            },
            kind: "card",
            usage: data.map_or(SourceUsage::Reusable, |data| data.usage),
        }
    }
}
