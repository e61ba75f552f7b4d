//! The table of credit grants.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write, instant, micros};
use crate::model::credits::{CreditKind, Grant};

impl Store {
    /// All grants of a workspace.
    pub(crate) async fn credit_grants(&self, workspace: &str) -> Result<Vec<Grant>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, kind, amount, leased, note, granted_at, expires_at FROM credit_grants WHERE workspace_id = $1",
        )
        .bind(workspace)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Whether the grant of a month is made.
    pub(crate) async fn has_month(&self, workspace: &str, month: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT id FROM credit_grants WHERE workspace_id = $1 AND month = $2")
            .bind(workspace)
            .bind(month)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Takes credits from a grant; `false` where it holds fewer by now.
    pub(crate) async fn lease_credits(&self, grant: &str, credits: i64) -> Result<bool, StoreError> {
        let statement = "UPDATE credit_grants SET leased = leased + $2 WHERE id = $1 AND leased + $2 <= amount";
        Ok(self.execute(sqlx::query(statement).bind(grant).bind(credits)).await? == 1)
    }

    /// Gives back credits that were taken but not spent. With [`StoreError::CommitUnknown`] nobody knows whether that happened.
    pub(crate) async fn return_credits(&self, grant: &str, credits: i64) -> Result<(), StoreError> {
        let statement = "UPDATE credit_grants SET leased = leased - $2 WHERE id = $1";
        self.execute_once(sqlx::query(statement).bind(grant).bind(credits)).await
    }
}

impl Write {
    /// Adds a grant; `false` where its month is granted already.
    pub(crate) async fn insert_grant(&mut self, grant: &Grant, month: Option<&str>) -> Result<bool, StoreError> {
        let workspace = self.workspace.clone();
        let inserted = sqlx::query(
            "INSERT INTO credit_grants (id, workspace_id, kind, month, amount, leased, note, granted_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8) ON CONFLICT (workspace_id, month) DO NOTHING RETURNING id",
        )
        .bind(&grant.id)
        .bind(workspace)
        .bind(grant.kind.as_str())
        .bind(month)
        .bind(grant.amount)
        .bind(&grant.note)
        .bind(micros(grant.granted_at))
        .bind(grant.expires_at.map(micros))
        .fetch_optional(self.connection())
        .await?;
        Ok(inserted.is_some())
    }

    /// The newest month granted, `2026-11`.
    pub(crate) async fn newest_month(&mut self) -> Result<Option<String>, StoreError> {
        let workspace = self.workspace.clone();
        let month: Option<String> = sqlx::query_scalar("SELECT MAX(month) FROM credit_grants WHERE workspace_id = $1")
            .bind(workspace)
            .fetch_one(self.connection())
            .await?;
        Ok(month)
    }
}

fn read(row: &AnyRow) -> Result<Grant, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt { what: what.to_owned() };
    let kind: String = row.try_get("kind")?;
    let amount: i64 = row.try_get("amount")?;
    let leased: i64 = row.try_get("leased")?;
    Ok(Grant {
        id: row.try_get("id")?,
        kind: CreditKind::parse(&kind).ok_or_else(|| corrupt("a kind of credits"))?,
        amount,
        remaining: amount - leased,
        note: row.try_get("note")?,
        granted_at: instant(row, "granted_at")?.ok_or_else(|| corrupt("a grant without a time"))?,
        expires_at: instant(row, "expires_at")?,
    })
}

/// The month of an instant as it is stored: `2026-11`.
pub(crate) fn month_of(now: Timestamp) -> String {
    now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m").to_string()
}
