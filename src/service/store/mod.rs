//! Where the engine keeps its state: one set of statements for SQLite and PostgreSQL, one file per table.
//!
//! Rules that keep it so: TEXT and BIGINT columns only; a change writes first (raising its workspace's `seq` takes the lock
//! on both engines and serialises the last-admin rule and the audit chain); "taken" is `ON CONFLICT DO NOTHING RETURNING`,
//! never the reading of an error message.

mod audit;
mod changes;
mod credits;
mod guards;
mod idempotency;
mod keys;
mod limits;
mod records;
mod turn;
mod usage;
mod workspaces;

pub(crate) use audit::{AuditQuery, Verified};
pub(crate) use changes::{CHANNEL, Changed, Peer};
pub(crate) use credits::month_of;
pub(crate) use guards::KEPT_DAYS;
pub(crate) use idempotency::StoredAnswer;
pub(crate) use keys::{KeyQuery, StoredKey};
pub(crate) use limits::{Leased, Wanted};
pub(crate) use records::StoredRecord;
pub(crate) use usage::UsageRow;
pub(crate) use workspaces::Workspace;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::any::{AnyArguments, AnyPoolOptions, AnyRow};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Row, Transaction};
use thiserror::Error;

use self::turn::{Turn, Turns};
use crate::exit::{Exit, Explain};
use crate::files::{self, FileError, Lock};

/// How long the database server may take to be there at the start.
const FIRST_CONNECTION: Duration = Duration::from_secs(5);

/// How long the database may take to answer who cannot wait.
const PATIENCE: Duration = Duration::from_secs(2);

static MIGRATIONS: Migrator = sqlx::migrate!("src/service/store/migrations");

/// A database, as `--database` names it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite(PathBuf),
    /// The URL may hold a password: never shown.
    Postgres(String),
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains("://") || path == ":memory:" {
            return Err("name a database as sqlite:PATH or postgres://HOST/NAME".to_owned());
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "sqlite:{}", path.display()),
            // Neither user and password, which stand before an @, nor parameters, which may be a password too.
            Self::Postgres(url) => {
                let bare = url.split(['?', '#']).next().unwrap_or_default();
                let place = bare.split_once("://").map_or(bare, |(_, place)| place);
                write!(formatter, "postgres://{}", place.rsplit_once('@').map_or(place, |(_, place)| place))
            }
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// An open database of the right schema.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: AnyPool,
    is_postgres: bool,
    turns: Turns,
}

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

    /// Makes sure that the database refuses to change audit entries, also where a migration was cut short before it said so.
    pub(crate) async fn install_guards(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if self.is_postgres {
            // Two that replace one function at once get in each other's way. This is the lock that the triggers take anyhow:
            // whoever held another one before it would wait in a circle with a change that is under way.
            sqlx::query("LOCK TABLE audit_entries IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
        }
        guards::install(&mut transaction, !self.is_postgres).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether the database answers a statement that reads a page of it.
    pub(crate) async fn answers(&self) -> Result<(), StoreError> {
        in_time(self.has_workspaces()).await.map(drop)
    }

    /// Begins a transaction that will write: SQLite has it wait for other writers now, because it could not do so later,
    /// after a first look.
    async fn begin(&self) -> Result<Writing, StoreError> {
        if self.is_postgres {
            return Ok(Writing::Apart(self.pool.begin().await?));
        }
        Ok(Writing::InTurn(self.turns.take(&self.pool).await?))
    }

    /// Executes a statement that changes something, and says how many rows.
    async fn execute(&self, statement: Query<'_, Any, AnyArguments>) -> Result<u64, StoreError> {
        if self.is_postgres {
            return Ok(statement.execute(&self.pool).await?.rows_affected());
        }
        let mut transaction = self.begin().await?;
        let done = statement.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    /// Executes a statement that must not be repeated where nobody knows whether it was executed.
    async fn execute_once(&self, statement: Query<'_, Any, AnyArguments>) -> Result<(), StoreError> {
        let mut connection = in_time(async { Ok(self.pool.acquire().await?) }).await?;
        match tokio::time::timeout(PATIENCE, statement.execute(&mut *connection)).await {
            Ok(executed) => executed.map(drop).map_err(StoreError::of_a_change),
            Err(_) => Err(StoreError::CommitUnknown(sqlx::Error::PoolTimedOut)),
        }
    }

    /// Begins a change in a workspace: a transaction that holds the workspace's lock.
    pub(crate) async fn write(&self, workspace: &str) -> Result<Write, StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query("UPDATE workspaces SET seq = seq + 1 WHERE id = $1 RETURNING seq, audit_head")
            .bind(workspace)
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Write {
            workspace: workspace.to_owned(),
            seq: row.try_get("seq")?,
            audit_head: row.try_get("audit_head")?,
            transaction,
            is_postgres: self.is_postgres,
            changed: Vec::new(),
        })
    }
}

/// A transaction that writes. Dropped without [`Writing::commit`], nothing of it happened.
enum Writing {
    /// Beside others, as PostgreSQL has them.
    Apart(Transaction<'static, Any>),
    /// One after the other, as SQLite has them.
    InTurn(Turn),
}

impl Writing {
    async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Apart(transaction) => Ok(transaction.commit().await?),
            Self::InTurn(turn) => turn.commit().await,
        }
    }

    async fn give_up(self) -> Result<(), StoreError> {
        match self {
            Self::Apart(_) => Ok(()),
            Self::InTurn(turn) => turn.give_up().await,
        }
    }
}

impl Deref for Writing {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match self {
            Self::Apart(transaction) => transaction,
            Self::InTurn(turn) => turn,
        }
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match self {
            Self::Apart(transaction) => transaction,
            Self::InTurn(turn) => turn,
        }
    }
}

