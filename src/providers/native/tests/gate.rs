//! The gate as proxies ask it, and what its answers carry.

use super::*;
use crate::testing::{block_on, set_clock};

const WORKSPACE: &str = "x-workspace-id";
const KEY: &str = "x-key-id";

/// How each proxy asks about a call: the request it sends, and the headers that tell of the call.
fn asked<'a>(site: &'a Site, key: &str, method: &'static str, target: &str) -> [Ask<'a>; 4] {
    let by = |asking: &'static str, path: String| site.ask_as(key, asking, path);
    [
        // nginx
        by("GET", "/authorize".to_owned()).header("x-original-method", method).header("x-original-uri", target),
        by("POST", "/authorize".to_owned()).header("x-original-method", method).header("x-original-uri", target),
        // Traefik
        by("GET", "/authorize".to_owned()).header("x-forwarded-method", method).header("x-forwarded-uri", target),
        // Envoy
        by(method, format!("/authorize{target}")),
    ]
}

#[test]
fn every_proxy_is_answered_in_its_own_way_of_asking() {
    block_on(async {
        let site = Site::new().await;
        let (id, reads) = site.create("reads", &["read:contacts"]).await;
        let workspace = site.workspace_id().await;
        for (method, target) in
            [("GET", "/v1/contacts"), ("GET", "/v1/contacts/?page=2&q=/../x"), ("GET", "/v1/contacts?")]
        {
            for ask in asked(&site, &reads, method, target) {
                let answer = ask.await_status(204).await;
                assert_eq!((answer.header(KEY), answer.header(WORKSPACE)), (Some(&*id), Some(&*workspace)));
                assert_eq!((answer.header("x-gate-status"), answer.header("x-gate-body")), (None, None));
            }
        }
        for ask in asked(&site, &reads, "POST", "/v1/contacts") {
            let answer = ask.refused(403, "insufficient_permissions").await;
            assert_eq!(answer.message(), "Missing required permission: write:contacts");
            assert_eq!(answer.header("x-gate-status"), Some("403"));
            // For proxies that keep only headers, byte for byte.
            assert_eq!(answer.header("x-gate-body"), Some(&*answer.text));
            assert_eq!((answer.header(KEY), answer.header(WORKSPACE)), (Some(&*id), Some(&*workspace)));
        }
        let (_, all) = site.create("all", &["read", "write"]).await;
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"] {
            for target in ["/", "/x", "/v1/deals/42/notes", "/a%20b", "/caf%C3%A9", "/authorize", "/v1/api-keys/key_1"]
            {
                if target == "/v1/api-keys/key_1" && !["GET", "HEAD"].contains(&method) {
                    continue;
                }
                for ask in asked(&site, &all, method, target) {
                    ask.await_status(204).await;
                }
            }
        }
    });
}

#[test]
fn a_call_that_is_not_told_or_told_in_two_ways_is_refused() {
    block_on(async {
        let site = Site::new().await;
        let (_, all) = site.create("all", &["read", "write"]).await;
        let gate = || site.ask_as(&all, "GET", "/authorize");
        gate().refused(400, "validation_error").await;
        gate().header("x-original-method", "GET").refused(400, "validation_error").await;
        gate().header("x-original-uri", "/x").refused(400, "validation_error").await;
        let told = || gate().header("x-original-method", "GET").header("x-original-uri", "/v1/contacts");
        for (name, other) in [
            ("x-forwarded-uri", "/v1/api-keys"),
            ("x-forwarded-method", "POST"),
            ("x-original-uri", "/v1/contacts"),
            ("x-original-uri", "/v1/deals"),
            ("x-original-method", "GET"),
        ] {
            told().header(name, other).refused(400, "validation_error").await;
        }
        told().header("x-forwarded-uri", "/v1/contacts").header("x-forwarded-method", "get").await_status(204).await;
        // Envoy's own request tells of the call: what its client says besides must agree.
        let envoy = || site.ask_as(&all, "POST", "/authorize/v1/contacts");
        envoy().header("x-original-uri", "/v1/deals").refused(400, "validation_error").await;
        envoy().header("x-original-method", "GET").refused(400, "validation_error").await;
        envoy().header("x-forwarded-uri", "/v1/contacts").await_status(204).await;
        for name in ["x-original-uri", "x-original-method"] {
            let ask = gate().header("x-original-method", "GET").header("x-original-uri", "/x");
            let mut ask = ask;
            ask.headers.retain(|(other, _)| other != name);
            ask.header(name, "caf\u{e9}").refused(400, "validation_error").await;
        }
    });
}

