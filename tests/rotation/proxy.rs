//! Stands between the program and a real service, and decides over each request: whether and when it gets there, and
//! whether and when its answer comes back.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::support::HANGS;
use crate::support::fake::read_message;

/// What becomes of a request.
#[derive(Clone)]
pub(crate) enum Fate {
    Passes,
    /// It waits before it gets there until it is released.
    WaitsBefore,
    /// It gets there, and its answer waits.
    WaitsAfter,
    /// It gets there, and its answer does not come back.
    CutAfter,
    /// It gets there, and its answer comes back changed.
    Rewritten(fn(&str) -> String),
    /// This is the answer, whatever the service would have said.
    Answered(Vec<u8>),
}

type Decide = Box<dyn FnMut(&str) -> Fate + Send>;

struct Shared {
    upstream: String,
    decide: Mutex<Decide>,
    held: Mutex<bool>,
    released: Condvar,
    waits: Mutex<Sender<()>>,
}

pub(crate) struct Proxy {
    url: String,
    shared: Arc<Shared>,
    waiting: Receiver<()>,
}

impl Proxy {
    /// In front of the service at `upstream`; `decide` is told the first line of each request.
    pub(crate) fn before(upstream: &str, decide: impl FnMut(&str) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (waits, waiting) = channel();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            decide: Mutex::new(Box::new(decide)),
            held: Mutex::new(true),
            released: Condvar::new(),
            waits: Mutex::new(waits),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let shared = Arc::clone(&accepting);
                thread::spawn(move || relay(&client, &shared));
            }
        });
        Self { url, shared, waiting }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Decides otherwise from now on.
    pub(crate) fn decide(&self, decide: impl FnMut(&str) -> Fate + Send + 'static) {
        *self.shared.decide.lock().unwrap() = Box::new(decide);
    }

    /// Waits until a request or an answer is held.
    pub(crate) fn wait(&self) {
        self.waiting.recv_timeout(HANGS).expect("something to be held");
    }

    /// Lets go what is held, and holds nothing any longer.
    pub(crate) fn release(&self) {
        *self.shared.held.lock().unwrap() = false;
        self.shared.released.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.release();
    }
}

impl Shared {
    fn hold(&self) {
        let _ = self.waits.lock().unwrap().send(());
        let held = self.held.lock().unwrap();
        drop(self.released.wait_while(held, |held| *held).unwrap());
    }
}

/// Requests and answers of one connection, in turn.
fn relay(client: &TcpStream, shared: &Shared) {
    while let Some(request) = read_message(client) {
        let line = request.lines().next().unwrap_or_default().to_owned();
        let fate = (shared.decide.lock().unwrap())(&line);
        if matches!(fate, Fate::WaitsBefore) {
            shared.hold();
        }
        let answer = match &fate {
            Fate::Answered(answer) => Some(String::from_utf8(answer.clone()).unwrap()),
            _ => exchange(&shared.upstream, &request),
        };
        let answer = match fate {
            Fate::WaitsAfter => {
                shared.hold();
                answer
            }
            Fate::CutAfter => None,
            Fate::Rewritten(rewrite) => answer.map(|answer| rewritten(&answer, rewrite)),
            _ => answer,
        };
        let Some(answer) = answer else { break };
        // Whoever asked may be gone.
        let mut client = client;
        if client.write_all(answer.as_bytes()).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// What the service says to a request; nothing where it is away.
fn exchange(upstream: &str, request: &str) -> Option<String> {
    let mut service = TcpStream::connect(upstream).ok()?;
    service.write_all(request.as_bytes()).ok()?;
    read_message(&service)
}

fn rewritten(answer: &str, rewrite: fn(&str) -> String) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let body = rewrite(body);
    let mut lines: Vec<String> = head.split("\r\n").map(str::to_owned).collect();
    lines.retain(|line| !line.to_lowercase().starts_with("content-length:"));
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", lines.join("\r\n"), body.len())
}
