//! A bank account as older integrations see it: saved to a customer, or within a token.

use super::{AccountType, BankAccount, HolderType, Ownership};
use crate::country::Country;
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::payment_method::{Last4, NO_METADATA, PaymentMethod};
use tollgate_resource::shown::Ident;
use tollgate_resource::{Id, Metadata, Names, Ref, Shown};

/// A bank account of a token or customer.
#[derive(Shown)]
#[shown(object = "bank_account")]
pub struct BankAccountShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// Name of the holder.
    pub account_holder_name: Option<&'a str>,
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// What kind of account it is.
    pub account_type: Option<AccountType>,
    /// Name of the bank.
    pub bank_name: Option<&'static str>,
    /// Where it is kept.
    pub country: Country,
    /// In which currency it is debited.
    pub currency: Currency,
    /// The customer it is saved to.
    #[shown(expand, omit)]
    pub customer: Option<Ref>,
    /// The same for every bank account with these numbers.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// The merchant's pairs; left out of tokens.
    #[shown(omit)]
    pub metadata: Option<&'a Metadata>,
    /// The bank.
    pub routing_number: &'a str,
    /// Whether its holder has shown that it is theirs.
    pub status: BankAccountStatus,
}

/// Whether the holder of a bank account has shown that it is theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum BankAccountStatus {
    /// Not yet.
    New,
    /// They tried and failed, or the deposits did not arrive.
    VerificationFailed,
    /// They have.
    Verified,
}

/// What is left to see of a bank account that was deleted.
#[derive(Shown)]
#[shown(object = "bank_account")]
pub struct DeletedBankAccountShown {
    /// Unique identifier the account had.
    pub id: Ident,
    /// Its currency; null because nothing is paid out to it.
    pub currency: Option<&'static str>,
    /// Always true.
    pub deleted: bool,
}

impl DeletedBankAccountShown {
    /// What is left of the bank account with that id.
    pub fn of(id: Id) -> Self {
        DeletedBankAccountShown {
            id: Ident { kind: &kinds::CARD, id },
            currency: None,
            deleted: true,
        }
    }
}

impl<'a> BankAccountShown<'a> {
    /// What the bank account of a token shows, under the id `id`.
    pub fn of(bank: &'a BankAccount, id: Id, context: &ShowContext<'_>) -> BankAccountShown<'a> {
        let older = bank.older.as_deref();
        BankAccountShown {
            id: Ident { kind: &kinds::CARD, id },
            account_holder_name: older.and_then(|older| older.holder_name.as_deref()),
            account_holder_type: bank.holder,
            account_type: bank.account_type,
            bank_name: bank.bank_name(),
            country: bank.country,
            currency: older.map_or(bank.scheme.currencies()[0], |older| older.currency),
            customer: None,
            fingerprint: bank.fingerprint(context.secrets, id.account_tag()),
            last4: bank.last4(),
            metadata: None,
            routing_number: &bank.bank,
            status: match bank.ownership {
                Ownership::Unverified => BankAccountStatus::New,
                Ownership::Verified => BankAccountStatus::Verified,
                Ownership::Failed => BankAccountStatus::VerificationFailed,
            },
        }
    }

    /// What the bank account of a customer shows.
    pub fn of_saved(
        bank: &'a BankAccount,
        method: &'a PaymentMethod,
        context: &ShowContext<'_>,
    ) -> BankAccountShown<'a> {
        let details = method.details.as_deref();
        BankAccountShown {
            customer: method.customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            metadata: Some(details.map_or(&NO_METADATA, |details| &details.metadata)),
            ..BankAccountShown::of(bank, method.id, context)
        }
    }
}
