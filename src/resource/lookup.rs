//! One field of what an object shows, found by its dotted public name. Filters of lists and searches read objects so,
//! and need to know no resource.

use crate::shown::{Shown, Value};

/// Calls `found` with the value at `path` (`status`, `payment_method_details.card.brand`). A member on the way that is
/// null or absent gives [`Value::Null`]; so does a name that the shape does not have. Arrays are not entered.
pub fn at_path(shown: &dyn Shown, path: &str, found: &mut dyn FnMut(&Value<'_>)) {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(index) = shown.shape().fields.iter().position(|field| field.name == name) else {
        return found(&Value::Null);
    };
    match (shown.value(index), rest) {
        (Value::Absent, _) => found(&Value::Null),
        (value, None) => found(&value),
        (Value::Node(node), Some(rest)) => at_path(node, rest, found),
        (_, Some(_)) => found(&Value::Null),
    }
}

/// The text that a form or a query would write for a value; `None` for null and for what is no single value.
pub fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Str(text) => Some((*text).to_owned()),
        Value::Text(text) => Some(text.clone()),
        Value::Ident(to) => Some(to.id.text(to.kind)),
        Value::Ref(to) => Some(to.id.text(to.kind)),
        Value::Absent
        | Value::Null
        | Value::Node(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::SubList(_)
        | Value::Previous { .. } => None,
    }
}
