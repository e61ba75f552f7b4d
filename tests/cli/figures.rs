//! What is left and who did it: `usage`, `credits`, `audit`, against a service that was called.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use snapbox::str;

use crate::support::{HANGS, Place, Server, has};

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
        assert_eq!(server.call(&reader, "GET", "/v1/contacts"), 200);
    }
    for _ in 0..7 {
        assert_eq!(server.call(&reader, "GET", "/v1/lists"), 403);
        assert_eq!(server.call(&writer, "GET", "/v1/contacts?page=1"), 403);
    }
    assert_eq!(server.call("wbk_nobody", "GET", "/v1/contacts"), 401);
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

/// What a line of the log counts for: its key, its endpoint, whether it failed, and what it cost.
fn counted(line: &Value) -> Option<(String, String, bool, i64)> {
    let (key, path, status) = (line["key"].as_str()?, line["path"].as_str()?, line["status"].as_u64()?);
    // Who is not let in at all counts for nothing.
    if status == 401 {
        return None;
    }
    let (at_gate, path) = path.strip_prefix("/authorize").map_or((false, path), |path| (true, path));
    let segments: Vec<&str> = path.split('/').map(|part| if part.contains('_') { ":id" } else { part }).collect();
    let endpoint = format!("{} {}", line["method"].as_str()?, segments.join("/"));
    let is_data = at_gate || ["contacts", "lists", "campaigns", "lexi"].iter().any(|data| path[4..].starts_with(data));
    // What is let in has its price, also where there is nothing to find then.
    let is_let_in = ![402, 403, 429, 503].contains(&status);
    Some((key.to_owned(), endpoint, status >= 400, i64::from(is_data && is_let_in)))
}

#[test]
fn a_day_of_traffic_is_told_to_the_unit() {
    let place = Place::new();
    let mut server = Server::start(&place);
    operate(&place, "serve workspace set-plan Acme enterprise --per-day 100000 --per-minute 100000");
    let admin = server.admin.clone();
    let names = ["reader", "writer", "lists", "chat", "gone"];
    let scopes = ["read", "write", "read:lists", "lexi", "read:contacts"];
    let keys: Vec<String> = names.iter().zip(scopes).map(|(name, scope)| server.create(name, scope)).collect();
    let calls = [
        ("GET", "/v1/contacts"),
        ("POST", "/v1/lexi/chat"),
        ("GET", "/v1/lists?page=2"),
        ("PATCH", "/v1/contacts/con_17"),
        ("GET", "/authorize/v1/contacts"),
        ("POST", "/authorize/v1/campaigns?draft=1"),
        ("GET", "/v1/lexi/tasks"),
        ("DELETE", "/authorize/v1/contacts/con_18"),
    ];
    let load = |part: usize| {
        let mut seen = BTreeMap::<u16, usize>::new();
        for number in 0..300 {
            // Every key with every call, each as often as nobody would guess.
            let drawn = (number * 4 + part).wrapping_mul(2_654_435_761) >> 16;
            let (key, (method, path)) = (&keys[drawn % keys.len()], calls[drawn / 8 % calls.len()]);
            *seen.entry(server.call(key, method, path)).or_default() += 1;
        }
        seen
    };
    let before = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..3).map(|part| scope.spawn(move || load(part))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(before.iter().all(|seen| seen.contains_key(&403) && seen.keys().any(|status| *status < 300)), "{before:?}");
    assert_eq!(server.keys(&admin, "revoke gone --yes --confirm gone").done().code, 0);
    assert!(load(3).contains_key(&401));
    let credits = server.keys(&admin, "credits --json").done().data();
    let whole = server.keys(&admin, "usage --json").done().data();
    let of_keys: Vec<Value> =
        names.iter().map(|name| server.keys(&admin, &format!("usage {name} --json")).done().data()).collect();

    // An independent count, up to the request that asked for the whole.
    let (mut endpoints, mut keys, mut cost) = (BTreeMap::new(), BTreeMap::new(), 0);
    let mut of_both = BTreeMap::<(String, String), (i64, i64)>::new();
    for line in server.stop().lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let Some((key, endpoint, failed, price)) = counted(&line) else { continue };
        // The credits ask for it too, to tell how long they last.
        let asks = endpoint == "GET /v1/usage";
        if asks && endpoints.contains_key(&endpoint) {
            break;
        }
        cost += price;
        for (calls, errors) in [
            endpoints.entry(endpoint.clone()).or_insert((0_i64, 0_i64)),
            keys.entry(key.clone()).or_insert((0, 0)),
            of_both.entry((key, endpoint)).or_insert((0, 0)),
        ] {
            *calls += 1;
            *errors += i64::from(failed);
        }
    }
    let told = |of: &Value| (of["calls"].as_i64().unwrap(), of["errors"].as_i64().unwrap());
    let by = |list: &Value, name: &str| -> BTreeMap<String, (i64, i64)> {
        list.as_array().unwrap().iter().map(|of| (of[name].as_str().unwrap().to_owned(), told(of))).collect()
    };
    assert_eq!(by(&whole["endpoints"], "endpoint"), endpoints);
    assert_eq!(by(&whole["keys"], "id"), keys);
    let sum = keys.values().fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    assert_eq!(told(&whole["today"]), sum);
    assert!(sum.0 > 900 && sum.1 > 100, "{sum:?}");
    for (name, of_key) in names.iter().zip(&of_keys) {
        let id = whole["keys"].as_array().unwrap().iter().find(|of| of["name"] == *name).unwrap()["id"].clone();
        let own = of_both.iter().filter(|((key, _), _)| id == key.as_str());
        let own: BTreeMap<String, (i64, i64)> = own.map(|((_, endpoint), of)| (endpoint.clone(), *of)).collect();
        assert_eq!(by(&of_key["endpoints"], "endpoint"), own, "{name}");
    }
    assert_eq!(credits["balance"].as_i64().unwrap(), credits["monthly"].as_i64().unwrap() - cost);
}

