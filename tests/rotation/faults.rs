//! What fails on the way without anybody dying: each with its exit code, and with a message that says what to type.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::proxy::Fate;
use super::scene::{Scene, has, line_to_type};
use super::vendor::{Asked, BOTH};
use crate::support::fake::json_answer;
use crate::support::{Fake, KEYS, NOBODYS, Seen, leave_out};

/// Whether a rotation that stopped with this code goes on by the line that it printed.
#[track_caller]
fn goes_on(scene: &Scene, seen: &Seen, code: i32) -> Seen {
    assert_eq!(seen.code, code, "{}", seen.stderr);
    scene.holds();
    let line = line_to_type(seen);
    let resumed = scene.keys(&line).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    resumed
}

#[test]
fn an_answer_that_is_lost_leaves_the_outcome_unknown_and_a_resume_finds_it() {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
        let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
        assert!(seen.stderr.contains("it is not known whether the new key was made"), "{}", seen.stderr);
        proxy.decide(|_| Fate::Passes);
        // The name is the successor's by now: nobody knows that one, and it is not what is meant.
        for compromised in ["", "--compromised"] {
            let again = scene.keys_by(&proxy, &format!("rotate ci --yes {compromised} {}", scene.to())).done();
            assert_eq!(again.code, 6, "{}", again.stderr);
            assert!(again.stderr.contains("keys rotation resume"), "{}", again.stderr);
            scene.holds();
        }
        goes_on(&scene, &seen, 10);
        scene.is_rotated();
    }
}

#[test]
fn a_service_that_is_away_has_made_nothing() {
    let mut scene = Scene::new();
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::WaitsBefore));
    // It ends while the request is on its way, and is there again when the rotation is resumed.
    let running = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).start();
    proxy.wait();
    scene.service.end();
    proxy.release();
    let seen = running.done();
    assert_eq!(seen.code, 10, "{}", seen.stderr);
    let away = scene.keys("rotate ci --yes --to cmd:cat").done();
    assert_eq!(away.code, 8, "{}", away.stderr);
    scene.service.begin(&[]);
    proxy.decide(|_| Fate::Passes);
    goes_on(&scene, &seen, 10);
    scene.is_rotated();
}

#[test]
fn a_service_that_starts_again_in_the_middle_has_kept_its_answer() {
    for vendor in BOTH {
        let mut scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Mint, Fate::WaitsAfter));
        let mut running = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).start();
        proxy.wait();
        running.kill();
        running.done();
        scene.service.end();
        scene.service.begin(&[]);
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let resumed = scene.keys("rotation resume").done();
        assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        scene.is_rotated();
    }
}

