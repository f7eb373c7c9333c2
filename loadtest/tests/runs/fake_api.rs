//! A payments API in memory: enough of it for the load tool, with faults. One thread per connection.

mod authentication_page;
mod events;

use super::webhooks::{Delivery, Hook};
use authentication_page::authentication_page;
use events::tell;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};

/// How the API misbehaves, on the payments with these numbers: 100, and every further hundredth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    LoseAPayment,
    ChargeTwice,
    MoveBalanceWrongly,
    ForgetTransaction,
    ReplayDiffers,
    Decline,
    WrongAmount,
    CloseAfterPaying,
    ChunkedCompact,
    SettleLater,
    /// Every request takes its time, one after the other.
    Slow,
    /// Every hundredth payment is refused once for overload.
    RefuseOnce,
    /// A refund moves a cent too many.
    RefundWrongly,
    /// A payment has no event.
    ForgetEvent,
    /// A key that was used for another request is taken for a new one.
    TakeMisusedKeys,
    /// The page for authentications is none that a tool could read.
    LeavePageEmpty,
    /// An authentication says that it succeeded, and nothing comes of it.
    ForgetAuthentications,
    /// Cards that are to be authenticated pay at once.
    PayUnauthenticated,
    /// A webhook is not sent.
    LoseAWebhook,
    /// A webhook is sent twice.
    SendTwice,
    /// Every webhook is sent twice.
    SendAllTwice,
    /// Webhook endpoints cannot be removed.
    KeepEndpoints,
    /// Keys are not known.
    RefuseKeys,
    /// A webhook is signed with another secret.
    SignWrongly,
    /// The events about a payment are sent in the wrong order.
    SendYoungerFirst,
    /// A webhook is sent whose event is in no list.
    SendUnlisted,
}

/// The running API; it ends with the test process.
pub(crate) struct FakeApi {
    pub(crate) url: String,
}

#[derive(Default)]
struct Books {
    intents: Vec<Value>,
    transactions: Vec<Value>,
    refunds: Vec<Value>,
    events: Vec<Value>,
    forms: HashMap<String, String>,
    outcomes: HashMap<String, (u16, Value)>,
    balance: i64,
    requests: u64,
    lists: u64,
    fault: Option<Fault>,
    hooks: Vec<Hook>,
    /// Where deliveries are put.
    deliveries: Option<SyncSender<Delivery>>,
}

impl FakeApi {
    pub(crate) fn start(fault: Fault) -> FakeApi {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let books = Arc::new(Mutex::new(Books {
            fault: Some(fault),
            deliveries: Some(super::webhooks::start()),
            ..Books::default()
        }));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, books) = (stream.unwrap(), books.clone());
                // A client that goes away ends its connection's thread.
                std::thread::spawn(move || serve(stream, &books, fault));
            }
        });
        FakeApi { url }
    }
}

fn serve(stream: TcpStream, books: &Mutex<Books>, fault: Fault) -> Option<()> {
    let mut out = stream.try_clone().ok()?;
    let mut input = BufReader::new(stream);
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|len| *len > 0)?;
        let path = line.split(' ').nth(1)?.to_string();
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut header = String::new();
            input.read_line(&mut header).ok()?;
            let Some((name, value)) = header.trim_end().split_once(": ") else {
                break;
            };
            match name {
                "Idempotency-Key" => key = value.into(),
                "Content-Length" => length = value.parse().ok()?,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body).ok()?;
        if let Some(id) = path.split('?').next()?.strip_prefix("/test/3ds/") {
            let form = line.starts_with("POST").then(|| String::from_utf8(body).unwrap());
            let page = authentication_page(&mut books.lock().unwrap(), id, form.as_deref(), fault);
            out.write_all(page.as_bytes()).ok()?;
            continue;
        }
        let (status, value) = {
            let mut books = books.lock().unwrap();
            if fault == Fault::Slow {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            if fault == Fault::RefuseKeys {
                (401, json!({"error": {"message": "Invalid API Key provided: sk_***"}}))
            } else if line.starts_with("DELETE") && fault == Fault::KeepEndpoints {
                (500, json!({"error": {"message": "no"}}))
            } else if line.starts_with("DELETE") {
                let id = path.rsplit('/').next().unwrap();
                books.hooks.retain(|hook| hook.id != id);
                (200, json!({"id": id, "deleted": true}))
            } else if line.starts_with("POST") {
                let known = books.outcomes.contains_key(&key);
                let outcome = post(&mut books, &path, &key, std::str::from_utf8(&body).unwrap(), fault);
                if fault == Fault::CloseAfterPaying && !known && books.intents.len().is_multiple_of(100) {
                    return None;
                }
                outcome
            } else {
                read(&mut books, &path)
            }
        };
        out.write_all(&render(status, &value, fault)).ok()?;
    }
}

