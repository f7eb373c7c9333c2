//! Accounts are apart, and so are the modes of one account. Every declared route is walked, and every place of an id in it,
//! in paths and in forms: a foreign object is answered exactly as one that was never born.

use crate::server::{Answer, KEY, Server, parse};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tollgate_domain::accounts::BY_ID;
use tollgate_domain::api::ENDPOINTS;
use tollgate_domain::{Call, kinds};
use tollgate_resource::operation::Answers;
use tollgate_resource::{Endpoint, Id, Kind, Method, ParamField, ParamKind, Version};

const STRANGER: &str = "sk_test_stranger0123456789abcdefghi";
/// Deepest nesting of parameters that is walked.
const DEPTH_MAX: usize = 3;

/// What an account does so that it holds one of everything: method, path, form; `{kind}` is the newest id of that kind.
const SCRIPT: &[(&str, &str)] = &[
    ("/v1/customers", "name=Jenny"),
    ("/v1/payment_methods", "type=card&card[token]=tok_visa"),
    ("/v1/payment_methods/pm_card_visa/attach", "customer={customer}"),
    ("/v1/customers/{customer}/tax_ids", "type=eu_vat&value=DE123456789"),
    (
        "/v1/customers/{customer}/balance_transactions",
        "amount=-500&currency=usd",
    ),
    ("/v1/customers/{customer}/sources", "source=tok_visa"),
    ("/v1/ephemeral_keys", "customer={customer}"),
    ("/v1/payment_method_domains", "domain_name=shop.example.com"),
    ("/v1/apple_pay/domains", "domain_name=pay.example.com"),
    // Of events that never happen.
    (
        "/v1/webhook_endpoints",
        "url=https://93.184.216.34/hooks&enabled_events[]=topup.failed",
    ),
    // Nobody listens there, which is an attempt too.
    (
        "/v1/webhook_endpoints",
        "url=http://127.0.0.1:9/hooks&enabled_events[]=topup.failed",
    ),
    ("/v1/webhook_endpoints/{webhook_endpoint}/test", ""),
    ("/v1/webhook_endpoints/{webhook_endpoint}/recoveries", "since=1"),
    (
        "/v1/payment_intents",
        "amount=1000&currency=usd&payment_method_types[]=card&amount_details[line_items][0][product_name]=Tea&\
         amount_details[line_items][0][quantity]=1&amount_details[line_items][0][unit_cost]=1000&\
         expand[]=amount_details.line_items",
    ),
    (
        "/v1/tokens",
        "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123",
    ),
    ("/v1/sources", "type=card&token=tok_visa"),
    (
        "/v1/test_helpers/confirmation_tokens",
        "payment_method=pm_card_visa&return_url=https://example.com",
    ),
    (
        "/v1/setup_intents",
        "confirm=true&payment_method=pm_card_visa&customer={customer}&automatic_payment_methods[enabled]=true&\
         automatic_payment_methods[allow_redirects]=never&mandate_data[customer_acceptance][type]=offline",
    ),
    (
        "/v1/payment_intents",
        "amount=3000&currency=usd&payment_method=pm_card_createDispute&confirm=true&payment_method_types[]=card",
    ),
    (
        "/v1/payment_intents",
        "amount=3000&currency=usd&payment_method=pm_card_riskLevelElevated&confirm=true&payment_method_types[]=card",
    ),
    (
        "/v1/payment_intents",
        "amount=3000&currency=usd&payment_method=pm_card_createIssuerFraudRecord&confirm=true&payment_method_types[]=card",
    ),
    (
        "/v1/payment_intents",
        "amount=1000&currency=usd&customer={customer}&payment_method=pm_card_visa&confirm=true&payment_method_types[]=card",
    ),
    ("/v1/refunds", "payment_intent={payment_intent}&amount=100"),
];

/// What operations want beyond what they declare as required.
const NEEDED: &[(&str, &str)] = &[("/v1/payment_methods/{payment_method}/attach", "customer={customer}")];

