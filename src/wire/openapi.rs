//! The OpenAPI 3.1 document, read off the declarations: every operation, parameter and field the API has.

mod parameters;

use self::parameters::{current, params_schema, query_parameter, request_body};
use crate::catalogue::{Catalogue, date, expandable_objects, path_names, title};
use serde_json::{Map, Value, json};
use tollgate_domain::ErrorType;
use tollgate_resource::operation::Answers;
use tollgate_resource::{Endpoint, FieldShape, Method, Names, Shape, ValueKind, Version};

/// The document for `endpoints`, in their order. Panics when two different shapes share a name.
pub fn openapi<C>(endpoints: &[&Endpoint<C>]) -> Value {
    document(&Catalogue::new(endpoints, &expandable_objects()))
}

fn document<C>(catalogue: &Catalogue<'_, C>) -> Value {
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for (resource, operations) in &catalogue.resources {
        tags.push(json!({ "name": title(resource) }));
        for endpoint in operations {
            let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
            path[endpoint.method.name().to_ascii_lowercase()] = operation(endpoint, resource, catalogue);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollgate",
            "description": "Payments: the Stripe API as Tollgate serves it. Fields are those of the newest version; \
                what other versions leave out or add says so.",
            "version": crate::versions::name(Version::NEWEST),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "secretKeyAsUser": [] }, { "secretKeyAsBearer": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas(catalogue),
            "parameters": header_parameters(),
            "responses": { "error": {
                "description": "Refused or failed; nothing changed unless the message says so.",
                "content": { "application/json": { "schema": schema_ref("Error") } },
            } },
            "securitySchemes": {
                "secretKeyAsUser": { "type": "http", "scheme": "basic", "description": "The key as user name, no password." },
                "secretKeyAsBearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn operation<C>(endpoint: &Endpoint<C>, resource: &str, catalogue: &Catalogue<'_, C>) -> Value {
    let mut parameters: Vec<Value> = path_names(endpoint.path)
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "maxLength": 255 } })
        })
        .collect();
    let mut operation = json!({
        "operationId": endpoint.name,
        "summary": endpoint.doc,
        "tags": [title(resource)],
    });
    match endpoint.method {
        Method::Get | Method::Delete => {
            let pages = !matches!(endpoint.answers, Answers::One(_) | Answers::Contents(_));
            parameters.extend(current(endpoint.params).map(|field| query_parameter(field, pages)));
            parameters.push(json!({
                "name": "expand", "in": "query", "required": false, "style": "deepObject", "explode": true,
                "description": EXPAND_DOC, "schema": expand_schema(),
            }));
        }
        Method::Post => {
            parameters.push(json!({ "$ref": "#/components/parameters/idempotencyKey" }));
            operation["requestBody"] = request_body(endpoint.params, endpoint.path);
        }
    }
    parameters.push(json!({ "$ref": "#/components/parameters/version" }));
    operation["parameters"] = parameters.into();
    let answer = match endpoint.answers {
        Answers::Contents(_) => json!({ "type": "string", "format": "binary" }),
        Answers::One(shape) if endpoint.method == Method::Get => or_besides(object_schema(shape, catalogue), shape),
        Answers::One(shape) => or_besides(schema_ref(shape.name), shape),
        Answers::Many(shape) => list_schema(&or_besides(schema_ref(shape.name), shape)),
        Answers::Found(shape) => search_schema(&schema_ref(shape.name)),
    };
    let content_type = match endpoint.answers {
        Answers::Contents(_) => "application/octet-stream",
        _ => "application/json",
    };
    operation["responses"] = json!({
        "200": { "description": "Done.", "content": { content_type: { "schema": answer } } },
        "default": { "$ref": "#/components/responses/error" },
    });
    operation
}

const EXPAND_DOC: &str = "References to show as whole objects, as dotted paths.";

fn expand_schema() -> Value {
    json!({ "type": "array", "items": { "type": "string", "maxLength": 5000 } })
}

fn schemas<C>(catalogue: &Catalogue<'_, C>) -> Value {
    let mut schemas = Map::new();
    for (name, shape) in &catalogue.shapes {
        schemas.insert((*name).into(), shape_schema(shape, catalogue));
    }
    for (name, params) in &catalogue.params {
        schemas.insert((*name).into(), params_schema(params));
    }
    let error = schemas.insert("Error".into(), error_schema(catalogue));
    assert!(error.is_none(), "the schema name Error is taken by an object");
    Value::Object(schemas)
}

