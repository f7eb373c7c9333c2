//! Settings of ways to pay on another company's page: `payment_method_options` of their types.

use super::card_options::{CardFutureUsage, ManualCapture};
use super::{PaymentIntent, PaymentOptionsParams};
use crate::payments::payment_method::PaymentMethodType;
use tollgate_resource::{Names, Params, Record, Shown, Update};

/// Settings of one type.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RedirectOptions {
    /// Which.
    #[record(1)]
    pub kind: PaymentMethodType,
    /// Whether a payment is held until the merchant captures it, whatever the intent says.
    #[record(2)]
    pub manual_capture: bool,
    /// How it is saved, in place of what the intent says.
    #[record(3)]
    pub setup_future_usage: Option<CardFutureUsage>,
    /// The language of the other page.
    #[record(4)]
    pub locale: Option<Box<str>>,
    /// The merchant's reference, for the other company's lists.
    #[record(5)]
    pub reference: Option<Box<str>>,
}

/// How a type is saved that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum NeverSaved {
    /// It is not.
    None,
}

/// How a type is saved that can be used without the payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum LaterUsage {
    /// It is not.
    None,
    /// For payments without the payer.
    OffSession,
}

/// Languages of Bancontact's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum BancontactLanguage {
    /// German.
    De,
    /// English.
    En,
    /// French.
    Fr,
    /// Dutch.
    Nl,
}

/// Settings of Affirm, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AffirmOptionsParams {
    /// Holds payments until they are captured, whatever the intent says.
    pub capture_method: Update<ManualCapture>,
    /// The language of its page.
    #[param(max_len = 30)]
    pub preferred_locale: Update<Box<str>>,
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<NeverSaved>,
}

/// Settings of Afterpay, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AfterpayOptionsParams {
    /// Holds payments until they are captured, whatever the intent says.
    pub capture_method: Update<ManualCapture>,
    /// The merchant's reference, for Afterpay's lists.
    #[param(max_len = 128)]
    pub reference: Update<Box<str>>,
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<NeverSaved>,
}

/// Settings of a type that is only said how it is saved, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct SavingOptionsParams {
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<LaterUsage>,
}

/// Settings of a type that is never saved, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct UnsavedOptionsParams {
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<NeverSaved>,
}

/// Settings of a wallet, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct WalletOptionsParams {
    /// Holds payments until they are captured, whatever the intent says.
    pub capture_method: Update<ManualCapture>,
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<LaterUsage>,
}

/// Settings of Bancontact, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct BancontactOptionsParams {
    /// The language of its page.
    pub preferred_language: Option<BancontactLanguage>,
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<LaterUsage>,
}

/// Settings of Klarna, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct KlarnaOptionsParams {
    /// Holds payments until they are captured, whatever the intent says.
    pub capture_method: Update<ManualCapture>,
    /// The language of its page.
    #[param(max_len = 5)]
    pub preferred_locale: Option<Box<str>>,
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<CardFutureUsage>,
}

/// Settings of Przelewy24, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct P24OptionsParams {
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<NeverSaved>,
    /// Whether the payer was shown its terms and agreed.
    pub tos_shown_and_accepted: Option<bool>,
}

/// Settings of PayPal, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct PaypalOptionsParams {
    /// Holds payments until they are captured, whatever the intent says.
    pub capture_method: Update<ManualCapture>,
    /// The language of its page.
    #[param(max_len = 5)]
    pub preferred_locale: Option<Box<str>>,
    /// The merchant's reference, for PayPal's lists.
    #[param(max_len = 127)]
    pub reference: Option<Box<str>>,
    /// What PayPal's script told of the payer's device.
    #[param(max_len = 32)]
    pub risk_correlation_id: Option<Box<str>>,
    /// How it is saved, in place of what the intent says.
    pub setup_future_usage: Update<LaterUsage>,
}

/// What a request changes of one type's settings.
#[derive(Default)]
struct Asked<'a> {
    capture_method: Update<ManualCapture>,
    setup_future_usage: Update<CardFutureUsage>,
    locale: Update<&'a str>,
    reference: Update<&'a str>,
}

/// Settings of ways to pay that say no more than how they are captured and saved.
#[derive(Shown)]
pub struct RedirectOptionsShown {
    /// When payments are captured, where the intent says otherwise.
    #[shown(omit)]
    pub capture_method: Option<ManualCapture>,
    /// How it is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
}

/// Settings of Affirm.
#[derive(Shown)]
pub struct AffirmOptionsShown<'a> {
    /// When payments are captured, where the intent says otherwise.
    #[shown(omit)]
    pub capture_method: Option<ManualCapture>,
    /// The language of its page.
    #[shown(omit)]
    pub preferred_locale: Option<&'a str>,
    /// How it is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
}

/// Settings of Afterpay.
#[derive(Shown)]
pub struct AfterpayOptionsShown<'a> {
    /// When payments are captured, where the intent says otherwise.
    #[shown(omit)]
    pub capture_method: Option<ManualCapture>,
    /// The merchant's reference, for Afterpay's lists.
    pub reference: Option<&'a str>,
    /// How it is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
}

