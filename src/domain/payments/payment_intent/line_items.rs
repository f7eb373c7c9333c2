//! What is paid for, item by item: kept with what the amount is made of, shown on request only.

use super::PaymentIntent;
use super::amount_details::{AmountDetails, AmountTaxShown};
use crate::decision::Stop;
use crate::kinds::{self, AmountLineItemId};
use crate::paging::Paging;
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::id::SEQ_MAX;
use tollgate_resource::shown::Ident;
use tollgate_resource::{Id, Names, Params, Record, Shown};

/// Most items of an intent.
pub const LINE_ITEMS_MAX: usize = 200;

/// One thing that is paid for. Amounts are in the intent's currency, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct AmountLineItem {
    /// What it is called.
    #[record(1)]
    pub product_name: Box<str>,
    /// How many there are; at least one.
    #[record(2)]
    pub quantity: i64,
    /// What one costs.
    #[record(3)]
    pub unit_cost: i64,
    /// What was taken off of all of them.
    #[record(4)]
    pub discount: Option<i64>,
    /// The tax on all of them.
    #[record(5)]
    pub tax: Option<i64>,
    /// The merchant's code of it.
    #[record(6)]
    pub product_code: Option<Box<str>>,
    /// What it is counted in.
    #[record(7)]
    pub unit_of_measure: Option<Box<str>>,
    /// What a type of payment method is told of it.
    #[record(8)]
    pub options: Option<Box<LineItemOptions>>,
}

/// What types of payment method are told of an item.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct LineItemOptions {
    /// Of cards: the code of the commodity.
    #[record(1)]
    pub card_commodity: Option<Box<str>>,
    /// Of cards in a terminal: the code of the commodity.
    #[record(2)]
    pub terminal_commodity: Option<Box<str>>,
    /// Klarna: where a picture of it is.
    #[record(3)]
    pub klarna_image_url: Option<Box<str>>,
    /// Klarna: where it is described.
    #[record(4)]
    pub klarna_product_url: Option<Box<str>>,
    /// Klarna: the merchant's reference.
    #[record(5)]
    pub klarna_reference: Option<Box<str>>,
    /// Klarna: the reference of a subscription.
    #[record(6)]
    pub klarna_subscription: Option<Box<str>>,
    /// PayPal: what sort of thing it is.
    #[record(7)]
    pub paypal_category: Option<ItemCategory>,
    /// PayPal: its description.
    #[record(8)]
    pub paypal_description: Option<Box<str>>,
    /// PayPal: who sells it.
    #[record(9)]
    pub paypal_sold_by: Option<Box<str>>,
}

/// What sort of thing an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ItemCategory {
    /// Something that is sent over a wire.
    #[record(1)]
    DigitalGoods,
    /// Nothing is given in return.
    #[record(2)]
    Donation,
    /// Something that is sent in a parcel.
    #[record(3)]
    PhysicalGoods,
}

/// One thing that is paid for, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct LineItemParams {
    /// What is taken off of all of them.
    pub discount_amount: Option<i64>,
    /// What types of payment method are told of it.
    pub payment_method_options: Option<Box<LineItemOptionsParams>>,
    /// The merchant's code of it.
    #[param(max_len = 12)]
    pub product_code: Option<Box<str>>,
    /// What it is called.
    #[param(required, max_len = 1024)]
    pub product_name: Box<str>,
    /// How many there are.
    #[param(required)]
    pub quantity: i64,
    /// The tax on all of them.
    pub tax: Option<LineItemTaxParams>,
    /// What one costs.
    #[param(required)]
    pub unit_cost: i64,
    /// What it is counted in.
    #[param(max_len = 12)]
    pub unit_of_measure: Option<Box<str>>,
}

/// The tax on an item, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct LineItemTaxParams {
    /// All of it.
    #[param(required)]
    pub total_tax_amount: i64,
}

/// What types of payment method are told of an item, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct LineItemOptionsParams {
    /// Cards.
    pub card: Option<CommodityParams>,
    /// Cards in a terminal.
    pub card_present: Option<CommodityParams>,
    /// Klarna.
    pub klarna: Option<KlarnaItemParams>,
    /// PayPal.
    pub paypal: Option<PaypalItemParams>,
}

/// What card networks are told of an item, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct CommodityParams {
    /// The code of the commodity.
    #[param(max_len = 12)]
    pub commodity_code: Option<Box<str>>,
}

/// What Klarna is told of an item, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct KlarnaItemParams {
    /// Where a picture of it is.
    #[param(max_len = 4096)]
    pub image_url: Option<Box<str>>,
    /// Where it is described.
    #[param(max_len = 4096)]
    pub product_url: Option<Box<str>>,
    /// The merchant's reference.
    #[param(max_len = 255)]
    pub reference: Option<Box<str>>,
    /// The reference of a subscription.
    #[param(max_len = 255)]
    pub subscription_reference: Option<Box<str>>,
}

/// What PayPal is told of an item, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct PaypalItemParams {
    /// What sort of thing it is.
    pub category: Option<ItemCategory>,
    /// Its description.
    #[param(max_len = 127)]
    pub description: Option<Box<str>>,
    /// Who sells it.
    #[param(max_len = 127)]
    pub sold_by: Option<Box<str>>,
}

