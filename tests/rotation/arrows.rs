//! SIGKILL at each arrow that can be seen from outside: requests and answers that are held, and commands that block.

use std::fs;
use std::time::{Duration, Instant};

use super::proxy::Fate;
use super::scene::Scene;
use crate::support::HANGS;

/// Kills a rotation while a request is held, before it gets to the service or after; then resumes it.
fn killed_at(request: &'static str, fate: Fate, more: &str) {
    let scene = Scene::new();
    let proxy = scene.proxy(move |line| if line.contains(request) { fate.clone() } else { Fate::Passes });
    let line = format!("rotate ci --yes {} {more}", scene.to());
    let mut running = scene.keys_at(proxy.url(), &line).start();
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
    let resumed = scene.keys_at(proxy.url(), "rotation resume").done();
    assert_eq!((resumed.code, resumed.stdout.as_str()), (0, ""), "{}", resumed.stderr);
    scene.is_rotated();
    let again = scene.keys("rotation resume").done();
    assert_eq!((again.code, again.stderr.as_str()), (0, "There is no rotation to go on with\n"));
}

#[test]
fn after_the_intent_before_the_request_arrives() {
    killed_at("POST /v1/api-keys HTTP", Fate::WaitsBefore, "");
}

#[test]
fn after_the_service_committed_before_a_byte_of_the_answer() {
    killed_at("POST /v1/api-keys HTTP", Fate::WaitsAfter, "");
}

#[test]
fn after_the_service_committed_with_nothing_kept() {
    killed_at("POST /v1/api-keys HTTP", Fate::WaitsAfter, "--no-escrow");
}

#[test]
fn during_the_verification() {
    killed_at("GET /v1/whoami", Fate::WaitsBefore, "");
    killed_at("GET /v1/whoami", Fate::WaitsAfter, "--no-escrow");
}

#[test]
fn after_the_commit_before_the_old_key_is_revoked() {
    killed_at("/revoke", Fate::WaitsBefore, "");
}

#[test]
fn after_the_old_key_is_revoked_before_it_is_noted() {
    killed_at("/revoke", Fate::WaitsAfter, "--compromised");
}

/// Kills a rotation while a command of the user's blocks; then resumes it. `{began}` and `{go}` in the line are files.
fn killed_in_a_command(options: &str) -> Scene {
    let scene = Scene::new();
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
    let scene = killed_in_a_command(blocks);
    let out = scene.place.path("out");
    assert_eq!(fs::read_to_string(&out).unwrap(), scene.known());
    fs::remove_file(out).unwrap();
    scene.is_rotated();
}

#[test]
fn in_the_middle_of_the_check() {
    let blocks = "--check 'cat > {out}; : > {began}; until [ -e {go} ]; do sleep 0.02; done'";
    let scene = killed_in_a_command(blocks);
    assert_eq!(fs::read_to_string(scene.place.path("out")).unwrap(), scene.known());
    fs::remove_file(scene.place.path("out")).unwrap();
    scene.is_rotated();
}

#[test]
fn a_rotation_that_was_killed_can_be_taken_back_until_the_new_key_is_live() {
    for (request, fate) in [
        ("POST /v1/api-keys HTTP", Fate::WaitsBefore),
        ("POST /v1/api-keys HTTP", Fate::WaitsAfter),
        ("GET /v1/whoami", Fate::WaitsBefore),
    ] {
        let scene = Scene::new();
        let proxy = scene.proxy(move |line| if line.contains(request) { fate.clone() } else { Fate::Passes });
        let mut running = scene.keys_at(proxy.url(), "rotate ci --yes --to cmd:cat>/dev/null").start();
        proxy.wait();
        running.kill();
        running.done();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let aborted = scene.keys_at(proxy.url(), "rotation abort").done();
        assert_eq!(aborted.code, 0, "{}", aborted.stderr);
        scene.is_as_before();
        scene.is_clean(&[]);
    }
}

#[test]
fn an_abort_that_was_killed_is_gone_on_with() {
    let scene = Scene::new();
    let proxy = scene.proxy(|line| if line.contains("/revoke") { Fate::WaitsAfter } else { Fate::Passes });
    let failing = scene.keys_at(proxy.url(), "rotate ci --yes --to cmd:false").done();
    assert_eq!(failing.code, 11, "{}", failing.stderr);
    let mut aborting = scene.keys_at(proxy.url(), "rotation abort").start();
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
