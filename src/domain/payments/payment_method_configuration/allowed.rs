//! The types of payment methods that a request allows: it is paid with those of them that fit.

use crate::decision::Stop;
use crate::payments::payment_method::PaymentMethodType;
use crate::reject::Reject;
use tollgate_resource::Names;

/// The parameter that says them.
const PARAM: &str = "allowed_payment_method_types";

/// Types that can be allowed, and that no payment method of the API is of by its name.
const ALLOWED_ONLY: &[&str] = &[
    "boku_promptpay",
    "capchase_pay",
    "card_present",
    "check_scan",
    "click_to_pay",
    "demo_pay",
    "duitnow",
    "dummy_auth_push",
    "dummy_passthrough_card",
    "edenred",
    "gcash",
    "getbalance",
    "gift_card",
    "gopay",
    "id_bank_transfer",
    "interac_present",
    "knet",
    "kr_market",
    "kriya",
    "momo",
    "mondu",
    "netbanking",
    "ng_bank",
    "ng_bank_transfer",
    "ng_card",
    "ng_market",
    "ng_ussd",
    "ng_wallet",
    "octopus",
    "paper_check",
    "paypay",
    "qris",
    "rechnung",
    "sequra",
    "shop_pay",
    "shopeepay",
    "south_korea_market",
    "stripe_balance",
    "tamara",
    "test_pay",
    "touch_n_go",
    "truemoney",
    "us_cash_voucher",
    "vipps",
    "wero",
];

/// The types of a list of allowed ones that are offered here; none where it is cards alone. The others are left out.
///
/// # Errors
/// A type that does not exist, or a list of which nothing is offered here.
pub(crate) fn allowed_types(words: &[Box<str>]) -> Result<Vec<PaymentMethodType>, Stop> {
    if let Some(word) = words.iter().find(|word| !exists(word)) {
        let message = format!("The payment method type \"{word}\" is invalid.");
        return Err(Reject::invalid(None, message).with_param(PARAM).into());
    }
    let mut types: Vec<PaymentMethodType> = Vec::new();
    for known in words.iter().filter_map(|word| PaymentMethodType::from_name(word)) {
        if !types.contains(&known) {
            types.push(known);
        }
    }
    if !words.is_empty() && types.is_empty() {
        return Err(none_fits());
    }
    if types == PaymentMethodType::DEFAULT {
        types.clear();
    }
    Ok(types)
}

/// Refuses a request that allows types and says otherwise, too, which types there are.
pub(crate) fn check_rivals(allows: bool, rivals: &[(bool, &str)]) -> Result<(), Stop> {
    match rivals.iter().find(|(given, _)| *given && allows) {
        Some((_, rival)) => {
            let message = format!("You may only specify one of these parameters: {PARAM}, {rival}.");
            Err(Reject::invalid(None, message).into())
        }
        None => Ok(()),
    }
}

/// Refuses a list of allowed types none of which fits.
pub(crate) fn check_some_fit(accepted: &[PaymentMethodType]) -> Result<(), Stop> {
    if accepted.is_empty() {
        return Err(none_fits());
    }
    Ok(())
}

fn exists(word: &str) -> bool {
    PaymentMethodType::is_known(word) || ALLOWED_ONLY.contains(&word)
}

fn none_fits() -> Stop {
    let message = format!(
        "No valid payment method types: none of `{PARAM}` is offered on this account and fits the other parameters, such \
         as the currency, the amount and how the payment method is used."
    );
    Reject::invalid(None, message).with_param(PARAM).into()
}
