//! What the edge itself refuses, before (or instead of) a call: authentication, limits, routes, idempotency, overload.
//! Every answer is a JSON error object, because the SDKs read nothing else.

use crate::wording::{echo, invalid, of_type};
use tollgate_domain::{ErrorType, Reject};
use tollgate_resource::Kind;
use tollgate_resource::Names;

/// Most bytes of a body that is read; http holds it.
pub const BODY_LEN_MAX: usize = 1024 * 1024;
/// Most bytes of a request line.
pub const REQUEST_LINE_LEN_MAX: usize = 16 * 1024;
/// Longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_LEN_MAX: usize = 255;
/// Characters of a wrong key that an error shows at each end.
const KEY_ENDS: (usize, usize) = (8, 4);

/// 401: there is no `Authorization` header, or nothing in it.
pub fn no_api_key() -> Reject {
    invalid(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth \
         (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). An operator makes keys with `tollgate account keys`."
            .into(),
    )
}

/// 401: nobody has this key. Only its ends are shown.
pub fn invalid_api_key(token: &str) -> Reject {
    invalid(401, format!("Invalid API Key provided: {}", masked(token)))
}

/// 401: the key was revoked. Only its ends are shown.
pub fn expired_api_key(token: &str) -> Reject {
    Reject {
        code: Some("api_key_expired".into()),
        ..invalid(401, format!("Expired API Key provided: {}", masked(token)))
    }
}

/// 401: a publishable key where a secret one is needed.
pub fn publishable_key() -> Reject {
    Reject {
        code: Some("secret_key_required".into()),
        ..invalid(
            401,
            "This API call cannot be made with a publishable API key. Please use a secret API key. An operator makes keys \
             with `tollgate account keys`."
                .into(),
        )
    }
}

/// 402: the account takes no card numbers from its own servers.
pub fn raw_cards_refused() -> Reject {
    let message = "Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that \
                   map to the test card you are using, see https://stripe.com/docs/testing, or payment methods made in \
                   the payer's browser. An operator allows numbers with `tollgate account update ACCOUNT --set \
                   raw_cards=allowed`.";
    invalid(402, message.into())
}

/// 403: a restricted key without the permission that the operation needs, e.g. `rak_charge_read`.
pub fn permission_missing(token: &str, account: &str, permission: &str) -> Reject {
    invalid(
        403,
        format!(
            "The provided key '{}' does not have the required permissions for this endpoint on account '{account}'. Having \
             the '{permission}' permission would allow this request to continue.",
            masked(token)
        ),
    )
}

/// 400: the request makes something for an app, and does not say for which version.
pub fn version_missing() -> Reject {
    invalid(
        400,
        "This request must name an API version in the Stripe-Version header: the one that the app expects which uses what \
         is made here."
            .into(),
    )
}

/// 400: a publishable key asks for an object and does not show its client secret.
pub fn client_secret_missing() -> Reject {
    Reject {
        code: Some("parameter_missing".into()),
        param: Some("client_secret".into()),
        ..invalid(400, "Missing required param: client_secret.".into())
    }
}

/// 400: an ephemeral key lists payment methods and does not say whose.
pub fn customer_missing() -> Reject {
    Reject {
        code: Some("parameter_missing".into()),
        param: Some("customer".into()),
        ..invalid(400, "Missing required param: customer.".into())
    }
}

/// 400: the client secret is not that of the object of `kind`.
pub fn client_secret_wrong(kind: &Kind) -> Reject {
    let object = object_title(kind);
    Reject {
        param: Some("client_secret".into()),
        ..invalid(
            400,
            format!("The client_secret provided does not match the client_secret associated with the {object}."),
        )
    }
}

/// `PaymentIntent` of `payment_intent`.
fn object_title(kind: &Kind) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    kind.object.split('_').map(capital).collect()
}

/// 403: the key may not act for that account (`Stripe-Account`).
pub fn no_access_to_account(token: &str, account: &str) -> Reject {
    Reject {
        code: Some("account_invalid".into()),
        ..invalid(
            403,
            format!(
                "The provided key '{}' does not have access to account '{}' (or that account does not exist). Application \
                 access may have been revoked.",
                masked(token),
                echo(account)
            ),
        )
    }
}

