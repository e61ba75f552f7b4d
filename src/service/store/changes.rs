//! The tables that keep replicas in step: who is there, and what has changed of what they hold in memory.

use sqlx::{AnyConnection, Row};

use super::{Store, StoreError};

/// Something that replicas must no longer hold in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) number: i64,
    pub(crate) workspace: String,
    /// The hash of the key that changed; all keys of the workspace where there is none.
    pub(crate) key_hash: Option<String>,
}

/// A replica as another one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) beats: i64,
}

/// How many changes are made between two looks for those that are not needed any more.
const SWEPT_EACH: i64 = 64;

/// The channel on which PostgreSQL tells of changes.
pub(crate) const CHANNEL: &str = "keys_changes";

/// Numbers a change, at the end of the transaction that makes it: from here to the commit its row lock is held, so that
/// numbers appear in their order.
pub(super) async fn announce(
    connection: &mut AnyConnection,
    workspace: &str,
    key_hash: Option<&str>,
    is_postgres: bool,
) -> Result<i64, StoreError> {
    let number: i64 = sqlx::query_scalar("UPDATE change_head SET number = number + 1 WHERE id = 1 RETURNING number")
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO changes (number, workspace_id, key_hash) VALUES ($1, $2, $3)")
        .bind(number)
        .bind(workspace)
        .bind(key_hash)
        .execute(&mut *connection)
        .await?;
    // What everybody has seen is not needed any more. This change may be: by a replica that starts meanwhile.
    if number % SWEPT_EACH == 0 {
        let seen = "DELETE FROM changes WHERE number < $1 AND number <= (SELECT COALESCE(MIN(acknowledged), $1) FROM replicas)";
        sqlx::query(seen).bind(number).execute(&mut *connection).await?;
    }
    if is_postgres {
        sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(connection).await?;
    }
    Ok(number)
}

impl Store {
    /// Makes a replica known, as one that has seen nothing yet.
    pub(crate) async fn register_replica(&self, id: &str) -> Result<(), StoreError> {
        let statement = "INSERT INTO replicas (id, beats, acknowledged) VALUES ($1, 0, 0) \
                         ON CONFLICT (id) DO UPDATE SET beats = replicas.beats + 1, acknowledged = 0";
        self.execute(sqlx::query(statement).bind(id)).await.map(drop)
    }

    pub(crate) async fn remove_replica(&self, id: &str) -> Result<(), StoreError> {
        self.execute(sqlx::query("DELETE FROM replicas WHERE id = $1").bind(id)).await.map(drop)
    }

    /// Listens on a channel of PostgreSQL until the connection is lost.
    pub(crate) async fn listen(url: &str, channel: &str, heard: impl Fn()) -> Result<(), StoreError> {
        let mut listener = sqlx::postgres::PgListener::connect(url).await?;
        listener.listen(channel).await?;
        loop {
            listener.recv().await?;
            heard();
        }
    }

    /// The number of the newest change.
    pub(crate) async fn newest_change(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT number FROM change_head WHERE id = 1").fetch_one(&self.pool).await?)
    }

    /// The changes after a number, in their order.
    pub(crate) async fn changes_after(&self, number: i64) -> Result<Vec<Changed>, StoreError> {
        let rows = sqlx::query("SELECT number, workspace_id, key_hash FROM changes WHERE number > $1 ORDER BY number")
            .bind(number)
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &sqlx::any::AnyRow| -> Result<Changed, StoreError> {
            Ok(Changed {
                number: row.try_get("number")?,
                workspace: row.try_get("workspace_id")?,
                key_hash: row.try_get("key_hash")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// A sign of life, and how far the replica has followed; `false` where it was taken for dead.
    pub(crate) async fn beat(&self, id: &str, acknowledged: i64) -> Result<bool, StoreError> {
        let statement = "UPDATE replicas SET beats = beats + 1, acknowledged = $2 WHERE id = $1";
        Ok(self.execute(sqlx::query(statement).bind(id).bind(acknowledged)).await? == 1)
    }

    /// The other replicas that have not followed as far as this change.
    pub(crate) async fn behind(&self, number: i64, but_for: &str) -> Result<Vec<Peer>, StoreError> {
        let rows = sqlx::query("SELECT id, beats FROM replicas WHERE acknowledged < $1 AND id <> $2")
            .bind(number)
            .bind(but_for)
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &sqlx::any::AnyRow| -> Result<Peer, StoreError> {
            Ok(Peer { id: row.try_get("id")?, beats: row.try_get("beats")? })
        };
        rows.iter().map(read).collect()
    }

    /// Removes a replica that has given no sign of life since; `false` where it has.
    pub(crate) async fn remove_silent(&self, peer: &Peer) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM replicas WHERE id = $1 AND beats = $2");
        Ok(self.execute(statement.bind(&peer.id).bind(peer.beats)).await? == 1)
    }
}
