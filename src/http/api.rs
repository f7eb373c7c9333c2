//! The API: one dispatch for every operation. It bounds and authenticates a request, has it parsed, hands it to the
//! engine and has the answer rendered. It knows no resource.

use crate::answer::{Answer, Content, Echo, IDEMPOTENCY_KEY, LONG_LINE_PAGE, LimitReason, STRIPE_VERSION, raw};
use crate::authentication::{self, Visit};
use crate::body::{BodyMemory, BodyProblem, read_body};
use crate::caller::{Restricted, browser_form};
use crate::files::{self, PendingBytes};
use crate::multipart::{self, Received};
use crate::pages::Pages;
use crate::rate_limit::{Class, Layer, LocalRateLimiter};
use crate::refused::{ErrorAnswer, Refused, layer_behind, should_retry};
use crate::request_ids::RequestIds;
use crate::server::Dispatch;
use crate::services::Services;
use crate::stream::Substitutes;
use crate::telemetry::{self, Stage, Telemetry, refused};
use crate::watch::Watch;
use actix_http::body::BoxBody;
use actix_http::{HttpMessage, Payload, Request as Http, Response as HttpResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;
use tollgate_actors::clock::unix_ms;
use tollgate_actors::{Client, Refusal, Request, Response, Shown, Waiting};
use tollgate_domain::account_settings::RawCards;
use tollgate_domain::files::file::FILE_BYTES_MAX;
use tollgate_domain::files::file_link::{LINKS_PATH, LinkToken};
use tollgate_domain::object::ShowContext;
use tollgate_domain::payments::authentication::{ActionToken, PAGE_PATH};
use tollgate_domain::{Call, Claim, Profile, Reject, kinds};
use tollgate_resource::operation::Answers;
use tollgate_resource::{Endpoint, Expand, Id, Version};
use tollgate_wire::{FoundPage, Match, Rendering, browser, errors, versions, wording};

/// A body up to this long is read before anything is refused, so that the connection can be used again; a longer one
/// only after its sender is known.
const SMALL_BODY_BYTES: u64 = 16 << 10;

/// Room for one rendered object.
const OBJECT_BYTES: usize = 4 << 10;

/// Longest idempotency key, in characters.
const KEY_CHARS_MAX: usize = errors::IDEMPOTENCY_KEY_LEN_MAX;

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
}

/// What is known of a request so far.
struct Exchange {
    echo: Echo,
    now_ms: u64,
    endpoint: Option<&'static Endpoint<Call>>,
    /// Whether it is a POST of a known operation.
    posts: bool,
    /// Whether it is of an account in live mode.
    livemode: bool,
    /// Whether a page in a payer's browser asks.
    by_browser: bool,
}

/// What a request is about.
enum Addressed<'p> {
    /// An operation.
    Operation(Match<'p>),
    /// Something that needs no key, or no answer from the engine.
    Page(Box<Answer>),
    /// The page of an action.
    Action(Box<ActionToken>),
    /// A file, under an address that needs no key.
    Link(Box<LinkToken>),
}

/// Who asks, and how.
struct Asked<'k> {
    profile: Arc<Profile>,
    version: Version,
    key: Option<&'k str>,
    restricted: Option<Box<Restricted>>,
}