fn post(books: &mut Books, path: &str, key: &str, form: &str, fault: Fault) -> (u16, Value) {
    if path == "/v1/payment_intents" && form.contains("confirm=true&capture_method=manual") {
        return keyed(books, key, |books| {
            let created = create(books, form, "requires_capture");
            asked(books, created, form, fault)
        });
    }
    if path == "/v1/payment_intents" && !form.contains("confirm=true") {
        return keyed(books, key, |books| create(books, form, "requires_confirmation"));
    }
    match path.split('/').collect::<Vec<_>>()[2..] {
        ["payment_intents"] => pay(books, key, form, fault),
        ["payment_intents", id, "confirm"] => keyed(books, key, |books| {
            let shown = books.intents.iter().find(|intent| intent["id"] == id).unwrap().clone();
            if shown["asks"] == true {
                return asked(books, (200, shown), form, fault);
            }
            finish(books, id, "succeeded")
        }),
        ["payment_intents", id, "capture"] => keyed(books, key, |books| finish(books, id, "succeeded")),
        ["payment_intents", id, "cancel"] => keyed(books, key, |books| finish(books, id, "canceled")),
        ["refunds"] => keyed(books, key, |books| {
            refund(books, &form["payment_intent=".len()..], fault)
        }),
        ["webhook_endpoints"] => {
            let hook = Hook::new(books.hooks.len(), form);
            books.hooks.push(hook.clone());
            (
                200,
                json!({"id": hook.id, "object": "webhook_endpoint", "secret": hook.secret}),
            )
        }
        ["customers"] => (200, json!({"id": "cus_1", "object": "customer"})),
        _ => (404, json!({"error": {"type": "invalid_request_error"}})),
    }
}

/// The first answer to a key, or what `work` gives.
fn keyed(books: &mut Books, key: &str, work: impl FnOnce(&mut Books) -> (u16, Value)) -> (u16, Value) {
    if let Some(outcome) = books.outcomes.get(key) {
        return outcome.clone();
    }
    let outcome = work(books);
    books.outcomes.insert(key.into(), outcome.clone());
    outcome
}

fn create(books: &mut Books, form: &str, status: &str) -> (u16, Value) {
    let number = books.outcomes.len() + 1;
    let amount: i64 = form.split('&').next().unwrap()["amount=".len()..].parse().unwrap();
    let declined = form.contains("Declined");
    let charge = (status == "requires_capture").then(|| format!("ch_{number}"));
    let shown = json!({
        "id": format!("pi_{number}"), "object": "payment_intent", "amount": amount, "latest_charge": charge,
        "status": status, "declined": declined, "asks": form.contains("threeDSecure"),
    });
    books.intents.push(shown.clone());
    if declined && status == "requires_capture" {
        return (402, json!({"error": {"type": "card_error", "code": "card_declined"}}));
    }
    (200, shown)
}