/// 400: `Stripe-Version` names no version.
pub fn unknown_version(text: &str) -> Reject {
    invalid(400, format!("Invalid Stripe API version: {}", echo(text)))
}

/// 404: no operation has this method and path.
pub fn unrecognized_url(method: &str, path: &str) -> Reject {
    invalid(
        404,
        format!(
            "Unrecognized request URL ({}: {}). If you are trying to list objects, remove the trailing slash. If you are \
             trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code.",
            echo(method),
            echo(path)
        ),
    )
}

/// 405: a method the API does not use at all.
pub fn method_not_allowed(method: &str) -> Reject {
    invalid(
        405,
        format!(
            "Invalid request method: {}. The API is called with GET, POST and DELETE.",
            echo(method)
        ),
    )
}

/// 413: the body is longer than [`BODY_LEN_MAX`].
pub fn body_too_large() -> Reject {
    invalid(
        413,
        format!("Request body too large: at most {BODY_LEN_MAX} bytes are accepted."),
    )
}

/// 414: the request line is longer than [`REQUEST_LINE_LEN_MAX`].
pub fn uri_too_long() -> Reject {
    invalid(
        414,
        format!("Request URL too long: at most {REQUEST_LINE_LEN_MAX} bytes are accepted."),
    )
}

/// 431: the headers are longer than http reads.
pub fn headers_too_large() -> Reject {
    invalid(431, "Request headers too large.".into())
}

/// 408: the request did not arrive in time.
pub fn request_timeout() -> Reject {
    invalid(
        408,
        "The request was not received completely in time. Please try again.".into(),
    )
}

/// 400: the request cannot be read as HTTP or as a form.
pub fn malformed(why: &str) -> Reject {
    invalid(400, format!("Invalid request: {}", echo(why)))
}

/// 415: the body is no form.
pub fn content_type(given: &str) -> Reject {
    invalid(
        415,
        format!(
            "Invalid request: the body must be sent as application/x-www-form-urlencoded, not as '{}'.",
            echo(given)
        ),
    )
}

/// 415: the body of a request of the second version is no JSON.
pub fn content_type_of_second_version(given: &str) -> Reject {
    invalid(
        415,
        format!(
            "Invalid request: the body must be sent as application/json, not as '{}'.",
            echo(given)
        ),
    )
}

/// The refusal in the words of the second version of the API, in which every one has a code.
pub fn of_second_version(mut reject: Reject) -> Reject {
    let code = match (reject.status, reject.kind, reject.code.take()) {
        (_, ErrorType::IdempotencyError, _) => "idempotency_error".to_owned(),
        (404, ..) => "not_found".to_owned(),
        (400, _, code) if code.as_deref().is_none_or(|code| code.starts_with("parameter_")) => {
            "invalid_fields".to_owned()
        }
        (_, _, Some(code)) => code,
        (_, kind, None) => kind.name().to_owned(),
    };
    reject.code = Some(code);
    reject
}

/// 400: the `Idempotency-Key` header is there and empty.
pub fn idempotency_key_empty() -> Reject {
    invalid(400, "Idempotency Key must be a non-empty string.".into())
}

/// 400: the key is longer than [`IDEMPOTENCY_KEY_LEN_MAX`].
pub fn idempotency_key_too_long(len: usize) -> Reject {
    invalid(
        400,
        format!(
            "Idempotency Key must be at most {IDEMPOTENCY_KEY_LEN_MAX} characters long, but the given one has {len}."
        ),
    )
}

/// 400: the key was used with other parameters.
pub fn idempotency_other_parameters(key: &str) -> Reject {
    of_type(
        400,
        ErrorType::IdempotencyError,
        format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a \
             key other than '{}' if you meant to execute a different request.",
            echo(key)
        ),
    )
}

