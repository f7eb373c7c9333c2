//! What a tax id shows.

use super::{TaxId, TaxIdOwnerType, TaxIdType, Verification};
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Ref, Shown};

/// The number under which a customer, or the account itself, is known to a tax office.
#[derive(Shown)]
#[shown(object = "tax_id")]
pub struct TaxIdShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// Two-letter code of the country.
    pub country: Option<&'a str>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The customer it is of.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'a str>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// Whose it is.
    pub owner: TaxIdOwnerShown,
    /// Its type.
    #[shown(name = "type")]
    pub kind: TaxIdType,
    /// The number.
    pub value: &'a str,
    /// What a register says of it.
    pub verification: TaxIdVerificationShown,
}

/// Whose a tax id is.
#[derive(Shown)]
pub struct TaxIdOwnerShown {
    /// The customer, if it is one.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// The account that stands for the customer.
    pub customer_account: Option<&'static str>,
    /// What it is.
    #[shown(name = "type")]
    pub kind: TaxIdOwnerType,
}

/// What a register says of a tax id.
#[derive(Shown)]
pub struct TaxIdVerificationShown {
    /// Whether it knows the number.
    pub status: Verification,
    /// The address it has for the number.
    pub verified_address: Option<&'static str>,
    /// The name it has for the number.
    pub verified_name: Option<&'static str>,
}

/// What is left to see of a tax id that was deleted.
#[derive(Shown)]
#[shown(object = "tax_id")]
pub struct DeletedTaxIdShown {
    /// Unique identifier the tax id had.
    pub id: Ident,
    /// Always true.
    pub deleted: bool,
}

impl<'a> TaxIdShown<'a> {
    /// What `tax_id` shows.
    pub fn of(tax_id: &'a TaxId, context: &ShowContext<'_>) -> Self {
        let customer = tax_id.customer.map(|id| Ref {
            kind: &kinds::CUSTOMER,
            id,
        });
        TaxIdShown {
            id: ident(tax_id),
            country: tax_id.kind.country(&tax_id.value),
            created: Seconds(tax_id.id.created()),
            customer,
            customer_account: None,
            livemode: context.livemode,
            owner: TaxIdOwnerShown {
                customer,
                customer_account: None,
                kind: match customer {
                    Some(_) => TaxIdOwnerType::Customer,
                    None => TaxIdOwnerType::Own,
                },
            },
            kind: tax_id.kind,
            value: &tax_id.value,
            verification: TaxIdVerificationShown {
                status: tax_id.verification,
                verified_address: None,
                verified_name: None,
            },
        }
    }
}

impl DeletedTaxIdShown {
    /// What is left of `tax_id`.
    pub fn of(tax_id: &TaxId) -> Self {
        DeletedTaxIdShown {
            id: ident(tax_id),
            deleted: true,
        }
    }
}

fn ident(tax_id: &TaxId) -> Ident {
    Ident {
        kind: &kinds::TAX_ID,
        id: tax_id.id,
    }
}
