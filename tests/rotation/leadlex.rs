//! What is LeadLex's own: names that are taken, and an old key that stays until somebody retires it, since nobody there
//! changes when a key ends.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::proxy::Fate;
use super::scene::{Scene, line_to_type, printed};
use super::vendor::{Asked, Vendor};
use crate::support::HANGS;

/// A rotation whose old key stays; its id.
fn waiting(scene: &Scene) -> String {
    let seen = scene.keys(&format!("rotate ci --grace 1h {}", scene.to())).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
    let open = scene.open();
    let id = open[0]["id"].as_str().unwrap().to_owned();
    assert!(seen.stderr.contains(&format!("Retire it with: keys rotation finish {id}")), "{}", seen.stderr);
    assert_eq!((open.len(), &open[0]["step"]), (1, &json!("waiting")));
    scene.holds();
    id
}

/// The journal's record of a rotation, and where it is.
fn record(scene: &Scene, id: &str) -> (PathBuf, Value) {
    let path = scene.place.data().join("rotations").join(format!("{id}.json"));
    let record = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    (path, record)
}

/// Puts back when the new key went live.
fn is_live_since(scene: &Scene, id: &str, instant: &str) {
    let (path, mut record) = record(scene, id);
    record["live_at"] = json!(instant);
    #[expect(clippy::disallowed_methods, reason = "it is written over a private file, whose mode stays")]
    fs::write(path, record.to_string()).unwrap();
}

