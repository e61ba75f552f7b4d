//! Limits and credits that two replicas share: used up to the last call by both at once, and never beyond.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, Request, Sent};
use super::database::Database;
use super::record::Moment;
use super::replica::{Replica, workspace};
use crate::support::{HANGS, Place};

const LIMIT: i64 = 700;
const CREDITS: i64 = 450;

#[test]
fn two_replicas_on_postgres_give_out_each_call_of_a_day_and_each_credit_once() {
    let Some(database) = Database::postgres("limits that two replicas on PostgreSQL share") else { return };
    let place = Place::new();
    let replicas = || [Replica::started(&place, &database.url), Replica::started(&place, &database.url)];
    let plan = "--plan enterprise --per-minute 1000000";
    let daily =
        workspace(&place, &database.url, "Daily", &format!("{plan} --per-day {LIMIT} --monthly-credits 100000"));
    let poor =
        workspace(&place, &database.url, "Poor", &format!("{plan} --per-day 1000000 --monthly-credits {CREDITS}"));
    let both = replicas();
    let limited = metered(&both[0], &daily);
    let paid = metered(&both[0], &poor);
    wait_for_a_whole_day();
    assert_eq!(let_through(&both, &limited, LIMIT), (LIMIT, 429));
    // The admin's own call to make the key came before the credits were counted, and cost none.
    assert_eq!(let_through(&both, &paid, CREDITS), (CREDITS, 402));
    for replica in &both {
        replica.stop();
    }
    // Nor is there another one after a restart.
    let both = replicas();
    assert_eq!(let_through(&both, &limited, 0), (0, 429));
    assert_eq!(let_through(&both, &paid, 0), (0, 402));
}

/// A key of the tier `standard`: the admin's own is not counted.
fn metered(replica: &Replica, admin: &str) -> String {
    let body = serde_json::json!({ "name": "metered", "permissions": ["read:contacts"] });
    let request = Request::new("POST", "/v1/api-keys", admin).json(&body);
    let answer = super::client::send(replica.address().unwrap(), &request).unwrap();
    answer.json()["data"]["key"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// Calls at both replicas at once until so many calls are let through and a hundred more are refused: how many were let
/// through in the end, and how the others were refused.
fn let_through(replicas: &[Replica], key: &str, expected: i64) -> (i64, u16) {
    let (passed, refused, last) = (AtomicI64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let begin = Instant::now();
    thread::scope(|scope| {
        for number in 0..12 {
            let address = replicas[number % replicas.len()].address().unwrap();
            let (passed, refused, last) = (&passed, &refused, &last);
            scope.spawn(move || {
                let mut client = Client::default();
                // What one replica holds, it gives back when nobody has called there for a while: it is waited for.
                while passed.load(Ordering::SeqCst) < expected || refused.load(Ordering::SeqCst) < 100 {
                    assert!(begin.elapsed() < HANGS, "{passed:?} of {expected} were let through");
                    let Sent::Answered(answer) = client.send(address, &Request::gate(key)) else { panic!("no answer") };
                    if answer.status == 204 {
                        passed.fetch_add(1, Ordering::SeqCst);
                    } else {
                        refused.fetch_add(1, Ordering::SeqCst);
                        last.store(answer.status.into(), Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
    });
    (passed.into_inner(), u16::try_from(last.into_inner()).unwrap())
}

/// A day that ends meanwhile would begin anew.
fn wait_for_a_whole_day() {
    const DAY: i64 = 24 * 60 * 60;
    while Moment::now().utc.rem_euclid(DAY) > DAY - 120 {
        thread::sleep(Duration::from_secs(1));
    }
}
