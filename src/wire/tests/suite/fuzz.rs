//! Sequences of sensible, odd and hostile requests over every declared route, against one account: whatever is sent, the
//! answer is JSON of the right shape and no fault of ours. Ids of earlier answers are sent again, where they belong and where
//! they do not, so that requests get far beyond their parameters.

use crate::schema::{self, DOCUMENT};
use crate::shop::Shop;
use proptest::prelude::*;
use serde_json::Value;
use tollgate_domain::api;
use tollgate_resource::operation::Answers;
use tollgate_resource::params::{ParamKind, ParamsShape};
use tollgate_resource::{Endpoint, Version};
use tollgate_wire::versions::KNOWN;

/// Ids that are remembered for later requests.
const IDS_MAX: usize = 200;

const WORDS: &[&str] = &[
    "usd",
    "eur",
    "JPY",
    "zzz",
    "card",
    "tok_visa",
    "pm_card_visa",
    "pm_card_threeDSecure2Required",
    "btok_us",
    "btok_us_verified",
    "110000000",
    "shop.example.com",
    "manual",
    "true",
    "4242424242424242",
    "12",
    "2034",
    "jenny@example.com",
    "https://example.com/back",
    "charge.*",
    "fraudulent",
    "created>1",
    "metadata['a']:'b'",
    "amount>0 AND status:'succeeded'",
    "\u{1f30d}",
    "a b",
    "",
];
const CARDS: &[&str] = &[
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_visa_chargeDeclined",
    "pm_card_authenticationRequired",
    "pm_card_createDispute",
    "pm_card_refundFail",
    "pm_card_nope",
    "pm_usBankAccount_success",
    "pm_sepaDebit_failed",
];
/// Ways to pay that are not by card, each with what else they want to hear.
const OTHERS: &[&str] = &[
    "currency=usd&payment_method=pm_usBankAccount_success&payment_method_types[0]=us_bank_account",
    "currency=usd&payment_method=pm_usBankAccount_processing&payment_method_types[0]=us_bank_account",
    "currency=usd&payment_method=pm_usBankAccount_success&payment_method_types[0]=us_bank_account&\
     payment_method_options[us_bank_account][verification_method]=microdeposits",
    "currency=eur&payment_method=pm_sepaDebit_disputed&payment_method_types[0]=sepa_debit",
    "currency=eur&payment_method_data[type]=ideal&payment_method_types[0]=ideal",
    "currency=usd&payment_method_data[type]=paypal&payment_method_types[0]=paypal&capture_method=manual",
];
/// What the edge says of uploads, and what it never says.
const UPLOADS: &[&str] = &[
    "00000000000000000000000000000000000000000000000000000000000000ff:20:pdf:a.pdf",
    "x",
];

/// Numbers of test cards and bank accounts, and codes.
const SECRETS: &[&str] = &[
    "000123456789",
    "DE89370400440532013000",
    "4242424242424242",
    "4000000000000002",
    "4242424242424241",
    "123",
    "12",
    "x",
];
const NUMBERS: &[&str] = &[
    "2000",
    "1000",
    "1",
    "50",
    "0",
    "-1",
    "99999999",
    "100000000",
    "9223372036854775807",
    "1e3",
    "x",
];
const HOSTILE: &[&str] = &[
    "a[[b]=1",
    "a]=1",
    "[]=1",
    "=1",
    "&&&&",
    "%",
    "%f",
    "%ff=1",
    "a=%00",
    "%c3%28=1",
    "metadata[%5d]=1",
    "expand=x",
    "expand[a]=x",
    "expand[][a]=x",
    "metadata[a][b][c]=1",
    "metadata=x",
    "amount[]=1",
    "amount[0][a]=1",
    "currency[a]=usd",
    "a[b][c][d][e][f][g][h][i][j]=1",
    "expand[]=data.customer.default_source.customer.x",
    "expand[]=.",
    "expand[]=total_count",
    "limit=5&limit=7",
    "created[gte]=5&created=7",
    "created[gte][x]=5",
    "created[]=1",
    "created[no]=1",
];

