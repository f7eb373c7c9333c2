//! Requests of a page in a payer's browser, made with a publishable key: what such a page sends along that is no
//! parameter, and what its answers leave out.

use crate::forms::{Pairs, escape};
use crate::wording::refused;
use serde_json::Value;
use tollgate_domain::Reject;

/// Names a page's library sends along on any form; they say nothing about the payment.
const EXTRAS: &[&str] = &[
    "_stripe_account",
    "_stripe_version",
    "client_attribution_metadata",
    "client_context",
    "expected_payment_method_type",
    "guid",
    "key",
    "muid",
    "pasted_fields",
    "payment_user_agent",
    "radar_options",
    "referrer",
    "sid",
    "time_on_page",
];

/// The one of them that says at which version the page speaks, in place of a header.
const VERSION: &str = "_stripe_version";

/// The same inside the data of a payment method.
const INSIDE: &str = "payment_method_data[";

/// What only the merchant's server may say when it confirms.
const SERVER_ONLY: &[&str] = &["capture_method", "error_on_requires_action", "off_session"];

/// What a page's library says where the customer's browser is to be seen from the request. The address is not: behind a
/// proxy it would be the proxy's.
const INFER: &str = "mandate_data[customer_acceptance][online][infer_from_client]";
const USER_AGENT: &str = "mandate_data[customer_acceptance][online][user_agent]";
/// What such a library says of a customer's saved methods, which has no meaning where it says no.
const NOT_DEFAULT: (&str, &str) = ("set_as_default_payment_method", "false");

/// Who sent a form.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sender<'a> {
    /// The browser or app.
    pub user_agent: Option<&'a str>,
}

/// A form as a page sent it.
#[derive(Debug)]
pub struct BrowserForm {
    /// The parameters, form-encoded.
    pub form: Vec<u8>,
    /// The client secret, if one was sent.
    pub client_secret: Option<String>,
    /// The API version the page's library was told to speak, if it was.
    pub version: Option<String>,
}

/// The key in a form: `key=pk_…`, as a page's library sends it in place of a header.
pub fn key_of(form: &[u8]) -> Option<String> {
    let mut pairs = Pairs::default();
    pairs.read(form).ok()?;
    let found = pairs.iter().find(|(key, _)| *key == "key");
    found.map(|(_, value)| value.to_owned())
}

/// The form without what is no parameter, and with what is to be seen from its sender. `keeps_secret` says whether the
/// operation declares `client_secret`.
///
/// # Errors
/// When it is no form, or says what only a server may.
#[expect(clippy::result_large_err, reason = "the caller renders it at once")]
pub fn browser_form(form: &[u8], keeps_secret: bool, sender: Sender<'_>) -> Result<BrowserForm, Reject> {
    let mut pairs = Pairs::default();
    pairs.read(form).map_err(|why| refused(&why))?;
    let secret = pairs.iter().find(|(key, _)| *key == "client_secret");
    let client_secret = secret.map(|(_, value)| value.to_owned());
    let version = pairs.iter().find(|(key, _)| *key == VERSION);
    let version = version.map(|(_, value)| value.to_owned());
    let forbidden: Vec<String> = pairs
        .iter()
        .filter(|(key, _)| SERVER_ONLY.contains(key))
        .map(|(key, _)| key.to_owned())
        .collect();
    if !forbidden.is_empty() {
        return Err(refused(&tollgate_resource::operation::Refused::Unknown(forbidden)));
    }
    pairs.remove(|key| is_extra(key) || (key == "client_secret" && !keeps_secret));
    let says = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let infers = says(INFER) == Some("true") && says(USER_AGENT).is_none();
    let seen = sender.user_agent.filter(|_| infers).map(|agent| (USER_AGENT, agent));
    let mut out = Vec::with_capacity(form.len());
    for (key, value) in pairs.iter().chain(seen).filter(|pair| *pair != NOT_DEFAULT) {
        if !out.is_empty() {
            out.push(b'&');
        }
        escape(key.as_bytes(), &mut out);
        out.push(b'=');
        escape(value.as_bytes(), &mut out);
    }
    Ok(BrowserForm {
        form: out,
        client_secret,
        version,
    })
}

/// Members of a payment intent that a publishable key sees.
const INTENT: &[&str] = &[
    "id",
    "object",
    "allowed_source_types",
    "amount",
    "amount_details",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "excluded_payment_method_types",
    "last_payment_error",
    "livemode",
    "next_action",
    "next_source_action",
    "payment_method",
    "payment_method_configuration_details",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "source",
    "status",
];

/// Members of a setup intent that a publishable key sees.
const SETUP: &[&str] = &[
    "id",
    "object",
    "automatic_payment_methods",
    "cancellation_reason",
    "client_secret",
    "created",
    "description",
    "excluded_payment_method_types",
    "last_setup_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_configuration_details",
    "payment_method_types",
    "status",
    "usage",
];

/// Members that no publishable key sees on any object: what ties a card to other payments, and the merchant's own notes.
const NEVER: &[&str] = &["fingerprint", "metadata"];

