//! How 3D Secure ended, as a charge or a setup shows it.

use super::imported::{ExemptionIndicator, ImportedAuthentication};
use super::rule::ThreeDSecureResult;
use crate::payments::payment_method::CardBrand;
use tollgate_resource::{Id, Names, Shown};

/// How the cardholder proved who they are.
#[derive(Shown)]
pub struct ThreeDSecureShown<'a> {
    /// Whether the cardholder was asked.
    pub authentication_flow: Option<&'a str>,
    /// The network's number of how it went.
    pub electronic_commerce_indicator: Option<&'a str>,
    /// The exemption that was claimed.
    pub exemption_indicator: Option<ExemptionIndicator>,
    /// How it went.
    pub result: Option<ThreeDSecureResult>,
    /// Why it went like that.
    pub result_reason: Option<&'a str>,
    /// The directory's number of it.
    pub transaction_id: Option<String>,
    /// The version of 3D Secure.
    pub version: Option<&'a str>,
}

impl ThreeDSecureShown<'_> {
    /// What `result` on a card of `brand` shows; `object` is what it was tried for.
    pub fn of(result: ThreeDSecureResult, brand: CardBrand, object: Id) -> Self {
        let mastercard = brand == CardBrand::Mastercard;
        let (flow, indicator, reason) = match result {
            ThreeDSecureResult::Authenticated => (Some("challenge"), Some(if mastercard { "02" } else { "05" }), None),
            ThreeDSecureResult::AttemptAcknowledged => {
                (Some("frictionless"), Some(if mastercard { "01" } else { "06" }), None)
            }
            ThreeDSecureResult::NotSupported => (None, None, Some("card_not_enrolled")),
            ThreeDSecureResult::ProcessingError => (None, None, Some("protocol_error")),
        };
        ThreeDSecureShown {
            authentication_flow: flow,
            electronic_commerce_indicator: indicator,
            exemption_indicator: None,
            result: Some(result),
            result_reason: reason,
            // Written like the directory's: five groups of hexadecimal digits.
            transaction_id: flow.map(|_| grouped(object.bits())),
            version: flow.map(|_| "2.2.0"),
        }
    }
}

impl<'a> ThreeDSecureShown<'a> {
    /// What the result of another provider shows.
    pub fn imported(imported: &'a ImportedAuthentication) -> Self {
        ThreeDSecureShown {
            authentication_flow: None,
            electronic_commerce_indicator: imported.electronic_commerce_indicator.map(Names::name),
            exemption_indicator: imported.exemption_indicator,
            result: Some(imported.result()),
            result_reason: None,
            transaction_id: Some(imported.transaction_id.clone().into()),
            version: Some(imported.version.name()),
        }
    }
}

fn grouped(bits: u128) -> String {
    let digits = format!("{bits:032x}");
    [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-")
}
