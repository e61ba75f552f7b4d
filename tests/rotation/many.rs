//! Many keys at once, and the same command again.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::proxy::Fate;
use super::scene::Scene;
use crate::support::HANGS;

fn with_keys(count: usize) -> Scene {
    let scene = Scene::new();
    for number in 0..count {
        scene.keys(&format!("create -q --name job-{number} --perm read:contacts --to cmd:cat>/dev/null")).done();
    }
    fs::create_dir(scene.place.path("jobs")).unwrap();
    scene
}

const LINE: &str = "rotate --name job-* --to file:jobs/{name} --yes --max 20";

fn statuses(scene: &Scene, count: usize) -> Vec<u16> {
    (0..count).map(|number| scene.service.status(scene.place.read(&format!("jobs/job-{number}")).trim_end())).collect()
}

#[test]
fn each_key_has_its_place_and_the_others_are_left_alone() {
    let scene = with_keys(5);
    let capped = scene.keys(&LINE.replace("--max 20", "--max 4")).done();
    assert_eq!(capped.code, 13, "{}", capped.stderr);
    for shared in ["--to file:key", "", "--to stdout"] {
        let refused = scene.keys(&format!("rotate --name job-* --yes --max 20 {shared}")).done();
        assert_eq!(refused.code, 2, "{}", refused.stderr);
    }
    let planned = scene.keys(&format!("{LINE} --dry-run --json")).done().data();
    assert_eq!(planned["rotations"].as_array().unwrap().len(), 5);
    let seen = scene.keys(&format!("{LINE} --jobs 3")).done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
    assert!(
        seen.stderr.contains("[5/5] Rotated key `job-") && seen.stderr.ends_with("Rotated 5 of 5 keys\n"),
        "{}",
        seen.stderr
    );
    assert_eq!(statuses(&scene, 5), [200; 5]);
    assert_eq!(scene.ids("ci"), std::slice::from_ref(&scene.old_id));
    assert_eq!(scene.keys("list --json --status revoked").done().data().as_array().unwrap().len(), 5);
    // Once it is done, the same command is meant anew.
    let again = scene.keys(&format!("{LINE} --json")).done().data();
    assert_eq!(again.as_array().unwrap().len(), 5);
    assert_eq!(statuses(&scene, 5), [200; 5]);
    let none = scene.keys("rotate --older-than 90d --to file:jobs/{id} --grace 1h").done();
    assert_eq!((none.code, none.stderr.as_str()), (0, "No key fits; there is nothing to rotate\n"));
}

#[test]
fn the_same_command_again_goes_on_where_it_was_killed() {
    let scene = with_keys(6);
    let mut kills = 0;
    for held in [2, 1] {
        let mut count = 0;
        let proxy = scene.proxy(move |line| {
            count += u32::from(line.contains("/revoke"));
            if line.contains("/revoke") && count > held { Fate::WaitsAfter } else { Fate::Passes }
        });
        let mut running = scene.keys_by(&proxy, &format!("{LINE} --jobs 2")).start();
        proxy.wait();
        running.kill();
        kills += i32::from(running.done().killed_by.is_some());
        // The rotations know their service by the address they were begun with.
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let resumed = scene.keys_by(&proxy, &format!("{LINE} --jobs 2")).done();
        assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        assert!(resumed.stderr.contains("Going on where an earlier run stopped: "), "{}", resumed.stderr);
        assert_eq!(scene.open().len(), 0);
        assert_eq!(statuses(&scene, 6), [200; 6]);
        // None was rotated twice.
        let revoked = scene.keys("list --json --status revoked").done().data().as_array().unwrap().len();
        assert_eq!(revoked, 6 * usize::try_from(kills).unwrap());
    }
    assert_eq!(kills, 2);
}

#[test]
fn what_fails_is_named_and_the_rest_is_done() {
    let scene = with_keys(4);
    fs::create_dir(scene.place.path("jobs/job-2")).unwrap();
    let seen = scene.keys(&format!("{LINE} --json")).done();
    assert_eq!(seen.code, 9, "{}", seen.stderr);
    let error = seen.error();
    assert_eq!(error["failures"].as_array().unwrap().len(), 1);
    assert_eq!(
        (error["failures"][0]["name"].as_str(), error["failures"][0]["exit"].as_i64()),
        (Some("job-2"), Some(2))
    );
    assert_eq!(error["done"].as_array().unwrap().len(), 3);
    fs::remove_dir(scene.place.path("jobs/job-2")).unwrap();
    let again = scene.shell(error["resume"].as_str().unwrap()).done();
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("Rotated 1 of 1 key\n"), "{}", again.stderr);
    assert_eq!(statuses(&scene, 4), [200; 4]);
}

