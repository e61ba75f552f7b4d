//! What is left and who did it, on the vendors: the figures against an independent count of the service's log, and what is not
//! offered said once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scene::Vendor;
use crate::support::{Fake, HANGS, Place, Pty, Server};

/// Many calls, drawn from these keys and calls so that nobody would guess how often each is; how often each status was seen.
fn load(vendor: &Vendor<'_>, keys: &[String], calls: &[(&str, &str)], count: usize) -> BTreeMap<u16, usize> {
    let part = |part: usize| {
        let mut seen = BTreeMap::<u16, usize>::new();
        for number in 0..count / 3 {
            let drawn = (number * 4 + part).wrapping_mul(2_654_435_761) >> 16;
            let (key, (method, path)) = (&keys[drawn % keys.len()], calls[drawn / 8 % calls.len()]);
            *seen.entry(vendor.call(key, method, path)).or_default() += 1;
        }
        seen
    };
    let parts = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..3).map(|number| scope.spawn(move || part(number))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect::<Vec<_>>()
    });
    let mut seen = BTreeMap::new();
    for (status, count) in parts.into_iter().flatten() {
        *seen.entry(status).or_default() += count;
    }
    seen
}

/// A request that the service noted, of a key that it knows.
struct Noted {
    time: String,
    key: String,
    call: String,
    status: u64,
}

fn noted(log: &str) -> Vec<Noted> {
    let of = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let call = format!("{} {}", text("method")?, text("path")?);
        Some(Noted { time: text("time")?, key: text("key")?, call, status: line["status"].as_u64()? })
    };
    log.lines().filter_map(of).collect()
}

/// What ends because too little is left, and what it says then.
#[track_caller]
fn low(vendor: &Vendor<'_>, line: &str, said: &str) {
    let seen = vendor.keys(line).done();
    assert_eq!(seen.code, 12, "{line}: {}", seen.stderr);
    assert!(seen.stderr.starts_with(&format!("error: {said}\n")), "not `{said}`, but: {}", seen.stderr);
}

fn id(vendor: &Vendor<'_>, name: &str) -> String {
    vendor.show(name)["id"].as_str().unwrap().to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is one day, from its traffic to its figures")]
fn a_day_on_leadlex_is_told_to_the_unit() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let (usage, of_reader, of_idle, credits, admin, reader, maker);
    {
        let vendor = Vendor::new(&place, &server, "leadlex", "--plan enterprise --per-day 5000 --per-minute 100000");
        let scopes = ["read", "write", "read:lists", "lexi", "read:contacts"];
        let names = ["reader", "writer", "lists", "chat", "gone"];
        let make = |(name, scope): (&&str, &&str)| vendor.create(&format!("--name {name} --perm {scope}"));
        let keys: Vec<String> = names.iter().zip(&scopes).map(make).collect();
        vendor.create("--name idle --perm read");
        let managing = vendor.create("--name maker --perm admin:api_keys --perm read");
        let calls = [
            ("GET", "/v1/contacts"),
            ("POST", "/v1/lexi/chat"),
            ("GET", "/v1/lists?page=2"),
            ("PATCH", "/v1/contacts/con_17"),
            ("GET", "/authorize/v1/contacts"),
            ("POST", "/authorize/v1/campaigns?draft=1"),
            ("GET", "/v1/lexi/tasks"),
            ("DELETE", "/authorize/v1/contacts/con_18"),
            ("GET", "/v1/nowhere"),
        ];
        let seen = load(&vendor, &keys, &calls, 900);
        assert!(seen.contains_key(&403) && seen.keys().any(|status| *status < 300), "{seen:?}");
        vendor.done("revoke gone --yes --confirm gone");
        assert!(load(&vendor, &keys, &calls, 90).contains_key(&401));
        for name in ["a", "b", "c"] {
            let seen = vendor.keys_as(&managing, &format!("create -q --name {name} --perm read")).done();
            assert_eq!(seen.code, 0, "{}", seen.stderr);
        }
        assert_eq!(vendor.keys_as(&managing, "revoke b --yes").done().code, 0);
        vendor.operate("serve workspace grant-credits", "250 --kind bonus --expires 30d");
        (admin, reader, maker) = (id(&vendor, "admin"), id(&vendor, "reader"), id(&vendor, "maker"));
        credits = vendor.done("credits --json").data();
        of_reader = vendor.done("usage reader --json").data();
        of_idle = vendor.done("usage idle --json").data();
        // The last that counts is whoever asks.
        usage = vendor.keys_as(&keys[0], "usage --json").done().data();
    }

    let log = noted(&server.stop());
    // Who is not let in counts for nothing, and the admin's key is without limits.
    let counts = |of: &&Noted| of.key != admin && of.status != 401;
    let counted = log.iter().filter(|of| of.call.contains("/leadlex/")).filter(counts).count();
    assert!(counted > 700, "{counted}");
    assert_eq!(usage["today"]["calls"], counted);
    assert_eq!(usage["per_day"]["remaining"], 5000 - counted);
    // What changed, and who changed it.
    let (mut by_key, mut by_action) = (BTreeMap::<&str, u64>::new(), BTreeMap::<&str, u64>::new());
    for of in log.iter().filter(|of| of.status < 300) {
        let action = match of.call.split_once("/leadlex/v1/api-keys") {
            Some(("POST ", "")) => "api_keys.create",
            Some(("DELETE ", _)) => "api_keys.delete",
            _ => continue,
        };
        *by_key.entry(&of.key).or_default() += 1;
        *by_action.entry(action).or_default() += 1;
    }
    assert_eq!(by_key[maker.as_str()], 4);
    let told = |list: &str, name: &str| -> BTreeMap<String, u64> {
        let list = usage[list].as_array().unwrap().iter();
        list.map(|of| (of[name].as_str().unwrap().to_owned(), of["calls"].as_u64().unwrap())).collect()
    };
    let owned = |of: BTreeMap<&str, u64>| -> BTreeMap<String, u64> {
        of.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    };
    let changes: u64 = by_key.values().sum();
    assert_eq!((told("keys", "id"), told("endpoints", "endpoint")), (owned(by_key), owned(by_action)));
    assert_eq!(usage["days"][29]["calls"], changes);
    // When a key was last used, in whole seconds.
    let times: Vec<&str> = log.iter().filter(|of| of.key == reader).map(|of| &of.time[..19]).collect();
    let last = of_reader["last_used_at"].as_str().unwrap();
    assert!(times[0] <= &last[..19] && &last[..19] <= *times.last().unwrap(), "{last}");
    assert_eq!(of_idle["last_used_at"], json!(null));
    // What was granted, for the price of one request.
    assert_eq!(credits["balance"], 1250);
    let of_credits = log.iter().filter(|of| of.key == admin && of.call == "GET /leadlex/v1/settings").count();
    assert_eq!(of_credits, 3, "once for the credits, and once for each report");
}

