//! The merchants of a run and what they send: accounts, commands, claims of idempotency keys.

use crate::plan::{Action, Listed};
use std::sync::Arc;
use tollgate_actors::{Request, key_hash};
use tollgate_domain::account::{Profile, ProfileTerms};
use tollgate_domain::call::{Call, Command, ListQuery, Read};
use tollgate_domain::country::Country;
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
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Claim, Secrets};
use tollgate_resource::{Expand, Id, Kind, Update, Version};

/// When runs start by the right clock: 2026-11-16T00:00:00Z, a Monday.
pub const START_MS: u64 = 1_794_787_200_000;

/// The keys of the simulated data.
pub fn secrets() -> Secrets {
    Secrets::new([42; 32])
}

/// Merchant `number`. Every third is German, so that cards are foreign in both directions.
pub fn merchant(number: usize) -> Arc<Profile> {
    let tag = number as u32 + 1;
    let id = Id::new(&kinds::ACCOUNT, START_MS, u64::from(tag), tag);
    let german = number % 3 == 2;
    let terms = ProfileTerms {
        country: if german { Country::known("DE") } else { Country::US },
        default_currency: if german { Currency::EUR } else { Currency::USD },
        created_ms: START_MS,
        api_version: Version::NEWEST,
        statement_descriptor: None,
    };
    Arc::new(Profile::new(id, false, &terms))
}

/// A request without its id and time: what is sent again is the same.
#[derive(Clone, Debug)]
pub struct Body {
    /// What is asked.
    pub call: Call,
    /// What is shown in place.
    pub expand: Expand,
    fingerprint: u128,
    endpoint: u64,
}

impl Body {
    /// The body of a call.
    pub fn new(call: Call, expands: &[&str]) -> Body {
        let mut expand = Expand::default();
        if !expands.is_empty() {
            expand.add(expands);
        }
        let text = format!("{call:?} {expand:?}");
        let secrets = secrets();
        let hash = |text: &str| secrets.hash(Purpose::RequestFingerprint, text.as_bytes());
        // The edge hashes path and parameters; here the command's debug text stands for both.
        let endpoint = text.split(['(', ' ', '{']).nth(1).unwrap_or_default();
        Body {
            fingerprint: hash(&text) >> 8,
            endpoint: hash(endpoint) as u64,
            call,
            expand,
        }
    }

    /// A request with it.
    pub fn request(&self, profile: &Arc<Profile>, number: u64, key: Option<&str>, unix_ms: u64) -> Request {
        let request = Id::new(&kinds::REQUEST, unix_ms, number, profile.key.tag());
        let claim = key.map(|key| {
            let claim = Claim {
                key: key.into(),
                fingerprint: self.fingerprint,
                endpoint: self.endpoint,
                path: "/v1/simulated".into(),
                request,
                version: Version::NEWEST.0,
                expand: self.expand.paths(),
                created_ms: unix_ms,
            };
            (key_hash(&secrets(), key), claim)
        });
        Request {
            profile: Arc::clone(profile),
            call: self.call.clone(),
            request,
            version: Version::NEWEST,
            expand: self.expand.clone(),
            claim,
        }
    }

    /// Whether `other` is the same request.
    pub fn is_same(&self, other: &Body) -> bool {
        (self.fingerprint, self.endpoint) == (other.fingerprint, other.endpoint)
    }
}

/// The body of an action; `known` tells the id that a step's answer named, `disputed` the newest dispute about a payment,
/// of which events tell, `parked` the number of the newest action that an intent waited for, or of the first. `None` when the client never learnt it.
pub fn body_of(
    number: usize,
    action: &Action,
    expands: bool,
    known: &dyn Fn(usize) -> Option<(&'static Kind, Id)>,
    disputed: &dyn Fn(Id) -> Option<Id>,
    parked: &dyn Fn(Id, bool) -> Option<u64>,
) -> Option<Body> {
    let dispute = |of: usize| known(of).and_then(|(_, payment)| disputed(payment));
    let intent = |of: usize| {
        known(of)
            .filter(|(kind, _)| *kind == &kinds::PAYMENT_INTENT)
            .map(|(_, id)| id)
    };
    let customer = |of: usize| {
        known(of)
            .filter(|(kind, _)| *kind == &kinds::CUSTOMER)
            .map(|(_, id)| id)
    };
    let charge = |of: usize| known(of).filter(|(kind, _)| *kind == &kinds::CHARGE).map(|(_, id)| id);
    let setup = |of: usize| {
        known(of)
            .filter(|(kind, _)| *kind == &kinds::SETUP_INTENT)
            .map(|(_, id)| id)
    };
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
        Action::Authenticate { of, passes, first } => {
            path = &[];
            let (_, object) = known(*of)?;
            Call::Write(Command::CompleteAction(CompletedAction {
                object,
                nonce: parked(object, *first)?,
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
            let (kind, id) = known(*of)?;
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
            Call::List(ListQuery { limit: *limit, ..query })
        }
    };
    Some(Body::new(call, if expands { path } else { &[] }))
}

fn fresh(card: &str) -> PaymentMethodParam {
    PaymentMethodParam::card(TestCard::by_name(card).expect("a name of the table"))
}