/// Which items of an intent to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListLineItems {
    /// Only items before this one.
    pub ending_before: Option<AmountLineItemId>,
    /// Most items of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only items after this one.
    pub starting_after: Option<AmountLineItemId>,
}

/// A page of the items of an intent.
#[derive(Clone, Debug)]
pub struct LineItemPage {
    intent: Arc<PaymentIntent>,
    /// Which items, by their places.
    places: Vec<usize>,
    has_more: bool,
}

/// Items of an intent.
#[derive(Shown)]
#[shown(object = "list")]
pub struct LineItemsShown<'a> {
    /// The items, in the order they were given.
    pub data: Vec<LineItemShown<'a>>,
    /// Whether there are more.
    pub has_more: bool,
    /// Path of the list.
    pub url: String,
}

/// One thing that is paid for.
#[derive(Shown)]
#[shown(object = "payment_intent_amount_details_line_item")]
pub struct LineItemShown<'a> {
    /// Unique identifier of the item.
    pub id: Ident,
    /// What was taken off of all of them, in minor units.
    pub discount_amount: Option<i64>,
    /// What types of payment method are told of it.
    pub payment_method_options: Option<LineItemOptionsShown<'a>>,
    /// The merchant's code of it.
    pub product_code: Option<&'a str>,
    /// What it is called.
    pub product_name: &'a str,
    /// How many there are.
    pub quantity: i64,
    /// The tax on all of them.
    pub tax: Option<AmountTaxShown>,
    /// What one costs, in minor units.
    pub unit_cost: i64,
    /// What it is counted in.
    pub unit_of_measure: Option<&'a str>,
}

/// What types of payment method are told of an item.
#[derive(Shown)]
pub struct LineItemOptionsShown<'a> {
    /// Cards.
    #[shown(omit)]
    pub card: Option<CommodityShown<'a>>,
    /// Cards in a terminal.
    #[shown(omit)]
    pub card_present: Option<CommodityShown<'a>>,
    /// Klarna.
    #[shown(omit)]
    pub klarna: Option<KlarnaItemShown<'a>>,
    /// PayPal.
    #[shown(omit)]
    pub paypal: Option<PaypalItemShown<'a>>,
}

/// What card networks are told of an item.
#[derive(Shown)]
pub struct CommodityShown<'a> {
    /// The code of the commodity.
    pub commodity_code: Option<&'a str>,
}

/// What Klarna is told of an item.
#[derive(Shown)]
pub struct KlarnaItemShown<'a> {
    /// Where a picture of it is.
    pub image_url: Option<&'a str>,
    /// Where it is described.
    pub product_url: Option<&'a str>,
    /// The merchant's reference.
    pub reference: Option<&'a str>,
    /// The reference of a subscription.
    pub subscription_reference: Option<&'a str>,
}

/// What PayPal is told of an item.
#[derive(Shown)]
pub struct PaypalItemShown<'a> {
    /// What sort of thing it is.
    #[shown(omit)]
    pub category: Option<ItemCategory>,
    /// Its description.
    #[shown(omit)]
    pub description: Option<&'a str>,
    /// Who sells it.
    #[shown(omit)]
    pub sold_by: Option<&'a str>,
}

impl LineItemParams {
    /// The item that is kept. `place` is its place among the others, for errors.
    ///
    /// # Errors
    /// An amount or a number below what it may be.
    pub(super) fn kept(&self, place: usize) -> Result<AmountLineItem, Stop> {
        let tax = self.tax.as_ref().map(|tax| tax.total_tax_amount);
        for (value, least, param) in [
            (self.discount_amount, 1, "discount_amount"),
            (Some(self.quantity), 1, "quantity"),
            (tax, 0, "tax][total_tax_amount"),
            (Some(self.unit_cost), 0, "unit_cost"),
        ] {
            if value.is_some_and(|value| value < least) {
                let message = format!("This value must be greater than or equal to {least}.");
                let reject = Reject::invalid(Some(codes::PARAMETER_INVALID_INTEGER), message);
                return Err(reject
                    .with_param(format!("amount_details[line_items][{place}][{param}]"))
                    .into());
            }
        }
        let options = self.payment_method_options.as_deref().map(LineItemOptions::from);
        Ok(AmountLineItem {
            product_name: self.product_name.clone(),
            quantity: self.quantity,
            unit_cost: self.unit_cost,
            discount: self.discount_amount,
            tax,
            product_code: self.product_code.clone(),
            unit_of_measure: self.unit_of_measure.clone(),
            options: options
                .filter(|options| *options != LineItemOptions::default())
                .map(Box::new),
        })
    }
}

