//! What a mandate shows.

use super::acceptance::AcceptanceType;
use super::{Acceptance, Mandate, MandateScope, MandateStatus};
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::bank_account::BankScheme;
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
    /// A debit in Canada.
    #[shown(omit)]
    pub acss_debit: Option<MandateAcssShown>,
    /// A debit in Australia.
    #[shown(omit)]
    pub au_becs_debit: Option<MandateUrlShown>,
    /// A debit in the United Kingdom.
    #[shown(omit)]
    pub bacs_debit: Option<MandateBacsShown>,
    /// A card: nothing.
    #[shown(omit)]
    pub card: Option<MandateCardShown>,
    /// A debit in the single euro payments area.
    #[shown(omit)]
    pub sepa_debit: Option<MandateReferenceShown>,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: &'static str,
    /// A debit in the United States.
    #[shown(omit)]
    pub us_bank_account: Option<MandateUsShown>,
}

/// Of a debit in Canada.
#[derive(Shown)]
pub struct MandateAcssShown {
    /// How often it is debited, in words.
    pub interval_description: Option<&'static str>,
    /// When it is debited.
    pub payment_schedule: &'static str,
    /// Who holds the account.
    pub transaction_type: &'static str,
}

/// Of a debit in Australia.
#[derive(Shown)]
pub struct MandateUrlShown {
    /// Where the mandate can be read.
    pub url: String,
}

/// Of a debit in the United Kingdom.
#[derive(Shown)]
pub struct MandateBacsShown {
    /// Name of the merchant at the scheme.
    pub display_name: Option<&'static str>,
    /// What the scheme made of it.
    pub network_status: &'static str,
    /// The number payers find it by.
    pub reference: String,
    /// Why it was withdrawn.
    pub revocation_reason: Option<&'static str>,
    /// The merchant's number at the scheme.
    pub service_user_number: Option<&'static str>,
    /// Where the mandate can be read.
    pub url: String,
}

/// Of a debit in the single euro payments area.
#[derive(Shown)]
pub struct MandateReferenceShown {
    /// The number payers find it by.
    pub reference: String,
    /// Where the mandate can be read.
    pub url: String,
}

/// Of a debit in the United States.
#[derive(Shown)]
pub struct MandateUsShown {
    /// How it was agreed to, if on paper.
    #[shown(omit)]
    pub collection_method: Option<&'static str>,
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
            payment_method_details: MandateDetailsShown::of(mandate, context),
            single_use,
            status: mandate.status(),
            kind,
        }
    }
}

impl MandateDetailsShown {
    fn of(mandate: &Mandate, context: &ShowContext<'_>) -> Self {
        let mut shown = MandateDetailsShown {
            acss_debit: None,
            au_becs_debit: None,
            bacs_debit: None,
            card: None,
            sepa_debit: None,
            kind: "card",
            us_bank_account: None,
        };
        let Some(bank) = &mandate.bank else {
            shown.card = Some(MandateCardShown {});
            return shown;
        };
        shown.kind = bank.scheme.name();
        let url = || {
            let id = mandate.id.text(&kinds::MANDATE);
            format!("{}/v1/mandates/{id}", context.public_url)
        };
        // Sixteen digits that follow from the id.
        let reference = || format!("{:016X}", mandate.id.bits() % (1 << 64));
        match bank.scheme {
            BankScheme::AcssDebit => {
                shown.acss_debit = Some(MandateAcssShown {
                    interval_description: None,
                    payment_schedule: "sporadic",
                    transaction_type: "personal",
                });
            }
            BankScheme::AuBecsDebit => shown.au_becs_debit = Some(MandateUrlShown { url: url() }),
            BankScheme::BacsDebit => {
                shown.bacs_debit = Some(MandateBacsShown {
                    display_name: None,
                    network_status: if bank.revoked { "revoked" } else { "accepted" },
                    reference: reference(),
                    revocation_reason: bank.revoked.then_some("debit_not_authorized"),
                    service_user_number: None,
                    url: url(),
                });
            }
            BankScheme::SepaDebit => {
                shown.sepa_debit = Some(MandateReferenceShown {
                    reference: reference(),
                    url: url(),
                });
            }
            BankScheme::UsBankAccount => {
                shown.us_bank_account = Some(MandateUsShown {
                    collection_method: None,
                });
            }
        }
        shown
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