/// Where the charge with a dispute stands among the ids; the newest charge has none.
const DISPUTED: &str = "charge with a dispute";

/// The newest id of each kind that an account has seen, by the name of the kind.
type Ids = BTreeMap<String, String>;

/// Takes every object in an answer down, at any depth.
fn collect(value: &Value, ids: &mut Ids) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(members) => {
            members.values().for_each(|member| collect(member, ids));
            if let (Some(object), Some(id)) = (members.get("object"), members.get("id"))
                && let (Some(object), Some(id)) = (object.as_str(), id.as_str())
            {
                ids.insert(object.to_owned(), id.to_owned());
            }
            // References that are not shown in place.
            for (name, member) in members {
                let kind = kinds::ALL
                    .iter()
                    .find(|kind| kind.object == name.trim_start_matches("latest_"));
                if let (Some(kind), Some(id)) = (kind, member.as_str()) {
                    ids.entry(kind.object.to_owned()).or_insert_with(|| id.to_owned());
                }
                if let ("latest_attempt", Some(id)) = (name.as_str(), member.as_str()) {
                    ids.insert("setup_attempt".to_owned(), id.to_owned());
                }
            }
            if let (Some("dispute"), Some(charge)) = (text_of(members, "object"), text_of(members, "charge")) {
                ids.insert(DISPUTED.to_owned(), charge.to_owned());
            }
        }
        _ => {}
    }
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

/// Lets every account review elevated risk, so that there are reviews.
fn review_risk(server: &Server) {
    let accounts = operate(server, "/admin/accounts", None);
    for account in accounts["accounts"].as_array().expect("accounts") {
        let path = format!("/admin/accounts/{}", account["account"].as_str().expect("an id"));
        operate(server, &path, Some("{\"set\": {\"radar.review_elevated_risk\": true}}"));
    }
}

/// Asks the operator API.
fn operate(server: &Server, path: &str, body: Option<&str>) -> Value {
    let url = format!("http://{}{path}", server.admin);
    let answer = match body {
        Some(body) => ureq::post(url).header("content-type", "application/json").send(body),
        None => ureq::get(url).call(),
    };
    let text = answer.expect("an answer").into_body().read_to_string().expect("text");
    serde_json::from_str(&text).expect("JSON")
}

/// Lets an account do the script, then look at all of its lists.
fn furnish(server: &Server, key: &str) -> Ids {
    let mut ids = Ids::new();
    assert_eq!(server.send(key, "GET", "/v1/balance", "", &[]).status, 200);
    review_risk(server);
    for (path, form) in SCRIPT {
        let fill = |text: &str| {
            ids.iter().fold(text.to_owned(), |text, (object, id)| {
                text.replace(&format!("{{{object}}}"), id)
            })
        };
        let answer = server.send(
            key,
            "POST",
            &fill(path),
            &fill(form),
            &[("stripe-version", "2026-10-28.endive")],
        );
        if answer.status == 200 {
            collect(&answer.json(), &mut ids);
        }
    }
    upload(server, key, &mut ids);
    let intent = ids.get("setup_intent").cloned().unwrap_or_default();
    for endpoint in ENDPOINTS {
        if endpoint.method == Method::Get && !endpoint.path.contains('{') {
            let path = format!("{}?limit=100&setup_intent={intent}", endpoint.path);
            for path in [endpoint.path, &path] {
                collect(&server.send(key, "GET", path, "", &[]).json(), &mut ids);
            }
        }
    }
    ids
}