#[test]
fn a_path_that_can_be_read_in_two_ways_is_refused() {
    block_on(async {
        let site = Site::new().await;
        let (_, all) = site.create("all", &["read", "write"]).await;
        for target in [
            "/v1/contacts/../api-keys",
            "/v1/contacts/%2e%2e/api-keys",
            "/v1//api-keys",
            "/v1/contacts%2f..%2fapi-keys",
            "/v1/api-keys;x",
            "/v1/lexi;x=1/chat",
            "/v1/contacts/%ZZ",
            "/v1/contacts/%00",
        ] {
            for ask in asked(&site, &all, "POST", target) {
                let place = target.to_owned();
                let answer = ask.refused(400, "validation_error").await;
                assert!(answer.message().starts_with("path: "), "{place}: {}", answer.message());
            }
        }
        // Decoded, it is read in one way only.
        for ask in asked(&site, &all, "POST", "/v1/%61pi-keys") {
            ask.refused(403, "insufficient_permissions").await;
        }
        for target in ["v1/contacts", "https://elsewhere/v1/contacts", "*", "", "/v1/contacts#x"] {
            let ask = site.ask_as(&all, "GET", "/authorize").header("x-original-method", "GET");
            ask.header("x-original-uri", target).refused(400, "validation_error").await;
        }
        for path in ["/authorize/%FF", "/authorize/v1/%FF"] {
            site.ask_as(&all, "GET", path).await_status(204).await;
        }
    });
}

#[test]
fn who_is_not_known_hears_so_and_nothing_is_counted() {
    block_on(async {
        let site = Site::new().await;
        let (id, plain) = site.create("ci", &["read"]).await;
        let missing = site.anonymous("GET", "/authorize/v1/contacts").refused(401, "missing_auth").await;
        assert_eq!(missing.header("x-gate-status"), Some("401"));
        assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
        assert_eq!(missing.header("x-ratelimit-limit"), Some("0"));
        site.ask_as("nobody", "GET", "/authorize/v1/contacts").refused(401, "invalid_key").await;
        site.ask("POST", format!("/v1/api-keys/{id}/revoke")).await_status(200).await;
        let answer = site.ask_as(&plain, "GET", "/authorize/v1/contacts").refused(401, "revoked_key").await;
        assert_eq!((answer.header(KEY), answer.header(WORKSPACE)), (None, None));
        let usage = site.ask("GET", format!("/v1/api-keys/{id}/usage")).await_status(200).await;
        assert_eq!(usage.body["data"]["today"]["calls"], 0);
    });
}

