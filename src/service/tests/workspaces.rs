//! What whoever holds the database does to workspaces; and that no workspace sees or spends what is another's.

use super::audit::assert_chain;
use super::*;
use crate::model::credits::{CreditKind, NewGrant};
use crate::model::record::Record;
use crate::service::{AuditQuery, Collection, Role};
use crate::testing::{at, on_each_database};

const STARTER: Agreement =
    Agreement { plan: Plan::Starter, daily_limit: None, minute_limit: None, monthly_credits: None };

fn page() -> AuditQuery {
    AuditQuery { page: 1, per_page: 200, ..AuditQuery::default() }
}

/// What the log says was done, the oldest first: the action, and who did it.
async fn log(bench: &Bench<'_>, caller: &Caller) -> Vec<String> {
    let (entries, total) = bench.service.audit_log(caller, &page()).await.unwrap();
    assert_eq!(usize::try_from(total).unwrap(), entries.len());
    entries.iter().rev().map(|entry| format!("{} by {}", entry.action, entry.actor)).collect()
}

#[test]
fn a_plan_has_its_figures_and_only_an_enterprise_its_own() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        for (plan, figures) in [
            (Plan::Starter, (100, 10)),
            (Plan::Pro, (1_000, 50)),
            (Plan::Org, (10_000, 200)),
            (Plan::Enterprise, (100_000, 1_000)),
        ] {
            let (caller, _) = bench.agreed(plan.as_str(), Agreement { plan, ..STARTER }).await;
            let limits = caller.workspace().limits();
            assert_eq!((limits.per_day, limits.per_minute), figures);
            assert_eq!(caller.workspace().monthly_credits, 1_000);
            for (field, agreement) in [
                ("per_day", Agreement { daily_limit: Some(5), plan, ..STARTER }),
                ("per_minute", Agreement { minute_limit: Some(5), plan, ..STARTER }),
            ] {
                let set = bench.service.set_plan(plan.as_str(), agreement, at(1)).await;
                match set {
                    Ok(_) => assert_eq!(plan, Plan::Enterprise),
                    Err(refusal) => assert!(refusal.to_string().starts_with(field), "{refusal}"),
                }
            }
            for agreement in [
                Agreement { daily_limit: Some(-1), plan: Plan::Enterprise, ..STARTER },
                Agreement { minute_limit: Some(-1), plan: Plan::Enterprise, ..STARTER },
                Agreement { monthly_credits: Some(-1), plan, ..STARTER },
            ] {
                let refused = bench.service.set_plan(plan.as_str(), agreement, at(1)).await;
                assert_eq!(outcome(refused), "validation_error");
            }
        }
        let unknown = bench.service.set_plan("nobody", STARTER, START).await;
        assert_eq!(outcome(unknown), "not_found");
    });
}

#[test]
fn what_an_operator_does_is_told_of_once() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let service = &bench.service;
        for _ in 0..2 {
            service.set_plan("acme", Agreement { plan: Plan::Pro, ..STARTER }, at(1)).await.unwrap();
        }
        assert_eq!(
            [
                service.set_feature("acme", "beta", true, at(2)).await.unwrap(),
                service.set_feature("acme", "beta", true, at(2)).await.unwrap(),
                service.set_feature("acme", "beta", false, at(2)).await.unwrap(),
                service.set_feature("acme", "beta", false, at(2)).await.unwrap(),
            ],
            [true, false, true, false]
        );
        service.set_feature("acme", "gamma", true, at(2)).await.unwrap();
        let grant = NewGrant { kind: CreditKind::Purchased, amount: 5, note: None, expires_at: None };
        service.grant_credits("acme", grant, at(3)).await.unwrap();
        service.add_member("acme", &"Ada".parse().unwrap(), Role::Support, at(4)).await.unwrap();
        assert_eq!(
            log(&bench, &admin).await,
            [
                "api_key.create by operator",
                "workspace.set_plan by operator",
                "workspace.set_feature by operator",
                "workspace.set_feature by operator",
                "workspace.set_feature by operator",
                "credits.grant by operator",
                "api_key.create by operator",
                "member.add by operator",
            ]
        );
        let [workspace] = &service.workspaces().await.unwrap()[..] else { panic!("one workspace") };
        assert_eq!((workspace.plan, &workspace.features), (Plan::Pro, &["gamma".to_owned()].into()));
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn a_member_may_do_what_the_role_says_until_the_credential_ends() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        for (role, manages, looks) in
            [(Role::Admin, true, true), (Role::Developer, true, true), (Role::Support, false, true)]
        {
            let name = format!("a person with the role {}", role.as_str());
            let issued = bench.service.add_member("acme", &name.parse().unwrap(), role, at(1)).await.unwrap();
            let member = bench.caller(issued.plain.expose(), at(2)).await;
            let created = bench.create(&member, &new_key(&format!("by {name}"), &["read"]), at(2)).await;
            assert_eq!(created.is_ok(), manages, "{name}");
            assert_eq!(bench.service.list_keys(&member, &everything(), at(2)).await.is_ok(), looks, "{name}");
        }
        let members = bench.service.members("acme", at(3)).await.unwrap();
        let roles: Vec<_> = members.iter().map(|member| (member.key.name.as_str(), member.role.as_str())).collect();
        assert_eq!(
            roles,
            [
                ("a person with the role admin", "admin"),
                ("a person with the role developer", "developer"),
                ("a person with the role support", "support")
            ]
        );
        bench.revoke(&admin, members[2].key.id.as_str(), at(4)).await.unwrap();
        assert_eq!(bench.service.members("acme", at(5)).await.unwrap().len(), 2);
        let again = bench.service.add_member("acme", &"admin".parse().unwrap(), Role::Support, at(5)).await;
        assert_eq!(outcome(again), "duplicate_name");
    });
}

