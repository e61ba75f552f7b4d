//! What `-v` and `-vv` say of requests, and what they never say.

use snapbox::str;

use crate::support::{Fake, NOBODYS, Place, Server, answer, json_answer};

/// Replaces how long something took.
fn without_times(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    for at in 1..words.len() {
        if words[at].starts_with("ms") {
            words[at - 1] = "[TIME]";
        }
    }
    words.join(" ")
}

#[test]
fn a_line_for_each_request_and_one_for_its_answer() {
    let place = Place::new();
    let server = Server::start(&place);
    let mut seen = server.keys(&server.admin, "create --name ci --perm admin:api_keys -v --to file:key").done();
    seen.stderr = without_times(&seen.stderr);
    seen.shows(str![[r#"
exit 0
--- stderr
[1] > POST http://[HOST]/v1/api-keys
[1] < 201 in [TIME] ms, 404 bytes, [REQUEST]
Created key `ci` ([ID])
  permissions  admin:api_keys
  expires      never
  written to   file:key
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys revoke [ID]

"#]]);
    place.local("list -v").shows(str![[r#"
exit 0
--- stderr
The profile `local` sends nothing over a network: there is no exchange to show
No keys to show

"#]]);
}

#[test]
fn an_exchange_is_shown_whole_but_for_its_secrets() {
    let place = Place::new();
    let server = Server::start(&place);
    let once = "an-idempotency-key-of-my-own";
    let create = format!("create --name ci --perm admin:api_keys --idempotency-key {once} --to file:key -vv");
    let created = server.keys(&server.admin, &create).done();
    assert_eq!(created.code, 0, "{}", created.stderr);
    let plain = place.read("key").trim().to_owned();
    let looked_up = server.keys(&server.admin, "lookup -vv --json").input(&plain).done();
    assert_eq!(looked_up.data()["name"], "ci");
    let whoami = server.keys(&plain, "whoami -vv").done();
    let unknown = server.keys(NOBODYS, "list -vv").done();
    for (seen, shown) in [
        (
            &created,
            [r#"> {"name":"ci","permissions":["admin:api_keys"]}"#, r#""key":"…""#, "> idempotency-key: an-ide…"],
        ),
        (&looked_up, ["> POST ", r#"> {"key":"…"}"#, r#""name":"ci""#]),
        (&whoami, ["> GET ", "< content-type: application/json", r#""identity":"key""#]),
        (&unknown, ["> authorization: Bearer wbk_01234567…", "< 401 in ", r#""code":"invalid_key""#]),
    ] {
        for text in shown {
            assert!(seen.stderr.contains(text), "{text} is not in {}", seen.stderr);
        }
        let said = format!("{}{}", seen.stderr, seen.stdout);
        for secret in [&plain, &server.admin, NOBODYS] {
            assert!(!said.contains(&secret[12..]), "{said}");
        }
        assert!(!said.contains(once), "{said}");
        assert!(said.contains("authorization: Bearer wbk_"), "{said}");
    }
}

#[test]
fn nothing_of_what_a_service_says_gets_through_by_the_way() {
    let place = Place::new();
    let opaque = "an opaque plaintext of a vendor";
    let body = format!(r#"{{"data":{{"key":"{opaque}","note":"{opaque}"}},"told":"{NOBODYS}\u001b[2J"}}"#);
    let headers = format!("x-secret: {NOBODYS}\r\nset-cookie: session=abc\r\n");
    let run = |answer: Vec<u8>| {
        let fake = Fake::answering(answer);
        let run = place.keys(["create", "--name", "ci", "--perm", "read", "-vv", "--max-wait", "0s"]);
        run.env("KEYS_API_URL", fake.url()).env("KEYS_API_KEY", NOBODYS).done().stderr
    };
    for answer in [
        answer(201, &headers, &body),
        answer(500, &headers, &body),
        json_answer(201, &body[..60]),
        json_answer(418, opaque),
    ] {
        let said = run(answer);
        assert!(said.contains("[1] < "), "{said}");
        for secret in [opaque, &NOBODYS[12..], "session=abc", "\u{1b}"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn a_request_without_an_answer_is_said_too() {
    let place = Place::new();
    let fake = Fake::new(|_| None);
    let run = place.keys(["list", "-v", "--json", "--max-wait", "0s"]);
    let seen = run.env("KEYS_API_URL", fake.url()).env("KEYS_API_KEY", NOBODYS).done();
    let lines: Vec<&str> = seen.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("[1] > GET http://127.0.0.1:"), "{lines:?}");
    assert!(lines[1].starts_with("[1] < nothing after "), "{lines:?}");
    let error: serde_json::Value = serde_json::from_str(lines[2]).expect("the last line is the object");
    assert_eq!(error["error"]["exit"], 8);
    place.keys(["list", "-v", "-q"]).env("KEYS_API_KEY", NOBODYS).shows(str![[r#"
exit 2
--- stderr
error: the argument '--verbose...' cannot be used with '--quiet'

Usage: keys list --verbose...

For more information, try '--help'.

"#]]);
}