#[test]
fn what_is_left_to_spend_on_contactlevel_is_told_to_the_unit() {
    let place = Place::new();
    let mut server = Server::start(&place);
    let credits;
    {
        let vendor = Vendor::new(&place, &server, "contactlevel", "--monthly-credits 5000");
        vendor.operate("serve workspace grant-credits", "100 --kind bonus --expires 30d");
        vendor.operate("serve workspace grant-credits", "40");
        let keys: Vec<String> = ["one", "two", "gone"].map(|name| vendor.create(&format!("--name {name}"))).into();
        let calls = [
            ("POST", "/api/contacts/create"),
            ("POST", "/authorize/api/contacts/create"),
            ("GET", "/api/credits"),
            ("GET", "/authorize/api/credits"),
            ("POST", "/api/audiences/create"),
            ("GET", "/api/keys"),
            ("GET", "/authorize/api/anything/else"),
        ];
        let seen = load(&vendor, &keys, &calls, 600);
        assert!(seen.keys().all(|status| *status < 300), "{seen:?}");
        vendor.done("revoke gone --yes --confirm gone");
        assert!(load(&vendor, &keys, &calls, 90).contains_key(&401));
        credits = vendor.done("credits --json").data();
        let said = format!("{} credits are left, fewer than 5000", credits["balance"]);
        low(&vendor, "credits --fail-below 5000", &said);
    }
    let costs =
        |of: &&Noted| of.call.contains("/contactlevel/") && of.status != 401 && !of.call.ends_with("/api/credits");
    let cost = noted(&server.stop()).iter().filter(costs).count();
    assert!(cost > 400, "{cost}");
    // What ends first is spent first, and what was bought last.
    assert_eq!((&credits["bonus"], &credits["purchased"]), (&json!(0), &json!(40)));
    assert_eq!(credits["subscription"], 5100 - cost);
    assert_eq!(credits["balance"], 5140 - cost);
}