#[test]
fn an_admin_is_recovered_where_there_is_none_and_replaced_only_when_asked() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let refused = bench.service.recover_admin("acme", false, at(1)).await;
        assert_eq!(outcome(refused), "has_admin_key");
        bench.edit(&bench.operator("acme").await, first.key.id.as_str(), &ends(Some(at(10))), at(1)).await.unwrap();
        assert_eq!(outcome(bench.service.recover_admin("acme", false, at(9)).await), "has_admin_key");
        let (issued, revoked) = bench.service.recover_admin("acme", false, at(10)).await.unwrap();
        assert!(revoked.is_empty());
        assert_eq!(outcome(bench.service.recover_admin("acme", false, at(11)).await), "has_admin_key");
        let (second, revoked) = bench.service.recover_admin("acme", true, at(12)).await.unwrap();
        assert_eq!(revoked, [issued.key.name.as_str()]);
        assert_eq!(bench.refused(issued.plain.expose(), at(13)).await, "revoked_key");
        let caller = bench.caller(second.plain.expose(), at(13)).await;
        let log = log(&bench, &caller).await;
        assert_eq!(
            log[log.len() - 3..],
            ["api_key.revoke", "api_key.create", "admin.recover"].map(|action| format!("{action} by operator"))
        );
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn nothing_of_one_workspace_is_seen_or_spent_by_another() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let service = &bench.service;
        let small = agreement(3, 3, 3);
        let ((ours, _), (theirs, _)) = (bench.agreed("ours", small).await, bench.agreed("theirs", small).await);
        let (_, our_key) = bench.create_caller(&ours, "ci", &["read", "write"]).await;
        let (_, their_key) = bench.create_caller(&theirs, "ci", &["read", "write"]).await;
        for said in ["done", "done", "done", "rate_limited"] {
            assert_eq!(call(service, &our_key.plain, START).await, said);
        }
        let content = serde_json::Map::from_iter([("name".to_owned(), "Ada".into())]);
        let record = add(service, &ours, &content).await;
        service.set_feature("ours", "beta", true, at(1)).await.unwrap();
        service.add_member("ours", &"Ada".parse().unwrap(), Role::Support, at(1)).await.unwrap();

        let told = service.usage(&theirs, None, 30, at(2)).await.unwrap();
        assert_eq!((told.today.calls, told.keys.len(), told.endpoints.len()), (0, 0, 0));
        assert_eq!((told.per_day.remaining, told.per_minute.unwrap().remaining), (3, 3));
        assert_eq!(outcome(service.usage(&theirs, Some(&our_key.id), 30, at(2)).await), "not_found");
        assert_eq!(service.credits(&theirs, at(2)).await.unwrap().balance, 3);
        assert_eq!(service.credits(&ours, at(2)).await.unwrap().balance, 0);
        let (entries, total) = service.audit_log(&theirs, &page()).await.unwrap();
        assert_eq!(total, 3, "{entries:?}");
        for query in [
            AuditQuery { resource: Some(our_key.id.clone()), ..page() },
            AuditQuery { actor: Some(ours.actor().0.to_owned()), ..page() },
        ] {
            assert_eq!(service.audit_log(&theirs, &query).await.unwrap().1, 0);
        }
        let workspace = &theirs.workspace().id;
        assert_eq!(service.list_records(workspace, Collection::Contacts, 1, 100).await.unwrap().1, 0);
        let of_theirs = Ask { caller: &theirs, once: None, now: at(2) };
        let stolen = service.change_record(of_theirs, (Collection::Contacts, &record), &content, shown).await;
        assert_eq!(outcome(stolen), "not_found");
        let of_ours = Ask { caller: &ours, once: None, now: at(2) };
        let elsewhere = service.change_record(of_ours, (Collection::Tasks, &record), &content, shown).await;
        assert_eq!(outcome(elsewhere), "not_found", "another collection");
        assert_eq!(service.members("theirs", at(2)).await.unwrap().len(), 0);
        let named = service.workspaces().await.unwrap();
        assert!(named.iter().find(|workspace| workspace.name == "theirs").unwrap().features.is_empty());
        for said in ["done", "done", "done", "rate_limited"] {
            assert_eq!(call(service, &their_key.plain, at(3)).await, said);
        }
    });
}

