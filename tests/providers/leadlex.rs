//! The life of a key on LeadLex, and all that LeadLex refuses or does not offer.

use serde_json::json;

use super::scene::{Vendor, refused};
use crate::support::{Fake, Place, Server};

#[test]
fn the_life_of_a_key() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let key = vendor.create("--name ci --perm read:contacts --description nightly --expires 30d");
    assert!(key.starts_with("wbk_live_") && key.len() == 41, "{key}");
    let shown = vendor.show("ci");
    assert_eq!(shown["description"], "nightly");
    assert_eq!(shown["prefix"], "wbk_live");
    assert_eq!(shown["permissions"], json!(["read:contacts"]));
    assert_eq!(shown["tier"], "standard");
    assert_eq!(shown["status"], "active");
    assert!(shown["expires_at"].is_string());
    assert_eq!(vendor.all().len(), 2);
    // What every key has in common names none of them.
    vendor.refused("show wbk_live", 3, "no key is called");

    vendor.refused("create --name ci --perm read", 6, "an active key is already named `ci`");
    let skipped = vendor.done("create --name ci --perm read --if-exists skip");
    assert_eq!(skipped.stdout, "");
    vendor.refused("create --name x --perm read:nothing", 2, "unknown permission `read:nothing`");
    vendor.refused("create --name x", 2, "a key takes at least one permission");
    vendor.refused("create --name x --perm read --expires 2020-01-01", 2, "--expires cannot be used");

    let whoami = vendor.done("whoami --json").data();
    assert_eq!((&whoami["provider"], &whoami["identity"]), (&json!("leadlex"), &json!("key")));
    assert_eq!(whoami["key_id"], json!(null), "LeadLex does not tell");
    let usage = vendor.done("usage --json").data();
    assert_eq!(usage["per_day"]["limit"], 100_000);
    assert_eq!(usage["endpoints"][0]["endpoint"], "api_keys.create");
    assert!(usage["note"].as_str().unwrap().contains("audit log"), "{usage}");
    assert!(usage["last_used_at"].is_string(), "{usage}");
    let numbers = vendor.done("usage --format prometheus").stdout;
    assert!(numbers.contains("keys_quota_remaining_calls{") && !numbers.contains("keys_key_"), "{numbers}");
    assert_eq!(vendor.done("usage ci --json").data()["last_used_at"], json!(null));
    assert_eq!(vendor.done("credits --json").data()["balance"], 1000);
    let log = vendor.done("audit --json --key ci").data();
    assert_eq!((&log[0]["action"], &log[0]["resource_id"]), (&json!("api_keys.create"), &shown["id"]));

    let revoked = vendor.done("revoke ci --yes");
    assert!(revoked.stderr.contains("This cannot be undone"), "{}", revoked.stderr);
    refused(vendor.keys_as(&key, "list"), 4, "API key has been revoked");
    assert_eq!(vendor.show("ci")["status"], "revoked");
    assert!(vendor.done("revoke ci --yes").stderr.contains("was revoked already"));
    let log = vendor.done("audit --json --action revoke").data();
    assert_eq!((log.as_array().unwrap().len(), &log[0]["action"]), (1, &json!("api_keys.delete")));
    // The name is free again.
    vendor.create("--name ci --perm read");
}

#[test]
fn what_leadlex_does_not_offer_is_said_before_anything_is_sent() {
    let place = Place::new();
    let fake = Fake::untouched();
    let keys = |line: &str| {
        let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "leadlex").env("KEYS_API_URL", fake.url());
        run.env("LEADLEX_API_KEY", "wbk_whatever")
    };
    for (line, said) in [
        ("edit ci --name cj", "LeadLex does not change keys: make another"),
        ("reactivate ci", "LeadLex revokes for good: make a new key with `keys create`"),
        ("delete ci --yes --confirm ci", "LeadLex does not delete keys: `keys revoke` switches one off"),
        ("lookup", "LeadLex does not tell which key a plaintext is"),
        ("create --name x --perm read --temp", "LeadLex has no temporary keys: give the key an end with --expires 1h"),
        ("revoke ci --yes --reason leaked", "LeadLex keeps no reason"),
    ] {
        refused(keys(line), 5, said);
    }
    let json = keys("edit ci --name cj --json").done().error();
    assert_eq!((&json["code"], &json["status"]), (&json!("not_offered"), &json!(null)));
}

