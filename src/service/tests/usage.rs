//! Usage: what is told is what was called, whoever counted it and whatever failed meanwhile.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use proptest::collection::vec;
use proptest::prelude::*;

use super::processes::{Network, Process};
use super::*;
use crate::model::usage::{Tally, UsageReport};
use crate::system;
use crate::testing::{at, now, on_each_database};

const PATHS: [(&str, &str, &str); 4] = [
    ("GET", "/v1/contacts", "GET /v1/contacts"),
    ("PATCH", "/v1/contacts/42", "PATCH /v1/contacts/:id"),
    ("GET", "/v1/deals/7/notes", "GET /v1/deals/:id/notes"),
    ("GET", "/v1/../x", "(malformed)"),
];

async fn report(service: &Service, caller: &Caller, key: Option<&str>, days: u16, now: Timestamp) -> UsageReport {
    service.usage(caller, key, days, now).await.unwrap()
}

const fn tally(calls: i64, errors: i64) -> Tally {
    Tally { calls, errors }
}

#[test]
fn what_is_told_of_one_key_and_of_all() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(PLENTY, 3, PLENTY)).await;
        let (_, reads) = bench.create_caller(&admin, "reads", &["read"]).await;
        let (_, writes) = bench.create_caller(&admin, "writes", &["write"]).await;
        // Two through, one refused for its permission, and one for the limits: each is a call, and two are errors.
        for (plain, second, said) in [
            (&reads.plain, 0, "done"),
            (&reads.plain, 1, "done"),
            (&writes.plain, 2, "insufficient_permissions"),
            (&reads.plain, 3, "rate_limited"),
        ] {
            assert_eq!(call(&bench.service, plain, at(second)).await, said);
        }
        for unknown in ["", "wbk_none"] {
            assert_eq!(call(&bench.service, unknown, at(4)).await, "invalid_key");
        }
        bench.revoke(&admin, &writes.id, at(5)).await.unwrap();
        assert_eq!(call(&bench.service, &writes.plain, at(6)).await, "revoked_key");

        let all = report(&bench.service, &admin, None, 2, at(10)).await;
        assert_eq!((all.today, all.last_used_at), (tally(4, 2), Some(at(3))));
        assert_eq!(all.days, [("2026-09-20".to_owned(), tally(0, 0)), ("2026-09-21".to_owned(), tally(4, 2))]);
        assert_eq!(all.endpoints, [("GET /v1/contacts".to_owned(), tally(4, 2))]);
        let keys: Vec<_> = all.keys.iter().map(|key| (key.name.as_deref(), key.tally)).collect();
        assert_eq!(keys, [(Some("reads"), tally(3, 1)), (Some("writes"), tally(1, 1))]);
        assert_eq!((all.per_minute.unwrap().limit, all.per_minute.unwrap().remaining), (3, 0));
        assert_eq!(all.today.error_rate().to_string(), "0.5");

        let one = report(&bench.service, &admin, Some(&writes.id), 1, at(10)).await;
        assert_eq!((one.today, one.last_used_at, one.keys.len()), (tally(1, 1), Some(at(2)), 1));
        bench.delete(&admin, &writes.id, at(11)).await.unwrap();
        let gone = bench.service.usage(&admin, Some(&writes.id), 1, at(12)).await;
        assert_eq!(outcome(gone), "not_found");
        let all = report(&bench.service, &admin, None, 1, at(12)).await;
        assert_eq!((all.today, all.keys[1].name.as_deref()), (tally(4, 2), None));
        // The day after, what was is part of the time before today.
        let next = report(&bench.service, &admin, None, 2, at(DAY)).await;
        assert_eq!((next.today, next.days[0].1), (tally(0, 0), tally(4, 2)));
        assert_eq!(report(&bench.service, &admin, None, 1, at(DAY)).await.endpoints, []);
    });
}

#[test]
fn calls_to_the_management_api_are_counted_with_what_became_of_them() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        bench.service.note_call(&admin, "GET /v1/api-keys", false, at(1));
        bench.service.note_call(&admin, "GET /v1/api-keys", true, at(2));
        bench.service.note_call(&bench.operator("acme").await, "GET /v1/api-keys", true, at(3));
        let key = report(&bench.service, &admin, Some(first.key.id.as_str()), 1, at(4)).await;
        assert_eq!(key.endpoints, [("GET /v1/api-keys".to_owned(), tally(2, 1))]);
    });
}

#[test]
fn what_is_counted_is_stored_on_stop() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let process = Process::replica(&database.database, now).await;
        let through = process.storm(std::slice::from_ref(&key.plain), 3, 50, at(7)).await.through[0];
        process.stop().await;
        let all = report(&bench.service, &admin, None, 1, at(10)).await;
        let errors = 150 - i64::try_from(through).unwrap();
        assert_eq!((all.today, all.last_used_at), (tally(150, errors), Some(at(7))));
        assert_eq!(bench.show(&admin, &key.id).await.last_used_at, Some(at(7)));
    });
}

