//! Where the admin's credential lives, from outside: logins to a real service, into a real keyring on a bus of its own,
//! and every way in which a keyring can be of no use.
//!
//! Tests that need a keyring run on two implementations. They say on standard error what they left out where there is
//! none (`gnome-keyring`, `dbus`) or not the second (`keepassxc`); with `KEYS_REQUIRE_KEYRING` set they fail instead, and
//! for the second with `KEYS_REQUIRE_SECOND_KEYRING`.

#![cfg(all(unix, not(target_os = "macos")))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, and lie outside of the test functions where that is allowed"
)]

#[path = "credential/support.rs"]
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::thread;

use self::support::{KEYS, Keyring, Kind, Person, Place, Service};

/// The same tests for each implementation.
macro_rules! on_each_keyring {
    ($($test:ident),* $(,)?) => {
        mod gnome_keyring {
            $(#[test] fn $test() { super::$test(super::Kind::Gnome); })*
        }
        mod keepassxc {
            $(#[test] fn $test() { super::$test(super::Kind::KeePass); })*
        }
    };
}

on_each_keyring! {
    login_use_and_logout,
    a_locked_keyring_is_said_to_be_locked,
    a_keyring_that_dies_is_said_and_one_that_comes_back_is_used,
    a_keyring_that_freezes_is_given_up,
    a_login_to_the_keyring_takes_the_file_away,
    a_new_key_goes_into_the_keyring,
    a_keyring_that_dies_in_the_middle_of_a_login_leaves_nothing_half_done,
    a_rotation_keeps_its_key_in_the_keyring_and_loses_none_when_it_is_locked,
}

#[test]
fn a_keyring_that_asks_for_each_access_is_not_waited_for() {
    let place = Place::new();
    let Some(keyring) = Keyring::unlocked(Kind::KeePassAsking, &place, "a keyring that asks each time") else { return };
    let service = Service::start(&place);
    let login = service.login(&place).on(&keyring).ends(4);
    login.says(["nothing can be stored", "the keyring is locked", "KEYS_API_KEY", "--insecure-storage"]);
    assert!(!place.path("config/config.toml").exists());
    // A profile from before it was set to ask: what it stores for one program, it hides from the next.
    service.login(&place).arg("--insecure-storage").ends(0);
    let config = place.read("config/config.toml").replace("\"file\"", "\"keyring\"");
    place.write("config/config.toml", &config);
    std::fs::remove_file(place.path("config/credentials/default")).unwrap();
    keyring.store("keys", "default", &service.admin);
    place.keys("list").on(&keyring).ends(4).says(["the keyring is locked", "KEYS_API_KEY"]);
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
}

fn login_use_and_logout(kind: Kind) {
    let place = Place::new();
    let Some(keyring) = Keyring::unlocked(kind, &place, "login, use and logout with a keyring") else { return };
    let service = Service::start(&place);
    let seen = service.login(&place).on(&keyring).ends(0);
    assert_eq!(seen.stdout, "");
    let seen = seen.says(["The key `admin` (wbk_", "workspace    Acme", "admin:api_keys", "expires      never"]);
    seen.says(["Logged in with the profile `default`, now the default; the key is in the keyring of the system"]);
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new(), "nothing is in the clear");
    if let Some(found) = keyring.secret_tool("keys", "default") {
        assert_eq!(found, service.admin);
    }

    let whoami = place.keys("whoami --json").on(&keyring).ends(0).data();
    let fields: Vec<&str> = whoami.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "profile provider host api_url workspace plan identity key_id key_name key_prefix permissions status \
                    expires_at source encrypted";
    assert_eq!(fields, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&whoami["source"], &whoami["encrypted"]), (&"keyring".into(), &true.into()));
    assert_eq!((&whoami["workspace"], &whoami["key_name"]), (&"Acme".into(), &"admin".into()));
    place.keys("list").on(&keyring).ends(0);
    let made = place.keys("-p default create --name ci --perm read").on(&keyring).ends(0);
    made.says(["Undo with: keys -p default revoke "]);
    let dry = place.keys("create --name x --perm read --dry-run").ends(0);
    assert!(dry.stdout.contains(&format!("authorization: Bearer {}…", &service.admin[..12])), "{}", dry.stdout);

    place.keys("logout").on(&keyring).ends(0).says(["Logged out: profile `default`", "goes on working until", "stays"]);
    assert_eq!(keyring.secret_tool("keys", "default").unwrap_or_default(), "");
    place.keys("logout").on(&keyring).ends(0).says(["There was no stored key"]);
    place.keys("list").on(&keyring).ends(4).says(["the profile `default` has no credential", "keys login -p default"]);
}

