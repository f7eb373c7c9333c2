//! `payment_method_options[card]`: settings of card payments.

use super::FutureUsage;
use super::bank_options::{AcssOptionsParams, BankOptions, DebitOptionsParams, UsBankOptionsParams};
use super::particulars::Particulars;
use super::redirect_options::{
    AffirmOptionsParams, AfterpayOptionsParams, BancontactOptionsParams, KlarnaOptionsParams, P24OptionsParams,
    PaypalOptionsParams, SavingOptionsParams, UnsavedOptionsParams, WalletOptionsParams,
};
use crate::kinds::TokenId;
use crate::payments::authentication::{
    Claims, ClaimsAsked, ImportedAuthenticationParams, MitExemptionParams, StoredCredential, ThreeDSecureRequest,
};
use tollgate_resource::{Names, Params, Record, Shown, Update};

/// Settings of card payments, as they are kept.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct PaymentCardOptions {
    /// Whether a card payment is held until the merchant captures it, whatever the intent says.
    #[record(1)]
    pub manual_capture: bool,
    /// Whether paying in parts may be offered.
    #[record(2)]
    pub installments: bool,
    /// The network to use, of those on the card.
    #[record(3)]
    pub network: Option<CardNetwork>,
    /// Whether the hold may last longer than usual.
    #[record(4)]
    pub request_extended_authorization: Option<Availability>,
    /// Whether the held amount may be raised.
    #[record(5)]
    pub request_incremental_authorization: Option<Availability>,
    /// Whether the hold may be captured in parts.
    #[record(6)]
    pub request_multicapture: Option<Availability>,
    /// Whether more than the held amount may be captured.
    #[record(7)]
    pub request_overcapture: Option<Availability>,
    /// When the cardholder is to prove who they are.
    #[record(8)]
    pub request_three_d_secure: Option<ThreeDSecureRequest>,
    /// Whether the security code is to be asked for again.
    #[record(9)]
    pub require_cvc_recollection: bool,
    /// How the card is saved, in place of what the intent says.
    #[record(10)]
    pub setup_future_usage: Option<CardFutureUsage>,
    /// What the cardholder reads behind the account's prefix, in kana.
    #[record(11)]
    pub statement_descriptor_suffix_kana: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix, in kanji.
    #[record(12)]
    pub statement_descriptor_suffix_kanji: Option<Box<str>>,
    /// What the merchant says of how the payment came about.
    #[record(20)]
    pub claims: Option<Box<Claims>>,
}

/// Whether something is wanted of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum Availability {
    /// Where it can be had.
    #[record(1)]
    IfAvailable,
    /// It is not.
    #[record(2)]
    Never,
}

/// How a card is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CardFutureUsage {
    /// It is not.
    #[record(1)]
    None,
    /// For payments without the payer.
    #[record(2)]
    OffSession,
    /// For payments with the payer present.
    #[record(3)]
    OnSession,
}

/// The one capture method that can be asked of cards alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum ManualCapture {
    /// Held until the merchant captures.
    Manual,
}

/// Networks a card payment can be asked to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CardNetwork {
    /// American Express.
    #[record(1)]
    Amex,
    /// Cartes Bancaires.
    #[record(2)]
    CartesBancaires,
    /// Diners Club.
    #[record(3)]
    Diners,
    /// Discover.
    #[record(4)]
    Discover,
    /// Eftpos Australia.
    #[record(5)]
    EftposAu,
    /// Girocard.
    #[record(6)]
    Girocard,
    /// Interac.
    #[record(7)]
    Interac,
    /// JCB.
    #[record(8)]
    Jcb,
    /// Link.
    #[record(9)]
    Link,
    /// Mastercard.
    #[record(10)]
    Mastercard,
    /// UnionPay.
    #[record(11)]
    Unionpay,
    /// Any.
    #[record(12)]
    Unknown,
    /// Visa.
    #[record(13)]
    Visa,
}

/// Settings by type of payment method, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct PaymentOptionsParams {
    /// Settings of debits in Canada.
    pub acss_debit: Option<AcssOptionsParams>,
    /// Settings of Affirm.
    pub affirm: Option<AffirmOptionsParams>,
    /// Settings of Afterpay.
    pub afterpay_clearpay: Option<AfterpayOptionsParams>,
    /// Settings of Alipay.
    pub alipay: Option<SavingOptionsParams>,
    /// Settings of Amazon Pay.
    pub amazon_pay: Option<WalletOptionsParams>,
    /// Settings of debits in Australia.
    pub au_becs_debit: Option<DebitOptionsParams>,
    /// Settings of debits in the United Kingdom.
    pub bacs_debit: Option<DebitOptionsParams>,
    /// Settings of Bancontact.
    pub bancontact: Option<BancontactOptionsParams>,
    /// Settings of cards.
    pub card: Update<PaymentCardOptionsParams>,
    /// Settings of EPS.
    pub eps: Option<UnsavedOptionsParams>,
    /// Settings of iDEAL.
    pub ideal: Option<SavingOptionsParams>,
    /// Settings of Klarna.
    pub klarna: Option<KlarnaOptionsParams>,
    /// Settings of Link.
    pub link: Option<WalletOptionsParams>,
    /// Settings of Przelewy24.
    pub p24: Option<P24OptionsParams>,
    /// Settings of PayPal.
    pub paypal: Option<PaypalOptionsParams>,
    /// Settings of Revolut Pay.
    pub revolut_pay: Option<WalletOptionsParams>,
    /// Settings of debits in the single euro payments area.
    pub sepa_debit: Option<DebitOptionsParams>,
    /// Settings of debits in the United States.
    pub us_bank_account: Option<UsBankOptionsParams>,
}

