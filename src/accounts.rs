//! `tollgate account …`: accounts and API keys, on a data directory that no server uses or through a running server's
//! operator API. Both ways give the same JSON, which is printed as it is or as a table.

use crate::admin_client::ask;
use crate::config::Config;
use crate::data::Data;
use crate::exit::Failure;
use crate::living::living;
use crate::output::{print_value, rows, table, word};
use crate::place::Place;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;
pub(crate) use tollgate_http::{NewAccount, NewKey, UpdatedAccount};
use tollgate_http::{Operator, OperatorError};

/// How accounts are reached, and how the answer is printed.
#[derive(Args)]
pub(crate) struct Reach {
    /// Settings file (TOML) that says where the data is.
    #[arg(long, value_name = "FILE", conflicts_with = "admin")]
    config: Option<PathBuf>,
    /// Work on a data directory that no server is using; the configured one without this and --admin.
    #[arg(long, value_name = "DIR", conflicts_with = "admin")]
    data: Option<PathBuf>,
    /// Ask a running server at its admin address.
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
    /// Where store.kind is "cql" and nodes are at work: take accounts and keys from the node that has them, for a moment, in
    /// which nobody else can change them.
    #[arg(long, conflicts_with_all = ["admin", "data"])]
    take_over: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Creates an account and prints its keys, for the only time.
pub(crate) fn create(reach: &Reach, terms: NewAccount) -> Result<(), Failure> {
    let created = match &reach.admin {
        Some(url) => {
            let body = json!({
                "country": terms.country,
                "currency": terms.currency,
                "statement_descriptor": terms.statement_descriptor,
            });
            ask(url, "/admin/accounts", Some(&body))?
        }
        // The only command that may begin new data.
        None => in_data(&settings(reach)?, reach, async |operator| {
            operator.create_account(terms).await
        })?,
    };
    show(reach, &created, |created| {
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
pub(crate) fn list(reach: &Reach) -> Result<(), Failure> {
    let accounts = match &reach.admin {
        Some(url) => ask(url, "/admin/accounts", None)?,
        None => offline(reach, async |operator| operator.accounts().await)?,
    };
    show(reach, &accounts, |accounts| {
        table(
            rows(accounts, "accounts"),
            &["account", "livemode", "country", "default_currency", "api_version"],
        )
    })
}

/// Lists keys, of one account or all.
pub(crate) fn list_keys(reach: &Reach, account: Option<&str>) -> Result<(), Failure> {
    let keys = match (&reach.admin, account) {
        (Some(url), Some(account)) => ask(url, &format!("/admin/accounts/{}/keys", segment(account)?), None)?,
        (Some(url), None) => ask(url, "/admin/keys", None)?,
        (None, account) => offline(reach, async |operator| operator.keys(account).await)?,
    };
    show(reach, &keys, |keys| {
        table(
            rows(keys, "keys"),
            &[
                "key",
                "account",
                "kind",
                "livemode",
                "last4",
                "created",
                "expires",
                "last_used",
                "revoked",
                "permissions",
            ],
        )
    })
}

/// Makes a key and prints it, for the only time.
pub(crate) fn create_key(reach: &Reach, account: &str, choice: NewKey) -> Result<(), Failure> {
    let created = match &reach.admin {
        Some(url) => {
            let body = json!({ "publishable": choice.publishable, "allow": choice.allow, "live": choice.live });
            ask(url, &format!("/admin/accounts/{}/keys", segment(account)?), Some(&body))?
        }
        None => offline(reach, async |operator| operator.create_key(account, choice).await)?,
    };
    show(reach, &created, told_once)
}

/// Makes a key in place of another one and prints it, for the only time.
pub(crate) fn roll_key(reach: &Reach, key: &str, overlap_s: u64) -> Result<(), Failure> {
    let created = match &reach.admin {
        Some(url) => ask(
            url,
            "/admin/keys/roll",
            Some(&json!({ "key": key, "overlap_s": overlap_s })),
        )?,
        None => offline(reach, async |operator| operator.roll_key(key, overlap_s).await)?,
    };
    show(reach, &created, told_once)
}

/// Shows the settings of an account.
pub(crate) fn show_settings(reach: &Reach, account: &str) -> Result<(), Failure> {
    let found = match &reach.admin {
        Some(url) => ask(url, &format!("/admin/accounts/{}", segment(account)?), None)?,
        None => offline(reach, async |operator| operator.account(account))?,
    };
    show(reach, &found, settings_table)
}

/// Changes settings of an account, and shows them.
pub(crate) fn update(reach: &Reach, account: &str, wanted: UpdatedAccount) -> Result<(), Failure> {
    let changed = match &reach.admin {
        Some(url) => {
            let set: serde_json::Map<String, Value> = wanted
                .set
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().into()))
                .collect();
            let body = json!({ "set": set, "live": wanted.live });
            ask(url, &format!("/admin/accounts/{}", segment(account)?), Some(&body))?
        }
        None => offline(reach, async |operator| operator.update_account(account, wanted).await)?,
    };
    show(reach, &changed, settings_table)
}

fn told_once(key: &Value) -> String {
    format!(
        "The key is shown this once; only a hash is kept.\n   {}\n",
        word(key, "secret")
    )
}

fn settings_table(found: &Value) -> String {
    let mut text = String::new();
    for account in rows(found, "accounts") {
        let mode = if account["livemode"] == true { "live" } else { "test" };
        let _ = writeln!(text, "account {} in {mode} mode", word(account, "account"));
        for (name, value) in account["settings"].as_object().into_iter().flatten() {
            let value = match value {
                Value::Null => "-".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let _ = writeln!(text, "   {name} = {value}");
        }
    }
    text
}

/// Revokes a key.
pub(crate) fn revoke_key(reach: &Reach, key: &str) -> Result<(), Failure> {
    let revoked = match &reach.admin {
        Some(url) => ask(url, "/admin/keys/revoke", Some(&json!({ "key": key })))?,
        None => offline(reach, async |operator| operator.revoke_key(key).await)?,
    };
    show(reach, &revoked, |_| "revoked\n".to_owned())
}

/// Does something with the accounts of data that is there.
fn offline(reach: &Reach, act: impl AsyncFnOnce(&Operator) -> Result<Value, OperatorError>) -> Result<Value, Failure> {
    let config = settings(reach)?;
    Place::of(&config.store).there().map_err(or_ask_a_server)?;
    in_data(&config, reach, act)
}

/// Settings of the data that is named.
fn settings(reach: &Reach) -> Result<Config, Failure> {
    let mut config = Config::load(reach.config.as_deref(), &[])?;
    if let Some(data) = &reach.data {
        config.store.use_directory(data);
    }
    Ok(config)
}

/// Does something with the accounts of the data that the settings name.
fn in_data(
    config: &Config,
    reach: &Reach,
    act: impl AsyncFnOnce(&Operator) -> Result<Value, OperatorError>,
) -> Result<Value, Failure> {
    actix_rt::System::new().block_on(async {
        let data = Data::open(config).map_err(or_ask_a_server)?;
        if let Some(store) = data.store.shared().filter(|_| !reach.take_over) {
            let found = living(store.nodes(), config.node.pace.suspect).await;
            if let Some(node) = found.map_err(Failure::environment)? {
                return Err(Failure::wrong_use(format!(
                    "node {:?} ({}) of this keyspace is at work, and the nodes decide on accounts and keys: ask any of them \
                     with --admin URL, its admin.listen; --take-over does it here all the same",
                    node.node, node.addr
                )));
            }
        }
        let operator = Operator::new(data.directory()?);
        act(&operator).await.map_err(|error| match error {
            OperatorError::Invalid(_) | OperatorError::Forbidden(_) => Failure::wrong_use(error),
            OperatorError::NotFound(_) => Failure::not_so(error),
            OperatorError::Unavailable(_) => Failure::environment(error),
        })
    })
}

fn or_ask_a_server(failure: Failure) -> Failure {
    Failure {
        message: format!("{failure}; a running server is asked with --admin URL"),
        ..failure
    }
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

fn show(reach: &Reach, value: &Value, text: impl FnOnce(&Value) -> String) -> Result<(), Failure> {
    print_value(reach.json, value, text)
}
