//! How a card is set up (`payment_method_options[card]`).

use super::SetupIntent;
use crate::decision::Stop;
use crate::money::Currency;
use crate::payments::authentication::{ImportedAuthentication, ImportedAuthenticationParams, ThreeDSecureRequest};
use crate::payments::bank_account::{BankScheme, VerificationMethod};
use crate::payments::payment_intent::{
    AcssOptionsParams, DebitMandateParams, DebitOptionsShown, FinancialConnectionsParams, VerifiedOptionsShown,
};
use crate::payments::payment_method::CardBrand;
use crate::payments::payment_method::PaymentMethodType;
use crate::reject::{Reject, codes};
use tollgate_resource::shown::Seconds;
use tollgate_resource::{Names, Params, Record, Shown, Update};

/// How a card is set up.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct CardOptions {
    /// When the cardholder must prove who they are; `None` where nothing was said.
    #[record(1)]
    pub request_three_d_secure: Option<ThreeDSecureRequest>,
    /// The network to use, of those on the card.
    #[record(2)]
    pub network: Option<CardBrand>,
    /// What payments to come will look like.
    #[record(3)]
    pub mandate_options: Option<Box<MandateOptions>>,
    /// 3D Secure that another provider did.
    #[record(10)]
    pub imported: Option<Box<ImportedAuthentication>>,
}

/// What payments to come will look like.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct MandateOptions {
    /// How much, in minor units.
    #[record(1)]
    pub amount: i64,
    /// Whether each payment is that amount or at most that amount.
    #[record(2)]
    pub amount_type: AmountType,
    /// The currency of the amount.
    #[record(3)]
    pub currency: Currency,
    /// What the customer reads about it.
    #[record(4)]
    pub description: Option<Box<str>>,
    /// When it ends, in seconds since the Unix epoch.
    #[record(5)]
    pub end_date: Option<i64>,
    /// How often a payment is due.
    #[record(6)]
    pub interval: MandateInterval,
    /// How many intervals lie between two payments.
    #[record(7)]
    pub interval_count: Option<i64>,
    /// The merchant's own number of the agreement.
    #[record(8)]
    pub reference: Box<str>,
    /// When it starts, in seconds since the Unix epoch.
    #[record(9)]
    pub start_date: i64,
    /// The kinds of mandate it may be.
    #[record(10)]
    pub supported_types: Vec<SupportedType>,
}

/// Whether each payment is an amount or at most that amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum AmountType {
    /// That amount.
    #[record(1)]
    Fixed,
    /// At most that amount.
    #[record(2)]
    Maximum,
}

/// How often a payment is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum MandateInterval {
    /// Every day, or every few days.
    #[record(1)]
    Day,
    /// Every month, or every few months.
    #[record(2)]
    Month,
    /// Now and then.
    #[record(3)]
    Sporadic,
    /// Every week, or every few weeks.
    #[record(4)]
    Week,
    /// Every year.
    #[record(5)]
    Year,
}

/// A kind of mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum SupportedType {
    /// By the rules of India.
    #[record(1)]
    India,
}

/// Settings by type of payment method, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct PaymentMethodOptionsParams {
    /// Settings of debits in Canada.
    pub acss_debit: Option<AcssOptionsParams>,
    /// Settings of debits in the United Kingdom.
    pub bacs_debit: Option<SetupDebitOptionsParams>,
    /// Settings of cards.
    pub card: Option<CardOptionsParams>,
    /// Settings of debits in the single euro payments area.
    pub sepa_debit: Option<SetupDebitOptionsParams>,
    /// Settings of debits in the United States.
    pub us_bank_account: Option<SetupUsBankOptionsParams>,
}

/// Settings of debits in the United States, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct SetupUsBankOptionsParams {
    /// What is asked of a linked account. Accounts are entered by number here.
    pub financial_connections: Option<FinancialConnectionsParams>,
    /// How the ownership of the account is shown.
    pub verification_method: Option<VerificationMethod>,
}

