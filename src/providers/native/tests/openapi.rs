//! The document that describes the routes.

use std::collections::BTreeSet;

use serde_json::Map;

use super::*;
use crate::testing::block_on;

async fn document() -> Value {
    Site::new().await.document
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap();
        operations.iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    each.collect()
}

/// Follows a `$ref`.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            resolved(document, document.pointer(pointer).unwrap())
        }
        None => schema,
    }
}

/// All properties of an object, wherever its parts are written down.
fn properties(document: &Value, schema: &Value) -> Map<String, Value> {
    let schema = resolved(document, schema);
    let mut found = schema["properties"].as_object().cloned().unwrap_or_default();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        found.extend(properties(document, part));
    }
    found
}

/// Whether a value has the types and fields that its schema asks for.
fn fits(document: &Value, schema: &Value, value: &Value) -> bool {
    let schema = resolved(document, schema);
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            return choices.iter().any(|choice| fits(document, choice, value));
        }
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_number = kind == "integer" && types.contains(&"number");
    if !types.is_empty() && !types.contains(&kind) && !is_number {
        return false;
    }
    if let Some(items) = value.as_array() {
        return items.iter().all(|item| fits(document, &schema["items"], item));
    }
    let Some(object) = value.as_object() else {
        return true;
    };
    let known = properties(document, schema);
    // An object without known properties may have any.
    if known.is_empty() {
        return true;
    }
    let required = schema["required"].as_array();
    let has_all = required.into_iter().flatten().all(|name| object.contains_key(name.as_str().unwrap()));
    has_all && object.iter().all(|(name, value)| known.get(name).is_some_and(|schema| fits(document, schema, value)))
}

#[test]
fn it_is_3_1_and_declares_every_route_once() {
    block_on(async {
        let document = document().await;
        assert_eq!(document["openapi"], "3.1.0");
        let of_management = |operation: &Value| ["keys", "account"].iter().any(|tag| operation["tags"][0] == *tag);
        let declared: BTreeSet<(String, String)> = operations(&document)
            .into_iter()
            .filter(|(_, _, operation)| of_management(operation))
            .map(|(method, path, _)| (method, path))
            .collect();
        let routes: BTreeSet<(String, String)> =
            ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), path.replace("ID", "{id}"))).collect();
        assert_eq!(declared, routes);
    });
}

#[test]
fn the_router_takes_exactly_the_methods_that_are_declared() {
    block_on(async {
        let site = Site::new().await;
        for (path, operations) in site.document["paths"].as_object().unwrap() {
            // These are the listener's.
            if ["/healthz", "/readyz"].contains(&path.as_str()) {
                continue;
            }
            let mut declared: Vec<String> =
                operations.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
            if declared.contains(&"GET".to_owned()) {
                declared.push("HEAD".to_owned());
            }
            let answer = site.ask("PROPFIND", path.replace("{id}", "x")).refused(405, "method_not_allowed").await;
            let mut taken: Vec<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            declared.sort();
            taken.sort_unstable();
            assert_eq!(taken, declared, "{path}");
        }
    });
}

#[test]
fn every_operation_is_named_once_and_asks_for_a_key() {
    block_on(async {
        let document = document().await;
        let mut names = BTreeSet::new();
        for (method, path, operation) in operations(&document) {
            let place = format!("{method} {path}");
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{place}");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
            assert!(!operation["description"].as_str().unwrap().is_empty(), "{place}");
            if operation["tags"][0] == "service" {
                assert_eq!(operation["security"], json!([]), "{place}");
                continue;
            }
            for status in ["401", "403", "503"] {
                let expected = status != "403" || (method.as_str(), path.as_str()) != WHOAMI;
                assert_eq!(operation["responses"][status].is_object(), expected, "{place} {status}");
            }
            let tag = operation["tags"][0].as_str().unwrap();
            let changes = method != "GET" && !path.ends_with("lookup") && ["keys", "data"].contains(&tag);
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let takes = |parameter: &str| parameters.iter().any(|given| given["name"] == parameter);
            assert_eq!(takes("Idempotency-Key"), changes, "{place}");
            assert_eq!(takes("id"), path.contains("{id}"), "{place}");
        }
        assert_eq!(document["security"][0]["bearer"], json!([]));
        assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    });
}

