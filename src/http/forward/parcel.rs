//! A request on its way to another node, and the answer on its way back.

use super::Nodes;
use crate::answer::{Answer, Content};
use crate::head::{Head, Known, readable};
use actix_web::http::Method;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tollgate_domain::kinds::REQUEST;
use tollgate_resource::Id;

/// Says who sends: the secret, what is asked, the request's id, the milliseconds that the first node waits still, and the
/// client's address or a dash, with a space between. It stands in requests only.
const NODE: HeaderName = HeaderName::from_static("tollgate-node");
/// In an answer that is none: the shard is not here, or the request was refused. Nothing was done.
const ELSEWHERE: HeaderName = HeaderName::from_static("tollgate-elsewhere");
/// Where the client's address is not known.
const NOWHERE: &str = "-";

/// Headers of an answer that are of one connection: whoever passes it on writes its own.
const OF_CONNECTION: [HeaderName; 5] = [CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING, UPGRADE];

/// What one node asks another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// A client's request, to be answered as if the client had sent it.
    Request,
    /// Something of the directory.
    Directory,
    /// An operator's question about deliveries.
    Deliveries,
}

impl Asks {
    fn name(self) -> &'static str {
        match self {
            Asks::Request => "request",
            Asks::Directory => "directory",
            Asks::Deliveries => "deliveries",
        }
    }
}

/// A request as it travels: whole, so that it can be sent again. It cannot be printed: it holds keys and card numbers.
pub(crate) struct Parcel {
    asks: Asks,
    method: &'static str,
    target: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    request: Id,
    client: Option<SocketAddr>,
    /// Until when an answer is waited for.
    pub(super) until: Instant,
    /// Whether sending it twice does no more than sending it once.
    pub(crate) repeatable: bool,
}

impl Parcel {
    /// Packs a client's request; `body` is all of its body.
    pub(crate) fn of_client(
        head: &Head,
        body: Bytes,
        request: Id,
        client: Option<SocketAddr>,
        until: Instant,
    ) -> Parcel {
        let method = match *head.method() {
            Method::POST => "POST",
            Method::DELETE => "DELETE",
            // An answer to HEAD is that to GET without its body, which the first node leaves out.
            _ => "GET",
        };
        let target = match head.query() {
            "" => head.path().to_owned(),
            query => format!("{}?{query}", head.path()),
        };
        let repeatable = method != "POST" || head.get(Known::IdempotencyKey).is_some();
        Parcel {
            asks: Asks::Request,
            method,
            target,
            headers: passed_on(head),
            body,
            request,
            client,
            until,
            repeatable,
        }
    }

    /// Packs something the directory is asked.
    pub(super) fn of_directory(asked: Vec<u8>, request: Id, until: Instant) -> Parcel {
        Parcel {
            asks: Asks::Directory,
            method: "POST",
            target: "/".to_owned(),
            headers: Vec::new(),
            body: asked.into(),
            request,
            client: None,
            until,
            // A second account would be made, a second key.
            repeatable: false,
        }
    }

    /// Packs an operator's question about deliveries.
    pub(crate) fn of_operator(head: &Head, body: Bytes, request: Id, until: Instant) -> Parcel {
        Parcel {
            asks: Asks::Deliveries,
            // A job that is asked for twice is begun twice.
            repeatable: *head.method() != Method::POST,
            ..Parcel::of_client(head, body, request, None, until)
        }
    }

    /// The request that one node sends another; none when the address is one that no other reader takes.
    pub(super) fn to(&self, node: SocketAddr, nodes: &Nodes) -> Option<hyper::Request<Full<Bytes>>> {
        let left_ms = self.until.saturating_duration_since(Instant::now()).as_millis();
        let client = self.client.map_or(NOWHERE.to_owned(), |client| client.to_string());
        let request = self.request.text(&REQUEST);
        let said = format!("{} {} {request} {left_ms} {client}", nodes.secret.0, self.asks.name());
        let mut said = HeaderValue::try_from(said).expect("it is ASCII letters, digits and points");
        said.set_sensitive(true);
        let mut request = hyper::Request::builder()
            .method(self.method)
            .uri(format!("http://{node}{}", self.target))
            .header(NODE, said);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body.clone())).ok()
    }
}