#[test]
fn two_changes_of_one_object_at_once_are_both_kept() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let workspace = &admin.workspace().id;
        let empty = serde_json::Map::new();
        let record = add(&bench.service, &admin, &empty).await;
        let other = database.open().await;
        let changes = (0..12).map(|number| {
            let service = if number % 2 == 0 { &bench.service } else { &other };
            let (id, caller) = (&record, &admin);
            let field = serde_json::Map::from_iter([(format!("field {number}"), number.into())]);
            let ask = Ask { caller, once: None, now: at(1) };
            async move { service.change_record(ask, (Collection::Contacts, id), &field, shown).await.unwrap() }
        });
        futures_util::future::join_all(changes).await;
        let (records, total) = bench.service.list_records(workspace, Collection::Contacts, 1, 10).await.unwrap();
        assert_eq!((total, records[0].content.len()), (1, 12));
    });
}

/// The id of a contact that is added.
async fn add(service: &Service, caller: &Caller, content: &serde_json::Map<String, serde_json::Value>) -> String {
    let ask = Ask { caller, once: None, now: at(1) };
    let answer = service.add_record(ask, Collection::Contacts, content, shown).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

fn shown(record: &Record) -> Answer {
    Answer::new(200, record.id.clone().into_bytes())
}

#[test]
fn an_object_that_is_sent_again_is_added_once() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let (other, _) = bench.create_caller(&admin, "other", &["write:contacts"]).await;
        let name = |name: &str| serde_json::Map::from_iter([("name".to_owned(), name.into())]);
        let once = |body: &str| Once {
            key: "k1".to_owned(),
            method: "POST".to_owned(),
            route: "/v1/contacts".to_owned(),
            body: body.as_bytes().to_vec(),
        };
        let add = async |caller: &Caller, once: &Once, content: &str, second: i64| {
            let ask = Ask { caller, once: Some(once), now: at(second) };
            bench.service.add_record(ask, Collection::Contacts, &name(content), shown).await
        };
        let (ada, bob) = (once("Ada"), once("Bob"));
        let first = add(&admin, &ada, "Ada", 1).await.unwrap();
        let again = add(&admin, &ada, "Ada", 2).await.unwrap();
        assert_eq!((first.replayed, again.replayed, &first.body), (false, true, &again.body));
        assert_eq!(outcome(add(&admin, &bob, "Bob", 3).await), "idempotency_conflict");
        // Another key of the workspace has Idempotency-Keys of its own.
        assert!(!add(&other, &ada, "Ada", 4).await.unwrap().replayed);
        // After a day it is a request like any other.
        assert!(!add(&admin, &ada, "Ada", 100_000).await.unwrap().replayed);
        let workspace = &admin.workspace().id;
        assert_eq!(bench.service.list_records(workspace, Collection::Contacts, 1, 10).await.unwrap().1, 3);
    });
}
