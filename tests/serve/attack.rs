//! slowhttptest, in each of its modes, with more connections than a person would need.

use std::process::{Child, Command, Stdio};

use super::scene::{Served, wait_until};
use crate::support::{Place, leave_out};

const CONNECTIONS: u64 = 100;

struct Attack(Child);

impl Attack {
    /// `None`, said on standard error, where the tool is not there.
    fn start(place: &Place, options: &str) -> Option<Self> {
        let spawned = Command::new("slowhttptest")
            .args(["-c", "100", "-r", "100", "-l", "120"])
            .args(options.split_whitespace())
            .current_dir(place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if spawned.is_err() {
            leave_out("slowhttptest", "slow clients from a tool that was not made here");
        }
        spawned.ok().map(Self)
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// While all are connected others are answered, and then all of them are dropped for what they wait for.
fn withstands(options: &str, waiting_for: &str) {
    let place = Place::new();
    let served = Served::start(&place, "--header-timeout 4s --write-timeout 4s");
    let Some(_attack) = Attack::start(&place, &options.replace("URL", &served.url)) else { return };
    served.wait_for_metric("keys_connections", |open| open >= CONNECTIONS / 2);
    served.answers_others();
    assert!(served.metric("keys_connections") >= CONNECTIONS / 2, "they were there all along");
    served.wait_for_timed_out(waiting_for, CONNECTIONS);
    served.wait_for_metric("keys_connections", |open| open == 0);
    served.answers_others();
}

#[test]
fn slow_headers() {
    withstands("-H -i 1 -u URL/v1/whoami", "header");
}

#[test]
fn slow_reading() {
    withstands("-X -w 512 -y 1024 -n 5 -z 32 -k 10 -u URL/openapi.json", "write");
}

/// The tool has no key: it is told so, and does not get to sending its body.
#[test]
fn slow_bodies() {
    let place = Place::new();
    let served = Served::start(&place, "--body-timeout 4s");
    let options = format!("-B -i 1 -s 8192 -t POST -u {}/v1/api-keys", served.url);
    let Some(mut attack) = Attack::start(&place, &options) else { return };
    assert!(wait_until(|| {
        served.answers_others();
        attack.0.try_wait().unwrap().is_some()
    }));
    let refused = r#"keys_http_requests_total{method="POST",route="/v1/api-keys",status="401"}"#;
    served.wait_for_metric(refused, |count| count >= CONNECTIONS);
    served.wait_for_metric("keys_connections", |open| open == 0);
}