/// A generator of its own, so that a case is a list of numbers and can be shrunk.
struct Dice {
    state: u64,
    /// How rarely an optional parameter is given: once in so many.
    rare: usize,
}

impl Dice {
    fn of(seed: u64) -> Dice {
        Dice { state: seed, rare: 5 }
    }
    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }
    /// True once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// One merchant's requests.
struct Fuzz {
    shop: Shop,
    ids: Vec<String>,
}

impl Fuzz {
    fn step(&mut self, seed: u64) {
        let mut dice = Dice::of(seed);
        if dice.once_in(8) {
            return self.pay(&mut dice);
        }
        let endpoint = api::ENDPOINTS[dice.below(api::ENDPOINTS.len())];
        let path = self.path(endpoint, &mut dice);
        let mut form = Vec::new();
        // Some requests say little, so that they get far; others say much.
        dice.rare = [4, 12, 200][dice.below(3)];
        self.params(endpoint.params, "", &mut dice, &mut form);
        if endpoint.method.name() == "GET" && dice.once_in(3) {
            form.push((
                "expand[]".into(),
                dice.one_of(&["customer", "data.customer", "latest_charge", "source"])
                    .into(),
            ));
        }
        let mut bytes = Vec::new();
        for (name, value) in &form {
            if !bytes.is_empty() {
                bytes.push(b'&');
            }
            escape(name, &mut bytes);
            bytes.push(b'=');
            escape(value, &mut bytes);
        }
        if dice.once_in(6) {
            bytes.push(b'&');
            bytes.extend_from_slice(dice.one_of(HOSTILE).as_bytes());
        }
        if dice.once_in(12) {
            let at = dice.below(bytes.len() + 1);
            bytes.insert(at, dice.roll() as u8);
        }
        let version = if dice.once_in(3) {
            KNOWN[dice.below(KNOWN.len())].0
        } else {
            Version::NEWEST
        };
        let method = if dice.once_in(30) {
            "DELETE"
        } else {
            endpoint.method.name()
        };
        let (status, body) = self.shop.send_bytes(version, method, &path, &bytes);
        let asked = || {
            format!(
                "{method} {path} at {version:?} with {}",
                String::from_utf8_lossy(&bytes)
            )
        };
        let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{}: {error}: {body}", asked()));
        check(endpoint, method, status, &answer).unwrap_or_else(|what| panic!("{}: {what}: {body}", asked()));
        if version == Version::NEWEST && method == endpoint.method.name() {
            documented(endpoint, status, &answer).unwrap_or_else(|what| panic!("{}: {what}: {body}", asked()));
        }
        self.remember(&answer);
    }

    /// A payment that goes through, or is declined by its card.
    fn pay(&mut self, dice: &mut Dice) {
        if dice.once_in(3) {
            let form = format!(
                "amount=4000&confirm=true&return_url=https://example.com/back&\
                 mandate_data[customer_acceptance][type]=offline&{}",
                dice.one_of(OTHERS)
            );
            let (status, body) = self.shop.send("POST", "/v1/payment_intents", &form);
            assert_eq!(status, 200, "{form}: {body}");
            return self.remember(&serde_json::from_str(&body).expect("JSON"));
        }
        let (card, capture) = (dice.one_of(CARDS), dice.one_of(&["automatic", "manual"]));
        let form = format!(
            "amount=2000&currency=usd&payment_method={card}&confirm=true&capture_method={capture}&\
             automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never"
        );
        let (status, body) = self.shop.send("POST", "/v1/payment_intents", &form);
        assert!(matches!(status, 200 | 400 | 402), "{form}: {body}");
        self.remember(&serde_json::from_str(&body).expect("JSON"));
    }

