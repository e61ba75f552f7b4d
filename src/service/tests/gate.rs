//! The gate: what it asks of a call, in which order, and what the answer costs.

use super::*;
use crate::testing::{at, on_each_database};

/// What the gate says to a call.
async fn said(service: &Service, plain: &str, method: &str, path: &str, now: Timestamp) -> String {
    let admission = service.admit(Provider::Native, plain, Call { method, path }, now).await;
    admission.outcome.map_or_else(|refusal| refusal.to_string(), |()| "done".to_owned())
}

#[test]
fn a_call_needs_the_permission_of_its_endpoint_or_the_coarse_one() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(PLENTY, PLENTY, PLENTY)).await;
        for (permission, allowed) in [
            ("read:contacts", vec!["GET /v1/contacts", "GET /v1/contacts/", "HEAD /v1/contacts"]),
            ("write:contacts", vec!["POST /v1/contacts", "PATCH /v1/contacts/42"]),
            ("read", vec!["GET /v1/contacts", "GET /v1/contacts/", "HEAD /v1/contacts", "GET /v1/usage"]),
            ("write", vec!["POST /v1/contacts", "PATCH /v1/contacts/42", "DELETE /v1/contacts/42", "BREW /"]),
            (
                "lexi",
                vec![
                    "GET /v1/lexi/tasks",
                    "HEAD /v1/lexi/tasks",
                    "GET /v1/lexi/x",
                    "POST /v1/lexi/chat",
                    "POST /v1/lexi/tasks/7/approve",
                ],
            ),
            ("admin:api_keys", vec!["POST /v1/api-keys", "POST /v1/Api-Keys", "POST /v1/api-keys/key_1/revoke"]),
        ] {
            let key = bench.create(&admin, &new_key(permission, &[permission]), START).await.unwrap();
            let calls = [
                "GET /v1/contacts",
                "GET /v1/contacts/",
                "HEAD /v1/contacts",
                "POST /v1/contacts",
                "PATCH /v1/contacts/42",
                "DELETE /v1/contacts/42",
                "GET /v1/lexi/tasks",
                "HEAD /v1/lexi/tasks",
                "GET /v1/lexi/x",
                "POST /v1/lexi/chat",
                "POST /v1/lexi/tasks/7/approve",
                "POST /v1/api-keys",
                "POST /v1/Api-Keys",
                "POST /v1/api-keys/key_1/revoke",
                "GET /v1/usage",
                "BREW /",
            ];
            let mut through = Vec::new();
            for call in calls {
                let (method, path) = call.split_once(' ').unwrap();
                if said(&bench.service, &key.plain, method, path, START).await == "done" {
                    through.push(call);
                }
            }
            let mut allowed = allowed;
            allowed.sort_by_key(|call| calls.iter().position(|other| other == call));
            assert_eq!(through, allowed, "{permission}");
        }
    });
}

#[test]
fn a_path_that_can_be_read_in_two_ways_opens_nothing() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(PLENTY, PLENTY, PLENTY)).await;
        let coarse = bench.create(&admin, &new_key("coarse", &["read", "write"]), START).await.unwrap();
        for path in [
            "/v1/x/../api-keys",
            "/v1/x/%2e%2e/api-keys",
            "/v1//api-keys",
            "/v1/x%2f..%2fapi-keys",
            "/v1/x/..;/api-keys",
            "/v1/lexi;a=b/chat",
            "/v1/api-keys#x",
            "/v1/api-keys%",
            "/v1/api-keys%2",
            "/v1/api-keys%zz",
            "/v1\\api-keys",
            "v1/api-keys",
            "",
        ] {
            let said = said(&bench.service, &coarse.plain, "POST", path, START).await;
            assert!(said.starts_with("path: "), "{path}: {said}");
        }
        for (path, needed) in [
            ("/v1/%6cexi/chat", "lexi"),
            ("/v1/lex%69/chat", "lexi"),
            ("/v1/api%2dkeys", "admin:api_keys"),
            ("/v1/api-%6Beys", "admin:api_keys"),
        ] {
            let said = said(&bench.service, &coarse.plain, "POST", path, START).await;
            assert_eq!(said, format!("Missing required permission: {needed}"), "{path}");
        }
        for path in ["/v1/a%20b", "/v1/caf%C3%A9", "/v1/a+b,c:d@e", "/v1/$metadata", "/v1/~me/!x"] {
            assert_eq!(said(&bench.service, &coarse.plain, "POST", path, START).await, "done", "{path}");
        }
        for method in ["", "GET /v1", "a".repeat(40).as_str(), "GET\u{e9}"] {
            let said = said(&bench.service, &coarse.plain, method, "/v1/contacts", START).await;
            assert!(said.starts_with("method: "), "{method}: {said}");
        }
    });
}

