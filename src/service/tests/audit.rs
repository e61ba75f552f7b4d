//! Each change has its entry, in the same transaction, linked to the one before.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::model::audit::AuditEntry;
use crate::testing::{at, on_each_database};

/// One entry, read around the engine.
#[derive(Debug)]
struct Entry {
    workspace: String,
    seq: i64,
    at: i64,
    texts: [String; 5],
    previous: String,
    hash: String,
}

impl Entry {
    fn action(&self) -> &str {
        &self.texts[2]
    }

    fn details(&self) -> Value {
        serde_json::from_str(&self.texts[4]).unwrap()
    }

    fn expected_hash(&self) -> String {
        let texts = self.texts.each_ref().map(String::as_str);
        expected_hash(&self.previous, self.seq, self.at, &self.workspace, texts)
    }
}

/// SHA-256 over the previous hash, the number, the time, and every text with its length in front.
pub(super) fn expected_hash(previous: &str, seq: i64, at: i64, workspace: &str, texts: [&str; 5]) -> String {
    let mut bytes = previous.to_owned().into_bytes();
    bytes.extend(seq.to_be_bytes());
    bytes.extend(at.to_be_bytes());
    for text in std::iter::once(workspace).chain(texts) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.bytes());
    }
    let digest = Sha256::digest(&bytes);
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

async fn entries(database: &TestDatabase, workspace: &str) -> Vec<Entry> {
    let rows = sqlx::query("SELECT * FROM audit_entries WHERE workspace_id = $1 ORDER BY seq")
        .bind(workspace)
        .fetch_all(&database.raw)
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            use sqlx::Row;
            let text = |column: &str| row.get::<String, _>(column);
            Entry {
                workspace: text("workspace_id"),
                seq: row.get("seq"),
                at: row.get("at"),
                texts: ["actor", "actor_name", "action", "resource_id", "details"].map(text),
                previous: text("previous_hash"),
                hash: text("hash"),
            }
        })
        .collect()
}

/// Links, numbers and the workspace's head, all recomputed.
pub(super) async fn assert_chain(database: &TestDatabase, workspace: &str) -> usize {
    let entries = entries(database, workspace).await;
    let mut head = String::new();
    let mut number = 0;
    for entry in &entries {
        assert_eq!(entry.previous, head, "{entry:?}");
        assert_eq!(entry.hash, entry.expected_hash(), "{entry:?}");
        assert!(entry.seq > number, "{entry:?}");
        (head, number) = (entry.hash.clone(), entry.seq);
    }
    let stored = database.rows(&format!("SELECT audit_head FROM workspaces WHERE id = '{workspace}'")).await;
    assert_eq!(stored, [format!("audit_head={head}")]);
    entries.len()
}

/// Old and new values of the changes that [`each_change_has_one_entry_that_says_who_did_what`] makes.
fn assert_details(ours: &[Entry]) {
    let created = &ours[0].details()["created"];
    assert_eq!(created["name"], "ci");
    assert_eq!(created["permissions"], json!(["read"]));
    assert_eq!(created["expires_at"], at(1_000).to_string());
    assert_eq!(
        ours[1].details(),
        json!({
            "permissions": { "old": ["read"], "new": ["read:deals"] },
            "description": { "old": null, "new": "nightly" },
        })
    );
    assert_eq!(
        ours[2].details(),
        json!({
            "revoked_at": { "old": null, "new": at(3).to_string() },
            "revoked_reason": { "old": null, "new": "leaked" },
        })
    );
    assert_eq!(ours[3].details()["revoked_reason"], json!({ "old": "leaked", "new": null }));
    assert_eq!(ours[4].details()["deleted"]["description"], "nightly");
}