fn a_locked_keyring_is_said_to_be_locked(kind: Kind) {
    let place = Place::new();
    let Some(mut keyring) = Keyring::unlocked(kind, &place, "a locked keyring") else { return };
    let service = Service::start(&place);
    service.login(&place).on(&keyring).ends(0);
    for begin in [Keyring::lock as fn(&Keyring), |_: &Keyring| {}] {
        begin(&keyring);
        let hint = ["the keyring is locked", "unlock it", "KEYS_API_KEY", "--insecure-storage"];
        place.keys("list").on(&keyring).ends(4).says(hint);
        place.keys("logout").on(&keyring).ends(4).says(["the keyring is locked"]);
        let seen = place.keys("login -p other --key-stdin --api-url").arg(&service.url).input(&service.admin);
        seen.on(&keyring).ends(4).says(["nothing can be stored", "the keyring is locked"]);
        let sink = place.keys("create --name x --perm read --to keyring:a/b");
        let sink = sink.env("KEYS_API_URL", &service.url).env("KEYS_API_KEY", &service.admin);
        sink.on(&keyring).ends(2).says(["could not prepare `keyring:a/b`: the keyring is locked", "file:PATH"]);
        keyring.start_again_locked();
    }
    assert!(!place.read("config/config.toml").contains("other"));
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
    // It was never about the credential: unlocked, it is there.
    keyring.start_again();
    place.keys("whoami").on(&keyring).ends(0);
}

fn a_rotation_keeps_its_key_in_the_keyring_and_loses_none_when_it_is_locked(kind: Kind) {
    let place = Place::new();
    let Some(mut keyring) = Keyring::unlocked(kind, &place, "the escrow of a rotation") else { return };
    let service = Service::start(&place);
    let keys = |line: &str| place.keys(line).env("KEYS_API_URL", &service.url).env("KEYS_API_KEY", &service.admin);
    let rescue = |id: &str| place.path(&format!("store/rotations/{id}.key")).exists();
    let open = |keyring: &Keyring| keys("rotation list --json").on(keyring).ends(0).data();

    let old = service.create(&place, "--name ci --perm read");
    keys("rotate ci --yes --to cmd:false").on(&keyring).ends(11).says(["the new key was made, and is not delivered"]);
    let record = open(&keyring)[0].clone();
    let id = record["id"].as_str().unwrap().to_owned();
    assert_eq!((record["kept"].as_str(), rescue(&id)), (Some("keyring"), false));
    let account = format!("rotation {id}");
    keyring.wait_until_written(&format!("keys/{account}"));

    // Locked, the service is asked for the plaintext once more; what is kept stays until it can be removed.
    keyring.start_again_locked();
    let resume = format!("rotation resume {id} --to file:{}", place.text("new"));
    let seen = keys(&resume).on(&keyring).ends(4);
    seen.says([
        "the new key is live, and its kept copy could not be removed: the keyring is locked",
        "unlock it",
        "rotation resume",
    ]);
    let new = place.read("new").trim_end().to_owned();
    assert_eq!(keys("lookup --jq .data.status").input(&old).ends(0).stdout, "active\n", "the order is law");
    keyring.start_again();
    keys("rotation resume").on(&keyring).ends(0);
    assert_eq!(keys("lookup --jq .data.status").input(&old).ends(0).stdout, "revoked\n");
    assert_eq!(keys("lookup --jq .data.status").input(&new).ends(0).stdout, "active\n");
    assert_eq!(keyring.secret_tool("keys", &account).unwrap_or_default(), "");

    // Locked from the beginning, a file of ours alone keeps it.
    keyring.start_again_locked();
    keys("rotate ci --yes --to cmd:false").on(&keyring).ends(11);
    let record = open(&keyring)[0].clone();
    let id = record["id"].as_str().unwrap().to_owned();
    assert_eq!((record["kept"].as_str(), place.mode(&format!("store/rotations/{id}.key"))), (Some("file"), 0o600));
    keys(&format!("rotation resume {id} --to cmd:cat>/dev/null")).on(&keyring).ends(0);
    assert!(!rescue(&id));
}

