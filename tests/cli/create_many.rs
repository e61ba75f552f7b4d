//! Several keys by one command: a name a line, a place each.

use std::fs;

use crate::support::{Place, Server, assert_is_key, modes};

/// A file of so many names, and a directory for their keys.
fn prepare(place: &Place, count: usize) {
    let names: Vec<String> = (1..=count).map(|number| format!("worker {number}")).collect();
    place.write("names.txt", names.join("\n"));
    fs::create_dir(place.path("out")).unwrap();
}

const LINE: &str = "create --names names.txt --perm read:contacts --to file:out/{name}";

#[test]
fn each_name_gets_a_key_in_a_place_of_its_own() {
    let place = Place::new();
    prepare(&place, 12);
    let seen = place.local(LINE).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
    assert!(seen.stderr.contains("[12/12] Created key `worker "), "{}", seen.stderr);
    assert!(seen.stderr.ends_with("Created 12 of 12 keys\n"), "{}", seen.stderr);
    for (name, mode) in modes(&place.path("out")).into_iter().filter(|(name, _)| name != ".") {
        assert_eq!(mode, 0o600, "{name}");
    }
    for number in 1..=12 {
        let plain = place.read(&format!("out/worker {number}"));
        assert_is_key(plain.trim_end());
        let found = place.local("lookup --json").input(plain).done();
        assert_eq!(found.data()["name"], format!("worker {number}"));
    }
    // The same names again: nothing is made, nothing is overwritten.
    let before = place.read("out/worker 1");
    let again = place.local(LINE).done();
    assert_eq!(again.code, 9, "{}", again.stderr);
    assert!(again.stderr.contains("an active key is already named `worker 1`"), "{}", again.stderr);
    assert!(!again.stderr.contains("goes on with the rest"), "{}", again.stderr);
    assert!(again.stderr.contains("choose other names, or add --if-exists skip"), "{}", again.stderr);
    let error = place.local(&format!("{LINE} --json")).done().stderr;
    let resume = error.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok()).unwrap();
    let resumed = place.shell(resume["error"]["resume"].as_str().unwrap()).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    let skipped = place.local(&format!("{LINE} --if-exists skip")).done();
    assert_eq!(skipped.code, 0, "{}", skipped.stderr);
    assert!(skipped.stderr.contains("Key `worker 1` exists already; nothing was made"), "{}", skipped.stderr);
    assert!(skipped.stderr.ends_with("Created 0 of 12 keys; 12 were there already\n"), "{}", skipped.stderr);
    assert_eq!(place.read("out/worker 1"), before);
    assert_eq!(place.local("list --json --jq .meta.count").done().stdout, "12\n");
    place.write("names.txt", "worker 1\nworker 13");
    let some = place.local(&format!("{LINE} --if-exists skip")).done();
    assert!(some.stderr.ends_with("Created 1 of 2 keys; 1 was there already\n"), "{}", some.stderr);
}

#[test]
fn what_cannot_be_done_for_one_name_is_found_out_before_the_first_is_made() {
    let place = Place::new();
    prepare(&place, 3);
    let refused = |line: &str, expected: &str| {
        let seen = place.local(line).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{line}: {}", seen.stderr);
        assert!(seen.stderr.contains(expected), "{line}: {}", seen.stderr);
    };
    refused("create --names names.txt --perm read", "many keys cannot all go to standard output");
    refused("create --names names.txt --perm read --to file:out/one", "every key would go to `file:out/one`");
    refused("create --names names.txt --perm read --to file:out/{id}", "its id is not known before it is made");
    refused("create --names names.txt --name x --perm read", "cannot be used with");
    for (names, expected) in [
        ("a\nb\na\n", "line 3 of `names.txt`: `a` stands there already"),
        ("\n\n", "`names.txt` holds no name"),
        ("a\n../b\n", "the key `../b` has no place"),
        ("a\nb\u{7}\n", "line 2 of `names.txt`"),
    ] {
        place.write("names.txt", names);
        refused(LINE, expected);
    }
    place.write("names.txt", b"a\n\xff\n");
    refused(LINE, "is not UTF-8 text");
    place.write("names.txt", "a\n$(touch harm)\n");
    refused("create --names names.txt --perm read --to cmd:cat>out/{name}", "its name cannot stand in one");
    place.write("names.txt", "a\n{id}\n");
    let plan = place.local(&format!("{LINE} --dry-run")).done();
    assert_eq!((plan.code, plan.stdout.as_str()), (0, "a  file:out/a\n{id}  file:out/{id}\n"), "{}", plan.stderr);
    assert_eq!(place.local("list --json --jq .meta.count").done().stdout, "0\n");
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 0);
}

