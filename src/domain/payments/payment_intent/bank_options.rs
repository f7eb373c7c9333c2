//! Settings of bank debits: `payment_method_options` of their types.

use super::card_options::CardFutureUsage;
use crate::payments::bank_account::{BankScheme, VerificationMethod};
use crate::payments::payment_method::PaymentMethodType;
use tollgate_resource::{Names, Params, Record, Shown, Update};

/// Settings of bank debits.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct BankOptions {
    /// How the ownership of an account is shown.
    #[record(1)]
    pub verification: Option<VerificationMethod>,
    /// How the account is saved, in place of what the intent says.
    #[record(2)]
    pub setup_future_usage: Option<CardFutureUsage>,
    /// When the account is debited, if that was said: a date.
    #[record(3)]
    pub target_date: Option<Box<str>>,
}

/// Settings of debits in the United States, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct UsBankOptionsParams {
    /// What is asked of a linked account. Accounts are entered by number here.
    pub financial_connections: Option<FinancialConnectionsParams>,
    /// How fast the money settles.
    pub preferred_settlement_speed: Update<SettlementSpeed>,
    /// How the account is saved, in place of what the intent says.
    pub setup_future_usage: Update<CardFutureUsage>,
    /// When the account is debited.
    #[param(max_len = 10)]
    pub target_date: Option<Box<str>>,
    /// How the ownership of the account is shown.
    pub verification_method: Option<VerificationMethod>,
}

/// What is asked of a linked account.
#[derive(Params, Default, Clone, Debug)]
pub struct FinancialConnectionsParams {
    /// What may be read of it.
    pub permissions: Vec<LinkPermission>,
    /// What is read of it at once.
    pub prefetch: Vec<LinkPermission>,
    /// Where the payer returns to in an app.
    pub return_url: Option<Box<str>>,
}

/// What may be read of a linked account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum LinkPermission {
    /// How much is on it.
    Balances,
    /// Who owns it.
    Ownership,
    /// That it is debited.
    PaymentMethod,
    /// What moved on it.
    Transactions,
}

/// How fast money settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum SettlementSpeed {
    /// As fast as can be.
    Fastest,
    /// As usual.
    Standard,
}

/// Settings of debits in Canada, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AcssOptionsParams {
    /// What the mandate says.
    pub mandate_options: Option<AcssMandateParams>,
    /// How the account is saved, in place of what the intent says.
    pub setup_future_usage: Update<CardFutureUsage>,
    /// When the account is debited.
    #[param(max_len = 10)]
    pub target_date: Option<Box<str>>,
    /// How the ownership of the account is shown.
    pub verification_method: Option<VerificationMethod>,
}

/// What a mandate for debits in Canada says.
#[derive(Params, Default, Clone, Debug)]
pub struct AcssMandateParams {
    /// How often it is debited, in words.
    #[param(max_len = 500)]
    pub interval_description: Option<Box<str>>,
    /// When it is debited.
    pub payment_schedule: Option<PaymentSchedule>,
    /// Who holds the account.
    pub transaction_type: Option<TransactionType>,
}

/// When an account in Canada is debited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum PaymentSchedule {
    /// At intervals and otherwise.
    Combined,
    /// At intervals.
    Interval,
    /// As needed.
    Sporadic,
}

/// Who holds an account in Canada.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum TransactionType {
    /// A company.
    Business,
    /// A person.
    Personal,
}

/// Settings of debits whose mandates have references, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct DebitOptionsParams {
    /// What the mandate says.
    pub mandate_options: Option<DebitMandateParams>,
    /// How the account is saved, in place of what the intent says.
    pub setup_future_usage: Update<CardFutureUsage>,
    /// When the account is debited.
    #[param(max_len = 10)]
    pub target_date: Option<Box<str>>,
}

/// What a mandate with a reference says.
#[derive(Params, Default, Clone, Debug)]
pub struct DebitMandateParams {
    /// What its reference starts with.
    #[param(max_len = 12)]
    pub reference_prefix: Update<Box<str>>,
}

/// Settings of debits that are verified.
#[derive(Shown)]
pub struct VerifiedOptionsShown<'a> {
    /// How the account is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
    /// When the account is debited.
    #[shown(omit)]
    pub target_date: Option<&'a str>,
    /// How the ownership of the account is shown.
    pub verification_method: VerificationMethod,
}

/// Settings of debits that are not verified.
#[derive(Shown)]
pub struct DebitOptionsShown<'a> {
    /// How the account is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
    /// When the account is debited.
    #[shown(omit)]
    pub target_date: Option<&'a str>,
}

impl BankOptions {
    /// Merges settings into what is kept.
    pub(crate) fn merge(
        kept: &mut Option<Box<BankOptions>>,
        usage: &Update<CardFutureUsage>,
        target_date: Option<&str>,
        verification: Option<VerificationMethod>,
    ) {
        let mut options = kept.take().unwrap_or_default();
        usage.clone().apply_to(&mut options.setup_future_usage);
        options.target_date = target_date.map(Into::into).or(options.target_date);
        options.verification = verification.or(options.verification);
        *kept = Some(options).filter(|options| **options != BankOptions::default());
    }
}

impl<'a> VerifiedOptionsShown<'a> {
    /// What the settings of `scheme` show, if the intent takes that type.
    pub(crate) fn of(
        types: &[PaymentMethodType],
        scheme: BankScheme,
        options: Option<&'a BankOptions>,
    ) -> Option<VerifiedOptionsShown<'a>> {
        types.contains(&scheme.kind()).then(|| VerifiedOptionsShown {
            setup_future_usage: options.and_then(|options| options.setup_future_usage),
            target_date: options.and_then(|options| options.target_date.as_deref()),
            verification_method: options
                .and_then(|options| options.verification)
                .unwrap_or(VerificationMethod::Automatic),
        })
    }
}

impl<'a> DebitOptionsShown<'a> {
    /// What the settings of `scheme` show, if the intent takes that type.
    pub(crate) fn of(
        types: &[PaymentMethodType],
        scheme: BankScheme,
        options: Option<&'a BankOptions>,
    ) -> Option<DebitOptionsShown<'a>> {
        types.contains(&scheme.kind()).then(|| DebitOptionsShown {
            setup_future_usage: options.and_then(|options| options.setup_future_usage),
            target_date: options.and_then(|options| options.target_date.as_deref()),
        })
    }
}
