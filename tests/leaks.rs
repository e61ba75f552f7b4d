//! After all that can be done with keys, no plaintext of one is where it was not sent: not in a file of the home, an
//! output, a log, a database, a core, nor in what other processes can read of a process.
//!
//! The credential of the admin is looked for with the rest. What a machine lacks is left out and named on standard error;
//! with `KEYS_REQUIRE_KEYRING` set, a missing keyring fails.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers and all")]

#[path = "leaks/sampler.rs"]
mod sampler;
#[path = "leaks/scene.rs"]
mod scene;
#[path = "leaks/search.rs"]
mod search;
#[expect(dead_code, reason = "shared with the tests of the credential, which use more of it")]
#[path = "credential/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use self::sampler::{Kind, Sampler};
use self::scene::{Running, Scene, Service, WORK, answer, bearer, leave_out, liar};
use self::search::{Searcher, files_below};
use self::support::{Keyring, Kind as KeyringKind, Place};

/// A key by its looks, put together here so that no scanner takes it for one; each is to be told from the others, for the
/// tests see one another's processes.
fn lookalike(prefix: &str) -> String {
    format!("wbk_{prefix}_{prefix}{}", "Zy9Xw8Vu7Ts6Rq5Po4Nm3Lk2")
}

#[test]
fn the_search_finds_a_key_in_every_form() {
    let place = Place::new();
    let key = lookalike("00000000");
    let mut search = Searcher::default();
    search.add("planted", &key);
    let wide: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap();
    let hex: String = key.bytes().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
    let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let forms = [
        key.clone().into_bytes(),
        wide,
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        base64(key.clone()).into_bytes(),
        base64(format!("a{key}")).into_bytes(),
        base64(format!("ab{key}, and more")).into_bytes(),
        key.rsplit_once('_').unwrap().1.as_bytes().to_vec(),
    ];
    let planted = BTreeSet::from(["planted".to_owned()]);
    for form in forms {
        let text = [b"\0\xff before", form.as_slice(), b"behind\n"].concat();
        assert_eq!(search.find(&text), planted, "{}", String::from_utf8_lossy(&form));
    }
    assert_eq!(search.find(&key.as_bytes()[..40]), BTreeSet::new());
    place.write("home/deep", &key);
    place.write("home/prefix", &key[..13]);
    let found = search.find_below(&place.path(""));
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("home/deep".to_owned(), planted)]);
}

#[test]
fn the_search_finds_a_key_in_arguments() {
    let Some(sampler) = Sampler::start() else {
        return leave_out("finding a key in the arguments of a process: they are not in /proc here");
    };
    let key = lookalike("11111111");
    let mut search = Searcher::default();
    search.add("planted", &key);
    // Ends when its standard input does.
    let mut shell = Command::new("sh").args(["-c", "read -r end; exit 0", &key]).stdin(Stdio::piped()).spawn().unwrap();
    let process = shell.id();
    sampler.wait(
        |sample| sample.process == process && sample.kind == Kind::Arguments && !search.find(&sample.text).is_empty(),
        || false,
    );
    drop(shell.stdin.take());
    shell.wait().unwrap();
}

#[test]
fn the_search_finds_a_key_in_a_core_file() {
    let place = Place::new();
    let key = lookalike("22222222");
    let mut search = Searcher::default();
    search.add("planted", &key);
    let directory = place.path("home");
    // The end of its input is the end of the key.
    let mut shell = Command::new("sh")
        .args(["-c", "ulimit -c unlimited; read -r key; kill -ABRT $$"])
        .env_clear()
        .current_dir(&directory)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), key.as_bytes()).unwrap();
    shell.wait().unwrap();
    if files_below(&directory).is_empty() {
        return leave_out("core files: this system puts none into the directory where a program ran");
    }
    assert_eq!(search.find_below(&directory).len(), 1, "the core file holds the key");
}

#[test]
fn no_plaintext_is_where_it_was_not_sent() {
    let mut scene = Scene::new();
    scene.keys("serve init --name Acme --database sqlite:service.db --to file:admin.key").ends(0);
    scene.learn_file("admin", "admin.key");
    let service = Service::start(&scene);
    log_in(&mut scene, &service);
    create_to_each_place(&mut scene);
    fail_to_deliver(&mut scene);
    ask_again(&mut scene);
    create_locally(&mut scene);
    administer(&mut scene);
    use_it_wrongly(&mut scene);
    meet_a_liar(&mut scene);
    hang_with_the_key_in_the_environment(&mut scene, &service);
    abort_in_the_middle(&mut scene);
    let keyring = use_a_keyring(&mut scene, &service);

    assert_eq!(mode(&scene.place.path("config/credentials/work")), 0o600);
    scene.sinks.insert("config/credentials/work".to_owned(), BTreeSet::from(["admin".to_owned()]));
    // While everything runs: what is not in the database yet is in the files beside it.
    assert!(fs::metadata(scene.path("service.db-wal")).unwrap().len() > 0, "the service has a WAL");
    judge(&scene, "while the service runs");
    scene.keys("logout -p work").ends(0);
    scene.sinks.remove("config/credentials/work");
    judge(&scene, "after the logout");
    drop(keyring);
    service.stop();
    checkpoint(&scene);
    judge(&scene, "in the end");
    assert!(scene.count > 15, "{} secrets were looked for", scene.count);
}

