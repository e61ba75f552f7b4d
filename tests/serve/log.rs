//! What is said of requests: in the log and in the metrics, and what is not.

use serde_json::Value;

use super::scene::{Served, refusal};
use crate::support::{Place, sqlite};

/// A request with something secret in every place that can hold it.
fn request(method: &str, target: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: keys\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{fields}\r\n{body}"
    )
}

#[test]
fn a_request_is_a_line_without_a_secret() {
    let place = Place::new();
    let served = Served::start(&place, "");
    let admin = &served.admin;
    let bearer =
        format!("Authorization: Bearer {admin}\r\nIdempotency-Key: idem-hidden\r\nCookie: c=cookie-hidden\r\n");
    let body = r#"{"name": "name-hidden", "permissions": ["read"]}"#;
    assert!(served.exchange(request("POST", "/v1/api-keys?a=query-hidden", &bearer, body)).starts_with("HTTP/1.1 201"));
    served.exchange(request("GET", "/v1/api-keys?search=query-hidden", &format!("X-Api-Key: {admin}\r\n"), ""));
    served.exchange(request("GET", "/v1/whoami", "X-Api-Key: header-hidden\r\n", ""));
    // Who takes the key for the id.
    served.exchange(request("GET", &format!("/v1/api-keys/{admin}"), &bearer, ""));
    served.exchange(request("POST", "/v1/api-keys/lookup", &bearer, &format!(r#"{{"key": "{admin}"}}"#)));
    // However it is encoded, and also as a word that is no method.
    for encoded in ["%5f", "%5F", "%255f"] {
        let encoded = admin.replace('_', encoded);
        served.exchange(request("GET", &format!("/v1/api-keys/{encoded}"), &bearer, ""));
        served.exchange(request("GET", &format!("/authorize/v1/contacts/{encoded}"), &bearer, ""));
        served.exchange(request(&encoded, "/v1/whoami", &bearer, ""));
    }
    served.exchange(request("GET", &format!("/nowhere/{}", admin.replace('w', "%77")), &bearer, ""));
    // Any word can be a method.
    let refused_method = served.exchange(request(admin, "/v1/whoami", &bearer, ""));
    assert!(refused_method.starts_with("HTTP/1.1 405"), "{refused_method}");
    let usage = served.get("/v1/usage");
    assert!(usage.contains("(other) /v1/whoami") && !usage.contains(&admin[13..]), "{usage}");
    served.wait_for_line(|line| line["method"] == "…");
    let of = |path: &'static str| move |line: &Value| line["path"] == path;
    served.wait_for_line(of("/authorize/v1/contacts/…"));
    served.wait_for_line(of("/nowhere/…"));
    let made = served.wait_for_line(of("/v1/api-keys"));
    let refused = served.wait_for_line(of("/v1/whoami"));
    served.wait_for_line(of("/v1/api-keys/lookup"));
    let text = served.text();
    assert!(!text.contains("hidden") && !text.contains(&admin[13..]), "{text}");
    assert!(text.contains(r#""path":"/v1/api-keys/…""#), "{text}");
    let id = served.get("/v1/whoami").split(r#""id":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    for (field, value) in [("level", "info"), ("method", "POST"), ("client", "127.0.0.1"), ("key", &id)] {
        assert_eq!(made[field], *value, "{field}");
    }
    assert_eq!(made["status"], 201);
    assert!(made["duration_ms"].as_f64().unwrap() > 0.0);
    assert!(made["workspace"].as_str().unwrap().starts_with("ws_"));
    assert!(made["request_id"].as_str().unwrap().starts_with("req_"));
    let time = made["time"].as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    assert_eq!((&refused["level"], &refused["status"], &refused["key"]), (&"warn".into(), &401.into(), &Value::Null));
}

#[test]
fn only_a_proxy_says_who_the_client_is() {
    let forwarded = "X-Forwarded-For: 203.0.113.7, 198.51.100.2\r\n";
    for (options, client) in [("", "127.0.0.1"), ("--behind-proxy", "198.51.100.2")] {
        let place = Place::new();
        let served = Served::start(&place, options);
        served.exchange(request("GET", "/healthz", forwarded, ""));
        assert_eq!(served.wait_for_line(|line| line["path"] == "/healthz")["client"], client);
    }
}

#[test]
fn a_database_out_of_order_is_told_to_whoever_runs_it_alone() {
    let place = Place::new();
    let served = Served::start(&place, "--log-requests errors");
    assert!(served.get("/readyz").starts_with("HTTP/1.1 200"));
    let database = place.path("service.db");
    let renamed = "ALTER TABLE api_keys RENAME TO gone; ALTER TABLE workspaces RENAME TO lost;";
    let Some(_) = sqlite(&database, "the cause of a failure in the log", renamed) else { return };
    assert!(served.get("/healthz").starts_with("HTTP/1.1 200"), "the process lives");
    assert_eq!(refusal(&served.get("/readyz")), (503, "unavailable".to_owned()));
    assert_eq!(refusal(&served.get("/v1/whoami")), (503, "unavailable".to_owned()));
    for path in ["/readyz", "/v1/whoami"] {
        let line = served.wait_for_line(|line| line["path"] == path);
        assert_eq!((&line["level"], &line["status"]), (&"error".into(), &503.into()));
        let cause = line["cause"].as_str().unwrap();
        assert!(cause.contains("no such table"), "{cause}");
    }
    assert!(!served.text().contains("healthz"), "{}", served.text());
}

#[test]
fn metrics_have_an_address_of_their_own() {
    let place = Place::new();
    let served = Served::start(&place, "--log-requests none");
    assert_eq!(refusal(&served.get("/metrics")).0, 404);
    served.answers_others();
    for number in 0..20 {
        served.get(&format!("/v1/api-keys/key_{number}"));
        served.get(&format!("/nowhere/{number}"));
    }
    let series =
        |route: &str, status| format!(r#"keys_http_requests_total{{method="GET",route="{route}",status="{status}"}}"#);
    served.wait_for_metric(&series("/v1/api-keys/{id}", 404), |count| count == 20);
    served.wait_for_metric(&series("none", 404), |count| count == 21);
    served.wait_for_metric(&series("/v1/whoami", 200), |count| count == 1);
    let count = r#"keys_http_request_duration_seconds_count{method="GET",route="none"}"#;
    served.wait_for_metric(count, |count| count == 21);
    served.wait_for_metric("process_start_time_seconds", |seconds| seconds > 1_700_000_000);
    served.wait_for_metric("keys_connections", |open| open == 0);
    let metrics = served.metrics();
    assert!(metrics.contains("\r\ncontent-type: text/plain; version=0.0.4"), "{metrics}");
    assert!(!metrics.contains("key_1") && !metrics.contains("/nowhere"), "{metrics}");
    assert!(served.log().iter().all(|line| line["event"] != "request"), "{}", served.text());
}
