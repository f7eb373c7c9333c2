//! The API: one dispatch for every operation. It bounds and authenticates a request, has it parsed, hands it to the
//! engine and has the answer rendered. It knows no resource.
//!
//! Here is the way of a request; its steps are beside it: what it is about ([`addressed`]), who asks and how ([`asked`];
//! the key is [`crate::caller`]'s), what it sends ([`form`]), what a few need besides the engine ([`besides`]), what it hears
//! ([`rendered`]), and how it goes to another node ([`sending`]).

mod addressed;
mod asked;
mod besides;
mod form;
mod rendered;
mod sending;

use self::addressed::Addressed;
use self::asked::{Asked, idempotency_key, page_version};
use self::form::{content_length, form_of};
use self::rendered::contents_asked;
use crate::answer::{Answer, Content, Echo, LONG_LINE_PAGE, raw};
use crate::authentication::{self, Visit};
use crate::body::{Body, BodyMemory, Incoming};
use crate::caller::{Bound, browser_form};
use crate::deliveries::DeliveryQuestion;
use crate::files;
use crate::forward::{Came, NodeClient};
use crate::head::{Head, Known};
use crate::json_form;
use crate::multipart;
use crate::pages::Pages;
use crate::rate_limit::{Class, LocalRateLimiter};
use crate::receipts;
use crate::refused::Refused;
use crate::request_ids::RequestIds;
use crate::server::Dispatch;
use crate::services::Services;
use crate::stream::Substitutes;
use crate::telemetry::{Stage, Telemetry};
use crate::watch::Watch;
use crate::webhook_urls;
use actix_web::http::Method;
use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tollgate_actors::clock::unix_ms;
use tollgate_actors::{Client, Refusal, Request, Waiting};
use tollgate_domain::account_settings::RawCards;
use tollgate_domain::call::Read;
use tollgate_domain::webhooks::webhook_endpoint::Vetted;
use tollgate_domain::{AccountKey, Call, Claim, Command, Profile, Reject, kinds};
use tollgate_resource::{Endpoint, Id, Version};
use tollgate_wire::forms::Filling;
use tollgate_wire::{Match, errors, versions};

/// A body up to this long is read before anything is refused, so that the connection can be used again; a longer one
/// only after its sender is known.
const SMALL_BODY_BYTES: u64 = 16 << 10;

/// The API on one worker thread.
pub(crate) struct Api {
    pub(crate) services: Arc<Services>,
    pub(crate) client: Client,
    ids: RefCell<RequestIds>,
    limiter: RefCell<LocalRateLimiter>,
    /// The class of each operation, by its number.
    classes: Box<[Class]>,
    telemetry: Telemetry,
    parsing: Stage,
    rendering: Stage,
    memory: BodyMemory,
    pages: Arc<Pages>,
    /// Sends requests to other nodes, where there are any.
    nodes: Option<NodeClient>,
}

/// What is known of a request so far.
pub(crate) struct Exchange {
    pub(crate) echo: Echo,
    pub(crate) now_ms: u64,
    endpoint: Option<&'static Endpoint<Call>>,
    /// Whether it is of the second version of the API, whose errors are worded differently.
    second_version: bool,
    /// Whether it is a POST of a known operation.
    posts: bool,
    /// Whether it is of an account in live mode.
    livemode: bool,
    /// The account it is of, once that is known.
    account: AccountKey,
    /// Whose events it reads, if it reads events.
    events_of: Option<Arc<Profile>>,
    /// The version its header names, if it has one.
    asked_version: Option<Version>,
    /// What is asked of whoever delivers events, once the engine has said that there is what it is about.
    delivery: Option<Box<DeliveryQuestion>>,
    /// Whether a page in a payer's browser asks.
    by_browser: bool,
    /// Whether another node sent it: then it goes no further.
    forwarded: bool,
    /// Whether it is known who asks.
    pub(crate) authenticated: bool,
}

impl Exchange {
    /// The id that a refusal says, which only those hear who have a key.
    fn told(&self) -> Option<Id> {
        self.authenticated.then_some(self.echo.request)
    }
}

/// A request with what was read of its body, for as long as it may have to be sent to another node.
struct Whole {
    /// None from when the engine has it, where no other node is.
    head: Option<Head>,
    body: Option<Body>,
}

/// How often a request that found its shard gone, and was not sent anywhere because it had come back, is tried here.
const TURNS_MAX: usize = 4;

