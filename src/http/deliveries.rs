//! What is asked of whoever delivers events: this room knows it only as [`Deliveries`]. A merchant's question goes to the
//! engine first, which says whether the account has what it is about; an operator's goes past it.

use crate::operator::OperatorError;
use crate::services::Services;
use serde_json::{Value, json};
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tollgate_actors::clock::unix_ms;
use tollgate_actors::{Response, Shown};
use tollgate_domain::object::ShowContext;
use tollgate_domain::webhooks::deliveries::{DeliveryAsked, DeliveryCall};
use tollgate_domain::{Call, Profile, Reject, SHAPE_REVISION, kinds};
use tollgate_resource::{Expand, Id};
use tollgate_wire::{Rendering, errors, versions};

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whoever delivers events.
pub trait Deliveries: Send + Sync {
    /// Answers a question about an account. Of [`DeliveryAsked::Resend`] only a refusal is told. Ends in bounded time.
    fn ask(&self, profile: Arc<Profile>, call: DeliveryCall) -> Later<'_, Result<Shown, Reject>>;

    /// How the lanes of this process do that are furthest behind, the worst first:
    /// `[{"endpoint": "we_…", "shard": 3, "state": "sending", …}, …]`.
    fn lanes(&self, limit: usize) -> Later<'_, Result<Vec<Value>, String>>;
}

/// A question of a merchant, kept until the engine has answered.
pub(crate) struct DeliveryQuestion {
    /// Whose.
    pub(crate) profile: Arc<Profile>,
    /// What.
    pub(crate) call: DeliveryCall,
}

/// Most lanes that are listed, and how many without a wish.
const LANES_MAX: usize = 1_000;
const LANES_DEFAULT: usize = 50;

/// What a merchant hears: `found` is what the engine said of the object that the question is about.
pub(crate) async fn answer(services: &Services, question: DeliveryQuestion, found: Box<Response>) -> Box<Response> {
    if found.result.is_err() {
        return found;
    }
    let DeliveryQuestion { profile, call } = question;
    let resends = matches!(call.asked, DeliveryAsked::Resend(_));
    let Some(deliveries) = &services.deliveries else {
        let result = Err(errors::unavailable());
        return Box::new(Response { result, ..*found });
    };
    match deliveries.ask(profile, call).await {
        // The event itself is the answer.
        Ok(_) if resends => found,
        result => Box::new(Response {
            result,
            attached: Vec::new(),
            ..*found
        }),
    }
}

/// How the lanes of this node do: `{"lanes": […]}`.
pub(crate) async fn lanes(services: &Services, query: &str) -> Result<Value, OperatorError> {
    let limit = match query.strip_prefix("limit=") {
        None if query.is_empty() => LANES_DEFAULT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LANES_MAX).contains(limit))
            .ok_or_else(|| OperatorError::Invalid(format!("limit must be a number from 1 to {LANES_MAX}")))?,
        None => {
            return Err(OperatorError::Invalid(format!(
                "there is no {query} here; known is limit"
            )));
        }
    };
    let lanes = port(services)?.lanes(limit).await.map_err(OperatorError::Unavailable)?;
    Ok(json!({ "lanes": lanes }))
}

/// An operator's question about an endpoint: the same operations and parameters as merchants have below
/// `/v1/webhook_endpoints/{webhook_endpoint}`, and `resend` with an event.
pub(crate) async fn operate(
    services: &Services,
    endpoint: &str,
    rest: &[&str],
    given: Given<'_>,
) -> Result<Value, OperatorError> {
    let id = kinds::WEBHOOK_ENDPOINT.parse(endpoint).ok_or_else(|| {
        OperatorError::Invalid(format!("{endpoint} is no id of a webhook endpoint; it begins with we_"))
    })?;
    let call = match (rest, &given) {
        (["resend"], Given::Body(body)) => {
            let event = body["event"].as_str().and_then(|text| kinds::EVENT.parse(text));
            let event = event.ok_or_else(|| {
                OperatorError::Invalid("give the event to send again as {\"event\": \"evt_…\"}".to_owned())
            })?;
            DeliveryCall {
                kind: &kinds::EVENT,
                id: event,
                param: "id",
                asked: DeliveryAsked::Resend(Some(id)),
            }
        }
        _ => parsed(services, endpoint, rest, &given)?,
    };
    let deliveries = port(services)?;
    let mut refused = None;
    for profile in owners(services, id).await? {
        let livemode = profile.livemode;
        let key = profile.key;
        match deliveries.ask(profile, call.clone()).await {
            Ok(shown) => {
                let context = ShowContext {
                    secrets: &services.secrets,
                    clock_ms: unix_ms(),
                    livemode,
                    account: key,
                    revision: SHAPE_REVISION,
                    version_name: versions::name(versions::DEFAULT),
                    public_url: &services.public_url,
                };
                return Ok(rendered(context, &shown));
            }
            Err(reject) => refused = Some(reject),
        }
    }
    Err(match refused {
        Some(reject) => told(&reject),
        None => OperatorError::NotFound(format!("no account has the webhook endpoint {endpoint}")),
    })
}

