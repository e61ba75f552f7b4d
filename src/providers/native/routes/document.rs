//! The OpenAPI document: what the routes' declarations give, and what they cannot say. Which headers every answer carries,
//! which texts a name can be, what a refusal looks like, what can be done next with what an answer names.

use serde_json::{Map, Value, json};
use utoipa::OpenApi as _;

use super::examples::Examples;
use super::{DOCUMENT, account, data, gate};
use crate::providers::native::rules::RULES;
use crate::providers::routes::gate as any_gate;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "keys",
        description = "Administer API keys: issue, list, change, revoke, reactivate, delete; and stand a gate before the API they \
            open.\n\nEvery answer is JSON, carries `X-Request-ID`, and is not to be cached. A path that is not here is answered \
            with 404 `not_found`, a method that a path does not take with 405 `method_not_allowed` and `Allow`, a header that \
            is too large with 431. Envoy asks at `/authorize` with the path of the call behind it, and any method."
    ),
    paths(
        super::list_keys, super::create_key, super::lookup_key, super::show_key, super::edit_key, super::delete_key,
        super::revoke_key, super::reactivate_key, super::whoami,
        account::usage, account::key_usage, account::credits, account::audit_logs,
        gate::authorize, gate::authorize_by_post,
        data::list_contacts, data::add_contact, data::change_contact, data::list_lists, data::add_list,
        data::list_campaigns, data::add_campaign, data::ask_lexi, data::list_tasks, data::approve_task,
    ),
    security(("bearer" = []), ("api_key" = [])),
    tags(
        (name = "account", description = "What the workspace used, what it has left, and who changed what"),
        (name = "data", description = "What stands behind the gate: kept as it is sent"),
        (name = "gate", description = "Whether a call that a proxy holds may go on"),
        (name = "keys", description = "The keys of the caller's workspace"),
        (name = "service", description = "The service itself: it needs no key"),
    )
)]
struct Declared;

/// A name: neither blank nor padded, without what acts on a terminal or turns text around; as [`crate::model::key`] has it.
const NAME: &str = r"^[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]([^\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]*[^\s\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff])?$";

/// A description: line breaks and tabs as well.
const DESCRIPTION: &str =
    r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]*$";

/// The path of a call that a proxy holds: up to its query nothing that can be read in two ways, as the gate has it.
const CALLED: &str = concat!(
    r"^(?![^?]*//)(?![^?]*/\.\.?([/?]|$))/",
    r#"([!"$&-:<->@-\[\]-~]|%(2[0-9a-dA-D]|3[0-9ac-fAC-F]|[46][0-9a-fA-F]|5[0-9abdefABDEF]|7[0-9a-eA-E]|[89a-fA-F][0-9a-fA-F]))*"#,
    r"(\?[!-~]*)?$"
);

/// The id of anything.
const ID: &str = "^[a-z]+_[0-9a-z]{12}$";

/// The name of a method.
const METHOD: &str = "^[A-Za-z-]{1,20}$";

/// The document. Made when it is asked for: the profile `local` never does.
pub(crate) fn document() -> Value {
    let mut document = serde_json::to_value(Declared::openapi()).unwrap_or_default();
    document["servers"] = json!([{ "url": "/", "description": "This service" }]);
    document["components"]["securitySchemes"] = json!({
        "bearer": { "type": "http", "scheme": "bearer" },
        "api_key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
    });
    describe_bodies(&mut document["components"]["schemas"]);
    let examples = Examples::new();
    for (path, item) in members(&mut document["paths"]) {
        for (_, operation) in members(item) {
            complete(&path, operation, &examples);
        }
    }
    for (path, mut operation) in of_the_service() {
        for (status, response) in members(&mut operation["responses"]) {
            add_headers(&status, response, false, false);
            examples.add(&status, response);
        }
        document["paths"][path] = json!({ "get": operation });
    }
    document
}

