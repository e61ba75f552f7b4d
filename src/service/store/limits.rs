//! The table of limit windows: how many calls of a UTC date or minute are handed out.

use sqlx::AnyConnection;

use super::{Store, StoreError};
use crate::model::quota::{Period, block};

/// Calls wanted from one window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) period: Period,
    pub(crate) limit: i64,
    /// How many of the window were handed out when it was last looked at.
    pub(crate) leased: i64,
}

/// Calls got from one window, none where it is used up; and how many are handed out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leased {
    pub(crate) got: i64,
    pub(crate) leased: i64,
}

impl Store {
    /// Takes a block of calls from each window, never more than its limit leaves.
    pub(crate) async fn lease_calls(&self, workspace: &str, wanted: &[Wanted]) -> Result<Vec<Leased>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut leased = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            leased.push(lease(&mut transaction, workspace, *wanted).await?);
        }
        transaction.commit().await?;
        Ok(leased)
    }

    /// Gives back calls that were taken but not made. With [`StoreError::CommitUnknown`] nobody knows whether that happened.
    pub(crate) async fn return_calls(&self, workspace: &str, period: Period, calls: i64) -> Result<(), StoreError> {
        let statement = "UPDATE limit_windows SET leased = leased - $3 WHERE workspace_id = $1 AND period = $2";
        self.execute_once(sqlx::query(statement).bind(workspace).bind(period.name()).bind(calls)).await
    }

    /// How many calls of a window are handed out.
    pub(crate) async fn leased_calls(&self, workspace: &str, period: Period) -> Result<i64, StoreError> {
        let leased: Option<i64> =
            sqlx::query_scalar("SELECT leased FROM limit_windows WHERE workspace_id = $1 AND period = $2")
                .bind(workspace)
                .bind(period.name())
                .fetch_optional(&self.pool)
                .await?;
        Ok(leased.unwrap_or(0))
    }

    /// Forgets the windows before this one: they will not come again.
    pub(crate) async fn forget_windows(&self, before: Period) -> Result<(), StoreError> {
        let statement = "DELETE FROM limit_windows WHERE period < $1";
        self.execute(sqlx::query(statement).bind(before.name())).await.map(drop)
    }
}

async fn lease(connection: &mut AnyConnection, workspace: &str, wanted: Wanted) -> Result<Leased, StoreError> {
    let Wanted { period, limit, mut leased } = wanted;
    // What was seen of the window may be old: then the second attempt knows better. Only others who take at the same time
    // can make that one fail too, and then nothing is taken.
    for _ in 0..3 {
        let calls = block(limit, limit.saturating_sub(leased)).min(limit.saturating_sub(leased));
        if calls > 0 {
            let now: Option<i64> = sqlx::query_scalar(
                "INSERT INTO limit_windows (workspace_id, period, leased) VALUES ($1, $2, $3) \
                 ON CONFLICT (workspace_id, period) DO UPDATE SET leased = limit_windows.leased + excluded.leased \
                 WHERE limit_windows.leased + excluded.leased <= $4 RETURNING leased",
            )
            .bind(workspace)
            .bind(period.name())
            .bind(calls)
            .bind(limit)
            .fetch_optional(&mut *connection)
            .await?;
            if let Some(leased) = now {
                return Ok(Leased { got: calls, leased });
            }
        }
        let seen: Option<i64> =
            sqlx::query_scalar("SELECT leased FROM limit_windows WHERE workspace_id = $1 AND period = $2")
                .bind(workspace)
                .bind(period.name())
                .fetch_optional(&mut *connection)
                .await?;
        leased = seen.unwrap_or(0);
        if leased >= limit {
            break;
        }
    }
    Ok(Leased { got: 0, leased })
}
