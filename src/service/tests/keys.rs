//! A key's life: issued, let in, revoked, reactivated, expired; and who may have a name.

use futures_util::future::join_all;

use super::*;
use crate::model::state::State;
use crate::testing::{at, on_each_database};

#[test]
fn a_key_is_let_in_until_it_is_revoked_and_again_once_reactivated() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read:contacts"]), START).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(1)).await, "let in");

        bench.revoke(&admin, &key.id, at(2)).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(2)).await, "revoked_key");
        assert_eq!(bench.show(&admin, &key.id).await.revoked_at, Some(at(2)));

        bench.revoke(&admin, &key.id, at(3)).await.unwrap();
        let first = bench.show(&admin, &key.id).await.revoked_at;
        assert_eq!(first, Some(at(2)), "revoked again stays as it was");

        bench.reactivate(&admin, &key.id, at(4)).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(4)).await, "let in");
        assert_eq!(bench.show(&admin, &key.id).await.revoked_at, None);

        bench.delete(&admin, &key.id, at(5)).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(5)).await, "invalid_key");
        let gone = bench.service.show_key(&admin, &key.id).await;
        assert_eq!(outcome(gone), "not_found");
    });
}

#[test]
fn whatever_is_no_key_is_not_let_in() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (_, first) = bench.workspace("acme").await;
        let plain = first.plain.expose();
        assert_eq!(bench.refused(plain, START).await, "let in");
        let hash = hashed(plain);
        let (upper, short, long) = (plain.to_uppercase(), &plain[..plain.len() - 1], format!("{plain} "));
        for wrong in ["", "wbk_", "' OR 1=1 --", "\0", "ключ", &hash, &upper, short, &long] {
            assert_eq!(bench.refused(wrong, START).await, "invalid_key", "{wrong:?}");
        }
    });
}

#[test]
fn a_key_ends_at_the_very_instant_of_its_expiry() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &ending("ci", &["read:deals"], 100), START).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(99)).await, "let in");
        assert_eq!(bench.refused(&key.plain, at(100)).await, "invalid_key");
        // Unlike a revocation, an expiry is not told to whoever presents the key.
        bench.revoke(&admin, &key.id, at(101)).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(101)).await, "revoked_key");
        bench.reactivate(&admin, &key.id, at(102)).await.unwrap();
        assert_eq!(bench.refused(&key.plain, at(102)).await, "invalid_key");
    });
}

#[test]
fn an_end_that_is_not_in_the_future_is_refused() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        for end in [-1, 0] {
            let made = bench.create(&admin, &ending("ci", &["read"], end), START).await;
            assert_eq!(outcome(made), "validation_error", "{end}");
        }
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        for end in [-1, 0] {
            let edited = bench.edit(&admin, &key.id, &ends(Some(at(end))), START).await;
            assert_eq!(outcome(edited), "validation_error", "{end}");
        }
        assert_eq!(bench.show(&admin, &key.id).await.expires_at, None);
    });
}

#[test]
fn a_temporary_key_ends_by_itself_after_an_hour() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let new = NewKey { temporary: true, ..new_key("playground", &["read"]) };
        let key = bench.create(&admin, &new, START).await.unwrap();
        let stored = bench.show(&admin, &key.id).await;
        assert!(stored.temporary);
        assert_eq!(stored.expires_at, Some(at(3_600)));
        assert_eq!(bench.refused(&key.plain, at(3_599)).await, "let in");
        assert_eq!(bench.refused(&key.plain, at(3_600)).await, "invalid_key");
    });
}

#[test]
fn a_name_is_unique_among_active_keys_and_free_once_its_key_is_not_active() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let new = new_key("ci", &["read"]);
        let first = bench.create(&admin, &ending("ci", &["read"], 100), START).await.unwrap();
        let taken = bench.create(&admin, &new, at(99)).await;
        assert_eq!(outcome(taken), "duplicate_name");

        let after_expiry = bench.create(&admin, &new, at(100)).await.unwrap();
        bench.revoke(&admin, &after_expiry.id, at(101)).await.unwrap();
        let after_revoke = bench.create(&admin, &new, at(102)).await.unwrap();
        bench.delete(&admin, &after_revoke.id, at(103)).await.unwrap();
        let after_delete = bench.create(&admin, &new, at(104)).await.unwrap();

        bench.edit(&admin, &after_delete.id, &renamed("other"), at(105)).await.unwrap();
        let after_rename = bench.create(&admin, &new, at(106)).await.unwrap();
        let ids = [&first.id, &after_expiry.id, &after_rename.id];
        let (keys, total) = bench.service.list_keys(&admin, &everything(), at(107)).await.unwrap();
        assert_eq!(total, 5, "the admin, three called ci, one renamed");
        let called: Vec<_> = keys.iter().filter(|key| key.name == "ci").collect();
        assert!(called.iter().all(|key| ids.contains(&&key.id.as_str().to_owned())));
        let active = called.iter().filter(|key| key.state(at(107)) == State::Active);
        assert_eq!(active.count(), 1);
    });
}

