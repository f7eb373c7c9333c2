//! What stands once for each type of payment method: parameters and shown fields.

use super::{ConfiguredMethod, PaymentMethodConfiguration};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::Ident;
use tollgate_resource::{Names, Params, Shown};

/// Whether a type of payment method is to be offered, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct MethodParams {
    /// Whether it is to be offered.
    pub display_preference: Option<DisplayPreferenceParams>,
}

/// Whether a type of payment method is to be offered, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct DisplayPreferenceParams {
    /// Whether it is to be offered; `none` leaves that to the defaults.
    pub preference: Option<Preference>,
}

/// What an account says of a type of payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum Preference {
    /// Nothing: the default holds.
    None,
    /// It is not offered.
    Off,
    /// It is offered.
    On,
}

/// What a configuration says of a type of payment method.
#[derive(Shown)]
pub struct MethodShown {
    /// Whether payments by it can be made on this account.
    pub available: bool,
    /// Whether it is offered.
    pub display_preference: DisplayPreferenceShown,
}

/// Whether a type of payment method is offered.
#[derive(Shown)]
pub struct DisplayPreferenceShown {
    /// Whether an account below may say otherwise.
    pub overridable: Option<bool>,
    /// What the account says.
    pub preference: Preference,
    /// What holds.
    pub value: Preference,
}

macro_rules! methods {
    ($($variant:ident $word:ident;)*) => {
        /// What a new configuration offers.
        #[derive(Params, Default, Clone, Debug)]
        pub struct CreatePaymentMethodConfiguration {
            $(
                /// Whether this type of payment method is offered.
                pub $word: Option<MethodParams>,
            )*
            /// What the merchant calls it.
            #[param(max_len = 100)]
            pub name: Option<Box<str>>,
        }

        /// What changes about a configuration.
        #[derive(Params, Default, Clone, Debug)]
        pub struct UpdatePaymentMethodConfiguration {
            /// Whether it can be used.
            pub active: Option<bool>,
            $(
                /// Whether this type of payment method is offered.
                pub $word: Option<MethodParams>,
            )*
            /// What the merchant calls it.
            #[param(max_len = 100)]
            pub name: Option<Box<str>>,
        }

        impl CreatePaymentMethodConfiguration {
            /// What is said of each type that something is said of.
            pub(super) fn preferences(&self) -> Vec<(ConfiguredMethod, Preference)> {
                let said = [$((ConfiguredMethod::$variant, &self.$word)),*];
                said.into_iter().filter_map(stated).collect()
            }
        }

        impl UpdatePaymentMethodConfiguration {
            /// What is said of each type that something is said of.
            pub(super) fn preferences(&self) -> Vec<(ConfiguredMethod, Preference)> {
                let said = [$((ConfiguredMethod::$variant, &self.$word)),*];
                said.into_iter().filter_map(stated).collect()
            }
        }

        /// Which payment methods are offered to payers.
        #[derive(Shown)]
        #[shown(object = "payment_method_configuration")]
        pub struct PaymentMethodConfigurationShown<'a> {
            /// Unique identifier.
            pub id: Ident,
            /// Whether it can be used.
            pub active: bool,
            /// The Connect application that made it.
            pub application: Option<&'a str>,
            $(
                /// Whether this type of payment method is offered.
                pub $word: MethodShown,
            )*
            /// Whether it holds for payments that name none.
            pub is_default: bool,
            /// Whether it belongs to live mode.
            pub livemode: bool,
            /// What the merchant calls it.
            pub name: &'a str,
            /// The configuration whose defaults it takes.
            pub parent: Option<&'a str>,
        }

        impl<'a> PaymentMethodConfigurationShown<'a> {
            /// What `configuration` shows.
            pub fn of(configuration: &'a PaymentMethodConfiguration, context: &ShowContext<'_>) -> Self {
                PaymentMethodConfigurationShown {
                    id: Ident {
                        kind: &kinds::PAYMENT_METHOD_CONFIGURATION,
                        id: configuration.id,
                    },
                    active: !configuration.inactive,
                    application: None,
                    $($word: MethodShown::of(configuration, ConfiguredMethod::$variant),)*
                    is_default: configuration.is_default(),
                    livemode: context.livemode,
                    name: &configuration.name,
                    parent: None,
                }
            }
        }
    };
}

methods! {
    AcssDebit acss_debit;
    Affirm affirm;
    AfterpayClearpay afterpay_clearpay;
    Alipay alipay;
    Alma alma;
    AmazonPay amazon_pay;
    ApplePay apple_pay;
    AuBecsDebit au_becs_debit;
    BacsDebit bacs_debit;
    Bancontact bancontact;
    Billie billie;
    Bizum bizum;
    Blik blik;
    Boleto boleto;
    Card card;
    CartesBancaires cartes_bancaires;
    Cashapp cashapp;
    Crypto crypto;
    CustomerBalance customer_balance;
    Eps eps;
    Fpx fpx;
    Giropay giropay;
    GooglePay google_pay;
    Grabpay grabpay;
    Ideal ideal;
    Jcb jcb;
    KakaoPay kakao_pay;
    Klarna klarna;
    Konbini konbini;
    KrCard kr_card;
    Link link;
    MbWay mb_way;
    Mobilepay mobilepay;
    Multibanco multibanco;
    NaverPay naver_pay;
    NzBankAccount nz_bank_account;
    Oxxo oxxo;
    P24 p24;
    PayByBank pay_by_bank;
    Payco payco;
    Paynow paynow;
    Paypal paypal;
    Payto payto;
    Pix pix;
    Promptpay promptpay;
    RevolutPay revolut_pay;
    SamsungPay samsung_pay;
    Satispay satispay;
    Scalapay scalapay;
    SepaDebit sepa_debit;
    Sofort sofort;
    Sunbit sunbit;
    Swish swish;
    Twint twint;
    Upi upi;
    UsBankAccount us_bank_account;
    WechatPay wechat_pay;
    Zip zip;
}

fn stated((method, asked): (ConfiguredMethod, &Option<MethodParams>)) -> Option<(ConfiguredMethod, Preference)> {
    let preference = asked.as_ref()?.display_preference.as_ref()?.preference?;
    Some((method, preference))
}

impl MethodShown {
    fn of(configuration: &PaymentMethodConfiguration, method: ConfiguredMethod) -> MethodShown {
        let value = if configuration.offers(method) {
            Preference::On
        } else {
            Preference::Off
        };
        MethodShown {
            available: method.is_available(),
            display_preference: DisplayPreferenceShown {
                overridable: None,
                // The default configuration always says what holds.
                preference: match configuration.preference(method) {
                    Preference::None if configuration.is_default() => value,
                    preference => preference,
                },
                value,
            },
        }
    }
}
