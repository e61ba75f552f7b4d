//! The same request again gets the same answer, and nobody else does.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::join_all;

use super::super::idempotency::Begun;
use super::audit::assert_chain;
use super::*;
use crate::testing::{at, on_each_database};

#[test]
fn the_same_request_gets_identical_bytes_and_makes_one_key() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let (new, request) = (new_key("ci", &["read"]), once("abc", "{}"));
        let original = bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
        assert!(!original.replayed);
        let before = database.dump().await;
        // As another process, and by a caller who has authenticated anew.
        let elsewhere = Bench::open(database).await;
        let again = elsewhere.caller(first.plain.expose(), at(10)).await;
        for (bench, caller) in [(&bench, &admin), (&elsewhere, &again)] {
            let replay = bench.create_once(caller, &new, Some(&request), at(DAY - 1)).await.unwrap();
            assert!(replay.replayed);
            assert_eq!((replay.status, &replay.body), (original.status, &original.body));
        }
        assert_eq!(database.dump().await, before, "a replay writes nothing");
    });
}

#[test]
fn every_kind_of_change_is_replayed() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let (_, key) = bench.create_caller(&admin, "ci", &["read"]).await;
        let service = &bench.service;
        for round in 0..2 {
            let route = |action: &str| Once { route: action.to_owned(), ..once("abc", "") };
            let (edit, revoke) = (route("edit"), route("revoke"));
            let (reactivate, delete) = (route("reactivate"), route("delete"));
            let change = renamed("renamed");
            let asked = |once, second| Ask { caller: &admin, once: Some(once), now: at(second) };
            let gone = || Answer::new(204, Vec::new());
            let answers = [
                service.edit_key(asked(&edit, 1), &key.id, &change, named).await.unwrap(),
                service.revoke_key(asked(&revoke, 2), &key.id, None, named).await.unwrap(),
                service.reactivate_key(asked(&reactivate, 3), &key.id, named).await.unwrap(),
                service.delete_key(asked(&delete, 4), &key.id, gone).await.unwrap(),
            ];
            assert!(answers.iter().all(|answer| answer.replayed == (round == 1)));
            let statuses = answers.map(|answer| answer.status);
            assert_eq!(statuses, [200, 200, 200, 204]);
        }
        let entries = database.count("audit_entries").await;
        assert_eq!(entries, 6, "two creations and one of each");
    });
}

#[test]
fn another_body_is_a_conflict_and_another_route_or_method_is_another_request() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let request = once("abc", "one");
        bench.create_once(&admin, &new_key("a", &["read"]), Some(&request), START).await.unwrap();
        let before = database.dump().await;
        let other = bench.create_once(&admin, &new_key("b", &["read"]), Some(&once("abc", "two")), at(1)).await;
        assert_eq!(outcome(other), "idempotency_conflict");
        assert_eq!(database.dump().await, before);
        let variants = [
            Once { route: "/v1/other".to_owned(), ..request.clone() },
            Once { method: "PUT".to_owned(), ..request.clone() },
            once("abd", "one"),
        ];
        for (number, variant) in variants.iter().enumerate() {
            let new = new_key(&format!("key {number}"), &["read"]);
            let answer = bench.create_once(&admin, &new, Some(variant), at(1)).await.unwrap();
            assert!(!answer.replayed, "{variant:?}");
        }
    });
}

#[test]
fn another_key_of_the_workspace_does_not_get_the_answer() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (one, _) = bench.workspace("acme").await;
        let (two, _) = bench.create_caller(&one, "two", &[ADMIN, "read"]).await;
        let request = once("abc", "{}");
        let first = bench.create_once(&one, &new_key("a", &["read"]), Some(&request), START).await.unwrap();
        let second = bench.create_once(&two, &new_key("b", &["read"]), Some(&request), START).await.unwrap();
        assert!(!second.replayed);
        assert_ne!(made(&first).plain, made(&second).plain);
    });
}

#[test]
fn a_caller_who_lost_the_permission_gets_no_replay() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (first, _) = bench.workspace("acme").await;
        let (second, key) = bench.create_caller(&first, "second", &[ADMIN, "read"]).await;
        let (new, request) = (new_key("a", &["read"]), once("abc", "{}"));
        bench.create_once(&second, &new, Some(&request), START).await.unwrap();
        bench.edit(&first, &key.id, &permitted(&["read"]), at(1)).await.unwrap();
        let narrowed = bench.caller(&key.plain, at(2)).await;
        let replay = bench.create_once(&narrowed, &new, Some(&request), at(2)).await;
        assert_eq!(outcome(replay), "insufficient_permissions");
    });
}

