//! Random sequences of legal and illegal calls against a small model of customers.

use crate::shop::Shop;
use proptest::prelude::*;
use tollgate_domain::customers::customer::{CreateCustomer, UpdateCustomer};
use tollgate_domain::customers::customer_balance_transaction::CreateCustomerBalanceTransaction;
use tollgate_domain::customers::source::{CreateCustomerSource, NamedSource, SavedSourceId};
use tollgate_domain::customers::tax_id::{CreateTaxId, TaxIdType};
use tollgate_domain::kinds::CustomerId;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::payment_intent::CreatePaymentIntent;
use tollgate_domain::payments::payment_method::{PaymentMethodParam, Saving, TestCard};
use tollgate_domain::{Command, Object, Reply, Stop, kinds};
use tollgate_resource::{Id, Update};

/// Customers a sequence makes at most.
const CUSTOMERS_MAX: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Create { balance: i64, card: bool },
    Rename { who: usize, name: u8 },
    Delete { who: usize },
    Move { who: usize, amount: i64, euros: bool },
    Settle { who: usize, balance: i64 },
    SaveCard { who: usize, good: bool },
    ReplaceCard { who: usize },
    Default { who: usize, of: usize, nth: usize },
    RemoveCard { who: usize, of: usize, nth: usize },
    Attach { who: usize, good: bool },
    AttachOther { who: usize, of: usize, nth: usize },
    Detach { of: usize, nth: usize },
    GiveTaxId { who: usize, fits: bool },
    DropTaxId { who: usize, of: usize, nth: usize },
    Pay { who: usize, of: usize, nth: usize },
}

/// What a customer should be.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    deleted: bool,
    name: Option<Box<str>>,
    balance: i64,
    has_currency: bool,
    /// Newest first.
    cards: Vec<Id>,
    default: Option<Id>,
    methods: Vec<Id>,
    /// Newest first.
    tax_ids: Vec<Id>,
}