/// Killed on the way, the same command with the key of the run gets every key there is, and makes no second.
#[test]
fn a_run_that_was_killed_goes_on_and_loses_no_key() {
    let place = Place::new();
    prepare(&place, 60);
    let server = Server::start(&place);
    let line = format!("{LINE} --idempotency-key batch-7 --jobs 8");
    let mut running = server.keys(&server.admin, &line).start();
    while fs::read_dir(place.path("out")).unwrap().count() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    running.kill();
    running.done();
    // As if what was under way had not arrived.
    for entry in fs::read_dir(place.path("out")).unwrap().take(5) {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let seen = server.keys(&server.admin, &line).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert_eq!(server.everything().as_array().unwrap().len(), 61, "60 and the admin's");
    for number in 1..=60 {
        let plain = place.read(&format!("out/worker {number}"));
        let found = server.keys(&server.admin, "lookup --json").input(plain).done();
        assert_eq!(found.data()["name"], format!("worker {number}"));
    }
}

#[test]
fn a_place_that_fails_for_one_is_named_and_the_rest_is_made() {
    let place = Place::new();
    prepare(&place, 4);
    fs::create_dir(place.path("out/worker 2")).unwrap();
    let seen = place.local(&format!("{LINE} --json")).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (9, ""), "{}", seen.stderr);
    let error = seen.error();
    assert_eq!(error["failures"].as_array().unwrap().len(), 1);
    assert_eq!((&error["failures"][0]["name"], &error["failures"][0]["exit"]), (&"worker 2".into(), &2.into()));
    assert_eq!(error["done"].as_array().unwrap().len(), 3);
    fs::remove_dir(place.path("out/worker 2")).unwrap();
    let again = place.shell(error["resume"].as_str().unwrap()).done();
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 4);
}

#[test]
fn a_thousand_keys_are_made_and_revoked_against_a_limit_that_nobody_sees() {
    let place = Place::new();
    prepare(&place, 1000);
    let server = Server::start(&place);
    let ops = server.create("ops", "admin:api_keys,read,read:contacts");
    let plan = place.keys("serve workspace set-plan Acme enterprise --per-minute 1500 --database".split(' '));
    assert_eq!(plan.arg(format!("sqlite:{}", place.path("service.db").display())).done().code, 0);
    let line = format!("{LINE} --jobs 32 --max-wait 3m --json");
    let made = server.keys(&ops, &line).done();
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(made.data().as_array().unwrap().len(), 1000);
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 1000);
    // A thousand more do not go into the same minute.
    let mut revoking = server.keys(&ops, "revoke --yes --max 1000 --max-wait 3m --json --name").arg("worker *").start();
    assert!(revoking.ends_within(std::time::Duration::from_mins(5)), "it waits for more than its limit");
    let revoked = revoking.done();
    assert_eq!(revoked.code, 0, "{}", revoked.stderr);
    assert_eq!(revoked.data().as_array().unwrap().len(), 1000);
    assert!(!made.stderr.contains("Rate limit exceeded") && !revoked.stderr.contains("Rate limit exceeded"));
    let one = place.read("out/worker 500");
    let found = server.keys(&server.admin, "lookup --json").input(one).done();
    assert_eq!(found.data()["status"], "revoked");
}
