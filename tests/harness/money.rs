//! Movements of money, as an account lists them.

use super::Account;
use serde_json::Value;
use std::collections::BTreeMap;

impl Account {
    /// Each movement of money has one balance transaction, each balance transaction one movement, and the balance is
    /// their sum.
    pub(super) fn money_adds_up(&self) {
        let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
        let mut refunded_of: BTreeMap<&str, i64> = BTreeMap::new();
        for refund in self.refunds.values() {
            let charge = refund["charge"].as_str().expect("a charge");
            *refunded_of.entry(charge).or_default() += refund["amount"].as_i64().expect("an amount");
        }
        for (id, charge) in &self.charges {
            let captured = charge["amount_captured"].as_i64().expect("an amount");
            let refunded = refunded_of.remove(id.as_str()).unwrap_or_default();
            assert_eq!(
                charge["amount_refunded"].as_i64(),
                Some(refunded + released(charge)),
                "{charge}"
            );
            if captured > 0 {
                assert!(refunded <= captured, "{charge}");
                expected.insert(charge["balance_transaction"].as_str().expect("a transaction"), captured);
            }
        }
        assert!(
            refunded_of.is_empty(),
            "refunds of charges that are not listed: {refunded_of:?}"
        );
        for refund in self.refunds.values() {
            let amount = refund["amount"].as_i64().expect("an amount");
            expected.insert(refund["balance_transaction"].as_str().expect("a transaction"), -amount);
        }
        let listed: BTreeMap<&str, i64> = self
            .transactions
            .iter()
            .map(|(id, transaction)| (id.as_str(), transaction["amount"].as_i64().expect("an amount")))
            .collect();
        assert_eq!(expected, listed, "movements and balance transactions");
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for transaction in self.transactions.values() {
            let currency = transaction["currency"].as_str().expect("a currency");
            *sums.entry(currency).or_default() += transaction["net"].as_i64().expect("a net");
        }
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        for part in ["pending", "available"] {
            for line in self.balance[part].as_array().expect("lines") {
                let currency = line["currency"].as_str().expect("a currency");
                *balance.entry(currency).or_default() += line["amount"].as_i64().expect("an amount");
            }
        }
        sums.retain(|_, sum| *sum != 0);
        balance.retain(|_, sum| *sum != 0);
        assert_eq!(balance, sums, "the balance and the sum of the nets");
    }
}

/// What of a cancelled hold is shown as refunded without a refund.
fn released(charge: &Value) -> i64 {
    if charge["captured"] == false && charge["refunded"] == true {
        charge["amount"].as_i64().expect("an amount")
    } else {
        0
    }
}
