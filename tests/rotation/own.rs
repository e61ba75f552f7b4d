//! Rotating the very key that this program is logged in with: never locked out.

use super::proxy::Fate;
use super::scene::{Scene, has};
use super::vendor::{Asked, BOTH, Vendor};
use crate::support::{KEYS, Run};

fn logged_in(url: &str, scene: &Scene) {
    let seen = scene
        .place
        .keys(["login", "--provider", scene.vendor.name(), "--insecure-storage", "--key-stdin", "--api-url", url])
        .input(&scene.service.admin)
        .done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
}

/// As whoever is logged in.
fn keys<'a>(scene: &'a Scene, line: &str) -> Run<'a> {
    scene.place.keys(line.split_whitespace())
}

/// The key that is logged in works, is not the first one, and no key but it has the name.
fn is_logged_in_with_a_new_key(scene: &Scene) {
    let whoami = keys(scene, "whoami --json").done().data();
    assert_eq!(whoami["source"], "file");
    assert_eq!(scene.service.status(&scene.service.admin), 401);
    assert_eq!(keys(scene, "rotation list --json").done().data().as_array().unwrap().len(), 0);
    let admins = keys(scene, "list --json --name admin*").done().data();
    assert_eq!(admins.as_array().unwrap().len(), 1);
    if scene.vendor == Vendor::Native {
        // LeadLex does not tell which key asks.
        assert_eq!((&whoami["key_name"], &whoami["key_id"]), (&"admin".into(), &admins[0]["id"]));
    }
}

#[test]
fn the_new_key_is_verified_then_stored_then_the_old_one_is_retired() {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        logged_in(&scene.service.url(), &scene);
        let seen = keys(&scene, "rotate admin --yes").done();
        assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
        assert!(seen.stderr.contains("Logged in with the new key from now on"), "{}", seen.stderr);
        is_logged_in_with_a_new_key(&scene);
    }
}

#[test]
fn whenever_it_is_killed_somebody_is_logged_in() {
    for vendor in BOTH {
        for (asked, fate) in [
            (Asked::Mint, Fate::WaitsAfter),
            (Asked::Verify, Fate::WaitsAfter),
            (Asked::Revoke, Fate::WaitsBefore),
            (Asked::Revoke, Fate::WaitsAfter),
        ] {
            let scene = Scene::on(vendor);
            let proxy = scene.proxy(|_| Fate::Passes);
            logged_in(&scene.url_of(&proxy), &scene);
            proxy.decide(scene.at(asked, fate));
            let mut running = keys(&scene, "rotate admin --yes").start();
            proxy.wait();
            running.kill();
            running.done();
            proxy.decide(|_| Fate::Passes);
            proxy.release();
            assert_eq!(keys(&scene, "whoami").done().code, 0);
            let resumed = keys(&scene, "rotation resume").done();
            assert_eq!(resumed.code, 0, "{vendor:?} {asked:?}: {}", resumed.stderr);
            is_logged_in_with_a_new_key(&scene);
        }
    }
}

#[test]
fn a_job_can_rotate_the_key_in_its_environment() {
    let scene = Scene::new();
    let line = "NEW=$(keys rotate admin --yes) && KEYS_API_KEY=$NEW keys whoami --jq .data.key_name";
    let seen = scene.shell(line).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "admin\n"), "{}", seen.stderr);
    assert!(seen.stderr.contains("KEYS_API_KEY still holds the old key"), "{}", seen.stderr);
    assert_eq!(scene.service.status(&scene.service.admin), 401);
}

#[test]
fn a_job_that_is_killed_while_it_retires_its_own_key_goes_on_with_the_old_one() {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Revoke, Fate::WaitsAfter));
        let mut running = scene.keys_by(&proxy, "rotate admin --yes --to file:consumer/key").start();
        proxy.wait();
        running.kill();
        running.done();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let resumed = scene.keys("rotation resume").done();
        assert_eq!(resumed.code, 0, "{vendor:?}: {}", resumed.stderr);
        assert_eq!(scene.service.status(&scene.known()), 200);
        assert_eq!(scene.service.status(&scene.service.admin), 401);
    }
}

/// Kills while it is logged in with the new key, too, and takes it back; whether it got so far.
fn is_taken_back(vendor: Vendor, number: u32) -> bool {
    let scene = Scene::on(vendor);
    logged_in(&scene.service.url(), &scene);
    let inject = format!("-e trace=fsync -e inject=fsync:signal=KILL:when={number}");
    let line = format!("exec strace -f -qqq -o /dev/null {inject} {KEYS} rotate admin --yes");
    let rotating = scene.place.shell(&line).done();
    if rotating.killed_by.is_none() {
        assert_eq!(rotating.code, 0, "{}", rotating.stderr);
        return false;
    }
    let aborted = keys(&scene, "rotation abort").done();
    assert!([0, 3, 6].contains(&aborted.code), "{vendor:?}, call {number}: {}", aborted.stderr);
    let listed = keys(&scene, "list").done();
    assert_eq!(listed.code, 0, "{vendor:?}, call {number}: locked out: {}{}", aborted.stderr, listed.stderr);
    if aborted.code == 6 {
        // It is too late for that, and what is said leads on.
        let resumed = keys(&scene, "rotation resume").done();
        assert_eq!(resumed.code, 0, "{vendor:?}, call {number}: {}", resumed.stderr);
        is_logged_in_with_a_new_key(&scene);
    }
    true
}

#[test]
fn the_key_that_is_logged_in_is_kept_until_its_successor_is_stored() {
    let scene = Scene::new();
    logged_in(&scene.service.url(), &scene);
    let refused = keys(&scene, "rotate admin --yes --no-escrow").done();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("leave out --no-escrow"), "{}", refused.stderr);
    assert_eq!(keys(&scene, "list").done().code, 0);
    scene.is_as_before();
}

#[test]
fn whenever_it_is_taken_back_nobody_is_locked_out() {
    if has("strace", "kills at every step of a rotation of one's own key that is then taken back") {
        for vendor in BOTH {
            let mut number = 1;
            while is_taken_back(vendor, number) {
                number += 1;
            }
            assert!(number > 8, "only {} calls", number - 1);
        }
    }
}
