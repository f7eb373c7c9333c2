//! The operator's listener: health, metrics, accounts and keys, shards, deliveries, settings. It has no keys of its own; whoever reaches the address is
//! the operator, so it must stay private. Browsers are kept out: a page that an operator visits must not reach it.

use crate::answer::{Answer, Content, Echo, LONG_LINE_PAGE, raw};
use crate::body::{BodyMemory, Incoming, read_body};
use crate::deliveries::{self, Operated};
use crate::forward::{Delivered, NodeClient, Parcel};
use crate::head::{Head, Known};
use crate::operator::{NewAccount, NewKey, Operator, OperatorError, UpdatedAccount};
use crate::request_ids::RequestIds;
use crate::server::Dispatch;
use crate::services::Services;
use crate::shards;
use crate::stream::Substitutes;
use crate::tuning::Wish;
use crate::watch::Watch;
use actix_web::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;
use tollgate_actors::ShardId;
use tollgate_actors::clock::unix_ms;
use tollgate_cluster::Place;

/// Largest body of an operator's request.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;
/// How often a question is asked here whose account's shard comes and goes meanwhile.
const TURNS_MAX: usize = 4;

/// The operator API on its worker thread.
pub(crate) struct Admin {
    services: Arc<Services>,
    operator: Operator,
    memory: BodyMemory,
    /// Sends questions to other nodes, where there are any.
    client: Option<NodeClient>,
    ids: RefCell<RequestIds>,
}

impl Dispatch for Admin {
    async fn dispatch(&self, http: Head, mut incoming: Incoming<'_>, watch: &Watch) -> (Answer, Option<Echo>) {
        let body = read_body(&mut incoming, None, BODY_BYTES_MAX, &self.memory, watch).await;
        let answer = match body {
            Ok(body) => self.answer(&http, body.of(&http)).await,
            Err(problem) => Err(OperatorError::Invalid(format!("the body cannot be read: {problem:?}"))),
        };
        let answer = answer.unwrap_or_else(|error| refusal(&error));
        tracing::debug!(method = %http.method(), path = http.path(), status = answer.status, "operator request");
        (answer, None)
    }

    fn substitutes(&self) -> Substitutes {
        let json = |status: &str| {
            raw(
                status,
                Content::Json,
                text(&json!({ "error": { "message": status } })).as_bytes(),
            )
        };
        Substitutes {
            malformed: json("400 Bad Request"),
            slow: json("408 Request Timeout"),
            long_line: raw("414 URI Too Long", Content::Html, LONG_LINE_PAGE.as_bytes()),
            large_head: json("431 Request Header Fields Too Large"),
            broken: json("500 Internal Server Error"),
            line_bytes_max: self.services.bounds.line_bytes_max,
        }
    }
}

impl Admin {
    /// The operator API for the thread that calls this.
    pub(crate) fn new(services: Arc<Services>) -> Admin {
        Admin {
            operator: Operator::new(services.directory.clone()),
            memory: BodyMemory::new(BODY_BYTES_MAX * 64),
            client: services.nodes.as_ref().map(|nodes| NodeClient::new(&nodes.bounds)),
            ids: RefCell::new(RequestIds::new(
                getrandom::u64().expect("the operating system gives entropy"),
            )),
            services,
        }
    }

