//! Who may ask: keys, their kinds, and other accounts.

use crate::edge::{Edge, KEY, Setup};

#[test]
fn each_kind_of_authorization_has_its_answer() {
    let edge = Edge::start();
    assert_eq!(edge.keyed("GET", "/v1/balance", &[], "").status, 200);
    let table: &[(&str, u16, &str)] = &[
        (
            "",
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header",
        ),
        ("Bearer", 401, "You did not provide an API key."),
        ("Basic Og==", 401, "You did not provide an API key."),
        (
            "Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            401,
            "Invalid API Key provided: sk_live_********************p7dc",
        ),
        (
            "Bearer sk_test_not-a-sandbox-key-for-nobody",
            401,
            "Invalid API Key provided: sk_test_",
        ),
        (
            "Bearer rk_test_4eC39HqLyjWDarjtT1zdp7dc",
            401,
            "Invalid API Key provided: rk_test_",
        ),
        ("Digest username=\"x\"", 401, "Invalid API Key provided"),
        ("Basic ????", 401, "Invalid API Key provided"),
        (
            "Bearer pk_test_edge0123456789abcdefghijklmn",
            401,
            "This API call cannot be made with a publishable API key.",
        ),
        ("bearer sk_test_edge0123456789abcdefghijklmn", 200, ""),
        ("Basic c2tfdGVzdF9lZGdlMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1uOg==", 200, ""),
    ];
    for (authorization, status, message) in table {
        let headers = [("authorization", *authorization)];
        let headers = if authorization.is_empty() { &[][..] } else { &headers };
        let answer = edge.send("GET", "/v1/balance", headers, "");
        assert_eq!(answer.status, *status, "{authorization}: {answer:?}");
        if *status == 401 {
            assert!(answer.message().starts_with(message), "{authorization}: {answer:?}");
            assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
            assert!(
                answer.header("request-id").is_some_and(|id| id.starts_with("req_")),
                "{answer:?}"
            );
            assert!(
                !answer.text.contains("4eC39HqLyjWDarjt"),
                "the key is shown: {answer:?}"
            );
        }
    }
}

#[test]
fn without_dev_no_key_opens_a_sandbox() {
    let edge = Edge::with(Setup {
        dev: false,
        ..Setup::default()
    });
    assert_eq!(edge.keyed("GET", "/v1/balance", &[], "").status, 401);
}

#[test]
fn a_sandbox_is_the_same_for_the_same_key_and_apart_from_others() {
    let edge = Edge::start();
    let made = edge.keyed("POST", "/v1/customers", &[], "name=Jenny");
    let path = format!("/v1/customers/{}", made.json()["id"].as_str().expect("an id"));
    assert_eq!(edge.keyed("GET", &path, &[], "").status, 200);
    let stranger = edge.send(
        "GET",
        &path,
        &[("authorization", "Bearer sk_test_other0123456789abcdefghi")],
        "",
    );
    assert_eq!(
        (stranger.status, stranger.json()["error"]["code"].as_str()),
        (404, Some("resource_missing"))
    );
}

#[test]
fn acting_for_another_account_is_refused_and_for_oneself_is_not() {
    let edge = Edge::start();
    let other = edge.keyed("GET", "/v1/balance", &[("stripe-account", "acct_1234")], "");
    assert_eq!(
        (other.status, other.json()["error"]["code"].as_str()),
        (403, Some("account_invalid"))
    );
    assert!(
        other.message().contains("does not have access to account 'acct_1234'"),
        "{other:?}"
    );
    assert!(!other.text.contains(KEY));
    let accounts = edge.operate("GET", "/admin/accounts", &[], "").json();
    let own = accounts["accounts"][0]["account"]
        .as_str()
        .expect("an account")
        .to_owned();
    assert_eq!(
        edge.keyed("GET", "/v1/balance", &[("stripe-account", &own)], "").status,
        200
    );
}

#[test]
fn an_account_is_shown_by_its_id_to_its_own_keys_only() {
    let edge = Edge::start();
    let own = edge.keyed("GET", "/v1/account", &[], "").json();
    let path = |id: &str| format!("/v1/accounts/{id}");
    let id = own["id"].as_str().expect("an id");
    let by_id = edge.keyed("GET", &path(id), &[], "");
    assert_eq!((by_id.status, by_id.json()), (200, own.clone()));
    let stranger = [("authorization", "Bearer sk_test_other0123456789abcdefghi")];
    let theirs = edge.send("GET", "/v1/account", &stranger, "").json();
    let theirs = theirs["id"].as_str().expect("an id");
    for other in [theirs, "acct_1234", "cus_1"] {
        let answer = edge.keyed("GET", &path(other), &[], "");
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, error["type"].as_str(), error["code"].as_str()),
            (403, Some("invalid_request_error"), Some("account_invalid")),
            "{other}"
        );
        let said = format!("does not have access to account '{other}' (or that account does not exist).");
        assert!(answer.message().contains(&said), "{answer:?}");
        assert!(!answer.text.contains(KEY), "the key is printed");
    }
}