#[test]
fn names_that_others_chose_lead_nowhere_else() {
    let scene = with_keys(0);
    for name in ["../up", "a b; touch harm", "$(touch harm)"] {
        scene.keys("create -q --perm read:contacts --to cmd:cat>/dev/null --name").arg(name).done();
    }
    let seen = scene.keys("rotate --name * --yes --max 9 --to cmd:cat>{name}").done();
    assert_eq!(seen.code, 9, "{}", seen.stderr);
    assert!(
        seen.stderr.contains("use {id} in --to") || seen.stderr.contains("its name cannot stand in one"),
        "{}",
        seen.stderr
    );
    let files = scene.keys("rotate --name ../* --yes --max 9 --to file:jobs/{name}").done();
    assert_eq!(files.code, 9, "{}", files.stderr);
    for made in ["harm", "up", "../up"] {
        assert!(!scene.place.path(made).exists(), "{made} was made");
    }
    let by_id = scene.keys("rotate --name ../* --yes --max 9 --to file:jobs/{id}").done();
    assert_eq!(by_id.code, 0, "{}", by_id.stderr);
}

#[test]
fn many_keys_are_revoked_and_deleted_by_what_they_are() {
    let scene = with_keys(4);
    let plan = scene.keys("revoke --name job-* --dry-run --json").done();
    assert_eq!(plan.data().as_array().unwrap().len(), 4);
    for refused in [
        "revoke --name job-*",
        "revoke --name job-* --yes",
        "revoke --name job-* --yes --max 3",
        "revoke ci --name job-* --yes",
    ] {
        let seen = scene.keys(refused).done();
        assert!([13, 2].contains(&seen.code), "{refused}: {}", seen.stderr);
    }
    assert_eq!(scene.keys("list --json --status revoked").done().data().as_array().unwrap().len(), 0);
    let seen = scene.keys("revoke --name job-* --reason leaked --yes --max 4").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let revoked = scene.keys("list --json --status revoked").done().data();
    assert!(revoked.as_array().unwrap().iter().all(|key| key["revoked_reason"] == "leaked"));
    assert_eq!(revoked.as_array().unwrap().len(), 4);
    // Only active keys are chosen.
    assert_eq!(scene.keys("delete --name job-* --yes --max 4").done().code, 0);
    assert_eq!(scene.keys("list --json --status revoked").done().data().as_array().unwrap().len(), 4);
    assert_eq!(scene.keys("delete --name c? --yes --max 4").done().code, 0);
    assert_eq!(scene.ids("ci"), Vec::<String>::new());
}

/// A call that makes a key, by hand: three hundred processes would take longer than what is tested.
fn make(scene: &Scene, number: usize) {
    let body = format!(r#"{{"name":"job-{number}","permissions":["read:contacts"]}}"#);
    let mut stream = TcpStream::connect(scene.service.address()).unwrap();
    write!(
        stream,
        "POST /v1/api-keys HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        scene.service.address(),
        scene.service.admin,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[test]
fn three_hundred_keys_against_a_limit_killed_twice_on_the_way() {
    const COUNT: usize = 300;
    // Three calls a key, and no more than 700 a minute: the limit is hit.
    let scene = Scene::with("--per-minute 700");
    fs::create_dir(scene.place.path("jobs")).unwrap();
    let ops = scene.keys("create -q --name ops --perm admin:api_keys,read,read:contacts").done().secret();
    for number in 0..COUNT {
        make(&scene, number);
    }
    let line = format!("rotate --name job-* --to file:jobs/{{name}} --yes --max {COUNT} --jobs 8 --max-wait 3m");
    for killed_after in [60, 140] {
        let mut running = scene.keys(&line).env("KEYS_API_KEY", &ops).start();
        let begin = Instant::now();
        while fs::read_dir(scene.place.path("jobs")).unwrap().count() < killed_after {
            assert!(begin.elapsed() < HANGS, "it stands still");
            std::thread::sleep(Duration::from_millis(5));
        }
        running.kill();
        assert_eq!(running.done().killed_by, Some(9));
    }
    let mut running = scene.keys(&line).env("KEYS_API_KEY", &ops).start();
    assert!(running.ends_within(Duration::from_mins(5)), "it waits for more than its limit");
    let seen = running.done();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""), "{}", seen.stderr);
    assert!(!seen.stderr.contains("Rate limit exceeded") && !seen.stderr.contains("Not rotated"), "{}", seen.stderr);
    assert!(seen.stderr.contains("Going on where an earlier run stopped: "), "{}", seen.stderr);
    let all = scene.keys("list --status all --name job-* --json").done().data();
    let of = |status: &str| all.as_array().unwrap().iter().filter(|key| key["status"] == status).count();
    assert_eq!((of("active"), of("revoked")), (COUNT, COUNT), "each was rotated, and once");
    assert_eq!(scene.open().len(), 0);
    let prefixes: HashSet<String> = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["status"] == "active")
        .map(|key| key["prefix"].as_str().unwrap().to_owned())
        .collect();
    for number in 0..COUNT {
        let key = scene.place.read(&format!("jobs/job-{number}"));
        assert!(prefixes.contains(&key[..12]), "job-{number} has a key that does not work");
    }
}
