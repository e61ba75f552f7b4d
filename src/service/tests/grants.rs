//! A key grants nothing that it does not hold itself.

use super::*;
use crate::testing::{at, on_each_database};

#[test]
fn only_keys_that_may_manage_keys_manage_them() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let (reader, _) = bench.create_caller(&admin, "reader", &["read"]).await;
        let (narrow, _) = bench.create_caller(&admin, "narrow", &["read:contacts", "write", "lexi"]).await;
        let id = first.key.id.as_str();
        let before = database.dump().await;
        for caller in [&reader, &narrow] {
            let new = new_key("mine", &["read:contacts"]);
            let attempts = [
                outcome(bench.create(caller, &new, START).await),
                outcome(bench.edit(caller, id, &renamed("x"), START).await),
                outcome(bench.revoke(caller, id, START).await),
                outcome(bench.reactivate(caller, id, START).await),
                outcome(bench.delete(caller, id, START).await),
                outcome(bench.service.lookup_key(caller, "x").await),
            ];
            assert_eq!(attempts, ["insufficient_permissions"; 6]);
        }
        let looked = async |caller| {
            let list = bench.service.list_keys(caller, &everything(), START).await;
            let show = bench.service.show_key(caller, id).await;
            [outcome(list), outcome(show)]
        };
        assert_eq!(looked(&reader).await, ["done"; 2]);
        assert_eq!(looked(&narrow).await, ["insufficient_permissions"; 2]);
        assert_eq!(database.dump().await, before);
    });
}

#[test]
fn what_is_granted_must_be_held_by_name_or_by_a_coarse_permission() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (first, _) = bench.workspace("acme").await;
        let (by_name, _) = bench.create_caller(&first, "by name", &[ADMIN, "read:contacts"]).await;
        let (coarse, _) = bench.create_caller(&first, "coarse", &[ADMIN, "read"]).await;
        let cases = [
            (&by_name, "read:contacts", "done"),
            (&by_name, ADMIN, "done"),
            (&by_name, "read:deals", "permission_not_held"),
            (&by_name, "read", "permission_not_held"),
            (&by_name, "write:contacts", "permission_not_held"),
            (&coarse, "read", "done"),
            (&coarse, "read:deals", "done"),
            (&coarse, "write:deals", "permission_not_held"),
            (&coarse, "write", "permission_not_held"),
            (&coarse, "lexi", "permission_not_held"),
            (&coarse, "admin:webhooks", "permission_not_held"),
        ];
        for (number, (caller, permission, expected)) in cases.into_iter().enumerate() {
            let new = new_key(&format!("key {number}"), &[ADMIN, permission]);
            let made = outcome(bench.create(caller, &new, START).await);
            assert_eq!(made, expected, "create {permission}");
            let (_, target) = bench.create_caller(&first, &format!("target {number}"), &["lexi"]).await;
            let change = permitted(&["lexi", ADMIN, permission]);
            let edited = outcome(bench.edit(caller, &target.id, &change, START).await);
            // What a key holds already is kept, not granted.
            let expected = if permission == "lexi" { "done" } else { expected };
            assert_eq!(edited, expected, "edit {permission}");
        }
    });
}

#[test]
fn what_may_not_be_granted_may_not_be_brought_back() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (first, _) = bench.workspace("acme").await;
        let (narrow, _) = bench.create_caller(&first, "narrow", &[ADMIN, "read"]).await;
        let (_, strong) = bench.create_caller(&first, "strong", &["write"]).await;
        let (_, weak) = bench.create_caller(&first, "weak", &["read:deals"]).await;
        for id in [&strong.id, &weak.id] {
            bench.revoke(&narrow, id, at(1)).await.unwrap();
        }
        let back = outcome(bench.reactivate(&narrow, &strong.id, at(2)).await);
        assert_eq!(back, "permission_not_held");
        bench.reactivate(&narrow, &weak.id, at(2)).await.unwrap();
        bench.reactivate(&first, &strong.id, at(2)).await.unwrap();
        // Nothing is brought back where nothing was off.
        bench.reactivate(&narrow, &strong.id, at(3)).await.unwrap();
    });
}

#[test]
fn an_expired_key_is_not_brought_back_by_whoever_could_not_grant_it() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (first, _) = bench.workspace("acme").await;
        let (narrow, _) = bench.create_caller(&first, "narrow", &[ADMIN, "read"]).await;
        let strong = bench.create(&first, &ending("strong", &["write"], 10), START).await.unwrap();
        let extended = bench.edit(&narrow, &strong.id, &ends(Some(at(1_000))), at(11)).await;
        assert_eq!(
            outcome(extended),
            "permission_not_held",
            "extending an expired key switches it on, as reactivating does"
        );
        assert_eq!(bench.refused(&strong.plain, at(12)).await, "invalid_key");
    });
}

#[test]
fn the_tier_unmetered_needs_a_plan_and_a_holder() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (first, _) = bench.workspace("acme").await;
        let (standard, _) = bench.create_caller(&first, "standard", &[ADMIN, "read"]).await;
        let operator = bench.operator("acme").await;
        let tiered = |name: &str, tier| NewKey { tier, ..new_key(name, &[ADMIN]) };
        let made = bench.create(&standard, &tiered("a", Tier::Unmetered), START).await;
        assert_eq!(outcome(made), "permission_not_held");
        let by_operator = bench.create(&operator, &tiered("b", Tier::Unmetered), START).await.unwrap();
        let unmetered = bench.caller(&by_operator.plain, START).await;
        bench.create(&unmetered, &tiered("c", Tier::Unmetered), START).await.unwrap();

        let target = bench.create(&standard, &tiered("d", Tier::Standard), START).await.unwrap();
        let raise = KeyChange { tier: Some(Tier::Unmetered), ..KeyChange::default() };
        let raised = bench.edit(&standard, &target.id, &raise, START).await;
        assert_eq!(outcome(raised), "permission_not_held");
        bench.edit(&unmetered, &target.id, &raise, START).await.unwrap();

        bench.revoke(&standard, &target.id, START).await.unwrap();
        let back = bench.reactivate(&standard, &target.id, START).await;
        assert_eq!(outcome(back), "permission_not_held");

        database.execute("UPDATE workspaces SET plan = 'pro'").await.unwrap();
        let operator = bench.operator("acme").await;
        let made = bench.create(&operator, &tiered("e", Tier::Unmetered), START).await;
        assert_eq!(outcome(made), "permission_not_held", "not on this plan");
    });
}

#[test]
fn the_tier_high_comes_with_every_plan() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (first, _) = bench.workspace("acme").await;
        let (standard, _) = bench.create_caller(&first, "standard", &[ADMIN, "read"]).await;
        let new = NewKey { tier: Tier::High, ..new_key("ci", &["read"]) };
        bench.create(&standard, &new, START).await.unwrap();
    });
}

#[test]
fn the_operator_grants_everything() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let operator = bench.operator("acme").await;
        let rules = Provider::Native.rules();
        let all: Vec<&str> = rules.permissions.entries.iter().map(|entry| entry.name).collect();
        let new = NewKey { tier: Tier::Unmetered, ..new_key("all", &all) };
        let made = bench.create(&operator, &new, START).await.unwrap();
        let stored = bench.show(&operator, &made.id).await;
        assert_eq!(stored.permissions, held(&all));
        assert_eq!(stored.created_by.as_deref(), Some("operator"));
    });
}
