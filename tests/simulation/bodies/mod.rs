//! What clients send: the command of each action, once its client knows what it refers to.

pub(crate) mod endpoints;
mod other_methods;

use crate::merchants::Body;
use crate::plan::{Action, Listed};
use tollgate_domain::call::{Call, Command, ListQuery, Read};
use tollgate_domain::customers::customer::UpdateCustomer;
use tollgate_domain::kinds::{self, CustomerId, PaymentIntentId};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{CaptureCharge, ChargeSource, CreateCharge};
use tollgate_domain::payments::dispute::{EvidenceParams, UpdateDispute};
use tollgate_domain::payments::payment_intent::{
    CaptureMethod, CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent, FutureUsage,
};
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestCard};
use tollgate_domain::payments::refund::{CreateChargeRefund, CreateRefund};
use tollgate_domain::payments::setup_intent::{ConfirmSetupIntent, CreateSetupIntent};
use tollgate_resource::{Id, Kind, Update};

/// What a client has learnt by the time it asks.
pub trait Learnt {
    /// What the answer to a step named; `None` when there was none yet.
    fn object(&self, of: usize) -> Option<(&'static Kind, Id)>;
    /// The newest dispute about a payment, of which events tell.
    fn dispute(&self, payment: Id) -> Option<Id>;
    /// The number of the newest action that an intent waited for, or of the first.
    fn action(&self, intent: Id, first: bool) -> Option<u64>;
    /// The newest charge of an intent.
    fn charge(&self, intent: Id) -> Option<Id>;
}

/// The body of an action; `None` when its client never learnt what it refers to.
pub fn body_of(number: usize, action: &Action, expands: bool, learnt: &dyn Learnt) -> Option<Body> {
    let of_kind = |of: usize, wanted: &Kind| {
        let (kind, id) = learnt.object(of)?;
        (kind == wanted).then_some(id)
    };
    let intent = |of: usize| of_kind(of, &kinds::PAYMENT_INTENT);
    let customer = |of: usize| of_kind(of, &kinds::CUSTOMER);
    let charge = |of: usize| of_kind(of, &kinds::CHARGE);
    let setup = |of: usize| of_kind(of, &kinds::SETUP_INTENT);
    let dispute = |of: usize| learnt.object(of).and_then(|(_, payment)| learnt.dispute(payment));
    let mut path: &[&str] = &["latest_charge", "balance_transaction"];
    let call = match action {
        Action::CreateCustomer => {
            path = &[];
            Call::Write(Command::CreateCustomer(Box::default()))
        }
        Action::UpdateCustomer { of } => {
            path = &[];
            let asked = UpdateCustomer {
                name: Update::Set(format!("Name {number}").into()),
                ..UpdateCustomer::default()
            };
            Call::Write(Command::UpdateCustomer(customer(*of)?, Box::new(asked)))
        }
        Action::Create {
            amount,
            currency,
            card,
            confirm,
            manual,
            customer: payer,
            save,
        } => {
            let payer = payer.and_then(customer);
            Call::Write(Command::CreatePaymentIntent(Box::new(CreatePaymentIntent {
                amount: *amount,
                currency: Currency::from_code(currency),
                confirm: Some(*confirm),
                payment_method: card.map(fresh),
                capture_method: manual.then_some(CaptureMethod::Manual),
                customer: payer.map(CustomerId),
                setup_future_usage: (*save && payer.is_some()).then_some(FutureUsage::OffSession),
                ..CreatePaymentIntent::default()
            })))
        }
        Action::Confirm { of, card } => Call::Write(Command::ConfirmPaymentIntent(
            intent(*of)?,
            Box::new(ConfirmPaymentIntent {
                payment_method: Some(fresh(card)),
                ..ConfirmPaymentIntent::default()
            }),
        )),
        Action::Capture { of, amount } => Call::Write(Command::CapturePaymentIntent(
            intent(*of)?,
            Box::new(CapturePaymentIntent {
                amount_to_capture: *amount,
                ..CapturePaymentIntent::default()
            }),
        )),
        Action::Cancel { of } => Call::Write(Command::CancelPaymentIntent(intent(*of)?, Box::default())),
        Action::Refund { of, amount } => {
            path = &["charge"];
            Call::Write(Command::CreateRefund(Box::new(CreateRefund {
                amount: *amount,
                payment_intent: Some(PaymentIntentId(intent(*of)?)),
                ..CreateRefund::default()
            })))
        }
        Action::SetUp {
            card,
            confirm,
            customer: holder,
        } => {
            path = &["latest_attempt"];
            Call::Write(Command::CreateSetupIntent(Box::new(CreateSetupIntent {
                confirm: Some(*confirm),
                payment_method: card.map(fresh),
                customer: holder.and_then(customer).map(CustomerId),
                ..CreateSetupIntent::default()
            })))
        }
        Action::ConfirmSetup { of, card } => {
            path = &["latest_attempt"];
            Call::Write(Command::ConfirmSetupIntent(
                setup(*of)?,
                Box::new(ConfirmSetupIntent {
                    payment_method: Some(fresh(card)),
                    ..ConfirmSetupIntent::default()
                }),
            ))
        }
        Action::CancelSetup { of } => {
            path = &["latest_attempt"];
            Call::Write(Command::CancelSetupIntent(setup(*of)?, Box::default()))
        }
        Action::Charge { amount, card, capture } => {
            path = &["balance_transaction"];
            let card = TestCard::by_name(card).expect("a name of the table");
            Call::Write(Command::CreateCharge(Box::new(CreateCharge {
                amount: *amount,
                currency: Some(Currency::USD),
                capture: Some(*capture),
                source: Some(ChargeSource::Token(TokenParam::Magic(card))),
                ..CreateCharge::default()
            })))
        }
        Action::CaptureCharge { of, amount } => {
            path = &["balance_transaction"];
            let asked = CaptureCharge {
                amount: *amount,
                ..CaptureCharge::default()
            };
            Call::Write(Command::CaptureCharge(charge(*of)?, Box::new(asked)))
        }
        Action::RefundCharge { of, amount } => {
            path = &["charge"];
            let asked = CreateChargeRefund {
                amount: *amount,
                ..CreateChargeRefund::default()
            };
            Call::Write(Command::CreateChargeRefund(charge(*of)?, Box::new(asked)))
        }
        Action::CaptureByCharge { of, amount } => {
            path = &["balance_transaction"];
            let asked = CaptureCharge {
                amount: *amount,
                ..CaptureCharge::default()
            };
            Call::Write(Command::CaptureCharge(learnt.charge(intent(*of)?)?, Box::new(asked)))
        }
        Action::Debit { .. }
        | Action::ConfirmDebit { .. }
        | Action::TellDeposits { .. }
        | Action::Redirect { .. }
        | Action::ConfirmRedirect { .. }
        | Action::SaveBank { .. }
        | Action::VerifyBank { .. }
        | Action::ChargeBank { .. } => {
            path = &[];
            Call::Write(other_methods::command_of(action, learnt)?)
        }
        Action::CreateEndpoint { .. } | Action::SwitchEndpoint { .. } | Action::DeleteEndpoint { .. } => {
            path = &[];
            Call::Write(endpoints::command_of(number, action, learnt)?)
        }
        Action::Authenticate { of, passes, first } => {
            path = &[];
            let (_, object) = learnt.object(*of)?;
            Call::Write(Command::CompleteAction(CompletedAction {
                object,
                nonce: learnt.action(object, *first)?,
                authenticated: *passes,
            }))
        }
        Action::AnswerDispute { of, evidence, submit } => {
            path = &["charge"];
            let evidence = EvidenceParams {
                uncategorized_text: Update::Set((*evidence).into()),
                ..EvidenceParams::default()
            };
            let asked = UpdateDispute {
                evidence: Some(evidence),
                submit: Some(*submit),
                ..UpdateDispute::default()
            };
            Call::Write(Command::UpdateDispute(dispute(*of)?, Box::new(asked)))
        }
        Action::CloseDispute { of } => {
            path = &["charge"];
            Call::Write(Command::CloseDispute(dispute(*of)?))
        }
        Action::GetDispute { of } => {
            path = &["charge"];
            Call::Read(Read::Object(&kinds::DISPUTE, dispute(*of)?, "id"))
        }
        Action::Get { of } => {
            let (kind, id) = learnt.object(*of)?;
            if kind != &kinds::PAYMENT_INTENT {
                path = &[];
            }
            Call::Read(Read::Object(kind, id, "id"))
        }
        Action::Balance => {
            path = &[];
            Call::Read(Read::Balance)
        }
        Action::List { kind, limit } => {
            path = &[];
            let query = match kind {
                Listed::PaymentIntents => ListQuery::of(&kinds::PAYMENT_INTENT, "/v1/payment_intents"),
                Listed::Charges => ListQuery::of(&kinds::CHARGE, "/v1/charges"),
                Listed::Refunds => ListQuery::of(&kinds::REFUND, "/v1/refunds"),
                Listed::Disputes => ListQuery::of(&kinds::DISPUTE, "/v1/disputes"),
                Listed::Events => ListQuery::of(&kinds::EVENT, "/v1/events"),
            };
            Call::list(ListQuery { limit: *limit, ..query })
        }
    };
    Some(Body::new(call, if expands { path } else { &[] }))
}

fn fresh(card: &str) -> PaymentMethodParam {
    PaymentMethodParam::card(TestCard::by_name(card).expect("a name of the table"))
}
