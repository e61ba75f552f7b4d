//! `keys check`: a workspace with one of each fault, and a policy of a team.

use serde_json::Value;

use crate::support::{Place, Server, leave_out};

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
