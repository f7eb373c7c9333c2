//! Everything at once, from a seed: clients that retry and send twice, late, failed and lost blocks, a network that
//! forgets, panics, kills. Whatever was acknowledged must be there, once.

use crate::driver::Driver;
use crate::office::{Desk, START_MS, capture, hold, key_hash_of, merchant, object, pay, refund, rendered, short};
use std::collections::{BTreeMap, BTreeSet};
use tollgate_actors::entropy::Entropy;
use tollgate_actors::settings::ShardSettings;
use tollgate_domain::Command;
use tollgate_domain::acquirer::{Ask, Asked, NetworkAnswer, Said};
use tollgate_domain::object::Object;
use tollgate_resource::Id;
use tollgate_store::memory::Fate;

/// A client's intention: one key, sent until it is answered.
struct Intention {
    desk: usize,
    key: String,
    command: Command,
    created_ms: u64,
    /// Requests under way.
    asked: Vec<u32>,
    /// The answer it settled for, rendered.
    heard: Option<String>,
    /// The object it was given.
    object: Option<Id>,
}

struct Storm {
    driver: Driver,
    dice: Entropy,
    desks: Vec<Desk>,
    intentions: Vec<Intention>,
    /// What the network did with attempts: approved, or reversed.
    book: BTreeMap<(Id, u32), &'static str>,
}