fn members(value: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    value.as_object_mut().into_iter().flatten().map(|(name, value)| (name.clone(), value))
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// What the bodies can hold, where a declaration has no word for it.
fn describe_bodies(schemas: &mut Value) {
    let known: Vec<&str> = RULES.permissions.entries.iter().map(|entry| entry.name).collect();
    schemas["Permission"] = json!({ "type": "string", "description": "What a key may do", "enum": known });
    for body in ["NewKey", "KeyChange"] {
        let fields = &mut schemas[body]["properties"];
        fields["name"]["pattern"] = json!(NAME);
        fields["description"]["pattern"] = json!(DESCRIPTION);
        fields["permissions"]["items"] = reference("Permission");
    }
    schemas["RevokeBody"]["properties"]["reason"]["pattern"] = json!(DESCRIPTION);
    let (at, after, soon) = (json!({ "type": "string" }), json!({ "type": "integer" }), json!({ "const": true }));
    let both = |first: &str, one: &Value, second: &str, other: &Value| json!({ "required": [first, second], "properties": { first: one, second: other } });
    // One end is enough.
    schemas["NewKey"]["not"] = json!({ "anyOf": [
        both("expires_at", &at, "expires_in", &after),
        both("expires_at", &at, "temporary", &soon),
        both("expires_in", &after, "temporary", &soon),
    ] });
    let given = |fields: &[&str]| json!({ "not": { "enum": fields } });
    schemas["NewRecord"] = json!({
        "type": "object",
        "description": "Any object, but for the fields that the service gives",
        "propertyNames": given(&["id", "created_at", "updated_at"]),
        "additionalProperties": true,
        "example": { "name": "Ada Lovelace", "email": "ada@example.com" },
    });
    schemas["NewTask"] = json!({
        "type": "object",
        "description": "What is asked of the assistant, but for the fields that the service gives",
        "propertyNames": given(&["id", "created_at", "updated_at", "status"]),
        "additionalProperties": true,
        "example": { "message": "Add everybody who wrote today to the list of leads" },
    });
}

/// What holds for every operation, and what follows on it.
fn complete(path: &str, operation: &mut Value, examples: &Examples) {
    let mut changes = false;
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        changes |= parameter["name"] == "Idempotency-Key";
        match parameter["name"].as_str() {
            Some("X-Original-Method" | "X-Forwarded-Method") => shape(parameter, METHOD, "GET"),
            Some("X-Original-URI" | "X-Forwarded-Uri") => shape(parameter, CALLED, "/v1/contacts?page=2"),
            Some("Idempotency-Key") => parameter["example"] = json!("5f0c9a1e-7b3d-4846-a0c4-e6f8d2b1c3a5"),
            Some("id") => parameter["schema"]["pattern"] = json!(ID),
            _ => {}
        }
        never_null(&mut parameter["schema"]);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        let schema = &mut body["content"]["application/json"]["schema"];
        never_null(schema);
        if operation["tags"][0] == "data" {
            let kind = if path == "/v1/lexi/chat" { "NewTask" } else { "NewRecord" };
            operation["requestBody"]["content"]["application/json"]["schema"] = reference(kind);
        }
    }
    for (status, response) in members(&mut operation["responses"]) {
        add_headers(&status, response, changes, path == any_gate::GATE);
        examples.add(&status, response);
    }
    let name = operation["operationId"].as_str().unwrap_or_default();
    if let Some((status, links)) = links(name) {
        operation["responses"][status]["links"] = links;
    }
}

fn shape(parameter: &mut Value, pattern: &str, example: &str) {
    parameter["schema"]["pattern"] = json!(pattern);
    parameter["example"] = json!(example);
}

/// A parameter is a text and a body is sent or not: neither can be `null`.
fn never_null(schema: &mut Value) {
    if let Some(kinds) = schema["type"].as_array() {
        schema["type"] = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        *schema = choices.iter().find(|choice| choice["type"] != "null").cloned().unwrap_or_default();
    }
}

