//! How a customer is invoiced.

use crate::address::changed;
use crate::decision::{Case, Stop};
use crate::kinds;
use crate::payments::payment_method::PaymentMethodParam;
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names, Params, Record, Ref, Shown, Update};

/// How a customer is invoiced.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct InvoiceSettings {
    /// Fields printed on every invoice.
    #[record(1)]
    pub custom_fields: Vec<CustomField>,
    /// The payment method that invoices are charged to.
    #[record(2)]
    pub default_payment_method: Option<Id>,
    /// Text at the foot of every invoice.
    #[record(3)]
    pub footer: Option<Box<str>>,
    /// How invoices are printed.
    #[record(4)]
    pub rendering: Option<Box<InvoiceRendering>>,
}

/// A field printed on every invoice.
#[derive(Clone, Debug, PartialEq, Eq, Record)]
pub struct CustomField {
    /// Its name.
    #[record(1)]
    pub name: Box<str>,
    /// Its value.
    #[record(2)]
    pub value: Box<str>,
}

/// How invoices are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Record)]
pub struct InvoiceRendering {
    /// How taxes stand on line items.
    #[record(1)]
    pub amount_tax_display: Option<AmountTaxDisplay>,
    /// Id of the template.
    #[record(2)]
    pub template: Option<Box<str>>,
}

/// How taxes stand on the line items of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum AmountTaxDisplay {
    /// Amounts without tax.
    #[record(1)]
    ExcludeTax,
    /// Amounts with the taxes that prices include.
    #[record(2)]
    IncludeInclusiveTax,
}

/// How a customer is invoiced, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct InvoiceSettingsParams {
    /// Fields printed on every invoice, replaced as a whole.
    #[param(max_items = 4)]
    pub custom_fields: Option<Vec<CustomFieldParams>>,
    /// The payment method that invoices are charged to; it must be saved to the customer.
    pub default_payment_method: Update<PaymentMethodParam>,
    /// Text at the foot of every invoice.
    pub footer: Update<Box<str>>,
    /// How invoices are printed, replaced as a whole.
    pub rendering_options: Update<InvoiceRenderingParams>,
}

/// A field printed on every invoice, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct CustomFieldParams {
    /// Its name.
    #[param(required, max_len = 40)]
    pub name: Box<str>,
    /// Its value.
    #[param(required, max_len = 140)]
    pub value: Box<str>,
}

/// How invoices are printed, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct InvoiceRenderingParams {
    /// How taxes stand on line items.
    pub amount_tax_display: Update<AmountTaxDisplay>,
    /// Id of the template.
    pub template: Option<Box<str>>,
}

/// How a customer is invoiced.
#[derive(Shown)]
pub struct InvoiceSettingsShown<'a> {
    /// Fields printed on every invoice.
    pub custom_fields: Option<Vec<CustomFieldShown<'a>>>,
    /// The payment method that invoices are charged to.
    #[shown(expand)]
    pub default_payment_method: Option<Ref>,
    /// Text at the foot of every invoice.
    pub footer: Option<&'a str>,
    /// How invoices are printed.
    pub rendering_options: Option<InvoiceRenderingShown<'a>>,
}

/// A field printed on every invoice.
#[derive(Shown)]
pub struct CustomFieldShown<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// How invoices are printed.
#[derive(Shown)]
pub struct InvoiceRenderingShown<'a> {
    /// How taxes stand on line items.
    pub amount_tax_display: Option<AmountTaxDisplay>,
    /// Id of the template.
    pub template: Option<&'a str>,
}

impl InvoiceSettings {
    /// Changes what the request gives. `held` are the payment methods of the customer.
    pub(super) fn change(
        &mut self,
        case: &Case<'_>,
        asked: &InvoiceSettingsParams,
        held: &dyn Fn(Id) -> bool,
    ) -> Result<(), Stop> {
        if let Some(fields) = &asked.custom_fields {
            self.custom_fields = fields.iter().map(CustomField::from).collect();
        }
        asked.footer.clone().apply_to(&mut self.footer);
        changed(&asked.rendering_options, |given| {
            Box::new(InvoiceRendering::from(given))
        })
        .apply_to(&mut self.rendering);
        match asked.default_payment_method {
            Update::Keep => {}
            Update::Clear => self.default_payment_method = None,
            Update::Set(PaymentMethodParam::Stored(id)) => {
                if case.payment_method(id)?.is_none() {
                    return Err(Reject::no_such_param(&kinds::PAYMENT_METHOD, id, DEFAULT_METHOD).into());
                }
                if !held(id) {
                    return Err(not_held(&id.text(kinds::of_method(id))));
                }
                self.default_payment_method = Some(id);
            }
            Update::Set(PaymentMethodParam::Fresh(test)) => {
                return Err(not_held(&test.name()));
            }
        }
        Ok(())
    }
}

const DEFAULT_METHOD: &str = "invoice_settings[default_payment_method]";

fn not_held(method: &str) -> Stop {
    let message = format!(
        "The customer does not have a payment method with the ID {method}. The payment method must be attached to the \
         customer."
    );
    Reject::invalid(Some(codes::RESOURCE_MISSING), message)
        .with_param(DEFAULT_METHOD)
        .into()
}

impl From<&CustomFieldParams> for CustomField {
    fn from(given: &CustomFieldParams) -> Self {
        CustomField {
            name: given.name.clone(),
            value: given.value.clone(),
        }
    }
}

impl From<InvoiceRenderingParams> for InvoiceRendering {
    fn from(given: InvoiceRenderingParams) -> Self {
        InvoiceRendering {
            amount_tax_display: given.amount_tax_display.into_option(),
            template: given.template,
        }
    }
}

impl<'a> From<&'a InvoiceSettings> for InvoiceSettingsShown<'a> {
    fn from(kept: &'a InvoiceSettings) -> Self {
        let fields = kept.custom_fields.iter().map(|field| CustomFieldShown {
            name: &field.name,
            value: &field.value,
        });
        InvoiceSettingsShown {
            custom_fields: (!kept.custom_fields.is_empty()).then(|| fields.collect()),
            default_payment_method: kept.default_payment_method.map(|id| Ref {
                kind: kinds::of_method(id),
                id,
            }),
            footer: kept.footer.as_deref(),
            rendering_options: kept.rendering.as_deref().map(|rendering| InvoiceRenderingShown {
                amount_tax_display: rendering.amount_tax_display,
                template: rendering.template.as_deref(),
            }),
        }
    }
}
