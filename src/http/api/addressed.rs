//! What a request is about: an operation, or one of the few addresses that need no key.

use super::{Api, Exchange};
use crate::answer::{Answer, Content};
use crate::head::{Head, Known};
use crate::receipts;
use crate::refused::Refused;
use actix_web::http::Method;
use tollgate_domain::files::file_link::{LINKS_PATH, LinkToken};
use tollgate_domain::kinds::REQUEST;
use tollgate_domain::payments::authentication::{ActionToken, PAGE_PATH};
use tollgate_domain::payments::charge::{RECEIPTS_PATH, ReceiptToken};
use tollgate_wire::request_log::{REQUEST_LOGS_PATH, no_request_page, request_log_page};
use tollgate_wire::{Match, errors};

/// What a request is about.
pub(super) enum Addressed<'p> {
    /// An operation.
    Operation(Match<'p>),
    /// Something that needs no key, or no answer from the engine.
    Page(Box<Answer>),
    /// The page of an action.
    Action(Box<ActionToken>),
    /// A file, under an address that needs no key.
    Link(Box<LinkToken>),
    /// The receipt of a charge.
    Receipt(Box<ReceiptToken>),
}

impl Api {
    /// What the request is about, by method and path.
    pub(super) fn addressed<'p>(&self, http: &'p Head, exchange: &mut Exchange) -> Result<Addressed<'p>, Refused> {
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
        let path = http.path();
        if let Some(page) = self.page(method, path) {
            return Ok(Addressed::Page(Box::new(page)));
        }
        let Some(matched) = self.services.edge.route(method, path) else {
            let token = path.strip_prefix(PAGE_PATH).filter(|_| method != "DELETE");
            if let Some(token) = token.and_then(|text| ActionToken::parse(text, &self.services.secrets)) {
                return Ok(Addressed::Action(Box::new(token)));
            }
            let link = path.strip_prefix(LINKS_PATH).filter(|_| method == "GET");
            if let Some(token) = link.and_then(|text| LinkToken::parse(text, &self.services.secrets)) {
                return Ok(Addressed::Link(Box::new(token)));
            }
            let receipt = path.strip_prefix(RECEIPTS_PATH).filter(|_| method == "GET");
            if let Some(text) = receipt {
                return Ok(match ReceiptToken::parse(text, &self.services.secrets) {
                    Some(token) => Addressed::Receipt(Box::new(token)),
                    None => Addressed::Page(Box::new(receipts::nothing())),
                });
            }
            let log = path.strip_prefix(REQUEST_LOGS_PATH).filter(|_| method == "GET");
            if let Some(text) = log {
                let page = match REQUEST.parse(text) {
                    Some(request) => Answer::new(200, Content::Notice, request_log_page(request)),
                    None => Answer::new(404, Content::Notice, no_request_page()),
                };
                return Ok(Addressed::Page(Box::new(page)));
            }
            return Err(errors::unrecognized_url(http.method().as_str(), path).into());
        };
        exchange.endpoint = Some(matched.endpoint());
        exchange.posts = method == "POST";
        exchange.echo.remembers = exchange.posts;
        // A DELETE takes no key, but says it again.
        if method != "GET" {
            exchange.echo.key = http.get(Known::IdempotencyKey).map(Box::from);
        }
        Ok(Addressed::Operation(matched))
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
}
