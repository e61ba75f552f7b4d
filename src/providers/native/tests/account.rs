//! Usage, credits and the audit log over the wire.

use super::*;
use crate::model::credits::{CreditKind, NewGrant};
use crate::testing::{at, block_on, set_clock};

#[test]
fn usage_tells_of_calls_by_day_endpoint_and_key() {
    block_on(async {
        let site = Site::agreed(1_000, 100, 100).await;
        let (id, plain) = site.create("ci", &["read:contacts"]).await;
        let (other, _) = site.create("idle", &["read"]).await;
        for (method, status) in [("GET", 204), ("GET", 204), ("POST", 403)] {
            site.ask_as(&plain, method, "/authorize/v1/contacts").await_status(status).await;
        }
        set_clock(50);
        site.ask_as(&plain, "GET", "/authorize/v1/contacts").await_status(204).await;
        let key = site.ask("GET", format!("/v1/api-keys/{id}/usage?days=2")).await_status(200).await;
        let tally =
            |calls: u64, errors: u64, rate: f64| json!({ "calls": calls, "errors": errors, "error_rate": rate });
        let with = |name: &str, value: &str, tally: Value| {
            let mut body = json!({ name: value });
            body.as_object_mut().unwrap().extend(tally.as_object().unwrap().clone());
            body
        };
        let mut of_key = with("id", &id, json!({ "name": "ci" }));
        of_key.as_object_mut().unwrap().extend(tally(4, 1, 0.25).as_object().unwrap().clone());
        assert_eq!(
            key.body["data"],
            json!({
                "plan": "enterprise",
                "per_day": { "limit": 1_000, "remaining": 996, "resets_at": "2026-09-22T00:00:00Z" },
                "per_minute": { "limit": 100, "remaining": 99, "resets_at": "2026-09-21T14:15:00Z" },
                "today": tally(4, 1, 0.25),
                "last_used_at": at(50).to_string(),
                "days": [with("day", "2026-09-20", tally(0, 0, 0.0)), with("day", "2026-09-21", tally(4, 1, 0.25))],
                "endpoints": [
                    with("endpoint", "GET /v1/contacts", tally(3, 0, 0.0)),
                    with("endpoint", "POST /v1/contacts", tally(1, 1, 1.0)),
                ],
                "keys": [of_key],
            })
        );
        let all = site.ask("GET", "/v1/usage").await_status(200).await;
        assert_eq!(all.body["data"]["days"].as_array().unwrap().len(), 30);
        // The admin's own calls: two keys made, and one look at the usage of a key.
        assert_eq!(all.body["data"]["today"]["calls"], 7);
        let idle = site.ask("GET", format!("/v1/api-keys/{other}/usage")).await_status(200).await;
        assert_eq!(
            (&idle.body["data"]["today"]["calls"], &idle.body["data"]["last_used_at"]),
            (&json!(0), &Value::Null)
        );
        for query in ["days=0", "days=366", "days=x", "days=-1", "days=1&days=2", "day=1"] {
            site.ask("GET", format!("/v1/usage?{query}")).refused(400, "validation_error").await;
            site.ask("GET", format!("/v1/api-keys/{id}/usage?{query}")).refused(400, "validation_error").await;
        }
        assert_eq!(
            site.ask("GET", "/v1/usage?days=365").await_status(200).await.body["data"]["days"][0]["day"],
            "2025-09-22"
        );
    });
}

#[test]
fn a_call_to_a_data_route_that_fails_is_an_error_there() {
    block_on(async {
        let site = Site::new().await;
        let (id, plain) = site.create("ci", &["read", "write"]).await;
        site.ask_as(&plain, "GET", "/v1/contacts").await_status(200).await;
        site.ask_as(&plain, "GET", "/v1/contacts?page=0").refused(400, "validation_error").await;
        site.ask_as(&plain, "PATCH", "/v1/contacts/con_none").json(&json!({})).refused(404, "not_found").await;
        let usage = site.ask("GET", format!("/v1/api-keys/{id}/usage")).await_status(200).await;
        let today = &usage.body["data"]["today"];
        assert_eq!((&today["calls"], &today["errors"]), (&json!(3), &json!(2)));
    });
}