#[test]
fn the_permissions_command_and_the_document_know_the_same_routes() {
    block_on(async {
        let document = document().await;
        let calls = Provider::Native.rules().permissions.calls;
        let known: BTreeSet<(String, String)> =
            calls.iter().map(|call| (call.method.to_owned(), call.path.replace(":id", "{id}"))).collect();
        let mut declared: BTreeSet<(String, String)> =
            operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
        for (method, path) in [WHOAMI, ("GET", "/authorize"), ("POST", "/authorize")] {
            assert!(declared.remove(&(method.to_owned(), path.to_owned())), "{path} takes no permission of its own");
        }
        declared.retain(|(_, path)| path.starts_with("/v1/"));
        assert_eq!(known, declared);
    });
}

#[test]
fn only_a_new_key_and_a_lookup_hold_a_plaintext() {
    block_on(async {
        let document = document().await;
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let with_plaintext: BTreeSet<&str> = schemas
            .iter()
            .filter(|(_, schema)| properties(&document, schema).contains_key("key"))
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(with_plaintext, BTreeSet::from(["IssuedKey", "LookupBody"]));
        for (method, path, operation) in operations(&document) {
            let text = operation["responses"].to_string();
            let creates = (method.as_str(), path.as_str()) == ("POST", "/v1/api-keys");
            assert_eq!(text.contains("IssuedKey"), creates, "{method} {path}");
            assert!(!text.contains("LookupBody"), "{method} {path}");
        }
        let lookup = &schemas["LookupBody"]["properties"]["key"];
        assert_eq!(lookup["writeOnly"], true);
    });
}

#[test]
fn its_examples_fit_their_schemas() {
    block_on(async {
        let document = document().await;
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut seen = 0;
        for (name, schema) in schemas {
            let examples = schema["examples"].as_array().cloned().unwrap_or_default();
            let one = schema.get("example").cloned();
            for example in examples.into_iter().chain(one) {
                assert!(fits(&document, schema, &example), "{name}: {example}");
                seen += 1;
            }
        }
        assert!(seen >= 3, "{seen} examples");
        assert!(!fits(&document, &schemas["Key"], &json!({ "id": 1 })));
        assert!(!fits(&document, &schemas["NewKey"], &json!({ "name": "x" })));
    });
}

#[test]
fn every_refusal_has_an_example_of_each_code_it_names() {
    block_on(async {
        let document = document().await;
        let mut seen = BTreeSet::new();
        for (method, path, operation) in operations(&document) {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = &response["content"]["application/json"];
                if status.starts_with('2') || path == "/readyz" {
                    continue;
                }
                let place = format!("{method} {path} {status}");
                let (said, _) = response["description"].as_str().unwrap().split_once(':').unwrap_or_default();
                let said = if said.is_empty() { response["description"].as_str().unwrap() } else { said };
                let codes: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
                assert!(!codes.is_empty(), "{place}");
                for code in codes {
                    let example = &content["examples"][code]["value"];
                    assert_eq!(example["error"]["code"], code, "{place}");
                    assert!(fits(&document, &content["schema"], example), "{place}: {example}");
                    seen.insert(code.to_owned());
                }
            }
        }
        assert!(seen.len() >= 17, "{seen:?}");
    });
}

#[test]
fn what_is_answered_fits_what_is_declared() {
    block_on(async {
        let site = Site::new().await;
        let document = &site.document;
        let (id, plain) = site.create("ci", &["read"]).await;
        for (route, template, status) in [
            (("GET", "/v1/api-keys", ""), "/v1/api-keys", "200"),
            (("GET", "/v1/api-keys/ID", ""), "/v1/api-keys/{id}", "200"),
            (("GET", "/v1/api-keys/none", ""), "/v1/api-keys/{id}", "404"),
            (ROUTES[1], "/v1/api-keys", "201"),
        ] {
            let answer = site.route(route, &id, site.key()).send().await;
            let operation = &document["paths"][template][route.0.to_lowercase()];
            let schema = &operation["responses"][status]["content"]["application/json"]["schema"];
            assert!(schema.is_object());
            assert!(fits(document, schema, &answer.body), "{route:?}: {}", answer.text);
        }
        assert!(!document.to_string().contains(&plain));
    });
}
