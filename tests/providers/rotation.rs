//! Rotations where the vendor has no operation of that name: a new key, the check that it works, and the end of the old one.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::scene::{Vendor, refused};
use crate::support::{Fake, HANGS, Place, Server, forward};

/// The names of the keys that work.
fn active(vendor: &Vendor<'_>) -> Vec<String> {
    let keys = vendor.done("list --json").data();
    keys.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

fn delivered(place: &Place) -> String {
    place.read("ci.key").trim_end().to_owned()
}

/// Whether a key is let in by the data routes of its vendor, for which it is made.
fn works(vendor: &Vendor<'_>, key: &str) -> bool {
    let seen = vendor.keys_as(key, "whoami").done();
    // Not every key may ask who it is.
    matches!(seen.code, 0 | 5)
}

fn dated(name: &str) -> bool {
    name.strip_prefix("ci @").is_some_and(|date| date.len() == 10 && date.starts_with("20"))
}

#[test]
fn on_leadlex_the_successor_carries_the_date_and_the_old_key_ends() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let old = vendor.create("--name ci --perm read:contacts,write:contacts --description nightly --expires 30d");
    vendor.done("rotate ci --yes --to file:ci.key");
    let new = delivered(&place);
    assert!(new != old && works(&vendor, &new) && !works(&vendor, &old));
    let names = active(&vendor);
    assert!(names.len() == 2 && names.iter().any(|name| dated(name)), "{names:?}");
    // The name without the date is the one that works.
    let shown = vendor.show("ci");
    assert_eq!((&shown["status"], &shown["description"]), (&"active".into(), &"nightly".into()));
    assert_eq!(shown["permissions"], serde_json::json!(["read:contacts", "write:contacts"]));
    assert!(shown["expires_at"].is_string());
    // The second one that day is counted; what it replaces works on until somebody finishes it.
    let waiting = vendor.done("rotate ci --grace 1h --to file:ci.key");
    assert!(waiting.stderr.contains("works on; it is due to be retired"), "{}", waiting.stderr);
    assert!(works(&vendor, &new) && works(&vendor, &delivered(&place)));
    let names = active(&vendor);
    assert!(names.len() == 3 && names.iter().any(|name| name.ends_with(".2")), "{names:?}");
    let finished = vendor.done("rotation finish --yes --force");
    assert!(finished.stderr.contains("old key      revoked"), "{}", finished.stderr);
    assert!(!works(&vendor, &new) && works(&vendor, &delivered(&place)));
}

#[test]
fn on_leadlex_nobody_is_locked_out_by_rotating_what_could_be_the_key_that_asks() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    // The only one that manages keys is the one that asks: its successor retires it.
    let seen = vendor.done("rotate admin --yes --to file:ci.key");
    assert!(seen.stderr.contains("the variable KEYS_API_KEY still holds the old key"), "{}", seen.stderr);
    let admin = delivered(&place);
    vendor.refused("list", 4, "API key has been revoked");
    let keys = |line: &str| vendor.keys_as(&admin, line);
    // Of two, LeadLex does not tell which one it is.
    assert_eq!(keys("create -q --name second --perm admin:api_keys,read").done().code, 0);
    refused(keys("rotate second --yes --to file:ci.key"), 6, "does not tell which key asks");
    let many = keys("rotate --name second --yes --max 1 --to file:{name}.key").done();
    assert_eq!(many.code, 0, "{}", many.stderr);
    assert!(many.stderr.contains("Leaving out `second`, which could be the key"), "{}", many.stderr);
    let graceful = keys("rotate second --grace 1h --to file:ci.key").done();
    assert_eq!(graceful.code, 0, "{}", graceful.stderr);
    assert_eq!(keys("list").done().code, 0);
}

