use super::*;
use crate::catalogue::sample::catalogue;

fn sample() -> Value {
    document(&catalogue())
}

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

#[test]
fn every_reference_resolves() {
    let document = sample();
    let mut count = 0;
    refs(&document, &mut |target| {
        count += 1;
        let pointer = target.strip_prefix('#').expect("references stay in the document");
        assert!(document.pointer(pointer).is_some(), "{target}");
    });
    assert!(count > 10, "{count} references");
}

#[test]
fn a_post_takes_a_form_with_bounds_and_words() {
    let document = sample();
    let operation = &document["paths"]["/v1/parcels"]["post"];
    assert_eq!(operation["operationId"], "send_parcel");
    let body = &operation["requestBody"];
    assert_eq!(body["required"], true);
    let form = &body["content"]["application/x-www-form-urlencoded"];
    let schema = &form["schema"];
    assert_eq!(
        schema["required"],
        json!(["weight"]),
        "a parameter that only old versions demand is not required"
    );
    let names: Vec<_> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        ["weight", "size", "note", "address", "addresses", "metadata", "expand"]
    );
    assert_eq!(
        schema["properties"]["weight"],
        json!({ "type": "integer", "format": "int64", "minimum": 1, "maximum": 30000, "description": "Grams." })
    );
    assert_eq!(schema["properties"]["size"]["enum"], json!(["small", "very_large"]));
    assert_eq!(
        schema["properties"]["note"],
        json!({ "anyOf": [{ "type": "string", "maxLength": 5000 }, { "type": "string", "enum": [""] }] })
    );
    assert_eq!(schema["properties"]["addresses"]["anyOf"][0]["maxItems"], 3);
    assert!(
        schema["properties"].get("stones").is_none(),
        "a parameter that only old versions take is left out"
    );
    let encoded: Vec<_> = form["encoding"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(encoded, ["address", "addresses", "metadata", "expand"]);
    assert_eq!(
        form["encoding"]["address"],
        json!({ "style": "deepObject", "explode": true })
    );
    assert_eq!(
        document["components"]["schemas"]["AddressParams"]["required"],
        json!(["line1"])
    );
}

#[test]
fn a_get_takes_path_and_query() {
    let document = sample();
    let list = document["paths"]["/v1/parcels"]["get"]["parameters"]
        .as_array()
        .unwrap();
    assert_eq!(list[0]["style"], "deepObject", "a range is an integer or a hash");
    assert_eq!(
        (&list[1]["name"], &list[1]["schema"]["maximum"]),
        (&json!("limit"), &json!(100))
    );
    let retrieve = &document["paths"]["/v1/parcels/{parcel}"]["get"];
    assert_eq!(
        retrieve["parameters"][0],
        json!({ "name": "parcel", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 255 } })
    );
    assert!(retrieve.get("requestBody").is_none());
    let answer = &document["paths"]["/v1/parcels"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(
        answer["properties"]["data"]["items"]["$ref"],
        "#/components/schemas/Parcel"
    );
}

#[test]
fn fields_say_null_expansion_and_versions() {
    let document = sample();
    let parcel = &document["components"]["schemas"]["Parcel"];
    let properties = parcel["properties"].as_object().unwrap();
    let names: Vec<_> = properties.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "id",
            "object",
            "address",
            "addresses",
            "courier",
            "created",
            "inside",
            "legacy_weight",
            "metadata",
            "note",
            "size",
            "source",
            "stops",
            "weight",
        ]
    );
    let required = [
        "id",
        "object",
        "address",
        "addresses",
        "courier",
        "created",
        "metadata",
        "size",
        "source",
        "weight",
    ];
    assert_eq!(parcel["required"], json!(required));
    assert_eq!(parcel["x-expandableFields"], json!(["courier", "source", "stops"]));
    assert_eq!(parcel["description"], "A parcel & its <contents>.");
    let courier = json!({ "$ref": "#/components/schemas/Courier" });
    assert_eq!(
        properties["courier"],
        json!({
            "anyOf": [{ "type": "string", "maxLength": 255 }, courier, { "type": "null" }],
            "x-expansionResources": { "oneOf": [courier] },
            "description": "Who carries it.",
        })
    );
    let anything = json!([{ "type": "string", "maxLength": 255 }, { "type": "object" }, { "type": "null" }]);
    assert_eq!(properties["source"]["anyOf"], anything);
    assert_eq!(properties["size"]["type"], json!(["string", "null"]));
    assert_eq!(properties["size"]["enum"], json!(["small", "very_large", null]));
    assert_eq!(properties["object"]["enum"], json!(["parcel"]));
    assert_eq!(properties["weight"]["x-since"], "2023-08-16");
    assert_eq!(properties["stops"]["x-includedUntil"], "2022-11-15");
    assert_eq!(properties["legacy_weight"]["deprecated"], true);
    assert_eq!(properties["inside"]["$ref"], "#/components/schemas/Parcel");
}

#[test]
fn every_operation_may_fail_with_the_error_schema() {
    let document = sample();
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            assert_eq!(
                operation["responses"]["default"]["$ref"],
                "#/components/responses/error"
            );
        }
    }
    let error = &document["components"]["schemas"]["Error"]["properties"]["error"];
    assert_eq!(error["properties"]["type"]["enum"], json!(ErrorType::NAMES));
    assert_eq!(error["required"], json!(["type"]));
}

#[test]
fn the_document_is_the_same_each_time() {
    assert_eq!(sample().to_string(), sample().to_string());
}

#[test]
fn null_joins_any_schema() {
    assert_eq!(
        or_null(json!({ "type": "string" })),
        json!({ "type": ["string", "null"] })
    );
    assert_eq!(
        or_null(schema_ref("A")),
        json!({ "anyOf": [schema_ref("A"), { "type": "null" }] })
    );
}

#[test]
fn a_name_of_two_versions_is_a_choice_in_its_place() {
    let mut properties = Properties::default();
    properties.add("a", json!({ "type": "string" }), false);
    properties.add("b", json!({}), true);
    properties.add("a", json!({ "type": "boolean" }), true);
    let object = properties.object("");
    assert_eq!(object["required"], json!(["b", "a"]));
    assert_eq!(
        object["properties"]["a"],
        json!({ "anyOf": [{ "type": "string" }, { "type": "boolean" }] })
    );
    assert_eq!(object["properties"].as_object().unwrap().keys().next().unwrap(), "a");
}
