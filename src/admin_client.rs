//! Asking a running server's operator API.

use crate::config::Config;
use crate::exit::Failure;
use serde_json::Value;
use std::time::Duration;

/// Which server is asked, and how its answer is printed.
#[derive(clap::Args)]
pub(crate) struct ServerFlags {
    /// The running server's admin address; [admin.listen] without this.
    #[arg(long, value_name = "URL")]
    pub admin: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// What the server said.
pub(crate) struct Said {
    /// Its status.
    pub status: u16,
    /// Its JSON.
    pub value: Value,
}

/// Asks; with a body it is a change. Everything but a success is a failure, in the server's words.
pub(crate) fn ask(url: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    let Said { status, value } = say(url, path, body)?;
    match status {
        200 => Ok(value),
        404 if message(&value).starts_with("Unrecognized request URL") => Err(Failure::wrong_use(format!(
            "{url} is the address of an API; give the server's admin address, its admin.listen"
        ))),
        _ => Err(Failure::not_so(message(&value))),
    }
}

/// Asks, and tells what was said. No answer is a failure.
pub(crate) fn say(url: &str, path: &str, body: Option<&Value>) -> Result<Said, Failure> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_TIMEOUT))
        .build();
    let agent: ureq::Agent = config.into();
    let scheme = if url.contains("://") { "" } else { "http://" };
    let target = format!("{scheme}{}{path}", url.trim_end_matches('/'));
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
    Ok(Said { status, value })
}

/// The server's words for why not.
pub(crate) fn message(value: &Value) -> &str {
    value["error"]["message"].as_str().unwrap_or("the server refused")
}

/// The admin address: the one given, or the one of the settings without a file.
pub(crate) fn address(given: Option<&str>) -> Result<String, Failure> {
    match given {
        Some(url) => Ok(url.to_owned()),
        None => Ok(format!("http://{}", Config::load(None, &[])?.admin_listen)),
    }
}
