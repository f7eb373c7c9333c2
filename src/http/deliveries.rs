//! What is asked of whoever delivers events: this room knows it only as [`Deliveries`]. A merchant's question goes to the
//! engine first, which says whether the account has what it is about and keeps its key ([`crate::api`]); an operator's goes
//! past it.

use crate::admin::object;
use crate::delivery_desk::DeliveryDesk;
use crate::head::Head;
use crate::json_form;
use crate::operator::OperatorError;
use crate::services::Services;
use actix_web::http::Method;
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tollgate_actors::clock::unix_ms;
use tollgate_actors::{Request, ShardId, Shown};
use tollgate_domain::object::ShowContext;
use tollgate_domain::webhooks::deliveries::{DeliveryAsked, DeliveryCall};
use tollgate_domain::{Call, Command, Profile, Reject, SHAPE_REVISION, kinds};
use tollgate_resource::{Expand, Id};
use tollgate_wire::{Rendering, versions};

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whoever delivers events.
pub trait Deliveries: Send + Sync {
    /// Answers a question about an account. Of [`DeliveryAsked::Resend`] only a refusal is told. Ends in bounded time.
    ///
    /// `first` is the request that asked first under the key that this one is asked under. A job that was begun for it is not
    /// begun again, whatever has restarted since.
    fn ask(&self, profile: Arc<Profile>, call: DeliveryCall, first: Option<Id>) -> Later<'_, Result<Shown, Reject>>;

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
    /// What claims the key that it is asked under.
    pub(crate) claims: Option<Request>,
}

impl DeliveryQuestion {
    /// Takes the question out of a request, which becomes a look at what it is about. The key is claimed once it is known that
    /// there is such a thing.
    pub(crate) fn taken_from(request: &mut Request) -> Option<DeliveryQuestion> {
        let claim = request.claim.take();
        let claims = claim.map(|claim| Request {
            call: Call::Write(Command::AskDeliveries),
            expand: Expand::NONE.clone(),
            claim: Some(claim),
            ..request.clone()
        });
        let Call::Delivery(call) = &request.call else {
            return None;
        };
        let call = DeliveryCall::clone(call);
        request.call = Call::Read(call.about());
        Some(DeliveryQuestion {
            profile: Arc::clone(&request.profile),
            call,
            claims,
        })
    }
}

/// Most lanes that are listed, and how many without a wish.
const LANES_MAX: usize = 1_000;
const LANES_DEFAULT: usize = 50;

/// What the id of an endpoint looks like.
const LIKE_AN_ENDPOINT: &str = "we_0Nt8EFPPevzhnDroyWy4Ft (or ed_… of an event destination)";

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

/// What became of an operator's question.
pub(crate) enum Operated {
    /// It was answered.
    Told(Value),
    /// The account's shard is not here, and nothing was done.
    Elsewhere(ShardId),
}

/// An operator's question about an endpoint, `/admin/webhooks/{endpoint}/…`: the same operations and parameters as merchants
/// have below `/v1/webhook_endpoints/{webhook_endpoint}`, and `resend` with an event.
pub(crate) async fn operate(services: &Services, http: &Head, body: &[u8]) -> Result<Operated, OperatorError> {
    let segments: Vec<&str> = http.path().trim_start_matches('/').split('/').collect();
    let ["admin", "webhooks", endpoint, rest @ ..] = &segments[..] else {
        return Err(OperatorError::NotFound(format!("there is no {}", http.path())));
    };
    let given = match *http.method() {
        Method::POST => Given::Body(object(http, body)?),
        _ => Given::Query(http.query()),
    };
    let id = kinds::WEBHOOK_ENDPOINT.parse(endpoint).ok_or_else(|| {
        OperatorError::Invalid(format!(
            "{endpoint} is no id of a webhook endpoint: a whole one looks like {}",
            LIKE_AN_ENDPOINT
        ))
    })?;
    let call = match (rest, &given) {
        (["resend"], Given::Body(body)) => {
            let event = body["event"].as_str().ok_or_else(|| {
                OperatorError::Invalid("give the event to send again as {\"event\": \"evt_…\"}".to_owned())
            })?;
            let event = kinds::EVENT
                .parse(event)
                .ok_or_else(|| OperatorError::NotFound(format!("No such event: '{event}'")))?;
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
    let (mut refused, mut elsewhere) = (None, None);
    for profile in owners(services, id).await? {
        if let Some(shard) = services.engine.elsewhere(profile.key) {
            elsewhere = Some(shard);
            continue;
        }
        let livemode = profile.livemode;
        let key = profile.key;
        match deliveries.ask(profile, call.clone(), None).await {
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
                return Ok(Operated::Told(rendered(context, &shown)));
            }
            Err(reject) => refused = Some(reject),
        }
    }
    if let Some(shard) = elsewhere {
        return Ok(Operated::Elsewhere(shard));
    }
    Err(match refused {
        Some(reject) => told(&reject),
        None => OperatorError::NotFound(format!("no account has {endpoint}")),
    })
}

/// What comes with an operator's request.
enum Given<'a> {
    /// The text behind the question mark of a GET.
    Query(&'a str),
    /// The body of a POST.
    Body(Value),
}

fn port(services: &Services) -> Result<&Arc<dyn Deliveries>, OperatorError> {
    let desk = services.deliveries.as_ref();
    desk.map(DeliveryDesk::port)
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
        Given::Query(query) => ("GET", query.as_bytes().to_vec()),
        Given::Body(body) => {
            let form = json_form::form_of_value(body).map_err(|why| OperatorError::Invalid(format!("wrong: {why}")))?;
            ("POST", form)
        }
    };
    let unknown = || OperatorError::NotFound(format!("there is no {method} of {rest} of a webhook endpoint"));
    let matched = services.edge.route(method, &path).ok_or_else(unknown)?;
    let parsed = services
        .edge
        .parse(&matched, &form, versions::DEFAULT, &services.secrets);
    match parsed.map_err(|reject| told(&reject))?.call {
        Call::Delivery(call) => Ok(*call),
        _ => Err(unknown()),
    }
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
