//! From a signal to the end.

use std::io::Write;
use std::net::TcpStream;

use rustix::process::Signal;

use super::scene::{Served, command, refusal, rest_of, wait_until};
use crate::support::Place;

const BODY: &str = r#"{"name": "late", "permissions": ["read"]}"#;

/// A request under way: its header is in, and half of its body.
fn under_way(served: &Served) -> TcpStream {
    let (first, _) = BODY.split_at(10);
    let stream = served.send(served.post_head("/v1/api-keys", BODY.len()) + first);
    served.wait_for_metric("keys_connections", |open| open == 1);
    // Taken in turn: what comes after it is answered after its header was read.
    served.answers_others();
    stream
}

#[test]
fn a_request_under_way_is_finished_and_nothing_new_begins() {
    let place = Place::new();
    let mut served = Served::start(&place, "");
    let mut stream = under_way(&served);
    let mut asks = served.send("GET /readyz HTTP/1.1\r\nHost: keys\r\n");
    served.wait_for_metric("keys_connections", |open| open == 2);
    let idle = served.send("GET /healthz HTTP/1.1\r\nHost: keys\r\n\r\n");
    served.wait_for_line(|line| line["path"] == "/healthz");
    served.signal(Signal::TERM);
    assert_eq!(served.wait_for_event("draining")["level"], "info");
    assert!(TcpStream::connect(served.address()).is_err(), "the port is free");
    assert!(rest_of(idle).starts_with("HTTP/1.1 200"), "it is closed after its answer");
    asks.write_all(b"\r\n").unwrap();
    assert_eq!(refusal(&rest_of(asks)), (503, "draining".to_owned()));
    stream.write_all(&BODY.as_bytes()[10..]).unwrap();
    let answer = rest_of(stream);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(served.code(), 0);
    let line = served.wait_for_event("stopped");
    assert_eq!((&line["level"], &line["connections"]), (&"info".into(), &0.into()));
}

#[test]
fn waiting_for_requests_has_an_end() {
    let place = Place::new();
    let mut served = Served::start(&place, "--drain-timeout 1s");
    let stream = under_way(&served);
    served.signal(Signal::TERM);
    assert_eq!(served.code(), 0);
    let line = served.wait_for_event("stopped");
    assert_eq!((&line["level"], &line["connections"]), (&"warn".into(), &1.into()));
    assert_eq!(rest_of(stream), "");
    let line = served.wait_for_line(|line| line["path"] == "/v1/api-keys");
    assert_eq!((&line["status"], &line["request_id"]), (&499.into(), &serde_json::Value::Null));
}

#[test]
fn an_interrupt_waits_and_a_second_one_does_not() {
    let place = Place::new();
    let mut served = Served::start(&place, "--drain-timeout 1h");
    let _stream = under_way(&served);
    served.signal(Signal::INT);
    served.wait_for_event("draining");
    // A manager may say it twice.
    served.signal(Signal::TERM);
    served.signal(Signal::INT);
    assert_eq!(served.code(), 130);
}

#[test]
fn a_log_that_nobody_reads_or_takes_holds_nobody_up() {
    let place = Place::new();
    let served = Served::start(&place, "");
    let url = served.url.clone();
    drop(served);
    let port = url.rsplit(':').next().unwrap();
    for is_closed in [false, true] {
        let mut child = command(&place, &format!("--listen 127.0.0.1:{port}")).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        // More lines than a pipe holds.
        let _kept = (!is_closed).then_some(stderr);
        let mut answered = 0;
        assert!(wait_until(|| {
            let connected = TcpStream::connect(format!("127.0.0.1:{port}"));
            if let Ok(mut stream) = connected {
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: keys\r\nConnection: close\r\n\r\n").unwrap();
                answered += usize::from(rest_of(stream).starts_with("HTTP/1.1 200"));
            }
            answered == 600
        }));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success());
    }
}
