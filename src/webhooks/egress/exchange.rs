//! One request and its answer.

use super::answer::{Received, receive};
use super::failure::{Failure, Stage};
use super::pool::Connection;
use super::stream::Stream;
use super::target::Target;
use crate::ports::Delivery;
use crate::signing::Signer;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};

/// Bytes of an answer's head at most.
pub(super) const HEAD_MAX: usize = 16 * 1_024;
/// Bytes that a connection buffers at most.
const BUFFER_MAX: usize = 32 * 1_024;
/// How long a connection whose answer is read may take to be ready for the next request. One whose receiver answered before it
/// had read the request takes longer, and is closed.
const REST_MAX: Duration = Duration::from_millis(20);

const SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");
const SEQUENCE: HeaderName = HeaderName::from_static("webhook-sequence");
const RESOURCE_SEQUENCE: HeaderName = HeaderName::from_static("webhook-resource-sequence");
const STANDARD_ID: HeaderName = HeaderName::from_static("webhook-id");
const STANDARD_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const STANDARD_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A request that has no answer.
pub(super) struct Lost {
    pub(super) failure: Failure,
    /// Whether the connection ended before a byte came back, so that the receiver need not have seen the request.
    pub(super) silent: bool,
}

/// What is sent for a delivery.
pub(super) fn request(delivery: &Delivery, target: &Target, signer: &Signer, now: SystemTime) -> Request<Full<Bytes>> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let mut request = Request::new(Full::new(delivery.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from(target.path.clone());
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(HOST, target.authority.clone());
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, HeaderValue::from_static("Tollgate/1.0"));
    headers.insert(SIGNATURE, signer.stripe(now, &delivery.body));
    // What has no place in an account's sequence, as a test, has no numbers.
    if delivery.event_seq > 0 {
        headers.insert(SEQUENCE, delivery.event_seq.into());
        headers.insert(RESOURCE_SEQUENCE, delivery.nth.into());
    }
    // An id that is no header value is none of ours.
    if delivery.endpoint.standard_headers
        && let Ok(id) = HeaderValue::from_str(&delivery.event_id)
    {
        headers.insert(STANDARD_ID, id);
        headers.insert(STANDARD_TIMESTAMP, now.into());
        headers.insert(
            STANDARD_SIGNATURE,
            signer.standard(&delivery.event_id, now, &delivery.body),
        );
    }
    *request.headers_mut() = headers;
    request
}

/// Begins to speak HTTP over a connection; a task of its own carries its bytes until it ends.
pub(super) async fn begin(stream: Stream, peer: IpAddr) -> Result<Connection, Failure> {
    let meter = Arc::clone(&stream.meter);
    let mut http = http1::Builder::new();
    http.max_buf_size(BUFFER_MAX).max_header_size(HEAD_MAX);
    let begun = http.handshake(TokioIo::new(stream)).await;
    let (sender, carried) = begun.map_err(|error| Failure::of_exchange(&error, 0))?;
    let ends = Arc::clone(&meter);
    tokio::spawn(async move {
        // Why it ended is told to whoever has a request on it.
        let _ = carried.await;
        ends.end(Instant::now());
    });
    Ok(Connection {
        sender,
        meter,
        peer,
        born: Instant::now(),
    })
}

/// Sends a request and reads its answer.
pub(super) async fn exchange(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    stage: &mut Stage,
) -> Result<Received, Lost> {
    let before = connection.meter.read();
    *stage = Stage::Head;
    let response = match connection.sender.send_request(request).await {
        Ok(response) => response,
        Err(error) => {
            let read = connection.meter.read() - before;
            return Err(Lost {
                failure: Failure::of_exchange(&error, read),
                silent: read == 0,
            });
        }
    };
    *stage = Stage::Body;
    let received = receive(response, SystemTime::now()).await;
    received.map_err(|failure| Lost { failure, silent: false })
}

/// Whether the connection is ready for another request, or will be at once.
pub(super) async fn rests(connection: &mut Connection) -> bool {
    matches!(timeout(REST_MAX, connection.sender.ready()).await, Ok(Ok(())))
}
