//! Ways to pay that a payer agrees to on a page of another company: wallets, pages of banks, paying later. In test mode the
//! page is Tollgate's own.

mod params;
mod shown;

pub use params::{DobParams, EpsParams, IdealParams, KlarnaParams, P24Params};
pub(crate) use shown::RedirectsShown;
pub use shown::{DobShown, EmptyShown, EpsShown, IdealShown, KlarnaShown, LinkShown, P24Shown, PaypalShown};

use super::payment_method::PaymentMethodType;
use tollgate_resource::Record;

/// A way to pay that is agreed to on a page of another company.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RedirectMethod {
    /// Which.
    #[record(1)]
    pub kind: PaymentMethodType,
    /// The bank that the payer chose, for those of banks.
    #[record(2)]
    pub bank: Option<Box<str>>,
    /// When the payer was born, where that was said.
    #[record(3)]
    pub born: Option<Dob>,
}

/// A date of birth.
#[derive(Clone, Copy, Debug, PartialEq, Record)]
pub struct Dob {
    /// Day of the month, from 1.
    #[record(1)]
    pub day: u8,
    /// Month, from 1.
    #[record(2)]
    pub month: u8,
    /// Year, four digits.
    #[record(3)]
    pub year: u16,
}