/// Uploads a file of evidence.
pub(crate) fn upload_evidence(server: &Server, key: &str) -> Answer {
    let body = "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--b\r\n\
        content-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\ncontent-type: application/pdf\r\n\r\n\
        %PDF-1.4 a page\r\n--b--\r\n";
    let request = format!(
        "POST /v1/files HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\ncontent-type: \
         multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = server.raw(request.as_bytes()).ok().and_then(|bytes| parse(&bytes));
    answer.expect("an answer")
}

/// Uploads a file, and makes a link to it.
fn upload(server: &Server, key: &str, ids: &mut Ids) {
    collect(&upload_evidence(server, key).json(), ids);
    if let Some(file) = ids.get("file").cloned() {
        collect(
            &server
                .send(key, "POST", "/v1/file_links", &format!("file={file}"), &[])
                .json(),
            ids,
        );
    }
}

/// The kind whose id stands behind this segment of a path; `below` says whether another id stands before it.
fn kind_behind(segment: &str, below: Option<&str>) -> &'static Kind {
    let object = match (segment, below) {
        ("history", _) => "balance_transaction",
        ("balance_transactions", Some("customers")) => "customer_balance_transaction",
        ("early_fraud_warnings", _) => "radar.early_fraud_warning",
        ("domains", _) => "apple_pay_domain",
        ("event_destinations", _) => "webhook_endpoint",
        ("recoveries", _) => "webhook_recovery",
        ("sources" | "bank_accounts", Some("customers")) => "card",
        (plural, _) => plural.strip_suffix('s').unwrap_or(plural),
    };
    let kind = kinds::ALL.iter().find(|kind| kind.object == object);
    kind.unwrap_or_else(|| panic!("the test knows no kind for /{segment}/"))
}

/// The kinds of the ids in a declared path, in order.
fn kinds_of(path: &str) -> Vec<&'static Kind> {
    let words: Vec<&str> = path.split('/').collect();
    let variables = words.iter().enumerate().filter(|(_, word)| word.starts_with('{'));
    variables
        .map(|(at, _)| kind_behind(words[at - 1], at.checked_sub(3).map(|above| words[above])))
        .collect()
}

