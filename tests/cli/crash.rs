//! Several processes at once, and processes that are killed in the middle.

use std::collections::HashSet;

use crate::support::Place;

#[test]
fn sixteen_at_once_on_first_use() {
    let place = Place::new();
    let running: Vec<_> =
        (0..16).map(|number| place.local("create --perm read --name").arg(format!("key {number}")).start()).collect();
    let plain: HashSet<String> = running.into_iter().map(|running| running.done().secret()).collect();
    assert_eq!(plain.len(), 16);
    assert_eq!(place.everything().matches("\"id\"").count(), 16);
    let seen = place.sqlite("a sound database", "PRAGMA integrity_check; SELECT COUNT(*) FROM workspaces;");
    assert!(seen.is_none_or(|answer| answer == "ok\n1\n"));
}

#[test]
fn one_idempotency_key_sixteen_times_at_once_makes_one_key() {
    let place = Place::new();
    let running: Vec<_> =
        (0..16).map(|_| place.local("create --perm read --name ci --idempotency-key one").start()).collect();
    let plain: HashSet<String> = running.into_iter().map(|running| running.done().secret()).collect();
    assert_eq!(plain.len(), 1);
    assert_eq!(place.everything().matches("\"id\"").count(), 1);
}

#[test]
fn one_name_eight_times_at_once_makes_one_key() {
    let place = Place::new();
    let running: Vec<_> = (0..8).map(|_| place.local("create --perm read --name ci").start()).collect();
    let mut codes: Vec<i32> = running.into_iter().map(|running| running.done().code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 6, 6, 6, 6, 6, 6, 6]);
}

#[test]
fn whatever_was_printed_survives_a_kill() {
    let place = Place::new();
    let mut printed = Vec::new();
    // Spread over the run of a create, from before its first step to after its last.
    for step in 0_u64..30 {
        let mut running = place.local("create --perm read --name").arg(format!("key {step}")).start();
        // When the kill comes does not matter: whatever it hits has to hold.
        std::thread::sleep(std::time::Duration::from_micros(step * step * 150));
        running.kill();
        let seen = running.done();
        if !seen.stdout.is_empty() {
            assert!(seen.stdout.ends_with('\n'), "half a key: {}", seen.stdout);
            printed.push((step, seen.stdout.trim_end().to_owned()));
        }
    }
    for (step, plain) in printed {
        let seen = place.local("lookup --jq .data.name").input(&plain).done();
        assert_eq!((seen.code, seen.stdout), (0, format!("key {step}\n")), "{}", seen.stderr);
    }
    place.create("after", "read");
    let seen = place.sqlite("a sound database after kills", "PRAGMA integrity_check; PRAGMA foreign_key_check;");
    assert!(seen.is_none_or(|answer| answer == "ok\n"));
    // Nobody's name is taken by a key that is not there.
    let everything = place.everything();
    for step in 0..30 {
        if !everything.contains(&format!("\"key {step}\"")) {
            place.create(&format!("key {step}"), "read");
        }
    }
}
