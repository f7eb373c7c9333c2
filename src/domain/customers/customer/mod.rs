//! A customer: who pays, and how to reach them.

mod credit;
mod decide;
mod delete;
mod invoicing;
mod params;
mod saving;
mod shown;

pub use credit::CreditByCurrencyShown;
pub(crate) use decide::{create, put_changed, update};
pub(crate) use delete::delete;
pub use invoicing::{AmountTaxDisplay, CustomField, InvoiceRendering, InvoiceSettings};
pub use params::{CreateCustomer, ENDPOINTS, ListCustomers, UpdateCustomer};
pub(crate) use saving::save_method;
pub use shown::{CustomerShown, DeletedCustomerShown};

use crate::address::{Address, Shipping};
use crate::decision::Stop;
use crate::kinds;
use crate::money::Currency;
use crate::reject::Reject;
use tollgate_resource::{Id, Metadata, Names, Record};

/// Most payment methods that one customer holds: deleting the customer changes all of them in one record.
pub const METHODS_MAX: usize = 200;

/// Customers are made, changed and deleted. A deleted one stays as a stub for what still names it, and never changes again.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Customer {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// Full name, or the name of a business.
    #[record(2)]
    pub name: Option<Box<str>>,
    /// Email address.
    #[record(3)]
    pub email: Option<Box<str>>,
    /// Telephone number.
    #[record(4)]
    pub phone: Option<Box<str>>,
    /// Free text for the merchant.
    #[record(5)]
    pub description: Option<Box<str>>,
    /// Postal address.
    #[record(6)]
    pub address: Option<Address>,
    /// Where goods are sent.
    #[record(7)]
    pub shipping: Option<Shipping>,
    /// The merchant's pairs.
    #[record(8)]
    pub metadata: Metadata,
    /// Languages, most preferred first.
    #[record(9)]
    pub preferred_locales: Vec<String>,
    /// Prefix of invoice numbers, if the merchant chose one; otherwise it follows from the id.
    #[record(10)]
    pub invoice_prefix: Option<Box<str>>,
    /// Whether the customer pays tax.
    #[record(11)]
    pub tax_exempt: TaxExempt,
    /// Name of the customer's business.
    #[record(12)]
    pub business_name: Option<Box<str>>,
    /// Name of the person.
    #[record(13)]
    pub individual_name: Option<Box<str>>,
    /// Whether it was deleted. The rest stays as it was, for the event that says so.
    #[record(14)]
    pub deleted: bool,
    /// What few customers have; `None` is the same as all of it at its default.
    #[record(15)]
    pub more: Option<Box<CustomerMore>>,
}

/// What few customers have.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct CustomerMore {
    /// Credit (negative) or debt (positive) towards the next invoice, in minor units: the sum of its transactions.
    #[record(1)]
    pub balance: i64,
    /// The currency of that balance.
    #[record(2)]
    pub currency: Option<Currency>,
    /// The card or source that is charged when none is named.
    #[record(3)]
    pub default_source: Option<Id>,
    /// How the customer is invoiced.
    #[record(4)]
    pub invoicing: InvoiceSettings,
    /// Number of the next invoice; 0 for the first.
    #[record(5)]
    pub next_invoice_sequence: u32,
    /// Where the customer was when it was made or changed, for tax.
    #[record(6)]
    pub tax_ip_address: Option<Box<str>>,
    /// Payment methods that are saved to it, oldest first; at most [`METHODS_MAX`] with the sources.
    #[record(7)]
    pub methods: Vec<Id>,
    /// Cards and sources of the older API, newest first.
    #[record(8)]
    pub sources: Vec<Id>,
    /// Tax ids, newest first.
    #[record(9)]
    pub tax_ids: Vec<Id>,
}

impl Customer {
    /// What few customers have, of this one.
    pub fn more(&self) -> &CustomerMore {
        static NOTHING: CustomerMore = CustomerMore {
            balance: 0,
            currency: None,
            default_source: None,
            invoicing: InvoiceSettings {
                custom_fields: Vec::new(),
                default_payment_method: None,
                footer: None,
                rendering: None,
            },
            next_invoice_sequence: 0,
            tax_ip_address: None,
            methods: Vec::new(),
            sources: Vec::new(),
            tax_ids: Vec::new(),
        };
        self.more.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to be changed; [`Customer::normalise`] ends the change.
    pub(crate) fn more_mut(&mut self) -> &mut CustomerMore {
        self.more.get_or_insert_default()
    }

    /// Makes equal customers equal: nothing is kept where everything is at its default.
    pub(crate) fn normalise(&mut self) {
        if self.more.as_deref() == Some(&CustomerMore::default()) {
            self.more = None;
        }
    }

    /// Notes that a payment method is saved to the customer; refused when it holds too many.
    pub(crate) fn hold_method(&mut self, method: Id) -> Result<(), Stop> {
        let more = self.more();
        if more.methods.contains(&method) || more.sources.contains(&method) {
            return Ok(());
        }
        if more.methods.len() + more.sources.len() >= METHODS_MAX {
            let message = format!(
                "A customer can have up to {METHODS_MAX} payment methods, and this one has that many. Detach one before \
                 you attach another."
            );
            return Err(Reject::invalid(None, message).with_param("payment_method").into());
        }
        let more = self.more_mut();
        if method.is(&kinds::PAYMENT_METHOD) {
            more.methods.push(method);
        } else {
            more.sources.insert(0, method);
        }
        Ok(())
    }

    /// Notes that a payment method is no longer saved to the customer.
    pub(crate) fn release_method(&mut self, method: Id) {
        if self.more.is_none() {
            return;
        }
        let more = self.more_mut();
        more.methods.retain(|held| *held != method);
        more.sources.retain(|held| *held != method);
        if more.default_source == Some(method) {
            more.default_source = more.sources.first().copied();
        }
        if more.invoicing.default_payment_method == Some(method) {
            more.invoicing.default_payment_method = None;
        }
        self.normalise();
    }

    /// The customer as it was before the command that deleted it.
    pub(crate) fn as_undeleted(&self) -> Customer {
        Customer {
            deleted: false,
            ..self.clone()
        }
    }
}

/// Whether a customer pays tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum TaxExempt {
    /// Pays no tax.
    #[record(2)]
    Exempt,
    /// Not exempt.
    #[default]
    #[record(1)]
    None,
    /// Accounts for it himself.
    #[record(3)]
    Reverse,
}