#[test]
fn an_old_key_stays_until_the_rotation_is_finished() {
    let scene = Scene::on(Vendor::LeadLex);
    let id = waiting(&scene);
    assert_eq!((scene.service.status(&scene.old), scene.service.status(&scene.known())), (200, 200));
    let listed = scene.keys("rotation list").done();
    assert!(listed.stdout.contains(&id) && listed.stdout.contains("\twaiting\t"), "{}", listed.stdout);
    let shown = scene.keys(&format!("rotation show {id} --json")).done().data();
    assert_eq!(shown["retirement"], json!({ "kind": "staying", "seconds": 3600 }));
    // Nothing is left that could be gone on with or taken back, and another rotation of it is not begun.
    let resumed = scene.keys(&format!("rotation resume {id}")).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(resumed.stderr.contains(&format!("keys rotation finish {id}")), "{}", resumed.stderr);
    let resumed = scene.keys("rotation resume").done();
    assert_eq!((resumed.code, resumed.stderr.as_str()), (0, "There is no rotation to go on with\n"));
    let aborted = scene.keys("rotation abort").done();
    assert_eq!(aborted.code, 6, "{}", aborted.stderr);
    assert!(aborted.stderr.contains(&format!("keys rotation finish {id}")), "{}", aborted.stderr);
    let second = scene.keys(&format!("rotate {} --yes --to cmd:cat", scene.old_id)).done();
    assert_eq!(second.code, 6, "{}", second.stderr);
    assert!(second.stderr.contains(&format!("keys rotation finish {id}")), "{}", second.stderr);
    // It is not due, which is asked about; and somebody has called with it since.
    assert_eq!(scene.keys("rotation finish --due").done().stderr, "There is no rotation to retire\n");
    let unasked = scene.keys("rotation finish").done();
    assert_eq!(unasked.code, 13, "{}", unasked.stderr);
    is_live_since(&scene, &id, "2020-01-01T00:00:00Z");
    let busy = scene.keys("rotation finish --due --when-idle 1h").done();
    assert_eq!(busy.code, 6, "{}", busy.stderr);
    assert!(busy.stderr.contains(&format!("keys rotation finish {id} --force")), "{}", busy.stderr);
    scene.holds();
    // Nobody has called with it within this second, before long.
    let begin = Instant::now();
    let finished = loop {
        let seen = scene.keys("rotation finish --due --when-idle 1s").done();
        if seen.code != 6 || begin.elapsed() > HANGS {
            break seen;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(finished.stderr.contains("old key      revoked"), "{}", finished.stderr);
    scene.is_rotated();
    assert_eq!(scene.keys("rotation finish").done().code, 3);
}

#[test]
fn a_finish_that_was_killed_is_gone_on_with() {
    for fate in [Fate::WaitsBefore, Fate::WaitsAfter] {
        let scene = Scene::on(Vendor::LeadLex);
        let proxy = scene.proxy(|_| Fate::Passes);
        let line = format!("rotate ci --grace 1h {}", scene.to());
        assert_eq!(scene.keys_by(&proxy, &line).done().code, 0);
        proxy.decide(scene.at(Asked::Revoke, fate));
        let mut finishing = scene.keys("rotation finish --yes --force").start();
        proxy.wait();
        finishing.kill();
        finishing.done();
        scene.holds();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let finished = scene.keys("rotation finish --yes --force").done();
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        scene.is_rotated();
    }
}

#[test]
fn a_rotation_with_a_grace_that_was_killed_comes_to_where_it_waits() {
    for (asked, fate) in [(Asked::Mint, Fate::WaitsAfter), (Asked::Verify, Fate::WaitsAfter)] {
        let scene = Scene::on(Vendor::LeadLex);
        let proxy = scene.proxy(scene.at(asked, fate));
        let mut running = scene.keys_by(&proxy, &format!("rotate ci --grace 1h {}", scene.to())).start();
        proxy.wait();
        running.kill();
        running.done();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        scene.holds();
        assert_eq!(scene.keys("rotation resume").done().code, 0);
        scene.holds();
        assert_eq!((scene.service.status(&scene.old), &scene.open()[0]["step"]), (200, &json!("waiting")));
        assert_ne!(scene.known(), scene.old);
        assert_eq!(scene.keys("rotation finish --yes --force").done().code, 0);
        scene.is_rotated();
    }
}

#[test]
fn a_name_that_is_taken_is_said_with_the_way_to_choose_another() {
    let scene = Scene::on(Vendor::LeadLex);
    printed(&scene.keys("create -q --name other --perm read").done());
    let taken = scene.keys(&format!("rotate ci --yes --name other {}", scene.to())).done();
    assert_eq!(taken.code, 6, "{}", taken.stderr);
    assert!(taken.stderr.contains("could not rotate the key `ci`; nothing was changed"), "{}", taken.stderr);
    assert!(taken.stderr.contains("--name"), "{}", taken.stderr);
    scene.is_as_before();
    scene.is_clean(&[]);
    // Somebody else takes the name between the look and the request; the next time another one is chosen.
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::WaitsBefore));
    let running = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).start();
    proxy.wait();
    let open = scene.open().remove(0);
    let (_, asked) = record(&scene, open["id"].as_str().unwrap());
    let name = asked["request"]["name"].as_str().unwrap();
    let theirs = scene.keys("create -q --perm read --name").arg(name).done();
    printed(&theirs);
    proxy.release();
    let seen = running.done();
    assert_eq!(seen.code, 6, "{}", seen.stderr);
    assert!(seen.stderr.contains("nothing was changed"), "{}", seen.stderr);
    assert_eq!((scene.open().len(), scene.service.status(&scene.old)), (0, 200));
    let line = format!("rotate {} --yes {}", scene.old_id, scene.to());
    let again = scene.keys(&line).done();
    assert_eq!(again.code, 0, "{}", again.stderr);
    let names: Vec<Value> = scene.live("ci").into_iter().map(|key| key["name"].clone()).collect();
    assert!(names.contains(&json!(format!("{name}.2"))) && !names.contains(&json!("ci")), "{names:?}");
}

#[test]
fn a_name_that_is_taken_by_the_key_of_an_earlier_try_is_told_apart() {
    let scene = Scene::on(Vendor::LeadLex);
    // The answer is lost, and so is the service's memory of it: another key goes on, whose request is a new one.
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
    let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
    assert_eq!(seen.code, 10, "{}", seen.stderr);
    proxy.decide(|_| Fate::Passes);
    let other = printed(&scene.keys("create -q --name other --perm admin:api_keys,read --tier unmetered").done());
    let line = line_to_type(&seen);
    let taken = scene.keys(&line).env("KEYS_API_KEY", &other).done();
    assert_eq!(taken.code, 6, "{}", taken.stderr);
    for part in ["keys rotation resume rot_", "keys rotation abort rot_", " list --name 'ci @20"] {
        assert!(taken.stderr.contains(part), "{part}: {}", taken.stderr);
    }
    scene.holds();
    // With the key that began it, the answer is there.
    let resumed = scene.keys(&line).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    scene.is_rotated();
}
