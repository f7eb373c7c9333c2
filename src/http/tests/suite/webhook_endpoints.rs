//! Addresses of webhooks are looked at before they are kept; bodies of the second version of the API are JSON.

use crate::edge::{Answer, Edge};
use serde_json::{Value, json};

const ENDPOINTS: &str = "/v1/webhook_endpoints";
const DESTINATIONS: &str = "/v2/core/event_destinations";

fn create(edge: &Edge, host: &str, key: &str) -> Answer {
    let form = format!("url=https://{host}/hooks&enabled_events[]=charge.failed");
    edge.keyed("POST", ENDPOINTS, &[("idempotency-key", key)], &form)
}

fn sent(edge: &Edge, path: &str, body: &Value) -> Answer {
    edge.keyed("POST", path, &[("content-type", "application/json")], &body.to_string())
}

#[test]
fn an_address_that_leads_inside_is_refused_and_an_answered_key_stays_answered() {
    let edge = Edge::start();
    let refused = create(&edge, "inside.test", "a");
    assert_eq!(
        (refused.status, refused.json()["error"]["param"].as_str()),
        (400, Some("url"))
    );
    assert_eq!(
        refused.message(),
        "Invalid URL: It leads to an address that webhooks are not sent to."
    );
    let made = create(&edge, "shop.test", "b");
    assert_eq!(made.status, 200, "{made:?}");
    let path = format!("{ENDPOINTS}/{}", made.json()["id"].as_str().expect("an id"));
    let moved = edge.keyed("POST", &path, &[], "url=https://inside.test/");
    assert_eq!(
        (moved.status, moved.json()["error"]["code"].as_str()),
        (400, Some("url_invalid"))
    );
    assert_eq!(edge.keyed("POST", &path, &[], "description=mine").status, 200);
    // What the name leads to at the second look would be refused.
    let first = create(&edge, "once.test", "c");
    assert_eq!(first.status, 200, "{first:?}");
    let again = create(&edge, "once.test", "c");
    assert_eq!((again.status, again.json()), (200, first.json()));
    assert_eq!(create(&edge, "once.test", "d").status, 400);
}

#[test]
fn a_body_of_the_second_version_is_json_and_one_of_the_first_a_form() {
    let edge = Edge::start();
    let body = json!({
        "name": "orders", "type": "webhook_endpoint", "event_payload": "snapshot", "enabled_events": ["charge.failed"],
        "webhook_endpoint": { "url": "https://shop.test/" }, "metadata": { "a b": "c&d=e" },
        "include": ["webhook_endpoint.url"],
    });
    let made = sent(&edge, DESTINATIONS, &body);
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    assert_eq!(
        (&made["object"], &made["webhook_endpoint"]["url"], &made["metadata"]),
        (
            &json!("v2.core.event_destination"),
            &json!("https://shop.test/"),
            &json!({ "a b": "c&d=e" })
        )
    );
    let path = format!("{DESTINATIONS}/{}", made["id"].as_str().expect("an id"));
    let inside = sent(
        &edge,
        &path,
        &json!({ "webhook_endpoint": { "url": "https://inside.test/" } }),
    );
    assert_eq!(
        (inside.status, inside.json()["error"]["param"].as_str()),
        (400, Some("webhook_endpoint[url]"))
    );
    let changed = sent(&edge, &path, &json!({ "metadata": { "a b": null } }));
    assert_eq!((changed.status, &changed.json()["metadata"]), (200, &json!({})));
    for (content_type, text, status) in [
        ("application/x-www-form-urlencoded", "name=x", 415),
        ("application/json", "name=x", 400),
        ("application/json", "[]", 400),
        ("application/json", "{\"surprise\": 1}", 400),
    ] {
        let answer = edge.keyed("POST", &path, &[("content-type", content_type)], text);
        assert_eq!(answer.status, status, "{text}: {answer:?}");
    }
    let form = edge.keyed("POST", ENDPOINTS, &[("content-type", "application/json")], "{}");
    assert_eq!(form.status, 415, "{form:?}");
    assert_eq!(
        edge.keyed("POST", &format!("{path}/disable"), &[], "").json()["status"],
        "disabled"
    );
}
