//! A hand-made server for what a real one does not do on command. One that was not called, or was called although it
//! should not have been, fails its test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::HANGS;

/// What becomes of a request: the bytes to answer with, `None` to close without a word.
type Answer = Box<dyn FnMut(&str) -> Option<Vec<u8>> + Send>;

pub(crate) struct Fake {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    arrived: Receiver<()>,
    /// Whether requests are expected.
    called: bool,
}

impl Fake {
    /// Answers each request with what `answer` makes of it.
    pub(crate) fn new(answer: impl FnMut(&str) -> Option<Vec<u8>> + Send + 'static) -> Self {
        Self::start(Some(Box::new(answer)), true)
    }

    /// Answers each request with these bytes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_| Some(answer.clone()))
    }

    /// Takes requests and never says a word.
    pub(crate) fn silent() -> Self {
        Self::start(None, true)
    }

    /// Must not be called.
    pub(crate) fn untouched() -> Self {
        Self::start(None, false)
    }

    fn start(answer: Option<Answer>, called: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (send, arrived) = channel();
        let known = Arc::clone(&requests);
        thread::spawn(move || serve(&listener, answer, &known, &send));
        Self { address, requests, arrived, called }
    }

    /// The address to call it under.
    pub(crate) fn url(&self) -> &str {
        &self.address
    }

    /// Waits until a request has come in whole.
    pub(crate) fn wait(&self) {
        self.arrived.recv_timeout(HANGS).expect("a request");
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if !thread::panicking() {
            let requests = self.requests();
            assert_eq!(!requests.is_empty(), self.called, "called with {requests:#?}");
        }
    }
}

fn serve(listener: &TcpListener, mut answer: Option<Answer>, requests: &Mutex<Vec<String>>, arrived: &Sender<()>) {
    let mut open = Vec::new();
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { return };
        let request = read_message(&stream).unwrap_or_default();
        requests.lock().unwrap().push(request.clone());
        let _ = arrived.send(());
        match &mut answer {
            Some(answer) => {
                if let Some(bytes) = answer(&request) {
                    // Whoever asked may be gone.
                    let _ = stream.write_all(&bytes);
                }
            }
            None => open.push(stream),
        }
    }
}

/// A message of HTTP, by its Content-Length; `None` at the end of the stream.
pub(crate) fn read_message(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut message = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        message.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    message.push_str(&String::from_utf8(body).ok()?);
    Some(message)
}

/// An answer of HTTP, after which the connection is closed.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

pub(crate) fn json_answer(status: u16, body: &str) -> Vec<u8> {
    answer(status, "content-type: application/json\r\nx-request-id: req_0123456789abcdef01234567\r\n", body)
}