fn shape_schema<C>(shape: &Shape, catalogue: &Catalogue<'_, C>) -> Value {
    let mut properties = Properties::default();
    for field in shape.fields {
        let mut schema = field_schema(field, catalogue);
        versions(&mut schema, field.since, field.until);
        if field.included_until != Version::ALWAYS {
            schema["x-includedUntil"] = date(field.included_until).into();
        }
        // Included lists come only by expansion in the newest version.
        let by_expansion = field.expand && matches!(field.kind, ValueKind::Node(_) | ValueKind::SubList);
        let always = !field.omit
            && !by_expansion
            && (field.included_until == Version::ALWAYS || matches!(field.kind, ValueKind::Ref))
            && is_current(field.since, field.until);
        properties.add(field.name, described(schema, field.doc), always);
    }
    let mut schema = properties.object(shape.doc);
    let expandable: Vec<_> = shape
        .fields
        .iter()
        .filter(|field| expands(field))
        .map(|field| field.name)
        .collect();
    if !expandable.is_empty() {
        schema["x-expandableFields"] = json!(expandable);
    }
    schema
}

fn expands(field: &FieldShape) -> bool {
    field.expand || matches!(field.kind, ValueKind::SubList)
}

fn field_schema<C>(field: &FieldShape, catalogue: &Catalogue<'_, C>) -> Value {
    let mut schema = value_kind(&field.kind);
    if field.expand && !matches!(field.kind, ValueKind::Node(_)) {
        schema = match catalogue.referable(field.name) {
            Some(shape) => {
                let shapes = [Some(shape), catalogue.stub_of(shape)].into_iter().flatten();
                let objects: Vec<Value> = shapes.map(|shape| schema_ref(shape.name)).collect();
                let mut choices = vec![schema];
                choices.extend_from_slice(&objects);
                json!({ "anyOf": choices, "x-expansionResources": { "oneOf": objects } })
            }
            None => json!({ "anyOf": [schema, { "type": "object" }] }),
        };
    }
    if field.nullable { or_null(schema) } else { schema }
}

fn value_kind(kind: &ValueKind) -> Value {
    match kind {
        ValueKind::Bool => json!({ "type": "boolean" }),
        ValueKind::Int => json!({ "type": "integer", "format": "int64" }),
        ValueKind::Timestamp => json!({ "type": "integer", "format": "unix-time" }),
        ValueKind::Str => json!({ "type": "string" }),
        ValueKind::Names(names) => json!({ "type": "string", "enum": names }),
        ValueKind::Object(object) => json!({ "type": "string", "enum": [object] }),
        ValueKind::Ref => json!({ "type": "string", "maxLength": 255 }),
        ValueKind::Node(shape) => schema_ref(shape.name),
        ValueKind::Named(name) => schema_ref(name),
        ValueKind::List(of) => json!({ "type": "array", "items": value_kind(of) }),
        ValueKind::Map => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        ValueKind::SubList => included_schema(),
        ValueKind::Any => json!({ "type": "object", "additionalProperties": true }),
    }
}

fn list_schema(item: &Value) -> Value {
    json!({
        "type": "object",
        "description": "Newest first.",
        "required": ["object", "data", "has_more", "url"],
        "properties": {
            "object": { "type": "string", "enum": ["list"] },
            "data": { "type": "array", "items": item },
            "has_more": { "type": "boolean", "description": "Whether the list goes on beyond this page." },
            "url": { "type": "string", "description": "Where the list is read." },
        },
    })
}

/// A list inside an object says how many there are.
fn included_schema() -> Value {
    let mut schema = list_schema(&json!({ "type": "object" }));
    schema["properties"]["total_count"] = json!({ "type": "integer", "description": "How many there are." });
    schema
}

fn search_schema(item: &Value) -> Value {
    let mut schema = list_schema(item);
    schema["properties"]["object"] = json!({ "type": "string", "enum": ["search_result"] });
    schema["properties"]["next_page"] = json!({
        "type": ["string", "null"],
        "description": "The `page` of the next page; null on the last.",
    });
    schema["properties"]["total_count"] = json!({
        "type": "integer",
        "description": "How many objects match among the newest 10,000; shown when expanded.",
    });
    schema["required"] = json!(["object", "data", "has_more", "next_page", "url"]);
    schema
}

