//! Clients that take their time.

use std::io::{Read, Write};
use std::time::Duration;

use super::scene::{Served, refusal, rest_of, wait_until};
use crate::support::Place;

#[test]
fn a_header_sent_byte_by_byte_is_cut_off() {
    let place = Place::new();
    let served = Served::start(&place, "--header-timeout 2s");
    let mut stream = served.connect();
    let mut bytes = b"GET /v1/whoami HTTP/1.1\r\nHost: keys\r\nX: ".iter().chain(std::iter::repeat(&b'x'));
    let cut_off = wait_until(|| {
        served.answers_others();
        stream.write_all(&[*bytes.next().unwrap()]).is_err()
            || served.metric(r#"keys_connections_timed_out_total{waiting_for="header"}"#) > 0
    });
    assert!(cut_off);
    // What was said last may be lost with the connection of somebody who goes on sending.
    let answer = rest_of(stream);
    assert!(answer.is_empty() || refusal(&answer) == (408, "request_timeout".to_owned()), "{answer}");
    served.wait_for_line(|line| line["event"] == "request" && line["status"] == 408);
}

#[test]
fn half_a_header_is_cut_off_and_told_so() {
    let place = Place::new();
    let served = Served::start(&place, "--header-timeout 2s");
    assert_eq!(refusal(&served.exchange("GET /v1/whoami HTTP/1.1\r\nHost")), (408, "request_timeout".to_owned()));
    // One that says nothing at all has asked for nothing.
    assert_eq!(served.exchange(""), "");
    served.wait_for_timed_out("header", 2);
}

#[test]
fn a_body_that_stops_is_cut_off() {
    let place = Place::new();
    let served = Served::start(&place, "--body-timeout 2s");
    let head = served.post_head("/v1/api-keys", 100);
    let answer = served.exchange(format!("{head}{{\"name\": "));
    assert_eq!(refusal(&answer), (408, "request_timeout".to_owned()));
    assert!(answer.contains("\r\nx-ratelimit-remaining: "), "it counts like any other: {answer}");
    // A byte now and then does not help.
    let mut stream = served.send(&head);
    let ended = wait_until(|| {
        served.answers_others();
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b" ").is_err() || served.metric(r#"keys_connections_timed_out_total{waiting_for="body"}"#) > 1
    });
    assert!(ended);
    served.wait_for_timed_out("body", 2);
    let line = served.wait_for_line(|line| line["status"] == 408);
    assert_eq!((&line["method"], &line["path"]), (&"POST".into(), &"/v1/api-keys".into()));
}

#[test]
fn an_idle_connection_is_closed() {
    let place = Place::new();
    let served = Served::start(&place, "--idle-timeout 2s");
    let mut stream = served.connect();
    for _ in 0..2 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: keys\r\n\r\n").unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        // To the end of the answer, which is that of its body.
        let mut rest = Vec::new();
        while !rest.ends_with(br#"{"status":"ok"}"#) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            rest.push(byte[0]);
        }
    }
    assert_eq!(rest_of(stream), "");
    served.wait_for_timed_out("idle", 1);
}

#[test]
fn a_reader_who_does_not_read_is_dropped_while_others_are_answered() {
    let place = Place::new();
    let served = Served::start(&place, "--write-timeout 2s");
    let mut stream = served.connect();
    // More than the system takes on both sides, in answers and in requests.
    let request = "GET /openapi.json HTTP/1.1\r\nHost: keys\r\n\r\n".repeat(2000);
    stream.write_all(request.as_bytes()).unwrap();
    assert!(wait_until(|| {
        served.answers_others();
        served.metric(r#"keys_connections_timed_out_total{waiting_for="write"}"#) > 0
    }));
    let mut taken = Vec::new();
    // A reset, or an end in the middle.
    let _ = stream.read_to_end(&mut taken);
    assert!(taken.starts_with(b"HTTP/1.1 200 OK"));
    served.wait_for_metric("keys_connections", |open| open == 0);
}
