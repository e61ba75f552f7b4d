//! What a road can do to a single try of a request, with hand-made servers. Whether anything may have been changed decides
//! the exit code.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use snapbox::str;

use crate::support::{Fake, Fate, HANGS, NOBODYS, Place, Pty, Run, Server, answer, forward, json_answer, proxy};

/// `keys` with these words, sent to a hand-made server, once.
fn call<'a>(place: &'a Place, url: &str, line: &str) -> Run<'a> {
    let run = place.keys(line.split_whitespace()).args("--max-wait 0s");
    run.env("KEYS_API_URL", url).env("KEYS_API_KEY", NOBODYS)
}

const CREATE: &str = "create --name ci --perm read --idempotency-key one";

#[test]
fn nobody_listens() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    call(&place, &url, "list").shows(str![[r#"
exit 8
--- stderr
error: the service could not be reached: Connection refused (os error 111)

hint: check the address and the network; nothing was changed

"#]]);
    call(&place, &url, CREATE).shows(str![[r#"
exit 8
--- stderr
error: could not create the key `ci`
  caused by: the service could not be reached: Connection refused (os error 111)

hint: check the address and the network; nothing was changed

"#]]);
    let error = call(&place, &url, "list --json").done().error();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("unreachable"), &json!(true)));
}

#[test]
fn too_many_calls_or_no_credit_left() {
    let place = Place::new();
    for (status, code) in [(429, "rate_limited"), (402, "insufficient_credits")] {
        let body = format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"Not now\"}}}}");
        let fake = Fake::answering(json_answer(status, &body));
        for line in ["list", CREATE] {
            let seen = call(&place, fake.url(), line).done();
            assert_eq!((seen.code, seen.stdout.as_str()), (7, ""), "{status} {line}");
            assert!(seen.stderr.contains("Not now"), "{}", seen.stderr);
        }
    }
    let fake = Fake::answering(answer(429, "retry-after: 7\r\n", ""));
    call(&place, fake.url(), "list").shows(str![[r#"
exit 7
--- stderr
error: the service answered with status 429; the service takes requests again at [TIME]

hint: run the same command again later, or let it wait longer with --max-wait

"#]]);
}

#[test]
fn other_refusals_without_a_body_of_ours() {
    let place = Place::new();
    for (status, exit) in [(400, 2), (401, 4), (403, 5), (404, 5), (405, 5), (409, 6), (413, 2), (422, 2), (501, 5)] {
        let fake = Fake::answering(answer(status, "", "<html>no</html>"));
        let seen = call(&place, fake.url(), "list").done();
        assert_eq!((seen.code, seen.stdout.as_str()), (exit, ""), "{status}");
        assert!(!seen.stderr.contains("html"), "{}", seen.stderr);
    }
    let fake = Fake::answering(answer(405, "allow: GET\r\n", ""));
    call(&place, fake.url(), CREATE).shows(str![[r#"
exit 5
--- stderr
error: could not create the key `ci`
  caused by: [HOST] does not offer to create keys: check that this is the address of a key service

"#]]);
    let fake = Fake::answering(answer(
        403,
        "",
        r#"{"error":{"code":"insufficient_permissions","message":"Missing required permission: admin:api_keys"}}"#,
    ));
    call(&place, fake.url(), CREATE).shows(str![[r#"
exit 5
--- stderr
error: could not create the key `ci`
  caused by: Missing required permission: admin:api_keys

hint: use a key that holds this permission, or ask an admin

"#]]);
}

#[test]
fn a_create_that_501_answers_made_nothing() {
    let place = Place::new();
    let fake = Fake::answering(answer(501, "", ""));
    let seen = call(&place, fake.url(), CREATE).done();
    assert_eq!(seen.code, 5, "{}", seen.stderr);
}

#[test]
fn a_broken_service() {
    let place = Place::new();
    let fake = Fake::answering(answer(500, "", ""));
    call(&place, fake.url(), "list").shows(str![[r#"
exit 8
--- stderr
error: the service answered with status 500

"#]]);
    call(&place, fake.url(), CREATE).shows(str![[r#"
exit 10
--- stderr
error: it is not known whether the key `ci` was made: the service answered with status 500

hint: find out with the same request, which makes no second key:
  keys create --name ci --perm read --idempotency-key one

"#]]);
    let fake = Fake::answering(json_answer(503, r#"{"error":{"code":"unavailable","message":"Busy"}}"#));
    call(&place, fake.url(), CREATE).shows(str![[r#"
exit 8
--- stderr
error: could not create the key `ci`
  caused by: Busy

"#]]);
}

#[test]
fn an_unknown_outcome_names_the_answer_it_comes_from() {
    let place = Place::new();
    let fake = Fake::answering(json_answer(502, "{}"));
    let error = call(&place, fake.url(), CREATE).args("--json").done().error();
    assert_eq!(
        (&error["code"], &error["exit"], &error["retryable"]),
        (&json!("outcome_unknown"), &json!(10), &json!(true))
    );
    assert!(error["resume"].as_str().unwrap().starts_with("keys "));
    assert_eq!((&error["status"], &error["request_id"]), (&json!(502), &json!("req_0123456789abcdef01234567")));
}

#[test]
fn a_redirect_is_not_followed_with_a_key() {
    let place = Place::new();
    let other = Fake::untouched();
    // After a 307 or 308 nothing was done yet; the others are also how a change that was made is answered.
    for (status, code) in [(301, 10), (302, 10), (303, 10), (307, 8), (308, 8)] {
        let fake = Fake::answering(answer(status, &format!("location: {}/x\r\n", other.url()), ""));
        let seen = call(&place, fake.url(), CREATE).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (code, ""), "{status}: {}", seen.stderr);
    }
    let place = Place::new();
    let fake = Fake::answering(answer(302, "location: https://elsewhere.example/\u{7f}x\r\n", ""));
    call(&place, fake.url(), "list").done();
    let fake = Fake::answering(answer(302, "location: https://elsewhere.example/\r\n", ""));
    call(&place, fake.url(), "list").shows(str![[r#"
exit 8
--- stderr
error: the service sends requests elsewhere, to `https://elsewhere.example/`

hint: redirects are not followed with a key: set the final address with --api-url

"#]]);
}

#[test]
fn garbage() {
    let place = Place::new();
    for garbage in [
        answer(200, "", ""),
        answer(200, "", "<html>welcome</html>"),
        answer(200, "", "{}"),
        answer(200, "", r#"{"data":null}"#),
        answer(200, "", r#"{"data":[{"id":1}]}"#),
        answer(200, "", "[[[[[[[["),
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\":[".to_vec(),
        b"\x00\x01\x02\x03 nonsense\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
    ] {
        let shown = String::from_utf8_lossy(&garbage).into_owned();
        let fake = Fake::answering(garbage);
        let seen = call(&place, fake.url(), "list").done();
        assert_eq!((seen.code, seen.stdout.as_str()), (8, ""), "list: {shown}: {}", seen.stderr);
        let seen = call(&place, fake.url(), CREATE).done();
        assert_eq!((seen.code, seen.stdout.as_str()), (10, ""), "create: {shown}: {}", seen.stderr);
        assert!(seen.resume_line().contains("--idempotency-key one"));
    }
    let place = Place::new();
    let fake = Fake::answering(answer(200, "", "<html>welcome</html>"));
    call(&place, fake.url(), "list").shows(str![[r#"
exit 8
--- stderr
error: the answer is not what a key service sends: its JSON has another shape

hint: check that --api-url is the address of the API, and look at the exchange with -vv

"#]]);
    call(&place, fake.url(), CREATE).shows(str![[r#"
exit 10
--- stderr
error: it is not known whether the key `ci` was made: the answer is not what a key service sends: it is no JSON

hint: find out with the same request, which makes no second key:
  keys create --name ci --perm read --idempotency-key one

"#]]);
}

#[test]
fn a_lookup_that_is_lost_changed_nothing() {
    let place = Place::new();
    let fake = Fake::new(|_| None);
    let seen = call(&place, fake.url(), "lookup").input(NOBODYS).done();
    assert_eq!(seen.code, 8, "{}", seen.stderr);
}

#[test]
fn hostile_words_of_a_service_are_harmless() {
    let place = Place::new();
    let fake = Fake::answering(json_answer(
        409,
        r#"{"error":{"code":"x\u001b[2J","message":"a\u001b[2Jb\nerror: forged\u202e","hint":"c\u001b]0;t\u0007d\nhint: forged"}}"#,
    ));
    let seen = call(&place, fake.url(), "list").done();
    assert_eq!(seen.code, 6);
    assert!(!seen.stderr.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{:?}", seen.stderr);
    assert!(
        !seen.stderr.lines().any(|line| line == "error: forged" || line.starts_with("error: forged")),
        "{}",
        seen.stderr
    );
    let seen = call(&place, fake.url(), "list --json").done();
    assert!(!seen.stderr.trim_end().chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", seen.stderr);
}

/// Forwards each request to the service; the first answer is thrown away after it came.
fn losing_proxy(server: &Server<'_>) -> Fake {
    proxy(server, vec![Fate::Lost])
}

#[test]
fn an_answer_that_is_lost_is_got_again_by_the_resume_line() {
    let place = Place::new();
    let server = Server::start(&place);
    let proxy = losing_proxy(&server);
    let seen = place
        .keys(["create", "--name", "it's mine", "--perm", "admin:api_keys"])
        .args("--expires 90d --description why --max-wait 0s")
        .env("KEYS_API_URL", proxy.url())
        .env("KEYS_API_KEY", &server.admin)
        .shows(str![[r#"
exit 10
--- stderr
error: it is not known whether the key `it's mine` was made: the answer was lost: connection closed before message completed

hint: find out with the same request, which makes no second key:
  keys create --name 'it'\''s mine' --perm admin:api_keys --description why --expires 90d --idempotency-key [ONCE]

"#]]);
    assert_eq!(seen.code, 10);
    let plain = place
        .shell(&seen.resume_line())
        .env("KEYS_API_URL", proxy.url())
        .env("KEYS_API_KEY", &server.admin)
        .shows(str![[r#"
exit 0
--- stdout
[KEY]
--- stderr
Got again key `it's mine` ([ID])
  permissions  admin:api_keys
  expires      [TIME] ([IN DAYS])
Keep it safe: only its hash is stored, so it cannot be shown again.
Undo with: keys revoke [ID]

"#]])
        .secret();
    let data = server.everything();
    let named = data.as_array().unwrap().iter().filter(|key| key["name"] == "it's mine");
    assert_eq!(named.count(), 1);
    let seen = server.keys(&server.admin, "lookup --jq .data.name").input(&plain).done();
    assert_eq!(seen.stdout, "it's mine\n");
    assert_eq!(proxy.requests().len(), 2);
}

#[test]
fn another_change_whose_answer_is_lost_can_be_gone_on_with() {
    for line in ["keys revoke ci --yes", "keys edit ci --name ci2", "keys delete ci --yes --confirm ci"] {
        let place = Place::new();
        let server = Server::start(&place);
        server.create("ci", "admin:api_keys");
        let address = server.address().to_owned();
        let mut lost = false;
        let proxy = Fake::new(move |request| {
            let answer = forward(&address, request);
            let loses = !request.starts_with("GET ") && !lost;
            lost |= loses;
            (!loses).then_some(answer)
        });
        let change =
            |line: &str| place.shell(line).env("KEYS_API_URL", proxy.url()).env("KEYS_API_KEY", &server.admin).done();
        let seen = change(&format!("{line} --max-wait 0s"));
        assert_eq!((seen.code, seen.stdout.as_str()), (10, ""), "{line}: {seen:?}");
        // A line to resume with, or the hint to run the same command again: it has to work.
        let printed = seen.stderr.lines().find(|shown| shown.starts_with("  keys "));
        assert!(printed.is_some() || seen.stderr.contains("run the same command again"), "{line}: {}", seen.stderr);
        let resumed = change(printed.unwrap_or(line));
        assert_eq!(resumed.code, 0, "{line}: {}", resumed.stderr);
    }
}

#[test]
fn the_resume_line_goes_to_the_same_service_when_a_flag_named_it() {
    let place = Place::new();
    let server = Server::start(&place);
    let proxy = losing_proxy(&server);
    let seen = place
        .keys(["--api-url", proxy.url()])
        .args("create --name ci --perm admin:api_keys --max-wait 0s")
        .env("KEYS_API_KEY", &server.admin)
        .done();
    assert_eq!(seen.code, 10);
    let again = place.shell(&seen.resume_line()).env("KEYS_API_KEY", &server.admin).done();
    assert_eq!(again.code, 0, "`{}` says: {}", seen.resume_line(), again.stderr);
}

#[test]
fn the_resume_line_holds_a_name_that_looks_like_an_option() {
    let place = Place::new();
    let server = Server::start(&place);
    let proxy = losing_proxy(&server);
    let seen = place
        .keys(["create", "--name=-dash", "--perm", "admin:api_keys"])
        .args("--temp --if-exists skip --to file:key --max-wait 0s")
        .env("KEYS_API_URL", proxy.url())
        .env("KEYS_API_KEY", &server.admin)
        .done();
    assert_eq!(seen.code, 10, "{}", seen.stderr);
    assert!(!place.path("key").exists());
    let line = seen.resume_line();
    let seen = place.shell(&line).env("KEYS_API_URL", proxy.url()).env("KEYS_API_KEY", &server.admin).done();
    assert_eq!(seen.code, 0, "`{line}` says: {}", seen.stderr);
    let seen = server.keys(&server.admin, "lookup --jq .data.name").input(place.read("key")).done();
    assert_eq!(seen.stdout, "-dash\n");
}

#[test]
fn an_interrupted_create_says_how_to_find_out() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let place = Place::new();
        let fake = Fake::silent();
        let running = call(&place, fake.url(), CREATE).start();
        fake.wait();
        running.signal(signal);
        let seen = running.done();
        assert_eq!((seen.code, seen.killed_by), (code, None), "{}", seen.stderr);
        assert_eq!(seen.resume_line(), "keys create --name ci --perm read --idempotency-key one");
        assert_eq!(seen.stdout, "");
    }
    let place = Place::new();
    let fake = Fake::silent();
    let running = call(&place, fake.url(), CREATE).start();
    fake.wait();
    running.signal(Signal::INT);
    running.done().shows(str![[r#"
exit 130
--- stderr
error: it is not known whether the key `ci` was made: interrupted before the answer came

hint: find out with the same request, which makes no second key:
  keys create --name ci --perm read --idempotency-key one

"#]]);
}

#[test]
fn an_interrupted_change_says_that_it_may_have_happened() {
    let place = Place::new();
    let key = r#"{"id":"key_000000000000","name":"ci","description":null,"prefix":"wbk_01234567","permissions":["read"],"tier":"standard","status":"active","temporary":false,"created_by":"operator","created_at":"2026-01-01T00:00:00Z","last_used_at":null,"expires_at":null,"revoked_at":null,"revoked_reason":null}"#;
    let page = format!(
        "{{\"data\":[{key}],\"pagination\":{{\"page\":1,\"per_page\":100,\"total\":1,\"total_pages\":1}},\"meta\":{{\"page\":1,\"per_page\":100,\"total\":1}}}}"
    );
    let (send, arrived) = std::sync::mpsc::channel();
    let fake = Fake::new(move |request| {
        if request.starts_with("GET ") {
            return Some(json_answer(200, &page));
        }
        send.send(()).unwrap();
        std::thread::sleep(HANGS);
        None
    });
    let running = call(&place, fake.url(), "revoke ci --yes").start();
    arrived.recv_timeout(HANGS).expect("the change is requested");
    running.signal(Signal::INT);
    let seen = running.done();
    assert_eq!(seen.code, 130, "{}", seen.stderr);
    assert!(seen.stderr.contains("ci"), "which key is unknown: {}", seen.stderr);
}

/// A command that says when it runs, and reads the key only once it may.
const HANGING: &str = "cmd:touch started; while ! [ -e stop ]; do sleep 0.1; done; cat >/dev/null";

fn has_started(place: &Place) {
    let begin = Instant::now();
    while !place.path("started").exists() {
        assert!(begin.elapsed() < HANGS, "the command was not run");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_delivery_that_hangs_can_be_ended() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let place = Place::new();
        let mut running = place.keys("-p local create --name ci --perm read --to".split(' ')).arg(HANGING).start();
        has_started(&place);
        running.signal(signal);
        let ended = running.ends_within(Duration::from_secs(20));
        place.write("stop", "");
        let seen = running.done();
        assert!(ended, "it waits for the command, whatever the signal: {seen:?}");
        assert_eq!(seen.code, code, "{seen:?}");
        assert!(seen.stderr.contains("was made, but not delivered"), "{}", seen.stderr);
        // What the service keeps is got again.
        let again = place.shell(&seen.resume_line()).done();
        assert_eq!(again.code, 0, "{}", again.stderr);
    }
}

/// At a terminal Ctrl-C ends the command as well.
#[test]
fn a_delivery_that_hangs_ends_with_ctrl_c() {
    let place = Place::new();
    let line = format!("trap : INT; keys -p local create --name ci --perm read --to '{HANGING}'; echo \"code $?\"");
    let mut pty = Pty::shell(&place, &line);
    has_started(&place);
    pty.type_in("\u{3}");
    pty.expect("code 130");
    let (_, screen) = pty.done();
    assert!(screen.contains("was made, but not delivered"), "{screen}");
}

#[test]
fn of_several_deliveries_one_that_is_interrupted_ends_all() {
    let place = Place::new();
    place.write("names", "a\nb\nc\n");
    let line = "-p local create --names names --jobs 1 --perm read --to";
    let running = place.keys(line.split(' ')).arg(HANGING.replace("touch", "touch {name}")).start();
    has_started(&place);
    running.signal(Signal::INT);
    let seen = running.done();
    assert_eq!(seen.code, 130, "{}", seen.stderr);
    assert_eq!(place.local("list --json --jq .meta.count").done().stdout, "1\n");
}

#[test]
fn a_list_that_breaks_off_leaves_standard_output_empty() {
    let place = Place::new();
    let server = Server::start(&place);
    let admin = server.admin.clone();
    let filled = server.sqlite(
        "a list that breaks off after some pages",
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
         INSERT INTO api_keys (id, workspace_id, hash, prefix, name, folded, active_name, permissions, tier, created_by, created_at)
         SELECT printf('key_%012d', i), workspace_id, printf('%064x', i), printf('wbk_%08d', i), printf('key %d', i), printf('key %d', i), printf('key %d', i), permissions, tier, created_by, created_at
         FROM n, api_keys;",
    );
    if filled.is_none() {
        return;
    }
    let address = server.address().to_owned();
    let proxy = Fake::new(move |request| {
        if request.contains("page=3") {
            return Some(answer(500, "", ""));
        }
        Some(forward(&address, request))
    });
    for form in ["--json", "--jq .data"] {
        let seen = place
            .keys(["list", "--sort", "name"])
            .args(form)
            .env("KEYS_API_URL", proxy.url())
            .env("KEYS_API_KEY", &admin)
            .done();
        assert_eq!(seen.code, 8, "{}", seen.stderr);
        assert_eq!(seen.stdout.len(), 0, "{form}: half an object is on standard output");
    }
}

#[test]
fn an_interrupted_list_just_ends() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let place = Place::new();
        let fake = Fake::silent();
        let running = call(&place, fake.url(), "list").start();
        fake.wait();
        running.signal(signal);
        let seen = running.done();
        assert_eq!((seen.code, seen.stdout.as_str(), seen.stderr.as_str()), (code, "", ""));
    }
}

#[test]
fn a_service_that_never_answers_is_given_up() {
    let place = Place::new();
    let fake = Fake::silent();
    call(&place, fake.url(), "list --timeout 1s").shows(str![[r#"
exit 8
--- stderr
error: the answer was lost: none came in time, and --timeout is 1 s

"#]]);
    call(&place, fake.url(), CREATE).args("--timeout 1s").shows(str![[r#"
exit 10
--- stderr
error: it is not known whether the key `ci` was made: the answer was lost: none came in time, and --timeout is 1 s

hint: find out with the same request, which makes no second key:
  keys create --name ci --perm read --idempotency-key one

"#]]);
}

#[test]
fn addresses_that_are_none() {
    let place = Place::new();
    for url in [
        "http://keys.example.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "nonsense",
        "https://user:password@keys.example.com",
    ] {
        let seen = call(&place, url, "list").done();
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{url}");
        assert!(!seen.stderr.contains("password@"), "{}", seen.stderr);
    }
    call(&place, "http://keys.example.com", "list").shows(str![[r#"
exit 2
--- stderr
error: `http://keys.example.com` is neither https nor on this machine: the key would travel in the clear

hint: give an address such as https://keys.example.com or http://[HOST]

"#]]);
    place.keys(["list"]).env("KEYS_API_KEY", NOBODYS).shows(str![[r#"
exit 2
--- stderr
error: KEYS_API_KEY is set, but not the address of the service

hint: set KEYS_API_URL, or give --api-url

"#]]);
    place.keys(["-p", "local", "--api-url", "http://127.0.0.1:1", "list"]).shows(str![[r#"
exit 2
--- stderr
error: the profile `local` runs in this process: it takes neither --provider nor --api-url

hint: leave out one or the other

"#]]);
}
