//! What a charge shows that was paid on a page of another company.

use super::Charge;
use crate::payments::payment_method::PaymentMethodType;
use tollgate_resource::Shown;

/// What a wallet paid with; empty, because no test wallet tells.
#[derive(Shown)]
pub struct FundingShown<'a> {
    /// Which kind of thing.
    #[shown(name = "type")]
    pub kind: Option<&'a str>,
}

/// Affirm, as it paid.
#[derive(Shown)]
pub struct ChargeAffirmShown<'a> {
    /// The terminal location.
    pub location: Option<&'a str>,
    /// The terminal reader.
    pub reader: Option<&'a str>,
    /// The company's own number of it.
    pub transaction_id: Option<String>,
}

/// Afterpay, or Clearpay, as it paid.
#[derive(Shown)]
pub struct ChargeAfterpayClearpayShown<'a> {
    /// The company's own number of it.
    pub order_id: Option<String>,
    /// What the company was given to know it by.
    pub reference: Option<&'a str>,
}

/// Alipay, as it paid.
#[derive(Shown)]
pub struct ChargeAlipayShown<'a> {
    /// Who paid, in the words of the company.
    pub buyer_id: Option<&'a str>,
    /// The same for every payment by this payer.
    pub fingerprint: Option<&'a str>,
    /// The company's own number of it.
    pub transaction_id: Option<String>,
}

/// Amazon Pay, as it paid.
#[derive(Shown)]
pub struct ChargeAmazonPayShown<'a> {
    /// What the wallet paid with.
    pub funding: FundingShown<'a>,
    /// The company's own number of it.
    pub transaction_id: Option<String>,
}

/// A bank in Belgium, as it paid.
#[derive(Shown)]
pub struct ChargeBancontactShown<'a> {
    /// The bank.
    pub bank_code: Option<&'a str>,
    /// Its name.
    pub bank_name: Option<&'a str>,
    /// Its international code.
    pub bic: Option<&'a str>,
    /// The payment method that was made of it.
    pub generated_sepa_debit: Option<&'a str>,
    /// The mandate that was made of it.
    pub generated_sepa_debit_mandate: Option<&'a str>,
    /// The last four digits of the account.
    pub iban_last4: Option<&'a str>,
    /// The language of the page.
    pub preferred_language: Option<&'a str>,
    /// Whose account it is.
    pub verified_name: Option<&'a str>,
}

/// A bank in Austria, as it paid.
#[derive(Shown)]
pub struct ChargeEpsShown<'a> {
    /// The bank.
    pub bank: Option<&'a str>,
    /// Whose account it is.
    pub verified_name: Option<&'a str>,
}

/// A bank in the Netherlands, as it paid.
#[derive(Shown)]
pub struct ChargeIdealShown<'a> {
    /// The bank.
    pub bank: Option<&'a str>,
    /// Its international code.
    pub bic: Option<&'a str>,
    /// The payment method that was made of it.
    pub generated_sepa_debit: Option<&'a str>,
    /// The mandate that was made of it.
    pub generated_sepa_debit_mandate: Option<&'a str>,
    /// The last four digits of the account.
    pub iban_last4: Option<&'a str>,
    /// The bank's own number of it.
    pub transaction_id: Option<String>,
    /// Whose account it is.
    pub verified_name: Option<&'a str>,
}

/// Klarna, as it paid.
#[derive(Shown)]
pub struct ChargeKlarnaShown<'a> {
    /// Who paid.
    pub payer_details: Option<&'a str>,
    /// How it is paid.
    pub payment_method_category: Option<&'a str>,
    /// The language of the page.
    pub preferred_locale: Option<&'a str>,
}

/// Link, as it paid.
#[derive(Shown)]
pub struct ChargeLinkShown<'a> {
    /// The country of what was paid with.
    pub country: Option<&'a str>,
}

/// A bank in Poland, as it paid.
#[derive(Shown)]
pub struct ChargeP24Shown<'a> {
    /// The bank.
    pub bank: Option<&'a str>,
    /// The bank's own number of it.
    pub reference: Option<String>,
    /// Whose account it is.
    pub verified_name: Option<&'a str>,
}

/// PayPal, as it paid.
#[derive(Shown)]
pub struct ChargePaypalShown<'a> {
    /// The payer's country.
    pub country: Option<&'a str>,
    /// The address of the account.
    pub payer_email: Option<&'a str>,
    /// PayPal's name of the account.
    pub payer_id: Option<&'a str>,
    /// Who paid.
    pub payer_name: Option<&'a str>,
    /// Whether the merchant is protected.
    pub seller_protection: Option<&'a str>,
    /// The company's own number of it.
    pub transaction_id: Option<String>,
}

