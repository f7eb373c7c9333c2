//! `tollgate account …`: accounts and API keys, on a data directory that no server uses or through a running server's
//! operator API. Both ways give the same JSON, which is printed as it is or as a table.

use crate::admin_client::ask;
use crate::config::Config;
use crate::exit::Failure;
use crate::node::Data;
use crate::output::{print_value, rows, table, word};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
pub(crate) use tollgate_http::{NewAccount, NewKey};
use tollgate_http::{Operator, OperatorError};

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
    print_value(place.json, value, text)
}
