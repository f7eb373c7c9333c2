//! What a mandate shows.

use super::acceptance::AcceptanceType;
use super::{Acceptance, Mandate, MandateScope, MandateStatus};
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Names, Ref, Shown};

/// A customer's permission to take money with a payment method.
#[derive(Shown)]
#[shown(object = "mandate")]
pub struct MandateShown<'a> {
    /// Unique identifier of the mandate.
    pub id: Ident,
    /// How the customer agreed.
    pub customer_acceptance: CustomerAcceptanceShown<'a>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// A mandate for many payments.
    #[shown(omit)]
    pub multi_use: Option<MultiUseShown>,
    /// The connected account it is for.
    #[shown(omit)]
    pub on_behalf_of: Option<&'a str>,
    /// What money may be taken with.
    #[shown(expand)]
    pub payment_method: Ref,
    /// What belongs to the type of payment method.
    pub payment_method_details: MandateDetailsShown,
    /// A mandate for one payment.
    #[shown(omit)]
    pub single_use: Option<SingleUseShown>,
    /// Whether money may be taken.
    pub status: MandateStatus,
    /// How often money may be taken.
    #[shown(name = "type")]
    pub kind: MandateType,
}

/// How often money may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum MandateType {
    /// Again and again.
    MultiUse,
    /// Once.
    SingleUse,
}

/// How a customer agreed.
#[derive(Shown)]
pub struct CustomerAcceptanceShown<'a> {
    /// When, in seconds since the Unix epoch.
    pub accepted_at: Option<Seconds>,
    /// An agreement offline.
    #[shown(omit)]
    pub offline: Option<OfflineShown>,
    /// An agreement online.
    #[shown(omit)]
    pub online: Option<OnlineShown<'a>>,
    /// Whether it was online or offline.
    #[shown(name = "type")]
    pub kind: AcceptanceType,
}

/// An agreement offline, of which nothing is said.
#[derive(Shown)]
pub struct OfflineShown {}

/// An agreement online.
#[derive(Shown)]
pub struct OnlineShown<'a> {
    /// The customer's address in the network.
    pub ip_address: Option<&'a str>,
    /// The customer's browser.
    pub user_agent: Option<&'a str>,
}

/// What belongs to the type of payment method.
#[derive(Shown)]
pub struct MandateDetailsShown {
    /// A card: nothing.
    pub card: MandateCardShown,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: &'static str,
}

/// Of a card nothing is shown.
#[derive(Shown)]
pub struct MandateCardShown {}

/// A mandate for many payments, of which nothing is shown.
#[derive(Shown)]
pub struct MultiUseShown {}

/// A mandate for one payment.
#[derive(Shown)]
pub struct SingleUseShown {
    /// How much, in minor units.
    pub amount: i64,
    /// Three-letter code of the currency.
    pub currency: Currency,
}

impl<'a> MandateShown<'a> {
    /// What `mandate` shows.
    pub fn of(mandate: &'a Mandate, context: &ShowContext<'_>) -> Self {
        let (kind, multi_use, single_use) = match mandate.scope {
            MandateScope::MultiUse => (MandateType::MultiUse, Some(MultiUseShown {}), None),
            MandateScope::SingleUse { money } => {
                let shown = SingleUseShown {
                    amount: money.amount,
                    currency: money.currency,
                };
                (MandateType::SingleUse, None, Some(shown))
            }
        };
        MandateShown {
            id: Ident {
                kind: &kinds::MANDATE,
                id: mandate.id,
            },
            customer_acceptance: CustomerAcceptanceShown::of(&mandate.acceptance),
            livemode: context.livemode,
            multi_use,
            on_behalf_of: None,
            payment_method: Ref {
                kind: &kinds::PAYMENT_METHOD,
                id: mandate.payment_method,
            },
            payment_method_details: MandateDetailsShown {
                card: MandateCardShown {},
                kind: "card",
            },
            single_use,
            status: MandateStatus::Active,
            kind,
        }
    }
}

impl<'a> CustomerAcceptanceShown<'a> {
    fn of(acceptance: &'a Acceptance) -> Self {
        match acceptance {
            Acceptance::Offline { accepted_at } => CustomerAcceptanceShown {
                accepted_at: Some(Seconds(*accepted_at)),
                offline: Some(OfflineShown {}),
                online: None,
                kind: AcceptanceType::Offline,
            },
            Acceptance::Online {
                accepted_at,
                ip_address,
                user_agent,
            } => CustomerAcceptanceShown {
                accepted_at: Some(Seconds(*accepted_at)),
                offline: None,
                online: Some(OnlineShown {
                    ip_address: ip_address.as_deref(),
                    user_agent: user_agent.as_deref(),
                }),
                kind: AcceptanceType::Online,
            },
        }
    }
}