/// What comes with an operator's request.
pub(crate) enum Given<'a> {
    /// The text behind the question mark of a GET.
    Query(&'a str),
    /// The body of a POST.
    Body(Value),
}

fn port(services: &Services) -> Result<&Arc<dyn Deliveries>, OperatorError> {
    services
        .deliveries
        .as_ref()
        .ok_or_else(|| OperatorError::Unavailable("this server delivers no events".to_owned()))
}

/// Reads an operator's question as the merchant's operation of the same name is read.
fn parsed(
    services: &Services,
    endpoint: &str,
    rest: &[&str],
    given: &Given<'_>,
) -> Result<DeliveryCall, OperatorError> {
    let rest = if rest.is_empty() {
        "delivery".to_owned()
    } else {
        rest.join("/")
    };
    let path = format!("/v1/webhook_endpoints/{endpoint}/{rest}");
    let (method, form) = match given {
        Given::Query(query) => ("GET", (*query).to_owned()),
        Given::Body(body) => ("POST", form_of(body)?),
    };
    let unknown = || OperatorError::NotFound(format!("there is no {method} of {rest} of a webhook endpoint"));
    let matched = services.edge.route(method, &path).ok_or_else(unknown)?;
    let parsed = services
        .edge
        .parse(&matched, form.as_bytes(), versions::DEFAULT, &services.secrets);
    match parsed.map_err(|reject| told(&reject))?.call {
        Call::Delivery(call) => Ok(*call),
        _ => Err(unknown()),
    }
}

/// A JSON object as a form: numbers, texts, and lists of texts.
fn form_of(body: &Value) -> Result<String, OperatorError> {
    let mut form = String::new();
    let mut add = |name: &str, value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(OperatorError::Invalid(format!("{name} must be a text or a number"))),
        };
        form.push_str(if form.is_empty() { "" } else { "&" });
        form.push_str(name);
        form.push('=');
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                form.push(char::from(byte));
            } else {
                write!(form, "%{byte:02X}").expect("a text takes everything");
            }
        }
        Ok(())
    };
    for (name, value) in body.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Array(values) => values.iter().try_for_each(|value| add(&format!("{name}[]"), value))?,
            value => add(name, value)?,
        }
    }
    Ok(form)
}

/// The accounts that may have made an id: those with its tag.
async fn owners(services: &Services, id: Id) -> Result<Vec<Arc<Profile>>, OperatorError> {
    let listed = services.directory.list().await;
    let listed = listed.map_err(|error| OperatorError::Unavailable(error.to_string()))?;
    let profiles = listed.into_iter().map(|listing| listing.profile);
    Ok(profiles
        .filter(|profile| profile.key.tag() == id.account_tag())
        .collect())
}

fn told(reject: &Reject) -> OperatorError {
    match reject.status {
        404 => OperatorError::NotFound(reject.message.clone()),
        503 => OperatorError::Unavailable(reject.message.clone()),
        _ => OperatorError::Invalid(reject.message.clone()),
    }
}

fn rendered(context: ShowContext<'_>, shown: &Shown) -> Value {
    let rendering = Rendering {
        show: context,
        version: versions::DEFAULT,
        expand: Expand::NONE,
        attached: &[],
        account: None,
    };
    let mut body = Vec::new();
    match shown {
        Shown::One(item) => rendering.item(item, &mut body),
        Shown::Page {
            url, items, has_more, ..
        } => rendering.list(url, items, *has_more, None, &mut body),
        Shown::Found { .. } => unreachable!("nobody searches among deliveries"),
    }
    serde_json::from_slice(&body).expect("what was written is JSON")
}
