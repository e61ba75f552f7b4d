//! The audit log is not changed, and whoever gets around what refuses it does not do so unseen.

use super::audit::expected_hash;
use super::processes::Process;
use super::*;
use crate::service::Verified;
use crate::service::store::KEPT_DAYS;
use crate::system;
use crate::testing::{at, now, on_each_database};

/// Older than anything that is kept, by any clock.
const LONG_AGO: i64 = -9_000 * DAY;

/// A workspace with one entry for each of these times; the first is that of its first key.
async fn workspace(bench: &Bench<'_>, name: &str, times: &[Timestamp]) -> Caller {
    bench.service.create_workspace(&new_workspace(&name.parse().unwrap()), times[0]).await.unwrap();
    let operator = bench.operator(name).await;
    for (number, time) in times.iter().enumerate().skip(1) {
        bench.create(&operator, &new_key(&format!("key {number}"), &["read"]), *time).await.unwrap();
    }
    operator
}

async fn verified(bench: &Bench<'_>, name: &str) -> Verified {
    let mut found = bench.service.verify_audit(Some(name), system::now()).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, name);
    found.remove(0).1
}

/// Takes away what refuses changes, as somebody who owns the database can.
async fn disarm(database: &TestDatabase) {
    if !database.is_sqlite() {
        database.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER").await.unwrap();
        return;
    }
    for row in database.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'").await {
        database.execute(&row.replace("name=", "DROP TRIGGER ")).await.unwrap();
    }
}

#[test]
fn the_database_refuses_to_change_or_remove_an_entry() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        workspace(&bench, "acme", &[at(LONG_AGO), system::now()]).await;
        let before = database.rows("SELECT * FROM audit_entries ORDER BY seq").await;
        let columns = "workspace_id, seq, at, actor, actor_name, action, resource_id, details, previous_hash, hash";
        let copied = columns.replace("actor_name", "'somebody'");
        let mut attempts = vec![
            "UPDATE audit_entries SET details = '{}'".to_owned(),
            "UPDATE audit_entries SET seq = seq + 1000".to_owned(),
            "DELETE FROM audit_entries".to_owned(),
            "DELETE FROM audit_entries WHERE seq = 1".to_owned(),
            format!("INSERT INTO audit_entries ({columns}) SELECT {copied} FROM audit_entries"),
        ];
        if database.is_sqlite() {
            let replace =
                format!("INSERT OR REPLACE INTO audit_entries ({columns}) SELECT {copied} FROM audit_entries");
            let by_row = copied.replace("seq", "seq + 1000");
            attempts.extend([
                format!("{replace} WHERE seq = 1"),
                format!(
                    "INSERT OR REPLACE INTO audit_entries (rowid, {columns}) \
                     SELECT rowid, {by_row} FROM audit_entries WHERE seq = 1"
                ),
                "UPDATE OR REPLACE audit_entries SET seq = 1".to_owned(),
            ]);
        } else {
            attempts.extend([
                "TRUNCATE audit_entries".to_owned(),
                "TRUNCATE workspaces CASCADE".to_owned(),
                format!(
                    "INSERT INTO audit_entries ({columns}) SELECT {copied} FROM audit_entries \
                     ON CONFLICT (workspace_id, seq) DO UPDATE SET details = '{{}}'"
                ),
            ]);
        }
        for attempt in attempts {
            assert!(database.execute(&attempt).await.is_err(), "{attempt}");
            assert_eq!(database.rows("SELECT * FROM audit_entries ORDER BY seq").await, before, "{attempt}");
        }
        // Old enough is not enough: the chain has to be known to begin after it. And that is not enough for a young one.
        database.execute("UPDATE workspaces SET audit_pruned_seq = 1000").await.unwrap();
        assert!(database.execute("DELETE FROM audit_entries").await.is_err());
        assert_eq!(database.execute("DELETE FROM audit_entries WHERE seq = 1").await.unwrap(), 1);
    });
}

