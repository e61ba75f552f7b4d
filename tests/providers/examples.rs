//! The calls in the vendors' documents, sent as they are written there, with nothing changed but the host and the key; and
//! the answers in them, field by field.

use serde_json::{Value, json};

use super::scene::{Answer, Vendor, curl};
use crate::support::{Place, Server};

const LEADLEX_CONTACTS: &str = r#"curl https://nbkxaqxwvkgbddekwsma.supabase.co/functions/v1/api-gateway/v1/contacts \
  -H "Authorization: Bearer wbk_your_api_key_here""#;

const LEADLEX_CREATE: &str = r#"curl -X POST \
https://data.leadlex.com/functions/v1/api-gateway/v1/api-keys \
-H "Authorization: Bearer wbk_your_api_key_here" \
-H "Content-Type: application/json" \
-d '{
"name": "Ingestion worker",
"permissions": ["read:contacts", "write:contacts"],
"description": "Used by the nightly ingestion job"
}'"#;

/// The header that Nexus documents, with the path that its leads are at.
const NEXUS_LEADS: &str = r#"curl https://nexuserp.dev/api/leads \
  -H "Authorization: Bearer sk_your_api_key_here""#;

/// The header that ContactLevel documents, with the path that its credits are at here.
const CONTACTLEVEL_CREDITS: &str = r#"curl https://a.contactlevel.com/api/credits \
  -H "X-Api-Key: your_api_key_here""#;

const LEADLEX_KEY: &str = "wbk_your_api_key_here";

struct LeadLex<'a> {
    place: &'a Place,
    vendor: Vendor<'a>,
}

impl LeadLex<'_> {
    fn contacts(&self, key: &str) -> Option<Answer> {
        let host = "https://nbkxaqxwvkgbddekwsma.supabase.co/functions/v1/api-gateway";
        curl(self.place, LEADLEX_CONTACTS, &[(host, &self.vendor.url()), (LEADLEX_KEY, key)])
    }

    fn create(&self, key: &str, more: &[(&str, &str)]) -> Option<Answer> {
        let host = "https://data.leadlex.com/functions/v1/api-gateway";
        let url = self.vendor.url();
        let replaced = [&[(host, url.as_str()), (LEADLEX_KEY, key)], more].concat();
        curl(self.place, LEADLEX_CREATE, &replaced)
    }
}

#[track_caller]
fn is_error(answer: &Answer, status: u16, code: &str, message: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.body, json!({ "error": { "code": code, "message": message } }));
    carries_what_is_left(answer);
}

