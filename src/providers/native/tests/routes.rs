//! What the routes do when they do it.

use super::*;
use crate::http::Transport;
use crate::providers::client::Client;
use crate::providers::native::routes::embedded;
use crate::testing::{at, block_on, set_clock};

#[test]
fn a_keys_whole_life_over_the_wire() {
    block_on(async {
        let site = Site::new().await;
        let body = json!({
            "name": "ci", "permissions": ["read:contacts", "read:contacts"], "description": "nightly",
            "expires_at": "2027-01-31T09:00:00.75Z",
        });
        let created = site.ask("POST", "/v1/api-keys").json(&body).await_status(201).await;
        let data = &created.body["data"];
        let (id, plain) = (data["id"].as_str().unwrap(), data["key"].as_str().unwrap());
        let mut expected = json!({
            "id": id, "name": "ci", "description": "nightly", "prefix": &plain[..12],
            "permissions": ["read:contacts"], "rate_limit_tier": "standard", "status": "active",
            "temporary": false, "created_by": site.admin.key.id, "created_at": START.to_string(),
            "last_used_at": null, "expires_at": "2027-01-31T09:00:00Z", "revoked_at": null,
            "revoked_reason": null, "replaced": false, "key": plain,
        });
        assert_eq!(*data, expected);
        let path = format!("/v1/api-keys/{id}");

        expected.as_object_mut().unwrap().remove("key");
        let shown = site.ask("GET", &path).await_status(200).await;
        assert_eq!(shown.body["data"], expected);

        set_clock(100);
        let edited = site
            .ask("PATCH", &path)
            .json(&json!({ "name": "ci 2", "expires_at": null, "rate_limit_tier": "standard" }))
            .await_status(200)
            .await;
        expected["name"] = json!("ci 2");
        expected["expires_at"] = Value::Null;
        assert_eq!(edited.body["data"], expected);

        let revoked =
            site.ask("POST", format!("{path}/revoke")).json(&json!({ "reason": "leaked" })).await_status(200).await;
        expected["status"] = json!("revoked");
        expected["revoked_at"] = json!(at(100).to_string());
        expected["revoked_reason"] = json!("leaked");
        assert_eq!(revoked.body["data"], expected);

        let found = site.ask("POST", "/v1/api-keys/lookup").json(&json!({ "key": plain })).await_status(200).await;
        assert_eq!(found.body["data"], expected);

        let back = site.ask("POST", format!("{path}/reactivate")).await_status(200).await;
        assert_eq!(back.body["data"]["status"], "active");
        assert_eq!(back.body["data"]["revoked_reason"], Value::Null);

        let successor = json!({ "name": "ci 2", "permissions": ["read:contacts"], "replaces": id });
        let made = site.ask("POST", "/v1/api-keys").json(&successor).await_status(201).await;
        assert_eq!(made.body["data"]["replaced"], false);
        assert_eq!(site.ask("GET", &path).await_status(200).await.body["data"]["replaced"], true);
        let nobody = json!({ "name": "ci 2", "permissions": ["read:contacts"], "replaces": "key_nobody" });
        site.ask("POST", "/v1/api-keys").json(&nobody).refused(404, "not_found").await;

        site.ask("DELETE", &path).await_status(204).await;
        site.ask("GET", &path).refused(404, "not_found").await;
    });
}

#[test]
fn a_list_says_where_its_page_stands() {
    block_on(async {
        let site = Site::new().await;
        for name in ["a", "b", "c"] {
            site.create(name, &["read"]).await;
        }
        let list = async |query: &str| {
            let target = format!("/v1/api-keys{query}");
            site.ask("GET", target).await_status(200).await.body
        };
        let first = list("").await;
        assert_eq!(first["meta"], json!({ "page": 1, "per_page": 25, "total": 4 }));
        let page = list("?page=2&per_page=3&sort=name").await;
        assert_eq!(page["meta"], json!({ "page": 2, "per_page": 3, "total": 4 }));
        assert_eq!(page["data"][0]["name"], "c");
        assert_eq!(list("?page=9").await["data"], json!([]));
        assert_eq!(list("?status=revoked").await["meta"]["total"], 0);
        assert_eq!(list("?status=all").await["meta"]["total"], 4);
        assert_eq!(list("?search=ADM").await["meta"]["total"], 1);
        assert_eq!(list("?search=%25").await["meta"]["total"], 0);
        assert_eq!(list("?search=&selector=").await["meta"]["total"], 4);
        let plain = site.key();
        assert!(!first.to_string().contains(&plain[13..]));
    });
}

#[test]
fn any_valid_key_hears_of_itself_and_its_workspace() {
    block_on(async {
        let site = Site::new().await;
        let (id, plain) = site.create("ci", &["lexi"]).await;
        let answer = site.ask_as(&plain, "GET", "/v1/whoami").await_status(200).await;
        let data = &answer.body["data"];
        assert_eq!(data["workspace"], json!({ "name": "acme", "plan": "enterprise" }));
        assert_eq!(data["identity"], "key");
        assert_eq!((&data["api_key"]["id"], &data["api_key"]["name"]), (&json!(id), &json!("ci")));
        assert_eq!(data["api_key"]["permissions"], json!(["lexi"]));
        assert!(!answer.text.contains(&plain));

        let operator = site.service.operator_of("acme", Provider::Native, vec![7; 32].into(), START).await.unwrap();
        let client = Client::new(
            Provider::Native,
            Transport::Embedded(embedded(context(&site.service), operator)),
            String::new(),
        );
        let whoami = client.whoami().await.unwrap();
        assert_eq!((whoami.workspace.as_str(), whoami.key), ("acme", None));
    });
}

