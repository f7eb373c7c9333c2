//! The operator API: health, metrics, accounts and keys.

use crate::edge::{Edge, Setup};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const FROM_A_PAGE: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("origin", "https://elsewhere.example"),
];

fn without_dev() -> Edge {
    Edge::with(Setup {
        dev: false,
        ..Setup::default()
    })
}

fn balance(edge: &Edge, key: &str) -> u16 {
    edge.send("GET", "/v1/balance", &[("authorization", &format!("Bearer {key}"))], "")
        .status
}

#[test]
fn health_and_metrics_are_served() {
    let edge = without_dev();
    assert_eq!(edge.operate("GET", "/healthz", &[], "").status, 200);
    assert_eq!(edge.operate("GET", "/readyz", &[], "").status, 200);
    let metrics = edge.operate("GET", "/metrics", &[], "");
    assert_eq!((metrics.status, metrics.text.as_str()), (200, "tollgate_test 1\n"));
    assert_eq!(edge.send("GET", "/metrics", &[], "").status, 404, "not on the API");
}

#[test]
fn an_account_is_created_with_keys_that_work_until_they_are_revoked() {
    let edge = without_dev();
    let created = edge
        .operate(
            "POST",
            "/admin/accounts",
            JSON,
            "{\"country\": \"DE\", \"currency\": \"eur\"}",
        )
        .json();
    let account = created["account"].as_str().expect("an account").to_owned();
    let keys: Vec<String> = created["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| key["secret"].as_str().expect("a key").to_owned())
        .collect();
    assert_eq!(keys.len(), 4);
    let secret = keys
        .iter()
        .find(|key| key.starts_with("sk_test_"))
        .expect("a secret test key");
    let live = keys
        .iter()
        .find(|key| key.starts_with("sk_live_"))
        .expect("a secret live key");
    assert_eq!((balance(&edge, secret), balance(&edge, live)), (200, 200));

    let listed = edge.operate("GET", "/admin/accounts", &[], "").json();
    assert_eq!(
        listed["accounts"].as_array().map(Vec::len),
        Some(2),
        "one in each mode: {listed}"
    );
    assert_eq!(listed["accounts"][0]["country"], "DE");

    let path = format!("/admin/accounts/{account}/keys");
    let second = edge.operate("POST", &path, JSON, "{}").json()["secret"]
        .as_str()
        .expect("a key")
        .to_owned();
    assert_eq!(balance(&edge, &second), 200);
    let known = edge.operate("GET", &path, &[], "");
    assert!(
        keys.iter()
            .chain([&second])
            .all(|key| !known.text.contains(key.as_str())),
        "keys are shown once: {known:?}"
    );

    let by_text = format!("{{\"key\": \"{secret}\"}}");
    assert_eq!(edge.operate("POST", "/admin/keys/revoke", JSON, &by_text).status, 200);
    assert_eq!(balance(&edge, secret), 401);
    let by_name = format!("{{\"key\": \"{account}/test/{}\"}}", &second[second.len() - 4..]);
    assert_eq!(edge.operate("POST", "/admin/keys/revoke", JSON, &by_name).status, 200);
    assert_eq!((balance(&edge, &second), balance(&edge, live)), (401, 200));
    assert_eq!(edge.operate("POST", "/admin/keys/revoke", JSON, &by_text).status, 404);
}

#[test]
fn wrong_wishes_are_refused_in_words() {
    let edge = without_dev();
    type Headers = &'static [(&'static str, &'static str)];
    let table: &[(&str, &str, Headers, &str, u16)] = &[
        ("POST", "/admin/accounts", &[], "{}", 400),
        ("POST", "/admin/accounts", JSON, "[]", 400),
        ("POST", "/admin/accounts", JSON, "{", 400),
        ("POST", "/admin/accounts", JSON, "{\"county\": \"DE\"}", 400),
        ("POST", "/admin/accounts", JSON, "{\"country\": \"Germany\"}", 400),
        ("POST", "/admin/accounts", FROM_A_PAGE, "{}", 403),
        ("GET", "/admin/accounts", FROM_A_PAGE, "", 403),
        ("POST", "/admin/accounts/acct_nobody/keys", JSON, "{}", 404),
        ("GET", "/admin/accounts/acct_nobody/keys", &[], "", 404),
        ("POST", "/admin/keys/revoke", JSON, "{}", 400),
        ("POST", "/admin/keys/revoke", JSON, "{\"key\": \"sk_test_nobody\"}", 404),
        ("DELETE", "/admin/accounts", &[], "", 404),
        ("GET", "/nope", &[], "", 404),
    ];
    for (method, path, headers, body, status) in table {
        let answer = edge.operate(method, path, headers, body);
        assert_eq!(answer.status, *status, "{method} {path} {body}: {answer:?}");
        assert!(answer.message().len() > 10, "{answer:?}");
    }
}