/// Settings of Bancontact.
#[derive(Shown)]
pub struct BancontactOptionsShown<'a> {
    /// The language of its page.
    pub preferred_language: &'a str,
    /// How it is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
}

/// Settings of Klarna.
#[derive(Shown)]
pub struct KlarnaOptionsShown<'a> {
    /// When payments are captured, where the intent says otherwise.
    #[shown(omit)]
    pub capture_method: Option<ManualCapture>,
    /// The language of its page.
    pub preferred_locale: Option<&'a str>,
    /// How it is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
}

/// Settings of PayPal.
#[derive(Shown)]
pub struct PaypalOptionsShown<'a> {
    /// When payments are captured, where the intent says otherwise.
    #[shown(omit)]
    pub capture_method: Option<ManualCapture>,
    /// The language of its page.
    pub preferred_locale: Option<&'a str>,
    /// The merchant's reference, for PayPal's lists.
    pub reference: Option<&'a str>,
    /// How it is saved, in place of what the intent says.
    #[shown(omit)]
    pub setup_future_usage: Option<CardFutureUsage>,
}

impl From<NeverSaved> for CardFutureUsage {
    fn from(_: NeverSaved) -> Self {
        CardFutureUsage::None
    }
}

impl From<LaterUsage> for CardFutureUsage {
    fn from(usage: LaterUsage) -> Self {
        match usage {
            LaterUsage::None => CardFutureUsage::None,
            LaterUsage::OffSession => CardFutureUsage::OffSession,
        }
    }
}

impl RedirectOptions {
    fn of(kind: PaymentMethodType) -> RedirectOptions {
        RedirectOptions {
            kind,
            manual_capture: false,
            setup_future_usage: None,
            locale: None,
            reference: None,
        }
    }
}

impl PaymentOptionsParams {
    /// Merges what is given of other companies' types into what is kept, each type on its own.
    pub(super) fn apply_to_redirects(&self, kept: &mut Vec<RedirectOptions>) {
        use PaymentMethodType as Type;
        if let Some(asked) = &self.affirm {
            let locale = text_of(&asked.preferred_locale);
            let asked = Asked {
                locale,
                ..wallet(&asked.capture_method, &asked.setup_future_usage)
            };
            asked.merge(kept, Type::Affirm);
        }
        if let Some(asked) = &self.afterpay_clearpay {
            let reference = text_of(&asked.reference);
            let asked = Asked {
                reference,
                ..wallet(&asked.capture_method, &asked.setup_future_usage)
            };
            asked.merge(kept, Type::AfterpayClearpay);
        }
        for (kind, asked) in [(Type::Alipay, &self.alipay), (Type::Ideal, &self.ideal)] {
            if let Some(asked) = asked {
                wallet(&Update::Keep, &asked.setup_future_usage).merge(kept, kind);
            }
        }
        for (kind, asked) in [
            (Type::AmazonPay, &self.amazon_pay),
            (Type::Link, &self.link),
            (Type::RevolutPay, &self.revolut_pay),
        ] {
            if let Some(asked) = asked {
                wallet(&asked.capture_method, &asked.setup_future_usage).merge(kept, kind);
            }
        }
        if let Some(asked) = &self.bancontact {
            let locale = given(asked.preferred_language.map(|language| language.name()));
            let asked = Asked {
                locale,
                ..wallet(&Update::Keep, &asked.setup_future_usage)
            };
            asked.merge(kept, Type::Bancontact);
        }
        if let Some(asked) = &self.eps {
            wallet(&Update::Keep, &asked.setup_future_usage).merge(kept, Type::Eps);
        }
        if let Some(asked) = &self.klarna {
            let locale = given(asked.preferred_locale.as_deref());
            let asked = Asked {
                locale,
                ..wallet(&asked.capture_method, &asked.setup_future_usage)
            };
            asked.merge(kept, Type::Klarna);
        }
        if let Some(asked) = &self.p24 {
            wallet(&Update::Keep, &asked.setup_future_usage).merge(kept, Type::P24);
        }
        if let Some(asked) = &self.paypal {
            let asked = Asked {
                locale: given(asked.preferred_locale.as_deref()),
                reference: given(asked.reference.as_deref()),
                ..wallet(&asked.capture_method, &asked.setup_future_usage)
            };
            asked.merge(kept, Type::Paypal);
        }
    }
}

/// What every type may be told.
fn wallet<'a, U: Copy + Into<CardFutureUsage>>(
    capture_method: &Update<ManualCapture>,
    setup_future_usage: &Update<U>,
) -> Asked<'a> {
    Asked {
        capture_method: capture_method.clone(),
        setup_future_usage: match setup_future_usage {
            Update::Keep => Update::Keep,
            Update::Clear => Update::Clear,
            Update::Set(usage) => Update::Set((*usage).into()),
        },
        ..Asked::default()
    }
}