/// Adds the headers that an answer carries.
fn add_headers(status: &str, response: &mut Value, changes: bool, at_the_gate: bool) {
    let header = |about: &str, schema: Value| json!({ "description": about, "required": true, "schema": schema });
    let number = || json!({ "type": "integer", "minimum": 0 });
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let headers = &mut response["headers"];
    let mut add = |name: &str, value: Value| headers[name] = value;
    add("X-Request-ID", header("Names this request in the service's log", text("^req_[0-9a-f]{24}$")));
    add("X-RateLimit-Limit", header("Calls a day; 0 where the caller is not known", number()));
    add("X-RateLimit-Remaining", header("Calls left today", number()));
    add("X-RateLimit-Reset", header("When the day ends, in seconds since 1970", number()));
    add("Cache-Control", header("`no-store`", json!({ "type": "string", "const": "no-store" })));
    let refused = !status.starts_with('2');
    match status {
        "401" => add("WWW-Authenticate", header("`Bearer`", json!({ "type": "string", "const": "Bearer" }))),
        "429" => {
            let about = "Seconds until the limit that was hit is counted anew";
            add("Retry-After", header(about, json!({ "type": "integer", "minimum": 1 })));
        }
        _ => {}
    }
    if changes && !refused {
        let about = "`true` where it is the original answer to a request that was sent again";
        add("Idempotency-Replayed", json!({ "description": about, "schema": { "type": "string", "const": "true" } }));
    }
    if !at_the_gate {
        return;
    }
    if refused {
        let status: u16 = status.parse().unwrap_or_default();
        let schema = json!({ "type": "integer", "const": status });
        add("X-Gate-Status", header("The status, for proxies that keep only headers", schema));
        add(
            "X-Gate-Body",
            header("The body, for proxies that keep only headers, in ASCII", json!({ "type": "string" })),
        );
    }
    if matches!(status, "204" | "402" | "403" | "429") {
        add("X-Key-Id", header("The id of the calling key", text("^key_[0-9a-z]{12}$")));
        add("X-Workspace-Id", header("The id of its workspace", text("^ws_[0-9a-z]{12}$")));
    }
}

/// What can be done next with what an operation made.
fn links(operation: &str) -> Option<(&'static str, Value)> {
    let (status, next): (_, &[&str]) = match operation {
        "create_key" => ("201", &["show_key", "edit_key", "revoke_key", "reactivate_key", "key_usage", "delete_key"]),
        "edit_key" | "reactivate_key" => ("200", &["show_key", "revoke_key", "delete_key"]),
        "revoke_key" => ("200", &["show_key", "reactivate_key", "delete_key"]),
        "add_contact" => ("201", &["change_contact"]),
        "ask_lexi" => ("201", &["approve_task"]),
        _ => return None,
    };
    let link = |name: &&str| {
        let link = json!({ "operationId": name, "parameters": { "id": "$response.body#/data/id" } });
        ((*name).to_owned(), link)
    };
    Some((status, next.iter().map(link).collect::<Map<_, _>>().into()))
}

/// The routes that need no key: this document, and those of the listener.
fn of_the_service() -> [(&'static str, Value); 3] {
    let get = |name: &str, summary: &str, about: &str, responses: Value| {
        json!({
            "tags": ["service"], "operationId": name, "summary": summary, "description": about, "security": [],
            "responses": responses,
        })
    };
    let object = |about: &str, example: Value| json!({ "description": about, "content": { "application/json": { "schema": { "type": "object" }, "example": example } } });
    let document = object("The document", json!({ "openapi": "3.1.0" }));
    let alive = object("It lives", json!({ "status": "ok" }));
    let ready = object("Its database answers", json!({ "status": "ready" }));
    let not_ready = json!({
        "description": "`unavailable`: its database does not answer; `draining`: it is about to end",
        "content": { "application/json": { "schema": reference("ErrorAnswer") } },
    });
    [
        (DOCUMENT, get("openapi", "Show this document", "OpenAPI 3.1.", json!({ "200": document }))),
        ("/healthz", get("healthz", "Tell whether the process lives", "For a supervisor.", json!({ "200": alive }))),
        (
            "/readyz",
            get(
                "readyz",
                "Tell whether the service can do its work",
                "For a load balancer.",
                json!({ "200": ready, "503": not_ready }),
            ),
        ),
    ]
}