#[test]
fn what_the_service_refuses_changes_nothing_and_leaves_nothing() {
    let refusals = [
        (400, "validation_error", 2),
        (409, "duplicate_name", 6),
        (422, "unprocessable", 2),
        (403, "permission_not_held", 5),
        (429, "rate_limited", 7),
    ];
    for (vendor, (status, code, exit)) in BOTH.into_iter().flat_map(|vendor| refusals.map(|refusal| (vendor, refusal)))
    {
        let scene = Scene::on(vendor);
        let body = format!(r#"{{"error":{{"code":"{code}","message":"No"}}}}"#);
        let answer = json_answer(status, &body);
        let proxy = scene.proxy(scene.at(Asked::Mint, Fate::Answered(answer)));
        let line = format!("rotate ci --yes {} --max-wait 1s", scene.to());
        let seen = scene.keys_by(&proxy, &line).done();
        assert_eq!(seen.code, exit, "{status}: {}", seen.stderr);
        assert!(seen.stderr.contains("could not rotate the key `ci`; nothing was changed"), "{}", seen.stderr);
        assert!(!scene.sink().exists());
        scene.is_as_before();
        scene.is_clean(&[]);
    }
}

#[test]
fn a_refusal_on_the_way_back_does_not_say_that_nothing_was_made() {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
        let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
        let line = line_to_type(&seen);
        let answer = json_answer(403, r#"{"error":{"code":"insufficient_permissions","message":"No"}}"#);
        proxy.decide(scene.at(Asked::Mint, Fate::Answered(answer)));
        let refused = scene.keys(&line).done();
        assert_eq!(refused.code, 5, "{}", refused.stderr);
        assert_eq!(scene.open().len(), 1, "what was made is still named");
        proxy.decide(|_| Fate::Passes);
        goes_on(&scene, &refused, 5);
        scene.is_rotated();
    }
}

#[test]
fn a_plaintext_that_the_service_does_not_show_again_is_lost_and_its_key_is_named() {
    for vendor in BOTH {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
        let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
        let without_plaintext = |body: &str| {
            let mut answer: serde_json::Value = serde_json::from_str(body).unwrap();
            answer["data"].as_object_mut().unwrap().remove("key");
            answer.to_string()
        };
        proxy.decide(scene.at(Asked::Mint, Fate::Rewritten(without_plaintext)));
        for _ in 0..2 {
            let unseen = scene.keys(&line_to_type(&seen)).done();
            assert_eq!(unseen.code, 10, "{}", unseen.stderr);
            assert!(unseen.stderr.contains("does not show its plaintext again"), "{}", unseen.stderr);
            assert!(unseen.stderr.contains("keys rotation abort rot_"), "{}", unseen.stderr);
            scene.holds();
            let new = scene.open()[0]["new"]["id"].as_str().unwrap().to_owned();
            assert!(scene.ids("ci").contains(&new));
        }
        let aborted = scene.keys("rotation abort").done();
        assert_eq!(aborted.code, 0, "{}", aborted.stderr);
        scene.is_as_before();
        assert_eq!(scene.keys(&format!("rotate ci --yes {}", scene.to())).done().code, 0);
        scene.is_rotated();
    }
}

#[test]
fn an_answer_that_is_no_longer_kept_makes_no_second_key() {
    if !has("faketime", "a replay after its window") {
        return;
    }
    for vendor in BOTH {
        let mut scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
        let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
        let made = scene.ids("ci");
        assert_eq!((seen.code, made.len()), (10, 2));
        proxy.decide(|_| Fate::Passes);
        scene.service.end();
        scene.service.begin(&["faketime", "-f", "+25h"]);
        let late = scene.keys(&line_to_type(&seen)).done();
        assert_eq!(late.code, 6, "{}", late.stderr);
        assert!(late.stderr.contains("keys rotation abort rot_"), "{}", late.stderr);
        scene.holds();
        assert_eq!(scene.ids("ci"), made, "no second key");
        // Whose key it is has to be said by somebody who knows; then the rotation can be taken back.
        let new = made.iter().find(|id| **id != scene.old_id).unwrap();
        assert_eq!(scene.keys(&format!("revoke {new} --yes")).done().code, 0);
        let aborted = scene.keys("rotation abort").done();
        assert_eq!(aborted.code, 0, "{}", aborted.stderr);
        scene.is_as_before();
    }
}

#[test]
fn a_clock_that_was_wrong_takes_no_grace_away() {
    if !has("faketime", "a clock that is stepped by a day") {
        return;
    }
    for (stepped, exit) in [("-1d", 2), ("+1d", 0)] {
        let scene = Scene::new();
        let to = scene.to();
        let seen = scene.shell(&format!("faketime -f {stepped} {KEYS} rotate ci --grace 1h {to}")).done();
        assert_eq!(seen.code, exit, "{}", seen.stderr);
        scene.holds();
        if exit == 2 {
            assert!(seen.stderr.contains("compare the clock of this machine"), "{}", seen.stderr);
            goes_on(&scene, &seen, 2);
        }
        assert_eq!((scene.service.status(&scene.old), scene.service.status(&scene.known())), (200, 200));
        assert_eq!(scene.open().len(), 0);
    }
    let scene = Scene::new();
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
    let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
    proxy.decide(|_| Fate::Passes);
    let line = line_to_type(&seen);
    let late = format!("faketime -f +2d {KEYS} {line}");
    let resumed = scene.shell(&late).env("KEYS_API_URL", scene.url_of(&proxy)).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    scene.is_rotated();
}

#[test]
fn two_rotations_of_one_key_at_once() {
    let points = [(Asked::Mint, Fate::WaitsAfter), (Asked::Verify, Fate::WaitsBefore)];
    for (vendor, (asked, fate)) in BOTH.into_iter().flat_map(|vendor| points.clone().map(|point| (vendor, point))) {
        let scene = Scene::on(vendor);
        let proxy = scene.proxy(scene.at(asked, fate));
        let first = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).start();
        proxy.wait();
        // By the name, which is the successor's by now, and by the id of either.
        let ids = scene.ids("ci");
        for key in ["ci", &ids[0], &ids[1]] {
            let second = scene.keys_by(&proxy, &format!("rotate {key} --yes --to cmd:cat")).done();
            assert_eq!(second.code, 6, "{}", second.stderr);
            assert!(second.stderr.contains("keys rotation"), "{}", second.stderr);
        }
        let resumed = scene.keys_by(&proxy, "rotation resume").done();
        assert_eq!(resumed.code, 6, "{}", resumed.stderr);
        assert!(resumed.stderr.contains("another process is rotating the key `ci`"), "{}", resumed.stderr);
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        let seen = first.done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        scene.is_rotated();
    }
}