fn a_keyring_that_dies_is_said_and_one_that_comes_back_is_used(kind: Kind) {
    let place = Place::new();
    let Some(mut keyring) = Keyring::unlocked(kind, &place, "a keyring that is killed") else { return };
    let service = Service::start(&place);
    service.login(&place).on(&keyring).ends(0);
    keyring.wait_until_written("keys admin credential for default");
    keyring.kill();
    place.keys("list").on(&keyring).ends(4).says(["no keyring is running", "KEYS_API_KEY"]);
    let json = place.keys("list --json").on(&keyring).ends(4);
    assert_eq!(json.stdout, "");
    json.says(["\"code\":\"no_keyring\"", "\"exit\":4"]);
    service.login(&place).on(&keyring).ends(4).says(["nothing can be stored", "no keyring is running"]);
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
    keyring.start_again();
    place.keys("list").on(&keyring).ends(0);
}

fn a_keyring_that_freezes_is_given_up(kind: Kind) {
    let place = Place::new();
    let Some(keyring) = Keyring::unlocked(kind, &place, "a keyring that freezes") else { return };
    let service = Service::start(&place);
    service.login(&place).on(&keyring).ends(0);
    keyring.freeze();
    place.keys("list").on(&keyring).ends(4).says(["the keyring did not answer in time"]);
    service.login(&place).on(&keyring).ends(4).says(["nothing can be stored", "did not answer in time"]);
    // What needs no credential asks nobody for one.
    for line in ["--help", "help environment", "completions bash", "perms", "-p local whoami", "profile list"] {
        place.keys(line).on(&keyring).ends(0);
    }
    place.keys("create --name x --perm read --dry-run").on(&keyring).ends(0);
    place.keys("list").env("KEYS_API_KEY", &service.admin).on(&keyring).ends(0);
}

#[test]
fn a_bus_without_a_keyring_is_told_from_no_bus() {
    let place = Place::new();
    let service = Service::start(&place);
    let hint = ["there is no session bus", "KEYS_API_KEY", "keys login --insecure-storage"];
    for address in ["", "unix:path=/nonexistent/bus", "nonsense"] {
        let login = service.login(&place).env("XDG_RUNTIME_DIR", "/nonexistent");
        login.env("DBUS_SESSION_BUS_ADDRESS", address).ends(4).says(hint);
    }
    service.login(&place).env("XDG_RUNTIME_DIR", "/nonexistent").ends(4).says(hint);
    let Some(bus) = Keyring::bus_alone(Kind::Gnome, &place, "a bus without a keyring") else { return };
    service.login(&place).on(&bus).ends(4).says(["no keyring is running", "keys login --insecure-storage"]);
    assert!(!place.path("config/config.toml").exists());
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
}

#[test]
fn a_bus_that_never_answers_is_given_up() {
    let place = Place::new();
    let service = Service::start(&place);
    let listener = UnixListener::bind(place.path("run/silent")).unwrap();
    thread::spawn(move || {
        // Taken, kept, and never answered.
        let mut kept = Vec::new();
        while let Ok(taken) = listener.accept() {
            kept.push(taken);
        }
    });
    let login =
        service.login(&place).env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", place.text("run/silent")));
    login.ends(4).says(["the keyring did not answer in time", "KEYS_API_KEY"]);
    assert!(!place.path("config/config.toml").exists());
}

