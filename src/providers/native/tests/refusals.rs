//! What the routes refuse, and how they say so.

use super::*;
use crate::testing::{block_on, set_clock};

#[test]
fn who_is_not_known_is_told_so_word_for_word() {
    block_on(async {
        let site = Site::new().await;
        let (id, plain) = site.create("ci", &["read"]).await;
        let (revoked_id, revoked) = site.create("revoked", &["read"]).await;
        site.ask("POST", format!("/v1/api-keys/{revoked_id}/revoke")).await_status(200).await;
        for route in ROUTES {
            let (method, target, _) = route;
            let missing = site.anonymous(method, target.replace("ID", &id)).refused(401, "missing_auth").await;
            assert_eq!(missing.message(), "Missing or invalid Authorization header");
            let wrong = site.route(route, &id, &plain[1..]).refused(401, "invalid_key");
            assert_eq!(wrong.await.message(), "Invalid API key");
            let off = site.route(route, &id, &revoked).refused(401, "revoked_key");
            assert_eq!(off.await.message(), "API key has been revoked");
        }
        for header in ["", "Bearer", "Basic abc", "Token abc", plain.as_str()] {
            let ask = site.anonymous("GET", "/v1/api-keys");
            let ask = ask.header("authorization", header);
            ask.refused(401, "missing_auth").await;
        }
    });
}

#[test]
fn an_expired_key_is_answered_like_an_unknown_one() {
    block_on(async {
        let site = Site::new().await;
        let body = json!({ "name": "ci", "permissions": ["read"], "expires_in": 10 });
        let created = site.ask("POST", "/v1/api-keys").json(&body).await_status(201).await;
        let plain = created.body["data"]["key"].as_str().unwrap();
        site.ask_as(plain, "GET", "/v1/api-keys").await_status(200).await;
        set_clock(10);
        let answer = site.ask_as(plain, "GET", "/v1/api-keys").refused(401, "invalid_key").await;
        assert_eq!(answer.message(), "Invalid API key");
    });
}

#[test]
fn a_missing_permission_is_named() {
    block_on(async {
        let site = Site::new().await;
        let (id, plain) = site.create("ci", &["write", "lexi"]).await;
        for route in ROUTES.into_iter().filter(|route| (route.0, route.1) != WHOAMI) {
            let answer = site.route(route, &id, &plain).refused(403, "insufficient_permissions").await;
            let message = "Missing required permission: admin:api_keys";
            assert_eq!(answer.message(), message, "{route:?}");
        }
    });
}