#[test]
fn a_place_that_fails_keeps_the_key_safe() {
    let scene = Scene::new();
    let seen = scene.shell(&format!("keys rotate ci --yes {} --to 'cmd:exit 3'", scene.to())).done();
    assert!(seen.stderr.contains("the new key was made, and is not delivered"), "{}", seen.stderr);
    assert_eq!(seen.code, 11);
    // The first place has it already; the second is exchanged for one that works.
    let line = line_to_type(&seen);
    let refused = scene.keys(&line).done();
    assert_eq!(refused.code, 11, "{}", refused.stderr);
    let resumed = scene.shell(&format!("keys {line} --to 'cmd:cat > taken'")).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(scene.place.read("taken"), scene.known());
    fs::remove_file(scene.place.path("taken")).unwrap();
    scene.is_rotated();
}

#[test]
fn two_that_write_to_one_dotenv_file_do_not_undo_each_other() {
    if !has("strace", "holds up a program that is about to replace a file") {
        return;
    }
    let scene = Scene::new();
    let file = scene.place.path(".env");
    let create = |name: &str| format!("create -q --name {name} --perm read:contacts --to dotenv:.env#{name}");
    let slow = "exec strace -f -qqq -o /dev/null -e 'trace=/^rename' -e 'inject=/^rename:delay_enter=700000'";
    let first = scene.shell(&format!("{slow} {KEYS} {}", create("FIRST"))).start();
    // It has read the file, and written what is to take its place.
    let is_about_to = |entry: fs::DirEntry| fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("FIRST="));
    while !fs::read_dir(file.parent().unwrap()).unwrap().flatten().any(is_about_to) {}
    assert_eq!(scene.keys(&create("SECOND")).done().code, 0);
    assert_eq!(first.done().code, 0);
    let content = fs::read_to_string(&file).unwrap();
    for name in ["FIRST", "SECOND"] {
        let value = content.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        let plain = value.unwrap_or_else(|| panic!("{name} is lost"));
        assert_eq!(scene.service.status(plain.trim_matches(['"', '\''])), 200, "{name}");
    }
}

#[test]
fn a_key_that_does_not_verify_leaves_the_old_one_alone() {
    let scene = Scene::new();
    let refused = json_answer(401, r#"{"error":{"code":"invalid_key","message":"Invalid API key"}}"#);
    let proxy = scene.proxy(scene.at(Asked::Verify, Fate::Answered(refused)));
    let line = format!("rotate ci --yes --verify-timeout 1s {}", scene.to());
    let seen = scene.keys_by(&proxy, &line).done();
    assert!(seen.stderr.contains("the new key does not work"), "{}", seen.stderr);
    assert_eq!(scene.service.status(&scene.old), 200);
    proxy.decide(|_| Fate::Passes);
    goes_on(&scene, &seen, 12);
    scene.is_rotated();

    let scene = Scene::new();
    let seen = scene.shell(&format!("keys rotate ci --yes {} --check 'exit 7'", scene.to())).done();
    assert!(seen.stderr.contains("the check of the new key failed"), "{}", seen.stderr);
    assert_eq!(seen.code, 12);
    scene.holds();
    let aborted = scene.keys("rotation abort").done();
    assert_eq!(aborted.code, 0, "{}", aborted.stderr);
    scene.is_as_before();
}

#[test]
fn standard_output_that_is_closed_before_or_on_the_way() {
    let scene = Scene::new();
    let closed = scene.shell("keys rotate ci --yes >&-").done();
    assert_eq!(closed.code, 2, "{}", closed.stderr);
    scene.is_as_before();
    scene.is_clean(&[]);

    // A reader who goes away while the key is made.
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::WaitsAfter));
    let line =
        "{ keys rotate ci --yes; echo $? > code; } | { until [ -e go ]; do sleep 0.02; done; exec <&-; : > gone; }";
    let running = scene.shell(line).env("KEYS_API_URL", scene.url_of(&proxy)).start();
    proxy.wait();
    scene.place.write("go", "");
    wait_for(&scene.place.path("gone"));
    proxy.release();
    let seen = running.done();
    assert_eq!(scene.place.read("code"), "11\n", "{}", seen.stderr);
    scene.holds();
    proxy.decide(|_| Fate::Passes);
    let line = line_to_type(&seen);
    let line = format!("NEW=$(keys {line}); echo $?; printf %s \"$NEW\" > consumer/key");
    let printed = scene.shell(&line).env("KEYS_API_URL", scene.url_of(&proxy)).done();
    assert_eq!(printed.stdout, "0\n", "{}", printed.stderr);
    scene.is_rotated();
}

