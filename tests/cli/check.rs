//! `keys check`: a workspace with one of each fault, and a policy of a team.

use serde_json::Value;

use crate::support::{Fake, NOBODYS, Place, Server, json_answer, leave_out};

/// Keys of every kind, their times moved into the past.
fn seed(server: &Server<'_>) -> bool {
    for (name, permissions) in
        [("old", "read:contacts"), ("idle", "read:contacts"), ("virgin", "read:contacts"), ("good", "read:contacts")]
    {
        server.create(name, permissions);
    }
    let admin = &server.admin;
    let seen = server.keys(admin, "create -q --name trial --perm read:contacts --temp").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let seen = server.keys(admin, "create -q --name ending --perm read:contacts --expires 3d").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    server.create("ci-worker", "read:contacts");
    server.create("CI_Worker", "read:contacts");
    let statements = "
        UPDATE api_keys SET last_used_at = created_at WHERE name IN ('old', 'good', 'ending', 'ci-worker', 'CI_Worker');
        UPDATE api_keys SET created_at = created_at - 100 * 86400000000 WHERE name = 'old';
        UPDATE api_keys SET last_used_at = created_at - 95 * 86400000000, created_at = created_at - 10 * 86400000000 WHERE name = 'idle';
        UPDATE api_keys SET created_at = created_at - 10 * 86400000000 WHERE name = 'virgin';
        UPDATE api_keys SET created_at = created_at - 86400000000 WHERE name = 'ci-worker';
    ";
    server.sqlite("the keys of `check`", statements).is_some()
}

fn rules(found: &Value) -> Vec<String> {
    let rule = |finding: &Value| {
        format!("{} {}", finding["rule"].as_str().unwrap(), finding["key"].as_str().unwrap_or("the workspace"))
    };
    found.as_array().unwrap().iter().map(rule).collect()
}

#[test]
fn each_fault_of_a_seeded_workspace_is_found_and_nothing_else() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    let seen = server.keys(&admin, "check").done();
    assert_eq!((seen.code, seen.stderr.as_str()), (0, "1 key checked, nothing found\n"));
    if !seed(&server) {
        return;
    }
    let seen = server.keys(&admin, "check --json").done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    let whole: Value = serde_json::from_str(&seen.stdout).unwrap();
    let expected = [
        "over-age old",
        "expiring ending",
        "unused idle",
        "never-used virgin",
        "duplicate ci-worker",
        "temporary-left trial",
    ];
    assert_eq!(rules(&whole["data"]), expected);
    assert_eq!(whole["data"][2]["mend"], format!("keys revoke {}", server.id("idle")));
    let endless = server.keys(&admin, "check --require-expiry --format jsonl").done();
    assert_eq!(endless.stdout.matches("\"no-expiry\"").count(), 7, "{}", endless.stdout);

    let policy = "max-age = \"200d\"\nexpiring = false\nignore = [\"i*\", \"virgin\"]\noff = [\"duplicate\", \"temporary-left\"]\n";
    place.write("keys-policy.toml", policy);
    assert_eq!(server.keys(&admin, "check --policy keys-policy.toml").done().code, 0);
    let seen = server.keys(&admin, "check --policy keys-policy.toml --max-age 60d --json").done();
    let whole: Value = serde_json::from_str(&seen.stdout).unwrap();
    assert_eq!(rules(&whole["data"]), ["over-age old"]);
    place.write("keys-policy.toml", "max_age = \"1d\"\n");
    let seen = server.keys(&admin, "check --policy keys-policy.toml").done();
    assert_eq!(seen.code, 2, "{}", seen.stderr);
    assert!(seen.stderr.contains("there is no `max_age`"), "{}", seen.stderr);
}

