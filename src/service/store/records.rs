//! The table of what the data routes keep: JSON objects in named collections.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, Write, instant, micros};

/// One object of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) id: String,
    /// A JSON object.
    pub(crate) content: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Store {
    /// One page of a collection, newest first, and how many there are on all pages.
    pub(crate) async fn records(
        &self,
        workspace: &str,
        collection: &str,
        page: u32,
        per_page: u32,
    ) -> Result<(Vec<StoredRecord>, i64), StoreError> {
        let total: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM records WHERE workspace_id = $1 AND collection = $2")
            .bind(workspace)
            .bind(collection)
            .fetch_one(&self.pool)
            .await?;
        let rows = sqlx::query(
            "SELECT id, content, created_at, updated_at FROM records WHERE workspace_id = $1 AND collection = $2 \
             ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4",
        )
        .bind(workspace)
        .bind(collection)
        .bind(i64::from(per_page))
        .bind(i64::from(page.saturating_sub(1)) * i64::from(per_page))
        .fetch_all(&self.pool)
        .await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }
}

impl Write {
    pub(crate) async fn insert_record(&mut self, collection: &str, record: &StoredRecord) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query(
            "INSERT INTO records (workspace_id, collection, id, content, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(workspace)
        .bind(collection)
        .bind(&record.id)
        .bind(&record.content)
        .bind(micros(record.created_at))
        .bind(micros(record.updated_at))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub(crate) async fn record(&mut self, collection: &str, id: &str) -> Result<Option<StoredRecord>, StoreError> {
        if id.contains('\0') {
            return Ok(None);
        }
        let workspace = self.workspace.clone();
        let row = sqlx::query(
            "SELECT id, content, created_at, updated_at FROM records \
             WHERE workspace_id = $1 AND collection = $2 AND id = $3",
        )
        .bind(workspace)
        .bind(collection)
        .bind(id)
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| read(&row)).transpose()
    }

    /// Replaces the content of an object.
    pub(crate) async fn replace_record(&mut self, collection: &str, after: &StoredRecord) -> Result<(), StoreError> {
        let workspace = self.workspace.clone();
        sqlx::query(
            "UPDATE records SET content = $4, updated_at = $5 WHERE workspace_id = $1 AND collection = $2 AND id = $3",
        )
        .bind(workspace)
        .bind(collection)
        .bind(&after.id)
        .bind(&after.content)
        .bind(micros(after.updated_at))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Removes an object; `false` where there is none.
    pub(crate) async fn delete_record(&mut self, collection: &str, id: &str) -> Result<bool, StoreError> {
        if id.contains('\0') {
            return Ok(false);
        }
        let workspace = self.workspace.clone();
        let done = sqlx::query("DELETE FROM records WHERE workspace_id = $1 AND collection = $2 AND id = $3")
            .bind(workspace)
            .bind(collection)
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> Result<StoredRecord, StoreError> {
    let when = |column: &str| {
        instant(row, column)?.ok_or_else(|| StoreError::Corrupt { what: format!("a record without {column}") })
    };
    Ok(StoredRecord {
        id: row.try_get("id")?,
        content: row.try_get("content")?,
        created_at: when("created_at")?,
        updated_at: when("updated_at")?,
    })
}