/// A change under way in one workspace. Dropped without [`Write::commit`], nothing of it happened.
pub(crate) struct Write {
    workspace: String,
    seq: i64,
    audit_head: String,
    transaction: Writing,
    is_postgres: bool,
    /// What replicas must forget: the hashes of keys, or `None` for the whole workspace.
    changed: Vec<Option<String>>,
}

impl Write {
    /// Commits. Gives what replicas must forget, in its order: the last number is the one that all must have followed.
    pub(crate) async fn commit(mut self) -> Result<Vec<Changed>, StoreError> {
        let mut announced = Vec::new();
        for key_hash in std::mem::take(&mut self.changed) {
            let (workspace, is_postgres) = (self.workspace.clone(), self.is_postgres);
            let number = changes::announce(self.connection(), &workspace, key_hash.as_deref(), is_postgres).await?;
            announced.push(Changed { number, workspace, key_hash });
        }
        self.transaction.commit().await.map_err(StoreError::in_a_change)?;
        Ok(announced)
    }

    /// Undoes what was done. Once this returns, what was found meanwhile may be told: it lasts.
    pub(crate) async fn give_up(self) -> Result<(), StoreError> {
        self.transaction.give_up().await
    }

    /// Notes that replicas must forget the whole workspace.
    pub(crate) fn changes_workspace(&mut self) {
        self.changed.push(None);
    }

    fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
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

fn micros(instant: Timestamp) -> i64 {
    instant.as_microsecond()
}

fn instant(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let micros: Option<i64> = row.try_get(column)?;
    micros
        .map(|micros| {
            Timestamp::from_microsecond(micros).map_err(|_| StoreError::Corrupt { what: format!("{column} {micros}") })
        })
        .transpose()
}

/// A text for LIKE in which `%` and `_` stand for themselves, with `!` as the escape character.
fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern
}

/// The store is out of reach or out of order. Nothing was changed.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the database has schema {schema}, this program knows schemas up to {known}")]
    NewerSchema { schema: i64, known: i64 },
    #[error("the database is busy: another program holds its lock")]
    Busy,
    #[error("the database cannot be written")]
    ReadOnly,
    #[error("the disk that holds the database is full")]
    Full,
    #[error("the file is not a database of this program, or it is damaged")]
    NotADatabase,
    #[error("the database holds what this program never writes: {what}")]
    Corrupt { what: String },
    #[error("the schema could not be brought up to date")]
    Migration(#[source] MigrateError),
    #[error("the database does not answer")]
    Database(#[source] sqlx::Error),
    #[error("the database did not say whether the change was made")]
    CommitUnknown(#[source] sqlx::Error),
}

/// What the database answers, unless it takes so long that it counts as out of reach.
pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answered) => answered,
        Err(_) => Err(StoreError::Database(sqlx::Error::PoolTimedOut)),
    }
}

impl StoreError {
    /// Why a change failed: what the database refused in its own words did not happen; where its answer was lost, nobody
    /// knows.
    fn of_a_change(error: sqlx::Error) -> Self {
        Self::in_a_change(error.into())
    }

    fn in_a_change(self) -> Self {
        match self {
            Self::Database(error) => Self::CommitUnknown(error),
            refused => refused,
        }
    }

    /// Whether nobody knows if what was asked for happened.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::CommitUnknown(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let Some(code) = code else { return Self::Database(error) };
        // PostgreSQL's codes have five characters; SQLite's have fewer, and the low byte is the primary one.
        let primary = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
        match (primary, &*code) {
            (Some(5 | 6), _) | (None, "55P03") => Self::Busy,
            (Some(8), _) | (None, "25006") => Self::ReadOnly,
            (Some(13), _) | (None, "53100") => Self::Full,
            (Some(11 | 26), _) => Self::NotADatabase,
            _ => Self::Database(error),
        }
    }
}

impl Explain for StoreError {
    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::CommitUnknown(_) => Exit::Unknown,
            Self::NewerSchema { .. }
            | Self::Busy
            | Self::ReadOnly
            | Self::Full
            | Self::NotADatabase
            | Self::Corrupt { .. }
            | Self::Migration(_)
            | Self::Database(_) => Exit::Unreachable,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::File(error) => error.code(),
            Self::NewerSchema { .. } => "newer_schema",
            Self::Busy => "database_busy",
            Self::ReadOnly => "database_read_only",
            Self::Full => "disk_full",
            Self::NotADatabase | Self::Corrupt { .. } => "database_damaged",
            Self::Migration(_) | Self::Database(_) => "database_unavailable",
            Self::CommitUnknown(_) => "outcome_unknown",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.hint(),
            Self::NewerSchema { .. } => "a newer keys has written this database: use that one".to_owned(),
            Self::Busy => "close the program that has it open, then run the command again".to_owned(),
            Self::ReadOnly => {
                "check the permissions of the file and of its directory, then run the command again".to_owned()
            }
            Self::Full => "make room, then run the command again".to_owned(),
            Self::NotADatabase | Self::Corrupt { .. } => {
                "restore it from a backup; or move it away, and a new one is made".to_owned()
            }
            Self::Migration(_) | Self::Database(_) => return None,
            Self::CommitUnknown(_) => "send the same request again, with its Idempotency-Key".to_owned(),
        })
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Full | Self::Database(_) | Self::CommitUnknown(_) => true,
            Self::File(_)
            | Self::NewerSchema { .. }
            | Self::ReadOnly
            | Self::NotADatabase
            | Self::Corrupt { .. }
            | Self::Migration(_) => false,
        }
    }
}
