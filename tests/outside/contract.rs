//! The OpenAPI document against the service: Spectral lints it, and Schemathesis sends what it allows and what it does not,
//! with all its checks.
//!
//! Where they are is said by `KEYS_TEST_SPECTRAL` and `KEYS_TEST_SCHEMATHESIS`, which `tests/run` sets once it has installed
//! them; without that both are left out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::database::Database;
use super::http::Request;
use super::service::Service;
use crate::support::{Place, leave_out};

#[test]
fn spectral_finds_nothing_wrong_with_the_form_of_the_document() {
    let Some(mut spectral) = tool("KEYS_TEST_SPECTRAL", "Spectral", "a lint of the OpenAPI document") else { return };
    let place = Place::new();
    let service = Service::start(&place, &Database::sqlite(&place), "");
    place.write("openapi.json", service.ask(&Request::new("GET", "/openapi.json")).body);
    let rules = files().join("spectral.yaml");
    let lint = spectral.args(["lint", "--fail-severity=hint", "openapi.json", "--ruleset"]).arg(rules);
    passes(lint.env("HOME", place.path("home")).current_dir(place.root()));
}

#[test]
fn schemathesis_finds_nothing_on_sqlite() {
    let Some(schemathesis) = schemathesis("on SQLite") else { return };
    let place = Place::new();
    let service = Service::start(&place, &Database::sqlite(&place), UNBOUNDED);
    examine(schemathesis, &place, &service, &[("Acme", &service.admin)], 30);
}

/// Also what one workspace makes the other must not see.
#[test]
fn schemathesis_finds_nothing_with_two_workspaces_on_postgres() {
    let Some(schemathesis) = schemathesis("on PostgreSQL") else { return };
    let Some(database) = Database::postgres("Schemathesis on PostgreSQL") else { return };
    let place = Place::new();
    let service = Service::start(&place, &database, UNBOUNDED);
    let other = service.workspace("Globex", UNBOUNDED);
    examine(schemathesis, &place, &service, &[("Acme", &service.admin), ("Globex", &other)], 30);
}

/// Nearly everything is answered with 402 or 429.
#[test]
fn schemathesis_finds_nothing_where_limits_and_credits_are_used_up() {
    let Some(schemathesis) = schemathesis("where the limits are used up") else { return };
    let place = Place::new();
    let service = Service::start(&place, &Database::sqlite(&place), "--plan starter --monthly-credits 3");
    examine(schemathesis, &place, &service, &[("Acme", &service.admin)], 10);
}

/// The first key of an enterprise has no limits; credits enough for a run.
const UNBOUNDED: &str = "--plan enterprise --monthly-credits 1000000";

fn schemathesis(left_out: &str) -> Option<Command> {
    tool("KEYS_TEST_SCHEMATHESIS", "Schemathesis", &format!("the API by its OpenAPI document, {left_out}"))
}

/// Runs all phases with all checks: none is switched off.
fn examine(mut schemathesis: Command, place: &Place, service: &Service<'_>, keys: &[(&str, &str)], examples: u32) {
    let header = |key: &str| json!([{ "name": "Authorization", "value": format!("Bearer {key}") }]);
    let users: Vec<_> = keys.iter().map(|(name, key)| json!({ "name": name, "fixedHeaders": header(key) })).collect();
    place.write("users.json", json!({ "auth": users }).to_string());
    let names: Vec<_> = keys.iter().map(|(name, _)| *name).collect();
    // With one there is nobody to be kept from.
    let peers = if names.len() > 1 { format!("peers = {names:?}\n") } else { String::new() };
    place.write("schemathesis.toml", format!("{CONFIGURATION}{peers}"));
    let run = schemathesis
        .args(["--config-file", "schemathesis.toml", "run", "--checks", "all", "--phases"])
        .args(["examples,coverage,fuzzing,stateful", "--no-color", "--generation-database", ":memory:"])
        // The same every time: what differs from run to run has to be found by hand, with other seeds.
        .args(["--seed", "1", "--max-examples", &examples.to_string()])
        .arg(format!("{}/openapi.json", service.url()));
    run.env("HOME", place.path("home")).current_dir(place.root());
    // Beside the file of the hooks nothing is to appear.
    run.env("PYTHONPATH", files()).env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONDONTWRITEBYTECODE", "1");
    passes(run);
}

/// Who has no credits left is refused what is valid, as who has no calls left is: 402 is added to what Schemathesis expects.
const CONFIGURATION: &str = r#"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 402, 403, 404, 409, 429, "5xx"]

[auth.wfc]
path = "users.json"
"#;

/// A program that a variable names.
#[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
fn tool(variable: &str, name: &str, left_out: &str) -> Option<Command> {
    let Ok(path) = std::env::var(variable) else {
        leave_out(name, left_out);
        return None;
    };
    let mut command = Command::new(path);
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default()).stdin(Stdio::null());
    Some(command)
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outside")
}

#[track_caller]
fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    // A report may quote answers, and a key with them.
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace("wbk_", "wbk-");
    assert!(output.status.success(), "{}\n{said}", output.status);
}