#[test]
fn what_nexus_does_not_count_is_said_in_a_sentence() {
    let place = Place::new();
    let fake = Fake::untouched();
    for (line, said) in [
        ("usage", "error: Nexus does not count calls: `keys list` tells when each key was last used\n"),
        (
            "usage ci --fail-below 10%",
            "error: Nexus does not count calls: `keys list` tells when each key was last used\n",
        ),
        ("credits", "error: Nexus has no credits: no call costs any\n"),
    ] {
        let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "nexus");
        let seen = run.env("KEYS_API_URL", fake.url()).env("KEYS_API_KEY", "whatever").done();
        assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (5, "", said));
    }
}

#[test]
fn a_leadlex_workspace_at_the_end_of_its_day() {
    let place = Place::new();
    let server = Server::start(&place);
    // As many calls a day as on the plan `pro`, whose fifty a minute would take twenty minutes to get there.
    let vendor = Vendor::new(&place, &server, "leadlex", "--plan enterprise --per-day 1000 --per-minute 100000");
    let reader = vendor.create("--name reader --perm read");
    for number in 0..950 {
        let path = if number % 2 == 0 { "/v1/contacts" } else { "/authorize/v1/contacts" };
        assert!(vendor.call(&reader, "GET", path) < 300);
    }
    // The admin's key is without limits: what it asks takes nothing.
    low(&vendor, "usage --fail-below 10%", "50 of 1000 calls are left today, fewer than 10%");
    vendor.done("usage --fail-below 5%");
    vendor.done("usage --fail-below 1%");
    low(&vendor, "usage --fail-below 51", "50 of 1000 calls are left today, fewer than 51");
    vendor.done("usage --fail-below 50");
    // Any other key's own questions count: who calls, the keys, and the log of changes.
    let seen = vendor.keys_as(&reader, "usage --fail-below 10%").done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    assert!(seen.stderr.starts_with("error: 47 of 1000 calls are left today"), "{}", seen.stderr);
    assert!(seen.stdout.contains("47 of 1000 left"), "{}", seen.stdout);
    assert_eq!(vendor.keys_as(&reader, "usage --fail-below 1%").done().code, 0);

    place.write("key", format!("{}\n", vendor.manager));
    for columns in [120, 80, 40] {
        let line = format!(
            "export LC_ALL=C.UTF-8 KEYS_PROVIDER=leadlex KEYS_API_URL={} KEYS_API_KEY=$(cat key); keys usage",
            vendor.url()
        );
        let (code, screen) = Pty::sized(&place, &line, columns).done();
        assert_eq!(code, 0, "{screen}");
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("44 of 1000 left, resets in "), "{screen}");
        assert!(words.contains("Note LeadLex tells how many calls are left today; days, actions and keys"), "{screen}");
        assert_eq!(screen.contains("Today      █░░"), columns > 40, "{screen}");
        // Nothing is said of what nobody told.
        assert!(!screen.contains("Minute") && !screen.contains("Errors"), "{screen}");
    }
}

#[test]
fn the_audit_log_of_leadlex_is_filtered() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    vendor.create("--name one --perm read");
    vendor.create("--name two --perm read");
    vendor.done("revoke one --yes");
    vendor.operate("serve workspace grant-credits", "250");
    let one = id(&vendor, "one");
    let actions = |line: &str| -> Vec<String> {
        let seen = vendor.done(&format!("audit --json {line}")).data();
        seen.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    };
    let all = actions("");
    assert_eq!(
        all,
        [
            "billing.update",
            "billing.update",
            "api_keys.delete",
            "api_keys.create",
            "api_keys.create",
            "api_keys.create"
        ],
        "the first is the month's, and the last the admin's own"
    );
    assert_eq!(actions("--limit 2"), all[..2]);
    for (line, count) in [
        ("--action create", 3),
        ("--action api_key.create", 3),
        ("--action api_keys.create", 3),
        ("--action update", 2),
        ("--action billing.update", 2),
        ("--action api_key.update", 0),
        ("--action revoke", 1),
        ("--action delete", 1),
        ("--action login", 0),
        ("--action api_access", 0),
        ("--since 1h", 6),
        ("--until 2020-01-01", 0),
        ("--until 1h", 0),
        ("--since 30d --action create", 3),
        ("--key two", 1),
    ] {
        assert_eq!(actions(line).len(), count, "{line}");
    }
    assert_eq!(actions(&format!("--key {one}")), ["api_keys.delete", "api_keys.create"]);
    vendor.refused("audit --action nonsense", 2, "create, update, delete, login, api_access");
    vendor.refused("audit --since 30m --until 1h", 2, "nothing lies between");
    // LeadLex tells the ids of those who did it: their names are in the list of keys.
    let log = vendor.done("audit --json").data();
    let actors: Vec<&Value> = log.as_array().unwrap().iter().map(|entry| &entry["actor_name"]).collect();
    assert_eq!(actors, ["service", "operator", "admin", "admin", "admin", "operator"]);
    let reader = vendor.create("--name reader --perm read");
    assert_eq!(vendor.keys_as(&reader, "audit --limit 1").done().code, 0);
}

