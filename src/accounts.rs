//! `tollgate account …`: accounts and API keys, on a data directory that no server uses or through a running server's
//! operator API. Both ways give the same JSON, which is printed as it is or as a table.

use crate::config::Config;
use crate::exit::Failure;
use crate::node::Data;
use crate::output::print;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;
pub(crate) use tollgate_http::{NewAccount, NewKey};
use tollgate_http::{Operator, OperatorError};

/// Longest wait for the operator API.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where accounts are kept, and how the answer is printed.
pub(crate) struct Place {
    /// A data directory; the configured one without this and `admin`.
    pub data: Option<PathBuf>,
    /// A running server's admin address.
    pub admin: Option<String>,
    /// Whether JSON is printed.
    pub json: bool,
}

/// Creates an account and prints its keys, for the only time.
pub(crate) fn create(place: &Place, terms: NewAccount) -> Result<(), Failure> {
    let created = match &place.admin {
        Some(url) => {
            let body = json!({
                "country": terms.country,
                "currency": terms.currency,
                "statement_descriptor": terms.statement_descriptor,
            });
            ask(url, "/admin/accounts", Some(&body))?
        }
        None => offline(place, async |operator| operator.create_account(terms).await)?,
    };
    show(place, &created, |created| {
        let mut text = format!(
            "account {}\nIts keys are shown this once; only a hash is kept.\n",
            word(created, "account")
        );
        for key in rows(created, "keys") {
            let _ = writeln!(text, "   {}", word(key, "secret"));
        }
        text
    })
}

/// Lists accounts.
pub(crate) fn list(place: &Place) -> Result<(), Failure> {
    let accounts = match &place.admin {
        Some(url) => ask(url, "/admin/accounts", None)?,
        None => offline(place, async |operator| operator.accounts().await)?,
    };
    show(place, &accounts, |accounts| {
        table(
            rows(accounts, "accounts"),
            &["account", "livemode", "country", "default_currency", "api_version"],
        )
    })
}

/// Lists keys, of one account or all.
pub(crate) fn list_keys(place: &Place, account: Option<&str>) -> Result<(), Failure> {
    let keys = match (&place.admin, account) {
        (Some(url), Some(account)) => ask(url, &format!("/admin/accounts/{}/keys", segment(account)?), None)?,
        (Some(url), None) => ask(url, "/admin/keys", None)?,
        (None, account) => offline(place, async |operator| operator.keys(account).await)?,
    };
    show(place, &keys, |keys| {
        table(
            rows(keys, "keys"),
            &["key", "account", "kind", "livemode", "last4", "created", "revoked"],
        )
    })
}

/// Makes a key and prints it, for the only time.
pub(crate) fn create_key(place: &Place, account: &str, choice: NewKey) -> Result<(), Failure> {
    let created = match &place.admin {
        Some(url) => {
            let body = json!({ "publishable": choice.publishable, "live": choice.live });
            ask(url, &format!("/admin/accounts/{}/keys", segment(account)?), Some(&body))?
        }
        None => offline(place, async |operator| operator.create_key(account, choice).await)?,
    };
    show(place, &created, |key| {
        format!(
            "The key is shown this once; only a hash is kept.\n   {}\n",
            word(key, "secret")
        )
    })
}

/// Revokes a key.
pub(crate) fn revoke_key(place: &Place, key: &str) -> Result<(), Failure> {
    let revoked = match &place.admin {
        Some(url) => ask(url, "/admin/keys/revoke", Some(&json!({ "key": key })))?,
        None => offline(place, async |operator| operator.revoke_key(key).await)?,
    };
    show(place, &revoked, |_| "revoked\n".to_owned())
}

/// Does something with the directory of a data directory.
fn offline(place: &Place, act: impl AsyncFnOnce(&Operator) -> Result<Value, OperatorError>) -> Result<Value, Failure> {
    let mut store = Config::load(None, &[])?.store;
    if let Some(data) = &place.data {
        store.data.clone_from(data);
    }
    actix_rt::System::new().block_on(async {
        let data = Data::open(&store).map_err(|failure| Failure {
            message: format!("{failure}; a running server is asked with --admin URL"),
            ..failure
        })?;
        let operator = Operator::new(data.directory()?);
        act(&operator).await.map_err(|error| match error {
            OperatorError::Invalid(_) | OperatorError::Forbidden(_) => Failure::wrong_use(error),
            OperatorError::NotFound(_) => Failure::not_so(error),
            OperatorError::Unavailable(_) => Failure::environment(error),
        })
    })
}

/// Asks a running server's operator API; with a body it is a change.
fn ask(url: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .build();
    let agent: ureq::Agent = config.into();
    let target = format!("{}{path}", url.trim_end_matches('/'));
    let answer = match body {
        Some(body) => agent.post(&target).send_json(body),
        None => agent.get(&target).call(),
    };
    let failed = |error: ureq::Error| {
        Failure::environment(format!(
            "{target}: {error}; is the server running, and is this its admin address?"
        ))
    };
    let mut answer = answer.map_err(failed)?;
    let status = answer.status().as_u16();
    let value: Value = answer.body_mut().read_json().map_err(failed)?;
    if status == 200 {
        return Ok(value);
    }
    Err(Failure::not_so(
        value["error"]["message"].as_str().unwrap_or("the server refused"),
    ))
}

/// A part of a path that needs no escaping.
fn segment(text: &str) -> Result<&str, Failure> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain {
        Ok(text)
    } else {
        Err(Failure::wrong_use(format!("{text} is no account id")))
    }
}

fn show(place: &Place, value: &Value, text: impl FnOnce(&Value) -> String) -> Result<(), Failure> {
    if place.json {
        let text = serde_json::to_string_pretty(value).expect("a value of text and numbers can be written");
        return print(&format!("{text}\n"));
    }
    print(&text(value))
}

fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("-")
}

/// Rows under their column names, left-aligned.
fn table(rows: &[Value], columns: &[&str]) -> String {
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| (*column).to_owned()).collect()];
    lines.extend(
        rows.iter()
            .map(|row| columns.iter().map(|column| cell(row, column)).collect()),
    );
    let width = |at: usize| lines.iter().map(|line| line[at].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_show_absence() {
        let rows = [json!({"a": "long text", "b": null}), json!({"a": 1, "b": true})];
        assert_eq!(
            table(&rows, &["a", "b"]),
            "a          b\nlong text  -\n1          true\n"
        );
    }
}
