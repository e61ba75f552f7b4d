//! Rotating the very key that this program is logged in with: never locked out.

use super::proxy::Fate;
use super::scene::Scene;
use crate::support::Run;

fn logged_in(url: &str, scene: &Scene) {
    let seen = scene
        .place
        .keys(["login", "--insecure-storage", "--key-stdin", "--api-url", url])
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
    assert_eq!((whoami["key_name"].as_str(), whoami["source"].as_str()), (Some("admin"), Some("file")));
    assert_eq!(scene.service.status(&scene.service.admin), 401);
    assert_eq!(keys(scene, "rotation list --json").done().data().as_array().unwrap().len(), 0);
    let admins = keys(scene, "list --json --name admin").done().data();
    assert_eq!(admins.as_array().unwrap().len(), 1);
    assert_eq!(whoami["key_id"], admins[0]["id"]);
}

#[test]
fn the_new_key_is_verified_then_stored_then_the_old_one_is_retired() {
    let scene = Scene::new();
    logged_in(&scene.service.url(), &scene);
    let seen = keys(&scene, "rotate admin --yes").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
    assert!(seen.stderr.contains("Logged in with the new key from now on"), "{}", seen.stderr);
    is_logged_in_with_a_new_key(&scene);
}

#[test]
fn whenever_it_is_killed_somebody_is_logged_in() {
    for (request, fate) in [
        ("POST /v1/api-keys HTTP", Fate::WaitsAfter),
        ("GET /v1/whoami", Fate::WaitsAfter),
        ("/revoke", Fate::WaitsBefore),
        ("/revoke", Fate::WaitsAfter),
    ] {
        let scene = Scene::new();
        let proxy = scene.proxy(|_| Fate::Passes);
        logged_in(proxy.url(), &scene);
        let mut asked = 0;
        proxy.decide(move |line| {
            // It asks who it is before it asks for the new key; the second time it verifies that.
            asked += u32::from(line.contains(request));
            let holds = line.contains(request) && (request != "GET /v1/whoami" || asked > 1);
            if holds { fate.clone() } else { Fate::Passes }
        });
        let mut running = keys(&scene, "rotate admin --yes").start();
        proxy.wait();
        running.kill();
        running.done();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        assert_eq!(keys(&scene, "whoami").done().code, 0);
        let resumed = keys(&scene, "rotation resume").done();
        assert_eq!(resumed.code, 0, "{request}: {}", resumed.stderr);
        is_logged_in_with_a_new_key(&scene);
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
    let scene = Scene::new();
    let proxy = scene.proxy(|line| if line.contains("/revoke") { Fate::WaitsAfter } else { Fate::Passes });
    let mut running = scene.keys_at(proxy.url(), "rotate admin --yes --to file:consumer/key").start();
    proxy.wait();
    running.kill();
    running.done();
    proxy.decide(|_| Fate::Passes);
    proxy.release();
    let resumed = scene.keys("rotation resume").done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(scene.service.status(&scene.known()), 200);
    assert_eq!(scene.service.status(&scene.service.admin), 401);
}