#[test]
fn a_workspace_with_one_of_each_fault_has_exactly_those() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    let database = format!("sqlite:{}", place.path("service.db").display());
    let line = "serve workspace set-plan Acme enterprise --per-day 100 --per-minute 1000 --database";
    assert_eq!(place.keys(line.split(' ')).arg(&database).done().code, 0);
    if !seed(&server) {
        return;
    }
    server.create("endless", "read:contacts");
    // Both are called; one holds more than its calls need, and one is refused what it asks for.
    for (name, permissions) in [("wide", "read:contacts,write:deals"), ("narrow", "read:contacts,read:lists")] {
        let key = server.create(name, permissions);
        for _ in 0..30 {
            assert_eq!(server.call(&key, "GET", "/v1/contacts"), 200);
        }
        if name == "narrow" {
            assert_eq!((server.call(&key, "GET", "/v1/lists"), server.call(&key, "GET", "/v1/campaigns")), (200, 403));
        }
    }
    let statements = "
        UPDATE api_keys SET expires_at = created_at + 200 * 86400000000 WHERE expires_at IS NULL AND name <> 'endless';
        UPDATE api_keys SET expires_at = created_at + 5 * 86400000000 WHERE name = 'admin';
        UPDATE api_keys SET last_used_at = created_at WHERE name = 'endless';
        UPDATE api_keys SET created_at = created_at - 10 * 86400000000 WHERE name IN ('wide', 'narrow');
    ";
    server.sqlite("a workspace with each fault", statements);
    let policy = "require-expiry = true\nquota-below = \"40%\"\ncredits-below = 950\n";
    place.write("policy.toml", policy);
    let seen = server.keys(&admin, "check --policy policy.toml --json").done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    let whole: Value = serde_json::from_str(&seen.stdout).unwrap();
    let expected = [
        "credential-expiring admin",
        "over-age old",
        "expiring ending",
        "no-expiry endless",
        "unused idle",
        "never-used virgin",
        "over-privileged wide",
        "duplicate ci-worker",
        "temporary-left trial",
        "quota-low the workspace",
        "credits-low the workspace",
    ];
    assert_eq!(rules(&whole["data"]), expected);
    let mends: Vec<&str> =
        whole["data"].as_array().unwrap().iter().filter_map(|finding| finding["mend"].as_str()).collect();
    assert_eq!(mends[6], format!("keys edit {} --remove-perm write:deals", server.id("wide")));
    // Each that is named mends its finding, but for the key that asks.
    for mend in mends.iter().filter(|mend| !mend.contains("rotate")) {
        let words = mend.strip_prefix("keys ").unwrap();
        let id = words.split(' ').nth(1).unwrap();
        let seen = server.keys(&admin, &format!("{words} --yes")).done();
        // A key that is in use wants its name besides.
        let seen =
            if seen.code == 13 { server.keys(&admin, &format!("{words} --yes --confirm {id}")).done() } else { seen };
        assert_eq!(seen.code, 0, "{mend}: {}", seen.stderr);
    }
    let seen = server.keys(&admin, "check --policy policy.toml --json").done();
    let whole: Value = serde_json::from_str(&seen.stdout).unwrap();
    let left: Vec<&str> = ["credential-expiring admin", "over-age old", "expiring ending"]
        .into_iter()
        .chain(["quota-low the workspace", "credits-low the workspace"])
        .collect();
    assert_eq!(rules(&whole["data"]), left);
}