/// Settings of debits whose mandates have references, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct SetupDebitOptionsParams {
    /// What the mandate says.
    pub mandate_options: Option<DebitMandateParams>,
}

/// How a card is set up, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct CardOptionsParams {
    /// What payments to come will look like.
    pub mandate_options: Option<MandateOptionsParams>,
    /// The network to use, of those on the card.
    pub network: Update<CardBrand>,
    /// When the cardholder must prove who they are.
    pub request_three_d_secure: Option<ThreeDSecureRequest>,
    /// How 3D Secure went that another provider did.
    pub three_d_secure: Update<ImportedAuthenticationParams>,
}

/// What payments to come will look like, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct MandateOptionsParams {
    /// How much, in minor units.
    #[param(required, min = 1)]
    pub amount: i64,
    /// Whether each payment is that amount or at most that amount.
    #[param(required)]
    pub amount_type: Option<AmountType>,
    /// Three-letter code of the currency.
    #[param(required)]
    pub currency: Option<Currency>,
    /// What the customer reads about it.
    #[param(max_len = 200)]
    pub description: Option<Box<str>>,
    /// When it ends, in seconds since the Unix epoch.
    pub end_date: Option<i64>,
    /// How often a payment is due.
    #[param(required)]
    pub interval: Option<MandateInterval>,
    /// How many intervals lie between two payments.
    #[param(min = 1)]
    pub interval_count: Option<i64>,
    /// The merchant's own number of the agreement.
    #[param(required, max_len = 80)]
    pub reference: Box<str>,
    /// When it starts, in seconds since the Unix epoch.
    #[param(required)]
    pub start_date: i64,
    /// The kinds of mandate it may be.
    #[param(max_items = 1)]
    pub supported_types: Vec<SupportedType>,
}

/// Settings by type of payment method.
#[derive(Shown)]
pub struct SetupOptionsShown<'a> {
    /// Settings of debits in Canada.
    #[shown(omit)]
    pub acss_debit: Option<VerifiedOptionsShown<'a>>,
    /// Settings of debits in the United Kingdom.
    #[shown(omit)]
    pub bacs_debit: Option<DebitOptionsShown<'a>>,
    /// Settings of cards.
    #[shown(omit)]
    pub card: Option<SetupCardOptionsShown<'a>>,
    /// Settings of debits in the single euro payments area.
    #[shown(omit)]
    pub sepa_debit: Option<DebitOptionsShown<'a>>,
    /// Settings of debits in the United States.
    #[shown(omit)]
    pub us_bank_account: Option<VerifiedOptionsShown<'a>>,
}

/// How a card is set up.
#[derive(Shown)]
pub struct SetupCardOptionsShown<'a> {
    /// What payments to come will look like.
    pub mandate_options: Option<MandateOptionsShown<'a>>,
    /// The network to use, of those on the card.
    pub network: Option<CardBrand>,
    /// When the cardholder must prove who they are.
    pub request_three_d_secure: ThreeDSecureRequest,
}

/// What payments to come will look like.
#[derive(Shown)]
pub struct MandateOptionsShown<'a> {
    /// How much, in minor units.
    pub amount: i64,
    /// Whether each payment is that amount or at most that amount.
    pub amount_type: AmountType,
    /// Three-letter code of the currency.
    pub currency: Currency,
    /// What the customer reads about it.
    pub description: Option<&'a str>,
    /// When it ends.
    pub end_date: Option<Seconds>,
    /// How often a payment is due.
    pub interval: MandateInterval,
    /// How many intervals lie between two payments.
    pub interval_count: Option<i64>,
    /// The merchant's own number of the agreement.
    pub reference: &'a str,
    /// When it starts.
    pub start_date: Seconds,
    /// The kinds of mandate it may be.
    pub supported_types: Option<&'a Vec<SupportedType>>,
}

