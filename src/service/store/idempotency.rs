//! The table of answers kept for replay. What they say is sealed before it comes here.

use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, Write, micros};

/// A sealed answer and what belongs to it, all in hexadecimal.
#[derive(Debug)]
pub(crate) struct StoredAnswer {
    pub(crate) fingerprint: String,
    pub(crate) key_id: Option<String>,
    pub(crate) salt: String,
    pub(crate) nonce: String,
    pub(crate) sealed: String,
    /// Microseconds since 1970.
    pub(crate) created_at: i64,
}

impl Store {
    /// Forgets the answers made before an instant, those of every workspace. By workspace, because the index is.
    pub(crate) async fn purge_answers(&self, before: Timestamp) -> Result<(), StoreError> {
        let statement =
            "DELETE FROM idempotency_records WHERE workspace_id IN (SELECT id FROM workspaces) AND created_at <= $1";
        self.execute(sqlx::query(statement).bind(micros(before))).await.map(drop)
    }
}

impl Write {
    /// Forgets the answers made before an instant.
    pub(crate) async fn purge_answers(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query("DELETE FROM idempotency_records WHERE workspace_id = $1 AND created_at <= $2")
            .bind(workspace)
            .bind(micros(before))
            .execute(self.connection())
            .await?;
        Ok(())
    }

    pub(crate) async fn find_answer(&mut self, lookup: &str) -> Result<Option<StoredAnswer>, StoreError> {
        let row = sqlx::query(
            "SELECT fingerprint, key_id, salt, nonce, sealed, created_at FROM idempotency_records WHERE lookup = $1",
        )
        .bind(lookup)
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(StoredAnswer {
                fingerprint: row.try_get("fingerprint")?,
                key_id: row.try_get("key_id")?,
                salt: row.try_get("salt")?,
                nonce: row.try_get("nonce")?,
                sealed: row.try_get("sealed")?,
                created_at: row.try_get("created_at")?,
            })
        })
        .transpose()
    }

    pub(crate) async fn keep_answer(&mut self, lookup: &str, answer: &StoredAnswer) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query(
            "INSERT INTO idempotency_records \
             (lookup, workspace_id, fingerprint, key_id, salt, nonce, sealed, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(lookup)
        .bind(workspace)
        .bind(&answer.fingerprint)
        .bind(&answer.key_id)
        .bind(&answer.salt)
        .bind(&answer.nonce)
        .bind(&answer.sealed)
        .bind(answer.created_at)
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
