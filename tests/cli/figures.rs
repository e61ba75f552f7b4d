//! What is left and who did it: `usage`, `credits`, `audit`, against a service that was called.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use snapbox::str;

use crate::support::{HANGS, Place, Server};

/// Calls the service as any program would; the status of its answer.
fn call(server: &Server<'_>, key: &str, method: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A command of whoever holds the database.
fn operate(place: &Place, line: &str) {
    let database = format!("sqlite:{}", place.path("service.db").display());
    let seen = place.keys(line.split_whitespace()).arg("--database").arg(database).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
}

#[test]
fn usage_is_what_the_log_of_the_service_says() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let admin = server.admin.clone();
    let reader = server.create("reader", "read:contacts");
    let writer = server.create("writer", "write:contacts");
    for _ in 0..30 {
        assert_eq!(call(&server, &reader, "GET", "/v1/contacts"), 200);
    }
    for _ in 0..7 {
        assert_eq!(call(&server, &reader, "GET", "/v1/lists"), 403);
        assert_eq!(call(&server, &writer, "GET", "/v1/contacts?page=1"), 403);
    }
    assert_eq!(call(&server, "wbk_nobody", "GET", "/v1/contacts"), 401);
    let whole = server.keys(&admin, "usage --json").done().data();
    let of_reader = server.keys(&admin, "usage reader --json --days 1").done().data();

    // Counted anew from the log, up to the request that asked.
    let mut expected: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for line in server.stop().lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        if line["path"] == "/v1/usage" {
            break;
        }
        let (Some(key), Some(path)) = (line["key"].as_str(), line["path"].as_str()) else { continue };
        let endpoint = format!("{} {path}", line["method"].as_str().unwrap());
        let (calls, errors) = expected.entry((key.to_owned(), endpoint)).or_default();
        *calls += 1;
        *errors += i64::from(line["status"].as_i64().unwrap() >= 400);
    }
    let sum = |wanted: &dyn Fn(&(String, String)) -> bool| {
        let fitting = expected.iter().filter(|(of, _)| wanted(of)).map(|(_, counts)| *counts);
        fitting.fold((0, 0), |(calls, errors), (more, wrong)| (calls + more, errors + wrong))
    };
    let told = |of: &Value| (of["calls"].as_i64().unwrap(), of["errors"].as_i64().unwrap());
    assert_eq!(told(&whole["today"]), sum(&|_| true));
    assert_eq!(whole["days"].as_array().unwrap().len(), 30);
    let endpoints = whole["endpoints"].as_array().unwrap();
    for of in endpoints {
        assert_eq!(told(of), sum(&|(_, endpoint)| *endpoint == of["endpoint"]), "{of}");
    }
    assert_eq!(endpoints[0]["endpoint"], "GET /v1/contacts");
    assert_eq!(told(&endpoints[0]), (37, 7));
    for of in whole["keys"].as_array().unwrap() {
        assert_eq!(told(of), sum(&|(key, _)| *key == of["id"]), "{of}");
    }
    assert_eq!(told(&of_reader["today"]), (37, 7));
    assert_eq!(of_reader["today"]["error_rate"], 0.1892);
}

#[test]
fn a_day_that_is_nearly_used_up() {
    let place = Place::new();
    let server = Server::start(&place);
    operate(&place, "serve workspace set-plan Acme enterprise --per-day 100 --per-minute 100000");
    // The first admin key is without limits: those that count are others.
    let support = server.create("support", "read");
    for _ in 0..94 {
        assert_eq!(call(&server, &support, "GET", "/v1/contacts"), 200);
    }
    let seen = server.keys(&support, "usage --fail-below 10%").done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    assert!(seen.stdout.contains("5 of 100 left"), "{}", seen.stdout);
    assert!(seen.stderr.starts_with("error: 5 of 100 calls are left today, fewer than 10%\n"), "{}", seen.stderr);
    assert_eq!(server.keys(&support, "usage --fail-below 1%").done().code, 0);
    assert_eq!(server.keys(&support, "usage --fail-below 4 --json").done().code, 12);
    for narrow in ["30", "80", "120"] {
        let seen = server.keys(&server.admin, "usage").env("COLUMNS", narrow).env("LC_ALL", "C").done();
        // What is cut off ends in `…` everywhere.
        let said = seen.stdout.replace('…', "");
        assert!(said.is_ascii() && said.contains("#\n"), "{said}");
    }
    let seen = server.keys(&server.admin, "usage").env("LC_ALL", "C.UTF-8").done();
    assert!(seen.stdout.contains('█'), "{}", seen.stdout);
    while call(&server, &support, "GET", "/v1/contacts") == 200 {}
    let seen = server.keys(&support, "list").done();
    assert_eq!(seen.code, 7, "{}", seen.stderr);
    let seen = server.keys(&server.admin, "usage --format prometheus").done();
    assert!(seen.stdout.contains("keys_quota_remaining_calls{service="), "{}", seen.stdout);
    assert!(seen.stdout.contains(",period=\"day\"} 0\n"), "{}", seen.stdout);
}