#[test]
fn what_refuses_changes_is_put_back_by_who_serves() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        workspace(&bench, "acme", &[START]).await;
        if database.is_sqlite() {
            disarm(database).await;
        } else {
            database.execute("DROP FUNCTION audit_entries_refuse CASCADE").await.unwrap();
        }
        let process = Process::replica(&database.database, now).await;
        assert!(database.execute("DELETE FROM audit_entries").await.is_err());
        process.stop().await;
    });
}

#[test]
fn whatever_is_done_to_the_log_is_found() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let last = "(SELECT MAX(seq) FROM audit_entries WHERE workspace_id = 'W')";
        let tampering = [
            ("nothing", String::new(), None),
            (
                "details",
                "UPDATE audit_entries SET details = '{}' WHERE seq = 3 AND workspace_id = 'W'".to_owned(),
                Some(3),
            ),
            ("actor", "UPDATE audit_entries SET actor = 'x' WHERE seq = 1 AND workspace_id = 'W'".to_owned(), Some(1)),
            ("time", "UPDATE audit_entries SET at = at + 1 WHERE seq = 5 AND workspace_id = 'W'".to_owned(), Some(5)),
            ("hash", "UPDATE audit_entries SET hash = 'x' WHERE seq = 7 AND workspace_id = 'W'".to_owned(), Some(7)),
            ("first", "DELETE FROM audit_entries WHERE seq = 1 AND workspace_id = 'W'".to_owned(), Some(3)),
            ("middle", "DELETE FROM audit_entries WHERE seq = 5 AND workspace_id = 'W'".to_owned(), Some(7)),
            ("end", format!("DELETE FROM audit_entries WHERE workspace_id = 'W' AND seq = {last}"), Some(8)),
            ("all", "DELETE FROM audit_entries WHERE workspace_id = 'W'".to_owned(), Some(1)),
            (
                "order",
                "UPDATE audit_entries SET seq = 1000 WHERE seq = 3 AND workspace_id = 'W'; \
                 UPDATE audit_entries SET seq = 3 WHERE seq = 5 AND workspace_id = 'W'; \
                 UPDATE audit_entries SET seq = 5 WHERE seq = 1000 AND workspace_id = 'W'"
                    .to_owned(),
                Some(3),
            ),
            ("head", "UPDATE workspaces SET audit_head = 'x' WHERE id = 'W'".to_owned(), Some(10)),
        ];
        let mut workspaces = Vec::new();
        for (name, ..) in &tampering {
            workspaces.push(workspace(&bench, name, &[START, at(1), at(2), at(3), at(4)]).await.workspace().id.clone());
        }
        disarm(database).await;
        for ((name, statements, broken_at), id) in tampering.iter().zip(&workspaces) {
            for statement in statements.split("; ").filter(|statement| !statement.is_empty()) {
                database.execute(&statement.replace("'W'", &format!("'{id}'"))).await.unwrap();
            }
            assert_eq!(verified(&bench, name).await.broken_at, *broken_at, "{name}");
        }
        let all = bench.service.verify_audit(None, system::now()).await.unwrap();
        let whole: Vec<_> = all.iter().filter(|(_, found)| found.broken_at.is_none()).map(|(name, _)| name).collect();
        assert_eq!(whole, ["nothing"]);
    });
}

#[test]
fn an_entry_added_before_within_or_after_the_chain_is_found() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        for (name, seq, links_to) in [("before", 0, ""), ("within", 2, "seq = 1"), ("after", 1_000, "seq = 9")] {
            let id = workspace(&bench, name, &[START, at(1), at(2), at(3), at(4)]).await.workspace().id.clone();
            assert_eq!(verified(&bench, name).await.broken_at, None);
            let previous = match links_to {
                "" => String::new(),
                entry => {
                    let hash = format!("SELECT hash FROM audit_entries WHERE workspace_id = '{id}' AND {entry}");
                    database.rows(&hash).await[0].replace("hash=", "")
                }
            };
            // Whoever knows how can compute a hash that fits.
            let fitting = expected_hash(&previous, seq, 0, &id, ["a", "b", "c", "d", "{}"]);
            let insert = format!(
                "INSERT INTO audit_entries \
                 (workspace_id, seq, at, actor, actor_name, action, resource_id, details, previous_hash, hash) \
                 VALUES ('{id}', {seq}, 0, 'a', 'b', 'c', 'd', '{{}}', '{previous}', '{fitting}')"
            );
            database.execute(&insert).await.unwrap();
            assert!(verified(&bench, name).await.broken_at.is_some(), "{name}");
        }
    });
}

