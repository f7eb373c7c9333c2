//! `previous_attributes`: the members that changed, at their values before. Nested hashes and metadata show only the
//! members of theirs that changed; a key that was not there before shows null.

use super::json;
use super::show::Show;
use crate::versions::DIFFERENCES_SINCE;
use serde_json::{Map, Value as Json};
use tollgate_resource::shown::{Items, SubList};
use tollgate_resource::{Expand, Metadata, Shown, Value, Version};

/// Leaves of the `previous_attributes` of an event's data, which hold the whole object of before, what differs from its
/// `object`. Both are as `version` has them.
pub(super) fn only_what_changed(data: &mut Json, version: Version) {
    let Some(Json::Object(before)) = data.get("previous_attributes") else {
        return;
    };
    let Json::Object(after) = &data["object"] else { return };
    let changed = changed_members(before, after, version >= DIFFERENCES_SINCE);
    data["previous_attributes"] = Json::Object(changed);
}

fn changed_members(before: &Map<String, Json>, after: &Map<String, Json>, inside: bool) -> Map<String, Json> {
    let gone = before.iter().filter(|(name, old)| after.get(*name) != Some(*old));
    let mut changed: Map<String, Json> = gone
        .map(|(name, old)| (name.clone(), changed_value(old, after.get(name), inside)))
        .collect();
    let new = after.keys().filter(|name| !before.contains_key(*name));
    changed.extend(new.map(|name| (name.clone(), Json::Null)));
    changed
}

fn changed_value(before: &Json, after: Option<&Json>, inside: bool) -> Json {
    let (Json::Object(old), Some(Json::Object(new))) = (before, after) else {
        return before.clone();
    };
    let kind = old.get("object");
    if !inside || kind != new.get("object") {
        return before.clone();
    }
    let mut changed = changed_members(old, new, inside);
    if kind.and_then(Json::as_str) == Some("list") {
        changed.insert("data".into(), old.get("data").cloned().unwrap_or_default());
        changed.sort_keys();
    }
    Json::Object(changed)
}

/// Writes what of `old` differs in `new`.
pub(super) fn write(show: &mut Show<'_>, old: &dyn Shown, new: &dyn Shown, depth: usize) {
    assert!(same_shape(old, new), "an object changes its values, not its shape");
    let mut first = true;
    for (index, field) in old.shape().fields.iter().enumerate() {
        if !show.has(field) {
            continue;
        }
        let (before, after) = (old.value(index), new.value(index));
        let left_out = match &before {
            Value::SubList(_) => !show.includes(field),
            Value::Node(_) => field.expand,
            _ => false,
        };
        if left_out || !differ(show, &before, &after) {
            continue;
        }
        show.map_key(first, field.name, depth);
        first = false;
        match (before, after) {
            (Value::Node(before), Value::Node(after)) if same_shape(before, after) => {
                write(show, before, after, depth + 1);
            }
            (Value::Map(before), Value::Map(after)) => pairs(show, before, after, depth + 1),
            (Value::SubList(before), Value::SubList(after)) => sub_list(show, &before, &after, depth + 1),
            (before, _) => show.value(&before, None, depth + 1),
        }
    }
    show.close(first, depth);
}

fn differ(show: &Show<'_>, before: &Value<'_>, after: &Value<'_>) -> bool {
    match (before, after) {
        (Value::Absent | Value::Null, Value::Absent | Value::Null) => false,
        (Value::Bool(before), Value::Bool(after)) => before != after,
        (Value::Int(before), Value::Int(after)) => before != after,
        (Value::Str(before), Value::Str(after)) => before != after,
        (Value::Text(before), Value::Text(after)) => before != after,
        (Value::Ref(before), Value::Ref(after)) => before != after,
        (Value::Ident(before), Value::Ident(after)) => before != after,
        (Value::Map(before), Value::Map(after)) => before != after,
        (Value::SubList(before), Value::SubList(after)) => before.ids != after.ids || before.total != after.total,
        (Value::Node(before), Value::Node(after)) => {
            !same_shape(*before, *after) || nodes_differ(show, *before, *after)
        }
        (Value::List(before), Value::List(after)) => lists_differ(show, *before, *after),
        _ => true,
    }
}

fn nodes_differ(show: &Show<'_>, before: &dyn Shown, after: &dyn Shown) -> bool {
    let fields = before
        .shape()
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| show.has(field));
    fields
        .into_iter()
        .any(|(index, _)| differ(show, &before.value(index), &after.value(index)))
}

fn lists_differ(show: &Show<'_>, before: &dyn Items, after: &dyn Items) -> bool {
    before.len() != after.len() || (0..before.len()).any(|at| differ(show, &before.item(at), &after.item(at)))
}

/// Shapes are constants and have no address of their own; their names are unique among what one field can hold.
fn same_shape(before: &dyn Shown, after: &dyn Shown) -> bool {
    before.shape().name == after.shape().name
}

/// Metadata keys that changed: their old values, or null.
fn pairs(show: &mut Show<'_>, before: &Metadata, after: &Metadata, depth: usize) {
    let get = |map: &Metadata, name: &str| {
        map.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, text)| text.to_owned())
    };
    let mut first = true;
    for (name, text) in before
        .iter()
        .filter(|(name, text)| get(after, name).as_deref() != Some(*text))
    {
        show.map_key(first, name, depth);
        first = false;
        json::string(show.out, text);
    }
    for (name, _) in after.iter().filter(|(name, _)| get(before, name).is_none()) {
        show.map_key(first, name, depth);
        first = false;
        show.out.extend_from_slice(b"null");
    }
    show.close(first, depth);
}

fn sub_list(show: &mut Show<'_>, before: &SubList<'_>, after: &SubList<'_>, depth: usize) {
    show.map_key(true, "data", depth);
    show.items(before.ids.len(), depth + 1, &mut |show, at, depth| {
        show.object(before.kind_of(before.ids[at]), before.ids[at], Expand::NONE, depth);
    });
    if before.has_more != after.has_more {
        show.map_key(false, "has_more", depth);
        json::bool(show.out, before.has_more);
    }
    if before.total != after.total {
        show.map_key(false, "total_count", depth);
        json::int(show.out, i64::try_from(before.total).unwrap_or(i64::MAX));
    }
    show.close(false, depth);
}