#[test]
fn who_may_not_manage_keys_hears_what_to_do() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let reader = vendor.create("--name reader --perm read");
    let writer = vendor.create("--name writer --perm write");
    refused(vendor.keys_as(&reader, "create --name x --perm read"), 5, "Missing required permission: admin:api_keys");
    refused(vendor.keys_as(&reader, "create --name x --perm read"), 5, "use a key that holds this permission");
    refused(vendor.keys_as(&writer, "list"), 5, "Missing required permission: ");
    refused(vendor.keys_as("wbk_nobodys", "list"), 4, "Invalid API key");
    // The last key that manages keys.
    let admin = vendor.all().iter().find(|key| key["name"] == "admin").unwrap()["id"].as_str().unwrap().to_owned();
    vendor.refused(&format!("revoke {admin} --yes --confirm {admin}"), 5, "give another one `admin:api_keys` first");
    let brief = vendor.create("--name brief --perm read --expires 2s");
    let expired = vendor.once_expired(&brief);
    assert_eq!(expired.code, 4, "{}", expired.stderr);
    assert!(expired.stderr.contains("Invalid API key"), "{}", expired.stderr);
}

#[test]
fn the_limit_of_a_plan_is_a_code_of_its_own() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "--plan enterprise --per-day 3");
    // The admin's own is without limits.
    let reader = vendor.create("--name reader --perm read");
    let list = || vendor.keys_as(&reader, "list --max-wait 0s").done();
    let limited = (0..10).map(|_| list()).find(|seen| seen.code != 0).unwrap();
    assert_eq!(limited.code, 7, "{}", limited.stderr);
    assert!(limited.stderr.contains("Rate limit exceeded. Resets at "), "{}", limited.stderr);
    assert!(limited.stderr.contains("--max-wait"), "{}", limited.stderr);
}

#[test]
fn the_variable_that_its_users_have_is_enough() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let run = |line: &str| {
        let run = place.keys(line.split_whitespace()).env("LEADLEX_API_KEY", &vendor.manager);
        run.env("KEYS_API_URL", vendor.url())
    };
    let seen = run("whoami --json").env("KEYS_PROVIDER", "leadlex").done();
    assert_eq!(seen.data()["source"], "environment");
    let seen = run("whoami").env("KEYS_PROVIDER", "leadlex").done();
    assert!(seen.stdout.contains("the variable LEADLEX_API_KEY"), "{}", seen.stdout);
    // It is sent to nobody but LeadLex, and not handed on to a command that is to have another key.
    let shown = run("create -q --name shown --perm read --to").arg("cmd:env > environment");
    assert_eq!(shown.env("KEYS_PROVIDER", "leadlex").done().code, 0);
    assert!(place.read("environment").contains("PATH=") && !place.read("environment").contains("API_KEY="));
    refused(run("list"), 4, "KEYS_API_KEY is not set");
    refused(run("list").env("KEYS_PROVIDER", "nexus"), 4, "KEYS_API_KEY is not set");
    refused(
        run("list").env("KEYS_PROVIDER", "leadlex").without("LEADLEX_API_KEY"),
        4,
        "neither KEYS_API_KEY nor LEADLEX_API_KEY is set",
    );
    // The address is the vendor's own where no other is given.
    let preview = place.keys(["create", "--name", "x", "--perm", "read", "--dry-run", "--json"]);
    let preview = preview.env("KEYS_PROVIDER", "leadlex").env("LEADLEX_API_KEY", &vendor.manager).done().data();
    assert_eq!(preview["request"]["url"], "https://data.leadlex.com/functions/v1/api-gateway/v1/api-keys");
    assert!(preview["request"]["headers"]["idempotency-key"].is_string());
    assert_eq!(preview["request"]["headers"]["authorization"], "Bearer wbk_live…");
}

#[test]
fn a_login_keeps_the_provider_and_needs_no_address() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let login = place.keys(["login", "--provider", "leadlex", "--key-stdin", "--insecure-storage", "--api-url"]);
    let seen =
        login.arg(vendor.url()).env("KEYS_CONFIG_DIR", place.path("config").to_str().unwrap()).input(&vendor.manager);
    let seen = seen.done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let run =
        |line: &str| place.keys(line.split_whitespace()).env("KEYS_CONFIG_DIR", place.path("config").to_str().unwrap());
    assert_eq!(run("whoami --json").done().data()["provider"], "leadlex");
    refused(run("edit ci --name cj"), 5, "LeadLex does not change keys");
    assert!(run("perms").done().stdout.contains("admin:api_keys"));
    assert_eq!(run("list --json").done().data().as_array().unwrap().len(), 1);
}
