//! What stands alone: charges without an intent, and setups.

use super::{Account, id_of, ids};
use crate::log::{Act, Answered};
use serde_json::Value;
use std::collections::BTreeSet;

/// What an answer about a payment says became of it, and how much was taken. A charge says of a hold that it succeeded.
pub(super) fn outcome(shown: &Value) -> (String, Option<i64>) {
    let status = shown["status"].as_str().expect("a status").to_owned();
    match (shown["object"].as_str(), shown["captured"].as_bool()) {
        (Some("charge"), Some(true)) => (status, shown["amount_captured"].as_i64()),
        (Some("charge"), _) => ("requires_capture".to_owned(), None),
        _ => (status, shown["amount_received"].as_i64()),
    }
}

impl Account {
    /// Each charge without an intent, and each setup, was made by exactly one request, and is what its client was told, or
    /// what the network said later.
    pub(super) fn alone_are_explained(&self, answered: &[&Answered]) {
        let (mut charges, mut setups) = (BTreeSet::new(), BTreeSet::new());
        for answered in answered {
            let (known, listed, error) = match answered.request.act {
                Act::Charge => (&mut charges, &self.charges, "charge"),
                Act::SetUp => (&mut setups, &self.setups, "setup_intent"),
                _ => continue,
            };
            let json = answered.json();
            let id = match (answered.status, &json["error"][error]) {
                (200, _) => id_of(&json),
                (_, Value::String(id)) => id.clone(),
                (_, shown) => id_of(shown),
            };
            let listed = listed.get(&id);
            let listed = listed.unwrap_or_else(|| panic!("acknowledged and not listed: {answered:?}"));
            assert_eq!(
                listed["metadata"]["request"], answered.request.key,
                "one key, one of them: {listed}"
            );
            assert!(known.insert(id), "two keys, one of them: {listed}");
            let is = listed["status"].as_str().expect("a status");
            let told = json["status"].as_str();
            let fine = match (answered.status, told) {
                (200, Some("succeeded")) => is == "succeeded",
                (200, Some("pending")) => ["succeeded", "failed"].contains(&is),
                (200, Some("processing")) => ["succeeded", "requires_payment_method"].contains(&is),
                (402, _) => ["failed", "requires_payment_method"].contains(&is),
                _ => false,
            };
            assert!(fine, "its client was told {told:?}, it is {listed}");
        }
        let alone = self
            .charges
            .iter()
            .filter(|(_, charge)| charge["payment_intent"].is_null());
        let alone: BTreeSet<String> = alone.map(|(id, _)| id.clone()).collect();
        assert_eq!(
            charges, alone,
            "charges without an intent that clients know, and listed"
        );
        assert_eq!(setups, ids(&self.setups), "setups that clients know, and listed");
    }
}
