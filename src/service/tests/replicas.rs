//! Replicas: once a change is answered, none of them acts on what was before, however it fares.

use std::sync::Arc;

use super::processes::{Network, Process, is_in_step};
use super::*;
use crate::service::replica::Replica;
use crate::service::running::Running;
use crate::service::{Database, cache};
use crate::system;
use crate::testing::{at, now, on_each_database};

/// Makes a service a replica on this thread.
async fn start(service: &Service, database: &Database) -> Running {
    let running = service.start(database, now).await.unwrap();
    eventually("a replica in step", async || is_in_step(service)).await;
    running
}

/// Whether a service answers for a key from memory.
fn remembers(service: &Service, plain: &str) -> bool {
    is_in_step(service) && service.cache.get(&cache::hash_of(plain)).is_some()
}

/// Lets a service remember a key.
async fn warm(service: &Service, plain: &str) {
    eventually("a key in memory", async || {
        assert_eq!(call(service, plain, START).await, "done");
        remembers(service, plain)
    })
    .await;
}

/// Two replicas, of which the second remembers a key; who changes things, and that key.
struct Pair<'a> {
    bench: Bench<'a>,
    other: Service,
    admin: Caller,
    key: Made,
    /// What runs beside the requests of the first and of the second.
    running: [Running; 2],
}

impl<'a> Pair<'a> {
    async fn new(database: &'a TestDatabase) -> Self {
        Self::behind(database, &database.database, 4).await
    }

    /// The second replica reaches the database by another way, and with so many connections.
    async fn behind(database: &'a TestDatabase, way: &Database, connections: u32) -> Self {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(PLENTY, PLENTY, PLENTY)).await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let other = Service::open(way, connections, system::random).await.unwrap();
        let running = [start(&bench.service, &database.database).await, start(&other, way).await];
        warm(&other, &key.plain).await;
        Self { bench, other, admin, key, running }
    }

    async fn revoke(&self) {
        self.bench.revoke(&self.admin, &self.key.id, at(1)).await.unwrap();
    }

    /// What the other replica says to the key.
    async fn said(&self) -> String {
        call(&self.other, &self.key.plain, at(2)).await
    }

    async fn replicas(&self) -> i64 {
        self.bench.database.count("replicas").await
    }
}

#[test]
fn each_change_counts_everywhere_once_it_is_answered() {
    on_each_database(async |database| {
        let pair = Pair::new(database).await;
        let Pair { bench, admin, key, .. } = &pair;
        bench.edit(admin, &key.id, &permitted(&["read:deals"]), at(1)).await.unwrap();
        assert_eq!(pair.said().await, "insufficient_permissions");
        bench.edit(admin, &key.id, &permitted(&["read"]), at(1)).await.unwrap();
        assert_eq!(pair.said().await, "done");
        bench.edit(admin, &key.id, &ends(Some(at(2))), at(1)).await.unwrap();
        assert_eq!(pair.said().await, "invalid_key");
        bench.edit(admin, &key.id, &ends(None), at(1)).await.unwrap();
        warm(&pair.other, &key.plain).await;
        pair.revoke().await;
        assert_eq!(pair.said().await, "revoked_key");
        bench.reactivate(admin, &key.id, at(1)).await.unwrap();
        warm(&pair.other, &key.plain).await;
        bench.service.set_plan("acme", agreement(0, 0, PLENTY), at(1)).await.unwrap();
        assert_eq!(pair.said().await, "rate_limited");
        bench.service.set_plan("acme", agreement(PLENTY, PLENTY, PLENTY), at(1)).await.unwrap();
        warm(&pair.other, &key.plain).await;
        bench.delete(admin, &key.id, at(1)).await.unwrap();
        assert_eq!(pair.said().await, "invalid_key");
    });
}

#[test]
fn a_change_by_a_process_that_is_no_replica_counts_as_well() {
    on_each_database(async |database| {
        let pair = Pair::new(database).await;
        warm(&pair.bench.service, &pair.key.plain).await;
        let command = Bench::open(database).await;
        command.revoke(&pair.admin, &pair.key.id, at(1)).await.unwrap();
        assert_eq!(pair.said().await, "revoked_key");
        assert_eq!(call(&pair.bench.service, &pair.key.plain, at(2)).await, "revoked_key");
        let (_, revoked) = command.service.recover_admin("acme", true, at(3)).await.unwrap();
        assert_eq!(revoked, ["admin"]);
    });
}

