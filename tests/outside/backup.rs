//! The README's way to a backup of a service that runs, and back: with `sqlite3`, and with `pg_dump` and `pg_restore`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::database::Database;
use super::http::Request;
use super::service::{Service, leave_out_unless_required};
use crate::support::Place;

/// The block of the README that begins with this.
fn block(beginning: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("```sh\n{beginning}")).expect("the block in README.md");
    let (block, _) = rest.split_once("```").unwrap();
    format!("{beginning}{block}")
}

/// Not every system keeps them where the others are.
#[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

fn is_there(program: &str, left_out: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok();
    if !is_there {
        leave_out_unless_required(program, left_out);
    }
    is_there
}

/// Who was known when the backup was made is known to the service on what was restored, and nobody else.
fn is_restored(place: &Place, restored: &str, known: &str, unknown: &str) {
    let verified = place.keys(["serve", "audit", "verify", "--json", "--database", restored]).done().data();
    assert_eq!((&verified[0]["whole"], &verified[0]["entries"]), (&true.into(), &2.into()));
    let service = Service::over(place, restored, known.to_owned());
    assert_eq!(service.ask(&Request::get("/v1/whoami", known)).status, 200);
    assert_eq!(service.ask(&Request::get("/v1/whoami", unknown)).status, 401);
}

#[test]
fn a_backup_of_sqlite_is_restored() {
    if !is_there("sqlite3", "a backup of SQLite") {
        return;
    }
    let place = Place::new();
    let mut service = Service::start(&place, &Database::sqlite(&place), "--plan pro");
    let known = service.create("known", "read");
    let backup = place.shell(&block("umask 077\nsqlite3").replace("keys.db", "service.db")).done();
    assert_eq!(backup.code, 0, "{}", backup.stderr);
    let unknown = service.create("unknown", "read");
    service.kill();
    is_restored(&place, "sqlite:backup.db", &known, &unknown);
}

#[test]
fn a_backup_of_postgres_is_restored() {
    let left_out = "a backup of PostgreSQL";
    let Some(database) = Database::postgres(left_out) else { return };
    let Some(restored) = Database::postgres(left_out) else { return };
    if !is_there("pg_dump", left_out) || !is_there("pg_restore", left_out) {
        return;
    }
    let place = Place::new();
    let mut service = Service::start(&place, &database, "--plan pro");
    let known = service.create("known", "read");
    let server = reqwest::Url::parse(&database.url).unwrap();
    let name = |database: &Database| database.on_postgres.as_ref().unwrap().1.clone();
    let backup = place
        .shell(&format!(
            "set -e\n{}",
            block("umask 077\npg_dump").replace("=restored", &format!("={}", name(&restored)))
        ))
        .env("PATH", path())
        .env("PGHOST", server.host_str().unwrap())
        .env("PGPORT", server.port().unwrap_or(5432).to_string())
        .env("PGUSER", server.username())
        .env("PGPASSWORD", server.password().unwrap_or_default())
        .env("PGDATABASE", name(&database))
        .done();
    assert_eq!(backup.code, 0, "{}", backup.stderr);
    let unknown = service.create("unknown", "read");
    service.kill();
    is_restored(&place, &restored.url, &known, &unknown);
}
