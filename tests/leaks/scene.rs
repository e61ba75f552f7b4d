//! Runs of `keys` in one home, all of whose output is kept, and the secrets that came up meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::sampler::{Kind, Sample, Sampler};
use super::search::Searcher;
use super::support::{HANGS, KEYS, Place};

/// Where commands run, below the home.
pub(crate) const WORK: &str = "work";

/// What a run left, besides files.
pub(crate) struct Seen {
    what: String,
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// The secrets that standard output is for.
    meant: BTreeSet<String>,
}

pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) sampler: Option<Sampler>,
    pub(crate) secrets: Searcher,
    /// The number of the secrets, which must not be none.
    pub(crate) count: usize,
    runs: Vec<Seen>,
    /// Which files hold what, because they were told to.
    pub(crate) sinks: BTreeMap<String, BTreeSet<String>>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        for name in [WORK, "tmp"] {
            fs::create_dir(place.path(name)).unwrap();
        }
        let sampler = Sampler::start();
        if sampler.is_none() {
            leave_out("a look at the arguments and environments of processes: they are not in /proc here");
        }
        let (secrets, runs, sinks) = (Searcher::default(), Vec::new(), BTreeMap::new());
        Self { place, sampler, secrets, count: 0, runs, sinks }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path(WORK).join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Nothing of the caller's environment.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = self.place.environment();
        environment.insert("TMPDIR".to_owned(), self.place.text("tmp"));
        environment
    }

    /// `keys` with these words, split at spaces.
    pub(crate) fn keys(&mut self, line: &str) -> Run<'_> {
        self.run(&[KEYS]).args(line)
    }

    /// A line of a shell, in which `keys` is the binary.
    pub(crate) fn shell(&mut self, line: &str) -> Run<'_> {
        self.run(&["sh", "-c", &format!("keys() {{ {KEYS} \"$@\"; }}\n{line}")])
    }

    pub(crate) fn run(&mut self, words: &[&str]) -> Run<'_> {
        let environment = self.environment();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Run { scene: self, words, environment, input: None }
    }

    /// Knows a secret from now on.
    pub(crate) fn learn(&mut self, label: &str, key: &str) {
        self.secrets.add(label, key);
        self.count += 1;
    }

    /// A file of this name was to hold a secret and nothing else but a line break; learns it.
    pub(crate) fn learn_file(&mut self, label: &str, name: &str) {
        let key = self.read(name);
        self.learn(label, key.trim_end());
        self.holds(name, label);
    }

    /// A file was to hold this secret.
    pub(crate) fn holds(&mut self, name: &str, label: &str) {
        self.sinks.entry(format!("{WORK}/{name}")).or_default().insert(label.to_owned());
    }

    /// Standard output of the last run was to be a key; learns it.
    pub(crate) fn learn_output(&mut self, label: &str) -> String {
        let run = self.runs.last_mut().unwrap();
        let key = String::from_utf8(run.stdout.clone()).unwrap().trim_end().to_owned();
        run.meant.insert(label.to_owned());
        self.learn(label, &key);
        key
    }

    /// Standard output of the last run was to hold this secret.
    pub(crate) fn meant(&mut self, label: &str) {
        self.runs.last_mut().unwrap().meant.insert(label.to_owned());
    }

    pub(crate) fn last(&self) -> &Seen {
        self.runs.last().unwrap()
    }

    /// Where a secret is that must not be there, or is not where it was told to go.
    pub(crate) fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        let found = self.secrets.find_below(&self.place.path(""));
        let files: BTreeSet<&String> = found.keys().chain(self.sinks.keys()).collect();
        for file in files {
            let (has, may) = (found.get(file), self.sinks.get(file));
            if has != may {
                leaks.push(format!("the file {file} holds {has:?}, and was told to hold {may:?}"));
            }
        }
        for run in &self.runs {
            let (out, err) = (self.secrets.find(&run.stdout), self.secrets.find(&run.stderr));
            if out != run.meant {
                leaks
                    .push(format!("`{}` wrote {out:?} to standard output, and was to write {:?}", run.what, run.meant));
            }
            if !err.is_empty() {
                leaks.push(format!("`{}` wrote {err:?} to standard error", run.what));
            }
        }
        let samples = self.sampler.iter().flat_map(Sampler::samples);
        leaks.extend(samples.filter_map(|sample| self.leak_of(&sample)));
        leaks
    }

    fn leak_of(&self, sample: &Sample) -> Option<String> {
        let mut found = self.secrets.find(&sample.text);
        if sample.kind == Kind::Environment {
            // Where the tests give it to `keys` themselves.
            found.remove("admin");
        }
        let begin = sample.text.split(|byte| *byte == 0).next().map(String::from_utf8_lossy).unwrap_or_default();
        let what = if sample.kind == Kind::Arguments { begin } else { "".into() };
        (!found.is_empty()).then(|| format!("{:?} of process {} {what} hold {found:?}", sample.kind, sample.process))
    }
}

/// A run that is still to begin.
pub(crate) struct Run<'a> {
    scene: &'a mut Scene,
    words: Vec<String>,
    environment: BTreeMap<String, String>,
    input: Option<String>,
}