#[track_caller]
fn judge(scene: &Scene, when: &str) {
    let leaks = scene.leaks();
    assert!(leaks.is_empty(), "{when}:\n{}", leaks.join("\n"));
    if let Some(sampler) = &scene.sampler {
        // The environment of `keys` itself is closed to all but root.
        for kind in [Kind::Arguments, Kind::ChildEnvironment] {
            assert!(sampler.samples().iter().any(|sample| sample.kind == kind), "{kind:?} was never seen");
        }
    }
}

fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::symlink_metadata(path).unwrap().permissions()) & 0o7777
}

fn log_in(scene: &mut Scene, service: &Service) {
    let login = "login -p work --insecure-storage --api-url";
    scene.keys(login).arg(&service.url).arg("--key-file").arg("admin.key").ends(0);
    let admin = scene.read("admin.key");
    // Both ways to hand the key over, and one that is refused; what was stored before is replaced by the same.
    scene.keys(login).arg(&service.url).arg("--key-stdin").input(&admin).ends(0);
    let refused = lookalike("33333333");
    scene.learn("refused", &refused);
    scene.keys(login).arg(&service.url).arg("--key-stdin").input(&refused).ends(4);
    scene.keys("whoami").ends(0);
    scene.keys("whoami --json").ends(0);
}

fn create_to_each_place(scene: &mut Scene) {
    let create = "create --perm read:contacts --name";
    scene.keys(create).arg("captured").ends(0).learn_output("captured");
    scene.keys(create).args("outright --to stdout").ends(0).learn_output("outright");
    scene.keys(create).args("object --json").ends(0);
    let object: Value = serde_json::from_slice(&scene.last().stdout).unwrap();
    let key = object["data"]["secret"].as_str().or_else(|| object["secret"].as_str()).unwrap().to_owned();
    scene.learn("object", &key);
    scene.meant("object");

    scene.keys(create).args("file --to file:file.key").ends(0).learn_file("file", "file.key");
    scene.keys(create).args("dotenv --to dotenv:.env#API_KEY").ends(0);
    let key = scene.read(".env").trim_end().split_once('=').unwrap().1.trim_matches(['"', '\'']).to_owned();
    scene.learn("dotenv", &key);
    scene.holds(".env", "dotenv");
    scene.keys(create).args("json --to json:key.json").ends(0);
    let object: Value = serde_json::from_str(&scene.read("key.json")).unwrap();
    scene.learn("json", object["secret"].as_str().unwrap());
    scene.holds("key.json", "json");
    scene.keys(create).args("cmd --to").arg("cmd:cat >cmd.key").ends(0).learn_file("cmd", "cmd.key");
    scene.shell("keys create -q --perm read --name fd --to fd:3 3>fd.key").ends(0).learn_file("fd", "fd.key");
    scene.keys(create).args("two --to file:one.key --to").arg("cmd:cat >two.key").ends(0);
    scene.learn_file("two", "one.key");
    scene.holds("two.key", "two");
    // Over an older key, which is nowhere afterwards.
    scene.keys(create).args("again --to file:over.key").ends(0).learn_file("over", "over.key");
    scene.keys(create).args("over --to file:over.key").ends(0);
    scene.sinks.remove(&format!("{WORK}/over.key"));
    scene.learn_file("over again", "over.key");
}

/// A command reads the key and fails; then the line that was printed brings it the same key.
fn fail_to_deliver(scene: &mut Scene) {
    for (json, name) in [("", "late"), ("--json", "late-json")] {
        let (received, cause) = (format!("{name}.key"), format!("{name}.ok"));
        let place = format!("cmd:cat >{received}; test -e {cause}");
        scene.keys("create --perm read --name").arg(name).args(json).args("--to").arg(&place).ends(11);
        scene.learn_file(name, &received);
        let stderr = String::from_utf8(scene.last().stderr.clone()).unwrap();
        let line = if json.is_empty() {
            stderr.lines().find(|line| line.starts_with("  keys ")).unwrap().to_owned()
        } else {
            let error: Value = serde_json::from_str(&stderr).unwrap();
            error["error"]["resume"].as_str().unwrap().to_owned()
        };
        scene.place.write(&format!("{WORK}/{cause}"), "");
        scene.shell(&line).ends(0);
    }
}