/// What a call should come to: its status and its events.
type Expected = (u16, Vec<&'static str>);

struct Play {
    shop: Shop,
    ids: Vec<Id>,
    models: Vec<Model>,
    /// Cards that were deleted and methods that were detached, by the customer they were of.
    gone: Vec<(usize, Id)>,
}

fn token(name: &str) -> NamedSource {
    NamedSource::Token(TokenParam::Magic(TestCard::by_name(name).expect("a known card")))
}

fn fresh(name: &str) -> PaymentMethodParam {
    PaymentMethodParam::card(TestCard::by_name(name).expect("a known card"))
}

fn pick(ids: &[Id], nth: usize) -> Option<Id> {
    (!ids.is_empty()).then(|| ids[nth % ids.len()])
}

impl Play {
    fn open() -> Play {
        Play {
            shop: Shop::open(),
            ids: Vec::new(),
            models: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Asks, and gives the status, the events and the id that was answered with.
    fn ask(&mut self, command: &Command) -> (u16, Vec<String>, Option<Id>) {
        match self.shop.ask(command) {
            Err(Stop::Reject(reject)) => (reject.status, Vec::new(), None),
            Err(other) => panic!("everything is in memory: {other:?}"),
            Ok(done) => {
                let events = done
                    .events
                    .iter()
                    .map(|event| tollgate_resource::Names::name(event.kind).to_owned());
                let events = events.collect();
                match done.decision.reply {
                    Reply::Object(_, id) => (200, events, Some(id)),
                    Reply::Reject(reject) => (reject.status, events, None),
                    other => panic!("nothing waits here: {other:?}"),
                }
            }
        }
    }

    fn step(&mut self, step: &Step) {
        if let Step::Create { balance, card } = step {
            return self.create(*balance, *card);
        }
        if self.ids.is_empty() {
            return;
        }
        let at = |who: &usize| who % self.ids.len();
        let (who, of, nth) = match step {
            Step::Create { .. } => unreachable!("done above"),
            Step::Rename { who, .. }
            | Step::Delete { who }
            | Step::Move { who, .. }
            | Step::Settle { who, .. }
            | Step::SaveCard { who, .. }
            | Step::ReplaceCard { who }
            | Step::Attach { who, .. }
            | Step::GiveTaxId { who, .. } => (at(who), at(who), 0),
            Step::Default { who, of, nth }
            | Step::RemoveCard { who, of, nth }
            | Step::AttachOther { who, of, nth }
            | Step::DropTaxId { who, of, nth }
            | Step::Pay { who, of, nth } => (at(who), at(of), *nth),
            Step::Detach { of, nth } => (at(of), at(of), *nth),
        };
        let (id, alive) = (self.ids[who], !self.models[who].deleted);
        let card = pick(&self.models[of].cards, nth).or_else(|| self.gone_of(of, &kinds::CARD, nth));
        let method = pick(&self.models[of].methods, nth).or_else(|| self.gone_of(of, &kinds::PAYMENT_METHOD, nth));
        let (command, expected) = match step {
            Step::Create { .. } => unreachable!("done above"),
            Step::Rename { name, .. } => {
                let name: Box<str> = name.to_string().into();
                let same = self.models[who].name.as_ref() == Some(&name);
                if alive {
                    self.models[who].name = Some(name.clone());
                }
                let asked = UpdateCustomer {
                    name: Update::Set(name),
                    ..UpdateCustomer::default()
                };
                let events = if same { vec![] } else { vec!["customer.updated"] };
                (Command::UpdateCustomer(id, Box::new(asked)), done(alive, 404, events))
            }
            Step::Delete { .. } => {
                let mut events = vec!["payment_method.detached"; self.models[who].methods.len()];
                events.extend(vec!["customer.source.deleted"; self.models[who].cards.len()]);
                events.push("customer.deleted");
                if alive {
                    let model = self.models[who].clone();
                    self.gone
                        .extend(model.methods.iter().chain(&model.cards).map(|id| (who, *id)));
                    self.models[who].deleted = true;
                }
                (Command::DeleteCustomer(id), done(alive, 404, events))
            }
            Step::Move { amount, euros, .. } => {
                let model = &mut self.models[who];
                let fits = !euros || !model.has_currency;
                // The model knows dollars only: what would make a customer of euros is not asked.
                if *euros && fits {
                    return;
                }
                // Nothing moved in the customer's own currency is no change.
                let changes = *amount != 0 || !model.has_currency;
                if alive && fits {
                    model.balance += amount;
                    model.has_currency = true;
                }
                let currency = if *euros { Currency::EUR } else { Currency::USD };
                let asked = CreateCustomerBalanceTransaction {
                    amount: *amount,
                    currency: Some(currency),
                    ..CreateCustomerBalanceTransaction::default()
                };
                let status = if alive { 400 } else { 404 };
                let events = if changes { vec!["customer.updated"] } else { Vec::new() };
                let expected = done(alive && fits, status, events);
                (Command::CreateCustomerBalanceTransaction(id, Box::new(asked)), expected)
            }
            Step::Settle { balance, .. } => {
                let model = &mut self.models[who];
                let same = model.balance == *balance;
                if alive && !same {
                    model.balance = *balance;
                    model.has_currency = true;
                }
                let asked = UpdateCustomer {
                    balance: Some(*balance),
                    ..UpdateCustomer::default()
                };
                let events = if same { vec![] } else { vec!["customer.updated"] };
                (Command::UpdateCustomer(id, Box::new(asked)), done(alive, 404, events))
            }
            Step::SaveCard { good, .. } => {
                let asked = CreateCustomerSource {
                    source: Some(token(if *good { "visa" } else { "visa_chargeDeclined" })),
                    ..CreateCustomerSource::default()
                };
                let mut events = vec!["customer.source.created"];
                if self.models[who].default.is_none() {
                    events.push("customer.updated");
                }
                let status = if alive { 402 } else { 404 };
                (
                    Command::SaveSource(id, Box::new(asked)),
                    done(alive && *good, status, events),
                )
            }
            Step::ReplaceCard { .. } => {
                let asked = UpdateCustomer {
                    source: Some(token("amex")),
                    ..UpdateCustomer::default()
                };
                let mut events = vec!["customer.source.created"];
                if alive && let Some(replaced) = self.models[who].default {
                    events.push("customer.source.deleted");
                    self.forget_card(who, replaced);
                }
                events.push("customer.updated");
                (Command::UpdateCustomer(id, Box::new(asked)), done(alive, 404, events))
            }
            Step::Default { .. } => {
                let Some(card) = card else { return };
                let model = &mut self.models[who];
                let held = model.cards.contains(&card);
                let same = model.default == Some(card);
                if alive && held {
                    model.default = Some(card);
                }
                let asked = UpdateCustomer {
                    default_source: Some(SavedSourceId {
                        kind: &kinds::CARD,
                        id: card,
                    }),
                    ..UpdateCustomer::default()
                };
                let events = if same { vec![] } else { vec!["customer.updated"] };
                let status = if alive { 400 } else { 404 };
                (
                    Command::UpdateCustomer(id, Box::new(asked)),
                    done(alive && held, status, events),
                )
            }
            Step::RemoveCard { .. } => {
                let Some(card) = card else { return };
                let held = alive && self.models[who].cards.contains(&card);
                let mut events = vec!["customer.source.deleted"];
                if held {
                    if self.models[who].default == Some(card) {
                        events.push("customer.updated");
                    }
                    self.forget_card(who, card);
                }
                (Command::RemoveSource(id, card), done(held, 404, events))
            }
            Step::Attach { good, .. } => {
                let named = fresh(if *good { "visa" } else { "visa_chargeDeclined" });
                let status = if alive { 402 } else { 400 };
                let expected = done(alive && *good, status, vec!["payment_method.attached"]);
                (Command::AttachPaymentMethod(named, Some(id), Saving::Asked), expected)
            }
            Step::AttachOther { .. } => {
                let Some(method) = method else { return };
                let same = alive && self.models[who].methods.contains(&method);
                let command = Command::AttachPaymentMethod(PaymentMethodParam::Stored(method), Some(id), Saving::Asked);
                (command, done(same, 400, vec![]))
            }
            Step::Detach { .. } => {
                let Some(method) = method else { return };
                let model = &mut self.models[of];
                let held = !model.deleted && model.methods.contains(&method);
                if held {
                    model.methods.retain(|known| *known != method);
                    self.gone.push((of, method));
                }
                let command = Command::DetachPaymentMethod(PaymentMethodParam::Stored(method));
                (command, done(held, 400, vec!["payment_method.detached"]))
            }
            Step::GiveTaxId { fits, .. } => {
                let asked = CreateTaxId {
                    owner: None,
                    kind: TaxIdType::from_name("us_ein"),
                    value: if *fits { "12-3456789" } else { "12" }.into(),
                };
                let status = if alive { 400 } else { 404 };
                let expected = done(alive && *fits, status, vec!["customer.tax_id.created"]);
                (Command::CreateTaxId(Some(id), Box::new(asked)), expected)
            }
            Step::DropTaxId { .. } => {
                let Some(tax_id) = pick(&self.models[of].tax_ids, nth) else {
                    return;
                };
                let model = &mut self.models[who];
                let held = alive && model.tax_ids.contains(&tax_id);
                if held {
                    model.tax_ids.retain(|known| *known != tax_id);
                }
                let expected = done(held, 404, vec!["customer.tax_id.deleted"]);
                (Command::DeleteTaxId(Some(id), tax_id), expected)
            }
            Step::Pay { .. } => {
                let Some(card) = card else { return };
                let held = alive && self.models[who].cards.contains(&card);
                let asked = CreatePaymentIntent {
                    amount: 1_000,
                    currency: Some(Currency::USD),
                    customer: Some(CustomerId(id)),
                    payment_method: Some(PaymentMethodParam::Stored(card)),
                    confirm: Some(true),
                    ..CreatePaymentIntent::default()
                };
                let events = vec!["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"];
                (Command::CreatePaymentIntent(Box::new(asked)), done(held, 400, events))
            }
        };
        let (status, events, answered) = self.ask(&command);
        assert_eq!((status, events), (expected.0, owned(&expected.1)), "{step:?}");
        if let (200, Some(answered)) = (status, answered) {
            self.keep(step, who, answered);
        }
    }

    /// Writes down what a step made.
    fn keep(&mut self, step: &Step, who: usize, answered: Id) {
        let model = &mut self.models[who];
        match step {
            Step::SaveCard { .. } => {
                model.cards.insert(0, answered);
                model.default.get_or_insert(answered);
            }
            Step::ReplaceCard { .. } => {
                let card = self.customer(who).more().default_source.expect("it was just saved");
                let model = &mut self.models[who];
                model.cards.insert(0, card);
                model.default = Some(card);
            }
            Step::Attach { .. } => model.methods.push(answered),
            Step::GiveTaxId { .. } => model.tax_ids.insert(0, answered),
            _ => {}
        }
    }

    fn create(&mut self, balance: i64, card: bool) {
        if self.ids.len() == CUSTOMERS_MAX {
            return;
        }
        let asked = CreateCustomer {
            balance: Some(balance),
            source: card.then(|| token("visa")),
            ..CreateCustomer::default()
        };
        let (status, events, id) = self.ask(&Command::CreateCustomer(Box::new(asked)));
        let mut expected = vec!["customer.created"];
        expected.extend(card.then_some("customer.source.created"));
        assert_eq!((status, events), (200, owned(&expected)));
        self.ids.push(id.expect("a customer"));
        self.models.push(Model {
            balance,
            has_currency: balance != 0,
            ..Model::default()
        });
        let who = self.ids.len() - 1;
        if card {
            let saved = self.customer(who).more().default_source.expect("it was given");
            self.models[who].cards.push(saved);
            self.models[who].default = Some(saved);
        }
    }

    fn forget_card(&mut self, who: usize, card: Id) {
        let model = &mut self.models[who];
        model.cards.retain(|known| *known != card);
        if model.default == Some(card) {
            model.default = model.cards.first().copied();
        }
        self.gone.push((who, card));
    }

    fn gone_of(&self, who: usize, kind: &'static tollgate_resource::Kind, nth: usize) -> Option<Id> {
        let gone = self.gone.iter().filter(|(of, id)| *of == who && id.is(kind));
        pick(&gone.map(|(_, id)| *id).collect::<Vec<_>>(), nth)
    }

    fn customer(&self, who: usize) -> &tollgate_domain::customers::customer::Customer {
        match self.shop.get(&kinds::CUSTOMER, self.ids[who]) {
            Object::Customer(customer) => customer,
            other => panic!("{:?} is no customer", other.id()),
        }
    }

    /// Compares every customer with its model.
    fn compare(&self) {
        for (who, model) in self.models.iter().enumerate() {
            let customer = self.customer(who);
            let more = customer.more();
            let is = Model {
                deleted: customer.deleted,
                name: customer.name.clone(),
                balance: more.balance,
                has_currency: more.currency.is_some(),
                cards: more.sources.clone(),
                default: more.default_source,
                methods: more.methods.clone(),
                tax_ids: more.tax_ids.clone(),
            };
            assert_eq!(&is, model);
        }
    }
}

fn done(succeeds: bool, otherwise: u16, events: Vec<&'static str>) -> Expected {
    if succeeds {
        (200, events)
    } else {
        (otherwise, Vec::new())
    }
}

fn owned(events: &[&str]) -> Vec<String> {
    events.iter().map(|event| (*event).to_owned()).collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..CUSTOMERS_MAX;
    let three = (who.clone(), who.clone(), 0..3usize);
    let step = prop_oneof![
        3 => (-500..500i64, any::<bool>()).prop_map(|(balance, card)| Step::Create { balance, card }),
        2 => (who.clone(), 0..3u8).prop_map(|(who, name)| Step::Rename { who, name }),
        1 => who.clone().prop_map(|who| Step::Delete { who }),
        3 => (who.clone(), -500..500i64, any::<bool>())
            .prop_map(|(who, amount, euros)| Step::Move { who, amount, euros }),
        2 => (who.clone(), -2..2i64).prop_map(|(who, balance)| Step::Settle { who, balance }),
        4 => (who.clone(), any::<bool>()).prop_map(|(who, good)| Step::SaveCard { who, good }),
        2 => who.clone().prop_map(|who| Step::ReplaceCard { who }),
        3 => three.clone().prop_map(|(who, of, nth)| Step::Default { who, of, nth }),
        3 => three.clone().prop_map(|(who, of, nth)| Step::RemoveCard { who, of, nth }),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, good)| Step::Attach { who, good }),
        2 => three.clone().prop_map(|(who, of, nth)| Step::AttachOther { who, of, nth }),
        2 => (who.clone(), 0..3usize).prop_map(|(of, nth)| Step::Detach { of, nth }),
        2 => (who, any::<bool>()).prop_map(|(who, fits)| Step::GiveTaxId { who, fits }),
        2 => three.clone().prop_map(|(who, of, nth)| Step::DropTaxId { who, of, nth }),
        2 => three.prop_map(|(who, of, nth)| Step::Pay { who, of, nth }),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn customers_do_what_their_model_does(steps in steps()) {
        let mut play = Play::open();
        for step in &steps {
            play.step(step);
            play.compare();
        }
        crate::audit::check(&play.shop);
    }
}