#[test]
fn the_other_refusals_of_rank() {
    block_on(async {
        let site = Site::new().await;
        let (_, narrow) = site.create("narrow", &["admin:api_keys"]).await;
        let held = json!({ "name": "x", "permissions": ["read:deals"] });
        site.ask_as(&narrow, "POST", "/v1/api-keys").json(&held).refused(403, "permission_not_held").await;
        let tier = json!({ "name": "x", "permissions": ["read"], "rate_limit_tier": "unmetered" });
        site.ask_as(&narrow, "POST", "/v1/api-keys").json(&tier).refused(403, "permission_not_held").await;
        let list = site.ask("GET", "/v1/api-keys?search=narrow").await_status(200).await;
        let id = list.body["data"][0]["id"].as_str().unwrap();
        site.ask("DELETE", format!("/v1/api-keys/{id}")).await_status(204).await;
        let path = format!("/v1/api-keys/{}", site.admin.key.id);
        site.ask("DELETE", &path).refused(403, "last_admin_key").await;
        site.ask("POST", format!("{path}/revoke")).refused(403, "last_admin_key").await;
        site.ask("PATCH", &path).json(&json!({ "permissions": ["read"] })).refused(403, "last_admin_key").await;
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    block_on(async {
        let site = Site::new().await;
        for route in ROUTES.into_iter().filter(|route| route.1.contains("ID")) {
            for id in ["key_none", "..", "%2F", "%25", "%00", "%C3%A9", "lookup2"] {
                let answer = site.route(route, id, site.key()).refused(404, "not_found");
                assert_eq!(answer.await.message(), "No such key", "{route:?} {id}");
            }
        }
        site.route(ROUTES[6], "", site.key()).refused(404, "not_found").await;
        for path in ["/", "/v1", "/v1/api-keys/", "/v2/api-keys", "/v1/api-keys/a/b/c"] {
            site.ask("GET", path).refused(404, "not_found").await;
        }
    });
}

#[test]
fn an_id_that_is_no_text_is_refused_in_our_own_shape() {
    block_on(async {
        let site = Site::new().await;
        for route in ROUTES.into_iter().filter(|route| route.1.contains("ID")) {
            site.route(route, "%FF", site.key()).refused(404, "not_found").await;
        }
    });
}

#[test]
fn a_wrong_method_is_told_which_are_right() {
    block_on(async {
        let site = Site::new().await;
        for (method, path, allowed) in [
            ("PUT", "/v1/api-keys", vec!["GET", "HEAD", "POST"]),
            ("DELETE", "/v1/api-keys", vec!["GET", "HEAD", "POST"]),
            ("POST", "/v1/api-keys/x", vec!["DELETE", "GET", "HEAD", "PATCH"]),
            ("GET", "/v1/api-keys/x/revoke", vec!["POST"]),
            ("DELETE", "/v1/api-keys/x/reactivate", vec!["POST"]),
        ] {
            let answer = site.ask(method, path).refused(405, "method_not_allowed").await;
            let allow = answer.header("allow").unwrap_or_default();
            let mut methods: Vec<&str> = allow.split(',').map(str::trim).collect();
            methods.sort_unstable();
            assert_eq!(methods, allowed, "{method} {path}");
        }
    });
}

#[test]
fn a_conflict_says_which() {
    block_on(async {
        let site = Site::new().await;
        let (id, _) = site.create("ci", &["read"]).await;
        let (other, _) = site.create("other", &["read"]).await;
        let body = json!({ "name": "ci", "permissions": ["read"] });
        let taken = site.ask("POST", "/v1/api-keys").json(&body).refused(409, "duplicate_name").await;
        assert!(taken.message().contains("`ci`"));
        site.ask("PATCH", format!("/v1/api-keys/{other}"))
            .json(&json!({ "name": "ci" }))
            .refused(409, "duplicate_name")
            .await;
        site.ask("POST", format!("/v1/api-keys/{id}/revoke")).await_status(200).await;
        site.create("ci", &["read"]).await;
        site.ask("POST", format!("/v1/api-keys/{id}/reactivate")).refused(409, "duplicate_name").await;
    });
}

#[test]
fn a_body_larger_than_64_kib_is_refused() {
    block_on(async {
        let site = Site::new().await;
        let id = site.admin.key.id.to_string();
        for route in ROUTES.into_iter().filter(|route| !route.2.is_empty()) {
            let large = vec![b' '; 64 * 1024 + 1];
            let ask = site.route(route, &id, site.key()).bytes(large);
            ask.refused(413, "too_large").await;
            let mut fits = route.2.as_bytes().to_vec();
            fits.resize(64 * 1024, b' ');
            let answer = site.route(route, &id, site.key()).bytes(fits).send().await;
            assert_ne!(answer.status, 413, "{route:?}");
        }
    });
}

#[test]
fn a_large_body_where_none_is_taken_is_answered_as_the_document_says() {
    block_on(async {
        let site = Site::new().await;
        for (method, action) in [("POST", "/reactivate"), ("DELETE", ""), ("GET", "")] {
            let target = format!("/v1/api-keys/none{action}");
            let large = vec![b' '; 64 * 1024 + 1];
            let answer = site.ask(method, target).bytes(large).send().await;
            assert!(matches!(answer.status, 404 | 413), "{method} {action}");
        }
    });
}

#[test]
fn a_body_that_is_not_sent_as_json_is_refused() {
    block_on(async {
        let site = Site::new().await;
        let id = site.admin.key.id.to_string();
        let with_body = ROUTES.into_iter().filter(|route| !route.2.is_empty());
        for (method, target, body) in with_body.chain([("POST", "/v1/api-keys/ID/revoke", r#"{"reason":"x"}"#)]) {
            let ask = || site.ask(method, target.replace("ID", &id)).bytes(body);
            ask().refused(415, "unsupported_media_type").await;
            for media in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
                let ask = ask().header("content-type", media);
                ask.refused(415, "unsupported_media_type").await;
            }
            let ask = ask().header("content-type", "Application/JSON; charset=utf-8");
            assert_ne!(ask.send().await.status, 415);
        }
    });
}

/// What is no new key, and what is said of it.
const WRONG: [(&str, &str); 21] = [
    ("", "not JSON"),
    ("{", "not JSON"),
    ("[]", "wrong type"),
    ("null", "wrong type"),
    (r#"{"permissions":["read"]}"#, "missing field `name`"),
    (r#"{"name":"x"}"#, "missing field `permissions`"),
    (r#"{"name":"x","permissions":["read"],"scope":1}"#, "unknown field"),
    (r#"{"name":"x","name":"y","permissions":["read"]}"#, "body"),
    (r#"{"name":1,"permissions":["read"]}"#, "wrong type"),
    (r#"{"name":"","permissions":["read"]}"#, "name"),
    (r#"{"name":"x\u001b[31m","permissions":["read"]}"#, "name"),
    (r#"{"name":"x","permissions":[]}"#, "permissions"),
    (r#"{"name":"x","permissions":["contacts:read"]}"#, "did you mean `read:contacts`"),
    (r#"{"name":"x","permissions":["read"],"rate_limit_tier":"turbo"}"#, "wrong type"),
    (r#"{"name":"x","permissions":["read"],"expires_at":"tomorrow"}"#, "expires_at"),
    (r#"{"name":"x","permissions":["read"],"expires_at":"2020-01-01T00:00:00Z"}"#, "expires_at"),
    (r#"{"name":"x","permissions":["read"],"expires_in":0}"#, "expires_in"),
    (r#"{"name":"x","permissions":["read"],"expires_in":9223372036854775807}"#, "expires_"),
    (r#"{"name":"x","permissions":["read"],"expires_in":100000000001}"#, "expires_in"),
    (r#"{"name":"x","permissions":["read"],"expires_in":1.5}"#, "body"),
    (r#"{"name":"x","permissions":["read"],"expires_in":5,"temporary":true}"#, "expires_at"),
];

#[test]
fn a_body_that_is_wrong_is_refused_with_its_field_or_place() {
    block_on(async {
        let site = Site::new().await;
        for (body, said) in WRONG {
            let ask = site.route(ROUTES[1], "", site.key()).bytes(body);
            let answer = ask.refused(400, "validation_error").await;
            assert!(answer.message().contains(said), "{body}: {}", answer.message());
        }
        let id = site.admin.key.id.to_string();
        for (route, body) in [
            (ROUTES[3], r#"{"status":"revoked"}"#),
            (ROUTES[4], r#"{"why":"x"}"#),
            (ROUTES[6], r#"{"key":"x","more":1}"#),
        ] {
            let ask = site.route(route, &id, site.key());
            let ask = ask.header("content-type", "application/json").bytes(body);
            ask.refused(400, "validation_error").await;
        }
        let list = site.ask("GET", "/v1/api-keys").await_status(200).await;
        assert_eq!(list.body["meta"]["total"], 1, "nothing was made");
    });
}

#[test]
fn a_parameter_that_is_wrong_is_refused() {
    block_on(async {
        let site = Site::new().await;
        for query in [
            "page=0",
            "page=-1",
            "page=x",
            "page=1000001",
            "per_page=0",
            "per_page=1001",
            "status=gone",
            "sort=id",
            "sort=--name",
            "limit=5",
            "page=1&page=2",
        ] {
            site.ask("GET", format!("/v1/api-keys?{query}")).refused(400, "validation_error").await;
        }
        site.ask("GET", "/v1/api-keys?page=1000000&per_page=1000").await_status(200).await;
    });
}

#[test]
fn an_idempotency_key_is_one_to_255_visible_characters() {
    block_on(async {
        let site = Site::new().await;
        let long = "x".repeat(256);
        for form in ["", "\"\"", "a b", "\"a b\"", "a\tb", "schlüssel", &long] {
            let answer = site
                .route(ROUTES[1], "", site.key())
                .header("idempotency-key", form)
                .refused(400, "validation_error")
                .await;
            assert!(answer.message().starts_with("Idempotency-Key"), "{form:?}");
        }
    });
}

#[test]
fn a_secret_in_the_wrong_place_of_a_body_is_not_said_back() {
    block_on(async {
        let site = Site::new().await;
        let id = site.admin.key.id.to_string();
        let secret = concat!("wbk_1a2B3c4D_", "0123456789abcdefABCDEF0123456789");
        let create = |field: &str, value: Value| {
            let mut body = json!({ "name": "x", "permissions": ["read"] });
            body[field] = value;
            body.to_string()
        };
        let bodies = [
            (ROUTES[1], create("rate_limit_tier", json!(secret))),
            (ROUTES[1], create("expires_at", json!(secret))),
            (ROUTES[1], create("expires_in", json!(secret))),
            (ROUTES[1], create("temporary", json!(secret))),
            (ROUTES[1], create(secret, json!(1))),
            (ROUTES[1], create("name", json!([secret]))),
            (ROUTES[1], create("permissions", json!(secret))),
            (ROUTES[1], format!("{{\"name\":{secret}}}")),
            (ROUTES[1], secret.to_owned()),
            (ROUTES[3], json!({ "expires_at": secret }).to_string()),
            (ROUTES[4], json!({ "reason": { "key": secret } }).to_string()),
            (ROUTES[6], json!({ secret: "x" }).to_string()),
            (ROUTES[6], json!({ "key": [secret] }).to_string()),
            (ROUTES[6], json!({ "key": secret }).to_string()),
        ];
        for (route, body) in bodies {
            let ask = site.route(route, &id, site.key());
            let answer = ask.header("content-type", "application/json").bytes(body.clone());
            let answer = answer.send().await;
            assert!(answer.status >= 400, "{body}");
            assert!(!answer.text.contains(&secret[13..]), "{body}: {}", answer.text);
        }
        for name in ["idempotency-key", "authorization", "content-type"] {
            let ask = site.anonymous("POST", "/v1/api-keys").header(name, &format!("{secret} x"));
            let answer = ask.send().await;
            assert!(!answer.text.contains(secret), "{name}: {}", answer.text);
        }
    });
}

#[test]
fn a_secret_given_as_a_permission_is_not_said_back() {
    block_on(async {
        let site = Site::new().await;
        let secret = concat!("wbk_1a2B3c4D_", "0123456789abcdefABCDEF0123456789");
        let body = json!({ "name": "x", "permissions": [secret] });
        let answer = site.ask("POST", "/v1/api-keys").json(&body).refused(400, "validation_error").await;
        assert!(!answer.text.contains(&secret[13..]), "{}", answer.text);
    });
}

#[test]
fn a_secret_in_a_query_is_not_said_back() {
    block_on(async {
        let site = Site::new().await;
        let secret = concat!("wbk_1a2B3c4D_", "0123456789abcdefABCDEF0123456789");
        for query in
            [format!("page={secret}"), format!("sort={secret}"), format!("{secret}=1"), format!("status={secret}")]
        {
            let answer = site.ask("GET", format!("/v1/api-keys?{query}")).refused(400, "validation_error").await;
            assert!(!answer.text.contains(&secret[13..]), "{query}: {}", answer.text);
        }
    });
}

#[test]
fn without_its_database_every_route_is_unavailable_and_says_no_more() {
    block_on(async {
        let site = Site::new().await;
        let rename = "ALTER TABLE api_keys RENAME TO away";
        site.database.execute(rename).await.unwrap();
        for route in ROUTES {
            let answer = site.route(route, "x", site.key()).refused(503, "unavailable").await;
            for inner in ["api_keys", "SQL", "sql", "away", "table"] {
                assert!(!answer.text.contains(inner), "{}", answer.text);
            }
        }
    });
}

#[test]
fn only_the_keys_of_the_callers_workspace_exist() {
    block_on(async {
        let site = Site::new().await;
        let name = "other".parse().unwrap();
        let other = site.service.create_workspace(&new_workspace(&name), START).await.unwrap();
        let id = other.key.id.to_string();
        for route in ROUTES.into_iter().filter(|route| route.1.contains("ID")) {
            site.route(route, &id, site.key()).refused(404, "not_found").await;
        }
        site.ask("POST", "/v1/api-keys/lookup")
            .json(&json!({ "key": other.plain.expose() }))
            .refused(404, "not_found")
            .await;
        let list = site.ask("GET", "/v1/api-keys").await_status(200).await;
        assert!(!list.text.contains(&id));
    });
}