#[test]
fn what_may_not_be_seen_is_said_once_and_not_failed_on() {
    let place = Place::new();
    let key = r#"{"id":"key_000000000001","name":"old","prefix":"wbk_00000000","permissions":["read"],"tier":"standard","status":"active","temporary":false,"created_at":"2020-01-01T00:00:00Z","last_used_at":"2020-01-01T00:00:00Z"}"#;
    let list = format!(r#"{{"data":[{key}],"meta":{{"page":1,"per_page":1000,"total":1}}}}"#);
    let refused = r#"{"error":{"code":"insufficient_permissions","message":"Missing required permission: read","request_id":"req_0123456789abcdef01234567"}}"#;
    let fake = Fake::new(move |request| {
        let is_list = request.starts_with("GET /v1/api-keys?");
        Some(if is_list { json_answer(200, &list) } else { json_answer(403, refused) })
    });
    place.write("policy.toml", "credits-below = 5\nunused = false\n");
    let run = place.keys(["check", "--policy", "policy.toml"]).env("KEYS_API_URL", fake.url());
    let seen = run.env("KEYS_API_KEY", NOBODYS).done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    assert!(seen.stdout.starts_with("over-age\told\t") && seen.stdout.lines().count() == 1, "{}", seen.stdout);
    for hidden in ["the credential's own end", "usage, quota and needless permissions", "credits ("] {
        assert_eq!(seen.stderr.matches(&format!("warning: not checked: {hidden}")).count(), 1, "{}", seen.stderr);
    }
    assert_eq!(fake.requests().len(), 4);
}

/// The names of the keys that still work.
fn active(server: &Server<'_>) -> Vec<String> {
    let seen = server.keys(&server.admin, "list --sort name --json --jq .data[].name").done();
    seen.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn what_is_found_is_rotated_and_revoked_once_somebody_agrees() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    if !seed(&server) {
        return;
    }
    let before = server.everything();
    std::fs::create_dir(place.path("new")).unwrap();
    let fix = "check --fix --to file:new/{name} --expiring 7d";
    // Without consent: the findings, the plan, and no more.
    for (line, code) in [
        (fix.to_owned(), 13),
        (format!("{fix} --yes"), 13),
        (format!("{fix} --max 9"), 13),
        (format!("{fix} --yes --max 5"), 13),
        (format!("{fix} --yes --max 9").replace("{name}", "one"), 2),
        ("check --fix --yes --max 9".to_owned(), 2),
        (format!("{fix} --dry-run"), 12),
        ("check --dry-run".to_owned(), 2),
    ] {
        let seen = server.keys(&admin, &line).done();
        assert_eq!(seen.code, code, "{line}: {}", seen.stderr);
        assert!(code == 2 || seen.stderr.contains("Would rotate `ending`"), "{line}: {}", seen.stderr);
        assert!(code == 2 || seen.stdout.contains("over-age"), "{line}: {}", seen.stdout);
        assert_eq!(server.everything(), before, "{line}");
    }
    let seen = server.keys(&admin, &format!("{fix} --yes --max 6")).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert_eq!(active(&server), ["admin", "CI_Worker", "ending", "good", "old"]);
    for name in ["ending", "old"] {
        let secret = place.read(&format!("new/{name}"));
        assert_eq!(
            server.keys(&admin, "lookup --json --jq .data.name").input(secret.trim()).done().stdout.trim(),
            name
        );
    }
    let reason = server.keys(&admin, "show idle --json --jq .data.revoked_reason").done();
    assert_eq!(reason.stdout, "keys check\n");
    let seen = server.keys(&admin, "check --expiring 1h").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
}

#[test]
fn what_only_a_person_can_mend_is_left() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    server.create("ci", "read");
    let policy = "require-expiry = true\nnever-used = false\noff = [\"no-expiry\"]\nmax-age = \"1d\"\n";
    place.write("policy.toml", policy);
    if server.sqlite("old keys", "UPDATE api_keys SET created_at = created_at - 2 * 86400000000;").is_none() {
        return;
    }
    // The key that asks is found and not touched.
    let line = "check --fix --policy policy.toml --to file:{id} --yes --max 5 --grace 1h";
    let seen = server.keys(&admin, line).done();
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    assert!(seen.stderr.contains("Would leave 1 finding to you"), "{}", seen.stderr);
    assert!(seen.stderr.contains("error: 1 finding is left"), "{}", seen.stderr);
    assert_eq!(server.keys(&admin, "whoami").done().code, 0);
    let mut pty = crate::support::Pty::shell(
        &place,
        "keys -p local create -q --name a --perm read --temp --to file:a; keys -p local check --fix",
    );
    pty.expect("Would revoke `a`");
    pty.expect("Revoke? [y/N]");
    pty.type_in("n\r");
    let (code, screen) = pty.done();
    assert_eq!(code, 13, "{screen}");
    assert_eq!(place.local("show a --json --jq .data.status").done().stdout, "active\n");
}