/// Revolut Pay, as it paid.
#[derive(Shown)]
pub struct ChargeRevolutPayShown<'a> {
    /// What the wallet paid with.
    pub funding: FundingShown<'a>,
    /// The company's own number of it.
    pub transaction_id: Option<String>,
}

/// What was paid with, under the name of its type; the members of the others are absent.
#[derive(Default)]
pub(super) struct ChargeRedirectsShown<'a> {
    pub(super) affirm: Option<ChargeAffirmShown<'a>>,
    pub(super) afterpay_clearpay: Option<ChargeAfterpayClearpayShown<'a>>,
    pub(super) alipay: Option<ChargeAlipayShown<'a>>,
    pub(super) amazon_pay: Option<ChargeAmazonPayShown<'a>>,
    pub(super) bancontact: Option<ChargeBancontactShown<'a>>,
    pub(super) eps: Option<ChargeEpsShown<'a>>,
    pub(super) ideal: Option<ChargeIdealShown<'a>>,
    pub(super) klarna: Option<ChargeKlarnaShown<'a>>,
    pub(super) link: Option<ChargeLinkShown<'a>>,
    pub(super) p24: Option<ChargeP24Shown<'a>>,
    pub(super) paypal: Option<ChargePaypalShown<'a>>,
    pub(super) revolut_pay: Option<ChargeRevolutPayShown<'a>>,
}

impl<'a> ChargeRedirectsShown<'a> {
    /// What `charge` shows; nothing for one on a card or a bank account.
    pub(super) fn of(charge: &'a Charge) -> Self {
        let mut shown = ChargeRedirectsShown::default();
        let Some(method) = charge.instrument.redirect() else {
            return shown;
        };
        let bank = method.bank.as_deref();
        // Twelve digits that follow from the charge's id, as a test company would give.
        let number = || format!("{:012}", charge.id.bits() % 1_000_000_000_000);
        match method.kind {
            PaymentMethodType::Affirm => {
                shown.affirm = Some(ChargeAffirmShown {
                    location: None,
                    reader: None,
                    transaction_id: Some(number()),
                });
            }
            PaymentMethodType::AfterpayClearpay => {
                shown.afterpay_clearpay = Some(ChargeAfterpayClearpayShown {
                    order_id: Some(number()),
                    reference: None,
                });
            }
            PaymentMethodType::Alipay => {
                shown.alipay = Some(ChargeAlipayShown {
                    buyer_id: None,
                    fingerprint: None,
                    transaction_id: Some(number()),
                });
            }
            PaymentMethodType::AmazonPay => {
                shown.amazon_pay = Some(ChargeAmazonPayShown {
                    funding: FundingShown { kind: None },
                    transaction_id: Some(number()),
                });
            }
            PaymentMethodType::Bancontact => {
                shown.bancontact = Some(ChargeBancontactShown {
                    bank_code: None,
                    bank_name: None,
                    bic: None,
                    generated_sepa_debit: None,
                    generated_sepa_debit_mandate: None,
                    iban_last4: None,
                    preferred_language: None,
                    verified_name: None,
                });
            }
            PaymentMethodType::Eps => {
                shown.eps = Some(ChargeEpsShown {
                    bank,
                    verified_name: None,
                });
            }
            PaymentMethodType::Ideal => {
                shown.ideal = Some(ChargeIdealShown {
                    bank,
                    bic: None,
                    generated_sepa_debit: None,
                    generated_sepa_debit_mandate: None,
                    iban_last4: None,
                    transaction_id: Some(number()),
                    verified_name: None,
                });
            }
            PaymentMethodType::Klarna => {
                shown.klarna = Some(ChargeKlarnaShown {
                    payer_details: None,
                    payment_method_category: None,
                    preferred_locale: None,
                });
            }
            PaymentMethodType::Link => {
                shown.link = Some(ChargeLinkShown { country: None });
            }
            PaymentMethodType::P24 => {
                shown.p24 = Some(ChargeP24Shown {
                    bank,
                    reference: Some(number()),
                    verified_name: None,
                });
            }
            PaymentMethodType::Paypal => {
                shown.paypal = Some(ChargePaypalShown {
                    country: None,
                    payer_email: None,
                    payer_id: None,
                    payer_name: None,
                    seller_protection: None,
                    transaction_id: Some(number()),
                });
            }
            PaymentMethodType::RevolutPay => {
                shown.revolut_pay = Some(ChargeRevolutPayShown {
                    funding: FundingShown { kind: None },
                    transaction_id: Some(number()),
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
