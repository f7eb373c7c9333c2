//! What tests ask for: accounts, commands, claims; and reading what came back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tollgate_actors::clock::MachineClock;
use tollgate_actors::{Refusal, Request, Response, ShardSettings, Shown, key_hash};
use tollgate_domain::account::{Profile, ProfileTerms};
use tollgate_domain::call::{Call, Command, ListQuery, Read};
use tollgate_domain::country::Country;
use tollgate_domain::kinds::{self, CustomerId, PaymentIntentId};
use tollgate_domain::money::Currency;
use tollgate_domain::object::{Item, Object};
use tollgate_domain::payments::payment_intent::{CaptureMethod, CapturePaymentIntent, CreatePaymentIntent};
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestCard};
use tollgate_domain::payments::refund::CreateRefund;
use tollgate_domain::{Claim, Reject, Secrets};
use tollgate_resource::{Expand, Id, Version};
use tollgate_store::memory::Memory;

/// When tests start: 2026-11-16T00:00:00Z, a Monday.
pub(crate) const START_MS: u64 = 1_794_787_200_000;

pub(crate) fn secrets() -> Secrets {
    Secrets::new([42; 32])
}

/// A US merchant in test mode.
pub(crate) fn merchant(number: u32) -> Arc<Profile> {
    let id = Id::new(&kinds::ACCOUNT, START_MS, u64::from(number), number);
    let terms = ProfileTerms {
        country: Country::US,
        default_currency: Currency::USD,
        created_ms: START_MS,
        api_version: Version::NEWEST,
        statement_descriptor: None,
    };
    Arc::new(Profile::new(id, false, &terms))
}

/// A payment of a test card, confirmed at once.
pub(crate) fn pay(amount: i64, card: &str) -> Command {
    Command::CreatePaymentIntent(Box::new(payment(amount, card)))
}

/// A hold on a test card, to be captured later.
pub(crate) fn hold(amount: i64, card: &str) -> Command {
    let capture_method = Some(CaptureMethod::Manual);
    Command::CreatePaymentIntent(Box::new(CreatePaymentIntent {
        capture_method,
        ..payment(amount, card)
    }))
}

/// A payment by a customer.
pub(crate) fn pay_by(customer: Id, amount: i64) -> Command {
    let customer = Some(CustomerId(customer));
    Command::CreatePaymentIntent(Box::new(CreatePaymentIntent {
        customer,
        ..payment(amount, "visa")
    }))
}

pub(crate) fn capture(intent: Id, amount_to_capture: Option<i64>) -> Command {
    Command::CapturePaymentIntent(
        intent,
        Box::new(CapturePaymentIntent {
            amount_to_capture,
            ..CapturePaymentIntent::default()
        }),
    )
}

pub(crate) fn cancel(intent: Id) -> Command {
    Command::CancelPaymentIntent(intent, Box::default())
}

pub(crate) fn refund(intent: Id, amount: Option<i64>) -> Command {
    let payment_intent = Some(PaymentIntentId(intent));
    Command::CreateRefund(Box::new(CreateRefund {
        amount,
        payment_intent,
        ..CreateRefund::default()
    }))
}

pub(crate) fn customer() -> Command {
    Command::CreateCustomer(Box::default())
}

fn payment(amount: i64, card: &str) -> CreatePaymentIntent {
    let card = TestCard::by_name(card).expect("a test card");
    CreatePaymentIntent {
        amount,
        currency: Some(Currency::USD),
        confirm: Some(true),
        payment_method: Some(PaymentMethodParam::card(card)),
        ..CreatePaymentIntent::default()
    }
}

/// Makes requests of one account.
pub(crate) struct Desk {
    pub(crate) profile: Arc<Profile>,
    next: u64,
}

impl Desk {
    pub(crate) fn of(profile: Arc<Profile>) -> Desk {
        Desk { profile, next: 0 }
    }

    /// A write without a key.
    pub(crate) fn write(&mut self, command: Command) -> Request {
        self.request(Call::Write(command))
    }

    /// A write with a key. The fingerprint follows from the command, as the edge's follows from the parameters.
    pub(crate) fn keyed(&mut self, key: &str, command: Command) -> Request {
        self.keyed_at(key, command, START_MS)
    }

    /// A write with a key, by the machine's clock.
    pub(crate) fn keyed_now(&mut self, key: &str, command: Command) -> Request {
        self.keyed_at(key, command, MachineClock::start().now().unix_ms)
    }

    /// A write with a key, at that time.
    pub(crate) fn keyed_at(&mut self, key: &str, command: Command, now_ms: u64) -> Request {
        let mut request = self.write(command);
        let text = format!("{:?}", request.call);
        let secrets = secrets();
        let hash = |text: &str| secrets.hash(tollgate_domain::secrets::Purpose::RequestFingerprint, text.as_bytes());
        let endpoint = text.split(['(', ' ']).nth(1).expect("the command's name").to_owned();
        let claim = Claim {
            key: key.into(),
            fingerprint: hash(&text) >> 8,
            endpoint: hash(&endpoint) as u64,
            path: format!("/v1/{endpoint}").into(),
            request: request.request,
            version: request.version.0,
            expand: Vec::new(),
            created_ms: now_ms,
        };
        request.claim = Some((key_hash(&secrets, key), Arc::new(claim)));
        request
    }

