//! `keys serve` as a child process, on a port of its own.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use super::{KEYS, Place, Run, sqlite};

/// A workspace that is served over TCP.
pub(crate) struct Server<'a> {
    place: &'a Place,
    child: Child,
    stderr: BufReader<ChildStderr>,
    url: String,
    database: PathBuf,
    /// The first admin key.
    pub(crate) admin: String,
}

impl<'a> Server<'a> {
    pub(crate) fn start(place: &'a Place) -> Self {
        Self::logging(place, "all")
    }

    /// One that notes these requests: where nobody reads its log, thousands of lines would fill the pipe.
    pub(crate) fn logging(place: &'a Place, requests: &str) -> Self {
        let database = place.path("service.db");
        let admin = make_workspace(place, "Acme");
        let (child, stderr, url) = Self::spawn(place, &database, "127.0.0.1:0", requests);
        Self { place, child, stderr, url, database, admin }
    }

    /// SIGKILL, and another one in its place, on the same port.
    pub(crate) fn kill_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let address = self.address().to_owned();
        (self.child, self.stderr, self.url) = Self::spawn(self.place, &self.database, &address, "all");
    }

    fn spawn(place: &Place, database: &Path, address: &str, requests: &str) -> (Child, BufReader<ChildStderr>, String) {
        let mut child = Command::new(KEYS)
            .args(["serve", "--log-requests", requests, "--listen", address, "--database"])
            .arg(format!("sqlite:{}", database.display()))
            .env_clear()
            .envs(place.environment())
            .current_dir(place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the service said `{line}`"));
        let url = said["url"].as_str().unwrap().to_owned();
        (child, stderr, url)
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The first admin key of another workspace in the same database.
    pub(crate) fn other_workspace(&self) -> String {
        make_workspace(self.place, "Globex")
    }

    /// `keys` with these words, split at spaces, sent to this service with a key.
    pub(crate) fn keys(&self, key: &str, line: &str) -> Run<'a> {
        self.place.keys(line.split_whitespace()).env("KEYS_API_URL", &self.url).env("KEYS_API_KEY", key)
    }

    /// Calls the service as any program would; the status of its answer.
    pub(crate) fn call(&self, key: &str, method: &str, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {key}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// A key with these permissions, made by the admin; its plaintext.
    pub(crate) fn create(&self, name: &str, permissions: &str) -> String {
        self.keys(&self.admin, &format!("create -q --name {name} --perm {permissions}")).done().secret()
    }

    pub(crate) fn id(&self, name: &str) -> String {
        let seen = self.keys(&self.admin, &format!("show {name} --json")).done();
        seen.data()["id"].as_str().unwrap().to_owned()
    }

    /// All keys of the workspace, without the time of their last use: looking is a use.
    pub(crate) fn everything(&self) -> Value {
        let seen = self.keys(&self.admin, "list --status all --json").done();
        let mut data = seen.data();
        for key in data.as_array_mut().unwrap() {
            key["last_used_at"] = Value::Null;
        }
        data
    }

    pub(crate) fn sqlite(&self, left_out: &str, statements: &str) -> Option<String> {
        sqlite(&self.database, left_out, statements)
    }

    /// Ends the service; what it said meanwhile.
    pub(crate) fn stop(&mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut said = String::new();
        while self.stderr.read_line(&mut said).unwrap() > 0 {}
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {said}");
        said
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn make_workspace(place: &Place, name: &str) -> String {
    place
        .keys(["serve", "init", "-q", "--name", name, "--database"])
        .arg(format!("sqlite:{}", place.path("service.db").display()))
        .done()
        .secret()
}
