//! What a request hears: the engine's answer, or the refusal of the edge.

use super::{Api, Exchange};
use crate::answer::{Answer, Content, LONG_LINE_PAGE, LimitReason};
use crate::refused::{ErrorAnswer, Refused, layer_behind, should_retry};
use crate::telemetry::refused;
use tollgate_actors::{Response, Shown};
use tollgate_domain::object::ShowContext;
use tollgate_domain::{AccountKey, Call, Reject, kinds};
use tollgate_resource::operation::Answers;
use tollgate_resource::{Endpoint, Expand, Id};
use tollgate_wire::{FoundPage, Rendering, browser, errors, versions};

/// Room for one rendered object.
const OBJECT_BYTES: usize = 4 << 10;

impl Api {
    /// What the engine answered, at the version and with the expansions that were asked for.
    pub(super) fn rendered(&self, response: &Response, exchange: &mut Exchange) -> Answer {
        let rendering = Rendering {
            show: ShowContext {
                secrets: &self.services.secrets,
                clock_ms: response.clock_ms,
                livemode: exchange.livemode,
                account: exchange.account,
                revision: response.revision,
                version_name: versions::name(response.version),
                public_url: &self.services.public_url,
            },
            version: response.version,
            expand: &response.expand,
            attached: &response.attached,
            account: exchange.events_of.as_deref(),
        };
        let (status, body) = match &response.result {
            Ok(Shown::One(item)) => {
                let mut body = Vec::with_capacity(OBJECT_BYTES);
                if shows_thin_events(exchange.endpoint) {
                    rendering.thin_event(item, &mut body);
                } else {
                    rendering.item(item, &mut body);
                }
                (200, body)
            }
            Ok(Shown::Page {
                url, items, has_more, ..
            }) if shows_thin_events(exchange.endpoint) => {
                let last = match items.last() {
                    Some(tollgate_domain::Item::Event(last)) if *has_more => Some(last.id.text(&kinds::EVENT)),
                    _ => None,
                };
                let next = last.map(|last| format!("{url}&page={last}"));
                let mut body = Vec::with_capacity(OBJECT_BYTES);
                rendering.thin_events(items, next.as_deref(), &mut body);
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
                if exchange.second_version {
                    rendering.reject(&errors::of_second_version((**reject).clone()), None, &mut body);
                } else {
                    let request = response.replayed.unwrap_or(exchange.echo.request);
                    rendering.reject(reject, Some(request), &mut body);
                }
                (reject.status, body)
            }
        };
        let mut body = body;
        if exchange.by_browser {
            browser::for_browsers(&mut body);
        }
        // A replay is answered at the version of the first request; else the header says what was asked for.
        if exchange.asked_version != Some(response.version) {
            exchange.echo.version = versions::name(response.version).as_bytes().into();
        }
        Answer {
            replayed: response.replayed,
            should_retry: should_retry(status, exchange.posts && response.began),
            limited: (status == 429).then_some((LimitReason::Concurrency, 1)),
            ..Answer::new(status, Content::Json, body)
        }
    }

    /// What a request hears that the edge refused.
    pub(super) fn refusal(&self, refusal: Refused, exchange: &Exchange) -> Answer {
        let ErrorAnswer {
            reject,
            limited,
            retry,
            closes,
            layer,
        } = match refusal {
            Refused::Error(error) => *error,
            // Nobody sent it on.
            Refused::Elsewhere(_) => return self.refusal(Refused::moving(), exchange),
            Refused::LongLine => {
                refused("edge");
                return Answer {
                    closes: true,
                    ..Answer::new(414, Content::Html, LONG_LINE_PAGE)
                };
            }
        };
        layer.into_iter().for_each(refused);
        let body = match exchange.second_version {
            true => self.error_body(&errors::of_second_version(reject.clone()), None),
            false => self.error_body(&reject, exchange.told()),
        };
        Answer {
            should_retry: retry.or(should_retry(reject.status, false)),
            limited,
            closes,
            names_methods: reject.status == 405,
            ..Answer::new(reject.status, Content::Json, body)
        }
    }

    /// The body of a refusal by the edge, which embeds no object.
    pub(super) fn error_body(&self, reject: &Reject, request: Option<Id>) -> Vec<u8> {
        let rendering = Rendering {
            show: ShowContext {
                secrets: &self.services.secrets,
                clock_ms: 0,
                livemode: false,
                account: AccountKey::NOBODY,
                revision: tollgate_domain::SHAPE_REVISION,
                version_name: versions::name(versions::DEFAULT),
                public_url: &self.services.public_url,
            },
            version: versions::DEFAULT,
            expand: Expand::NONE,
            attached: &[],
            account: None,
        };
        let mut body = Vec::with_capacity(OBJECT_BYTES / 4);
        rendering.reject(reject, request, &mut body);
        body
    }
}

/// Whether an operation answers with events of the second version.
fn shows_thin_events(endpoint: Option<&'static Endpoint<Call>>) -> bool {
    endpoint.is_some_and(|endpoint| tollgate_wire::shows_thin_events(endpoint.path))
}

/// What the file holds that an operation answers with, where it answers with bytes.
pub(super) fn contents_asked<'r>(
    endpoint: Option<&'static Endpoint<Call>>,
    response: &'r Response,
) -> Option<&'r tollgate_domain::files::file::FileContents> {
    match (endpoint?.answers, &response.result) {
        (Answers::Contents(_), Ok(Shown::One(tollgate_domain::Item::Object(object)))) => object.contents(),
        _ => None,
    }
}
