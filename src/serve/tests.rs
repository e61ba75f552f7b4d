//! The listener before routes that the program does not have: one that panics, one that never answers, a large answer.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::testing::{self, block_on};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A listener on port 0 with these routes, until it is told to end.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    said: Kept,
    log: Log,
    signals: mpsc::Sender<Signal>,
    task: JoinHandle<Ended>,
}

impl Serving {
    pub(crate) fn start(router: Router) -> Self {
        Self::within(router, Duration::from_mins(1))
    }

    /// With this for every time-out.
    fn within(router: Router, limit: Duration) -> Self {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let said = Kept::default();
        let log = Log::start(Box::new(said.clone()), Form::Json, Requests::All, testing::now).unwrap();
        let settings = Settings {
            limits: Limits { header: limit, body: limit, write: limit, idle: limit, drain: limit, connections: 32 },
            tls: None,
            behind_proxy: false,
            metrics: None,
            log: log.clone(),
            stage: Stage::new(),
            started: testing::now(),
            now: testing::now,
            random: |bytes| bytes.fill(7),
        };
        let (signals, receive) = mpsc::channel(1);
        let task = tokio::spawn(serve(listener, router, settings, receive));
        Self { address, said, log, signals, task }
    }

    /// Ends it; how that went, and what it logged.
    pub(crate) async fn stop(self) -> (Ended, String) {
        self.signals.send(Signal::Terminate).await.unwrap();
        let ended = self.task.await.unwrap();
        self.log.finish();
        let said = self.said.0.lock().unwrap().clone();
        (ended, String::from_utf8(said).unwrap())
    }

    /// What comes back on a connection of its own, until its end.
    async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

fn request(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n")
}

/// The status, and the code in the body; every refusal is whole.
fn refusal(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    let status = head.get(9..12).unwrap().parse().unwrap();
    let head = head.to_lowercase();
    for field in [
        "cache-control: no-store",
        "content-type: application/json",
        "x-request-id: req_0707",
        "x-ratelimit-limit: 0",
        "x-ratelimit-remaining: 0",
        "x-ratelimit-reset: ",
    ] {
        assert!(head.contains(&format!("\r\n{field}")), "{field} is missing: {head}");
    }
    // The next midnight.
    let reset: i64 = head.split("x-ratelimit-reset: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let now = testing::now().as_second();
    assert!(reset % 86_400 == 0 && reset > now && reset - now <= 86_400, "{head}");
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{answer}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(body["error"]["message"].is_string() && head.contains(body["error"]["request_id"].as_str().unwrap()));
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

fn routes() -> Router {
    Router::new()
        .route("/panic", get(async || -> &'static str { panic!("wbk_secret") }))
        .route("/never", get(std::future::pending::<&'static str>))
        .route("/large", get(async || "x".repeat(20_000_000)))
        .route("/read", post(async |body: axum::body::Bytes| body.len().to_string()))
        .route("/{name}", get(async || "fine"))
}

#[test]
fn a_panic_is_one_answer_and_no_end() {
    block_on(async {
        let serving = Serving::start(routes());
        assert_eq!(refusal(&serving.exchange(request("GET /panic")).await), (500, "internal".to_owned()));
        let fine = serving.exchange(request("GET /ok?secret=1")).await;
        assert!(fine.ends_with("\r\n\r\nfine") && fine.contains("\r\nx-request-id: req_"), "{fine}");
        let (ended, said) = serving.stop().await;
        assert_eq!(ended, Ended::Drained);
        assert!(said.contains(r#""path":"/panic","status":500"#) && said.contains(r#""cause":"a panic""#), "{said}");
        assert!(said.contains(r#""path":"/ok","status":200"#) && !said.contains("secret"), "{said}");
    });
}

#[test]
fn what_is_no_request_is_answered_in_the_form_of_the_routes() {
    block_on(async {
        let serving = Serving::start(routes());
        let long = "x".repeat(9 * 1024);
        let huge = "x".repeat(100 * 1024);
        let many = "a: b\r\n".repeat(101);
        let head = |rest: &str| format!("GET /ok HTTP/1.1\r\nHost: keys\r\n{rest}\r\n");
        for (sent, status, code) in [
            ("hello\r\n\r\n".to_owned(), 400, "malformed_request"),
            (head("a b: c\r\n"), 400, "malformed_request"),
            (head("Content-Length: 1\r\nContent-Length: 2\r\n"), 400, "malformed_request"),
            (head("Host: another\r\n"), 400, "malformed_request"),
            ("GET /ok HTTP/1.1\r\n\r\n".to_owned(), 400, "malformed_request"),
            (request(&format!("GET /{long}")), 414, "uri_too_long"),
            (request(&format!("GET /{huge}")), 414, "uri_too_long"),
            (head(&format!("a: {huge}\r\n")), 431, "header_too_large"),
            (head(&many), 431, "header_too_large"),
        ] {
            let answer = serving.exchange(&sent).await;
            assert_eq!(refusal(&answer), (status, code.to_owned()), "{sent:.60}");
            assert!(answer.to_lowercase().contains("\r\nconnection: close"), "{answer}");
        }
        // On a connection that was of use before.
        let second = serving.exchange("GET /ok HTTP/1.1\r\nHost: keys\r\n\r\nnonsense\r\n\r\n").await;
        let (first, second) = second.split_once("fine").unwrap();
        assert!(first.starts_with("HTTP/1.1 200"));
        assert_eq!(refusal(second).0, 400);
        let (_, said) = serving.stop().await;
        assert!(said.contains(r#""method":null,"path":null,"status":431"#), "{said}");
    });
}

#[test]
fn who_takes_too_long_is_cut_off() {
    block_on(async {
        let serving = Serving::within(routes(), Duration::from_millis(200));
        assert_eq!(serving.exchange("").await, "", "no first byte");
        assert_eq!(refusal(&serving.exchange("GET /ok HT").await), (408, "request_timeout".to_owned()));
        let body = "POST /read HTTP/1.1\r\nHost: keys\r\nContent-Length: 10\r\n\r\nhalf";
        assert_eq!(refusal(&serving.exchange(body).await), (408, "request_timeout".to_owned()));
        let idle = serving.exchange("GET /ok HTTP/1.1\r\nHost: keys\r\n\r\n").await;
        assert!(idle.ends_with("fine"), "{idle}");
        // One who does not read, while others are answered.
        let mut deaf = TcpStream::connect(serving.address).await.unwrap();
        deaf.write_all(request("GET /large").as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(serving.exchange(request("GET /ok")).await.ends_with("fine"));
        let mut taken = Vec::new();
        let _ = deaf.read_to_end(&mut taken).await;
        assert!(taken.starts_with(b"HTTP/1.1 200") && taken.len() < 20_000_000, "{}", taken.len());
        assert_eq!(serving.stop().await.0, Ended::Drained);
    });
}

#[test]
fn draining_has_an_end() {
    block_on(async {
        let serving = Serving::within(routes(), Duration::from_millis(200));
        let mut stuck = TcpStream::connect(serving.address).await.unwrap();
        stuck.write_all(request("GET /never").as_bytes()).await.unwrap();
        // Answered after it, so that it is under way.
        assert!(serving.exchange(request("GET /ok")).await.ends_with("fine"));
        let (ended, said) = serving.stop().await;
        assert_eq!(ended, Ended::CutOff, "{said}");
        assert!(said.contains("cut off"), "{said}");
    });
}
