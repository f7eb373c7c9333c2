//! The bank account of a charge, as it was when it was debited.

use super::{Charge, ChargeState, debit};
use crate::country::Country;
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::bank_account::{AccountType, BankScheme, HolderType};
use crate::payments::payment_method::Last4;
use tollgate_resource::shown::Ident;
use tollgate_resource::{Id, Ref, Shown};

/// A bank account in the United States that was debited.
#[derive(Shown)]
pub struct ChargeUsBankAccountShown<'a> {
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// What kind of account it is.
    pub account_type: Option<AccountType>,
    /// Name of the bank.
    pub bank_name: Option<&'static str>,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// The mandate it was made under.
    #[shown(expand)]
    pub mandate: Option<Ref>,
    /// The number by which banks find the debit, once it has succeeded.
    pub payment_reference: Option<String>,
    /// The bank.
    pub routing_number: &'a str,
}

/// A bank account in the United States that was debited without an intent.
#[derive(Shown)]
pub struct ChargeAchDebitShown<'a> {
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// Name of the bank.
    pub bank_name: Option<&'static str>,
    /// Where it is kept.
    pub country: Country,
    /// The same for every bank account with these numbers.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// The bank.
    pub routing_number: &'a str,
}

/// A bank account in the single euro payments area that was debited.
#[derive(Shown)]
pub struct ChargeSepaDebitShown<'a> {
    /// The bank.
    pub bank_code: Option<&'a str>,
    /// The branch.
    pub branch_code: Option<&'a str>,
    /// Where it is kept.
    pub country: Country,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four characters of the IBAN.
    pub last4: Last4,
    /// The mandate it was made under.
    pub mandate: Option<Ident>,
}

/// A bank account in Canada that was debited.
#[derive(Shown)]
pub struct ChargeAcssDebitShown<'a> {
    /// Name of the bank.
    pub bank_name: Option<&'static str>,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The bank.
    pub institution_number: &'a str,
    /// The last four digits.
    pub last4: Last4,
    /// The mandate it was made under.
    #[shown(omit)]
    pub mandate: Option<Ident>,
    /// The branch.
    pub transit_number: Option<&'a str>,
}

/// A bank account in the United Kingdom that was debited.
#[derive(Shown)]
pub struct ChargeBacsDebitShown<'a> {
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// The mandate it was made under.
    pub mandate: Option<Ident>,
    /// The bank and the branch.
    pub sort_code: &'a str,
}

/// A bank account in Australia that was debited.
#[derive(Shown)]
pub struct ChargeAuBecsDebitShown<'a> {
    /// The bank and the branch.
    pub bsb_number: &'a str,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// The mandate it was made under.
    #[shown(omit)]
    pub mandate: Option<Ident>,
}

/// What the bank account of a charge shows under the name of its scheme; the members of the others are absent.
#[derive(Default)]
pub(super) struct ChargeBankShown<'a> {
    pub(super) ach_debit: Option<Box<ChargeAchDebitShown<'a>>>,
    pub(super) acss_debit: Option<Box<ChargeAcssDebitShown<'a>>>,
    pub(super) au_becs_debit: Option<Box<ChargeAuBecsDebitShown<'a>>>,
    pub(super) bacs_debit: Option<Box<ChargeBacsDebitShown<'a>>>,
    pub(super) sepa_debit: Option<Box<ChargeSepaDebitShown<'a>>>,
    pub(super) us_bank_account: Option<Box<ChargeUsBankAccountShown<'a>>>,
}

impl<'a> ChargeBankShown<'a> {
    /// What the bank account of `charge` shows; nothing where it is of a card.
    pub(super) fn of(charge: &'a Charge, context: &ShowContext<'_>) -> Self {
        let mut shown = ChargeBankShown::default();
        let Some(bank) = charge.instrument.bank() else {
            return shown;
        };
        let fingerprint = bank.fingerprint(context.secrets, charge.id.account_tag());
        let last4 = bank.last4();
        let named = charge.seen.as_deref().and_then(|seen| seen.mandate);
        let kind = &kinds::MANDATE;
        let mandate = named.map(|id| Ident { kind, id });
        if debit::is_of_older_api(charge) {
            shown.ach_debit = Some(Box::new(ChargeAchDebitShown {
                account_holder_type: bank.holder,
                bank_name: bank.bank_name(),
                country: bank.country,
                fingerprint,
                last4,
                routing_number: &bank.bank,
            }));
            return shown;
        }
        match bank.scheme {
            BankScheme::AcssDebit => {
                shown.acss_debit = Some(Box::new(ChargeAcssDebitShown {
                    bank_name: bank.bank_name(),
                    fingerprint,
                    institution_number: &bank.bank,
                    last4,
                    mandate,
                    transit_number: bank.branch.as_deref(),
                }));
            }
            BankScheme::AuBecsDebit => {
                shown.au_becs_debit = Some(Box::new(ChargeAuBecsDebitShown {
                    bsb_number: &bank.bank,
                    fingerprint,
                    last4,
                    mandate,
                }));
            }
            BankScheme::BacsDebit => {
                shown.bacs_debit = Some(Box::new(ChargeBacsDebitShown {
                    fingerprint,
                    last4,
                    mandate,
                    sort_code: &bank.bank,
                }));
            }
            BankScheme::SepaDebit => {
                shown.sepa_debit = Some(Box::new(ChargeSepaDebitShown {
                    bank_code: Some(&bank.bank),
                    branch_code: bank.branch.as_deref(),
                    country: bank.country,
                    fingerprint,
                    last4,
                    mandate,
                }));
            }
            BankScheme::UsBankAccount => {
                let succeeded = matches!(charge.state, ChargeState::Captured { .. });
                shown.us_bank_account = Some(Box::new(ChargeUsBankAccountShown {
                    account_holder_type: bank.holder,
                    account_type: bank.account_type,
                    bank_name: bank.bank_name(),
                    fingerprint,
                    last4,
                    mandate: named.map(|id| Ref { kind, id }),
                    payment_reference: succeeded.then(|| payment_reference(charge.id)),
                    routing_number: &bank.bank,
                }));
            }
        }
        shown
    }
}

/// Fifteen digits that follow from the charge's id, as a test bank would give.
fn payment_reference(charge: Id) -> String {
    format!("091000{:09}", charge.bits() % 1_000_000_000)
}