    /// The path with ids: mostly of the right kind, if one is known.
    fn path(&self, endpoint: &Endpoint<tollgate_domain::Call>, dice: &mut Dice) -> String {
        let mut before = "";
        let parts = endpoint.path.split('/').map(|part| {
            let id = part.starts_with('{').then(|| self.id_for(before, dice));
            before = part;
            id.unwrap_or_else(|| part.to_owned())
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// An id for the segment after `collection`.
    fn id_for(&self, collection: &str, dice: &mut Dice) -> String {
        if dice.once_in(20) {
            return dice
                .one_of(&["x", "%F0%9F%92%B3", "pi_", "cus_0000000000000000000000", "a%2Fb"])
                .to_owned();
        }
        let singular = collection.trim_end_matches('s');
        let kind = tollgate_domain::kinds::ALL.iter().find(|kind| kind.object == singular);
        self.id(kind.map(|kind| kind.prefix), dice)
    }

    /// A known id with that prefix, or any.
    fn id(&self, prefix: Option<&str>, dice: &mut Dice) -> String {
        let fits =
            |id: &&String| prefix.is_none_or(|prefix| id.rsplit_once('_').is_some_and(|(known, _)| known == prefix));
        let known: Vec<&String> = self.ids.iter().filter(fits).collect();
        if !known.is_empty() && !dice.once_in(10) {
            // The newest most of the time: they are in the states that others lead to.
            let back = if dice.once_in(2) { 0 } else { dice.below(known.len()) };
            return known[known.len() - 1 - back].clone();
        }
        match self.ids.is_empty() {
            true => "x".into(),
            false => self.ids[dice.below(self.ids.len())].clone(),
        }
    }

    /// Values for what is required and for some of the rest.
    fn params(&self, shape: &'static ParamsShape, prefix: &str, dice: &mut Dice, out: &mut Vec<(String, String)>) {
        for field in shape.fields {
            let given = if field.required {
                !dice.once_in(15)
            } else {
                dice.once_in(dice.rare)
            };
            if given {
                let name = match prefix {
                    "" => field.name.to_owned(),
                    prefix => format!("{prefix}[{}]", field.name),
                };
                self.value(&field.kind, name, dice, out);
            }
        }
    }

    fn value(&self, kind: &'static ParamKind, name: String, dice: &mut Dice, out: &mut Vec<(String, String)>) {
        if dice.once_in(25) {
            return out.push((name, dice.one_of(WORDS).to_owned()));
        }
        match kind {
            ParamKind::Node(shape) => self.params(shape, &name, dice, out),
            ParamKind::List { of, .. } => {
                for at in 0..dice.below(3) {
                    self.value(of, format!("{name}[{at}]"), dice, out);
                }
            }
            ParamKind::Metadata => out.push((
                format!("{name}[{}]", dice.one_of(&["a", "order", "\u{e9}"])),
                "b".into(),
            )),
            ParamKind::File => out.push((name, dice.one_of(UPLOADS).to_owned())),
            ParamKind::Range => {
                let bound = dice.one_of(&["", "[gt]", "[gte]", "[lt]", "[lte]"]);
                out.push((
                    format!("{name}{bound}"),
                    dice.one_of(&["0", "1795176000", "-1", "x"]).to_owned(),
                ));
            }
            ParamKind::Int { .. } => out.push((name, dice.one_of(NUMBERS).to_owned())),
            ParamKind::Bool => out.push((name, dice.one_of(&["true", "true", "false", "1"]).to_owned())),
            ParamKind::Secret(_) => out.push((name, dice.one_of(SECRETS).to_owned())),
            ParamKind::Names(names) => out.push((name, dice.one_of(names).to_owned())),
            ParamKind::Id(kind) => {
                let card = kind.object == "payment_method" && !dice.once_in(3);
                let id = if card {
                    dice.one_of(CARDS).to_owned()
                } else {
                    self.id(Some(kind.prefix), dice)
                };
                out.push((name, id));
            }
            ParamKind::Word(_) | ParamKind::Str { .. } => {
                let word = match name.contains("currency") {
                    true => "usd".to_owned(),
                    false if name == "domain_name" => "shop.example.com".to_owned(),
                    false if name == "url" && !dice.once_in(3) => "https://example.com/back".to_owned(),
                    // A token of a bank account, which a card's details are never taken for.
                    false if name.ends_with("bank_account") => "btok_us_verified".to_owned(),
                    false if dice.once_in(3) => self.id(None, dice),
                    false => dice.one_of(WORDS).to_owned(),
                };
                out.push((name, word));
            }
        }
    }

    fn remember(&mut self, answer: &Value) {
        match answer {
            Value::Object(members) => members.values().for_each(|member| self.remember(member)),
            Value::Array(items) => items.iter().for_each(|item| self.remember(item)),
            Value::String(text) if is_id(text) => {
                self.ids.retain(|known| known != text);
                self.ids.push(text.clone());
                if self.ids.len() > IDS_MAX {
                    self.ids.remove(0);
                }
            }
            _ => {}
        }
    }
}

fn is_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(prefix, digits)| {
        digits.len() == 22
            && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

/// What every answer must be.
fn check(endpoint: &Endpoint<tollgate_domain::Call>, method: &str, status: u16, answer: &Value) -> Result<(), String> {
    if status == 200 {
        // A path of one operation may also be one of another method.
        if method != endpoint.method.name() {
            return Ok(());
        }
        // Pages of the second version are no objects.
        if endpoint.answers.shape().object.is_none() && answer["data"].is_array() {
            return Ok(());
        }
        let object = match answer["object"].as_str().ok_or("no object")? {
            // What files were called until 2018-09-24.
            "file_upload" => "file",
            object => object,
        };
        let expected = match endpoint.answers {
            Answers::Many(_) => "list",
            Answers::Found(_) => "search_result",
            Answers::One(shape) | Answers::Contents(shape) => shape.object.unwrap_or(object),
        };
        return (object == expected)
            .then_some(())
            .ok_or(format!("a {object}, not a {expected}"));
    }
    if !(400..500).contains(&status) {
        return Err(format!("status {status}"));
    }
    let error = answer["error"].as_object().ok_or("no error")?;
    let kind = error.get("type").and_then(Value::as_str).unwrap_or_default();
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let is_card = status == 402;
    if kind != if is_card { "card_error" } else { "invalid_request_error" }
        && !(is_card && kind == "invalid_request_error")
    {
        return Err(format!("a {kind} with status {status}"));
    }
    (!message.is_empty() && message.len() < 64 << 10)
        .then_some(())
        .ok_or("no message, or too long a one".into())
}

/// Whether an answer of the newest version is what the OpenAPI document says of it.
fn documented(endpoint: &Endpoint<tollgate_domain::Call>, status: u16, answer: &Value) -> Result<(), String> {
    let operation = &DOCUMENT["paths"][endpoint.path][endpoint.method.name().to_lowercase()];
    let response = match status {
        200 => &operation["responses"]["200"],
        _ => &DOCUMENT["components"]["responses"]["error"],
    };
    schema::check(
        &response["content"]["application/json"]["schema"],
        answer,
        endpoint.name,
    )
}

fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'[' | b']' => out.push(byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_sequence_of_requests_meets_a_fault(seeds in prop::collection::vec(any::<u64>(), 1..60)) {
        let mut fuzz = Fuzz { shop: Shop::open(), ids: Vec::new() };
        for seed in seeds {
            fuzz.step(seed);
        }
    }
}

#[test]
fn the_sequences_reach_beyond_the_parameters() {
    let mut fuzz = Fuzz {
        shop: Shop::open(),
        ids: Vec::new(),
    };
    (0..4_000).for_each(|seed| fuzz.step(seed));
    let kinds: std::collections::BTreeSet<&str> =
        fuzz.shop.objects.0.iter().map(|object| object.kind().object).collect();
    for kind in [
        "apple_pay_domain",
        "balance_transaction",
        "charge",
        "customer",
        "mandate",
        "payment_intent",
        "payment_method",
        "payment_method_configuration",
        "payment_method_domain",
        "refund",
        "webhook_endpoint",
    ] {
        assert!(kinds.contains(kind), "no {kind} was ever made, only {kinds:?}");
    }
}
