//! Postal addresses and where goods are sent: sent, kept and shown, shared by customers and payments.

use tollgate_resource::{Params, Record, Shown, Update};

/// A postal address. Every part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Record)]
pub struct Address {
    /// City or town.
    #[record(1)]
    pub city: Option<Box<str>>,
    /// Two-letter country code.
    #[record(2)]
    pub country: Option<Box<str>>,
    /// Street, or post office box.
    #[record(3)]
    pub line1: Option<Box<str>>,
    /// Apartment or building.
    #[record(4)]
    pub line2: Option<Box<str>>,
    /// Postal code.
    #[record(5)]
    pub postal_code: Option<Box<str>>,
    /// State, county or province.
    #[record(6)]
    pub state: Option<Box<str>>,
}

/// Where goods are sent, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Record)]
pub struct Shipping {
    /// Where to.
    #[record(1)]
    pub address: Address,
    /// Who receives them.
    #[record(2)]
    pub name: Option<Box<str>>,
    /// Their telephone number.
    #[record(3)]
    pub phone: Option<Box<str>>,
    /// Who delivers; payments only.
    #[record(4)]
    pub carrier: Option<Box<str>>,
    /// The deliverer's number of the parcel; payments only.
    #[record(5)]
    pub tracking_number: Option<Box<str>>,
}

/// A postal address as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct AddressParams {
    /// City or town.
    pub city: Update<Box<str>>,
    /// Two-letter country code.
    pub country: Update<Box<str>>,
    /// Street, or post office box.
    pub line1: Update<Box<str>>,
    /// Apartment or building.
    pub line2: Update<Box<str>>,
    /// Postal code.
    pub postal_code: Update<Box<str>>,
    /// State, county or province.
    pub state: Update<Box<str>>,
}

/// Where a payment's goods are sent, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct ShippingParams {
    /// Where to.
    #[param(required)]
    pub address: Option<AddressParams>,
    /// Who receives them.
    #[param(required)]
    pub name: Box<str>,
    /// Who delivers.
    pub carrier: Update<Box<str>>,
    /// Their telephone number.
    pub phone: Update<Box<str>>,
    /// The deliverer's number of the parcel.
    pub tracking_number: Update<Box<str>>,
}

/// Where a customer's goods are sent, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct CustomerShippingParams {
    /// Where to.
    #[param(required)]
    pub address: Option<AddressParams>,
    /// Who receives them.
    #[param(required)]
    pub name: Box<str>,
    /// Their telephone number.
    pub phone: Update<Box<str>>,
}

/// A postal address.
#[derive(Shown)]
pub struct AddressShown<'a> {
    /// City or town.
    pub city: Option<&'a str>,
    /// Two-letter country code.
    pub country: Option<&'a str>,
    /// Street, or post office box.
    pub line1: Option<&'a str>,
    /// Apartment or building.
    pub line2: Option<&'a str>,
    /// Postal code.
    pub postal_code: Option<&'a str>,
    /// State, county or province.
    pub state: Option<&'a str>,
}

/// Where a payment's goods are sent.
#[derive(Shown)]
pub struct ShippingShown<'a> {
    /// Where to.
    pub address: AddressShown<'a>,
    /// Who delivers.
    pub carrier: Option<&'a str>,
    /// Who receives them.
    pub name: Option<&'a str>,
    /// Their telephone number.
    pub phone: Option<&'a str>,
    /// The deliverer's number of the parcel.
    pub tracking_number: Option<&'a str>,
}

/// Where a customer's goods are sent.
#[derive(Shown)]
pub struct CustomerShippingShown<'a> {
    /// Where to.
    pub address: AddressShown<'a>,
    /// Who receives them.
    pub name: Option<&'a str>,
    /// Their telephone number.
    pub phone: Option<&'a str>,
}

/// The stored form of what a request gives, if it gives it.
pub(crate) fn changed<From: Clone, To>(update: &Update<From>, into: fn(From) -> To) -> Update<To> {
    match update {
        Update::Keep => Update::Keep,
        Update::Clear => Update::Clear,
        Update::Set(value) => Update::Set(into(value.clone())),
    }
}

impl From<AddressParams> for Address {
    fn from(given: AddressParams) -> Self {
        Address {
            city: given.city.into_option(),
            country: given.country.into_option(),
            line1: given.line1.into_option(),
            line2: given.line2.into_option(),
            postal_code: given.postal_code.into_option(),
            state: given.state.into_option(),
        }
    }
}

impl From<ShippingParams> for Shipping {
    fn from(given: ShippingParams) -> Self {
        Shipping {
            address: given.address.map(Address::from).unwrap_or_default(),
            name: Some(given.name),
            phone: given.phone.into_option(),
            carrier: given.carrier.into_option(),
            tracking_number: given.tracking_number.into_option(),
        }
    }
}

impl From<CustomerShippingParams> for Shipping {
    fn from(given: CustomerShippingParams) -> Self {
        Shipping {
            address: given.address.map(Address::from).unwrap_or_default(),
            name: Some(given.name),
            phone: given.phone.into_option(),
            carrier: None,
            tracking_number: None,
        }
    }
}

impl<'a> From<&'a Address> for AddressShown<'a> {
    fn from(kept: &'a Address) -> Self {
        AddressShown {
            city: kept.city.as_deref(),
            country: kept.country.as_deref(),
            line1: kept.line1.as_deref(),
            line2: kept.line2.as_deref(),
            postal_code: kept.postal_code.as_deref(),
            state: kept.state.as_deref(),
        }
    }
}

impl<'a> From<&'a Shipping> for ShippingShown<'a> {
    fn from(kept: &'a Shipping) -> Self {
        ShippingShown {
            address: AddressShown::from(&kept.address),
            carrier: kept.carrier.as_deref(),
            name: kept.name.as_deref(),
            phone: kept.phone.as_deref(),
            tracking_number: kept.tracking_number.as_deref(),
        }
    }
}

impl<'a> From<&'a Shipping> for CustomerShippingShown<'a> {
    fn from(kept: &'a Shipping) -> Self {
        CustomerShippingShown {
            address: AddressShown::from(&kept.address),
            name: kept.name.as_deref(),
            phone: kept.phone.as_deref(),
        }
    }
}