#[test]
fn what_cannot_be_stored_is_counted_on() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        for second in 0..6 {
            assert_eq!(call(&bench.service, &key.plain, at(second)).await, "done");
            database.execute("ALTER TABLE usage_days RENAME TO away").await.unwrap();
            assert_eq!(outcome(bench.service.usage(&admin, None, 1, at(second)).await), "database_unavailable");
            assert_eq!(bench.show(&admin, &key.id).await.last_used_at, Some(at(second)));
            database.execute("ALTER TABLE away RENAME TO usage_days").await.unwrap();
            // Who asks and goes away before it is answered takes nothing along.
            let mut asking = Box::pin(bench.service.usage(&admin, None, 1, at(second)));
            for _ in 0..second {
                let polled = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(polled, Poll::Pending | Poll::Ready(Ok(_))));
                if polled.is_ready() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        assert_eq!(report(&bench.service, &admin, None, 1, at(9)).await.today, tally(6, 0));
        assert_eq!(bench.show(&admin, &key.id).await.last_used_at, Some(at(5)));
    });
}

/// Longer than the engine waits for an answer.
const TOO_LONG: Duration = Duration::from_millis(2_500);

/// The lock that commits of usage wait for; of each schema its own.
const HELD: &str = "hashtext(current_schema()) & 2147483647";

/// Holds back every commit that adds rows of usage to PostgreSQL.
async fn hold_commits(database: &TestDatabase) {
    for statement in [
        format!(
            "CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS $body$ \
             BEGIN PERFORM pg_advisory_xact_lock(7, {HELD}); RETURN NULL; END $body$"
        ),
        "CREATE CONSTRAINT TRIGGER commits_wait AFTER INSERT ON usage_days DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION wait_for_the_test()"
            .to_owned(),
        format!("SELECT pg_advisory_lock(7, {HELD})"),
    ] {
        database.execute(&statement).await.unwrap();
    }
}

async fn let_commits_go(database: &TestDatabase) {
    database.execute(&format!("SELECT pg_advisory_unlock(7, {HELD})")).await.unwrap();
}

/// Waits until a commit is held back.
async fn a_commit_is_held(database: &TestDatabase) {
    let waiting = format!("pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ({HELD})::oid");
    eventually("a commit that is held", async || database.count(&waiting).await > 0).await;
}

/// Begins to store what a service has counted.
fn storing(service: &Service) -> tokio::task::JoinHandle<Result<(), crate::service::StoreError>> {
    let (usage, store) = (std::sync::Arc::clone(&service.usage), service.store.clone());
    tokio::spawn(async move { usage.store(&store).await })
}

/// Stores what is counted as soon as that can be done.
async fn stored(service: &Service) {
    eventually("usage that is stored", async || service.usage.store(&service.store).await.is_ok()).await;
}

#[test]
fn what_takes_long_to_commit_is_counted_once() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        assert_eq!(call(&bench.service, &key.plain, at(1)).await, "done");
        if database.is_sqlite() {
            // A change that others wait for is committed together with the next one, however long that takes.
            let store = bench.service.store.clone();
            let id = admin.workspace().id.clone();
            let first = store.write(&id).await.unwrap();
            let storing = storing(&bench.service);
            steps(50).await;
            let second = tokio::spawn(async move { store.write(&id).await });
            steps(50).await;
            drop(first);
            let second = second.await.unwrap().unwrap();
            tokio::time::sleep(TOO_LONG).await;
            second.commit().await.unwrap();
            storing.await.unwrap().ok();
        } else {
            hold_commits(database).await;
            let storing = storing(&bench.service);
            a_commit_is_held(database).await;
            tokio::time::sleep(TOO_LONG).await;
            let_commits_go(database).await;
            storing.await.unwrap().ok();
        }
        stored(&bench.service).await;
        assert_eq!(report(&bench.service, &admin, None, 1, at(2)).await.today, tally(1, 0));
        assert_eq!(bench.show(&admin, &key.id).await.last_used_at, Some(at(1)));
    });
}

#[test]
fn what_is_committed_though_the_answer_is_lost_is_counted_once() {
    on_each_database(async |database| {
        let Some(network) = Network::before(database).await else { return };
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let service = Service::open(network.database(), 4, system::random).await.unwrap();
        assert_eq!(call(&service, &key.plain, at(1)).await, "done");
        hold_commits(database).await;
        let storing = storing(&service);
        a_commit_is_held(database).await;
        network.cut();
        assert!(storing.await.unwrap().is_err());
        let_commits_go(database).await;
        eventually("the commit", async || database.count("usage_days").await == 1).await;
        stored(&service).await;
        assert_eq!(report(&bench.service, &admin, None, 1, at(2)).await.today, tally(1, 0));
        assert_eq!(bench.show(&admin, &key.id).await.last_used_at, Some(at(1)));
    });
}

