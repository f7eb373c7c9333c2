//! Types of payment methods: the ones that are offered, as parameters and as text.

use crate::money::Money;
use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::{Names, ParamKind, ParamValue, Problem, Record, Step};

/// A type of payment method that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum PaymentMethodType {
    /// A debit of a bank account in Canada.
    #[record(4)]
    AcssDebit,
    /// Affirm: paid later, in parts.
    #[record(20)]
    Affirm,
    /// Afterpay, or Clearpay: paid later, in parts.
    #[record(21)]
    AfterpayClearpay,
    /// Alipay: a wallet.
    #[record(22)]
    Alipay,
    /// Amazon Pay: a wallet.
    #[record(23)]
    AmazonPay,
    /// A debit of a bank account in Australia.
    #[record(6)]
    AuBecsDebit,
    /// A debit of a bank account in the United Kingdom.
    #[record(5)]
    BacsDebit,
    /// Bancontact: a bank in Belgium.
    #[record(24)]
    Bancontact,
    /// A card.
    #[record(1)]
    Card,
    /// EPS: a bank in Austria.
    #[record(25)]
    Eps,
    /// iDEAL: a bank in the Netherlands.
    #[record(26)]
    Ideal,
    /// Klarna: paid later, or at once.
    #[record(27)]
    Klarna,
    /// Link: details that the payer has saved.
    #[record(28)]
    Link,
    /// Przelewy24: a bank in Poland.
    #[record(29)]
    P24,
    /// PayPal: a wallet.
    #[record(30)]
    Paypal,
    /// Revolut Pay: a wallet.
    #[record(31)]
    RevolutPay,
    /// A debit of a bank account in the single euro payments area.
    #[record(3)]
    SepaDebit,
    /// A debit of a bank account in the United States.
    #[record(2)]
    UsBankAccount,
}

/// What a type of payment method is like.
#[derive(Debug)]
pub struct TypeRules {
    /// Codes of the currencies it takes; empty for every currency.
    pub currencies: &'static [&'static str],
    /// Smallest amount it takes, in minor units; 0 where only the currency's own minimum counts.
    pub amount_min: i64,
    /// Largest amount it takes, in minor units.
    pub amount_max: i64,
    /// Whether a payment may be held until the merchant captures it.
    pub manual_capture: bool,
    /// Whether it can be saved to a customer for payments to come.
    pub saves: bool,
    /// Whether the payer is sent to another page to agree.
    pub redirects: bool,
}

/// A type of payment method that is made within a request. Types that the API knows and that are not offered are refused
/// by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentMethodTypeParam(pub PaymentMethodType);

/// Types of payment methods that the API knows, in the order messages list them.
const KNOWN_TYPES: &[&str] = &[
    "acss_debit",
    "affirm",
    "afterpay_clearpay",
    "alipay",
    "alma",
    "amazon_pay",
    "au_becs_debit",
    "bacs_debit",
    "bancontact",
    "billie",
    "bizum",
    "blik",
    "boleto",
    "card",
    "cashapp",
    "crypto",
    "custom",
    "customer_balance",
    "eps",
    "fpx",
    "giropay",
    "grabpay",
    "ideal",
    "kakao_pay",
    "klarna",
    "konbini",
    "kr_card",
    "link",
    "mb_way",
    "mobilepay",
    "multibanco",
    "naver_pay",
    "nz_bank_account",
    "oxxo",
    "p24",
    "pay_by_bank",
    "payco",
    "paynow",
    "paypal",
    "payto",
    "pix",
    "promptpay",
    "revolut_pay",
    "samsung_pay",
    "satispay",
    "scalapay",
    "sepa_debit",
    "sofort",
    "sunbit",
    "swish",
    "twint",
    "upi",
    "us_bank_account",
    "wechat_pay",
    "zip",
];

/// A type of payment method to list: any that the API knows, whether there are such payment methods or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedType(pub &'static str);

impl ParamValue for ListedType {
    const KIND: ParamKind = ParamKind::Names(KNOWN_TYPES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let known = KNOWN_TYPES.iter().find(|known| **known == text);
        known.map(|known| ListedType(known)).ok_or(Problem::Names(KNOWN_TYPES))
    }
}

/// The refusal of a type that the API knows and the account does not offer.
const NOT_OFFERED: Problem = Problem::Custom {
    code: None,
    message: "The payment method type \"{}\" is invalid. Please ensure the provided type is activated for your account; \
              this account accepts: acss_debit, affirm, afterpay_clearpay, alipay, amazon_pay, au_becs_debit, bacs_debit, bancontact, card, eps, ideal, klarna, link, p24, paypal, revolut_pay, sepa_debit, us_bank_account.",
};

impl PaymentMethodType {
    /// What an intent can be paid with whose request lists no types.
    pub const DEFAULT: &[PaymentMethodType] = &[PaymentMethodType::Card];