#[test]
fn a_file_only_where_it_was_said_and_it_is_said_each_time() {
    let place = Place::new();
    let service = Service::start(&place);
    for _ in 0..2 {
        let seen = service.login(&place).arg("--insecure-storage").ends(0);
        seen.says(["warning: the key is in the file `", "not encrypted"]);
    }
    assert_eq!(place.files_holding(&service.admin), ["config/credentials/default"]);
    let names =
        ["config", "config/credentials", "config/credentials/default", "config/config.toml", "config/config.lock"];
    assert_eq!(names.map(|name| place.mode(name)), [0o700, 0o700, 0o600, 0o600, 0o600]);
    let whoami = place.keys("whoami --json").ends(0);
    assert_eq!((&whoami.data()["source"], &whoami.data()["encrypted"]), (&"file".into(), &false.into()));
    whoami.says(["warning: the credential is in the file `", "not encrypted"]);
    place.keys("list").ends(0);

    place.change_mode("config/credentials/default", 0o640);
    place.keys("list").ends(4).says(["others may use it", "chmod 600"]);
    place.change_mode("config/credentials/default", 0o600);
    std::fs::rename(place.path("config/credentials/default"), place.path("elsewhere")).unwrap();
    symlink(place.path("elsewhere"), place.path("config/credentials/default")).unwrap();
    place.keys("list").ends(4).says(["it is a symbolic link"]);
    service.login(&place).arg("--insecure-storage").ends(4).says(["it is a symbolic link"]);
    std::fs::remove_file(place.path("config/credentials/default")).unwrap();
    std::fs::rename(place.path("elsewhere"), place.path("config/credentials/default")).unwrap();

    place.keys("logout").ends(0).says(["Logged out"]);
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
}

fn a_login_to_the_keyring_takes_the_file_away(kind: Kind) {
    let place = Place::new();
    let Some(keyring) = Keyring::unlocked(kind, &place, "moving a credential from a file into the keyring") else {
        return;
    };
    let service = Service::start(&place);
    service.login(&place).arg("--insecure-storage").ends(0);
    service.login(&place).on(&keyring).ends(0);
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
    service.login(&place).arg("--insecure-storage").on(&keyring).ends(0);
    assert_eq!(keyring.secret_tool("keys", "default").unwrap_or_default(), "");
}

#[test]
fn the_environment_comes_first_and_a_login_says_so() {
    let place = Place::new();
    let service = Service::start(&place);
    let other = service.create(&place, "--name other --perm read");
    let login = service.login(&place).arg("--insecure-storage").env("KEYS_API_KEY", &other);
    login.ends(0).says(["warning: KEYS_API_KEY is set and comes first"]);
    let whoami = place.keys("whoami --json").env("KEYS_API_KEY", &other).ends(0).data();
    assert_eq!((&whoami["key_name"], &whoami["source"]), (&"other".into(), &"environment".into()));
    assert_eq!(place.keys("whoami --json").ends(0).data()["key_name"], "admin");
    let job = place.keys("whoami --json").env("KEYS_API_KEY", &other).env("KEYS_API_URL", &service.url);
    assert_eq!(job.ends(0).data()["profile"], serde_json::Value::Null);
}

#[test]
fn what_a_key_cannot_do_and_when_it_ends_is_said_before_it_counts() {
    let place = Place::new();
    let service = Service::start(&place);
    let soon = service.create(&place, "--name soon --perm read --expires 13d");
    let login = place.keys("login --insecure-storage --key-stdin --api-url").arg(&service.url).input(&soon);
    let seen = login.ends(0).says(["lacks `admin:api_keys`", "it can only list and show", "expires in 13 days"]);
    let order = |text: &str| seen.stderr.find(text).unwrap();
    assert!(order("permissions  read") < order("Logged in"));
    // From then on without a request for it, on standard error alone.
    let list = place.keys("list --json").ends(0).says(["warning: the key of the profile `default` expires in 13 days"]);
    assert!(!list.stdout.contains("warning"));
    place.keys("create --name x --perm read").ends(5);
    let narrow = service.create(&place, "--name narrow --perm lexi");
    let login = place.keys("login --insecure-storage --key-stdin --api-url").arg(&service.url).input(&narrow);
    login.ends(0).says(["without `read` it cannot list them either"]);
    let list = place.keys("list").ends(5);
    assert!(!list.stderr.contains("expires in"), "{}", list.stderr);
}

