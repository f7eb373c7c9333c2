//! An account's events from now on, oldest first, from the list that the API gives newest first.

use crate::exit::Failure;
use serde_json::Value;
use std::time::Duration;

/// Events of one page.
const PAGE: usize = 100;
/// Pages gone through at most to find where the new events begin.
const PAGES_MAX: usize = 1_000;
/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer at most.
const ANSWER_MAX: u64 = 64 << 20;

/// Where listening stands.
pub(super) struct Feed {
    agent: ureq::Agent,
    url: String,
    authorization: String,
    /// The newest event that was seen.
    seen: Option<String>,
}

/// What a look found.
pub(super) enum Found {
    /// These events, oldest first; mostly none.
    Events(Vec<Value>),
    /// The newest event that was seen is none of the server's: it lost its data or is another one. The next look begins at
    /// what is newest now.
    OtherData,
}

/// Why a look found nothing.
pub(super) enum NoAnswer {
    /// The server will not say: it does not get better by asking again.
    Refused {
        /// Its status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// No answer, or one that says that the server is in trouble.
    Absent(String),
}

impl Feed {
    /// Asks `url` with `key`.
    pub(super) fn new(url: &str, key: &str) -> Result<Self, Failure> {
        if !url.starts_with("http://") {
            return Err(Failure::wrong_use(format!(
                "--url {url:?}: only http://HOST:PORT can be listened to; run this on the server's machine, or tunnel its port"
            )));
        }
        if key.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(Failure::wrong_use("--api-key holds characters that no key has"));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        Ok(Self {
            agent: config.into(),
            url: format!("{}/v1/events", url.trim_end_matches('/')),
            authorization: format!("Bearer {key}"),
            seen: None,
        })
    }

    /// Notes the newest event there is; gives the API version that events are shown in.
    pub(super) fn begin(&mut self) -> Result<String, NoAnswer> {
        let (page, version) = self.page("?limit=1")?;
        self.seen = page.events.first().and_then(id);
        Ok(version)
    }

    /// Events since the last look.
    pub(super) fn next(&mut self) -> Result<Found, NoAnswer> {
        let asked = match &self.seen {
            Some(seen) => self.since(&seen.clone()),
            None => self.all(),
        };
        match asked {
            Ok(events) => {
                if let Some(newest) = events.last().and_then(id) {
                    self.seen = Some(newest);
                }
                Ok(Found::Events(events))
            }
            // The key is still good, so it is the event that is unknown.
            Err(NoAnswer::Refused { status: 400 | 404, .. }) if self.seen.is_some() => {
                self.begin()?;
                Ok(Found::OtherData)
            }
            Err(why) => Err(why),
        }
    }

    /// One page of what is newer than an event: the oldest of it, so that the next look goes on behind.
    fn since(&self, seen: &str) -> Result<Vec<Value>, NoAnswer> {
        let (mut page, _) = self.page(&format!("?limit={PAGE}&ending_before={seen}"))?;
        page.events.reverse();
        Ok(page.events)
    }

    /// Everything, of an account that had nothing when listening began.
    fn all(&self) -> Result<Vec<Value>, NoAnswer> {
        let mut events: Vec<Value> = Vec::new();
        for _ in 0..PAGES_MAX {
            let before = events.last().and_then(id);
            let before = before.map_or_else(String::new, |before| format!("&starting_after={before}"));
            let (page, _) = self.page(&format!("?limit={PAGE}{before}"))?;
            events.extend(page.events);
            if !page.has_more {
                break;
            }
        }
        events.reverse();
        Ok(events)
    }

    fn page(&self, query: &str) -> Result<(Page, String), NoAnswer> {
        let absent = |error: ureq::Error| NoAnswer::Absent(error.to_string());
        let asked = self
            .agent
            .get(format!("{}{query}", self.url))
            .header("authorization", &self.authorization);
        let mut answer = asked.call().map_err(absent)?;
        let status = answer.status().as_u16();
        let version = answer
            .headers()
            .get("stripe-version")
            .and_then(|version| version.to_str().ok());
        let version = version.unwrap_or("?").to_owned();
        let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_json::<Value>();
        match status {
            200 => {
                let mut value = body.map_err(absent)?;
                let events = match value["data"].take() {
                    Value::Array(events) => events,
                    _ => return Err(NoAnswer::Absent("what answers is no payments API".to_owned())),
                };
                let has_more = value["has_more"] == true;
                Ok((Page { events, has_more }, version))
            }
            429 | 500.. => Err(NoAnswer::Absent(format!("status {status}"))),
            _ => {
                let message = body
                    .ok()
                    .and_then(|value| value["error"]["message"].as_str().map(str::to_owned));
                let message = message.unwrap_or_else(|| "what answers is no payments API".to_owned());
                Err(NoAnswer::Refused { status, message })
            }
        }
    }
}

struct Page {
    events: Vec<Value>,
    has_more: bool,
}

fn id(event: &Value) -> Option<String> {
    event["id"].as_str().map(str::to_owned)
}