impl From<&LineItemOptionsParams> for LineItemOptions {
    fn from(asked: &LineItemOptionsParams) -> Self {
        let code = |asked: &Option<CommodityParams>| asked.as_ref().and_then(|asked| asked.commodity_code.clone());
        let klarna = asked.klarna.clone().unwrap_or_default();
        let paypal = asked.paypal.clone().unwrap_or_default();
        LineItemOptions {
            card_commodity: code(&asked.card),
            terminal_commodity: code(&asked.card_present),
            klarna_image_url: klarna.image_url,
            klarna_product_url: klarna.product_url,
            klarna_reference: klarna.reference,
            klarna_subscription: klarna.subscription_reference,
            paypal_category: paypal.category,
            paypal_description: paypal.description,
            paypal_sold_by: paypal.sold_by,
        }
    }
}

impl AmountLineItem {
    /// What it adds to the amount; `None` when that is no number of ours.
    pub(super) fn sum(&self) -> Option<i64> {
        self.unit_cost
            .checked_mul(self.quantity)?
            .checked_sub(self.discount.unwrap_or(0))?
            .checked_add(self.tax.unwrap_or(0))
    }
}

/// The id of an item: it follows from the intent, from when the items were given, and from its place among them.
fn item_id(intent: Id, details: &AmountDetails, place: usize) -> Id {
    // The numbers of intents would have to differ by 2^30 in one millisecond for two items to meet.
    let seq = ((intent.seq() << 8) | place as u64) & SEQ_MAX;
    Id::new(
        &kinds::AMOUNT_LINE_ITEM,
        details.line_items_at_ms,
        seq,
        intent.account_tag(),
    )
}

/// A page of the items of `intent`.
pub(crate) fn page(intent: &Arc<PaymentIntent>, asked: Paging) -> Result<LineItemPage, Stop> {
    let ids = intent.amount_details().map_or_else(Vec::new, |details| {
        (0..details.line_items.len())
            .map(|place| (place, item_id(intent.id, details, place)))
            .collect()
    });
    let (page, has_more) = asked.cut(ids, &kinds::AMOUNT_LINE_ITEM, |(_, id)| *id)?;
    Ok(LineItemPage {
        intent: Arc::clone(intent),
        places: page.into_iter().map(|(place, _)| place).collect(),
        has_more,
    })
}

impl<'a> LineItemsShown<'a> {
    /// What a page shows.
    pub fn of(page: &'a LineItemPage) -> Self {
        let intent = &page.intent;
        let data = intent.amount_details().map_or_else(Vec::new, |details| {
            let shown = |place: &usize| LineItemShown::of(intent.id, details, *place);
            page.places.iter().map(shown).collect()
        });
        LineItemsShown {
            data,
            has_more: page.has_more,
            url: url_of(intent.id),
        }
    }

    /// What all items show inside their intent; `None` when there are none.
    pub(super) fn all(intent: Id, details: &'a AmountDetails) -> Option<Self> {
        let count = details.line_items.len();
        (count > 0).then(|| LineItemsShown {
            data: (0..count)
                .map(|place| LineItemShown::of(intent, details, place))
                .collect(),
            has_more: false,
            url: url_of(intent),
        })
    }
}

fn url_of(intent: Id) -> String {
    let intent = intent.text(&kinds::PAYMENT_INTENT);
    format!("/v1/payment_intents/{intent}/amount_details_line_items")
}

impl<'a> LineItemShown<'a> {
    fn of(intent: Id, details: &'a AmountDetails, place: usize) -> Self {
        let item = &details.line_items[place];
        LineItemShown {
            id: Ident {
                kind: &kinds::AMOUNT_LINE_ITEM,
                id: item_id(intent, details, place),
            },
            discount_amount: item.discount,
            payment_method_options: item.options.as_deref().map(LineItemOptionsShown::of),
            product_code: item.product_code.as_deref(),
            product_name: &item.product_name,
            quantity: item.quantity,
            tax: item.tax.map(|tax| AmountTaxShown {
                total_tax_amount: Some(tax),
            }),
            unit_cost: item.unit_cost,
            unit_of_measure: item.unit_of_measure.as_deref(),
        }
    }
}

impl<'a> LineItemOptionsShown<'a> {
    fn of(options: &'a LineItemOptions) -> Self {
        let commodity = |code: &'a Option<Box<str>>| {
            code.as_deref().map(|code| CommodityShown {
                commodity_code: Some(code),
            })
        };
        let klarna = KlarnaItemShown {
            image_url: options.klarna_image_url.as_deref(),
            product_url: options.klarna_product_url.as_deref(),
            reference: options.klarna_reference.as_deref(),
            subscription_reference: options.klarna_subscription.as_deref(),
        };
        let paypal = PaypalItemShown {
            category: options.paypal_category,
            description: options.paypal_description.as_deref(),
            sold_by: options.paypal_sold_by.as_deref(),
        };
        let says = |texts: &[Option<&str>]| texts.iter().any(Option::is_some);
        LineItemOptionsShown {
            card: commodity(&options.card_commodity),
            card_present: commodity(&options.terminal_commodity),
            klarna: says(&[
                klarna.image_url,
                klarna.product_url,
                klarna.reference,
                klarna.subscription_reference,
            ])
            .then_some(klarna),
            paypal: (paypal.category.is_some() || says(&[paypal.description, paypal.sold_by])).then_some(paypal),
        }
    }
}
