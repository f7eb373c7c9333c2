//! Every operation there is, on a node that owns nothing.

use crate::edge::{Edge, KEY, exchange, request};
use tollgate_domain::api::ENDPOINTS;

/// Parts of an address in braces stand for ids: these name nothing.
fn concrete(path: &str) -> String {
    let part = |part: &str| match part.starts_with('{') {
        true => "nothing".to_owned(),
        false => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_is_answered_as_on_the_node_that_owns_the_account() {
    let edge = Edge::start();
    let [guest, owner] = [0, 1].map(|node| edge.nodes[node].api);
    assert_eq!(edge.nodes[0].engine.serving(), [], "it owns nothing");
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &bearer[..]), ("stripe-version", "2026-10-28.endive")];
    let mut wrong = Vec::new();
    for endpoint in ENDPOINTS {
        let asked = request(endpoint.method.name(), &concrete(endpoint.path), &headers, "");
        let (there, here) = (exchange(guest, &asked), exchange(owner, &asked));
        if there.status >= 500 || there.status != here.status {
            wrong.push(format!(
                "{}: {there:?}, and at the owner {}",
                endpoint.name, here.status
            ));
        }
        assert!(there.header("request-id").is_some(), "{there:?}");
    }
    assert!(ENDPOINTS.len() > 100, "they are all there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
