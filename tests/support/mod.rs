//! A place of its own for each test, runs of the real binary in it, and what was seen, with what differs from run to run
//! checked for its shape and replaced.

mod authority;
pub(crate) mod fake;
mod proxy;
mod pty;
mod server;

pub(crate) use authority::{Authority, Secured};
pub(crate) use fake::{Fake, answer, json_answer};
pub(crate) use proxy::{Fate, forward, proxy};
pub(crate) use pty::Pty;
pub(crate) use server::Server;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use snapbox::IntoData;

/// The binary under test.
pub(crate) const KEYS: &str = env!("CARGO_BIN_EXE_keys");

/// A key by its looks that nobody has; in two parts, so that no scanner takes it for a secret.
pub(crate) const NOBODYS: &str = concat!("wbk_01234567_", "abcdefghijklmnopqrstuvwxyzABCDEF");

/// Nothing here takes this long; what does hangs, and is ended so that the test can say so.
pub(crate) const HANGS: Duration = Duration::from_mins(2);

/// A directory with a home and room for data, removed at the end.
pub(crate) struct Place {
    root: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("keys-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("home")).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        Self { root: root.canonicalize().unwrap() }
    }

    /// A path in the directory that commands run in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The data directory. The first command makes it.
    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "the files of a test need be neither private nor atomic")]
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// `keys` with these arguments.
    pub(crate) fn keys<A: AsRef<str>>(&self, arguments: impl IntoIterator<Item = A>) -> Run<'_> {
        let words = std::iter::once(KEYS.to_owned());
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        self.run(words.chain(arguments).collect())
    }

    /// `keys -p local` with these words, split at spaces.
    pub(crate) fn local(&self, line: &str) -> Run<'_> {
        self.keys(["-p", "local"].into_iter().chain(line.split_whitespace()))
    }

    /// A line for the shell, in which `keys` is the binary.
    pub(crate) fn shell(&self, line: &str) -> Run<'_> {
        self.run(vec!["sh".to_owned(), "-c".to_owned(), format!("keys() {{ {KEYS} \"$@\"; }}\n{line}")])
    }

    pub(crate) fn run(&self, words: Vec<String>) -> Run<'_> {
        Run { place: self, words, environment: self.environment(), input: Vec::new() }
    }

    /// Nothing of the caller's environment but a path to the system's programs.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        [
            ("PATH", "/usr/bin:/bin:/usr/sbin:/sbin".to_owned()),
            ("HOME", text(self.path("home"))),
            ("KEYS_DATA_DIR", text(self.data())),
            ("NO_COLOR", "1".to_owned()),
            ("COLUMNS", "100".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A key in the profile `local`; its plaintext.
    pub(crate) fn create(&self, name: &str, permission: &str) -> String {
        let seen = self.keys(["-p", "local", "create", "-q", "--name", name, "--perm", permission]).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
        seen.secret()
    }

    /// The id of the one key with this name.
    pub(crate) fn id(&self, name: &str) -> String {
        let seen = self.keys(["-p", "local", "show", "--json", name]).done();
        seen.data()["id"].as_str().expect("the id").to_owned()
    }

    /// Everything the profile `local` knows, to be compared before and after.
    pub(crate) fn everything(&self) -> String {
        let seen = self.local("list --status all --json").done();
        assert_eq!(seen.code, 0, "{}", seen.stderr);
        seen.stdout
    }

    /// What a statement on the profile's database answers; `None`, said on standard error, where there is no `sqlite3`.
    pub(crate) fn sqlite(&self, left_out: &str, statements: &str) -> Option<String> {
        sqlite(&self.data().join("keys.db"), left_out, statements)
    }

    /// What these bytes are found in, of all that is below the data directory.
    pub(crate) fn files_holding(&self, wanted: &str) -> Vec<PathBuf> {
        let files = files_below(&self.data());
        assert!(!files.is_empty());
        files
            .into_iter()
            .filter(|file| {
                let content = fs::read(file).unwrap();
                content.windows(wanted.len()).any(|window| window == wanted.as_bytes())
            })
            .collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is closed to its owner cannot be emptied.
        let _ = fs::set_permissions(&self.root, fs::Permissions::from_mode(0o755));
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// The permission bits of every file and directory, by name.
pub(crate) fn modes(directory: &Path) -> Vec<(String, u32)> {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let mut modes = vec![(".".to_owned(), mode(directory))];
    for file in files_below(directory) {
        let name = file.strip_prefix(directory).unwrap();
        modes.push((name.to_str().unwrap().to_owned(), mode(&file)));
    }
    modes.sort();
    modes
}

/// Runs statements with the `sqlite3` shell; `None`, said on standard error, where there is none.
pub(crate) fn sqlite(database: &Path, left_out: &str, statements: &str) -> Option<String> {
    let spawned = Command::new("sqlite3")
        .args(["-bail", "-cmd", ".timeout 30000"])
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        leave_out("sqlite3", left_out);
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    input.write_all(statements.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Says what is not checked, past the test harness, which would keep it to itself.
#[expect(clippy::disallowed_methods, reason = "what is left out has to be read, and libtest swallows `eprintln!`")]
pub(crate) fn leave_out(tool: &str, left_out: &str) {
    let line = format!("left out, because there is no `{tool}` here: {left_out}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Whether a program is there; where it is not, that is said, or fails where the variable is set.
#[expect(clippy::disallowed_methods, reason = "whether the tests may do without is for those who run them to say")]
pub(crate) fn has(tool: &str, left_out: &str, required: &str) -> bool {
    let there =
        ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"].iter().any(|at| Path::new(at).join(tool).is_file());
    if !there {
        assert!(std::env::var_os(required).is_none(), "`{tool}` is required and not there");
        leave_out(tool, left_out);
    }
    there
}

/// A run of a program that is still to begin.
pub(crate) struct Run<'a> {
    place: &'a Place,
    words: Vec<String>,
    environment: BTreeMap<String, String>,
    input: Vec<u8>,
}

impl Run<'_> {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Another argument, spaces and all.
    pub(crate) fn arg(mut self, argument: impl AsRef<str>) -> Self {
        self.words.push(argument.as_ref().to_owned());
        self
    }

    /// More words, split at spaces.
    pub(crate) fn args(mut self, line: &str) -> Self {
        self.words.extend(line.split_whitespace().map(str::to_owned));
        self
    }

    /// What is piped in.
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// Starts the program, without a terminal to ask on.
    pub(crate) fn start(self) -> Running {
        let mut words = self.words;
        // A developer's terminal is not for the program to ask on. `setsid` keeps the process id.
        if OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok() {
            words.insert(0, "setsid".to_owned());
        }
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.place.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {}: {error}", words[0]));
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        thread::spawn(move || {
            // A program that reads nothing closes its end.
            let _ = stdin.write_all(&input);
        });
        Running {
            root: self.place.root.to_str().unwrap().to_owned(),
            stdout: collect(child.stdout.take().unwrap()),
            stderr: collect(child.stderr.take().unwrap()),
            child,
        }
    }

    pub(crate) fn done(self) -> Seen {
        self.start().done()
    }

    /// Runs to the end and compares exit code, standard output and standard error, all of them, always.
    #[track_caller]
    pub(crate) fn shows(self, expected: impl IntoData) -> Seen {
        let seen = self.done();
        seen.shows(expected);
        seen
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// A program under way.
pub(crate) struct Running {
    root: String,
    stdout: thread::JoinHandle<Vec<u8>>,
    stderr: thread::JoinHandle<Vec<u8>>,
    child: Child,
}

impl Running {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// SIGKILL, unless it has ended already.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// Whether it ends within this time.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if self.child.try_wait().unwrap().is_some() {
                return true;
            }
            thread::sleep(Duration::from_millis(2));
        }
        false
    }

    pub(crate) fn done(mut self) -> Seen {
        if !self.ends_within(HANGS) {
            self.kill();
            panic!("the program hangs");
        }
        let status = self.child.wait().unwrap();
        let text = |stream: thread::JoinHandle<Vec<u8>>| {
            String::from_utf8(stream.join().unwrap()).expect("UTF-8 on the standard streams")
        };
        Seen {
            root: self.root,
            // A shell reports a signal so.
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            killed_by: status.signal(),
            stdout: text(self.stdout),
            stderr: text(self.stderr),
        }
    }
}

/// What a run showed.
#[derive(Debug)]
pub(crate) struct Seen {
    root: String,
    pub(crate) code: i32,
    pub(crate) killed_by: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Seen {
    /// Compares everything with a snapshot.
    #[track_caller]
    pub(crate) fn shows(&self, expected: impl IntoData) {
        self.shows_with(expected, &[]);
    }

    /// The same, with words of this test's own taken out first.
    #[track_caller]
    pub(crate) fn shows_with(&self, expected: impl IntoData, own: &[(&str, &str)]) {
        let mut whole = format!("exit {}\n", self.code);
        for (title, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                let end = if stream.ends_with('\n') { "" } else { "(no line break)\n" };
                whole = format!("{whole}--- {title}\n{stream}{end}");
            }
        }
        // Snapshots know one line break only; the other one is to be seen.
        let mut whole = whole.replace('\r', "␍");
        for (word, placeholder) in own {
            whole = whole.replace(word, placeholder);
        }
        let actual = redacted(&whole.replace(&self.root, "[ROOT]"));
        snapbox::Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .eq(actual, expected);
    }

    /// Standard output, which has to be a key and a line break and nothing else.
    #[track_caller]
    pub(crate) fn secret(&self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        let secret = self.stdout.strip_suffix('\n').expect("a line break");
        assert_is_key(secret);
        secret.to_owned()
    }

    /// `data` of the JSON object on standard output.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        let object: Value = serde_json::from_str(&self.stdout).expect("JSON on standard output");
        assert_eq!(object["schema"], 1);
        object["data"].clone()
    }

    /// The one object on standard error, and nothing on standard output.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        assert_eq!(self.stdout, "");
        let object: Value = serde_json::from_str(&self.stderr).expect("JSON on standard error");
        let error = object["error"].clone();
        for field in ["code", "message", "hint", "retryable", "status", "request_id", "exit"] {
            assert!(error.get(field).is_some(), "{field} is missing in {error}");
        }
        assert_eq!(error["exit"], self.code);
        error
    }

    /// The line that was printed to go on with: the only one that begins with `  keys `.
    #[track_caller]
    pub(crate) fn resume_line(&self) -> String {
        let mut lines =
            self.stderr.lines().filter_map(|line| line.strip_prefix("  ").filter(|line| line.starts_with("keys ")));
        let line = lines.next().expect("a line to resume with").to_owned();
        assert_eq!(lines.next(), None);
        line
    }
}

#[track_caller]
pub(crate) fn assert_is_key(text: &str) {
    assert!(is_key(text.as_bytes()), "`{text}` is not a key");
}

/// `wbk_`, eight characters, `_`, thirty-two.
fn is_key(text: &[u8]) -> bool {
    text.len() == 45
        && text.starts_with(b"wbk_")
        && text[4..12].iter().all(u8::is_ascii_alphanumeric)
        && text[12] == b'_'
        && text[13..].iter().all(u8::is_ascii_alphanumeric)
}

/// How much of the beginning of a text has a shape; 0 is none.
type Shape = fn(&[u8]) -> usize;

/// A word of a snapshot that changes from run to run: how it looks, and what stands for it.
const SHAPES: [(Shape, &str); 9] = [
    (
        |text| {
            if text.len() >= 45 && is_key(&text[..45]) { 45 } else { 0 }
        },
        "[KEY]",
    ),
    (|text| shape(text, "wbk_", 8, is_alphanumeric), "[PREFIX]"),
    (|text| shape(text, "key_", 12, is_small), "[ID]"),
    (|text| shape(text, "req_", 24, is_hex), "[REQUEST]"),
    (|text| shape(text, "", 32, is_hex), "[ONCE]"),
    (time, "[TIME]"),
    (host, "[HOST]"),
    (ago, "[AGO]"),
    (in_days, "[IN DAYS]"),
];

/// What stands for the words that have exactly the shape they should have; others stay and fail the comparison.
fn redacted(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let found = SHAPES
            .iter()
            .filter(|_| begins)
            .map(|(length, placeholder)| (length(&bytes[at..]), placeholder))
            .find(|(length, _)| {
                *length > 0 && !bytes.get(at + length).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_')
            });
        if let Some((length, placeholder)) = found {
            result.extend_from_slice(placeholder.as_bytes());
            at += length;
        } else {
            result.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(result).unwrap()
}

const fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

const fn is_small(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_lowercase()
}

const fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

fn shape(text: &[u8], prefix: &str, count: usize, is: fn(u8) -> bool) -> usize {
    let length = prefix.len() + count;
    let fits = text.len() >= length
        && text.starts_with(prefix.as_bytes())
        && text[prefix.len()..length].iter().copied().all(is);
    if fits { length } else { 0 }
}

fn time(text: &[u8]) -> usize {
    const PATTERN: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = text.len() >= PATTERN.len()
        && PATTERN.iter().zip(text).all(
            |(pattern, byte)| {
                if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern }
            },
        );
    if fits { PATTERN.len() } else { 0 }
}

fn host(text: &[u8]) -> usize {
    const ADDRESS: &[u8] = b"127.0.0.1:";
    if !text.starts_with(ADDRESS) {
        return 0;
    }
    let digits = text[ADDRESS.len()..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 { ADDRESS.len() + digits } else { 0 }
}

/// How long ago the test began, which is soon, on however slow a machine.
fn ago(text: &[u8]) -> usize {
    if text.starts_with(b"just now") {
        return b"just now".len();
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = &text[digits..];
    [" seconds ago", " second ago", " minutes ago", " minute ago"]
        .iter()
        .find(|unit| digits > 0 && rest.starts_with(unit.as_bytes()))
        .map_or(0, |unit| digits + unit.len())
}

/// `in 90 days` may be `in 89 days` a moment later.
fn in_days(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b"in ") else {
        return 0;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && rest[digits..].starts_with(b" days") { 3 + digits + 5 } else { 0 }
}
