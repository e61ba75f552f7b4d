//! What is stored, and what the schema itself refuses.

use super::super::store::{Database, Store, StoreError};
use super::*;
use crate::testing::{at, block_on, on_each_database};

#[test]
fn no_column_of_any_table_holds_a_plaintext() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        let mut plains = vec![first.plain.expose().to_owned()];
        for number in 0..3 {
            let request = once(&format!("request {number}"), "{}");
            let new = new_key(&format!("key {number}"), &["read"]);
            let answer = bench.create_once(&admin, &new, Some(&request), START).await.unwrap();
            let made = made(&answer);
            plains.push(made.plain.clone());
            bench.caller(&made.plain, at(1)).await;
            bench.service.lookup_key(&admin, &made.plain).await.unwrap();
            bench.revoke(&admin, &made.id, at(2)).await.unwrap();
        }
        let dump = database.dump().await.join("\n");
        for plain in &plains {
            assert!(dump.contains(&hashed(plain)), "its hash is what is stored");
            let secret = plain.rsplit_once('_').unwrap().1;
            for text in [plain.as_str(), secret, &secret[..12]] {
                let encoded = crate::model::secret::hex(text.as_bytes());
                assert!(!dump.contains(text) && !dump.contains(&encoded));
            }
        }
        let Some(scratch) = &database.scratch else {
            return;
        };
        for name in scratch.names() {
            let content = std::fs::read(scratch.path(&name)).unwrap();
            for plain in &plains {
                let secret = plain.rsplit_once('_').unwrap().1.as_bytes();
                let found = content.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "a plaintext in {name}");
            }
        }
    });
}

/// Tries to store a key around the engine.
async fn insert(database: &TestDatabase, hash: &str, prefix: &str) -> bool {
    let statement = format!(
        "INSERT INTO api_keys (id, workspace_id, hash, prefix, name, folded, permissions, tier, created_by, created_at) \
         SELECT 'key_x', id, '{hash}', '{prefix}', 'x', 'x', 'read', 'standard', 'x', 1 FROM workspaces"
    );
    let stored = database.execute(&statement).await.is_ok();
    database.execute("DELETE FROM api_keys WHERE id = 'key_x'").await.unwrap();
    stored
}

#[test]
fn the_schema_takes_no_raw_key_for_a_hash_or_a_prefix() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let key = bench.create(&admin, &new_key("ci", &["read"]), START).await.unwrap();
        let plain = key.plain.as_str();
        let hash = hashed("anything");
        assert!(insert(database, &hash, "wbk_1a2B3c4D").await);
        let padded = format!("{plain:x<64}");
        for raw in [
            plain.to_owned(),
            padded.clone(),
            padded.to_lowercase(),
            "sk_12345678_".to_owned() + &"a".repeat(52),
            "wbk_".to_owned() + &"a".repeat(60),
            hash.to_uppercase(),
            hash[1..].to_owned(),
            format!("{hash}0"),
            String::new(),
        ] {
            assert!(!insert(database, &raw, "wbk_1a2B3c4D").await, "hash {raw}");
        }
        for raw in [plain, &plain[..15], &format!("{hash:.40}")] {
            assert!(!insert(database, &hash, raw).await, "prefix {raw}");
        }
        assert!(!insert(database, &"g".repeat(64), "wbk_1a2B3c4D").await, "no hexadecimal digits");
    });
}

#[test]
fn the_schema_holds_states_plans_tiers_names_and_owners() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (_, first) = bench.workspace("acme").await;
        let id = first.key.id.as_str();
        for statement in [
            "UPDATE api_keys SET tier = 'infinite'".to_owned(),
            "UPDATE api_keys SET name = ''".to_owned(),
            format!("UPDATE api_keys SET name = '{}'", "x".repeat(121)),
            "UPDATE api_keys SET workspace_id = 'ws_none'".to_owned(),
            "UPDATE workspaces SET plan = 'free'".to_owned(),
            "DELETE FROM workspaces".to_owned(),
            format!(
                "INSERT INTO api_keys (id, workspace_id, hash, prefix, name, active_name, permissions, tier, created_by, created_at) \
                 SELECT 'key_2', workspace_id, '{}', prefix, name, active_name, permissions, tier, created_by, created_at \
                 FROM api_keys WHERE id = '{id}'",
                hashed("x")
            ),
        ] {
            assert!(database.execute(&statement).await.is_err(), "{statement}");
        }
    });
}

#[test]
fn a_schema_newer_than_known_is_refused_and_left_alone() {
    on_each_database(async |database| {
        drop(database.open().await);
        let rows = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
                    SELECT 9999, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations \
                    WHERE version = 1";
        database.execute(rows).await.unwrap();
        let before = database.dump().await;
        match Store::open(&database.database, 4).await {
            Err(StoreError::NewerSchema { schema: 9999, known }) => assert!(known > 0),
            other => panic!("{:?}", other.map(|_| ())),
        }
        assert_eq!(database.dump().await, before);
    });
}

