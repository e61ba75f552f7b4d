//! `keys serve` with a workspace on a plan of the test's choice, its log in a file.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::database::Database;
use super::http::{self, Answer, Request, wait_until};
use crate::support::{KEYS, Place, Run, leave_out};

pub(crate) struct Service<'a> {
    place: &'a Place,
    child: Child,
    database: String,
    pub(crate) address: String,
    /// The first admin key.
    pub(crate) admin: String,
}

impl<'a> Service<'a> {
    /// `options` are those of `keys serve init`.
    pub(crate) fn start(place: &'a Place, database: &Database, options: &str) -> Self {
        let admin = workspace(place, &database.url, "Acme", options);
        Self::over(place, &database.url, admin)
    }

    /// On a database that has its workspaces; in place of a service before it, whose log it ends.
    #[expect(clippy::disallowed_methods, reason = "the files of a test need be neither private nor atomic")]
    pub(crate) fn over(place: &'a Place, database: &str, admin: String) -> Self {
        let log = File::create(place.path("server.log")).unwrap();
        let child = Command::new(KEYS)
            // As much as it can say.
            .args(["serve", "-vv", "--log-requests", "all", "--listen", "127.0.0.1:0", "--database"])
            .arg(database)
            .env_clear()
            .envs(place.environment())
            .env("RUST_LOG", "trace")
            .current_dir(place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut service = Self { place, child, database: database.to_owned(), address: String::new(), admin };
        let began = wait_until(|| {
            let listening = service.log().into_iter().find(|line| line["event"] == "listening");
            if let Some(url) = listening.as_ref().and_then(|line| line["url"].as_str()) {
                url.split("//").nth(1).unwrap().clone_into(&mut service.address);
            }
            listening.is_some()
        });
        assert!(began, "the service did not start: {}", place.read("server.log"));
        service
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The whole lines of its log.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.place.path("server.log")).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
    }

    /// Another workspace on the same database; its first admin key.
    pub(crate) fn workspace(&self, name: &str, options: &str) -> String {
        workspace(self.place, &self.database, name, options)
    }

    /// A key with this permission, made by the admin; its plaintext.
    pub(crate) fn create(&self, name: &str, permission: &str) -> String {
        self.keys(&self.admin).args("create -q --name").arg(name).args("--perm").arg(permission).done().secret()
    }

    /// `keys`, sent to this service with a key.
    pub(crate) fn keys(&self, key: &str) -> Run<'a> {
        self.place.keys([""; 0]).env("KEYS_API_URL", self.url()).env("KEYS_API_KEY", key)
    }

    /// `keys serve` with these words, on the database itself.
    pub(crate) fn operator(&self, line: &str) -> Run<'a> {
        self.place.keys(["serve"]).args(line).env("KEYS_DATABASE_URL", &self.database)
    }

    pub(crate) fn ask(&self, request: &Request) -> Answer {
        http::send(&self.address, request)
    }

    /// SIGKILL: it is gone for whoever asks.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn workspace(place: &Place, database: &str, name: &str, options: &str) -> String {
    let init = place.keys(["serve", "init", "-q", "--name", name]).args(options);
    let made = init.env("KEYS_DATABASE_URL", database).done();
    assert_eq!(made.code, 0, "{}", made.stderr);
    // In the shape of its provider.
    made.stdout.trim_end().to_owned()
}

/// Leaves out what needs a program, or fails where `tests/run` has said that it is to be here.
#[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
pub(crate) fn leave_out_unless_required(program: &str, left_out: &str) {
    let required = std::env::var("KEYS_REQUIRE_OUTSIDE").unwrap_or_default();
    assert!(!required.split(' ').any(|name| name == program), "there is no {program}, which is required");
    leave_out(program, left_out);
}
