//! Types of payment methods: the ones that are offered, as parameters and as text.

use tollgate_resource::params::{Bounds, scalar};
use tollgate_resource::{Names, ParamKind, ParamValue, Problem, Record, Step};

/// A type of payment method that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum PaymentMethodType {
    /// A debit of a bank account in Canada.
    #[record(4)]
    AcssDebit,
    /// A debit of a bank account in Australia.
    #[record(6)]
    AuBecsDebit,
    /// A debit of a bank account in the United Kingdom.
    #[record(5)]
    BacsDebit,
    /// A card.
    #[record(1)]
    Card,
    /// A debit of a bank account in the single euro payments area.
    #[record(3)]
    SepaDebit,
    /// A debit of a bank account in the United States.
    #[record(2)]
    UsBankAccount,
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

/// Whether the API knows a type of payment method.
pub(crate) fn is_known_type(word: &str) -> bool {
    KNOWN_TYPES.contains(&word)
}

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
              this account accepts: acss_debit, au_becs_debit, bacs_debit, card, sepa_debit, us_bank_account.",
};

impl PaymentMethodType {
    /// What an intent can be paid with whose request lists no types.
    pub const DEFAULT: &[PaymentMethodType] = &[PaymentMethodType::Card];

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