#[test]
fn credits_tell_what_is_left_and_what_expires_when() {
    block_on(async {
        let site = Site::agreed(1_000, 100, 5).await;
        let grant = async |kind, amount, end: Option<i64>, note: &str| {
            let new = NewGrant { kind, amount, note: Some(note.to_owned()), expires_at: end.map(at) };
            site.service.grant_credits("acme", new, START).await.unwrap().id
        };
        let bought = grant(CreditKind::Purchased, 10, None, "invoice 7").await;
        let welcome = grant(CreditKind::Bonus, 2, Some(100), "welcome").await;
        let (_, plain) = site.create("ci", &["read"]).await;
        site.ask_as(&plain, "GET", "/authorize/v1/contacts").await_status(204).await;
        let told = site.ask("GET", "/v1/credits").await_status(200).await.body["data"].clone();
        let monthly = told["grants"][1]["id"].clone();
        assert_eq!(
            told,
            json!({
                "balance": 16, "subscription": 5, "purchased": 10, "bonus": 1, "monthly": 5,
                "next_grant_at": "2026-10-01T00:00:00Z",
                "grants": [
                    { "id": welcome, "kind": "bonus", "amount": 2, "remaining": 1, "note": "welcome",
                      "granted_at": START.to_string(), "expires_at": at(100).to_string() },
                    { "id": monthly, "kind": "subscription", "amount": 5, "remaining": 5, "note": "2026-09",
                      "granted_at": START.to_string(), "expires_at": null },
                    { "id": bought, "kind": "purchased", "amount": 10, "remaining": 10, "note": "invoice 7",
                      "granted_at": START.to_string(), "expires_at": null },
                ],
            })
        );
        set_clock(100);
        let told = site.ask("GET", "/v1/credits").await_status(200).await.body["data"].clone();
        assert_eq!((&told["balance"], &told["bonus"]), (&json!(15), &json!(0)));
        let next_month = 10 * 86_400;
        set_clock(next_month);
        let told = site.ask("GET", "/v1/credits").await_status(200).await.body["data"].clone();
        assert_eq!((&told["balance"], &told["subscription"]), (&json!(20), &json!(10)), "it rolls over");
        assert_eq!(told["next_grant_at"], "2026-11-01T00:00:00Z");
    });
}

#[test]
fn the_audit_log_is_paged_and_filtered() {
    block_on(async {
        let site = Site::new().await;
        let mut ids = Vec::new();
        for (second, name) in [(10, "a"), (20, "b"), (30, "c")] {
            set_clock(second);
            ids.push(site.create(name, &["read"]).await.0);
        }
        set_clock(40);
        site.ask("POST", format!("/v1/api-keys/{}/revoke", ids[0])).await_status(200).await;
        let log = async |query: &str| site.ask("GET", format!("/v1/audit-logs{query}")).await_status(200).await.body;
        let all = log("").await;
        assert_eq!(all["meta"], json!({ "page": 1, "per_page": 50, "total": 5 }));
        let newest = &all["data"][0];
        let mut expected = json!({
            "timestamp": at(40).to_string(), "action": "api_key.revoke", "resource_type": "api_key",
            "resource_id": ids[0], "actor": { "id": site.admin.key.id, "name": "admin" },
            "details": { "revoked_at": { "old": null, "new": at(40).to_string() } },
        });
        expected["id"] = newest["id"].clone();
        assert_eq!(*newest, expected);
        let (c, b) = (all["data"][1]["timestamp"].as_str().unwrap(), all["data"][2]["timestamp"].as_str().unwrap());
        for (query, total) in [
            ("?action=create".to_owned(), 4),
            ("?action=api_key.revoke".to_owned(), 1),
            ("?action=&actor=".to_owned(), 5),
            (format!("?resource_id={}", ids[0]), 2),
            ("?resource_id=key_none".to_owned(), 0),
            ("?actor=operator".to_owned(), 1),
            (format!("?from={c}"), 2),
            (format!("?to={b}"), 3),
            (format!("?from={b}&to={c}"), 2),
            ("?from=2026-09-21T16:13:40%2B02:00".to_owned(), 3),
            (format!("?after={}", all["data"][2]["id"].as_str().unwrap()), 2),
        ] {
            assert_eq!(log(&query).await["meta"]["total"], total, "{query}");
        }
        let page = log("?page=2&per_page=2").await;
        assert_eq!((&page["data"][0], page["data"].as_array().unwrap().len()), (&all["data"][2], 2));
        for query in [
            "page=0",
            "per_page=0",
            "per_page=201",
            "from=yesterday",
            "to=2026-13-01T00:00:00Z",
            "from=2026-09-21",
            "after=7",
            "after=log_x",
            "after=log_",
            "after=log_-1",
            "since=1",
            "page=1&page=2",
        ] {
            site.ask("GET", format!("/v1/audit-logs?{query}")).refused(400, "validation_error").await;
        }
        site.ask("GET", format!("/v1/audit-logs?from={c}&to={b}")).refused(400, "invalid_date_range").await;
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            site.ask(method, "/v1/audit-logs").refused(405, "method_not_allowed").await;
        }
    });
}

