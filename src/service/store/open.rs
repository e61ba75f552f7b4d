//! Opening a database: its first connection, how each is prepared, and the schema brought up to date.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection};

use super::turn::Turns;
use super::{Database, PATIENCE, Store, StoreError, in_time};
use crate::files::{self, FileError, Lock};

/// How long the database server may take to be there at the start.
const FIRST_CONNECTION: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("src/service/store/migrations");

impl Store {
    /// Opens the database, makes it where it is a SQLite file that does not exist yet, and brings its schema up to date.
    /// A schema newer than this program is refused. `connections` is how many may be open at once.
    pub(crate) async fn open(database: &Database, connections: u32) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url = match database {
            Database::Sqlite(path) => {
                files::create_private(path)?;
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                sqlite_url(&absolute.to_string_lossy())
            }
            Database::Postgres(url) => url.clone(),
        };
        let is_sqlite = matches!(database, Database::Sqlite(_));
        // The first connection is prepared here, so that what is wrong comes up at once: of one that cannot be prepared, the
        // pool says nothing and tries again until its time-out.
        let is_first = AtomicBool::new(true);
        let mut options = AnyPoolOptions::new().max_connections(connections).after_connect(move |connection, _| {
            let prepared = is_sqlite && is_first.swap(false, Ordering::Relaxed);
            Box::pin(async move {
                match (is_sqlite, prepared) {
                    (true, true) => Ok(()),
                    (true, false) => prepare_sqlite(connection).await,
                    (false, _) => prepare_postgres(connection).await,
                }
            })
        });
        // Where SQLite undoes a transaction by itself, as on a full disk, the connection takes it for open still, and begins no
        // other one: it is given up.
        options = options.before_acquire(|connection, _| {
            let is_free = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_free) })
        });
        if !is_sqlite {
            // Whoever stopped waiting for an answer leaves a connection behind that may lead nowhere: it is given up then.
            options = options.after_release(|connection, _| {
                Box::pin(async move {
                    let alive = tokio::time::timeout(PATIENCE, connection.ping()).await;
                    alive.map_or(Err(sqlx::Error::PoolTimedOut), |alive| alive.map(|()| true))
                })
            });
        }
        let pool = options.connect_lazy(&url)?;
        let mut first = acquire_first(&pool, &url).await?;
        if let Database::Sqlite(path) = database {
            prepare_sqlite(&mut first).await?;
            use_wal(&mut first, path).await?;
        }
        let migrated = migrate(&mut first, database).await?;
        drop(first);
        let store = Self { pool, is_postgres: !is_sqlite, turns: Turns::default() };
        if migrated {
            store.install_guards().await?;
        }
        Ok(store)
    }
}

/// The first connection. The pool tries a server again and again that is not there, and does not say so: then it is asked
/// once more without the pool.
async fn acquire_first(pool: &AnyPool, url: &str) -> Result<PoolConnection<Any>, StoreError> {
    if let Ok(acquired) = tokio::time::timeout(FIRST_CONNECTION, pool.acquire()).await {
        return Ok(acquired?);
    }
    in_time(async { Ok(AnyConnection::connect(url).await?.close().await?) }).await?;
    Ok(pool.acquire().await?)
}

/// Runs the migrations that are missing, and says whether there were any. Most runs find none, and find that out with one
/// statement.
async fn migrate(connection: &mut AnyConnection, database: &Database) -> Result<bool, StoreError> {
    if is_up_to_date(connection).await? {
        return Ok(false);
    }
    // PostgreSQL lets one migrate at a time by itself; for SQLite a lock beside the file does.
    let _one_at_a_time = match database {
        Database::Sqlite(path) => Some(one_at_a_time(path)?),
        Database::Postgres(_) => None,
    };
    MIGRATIONS.run(&mut *connection).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Migration(other),
    })?;
    Ok(true)
}

/// Whether the newest migration is applied. A newer one than this program knows is refused.
async fn is_up_to_date(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let applied: Result<Option<i64>, sqlx::Error> =
        sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(connection).await;
    match applied {
        Ok(Some(schema)) if schema > known => Err(StoreError::NewerSchema { schema, known }),
        Ok(version) => Ok(version == Some(known)),
        // A missing table is how a new database looks; any other trouble comes up again when the migrations run.
        Err(_) => Ok(false),
    }
}

/// With WAL and `synchronous = FULL` what was answered survives a kill and a power cut. `secure_delete` wipes deleted rows.
async fn prepare_sqlite(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA busy_timeout = 5000",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA secure_delete = ON",
    ] {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whoever is cut off in the middle of a change must not keep its locks until PostgreSQL finds out.
async fn prepare_postgres(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SET idle_in_transaction_session_timeout = '5s'").execute(connection).await.map(drop)
}

/// Puts the file into WAL mode, which it keeps. Of two that switch at once SQLite refuses one without waiting, so that the
/// time-out does not help: one switches at a time.
async fn use_wal(connection: &mut AnyConnection, path: &Path) -> Result<(), StoreError> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    if mode != "wal" {
        let _one_at_a_time = one_at_a_time(path)?;
        sqlx::query("PRAGMA journal_mode = WAL").execute(connection).await?;
    }
    Ok(())
}

/// Holds back every other process that would change the SQLite file as a whole.
fn one_at_a_time(path: &Path) -> Result<Lock, FileError> {
    Lock::exclusive(&path.with_added_extension("lock"))
}

/// The URL of a SQLite file: what would end or change the path is percent-encoded.
fn sqlite_url(path: &str) -> String {
    const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');
    format!("sqlite://{}?mode=rw", utf8_percent_encode(path, PATH))
}
