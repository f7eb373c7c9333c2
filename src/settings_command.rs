//! `tollgate config check` and `config reload`: what a settings file would change, and changing it.

use crate::admin_client::{Said, address, message, say};
use crate::config::Config;
use crate::config_layers::{self, environment, layered, layered_with};
use crate::exit::{Exit, Failure};
use crate::output::{print_value, rows};
use crate::{logs, tuning};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// Tells what the settings of `file` (or, without one, of the server's own file) would change against a running server;
/// against the built-in settings when none runs at the usual address. Fails with 1 when something needs a restart, with 2
/// when the settings are wrong.
pub(crate) fn check(file: Option<&Path>, admin: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let text = file.map(config_layers::read).transpose()?;
    let body = match &text {
        Some(text) => json!({ "text": text }),
        None => json!({}),
    };
    let told = match say(&address(admin)?, "/admin/config/check", Some(&body)) {
        Ok(said) => against("the running server", understood(said)?),
        Err(failure) if admin.is_some() => return Err(failure),
        Err(_) => against(
            "the built-in settings and the environment, as no server runs",
            offline(file, text.as_deref())?,
        ),
    };
    print_value(as_json, &told, |told| {
        sentences(told, "would change at once", "would need a restart")
    })?;
    if_all_live(&told)
}

/// Lets a running server read its settings again. Fails with 1 when something needs a restart, with 2 when they are wrong.
pub(crate) fn reload(admin: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let said = say(&address(admin)?, "/admin/config/reload", Some(&json!({})))?;
    let told = understood(said).map_err(|failure| Failure {
        message: format!("{failure}; nothing was changed"),
        ..failure
    })?;
    let told = against("the running server", told);
    print_value(as_json, &told, |told| {
        sentences(told, "changed", "needs a restart and was left as it is")
    })?;
    if_all_live(&told)
}

fn offline(file: Option<&Path>, text: Option<&str>) -> Result<Value, Failure> {
    let place = file.map(|path| path.display().to_string()).unwrap_or_default();
    let wanted = layered_with(text, &place, environment(), &[])?;
    let config = Config::of(wanted.clone())?;
    logs::filter(&config.log.level).map_err(Failure::wrong_use)?;
    Ok(tuning::told(&layered(None, environment(), &[])?, &wanted))
}

fn against(what: &str, mut told: Value) -> Value {
    told["against"] = what.into();
    told
}

/// Settings that are wrong are the asker's mistake, not a property of the server.
fn understood(said: Said) -> Result<Value, Failure> {
    match said.status {
        200 => Ok(said.value),
        400 => Err(Failure::wrong_use(message(&said.value))),
        _ => Err(Failure::environment(message(&said.value))),
    }
}

fn sentences(told: &Value, live: &str, needs_restart: &str) -> String {
    let changes = rows(told, "changes");
    let against = told["against"].as_str().unwrap_or_default();
    if changes.is_empty() {
        return format!("nothing differs from {against}\n");
    }
    let mut text = format!("against {against}:\n");
    for change in changes {
        let verdict = if change["needs_restart"] == true {
            needs_restart
        } else {
            live
        };
        let (name, from, to) = (
            change["name"].as_str().unwrap_or_default(),
            &change["from"],
            &change["to"],
        );
        let _ = writeln!(text, "   {name}: {from} -> {to}   {verdict}");
    }
    text
}

/// Everything was said already; only the code is left.
fn if_all_live(told: &Value) -> Result<(), Failure> {
    match rows(told, "changes")
        .iter()
        .any(|change| change["needs_restart"] == true)
    {
        true => Err(Failure {
            exit: Exit::NotSo,
            message: String::new(),
        }),
        false => Ok(()),
    }
}