    /// Whether the API knows a type of payment method, offered here or not.
    pub(crate) fn is_known(word: &str) -> bool {
        KNOWN_TYPES.contains(&word)
    }

    /// What it is like.
    pub fn rules(self) -> &'static TypeRules {
        const PLAIN: TypeRules = TypeRules {
            currencies: &[],
            amount_min: 0,
            amount_max: i64::MAX,
            manual_capture: true,
            saves: true,
            redirects: false,
        };
        macro_rules! debit {
            ($($currency:literal),*) => {{
                static RULES: TypeRules = TypeRules {
                    currencies: &[$($currency),*],
                    manual_capture: false,
                    ..PLAIN
                };
                &RULES
            }};
        }
        const REDIRECT: TypeRules = TypeRules {
            redirects: true,
            ..PLAIN
        };
        /// Captured at once, and for one payment only.
        macro_rules! once {
            ($($currency:literal),*) => {{
                static RULES: TypeRules = TypeRules {
                    currencies: &[$($currency),*],
                    manual_capture: false,
                    saves: false,
                    ..REDIRECT
                };
                &RULES
            }};
        }
        macro_rules! wallet {
            ($($currency:literal),*) => {{
                static RULES: TypeRules = TypeRules {
                    currencies: &[$($currency),*],
                    ..REDIRECT
                };
                &RULES
            }};
        }
        static CARD: TypeRules = PLAIN;
        match self {
            PaymentMethodType::Card => &CARD,
            PaymentMethodType::AcssDebit => debit!("cad", "usd"),
            PaymentMethodType::AuBecsDebit => debit!("aud"),
            PaymentMethodType::BacsDebit => debit!("gbp"),
            PaymentMethodType::SepaDebit => debit!("eur"),
            PaymentMethodType::UsBankAccount => debit!("usd"),
            PaymentMethodType::Affirm => {
                static RULES: TypeRules = TypeRules {
                    currencies: &["cad", "usd"],
                    amount_min: 3_500,
                    amount_max: 3_000_000,
                    saves: false,
                    ..REDIRECT
                };
                &RULES
            }
            PaymentMethodType::AfterpayClearpay => {
                static RULES: TypeRules = TypeRules {
                    currencies: &["aud", "cad", "gbp", "nzd", "usd"],
                    amount_min: 100,
                    amount_max: 400_000,
                    saves: false,
                    ..REDIRECT
                };
                &RULES
            }
            PaymentMethodType::Alipay => once!(
                "aud", "cad", "cny", "eur", "gbp", "hkd", "jpy", "myr", "nzd", "sgd", "usd"
            ),
            PaymentMethodType::AmazonPay => wallet!(
                "aud", "chf", "dkk", "eur", "gbp", "hkd", "jpy", "nok", "nzd", "sek", "usd", "zar"
            ),
            PaymentMethodType::Bancontact | PaymentMethodType::Eps | PaymentMethodType::Ideal => once!("eur"),
            PaymentMethodType::Klarna => wallet!(
                "aud", "cad", "chf", "czk", "dkk", "eur", "gbp", "nok", "nzd", "pln", "ron", "sek", "usd"
            ),
            PaymentMethodType::Link => {
                static RULES: TypeRules = PLAIN;
                &RULES
            }
            PaymentMethodType::P24 => once!("eur", "pln"),
            PaymentMethodType::Paypal => wallet!(
                "aud", "cad", "chf", "czk", "dkk", "eur", "gbp", "hkd", "nok", "nzd", "pln", "sek", "sgd", "usd"
            ),
            PaymentMethodType::RevolutPay => wallet!("dkk", "eur", "gbp", "huf", "pln", "ron"),
        }
    }

    /// Whether it can pay that.
    pub fn takes(self, money: Money) -> bool {
        let rules = self.rules();
        (rules.currencies.is_empty() || rules.currencies.contains(&money.currency.code()))
            && (rules.amount_min..=rules.amount_max).contains(&money.amount)
    }

    /// The refusal of a type that the account does not offer, in words.
    pub(crate) fn not_offered(word: &str) -> String {
        let Problem::Custom { message, .. } = NOT_OFFERED else {
            unreachable!("it is a message")
        };
        message.replace("{}", word)
    }
}

impl ParamValue for PaymentMethodTypeParam {
    const KIND: ParamKind = ParamKind::Names(PaymentMethodType::NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        match PaymentMethodType::from_name(text) {
            Some(known) => Ok(PaymentMethodTypeParam(known)),
            None if KNOWN_TYPES.contains(&text) => Err(NOT_OFFERED),
            None => Err(Problem::Names(KNOWN_TYPES)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_every_type_that_is_offered() {
        let message = PaymentMethodType::not_offered("ideal");
        assert!(message.contains("\"ideal\""), "{message}");
        assert!(
            message.ends_with(&format!(": {}.", PaymentMethodType::NAMES.join(", "))),
            "{message}"
        );
    }
}