    async fn answer(&self, http: &Head, body: &[u8]) -> Result<Answer, OperatorError> {
        let segments: Vec<&str> = http.path().trim_start_matches('/').split('/').collect();
        let reads = matches!(*http.method(), Method::GET | Method::HEAD);
        match segments.as_slice() {
            ["healthz"] if reads => return Ok(Answer::new(200, Content::Json, "{\"status\": \"alive\"}\n")),
            ["readyz"] if reads => return Ok(self.services.readiness()),
            ["metrics"] if reads => {
                self.services.engine.observe();
                self.services.nodes.iter().for_each(|nodes| nodes.observe());
                return Ok(Answer::new(200, Content::Text, (self.services.metrics)()));
            }
            _ => {}
        }
        if http.get(Known::Origin).is_some() {
            return Err(OperatorError::Forbidden(
                "the operator API does not answer browsers".into(),
            ));
        }
        let posts = *http.method() == Method::POST;
        let answer = match segments.as_slice() {
            ["admin", "accounts"] if reads => self.operator.accounts().await?,
            ["admin", "accounts"] if posts => self.operator.create_account(new_account(http, body)?).await?,
            ["admin", "accounts", account] if reads => self.operator.account(account)?,
            ["admin", "accounts", account] if posts => {
                self.operator
                    .update_account(account, updated_account(http, body)?)
                    .await?
            }
            ["admin", "keys"] if reads => self.operator.keys(None).await?,
            ["admin", "accounts", account, "keys"] if reads => self.operator.keys(Some(account)).await?,
            ["admin", "accounts", account, "keys"] if posts => {
                self.operator.create_key(account, new_key(http, body)?).await?
            }
            ["admin", "keys", "revoke"] if posts => {
                let request = object(http, body)?;
                let Some(key) = request["key"].as_str() else {
                    return Err(OperatorError::Invalid(
                        "give the key to revoke as {\"key\": \"…\"}".into(),
                    ));
                };
                self.operator.revoke_key(key).await?
            }
            ["admin", "keys", "roll"] if posts => {
                let request = object(http, body)?;
                known_members(&request, &["key", "overlap_s"])?;
                let (Some(key), Some(overlap_s)) = (request["key"].as_str(), request["overlap_s"].as_u64()) else {
                    return Err(OperatorError::Invalid(
                        "give the key to roll, and for how many seconds it works still, as {\"key\": \"…\", \
                         \"overlap_s\": 86400}"
                            .into(),
                    ));
                };
                self.operator.roll_key(key, overlap_s).await?
            }
            ["admin", "shards"] if reads => shards::list(&self.services.engine, over_ms(http)?).await?,
            ["admin", "shards", "hot"] if reads => shards::hot(&self.services.engine).await,
            ["admin", "shards", shard, "move"] if posts => {
                let request = object(http, body)?;
                known_members(&request, &["to"])?;
                shards::move_to(&self.services.engine, shard, &request["to"]).await?
            }
            ["admin", "indexes"] if reads => self.services.tuning.ask(Wish::Indexes).await?,
            ["admin", "indexes", "rebuild"] if posts => {
                let request = object(http, body)?;
                known_members(&request, &["shard"])?;
                let shard = match &request["shard"] {
                    Value::Null => None,
                    given => Some(
                        given
                            .as_u64()
                            .and_then(|shard| u16::try_from(shard).ok())
                            .ok_or_else(|| {
                                OperatorError::Invalid(
                                    "give the number of a shard as {\"shard\": 3}, or none for all".into(),
                                )
                            })?,
                    ),
                };
                self.services.tuning.ask(Wish::RebuildIndexes(shard)).await?
            }
            ["admin", "cluster"] if reads => match &self.services.cluster {
                Some(cluster) => (cluster.shown)(),
                None => {
                    return Err(OperatorError::NotFound(
                        "this server serves a data directory and is no member of a cluster; store.kind = \"cql\" makes it \
                         one"
                        .into(),
                    ));
                }
            },
            ["admin", "webhooks"] if reads => deliveries::lanes(&self.services, http.query()).await?,
            ["admin", "webhooks", _, ..] if reads || posts => return self.about_endpoint(http, body).await,
            ["admin", "limits"] if reads => self.services.limiter.shown(),
            ["admin", "config"] if reads => self.services.tuning.ask(Wish::Show).await?,
            ["admin", "config", "reload"] if posts => {
                known_members(&object(http, body)?, &[])?;
                self.services.tuning.ask(Wish::Reload).await?
            }
            ["admin", "config", "check"] if posts => {
                let request = object(http, body)?;
                known_members(&request, &["text"])?;
                let text = request["text"].as_str().map(str::to_owned);
                self.services.tuning.ask(Wish::Check(text)).await?
            }
            _ => {
                return Err(OperatorError::NotFound(format!(
                    "there is no {} {}; see /healthz, /readyz, /metrics, /admin/accounts, /admin/keys, /admin/shards, \
                     /admin/indexes, /admin/cluster, /admin/webhooks, /admin/limits, /admin/config",
                    http.method(),
                    http.path()
                )));
            }
        };
        Ok(told(&answer))
    }