#[test]
fn the_audit_log_of_nexus_is_narrowed_to_a_time_that_it_does_not_take() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::nexus(&place, &server);
    vendor.create("--name one");
    let count = |line: &str| vendor.done(&format!("audit --json {line}")).data().as_array().unwrap().len();
    assert!(count("") >= 2);
    assert_eq!(count("--since 1h"), count(""));
    assert_eq!(count("--until 2020-01-01"), 0);
    assert_eq!(count("--since 1h --key one"), 1);
}

#[test]
fn who_follows_the_audit_log_of_a_vendor_sees_a_change_as_it_is_made() {
    for name in ["leadlex", "nexus"] {
        let place = Place::new();
        let server = Server::start(&place);
        let vendor =
            if name == "nexus" { Vendor::nexus(&place, &server) } else { Vendor::new(&place, &server, name, "") };
        let permission = if name == "nexus" { "leads.read" } else { "read" };
        let mut following = vendor.keys("audit --follow --limit 3 --action create --format jsonl").start();
        // Nobody knows when it has begun: changes are made until it has seen three.
        let (mut made, begun) = (0, Instant::now());
        while !following.ends_within(Duration::from_millis(300)) {
            assert!(begun.elapsed() < HANGS, "it sees nothing");
            vendor.create(&format!("--name key-{made} --perm {permission}"));
            made += 1;
        }
        let seen = following.done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        let number = |line: &str| -> i32 {
            let entry: Value = serde_json::from_str(line).unwrap();
            let name = entry["details"]["created"]["name"].as_str().unwrap().to_owned();
            name.strip_prefix("key-").and_then(|number| number.parse().ok()).unwrap_or(-1)
        };
        let mut numbers: Vec<i32> = seen.stdout.lines().map(number).collect();
        assert_eq!(numbers.len(), 3, "{}", seen.stderr);
        // A time in whole seconds takes in what was made in the second before.
        numbers.retain(|number| *number >= 0);
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "oldest first, and none left out: {numbers:?}");
    }
}

#[test]
fn a_look_takes_longer_where_calls_are_few() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "--plan starter");
    let reader = vendor.create("--name reader --perm read");
    place.write("key", reader);
    for line in ["audit --follow", "usage --watch"] {
        let line = format!(
            "export KEYS_PROVIDER=leadlex KEYS_API_URL={} KEYS_API_KEY=$(cat key); keys {line} 2>&1 >/dev/null",
            vendor.url()
        );
        let pty = Pty::shell(&place, &line);
        pty.expect("a look takes of the 100 calls a day");
    }
}

#[test]
fn what_a_check_cannot_see_on_a_vendor_is_said_once() {
    for (name, unseen) in [
        ("leadlex", ["the credential's own end (the service does not", "needless permissions (LeadLex tells how many"]),
        (
            "nexus",
            ["usage, quota and needless permissions (Nexus does not count calls", "credits (Nexus has no credits"],
        ),
        ("contactlevel", ["usage, quota and needless permissions (ContactLevel does not count", ""]),
    ] {
        let place = Place::new();
        let server = Server::start(&place);
        let vendor =
            if name == "nexus" { Vendor::nexus(&place, &server) } else { Vendor::new(&place, &server, name, "") };
        let permission = match name {
            "leadlex" => "--perm admin:api_keys --perm read",
            "nexus" => "--perm leads.read",
            _ => "",
        };
        let made = vendor.create(&format!("--name ending --expires 3d {permission}"));
        for twin in ["ci-worker", "CI_Worker"] {
            vendor.create(&format!("--name {twin} {permission}"));
        }
        // Its changes are no calls that would need less than it holds.
        if name == "leadlex" {
            assert_eq!(vendor.keys_as(&made, "create -q --name of-ending --perm read").done().code, 0);
            let old = "UPDATE api_keys SET created_at = created_at - 30 * 86400000000 WHERE name = 'ending'";
            server.sqlite("the keys of `check`", old);
        }
        place.write("policy.toml", "credits-below = 500\nrequire-expiry = true\nnever-used = false\n");
        let seen = vendor.keys("check --policy policy.toml --json").done();
        assert_eq!(seen.code, 12, "{}", seen.stderr);
        for what in unseen {
            assert_eq!(
                seen.stderr.matches(&format!("not checked: {what}")).count().min(1),
                1,
                "{name}: {}",
                seen.stderr
            );
        }
        let expected = unseen.iter().filter(|what| !what.is_empty()).count();
        assert_eq!(seen.stderr.matches("not checked: ").count(), expected, "{name}: {}", seen.stderr);
        let whole: Value = serde_json::from_str(&seen.stdout).unwrap();
        let found = whole["data"].as_array().unwrap();
        let of = |rule: &str| found.iter().filter(|finding| finding["rule"] == rule).collect::<Vec<_>>();
        assert_eq!(of("over-privileged").len(), 0, "{found:?}");
        assert_eq!((of("expiring").len(), of("expiring")[0]["key"].as_str()), (1, Some("ending")), "{found:?}");
        assert_eq!(of("duplicate").len(), 1);
        assert!(of("duplicate")[0]["mend"].as_str().unwrap().starts_with("keys "));
        // No vendor changes when a key ends, so no command says that it would.
        assert!(of("no-expiry").len() >= 2 && of("no-expiry").iter().all(|of| of["mend"].is_null()), "{found:?}");
    }
}

