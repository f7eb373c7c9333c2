//! Random sequences of legal and illegal calls against a small model of the bank accounts that a customer has by the older
//! API, and of the charges that are made of them.

use crate::form::{command, command_with};
use crate::shop::Shop;
use proptest::prelude::*;
use tollgate_domain::payments::bank_account::Ownership;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::{Command, Object, Reply, Stop, kinds};
use tollgate_resource::{Id, Names};

/// How long a test bank takes, milliseconds.
const BANK_MS: u64 = 3_000;
/// How often deposits may be told wrong.
const TRIES_MAX: u32 = 10;
const AMOUNT: i64 = 2_000;

/// What is saved: by token or by number.
const NAMED: [Named; 5] = [
    Named::token("btok_us", 1, false),
    Named::token("btok_us_verified", 1, true),
    Named::token("btok_us_verified_noAccount", 3, true),
    Named {
        how: How::Number("000666666661"),
        account: 8,
        verified: false,
    },
    Named {
        how: How::Number("000555555559"),
        account: 7,
        verified: false,
    },
];

#[derive(Clone, Copy, Debug)]
struct Named {
    how: How,
    account: u16,
    verified: bool,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Token(&'static str),
    Number(&'static str),
}

impl Named {
    const fn token(name: &'static str, account: u16, verified: bool) -> Named {
        Named {
            how: How::Token(name),
            account,
            verified,
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Save(usize),
    Verify { bank: usize, right: bool },
    Remove(usize),
    Charge(usize),
    Hold(usize),
    Refund { charge: usize, amount: i64 },
    Wait(u64),
}

/// A bank account of the customer.
#[derive(Clone, Debug)]
struct Bank {
    id: Id,
    account: u16,
    ownership: Ownership,
    tries: u32,
    gone: bool,
}

/// A charge of one.
#[derive(Clone, Debug)]
struct Charged {
    id: Id,
    account: u16,
    answers_ms: u64,
    /// Once the bank has answered: whether it paid.
    paid: Option<bool>,
    refunded: i64,
}

struct Play {
    shop: Shop,
    customer: Id,
    banks: Vec<Bank>,
    charges: Vec<Charged>,
}

/// A status and events.
type Told = (u16, Vec<&'static str>);

impl Play {
    fn open() -> Play {
        let mut shop = Shop::open();
        let (_, made) = ask(&mut shop, &command("create_customer", &[("name", "Jenny")]));
        let customer = made.expect("a customer");
        Play {
            shop,
            customer,
            banks: Vec::new(),
            charges: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Save(which) => self.save(NAMED[which]),
            Step::Verify { bank, right } => self.verify(bank, right),
            Step::Remove(bank) => self.remove(bank),
            Step::Charge(bank) => self.charge(bank),
            Step::Hold(bank) => self.hold(bank),
            Step::Refund { charge, amount } => self.refund(charge, amount),
            Step::Wait(ms) => self.wait(ms),
        }
    }

    fn save(&mut self, named: Named) {
        let pairs = match named.how {
            How::Token(token) => vec![("source", token)],
            How::Number(number) => vec![
                ("source[object]", "bank_account"),
                ("source[country]", "US"),
                ("source[routing_number]", "110000000"),
                ("source[account_number]", number),
            ],
        };
        let known = self
            .banks
            .iter()
            .any(|bank| !bank.gone && bank.account == named.account);
        let first = self.banks.iter().all(|bank| bank.gone);
        let (told, made) = self.ask("create_customer_source", &[], &pairs);
        if known {
            assert_eq!(told, refused(400));
            return;
        }
        let mut events = vec!["customer.source.created"];
        events.extend(first.then_some("customer.updated"));
        assert_eq!(told, (200, events));
        self.banks.push(Bank {
            id: made.expect("a bank account"),
            account: named.account,
            ownership: if named.verified {
                Ownership::Verified
            } else {
                Ownership::Unverified
            },
            tries: 0,
            gone: false,
        });
    }

    fn verify(&mut self, bank: usize, right: bool) {
        let Some(known) = self.banks.get(bank).cloned() else {
            return;
        };
        let (one, two) = if right { ("45", "32") } else { ("1", "2") };
        let (told, _) = self.ask(
            "verify_customer_source",
            &[("id", known.id)],
            &[("amounts[0]", one), ("amounts[1]", two)],
        );
        let model = &mut self.banks[bank];
        let wanted = match (known.gone, known.ownership) {
            (true, _) => refused(404),
            (_, Ownership::Verified) => refused(400),
            (_, Ownership::Failed) => refused(402),
            (_, Ownership::Unverified) if right && known.account != 8 => {
                model.ownership = Ownership::Verified;
                (200, vec!["customer.source.updated"])
            }
            (_, Ownership::Unverified) => {
                model.tries += 1;
                // No deposits arrive on the account of that number.
                if known.account == 8 || model.tries == TRIES_MAX {
                    model.ownership = Ownership::Failed;
                    (402, vec!["customer.source.updated"])
                } else {
                    refused(402)
                }
            }
        };
        assert_eq!(told, wanted);
    }

    fn remove(&mut self, bank: usize) {
        let Some(known) = self.banks.get(bank).cloned() else {
            return;
        };
        let default = self.default();
        let (told, _) = self.ask("delete_customer_source", &[("id", known.id)], &[]);
        if known.gone {
            assert_eq!(told, refused(404));
            return;
        }
        let mut events = vec!["customer.source.deleted"];
        events.extend((default == Some(known.id)).then_some("customer.updated"));
        assert_eq!(told, (200, events));
        self.banks[bank].gone = true;
    }

    fn charge(&mut self, bank: usize) {
        let Some(known) = self.banks.get(bank).cloned() else {
            return;
        };
        let (told, made) = self.ask_for_money(&known, &[]);
        match (known.gone, known.ownership) {
            // As a customer is refused who has nothing to pay with.
            (true, _) => assert_eq!(told, refused(402)),
            (false, Ownership::Verified) => {
                assert_eq!(told, (200, vec!["charge.pending"]));
                self.charges.push(Charged {
                    id: made.expect("a charge"),
                    account: known.account,
                    answers_ms: self.shop.now_ms + BANK_MS,
                    paid: None,
                    refunded: 0,
                });
            }
            _ => assert_eq!(told, refused(400)),
        }
    }

    /// Nothing is held on a bank account.
    fn hold(&mut self, bank: usize) {
        let Some(known) = self.banks.get(bank).cloned() else {
            return;
        };
        let (told, _) = self.ask_for_money(&known, &[("capture", "false")]);
        assert_eq!(told, refused(if known.gone { 402 } else { 400 }));
    }

    fn refund(&mut self, charge: usize, amount: i64) {
        let Some(known) = self.charges.get(charge).cloned() else {
            return;
        };
        let (id, text) = (known.id.text(&kinds::CHARGE), amount.to_string());
        let (told, _) = ask(
            &mut self.shop,
            &command("create_refund", &[("charge", &id), ("amount", &text)]),
        );
        // Who took it back has all of it.
        let left = match known.paid {
            Some(true) if known.account != 7 => AMOUNT - known.refunded,
            _ => 0,
        };
        if amount > left {
            assert_eq!(told, refused(400));
            return;
        }
        let events = vec![
            "refund.created",
            "charge.refunded",
            "refund.updated",
            "charge.refund.updated",
        ];
        assert_eq!(told, (200, events));
        self.charges[charge].refunded += amount;
    }

    fn wait(&mut self, ms: u64) {
        self.shop.now_ms += ms;
        let mut events = Vec::new();
        for object in self.shop.due() {
            let done = self
                .shop
                .tell(&Command::TimerDue(object))
                .expect("timers are always taken");
            events.extend(done.events.iter().map(|event| event.kind.name()));
        }
        let mut wanted = Vec::new();
        for charge in &mut self.charges {
            if charge.paid.is_some() || self.shop.now_ms < charge.answers_ms {
                continue;
            }
            charge.paid = Some(charge.account != 3);
            match charge.account {
                3 => wanted.push("charge.failed"),
                7 => wanted.extend([
                    "charge.succeeded",
                    "charge.dispute.created",
                    "charge.dispute.funds_withdrawn",
                    "charge.dispute.closed",
                ]),
                _ => wanted.push("charge.succeeded"),
            }
        }
        assert_eq!(events, wanted);
    }

    fn ask_for_money(&mut self, bank: &Bank, more: &[(&str, &str)]) -> (Told, Option<Id>) {
        let (customer, source) = (self.customer.text(&kinds::CUSTOMER), bank.id.text(&kinds::CARD));
        let mut pairs = vec![
            ("amount", "2000"),
            ("currency", "usd"),
            ("customer", &*customer),
            ("source", &*source),
        ];
        pairs.extend(more);
        ask(&mut self.shop, &command("create_charge", &pairs))
    }

    /// Asks for something below the customer.
    fn ask(&mut self, name: &str, objects: &[(&'static str, Id)], pairs: &[(&str, &str)]) -> (Told, Option<Id>) {
        let customer = self.customer.text(&kinds::CUSTOMER);
        let texts: Vec<(&'static str, String)> = objects
            .iter()
            .map(|(name, id)| (*name, id.text(&kinds::CARD)))
            .collect();
        let mut segments = vec![("customer", customer.as_str())];
        segments.extend(texts.iter().map(|(name, text)| (*name, text.as_str())));
        ask(&mut self.shop, &command_with(name, &segments, pairs))
    }

    fn default(&self) -> Option<Id> {
        match self.shop.get(&kinds::CUSTOMER, self.customer) {
            Object::Customer(customer) => customer.more().default_source,
            other => panic!("{:?} is no customer", other.id()),
        }
    }

    /// Compares everything with the model.
    fn compare(&self) {
        let Object::Customer(customer) = self.shop.get(&kinds::CUSTOMER, self.customer) else {
            panic!("it is a customer");
        };
        let kept: Vec<Id> = self
            .banks
            .iter()
            .rev()
            .filter(|bank| !bank.gone)
            .map(|bank| bank.id)
            .collect();
        assert_eq!(customer.more().sources, kept);
        assert_eq!(customer.more().default_source.is_some(), !kept.is_empty());
        for bank in &self.banks {
            let Object::Card(method) = self.shop.get(&kinds::CARD, bank.id) else {
                panic!("it stands among the cards");
            };
            let is = method.instrument.bank().expect("a bank account");
            let tries = is.older.as_ref().map_or(0, |older| older.tries);
            assert_eq!(
                (is.ownership, tries, method.used_up),
                (bank.ownership, bank.tries, bank.gone)
            );
        }
        for charge in &self.charges {
            let Object::Charge(is) = self.shop.get(&kinds::CHARGE, charge.id) else {
                panic!("it is a charge");
            };
            let paid = match is.state {
                ChargeState::Debiting => None,
                ChargeState::Captured { amount: AMOUNT, .. } => Some(true),
                ChargeState::Failed { .. } => Some(false),
                other => panic!("a debit is {other:?}"),
            };
            assert_eq!((paid, is.refunded), (charge.paid, charge.refunded));
        }
        crate::audit::check(&self.shop);
    }
}

fn ask(shop: &mut Shop, command: &Command) -> (Told, Option<Id>) {
    match shop.ask(command) {
        Ok(done) => {
            let events = done.events.iter().map(|event| event.kind.name()).collect();
            match &done.decision.reply {
                Reply::Reject(reject) => ((reject.status, events), None),
                Reply::Object(_, id) => ((200, events), Some(*id)),
                other => panic!("{other:?}"),
            }
        }
        Err(Stop::Reject(reject)) => (refused(reject.status), None),
        Err(stop) => panic!("nothing is unloaded or busy here, but {stop:?}"),
    }
}

fn refused(status: u16) -> Told {
    (status, Vec::new())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let nth = || 0..4usize;
    let step = prop_oneof![
        3 => (0..NAMED.len()).prop_map(Step::Save),
        4 => (nth(), (0..3u8).prop_map(|roll| roll == 0)).prop_map(|(bank, right)| Step::Verify { bank, right }),
        1 => nth().prop_map(Step::Remove),
        4 => nth().prop_map(Step::Charge),
        1 => nth().prop_map(Step::Hold),
        3 => (nth(), 1..=AMOUNT).prop_map(|(charge, amount)| Step::Refund { charge, amount }),
        3 => prop_oneof![0..1_500u64, Just(BANK_MS)].prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn bank_accounts_of_customers_do_what_their_model_does(steps in steps()) {
        let mut play = Play::open();
        for step in &steps {
            play.step(step);
            play.compare();
        }
    }
}
