//! Ephemeral keys: what the app of one customer may do, whatever way it says whose things it means.

use crate::edge::{Answer, Edge};
use crate::keys::{account, with};
use serde_json::json;

fn customer(edge: &Edge, name: &str) -> String {
    let made = edge.keyed("POST", "/v1/customers", &[], &format!("name={name}"));
    made.json()["id"].as_str().expect("an id").to_owned()
}

/// A card saved to a customer.
fn card(edge: &Edge, customer: &str) -> String {
    let form = format!("customer={customer}");
    let attached = edge.keyed("POST", "/v1/payment_methods/pm_card_visa/attach", &[], &form);
    let id = attached.json()["id"].as_str().map(str::to_owned);
    id.unwrap_or_else(|| panic!("{attached:?}"))
}

fn key_of(edge: &Edge, customer: &str) -> Answer {
    let version = [("stripe-version", "2024-06-20")];
    edge.keyed("POST", "/v1/ephemeral_keys", &version, &format!("customer={customer}"))
}

#[test]
fn an_ephemeral_key_opens_its_customers_things_until_it_is_deleted() {
    let edge = Edge::start();
    let (own, other) = (customer(&edge, "Jenny"), customer(&edge, "Rosen"));
    let without = edge.keyed("POST", "/v1/ephemeral_keys", &[], &format!("customer={own}"));
    assert!(
        without.status == 400 && without.message().contains("Stripe-Version"),
        "{without:?}"
    );
    let made = key_of(&edge, &own);
    assert_eq!(made.status, 200, "{made:?}");
    let key = made.json();
    assert_eq!(
        key["expires"].as_u64(),
        key["created"].as_u64().map(|created| created + 3_600)
    );
    assert_eq!(key["associated_objects"], json!([{ "id": own, "type": "customer" }]));
    let secret = key["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("ek_test_"), "{secret}");

    let ask = |method: &str, path: &str, form: &str| with(&edge, secret, method, path, form);
    let (mine, theirs) = (card(&edge, &own), card(&edge, &other));
    for (method, path, form, status) in [
        ("GET", format!("/v1/customers/{own}"), String::new(), 200),
        (
            "POST",
            format!("/v1/customers/{own}"),
            "name=Jen&balance=-5000".to_owned(),
            403,
        ),
        (
            "POST",
            format!("/v1/customers/{own}"),
            "shipping[name]=Jen&shipping[address][line1]=here".to_owned(),
            200,
        ),
        ("GET", format!("/v1/customers/{other}"), String::new(), 404),
        ("DELETE", format!("/v1/customers/{own}"), String::new(), 403),
        (
            "GET",
            format!("/v1/customers/{own}/payment_methods"),
            String::new(),
            200,
        ),
        ("GET", format!("/v1/payment_methods?customer={own}"), String::new(), 200),
        (
            "GET",
            format!("/v1/payment_methods?customer={other}"),
            String::new(),
            400,
        ),
        ("GET", "/v1/payment_methods".to_owned(), String::new(), 400),
        ("GET", format!("/v1/payment_methods/{mine}"), String::new(), 200),
        ("GET", format!("/v1/payment_methods/{theirs}"), String::new(), 404),
        ("GET", "/v1/payment_methods/pm_card_visa".to_owned(), String::new(), 403),
        (
            "POST",
            format!("/v1/payment_methods/{theirs}/detach"),
            String::new(),
            404,
        ),
        ("POST", format!("/v1/payment_methods/{mine}/detach"), String::new(), 200),
        (
            "POST",
            "/v1/payment_methods/pm_card_visa/attach".to_owned(),
            format!("customer={own}"),
            200,
        ),
        (
            "POST",
            "/v1/payment_methods/pm_card_visa/attach".to_owned(),
            format!("customer={other}"),
            400,
        ),
        ("GET", "/v1/payment_intents".to_owned(), String::new(), 403),
        ("GET", "/v1/balance".to_owned(), String::new(), 403),
    ] {
        let answer = ask(method, &path, &form);
        assert_eq!(answer.status, status, "{method} {path} {form}: {answer:?}");
        assert!(!answer.text.contains(secret), "the key is shown");
    }
    let path = format!("/v1/ephemeral_keys/{}", key["id"].as_str().expect("an id"));
    let deleted = edge.keyed("DELETE", &path, &[], "");
    assert_eq!(
        (deleted.status, deleted.json().get("secret")),
        (200, None),
        "{deleted:?}"
    );
    assert_eq!(edge.keyed("DELETE", &path, &[], "").status, 404);
    let over = ask("GET", &format!("/v1/customers/{own}"), "");
    assert_eq!(
        (over.status, over.json()["error"]["code"].as_str()),
        (401, Some("api_key_expired"))
    );
    for wrong in ["ek_test_", "ek_test_0123456789abcdefghijklmnopqrstuvwxyz", "ek_live_x"] {
        assert_eq!(with(&edge, wrong, "GET", "/v1/balance", "").status, 401, "{wrong}");
    }
}

/// An app's requests are answered at the version that they name, else at the one its key was made with.
#[test]
fn a_request_with_an_ephemeral_key_is_answered_at_the_version_of_the_app() {
    let edge = Edge::start();
    let own = customer(&edge, "Jenny");
    let key = key_of(&edge, &own).json();
    let secret = key["secret"].as_str().expect("a secret");
    let path = format!("/v1/customers/{own}");
    let answer = with(&edge, secret, "GET", &path, "");
    assert_eq!(
        (answer.status, answer.header("stripe-version")),
        (200, Some("2024-06-20")),
        "{answer:?}"
    );
    assert_eq!(answer.json().get("sources"), None);
    let bearer = format!("Bearer {secret}");
    let headers = [("authorization", bearer.as_str()), ("stripe-version", "2019-12-03")];
    let older = edge.send("GET", &path, &headers, "");
    assert_eq!(
        (older.status, older.header("stripe-version")),
        (200, Some("2019-12-03")),
        "{older:?}"
    );
    assert!(older.json()["sources"].is_object(), "{older:?}");
}

/// The operation takes the last of what is said twice, a query before a body, and so does what the key is held against.
#[test]
fn no_second_customer_is_smuggled_past_an_ephemeral_key() {
    let edge = Edge::start();
    let (own, other) = (customer(&edge, "Jenny"), customer(&edge, "Rosen"));
    let theirs = card(&edge, &other);
    let key = key_of(&edge, &own).json();
    let secret = key["secret"].as_str().expect("a secret");
    let list = "/v1/payment_methods";
    let attach = "/v1/payment_methods/pm_card_visa/attach";
    let foreign = format!("No such customer: '{other}'");
    let refused = [
        (
            "GET",
            format!("{list}?customer={own}&customer={other}"),
            String::new(),
            400,
            foreign.as_str(),
        ),
        (
            "GET",
            format!("{list}?customer={own}&c%75stomer={other}"),
            String::new(),
            400,
            &foreign,
        ),
        (
            "GET",
            format!("{list}?customer[]={own}&customer={other}"),
            String::new(),
            400,
            &foreign,
        ),
        (
            "GET",
            format!("{list}?customer={own}&customer[]={other}"),
            String::new(),
            400,
            "Invalid string",
        ),
        (
            "GET",
            format!("{list}?customer={own}&customer[0]={other}"),
            String::new(),
            400,
            "Invalid string",
        ),
        (
            "GET",
            format!("{list}?customer={own}&customer="),
            String::new(),
            400,
            "empty string",
        ),
        (
            "GET",
            format!("{list}?customer={own}&Customer={other}"),
            String::new(),
            400,
            "unknown parameter",
        ),
        // The body of a read counts for nothing, for the operation and for the key.
        (
            "GET",
            list.to_owned(),
            format!("customer={own}"),
            400,
            "Missing required param: customer.",
        ),
        (
            "GET",
            format!("{list}?customer={other}"),
            format!("customer={own}"),
            400,
            &foreign,
        ),
        (
            "POST",
            attach.to_owned(),
            format!("customer={own}&customer={other}"),
            400,
            &foreign,
        ),
        (
            "POST",
            attach.to_owned(),
            format!("&&customer={own}&customer={other}&"),
            400,
            &foreign,
        ),
        (
            "POST",
            format!("{attach}?customer={own}"),
            format!("customer={other}"),
            400,
            &foreign,
        ),
        (
            "POST",
            format!("{attach}?customer={other}"),
            String::new(),
            400,
            &foreign,
        ),
        (
            "POST",
            attach.to_owned(),
            format!("customer={own}&customer[]={other}"),
            400,
            "Invalid string",
        ),
        (
            "POST",
            attach.to_owned(),
            format!("customer={own}&customer=%zz"),
            400,
            "hexadecimal",
        ),
        // A customer in the path, and another in the form.
        (
            "POST",
            format!("/v1/customers/{own}"),
            format!("customer={other}&shipping[name]=J"),
            400,
            "unknown parameter",
        ),
        (
            "GET",
            format!("/v1/customers/{own}/payment_methods?customer={other}"),
            String::new(),
            400,
            "unknown parameter",
        ),
        (
            "POST",
            format!("/v1/customers/{own}/sources"),
            format!("source=tok_visa&customer={other}"),
            400,
            "unknown",
        ),
        (
            "POST",
            format!("/v1/customers/{own}?name=Jen"),
            "source=tok_visa".to_owned(),
            403,
            "permission",
        ),
        (
            "POST",
            format!("/v1/customers/{own}"),
            "metadata[a]=b&source=tok_visa".to_owned(),
            403,
            "permission",
        ),
        // A payment method of another one, with the own customer beside it.
        (
            "POST",
            format!("{list}/{theirs}/attach"),
            format!("customer={own}"),
            400,
            "already been attached",
        ),
        (
            "POST",
            format!("{list}/{theirs}/detach"),
            format!("customer={own}"),
            404,
            "No such",
        ),
        (
            "POST",
            format!("{list}/{theirs}"),
            format!("customer={own}"),
            404,
            "No such",
        ),
        (
            "GET",
            format!("/v1/customers/{own}/payment_methods/{theirs}"),
            String::new(),
            404,
            "Invalid request",
        ),
    ];
    for (method, path, form, status, says) in refused {
        let answer = with(&edge, secret, method, &path, &form);
        assert_eq!(answer.status, status, "{method} {path} {form}: {answer:?}");
        assert!(answer.message().contains(says), "{method} {path} {form}: {answer:?}");
    }
    let of = |customer: &str| {
        edge.keyed("GET", &format!("{list}?customer={customer}"), &[], "")
            .json()
    };
    assert_eq!(
        of(&other)["data"].as_array().map(Vec::len),
        Some(1),
        "nothing was attached"
    );
    assert_eq!(
        of(&own)["data"].as_array().map(Vec::len),
        Some(0),
        "nothing was attached"
    );

    let taken = [
        ("GET", format!("{list}?customer={other}&customer={own}"), String::new()),
        (
            "GET",
            format!("{list}?customer[]={other}&customer={own}"),
            String::new(),
        ),
        ("POST", format!("{attach}?customer={other}"), format!("customer={own}")),
        (
            "POST",
            format!("/v1/customers/{own}"),
            "shipping[name]=J&shipping[address][line1]=x&expand[]=sources".to_owned(),
        ),
    ];
    for (method, path, form) in taken {
        let answer = with(&edge, secret, method, &path, &form);
        assert_eq!(
            answer.status, 200,
            "the operation takes the own one: {method} {path} {form}: {answer:?}"
        );
        assert!(!answer.text.contains(&other), "{answer:?}");
    }
}

#[test]
fn an_ephemeral_key_speaks_for_no_other_account() {
    let edge = Edge::start();
    let (account, own) = (account(&edge), customer(&edge, "Jenny"));
    let key = key_of(&edge, &own).json();
    let bearer = format!("Bearer {}", key["secret"].as_str().expect("a secret"));
    for header in ["stripe-account", "stripe-context"] {
        let ask = |account: &str| {
            let headers = [("authorization", bearer.as_str()), (header, account)];
            edge.send("GET", &format!("/v1/customers/{own}"), &headers, "")
        };
        assert_eq!(ask(&account).status, 200, "{header}");
        let foreign = ask("acct_1234");
        assert_eq!(
            (foreign.status, foreign.json()["error"]["code"].as_str()),
            (403, Some("account_invalid")),
            "{header}"
        );
        assert!(!foreign.text.contains(&bearer[7..]), "the key is shown");
    }
}
