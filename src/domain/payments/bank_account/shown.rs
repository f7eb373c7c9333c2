//! What a bank account shows, by its scheme.

use super::{AccountType, BankAccount, BankScheme, HolderType};
use crate::country::Country;
use crate::object::ShowContext;
use crate::payments::payment_method::{Instrument, Last4};
use tollgate_resource::{Names, Ref, Shown};

/// A bank account in the United States.
#[derive(Shown)]
pub struct UsBankAccountShown<'a> {
    /// Who holds it.
    pub account_holder_type: Option<HolderType>,
    /// What kind of account it is.
    pub account_type: Option<AccountType>,
    /// Name of the bank.
    pub bank_name: Option<&'static str>,
    /// The linked account it came from; null because accounts are entered by number here.
    pub financial_connections_account: Option<&'static str>,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// Networks it can be debited over.
    pub networks: Option<BankNetworksShown>,
    /// The bank.
    pub routing_number: &'a str,
    /// Why it cannot be used; empty while it can.
    pub status_details: BankStatusShown,
}

/// Why a bank account cannot be used.
#[derive(Shown)]
pub struct BankStatusShown {
    /// What its bank said; left out while nothing blocks it.
    #[shown(omit)]
    pub blocked: Option<BlockedShown>,
}

/// What the bank said of an account that is blocked.
#[derive(Shown)]
pub struct BlockedShown {
    /// The network's code.
    pub network_code: Option<&'static str>,
    /// The reason.
    pub reason: Option<&'static str>,
}

/// Networks a bank account can be debited over.
#[derive(Shown)]
pub struct BankNetworksShown {
    /// The one that is used unless another is asked for.
    pub preferred: Option<BankNetwork>,
    /// All of them.
    pub supported: Vec<BankNetwork>,
}

/// A network of bank debits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum BankNetwork {
    /// The clearing house of the United States.
    Ach,
    /// Domestic wires of the United States.
    UsDomesticWire,
}

/// A bank account in the single euro payments area.
#[derive(Shown)]
pub struct SepaDebitShown<'a> {
    /// The bank.
    pub bank_code: Option<&'a str>,
    /// The branch.
    pub branch_code: Option<&'a str>,
    /// Where it is kept.
    pub country: Country,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// What it was made from.
    pub generated_from: Option<SepaGeneratedFromShown>,
    /// The last four characters of the IBAN.
    pub last4: Last4,
}

/// What an account of the single euro payments area was made from.
#[derive(Shown)]
pub struct SepaGeneratedFromShown {
    /// A charge by another type of payment method.
    #[shown(expand)]
    pub charge: Option<Ref>,
    /// A try to set another type of payment method up.
    #[shown(expand)]
    pub setup_attempt: Option<Ref>,
}

/// A bank account in Canada.
#[derive(Shown)]
pub struct AcssDebitShown<'a> {
    /// Name of the bank.
    pub bank_name: Option<&'static str>,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The bank.
    pub institution_number: &'a str,
    /// The last four digits.
    pub last4: Last4,
    /// The branch.
    pub transit_number: Option<&'a str>,
}

/// A bank account in the United Kingdom.
#[derive(Shown)]
pub struct BacsDebitShown<'a> {
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
    /// The bank and the branch.
    pub sort_code: &'a str,
}

/// A bank account in Australia.
#[derive(Shown)]
pub struct AuBecsDebitShown<'a> {
    /// The bank and the branch.
    pub bsb_number: &'a str,
    /// The same for every payment method of this account.
    pub fingerprint: String,
    /// The last four digits.
    pub last4: Last4,
}

/// What a bank account shows under the name of its scheme; the members of the others are absent.
#[derive(Default)]
pub(crate) struct BankShown<'a> {
    pub(crate) acss_debit: Option<Box<AcssDebitShown<'a>>>,
    pub(crate) au_becs_debit: Option<Box<AuBecsDebitShown<'a>>>,
    pub(crate) bacs_debit: Option<Box<BacsDebitShown<'a>>>,
    pub(crate) sepa_debit: Option<Box<SepaDebitShown<'a>>>,
    pub(crate) us_bank_account: Option<Box<UsBankAccountShown<'a>>>,
}

impl<'a> BankShown<'a> {
    /// What `instrument` shows, within the merchant's account of `account_tag`; nothing for a card.
    pub(crate) fn of(instrument: &'a Instrument, context: &ShowContext<'_>, account_tag: u32) -> Self {
        let mut shown = BankShown::default();
        let Some(bank) = instrument.bank() else {
            return shown;
        };
        let fingerprint = bank.fingerprint(context.secrets, account_tag);
        let last4 = bank.last4();
        match bank.scheme {
            BankScheme::AcssDebit => {
                shown.acss_debit = Some(Box::new(AcssDebitShown {
                    bank_name: bank.bank_name(),
                    fingerprint,
                    institution_number: &bank.bank,
                    last4,
                    transit_number: bank.branch.as_deref(),
                }));
            }
            BankScheme::AuBecsDebit => {
                shown.au_becs_debit = Some(Box::new(AuBecsDebitShown {
                    bsb_number: &bank.bank,
                    fingerprint,
                    last4,
                }));
            }
            BankScheme::BacsDebit => {
                shown.bacs_debit = Some(Box::new(BacsDebitShown {
                    fingerprint,
                    last4,
                    sort_code: &bank.bank,
                }));
            }
            BankScheme::SepaDebit => {
                shown.sepa_debit = Some(Box::new(SepaDebitShown {
                    bank_code: Some(&bank.bank),
                    branch_code: bank.branch.as_deref(),
                    country: bank.country,
                    fingerprint,
                    generated_from: Some(SepaGeneratedFromShown {
                        charge: None,
                        setup_attempt: None,
                    }),
                    last4,
                }));
            }
            BankScheme::UsBankAccount => {
                shown.us_bank_account = Some(Box::new(UsBankAccountShown {
                    account_holder_type: bank.holder,
                    account_type: bank.account_type,
                    bank_name: bank.bank_name(),
                    financial_connections_account: None,
                    fingerprint,
                    last4,
                    networks: Some(BankNetworksShown {
                        preferred: Some(BankNetwork::Ach),
                        supported: vec![BankNetwork::Ach],
                    }),
                    routing_number: &bank.bank,
                    status_details: BankStatusShown { blocked: None },
                }));
            }
        }
        shown
    }
}

impl BankAccount {
    /// Name of the bank, where the scheme shows one. There are test banks only.
    pub fn bank_name(&self) -> Option<&'static str> {
        self.scheme.verifies_deposits().then_some("STRIPE TEST BANK")
    }
}
