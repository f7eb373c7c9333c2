//! Requests that the edge refuses: what the client hears, and how its connection goes on.

use crate::answer::LimitReason;
use tollgate_actors::{Refusal, ShardId};
use tollgate_domain::Reject;
use tollgate_wire::errors;

/// Why a request has no answer from the engine; the body is rendered in one place.
pub(crate) enum Refused {
    /// With an error body.
    Error(Box<ErrorAnswer>),
    /// With the page of a proxy: the request line is too long.
    LongLine,
    /// The account's shard is another node's, and nothing was done: the request is to be sent there.
    Elsewhere(ShardId),
}

/// An error that the edge answers with.
pub(crate) struct ErrorAnswer {
    /// The body, in the API's words.
    pub(crate) reject: Reject,
    /// Why, and for how many seconds, the client should stay away.
    pub(crate) limited: Option<(LimitReason, u64)>,
    /// Whether another try is safe, where the status does not say so.
    pub(crate) retry: Option<bool>,
    /// Whether the connection ends: the request was not read to its end.
    pub(crate) closes: bool,
    /// The layer that refused, for the metrics; none where that layer has counted it.
    pub(crate) layer: Option<&'static str>,
}

impl Refused {
    /// Refuses a request that is beyond a limit, for so many seconds.
    pub(crate) fn limited(reject: Reject, reason: LimitReason, seconds: u64) -> Refused {
        let layer = match reason {
            LimitReason::Rate | LimitReason::EndpointRate => "rate limit",
            LimitReason::Concurrency => "edge",
        };
        Refused::Error(Box::new(ErrorAnswer {
            reject,
            limited: Some((reason, seconds)),
            retry: None,
            closes: false,
            layer: Some(layer),
        }))
    }

    /// Refuses a request whose shard no node has at the moment.
    pub(crate) fn moving() -> Refused {
        Refused::Error(Box::new(ErrorAnswer {
            reject: errors::unavailable(),
            limited: None,
            retry: None,
            closes: false,
            layer: Some("node"),
        }))
    }

    /// Answers a request of which nobody knows what became of it at another node. Trying again is `safe` where doing it
    /// twice does no more than doing it once.
    pub(crate) fn unknown(safe: bool) -> Refused {
        Refused::Error(Box::new(ErrorAnswer {
            reject: errors::outcome_unknown(),
            limited: None,
            retry: Some(safe),
            closes: false,
            layer: Some("node"),
        }))
    }

    /// Refuses a request and ends its connection.
    pub(crate) fn ending(reject: Reject) -> Refused {
        Refused::Error(Box::new(ErrorAnswer {
            reject,
            limited: None,
            retry: None,
            closes: true,
            layer: Some("edge"),
        }))
    }
}

impl From<Reject> for Refused {
    fn from(reject: Reject) -> Refused {
        let layer = match reject.status {
            401 | 403 => "authentication",
            500.. => "shard",
            _ => "parameters",
        };
        Refused::Error(Box::new(ErrorAnswer {
            reject,
            limited: None,
            retry: None,
            closes: false,
            layer: Some(layer),
        }))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        match refusal {
            Refusal::Overloaded { retry_after_s, .. } => Refused::Error(Box::new(ErrorAnswer {
                reject: errors::overloaded(),
                limited: Some((LimitReason::Concurrency, u64::from(retry_after_s.max(1)))),
                retry: None,
                closes: false,
                layer: None,
            })),
            Refusal::Elsewhere(shard) => Refused::Elsewhere(shard),
            Refusal::ShardDown => errors::unavailable().into(),
            Refusal::Stopping => Refused::ending(errors::unavailable()),
        }
    }
}

/// The layer behind the edge that refused with this: a key in use, an object that stayed locked, or the domain.
pub(crate) fn layer_behind(reject: &Reject) -> &'static str {
    match reject.code.as_deref() {
        Some(tollgate_actors::refusals::IDEMPOTENCY_KEY_IN_USE) => "key",
        Some("lock_timeout") => "lock",
        _ => "domain",
    }
}

/// `stripe-should-retry`: yes where nothing was done and waiting helps; no where the outcome is stored and a retry would
/// only hear it again; silence elsewhere (a retry is the client's own choice).
pub(crate) fn should_retry(status: u16, began: bool) -> Option<bool> {
    match status {
        409 | 429 | 503 => Some(true),
        _ => began.then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_verdicts_follow_what_was_stored() {
        let table = [
            (200, true, Some(false)),
            (402, true, Some(false)),
            (400, true, Some(false)),
            (500, true, Some(false)),
            (200, false, None),
            (400, false, None),
            (404, false, None),
            (401, false, None),
            (409, false, Some(true)),
            (429, false, Some(true)),
            (503, false, Some(true)),
            (500, false, None),
        ];
        for (status, began, expected) in table {
            assert_eq!(should_retry(status, began), expected, "{status}, began {began}");
        }
    }
}
