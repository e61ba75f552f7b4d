//! SIGKILL at each arrow that can be seen from outside: requests and answers that are held, and commands that block. Each
//! with a provider that helps to rotate, and with one that does not.

use std::fs;
use std::time::{Duration, Instant};

use super::proxy::Fate;
use super::scene::Scene;
use super::vendor::{Asked, BOTH, Vendor};
use crate::support::HANGS;

/// Kills a rotation while a request is held, before it gets to the service or after; then resumes it.
fn killed_at(asked: Asked, fate: &Fate, more: &str) {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(asked, fate.clone()));
        let line = format!("rotate ci --yes {} {more}", scene.to());
        let mut running = scene.keys_by(&proxy, &line).start();
        proxy.wait();
        running.kill();
        assert_eq!(running.done().killed_by, Some(9));
        scene.holds();
        let open = scene.open();
        assert_eq!(open.len(), 1, "{open:?}");
        // The next command says that something is not over.
        let reminded = scene.keys("list").done();
        assert!(reminded.stderr.starts_with("1 rotation is not over: keys rotation list\n"), "{}", reminded.stderr);
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let resumed = scene.keys_by(&proxy, "rotation resume").done();
        assert_eq!((resumed.code, resumed.stdout.as_str()), (0, ""), "{vendor:?}: {}", resumed.stderr);
        scene.is_rotated();
        let again = scene.keys("rotation resume").done();
        assert_eq!((again.code, again.stderr.as_str()), (0, "There is no rotation to go on with\n"));
    }
}

#[test]
fn after_the_intent_before_the_request_arrives() {
    killed_at(Asked::Mint, &Fate::WaitsBefore, "");
}

#[test]
fn after_the_service_committed_before_a_byte_of_the_answer() {
    killed_at(Asked::Mint, &Fate::WaitsAfter, "");
}

#[test]
fn after_the_service_committed_with_nothing_kept() {
    killed_at(Asked::Mint, &Fate::WaitsAfter, "--no-escrow");
}

#[test]
fn during_the_verification() {
    killed_at(Asked::Verify, &Fate::WaitsBefore, "");
    killed_at(Asked::Verify, &Fate::WaitsAfter, "--no-escrow");
}

#[test]
fn after_the_commit_before_the_old_key_is_revoked() {
    killed_at(Asked::Revoke, &Fate::WaitsBefore, "");
}

#[test]
fn after_the_old_key_is_revoked_before_it_is_noted() {
    killed_at(Asked::Revoke, &Fate::WaitsAfter, "--compromised");
}

/// Kills a rotation while a command of the user's blocks; then resumes it. `{began}` and `{go}` in the line are files.
fn killed_in_a_command(vendor: Vendor, options: &str) -> Scene {
    let scene = Scene::on(vendor);
    let (began, go) = (scene.place.path("began"), scene.place.path("go"));
    let command = options
        .replace("{began}", began.to_str().unwrap())
        .replace("{go}", go.to_str().unwrap())
        .replace("{out}", scene.place.path("out").to_str().unwrap());
    let line = format!("keys rotate ci --yes {} {command}", scene.to());
    let mut running = scene
        .shell(&format!("exec {}", line.replace("keys rotate", &format!("{} rotate", crate::support::KEYS))))
        .start();
    let deadline = Instant::now() + HANGS;
    while !began.exists() {
        assert!(Instant::now() < deadline, "the command was not started");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill();
    scene.holds();
    // Whoever blocked outlives who started it, ends now, and does not block again.
    #[expect(clippy::disallowed_methods, reason = "the files of a test need be neither private nor atomic")]
    fs::write(&go, "").unwrap();
    assert_eq!(running.done().killed_by, Some(9));
    let resumed = scene.keys("rotation resume").done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    scene
}

#[test]
fn in_the_middle_of_a_delivery() {
    // It has read a part of the key when it is killed, and gets all of it when it is resumed.
    let blocks = "--to 'cmd:head -c 10 > {out}; : > {began}; until [ -e {go} ]; do sleep 0.02; done; cat >> {out}'";
    for vendor in BOTH {
        let scene = killed_in_a_command(vendor, blocks);
        let out = scene.place.path("out");
        assert_eq!(fs::read_to_string(&out).unwrap(), scene.known());
        fs::remove_file(out).unwrap();
        scene.is_rotated();
    }
}

#[test]
fn in_the_middle_of_the_check() {
    let blocks = "--check 'cat > {out}; : > {began}; until [ -e {go} ]; do sleep 0.02; done'";
    for vendor in BOTH {
        let scene = killed_in_a_command(vendor, blocks);
        assert_eq!(fs::read_to_string(scene.place.path("out")).unwrap(), scene.known());
        fs::remove_file(scene.place.path("out")).unwrap();
        scene.is_rotated();
    }
}

#[test]
fn a_rotation_that_was_killed_can_be_taken_back_until_the_new_key_is_live() {
    let arrows =
        [(Asked::Mint, Fate::WaitsBefore), (Asked::Mint, Fate::WaitsAfter), (Asked::Verify, Fate::WaitsBefore)];
    for (vendor, (asked, fate)) in BOTH.into_iter().flat_map(|vendor| arrows.clone().map(|arrow| (vendor, arrow))) {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(asked, fate));
        let mut running = scene.keys_by(&proxy, "rotate ci --yes --to cmd:cat>/dev/null").start();
        proxy.wait();
        running.kill();
        running.done();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let aborted = scene.keys_by(&proxy, "rotation abort").done();
        assert_eq!(aborted.code, 0, "{}", aborted.stderr);
        scene.is_as_before();
        scene.is_clean(&[]);
    }
}

#[test]
fn an_abort_that_was_killed_is_gone_on_with() {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Revoke, Fate::WaitsAfter));
        let failing = scene.keys_by(&proxy, "rotate ci --yes --to cmd:false").done();
        assert_eq!(failing.code, 11, "{}", failing.stderr);
        let mut aborting = scene.keys_by(&proxy, "rotation abort").start();
        proxy.wait();
        aborting.kill();
        aborting.done();
        proxy.decide(|_| Fate::Passes);
        let seen = scene.keys("rotation resume").done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        assert!(seen.stderr.starts_with("Aborted the rotation of the key `ci`: "), "{}", seen.stderr);
        scene.is_as_before();
        scene.is_clean(&[]);
    }
}