#[test]
fn each_change_has_one_entry_that_says_who_did_what() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let made = bench.create(&admin, &ending("ci", &["read"], 1_000), at(1)).await.unwrap();
        let change = KeyChange { description: Some(Setting::To("nightly".to_owned())), ..permitted(&["read:deals"]) };
        bench.edit(&admin, &made.id, &change, at(2)).await.unwrap();
        let reason = Some("leaked");
        bench.service.revoke_key(ask(&admin, at(3)), &made.id, reason, named).await.unwrap();
        bench.reactivate(&admin, &made.id, at(4)).await.unwrap();
        bench.delete(&admin, &made.id, at(5)).await.unwrap();

        let entries = entries(database, &admin.workspace().id).await;
        let actions: Vec<_> = entries.iter().map(Entry::action).collect();
        let expected = ["create", "create", "update", "revoke", "reactivate", "delete"];
        assert_eq!(actions, expected.map(|action| format!("api_key.{action}")));
        let (bootstrap, ours) = entries.split_first().unwrap();
        assert_eq!(bootstrap.texts[..2], ["operator", "operator"]);
        for (second, entry) in (1..).zip(ours) {
            assert_eq!(entry.at, at(second).as_microsecond());
            let texts = [first.key.id.as_str(), "admin", entry.action(), &made.id];
            assert_eq!(entry.texts[..4], texts);
        }
        assert_details(ours);
        for secret in [&made.plain, &hashed(&made.plain)] {
            let found = entries.iter().any(|entry| entry.texts[4].contains(secret.as_str()));
            assert!(!found, "a secret in the audit log");
        }
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn what_is_refused_or_changes_nothing_has_no_entry() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let key = bench.create(&admin, &ending("ci", &["read"], 1_000), START).await.unwrap();
        bench.revoke(&admin, &key.id, at(1)).await.unwrap();
        let count = database.count("audit_entries").await;

        let same = KeyChange {
            permissions: Some(held(&["read"])),
            tier: Some(Tier::Standard),
            description: Some(Setting::Clear),
            expires_at: Some(Setting::To(at(1_000))),
            ..renamed("ci")
        };
        bench.edit(&admin, &key.id, &same, at(2)).await.unwrap();
        bench.edit(&admin, &key.id, &KeyChange::default(), at(2)).await.unwrap();
        bench.revoke(&admin, &key.id, at(2)).await.unwrap();
        bench.reactivate(&admin, first.key.id.as_str(), at(2)).await.unwrap();
        bench.revoke(&admin, "key_none", at(2)).await.err().unwrap();
        bench.delete(&admin, first.key.id.as_str(), at(2)).await.err().unwrap();
        assert_eq!(database.count("audit_entries").await, count);
        let stored = bench.show(&admin, &key.id).await;
        assert_eq!(stored.revoked_at, Some(at(1)));
        assert_chain(database, &admin.workspace().id).await;
    });
}

#[test]
fn an_end_given_again_with_its_fractions_of_a_second_changes_nothing() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let end = ends(Some("2027-01-31T09:00:00.123456789Z".parse().unwrap()));
        bench.edit(&admin, &key.id, &end, at(1)).await.unwrap();
        let count = database.count("audit_entries").await;
        bench.edit(&admin, &key.id, &end, at(2)).await.unwrap();
        assert_eq!(database.count("audit_entries").await, count);
    });
}

#[test]
fn an_entry_that_cannot_be_written_takes_its_change_with_it() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        database.execute("ALTER TABLE audit_entries RENAME TO away").await.unwrap();
        let before = database.rows("SELECT * FROM api_keys ORDER BY id").await;
        let attempts = [
            outcome(bench.create(&admin, &new_key("x", &["read"]), at(1)).await),
            outcome(bench.edit(&admin, &key.id, &renamed("y"), at(1)).await),
            outcome(bench.revoke(&admin, &key.id, at(1)).await),
            outcome(bench.delete(&admin, &key.id, at(1)).await),
        ];
        assert_eq!(attempts, ["database_unavailable"; 4]);
        assert_eq!(database.rows("SELECT * FROM api_keys ORDER BY id").await, before);
        database.execute("ALTER TABLE away RENAME TO audit_entries").await.unwrap();
        bench.revoke(&admin, &key.id, at(2)).await.unwrap();
        assert_eq!(assert_chain(database, &admin.workspace().id).await, 3);
    });
}

#[test]
fn the_chain_holds_under_concurrent_changes() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let other = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let attempts = (0..24).map(|number| {
            let bench = if number % 2 == 0 { &bench } else { &other };
            let new = new_key(&format!("key {number}"), &["read"]);
            let admin = &admin;
            async move { bench.create(admin, &new, START).await.unwrap() }
        });
        futures_util::future::join_all(attempts).await;
        assert_eq!(assert_chain(database, &admin.workspace().id).await, 25);
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
