//! All that a service is asked to do with keys, at its most talkative, on both engines; then no plaintext is in its database,
//! in the files beside it, in a dump of PostgreSQL or in a log.

use std::process::Command;

use serde_json::json;

use super::database::Database;
use super::http::{Request, wait_until};
use super::search::Searcher;
use super::service::{Service, leave_out_unless_required};
use crate::support::{Place, Seen};

#[test]
fn no_plaintext_is_left_on_sqlite() {
    let place = Place::new();
    let database = Database::sqlite(&place);
    let mut scene = Scene::new(&place, &database);
    scene.live();
    let beside = place.path("service.db-wal");
    assert!(std::fs::metadata(beside).unwrap().len() > 0, "there is a WAL, and it is looked through");
    scene.judge("while the service runs");
    scene.service.kill();
    scene.judge("after it was killed");
    // Opened again, what was in the WAL goes into the database.
    scene.service.operator("audit verify").done();
    scene.judge("in the end");
}

#[test]
fn no_plaintext_is_left_on_postgres() {
    let left_out = "a dump of PostgreSQL after all that can be done with keys";
    let Some(database) = Database::postgres(left_out) else { return };
    let place = Place::new();
    let mut scene = Scene::new(&place, &database);
    scene.live();
    scene.judge("while the service runs");
    let Some(dump) = dumped(&database.url, left_out) else { return };
    // It has everything in it that the scene made.
    for word in ["api_keys", "Ingestion_worker", "idempotency", "api_key.revoke"] {
        assert!(dump.contains(word), "{word} is not in the dump");
    }
    assert_eq!(scene.secrets.find(dump.as_bytes()), [].into(), "in the dump");
    scene.service.kill();
    scene.judge("in the end");
}

/// What `pg_dump` writes of the whole database.
fn dumped(url: &str, left_out: &str) -> Option<String> {
    if let Ok(output) = Command::new("pg_dump").arg("--dbname").arg(url).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return Some(String::from_utf8(output.stdout).unwrap());
    }
    leave_out_unless_required("pg_dump", left_out);
    None
}

struct Scene<'a> {
    place: &'a Place,
    service: Service<'a>,
    secrets: Searcher,
    /// How many there are.
    count: usize,
    /// What was said to people.
    said: Vec<(String, String)>,
}

impl<'a> Scene<'a> {
    fn new(place: &'a Place, database: &Database) -> Self {
        let service = Service::start(place, database, "--plan pro --monthly-credits 3");
        let mut scene = Self { place, service, secrets: Searcher::default(), count: 0, said: Vec::new() };
        scene.learn("admin", &scene.service.admin.clone());
        scene
    }

    fn learn(&mut self, label: &str, plaintext: &str) {
        self.secrets.add(label, plaintext);
        self.count += 1;
    }

    /// `keys -vv` with these words and the admin's key, ending with this code.
    #[track_caller]
    fn keys(&mut self, line: &str, input: &str, code: i32) -> Seen {
        let run = self.service.keys(&self.service.admin).env("RUST_LOG", "trace").args(line).arg("-vv");
        let seen = run.input(input).done();
        assert_eq!(seen.code, code, "{line}: {}", seen.stderr.replace("wbk_", "wbk-"));
        self.said.push((line.to_owned(), seen.stderr.clone()));
        seen
    }

    /// The same, of which standard output is a new plaintext.
    #[track_caller]
    fn makes(&mut self, label: &str, line: &str) -> String {
        let plaintext = self.keys(line, "", 0).secret();
        self.learn(label, &plaintext);
        plaintext
    }

    /// A request with a key, and its status.
    #[track_caller]
    fn ask(&self, request: &Request, status: u16) {
        assert_eq!(self.service.ask(request).status, status, "{request:?}");
    }