fn ask_again(scene: &mut Scene) {
    let line = "create --perm read --name once --idempotency-key one";
    let key = scene.keys(line).ends(0).learn_output("once");
    scene.keys(line).ends(0).meant("once");
    assert_eq!(scene.last().stdout, format!("{key}\n").as_bytes());
    scene.keys(line).args("--description another").ends(6);
}

fn create_locally(scene: &mut Scene) {
    let key = scene.keys("-p local create --perm read --name mine").ends(0).learn_output("local");
    scene.keys("-p local create --perm read --name filed --to file:local.key").ends(0);
    scene.learn_file("local file", "local.key");
    let line = "-p local create --perm read --name once --idempotency-key one";
    scene.keys(line).ends(0).learn_output("local once");
    scene.keys(line).ends(0).meant("local once");
    scene.keys("-p local lookup").input(&key).ends(0);
    scene.keys("-p local list --json").ends(0);
}

fn administer(scene: &mut Scene) {
    let key = scene.read("file.key");
    scene.keys("lookup").input(&key).ends(0);
    scene.keys("lookup --json").input(&key).ends(0);
    scene.keys("list").ends(0);
    scene.keys("list --status all --json").ends(0);
    scene.keys("list --format csv").ends(0);
    scene.keys("show file --json").ends(0);
    scene.keys("edit file --description changed").ends(0);
    scene.keys("revoke file --yes --reason moved").ends(0);
    scene.keys("lookup").input(&key).done();
    scene.keys("reactivate file").ends(0);
    // Deleted, its plaintext is a secret still: who finds it may not yet know.
    scene.keys("delete outright --yes --confirm outright --json").ends(0);
}

fn use_it_wrongly(scene: &mut Scene) {
    let key = scene.read("file.key");
    let admin = scene.read("admin.key");
    scene.keys("create --name x --perm read --to nowhere").ends(2);
    scene.keys("create --name x --perm read --to file:no/where").ends(2);
    scene.keys("create --name x --perm no:such --json").done();
    scene.keys("create --name x --perm read --expires 5 --json").ends(2);
    scene.keys("create --name file --perm read").ends(6);
    scene.keys("create --name file --perm read --json").ends(6);
    scene.keys("create --name x --perm read --dry-run").ends(0);
    scene.keys("create --name x --perm read --dry-run --json").ends(0);
    scene.keys("show nothing --json").ends(3);
    scene.keys("frobnicate").ends(2);
    scene.keys("lookup --json").input(format!("{key}{key}")).done();
    scene.keys("lookup").input(format!("Bearer {key}")).done();
    // What is not a key alone must not be quoted.
    for wrong in [format!("Bearer {admin}"), format!("{admin}{admin}"), format!("{}\u{1b}", admin.trim_end())] {
        scene.keys("list --json").env("KEYS_API_KEY", &wrong).env("KEYS_API_URL", "http://127.0.0.1:1").done();
        let login = "login -p other --insecure-storage --key-stdin --api-url http://127.0.0.1:1";
        scene.keys(login).input(&wrong).done();
    }
    // To an address that is not the one it was stored for.
    scene.keys("list --api-url http://127.0.0.1:1").ends(4);
    scene.keys("list").env("KEYS_API_KEY", admin.trim_end()).env("KEYS_API_URL", "http://127.0.0.1:1").ends(8);
}

/// Servers that send anything but what they should, and know the credential while they do.
fn meet_a_liar(scene: &mut Scene) {
    let liars = [
        liar(|_| "\u{fffd}garbage\0\r\n\r\n".to_owned()),
        liar(|head| answer("200 OK", "", &format!("<html>{head}</html>"))),
        liar(|head| answer("200 OK", "", &format!("{{\"data\":\"{}\"}}", bearer(head)))),
        liar(|head| answer("201 Created", "", &format!("{{\"data\":{{\"id\":\"{0}\",\"secret\":7}}}}", bearer(head)))),
        liar(|head| answer("500 Error", "", &format!("{{\"trace\":\"{}\"}}", bearer(head)))),
    ];
    for url in liars {
        ask(scene, &url);
    }
}

/// Asks a server that lies with the credential of the admin; nothing of that succeeds.
fn ask(scene: &mut Scene, url: &str) {
    let admin = scene.read("admin.key");
    for line in ["list", "list --json", "whoami", "create --name x --perm read --idempotency-key k --json"] {
        scene.keys(line).env("KEYS_API_KEY", admin.trim_end()).env("KEYS_API_URL", url).done();
        assert_ne!(scene.last().code, 0, "`{line}` believes a liar");
    }
}

