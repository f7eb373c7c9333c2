//! `tollgate limits …`: the rate limits of a running server.

use crate::admin_client::{ServerFlags, address, ask};
use crate::exit::Failure;
use crate::output::{print_value, rows};
use serde_json::Value;
use std::fmt::Write;

/// Shows the limits and what holds now.
pub(crate) fn show(asked: &ServerFlags) -> Result<(), Failure> {
    let url = address(asked.admin.as_deref())?;
    let shown = ask(&url, "/admin/limits", None)?;
    print_value(asked.json, &shown, text)
}

fn text(shown: &Value) -> String {
    let mut text = String::new();
    let node = &shown["node"];
    let _ = match node {
        Value::Null => writeln!(text, "node: no bound"),
        node => writeln!(text, "node: {}, {} left", rate(&node["rate"]), node["remaining"]),
    };
    let accounts = &shown["accounts"];
    let tier = accounts["tier"].as_str().unwrap_or("unlimited");
    let _ = writeln!(
        text,
        "accounts: {tier}, {}; {} with limits of their own",
        rate(&accounts["rate"]),
        accounts["with_their_own"]
    );
    let surge = &shown["surge"];
    let _ = writeln!(
        text,
        "surge: {} % of the usual cost now, at most {} %",
        surge["multiplier_percent"], surge["multiplier_percent_max"]
    );
    for class in rows(shown, "classes") {
        let own = match &class["rate"] {
            Value::Null => "no bound of its own".to_owned(),
            own => format!("{} an account", rate(own)),
        };
        let _ = writeln!(
            text,
            "{}: {} tokens a request, {own}",
            class["class"].as_str().unwrap_or("-"),
            class["cost"]
        );
        for endpoint in class["endpoints"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "   {}", endpoint.as_str().unwrap_or("-"));
        }
    }
    text
}

fn rate(rate: &Value) -> String {
    format!("{}/s, {} at once", rate["requests_per_s"], rate["burst"])
}