#[test]
fn every_answer_tells_of_a_use_that_is_not_stored_yet() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        assert_eq!(call(&bench.service, &key.plain, at(5)).await, "done");
        let (service, id) = (&bench.service, key.id.as_str());
        let told = |key: &Key| Answer::new(200, format!("{:?}", key.last_used_at).into_bytes());
        let answers = [
            service.edit_key(ask(&admin, at(6)), id, &renamed("worker"), told).await,
            service.edit_key(ask(&admin, at(6)), id, &renamed("worker"), told).await,
            service.revoke_key(ask(&admin, at(7)), id, None, told).await,
            service.revoke_key(ask(&admin, at(7)), id, None, told).await,
            service.reactivate_key(ask(&admin, at(8)), id, told).await,
        ];
        for answer in answers {
            assert_eq!(String::from_utf8(answer.unwrap().body.to_vec()).unwrap(), format!("{:?}", Some(at(5))));
        }
        // It is told, and no part of the change.
        assert_eq!(database.count("api_keys WHERE last_used_at IS NOT NULL").await, 0);
        let noted = database.rows("SELECT seq, action, details FROM audit_entries ORDER BY seq").await;
        assert!(noted.iter().all(|entry| !entry.contains("last_used")), "{noted:#?}");
        assert_eq!(noted.len(), 6, "two keys, the credits of the month and three changes: {noted:#?}");
        // Who asks who it is, is using its key.
        let asking = bench.caller(first.plain.expose(), at(9)).await;
        assert_eq!(asking.whoami().key.unwrap().last_used_at, Some(at(9)));
        let admission = bench.service.admit(Provider::Native, &key.plain, READ, at(10)).await;
        assert_eq!(admission.caller(&key.plain, at(10)).unwrap().whoami().key.unwrap().last_used_at, Some(at(10)));
    });
}

#[derive(Debug, Clone)]
enum Step {
    Call { service: usize, key: usize, path: usize, times: u8 },
    Ask { service: usize, days: u16 },
    Fail { service: usize },
    Turn { days: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let service = 0..2_usize;
    prop_oneof![
        6 => (service.clone(), 0..3_usize, 0..4_usize, 1_u8..4)
            .prop_map(|(service, key, path, times)| Step::Call { service, key, path, times }),
        2 => (service.clone(), 1..5_u16).prop_map(|(service, days)| Step::Ask { service, days }),
        1 => service.prop_map(|service| Step::Fail { service }),
        1 => (-1..3_i64).prop_map(|days| Step::Turn { days }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_what_was_called(steps in vec(step(), 1..30)) {
        on_each_database(async |database| {
            let bench = Bench::open(database).await;
            let (admin, _) = bench.workspace("acme").await;
            let mut keys = Vec::new();
            for (name, permissions) in [("all", ["read", "write"]), ("reads", ["read", "lexi"]), ("none", ["lexi", "lexi"])] {
                keys.push(bench.create(&admin, &new_key(name, &permissions), START).await.unwrap());
            }
            let services = [database.open().await, database.open().await];
            let mut today = 0_i64;
            // Counted by who calls: by day, key and endpoint.
            let mut made: BTreeMap<(i64, usize, &str), Tally> = BTreeMap::new();
            for step in &steps {
                let now = at(today * DAY);
                match *step {
                    Step::Call { service, key, path, times } => {
                        let (method, path, endpoint) = PATHS[path];
                        for _ in 0..times {
                            let admission = services[service].admit(Provider::Native, &keys[key].plain, Call { method, path }, now).await;
                            let errors = i64::from(admission.outcome.is_err());
                            made.entry((today, key, endpoint)).or_default().add(tally(1, errors));
                        }
                    }
                    Step::Ask { service, days } => {
                        // What the other one counts is stored once a second.
                        services[1 - service].usage.store(&services[1 - service].store).await.unwrap();
                        let told = report(&services[service], &admin, None, days, now).await;
                        let span = today - i64::from(days) + 1..=today;
                        let (mut all, mut of_today) = (Tally::default(), Tally::default());
                        let (mut by_endpoint, mut by_key) = (BTreeMap::new(), BTreeMap::new());
                        for ((day, key, endpoint), calls) in made.iter().filter(|((day, ..), _)| span.contains(day)) {
                            all.add(*calls);
                            if *day == today {
                                of_today.add(*calls);
                            }
                            by_endpoint.entry((*endpoint).to_owned()).or_insert_with(Tally::default).add(*calls);
                            by_key.entry(keys[*key].id.clone()).or_insert_with(Tally::default).add(*calls);
                        }
                        assert_eq!(told.today, of_today);
                        let mut sum = Tally::default();
                        told.days.iter().for_each(|(_, tally)| sum.add(*tally));
                        assert_eq!((sum, told.days.len()), (all, usize::from(days)));
                        assert_eq!(told.endpoints.into_iter().collect::<BTreeMap<_, _>>(), by_endpoint);
                        let told: BTreeMap<_, _> = told.keys.into_iter().map(|key| (key.id, key.tally)).collect();
                        assert_eq!(told, by_key);
                    }
                    Step::Fail { service } => {
                        database.execute("ALTER TABLE usage_days RENAME TO away").await.unwrap();
                        services[service].usage.store(&services[service].store).await.ok();
                        database.execute("ALTER TABLE away RENAME TO usage_days").await.unwrap();
                    }
                    Step::Turn { days } => today += days,
                }
            }
        });
    }
}
