//! Rotations in which nothing fails: what they do, say and print.

use std::fs;

use serde_json::{Value, json};

use super::scene::{Scene, line_to_type};
use crate::support::Place;

#[test]
fn a_script_gets_the_key_alone() {
    let scene = Scene::new();
    let seen = scene.shell("NEW=$(keys rotate ci --yes); echo \"$?\"; printf %s \"$NEW\" > consumer/key").done();
    assert_eq!(seen.stdout, "0\n", "{}", seen.stderr);
    assert!(seen.stderr.starts_with("Rotating key `ci` (key_"), "{}", seen.stderr);
    scene.is_rotated();
    let place = Place::new();
    place.create("ci", "read");
    place.local("rotate ci --yes").done().secret();
    assert_eq!(place.local("list --json").done().data().as_array().unwrap().len(), 1);
}

#[test]
fn a_rotation_without_a_grace_asks_and_one_with_a_grace_does_not() {
    let scene = Scene::new();
    let refused = scene.keys(&format!("rotate ci {}", scene.to())).done();
    assert_eq!((refused.code, refused.stdout.as_str()), (13, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("add --yes"), "{}", refused.stderr);
    let many = scene.keys("rotate --name c* --to file:{name} --yes").done();
    assert_eq!(many.code, 13, "{}", many.stderr);
    scene.is_as_before();
    let seen = scene.keys(&format!("rotate ci --grace 2h {}", scene.to())).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(seen.stderr.contains("old key      ends at 2"), "{}", seen.stderr);
    assert_eq!(scene.keys("rotate ci --grace 2h --compromised").done().code, 2);
}

#[test]
fn the_successor_is_what_the_key_was() {
    let place = Place::new();
    let made = place
        .local("create -q --perm read:contacts --perm write:deals --expires 30d --tier high --name")
        .arg("a b")
        .arg("--description")
        .arg("nightly")
        .done();
    made.secret();
    let before = place.keys(["-p", "local", "show", "a b", "--json"]).done().data();
    let seen = place.keys(["-p", "local", "rotate", "a b", "--yes", "--json"]).done();
    let object: Value = serde_json::from_str(&seen.stdout).unwrap();
    let after = &object["data"];
    for field in ["name", "description", "permissions", "tier", "temporary"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    let end = |key: &Value| key["expires_at"].as_str().unwrap()[..10].to_owned();
    assert_eq!(end(&before), end(after));
    assert_eq!(after["rotation"]["old"]["id"], before["id"]);
    assert_eq!(after["rotation"]["retirement"], json!({ "kind": "at_once" }));
    assert!(after["secret"].as_str().unwrap().starts_with("wbk_"));
    let old = place.local("show").arg(before["id"].as_str().unwrap()).arg("--json").done().data();
    assert_eq!((old["status"].as_str(), old["revoked_reason"].as_str()), (Some("revoked"), Some("rotated")));
    let renamed = place.keys([
        "-p",
        "local",
        "rotate",
        "a b",
        "--yes",
        "--name",
        "c",
        "--compromised",
        "--to",
        "cmd:cat>/dev/null",
    ]);
    assert_eq!(renamed.done().code, 0);
    let old = place.local("show").arg(after["id"].as_str().unwrap()).arg("--json").done().data();
    assert_eq!((old["name"].as_str(), old["revoked_reason"].as_str()), (Some("a b"), Some("compromised")));
    assert_eq!(place.local("show c --jq .data.status").done().stdout, "active\n");
}

#[test]
fn a_dry_run_says_exactly_what_would_be_done_and_does_nothing() {
    let scene = Scene::new();
    let line = format!("rotate ci --grace 1h {} --check true --dry-run", scene.to());
    let seen = scene.keys(&line).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    for part in [
        "  make      POST http://127.0.0.1:",
        "\"replaces\":\"key_",
        "  deliver   file:",
        "  check     true",
        "  old key   ends 1h after",
    ] {
        assert!(seen.stdout.contains(part), "{part}: {}", seen.stdout);
    }
    let plan = scene.keys(&format!("{line} --json")).done().data();
    assert_eq!(plan["rotations"][0]["request"]["body"]["replaces"], scene.old_id.as_str());
    assert_eq!(plan["rotations"][0]["retirement"], json!({ "kind": "ending", "seconds": 3600 }));
    scene.is_as_before();
    scene.is_clean(&[]);
}

#[test]
fn a_key_that_is_gone_or_that_nobody_knows_is_not_rotated() {
    let scene = Scene::new();
    assert_eq!(scene.keys("rotate nobody --yes --to cmd:cat").done().code, 3);
    assert_eq!(scene.keys("rotate --yes --to cmd:cat").done().code, 2);
    assert_eq!(scene.keys("rotation resume rot_0000000000000000").done().code, 3);
    assert_eq!(scene.keys("rotation show ../../etc/passwd").done().code, 3);
    assert_eq!(scene.keys("rotation abort").done().code, 3);
    assert_eq!(scene.keys("rotation finish --due").done().code, 0);
    scene.keys("revoke ci --yes").done();
    let seen = scene.keys("rotate ci --yes --to cmd:cat").done();
    assert_eq!(seen.code, 6, "{}", seen.stderr);
}

#[test]
fn a_place_that_cannot_be_prepared_stops_everything_before_the_key_is_made() {
    let scene = Scene::new();
    for place in ["file:absent/key", "cmd:no-such-command", "fd:99"] {
        let seen = scene.keys("rotate ci --yes --to").arg(place).done();
        assert_eq!(seen.code, 2, "{}", seen.stderr);
    }
    assert_eq!(scene.keys("rotate ci --yes --to cmd:cat --check no-such-command").done().code, 2);
    scene.is_as_before();
    scene.is_clean(&[]);
}

/// A rotation that has to be finished by somebody, as a service leaves one behind that does not change when a key ends.
fn waiting(scene: &Scene, live_at: &str) -> String {
    let failing = scene.keys("rotate ci --yes --to cmd:false").done();
    let id = line_to_type(&failing).rsplit(' ').next().unwrap().to_owned();
    let path = scene.place.data().join("rotations").join(format!("{id}.json"));
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    record["step"] = json!("waiting");
    record["live_at"] = json!(live_at);
    record["retirement"] = json!({ "kind": "staying", "seconds": 3600 });
    for place in record["places"].as_array_mut().unwrap() {
        place["done"] = json!(true);
    }
    #[expect(clippy::disallowed_methods, reason = "it is written over a private file, whose mode stays")]
    fs::write(path, record.to_string()).unwrap();
    id
}

#[test]
fn an_old_key_that_stays_is_retired_once_it_is_due_and_nobody_uses_it() {
    let scene = Scene::new();
    let id = waiting(&scene, "2020-01-01T00:00:00Z");
    assert_eq!(scene.service.status(&scene.old), 200);
    // It was used this minute.
    let busy = scene.keys("rotation finish --due").done();
    assert_eq!(busy.code, 6, "{}", busy.stderr);
    assert!(busy.stderr.contains(&format!("keys rotation finish {id} --force")), "{}", busy.stderr);
    assert_eq!(scene.keys(&format!("rotation finish {id}")).done().code, 6);
    assert_eq!(scene.keys(&format!("rotation abort {id}")).done().code, 6);
    let resumed = scene.keys(&format!("rotation resume {id}")).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(scene.service.status(&scene.old), 200);
    let other = scene.keys("rotate ci --yes --to cmd:cat>/dev/null").done();
    assert_eq!(other.code, 0, "the successor may be rotated in its turn: {}", other.stderr);
    let forced = scene.keys("rotation finish --due --force").done();
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert_eq!(scene.service.status(&scene.old), 401);
    scene.is_clean(&[]);
}

#[test]
fn an_old_key_that_is_not_due_is_retired_only_if_somebody_says_so() {
    let scene = Scene::new();
    let id = waiting(&scene, "2099-01-01T00:00:00Z");
    assert_eq!(scene.keys("rotation finish --due").done().stderr, "There is no rotation to retire\n");
    let refused = scene.keys(&format!("rotation finish {id}")).done();
    assert_eq!(refused.code, 13, "{}", refused.stderr);
    let seen = scene.keys(&format!("rotation finish {id} --yes")).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    scene.is_clean(&[]);
}

#[test]
fn open_rotations_are_listed_and_shown() {
    let scene = Scene::new();
    assert_eq!(scene.keys("rotation list").done().stderr, "No rotation is open\n");
    let failing = scene.keys("rotate ci --yes --to cmd:false").done();
    let line = line_to_type(&failing);
    let id = line.rsplit(' ').next().unwrap();
    let listed = scene.keys("rotation list --json").done().data();
    assert_eq!((listed[0]["id"].as_str(), listed[0]["step"].as_str()), (Some(id), Some("minted")));
    let shown = scene.keys(&format!("rotation show {id}")).done();
    assert!(shown.stdout.contains("cmd:false: does not have it"), "{}", shown.stdout);
    assert!(!format!("{}{}", listed, shown.stdout).contains("secret"));
    let record = fs::read_to_string(scene.place.data().join("rotations").join(format!("{id}.json"))).unwrap();
    assert!(!record.contains("_secret"));
    assert_eq!(
        crate::support::modes(&scene.place.data().join("rotations"))
            .iter()
            .filter(|(_, mode)| *mode & 0o077 != 0)
            .count(),
        0
    );
    // Told of by other commands, but not to programs.
    assert!(scene.keys("list").done().stderr.starts_with("1 rotation is not over"));
    assert_eq!(scene.keys("list --json").done().stderr, "");
    assert_eq!(scene.keys("rotation abort").done().code, 0);
    scene.is_as_before();
    assert!(!scene.keys("list").done().stderr.contains("rotation"));
}
