//! What a customer shows.

use super::credit::CreditByCurrencyShown;
use super::invoicing::InvoiceSettingsShown;
use super::{Customer, TaxExempt};
use crate::address::{AddressShown, CustomerShippingShown};
use crate::customers::source::BESIDES_CARDS;
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Ref, Shown, SubList};

/// Members of an included list.
const LISTED: usize = 10;

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
    #[shown(expand)]
    pub default_source: Option<Ref>,
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
    /// What the next invoices are reduced by, by currency.
    #[shown(expand, revision = 2)]
    pub invoice_credit_balance: CreditByCurrencyShown,
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
    /// Cards and sources of the older API, newest first.
    #[shown(included_until = 20221115)]
    pub sources: SubList<'a>,
    /// Subscriptions; there are none yet.
    #[shown(included_until = 20221115)]
    pub subscriptions: SubList<'a>,
    /// Where the customer is, for tax.
    #[shown(expand)]
    pub tax: CustomerTaxShown<'a>,
    /// Whether the customer pays tax.
    pub tax_exempt: TaxExempt,
    /// Tax ids, newest first.
    #[shown(included_until = 20200827)]
    pub tax_ids: SubList<'a>,
    /// The test clock the customer lives by.
    pub test_clock: Option<&'a str>,
}

/// Where a customer is, for tax.
#[derive(Shown)]
pub struct CustomerTaxShown<'a> {
    /// Whether tax can be worked out by itself; it is not offered, so no place is recognised.
    pub automatic_tax: &'static str,
    /// An address on the internet that the customer recently had.
    pub ip_address: Option<&'a str>,
    /// The place that is used.
    pub location: Option<&'a str>,
    /// Who works tax out.
    pub provider: &'static str,
}

/// What is left to see of a customer that was deleted.
#[derive(Shown)]
#[shown(object = "customer")]
pub struct DeletedCustomerShown {
    /// Unique identifier the customer had.
    pub id: Ident,
    /// Always true.
    pub deleted: bool,
}

impl DeletedCustomerShown {
    /// What is left of `customer`.
    pub fn of(customer: &Customer) -> Self {
        DeletedCustomerShown {
            id: Ident {
                kind: &kinds::CUSTOMER,
                id: customer.id,
            },
            deleted: true,
        }
    }
}

impl<'a> CustomerShown<'a> {
    /// What `customer` shows.
    pub fn of(customer: &'a Customer, context: &ShowContext<'_>) -> Self {
        let more = customer.more();
        let id = Ident {
            kind: &kinds::CUSTOMER,
            id: customer.id,
        };
        CustomerShown {
            id,
            address: customer.address.as_ref().map(AddressShown::from),
            balance: more.balance,
            business_name: customer.business_name.as_deref(),
            created: Seconds(customer.id.created()),
            currency: more.currency.map(|currency| currency.code()),
            customer_account: None,
            default_source: more.default_source.map(|id| Ref {
                kind: kinds::of_method(id),
                id,
            }),
            delinquent: false,
            description: customer.description.as_deref(),
            discount: None,
            email: customer.email.as_deref(),
            individual_name: customer.individual_name.as_deref(),
            invoice_credit_balance: CreditByCurrencyShown::of(more.balance, more.currency),
            invoice_prefix: match &customer.invoice_prefix {
                Some(chosen) => chosen.to_string(),
                None => default_invoice_prefix(customer),
            },
            invoice_settings: InvoiceSettingsShown::from(&more.invoicing),
            livemode: context.livemode,
            metadata: &customer.metadata,
            name: customer.name.as_deref(),
            next_invoice_sequence: i64::from(more.next_invoice_sequence.max(1)),
            phone: customer.phone.as_deref(),
            preferred_locales: &customer.preferred_locales,
            shipping: customer.shipping.as_ref().map(CustomerShippingShown::from),
            sources: SubList {
                kind: &kinds::CARD,
                also: &BESIDES_CARDS,
                ids: &more.sources[..more.sources.len().min(LISTED)],
                has_more: more.sources.len() > LISTED,
                total: more.sources.len() as u64,
                url: "/v1/customers/{}/sources",
                of: Some(id),
            },
            subscriptions: SubList {
                kind: &kinds::CUSTOMER,
                also: &[],
                ids: &[],
                has_more: false,
                total: 0,
                url: "/v1/customers/{}/subscriptions",
                of: Some(id),
            },
            tax: CustomerTaxShown {
                automatic_tax: "unrecognized_location",
                ip_address: more.tax_ip_address.as_deref(),
                location: None,
                provider: "stripe",
            },
            tax_exempt: customer.tax_exempt,
            tax_ids: SubList {
                kind: &kinds::TAX_ID,
                also: &[],
                ids: &more.tax_ids[..more.tax_ids.len().min(LISTED)],
                has_more: more.tax_ids.len() > LISTED,
                total: more.tax_ids.len() as u64,
                url: "/v1/customers/{}/tax_ids",
                of: Some(id),
            },
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