#[test]
fn a_replica_whose_task_has_died_is_waited_for_until_it_trusts_its_memory_no_more() {
    on_each_database(async |database| {
        let pair = Pair::new(database).await;
        for task in &pair.running[1].tasks {
            task.abort();
        }
        let began = Instant::now();
        pair.revoke().await;
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(pair.said().await, "revoked_key");
        assert_eq!(pair.replicas().await, 1, "it is taken for dead");
        let began = Instant::now();
        pair.bench.reactivate(&pair.admin, &pair.key.id, at(2)).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(2), "nobody is waited for any more");
    });
}

#[test]
fn a_killed_process_holds_nobody_up_for_long() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let _running = start(&bench.service, &database.database).await;
        let process = Process::replica(&database.database, now).await;
        assert_eq!(process.call(&key.plain, START).await, "done");
        process.kill();
        bench.revoke(&admin, &key.id, at(1)).await.unwrap();
        assert_eq!(database.count("replicas").await, 1);
        let process = Process::replica(&database.database, now).await;
        assert_eq!(process.call(&key.plain, at(2)).await, "revoked_key");
        process.stop().await;
        assert_eq!(database.count("replicas").await, 1, "one that ends takes its leave");
    });
}

#[test]
fn a_replica_cut_off_from_its_database_lets_nothing_through_and_comes_back_to_what_is() {
    on_each_database(async |database| {
        let Some(network) = Network::before(database).await else { return };
        let pair = Pair::behind(database, network.database(), 4).await;
        network.hold();
        let began = Instant::now();
        pair.revoke().await;
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(call_once(&pair.other, &pair.key.plain, at(2)).await, UNAVAILABLE);
        network.release();
        let serves = async || pair.said().await == "revoked_key";
        eventually("what is, once the network is back", serves).await;
        eventually("a replica again", async || is_in_step(&pair.other)).await;
        pair.bench.reactivate(&pair.admin, &pair.key.id, at(3)).await.unwrap();
        warm(&pair.other, &pair.key.plain).await;

        network.cut();
        pair.revoke().await;
        assert_ne!(call_once(&pair.other, &pair.key.plain, at(2)).await, "done");
        eventually("what is, once it is connected again", serves).await;
    });
}

#[test]
fn connections_that_lead_nowhere_are_given_up() {
    on_each_database(async |database| {
        let Some(network) = Network::before(database).await else { return };
        let pair = Pair::behind(database, network.database(), 1).await;
        network.lose();
        pair.revoke().await;
        assert_ne!(call_once(&pair.other, &pair.key.plain, at(2)).await, "done");
        eventually("a replica again", async || is_in_step(&pair.other)).await;
        let fresh = pair.bench.create(&pair.admin, &new_key("fresh", &["read"]), START).await.unwrap();
        eventually("calls again", async || call(&pair.other, &fresh.plain, DAY_AFTER).await == "done").await;
        assert_eq!(pair.said().await, "revoked_key");
    });
}

/// Another day than [`START`]'s: nothing of it is at hand.
const DAY_AFTER: Timestamp = Timestamp::constant(1_790_086_400, 0);

#[test]
fn a_process_that_is_cut_off_in_the_middle_of_a_change_does_not_stop_the_others() {
    on_each_database(async |database| {
        let Some(network) = Network::before(database).await else { return };
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let off = bench.create(&admin, &new_key("off", &["read"]), START).await.unwrap();
        for (number, statement) in
            ["INSERT INTO limit_windows", "UPDATE workspaces SET seq = seq + 1"].iter().enumerate()
        {
            let process = Process::client(network.database()).await;
            network.hold_after(statement);
            let (plain, id, by) = (key.plain.clone(), off.id.clone(), admin.clone());
            let cut_off = process.run(move |service| async move {
                if number == 0 {
                    return call_once(&service, &plain, START).await;
                }
                outcome(service.revoke_key(ask(&by, at(1)), &id, None, named).await)
            });
            let others = async {
                eventually("a change under way", async || network.is_held()).await;
                eventually("a call", async || call(&bench.service, &key.plain, START).await == "done").await;
                bench.edit(&admin, &off.id, &renamed(&format!("off {number}")), at(1)).await.unwrap();
                network.cut();
            };
            let said = tokio::join!(cut_off, others).0;
            assert!([UNAVAILABLE, "outcome_unknown"].contains(&said.as_str()), "{said}");
        }
    });
}

