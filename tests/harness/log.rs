//! The clients' own log: what was asked, what was answered, what is still owed an answer. It is kept outside the server,
//! so that the two can be compared.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

use crate::random::Random;
use crate::server::Answer;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Something asked for under a key of its own.
#[derive(Debug)]
pub(crate) struct Request {
    /// In the order of asking, from 1.
    pub(crate) number: u64,
    /// The secret key of the account.
    pub(crate) account: String,
    /// The idempotency key; what is made carries it in its metadata.
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) form: String,
    pub(crate) act: Act,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Customer,
    /// A confirmed payment, captured at once.
    Pay,
    /// A confirmed payment, to be captured later.
    Hold,
    /// A payment that is not confirmed yet.
    Draft,
    Confirm {
        intent: String,
    },
    Capture {
        intent: String,
    },
    Cancel {
        intent: String,
    },
    /// The hold of an intent, captured by its charge.
    CaptureCharge {
        intent: String,
    },
    Refund {
        charge: String,
    },
    /// A charge without an intent.
    Charge,
    /// A confirmed setup.
    SetUp,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) request: Arc<Request>,
    pub(crate) status: u16,
    /// Whether the answer is stored under the key, so that a retry hears the same bytes. What was refused before
    /// anything began is not.
    pub(crate) remembered: bool,
    pub(crate) text: Box<str>,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Answers that a connection lost, by a kill or because the client went away.
    pub(crate) unheard: u64,
    /// Answers that told to try again: 409, 429, 503.
    pub(crate) put_off: u64,
    /// Answers to a key that had been answered before, all the same bytes.
    pub(crate) replays: u64,
}

/// The log of all clients.
#[derive(Default)]
pub(crate) struct Log {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    asked: u64,
    unanswered: Vec<Arc<Request>>,
    answered: BTreeMap<u64, Answered>,
    /// What can be gone on with: account, intent.
    drafts: Vec<(String, String)>,
    /// Account, intent, its charge, amount.
    holds: Vec<(String, String, String, i64)>,
    /// Account, charge, amount.
    paid: Vec<(String, String, i64)>,
    counts: Counts,
}

/// Cards of the mix, instant and remote network, approved and not, each as often as it stands here.
const CARDS: [&str; 14] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_chargeDeclined",
    "pm_card_chargeDeclinedInsufficientFunds",
    "pm_card_tollgate_remote",
    "pm_card_tollgate_remote",
    "pm_card_tollgate_remoteDecline",
    "pm_card_tollgate_remoteLostAnswer",
];

/// Bank accounts of the mix; their banks answer after a while, one way or the other.
const ACCOUNTS: [&str; 3] = [
    "pm_usBankAccount_success",
    "pm_usBankAccount_success",
    "pm_usBankAccount_accountClosed",
];

/// Cards of charges without an intent, and of setups: mostly of the remote network, where a kill finds them waiting.
const ALONE: [&str; 6] = [
    "visa",
    "chargeDeclined",
    "tollgate_remote",
    "tollgate_remote",
    "tollgate_remoteDecline",
    "tollgate_remoteLostAnswer",
];

impl Log {
    /// The next thing to ask: something that is owed an answer, or something new.
    pub(crate) fn next(&self, random: &mut Random, accounts: &[String]) -> Arc<Request> {
        let mut inner = self.inner();
        if !inner.unanswered.is_empty() && random.percent(50) {
            let at = random.below(inner.unanswered.len() as u64) as usize;
            return inner.unanswered.swap_remove(at);
        }
        let request = Arc::new(inner.new_request(random, accounts));
        // Two clients with the same request and key at the same time.
        if random.percent(4) {
            inner.unanswered.push(Arc::clone(&request));
        }
        request
    }

    /// A request whose answer is stored, to be asked again; `None` before there is one.
    pub(crate) fn repeat(&self, random: &mut Random) -> Option<Arc<Request>> {
        let inner = self.inner();
        let from = 1 + random.below(inner.asked.max(1));
        let found = inner.answered.range(from..).find(|(_, answered)| answered.remembered);
        found.map(|(_, answered)| Arc::clone(&answered.request))
    }

    /// Something that is owed an answer; `None` when nothing is.
    pub(crate) fn owed(&self) -> Option<Arc<Request>> {
        self.inner().unanswered.pop()
    }

    /// The connection broke, or the client went away: the request may have been carried out or not.
    pub(crate) fn unheard(&self, request: Arc<Request>) {
        let mut inner = self.inner();
        inner.counts.unheard += 1;
        inner.unanswered.push(request);
    }

    /// An answer came.
    ///
    /// # Panics
    /// When it cannot be, or is not what the same key was answered before.
    pub(crate) fn heard(&self, request: Arc<Request>, answer: &Answer) {
        let mut inner = self.inner();
        if matches!(answer.status, 409 | 429 | 503) {
            inner.counts.put_off += 1;
            inner.unanswered.push(request);
            return;
        }
        assert!(
            matches!(answer.status, 200 | 400 | 402),
            "no request of the mix is answered like this: {request:?} {answer:?}"
        );
        let answered = Answered {
            status: answer.status,
            remembered: answer.header("stripe-should-retry") == Some("false"),
            text: answer.text.clone().into(),
            request,
        };
        assert!(answered.remembered || answered.status == 400, "{answered:?}");
        if let Some(before) = inner
            .answered
            .get(&answered.request.number)
            .filter(|before| before.remembered)
        {
            assert_eq!(
                (before.status, &before.text, true),
                (answered.status, &answered.text, answered.remembered),
                "{:?} was answered twice, differently",
                answered.request
            );
            inner.counts.replays += 1;
            return;
        }
        if answered.status == 200 {
            inner.go_on_from(&answered);
        }
        inner.answered.insert(answered.request.number, answered);
    }

