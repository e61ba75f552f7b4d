//! The examples of the README, run as far as they can be here: with commands that stand for those of GitHub and GitLab.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::scene::Scene;
use crate::support::Run;

/// The block behind a heading such as `**cron**`.
fn block(heading: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    let (_, behind) = readme.split_once(&format!("**{heading}**\n\n```")).expect("the heading");
    let (block, _) = behind.split_once("\n```\n").expect("the end of the block");
    block.to_owned()
}

/// The commands of a block, in their order.
fn commands(heading: &str) -> Vec<String> {
    let block = block(heading);
    let found: Vec<String> = block
        .lines()
        .filter_map(|line| line.split_once("keys rotat").map(|(_, rest)| format!("keys rotat{rest}")))
        .collect();
    assert!(found.len() >= 2, "{block}");
    found
}

/// A key named `deploy`, and a command that keeps what it reads in a file of its arguments' names.
fn scene(command: &str) -> Scene {
    let scene = Scene::new();
    let first = scene.keys("create -q --name deploy --perm write:contacts").done().secret();
    scene.place.write("first", first);
    fs::create_dir(scene.place.path("bin")).unwrap();
    let script = scene.place.write(&format!("bin/{command}"), "#!/bin/sh\n[ ! -e away ] && cat > \"got $*\"\n");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    scene
}

fn job<'a>(scene: &'a Scene, line: &str) -> Run<'a> {
    let path = format!("{}:/usr/bin:/bin", scene.place.path("bin").display());
    scene.shell(line).env("PATH", path).env("CI", "true")
}

/// The job's command, once while the secret store is away, and what goes on afterwards.
fn runs(heading: &str, command: &str, variable: &str, got: &str) {
    let scene = scene(command);
    let [rotate, resume] = commands(heading).try_into().expect("two commands");
    scene.place.write("away", "");
    let failed = job(&scene, &rotate).env(variable, "true").done();
    assert_eq!((failed.code, failed.stdout.as_str()), (11, ""), "{}", failed.stderr);
    fs::remove_file(scene.place.path("away")).unwrap();
    let resumed = job(&scene, &resume).env(variable, "true").done();
    assert_eq!((resumed.code, resumed.stdout.as_str()), (0, ""), "{}", resumed.stderr);
    let key = scene.place.read(got);
    assert_eq!((scene.service.status(&key), scene.service.status(&scene.place.read("first"))), (200, 200));
    let said = format!("{}{}", failed.stderr, resumed.stderr);
    if variable == "GITHUB_ACTIONS" {
        // The runner hears of the key to hide it, and of nothing else that holds it.
        assert!(said.lines().any(|line| line == format!("::add-mask::{key}")), "{said}");
    }
    let rest: String = said.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
    assert!(!rest.contains(&key), "{said}");
    let again = job(&scene, &rotate).env(variable, "true").done();
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(scene.live("deploy").len(), 3, "each with its grace");
}

#[test]
fn in_github_actions() {
    runs("GitHub Actions", "gh", "GITHUB_ACTIONS", "got secret set DEPLOY_KEY");
}

#[test]
fn in_gitlab() {
    runs("GitLab", "glab", "GITLAB_CI", "got variable update DEPLOY_KEY --masked");
}

#[test]
fn by_cron() {
    let scene = scene("true");
    let [rotate, rest] = commands("cron").try_into().expect("two lines");
    fs::create_dir(scene.place.path("keys.d")).unwrap();
    let rotate = rotate.replace("/etc/keys.d", scene.place.path("keys.d").to_str().unwrap());
    // None is that old; of those that are older than nothing, all but the one that asks.
    for line in [rotate.clone(), rotate.replace("90d", "1s"), rest] {
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let seen = job(&scene, &line).done();
        assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (0, "", ""), "{line}");
    }
    for name in ["ci", "deploy"] {
        let key = scene.place.read(&format!("keys.d/{name}"));
        assert_eq!(scene.service.status(key.trim_end()), 200);
        assert_eq!(scene.live(name).len(), 2);
    }
    assert_eq!(scene.service.status(&scene.old), 200);
}
