//! The card of a charge, as it was when it was charged.

use super::Charge;
use super::shown_bank::{
    ChargeAchDebitShown, ChargeAcssDebitShown, ChargeAuBecsDebitShown, ChargeBacsDebitShown, ChargeSepaDebitShown,
    ChargeUsBankAccountShown,
};
use super::shown_redirect::{
    ChargeAffirmShown, ChargeAfterpayClearpayShown, ChargeAlipayShown, ChargeAmazonPayShown, ChargeBancontactShown,
    ChargeEpsShown, ChargeIdealShown, ChargeKlarnaShown, ChargeLinkShown, ChargeP24Shown, ChargePaypalShown,
    ChargeRevolutPayShown,
};
use crate::country::Country;
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::authentication::ThreeDSecureShown;
use crate::payments::card::{SeenCard, WalletShown};
use crate::payments::payment_method::{CardBrand, CardChecksShown, CheckResult, Funding, Last4};
use crate::time::seconds_of;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Shown};

/// What was paid with.
#[derive(Shown)]
pub struct PaymentMethodDetailsShown<'a> {
    /// The bank account in the United States, of a charge without an intent.
    #[shown(omit)]
    pub ach_debit: Option<Box<ChargeAchDebitShown<'a>>>,
    /// A bank account in Canada, if it was one.
    #[shown(omit)]
    pub acss_debit: Option<Box<ChargeAcssDebitShown<'a>>>,
    /// A bank account in Australia, if it was one.
    #[shown(omit)]
    pub au_becs_debit: Option<Box<ChargeAuBecsDebitShown<'a>>>,
    /// A bank account in the United Kingdom, if it was one.
    #[shown(omit)]
    pub bacs_debit: Option<Box<ChargeBacsDebitShown<'a>>>,
    /// The card, if it was one.
    #[shown(omit)]
    pub card: Option<ChargeCardShown<'a>>,
    /// Affirm, if that paid.
    #[shown(omit)]
    pub affirm: Option<ChargeAffirmShown<'a>>,
    /// Afterpay, or Clearpay, if that paid.
    #[shown(omit)]
    pub afterpay_clearpay: Option<ChargeAfterpayClearpayShown<'a>>,
    /// Alipay, if that paid.
    #[shown(omit)]
    pub alipay: Option<ChargeAlipayShown<'a>>,
    /// Amazon Pay, if that paid.
    #[shown(omit)]
    pub amazon_pay: Option<ChargeAmazonPayShown<'a>>,
    /// A bank in Belgium, if that paid.
    #[shown(omit)]
    pub bancontact: Option<ChargeBancontactShown<'a>>,
    /// A bank in Austria, if that paid.
    #[shown(omit)]
    pub eps: Option<ChargeEpsShown<'a>>,
    /// A bank in the Netherlands, if that paid.
    #[shown(omit)]
    pub ideal: Option<ChargeIdealShown<'a>>,
    /// Klarna, if that paid.
    #[shown(omit)]
    pub klarna: Option<ChargeKlarnaShown<'a>>,
    /// Link, if that paid.
    #[shown(omit)]
    pub link: Option<ChargeLinkShown<'a>>,
    /// A bank in Poland, if that paid.
    #[shown(omit)]
    pub p24: Option<ChargeP24Shown<'a>>,
    /// PayPal, if that paid.
    #[shown(omit)]
    pub paypal: Option<ChargePaypalShown<'a>>,
    /// Revolut Pay, if that paid.
    #[shown(omit)]
    pub revolut_pay: Option<ChargeRevolutPayShown<'a>>,
    /// A bank account in the single euro payments area, if it was one.
    #[shown(omit)]
    pub sepa_debit: Option<Box<ChargeSepaDebitShown<'a>>>,
    /// Type of payment method.
    #[shown(name = "type")]
    pub kind: &'a str,
    /// A bank account in the United States, if it was one.
    #[shown(omit)]
    pub us_bank_account: Option<Box<ChargeUsBankAccountShown<'a>>>,
}