impl<'a> Run<'a> {
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

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// What is piped in, once the process was looked at: it waits for this, and so it is seen at its work.
    pub(crate) fn input(mut self, input: impl AsRef<str>) -> Self {
        self.input = Some(input.as_ref().to_owned());
        self
    }

    /// Ends with a code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> &'a mut Scene {
        let scene = self.done();
        let seen = scene.last();
        // The report of a failed test is a log as well.
        let is_clean = scene.secrets.find(&seen.stderr).is_empty();
        let said = if is_clean { String::from_utf8_lossy(&seen.stderr) } else { "(with a secret in it)".into() };
        assert_eq!(seen.code, code, "{}\n{said}", seen.what);
        scene
    }

    pub(crate) fn done(self) -> &'a mut Scene {
        let running = self.start();
        running.done()
    }

    pub(crate) fn start(self) -> Running<'a> {
        let what = self.words.join(" ");
        let mut words = self.words;
        // A developer's terminal is not for the program to ask on. `setsid` keeps the process id.
        if OpenOptions::new().read(true).write(true).open("/dev/tty").is_ok() {
            words.insert(0, "setsid".to_owned());
        }
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .env_clear()
            .envs(&self.environment)
            .current_dir(self.scene.place.path(WORK))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
        let mut stdin = child.stdin.take().unwrap();
        if let Some(input) = self.input {
            if let Some(sampler) = &self.scene.sampler {
                let process = child.id();
                // Not by its environment, which `keys` closes to all but root.
                let is_it = |sample: &Sample| sample.process == process && sample.text.starts_with(KEYS.as_bytes());
                sampler.wait(is_it, || child.try_wait().unwrap().is_some());
            }
            // A program that reads nothing closes its end.
            let _ = stdin.write_all(input.as_bytes());
        }
        drop(stdin);
        Running { scene: self.scene, what, child, stdout, stderr }
    }
}

/// A run under way.
pub(crate) struct Running<'a> {
    pub(crate) scene: &'a mut Scene,
    what: String,
    child: Child,
    stdout: thread::JoinHandle<Vec<u8>>,
    stderr: thread::JoinHandle<Vec<u8>>,
}

impl<'a> Running<'a> {
    /// Waits for a file of this name to be there and whole, which is when it ends with a line break.
    pub(crate) fn file(&mut self, name: &str) -> String {
        let path = self.scene.path(name);
        let begin = Instant::now();
        loop {
            let content = fs::read_to_string(&path).unwrap_or_default();
            if content.ends_with('\n') {
                return content.trim_end().to_owned();
            }
            assert!(begin.elapsed() < HANGS && self.child.try_wait().unwrap().is_none(), "{name} never came");
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn done(mut self) -> &'a mut Scene {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > HANGS {
                let _ = self.child.kill();
                panic!("`{}` hangs", self.what);
            }
            thread::sleep(Duration::from_millis(2));
        };
        self.scene.runs.push(Seen {
            what: self.what,
            // A shell reports a signal so.
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: self.stdout.join().unwrap(),
            stderr: self.stderr.join().unwrap(),
            meant: BTreeSet::new(),
        });
        self.scene
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// `keys serve`, whose standard error is a file, as a log is.
pub(crate) struct Service {
    child: Child,
    pub(crate) url: String,
}

impl Service {
    pub(crate) fn start(scene: &Scene) -> Self {
        let log = OpenOptions::new().create_new(true).append(true).open(scene.path("server.log")).unwrap();
        let mut child = Command::new(KEYS)
            .args(["serve", "--listen", "127.0.0.1:0", "--database", "sqlite:service.db"])
            .env_clear()
            .envs(scene.environment())
            .current_dir(scene.place.path(WORK))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let begin = Instant::now();
        loop {
            let said = scene.read("server.log");
            // Half a line is not the address yet.
            let whole = said.rsplit_once('\n').map_or("", |(lines, _)| lines);
            let mut lines = whole.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            if let Some(listening) = lines.find(|line| line["event"] == "listening") {
                return Self { child, url: listening["url"].as_str().unwrap().to_owned() };
            }
            assert!(begin.elapsed() < HANGS && child.try_wait().unwrap().is_none(), "the service did not start");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that answers with whatever is made of the head of a request; its address.
pub(crate) fn liar(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head: Vec<String> =
                BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            // Whoever asked may be gone.
            let _ = stream.write_all(answer(&head.join("\r\n")).as_bytes());
        }
    });
    address
}

/// An answer of HTTP.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

/// The credential in the head of a request.
pub(crate) fn bearer(head: &str) -> &str {
    let line = head.lines().find(|line| line.to_lowercase().starts_with("authorization:"));
    line.and_then(|line| line.rsplit(' ').next()).unwrap_or_default()
}

/// Says what is not checked, past the test harness, which would keep it to itself.
#[expect(clippy::disallowed_methods, reason = "what is left out has to be read, and libtest swallows `eprintln!`")]
pub(crate) fn leave_out(what: &str) {
    io::stderr().write_all(format!("left out: {what}\n").as_bytes()).unwrap();
}
