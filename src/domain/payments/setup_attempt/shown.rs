//! What a setup attempt shows.

use super::{AttemptState, AttemptStatus, SetupAttempt};
use crate::country::Country;
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::authentication::ThreeDSecureShown;
use crate::payments::card::WalletShown;
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_method::{CardBrand, CardChecksShown, CardShown, Funding, Last4, PaymentMethodType};
use crate::payments::setup_intent::{FlowDirection, SetupErrorShown};
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Names, Ref, Shown};

/// One try of a setup intent.
#[derive(Shown)]
#[shown(object = "setup_attempt")]
pub struct SetupAttemptShown<'a> {
    /// Unique identifier of the attempt.
    pub id: Ident,
    /// The Connect application that made it.
    #[shown(expand)]
    pub application: Option<Ref>,
    /// Whether the payment method was to be saved to the merchant's own account.
    #[shown(omit)]
    pub attach_to_self: Option<bool>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The intent's customer.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'a str>,
    /// Which ways money will move.
    pub flow_directions: Option<&'a Vec<FlowDirection>>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The connected account on whose behalf it was made.
    #[shown(expand)]
    pub on_behalf_of: Option<Ref>,
    /// What was tried.
    #[shown(expand)]
    pub payment_method: Ref,
    /// What was tried, as it was then.
    pub payment_method_details: AttemptDetailsShown<'a>,
    /// Why it failed.
    pub setup_error: Option<SetupErrorShown<'a>>,
    /// The intent.
    #[shown(expand)]
    pub setup_intent: Ref,
    /// How it ended, or that it has not.
    pub status: AttemptStatus,
    /// How the payment method was going to be used.
    pub usage: FutureUsage,
}

/// What was tried.
#[derive(Shown)]
pub struct AttemptDetailsShown<'a> {
    /// A debit in Canada: nothing.
    #[shown(omit)]
    pub acss_debit: Option<AttemptDebitShown>,
    /// A debit in Australia: nothing.
    #[shown(omit)]
    pub au_becs_debit: Option<AttemptDebitShown>,
    /// A debit in the United Kingdom: nothing.
    #[shown(omit)]
    pub bacs_debit: Option<AttemptDebitShown>,
    /// The card, if it was one.
    #[shown(omit)]
    pub card: Option<AttemptCardShown<'a>>,
    /// A debit in the single euro payments area: nothing.
    #[shown(omit)]
    pub sepa_debit: Option<AttemptDebitShown>,
    /// Type of the payment method.
    #[shown(name = "type")]
    pub kind: &'static str,
    /// A debit in the United States: nothing.
    #[shown(omit)]
    pub us_bank_account: Option<AttemptDebitShown>,
}

/// Of a bank account that was tried nothing is shown.
#[derive(Shown)]
pub struct AttemptDebitShown {}

/// The card that was tried.
#[derive(Shown)]
pub struct AttemptCardShown<'a> {
    /// Brand of the card.
    pub brand: CardBrand,
    /// Checks by the issuer.
    pub checks: CardChecksShown,
    /// Country of the issuer.
    pub country: Country,
    /// Month of expiry, 1 to 12.
    pub exp_month: i64,
    /// Year of expiry, four digits.
    pub exp_year: i64,
    /// The same for every payment method with this card number.
    pub fingerprint: String,
    /// How the card is funded.
    pub funding: Funding,
    /// The last four digits.
    pub last4: Last4,
    /// The network it was tried on.
    pub network: CardBrand,
    /// How 3D Secure ended, where it was tried.
    pub three_d_secure: Option<ThreeDSecureShown<'a>>,
    /// The wallet it came out of.
    pub wallet: Option<WalletShown>,
}

impl<'a> SetupAttemptShown<'a> {
    /// What `attempt` shows.
    pub fn of(attempt: &'a SetupAttempt, context: &ShowContext<'a>) -> Self {
        let setup_error = match &attempt.state {
            AttemptState::Failed { error } => Some(SetupErrorShown::of(error, context)),
            _ => None,
        };
        let directions = &attempt.flow_directions;
        let debit = |kind| (attempt.payment_method.instrument.kind() == kind).then_some(AttemptDebitShown {});
        SetupAttemptShown {
            id: Ident {
                kind: &kinds::SETUP_ATTEMPT,
                id: attempt.id,
            },
            application: None,
            attach_to_self: attempt.attach_to_self,
            created: Seconds(attempt.id.created()),
            customer: attempt.customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            customer_account: None,
            flow_directions: Some(directions).filter(|directions| !directions.is_empty()),
            livemode: context.livemode,
            on_behalf_of: None,
            payment_method: Ref {
                kind: &kinds::PAYMENT_METHOD,
                id: attempt.payment_method.id,
            },
            payment_method_details: AttemptDetailsShown {
                acss_debit: debit(PaymentMethodType::AcssDebit),
                au_becs_debit: debit(PaymentMethodType::AuBecsDebit),
                bacs_debit: debit(PaymentMethodType::BacsDebit),
                sepa_debit: debit(PaymentMethodType::SepaDebit),
                us_bank_account: debit(PaymentMethodType::UsBankAccount),
                card: AttemptCardShown::of(attempt, context),
                kind: attempt.payment_method.instrument.kind().name(),
            },
            setup_error,
            setup_intent: Ref {
                kind: &kinds::SETUP_INTENT,
                id: attempt.setup_intent,
            },
            status: attempt.state.name(),
            usage: attempt.usage,
        }
    }
}

impl<'a> AttemptCardShown<'a> {
    fn of(attempt: &'a SetupAttempt, context: &ShowContext<'_>) -> Option<Self> {
        let card = CardShown::of(&attempt.payment_method, context.secrets)?;
        Some(AttemptCardShown {
            brand: card.brand,
            checks: card.checks,
            country: card.country,
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            fingerprint: card.fingerprint,
            funding: card.funding,
            last4: card.last4,
            network: card.brand,
            three_d_secure: match attempt.imported.as_deref() {
                Some(imported) => Some(ThreeDSecureShown::imported(imported)),
                None => attempt
                    .three_d_secure
                    .map(|result| ThreeDSecureShown::of(result, card.brand, attempt.id)),
            },
            wallet: card.wallet,
        })
    }
}
