//! Creates that are killed before their key is where it should be: the next command says how to get it.

use std::fs;
use std::sync::mpsc::{Sender, channel};

use serde_json::Value;

use crate::support::{Fake, Place, Pty, Run, Seen, Server, assert_is_key, forward, modes};

/// Forwards requests to the service and keeps the answer of those that change something to itself, until it is told to go on.
fn holding(server: &Server<'_>) -> (Fake, Sender<()>) {
    let address = server.address().to_owned();
    let (go_on, told) = channel();
    let fake = Fake::new(move |request| {
        let answer = forward(&address, request);
        if request.starts_with("POST ") {
            told.recv().ok();
        }
        Some(answer)
    });
    (fake, go_on)
}

fn call<'a>(place: &'a Place, server: &Server<'_>, url: &str, line: &str) -> Run<'a> {
    place.keys(line.split_whitespace()).env("KEYS_API_URL", url).env("KEYS_API_KEY", &server.admin)
}

/// What a look at the keys says besides.
fn said(place: &Place, server: &Server<'_>) -> Seen {
    let seen = server.keys(&server.admin, "list --json --jq [.data[].name]").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let table = server.keys(&server.admin, "list").done();
    assert!(modes(&place.data()).iter().all(|(name, mode)| name == "." || mode.trailing_zeros() >= 6));
    table
}