#[test]
fn out_of_credits_is_402_and_over_the_limit_429_with_when_to_come_back() {
    block_on(async {
        let site = Site::agreed(5, 3, 2).await;
        let (_, plain) = site.create("ci", &["read"]).await;
        let call = || site.ask_as(&plain, "GET", "/authorize/v1/contacts");
        for left in ["4", "3"] {
            let answer = call().await_status(204).await;
            assert_eq!(answer.header("x-ratelimit-remaining"), Some(left));
            assert_eq!(answer.header("x-ratelimit-limit"), Some("5"));
            // 2026-09-22T00:00:00Z
            assert_eq!(answer.header("x-ratelimit-reset"), Some("1790035200"));
        }
        let unpaid = call().refused(402, "insufficient_credits").await;
        assert_eq!((unpaid.message(), unpaid.header("x-ratelimit-remaining")), ("Insufficient credits", Some("3")));
        assert_eq!(unpaid.header("x-gate-body"), Some(&*unpaid.text));
        // A call without its permission counts.
        site.ask_as(&plain, "POST", "/authorize/v1/contacts").refused(403, "insufficient_permissions").await;
        let minute = call().refused(429, "rate_limited").await;
        // 14:13:20
        assert_eq!(minute.message(), "Rate limit exceeded. Resets at 2026-09-21T14:14:00Z");
        let wait: i64 = minute.header("retry-after").unwrap().parse().unwrap();
        assert!((40..=41).contains(&wait), "{wait}");
        set_clock(wait);
        for _ in 0..2 {
            site.ask_as(&plain, "POST", "/authorize/v1/contacts").refused(403, "insufficient_permissions").await;
        }
        let day = call().refused(429, "rate_limited").await;
        assert_eq!(day.message(), "Rate limit exceeded. Resets at 2026-09-22T00:00:00Z");
        let wait: i64 = day.header("retry-after").unwrap().parse().unwrap();
        set_clock(41 + wait - 1);
        call().refused(402, "insufficient_credits").await;
    });
}

#[test]
fn every_answer_says_what_is_left_of_the_day() {
    block_on(async {
        let site = Site::agreed(50, 50, 50).await;
        let (id, plain) = site.create("ci", &["read", "admin:api_keys"]).await;
        let mut left = 50;
        for (method, target, status) in [
            ("GET", "/v1/api-keys".to_owned(), 200),
            ("GET", "/v1/whoami".to_owned(), 200),
            ("GET", "/v1/api-keys/none".to_owned(), 404),
            ("GET", "/v1/api-keys?page=0".to_owned(), 400),
            ("PUT", "/v1/api-keys".to_owned(), 405),
            ("POST", "/v1/api-keys".to_owned(), 415),
            ("GET", "/v1/nothing".to_owned(), 404),
            ("GET", "/v1/contacts".to_owned(), 200),
            ("POST", "/v1/contacts".to_owned(), 403),
            ("GET", "/authorize/v1/contacts".to_owned(), 204),
            ("GET", "/authorize/v1/../contacts".to_owned(), 400),
            ("DELETE", format!("/v1/api-keys/{id}"), 204),
        ] {
            let answer = site.ask_as(&plain, method, &*target).await_status(status).await;
            left -= 1;
            let said = answer.header("x-ratelimit-remaining").unwrap();
            assert_eq!(said, left.to_string(), "{method} {target}");
            assert_eq!(answer.header("x-ratelimit-limit"), Some("50"));
        }
        let gone = site.ask_as(&plain, "GET", "/v1/api-keys").refused(401, "invalid_key").await;
        assert_eq!(gone.header("x-ratelimit-limit"), Some("0"));
        let document = site.anonymous("GET", "/openapi.json");
        let request = Request::builder().method(document.method).uri(document.target);
        let answer = site.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
    });
}

#[test]
fn the_management_api_is_limited_and_costs_no_credit() {
    block_on(async {
        let site = Site::agreed(100, 2, 0).await;
        let (_, plain) = site.create("ci", &["read"]).await;
        for _ in 0..2 {
            site.ask_as(&plain, "GET", "/v1/api-keys").await_status(200).await;
        }
        let over = site.ask_as(&plain, "GET", "/v1/api-keys").refused(429, "rate_limited").await;
        assert_eq!(over.message(), "Rate limit exceeded. Resets at 2026-09-21T14:14:00Z");
        assert_eq!(over.header("x-ratelimit-remaining"), Some("98"));
        // What is refused is not done.
        let create = json!({ "name": "x", "permissions": ["read"] });
        let (_, admin) = site.create("limited", &["admin:api_keys", "read"]).await;
        site.ask_as(&admin, "POST", "/v1/api-keys").json(&create).refused(429, "rate_limited").await;
        assert_eq!(site.ask("GET", "/v1/api-keys?search=x").await_status(200).await.body["meta"]["total"], 0);
    });
}