/// The answer to a confirmation, `answer` if its card asks nobody.
fn asked(books: &mut Books, answer: (u16, Value), form: &str, fault: Fault) -> (u16, Value) {
    if answer.1["asks"] != true {
        return answer;
    }
    if !form.contains("return_url=https%3A%2F%2F") {
        return (
            400,
            json!({"error": {"type": "invalid_request_error", "code": "parameter_missing"}}),
        );
    }
    let mut shown = answer.1;
    let id = shown["id"].as_str().unwrap().to_string();
    let after = if shown["status"] == "requires_capture" {
        "requires_capture"
    } else {
        "succeeded"
    };
    shown["after"] = after.into();
    shown["status"] = "requires_action".into();
    shown["latest_charge"] = Value::Null;
    // The server's own name for itself is not the one that the tool was given.
    let url = format!("http://pages.example/test/3ds/{id}");
    shown["next_action"] = json!({"type": "redirect_to_url", "redirect_to_url": {"url": url}});
    let at = books.intents.iter().position(|intent| intent["id"] == *id).unwrap();
    books.intents[at] = shown.clone();
    if fault == Fault::PayUnauthenticated && after == "succeeded" {
        finish(books, &id, "succeeded");
    }
    (200, shown)
}

fn finish(books: &mut Books, id: &str, status: &str) -> (u16, Value) {
    let at = books.intents.iter().position(|intent| intent["id"] == id).unwrap();
    if books.intents[at]["declined"] == true && status == "succeeded" {
        return (402, json!({"error": {"type": "card_error", "code": "card_declined"}}));
    }
    books.intents[at]["status"] = status.into();
    if status == "succeeded" {
        let number = id[3..].parse().unwrap();
        books.intents[at]["latest_charge"] = format!("ch_{number}").into();
        let amount = books.intents[at]["amount"].as_i64().unwrap();
        move_money(books, number, 0, amount, true);
        tell(books, "payment_intent.succeeded", books.intents[at].clone());
    }
    (200, books.intents[at].clone())
}

fn refund(books: &mut Books, id: &str, fault: Fault) -> (u16, Value) {
    let intent = books.intents.iter().find(|intent| intent["id"] == id).unwrap();
    let amount = intent["amount"].as_i64().unwrap() + i64::from(fault == Fault::RefundWrongly);
    let number = &id[3..];
    books.balance -= amount;
    books.transactions.push(json!({
        "id": format!("txn_{number}_refund"), "source": format!("re_{number}"), "currency": "usd",
        "amount": -amount, "fee": 0, "net": -amount,
    }));
    let shown = json!({"id": format!("re_{number}"), "object": "refund", "amount": amount, "status": "succeeded"});
    books.refunds.push(shown.clone());
    tell(books, "refund.created", shown.clone());
    (200, shown)
}

fn pay(books: &mut Books, key: &str, form: &str, fault: Fault) -> (u16, Value) {
    books.requests += 1;
    if fault == Fault::RefuseOnce && books.requests.is_multiple_of(100) {
        return (429, json!({"error": {"type": "api_error", "code": "rate_limit"}}));
    }
    if form.contains("Declined") {
        return (402, json!({"error": {"type": "card_error", "code": "card_declined"}}));
    }
    let said = books.forms.entry(key.into()).or_insert_with(|| form.into());
    if said != form && fault != Fault::TakeMisusedKeys {
        return (400, json!({"error": {"type": "idempotency_error"}}));
    }
    if let Some((status, value)) = books.outcomes.get(key) {
        let mut value = value.clone();
        if fault == Fault::ReplayDiffers {
            value["replayed"] = true.into();
        }
        return (*status, value);
    }
    let amount: i64 = form
        .split('&')
        .find_map(|pair| pair.strip_prefix("amount="))
        .unwrap()
        .parse()
        .unwrap();
    let number = books.outcomes.len() + 1;
    let now = |wanted: Fault| fault == wanted && number.is_multiple_of(100);
    let (intent, charge) = (format!("pi_{number}"), format!("ch_{number}"));
    let outcome = if form.contains("threeDSecure") {
        let created = create(books, form, "requires_confirmation");
        asked(books, created, form, fault)
    } else if now(Fault::Decline) {
        (402, json!({"error": {"type": "card_error", "code": "card_declined"}}))
    } else {
        let processing = now(Fault::SettleLater);
        let status = if processing { "processing" } else { "succeeded" };
        let shown_charge = if processing { Value::Null } else { charge.clone().into() };
        let shown = json!({
            "id": intent, "object": "payment_intent", "amount": amount, "latest_charge": shown_charge, "status": status,
        });
        if !now(Fault::LoseAPayment) {
            let mut kept = shown.clone();
            if now(Fault::WrongAmount) {
                kept["amount"] = (amount + 1).into();
            }
            books.intents.push(kept);
            let times = if processing {
                0
            } else if now(Fault::ChargeTwice) {
                2
            } else {
                1
            };
            for time in 0..times {
                move_money(books, number, time, amount, !now(Fault::ForgetTransaction));
            }
            if !processing && !now(Fault::ForgetEvent) {
                tell(books, "payment_intent.succeeded", shown.clone());
            }
            if fault == Fault::MoveBalanceWrongly && number == 100 {
                books.balance += 1;
            }
        }
        (200, shown)
    };
    books.outcomes.insert(key.into(), outcome.clone());
    outcome
}