/// The headers that mean something here.
fn passed_on(head: &Head) -> Vec<(HeaderName, HeaderValue)> {
    let known = Known::every().filter(|(known, _)| !matches!(known, Known::ContentLength | Known::TollgateNode));
    let kept = known.filter_map(|(known, name)| {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(head.get(known)?).ok()?))
    });
    kept.collect()
}

/// What comes along with something that another node asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// What it asks.
    pub(crate) asks: Asks,
    /// The id that the request has.
    pub(crate) request: Id,
    /// For how long the other node waits.
    pub(crate) left: Duration,
    /// The client's address, as far as the other node knew it.
    pub(crate) client: Option<SocketAddr>,
}

/// Why something at the node listener is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotLetIn {
    /// It does not say the secret of this data.
    Stranger,
    /// What it says with it is not understood.
    Malformed,
}

impl Came {
    /// Reads what another node says.
    pub(super) fn read(head: &Head, nodes: &Nodes) -> Result<Came, NotLetIn> {
        let said = head.get(Known::TollgateNode).unwrap_or_default();
        let end = said.iter().position(|byte| *byte == b' ').unwrap_or(said.len());
        let (secret, rest) = said.split_at(end);
        if !nodes.secret.is(secret) {
            return Err(NotLetIn::Stranger);
        }
        Came::parse(readable(rest).unwrap_or_default()).ok_or(NotLetIn::Malformed)
    }

    fn parse(text: &str) -> Option<Came> {
        let mut words = text.split(' ').skip(1);
        let asks = words.next()?;
        let came = Came {
            asks: [Asks::Request, Asks::Directory, Asks::Deliveries]
                .into_iter()
                .find(|known| known.name() == asks)?,
            request: REQUEST.parse(words.next()?)?,
            left: Duration::from_millis(words.next()?.parse().ok()?),
            client: match words.next()? {
                NOWHERE => None,
                client => Some(client.parse().ok()?),
            },
        };
        words.next().is_none().then_some(came)
    }
}

/// Another node's answer as a client gets it; `None` when it says that nothing was done.
pub(super) fn passed_back(head: &hyper::http::response::Parts, body: Bytes) -> Option<Answer> {
    if head.headers.contains_key(ELSEWHERE) {
        return None;
    }
    let mut lines = Vec::new();
    for (name, value) in head.headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(name)) {
        put_line(name, value.as_bytes(), &mut lines);
    }
    Some(Answer {
        relayed: Some(lines.into()),
        ..Answer::new(head.status.as_u16(), Content::Text, body)
    })
}

/// What another node hears where nothing was done.
pub(crate) fn not_here(status: u16) -> Answer {
    let mut lines = Vec::new();
    put_line(&ELSEWHERE, b"true", &mut lines);
    Answer {
        relayed: Some(lines.into()),
        // Not empty: such answers of the HTTP layer are replaced by words.
        ..Answer::new(status, Content::Text, "\n")
    }
}

/// Writes one header. Neither part can hold the end of a line.
fn put_line(name: &HeaderName, value: &[u8], lines: &mut Vec<u8>) {
    lines.extend_from_slice(name.as_str().as_bytes());
    lines.extend_from_slice(b": ");
    lines.extend_from_slice(value);
    lines.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_along_reads_back_and_nothing_else_does() {
        let request = Id::new(&REQUEST, 1_800_000_000_000, 7, 9);
        let text = request.text(&REQUEST);
        let came = Came {
            asks: Asks::Request,
            request,
            left: Duration::from_millis(1_500),
            client: Some(SocketAddr::from(([10, 0, 0, 7], 4_242))),
        };
        assert_eq!(Came::parse(&format!(" request {text} 1500 10.0.0.7:4242")), Some(came));
        let unknown = Came::parse(&format!(" directory {text} 0 -")).expect("it is whole");
        assert_eq!((unknown.asks, unknown.client), (Asks::Directory, None));
        for wrong in [
            String::new(),
            " request".to_owned(),
            format!(" other {text} 1500 -"),
            format!(" request {text} -1 -"),
            format!(" request {text} 1500 nowhere"),
            format!(" request {text} 1500"),
            format!(" request {text} 1500 - more"),
            " request req_x 1500 -".to_owned(),
        ] {
            assert_eq!(Came::parse(&wrong), None, "{wrong}");
        }
    }
}
