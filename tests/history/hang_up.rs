//! Calls that are given up, by the client or by the service, cost no more than they would have.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::Row as _;

use super::client::{Request, hang_up, send};
use super::database::Database;
use super::replica::{Replica, workspace};
use crate::support::{HANGS, Place};

/// What a call takes to wait for the database at the most: with less, this test would see less, and fail no sooner.
const REACHES: Duration = Duration::from_millis(500);

#[test]
fn a_client_that_is_gone_takes_no_credits_with_it_on_sqlite() {
    let place = Place::new();
    costs_no_more_than_its_calls(&place, &Database::sqlite(&place), "BEGIN IMMEDIATE");
}

#[test]
fn a_client_that_is_gone_takes_no_credits_with_it_on_postgres() {
    let Some(database) = Database::postgres("clients that are gone, on PostgreSQL") else { return };
    let hold = "BEGIN; SELECT id FROM credit_grants FOR UPDATE";
    costs_no_more_than_its_calls(&Place::new(), &database, hold);
}

/// A client leaves, and the service gives another one up, while a block of credits is on its way from the database, which
/// `hold` keeps waiting.
fn costs_no_more_than_its_calls(place: &Place, database: &Database, hold: &str) {
    let admin = workspace(place, &database.url, "Acme", "--plan enterprise --monthly-credits 100000");
    let replica = Replica::started(place, &database.url);
    let call = || send(replica.address().unwrap(), &Request::gate(&admin)).unwrap().status;
    assert_eq!(call(), 204);
    let leased = || database.rows("SELECT leased FROM credit_grants")[0].get::<i64, _>("leased");
    // What it had is given back, so that the next call has to wait for more.
    replica.stop();
    assert_eq!(leased(), 1);
    replica.start();
    database.held(hold, || {
        hang_up(replica.address().unwrap(), &Request::gate(&admin), REACHES).unwrap();
        let (begin, gone) = (Instant::now(), "the connection ended before the answer");
        while !replica.log().contains(gone) {
            assert!(begin.elapsed() < HANGS, "nobody is gone: {}", replica.log());
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(call(), 503);
    });
    assert_eq!(call(), 204);
    replica.stop();
    let leased = leased();
    assert!((2..=4).contains(&leased), "{leased} credits are gone for two calls, and two that were given up");
}

/// Whoever asks for the same revoke again is answered when it holds: also where the first attempt was cut short between its
/// commit and the forgetting of the key.
#[test]
fn a_revoke_that_is_asked_for_again_holds_when_it_is_answered() {
    for header in ["X-No-Such-Header", "Idempotency-Key"] {
        asks_again(header);
    }
}

fn asks_again(header: &'static str) {
    let place = Place::new();
    let database = Database::sqlite(&place);
    let admin = workspace(&place, &database.url, "Acme", "");
    let replica = Replica::started(&place, &database.url);
    let address = replica.address().unwrap();
    for number in 0..100 {
        let body = json!({ "name": format!("key {number}"), "permissions": ["read:contacts"] });
        let made = send(address, &Request::new("POST", "/v1/api-keys", &admin).json(&body)).unwrap().json();
        let text = |field: &str| made["data"][field].as_str().unwrap().to_owned();
        let (id, secret) = (text("id"), text("key"));
        assert_eq!(send(address, &Request::gate(&secret)).unwrap().status, 204);
        let revoke = Request::new("POST", format!("/v1/api-keys/{id}/revoke"), &admin)
            .header(header, format!("revoke-{number}"));
        // Somewhere in the middle of it.
        hang_up(address, &revoke, Duration::from_micros(number * 100)).unwrap();
        let answered = loop {
            let answer = send(address, &revoke).unwrap();
            if answer.status != 409 {
                break answer;
            }
        };
        assert_eq!(answered.status, 200, "{answered:?}");
        assert_eq!(send(address, &Request::gate(&secret)).unwrap().status, 401, "number {number}");
    }
    replica.stop();
}