fn text_of(text: &Update<Box<str>>) -> Update<&str> {
    match text {
        Update::Keep => Update::Keep,
        Update::Clear => Update::Clear,
        Update::Set(text) => Update::Set(text),
    }
}

fn given(text: Option<&str>) -> Update<&str> {
    text.map_or(Update::Keep, Update::Set)
}

impl Asked<'_> {
    /// Changes what is kept of a type; a type without settings is not kept.
    fn merge(self, kept: &mut Vec<RedirectOptions>, kind: PaymentMethodType) {
        let at = kept.iter().position(|options| options.kind == kind);
        let mut options = at.map_or_else(|| RedirectOptions::of(kind), |at| kept.swap_remove(at));
        match self.capture_method {
            Update::Keep => {}
            Update::Clear => options.manual_capture = false,
            Update::Set(ManualCapture::Manual) => options.manual_capture = true,
        }
        self.setup_future_usage.apply_to(&mut options.setup_future_usage);
        for (asked, kept) in [
            (self.locale, &mut options.locale),
            (self.reference, &mut options.reference),
        ] {
            match asked {
                Update::Keep => {}
                Update::Clear => *kept = None,
                Update::Set(text) => *kept = Some(text.into()),
            }
        }
        if options != RedirectOptions::of(kind) {
            kept.push(options);
            kept.sort_by_key(|options| options.kind.name());
        }
    }
}

impl PaymentIntent {
    /// Settings of a type that is agreed to on another company's page, where there are any.
    pub(super) fn redirect_options(&self, kind: PaymentMethodType) -> Option<&RedirectOptions> {
        let all = &self.particulars.as_deref()?.redirects;
        all.iter().find(|options| options.kind == kind)
    }

    /// What the settings of a type show, if the intent takes it.
    pub(super) fn shown_redirect(&self, kind: PaymentMethodType) -> Option<RedirectOptionsShown> {
        let options = self.redirect_options(kind);
        self.types().contains(&kind).then(|| RedirectOptionsShown {
            capture_method: capture_of(options),
            setup_future_usage: usage_of(options),
        })
    }

    /// What the settings of Affirm show, if the intent takes it.
    pub(super) fn shown_affirm(&self) -> Option<AffirmOptionsShown<'_>> {
        let options = self.redirect_options(PaymentMethodType::Affirm);
        let shown = self.types().contains(&PaymentMethodType::Affirm);
        shown.then(|| AffirmOptionsShown {
            capture_method: capture_of(options),
            preferred_locale: locale_of(options),
            setup_future_usage: usage_of(options),
        })
    }

    /// What the settings of Afterpay show, if the intent takes it.
    pub(super) fn shown_afterpay(&self) -> Option<AfterpayOptionsShown<'_>> {
        let options = self.redirect_options(PaymentMethodType::AfterpayClearpay);
        let shown = self.types().contains(&PaymentMethodType::AfterpayClearpay);
        shown.then(|| AfterpayOptionsShown {
            capture_method: capture_of(options),
            reference: options.and_then(|options| options.reference.as_deref()),
            setup_future_usage: usage_of(options),
        })
    }

    /// What the settings of Bancontact show, if the intent takes it.
    pub(super) fn shown_bancontact(&self) -> Option<BancontactOptionsShown<'_>> {
        let options = self.redirect_options(PaymentMethodType::Bancontact);
        let shown = self.types().contains(&PaymentMethodType::Bancontact);
        shown.then(|| BancontactOptionsShown {
            preferred_language: locale_of(options).unwrap_or(BancontactLanguage::En.name()),
            setup_future_usage: usage_of(options),
        })
    }

    /// What the settings of Klarna show, if the intent takes it.
    pub(super) fn shown_klarna(&self) -> Option<KlarnaOptionsShown<'_>> {
        let options = self.redirect_options(PaymentMethodType::Klarna);
        let shown = self.types().contains(&PaymentMethodType::Klarna);
        shown.then(|| KlarnaOptionsShown {
            capture_method: capture_of(options),
            preferred_locale: locale_of(options),
            setup_future_usage: usage_of(options),
        })
    }

    /// What the settings of PayPal show, if the intent takes it.
    pub(super) fn shown_paypal(&self) -> Option<PaypalOptionsShown<'_>> {
        let options = self.redirect_options(PaymentMethodType::Paypal);
        let shown = self.types().contains(&PaymentMethodType::Paypal);
        shown.then(|| PaypalOptionsShown {
            capture_method: capture_of(options),
            preferred_locale: locale_of(options),
            reference: options.and_then(|options| options.reference.as_deref()),
            setup_future_usage: usage_of(options),
        })
    }
}

fn capture_of(options: Option<&RedirectOptions>) -> Option<ManualCapture> {
    options
        .filter(|options| options.manual_capture)
        .map(|_| ManualCapture::Manual)
}

fn usage_of(options: Option<&RedirectOptions>) -> Option<CardFutureUsage> {
    options.and_then(|options| options.setup_future_usage)
}

fn locale_of(options: Option<&RedirectOptions>) -> Option<&str> {
    options.and_then(|options| options.locale.as_deref())
}