#[test]
fn opening_at_once_makes_one_schema_and_one_workspace() {
    on_each_database(async |database| {
        // Each on a thread of its own, as processes are: one may wait for another.
        let opened: Vec<String> = std::thread::scope(|scope| {
            let open =
                || block_on(async { Bench::open(database).await.operator("local").await.workspace().id.clone() });
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(opened.iter().all(|id| *id == opened[0]));
        assert_eq!(database.count("workspaces").await, 1);
    });
}

#[test]
fn one_connection_is_enough_for_everything() {
    on_each_database(async |database| {
        let service = Service::open(&database.database, 1, crate::system::random).await.unwrap();
        let bench = Bench { database, service };
        let (admin, first) = bench.workspace("acme").await;
        let lives = (0..8).map(|number| {
            let (bench, admin, first) = (&bench, &admin, &first);
            async move {
                let name = format!("key {number}");
                let request = once(&name, "{}");
                let answer = bench.create_once(admin, &new_key(&name, &["read"]), Some(&request), START).await.unwrap();
                let made = made(&answer);
                bench.caller(first.plain.expose(), at(100 * number)).await;
                bench.edit(admin, &made.id, &permitted(&["read:deals"]), at(1)).await.unwrap();
                bench.revoke(admin, &made.id, at(2)).await.unwrap();
                bench.reactivate(admin, &made.id, at(3)).await.unwrap();
                bench.delete(admin, &made.id, at(4)).await.unwrap();
            }
        });
        futures_util::future::join_all(lives).await;
        assert_eq!(database.count("audit_entries").await, 1 + 8 * 5);
        assert_eq!(bench.names(&admin, &everything(), at(5)).await, ["admin"]);
    });
}

/// As SQLite does where the disk is full: it undoes all of a transaction, and not the statement alone.
#[test]
fn a_change_that_sqlite_undoes_as_a_whole_spoils_no_connection() {
    block_on(async {
        let database = TestDatabase::sqlite();
        let bench = Bench::open(&database).await;
        let (admin, _) = bench.workspace("acme").await;
        let full = "CREATE TRIGGER full BEFORE INSERT ON api_keys BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
        database.execute(full).await.unwrap();
        let create = async |name: String| outcome(bench.create(&admin, &new_key(&name, &["read"]), START).await);
        for number in 0..8 {
            assert_eq!(create(format!("full {number}")).await, UNAVAILABLE);
        }
        database.execute("DROP TRIGGER full").await.unwrap();
        for number in 0..8 {
            assert_eq!(create(format!("key {number}")).await, "done");
        }
    });
}

#[test]
fn a_database_that_is_gone_refuses_and_says_so() {
    on_each_database(async |database| {
        let bench = Bench::open(database).await;
        let (admin, first) = bench.workspace("acme").await;
        database.execute("ALTER TABLE api_keys RENAME TO away").await.unwrap();
        let plain = first.plain.expose();
        assert_eq!(bench.refused(plain, START).await, "database_unavailable");
        let made = bench.create(&admin, &new_key("ci", &["read"]), START).await;
        assert_eq!(outcome(made), "database_unavailable");
    });
}

#[test]
fn sqlite_keeps_what_was_answered() {
    block_on(async {
        let database = TestDatabase::sqlite();
        let bench = Bench::open(&database).await;
        bench.workspace("acme").await;
        assert_eq!(database.rows("PRAGMA journal_mode").await, ["journal_mode=wal"]);
    });
}

#[test]
fn a_database_is_named_by_a_path_or_a_url_and_shown_without_its_password() {
    let parse = |text: &str| text.parse::<Database>();
    for (text, path) in [
        ("keys.db", "sqlite:keys.db"),
        ("sqlite:keys.db", "sqlite:keys.db"),
        ("sqlite:///var/keys.db", "sqlite:/var/keys.db"),
    ] {
        assert_eq!(parse(text).unwrap().to_string(), path);
    }
    for text in ["", "sqlite:", "mysql://host/db", ":memory:", "sqlite::memory:"] {
        assert!(parse(text).is_err(), "{text}");
    }
    for url in [
        "postgres://user:hunter2@host/keys",
        "postgresql://user:hunter2@host:5432/keys?sslmode=require",
        "postgres://user:hun@ter2@host/keys",
        "postgres://host/keys?user=user&password=hunter2",
    ] {
        let shown = format!("{0} {0:?}", parse(url).unwrap());
        assert!(shown.contains("host"), "{shown}");
        assert!(!shown.contains("ter2"), "{shown}");
    }
}

/// On SQLite one waits for the other before it holds anything.
#[test]
fn a_replica_starts_while_a_change_is_made() {
    on_each_database(async |database| {
        if database.is_sqlite() {
            return;
        }
        let bench = Bench::open(database).await;
        let (admin, _) = bench.workspace("acme").await;
        let workspace = admin.workspace();
        let mut write = bench.service.store.write(&workspace.id).await.unwrap();
        write.update_workspace(workspace).await.unwrap();
        write.append_audit(START, admin.actor(), "workspace.set_plan", &workspace.id, "{}").await.unwrap();
        let store = bench.service.store.clone();
        let starting = tokio::spawn(async move { store.install_guards().await });
        // Others on the same server wait for tables of theirs.
        let waiting = "pg_locks WHERE NOT granted AND relation = 'audit_entries'::regclass";
        while database.count(waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        write.commit().await.unwrap();
        starting.await.unwrap().unwrap();
    });
}
