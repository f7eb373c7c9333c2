//! The OpenAPI document and the reference page of the real API are complete.

use crate::schema::{self, DOCUMENT};
use crate::shop::Shop;
use serde_json::Value;
use std::collections::BTreeSet;
use tollgate_domain::api::{ENDPOINTS, shape_of};
use tollgate_domain::kinds;
use tollgate_resource::{Method, ParamKind, ParamsShape, Shape, ValueKind, Version};
use tollgate_wire::{openapi, reference_page};

/// Calls `found` with every `$ref` below `value`.
fn refs<'a>(value: &'a Value, found: &mut dyn FnMut(&'a str)) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| match (name.as_str(), member) {
            ("$ref", Value::String(target)) => found(target),
            _ => refs(member, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| refs(item, found)),
        _ => {}
    }
}

/// Every field of `shape` and of the hashes in it stands in the document's schemas with its description.
fn assert_shape(document: &Value, shape: &Shape) {
    let schema = &document["components"]["schemas"][shape.name];
    let properties = schema["properties"]
        .as_object()
        .unwrap_or_else(|| panic!("{} has no schema", shape.name));
    for field in shape.fields {
        let property = properties
            .get(field.name)
            .unwrap_or_else(|| panic!("{}.{} is missing", shape.name, field.name));
        assert!(
            property
                .to_string()
                .contains(&serde_json::to_string(field.doc).unwrap()),
            "{}.{}",
            shape.name,
            field.name
        );
        let mut kind = &field.kind;
        while let ValueKind::List(of) = kind {
            kind = of;
        }
        if let ValueKind::Node(inner) = kind {
            assert_shape(document, inner);
        }
    }
}

/// The schema behind a `$ref`, an array's items and the first of several choices.
fn resolved<'a>(document: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..8 {
        schema = if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            document.pointer(target.strip_prefix('#').unwrap()).unwrap()
        } else if let Some(items) = schema.get("items") {
            items
        } else if let Some(first) = schema.get("anyOf").and_then(|choices| choices.get(0)) {
            first
        } else {
            return schema;
        };
    }
    panic!("{schema} goes on for ever");
}

fn assert_params(document: &Value, schema: &Value, params: &ParamsShape) {
    for field in params.fields.iter().filter(|field| field.until > Version::NEWEST) {
        let property = &schema["properties"][field.name];
        assert!(property.is_object(), "{}.{} is missing", params.name, field.name);
        let mut kind = &field.kind;
        while let ParamKind::List { of, .. } = kind {
            kind = of;
        }
        if let ParamKind::Node(inner) = kind {
            assert_params(document, resolved(document, property), inner);
        }
    }
}

#[test]
fn every_operation_and_parameter_is_in_the_document() {
    let document = openapi(ENDPOINTS);
    let mut names = BTreeSet::new();
    for endpoint in ENDPOINTS {
        let operation = &document["paths"][endpoint.path][endpoint.method.name().to_lowercase()];
        assert_eq!(operation["operationId"], endpoint.name);
        assert!(
            names.insert(endpoint.name),
            "{} is the name of two operations",
            endpoint.name
        );
        let parameters = operation["parameters"].as_array().unwrap();
        let has = |place: &str, name: &str| parameters.iter().any(|it| it["in"] == place && it["name"] == name);
        for segment in endpoint
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        {
            assert!(has("path", segment), "{} {segment}", endpoint.name);
        }
        match endpoint.method {
            Method::Post => {
                let content = operation["requestBody"]["content"].as_object().expect("a body");
                let form = &content.values().next().expect("one type of form")["schema"];
                assert_params(&document, form, endpoint.params);
            }
            Method::Get | Method::Delete => {
                for field in endpoint
                    .params
                    .fields
                    .iter()
                    .filter(|field| field.until > Version::NEWEST)
                {
                    assert!(has("query", field.name), "{} {}", endpoint.name, field.name);
                }
            }
        }
    }
    let count: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!(count, ENDPOINTS.len());
}

#[test]
fn every_object_and_field_is_in_the_document() {
    let document = openapi(ENDPOINTS);
    for shape in kinds::ALL.iter().filter_map(|kind| shape_of(kind)) {
        assert_shape(&document, shape);
    }
}

