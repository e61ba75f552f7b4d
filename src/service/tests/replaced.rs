//! A key and the successor that takes over its name: both work until the old one is retired, and one claims the name.

use super::*;
use crate::testing::{at, on_each_database};

fn successor(of: &Made, name: &str, permissions: &[&str]) -> NewKey {
    NewKey { replaces: Some(KeyId::new(&of.id)), ..new_key(name, permissions) }
}

fn ends(second: i64) -> KeyChange {
    KeyChange { expires_at: Some(Setting::To(at(second))), ..KeyChange::default() }
}

#[test]
fn a_successor_takes_the_name_over_and_both_keys_work() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let old = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let taken = bench.create(&admin, &new_key("ci", &["read"]), at(1)).await;
        assert_eq!(outcome(taken), "duplicate_name");

        let new = bench.create(&admin, &successor(&old, "ci", &["read"]), at(1)).await.unwrap();
        assert_eq!(bench.refused(&old.plain, at(2)).await, "let in");
        assert_eq!(bench.refused(&new.plain, at(2)).await, "let in");
        assert!(bench.show(&admin, &old.id).await.replaced);
        assert!(!bench.show(&admin, &new.id).await.replaced);
        let again = bench.create(&admin, &successor(&old, "ci", &["read"]), at(2)).await;
        assert_eq!(outcome(again), "duplicate_name", "the name is the successor's now");
        let entries = database.rows("SELECT details FROM audit_entries WHERE action = 'api_key.create'").await;
        let said = entries.iter().filter(|entry| entry.contains(&format!("\"replaces\":\"{}\"", old.id)));
        assert_eq!(said.count(), 1);

        // The end of the old one can be set, which does not ask for its name back.
        bench.edit(&admin, &old.id, &ends(100), at(3)).await.unwrap();
        assert!(bench.show(&admin, &old.id).await.replaced);
        assert_eq!(bench.refused(&old.plain, at(100)).await, "invalid_key");
        let longer = bench.edit(&admin, &old.id, &ends(300), at(200)).await;
        assert_eq!(outcome(longer), "duplicate_name", "a key that had ended asks for its name anew");
    });
}

#[test]
fn a_successor_that_goes_hands_the_name_back() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let old = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        for goes in ["revoked", "deleted", "renamed"] {
            let new = bench.create(&admin, &successor(&old, "ci", &["read"]), at(1)).await.unwrap();
            match goes {
                "revoked" => drop(bench.revoke(&admin, &new.id, at(2)).await.unwrap()),
                "deleted" => drop(bench.delete(&admin, &new.id, at(2)).await.unwrap()),
                _ => {
                    let change = KeyChange { name: Some("other".parse().unwrap()), ..KeyChange::default() };
                    bench.edit(&admin, &new.id, &change, at(2)).await.unwrap();
                }
            }
            assert!(!bench.show(&admin, &old.id).await.replaced, "{goes}");
            let taken = bench.create(&admin, &new_key("ci", &["read"]), at(3)).await;
            assert_eq!(outcome(taken), "duplicate_name", "{goes}");
        }
        // A retired predecessor hands nothing back, and cannot come back under a name that is not its own any longer.
        let new = bench.create(&admin, &successor(&old, "ci", &["read"]), at(4)).await.unwrap();
        bench.revoke(&admin, &old.id, at(5)).await.unwrap();
        assert!(!bench.show(&admin, &new.id).await.replaced);
        assert_eq!(outcome(bench.reactivate(&admin, &old.id, at(6)).await), "duplicate_name");
    });
}

#[test]
fn nobody_replaces_what_is_not_there_or_grants_more_than_they_hold() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let (foreign, _) = bench.workspace("globex").await;
        let strong = bench.create(&admin, &new_key("strong", &["read", "write"]), START).await.unwrap();
        let (weak, _) = bench.create_caller(&admin, "weak", &[ADMIN, "read"]).await;
        let beyond = bench.create(&weak, &successor(&strong, "strong", &["read", "write"]), at(1)).await;
        assert_eq!(outcome(beyond), "permission_not_held");
        let elsewhere = bench.create(&foreign, &successor(&strong, "strong", &["read"]), at(1)).await;
        assert_eq!(outcome(elsewhere), "not_found");
        let absent = Made { id: "key_\0".to_owned(), ..strong.clone() };
        assert_eq!(outcome(bench.create(&admin, &successor(&absent, "x", &["read"]), at(1)).await), "not_found");
        assert!(!bench.show(&admin, &strong.id).await.replaced, "a refusal takes nothing");
        // Under another name nothing is taken over.
        bench.create(&admin, &successor(&strong, "stronger", &["read"]), at(2)).await.unwrap();
        assert!(!bench.show(&admin, &strong.id).await.replaced);
    });
}
