//! What ways to pay on another company's page show.

use super::RedirectMethod;
use crate::payments::payment_method::{BillingDetails, Instrument, PaymentMethodType};
use tollgate_resource::Shown;

/// A way to pay of which nothing is known.
#[derive(Shown)]
pub struct EmptyShown {}

/// A bank in Austria.
#[derive(Shown)]
pub struct EpsShown<'a> {
    /// Which.
    pub bank: Option<&'a str>,
}

/// A bank in the Netherlands.
#[derive(Shown)]
pub struct IdealShown<'a> {
    /// Which.
    pub bank: Option<&'a str>,
    /// The bank's international code; known when somebody has paid.
    pub bic: Option<&'a str>,
}

/// A bank in Poland.
#[derive(Shown)]
pub struct P24Shown<'a> {
    /// Which.
    pub bank: Option<&'a str>,
}

/// What Klarna was told.
#[derive(Shown)]
pub struct KlarnaShown {
    /// When the payer was born; left out where that was not said.
    #[shown(omit)]
    pub dob: Option<DobShown>,
}

/// A date of birth.
#[derive(Shown)]
pub struct DobShown {
    /// Day of the month.
    pub day: Option<i64>,
    /// Month.
    pub month: Option<i64>,
    /// Year.
    pub year: Option<i64>,
}

/// Details that the payer has saved.
#[derive(Shown)]
pub struct LinkShown<'a> {
    /// The address they are saved under.
    pub email: Option<&'a str>,
}

/// An account with PayPal.
#[derive(Shown)]
pub struct PaypalShown<'a> {
    /// The payer's country.
    pub country: Option<&'a str>,
    /// The same for every payment method of this account.
    pub fingerprint: Option<&'a str>,
    /// The address of the account.
    pub payer_email: Option<&'a str>,
    /// PayPal's name of the account.
    pub payer_id: Option<&'a str>,
}

/// What a way to pay shows under the name of its type; the members of the others are absent.
#[derive(Default)]
pub(crate) struct RedirectsShown<'a> {
    pub(crate) affirm: Option<EmptyShown>,
    pub(crate) afterpay_clearpay: Option<EmptyShown>,
    pub(crate) alipay: Option<EmptyShown>,
    pub(crate) amazon_pay: Option<EmptyShown>,
    pub(crate) bancontact: Option<EmptyShown>,
    pub(crate) eps: Option<EpsShown<'a>>,
    pub(crate) ideal: Option<IdealShown<'a>>,
    pub(crate) klarna: Option<KlarnaShown>,
    pub(crate) link: Option<LinkShown<'a>>,
    pub(crate) p24: Option<P24Shown<'a>>,
    pub(crate) paypal: Option<PaypalShown<'a>>,
    pub(crate) revolut_pay: Option<EmptyShown>,
}

impl<'a> RedirectsShown<'a> {
    /// What `instrument` shows; nothing for cards and bank accounts.
    pub(crate) fn of(instrument: &'a Instrument, billing: Option<&'a BillingDetails>) -> Self {
        let mut shown = RedirectsShown::default();
        let Some(method) = instrument.redirect() else {
            return shown;
        };
        let bank = method.bank.as_deref();
        match method.kind {
            PaymentMethodType::Affirm => shown.affirm = Some(EmptyShown {}),
            PaymentMethodType::AfterpayClearpay => shown.afterpay_clearpay = Some(EmptyShown {}),
            PaymentMethodType::Alipay => shown.alipay = Some(EmptyShown {}),
            PaymentMethodType::AmazonPay => shown.amazon_pay = Some(EmptyShown {}),
            PaymentMethodType::Bancontact => shown.bancontact = Some(EmptyShown {}),
            PaymentMethodType::RevolutPay => shown.revolut_pay = Some(EmptyShown {}),
            PaymentMethodType::Eps => shown.eps = Some(EpsShown { bank }),
            PaymentMethodType::Ideal => shown.ideal = Some(IdealShown { bank, bic: None }),
            PaymentMethodType::Klarna => shown.klarna = Some(KlarnaShown { dob: method.dob() }),
            PaymentMethodType::Link => {
                let email = billing.and_then(|billing| billing.email.as_deref());
                shown.link = Some(LinkShown { email });
            }
            PaymentMethodType::P24 => shown.p24 = Some(P24Shown { bank }),
            PaymentMethodType::Paypal => {
                shown.paypal = Some(PaypalShown {
                    country: None,
                    fingerprint: None,
                    payer_email: None,
                    payer_id: None,
                });
            }
            PaymentMethodType::AcssDebit
            | PaymentMethodType::AuBecsDebit
            | PaymentMethodType::BacsDebit
            | PaymentMethodType::Card
            | PaymentMethodType::SepaDebit
            | PaymentMethodType::UsBankAccount => unreachable!("nobody is sent to another page for {:?}", method.kind),
        }
        shown
    }
}

impl RedirectMethod {
    fn dob(&self) -> Option<DobShown> {
        self.born.map(|born| DobShown {
            day: Some(i64::from(born.day)),
            month: Some(i64::from(born.month)),
            year: Some(i64::from(born.year)),
        })
    }
}