#[test]
fn after_a_day_the_same_request_is_a_new_one_and_the_sealed_answer_is_gone() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let (new, request) = (ending("ci", &["read"], DAY), once("abc", "{}"));
        let first = bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
        let sealed = database.rows("SELECT sealed FROM idempotency_records").await;
        let second = NewKey { lifetime: Lifetime::Never, ..new };
        let second = bench.create_once(&admin, &second, Some(&request), at(DAY)).await.unwrap();
        assert!(!second.replayed);
        assert_ne!(made(&first).id, made(&second).id);
        let left = database.rows("SELECT sealed FROM idempotency_records").await;
        assert_eq!(left.len(), 1);
        assert_ne!(left, sealed);
    });
}

#[test]
fn every_change_drops_the_answers_older_than_a_day() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let request = once("abc", "{}");
        bench.create_once(&admin, &new_key("a", &["read"]), Some(&request), START).await.unwrap();
        // A change that carries no Idempotency-Key of its own.
        bench.create(&admin, &new_key("b", &["read"]), at(DAY)).await.unwrap();
        assert_eq!(database.count("idempotency_records").await, 0);
    });
}

#[test]
fn a_service_drops_the_answers_older_than_a_day_also_where_nothing_changes_any_more() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (quiet, _) = bench.workspace("quiet").await;
        let (busy, _) = bench.workspace("busy").await;
        for (caller, now) in [(&quiet, START), (&busy, at(DAY))] {
            bench.create_once(caller, &new_key("a", &["read"]), Some(&once("abc", "{}")), now).await.unwrap();
        }
        let a_day_later: fn() -> Timestamp = || at(DAY);
        let running = bench.service.start(&database.database, a_day_later).await.unwrap();
        eventually("the older answer is gone", async || database.count("idempotency_records").await < 2).await;
        running.stop().await.unwrap();
        let kept = database.rows("SELECT workspace_id FROM idempotency_records").await.concat();
        assert!(kept.contains(&busy.workspace().id), "{kept}");
    });
}

#[test]
fn a_secret_that_is_dead_is_not_handed_out_again() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let request = once("abc", "{}");
        let new = ending("ci", &["read"], 1_000);
        let answer = bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
        let id = made(&answer).id;
        let again = async |now| outcome(bench.create_once(&admin, &new, Some(&request), at(now)).await);
        assert_eq!(again(1).await, "done");
        bench.revoke(&admin, &id, at(2)).await.unwrap();
        assert_eq!(again(2).await, "idempotency_conflict");
        bench.reactivate(&admin, &id, at(3)).await.unwrap();
        assert_eq!(again(3).await, "done");
        assert_eq!(again(1_000).await, "idempotency_conflict", "expired");
        bench.delete(&admin, &id, at(4)).await.unwrap();
        assert_eq!(again(4).await, "idempotency_conflict");
    });
}

#[test]
fn a_refused_change_keeps_no_answer() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let request = once("abc", "{}");
        let refused = bench.create_once(&admin, &new_key("admin", &["read"]), Some(&request), START).await;
        assert_eq!(outcome(refused), "duplicate_name");
        assert_eq!(database.count("idempotency_records").await, 0);
        let other_body = once("abc", "other");
        let repaired = bench.create_once(&admin, &new_key("ci", &["read"]), Some(&other_body), START).await.unwrap();
        assert!(!repaired.replayed);
    });
}

#[test]
fn a_stolen_database_does_not_open_the_answer() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        // A key seals with what it presents, the operator with a secret kept elsewhere: both under the same rule.
        let secret = first.plain.expose().as_bytes().to_vec();
        let owner = bench.operator_sealing("acme", secret).await;
        let request = once("abc", "{}");
        let mut plains = vec![first.plain.expose().to_owned()];
        for (caller, name) in [(&admin, "by key"), (&owner, "by operator")] {
            let answer = bench.create_once(caller, &new_key(name, &["read"]), Some(&request), START).await.unwrap();
            plains.push(made(&answer).plain);
        }
        let rows = database.rows("SELECT * FROM idempotency_records").await;
        assert_eq!(rows.len(), 2);
        for plain in &plains {
            let encoded = crate::model::secret::hex(plain.as_bytes());
            assert!(!rows.concat().contains(plain) && !rows.concat().contains(&encoded));
        }
        // What the thief has: every value of every row, so also the hash of the key that sealed.
        let dump = database.dump().await.join("\n");
        let mut guesses: Vec<&str> =
            dump.lines().filter_map(|line| line.split_once('=').map(|(_, value)| value)).collect();
        guesses.push("");
        assert!(guesses.contains(&hashed(&plains[0]).as_str()));
        for guess in guesses {
            let forms = [Some(guess.as_bytes().to_vec()), crate::model::secret::unhex(guess)];
            for form in forms.into_iter().flatten() {
                let thief = bench.operator_sealing("acme", form).await;
                let begun = bench.service.begin(Ask { caller: &thief, once: Some(&request), now: at(1) }).await;
                assert!(matches!(begun, Err(Refusal::IdempotencyConflict)), "opened with {guess:?}");
            }
        }
        let begun = bench.service.begin(Ask { caller: &owner, once: Some(&request), now: at(1) }).await;
        assert!(matches!(begun, Ok(Begun::Replay(_))));
    });
}