/// 400: the key was used for another endpoint, at `path`.
pub fn idempotency_other_endpoint(key: &str, path: &str) -> Reject {
    of_type(
        400,
        ErrorType::IdempotencyError,
        format!(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}'). Try \
             using a key other than '{}' if you meant to execute a different request.",
            echo(path),
            echo(key)
        ),
    )
}

/// 409: the first request with the key has not been answered yet.
pub fn idempotency_key_in_use(key: &str) -> Reject {
    Reject {
        code: Some("idempotency_key_in_use".into()),
        ..invalid(
            409,
            format!(
                "There is currently another in-progress request using this Idempotent Key (that probably means you \
                 submitted twice, and the other request is still going through): {}. Please try again later.",
                echo(key)
            ),
        )
    }
}

/// 429: another request holds the object, for longer than this one could wait.
pub fn lock_timeout() -> Reject {
    Reject::lock_timeout()
}

/// 429: over the account's rate limit.
pub fn rate_limited() -> Reject {
    Reject {
        code: Some("rate_limit".into()),
        ..invalid(429, "Request rate limit exceeded. Please try again later.".into())
    }
}

/// 429: no room to admit the request. Nothing was done; the answer carries `Retry-After`.
pub fn overloaded() -> Reject {
    Reject {
        code: Some("rate_limit".into()),
        ..invalid(
            429,
            "The server is over capacity and refused this request before doing anything. Please try again later."
                .into(),
        )
    }
}

/// 503: the shard is being rebuilt, or the server is stopping. Nothing was done.
pub fn unavailable() -> Reject {
    of_type(
        503,
        ErrorType::ApiError,
        "The service is temporarily unavailable and did nothing for this request. Please try again later.".into(),
    )
}

/// 503: the request was sent to the machine that has the account, and no answer came back.
pub fn outcome_unknown() -> Reject {
    of_type(
        503,
        ErrorType::ApiError,
        "The service did not answer in time, and what became of this request is not known. Retry with the same \
         idempotency key to learn it."
            .into(),
    )
}

/// 500: our fault. What became of the request is not known to the asker; a retry with the same key finds out.
pub fn internal() -> Reject {
    of_type(
        500,
        ErrorType::ApiError,
        "An unknown error occurred. Retry with the same idempotency key to learn what became of the request.".into(),
    )
}

/// A key with its middle masked. Keys too short to have a middle are masked but for their type.
fn masked(token: &str) -> String {
    let chars: Vec<char> = echo(token).chars().collect();
    let (head, tail) = KEY_ENDS;
    // At least as much is hidden as is shown.
    if chars.len() < 2 * (head + tail) {
        let head: String = chars.iter().take(head.min(chars.len() / 3)).collect();
        return format!("{head}{}", "*".repeat(chars.len() - head.chars().count()));
    }
    let start: String = chars[..head].iter().collect();
    let end: String = chars[chars.len() - tail..].iter().collect();
    format!("{start}{}{end}", "*".repeat(chars.len() - head - tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_key_shows_only_its_ends() {
        for (token, shown) in [
            ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "sk_test_********************p7dc"),
            ("sk_test_short", "sk_t*********"),
            ("abc", "a**"),
            ("", ""),
        ] {
            assert_eq!(masked(token), shown);
        }
        assert!(
            !invalid_api_key("sk_live_SECRETSECRETSECRET1234")
                .message
                .contains("SECRET")
        );
    }

    #[test]
    fn no_message_repeats_more_than_its_share_of_foreign_text() {
        let long = "é".repeat(100_000);
        for reject in [
            invalid_api_key(&long),
            unknown_version(&long),
            unrecognized_url(&long, &long),
            method_not_allowed(&long),
            content_type(&long),
            malformed(&long),
            idempotency_other_parameters(&long),
            idempotency_other_endpoint(&long, &long),
            idempotency_key_in_use(&long),
            no_access_to_account(&long, &long),
        ] {
            assert!(reject.message.chars().count() < 2_000);
            assert!((400..500).contains(&reject.status));
            assert!(!reject.began, "nothing had begun");
        }
    }
}
