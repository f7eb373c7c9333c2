//! Bank accounts as parameters of payment methods.

use super::number::AccountNumber;
use super::{AccountType, HolderType};
use crate::money::Currency;
use tollgate_resource::Params;

/// A bank account in the United States.
#[derive(Params, Default, Clone, Debug)]
pub struct UsBankAccountParams {
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// The number.
    pub account_number: Option<AccountNumber>,
    /// What kind of account it is.
    pub account_type: Option<AccountType>,
    /// The bank.
    pub routing_number: Option<Box<str>>,
}

/// A bank account as older operations give it.
#[derive(Params, Default, Clone, Debug)]
pub struct BankAccountParams {
    /// Name of the holder.
    pub account_holder_name: Option<Box<str>>,
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// The number.
    #[param(required)]
    pub account_number: Option<AccountNumber>,
    /// What kind of account it is.
    pub account_type: Option<AccountType>,
    /// Where it is kept: accounts in the United States are debited.
    #[param(required)]
    pub country: Box<str>,
    /// In which currency it is debited.
    pub currency: Option<Currency>,
    /// The bank.
    pub routing_number: Option<Box<str>>,
}

/// What changes about a bank account in the United States.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateUsBankAccountParams {
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// What kind of account it is.
    pub account_type: Option<AccountType>,
}

/// A bank account in the single euro payments area.
#[derive(Params, Default, Clone, Debug)]
pub struct SepaDebitParams {
    /// The IBAN.
    #[param(required)]
    pub iban: Option<AccountNumber>,
}

/// A bank account in Canada.
#[derive(Params, Default, Clone, Debug)]
pub struct AcssDebitParams {
    /// The number.
    #[param(required)]
    pub account_number: Option<AccountNumber>,
    /// The bank.
    #[param(required)]
    pub institution_number: Box<str>,
    /// The branch.
    #[param(required)]
    pub transit_number: Box<str>,
}

/// A bank account in the United Kingdom.
#[derive(Params, Default, Clone, Debug)]
pub struct BacsDebitParams {
    /// The number.
    pub account_number: Option<AccountNumber>,
    /// The bank and the branch.
    pub sort_code: Option<Box<str>>,
}

/// A bank account in Australia.
#[derive(Params, Default, Clone, Debug)]
pub struct AuBecsDebitParams {
    /// The number.
    #[param(required)]
    pub account_number: Option<AccountNumber>,
    /// The bank and the branch.
    #[param(required)]
    pub bsb_number: Box<str>,
}
