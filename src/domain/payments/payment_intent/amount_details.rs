//! What an amount is made of: items, discount, shipping, tax. Kept and shown; the amount itself decides what is paid, and
//! the parts must add up to it unless the merchant says otherwise.

use super::PaymentIntent;
use super::line_items::{AmountLineItem, LINE_ITEMS_MAX, LineItemParams, LineItemsShown};
use crate::decision::Stop;
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names, Params, Record, Shown, Update};

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
    /// What is paid for, item by item.
    #[record(6)]
    pub line_items: Vec<AmountLineItem>,
    /// When the items were given, milliseconds since the Unix epoch; 0 without items.
    #[record(7)]
    pub line_items_at_ms: u64,
    /// What is wrong with the parts, where they need not add up.
    #[record(8)]
    pub error: Option<AmountError>,
    /// Whether the parts need not add up to the amount.
    #[record(9)]
    pub unenforced: bool,
}

/// How the parts of an amount do not add up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum AmountError {
    /// The items and all that goes with them make another amount.
    #[record(1)]
    AmountDetailsAmountMismatch,
    /// Tax and shipping without the discount are more than the amount.
    #[record(2)]
    AmountDetailsTaxShippingDiscountGreaterThanAmount,
}

/// What an amount is made of, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AmountDetailsParams {
    /// What was taken off.
    pub discount_amount: Update<i64>,
    /// Whether the parts must add up to the amount. They must unless this is `false`; what is wrong is shown then.
    pub enforce_arithmetic_validation: Option<bool>,
    /// What is paid for, item by item; in place of the items before.
    #[param(max_items = LINE_ITEMS_MAX)]
    pub line_items: Update<Vec<LineItemParams>>,
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
    /// What is wrong with the parts, where they need not add up.
    #[shown(omit)]
    pub error: Option<AmountErrorShown>,
    /// What is paid for, item by item.
    #[shown(omit, expand)]
    pub line_items: Option<Box<LineItemsShown<'a>>>,
    /// Sending the goods.
    #[shown(omit)]
    pub shipping: Option<AmountShippingShown<'a>>,
    /// The tax in it.
    #[shown(omit)]
    pub tax: Option<AmountTaxShown>,
    /// The tip in it.
    pub tip: TipShown,
}

/// How the parts of an amount do not add up to it.
#[derive(Shown)]
pub struct AmountErrorShown {
    /// What is wrong.
    pub code: Option<AmountError>,
    /// The same in words.
    pub message: Option<&'static str>,
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
    /// Merges what is given at `now_ms` into what is kept; nothing is left when every part is gone. Whether the parts add
    /// up is looked at by [`PaymentIntent::check_amount_details`].
    ///
    /// # Errors
    /// An amount below zero; a discount or a tax of everything beside one of an item.
    pub(super) fn apply_to(&self, kept: &mut Option<AmountDetails>, now_ms: u64) -> Result<(), Stop> {
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
        match &self.line_items {
            Update::Keep => {}
            Update::Clear => (details.line_items, details.line_items_at_ms) = (Vec::new(), 0),
            Update::Set(items) => {
                let kept = items.iter().enumerate().map(|(place, item)| item.kept(place));
                details.line_items = kept.collect::<Result<_, Stop>>()?;
                details.line_items_at_ms = now_ms;
            }
        }
        details.check_exclusive()?;
        details.error = None;
        details.unenforced = false;
        *kept = Some(details).filter(|details| *details != AmountDetails::default());
        if let Some(kept) = kept {
            kept.unenforced = self.enforce_arithmetic_validation == Some(false);
        }
        Ok(())
    }
}

impl AmountDetails {
    /// A discount and a tax are of everything or of the items.
    fn check_exclusive(&self) -> Result<(), Stop> {
        for (whole, of_item, item_param, param) in [
            (
                self.discount,
                (|item| item.discount) as fn(&AmountLineItem) -> Option<i64>,
                "discount_amount",
                "amount_details[discount_amount]",
            ),
            (
                self.tax,
                |item| item.tax,
                "tax][total_tax_amount",
                "amount_details[tax][total_tax_amount]",
            ),
        ] {
            if whole.is_some() && self.line_items.iter().any(|item| of_item(item).is_some()) {
                let message = format!(
                    "You may only specify one of these parameters: {param}, amount_details[line_items][#][{item_param}]."
                );
                return Err(Reject::invalid(None, message).with_param(param).into());
            }
        }
        Ok(())
    }

    /// How the parts do not add up to `amount`.
    fn error_for(&self, amount: i64) -> Option<AmountError> {
        let part = |part: Option<i64>| part.unwrap_or(0);
        let around = part(self.tax)
            .checked_add(part(self.shipping))
            .and_then(|sum| sum.checked_sub(part(self.discount)));
        let Some(around) = around.filter(|around| *around <= amount) else {
            return Some(AmountError::AmountDetailsTaxShippingDiscountGreaterThanAmount);
        };
        if self.line_items.is_empty() {
            return None;
        }
        let mut items = self.line_items.iter().map(AmountLineItem::sum);
        let sum = items.try_fold(around, |sum, item| sum.checked_add(item?));
        (sum != Some(amount)).then_some(AmountError::AmountDetailsAmountMismatch)
    }
}

impl AmountError {
    /// The same in words.
    pub fn message(self) -> &'static str {
        match self {
            AmountError::AmountDetailsAmountMismatch => {
                "The sum of the line items, with tax, shipping and discounts, does not match the amount."
            }
            AmountError::AmountDetailsTaxShippingDiscountGreaterThanAmount => {
                "The sum of tax and shipping minus the discount is greater than the amount."
            }
        }
    }
}

impl PaymentIntent {
    /// What its amount is made of, where that was said.
    pub fn amount_details(&self) -> Option<&AmountDetails> {
        self.particulars.as_ref()?.amount_details.as_ref()
    }

    /// Looks whether the parts add up to `amount`; what is wrong is noted where they need not.
    ///
    /// # Errors
    /// They must, and do not.
    pub(super) fn check_amount_details(&mut self, amount: i64) -> Result<(), Stop> {
        let Some(details) = self
            .particulars
            .as_mut()
            .and_then(|particulars| particulars.amount_details.as_mut())
        else {
            return Ok(());
        };
        let error = details.error_for(amount);
        match error {
            Some(error) if !details.unenforced => {
                let param = match error {
                    AmountError::AmountDetailsAmountMismatch => "amount_details[line_items]",
                    AmountError::AmountDetailsTaxShippingDiscountGreaterThanAmount => "amount_details",
                };
                let reject = Reject::invalid(Some(error.name()), error.message());
                Err(reject.with_param(param).into())
            }
            _ => {
                details.error = error;
                Ok(())
            }
        }
    }
}

impl<'a> AmountDetailsShown<'a> {
    /// What the details show.
    pub(super) fn of(intent: Id, details: Option<&'a AmountDetails>) -> Self {
        AmountDetailsShown {
            discount_amount: details.and_then(|details| details.discount),
            error: details.and_then(|details| details.error).map(|error| AmountErrorShown {
                code: Some(error),
                message: Some(error.message()),
            }),
            line_items: details
                .and_then(|details| LineItemsShown::all(intent, details))
                .map(Box::new),
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
