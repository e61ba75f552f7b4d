//! A service, a key that is to be rotated, a consumer who reads it from a file, and what must hold whatever happened.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::proxy::{Fate, Proxy};
use super::vendor::{Asked, Vendor};
use crate::support::{KEYS, Place, Run, Seen, leave_out};

/// `keys serve` on an address that stays the same when it is started again.
pub(crate) struct Service {
    child: Option<Child>,
    address: String,
    directory: PathBuf,
    vendor: Vendor,
    /// The first admin key.
    pub(crate) admin: String,
}

impl Service {
    /// On a database beside the place's own, with these options of its workspace.
    fn with(place: &Place, vendor: Vendor, options: &str) -> Self {
        let directory = place.path("service");
        fs::create_dir_all(&directory).unwrap();
        let database = format!("sqlite:{}", directory.join("service.db").display());
        let init = place.keys(["serve", "init", "-q", "--name", "Acme", "--provider", vendor.name(), "--database"]);
        let made = printed(&init.arg(database).args(options).done());
        // A port that nobody has; it keeps it when it is started again.
        let address = "127.0.0.1:0".to_owned();
        let mut service = Self { child: None, address, directory, vendor, admin: made };
        service.begin(&[]);
        service
    }

    /// Starts it; `before` stands in front of the command line.
    pub(crate) fn begin(&mut self, before: &[&str]) {
        let mut words = before.to_vec();
        words.extend([KEYS, "serve", "--log-requests", "none", "--listen", &self.address]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .arg("--database")
            .arg(format!("sqlite:{}", self.directory.join("service.db").display()))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.directory)
            .env("KEYS_DATA_DIR", self.directory.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the service said `{line}`"));
        let url = said["url"].as_str().unwrap_or_else(|| panic!("the service said `{line}`"));
        url.strip_prefix("http://").unwrap().clone_into(&mut self.address);
        // Nobody reads its log, and a full pipe would hold it.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        self.child = Some(child);
    }

    /// Ends it as a power cut does, with what stands in front of it: `faketime` runs it as a child of its own.
    pub(crate) fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            child.wait().unwrap();
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where the provider's API is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.vendor.path())
    }

    /// The status of a call with a key.
    pub(crate) fn status(&self, key: &str) -> u16 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n",
            self.vendor.call(),
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("`{answer}`"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

/// A key named `ci` that a consumer uses.
pub(crate) struct Scene {
    pub(crate) vendor: Vendor,
    pub(crate) place: Place,
    pub(crate) service: Service,
    /// The plaintext of the first key.
    pub(crate) old: String,
    pub(crate) old_id: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::on(Vendor::Native)
    }

    pub(crate) fn on(vendor: Vendor) -> Self {
        Self::made(vendor, "")
    }

    /// With more options of the workspace.
    pub(crate) fn with(options: &str) -> Self {
        Self::made(Vendor::Native, options)
    }

    fn made(vendor: Vendor, options: &str) -> Self {
        let place = Place::new();
        let service = Service::with(&place, vendor, options);
        fs::create_dir(place.path("consumer")).unwrap();
        let mut scene = Self { vendor, place, service, old: String::new(), old_id: String::new() };
        let create = format!("create -q --name ci --perm {} --tier unmetered", vendor.permission());
        scene.old = printed(&scene.keys(&create).done());
        scene.old_id = scene.ids("ci").remove(0);
        scene
    }

    /// `keys` with these words, as the admin.
    pub(crate) fn keys(&self, line: &str) -> Run<'_> {
        let run = self.as_admin(self.place.keys(line.split_whitespace()));
        // Who goes on does so as it was begun: also by way of a proxy.
        let begun = line.starts_with("rotation").then(|| self.begun_at()).flatten();
        begun.into_iter().fold(run, |run, url| run.env("KEYS_API_URL", url))
    }