fn names(server: &Server<'_>) -> Vec<String> {
    let all = server.everything();
    all.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

/// The file of the only note there is.
fn note(place: &Place) -> String {
    let mut files = fs::read_dir(place.data().join("creates")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file.to_str().unwrap().to_owned()
}

#[test]
fn killed_before_the_answer_came_it_is_gone_on_with() {
    let place = Place::new();
    let server = Server::start(&place);
    let (proxy, go_on) = holding(&server);
    let mut running = call(&place, &server, proxy.url(), "create --name ci --perm read:contacts --to file:key").start();
    proxy.wait();
    // It is being worked on.
    assert!(!said(&place, &server).stderr.contains("The create of"));
    // The service has made it: nothing but the answer is missing.
    while !names(&server).contains(&"ci".to_owned()) {}
    running.kill();

    let seen = said(&place, &server);
    assert!(seen.stderr.contains("The create of `ci` on 127.0.0.1:"), "{}", seen.stderr);
    assert!(
        seen.stderr
            .contains("did not come to its end. Get its key with the same request, which makes no second one:\n")
    );
    let line = seen.resume_line();
    drop(go_on);
    // The line leads back by itself, wherever others go by now.
    let again = place.shell(&line).env("KEYS_API_URL", "http://127.0.0.1:1").env("KEYS_PROVIDER", "leadlex");
    let again = again.env("KEYS_API_KEY", &server.admin).done();
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    // Who goes on is not told to go on.
    assert!(again.stderr.starts_with("Got again key `ci`"), "{}", again.stderr);
    assert_is_key(place.read("key").trim_end());
    assert_eq!(names(&server).iter().filter(|name| *name == "ci").count(), 1);
    assert!(!said(&place, &server).stderr.contains("The create of"));
    assert_eq!(fs::read_dir(place.data().join("creates")).unwrap().count(), 0);
}

#[test]
fn killed_while_somebody_chooses_the_key_is_not_lost() {
    let place = Place::new();
    let pty = Pty::shell(&place, "keys -p local create --name ci --perm read:contacts --idempotency-key one");
    pty.expect("to the clipboard");
    // Somebody closes the window.
    pty.hang_up();
    let line = loop {
        let seen = place.local("list").done();
        if seen.stderr.contains("The create of `ci` on ") {
            break seen.resume_line();
        }
    };
    let seen = place.shell(&line).done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    seen.secret();
    assert_eq!(place.local("list --json --jq .meta.count").done().stdout, "1\n");
    assert!(!place.local("list").done().stderr.contains("The create of"));
}

#[test]
fn many_that_are_killed_are_gone_on_with() {
    let place = Place::new();
    let server = Server::start(&place);
    place.write("names.txt", "a\nb\nc\n");
    fs::create_dir(place.path("out")).unwrap();
    let (proxy, go_on) = holding(&server);
    let line = "create --names names.txt --perm read --to file:out/{name} --jobs 1";
    let mut running = call(&place, &server, proxy.url(), line).start();
    proxy.wait();
    go_on.send(()).unwrap();
    while !place.path("out/a").exists() {}
    running.kill();

    let seen = said(&place, &server);
    assert!(seen.stderr.contains("The create of `names.txt` on 127.0.0.1:"), "{}", seen.stderr);
    drop(go_on);
    let again = place.shell(&seen.resume_line()).env("KEYS_API_KEY", &server.admin).done();
    assert_eq!(again.code, 0, "{}", again.stderr);
    let mut made = names(&server);
    made.sort();
    assert_eq!(made, ["a", "admin", "b", "c"]);
    for name in ["a", "b", "c"] {
        assert_is_key(place.read(&format!("out/{name}")).trim_end());
    }
    assert!(!said(&place, &server).stderr.contains("The create of"));
}

#[test]
fn what_was_answered_is_not_told_again() {
    let place = Place::new();
    let silent = || !place.local("list").done().stderr.contains("The create of");
    // Refused, or made: it came to its end.
    assert_eq!(place.local("create --name ci --perm nonsense").done().code, 2);
    place.local("create -q --name ci --perm read").done().secret();
    assert_eq!(place.local("create --name ci --perm read").done().code, 6);
    assert_eq!(place.local("create --name ci --perm read --if-exists skip").done().code, 0);
    assert_eq!(place.local("create --name x --perm read --dry-run").done().code, 0);
    assert!(silent());
    // Made and not delivered: it is told until it is.
    let seen = place.local("create --name other --perm read --to").arg("cmd:false").done();
    assert_eq!(seen.code, 11, "{}", seen.stderr);
    let line = place.local("list").done().resume_line();
    assert_eq!(line, seen.resume_line());
    assert_eq!(place.shell(&line.replace("cmd:false", "'cmd:cat>taken'")).done().code, 0);
    assert!(silent());
    // Nothing of it is a secret.
    place.local("create --name third --perm read --to").arg("cmd:false").done();
    let taken = place.read("taken").trim_end().to_owned();
    assert_is_key(&taken);
    assert!(place.files_holding(&taken).iter().all(|path| path.ends_with("taken")));
    // Programs that read objects are told nothing.
    let seen = place.local("list --json").done();
    assert_eq!(seen.stderr, "");
    serde_json::from_str::<Value>(&seen.stdout).unwrap();
}

#[test]
fn one_idempotency_key_for_two_services_is_two_creates() {
    let place = Place::new();
    let server = Server::start(&place);
    let line = "create --name ci --perm read --idempotency-key one";
    assert_eq!(place.local(line).arg("--to").arg("cmd:false").done().code, 11);
    server.keys(&server.admin, line).done().secret();
    assert!(place.local("list").done().stderr.contains("The create of `ci` on local "));
}

#[test]
fn the_line_does_the_same_from_any_directory() {
    let place = Place::new();
    fs::create_dir(place.path("sub")).unwrap();
    let create = "keys -p local create --name ci --perm read --to file:key --to cmd:false";
    assert_eq!(place.shell(&format!("cd sub && {create}")).done().code, 11);
    let seen = place.local("list").done();
    assert!(seen.stderr.contains("which makes no second one, in `/"), "{}", seen.stderr);
    let line = seen.resume_line().replace("cmd:false", "cmd:cat");
    fs::remove_file(place.path("sub/key")).unwrap();
    assert_eq!(place.shell(&line).done().code, 0);
    assert_is_key(place.read("sub/key").trim_end());
    assert!(!place.path("key").exists());
}

#[test]
fn another_key_is_not_told_that_it_makes_no_second_one() {
    let place = Place::new();
    let server = Server::start(&place);
    let other = server.keys(&server.admin, "create -q --name other --perm admin:api_keys --perm read").done().secret();
    let line = "create --name ci --perm read --idempotency-key one";
    let lost = server.keys(&server.admin, &format!("{line} --to cmd:false")).done();
    assert_eq!(lost.code, 11, "{}", lost.stderr);
    let refused = server.keys(&other, line).done();
    assert_eq!((refused.code, refused.stdout.as_str()), (6, ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("asked by it, the service might make a second key"), "{}", refused.stderr);
    server.keys(&server.admin, line).done().secret();
    server.keys(&other, "create --name next --perm read --idempotency-key one").done().secret();
}

#[test]
fn an_answer_that_is_kept_no_longer_is_told_once() {
    let place = Place::new();
    place.local("create --name ci --perm read --to").arg("cmd:false").done();
    let file = note(&place);
    let mut note: Value = serde_json::from_str(&place.read(&file)).unwrap();
    note["begun_at"] = "2026-01-01T00:00:00Z".into();
    place.write(&file, note.to_string());
    // Who hears nothing is not told.
    assert_eq!(place.local("list --json").done().stderr, "");
    assert_eq!(place.local("list -q").done().stderr, "");
    let seen = place.local("list").done();
    assert!(seen.stderr.contains("and its answer is kept no longer. See whether there is a key:\n"), "{}", seen.stderr);
    assert_eq!(seen.resume_line(), "keys -p local list --name ci");
    assert!(!place.local("list").done().stderr.contains("The create of"));
}

#[test]
fn where_nothing_can_be_noted_keys_are_made_all_the_same() {
    let place = Place::new();
    let server = Server::start(&place);
    for obstacle in ["a file", ""] {
        let directory = place.data().join("creates");
        fs::remove_dir_all(&directory).ok();
        fs::remove_file(&directory).ok();
        fs::create_dir_all(place.data()).unwrap();
        place.write(directory.to_str().unwrap(), obstacle);
        let seen = server.keys(&server.admin, &format!("create -q --name n{} --perm read", obstacle.len())).done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        seen.secret();
    }
    let seen =
        server.keys(&server.admin, "create -q --name nowhere --perm read").env("KEYS_DATA_DIR", "/proc/none").done();
    assert_eq!(seen.code, 0, "{}", seen.stderr);
}

#[test]
fn hostile_notes_are_harmless() {
    let place = Place::new();
    place.local("create --name ci --perm read --to").arg("cmd:false").done();
    let file = note(&place);
    for content in ["", "{", "[]", "{\"what\":1}", "\u{0}\u{1b}[2J"] {
        place.write(&file, content);
        let seen = place.local("list").done();
        assert_eq!((seen.code, seen.stderr.contains('\u{1b}')), (0, false), "{}", seen.stderr);
    }
}
