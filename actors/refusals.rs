//! Refusals that the engine itself words: about keys, crashes and unreadable data. The rest is the domain's.

use tollgate_domain::{ErrorType, Reject};

/// Code of [`key_in_use`].
pub const IDEMPOTENCY_KEY_IN_USE: &str = "idempotency_key_in_use";

/// The same key with other parameters (API.md 1.5).
pub fn other_parameters(key: &str) -> Reject {
    idempotency(format!(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a \
         key other than '{key}' if you meant to execute a different request."
    ))
}

/// The same key on another endpoint; `path` is the first request's.
pub fn other_endpoint(key: &str, path: &str) -> Reject {
    idempotency(format!(
        "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{path}'). Try \
         using a key other than '{key}' if you meant to execute a different request."
    ))
}

/// The key's first request has not been answered within the wait.
pub fn key_in_use(key: &str) -> Reject {
    let mut reject = Reject::invalid(
        Some(IDEMPOTENCY_KEY_IN_USE),
        format!(
            "There is currently another in-progress request using this Idempotent Key (that probably means you submitted \
             twice, and the other request is still going through): {key}. Please try again later."
        ),
    );
    reject.status = 409;
    reject
}

/// The command crashed its shard repeatedly and is not executed again.
pub fn quarantined() -> Reject {
    api_error(
        "This request could not be processed because of an internal error. Nothing was changed by it; it has been set \
         aside for inspection.",
    )
    .begun()
}

/// A stored record could not be read.
pub fn unreadable() -> Reject {
    api_error("Stored data that this request needs could not be read.")
}

fn idempotency(message: String) -> Reject {
    let mut reject = Reject::invalid(None, message);
    reject.kind = ErrorType::IdempotencyError;
    reject
}

fn api_error(message: &str) -> Reject {
    let mut reject = Reject::invalid(None, message);
    reject.status = 500;
    reject.kind = ErrorType::ApiError;
    reject
}