#[test]
fn every_reference_of_the_document_resolves() {
    let document = openapi(ENDPOINTS);
    refs(&document, &mut |target| {
        let found = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(found.is_some(), "{target}");
    });
}

#[test]
fn both_documents_are_the_same_each_time() {
    assert_eq!(openapi(ENDPOINTS).to_string(), openapi(ENDPOINTS).to_string());
    assert_eq!(reference_page(ENDPOINTS), reference_page(ENDPOINTS));
}

#[test]
fn every_operation_and_field_is_on_the_page_and_links_lead_somewhere() {
    let page = reference_page(ENDPOINTS);
    for endpoint in ENDPOINTS {
        assert!(page.contains(&format!("id=\"{}\"", endpoint.name)), "{}", endpoint.name);
        for field in endpoint.params.fields {
            assert!(
                page.contains(&format!("<code>{}</code>", field.name)),
                "{} {}",
                endpoint.name,
                field.name
            );
        }
    }
    for shape in kinds::ALL.iter().filter_map(|kind| shape_of(kind)) {
        for field in shape.fields {
            assert!(
                page.contains(&format!("<code>{}</code>", field.name)),
                "{}.{}",
                shape.name,
                field.name
            );
        }
    }
    for part in page.split("href=\"").skip(1) {
        let target = part.split('"').next().unwrap();
        let id = target.strip_prefix('#').expect("links stay on the page");
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{target}");
    }
}

/// A value that the schema of a parameter lets through, as pairs of a form.
fn sample(schema: &Value, name: &str, out: &mut Vec<(String, String)>) {
    let schema = schema::resolved(schema);
    if let Some(first) = schema.get("anyOf").and_then(|choices| choices.get(0)) {
        return sample(first, name, out);
    }
    if let Some(word) = schema.get("enum").and_then(|words| words.get(0)) {
        return out.push((name.into(), word.as_str().expect("words are text").into()));
    }
    match schema["type"].as_str().unwrap_or("object") {
        "array" => sample(&schema["items"], &format!("{name}[0]"), out),
        "boolean" => out.push((name.into(), "true".into())),
        "integer" => out.push((name.into(), "1".into())),
        "string" => out.push((name.into(), "x".into())),
        _ => match schema.get("properties").and_then(Value::as_object) {
            Some(members) => members
                .iter()
                .for_each(|(member, schema)| sample(schema, &format!("{name}[{member}]"), out)),
            None => out.push((format!("{name}[key]"), "x".into())),
        },
    }
}

#[test]
fn every_documented_parameter_is_known_to_its_route() {
    let mut shop = Shop::open();
    let mut known = 0;
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        let concrete: Vec<&str> = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part })
            .collect();
        for (method, operation) in operations.as_object().unwrap() {
            let mut pairs = Vec::new();
            for parameter in operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|it| it["in"] == "query")
            {
                sample(&parameter["schema"], parameter["name"].as_str().unwrap(), &mut pairs);
            }
            if let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object) {
                for body in content.values() {
                    for (name, schema) in body["schema"]["properties"].as_object().unwrap() {
                        sample(schema, name, &mut pairs);
                    }
                }
            }
            for (name, value) in pairs {
                let form = format!("{name}={value}");
                let (_, body) = shop.send(&method.to_uppercase(), &concrete.join("/"), &form);
                assert!(
                    !body.contains("parameter_unknown"),
                    "{method} {path} with {form}: {body}"
                );
                known += 1;
            }
        }
    }
    assert!(known > 200, "only {known} parameters");
}

#[test]
fn a_malformed_call_of_every_route_is_answered_as_documented() {
    let mut shop = Shop::open();
    let error = &DOCUMENT["components"]["responses"]["error"]["content"]["application/json"]["schema"];
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            for form in [
                "no_such_parameter=1",
                "expand[]=a.b.c.d.e",
                "expand[a]=b",
                "%zz",
                "a=%00",
            ] {
                let (status, body) = shop.send(&method.to_uppercase(), &path.replace(['{', '}'], ""), form);
                assert!(
                    (400..500).contains(&status),
                    "{method} {path} with {form}: {status} {body}"
                );
                let answer = serde_json::from_str(&body).expect("an error is JSON");
                schema::check(error, &answer, "error")
                    .unwrap_or_else(|what| panic!("{method} {path} with {form}: {what}"));
            }
        }
    }
}