#[test]
fn a_service_that_quotes_the_credential_is_not_quoted() {
    let mut scene = Scene::new();
    scene.keys("serve init --name Acme --database sqlite:service.db --to file:admin.key").ends(0);
    scene.learn_file("admin", "admin.key");
    let said =
        |field: &str, head: &str| answer("401 No", "", &format!("{{\"error\":{{\"{field}\":\"{}\"}}}}", bearer(head)));
    let liars = [
        liar(move |head| said("message", head)),
        liar(move |head| said("code", head)),
        liar(move |head| said("hint", head)),
        liar(move |head| said("request_id", head)),
        liar(|head| answer("401 No", "", &format!("{{\"detail\":\"{}\"}}", bearer(head)))),
        liar(|head| answer("401 No", &format!("x-request-id: {}\r\n", bearer(head)), "")),
        liar(|head| answer("302 Found", &format!("location: /?key={}\r\n", bearer(head)), "")),
    ];
    for url in liars {
        ask(&mut scene, &url);
    }
    let leaks = scene.leaks();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// A command that has read the key and waits, so that it and `keys` are looked at for certain.
const HANGING: &str = "cmd:read -r key; echo $$ >hanging.pid; read -r end <hanging.end";

/// Waits until a command hangs, and was looked at; its process.
fn hanging(running: &mut Running<'_>) -> Pid {
    let process: u32 = running.file("hanging.pid").parse().unwrap();
    if let Some(sampler) = &running.scene.sampler {
        for kind in [Kind::Arguments, Kind::ChildEnvironment] {
            sampler.wait(|sample| sample.process == process && sample.kind == kind, || false);
        }
    }
    Pid::from_raw(process.try_into().unwrap()).unwrap()
}

fn hang_with_the_key_in_the_environment(scene: &mut Scene, service: &Service) {
    assert!(Command::new("mkfifo").arg(scene.path("hanging.end")).status().unwrap().success());
    let admin = scene.read("admin.key");
    let run = scene.keys("create --perm read --name hanging --to file:hanging.key --to").arg(HANGING);
    let mut running = run.env("KEYS_API_KEY", admin.trim_end()).env("KEYS_API_URL", &service.url).start();
    hanging(&mut running);
    // Opening it lets the command go on.
    drop(fs::OpenOptions::new().write(true).open(running.scene.path("hanging.end")).unwrap());
    running.done().learn_file("hanging", "hanging.key");
}

/// Both the program and the command that has the key abort, where core files may be of any size.
fn abort_in_the_middle(scene: &mut Scene) {
    fs::remove_file(scene.path("hanging.pid")).unwrap();
    let line = "ulimit -c unlimited 2>/dev/null; echo $$ >keys.pid; exec \"$0\" \"$@\"";
    let run = scene.run(&["sh", "-c", line, support::KEYS]);
    let mut running = run.args("create --perm read --name aborted --to file:aborted.key --to").arg(HANGING).start();
    let command = hanging(&mut running);
    let keys: i32 = running.file("keys.pid").parse().unwrap();
    kill_process(Pid::from_raw(keys).unwrap(), Signal::ABORT).unwrap();
    kill_process(command, Signal::ABORT).unwrap();
    let scene = running.done();
    assert_eq!(scene.last().code, 128 + 6);
    scene.learn_file("aborted", "aborted.key");
}

fn use_a_keyring(scene: &mut Scene, service: &Service) -> Option<Keyring> {
    let keyring = Keyring::unlocked(KeyringKind::Gnome, &scene.place, "a search after a login with a keyring")?;
    let (name, bus) = ("DBUS_SESSION_BUS_ADDRESS", keyring.address.clone());
    let login = scene.keys("login -p ring --key-file admin.key --api-url").arg(&service.url);
    login.env(name, &bus).ends(0);
    scene.keys("whoami -p ring").env(name, &bus).ends(0);
    scene.keys("-p ring create --perm read --name ringed").env(name, &bus).ends(0).learn_output("ringed");
    scene.keys("-p ring create --perm read --name kept --to keyring:a/b --to file:kept.key").env(name, &bus).ends(0);
    scene.learn_file("kept", "kept.key");
    scene.keys("logout -p ring").env(name, &bus).ends(0);
    Some(keyring)
}

/// Brings all that the service wrote into its database, for the last look.
fn checkpoint(scene: &Scene) {
    let databases: Vec<_> = files_below(&scene.place.path(""))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "db"))
        .collect();
    assert_eq!(databases.len(), 2, "of the service, and of the profile `local`");
    for database in databases {
        let done = Command::new("sqlite3").arg(database).arg("PRAGMA wal_checkpoint(TRUNCATE);").output();
        match done {
            Ok(output) => assert!(output.status.success()),
            Err(_) => leave_out("a search after a checkpoint of the databases: there is no `sqlite3` here"),
        }
    }
}