    fn live(&mut self) {
        let worker = self.makes("worker", "create --name Ingestion_worker --perm write:contacts --idempotency-key one");
        // Asked once more, it is the answer that waits in the database, sealed.
        let again =
            self.keys("create --name Ingestion_worker --perm write:contacts --idempotency-key one", "", 0).secret();
        assert_eq!(again, worker);
        self.keys("edit Ingestion_worker --description busy", "", 0);
        self.keys("create --name Ingestion_worker --perm read", "", 6);
        let successor = self.makes("successor", "rotate Ingestion_worker --yes");
        self.makes("with grace", "rotate Ingestion_worker --grace 1h");
        let reader = self.makes("reader", "create --name reader --perm read:contacts --expires 30d");
        for key in [&worker, &successor, &reader] {
            self.keys("lookup", key, 0);
        }
        self.call(&worker, &reader);
        self.mistake(&reader);
        for (line, code) in [
            ("revoke reader --yes --confirm reader --reason leaked", 0),
            ("reactivate reader", 0),
            ("revoke reader --yes --confirm reader", 0),
            ("list --status all --json", 0),
            ("usage --json", 0),
            ("credits", 0),
            ("audit --format jsonl", 0),
            ("whoami", 0),
        ] {
            self.keys(line, "", code);
        }
        self.ask(&Request::get("/v1/contacts", &reader), 401);
        self.keys("delete reader --yes --confirm reader", "", 0);
        self.operate();
        // Statistics are written behind: whatever they hold is to be in the database.
        let answered = || self.service.log().iter().any(|line| line["status"] == 401);
        assert!(wait_until(answered));
        assert!(self.count >= 9, "{}", self.count);
    }

    /// Calls that pass, and each refusal.
    fn call(&mut self, revoked: &str, reader: &str) {
        let contact = json!({ "name": "Ada Lovelace" });
        let writer = self.makes("writer", "create --name writer --perm write:contacts");
        self.ask(&Request::new("POST", "/v1/contacts").key(&writer).json(&contact), 201);
        let gate = |key: &str, method: &str| {
            let asked = Request::new("GET", "/authorize").header("X-Api-Key", key);
            asked.header("X-Original-Method", method).header("X-Original-URI", "/v1/contacts?page=2")
        };
        self.ask(&gate(reader, "GET"), 204);
        self.ask(&Request::get("/v1/contacts", reader), 200);
        self.ask(&gate(reader, "POST"), 403);
        self.ask(&gate(revoked, "POST"), 401);
        self.ask(&gate(reader, "GET"), 402);
        let small = self.service.workspace("Small", "--plan starter");
        self.learn("small", &small);
        let is_limited = (0..=100).any(|_| self.service.ask(&gate(&small, "GET")).status == 429);
        assert!(is_limited, "over the limit of the day at the latest");
    }

    /// Plaintexts where none belongs: refused, and not quoted.
    fn mistake(&mut self, key: &str) {
        let admin = self.service.admin.clone();
        let wrong = format!("{key}x");
        self.ask(&Request::get("/v1/contacts", &wrong), 401);
        self.ask(&Request::get(&format!("/v1/api-keys/{key}"), &admin), 404);
        self.ask(&Request::get(&format!("/v1/api-keys?search={key}"), &admin), 200);
        self.ask(&Request::get(&format!("/v1/api-keys?{key}={key}"), &admin), 400);
        self.ask(&Request::get(&format!("/{key}"), &admin), 404);
        self.ask(&Request::new("BREW", &format!("/v1/api-keys?{key}")).key(&admin), 405);
        let misled = Request::new("GET", "/authorize").key(key).header("X-Original-Method", "GET");
        self.ask(&misled.header("X-Original-URI", format!("/v1/{key}?key={key}")), 403);
        for body in [json!({ "name": "x", "permissions": [key] }), json!({ "name": "x", key: key }), json!([key])] {
            self.ask(&Request::new("POST", "/v1/api-keys").key(&admin).json(&body), 400);
        }
        let broken = Request::new("POST", "/v1/api-keys").key(&admin).header("Content-Type", "application/json");
        self.ask(&broken.body(format!("{{\"name\":\"{key}")), 400);
        self.ask(&Request::new(&format!("GET /{key}"), "/").key(&admin), 400);
    }

    fn operate(&mut self) {
        for (label, line) in [
            ("member", "member add --workspace Acme --name Ada --role support"),
            ("recovered", "admin recover --workspace Small --replace"),
        ] {
            let seen = self.service.operator(line).args("-vv").env("RUST_LOG", "trace").done();
            self.learn(label, &seen.secret());
            self.said.push((line.to_owned(), seen.stderr));
        }
    }

    /// No plaintext is in a file below the home, the log among them, or in what was said to people.
    #[track_caller]
    fn judge(&self, when: &str) {
        let below = self.place.path("");
        assert!(!self.place.read("server.log").is_empty());
        assert_eq!(self.secrets.find_below(&below), [].into(), "{when}");
        for (line, said) in &self.said {
            assert_eq!(self.secrets.find(said.as_bytes()), [].into(), "`keys {line}` says it");
        }
    }
}
