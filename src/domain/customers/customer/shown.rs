//! What a customer shows.

use super::{Customer, TaxExempt};
use crate::address::{AddressShown, CustomerShippingShown};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Ref, Shown};

/// Somebody who pays, kept so that payments can be grouped and cards reused.
#[derive(Shown)]
#[shown(object = "customer")]
pub struct CustomerShown<'a> {
    /// Unique identifier of the customer.
    pub id: Ident,
    /// Postal address.
    pub address: Option<AddressShown<'a>>,
    /// Credit (negative) or debt (positive) towards the next invoice, in minor units.
    pub balance: i64,
    /// Name of the customer's business.
    #[shown(omit)]
    pub business_name: Option<&'a str>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The currency in which the customer is billed; set by the first invoice.
    pub currency: Option<&'a str>,
    /// The account that stands for this customer.
    pub customer_account: Option<&'a str>,
    /// The source that is charged when none is named.
    pub default_source: Option<&'a str>,
    /// Whether an invoice is overdue.
    pub delinquent: bool,
    /// Free text for the merchant.
    pub description: Option<&'a str>,
    /// The discount that applies to all the customer's invoices.
    pub discount: Option<&'a str>,
    /// Email address.
    pub email: Option<&'a str>,
    /// Name of the person.
    #[shown(omit)]
    pub individual_name: Option<&'a str>,
    /// Prefix of the customer's invoice numbers.
    pub invoice_prefix: String,
    /// How the customer is invoiced.
    pub invoice_settings: InvoiceSettingsShown<'a>,
    /// Whether the customer belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// Full name, or the name of a business.
    pub name: Option<&'a str>,
    /// Number of the next invoice.
    pub next_invoice_sequence: i64,
    /// Telephone number.
    pub phone: Option<&'a str>,
    /// Languages, most preferred first.
    pub preferred_locales: &'a Vec<String>,
    /// Where goods are sent.
    pub shipping: Option<CustomerShippingShown<'a>>,
    /// Whether the customer pays tax.
    pub tax_exempt: TaxExempt,
    /// The test clock the customer lives by.
    pub test_clock: Option<&'a str>,
}

/// How a customer is invoiced.
#[derive(Shown)]
pub struct InvoiceSettingsShown<'a> {
    /// Fields printed on every invoice.
    pub custom_fields: Option<&'a str>,
    /// The payment method that invoices are charged to.
    #[shown(expand)]
    pub default_payment_method: Option<Ref>,
    /// Text at the foot of every invoice.
    pub footer: Option<&'a str>,
    /// How invoices are printed.
    pub rendering_options: Option<&'a str>,
}

impl<'a> CustomerShown<'a> {
    /// What `customer` shows.
    pub fn of(customer: &'a Customer, context: &ShowContext<'_>) -> Self {
        CustomerShown {
            id: Ident {
                kind: &kinds::CUSTOMER,
                id: customer.id,
            },
            address: customer.address.as_ref().map(AddressShown::from),
            balance: 0,
            business_name: customer.business_name.as_deref(),
            created: Seconds(customer.id.created()),
            currency: None,
            customer_account: None,
            default_source: None,
            delinquent: false,
            description: customer.description.as_deref(),
            discount: None,
            email: customer.email.as_deref(),
            individual_name: customer.individual_name.as_deref(),
            invoice_prefix: match &customer.invoice_prefix {
                Some(chosen) => chosen.to_string(),
                None => default_invoice_prefix(customer),
            },
            invoice_settings: InvoiceSettingsShown {
                custom_fields: None,
                default_payment_method: None,
                footer: None,
                rendering_options: None,
            },
            livemode: context.livemode,
            metadata: &customer.metadata,
            name: customer.name.as_deref(),
            next_invoice_sequence: 1,
            phone: customer.phone.as_deref(),
            preferred_locales: &customer.preferred_locales,
            shipping: customer.shipping.as_ref().map(CustomerShippingShown::from),
            tax_exempt: customer.tax_exempt,
            test_clock: None,
        }
    }
}

/// Eight capital letters and digits that follow from the id, so that nothing needs to be stored.
fn default_invoice_prefix(customer: &Customer) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";
    // An odd multiplier spreads the sequence number, which alone would give neighbours the same first digits.
    let mut bits = (customer.id.bits() as u64 ^ customer.id.seq()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut out = String::with_capacity(8);
    for _ in 0..8 {
        out.push(DIGITS[(bits >> 59) as usize] as char);
        bits <<= 5;
    }
    out
}
