//! Too much of something.

use std::io::{Read, Write};

use super::scene::{Served, refusal, rest_of};
use crate::support::Place;

#[test]
fn more_connections_than_there_are_places_for_are_refused_at_once() {
    let place = Place::new();
    let served = Served::start(&place, "--max-connections 4");
    let mut held: Vec<_> = (0..4).map(|_| served.connect()).collect();
    served.wait_for_metric("keys_connections", |open| open == 4);
    for _ in 0..3 {
        assert_eq!(refusal(&served.exchange("GET /healthz HTTP/1.1\r\nHost: keys\r\n\r\n")).0, 503);
    }
    served.wait_for_metric("keys_connections_refused_total", |refused| refused == 3);
    assert_eq!(served.wait_for_event("connections_refused")["level"], "warn");
    // Those that are in are served. Where it is crowded none of them stays.
    held[0].write_all(b"GET /healthz HTTP/1.1\r\nHost: keys\r\n\r\n").unwrap();
    let answer = rest_of(held.remove(0));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    // There is a place again.
    served.wait_for_metric("keys_connections", |open| open == 3);
    served.answers_others();
    drop(held);
    served.wait_for_metric("keys_connections", |open| open == 0);
    let mut stays = served.send("GET /healthz HTTP/1.1\r\nHost: keys\r\n\r\n");
    let mut answer = [0; 300];
    let length = stays.read(&mut answer).unwrap();
    assert!(!String::from_utf8_lossy(&answer[..length]).contains("connection: close"));
}

#[test]
fn what_is_too_large_or_in_the_wrong_way_is_said_so() {
    let place = Place::new();
    let served = Served::start(&place, "");
    let admin = &served.admin;
    let call = |method: &str, path: &str, fields: &str, body: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: keys\r\nConnection: close\r\nX-Api-Key: {admin}\r\n");
        let length = body.len();
        refusal(&served.exchange(format!("{head}Content-Length: {length}\r\n{fields}\r\n{body}")))
    };
    let json = "Content-Type: application/json\r\n";
    let (long, large) = ("x".repeat(20_000), "x".repeat(70_000));
    for (answer, status, code) in [
        (call("GET", "/nowhere", "", ""), 404, "not_found"),
        (call("PUT", "/v1/api-keys", "", ""), 405, "method_not_allowed"),
        (call("TRACE", "/v1/api-keys", "", ""), 405, "method_not_allowed"),
        (call("DELETE", "/healthz", "", ""), 405, "method_not_allowed"),
        (call("BREW", "/readyz", "", ""), 405, "method_not_allowed"),
        (call("POST", "/v1/api-keys", json, &large), 413, "too_large"),
        (call("GET", &format!("/{long}"), "", ""), 414, "uri_too_long"),
        (call("GET", &format!("/{large}"), "", ""), 414, "uri_too_long"),
        (call("POST", "/v1/api-keys", "", "{}"), 415, "unsupported_media_type"),
        (call("GET", "/v1/whoami", &format!("Cookie: {large}\r\n"), ""), 431, "header_too_large"),
        (call("GET", "/v1/whoami", &"A: b\r\n".repeat(200), ""), 431, "header_too_large"),
        (refusal(&served.exchange("\u{16}\u{3}\u{1} this is not HTTP\r\n\r\n")), 400, "malformed_request"),
        (refusal(&served.exchange("GET /healthz HTTP/1.1\r\n\r\n")), 400, "malformed_request"),
    ] {
        assert_eq!(answer, (status, code.to_owned()));
    }
    let allowed = served.exchange("POST /healthz HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n");
    assert!(allowed.contains("\r\nallow: GET,HEAD\r\n"), "{allowed}");
    let head = served.exchange("HEAD /healthz HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    served.answers_others();
}

#[cfg(target_os = "linux")]
#[test]
fn a_system_without_open_files_ends_nothing() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let place = Place::new();
    let served = Served::start(&place, "");
    let id = Some(Pid::from_child(&served.child));
    let limit = |files| prlimit(id, Resource::Nofile, Rlimit { current: Some(files), maximum: Some(1024) }).unwrap();
    let kept = served.send("GET /healthz HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n");
    assert!(rest_of(kept).starts_with("HTTP/1.1 200"));
    limit(1);
    // The system takes it, the service cannot.
    let waiting = served.send("GET /healthz HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n");
    assert_eq!(served.wait_for_event("accept_failed")["level"], "warn");
    limit(1024);
    assert!(rest_of(waiting).starts_with("HTTP/1.1 200"));
    served.answers_others();
}