/// Takes out of a rendered answer what a publishable key does not see.
pub fn for_browsers(body: &mut Vec<u8>) {
    let mut value: Value = serde_json::from_slice(body).expect("answers are JSON of our own");
    hide(&mut value);
    let newline = body.ends_with(b"\n");
    *body = serde_json::to_vec_pretty(&value).expect("a value can be written");
    if newline {
        body.push(b'\n');
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(members) => {
            let shown = match members.get("object").and_then(Value::as_str) {
                Some("payment_intent") => Some(INTENT),
                Some("setup_intent") => Some(SETUP),
                _ => None,
            };
            members.retain(|name, _| {
                !NEVER.contains(&name.as_str()) && shown.is_none_or(|shown| shown.contains(&name.as_str()))
            });
            members.values_mut().for_each(hide);
        }
        _ => {}
    }
}

fn is_extra(key: &str) -> bool {
    let inner = key.strip_prefix(INSIDE);
    let name = key.split('[').next().unwrap_or(key);
    let inner = inner.map(|inner| inner.split(']').next().unwrap_or(inner));
    EXTRAS.contains(&name) || inner.is_some_and(|inner| EXTRAS.contains(&inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_library_sends_along_is_taken_out_and_the_rest_stays() {
        let sent = b"key=pk_test_x&guid=1&payment_method_data[type]=card&payment_method_data[guid]=NA&\
            payment_method_data%5Bbilling_details%5D%5Bname%5D=J%C3%BCrgen+%26+Co&client_secret=pi_1_secret_2&\
            radar_options[hcaptcha_token]=t&client_attribution_metadata[a]=b&expand[0]=payment_method";
        assert_eq!(key_of(sent).as_deref(), Some("pk_test_x"));
        let read = browser_form(sent, false, Sender::default()).expect("a good form");
        assert_eq!(read.client_secret.as_deref(), Some("pi_1_secret_2"));
        assert_eq!(
            String::from_utf8(read.form).expect("ASCII"),
            "payment_method_data[type]=card&payment_method_data[billing_details][name]=J%C3%BCrgen%20%26%20Co&\
             expand[0]=payment_method"
        );
        assert_eq!(read.version, None);
        let versioned =
            browser_form(b"_stripe_version=2020-08-27&key=pk_test_x", false, Sender::default()).expect("a good form");
        assert_eq!(versioned.version.as_deref(), Some("2020-08-27"));
        assert!(versioned.form.is_empty());
        let kept = browser_form(b"client_secret=s", true, Sender::default()).expect("a good form");
        assert_eq!(kept.form, b"client_secret=s");
        assert_eq!(key_of(b"amount=1"), None);
        let refused = browser_form(b"off_session=true", false, Sender::default()).expect_err("only a server says that");
        assert_eq!(refused.code.as_deref(), Some("parameter_unknown"));
        assert!(browser_form(b"a=%zz", false, Sender::default()).is_err());
    }

    #[test]
    fn an_answer_shows_a_browser_little() {
        let mut body = br#"{
  "id": "pi_1",
  "object": "payment_intent",
  "amount": 5,
  "customer": "cus_1",
  "latest_charge": null,
  "metadata": {},
  "payment_method": {
    "id": "pm_1",
    "object": "payment_method",
    "card": {
      "brand": "visa",
      "fingerprint": "abc"
    },
    "metadata": {
      "a": "b"
    }
  },
  "status": "succeeded"
}"#
        .to_vec();
        for_browsers(&mut body);
        assert_eq!(
            String::from_utf8(body).expect("text"),
            r#"{
  "id": "pi_1",
  "object": "payment_intent",
  "amount": 5,
  "payment_method": {
    "id": "pm_1",
    "object": "payment_method",
    "card": {
      "brand": "visa"
    }
  },
  "status": "succeeded"
}"#
        );
        let mut error = b"{\n  \"error\": {\n    \"payment_intent\": {\n      \"object\": \"payment_intent\",\n      \
            \"customer\": null\n    }\n  }\n}\n"
            .to_vec();
        for_browsers(&mut error);
        let text = String::from_utf8(error).expect("text");
        assert!(!text.contains("customer") && text.ends_with("}\n"), "{text}");
    }

    #[test]
    fn the_sender_is_named_where_it_is_to_be_seen_and_not_said() {
        let sender = Sender {
            user_agent: Some("An app/1"),
        };
        let read = |sent: &str| {
            let read = browser_form(sent.as_bytes(), false, sender).expect("a good form");
            String::from_utf8(read.form).expect("text")
        };
        let online = |rest: &str| format!("mandate_data[customer_acceptance][online]{rest}");
        let (infer, agent) = (online("[infer_from_client]=true"), online("[user_agent]=An%20app%2F1"));
        let context = "set_as_default_payment_method=false&client_context[mode]=payment";
        assert_eq!(read(&format!("{infer}&{context}")), format!("{infer}&{agent}"));
        let said = format!("{infer}&{}", online("[user_agent]=Another"));
        for other in [&said, "a=1", &online("[infer_from_client]=false")] {
            assert_eq!(read(other), other);
        }
        assert_eq!(
            read("set_as_default_payment_method=true"),
            "set_as_default_payment_method=true"
        );
    }
}
