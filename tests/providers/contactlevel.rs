//! The life of a key on ContactLevel, and all that ContactLevel refuses or does not offer.

use serde_json::json;

use super::scene::{Vendor, refused};
use crate::support::{Fake, Place, Server, answer, json_answer};

#[test]
fn the_life_of_a_key() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "contactlevel", "");
    let key = vendor.create("--name ci --expires 30d");
    assert!(key.starts_with("cl_") && key.len() == 44, "{key}");
    let shown = vendor.show("ci");
    assert_eq!((&shown["prefix"], &shown["permissions"]), (&json!(&key[..11]), &json!([])));
    let id = shown["id"].as_str().unwrap();
    assert_eq!(vendor.all().len(), 2);
    // Names need not be unique, and are not made twice where somebody minds.
    let skipped = vendor.done("create --name ci --if-exists skip");
    assert!(skipped.stderr.contains("exists already"), "{}", skipped.stderr);
    place.write("names", "ci\nweb\n");
    let several = vendor.done("create --names names --if-exists skip --to file:{name}.key");
    assert!(several.stderr.contains("Key `ci` exists already"), "{}", several.stderr);
    assert_eq!(vendor.all().len(), 3);
    vendor.create("--name ci");
    vendor.refused("show ci", 6, "`ci` may be any of 2 keys");
    let newest = vendor.done("list --name ci --json").data()[0]["id"].clone();
    let skipped = vendor.done("create --name ci --if-exists skip --json");
    assert_eq!(skipped.data()["id"], newest);
    assert_eq!(vendor.all().len(), 4);

    // Any key manages keys.
    assert_eq!(vendor.keys_as(&key, "whoami --json").done().data()["key_id"], id);
    let found = vendor.keys("lookup --json").input(&key).done().data();
    assert_eq!(found["id"], id);
    let before = vendor.done("credits --json").data();
    vendor.done("list");
    let after = vendor.done("credits --json").data();
    assert_eq!(before["balance"].as_i64().unwrap() - 1, after["balance"].as_i64().unwrap(), "a request costs one");
    assert_eq!((&after["subscription"], &after["bonus"]), (&after["balance"], &json!(0)));
    vendor.refused("credits --fail-below 10% --json", 2, "no share of them");

    let revoked = vendor.done(&format!("revoke {id} --yes --confirm {id}"));
    assert!(revoked.stderr.contains("This cannot be undone"), "{}", revoked.stderr);
    refused(vendor.keys_as(&key, "list"), 4, "Invalid or missing API key");
    assert_eq!(vendor.show(id)["status"], "revoked");
    let brief = vendor.create("--name brief --expires 2s");
    let expired = vendor.once_expired(&brief);
    assert_eq!(expired.code, 4, "{}", expired.stderr);
    assert!(expired.stderr.contains("Invalid or missing API key"), "{}", expired.stderr);
}

#[test]
fn an_empty_balance_is_a_code_of_its_own() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "contactlevel", "--monthly-credits 1");
    vendor.done("list");
    vendor.refused("list", 7, "Insufficient credits");
    vendor.refused("create --name x", 7, "see what is left with `keys credits`");
    assert_eq!(vendor.done("credits --json").data()["balance"], 0);
    assert_eq!(vendor.keys("credits --fail-below 1").done().code, 12);
}

#[test]
fn what_contactlevel_does_not_offer_is_said_before_anything_is_sent() {
    let place = Place::new();
    let fake = Fake::untouched();
    let keys = |line: &str| {
        let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "contactlevel");
        run.env("KEYS_API_URL", fake.url()).env("KEYS_API_KEY", "whatever")
    };
    for (line, said) in [
        ("create --name x --description y", "ContactLevel keys have no description"),
        ("create --name x --perm read", "ContactLevel keys have no permissions: a key opens everything"),
        ("create --name x --tier high", "ContactLevel keys have no tier"),
        ("create --name x --temp", "ContactLevel has no temporary keys: give the key an end with --expires 1h"),
        ("edit ci --name cj", "ContactLevel does not change keys"),
        ("reactivate ci", "ContactLevel revokes for good"),
        ("delete ci --yes --confirm ci", "ContactLevel does not delete keys"),
        ("revoke ci --yes --reason leaked", "ContactLevel keeps no reason"),
        ("usage", "ContactLevel does not count calls by key: `keys credits`"),
        ("audit", "ContactLevel keeps no audit log"),
    ] {
        refused(keys(line), 5, said);
    }
    let perms = keys("perms").done();
    assert_eq!((perms.code, perms.stdout.as_str()), (0, ""));
    assert!(perms.stderr.contains("ContactLevel keys have no permissions"), "{}", perms.stderr);
}

/// A key of the vendor's own: by its looks it is none.
const OPAQUE: &str = "Correct-Horse-Battery-Staple";

fn at<'a>(place: &'a Place, fake: &Fake, line: &str) -> crate::support::Run<'a> {
    let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "contactlevel");
    run.env("KEYS_API_URL", fake.url()).env("KEYS_API_KEY", "whatever")
}

#[test]
fn a_key_without_a_shape_is_hidden_all_the_same() {
    let place = Place::new();
    let made = json!({ "key": { "id": "a", "name": "ci" }, "api_key": OPAQUE });
    let seen = at(&place, &Fake::answering(json_answer(201, &made.to_string())), "-vv create --name ci").done();
    assert_eq!(seen.stdout, format!("{OPAQUE}\n"));
    assert!(seen.stderr.contains(r#""api_key":"…""#) && !seen.stderr.contains(OPAQUE), "{}", seen.stderr);
    // A service that quotes what it was asked about, in its words and in a header.
    let quoting = json!({ "detail": format!("{OPAQUE} is no key") });
    let quoting = answer(400, &format!("x-request-id: {OPAQUE}\r\n"), &quoting.to_string());
    for line in ["-vv lookup", "lookup --json", "lookup"] {
        let seen = at(&place, &Fake::answering(quoting.clone()), line).input(OPAQUE).done();
        assert_eq!(seen.code, 2, "{}", seen.stderr);
        assert!(seen.stderr.contains("is no key") && !seen.stderr.contains(OPAQUE), "{}", seen.stderr);
    }
}

#[test]
fn a_lookup_is_sent_again_as_the_same_request() {
    let place = Place::new();
    let mut answers = [answer(503, "", ""), json_answer(200, r#"{"key":null}"#)].into_iter();
    let fake = Fake::new(move |_| answers.next());
    refused(at(&place, &fake, "lookup -q").input(OPAQUE), 3, "no key of this workspace");
    let requests = fake.requests();
    let once = |request: &String| request.lines().find(|line| line.starts_with("idempotency-key: ")).map(str::to_owned);
    assert!(once(&requests[0]).is_some(), "{requests:?}");
    assert_eq!((requests.len(), once(&requests[0])), (2, once(&requests[1])));
}

#[test]
fn a_host_without_a_lookup_does_not_pass_for_one_that_knows_no_such_key() {
    let place = Place::new();
    for body in ["<html>", "", r#"{"detail":"Not Found"}"#] {
        let fake = Fake::answering(answer(404, "", body));
        refused(at(&place, &fake, "lookup").input(OPAQUE), 5, "does not offer to tell which key a plaintext is");
    }
}
