//! The examples of the changes, executed; and the chain with changes made up for it.

use super::{AnswerChange, CHANGES, Chain, Change, Request, RequestChange};
use crate::forms::{Decoded, Table};
use serde_json::{Map, Value, json};
use tollgate_resource::params::{ParamField, ParamKind, ParamsShape};
use tollgate_resource::{Method, Version};

const TEXT: ParamKind = ParamKind::Str { max_len: 100 };

/// Takes what the examples send.
static SHAPE: ParamsShape = ParamsShape {
    name: "Example",
    doc: "",
    fields: &[
        field("amount", TEXT),
        field("currency", TEXT),
        field("capture_method", TEXT),
        field(
            "payment_method_types",
            ParamKind::List {
                of: &TEXT,
                max_items: 5,
            },
        ),
        field("automatic_payment_methods", TEXT),
        field("payment_method", TEXT),
        field("payment_method_data", TEXT),
        field("setup_future_usage", TEXT),
        field("balance", TEXT),
        field("customer", TEXT),
        field("evidence", TEXT),
        field(
            "tax_id_data",
            ParamKind::List {
                of: &TEXT,
                max_items: 5,
            },
        ),
    ],
};

const fn field(name: &'static str, kind: ParamKind) -> ParamField {
    ParamField {
        name,
        doc: "",
        kind,
        required: false,
        clearable: false,
        since: Version::ALWAYS,
        until: Version::NEVER,
    }
}

/// The version just before one.
fn before(version: Version) -> Version {
    Version(version.0 - 1)
}

fn rewritten(chain: &Chain, version: Version, method: Method, path: &str, form: &str) -> String {
    let mut decoded = Decoded::default();
    decoded.pairs.read(form.as_bytes()).expect("an example is well formed");
    chain.rewrite_request(version, method, path, &Table::new(&SHAPE), &mut decoded.pairs);
    let pairs: Vec<String> = decoded
        .pairs
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join("&")
}

#[test]
fn the_example_of_every_change_holds() {
    for change in CHANGES {
        let chain = Chain::new(Box::leak(Box::new([*change])));
        for RequestChange {
            method,
            path,
            example: (sent, read),
            ..
        } in change.requests
        {
            assert_eq!(
                rewritten(&chain, before(change.since), *method, path, sent),
                *read,
                "{}",
                change.doc
            );
            assert_eq!(
                rewritten(&chain, change.since, *method, path, sent),
                *sent,
                "{}",
                change.doc
            );
        }
        for AnswerChange {
            example: (newer, older),
            ..
        } in change.answers
        {
            let read = |text: &str| serde_json::from_str::<Value>(text).expect("an example is JSON");
            let mut answer = read(newer);
            chain.rewrite_answer(before(change.since), &mut answer);
            assert_eq!(answer, read(older), "{}", change.doc);
            let mut unchanged = read(newer);
            chain.rewrite_answer(change.since, &mut unchanged);
            assert_eq!(unchanged, read(newer), "{}", change.doc);
        }
        let says_something = !change.requests.is_empty() || !change.answers.is_empty() || !change.windows.is_empty();
        assert!(says_something && !change.doc.is_empty());
    }
}

#[test]
fn what_the_client_states_is_not_overridden() {
    let chain = Chain::new(CHANGES);
    let old = Version(20200827);
    let create = |form| rewritten(&chain, old, Method::Post, "/v1/payment_intents", form);
    assert_eq!(
        create("amount=1"),
        "amount=1&payment_method_types[0]=card&capture_method=automatic"
    );
    let stated = "payment_method_types[]=card&capture_method=manual";
    assert_eq!(create(stated), stated);
    let stated = "automatic_payment_methods[enabled]=true&capture_method=automatic_async";
    assert_eq!(create(stated), stated);
    let elsewhere = rewritten(&chain, old, Method::Post, "/v1/refunds", "amount=1");
    assert_eq!(elsewhere, "amount=1");
    let newest = rewritten(&chain, Version::NEWEST, Method::Post, "/v1/payment_intents", "amount=1");
    assert_eq!(newest, "amount=1");
}

static RENAMED: Change = Change {
    since: Version(20210101),
    doc: "`sum` of a thing is called `amount`.",
    requests: &[RequestChange {
        method: Method::Post,
        path: "/v1/things",
        rewrite: |request: &mut Request<'_>| {
            if let Some(sum) = request.value("sum").map(str::to_owned) {
                request.remove("sum");
                request.add("amount", &sum);
            }
        },
        example: ("sum=1", "amount=1"),
    }],
    answers: &[AnswerChange {
        object: "thing",
        rewrite: |thing: &mut Map<String, Value>| {
            if let Some(amount) = thing.remove("amount") {
                thing.insert("sum".into(), amount);
            }
        },
        example: (r#"{"object":"thing","amount":1}"#, r#"{"object":"thing","sum":1}"#),
    }],
    windows: &[],
};

static NESTED: Change = Change {
    since: Version(20220101),
    doc: "`total[amount]` of a thing is flat.",
    requests: &[RequestChange {
        method: Method::Post,
        path: "/v1/things",
        rewrite: |request: &mut Request<'_>| {
            if request.gives("amount") {
                request.add("capture_method", "from 2021");
            }
        },
        example: ("amount=1", "amount=1&capture_method=from 2021"),
    }],
    answers: &[AnswerChange {
        object: "thing",
        rewrite: |thing: &mut Map<String, Value>| {
            if let Some(total) = thing.remove("total") {
                thing.insert("amount".into(), total["amount"].clone());
            }
        },
        example: (
            r#"{"object":"thing","total":{"amount":1}}"#,
            r#"{"object":"thing","amount":1}"#,
        ),
    }],
    windows: &[],
};

#[test]
fn changes_chain_in_both_directions() {
    static MADE_UP: &[&Change] = &[&RENAMED, &NESTED];
    let chain = Chain::new(MADE_UP);
    let request = |version| rewritten(&chain, version, Method::Post, "/v1/things", "sum=1");
    assert_eq!(request(Version(20200827)), "amount=1&capture_method=from 2021");
    assert_eq!(request(Version(20210601)), "sum=1");

    let newest = json!({"object": "list", "data": [
        {"object": "thing", "total": {"amount": 1}, "twin": {"object": "thing", "total": {"amount": 2}}},
        {"object": "part", "total": {"amount": 3}},
    ]});
    let answer = |version| {
        let mut answer = newest.clone();
        chain.rewrite_answer(version, &mut answer);
        answer
    };
    assert_eq!(
        answer(Version(20200827))["data"],
        json!([
            {"object": "thing", "sum": 1, "twin": {"object": "thing", "sum": 2}},
            {"object": "part", "total": {"amount": 3}},
        ])
    );
    assert_eq!(
        answer(Version(20210601))["data"][0],
        json!({"object": "thing", "amount": 1, "twin": {"object": "thing", "amount": 2}})
    );
    assert_eq!(answer(Version(20220101)), newest);
    let thing = &answer(Version(20200827))["data"][0];
    assert_eq!(
        thing
            .as_object()
            .map(|members| members.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["object".into(), "sum".into(), "twin".into()]),
        "in print order"
    );
    assert!(chain.rewrites_answers(Version(20211231)) && !chain.rewrites_answers(Version(20220101)));
}
