//! Requests that are tried again, and those that are not: what arrives in the end, what is said of the wait, and the code.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;
use snapbox::str;

use crate::support::{Fake, Fate, HANGS, KEYS, NOBODYS, Place, Run, Server, answer, json_answer, proxy};

/// `keys` with these words, sent to a hand-made server.
fn call<'a>(place: &'a Place, url: &str, line: &str) -> Run<'a> {
    place.keys(line.split_whitespace()).env("KEYS_API_URL", url).env("KEYS_API_KEY", NOBODYS)
}

const EMPTY: &str = r#"{"data":[],"meta":{"page":1,"per_page":1000,"total":0}}"#;

fn unavailable() -> Vec<u8> {
    json_answer(503, r#"{"error":{"code":"unavailable","message":"Busy"}}"#)
}

/// The Idempotency-Key of each request.
fn onces(proxy: &Fake) -> Vec<String> {
    let once = |request: &String| {
        let line = request.lines().find(|line| line.starts_with("idempotency-key: "));
        line.expect("an Idempotency-Key").to_owned()
    };
    proxy.requests().iter().map(once).collect()
}

#[test]
fn an_answer_that_does_not_come_back_whole_is_asked_for_again_and_one_key_is_made() {
    for (fate, why) in [
        (Fate::Lost, "connection closed before message completed"),
        (Fate::Half, "end of file before message length reached"),
        (Fate::Garbled, "invalid HTTP version parsed"),
    ] {
        let place = Place::new();
        let server = Server::start(&place);
        let proxy = proxy(&server, vec![fate]);
        let seen = place
            .keys("create --name ci --perm admin:api_keys".split(' '))
            .env("KEYS_API_URL", proxy.url())
            .env("KEYS_API_KEY", &server.admin)
            .done();
        let plain = seen.secret();
        let said = seen.stderr.lines().next().unwrap();
        assert_eq!(said, format!("The answer was lost ({why}): trying again"));
        assert!(seen.stderr.contains("Got again key `ci`"), "{}", seen.stderr);
        let onces = onces(&proxy);
        assert_eq!(onces.len(), 2);
        assert_eq!(onces[0], onces[1]);
        let found = server.keys(&server.admin, "lookup --jq .data.name").input(&plain).done();
        assert_eq!(found.stdout, "ci\n");
        let data = server.everything();
        assert_eq!(data.as_array().unwrap().iter().filter(|key| key["name"] == "ci").count(), 1);
    }
}

#[test]
fn a_service_that_is_busy_three_times_does_it_the_fourth_time() {
    let place = Place::new();
    let server = Server::start(&place);
    let busy = || vec![Fate::Refused(unavailable()), Fate::Refused(unavailable()), Fate::Refused(unavailable())];
    for (line, calls) in
        [("create --name ci --perm admin:api_keys", 4), ("list", 4), ("lookup", 4), ("delete ci --yes --confirm ci", 5)]
    {
        let proxy = proxy(&server, busy());
        let seen = place
            .keys(line.split(' '))
            .env("KEYS_API_URL", proxy.url())
            .env("KEYS_API_KEY", &server.admin)
            .input(&server.admin)
            .done();
        assert_eq!(seen.code, 0, "{line}: {}", seen.stderr);
        assert!(seen.stderr.starts_with("The service is in trouble (Busy): trying again\n"), "{}", seen.stderr);
        assert_eq!(proxy.requests().len(), calls, "{line}");
    }
}

#[test]
fn quiet_and_programs_hear_nothing_of_a_wait() {
    let place = Place::new();
    for option in ["--quiet", "--json", "--format jsonl"] {
        let mut answers = vec![json_answer(200, EMPTY), unavailable()];
        let fake = Fake::new(move |_| answers.pop());
        let seen = call(&place, fake.url(), "list").args(option).done();
        assert_eq!((seen.code, seen.stderr.as_str()), (0, ""), "{option}");
    }
}

#[test]
fn a_service_that_stays_in_trouble_is_given_up() {
    let place = Place::new();
    let fake = Fake::answering(unavailable());
    call(&place, fake.url(), "create --name ci --perm read").shows(str![[r#"
exit 8
--- stderr
The service is in trouble (Busy): trying again
The service is in trouble (Busy): trying again
The service is in trouble (Busy): trying again
The service is in trouble (Busy): trying again
error: could not create the key `ci`
  caused by: Busy

"#]]);
    assert_eq!(fake.requests().len(), 5);
}

/// A date as HTTP writes it, so many seconds from now.
fn date(seconds: u64) -> String {
    httpdate::fmt_http_date(now() + Duration::from_secs(seconds))
}

#[expect(clippy::disallowed_methods, reason = "a date that is soon has to come from the clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[test]
fn a_service_that_says_when_is_asked_then() {
    let place = Place::new();
    let headers: [fn() -> String; 3] = [
        || "retry-after: 2".to_owned(),
        || format!("retry-after: {}", date(3)),
        || "ratelimit: \"x\";r=0;t=2".to_owned(),
    ];
    for header in headers {
        let header = header();
        let mut answers = vec![json_answer(200, EMPTY), answer(429, &format!("{header}\r\n"), "")];
        let fake = Fake::new(move |_| answers.pop());
        let start = Instant::now();
        let seen = call(&place, fake.url(), "list").done();
        assert_eq!(seen.code, 0, "{header}: {}", seen.stderr);
        assert!(start.elapsed() >= Duration::from_secs(1), "{header}: it did not wait");
        assert!(
            seen.stderr.starts_with("The service takes no more requests for now: trying again in "),
            "{}",
            seen.stderr
        );
        assert_eq!(fake.requests().len(), 2);
    }
}

#[test]
fn a_service_that_says_too_late_is_not_waited_for() {
    let place = Place::new();
    let body = r#"{"error":{"code":"rate_limited","message":"Rate limit exceeded"}}"#;
    let reset = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 4102444800\r\n";
    for header in [format!("retry-after: {}\r\n", date(3_600)), "retry-after: 61\r\n".to_owned(), reset.to_owned()] {
        let fake = Fake::answering(answer(429, &header, body));
        call(&place, fake.url(), "create --name ci --perm read").shows(str![[r#"
exit 7
--- stderr
error: could not create the key `ci`
  caused by: Rate limit exceeded; the service takes requests again at [TIME]

hint: run the same command again later, or let it wait longer with --max-wait

"#]]);
        assert_eq!(fake.requests().len(), 1);
    }
    let fake = Fake::answering(answer(429, reset, body));
    let seen = call(&place, fake.url(), "list --max-wait 30m").done();
    assert_eq!(seen.code, 7);
    assert!(seen.stderr.contains("again at 2027-01-") || seen.stderr.contains("again at "), "{}", seen.stderr);
}

#[test]
fn what_may_have_been_done_before_stays_unknown_whatever_comes_after() {
    let place = Place::new();
    let server = Server::start(&place);
    let limited = answer(429, "retry-after: 600\r\n", r#"{"error":{"code":"rate_limited","message":"Slow down"}}"#);
    let refused = answer(403, "", r#"{"error":{"code":"insufficient_permissions","message":"No"}}"#);
    for (name, after) in [("a", limited), ("b", refused), ("c", unavailable())] {
        // A place of its own: through another address the note of a create stays, and later commands would tell it.
        let place = Place::new();
        let mut fates = vec![Fate::Lost];
        fates.extend((0..4).map(|_| Fate::Refused(after.clone())));
        let proxy = proxy(&server, fates);
        let seen = place
            .keys(["create", "--perm", "admin:api_keys", "--name", name])
            .env("KEYS_API_URL", proxy.url())
            .env("KEYS_API_KEY", &server.admin)
            .done();
        assert_eq!((seen.code, seen.stdout.as_str()), (10, ""), "{name}: {}", seen.stderr);
        assert!(seen.stderr.contains("an earlier try may have been carried out"), "{}", seen.stderr);
        let line = seen.resume_line();
        let resumed = place.shell(&line).env("KEYS_API_URL", format!("http://{}", server.address()));
        resumed.env("KEYS_API_KEY", &server.admin).done().secret();
    }
}

#[test]
fn a_service_that_hangs_is_given_up_after_its_time() {
    let place = Place::new();
    for (line, code) in [("list", 8), ("create --name ci --perm read", 10)] {
        let fake = Fake::silent();
        let seen = call(&place, fake.url(), line).args("--timeout 1s --max-wait 2s").done();
        assert_eq!((seen.code, seen.stdout.as_str()), (code, ""), "{}", seen.stderr);
        assert!(seen.stderr.contains("none came in time, and --timeout is 1 s"), "{}", seen.stderr);
    }
}

#[test]
fn an_answer_without_end_is_not_taken_in() {
    let place = Place::new();
    for head in ["content-length: 1073741824\r\n", "", "transfer-encoding: chunked\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 200]).unwrap();
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes()).unwrap();
            let piece = if head.starts_with("transfer") {
                [b"10000\r\n".to_vec(), vec![b' '; 0x1_0000], b"\r\n".to_vec()].concat()
            } else {
                vec![b' '; 0x1_0000]
            };
            (0_usize..16_384).take_while(|_| stream.write_all(&piece).is_ok()).count()
        });
        let seen = call(&place, &url, "list").done();
        assert_eq!(seen.code, 8, "{}", seen.stderr);
        assert!(seen.stderr.contains("it is larger than any answer"), "{}", seen.stderr);
        assert!(sent.join().unwrap() < 1_000, "it was read on and on");
    }
}

#[test]
fn a_host_that_is_none_is_said() {
    let place = Place::new();
    let seen = call(&place, "https://keys.invalid", "create --name ci --perm read").done();
    assert_eq!((seen.code, seen.stdout.as_str()), (8, ""), "{}", seen.stderr);
    assert!(seen.stderr.contains("the service could not be reached: failed to lookup address"), "{}", seen.stderr);
}

/// Waits until a file holds a text.
fn until_said(place: &Place, name: &str, text: &str) {
    let begin = Instant::now();
    while !std::fs::read_to_string(place.path(name)).is_ok_and(|said| said.contains(text)) {
        assert!(begin.elapsed() < HANGS, "it does not say {text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_wait_can_be_interrupted_and_says_what_is_known() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let place = Place::new();
        let server = Server::start(&place);
        let limited = || answer(429, "retry-after: 50\r\n", "");
        let ended = |fates| {
            let proxy = proxy(&server, fates);
            let line = format!("exec {KEYS} create --name ci --perm admin:api_keys 2>said");
            place.write("said", "");
            let running = place
                .run(vec!["sh".to_owned(), "-c".to_owned(), line])
                .env("KEYS_API_URL", proxy.url())
                .env("KEYS_API_KEY", &server.admin)
                .start();
            until_said(&place, "said", "The service takes no more requests for now: trying again in");
            running.signal(signal);
            let seen = running.done();
            assert_eq!((seen.code, seen.killed_by), (code, None));
            place.read("said")
        };
        let said = ended(vec![Fate::Refused(limited())]);
        assert!(
            said.contains("interrupted before anything was changed") && !said.contains("--idempotency-key"),
            "{said}"
        );
        let said = ended(vec![Fate::Lost, Fate::Refused(limited())]);
        assert!(said.contains("it is not known whether the key `ci` was made: interrupted"), "{said}");
        assert!(said.contains("--idempotency-key"), "{said}");
    }
}

#[test]
fn an_answer_may_be_compressed() {
    let place = Place::new();
    // One block of deflate that is not compressed.
    let length = u16::try_from(EMPTY.len()).unwrap();
    let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    body.extend(length.to_le_bytes().into_iter().chain((!length).to_le_bytes()));
    body.extend(EMPTY.as_bytes());
    body.extend(crc32fast::hash(EMPTY.as_bytes()).to_le_bytes().into_iter().chain(u32::from(length).to_le_bytes()));
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let fake = Fake::answering([head.as_bytes(), &body].concat());
    let seen = call(&place, fake.url(), "list").done();
    assert_eq!((seen.code, seen.stderr.as_str()), (0, "No keys to show\n"));
    assert!(fake.requests()[0].to_lowercase().contains("accept-encoding: gzip\r\n"), "{:?}", fake.requests());
}

#[test]
fn a_proxy_is_for_others_and_sees_no_credential() {
    let place = Place::new();
    let proxy = Fake::answering(answer(502, "", ""));
    let through = |url: &str, variable: &str| {
        call(&place, url, "list --max-wait 0s").env(variable, proxy.url()).env("NO_PROXY", "other.example").done()
    };
    let seen = through("https://keys.example", "HTTPS_PROXY");
    assert_eq!(seen.code, 8, "{}", seen.stderr);
    let [request] = &proxy.requests()[..] else { panic!("{:?}", proxy.requests()) };
    assert!(request.starts_with("CONNECT keys.example:443 "), "{request}");
    assert!(!request.contains(NOBODYS) && !request.to_lowercase().contains("\r\nauthorization"), "{request}");
    through("https://other.example", "HTTPS_PROXY");
    let listening = Fake::answering(json_answer(200, EMPTY));
    for variable in ["HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        assert_eq!(through(listening.url(), variable).code, 0, "{variable}");
    }
    assert_eq!(proxy.requests().len(), 1);
}
