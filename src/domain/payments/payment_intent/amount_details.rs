//! What an amount is made of: discount, shipping, tax. Kept and shown; the amount itself decides what is paid.

use crate::decision::Stop;
use crate::reject::{Reject, codes};
use tollgate_resource::{Params, Record, Shown, Update};

/// What an amount is made of, as it is kept. Amounts are in the intent's currency, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct AmountDetails {
    /// What was taken off.
    #[record(1)]
    pub discount: Option<i64>,
    /// What sending the goods costs.
    #[record(2)]
    pub shipping: Option<i64>,
    /// Postal code the goods are sent from.
    #[record(3)]
    pub from_postal_code: Option<Box<str>>,
    /// Postal code the goods are sent to.
    #[record(4)]
    pub to_postal_code: Option<Box<str>>,
    /// All of the tax.
    #[record(5)]
    pub tax: Option<i64>,
}

/// What an amount is made of, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AmountDetailsParams {
    /// What was taken off.
    pub discount_amount: Update<i64>,
    /// Whether the parts must add up to the amount; that concerns line items, which are not offered.
    pub enforce_arithmetic_validation: Option<bool>,
    /// Sending the goods.
    pub shipping: Update<AmountShippingParams>,
    /// The tax in it.
    pub tax: Update<AmountTaxParams>,
}

/// What sending the goods costs, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AmountShippingParams {
    /// How much.
    pub amount: Update<i64>,
    /// Postal code the goods are sent from.
    #[param(max_len = 10)]
    pub from_postal_code: Update<Box<str>>,
    /// Postal code the goods are sent to.
    #[param(max_len = 10)]
    pub to_postal_code: Update<Box<str>>,
}

/// The tax in an amount, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AmountTaxParams {
    /// All of it.
    #[param(required)]
    pub total_tax_amount: i64,
}

/// What an amount is made of.
#[derive(Shown)]
pub struct AmountDetailsShown<'a> {
    /// What was taken off.
    #[shown(omit)]
    pub discount_amount: Option<i64>,
    /// Sending the goods.
    #[shown(omit)]
    pub shipping: Option<AmountShippingShown<'a>>,
    /// The tax in it.
    #[shown(omit)]
    pub tax: Option<AmountTaxShown>,
    /// The tip in it.
    pub tip: TipShown,
}

/// What sending the goods costs.
#[derive(Shown)]
pub struct AmountShippingShown<'a> {
    /// How much.
    pub amount: Option<i64>,
    /// Postal code the goods are sent from.
    pub from_postal_code: Option<&'a str>,
    /// Postal code the goods are sent to.
    pub to_postal_code: Option<&'a str>,
}

/// The tax in an amount.
#[derive(Shown)]
pub struct AmountTaxShown {
    /// All of it.
    pub total_tax_amount: Option<i64>,
}

/// The tip in an amount; empty when there is none.
#[derive(Shown)]
pub struct TipShown {}

impl AmountDetailsParams {
    /// Merges what is given into what is kept; nothing is left when every part is gone.
    ///
    /// # Errors
    /// An amount below zero.
    pub(super) fn apply_to(&self, kept: &mut Option<AmountDetails>) -> Result<(), Stop> {
        let mut details = kept.clone().unwrap_or_default();
        self.discount_amount.clone().apply_to(&mut details.discount);
        match &self.shipping {
            Update::Keep => {}
            Update::Clear => {
                (details.shipping, details.from_postal_code, details.to_postal_code) = (None, None, None);
            }
            Update::Set(shipping) => {
                shipping.amount.clone().apply_to(&mut details.shipping);
                shipping
                    .from_postal_code
                    .clone()
                    .apply_to(&mut details.from_postal_code);
                shipping.to_postal_code.clone().apply_to(&mut details.to_postal_code);
            }
        }
        match &self.tax {
            Update::Keep => {}
            Update::Clear => details.tax = None,
            Update::Set(tax) => details.tax = Some(tax.total_tax_amount),
        }
        for (amount, param) in [
            (details.discount, "amount_details[discount_amount]"),
            (details.shipping, "amount_details[shipping][amount]"),
            (details.tax, "amount_details[tax][total_tax_amount]"),
        ] {
            if amount.is_some_and(|amount| amount < 0) {
                let code = Some(codes::PARAMETER_INVALID_INTEGER);
                return Err(Reject::invalid(code, "Invalid non-negative integer")
                    .with_param(param)
                    .into());
            }
        }
        *kept = Some(details).filter(|details| *details != AmountDetails::default());
        Ok(())
    }
}

impl<'a> AmountDetailsShown<'a> {
    /// What the details show.
    pub(super) fn of(details: Option<&'a AmountDetails>) -> Self {
        AmountDetailsShown {
            discount_amount: details.and_then(|details| details.discount),
            shipping: details
                .filter(|details| {
                    details.shipping.is_some() || details.from_postal_code.is_some() || details.to_postal_code.is_some()
                })
                .map(|details| AmountShippingShown {
                    amount: details.shipping,
                    from_postal_code: details.from_postal_code.as_deref(),
                    to_postal_code: details.to_postal_code.as_deref(),
                }),
            tax: details.and_then(|details| details.tax).map(|tax| AmountTaxShown {
                total_tax_amount: Some(tax),
            }),
            tip: TipShown {},
        }
    }
}
