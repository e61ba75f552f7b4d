//! What belongs to another workspace does not exist, and nothing touches it.

use super::*;
use crate::testing::{at, on_each_database};

/// All rows of one workspace, whatever table they are in.
async fn rows_of(database: &TestDatabase, workspace: &str) -> Vec<String> {
    let dump = database.dump().await;
    dump.into_iter().filter(|row| row.lines().any(|line| line.contains(workspace))).collect()
}

#[test]
fn a_foreign_key_is_as_unknown_as_none_and_stays_as_it_is() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (ours, _) = bench.workspace("ours").await;
        let (theirs, first) = bench.workspace("theirs").await;
        let (_, foreign) = bench.create_caller(&theirs, "ci", &["read"]).await;
        let off = bench.create(&theirs, &new_key("off", &["read"]), START).await.unwrap();
        bench.revoke(&theirs, &off.id, START).await.unwrap();
        let workspace = theirs.workspace().id.clone();
        let before = rows_of(database, &workspace).await;
        assert!(before.len() > 5, "{before:?}");

        for caller in [&ours, &bench.operator("ours").await] {
            for id in [first.key.id.as_str(), &foreign.id, &off.id, "key_none", "", "%", "' --"] {
                let attempts = [
                    outcome(bench.service.show_key(caller, id).await),
                    outcome(bench.edit(caller, id, &renamed("stolen"), at(1)).await),
                    outcome(bench.revoke(caller, id, at(1)).await),
                    outcome(bench.reactivate(caller, id, at(1)).await),
                    outcome(bench.delete(caller, id, at(1)).await),
                ];
                assert_eq!(attempts, ["not_found"; 5], "{id:?}");
            }
            let looked_up = bench.service.lookup_key(caller, &foreign.plain).await;
            assert_eq!(outcome(looked_up), "not_found");
        }
        assert_eq!(rows_of(database, &workspace).await, before);
    });
}

#[test]
fn work_in_one_workspace_changes_no_row_of_another() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (ours, _) = bench.workspace("ours").await;
        let (theirs, _) = bench.workspace("theirs").await;
        // The same names, one of them of a key that has ended: it is theirs to free.
        bench.create(&theirs, &ending("ci", &["read"], 10), START).await.unwrap();
        let kept = once("theirs", "");
        bench.create_once(&theirs, &new_key("kept", &["read"]), Some(&kept), START).await.unwrap();
        let workspace = theirs.workspace().id.clone();
        let before = rows_of(database, &workspace).await;

        let later = at(3 * DAY);
        let request = once("theirs", "");
        let answer = bench.create_once(&ours, &new_key("ci", &["read"]), Some(&request), later).await.unwrap();
        assert!(!answer.replayed, "another workspace's answer");
        let id = made(&answer).id;
        bench.edit(&ours, &id, &renamed("kept"), later).await.unwrap();
        bench.revoke(&ours, &id, later).await.unwrap();
        bench.reactivate(&ours, &id, later).await.unwrap();
        bench.delete(&ours, &id, later).await.unwrap();
        assert_eq!(rows_of(database, &workspace).await, before);

        let theirs_alone = bench.names(&theirs, &everything(), later).await;
        assert_eq!(theirs_alone, ["admin", "ci", "kept"]);
        assert_eq!(bench.names(&ours, &everything(), later).await, ["admin"]);
    });
}

#[test]
fn a_workspace_name_is_taken_once_and_opened_by_its_name() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        assert!(!bench.service.has_workspaces().await.unwrap());
        let (admin, _) = bench.workspace("acme").await;
        assert!(bench.service.has_workspaces().await.unwrap());
        let name = "acme".parse().unwrap();
        let again = bench.service.create_workspace(&new_workspace(&name), START).await;
        assert_eq!(outcome(again), "duplicate_name");
        let operator = bench.operator("acme").await;
        assert_eq!(operator.workspace().id, admin.workspace().id);
        assert_eq!(database.count("workspaces").await, 1);
    });
}
