//! Where the engine keeps its state: one set of statements for SQLite and PostgreSQL, one file per table.
//!
//! Rules that keep it so: TEXT and BIGINT columns only; a change writes first (raising its workspace's `seq` takes the lock
//! on both engines and serialises the last-admin rule and the audit chain); "taken" is `ON CONFLICT DO NOTHING RETURNING`,
//! never the reading of an error message.

mod audit;
mod changes;
mod credits;
mod database;
mod error;
mod guards;
mod idempotency;
mod keys;
mod limits;
mod lists;
mod open;
mod records;
mod turn;
mod usage;
mod workspaces;

pub(crate) use audit::{AuditQuery, Verified};
pub(crate) use changes::{CHANNEL, Changed, Peer};
pub(crate) use credits::month_of;
pub(crate) use database::Database;
pub(crate) use error::StoreError;
pub(crate) use guards::KEPT_DAYS;
pub(crate) use idempotency::StoredAnswer;
pub(crate) use keys::StoredKey;
pub(crate) use limits::{Leased, Wanted};
pub(crate) use lists::KeyQuery;
pub(crate) use records::StoredRecord;
pub(crate) use usage::UsageRow;
pub(crate) use workspaces::Workspace;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Row, Transaction};

use self::turn::{Turn, Turns};

/// How long the database may take to answer who cannot wait.
const PATIENCE: Duration = Duration::from_secs(2);

/// An open database of the right schema.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pool: AnyPool,
    is_postgres: bool,
    turns: Turns,
}

impl Store {
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

/// What the database answers, unless it takes so long that it counts as out of reach.
pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answered) => answered,
        Err(_) => Err(StoreError::Database(sqlx::Error::PoolTimedOut)),
    }
}