#[test]
fn storms_lose_nothing_and_double_nothing() {
    let rounds = std::env::var("STORM_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    let first = std::env::var("STORM_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    for seed in first..first + rounds {
        let outcome = std::panic::catch_unwind(|| Storm::new(seed).run());
        assert!(
            outcome.is_ok(),
            "see above; again with STORM_SEED={seed} STORM_ROUNDS=1"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let journal = |seed| {
        let mut storm = Storm::new(seed);
        storm.run();
        storm.driver.store.blocks()
    };
    assert_eq!(journal(5), journal(5));
}

impl Storm {
    fn new(seed: u64) -> Storm {
        let mut dice = Entropy::new(seed);
        let settings = ShardSettings {
            // Small budgets and frequent rows, so that passivation and loading happen all the time.
            objects_max: 8 + dice.below(100) as usize,
            keys_max: 4 + dice.below(50) as usize,
            accounts_max: 2,
            row_every: 3 + dice.below(20) as u32,
            ..ShardSettings::default()
        };
        let mut driver = Driver::new(settings);
        driver.entropy = Entropy::new(dice.word());
        let desks = (1..=3).map(|number| Desk::of(merchant(number))).collect();
        Storm {
            driver,
            dice,
            desks,
            intentions: Vec::new(),
            book: BTreeMap::new(),
        }
    }

    fn chance(&mut self, of_thousand: u64) -> bool {
        self.dice.below(1_000) < of_thousand
    }

    fn run(&mut self) {
        for _ in 0..600 {
            if self.chance(400) {
                self.intend();
            }
            self.resend();
            self.driver.turn();
            for _ in 0..self.dice.below(4) {
                self.driver.load_next();
            }
            match self.dice.below(100) {
                0..50 => drop(self.driver.settle(Fate::Durable)),
                50..52 => drop(self.driver.settle(Fate::Failed)),
                52..58 => drop(self.driver.settle(Fate::WrittenUnanswered)),
                58..60 => drop(self.driver.settle(Fate::WrittenButFailed)),
                60..80 => drop(self.driver.answer_block()),
                _ => {}
            }
            self.network();
            if self.chance(500) {
                let ms = self.dice.below(700);
                self.driver.pass(ms);
            }
            if self.chance(8) {
                self.panic();
            }
            // A failed shard takes the operator who restarts the process.
            if self.chance(8) || self.driver.supervised().is_failed() {
                self.kill();
            }
            self.hear();
        }
        if self.driver.supervised().is_failed() {
            self.kill();
        }
        self.calm();
        self.audit();
    }

    /// A new intention of some client.
    fn intend(&mut self) {
        let desk = self.dice.below(3) as usize;
        let known: Vec<Id> = self
            .intentions
            .iter()
            .filter(|i| i.desk == desk)
            .filter_map(|i| i.object)
            .collect();
        let amount = 100 + self.dice.below(5_000) as i64;
        let some = |dice: &mut Entropy| (!known.is_empty()).then(|| known[dice.below(known.len() as u64) as usize]);
        let command = match (self.dice.below(10), some(&mut self.dice)) {
            (0..3, Some(intent)) => refund(intent, (amount % 2 == 0).then_some(amount / 4)),
            (3, Some(intent)) => capture(intent, None),
            (4, _) => hold(amount, "visa"),
            (5, _) => pay(amount, "tollgate_remote"),
            (6, _) => pay(amount, "visa_chargeDeclined"),
            _ => pay(amount, "visa"),
        };
        let (key, created_ms) = (format!("key {}", self.intentions.len()), self.driver.now.unix_ms);
        self.intentions.push(Intention {
            desk,
            key,
            command,
            created_ms,
            asked: Vec::new(),
            heard: None,
            object: None,
        });
        self.send(self.intentions.len() - 1);
    }

    fn send(&mut self, at: usize) {
        let Intention {
            desk,
            key,
            command,
            created_ms,
            ..
        } = &self.intentions[at];
        let request = self.desks[*desk].keyed_at(key, command.clone(), *created_ms);
        let asked = self.driver.ask(request);
        self.intentions[at].asked.push(asked);
    }

    /// Clients that hear nothing, and clients that are nervous.
    fn resend(&mut self) {
        for at in 0..self.intentions.len() {
            let intention = &self.intentions[at];
            let silent = intention.asked.is_empty() && intention.heard.is_none();
            if silent || (intention.asked.len() < 3 && self.chance(10)) {
                self.send(at);
            }
        }
    }

    /// The network: it approves what reaches it, answers late or not at all, and remembers.
    fn network(&mut self) {
        for call in std::mem::take(&mut self.driver.calls) {
            let attempt = call.call.attempt;
            let at = (attempt.object, attempt.number);
            let (to, said) = match call.call.ask {
                Ask::Authorise(_) | Ask::Purchase(_) => {
                    assert!(!self.book.contains_key(&at), "an attempt was sent twice");
                    // Some calls never arrive.
                    if self.chance(200) {
                        continue;
                    }
                    self.book.insert(at, "approved");
                    (Asked::Request, Said::Approved)
                }
                Ask::Capture { .. } | Ask::Refund { .. } | Ask::Verify { .. } => (Asked::Request, Said::Approved),
                Ask::Inquire => {
                    let known = self.book.get(&at) == Some(&"approved");
                    (Asked::Inquiry, if known { Said::Approved } else { Said::NotFound })
                }
                Ask::Reverse => {
                    self.book.insert(at, "reversed");
                    (Asked::Reversal, Said::Acknowledged)
                }
            };
            // Some answers are lost, some come twice.
            for _ in 0..[0, 1, 1, 1, 2][self.dice.below(5) as usize] {
                self.driver
                    .network_says(call.account, attempt, NetworkAnswer { to, said });
            }
        }
    }

    fn panic(&mut self) {
        let key = format!("trap {}", self.dice.word());
        self.driver.set_trap(key_hash_of(&key));
        let request = self.desks[0].keyed(&key, pay(100 + self.dice.below(1_000) as i64, "visa"));
        self.driver.ask(request);
    }

    fn kill(&mut self) {
        let driver = std::mem::replace(&mut self.driver, Driver::new(ShardSettings::default()));
        self.driver = driver.kill();
        // Whoever was connected hears nothing any more.
        self.hear();
        self.intentions.iter_mut().for_each(|intention| intention.asked.clear());
    }

    /// Clients read their answers. Every answer to a key is the same answer.
    fn hear(&mut self) {
        let answers = &self.driver.answers;
        for intention in &mut self.intentions {
            let key = &intention.key;
            for asked in std::mem::take(&mut intention.asked) {
                let Some(answer) = answers.get(&asked) else {
                    intention.asked.push(asked);
                    continue;
                };
                let word = short(answer);
                match answer {
                    Ok(response) if response.began => {
                        let now = rendered(response);
                        let before = intention.heard.get_or_insert_with(|| now.clone());
                        assert_eq!(*before, now, "{key}: two answers to one key");
                        if response.result.is_ok() {
                            intention.object = match object(response) {
                                Object::PaymentIntent(intent) => Some(intent.id),
                                _ => None,
                            };
                        }
                    }
                    // Nothing was stored: a retry is as good as a first try. Parameter errors settle a client too.
                    Ok(_) if word.starts_with("409") || word.starts_with("429") => {}
                    Ok(response) => assert_eq!(response.replayed, None, "{key}: {word} was repeated"),
                    Err(_) => {}
                }
            }
        }
    }

    /// The weather clears: everything that is under way comes to its end.
    fn calm(&mut self) {
        for _ in 0..400 {
            self.driver.run();
            self.network();
            self.driver.pass(500);
        }
        self.driver.run();
        self.hear();
        for at in 0..self.intentions.len() {
            if self.intentions[at].heard.is_none() {
                self.send(at);
            }
        }
        for _ in 0..200 {
            self.driver.run();
            self.network();
            self.driver.pass(500);
        }
        self.driver.run();
        self.hear();
    }

    /// What must hold of the journal, whatever happened.
    fn audit(&mut self) {
        for (at, desk) in self.desks.iter().enumerate() {
            let profile = &desk.profile;
            let records = self.driver.facts(profile.key);
            let account = self.driver.replayed(profile);
            assert_eq!(account.books.imbalance(), None);
            let newest: BTreeMap<u64, &Object> = records
                .iter()
                .flat_map(|facts| &facts.objects)
                .map(|object| (object.id().seq(), object))
                .collect();
            let mut executed: BTreeMap<&str, BTreeSet<Id>> = BTreeMap::new();
            for facts in &records {
                let intents = facts
                    .born()
                    .filter(|object| matches!(object, Object::PaymentIntent(_) | Object::Refund(_)));
                if let Some(outcome) = &facts.outcome {
                    let ids = executed.entry(&outcome.claim.key).or_default();
                    ids.extend(intents.map(|object| object.id()));
                }
            }
            for (key, ids) in &executed {
                assert!(ids.len() <= 1, "{key} was executed {} times", ids.len());
            }
            for intention in self.intentions.iter().filter(|intention| intention.desk == at) {
                if intention.heard.is_some() {
                    assert!(
                        executed.contains_key(&*intention.key),
                        "{}: an acknowledged outcome is lost",
                        intention.key
                    );
                }
                if let Some(id) = intention.object {
                    assert!(
                        newest.contains_key(&id.seq()),
                        "{}: an acknowledged object is lost",
                        intention.key
                    );
                }
            }
            let mut nets = 0i128;
            for object in newest.values() {
                match object {
                    Object::Charge(charge) => assert!(charge.refunded <= charge.amount, "refunded more than charged"),
                    Object::BalanceTransaction(transaction) => nets += i128::from(transaction.net()),
                    Object::PaymentIntent(intent) => {
                        let open = intent.open_attempt();
                        assert!(
                            open.is_none(),
                            "an attempt was never resolved: {open:?}, now {}",
                            self.driver.now.unix_ms
                        );
                        assert!(intent.charge_count <= 1, "charged twice");
                    }
                    _ => {}
                }
            }
            let today = tollgate_domain::time::day_of(self.driver.now.unix_ms);
            let usd = tollgate_domain::money::Currency::USD;
            let balance = account.books.merchant_balance(usd, today);
            assert_eq!(
                nets,
                i128::from(balance.available + balance.pending),
                "nets and balance differ"
            );
            // What replay makes from the start is what a load makes from the newest row.
            let loaded = tollgate_actors::readers::find_account(&*self.driver.store, profile).expect("readable");
            let tollgate_actors::shard::Found::Account(loaded, _) = loaded else {
                panic!("an account")
            };
            assert_eq!(*loaded, account);
        }
        assert!(self.driver.now.unix_ms > START_MS);
    }
}
