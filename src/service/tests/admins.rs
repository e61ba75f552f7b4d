//! There is always somebody left who can manage keys.

use futures_util::future::join_all;

use super::*;
use crate::testing::{at, on_each_database};

/// Active keys that can manage keys.
async fn admins(bench: &Bench<'_>, now: i64) -> i64 {
    let now = at(now).as_microsecond();
    bench
        .database
        .count(&format!(
            "api_keys WHERE permissions LIKE '%admin:api!_keys%' ESCAPE '!' AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > {now})"
        ))
        .await
}

#[test]
fn the_last_admin_key_cannot_be_taken_away_in_any_way() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let id = first.key.id.as_str();
        // None of these can take its place: it may not manage, is revoked, or has ended.
        bench.create_caller(&admin, "reader", &["read"]).await;
        let (_, revoked) = bench.create_caller(&admin, "revoked", &[ADMIN]).await;
        bench.revoke(&admin, &revoked.id, at(1)).await.unwrap();
        bench.create(&admin, &ending("ended", &[ADMIN], 10), START).await.unwrap();
        let before = database.dump().await;

        let attempts = [
            outcome(bench.revoke(&admin, id, at(10)).await),
            outcome(bench.delete(&admin, id, at(10)).await),
            outcome(bench.edit(&admin, id, &permitted(&["read"]), at(10)).await),
            outcome(bench.edit(&admin, id, &ends(Some(at(20))), at(10)).await),
        ];
        assert_eq!(attempts, ["last_admin_key"; 4]);
        assert_eq!(database.dump().await, before, "nothing was written");

        // What takes nothing away passes; and so does everything as soon as there is another.
        bench.edit(&admin, id, &renamed("renamed"), at(11)).await.unwrap();
        bench.edit(&admin, id, &permitted(&[ADMIN]), at(11)).await.unwrap();
        bench.reactivate(&admin, &revoked.id, at(12)).await.unwrap();
        bench.delete(&admin, id, at(13)).await.unwrap();
        assert_eq!(admins(&bench, 13).await, 1);
    });
}

#[test]
fn the_end_of_the_last_admin_key_may_be_moved_later_but_not_earlier() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let second = bench.create(&admin, &ending("second", &[ADMIN], 1_000), START).await.unwrap();
        let caller = bench.caller(&second.plain, START).await;
        bench.revoke(&caller, first.key.id.as_str(), at(1)).await.unwrap();
        let moved = async |end| outcome(bench.edit(&caller, &second.id, &ends(end), at(2)).await);
        assert_eq!(moved(Some(at(999))).await, "last_admin_key");
        assert_eq!(moved(Some(at(1_000))).await, "done");
        assert_eq!(moved(Some(at(1_001))).await, "done");
        assert_eq!(moved(None).await, "done");
        assert_eq!(moved(Some(at(5_000))).await, "last_admin_key");
    });
}

#[test]
fn the_operator_is_exempt() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (_, first) = bench.workspace("acme").await;
        let operator = bench.operator("acme").await;
        let id = first.key.id.as_str();
        bench.edit(&operator, id, &ends(Some(at(50))), START).await.unwrap();
        bench.edit(&operator, id, &permitted(&["read"]), START).await.unwrap();
        bench.revoke(&operator, id, START).await.unwrap();
        bench.delete(&operator, id, START).await.unwrap();
        assert_eq!(database.count("api_keys").await, 0);
        let entries = database.rows("SELECT actor FROM audit_entries ORDER BY seq DESC LIMIT 1").await;
        assert_eq!(entries, ["actor=operator"]);
    });
}

#[test]
fn two_admins_who_revoke_each_other_at_once_leave_one() {
    on_each_database(async |database| {
        for way in ["revoke", "delete", "narrow"] {
            let bench = Bench::open(database).await;
            let (one, first) = bench.workspace(way).await;
            let (two, second) = bench.create_caller(&one, "second", &[ADMIN, "read"]).await;
            let before = admins(&bench, 1).await;
            let (first, second) = (first.key.id.as_str(), second.id.as_str());
            let attempts = (0..32).map(|turn| {
                let (caller, target) = if turn % 2 == 0 { (&one, second) } else { (&two, first) };
                let bench = &bench;
                async move {
                    match way {
                        "revoke" => bench.revoke(caller, target, at(1)).await,
                        "delete" => bench.delete(caller, target, at(1)).await,
                        _ => bench.edit(caller, target, &permitted(&["read"]), at(1)).await,
                    }
                }
            });
            let outcomes: Vec<String> = join_all(attempts).await.into_iter().map(outcome).collect();
            assert_eq!(admins(&bench, 1).await, before - 1, "{way}: {outcomes:?}");
            // Who was revoked, deleted or narrowed meanwhile is told so: the caller is looked at again under the lock.
            let known =
                ["done", "last_admin_key", "not_found", "revoked_key", "invalid_key", "insufficient_permissions"];
            assert!(outcomes.iter().all(|word| known.contains(&word.as_str())), "{way}: {outcomes:?}");
            assert!(outcomes.iter().any(|word| word != "done"), "{way}");
        }
    });
}
