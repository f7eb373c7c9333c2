//! Parameters of operations in the document: those of queries, and forms.

use super::{EXPAND_DOC, Properties, described, expand_schema, is_current, schema_ref, versions};
use serde_json::{Map, Value, json};
use tollgate_domain::call::{PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use tollgate_resource::metadata::{METADATA_KEYS_MAX, METADATA_VALUE_LEN_MAX};
use tollgate_resource::{ParamField, ParamKind, ParamsShape};

/// A parameter of a query. `pages`: whether the operation answers with pages, whose `limit` is moved into its bounds instead of refused.
pub(super) fn query_parameter(field: &ParamField, pages: bool) -> Value {
    let mut parameter = json!({
        "name": field.name,
        "in": "query",
        "required": required(field),
        "description": field.doc,
        "schema": param_schema(field),
    });
    if is_nested(&field.kind) {
        parameter["style"] = "deepObject".into();
        parameter["explode"] = true.into();
    }
    if pages && field.name == "limit" {
        parameter["schema"] = json!({
            "type": "integer", "minimum": 1, "maximum": PAGE_LIMIT_MAX, "default": PAGE_LIMIT_DEFAULT,
        });
    }
    if !is_current(field.since, field.until) {
        parameter["deprecated"] = true.into();
    }
    parameter
}

/// The form that an operation takes; in the second version of the API it is JSON.
pub(super) fn request_body(params: &ParamsShape, path: &str) -> Value {
    let mut schema = params_schema(params);
    if path.starts_with("/v2/") {
        return json!({
            "required": params.fields.iter().any(required),
            "content": { "application/json": { "schema": schema } },
        });
    }
    schema["properties"]["expand"] = described(expand_schema(), EXPAND_DOC);
    let mut encoding = Map::new();
    let nested = current(params)
        .filter(|field| is_nested(&field.kind))
        .map(|field| field.name);
    for name in nested.chain(["expand"]) {
        encoding.insert(name.into(), json!({ "style": "deepObject", "explode": true }));
    }
    let uploads = params.fields.iter().any(|field| matches!(field.kind, ParamKind::File));
    let content_type = if uploads {
        "multipart/form-data"
    } else {
        "application/x-www-form-urlencoded"
    };
    json!({
        "required": params.fields.iter().any(required),
        "content": { content_type: { "schema": schema, "encoding": encoding } },
    })
}

/// The parameters that the newest version takes.
pub(super) fn current(params: &ParamsShape) -> impl Iterator<Item = &'static ParamField> {
    params
        .fields
        .iter()
        .filter(|field| is_current(field.since, field.until))
}

/// Whether the newest version demands it.
fn required(field: &ParamField) -> bool {
    field.required && is_current(field.since, field.until)
}

/// Whether a form writes it with brackets.
fn is_nested(kind: &ParamKind) -> bool {
    matches!(
        kind,
        ParamKind::Node(_) | ParamKind::List { .. } | ParamKind::Metadata | ParamKind::Range
    )
}

/// The schema of a set of parameters.
pub(super) fn params_schema(params: &ParamsShape) -> Value {
    let mut properties = Properties::default();
    for field in current(params) {
        properties.add(field.name, described(param_schema(field), field.doc), required(field));
    }
    properties.object(params.doc)
}

fn param_schema(field: &ParamField) -> Value {
    let mut schema = param_kind(&field.kind);
    if field.clearable {
        schema = json!({ "anyOf": [schema, { "type": "string", "enum": [""] }] });
    }
    versions(&mut schema, field.since, field.until);
    schema
}

fn param_kind(kind: &ParamKind) -> Value {
    match kind {
        ParamKind::Int { min, max } => {
            let mut schema = json!({ "type": "integer", "format": "int64" });
            if *min != i64::MIN {
                schema["minimum"] = (*min).into();
            }
            if *max != i64::MAX {
                schema["maximum"] = (*max).into();
            }
            schema
        }
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Str { max_len } => json!({ "type": "string", "maxLength": max_len }),
        ParamKind::Names(names) => json!({ "type": "string", "enum": names }),
        ParamKind::Id(kind) => json!({ "type": "string", "maxLength": 255, "x-idOf": kind.object }),
        ParamKind::Word(word) => json!({ "type": "string", "format": word }),
        ParamKind::Secret(word) => json!({ "type": "string", "format": word, "writeOnly": true }),
        ParamKind::Metadata => json!({
            "type": "object",
            "maxProperties": METADATA_KEYS_MAX,
            "additionalProperties": { "type": "string", "maxLength": METADATA_VALUE_LEN_MAX },
        }),
        ParamKind::Node(shape) => schema_ref(shape.name),
        ParamKind::File => json!({ "type": "string", "format": "binary" }),
        ParamKind::Range => {
            let bound = json!({ "type": "integer", "format": "int64" });
            json!({ "anyOf": [bound, {
                "type": "object",
                "properties": { "gt": bound, "gte": bound, "lt": bound, "lte": bound },
                "additionalProperties": false,
            }] })
        }
        ParamKind::List { of, max_items } => {
            json!({ "type": "array", "maxItems": max_items, "items": param_kind(of) })
        }
    }
}