#[test]
fn what_programs_read_of_findings() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    if !seed(&server) {
        return;
    }
    let hostile = "<a & \"b\"> ]]> \u{e9}";
    let seen = server.keys(&admin, "create -q --perm read:contacts --expires 2d --name").arg(hostile).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let junit = server.keys(&admin, "check --format junit").done();
    assert_eq!(junit.code, 12);
    place.write("keys.xml", &junit.stdout);
    let script = "import sys, xml.etree.ElementTree as tree
root = tree.parse('keys.xml').getroot()
cases = root.findall('.//testcase')
failed = [case for case in cases if case.find('failure') is not None]
assert int(root.get('tests')) == len(cases) and int(root.get('failures')) == len(failed), root.attrib
print(len(cases), len(failed), any('<a & \"b\"> ]]>' in case.find('failure').text for case in failed))";
    let seen = place.run(vec!["python3".to_owned(), "-c".to_owned(), script.to_owned()]).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "11 6 True\n"), "{}", seen.stderr);

    let sarif = server.keys(&admin, "check --format sarif").done();
    let sarif: Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
    }
    by_the_model_of_sarif(&place, &sarif);
    let uris = |options: &str| {
        let sarif: Value =
            serde_json::from_str(&server.keys(&admin, &format!("check --format sarif{options}")).done().stdout)
                .unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        let uri = |result: &Value| {
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned()
        };
        let mut uris: Vec<String> = results.iter().map(uri).collect();
        uris.dedup();
        uris
    };
    assert_eq!(uris(""), ["keys-policy.toml"], "where it would be");
    std::fs::create_dir(place.path("conf")).unwrap();
    let policy = place.write("conf/pol%1#ü.toml", "max-age = \"90d\"\n");
    assert_eq!(uris(" --policy conf/pol%1#ü.toml"), ["conf/pol%251%23%C3%BC.toml"]);
    let whole = uris(&format!(" --policy {}", policy.display()));
    assert!(whole[0].starts_with("file:///") && whole[0].ends_with("/conf/pol%251%23%C3%BC.toml"), "{whole:?}");
    let refused = server.keys(&admin, "list --format sarif").done();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
}

#[test]
fn who_may_only_look_can_check() {
    let place = Place::new();
    let server = Server::start(&place);
    let reader = server.create("reader", "read");
    let seen = server.keys(&reader, "check").done();
    assert_eq!((seen.code, seen.stderr.as_str()), (0, "2 keys checked, nothing found\n"));
    let none = server.create("none", "lexi");
    assert_eq!(server.keys(&none, "check").done().code, 5);
}

/// Reads it with classes that are generated from the schema of SARIF 2.1.0 and refuse what is not in it.
#[expect(clippy::disallowed_methods, reason = "where they are installed is for those who run the tests to say")]
fn by_the_model_of_sarif(place: &Place, sarif: &Value) {
    let Ok(python) = std::env::var("KEYS_TEST_SARIF") else {
        return leave_out("pydantic-sarif", "findings read by a model of SARIF");
    };
    let script = "import json, sys
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif
Sarif.model_validate(json.load(sys.stdin))";
    let read = |sarif: &Value| {
        place.run(vec![python.clone(), "-c".to_owned(), script.to_owned()]).input(sarif.to_string()).done()
    };
    let seen = read(sarif);
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    let mut wrong = sarif.clone();
    wrong["runs"][0]["results"][0]["levl"] = "warning".into();
    assert_ne!(read(&wrong).code, 0, "it takes everything");
}