/// Settings of card payments, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct PaymentCardOptionsParams {
    /// Holds card payments until they are captured, whatever the intent says.
    pub capture_method: Update<ManualCapture>,
    /// The security code of the card, as a token of it. Only where the request confirms.
    pub cvc_token: Option<TokenId>,
    /// Paying in parts.
    pub installments: Option<InstallmentsParams>,
    /// What the cardholder agreed to when the card was saved elsewhere.
    pub mit_exemption: Option<MitExemptionParams>,
    /// Whether the order came by mail or telephone.
    pub moto: Option<bool>,
    /// The network to use, of those on the card.
    pub network: Option<CardNetwork>,
    /// The network's number of the first payment with a card that was saved elsewhere; an older place of it.
    pub network_transaction_id: Option<Box<str>>,
    /// Whether the hold may last longer than usual.
    pub request_extended_authorization: Option<Availability>,
    /// Whether the held amount may be raised.
    pub request_incremental_authorization: Option<Availability>,
    /// Whether the hold may be captured in parts.
    pub request_multicapture: Option<Availability>,
    /// Whether more than the held amount may be captured.
    pub request_overcapture: Option<Availability>,
    /// When the cardholder is to prove who they are.
    pub request_three_d_secure: Option<ThreeDSecureRequest>,
    /// Whether the security code is to be asked for again.
    pub require_cvc_recollection: Option<bool>,
    /// How the card is saved, in place of what the intent says.
    pub setup_future_usage: Update<CardFutureUsage>,
    /// What the cardholder reads behind the account's prefix, in kana.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix_kana: Update<Box<str>>,
    /// What the cardholder reads behind the account's prefix, in kanji.
    #[param(max_len = 17)]
    pub statement_descriptor_suffix_kanji: Update<Box<str>>,
    /// What a payment with a card is that was saved elsewhere.
    pub stored_credential_transaction_type: Option<StoredCredential>,
    /// How 3D Secure went that another provider did.
    pub three_d_secure: Update<ImportedAuthenticationParams>,
}

/// Paying in parts. No test card offers a plan, so none can be chosen.
#[derive(Params, Default, Clone, Debug)]
pub struct InstallmentsParams {
    /// Whether plans are wanted.
    pub enabled: Option<bool>,
}

/// Settings of card payments.
#[derive(Shown)]
pub struct CardOptionsShown<'a> {
    /// When card payments are captured, where the intent says otherwise.
    #[shown(omit)]
    pub capture_method: Option<ManualCapture>,
    /// Paying in parts.
    pub installments: Option<InstallmentsShown<'a>>,
    /// A mandate for payments to come.
    pub mandate_options: Option<&'a str>,
    /// The network to use, of those on the card.
    pub network: Option<CardNetwork>,
    /// Whether the hold may last longer than usual.
    #[shown(omit)]
    pub request_extended_authorization: Option<Availability>,
    /// Whether the held amount may be raised.
    #[shown(omit)]
    pub request_incremental_authorization: Option<Availability>,
    /// Whether the hold may be captured in parts.
    #[shown(omit)]
    pub request_multicapture: Option<Availability>,
    /// Whether more than the held amount may be captured.
    #[shown(omit)]
    pub request_overcapture: Option<Availability>,
    /// When the cardholder must prove who they are.
    pub request_three_d_secure: ThreeDSecureRequest,
    /// Whether the security code is to be asked for again.
    #[shown(omit)]
    pub require_cvc_recollection: Option<bool>,
    /// How the card is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
    /// What the cardholder reads behind the account's prefix, in kana.
    #[shown(omit)]
    pub statement_descriptor_suffix_kana: Option<&'a str>,
    /// What the cardholder reads behind the account's prefix, in kanji.
    #[shown(omit)]
    pub statement_descriptor_suffix_kanji: Option<&'a str>,
}

/// Paying in parts.
#[derive(Shown)]
pub struct InstallmentsShown<'a> {
    /// Plans to choose from.
    pub available_plans: Vec<&'a str>,
    /// Whether plans are wanted.
    pub enabled: bool,
    /// The chosen plan.
    pub plan: Option<&'a str>,
}

