//! What vendors do that their documents do not say: other shapes, missing parts, fields nobody knows.

use serde_json::{Value, json};

use super::scene::refused;
use crate::support::{Fake, Place, Run, answer, json_answer};

/// `keys` for a vendor at a hand-made server.
fn keys<'a>(place: &'a Place, fake: &Fake, provider: &str, line: &str) -> Run<'a> {
    let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", provider).env("KEYS_API_URL", fake.url());
    run.env("KEYS_API_KEY", "any_key")
}

fn saying(status: u16, body: &Value) -> Fake {
    Fake::answering(json_answer(status, &body.to_string()))
}

#[test]
fn an_error_is_read_in_three_shapes_and_in_none() {
    let place = Place::new();
    for (body, said) in [
        (r#"{"error":{"code":"odd","message":"Not like this"}}"#, "Not like this"),
        (r#"{"error":"Not like this"}"#, "Not like this"),
        (r#"{"detail":"Not like this"}"#, "Not like this"),
        (r#"{"detail":[{"loc":["body","name"],"msg":"Not like this"}]}"#, "name: Not like this"),
        ("<html>", "the service answered with status 400"),
        ("", "the service answered with status 400"),
    ] {
        for provider in ["leadlex", "nexus", "contactlevel"] {
            let fake = Fake::answering(json_answer(400, body));
            refused(keys(&place, &fake, provider, "list"), 2, said);
        }
    }
    let unknown = Fake::answering(answer(401, "", ""));
    let error = keys(&place, &unknown, "contactlevel", "list --json").done().error();
    assert_eq!((&error["code"], &error["exit"]), (&json!("invalid_key"), &json!(4)));
}

#[test]
fn a_key_is_made_with_200_as_with_201_and_what_nobody_knows_is_kept() {
    let place = Place::new();
    for status in [200, 201] {
        let made = json!({ "data": {
            "id": 42, "key": "wbk_live_plain", "prefix": "wbk_live", "name": "ci", "permissions": ["read"],
            "region": { "name": "eu" }, "expires_at": null,
        } });
        let fake = saying(status, &made);
        let seen = keys(&place, &fake, "leadlex", "create --name ci --perm read --json").done();
        let data = seen.data();
        assert_eq!((&data["id"], &data["secret"]), (&json!("42"), &json!("wbk_live_plain")));
        assert_eq!(data["region"], json!({ "name": "eu" }));
        assert_eq!((&data["expires_at"], &data["description"]), (&json!(null), &json!(null)));
        let sent = fake.requests().concat().to_lowercase();
        assert!(sent.contains("idempotency-key: "), "{sent}");
    }
    let fake = saying(201, &json!({ "key": { "id": "a", "name": "ci" }, "api_key": "opaque" }));
    assert_eq!(keys(&place, &fake, "contactlevel", "create --name ci").done().stdout, "opaque\n");
    assert!(fake.requests()[0].contains("x-api-key: any_key\r\n"), "{:?}", fake.requests());
    assert!(!fake.requests()[0].to_lowercase().contains("authorization"), "{:?}", fake.requests());
}

#[test]
fn a_key_without_its_plaintext_is_an_outcome_nobody_knows() {
    let place = Place::new();
    let fake = saying(201, &json!({ "data": { "id": "key_1", "name": "ci" } }));
    refused(keys(&place, &fake, "leadlex", "create --name ci --perm read"), 10, "it is not known whether");
}

/// Answers `GET /v1/api-keys?page=N` with the N-th of these pages, and what is beyond with the last.
fn pages(pages: Vec<Value>) -> Fake {
    Fake::new(move |request| {
        let number = request.split("page=").nth(1).and_then(|rest| rest.split(['&', ' ']).next()).unwrap();
        let number: usize = number.parse().unwrap();
        let page = pages.get(number - 1).or(pages.last()).unwrap();
        Some(json_answer(200, &page.to_string()))
    })
}

fn page(ids: std::ops::Range<usize>, meta: Option<Value>) -> Value {
    let keys: Vec<Value> =
        ids.map(|id| json!({ "id": format!("k{id}"), "name": format!("key {id:04}"), "created_at": "2026-01-01T00:00:00Z" })).collect();
    let mut page = json!({ "data": { "api_keys": keys } });
    if let Some(meta) = meta {
        page["meta"] = meta;
    }
    page
}

fn listed(fake: &Fake) -> Vec<String> {
    let place = Place::new();
    let seen = keys(&place, fake, "leadlex", "list --format jsonl --sort name --jq .name").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    seen.stdout.lines().map(|line| line.trim_matches('"').to_owned()).collect()
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("key {id:04}")).collect()
}

#[test]
fn pages_without_meta_are_read_until_one_is_empty_or_comes_again() {
    // A vendor may hold fewer on a page than it is asked for.
    let fake = pages(vec![page(0..50, None), page(50..80, None), page(0..0, None)]);
    assert_eq!(listed(&fake), numbered(80));
    // One that knows no pages gives the same each time.
    let fake = pages(vec![page(0..3, None)]);
    assert_eq!(listed(&fake), numbered(3));
    let fake = saying(200, &json!([{ "id": "k0", "name": "key 0000" }]));
    assert_eq!(listed(&fake), numbered(1));
}

#[test]
fn a_page_that_holds_less_than_it_says_is_not_the_last_one() {
    // It repeats the size that it was asked for, and holds to its own.
    let meta = Some(json!({ "page": 1, "per_page": 100, "total": 60 }));
    let fake = pages(vec![page(0..25, meta.clone()), page(25..50, meta.clone()), page(50..60, meta.clone())]);
    assert_eq!(listed(&fake), numbered(60));
    // Where more are counted than are shown, an empty page is the end.
    let fake = pages(vec![page(0..25, meta.clone()), page(0..0, meta)]);
    assert_eq!(listed(&fake), numbered(25));
}

/// Answers with the pages one after the other, and then from the first one again, for ever.
fn in_a_circle(pages: Vec<Value>) -> Fake {
    let mut next = (0..pages.len()).cycle();
    Fake::new(move |_| Some(json_answer(200, &pages[next.next()?].to_string())))
}

#[test]
fn pages_that_lead_in_a_circle_are_left() {
    let place = Place::new();
    let circle = |meta: Option<Value>| in_a_circle((0..3).map(|at| page(at * 2..at * 2 + 2, meta.clone())).collect());
    assert_eq!(listed(&circle(None)), numbered(6));
    let endless = json!({ "page": 1, "per_page": 2, "total": 1_000_000_000_u64 });
    refused(keys(&place, &circle(Some(endless)), "leadlex", "list"), 8, "its pages repeat");
    // Those of the audit log, of a vendor that knows no pages and of one that has too many.
    let entries = |id: &str| json!([{ "id": id, "timestamp": "2026-01-01T00:00:00Z", "action": "create" }]);
    let fake = saying(200, &json!({ "data": { "logs": entries("a") } }));
    let seen = keys(&place, &fake, "leadlex", "audit --format jsonl --jq .id").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "a\n"), "{}", seen.stderr);
    let of = |id| json!({ "data": entries(id), "page": 1, "per_page": 1, "total": 1_000_000_000_u64 });
    let seen = keys(&place, &in_a_circle(vec![of("a"), of("b")]), "nexus", "audit").done();
    assert_eq!(seen.code, 8, "{}", seen.stderr);
    assert!(seen.stderr.contains("its pages repeat"), "{}", seen.stderr);
}

#[test]
fn a_report_of_usage_ends_although_the_audit_log_does_not() {
    let place = Place::new();
    let now = "2999-01-01T00:00:00Z";
    let fake = Fake::new(move |request| {
        let body = if request.starts_with("GET /v1/settings") {
            json!({ "data": { "name": "Acme", "billing": { "plan": "pro" } } })
        } else if request.starts_with("GET /v1/audit-logs") {
            json!({ "data": { "logs": [{ "id": "a", "timestamp": now, "action": "create", "user": { "id": "k0" } }] } })
        } else {
            page(0..1, None)
        };
        let left = "x-ratelimit-limit: 100\r\nx-ratelimit-remaining: 50\r\nx-ratelimit-reset: 4102444800\r\n";
        Some(answer(200, left, &body.to_string()))
    });
    let seen = keys(&place, &fake, "leadlex", "usage --json").done();
    assert_eq!((seen.code, &seen.data()["today"]["calls"]), (0, &json!(50)), "{}", seen.stderr);
}

#[test]
fn a_list_that_changes_while_it_is_read_shows_each_key_once() {
    let meta = |total: usize| Some(json!({ "page": 1, "per_page": 100, "total": total }));
    // A key was made meanwhile, so that the last of a page is the first of the next one.
    let fake = pages(vec![page(0..100, meta(250)), page(99..199, meta(251)), page(198..251, meta(251))]);
    assert_eq!(listed(&fake), numbered(251));
    // The list became shorter, and what is beyond it is the last page again.
    let fake = pages(vec![page(0..100, meta(300)), page(100..200, meta(200)), page(100..200, meta(200))]);
    assert_eq!(listed(&fake), numbered(200));
    // One that claims to have more and gives the same page again hides keys.
    let place = Place::new();
    let fake = pages(vec![page(0..100, meta(300)), page(0..100, meta(300))]);
    refused(keys(&place, &fake, "leadlex", "list"), 8, "its pages repeat");
}

#[test]
fn an_id_is_opaque_and_stands_encoded_in_a_path() {
    let place = Place::new();
    let id = "k/1?x=ä #";
    let listed = json!({ "data": [{ "id": id, "name": "ci", "active": true }] });
    let fake = Fake::new(move |request| {
        Some(if request.starts_with("GET ") { json_answer(200, &listed.to_string()) } else { answer(204, "", "") })
    });
    let seen = keys(&place, &fake, "nexus", "delete ci --yes --confirm ci").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let last = fake.requests().pop().unwrap();
    assert!(last.starts_with("DELETE /api/developer/keys/k%2F1%3Fx%3D%C3%A4%20%23 HTTP/1.1\r\n"), "{last}");
    let dots = saying(200, &json!({ "data": [{ "id": "..", "name": "ci" }] }));
    refused(keys(&place, &dots, "nexus", "delete ci --yes --confirm ci"), 8, "cannot stand in an address");
}

#[test]
fn what_is_absent_is_not_what_is_there() {
    let place = Place::new();
    let fake = saying(200, &json!({ "data": [{ "id": "a" }, { "id": "b", "active": false, "expires_at": null }] }));
    let seen = keys(&place, &fake, "nexus", "list --status all --json --sort name").done();
    let data = seen.data();
    assert_eq!((&data[0]["status"], &data[1]["status"]), (&json!("active"), &json!("revoked")));
    assert_eq!(data[0]["created_at"], json!(null));
    // A time that cannot be read must not make a dead key look alive.
    let fake = saying(200, &json!({ "data": [{ "id": "a", "expires_at": "soon" }] }));
    refused(keys(&place, &fake, "nexus", "list"), 8, "one of its times is none");
}

#[test]
fn times_are_understood_in_the_forms_that_vendors_write_them() {
    let place = Place::new();
    for (written, read) in [
        (json!("2026-04-17T11:20:00.123456+00:00"), "2026-04-17T11:20:00Z"),
        (json!("2026-04-17T11:20:00"), "2026-04-17T11:20:00Z"),
        (json!("2026-04-17"), "2026-04-17T00:00:00Z"),
        (json!(1_776_424_800), "2026-04-17T11:20:00Z"),
    ] {
        // A plaintext that comes with one must not be lost over it.
        let made = json!({ "data": { "id": "a", "name": "ci", "key": "plain", "created_at": written } });
        let seen = keys(&place, &saying(201, &made), "leadlex", "create --name ci --perm read --json").done();
        assert_eq!(seen.code, 0, "{written}: {}", seen.stderr);
        assert_eq!((&seen.data()["secret"], &seen.data()["created_at"]), (&json!("plain"), &json!(read)));
    }
    // Later than any instant that can be reckoned with.
    let fake = saying(200, &json!({ "data": [{ "id": "a", "name": "ci", "expires_at": "9999-12-31T23:59:59Z" }] }));
    for line in ["list --json", "list --expiring 30d", "show ci"] {
        let seen = keys(&place, &fake, "nexus", line).done();
        assert_eq!(seen.code, 0, "{line}: {}", seen.stderr);
    }
}

#[test]
fn an_answer_about_another_key_is_no_answer() {
    let place = Place::new();
    let state = |id: &str, active: bool| json!({ "id": id, "name": "ci", "active": active });
    for (line, active) in [("edit ci --name cj", true), ("revoke ci --yes", true), ("reactivate ci", false)] {
        let fake = Fake::new(move |request| {
            let is_list = request.starts_with("GET /api/developer/keys?");
            let body = if is_list { json!([state("a", active)]) } else { state("b", true) };
            Some(json_answer(200, &json!({ "data": body }).to_string()))
        });
        refused(keys(&place, &fake, "nexus", line), 10, "it describes another key");
    }
}

#[test]
fn a_page_for_people_is_no_answer_and_says_where_to_look() {
    let place = Place::new();
    let fake = Fake::answering(answer(200, "content-type: text/html\r\n", "<html>Welcome</html>"));
    refused(keys(&place, &fake, "leadlex", "list"), 8, "check that --api-url is the address of the API");
}

#[test]
fn a_refusal_before_any_answer_says_nothing_of_what_a_minute_holds() {
    let place = Place::new();
    let mut answers = vec![answer(429, "retry-after: 0\r\n", "")];
    answers
        .extend([page(0..2, None), page(2..4, None), page(0..0, None)].map(|page| json_answer(200, &page.to_string())));
    let mut answers = answers.into_iter();
    let fake = Fake::new(move |_| answers.next());
    let seen = keys(&place, &fake, "leadlex", "list --jq .data[].name").done();
    assert_eq!((seen.code, seen.stdout.lines().count()), (0, 4), "{}", seen.stderr);
    // Who waits for a minute says so.
    assert!(seen.stderr.contains("trying again") && !seen.stderr.contains("going on"), "{}", seen.stderr);
}