#[test]
fn on_nexus_and_contactlevel_the_successor_has_the_same_name() {
    let place = Place::new();
    let server = Server::start(&place);
    let nexus = Vendor::nexus(&place, &server);
    let contactlevel = Vendor::new(&place, &server, "contactlevel", "");
    for (vendor, options) in [(&nexus, "--perm leads.read,leads.create"), (&contactlevel, "--expires 30d")] {
        let old = vendor.create(&format!("--name ci {options}"));
        let id = vendor.show("ci")["id"].clone();
        vendor.done("rotate ci --yes --to file:ci.key");
        let new = delivered(&place);
        assert!(new != old && works(vendor, &new) && !works(vendor, &old));
        let shown = vendor.show("ci");
        assert_ne!(shown["id"], id);
        let before = vendor.all().into_iter().find(|key| key["id"] == id).unwrap();
        assert_eq!((&before["permissions"], &before["status"]), (&shown["permissions"], &"revoked".into()));
        assert_eq!(before["expires_at"].is_null(), shown["expires_at"].is_null());
        vendor.done("rotate ci --grace 1h --to file:ci.key");
        assert!(works(vendor, &new) && works(vendor, &delivered(&place)));
        vendor.done("rotation finish --yes --force");
        assert!(!works(vendor, &new) && works(vendor, &delivered(&place)));
    }
    // A member's credential is none that a key could take the place of.
    nexus.refused("rotate Ada --yes --to file:ci.key", 5, "Nexus keys never manage keys");
    nexus.refused(
        "rotate Ada --yes --to file:ci.key",
        5,
        "keys serve member add --workspace WORKSPACE --name NAME --role developer",
    );
    // Nor is another member's, whoever asks.
    let bob = nexus.member("Bob", "developer");
    let manages = || nexus.call(&bob, "GET", "/api/developer/keys");
    nexus.refused("rotate Bob --yes --to file:ci.key", 5, "a member's credential, would not either");
    nexus.refused("rotate --name B* --yes --max 9 --to file:{name}.key", 9, "a member's credential, would not either");
    place.write("policy.toml", "max-age = \"1s\"\n");
    thread::sleep(Duration::from_millis(1100));
    let checked = nexus.keys("check --policy policy.toml --fix --yes --max 9 --to file:{name}.key").done();
    assert_eq!(checked.code, 12, "{}", checked.stderr);
    assert!(checked.stdout.contains("over-age\tBob\t") && !checked.stderr.contains("`Bob`"), "{}", checked.stderr);
    assert_eq!(manages(), 200);
    let seen = contactlevel.done("rotate admin --yes --to file:ci.key");
    assert!(seen.stderr.contains("still holds the old key"), "{}", seen.stderr);
    assert!(works(&contactlevel, &delivered(&place)));
}

/// A proxy that lets the service make the key, says so, and keeps the answer back while it is told to.
fn holding(address: String) -> (Fake, Receiver<()>) {
    let (made, is_made) = channel();
    let mut first = true;
    let fake = Fake::new(move |request| {
        let answer = forward(&address, request);
        if first && request.starts_with("POST /leadlex/v1/api-keys ") {
            first = false;
            made.send(()).unwrap();
            return None;
        }
        Some(answer)
    });
    (fake, is_made)
}

#[test]
fn on_leadlex_a_rotation_that_is_killed_is_resumed_with_the_same_key() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let old = vendor.create("--name ci --perm read --expires 30d");
    let (proxy, is_made) = holding(server.address().to_owned());
    let url = format!("{}/leadlex", proxy.url());
    // Killed while a command looks whether the new key works: it is made and delivered, and the old one is not retired.
    let check = "exec >asked 2>&1; until test -e go; do sleep 0.05; done";
    let mut running = vendor.keys_at(&url, "rotate ci --yes --to file:ci.key --check").arg(check).start();
    // The first answer is lost, and asked for again with the same request.
    is_made.recv_timeout(HANGS).unwrap();
    let begin = Instant::now();
    while !place.path("asked").exists() {
        assert!(begin.elapsed() < HANGS, "it does not come as far as to be checked");
        thread::sleep(Duration::from_millis(5));
    }
    running.kill();
    assert_eq!(running.done().killed_by, Some(9));
    let new = delivered(&place);
    assert!(works(&vendor, &old) && works(&vendor, &new));
    refused(vendor.keys_at(&url, "rotate ci --yes --to file:other.key"), 6, "a rotation of the key `ci` is open");
    place.write("go", "");
    let resumed = vendor.keys_at(&url, "rotation resume").done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(!works(&vendor, &old) && works(&vendor, &new));
    assert_eq!(delivered(&place), new);
    assert_eq!(active(&vendor).len(), 2, "one admin, and one new key");
    let over = vendor.done("rotation list");
    assert_eq!(over.stdout, "");
}

#[test]
fn on_leadlex_a_rotation_that_is_killed_before_the_answer_makes_no_second_key() {
    let place = Place::new();
    let server = Server::start(&place);
    let vendor = Vendor::new(&place, &server, "leadlex", "");
    let old = vendor.create("--name ci --perm read --expires 30d");
    let ((made, is_made), (release, released)) = (channel(), channel::<()>());
    let address = server.address().to_owned();
    let mut first = true;
    let proxy = Fake::new(move |request| {
        let answer = forward(&address, request);
        if first && request.starts_with("POST ") {
            first = false;
            made.send(()).unwrap();
            // Until whoever waits for it is gone.
            released.recv().unwrap();
        }
        Some(answer)
    });
    let url = format!("{}/leadlex", proxy.url());
    let mut running = vendor.keys_at(&url, "rotate ci --yes --to file:ci.key").start();
    is_made.recv_timeout(HANGS).unwrap();
    running.kill();
    assert_eq!(running.done().killed_by, Some(9));
    assert_eq!(active(&vendor).len(), 3, "the service has made it");
    assert!(works(&vendor, &old));
    release.send(()).unwrap();
    let resumed = vendor.keys_at(&url, "rotation resume").done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(!works(&vendor, &old) && works(&vendor, &delivered(&place)));
    assert_eq!(active(&vendor).len(), 2, "one admin, and one new key");
}