    pub(crate) fn get(&mut self, kind: &'static tollgate_resource::Kind, id: Id) -> Request {
        self.request(Call::Read(Read::Object(kind, id, "id")))
    }

    pub(crate) fn balance(&mut self) -> Request {
        self.request(Call::Read(Read::Balance))
    }

    pub(crate) fn list(&mut self, query: ListQuery) -> Request {
        self.request(Call::list(query))
    }

    fn request(&mut self, call: Call) -> Request {
        self.next += 1;
        Request {
            profile: Arc::clone(&self.profile),
            call,
            request: Id::new(&kinds::REQUEST, START_MS, self.next, self.profile.key.tag()),
            version: Version::NEWEST,
            expand: Expand::default(),
            claim: None,
        }
    }
}

/// Lets the answer show these in place.
pub(crate) fn expanding(mut request: Request, paths: &[&str]) -> Request {
    for path in paths {
        request.expand.add(&path.split('.').collect::<Vec<_>>());
    }
    if let Some((_, claim)) = &mut request.claim {
        Arc::make_mut(claim).expand = request.expand.paths();
    }
    request
}

/// The object of a successful answer.
pub(crate) fn object(response: &Response) -> &Object {
    match &response.result {
        Ok(Shown::One(Item::Object(object))) => object,
        other => panic!("expected an object, got {other:?}"),
    }
}

/// The refusal of an answer.
pub(crate) fn reject(response: &Response) -> &Reject {
    response.result.as_ref().expect_err("expected a refusal")
}

/// Status, and code or status word: an answer in short.
pub(crate) fn short(answer: &Result<Box<Response>, Refusal>) -> String {
    match answer {
        Ok(response) => match &response.result {
            Ok(Shown::One(Item::Object(Object::PaymentIntent(intent)))) => {
                format!("200 {}", tollgate_resource::Names::name(intent.status.name()))
            }
            Ok(Shown::One(item)) => match item {
                Item::Object(object) => format!("200 {}", object.kind().object),
                Item::Event(event) => format!("200 {}", tollgate_resource::Names::name(event.kind)),
                Item::Balance(_) => "200 balance".into(),
                Item::Account(_) => "200 account".into(),
                Item::Configurations(page) => format!("200 {} configurations", page.configurations.len()),
                Item::LineItems(_) => "200 line items".into(),
                Item::EventDestinations(page) => format!("200 {} destinations", page.destinations.len()),
                Item::ThinEvent(_) => "200 thin event".into(),
                Item::WebhookEndpoints(page) => format!("200 {} endpoints", page.endpoints.len()),
                Item::Delivered(_) => "200 something of deliveries".into(),
                Item::Handed => "200 handed on".into(),
            },
            Ok(Shown::Page { items, has_more, .. }) => format!("200 page of {} more {has_more}", items.len()),
            Ok(Shown::Found { items, next_page, .. }) => {
                format!("200 found {} more {}", items.len(), next_page.is_some())
            }
            Err(reject) => format!("{} {}", reject.status, reject.code.as_deref().unwrap_or("-")),
        },
        Err(refusal) => format!("{refusal}"),
    }
}

/// Everything of an answer that is rendered, except whether it is a replay.
pub(crate) fn rendered(response: &Response) -> String {
    let Response {
        result,
        attached,
        version,
        revision,
        expand,
        clock_ms,
        replayed: _,
        began,
    } = response;
    format!("{result:?} {attached:?} {version:?} {revision} {expand:?} {clock_ms} {began}")
}

/// The hash of a key.
pub(crate) fn key_hash_of(key: &str) -> tollgate_store::KeyHash {
    key_hash(&secrets(), key)
}

/// A committer: ends blocks all the time, so that each is in flight for a while. Until it is dropped.
pub(crate) struct Pump {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Pump {
    pub(crate) fn start(journal: &Arc<Memory>) -> Pump {
        let over: Arc<AtomicBool> = Arc::default();
        let (journal, until) = (Arc::clone(journal), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                journal.pump();
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        Pump {
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the committer panicked");
        }
    }
}

/// Budgets so small that objects and keys are read again all the time.
pub(crate) fn small_budgets(attempt_deadline_ms: u64) -> ShardSettings {
    ShardSettings {
        objects_max: 64,
        keys_max: 16,
        accounts_max: 1,
        row_every: 50,
        turn_messages: 8,
        block_records: 16,
        wait_ms: 60_000,
        attempt_deadline_ms,
        ..ShardSettings::default()
    }
}
