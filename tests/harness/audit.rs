//! The comparison of what the server holds with what its clients know: everything acknowledged is there, everything
//! there is explained, replays are the same bytes, and the balance is the sum.
//!
//! It is made when every request has its answer, so nothing has to be excused: the sets are equal or something is wrong.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

mod alone;
mod money;

use crate::connection::Connection;
use crate::log::{Act, Answered, Log};
use crate::server::{Answer, PATIENCE, Server, tollgate};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Threads that ask the final questions.
const ASKERS: usize = 8;
/// Longest wait for the network to settle what was cut off: an attempt that several kills have met is asked about ever
/// less often, up to once a minute.
const SETTLE_MAX: Duration = Duration::from_secs(150);

/// What clients ask and what is audited: one server, or the nodes of a cluster.
pub(crate) trait Served: Sync {
    /// Where to ask. Another call may name another node.
    fn api(&self) -> String;

    /// Audits the journal offline, whether or not somebody is at work on it, and asserts that it is clean; the report.
    fn audited(&self) -> Value;

    /// Whether nobody will answer any more.
    fn has_ended(&self) -> bool;

    /// Whether answers may tell to come again because a shard is between two nodes.
    fn moves(&self) -> bool;

    /// How long each client rests after a request.
    fn rest(&self) -> Duration;
}

impl Served for Server {
    fn api(&self) -> String {
        self.api.clone()
    }

    fn audited(&self) -> Value {
        clean(&tollgate(&[
            "verify",
            "--json",
            "--data",
            self.data().to_str().expect("UTF-8"),
        ]))
    }

    fn has_ended(&self) -> bool {
        Server::has_ended(self)
    }

    fn moves(&self) -> bool {
        false
    }

    fn rest(&self) -> Duration {
        Duration::ZERO
    }
}

/// The report of an audit that found nothing.
pub(crate) fn clean(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&text).expect("a report")
}

/// What the comparison has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) intents: u64,
    pub(crate) charges: u64,
    pub(crate) refunds: u64,
    pub(crate) customers: u64,
    pub(crate) transactions: u64,
    pub(crate) events: u64,
    pub(crate) replays: u64,
}