#[test]
fn a_wrong_key_stores_nothing() {
    let place = Place::new();
    let service = Service::start(&place);
    let login = || place.keys("login --insecure-storage --api-url").arg(&service.url);
    let nothing = |place: &Place| {
        assert!(!place.path("config/config.toml").exists());
        assert!(!place.path("config/credentials/default").exists());
    };
    let wrong = format!("{}-", &service.admin[..service.admin.len() - 1]);
    login().arg("--key-stdin").input(&wrong).ends(4).says(["nothing was stored", "Invalid API key"]);
    nothing(&place);
    for unusable in ["", "two\nlines", "sp ace"] {
        let seen = login().arg("--key-stdin").input(unusable).ends(2).says(["this is not a key"]);
        assert!(unusable.is_empty() || !seen.stderr.contains(unusable));
    }
    login().input(&service.admin).ends(13).says(["nobody to ask", "--key-stdin"]);
    login().arg("--key-stdin").arg("--key-file").arg("k").ends(2);
    login().arg("--key-file").arg("absent").ends(2).says(["there is no file `absent`"]);
    place.write("key", &service.admin);
    place.change_mode("key", 0o644);
    login().arg("--key-file").arg("key").ends(8).says(["others may use it"]);
    place.keys("login --key-stdin").input(&service.admin).ends(2).says(["the address of the service is missing"]);
    let clear = place.keys("login --key-stdin --api-url http://keys.example.com").input(&service.admin);
    clear.ends(2).says(["the key would travel in the clear"]);
    place.keys("login -p local --key-stdin").input("x").ends(2).says(["is built in"]);
    place.keys("login -p ../x --key-stdin").input("x").ends(2).says(["cannot name a profile"]);
    nothing(&place);
    place.change_mode("key", 0o600);
    login().arg("--key-file").arg("key").ends(0);
    // A failed login leaves an earlier one as it was.
    let before = place.read("config/config.toml");
    login().arg("--key-stdin").input(&wrong).ends(4);
    assert_eq!(place.read("config/config.toml"), before);
    assert_eq!(place.keys("whoami --json").ends(0).data()["key_name"], "admin");
}

#[test]
fn a_person_types_the_key_unseen() {
    let place = Place::new();
    let service = Service::start(&place);
    let mut person = Person::at(&place.keys("login --insecure-storage --api-url").arg(&service.url));
    person.sees("Key (not shown): ");
    person.types(&format!("{}\n", service.admin));
    let seen = person.sees("Logged in with the profile `default`");
    assert!(!seen.contains(&service.admin[12..]), "{seen}");
    place.keys("whoami").ends(0);
}

fn a_keyring_that_dies_in_the_middle_of_a_login_leaves_nothing_half_done(kind: Kind) {
    let place = Place::new();
    let Some(mut keyring) = Keyring::unlocked(kind, &place, "a keyring that is killed during a login") else { return };
    let service = Service::start(&place);
    let mut person = Person::at(&place.keys("login --api-url").arg(&service.url).on(&keyring));
    person.sees("Key (not shown): ");
    keyring.kill();
    person.types(&format!("{}\n", service.admin));
    let seen = person.sees("no keyring is running");
    assert!(seen.contains("The key `admin`") && !seen.contains("Logged in"), "{seen}");
    drop(person);
    assert!(!place.path("config/config.toml").exists());
    assert_eq!(place.files_holding(&service.admin), Vec::<String>::new());
    keyring.start_again();
    place.keys("profile list").ends(0);
    assert_eq!(keyring.secret_tool("keys", "default").unwrap_or_default(), "");
}

#[test]
fn a_person_is_waited_for_where_a_window_can_come_up() {
    let place = Place::new();
    let Some(keyring) = Keyring::unlocked(Kind::Gnome, &place, "waiting for somebody to unlock the keyring") else {
        return;
    };
    let service = Service::start(&place);
    keyring.lock();
    let login = || place.keys("login --api-url").arg(&service.url).on(&keyring);
    // Nothing on this bus can show the window, and the keyring says so.
    let seen = Person::at(&login().env("DISPLAY", ":77")).sees("the keyring is locked");
    assert!(seen.contains("Waiting for you to unlock the keyring…"), "{seen}");
    let seen = Person::at(&login()).sees("the keyring is locked");
    assert!(!seen.contains("Waiting"), "{seen}");
}

