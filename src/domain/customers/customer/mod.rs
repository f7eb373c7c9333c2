//! A customer: who pays, and how to reach them.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{create, update};
pub use params::{CreateCustomer, ENDPOINTS, ListCustomers, UpdateCustomer};
pub use shown::CustomerShown;

use crate::address::{Address, Shipping};
use tollgate_resource::{Id, Metadata, Names, Record};

/// Customers have no states: they are made and changed. (Deleting one comes with the operation that does it.)
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