/// What every answer of LeadLex carries.
#[track_caller]
fn carries_what_is_left(answer: &Answer) {
    for name in ["X-RateLimit-Limit", "X-RateLimit-Remaining"] {
        let value = answer.header(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(value.parse::<u64>().is_ok(), "{name}: {value}");
    }
    let reset: u64 = answer.header("X-RateLimit-Reset").unwrap().parse().unwrap();
    assert_eq!(reset % 86_400, 0, "it is midnight UTC");
    assert!(!answer.header("X-Request-ID").unwrap().is_empty());
}

#[test]
fn leadlex_creates_a_key_as_its_document_says() {
    let place = Place::new();
    let server = Server::start(&place);
    let scene = LeadLex { place: &place, vendor: Vendor::new(&place, &server, "leadlex", "") };
    let admin = scene.vendor.manager.clone();
    let Some(made) = scene.create(&admin, &[]) else { return };
    assert_eq!(made.status, 201);
    carries_what_is_left(&made);
    let data = made.body["data"].as_object().unwrap();
    let documented =
        ["id", "key", "prefix", "name", "description", "permissions", "rate_limit_tier", "expires_at", "created_at"];
    assert_eq!(data.keys().map(String::as_str).collect::<Vec<_>>(), documented);
    assert_eq!(made.body.as_object().unwrap().len(), 1);
    assert!(data["id"].as_str().unwrap().starts_with("key_"));
    let key = data["key"].as_str().unwrap();
    let random = key.strip_prefix("wbk_live_").unwrap();
    assert!(random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
    assert_eq!(data["prefix"], "wbk_live");
    assert_eq!(data["name"], "Ingestion worker");
    assert_eq!(data["description"], "Used by the nightly ingestion job");
    assert_eq!(data["permissions"], json!(["read:contacts", "write:contacts"]));
    assert_eq!(data["rate_limit_tier"], "standard");
    assert_eq!(data["expires_at"], Value::Null);
    let created = data["created_at"].as_str().unwrap();
    assert!(created.len() == "2026-04-17T11:20:00Z".len() && created.ends_with('Z'), "{created}");

    let again = scene.create(&admin, &[]).unwrap();
    assert_eq!((again.status, again.body["error"]["code"].as_str()), (409, Some("duplicate_name")));
    let unknown = scene.create(&admin, &[("write:contacts", "write:nothing")]).unwrap();
    assert_eq!((unknown.status, unknown.body["error"]["code"].as_str()), (400, Some("validation_error")));
    let missing = scene.create(&admin, &[("\"name\": \"Ingestion worker\",", "")]).unwrap();
    assert_eq!((missing.status, missing.body["error"]["code"].as_str()), (400, Some("validation_error")));
    let forbidden = scene.create(key, &[("Ingestion", "Another")]).unwrap();
    is_error(&forbidden, 403, "insufficient_permissions", "Missing required permission: admin:api_keys");

    // What the document shows of the new key's first call, and of one that may not be made.
    let contacts = scene.contacts(key).unwrap();
    assert_eq!(contacts.status, 200);
    carries_what_is_left(&contacts);
    let lists = [("/v1/contacts", "/v1/lists")];
    let host = "https://nbkxaqxwvkgbddekwsma.supabase.co/functions/v1/api-gateway";
    let url = scene.vendor.url();
    let refused = curl(&place, LEADLEX_CONTACTS, &[&[(host, url.as_str()), (LEADLEX_KEY, key)], &lists[..]].concat());
    is_error(&refused.unwrap(), 403, "insufficient_permissions", "Missing required permission: read");

    // The same request again, with its key, gets the same answer, plaintext included.
    let once = [("-X POST", "-X POST -H 'Idempotency-Key: nightly-1'"), ("Ingestion worker", "Once")];
    let (first, second) = (scene.create(&admin, &once).unwrap(), scene.create(&admin, &once).unwrap());
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    assert_eq!(first.status, 201);
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn leadlex_lists_revokes_and_tells_of_itself_as_documented() {
    let place = Place::new();
    let server = Server::start(&place);
    let scene = LeadLex { place: &place, vendor: Vendor::new(&place, &server, "leadlex", "") };
    let admin = scene.vendor.manager.clone();
    let Some(made) = scene.create(&admin, &[]) else { return };
    let id = made.body["data"]["id"].as_str().unwrap();
    let host = "https://nbkxaqxwvkgbddekwsma.supabase.co/functions/v1/api-gateway";
    let url = scene.vendor.url();
    // An address is a word of the shell.
    let call = |rest: &str| {
        let rest = rest.replace('&', "\\&");
        let replaced = [(host, url.as_str()), (LEADLEX_KEY, &admin), ("/v1/contacts", &rest)];
        let answer = curl(&place, LEADLEX_CONTACTS, &replaced).unwrap();
        carries_what_is_left(&answer);
        answer
    };
    let is_refused = |rest: &str, status: u16, code: &str| {
        let answer = call(rest);
        assert_eq!((answer.status, answer.body["error"]["code"].as_str()), (status, Some(code)), "{}", answer.body);
    };

    let listed = call("/v1/api-keys");
    assert_eq!((listed.status, names(&listed.body)), (200, vec!["data", "meta"]));
    assert_eq!(listed.body["meta"], json!({ "page": 1, "per_page": 25, "total": 2 }));
    let documented = "id name description prefix permissions rate_limit_tier created_by created_at last_used_at \
                      expires_at revoked_at";
    assert_eq!(names(&listed.body["data"]["api_keys"][0]), documented.split_whitespace().collect::<Vec<_>>());
    assert_eq!(call("/v1/api-keys?search=nightly").body["data"]["api_keys"][0]["id"], id);
    assert_eq!(call("/v1/api-keys?page=2&per_page=1").body["meta"], json!({ "page": 2, "per_page": 1, "total": 2 }));
    is_refused("/v1/api-keys?per_page=101", 400, "validation_error");

    let revoked = call(&format!("/v1/api-keys/{id} -X DELETE"));
    assert_eq!((revoked.status, &revoked.body), (204, &Value::Null));
    is_refused("/v1/api-keys/key_none -X DELETE", 404, "not_found");
    let left = call("/v1/api-keys").body["data"]["api_keys"].clone();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["name"]), (1, &json!("admin")));
    let all = call("/v1/api-keys?include_revoked=true").body["data"]["api_keys"].clone();
    assert!(all[0]["revoked_at"].is_string(), "{all}");
    let last = left[0]["id"].as_str().unwrap();
    is_refused(&format!("/v1/api-keys/{last} -X DELETE"), 403, "insufficient_permissions");

    let log = call("/v1/audit-logs?action=delete");
    assert_eq!(log.body["meta"], json!({ "page": 1, "per_page": 50, "total": 1 }));
    let entry = &log.body["data"]["logs"][0];
    let documented = "id timestamp user action resource_type resource_id details ip_address user_agent";
    assert_eq!(names(entry), documented.split_whitespace().collect::<Vec<_>>());
    assert_eq!((names(&entry["user"]), &entry["resource_id"]), (vec!["id", "email", "type"], &json!(id)));
    is_refused("/v1/audit-logs?from_date=2026-02-02&to_date=2026-02-01", 400, "invalid_date_range");
    is_refused("/v1/audit-logs?per_page=201", 400, "validation_error");
    is_refused("/v1/audit-logs?action=revoke", 400, "validation_error");

    let settings = call("/v1/settings").body["data"].clone();
    for field in "workspace_id name slug timezone locale currency billing features".split(' ') {
        assert!(settings.get(field).is_some(), "no {field}: {settings}");
    }
    assert_eq!(names(&settings["billing"]), ["plan", "seats", "credits_balance", "trial_ends_at"]);
}

#[test]
fn leadlex_refuses_in_the_words_of_its_document() {
    let place = Place::new();
    let server = Server::start(&place);
    let scene = LeadLex { place: &place, vendor: Vendor::new(&place, &server, "leadlex", "--plan starter") };
    let Some(unknown) = scene.contacts(LEADLEX_KEY) else { return };
    is_error(&unknown, 401, "invalid_key", "Invalid API key");
    let url = scene.vendor.url();
    let host = "https://nbkxaqxwvkgbddekwsma.supabase.co/functions/v1/api-gateway";
    let header = format!("-H \"Authorization: Bearer {LEADLEX_KEY}\"");
    let missing = curl(&place, LEADLEX_CONTACTS, &[(host, &url), (&header, "-H 'Accept: application/json'")]).unwrap();
    is_error(&missing, 401, "missing_auth", "Missing or invalid Authorization header");

    let reader = scene.vendor.create("--name reader --perm read");
    let write = [("/v1/contacts", "/v1/contacts --json {}")];
    let written =
        curl(&place, LEADLEX_CONTACTS, &[&[(host, url.as_str()), (LEADLEX_KEY, reader.as_str())], &write[..]].concat());
    is_error(&written.unwrap(), 403, "insufficient_permissions", "Missing required permission: write");
    scene.vendor.done("revoke reader --yes --confirm reader");
    is_error(&scene.contacts(&reader).unwrap(), 401, "revoked_key", "API key has been revoked");

    // A starter has ten calls a minute; some are made already.
    let limited = (0..30).find_map(|_| scene.contacts(&scene.vendor.manager).filter(|answer| answer.status != 200));
    let limited = limited.unwrap();
    assert_eq!(limited.status, 429);
    assert_eq!(limited.body["error"]["code"], "rate_limited");
    let message = limited.body["error"]["message"].as_str().unwrap();
    let instant = message.strip_prefix("Rate limit exceeded. Resets at ").unwrap();
    assert!(instant.len() == 20 && instant.ends_with('Z'), "{message}");
    assert_eq!(limited.header("X-RateLimit-Limit"), Some("100"));
    assert!(limited.header("Retry-After").is_some());
}

#[test]
fn nexus_takes_its_bearer_and_names_the_missing_scope() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::nexus(&place, &server);
    let url = format!("{}/api", vendor.url());
    let leads =
        |key: &str| curl(&place, NEXUS_LEADS, &[("https://nexuserp.dev/api", &url), ("sk_your_api_key_here", key)]);
    let key = vendor.create("--name reader --perm leads.read");
    let Some(answer) = leads(&key) else { return };
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["data"], json!([]));
    let none = vendor.create("--name none");
    let refused = leads(&none).unwrap();
    assert_eq!((refused.status, refused.body), (403, json!({ "error": "Missing permission: leads.read" })));
    vendor.done("revoke reader --yes --confirm reader");
    let refused = leads(&key).unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.body["error"].is_string(), "{}", refused.body);
    vendor.done("reactivate reader");
    let allowed = leads(&key).unwrap();
    assert_eq!((allowed.status, allowed.header("x-ratelimit-limit")), (200, None));
}