#[test]
fn what_has_been_kept_long_enough_goes_and_the_chain_stays_whole() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let long_ago = [at(LONG_AGO), at(LONG_AGO + 1), at(LONG_AGO + 2)];
        let old = workspace(&bench, "old", &long_ago).await;
        let young = system::now();
        let both = workspace(&bench, "both", &[&long_ago[..], &[young, young][..]].concat()).await;
        workspace(&bench, "new", &[young]).await;
        // Where some went there is an entry that says so; that one alone brings no other.
        for kept in [[1_u64, 3, 1], [1, 3, 1]] {
            bench.service.prune_audit(system::now()).await.unwrap();
            for (name, kept) in ["old", "both", "new"].into_iter().zip(kept) {
                let found = verified(&bench, name).await;
                assert_eq!((found.entries, found.broken_at), (kept, None), "{name}");
            }
        }
        for caller in [&old, &both] {
            bench.create(caller, &new_key("later", &["read"]), system::now()).await.unwrap();
        }
        bench.service.prune_audit(system::now()).await.unwrap();
        let found = verified(&bench, "old").await;
        assert_eq!((found.entries, found.broken_at), (2, None));
        let said = database.rows("SELECT actor, details FROM audit_entries WHERE action = 'audit.prune'").await;
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said.iter().all(|said| said.starts_with("actor=service\n") && said.contains("\"removed\":3")),
            "{said:?}"
        );
        // A clock that runs ahead removes nothing: the database's own decides.
        let ahead = system::now() + jiff::SignedDuration::from_hours(24 * (KEPT_DAYS + 10));
        assert!(bench.service.prune_audit(ahead).await.is_err());
        assert_eq!(verified(&bench, "both").await, Verified { broken_at: None, ..verified(&bench, "both").await });
        assert_eq!(verified(&bench, "both").await.entries, 4);
        disarm(database).await;
        let first =
            format!("DELETE FROM audit_entries WHERE workspace_id = '{}' AND action <> ''", both.workspace().id);
        database.execute(&format!("{first} AND seq < (SELECT MAX(seq) FROM audit_entries)")).await.unwrap();
        assert!(verified(&bench, "both").await.broken_at.is_some(), "what went with the checkpoint left as it was");
    });
}

/// Removes the entries of a workspace up to one, as somebody can who gets around what refuses it, and has the workspace
/// say that its chain begins after them.
async fn cut_off(database: &TestDatabase, workspace: &str, up_to: i64) {
    let hash = format!("(SELECT hash FROM audit_entries WHERE workspace_id = '{workspace}' AND seq = {up_to})");
    for statement in [
        format!(
            "UPDATE workspaces SET audit_pruned_seq = {up_to}, audit_pruned_hash = {hash} WHERE id = '{workspace}'"
        ),
        format!("DELETE FROM audit_entries WHERE workspace_id = '{workspace}' AND seq <= {up_to}"),
    ] {
        assert!(database.execute(&statement).await.unwrap() > 0, "{statement}");
    }
}

