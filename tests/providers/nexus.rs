//! The life of a key on Nexus, and all that Nexus refuses or does not offer.

use serde_json::json;

use super::scene::{Vendor, refused};
use crate::support::{Fake, Place, Server, answer, json_answer};

#[test]
fn the_life_of_a_key() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::nexus(&place, &server);
    let key = vendor.create("--name ci --perm leads.read --expires 30d");
    assert!(key.starts_with("sk_") && key.len() == 44, "{key}");
    let shown = vendor.show("ci");
    assert_eq!(shown["prefix"], &key[..14]);
    assert_eq!(shown["permissions"], json!(["leads.read"]));
    let id = shown["id"].as_str().unwrap();
    assert_eq!(vendor.show(&key[..14])["id"], id, "a prefix names its key");
    // No permission is what a key has unless it is given one.
    vendor.create("--name none");
    assert_eq!(vendor.show("none")["permissions"], json!([]));

    let edited = vendor.done("edit ci --name cj --add-perm leads.create --json").data();
    assert_eq!((&edited["name"], &edited["permissions"]), (&json!("cj"), &json!(["leads.read", "leads.create"])));
    let edited = vendor.done("edit cj --remove-perm leads.read,leads.create --yes --json").data();
    assert_eq!(edited["permissions"], json!([]));

    vendor.done("revoke cj --yes");
    refused(vendor.keys_as(&key, "whoami"), 4, "log in with another");
    assert_eq!(vendor.show("cj")["status"], "revoked");
    vendor.done("reactivate cj");
    assert_eq!(vendor.keys_as(&key, "whoami --json").done().data()["key_id"], id);

    let found = vendor.keys("lookup --json").input(&key).done().data();
    assert_eq!(found["id"], id);
    // With another last digit.
    let (begin, last) = key.split_at(key.len() - 1);
    let other = begin.to_owned() + if last == "x" { "y" } else { "x" };
    refused(vendor.keys("lookup").input(&*other), 3, "no key of this workspace");

    vendor.done("delete cj --yes --confirm cj");
    vendor.refused("show cj", 3, "no key is called `cj`");
    let log = vendor.done(&format!("audit --json --key {id}")).data();
    let actions: Vec<&str> = log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let expected = ["delete", "reactivate", "revoke", "update", "update", "create"];
    assert_eq!(actions, expected.map(|action| format!("api_key.{action}")), "{log}");
    assert!(
        log[3]["details"]["permissions"]["old"].is_array() || log[3]["details"]["permissions"].is_object(),
        "{log}"
    );
}

#[test]
fn a_temporary_key_has_its_name_its_scopes_and_its_hour() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::nexus(&place, &server);
    vendor.create("--temp");
    vendor.create("--temp");
    let keys = vendor.all();
    let temporary: Vec<_> = keys.iter().filter(|key| key["name"] == "Docs playground (temp)").collect();
    assert_eq!(temporary.len(), 2);
    for key in temporary {
        assert_eq!(key["temporary"], true);
        assert_eq!(key["permissions"], json!(["leads.read", "leads.create", "leads.update", "leads.delete"]));
        assert!(key["expires_at"].is_string());
    }
    vendor.refused("create --temp --name mine", 2, "Nexus calls every temporary key `Docs playground (temp)`");
    vendor.refused("create --temp --perm leads.read", 2, "Nexus decides what a temporary key may do");
}

#[test]
fn who_may_not_manage_keys_hears_what_to_do() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "nexus", "");
    let developer = vendor.member("Ada", "developer");
    refused(vendor.keys_as(&developer, "list"), 5, "The Developer API is not enabled for this organisation");
    refused(vendor.keys_as(&developer, "list"), 5, "the platform admin switches it on");
    vendor.allow_keys();
    assert_eq!(vendor.keys_as(&developer, "list").done().code, 0);
    let support = vendor.member("Grace", "support");
    refused(vendor.keys_as(&support, "list"), 5, "Missing permission: DEVELOPER");
    let key = vendor.keys_as(&developer, "create -q --name ci --perm leads.read").done().stdout;
    refused(vendor.keys_as(key.trim(), "create --name x"), 5, "keys never manage keys here");
    let brief = vendor.keys_as(&developer, "create -q --name brief --expires 2s").done().stdout;
    assert_eq!(vendor.once_expired(brief.trim()).code, 4);
}

#[test]
fn what_nexus_does_not_offer_is_said_before_anything_is_sent() {
    let place = Place::new();
    let fake = Fake::untouched();
    let keys = |line: &str| {
        let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "nexus").env("KEYS_API_URL", fake.url());
        run.env("KEYS_API_KEY", "sk_whatever")
    };
    for (line, said) in [
        ("create --name x --description y", "Nexus keys have no description: say it in the name"),
        ("create --name x --tier high", "Nexus keys have no tier"),
        ("edit ci --expires never", "Nexus does not change when a key ends once it is created"),
        ("edit ci --no-description", "Nexus keys have no description"),
        ("revoke ci --yes --reason leaked", "Nexus keeps no reason"),
        ("usage", "Nexus does not count calls"),
        ("credits", "Nexus has no credits"),
    ] {
        refused(keys(line), 5, said);
    }
    let long = format!("create --name {}", "n".repeat(101));
    refused(keys(&long), 2, "it has 101 characters, 100 are allowed");
    refused(keys("create --name x --perm read:contacts"), 2, "unknown permission `read:contacts`");
    assert_eq!(keys("perms").done().stdout.lines().count(), 4);
    assert!(keys("perms for").arg("PATCH /api/leads/42").done().stdout.contains("leads.update"));
}

#[test]
fn the_vendors_own_host_manages_no_keys_and_says_where_to_do_it() {
    let place = Place::new();
    for status in [404, 405] {
        let fake = Fake::answering(answer(status, "", "<html>no</html>"));
        let keys = |line: &str| {
            let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "nexus").env("KEYS_API_URL", fake.url());
            run.env("KEYS_API_KEY", "sk_whatever")
        };
        refused(
            keys("create --name ci"),
            5,
            "does not offer to create keys: Nexus keys are managed in its dashboard, under Developer",
        );
        refused(keys("list"), 5, "does not offer to list keys: Nexus keys are managed in its dashboard");
        refused(keys("show ci"), 5, "does not offer to list keys");
        refused(keys("audit"), 5, "does not offer to show who changed what");
    }
}

#[test]
fn a_host_that_lists_keys_and_no_more_says_where_to_do_the_rest() {
    let place = Place::new();
    // Without a word of the key, nothing says that it is the key that is not there.
    for status in [404, 405] {
        for (line, active) in [
            ("edit ci --name cj", true),
            ("revoke ci --yes", true),
            ("reactivate ci", false),
            ("delete ci --yes --confirm ci", true),
        ] {
            let listed = json!({ "data": [{ "id": "a", "name": "ci", "active": active }] }).to_string();
            let fake = Fake::new(move |request| {
                let lists = request.starts_with("GET /api/developer/keys?");
                Some(if lists { json_answer(200, &listed) } else { answer(status, "", "<html>no</html>") })
            });
            let run = place.keys(line.split_whitespace()).env("KEYS_PROVIDER", "nexus").env("KEYS_API_URL", fake.url());
            refused(run.env("KEYS_API_KEY", "sk_whatever"), 5, "Nexus keys are managed in its dashboard");
        }
    }
}