    /// Asks about an endpoint: here, or at the node that has its account.
    async fn about_endpoint(&self, http: &Head, body: &[u8]) -> Result<Answer, OperatorError> {
        for _ in 0..TURNS_MAX {
            let shard = match deliveries::operate(&self.services, http, body).await? {
                Operated::Told(answer) => return Ok(told(&answer)),
                Operated::Elsewhere(shard) => shard,
            };
            let Some((nodes, client)) = self.services.nodes.as_ref().zip(self.client.as_ref()) else {
                return Err(nowhere(shard));
            };
            let until = Instant::now() + nodes.bounds.answer_timeout;
            let request = self.ids.borrow_mut().next(unix_ms());
            let parcel = Parcel::of_operator(http, Bytes::copy_from_slice(body), request, until);
            let is_here = || {
                let state = self.services.engine.shard_state(shard);
                state.is_none_or(|state| state.is_here())
            };
            match client.deliver(nodes, shard, &parcel, is_here).await {
                Delivered::Answered(answer) => return Ok(*answer),
                Delivered::Here => {}
                Delivered::Nowhere => return Err(nowhere(shard)),
                Delivered::Full => {
                    return Err(OperatorError::Unavailable(
                        "too many requests are under way to other nodes; nothing was done, ask again".into(),
                    ));
                }
                Delivered::Unknown => {
                    let at = match nodes.map.place_of(shard) {
                        Place::At(peer) => {
                            format!("node {} at {}, which serves shard {}", peer.node, peer.addr, shard.0)
                        }
                        Place::Here | Place::Nowhere => format!("the node that served shard {}", shard.0),
                    };
                    return Err(OperatorError::Unavailable(format!(
                        "{at}, was asked and did not answer; see whether it was done before you ask again"
                    )));
                }
            }
        }
        Err(OperatorError::Unavailable(
            "the account's shard moves; ask again".into(),
        ))
    }
}

fn nowhere(shard: ShardId) -> OperatorError {
    OperatorError::Unavailable(format!(
        "no node serves shard {} now, which has the endpoint's account; nothing was done, ask again in some seconds",
        shard.0
    ))
}

/// What an operator hears.
pub(crate) fn told(answer: &Value) -> Answer {
    Answer::new(200, Content::Json, text(answer))
}

/// What an operator hears whose wish was refused.
pub(crate) fn refusal(error: &OperatorError) -> Answer {
    let body = json!({ "error": { "message": error.to_string() } });
    Answer::new(error.status(), Content::Json, text(&body))
}

/// The time over which rates are taken: `?over_ms=`, a second without it.
fn over_ms(http: &Head) -> Result<u64, OperatorError> {
    let given = http.query();
    match given.strip_prefix("over_ms=") {
        Some(text) => text
            .parse()
            .map_err(|_| OperatorError::Invalid(format!("over_ms={text} is no number"))),
        None if given.is_empty() => Ok(1_000),
        None => Err(OperatorError::Invalid(format!(
            "there is no {given} here; known is over_ms"
        ))),
    }
}

fn new_account(http: &Head, body: &[u8]) -> Result<NewAccount, OperatorError> {
    let request = object(http, body)?;
    known_members(&request, &["country", "currency", "statement_descriptor"])?;
    let member = |name: &str| request[name].as_str().map(str::to_owned);
    Ok(NewAccount {
        country: member("country").unwrap_or_else(|| "US".into()),
        currency: member("currency").unwrap_or_else(|| "usd".into()),
        statement_descriptor: member("statement_descriptor"),
    })
}

fn updated_account(http: &Head, body: &[u8]) -> Result<UpdatedAccount, OperatorError> {
    let request = object(http, body)?;
    known_members(&request, &["set", "live"])?;
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Value::Object(set) = &request["set"] else {
        return Err(OperatorError::Invalid(
            "give what is to change as {\"set\": {\"NAME\": VALUE, …}}".into(),
        ));
    };
    Ok(UpdatedAccount {
        set: set.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        live: request["live"].as_bool(),
    })
}

fn new_key(http: &Head, body: &[u8]) -> Result<NewKey, OperatorError> {
    let request = object(http, body)?;
    known_members(&request, &["publishable", "allow", "live"])?;
    let flag = |name: &str| request[name].as_bool().unwrap_or(false);
    let allow = match &request["allow"] {
        Value::Null => None,
        Value::Array(texts) => Some(
            texts
                .iter()
                .map(|text| text.as_str().unwrap_or("").to_owned())
                .collect(),
        ),
        _ => {
            return Err(OperatorError::Invalid(
                "give permissions as {\"allow\": [\"charges:read\", …]}".into(),
            ));
        }
    };
    Ok(NewKey {
        publishable: flag("publishable"),
        allow,
        live: flag("live"),
    })
}

/// The JSON object of a body. Only `application/json` is taken, which no page of another site may send.
pub(crate) fn object(http: &Head, body: &[u8]) -> Result<Value, OperatorError> {
    if !http.content_type().eq_ignore_ascii_case("application/json") {
        return Err(OperatorError::Invalid(
            "send the body as content-type: application/json".into(),
        ));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(OperatorError::Invalid("the body is no JSON object".into())),
    }
}

fn known_members(request: &Value, known: &[&str]) -> Result<(), OperatorError> {
    let unknown = request
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !known.contains(&name.as_str()));
    match unknown {
        Some((name, _)) => Err(OperatorError::Invalid(format!(
            "there is no {name} here; known are {}",
            known.join(", ")
        ))),
        None => Ok(()),
    }
}

fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value of text and numbers can be written");
    text.push('\n');
    text
}