#[test]
fn a_sealed_answer_moved_to_another_row_or_time_does_not_open() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let request = once("abc", "{}");
        let new = new_key("ci", &["read"]);
        bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
        bench.create_caller(&admin, "other", &["read"]).await;
        let later = at(3_600).as_microsecond();
        let fingerprint = "UPDATE idempotency_records SET fingerprint";
        let other_body = HashedKey::of("other");
        let alterations = [
            format!("UPDATE idempotency_records SET created_at = {later}"),
            "UPDATE idempotency_records SET key_id = (SELECT id FROM api_keys WHERE name = 'other')".to_owned(),
            "UPDATE idempotency_records SET key_id = NULL".to_owned(),
            format!("{fingerprint} = '{}'", other_body.as_str()),
        ];
        let kept = database.rows("SELECT key_id, fingerprint FROM idempotency_records").await;
        let old = |column: &str| {
            let line = kept[0].lines().find(|line| line.starts_with(column));
            line.unwrap().split_once('=').unwrap().1.to_owned()
        };
        for (alteration, body) in alterations.iter().zip(["{}", "{}", "{}", "other"]) {
            database.execute(alteration).await.unwrap();
            let again = bench.create_once(&admin, &new, Some(&once("abc", body)), at(4_000)).await;
            assert_eq!(outcome(again), "idempotency_conflict", "{alteration}");
            let restore = format!(
                "UPDATE idempotency_records SET created_at = {}, key_id = '{}', fingerprint = '{}'",
                START.as_microsecond(),
                old("key_id"),
                old("fingerprint"),
            );
            database.execute(&restore).await.unwrap();
        }
        let again = bench.create_once(&admin, &new, Some(&request), at(4_000)).await;
        assert_eq!(outcome(again), "done");
    });
}

#[test]
fn of_concurrent_twins_one_makes_a_key_and_the_others_are_told() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        // Another process on the same database knows nothing of what is under way in this one.
        let elsewhere = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let (new, request) = (new_key("ci", &["read"]), once("abc", "{}"));
        let attempts = (0..16).map(|number| {
            let bench = if number % 2 == 0 { &bench } else { &elsewhere };
            bench.create_once(&admin, &new, Some(&request), START)
        });
        let mut fresh = Vec::new();
        let mut replayed = Vec::new();
        let mut told = 0;
        for result in join_all(attempts).await {
            match result {
                Ok(answer) if answer.replayed => replayed.push(made(&answer)),
                Ok(answer) => fresh.push(made(&answer)),
                Err(Refusal::IdempotencyInProgress) => told += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(fresh.len(), 1);
        assert!(replayed.iter().all(|made| *made == fresh[0]));
        assert!(told > 0, "twins in one process are told at once");
        assert_eq!(database.count("api_keys WHERE name = 'ci'").await, 1);
        let again = bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
        assert_eq!(made(&again), fresh[0]);
    });
}

/// Polls a future so many times and then gives it up.
struct Fuse<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Fuse<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        Poll::Pending
    }
}

#[test]
fn a_change_given_up_at_any_point_leaves_nothing_or_all_of_it() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let (mut none, mut ended, mut polls) = (0, false, 0);
        // On a busy machine every answer of the database may be there before it is waited for, and the first change end
        // unbroken: then once more from the start.
        for taken in 0..2_000 {
            let name = format!("key {taken}");
            let (new, request) = (new_key(&name, &["read"]), once(&name, "{}"));
            let outcome =
                Fuse { future: Box::pin(bench.create_once(&admin, &new, Some(&request), START)), polls }.await;
            ended = outcome.is_some();
            assert!(bench.service.in_flight.lock().unwrap().is_empty(), "given up after {polls}: the mark stays");
            // A reader sees what was committed. Nobody is told of a refusal before what it may have seen is.
            bench.edit(&admin, "none", &renamed("x"), START).await.err().unwrap();
            let keys = database.count(&format!("api_keys WHERE name = '{name}'")).await;
            let entries = database.count("audit_entries").await;
            let records = database.count("idempotency_records").await;
            let all = database.count("api_keys").await;
            assert_eq!((entries, records), (all, all - 1), "given up after {polls}");
            none += usize::from(keys == 0);

            let again = bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
            assert_eq!(again.replayed, keys == 1, "given up after {polls}");
            let keys = database.count(&format!("api_keys WHERE name = '{name}'")).await;
            assert_eq!(keys, 1, "given up after {polls}");
            if ended && none > 0 {
                break;
            }
            polls = if ended { 0 } else { polls + 1 };
        }
        assert!(ended, "the last one was not given up");
        assert!(none > 0, "none was given up early");
        assert_chain(database, &admin.workspace().id).await;
    });
}
