//! The audit log is not changed, and whoever gets around what refuses it does not do so unseen.

use super::audit::{assert_chain, expected_hash};
use super::processes::Process;
use super::*;
use crate::model::audit::AuditEntry;
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
    let mut found = bench.service.verify_audit(Some(name)).await.unwrap();
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
        let all = bench.service.verify_audit(None).await.unwrap();
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
        for kept in [[1_u64, 2, 1], [1, 2, 1]] {
            bench.service.prune_audit(system::now()).await.unwrap();
            for (name, kept) in ["old", "both", "new"].into_iter().zip(kept) {
                let found = verified(&bench, name).await;
                assert_eq!((found.entries, found.broken_at), (kept, None), "{name}");
            }
        }
        for caller in [&old, &both] {
            bench.create(caller, &new_key("later", &["read"]), system::now()).await.unwrap();
        }
        assert_eq!(verified(&bench, "old").await.entries, 2);
        bench.service.prune_audit(system::now()).await.unwrap();
        let found = verified(&bench, "old").await;
        assert_eq!((found.entries, found.broken_at), (1, None), "the old one was kept while it was the newest");
        // A clock that runs ahead removes nothing: the database's own decides.
        let ahead = system::now() + jiff::SignedDuration::from_hours(24 * (KEPT_DAYS + 10));
        assert!(bench.service.prune_audit(ahead).await.is_err());
        assert_eq!(verified(&bench, "both").await, Verified { broken_at: None, ..verified(&bench, "both").await });
        assert_eq!(verified(&bench, "both").await.entries, 3);
        disarm(database).await;
        let first =
            format!("DELETE FROM audit_entries WHERE workspace_id = '{}' AND action <> ''", both.workspace().id);
        database.execute(&format!("{first} AND seq < (SELECT MAX(seq) FROM audit_entries)")).await.unwrap();
        assert!(verified(&bench, "both").await.broken_at.is_some(), "what went with the checkpoint left as it was");
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
                        service.create_key(ask(&admin, at(LONG_AGO + number)), &new, render).await.unwrap();
                        if number % 4 == 0 {
                            service.prune_audit(system::now()).await.unwrap();
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
    });
}

#[test]
fn a_log_is_read_by_page_and_by_what_one_looks_for() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let mut ids = Vec::new();
        for second in 0..5 {
            let key =
                bench.create(&admin, &new_key(&format!("key {second}"), &["read"]), at(10 * second)).await.unwrap();
            ids.push(key.id);
        }
        bench.revoke(&admin, &ids[0], at(100)).await.unwrap();
        bench.delete(&admin, &ids[0], at(110)).await.unwrap();
        let total = async |query: crate::service::AuditQuery| {
            let (entries, total) = bench.service.audit_log(&admin, &query).await.unwrap();
            let number = |entry: &AuditEntry| entry.id.strip_prefix("log_").unwrap().parse::<i64>().unwrap();
            assert!(entries.is_sorted_by_key(|entry| -number(entry)), "newest first");
            (entries.len(), total)
        };
        let page = |page, per_page| crate::service::AuditQuery { page, per_page, ..Default::default() };
        assert_eq!(total(page(1, 200)).await, (8, 8));
        assert_eq!(
            [total(page(1, 3)).await, total(page(3, 3)).await, total(page(4, 3)).await],
            [(3, 8), (2, 8), (0, 8)]
        );
        let look = |change: &dyn Fn(&mut crate::service::AuditQuery)| {
            let mut query = page(1, 200);
            change(&mut query);
            query
        };
        for (query, found) in [
            (look(&|query| query.action = Some("create".to_owned())), 6),
            (look(&|query| query.action = Some("api_key.create".to_owned())), 6),
            (look(&|query| query.action = Some("api_key.".to_owned())), 0),
            (look(&|query| query.action = Some("%".to_owned())), 0),
            (look(&|query| query.action = Some("crea_e".to_owned())), 0),
            (look(&|query| query.action = Some("revoke".to_owned())), 1),
            (look(&|query| query.action = Some("revoke\0".to_owned())), 0),
            (look(&|query| query.resource = Some(ids[0].clone())), 3),
            (look(&|query| query.actor = Some("operator".to_owned())), 1),
            (look(&|query| query.actor = Some(first.key.id.to_string())), 7),
            (look(&|query| query.from = Some(at(10))), 6),
            (look(&|query| query.to = Some(at(10))), 3),
            (look(&|query| (query.from, query.to) = (Some(at(10)), Some(at(10)))), 1),
        ] {
            assert_eq!(total(query.clone()).await.1, found, "{query:?}");
        }
        let wrong = look(&|query| (query.from, query.to) = (Some(at(11)), Some(at(10))));
        assert_eq!(outcome(bench.service.audit_log(&admin, &wrong).await), "invalid_date_range");
        let (entries, _) = bench.service.audit_log(&admin, &page(1, 200)).await.unwrap();
        let number: i64 = entries[2].id.strip_prefix("log_").unwrap().parse().unwrap();
        assert_eq!(total(look(&|query| query.after = Some(number))).await.1, 2);
        let (_, narrow) = bench.create_caller(&admin, "narrow", &["read:contacts"]).await;
        let narrow = bench.caller(&narrow.plain, START).await;
        assert_eq!(outcome(bench.service.audit_log(&narrow, &page(1, 1)).await), "insufficient_permissions");
        assert_chain(database, &admin.workspace().id).await;
    });
}
