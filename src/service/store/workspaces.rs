//! The table of workspaces.

use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, micros};
use crate::providers::Provider;

/// A workspace as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) provider: Provider,
    /// `starter`, `pro`, `org` or `enterprise`.
    pub(crate) plan: String,
}

impl Store {
    /// Makes a workspace; `false` where its name is taken.
    pub(crate) async fn insert_workspace(&self, workspace: &Workspace, now: Timestamp) -> Result<bool, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO workspaces (id, name, provider, plan, seq, audit_head, created_at) \
             VALUES ($1, $2, $3, $4, 0, '', $5) ON CONFLICT (name) DO NOTHING RETURNING id",
        )
        .bind(&workspace.id)
        .bind(&workspace.name)
        .bind(workspace.provider.rules().name)
        .bind(&workspace.plan)
        .bind(micros(now))
        .fetch_optional(&self.pool)
        .await?;
        Ok(inserted.is_some())
    }

    pub(crate) async fn workspace_named(&self, name: &str) -> Result<Option<Workspace>, StoreError> {
        self.workspace("SELECT id, name, provider, plan FROM workspaces WHERE name = $1", name).await
    }

    pub(crate) async fn workspace_with_id(&self, id: &str) -> Result<Option<Workspace>, StoreError> {
        self.workspace("SELECT id, name, provider, plan FROM workspaces WHERE id = $1", id).await
    }

    /// Whether a workspace has any key.
    pub(crate) async fn has_keys(&self, workspace: &str) -> Result<bool, StoreError> {
        let key = sqlx::query("SELECT id FROM api_keys WHERE workspace_id = $1 LIMIT 1").bind(workspace);
        Ok(key.fetch_optional(&self.pool).await?.is_some())
    }

    /// Whether there is any workspace at all.
    pub(crate) async fn has_workspaces(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query("SELECT id FROM workspaces LIMIT 1").fetch_optional(&self.pool).await?.is_some())
    }

    async fn workspace(&self, statement: &'static str, key: &str) -> Result<Option<Workspace>, StoreError> {
        let Some(row) = sqlx::query(statement).bind(key).fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let provider: String = row.try_get("provider")?;
        Ok(Some(Workspace {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            provider: Provider::named(&provider)
                .ok_or_else(|| StoreError::Corrupt { what: format!("provider {provider}") })?,
            plan: row.try_get("plan")?,
        }))
    }
}