/// The card a charge was made on, and what it allowed.
#[derive(Shown)]
pub struct ChargeCardShown<'a> {
    /// What was authorised, in minor units.
    pub amount_authorized: Option<i64>,
    /// The bank's code of the authorisation.
    pub authorization_code: Option<String>,
    /// Brand of the card.
    pub brand: CardBrand,
    /// When a hold can be captured until, in seconds since the Unix epoch.
    #[shown(omit)]
    pub capture_before: Option<Seconds>,
    /// Checks by the issuer.
    pub checks: CardChecksShown,
    /// Country of the issuer.
    pub country: Country,
    /// The network's number of how the cardholder proved who they are.
    #[shown(revision = 2)]
    pub electronic_commerce_indicator: Option<&'a str>,
    /// Month of expiry, 1 to 12.
    pub exp_month: i64,
    /// Year of expiry, four digits.
    pub exp_year: i64,
    /// Whether a hold may last longer than usual.
    pub extended_authorization: FeatureShown<'a>,
    /// The same for every card with this number, within the account.
    pub fingerprint: String,
    /// How the card is funded.
    pub funding: Funding,
    /// Whether the held amount may be raised.
    pub incremental_authorization: FeatureShown<'a>,
    /// Paying in parts.
    pub installments: Option<&'a str>,
    /// The last four digits.
    pub last4: Last4,
    /// The mandate it was made under.
    pub mandate: Option<Ident>,
    /// Whether a hold may be captured in parts.
    pub multicapture: FeatureShown<'a>,
    /// The network that took it.
    pub network: CardBrand,
    /// Whether the network's token was used in place of the number.
    pub network_token: NetworkTokenShown,
    /// The network's own number of it.
    pub network_transaction_id: Option<String>,
    /// Whether more than the amount may be captured.
    pub overcapture: OvercaptureShown<'a>,
    /// Whether the issuer's fees are capped by law.
    pub regulated_status: &'a str,
    /// How the cardholder proved who they are.
    pub three_d_secure: Option<ThreeDSecureShown<'a>>,
    /// The network's number that ties it to other payments.
    #[shown(revision = 2)]
    pub transaction_link_id: Option<&'a str>,
    /// The wallet the card was in.
    pub wallet: Option<WalletShown>,
}

/// Whether something can be done with a charge.
#[derive(Shown)]
pub struct FeatureShown<'a> {
    /// The answer.
    pub status: &'a str,
}

/// Whether more than the amount may be captured.
#[derive(Shown)]
pub struct OvercaptureShown<'a> {
    /// Most that can be captured, in minor units.
    pub maximum_amount_capturable: i64,
    /// Whether it may be more than the amount.
    pub status: &'a str,
}

/// Whether the network's token was used in place of the number.
#[derive(Shown)]
pub struct NetworkTokenShown {
    /// Whether it was.
    pub used: bool,
}
impl<'a> ChargeCardShown<'a> {
    /// What the card of a charge shows, if it was made on one.
    pub(super) fn of(charge: &'a Charge, context: &ShowContext<'_>, approved: bool) -> Option<Self> {
        let card = charge.instrument.card()?;
        let facts = card.facts();
        let three_d_secure = match charge.claims.as_ref().and_then(|claims| claims.imported.as_ref()) {
            Some(imported) => Some(ThreeDSecureShown::imported(imported)),
            None => charge
                .three_d_secure
                .map(|result| ThreeDSecureShown::of(result, facts.brand, charge.id)),
        };
        let indicator = three_d_secure
            .as_ref()
            .and_then(|shown| shown.electronic_commerce_indicator);
        let sent = !charge.is_blocked();
        let seen_card = SeenCard::of(card, charge.seen.as_deref().map(|seen| &seen.details));
        Some(ChargeCardShown {
            amount_authorized: approved.then_some(charge.amount),
            authorization_code: (sent && charge.revised).then(|| authorization_code(charge.id)),
            brand: facts.brand,
            capture_before: charge.capture_before_ms.map(|ms| Seconds(seconds_of(ms))),
            checks: match charge.seen.as_deref() {
                None => CardChecksShown::of(Some(CheckResult::Pass), None),
                Some(seen) => CardChecksShown::of(seen.cvc_check, Some(&seen.details)),
            },
            country: facts.country,
            electronic_commerce_indicator: sent.then_some(indicator.unwrap_or(WITHOUT_PROOF)),
            exp_month: i64::from(card.exp_month),
            exp_year: i64::from(card.exp_year),
            extended_authorization: FeatureShown { status: "disabled" },
            fingerprint: card.fingerprint(context.secrets, charge.id.account_tag()),
            funding: facts.funding,
            incremental_authorization: FeatureShown {
                status: if charge.increments { "available" } else { "unavailable" },
            },
            installments: None,
            last4: seen_card.last4,
            mandate: charge.seen.as_ref().and_then(|seen| seen.mandate).map(|id| Ident {
                kind: &kinds::MANDATE,
                id,
            }),
            multicapture: FeatureShown {
                status: if charge.multicapture {
                    "available"
                } else {
                    "unavailable"
                },
            },
            network: facts.brand,
            network_token: NetworkTokenShown { used: false },
            network_transaction_id: match charge.revised {
                true => sent,
                false => approved,
            }
            .then(|| network_transaction_id(charge.id)),
            overcapture: OvercaptureShown {
                maximum_amount_capturable: charge.amount,
                status: "unavailable",
            },
            regulated_status: "unregulated",
            three_d_secure,
            transaction_link_id: None,
            wallet: seen_card.wallet_shown(),
        })
    }
}

/// What networks call a payment on the internet in which nobody proved who they are.
const WITHOUT_PROOF: &str = "07";

/// Six digits that follow from the charge's id, as a bank would give.
fn authorization_code(charge: Id) -> String {
    format!("{:06}", charge.bits() / 1_000_003 % 1_000_000)
}

/// Fifteen digits that follow from the charge's id, as a test network would give.
fn network_transaction_id(charge: Id) -> String {
    format!("{:015}", charge.bits() % 1_000_000_000_000_000)
}