impl CardFutureUsage {
    /// The usage, unless it is not saved.
    pub(super) fn usage(self) -> Option<FutureUsage> {
        match self {
            CardFutureUsage::None => None,
            CardFutureUsage::OffSession => Some(FutureUsage::OffSession),
            CardFutureUsage::OnSession => Some(FutureUsage::OnSession),
        }
    }
}

impl PaymentOptionsParams {
    /// The token of the card's security code, if one is named.
    pub(super) fn cvc_token(&self) -> Option<TokenId> {
        match &self.card {
            Update::Set(card) => card.cvc_token,
            Update::Keep | Update::Clear => None,
        }
    }

    /// Merges what is given into what is kept.
    pub(super) fn apply_to(&self, kept: &mut Particulars) {
        self.apply_to_card(&mut kept.card);
        self.apply_to_redirects(&mut kept.redirects);
        let bank = &mut kept.bank;
        if let Some(asked) = &self.us_bank_account {
            let date = asked.target_date.as_deref();
            BankOptions::merge(bank, &asked.setup_future_usage, date, asked.verification_method);
        }
        if let Some(asked) = &self.acss_debit {
            let date = asked.target_date.as_deref();
            BankOptions::merge(bank, &asked.setup_future_usage, date, asked.verification_method);
        }
        for asked in [&self.sepa_debit, &self.bacs_debit, &self.au_becs_debit]
            .into_iter()
            .flatten()
        {
            BankOptions::merge(bank, &asked.setup_future_usage, asked.target_date.as_deref(), None);
        }
    }

    /// Merges what is given into what is kept of cards; an empty `card` forgets it all.
    fn apply_to_card(&self, kept: &mut PaymentCardOptions) {
        let asked = match &self.card {
            Update::Keep => return,
            Update::Clear => return *kept = PaymentCardOptions::default(),
            Update::Set(asked) => asked,
        };
        match asked.capture_method {
            Update::Keep => {}
            Update::Clear => kept.manual_capture = false,
            Update::Set(ManualCapture::Manual) => kept.manual_capture = true,
        }
        if let Some(enabled) = asked.installments.as_ref().and_then(|asked| asked.enabled) {
            kept.installments = enabled;
        }
        kept.network = asked.network.or(kept.network);
        kept.request_extended_authorization = asked
            .request_extended_authorization
            .or(kept.request_extended_authorization);
        kept.request_incremental_authorization = asked
            .request_incremental_authorization
            .or(kept.request_incremental_authorization);
        kept.request_multicapture = asked.request_multicapture.or(kept.request_multicapture);
        kept.request_overcapture = asked.request_overcapture.or(kept.request_overcapture);
        kept.request_three_d_secure = asked.request_three_d_secure.or(kept.request_three_d_secure);
        kept.require_cvc_recollection = asked.require_cvc_recollection.unwrap_or(kept.require_cvc_recollection);
        asked.setup_future_usage.clone().apply_to(&mut kept.setup_future_usage);
        asked
            .statement_descriptor_suffix_kana
            .clone()
            .apply_to(&mut kept.statement_descriptor_suffix_kana);
        asked
            .statement_descriptor_suffix_kanji
            .clone()
            .apply_to(&mut kept.statement_descriptor_suffix_kanji);
        let claims = ClaimsAsked {
            three_d_secure: &asked.three_d_secure,
            moto: asked.moto,
            mit_exemption: asked.mit_exemption.as_ref(),
            network_transaction: asked.network_transaction_id.is_some(),
            stored: asked.stored_credential_transaction_type,
        };
        claims.apply_to(&mut kept.claims);
    }
}

impl<'a> CardOptionsShown<'a> {
    /// What the settings show; an intent without any shows what holds then.
    pub(super) fn of(options: Option<&'a PaymentCardOptions>) -> Self {
        let get = |choose: fn(&'a PaymentCardOptions) -> Option<Availability>| options.and_then(choose);
        CardOptionsShown {
            capture_method: options
                .filter(|options| options.manual_capture)
                .map(|_| ManualCapture::Manual),
            installments: options
                .filter(|options| options.installments)
                .map(|_| InstallmentsShown {
                    available_plans: Vec::new(),
                    enabled: true,
                    plan: None,
                }),
            mandate_options: None,
            network: options.and_then(|options| options.network),
            request_extended_authorization: get(|options| options.request_extended_authorization),
            request_incremental_authorization: get(|options| options.request_incremental_authorization),
            request_multicapture: get(|options| options.request_multicapture),
            request_overcapture: get(|options| options.request_overcapture),
            request_three_d_secure: options
                .and_then(|options| options.request_three_d_secure)
                .unwrap_or_default(),
            require_cvc_recollection: options.filter(|options| options.require_cvc_recollection).map(|_| true),
            setup_future_usage: options.and_then(|options| options.setup_future_usage),
            statement_descriptor_suffix_kana: options
                .and_then(|options| options.statement_descriptor_suffix_kana.as_deref()),
            statement_descriptor_suffix_kanji: options
                .and_then(|options| options.statement_descriptor_suffix_kanji.as_deref()),
        }
    }
}