    /// The address of the service of a rotation that is not over.
    fn begun_at(&self) -> Option<String> {
        let mut records = fs::read_dir(self.place.data().join("rotations")).ok()?.flatten();
        let record = records.find(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))?;
        let record: Value = serde_json::from_slice(&fs::read(record.path()).ok()?).ok()?;
        record["service"]["api_url"].as_str().map(str::to_owned)
    }

    /// The same by way of a proxy.
    pub(crate) fn keys_by(&self, proxy: &Proxy, line: &str) -> Run<'_> {
        self.keys(line).env("KEYS_API_URL", self.url_of(proxy))
    }

    /// A line for the shell, in which `keys` is the binary, as the admin.
    pub(crate) fn shell(&self, line: &str) -> Run<'_> {
        self.as_admin(self.place.shell(line))
    }

    fn as_admin<'a>(&self, run: Run<'a>) -> Run<'a> {
        let run = run.env("KEYS_PROVIDER", self.vendor.name()).env("KEYS_API_URL", self.service.url());
        run.env("KEYS_API_KEY", &self.service.admin)
    }

    /// Where the provider's API is behind a proxy.
    pub(crate) fn url_of(&self, proxy: &Proxy) -> String {
        format!("{}{}", proxy.url(), self.vendor.path())
    }

    /// What becomes of a rotation's requests of one kind. Before it has asked for the new key it may ask who it is, which
    /// on LeadLex is the call that verifies.
    pub(crate) fn at(&self, asked: Asked, fate: Fate) -> impl FnMut(&str) -> Fate + Send + use<> {
        let (vendor, mut minted) = (self.vendor, false);
        move |line| {
            minted |= vendor.is(Asked::Mint, line);
            let meant = vendor.is(asked, line) && (minted || asked != Asked::Verify);
            if meant { fate.clone() } else { Fate::Passes }
        }
    }

    pub(crate) fn proxy(&self, decide: impl FnMut(&str) -> Fate + Send + 'static) -> Proxy {
        Proxy::before(self.service.address(), decide)
    }

    /// Where the consumer finds its key.
    pub(crate) fn sink(&self) -> PathBuf {
        self.place.path("consumer/key")
    }

    /// `--to file:` that path.
    pub(crate) fn to(&self) -> String {
        format!("--to file:{}", self.sink().display())
    }

    /// The key that the consumer knows.
    pub(crate) fn known(&self) -> String {
        fs::read_to_string(self.sink()).map_or_else(|_| self.old.clone(), |text| text.trim_end().to_owned())
    }

    /// All keys of that name which work, the newest first.
    pub(crate) fn live(&self, name: &str) -> Vec<Value> {
        let data = self.keys("list --json").done().data();
        data.as_array()
            .unwrap()
            .iter()
            .filter(|key| self.vendor.is_named(key["name"].as_str().unwrap(), name))
            .cloned()
            .collect()
    }

    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        self.live(name).iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The rotations that are not over.
    pub(crate) fn open(&self) -> Vec<Value> {
        self.keys("rotation list --json").done().data().as_array().unwrap().clone()
    }

    /// What holds at every moment.
    #[track_caller]
    pub(crate) fn holds(&self) {
        let known = self.known();
        assert_eq!(self.service.status(&known), 200, "the consumer's key does not work");
        let live = self.ids("ci");
        assert!(live.len() <= 2, "more than one key too many: {live:?}");
        let open = self.open();
        if live.len() == 2 && open.is_empty() {
            // A grace has begun, and the rotation is over: the old key ends by itself, which it cannot on LeadLex.
            assert_eq!(self.vendor, Vendor::Native, "a key that nobody knows of: {live:?}");
            let old = &self.live("ci")[1];
            assert!(!old["expires_at"].is_null(), "a key that nobody knows of: {live:?}");
        } else if live.len() == 2 {
            let [record] = open.as_slice() else { panic!("{open:?}") };
            let named = live.iter().any(|id| record["new"]["id"] == id.as_str());
            assert!(named || record["step"] == "intended", "a key that the journal does not name: {record}");
        }
    }

    /// What holds once a rotation without a grace is over: one key, the consumer's, and nothing left behind.
    #[track_caller]
    pub(crate) fn is_rotated(&self) {
        let known = self.known();
        assert_ne!(known, self.old, "the consumer has the old key");
        assert_eq!((self.service.status(&known), self.service.status(&self.old)), (200, 401));
        assert_eq!(self.live("ci").len(), 1);
        self.is_clean(&[&self.sink()]);
    }

    /// What holds once a rotation was taken back, or never began.
    #[track_caller]
    pub(crate) fn is_as_before(&self) {
        assert_eq!(self.service.status(&self.old), 200);
        assert_eq!(self.ids("ci"), std::slice::from_ref(&self.old_id));
        assert!(self.live("ci")[0].get("replaced").is_none());
        assert_eq!(self.open(), Vec::<Value>::new());
    }

    /// No rotation is open, and no plaintext is in any file of this place but the named ones.
    #[track_caller]
    pub(crate) fn is_clean(&self, but: &[&Path]) {
        assert_eq!(self.open(), Vec::<Value>::new());
        let left = fs::read_dir(self.place.data().join("rotations"))
            .map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>());
        assert!(left.is_empty(), "left behind: {left:?}");
        for file in files(self.place.root()) {
            let content = fs::read(&file).unwrap_or_default();
            let secret = content
                .windows(self.vendor.length())
                .any(|text| self.vendor.is_key(text) && text != self.service.admin.as_bytes());
            assert!(!secret || but.contains(&file.as_path()), "a plaintext is in {}", file.display());
        }
    }

    /// Puts the consumer back to the first key, for another rotation of the same name.
    pub(crate) fn goes_on_with_the_new_key(&mut self) {
        self.old = self.known();
        self.old_id = self.ids("ci").remove(0);
        let _ = fs::remove_file(self.sink());
    }
}

/// Whether there is a tool. Where there is none, what is left out is said; where the tests are to be whole, they fail.
#[expect(clippy::disallowed_methods, reason = "it is about the tests, not about the program")]
pub(crate) fn has(tool: &str, left_out: &str) -> bool {
    if Command::new(tool).arg("--version").output().is_ok() {
        return true;
    }
    let required = cfg!(target_os = "linux") && std::env::var_os("KEYS_REQUIRE_ROTATION_TOOLS").is_some();
    assert!(!required, "there is no {tool}, which is needed for {left_out}");
    leave_out(tool, left_out);
    false
}

/// Standard output, which has to be a line of its own with a key on it.
#[track_caller]
pub(crate) fn printed(seen: &Seen) -> String {
    assert_eq!((seen.code, seen.stdout.lines().count()), (0, 1), "{}", seen.stderr);
    assert!(seen.stdout.starts_with("wbk_"), "{}", seen.stdout);
    seen.stdout.trim_end().to_owned()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// The one line that was printed to go on with, wherever it stands.
#[track_caller]
pub(crate) fn line_to_type(seen: &Seen) -> String {
    let mut lines = seen.stderr.lines().map(str::trim).filter(|line| line.starts_with("keys rotation resume "));
    let line = lines.next().unwrap_or_else(|| panic!("no line to type in: {}", seen.stderr)).to_owned();
    assert_eq!(lines.next(), None);
    line.strip_prefix("keys ").unwrap().to_owned()
}
