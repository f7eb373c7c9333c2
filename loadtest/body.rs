//! What the tool reads out of answers: a payment's id, status and charge, and an error's code.

use memchr::memmem::Finder;
use serde_json::Value;
use std::sync::LazyLock;

/// The parts of a payment intent that the tool needs; borrowed from the body where it is pretty-printed as expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Payment<'a> {
    /// Its id.
    pub(crate) id: std::borrow::Cow<'a, str>,
    /// Its status.
    pub(crate) status: std::borrow::Cow<'a, str>,
    /// Its newest charge, if it has one.
    pub(crate) charge: Option<std::borrow::Cow<'a, str>>,
}

impl<'a> Payment<'a> {
    /// Reads a payment intent. Members two spaces in are those of the object itself in this API's pretty printing; a
    /// body in another layout is parsed as a whole.
    pub(crate) fn read(body: &'a [u8]) -> Option<Payment<'a>> {
        Self::read_pretty(body).or_else(|| Self::read_any(body))
    }

    fn read_pretty(body: &'a [u8]) -> Option<Payment<'a>> {
        let member = |finder: &Finder<'static>| -> Option<&'a str> {
            let at = finder.find(body)? + finder.needle().len();
            text_until_quote(&body[at..])
        };
        let places = &*PLACES;
        // A payment without a charge says null here; a body that is not laid out like this has no such member.
        let charge = places.charge.find(body)? + places.charge.needle().len();
        Some(Payment {
            id: member(&places.id)?.into(),
            status: member(&places.status)?.into(),
            charge: body[charge..]
                .strip_prefix(b"\"")
                .and_then(text_until_quote)
                .map(Into::into),
        })
    }

    /// Reads the id alone: all that a status poll needs to know, and most of the traffic.
    pub(crate) fn id(body: &'a [u8]) -> Option<std::borrow::Cow<'a, str>> {
        let first = body.strip_prefix(b"{\n  \"id\": \"").and_then(text_until_quote);
        first
            .map(Into::into)
            .or_else(|| Self::read_any(body).map(|read| read.id))
    }

    /// Reads the id and status of another object, such as a refund.
    pub(crate) fn read_object(body: &'a [u8]) -> Option<Payment<'a>> {
        Self::read_any(body)
    }

    fn read_any(body: &[u8]) -> Option<Payment<'a>> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| value[name].as_str().map(|text| text.to_string().into());
        Some(Payment {
            id: text("id")?,
            status: text("status")?,
            charge: text("latest_charge"),
        })
    }
}

/// Members as they are laid out in a pretty-printed payment intent. Preparing a search costs more than the search.
struct Places {
    id: Finder<'static>,
    status: Finder<'static>,
    charge: Finder<'static>,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| Places {
    id: Finder::new(b"\n  \"id\": \""),
    status: Finder::new(b"\n  \"status\": \""),
    charge: Finder::new(b"\n  \"latest_charge\": "),
});

fn text_until_quote(bytes: &[u8]) -> Option<&str> {
    let len = memchr::memchr(b'"', bytes)?;
    std::str::from_utf8(&bytes[..len]).ok()
}

/// The address to which a payment that requires an action sends its payer.
pub(crate) fn redirect(body: &[u8]) -> Option<String> {
    let value = serde_json::from_slice::<Value>(body).ok()?;
    value["next_action"]["redirect_to_url"]["url"].as_str().map(Into::into)
}

/// Whether an error says that a key was used for another request before.
pub(crate) fn is_misuse(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|value| value["error"]["type"] == "idempotency_error")
}

/// The most telling word of an error body: its `code`, else its `type`, else what kind of body it is.
pub(crate) fn error_code(body: &[u8]) -> String {
    /// Longest word kept, in characters, so that a strange server cannot fill the report.
    const CODE_LEN_MAX: usize = 48;
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return "body is no JSON".into();
    };
    let error = &value["error"];
    let word = error["code"]
        .as_str()
        .or_else(|| error["type"].as_str())
        .unwrap_or("no error code");
    word.chars().take(CODE_LEN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_reads_the_same_in_any_layout() {
        let pretty = b"{\n  \"id\": \"pi_1\",\n  \"last\": {\n    \"id\": \"no\",\n    \"status\": \"no\"\n  },\n  \"latest_charge\": \"ch_1\",\n  \"status\": \"succeeded\"\n}";
        let value: Value = serde_json::from_slice(pretty).unwrap();
        let compact = serde_json::to_vec(&value).unwrap();
        let expected = Payment {
            id: "pi_1".into(),
            status: "succeeded".into(),
            charge: Some("ch_1".into()),
        };
        assert_eq!(Payment::read_pretty(pretty), Some(expected));
        assert_eq!(Payment::read_pretty(&compact), None);
        assert_eq!(Payment::read(pretty), Payment::read(&compact));
        assert_eq!(
            Payment::read(b"{\"id\": \"pi_1\", \"status\": \"x\", \"latest_charge\": null}")
                .unwrap()
                .charge,
            None
        );
        assert_eq!(Payment::read(b"<html>"), None);
        for body in [&pretty[..], &compact] {
            assert_eq!(Payment::id(body).as_deref(), Some("pi_1"));
        }
        assert_eq!(Payment::id(b"<html>"), None);
    }

    #[test]
    fn an_error_is_named_by_code_or_type() {
        assert_eq!(
            error_code(b"{\"error\": {\"code\": \"card_declined\", \"type\": \"card_error\"}}"),
            "card_declined"
        );
        assert_eq!(error_code(b"{\"error\": {\"type\": \"api_error\"}}"), "api_error");
        assert_eq!(error_code(b"{}"), "no error code");
        assert_eq!(error_code(b"<html>"), "body is no JSON");
    }
}