fn move_money(books: &mut Books, number: usize, time: u32, amount: i64, recorded: bool) {
    let fee = (amount * 29 + 500) / 1000 + 30;
    books.balance += amount - fee;
    if recorded {
        books.transactions.push(json!({
            "id": format!("txn_{number}_{time}"), "source": format!("ch_{number}"), "currency": "usd",
            "amount": amount, "fee": fee, "net": amount - fee,
        }));
    }
}

fn settle(books: &mut Books) {
    for at in 0..books.intents.len() {
        if books.intents[at]["status"] == "processing" {
            let number = books.intents[at]["id"].as_str().unwrap()[3..].parse().unwrap();
            let amount = books.intents[at]["amount"].as_i64().unwrap();
            books.intents[at]["status"] = "succeeded".into();
            books.intents[at]["latest_charge"] = format!("ch_{number}").into();
            move_money(books, number, 0, amount, true);
            tell(books, "payment_intent.succeeded", books.intents[at].clone());
        }
    }
}

fn read(books: &mut Books, path: &str) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query: HashMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    match path {
        "/v1/balance" => {
            let money = |amount: i64| json!([{"amount": amount, "currency": "usd"}]);
            (200, json!({"available": money(7), "pending": money(books.balance)}))
        }
        "/v1/payment_intents" => {
            // What is processing settles after it has been listed as such once.
            let from_newest = query["limit"] == "100" && !query.contains_key("starting_after");
            books.lists += u64::from(from_newest);
            if books.lists == 2 {
                settle(books);
            }
            (200, page(&books.intents, &query))
        }
        "/v1/events" => (200, page(&books.events, &query)),
        "/v1/webhook_endpoints" => {
            let shown = books
                .hooks
                .iter()
                .map(|hook| json!({"id": hook.id, "metadata": {"tollgate_load": "1"}}));
            (
                200,
                json!({"object": "list", "data": shown.collect::<Vec<_>>(), "has_more": false}),
            )
        }
        "/v1/refunds" => (200, page(&books.refunds, &query)),
        "/v1/balance_transactions" => (200, page(&books.transactions, &query)),
        _ => {
            let id = path.rsplit('/').next().unwrap();
            let id = &id.replace("ch_", "pi_");
            match books.intents.iter().find(|intent| intent["id"] == *id) {
                Some(intent) => (200, intent.clone()),
                None => (
                    404,
                    json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}}),
                ),
            }
        }
    }
}

fn page(objects: &[Value], query: &HashMap<&str, &str>) -> Value {
    let limit: usize = query["limit"].parse().unwrap();
    let end = match query.get("starting_after") {
        Some(id) => objects.iter().position(|object| object["id"] == *id).unwrap(),
        None => objects.len(),
    };
    let start = end.saturating_sub(limit);
    let data: Vec<&Value> = objects[start..end].iter().rev().collect();
    json!({"object": "list", "data": data, "has_more": start > 0})
}

fn render(status: u16, value: &Value, fault: Fault) -> Vec<u8> {
    if fault != Fault::ChunkedCompact {
        let body = format!("{value:#}");
        return format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    }
    let body = value.to_string();
    let mut out = format!("HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.as_bytes().chunks(100) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}
