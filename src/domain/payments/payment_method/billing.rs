//! Who is billed: sent, kept and shown.

use crate::address::{Address, AddressParams, AddressShown};
use tollgate_resource::{Params, Record, Shown, Update};

/// Who is billed. Every part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Record)]
pub struct BillingDetails {
    /// Postal address.
    #[record(1)]
    pub address: Address,
    /// Email address.
    #[record(2)]
    pub email: Option<Box<str>>,
    /// Full name.
    #[record(3)]
    pub name: Option<Box<str>>,
    /// Telephone number.
    #[record(4)]
    pub phone: Option<Box<str>>,
    /// Tax number.
    #[record(5)]
    pub tax_id: Option<Box<str>>,
}

/// Who is billed, as a parameter. What is not given stays; an empty string unsets.
#[derive(Params, Default, Clone, Debug)]
pub struct BillingDetailsParams {
    /// Postal address; its parts are merged into what is known.
    pub address: Update<AddressParams>,
    /// Email address.
    pub email: Update<Box<str>>,
    /// Full name.
    pub name: Update<Box<str>>,
    /// Telephone number.
    pub phone: Update<Box<str>>,
    /// Tax number.
    pub tax_id: Update<Box<str>>,
}

/// Who is billed.
#[derive(Shown)]
pub struct BillingDetailsShown<'a> {
    /// Postal address.
    pub address: AddressShown<'a>,
    /// Email address.
    pub email: Option<&'a str>,
    /// Full name.
    pub name: Option<&'a str>,
    /// Telephone number.
    pub phone: Option<&'a str>,
    /// Tax number.
    pub tax_id: Option<&'a str>,
}

impl BillingDetailsParams {
    /// Merges what is given into what is kept.
    pub(crate) fn apply_to(&self, kept: &mut BillingDetails) {
        match &self.address {
            Update::Keep => {}
            Update::Clear => kept.address = Address::default(),
            Update::Set(given) => {
                for (given, kept) in [
                    (&given.city, &mut kept.address.city),
                    (&given.country, &mut kept.address.country),
                    (&given.line1, &mut kept.address.line1),
                    (&given.line2, &mut kept.address.line2),
                    (&given.postal_code, &mut kept.address.postal_code),
                    (&given.state, &mut kept.address.state),
                ] {
                    given.clone().apply_to(kept);
                }
            }
        }
        self.email.clone().apply_to(&mut kept.email);
        self.name.clone().apply_to(&mut kept.name);
        self.phone.clone().apply_to(&mut kept.phone);
        self.tax_id.clone().apply_to(&mut kept.tax_id);
    }
}

impl<'a> From<&'a BillingDetails> for BillingDetailsShown<'a> {
    fn from(kept: &'a BillingDetails) -> Self {
        BillingDetailsShown {
            address: AddressShown::from(&kept.address),
            email: kept.email.as_deref(),
            name: kept.name.as_deref(),
            phone: kept.phone.as_deref(),
            tax_id: kept.tax_id.as_deref(),
        }
    }
}

/// Billing details of which nothing is known.
pub fn no_billing_details<'a>() -> BillingDetailsShown<'a> {
    let address = AddressShown {
        city: None,
        country: None,
        line1: None,
        line2: None,
        postal_code: None,
        state: None,
    };
    BillingDetailsShown {
        address,
        email: None,
        name: None,
        phone: None,
        tax_id: None,
    }
}
