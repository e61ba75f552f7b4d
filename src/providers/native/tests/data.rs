//! What stands behind the gate: objects kept as they are sent.

use super::*;
use crate::testing::{at, block_on, set_clock};

#[test]
fn what_is_added_is_listed_as_it_was_sent_newest_first() {
    block_on(async {
        let site = Site::new().await;
        for (second, path, prefix) in
            [(10, "/v1/contacts", "con_"), (20, "/v1/lists", "list_"), (30, "/v1/campaigns", "camp_")]
        {
            set_clock(second);
            let sent =
                json!({ "name": "Zoë \u{1F600}", "tags": [1, 2.5, null, { "a": "\u{0}" }], "none": null, "": {} });
            let made = site.ask("POST", path).json(&sent).await_status(201).await;
            let data = &made.body["data"];
            let id = data["id"].as_str().unwrap();
            assert!(id.starts_with(prefix), "{id}");
            let mut expected = sent;
            expected["id"] = json!(id);
            expected["created_at"] = json!(at(second).to_string());
            expected["updated_at"] = json!(at(second).to_string());
            assert_eq!(*data, expected);
            set_clock(second + 1);
            let second = site.ask("POST", path).json(&json!({})).await_status(201).await.body["data"].clone();
            let list = site.ask("GET", path).await_status(200).await.body;
            assert_eq!(list, json!({ "data": [second, expected], "meta": { "page": 1, "per_page": 25, "total": 2 } }));
            let page = site.ask("GET", format!("{path}?page=2&per_page=1")).await_status(200).await.body;
            assert_eq!(page, json!({ "data": [expected], "meta": { "page": 2, "per_page": 1, "total": 2 } }));
            for query in ["page=0", "per_page=0", "per_page=101", "page=x", "search=x", "page=1&page=2"] {
                site.ask("GET", format!("{path}?{query}")).refused(400, "validation_error").await;
            }
        }
    });
}

#[test]
fn a_contact_is_changed_field_by_field() {
    block_on(async {
        let site = Site::new().await;
        let made = site.ask("POST", "/v1/contacts").json(&json!({ "a": 1, "b": 2 })).await_status(201).await;
        let path = format!("/v1/contacts/{}", made.body["data"]["id"].as_str().unwrap());
        set_clock(10);
        let changed = site.ask("PATCH", &path).json(&json!({ "a": null, "c": [] })).await_status(200).await;
        let data = &changed.body["data"];
        assert_eq!((data.get("a"), &data["b"], &data["c"]), (None, &json!(2), &json!([])));
        assert_eq!((&data["created_at"], &data["updated_at"]), (&json!(START.to_string()), &json!(at(10).to_string())));
        for field in ["id", "created_at", "updated_at"] {
            site.ask("PATCH", &path).json(&json!({ field: "x" })).refused(400, "validation_error").await;
            site.ask("POST", "/v1/contacts").json(&json!({ field: "x" })).refused(400, "validation_error").await;
        }
        for id in ["con_none", "%00", "%25", "list_1"] {
            let status = if id == "%00" { 400 } else { 404 };
            let ask = site.ask("PATCH", format!("/v1/contacts/{id}")).json(&json!({}));
            ask.await_status(status).await;
        }
    });
}

#[test]
fn what_is_asked_of_the_assistant_waits_to_be_approved() {
    block_on(async {
        let site = Site::new().await;
        let asked = site.ask("POST", "/v1/lexi/chat").json(&json!({ "text": "hello" })).await_status(201).await;
        assert_eq!((&asked.body["data"]["text"], &asked.body["data"]["status"]), (&json!("hello"), &json!("pending")));
        site.ask("POST", "/v1/lexi/chat").json(&json!({ "status": "approved" })).refused(400, "validation_error").await;
        let id = asked.body["data"]["id"].as_str().unwrap();
        for _ in 0..2 {
            let approved = site.ask("POST", format!("/v1/lexi/tasks/{id}/approve")).await_status(200).await;
            assert_eq!(approved.body["data"]["status"], "approved");
        }
        let tasks = site.ask("GET", "/v1/lexi/tasks").await_status(200).await;
        assert_eq!((&tasks.body["meta"]["total"], &tasks.body["data"][0]["status"]), (&json!(1), &json!("approved")));
        let unknown = site.ask("POST", "/v1/lexi/tasks/task_none/approve").refused(404, "not_found").await;
        assert_eq!(unknown.message(), "No such object", "and not that there is no such key");
    });
}

#[test]
fn a_body_is_one_json_object_of_at_most_64_kib() {
    block_on(async {
        let site = Site::new().await;
        for path in ["/v1/contacts", "/v1/lists", "/v1/campaigns", "/v1/lexi/chat"] {
            for body in ["", "[]", "1", "null", "\"x\"", "{", "{\"a\":1}{}", "{\"a\":1,}"] {
                let ask = site.ask("POST", path).header("content-type", "application/json").bytes(body);
                ask.refused(400, "validation_error").await;
            }
            site.ask("POST", path).bytes("{}").refused(415, "unsupported_media_type").await;
            let large = json!({ "a": "x".repeat(64 * 1024) });
            site.ask("POST", path).json(&large).refused(413, "too_large").await;
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let ask = site.ask("POST", "/v1/contacts").header("content-type", "application/json").bytes(deep);
        ask.refused(400, "validation_error").await;
        assert_eq!(site.ask("GET", "/v1/contacts").await_status(200).await.body["meta"]["total"], 0);
    });
}

#[test]
fn each_route_takes_its_permission_and_a_credit() {
    block_on(async {
        let site = Site::agreed(1_000, 1_000, 8).await;
        let (_, plain) = site.create("ci", &["read:contacts", "write:lists", "lexi"]).await;
        for (method, path, needed) in [
            ("GET", "/v1/contacts", None),
            ("POST", "/v1/contacts", Some("write:contacts")),
            ("PATCH", "/v1/contacts/con_1", Some("write:contacts")),
            ("GET", "/v1/lists", Some("read:lists")),
            ("POST", "/v1/lists", None),
            ("GET", "/v1/campaigns", Some("read:campaigns")),
            ("POST", "/v1/campaigns", Some("write:campaigns")),
            ("POST", "/v1/lexi/chat", None),
            ("GET", "/v1/lexi/tasks", None),
            ("POST", "/v1/lexi/tasks/task_1/approve", None),
        ] {
            let ask = site.ask_as(&plain, method, path);
            let ask = if method == "GET" { ask } else { ask.json(&json!({})) };
            match needed {
                Some(needed) => {
                    let answer = ask.refused(403, "insufficient_permissions").await;
                    assert_eq!(answer.message(), format!("Missing required permission: {needed}"));
                }
                None => assert!([200, 201, 404].contains(&ask.send().await.status), "{method} {path}"),
            }
        }
        let credits = site.ask("GET", "/v1/credits").await_status(200).await;
        assert_eq!(credits.body["data"]["balance"], 3);
        for _ in 0..3 {
            site.ask_as(&plain, "GET", "/v1/contacts").await_status(200).await;
        }
        site.ask_as(&plain, "GET", "/v1/contacts").refused(402, "insufficient_credits").await;
        let refused = site.ask_as(&plain, "POST", "/v1/lists").json(&json!({ "name": "unpaid" }));
        refused.refused(402, "insufficient_credits").await;
        site.anonymous("GET", "/v1/contacts").refused(401, "missing_auth").await;
        site.ask_as("nobody", "GET", "/v1/contacts").refused(401, "invalid_key").await;
        assert_eq!(site.database.count("records").await, 2, "what is refused is not done");
    });
}