impl Dispatch for Api {
    async fn dispatch(&self, http: Http, mut payload: Payload, watch: &Watch) -> HttpResponse<BoxBody> {
        let began = Instant::now();
        let now_ms = unix_ms();
        let request = self.ids.borrow_mut().next(now_ms);
        let version = HeaderValue::from_static(versions::name(versions::DEFAULT));
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
            posts: false,
            livemode: false,
            by_browser: false,
        };
        let answer = {
            let mut work = pin!(self.answer(http, &mut payload, watch, &mut exchange, began));
            // A request that meets a bug must not take its worker, and all of its connections, along.
            poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
                Ok(poll) => poll.map(Ok),
                Err(_) => Poll::Ready(Err(())),
            })
            .await
        };
        let answer = answer.unwrap_or_else(|()| {
            let operation = exchange.endpoint.map_or("none", |endpoint| endpoint.name);
            tracing::error!(operation, "request handler panicked");
            self.refusal(errors::internal().into(), request)
        });
        let operation = exchange.endpoint.map(|endpoint| endpoint.name);
        let status = answer.status;
        let took = began.elapsed();
        self.telemetry.answered(operation, status, took);
        tracing::debug!(
            operation = operation.unwrap_or("none"),
            status,
            took_us = took.as_micros() as u64,
            request = %request.text(&kinds::REQUEST),
            "answered"
        );
        answer.into_response(exchange.echo)
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
            services,
        }
    }

    async fn answer(
        &self,
        http: Http,
        payload: &mut Payload,
        watch: &Watch,
        exchange: &mut Exchange,
        began: Instant,
    ) -> Answer {
        match self.run(http, payload, watch, exchange, began).await {
            Ok(answer) => answer,
            Err(refused) => self.refusal(refused, exchange.echo.request),
        }
    }

    /// The way of a request. Little is kept across its waits: the memory of this future is that of every request inside.
    async fn run(
        &self,
        http: Http,
        payload: &mut Payload,
        watch: &Watch,
        exchange: &mut Exchange,
        began: Instant,
    ) -> Result<Answer, Refused> {
        if http.uri().path_and_query().map_or(0, |target| target.as_str().len()) > self.services.bounds.line_bytes_max {
            return Err(Refused::LongLine);
        }
        let length = content_length(&http);
        let bytes_max = self.body_bytes_max(&http, length);
        if length.is_some_and(|length| length > bytes_max as u64) {
            return Err(Refused::ending(errors::body_too_large()));
        }
        let early = match length {
            Some(length) if length <= SMALL_BODY_BYTES => {
                Some(self.body(payload, Some(length), bytes_max, watch).await?)
            }
            _ => None,
        };
        let matched = match self.addressed(&http, exchange)? {
            Addressed::Operation(matched) => matched,
            Addressed::Page(answer) => return Ok(*answer),
            Addressed::Link(token) => {
                let (now_ms, request) = (exchange.now_ms, exchange.echo.request);
                return Box::pin(files::visit(&self.services, &self.client, *token, now_ms, request)).await;
            }
            Addressed::Action(token) => {
                let visit = if http.method() == Method::POST {
                    let body = match early {
                        Some(body) => body,
                        None => self.body(payload, length, bytes_max, watch).await?,
                    };
                    Visit::Press(body.to_vec())
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
            .caller(
                &http,
                &matched,
                early.as_deref(),
                exchange.echo.request,
                exchange.now_ms,
            )
            .await?;
        let version = self.version(&http, &caller.profile, exchange)?;
        self.limit(&caller.profile, matched.number(), began, exchange)?;
        exchange.by_browser = caller.by_browser;
        let key = exchange.posts.then(|| http.headers().get(IDEMPOTENCY_KEY));
        let key = key.flatten().map(idempotency_key).transpose()?;
        let body = match early {
            Some(body) => body,
            None => self.body(payload, length, bytes_max, watch).await?,
        };
        let asked = Asked {
            profile: caller.profile,
            restricted: caller.restricted,
            version,
            key,
        };
        if let Some(param) = multipart::file_param(matched.endpoint()) {
            // Rare, and it waits for a disk: in a box, as above.
            return Box::pin(self.upload(&http, &matched, body, param, asked, exchange)).await;
        }
        let form = form_of(&http, exchange.posts, &body)?;
        let waiting = self.begin(&http, &matched, form, asked, exchange)?;
        // While the engine works, the head's memory serves the next request of some other connection.
        drop((matched, body));
        drop(http);
        let response = waiting.await?;
        if let Some(contents) = contents_asked(exchange.endpoint, &response) {
            return Box::pin(files::contents(&self.services, contents)).await;
        }
        Ok(self.rendering.measure(|| self.rendered(&response, exchange)))
    }

    /// An upload: its bytes are durable before the engine hears of them.
    async fn upload(
        &self,
        http: &Http,
        matched: &Match<'_>,
        body: bytes::Bytes,
        param: &str,
        asked: Asked<'_>,
        exchange: &mut Exchange,
    ) -> Result<Answer, Refused> {
        let Received { form, file } = multipart::read(http, &body, param)?;
        // What is wrong is refused before anything is kept.
        let parsed = self
            .services
            .edge
            .parse(matched, &form, asked.version, &self.services.secrets);
        parsed.map_err(Refused::from)?;
        let pending = file.as_ref().map(|(_, digest)| PendingBytes {
            digest: *digest,
            account: asked.profile.key,
            request: exchange.echo.request,
        });
        if let (Some(pending), Some((bytes, _))) = (pending, file)
            && let Err(error) = self.services.files.keep(pending, bytes).await
        {
            tracing::error!(%error, "an upload could not be written");
            return Err(errors::unavailable().into());
        }
        drop(body);
        let waiting = match self.begin(http, matched, Cow::Borrowed(&form), asked, exchange) {
            Ok(waiting) => waiting,
            Err(refused) => {
                // It never left, so no record will name the bytes.
                if let Some(pending) = pending {
                    self.services.files.settle(pending, false).await;
                }
                return Err(refused);
            }
        };
        let response = waiting.await?;
        if let Some(pending) = pending {
            self.services.files.settle(pending, response.result.is_ok()).await;
        }
        Ok(self.rendering.measure(|| self.rendered(&response, exchange)))
    }

    /// Longest body of a request: uploads may be longer than others.
    fn body_bytes_max(&self, http: &Http, length: Option<u64>) -> usize {
        let usual = self.services.bounds.body_bytes_max;
        if http.method() != Method::POST || length.is_some_and(|length| length <= usual as u64) {
            return usual;
        }
        let matched = self.services.edge.route("POST", http.path());
        match matched.and_then(|matched| multipart::file_param(matched.endpoint())) {
            Some(_) => usual.max((FILE_BYTES_MAX + multipart::OVERHEAD_BYTES_MAX) as usize),
            None => usual,
        }
    }

    /// What the request is about, by method and path.
    fn addressed<'p>(&self, http: &'p Http, exchange: &mut Exchange) -> Result<Addressed<'p>, Refused> {
        let method = match *http.method() {
            Method::GET | Method::HEAD => "GET",
            Method::POST => "POST",
            Method::DELETE => "DELETE",
            Method::OPTIONS => {
                return Ok(Addressed::Page(Box::new(Answer {
                    names_methods: true,
                    ..Answer::new(204, Content::Json, "")
                })));
            }
            // Methods of other resources' history are unknown operations; anything else is no method at all.
            Method::PUT | Method::PATCH => {
                return Err(errors::unrecognized_url(http.method().as_str(), http.path()).into());
            }
            _ => return Err(errors::method_not_allowed(http.method().as_str()).into()),
        };
        if let Some(page) = self.page(method, http.path()) {
            return Ok(Addressed::Page(Box::new(page)));
        }
        let Some(matched) = self.services.edge.route(method, http.path()) else {
            let token = http.path().strip_prefix(PAGE_PATH).filter(|_| method != "DELETE");
            if let Some(token) = token.and_then(|text| ActionToken::parse(text, &self.services.secrets)) {
                return Ok(Addressed::Action(Box::new(token)));
            }
            let link = http.path().strip_prefix(LINKS_PATH).filter(|_| method == "GET");
            if let Some(token) = link.and_then(|text| LinkToken::parse(text, &self.services.secrets)) {
                return Ok(Addressed::Link(Box::new(token)));
            }
            return Err(errors::unrecognized_url(http.method().as_str(), http.path()).into());
        };
        exchange.endpoint = Some(matched.endpoint());
        exchange.posts = method == "POST";
        exchange.echo.remembers = exchange.posts;
        // A DELETE takes no key, but says it again.
        if method != "GET" {
            exchange.echo.key = http.headers().get(IDEMPOTENCY_KEY).cloned();
        }
        Ok(Addressed::Operation(matched))
    }

    /// Parses a request and hands it to the engine.
    fn begin(
        &self,
        http: &Http,
        matched: &Match<'_>,
        mut form: Cow<'_, [u8]>,
        asked: Asked<'_>,
        exchange: &mut Exchange,
    ) -> Result<Waiting, Refused> {
        let Asked {
            profile,
            version,
            key,
            restricted,
        } = asked;
        if exchange.by_browser {
            form = Cow::Owned(browser_form(&form, matched, &self.services.secrets)?);
        }
        let services = &self.services;
        let parsed = self.parsing.measure(|| {
            services
                .edge
                .parse(matched, &form, version, &services.secrets)
                .map_err(Refused::from)
        })?;
        let refuses_numbers = profile.settings().raw_cards == RawCards::Refused;
        if parsed.brings_card_number && refuses_numbers && !exchange.by_browser {
            return Err(errors::raw_cards_refused().into());
        }
        if let Some(restricted) = restricted {
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
            (tollgate_actors::key_hash(&self.services.secrets, key), claim)
        });
        exchange.livemode = profile.livemode;
        let request = Request {
            profile,
            call: parsed.call,
            request: exchange.echo.request,
            version,
            expand: parsed.expand,
            claim,
        };
        self.client.begin(request).map_err(|refusal| {
            // Requests that find no room on the node begin a surge; an account that fills its own share does not.
            if let Refusal::Overloaded { by_account: false, .. } = refusal {
                self.services.limiter.overloaded();
            }
            refusal.into()
        })
    }

    /// Pages that need no key.
    fn page(&self, method: &str, path: &str) -> Option<Answer> {
        if method != "GET" {
            return None;
        }
        match path {
            "/healthz" => Some(Answer::new(200, Content::Json, "{\"status\": \"alive\"}\n")),
            "/readyz" => Some(self.services.readiness()),
            "/openapi.json" => Some(Answer::new(200, Content::Json, self.pages.openapi.clone())),
            "/docs" => Some(Answer::new(200, Content::Html, self.pages.reference.clone())),
            _ => None,
        }
    }

    async fn body(
        &self,
        payload: &mut Payload,
        length: Option<u64>,
        bytes_max: usize,
        watch: &Watch,
    ) -> Result<bytes::Bytes, Refused> {
        let read = read_body(payload, length, bytes_max, &self.memory, watch).await;
        read.map_err(|problem| match problem {
            BodyProblem::TooLarge => Refused::ending(errors::body_too_large()),
            BodyProblem::TooSlow => Refused::ending(errors::request_timeout()),
            BodyProblem::Broken => Refused::ending(errors::malformed("the body ended before its announced length.")),
            BodyProblem::NoMemory => Refused::limited(errors::overloaded(), LimitReason::Concurrency, 1),
        })
    }

    fn version(&self, http: &Http, profile: &Profile, exchange: &mut Exchange) -> Result<Version, Refused> {
        let version = match http.headers().get(STRIPE_VERSION) {
            None => profile.api_version,
            Some(header) => match header.to_str().ok().and_then(|text| versions::parse(text.trim())) {
                Some(version) => version,
                None => {
                    exchange.echo.version = without_card_numbers(header);
                    return Err(errors::unknown_version(&String::from_utf8_lossy(header.as_bytes())).into());
                }
            },
        };
        exchange.echo.version = HeaderValue::from_static(versions::name(version));
        Ok(version)
    }

    fn limit(&self, profile: &Profile, operation: usize, now: Instant, exchange: &mut Exchange) -> Result<(), Refused> {
        let class = self.classes[operation];
        match self.limiter.borrow_mut().take(profile.key.0, class, now) {
            Ok(left) => {
                exchange.echo.left = left;
                Ok(())
            }
            Err(limited) => {
                exchange.echo.left = limited.left;
                let reason = match limited.layer {
                    Layer::Node | Layer::Account | Layer::Surge => LimitReason::Rate,
                    Layer::Class => LimitReason::EndpointRate,
                };
                telemetry::limited(limited.layer);
                // Whole seconds, never too few, and at least one.
                let seconds = limited.wait.as_millis().div_ceil(1_000).max(1);
                let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                Err(Refused::limited(errors::rate_limited(), reason, seconds))
            }
        }
    }

    fn rendered(&self, response: &Response, exchange: &mut Exchange) -> Answer {
        let rendering = Rendering {
            show: ShowContext {
                secrets: &self.services.secrets,
                clock_ms: response.clock_ms,
                livemode: exchange.livemode,
                version_name: versions::name(response.version),
                public_url: &self.services.public_url,
            },
            version: response.version,
            revision: response.revision,
            expand: &response.expand,
            attached: &response.attached,
        };
        let (status, body) = match &response.result {
            Ok(Shown::One(item)) => {
                let mut body = Vec::with_capacity(OBJECT_BYTES);
                rendering.item(item, &mut body);
                (200, body)
            }
            Ok(Shown::Page {
                url,
                items,
                has_more,
                total_count,
            }) => {
                let mut body = Vec::with_capacity(OBJECT_BYTES * (items.len() + 1));
                rendering.list(url, items, *has_more, *total_count, &mut body);
                (200, body)
            }
            Ok(Shown::Found {
                url,
                items,
                next_page,
                total_count,
            }) => {
                let mut body = Vec::with_capacity(OBJECT_BYTES * (items.len() + 1));
                let found = FoundPage {
                    url,
                    items,
                    next_page: next_page.as_deref(),
                    total_count: *total_count,
                };
                rendering.found(&found, &mut body);
                (200, body)
            }
            Err(reject) => {
                refused(layer_behind(reject));
                let mut body = Vec::with_capacity(OBJECT_BYTES);
                rendering.reject(
                    reject,
                    Some(response.replayed.unwrap_or(exchange.echo.request)),
                    &mut body,
                );
                (reject.status, body)
            }
        };
        let mut body = body;
        if exchange.by_browser {
            browser::for_browsers(&mut body);
        }
        exchange.echo.version = HeaderValue::from_static(versions::name(response.version));
        Answer {
            replayed: response.replayed,
            should_retry: should_retry(status, exchange.posts && response.began),
            limited: (status == 429).then_some((LimitReason::Concurrency, 1)),
            ..Answer::new(status, Content::Json, body)
        }
    }

    fn refusal(&self, refusal: Refused, request: Id) -> Answer {
        let ErrorAnswer {
            reject,
            limited,
            closes,
            layer,
        } = match refusal {
            Refused::Error(error) => *error,
            Refused::LongLine => {
                refused("edge");
                return Answer {
                    closes: true,
                    ..Answer::new(414, Content::Html, LONG_LINE_PAGE)
                };
            }
        };
        layer.into_iter().for_each(refused);
        let body = self.error_body(&reject, Some(request));
        Answer {
            should_retry: should_retry(reject.status, false),
            limited,
            closes,
            names_methods: reject.status == 405,
            ..Answer::new(reject.status, Content::Json, body)
        }
    }

    /// The body of a refusal by the edge, which embeds no object.
    fn error_body(&self, reject: &Reject, request: Option<Id>) -> Vec<u8> {
        let rendering = Rendering {
            show: ShowContext {
                secrets: &self.services.secrets,
                clock_ms: 0,
                livemode: false,
                version_name: versions::name(versions::DEFAULT),
                public_url: &self.services.public_url,
            },
            version: versions::DEFAULT,
            revision: tollgate_domain::SHAPE_REVISION,
            expand: Expand::NONE,
            attached: &[],
        };
        let mut body = Vec::with_capacity(OBJECT_BYTES / 4);
        rendering.reject(reject, request, &mut body);
        body
    }
}

