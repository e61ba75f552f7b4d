//! A vendor's workspace behind a running service, and runs of the binary and of curl against it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{HANGS, Place, Run, Seen, Server};

/// A workspace of a vendor, served under its path.
pub(crate) struct Vendor<'a> {
    place: &'a Place,
    pub(crate) server: &'a Server<'a>,
    name: &'static str,
    /// A credential that manages keys.
    pub(crate) manager: String,
}

impl<'a> Vendor<'a> {
    /// Makes the workspace, with these options of `keys serve init`.
    pub(crate) fn new(place: &'a Place, server: &'a Server<'a>, name: &'static str, options: &str) -> Self {
        let init = administered(place, "serve init -q", options).arg("--provider").arg(name);
        let manager = printed(&init.arg("--name").arg(workspace(name)).done());
        Self { place, server, name, manager }
    }

    /// An organisation on Nexus whose developer manages keys.
    pub(crate) fn nexus(place: &'a Place, server: &'a Server<'a>) -> Self {
        let mut vendor = Self::new(place, server, "nexus", "");
        vendor.allow_keys();
        vendor.manager = vendor.member("Ada", "developer");
        vendor
    }

    /// A command of whoever holds the database, about this workspace.
    pub(crate) fn operate(&self, line: &str, options: &str) {
        let seen = administered(self.place, line, "").arg(workspace(self.name)).args(options).done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
    }

    /// Calls the vendor's API as any program would, with an empty object; the status of the answer.
    pub(crate) fn call(&self, key: &str, method: &str, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        let head = format!("{method} /{}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", self.name);
        let keys = format!("Authorization: Bearer {key}\r\nX-Api-Key: {key}\r\n");
        let body = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(format!("{head}{keys}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Switches on what lets members manage keys.
    pub(crate) fn allow_keys(&self) {
        self.operate("serve workspace set-feature", "developer-api on");
    }

    /// A member's credential.
    pub(crate) fn member(&self, name: &str, role: &str) -> String {
        let add = administered(self.place, "serve member add -q", "").arg("--workspace").arg(workspace(self.name));
        printed(&add.args(&format!("--name {name} --role {role}")).done())
    }

    /// The address of the vendor's API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/{}", self.server.address(), self.name)
    }

    /// `keys` with these words, split at spaces, for this vendor and as the one who manages keys.
    pub(crate) fn keys(&self, line: &str) -> Run<'a> {
        self.keys_as(&self.manager, line)
    }

    pub(crate) fn keys_as(&self, key: &str, line: &str) -> Run<'a> {
        self.keys_at(&self.url(), line).env("KEYS_API_KEY", key)
    }

    /// The same at another address, such as that of a proxy.
    pub(crate) fn keys_at(&self, url: &str, line: &str) -> Run<'a> {
        let run = self.place.keys(line.split_whitespace()).env("KEYS_API_KEY", &self.manager);
        run.env("KEYS_PROVIDER", self.name).env("KEYS_API_URL", url)
    }

    /// What succeeds.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> Seen {
        let seen = self.keys(line).done();
        assert_eq!(seen.code, 0, "{line}: {}", seen.stderr);
        seen
    }

    /// What ends with this code and says this.
    #[track_caller]
    pub(crate) fn refused(&self, line: &str, code: i32, said: &str) {
        refused(self.keys(line), code, said);
    }

    /// A key made with these options; its plaintext.
    #[track_caller]
    pub(crate) fn create(&self, line: &str) -> String {
        printed(&self.keys(&format!("create -q {line}")).done())
    }

    /// The key that a name means.
    #[track_caller]
    pub(crate) fn show(&self, name: &str) -> Value {
        self.done(&format!("show {name} --json")).data()
    }

    /// All keys there are.
    #[track_caller]
    pub(crate) fn all(&self) -> Vec<Value> {
        self.done("list --status all --json").data().as_array().unwrap().clone()
    }

    /// Waits until a key that ends by itself has ended, and says what is said then.
    pub(crate) fn once_expired(&self, key: &str) -> Seen {
        let begin = Instant::now();
        loop {
            let seen = self.keys_as(key, "whoami").done();
            if seen.code != 0 || begin.elapsed() > HANGS {
                return seen;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Standard output, which has to be one line and nothing else.
#[track_caller]
pub(crate) fn printed(seen: &Seen) -> String {
    assert_eq!((seen.code, seen.stdout.lines().count()), (0, 1), "{}", seen.stderr);
    seen.stdout.trim_end().to_owned()
}

fn workspace(vendor: &str) -> String {
    format!("Acme on {vendor}")
}

fn administered<'a>(place: &'a Place, line: &str, options: &str) -> Run<'a> {
    let run = place.keys(line.split_whitespace()).args(options).arg("--database");
    run.arg(format!("sqlite:{}", place.path("service.db").display()))
}

/// A run that ends with this code, prints nothing, and says this.
#[track_caller]
pub(crate) fn refused(run: Run<'_>, code: i32, said: &str) {
    let seen = run.done();
    assert_eq!((seen.code, seen.stdout.as_str()), (code, ""), "{}", seen.stderr);
    assert!(seen.stderr.contains(said), "not `{said}`, but: {}", seen.stderr);
}

/// An answer that curl got.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Runs a call of curl as it stands in a document, but for what is replaced in it; `None` where there is no curl.
pub(crate) fn curl(place: &Place, example: &str, replaced: &[(&str, &str)]) -> Option<Answer> {
    if place.shell("command -v curl").done().code != 0 {
        crate::support::leave_out("curl", "the vendors' own examples");
        return None;
    }
    let mut line = example.to_owned();
    for (from, to) in replaced {
        assert!(line.contains(from), "there is no `{from}` in `{line}`");
        line = line.replace(from, to);
    }
    let seen = place.shell(&format!("{line} \\\n--silent --show-error --include")).done();
    assert_eq!(seen.code, 0, "{line}: {}", seen.stderr);
    let (head, body) = seen.stdout.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() };
    Some(Answer { status, head: head.to_owned(), body })
}