/// The path with these ids in their places.
fn filled(path: &str, ids: &[String]) -> String {
    let mut ids = ids.iter();
    let words = path.split('/').map(|word| {
        if word.starts_with('{') {
            ids.next().expect("an id for each place").as_str()
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join("/")
}

/// An id of this kind that no account ever gave out.
fn never_born(kind: &'static Kind) -> String {
    Id::new(kind, 1_795_176_000_000, 7_777_777, 7).text(kind)
}

/// Values that let a form get past what an operation demands.
fn required(fields: &[ParamField]) -> Vec<String> {
    let value = |field: &ParamField| match field.kind {
        ParamKind::Int { min, .. } => min.max(1_000).to_string(),
        ParamKind::Bool => "true".to_owned(),
        ParamKind::Names(names) => names[0].to_owned(),
        ParamKind::Id(kind) => never_born(kind),
        _ => "usd".to_owned(),
    };
    let current = |field: &&ParamField| field.required && field.until > Version::NEWEST;
    fields
        .iter()
        .filter(current)
        .map(|field| format!("{}={}", field.name, value(field)))
        .collect()
}

/// Every place of an id in the parameters of an operation, as bracket paths.
fn places(fields: &[ParamField], inside: &str, depth: usize, found: &mut Vec<(String, &'static Kind)>) {
    for field in fields.iter().filter(|field| field.until > Version::NEWEST) {
        let name = if inside.is_empty() {
            field.name.to_owned()
        } else {
            format!("{inside}[{}]", field.name)
        };
        match field.kind {
            ParamKind::Id(kind) => found.push((name, kind)),
            ParamKind::List {
                of: ParamKind::Id(kind),
                ..
            } => found.push((format!("{name}[0]"), kind)),
            ParamKind::Node(shape) if depth < DEPTH_MAX => places(shape.fields, &name, depth + 1, found),
            // A payment method or a source may also be a test card's name, so it is declared as text.
            _ if field.name == "payment_method" || field.name == "default_payment_method" => {
                found.push((name, &kinds::PAYMENT_METHOD));
            }
            _ => {}
        }
    }
}

/// What an answer says, without what is the request's own.
fn said(answer: &Answer, id: &str) -> Value {
    let body = answer.json();
    if answer.status != 200 {
        let error = &body["error"];
        let message = error["message"].as_str().unwrap_or_default().replace(id, "ID");
        return json!([answer.status, error["code"], error["param"], message]);
    }
    json!([200, body["data"], body["has_more"]])
}

struct Walk<'a> {
    server: &'a Server,
    key: &'a str,
    owner: &'a str,
    foreign: &'a Ids,
    own: &'a Ids,
    walked: usize,
    /// What should not be, all of it.
    wrong: Vec<String>,
}

impl Walk<'_> {
    fn send(&self, endpoint: &Endpoint<Call>, path: &str, form: &str) -> Answer {
        let method = endpoint.method.name();
        match endpoint.method {
            Method::Post => self.server.send(self.key, method, path, form, &[]),
            Method::Get | Method::Delete if form.is_empty() => self.server.send(self.key, method, path, "", &[]),
            Method::Get | Method::Delete => self.server.send(self.key, method, &format!("{path}?{form}"), "", &[]),
        }
    }

    /// The id of this kind that another account has; `None` for kinds that no account can have yet.
    fn foreign(&self, kind: &'static Kind, place: &str) -> Option<String> {
        let name = match place.starts_with("/v1/charges/{charge}/dispute") {
            true => DISPUTED,
            false => kind.object,
        };
        if let Some(id) = self.foreign.get(name) {
            return Some(id.clone());
        }
        let shows = |endpoint: &&&Endpoint<Call>| match endpoint.answers {
            Answers::One(shape) | Answers::Contents(shape) | Answers::Many(shape) | Answers::Found(shape) => {
                shape.object == Some(kind.object)
            }
        };
        let shown = ENDPOINTS.iter().find(shows);
        assert!(shown.is_none(), "the script makes no {} for {place}", kind.object);
        None
    }

    /// What an operation wants beyond what it declares as required.
    fn needed(&self, endpoint: &Endpoint<Call>) -> Option<String> {
        let (_, needed) = NEEDED.iter().find(|(path, _)| *path == endpoint.path)?;
        let own = |text: String, (object, id): (&String, &String)| text.replace(&format!("{{{object}}}"), id);
        (endpoint.method == Method::Post).then(|| self.own.iter().fold((*needed).to_owned(), own))
    }

    /// One place after the other holds a foreign id, the others own ones as far as there are.
    fn path(&mut self, endpoint: &Endpoint<Call>) {
        let kinds = kinds_of(endpoint.path);
        for at in 0..kinds.len() {
            let ids_with = |id: String| -> Vec<String> {
                let own = |kind: &Kind| self.own.get(kind.object).unwrap_or(&id).clone();
                let places = kinds.iter().enumerate();
                places
                    .map(|(place, kind)| if place == at { id.clone() } else { own(kind) })
                    .collect()
            };
            let mut form = required(endpoint.params.fields);
            form.extend(self.needed(endpoint));
            let form = form.join("&");
            let nobody = never_born(kinds[at]);
            let foreign = self.foreign(kinds[at], endpoint.path).expect("a path leads to objects");
            if endpoint.path == BY_ID && self.own.get(kinds[at].object) == Some(&foreign) {
                // Both modes are of one account, so neither is foreign to the other.
                continue;
            }
            let answers = [&foreign, &nobody].map(|id| {
                let answer = self.send(endpoint, &filled(endpoint.path, &ids_with(id.clone())), &form);
                (said(&answer, id), answer)
            });
            let [(of_foreign, answer), (of_nobody, _)] = answers;
            let place = format!("{} {} at {at}", endpoint.method.name(), endpoint.path);
            if endpoint.method == Method::Get && kinds.len() == 1 {
                let path = filled(endpoint.path, std::slice::from_ref(&foreign));
                let owners = self.server.send(self.owner, "GET", &path, "", &[]);
                assert_eq!(owners.status, 200, "the owner finds it: {path}: {owners:?}");
            }
            // An account is refused like one that a platform may not act for, whether it exists or not.
            let (status, code) = match endpoint.path {
                BY_ID => (403, "account_invalid"),
                path if path.starts_with("/v2/") => (404, "not_found"),
                _ => (404, "resource_missing"),
            };
            let missing = of_foreign[0] == status && of_foreign[1] == code;
            if of_foreign != of_nobody || !missing {
                self.wrong
                    .push(format!("{place}: {of_foreign} and {of_nobody}: {}", answer.text));
            }
            self.walked += 1;
        }
    }

    /// One parameter after the other holds a foreign id.
    fn form(&mut self, endpoint: &Endpoint<Call>) {
        let mut found = Vec::new();
        places(endpoint.params.fields, "", 0, &mut found);
        let kinds = kinds_of(endpoint.path);
        let own: Vec<String> = kinds
            .iter()
            .map(|kind| self.own.get(kind.object).cloned().unwrap_or_else(|| never_born(kind)))
            .collect();
        let path = filled(endpoint.path, &own);
        for (name, kind) in found {
            let place = format!("{} {} {name}", endpoint.method.name(), endpoint.path);
            let nobody = never_born(kind);
            let Some(foreign) = self.foreign(kind, &place) else {
                continue;
            };
            let answers = [&foreign, &nobody].map(|id| {
                let mut form = required(endpoint.params.fields);
                form.retain(|pair| !pair.starts_with(&format!("{name}=")));
                form.push(format!("{name}={id}"));
                let answer = self.send(endpoint, &path, &form.join("&"));
                (said(&answer, id), answer)
            });
            let [(of_foreign, answer), (of_nobody, _)] = answers;
            let nothing = answer.status == 200 && answer.json()["data"] == json!([]);
            if of_foreign != of_nobody || !(nothing || (400..500).contains(&answer.status)) {
                self.wrong
                    .push(format!("{place}: {of_foreign} and {of_nobody}: {}", answer.text));
            }
            self.walked += 1;
        }
    }
}

fn walk(server: &Server, (key, own): (&str, &Ids), (owner, foreign): (&str, &Ids)) {
    let mut walk = Walk {
        server,
        key,
        owner,
        foreign,
        own,
        walked: 0,
        wrong: Vec::new(),
    };
    for endpoint in ENDPOINTS {
        walk.path(endpoint);
        walk.form(endpoint);
    }
    assert!(walk.wrong.is_empty(), "{}", walk.wrong.join("\n"));
    assert!(walk.walked >= 60, "only {} places of ids", walk.walked);
}

/// Waits until the tax id has been looked up: a change that nobody asked for, two seconds after it was made.
fn until_looked_up(server: &Server) {
    for _ in 0..300 {
        let told = server.get("/v1/events?type=customer.tax_id.updated").json();
        if told["data"] != json!([]) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the tax id was never looked up");
}

#[test]
fn no_account_sees_or_changes_the_objects_of_another() {
    let server = Server::start();
    let [one, other] = [KEY, STRANGER].map(|key| furnish(&server, key));
    until_looked_up(&server);
    let before = server.get("/v1/events?limit=1").json();
    walk(&server, (STRANGER, &other), (KEY, &one));
    assert_eq!(server.get("/v1/events?limit=1").json(), before, "something was changed");
    server.verify();
}

#[test]
fn test_and_live_mode_of_an_account_are_apart() {
    let server = Server::start();
    let made = operate(&server, "/admin/accounts", Some("{}"));
    let key = |start: &str| {
        let keys = made["keys"].as_array().expect("keys").iter();
        let mut keys = keys.filter_map(|key| key["secret"].as_str());
        keys.find(|key| key.starts_with(start)).expect("a key").to_owned()
    };
    let (test, live) = (key("sk_test_"), key("sk_live_"));
    let [in_test, in_live] = [&test, &live].map(|key| furnish(&server, key));
    walk(&server, (&live, &in_live), (&test, &in_test));
    let customer = format!("/v1/customers/{}", in_live["customer"]);
    assert_eq!(server.send(&test, "GET", &customer, "", &[]).status, 404);
    assert_eq!(server.send(&live, "GET", &customer, "", &[]).status, 200);
    server.verify();
}
