//! The table of usage: calls and errors by day, key and endpoint.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, Writing, in_time, instant, micros};

/// How long a commit may take: what it adds cannot be added again as long as nobody knows what became of it.
const LONGEST_COMMIT: Duration = Duration::from_mins(1);

/// Calls of one key to one endpoint on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageRow {
    pub(crate) workspace: String,
    /// `2026-11-21`
    pub(crate) day: String,
    pub(crate) key: String,
    pub(crate) endpoint: String,
    pub(crate) calls: i64,
    pub(crate) errors: i64,
}

impl Store {
    /// Adds calls to what is stored, and notes when each key was last used. Where it fails nothing is added, unless it says
    /// that nobody knows.
    pub(crate) async fn add_usage(
        &self,
        rows: &[UsageRow],
        last_used: &[(String, Timestamp)],
    ) -> Result<(), StoreError> {
        let added = in_time(self.usage_added(rows, last_used)).await?;
        // Whoever stops waiting for a commit has not stopped it.
        match tokio::time::timeout(LONGEST_COMMIT, added.commit()).await {
            Ok(committed) => committed.map_err(StoreError::in_a_change),
            Err(_) => Err(StoreError::CommitUnknown(sqlx::Error::PoolTimedOut)),
        }
    }

    /// The same, not committed yet.
    async fn usage_added(&self, rows: &[UsageRow], last_used: &[(String, Timestamp)]) -> Result<Writing, StoreError> {
        let mut transaction = self.begin().await?;
        for row in rows {
            sqlx::query(
                "INSERT INTO usage_days (workspace_id, day, key_id, endpoint, calls, errors) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, day, key_id, endpoint) \
                 DO UPDATE SET calls = usage_days.calls + excluded.calls, errors = usage_days.errors + excluded.errors",
            )
            .bind(&row.workspace)
            .bind(&row.day)
            .bind(&row.key)
            .bind(&row.endpoint)
            .bind(row.calls)
            .bind(row.errors)
            .execute(&mut *transaction)
            .await?;
        }
        for (key, at) in last_used {
            sqlx::query(
                "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            )
            .bind(key)
            .bind(micros(*at))
            .execute(&mut *transaction)
            .await?;
        }
        Ok(transaction)
    }

    /// The calls of a workspace from one day to another, those of one key or of all.
    pub(crate) async fn usage(
        &self,
        workspace: &str,
        key: Option<&str>,
        days: (&str, &str),
    ) -> Result<Vec<UsageRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT day, key_id, endpoint, calls, errors FROM usage_days \
             WHERE workspace_id = $1 AND day >= $2 AND day <= $3 AND ($4 = '' OR key_id = $4) \
             ORDER BY day, key_id, endpoint",
        )
        .bind(workspace)
        .bind(days.0)
        .bind(days.1)
        .bind(key.unwrap_or(""))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &sqlx::any::AnyRow| -> Result<UsageRow, StoreError> {
            Ok(UsageRow {
                workspace: workspace.to_owned(),
                day: row.try_get("day")?,
                key: row.try_get("key_id")?,
                endpoint: row.try_get("endpoint")?,
                calls: row.try_get("calls")?,
                errors: row.try_get("errors")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The names of the keys that made these calls, by id; of a deleted key there is none.
    pub(crate) async fn key_names(
        &self,
        workspace: &str,
        key: Option<&str>,
        days: (&str, &str),
    ) -> Result<HashMap<String, String>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name FROM api_keys WHERE workspace_id = $1 AND id IN \
             (SELECT key_id FROM usage_days WHERE workspace_id = $1 AND day >= $2 AND day <= $3 \
              AND ($4 = '' OR key_id = $4))",
        )
        .bind(workspace)
        .bind(days.0)
        .bind(days.1)
        .bind(key.unwrap_or(""))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("name")?))).collect()
    }

    /// When the keys of a workspace were last used, or one of them.
    pub(crate) async fn last_used(&self, workspace: &str, key: Option<&str>) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT MAX(last_used_at) AS last_used_at FROM api_keys WHERE workspace_id = $1 AND ($2 = '' OR id = $2)",
        )
        .bind(workspace)
        .bind(key.unwrap_or(""))
        .fetch_one(&self.pool)
        .await?;
        instant(&row, "last_used_at")
    }

    /// Forgets the usage of the days before this one.
    pub(crate) async fn forget_usage(&self, before: &str) -> Result<(), StoreError> {
        self.execute(sqlx::query("DELETE FROM usage_days WHERE day < $1").bind(before)).await.map(drop)
    }
}