#[test]
fn a_day_that_is_nearly_used_up() {
    let place = Place::new();
    let server = Server::start(&place);
    operate(&place, "serve workspace set-plan Acme enterprise --per-day 100 --per-minute 100000");
    // The first admin key is without limits: those that count are others.
    let support = server.create("support", "read");
    for _ in 0..94 {
        assert_eq!(server.call(&support, "GET", "/v1/contacts"), 200);
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
    while server.call(&support, "GET", "/v1/contacts") == 200 {}
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
        server.call(&admin, "GET", "/v1/contacts");
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

#[test]
fn who_follows_the_audit_log_goes_on_when_the_service_was_killed() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let admin = server.admin.clone();
    let line = format!("keys --api-url http://{} audit --follow --format jsonl >followed", server.address());
    let mut following = place.shell(&line).env("KEYS_API_KEY", &admin).start();
    let seen = || -> Vec<usize> {
        let whole = std::fs::read_to_string(place.path("followed")).unwrap_or_default();
        let entries = whole.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let name = |line: &str| -> String {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["details"]["created"]["name"].as_str().unwrap().to_owned()
        };
        entries.map(|line| name(line).strip_prefix("key-").unwrap().parse().unwrap()).collect()
    };
    let (mut made, begun) = (0, Instant::now());
    while seen().is_empty() {
        assert!(begun.elapsed() < HANGS && !following.ends_within(Duration::from_millis(100)), "it sees nothing");
        server.create(&format!("key-{made}"), "read");
        made += 1;
    }
    for _ in 0..2 {
        server.kill_and_start_again();
        server.create(&format!("key-{made}"), "read");
        made += 1;
        let killed = Instant::now();
        while seen().last() != Some(&(made - 1)) {
            assert!(killed.elapsed() < HANGS && !following.ends_within(Duration::from_millis(20)), "{:?}", seen());
        }
    }
    let seen = seen();
    assert_eq!(seen, (seen[0]..made).collect::<Vec<_>>(), "oldest first, none twice, and none left out");
    following.kill();
}

#[test]
fn a_change_tells_when_its_key_was_last_used() {
    let place = Place::new();
    let server = Server::start(&place);
    let key = server.create("ci", "read");
    assert_eq!(server.call(&key, "GET", "/v1/contacts"), 200);
    let shown = server.keys(&server.admin, "show ci --json").done().data();
    assert!(shown["last_used_at"].is_string(), "{shown}");
    for change in ["edit ci --description why --json", "revoke ci --yes --confirm ci --json", "reactivate ci --json"] {
        let changed = server.keys(&server.admin, change).done().data();
        // Several keys can be revoked at once.
        let changed = changed.get(0).unwrap_or(&changed);
        assert_eq!(changed["last_used_at"], shown["last_used_at"], "{change}: {changed}");
    }
}

#[test]
fn prometheus_takes_the_numbers() {
    let place = Place::new();
    let server = Server::start(&place);
    operate(&place, "serve workspace grant-credits Acme 250 --kind bonus --expires 30d");
    let admin = server.admin.clone();
    let seen = server.keys(&admin, "create -q --perm read --name").arg("a\\b \"c\" é").done();
    assert_eq!(server.call(&seen.secret(), "GET", "/v1/contacts"), 200);
    if !has("promtool", "numbers for Prometheus read by it", "KEYS_REQUIRE_PROMTOOL") {
        return;
    }
    for figures in ["usage", "credits"] {
        let numbers = server.keys(&admin, &format!("{figures} --format prometheus")).done().stdout;
        assert!(numbers.lines().count() > 4, "{numbers}");
        let seen = place.shell("promtool check metrics").input(&numbers).done();
        assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (0, "", ""), "{numbers}");
    }
}