fn wait_for(path: &Path) {
    let begin = std::time::Instant::now();
    while !path.exists() {
        assert!(begin.elapsed() < crate::support::HANGS, "{} does not come", path.display());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_journal_that_cannot_be_written_before_anything_is_sent() {
    let scene = Scene::new();
    // No file may be longer than nothing; whoever hits the limit is told, and not killed.
    let line = format!("trap '' XFSZ; ulimit -f 0; keys rotate ci --yes {}", scene.to());
    let seen = scene.shell(&line).done();
    assert!([2, 8].contains(&seen.code), "{}: {}", seen.code, seen.stderr);
    scene.is_as_before();
    scene.is_clean(&[]);
}

#[test]
fn a_disk_that_fills_up_on_the_way() {
    let scene = Scene::new();
    let disk = scene.place.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k,mode=0700", "none"]).arg(&disk).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        leave_out("mount", "a disk that fills up between two steps");
        return;
    }
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fills_up(&scene, &disk)));
    Command::new("umount").arg("-l").arg(&disk).status().unwrap();
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn fills_up(scene: &Scene, disk: &Path) {
    let data = disk.join("data");
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::WaitsAfter));
    let line = format!("rotate ci --yes {} --to json:{}", scene.to(), disk.join("key.json").display());
    let running = scene.keys_by(&proxy, &line).env("KEYS_DATA_DIR", data.to_str().unwrap()).start();
    proxy.wait();
    let fill = format!("cat /dev/zero > {}/fill", disk.display());
    scene.shell(&fill).done();
    proxy.release();
    let seen = running.done();
    assert_eq!(seen.code, 11, "{}", seen.stderr);
    assert_eq!(scene.service.status(&scene.known()), 200);
    let line = line_to_type(&seen);
    fs::remove_file(disk.join("fill")).unwrap();
    proxy.decide(|_| Fate::Passes);
    let resumed = scene.keys_by(&proxy, &line).env("KEYS_DATA_DIR", data.to_str().unwrap()).done();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(fs::read_to_string(disk.join("key.json")).unwrap().contains(&scene.known()));
    assert_eq!(fs::read_dir(data.join("rotations")).unwrap().count(), 0);
    assert_eq!((scene.service.status(&scene.known()), scene.service.status(&scene.old)), (200, 401));
}

#[test]
fn somebody_who_interrupts_is_told_how_to_go_on() {
    let signals = [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)];
    let points = [(Asked::Mint, Fate::WaitsAfter), (Asked::Verify, Fate::WaitsBefore)];
    for ((signal, code), (asked, fate)) in signals.into_iter().flat_map(|one| points.clone().map(|point| (one, point)))
    {
        let scene = Scene::new();
        let proxy = scene.proxy(scene.at(asked, fate));
        let running = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).start();
        proxy.wait();
        running.signal(signal);
        let seen = running.done();
        proxy.decide(|_| Fate::Passes);
        proxy.release();
        // The service has made it, and nobody has heard of that.
        let is_unsure = seen.stderr.contains("it is not known whether the new key was made");
        assert_eq!(is_unsure, matches!(asked, Asked::Mint), "{}", seen.stderr);
        goes_on(&scene, &seen, code);
        scene.is_rotated();
    }
}

#[test]
fn a_key_for_one_service_is_not_shown_to_another_one() {
    let scene = Scene::new();
    let seen = scene.keys("rotate ci --yes --to cmd:false").done();
    assert_eq!(seen.code, 11, "{}", seen.stderr);
    let other = Fake::untouched();
    for line in ["resume", "abort", "finish", "resume --all"] {
        let line = format!("rotation {line}");
        let run = scene.place.keys(line.split_whitespace()).env("KEYS_API_URL", other.url());
        let refused = run.env("KEYS_API_KEY", NOBODYS).done();
        assert_ne!(refused.code, 0, "{line}");
        assert_eq!(scene.open().len(), 1, "{line}: {}", refused.stderr);
    }
    let run = scene.place.keys(["rotation", "abort"]).env("KEYS_API_URL", other.url()).env("KEYS_API_KEY", NOBODYS);
    let refused = run.done();
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("and the key in KEYS_API_KEY is for http://127.0.0.1:"), "{}", refused.stderr);
    assert_eq!(scene.keys("rotation abort").done().code, 0);
    scene.is_as_before();
}

#[test]
fn another_key_does_not_go_on_where_the_request_would_be_a_new_one() {
    let scene = Scene::new();
    let proxy = scene.proxy(scene.at(Asked::Mint, Fate::CutAfter));
    let seen = scene.keys_by(&proxy, &format!("rotate ci --yes {}", scene.to())).done();
    proxy.decide(|_| Fate::Passes);
    let other = scene.keys("create -q --name other --perm admin:api_keys,read:contacts").done().secret();
    let refused = scene.keys(&line_to_type(&seen)).env("KEYS_API_KEY", other).done();
    assert_eq!(refused.code, 6, "{}", refused.stderr);
    assert!(refused.stderr.contains("was begun with the key wbk_"), "{}", refused.stderr);
    goes_on(&scene, &seen, 10);
    scene.is_rotated();
}
