//! A service that is watched: its log line by line, its metrics, and connections driven by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{HANGS, KEYS, Place};

pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) url: String,
    metrics_url: String,
    /// The first admin key.
    pub(crate) admin: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Served {
    /// On a port of its own, with these options more.
    pub(crate) fn start(place: &Place, options: &str) -> Self {
        Self::listening(place, &format!("--listen 127.0.0.1:0 {options}"))
    }

    pub(crate) fn listening(place: &Place, options: &str) -> Self {
        let admin = place.keys(["serve", "init", "-q", "--name", "Acme", "--database", DATABASE]).done().secret();
        let mut child = command(place, options).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stderr, kept) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&lines));
        thread::spawn(move || {
            for line in stderr.lines() {
                kept.lock().unwrap().push(line.unwrap());
            }
        });
        let mut served = Self { child, url: String::new(), metrics_url: String::new(), admin, lines };
        let listening = served.wait_for_event("listening");
        served.url.push_str(listening["url"].as_str().unwrap());
        served.metrics_url.push_str(listening["metrics_url"].as_str().unwrap());
        served
    }

    /// `127.0.0.1:PORT`, also where it listens on every address.
    pub(crate) fn address(&self) -> String {
        self.url.split("//").nth(1).unwrap().replace("0.0.0.0", "127.0.0.1")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(&self.address())
    }

    /// A connection on which this has been sent.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        stream
    }

    /// What comes back on a connection of its own, until its end.
    pub(crate) fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        rest_of(self.send(bytes))
    }

    /// The answer to a request with the admin's key.
    pub(crate) fn get(&self, path: &str) -> String {
        self.exchange(format!(
            "GET {path} HTTP/1.1\r\nHost: keys\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.admin
        ))
    }

    /// A request with a body, of which nothing is sent yet.
    pub(crate) fn post_head(&self, path: &str, length: usize) -> String {
        format!(
            "POST {path} HTTP/1.1\r\nHost: keys\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n",
            self.admin
        )
    }

    /// Others are answered at once; timed by nothing but that they are.
    #[track_caller]
    pub(crate) fn answers_others(&self) {
        let answer = self.get("/v1/whoami");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// The log so far. Every line of it is an object.
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        let object = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        lines.iter().map(object).collect()
    }

    /// The log as it was written.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// The first line that fits, once it is there.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        let seen = wait_until(|| {
            found = self.log().into_iter().find(&fits);
            found.is_some()
        });
        assert!(seen, "it is not in the log:\n{}", self.text());
        found.unwrap()
    }

    #[track_caller]
    pub(crate) fn wait_for_event(&self, event: &str) -> Value {
        self.wait_for_line(|line| line["event"] == event)
    }

    pub(crate) fn metrics(&self) -> String {
        let (address, path) = self.metrics_url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = connect(address);
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n").unwrap();
        rest_of(stream)
    }

    /// The whole part of a series' value; 0 where it is not there yet.
    pub(crate) fn metric(&self, series: &str) -> u64 {
        let text = self.metrics();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.split('.').next().unwrap().parse().unwrap())
    }

    #[track_caller]
    pub(crate) fn wait_for_metric(&self, series: &str, fits: impl Fn(u64) -> bool) {
        assert!(wait_until(|| fits(self.metric(series))), "{series}:\n{}", self.metrics());
    }

    /// Waits until so many connections were ended because of this.
    #[track_caller]
    pub(crate) fn wait_for_timed_out(&self, waiting_for: &str, count: u64) {
        let series = format!("keys_connections_timed_out_total{{waiting_for=\"{waiting_for}\"}}");
        self.wait_for_metric(&series, |value| value >= count);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, once it has ended.
    #[track_caller]
    pub(crate) fn code(&mut self) -> i32 {
        let mut status = None;
        let ended = wait_until(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "it does not end:\n{}", self.text());
        status.unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const DATABASE: &str = "sqlite:service.db";

/// `keys serve` on the database of the place, still to be started.
pub(crate) fn command(place: &Place, options: &str) -> Command {
    let mut command = Command::new(KEYS);
    command
        .args(["serve", "--database", DATABASE, "--metrics-listen", "0"])
        .args(options.split_whitespace())
        .env_clear()
        .envs(place.environment())
        .current_dir(place.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANGS)).unwrap();
    stream.set_write_timeout(Some(HANGS)).unwrap();
    stream
}

/// What comes until the other side ends the connection. A reset is an end too.
pub(crate) fn rest_of(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("nobody ended the connection"),
        _ => String::from_utf8(bytes).unwrap(),
    }
}

/// Whether it comes true before everything hangs.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begin.elapsed() > HANGS {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Checks that an answer is an error in the form of the API, and gives its status and its code.
#[track_caller]
pub(crate) fn refusal(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    let head = head.to_lowercase();
    let id = head.split("\r\nx-request-id: ").nth(1).unwrap_or_else(|| panic!("no id: {head}"));
    let id = id.lines().next().unwrap();
    assert!(
        head.contains("\r\ncache-control: no-store") && head.contains("\r\ncontent-type: application/json"),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"));
    assert_eq!(body["error"]["request_id"], id);
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    (head[9..12].parse().unwrap(), body["error"]["code"].as_str().unwrap().to_owned())
}