#[test]
fn a_lifetime_is_an_instant_or_seconds_or_an_hour() {
    block_on(async {
        let site = Site::new().await;
        let create = async |name: &str, field: &str, value: Value| {
            let mut body = json!({ "name": name, "permissions": ["read"] });
            body[field] = value;
            let ask = site.ask("POST", "/v1/api-keys").json(&body);
            let answer = ask.await_status(201).await;
            answer.body["data"].clone()
        };
        let relative = create("a", "expires_in", json!(60)).await;
        assert_eq!(relative["expires_at"], at(60).to_string());
        // An integer in JSON, however it is written.
        assert_eq!(create("a too", "expires_in", json!(60.0)).await["expires_at"], at(60).to_string());
        let temporary = create("b", "temporary", json!(true)).await;
        assert_eq!(temporary["expires_at"], at(3_600).to_string());
        assert_eq!(temporary["temporary"], true);
        let zoned = create("c", "expires_at", json!("2027-01-31T10:00:00+01:00")).await;
        assert_eq!(zoned["expires_at"], "2027-01-31T09:00:00Z");
        set_clock(60);
        let target = format!("/v1/api-keys/{}", relative["id"].as_str().unwrap());
        let shown = site.ask("GET", target).await_status(200).await;
        assert_eq!(shown.body["data"]["status"], "expired");
    });
}

#[test]
fn the_same_request_again_gets_the_same_bytes() {
    block_on(async {
        let site = Site::new().await;
        let longest = "~".repeat(255);
        for (number, form) in ["!", "\"quoted\"", &longest, "a\\b"].into_iter().enumerate() {
            let body = json!({ "name": format!("key {number}"), "permissions": ["read"] });
            let ask = || site.ask("POST", "/v1/api-keys").header("idempotency-key", form).json(&body).await_status(201);
            let (first, second) = (ask().await, ask().await);
            assert_eq!(first.text, second.text);
            assert_eq!(first.header("idempotency-replayed"), None);
            assert_eq!(second.header("idempotency-replayed"), Some("true"));
            assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
        }
        // Bare and quoted are one key.
        let other = json!({ "name": "other", "permissions": ["read"] });
        site.ask("POST", "/v1/api-keys")
            .header("idempotency-key", "quoted")
            .json(&other)
            .refused(409, "idempotency_conflict")
            .await;
        let (id, _) = site.create("gone", &["read"]).await;
        for replayed in [None, Some("true")] {
            let answer = site
                .ask("DELETE", format!("/v1/api-keys/{id}"))
                .header("idempotency-key", "delete")
                .await_status(204)
                .await;
            assert_eq!(answer.header("idempotency-replayed"), replayed);
        }
    });
}

#[test]
fn either_header_presents_a_key() {
    block_on(async {
        let site = Site::new().await;
        let key = site.key();
        for (name, value) in [
            ("x-api-key", key.to_owned()),
            ("authorization", format!("Bearer {key}")),
            ("authorization", format!("bearer {key}")),
            ("authorization", format!("BEARER  {key}")),
        ] {
            site.anonymous("GET", "/v1/api-keys").header(name, &value).await_status(200).await;
        }
        // Where both are there, `Authorization` decides.
        site.anonymous("GET", "/v1/api-keys")
            .header("authorization", "Bearer wrong")
            .header("x-api-key", key)
            .refused(401, "invalid_key")
            .await;
    });
}

#[test]
fn in_a_change_null_clears_and_absent_keeps() {
    block_on(async {
        let site = Site::new().await;
        let body = json!({
            "name": "ci", "permissions": ["read"], "description": "d", "expires_in": 1_000,
        });
        let created = site.ask("POST", "/v1/api-keys").json(&body).await_status(201).await;
        let path = format!("/v1/api-keys/{}", created.body["data"]["id"].as_str().unwrap());
        let change = |body: Value| site.ask("PATCH", &path).json(&body);

        let kept = change(json!({})).await_status(200).await;
        assert_eq!(kept.body["data"]["description"], "d");
        assert_eq!(kept.body["data"]["expires_at"], at(1_000).to_string());
        for field in ["name", "permissions", "rate_limit_tier"] {
            change(json!({ field: null })).refused(400, "validation_error").await;
        }
        let cleared = change(json!({ "description": null })).await_status(200).await;
        assert_eq!(cleared.body["data"]["description"], Value::Null);
        assert_eq!(cleared.body["data"]["expires_at"], at(1_000).to_string());
        let endless = change(json!({ "expires_at": null })).await_status(200).await;
        assert_eq!(endless.body["data"]["expires_at"], Value::Null);
    });
}

#[test]
fn the_embedded_router_needs_no_key_and_takes_no_caller_from_a_request() {
    block_on(async {
        let mut site = Site::new().await;
        let operator = site.service.operator_of("acme", Provider::Native, vec![7; 32].into(), START).await.unwrap();
        site.router = embedded(context(&site.service), operator);
        site.anonymous("GET", "/v1/api-keys").await_status(200).await;
        site.anonymous("GET", "/v1/nothing").refused(404, "not_found").await;
    });
}