/// Asks everything that is owed an answer until it has one.
pub(crate) fn settle(server: &impl Served, log: &Log) {
    // The last time that somebody was given a final answer.
    let moved = Mutex::new(Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                let mut connection = Connection::to(&server.api());
                while let Some(request) = log.owed() {
                    let idle = moved.lock().expect("another asker has panicked").elapsed();
                    assert!(idle < 2 * PATIENCE, "never answered: {request:?}");
                    let answer = connection.send(&request).expect("an answer");
                    let put_off = matches!(answer.status, 409 | 429 | 503);
                    log.heard(request, &answer);
                    if put_off {
                        std::thread::sleep(Duration::from_millis(50));
                        connection = Connection::to(&server.api());
                    } else {
                        *moved.lock().expect("another asker has panicked") = Instant::now();
                    }
                }
            });
        }
    });
    // Attempts at the network that a crash cut off end by inquiry and reversal, and refunds in transit by repeated advice.
    let deadline = Instant::now() + SETTLE_MAX;
    loop {
        let report = server.audited();
        let open = (
            &report["attempts_pending"]["count"],
            &report["refunds_in_transit"]["count"],
        );
        if open == (&0.into(), &0.into()) {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "still open at the network: {open:?}\n{report}"
        );
        std::thread::sleep(Duration::from_millis(250));
    }
    // Banks answer after a while.
    let accounts: BTreeSet<String> = log
        .answered()
        .iter()
        .map(|answered| answered.request.account.clone())
        .collect();
    let mut connection = Connection::to(&server.api());
    let mut waits = |account: &str| {
        let intents = list(server, &mut connection, account, "payment_intents");
        intents.into_values().find(|intent| intent["status"] == "processing")
    };
    while let Some(intent) = accounts.iter().find_map(|account| waits(account)) {
        assert!(Instant::now() < deadline, "no bank ever answers: {intent}");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// Asks every stored answer again and asserts that each is the same bytes. Gives their number.
pub(crate) fn replay(server: &impl Served, answered: &[Answered]) -> u64 {
    let remembered: Vec<&Answered> = answered.iter().filter(|answered| answered.remembered).collect();
    let share = remembered.len().div_ceil(ASKERS).max(1);
    std::thread::scope(|scope| {
        for share in remembered.chunks(share) {
            scope.spawn(move || {
                let mut connection = Connection::to(&server.api());
                for answered in share {
                    let again = patiently(server, &mut connection, |connection| connection.send(&answered.request));
                    assert_eq!(
                        (again.status, again.text.as_str(), again.header("idempotent-replayed")),
                        (answered.status, &*answered.text, Some("true")),
                        "the replay of {:?} differs",
                        answered.request
                    );
                }
            });
        }
    });
    remembered.len() as u64
}

/// Lists everything and compares it with the log.
pub(crate) fn compare(server: &impl Served, log: &Log) -> Compared {
    let answered = log.answered();
    let mut compared = Compared {
        replays: replay(server, &answered),
        ..Compared::default()
    };
    let accounts: BTreeSet<&str> = answered
        .iter()
        .map(|answered| answered.request.account.as_str())
        .collect();
    for account in accounts {
        let of_account = answered.iter().filter(|answered| answered.request.account == account);
        Account::read(server, account).compare(of_account.collect(), &mut compared);
    }
    compared
}

/// Everything the server lists for an account, by id.
struct Account {
    intents: BTreeMap<String, Value>,
    charges: BTreeMap<String, Value>,
    refunds: BTreeMap<String, Value>,
    customers: BTreeMap<String, Value>,
    setups: BTreeMap<String, Value>,
    transactions: BTreeMap<String, Value>,
    events: BTreeMap<String, Value>,
    balance: Value,
}

/// What the clients know of one payment intent.
#[derive(Default)]
struct Known {
    /// Statuses that clients were told, in no order.
    told: BTreeSet<String>,
    /// Requests that could pay: a confirmation that was answered.
    tries: u64,
    received: Option<i64>,
    asked: BTreeSet<&'static str>,
}

impl Account {
    fn read(server: &impl Served, account: &str) -> Account {
        let mut connection = Connection::to(&server.api());
        let mut list = |what: &str| list(server, &mut connection, account, what);
        let (intents, charges, refunds) = (list("payment_intents"), list("charges"), list("refunds"));
        let (customers, transactions, events) = (list("customers"), list("balance_transactions"), list("events"));
        let setups = list("setup_intents");
        let balance = patiently(server, &mut connection, |connection| {
            connection.get(account, "/v1/balance")
        })
        .json();
        Account {
            intents,
            charges,
            refunds,
            customers,
            setups,
            transactions,
            events,
            balance,
        }
    }

    fn compare(&self, answered: Vec<&Answered>, compared: &mut Compared) {
        let known = self.intents_are_explained(&answered);
        self.outcomes_follow(&known);
        self.charges_are_explained(&known);
        self.alone_are_explained(&answered);
        let told = |act: fn(&Act) -> bool| -> BTreeSet<String> {
            let made = answered
                .iter()
                .filter(|answered| answered.status == 200 && act(&answered.request.act));
            made.map(|answered| id_of(&answered.json())).collect()
        };
        let refunds = told(|act| matches!(act, Act::Refund { .. }));
        assert_eq!(refunds, ids(&self.refunds), "refunds acknowledged and refunds listed");
        let customers = told(|act| *act == Act::Customer);
        assert_eq!(customers, ids(&self.customers), "customers acknowledged and listed");
        for answered in &answered {
            if answered.status == 200 && matches!(answered.request.act, Act::Refund { .. } | Act::Customer) {
                let object = answered.json();
                let listed = self.refunds.get(&id_of(&object));
                let listed = listed
                    .or_else(|| self.customers.get(&id_of(&object)))
                    .expect("it is listed");
                assert_eq!(listed["metadata"]["request"], answered.request.key, "{listed}");
                assert_eq!(listed["amount"], object["amount"], "{listed}");
            }
        }
        self.money_adds_up();
        self.events_are_explained(&answered);
        compared.intents += self.intents.len() as u64;
        compared.charges += self.charges.len() as u64;
        compared.refunds += self.refunds.len() as u64;
        compared.customers += self.customers.len() as u64;
        compared.transactions += self.transactions.len() as u64;
        compared.events += self.events.len() as u64;
    }

    /// Each listed intent was made by exactly one request, each request that makes one made exactly one.
    fn intents_are_explained(&self, answered: &[&Answered]) -> BTreeMap<String, Known> {
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for answered in answered {
            let json = answered.json();
            // A declined payment shows its intent in the error.
            let shown = match answered.status {
                200 => &json,
                _ => &json["error"]["payment_intent"],
            };
            let (asked, intent) = match &answered.request.act {
                Act::Pay | Act::Hold | Act::Draft => {
                    let listed = self.intents.get(&id_of(shown));
                    let listed = listed.unwrap_or_else(|| panic!("acknowledged and not listed: {answered:?}"));
                    assert_eq!(
                        listed["metadata"]["request"], answered.request.key,
                        "one key, one intent: {listed}"
                    );
                    assert_eq!(listed["amount"], shown["amount"]);
                    ("create", id_of(shown))
                }
                Act::Confirm { intent } => ("confirm", intent.clone()),
                Act::Capture { intent } | Act::CaptureCharge { intent } => ("capture", intent.clone()),
                Act::Cancel { intent } => ("cancel", intent.clone()),
                Act::Refund { .. } | Act::Customer | Act::Charge | Act::SetUp => continue,
            };
            let known = known.entry(intent).or_default();
            known.asked.insert(asked);
            let confirms = matches!(answered.request.act, Act::Pay | Act::Hold | Act::Confirm { .. });
            known.tries += u64::from(confirms && matches!(answered.status, 200 | 402));
            if answered.status == 200 {
                let (status, received) = alone::outcome(shown);
                if status == "succeeded" {
                    assert!(
                        known.received.is_none() || known.received == received,
                        "captured twice: {answered:?}"
                    );
                    known.received = received;
                }
                known.told.insert(status);
            }
        }
        let listed = ids(&self.intents);
        let explained: BTreeSet<String> = known.keys().cloned().collect();
        assert_eq!(explained, listed, "intents that clients know and intents listed");
        known
    }

    /// Where an intent stands follows from what its clients were told.
    fn outcomes_follow(&self, known: &BTreeMap<String, Known>) {
        for (id, known) in known {
            let intent = &self.intents[id];
            let told = |status: &str| known.told.contains(status);
            assert!(
                !(told("succeeded") && told("canceled")),
                "both paid and cancelled: {intent}"
            );
            // The network may find out later what a client could not be told in time.
            let open = told("processing") || known.asked.contains("capture") && told("requires_capture");
            let fine = match intent["status"].as_str().expect("a status") {
                "succeeded" => {
                    let received = intent["amount_received"].as_i64();
                    assert!(known.received.is_none() || known.received == received, "{intent}");
                    told("succeeded") || open
                }
                _ if told("succeeded") => false,
                "canceled" => told("canceled"),
                _ if told("canceled") => false,
                "requires_capture" => told("requires_capture") || open,
                "requires_payment_method" => known.tries > 0,
                "requires_confirmation" => known.tries == 0,
                _ => false,
            };
            assert!(fine, "clients were told {:?}, it is {intent}", known.told);
        }
    }

    /// Each charge belongs to an intent that asked for it, and at most one of them took or holds money.
    fn charges_are_explained(&self, known: &BTreeMap<String, Known>) {
        let mut of_intent: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for charge in self.charges.values() {
            let Some(intent) = charge["payment_intent"].as_str() else {
                continue;
            };
            of_intent.entry(intent).or_default().push(charge);
        }
        for (id, known) in known {
            let charges = of_intent.remove(id.as_str()).unwrap_or_default();
            assert_eq!(charges.len() as u64, known.tries, "charges of {}", self.intents[id]);
            let standing = charges.iter().filter(|charge| charge["paid"] == true).count();
            assert!(standing <= 1, "charged twice: {charges:?}");
            let captured: i64 = charges
                .iter()
                .filter_map(|charge| charge["amount_captured"].as_i64())
                .sum();
            assert_eq!(
                captured,
                self.intents[id]["amount_received"].as_i64().unwrap_or_default(),
                "{charges:?}"
            );
        }
        assert!(of_intent.is_empty(), "charges of unknown intents: {of_intent:?}");
    }

    /// Each event is about something that is listed, and was caused by a request of the log or by the network.
    fn events_are_explained(&self, answered: &[&Answered]) {
        let keys: BTreeSet<&str> = answered.iter().map(|answered| answered.request.key.as_str()).collect();
        let mut succeeded = BTreeMap::<String, u64>::new();
        for event in self.events.values() {
            let object = &event["data"]["object"];
            let id = id_of(object);
            let listed = [
                &self.intents,
                &self.charges,
                &self.refunds,
                &self.customers,
                &self.setups,
            ];
            assert!(
                listed.iter().any(|list| list.contains_key(&id)),
                "an event about nothing: {event}"
            );
            if let Some(key) = event["request"]["idempotency_key"].as_str() {
                assert!(keys.contains(key), "an event of an unknown request: {event}");
            }
            if event["type"] == "payment_intent.succeeded" {
                *succeeded.entry(id).or_default() += 1;
            }
        }
        let paid = self
            .intents
            .iter()
            .filter(|(_, intent)| intent["status"] == "succeeded");
        let expected: BTreeMap<String, u64> = paid.map(|(id, _)| (id.clone(), 1)).collect();
        assert_eq!(expected, succeeded, "paid intents and events that say so");
    }
}

/// An answer, of whichever node has it, also when the shard is between two of them just now, or one of them says nothing for as
/// long as a client waits. What is asked may be asked again.
fn patiently(
    server: &impl Served,
    connection: &mut Connection,
    ask: impl Fn(&mut Connection) -> std::io::Result<Answer>,
) -> Answer {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        let over = !server.moves() || Instant::now() > deadline;
        match ask(connection) {
            Ok(answer) if answer.status != 503 || over => return answer,
            Err(error) if over => panic!("no answer: {error}"),
            Ok(_) | Err(_) => {}
        }
        std::thread::sleep(Duration::from_millis(20));
        *connection = Connection::to(&server.api());
    }
}

fn list(server: &impl Served, connection: &mut Connection, account: &str, what: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/{what}?limit=100{after}");
        let answer = patiently(server, connection, |connection| connection.get(account, &path));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let mut page = answer.json();
        let Some(Value::Array(items)) = page.get_mut("data").map(Value::take) else {
            panic!("{path}: {page}")
        };
        let Some(last) = items.last().map(id_of) else {
            return all;
        };
        for item in items {
            let twice = all.insert(id_of(&item), item);
            assert!(twice.is_none(), "listed twice: {twice:?}");
        }
        if page["has_more"] != true {
            return all;
        }
        after = format!("&starting_after={last}");
    }
}

fn ids(list: &BTreeMap<String, Value>) -> BTreeSet<String> {
    list.keys().cloned().collect()
}

fn id_of(object: &Value) -> String {
    object["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {object}"))
        .to_owned()
}
