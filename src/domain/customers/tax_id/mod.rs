//! A tax id: the number under which a customer, or the account itself, is known to a tax office.

mod decide;
mod params;
mod shown;
mod types;

pub(crate) use decide::{add, create, delete, replace, timer_due};
pub use params::{CreateTaxId, ENDPOINTS, ListCustomerTaxIds, ListTaxIds, TaxIdData, TaxIdOwnerParams, TaxIdOwnerType};
pub use shown::{DeletedTaxIdShown, TaxIdShown};
pub use types::TaxIdType;

use tollgate_resource::{Id, Names, Record};

/// Most tax ids of one customer.
pub const TAX_IDS_MAX: usize = 25;
/// How long a register takes, in milliseconds.
pub const VERIFICATION_MS: u64 = 2_000;

/// A tax id at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct TaxId {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The customer it is of; `None` for the account's own.
    #[record(2)]
    pub customer: Option<Id>,
    /// Its type.
    #[record(3)]
    pub kind: TaxIdType,
    /// The number, as it was given.
    #[record(4)]
    pub value: Box<str>,
    /// What a register says of it.
    #[record(5)]
    pub verification: Verification,
    /// Whether it was deleted; then it never changes again.
    #[record(6)]
    pub deleted: bool,
}

/// What a register says of a tax id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum Verification {
    /// Nothing yet.
    #[record(1)]
    Pending,
    /// There is no register to ask.
    #[record(2)]
    Unavailable,
    /// It does not know the number.
    #[record(3)]
    Unverified,
    /// It knows the number.
    #[record(4)]
    Verified,
}

impl Verification {
    /// The states that may follow this one.
    pub fn may_become(self, next: Verification) -> bool {
        self == next || self == Verification::Pending
    }
}

impl TaxId {
    /// The tax id as it was before the command that deleted it.
    pub(crate) fn as_undeleted(&self) -> TaxId {
        TaxId {
            deleted: false,
            ..self.clone()
        }
    }
}