/// Answers every request with the same.
fn fake(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn a_service_that_lies_stores_nothing() {
    let place = Place::new();
    let key = "wbk_12345678_abcdefghijklmnopqrstuvwxyz";
    let other = r#"{"data":{"workspace":{"name":"A"},"identity":"key","api_key":{"id":"k","name":"n","prefix":"wbk_87654321"}}}"#;
    let nobody = r#"{"data":{"workspace":{"name":"A"},"identity":"operator","api_key":null}}"#;
    let nameless = r#"{"data":{"workspace":{"name":"A"},"identity":"key","api_key":null}}"#;
    for (status, body, code) in [
        ("200 OK", "", 8),
        ("200 OK", "<html>Welcome</html>", 8),
        ("200 OK", "{}", 8),
        ("200 OK", "[1]", 8),
        ("200 OK", other, 8),
        ("200 OK", nobody, 8),
        ("200 OK", nameless, 8),
        ("404 Not Found", "", 5),
        ("302 Found", "", 8),
        ("500 Internal Server Error", "", 8),
    ] {
        let login = place.keys("login --insecure-storage --key-stdin --api-url").arg(fake(status, body)).input(key);
        login.ends(code).says(["nothing was stored"]);
        assert!(!place.path("config/config.toml").exists(), "{body}");
        assert_eq!(place.files_holding(key), Vec::<String>::new());
    }
    // One that speaks to the terminal is not let through.
    let hostile = r#"{"data":{"workspace":{"name":"\u001b[31mA"},"identity":"key","api_key":{"id":"k","name":"\u202en","prefix":"wbk_12345678"}}}"#;
    let login = place.keys("login --insecure-storage --key-stdin --api-url").arg(fake("200 OK", hostile)).input(key);
    let seen = login.ends(0);
    assert!(!seen.stderr.contains(['\u{1b}', '\u{202e}']), "{}", seen.stderr);
}

#[test]
fn a_stored_key_is_sent_to_its_own_service_alone() {
    let place = Place::new();
    let service = Service::start(&place);
    service.login(&place).arg("--insecure-storage").ends(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    let refused = ["the credential of the profile `default` is for", "is not sent to"];
    place.keys("list --api-url").arg(&elsewhere).ends(4).says(refused);
    place.keys("list").env("KEYS_API_URL", &elsewhere).ends(4).says(refused);
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn profiles_are_listed_chosen_shown_and_removed() {
    let place = Place::new();
    let service = Service::start(&place);
    place.keys("list").ends(4).says(["keys login", "-p local"]);
    for name in ["work", "lab"] {
        service.login(&place).arg("--insecure-storage").arg("-p").arg(name).ends(0);
    }
    let names = || -> Vec<(String, bool)> {
        let data = place.keys("profile list --json").ends(0).data();
        let row = |row: &serde_json::Value| (row["name"].as_str().unwrap().to_owned(), row["default"] == true);
        data.as_array().unwrap().iter().map(row).collect()
    };
    let expected = |default: &str| ["work", "lab", "local"].map(|name| (name.to_owned(), name == default)).to_vec();
    assert_eq!(names(), expected("work"));
    place.keys("profile use lab").ends(0).says(["The default profile is now `lab`"]);
    assert_eq!(names(), expected("lab"));
    assert_eq!(place.keys("profile show --json").ends(0).data()["name"], "lab");
    assert_eq!(place.keys("whoami --json").ends(0).data()["profile"], "lab");
    assert_eq!(place.keys("whoami --json").env("KEYS_PROFILE", "work").ends(0).data()["profile"], "work");
    assert_eq!(place.keys("-p work whoami --json").env("KEYS_PROFILE", "lab").ends(0).data()["profile"], "work");
    for line in ["profile use absent", "profile show absent", "profile remove absent --yes", "-p absent list"] {
        place.keys(line).ends(2).says(["there is no profile `absent`", "`work`, `lab` and `local`"]);
    }
    place.keys("profile remove local --yes").ends(2).says(["built in"]);
    place.keys("profile remove lab").ends(13).says(["--yes"]);
    assert_eq!(names(), expected("lab"));
    let removed = place.keys("profile remove lab --yes").ends(0);
    removed.says(["Forgot its key", "Removed the profile `lab`", "There is no default profile now"]);
    assert!(!place.path("config/credentials/lab").exists());
    place.keys("list").ends(4).says(["none is the default", "keys profile use NAME"]);
    place.keys("profile use local").ends(0);
    assert_eq!(place.keys("whoami --json").ends(0).data()["identity"], "operator");
    place.keys("-p local logout").ends(0).says(["has no credential"]);
}

#[test]
fn an_edit_keeps_the_comments_of_the_config_file() {
    let place = Place::new();
    let service = Service::start(&place);
    service.login(&place).arg("--insecure-storage").ends(0);
    let commented =
        format!("# mine\n{}\n# the end\n", place.read("config/config.toml").replace("provider", "# whose\nprovider"));
    place.write("config/config.toml", &commented);
    service.login(&place).arg("--insecure-storage").ends(0);
    assert_eq!(place.read("config/config.toml"), commented);
    place.keys("profile use default").ends(0);
    assert_eq!(place.read("config/config.toml"), commented);
    place.keys("logout").ends(0);
    let after = place.read("config/config.toml");
    assert!(["# mine", "# whose", "# the end"].into_iter().all(|comment| after.contains(comment)), "{after}");
    place.write("config/config.toml", "[[[ wbk_secret");
    let refused = place.keys("list").ends(2).says(["line 1", "correct the file"]);
    assert!(!refused.stderr.contains("wbk_secret"));
}

fn a_new_key_goes_into_the_keyring(kind: Kind) {
    let place = Place::new();
    let Some(keyring) = Keyring::unlocked(kind, &place, "sending a new key into the keyring") else { return };
    let service = Service::start(&place);
    service.login(&place).on(&keyring).ends(0);
    for name in ["first", "second"] {
        let create = place.keys("create --perm read --to keyring:crm/ingestion@example.com/eu --name").arg(name);
        let seen = create.on(&keyring).ends(0).says(["written to   keyring:crm/ingestion@example.com/eu"]);
        assert_eq!(seen.stdout, "");
        if let Some(found) = keyring.secret_tool("crm", "ingestion@example.com/eu") {
            let lookup = place.keys("lookup --json").input(&found).on(&keyring).ends(0);
            assert_eq!(lookup.data()["name"], name);
        }
    }
    // Refused before anything is minted.
    let refused = place.keys("create --perm read --to keyring:crm/x --name third").env("KEYS_API_URL", &service.url);
    let refused = refused.env("KEYS_API_KEY", &service.admin).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    refused.ends(2).says(["could not prepare `keyring:crm/x`", "there is no session bus"]);
    let list = place.keys("list --json --status all").on(&keyring).ends(0).data();
    assert_eq!(list.as_array().unwrap().len(), 3);
}

#[test]
fn a_crash_leaves_no_core() {
    let place = Place::new();
    let canary = "wbk_canary00_abcdefghijklmnopqrstuvwxyz";
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -c unlimited 2>/dev/null; exec {KEYS} -p local lookup")])
        .env_clear()
        .envs(place.environment())
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(canary.as_bytes()).unwrap();
    // Read and not ended: the secret is in the memory of the program that is killed now.
    let id = rustix::process::Pid::from_child(&child);
    let begin = std::time::Instant::now();
    while rustix::io::ioctl_fionread(&stdin).is_ok_and(|left| left > 0) || !is_keys(child.id()) {
        assert!(begin.elapsed() < support::HANGS);
        thread::sleep(std::time::Duration::from_millis(5));
    }
    rustix::process::kill_process(id, rustix::process::Signal::ABORT).unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{said}");
    assert!(!status.core_dumped());
    assert_eq!(place.files_holding(canary), Vec::<String>::new());
}

/// Whether the shell has become the program.
fn is_keys(id: u32) -> bool {
    let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    line.starts_with(KEYS.as_bytes())
}