#[test]
fn credits_of_three_kinds() {
    let place = Place::new();
    let server = Server::start(&place);
    operate(&place, "serve workspace grant-credits Acme 250 --kind bonus --expires 30d --note welcome");
    operate(&place, "serve workspace grant-credits Acme 40");
    let admin = server.admin.clone();
    for _ in 0..10 {
        call(&server, &admin, "GET", "/v1/contacts");
    }
    let data = server.keys(&admin, "balance --json").done().data();
    assert_eq!((&data["balance"], &data["bonus"], &data["subscription"]), (&1280.into(), &240.into(), &1000.into()));
    assert_eq!(data["grants"][0]["kind"], "bonus");
    assert_eq!(data["purchased"], 40);
    let seen = server.keys(&admin, "credits").done();
    let first = "Balance  1280 (1000 subscription, 40 purchased, 240 bonus)\n";
    assert!(seen.stdout.starts_with(first), "{}", seen.stdout);
    assert!(seen.stdout.contains("240 bonus (welcome) expire "), "{}", seen.stdout);
    assert_eq!(server.keys(&admin, "credits --fail-below 1280").done().code, 0);
    assert_eq!(server.keys(&admin, "credits --fail-below 1281").done().code, 12);
}

#[test]
fn the_audit_log_is_filtered() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    server.create("ci", "read:contacts");
    let id = server.id("ci");
    server.keys(&admin, "edit ci --name worker").done();
    server.keys(&admin, "delete worker --yes --confirm worker").done();
    server.keys(&admin, "audit").shows(str![[r#"
exit 0
--- stdout
[TIME]	api_key.delete	admin	[ID]	deleted worker
[TIME]	api_key.update	admin	[ID]	name: ci → worker
[TIME]	api_key.create	admin	[ID]	created ci
[TIME]	api_key.create	operator	[ID]	created admin

"#]]);
    let actions = |line: &str| -> Vec<String> {
        let seen = server.keys(&admin, &format!("audit --format jsonl {line}")).done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        let entry = |line: &str| serde_json::from_str::<Value>(line).unwrap()["action"].as_str().unwrap().to_owned();
        seen.stdout.lines().map(entry).collect()
    };
    assert_eq!(actions("--action update"), ["api_key.update"]);
    assert_eq!(actions("--limit 1"), ["api_key.delete"]);
    assert_eq!(actions(&format!("--key {id}")), ["api_key.delete", "api_key.update", "api_key.create"]);
    assert_eq!(actions("--key admin --since 1h"), ["api_key.create"]);
    assert_eq!(actions("--until 2020-01-01"), [""; 0]);
    for wrong in ["--since 5", "--since never", "--since yesterday", "--since 1h --until 2h", "--until 24"] {
        assert_eq!(server.keys(&admin, &format!("audit {wrong}")).done().code, 2, "{wrong}");
    }
    let reader = server.create("reader", "read");
    assert_eq!(server.keys(&reader, "audit --limit 1").done().code, 0);
    let none = server.create("none", "lexi");
    assert_eq!(server.keys(&none, "audit").done().code, 5);
}

#[test]
fn who_follows_the_audit_log_sees_a_change_as_it_is_made() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    let mut following = server.keys(&admin, "audit --follow --limit 2 --format jsonl").start();
    // Nobody knows when it has begun: changes are made until it has seen two.
    let (mut made, begun) = (0, Instant::now());
    while !following.ends_within(Duration::from_millis(300)) {
        assert!(begun.elapsed() < HANGS, "it sees nothing");
        server.create(&format!("key {made}").replace(' ', "-"), "read");
        made += 1;
    }
    let seen = following.done();
    let names: Vec<String> = seen
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|entry| entry["details"]["created"]["name"].as_str().unwrap().to_owned())
        .collect();
    let numbers: Vec<i32> = names.iter().map(|name| name.strip_prefix("key-").unwrap().parse().unwrap()).collect();
    assert_eq!(numbers.len(), 2, "{}", seen.stderr);
    assert_eq!(numbers[1], numbers[0] + 1, "oldest first, and none left out");
}
