//! Random sequences of legal and illegal calls against a small model of a setup intent.

use crate::shop::Shop;
use proptest::prelude::*;
use tollgate_domain::kinds::CustomerId;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestCard};
use tollgate_domain::payments::setup_attempt::AttemptStatus;
use tollgate_domain::payments::setup_intent::{
    ConfirmSetupIntent, CreateSetupIntent, SetupIntent, StatusName, UpdateSetupIntent,
};
use tollgate_domain::{Command, Object, Reply, Stop, kinds};
use tollgate_resource::{Id, Names, Update};

/// The nonce of every action here: the first word of the shop's entropy.
const NONCE: u64 = 1;

/// A card, and what becomes of a try with it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Card {
    Good,
    Declined,
    Challenged,
    /// Set up, and declined by payments only.
    FailsLater,
}

#[derive(Clone, Debug)]
enum Step {
    Update(Option<Card>),
    Describe,
    Confirm(Option<Card>),
    Cancel,
    Act { authenticated: bool, stale: bool },
}

/// What the intent should be.
#[derive(Debug, PartialEq)]
struct Model {
    status: StatusName,
    method: Option<Card>,
    /// How each try stands, oldest first.
    tries: Vec<AttemptStatus>,
    failed: bool,
    saved: bool,
}

/// What a call should come to.
#[derive(Debug, PartialEq)]
enum Expected {
    /// 200, with these events.
    Done(&'static [&'static str]),
    /// 402, with these events.
    Declined(&'static [&'static str]),
    /// 400, and nothing happened.
    Refused,
}

impl Card {
    fn param(self) -> PaymentMethodParam {
        let name = match self {
            Card::Good => "visa",
            Card::Declined => "visa_chargeDeclined",
            Card::Challenged => "authenticationRequired",
            Card::FailsLater => "chargeCustomerFail",
        };
        PaymentMethodParam::card(TestCard::by_name(name).expect("a known card"))
    }
}

impl Model {
    fn is_open(&self) -> bool {
        !matches!(self.status, StatusName::Succeeded | StatusName::Canceled)
    }

    fn abandon(&mut self) {
        if self.status == StatusName::RequiresAction {
            *self.tries.last_mut().expect("an open try") = AttemptStatus::Abandoned;
        }
    }

    fn attempt(&mut self, card: Card, customer: bool) -> Expected {
        self.abandon();
        self.method = Some(card);
        match card {
            Card::Good | Card::FailsLater => {
                self.tries.push(AttemptStatus::Succeeded);
                self.succeed(customer)
            }
            Card::Declined => {
                self.tries.push(AttemptStatus::Failed);
                self.fail();
                Expected::Declined(&["setup_intent.setup_failed"])
            }
            Card::Challenged => {
                self.tries.push(AttemptStatus::RequiresAction);
                self.status = StatusName::RequiresAction;
                self.failed = false;
                Expected::Done(&["setup_intent.requires_action"])
            }
        }
    }

    fn succeed(&mut self, customer: bool) -> Expected {
        self.status = StatusName::Succeeded;
        self.failed = false;
        self.saved = customer;
        if customer {
            Expected::Done(&["payment_method.attached", "setup_intent.succeeded"])
        } else {
            Expected::Done(&["setup_intent.succeeded"])
        }
    }

    fn fail(&mut self) {
        self.status = StatusName::RequiresPaymentMethod;
        self.method = None;
        self.failed = true;
    }

