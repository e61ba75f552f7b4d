//! SIGKILL at every system call that makes something last: each fsync, rename and removal of a whole rotation, one after
//! the other, so that no step of the journal is left out.

use super::scene::{Scene, has};
use super::vendor::{BOTH, Vendor};
use crate::support::KEYS;

/// Rotates under a supervisor that kills at the `number`th call of a kind; whether it got so far.
fn is_killed(scene: &Scene, call: &str, number: u32, path: Option<&str>, options: &str) -> bool {
    let only = path.map(|path| format!("-P {path}")).unwrap_or_default();
    let line = format!(
        "exec strace -f -qqq -o /dev/null {only} -e 'trace={call}' -e 'inject={call}:signal=KILL:when={number}' \
         {KEYS} rotate ci --yes {} {options}",
        scene.to()
    );
    let seen = scene.shell(&line).done();
    match seen.killed_by {
        Some(9) => true,
        None => {
            assert_eq!(seen.code, 0, "{}", seen.stderr);
            false
        }
        other => panic!("{other:?}: {}", seen.stderr),
    }
}

/// Kills at the first call, then at the second, and so on until a rotation is through; with either provider.
fn swept(call: &str, path: Option<&str>, options: &str, at_least: u32) {
    if has("strace", "kills at every system call that makes a step of a rotation last") {
        for vendor in BOTH {
            swept_on(vendor, call, path, options, at_least);
        }
    }
}

fn swept_on(vendor: Vendor, call: &str, path: Option<&str>, options: &str, at_least: u32) {
    let mut scene = Scene::on(vendor);
    let path = path.map(|name| scene.place.path(name).to_str().unwrap().to_owned());
    let mut number = 1;
    while is_killed(&scene, call, number, path.as_deref(), options) {
        scene.holds();
        let resumed = scene.keys("rotation resume").done();
        assert_eq!(resumed.code, 0, "{vendor:?} {call} {number}: {}", resumed.stderr);
        if scene.known() == scene.old {
            // It was killed before it had begun.
            scene.is_as_before();
            assert_eq!(scene.keys(&format!("rotate ci --yes {}", scene.to())).done().code, 0);
        }
        scene.is_rotated();
        scene.goes_on_with_the_new_key();
        number += 1;
    }
    scene.is_rotated();
    assert!(number > at_least, "only {} calls of {call}", number - 1);
}

#[test]
fn at_every_fsync() {
    swept("fsync", None, "", 10);
}

#[test]
fn at_every_fsync_with_nothing_kept() {
    swept("fsync", None, "--no-escrow", 8);
}

#[test]
fn at_every_rename() {
    swept("/^rename", None, "", 5);
}

#[test]
fn at_every_removal() {
    swept("/^unlink", None, "", 2);
}

#[test]
fn at_every_touch_of_the_place_itself() {
    // When it is made ready; and by a thread of its own, once it is written and before that lasts.
    swept("openat", Some("consumer"), "", 1);
    swept("fsync", Some("consumer"), "", 1);
}

#[test]
fn at_every_message_to_the_service() {
    swept("/^sendto|^recv", None, "--check true", 4);
}