#[test]
fn each_refusal_takes_its_place_in_the_order_and_its_price() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(5, 50, 2)).await;
        let service = &bench.service;
        let key = bench.create(&admin, &ending("ci", &["read:contacts"], 100), START).await.unwrap();
        let off = bench.create(&admin, &new_key("off", &["read:contacts"]), START).await.unwrap();
        bench.revoke(&admin, &off.id, START).await.unwrap();
        let remaining = async |plain: &str, method: &str, second: i64| {
            let admission =
                service.admit(Provider::Native, plain, Call { method, path: "/v1/contacts" }, at(second)).await;
            (outcome(admission.outcome), admission.quota.map(|quota| quota.remaining), admission.owner.is_some())
        };
        // Who is not known is told nothing, and counts nothing.
        assert_eq!(remaining("nobody", "GET", 0).await, ("invalid_key".to_owned(), None, false));
        assert_eq!(remaining(&off.plain, "GET", 0).await, ("revoked_key".to_owned(), None, false));
        // A call refused for its permission counts and costs no credit.
        for (method, said, left) in [
            ("POST", "insufficient_permissions", 4),
            ("GET", "done", 3),
            ("POST", "insufficient_permissions", 2),
            ("GET", "done", 1),
            ("GET", "insufficient_credits", 1),
            ("POST", "insufficient_permissions", 0),
            ("GET", "rate_limited", 0),
            ("POST", "insufficient_permissions", 0),
        ] {
            assert_eq!(remaining(&key.plain, method, 1).await, (said.to_owned(), Some(left), true));
        }
        assert_eq!(remaining(&key.plain, "GET", 100).await, ("invalid_key".to_owned(), None, false));
        let shown = service.credits(&admin, at(2)).await.unwrap();
        assert_eq!(shown.balance, 0);
    });
}

#[test]
fn a_call_to_the_management_api_counts_and_costs_no_credit() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(3, 50, 0)).await;
        let (caller, _) = bench.create_caller(&admin, "ci", &["read"]).await;
        for (left, said) in [(2, "done"), (1, "done"), (0, "done"), (0, "rate_limited")] {
            let (quota, outcome_of) = bench.service.meter(&caller, false, at(1)).await;
            assert_eq!((quota.unwrap().remaining, outcome(outcome_of).as_str()), (left, said));
        }
        let operator = bench.operator("acme").await;
        assert!(matches!(bench.service.meter(&operator, false, at(1)).await, (None, Ok(()))));
        let (quota, unmetered) = bench.service.meter(&admin, false, at(1)).await;
        assert_eq!((quota.unwrap().limit, outcome(unmetered).as_str()), (3, "done"));
    });
}

#[test]
fn a_locked_database_lets_nothing_through() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(50, 50, PLENTY)).await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let mut other = database.raw.acquire().await.unwrap();
        let lock = if database.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE limit_windows" };
        for statement in lock.split("; ") {
            sqlx::raw_sql(statement).execute(&mut *other).await.unwrap();
        }
        let refused = bench.service.admit(Provider::Native, &key.plain, READ, START).await.outcome.err().unwrap();
        assert!(matches!(refused, Refusal::Store(_)), "{refused:?}");
        sqlx::raw_sql("ROLLBACK").execute(&mut *other).await.unwrap();
        assert_eq!(call(&bench.service, &key.plain, START).await, "done");
    });
}