#[test]
fn who_changes_what_is_changed_already_waits_for_it_as_well() {
    on_each_database(async |database| {
        let pair = Pair::new(database).await;
        for task in &pair.running[1].tasks {
            task.abort();
        }
        let revoked = async || database.count("api_keys WHERE revoked_at IS NOT NULL").await == 1;
        let first = pair.revoke();
        let twin = async {
            eventually("the first revoke's effect", revoked).await;
            pair.revoke().await;
            assert_eq!(pair.said().await, "revoked_key");
        };
        tokio::join!(first, twin);
    });
}

#[test]
fn an_answer_that_is_given_again_has_been_waited_for() {
    on_each_database(async |database| {
        let pair = Pair::new(database).await;
        for task in &pair.running[1].tasks {
            task.abort();
        }
        let once = once("revoke", "");
        let ask = Ask { caller: &pair.admin, once: Some(&once), now: at(1) };
        let revoke = async || pair.bench.service.revoke_key(ask, &pair.key.id, None, named).await.unwrap();
        let revoked = async || database.count("api_keys WHERE revoked_at IS NOT NULL").await == 1;
        tokio::select! {
            _ = revoke() => panic!("answered before the other replica has followed"),
            () = eventually("its effect", revoked) => {}
        }
        assert!(revoke().await.replayed);
        assert_eq!(pair.said().await, "revoked_key");
    });
}

#[test]
fn a_replica_that_starts_during_the_first_change_follows_it() {
    on_each_database(async |database| {
        if database.is_sqlite() {
            return; // It has one writer at a time.
        }
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        assert_eq!(call(&bench.service, &key.plain, START).await, "done", "this month's credits are there");
        // Holds up the commit of a change until the lock is free.
        let hold = "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ \
                    BEGIN PERFORM pg_advisory_xact_lock(hashtext(current_schema())); RETURN NULL; END $$";
        database.execute(hold).await.unwrap();
        let trigger = "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED \
                       FOR EACH ROW EXECUTE FUNCTION hold()";
        database.execute(trigger).await.unwrap();
        let lock = |free: &str| format!("SELECT 1::BIGINT FROM pg_advisory_{free}lock(hashtext(current_schema()))");
        database.rows(&lock("")).await;
        let waiting = "SELECT COUNT(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND objid = (SELECT hashtext(current_schema())::BIGINT & 4294967295)::OID";
        let starting = async {
            eventually("a commit", async || database.rows(waiting).await == ["n=1"]).await;
            let other = database.open().await;
            let replica = Arc::new(Replica::new("replica_starting".to_owned()));
            other.replica.set(Arc::clone(&replica)).ok().unwrap();
            tokio::spawn(replica.follow(other.store.clone(), Arc::clone(&other.cache)));
            warm(&other, &key.plain).await;
            database.rows(&lock("un")).await;
            other
        };
        let change = bench.revoke(&admin, &key.id, at(1));
        let both = async { tokio::join!(change, starting) };
        let (_, other) = tokio::time::timeout(Duration::from_mins(1), both).await.unwrap();
        assert_eq!(call(&other, &key.plain, at(2)).await, "revoked_key");
    });
}

#[test]
fn a_key_is_not_remembered_as_it_was_before_a_change_however_often_it_is_called() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.agreed("acme", agreement(PLENTY, PLENTY, PLENTY)).await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let processes =
            [Process::replica(&database.database, now).await, Process::replica(&database.database, now).await];
        let hammering = futures_util::future::join_all(
            processes.iter().map(|process| process.storm(std::slice::from_ref(&key.plain), 3, 3_000, at(2))),
        );
        let changing = async {
            for _ in 0..25 {
                bench.revoke(&admin, &key.id, at(1)).await.unwrap();
                for process in &processes {
                    for _ in 0..3 {
                        assert_eq!(process.call(&key.plain, at(2)).await, "revoked_key");
                    }
                }
                bench.reactivate(&admin, &key.id, at(1)).await.unwrap();
                for process in &processes {
                    assert_eq!(process.call(&key.plain, at(2)).await, "done");
                }
            }
        };
        tokio::join!(hammering, changing);
    });
}