#[test]
fn a_beginning_that_was_cut_off_is_found() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (long_ago, today) = (at(LONG_AGO), system::now());
        let times = [long_ago, long_ago, today, today];
        workspace(&bench, "pruned", &times).await;
        let again = workspace(&bench, "again", &times).await.workspace().id.clone();
        bench.service.prune_audit(today).await.unwrap();
        let old = workspace(&bench, "old", &times).await.workspace().id.clone();
        let young = workspace(&bench, "young", &[today; 4]).await.workspace().id.clone();
        disarm(database).await;
        cut_off(database, &again, 5).await;
        cut_off(database, &old, 3).await;
        cut_off(database, &young, 3).await;
        // Whoever knows how can also add an entry that says so; but nothing of so young a workspace is old enough to go.
        let hashes = format!("SELECT hash FROM audit_entries WHERE workspace_id = '{young}' AND seq = 7");
        let previous = database.rows(&hashes).await[0].replace("hash=", "");
        let pruned = format!("SELECT audit_pruned_hash AS hash FROM workspaces WHERE id = '{young}'");
        let pruned = database.rows(&pruned).await[0].replace("hash=", "");
        let details = serde_json::json!({ "begins_after": { "seq": 3, "hash": pruned }, "removed": 2 }).to_string();
        let texts = ["service", "service", "audit.prune", &young, &details];
        let hash = expected_hash(&previous, 9, 0, &young, texts);
        database
            .execute(&format!(
                "INSERT INTO audit_entries \
                 (workspace_id, seq, at, actor, actor_name, action, resource_id, details, previous_hash, hash) \
                 VALUES ('{young}', 9, 0, 'service', 'service', 'audit.prune', '{young}', '{details}', '{previous}', '{hash}')"
            ))
            .await
            .unwrap();
        database.execute(&format!("UPDATE workspaces SET audit_head = '{hash}' WHERE id = '{young}'")).await.unwrap();
        for (name, broken_at) in [("pruned", None), ("again", Some(7)), ("old", Some(5)), ("young", Some(5))] {
            assert_eq!(verified(&bench, name).await.broken_at, broken_at, "{name}");
        }
        // By then it is old enough, and all fits.
        let later = today + jiff::SignedDuration::from_hours(24 * (KEPT_DAYS + 1));
        assert_eq!(bench.service.verify_audit(Some("young"), later).await.unwrap()[0].1.broken_at, None);
    });
}

#[test]
fn an_entry_that_cannot_be_read_is_a_break_and_keeps_no_other_chain_from_being_looked_at() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let mut unreadable = vec![("at = 9223372036854775807", 3)];
        if database.is_sqlite() {
            unreadable.extend([("details = x'ff00'", 3), ("seq = 'x'", 5)]);
        }
        disarm(database).await;
        for (number, (change, _)) in unreadable.iter().enumerate() {
            let name = format!("broken {number}");
            let id = workspace(&bench, &name, &[START, at(1), at(2)]).await.workspace().id.clone();
            let statement = format!("UPDATE audit_entries SET {change} WHERE workspace_id = '{id}' AND seq = 3");
            assert_eq!(database.execute(&statement).await.unwrap(), 1);
        }
        workspace(&bench, "whole", &[START]).await;
        for (number, (change, broken_at)) in unreadable.iter().enumerate() {
            assert_eq!(verified(&bench, &format!("broken {number}")).await.broken_at, Some(*broken_at), "{change}");
        }
        let all = bench.service.verify_audit(None, system::now()).await.unwrap();
        assert_eq!(all.iter().filter(|(_, found)| found.broken_at.is_none()).count(), 1);
    });
}

#[test]
fn a_chain_is_whole_at_every_moment() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let admin = workspace(&bench, "acme", &[at(LONG_AGO), at(LONG_AGO + 1)]).await;
        let processes = [Process::client(&database.database).await, Process::client(&database.database).await];
        let changing =
            futures_util::future::join_all(processes.iter().zip(["left", "right"]).map(|(process, side)| {
                let admin = admin.clone();
                process.run(move |service| async move {
                    for number in 0..40 {
                        let new = new_key(&format!("{side} {number}"), &["read"]);
                        let render = |_: &IssuedKey| Answer::new(201, Vec::new());
                        let time = at(LONG_AGO + number * 100 * DAY);
                        service.create_key(ask(&admin, time), &new, render).await.unwrap();
                        if number % 4 == 0 {
                            service.prune_audit(time).await.unwrap();
                        }
                    }
                })
            }));
        let looking = async {
            let mut looks = 0;
            loop {
                let found = verified(&bench, "acme").await;
                assert_eq!(found.broken_at, None, "after {looks} looks: {found:?}");
                looks += 1;
                if database.count("api_keys").await == 82 {
                    return;
                }
            }
        };
        tokio::join!(changing, looking);
        bench.create(&admin, &new_key("last", &["read"]), START).await.unwrap();
        assert_eq!(verified(&bench, "acme").await.broken_at, None);
        assert_eq!(database.count("workspaces WHERE audit_pruned_seq > 0").await, 1, "some of it went");
    });
}
