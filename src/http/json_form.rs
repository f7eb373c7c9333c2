//! Bodies of the second version of the API, which are JSON, as forms: `{"a": {"b": [1]}}` says what `a[b][0]=1` says, and `null`
//! what an empty text does. So whatever reads parameters needs not know of it, and one that is sent again is the same again.

use serde_json::Value;
use tollgate_wire::forms::escape;

/// How the paths of the second version begin.
const SECOND_VERSION: &str = "/v2/";
/// The content type of its bodies.
const JSON: &str = "application/json";
/// Most hashes and arrays inside each other; a form has no more brackets either.
const DEPTH_MAX: usize = 8;

/// Whether a path is one of the second version.
pub(crate) fn is_second_version(path: &str) -> bool {
    path.starts_with(SECOND_VERSION)
}

/// Whether a content type is that of a body of the second version.
pub(crate) fn is_json(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON))
}

/// The form that says what a body says.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(crate) fn form_of(body: &[u8]) -> Result<Vec<u8>, &'static str> {
    form_of_value(&serde_json::from_slice(body).map_err(|_| "the body is not valid JSON.")?)
}

/// The same of a body that was read already.
///
/// # Errors
/// As [`form_of`].
pub(crate) fn form_of_value(body: &Value) -> Result<Vec<u8>, &'static str> {
    let Value::Object(members) = body else {
        return Err("the body is not a JSON object.");
    };
    let mut form = Vec::new();
    for (name, member) in members {
        put(name, member, 1, &mut form)?;
    }
    Ok(form)
}

/// Writes a value at a path.
fn put(path: &str, value: &Value, depth: usize, form: &mut Vec<u8>) -> Result<(), &'static str> {
    if depth > DEPTH_MAX {
        return Err("the body is nested too deeply.");
    }
    let text = match value {
        Value::Object(members) => {
            for (name, member) in members {
                put(&format!("{path}[{name}]"), member, depth + 1, form)?;
            }
            return Ok(());
        }
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                put(&format!("{path}[{at}]"), item, depth + 1, form)?;
            }
            return Ok(());
        }
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => text.clone(),
    };
    if !form.is_empty() {
        form.push(b'&');
    }
    escape(path.as_bytes(), form);
    form.push(b'=');
    escape(text.as_bytes(), form);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_what_its_form_says() {
        let form = |body: &str| form_of(body.as_bytes()).map(|form| String::from_utf8(form).expect("it is ASCII"));
        for (body, wanted) in [
            ("{}", Ok("")),
            (r#"{"a": 1, "b": true, "c": null, "d": ""}"#, Ok("a=1&b=true&c=&d=")),
            (r#"{"a": {"b": ["x", "y&z=1"]}}"#, Ok("a[b][0]=x&a[b][1]=y%26z%3D1")),
            (r#"{"a": [], "m": {"ü [": "é"}}"#, Ok("a=&m[%C3%BC%20[]=%C3%A9")),
            ("[]", Err("the body is not a JSON object.")),
            ("a=b", Err("the body is not valid JSON.")),
            ("", Err("the body is not valid JSON.")),
            (r#"{"a": 1"#, Err("the body is not valid JSON.")),
        ] {
            assert_eq!(form(body).as_deref().map_err(|why| *why), wanted, "{body}");
        }
        let deep = format!("{}1{}", r#"{"a":"#.repeat(9), "}".repeat(9));
        assert_eq!(form(&deep), Err("the body is nested too deeply."));
    }

    #[test]
    fn the_second_version_is_known_by_its_paths_and_its_type() {
        assert!(is_second_version("/v2/core/events") && !is_second_version("/v1/v2/"));
        assert!(is_json("application/json") && is_json("Application/JSON; charset=utf-8"));
        assert!(!is_json("application/x-www-form-urlencoded") && !is_json(""));
    }
}