    /// Everything answered so far, in the order of asking.
    pub(crate) fn answered(&self) -> Vec<Answered> {
        self.inner().answered.values().cloned().collect()
    }

    pub(crate) fn asked(&self) -> u64 {
        self.inner().asked
    }

    pub(crate) fn counts(&self) -> Counts {
        self.inner().counts
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("a client has panicked")
    }
}

impl Inner {
    fn new_request(&mut self, random: &mut Random, accounts: &[String]) -> Request {
        self.asked += 1;
        let number = self.asked;
        let key = format!("request-{number}");
        let of_account = random.one(accounts).clone();
        let amount = 500 + random.below(20_000) as i64;
        let currency = random.one(&["usd", "usd", "eur"]);
        let card = random.one(&CARDS);
        let intent = format!("amount={amount}&currency={currency}&metadata[request]={key}&payment_method={card}");
        let new = |act: Act, form: String| (of_account.clone(), "/v1/payment_intents".to_owned(), form, act);
        let (account, path, form, act) = match random.below(100) {
            0..5 => {
                let form = format!("email={key}@example.com&metadata[request]={key}");
                (of_account.clone(), "/v1/customers".to_owned(), form, Act::Customer)
            }
            5..15 => new(Act::Draft, intent),
            15..30 => new(Act::Hold, format!("{intent}&confirm=true&capture_method=manual")),
            30..38 if !self.drafts.is_empty() => {
                let (account, intent) = random.one(&self.drafts).clone();
                let path = format!("/v1/payment_intents/{intent}/confirm");
                (account, path, String::new(), Act::Confirm { intent })
            }
            38..44 if !self.drafts.is_empty() => {
                let (account, intent) = random.one(&self.drafts).clone();
                cancel(account, intent)
            }
            44..54 if !self.holds.is_empty() => {
                let (account, intent, charge, amount) = random.one(&self.holds).clone();
                let part = 1 + random.below(amount as u64);
                let whole = random.percent(50);
                if random.percent(30) {
                    let form = if whole { String::new() } else { format!("amount={part}") };
                    let path = format!("/v1/charges/{charge}/capture");
                    return Request {
                        number,
                        account,
                        key,
                        path,
                        form,
                        act: Act::CaptureCharge { intent },
                    };
                }
                let form = if whole {
                    String::new()
                } else {
                    format!("amount_to_capture={part}")
                };
                let path = format!("/v1/payment_intents/{intent}/capture");
                (account, path, form, Act::Capture { intent })
            }
            54..58 if !self.holds.is_empty() => {
                let (account, intent, ..) = random.one(&self.holds).clone();
                cancel(account, intent)
            }
            58..75 if !self.paid.is_empty() => {
                let (account, charge, amount) = random.one(&self.paid).clone();
                let amount = 1 + random.below(amount as u64);
                let form = format!("charge={charge}&amount={amount}&metadata[request]={key}");
                (account, "/v1/refunds".to_owned(), form, Act::Refund { charge })
            }
            75..81 => {
                let source = format!("tok_{}", random.one(&ALONE));
                let form = format!("amount={amount}&currency={currency}&metadata[request]={key}&source={source}");
                (of_account.clone(), "/v1/charges".to_owned(), form, Act::Charge)
            }
            81..86 => {
                let card = random.one(&ALONE);
                let form = format!("metadata[request]={key}&payment_method=pm_card_{card}&confirm=true");
                (of_account.clone(), "/v1/setup_intents".to_owned(), form, Act::SetUp)
            }
            86..90 => {
                let bank = random.one(&ACCOUNTS);
                let form = format!(
                    "amount={amount}&currency=usd&metadata[request]={key}&payment_method={bank}&confirm=true&\
                     payment_method_types[0]=us_bank_account&mandate_data[customer_acceptance][type]=offline"
                );
                new(Act::Pay, form)
            }
            _ => new(Act::Pay, format!("{intent}&confirm=true")),
        };
        Request {
            number,
            account,
            key,
            path,
            form,
            act,
        }
    }

    /// Remembers what can be done next with what a request made. Only the newest, so that they are met again.
    fn go_on_from(&mut self, answered: &Answered) {
        const KEPT: usize = 64;
        let json = answered.json();
        let account = answered.request.account.clone();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        if answered.request.act == Act::Charge && json["paid"] == true {
            let amount = json["amount_captured"].as_i64().expect("an amount");
            keep(&mut self.paid, (account, text("id"), amount), KEPT);
            return;
        }
        if json["object"] != "payment_intent" {
            return;
        }
        match text("status").as_str() {
            "requires_confirmation" => keep(&mut self.drafts, (account, text("id")), KEPT),
            "requires_capture" => {
                let amount = json["amount"].as_i64().expect("an amount");
                keep(
                    &mut self.holds,
                    (account, text("id"), text("latest_charge"), amount),
                    KEPT,
                );
            }
            "succeeded" => {
                let amount = json["amount_received"].as_i64().expect("an amount");
                keep(&mut self.paid, (account, text("latest_charge"), amount), KEPT);
            }
            _ => {}
        }
    }
}

fn cancel(account: String, intent: String) -> (String, String, String, Act) {
    let path = format!("/v1/payment_intents/{intent}/cancel");
    (account, path, String::new(), Act::Cancel { intent })
}

fn keep<T>(list: &mut Vec<T>, new: T, most: usize) {
    if list.len() == most {
        list.remove(0);
    }
    list.push(new);
}
