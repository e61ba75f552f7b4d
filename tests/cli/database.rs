//! A database that is not as it should be: exit code 8, a way on, and nothing changed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use snapbox::str;

use crate::support::{KEYS, Place, leave_out};

#[test]
fn garbage() {
    let place = Place::new();
    place.create("ci", "read");
    for name in ["keys.db-wal", "keys.db-shm"] {
        let _ = fs::remove_file(place.data().join(name));
    }
    let path = place.write("data/keys.db", "this is not a database at all, but a text\n".repeat(100));
    place.local("list").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: the file is not a database of this program, or it is damaged

hint: restore it from a backup; or move it away, and a new one is made

"#]]);
    place.local("create --name x --perm read").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: the file is not a database of this program, or it is damaged

hint: restore it from a backup; or move it away, and a new one is made

"#]]);
    place
        .local("create --name x --perm read --json")
        .shows(str![[r#"
exit 8
--- stderr
{"error":{"code":"database_damaged","message":"could not open the profile `local` in `[ROOT]/data`: the file is not a database of this program, or it is damaged","hint":"restore it from a backup; or move it away, and a new one is made","retryable":false,"status":null,"request_id":null,"exit":8}}

"#]]);
    assert!(fs::read_to_string(path).unwrap().starts_with("this is not"));
}

#[test]
fn a_database_that_is_damaged_within() {
    let place = Place::new();
    place.create("ci", "read");
    let path = place.data().join("keys.db");
    if place.sqlite("a damaged database", "PRAGMA wal_checkpoint(TRUNCATE);").is_none() {
        return;
    }
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[100..length].fill(0x55);
    place.write("data/keys.db", bytes);
    let seen = place.local("list").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (8, ""), "{}", seen.stderr);
    assert!(seen.stderr.contains("hint:"), "{}", seen.stderr);
}

#[test]
fn a_newer_schema() {
    let place = Place::new();
    place.create("ci", "read");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0);";
    if place.sqlite("a database of a newer schema", newer).is_none() {
        return;
    }
    place.local("list").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: the database has schema 9999, this program knows schemas up to 2

hint: a newer keys has written this database: use that one

"#]]);
    place.local("create --name x --perm read").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: the database has schema 9999, this program knows schemas up to 2

hint: a newer keys has written this database: use that one

"#]]);
    place.sqlite("a database of a newer schema", "DELETE FROM _sqlx_migrations WHERE version = 9999;").unwrap();
    assert_eq!(place.everything().matches("\"id\"").count(), 1);
}

#[test]
fn a_lock_that_another_program_holds() {
    let place = Place::new();
    place.create("ci", "read");
    let before = place.everything();
    let spawned =
        Command::new("sqlite3").arg(place.data().join("keys.db")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut holder) = spawned else {
        leave_out("sqlite3", "a database that another program has locked");
        return;
    };
    let mut input = holder.stdin.take().unwrap();
    input.write_all(b"BEGIN EXCLUSIVE;\nSELECT 'held';\n").unwrap();
    input.flush().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    place.local("create --name x --perm read").shows(str![[r#"
exit 8
--- stderr
error: could not create the key `x`
  caused by: the database is busy: another program holds its lock

hint: close the program that has it open, then run the command again

"#]]);
    // Readers are not kept waiting by a writer.
    place.local("list --jq .data[].name").shows(str![[r#"
exit 0
--- stdout
ci

"#]]);
    drop(input);
    holder.wait().unwrap();
    assert_eq!(place.everything(), before);
}

#[test]
fn a_first_step_that_another_program_never_ends() {
    let place = Place::new();
    place.create("ci", "read");
    let lock = fs::File::open(place.data().join("local.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut running = place.local("list").start();
    let ended = running.ends_within(Duration::from_secs(30));
    drop(lock);
    let seen = running.done();
    assert!(ended, "it waits without a word: {seen:?}");
    assert!(matches!(seen.code, 0 | 8), "{seen:?}");
}

/// `keys` as somebody without rights, from a copy of the binary that everybody may read.
fn as_nobody(place: &Place, line: &str) -> Option<crate::support::Seen> {
    let binary = place.path("keys-copy");
    if !binary.exists() {
        fs::copy(KEYS, &binary).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned());
        let line = line.split_whitespace().map(str::to_owned);
        place.run(words.chain([binary.to_str().unwrap().to_owned()]).chain(line).collect())
    };
    let is_root = rustix::process::geteuid().is_root();
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    match (is_root, has_setpriv) {
        (false, _) => Some(run(&[]).done()),
        (true, true) => Some(run(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]).done()),
        (true, false) => {
            leave_out("setpriv", "what file permissions forbid, because root may everything");
            None
        }
    }
}

/// Gives everything below the place to the user that [`as_nobody`] runs as.
fn give_away(path: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

#[test]
fn a_database_that_cannot_be_written() {
    let place = Place::new();
    place.create("ci", "read");
    let database = place.data().join("keys.db");
    // What a checkpoint leaves to be done would be done by the next writer.
    let _ = place.sqlite("a database without a log", "PRAGMA wal_checkpoint(TRUNCATE);");
    give_away(place.root());
    fs::set_permissions(&database, fs::Permissions::from_mode(0o400)).unwrap();
    let Some(seen) = as_nobody(&place, "-p local create --name x --perm read") else {
        return;
    };
    seen.shows(str![[r#"
exit 8
--- stderr
error: could not create the key `x`
  caused by: the database cannot be written

hint: check the permissions of the file and of its directory, then run the command again

"#]]);
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).unwrap();
    let seen = as_nobody(&place, "-p local list --status all --jq .data[].name").unwrap();
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "ci\n"), "{}", seen.stderr);
}

#[test]
fn a_directory_that_cannot_be_written() {
    let place = Place::new();
    let keep = place.path("closed");
    fs::create_dir(&keep).unwrap();
    fs::set_permissions(&keep, fs::Permissions::from_mode(0o500)).unwrap();
    give_away(place.root());
    let environment = |line: &str| as_nobody(&place, line);
    let Some(_) = environment("--version") else {
        return;
    };
    fs::set_permissions(place.root(), fs::Permissions::from_mode(0o555)).unwrap();
    let seen = environment("-p local list").unwrap();
    fs::set_permissions(place.root(), fs::Permissions::from_mode(0o755)).unwrap();
    seen.shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: could not create the directory `[ROOT]/data`: Permission denied (os error 13)

hint: check who may write to the directory, or name another

"#]]);
    assert!(!place.data().exists());
}

#[test]
fn a_data_directory_that_others_may_read() {
    let place = Place::new();
    place.create("ci", "read");
    fs::set_permissions(place.data(), fs::Permissions::from_mode(0o755)).unwrap();
    place.local("list --jq .data[].name").shows(str![[r#"
exit 0
--- stdout
ci

"#]]);
    fs::set_permissions(place.data(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(place.data().join("keys.db"), fs::Permissions::from_mode(0o644)).unwrap();
    place.local("list --jq .data[].name").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: could not use `[ROOT]/data/keys.db`: others may use it (its mode is 0644)

hint: run `chmod 600 [ROOT]/data/keys.db`

"#]]);
}

#[test]
fn a_database_that_is_a_link() {
    let place = Place::new();
    place.create("ci", "read");
    let database = place.data().join("keys.db");
    fs::rename(&database, place.data().join("other.db")).unwrap();
    std::os::unix::fs::symlink("other.db", &database).unwrap();
    place.local("list").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: could not use `[ROOT]/data/keys.db`: it is a symbolic link

hint: name the file itself: links are not followed

"#]]);
}

#[test]
fn a_data_directory_that_is_a_file() {
    let place = Place::new();
    place.write("data", "a file");
    place.local("list").shows(str![[r#"
exit 8
--- stderr
error: could not open the profile `local` in `[ROOT]/data`
  caused by: could not create the directory `[ROOT]/data`: it is not a directory

hint: move `[ROOT]/data` away or name another directory

"#]]);
    assert_eq!(place.read("data"), "a file");
}

#[test]
fn a_replay_secret_that_is_damaged() {
    let place = Place::new();
    let first = place.local("create -q --name ci --perm read --idempotency-key one").done().secret();
    place.write("data/replay.secret", "short");
    let seen = place.local("create -q --name ci --perm read --idempotency-key one").done();
    // What cannot be opened any more is said to be so; another key is not made.
    assert_eq!((seen.code, seen.stdout.as_str()), (6, ""), "{}", seen.stderr);
    let seen = place.local("lookup --jq .data.name").input(first).done();
    assert_eq!(seen.stdout, "ci\n");
}

#[test]
fn no_home_directory() {
    let place = Place::new();
    let binary = place.path("keys-copy");
    fs::copy(KEYS, &binary).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    if !rustix::process::geteuid().is_root() || !has_setpriv {
        leave_out("setpriv (as root)", "a user without a home directory");
        return;
    }
    let words = [
        "setpriv",
        "--reuid=54321",
        "--regid=54321",
        "--clear-groups",
        binary.to_str().unwrap(),
        "-p",
        "local",
        "list",
    ];
    place.run(words.map(str::to_owned).to_vec()).without("HOME").without("KEYS_DATA_DIR").shows(str![[r#"
exit 2
--- stderr
error: no home directory is known, so there is no place for the data of the profile `local`

hint: set KEYS_DATA_DIR to a directory of yours

"#]]);
}

#[test]
fn the_data_directory_is_below_the_home() {
    let place = Place::new();
    place.local("create -q --name ci --perm read").without("KEYS_DATA_DIR").done().secret();
    assert!(!place.data().exists());
    let seen = place.local("list --jq .data[].name").without("KEYS_DATA_DIR").done();
    assert_eq!(seen.stdout, "ci\n");
}
