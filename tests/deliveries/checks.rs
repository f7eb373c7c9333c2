//! What has to be so of the deliveries that came, whatever happened meanwhile.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

use crate::receiver::Delivery;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tollgate_webhooks::signing::Signer;
use tollgate_webhooks::{ActiveSecret, Secret};

/// Ids of all events that a server lists, oldest first; `get` reads a path of it.
pub(crate) fn events(get: impl Fn(&str) -> Value, filter: &str) -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    loop {
        let after = events
            .last()
            .map_or(String::new(), |last| format!("&starting_after={last}"));
        let page = get(&format!("/v1/events?limit=100{filter}{after}"));
        let ids = page["data"].as_array().expect("a list").iter();
        events.extend(ids.map(|event| event["id"].as_str().expect("an id").to_owned()));
        if page["has_more"] == false {
            events.reverse();
            return events;
        }
    }
}

/// Each event's first arrival, in order.
pub(crate) fn firsts(came: &[Delivery]) -> Vec<&Delivery> {
    let mut seen = BTreeSet::new();
    came.iter().filter(|delivery| seen.insert(&delivery.event)).collect()
}

/// How often something came again.
pub(crate) fn doubled(came: &[Delivery]) -> usize {
    came.len() - firsts(came).len()
}

/// Asserts that the events about each object came in their order, from the first on and without a gap.
pub(crate) fn in_order(came: &[Delivery]) {
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for delivery in firsts(came) {
        let newest = newest.entry(&delivery.object).or_default();
        assert_eq!(delivery.number, *newest + 1, "after number {newest}: {delivery:?}");
        *newest = delivery.number;
    }
}

/// Asserts that all of these events came, those about each object in their order, and no others.
pub(crate) fn all_in_order(came: &[Delivery], all: &[String]) {
    in_order(came);
    let ids: BTreeSet<&str> = came.iter().map(|delivery| &*delivery.event).collect();
    assert_eq!(ids, all.iter().map(|event| &**event).collect());
}

/// Asserts that each of these deliveries is signed with this secret, at a time that it names, over all it says.
pub(crate) fn all_signed(came: &[Delivery], secret: &str) {
    all_signed_by(came, &[secret]);
}

/// Asserts that each of these deliveries is signed with each of these secrets, the newest first.
pub(crate) fn all_signed_by(came: &[Delivery], secrets: &[&str]) {
    let active = |secret: &&str| ActiveSecret {
        secret: Secret::new((*secret).to_owned()),
        until_s: None,
    };
    let signer = Signer::new(&secrets.iter().map(active).collect::<Vec<_>>());
    for delivery in came {
        let stamp = delivery
            .signature
            .strip_prefix("t=")
            .and_then(|rest| rest.split_once(','));
        let stamp = stamp.unwrap_or_else(|| panic!("no time: {delivery:?}")).0;
        let mut expected = String::new();
        signer.stripe(stamp.parse().expect("seconds"), delivery.body.as_bytes(), &mut expected);
        assert_eq!(*delivery.signature, *expected);
    }
}