impl Dispatch for Api {
    async fn dispatch(&self, http: Head, incoming: Incoming<'_>, watch: &Watch) -> (Answer, Option<Echo>) {
        self.serve(http, incoming, watch, None).await
    }

    fn substitutes(&self) -> Substitutes {
        let json = |status: &str, reject: Reject| raw(status, Content::Json, &self.error_body(&reject, None));
        Substitutes {
            malformed: json("400 Bad Request", errors::malformed("this is not valid HTTP/1.1.")),
            slow: json("408 Request Timeout", errors::request_timeout()),
            long_line: raw("414 URI Too Long", Content::Html, LONG_LINE_PAGE.as_bytes()),
            large_head: json("431 Request Header Fields Too Large", errors::headers_too_large()),
            broken: json("500 Internal Server Error", errors::internal()),
            line_bytes_max: self.services.bounds.line_bytes_max,
        }
    }
}

impl Api {
    /// Answers a request, and says what its answer repeats of it. `came` is what another node says that sent it.
    pub(crate) async fn serve(
        &self,
        http: Head,
        mut incoming: Incoming<'_>,
        watch: &Watch,
        came: Option<Came>,
    ) -> (Answer, Option<Echo>) {
        let began = Instant::now();
        let now_ms = unix_ms();
        let request = match &came {
            None => self.ids.borrow_mut().next(now_ms),
            Some(came) => came.request,
        };
        let version = versions::name(versions::DEFAULT).as_bytes().into();
        let mut exchange = Exchange {
            echo: Echo {
                request,
                version,
                key: None,
                remembers: false,
                left: None,
            },
            now_ms,
            endpoint: None,
            second_version: json_form::is_second_version(http.path()),
            posts: false,
            livemode: false,
            account: AccountKey::NOBODY,
            events_of: None,
            asked_version: None,
            delivery: None,
            by_browser: false,
            forwarded: came.is_some(),
            authenticated: false,
        };
        let mut whole = Whole {
            head: Some(http),
            body: None,
        };
        let mut turns = 0;
        let answer = loop {
            let ran = {
                let mut work = pin!(self.run(&mut whole, &mut incoming, watch, &mut exchange, began));
                // A request that meets a bug must not take its worker, and all of its connections, along.
                poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
                    Ok(poll) => poll.map(Ok),
                    Err(_) => Poll::Ready(Err(())),
                })
                .await
            };
            let shard = match ran {
                Ok(Ok(answer)) => break Ok(answer),
                Ok(Err(Refused::Elsewhere(shard))) if turns < TURNS_MAX => shard,
                Ok(Err(refused)) => {
                    break catch_unwind(AssertUnwindSafe(|| self.refusal(refused, &exchange))).map_err(|_| ());
                }
                Err(()) => break Err(()),
            };
            turns += 1;
            // In a box, so that the futures of requests that are answered here have no room for it.
            let mut sending = Box::pin(self.send_on(shard, &mut whole, &mut incoming, watch, &exchange));
            let sent = poll_fn(
                |cx| match catch_unwind(AssertUnwindSafe(|| sending.as_mut().poll(cx))) {
                    Ok(poll) => poll.map(Ok),
                    Err(_) => Poll::Ready(Err(())),
                },
            )
            .await;
            match sent {
                Ok(Ok(Some(answer))) => break Ok(answer),
                // The shard is here by now.
                Ok(Ok(None)) => {}
                Ok(Err(refused)) => break Ok(self.refusal(refused, &exchange)),
                Err(()) => break Err(()),
            }
        };
        let answer = answer.unwrap_or_else(|()| {
            let operation = exchange.endpoint.map_or("none", |endpoint| endpoint.name);
            tracing::error!(operation, request = %request.text(&kinds::REQUEST), "request handler panicked");
            self.refusal(errors::internal().into(), &exchange)
        });
        let operation = exchange.endpoint.map(|endpoint| endpoint.name);
        let status = answer.status;
        let took = began.elapsed();
        // What another node answered is counted there.
        let by_other = answer.relayed.is_some();
        if !by_other {
            self.telemetry.answered(operation, status, took);
        }
        tracing::debug!(
            operation = operation.unwrap_or("none"),
            status,
            took_us = took.as_micros() as u64,
            request = %request.text(&kinds::REQUEST),
            client = ?came.as_ref().and_then(|came| came.client),
            by_other,
            "answered"
        );
        (answer, Some(exchange.echo))
    }

    /// The API for the thread that calls this.
    pub(crate) fn new(services: Arc<Services>, pages: Arc<Pages>) -> Api {
        let seed = getrandom::u64().expect("the operating system gives entropy");
        Api {
            client: services.engine.client(),
            ids: RefCell::new(RequestIds::new(seed)),
            limiter: RefCell::new(LocalRateLimiter::new(Arc::clone(&services.limiter))),
            classes: services.edge.operations().map(Class::of).collect(),
            telemetry: Telemetry::default(),
            parsing: Stage::new("parse"),
            rendering: Stage::new("render"),
            memory: BodyMemory::new(services.bounds.body_bytes_in_flight_max),
            pages,
            nodes: services.nodes.as_ref().map(|nodes| NodeClient::new(&nodes.bounds)),
            services,
        }
    }

    /// The way of a request. Little is kept across its waits: the memory of this future is that of every request inside.
    async fn run(
        &self,
        whole: &mut Whole,
        incoming: &mut Incoming<'_>,
        watch: &Watch,
        exchange: &mut Exchange,
        began: Instant,
    ) -> Result<Answer, Refused> {
        let Whole { head, body: kept } = whole;
        let http = head.as_ref().expect("it is there until the engine has the request");
        if http.target_len() > self.services.bounds.line_bytes_max {
            return Err(Refused::LongLine);
        }
        let length = content_length(http);
        let bytes_max = self.body_bytes_max(http, length);
        if length.is_some_and(|length| length > bytes_max as u64) {
            return Err(Refused::ending(errors::body_too_large()));
        }
        let early = match (kept.as_ref(), length) {
            (Some(body), _) => Some(body.again()),
            (None, Some(length)) if length <= SMALL_BODY_BYTES => {
                Some(self.body(incoming, Some(length), bytes_max, watch).await?)
            }
            (None, _) => None,
        };
        if self.nodes.is_some() {
            *kept = early.as_ref().map(Body::again);
        }
        let matched = match self.addressed(http, exchange)? {
            Addressed::Operation(matched) => matched,
            Addressed::Page(answer) => return Ok(*answer),
            Addressed::Link(token) => {
                Box::pin(self.belongs_here(AccountKey::of(token.account, token.livemode))).await?;
                let (now_ms, request) = (exchange.now_ms, exchange.echo.request);
                return Box::pin(files::visit(&self.services, &self.client, *token, now_ms, request)).await;
            }
            Addressed::Receipt(token) => {
                Box::pin(self.belongs_here(token.account)).await?;
                let request = exchange.echo.request;
                return Box::pin(receipts::visit(&self.services, &self.client, *token, request)).await;
            }
            Addressed::Action(token) => {
                // Test cards are known in test mode only.
                Box::pin(self.belongs_here(AccountKey::of(token.account, false))).await?;
                let visit = if *http.method() == Method::POST {
                    let body = match early {
                        Some(body) => body,
                        None => {
                            let body = self.body(incoming, length, bytes_max, watch).await?;
                            *kept = Some(body.again());
                            body
                        }
                    };
                    Visit::Press(body.of(http).to_vec())
                } else {
                    Visit::Look
                };
                let request = exchange.echo.request;
                // Rare: in a box, so that other requests' futures have no room for it.
                return Box::pin(authentication::visit(
                    &self.services,
                    &self.client,
                    *token,
                    visit,
                    request,
                ))
                .await;
            }
        };
        let caller = self
            .caller(http, &matched, early.as_ref().map(|body| body.of(http)), exchange)
            .await?;
        self.is_here(caller.profile.key)?;
        let version = self.version(http, caller.version(), exchange)?;
        self.limit(&caller.profile, matched.number(), began, exchange)?;
        exchange.by_browser = caller.by_browser;
        let key = exchange.posts.then(|| http.get(Known::IdempotencyKey));
        let key = key.flatten().map(idempotency_key).transpose()?;
        let body = match early {
            Some(body) => body,
            None => {
                let body = self.body(incoming, length, bytes_max, watch).await?;
                if self.nodes.is_some() {
                    *kept = Some(body.again());
                }
                body
            }
        };
        // Where the node is full, half of what a refusal would cost is the form that nobody needs to read.
        self.client.room().map_err(|refusal| self.refused_inside(refusal))?;
        let asked = Asked {
            profile: caller.profile,
            bound: caller.bound,
            version,
            key,
            vetted: Vetted::Unseen,
        };
        if let Some(param) = multipart::file_param(matched.endpoint()) {
            // Rare, and it waits for a disk: in a box, as above.
            return Box::pin(self.upload(http, &matched, body.shared(http), param, asked, exchange)).await;
        }
        let form = form_of(http, exchange.posts, body.of(http))?;
        let asked = if webhook_urls::names_url(matched.endpoint()) {
            // Rare, and it waits for a resolver: in a box, as above.
            Box::pin(self.vetted(&matched, &form, asked)).await?
        } else {
            asked
        };
        let waiting = self.begin(http, &matched, form, asked, exchange)?;
        // While the engine works, the head's memory serves the next request of some other connection.
        drop((matched, body));
        if self.nodes.is_none() {
            *head = None;
        }
        let mut response = waiting.await?;
        if let Some(question) = exchange.delivery.take() {
            // Rare: in a box, as above.
            response = Box::pin(self.delivered(*question, response, exchange)).await?;
        }
        if let Some(contents) = contents_asked(exchange.endpoint, &response) {
            return Box::pin(files::contents(&self.services, contents)).await;
        }
        Ok(self.rendering.measure(|| self.rendered(&response, exchange)))
    }

    /// Parses a request and hands it to the engine.
    fn begin(
        &self,
        http: &Head,
        matched: &Match<'_>,
        mut form: Cow<'_, [u8]>,
        asked: Asked<'_>,
        exchange: &mut Exchange,
    ) -> Result<Waiting, Refused> {
        let Asked {
            profile,
            mut version,
            key,
            bound,
            vetted,
        } = asked;
        if exchange.by_browser {
            let page = browser_form(&form, matched, &self.services.secrets, http)?;
            if let (Some(named), None) = (page.version, exchange.asked_version) {
                version = page_version(&named, exchange)?;
            }
            form = Cow::Owned(page.form);
        }
        let services = &self.services;
        let may_say = |said: &Filling<'_>| match &bound {
            Some(Bound::Customers(customers)) => customers.may_say(said),
            _ => Ok(()),
        };
        let parsed = self.parsing.measure(|| {
            services
                .edge
                .parse_held(matched, &form, version, &services.secrets, Some(&may_say))
                .map_err(Refused::from)
        })?;
        let refuses_numbers = profile.settings().raw_cards == RawCards::Refused;
        if parsed.brings_card_number && refuses_numbers && !exchange.by_browser {
            return Err(errors::raw_cards_refused().into());
        }
        if let Some(Bound::Restricted(restricted)) = &bound {
            restricted.may_expand(&parsed.expand)?;
        }
        let claim = key.map(|key| {
            let claim = Claim {
                key: key.into(),
                fingerprint: parsed.fingerprint,
                endpoint: parsed.endpoint_hash,
                path: http.path().into(),
                request: exchange.echo.request,
                version: version.0,
                expand: parsed.expand.paths(),
                created_ms: exchange.now_ms,
            };
            (tollgate_actors::key_hash(&self.services.secrets, key), Arc::new(claim))
        });
        exchange.livemode = profile.livemode;
        exchange.account = profile.key;
        exchange.events_of = reads_events(&parsed.call).then(|| Arc::clone(&profile));
        let mut request = Request {
            profile,
            call: match parsed.call {
                Call::Write(Command::ConfirmPaymentIntent(id, asked)) if exchange.by_browser => {
                    Call::Write(Command::ConfirmInBrowser(id, asked))
                }
                mut call => {
                    if vetted != Vetted::Unseen {
                        webhook_urls::tell(&mut call, vetted);
                    }
                    call
                }
            },
            request: exchange.echo.request,
            version,
            expand: parsed.expand,
            claim,
        };
        if matches!(request.call, Call::Delivery(_)) {
            exchange.delivery = DeliveryQuestion::taken_from(&mut request).map(Box::new);
        }
        self.client
            .begin(request)
            .map_err(|refusal| self.refused_inside(refusal))
    }

    /// What a request hears that the engine did not take.
    fn refused_inside(&self, refusal: Refusal) -> Refused {
        // Requests that find no room on the node begin a surge; an account that fills its own share does not.
        if let Refusal::Overloaded { by_account: false, .. } = refusal {
            self.services.limiter.overloaded();
        }
        refusal.into()
    }
}

/// Whether a call is answered with events.
fn reads_events(call: &Call) -> bool {
    match call {
        Call::Read(Read::Object(kind, ..)) => **kind == kinds::EVENT,
        Call::List(query) => *query.kind == kinds::EVENT,
        Call::Delivery(asked) => *asked.kind == kinds::EVENT,
        _ => false,
    }
}
