//! A client's socket: the calls of a history as HTTP, and answers read back into the words of the history.

use crate::history::{Answer, Call, Card, ChargeShown, Code, FIELDS, Shown, Status};
use crate::server::{Answer as Http, PATIENCE, parse};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Ids of what the calls are about, as far as clients have learnt them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    pub(crate) customer: String,
    /// By slot.
    pub(crate) intents: Vec<Option<String>>,
}

/// How a request ended.
pub(crate) enum Ended {
    Answered(Http),
    /// It was never sent: nobody listened.
    Unsent,
    /// It was sent, and nobody heard an answer.
    Unheard,
}

/// How long a client stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Until it is answered.
    Waits,
    /// Until the request is sent.
    HangsUp,
    /// Until this much of the request is sent, of a hundred.
    HangsUpMidway(u64),
}

/// One connection, kept alive, opened again when it broke.
#[derive(Default)]
pub(crate) struct Socket(Option<(String, TcpStream)>);

impl Socket {
    /// Connects beforehand.
    pub(crate) fn open(&mut self, address: &str) {
        self.0 = open(address).ok().map(|stream| (address.to_owned(), stream));
    }

    /// Sends bytes to `address` and reads one answer.
    pub(crate) fn exchange(&mut self, address: &str, request: &[u8], manners: Manners) -> Ended {
        let fresh = match &self.0 {
            Some((known, _)) => known != address,
            None => true,
        };
        if fresh {
            let Ok(stream) = open(address) else {
                return Ended::Unsent;
            };
            self.0 = Some((address.to_owned(), stream));
        }
        let (_, stream) = self.0.as_mut().expect("it was just opened");
        let len = match manners {
            Manners::HangsUpMidway(percent) => request.len() * percent as usize / 100,
            _ => request.len(),
        };
        let heard = match stream.write_all(&request[..len]) {
            Ok(()) if manners == Manners::Waits => read(stream),
            _ => None,
        };
        match heard {
            Some(answer) => {
                if answer.header("connection") == Some("close") {
                    self.0 = None;
                }
                Ended::Answered(answer)
            }
            None => {
                self.0 = None;
                Ended::Unheard
            }
        }
    }
}

fn open(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn read(stream: &mut TcpStream) -> Option<Http> {
    let mut bytes = Vec::with_capacity(4096);
    let mut chunk = [0; 4096];
    loop {
        if let Some(answer) = parse(&bytes).filter(|answer| answer.header("content-length").is_some()) {
            return Some(answer);
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(len) => bytes.extend_from_slice(&chunk[..len]),
        }
    }
}

/// The bytes of a request. `None` when the client does not know the id it would need.
pub(crate) fn request(secret: &str, call: &Call, key: Option<&str>, ids: &Ids) -> Option<Vec<u8>> {
    let (method, path, form) = target(call, ids)?;
    Some(bytes(secret, method, &path, &form, key))
}

/// The bytes of any request.
pub(crate) fn bytes(secret: &str, method: &str, path: &str, form: &str, key: Option<&str>) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: tollgate\r\nauthorization: Bearer {secret}\r\n");
    if let Some(key) = key {
        head += &format!("idempotency-key: {key}\r\n");
    }
    if method == "POST" {
        let len = form.len();
        head += &format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {len}\r\n");
    }
    (head + "\r\n" + form).into_bytes()
}

fn target(call: &Call, ids: &Ids) -> Option<(&'static str, String, String)> {
    let id = |slot: u8| ids.intents.get(usize::from(slot)).cloned().flatten();
    let intents = "/v1/payment_intents";
    let optional = |name: &str, amount: Option<i64>| amount.map_or(String::new(), |amount| format!("{name}={amount}"));
    Some(match *call {
        Call::Create {
            slot,
            amount,
            manual,
            card,
        } => {
            let mut form = format!("amount={amount}&currency=usd&metadata[slot]={slot}");
            if manual {
                form += "&capture_method=manual";
            }
            if let Some(card) = card {
                form += &format!("&confirm=true&payment_method={}", name(card));
            }
            ("POST", intents.to_owned(), form)
        }
        Call::Confirm { slot, card } => {
            let form = format!("payment_method={}", name(card));
            ("POST", format!("{intents}/{}/confirm", id(slot)?), form)
        }
        Call::Capture { slot, amount } => {
            let form = optional("amount_to_capture", amount);
            ("POST", format!("{intents}/{}/capture", id(slot)?), form)
        }
        Call::Cancel { slot } => ("POST", format!("{intents}/{}/cancel", id(slot)?), String::new()),
        Call::Refund { slot, amount } => {
            let form = format!("payment_intent={}&{}", id(slot)?, optional("amount", amount));
            ("POST", "/v1/refunds".to_owned(), form.trim_end_matches('&').to_owned())
        }
        Call::Update { field, value } => {
            let form = format!("metadata[f{field}]={value}");
            ("POST", format!("/v1/customers/{}", ids.customer), form)
        }
        Call::Get { slot } => ("GET", format!("{intents}/{}", id(slot)?), String::new()),
        Call::Intents => ("GET", format!("{intents}?limit=100"), String::new()),
        Call::Charges { slot } | Call::Charge { slot, .. } => {
            let path = format!("/v1/charges?limit=100&payment_intent={}", id(slot)?);
            ("GET", path, String::new())
        }
        Call::Refunds { slot } => {
            let path = format!("/v1/refunds?limit=100&payment_intent={}", id(slot)?);
            ("GET", path, String::new())
        }
        Call::Customer => ("GET", format!("/v1/customers/{}", ids.customer), String::new()),
        Call::Balance => ("GET", "/v1/balance".to_owned(), String::new()),
    })
}

