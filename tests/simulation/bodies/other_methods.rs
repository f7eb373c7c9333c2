//! The commands of payments that are not made by card: bank debits, pages of other companies, bank accounts of customers.

use super::Learnt;
use crate::plan::Action;
use tollgate_domain::call::Command;
use tollgate_domain::customers::source::{CreateCustomerSource, NamedSource, VerifyCustomerSource};
use tollgate_domain::kinds::{self, CustomerId};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::bank_account::{BankScheme, TestAccount, TestBankToken, VerificationMethod};
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{ChargeSource, CreateCharge};
use tollgate_domain::payments::mandate::{AcceptanceType, CustomerAcceptanceParams, MandateDataParams};
use tollgate_domain::payments::payment_intent::{
    AcssOptionsParams, CaptureMethod, ConfirmPaymentIntent, CreatePaymentIntent, FutureUsage, PaymentOptionsParams,
    UsBankOptionsParams,
};
use tollgate_domain::payments::payment_method::{
    PaymentMethodData, PaymentMethodParam, PaymentMethodType, PaymentMethodTypeParam, TestMethod,
};
use tollgate_domain::payments::setup_intent::VerifyMicrodeposits;
use tollgate_resource::{Id, Kind, Names, Update};

/// Where payers return to from pages of other companies.
const BACK: &str = "https://example.com/back";

/// The command of an action that this module knows; `None` also when its client never learnt what it refers to.
pub(super) fn command_of(action: &Action, learnt: &dyn Learnt) -> Option<Command> {
    let of_kind = |of: usize, wanted: &Kind| {
        let (kind, id) = learnt.object(of)?;
        (kind == wanted).then_some(id)
    };
    let intent = |of: usize| of_kind(of, &kinds::PAYMENT_INTENT);
    let customer = |of: usize| of_kind(of, &kinds::CUSTOMER);
    Some(match action {
        Action::Debit {
            amount,
            account,
            deposits,
            customer: payer,
            save,
        } => {
            let payer = payer.and_then(customer);
            let account = test_account(account);
            Command::CreatePaymentIntent(Box::new(CreatePaymentIntent {
                amount: *amount,
                currency: Some(account.scheme.currencies()[0]),
                confirm: Some(true),
                payment_method: Some(by_name(account)),
                payment_method_types: vec![account.scheme.kind().name().into()],
                payment_method_options: options(account.scheme, *deposits),
                mandate_data: Update::Set(agreed()),
                customer: payer.map(CustomerId),
                setup_future_usage: (*save && payer.is_some()).then_some(FutureUsage::OffSession),
                ..CreatePaymentIntent::default()
            }))
        }
        Action::ConfirmDebit { of, account, deposits } => {
            let account = test_account(account);
            let asked = ConfirmPaymentIntent {
                payment_method: Some(by_name(account)),
                payment_method_options: options(account.scheme, *deposits),
                mandate_data: Update::Set(agreed()),
                ..ConfirmPaymentIntent::default()
            };
            Command::ConfirmPaymentIntent(intent(*of)?, Box::new(asked))
        }
        Action::TellDeposits { of, amounts } => {
            let asked = VerifyMicrodeposits {
                amounts: amounts.to_vec(),
                ..VerifyMicrodeposits::default()
            };
            Command::VerifyPaymentMicrodeposits(intent(*of)?, Box::new(asked))
        }
        Action::Redirect {
            amount,
            kind,
            manual,
            customer: payer,
            save,
        } => {
            let payer = payer.and_then(customer);
            Command::CreatePaymentIntent(Box::new(CreatePaymentIntent {
                amount: *amount,
                currency: Some(Currency::EUR),
                confirm: Some(true),
                payment_method_data: Some(Box::new(of_page(kind))),
                payment_method_types: vec![(*kind).into()],
                return_url: Some(BACK.into()),
                capture_method: manual.then_some(CaptureMethod::Manual),
                customer: payer.map(CustomerId),
                setup_future_usage: (*save && payer.is_some()).then_some(FutureUsage::OffSession),
                ..CreatePaymentIntent::default()
            }))
        }
        Action::ConfirmRedirect { of, kind } => {
            let asked = ConfirmPaymentIntent {
                payment_method_data: Some(Box::new(of_page(kind))),
                return_url: Some(BACK.into()),
                ..ConfirmPaymentIntent::default()
            };
            Command::ConfirmPaymentIntent(intent(*of)?, Box::new(asked))
        }
        Action::SaveBank { customer: of, token } => {
            let token = TestBankToken::by_name(token).expect("a name of the table");
            let asked = CreateCustomerSource {
                source: Some(NamedSource::Token(TokenParam::MagicBank(token))),
                ..CreateCustomerSource::default()
            };
            Command::SaveSource(customer(*of)?, Box::new(asked))
        }
        Action::VerifyBank {
            customer: holder,
            of,
            amounts,
        } => {
            let asked = VerifyCustomerSource {
                amounts: amounts.to_vec(),
            };
            Command::VerifySource(customer(*holder)?, saved(learnt, *of)?, Box::new(asked))
        }
        Action::ChargeBank {
            customer: payer,
            of,
            amount,
        } => Command::CreateCharge(Box::new(CreateCharge {
            amount: *amount,
            currency: Some(Currency::USD),
            customer: Some(CustomerId(customer(*payer)?)),
            source: Some(ChargeSource::Saved(&kinds::CARD, saved(learnt, *of)?)),
            ..CreateCharge::default()
        })),
        _ => return None,
    })
}

/// The bank account that a step saved.
fn saved(learnt: &dyn Learnt, of: usize) -> Option<Id> {
    let (_, id) = learnt.object(of)?;
    id.is_other(&kinds::CARD).then_some(id)
}

fn test_account(name: &str) -> &'static TestAccount {
    TestAccount::by_name(name).expect("a name of the table")
}

fn by_name(account: &'static TestAccount) -> PaymentMethodParam {
    let name = account.name().expect("it was found by its name");
    PaymentMethodParam::Fresh(TestMethod::Bank(account, name))
}

/// Asks for deposits, or says that none are wanted any more.
fn options(scheme: BankScheme, deposits: bool) -> Option<Box<PaymentOptionsParams>> {
    let verification_method = Some(if deposits {
        VerificationMethod::Microdeposits
    } else {
        VerificationMethod::Automatic
    });
    let mut options = PaymentOptionsParams::default();
    match scheme {
        BankScheme::UsBankAccount => {
            options.us_bank_account = Some(UsBankOptionsParams {
                verification_method,
                ..UsBankOptionsParams::default()
            });
        }
        BankScheme::AcssDebit => {
            options.acss_debit = Some(AcssOptionsParams {
                verification_method,
                ..AcssOptionsParams::default()
            });
        }
        _ => return None,
    }
    Some(Box::new(options))
}

fn agreed() -> MandateDataParams {
    MandateDataParams {
        customer_acceptance: Some(CustomerAcceptanceParams {
            kind: Some(AcceptanceType::Offline),
            ..CustomerAcceptanceParams::default()
        }),
    }
}

fn of_page(kind: &str) -> PaymentMethodData {
    PaymentMethodData {
        kind: PaymentMethodType::from_name(kind).map(PaymentMethodTypeParam),
        ..PaymentMethodData::default()
    }
}
