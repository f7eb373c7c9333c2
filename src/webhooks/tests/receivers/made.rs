//! Endpoints and deliveries, in tests and in the example that measures.

use bytes::Bytes;
use std::sync::Arc;
use tollgate_webhooks::ports::{Cause, Delivery};
use tollgate_webhooks::{ActiveSecret, EndpointKey, EndpointView, Ordering, Patterns, Schedule, Secret, Status};

/// An endpoint with a secret.
pub(crate) fn endpoint(url: &str, timeout_ms: u32) -> EndpointView {
    EndpointView {
        key: EndpointKey { account: 1, seq: 2 },
        id: "we_1".into(),
        revision: 1,
        livemode: false,
        url: url.into(),
        filter: Patterns::all(),
        api_version: "2026-01-01".into(),
        status: Status::Enabled,
        secrets: vec![ActiveSecret {
            secret: Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
            until_s: None,
        }],
        ordering: Ordering::default(),
        timeout_ms,
        rate_per_s: None,
        schedule: Schedule::default(),
        standard_headers: false,
    }
}

/// A delivery of the same small event.
pub(crate) fn delivery(endpoint: impl Into<Arc<EndpointView>>) -> Delivery {
    Delivery {
        endpoint: endpoint.into(),
        event_id: "evt_1".into(),
        event_seq: 41,
        nth: 3,
        body: Bytes::from_static(br#"{"id":"evt_1","object":"event"}"#),
        attempt: 1,
        cause: Cause::Schedule,
    }
}
