//! HTTP/1.1 as far as these tests speak it, byte by byte: what a client would never let be sent can be sent.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::HANGS;

/// A request. No part of it is escaped.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { head: format!("{method} {target} HTTP/1.1\r\nHost: api\r\n"), body: Vec::new() }
    }

    pub(crate) fn get(target: &str, key: &str) -> Self {
        Self::new("GET", target).key(key)
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Authorization", format!("Bearer {key}"))
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.head = format!("{}{name}: {}\r\n", self.head, value.as_ref());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    fn bytes(&self) -> Vec<u8> {
        let head = format!("{}Content-Length: {}\r\n\r\n", self.head, self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// By names in lower case; those of one name joined, as HTTP has it.
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of the error it is; empty where it is none.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and code, which has to be an error in the shape of the API.
    #[track_caller]
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert!(!body["error"]["message"].as_str().unwrap_or_default().is_empty(), "{self:?}");
        assert_eq!(body["error"]["request_id"].as_str(), self.header("x-request-id"), "{self:?}");
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            let value = self.header(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
            assert!(value.parse::<u64>().is_ok(), "{name}: {value}");
        }
        (self.status, self.code())
    }
}

/// A connection that is kept.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        stream.set_read_timeout(Some(HANGS)).unwrap();
        stream.set_write_timeout(Some(HANGS)).unwrap();
        Self(BufReader::new(stream))
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        self.0.get_mut().write_all(&request.bytes()).unwrap();
        let first = self.line();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer: `{first}`"));
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else { break };
            let joined = headers.entry(name.to_ascii_lowercase()).or_default();
            *joined = if joined.is_empty() { value.trim().to_owned() } else { format!("{joined}, {}", value.trim()) };
        }
        let mut body = Vec::new();
        if let Some(length) = headers.get("content-length") {
            body.resize(length.parse().unwrap(), 0);
            self.0.read_exact(&mut body).unwrap();
        } else if status != 204 && status != 304 {
            self.0.read_to_end(&mut body).unwrap();
        }
        Answer { status, headers, body: String::from_utf8(body).unwrap() }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

/// The answer to a request of somebody who sends no other.
#[track_caller]
pub(crate) fn send(address: &str, request: &Request) -> Answer {
    Connection::open(address).ask(&request.clone().header("Connection", "close"))
}

/// Whether it comes true before everything hangs.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < HANGS {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}