#[test]
fn contactlevel_takes_its_header_and_a_credit_for_each_request() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "contactlevel", "--monthly-credits 2");
    let url = vendor.url();
    let host = "https://a.contactlevel.com";
    let credits = |key: &str| curl(&place, CONTACTLEVEL_CREDITS, &[(host, &url), ("your_api_key_here", key)]);
    let create = |key: &str| {
        let call =
            [(host, url.as_str()), ("your_api_key_here", key), ("/api/credits", "/api/contacts/create --json {}")];
        curl(&place, CONTACTLEVEL_CREDITS, &call)
    };
    let key = &vendor.manager;
    let Some(answer) = credits(key) else { return };
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, json!({ "total": 2, "subscription": 2, "purchased": 0, "bonus": 0 }));
    let wrong = credits("nobodys").unwrap();
    assert_eq!((wrong.status, wrong.body), (401, json!({ "detail": "Invalid or missing API key" })));
    let header = "-H \"X-Api-Key: your_api_key_here\"";
    let missing = curl(&place, CONTACTLEVEL_CREDITS, &[(host, &url), (header, "-H 'Accept: */*'")]).unwrap();
    assert_eq!((missing.status, missing.body), (401, json!({ "detail": "Invalid or missing API key" })));
    let made = create(key).unwrap();
    assert_eq!((made.status, &made.body["credits_consumed"]), (201, &json!(1)));
    // Where no limits are documented, zeros would say that nothing is left.
    assert_eq!((made.header("x-ratelimit-limit"), made.header("x-ratelimit-remaining")), (None, None));
    assert_eq!(create(key).unwrap().status, 201);
    let empty = create(key).unwrap();
    assert_eq!((empty.status, empty.body), (402, json!({ "detail": "Insufficient credits" })));
    let left = credits(key).unwrap();
    assert_eq!((left.status, &left.body["total"]), (200, &json!(0)), "it can be read all the same");
}