/// Members of an `error` that are plain text, as `Reject` lists them.
const ERROR_TEXTS: &[(&str, &str)] = &[
    ("advice_code", "What the issuer advises: whether to try again."),
    ("charge", "Id of the failed charge."),
    ("code", "A stable word for programs."),
    ("decline_code", "Why the issuer declined."),
    ("doc_url", "A page about the code."),
    ("message", "What is wrong and what to do, for people."),
    ("network_advice_code", "The network's own advice."),
    ("network_decline_code", "The network's own code of the decline."),
    (
        "param",
        "The parameter that is wrong, with brackets where it is nested.",
    ),
    ("request_log_url", "Where the request can be looked up."),
];

fn error_schema<C>(catalogue: &Catalogue<'_, C>) -> Value {
    let mut properties = Properties::default();
    let kinds = json!({ "type": "string", "enum": ErrorType::NAMES });
    properties.add("type", described(kinds, "What sort of failure it is."), true);
    for (name, doc) in ERROR_TEXTS {
        properties.add(name, described(json!({ "type": "string" }), doc), false);
    }
    for object in ["payment_intent", "payment_method", "setup_intent"] {
        let shape = catalogue.shapes.values().find(|shape| shape.object == Some(object));
        let schema = shape.map_or_else(|| json!({ "type": "object" }), |shape| schema_ref(shape.name));
        properties.add(object, described(schema, "The object that the error is about."), false);
    }
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": properties.object("Why the request was refused.") },
    })
}

fn header_parameters() -> Value {
    json!({
        "version": {
            "name": "Stripe-Version", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The API version of request and answer; the account's own unless given.",
        },
        "idempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "A retry with the same key gets the first answer and changes nothing.",
        },
    })
}

/// An object, or what is left of it when it was deleted.
fn object_schema<C>(shape: &Shape, catalogue: &Catalogue<'_, C>) -> Value {
    let object = schema_ref(shape.name);
    match catalogue.stub_of(shape) {
        Some(stub) => json!({ "anyOf": [object, schema_ref(stub.name)] }),
        None => object,
    }
}

/// The schema of an object, or what may stand in its place.
fn or_besides(schema: Value, shape: &Shape) -> Value {
    let others = tollgate_domain::api::besides(shape);
    if others.is_empty() {
        return schema;
    }
    let mut choices = vec![schema];
    choices.extend(others.iter().map(|other| schema_ref(other.name)));
    json!({ "anyOf": choices })
}

fn schema_ref(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema, or null.
fn or_null(mut schema: Value) -> Value {
    if let Some(choices) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        choices.push(Value::Null);
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.push(json!({ "type": "null" }));
        return schema;
    }
    match schema.get("type").cloned() {
        Some(kind) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        None => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// Adds a description where there is one.
fn described(mut schema: Value, doc: &str) -> Value {
    if !doc.is_empty() {
        schema["description"] = doc.into();
    }
    schema
}

/// Says which versions have the member.
fn versions(schema: &mut Value, since: Version, until: Version) {
    if since != Version::ALWAYS {
        schema["x-since"] = date(since).into();
    }
    if until != Version::NEVER {
        schema["x-until"] = date(until).into();
    }
    if !is_current(since, until) {
        schema["deprecated"] = true.into();
    }
}

fn is_current(since: Version, until: Version) -> bool {
    since <= Version::NEWEST && Version::NEWEST < until
}

/// Members of an object in order; two that share a name in different versions become a choice.
#[derive(Default)]
struct Properties {
    members: Map<String, Value>,
    required: Vec<String>,
}

impl Properties {
    fn add(&mut self, name: &str, schema: Value, required: bool) {
        if required && !self.required.iter().any(|known| known == name) {
            self.required.push(name.into());
        }
        match self.members.get_mut(name) {
            Some(known) => *known = json!({ "anyOf": [known.take(), schema] }),
            None => {
                self.members.insert(name.into(), schema);
            }
        }
    }

    fn object(self, doc: &str) -> Value {
        let mut schema = described(json!({ "type": "object" }), doc);
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema["properties"] = Value::Object(self.members);
        schema
    }
}

#[cfg(test)]
mod tests;
