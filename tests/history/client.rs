//! HTTP/1.1 as far as these tests speak it: one request at a time, over a connection that is kept.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::HANGS;

/// A request. No part of it is escaped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The plaintext of the key that calls.
    pub(crate) key: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Nothing is sent where it is empty.
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: impl Into<String>, key: &str) -> Self {
        Self { method, path: path.into(), key: key.to_owned(), ..Self::default() }
    }

    /// The question of a proxy whether a key may read contacts.
    pub(crate) fn gate(key: &str) -> Self {
        Self::new("GET", "/authorize", key)
            .header("X-Original-Method", "GET")
            .header("X-Original-URI", "/v1/contacts?page=1")
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("Content-Type", "application/json")
    }

    fn bytes(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut text =
            format!("{} {} HTTP/1.1\r\nHost: keys\r\nAuthorization: Bearer {}\r\n", self.method, self.path, self.key);
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        write!(text, "Content-Length: {}\r\n\r\n{}", self.body.len(), self.body).unwrap();
        text.into_bytes()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// By names in lower case.
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.header(name).unwrap_or_else(|| panic!("{self:?} has no {name}")).parse().unwrap()
    }

    /// The body, `null` where there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).unwrap() }
    }
}

/// What became of a request.
pub(crate) enum Sent {
    Answered(Answer),
    /// It may have been read; no answer came.
    Lost,
    /// There was nobody to send it to.
    Nowhere,
}

/// Somebody who sends requests to one place.
#[derive(Default)]
pub(crate) struct Client {
    connection: Option<(SocketAddr, BufReader<TcpStream>)>,
}

impl Client {
    pub(crate) fn send(&mut self, to: SocketAddr, request: &Request) -> Sent {
        if self.connection.as_ref().is_none_or(|(address, _)| *address != to) {
            let Ok(stream) = TcpStream::connect(to) else { return Sent::Nowhere };
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(HANGS)).unwrap();
            self.connection = Some((to, BufReader::new(stream)));
        }
        let Some((_, stream)) = &mut self.connection else { return Sent::Nowhere };
        let Ok(answer) = exchange(stream, request) else {
            self.connection = None;
            return Sent::Lost;
        };
        if answer.header("connection") == Some("close") {
            self.connection = None;
        }
        Sent::Answered(answer)
    }
}

/// The answer to a request of somebody who sends no other, where there is one.
pub(crate) fn send(to: SocketAddr, request: &Request) -> Option<Answer> {
    match Client::default().send(to, request) {
        Sent::Answered(answer) => Some(answer),
        Sent::Lost | Sent::Nowhere => None,
    }
}

/// Sends a request, and goes away after so long without having read its answer.
pub(crate) fn hang_up(to: SocketAddr, request: &Request, after: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(&request.bytes())?;
    thread::sleep(after);
    Ok(())
}

fn exchange(stream: &mut BufReader<TcpStream>, request: &Request) -> io::Result<Answer> {
    stream.get_mut().write_all(&request.bytes())?;
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = BTreeMap::new();
    loop {
        let line = line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    assert!(!headers.contains_key("transfer-encoding"), "the service tells the length of its answers");
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, headers, body })
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