fn name(card: Card) -> &'static str {
    match card {
        Card::Visa => "pm_card_visa",
        Card::Declined => "pm_card_chargeDeclined",
        Card::Remote => "pm_card_tollgate_remote",
        Card::RemoteDecline => "pm_card_tollgate_remoteDecline",
        Card::Silent => "pm_card_tollgate_remoteSilent",
        Card::LostAnswer => "pm_card_tollgate_remoteLostAnswer",
        Card::Late => "pm_card_tollgate_remoteLate",
        Card::Slow => "pm_card_tollgate_remoteSlow",
    }
}

/// The intent that an answer shows or embeds: its slot and id.
pub(crate) fn intent_of(http: &Http) -> Option<(u8, String)> {
    let json = http.json();
    let intent = match json["object"].as_str() {
        Some("payment_intent") => &json,
        _ => &json["error"]["payment_intent"],
    };
    Some((slot_of(intent)?, intent["id"].as_str()?.to_owned()))
}

/// An answer in the words of the history: for lists, what each thing on it answers.
///
/// # Panics
/// When no call of the mix is answered like this.
pub(crate) fn understood(call: &Call, http: &Http) -> Vec<(Call, Answer)> {
    let json = http.json();
    let one = |answer: Answer| vec![(call.clone(), answer)];
    match http.status {
        200 => {}
        402 => {
            // A decline embeds the intent; a declined capture does so too.
            return one(Answer::Declined(shown(&json["error"]["payment_intent"])));
        }
        status => return one(refusal(status, &json["error"])),
    }
    let data = json["data"].as_array().map_or(&[][..], Vec::as_slice);
    assert_ne!(
        json["has_more"], true,
        "the mix makes fewer things than a page holds: {call:?}"
    );
    match call {
        Call::Create { .. } | Call::Confirm { .. } | Call::Capture { .. } | Call::Cancel { .. } | Call::Get { .. } => {
            one(Answer::Intent(shown(&json)))
        }
        Call::Refund { .. } => one(Answer::Refund(number(&json["amount"]))),
        Call::Update { .. } | Call::Customer => one(Answer::Customer(fields(&json["metadata"]))),
        Call::Balance => one(Answer::Balance(in_usd(&json["available"]) + in_usd(&json["pending"]))),
        Call::Refunds { .. } => one(Answer::Refunds(data.iter().map(|it| number(&it["amount"])).collect())),
        Call::Intents => {
            let slot = |it: &Value| slot_of(it).unwrap_or_else(|| panic!("an intent nobody asked for: {it}"));
            let which = (Call::Intents, Answer::Intents(data.iter().map(slot).collect()));
            let each = data.iter().map(|it| {
                let slot = slot(it);
                (Call::Get { slot }, Answer::Intent(shown(it)))
            });
            std::iter::once(which).chain(each).collect()
        }
        Call::Charges { slot } | Call::Charge { slot, .. } => {
            let slot = *slot;
            let count = (Call::Charges { slot }, Answer::Charges(data.len() as u8));
            let each = data.iter().rev().enumerate().map(|(at, it)| {
                let at = at as u8;
                (Call::Charge { slot, at }, Answer::Charge(charge_shown(it)))
            });
            std::iter::once(count).chain(each).collect()
        }
    }
}

fn refusal(status: u16, error: &Value) -> Answer {
    match (status, error["type"].as_str(), error["code"].as_str()) {
        (429, _, Some("lock_timeout")) => Answer::LockTimeout,
        (409, _, Some("idempotency_key_in_use")) => Answer::KeyInUse,
        (400, Some("idempotency_error"), _) => Answer::KeyMisused,
        (400, _, Some("payment_intent_unexpected_state")) => Answer::Refused(Some(Code::UnexpectedState)),
        (400, _, Some("amount_too_large")) => Answer::Refused(Some(Code::AmountTooLarge)),
        (400, _, Some("charge_already_refunded")) => Answer::Refused(Some(Code::AlreadyRefunded)),
        (400, _, None) => Answer::Refused(None),
        _ => panic!("no request of the mix is answered like this: {status} {error}"),
    }
}

fn shown(intent: &Value) -> Shown {
    let status = match intent["status"].as_str() {
        Some("requires_payment_method") => Status::RequiresPaymentMethod,
        Some("requires_confirmation") => Status::RequiresConfirmation,
        Some("processing") => Status::Processing,
        Some("requires_capture") => Status::RequiresCapture,
        Some("succeeded") => Status::Succeeded,
        Some("canceled") => Status::Canceled,
        other => panic!("an intent in state {other:?}: {intent}"),
    };
    Shown {
        status,
        capturable: number(&intent["amount_capturable"]),
        received: number(&intent["amount_received"]),
        charge: !intent["latest_charge"].is_null(),
        error: !intent["last_payment_error"].is_null(),
    }
}

fn charge_shown(charge: &Value) -> ChargeShown {
    ChargeShown {
        paid: charge["paid"] == true && charge["status"] == "succeeded",
        captured: charge["captured"] == true,
        amount_captured: number(&charge["amount_captured"]),
        amount_refunded: number(&charge["amount_refunded"]),
        refunded: charge["refunded"] == true,
    }
}

fn fields(metadata: &Value) -> [u32; FIELDS] {
    std::array::from_fn(|at| {
        let text = metadata[format!("f{at}")].as_str().unwrap_or("0");
        text.parse().expect("clients write numbers")
    })
}

fn slot_of(intent: &Value) -> Option<u8> {
    intent["metadata"]["slot"].as_str()?.parse().ok()
}

fn in_usd(funds: &Value) -> i64 {
    let of = |it: &&Value| it["currency"] == "usd";
    let funds = funds.as_array().expect("funds by currency");
    funds.iter().filter(of).map(|it| number(&it["amount"])).sum()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no number"))
}