    fn step(&mut self, step: &Step, customer: bool) -> Expected {
        match *step {
            Step::Describe => Expected::Done(&[]),
            Step::Update(_) | Step::Cancel if !self.is_open() => Expected::Refused,
            Step::Update(card) => {
                self.abandon();
                self.method = card;
                self.status = match card {
                    Some(_) => StatusName::RequiresConfirmation,
                    None => StatusName::RequiresPaymentMethod,
                };
                Expected::Done(&[])
            }
            Step::Confirm(card) => match card.or(self.method) {
                Some(card) if self.is_open() => self.attempt(card, customer),
                _ => Expected::Refused,
            },
            Step::Cancel => {
                self.abandon();
                self.status = StatusName::Canceled;
                Expected::Done(&["setup_intent.canceled"])
            }
            Step::Act { stale, .. } if stale || self.status != StatusName::RequiresAction => Expected::Refused,
            Step::Act { authenticated, .. } => {
                let last = self.tries.last_mut().expect("an open try");
                if authenticated {
                    *last = AttemptStatus::Succeeded;
                    return self.succeed(customer);
                }
                *last = AttemptStatus::Failed;
                self.fail();
                Expected::Done(&["setup_intent.setup_failed"])
            }
        }
    }
}

fn card() -> impl Strategy<Value = Card> {
    prop_oneof![
        2 => Just(Card::Good),
        2 => Just(Card::Declined),
        4 => Just(Card::Challenged),
        1 => Just(Card::FailsLater),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => proptest::option::of(card()).prop_map(Step::Update),
        1 => Just(Step::Describe),
        4 => proptest::option::of(card()).prop_map(Step::Confirm),
        1 => Just(Step::Cancel),
        3 => (any::<bool>(), proptest::bool::weighted(0.2))
            .prop_map(|(authenticated, stale)| Step::Act { authenticated, stale }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_setup_goes_where_the_model_goes(
        first in proptest::option::of(card()),
        confirm in any::<bool>(),
        with_customer in any::<bool>(),
        steps in proptest::collection::vec(step(), 0..20),
    ) {
        let mut shop = Shop::open();
        let customer = with_customer.then(|| {
            let done = shop.ask(&Command::CreateCustomer(Box::default())).expect("made");
            made(&done.decision.reply)
        });
        let asked = CreateSetupIntent {
            customer: customer.map(CustomerId),
            payment_method: first.map(Card::param),
            confirm: Some(confirm),
            ..CreateSetupIntent::default()
        };
        let created = shop.ask(&Command::CreateSetupIntent(Box::new(asked)));
        if confirm && first.is_none() {
            prop_assert!(matches!(created, Err(Stop::Reject(_))));
            return Ok(());
        }
        let id = intent_of(&created.expect("made").decision.facts);
        let mut model = Model {
            status: if first.is_some() { StatusName::RequiresConfirmation } else { StatusName::RequiresPaymentMethod },
            method: first,
            tries: Vec::new(),
            failed: false,
            saved: false,
        };
        if let (true, Some(card)) = (confirm, first) {
            model.attempt(card, with_customer);
        }
        check(&shop, id, &model);
        for step in &steps {
            let expected = model.step(step, with_customer);
            let told = match shop.ask(&command(id, step)) {
                Ok(done) => {
                    let events: Vec<&str> = done.events.iter().map(|event| event.kind.name()).collect();
                    let declined = matches!(done.decision.reply, Reply::Reject(_));
                    (if declined { 402 } else { 200 }, events)
                }
                Err(Stop::Reject(reject)) => (reject.status, Vec::new()),
                Err(stop) => panic!("nothing is unloaded or busy here, but {stop:?}"),
            };
            let wanted = match expected {
                Expected::Done(events) => (200, events.to_vec()),
                Expected::Declined(events) => (402, events.to_vec()),
                Expected::Refused => (400, Vec::new()),
            };
            prop_assert_eq!(told, wanted, "{:?}", step);
            check(&shop, id, &model);
        }
    }
}

#[test]
fn a_customer_who_is_named_later_lists_the_setup() {
    let mut shop = Shop::open();
    let customer = made(
        &shop
            .ask(&Command::CreateCustomer(Box::default()))
            .expect("made")
            .decision
            .reply,
    );
    let id = made(
        &shop
            .ask(&Command::CreateSetupIntent(Box::default()))
            .expect("made")
            .decision
            .reply,
    );
    let update = |customer| {
        let asked = UpdateSetupIntent {
            customer,
            ..UpdateSetupIntent::default()
        };
        Command::UpdateSetupIntent(id, Box::new(asked))
    };
    let member = (customer.seq(), kinds::SETUP_INTENT.number, id.seq());
    let named = shop.ask(&update(Update::Set(CustomerId(customer)))).expect("changed");
    assert_eq!(named.decision.facts.index().lists.to_vec(), [member]);
    let described = shop.ask(&command(id, &Step::Describe)).expect("changed");
    assert_eq!(described.decision.facts.index().lists.to_vec(), []);
    let cleared = shop.ask(&update(Update::Clear)).expect("changed");
    assert_eq!(cleared.decision.facts.index().lists.to_vec(), []);
    assert_eq!(intent(&shop, id).customer, None);
}

fn command(id: Id, step: &Step) -> Command {
    match *step {
        Step::Update(card) => Command::UpdateSetupIntent(
            id,
            Box::new(UpdateSetupIntent {
                payment_method: card.map_or(Update::Clear, |card| Update::Set(card.param())),
                ..UpdateSetupIntent::default()
            }),
        ),
        Step::Describe => Command::UpdateSetupIntent(
            id,
            Box::new(UpdateSetupIntent {
                description: Update::Set("a card on file".into()),
                ..UpdateSetupIntent::default()
            }),
        ),
        Step::Confirm(card) => Command::ConfirmSetupIntent(
            id,
            Box::new(ConfirmSetupIntent {
                payment_method: card.map(Card::param),
                ..ConfirmSetupIntent::default()
            }),
        ),
        Step::Cancel => Command::CancelSetupIntent(id, Box::default()),
        Step::Act { authenticated, stale } => Command::CompleteAction(CompletedAction {
            object: id,
            nonce: if stale { NONCE + 1 } else { NONCE },
            authenticated,
        }),
    }
}

/// The intent and its tries are what the model says, and what holds for every account holds.
fn check(shop: &Shop, id: Id, model: &Model) {
    let intent = intent(shop, id);
    let mut tries: Vec<(Id, AttemptStatus)> = shop
        .objects
        .0
        .values()
        .filter_map(|object| match object {
            Object::SetupAttempt(attempt) if attempt.setup_intent == id => Some((attempt.id, attempt.state.name())),
            _ => None,
        })
        .collect();
    tries.sort_by_key(|(id, _)| *id);
    let method = intent
        .payment_method
        .map(|id| match shop.get(&kinds::PAYMENT_METHOD, id) {
            Object::PaymentMethod(method) => method.clone(),
            other => panic!("{:?} is no payment method", other.id()),
        });
    let told = Model {
        status: intent.status.name(),
        method: model.method.filter(|card| {
            let Some(method) = &method else { return false };
            method.instrument.test_card().map(PaymentMethodParam::card) == Some(card.param())
        }),
        tries: tries.iter().map(|(_, state)| *state).collect(),
        failed: intent.last_error.is_some(),
        saved: method.as_ref().is_some_and(|method| method.customer.is_some()),
    };
    assert_eq!(&told, model);
    assert_eq!(method.is_some(), model.method.is_some());
    assert_eq!(intent.latest_attempt, tries.last().map(|(id, _)| *id));
    assert_eq!(intent.attempts as usize, tries.len());
    if let Some(method) = method.filter(|_| model.status == StatusName::Succeeded) {
        assert!(method.prepared, "it is ready for payments without its holder");
        let seen = method.cvc_check.map(Names::name);
        assert_eq!(seen, Some("pass"), "the issuer has seen it");
    }
    crate::audit::check(shop);
}

fn intent(shop: &Shop, id: Id) -> &SetupIntent {
    match shop.get(&kinds::SETUP_INTENT, id) {
        Object::SetupIntent(intent) => intent,
        other => panic!("{:?} is no setup intent", other.id()),
    }
}

fn intent_of(facts: &tollgate_domain::Facts) -> Id {
    let found = facts
        .objects
        .iter()
        .find(|object| matches!(object, Object::SetupIntent(_)));
    found.expect("an intent was made").id()
}

fn made(reply: &Reply) -> Id {
    match reply {
        Reply::Object(_, id) => *id,
        other => panic!("{other:?}"),
    }
}