#[test]
fn an_entry_is_within_its_own_second() {
    block_on(async {
        let site = Site::new().await;
        let half = at(10) + jiff::SignedDuration::from_millis(500);
        site.service.set_feature("acme", "beta", true, half).await.unwrap();
        let log = async |query: &str| site.ask("GET", format!("/v1/audit-logs{query}")).await_status(200).await.body;
        let told = log("?action=set_feature").await["data"][0]["timestamp"].as_str().unwrap().to_owned();
        for query in [format!("?from={told}&to={told}"), format!("?action=set_feature&to={told}")] {
            assert_eq!(log(&query).await["meta"]["total"], 1, "{query}");
        }
    });
}

#[test]
fn nothing_of_another_workspace_is_told_on_any_route() {
    block_on(async {
        let site = Site::new().await;
        let name = "other".parse().unwrap();
        let other = site.service.create_workspace(&new_workspace(&name), START).await.unwrap();
        let theirs = other.plain.expose();
        let made = site.ask_as(theirs, "POST", "/v1/contacts").json(&json!({ "name": "Eve" })).await_status(201).await;
        let contact = made.body["data"]["id"].as_str().unwrap().to_owned();
        let chat = site.ask_as(theirs, "POST", "/v1/lexi/chat").json(&json!({ "text": "Eve" })).await_status(201).await;
        let task = chat.body["data"]["id"].as_str().unwrap().to_owned();
        let before = site.ask_as(theirs, "GET", "/v1/credits").await_status(200).await.body;

        let (id, workspace) = (other.key.id.to_string(), other.key.created_by.clone());
        assert_eq!(workspace.as_deref(), Some("operator"));
        for target in ["/v1/usage", "/v1/credits", "/v1/audit-logs", "/v1/contacts", "/v1/lexi/tasks", "/v1/lists"] {
            let answer = site.ask("GET", target).await_status(200).await;
            for foreign in [&id, &contact, &task, "Eve"] {
                assert!(!answer.text.contains(foreign), "{target}: {}", answer.text);
            }
        }
        site.ask("GET", format!("/v1/api-keys/{id}/usage")).refused(404, "not_found").await;
        site.ask("GET", format!("/v1/audit-logs?resource_id={id}")).await_status(200).await;
        let stolen = json!({ "name": "Mallory" });
        site.ask("PATCH", format!("/v1/contacts/{contact}")).json(&stolen).refused(404, "not_found").await;
        site.ask("POST", format!("/v1/lexi/tasks/{task}/approve")).refused(404, "not_found").await;
        let kept = site.ask_as(theirs, "GET", "/v1/contacts").await_status(200).await;
        assert_eq!(kept.body["data"][0]["name"], "Eve");
        let tasks = site.ask_as(theirs, "GET", "/v1/lexi/tasks").await_status(200).await;
        assert_eq!(tasks.body["data"][0]["status"], "pending");
        let after = site.ask_as(theirs, "GET", "/v1/credits").await_status(200).await.body;
        let spent = before["data"]["balance"].as_i64().unwrap() - after["data"]["balance"].as_i64().unwrap();
        assert_eq!(spent, 2, "their own two calls");
    });
}
