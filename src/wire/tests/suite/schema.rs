//! Whether JSON is what the OpenAPI document says: the part of JSON Schema that the document uses.

use serde_json::Value;
use std::sync::LazyLock;
use tollgate_domain::api::ENDPOINTS;
use tollgate_wire::openapi;

/// The document of the real API.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| openapi(ENDPOINTS));

/// The schema that a `$ref` leads to, or the schema itself.
pub(crate) fn resolved(schema: &Value) -> &Value {
    let mut schema = schema;
    while let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = target.strip_prefix('#').expect("references stay in the document");
        schema = DOCUMENT.pointer(pointer).expect("references resolve");
    }
    schema
}

/// Checks `value`; an error says where and what.
pub(crate) fn check(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let schema = resolved(schema);
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let tried: Vec<String> = choices
            .iter()
            .filter_map(|choice| check(choice, value, place).err())
            .collect();
        return if tried.len() < choices.len() {
            Ok(())
        } else {
            Err(tried.join("; or "))
        };
    }
    if let Some(kinds) = schema.get("type")
        && !is_of(kinds, value)
    {
        return Err(format!("{place} is {value}, not {kinds}"));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        return Err(format!("{place} is {value}, none of {words:?}"));
    }
    match value {
        Value::Array(items) => {
            let each = schema.get("items").unwrap_or(&Value::Null);
            items
                .iter()
                .enumerate()
                .try_for_each(|(at, item)| check(each, item, &format!("{place}[{at}]")))
        }
        Value::Object(members) => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    return Err(format!("{place}.{name} is missing"));
                }
            }
            members.iter().try_for_each(|(name, member)| {
                let inner = format!("{place}.{name}");
                match (
                    schema.pointer(&format!("/properties/{name}")),
                    schema.get("additionalProperties"),
                ) {
                    (Some(known), _) => check(known, member, &inner),
                    (None, Some(Value::Object(any))) => check(&Value::Object(any.clone()), member, &inner),
                    (None, Some(Value::Bool(true))) => Ok(()),
                    // A hash without properties of its own stands for any object.
                    (None, None) if schema.get("properties").is_none() => Ok(()),
                    _ => Err(format!("{inner} is not in the document")),
                }
            })
        }
        _ => Ok(()),
    }
}

fn is_of(kinds: &Value, value: &Value) -> bool {
    match kinds {
        Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
        Value::String(kind) => match kind.as_str() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("the document has the type {other}"),
        },
        other => panic!("{other} is no type"),
    }
}
