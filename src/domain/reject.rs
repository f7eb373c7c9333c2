//! Why the domain refuses. A closed set of codes; the caller's words are fixed when it is decided, so that a replay says
//! the same in every later release.

use tollgate_resource::{Id, Names, Record};

/// The `type` of an API error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ErrorType {
    /// Our fault.
    #[record(1)]
    ApiError,
    /// The card was refused.
    #[record(2)]
    CardError,
    /// An idempotency key was used wrongly.
    #[record(3)]
    IdempotencyError,
    /// The request was wrong.
    #[record(4)]
    InvalidRequestError,
}

/// A refusal, as the error body shows it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Reject {
    /// HTTP status.
    #[record(1)]
    pub status: u16,
    /// `type`.
    #[record(2)]
    pub kind: ErrorType,
    /// `code`, from [`crate::reject::codes`].
    #[record(3)]
    pub code: Option<String>,
    /// `message`: says what to do.
    #[record(4)]
    pub message: String,
    /// `param`.
    #[record(5)]
    pub param: Option<String>,
    /// `decline_code`.
    #[record(6)]
    pub decline_code: Option<String>,
    /// `advice_code`.
    #[record(7)]
    pub advice_code: Option<String>,
    /// `network_decline_code`.
    #[record(8)]
    pub network_decline_code: Option<String>,
    /// `network_advice_code`.
    #[record(9)]
    pub network_advice_code: Option<String>,
    /// `charge`: the failed charge.
    #[record(10)]
    pub charge: Option<Id>,
    /// `payment_intent`, embedded as an object (it is among the facts' objects or attached).
    #[record(11)]
    pub payment_intent: Option<Id>,
    /// `payment_method`, embedded as an object.
    #[record(12)]
    pub payment_method: Option<Id>,
    /// Whether the execution had begun: then the outcome is stored under the idempotency key and
    /// `stripe-should-retry: false` is sent. Parameter errors and missing objects have not begun (API.md 1.5).
    #[record(13)]
    pub began: bool,
}