impl PaymentMethodOptionsParams {
    /// How the ownership of a bank account is to be shown, if that is said.
    pub(super) fn verification(&self) -> Option<VerificationMethod> {
        let us = self
            .us_bank_account
            .as_ref()
            .and_then(|asked| asked.verification_method);
        us.or(self.acss_debit.as_ref().and_then(|asked| asked.verification_method))
    }

    /// Merges what is given into what is kept.
    ///
    /// # Errors
    /// An interval of payments without a count, and a count without an interval.
    pub(super) fn apply_to(&self, kept: &mut Option<Box<CardOptions>>) -> Result<(), Stop> {
        let Some(card) = &self.card else { return Ok(()) };
        let options = kept.get_or_insert_default();
        if let Some(asked) = &card.mandate_options {
            options.mandate_options = Some(Box::new(asked.checked()?));
        }
        card.network.clone().apply_to(&mut options.network);
        match &card.three_d_secure {
            Update::Keep => {}
            Update::Clear => options.imported = None,
            Update::Set(imported) => options.imported = Some(Box::new(imported.into())),
        }
        options.request_three_d_secure = card.request_three_d_secure.or(options.request_three_d_secure);
        Ok(())
    }
}

impl MandateOptionsParams {
    fn checked(&self) -> Result<MandateOptions, Stop> {
        const MADE_SURE: &str = "the form makes sure of required parameters";
        let interval = self.interval.expect(MADE_SURE);
        if interval != MandateInterval::Sporadic && self.interval_count.is_none() {
            let param = "payment_method_options[card][mandate_options][interval_count]";
            let message = format!("Missing required param: {param}.");
            return Err(Reject::invalid(Some(codes::PARAMETER_MISSING), message)
                .with_param(param)
                .into());
        }
        Ok(MandateOptions {
            amount: self.amount,
            amount_type: self.amount_type.expect(MADE_SURE),
            currency: self.currency.expect(MADE_SURE),
            description: self.description.clone(),
            end_date: self.end_date,
            interval,
            interval_count: self.interval_count,
            reference: self.reference.clone(),
            start_date: self.start_date,
            supported_types: self.supported_types.clone(),
        })
    }
}

impl<'a> SetupOptionsShown<'a> {
    /// What the options of an intent show.
    pub(super) fn of(intent: &'a SetupIntent) -> Self {
        let types = intent.types();
        let verification = intent.extras.as_deref().and_then(|extras| extras.verification);
        let verified = |scheme| {
            let shown = VerifiedOptionsShown::of(types, scheme, None)?;
            Some(VerifiedOptionsShown {
                verification_method: verification.unwrap_or(shown.verification_method),
                ..shown
            })
        };
        let options = intent.card_options.as_deref();
        let mandate = options.and_then(|options| options.mandate_options.as_deref());
        SetupOptionsShown {
            acss_debit: verified(BankScheme::AcssDebit),
            bacs_debit: DebitOptionsShown::of(types, BankScheme::BacsDebit, None),
            sepa_debit: DebitOptionsShown::of(types, BankScheme::SepaDebit, None),
            us_bank_account: verified(BankScheme::UsBankAccount),
            card: types.contains(&PaymentMethodType::Card).then(|| SetupCardOptionsShown {
                mandate_options: mandate.map(MandateOptionsShown::of),
                network: options.and_then(|options| options.network),
                request_three_d_secure: options
                    .and_then(|options| options.request_three_d_secure)
                    .unwrap_or_default(),
            }),
        }
    }
}

impl<'a> MandateOptionsShown<'a> {
    fn of(options: &'a MandateOptions) -> Self {
        MandateOptionsShown {
            amount: options.amount,
            amount_type: options.amount_type,
            currency: options.currency,
            description: options.description.as_deref(),
            end_date: options.end_date.map(Seconds),
            interval: options.interval,
            interval_count: options.interval_count,
            reference: &options.reference,
            start_date: Seconds(options.start_date),
            supported_types: Some(&options.supported_types).filter(|types| !types.is_empty()),
        }
    }
}