/// What the file holds that an operation answers with, where it answers with bytes.
fn contents_asked<'r>(
    endpoint: Option<&'static Endpoint<Call>>,
    response: &'r Response,
) -> Option<&'r tollgate_domain::files::file::FileContents> {
    match (endpoint?.answers, &response.result) {
        (Answers::Contents(_), Ok(Shown::One(tollgate_domain::Item::Object(object)))) => object.contents(),
        _ => None,
    }
}

fn content_length(http: &Http) -> Option<u64> {
    let header = http.headers().get(header::CONTENT_LENGTH)?;
    header.to_str().ok()?.trim().parse().ok()
}

fn idempotency_key(header: &HeaderValue) -> Result<&str, Refused> {
    let Ok(key) = std::str::from_utf8(header.as_bytes()) else {
        return Err(errors::malformed("the Idempotency-Key header is not valid UTF-8.").into());
    };
    match key.trim().chars().count() {
        0 => Err(errors::idempotency_key_empty().into()),
        1..=KEY_CHARS_MAX => Ok(key.trim()),
        length => Err(errors::idempotency_key_too_long(length).into()),
    }
}

/// The pairs of a request: the query of a read; the body of a change, after a query if there is one.
fn form_of<'a>(http: &'a Http, posts: bool, body: &'a [u8]) -> Result<Cow<'a, [u8]>, Refused> {
    let query = http.uri().query().unwrap_or("").as_bytes();
    if !posts {
        return Ok(Cow::Borrowed(query));
    }
    if body.is_empty() {
        return Ok(Cow::Borrowed(query));
    }
    if let Some(encoding) = http
        .headers()
        .get(header::CONTENT_ENCODING)
        .filter(|value| *value != "identity")
    {
        let given = format!("content-encoding {}", String::from_utf8_lossy(encoding.as_bytes()));
        return Err(errors::content_type(&given).into());
    }
    let content_type = http.content_type();
    if !content_type.is_empty() && !content_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(errors::content_type(content_type).into());
    }
    if query.is_empty() {
        Ok(Cow::Borrowed(body))
    } else {
        Ok(Cow::Owned([query, b"&", body].concat()))
    }
}

/// A header's value as an answer may repeat it.
fn without_card_numbers(header: &HeaderValue) -> HeaderValue {
    let shown = header.to_str().map(wording::without_card_numbers);
    let shown = shown.ok().and_then(|text| HeaderValue::from_str(text.as_ref()).ok());
    shown.unwrap_or_else(|| header.clone())
}