#[test]
fn a_name_claimed_meanwhile_is_not_claimed_back() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let revoked = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        bench.revoke(&admin, &revoked.id, START).await.unwrap();
        let expired = bench.create(&admin, &ending("ci", &["read"], 10), START).await.unwrap();
        let holder = bench.create(&admin, &new_key("ci", &["read"]), at(10)).await.unwrap();
        let other = bench.create(&admin, &new_key("other", &["read"]), at(10)).await.unwrap();
        let before = database.dump().await;

        let reactivated = bench.reactivate(&admin, &revoked.id, at(11)).await;
        assert_eq!(outcome(reactivated), "duplicate_name");
        for end in [Some(at(100)), None] {
            let extended = bench.edit(&admin, &expired.id, &ends(end), at(11)).await;
            assert_eq!(outcome(extended), "duplicate_name", "{end:?}");
        }
        let renamed_to_it = bench.edit(&admin, &other.id, &renamed("ci"), at(11)).await;
        assert_eq!(outcome(renamed_to_it), "duplicate_name");
        assert_eq!(database.dump().await, before, "nothing was written");

        // A key that is not active claims no name, and the holder's own name is no conflict for it.
        bench.edit(&admin, &expired.id, &renamed("other"), at(11)).await.unwrap();
        bench.edit(&admin, &holder.id, &renamed("ci"), at(11)).await.unwrap();
        bench.delete(&admin, &holder.id, at(12)).await.unwrap();
        bench.reactivate(&admin, &revoked.id, at(12)).await.unwrap();
        let again = bench.create(&admin, &new_key("ci", &["read"]), at(12)).await;
        assert_eq!(outcome(again), "duplicate_name");
    });
}

#[test]
fn of_many_who_want_a_name_at_once_one_gets_it() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let new = new_key("ci", &["read"]);
        let attempts = (0..16).map(|_| bench.create(&admin, &new, START));
        let mut outcomes: Vec<String> = join_all(attempts).await.into_iter().map(outcome).collect();
        outcomes.sort();
        assert_eq!(outcomes.remove(0), "done");
        assert_eq!(outcomes, ["duplicate_name"; 15]);
        assert_eq!(database.count("api_keys WHERE name = 'ci'").await, 1);
        assert_eq!(database.count("audit_entries").await, 2);
    });
}

#[test]
fn what_a_key_may_not_be_is_refused_by_field() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let before = database.dump().await;
        let long = "é".repeat(121);
        let refused = [
            new_key(&long, &["read"]),
            new_key("ci", &[]),
            new_key("ci", &["read:everything"]),
            NewKey { description: Some("d".repeat(501)), ..new_key("ci", &["read"]) },
            NewKey { description: Some("\u{1b}[31m".to_owned()), ..new_key("ci", &["read"]) },
        ];
        for new in refused {
            let made = bench.create(&admin, &new, START).await;
            assert_eq!(outcome(made), "validation_error", "{new:?}");
        }
        assert_eq!(database.dump().await, before);
        let longest = new_key(&"é".repeat(120), &["read"]);
        bench.create(&admin, &longest, START).await.unwrap();
    });
}

#[test]
fn looking_a_plaintext_up_finds_its_key_in_any_state() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &ending("ci", &["read"], 10), START).await.unwrap();
        let name = async || {
            let found = bench.service.lookup_key(&admin, &key.plain).await;
            found.map(|key| key.name).unwrap()
        };
        assert_eq!(name().await, "ci");
        bench.revoke(&admin, &key.id, at(11)).await.unwrap();
        assert_eq!(name().await, "ci");
        let unknown = bench.service.lookup_key(&admin, &hashed(&key.plain)).await;
        assert_eq!(outcome(unknown), "not_found");
        bench.delete(&admin, &key.id, at(12)).await.unwrap();
        let deleted = bench.service.lookup_key(&admin, &key.plain).await;
        assert_eq!(outcome(deleted), "not_found");
    });
}