#[test]
fn a_vendor_that_revokes_for_good_is_asked_for_it_with_that_said() {
    for (name, is_final) in [("leadlex", true), ("nexus", false), ("contactlevel", true)] {
        let place = Place::new();
        let server = Server::start(&place);
        let vendor =
            if name == "nexus" { Vendor::nexus(&place, &server) } else { Vendor::new(&place, &server, name, "") };
        let permission = match name {
            "leadlex" => "--perm read",
            "nexus" => "--perm leads.read",
            _ => "",
        };
        for twin in ["ci-worker", "CI_Worker"] {
            vendor.create(&format!("--name {twin} {permission}"));
        }
        place.write("key", &vendor.manager);
        let shell = |line: &str| {
            let variables = format!("KEYS_PROVIDER={name} KEYS_API_URL={}", vendor.url());
            Pty::shell(&place, &format!("export {variables} KEYS_API_KEY=$(cat key); keys {line}"))
        };
        for line in ["revoke ci-worker", "check --fix"] {
            let mut pty = shell(line);
            pty.expect("Revoke? [y/N]");
            pty.type_in("n\r");
            let (code, screen) = pty.done();
            assert_eq!(code, 13, "{screen}");
            assert_eq!(screen.contains("This cannot be undone: the service revokes for good."), is_final, "{screen}");
        }
        let seen = vendor.keys("check --fix --yes --max 1").done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        assert!(seen.stderr.contains("Revoked key `"), "{}", seen.stderr);
        assert_eq!(seen.stderr.contains("This cannot be undone"), is_final, "{}", seen.stderr);
        // Made within one second, either may be the older.
        let mut states =
            ["ci-worker", "CI_Worker"].map(|name| vendor.show(name)["status"].as_str().unwrap().to_owned());
        states.sort();
        assert_eq!(states, ["active", "revoked"]);
    }
}

#[test]
fn callers_of_leadlex_do_not_see_each_others_names_at_tab() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let other = vendor.create("--name other --perm admin:api_keys --perm read");
    vendor.create("--name hidden --perm read");
    let offered = |key: &str| -> Vec<String> {
        let run = place.keys(["__complete", "fish", "keys", "show", ""]).env("KEYS_PROVIDER", "leadlex");
        let seen = run.env("KEYS_API_URL", vendor.url()).env("LEADLEX_API_KEY", key).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
        let mut names: Vec<String> =
            seen.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
        names.sort();
        names.retain(|name| ["admin", "hidden", "other"].contains(&name.as_str()));
        names
    };
    vendor.done("list");
    assert_eq!(offered(&vendor.manager), ["admin", "hidden", "other"]);
    assert_eq!(offered(&other), [""; 0]);
    assert_eq!(vendor.keys_as(&other, "show other").done().code, 0);
    assert_eq!(offered(&other), ["other"]);
    assert_eq!(offered(&vendor.manager), ["admin", "hidden", "other"]);
    // What names the files tells nobody what the keys are.
    let kept = crate::support::modes(&place.path("home/.cache/keys"));
    assert!(kept.iter().all(|(name, _)| !name.contains("wbk")), "{kept:?}");
}
